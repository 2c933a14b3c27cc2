"""Vehicle routing with several depots and time windows (Cordeau, Laporte & Mercier 2001).

The least distance, unrounded; m vehicles at each depot, each with a longest duration D (from leaving to being
back, waiting included; 0: none) and a capacity Q. File: ``6 m n t``, t lines ``D Q``, n customers ``i x y service
demand f a list open close``, then t depots in the same form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.instances.common import (
    TOLERANCE,
    BrokenRouteError,
    Stops,
    euclidean,
    read_rows,
    timed,
    visits_once,
    whole,
)
from territory.routing.problem import UNLIMITED, RoutingProblem, ShiftArrays, VisitArrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Instance", "class_of", "read", "to_problem", "verify"]

SCALE = 1000


@dataclass(frozen=True, eq=False)
class Instance:
    """One file; arrays by node, of which 1 to n are customers and n + 1 to n + t depots; row 0 is empty.

    Attributes
    ----------
    name : str
    m : int
        Vehicles a depot.
    n_customers, n_depots : int
    xy : float array of shape (1 + n + t, 2)
    service, demand, opens, closes : float arrays of shape (1 + n + t,)
    longest, capacity : float arrays of shape (t,)
        ``longest`` is inf where there is no limit.
    """

    name: str
    m: int
    n_customers: int
    n_depots: int
    xy: NDArray[np.float64]
    service: NDArray[np.float64]
    demand: NDArray[np.float64]
    opens: NDArray[np.float64]
    closes: NDArray[np.float64]
    longest: NDArray[np.float64]
    capacity: NDArray[np.float64]


def class_of(name: str) -> str:
    """Return the class of an instance: pr01-10 with narrow windows, pr11-20 with wide ones."""
    digits = name.removeprefix("pr")
    return "other" if not digits.isdigit() else "pr01-10" if int(digits) <= 10 else "pr11-20"


def read(path: Path) -> Instance:
    """Read a file in Cordeau's format, type 6."""
    rows = read_rows(path.read_text(encoding="utf-8"))
    kind, m, n, t = (int(x) for x in rows[0])
    if kind != 6:
        msg = f"{path}: type {kind}, expected 6"
        raise ValueError(msg)
    limits, nodes = np.array(rows[1 : t + 1]), rows[t + 1 :]
    if [int(row[0]) for row in nodes] != list(range(1, n + t + 1)):
        msg = f"{path}: nodes are not numbered 1, 2, ..."
        raise ValueError(msg)
    table = np.array([np.zeros(6), *([*row[1:5], row[-2], row[-1]] for row in nodes)])
    longest = np.where(limits[:, 0] > 0, limits[:, 0], np.inf)
    return Instance(path.stem, m, n, t, table[:, :2], *table[:, 2:6].T, longest, limits[:, 1])


def to_problem(instance: Instance) -> RoutingProblem:
    """Return the problem: visit v is node v + 1, shift s the vehicle s % m of depot s // m, a second 0.001.

    Driving times are rounded up, so that what is in time here is in time in floats; that costs at
    most 0.001 a leg, which the verified objective has not.
    """
    n, m, t = instance.n_customers, instance.m, instance.n_depots
    opens, closes = whole(instance.opens, SCALE, "windows"), whole(instance.closes, SCALE, "windows")
    depot = np.repeat(np.arange(n, n + t), m)
    longest = np.where(np.isfinite(instance.longest), instance.longest * SCALE, UNLIMITED)
    return RoutingProblem(
        durations_s=np.ceil(euclidean(instance.xy[1:]) * SCALE - 1e-7).astype(np.int64),
        visits=VisitArrays(
            place=np.arange(n),
            service_s=whole(instance.service, SCALE, "service")[1 : n + 1],
            windows=[[(int(a), int(b))] for a, b in zip(opens[1 : n + 1], closes[1 : n + 1], strict=True)],
            load=whole(instance.demand, 1, "demand")[1 : n + 1],
        ),
        shifts=ShiftArrays(
            start_place=depot,
            begin_s=opens[depot + 1],
            end_s=closes[depot + 1],
            max_duration_s=np.repeat(whole(longest, 1, "D"), m),
            capacity=np.repeat(whole(instance.capacity, 1, "Q"), m),
        ),
    )


def verify(instance: Instance, routes: Sequence[Mapping[str, Any]]) -> float:
    """Return the distance of the routes; ``shift`` // m is a route's depot.

    Raises
    ------
    BrokenRouteError
        They break a rule.
    """
    n = instance.n_customers
    if len({route["shift"] for route in routes}) < len(routes):
        msg = "a vehicle drives two routes"
        raise BrokenRouteError(msg)
    if len(visits_once(routes, range(1, n + 1))) != n:
        msg = "a customer is left out"
        raise BrokenRouteError(msg)
    stops = Stops(travel=euclidean(instance.xy), service=instance.service, opens=instance.opens, closes=instance.closes)
    total = 0.0
    for route in routes:
        depot = route["shift"] // instance.m
        if not 0 <= depot < instance.n_depots:
            msg = f"there is no depot {depot}"
            raise BrokenRouteError(msg)
        found = timed(stops, n + 1 + depot, route["visits"], route.get("starts"))
        if instance.demand[route["visits"]].sum() > instance.capacity[depot]:
            msg = f"route {route['visits']} is overloaded"
            raise BrokenRouteError(msg)
        if found.back - found.leave > instance.longest[depot] + TOLERANCE:
            msg = f"route {route['visits']} takes {found.back - found.leave:g}, longest {instance.longest[depot]:g}"
            raise BrokenRouteError(msg)
        total += found.travel
    return total
