"""Places: where somebody travels from or to, whoever it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from territory.errors import InputError, Problem
from territory.model.arrays import kept, row_positions, sealed, text_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from territory.model.arrays import FloatArray, TextArray

__all__ = ["UNKNOWN_AREA", "PlaceKind", "Places"]

#: The area of a place about whose surroundings nothing is known, beside places about which it is.
UNKNOWN_AREA: Final = -1


class PlaceKind(IntEnum):
    """What stands at a place; ids are unique within a kind, not across kinds."""

    CUSTOMER = 0
    REP = 1
    REP_END = 2
    HOTEL = 3


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Places of any kinds in any order, as read-only columns; what travel times are asked between.

    A rep's day is one table: ``Places.concat([home, customers, end])``.

    Attributes
    ----------
    kind : int8 array of shape (n,)
        `PlaceKind` of each place.
    id : text array of shape (n,)
        The user's id of the customer, rep or hotel.
    lon, lat : float array of shape (n,)
        Degrees, WGS 84.
    area : int8 array of shape (n,), optional
        `territory.model.enums.Area` of each place, or `UNKNOWN_AREA`.

    Raises
    ------
    InputError
        Columns of different lengths.
    """

    kind: NDArray[np.int8]
    id: TextArray
    lon: FloatArray
    lat: FloatArray
    area: NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        columns: dict[str, NDArray[Any]] = {"kind": self.kind, "id": self.id, "lon": self.lon, "lat": self.lat}
        if self.area is not None:
            columns["area"] = self.area
        shape = (len(self.id),)
        problems = [
            Problem("column-length", f"shape {column.shape}, expected {shape}", name)
            for name, column in columns.items()
            if column.shape != shape
        ]
        if problems:
            raise InputError(problems, "places")
        for name, column in columns.items():
            object.__setattr__(self, name, kept(column))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change; and numpy before 2.3 crashes on copies of text arrays

    def __reduce__(self) -> tuple[Any, ...]:  # a pickled array comes back writeable
        return _places, (self.kind, self.id, self.lon, self.lat, self.area)

    @classmethod
    def of(
        cls, kind: PlaceKind, ids: Iterable[str], lon: ArrayLike, lat: ArrayLike, area: ArrayLike | None = None
    ) -> Places:
        """Make places that are all of one kind.

        Parameters
        ----------
        kind : PlaceKind
        ids : iterable of str, length n
        lon, lat : array_like of shape (n,)
            Degrees.
        area : array_like of int, shape (n,), optional

        Examples
        --------
        >>> len(Places.of(PlaceKind.CUSTOMER, ["a", "b"], [13.4, 2.35], [52.5, 48.85]))
        2
        """
        id_array = text_array(ids)
        return cls(
            kind=sealed(np.full(len(id_array), kind, dtype=np.int8)),
            id=sealed(id_array),
            lon=sealed(np.array(lon, dtype=np.float64)),
            lat=sealed(np.array(lat, dtype=np.float64)),
            area=None if area is None else sealed(np.array(area, dtype=np.int8)),
        )

    @classmethod
    def concat(cls, blocks: Sequence[Places]) -> Places:
        """Put places one after the other; where only some know their area, it is unknown for the others."""
        area = None
        if any(block.area is not None for block in blocks):
            area = np.concatenate(
                [np.full(len(b), UNKNOWN_AREA, dtype=np.int8) if b.area is None else b.area for b in blocks]
            )
        if not blocks:
            return cls.of(PlaceKind.CUSTOMER, [], [], [])
        return cls(
            kind=sealed(np.concatenate([block.kind for block in blocks])),
            id=sealed(np.concatenate([block.id for block in blocks])),
            lon=sealed(np.concatenate([block.lon for block in blocks])),
            lat=sealed(np.concatenate([block.lat for block in blocks])),
            area=None if area is None else sealed(area),
        )

    def take(self, idx: ArrayLike) -> Places:
        """Select places by position, or where a mask holds; raises IndexError outside [0, len)."""
        rows = row_positions(idx, len(self), "places")
        return Places(
            kind=sealed(self.kind[rows]),
            id=sealed(self.id[rows]),
            lon=sealed(self.lon[rows]),
            lat=sealed(self.lat[rows]),
            area=None if self.area is None else sealed(self.area[rows]),
        )

    def __len__(self) -> int:
        return len(self.id)


def _places(
    kind: NDArray[np.int8], ids: TextArray, lon: FloatArray, lat: FloatArray, area: NDArray[np.int8] | None
) -> Places:
    """Rebuild pickled places; the arrays are theirs alone."""
    return Places(sealed(kind), sealed(ids), sealed(lon), sealed(lat), None if area is None else sealed(area))
