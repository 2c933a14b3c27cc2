"""A routing problem as the kernels read it: few packed arrays, times counted from the first shift's begin.

A kernel that gets a tuple of arrays gets every field of every array as an argument of its own, so
columns are packed into one table a kind; the constants here are their positions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from territory.compiled import kernel, plain
from territory.routing.problem import UNLIMITED, RoutingProblem

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Layout", "layout_of"]

# columns of `Layout.shift_i`
S_START: Final = 0
S_END: Final = 1
S_BEGIN: Final = 2
#: The rep must be back: end of the shift and all overtime.
S_CLOSE: Final = 3
#: End of the regular hours.
S_REGULAR: Final = 4
S_DAY: Final = 5
S_PROFILE: Final = 6
S_MAX_DURATION: Final = 7
S_MAX_DRIVE: Final = 8
S_MAX_VISITS: Final = 9
S_CAPACITY: Final = 10
#: No drive that does not lead to a locked visit begins before.
S_FREE_FROM: Final = 11
S_BREAK0: Final = 12
S_BREAK1: Final = 13
S_LOCK0: Final = 14
S_LOCK1: Final = 15
#: Shifts of one class differ in nothing: of the empty ones it is enough to try one.
S_CLASS: Final = 16
#: TIMED: the cost depends on times (duration, overtime, lateness, time of day), not on the order alone. SPANS: on
#: the duration only, and visits have one window each.
S_TIMED: Final = 17
_SHIFT_I: Final = 18
# columns of `Layout.shift_f`
S_COST: Final = 0
S_COST_PER_S: Final = 1
S_COST_PER_DRIVE_S: Final = 2
S_COST_PER_M: Final = 3
S_OVERTIME_COST: Final = 4
# columns of `Layout.visit_i`
V_PLACE: Final = 0
V_LOAD: Final = 1
V_DUE: Final = 2
#: ONCE, PATTERNS or RHYTHM
V_KIND: Final = 3
V_REQUIRED: Final = 4
#: The other visit of a joint pair, or -1.
V_PARTNER: Final = 5
V_PATTERN0: Final = 6
V_PATTERN1: Final = 7
V_FIRST_LOW: Final = 8
V_FIRST_HIGH: Final = 9
V_FIRST_DUE: Final = 10
V_GAP_LOW: Final = 11
V_GAP_HIGH: Final = 12
V_GAP: Final = 13
#: 1: in a joint pair or in a precedence, so that its start depends on other routes.
V_LINKED: Final = 14
#: Shift whose route begins with it, or -1.
V_LOCKED: Final = 15
#: Weekday of the last visit before the horizon, or -1.
V_LAST_WEEKDAY: Final = 16
_VISIT_I: Final = 17
# columns of `Layout.visit_f`
V_VALUE: Final = 0
V_LATE_COST: Final = 1
V_INTERVAL: Final = 2
V_OFF_COST: Final = 3
V_WEEKDAY_COST: Final = 4

TIMED: Final = 1
SPANS: Final = 2

ONCE: Final = 0
PATTERNS: Final = 1
RHYTHM: Final = 2

#: The first fields of `Layout` are arrays.
LAYOUT_ARRAYS: Final = 16


class Layout(NamedTuple):
    """Arrays of the kernels; V visits, S shifts, n places, P profiles, B buckets of driving times.

    Attributes
    ----------
    shift_i, shift_f : int64, float64 arrays of shape (S, columns)
    visit_i, visit_f : int64, float64 arrays of shape (V, columns)
    service : int32 array of shape (V, S)
    window_at : int32 array of shape (V * S + 1,)
        Windows of visit v in shift s are rows ``window_at[v * S + s]`` to ``window_at[v * S + s + 1]``
        of `window`; none: it may not go there.
    window : int32 array of shape (W, 2)
        Of the start; service, shift hours, pins and eligibility are worked in.
    drive : int32 array of shape (P * B, n, n)
    metres : int32 array of shape (P, n, n), or (0, 0, 0)
    bucket : int64 array of shape (B,)
    rest : int64 array of shape (R, 3)
        Breaks: length, earliest begin, latest end.
    locked : int64 array
    extra : float64 array of shape (V, S), or (0, 0)
        Cost of a visit in a shift (changes of the baseline).
    pattern : bool array of shape (patterns, days)
    pattern_cost : float64 array of shape (patterns,)
    before : int64 array of shape (Q, 3)
        Precedences: first visit, second, delay.
    days : int
        Length of the horizon.
    origin : int
        Time on the problem's clock that the kernels call 0.
    """

    shift_i: NDArray[np.int64]
    shift_f: NDArray[np.float64]
    visit_i: NDArray[np.int64]
    visit_f: NDArray[np.float64]
    service: NDArray[np.int32]
    window_at: NDArray[np.int32]
    window: NDArray[np.int32]
    drive: NDArray[np.int32]
    metres: NDArray[np.int32]
    bucket: NDArray[np.int64]
    rest: NDArray[np.int64]
    locked: NDArray[np.int64]
    extra: NDArray[np.float64]
    pattern: NDArray[np.bool_]
    pattern_cost: NDArray[np.float64]
    before: NDArray[np.int64]
    days: int
    origin: int


def _flat(rows: Any, n: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    at = np.zeros(n + 1, np.int64)
    if rows is None:
        return at, np.zeros((0, width), np.int64)
    np.cumsum([0 if r is None else len(r) for r in rows], out=at[1:])
    values = np.array([x for row in rows if row is not None for x in row], dtype=np.int64)
    return at, values.reshape(-1, width)


def _windows_flat(rows: Any, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return offsets and windows of each visit; a visit without any rule is open for ever."""
    always = (-UNLIMITED * 2, UNLIMITED * 2)
    if rows is None:
        return np.arange(n + 1), np.tile(np.array([always], np.int64), (n, 1))
    return _flat([(always,) if r is None else r for r in rows], n, 2)


