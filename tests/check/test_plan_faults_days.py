"""One fault of a day or a route, its codes and no others."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.check.plan_edits import (
    NAT,
    _later,
    bounds,
    column,
    days,
    move,
    one,
    put,
    swapped,
    unsorted,
    whole_day,
)

from territory.check import check_plan

TRAVEL_OF_SWAP = {"drive-wrong", "distance-wrong", "route-drive-wrong", "route-distance-wrong", "arrival-too-early"}

DAYS: dict[str, tuple[Any, set[str]]] = {
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
}


@pytest.mark.parametrize("name", DAYS)
def test_fault_is_found_by_its_code(name, draft, line):
    change, expected = DAYS[name]
    change(draft)
    report = check_plan(draft.plan(), travel=line)
    assert set(report.codes) == expected, str(report)
