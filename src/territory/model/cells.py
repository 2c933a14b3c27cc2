"""Raw cells as people have them: lists, arrays and dataframe columns, with nulls of every kind."""

from __future__ import annotations

import decimal
import numbers
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.model.arrays import CHUNK, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from territory.model.arrays import BoolArray, FloatArray
    from territory.model.columns import Findings

__all__ = ["Chunks", "as_cells", "is_null", "numbers_of", "parts_of", "text_parts"]

_COMMA_HINT: Final = "Maybe a decimal comma? Write 52.5, not 52,5."
_SECONDS_HINT: Final = "Write seconds: 36000 for 10:00, 1800 for half an hour."
_ID_HINT: Final = "Read the column as text: a float cannot hold every id."


class Chunks:
    """A text column of a dataframe, handed out in lists, so that few Python strings live at a time.

    Parameters
    ----------
    n : int
        Number of rows.
    part : callable
        Gives the cells of rows [first, last): str or a null, or what else a category may be.
    """

    def __init__(self, n: int, part: Callable[[int, int], list[Any]]) -> None:
        self.n = n
        self.part = part

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Iterator[Any]:
        for part in parts_of(self):
            yield from part


Cells = np.ndarray[Any, Any] | Chunks


def as_cells(values: Any) -> Cells:
    """Return values as an array or `Chunks`; lists keep their Python types, nulls of masks are None."""
    if isinstance(values, np.ma.MaskedArray):
        return np.where(np.ma.getmaskarray(values), np.array(None), np.ma.getdata(values).astype(object))
    if isinstance(values, Chunks):
        return values
    if isinstance(values, np.ndarray):
        # text with nulls of its own is read cell by cell
        return values.astype(object) if values.dtype.kind == "T" and values.dtype != TEXT else values
    cells = np.empty(len(values), dtype=object)
    cells[:] = list(values)
    return cells


def parts_of(cells: Cells) -> Iterator[list[Any]]:
    """Hand out cells in lists of at most `CHUNK`."""
    for first in range(0, len(cells), CHUNK):
        last = min(first + CHUNK, len(cells))
        yield cells.part(first, last) if isinstance(cells, Chunks) else cells[first:last].tolist()


def is_null(value: object) -> bool:
    """Return whether a cell is blank: None, NaN, NaT, or pandas' NA."""
    if value is None:
        return True
    if isinstance(value, str):
        return False
    if isinstance(value, (float, np.floating)):
        return bool(value != value)  # noqa: PLR0124 - NaN
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    if isinstance(value, decimal.Decimal):
        return value.is_nan()
    # pandas is not imported here; its NA raises when it is compared
    return type(value).__name__ in ("NAType", "NaTType")


def _is_whole(value: object) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_))


def _all_text(part: list[Any]) -> bool:
    try:
        "".join(part)  # the fast way to know that every cell is text
    except TypeError:
        return False
    return True


def text_parts(cells: Cells, name: str, findings: Findings, *, ids: bool = False) -> Iterator[list[str]]:
    """Hand out text cells as lists of strings; what is no text is noted, and blank like a null.

    Whole numbers are written as text; beside text they are a fault, for 7 and "7" would be one.

    Parameters
    ----------
    cells : array or Chunks, length n
    name : str
        The column.
    findings : Findings
        Told when all parts have been taken.
    ids : bool
        Whether the hints should speak of ids.
    """
    n = len(cells)
    hint = _ID_HINT if ids else None
    if isinstance(cells, np.ndarray) and cells.dtype.kind not in "OUTiu":
        blank = cells.dtype.kind == "f" and bool(np.isnan(cells).all())  # how pandas reads an empty column
        if not blank:
            findings.rows("wrong-type", f"expected text, not {cells.dtype}", np.ones(n, bool), column=name, hint=hint)
        for part in parts_of(cells):
            yield [""] * len(part)
        return
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "iu":
        for part in parts_of(cells):
            yield list(map(str, part))
        return
    text, whole, wrong = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    first = 0
    for part in parts_of(cells):
        at = slice(first, first + len(part))
        first += len(part)
        if _all_text(part):
            text[at] = True
            yield part
            continue
        text[at] = [isinstance(v, str) for v in part]
        whole[at] = [_is_whole(v) for v in part]
        wrong[at] = ~text[at] & ~whole[at] & [not is_null(v) for v in part]
        yield [str(v) if ok else "" for v, ok in zip(part, (text[at] | whole[at]).tolist(), strict=True)]
    if whole.any() and text.any():
        findings.rows(
            "mixed-types",
            "numbers beside text",
            whole if whole.sum() <= text.sum() else text,
            column=name,
            hint='7 and "7" would be the same id.' if ids else None,
        )
    findings.rows("wrong-type", "expected text", wrong, column=name, hint=hint)


