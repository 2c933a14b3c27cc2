"""What the readers share: distances, whole numbers, and the timing of one route in floats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["BrokenRouteError", "Stops", "Timed", "euclidean", "read_rows", "timed", "truncated", "visits_once", "whole"]

#: Floats that should be equal differ by less: sums of a few hundred terms below 10^6.
TOLERANCE = 1e-6


class BrokenRouteError(ValueError):
    """A solution breaks a rule of its family."""


def read_rows(text: str) -> list[list[float]]:
    """Return the numbers of each line that has any; a byte order mark and carriage returns do not matter."""
    return [[float(x) for x in line.split()] for line in text.lstrip("\ufeff").splitlines() if line.split()]


def euclidean(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return unrounded distances.

    Parameters
    ----------
    xy : float array of shape (n, 2)

    Returns
    -------
    float array of shape (n, n)
    """
    step = xy[:, None, :] - xy[None, :, :]
    distances: NDArray[np.float64] = np.sqrt((step * step).sum(axis=2))
    return distances


def truncated(xy: NDArray[np.float64], scale: int) -> NDArray[np.int64]:
    """Return ``floor(scale * distance)``, exactly: in whole numbers, as 0.3 times 10 is not quite 3 in floats.

    Parameters
    ----------
    xy : float array of shape (n, 2)
        Of three decimals at most.
    scale : int
        10 keeps one decimal, 100 two; a divisor of 1000.

    Returns
    -------
    int64 array of shape (n, n)
    """
    mills = np.rint(xy * 1000).astype(np.int64)
    if not np.allclose(mills, xy * 1000, rtol=0, atol=1e-6):
        msg = "coordinates of more than three decimals"
        raise ValueError(msg)
    step = mills[:, None, :] - mills[None, :, :]
    square = (step * step).sum(axis=2)
    root = np.sqrt(square).astype(np.int64)
    root -= root * root > square
    root += (root + 1) * (root + 1) <= square
    floors: NDArray[np.int64] = root // (1000 // scale)
    return floors


def whole(values: Any, scale: int, what: str) -> NDArray[np.int64]:
    """Return `values` times `scale` as the whole numbers that they must be."""
    scaled = np.asarray(values, np.float64) * scale
    rounded = np.rint(scaled)
    if not np.allclose(scaled, rounded, rtol=0, atol=1e-6):
        msg = f"{what}: more decimals than a scale of {scale} holds"
        raise ValueError(msg)
    return rounded.astype(np.int64)


@dataclass(frozen=True, eq=False, kw_only=True)
class Stops:
    """What the timing of a route needs of an instance, by node, in the instance's own units.

    Attributes
    ----------
    travel : float array of shape (n, n)
    service : float array of shape (n,)
    opens, closes : float arrays of shape (n,)
        For the start of service; of a depot: earliest leave, latest return.
    """

    travel: NDArray[np.float64]
    service: NDArray[np.float64]
    opens: NDArray[np.float64]
    closes: NDArray[np.float64]


@dataclass(frozen=True)
class Timed:
    """One route in time: service starts, leaving the depot, being back, and the sum of travel."""

    starts: list[float]
    leave: float
    back: float
    travel: float


def timed(stops: Stops, depot: int, visits: Sequence[int], starts: Sequence[float] | None = None) -> Timed:
    """Time a route that begins and ends at a depot, or check the times that it came with.

    Parameters
    ----------
    stops : Stops
    depot : int
    visits : sequence of int
        At least one.
    starts : sequence of float, optional
        Starts of service to be checked; default: back as early as the order allows, then left as late as that allows.

    Raises
    ------
    BrokenRouteError
        A window, the hours of the depot, or a start before the arrival.
    """
    nodes = [depot, *visits]
    legs = [float(stops.travel[a, b]) for a, b in zip(nodes, [*visits, depot], strict=True)]
    given = list(map(float, starts)) if starts is not None else _earliest(stops, depot, visits, legs)
    if len(given) != len(visits):
        msg = f"{len(visits)} visits with {len(given)} starts"
        raise BrokenRouteError(msg)
    free = float(stops.opens[depot])
    for node, start, leg in zip(visits, given, legs, strict=False):
        if start < free + leg - TOLERANCE:
            msg = f"node {node} starts at {start:g}, its route arrives at {free + leg:g}"
            raise BrokenRouteError(msg)
        if not stops.opens[node] - TOLERANCE <= start <= stops.closes[node] + TOLERANCE:
            msg = f"node {node} starts at {start:g}, outside [{stops.opens[node]:g}, {stops.closes[node]:g}]"
            raise BrokenRouteError(msg)
        free = start + float(stops.service[node])
    back = free + legs[-1]
    if back > stops.closes[depot] + TOLERANCE:
        msg = f"back at {back:g}, the depot closes at {stops.closes[depot]:g}"
        raise BrokenRouteError(msg)
    return Timed(given, given[0] - legs[0], back, sum(legs))


def _earliest(stops: Stops, depot: int, visits: Sequence[int], legs: Sequence[float]) -> list[float]:
    """Return the starts of the route that is back first, and of those the one that leaves last."""
    first: list[float] = []
    free = float(stops.opens[depot])
    for node, leg in zip(visits, legs, strict=False):
        first.append(max(free + leg, float(stops.opens[node])))
        free = first[-1] + float(stops.service[node])
    last = first[-1]
    for at in range(len(visits) - 2, -1, -1):
        node = visits[at]
        last = min(last - legs[at + 1] - float(stops.service[node]), float(stops.closes[node]))
    # what is left of a route that breaks a window stays the earliest one: the check names its first fault
    starts = [max(first[0], last)]
    for before, node, leg in zip(visits, visits[1:], legs[1:], strict=False):
        starts.append(max(starts[-1] + float(stops.service[before]) + leg, float(stops.opens[node])))
    return starts


def visits_once(routes: Iterable[Mapping[str, Any]], nodes: Iterable[int]) -> set[int]:
    """Return the nodes that are visited, none of them twice.

    Raises
    ------
    BrokenRouteError
        A node twice, or one that is none of `nodes`.
    """
    known, seen = set(nodes), set()
    for route in routes:
        for node in route["visits"]:
            if node not in known or node in seen:
                msg = f"node {node} is visited twice" if node in seen else f"node {node} is no customer"
                raise BrokenRouteError(msg)
            seen.add(node)
    return seen
