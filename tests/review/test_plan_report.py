from __future__ import annotations

import datetime as dt
import json
import math
import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.review.by_hand import (
    add_gaps,
    bounds,
    by_hand,
    days_of,
    intervals_by_hand,
    is_event,
    rhythmic,
    second,
    week_name,
)
from tests.review.plans import START, random_plan

from territory import Customers, InputError
from territory.model.enums import Channel, Stage
from territory.review import PlanReport
from territory.review.intervals import intervals_of, iso_weeks, late_at_end

SEEDS = range(25)


def same(found, wanted):
    assert found == pytest.approx(wanted, abs=1e-9, nan_ok=True)


EMPTY = (
    "within_share",
    "deviation_mean_days",
    "deviation_max_days",
    "interval_asked_days",
    "interval_days",
    "utilisation",
)


def check_table(table, keys, sums, skip):
    numbers = [name for name in table if name not in skip]
    assert len(table[numbers[0]]) == len(keys)
    for row, at in enumerate(keys):
        for name in numbers:
            wanted = sums[at][name] if at in sums else math.nan if name in EMPTY else 0.0
            assert table[name][row] == pytest.approx(wanted, abs=1e-6, nan_ok=True), (at, name)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_table_is_what_plain_loops_add_up(seed):
    plan = random_plan(seed)
    report = plan.report()
    assert isinstance(report, PlanReport)
    ids = [*plan.reps.id.tolist(), ""]
    weeks = sorted({week_name(day) for day in days_of(plan.settings.days)})
    reps = ids if (plan.unassigned.rep_idx < 0).any() else ids[:-1]
    table = report.to_dict(by="rep")
    assert table["rep_id"].tolist() == reps
    check_table(table, reps, by_hand(plan, lambda rep, _: ids[rep]), ("rep_id",))
    table = report.to_dict(by="week")
    assert table["week"].tolist() == weeks
    assert [week_name(day) for day in days_of(table["monday"])] == weeks
    check_table(table, weeks, by_hand(plan, lambda _, day: week_name(day)), ("week", "monday"))
    table = report.to_dict(by="rep-week")
    pairs = list(zip(table["rep_id"].tolist(), table["week"].tolist(), strict=True))
    assert pairs == [(rep, week) for rep in reps for week in weeks]
    check_table(table, pairs, by_hand(plan, lambda rep, day: (ids[rep], week_name(day))), ("rep_id", "week", "monday"))
    whole = by_hand(plan, lambda *_: "all")["all"]
    for name, value in report.totals.items():
        if name != "late_at_end":
            same(value, whole[name])


@pytest.mark.parametrize("seed", SEEDS)
def test_classes_reasons_and_intervals_are_what_plain_loops_find(seed):
    plan = random_plan(seed)
    report, c, s, u = plan.report(), plan.customers, plan.stops, plan.unassigned
    gaps = intervals_by_hand(plan)
    table = report.to_dict(by="interval")
    names = ("customer_id", "rep_id", "day", "days", "asked_days", "within", "overdue")
    assert list(zip(*(table[name].tolist() for name in names), strict=True)) == [
        (c.id[i], plan.reps.id[rep], day, gap, asked, within, late) for i, rep, day, gap, asked, within, late in gaps
    ]

    def of(i):
        if c.segment is not None:
            return c.segment[i] or "no class"
        if c.visit_interval_days is None or math.isnan(c.visit_interval_days[i]):
            return "no interval"
        return f"{c.visit_interval_days[i]:g} days"

    table = report.to_dict(by="class")
    assert sorted(table["class"].tolist()) == sorted({of(i) for i in range(len(c))})
    last = [name.startswith("no ") for name in table["class"].tolist()]
    assert last == sorted(last)
    late = late_at_end(plan)
    for row, name in enumerate(table["class"].tolist()):
        mine = [i for i in range(len(c)) if of(i) == name]
        rows = [j for j in range(len(s)) if s.customer_idx[j] in mine]
        part = {"overdue": sum(g[6] for g in gaps if g[0] in mine)}
        add_gaps(part, [g[3:6] for g in gaps if g[0] in mine and not g[6]])
        part |= {
            "customers": len(mine), "visited": len({int(s.customer_idx[j]) for j in rows}), "visits": len(rows),
            "late_at_end": sum(bool(late[i]) for i in mine),
            "visit_h": sum(second(s.end[j]) - second(s.start[j]) for j in rows) / 3600,
            "drive_to_h": sum(int(s.drive_s[j]) for j in rows) / 3600,
            "km_to": sum(int(s.distance_m[j]) for j in rows) / 1000,
            "unplanned": sum(int(i) in mine for i in u.customer_idx),
        }  # fmt: skip
        for key, wanted in part.items():
            assert table[key][row] == pytest.approx(wanted, nan_ok=True), (name, key)
    table = report.to_dict(by="reason")
    for word, visits, who in zip(*(table[k].tolist() for k in ("reason", "visits", "customers")), strict=True):
        rows = [j for j in range(len(u)) if u.reason[j] == word]
        assert (visits, who) == (len(rows), len({int(u.customer_idx[j]) for j in rows}))
    assert table["reason"].tolist() == sorted(set(u.reason.tolist()))
    assert int(table["visits"].sum()) == report.totals["unplanned"] == len(u)


