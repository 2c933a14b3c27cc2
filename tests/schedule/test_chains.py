"""The cheapest chain of days, against all sets of days."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from territory.schedule.chains import MISSED, PER_DAY_OFF, Rhythm, best_chain


@st.composite
def rhythms(draw):
    days = draw(st.integers(1, 12))
    interval = draw(st.integers(1, 9))
    early, late = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    low = draw(st.integers(0, days - 1))
    high = low + draw(st.integers(0, 6))
    due = draw(st.integers(low, min(high, days - 1)))
    return Rhythm(days, float(interval), low, high, due, max(1, interval - early), interval + late)


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
            off = (abs(days[0] - r.first_due) if r.first_due > 0 else 0) + sum(abs(g - r.step) for g in gaps)
            value = sum(costs[d] for d in days) + PER_DAY_OFF * off
            best = value if best is None else min(best, value)
    return best


@given(rhythms(), st.data())
def test_without_gaps_the_chain_is_the_cheapest(r, data):
    costs = data.draw(st.lists(st.none() | st.integers(0, 500).map(float), min_size=r.days, max_size=r.days))
    chain = best_chain(r, costs.__getitem__)
    best = by_force(r, costs)
    if best is None:
        assert chain.missed
    else:
        assert not chain.missed
        assert abs(sum(costs[d] for d in chain.planned) + chain.penalty - best) < 1e-9


@given(rhythms(), st.data())
def test_planned_and_missed_visits_keep_the_rhythm(r, data):
    possible = data.draw(st.lists(st.booleans(), min_size=r.days, max_size=r.days))
    chain = best_chain(r, lambda d: 0.0 if possible[d] else None)
    assert all(possible[d] for d in chain.planned)
    events = sorted([*chain.planned, *chain.missed])
    assert len(set(events)) == len(events) > 0
    assert all(b - a <= r.gap_high for a, b in pairwise(events))
    planned = sorted(chain.planned)
    for a, b in pairwise(events):
        if a in planned and b in planned:
            assert b - a >= r.gap_low
    assert events[-1] + r.interval >= r.days


def test_a_missed_visit_costs_more_than_any_detour():
    chain = best_chain(Rhythm(5, 7.0, 0, 4, 0, 7, 7), lambda d: 90_000.0 if d == 3 else None)
    assert chain.planned == (3,)
    assert MISSED > 90_000
