"""The smallest change that lets a missed visit in: planted causes, each named, changed, and planned again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from tests.schedule.brute_plan import planned as planned_case
from tests.schedule.brute_plan import tables
from tests.schedule.test_brute_force import instances

from territory import (
    Plan,
    apply_change,
    read_plan,
    schedule_visits,
    write_plan,
)
from territory.model.enums import Reason
from territory.schedule.changes import SIZES
from territory.schedule.changes_bench import Bench
from territory.schedule.changes_plan import with_changes

WEEK = "2026-01-05..2026-01-11"
ALL_WEEK = [f"2026-01-{d:02d}" for d in range(5, 12)]
LEAD = {"stage": ["sql"], "temperature": ["cold"]}

#: What was planted; the reason; code, amount and day of the smallest change. One place further is 600 s.
PLANTED = {
    "so far that the day is too short": (
        {"x": [30]}, Reason.OUT_OF_REACH, "shift-late", 5400, "2026-01-05",
    ),
    "open only before the rep can be there": (
        {"x": [12], "opening_hours": ["Mo-Fr 08:00-09:00"]}, Reason.OUT_OF_REACH, "shift-early", 5400, "2026-01-05",
    ),
    "open so late that the rep is not back in time": (
        {"x": [7], "opening_hours": ["Mo-Fr 16:00-24:00"]}, Reason.OUT_OF_REACH, "shift-late", 3600, "2026-01-05",
    ),
    "longer than any shift": (
        {"service_s": [36_000]}, Reason.SERVICE_TOO_LONG, "shift-late", 5400, "2026-01-05",
    ),
    "open after work": (
        {"opening_hours": ["Mo-Fr 18:00-20:00"]}, Reason.NO_COMMON_WINDOW, "shift-late", 7200, "2026-01-05",
    ),
    "open before work, by a clock far east": (
        {"opening_hours": ["Mo-Fr 13:00-16:00"], "timezone": ["Asia/Tokyo"]},
        Reason.NO_COMMON_WINDOW, "shift-early", 7200, "2026-01-05",
    ),
    "open for less than the visit": (
        {"opening_hours": ["Mo-Fr 09:00-09:20"]}, Reason.NO_COMMON_WINDOW, "shorter-visit", 900, "2026-01-05",
    ),
    "open for much less than the visit": (
        {"opening_hours": ["Mo-Fr 09:00-09:30"], "service_s": [5400]},
        Reason.NO_COMMON_WINDOW, "closes-later", 3600, "2026-01-05",
    ),
    "open too late for a rep who works until midnight": (
        {"x": [6], "opening_hours": ["Mo-Fr 23:00-24:00"], "service_s": [600], "rep": {"shift": ["Mo-Fr 14:00-24:00"]}},
        Reason.OUT_OF_REACH, "opens-earlier", 1800, "2026-01-05",
    ),
    "closed on all working days": (
        {"opening_hours": ["Sa 10:00-12:00"]}, Reason.NO_COMMON_WINDOW, "opens-that-day", 1, "2026-01-05",
    ),
    "a call block": (
        {"call_blocks": ["2026-01-01..2026-01-31"]}, Reason.BLOCKED, "call-block", 1, "2026-01-05",
    ),
    "a weekday on which the rep does not work": (
        {"preferred_weekdays": ["Sa"]}, Reason.BLOCKED, "weekday", 1, "2026-01-05",
    ),
    "the wrong week": (
        {"week_parity": ["odd"]}, Reason.BLOCKED, "week", 1, "2026-01-05",
    ),
    "leave": (
        {"rep": {"leave": [WEEK]}}, Reason.NO_SHIFT, "leave-day", 1, "2026-01-05",
    ),
    "holidays": (
        {"plan_holidays": ALL_WEEK}, Reason.NO_SHIFT, "holiday", 1, "2026-01-05",
    ),
    "only days in the office": (
        {"rep": {"office_days": ["Mo-Fr"]}}, Reason.NO_SHIFT, "field-day", 1, "2026-01-05",
    ),
    "meant for a Saturday, to the day": (
        {"visit_interval_days": [14.0], "last_visit": ["2025-12-27"], "plan_tolerance": 0.0},
        Reason.NO_SHIFT, "tolerance-early", 1, "2026-01-09",
    ),
    "meant for a Sunday, to the day": (
        {"visit_interval_days": [14.0], "last_visit": ["2025-12-28"], "plan_tolerance": 0.0, "weeks": 2},
        Reason.NO_SHIFT, "tolerance-late", 1, "2026-01-12",
    ),
    "every day, also on weekends": (
        {"visit_interval_days": [1.0]}, Reason.TOO_OFTEN, "extra-day", 1, "2026-01-10",
    ),
    "a day that is full": (
        {"x": [1] * 3, "service_s": [5000] * 3, "rep": {"shift": ["Tu 08:00-12:00"]}},
        Reason.OVER_CAPACITY, "shift-late", 1800, "2026-01-06",
    ),
    "full, where others are not welcome later": (
        {"x": [0] * 6, "service_s": [600] * 6, "opening_hours": ["Mo 08:00-08:50"] * 6,
         "rep": {"shift": ["Mo 08:00-08:50"]}},
        Reason.OVER_CAPACITY, "both-later", 1800, "2026-01-05",
    ),
    "as many visits as there may be": (
        {"x": [1, 2, 3], "rep": {"shift": ["Tu 08:00-17:00"], "max_visits_per_day": [2]}},
        Reason.OVER_CAPACITY, "visits-a-day", 1, "2026-01-06",
    ),
    "no visits at all": (
        {"rep": {"max_visits_per_day": [0]}}, Reason.OVER_CAPACITY, "visits-a-day", 1, "2026-01-05",
    ),
    "two for one short day, to the day": (
        {"x": [1, 1], "service_s": [2400] * 2, "visit_interval_days": [14.0] * 2, "last_visit": ["2025-12-23"] * 2,
         "plan_tolerance": 0.0, "rep": {"shift": ["Mo-Fr 08:00-09:00"]}},
        Reason.OVER_CAPACITY, "tolerance-early", 1, "2026-01-05",
    ),
    "more work than days": (
        {"x": [1] * 3, "service_s": [28_000] * 3, "rep": {"shift": ["Mo-Tu 08:00-17:00"]}},
        Reason.OVER_CAPACITY, "extra-day", 1, "2026-01-07",
    ),
    "no time for planning": (
        {"x": [1], "plan_time_limit_s": 1e-9}, Reason.TIME_LIMIT, "search", 0, "2026-01-05",
    ),
    "a cold lead that is not near": (
        {"x": [5], **LEAD}, Reason.LOWER_VALUE, "detour", 5400, "2026-01-05",
    ),
    "a skill that the rep lacks": (
        {"required_skills": ["fire; gas"], "rep": {"skills": ["gas"]}},
        Reason.NO_ELIGIBLE_REP, "skill", 1, "2026-01-05",
    ),
    "a rep who is forbidden": (
        {"forbidden_reps": ["R1"]}, Reason.NO_ELIGIBLE_REP, "allow-rep", 1, "2026-01-05",
    ),
    "a lock to somebody who is gone": (
        {"owner": ["R9"], "locked": [True]}, Reason.NO_ELIGIBLE_REP, "unlock", 1, "2026-01-05",
    ),
}  # fmt: skip


def changed(plan, row, travel):
    """Plan again with the change of a row."""
    customers, reps, alignment, options = apply_change(plan, row)
    return schedule_visits(customers, reps, alignment, travel=travel, iterations=100, **options)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_cause_is_named_and_its_smallest_change_lets_the_visit_in(town, name):
    columns, reason, code, amount, day = PLANTED[name]
    columns = {"x": [1], **columns}
    options = {key[5:]: columns[key] for key in columns if key.startswith("plan_")}
    weeks = columns.get("weeks", 1)
    tables_of = {key: v for key, v in columns.items() if not key.startswith("plan_") and key != "weeks"}
    customers, reps, travel = town(**tables_of)
    plan = schedule_visits(
        customers, reps, start="2026-01-05", weeks=weeks, travel=travel, **{"iterations": 100, **options}
    )
    u = plan.unassigned
    assert u.reason[0] == reason
    assert (u.change_code[0], u.change_amount[0], str(u.change_day[0])) == (code, amount, day)
    assert str(u.change_day[0]) in str(u.change[0])
    again = changed(plan, 0, travel)
    assert len(again.stops) == len(plan.stops) + len(plan.unassigned) - len(again.unassigned)
    assert len(again.unassigned) < len(plan.unassigned)
    if code not in ("shift-late", "both-later", "search"):
        assert int(u.customer_idx[0]) in again.stops.customer_idx
    if code in ("shift-late", "shift-early"):
        # half an hour less would not do
        less = replace(plan, unassigned=replace(u, change_amount=u.change_amount - 1800))
        assert len(changed(less, 0, travel).unassigned) == len(plan.unassigned)


def test_there_are_more_than_twenty_causes_and_most_changes_among_them():
    assert len(PLANTED) >= 20
    elsewhere = {"rep", "dates-early", "dates-late", "time-early", "time-late", "both-earlier"}
    assert {code for _, _, code, _, _ in PLANTED.values()} == set(SIZES) - elsewhere


# -- whatever comes ------------------------------------------------------------------------------


@settings(max_examples=25)
@given(instances())
def test_in_any_tiny_team_a_change_lets_more_visits_in(case):
    plan = planned_case(case)
    travel = tables(case)[3]
    seen = set()
    for u, (who, code) in enumerate(
        zip(plan.unassigned.customer_idx.tolist(), plan.unassigned.change_code.tolist(), strict=True)
    ):
        if code == "" or (who, code) in seen:
            continue
        seen.add((who, code))
        customers, reps, alignment, options = apply_change(plan, u)
        again = schedule_visits(customers, reps, alignment, travel=travel, iterations=200, **options)
        mine = int(plan.unassigned.rep_idx[u])
        before, after = plan.unassigned.rep_idx, again.unassigned.rep_idx
        if code == "rep":
            assert len(after) < len(before)
        else:
            assert (after == mine).sum() < (before == mine).sum()


def test_rows_and_names_do_not_matter(town):
    rng = np.random.default_rng(0)
    x = np.round(rng.uniform(-15, 15, 30), 2).tolist()
    customers, reps, travel = town(x, service_s=[5400.0] * 30, rep={"shift": ["Mo-Fr 08:00-12:00"]})
    plan = schedule_visits(customers, reps, start="2026-01-05", weeks=1, travel=travel, iterations=200)
    order = rng.permutation(30)
    other = schedule_visits(customers.take(order), reps, start="2026-01-05", weeks=1, travel=travel, iterations=200)
    assert len(plan.unassigned) > 10

    def told(p):
        u = p.unassigned
        names = p.customers.id[u.customer_idx].tolist()
        return sorted(zip(names, u.change.tolist(), u.change_amount.tolist(), strict=True))

    assert told(plan) == told(other)


def test_work_for_a_missed_visit_is_bounded(town, monkeypatch):
    """However many are missed, a few orders are timed for each."""
    tries = []
    fit = Bench.fit

    def counted(self, *args, **kw):
        found = fit(self, *args, **kw)
        tries.append(self.tries)
        return found

    monkeypatch.setattr(Bench, "fit", counted)
    rng = np.random.default_rng(1)
    x = np.round(rng.uniform(-15, 15, 120), 2).tolist()
    customers, reps, travel = town(x, service_s=[3600.0] * 120, opening_hours=["Mo-Fr 09:00-16:00"] * 120)
    plan = schedule_visits(customers, reps, start="2026-01-05", weeks=1, travel=travel, iterations=100)
    missed = len(plan.unassigned)
    assert missed > 60
    assert max(tries) < 320 * missed


def test_time_is_kept(town):
    customers, reps, travel = town([30, 40])
    plan = schedule_visits(customers, reps, start="2026-01-05", weeks=1, travel=travel)
    blank = with_changes(plan, travel, until=0.0)
    # a tenth of a second is enough
    assert blank.unassigned.change_code.tolist() == plan.unassigned.change_code.tolist()
    assert with_changes(replace(plan, unassigned=plan.unassigned.take([])), travel).unassigned.change.tolist() == []


def test_changes_are_in_the_frame_and_survive_files(town, tmp_path):
    customers, reps, travel = town([30, 1], required_skills=["", "fire"])
    plan = schedule_visits(customers, reps, start="2026-01-05", weeks=1, travel=travel)
    write_plan(plan, tmp_path / "plan")
    back = read_plan(tmp_path / "plan")
    for name in ("change", "change_code", "change_amount", "change_day"):
        assert getattr(back.unassigned, name).tolist() == getattr(plan.unassigned, name).tolist()
    assert plan.unassigned_frame()["change_code"].tolist() == ["shift-late", "skill"]
    again = Plan.from_frame(
        plan.to_frame(), customers=customers, reps=reps, like=plan, unassigned=plan.unassigned_frame()
    )
    assert len(changed(again, 1, travel).unassigned) == 1
