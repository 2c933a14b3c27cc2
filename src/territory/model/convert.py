"""From cells as people have them to arrays as tables hold them; every fault is collected.

Each reader takes the raw values of one column, notes what is wrong in `Findings`, and returns an
array in which faulty cells hold a harmless filler, so that the rest can still be checked. Nothing
that is returned shares memory with what somebody else could write to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import InputError, Problem
from territory.model.arrays import TEXT, kept, sealed
from territory.model.cells import Chunks, as_cells, is_null, numbers_of, parts_of, text_parts
from territory.model.columns import Column, Findings, Kind
from territory.model.dated import DatedHours
from territory.model.days import read_day, read_instant
from territory.model.hours import WeeklyHours
from territory.model.ragged import DateRanges, TextSets
from territory.model.words import read_dates, read_enum, read_exceptions, read_hours, read_sets, read_weekdays

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from territory.model.arrays import BoolArray, FloatArray, TextArray
    from territory.model.cells import Cells

__all__ = ["read_column", "read_columns"]

_TRUE: Final = frozenset({"true", "yes", "y", "t", "1", "1.0"})
_FALSE: Final = frozenset({"false", "no", "n", "f", "0", "0.0"})
_RAGGED: Final = {Kind.HOURS: WeeklyHours, Kind.DATES: DateRanges, Kind.EXCEPTIONS: DatedHours, Kind.SETS: TextSets}
#: The largest position of a row; positions are int32.
_MAX_IDX: Final = 2.0**31 - 1


def _read_text(cells: Cells, name: str, spec: Column, findings: Findings) -> TextArray:
    if isinstance(cells, np.ndarray) and cells.dtype == TEXT:
        array = kept(cells)
    else:
        array = np.empty(len(cells), dtype=TEXT)
        not_unicode = np.zeros(len(cells), dtype=bool)
        first = 0
        for part in text_parts(cells, name, findings, ids=spec.unique):
            at = slice(first, first + len(part))
            first += len(part)
            try:
                array[at] = part
            except UnicodeEncodeError:
                not_unicode[at] = [not _encodable(v) for v in part]
                array[at] = [v if _encodable(v) else "" for v in part]
        findings.rows(
            "not-unicode",
            "half of a surrogate pair",
            not_unicode,
            column=name,
            hint="Maybe read with a wrong encoding?",
        )
        sealed(array)
    if not spec.missing and not spec.unique:  # an id that is blank is noted as such
        findings.rows("missing-value", "blank", (array == "") & ~findings.bad_in(name), column=name)
    return array


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_numbers(array: FloatArray, name: str, spec: Column, findings: Findings, faulty: BoolArray) -> None:
    if not spec.missing:
        findings.rows("missing-value", "missing, or not a number", np.isnan(array) & ~faulty, column=name)
    findings.rows("not-finite", "infinite", np.isinf(array), column=name)
    low = -np.inf if spec.low is None else spec.low
    high = (_MAX_IDX if spec.kind is Kind.IDX else np.inf) if spec.high is None else spec.high
    below = array <= low if spec.low_open else array < low
    bracket = "(" if spec.low_open else "["
    findings.rows(
        f"{spec.code or name.replace('_', '-')}-out-of-range",
        f"outside {bracket}{low:g}, {high:g}]{' ' + spec.unit if spec.unit else ''}",
        (below | (array > high)) & np.isfinite(array) & ~faulty,
        column=name,
    )


def _read_number(
    values: Any, name: str, spec: Column, findings: Findings, *, text_cells: bool
) -> npt.NDArray[np.float64] | npt.NDArray[np.int32] | npt.NDArray[np.int64]:
    array, faulty = numbers_of(values, name, findings, text_cells=text_cells)
    _check_numbers(array, name, spec, findings, faulty)
    if spec.kind is Kind.FLOAT:
        return array
    whole = np.isfinite(array) & (array == np.floor(array))
    findings.rows("not-whole", "not a whole number", ~whole & np.isfinite(array), column=name)
    # 2**62: beyond it a float does not fit an int64; such values are out of range already, or filler
    inside = whole & (np.abs(array) <= (_MAX_IDX if spec.kind is Kind.IDX else 2.0**62))
    filled = np.where(inside, array, 0.0)
    return filled.astype(np.int32) if spec.kind is Kind.IDX else filled.astype(np.int64)


def _read_bool(cells: Cells, name: str, spec: Column, findings: Findings) -> BoolArray:
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "b":
        return cells.astype(bool)
    out, wrong = np.zeros(len(cells), dtype=bool), np.zeros(len(cells), dtype=bool)
    first = 0
    for part in parts_of(cells):
        for i, value in enumerate(part, first):
            if value is True or value is False:
                out[i] = value
                continue
            word = "" if is_null(value) else str(value).strip().casefold()
            out[i] = word in _TRUE
            wrong[i] = word not in _TRUE and word not in _FALSE and not (word == "" and spec.missing)
        first += len(part)
    findings.rows("not-true-or-false", "expected true or false", wrong, column=name)
    return out


def _ragged(values: Any, name: str, spec: Column, findings: Findings) -> Any:
    wanted = _RAGGED.get(spec.kind)
    if wanted is None or not isinstance(values, wanted):
        findings.table("wrong-type", f"expected {spec.kind.value}, not {type(values).__name__}", column=name)
    return values


def read_column(
    values: Any,
    name: str,
    spec: Column,
    findings: Findings,
    *,
    text_cells: bool = False,
    date_format: str | None = None,
) -> Any:
    """Read one column.

    Parameters
    ----------
    values : array_like of length n, or Chunks, WeeklyHours, DateRanges, DatedHours, TextSets
    name : str
        For messages.
    spec : Column
    findings : Findings
        Takes every fault.
    text_cells : bool
        Whether numbers may be written as text, as in a CSV file.
    date_format : str, optional
        A `strptime` form for dates that are not ISO.

    Returns
    -------
    Array of length n, read-only; or the ragged column.
    """
    if isinstance(values, (WeeklyHours, DateRanges, DatedHours, TextSets)):
        return _ragged(values, name, spec, findings)
    kind = spec.kind
    if not isinstance(values, Chunks) and getattr(values, "ndim", 1) != 1:
        findings.table("not-one-dimensional", f"shape {values.shape}", column=name)
        return values
    if kind in (Kind.FLOAT, Kind.INT, Kind.IDX):
        return sealed(_read_number(values, name, spec, findings, text_cells=text_cells))
    cells = as_cells(values)
    if kind is Kind.HOURS:
        return read_hours(cells, name, findings)
    if kind is Kind.DATES:
        return read_dates(cells, name, findings)
    if kind is Kind.EXCEPTIONS:
        return read_exceptions(cells, name, findings)
    if kind is Kind.SETS:
        return read_sets(cells, name, findings)
    return sealed(_read_plain(cells, name, spec, findings, date_format))


def _read_plain(cells: Cells, name: str, spec: Column, findings: Findings, date_format: str | None) -> npt.NDArray[Any]:
    kind = spec.kind
    if kind is Kind.TEXT:
        return _read_text(cells, name, spec, findings)
    if kind is Kind.BOOL:
        return _read_bool(cells, name, spec, findings)
    if kind is Kind.ENUM:
        return read_enum(cells, name, spec, findings)
    if kind is Kind.WEEKDAYS:
        return read_weekdays(cells, name, spec, findings)
    if kind is Kind.DAY:
        return read_day(cells, name, spec, findings, date_format=date_format)
    return read_instant(cells, name, spec, findings)


def read_columns(source: Mapping[str, Callable[[], Any]], specs: Mapping[str, Column], subject: str) -> dict[str, Any]:
    """Read the columns of a frame that is no table of its own.

    Parameters
    ----------
    source : mapping of name to reader
        As `frame_columns` gives it.
    specs : mapping of name to Column
        Which to read, and by which rules.
    subject : str
        What an error message calls the frame.

    Raises
    ------
    InputError
        Missing columns, or bad values; all at once.
    """
    there = ", ".join(source) or "none"
    missing = [
        Problem("missing-column", f"no column {name!r}; there are: {there}", column=name)
        for name in specs
        if name not in source
    ]
    if missing:
        raise InputError(missing, subject)
    raw = {name: source[name]() for name in specs}
    findings = Findings(max((len(values) for values in raw.values()), default=0))
    if any(len(values) != findings.n for values in raw.values()):
        listed = ", ".join(f"{name} {len(values)}" for name, values in raw.items())
        findings.table("unequal-lengths", f"columns of unequal length: {listed}")
        findings.raise_if_any(subject)
    read = {name: read_column(values, name, specs[name], findings) for name, values in raw.items()}
    findings.raise_if_any(subject)
    return read
