"""Kernels that call each other by symbol and by address, and what happens to them on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

KERNELS = """
import numpy as np
from territory.routing.compiled import by_address, inner, kernel, leaf
from territory.routing.tables import Tables, f64_2, i32_1

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
print(entry(table, 1, 0), entry(table, 1, clear.address))
"""
FOUND = "28.0 24.0"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module of kernels, and the cache that it filled."""
    folder = tmp_path_factory.mktemp("kernels")
    (folder / "some_kernels.py").write_text(KERNELS, encoding="utf-8")
    said = run(folder)
    assert "compiling the routing engine" in said.stderr
    return folder


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")}
    command = [sys.executable, "-c", "import some_kernels"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == FOUND
    return done


def files(folder: Path, pattern: str) -> list[Path]:
    found = list((folder / "cache").rglob(pattern))
    assert found
    return found


def test_later_processes_compile_nothing(filled: Path) -> None:
    assert run(filled).stderr == ""


def test_leaves_have_no_files(filled: Path) -> None:
    assert {p.name.split(".")[1] for p in files(filled, "*.nbi")} == {"total", "clear", "entry"}


@pytest.mark.parametrize("gone", ["*total*.nbc", "*total*.nbi", "*entry*", "*total*"])
def test_cache_partly_deleted(filled: Path, gone: str) -> None:
    for path in files(filled, gone):
        path.unlink()
    run(filled)
    assert files(filled, "*total*.nbc")


@pytest.mark.parametrize("broken", ["*total*.nbc", "*total*.nbi"])
def test_file_that_broke_off(filled: Path, broken: str) -> None:
    for path in files(filled, broken):
        path.write_bytes(path.read_bytes()[:40])
    run(filled)


def test_kernels_of_other_sources_are_neither_loaded_nor_kept(filled: Path) -> None:
    (now,) = files(filled, "*total*.nbc")
    digest = now.name.split(".")[2].split("-")[0]
    other = now.with_name(now.name.replace(digest, "0" * len(digest)))
    other.write_bytes(b"not a kernel")
    run(filled)
    assert not other.exists()
