from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from territory import Alignment, Customers, InputError, Plan, PlanSettings, Reps, Visits
from territory.model import Reason, Routes, Stops, Unassigned

CUSTOMERS = Customers(id=["a", "b", "c"], lon=[13.0, 13.2, -74.0], lat=[52.0, 52.0, 40.7])
REPS = Reps(id=["r", "s"], lon=[13.0, -74.0], lat=[52.0, 40.7], timezone=["Europe/Berlin", "America/New_York"])
SETTINGS = PlanSettings("2026-01-05", 7, [])


def plan(**options):
    stops = Stops(
        rep_idx=[0, 0, 0, 1],
        day=["2026-01-05", "2026-01-05", "2026-01-06", "2026-01-05"],
        position=[0, 1, 0, 0],
        customer_idx=[0, 1, 0, 2],
        arrival=["2026-01-05T08:00", "2026-01-05T09:00", "2026-01-06T08:00", "2026-01-05T14:00"],
        start=["2026-01-05T08:00", "2026-01-05T09:10", "2026-01-06T08:00", "2026-01-05T14:00"],
        end=["2026-01-05T08:30", "2026-01-05T09:40", "2026-01-06T08:30", "2026-01-05T14:30"],
        drive_s=[600, 900, 600, 60],
        distance_m=[5000, 9000, 5000, 500],
    )
    routes = Routes(
        rep_idx=[0, 0, 1],
        day=["2026-01-05", "2026-01-06", "2026-01-05"],
        n_stops=[2, 1, 1],
        leave=["2026-01-05T07:50", "2026-01-06T07:50", "2026-01-05T13:59"],
        back=["2026-01-05T10:00", "2026-01-06T09:00", "2026-01-05T15:00"],
        drive_s=[2100, 1200, 120],
        distance_m=[20_000, 10_000, 1_000],
        break_start=["2026-01-05T09:45", None, None],
        break_s=[600, 0, 0],
        bound_s=[2000, 1200, 120],
    )
    unassigned = Unassigned(
        customer_idx=[1, 2],
        rep_idx=[0, -1],
        due=["2026-01-07", "2026-01-08"],
        reason=[Reason.NO_SHIFT, Reason.NO_ELIGIBLE_REP],
        detail=["Nobody works.", "Nobody may."],
    )
    return Plan(**{"customers": CUSTOMERS, "reps": REPS, "settings": SETTINGS, "stops": stops, "routes": routes,
                   "unassigned": unassigned, **options})  # fmt: skip


def codes(call):
    with pytest.raises(InputError) as caught:
        call()
    return caught.value.codes


def same(a, b):
    return a.stops.equals(b.stops) and a.routes.equals(b.routes) and a.unassigned.equals(b.unassigned)


def test_times_are_on_the_reps_wall_clock():
    frame = plan().to_dict()
    assert frame["start"].astype(str).tolist() == [
        "2026-01-05T09:00:00", "2026-01-05T10:10:00", "2026-01-06T09:00:00", "2026-01-05T09:00:00",
    ]  # fmt: skip
    assert plan().routes_dict()["leave"].astype(str).tolist()[2] == "2026-01-05T08:59:00"
    assert np.isnat(plan().routes_dict()["break_start"][1])
    assert plan().unassigned_dict()["rep_id"].tolist() == ["r", ""]


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_out_and_in_again(backend):
    first = plan()
    again = Plan.from_frame(
        first.to_frame(backend), customers=CUSTOMERS, reps=REPS, settings=SETTINGS,
        routes=first.routes_frame(backend), unassigned=first.unassigned_frame(backend),
    )  # fmt: skip
    assert same(first, again)
    assert again.gap == first.gap


def promised():
    """The plan with all that its tables may hold besides."""
    visits = Visits(id=["v", "w"], customer_id=["b", "c"], earliest=["2026-01-05"] * 2, latest=["2026-01-09"] * 2)
    first = plan()
    return plan(
        visits=visits,
        stops=replace(first.stops, visit_idx=[-1, 0, -1, 1], remote=[False, True, False, False],
                      commitment=["fixed", "planned", "suggested", "confirmed_day"]),
        unassigned=replace(first.unassigned, visit_idx=[0, -1], change=["Half an hour more.", ""],
                           change_code=["shift", ""], change_amount=[1800, 0], change_day=["2026-01-07", None]),
    )  # fmt: skip


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_optional_columns_go_out_and_in_again(backend):
    first = promised()
    frame, missed = first.to_frame(backend), first.unassigned_frame(backend)
    tables = {"routes": first.routes_frame(backend), "unassigned": missed}
    again = Plan.from_frame(
        frame, customers=CUSTOMERS, reps=REPS, settings=SETTINGS, visits=first.visits, **tables
    )  # fmt: skip
    assert same(first, again)
    assert again.visits is first.visits
    assert same(Plan.from_frame(frame, customers=CUSTOMERS, reps=REPS, like=first), first)


