"""The calendar, on cases that can be worked out by hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from territory import Customers, InputError, Reps, Status, check_plan, design_territories, schedule_visits
from territory.datasets import REFERENCE_DAY, load_germany


def utc(text):
    return np.datetime64(text, "s")


def test_holidays_are_left_out_and_the_visit_moves(planned, days_of):
    plan = planned([1], weeks=2, visit_interval_days=[7.0], plan_holidays=["2026-01-05", "2026-01-06"])
    days = days_of(plan)
    assert len(days) == 2
    assert not {"2026-01-05", "2026-01-06"} & set(days)
    assert 6 <= (np.datetime64(days[1]) - np.datetime64(days[0])).astype(int) <= 8


def test_a_holiday_on_every_day_is_no_shift(planned, reasons_of):
    plan = planned([1], plan_holidays=[f"2026-01-{d:02d}" for d in range(5, 12)])
    assert set(reasons_of(plan).values()) == {"no-shift"}
    assert "holidays" in str(plan.unassigned.detail[0])


def test_leave_keeps_visits_away(planned, days_of):
    plan = planned([1, 2], rep={"leave": ["2026-01-05..2026-01-08"]})
    assert days_of(plan, 0) == days_of(plan, 1) == ["2026-01-09"]


def test_a_part_timer_works_on_its_days_and_no_overtime(planned):
    plan = planned([1, 1, 1, 1], service_s=[5000] * 4, rep={"shift": ["Tu 08:00-12:00"]})
    assert set(plan.stops.day.astype(str)) == {"2026-01-06"}
    assert len(plan.stops) == 2, "three take 15,000 s and drives, the shift has 14,400 s"
    assert (plan.routes.leave >= utc("2026-01-06T08:00:00")).all()
    assert (plan.routes.back <= utc("2026-01-06T12:00:00")).all()


def test_opening_hours_make_an_appointment(planned):
    plan = planned([1, 2], opening_hours=["We 14:00-14:30", "Mo-Fr 08:00-17:00"])
    first = plan.stops.customer_idx == 0
    assert plan.stops.start[first].astype(str).tolist() == ["2026-01-07T14:00:00"]
    assert plan.stops.end[first].astype(str).tolist() == ["2026-01-07T14:30:00"]


def test_hours_that_bind_the_start_let_the_visit_run_on(planned):
    hours = {"opening_hours": ["We 14:00-14:10"], "service_s": [3600]}
    assert len(planned([1], **hours).stops) == 0
    plan = planned([1], hours_bind=["start"], **hours)
    assert utc("2026-01-07T14:00:00") <= plan.stops.start[0] <= utc("2026-01-07T14:10:00")


def test_a_zero_length_window_holds_a_start(planned):
    plan = planned([1], opening_hours=["Tu 10:00-10:00"], hours_bind=["start"])
    assert plan.stops.start.astype(str).tolist() == ["2026-01-06T10:00:00"]


def test_preferred_weekdays_are_kept(planned, days_of):
    plan = planned([1], weeks=3, visit_interval_days=[7.0], preferred_weekdays=["Th"])
    assert days_of(plan) == ["2026-01-08", "2026-01-15", "2026-01-22"]


def test_week_parity_is_that_of_iso_weeks_across_a_year_end(planned, days_of):
    # 2026 has a week 53: weeks 52, 53, 1, 2 begin on 21 and 28 December, 4 and 11 January
    options = {
        "weeks": 4,
        "start": "2026-12-21",
        "visit_interval_days": [14.0],
        "late_days": [14.0],
        "early_days": [7.0],
    }
    odd = planned([1], week_parity=["odd"], **options)
    assert set(days_of(odd)) <= {f"2026-12-{d}" for d in range(28, 32)} | {f"2027-01-{d:02d}" for d in range(1, 11)}
    even = planned([1], week_parity=["even"], **options)
    assert all(d <= "2026-12-27" or d >= "2027-01-11" for d in days_of(even))
    assert len(odd.stops) >= 1
    assert len(even.stops) == 2


def test_a_leap_day_is_a_day(planned, days_of):
    plan = planned([1], start="2028-02-28", weeks=1, preferred_weekdays=["Tu"])
    assert days_of(plan) == ["2028-02-29"]


@pytest.mark.parametrize(
    ("start", "day", "opens"),
    [
        # Berlin: the clock jumps from 2 to 3 on 2026-03-29, and back from 3 to 2 on 2026-10-25
        ("2026-03-23", "2026-03-29", "2026-03-28T23:00:00"),
        ("2026-10-19", "2026-10-25", "2026-10-24T22:00:00"),
    ],
)
def test_days_of_23_and_25_hours_are_exact(planned, start, day, opens):
    hours = 23 if day < "2026-06" else 25
    rep = {"shift": ["Su 00:00-24:00"], "timezone": ["Europe/Berlin"]}
    whole = hours * 3600 - 2 * 600
    plan = planned([1], start=start, service_s=[whole], rep=rep)
    assert plan.routes.leave[0] == utc(opens)
    assert (plan.routes.back[0] - plan.routes.leave[0]).astype(int) == hours * 3600
    assert len(planned([1], start=start, service_s=[whole + 1], rep=rep).stops) == 0


def test_a_shift_that_the_clock_skips_is_none(planned):
    plan = planned([1], start="2026-03-23", rep={"shift": ["Su 02:30-03:00"], "timezone": ["Europe/Berlin"]})
    assert plan.unassigned.reason.tolist() == ["no-shift"]


def test_a_skipped_opening_time_counts_as_that_much_later(planned):
    plan = planned(
        [1], start="2026-03-23", opening_hours=["Su 02:30-06:00"], timezone=["Europe/Berlin"],
        rep={"shift": ["Su 00:00-12:00"], "timezone": ["Europe/Berlin"]},
    )  # fmt: skip
    assert plan.stops.start[0] >= utc("2026-03-29T01:30:00"), "02:30 is 03:30 summer time"


def test_a_customer_in_another_zone_is_visited_by_its_own_clock(planned):
    # 9:30 in Kyiv is 8:30 in Berlin and 7:30 UTC
    plan = planned(
        [1], opening_hours=["Mo-Fr 09:30-10:00"], timezone=["Europe/Kyiv"], rep={"timezone": ["Europe/Berlin"]}
    )
    assert str(plan.stops.start[0]).endswith("T07:30:00")


def test_a_customer_without_a_zone_keeps_the_clock_of_its_rep(planned):
    plan = planned([1], opening_hours=["Mo-Fr 09:30-10:00"], rep={"timezone": ["Europe/Berlin"]})
    assert str(plan.stops.start[0]).endswith("T08:30:00")


def test_a_visit_that_starts_in_hours_ends_before_a_call_block_on_the_customers_calendar(planned):
    # midnight in Tokyo is 15:00 UTC: the visit may run on after hours, but not into the blocked day
    columns = {
        "opening_hours": ["Mo 23:00-24:00"], "hours_bind": ["start"], "timezone": ["Asia/Tokyo"], "service_s": [3000],
        "call_blocks": ["2026-01-06"],
    }  # fmt: skip
    plan = planned([1], rep={"shift": ["Mo-Fr 08:00-20:00"]}, **columns)
    assert len(plan.stops) == 1
    assert plan.stops.end[0] <= utc("2026-01-05T15:00:00")
    assert len(planned([1], rep={"shift": ["Mo-Fr 08:00-20:00"]}, **{**columns, "service_s": [4000]}).stops) == 0


def test_a_break_is_taken_in_its_window_and_not_while_driving_or_visiting(planned):
    rep = {"break_s": [3600], "break_earliest_s": [12 * 3600], "break_latest_s": [13 * 3600]}
    plan = planned([1, 2, 3, 4], service_s=[7000] * 4, rep=rep, plan_iterations=0)
    with_break = ~np.isnat(plan.routes.break_start)
    assert with_break.any()
    assert {str(b)[11:] for b in plan.routes.break_start[with_break]} == {"12:00:00"}
    for stop_start, stop_end, day in zip(plan.stops.start, plan.stops.end, plan.stops.day, strict=True):
        assert stop_end <= day + np.timedelta64(12, "h") or stop_start >= day + np.timedelta64(13, "h")


def test_a_day_that_ends_before_the_break_needs_none(planned):
    plan = planned([1], rep={"break_s": [1800], "shift": ["Mo 08:00-10:00"]})
    assert np.isnat(plan.routes.break_start).all()


def test_intervals_and_tolerances_are_kept(planned, days_of):
    plan = planned([1, 2], weeks=4, visit_interval_days=[7.0, 14.0], plan_tolerance=0.0)
    for customer, gap in ((0, 7), (1, 14)):
        days = np.array(days_of(plan, customer), dtype="datetime64[D]")
        assert set(np.diff(days).astype(int)) == {gap}


def test_lost_inside_and_blank_customers_are_not_visited(planned):
    plan = planned([1, 2, 3, 4], visit_interval_days=[7, 7, np.nan, 7], stage=["lost", "", "", ""],
                   channel=["field", "inside", "field", "either"])  # fmt: skip
    assert set(plan.stops.customer_idx) == {3}
    assert len(plan.unassigned) == 0


def test_all_unassigned_is_a_plan(planned):
    plan = planned([40, 50])
    assert (len(plan.stops), len(plan.routes), len(plan.unassigned)) == (0, 0, 2)


def test_nothing_due_is_an_empty_plan(planned):
    plan = planned([1], visit_interval_days=[60.0], last_visit=["2026-01-01"])
    assert (len(plan.stops), len(plan.unassigned)) == (0, 0)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"weeks": 0}, "empty-horizon"),
        ({"weeks": 54}, "empty-horizon"),
        ({"weeks": 1.5}, "empty-horizon"),
        ({"start": "03/04/2026"}, "not-a-date"),
        ({"start": None}, "not-a-date"),
        ({"holidays": ["soon"]}, "not-a-date"),
        ({"holidays": "2026-01-06"}, "not-a-date"),
        ({"tolerance": 1.5}, "bad-tolerance"),
        ({"tolerance": float("nan")}, "bad-tolerance"),
        ({"default_shift": "Mo-Fr 17:00-08:00-"}, "bad-shift"),
        ({"default_shift": "Mo-Fr 08:00-12:00,13:00-17:00"}, "split-shift"),
        ({"default_service_s": -1}, "bad-service"),
        ({"time_limit_s": 0}, "bad-time-limit"),
        ({"time_limit_s": float("nan")}, "bad-time-limit"),
        ({"time_limit_s": "long"}, "bad-time-limit"),
        ({"iterations": -1}, "bad-iterations"),
        ({"iterations": 2.0}, "bad-iterations"),
        ({"rng": -1}, "bad-rng"),
        ({"rng": np.random.default_rng(0)}, "bad-rng"),
        ({"n_jobs": 0}, "bad-n-jobs"),
        ({"n_jobs": True}, "bad-n-jobs"),
    ],
)
def test_bad_parameters(town, options, code):
    customers, reps, travel = town([1])
    with pytest.raises(InputError) as caught:
        schedule_visits(customers, reps, **{"start": "2026-01-05", "travel": travel, **options})
    assert code in caught.value.codes


def test_all_problems_are_reported_together():
    empty = Customers(id=[], lon=[], lat=[])
    reps = Reps(id=["a", "b"], lon=[0.1, 1], lat=[50, 50])
    with pytest.raises(InputError) as caught:
        schedule_visits(empty, reps, start="x", weeks=0, tolerance=-1, time_limit_s=-1, n_jobs=0)
    assert set(caught.value.codes) == {
        "no-customers", "missing-alignment", "not-a-date", "empty-horizon", "bad-tolerance", "bad-time-limit",
        "bad-n-jobs",
    }  # fmt: skip


def test_an_alignment_of_others_is_refused(town):
    customers, reps, travel = town([1, 2])
    other, other_reps, _ = town([1, 3])
    for alignment, code in (
        (design_territories(other, reps), "other-customers"),
        (design_territories(customers, Reps(id=["R2"], lon=[10], lat=[50])), "other-reps"),
        (design_territories(customers, n_territories=1), "other-reps"),
    ):
        with pytest.raises(InputError) as caught:
            schedule_visits(customers, reps, alignment, start="2026-01-05", travel=travel)
        assert caught.value.codes == (code,) or list(caught.value.codes) == [code]
    assert other_reps.equals(reps)


@pytest.fixture(scope="module")
def country():
    customers, reps = load_germany(n_reps=60)
    customers = customers.take(np.arange(0, len(customers), 40))
    reps = reps.take(np.arange(0, 60, 20))
    loose = Customers(
        id=customers.id, lon=customers.lon, lat=customers.lat, visit_interval_days=customers.visit_interval_days,
        service_s=customers.service_s, opening_hours=customers.opening_hours, last_visit=customers.last_visit,
        timezone=customers.timezone,
    )  # fmt: skip
    return loose, reps, design_territories(loose, reps)


def tables(plan):
    return [
        np.asarray(getattr(table, name)).tolist()
        for table in (plan.stops, plan.routes, plan.unassigned)
        for name in table.__dataclass_fields__
        if getattr(table, name, None) is not None
    ]


def test_one_process_and_two_give_the_same_plan(country):
    customers, reps, alignment = country
    options = {"start": REFERENCE_DAY, "weeks": 2, "iterations": 2000, "rng": 5}
    one = schedule_visits(customers, reps, alignment, **options)
    two = schedule_visits(customers, reps, alignment, n_jobs=2, **options)
    assert str(tables(one)) == str(tables(two))


def test_a_tiny_time_limit_gives_a_valid_plan_that_says_so(country):
    customers, reps, alignment = country
    for limit in (1e-6, 0.15):
        began = time.monotonic()
        plan = schedule_visits(customers, reps, alignment, start=REFERENCE_DAY, iterations=10**6, time_limit_s=limit)
        assert time.monotonic() - began <= 1.1 * limit + 0.2 + 0.5, "half a second for a busy machine"
        assert plan.status is Status.TIME_LIMIT
        assert check_plan(plan).ok
        assert len(plan.stops) + len(plan.unassigned) > 0


def test_every_rep_gets_its_share_of_the_time(country):
    customers, reps, alignment = country
    plan = schedule_visits(customers, reps, alignment, start=REFERENCE_DAY, iterations=10**6, time_limit_s=1.5)
    assert plan.status is Status.TIME_LIMIT
    assert set(plan.routes.rep_idx) == {0, 1, 2}
    assert "time-limit" not in set(plan.unassigned.reason.tolist())


def test_progress_is_told_rep_by_rep(country):
    customers, reps, alignment = country
    told = []
    schedule_visits(
        customers, reps, alignment, start=REFERENCE_DAY, weeks=1, iterations=0, on_progress=lambda *a: told.append(a)
    )
    assert told == [(f"rep {i}", (j + 1) / 3) for j, i in enumerate(reps.id.tolist())]


def test_an_interrupt_passes_through(town):
    customers, reps, travel = town([1, 2])

    def stop(_step, _share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        schedule_visits(customers, reps, start="2026-01-05", travel=travel, on_progress=stop)


@pytest.mark.skipif(os.name == "nt", reason="SIGINT is sent as on POSIX")
def test_ctrl_c_ends_all_processes_soon(tmp_path):
    script = tmp_path / "long.py"
    script.write_text(
        textwrap.dedent(
            """
            import numpy as np
            from territory import Customers, Reps, design_territories, schedule_visits

            if __name__ == "__main__":
                rng = np.random.default_rng(0)
                n = 120
                ids = [str(i) for i in range(n)]
                customers = Customers(id=ids, lon=rng.uniform(8, 12, n), lat=rng.uniform(48, 52, n))
                reps = Reps(id=ids[:12], lon=rng.uniform(8, 12, 12), lat=rng.uniform(48, 52, 12))
                alignment = design_territories(customers, reps)
                print("ready", flush=True)
                effort = {"iterations": 10**9, "time_limit_s": 9, "n_jobs": 2}
                schedule_visits(customers, reps, alignment, start="2026-01-05", **effort)
            """
        )
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=15)
    assert process.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert errors.count("Traceback") == 1, "workers say nothing"


def test_a_last_visit_after_the_start_is_pointed_out():
    customers = Customers(
        id=["a", "b"],
        lon=[0.1, 0.2],
        lat=[50, 50],
        visit_interval_days=[14, 14],
        last_visit=["2026-02-20", "2026-01-01"],
    )
    plan = schedule_visits(customers, Reps(id=["R"], lon=[0], lat=[50]), start="2026-01-05", weeks=1, iterations=0)
    found = [p for p in plan.diagnostics if p.code == "last-visit-after-start"]
    assert [(p.count, p.rows) for p in found] == [(1, (0,))]


@pytest.mark.parametrize("start", ["1969-01-06", "9999-12-20"])
def test_a_start_beyond_the_calendar_is_refused(start):
    customers = Customers(id=["a"], lon=[0.1], lat=[50])
    with pytest.raises(InputError) as caught:
        schedule_visits(customers, Reps(id=["R"], lon=[0], lat=[50]), start=start)
    assert caught.value.codes == ("start-out-of-range",)


@pytest.mark.parametrize("wrong", [{"travel": "x"}, {"alignment": "x"}])
def test_what_is_no_travel_or_alignment_is_refused(wrong):
    customers = Customers(id=["a"], lon=[0.1], lat=[50])
    with pytest.raises(InputError, match=next(iter(wrong))):
        schedule_visits(customers, Reps(id=["R"], lon=[0], lat=[50]), start="2026-01-05", **wrong)
