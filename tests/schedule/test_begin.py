"""Which routes of before may start a search."""

from __future__ import annotations

import numpy as np
import pytest

from territory.check import check_routing
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.routing.trial import Trial
from territory.schedule.begin import begun

DAYS = 4


def problem(**visits):
    """Return a problem of two places, three visits of which the first has a rhythm, and a shift a day."""
    rhythm = {name: [value, 0, 0] for name, value in (("gap_low_days", 2), ("gap_high_days", 3), ("gap_days", 2))}
    columns = {"place": [1, 1, 1], "service_s": [600] * 3, "interval_days": [2.0, 0.0, 0.0], **rhythm, **visits}
    joint = columns.pop("joint", None)
    begin = 86_400 * np.arange(DAYS) + 28_800
    return RoutingProblem(
        durations_s=[[0, 600], [600, 0]],
        visits=VisitArrays(first_high_day=[1, 0, 0], **columns),
        shifts=ShiftArrays(start_place=[0] * DAYS, begin_s=begin, end_s=begin + 7_200, day=np.arange(DAYS)),
        joint=joint,
        n_days=DAYS,
    )


@pytest.mark.parametrize(
    ("orders", "kept"),
    [
        ({0: [0, 1], 2: [2, 0]}, {0: (0, 1), 2: (2, 0)}),
        # two days running are no rhythm; all else stays
        ({0: [0, 1], 1: [2, 0]}, {0: (1,), 1: (2,)}),
        ({0: [1], 1: [1, 2]}, {1: (2,)}),
        ({}, {}),
    ],
)
def test_what_keeps_its_days_stays(orders, kept):
    it = problem()
    found = begun(Trial(it), orders)
    assert check_routing(it, found).ok
    assert {r.shift: r.visits for r in found.routes} == kept


def test_sets_of_days_are_whole():
    it = problem(patterns=[None, [[0, 2], [1, 3]], None])
    assert {r.shift: r.visits for r in begun(Trial(it), {1: [1, 2], 3: [1]}).routes} == {1: (1, 2), 3: (1,)}
    assert {r.shift: r.visits for r in begun(Trial(it), {1: [1, 2], 2: [1]}).routes} == {1: (2,)}


def test_what_no_longer_fits_is_left_to_the_search():
    it = problem(service_s=[600, 5_000, 5_000])
    assert [r.visits for r in begun(Trial(it), {0: [1, 2, 0]}).routes] == [(1, 0)]
