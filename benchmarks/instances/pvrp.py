"""Periodic vehicle routing (Cordeau, Gendreau & Laporte 1997): days and routes for the least distance.

File: ``1 m n t`` (m vehicles on each of t days), t lines ``D Q`` (longest route, 0: none; capacity), the depot, then
n customers ``i x y service demand f a list``: each of the a numbers is a set of days, as t bits of
which the most significant is day 1. Distances are unrounded; there are no windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.instances.common import BrokenRouteError, euclidean, read_rows, whole
from territory.routing.problem import UNLIMITED, RoutingProblem, ShiftArrays, VisitArrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Instance", "class_of", "read", "read_solution", "to_problem", "verify"]

SCALE = 1000
#: Cordeau's own solutions keep D up to what their printed durations can show.
TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Instance:
    """One file; arrays by node, node 0 the depot.

    Attributes
    ----------
    name : str
    m, n_days : int
        Vehicles a day, days.
    xy : float array of shape (1 + n, 2)
    service, demand : float arrays of shape (1 + n,)
    patterns : tuple of 1 + n tuples of tuples of int
        Allowed sets of days, from 0, of each node.
    longest, capacity : float arrays of shape (n_days,)
        ``longest`` is inf where there is no limit.
    """

    name: str
    m: int
    n_days: int
    xy: NDArray[np.float64]
    service: NDArray[np.float64]
    demand: NDArray[np.float64]
    patterns: tuple[tuple[tuple[int, ...], ...], ...]
    longest: NDArray[np.float64]
    capacity: NDArray[np.float64]


def class_of(name: str) -> str:
    """Return the class of an instance: old or new."""
    return "new" if name.startswith("pr") else "old"


def read(path: Path) -> Instance:
    """Read a file in Cordeau's format, type 1."""
    rows = read_rows(path.read_text(encoding="utf-8"))
    kind, m, n, t = (int(x) for x in rows[0])
    if kind != 1:
        msg = f"{path}: type {kind}, expected 1"
        raise ValueError(msg)
    limits, nodes = np.array(rows[1 : t + 1]), rows[t + 1 : t + n + 2]
    if [int(row[0]) for row in nodes] != list(range(n + 1)):
        msg = f"{path}: nodes are not numbered 0, 1, ..."
        raise ValueError(msg)
    table = np.array([row[1:5] for row in nodes])
    patterns = tuple(tuple(_days(int(x), t) for x in row[7 : 7 + int(row[6])]) for row in nodes)
    longest = np.where(limits[:, 0] > 0, limits[:, 0], np.inf)
    return Instance(path.stem, m, t, table[:, :2], table[:, 2], table[:, 3], patterns, longest, limits[:, 1])


def _days(code: int, n_days: int) -> tuple[int, ...]:
    """Return the days of a combination: the most significant of n_days bits is day 0."""
    return tuple(day for day in range(n_days) if code >> (n_days - 1 - day) & 1)


def read_solution(path: Path) -> tuple[list[dict[str, Any]], float]:
    """Read the routes and the cost of a ``.res`` file: cost, then ``day vehicle duration load 0 nodes 0``."""
    rows = read_rows(path.read_text(encoding="utf-8"))
    routes = [
        {"day": int(row[0]) - 1, "vehicle": int(row[1]) - 1, "visits": [int(x) for x in row[5:-1]]}
        for row in rows[1:]
        if len(row) > 6
    ]
    return routes, rows[0][0]


def to_problem(instance: Instance) -> RoutingProblem:
    """Return the problem: visit v is node v + 1, shift s the vehicle s % m of day s // m, a second 0.001.

    Driving times are rounded up where routes have a longest duration, so that what is in time here is in
    time in floats, to the nearest elsewhere.
    """
    n, m, t = len(instance.xy) - 1, instance.m, instance.n_days
    day = np.repeat(np.arange(t), m)
    travel = euclidean(instance.xy) * SCALE
    bounded = bool(np.isfinite(instance.longest).any())
    durations = np.ceil(travel - 1e-7) if bounded else np.rint(travel)
    service = whole(instance.service, SCALE, "service")
    # without a limit no route is longer than to all customers and back, one by one
    ever = int(service.sum() + 2 * durations[0].sum()) + 1
    longest = np.where(np.isfinite(instance.longest), instance.longest * SCALE, ever)
    if ever >= UNLIMITED:
        msg = f"{instance.name}: times do not fit"
        raise ValueError(msg)
    return RoutingProblem(
        durations_s=durations.astype(np.int64),
        visits=VisitArrays(
            place=np.arange(1, n + 1),
            service_s=service[1:],
            load=whole(instance.demand, 1, "demand")[1:],
            patterns=instance.patterns[1:],
        ),
        shifts=ShiftArrays(
            start_place=np.zeros(m * t, np.int32),
            begin_s=np.zeros(m * t, np.int64),
            end_s=whole(longest, 1, "D")[day],
            day=day,
            capacity=whole(instance.capacity, 1, "Q")[day],
        ),
    )


def verify(instance: Instance, routes: Sequence[Mapping[str, Any]]) -> float:
    """Return the distance of the routes.

    Raises
    ------
    BrokenRouteError
        They break a rule.
    """
    travel = euclidean(instance.xy)
    days: list[list[int]] = [[] for _ in instance.xy]
    total = 0.0
    for day in range(instance.n_days):
        today = [route for route in routes if route["day"] == day]
        if len(today) > instance.m:
            msg = f"day {day}: {len(today)} routes, {instance.m} vehicles"
            raise BrokenRouteError(msg)
        for route in today:
            visits = route["visits"]
            length = sum(float(travel[a, b]) for a, b in zip([0, *visits], [*visits, 0], strict=True))
            duration = length + float(instance.service[visits].sum())
            if instance.demand[visits].sum() > instance.capacity[day]:
                msg = f"day {day}: route {visits} is overloaded"
                raise BrokenRouteError(msg)
            if duration > instance.longest[day] + TOLERANCE:
                msg = f"day {day}: route {visits} takes {duration:g}, longest {instance.longest[day]:g}"
                raise BrokenRouteError(msg)
            for node in visits:
                days[node].append(day)
            total += length
    for node, allowed in enumerate(instance.patterns):
        if node and tuple(sorted(days[node])) not in allowed:
            msg = f"node {node} is visited on days {days[node]}, allowed are {allowed}"
            raise BrokenRouteError(msg)
    if days[0] or any(not 0 <= route["day"] < instance.n_days for route in routes):
        msg = "the depot is no customer, and no day lies outside the horizon"
        raise BrokenRouteError(msg)
    return total
