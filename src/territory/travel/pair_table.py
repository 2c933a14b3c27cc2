"""Numbers known of pairs of places, in arrays: 8 bytes a pair and a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray
    from territory.model.places import Places

__all__ = ["PairTable", "PlaceCodes", "pair_codes"]

#: Sorted arrays that a table consists of, before they are merged: few to look up in, and each pair is seldom moved.
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


class PairTable:
    """Numbers by the code of a pair, asked and added to by arrays.

    Parameters
    ----------
    n_values : int
        Numbers of each pair; none: a set.

    Examples
    --------
    >>> pairs = PairTable(1)
    >>> pairs.add(np.array([3, 5]), np.array([[30.0, 50.0]]))
    >>> known, values = pairs.find(np.array([[3, 4], [5, 6]]))
    >>> known.tolist(), values[0].tolist(), len(pairs)
    ([[True, False], [True, False]], [[30.0, inf], [50.0, inf]], 2)
    """

    def __init__(self, n_values: int = 0) -> None:
        self._n_values = n_values
        self._runs: list[tuple[NDArray[np.int64], FloatArray]] = []

    def __len__(self) -> int:
        return sum(len(codes) for codes, _ in self._runs)

    def find(self, codes: NDArray[np.int64]) -> tuple[NDArray[np.bool_], FloatArray]:
        """Look pairs up, O(log n) each.

        Returns
        -------
        known : bool array, of the shape of `codes`
        values : float array of shape (n_values, ...)
            Infinite where not known.
        """
        known = np.zeros(codes.shape, dtype=np.bool_)
        values = np.full((self._n_values, *codes.shape), np.inf)
        for run, numbers in self._runs:
            at = np.minimum(np.searchsorted(run, codes), len(run) - 1)
            here = run[at] == codes
            known |= here
            for found, number in zip(values, numbers, strict=True):
                found[here] = number[at[here]]
        return known, values

    def add(self, codes: NDArray[np.int64], values: FloatArray | None = None) -> None:
        """Add pairs that are not known yet.

        Parameters
        ----------
        codes : int64 array of shape (n,)
            Of those that occur twice, the first counts.
        values : float array of shape (n_values, n)
        """
        fresh, first = np.unique(codes, return_index=True)
        if not len(fresh):
            return
        numbers = np.empty((0, len(fresh))) if values is None else values[:, first]
        self._runs.append((fresh, numbers))
        # runs are the larger the earlier they stand, so that a pair is moved O(log n) times
        while len(self._runs) > 1 and (
            len(self._runs) > _MOST_RUNS or len(self._runs[-2][0]) <= 2 * len(self._runs[-1][0])
        ):
            (last, last_numbers), (before, before_numbers) = self._runs.pop(), self._runs.pop()
            merged = np.concatenate((before, last))
            order = np.argsort(merged, kind="stable")
            self._runs.append((merged[order], np.concatenate((before_numbers, last_numbers), axis=1)[:, order]))
