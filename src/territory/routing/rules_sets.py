"""Rules on what has a length of its own in a routing problem: windows, breaks, patterns, locks, pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import MAX_ROWS_LISTED, Problem
from territory.routing.rules_values import DEAREST, FARTHEST, LONGEST, in_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from territory.routing.problem import RoutingProblem

__all__ = ["UNREADABLE"]

#: Codes of columns that further rules cannot read.
UNREADABLE: Final = frozenset({"wrong-type", "wrong-shape", "not-numbers", "not-whole", "too-large"})


def _listed(code: str, message: str, column: str, rows: Iterable[int], hint: str | None = None) -> list[Problem]:
    found = [int(row) for row in rows]
    if not found:
        return []
    return [Problem(code, message, column, len(found), tuple(dict.fromkeys(found))[:MAX_ROWS_LISTED], hint)]


def _read(
    rows: Any, n: int, width: int, column: str, what: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[Problem]]:
    """Return the row of each entry, entries of shape (total, width), and what is wrong with them."""
    nothing = np.zeros(0, np.int64), np.zeros((0, width), np.int64)
    if rows is None:
        return *nothing, []
    if not isinstance(rows, (Sequence, np.ndarray)) or isinstance(rows, (str, bytes)):
        return *nothing, [Problem("wrong-type", f"expected a sequence, one entry a {what}", column)]
    try:
        if len(rows) != n:
            return *nothing, [Problem("wrong-shape", f"{len(rows)} entries for {n} {what}s", column)]
        counts = [0 if row is None else len(row) for row in rows]
        entries = np.array([entry for row in rows if row is not None for entry in row])
    except (TypeError, ValueError, OverflowError):
        return *nothing, _unreadable(rows, width, column)
    if not len(entries):
        return *nothing, []
    if entries.shape[1:] != ((width,) if width > 1 else ()) or entries.dtype.kind not in "iu":
        # whole floats, large numbers and worse: row by row
        problems = _unreadable(rows, width, column)
        if problems:
            return *nothing, problems
    return np.repeat(np.arange(n), counts), entries.astype(np.int64).reshape(-1, width), []


def _unreadable(rows: Any, width: int, column: str) -> list[Problem]:
    """Return which entries are not `width` whole numbers."""
    expected = "a whole number" if width == 1 else f"{width} whole numbers"
    wrong = []
    try:
        for i, row in enumerate(rows):
            try:
                entries = [] if row is None else [np.asarray(entry) for entry in row]
                if any(not _is_whole(e, width) for e in entries):
                    wrong.append(i)
            except (TypeError, ValueError, OverflowError):
                wrong.append(i)
    except TypeError:  # an array without axes
        return [Problem("wrong-shape", "expected a sequence of sequences", column)]
    return _listed("not-whole", f"each entry of a row must be {expected}", column, wrong)


def _is_whole(entry: NDArray[Any], width: int) -> bool:
    if entry.shape != ((width,) if width > 1 else ()) or entry.dtype.kind not in "iuf":
        return False
    return bool(np.all(np.isfinite(entry)) and np.all(np.rint(entry) == entry) and np.all(np.abs(entry) <= FARTHEST))


def _far(row: NDArray[np.int64], entries: NDArray[np.int64], column: str) -> list[Problem]:
    if not len(entries) or (entries.min() >= -FARTHEST and entries.max() <= FARTHEST):
        return []
    far = ((entries < -FARTHEST) | (entries > FARTHEST)).any(axis=1)
    return _listed("too-large", f"more than {FARTHEST:,} s from zero", column, row[far])


def windows_right(problem: RoutingProblem) -> list[Problem]:
    """``reversed-window``, ``window-order``."""
    if problem.visits.windows is None:
        return []
    column = "visits.windows"
    row, window, problems = _read(problem.visits.windows, problem.n_visits, 2, column, "visit")
    problems += _far(row, window, column)
    if not len(window) or problems:
        return problems
    low, high = window[:, 0], window[:, 1]
    if (low > high).any():
        problems += _listed("reversed-window", "closes before it opens", column, row[low > high])
    again = (row[1:] == row[:-1]) & (low[1:] <= high[:-1])
    if again.any():
        problems += _listed("window-order", "not after the window before", column, row[1:][again])
    return problems


def pins_inside(problem: RoutingProblem) -> list[Problem]:
    """``pin-outside-window``, ``pin-outside-shift``."""
    v, s = problem.visits, problem.shifts
    if not len(v) or v.pinned_start_s.max() < 0:
        return []
    pinned = np.flatnonzero(v.pinned_start_s >= 0)
    start = v.pinned_start_s
    problems = []
    if v.windows is not None:
        shut = [
            i for i in pinned.tolist()
            if v.windows[i] is not None and not any(low <= start[i] <= high for low, high in v.windows[i])
        ]  # fmt: skip
        problems += _listed("pin-outside-window", "in none of the visit's windows", "visits.pinned_start_s", shut)
    if len(s):
        close = s.end_s + s.max_overtime_s
        away = []
        for i in pinned.tolist():
            k = int(v.pinned_shift[i])
            inside = (s.begin_s <= start[i]) & (start[i] <= close)
            if not (inside.any() if k < 0 or k >= len(s) else inside[k]):
                away.append(i)
        problems += _listed("pin-outside-shift", "not within the hours of a shift", "visits.pinned_start_s", away)
    return problems


def breaks_right(problem: RoutingProblem) -> list[Problem]:
    """``negative``, ``reversed-break``, ``break-too-long``, ``break-order``."""
    if problem.shifts.breaks is None:
        return []
    column = "shifts.breaks"
    row, rest, problems = _read(problem.shifts.breaks, problem.n_shifts, 3, column, "shift")
    problems += _far(row, rest, column)
    if not len(rest) or problems:
        return problems
    length, low, high = rest.T
    turned = low > high
    problems += _listed("negative", "a length below zero", column, row[length < 0])
    problems += _listed("reversed-break", "the latest end is before the earliest begin", column, row[turned])
    hint = "A break is (length_s, earliest_s, latest_s), on the clock of the problem."
    problems += _listed("break-too-long", "longer than its window", column, row[~turned & (length > high - low)], hint)
    again = (row[1:] == row[:-1]) & (low[1:] < high[:-1])
    return problems + _listed("break-order", "begins before the break before must be over", column, row[1:][again])


def patterns_right(problem: RoutingProblem) -> list[Problem]:
    """``empty-pattern``, ``day-out-of-range``, ``repeated-day``, ``pattern-and-rhythm``, and their costs."""
    v = problem.visits
    if v.patterns is None:
        if v.pattern_cost is None:
            return []
        return [Problem("missing-column", "there are no patterns", "visits.pattern_cost")]
    column = "visits.patterns"
    if not isinstance(v.patterns, (Sequence, np.ndarray)) or isinstance(v.patterns, (str, bytes)):
        return [Problem("wrong-type", "expected a sequence, one entry a visit", column)]
    if isinstance(v.patterns, np.ndarray) and v.patterns.ndim == 0:
        return [Problem("wrong-shape", "expected a sequence, one entry a visit", column)]
    if len(v.patterns) != len(v):
        return [Problem("wrong-shape", f"{len(v.patterns)} entries for {len(v)} visits", column)]
    wrong: dict[str, list[int]] = {}
    for i, choices in enumerate(v.patterns):
        code = None if choices is None else _pattern_fault(choices, problem.n_days)
        if code is not None:
            wrong.setdefault(code, []).append(i)
    messages = {
        "not-whole": "expected sets of days, whole numbers",
        "empty-pattern": "no pattern, or one without days",
        "day-out-of-range": f"the horizon has {problem.n_days} days, counted from 0",
        "repeated-day": "a day twice in one pattern",
    }
    problems = [p for code, rows in wrong.items() for p in _listed(code, messages[code], column, rows)]
    both = [i for i in np.flatnonzero(v.gap_low_days > 0).tolist() if v.patterns[i] is not None]
    problems += _listed("pattern-and-rhythm", "has patterns and a rhythm", column, both)
    if "not-whole" not in wrong and v.pattern_cost is not None:
        problems += _pattern_costs(v.patterns, v.pattern_cost)
    return problems


def _pattern_fault(choices: Any, n_days: int) -> str | None:
    """Return the code of what is wrong with one visit's patterns."""
    try:
        sets = [np.asarray(list(days)) for days in choices]
    except (TypeError, ValueError, OverflowError):
        return "not-whole"
    if not sets or any(days.size == 0 for days in sets):
        return "empty-pattern"
    if any(days.ndim != 1 or days.dtype.kind not in "iu" for days in sets):
        return "not-whole"
    if any((days < 0).any() or (days >= n_days).any() for days in sets):
        return "day-out-of-range"
    return "repeated-day" if any(len(set(days.tolist())) < len(days) for days in sets) else None


