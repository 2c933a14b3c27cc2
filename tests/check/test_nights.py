"""Nights away: a right plan, and one fault each with its codes and no others.

One place further is 600 s and 1 km. The rep lives at 0 and is away from Monday to Wednesday::

    x      0    20   21    22   24
           R1   a    H1    b    c

a on Monday, the night in H1; b on Tuesday, the night at c's place; c on Wednesday and home.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from territory.check import check_plan
from territory.check.codes import NIGHT_CODES
from territory.errors import InputError
from territory.model import Customers, Hotels, Nights, Plan, PlanSettings, Reps, Routes, Stops, Unassigned

MONDAY = np.datetime64("2026-01-05")
#: Leaving and coming back in minutes from 08:00, then the stop's arrival; the way to it and the way from it.
DAYS = ((0, 240, 200, 20, 1), (0, 60, 10, 1, 2), (0, 270, 0, 0, 24))


class Tour:
    """The plan as columns that a test can change."""

    def __init__(self) -> None:
        lon = [10.0 + x / 100 for x in (20, 22, 24)]
        self.customers: dict[str, Any] = {"id": ["a", "b", "c"], "lon": lon, "lat": [50.0] * 3}
        self.reps: dict[str, Any] = {
            "id": ["R1"], "lon": [10.0], "lat": [50.0], "hotel_cost": [80.0], "meal_cost": [20.0],
            "max_nights_per_week": [2], "max_nights_in_row": [2], "night_weekdays": ["Mo,Tu"],
            "overnight_min_km": [21.0],
        }  # fmt: skip
        self.hotels: dict[str, Any] = {"id": ["H1", "H2"], "lon": [10.21, 10.19], "lat": [50.0, 50.0]}
        self.hotels["cost"] = [95.0, np.nan]
        self.settings: dict[str, Any] = {"start": MONDAY, "n_days": 7, "holidays": [], "travel": "line"}
        self.settings["nights"] = "allowed"
        self.nights = [
            {"rep_idx": 0, "day": MONDAY, "customer_idx": -1, "hotel_idx": 0, "lon": 10.21, "lat": 50.0, "cost": 115.0},
            {"rep_idx": 0, "day": MONDAY + 1, "customer_idx": 2, "hotel_idx": -1, "lon": lon[2], "lat": 50.0}
            | {"cost": 100.0},
        ]
        self.stops: list[dict[str, Any]] = []
        self.routes: list[dict[str, Any]] = []
        for n, (leave, back, arrival, there, home) in enumerate(DAYS):
            day, eight = MONDAY + n, (MONDAY + n).astype("datetime64[s]") + 8 * 3600
            at = eight + 60 * arrival
            self.stops.append(
                {"rep_idx": 0, "day": day, "position": 0, "customer_idx": n, "arrival": at, "start": at}
                | {"end": at + 1800, "drive_s": 600 * there, "distance_m": 1000 * there}
            )
            self.routes.append(
                {"rep_idx": 0, "day": day, "n_stops": 1, "leave": eight + 60 * leave, "back": eight + 60 * back}
                | {"drive_s": 600 * (there + home), "distance_m": 1000 * (there + home)}
                | {"break_start": np.datetime64("NaT", "s"), "break_s": 0}
            )

    def plan(self) -> Plan:
        unassigned = Unassigned(
            customer_idx=[], rep_idx=[], due=np.array([], "datetime64[D]"), reason=[], detail=[]
        )  # fmt: skip
        return Plan(
            Customers(**self.customers), Reps(**self.reps), PlanSettings(**self.settings), _table(Stops, self.stops),
            _table(Routes, self.routes), unassigned, nights=_table(Nights, self.nights), hotels=Hotels(**self.hotels),
        )  # fmt: skip


def _table(kind: Any, rows: list[dict[str, Any]]) -> Any:
    return kind(**{name: np.array([row[name] for row in rows]) for name in rows[0]})


def reps(t: Tour, name: str, value: Any) -> None:
    t.reps[name] = [value]


def night(t: Tour, row: int, **columns: Any) -> None:
    t.nights[row] |= columns


def at_home_on_tuesday(t: Tour) -> None:
    """Drive home on Tuesday and back to c on Wednesday, but keep the night."""
    for route, stop, there, home in ((1, 1, 1, 22), (2, 2, 24, 24)):
        t.routes[route] |= {"drive_s": 600 * (there + home), "distance_m": 1000 * (there + home)}
        t.stops[stop] |= {"drive_s": 600 * there, "distance_m": 1000 * there}
        t.stops[stop]["arrival"] = t.stops[stop]["start"] = t.routes[route]["leave"] + 600 * there
        t.stops[stop]["end"] = t.stops[stop]["start"] + 1800
        t.routes[route]["back"] = t.stops[stop]["end"] + 600 * home


def week_before(t: Tour) -> None:
    """Begin on Sunday, so that the night of Sunday counts for the week before."""
    t.reps["shift"] = ["Mo-Su 08:00-17:00"]
    t.reps["night_weekdays"] = [""]
    t.settings["start"] = MONDAY - 1
    for row in (*t.stops, *t.routes, *t.nights):
        for name, value in row.items():
            if isinstance(value, np.datetime64):
                row[name] = value - (86_400 if value.dtype == "datetime64[s]" else 1)


FAULTS: dict[str, tuple[Any, set[str]]] = {
    "nights are not allowed": (lambda t: t.settings.update(nights="never"), {"night-not-allowed"}),
    "in another order": (lambda t: t.nights.reverse(), {"nights-unordered"}),
    "twice on one evening": (
        lambda t: t.nights.insert(0, dict(t.nights[0])), {"night-doubled"},
    ),
    "nowhere": (lambda t: night(t, 1, customer_idx=-1), {"night-place-wrong", "drive-wrong", "distance-wrong",
        "route-drive-wrong", "route-distance-wrong", "back-too-early", "arrival-too-early"}),
    "at two places": (lambda t: night(t, 1, hotel_idx=1), {"night-place-wrong"}),
    "other coordinates": (lambda t: night(t, 1, lon=10.0), {"night-place-wrong"}),
    "no route after it": (
        lambda t: (t.stops.pop(), t.routes.pop(), t.customers.update(visit_interval_days=[7.0, 7.0, np.nan])),
        {"night-without-route"},
    ),
    "another weekday": (lambda t: reps(t, "night_weekdays", "Mo,We"), {"night-weekday"}),
    "too many a week": (lambda t: reps(t, "max_nights_per_week", 1), {"too-many-nights-in-week"}),
    "too many in a row": (lambda t: reps(t, "max_nights_in_row", 1), {"too-many-nights-in-row"}),
    "too near": (lambda t: reps(t, "overnight_min_km", 21.5), {"night-too-near"}),
    "price of a hotel": (lambda t: night(t, 0, cost=100.0), {"night-cost-wrong"}),
    "without meals": (lambda t: night(t, 1, cost=80.0), {"night-cost-wrong"}),
    "price not known": (lambda t: t.reps.pop("hotel_cost"), {"night-cost-wrong"}),
    "the route ends elsewhere": (
        at_home_on_tuesday, {"drive-wrong", "distance-wrong", "route-drive-wrong", "route-distance-wrong"},
    ),
    "the way back": (lambda t: t.routes[0].update(drive_s=12_000), {"route-drive-wrong"}),
    "the way there": (lambda t: t.stops[1].update(distance_m=0), {"distance-wrong"}),
    "begins too early": (
        lambda t: t.stops[1].update(arrival=t.stops[1]["arrival"] - 1), {"arrival-too-early"},
    ),
}  # fmt: skip


def codes(t: Tour, line: Any, **options: Any) -> set[str]:
    return {v.code for v in check_plan(t.plan(), travel=line, **options).violations}


def test_a_right_plan(line):
    report = check_plan(Tour().plan(), travel=line)
    assert report.ok, str(report)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_codes(fault, line):
    change, wanted = FAULTS[fault]
    t = Tour()
    change(t)
    assert codes(t, line) == wanted


def test_every_code_is_planted():
    assert set(NIGHT_CODES) == {c for _, wanted in FAULTS.values() for c in wanted} & set(NIGHT_CODES)


def test_weeks_begin_on_monday(line):
    t = Tour()
    reps(t, "max_nights_per_week", 1)
    week_before(t)
    assert codes(t, line) == set(), "one night in each of two weeks"
    reps(t, "max_nights_in_row", 1)
    assert codes(t, line) == {"too-many-nights-in-row"}


def test_how_much_is_wrong_is_told(line):
    t = Tour()
    reps(t, "overnight_min_km", 21.5)
    (found,) = check_plan(t.plan(), travel=line).violations
    assert found.amount == 500.0
    assert "2026-01-05" in found.message
    assert "21.0 km" in found.message


def test_a_day_of_the_plan_keeps_where_it_begins_and_ends(line):
    plan = Tour().plan()
    for n, nights in enumerate((1, 2, 1)):
        part = plan.day(MONDAY + n)
        assert len(part.nights) == nights
        assert check_plan(part, travel=line, complete=False).ok


def test_parts_and_frames(line):
    plan = Tour().plan()
    assert len(plan.rep("R1").nights) == 2
    columns = plan.nights_dict()
    assert columns["hotel_id"].tolist() == ["H1", ""]
    assert columns["customer_id"].tolist() == ["", "c"]
    assert plan.nights.to_frame()["cost"].tolist() == [115.0, 100.0]
    again = Plan.from_frame(plan.to_frame(), customers=plan.customers, reps=plan.reps, like=plan)
    assert check_plan(again, travel=line).ok
    assert dataclasses.replace(plan, nights=None).nights_dict()["rep_id"].tolist() == []


def test_positions_beyond_the_tables_are_refused():
    for name, code in (
        ("customer_idx", "unknown-customer"),
        ("hotel_idx", "unknown-hotel"),
        ("rep_idx", "unknown-rep"),
    ):
        t = Tour()
        night(t, 0, **{name: 3})
        with pytest.raises(InputError) as error:
            t.plan()
        assert [p.code for p in error.value.problems] == [code]
