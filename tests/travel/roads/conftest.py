"""Street maps drawn as text, for tests of travel on roads.

A letter or ``+`` is a node; ``-`` and ``|`` are two-way streets, ``>``, ``<``, ``^`` and ``v`` one-way ones. A cell
is 100 m wide and high and takes 10 s. Rows run south, columns east, from (0, 0) on the equator::

    A-->--B
    |     |
    +-----+
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from territory.geo.sphere import EARTH_RADIUS_M
from territory.model.places import PlaceKind, Places
from territory.travel.roads import RoadGraph

#: Degrees of 100 m on the equator.
STEP = 100.0 / (EARTH_RADIUS_M * np.pi / 180.0)
EAST, SOUTH = {"-": (1, 1), ">": (1, 0), "<": (0, 1)}, {"|": (1, 1), "v": (1, 0), "^": (0, 1)}


@dataclasses.dataclass(frozen=True)
class Town:
    graph: RoadGraph
    spots: dict[str, tuple[int, int]]
    arrays: dict[str, Any]

    def at(self, *cells: str | tuple[float, float]) -> Places:
        """Return places at letters, or at rows and columns."""
        where = np.array([self.spots[c] if isinstance(c, str) else c for c in cells], dtype=float).reshape(-1, 2)
        ids = [f"p{i}" for i in range(len(cells))]
        return Places.of(PlaceKind.CUSTOMER, ids, where[:, 1] * STEP, -where[:, 0] * STEP)

    def seconds(self, *cells: str | tuple[float, float]) -> list[list[float]]:
        """Return seconds among places, as they are in `matrix`; None: no way."""
        places = self.at(*cells)
        found = self.graph.matrix(places, places)
        return [
            [int(s) if ok else None for s, ok in zip(*row, strict=True)]
            for row in zip(found.durations_s, found.reachable, strict=True)
        ]


def draw(picture: str, **options: Any) -> Town:
    lines = picture.strip("\n").split("\n")
    cells = {(r, c): sign for r, line in enumerate(lines) for c, sign in enumerate(line) if sign != " "}
    nodes = [at for at, sign in cells.items() if sign not in EAST and sign not in SOUTH]
    idx = {at: i for i, at in enumerate(nodes)}
    edges = []
    for row, column in nodes:
        for (dr, dc), signs in (((0, 1), EAST), ((1, 0), SOUTH)):
            r, c = row + dr, column + dc
            ways = {signs[cells[r, c]]} if cells.get((r, c)) in signs else set()
            while cells.get((r, c)) in signs:
                ways.add(signs[cells[r, c]])
                r, c = r + dr, c + dc
            if ways and (r, c) in idx:
                # plain lines beside an arrow belong to it
                way = min(ways) if len(ways) == 1 else next(w for w in ways if w != (1, 1))
                edges.append((idx[row, column], idx[r, c], max(r - row, c - column), *way))
    table = np.array(edges, dtype=float)
    arrays = {
        "node_lon": np.array([c * STEP for _, c in nodes]),
        "node_lat": np.array([-r * STEP for r, _ in nodes]),
        "tail": table[:, 0].astype(int),
        "head": table[:, 1].astype(int),
        "seconds": np.where(table[:, 3] > 0, 10.0 * table[:, 2], np.inf),
        "back_seconds": np.where(table[:, 4] > 0, 10.0 * table[:, 2], np.inf),
        "metres": 100.0 * table[:, 2],
    }
    spots = {cells[at]: at for at in nodes}
    return Town(RoadGraph.from_arrays(**arrays, **options), spots, arrays)


@pytest.fixture(scope="session")
def town():
    """Return a function that reads a street map."""
    return draw
