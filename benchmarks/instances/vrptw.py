"""Vehicle routing with time windows (Solomon; Gehring & Homberger), DIMACS convention.

The least distance, with at most the vehicles of the file; distances and driving times are truncated to
one decimal. File: name, ``NUMBER CAPACITY``, then ``i x y demand ready due service``; node 0 is the depot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.instances.common import BrokenRouteError, Stops, timed, truncated, visits_once, whole
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Instance", "class_of", "read", "read_solution", "to_problem", "verify"]

SCALE = 10


@dataclass(frozen=True, eq=False)
class Instance:
    """One file; arrays by node, node 0 the depot.

    Attributes
    ----------
    name : str
    vehicles, capacity : int
    xy : float array of shape (n, 2)
    demand, opens, closes, service : float arrays of shape (n,)
    """

    name: str
    vehicles: int
    capacity: int
    xy: NDArray[np.float64]
    demand: NDArray[np.float64]
    opens: NDArray[np.float64]
    closes: NDArray[np.float64]
    service: NDArray[np.float64]


def class_of(name: str) -> str:
    """Return the class of an instance: R1, C2, ... of Solomon's, RC1_2, ... of Gehring & Homberger's."""
    upper = name.upper()
    return upper.rpartition("_")[0] if "_" in upper else upper[:-2]


def read(path: Path) -> Instance:
    """Read a file in Solomon's format."""
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    numbers = [[float(x) for x in row] for row in rows if row and row[0].replace(".", "", 1).isdigit()]
    (vehicles, capacity), nodes = numbers[0], np.array(numbers[1:])
    if nodes[:, 0].tolist() != list(range(len(nodes))):
        msg = f"{path}: nodes are not numbered 0, 1, ..."
        raise ValueError(msg)
    return Instance(path.stem, int(vehicles), int(capacity), nodes[:, 1:3], *nodes[:, 3:7].T)


def read_solution(path: Path) -> tuple[list[dict[str, Any]], float]:
    """Read the routes and the cost of a ``.sol`` file."""
    routes: list[dict[str, Any]] = []
    cost = float("nan")
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("Route"):
            routes.append({"visits": [int(x) for x in line.partition(":")[2].split()]})
        elif line.startswith("Cost"):
            cost = float(line.split()[1])
    return routes, cost


def to_problem(instance: Instance) -> RoutingProblem:
    """Return the problem: visit v is node v + 1, a second and a unit of cost 0.1 of the file."""
    n, m = len(instance.xy), instance.vehicles
    opens, closes = whole(instance.opens, SCALE, "windows"), whole(instance.closes, SCALE, "windows")
    return RoutingProblem(
        durations_s=truncated(instance.xy, SCALE),
        visits=VisitArrays(
            place=np.arange(1, n),
            service_s=whole(instance.service, SCALE, "service")[1:],
            windows=[[(int(a), int(b))] for a, b in zip(opens[1:], closes[1:], strict=True)],
            load=whole(instance.demand, 1, "demand")[1:],
        ),
        shifts=ShiftArrays(
            start_place=np.zeros(m, np.int32),
            begin_s=np.full(m, opens[0]),
            end_s=np.full(m, closes[0]),
            capacity=np.full(m, instance.capacity),
        ),
    )


def verify(instance: Instance, routes: Sequence[Mapping[str, Any]]) -> float:
    """Return the distance of the routes.

    Raises
    ------
    BrokenRouteError
        They break a rule.
    """
    if len(routes) > instance.vehicles:
        msg = f"{len(routes)} routes, {instance.vehicles} vehicles"
        raise BrokenRouteError(msg)
    if len(visits_once(routes, range(1, len(instance.xy)))) != len(instance.xy) - 1:
        msg = "a customer is left out"
        raise BrokenRouteError(msg)
    stops = Stops(
        travel=truncated(instance.xy, SCALE) / SCALE, service=instance.service, opens=instance.opens,
        closes=instance.closes,
    )  # fmt: skip
    total = 0.0
    for route in routes:
        if instance.demand[route["visits"]].sum() > instance.capacity:
            msg = f"route {route['visits']} is overloaded"
            raise BrokenRouteError(msg)
        total += timed(stops, 0, route["visits"], route.get("starts")).travel
    return total