@pytest.mark.parametrize("seed", SEEDS)
def test_who_is_late_when_the_horizon_ends(seed):
    plan = random_plan(seed)
    c, s, late = plan.customers, plan.stops, late_at_end(plan)
    end = dt.date.fromisoformat(str(plan.settings.end))
    start = dt.date.fromisoformat(str(plan.settings.start))
    for i in range(len(c)):
        wanted = rhythmic(plan, i)
        wanted &= c.channel is None or c.channel[i] != Channel.INSIDE
        wanted &= c.stage is None or c.stage[i] != Stage.LOST
        if not wanted:
            assert not late[i]
            continue
        known = [d for row, d in enumerate(days_of(s.day)) if s.customer_idx[row] == i and not is_event(plan, row)]
        if c.last_visit is not None and not np.isnat(c.last_visit[i]):
            known.append(days_of(c.last_visit[i : i + 1])[0])
        if known:
            assert late[i] == (max(known) + dt.timedelta(days=bounds(plan, i)[1]) < end)
        else:
            first = start + dt.timedelta(days=max(1, math.floor(c.visit_interval_days[i] + 1e-9)) - 1)
            assert late[i] == (first < end)


def test_weeks_are_those_of_the_calendar():
    days = np.datetime64("2019-12-20") + np.arange(3000)
    names, mondays, of = iso_weeks(days)
    assert [names[j] for j in of.tolist()] == [week_name(day) for day in days_of(days)]
    assert all(day.weekday() == 0 for day in days_of(mondays))


@dataclass
class Nights:
    rep_idx: object
    day: object
    cost: object


def test_nights_of_a_plan_count_and_cost():
    plan = random_plan(3)
    nights = Nights(np.array([0, 0, 2], np.int32), START + np.array([0, 8, 8]), np.array([90.0, 80.0, 70.5]))
    object.__setattr__(plan, "nights", nights)
    report = plan.report()
    assert report.totals["nights"] == 3
    assert report.to_dict(by="rep")["nights"].tolist()[:3] == [2, 0, 1]
    assert report.to_dict(by="rep")["cost_nights"].tolist()[:3] == [170.0, 0.0, 70.5]
    assert report.to_dict(by="week")["nights"].tolist() == [1, 2]
    parts = [v for name, v in report.totals.items() if name.startswith("cost_")]
    same(report.totals["cost"], sum(parts))


def test_without_rates_there_is_no_cost_and_without_reasons_no_column():
    plan = random_plan(0)
    bare = replace(plan.reps, cost_per_hour=None, cost_per_km=None, cost_per_day=None, overtime_per_hour=None)
    report = replace(plan, reps=bare, unassigned=plan.unassigned.take([])).report()
    assert not [name for name in report.totals if name.startswith(("cost", "unplanned_"))]
    one = replace(plan, reps=replace(bare, cost_per_km=np.full(len(bare), 0.5))).report()
    same(one.totals["cost"], plan.distance_m / 2000)
    assert [name for name in one.totals if name.startswith("cost")] == ["cost_km", "cost"]


def test_a_missed_visit_makes_the_interval_long():
    customers = Customers(id=["a", "b"], lon=[9.0, 9.1], lat=[50.0, 50.0], visit_interval_days=[7.0, 7.0],
                          last_visit=["2026-12-21", "2026-11-01"])  # fmt: skip
    plan = random_plan(1, customers=customers, single=False, weeks=3)
    stops = plan.stops.take([0, 0, 0])
    stops = replace(stops, customer_idx=[0, 0, 1], day=[START, START + 14, START + 3])
    plan = replace(plan, stops=stops, settings=replace(plan.settings, cadence=True, tolerance=0.2))
    found = intervals_of(plan)
    assert found.days.tolist() == [7, 14, 60]
    assert found.within.tolist() == [True, False, False]
    assert found.overdue.tolist() == [False, False, True]  # too late before the plan began
    assert plan.report().to_dict(by="class")["overdue"].tolist() == [1]


