"""Values of replies that are taken only if they are what they should be; for `territory.travel.replies`."""

from __future__ import annotations

from itertools import chain
from reprlib import Repr
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import TravelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray

__all__ = ["Leg", "bad_reply", "decode_polyline", "items", "members", "numbers", "positions", "quoted"]

#: A line on the map: longitudes and latitudes, degrees.
Leg = tuple["FloatArray", "FloatArray"]

#: Longer travel than this, in seconds or metres, is no answer: 31 years, or 25 times around the world.
_LONGEST: Final = 1e9
#: What was answered is quoted in messages, but never at length.
_REPR: Final = Repr()
_REPR.maxstring = _REPR.maxother = 200


def decode_polyline(text: Any, digits: int) -> Leg:
    """Read a line from text: differences of rounded coordinates in chunks of five bits.

    Parameters
    ----------
    text : str
    digits : int
        Decimal places of the coordinates, 5 or 6.

    Returns
    -------
    lon, lat : float arrays of shape (p,), degrees

    Raises
    ------
    TravelError
        What is no such text, or leaves the globe.

    Examples
    --------
    >>> lon, lat = decode_polyline("_p~iF~ps|U_ulLnnqC", 5)
    >>> lon.tolist(), lat.tolist()
    ([-120.2, -120.95], [38.5, 40.7])
    """
    if not isinstance(text, str) or not text.isascii():
        raise bad_reply(f"a line is {quoted(text)}, not text")
    codes = np.frombuffer(text.encode(), dtype=np.uint8).astype(np.int64) - 63
    last = codes < 32
    if not len(codes) or codes.min() < 0 or codes.max() > 63 or not last[-1]:
        raise bad_reply("a line's text is broken off or has foreign letters")
    starts = np.concatenate(([0], np.flatnonzero(last)[:-1] + 1))
    place = np.arange(len(codes)) - np.repeat(starts, np.diff(np.append(starts, len(codes))))
    if len(starts) % 2 or place.max() > 6:
        raise bad_reply("a line's text holds half a point or too large a step")
    chunks = np.add.reduceat((codes & 31) << (5 * place), starts)
    steps = np.where(chunks & 1, ~(chunks >> 1), chunks >> 1).reshape(-1, 2)
    xy = (np.cumsum(steps, axis=0) / 10.0**digits)[:, ::-1]
    return _on_globe(xy, "a line")


def numbers(
    value: Any, n_rows: int, n_columns: int, what: str, unit: float = 1.0, *, least: float = 0.0
) -> NDArray[np.float64]:
    """Read a table of numbers of that shape, in seconds or metres and none below the least; null is infinite.

    The table is a list of lists, or a float array if no null was in it.
    """
    if isinstance(value, np.ndarray):
        if value.shape != (n_rows, n_columns):
            raise bad_reply(f"{what} have shape {value.shape}, expected {(n_rows, n_columns)}")
        values, n_null = value * unit, 0
    else:
        values, n_null = _listed(value, n_rows, n_columns, what)
        values *= unit
    endless = np.isnan(values)
    if int(endless.sum()) != n_null:
        raise bad_reply(f"{what} hold NaN")
    wrong = (values < least) | (values > _LONGEST)
    if wrong.any():
        raise bad_reply(f"{what} hold {float(values[wrong][0])!r}")
    values[endless] = np.inf
    return values


def _listed(value: Any, n_rows: int, n_columns: int, what: str) -> tuple[NDArray[np.float64], int]:
    """Return numbers, with NaN for nulls, and the count of nulls."""
    rows = items(value, n_rows, what)
    for row in rows:
        items(row, n_columns, what)
    flat = list(chain.from_iterable(rows))
    kinds = set(map(type, flat))
    if not kinds <= {int, float, type(None)}:
        raise bad_reply(f"{what} hold {', '.join(sorted(kind.__name__ for kind in kinds))}")
    try:
        values = np.array(flat, dtype=np.float64).reshape(n_rows, n_columns)
    except OverflowError as error:
        raise bad_reply(f"{what} hold an endless number") from error
    return values, flat.count(None) if type(None) in kinds else 0


def positions(value: Any, what: str) -> NDArray[np.float64]:
    """Read (lon, lat) in degrees, shape (n, 2)."""
    points = items(value, None, what)
    for point in points:
        items(point, 2, what)
    if not set(map(type, chain.from_iterable(points))) <= {int, float}:
        raise bad_reply(f"{what} hold coordinates that are no numbers")
    try:
        xy = np.array(points, dtype=np.float64).reshape(-1, 2)
    except OverflowError as error:
        raise bad_reply(f"{what} hold an endless number") from error
    return np.column_stack(_on_globe(xy, what))


def _on_globe(xy: NDArray[np.float64], what: str) -> Leg:
    lon, lat = xy[:, 0], xy[:, 1]
    if not ((np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0)).all():
        raise bad_reply(f"{what} leave the globe")
    return np.ascontiguousarray(lon), np.ascontiguousarray(lat)


def items(value: Any, n: int | None, what: str) -> list[Any]:
    """Return a list of n entries, or of any number if n is None."""
    if not isinstance(value, list):
        raise bad_reply(f"{what} are {quoted(value)}, not a list")
    if n is not None and len(value) != n:
        raise bad_reply(f"{what} have {len(value)} entries, expected {n}")
    return value


def members(value: Any, what: str) -> dict[str, Any]:
    """Return an object's members by name."""
    if not isinstance(value, dict):
        raise bad_reply(f"{what} is {quoted(value)}, not an object")
    return value


def quoted(value: Any) -> str:
    """Return what was answered as text, cut off where it is long."""
    return _REPR.repr(value)


def bad_reply(message: str) -> TravelError:
    """Return the error for an answer that cannot be meant: asking again will not help."""
    return TravelError(message, retryable=False)
