"""A batch that is killed, runs out of disk, meets another one: the next run goes on, and the bytes are the same."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

import territory.batch.parts as parts_module
from territory.batch import BatchStatus, run_batch
from territory.errors import BatchError
from territory.io.files import OutputError

HERE = Path(__file__).parent
CHILD = HERE / "batch_child.py"
sys.path.insert(0, str(HERE))
import batch_child  # noqa: E402
import quick_work  # noqa: E402


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for file in sorted((folder / "results").rglob("*")):
        if file.is_file():
            found.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return found.hexdigest()


def start(folder: Path, log: Path) -> subprocess.Popen:
    env = {**os.environ, "BATCH_LOG": str(log)}
    return subprocess.Popen(
        [sys.executable, str(CHILD), str(folder)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def finish(folder: Path, log: Path) -> str:
    process = start(folder, log)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def family(process: subprocess.Popen) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def workers(process: subprocess.Popen) -> list[psutil.Process]:
    found = []
    for one in family(process):
        try:
            if "spawn_main" in " ".join(one.cmdline()):
                found.append(one)
        except psutil.Error:
            continue
    return found


def gone(processes: list[psutil.Process], within_s: float = 5.0) -> bool:
    _, left = psutil.wait_procs(processes, timeout=within_s)
    return not [p for p in left if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(folder / "out", folder / "log")
    return digest(folder / "out")


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("who", ["parent", "worker"])
def test_a_batch_that_was_killed_goes_on(who, seed, tmp_path, undisturbed):
    rng = random.Random(seed + 100 * (who == "parent"))
    log, out = tmp_path / "log", tmp_path / "out"
    process = start(out, log)
    # from the first task that is done until about the end
    while not log.exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(rng.uniform(0.0, 0.8))
    mine = family(process)
    if who == "parent":
        process.kill()
    else:
        there = workers(process)
        if there:
            rng.choice(there).kill()
    process.communicate(timeout=120)
    assert gone(mine), "orphans"
    finish(out, log)
    assert digest(out) == undisturbed
    again = {key: n for key, n in Counter(log.read_text().split("\n")[:-1]).items() if n > 1}
    # one chunk of 0.1 to 0.2 s of two workers, at 10 ms each, and what they had in hand
    assert len(again) <= 42
    assert max(again.values(), default=1) <= 2
    if who == "worker":
        assert len(again) <= 1


def test_an_interrupt_keeps_what_is_done(tmp_path, undisturbed):
    log, out = tmp_path / "log", tmp_path / "out"
    process = start(out, log)
    while not log.exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.3)
    mine = family(process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in err
    assert gone(mine)
    said = finish(out, log)
    assert "'todo': 120" not in said
    assert digest(out) == undisturbed


@pytest.fixture
def quick(monkeypatch, tmp_path):
    monkeypatch.setenv("BATCH_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("BATCH_SECONDS", "0")
    monkeypatch.setattr("territory.batch.run.Work", quick_work.QuickWork)


def threads():
    return ThreadPoolExecutor(1)


def test_a_full_disk_is_told_and_what_was_done_is_kept(tmp_path, monkeypatch, quick, undisturbed):
    out = tmp_path / "out"
    real, room = parts_module.atomic_write, [3]

    def full(path, content):
        room[0] -= 1
        if room[0] < 0:
            raise OutputError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return real(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(parts_module, "atomic_write", full)
        with pytest.raises(OutputError, match="No space left on device") as caught:
            run_batch(batch_child.request(), out, executor=threads, chunk_s=(1e-6, 1e-6))
    assert caught.value.errno == errno.ENOSPC
    assert not (out / "results").exists()
    assert not list(out.rglob("*.tmp"))
    result = run_batch(batch_child.request(), out, executor=threads)
    assert result.status is BatchStatus.DONE
    assert result.skipped >= 3
    assert digest(out) == undisturbed


@pytest.mark.parametrize("kilobytes", [40, 120, 200, 260])
def test_a_small_file_system_that_is_full(tmp_path, quick, undisturbed, kilobytes):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system may not be mounted here")
    try:
        with pytest.raises(OutputError, match=r"No space left on device|full|I/O error"):
            run_batch(batch_child.request(), disk / "out", executor=threads, chunk_s=(1e-6, 1e-6))
        assert not (disk / "out" / "results").exists()
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        result = run_batch(batch_child.request(), disk / "out", executor=threads)
        assert result.status is BatchStatus.DONE
        assert digest(disk / "out") == undisturbed
        assert not list((disk / "out").rglob("*.tmp"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_folder_that_cannot_be_written_is_told(tmp_path, quick):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(OutputError, match="Not a directory"):
        run_batch(batch_child.request(), file / "out", executor=threads)
    if os.geteuid() != 0:
        tmp_path.chmod(0o500)
        with pytest.raises(OutputError, match="Permission denied"):
            run_batch(batch_child.request(), tmp_path / "out", executor=threads)


def test_a_read_only_file_system_is_told(tmp_path, quick):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(disk)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a file system may not be mounted here")
    try:
        with pytest.raises(OutputError, match="Read-only file system"):
            run_batch(batch_child.request(), disk / "out", executor=threads)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_torn_ledger_is_put_aside(tmp_path, quick, undisturbed):
    out = tmp_path / "out"
    run_batch(batch_child.request(), out, executor=threads)
    ledger = out / ".batch" / "ledger.sqlite"
    ledger.write_bytes(ledger.read_bytes()[:5000])
    result = run_batch(batch_child.request(), out, executor=threads)
    assert (result.ran, result.skipped) == (0, 120)
    assert "the ledger was torn" in result.notes[0]
    assert digest(out) == undisturbed


def test_a_torn_answer_is_made_anew(tmp_path, quick, undisturbed):
    out = tmp_path / "out"
    run_batch(batch_child.request(), out, executor=threads)
    part = min((out / ".batch" / "parts").glob("*.part"))
    part.write_bytes(part.read_bytes()[:-20])
    result = run_batch(batch_child.request(), out, executor=threads)
    assert result.ran == 1
    assert "lost or torn" in result.notes[0]
    assert digest(out) == undisturbed


def test_a_second_run_is_refused_while_the_first_goes_on(tmp_path, quick):
    process = start(tmp_path / "out", tmp_path / "log")
    while not (tmp_path / "log").exists() and process.poll() is None:
        time.sleep(0.01)
    with pytest.raises(BatchError, match=f"another run holds this folder: process {process.pid} on"):
        run_batch(batch_child.request(), tmp_path / "out", executor=threads)
    out, err = process.communicate(timeout=120)
    assert "ended done 120" in out, err
