"""One fault, its codes and no others: every rule of a plan finds what it is there for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from territory.check import PLAN_CODES, check_plan
from territory.check.codes import NIGHT_CODES, POLICY_CODES, SINGLE_CODES

NAT = np.datetime64("NaT", "s")


def s(n: int) -> np.timedelta64:
    return np.timedelta64(n, "s")


def days(n: int) -> np.timedelta64:
    return np.timedelta64(n, "D")


def move(d: Any, table: str, row: int, **by: Any) -> None:
    for name, amount in by.items():
        getattr(d, table)[row][name] = getattr(d, table)[row][name] + (
            s(amount) if _is_time(d, table, name) else amount
        )


def _is_time(d: Any, table: str, name: str) -> bool:
    return getattr(d, table)[0][name].__class__ is np.datetime64 and name not in ("day", "due")


def put(d: Any, table: str, row: int, **values: Any) -> None:
    getattr(d, table)[row].update(values)


def whole_day(d: Any, route: int, by: int, *, label_only: bool = False) -> None:
    """Put off a route and its stops by days."""
    r = d.routes[route]
    for row in [r, *[t for t in d.stops if (t["rep_idx"], t["day"]) == (r["rep_idx"], r["day"])]]:
        for name in ("leave", "back", "break_start", "arrival", "start", "end"):
            if name in row and not label_only:
                row[name] = row[name] + days(by)
        row["day"] = row["day"] + days(by)
    d.sort()


def column(d: Any, name: str, values: Any, table: str = "customers") -> None:
    getattr(d, table)[name] = values


def one(d: Any, name: str, row: int, value: Any, rest: Any) -> None:
    """Set a column of customers: a value in one row, something else in the rest."""
    d.customers[name] = [value if i == row else rest for i in range(6)]


def extra(d: Any, rep: int, day: str, visits: list[int], leave: str = "14:30") -> None:
    d.drive(rep, day, visits, leave)
    d.sort()


def swapped(d: Any) -> None:
    d.stops[0]["customer_idx"], d.stops[1]["customer_idx"] = 1, 0


def unsorted(d: Any, table: str, i: int, j: int) -> None:
    rows = getattr(d, table)
    rows[i], rows[j] = rows[j], rows[i]


def bounds(d: Any, *values: int) -> None:
    for row, value in zip(d.routes, values, strict=True):
        row["bound_s"] = value


def align(d: Any, *territories: int, **more: Any) -> None:
    reasons = {i: "nobody may" for i, t in enumerate(territories) if t < 0}
    d.alignment = {"territory_idx": list(territories), "unassigned_reason": reasons, **more}


def lone_alignment(d: Any) -> None:
    align(d, 0, 0, 0, 1, 1)
    fewer = type(d)({name: cells[:5] for name, cells in d.customers.items()}, d.reps, d.settings)
    d.alignment["customers"] = fewer.plan().customers
    extra(d, 0, "2026-01-08", [5])
    d.unassigned.clear()


def _later(stop: dict[str, Any], by: int) -> dict[str, Any]:
    return {name: stop[name] + s(by) for name in ("arrival", "start", "end")}


TRAVEL_OF_SWAP = {"drive-wrong", "distance-wrong", "route-drive-wrong", "route-distance-wrong", "arrival-too-early"}

FAULTS: dict[str, tuple[Any, set[str]]] = {
    # the tables
    "positions swapped": (
        lambda d: (put(d, "stops", 0, position=1), put(d, "stops", 1, position=0)),
        TRAVEL_OF_SWAP | {"stops-unordered", "break-during-drive"},
    ),
    "customers swapped": (swapped, TRAVEL_OF_SWAP | {"break-during-drive"}),
    "gap in positions": (lambda d: put(d, "stops", 2, position=3), {"position-wrong"}),
    "position doubled": (lambda d: put(d, "stops", 1, position=0), {"position-wrong"}),
    "stops out of order": (lambda d: unsorted(d, "stops", 6, 7), {"stops-unordered"}),
    "routes out of order": (lambda d: unsorted(d, "routes", 0, 1), {"routes-unordered"}),
    "stops without route": (lambda d: d.routes.pop(2), {"stop-without-route"}),
    "route without stops": (
        lambda d: d.routes.append(
            {**d.routes[2], "day": np.datetime64("2026-01-07"), "n_stops": 0}
            | {k: d.routes[2][k] + days(1) for k in ("leave", "back")}
        ),
        {"route-without-stops"},
    ),
    "two routes a day": (lambda d: d.routes.insert(1, dict(d.routes[0])), {"route-doubled"}),
    "n_stops": (lambda d: move(d, "routes", 0, n_stops=1), {"stop-count-wrong"}),
    "day after the horizon": (lambda d: whole_day(d, 2, 13), {"outside-horizon", "first-visit-late"}),
    "day before the horizon": (lambda d: whole_day(d, 2, -4), {"outside-horizon"}),
    "empty route outside": (
        lambda d: d.routes.append(
            {**d.routes[2], "day": np.datetime64("2026-02-03"), "n_stops": 0}
            | {k: d.routes[2][k] + days(28) for k in ("leave", "back")}
        ),
        {"route-without-stops", "outside-horizon"},
    ),
    "due before the horizon": (lambda d: put(d, "unassigned", 0, due=np.datetime64("2026-01-04")), {"outside-horizon"}),
    "no end": (lambda d: put(d, "stops", 7, end=NAT), {"time-missing"}),
    "no start": (lambda d: put(d, "stops", 7, start=NAT), {"time-missing"}),
    "no arrival": (lambda d: put(d, "stops", 0, arrival=NAT), {"time-missing"}),
    "no leave": (lambda d: put(d, "routes", 2, leave=NAT), {"time-missing"}),
    "no back": (lambda d: put(d, "routes", 2, back=NAT), {"time-missing"}),
    # travel
    "other travel": (lambda d: d.settings.update(travel="road"), {"travel-differs"}),
    "travel not said": (lambda d: d.settings.update(travel=""), {"travel-differs"}),
    "island": (lambda d: d.customers["lon"].__setitem__(4, 20.0), {"leg-unreachable"}),
    "an estimate nobody made": (
        lambda d: [s.update(estimated=i == 1) for i, s in enumerate(d.stops)],
        {"estimate-untold"},
    ),
    "drive": (lambda d: move(d, "stops", 1, drive_s=1), {"drive-wrong"}),
    "distance": (lambda d: move(d, "stops", 1, distance_m=-1), {"distance-wrong"}),
    "route's drive": (lambda d: move(d, "routes", 1, drive_s=-1), {"route-drive-wrong"}),
    "route's distance": (lambda d: move(d, "routes", 1, distance_m=7), {"route-distance-wrong"}),
    "slower rep": (
        lambda d: column(d, "speed_factor", [1.0, 1.99], "reps"),
        {"drive-wrong", "route-drive-wrong", "arrival-too-early", "back-too-early"},
    ),
    "other end": (
        lambda d: column(d, "end_lon", [math.nan, 10.10], "reps"),
        {"route-drive-wrong", "route-distance-wrong", "back-too-early"},
    ),
    "bound": (lambda d: bounds(d, 3600, 3600, 1201), {"bound-above-drive"}),
    # the day in time
    "arrival earlier": (lambda d: move(d, "stops", 1, arrival=-1), {"arrival-too-early"}),
    "visit later": (lambda d: move(d, "stops", 0, start=60, end=60), {"arrival-too-early"}),
    "leaves later": (lambda d: move(d, "routes", 2, leave=1), {"arrival-too-early"}),
    "start before arrival": (lambda d: move(d, "stops", 0, start=-1, end=-1), {"start-before-arrival"}),
    "end earlier": (lambda d: move(d, "stops", 0, end=-1), {"end-wrong"}),
    "end later": (lambda d: move(d, "stops", 7, end=1), {"end-wrong", "back-too-early"}),
    "service of a part of a second": (lambda d: one(d, "service_s", 3, 1799.5, 1799.0), {"end-wrong"}),
    "back earlier": (lambda d: move(d, "routes", 2, back=-1), {"back-too-early"}),
    # when reps work
    "holiday": (lambda d: d.settings.update(holidays=["2026-01-06"]), {"on-holiday"}),
    "leave": (lambda d: column(d, "leave", ["", "2026-01-02; 2026-01-05..2026-01-06"], "reps"), {"on-leave"}),
    "weekday off": (lambda d: column(d, "shift", ["Mo 08:00-17:00", "Mo,We-Su 08:00-17:00"], "reps"), {"no-shift"}),
    "no weekend by default": (lambda d: whole_day(d, 2, 4), {"no-shift"}),
    "default shift": (lambda d: d.settings.update(default_shift="Mo-Fr 08:00-12:59"), {"after-shift"}),
    "shift begins later": (
        lambda d: column(d, "shift", ["Mo 08:00-17:00", "Tu 08:01-17:00"], "reps"),
        {"before-shift"},
    ),
    "leaves before the shift": (
        lambda d: put(d, "routes", 2, leave=np.datetime64("2026-01-06T07:59:59")),
        {"before-shift"},
    ),
    "back after the shift": (lambda d: put(d, "routes", 2, back=np.datetime64("2026-01-06T17:00:01")), {"after-shift"}),
    "holiday of the rep": (lambda d: d.settings.update(rep_holidays={"R2": ["2026-01-06"]}), {"on-holiday"}),
    "leave on a day with hours of its own": (
        lambda d: (
            column(d, "leave", ["", "2026-01-06"], "reps"),
            column(d, "shift_exceptions", ["", "2026-01-06 08:00-17:00"], "reps"),
        ),
        {"on-leave"},
    ),
    "that day off": (
        lambda d: column(d, "shift_exceptions", ["", "2026-01-05..2026-01-06 off"], "reps"),
        {"no-shift"},
    ),
    "that day shorter": (
        lambda d: column(d, "shift_exceptions", ["", "2026-01-06 08:01-09:19"], "reps"),
        {"before-shift", "after-shift"},
    ),
    "office day": (lambda d: column(d, "office_days", ["", "Tu"], "reps"), {"office-day"}),
    "office day with one visit in the field": (
        lambda d: (
            column(d, "office_days", ["", "Tu"], "reps"),
            [s.update(remote=s["customer_idx"] == 3) for s in d.stops],
            put(d, "stops", 6, drive_s=0, distance_m=0),
            put(d, "stops", 7, drive_s=900, distance_m=3000, **_later(d.stops[7], 300)),
            move(d, "routes", 2, back=300),
        ),
        {"office-day", "remote-wrong"},
    ),
    "contacts from the office that nobody asked for": (
        lambda d: (
            column(d, "office_days", ["", "Tu"], "reps"),
            column(d, "prep_s", [0.0, 1800.0], "reps"),
            [s.update(remote=bool(s["rep_idx"])) for s in d.stops],
            [s.update(drive_s=0, distance_m=0) for s in d.stops[6:]],
            d.routes[2].update(drive_s=600, distance_m=2000, back=np.datetime64("2026-01-06T09:25")),
        ),
        {"remote-wrong"},
    ),
    "no time to prepare": (lambda d: column(d, "prep_s", [7200.0, 0.5], "reps"), {"prep-missing"}),
    "break in the time to prepare": (
        lambda d: (
            column(d, "prep_s", [7200.0, 0.0], "reps"),
            column(d, "break_earliest_s", [8 * 3600.0] * 2, "reps"),
            put(d, "routes", 1, break_start=np.datetime64("2026-01-12T09:29:59")),
        ),
        {"prep-missing"},
    ),
    "no time for work afterwards": (lambda d: column(d, "admin_s", [14_400.0, 27_600.5], "reps"), {"admin-missing"}),
    "break in the time for work afterwards": (
        lambda d: (
            column(d, "admin_s", [4 * 3600.0, 0.0], "reps"),
            column(d, "break_latest_s", [17 * 3600.0] * 2, "reps"),
            put(d, "routes", 1, break_start=np.datetime64("2026-01-12T16:30")),
        ),
        {"admin-missing"},
    ),
    "too much overtime": (
        lambda d: (
            column(d, "shift", ["Mo 08:00-17:00", "Tu 07:00-08:20"], "reps"),
            column(d, "max_overtime_s", [0.0, 3599.9], "reps"),
        ),
        {"overtime-too-long"},
    ),
    "overtime, and no time afterwards": (
        lambda d: (
            column(d, "shift", ["Mo 08:00-17:00", "Tu 07:00-08:20"], "reps"),
            column(d, "max_overtime_s", [0.0, 3600.0], "reps"),
            column(d, "admin_s", [0.0, 1.0], "reps"),
        ),
        {"admin-missing"},
    ),
    "label of another day": (lambda d: whole_day(d, 2, 1, label_only=True), {"before-shift"}),
    "too many visits": (lambda d: column(d, "max_visits_per_day", [3, 1], "reps"), {"too-many-visits"}),
    # the daily break
    "no break": (lambda d: put(d, "routes", 0, break_start=NAT, break_s=0), {"break-missing"}),
    "break without start": (lambda d: put(d, "routes", 0, break_start=NAT), {"break-missing", "break-length-wrong"}),
    "break of one who takes none": (
        lambda d: put(d, "routes", 2, break_start=np.datetime64("2026-01-06T12:00"), break_s=60),
        {"break-unexpected"},
    ),
    "break too short": (lambda d: move(d, "routes", 0, break_s=-1), {"break-length-wrong"}),
    "break too long": (lambda d: move(d, "routes", 0, break_s=1), {"break-length-wrong", "break-during-drive"}),
    "break of no time": (lambda d: put(d, "routes", 0, break_s=0), {"break-length-wrong"}),
    "break before its window": (
        lambda d: column(d, "break_earliest_s", [41_400.0, 0.0], "reps"),
        {"break-outside-window"},
    ),
    "break after its window": (
        lambda d: column(d, "break_latest_s", [42_500.0, 3600.0], "reps"),
        {"break-outside-window"},
    ),
    "break while driving": (lambda d: move(d, "routes", 0, break_start=1), {"break-during-drive"}),
    "break on the way home": (
        lambda d: put(d, "routes", 0, break_start=np.datetime64("2026-01-05T12:59:59")),
        {"break-during-drive"},
    ),
    "break in a visit": (lambda d: move(d, "routes", 0, break_start=-1), {"break-during-visit"}),
    # when customers can be visited
    "opens later": (lambda d: one(d, "opening_hours", 3, "Tu 08:06-12:00", ""), {"outside-opening-hours"}),
    "closes during the visit": (lambda d: one(d, "opening_hours", 3, "Tu 08:00-08:34", ""), {"outside-opening-hours"}),
    "closed at noon": (
        lambda d: one(d, "opening_hours", 3, "Tu 08:00-08:20,08:21-18:00", "24/7"),
        {"outside-opening-hours"},
    ),
    "never open": (lambda d: one(d, "opening_hours", 3, "off", ""), {"outside-opening-hours"}),
    "start after closing": (
        lambda d: (
            one(d, "opening_hours", 3, "Tu 06:00-08:04", ""),
            one(d, "hours_bind", 3, "start", "visit"),
        ),
        {"outside-opening-hours"},
    ),
    "closed that day": (lambda d: one(d, "hours_exceptions", 3, "2026-01-06 off", ""), {"outside-opening-hours"}),
    "closes early that day": (
        lambda d: (
            one(d, "opening_hours", 3, "Tu 08:00-18:00", ""),
            one(d, "hours_exceptions", 3, "2026-01-05..2026-01-07 08:00-08:34", ""),
        ),
        {"outside-opening-hours"},
    ),
    "call block": (lambda d: one(d, "call_blocks", 3, "2026-01-01..2026-01-06", ""), {"call-block"}),
    "weekday": (lambda d: one(d, "preferred_weekdays", 3, "Mo,We-Su", ""), {"weekday-not-allowed"}),
    "odd weeks": (lambda d: one(d, "week_parity", 3, "odd", "any"), {"week-parity"}),
    "even weeks": (lambda d: one(d, "week_parity", 0, "even", "any"), {"week-parity"}),
    # who visits whom
    "skill": (
        lambda d: (
            one(d, "required_skills", 3, "x-ray; dental", ""),
            column(d, "skills", ["x-ray; dental", "x-ray"], "reps"),
        ),
        {"skill-missing"},
    ),
    "nobody has skills": (lambda d: one(d, "required_skills", 3, "x-ray", ""), {"skill-missing"}),
    "forbidden rep": (lambda d: one(d, "forbidden_reps", 3, "R9; R2", ""), {"rep-forbidden"}),
    "inside": (lambda d: one(d, "channel", 3, "inside", "either"), {"inside-channel"}),
    "lost": (lambda d: one(d, "stage", 3, "lost", "customer"), {"lost-customer"}),
    "locked": (
        lambda d: (one(d, "owner", 3, "R1", ""), one(d, "locked", 3, True, False)),
        {"lock-broken"},
    ),
    "locked to one who is gone": (
        lambda d: (one(d, "owner", 3, "R0", ""), one(d, "locked", 3, True, False)),
        {"lock-broken"},
    ),
    "rep of another territory": (lambda d: align(d, 0, 0, 0, 1, 0, 0), {"wrong-rep"}),
    "customer of nobody": (lambda d: align(d, 0, 0, 0, 1, -1, 0), {"wrong-rep"}),
    "territory without rep": (lambda d: align(d, 0, 0, 0, 1, 1, 0, rep_idx=[0, -1]), {"wrong-rep"}),
    "unassigned visit of another rep": (lambda d: align(d, 0, 0, 0, 1, 1, 1), {"wrong-rep"}),
    "customer the alignment lacks": (lone_alignment, {"not-in-alignment"}),
    # how often
    "visits lost": (
        lambda d: (d.routes.pop(1), [d.stops.pop(3) for _ in range(3)]),
        {"visit-missing"},
    ),
    "never visited": (lambda d: d.unassigned.clear(), {"visit-missing"}),
    "twice a day": (lambda d: extra(d, 1, "2026-01-05", [2]), {"visit-doubled"}),
    "interval too short": (lambda d: extra(d, 1, "2026-01-09", [0]), {"interval-too-short"}),
    "interval too long": (lambda d: whole_day(d, 1, 2), {"interval-too-long"}),
    "shorter interval": (
        lambda d: one(d, "visit_interval_days", 3, 9.0, 14.0),
        {"interval-too-short", "visit-missing"},
    ),
    "no late days": (
        lambda d: (whole_day(d, 1, 1), column(d, "late_days", [0.0] * 6)),
        {"interval-too-long"},
    ),
    "no early days": (
        lambda d: (whole_day(d, 0, 1), column(d, "early_days", [0.0] * 6)),
        {"interval-too-short"},
    ),
    "no interval": (lambda d: one(d, "visit_interval_days", 3, math.nan, 8.0), {"visit-not-due", "visit-missing"}),
    "too soon after the last visit": (
        lambda d: one(d, "last_visit", 3, np.datetime64("2025-12-27"), np.datetime64("NaT", "D")),
        {"first-visit-early"},
    ),
    "too late after the last visit": (
        lambda d: one(d, "last_visit", 3, np.datetime64("2025-12-19"), np.datetime64("NaT", "D")),
        {"first-visit-late"},
    ),
    "overdue and late": (
        lambda d: (
            one(d, "last_visit", 5, np.datetime64("2025-06-01"), np.datetime64("NaT", "D")),
            one(d, "visit_interval_days", 5, 3.0, 14.0),
        ),
        {"first-visit-late", "visit-missing", "interval-too-short"},
    ),
    "one visit is all, planned twice": (
        lambda d: d.customers.pop("visit_interval_days"),
        {"interval-too-short"},
    ),
    "one visit is all, planned again three weeks later": (
        lambda d: (
            d.customers.pop("visit_interval_days"),
            d.settings.update(n_days=28),
            column(d, "early_days", [9.0] * 6),
            whole_day(d, 1, 14),
        ),
        {"interval-too-short"},
    ),
    # what is not planned
    "unassigned right after a planned one": (
        lambda d: d.unassigned.append({**d.unassigned[0], "customer_idx": 0, "due": np.datetime64("2026-01-17")}),
        {"unassigned-too-soon"},
    ),
    "unassigned a day too soon after a planned one": (
        lambda d: d.unassigned.append({**d.unassigned[0], "customer_idx": 4, "due": np.datetime64("2026-01-16")}),
        {"unassigned-too-soon"},
    ),
    "unassigned right after an unassigned one": (
        lambda d: d.unassigned.append({**d.unassigned[0], "due": np.datetime64("2026-01-18")}),
        {"unassigned-too-soon"},
    ),
    "one visit is all, unassigned twice": (
        lambda d: (
            d.customers.pop("visit_interval_days"),
            d.routes.pop(1),
            d.stops.__delitem__(slice(3, 6)),
            d.unassigned.append({**d.unassigned[0], "due": np.datetime64("2026-01-18")}),
        ),
        {"unassigned-too-soon"},
    ),
    "no shift, but there is one": (lambda d: put(d, "unassigned", 0, reason="no-shift"), {"reason-unfounded"}),
    "too long, but fits a shift": (
        lambda d: (
            put(d, "unassigned", 0, reason="service-too-long", due=np.datetime64("2026-01-10")),
            one(d, "service_s", 5, 32_399.5, 1800.0),
        ),
        {"reason-unfounded"},
    ),
    "unreachable, but there is a way": (lambda d: put(d, "unassigned", 0, reason="unreachable"), {"reason-unfounded"}),
    "not eligible, but is": (lambda d: put(d, "unassigned", 0, reason="no-eligible-rep"), {"reason-unfounded"}),
    "nobody eligible, but aligned": (
        lambda d: (align(d, 0, 0, 0, 1, 1, 0), put(d, "unassigned", 0, reason="no-eligible-rep", rep_idx=-1)),
        {"reason-unfounded"},
    ),
    "planned and unassigned": (
        lambda d: d.unassigned.append({**d.unassigned[0], "customer_idx": 0, "due": np.datetime64("2026-01-12")}),
        {"planned-and-unassigned"},
    ),
    "unassigned twice": (lambda d: d.unassigned.append(dict(d.unassigned[0])), {"unassigned-doubled"}),
    "unassigned and lost": (lambda d: one(d, "stage", 5, "lost", "customer"), {"unassigned-not-due"}),
    "unknown reason": (lambda d: put(d, "unassigned", 0, reason="no time"), {"reason-unknown"}),
    "reason that blames a rep": (
        lambda d: (align(d, 0, 0, 0, 1, 1, -1), put(d, "unassigned", 0, rep_idx=-1)),
        {"reason-unfit"},
    ),
    "no detail": (lambda d: put(d, "unassigned", 0, detail=" "), {"detail-empty"}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found_by_its_code(name, draft, line):
    change, expected = FAULTS[name]
    change(draft)
    report = check_plan(draft.plan(), travel=line)
    assert set(report.codes) == expected, str(report)


def test_every_code_has_a_fault():
    planted = set().union(*(codes for _, codes in FAULTS.values()))
    elsewhere = set(SINGLE_CODES) | set(POLICY_CODES) | set(NIGHT_CODES)
    assert planted - elsewhere == set(PLAN_CODES) - elsewhere
    assert len(FAULTS) >= 40


def test_right_plan_has_no_violations(draft, line):
    report = check_plan(draft.plan(), travel=line)
    assert report.ok, str(report)


AMOUNTS = {
    "n_stops": 1,
    "day after the horizon": 1,
    "day before the horizon": 3,
    "due before the horizon": 1,
    "drive": 1,
    "distance": 1,
    "route's drive": 1,
    "route's distance": 7,
    "bound": 1,
    "arrival earlier": 1,
    "visit later": 60,
    "start before arrival": 1,
    "end earlier": 1,
    "back earlier": 1,
    "leaves before the shift": 1,
    "back after the shift": 1,
    "no time to prepare": 1,
    "break in the time to prepare": 1800,
    "no time for work afterwards": 1,
    "break in the time for work afterwards": 1800,
    "too much overtime": 1,
    "overtime, and no time afterwards": 1,
    "closes early that day": 60,
    "too many visits": 1,
    "no break": 1800,
    "break of one who takes none": 60,
    "break too short": 1,
    "break before its window": 600,
    "break after its window": 100,
    "break while driving": 1,
    "break on the way home": 1,
    "break in a visit": 1,
    "opens later": 60,
    "closes during the visit": 60,
    "start after closing": 60,
    "interval too short": 2,
    "interval too long": 1,
    "too soon after the last visit": 1,
    "too late after the last visit": 1,
    "visits lost": 6,
}


@pytest.mark.parametrize("name", AMOUNTS)
def test_amount_says_how_far_off(name, draft, line):
    FAULTS[name][0](draft)
    assert check_plan(draft.plan(), travel=line).violations[0].amount == AMOUNTS[name]


MESSAGES = {
    "gap in positions": "The stops of rep R1 on 2026-01-05 have positions 0, 1, 3, not 0 to 2.",
    "too many visits": "Rep R2 has 2 visits on 2026-01-06; the most a day are 1.",
    "odd weeks": "Customer c4 is visited on 2026-01-06, in week 2, but wants odd weeks.",
    "that day off": "Rep R2 has a route on 2026-01-06, but has that day off.",
    "weekday off": "Rep R2 has a route on 2026-01-06, but does not work on a Tuesday.",
    "office day": "Rep R2 has visits in the field on 2026-01-06, an office day.",
    "no time to prepare": (
        "Rep R2 leaves at 2026-01-06 08:00: the shift begins at 2026-01-06 08:00, which leaves 0 s to prepare, not 1 s."
    ),
    "too much overtime": (
        "Rep R2 is back at 2026-01-06 09:20, 3600 s after the shift ends at 2026-01-06 08:20; 3599 s are allowed."
    ),
    "closed that day": (
        "The visit of customer c4 lasts from 2026-01-06 08:05 to 2026-01-06 08:35; its hours on 2026-01-06 are none."
    ),
    "closes early that day": (
        "The visit of customer c4 lasts from 2026-01-06 08:05 to 2026-01-06 08:35; its hours on 2026-01-06 are "
        "08:00-08:34."
    ),
    "weekday": "Customer c4 is visited on 2026-01-06, a Tuesday, which is none of its weekdays.",
    "skill": "Customer c4 is visited on 2026-01-06 by rep R2, who lacks dental.",
    "interval too long": (
        "Customer c1 is visited on 2026-01-14, 9 days after the visit before; at most 8 are asked for."
    ),
    "too late after the last visit": "Customer c4 is visited on 2026-01-06; its first visit was due by 2026-01-05.",
    "visits lost": "Customer c1 has a visit due by 2026-01-13 that is neither planned nor unassigned.",
    "arrival earlier": (
        "Rep R1 arrives at customer c2 at 2026-01-05 10:49:59, but ends the visit of customer c1 at 2026-01-05 10:40 "
        "and drives 600 s."
    ),
    "rep of another territory": "Customer c5 is visited on 2026-01-06 by rep R2, but belongs to rep R1.",
    "customer of nobody": "Customer c5 is visited on 2026-01-06 by rep R2, but belongs to nobody.",
    "unassigned twice": "Customer c6 has more than one unassigned visit due on 2026-01-08.",
    "island": "On 2026-01-06, rep R2 cannot get from customer c4 to customer c5.",
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_are_sentences(name, draft, line):
    FAULTS[name][0](draft)
    assert check_plan(draft.plan(), travel=line).violations[0].message == MESSAGES[name]
