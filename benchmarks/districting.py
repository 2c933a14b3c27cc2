"""What the families of districts and clusters share: each instance solved by the local search, verified, compared."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.drive import say
from benchmarks.engines import cpu_clock
from benchmarks.instances.common import BrokenRouteError, euclidean
from benchmarks.record import Clock, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from benchmarks.instances.bestknown import BestKnown
    from benchmarks.record import Options
    from territory.design.moves_problem import LocalProblem

__all__ = ["Case", "beside", "found_files", "pairs", "run_cases"]

SECONDS = 60.0
#: Distances of more points than this are computed as they are needed, not kept.
KEPT = 1500


@dataclass(frozen=True, eq=False, kw_only=True)
class Case:
    """An instance, ready to be solved.

    Attributes
    ----------
    name : str
    group : str
        Class of instances in the table.
    problem : LocalProblem
    verify : callable
        Assignment and centres as they are written -> objective; raises `BrokenRouteError`.
    best : BestKnown, optional
    params : dict
    """

    name: str
    group: str
    problem: LocalProblem
    verify: Callable[[Any, Any], float]
    best: BestKnown | None = None
    params: dict[str, Any] = field(default_factory=dict)


def found_files(options: Options, *patterns: str) -> list[Path]:
    """Return the instance files that match patterns below ``--data``, or, of any other folder, all that it has.

    Raises
    ------
    SystemExit
        There are none.
    """
    found = [path for pattern in patterns for path in sorted(options.data.glob(pattern))]
    if not found and options.data.is_dir():
        found = sorted(path for path in options.data.iterdir() if path.suffix in {".dat", ".txt"})
    wanted = [path for path in found if options.wants(path.stem)]
    if not wanted:
        msg = f"no instance matches {options.instances} below {options.data}"
        raise SystemExit(msg)
    return wanted


def pairs(xy: np.ndarray[Any, np.dtype[np.float64]], *, whole: bool = False) -> dict[str, Any]:
    """Return how a problem gets its distances: as a table where it is small, or where they are rounded down."""
    if len(xy) > KEPT and not whole:
        return {}
    table = euclidean(xy)
    return {"pair": np.floor(table + 1e-9), "slack": 1.0} if whole else {"pair": table}


def beside(xy: np.ndarray[Any, np.dtype[np.float64]], count: int = 10) -> Any:
    """Return the graph of each point's nearest ones and of its Delaunay neighbours."""
    from scipy.spatial import Delaunay, QhullError, cKDTree  # noqa: PLC0415 - slow to load

    from territory.design.moves_problem import Graph  # noqa: PLC0415

    n = len(xy)
    count = min(count, n - 1)
    _, near = cKDTree(xy).query(xy, k=list(range(1, count + 2)))
    edges = [np.stack([np.repeat(np.arange(n), count + 1), near.ravel()], axis=1)]
    try:
        corners = Delaunay(xy).simplices
        edges += [corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]]
    except QhullError:
        # all on a line: the nearest will do
        pass
    return Graph.of_edges(np.concatenate(edges), n)


def run_cases(family: str, cases: Iterable[Case], options: Options) -> list[dict[str, Any]]:
    """Measure every case, and say so on the way."""
    results = []
    for case in cases:
        results.append(_measure(case, options))
        say(family, results[-1], len(results))
    return results


def _measure(case: Case, options: Options) -> dict[str, Any]:
    # loaded, and compiled where no cache has it, before the clock runs
    from territory.design.anneal_search import local_search  # noqa: PLC0415 - slow to load

    seconds = None if options.iterations else options.seconds or SECONDS
    clock, objective, status, note = Clock(), None, "", ""
    found = None
    with clock, cpu_clock():
        deadline = None if seconds is None else time.process_time() + seconds
        found = local_search(case.problem, iterations=options.iterations, deadline=deadline, seed=options.seed)
    assignment, centers = found.label.tolist(), found.centers.tolist()
    try:
        objective = case.verify(assignment, centers)
        status = "feasible"
    except BrokenRouteError as fault:
        # the search says itself where it found nothing feasible
        status, note = "infeasible" if found.violation > 0.0 else "invalid", str(fault)
    return row(
        case.name, "search", options.seed, params={"n": case.problem.n, "p": case.problem.k, **case.params},
        status=status, clock=clock, objective=objective, assignment=assignment, centers=centers, note=note,
        group=case.group, maximise=False, budget={"seconds": seconds, "iterations": options.iterations},
        best_known=None if case.best is None else case.best.value,
        best_known_source=None if case.best is None else case.best.source,
        violation=found.violation, iterations=found.iterations, trace=[list(step) for step in found.trace],
    )  # fmt: skip
