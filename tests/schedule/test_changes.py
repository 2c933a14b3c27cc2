"""The smallest change that lets a missed visit in: planted causes, each named, changed, and planned again."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from tests.schedule.brute_plan import planned as planned_case
from tests.schedule.brute_plan import tables
from tests.schedule.test_brute_force import instances

from territory import (
    Alignment,
    Customers,
    InputError,
    Plan,
    PlanSettings,
    Reps,
    Visits,
    apply_change,
    read_plan,
    schedule_visits,
    write_plan,
)
from territory.model.enums import Reason
from territory.routing.desk import Desk
from territory.schedule import changes
from territory.schedule.changes import SIZES, Change, sentence, size_of
from territory.schedule.changes_bench import Bench, Stop
from territory.schedule.changes_chain import Rhythm, fewest_missed
from territory.schedule.changes_plan import with_changes
from territory.travel import MatrixTravel

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


# -- who serves whom -----------------------------------------------------------------------------


def two_reps(territory_idx, rep_idx=(0, 1), *, no_way=(), columns=None, weeks=1):
    """Plan two customers, and two reps next to each other."""
    customers = Customers(id=["a", "b"], lon=[10, 10.01], lat=[50, 50], **(columns or {}))
    reps = Reps(id=["R1", "R2"], lon=[10.02, 10.03], lat=[50, 50])
    alignment = Alignment(customers, reps, ["T1", "T2"], np.array(territory_idx), np.array(rep_idx), [10, 10], [50, 50])
    seconds = np.full((4, 4), 600.0)
    for i, j in no_way:
        seconds[i, j] = seconds[j, i] = np.inf
    np.fill_diagonal(seconds, 0.0)
    travel = MatrixTravel(seconds, customer_ids=["a", "b"], rep_ids=["R1", "R2"])
    return schedule_visits(customers, reps, alignment, start="2026-01-05", weeks=weeks, travel=travel), travel


@pytest.mark.parametrize(
    ("reason", "case"),
    [
        (Reason.UNREACHABLE, {"territory_idx": [0, 1], "no_way": [(0, 2)]}),
        (Reason.NO_ELIGIBLE_REP, {"territory_idx": [-1, 0]}),
        (Reason.NO_ELIGIBLE_REP, {"territory_idx": [0, 1], "rep_idx": (-1, 1)}),
    ],
)
def test_another_rep_who_could(reason, case):
    plan, travel = two_reps(**case)
    u = plan.unassigned
    assert u.reason.tolist() == [reason]
    assert u.change_code.tolist() == ["rep"]
    chosen = int(u.change_amount[0])
    assert plan.reps.id[chosen] in str(u.change[0])
    again = changed(plan, 0, travel)
    assert len(again.unassigned) == 0
    assert again.stops.rep_idx[again.stops.customer_idx == 0].tolist() == [chosen]


def test_a_lock_to_a_rep_of_another_territory_is_cheaper_kept():
    """The customer is locked to R2, but belongs to R1's territory: R2 serves it then."""
    plan, travel = two_reps([0, 1], columns={"owner": ["R2", "R2"], "locked": [True, True]})
    assert plan.unassigned.change_code.tolist() == ["rep"]
    again = changed(plan, 0, travel)
    assert again.stops.rep_idx.tolist() == [1, 1]


def test_nothing_helps_where_nobody_can_drive():
    plan, _ = two_reps([0, 1], no_way=[(0, 2), (0, 3)])
    assert plan.unassigned.change_code.tolist() == [""]
    assert "no single change" in str(plan.unassigned.change[0])
    assert np.isnat(plan.unassigned.change_day[0])
    with pytest.raises(InputError) as caught:
        apply_change(plan, 0)
    assert caught.value.codes == ("no-change",)
    with pytest.raises(InputError) as caught:
        apply_change(plan, 1)
    assert caught.value.codes == ("no-such-row",)


# -- single visits -------------------------------------------------------------------------------


def appointments(town, times, **rep):
    customers, reps, travel = town([1, 1], visit_interval_days=[np.nan, np.nan], rep=rep or None)
    visits = Visits(
        id=["v0", "v1"], customer_id=["c0", "c1"], earliest=["2026-01-06"] * 2, latest=["2026-01-06"] * 2, time_s=times
    )
    return schedule_visits(customers, reps, start="2026-01-05", weeks=1, travel=travel, visits=visits), travel


def test_two_appointments_at_one_time_are_in_conflict_and_one_is_moved(town):
    plan, travel = appointments(town, [36_000.0, 36_000.0])
    u = plan.unassigned
    assert u.reason.tolist() == [Reason.CONFLICT]
    # half an hour for the visit of the other; they are next door
    assert (u.change_code[0], u.change_amount[0]) == ("time-early", 1800)
    again = changed(plan, 0, travel)
    assert len(again.stops) == 2
    assert again.stops.start.astype(str).tolist() == ["2026-01-06T09:30:00", "2026-01-06T10:00:00"]


def test_an_appointment_on_a_day_of_leave_is_better_a_day_earlier(town):
    plan, travel = appointments(town, [36_000.0, 50_400.0], leave=["2026-01-06"])
    u = plan.unassigned
    assert u.reason.tolist() == [Reason.NO_SHIFT] * 2
    assert u.change_code.tolist() == ["dates-early"] * 2
    assert u.change_amount.tolist() == [1, 1]
    again = changed(plan, 1, travel)
    assert len(again.unassigned) == 1
    assert again.stops.start.astype(str).tolist() == ["2026-01-05T14:00:00"]


def test_follow_ups_that_planning_adds_are_not_handed_back(town):
    customers, reps, travel = town(
        [1, 30], visit_interval_days=[7.0, 7.0], won_on=["2025-12-24", ""], rep={"leave": ["2026-01-06..2026-01-11"]}
    )
    plan = schedule_visits(customers, reps, start="2026-01-05", weeks=1, travel=travel)
    assert plan.visits is not None
    row = plan.unassigned.customer_idx.tolist().index(1)
    assert apply_change(plan, row)[3]["visits"] is None
    assert 1 in changed(plan, row, travel).stops.customer_idx


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


# -- parts ---------------------------------------------------------------------------------------


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
