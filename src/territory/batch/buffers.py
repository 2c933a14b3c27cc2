"""Tables as bytes and back: a JSON head and the raw columns, no Python objects in between.

What was read and checked once is not read again: a worker builds its tables straight from the buffers, which
are protected by the digest of their task. The same rows give the same bytes, wherever they stand in a table.
"""

from __future__ import annotations

import json
import struct
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from territory.errors import BatchError
from territory.model import DatedHours, DateRanges, TextSets, WeeklyHours
from territory.model.arrays import TEXT, sealed
from territory.model.columns import columns_of
from territory.model.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

__all__ = ["Buffers", "pack", "pack_table", "plain", "table_of", "unpack"]

T = TypeVar("T", bound=Table)

_MAGIC: Final = b"TERRBUF1"
_SIZE: Final = struct.Struct("<Q")
#: Columns whose rows point at one of some distinct cells, and the name of the field that holds these.
_CODED: Final[dict[str, tuple[type[Any], str]]] = {
    "WeeklyHours": (WeeklyHours, "weeks"), "DateRanges": (DateRanges, "cells"), "DatedHours": (DatedHours, "cells"),
    "TextSets": (TextSets, "cells"),
}  # fmt: skip


class Buffers:
    """What `unpack` has read.

    Attributes
    ----------
    head : mapping
        The plain values that `pack` was given.
    arrays : mapping of name to array
        Read-only views into the bytes; text as text arrays.
    """

    __slots__ = ("arrays", "head")

    def __init__(self, head: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> None:
        self.head, self.arrays = head, arrays


def pack(head: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Write plain values and one-dimensional arrays as bytes; the same input gives the same bytes.

    Parameters
    ----------
    head : mapping
        Anything that JSON holds.
    arrays : mapping of name to array of numbers, truth values, days, instants or text

    Examples
    --------
    >>> found = unpack(pack({"a": 1}, {"x": np.arange(3), "t": np.array(["ä", ""], dtype=TEXT)}))
    >>> found.head, found.arrays["x"].tolist(), found.arrays["t"].tolist()
    ({'a': 1}, [0, 1, 2], ['ä', ''])
    """
    listed: list[tuple[str, str, int]] = []
    blobs: list[bytes] = []
    for name, values in arrays.items():
        if values.dtype.kind in "TOU":
            texts = [str(v).encode("utf-8", "surrogatepass") for v in values.tolist()]
            ends = np.cumsum([len(t) for t in texts], dtype=np.int64) if texts else np.empty(0, np.int64)
            listed.append((name, "text", len(texts)))
            blobs += [_padded(ends.tobytes()), _padded(b"".join(texts))]
        else:
            listed.append((name, values.dtype.str, len(values)))
            blobs.append(_padded(np.ascontiguousarray(values).tobytes()))
    text = json.dumps([dict(head), listed], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    # a lone surrogate is no UTF-8, but may stand in an id
    start = _padded(text.encode("utf-8", "surrogatepass"), fill=b" ")
    return b"".join([_MAGIC, _SIZE.pack(len(start)), start, *blobs])


def unpack(data: bytes) -> Buffers:
    """Read what `pack` wrote; raises `BatchError` where it is torn or something else."""
    try:
        if data[:8] != _MAGIC:
            msg = "another beginning"
            raise ValueError(msg)  # noqa: TRY301 - all that is wrong is told in one way
        (length,) = _SIZE.unpack_from(data, 8)
        head, listed = json.loads(data[16 : 16 + length].decode("utf-8", "surrogatepass"))
        arrays: dict[str, npt.NDArray[Any]] = {}
        at = 16 + length
        for name, kind, n in listed:
            if kind == "text":
                ends = np.frombuffer(data, np.int64, n, at)
                at += 8 * n
                size = int(ends[-1]) if n else 0
                arrays[name] = sealed(_texts(data[at : at + size], ends))
            else:
                dtype = np.dtype(kind)
                arrays[name] = np.frombuffer(data, dtype, n, at)
                size = dtype.itemsize * n
            at += size + -size % 8
        if at != len(data):
            msg = "another length"
            raise ValueError(msg)  # noqa: TRY301
    except (ValueError, TypeError, IndexError, struct.error) as error:
        msg = f"torn or foreign bytes where columns were expected: {error}"
        raise BatchError(msg) from None
    return Buffers(head, arrays)


def _padded(data: bytes, fill: bytes = b"\0") -> bytes:
    return data + fill * (-len(data) % 8)


def _texts(data: bytes, ends: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    if not len(ends):
        return np.empty(0, dtype=TEXT)
    found, begin = [], 0
    if data.isascii():
        text = data.decode("ascii")
        for end in ends.tolist():
            found.append(text[begin:end])
            begin = end
    else:
        for end in ends.tolist():
            found.append(data[begin:end].decode("utf-8", "surrogatepass"))
            begin = end
    return np.array(found, dtype=TEXT)


def pack_table(
    table: Table, rows: npt.NDArray[Any] | slice, name: str
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Return some rows of a table as a head and arrays for `pack`, under a name.

    Parameters
    ----------
    table : Table
    rows : array of positions, or slice
    name : str

    Returns
    -------
    mapping, mapping
        O(rows), however long the table is.
    """
    head: dict[str, Any] = {}
    arrays: dict[str, npt.NDArray[Any]] = {}
    for column, values in _stored(table):
        kind = type(values).__name__
        if kind in _CODED:
            used, code = np.unique(values.code[rows], return_inverse=True)
            cells = getattr(values, _CODED[kind][1])
            head[column] = [kind, json.dumps([plain(cells[i]) for i in used.tolist()], separators=(",", ":"))]
            arrays[f"{name}.{column}"] = code.astype(np.int32)
        else:
            head[column] = None
            arrays[f"{name}.{column}"] = values[rows]
    return head, arrays


def _stored(table: Table) -> Iterator[tuple[str, Any]]:
    for column in columns_of(type(table)):
        values = getattr(table, column)
        if values is not None:
            yield column, values
    for measure, values in sorted(getattr(table, "measures", {}).items()):
        yield f"measures.{measure}", values


def table_of(cls: type[T], found: Buffers, name: str) -> T | None:
    """Return the table that was packed under a name; None where there is none.

    Its rules were checked when it was first read, and are not checked again.
    """
    head = found.head.get(name)
    if head is None:
        return None
    state: dict[str, Any] = dict.fromkeys(columns_of(cls))
    measures: dict[str, Any] = {}
    for column, coded in head.items():
        values: Any = found.arrays[f"{name}.{column}"]
        if coded is not None:
            values = _CODED[coded[0]][0](values, _cells(coded[1]))
        if column.startswith("measures."):
            measures[column.removeprefix("measures.")] = values
        else:
            state[column] = values
    if hasattr(cls, "measures") or "measures" in cls.__dataclass_fields__:
        state["measures"] = MappingProxyType(measures)
    table = cls.__new__(cls)
    table.__setstate__({**state, "diagnostics": (), "rejects": None})
    return table


def plain(value: Any) -> Any:
    """Return a cell (tuples, sets, days, numbers, text) as plain values for JSON."""
    if isinstance(value, np.datetime64):
        return {"day": int(value.astype("datetime64[D]").astype(np.int64))}
    if isinstance(value, frozenset):
        return {"set": sorted(value)}
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value


@lru_cache(maxsize=4096)
def _cells(text: str) -> tuple[Any, ...]:
    return tuple(_restored(v) for v in json.loads(text))


def _restored(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_restored(v) for v in value)
    if isinstance(value, dict):
        return frozenset(value["set"]) if "set" in value else np.datetime64(value["day"], "D")
    return value
