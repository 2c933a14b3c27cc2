"""Sets of pairs of places, 8 bytes a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.model.places import Places

__all__ = ["PairSet", "PlaceCodes", "pair_codes"]

#: Sorted arrays that a set consists of, before they are merged: few to look up in, and each pair is seldom moved.
_MOST_RUNS: Final = 12


class PlaceCodes:
    """Numbers for places, by where they are, their kind and area; on request by their id as well."""

    def __init__(self, *, by_id: bool) -> None:
        self._by_id = by_id
        self._codes: dict[tuple[object, ...], int] = {}

    def of(self, places: Places) -> NDArray[np.int64]:
        """Return the number of each place, shape (n,); equal places have equal ones."""
        columns = [(places.lon + 0.0).tolist(), (places.lat + 0.0).tolist(), places.kind.tolist()]
        columns.append([None] * len(places) if places.area is None else places.area.tolist())
        if self._by_id:
            columns.append(places.id.tolist())
        known = self._codes
        return np.array([known.setdefault(key, len(known)) for key in zip(*columns, strict=True)], dtype=np.int64)


def pair_codes(origin: NDArray[np.int64], destination: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for each pair of numbers below 2^31, by broadcasting."""
    return (origin << 32) | destination


class PairSet:
    """A set of numbers that is asked and added to by arrays.

    Examples
    --------
    >>> pairs = PairSet()
    >>> pairs.add(np.array([3, 5, 3]))
    >>> pairs.has(np.array([[3, 4], [5, 6]])).tolist(), len(pairs)
    ([[True, False], [True, False]], 2)
    """

    def __init__(self) -> None:
        self._runs: list[NDArray[np.int64]] = []

    def __len__(self) -> int:
        return sum(len(run) for run in self._runs)

    def has(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which are in the set, of the same shape; O(log n) each."""
        found = np.zeros(codes.shape, dtype=np.bool_)
        for run in self._runs:
            at = np.minimum(np.searchsorted(run, codes), len(run) - 1)
            found |= run[at] == codes
        return found

    def add(self, codes: NDArray[np.int64]) -> None:
        """Add numbers, of any shape."""
        fresh = np.unique(codes)
        fresh = fresh[~self.has(fresh)]
        if not len(fresh):
            return
        self._runs.append(fresh)
        # runs stay the larger the earlier they stand, so that a number is moved O(log n) times
        while (len(self._runs) > 1 and len(self._runs[-2]) <= 2 * len(self._runs[-1])) or len(self._runs) > _MOST_RUNS:
            last, before = self._runs.pop(), self._runs.pop()
            self._runs.append(np.sort(np.concatenate((before, last)), kind="stable"))
