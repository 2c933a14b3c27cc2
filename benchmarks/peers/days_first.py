"""The usual two steps, as a baseline: first choose every visit's days, then route each day with PyVRP.

The days are chosen visit by visit, the most frequent and the farthest first: those on whose tours it is the least
detour, as long as they are not full, in a few rounds over all visits, each against the days of all others. Every day
then gets its share of the budget by its number of visits. A visit that its day leaves out is missed.
"""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers import pyvrp_peer
from benchmarks.peers.statement import Answer, CannotStateError, Visits
from territory.routing.problem import UNLIMITED, RoutingProblem, VisitArrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["chains_of", "chosen_days", "kept_days", "solve"]

#: Rounds of choosing, each against the choices of the last.
ROUNDS = 4
#: A day is full at this share of its capacity (less where a day then has no answer), or of its working time; beyond
#: it driving is no argument.
FULL_LOAD, FULL_TIME = (0.96, 0.92, 0.88), 0.92
#: Weight of a full day against a drive, in seconds at the wheel per second or unit of overflow.
OVERFLOW = 50.0
#: More chains of days than this are thinned to every k-th.
MOST_CHAINS = 400


def chains_of(problem: RoutingProblem, visit: int) -> list[tuple[tuple[int, ...], float]]:
    """Return the complete sets of days that a visit's cadence allows, on working days, and the cost of each."""
    visits = problem.visits
    working = set(problem.shifts.day.tolist())
    if visits.patterns is not None and visits.patterns[visit] is not None:
        costs = None if visits.pattern_cost is None else visits.pattern_cost[visit]
        found = [
            (tuple(days), 0.0 if costs is None else float(costs[at]))
            for at, days in enumerate(visits.patterns[visit])
            if working.issuperset(days)
        ]
    elif visits.gap_low_days[visit] > 0:
        found = _rhythm(problem, visit, working)
    else:
        found = [((day,), 0.0) for day in sorted(working)]
    step = -(-len(found) // MOST_CHAINS)
    return found[:: max(step, 1)]


def _rhythm(problem: RoutingProblem, visit: int, working: set[int]) -> list[tuple[tuple[int, ...], float]]:
    v, table, horizon = visit, problem.visits, problem.n_days
    off, due = float(table.off_cost[v]), int(table.first_due_day[v])
    other, last = float(table.weekday_cost[v]), int(table.last_weekday[v])
    if due >= horizon:
        return []
    first = range(max(int(table.first_low_day[v]), 0), min(int(table.first_high_day[v]), horizon - 1) + 1)
    chains = [
        ((day,), (off * abs(day - due) if due > 0 else 0.0) + (other if last >= 0 and (day - last) % 7 else 0.0))
        for day in first
        if day in working
    ]
    found = []
    while chains:
        days, cost = chains.pop()
        if days[-1] + float(table.interval_days[v]) >= horizon:
            found.append((days, cost))
            continue
        gaps = range(int(table.gap_low_days[v]), int(table.gap_high_days[v]) + 1)
        chains += [
            ((*days, days[-1] + gap), cost + off * abs(gap - int(table.gap_days[v])) + (other if gap % 7 else 0.0))
            for gap in gaps
            if days[-1] + gap in working
        ]
    return sorted(found)


def kept_days(problem: RoutingProblem, visit: int, made: list[int]) -> list[int]:
    """Return the days of a rhythm that still count where some of its visits were left out.

    A missed visit stands on its meant day, and the next one keeps its distance from that: of the days on
    which it was made, the largest set that is a chain with missed ones between is kept.
    """
    best: list[int] = []
    for keep in product((True, False), repeat=len(made)):
        days = [day for day, kept in zip(made, keep, strict=True) if kept]
        if len(days) > len(best) and _is_chain(problem, visit, days):
            best = days
    return best


def _is_chain(problem: RoutingProblem, v: int, made: list[int]) -> bool:
    table, horizon, left = problem.visits, problem.n_days, list(made)
    low, high, meant = (
        int(table.first_low_day[v]), int(table.first_high_day[v]), min(int(table.first_due_day[v]), horizon - 1)
    )  # fmt: skip
    while True:
        if left and low <= left[0] <= high:
            day = left.pop(0)
        elif left and left[0] <= meant:
            return False
        else:
            day = meant
        if day + float(table.interval_days[v]) >= horizon:
            return not left
        low, high = day + int(table.gap_low_days[v]), day + int(table.gap_high_days[v])
        meant = min(day + int(table.gap_days[v]), horizon - 1)


def chosen_days(problem: RoutingProblem, full_load: float = FULL_LOAD[0]) -> list[tuple[int, ...]]:
    """Return the days of each visit; `full_load` is the share of a day's capacity that is not to be exceeded.

    Raises
    ------
    CannotStateError
        A visit has no possible set of days.
    """
    visits, shifts = problem.visits, problem.shifts
    options = [chains_of(problem, v) for v in range(problem.n_visits)]
    if any(not o for o, r in zip(options, visits.required, strict=True) if r):
        msg = "a required visit has no possible days"
        raise CannotStateError(msg)
    drive = problem.durations_s[0, 0].astype(np.float64)
    home = int(shifts.start_place[0])
    size = np.array([max((len(d) for d, _ in o), default=0) for o in options])
    far_first = np.argsort(-drive[home][visits.place], kind="stable")
    frequent_first = [
        order[np.argsort(-size[order], kind="stable")] for order in (far_first, _chain(drive, visits.place, far_first))
    ]
    found = [_assigned(problem, options, order, drive, home, full_load) for order in frequent_first]
    return min(found, key=lambda f: f[0])[1]


def _chain(drive: NDArray[np.float64], places: NDArray[np.int32], far_first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the visits from nearest to nearest, beginning with the farthest: near ones fill one day after another."""
    left, order = far_first.tolist(), []
    while left:
        at = 0 if not order else int(np.argmin(drive[places[order[-1]], places[left]]))
        order.append(left.pop(at))
    return np.array(order, np.int64)


def _assigned(
    problem: RoutingProblem, options: list[list[tuple[tuple[int, ...], float]]], order: NDArray[np.int64],
    drive: NDArray[np.float64], home: int, full_load: float,
) -> tuple[float, list[tuple[int, ...]]]:  # fmt: skip
    """Return the price of the last round of choosing, and the days of each visit."""
    visits = problem.visits
    days = np.unique(problem.shifts.day)
    at = {int(day): k for k, day in enumerate(days)}
    load_room, time_room = _rooms(problem, days, full_load)
    here = np.zeros((len(days), problem.n_visits), np.bool_)
    tours: list[list[int]] = [[] for _ in days]
    chosen: list[tuple[int, ...]] = [()] * problem.n_visits
    total = 0.0
    for _ in range(ROUNDS):
        total = 0.0
        for v in order.tolist():
            for day in chosen[v]:
                here[at[day], v] = False
                tours[at[day]].remove(v)
            if not options[v]:
                continue
            found = [_insertion(drive, home, visits.place[tour], int(visits.place[v])) for tour in tours]
            detour = np.array([cost for cost, _ in found])
            lengths = np.array([_length(drive, home, visits.place[tour]) for tour in tours])
            price = detour + _overflow(problem, here, v, load_room, time_room, lengths + detour)
            costs = [cost + sum(float(price[at[d]]) for d in chain) for chain, cost in options[v]]
            chosen[v] = options[v][int(np.argmin(costs))][0]
            total += min(costs)
            for day in chosen[v]:
                here[at[day], v] = True
                tours[at[day]].insert(found[at[day]][1], v)
    return total, chosen


def _insertion(drive: NDArray[np.float64], home: int, tour: NDArray[np.int32], place: int) -> tuple[float, int]:
    """Return the least detour by a place on a tour from home, and its position."""
    before, after = np.append(home, tour), np.append(tour, home)
    detours = drive[before, place] + drive[place, after] - drive[before, after]
    best = int(np.argmin(detours))
    return float(detours[best]), best


def _length(drive: NDArray[np.float64], home: int, tour: NDArray[np.int32]) -> float:
    return float(drive[np.append(home, tour), np.append(tour, home)].sum())


def _rooms(
    problem: RoutingProblem, days: NDArray[np.int32], full_load: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    shifts = problem.shifts
    longest = np.minimum(shifts.end_s - shifts.begin_s, shifts.max_duration_s)
    loads = np.array([shifts.capacity[shifts.day == d].sum(dtype=np.float64) for d in days])
    times = np.array([longest[shifts.day == d].sum(dtype=np.float64) for d in days])
    return np.where(loads < UNLIMITED, full_load * loads, np.inf), FULL_TIME * times


def _overflow(
    problem: RoutingProblem, here: NDArray[np.bool_], v: int, load_room: NDArray[np.float64],
    time_room: NDArray[np.float64], driven: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """Return what a visit would cost on each day for its being full, shape (days,); `driven` includes the visit."""
    visits = problem.visits
    load = here @ visits.load + visits.load[v]
    busy = here @ visits.service_s + visits.service_s[v] + driven
    per_load = float(driven.mean()) / max(1, problem.n_visits // len(driven)) + 1.0
    return OVERFLOW * (np.maximum(load - load_room, 0) * per_load + np.maximum(busy - time_room, 0))


def solve(problem: RoutingProblem, *, seconds: float | None, iterations: int | None, seed: int) -> Answer:
    """Choose the days, then route each with PyVRP; with emptier days where one of them has no answer."""
    began = time.process_time()
    steps = 0
    for full_load in FULL_LOAD:
        chosen = chosen_days(problem, full_load)
        left = None if seconds is None else seconds - (time.process_time() - began)
        routes, taken = _routed(problem, chosen, seconds=left, iterations=iterations, seed=seed)
        steps += taken
        if routes is not None:
            return Answer(_consistent(problem, chosen, routes), "feasible", iterations=steps)
    return Answer((), "no answer", iterations=steps)


def _routed(
    problem: RoutingProblem, chosen: list[tuple[int, ...]], *, seconds: float | None, iterations: int | None, seed: int
) -> tuple[list[Visits] | None, int]:
    """Return the routes of all days, None where a day has no answer, and the iterations."""
    began = time.process_time()
    per_day: dict[int, list[int]] = {}
    for v, days in enumerate(chosen):
        for day in days:
            per_day.setdefault(day, []).append(v)
    total = sum(map(len, per_day.values()))
    routes: list[Visits] = []
    steps = 0
    for day, todo in sorted(per_day.items()):
        left = None if seconds is None else seconds - (time.process_time() - began)
        budget = None if left is None else max(left * len(todo) / total, 0.0)
        total -= len(todo)
        shifts = np.flatnonzero(problem.shifts.day == day)
        found = pyvrp_peer.solve(_day(problem, todo, shifts), seconds=budget, iterations=iterations, seed=seed)
        steps += found.iterations
        if found.status == "no answer":
            return None, steps
        routes += [Visits(int(shifts[r.shift]), tuple(todo[v] for v in r.visits), r.starts) for r in found.routes]
    return routes, steps


def _day(problem: RoutingProblem, todo: list[int], shifts: NDArray[np.int64]) -> RoutingProblem:
    """Return the problem of one day: those visits, once each, in its shifts."""
    visits, hours = problem.visits, problem.shifts
    begin, end = int(hours.begin_s[shifts].min()), int(hours.end_s[shifts].max())
    windows = None
    if visits.windows is not None:
        given = [visits.windows[v] for v in todo]
        windows = [None if w is None else [(a, b) for a, b in w if b >= begin and a <= end] for w in given]
    columns = {
        name: getattr(visits, name)[todo]
        for name in ("place", "service_s", "window_holds_visit", "value", "required", "load")
    }
    table = {name: _taken(getattr(hours, name), shifts) for name in hours.__dataclass_fields__}
    return replace(problem, visits=VisitArrays(**columns, windows=windows), shifts=type(hours)(**table), n_days=0)


def _taken(column: object, rows: NDArray[np.int64]) -> object:
    if column is None or isinstance(column, np.ndarray):
        return None if column is None else column[rows]
    return [column[i] for i in rows]  # type: ignore[index]


def _consistent(problem: RoutingProblem, chosen: list[tuple[int, ...]], routes: list[Visits]) -> tuple[Visits, ...]:
    """Return the routes without visits whose cadence is broken by one that was left out."""
    made: dict[int, list[int]] = {}
    for route in routes:
        for v in route.visits:
            made.setdefault(v, []).append(int(problem.shifts.day[route.shift]))
    dropped: set[tuple[int, int]] = set()
    for v, days in enumerate(chosen):
        there = sorted(made.get(v, []))
        if len(there) < len(days):
            rhythmic = problem.visits.gap_low_days[v] > 0
            kept = kept_days(problem, v, there) if rhythmic else []
            dropped.update((v, day) for day in set(there) - set(kept))
    if not dropped:
        return tuple(routes)
    thinned = []
    for route in routes:
        day = int(problem.shifts.day[route.shift])
        pairs = [(v, s) for v, s in zip(route.visits, route.starts, strict=True) if (v, day) not in dropped]
        if pairs:
            thinned.append(Visits(route.shift, tuple(v for v, _ in pairs), tuple(s for _, s in pairs)))
    return tuple(thinned)
