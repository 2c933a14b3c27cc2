from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from tests.review.plans import START, random_plan

from territory.errors import InputError, MissingExtraError
from territory.maps import plot_calendar, plot_load
from territory.maps.days import day_ticks
from territory.model import Customers, Reps

matplotlib = pytest.importorskip("matplotlib", reason="the extra 'maps' is not installed")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def drawn(ax):
    ax.figure.canvas.draw()
    return ax


def cells(ax):
    """The amounts of the heat map, zero where nothing is shown, and the cells that are grey."""
    ground, image = ax.get_images()
    return np.ma.filled(image.get_array(), 0.0), np.isfinite(np.asarray(ground.get_array(), dtype=float))


def labels(axis):
    return [t.get_text() for t in axis.get_ticklabels()]


def subtitle(ax):
    return next(t.get_text() for t in ax.texts if " · " in t.get_text() or t.get_text().endswith("worked"))


@pytest.mark.parametrize("seed", range(3))
def test_the_calendar_shows_the_visits_of_each_rep_and_day(seed):
    plan = random_plan(seed, n=20)
    ax = drawn(plan.plot_calendar())
    amount, _ = cells(ax)
    s, u = plan.stops, plan.unassigned
    shown = sorted({*s.rep_idx.tolist(), *u.rep_idx[u.rep_idx >= 0].tolist()})
    for i, rep in enumerate(shown):
        for d in range(plan.settings.n_days):
            assert amount[i, d] == ((s.rep_idx == rep) & (s.day == START + d)).sum()
    assert labels(ax.yaxis) == [str(plan.reps.id[r]) for r in shown]
    numbers = [t.get_text() for t in ax.texts if t.get_text().isdigit()]
    assert len(numbers) == (amount > 0).sum()
    assert sum(map(int, numbers)) == len(s)
    crosses = {tuple(np.rint(p).astype(int)) for c in ax.collections for p in c.get_offsets() - [0.3, -0.3]}
    missed = {(int((d - START).astype(int)), shown.index(r)) for r, d in zip(u.rep_idx, u.due, strict=True) if r >= 0}
    assert crosses == missed


def test_the_calendar_in_hours_is_what_reps_work_and_customers_have():
    plan = random_plan(2, n=20)
    t, s = plan.routes, plan.stops
    amount, _ = cells(plan.plot_calendar(measure="hours"))
    assert amount.sum() == pytest.approx(plan.report().totals["worked_h"])
    assert amount.sum() >= (t.back - t.leave).astype(np.int64).sum() / 3600 - 1e-9
    amount, _ = cells(plan.plot_calendar(by="customer", measure="hours"))
    assert amount.sum() == pytest.approx((s.end - s.start).astype(np.int64).sum() / 3600)


def test_days_off_are_grey():
    reps = Reps(id=["a", "b"], lon=[9.0, 9.0], lat=[50.0, 50.0], shift=["Mo-We 08:00-12:00", "Mo-Fr 08:00-12:00"],
                leave=["", "2026-12-29"])  # fmt: skip
    plan = random_plan(4, reps=reps, n=20)
    plan = replace(plan, settings=replace(plan.settings, rep_holidays={}))
    full, plan = (
        plan,
        replace(plan, routes=plan.routes.take([]), stops=plan.stops.take([]), unassigned=plan.unassigned.take([])),
    )
    _, grey = cells(plot_calendar(plan))
    holiday = 4  # the first Friday
    at_work = [{0, 1, 2, 7, 8, 9}, {0, 1, 2, 3, 4, 7, 8, 9, 10, 11} - {1, holiday}]
    assert [set(np.flatnonzero(~row).tolist()) for row in grey] == at_work
    _, grey = cells(plot_calendar(full, by="customer"))
    assert all(set(np.flatnonzero(~row).tolist()) == at_work[0] | at_work[1] for row in grey)


def test_the_calendar_of_customers_is_in_the_order_of_intervals_and_days():
    plan = random_plan(8, n=30, single=False)
    interval = np.array([7.0, 14.0, np.nan])[np.arange(30) % 3]
    plan = replace(plan, customers=replace(plan.customers, visit_interval_days=interval))
    ax = drawn(plan.plot_calendar(by="customer"))
    order = plan.customers.positions(labels(ax.yaxis))
    amount, _ = cells(ax)
    who = np.concatenate([plan.stops.customer_idx, plan.unassigned.customer_idx])
    assert sorted(order.tolist()) == sorted(set(who.tolist()))
    asked = interval[order]
    assert np.array_equal(asked, np.sort(asked), equal_nan=True)
    first = [np.concatenate([plan.stops.day, plan.unassigned.due])[who == c].min() for c in order.tolist()]
    for value in (7.0, 14.0):
        of = [d for d, a in zip(first, asked, strict=True) if a == value]
        assert of == sorted(of)
    assert amount.sum() == len(plan.stops)
    assert {"every 7 days", "every 14 days", "no interval"} <= {t.get_text() for t in ax.texts}


