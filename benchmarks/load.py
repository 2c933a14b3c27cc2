"""How long a million customers take to read, and how long the import takes.

Instances: ``customers-pandas``, ``customers-polars``, ``customers-pyarrow`` (a frame of generated
customers into `Customers.from_frame`), ``import`` (``import territory`` against ``import numpy``).
``--size N`` customers (default 1,000,000); ``--iterations N`` fresh processes of each (default 3 a
frame, 9 an import), of which the median counts.

The memory is what the process holds at its highest while it reads, beyond what it held with the
frame already there. Each measurement is made in a process of its own.
"""

from __future__ import annotations

import json
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
_IMPORT = """
import json, time
wall, cpu = time.perf_counter(), time.process_time()
import {0}
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))
"""


def run(options: Options) -> list[dict[str, Any]]:
    """Measure reading and importing."""
    options.takes("load", "iterations", "size")
    n = options.size or 1_000_000
    results = [
        _frame(name, n, options.iterations or 3, options.seed)
        for name in FRAMES
        if options.wants(f"customers-{name}")
    ]
    if options.wants("import"):
        results.append(_imports(options.iterations or 9, options.seed))
    return results


def _fresh(*arguments: str) -> Any:
    """Run a fresh interpreter and return the JSON that it prints."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=_ROOT)  # noqa: S603 - our own code
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
    return row(f"customers-{name}", "territory", seed, params=params, status="read", clock=clock, **one, **promise, runs=runs)


def _imports(repeats: int, seed: int) -> dict[str, Any]:
    times: dict[str, list[list[float]]] = {"numpy": [], "territory": []}
    for _ in range(repeats):
        # in turn, so that a busy moment of the machine hits both
        for name, found in times.items():
            found.append(_fresh("-c", _IMPORT.format(name)))
    wall, cpu = ({name: median(t[k] for t in found) * 1000 for name, found in times.items()} for k in (0, 1))
    extra = cpu["territory"] - cpu["numpy"]
    return row(
        "import", "territory", seed, params={"repeats": repeats}, status="imported",
        clock=Clock(cpu["territory"] / 1000, wall["territory"] / 1000),
        numpy_cpu_ms=cpu["numpy"], territory_cpu_ms=cpu["territory"], numpy_wall_ms=wall["numpy"],
        territory_wall_ms=wall["territory"], beyond_numpy_ms=extra, promised_ms=PROMISED_IMPORT_MS,
        promise="kept" if extra <= PROMISED_IMPORT_MS else "broken", runs=times,
    )  # fmt: skip
