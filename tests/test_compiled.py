"""Kernels: what they call and are given, and what happens to them on disk."""

from __future__ import annotations

import gc
import importlib.util
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from territory.compiled import by_address, kernel, leaf
from territory.compiled import files as where
from territory.compiled.tables import i32_1

if TYPE_CHECKING:
    from pathlib import Path

KERNELS = """
import sys
import numpy as np
from territory.compiled import by_address, inner, kernel, leaf
from territory.compiled.tables import Tables, f64_2, i32_1

later = by_address("i8[::1], i8")

@leaf
def twice(x):
    return 2 * x

@inner("i8[::1], i8")
def total(tab, k):
    row = f64_2(tab, 1)[k]
    count = 0
    for x in row:
        count += 1
    return row.sum(), count

@inner("i8[::1], i8")
def clear(tab, k):
    i32_1(tab, 0)[k] = 0

@kernel("i8[::1], i8, i8")
def entry(tab, k, address):
    if address:
        later(address, tab, k)
    found, count = total(tab, k)
    return twice(found) + count + i32_1(tab, 0)[k]

table = Tables([np.array([3, 4], np.int32), np.array([[1.0, 2.0], [5.0, 6.0]])]).table
print(entry(table, 1, 0), entry(table, 1, clear.address), "numba" in sys.modules)
"""
FOUND = "28.0 24.0"
GIVEN = """
import numpy as np
from territory.compiled import inner, kernel

@kernel("i8[::1], i4[:, ::1], f8[::1], b1[::1], i8, f8, b1")
def given(a, b, c, d, i, f, t):
    return a.sum() + b[0, 1] + b.shape[1], c[0] * f, d[1] and t

@kernel("i8, i8")
def made(n, m):
    table = np.empty((n, m), np.int32)
    for i in range(n):
        for j in range(m):
            table[i, j] = 10 * i + j
    return n, table, np.full(m, 0.5), table[:1].copy()

@kernel("f8[::1]")
def same(a):
    return a

@kernel("i8")
def huge(n):
    return np.zeros(n).sum()

@kernel("i8")
def spin(n):
    x = np.uint64(1)
    for i in range(n):
        x = x * np.uint64(6364136223846793005) + np.uint64(i)
    return np.int64(x & np.uint64(1))

@kernel("f8[::1], i8")
def reshaped(a, n):
    # numba does this by a function of its own library
    return a.reshape((n, 4))[1, 0]

@kernel("i8[::1]")
def nothing(a):
    a[0] = 7

@inner("i8")
def hidden(n):
    return n
"""