def _parse_number(text: str) -> float:
    text = text.strip()
    if not text:
        return float("nan")
    if "_" in text:  # Python's float() takes 1_000; a table's reader should not
        raise ValueError
    return float(text)


def _as_float(value: Any) -> float:
    """Return a number cell as a float; raises ValueError for what is no real number."""
    real = isinstance(value, (numbers.Real, decimal.Decimal, np.number)) and not isinstance(
        value, (bool, np.complexfloating, np.timedelta64)
    )
    if not real:
        raise ValueError
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def numbers_of(values: Any, name: str, findings: Findings, *, text_cells: bool) -> tuple[FloatArray, BoolArray]:
    """Read cells as numbers.

    Returns
    -------
    array : float64 of shape (n,)
        NaN for nulls; 0 for faulty cells.
    faulty : bool of shape (n,)
        Cells that have been noted.
    """
    n = len(values)
    if isinstance(values, np.ma.MaskedArray) and values.dtype.kind in "fiu":
        read = np.where(np.ma.getmaskarray(values), np.nan, np.ma.getdata(values).astype(np.float64))
        return read, np.zeros(n, dtype=bool)
    cells = as_cells(values)
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "fiu":
        return cells.astype(np.float64), np.zeros(n, dtype=bool)
    if isinstance(cells, np.ndarray) and cells.dtype.kind not in "OUT":
        hint = "Convert it to seconds: .dt.total_seconds()." if cells.dtype.kind == "m" else None
        everywhere = np.ones(n, dtype=bool)
        findings.rows("wrong-type", f"expected numbers, not {cells.dtype}", everywhere, column=name, hint=hint)
        return np.zeros(n), everywhere
    out = np.full(n, np.nan)
    as_text, wrong = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    comma = False
    first = 0
    for part in parts_of(cells):
        comma |= _read_part(part, slice(first, first + len(part)), out, as_text, wrong, text_cells=text_cells)
        first += len(part)
    hint = _COMMA_HINT if comma else None
    findings.rows(
        "numeric-text",
        "text where numbers are expected",
        as_text,
        column=name,
        hint=hint or "Convert the column to numbers first.",
    )
    if hint is None and name.endswith("_s"):
        hint = _SECONDS_HINT
    findings.rows("not-a-number", "not a number", wrong, column=name, hint=hint)
    faulty = as_text | wrong
    out[faulty] = 0.0
    return out, faulty


def _read_part(
    part: list[Any], at: slice, out: FloatArray, as_text: BoolArray, wrong: BoolArray, *, text_cells: bool
) -> bool:
    """Read one list of cells into `out`, `as_text` and `wrong`; return whether a comma was seen in text."""
    if set(map(type, part)) <= {float, int}:
        try:
            out[at] = part
        except OverflowError:
            out[at] = [_as_float(v) for v in part]
        return False
    comma = False
    for i, value in enumerate(part, at.start):
        if isinstance(value, str):
            if text_cells:
                try:
                    out[i] = _parse_number(value)
                except ValueError:
                    wrong[i] = True
                    comma |= "," in value
            else:
                as_text[i] = True
                comma |= "," in value
        elif not is_null(value):
            try:
                out[i] = _as_float(value)
            except ValueError:
                wrong[i] = True
    return comma
