"""Travelling salesman with time windows: all nodes, least travel cost; waiting costs nothing.

File: n (the depot, node 0, included), the matrix, then ``open close`` of each node for the start of
service. Service times, where an instance has any, are part of the matrix, and so of the cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.instances.common import BrokenRouteError, Stops, read_rows, timed, visits_once, whole
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Instance", "read", "to_problem", "verify"]


@dataclass(frozen=True, eq=False)
class Instance:
    """One file; node 0 is the depot.

    Attributes
    ----------
    name : str
    travel : float array of shape (n, n)
        The diagonal is 0, whatever the file says: no route uses it.
    opens, closes : float arrays of shape (n,)
    scale : int
        How many units of whole numbers make one of the file.
    """

    name: str
    travel: NDArray[np.float64]
    opens: NDArray[np.float64]
    closes: NDArray[np.float64]
    scale: int


def read(path: Path) -> Instance:
    """Read a file of the family."""
    numbers = np.array([x for row in read_rows(path.read_text(encoding="utf-8")) for x in row])
    n = int(numbers[0])
    if len(numbers) != 1 + n * n + 2 * n:
        msg = f"{path}: {len(numbers)} numbers for {n} nodes"
        raise ValueError(msg)
    travel = numbers[1 : 1 + n * n].reshape(n, n).copy()
    np.fill_diagonal(travel, 0.0)
    windows = numbers[1 + n * n :].reshape(n, 2)
    fractions = bool(np.any(numbers != np.rint(numbers)))
    return Instance(path.stem, travel, windows[:, 0].copy(), windows[:, 1].copy(), 100_000 if fractions else 1)


def to_problem(instance: Instance) -> RoutingProblem:
    """Return the problem: visit v is node v + 1, one shift, a second 1 / scale, the cost a second at the wheel."""
    n, scale = len(instance.opens), instance.scale
    opens, closes = whole(instance.opens, scale, "windows"), whole(instance.closes, scale, "windows")
    return RoutingProblem(
        durations_s=whole(instance.travel, scale, "travel"),
        visits=VisitArrays(
            place=np.arange(1, n),
            windows=[[(int(a), int(b))] for a, b in zip(opens[1:], closes[1:], strict=True)],
        ),
        shifts=ShiftArrays(start_place=[0], begin_s=[int(opens[0])], end_s=[int(closes[0])]),
    )


def verify(instance: Instance, routes: Sequence[Mapping[str, Any]]) -> float:
    """Return the travel cost of the tour.

    Raises
    ------
    BrokenRouteError
        It is no tour of all nodes, or late.
    """
    n = len(instance.opens)
    if len(routes) != 1 or len(visits_once(routes, range(1, n))) != n - 1:
        msg = "one tour must visit every node"
        raise BrokenRouteError(msg)
    stops = Stops(travel=instance.travel, service=np.zeros(n), opens=instance.opens, closes=instance.closes)
    return timed(stops, 0, routes[0]["visits"], routes[0].get("starts")).travel
