"""(Team) orienteering with time windows: the best score that m routes collect.

File: ``k v N t``, ``D Q``, then ``i x y service score f a list open close``; node 0 is the depot, its closing
time the end of every route. Distances are truncated to one decimal (c, r, rc) or two (pr); waiting is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.instances.common import BrokenRouteError, Stops, read_rows, timed, truncated, visits_once, whole
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Instance", "class_of", "read", "to_problem", "verify"]

#: What m shifts of nothing but driving cost, in points.
TIE_BREAK = 0.49


@dataclass(frozen=True, eq=False)
class Instance:
    """One file; arrays by node, node 0 the depot, times and distances in one unit.

    Attributes
    ----------
    name : str
    xy : float array of shape (n, 2)
    service, score, opens, closes : float arrays of shape (n,)
    scale : int
        10 or 100: how many units of whole numbers make one of the file.
    """

    name: str
    xy: NDArray[np.float64]
    service: NDArray[np.float64]
    score: NDArray[np.float64]
    opens: NDArray[np.float64]
    closes: NDArray[np.float64]
    scale: int


def class_of(name: str) -> str:
    """Return the class of an instance: c100, r200, pr01-10, ..."""
    letters = name.rstrip("0123456789")
    number = name[len(letters) :]
    if not number:
        return "other"
    if letters == "pr":
        return "pr01-10" if int(number) <= 10 else "pr11-20"
    return f"{letters}{number[0]}00"


def read(path: Path) -> Instance:
    """Read a file of the family."""
    rows = read_rows(path.read_text(encoding="utf-8"))[2:]
    nodes = np.array([[*row[1:5], row[-2], row[-1]] for row in rows])
    if [int(row[0]) for row in rows] != list(range(len(rows))):
        msg = f"{path}: nodes are not numbered 0, 1, ..."
        raise ValueError(msg)
    return Instance(
        path.stem, nodes[:, :2], nodes[:, 2], nodes[:, 3], nodes[:, 4], nodes[:, 5],
        100 if path.stem.startswith("pr") else 10,
    )  # fmt: skip


def to_problem(instance: Instance, m: int, *, tie_break: float = TIE_BREAK) -> RoutingProblem:
    """Return the problem with m routes: visit v is node v + 1, a second 1 / scale.

    What is lost is the score that is not collected; driving breaks ties, as m shifts of nothing but
    driving cost `tie_break` points: less than half a point, so that score comes first.
    """
    scale, n = instance.scale, len(instance.xy)
    opens, closes = whole(instance.opens, scale, "windows"), whole(instance.closes, scale, "windows")
    end = int(closes[0])
    return RoutingProblem(
        durations_s=truncated(instance.xy, scale),
        visits=VisitArrays(
            place=np.arange(1, n),
            service_s=whole(instance.service, scale, "service")[1:],
            windows=[[(int(a), int(b))] for a, b in zip(opens[1:], closes[1:], strict=True)],
            value=instance.score[1:],
            required=np.zeros(n - 1, np.bool_),
        ),
        shifts=ShiftArrays(
            start_place=np.zeros(m, np.int32),
            begin_s=np.full(m, opens[0]),
            end_s=np.full(m, end),
            cost_per_drive_s=np.full(m, tie_break / (m * end)),
        ),
    )


def verify(instance: Instance, routes: Sequence[Mapping[str, Any]], m: int) -> float:
    """Return the score of at most m routes.

    Raises
    ------
    BrokenRouteError
        They break a rule.
    """
    if len(routes) > m:
        msg = f"{len(routes)} routes, allowed are {m}"
        raise BrokenRouteError(msg)
    stops = Stops(
        travel=truncated(instance.xy, instance.scale) / instance.scale, service=instance.service,
        opens=instance.opens, closes=instance.closes,
    )  # fmt: skip
    seen = visits_once(routes, range(1, len(instance.xy)))
    for route in routes:
        timed(stops, 0, route["visits"], route.get("starts"))
    return float(sum(instance.score[node] for node in seen))
