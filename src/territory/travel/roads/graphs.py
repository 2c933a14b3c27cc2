"""Roads from graphs of networkx and OSMnx, known by what they offer: this module imports neither."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import InputError, Problem
from territory.geo.sphere import great_circle_m

if TYPE_CHECKING:
    from collections.abc import Iterable

    Point = tuple[float, float]

__all__ = ["arrays_of"]

#: Edges and nodes that a message names.
_NAMED: Final = 5
#: Degrees, a tenth of a millimetre: points of a line that are taken for the same.
_SAME_DEG: Final = 1e-9
#: Metres by which the ways there and back along one line may differ and still be one road.
_SAME_M: Final = 0.01


def arrays_of(graph: Any, *, seconds: str, metres: str) -> dict[str, Any]:
    """Return a graph as the arrays that `RoadGraph.from_arrays` takes.

    Raises
    ------
    InputError
        Not a graph, nodes without coordinates, edges without a time, or values that are none; all at once.
    """
    if not all(hasattr(graph, name) for name in ("nodes", "edges", "is_directed")):
        message = f"expected a graph of networkx or OSMnx, not {type(graph).__name__}"
        raise InputError([Problem("graph-type", message, "graph")], "road graph")
    problems: list[Problem] = []
    names, where = _nodes(graph, problems)
    idx = {name: i for i, name in enumerate(names)}
    if problems:
        raise InputError(problems, "road graph")
    roads = _Roads(where)
    untimed, odd, shapeless = [], [], []
    for u, v, data in graph.edges(data=True):
        a, b = idx[u], idx[v]
        try:
            line = _line(data.get("geometry"), where[a], where[b])
        except (TypeError, ValueError, AttributeError, IndexError):
            shapeless.append((u, v))
            continue
        try:
            length = _length(data.get(metres), (where[a], *line, where[b]))
            time = _time(data.get(seconds), data.get("speed_kph"), length)
        except (TypeError, ValueError):
            odd.append((u, v))
            continue
        if time is None:
            untimed.append((u, v))
            continue
        roads.add(a, b, line, time, length)
        if not graph.is_directed():
            roads.add(b, a, line[::-1], time, length)
    for code, message, edges in (
        ("no-travel-time", f"edges have neither {seconds!r} nor 'speed_kph'", untimed),
        ("edge-value", f"{seconds!r}, {metres!r} or 'speed_kph' is no number, or negative", odd),
        ("edge-geometry", "'geometry' is no LineString in degrees", shapeless),
    ):
        if edges:
            problems.append(Problem(code, f"{message}: {_listed(edges)}", count=len(edges), hint=_hint(code)))
    if problems:
        raise InputError(problems, "road graph")
    return roads.arrays()


def _nodes(graph: Any, problems: list[Problem]) -> tuple[list[Any], list[Point]]:
    names, where, bare, far = [], [], [], []
    for name, data in graph.nodes(data=True):
        names.append(name)
        try:
            point = float(data["x"]), float(data["y"])
        except (KeyError, TypeError, ValueError):
            bare.append(name)
            point = (0.0, 0.0)
        if not (abs(point[0]) <= 180 and abs(point[1]) <= 90):
            far.append(name)
        where.append(point)
    if bare:
        message = f"nodes without numbers 'x' and 'y': {_listed(bare)}"
        problems.append(Problem("no-coordinates", message, count=len(bare)))
    if far:
        hint = "Maybe a projected graph? Pass the one in degrees."
        message = f"'x' outside [-180, 180] or 'y' outside [-90, 90]: {_listed(far)}"
        problems.append(Problem("coordinates-out-of-range", message, count=len(far), hint=hint))
    return names, where


def _line(geometry: Any, start: Point, end: Point) -> tuple[Point, ...]:
    """Return the points between the ends of an edge, from its first node to its second."""
    if geometry is None:
        return ()
    points = [(float(point[0]), float(point[1])) for point in geometry.coords]
    if not all(abs(x) <= 180 and abs(y) <= 90 for x, y in points):
        raise ValueError

    def misfit(line: list[Point]) -> float:
        return math.dist(line[0], start) + math.dist(line[-1], end)

    if points and misfit(points[::-1]) < misfit(points):
        points.reverse()
    if points and math.dist(points[0], start) <= _SAME_DEG:
        points = points[1:]
    if points and math.dist(points[-1], end) <= _SAME_DEG:
        points = points[:-1]
    return tuple(points)


def _length(told: Any, points: tuple[Point, ...]) -> float:
    if told is None:
        lon, lat = np.array(points).T
        return float(great_circle_m(lon[:-1], lat[:-1], lon[1:], lat[1:]).sum())
    length = float(told)
    if not 0 <= length < math.inf:
        raise ValueError
    return length


def _time(told: Any, km_h: Any, length: float) -> float | None:
    """Return the seconds of an edge, infinite where it may not be used; None: not told."""
    if told is None and km_h is None:
        return None
    if told is None:
        speed = float(km_h)
        if not speed > 0:
            raise ValueError
        return length * 3.6 / speed
    time = float(told)
    if not time >= 0:
        raise ValueError
    return time


def _listed(things: Iterable[Any]) -> str:
    named = [repr(thing) for thing in things]
    return ", ".join(named[:_NAMED]) + (", ..." if len(named) > _NAMED else "")


def _hint(code: str) -> str | None:
    return "Maybe osmnx.add_edge_speeds and osmnx.add_edge_travel_times first?" if code == "no-travel-time" else None


class _Roads:
    """Roads between nodes, each with its time there and back; of the same line in the same direction, the quickest."""

    def __init__(self, where: list[Point]) -> None:
        self.where = where
        #: By ends and line: what leads there, and what leads back: seconds, metres.
        self.known: dict[tuple[int, int, tuple[Point, ...]], list[tuple[float, float] | None]] = {}

    def add(self, a: int, b: int, line: tuple[Point, ...], seconds: float, metres: float) -> None:
        """Add an edge from node a to node b."""
        back = a > b or (a == b and line[::-1] < line)
        road = self.known.setdefault((b, a, line[::-1]) if back else (a, b, line), [None, None])
        before = road[back]
        if before is None or (seconds, metres) < before:
            road[back] = (seconds, metres)

    def arrays(self) -> dict[str, Any]:
        """Return the columns of `RoadGraph.from_arrays`; ways that differ in length are two roads."""
        rows: list[tuple[int, int, float, float, float]] = []
        lines: list[tuple[Point, ...]] = []
        for (a, b, line), (there, back) in self.known.items():
            if there and back and abs(there[1] - back[1]) <= _SAME_M:
                rows.append((a, b, there[0], back[0], there[1]))
                lines.append(line)
                continue
            for start, end, way, points in ((a, b, there, line), (b, a, back, line[::-1])):
                if way:
                    rows.append((start, end, way[0], math.inf, way[1]))
                    lines.append(points)
        columns = np.array(rows, dtype=np.float64).reshape(-1, 5)
        spots = np.array([point for line in lines for point in line], dtype=np.float64).reshape(-1, 2)
        nodes = np.array(self.where, dtype=np.float64).reshape(-1, 2)
        return {
            "node_lon": nodes[:, 0], "node_lat": nodes[:, 1],
            "tail": columns[:, 0].astype(np.int64), "head": columns[:, 1].astype(np.int64),
            "seconds": columns[:, 2], "back_seconds": columns[:, 3], "metres": columns[:, 4],
            "line_lon": spots[:, 0], "line_lat": spots[:, 1],
            "line_start": np.concatenate(([0], np.cumsum([len(line) for line in lines]))).astype(np.int64),
        }  # fmt: skip
