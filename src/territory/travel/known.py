"""Travel among a few places, asked for in advance: what a worker process needs of a source, and nothing else.

A road network, a matrix of everybody or a connection to a server need not go along with every task, and an answer that
a fallback gave is the same for whoever plans and whoever checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.errors import InputError, Problem
from territory.travel.base import TravelBase
from territory.travel.protocol import TravelMatrix, check_same_length

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from territory.model.places import Places
    from territory.travel.base import RawTravel
    from territory.travel.protocol import Travel

__all__ = ["KnownTravel"]


class KnownTravel(TravelBase):
    """The answers of a source among some places.

    Parameters
    ----------
    travel : Travel
        Asked once for each speed factor, and not kept.
    places : Places, length n
        Told apart by kind, id and coordinates.
    speed_factors : iterable of float
        Those that will be asked for.

    Raises
    ------
    InputError, TravelError
        As the source.

    Notes
    -----
    9 n² bytes a speed factor. A question about other places, or with another factor, is an `InputError`.
    """

    def __init__(self, travel: Travel, places: Places, speed_factors: Iterable[float] = (1.0,)) -> None:
        self._fingerprint, self._symmetric = travel.fingerprint, travel.symmetric
        first: dict[tuple[int, str, float, float], int] = {}
        for row, key in enumerate(_keys(places)):
            first.setdefault(key, row)
        once = places.take(np.array(list(first.values()), dtype=np.intp))
        self._row = {key: row for row, key in enumerate(first)}
        self._legs = {float(f): travel.matrix(once, once, speed_factor=float(f)) for f in speed_factors}

    @property
    def fingerprint(self) -> str:
        """That of the source."""
        return self._fingerprint

    @property
    def symmetric(self) -> bool:
        """As the source says."""
        return self._symmetric

    @property
    def divides(self) -> bool:
        """False: answers were divided when they were asked for, so that wrappers go inside, around the source."""
        return False

    def raw_matrix(self, origins: Places, destinations: Places) -> RawTravel:  # noqa: ARG002 - the protocol asks for them
        """Refuse: raw numbers were not kept.

        Raises
        ------
        InputError
            Always.
        """
        message = "raw numbers were not kept, so that nothing can go around travel that is known in advance"
        raise InputError([Problem("raw-unknown", message)], "travel known in advance")

    def matrix(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Look up every origin with every destination, shape (m, n); see `Travel.matrix`."""
        return self._found(self._rows(origins)[:, None], self._rows(destinations)[None, :], speed_factor)

    def pairs(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Look up each origin with the destination in the same row, shape (n,); see `Travel.pairs`."""
        check_same_length(origins, destinations)
        return self._found(self._rows(origins), self._rows(destinations), speed_factor)

    def _found(self, rows: NDArray[np.intp], columns: NDArray[np.intp], speed_factor: float) -> TravelMatrix:
        legs = self._legs.get(float(speed_factor))
        if legs is None:
            message = f"asked for {speed_factor!r}, but known are {sorted(self._legs)}"
            raise InputError([Problem("speed-factor", message, "speed_factor")], "travel known in advance")
        return TravelMatrix(
            legs.durations_s[rows, columns],
            legs.distances_m[rows, columns],
            None if legs.estimated is None else legs.estimated[rows, columns],
            legs.departure_s,
        )

    def _rows(self, places: Places) -> NDArray[np.intp]:
        rows = [self._row.get(key, -1) for key in _keys(places)]
        unknown = [row for row, at in enumerate(rows) if at < 0]
        if unknown:
            message = f"not among the places known: {str(places.id[unknown[0]])!r}"
            raise InputError([Problem("unknown-place", message, count=len(unknown), rows=tuple(unknown[:5]))], "travel")
        return np.array(rows, dtype=np.intp)


def _keys(places: Places) -> list[tuple[int, str, float, float]]:
    columns = (places.kind.tolist(), places.id.tolist(), places.lon.tolist(), places.lat.tolist())
    return list(zip(*columns, strict=True))
