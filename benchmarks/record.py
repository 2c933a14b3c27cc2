"""What every family shares: options, clocks, and the JSON that holds a run."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from dataclasses import dataclass, field
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path
from typing import Any, Self

import numpy as np

__all__ = ["Clock", "Options", "document", "row", "write"]

#: Real places and public instances, beside the project; no part of it.
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

_PACKAGES = (
    "territory", "numpy", "scipy", "ortools", "narwhals", "pandas", "polars", "pyarrow", "scikit-learn",
    "k-means-constrained", "numba", "pyvrp", "pyvroom", "pymetis", "spopt",
)  # fmt: skip


@dataclass(frozen=True)
class Options:
    """The command line.

    Attributes
    ----------
    data : Path
        Folder of real places; what needs them is skipped, and says so, where they are absent.
    instances : str
        Shell pattern of instance names.
    seconds : float, optional
        Time limit of a solve.
    iterations : int, optional
        See each family.
    seed : int
    size : int, optional
        A smaller (or larger) run, see each family.
    engine : str, optional
        Of the routing families; ``all``: one after the other.
    jobs : int
        Processes that share the instances of a routing family, each on one thread.
    visits : int, optional
        Possible visits of a rep's day.
    """

    data: Path = DATA
    instances: str = "*"
    seconds: float | None = None
    iterations: int | None = None
    seed: int = 0
    size: int | None = None
    engine: str | None = None
    jobs: int = 1
    visits: int | None = None

    def wants(self, instance: str) -> bool:
        """Return whether an instance was asked for."""
        return fnmatch(instance, self.instances)

    def takes(self, family: str, *names: str) -> None:
        """Refuse the options of one family or another that this family has no use for."""
        optional = ("seconds", "iterations", "size", "engine", "visits")
        given = [x for x in optional if getattr(self, x) is not None and x not in names]
        given += ["jobs"] if self.jobs != 1 and "jobs" not in names else []
        if given:
            msg = f"{family} has no use for --{given[0]}"
            raise SystemExit(msg)


@dataclass
class Clock:
    """CPU seconds of all threads of this process, and wall seconds, of a ``with`` block."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    _began: tuple[float, float] = field(default=(0.0, 0.0), repr=False)

    def __enter__(self) -> Self:
        self._began = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu_s = time.process_time() - self._began[0]
        self.wall_s = time.perf_counter() - self._began[1]


def row(
    instance: str,
    engine: str,
    seed: int,
    *,
    params: dict[str, Any],
    status: str,
    clock: Clock,
    objective: float | None = None,
    bound: float | None = None,
    routes: list[dict[str, Any]] | None = None,
    assignment: Any = None,
    centers: Any = None,
    **figures: Any,
) -> dict[str, Any]:
    """Return one result: what every family has, and the family's own `figures`."""
    return {
        "instance": instance, "params": params, "engine": engine, "seed": seed, "status": status,
        "objective": objective, "bound": bound, "cpu_s": clock.cpu_s, "wall_s": clock.wall_s,
        **figures, "routes": routes, "assignment": assignment, "centers": centers,
    }  # fmt: skip


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def document(family: str, options: Options, results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a run as it is written: the machine, the versions, the command, the results."""
    return {
        "family": family,
        "machine": f"{_cpu_model()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "versions": _versions(),
        "seed": options.seed,
        "command": " ".join(["python -m benchmarks", *sys.argv[1:]]),
        "results": results,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    msg = f"cannot write {type(value).__name__}"
    raise TypeError(msg)


def write(path: Path, run: dict[str, Any]) -> None:
    """Write a run as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(run, default=_plain, allow_nan=False), encoding="utf-8")
