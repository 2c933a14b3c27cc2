"""Reading travel times from a long table, one leg a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from territory.errors import MAX_ROWS_LISTED, InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["LegTable", "read_legs"]


@dataclass(frozen=True, slots=True)
class LegTable:
    """A long table as square matrices; ids in the order of their first row, reps as they were given."""

    durations_s: NDArray[np.float64]
    distances_m: NDArray[np.float64] | None
    customer_ids: list[str]
    rep_ids: list[str]
    rep_end_ids: list[str]
    hotel_ids: list[str]


def read_legs(
    frame: Any,
    *,
    columns: Mapping[str, str],
    rep_ids: Sequence[str],
    rep_end_ids: Sequence[str],
    hotel_ids: Sequence[str],
    missing: str,
) -> LegTable:
    """Turn a long table into matrices; see `territory.travel.matrix.MatrixTravel.from_frame`.

    Parameters
    ----------
    frame : dataframe
    columns : mapping
        The names of the columns ``origin``, ``destination``, ``duration`` and ``distance``.
    rep_ids, rep_end_ids, hotel_ids : sequence of str
    missing : {"error", "unreachable"}

    Raises
    ------
    InputError
        Every problem of the table at once.
    """
    if missing not in ("error", "unreachable"):
        problem = Problem("missing-option", f"expected 'error' or 'unreachable', not {missing!r}", "missing")
        raise InputError([problem], "travel table")
    table = nw.from_native(frame, eager_only=True)
    _require(table, columns)
    problems: list[Problem] = []
    starts = _ids(table[columns["origin"]], problems)
    ends = _ids(table[columns["destination"]], problems)
    seconds = _numbers(table[columns["duration"]], problems)
    metres = _numbers(table[columns["distance"]], problems) if columns["distance"] in table.columns else None
    both = sorted(set(rep_ids) & set(rep_end_ids))
    if both:
        message = f"both a rep's home and end: {', '.join(map(repr, both[:MAX_ROWS_LISTED]))}"
        hint = "Leave ends out that are at home; in a table, a place needs an id of its own."
        problems.append(Problem("ambiguous-id", message, "rep_end_ids", len(both), hint=hint))
    twice = sorted({*rep_ids, *rep_end_ids} & set(hotel_ids))
    if twice:
        message = f"both a rep's place and a hotel: {', '.join(map(repr, twice[:MAX_ROWS_LISTED]))}"
        hint = "In a table, a place needs an id of its own."
        problems.append(Problem("ambiguous-id", message, "hotel_ids", len(twice), hint=hint))
    if problems:
        raise InputError(problems, "travel table")
    others = dict.fromkeys([*rep_ids, *rep_end_ids, *hotel_ids])
    customer_ids = [name for name in dict.fromkeys([*starts, *ends]) if name not in others]
    row_of = {name: row for row, name in enumerate([*customer_ids, *others])}
    names = list(row_of)
    n = len(names)
    leg = np.array([row_of[name] for name in starts], dtype=np.int64) * n
    leg += np.array([row_of[name] for name in ends], dtype=np.int64)
    problems += _twice(leg)
    # a place needs no leg to itself
    known = np.eye(n, dtype=bool)
    known.reshape(-1)[leg] = True
    if missing == "error" and not known.all():
        problems.append(_absent(known, names))
    if problems:
        raise InputError(problems, "travel table")
    return LegTable(
        durations_s=_square(n, leg, seconds),
        distances_m=None if metres is None else _square(n, leg, metres),
        customer_ids=customer_ids,
        rep_ids=list(rep_ids),
        rep_end_ids=list(rep_end_ids),
        hotel_ids=list(hotel_ids),
    )


def _require(table: nw.DataFrame[Any], columns: Mapping[str, str]) -> None:
    absent = [columns[key] for key in ("origin", "destination", "duration") if columns[key] not in table.columns]
    if absent:
        there = ", ".join(repr(name) for name in table.columns)
        raise InputError([Problem("missing-column", f"not among {there}", name) for name in absent], "travel table")


def _noted(
    problems: list[Problem], code: str, message: str, rows: Iterable[int], column: str, *, hint: str | None = None
) -> None:
    found = [int(row) for row in rows]
    if found:
        problems.append(Problem(code, message, column, len(found), tuple(found[:MAX_ROWS_LISTED]), hint))


def _ids(series: nw.Series[Any], problems: list[Problem]) -> list[str]:
    name = series.name
    if series.dtype.is_float():
        hint = "Maybe integers turned into floats by a missing value? Read them as text."
        problems.append(Problem("id-not-text", "ids are floats, such as 1001.0", name, len(series), hint=hint))
        return []
    null = series.is_null().to_numpy().astype(bool)
    _noted(problems, "blank-id", "missing", np.flatnonzero(null), name)
    if series.dtype.is_integer():
        return [str(value) for value in series.to_list()]
    values = series.to_list()
    strange = [row for row, value in enumerate(values) if not null[row] and not isinstance(value, str)]
    _noted(problems, "id-not-text", "neither text nor integer", strange, name)
    return [value if isinstance(value, str) else "" for value in values]


def _numbers(series: nw.Series[Any], problems: list[Problem]) -> NDArray[np.float64]:
    """Read numbers; nulls become infinite, NaN is noted."""
    name = series.name
    if not series.dtype.is_numeric():
        message = f"expected numbers, not {series.dtype}"
        problems.append(Problem("not-numbers", message, name, len(series), hint="Maybe numbers written as text?"))
        return np.empty(0)
    nan = np.zeros(len(series), dtype=bool)
    if series.dtype.is_float():
        nan = series.is_nan().fill_null(value=False).to_numpy().astype(bool)
    null = series.is_null().to_numpy().astype(bool) & ~nan
    hint = "Write null or infinity where there is no way; plain floats of pandas have NaN for null, Float64 has not."
    _noted(problems, "nan", "not a number", np.flatnonzero(nan), name, hint=hint)
    values = series.cast(nw.Float64).fill_null(np.inf).to_numpy().astype(np.float64)
    return np.where(null, np.inf, values)


def _twice(leg: NDArray[np.int64]) -> list[Problem]:
    _, first = np.unique(leg, return_index=True)
    again = np.ones(len(leg), dtype=bool)
    again[first] = False
    problems: list[Problem] = []
    _noted(
        problems, "duplicate-leg", "the same origin and destination again", np.flatnonzero(again), "origin, destination"
    )
    return problems


def _absent(known: NDArray[np.bool_], names: list[str]) -> Problem:
    legs = np.argwhere(~known)
    listed = ", ".join(f"{names[a]!r} to {names[b]!r}" for a, b in legs[:3].tolist())
    hint = "With missing='unreachable' they have no way."
    return Problem("missing-leg", f"not in the table: {listed}", "origin, destination", len(legs), hint=hint)


def _square(n: int, leg: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix = np.full((n, n), np.inf)
    np.fill_diagonal(matrix, 0.0)
    matrix.reshape(-1)[leg] = values
    return matrix
