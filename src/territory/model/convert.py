"""From cells as people have them to arrays as tables hold them; every fault is collected.

Each reader takes the raw values of one column, notes what is wrong in `Findings`, and returns an
array in which faulty cells hold a harmless filler, so that the rest can still be checked.
"""

from __future__ import annotations

import datetime as dt
import numbers
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.model.arrays import TEXT, frozen
from territory.model.columns import Column, Findings, Kind
from territory.model.hours import WEEKDAYS, WeeklyHours, _parse_days
from territory.model.ragged import DateRanges, TextSets

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["read_column"]

_TRUE: Final = frozenset({"true", "yes", "y", "t", "1"})
_FALSE: Final = frozenset({"false", "no", "n", "f", "0"})
_COMMA_HINT: Final = "Maybe a decimal comma? Write 52.5, not 52,5."


def _as_cells(values: Any) -> npt.NDArray[Any]:
    """Return values as a one-dimensional array; lists keep their Python types."""
    if isinstance(values, np.ma.MaskedArray):
        values = np.where(np.ma.getmaskarray(values), None, values.astype(object))
    if isinstance(values, np.ndarray):
        return values
    cells = np.empty(len(values), dtype=object)
    cells[:] = list(values)
    return cells


def _is_null(value: object) -> bool:
    return value is None or value != value or type(value).__name__ in ("NAType", "NaTType")  # noqa: PLR0124 - NaN


