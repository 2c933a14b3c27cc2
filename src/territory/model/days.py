"""Columns of calendar days and of instants."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.model.cells import Chunks, is_null, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.model.arrays import DayArray, InstantArray
    from territory.model.cells import Cells
    from territory.model.columns import Column, Findings

__all__ = ["read_day", "read_instant", "to_day"]

_FORM_HINT: Final = "Write 2026-04-03, or pass date_format='%d/%m/%Y'."
#: Day 0 of datetime64.
_EPOCH: Final = dt.date(1970, 1, 1).toordinal()


class _AwareError(ValueError):
    """A time with a zone stands where wall-clock times are expected."""


class _TimedError(ValueError):
    """A time of day stands where days are expected, and would be lost."""


def _iso(text: str) -> dt.datetime:
    """Read an ISO date or time in its extended form; ``20260403`` and week dates are refused."""
    if len(text) < 10 or text[4] != "-" or text[7] != "-":
        raise ValueError(text)
    found = dt.datetime.fromisoformat(text)
    if found.tzinfo is not None:
        raise _AwareError(text)
    return found


def to_day(value: object, date_format: str | None = None) -> int | None:
    """Return a calendar day as days since 1970-01-01; blank is None.

    Parameters
    ----------
    value : str, date, datetime or datetime64
        Of a time without a zone, the day it lies on.
    date_format : str, optional
        A `strptime` form for text.

    Raises
    ------
    ValueError
        No day.
    """
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if date_format is not None:
            return dt.datetime.strptime(text, date_format).toordinal() - _EPOCH  # noqa: DTZ007 - a day has no zone
        return _iso(text).toordinal() - _EPOCH
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else int(value.astype("datetime64[D]").astype(np.int64))
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        raise _AwareError(str(value))
    if isinstance(value, dt.date):
        return value.toordinal() - _EPOCH
    raise ValueError(str(value))


def _to_whole_day(value: object, date_format: str | None) -> int | None:
    """Return a calendar day as `to_day` does; other times than midnight are refused."""
    day = to_day(value, date_format)
    if isinstance(value, str) and day is not None:
        text = value.strip()
        value = dt.datetime.strptime(text, date_format) if date_format else _iso(text)  # noqa: DTZ007 - as above
    if isinstance(value, np.datetime64) and day is not None and value != np.datetime64(day, "D"):
        raise _TimedError(str(value))
    if isinstance(value, dt.datetime) and value.time() != dt.time():
        raise _TimedError(str(value))
    return day


def _to_second(value: object) -> int | None:
    """Return a wall-clock time as seconds since 1970-01-01 00:00, fractions cut off; blank is None."""
    if isinstance(value, str):
        if not value.strip():
            return None
        value = _iso(value.strip())
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else int(value.astype("datetime64[s]").astype(np.int64))
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            raise _AwareError(str(value))
        return (value.toordinal() - _EPOCH) * 86_400 + value.hour * 3600 + value.minute * 60 + value.second
    day = to_day(value)
    return None if day is None else day * 86_400


def _read(
    cells: Cells,
    name: str,
    spec: Column,
    findings: Findings,
    *,
    unit: str,
    read: Callable[[Any], int | None],
    rule: tuple[str, str],
    hint: str,
) -> Any:
    n = len(cells)
    timed = np.zeros(n, dtype=bool)
    if not isinstance(cells, Chunks) and cells.dtype.kind == "M":
        out = cells.astype(f"datetime64[{unit}]")
        if spec.clock:
            timed = ~np.isnat(cells) & (cells != out)
    else:
        out = np.full(n, "NaT", dtype=f"datetime64[{unit}]")
        if not isinstance(cells, Chunks) and cells.dtype.kind not in "OUT":
            blank = cells.dtype.kind == "f" and bool(np.isnan(cells).all())
            if not blank:
                bad = np.ones(n, dtype=bool)
                findings.rows("wrong-type", f"expected dates, not {cells.dtype}", bad, column=name, hint=hint)
                return out
        numbers = out.view(np.int64)
        wrong, aware = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        known: dict[Any, int | None] = {}
        for i, value in enumerate(v for part in parts_of(cells) for v in part):
            if is_null(value):
                continue
            try:
                if value not in known:
                    known[value] = read(value)
                number = known[value]
            except _AwareError:
                aware[i] = True
            except _TimedError:
                timed[i] = True
            except (ValueError, TypeError):  # TypeError: a cell that cannot be looked up, such as a list
                wrong[i] = True
            else:
                if number is not None:
                    numbers[i] = number
        findings.rows(*rule, wrong, column=name, hint=hint)
        findings.rows(
            "aware-times",
            "times with a zone where plain ones are expected",
            aware,
            column=name,
            hint="Convert to local time, then drop the zone.",
        )
    findings.rows(
        "time-lost",
        "a time of day where a day is expected",
        timed,
        column=name,
        hint=f"Write the day here, and the time in {spec.clock}: seconds from midnight, 36000 for 10:00.",
    )
    if not spec.missing:
        findings.rows("missing-value", "missing", np.isnat(out) & ~findings.bad_in(name), column=name)
    return out


def read_day(cells: Cells, name: str, spec: Column, findings: Findings, *, date_format: str | None) -> DayArray:
    """Read calendar days: dates, times without a zone (their day, or a fault: `Column.clock`), or text."""
    form = "not an ISO date" if date_format is None else f"not of the form {date_format}"
    days: DayArray = _read(
        cells,
        name,
        spec,
        findings,
        unit="D",
        read=lambda v: (_to_whole_day if spec.clock else to_day)(v, date_format),
        rule=("not-a-date", form),
        hint=_FORM_HINT,
    )
    return days


def read_instant(cells: Cells, name: str, spec: Column, findings: Findings) -> InstantArray:
    """Read times without a zone, to the second; whose clock they are is the caller's business."""
    times: InstantArray = _read(
        cells,
        name,
        spec,
        findings,
        unit="s",
        read=_to_second,
        rule=("not-a-time", "not an ISO time"),
        hint="Write 2026-04-03T09:30:00.",
    )
    return times