def test_more_rows_than_there_is_room_for_are_told():
    plan = random_plan(8, n=30)
    ax = plan.plot_calendar(by="customer", most=4)
    assert len(labels(ax.yaxis)) == 4
    assert "the first 4 of " in subtitle(ax)
    whole = subtitle(plan.plot_calendar(by="customer"))
    assert "the first" not in whole


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("by", ["day", "week", "rep"])
def test_bars_are_as_high_as_the_hours_and_lines_as_the_shifts(seed, by):
    plan = random_plan(seed, n=20)
    ax = drawn(plan.plot_load(by=by))
    bars = {c.get_label(): np.array([p.get_height() for p in c]) for c in ax.containers}
    report = plan.report()
    desk = ["desk"] if report.totals["desk_h"] else []
    assert list(bars) == ["driving", "with customers", *desk, "breaks", "waiting"]
    reps = sorted(set(plan.routes.rep_idx.tolist()))
    if by == "day":
        hours = [plan.routes.drive_s[plan.routes.day == day].sum() / 3600 for day in plan.settings.days]
        assert bars["driving"] == pytest.approx(hours)
    else:
        table = report.to_dict(by=by)
        rows = reps if by == "rep" else slice(None)
        columns = {"driving": "drive_h", "with customers": "visit_h", "desk": "desk_h", "breaks": "break_h",
                   "waiting": "idle_h"}  # fmt: skip
        for name, heights in bars.items():
            assert heights == pytest.approx(np.maximum(table[columns[name]][rows], 0.0))
    lines = next(c for c in ax.collections if c.get_label() == "shifts")
    given = sum(float(path.vertices[0, 1]) for path in lines.get_paths())
    assert given == pytest.approx(report.to_dict(by="rep")["shift_h"][reps].sum())
    assert f"{sum(heights.sum() for heights in bars.values()):,.0f} h worked" in subtitle(ax)
    assert ax.get_ylim()[1] >= sum(bars.values()).max()
    stacked = np.concatenate([[p.get_y() for p in c] for c in ax.containers[1:2]])
    assert stacked == pytest.approx(bars["driving"])


def test_on_given_axes_and_of_parts():
    plan = random_plan(3, n=20)
    _, (one, two) = plt.subplots(2)
    assert plan.plot_calendar(one) is one
    assert plan.plot_load(ax=two) is two
    part = plan.rep(str(plan.reps.id[plan.routes.rep_idx[0]]))
    assert len(labels(drawn(part.plot_calendar()).yaxis)) == 1
    assert subtitle(part.plot_load()).startswith("1 rep ·")


def test_a_plan_without_visits_and_names_that_are_no_formulas():
    plan = random_plan(3)
    reps = replace(plan.reps, name=["$x_1$"] * len(plan.reps))
    empty = replace(plan, reps=reps, stops=plan.stops.take([]), routes=plan.routes.take([]),
                    unassigned=plan.unassigned.take([]))  # fmt: skip
    for by in ("rep", "customer"):
        for measure in ("visits", "hours"):
            drawn(empty.plot_calendar(by=by, measure=measure))
    assert any("$x_1$" in text for text in labels(drawn(empty.plot_calendar()).yaxis))
    for by in ("day", "week", "rep"):
        drawn(empty.plot_load(by=by))
    nobody = random_plan(3, customers=Customers(id=["$y$"], lon=[9.0], lat=[50.0]))
    drawn(nobody.plot_calendar(by="customer"))


@pytest.mark.parametrize(("n_days", "letters"), [(1, True), (5, True), (35, True), (36, False), (371, False)])
def test_mondays_bear_their_date(n_days, letters):
    _, ax = plt.subplots()
    days = START + 1 + np.arange(n_days)
    day_ticks(ax, days)
    dated = [t for t in labels(ax.xaxis) if t]
    mondays = [day for day in days.tolist() if day.weekday() == 0]
    assert len(dated) == min(len(mondays) or 1, -(-len(mondays) // max(1, -(-len(mondays) // 14))) or 1)
    assert dated[0].split("\n")[-1] == (f"{mondays[0].day} {mondays[0]:%b}" if mondays else "29 Dec")
    minor = [t.get_text() for t in ax.get_xticklabels(minor=True)]
    assert bool(minor) == (letters and n_days > 1)


def test_what_is_refused(monkeypatch):
    plan = random_plan(0)
    for options in ({"by": "team"}, {"measure": "cost"}, {"most": 0}, {"most": 2.5}, {"most": True}):
        with pytest.raises(InputError, match="expected"):
            plan.plot_calendar(**options)
    with pytest.raises(InputError, match="by: expected day or week or rep, not 'month'"):
        plan.plot_load(by="month")
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for draw in (plot_calendar, plot_load):
        with pytest.raises(MissingExtraError, match="maps"):
            draw(plan)