@kernel("i8[::1], i8[:, ::1], b1[::1], i4[:, ::1], i8[::1], i8[::1], b1[:, ::1], i4[::1], i8[::1], i8[::1], i8")
def _clip(
    at: Any, windows: Any, holds: Any, service: Any, begin: Any, close: Any, may: Any, pin_shift: Any, pin_start: Any,
    lock_shift: Any, origin: int,
) -> tuple[Any, Any]:  # fmt: skip
    visits, shifts = service.shape
    offsets = np.zeros(visits * shifts + 1, np.int32)
    total = 0
    for fill in range(2):
        out = np.empty((total if fill else 0, 2), np.int32)
        total = 0
        for v in range(visits):
            for s in range(shifts):
                length = service[v, s]
                fits = may.shape[0] == 0 or may[v, s]
                fits = fits and (pin_shift[v] < 0 or pin_shift[v] == s) and (lock_shift[v] < 0 or lock_shift[v] == s)
                if fits:
                    for w in range(at[v], at[v + 1]):
                        low, high = windows[w, 0], windows[w, 1]
                        if holds[v]:
                            high -= length
                        if pin_start[v] >= 0:
                            if low > pin_start[v] or high < pin_start[v]:
                                continue
                            low = high = pin_start[v]
                        low, high = max(low - origin, begin[s]), min(high - origin, close[s] - length)
                        if low <= high:
                            if fill:
                                out[total, 0], out[total, 1] = low, high
                            total += 1
                offsets[v * shifts + s + 1] = total
    return offsets, out