def _nulls(cells: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    if cells.dtype.kind != "O":
        return np.zeros(len(cells), dtype=bool)
    return np.fromiter((_is_null(v) for v in cells.tolist()), dtype=bool, count=len(cells))


def _is_text(cells: npt.NDArray[Any]) -> bool:
    return cells.dtype.kind in "UT"


def _strings(cells: npt.NDArray[Any], column: str, findings: Findings, *, ids: bool) -> list[str]:
    """Return text cells as strings; what is no text is noted and blank."""
    if _is_text(cells):
        return cells.tolist()
    if cells.dtype.kind in "iu":
        return cells.astype("U").tolist()
    hint = "Read the column as text: a float cannot hold every id." if ids else None
    if cells.dtype.kind != "O":
        findings.rows(
            "wrong-type", f"expected text, not {cells.dtype}", np.ones(len(cells), bool), column=column, hint=hint
        )
        return [""] * len(cells)
    values = cells.tolist()
    try:
        "".join(values)  # the fast way to know that every cell is text
    except TypeError:
        pass
    else:
        return values
    null = _nulls(cells)
    text = np.fromiter((isinstance(v, str) for v in values), dtype=bool, count=len(values))
    whole = np.fromiter(
        (isinstance(v, numbers.Integral) and not isinstance(v, (bool, np.bool_)) for v in values),
        dtype=bool,
        count=len(values),
    )
    if whole.any() and text.any():
        fewer = whole if whole.sum() <= text.sum() else text
        findings.rows(
            "mixed-types",
            "numbers beside text",
            fewer,
            column=column,
            hint='7 and "7" would be the same id.' if ids else None,
        )
    findings.rows("wrong-type", "expected text", ~(null | text | whole), column=column, hint=hint)
    return [str(v) if ok else "" for v, ok in zip(values, text | whole, strict=True)]


def _read_text(cells: npt.NDArray[Any], name: str, spec: Column, findings: Findings) -> npt.NDArray[Any]:
    if cells.dtype == TEXT:
        array = cells.copy() if cells.flags.writeable else cells  # what nobody can write to need not be copied
    else:
        strings = _strings(cells, name, findings, ids=spec.unique)
        try:
            array = np.array(strings, dtype=TEXT) if strings else np.empty(0, dtype=TEXT)
        except UnicodeEncodeError:
            bad = np.fromiter((not _encodable(s) for s in strings), dtype=bool, count=len(strings))
            findings.rows(
                "not-unicode", "half of a surrogate pair", bad, column=name, hint="Maybe read with a wrong encoding?"
            )
            array = np.array([s if _encodable(s) else "" for s in strings], dtype=TEXT)
    return array


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parse_number(text: str) -> float:
    text = text.strip()
    if not text:
        return float("nan")
    if "_" in text:  # Python's float() takes 1_000; a table's reader should not
        raise ValueError
    return float(text)


def _numbers(cells: npt.NDArray[Any], name: str, findings: Findings, *, text_cells: bool) -> npt.NDArray[np.float64]:
    n = len(cells)
    if cells.dtype.kind in "fiu":
        return cells.astype(np.float64)
    everywhere = np.ones(n, dtype=bool)
    if cells.dtype.kind not in "OUT":
        findings.rows("wrong-type", f"expected numbers, not {cells.dtype}", everywhere, column=name)
        return np.zeros(n)
    out = np.full(n, np.nan)
    as_text, wrong, comma = np.zeros(n, bool), np.zeros(n, bool), False
    for i, value in enumerate(cells.tolist()):
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
        elif _is_null(value):
            continue
        elif isinstance(value, (bool, np.bool_)) or (
            not isinstance(value, (numbers.Real, np.number)) and not hasattr(value, "as_tuple")
        ):
            wrong[i] = True
        else:
            out[i] = float(value)
    hint = _COMMA_HINT if comma else None
    findings.rows(
        "numeric-text",
        "text where numbers are expected",
        as_text,
        column=name,
        hint=hint or "Convert the column to numbers first.",
    )
    findings.rows("not-a-number", "not a number", wrong, column=name, hint=hint)
    out[as_text | wrong] = 0.0
    return out


def _bounds(
    array: npt.NDArray[np.float64], name: str, spec: Column, findings: Findings, skip: npt.NDArray[np.bool_]
) -> None:
    missing = np.isnan(array)
    if not spec.missing:
        findings.rows("missing-value", "missing, or not a number", missing & ~skip, column=name)
    findings.rows("not-finite", "infinite", np.isinf(array), column=name)
    low = -np.inf if spec.low is None else spec.low
    high = np.inf if spec.high is None else spec.high
    below = array <= low if spec.low_open else array < low
    bad = (below | (array > high)) & np.isfinite(array) & ~skip
    bracket = "(" if spec.low_open else "["
    findings.rows(
        f"{name.replace('_', '-')}-out-of-range",
        f"outside {bracket}{low:g}, {high:g}]{' ' + spec.unit if spec.unit else ''}",
        bad,
        column=name,
    )


def _read_number(
    cells: npt.NDArray[Any], name: str, spec: Column, findings: Findings, *, text_cells: bool
) -> npt.NDArray[Any]:
    before = findings.bad_rows.copy()
    array = _numbers(cells, name, findings, text_cells=text_cells)
    _bounds(array, name, spec, findings, findings.bad_rows & ~before)
    if spec.kind is Kind.FLOAT:
        return array
    whole = np.isfinite(array) & (array == np.floor(array))
    findings.rows("not-whole", "not a whole number", ~whole & np.isfinite(array), column=name)
    return np.where(whole, array, 0).astype(np.int32 if spec.kind is Kind.IDX else np.int64)


def _read_bool(cells: npt.NDArray[Any], name: str, spec: Column, findings: Findings) -> npt.NDArray[np.bool_]:
    if cells.dtype.kind == "b":
        return cells.astype(bool)
    out = np.zeros(len(cells), dtype=bool)
    wrong = np.zeros(len(cells), dtype=bool)
    for i, value in enumerate(cells.tolist()):
        if _is_null(value) or value == "":
            wrong[i] = not spec.missing
            continue
        word = str(value).strip().casefold()
        word = {"1.0": "1", "0.0": "0"}.get(word, word)
        out[i] = word in _TRUE
        wrong[i] = word not in _TRUE and word not in _FALSE
    findings.rows("not-true-or-false", "expected true or false", wrong, column=name)
    return out


def _distinct(
    cells: npt.NDArray[Any], name: str, findings: Findings, read: Callable[[str], Any]
) -> tuple[list[Any], dict[int, str]]:
    """Read text cells through a function, once for each distinct text; {row: why} for failures."""
    seen: dict[str, Any] = {}
    why: dict[str, str] = {}
    out, errors = [], {}
    for i, text in enumerate(_strings(cells, name, findings, ids=False)):
        if text not in seen:
            try:
                seen[text] = read(text.strip())
            except ValueError as error:
                seen[text] = None
                why[text] = str(error)
        if text in why:
            errors[i] = why[text]
        out.append(seen[text])
    return out, errors


def _rows(errors: dict[int, str], n: int) -> npt.NDArray[np.bool_]:
    bad = np.zeros(n, dtype=bool)
    bad[list(errors)] = True
    return bad


def _read_enum(cells: npt.NDArray[Any], name: str, spec: Column, findings: Findings) -> npt.NDArray[np.int8]:
    words = spec.words
    if words is None:  # pragma: no cover - a mistake in a table's declaration
        raise TypeError(name)
    legal = {member.name.lower(): int(member) for member in words}
    if cells.dtype.kind in "iu":
        codes = cells.astype(np.int8)
        known = np.isin(codes, [*legal.values(), -1] if spec.missing else list(legal.values()))
        findings.rows("unknown-word", f"expected codes of {', '.join(legal)}", ~known, column=name)
        return np.where(known, codes, 0).astype(np.int8)

    def read(text: str) -> int:
        if not text and spec.missing:
            return -1
        if text.casefold() not in legal:
            raise ValueError(text)
        return legal[text.casefold()]

    values, errors = _distinct(cells, name, findings, read)
    shown = ", ".join(sorted({repr(e) for e in errors.values()})[:3])
    findings.rows(
        "unknown-word", f"expected one of {', '.join(legal)}, not {shown}", _rows(errors, len(cells)), column=name
    )
    return np.array([-1 if v is None else v for v in values], dtype=np.int8)


def _read_weekdays(cells: npt.NDArray[Any], name: str, spec: Column, findings: Findings) -> npt.NDArray[np.uint8]:
    if cells.dtype.kind in "iu":
        return cells.astype(np.uint8)

    def read(text: str) -> int:
        days = _parse_days(text) if text else range(7)
        return sum(1 << d for d in set(days or ()))

    values, errors = _distinct(cells, name, findings, read)
    findings.rows(
        "weekdays-not-understood",
        f"expected e.g. {WEEKDAYS[0]},{WEEKDAYS[2]}",
        _rows(errors, len(cells)),
        column=name,
        hint=spec.doc,
    )
    return np.array([127 if v is None else v for v in values], dtype=np.uint8)


def _to_day(value: object, date_format: str | None) -> np.datetime64:
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return np.datetime64("NaT", "D")
        if date_format is not None:
            return np.datetime64(dt.datetime.strptime(text, date_format).date(), "D")  # noqa: DTZ007 - a day has no zone
        if len(text) < 10 or text[4] != "-" or text[7] != "-":
            raise ValueError(text)
        return np.datetime64(dt.datetime.fromisoformat(text).date(), "D")
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            raise TypeError("aware")
        return np.datetime64(value.date(), "D")
    if isinstance(value, (dt.date, np.datetime64)):
        return np.datetime64(value, "D")
    raise ValueError(str(value))


def _read_day(
    cells: npt.NDArray[Any], name: str, spec: Column, findings: Findings, *, date_format: str | None
) -> npt.NDArray[Any]:
    if cells.dtype.kind == "M":
        days = cells.astype("datetime64[D]")
    else:
        if cells.dtype.kind not in "OUT":
            findings.rows("wrong-type", f"expected dates, not {cells.dtype}", np.ones(len(cells), bool), column=name)
            return np.full(len(cells), np.datetime64("NaT", "D"))
        days = np.full(len(cells), np.datetime64("NaT", "D"))
        wrong, aware = np.zeros(len(cells), bool), np.zeros(len(cells), bool)
        cache: dict[object, np.datetime64] = {}
        for i, value in enumerate(cells.tolist()):
            if _is_null(value):
                continue
            try:
                if value not in cache:
                    cache[value] = _to_day(value, date_format)
                days[i] = cache[value]
            except ValueError:
                wrong[i] = True
            except TypeError:
                aware[i] = True
        hint = "Write 2026-04-03, or pass date_format='%d/%m/%Y'."
        findings.rows(
            "not-a-date",
            "not an ISO date" if date_format is None else f"not of the form {date_format}",
            wrong,
            column=name,
            hint=hint,
        )
        findings.rows("aware-times", "times with a zone where plain dates are expected", aware, column=name)
    if not spec.missing:
        findings.rows("missing-value", "missing", np.isnat(days) & ~findings.bad_rows, column=name)
    return days


def _read_hours(cells: npt.NDArray[Any], name: str, findings: Findings) -> WeeklyHours:
    hours, errors = WeeklyHours.parse(_strings(cells, name, findings, ids=False))
    shown = "; ".join(sorted(set(errors.values()))[:2])
    findings.rows(
        "hours-not-understood",
        shown,
        _rows(errors, len(cells)),
        column=name,
        hint="Write e.g. Mo-Fr 09:00-12:00,13:00-17:00; Sa 10:00-14:00.",
    )
    return hours


def _read_dates(cells: npt.NDArray[Any], name: str, findings: Findings) -> DateRanges:
    ranges, errors = DateRanges.parse(_strings(cells, name, findings, ids=False))
    shown = "; ".join(sorted(set(errors.values()))[:2])
    findings.rows(
        "dates-not-understood",
        shown,
        _rows(errors, len(cells)),
        column=name,
        hint="Write e.g. 2026-12-24..2026-12-31; 2027-01-06.",
    )
    return ranges


def _read_sets(cells: npt.NDArray[Any], name: str, findings: Findings) -> TextSets:
    if cells.dtype.kind == "O" and any(
        isinstance(v, (list, tuple, set, frozenset, np.ndarray)) for v in cells.tolist()
    ):
        return TextSets.from_sets(
            v.split(";") if isinstance(v, str) else () if v is None or isinstance(v, float) else [str(w) for w in v]
            for v in cells.tolist()
        )
    return TextSets.from_text(_strings(cells, name, findings, ids=False))


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
    values : array_like of length n, or WeeklyHours, DateRanges, TextSets
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
    if isinstance(values, (WeeklyHours, DateRanges, TextSets)):
        return values
    cells = _as_cells(values)
    if cells.ndim != 1:
        findings.table("not-one-dimensional", f"shape {cells.shape}", column=name)
        return cells
    kind = spec.kind
    if kind is Kind.TEXT:
        array = _read_text(cells, name, spec, findings)
    elif kind in (Kind.FLOAT, Kind.INT, Kind.IDX):
        array = _read_number(cells, name, spec, findings, text_cells=text_cells)
    elif kind is Kind.BOOL:
        array = _read_bool(cells, name, spec, findings)
    elif kind is Kind.ENUM:
        array = _read_enum(cells, name, spec, findings)
    elif kind is Kind.WEEKDAYS:
        array = _read_weekdays(cells, name, spec, findings)
    elif kind is Kind.DAY:
        array = _read_day(cells, name, spec, findings, date_format=date_format)
    elif kind is Kind.INSTANT:
        array = cells.astype("datetime64[s]")
    elif kind is Kind.HOURS:
        return _read_hours(cells, name, findings)
    elif kind is Kind.DATES:
        return _read_dates(cells, name, findings)
    else:
        return _read_sets(cells, name, findings)
    return frozen(array)
