"""One measurement of `benchmarks.load`, in a process of its own: BACKEND N SEED, prints JSON."""

from __future__ import annotations

import ctypes
import gc
import json
import re
import resource
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import Clock

_MB = 1e6


def columns(n: int, seed: int) -> dict[str, Any]:
    """Generate the columns of n customers as they come from a CRM: twelve of the model, one measure."""
    rng = np.random.default_rng(seed)
    hours = ["Mo-Fr 09:00-18:00", "Mo-Sa 08:00-20:00", "Mo-Th 08:00-12:00,13:00-16:00; Fr 08:00-12:00", ""]
    return {
        "id": [f"C{i:07d}" for i in range(n)],
        "lon": rng.uniform(6.0, 15.0, n),
        "lat": rng.uniform(47.5, 55.0, n),
        "name": [f"Customer {i} Ltd" for i in range(n)],
        "workload_s": rng.integers(600, 7200, n).astype(np.float64),
        "visit_interval_days": rng.choice([7.0, 14.0, 28.0, 56.0], n),
        "service_s": rng.choice([1200, 1800, 2700], n),
        "last_visit": np.datetime64("2026-01-01") + rng.integers(0, 60, n),
        "opening_hours": np.array(hours, dtype=object)[rng.integers(0, len(hours), n)].tolist(),
        "owner": np.array([f"R{j:03d}" for j in range(500)], dtype=object)[rng.integers(0, 500, n)].tolist(),
        "segment": np.array(["A", "B", "C"], dtype=object)[rng.integers(0, 3, n)].tolist(),
        "locked": rng.random(n) < 0.01,
        "potential": np.round(rng.lognormal(9.0, 1.0, n), 2),
    }


def frame(backend: str, n: int, seed: int) -> Any:
    """Return the customers as a frame of "pandas", "polars" or "pyarrow"."""
    made = columns(n, seed)
    module = import_module(backend)
    if backend == "pyarrow":
        return module.table(made)
    if backend == "pandas":
        # pandas has no days
        made["last_visit"] = made["last_visit"].astype("datetime64[s]")
    return module.DataFrame(made)


def _status_mb(field: str) -> float:
    text = Path("/proc/self/status").read_text()
    found = re.search(rf"{field}:\s+(\d+) kB", text)
    if found is None:
        msg = f"/proc/self/status has no {field}"
        raise RuntimeError(msg)
    return int(found[1]) * 1024 / _MB


def _settle() -> float:
    """Give freed memory back, forget the highest mark, and return what the process holds now, MB."""
    gc.collect()
    if not sys.platform.startswith("linux"):
        # no way to forget the mark: the building of the frame may hide some of the reading
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MB
    ctypes.CDLL(None).malloc_trim(0)
    # where a sandbox forbids that, the mark of building the frame stays, and the memory is overstated
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _status_mb("VmRSS")


def _highest() -> float:
    if not sys.platform.startswith("linux"):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MB
    return _status_mb("VmHWM")


def measure(backend: str, n: int, seed: int) -> dict[str, Any]:
    """Return the seconds and megabytes of reading a frame."""
    from territory import Customers  # noqa: PLC0415 - the import is measured elsewhere

    # adapters load when they are first used: that is import time, not reading
    Customers.from_frame(frame(backend, 100, seed), measures=["potential"])
    empty = _settle()
    source = frame(backend, n, seed)
    before = _settle()
    with Clock() as clock:
        customers = Customers.from_frame(source, measures=["potential"])
    highest = _highest()
    after = _settle()
    if len(customers) != n or customers.last_visit is None or not np.isfinite(customers.measures["potential"]).all():
        msg = "the customers that were read are not those of the frame"
        raise RuntimeError(msg)
    return {
        "cpu_s": clock.cpu_s, "wall_s": clock.wall_s, "frame_mb": before - empty, "peak_mb": highest - before,
        "kept_mb": after - before, "columns": len(columns(1, seed)),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
