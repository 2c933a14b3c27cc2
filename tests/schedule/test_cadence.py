"""When visits are due."""

from __future__ import annotations

import numpy as np
import pytest

from territory.model import Customers, PlanSettings
from territory.schedule.cadence import cadence_of, due_visits

MONDAY = np.datetime64("2026-01-05")
NONE = np.array([], dtype="datetime64[D]")


def settings(days=28, **options):
    return PlanSettings(MONDAY, days, NONE, **options)


def one(**columns):
    return Customers(id=["a"], lon=[0.0], lat=[50.0], **columns)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, ["2026-01-05"]),
        ({"visit_interval_days": [7]}, ["2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26"]),
        ({"visit_interval_days": [14], "last_visit": ["2026-01-01"]}, ["2026-01-15", "2026-01-29"]),
        ({"visit_interval_days": [np.nan]}, []),
        # overdue: at once
        ({"visit_interval_days": [14], "last_visit": ["2025-06-01"]}, ["2026-01-05", "2026-01-19"]),
        # late, but still within its tolerance of 3 days
        ({"visit_interval_days": [14], "last_visit": ["2025-12-20"]}, ["2026-01-05", "2026-01-19"]),
        # interval above the horizon: due or not, by the last visit
        ({"visit_interval_days": [60], "last_visit": ["2025-12-01"]}, ["2026-01-30"]),
        ({"visit_interval_days": [60], "last_visit": ["2025-12-20"]}, []),
        ({"visit_interval_days": [7], "channel": ["inside"]}, []),
        ({"visit_interval_days": [7], "stage": ["lost"]}, []),
    ],
)
def test_due_days(columns, expected):
    assert [str(d) for d in due_visits(one(**columns), settings()).due] == expected


def test_tolerance_is_a_share_of_the_interval_unless_the_customer_says():
    c = Customers(id=["a", "b"], lon=[0, 0], lat=[50, 50], visit_interval_days=[14, 14])
    assert cadence_of(c, settings()).gap_low.tolist() == [11, 11]
    assert cadence_of(c, settings(tolerance=0.0)).gap_high.tolist() == [14, 14]
    own = Customers(id=["a"], lon=[0], lat=[50], visit_interval_days=[14], early_days=[1], late_days=[5])
    found = cadence_of(own, settings())
    assert (found.gap_low.tolist(), found.gap_high.tolist()) == ([13], [19])


def test_a_fraction_of_a_day_is_rounded_to_days_that_exist():
    found = cadence_of(one(visit_interval_days=[10.5]), settings(tolerance=0.0))
    assert (found.gap_low.tolist(), found.gap_high.tolist()) == ([10], [11])


def test_visits_of_one_customer_are_numbered():
    visits = due_visits(one(visit_interval_days=[14]), settings())
    assert visits.id.tolist() == ["a#1", "a#2"]
    assert visits.earliest.astype(str).tolist() == ["2026-01-05", "2026-01-16"]
    assert visits.latest.astype(str).tolist() == ["2026-01-18", "2026-01-22"]


def test_nobody_due_is_an_empty_table():
    assert len(due_visits(one(visit_interval_days=[np.nan]), settings())) == 0
