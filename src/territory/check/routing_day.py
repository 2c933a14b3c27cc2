"""One shift of a routing solution: whether its times work out, and what it costs.

Only the times that a route says are looked at, never how they came about: any times that keep the
rules are right. When a leg begins is not said; it has to fit somewhere between what comes before it
and what comes after it.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Final

from territory.check.report import Violation
from territory.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RoutingFacts", "check_day"]

_NOISE: Final = 1e-9
_EVER: Final = 1 << 60
_VISIT_COLUMNS: Final = (
    "place", "service_s", "window_holds_visit", "value", "required", "load", "due_s", "late_cost", "pinned_shift",
    "pinned_start_s", "change_cost",
)  # fmt: skip
_SHIFT_COLUMNS: Final = (
    "start_place", "end_place", "begin_s", "end_s", "day", "profile", "service_factor", "max_duration_s",
    "max_drive_s", "max_visits", "capacity", "max_overtime_s", "overtime_cost", "cost", "cost_per_s",
    "cost_per_drive_s", "cost_per_m",
)  # fmt: skip


class RoutingFacts:
    """The problem in plain lists, and the sums that are built up route by route.

    Attributes
    ----------
    v, s : dict of str to list
        Columns of the visits and the shifts.
    made : dict of int to list of (shift, start, end)
        Of each visit that is made.
    terms : dict of str to float
        What the routes so far cost.
    lock_of : dict of int to int
        The shift that a locked visit begins.
    """

    def __init__(self, problem: Any, terms: tuple[str, ...]) -> None:
        self.problem = problem
        self.v: dict[str, list[Any]] = {name: getattr(problem.visits, name).tolist() for name in _VISIT_COLUMNS}
        self.s: dict[str, list[Any]] = {name: getattr(problem.shifts, name).tolist() for name in _SHIFT_COLUMNS}
        self.windows = problem.visits.windows
        self.breaks = problem.shifts.breaks
        self.locked = problem.shifts.locked
        self.drive = problem.durations_s
        self.metres = problem.distances_m if any(self.s["cost_per_m"]) else None
        self.buckets: list[int] = problem.bucket_starts_s.tolist()
        self.eligible = problem.eligible
        self.baseline = problem.baseline
        self.freeze = -_EVER if problem.freeze_s is None else int(problem.freeze_s)
        self.made: dict[int, list[tuple[int, int, int]]] = {}
        self.terms = dict.fromkeys(terms, 0.0)
        self.lock_of = {int(v): s for s, row in enumerate(self.locked or ()) for v in (() if row is None else row)}

    def legs(self, profile: int, a: int, b: int) -> list[int]:
        """Return the driving time in each bucket."""
        found: list[int] = self.drive[profile, :, a, b].tolist()
        return found

    def possible(self, legs: list[int], low: int, high: int, after: int = -_EVER) -> list[int]:
        """Return what a leg may take that begins at `low` and at `after` or later, and ends by `high`."""
        low = max(low, after)
        if len(legs) == 1:
            return legs if low + legs[0] <= high else []
        found = []
        for b, leg in enumerate(legs):
            begin = low if b == 0 else max(low, self.buckets[b])
            over = self.buckets[b + 1] if b + 1 < len(legs) else _EVER
            if begin < over and begin + leg <= high:
                found.append(leg)
        return found

    def at_wheel(self, legs: list[int], leave: int) -> int:
        """Return what a leg takes that begins just then."""
        b = 0
        while b + 1 < len(legs) and self.buckets[b + 1] <= leave:
            b += 1
        return legs[b]


def check_day(f: RoutingFacts, route: Any) -> Iterator[Violation]:
    """Check one route that is whole: its shift, visits, numbers of starts and of breaks are right.

    Parameters
    ----------
    f : RoutingFacts
        Visits made and terms are added to.
    route : ShiftRoute
    """
    s = int(route.shift)
    ends = []
    factor = f.s["service_factor"][s]
    for v, start in zip(route.visits, route.starts, strict=True):
        end = start + ceil(f.v["service_s"][v] * factor - _NOISE)
        ends.append(end)
        f.made.setdefault(v, []).append((s, start, end))
    rests = _breaks(f, s)
    yield from _break_times(f, route, s, rests)
    found: list[Violation] = []
    least, most, metres = _legs(f, route, s, ends, rests, found)
    yield from found
    yield from _hours(f, route, s)
    for i, v in enumerate(route.visits):
        yield from _visit(f, s, v, route.starts[i], ends[i])
    yield from _limits(f, route, s)
    if not least <= route.drive_s <= most:
        span = f"{least}" if least == most else f"{least} to {most}"
        off = float(max(least - route.drive_s, route.drive_s - most))
        yield Violation("drive-wrong", f"Shift {s} says {route.drive_s} s of driving, not {span} s.", amount=off)
    if route.distance_m != metres:
        message = f"Shift {s} says {route.distance_m} m, not {metres} m."
        yield Violation("distance-wrong", message, amount=float(abs(route.distance_m - metres)))
    _add_costs(f, route, s, metres)


def _breaks(f: RoutingFacts, s: int) -> list[tuple[int, int, int]]:
    rows = None if f.breaks is None else f.breaks[s]
    return [] if rows is None else [(int(a), int(b), int(c)) for a, b, c in rows]


def _break_times(f: RoutingFacts, route: Any, s: int, rests: list[tuple[int, int, int]]) -> Iterator[Violation]:
    begin, close = f.s["begin_s"][s], f.s["end_s"][s] + f.s["max_overtime_s"][s]
    # windows of breaks do not overlap, so neither do breaks that keep them
    for k, ((length, earliest, latest), at) in enumerate(zip(rests, route.break_starts, strict=True)):
        if at == -1:
            if route.back > earliest and route.leave < latest:
                message = f"Shift {s} has no break {k}, but is out from {route.leave} to {route.back} s."
                yield Violation("break-missing", message, amount=float(length))
            continue
        if at < max(earliest, begin) or at + length > min(latest, close):
            late = max(max(earliest, begin) - at, at + length - min(latest, close))
            message = f"Break {k} of shift {s} from {at} to {at + length} s is not within {earliest} to {latest} s."
            yield Violation("break-outside-window", message, amount=float(late))


def _legs(
    f: RoutingFacts, route: Any, s: int, ends: list[int], rests: list[tuple[int, int, int]], found: list[Violation]
) -> tuple[int, int, int]:
    """Return the least and most driving time, and the metres; note what is wrong with the legs."""
    profile, n_locked = f.s["profile"][s], len(_locked(f, s))
    taken = sorted((at, at + rests[k][0], k) for k, at in enumerate(route.break_starts) if at >= 0)
    least = most = metres = 0
    place, free = f.s["start_place"][s], route.leave
    m = len(route.visits)
    for i in range(m + 1):
        to = f.v["place"][route.visits[i]] if i < m else f.s["end_place"][s]
        until = route.starts[i] if i < m else route.back
        after = f.freeze if i >= n_locked else -_EVER
        legs = f.legs(profile, place, to)
        if f.metres is not None:
            metres += int(f.metres[profile, place, to])
        here = []
        while taken and (taken[0][0] < until or taken[0][1] <= until or i == m):
            here.append(taken.pop(0))
        drives = _leg(f, s, i, m, legs, (free, until, after), here, found)
        least += min(drives)
        most += max(drives)
        if i < m:
            free, place = ends[i], to
    return least, most, metres


def _leg(
    f: RoutingFacts, s: int, i: int, m: int, legs: list[int], span: tuple[int, int, int],
    breaks: list[tuple[int, int, int]], found: list[Violation],
) -> list[int]:  # fmt: skip
    """Return what leg i may take between `span`'s first two times, around breaks; note what keeps it from fitting."""
    low, high, after = span
    name = f"of shift {s} to stop {i}" if i < m else f"of shift {s} home"
    if i == 0:
        # it begins just then; breaks that are over were taken at the start place
        legs = [f.at_wheel(legs, low)]
        breaks = [b for b in breaks if b[1] > low]
    elif i == m:
        # later breaks are taken at the end place
        breaks = [b for b in breaks if b[0] < high]
    known = [leg for leg in legs if leg != UNREACHABLE]
    if not known:
        found.append(Violation("leg-unreachable", f"There is no way for the drive {name}."))
        return legs
    gaps, at = [], low
    for begin, end, k in breaks:
        if begin < low or end > high:
            drive = i == 0 if begin < low else i == m
            message = f"Break {k} of shift {s} from {begin} to {end} s does not lie between {low} and {high} s."
            code = "break-during-drive" if drive else "break-during-visit"
            found.append(Violation(code, message, amount=float(max(low - begin, end - high))))
            continue
        gaps.append((at, begin))
        at = max(at, end)
    gaps.append((at, high))
    # who has left does not come back for a break, and who is back has no drive left
    gaps = gaps[:1] if i == 0 else gaps[-1:] if i == m else gaps
    drives = [leg for begin, end in gaps for leg in f.possible(legs, begin, end, after)]
    if drives and (i > 0 or low >= after):
        return drives
    late = f.possible(legs, low, high, after)
    if late and (i > 0 or low >= after):
        found.append(Violation("break-during-drive", f"A break leaves no time for the drive {name}."))
    elif f.possible(legs, low, high):
        message = f"The drive {name} begins before the freeze ends at {after} s."
        found.append(Violation("frozen-drive", message))
    else:
        message = f"The drive {name} takes {min(known)} s, but has only from {low} to {high} s."
        amount = float(low + min(known) - high)
        found.append(Violation("start-too-early" if i < m else "back-too-early", message, amount=amount))
    return known