def test_optional_columns_are_words_and_ids():
    stops, missed = promised().to_dict(), promised().unassigned_dict()
    assert stops["visit_id"].tolist() == ["", "v", "", "w"]
    assert stops["commitment"].tolist() == ["fixed", "planned", "suggested", "confirmed_day"]
    assert missed["visit_id"].tolist() == ["v", ""]
    assert missed["change_day"].astype(str).tolist() == ["2026-01-07", "NaT"]
    assert not {"visit_id", "remote", "commitment", "change"} & set(plan().to_dict() | plan().unassigned_dict())


def test_ids_of_single_visits_need_their_table():
    frame = promised().to_dict()
    options = {"customers": CUSTOMERS, "reps": REPS, "settings": SETTINGS, "routes": plan().routes_dict()}
    assert codes(lambda: Plan.from_frame(frame, **options)) == ("unknown-visit",)
    bad = {**frame, "visit_id": ["z", "", "", ""]}
    assert codes(lambda: Plan.from_frame(bad, **options, visits=promised().visits)) == ("unknown-id",)
    blank = Plan.from_frame({**frame, "visit_id": [None, "", "", ""]}, **options)
    assert blank.stops.visit_idx.tolist() == [-1] * 4
    wrong = {**frame, "commitment": ["firm"] * 4, "remote": ["maybe"] * 4}
    assert len(codes(lambda: Plan.from_frame(wrong, **options, visits=promised().visits))) == 2


def test_text_and_any_order_of_rows_will_do():
    first = plan()
    frame = first.to_frame().iloc[::-1].astype(str)
    for name in ("position", "drive_s", "distance_m"):
        frame[name] = frame[name].astype(int)
    routes = first.routes_frame().iloc[::-1]
    assert same(Plan.from_frame(frame, customers=CUSTOMERS, reps=REPS, routes=routes, like=first), first)


def test_what_is_not_given_is_that_of_the_plan_that_was_edited():
    first = plan(
        alignment=Alignment.from_frame({"customer_id": ["a"], "rep_id": ["r"]}, customers=CUSTOMERS, reps=REPS)
    )
    frame = first.to_frame()
    moved = Plan.from_frame(frame[frame.customer_id != "c"], customers=CUSTOMERS, reps=REPS, like=first)
    assert len(moved) == 3
    assert moved.routes is first.routes
    assert moved.alignment is first.alignment
    none = Plan.from_frame(
        first.to_dict(), customers=CUSTOMERS, reps=REPS, settings=SETTINGS, routes=first.routes_dict()
    )
    assert len(none.unassigned) == 0


@pytest.mark.parametrize(("change", "code"), [
    ({"customer_id": ["z"] * 4}, "unknown-id"), ({"rep_id": ["z"] * 4}, "unknown-id"),
    ({"start": ["soon"] * 4}, "not-a-time"), ({"start": [None] * 4}, "missing-value"),
    ({"start": pd.to_datetime(["2026-01-05T09:00"] * 4).tz_localize("UTC")}, "aware-times"),
    ({"start": ["2026-01-05T09:00+01:00"] * 4}, "aware-times"), ({"day": ["05.01.2026"] * 4}, "not-a-date"),
    ({"drive_s": [1.5] * 4}, "not-whole"), ({"position": [-1] * 4}, "position-out-of-range"),
    ({"rep_id": [None] * 4}, "missing-value"), ({"position": [2.0**40] * 4}, "position-out-of-range"),
])  # fmt: skip
def test_tables_that_are_refused(change, code):
    frame = {**plan().to_dict(), **change}
    assert codes(lambda: Plan.from_frame(frame, customers=CUSTOMERS, reps=REPS, like=plan())) == (code,)


