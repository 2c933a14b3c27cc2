"""What engines and servers have in common in asking: parameters, blocks of tables, runs of legs, trips on the spot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.errors import InputError, Problem
from territory.travel.base import RawTravel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray
    from territory.model.places import Places

__all__ = ["blocks", "check_choice", "check_most_moved", "on_the_spot", "runs"]


def blocks(m: int, n: int, most: int) -> Iterator[tuple[slice, slice]]:
    """Cut a table of m by n into blocks of at most `most` legs, near squares where it can be.

    >>> [(rows.stop, columns.stop) for rows, columns in blocks(3, 4, 6)]
    [(3, 2), (3, 4)]
    """
    columns = min(n, max(int(most**0.5), most // max(m, 1), 1))
    rows = max(most // max(columns, 1), 1)
    for top in range(0, m, rows):
        for left in range(0, n, max(columns, 1)):
            yield slice(top, min(top + rows, m)), slice(left, min(left + columns, n))


def runs(kept: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where consecutive ones begin and end.

    >>> runs(np.array([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([0], kept.astype(np.int8), [0]))))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def on_the_spot(
    seconds: FloatArray,
    metres: FloatArray,
    origins: Places,
    destinations: Places,
    *,
    pairs: bool = False,
    departure_s: float | None = None,
) -> RawTravel:
    """Return travel in which the way from a place to itself takes no time, wherever the road is; arrays are changed."""
    if pairs:
        same = (origins.lon == destinations.lon) & (origins.lat == destinations.lat)
    else:
        same = (origins.lon[:, None] == destinations.lon) & (origins.lat[:, None] == destinations.lat)
    seconds[same] = 0.0
    metres[same] = 0.0
    return RawTravel(seconds, metres, departure_s=departure_s)


def check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse what is not among the names.

    Raises
    ------
    InputError
    """
    if value not in allowed:
        listed = ", ".join(repr(each) for each in allowed)
        raise InputError([Problem(f"{name}-unknown", f"expected one of {listed}, not {value!r}", name)], "travel")


def check_most_moved(most_moved_m: float) -> float:
    """Refuse distances that no place can be moved within.

    Raises
    ------
    InputError
        Negative or NaN.
    """
    if not most_moved_m >= 0:
        message = f"expected metres >= 0, not {most_moved_m!r}"
        raise InputError([Problem("most-moved-out-of-range", message, "most_moved_m")], "travel")
    return float(most_moved_m)
