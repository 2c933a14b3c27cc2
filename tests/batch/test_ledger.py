from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys

import pytest
from batch_functions import task

from territory.batch import FolderLock, Ledger, Outcome, Parts, TaskStatus
from territory.errors import BatchError
from territory.io.files import OutputError


def outcome(key: str, status: TaskStatus = TaskStatus.DONE, data: bytes | None = None, **what) -> Outcome:
    given = key.encode() * 3 if data is None else data
    return Outcome(key, task(key).digest, status, given if status is TaskStatus.DONE else b"", 0.5, **what)


@pytest.fixture
def opened(tmp_path):
    parts = Parts(tmp_path / "parts")
    with Ledger(tmp_path, parts) as ledger:
        yield ledger, parts


def keep(ledger, parts, *outcomes):
    ledger.record(outcomes, parts.write(outcomes))


class TestParts:
    def test_what_was_written_is_read(self, tmp_path):
        parts = Parts(tmp_path / "parts")
        refs = parts.write([outcome("a"), outcome("ä" + chr(0xD800), data=b""), outcome("c", TaskStatus.FAILED)])
        assert [parts.read(ref) for ref in refs] == [b"aaa", b"", b""]
        found = list(Parts(tmp_path / "parts").scan())
        assert [one.key for one, _ in found] == ["a", "ä" + chr(0xD800), "c"]
        assert [ref for _, ref in found] == refs
        assert [one.status for one, _ in found] == [TaskStatus.DONE, TaskStatus.DONE, TaskStatus.FAILED]

    def test_any_byte_that_changes_is_noticed(self, tmp_path):
        parts = Parts(tmp_path / "parts")
        refs = parts.write([outcome("a"), outcome("b")])
        path = tmp_path / "parts" / refs[0].part
        whole = path.read_bytes()
        for i in range(len(whole)):
            torn = bytearray(whole)
            torn[i] ^= 0x55
            path.write_bytes(bytes(torn))
            given = [one.key for one, _ in parts.scan()]
            assert given in ([], ["a"]), i
        for end in range(len(whole)):
            path.write_bytes(whole[:end])
            assert len(list(parts.scan())) < 2

    def test_the_next_file_has_the_next_name(self, tmp_path):
        first = Parts(tmp_path / "parts").write([outcome("a")])[0]
        second = Parts(tmp_path / "parts").write([outcome("b")])[0]
        assert first.part < second.part


