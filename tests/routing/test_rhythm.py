"""The cheapest chain of days, against all sets of days."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from territory.routing.layout import layout_of
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.routing.rhythm import best_chain, chain_of, open_days

MISSED = 1e7
OFF = 30.0
OTHER = 70.0


class Rhythm(NamedTuple):
    days: int
    interval: float
    first_low: int
    first_high: int
    first_due: int
    gap_low: int
    gap_high: int
    last: int = -1

    @property
    def gap(self):
        return min(max(round(self.interval), self.gap_low), self.gap_high)

    def layout(self):
        visits = VisitArrays(
            place=[0], value=[MISSED], first_low_day=[self.first_low], first_high_day=[self.first_high],
            first_due_day=[self.first_due], gap_low_days=[self.gap_low], gap_high_days=[self.gap_high],
            gap_days=[self.gap], interval_days=[self.interval], off_cost=[OFF],
            weekday_cost=[OTHER], last_weekday=[self.last],
        )  # fmt: skip
        return layout_of(
            RoutingProblem(
                durations_s=np.zeros((1, 1), np.int64), visits=visits, n_days=self.days,
                shifts=ShiftArrays(start_place=[0], begin_s=[0], end_s=[1]),
            )
        )  # fmt: skip


@dataclass
class Chain:
    planned: list
    missed: list
    total: float


def chain(r, costs):
    """Return the kernel's chain for the costs of each day; None: impossible."""
    layout = r.layout()
    nodes = np.empty(2 * r.days, np.int64)
    length, total = best_chain(
        layout.visit_i[0], r.interval, OFF, OTHER, r.days, np.array([np.inf if c is None else c for c in costs], float),
        MISSED, np.empty(2 * r.days), np.empty(2 * r.days, np.int64), nodes,
    )  # fmt: skip
    found = nodes[:length].tolist()
    return Chain([n >> 1 for n in found if n & 1], [n >> 1 for n in found if not n & 1], total)


@st.composite
def rhythms(draw):
    days = draw(st.integers(1, 12))
    interval = draw(st.integers(1, 9))
    early, late = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    low = draw(st.integers(0, days - 1))
    high = low + draw(st.integers(0, 6))
    due = draw(st.integers(low, min(high, days - 1)))
    last = draw(st.integers(-1, 6))
    return Rhythm(days, float(interval), low, high, due, max(1, interval - early), interval + late, last)


def by_force(r, costs):
    """Return the least cost over all chains of planned days without a missed visit; None: there is none."""
    best = None
    for size in range(1, r.days + 1):
        for days in combinations(range(r.days), size):
            if any(costs[d] is None for d in days) or not r.first_low <= days[0] <= r.first_high:
                continue
            gaps = [b - a for a, b in pairwise(days)]
            if any(not r.gap_low <= g <= r.gap_high for g in gaps):
                continue
            # a chain ends with the first visit whose next is due beyond the horizon
            if days[-1] + r.interval < r.days or any(d + r.interval >= r.days for d in days[:-1]):
                continue
            off = (abs(days[0] - r.first_due) if r.first_due > 0 else 0) + sum(abs(g - r.gap) for g in gaps)
            known = days if r.last < 0 else (r.last, *days)
            other = sum(a % 7 != b % 7 for a, b in pairwise(known))
            value = sum(costs[d] for d in days) + OFF * off + OTHER * other
            best = value if best is None else min(best, value)
    return best


@given(rhythms(), st.data())
def test_without_gaps_the_chain_is_the_cheapest(r, data):
    costs = data.draw(st.lists(st.none() | st.integers(0, 500).map(float), min_size=r.days, max_size=r.days))
    found = chain(r, costs)
    best = by_force(r, costs)
    if best is None:
        assert found.missed
    else:
        assert not found.missed
        assert abs(found.total - best) < 1e-9
        missed, off, weekdays = chain_of(r.layout(), 0, found.planned)
        assert missed == ()
        assert off + weekdays == best - sum(costs[d] for d in found.planned)
        assert weekdays % OTHER == 0


@given(rhythms(), st.data())
def test_planned_and_missed_visits_keep_the_rhythm(r, data):
    possible = data.draw(st.lists(st.booleans(), min_size=r.days, max_size=r.days))
    found = chain(r, [0.0 if p else None for p in possible])
    assert all(possible[d] for d in found.planned)
    events = sorted([*found.planned, *found.missed])
    assert len(set(events)) == len(events) > 0
    assert all(b - a <= r.gap_high for a, b in pairwise(events))
    planned = sorted(found.planned)
    for a, b in pairwise(events):
        if a in planned and b in planned:
            assert b - a >= r.gap_low
    assert events[-1] + r.interval >= r.days


def test_a_missed_visit_stands_on_the_weekday_that_was_meant():
    # every week; no shift on day 1, where the first is meant, nor on day 8
    r = Rhythm(17, 7.0, 1, 2, 1, 6, 8)
    free = [0.0 if d in (9, 15) else None for d in range(17)]
    assert chain(r, free) == Chain([9, 15], [1], MISSED + 2 * OFF + 2 * OTHER)
    assert chain_of(r.layout(), 0, [9, 15]) == ((1,), 2 * OFF, 2 * OTHER)
    free[8] = 0.0
    assert chain(r, free) == Chain([8, 15], [1], MISSED)


def test_the_first_visit_follows_the_one_before_the_horizon():
    free = [0.0] * 7
    assert chain(Rhythm(7, 7.0, 1, 5, 3, 6, 8), free) == Chain([3], [], 0.0)
    # the weekday is worth two days off, not three
    assert chain(Rhythm(7, 7.0, 1, 5, 3, 6, 8, 5), free) == Chain([5], [], 2 * OFF)
    assert chain(Rhythm(7, 7.0, 1, 6, 3, 6, 8, 6), free) == Chain([3], [], OTHER)


def test_nothing_is_due_after_the_horizon():
    assert chain(Rhythm(5, 7.0, 6, 8, 7, 6, 8), [0.0] * 5) == Chain([], [], 0.0)


@given(rhythms())
def test_open_days_are_those_that_some_chain_makes(r):
    # a day that pays more than all misses and days off cost is in the chain, if it is in any
    wanted = []
    for d in range(r.days):
        costs = [0.0] * r.days
        costs[d] = -1e9
        wanted.append(d in chain(r, costs).planned)
    assert open_days(r.layout(), 0).tolist() == wanted
