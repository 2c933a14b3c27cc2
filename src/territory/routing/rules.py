"""What a routing problem must keep before any engine sees it.

Kinds and shapes first; a rule on values is left out where a column that it reads is not of its kind
and shape. Small problems are checked thousands of times a night: values of all columns are looked at
in one sweep, and columns one by one only where something is wrong.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import Problem
from territory.routing import rules_sets as sets
from territory.routing import rules_values as values

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from territory.routing.problem import RoutingProblem

__all__ = ["broken_rules"]

_WHOLE: Final = np.dtype(np.int64)
_SMALL: Final = np.dtype(np.int32)
_REAL: Final = np.dtype(np.float64)
_TRUTH: Final = np.dtype(np.bool_)
_VISITS: Final[dict[str, np.dtype[Any]]] = {
    "place": _SMALL, "service_s": _WHOLE, "window_holds_visit": _TRUTH, "value": _REAL, "required": _TRUTH,
    "load": _WHOLE, "due_s": _WHOLE, "late_cost": _REAL, "pinned_shift": _SMALL, "pinned_start_s": _WHOLE,
    "change_cost": _REAL, "first_low_day": _SMALL, "first_high_day": _SMALL, "first_due_day": _SMALL,
    "gap_low_days": _SMALL, "gap_high_days": _SMALL, "gap_days": _SMALL, "interval_days": _REAL, "off_cost": _REAL,
    "weekday_cost": _REAL, "last_weekday": _SMALL,
}  # fmt: skip
_SHIFTS: Final[dict[str, np.dtype[Any]]] = {
    "start_place": _SMALL, "end_place": _SMALL, "begin_s": _WHOLE, "end_s": _WHOLE, "day": _SMALL, "profile": _SMALL,
    "service_factor": _REAL, "max_duration_s": _WHOLE, "max_drive_s": _WHOLE, "max_visits": _WHOLE,
    "capacity": _WHOLE, "max_overtime_s": _WHOLE, "overtime_cost": _REAL, "cost": _REAL, "cost_per_s": _REAL,
    "cost_per_drive_s": _REAL, "cost_per_m": _REAL,
}  # fmt: skip

#: Rules on values, and the columns that they read.
_RULES: Final[tuple[tuple[Callable[[RoutingProblem], list[Problem]], set[str]], ...]] = (
    (values.durations_right, {"durations_s"}),
    (values.distances_right, {"durations_s", "distances_m"}),
    (values.distances_there, {"shifts.cost_per_m"}),
    (values.buckets_rise, {"bucket_starts_s"}),
    (values.visits_in_range, {"durations_s", *(f"visits.{name}" for name in _VISITS)}),
    (values.shifts_in_range, {"durations_s", *(f"shifts.{name}" for name in _SHIFTS)}),
    (values.rhythms_right, {"visits." + name for name in values.RHYTHM}),
    (values.services_fit, {"visits.service_s", "shifts.service_factor"}),
    (values.shifts_forward, {"shifts.begin_s", "shifts.end_s", "shifts.max_overtime_s"}),
    (values.horizon_holds_shifts, {"shifts.day", "n_days"}),
    (sets.windows_right, set()),
    (sets.pins_inside, {"visits.pinned_start_s", "visits.pinned_shift", "visits.windows", "shifts.begin_s",
                        "shifts.end_s", "shifts.max_overtime_s"}),
    (sets.breaks_right, set()),
    (sets.patterns_right, {"visits.gap_low_days", "n_days"}),
    (sets.locks_right, {"visits.pinned_shift", "visits.gap_low_days", "visits.patterns", "eligible"}),
    (sets.pairs_right, {"joint"}),
    (sets.precedence_right, {"joint", "precedence", "precedence_delay_s"}),
    (sets.links_without_cadence, {"joint", "precedence", "visits.gap_low_days", "visits.patterns"}),
)  # fmt: skip


def broken_rules(problem: RoutingProblem) -> list[Problem]:
    """Return every broken rule.

    Parameters
    ----------
    problem : RoutingProblem
        With whatever its fields were given.

    Returns
    -------
    list of Problem
        Empty: engines can rely on everything that the docstrings of `territory.routing.problem` say.

    Notes
    -----
    O(V + S) besides the matrices, each of which is read once.
    """
    problems: list[Problem] = []
    _tables(problem, problems)
    _others(problem, problems)
    bad = {p.column for p in problems}
    for rule, reads in _RULES:
        if not bad or not (bad & reads):
            found = rule(problem)
            if found:
                problems += found
                # windows and patterns that cannot be read are not looked into again
                bad |= {p.column for p in found if p.code in sets.UNREADABLE}
    return problems


def _tables(problem: RoutingProblem, problems: list[Problem]) -> None:
    tables: tuple[tuple[str, Any, dict[str, np.dtype[Any]]], ...] = (
        ("visits", problem.visits, _VISITS), ("shifts", problem.shifts, _SHIFTS)
    )  # fmt: skip
    for name, table, kinds in tables:
        shape = (len(table),)
        for column, kind in kinds.items():
            array = getattr(table, column)
            if array.dtype is not kind and array.dtype != kind:
                problems.append(_wrong_kind(array, kind, f"{name}.{column}"))
            elif array.shape != shape:
                message = f"shape {array.shape}, expected {shape}"
                hint = "One value a row, not one for all." if array.ndim == 0 else None
                problems.append(Problem("wrong-shape", message, f"{name}.{column}", hint=hint))


def _others(problem: RoutingProblem, problems: list[Problem]) -> None:
    n_visits, n_shifts = len(problem.visits), len(problem.shifts)
    drive, metres = problem.durations_s, problem.distances_m
    if drive.dtype.kind not in "iu":
        problems.append(_wrong_kind(drive, _WHOLE, "durations_s"))
    elif drive.ndim != 4 or drive.shape[2] != drive.shape[3] or 0 in drive.shape[:2]:
        message = f"shape {drive.shape}, expected (n, n), (profiles, n, n) or (profiles, buckets, n, n)"
        problems.append(Problem("matrix-shape", message, "durations_s"))
    if metres is not None:
        if metres.dtype.kind not in "iu":
            problems.append(_wrong_kind(metres, _WHOLE, "distances_m"))
        elif metres.ndim != 3 or (drive.ndim == 4 and metres.shape != (drive.shape[0], *drive.shape[2:])):
            message = f"shape {metres.shape} does not fit that of durations_s, {drive.shape}"
            problems.append(Problem("matrix-shape", message, "distances_m"))
    buckets = drive.shape[1] if drive.ndim == 4 else None
    expected: tuple[tuple[str, np.dtype[Any], tuple[int | None, ...]], ...] = (
        ("bucket_starts_s", _WHOLE, (buckets,)),
        ("eligible", _TRUTH, (n_visits, n_shifts)),
        ("baseline", _TRUTH, (n_visits, n_shifts)),
        ("joint", _WHOLE, (None, 2)),
        ("precedence", _WHOLE, (None, 2)),
        ("precedence_delay_s", _WHOLE, problem.precedence.shape[:1]),
    )
    for column, kind, shape in expected:
        array = getattr(problem, column)
        if array is None:
            continue
        if array.dtype != kind:
            problems.append(_wrong_kind(array, kind, column))
        elif len(array.shape) != len(shape) or any(b not in (None, a) for a, b in zip(array.shape, shape, strict=True)):
            sizes = ", ".join("any" if b is None else str(b) for b in shape)
            problems.append(Problem("wrong-shape", f"shape {array.shape}, expected ({sizes})", column))
    for column, least in (("n_days", 0), ("freeze_s", None)):
        value = getattr(problem, column)
        if type(value) is not int and not (value is None and least is None):
            problems += _whole(value, column)
    if not problems and (problem.n_days < 0 or problem.n_days > values.MOST_DAYS):
        problems.append(Problem("day-out-of-range", f"expected 0 to {values.MOST_DAYS:,} days", "n_days"))
    freeze = problem.freeze_s
    if not problems and freeze is not None and abs(freeze) > values.FARTHEST:
        problems.append(Problem("too-large", f"expected at most {values.FARTHEST:,} s either way", "freeze_s"))


def _whole(value: Any, column: str) -> list[Problem]:
    try:
        operator.index(value)
    except TypeError:
        return [Problem("wrong-type", f"expected a whole number, not {type(value).__name__}", column)]
    return [] if not isinstance(value, bool) else [Problem("wrong-type", "expected a whole number, not bool", column)]


def _wrong_kind(array: NDArray[Any], kind: np.dtype[Any], column: str) -> Problem:
    """Return what keeps values from being of a kind."""
    cell: Any = array[()] if array.ndim == 0 else None
    if array.dtype.kind not in "iufb":
        if array.dtype.kind == "O" and isinstance(cell, (list, tuple)):
            return Problem("wrong-shape", "rows of different lengths, or of different kinds", column)
        wanted = "true or false" if kind.kind == "b" else "numbers"
        hint = "Maybe numbers written as text?" if array.dtype.kind in "US" else None
        return Problem("not-numbers", f"expected {wanted}, not {array.dtype}", column, hint=hint)
    for code, message, hint, wrong in (
        ("not-finite", "not a finite number", "A column left out takes its default.", ~np.isfinite(array)),
        ("not-boolean", "expected true or false", None, (array != 0) & (array != 1) & (kind.kind == "b")),
        ("not-whole", "not a whole number", "Times are whole seconds.", np.rint(array) != array),
    ):
        if wrong.any():
            return values.in_rows(code, message, column, wrong, hint)
    return values.in_rows("too-large", f"too large for {kind}", column, np.abs(array.astype(float)) >= values.LARGEST)