@pytest.mark.parametrize(("last", "overdue", "late"), [
    ("2026-12-20", False, True),  # eight days are allowed: the first day of the horizon is the last
    ("2026-12-19", True, True),
    ("2027-01-09", None, True),  # made in the horizon, after the planned one
    ("2027-01-10", None, False),
])  # fmt: skip
def test_the_edges_of_what_is_overdue_and_late(last, overdue, late):
    customers = Customers(id=["a"], lon=[9.0], lat=[50.0], visit_interval_days=[7.0], late_days=[1.0],
                          last_visit=[last])  # fmt: skip
    plan = random_plan(1, customers=customers, single=False, weeks=3)
    stops = replace(plan.stops.take([0]), customer_idx=[0], day=[START])
    plan = replace(plan, stops=stops, settings=replace(plan.settings, cadence=True))
    found = intervals_of(plan)
    assert found.overdue.tolist() == ([] if overdue is None else [overdue])
    assert late_at_end(plan).tolist() == [late]


def test_stretched_intervals_stand_beside_those_that_were_asked_for():
    customers = Customers(id=["a", "b"], lon=[9.0, 9.1], lat=[50.0, 50.0], visit_interval_days=[4.0, 7.0],
                          last_visit=["2026-12-26", "2026-12-21"])  # fmt: skip
    plan = random_plan(1, customers=customers, r=1, single=False, weeks=3)
    stops = replace(plan.stops.take([0, 0]), customer_idx=[0, 1], day=[START + 4, START + 3])
    settings = replace(plan.settings, cadence=True, stretch={str(plan.reps.id[0]): 1.5})
    table = replace(plan, stops=stops, settings=settings).report().to_dict(by="class")
    assert table["interval_asked_days"].tolist() == [4.0, 7.0]
    assert table["interval_planned_days"].tolist() == [6.0, 10.5]
    assert table["interval_days"].tolist() == [6.0, 10.0]
    assert table["within"].tolist() == [0, 0]
    plain = replace(plan, stops=stops, settings=replace(settings, stretch={}))
    assert "interval_planned_days" not in plain.report().to_dict(by="class")


def test_a_plan_without_anything_is_reported():
    plan = random_plan(5)
    empty = replace(plan, stops=plan.stops.take([]), routes=plan.routes.take([]), unassigned=plan.unassigned.take([]))
    report = empty.report()
    assert report.totals["visits"] == 0
    assert report.summary()["within_share"] is None
    assert "0 visits" in repr(report)
    assert str(report)
    assert report._repr_html_()
    for by in ("rep", "week", "rep-week", "class", "reason", "interval"):
        assert report.to_frame(by=by) is not None


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_tables_go_into_every_dataframe_library(backend):
    report = random_plan(11).report()
    for by in ("rep", "week", "rep-week", "class", "reason", "interval"):
        frame = report.to_frame(backend, by=by)
        assert frame.shape[0] == len(next(iter(report.to_dict(by=by).values())))


def test_the_report_is_frozen_and_its_words_are_closed():
    report = random_plan(2).report()
    with pytest.raises(AttributeError):
        report.totals = {}  # type: ignore[misc]
    with pytest.raises(TypeError):
        report.totals["visits"] = 0  # type: ignore[index]
    with pytest.raises(ValueError, match="read-only"):
        report.to_dict()["visits"][0] = 7
    with pytest.raises(InputError, match="expected one of rep, week, rep-week, class, reason, interval, not 'month'"):
        report.to_frame(by="month")


def test_the_summary_is_plain():
    plan = random_plan(4)
    summary = plan.report().summary()
    again = json.loads(json.dumps(summary, allow_nan=False))
    assert again == summary
    assert summary["visits"] == plan.summary()["visits"]
    assert summary["drive_h"] == pytest.approx(plan.drive_s / 3600)
    assert repr(plan.report()).count("\n") == 0


def test_the_report_survives_pickling():
    report = random_plan(4).report()
    again = pickle.loads(pickle.dumps(report))  # noqa: S301 - made here
    assert again.totals == pytest.approx(dict(report.totals), nan_ok=True)
    assert again.to_dict()["visits"].tolist() == report.to_dict()["visits"].tolist()


@pytest.mark.parametrize("seed", range(10))
def test_neither_order_of_rows_nor_names_matter(seed):
    plan = random_plan(seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(plan.customers))
    back = np.argsort(order)
    at = rng.permutation(len(plan.stops))
    stops = replace(plan.stops, customer_idx=back[plan.stops.customer_idx]).take(at)
    visits = plan.visits
    other = replace(
        plan, customers=plan.customers.take(order), stops=stops, visits=visits,
        unassigned=replace(plan.unassigned, customer_idx=back[plan.unassigned.customer_idx]),
    )  # fmt: skip
    one, two = plan.report(), other.report()
    for by in ("rep", "week", "class", "reason"):
        for name, values in one.to_dict(by=by).items():
            if values.dtype.kind == "f":
                np.testing.assert_allclose(values, two.to_dict(by=by)[name], equal_nan=True)
            else:
                assert values.tolist() == two.to_dict(by=by)[name].tolist(), (by, name)


def test_with_a_path_the_page_is_written(tmp_path):
    plan = random_plan(6)
    path = plan.report(tmp_path / "report.html")
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