def run(folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache"), **more}
    command = [sys.executable, "-c", "import some_kernels"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith(FOUND)
    return done


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module of kernels, and the cache that it filled."""
    folder = tmp_path_factory.mktemp("kernels")
    (folder / "some_kernels.py").write_text(KERNELS, encoding="utf-8")
    assert "compiling the some_kernels engine" in run(folder).stderr
    return folder


@pytest.fixture(scope="module", params=["compiled now", "from files"])
def kernels(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Kernels for Python, as the first process has them and as later ones do."""
    folder = tmp_path_factory.getbasetemp() / "given"
    folder.mkdir(exist_ok=True)
    source = folder / "given_kernels.py"
    if not source.exists():
        source.write_text(GIVEN, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_CACHE_DIR", str(folder / "cache"))
        if request.param == "from files":
            # the tests that compile may have run in another process, or not at all
            loaded(source)
            patch.setattr("territory.compiled._compiled", None)
        return loaded(source)


def loaded(source: Path) -> Any:
    """Run a module of kernels as if it were imported."""
    spec = importlib.util.spec_from_file_location(source.stem, source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    where._folders.cache_clear()
    spec.loader.exec_module(module)
    where._folders.cache_clear()
    return module


def files(folder: Path, pattern: str = "*.kernel") -> list[Path]:
    found = list((folder / "cache").rglob(pattern))
    assert found
    return found


def test_later_processes_compile_nothing_and_do_without_numba(filled: Path) -> None:
    done = run(filled)
    assert done.stderr == ""
    assert done.stdout.strip() == f"{FOUND} False"


def test_leaves_have_no_files(filled: Path) -> None:
    assert {p.name.split(".")[1] for p in files(filled)} == {"total", "clear", "entry"}


@pytest.mark.parametrize("gone", ["*total*", "*entry*", "*"])
def test_cache_partly_deleted(filled: Path, gone: str) -> None:
    for path in files(filled, f"{gone}.kernel"):
        path.unlink()
    run(filled)
    assert len(files(filled)) == 3
    assert run(filled).stderr == ""


@pytest.mark.parametrize("kept", [0, 40, 2000, -1])
def test_file_that_broke_off(filled: Path, kept: int) -> None:
    (path,) = files(filled, "*total*.kernel")
    whole = path.read_bytes()
    path.write_bytes(whole[:kept])
    run(filled)
    assert len(path.read_bytes()) > len(whole) / 2
    assert run(filled).stderr == ""


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.99])
def test_file_with_a_wrong_bit(filled: Path, share: float) -> None:
    (path,) = files(filled, "*total*.kernel")
    text = bytearray(path.read_bytes())
    text[int(share * len(text))] ^= 4
    path.write_bytes(text)
    assert "compiling" in run(filled).stderr
    assert run(filled).stderr == ""


def test_kernel_that_needs_numbas_library(tmp_path: Path) -> None:
    source = KERNELS.replace("row.sum()", "row.reshape((1, 2)).sum()")
    (tmp_path / "some_kernels.py").write_text(source, encoding="utf-8")
    run(tmp_path)
    done = run(tmp_path)
    assert done.stderr == ""
    assert done.stdout.strip() == f"{FOUND} True"


def test_file_of_another_kernel(filled: Path) -> None:
    (total,), (clear,) = files(filled, "*total*.kernel"), files(filled, "*clear*.kernel")
    total.write_bytes(clear.read_bytes())
    assert "compiling" in run(filled).stderr
    assert run(filled).stderr == ""


def test_kernels_of_other_sources_are_neither_loaded_nor_kept(filled: Path) -> None:
    (now,) = files(filled, "*total*.kernel")
    digest = now.name.split(".")[2].split("-")[0]
    other = now.with_name(now.name.replace(digest, "0" * len(digest)))
    other.write_bytes(b"not a kernel")
    foreign = now.with_name("other_" + other.name)
    foreign.write_bytes(b"another module's")
    unfinished = now.with_name(now.name + ".1.2.tmp")
    unfinished.write_bytes(b"not a kernel")
    os.utime(unfinished, (0, 0))
    now.unlink()
    run(filled)
    assert not other.exists()
    assert foreign.exists()
    foreign.unlink()
    assert not unfinished.exists()


def test_other_machines_have_other_files(filled: Path) -> None:
    before = set(files(filled))
    assert "compiling" in run(filled, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="").stderr
    assert len(files(filled)) == 6
    assert before < set(files(filled))
    assert run(filled).stderr == ""


def test_changed_source_is_compiled_anew(tmp_path: Path) -> None:
    source = tmp_path / "some_kernels.py"
    source.write_text(KERNELS.replace("2 * x", "x + x + 0"), encoding="utf-8")
    run(tmp_path)
    source.write_text(KERNELS, encoding="utf-8")
    assert "compiling" in run(tmp_path).stderr
    assert len(files(tmp_path)) == 3


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "some_kernels.py").write_text(KERNELS, encoding="utf-8")
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    for _ in range(2):
        assert "compiling" in run(tmp_path).stderr


def test_processes_that_start_at_once(tmp_path: Path) -> None:
    (tmp_path / "some_kernels.py").write_text(KERNELS, encoding="utf-8")
    threads = [threading.Thread(target=run, args=(tmp_path,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files(tmp_path)) == 3
    assert not list((tmp_path / "cache").rglob("*.tmp"))
    assert run(tmp_path).stderr == ""


def arguments() -> list[Any]:
    return [
        np.arange(4), np.array([[1, 2, 3]], np.int32), np.array([2.0]), np.array([False, True]), 3, 0.5, True,
    ]  # fmt: skip


def test_arguments_and_results(kernels: Any) -> None:
    assert kernels.given(*arguments()) == (11, 1.0, True)
    numbers = [np.int64(3), np.float64(0.5), np.bool_(False)]
    assert kernels.given(*arguments()[:4], *numbers) == (11, 1.0, False)
    assert kernels.given(*arguments()[:4], np.int32(3), 1, 0) == (11, 2.0, False)
    out = np.zeros(1, np.int64)
    assert kernels.nothing(out) is None
    assert out[0] == 7


def test_arrays_come_back(kernels: Any) -> None:
    n, table, halves, first = kernels.made(2, 3)
    assert n == 2
    assert table.dtype == np.int32
    assert table.tolist() == [[0, 1, 2], [10, 11, 12]]
    assert halves.tolist() == [0.5] * 3
    assert first.tolist() == [[0, 1, 2]]
    assert all(x.flags.c_contiguous and x.flags.writeable and x.flags.aligned for x in (table, halves, first))
    assert [x.shape for x in kernels.made(0, 0)[1:3]] == [(0, 0), (0,)]
    given = np.arange(3.0)
    back = kernels.same(given)
    assert back.tolist() == given.tolist()
    assert not np.shares_memory(back, given)


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        (0, [1, 2]), (0, None), (0, 5), (0, np.arange(4.0)), (0, np.arange(4, dtype=np.int32)),
        (0, np.arange(4, dtype=np.uint64)), (0, np.arange(8)[::2]), (0, np.arange(4).reshape(2, 2)),
        (0, np.arange(4).astype(">i8")), (0, np.zeros(33, np.int8)[1:].view(np.int64)), (0, np.int64(3)),
        (0, np.broadcast_to(np.int64(1), 4)), (0, np.arange(4).astype("m8[s]")), (1, np.ones((3, 2), np.int32).T),
        (3, np.zeros(2, np.int8)), (4, 0.5), (4, "3"), (4, None), (4, np.arange(2)), (5, "0.5"), (5, None), (5, 1j),
        (6, None), (6, [True]), (6, "yes"),
    ],
)  # fmt: skip
def test_wrong_arguments(kernels: Any, at: int, wrong: Any) -> None:
    given = arguments()
    given[at] = wrong
    with pytest.raises(TypeError):
        kernels.given(*given)


def test_wrong_number_of_arguments(kernels: Any) -> None:
    for given in ([], arguments()[:-1], [*arguments(), 1]):
        with pytest.raises(TypeError, match="given\\(\\) takes 7 arguments"):
            kernels.given(*given)
    with pytest.raises(TypeError):
        kernels.given(*arguments()[:-1], t=True)
    with pytest.raises(OverflowError):
        kernels.given(*arguments()[:4], 1 << 70, 0.5, True)


def test_subclasses_of_arrays_are_arrays(kernels: Any, tmp_path: Path) -> None:
    given = arguments()
    given[0] = np.memmap(tmp_path / "a", np.int64, "w+", shape=4)
    given[0][:] = 1
    assert kernels.given(*given)[0] == 9
    given[0]._mmap.close()


def test_out_of_memory(kernels: Any) -> None:
    assert kernels.huge(5) == 0.0
    for n in (1 << 50, 1 << 60):
        with pytest.raises(MemoryError):
            kernels.huge(n)


def test_memory_is_given_back(kernels: Any) -> None:
    resource = pytest.importorskip("resource")
    kernels.made(100, 100)

    def most() -> int:
        gc.collect()
        return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    before = most()
    for _ in range(3000):
        kernels.made(300, 300)
        kernels.huge(40_000)
    # kilobytes; all of it were a gigabyte
    assert most() - before < 100_000


def test_the_interpreter_is_not_held(kernels: Any) -> None:
    began = time.perf_counter()
    kernels.spin(3_000_000)
    steps = int(3_000_000 * 0.5 / (time.perf_counter() - began))
    thread = threading.Thread(target=kernels.spin, args=(steps,))
    thread.start()
    beats = 0
    while thread.is_alive():
        time.sleep(0.005)
        beats += 1
    assert beats > 10


def test_what_needs_numbas_library_gets_it(kernels: Any) -> None:
    assert kernels.reshaped(np.arange(8.0), 2) == 4.0


def test_functions_tell_what_they_are(kernels: Any) -> None:
    assert kernels.given.__name__ == "given"
    assert kernels.given.__module__ == "given_kernels"
    with pytest.raises(TypeError, match="only kernels call"):
        kernels.hidden(3)


def test_what_only_kernels_call() -> None:
    @leaf
    def small(x: int) -> int:
        return x

    for function in (small, by_address("i8"), i32_1):
        with pytest.raises(TypeError, match="only kernels call"):
            function(1)
    assert small.py_func(3) == 3


def test_kernels_that_are_typed_in_are_kept_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("territory.compiled.files._folders", lambda _: (tmp_path,))
    for n in range(2):
        space: dict[str, Any] = {"__name__": "typed", "kernel": kernel}
        exec(f"@kernel('i8')\ndef typed(x):\n    return x + {n}", space)  # noqa: S102 - as in a notebook
        assert space["typed"](1) == 1 + n
    assert not list(tmp_path.iterdir())


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels are kept nowhere."""
    monkeypatch.setattr("territory.compiled.files.write", lambda *_: None)


@pytest.mark.usefixtures("nowhere")
def test_kernels_raise_nothing() -> None:
    def bad(n):
        if n:
            raise ValueError(n)
        return n

    with pytest.raises(TypeError, match="raises nothing"):
        kernel("i8")(bad)


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("types", ["i4", "c16", "f8[:]", "f8[::1, :]", "unicode_type"])
def test_types_that_python_cannot_give(types: str) -> None:
    def bad(_n):
        return 1

    with pytest.raises(TypeError):
        kernel(types)(bad)