def layout_of(problem: RoutingProblem) -> Layout:
    """Return the arrays of the kernels.

    Parameters
    ----------
    problem : RoutingProblem

    Notes
    -----
    O(V S) memory; the pairs of visit and shift that rules forbid are known from then on.
    """
    v, s = problem.visits, problem.shifts
    n_visits, n_shifts = len(v), len(s)
    origin = int(s.begin_s.min()) if n_shifts else 0
    rest_at, rest = _flat(s.breaks, n_shifts, 3)
    lock_at, locked = _flat(s.locked, n_shifts, 1)
    locked = locked.ravel()
    pattern_at = np.zeros(n_visits + 1, np.int64)
    pattern, pattern_cost = _patterns(problem, pattern_at)
    shift_i = np.zeros((n_shifts, _SHIFT_I), np.int64)
    shift_i[:, S_START], shift_i[:, S_END] = s.start_place, s.end_place
    shift_i[:, S_BEGIN], shift_i[:, S_REGULAR] = s.begin_s - origin, s.end_s - origin
    shift_i[:, S_CLOSE] = shift_i[:, S_REGULAR] + s.max_overtime_s
    shift_i[:, S_DAY], shift_i[:, S_PROFILE] = s.day, s.profile
    shift_i[:, S_MAX_DURATION] = np.minimum(s.max_duration_s, UNLIMITED)
    shift_i[:, S_MAX_DRIVE] = np.minimum(s.max_drive_s, UNLIMITED)
    shift_i[:, S_MAX_VISITS] = np.minimum(s.max_visits, UNLIMITED)
    shift_i[:, S_CAPACITY] = s.capacity
    freeze = None if problem.freeze_s is None else problem.freeze_s - origin
    shift_i[:, S_FREE_FROM] = shift_i[:, S_BEGIN] if freeze is None else np.maximum(shift_i[:, S_BEGIN], freeze)
    shift_i[:, S_BREAK0], shift_i[:, S_BREAK1] = rest_at[:-1], rest_at[1:]
    shift_i[:, S_LOCK0], shift_i[:, S_LOCK1] = lock_at[:-1], lock_at[1:]
    late = bool((v.late_cost > 0).any())
    timed = (s.cost_per_s > 0) | (s.overtime_cost > 0) | (s.max_duration_s < s.end_s + s.max_overtime_s - s.begin_s)
    shift_i[:, S_TIMED] = timed | late | (len(problem.bucket_starts_s) > 1)
    shift_f = np.stack([s.cost, s.cost_per_s, s.cost_per_drive_s, s.cost_per_m, s.overtime_cost], axis=1)
    visit_i = np.zeros((n_visits, _VISIT_I), np.int64)
    visit_i[:, V_PLACE], visit_i[:, V_LOAD] = v.place, v.load
    visit_i[:, V_DUE] = np.minimum(v.due_s - origin, UNLIMITED)
    visit_i[:, V_KIND] = np.where(v.rhythmic, RHYTHM, np.where(v.patterned, PATTERNS, ONCE))
    visit_i[:, V_REQUIRED] = v.required
    visit_i[:, V_PARTNER] = visit_i[:, V_LOCKED] = -1
    visit_i[problem.joint[:, 0], V_PARTNER], visit_i[problem.joint[:, 1], V_PARTNER] = problem.joint.T[::-1]
    visit_i[problem.joint.ravel(), V_LINKED] = visit_i[problem.precedence.ravel(), V_LINKED] = 1
    visit_i[:, V_PATTERN0], visit_i[:, V_PATTERN1] = pattern_at[:-1], pattern_at[1:]
    for column, values in (
        (V_FIRST_LOW, v.first_low_day), (V_FIRST_HIGH, v.first_high_day), (V_FIRST_DUE, v.first_due_day),
        (V_GAP_LOW, v.gap_low_days), (V_GAP_HIGH, v.gap_high_days), (V_GAP, v.gap_days),
        (V_LAST_WEEKDAY, v.last_weekday),
    ):  # fmt: skip
        visit_i[:, column] = values
    visit_i[locked, V_LOCKED] = np.repeat(np.arange(n_shifts), np.diff(lock_at))
    visit_f = np.stack([v.value, v.late_cost, v.interval_days, v.off_cost, v.weekday_cost], axis=1)
    service = np.ceil(v.service_s[:, None] * s.service_factor[None, :] - 1e-9).astype(np.int32)
    at, windows = _windows_flat(v.windows, n_visits)
    may = np.zeros((0, 0), np.bool_) if problem.eligible is None else np.asarray(problem.eligible, np.bool_)
    # kernels take arrays that they could write to, and users' may be frozen, or views
    holds, may, pin_shift, pin_start = (plain(x) for x in (v.window_holds_visit, may, v.pinned_shift, v.pinned_start_s))
    window_at, window = _clip(
        at, windows, holds, service, shift_i[:, S_BEGIN].copy(), shift_i[:, S_CLOSE].copy(), may, pin_shift, pin_start,
        visit_i[:, V_LOCKED].copy(), origin,
    )  # fmt: skip
    tables = int(np.prod(problem.durations_s.shape[:-2]))
    drive = problem.durations_s.reshape(tables, problem.n_places, problem.n_places).astype(np.int32, order="C")
    metres = np.zeros((0, 0, 0), np.int32)
    if problem.distances_m is not None and bool((s.cost_per_m > 0).any()):
        metres = problem.distances_m.astype(np.int32, order="C")
    lasting = (
        (shift_i[:, S_TIMED] == TIMED) & (s.overtime_cost == 0) & (np.diff(rest_at) == 0) & (np.diff(lock_at) == 0)
    )
    if lasting.any() and not late and len(problem.bucket_starts_s) == 1 and not metres.size:
        single = np.diff(window_at).reshape(n_visits, n_shifts).max(axis=0, initial=0) <= 1
        if not visit_i[:, V_LINKED].any():
            shift_i[lasting & single, S_TIMED] = SPANS
    rest[:, 1:] -= origin
    before = np.concatenate([problem.precedence, problem.precedence_delay_s[:, None]], axis=1)
    found = Layout(
        shift_i, shift_f, visit_i, visit_f, service, window_at, window, drive, metres,
        problem.bucket_starts_s - origin, rest, locked, _extra(problem), pattern, pattern_cost, before,
        problem.n_days, origin,
    )  # fmt: skip
    shift_i[:, S_CLASS] = _classes(found, rest_at, lock_at)
    return found


