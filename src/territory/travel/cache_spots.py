"""Places as a cache of travel tells them apart: rounded, each once; and the legs between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from territory.errors import MAX_ROWS_LISTED, InputError, Problem
from territory.model.places import UNKNOWN_AREA, Places
from territory.travel.base import RawTravel
from territory.travel.partial import PartialTravel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.errors import TravelError
    from territory.model.arrays import BoolArray, FloatArray
    from territory.travel.cache_store import SpotKey

__all__ = ["Legs", "Spots"]


@dataclass(frozen=True, slots=True)
class Spots:
    """The places that differ by kind, area and rounded coordinates.

    Attributes
    ----------
    keys : list of SpotKey, length n
        In order of first occurrence.
    first : int array of shape (n,)
        Where each occurs first among the places.
    row : int array, one a place
        Which of `keys` it is.
    moved : Places
        All places, with rounded coordinates.
    """

    keys: list[SpotKey]
    first: NDArray[np.intp]
    row: NDArray[np.intp]
    moved: Places

    @classmethod
    def of(cls, places: Places, digits: int, *, by_id: bool) -> Self:
        """Round coordinates to some decimals; places of other ids differ if `by_id`.

        Raises
        ------
        InputError
            Coordinates that are no numbers, or none of a place on Earth.
        """
        wild = ~((np.abs(places.lon) <= 180) & (np.abs(places.lat) <= 90))
        if wild.any():
            rows = tuple(np.flatnonzero(wild)[:MAX_ROWS_LISTED].tolist())
            hint = "Maybe a place without coordinates?"
            message = "not the coordinates of a place"
            raise InputError([Problem("coordinates", message, None, int(wild.sum()), rows, hint)], "travel")
        scale = 10**digits
        lon, lat = (np.rint(column * scale).astype(np.int64) for column in (places.lon, places.lat))
        area = np.full(len(places), UNKNOWN_AREA) if places.area is None else places.area
        names = places.id.tolist() if by_id else [""] * len(places)
        found: dict[SpotKey, int] = {}
        row = np.empty(len(places), dtype=np.intp)
        first: list[int] = []
        columns = (lon.tolist(), lat.tolist(), places.kind.tolist(), area.tolist(), names)
        for i, key in enumerate(zip(*columns, strict=True)):
            row[i] = found.setdefault(key, len(found))
            if row[i] == len(first):
                first.append(i)
        moved = Places(places.kind, places.id, lon / scale, lat / scale, places.area)
        return cls(list(found), np.array(first, dtype=np.intp), row, moved)

    def __len__(self) -> int:
        return len(self.keys)

    def places(self, at: NDArray[np.intp]) -> Places:
        """Return some of the spots as places."""
        return self.moved.take(self.first[at])

    def some(self, at: NDArray[np.intp]) -> tuple[list[SpotKey], NDArray[np.intp]]:
        """Return the keys that occur in a list of positions, by rising position, and the list counted among them."""
        used = np.zeros(len(self.keys), dtype=bool)
        used[at] = True
        return [self.keys[i] for i in np.flatnonzero(used).tolist()], (np.cumsum(used) - 1)[at]


@dataclass(slots=True)
class Legs:
    """The legs of one question, each once: what is known of them so far.

    Attributes
    ----------
    a, b : Spots
    start, end : int arrays of shape (n,)
        Positions in these.
    values : float array of shape (2, n)
        Seconds and metres, NaN where they are missing still.
    missing : bool array of shape (n,)
        What the cache did not hold.
    estimated : bool array of shape (n,)
    departure_s : float, optional
    """

    a: Spots
    b: Spots
    start: NDArray[np.intp]
    end: NDArray[np.intp]
    values: FloatArray
    missing: BoolArray
    estimated: BoolArray
    departure_s: float | None

    @property
    def told(self) -> bool:
        """Whether anything is known of the time of departure."""
        return not np.isnan(self.values[0]).all()

    def answer(self, at: NDArray[np.intp], failures: list[TravelError] | None) -> PartialTravel:
        """Return the legs at positions of any shape; those still missing are told as failed."""
        failed = np.isnan(self.values[0])
        values = np.where(failed, np.inf, self.values)
        flags = self.estimated[at] if self.estimated.any() else None
        found = RawTravel(values[0][at], values[1][at], flags, self.departure_s)
        return PartialTravel(found, failed[at], failures[0] if failures else None)
