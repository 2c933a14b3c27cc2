"""Check the answer to a routing problem: every rule and every cost, recomputed from its routes and times."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.check.report import CheckReport, Violation
from territory.check.routing_day import RoutingFacts, check_day
from territory.model.enums import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_routing"]

_TERMS: Final = (
    "shifts", "duration", "drive", "distance", "overtime", "lateness", "change", "cadence", "regularity",
    "unserved",
)  # fmt: skip
#: How far sums of floats may be apart, relative to them and to 1.
_SLACK: Final = 1e-6


def check_routing(problem: Any, solution: Any) -> CheckReport:
    """Check whether the answer to a routing problem keeps every rule, and costs what it says.

    Parameters
    ----------
    problem : RoutingProblem
        With V visits and S shifts.
    solution : RoutingSolution
        Whoever made it. Its times need not be the best ones for its orders.

    Returns
    -------
    CheckReport
        ``.ok`` if nothing is wrong; else every violation, with a code of `territory.check.ROUTING_CODES`.

    Notes
    -----
    O(V + S), and O(1) a visit that is made, times the number of its windows, breaks and times of day.

    A locked visit counts as required. A rhythm may miss more visits than it had to: that is dear,
    not wrong.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
    >>> problem = RoutingProblem(
    ...     durations_s=[[0, 600], [600, 0]],
    ...     visits=VisitArrays(place=[1], service_s=[1800]),
    ...     shifts=ShiftArrays(start_place=[0], begin_s=[0], end_s=[7200]),
    ... )
    >>> route = SimpleNamespace(
    ...     shift=0, visits=(0,), starts=(300,), leave=0, back=2700, break_starts=(), drive_s=1200, distance_m=0
    ... )
    >>> terms = {"shifts": 0, "duration": 0, "drive": 1200, "distance": 0, "overtime": 0, "lateness": 0}
    >>> solution = SimpleNamespace(
    ...     routes=(route,), unserved=(), objective=1200.0, bound=1200.0, status="optimal", required_missing=0,
    ...     terms=terms | {"change": 0, "cadence": 0, "regularity": 0, "unserved": 0},
    ... )
    >>> print(check_routing(problem, solution))
    routing: 1 violation of 1 rule
      start-too-early (1)
        The drive of shift 0 to stop 0 takes 600 s, but has only from 0 to 300 s.
    """
    f = RoutingFacts(problem, _TERMS)
    found: list[Violation] = []
    for route in _whole_routes(f, solution, found):
        found += check_day(f, route)
    missed = _missed(f, solution, found)
    found += _cadences(f, missed)
    found += _links(f)
    found += _sums(f, solution, missed)
    return CheckReport(tuple(found), "routing")


def _is_whole(*numbers: Any) -> bool:
    return all(type(n) is int or isinstance(n, np.integer) for n in numbers)


def _whole_routes(f: RoutingFacts, solution: Any, found: list[Violation]) -> Iterator[Any]:
    """Yield routes that can be looked at; note what is wrong with the others."""
    n_visits, n_shifts = len(f.v["place"]), len(f.s["day"])
    seen: set[int] = set()
    last = -1
    for route in solution.routes:
        s, rows = route.shift, (route.visits, route.starts, route.break_starts)
        numbers = (s, route.leave, route.back, route.drive_s, route.distance_m)
        if not _is_whole(*numbers, *(n for row in rows for n in row)):
            found.append(Violation("not-whole", f"The route of shift {s} has numbers that are not whole."))
            continue
        if not 0 <= s < n_shifts:
            found.append(Violation("shift-unknown", f"There is no shift {s}; there are {n_shifts}."))
            continue
        if s in seen:
            found.append(Violation("shift-doubled", f"Shift {s} has two routes."))
            continue
        if s < last:
            found.append(Violation("routes-unordered", f"The route of shift {s} stands after that of {last}."))
        seen.add(s)
        last = s
        unknown = [v for v in route.visits if not 0 <= v < n_visits]
        n_breaks = 0 if f.breaks is None or f.breaks[s] is None else len(f.breaks[s])
        if unknown:
            found.append(Violation("visit-unknown", f"There is no visit {unknown[0]}; there are {n_visits}."))
        elif not route.visits:
            found.append(Violation("route-without-visits", f"The route of shift {s} has no visits."))
        elif len(route.visits) != len(route.starts):
            message = f"The route of shift {s} has {len(route.visits)} visits and {len(route.starts)} starts."
            found.append(Violation("start-count-wrong", message))
        elif len(route.break_starts) != n_breaks:
            message = f"Shift {s} has {n_breaks} breaks, its route {len(route.break_starts)}."
            found.append(Violation("break-count-wrong", message))
        else:
            yield route


def _missed(f: RoutingFacts, solution: Any, found: list[Violation]) -> dict[int, list[int]]:
    """Return the days of each visit that is not made (-1 but for rhythms)."""
    missed: dict[int, list[int]] = {}
    n = len(f.v["place"])
    rhythmic = f.problem.visits.rhythmic.tolist()
    for v, day in solution.unserved:
        if not _is_whole(v, day):
            found.append(Violation("not-whole", f"Unserved visit {v}, day {day}: these are no whole numbers."))
            continue
        if not 0 <= v < n:
            found.append(Violation("visit-unknown", f"There is no visit {v}; there are {n}."))
            continue
        known = missed.setdefault(v, [])
        if day in known:
            found.append(Violation("unserved-doubled", f"Visit {v} is unserved twice (day {day})."))
            continue
        if (day < 0 or day >= f.problem.n_days) if rhythmic[v] else day != -1:
            found.append(Violation("unserved-wrong", f"Visit {v} is unserved on day {day}."))
        elif v in f.made and not rhythmic[v]:
            found.append(Violation("unserved-wrong", f"Visit {v} is made, and unserved."))
        known.append(day)
    for v in range(n):
        if v not in f.made and v not in missed and not rhythmic[v]:
            found.append(Violation("unserved-missing", f"Visit {v} is neither made nor unserved."))
            missed[v] = [-1]
    return missed


def _cadences(f: RoutingFacts, missed: dict[int, list[int]]) -> Iterator[Violation]:
    """Check how often, and on which days, visits are made."""
    visits = f.problem.visits
    rhythmic = visits.rhythmic.tolist()
    day_of = f.s["day"]
    for v, times in f.made.items():
        pattern = visits.patterns is not None and visits.patterns[v] is not None
        days = sorted(day_of[s] for s, _, _ in times)
        if not (pattern or rhythmic[v]):
            if len(times) > 1:
                yield Violation("visit-doubled", f"Visit {v} is made {len(times)} times.", amount=len(times) - 1.0)
            continue
        again = [a for a, b in pairwise(days) if a == b]
        if again:
            yield Violation("visit-doubled", f"Visit {v} is made twice on day {again[0]}.", amount=float(len(again)))
        elif pattern:
            yield from _pattern(f, v, days)
    for v in np.flatnonzero(rhythmic).tolist():
        nodes = {day_of[s]: True for s, _, _ in f.made.get(v, ())}
        both = [day for day in missed.get(v, ()) if day in nodes]
        if both:
            yield Violation("unserved-wrong", f"Visit {v} is made on day {both[0]}, and unserved.")
        nodes.update((day, False) for day in missed.get(v, ()) if day not in nodes)
        yield from _rhythm(f, v, sorted(nodes.items()))


def _pattern(f: RoutingFacts, v: int, days: list[int]) -> Iterator[Violation]:
    visits = f.problem.visits
    fitting = [k for k, pattern in enumerate(visits.patterns[v]) if sorted(pattern) == days]
    if not fitting:
        yield Violation("pattern-broken", f"Visit {v} is made on days {days}: none of its patterns.")
    elif visits.pattern_cost is not None and visits.pattern_cost[v] is not None:
        f.terms["cadence"] += min(float(visits.pattern_cost[v][k]) for k in fitting)


def _rhythm(f: RoutingFacts, v: int, nodes: list[tuple[int, bool]]) -> Iterator[Violation]:
    """Follow a chain of made and missed visits."""
    r, n_days = f.problem.visits, f.problem.n_days
    low, high, due = int(r.first_low_day[v]), int(r.first_high_day[v]), int(r.first_due_day[v])
    interval, off_cost = float(r.interval_days[v]), float(r.off_cost[v])
    weekday_cost, before = float(r.weekday_cost[v]), int(r.last_weekday[v])
    going, counts, code = due < n_days, due > 0, "rhythm-first"
    for day, made in nodes:
        if not going:
            yield Violation("rhythm-over", f"Visit {v} is not due any more on day {day}.")
            return
        if made:
            if not low <= day <= high:
                off = float(max(low - day, day - high))
                yield Violation(code, f"Visit {v} is made on day {day}, not on {low} to {high}.", amount=off)
            f.terms["cadence"] += off_cost * abs(day - due) if counts else 0.0
            f.terms["regularity"] += weekday_cost if before != -1 and before % 7 != day % 7 else 0.0
        elif day != min(due, n_days - 1):
            meant = min(due, n_days - 1)
            yield Violation(code, f"Visit {v} is missed on day {day}, not {meant}.", amount=float(abs(day - meant)))
        low, high, due = day + int(r.gap_low_days[v]), day + int(r.gap_high_days[v]), day + int(r.gap_days[v])
        going, counts, code, before = day + interval < n_days, True, "rhythm-gap", day
    if going:
        yield Violation("rhythm-open", f"Visit {v} is due about day {due}, and neither made nor missed.")


def _links(f: RoutingFacts) -> Iterator[Violation]:
    for a, b in f.problem.joint.tolist():
        one, two = f.made.get(a, [])[:1], f.made.get(b, [])[:1]
        if bool(one) != bool(two):
            yield Violation("joint-broken", f"Of joint visits {a} and {b} only one is made.")
        elif one and one[0][0] == two[0][0]:
            yield Violation("joint-broken", f"Joint visits {a} and {b} are made in one shift, {one[0][0]}.")
        elif one and one[0][1] != two[0][1]:
            apart = abs(one[0][1] - two[0][1])
            yield Violation("joint-broken", f"Joint visits {a} and {b} start {apart} s apart.", amount=float(apart))
    for (a, b), delay in zip(f.problem.precedence.tolist(), f.problem.precedence_delay_s.tolist(), strict=True):
        if b not in f.made:
            continue
        if a not in f.made:
            yield Violation("precedence-broken", f"Visit {b} is made without visit {a}.")
            continue
        early = f.made[a][0][2] + delay - f.made[b][0][1]
        if early > 0:
            message = f"Visit {b} starts {early} s too early after visit {a}."
            yield Violation("precedence-broken", message, amount=float(early))


def _far(a: float, b: float) -> bool:
    """Whether numbers differ by more than rounding; not-a-number differs from everything."""
    return not abs(a - b) <= _SLACK * max(1.0, abs(b))


def _sums(f: RoutingFacts, solution: Any, missed: dict[int, list[int]]) -> Iterator[Violation]:
    """Check terms, objective, bound, and what the status claims."""
    required = f.v["required"]
    n_missing = 0
    for v, days in missed.items():
        f.terms["unserved"] += f.v["value"][v] * len(days)
        n_missing += len(days) if required[v] or v in f.lock_of else 0
    if set(solution.terms) != set(_TERMS):
        yield Violation("terms-unknown", f"The terms are {', '.join(map(str, solution.terms))}.")
    for name, value in f.terms.items():
        said = solution.terms.get(name, value)
        if _far(said, value):
            message = f"The term {name} is {said:.10g}, but the routes cost {value:.10g}."
            yield Violation("term-wrong", message, amount=abs(said - value))
    total, said = sum(f.terms.values()), float(solution.objective)
    if _far(said, total):
        message = f"The objective is {said:.10g}, but the terms are {total:.10g} in all."
        yield Violation("objective-wrong", message, amount=abs(said - total))
    if solution.required_missing != n_missing:
        message = f"required_missing is {solution.required_missing}, but {n_missing} are not made."
        yield Violation("required-missing-wrong", message, amount=float(abs(solution.required_missing - n_missing)))
    bound, slack = float(solution.bound), _SLACK * max(1.0, abs(total))
    if n_missing == 0 and not bound <= total + slack:
        yield Violation("bound-above-objective", f"The bound {bound:.10g} is above {total:.10g}.", amount=bound - total)
    if solution.status not in set(Status):
        yield Violation("status-wrong", f"There is no status {solution.status!r}.")
    if solution.status == Status.OPTIMAL and (n_missing or not (isfinite(bound) and total <= bound + slack)):
        message = f"The answer is called optimal at {total:.10g}, with bound {bound:.10g} and {n_missing} missing."
        yield Violation("optimal-unproven", message, amount=total - bound)
    if solution.status == Status.INFEASIBLE and not n_missing:
        yield Violation("infeasible-unfounded", "The answer is called infeasible, but all required visits are made.")
