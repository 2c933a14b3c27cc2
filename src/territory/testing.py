"""For tests: maps drawn as text.

A picture says where customers are, what stands between them, and which territories are expected, so that a test of
contiguity reads as a map::

    AA#BB
    AA#BB
    AAABB

"""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import numpy as np

from territory.errors import InputError, Problem
from territory.geo.sphere import mean_position
from territory.model.alignment import Alignment
from territory.model.arrays import NO_IDX, sealed, text_array
from territory.model.contiguity import contiguity_graph
from territory.model.customers import Customers
from territory.model.units import BasicUnits

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.geo.contiguity import ContiguityGraph
    from territory.model.arrays import IdxArray

__all__ = ["AsciiMap", "ascii_map", "assert_drawn"]

#: Barriers reach over the borders of their cells by this share, so that no edge slips through between two corners.
_OVER: Final = 0.01


@dataclass(frozen=True, eq=False)
class AsciiMap:
    """A map that was drawn as text; see `ascii_map`.

    Attributes
    ----------
    customers : Customers, length n
        One a letter or dot, in reading order; ``r0c2`` is in the first row, third column.
    expected : int32 array of shape (n,)
        Position of the customer's letter among the letters of the map, by first appearance; -1 for a dot.
    letters : str
        The letters of the map, by first appearance.
    row, column : int32 arrays of shape (n,)
    barriers : tuple of shapely polygons
        One a ``#``.
    n_rows, n_columns : int
    step_deg : float
    """

    customers: Customers
    expected: IdxArray
    letters: str
    row: IdxArray
    column: IdxArray
    barriers: tuple[Any, ...]
    n_rows: int
    n_columns: int
    step_deg: float

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    @property
    def k(self) -> int:
        """Number of territories that are expected."""
        return len(self.letters)

    def units(self) -> BasicUnits:
        """Return the cells of the customers as basic units, squares that share their borders."""
        import shapely  # noqa: PLC0415 - only for polygons

        # corners are computed once for both cells that share them, to the last bit
        west = float(self.customers.lon[0]) - (int(self.column[0]) + 0.5) * self.step_deg
        north = float(self.customers.lat[0]) + (int(self.row[0]) + 0.5) * self.step_deg
        x, y = west + np.arange(self.n_columns + 1) * self.step_deg, north - np.arange(self.n_rows + 1) * self.step_deg
        squares = shapely.box(x[self.column], y[self.row + 1], x[self.column + 1], y[self.row])
        c = self.customers
        return BasicUnits(id=c.id, lon=c.lon, lat=c.lat, geometry=squares)

    def graph(self, kind: Literal["rook", "queen", "delaunay", "gabriel"] = "rook", **options: Any) -> ContiguityGraph:
        """Return who is beside whom: by the sides of their cells, sides and corners, or by place past the barriers.

        On a square grid one of the two diagonals is an edge of the Delaunay graph; which one, rounding decides.
        """
        if kind in ("rook", "queen"):
            return contiguity_graph(self.units(), kind, **options)
        return contiguity_graph(self.customers, kind, barriers=list(self.barriers) or None, **options)

    def alignment(self, **values: Any) -> Alignment:
        """Return the territories as they are drawn, dots in none; `values` are further fields of `Alignment`."""
        c = self.customers
        middle = [mean_position(c.lon[self.expected == j], c.lat[self.expected == j]) for j in range(self.k)]
        lon, lat = np.array(middle).reshape(-1, 2).T
        left = {int(i): "a dot on the map" for i in np.flatnonzero(self.expected == NO_IDX)}
        fields: dict[str, Any] = {"contiguous": True, "unassigned_reason": left, **values}
        rep = np.full(self.k, NO_IDX, dtype=np.int32)
        return Alignment(c, None, text_array(list(self.letters)), self.expected, rep, lon, lat, **fields)

    def draw(self, territories: Alignment | npt.ArrayLike) -> str:
        """Return the map with a letter for each territory, A for the first in reading order, and so on.

        Parameters
        ----------
        territories : Alignment, or array_like of int, shape (n,)
            Of this map's customers in their order; -1 is drawn as a dot.
        """
        label = np.asarray(territories.territory_idx if isinstance(territories, Alignment) else territories)
        found = [j for j in dict.fromkeys(label.tolist()) if j >= 0]
        sign = {j: ascii_uppercase[i] if i < len(ascii_uppercase) else chr(0x100 + i) for i, j in enumerate(found)}
        cells = [[" "] * self.n_columns for _ in range(self.n_rows)]
        for r, c, j in zip(self.row.tolist(), self.column.tolist(), label.tolist(), strict=True):
            cells[r][c] = sign.get(j, ".")
        for r, c in self._walls():
            cells[r][c] = "#"
        return "\n".join("".join(line).rstrip() for line in cells)

    def _walls(self) -> list[tuple[int, int]]:
        west = float(self.customers.lon[0]) - int(self.column[0]) * self.step_deg
        north = float(self.customers.lat[0]) + int(self.row[0]) * self.step_deg
        middles = [wall.centroid for wall in self.barriers]
        return [(round((north - p.y) / self.step_deg), round((p.x - west) / self.step_deg)) for p in middles]


