"""Rules on the numbers of a routing problem: matrices, columns of visits and shifts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import MAX_ROWS_LISTED, Problem
from territory.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from territory.routing.problem import RoutingProblem

__all__ = ["in_rows"]

#: A longest drive, service, delay, and span of all shifts, seconds: sums of two stay below 2**31.
LONGEST: Final = 1 << 30
#: Farthest time from 0 on the problem's clock, seconds; shifts lie in 0 .. 2**31 - 1.
FARTHEST: Final = 1 << 40
CLOCK: Final = (1 << 31) - 1
LARGEST: Final = 1 << 31
#: Highest amount of a cost or value: a thousand of them still add up to the last second.
DEAREST: Final = 1e12
#: A century; every pattern takes a flag a day.
MOST_DAYS: Final = 36_600
RHYTHM: Final = (
    "first_low_day", "first_high_day", "first_due_day", "gap_low_days", "gap_high_days", "gap_days", "interval_days",
)  # fmt: skip
_ENDLESS: Final = 1 << 62

_VISIT_WHOLE: Final = (
    ("service_s", 0, LONGEST), ("load", 0, FARTHEST), ("due_s", -FARTHEST, FARTHEST), ("pinned_start_s", -1, CLOCK),
    ("first_low_day", 0, LONGEST), ("first_high_day", 0, LONGEST), ("first_due_day", 0, LONGEST),
    ("gap_low_days", 0, LONGEST), ("gap_high_days", 0, LONGEST), ("gap_days", 0, LONGEST),
    ("last_weekday", -1, 6),
)  # fmt: skip
_VISIT_COSTS: Final = ("value", "late_cost", "change_cost", "interval_days", "off_cost", "weekday_cost")
_SHIFT_WHOLE: Final = (
    ("begin_s", 0, CLOCK), ("end_s", 0, CLOCK), ("day", 0, MOST_DAYS - 1), ("max_duration_s", 0, _ENDLESS),
    ("max_drive_s", 0, _ENDLESS), ("max_visits", 0, _ENDLESS), ("capacity", 0, _ENDLESS),
    ("max_overtime_s", 0, LONGEST),
)  # fmt: skip
_SHIFT_COSTS: Final = (
    "overtime_cost", "cost", "cost_per_s", "cost_per_drive_s", "cost_per_m", "service_factor"
)  # fmt: skip
_VISIT_LOW: Final = np.array([low for _, low, _ in _VISIT_WHOLE])[:, None]
_VISIT_HIGH: Final = np.array([high for _, _, high in _VISIT_WHOLE])[:, None]
_SHIFT_LOW: Final = np.array([low for _, low, _ in _SHIFT_WHOLE])[:, None]
_SHIFT_HIGH: Final = np.array([high for _, _, high in _SHIFT_WHOLE])[:, None]


def in_rows(code: str, message: str, column: str, wrong: NDArray[Any], hint: str | None = None) -> Problem:
    """Return a problem of the rows (first axis) in which something is wrong."""
    rows = np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1)) if wrong.ndim else np.zeros(0, np.int64)
    return Problem(code, message, column, max(1, int(wrong.sum())), tuple(rows[:MAX_ROWS_LISTED].tolist()), hint)


def _outside(low: float, high: float, column: str, values: NDArray[Any]) -> list[Problem]:
    """Return how values leave a range; NaN is outside every one."""
    problems = []
    unknown = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, np.bool_)
    if unknown.any():
        problems.append(in_rows("nan", "not a number", column, unknown))
    if (values < low).any():
        code, message = ("negative", "below zero") if low == 0 else ("out-of-range", f"below {low:,}")
        problems.append(in_rows(code, message, column, values < low))
    if (values > high).any():
        problems.append(in_rows("too-large", f"above {high:,.15g}", column, values > high))
    return problems


def durations_right(problem: RoutingProblem) -> list[Problem]:
    """``negative``, ``overflow``, ``diagonal``."""
    return _matrices(problem.durations_s, "durations_s")


def distances_right(problem: RoutingProblem) -> list[Problem]:
    """``negative``, ``overflow``, ``diagonal``; ``distance-missing`` where there is a way without a length."""
    metres = problem.distances_m
    if metres is None:
        return []
    problems = _matrices(metres, "distances_m")
    way = (problem.durations_s != UNREACHABLE).any(axis=1)
    lost = (metres == UNREACHABLE) & way
    if lost.any():
        message = "no distance where there is a driving time"
        problems.append(in_rows("distance-missing", message, "distances_m", np.swapaxes(lost, 0, 1)))
    return problems


def _matrices(cube: NDArray[Any], column: str) -> list[Problem]:
    problems: list[Problem] = []
    if not cube.size:
        return problems

    def note(code: str, message: str, wrong: NDArray[Any], hint: str | None = None) -> None:
        # rows of the problem are places, the last axis but one
        problems.append(in_rows(code, message, column, np.moveaxis(wrong, -2, 0), hint))

    if int(cube.min()) < 0:
        note("negative", "below zero", cube < 0)
    if int(cube.max()) > LONGEST:
        far = (cube > LONGEST) & (cube != UNREACHABLE)
        if far.any():
            note("overflow", f"above {LONGEST:,}", far, "Write territory.travel.UNREACHABLE where there is no way.")
    diagonal = np.diagonal(cube, axis1=-2, axis2=-1)
    if diagonal.any():
        wrong = np.moveaxis(diagonal, -1, 0) != 0
        problems.append(in_rows("diagonal", "not zero from a place to itself", column, wrong))
    return problems


def distances_there(problem: RoutingProblem) -> list[Problem]:
    """``distance-missing``: shifts cost by the metre, and there are no metres."""
    if problem.distances_m is not None or not problem.shifts.cost_per_m.any():
        return []
    rated = problem.shifts.cost_per_m != 0
    return [in_rows("distance-missing", "costs by the metre need distances_m", "shifts.cost_per_m", rated)]


def buckets_rise(problem: RoutingProblem) -> list[Problem]:
    """``not-rising``, ``too-large``."""
    starts = problem.bucket_starts_s
    if len(starts) == 1 and abs(int(starts[0])) <= FARTHEST:
        return []
    problems = _outside(-FARTHEST, FARTHEST, "bucket_starts_s", starts)
    stuck = np.append(np.zeros(1, np.bool_), starts[1:] <= starts[:-1])
    if stuck.any():
        message = "not after the bucket before"
        problems.append(in_rows("not-rising", message, "bucket_starts_s", stuck))
    return problems


def _swept(
    table: Any, name: str, whole: Sequence[tuple[str, int, int]], low: NDArray[Any], high: NDArray[Any],
    costs: Sequence[str],
) -> list[Problem]:  # fmt: skip
    problems: list[Problem] = []
    numbers = np.array([getattr(table, column) for column, _, _ in whole])
    if ((numbers < low) | (numbers > high)).any():
        for column, least, most in whole:
            problems += _outside(least, most, f"{name}.{column}", getattr(table, column))
    amounts = np.array([getattr(table, column) for column in costs])
    # false for NaN
    if not ((amounts >= 0) & (amounts <= DEAREST)).all():
        for column in costs:
            problems += _outside(0, DEAREST, f"{name}.{column}", getattr(table, column))
    return problems


def _indexes(values: NDArray[Any], low: int, n: int, column: str, code: str, what: str) -> list[Problem]:
    wrong = (values < low) | (values >= n)
    if not wrong.any():
        return []
    return [in_rows(code, f"there are {n} {what}, counted from 0", column, wrong)]


def visits_in_range(problem: RoutingProblem) -> list[Problem]:
    """``nan``, ``negative``, ``too-large``, ``out-of-range``, ``place-out-of-range``, ``shift-out-of-range``."""
    v = problem.visits
    if not len(v):
        return []
    problems = _indexes(v.place, 0, problem.n_places, "visits.place", "place-out-of-range", "places")
    if v.pinned_shift.max() >= 0 or v.pinned_shift.min() < -1:
        problems += _indexes(
            v.pinned_shift, -1, problem.n_shifts, "visits.pinned_shift", "shift-out-of-range", "shifts"
        )
    return problems + _swept(v, "visits", _VISIT_WHOLE, _VISIT_LOW, _VISIT_HIGH, _VISIT_COSTS)


def shifts_in_range(problem: RoutingProblem) -> list[Problem]:
    """``nan``, ``negative``, ``too-large``, ``place-out-of-range``, ``profile-out-of-range``, ``not-positive``."""
    s = problem.shifts
    if not len(s):
        return []
    problems = []
    n = problem.n_places
    ends = np.array((s.start_place, s.end_place))
    if ends.min() < 0 or ends.max() >= n:
        problems += _indexes(s.start_place, 0, n, "shifts.start_place", "place-out-of-range", "places")
        if s.end_place is not s.start_place:
            problems += _indexes(s.end_place, 0, n, "shifts.end_place", "place-out-of-range", "places")
    profiles = len(problem.durations_s)
    problems += _indexes(s.profile, 0, profiles, "shifts.profile", "profile-out-of-range", "profiles")
    problems += _swept(s, "shifts", _SHIFT_WHOLE, _SHIFT_LOW, _SHIFT_HIGH, _SHIFT_COSTS)
    if not s.service_factor.all():
        wrong = s.service_factor == 0
        problems.append(in_rows("not-positive", "expected above zero", "shifts.service_factor", wrong))
    return problems


def rhythms_right(problem: RoutingProblem) -> list[Problem]:
    """``first-reversed``, ``gap-reversed``, ``gap-outside``, ``gap-low-missing``, ``interval-too-short``."""
    v = problem.visits
    if not (v.gap_low_days.any() or v.gap_high_days.any() or v.gap_days.any()):
        return []
    on = v.gap_low_days > 0
    problems = []
    for code, message, column, wrong in (
        ("gap-low-missing", "a rhythm needs gap_low_days of at least 1", "gap_low_days",
         ~on & ((v.gap_high_days > 0) | (v.gap_days > 0))),
        ("first-reversed", "first_low_day after first_high_day", "first_low_day",
         on & (v.first_low_day > v.first_high_day)),
        ("gap-reversed", "gap_low_days above gap_high_days", "gap_low_days", on & (v.gap_low_days > v.gap_high_days)),
        ("gap-outside", "not from gap_low_days to gap_high_days", "gap_days",
         on & (v.gap_low_days <= v.gap_high_days) & ((v.gap_days < v.gap_low_days) | (v.gap_days > v.gap_high_days))),
        # NaN and numbers below zero have been noted
        ("interval-too-short", "a rhythm needs an interval of at least a day", "interval_days",
         on & (v.interval_days >= 0) & (v.interval_days < 1)),
    ):  # fmt: skip
        if wrong.any():
            problems.append(in_rows(code, message, f"visits.{column}", wrong))
    return problems


def services_fit(problem: RoutingProblem) -> list[Problem]:
    """``service-too-long``: with the highest factor of a shift it does not fit into 2**30 s."""
    v, s = problem.visits, problem.shifts
    if not (len(v) and len(s)):
        return []
    factor = s.service_factor.max()
    if not 1 < factor <= DEAREST or v.service_s.max() * factor <= LONGEST:
        return []
    message = f"above {LONGEST:,} s with the service_factor of a shift"
    return [in_rows("service-too-long", message, "visits.service_s", v.service_s * factor > LONGEST)]


def shifts_forward(problem: RoutingProblem) -> list[Problem]:
    """``reversed-shift``; ``overflow``: from the first begin to the last end lie more than 2**30 s."""
    s = problem.shifts
    if not len(s):
        return []
    problems = []
    wrong = s.begin_s > s.end_s
    if wrong.any():
        problems.append(in_rows("reversed-shift", "ends before it begins", "shifts.end_s", wrong))
    first = int(s.begin_s.min())
    # as floats: numbers out of range have been noted, but may wrap
    close = s.end_s.astype(np.float64) + s.max_overtime_s - first
    if close.max() > LONGEST:
        message = f"with overtime more than {LONGEST:,} s after the first shift's begin"
        problems.append(in_rows("overflow", message, "shifts.end_s", close > LONGEST))
    return problems


def horizon_holds_shifts(problem: RoutingProblem) -> list[Problem]:
    """``day-out-of-range``: a shift lies after the last day."""
    late = problem.shifts.day >= problem.n_days
    if not late.any():
        return []
    message = f"the horizon has {problem.n_days} days, counted from 0"
    return [in_rows("day-out-of-range", message, "shifts.day", late)]