def _patterns(problem: RoutingProblem, at: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    v = problem.visits
    if v.patterns is None:
        return np.zeros((0, problem.n_days), np.bool_), np.zeros(0)
    np.cumsum([0 if p is None else len(p) for p in v.patterns], out=at[1:])
    pattern = np.zeros((int(at[-1]), problem.n_days), np.bool_)
    cost = np.zeros(int(at[-1]))
    for i, days_of in enumerate(v.patterns):
        for k, days in enumerate(days_of or ()):
            pattern[at[i] + k, list(days)] = True
        if days_of is not None and v.pattern_cost is not None and v.pattern_cost[i] is not None:
            cost[at[i] : at[i + 1]] = v.pattern_cost[i]
    return pattern, cost


def _extra(problem: RoutingProblem) -> NDArray[np.float64]:
    """Return the cost of each visit in each shift that the baseline makes."""
    if problem.baseline is None or not (problem.visits.change_cost > 0).any():
        return np.zeros((0, 0))
    now = np.asarray(problem.baseline, np.bool_)
    cost: NDArray[np.float64] = np.where(
        ~now & now.any(axis=1, keepdims=True), problem.visits.change_cost[:, None], 0.0
    )
    return cost


def _classes(layout: Layout, rest_at: NDArray[np.int64], lock_at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a number for each shift, the same for shifts that differ in nothing."""
    n = len(layout.shift_i)
    if n <= 1:
        return np.zeros(n, np.int64)
    visits = len(layout.visit_i)
    plain = (np.diff(rest_at) == 0) & (np.diff(lock_at) == 0)
    columns = [c for c in range(_SHIFT_I) if c not in (S_BREAK0, S_BREAK1, S_LOCK0, S_LOCK1, S_CLASS)]
    seen: dict[bytes, int] = {}
    classes = np.arange(n, dtype=np.int64)
    counts = np.diff(layout.window_at).reshape(visits, n) if visits else np.zeros((0, n), np.int32)
    ends = layout.window_at[1:].reshape(visits, n) if visits else counts
    for s in np.flatnonzero(plain).tolist():
        rows = np.repeat(ends[:, s] - counts[:, s], counts[:, s]) + _within(counts[:, s])
        parts = [layout.shift_i[s, columns], layout.shift_f[s], counts[:, s], layout.window[rows], layout.service[:, s]]
        if layout.extra.size:
            parts.append(layout.extra[:, s])
        key = b"".join(np.ascontiguousarray(p).tobytes() for p in parts)
        classes[s] = seen.setdefault(key, s)
    return classes


def _within(counts: NDArray[Any]) -> NDArray[np.int64]:
    """Return 0 .. c - 1 for every count c, one after the other."""
    total = int(counts.sum())
    ends = np.cumsum(counts)
    found: NDArray[np.int64] = np.arange(total) - np.repeat(ends - counts, counts)
    return found