def _pattern_costs(patterns: Any, costs: Any) -> list[Problem]:
    column = "visits.pattern_cost"
    lone = isinstance(costs, np.ndarray) and costs.ndim == 0
    if lone or not isinstance(costs, (Sequence, np.ndarray)) or len(costs) != len(patterns):
        return [Problem("wrong-shape", f"expected {len(patterns)} entries, one a visit", column)]
    shapes, amounts = [], []
    for i, (choices, prices) in enumerate(zip(patterns, costs, strict=True)):
        if prices is None:
            continue
        try:
            price = np.asarray(prices)
        except (TypeError, ValueError):
            price = np.asarray("")
        if price.dtype.kind not in "iuf" or price.shape != (len(choices) if choices is not None else 0,):
            shapes.append(i)
        elif not np.all((price >= 0) & (price <= DEAREST)):
            amounts.append(i)
    return [
        *_listed("wrong-shape", "expected one number a pattern", column, shapes),
        *_listed("out-of-range", f"expected 0 to {DEAREST:,.15g}", column, amounts),
    ]


def locks_right(problem: RoutingProblem) -> list[Problem]:
    """``visit-out-of-range``, ``repeated-lock``, ``lock-and-pin``, ``lock-not-eligible``, ``lock-with-cadence``."""
    if problem.shifts.locked is None:
        return []
    column = "shifts.locked"
    row, visit, problems = _read(problem.shifts.locked, problem.n_shifts, 1, column, "shift")
    if not len(visit):
        return problems
    visit = visit.ravel()
    outside = (visit < 0) | (visit >= problem.n_visits)
    problems += _listed("visit-out-of-range", f"there are {problem.n_visits} visits", column, row[outside])
    row, visit = row[~outside], visit[~outside]
    times = Counter(visit.tolist())
    again = [r for r, v in zip(row.tolist(), visit.tolist(), strict=True) if times[v] > 1]
    problems += _listed("repeated-lock", "a visit that is locked twice", column, again)
    pin = problem.visits.pinned_shift[visit]
    elsewhere = row[(pin >= 0) & (pin != row)]
    problems += _listed("lock-and-pin", "a visit that is pinned to another shift", column, elsewhere)
    if problem.eligible is not None:
        barred = row[~problem.eligible[visit, row]]
        problems += _listed("lock-not-eligible", "a visit that may not go to this shift", column, barred)
    cadence = problem.visits.gap_low_days[visit] > 0
    patterns = problem.visits.patterns
    if patterns is not None:
        cadence |= np.array([patterns[v] is not None for v in visit.tolist()], np.bool_)
    problems += _listed("lock-with-cadence", "a visit with a rhythm or patterns", column, row[cadence])
    return problems


