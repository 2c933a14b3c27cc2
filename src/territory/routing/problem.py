"""The problem that every engine solves: visits to be placed in shifts, each shift sequenced in time.

All is arrays. Times are whole seconds on one clock (the problem's), so that two days of one rep are
two shifts that do not overlap, and two reps on one day are two that do. `RoutingProblem` is read
whole and checked whole (`territory.routing.rules`) before any engine sees it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from territory.routing.rules import broken_rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

from territory.errors import InputError, Problem

__all__ = ["NONE", "UNLIMITED", "RoutingProblem", "ShiftArrays", "VisitArrays"]

#: No limit, seconds or counts: no sum of times comes near.
UNLIMITED: Final = 1 << 30
#: Nothing: no shift, no time, no place.
NONE: Final = -1
#: Whole numbers below are exact as floats, too.
_EXACT: Final = 1 << 53


def _filled(table: Any, n: int, defaults: dict[str, tuple[Any, Any]]) -> None:
    """Set every column of a frozen table to an array of its kind, `n` times the default where it is absent."""
    for name, (kind, default) in defaults.items():
        value = getattr(table, name)
        array = np.full(n, default, dtype=kind) if value is None else _cast(value, kind)
        object.__setattr__(table, name, array)


def _cast(value: Any, kind: Any) -> NDArray[Any]:
    """Return an array of a kind; what does not fit it stays as it is, for the rules to find."""
    try:
        raw = np.asarray(value)
    except (ValueError, TypeError, OverflowError):
        # rows of different lengths
        raw = np.empty((), object)
        raw[()] = value
    if raw.dtype == kind:
        return raw
    target = np.dtype(kind)
    if raw.dtype.kind not in "iufb":
        return raw
    if target.kind == "f":
        return raw.astype(kind)
    if raw.dtype.kind == "f" and not (np.all(np.isfinite(raw)) and np.all(np.abs(raw) < _EXACT)):
        return raw
    if raw.dtype.kind == "u" and np.any(raw > np.uint64(_EXACT)):
        return raw
    cast = raw.astype(kind)
    return cast if np.all(cast == raw) else raw


@dataclass(frozen=True, eq=False, kw_only=True)
class VisitArrays:
    """V visits that could be made. Columns left out take the default.

    A visit is made at most once, unless it has a cadence: `patterns` (on every day of one of the
    allowed sets of days, or not at all) or a rhythm (`gap_low_days` > 0: again and again).

    Attributes
    ----------
    place : int32 array of shape (V,)
        Row and column of the travel matrices.
    service_s : int64 array of shape (V,)
        Default 0. A shift's `service_factor` multiplies it, rounded up.
    windows : sequence of V sequences of (int, int), optional
        When it may take place, seconds, both ends included, sorted and disjoint. None for a visit, or for all:
        any time. An empty sequence: never.
    window_holds_visit : bool array of shape (V,)
        True: the window holds the whole visit; False (default): its start.
    value : float array of shape (V,)
        What is lost where the visit is not made (of a rhythm: each time). Default 0.
    required : bool array of shape (V,)
        Must be made, whatever that costs. Default: visits without a value.
    load : int64 array of shape (V,)
        Default 0.
    due_s, late_cost : int64, float arrays of shape (V,)
        A start after `due_s` costs `late_cost` a second. Default: never late.
    pinned_shift, pinned_start_s : int32, int64 arrays of shape (V,)
        The only shift, the only start; NONE (default): free.
    change_cost : float array of shape (V,)
        Cost of each shift with this visit that is none of its `RoutingProblem.baseline`. Default 0.
    patterns : sequence of V (sequence of sequences of int, or None), optional
        Allowed sets of days (`ShiftArrays.day`).
    pattern_cost : sequence of V (sequence of float, or None), optional
        Cost of each pattern.
    first_low_day, first_high_day, first_due_day : int32 arrays of shape (V,)
        Rhythm: on which days the first visit may lie, and the one that is meant.
    gap_low_days, gap_high_days, gap_days : int32 arrays of shape (V,)
        Rhythm: days from one visit to the next: least, most, meant. Default 0: no rhythm.
    interval_days : float array of shape (V,)
        Rhythm: after a visit on day d another is due if ``d + interval_days`` is before the end of the horizon.
    off_cost : float array of shape (V,)
        Rhythm: cost of each day off the meant one.
    weekday_cost : float array of shape (V,)
        Rhythm: cost of each visit made on another weekday (day modulo 7) than the one before it. A missed visit
        stands on its meant day here, too. Default 0.
    last_weekday : int32 array of shape (V,)
        Rhythm: weekday (day modulo 7) of the last visit before the horizon, which the first one follows; NONE
        (default): not known, any weekday of the first visit is fine.
    """

    place: NDArray[np.int32]
    service_s: Any = None
    windows: Any = None
    window_holds_visit: Any = None
    value: Any = None
    required: Any = None
    load: Any = None
    due_s: Any = None
    late_cost: Any = None
    pinned_shift: Any = None
    pinned_start_s: Any = None
    change_cost: Any = None
    patterns: Any = None
    pattern_cost: Any = None
    first_low_day: Any = None
    first_high_day: Any = None
    first_due_day: Any = None
    gap_low_days: Any = None
    gap_high_days: Any = None
    gap_days: Any = None
    interval_days: Any = None
    off_cost: Any = None
    weekday_cost: Any = None
    last_weekday: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", _cast(self.place, np.int32))
        n = len(self)
        no_value = self.value is None
        _filled(
            self, n,
            {
                "service_s": (np.int64, 0), "window_holds_visit": (np.bool_, False), "value": (np.float64, 0.0),
                "load": (np.int64, 0), "due_s": (np.int64, UNLIMITED), "late_cost": (np.float64, 0.0),
                "pinned_shift": (np.int32, NONE), "pinned_start_s": (np.int64, NONE),
                "change_cost": (np.float64, 0.0), "first_low_day": (np.int32, 0), "first_high_day": (np.int32, 0),
                "first_due_day": (np.int32, 0), "gap_low_days": (np.int32, 0), "gap_high_days": (np.int32, 0),
                "gap_days": (np.int32, 0), "interval_days": (np.float64, 0.0), "off_cost": (np.float64, 0.0),
                "weekday_cost": (np.float64, 0.0), "last_weekday": (np.int32, NONE),
            },
        )  # fmt: skip
        if self.required is None:
            readable = not no_value and self.value.dtype.kind == "f" and self.value.shape == (n,)
            object.__setattr__(self, "required", np.asarray(self.value == 0) if readable else np.ones(n, np.bool_))
        else:
            object.__setattr__(self, "required", _cast(self.required, np.bool_))

    def __len__(self) -> int:
        return len(self.place) if self.place.ndim else 0

    @property
    def rhythmic(self) -> NDArray[np.bool_]:
        """Which visits have a rhythm, shape (V,)."""
        return np.asarray(self.gap_low_days > 0)

    @cached_property
    def patterned(self) -> NDArray[np.bool_]:
        """Which visits have patterns of days, shape (V,)."""
        if self.patterns is None:
            return np.zeros(len(self), np.bool_)
        return np.array([p is not None for p in self.patterns], dtype=np.bool_)


@dataclass(frozen=True, eq=False, kw_only=True)
class ShiftArrays:
    """S shifts: one rep on one day each. Columns left out take the default.

    Attributes
    ----------
    start_place, end_place : int32 arrays of shape (S,)
        Default of the end: the start.
    begin_s, end_s : int64 arrays of shape (S,)
        Working hours.
    day : int32 array of shape (S,)
        For cadences. Default 0.
    profile : int32 array of shape (S,)
        Which travel matrix. Default 0.
    service_factor : float array of shape (S,)
        Default 1.
    max_duration_s, max_drive_s : int64 arrays of shape (S,)
        From leaving to being back, and of that at the wheel. Default UNLIMITED.
    max_visits, capacity : int64 arrays of shape (S,)
        Default UNLIMITED.
    max_overtime_s, overtime_cost : int64, float arrays of shape (S,)
        How long after `end_s` the rep may still be back, and the cost of each such second. Default 0.
    cost, cost_per_s, cost_per_drive_s, cost_per_m : float arrays of shape (S,)
        Of a shift with visits: once, a second from leaving to being back, a second at the wheel, a metre.
        Default: 1 a second at the wheel, where none of the three rates is given.
    breaks : sequence of S sequences of (length_s, earliest_s, latest_s), optional
        Taken in this order, each begun at `earliest_s` or later and over by `latest_s`; between
        driving and visits, or at the end place. Not needed if the rep is back by `earliest_s`, or
        leaves at `latest_s` or later.
    locked : sequence of S sequences of int, optional
        Visits with which the route begins, in this order.
    """

    start_place: NDArray[np.int32]
    begin_s: NDArray[np.int64]
    end_s: NDArray[np.int64]
    end_place: Any = None
    day: Any = None
    profile: Any = None
    service_factor: Any = None
    max_duration_s: Any = None
    max_drive_s: Any = None
    max_visits: Any = None
    capacity: Any = None
    max_overtime_s: Any = None
    overtime_cost: Any = None
    cost: Any = None
    cost_per_s: Any = None
    cost_per_drive_s: Any = None
    cost_per_m: Any = None
    breaks: Any = None
    locked: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "start_place", _cast(self.start_place, np.int32))
        object.__setattr__(self, "begin_s", _cast(self.begin_s, np.int64))
        object.__setattr__(self, "end_s", _cast(self.end_s, np.int64))
        n = len(self)
        rates = (self.cost_per_s, self.cost_per_drive_s, self.cost_per_m)
        by_drive = 1.0 if all(r is None for r in rates) else 0.0
        if self.end_place is None:
            object.__setattr__(self, "end_place", self.start_place)
        _filled(
            self, n,
            {
                "end_place": (np.int32, 0), "day": (np.int32, 0), "profile": (np.int32, 0),
                "service_factor": (np.float64, 1.0),
                "max_duration_s": (np.int64, UNLIMITED), "max_drive_s": (np.int64, UNLIMITED),
                "max_visits": (np.int64, UNLIMITED), "capacity": (np.int64, UNLIMITED),
                "max_overtime_s": (np.int64, 0), "overtime_cost": (np.float64, 0.0), "cost": (np.float64, 0.0),
                "cost_per_s": (np.float64, 0.0), "cost_per_drive_s": (np.float64, by_drive),
                "cost_per_m": (np.float64, 0.0),
            },
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.start_place) if self.start_place.ndim else 0


@dataclass(frozen=True, eq=False, kw_only=True)
class RoutingProblem:
    """Visits to be placed in shifts, each shift sequenced in time, at least cost.

    The cost is the sum of the terms in `territory.routing.solution.TERMS`.

    Attributes
    ----------
    durations_s : int array of shape (n, n), (P, n, n) or (P, B, n, n)
        Driving times between n places in whole seconds, by profile and time-of-day bucket; need not
        be symmetric. `territory.travel.UNREACHABLE`: there is no way.
    distances_m : int array of shape (n, n) or (P, n, n), optional
        Needed where a shift has a cost a metre.
    bucket_starts_s : int array of shape (B,), optional
        When each bucket of driving times begins, seconds on the problem's clock, rising; the first
        holds before it, too. A drive takes the time of the bucket in which it begins; who
        would arrive earlier by waiting for the next bucket waits (first in, first out).
    visits : VisitArrays
    shifts : ShiftArrays
    eligible : bool array of shape (V, S), optional
        Which visits may go to which shift. Default: all.
    baseline : bool array of shape (V, S), optional
        Where visits are now, see `VisitArrays.change_cost`. A visit in no shift has no baseline.
    joint : int array of shape (J, 2)
        Pairs of visits made in two shifts with one start, or not at all.
    precedence : int array of shape (Q, 2)
        Pairs (a, b): b is only made if a is made, and starts at least `precedence_delay_s` after a ends.
    precedence_delay_s : int64 array of shape (Q,)
    n_days : int, optional
        Length of the horizon; default: the last day of a shift + 1.
    freeze_s : int, optional
        No rep begins a drive before this time, but to locked visits.

    Raises
    ------
    InputError
        Every broken rule at once.

    Examples
    --------
    >>> line = np.array([0, 600, 1500])
    >>> problem = RoutingProblem(
    ...     durations_s=abs(line[:, None] - line[None, :]),
    ...     visits=VisitArrays(place=[1, 2], service_s=[1800, 1800]),
    ...     shifts=ShiftArrays(start_place=[0], begin_s=[0], end_s=[3600 * 8]),
    ... )
    >>> problem.n_visits, problem.n_shifts, problem.n_places
    (2, 1, 3)
    """

    durations_s: NDArray[Any]
    visits: VisitArrays
    shifts: ShiftArrays
    distances_m: Any = None
    bucket_starts_s: Any = None
    eligible: Any = None
    baseline: Any = None
    joint: Any = None
    precedence: Any = None
    precedence_delay_s: Any = None
    n_days: int = field(default=0)
    freeze_s: int | None = None

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        cube = _matrix(self.durations_s)
        put("durations_s", cube[None, None] if cube.ndim == 2 else cube[:, None] if cube.ndim == 3 else cube)
        if self.distances_m is not None:
            metres = _matrix(self.distances_m)
            put("distances_m", metres[None] if metres.ndim == 2 else metres)
        for name in ("joint", "precedence"):
            value = getattr(self, name)
            pairs = np.zeros((0, 2), np.int64) if value is None else _cast(value, np.int64)
            put(name, np.zeros((0, 2), np.int64) if pairs.size == 0 and pairs.ndim <= 2 else pairs)
        delays = self.precedence_delay_s
        n_links = len(self.precedence) if self.precedence.ndim else 0
        put("precedence_delay_s", np.zeros(n_links, np.int64) if delays is None else _cast(delays, np.int64))
        put("bucket_starts_s", _cast((0,) if self.bucket_starts_s is None else self.bucket_starts_s, np.int64))
        tables = isinstance(self.visits, VisitArrays) and isinstance(self.shifts, ShiftArrays)
        if tables:
            for name in ("eligible", "baseline"):
                value = getattr(self, name)
                if value is not None:
                    value = _cast(value, np.bool_)
                    shape = (len(self.visits), len(self.shifts))
                    put(name, value.reshape(shape) if value.size == 0 and 0 in shape else value)
            day = self.shifts.day
            if type(self.n_days) is int and self.n_days == 0 and day.dtype.kind == "i" and day.size:
                put("n_days", int(day.max()) + 1)
        problems = broken_rules(self) if tables else [_not_tables(self)]
        if problems:
            raise InputError(problems, "routing problem")

    @property
    def n_visits(self) -> int:
        """V, the number of visits."""
        return len(self.visits)

    @property
    def n_shifts(self) -> int:
        """S, the number of shifts."""
        return len(self.shifts)

    @property
    def n_places(self) -> int:
        """n, the number of places of the travel matrices."""
        return int(self.durations_s.shape[-1])

    def with_visits(self, **columns: Any) -> Self:
        """Return the problem with other columns of visits."""
        return replace(self, visits=replace(self.visits, **columns))


def _matrix(value: Any) -> NDArray[Any]:
    """Return numbers as they are, or as int64 where they are whole floats."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "i":
        return value
    raw = _cast(value, np.float64)
    return raw if raw.dtype.kind != "f" else _cast(value, np.int64)


def _not_tables(problem: RoutingProblem) -> Problem:
    visits = isinstance(problem.visits, VisitArrays)
    column, kind = ("shifts", "ShiftArrays") if visits else ("visits", "VisitArrays")
    return Problem("wrong-type", f"expected {kind}, not {type(getattr(problem, column)).__name__}", column)


def columns_of(table: VisitArrays | ShiftArrays) -> list[str]:
    """Return the names of a table's columns."""
    return [f.name for f in fields(table)]