def _locked(f: RoutingFacts, s: int) -> list[int]:
    rows = None if f.locked is None else f.locked[s]
    return [] if rows is None else [int(v) for v in rows]


def _hours(f: RoutingFacts, route: Any, s: int) -> Iterator[Violation]:
    begin, close = f.s["begin_s"][s], f.s["end_s"][s] + f.s["max_overtime_s"][s]
    if route.leave < begin:
        message = f"Shift {s} leaves at {route.leave} s, before it begins at {begin} s."
        yield Violation("before-shift", message, amount=float(begin - route.leave))
    if route.back > close:
        message = f"Shift {s} is back at {route.back} s, after {close} s."
        yield Violation("after-shift", message, amount=float(route.back - close))
    locked = _locked(f, s)
    if list(route.visits[: len(locked)]) != locked:
        yield Violation("lock-broken", f"Shift {s} does not begin with visits {locked}.")


def _visit(f: RoutingFacts, s: int, v: int, start: int, end: int) -> Iterator[Violation]:
    windows = None if f.windows is None else f.windows[v]
    if windows is not None:
        upto = end if f.v["window_holds_visit"][v] else start
        if not any(a <= start and upto <= b for a, b in windows):
            yield Violation("outside-window", f"Visit {v} in shift {s}, {start} to {end} s, is in none of its windows.")
    if f.eligible is not None and not f.eligible[v, s]:
        yield Violation("not-eligible", f"Visit {v} may not go to shift {s}.")
    if f.v["pinned_shift"][v] not in (-1, s):
        yield Violation("pin-broken", f"Visit {v} is in shift {s}, but pinned to {f.v['pinned_shift'][v]}.")
    if f.v["pinned_start_s"][v] not in (-1, start):
        pin = f.v["pinned_start_s"][v]
        message = f"Visit {v} starts at {start} s, but is pinned to {pin} s."
        yield Violation("pin-broken", message, amount=float(abs(start - pin)))
    if f.lock_of.get(v, s) != s:
        yield Violation("lock-broken", f"Visit {v} is in shift {s}, but locked in {f.lock_of[v]}.")


