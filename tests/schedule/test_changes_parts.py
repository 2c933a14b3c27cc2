"""What the search for the smallest change is made of."""

from __future__ import annotations

import re

import numpy as np
import pytest

from territory import Customers, PlanSettings, Reps, schedule_visits
from territory.routing.desk import Desk
from territory.schedule import changes
from territory.schedule.changes import SIZES, Change, sentence, size_of
from territory.schedule.changes_bench import Bench, Stop
from territory.schedule.changes_chain import Rhythm, fewest_missed


def test_the_table_of_sizes_is_what_is_reckoned_with():
    pattern = r"^([a-z-]+)  .*?  +([\d.]+)(?: a (day|half hour|quarter of an hour)| each)?$"
    rows = re.findall(pattern, changes.__doc__, re.MULTILINE)
    assert [code for code, _, _ in rows] == list(SIZES)
    unit = {"half hour": 1800, "quarter of an hour": 900}
    for code, each, per in rows:
        assert size_of(code, unit.get(per, 1)) == float(each), code


@pytest.mark.parametrize("code", SIZES)
def test_every_change_has_a_sentence(code):
    days = np.datetime64("2026-01-12") + np.arange(7)
    for amount in (1, 2, 14, 1800, 5400):
        said = sentence(Change(code, amount, 1), days, "R1")
        assert "Tue 2026-01-13" in said
        assert said == said.strip()


@pytest.mark.parametrize(
    ("made", "missed"),
    [([0, 7, 14], 0), ([], 3), ([14], 2), ([8], 2), ([7, 9], None), ([0, 20], None), ([3, 10, 17], 0), ([3, 18], 1)],
)
def test_how_many_are_missed(made, missed):
    assert fewest_missed(Rhythm(7.0, 0, 6, 0, 6, 8, 7), made, 21) == missed


def test_nothing_is_due_after_the_horizon():
    late = Rhythm(60.0, 25, 35, 30, 45, 75, 60)
    assert fewest_missed(late, [], 28) == 0
    assert fewest_missed(late, [26], 28) is None


@pytest.fixture
def bench(town):
    def make(x, routes, **columns):
        customers, reps, travel = town(x, **columns)
        rules = PlanSettings(np.datetime64("2026-01-05"), 7, [], travel=travel.fingerprint)
        desk = Desk(customers, reps, 0, np.arange(len(x), dtype=np.int32), rules, travel)
        return Bench(desk, routes)

    return make


def at(text):
    return int(np.datetime64(text, "s").astype(np.int64))


def test_a_guest_fits_where_the_day_has_room(bench):
    stop = Stop(0, 1800, at("2026-01-05T08:30:00"))
    made = bench([3, 5, -6], {0: [stop]}, rep={"shift": ["Mo-Fr 08:00-10:30"]})
    made.set_guest(2, 1800)
    made.set_windows(0, ((0, at("2026-01-05T20:00:00")),))
    found = made.fit(0)
    # 8:00 to 8:50 to the far one, or 8:30 to the near one: 100 min at the wheel, an hour of visits
    assert found is None
    assert made.lack_s(0) == 2 * 3000 + 3600 - 9000
    found = made.fit(0, later_s=600)
    assert found is not None
    assert (found.round_s, found.back) == (2400, at("2026-01-05T10:40:00"))
    made.set_guest(3, 1800)
    assert made.lack_s(0) == 2 * 3600 + 2 * 1800 + 3600 - 9000


def test_a_fixed_visit_stays_where_it_is(bench):
    stop = Stop(0, 1800, at("2026-01-05T09:00:00"), fixed=True)
    made = bench([3, 3], {0: [stop]}, rep={"shift": ["Mo-Fr 08:00-17:00"]})
    made.set_guest(2, 3600)
    made.set_windows(0, ((0, at("2026-01-05T09:10:00")),))
    # 8:30 to 9:00 is too short for an hour, and after 9:30 it is too late
    assert made.fit(0) is None
    made.set_service(1800)
    assert made.fit(0) is not None


def test_a_day_that_is_full_by_load_asks_for_no_more_visits():
    customers = Customers(
        id=["big", "more"], lon=[10.01, 10.02], lat=[50.0, 50.0], visit_interval_days=[28, 28],
        last_visit=["2025-12-08", "2025-12-08"], early_days=[0, 0], late_days=[0, 0], measures={"crates": [8.0, 5.0]},
    )  # fmt: skip
    reps = Reps(id=["r"], lon=[10.0], lat=[50.0], shift=["Mo 08:00-17:00"], load_limit=[10.0], max_visits_per_day=[4])
    plan = schedule_visits(customers, reps, start="2026-01-05", weeks=1, load="crates")
    assert len(plan.unassigned) == 1
    assert plan.unassigned.change_code[0] != "visits-a-day"
    assert (plan.unassigned.change_amount >= 0).all()