class TestLedger:
    def test_what_is_done_is_not_pending(self, opened):
        ledger, parts = opened
        tasks = [task("a"), task("b"), task("c")]
        ledger.begin({"x": "1"})
        keep(ledger, parts, outcome("a", cost=3.0, bound=2.0), outcome("b", TaskStatus.CRASHED, error="why"))
        assert [t.key for t in ledger.pending(tasks)] == ["b", "c"]
        assert [t.key for t in ledger.pending([task("a", times=2)])] == ["a"]
        assert ledger.counts() == {"crashed": 1, "done": 1}
        assert parts.read(ledger.refs()["a"]) == b"aaa"
        row = ledger.rows()[1]
        assert (row["key"], row["status"], row["error"], row["attempts"]) == ("b", "crashed", "why", 1)
        keep(ledger, parts, outcome("b"))
        assert ledger.rows()[1]["attempts"] == 2
        assert ledger.counts() == {"done": 2}

    def test_what_changed_is_named(self, opened):
        ledger, parts = opened
        ledger.begin({"customers": "1", "reps": "2", "seed": "0"})
        keep(ledger, parts, outcome("a"))
        with pytest.raises(BatchError, match=r"changed since the first run: customers, seed;"):
            ledger.begin({"customers": "x", "reps": "2", "seed": "1"})
        assert ledger.begin({"customers": "1", "reps": "2", "seed": "0"}) == 2
        with pytest.raises(BatchError, match="an earlier run is there"):
            ledger.begin({"customers": "1", "reps": "2", "seed": "0"}, resume=False)
        ledger.begin({"customers": "x"}, force=True)
        assert ledger.rows() == []
        assert list(parts.scan()) == []

    def test_a_part_that_the_ledger_missed_is_taken_in(self, tmp_path):
        parts = Parts(tmp_path / "parts")
        with Ledger(tmp_path, parts) as ledger:
            keep(ledger, parts, outcome("a", TaskStatus.FAILED), outcome("b"))
            keep(ledger, parts, outcome("a"))
        parts.write([outcome("c")])
        with Ledger(tmp_path, Parts(tmp_path / "parts")) as ledger:
            assert ledger.adopted == 1
            assert ledger.counts() == {"done": 3}
            assert parts.read(ledger.refs()["c"]) == b"ccc"

    @pytest.mark.parametrize("how", ["cut", "zeros", "noise", "other", "empty wal"])
    def test_a_torn_one_is_put_aside_and_made_anew(self, tmp_path, how):
        parts = Parts(tmp_path / "parts")
        with Ledger(tmp_path, parts) as ledger:
            for i in range(60):
                keep(
                    ledger,
                    parts,
                    outcome(f"k{i:02}"),
                    outcome("again", TaskStatus.FAILED if i < 59 else TaskStatus.DONE),
                )
            before = {(r["key"], r["status"]) for r in ledger.rows()}
        file = tmp_path / "ledger.sqlite"
        whole = file.read_bytes()
        if how == "cut":
            file.write_bytes(whole[: len(whole) // 2])
        elif how == "zeros":
            file.write_bytes(whole[:100] + bytes(len(whole) - 100))
        elif how == "noise":
            file.write_bytes(b"not a database at all" * 500)
        elif how == "other":
            file.unlink()
            with sqlite3.connect(file) as db:
                db.execute("CREATE TABLE other (x)")
            db.close()
        else:
            file.with_name("ledger.sqlite-wal").write_bytes(b"\0" * 4096)
        with Ledger(tmp_path, Parts(tmp_path / "parts")) as ledger:
            assert {(r["key"], r["status"]) for r in ledger.rows()} == before
            assert (ledger.quarantined is not None) == (how != "empty wal")
        if how != "empty wal":
            assert (tmp_path / "ledger.sqlite.torn-0").exists()

    def test_an_answer_that_is_torn_counts_as_never_made(self, opened, tmp_path):
        ledger, parts = opened
        keep(ledger, parts, outcome("a"), outcome("b"))
        ref = ledger.refs()["b"]
        path = tmp_path / "parts" / ref.part
        data = bytearray(path.read_bytes())
        data[ref.offset] ^= 1
        path.write_bytes(bytes(data))
        assert ledger.verify() == ["b"]
        assert [t.key for t in ledger.pending([task("a"), task("b")])] == ["b"]


class TestFolderLock:
    def test_a_second_holder_is_refused_and_told_who_holds_it(self, tmp_path):
        with FolderLock(tmp_path / "lock"):
            path = str(tmp_path / "lock")
            code = f"from territory.batch import FolderLock; from pathlib import Path; FolderLock(Path({path!r}))"
            found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
            assert found.returncode == 1
            assert f"process {os.getpid()} on {socket.gethostname()}" in found.stderr
        FolderLock(tmp_path / "lock").close()

    def test_one_whose_holder_was_killed_is_stale(self, tmp_path):
        code = (
            "import os; from territory.batch import FolderLock; from pathlib import Path; "
            f"lock = FolderLock(Path({str(tmp_path / 'lock')!r})); os.kill(os.getpid(), 9)"
        )
        subprocess.run([sys.executable, "-c", code], check=False)
        assert json.loads((tmp_path / "lock").read_text())["pid"]
        with FolderLock(tmp_path / "lock") as lock:
            assert lock.was_stale

    def test_one_of_another_machine_is_believed(self, tmp_path):
        (tmp_path / "lock").write_text(json.dumps({"pid": 1, "host": "elsewhere", "started": "1"}))
        with pytest.raises(BatchError, match=r"process 1 on elsewhere\. If that machine is gone, delete"):
            FolderLock(tmp_path / "lock")
        with FolderLock(tmp_path / "lock", force=True) as lock:
            assert lock.was_stale

    def test_a_folder_that_cannot_be_written_is_told(self, tmp_path):
        with pytest.raises(OutputError):
            FolderLock(tmp_path / "none" / "lock")