def _pair_faults(pairs: NDArray[np.int64], n: int, column: str) -> list[Problem]:
    outside = ((pairs < 0) | (pairs >= n)).any(axis=1)
    same = pairs[:, 0] == pairs[:, 1]
    return [
        *_listed("visit-out-of-range", f"there are {n} visits, counted from 0", column, np.flatnonzero(outside)),
        *_listed("pair-with-itself", "a visit with itself", column, np.flatnonzero(same)),
    ]


def pairs_right(problem: RoutingProblem) -> list[Problem]:
    """``visit-out-of-range``, ``pair-with-itself``, ``repeated-pair``."""
    joint = problem.joint
    if not len(joint):
        return []
    problems = _pair_faults(joint, problem.n_visits, "joint")
    times = Counter(joint.ravel().tolist())
    again = [i for i, (a, b) in enumerate(joint.tolist()) if a != b and max(times[a], times[b]) > 1]
    return problems + _listed("repeated-pair", "a visit in two pairs", "joint", again)


def precedence_right(problem: RoutingProblem) -> list[Problem]:
    """``visit-out-of-range``, ``pair-with-itself``, ``negative``, ``too-large``, ``cycle``."""
    links, delay = problem.precedence, problem.precedence_delay_s
    if not len(links):
        return []
    problems = _pair_faults(links, problem.n_visits, "precedence")
    if delay.min() < 0:
        problems.append(in_rows("negative", "below zero", "precedence_delay_s", delay < 0))
    if delay.max() > LONGEST:
        problems.append(in_rows("too-large", f"above {LONGEST:,}", "precedence_delay_s", delay > LONGEST))
    return problems or _cycle(problem)


def _cycle(problem: RoutingProblem) -> list[Problem]:
    """Return the precedences on or after a cycle; joint visits start together, so they count as one."""
    head = {int(b): int(a) for a, b in problem.joint.tolist()}
    one: Callable[[int], int] = lambda v: head.get(v, v)  # noqa: E731
    links = [(one(a), one(b)) for a, b in problem.precedence.tolist()]
    after: dict[int, list[int]] = {}
    waits = Counter(b for _, b in links)
    for a, b in links:
        after.setdefault(a, []).append(b)
    ready = [a for a in after if not waits[a]]
    while ready:
        for b in after.get(ready.pop(), ()):
            waits[b] -= 1
            if not waits[b]:
                ready.append(b)
    stuck = [i for i, (a, b) in enumerate(links) if waits[a] and waits[b]]
    return _listed("cycle", "a visit that has to come before itself", "precedence", stuck)


def links_without_cadence(problem: RoutingProblem) -> list[Problem]:
    """``link-with-cadence``: visits of pairs and precedences are made once."""
    v = problem.visits
    problems: list[Problem] = []
    for column in ("joint", "precedence"):
        pairs = getattr(problem, column)
        if not len(pairs):
            continue
        known = ((pairs >= 0) & (pairs < len(v))).all(axis=1)
        rows = [
            i for i in np.flatnonzero(known).tolist()
            if any(v.gap_low_days[k] > 0 or (v.patterns is not None and v.patterns[k] is not None) for k in pairs[i])
        ]  # fmt: skip
        problems += _listed("link-with-cadence", "a visit with a rhythm or patterns", column, rows)
    return problems
