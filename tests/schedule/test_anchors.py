"""Visits by interval around days that are agreed on."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from territory import Customers, PlanSettings
from territory.schedule.anchors import Piece, around
from territory.schedule.cadence import cadence_of

DAYS = 84


def cadence(interval, last, tolerance):
    start = np.datetime64("2026-01-05")
    visited = {} if last is None else {"last_visit": [start - np.timedelta64(last, "D")]}
    customers = Customers(id=["a"], lon=[0.0], lat=[0.0], visit_interval_days=[interval], **visited)
    return cadence_of(customers, PlanSettings(start, DAYS, [], tolerance=tolerance))


@given(
    st.floats(1, 60), st.none() | st.integers(1, 80), st.sampled_from([0.0, 0.1, 0.25, 0.5]),
    st.lists(st.integers(0, DAYS - 1), max_size=4, unique=True), st.data(),
)  # fmt: skip
def test_any_days_within_the_pieces_of_a_run_keep_their_gaps(interval, last, tolerance, days, data):
    found = cadence(interval, last, tolerance)
    anchors = [Piece(d, d, d) for d in sorted(days)]
    pieces, beat = around(found, 0, anchors, DAYS)
    assert all(p.low <= p.due <= p.high for p in pieces)
    least, most = int(found.gap_low[0]), int(found.gap_high[0])
    made = [data.draw(st.integers(p.low, p.high)) for p in pieces]
    assert made == sorted(made)
    events = sorted([(d, True) for d in days] + [(d, False) for d in made])
    assert len({d for d, _ in events}) == len(events)
    for (a, fixed_a), (b, fixed_b) in pairwise(events):
        if not fixed_a and not fixed_b:
            assert least <= b - a <= most
        elif made or anchors:
            # beside an anchor a visit more would come too soon
            assert b - a <= least + most
    for d, fixed in events[:1]:
        assert fixed or int(found.first_low[0]) <= d <= int(found.first_high[0])
    if beat is not None:
        assert beat.due < DAYS
        if anchors:
            assert (beat.low, beat.high) == (anchors[-1].due + least, anchors[-1].due + most)


def test_a_visit_before_an_anchor_is_not_too_early_for_it():
    start = np.datetime64("2026-03-16")
    customers = Customers(
        id=["a"], lon=[10.0], lat=[50.0], visit_interval_days=[10], early_days=[5], late_days=[0],
        last_visit=["2026-03-11"],
    )  # fmt: skip
    found = cadence_of(customers, PlanSettings(start, 35, []))
    pieces, beat = around(found, 0, [Piece(17, 17, 17)], 35)
    # five days and ten are between them at most; on the first days of its own window it would be too long ago
    assert pieces == [Piece(2, 5, 5)]
    assert beat == (22, 27, 27)


def test_without_anchors_the_rhythm_is_that_of_the_cadence():
    found = cadence(14.0, 3, 0.25)
    assert around(found, 0, [], DAYS) == ([], (8, 14, 11))


def test_one_by_one_until_the_end_of_the_horizon():
    found = cadence(28.0, 20, 0.25)
    pieces, beat = around(found, 0, [], DAYS, single=True)
    assert beat is None
    assert [p.due for p in pieces] == [8, 36, 64]
    assert [p.high - p.low for p in pieces] == [7, 7, 7]


def test_no_visit_is_due_after_an_anchor_near_the_end():
    found = cadence(28.0, None, 0.25)
    _, beat = around(found, 0, [Piece(60, 60, 60)], DAYS)
    assert beat is None