def ascii_map(picture: str, *, lon: float = 10.0, lat: float = 0.0, step_deg: float = 0.1) -> AsciiMap:
    """Read a map that is drawn as text.

    Parameters
    ----------
    picture : str
        Lines (or one line with ``/`` between rows) from north to south. A letter is a customer, expected in the
        territory of that letter; ``.`` is a customer who may be anywhere; ``#`` is a barrier that fills its cell;
        a blank is nothing. Empty lines around, and the margin that all lines share, are left out.
    lon, lat : float, degrees
        The middle of the first cell. On the equator, the default, cells are square.
    step_deg : float
        Size of a cell, degrees.

    Raises
    ------
    InputError
        Any other sign, or no customers.

    Examples
    --------
    >>> picture = ascii_map("AAB/A#B")
    >>> picture.customers.id.tolist()
    ['r0c0', 'r0c1', 'r0c2', 'r1c0', 'r1c2']
    >>> picture.expected.tolist()
    [0, 0, 1, 0, 1]
    >>> print(picture.draw([7, 7, 3, 7, 3]))
    AAB
    A#B
    """
    lines = picture.replace("/", "\n").split("\n")
    filled = [i for i, line in enumerate(lines) if line.strip()]
    lines = [line.rstrip() for line in lines[filled[0] : filled[-1] + 1]] if filled else []
    margin = min((len(line) - len(line.lstrip()) for line in lines if line), default=0)
    lines = [line[margin:] for line in lines]
    spots = [(r, c, sign) for r, line in enumerate(lines) for c, sign in enumerate(line) if sign != " "]
    odd = sorted({sign for _, _, sign in spots if not (sign.isalpha() or sign in ".#")})
    people = [(r, c, sign) for r, c, sign in spots if sign != "#"]
    problems = []
    if odd:
        problems.append(Problem("unknown-sign", f"expected letters, dots, # and blanks, not {''.join(odd)!r}"))
    if not people:
        problems.append(Problem("no-customers", "nobody is on the map"))
    if problems:
        raise InputError(problems, "map")
    letters = "".join(dict.fromkeys(sign for _, _, sign in people if sign != "."))
    row, column = (np.array([p[at] for p in people], dtype=np.int32) for at in (0, 1))
    customers = Customers(
        id=text_array([f"r{r}c{c}" for r, c, _ in people]),
        lon=np.asarray(lon + column * step_deg, dtype=np.float64),
        lat=np.asarray(lat - row * step_deg, dtype=np.float64),
    )
    walls: tuple[Any, ...] = ()
    if any(sign == "#" for _, _, sign in spots):
        import shapely  # noqa: PLC0415 - only where there are barriers

        half = (0.5 + _OVER) * step_deg
        middles = [(lon + c * step_deg, lat - r * step_deg) for r, c, sign in spots if sign == "#"]
        walls = tuple(shapely.box(x - half, y - half, x + half, y + half) for x, y in middles)
    expected = np.array([letters.find(sign) for _, _, sign in people], dtype=np.int32)
    return AsciiMap(
        customers=customers,
        expected=sealed(expected),
        letters=letters,
        row=sealed(row),
        column=sealed(column),
        barriers=walls,
        n_rows=len(lines),
        n_columns=max(len(line) for line in lines),
        step_deg=step_deg,
    )


def assert_drawn(territories: Alignment | npt.ArrayLike, expected: AsciiMap) -> None:
    """Assert that territories are those of a map, whatever they are called; a dot may be in any of them.

    Raises
    ------
    AssertionError
        With both maps, as text.

    Examples
    --------
    >>> assert_drawn([1, 1, 0], ascii_map("AAB"))
    """
    __tracebackhide__ = True
    label = np.asarray(territories.territory_idx if isinstance(territories, Alignment) else territories)
    told = expected.expected >= 0
    pairs = set(zip(expected.expected[told].tolist(), label[told].tolist(), strict=True))
    if len(pairs) != expected.k or len({j for _, j in pairs}) != expected.k or any(j < 0 for _, j in pairs):
        wanted = expected.draw(expected.expected)
        raise AssertionError(f"expected\n{wanted}\nnot\n{expected.draw(label)}")
