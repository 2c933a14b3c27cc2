"""How long a million customers take to read, and how long the import takes.

Instances: ``customers-pandas``, ``customers-polars``, ``customers-pyarrow`` (a frame of generated
customers into `Customers.from_frame`), ``import`` (``import territory``, and its tables, against
``import numpy``).
``--size N`` customers (default 1,000,000); ``--iterations N`` fresh processes of each (default 3 a
frame, 9 an import), of which the median counts.

The memory is what the process holds at its highest while it reads, beyond what it held with the
frame already there. Each measurement is made in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.record import Clock, Options, row

#: What the library promises for a million customers, and for its import beyond numpy's.
PROMISED_S, PROMISED_MB, PROMISED_IMPORT_MS = 2.0, 250.0, 50.0
FRAMES = ("pandas", "polars", "pyarrow")
_ROOT = Path(__file__).resolve().parents[1]
#: Each in a fresh interpreter. The bare import loads nothing until it is used, not even numpy, so the
#: promise is held against the tables, which everybody uses: what they take after numpy is there.
_BARE = """
import json, time
wall, cpu = time.perf_counter(), time.process_time()
import territory
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))
"""
_TABLES = """
import json, time
wall, cpu = time.perf_counter(), time.process_time()
import numpy
wall_numpy, cpu_numpy = time.perf_counter(), time.process_time()
from territory import Alignment, Customers, Plan, Reps
wall_end, cpu_end = time.perf_counter(), time.process_time()
print(json.dumps([wall_numpy - wall, cpu_numpy - cpu, wall_end - wall_numpy, cpu_end - cpu_numpy]))
"""


def run(options: Options) -> list[dict[str, Any]]:
    """Measure reading and importing."""
    options.takes("load", "iterations", "size")
    n = options.size or 1_000_000
    results = [
        _frame(name, n, options.iterations or 3, options.seed) for name in FRAMES if options.wants(f"customers-{name}")
    ]
    if options.wants("import"):
        results.append(_imports(options.iterations or 9, options.seed))
    return results


def _fresh(*arguments: str) -> Any:
    """Run a fresh interpreter and return the JSON that it prints."""
    command = [sys.executable, *arguments]
    # threads of BLAS spin while they wait for work, which would count as CPU time
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=_ROOT, env=env)  # noqa: S603 - our own code
    return json.loads(done.stdout)


def _frame(name: str, n: int, repeats: int, seed: int) -> dict[str, Any]:
    runs = [_fresh("-m", "benchmarks.load_child", name, str(n), str(seed)) for _ in range(repeats)]
    one = {key: median(r[key] for r in runs) for key in ("cpu_s", "wall_s", "peak_mb", "kept_mb", "frame_mb")}
    clock = Clock(one.pop("cpu_s"), one.pop("wall_s"))
    kept = clock.cpu_s <= PROMISED_S and one["peak_mb"] <= PROMISED_MB
    params = {"customers": n, "columns": runs[0]["columns"], "repeats": repeats}
    promise = {"promised_s": PROMISED_S, "promised_mb": PROMISED_MB, "promise": "kept" if kept else "broken"}
    if n < 1_000_000:
        promise = {"promise": "is for a million"}
    figures = {**one, **promise, "runs": runs}
    return row(f"customers-{name}", "territory", seed, params=params, status="read", clock=clock, **figures)


def _imports(repeats: int, seed: int) -> dict[str, Any]:
    # compiled sources are there from the first use on, as after an installation
    _fresh("-c", _TABLES)
    # in turn, so that a busy moment of the machine hits both
    pairs = [(_fresh("-c", _BARE), _fresh("-c", _TABLES)) for _ in range(repeats)]
    names = ("numpy_wall", "numpy_cpu", "tables_wall", "tables_cpu")
    figures: dict[str, Any] = {f"{x}_ms": median(tables[j] for _, tables in pairs) * 1000 for j, x in enumerate(names)}
    for j, x in enumerate(("bare_wall", "bare_cpu")):
        figures[f"{x}_ms"] = median(bare[j] for bare, _ in pairs) * 1000
    return row(
        "import", "territory", seed, params={"repeats": repeats}, status="imported",
        clock=Clock(figures["tables_cpu_ms"] / 1000, figures["tables_wall_ms"] / 1000), **figures,
        promised_ms=PROMISED_IMPORT_MS,
        promise="kept" if figures["tables_cpu_ms"] <= PROMISED_IMPORT_MS else "broken", runs=pairs,
    )  # fmt: skip
