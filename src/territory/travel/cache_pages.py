"""What a cache of travel keeps in its file: legs by blocks, each with a checksum, and how little to ask for."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from territory.model.arrays import BoolArray, FloatArray

__all__ = ["BLOCK", "pack_page", "pack_record", "rectangles", "unpack_page", "unpack_record"]

#: Destinations a page. Measured with 200 x 200 legs: pages of 256 are read in a ninth of the time that a row a leg
#: takes, in a quarter of the space; 128 and 512 are no better.
BLOCK: Final = 256
_MASK: Final = BLOCK // 8
_HEAD: Final = 4 + 2
_FLOATS, _TENTHS = 0, 1
#: Tenths of a second or metre that int32 can hold, less one for "no way".
_MOST_TENTHS: Final = float(np.iinfo(np.int32).max)
#: One more question costs about as much as this many legs that are asked for in vain.
_QUESTION: Final = 2_500


def pack_page(salt: bytes, key: int, values: FloatArray) -> bytes:
    """Write the legs from one origin to a block of destinations.

    Values are kept to the last bit: in tenths (4 bytes) where all of a column are whole tenths, as engines give them,
    else as they are (8 bytes).

    Parameters
    ----------
    salt : bytes
        Names the source; a page that ends up elsewhere does not pass its checksum.
    key : int
        Number of the page, not negative.
    values : float array of shape (2, BLOCK)
        Seconds and metres; NaN in both where nothing is known.
    """
    known = ~np.isnan(values[0])
    forms = bytearray()
    columns = []
    for column in values[:, known]:
        endless = np.isinf(column)
        tenths = np.rint(np.where(endless, -0.1, column) * 10.0)
        if (tenths <= _MOST_TENTHS).all() and (endless | (tenths / 10.0 == column)).all():
            forms.append(_TENTHS)
            columns.append(tenths.astype("<i4").tobytes())
        else:
            forms.append(_FLOATS)
            columns.append(column.astype("<f8").tobytes())
    body = b"".join((bytes(forms), np.packbits(known).tobytes(), *columns))
    return _sum(salt, key, body) + body


def unpack_page(salt: bytes, key: int, data: object) -> FloatArray | None:
    """Read what `pack_page` wrote, shape (2, BLOCK), or None if it is not that."""
    if not isinstance(data, bytes) or len(data) < _HEAD + _MASK or _sum(salt, key, data[4:]) != data[:4]:
        return None
    known = np.unpackbits(np.frombuffer(data, dtype=np.uint8, count=_MASK, offset=_HEAD)).view(np.bool_)
    count = int(known.sum())
    values = np.full((2, BLOCK), np.nan)
    start = _HEAD + _MASK
    for row in (0, 1):
        form = data[4 + row]
        size = count * (4 if form == _TENTHS else 8)
        if form not in {_FLOATS, _TENTHS} or len(data) < start + size:
            return None
        if form == _TENTHS:
            tenths = np.frombuffer(data, dtype="<i4", count=count, offset=start)
            column = tenths / 10.0
            column[tenths < 0] = np.inf
        else:
            column = np.frombuffer(data, dtype="<f8", count=count, offset=start)
        values[row, known] = column
        start += size
    return values


def pack_record(salt: bytes, key: int, body: bytes) -> bytes:
    """Put a checksum before some bytes."""
    return _sum(salt, key, body) + body


def unpack_record(salt: bytes, key: int, data: object) -> bytes | None:
    """Return the bytes that `pack_record` was given, or None if they are not those."""
    if not isinstance(data, bytes) or len(data) < 4 or _sum(salt, key, data[4:]) != data[:4]:
        return None
    return data[4:]


def _sum(salt: bytes, key: int, body: bytes) -> bytes:
    return struct.pack("<I", zlib.crc32(body, zlib.crc32(struct.pack("<q", key), zlib.crc32(salt))))


def rectangles(missing: BoolArray) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Cover what is missing by few questions of some origins and some destinations each.

    One more question is worth 2,500 legs that would be asked for in vain. O(m n) a question and m log m.

    Parameters
    ----------
    missing : bool array of shape (m, n)

    Yields
    ------
    rows, columns : positions, rising
        Every missing cell is in one of the rectangles; none of these is without one.
    """
    rows = np.flatnonzero(missing.any(axis=1))
    if not len(rows):
        return
    columns = np.flatnonzero(missing[rows].any(axis=0))
    inner = missing[np.ix_(rows, columns)]
    size = inner.size
    best: tuple[int, NDArray[np.intp], int] | None = None
    if len(rows) > 1 and size - np.count_nonzero(inner) > _QUESTION:
        # new places miss whole rows and columns; teams that are put together miss blocks, which alike rows tell
        by_count = np.argsort(inner.sum(axis=1), kind="stable")
        by_pattern = np.lexsort(np.packbits(inner, axis=1).T[::-1])
        for order in (by_count, by_pattern):
            mine = inner[order]
            before = np.logical_or.accumulate(mine, axis=0).sum(axis=1)[:-1]
            after = np.logical_or.accumulate(mine[::-1], axis=0).sum(axis=1)[::-1][1:]
            cut = np.arange(1, len(rows))
            cells = before * cut + after * (len(rows) - cut)
            at = int(np.argmin(cells))
            if best is None or cells[at] < best[0]:
                best = int(cells[at]), order, at + 1
    if best is None or best[0] + _QUESTION >= size:
        yield rows, columns
        return
    _, order, at = best
    for some in (np.sort(rows[order[:at]]), np.sort(rows[order[at:]])):
        for down, across in rectangles(missing[some]):
            yield some[down], across