def test_parameters_that_are_missing():
    frame = plan().to_dict()
    assert codes(lambda: Plan.from_frame(frame, customers=CUSTOMERS, reps=REPS)) == ("missing-parameter",)
    assert codes(lambda: Plan.from_frame(frame, customers=CUSTOMERS, reps=REPS, settings=SETTINGS)) == (
        "missing-parameter",
    )
    frame.pop("start")
    assert codes(lambda: Plan.from_frame(frame, customers=CUSTOMERS, reps=REPS, like=plan())) == ("missing-column",)


def test_a_repeated_hour_is_the_first():
    night = {k: v[:1] for k, v in plan().to_dict().items()} | {"start": ["2026-10-25T02:30:00"]}
    read = Plan.from_frame(night, customers=CUSTOMERS, reps=REPS, like=plan())
    assert read.stops.start[0] == np.datetime64("2026-10-25T00:30:00")


def test_parts():
    p = plan()
    day = p.day("2026-01-05")
    assert day.stops.customer_idx.tolist() == [0, 1, 2]
    assert len(day.routes) == 2
    assert len(day.unassigned) == 0
    assert len(p.day("2026-02-01")) == 0
    rep = p.rep("r")
    assert (len(rep.stops), len(rep.routes), len(rep.unassigned)) == (3, 2, 1)
    route = p.route("r", "2026-01-05")
    assert route.rep_id == "r"
    assert route.stops.customer_idx.tolist() == [0, 1]
    assert route.to_frame()["customer_id"].tolist() == ["a", "b"]
    assert repr(route) == "<Route of r on 2026-01-05: 2 visits, 35 min driving, 20 km>"
    assert codes(lambda: p.route("s", "2026-01-06")) == ("no-route",)
    assert codes(lambda: p.day("06.01.2026")) == ("not-a-date",)
    assert codes(lambda: p.rep("z")) == ("unknown-id",)


def test_numbers_and_words():
    p = plan()
    summary = p.summary()
    assert summary["visits"] == 4
    assert summary["unassigned_by_reason"] == {"no-eligible-rep": 1, "no-shift": 1}
    assert (summary["drive_h"], summary["distance_km"], summary["worked_h"]) == (0.9, 31, 4.3)
    assert p.bound_s == 3320
    assert p.gap == pytest.approx(100 / 3420)
    assert p.explain("a").splitlines() == [
        "a is visited on 2026-01-05 at 09:00 by r.",
        "a is visited on 2026-01-06 at 09:00 by r.",
    ]
    assert p.explain("c").splitlines() == [
        "c is visited on 2026-01-05 at 09:00 by s.",
        "A visit due on 2026-01-08 is not planned (no-eligible-rep): Nobody may.",
    ]
    assert p.day("2026-01-06").explain("c") == "c has no visit due between 2026-01-05 and 2026-01-11."
    assert "4 visits of 3 customers by 2 reps in 7 days" in repr(p)


def test_an_empty_plan():
    p = plan().day("2026-02-01")
    assert p.gap is None
    assert p.summary()["drive_min_per_visit"] == 0.0
    for backend in ("pandas", "polars", "pyarrow"):
        again = Plan.from_frame(p.to_frame(backend), customers=CUSTOMERS, reps=REPS, settings=SETTINGS,
                                routes=p.routes_frame(backend), unassigned=p.unassigned_frame(backend))  # fmt: skip
        assert len(again) == 0


def test_parts_that_do_not_fit():
    assert codes(lambda: plan(reps=REPS.take([0]))) == ("unknown-rep", "unknown-rep")
    assert codes(lambda: plan(customers=CUSTOMERS.take([0, 1]))) == ("unknown-customer", "unknown-customer")
    other = CUSTOMERS.take([2, 1, 0])
    strange = Alignment.from_frame({"customer_id": ["a"], "rep_id": ["r"]}, customers=other, reps=REPS)
    assert codes(lambda: plan(alignment=strange)) == ("alignment-differs",)


def test_pickling():
    p = plan(alignment=Alignment.from_frame({"customer_id": ["a"], "rep_id": ["r"]}, customers=CUSTOMERS, reps=REPS))
    again = pickle.loads(pickle.dumps(p))  # noqa: S301 - our own bytes
    assert same(p, again)
    assert again.settings.to_dict() == p.settings.to_dict()
    assert again.alignment.territory_idx.tolist() == p.alignment.territory_idx.tolist()
