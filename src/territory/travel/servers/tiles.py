"""Questions that are larger than a server allows, in parts that it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from territory.model.places import Places

__all__ = ["Part", "Point", "Points", "Tile", "pair_chunks", "point_of", "tiles"]

#: Longitude and latitude as a server is asked about them: degrees with 6 digits after the point, 0.1 m.
Point = tuple[str, str]


def point_of(lon: float, lat: float) -> Point:
    """Write a point as servers are asked about it.

    >>> point_of(9.52, -1e-9)
    ('9.520000', '0.000000')
    """
    return _six(lon), _six(lat)


class Points:
    """The points of places, each once, in the order in which they first occur.

    Attributes
    ----------
    points : list of Point, length u
    at : int array of shape (n,)
        The position of each place among the points.
    """

    def __init__(self, places: Places) -> None:
        known: dict[Point, int] = {}
        rows = zip(places.lon.tolist(), places.lat.tolist(), strict=True)
        self.at: NDArray[np.intp] = np.array(
            [known.setdefault(point_of(lon, lat), len(known)) for lon, lat in rows], dtype=np.intp
        )
        self.points = list(known)

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A table that is asked for at once.

    Attributes
    ----------
    start, end : sequences of Point
        Rows and columns of the table.
    take, put : index
        What of it is wanted, and where that belongs.
    """

    start: Sequence[Point]
    end: Sequence[Point]
    take: Any
    put: Any


@dataclass(frozen=True, slots=True)
class Tile:
    """Rows and columns of a table."""

    rows: range
    columns: range


def tiles(n_rows: int, n_columns: int, widest: Callable[[int], int]) -> list[Tile]:
    """Cut a table into as few tiles of one shape as possible.

    Parameters
    ----------
    n_rows, n_columns : int
    widest : callable
        How many columns may be asked with so many rows; less than 1 where the rows alone are too many. At least one
        column with one row.

    Returns
    -------
    list of Tile
        Row by row; none if the table is empty.

    Examples
    --------
    >>> [(tile.rows, tile.columns) for tile in tiles(3, 5, lambda rows: 6 - rows)]
    [(range(0, 3), range(0, 3)), (range(0, 3), range(3, 5))]
    """
    best = (n_rows * n_columns + 1, 1, 1)
    for high in range(1, n_rows + 1):
        wide = min(widest(high), n_columns)
        if wide < 1:
            break
        best = min(best, (-(-n_rows // high) * -(-n_columns // wide), high, wide))
    _, high, wide = best
    return [
        Tile(range(row, min(row + high, n_rows)), range(column, min(column + wide, n_columns)))
        for row in range(0, n_rows, high)
        for column in range(0, n_columns, wide)
    ]


def pair_chunks(
    origin: Sequence[Point], destination: Sequence[Point], fits: Callable[[int, int, int], bool]
) -> list[range]:
    """Cut pairs into runs with few distinct points, so that each run is a small table.

    Parameters
    ----------
    origin, destination : sequences of Point, length n
    fits : callable
        Whether a run may have so many distinct origins, destinations and points. Every single pair may.

    Returns
    -------
    list of range
        Positions of pairs.

    Examples
    --------
    >>> stops = [("0", str(i)) for i in range(5)]
    >>> pair_chunks(stops[:-1], stops[1:], lambda m, n, points: points <= 3)
    [range(0, 2), range(2, 4)]
    """
    chunks: list[range] = []
    begun = 0
    first: set[Point] = set()
    second: set[Point] = set()
    both: set[Point] = set()
    for at, (start, end) in enumerate(zip(origin, destination, strict=True)):
        n_points = len(both) + (start not in both) + (end not in both and end != start)
        if at > begun and not fits(len(first) + (start not in first), len(second) + (end not in second), n_points):
            chunks.append(range(begun, at))
            begun, first, second, both = at, set(), set(), set()
        first.add(start)
        second.add(end)
        both.update((start, end))
    if begun < len(origin):
        chunks.append(range(begun, len(origin)))
    return chunks


def _six(degrees: float) -> str:
    text = f"{degrees:.6f}"
    return "0.000000" if text == "-0.000000" else text