def _limits(f: RoutingFacts, route: Any, s: int) -> Iterator[Violation]:
    load = sum(f.v["load"][v] for v in route.visits)
    for code, what, value, most in (
        ("duration-too-long", "s from leaving to being back", route.back - route.leave, f.s["max_duration_s"][s]),
        ("drive-too-long", "s of driving", route.drive_s, f.s["max_drive_s"][s]),
        ("too-many-visits", "visits", len(route.visits), f.s["max_visits"][s]),
        ("over-capacity", "of load", load, f.s["capacity"][s]),
    ):
        if value > most:
            message = f"Shift {s} has {value} {what}, at most {most} allowed."
            yield Violation(code, message, amount=float(value - most))


def _add_costs(f: RoutingFacts, route: Any, s: int, metres: int) -> None:
    terms, rate = f.terms, f.s
    terms["shifts"] += rate["cost"][s]
    terms["duration"] += rate["cost_per_s"][s] * (route.back - route.leave)
    terms["drive"] += rate["cost_per_drive_s"][s] * route.drive_s
    terms["distance"] += rate["cost_per_m"][s] * metres
    terms["overtime"] += rate["overtime_cost"][s] * max(0, route.back - rate["end_s"][s])
    for v, start in zip(route.visits, route.starts, strict=True):
        terms["lateness"] += f.v["late_cost"][v] * max(0, start - f.v["due_s"][v])
        if f.v["change_cost"][v] and f.baseline is not None and not f.baseline[v, s] and f.baseline[v].any():
            terms["change"] += f.v["change_cost"][v]
