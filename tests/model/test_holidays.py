"""Public holidays by country and region."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pytest

from territory import (
    Customers,
    InputError,
    MissingExtraError,
    PlanSettings,
    Reps,
    public_holidays,
    route_day,
    schedule_visits,
    work_shifts,
)
from territory.model import public_holidays as exported
from territory.model.holidays import with_rep_holidays

JANUARY = {"start": "2026-01-01", "end": "2026-01-31"}


def days(*where, **when):
    return public_holidays(*where, **(when or JANUARY)).astype(str).tolist()


def reps(*countries, **columns):
    n = len(countries)
    return Reps(id=[f"R{i}" for i in range(n)], lon=[11.6] * n, lat=[48.1] * n, country=list(countries), **columns)


def test_it_is_the_same_function():
    assert exported is public_holidays


@pytest.mark.parametrize("country", ["DE", "de", " DEU ", "Germany", "GERMANY"])
@pytest.mark.parametrize("region", ["BY", "by", "DE-BY", "Bayern", "bayern "])
def test_codes_and_names(country, region):
    # New Year and Epiphany, as the Bavarian law on holidays has them
    assert days(country, region) == ["2026-01-01", "2026-01-06"]


def test_a_region_is_what_makes_the_difference():
    assert days("DE") == days("DE", "BE") == ["2026-01-01"]
    assert days("DE", "BE", start="2026-03-08", end="2026-03-08") == ["2026-03-08"]
    assert days("US", "GA", start="2026-11-20", end="2026-11-30") == ["2026-11-26", "2026-11-27"]


def test_both_ends_are_included_and_days_that_are_kept_on_others_count():
    assert days("DE", start="2026-12-25", end="2026-12-26") == ["2026-12-25", "2026-12-26"]
    assert days("DE", start="2026-12-27", end="2026-12-31") == []
    # New Year 2028 is a Saturday, kept on the Friday before
    assert days("US", start="2027-12-26", end="2027-12-31") == ["2027-12-31"]
    assert not public_holidays("DE", **JANUARY).flags.writeable


WRONG = {
    ("Germny", None): ("unknown-country", "Maybe Germany?"),
    ("XX", None): ("unknown-country", "Write e.g. DE or Germany."),
    ("", None): ("unknown-country", "Write e.g. DE or Germany."),
    ("DE", "Bayer"): ("unknown-region", r"Maybe Bayern \(BY\)?"),
    ("DE", "XX"): ("unknown-region", "There are BB, BE, BW, BY,"),
    ("VA", "Rome"): ("unknown-region", "VA has no parts with holidays of their own"),
}


@pytest.mark.parametrize(("country", "region"), WRONG)
def test_what_is_unknown_is_named_with_the_nearest(country, region):
    code, hint = WRONG[country, region]
    with pytest.raises(InputError, match=hint) as caught:
        days(country, region)
    assert caught.value.codes == (code,)


def test_years_and_horizons_that_there_are_none_of():
    with pytest.raises(InputError, match=r"the holidays of DE are known from 199[01] to 2100"):
        days("DE", start="1985-01-01", end="1985-01-31")
    with pytest.raises(InputError, match="the end, 2026-01-01, is before the start, 2026-01-31"):
        days("DE", start="2026-01-31", end="2026-01-01")
    with pytest.raises(InputError, match="03/04/2026"):
        days("DE", start="03/04/2026", end="2026-01-01")


def test_each_rep_has_its_own():
    team = reps("DE", "DE", "", "US", region=["BY", "BE", "", ""])
    found = with_rep_holidays(PlanSettings("2026-01-05", 14, ["2026-01-07"]), team)
    assert found.to_dict()["rep_holidays"] == {"R0": ["2026-01-06"], "R1": [], "R3": []}
    assert found.holidays.astype(str).tolist() == ["2026-01-07"]
    shifts = work_shifts(team, PlanSettings("2026-01-05", 14, ["2026-01-07"]))
    first_week = shifts.day < np.datetime64("2026-01-10")
    assert [int((first_week & (shifts.rep_idx == r)).sum()) for r in range(4)] == [3, 4, 4, 4]
    nobody = Reps(id=["R"], lon=[1.0], lat=[1.0])
    settings = PlanSettings("2026-01-05", 14, [])
    assert with_rep_holidays(settings, nobody) is settings


def test_what_a_plan_knows_stays():
    known = PlanSettings("2026-01-05", 14, [], rep_holidays={"R0": ["2026-01-08"]})
    found = with_rep_holidays(known, reps("DE", "DE", region=["BY", "BY"]))
    assert found.to_dict()["rep_holidays"] == {"R0": ["2026-01-08"], "R1": ["2026-01-06"]}


def test_all_that_is_unknown_is_named_at_once():
    team = reps("DE", "Germny", "Germny", "DE", "", region=["BY", "", "", "XX", ""])
    with pytest.raises(InputError) as caught:
        with_rep_holidays(PlanSettings("2026-01-05", 14, []), team)
    assert [(p.code, p.rows) for p in caught.value.problems] == [("unknown-country", (1, 2)), ("unknown-region", (3,))]
    customers = Customers(id=["a"], lon=[11.6], lat=[48.1])
    with pytest.raises(InputError, match=r"(?s)bad-tolerance|unknown-country") as caught:
        schedule_visits(customers, reps("Germny"), start="2026-01-05")
    assert "unknown-country" in caught.value.codes


def test_planning_keeps_them_and_says_so():
    customers = Customers(id=["a"], lon=[11.6], lat=[48.2], visit_interval_days=[1.0])
    team = reps("Germany", region=["Bayern"])
    plan = schedule_visits(customers, team, start="2026-01-05", weeks=1, iterations=5)
    assert plan.settings.to_dict()["rep_holidays"] == {"R0": ["2026-01-06"]}
    assert plan.stops.day.astype(str).tolist() == ["2026-01-05", "2026-01-07", "2026-01-08", "2026-01-09"]
    day = route_day(customers, team, day="2026-01-06")
    assert day.unassigned.reason.tolist() == ["no-shift"]
    # hours of that very day win
    team = dataclasses.replace(team, shift_exceptions=["2026-01-06 09:00-12:00"])
    assert len(route_day(customers, team, day="2026-01-06").stops) == 1


def test_without_the_package_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    for function in ("_days", "_country", "_names"):
        getattr(sys.modules["territory.model.holidays"], function).cache_clear()
    with pytest.raises(MissingExtraError, match=r"holidays is not installed: pip install 'territory\[holidays\]'"):
        days("DE")
    with pytest.raises(MissingExtraError):
        work_shifts(reps("DE"), PlanSettings("2026-01-05", 14, []))
    assert len(work_shifts(reps(""), PlanSettings("2026-01-05", 7, []))) == 5
    # a plan that knows its days needs no package
    assert len(work_shifts(reps("DE"), PlanSettings("2026-01-05", 7, [], rep_holidays={"R0": ["2026-01-06"]}))) == 4
