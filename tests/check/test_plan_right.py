"""Plans that look odd and are right; parts of plans; plans that went through a table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from territory.check import check_plan
from territory.errors import InputError
from territory.model import Plan
from territory.travel import MatrixTravel

NAT = np.datetime64("NaT", "s")


def column(d: Any, name: str, values: Any, table: str = "customers") -> None:
    getattr(d, table)[name] = values


def first(d: Any, name: str, value: Any, rest: Any, row: int = 3) -> None:
    d.customers[name] = [value if i == row else rest for i in range(6)]


def early_day(d: Any) -> None:
    """Let R1 be back before the break window opens, and leave when it closes."""
    d.stops, d.routes = d.stops[6:], d.routes[2:]
    d.drive(0, "2026-01-05", [0, 1, 2], "08:30")
    d.drive(0, "2026-01-12", [0, 1, 2], "14:00")
    d.sort()


def home_break(d: Any) -> None:
    d.stops, d.routes = d.stops[6:], d.routes[2:]
    d.drive(0, "2026-01-05", [0, 1, 2], "08:31")
    d.drive(0, "2026-01-12", [0, 1, 2], "10:00", break_after=2)
    d.routes[1].update(break_start=np.datetime64("2026-01-05T11:01"), break_s=1800)
    d.sort()


def twice_a_week(d: Any, *days: str) -> None:
    """Visit c6 every 3.5 days without tolerance."""
    d.unassigned.clear()
    d.settings["tolerance"] = 0.0
    d.customers["visit_interval_days"] = [7.0, 7.0, 7.0, 14.0, 14.0, 3.5]
    for day in days:
        d.drive(0, day, [5], "14:00")
    d.reps["shift"] = ["24/7", "24/7"]
    d.sort()


def once(d: Any) -> None:
    d.customers.pop("visit_interval_days")
    d.stops, d.routes = [s for s in d.stops if str(s["day"]) != "2026-01-12"], [d.routes[0], d.routes[2]]


def other_tables(d: Any) -> None:
    """Give the plan an alignment of more customers and reps, in another order."""
    wide = type(d)(
        {"id": ["new", "c6", "c5", "c4", "c3", "c2", "c1"], "lon": [10.0] * 7, "lat": [50.0] * 7},
        {"id": ["R0", "R2", "R1"], "lon": [10.0] * 3, "lat": [50.0] * 3},
        d.settings,
    ).plan()
    reps = wide.reps
    d.alignment = {"customers": wide.customers, "reps": reps, "territory_id": ["a", "b", "c"], "rep_idx": [2, 1, 0]}
    d.alignment |= {"center_lon": reps.lon, "center_lat": reps.lat, "territory_idx": [2, 0, 1, 1, 0, 0, 0]}


RIGHT: dict[str, Any] = {
    "idle everywhere": lambda d: (
        d.routes[2].update(back=np.datetime64("2026-01-06T16:59:59")),
        [
            s.update(
                start=s["start"] + np.timedelta64(600, "s"),
                end=s["end"] + np.timedelta64(600, "s"),
                arrival=s["arrival"] + np.timedelta64(60, "s"),
            )
            for s in d.stops[7:]
        ],
    ),
    "no break needed": early_day,
    "break at home": home_break,
    "break on arrival": lambda d: (
        [s.update(arrival=s["arrival"] - np.timedelta64(1800, "s")) for s in d.stops[2:6:3]],
        [r.update(break_start=r["break_start"] + np.timedelta64(600, "s")) for r in d.routes[:2]],
    ),
    "break before the way home": lambda d: (
        [s.update({k: s[k] - np.timedelta64(1800, "s") for k in ("arrival", "start", "end")}) for s in d.stops[2:6:3]],
        [r.update(break_start=r["break_start"] + np.timedelta64(2400, "s")) for r in d.routes[:2]],
    ),
    "break over a way home of no length": lambda d: (
        column(d, "end_lon", [10.03, 10.12], "reps"),
        column(d, "end_lat", [50.0, 50.0], "reps"),
        [r.update(drive_s=1800, distance_m=3000, back=r["back"] - np.timedelta64(900, "s")) for r in d.routes[:2]],
        [r.update(break_start=r["break_start"] + np.timedelta64(4200, "s")) for r in d.routes[:2]],
        [s.update({k: s[k] - np.timedelta64(1800, "s") for k in ("arrival", "start", "end")}) for s in d.stops[2:6:3]],
    ),
    "due on the first day": lambda d: d.unassigned[0].update(due=np.datetime64("2026-01-05")),
    "due on the last day": lambda d: d.unassigned[0].update(due=np.datetime64("2026-01-18")),
    "break with a window of its own": lambda d: (
        column(d, "break_earliest_s", [40_800.0, 0.0], "reps"),
        column(d, "break_latest_s", [42_600.0, 0.0], "reps"),
    ),
    "break of a part of a second": lambda d: column(d, "break_s", [1799.2, 0.0], "reps"),
    "service of a part of a second": lambda d: column(d, "service_s", [1799.5] * 6),
    "exactly open": lambda d: first(d, "opening_hours", "Tu 08:05-08:35", ""),
    "only the start is in the hours": lambda d: (
        first(d, "opening_hours", "Tu 08:05-08:05", ""),
        first(d, "hours_bind", "start", "visit"),
    ),
    "weekday and week": lambda d: (
        first(d, "preferred_weekdays", "Tu,Th", ""),
        first(d, "week_parity", "even", "any"),
        first(d, "call_blocks", "2026-01-05; 2026-01-07", ""),
    ),
    "skills": lambda d: (
        first(d, "required_skills", "x-ray", ""),
        column(d, "skills", ["", "dental; x-ray"], "reps"),
        first(d, "forbidden_reps", "R1", ""),
    ),
    "locked to the owner": lambda d: (first(d, "owner", "R2", ""), first(d, "locked", True, False)),
    "channels and stages": lambda d: (
        column(d, "channel", ["field", "either"] * 3),
        column(d, "stage", ["suspect", "customer"] * 3),
    ),
    "nobody misses who is lost or inside": lambda d: (
        d.unassigned.clear(),
        first(d, "channel", "inside", "field", 5),
    ),
    "no interval, no visit": lambda d: (
        d.unassigned.clear(),
        column(d, "visit_interval_days", [7.0, 7.0, 7.0, 14.0, 14.0, math.nan]),
    ),
    "longest interval": lambda d: column(d, "visit_interval_days", [7.0, 7.0, 7.0, 14.0, 14.0, 60.0]),
    "earliest after the last visit": lambda d: first(
        d, "last_visit", np.datetime64("2025-12-26"), np.datetime64("NaT", "D")
    ),
    "latest after the last visit": lambda d: first(
        d, "last_visit", np.datetime64("2025-12-20"), np.datetime64("NaT", "D")
    ),
    "overdue": lambda d: first(d, "last_visit", np.datetime64("2020-12-20"), np.datetime64("NaT", "D")),
    "one visit in the horizon": once,
    "every third or fourth day": lambda d: twice_a_week(d, "2026-01-07", "2026-01-10", "2026-01-14", "2026-01-18"),
    "tolerance that rounds badly": lambda d: (
        d.settings.update(tolerance=0.29, n_days=126),
        d.customers.update(visit_interval_days=[100.0] * 6, last_visit=["2025-09-29"] * 5 + [NAT]),
        d.stops.__delitem__(slice(3, 6)),
        d.routes.pop(1),
    ),
    "alignment": lambda d: d.__setattr__("alignment", {"territory_idx": [0, 0, 0, 1, 1, 0]}),
    "alignment without reps": lambda d: d.__setattr__(
        "alignment", {"territory_idx": [0] * 6, "reps": None, "rep_idx": [-1, -1]}
    ),
    "alignment of other tables": other_tables,
    "customer of nobody": lambda d: (
        d.__setattr__("alignment", {"territory_idx": [0, 0, 0, 1, 1, -1], "unassigned_reason": {5: "no"}}),
        d.unassigned[0].update(rep_idx=-1, reason="no-eligible-rep"),
    ),
    "no shift on the weekend": lambda d: d.unassigned[0].update(reason="no-shift", due=np.datetime64("2026-01-10")),
    "no shift on leave": lambda d: (
        d.unassigned[0].update(reason="no-shift"),
        column(d, "leave", ["2026-01-06..2026-01-08", ""], "reps"),
    ),
    "no shift on a holiday": lambda d: (
        d.unassigned[0].update(reason="no-shift"),
        d.settings.update(holidays=["2026-01-08"]),
    ),
    "no shift by its own week": lambda d: (
        d.unassigned[0].update(reason="no-shift"),
        column(d, "shift", ["Mo 08:00-17:00", "Tu 08:00-17:00"], "reps"),
    ),
    "longer than every shift": lambda d: (
        d.unassigned[0].update(reason="service-too-long"),
        first(d, "service_s", 32_400.5, 1800.0, 5),
    ),
    "longer than every shift when it is due": lambda d: (
        d.unassigned[0].update(reason="service-too-long", due=np.datetime64("2026-01-07")),
        column(d, "shift", ["Mo 08:00-17:00; We 08:00-10:00", "Tu 08:00-17:00"], "reps"),
        first(d, "service_s", 10_000.0, 1800.0, 5),
        column(d, "last_visit", [NAT] * 5 + ["2025-12-24"]),
        column(d, "early_days", [1.0] * 6),
        column(d, "late_days", [1.0] * 6),
    ),
    "no way there": lambda d: (
        d.unassigned[0].update(reason="unreachable"),
        d.customers["lon"].__setitem__(5, 20.0),
    ),
    "no way to the end of the day": lambda d: (
        d.unassigned[0].update(reason="unreachable", rep_idx=1),
        d.stops.__delitem__(slice(6, 8)),
        d.routes.pop(2),
        [d.unassigned.append({**d.unassigned[0], "customer_idx": i}) for i in (3, 4)],
        column(d, "end_lon", [math.nan, 20.0], "reps"),
    ),
    "lacks the skill": lambda d: (
        d.unassigned[0].update(reason="no-eligible-rep"),
        first(d, "required_skills", "x-ray", "", 5),
    ),
    "forbidden": lambda d: (
        d.unassigned[0].update(reason="no-eligible-rep"),
        first(d, "forbidden_reps", "R1", "", 5),
    ),
    "locked to another": lambda d: (
        d.unassigned[0].update(reason="no-eligible-rep"),
        first(d, "owner", "R2", "", 5),
        first(d, "locked", True, False, 5),
    ),
    "unassigned a shortest interval later": lambda d: d.unassigned.append(
        {**d.unassigned[0], "customer_idx": 0, "due": np.datetime64("2026-01-18")}
    ),
    "unassigned where the horizon ends": lambda d: (
        d.customers.update(visit_interval_days=[7.0, 7.0, 7.0, 14.0, 14.0, 10.5], early_days=[0.0] * 6),
        d.unassigned[0].update(due=np.datetime64("2026-01-08")),
        d.unassigned.append({**d.unassigned[0], "due": np.datetime64("2026-01-18")}),
    ),
    "leave at other times": lambda d: column(d, "leave", ["2026-01-06; 2026-01-13..2026-01-18", ""], "reps"),
    "hours of that very day win over holidays": lambda d: (
        d.settings.update(holidays=["2026-01-06"], rep_holidays={"R2": ["2026-01-06"]}),
        column(d, "shift_exceptions", ["", "2026-01-06 08:00-09:20"], "reps"),
    ),
    "another rep's holiday": lambda d: d.settings.update(rep_holidays={"R1": ["2026-01-06"], "R2": ["2026-01-05"]}),
    "exactly prepared, and done": lambda d: (
        column(d, "prep_s", [7199.5, 3600.0], "reps"),
        column(d, "admin_s", [14_400.0, 3600.0], "reps"),
        column(d, "shift", ["Mo 08:00-17:00", "Tu 07:00-10:20"], "reps"),
    ),
    "overtime to the end": lambda d: (
        column(d, "shift", ["Mo 08:00-17:00", "Tu 08:00-09:00"], "reps"),
        column(d, "max_overtime_s", [0.0, 1800.0], "reps"),
        column(d, "admin_s", [0.0, 600.0], "reps"),
    ),
    "other office days": lambda d: column(d, "office_days", ["Tu", "We"], "reps"),
    "no shift on an office day": lambda d: (
        d.unassigned[0].update(reason="no-shift"),
        column(d, "office_days", ["Th", ""], "reps"),
    ),
    "no shift on a day off": lambda d: (
        d.unassigned[0].update(reason="no-shift"),
        column(d, "shift_exceptions", ["2026-01-08 off", ""], "reps"),
    ),
    "no shift on the rep's holiday": lambda d: (
        d.unassigned[0].update(reason="no-shift"),
        d.settings.update(rep_holidays={"R1": ["2026-01-08"]}),
    ),
    "longer than what is left of every shift": lambda d: (
        d.unassigned[0].update(reason="service-too-long"),
        column(d, "prep_s", [3600.0, 0.0], "reps"),
        column(d, "admin_s", [1800.0, 0.0], "reps"),
        first(d, "service_s", 27_000.5, 1800.0, 5),
    ),
    "exactly open that day": lambda d: (
        first(d, "opening_hours", "off", ""),
        first(d, "hours_exceptions", "2026-01-06 08:05-08:35", ""),
    ),
    "only the start is in the hours of that day": lambda d: (
        first(d, "hours_exceptions", "2026-01-06 08:05-08:05", ""),
        first(d, "hours_bind", "start", "visit"),
    ),
    "bound": lambda d: [r.update(bound_s=1200) for r in d.routes],
    "nothing planned": lambda d: (
        d.stops.clear(),
        d.routes.clear(),
        d.unassigned.clear(),
        column(d, "stage", ["lost"] * 6),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_plans_have_no_violations(name, draft, line):
    RIGHT[name](draft)
    report = check_plan(draft.plan(), travel=line)
    assert report.ok, str(report)


def test_fractional_intervals_are_kept_on_both_sides(draft, line):
    twice_a_week(draft, "2026-01-07", "2026-01-09", "2026-01-14", "2026-01-18")
    found = check_plan(draft.plan(), travel=line)
    assert found.codes == {"interval-too-short": 1, "interval-too-long": 1}


def test_parts_of_a_plan_lack_visits_and_are_right(draft, line):
    plan = draft.plan()
    for part in (
        plan.day("2026-01-12"),
        plan.day("2026-01-06"),
        plan.rep("R1"),
        plan.rep("R2"),
        plan.day("2026-01-07"),
    ):
        assert check_plan(part, travel=line, complete=False).ok
        assert "visit-missing" in check_plan(part, travel=line).codes


def test_parts_keep_all_other_rules(draft, line):
    draft.drive(1, "2026-01-09", [0], "14:00")
    draft.sort()
    assert set(check_plan(draft.plan(), travel=line, complete=False).codes) == {"interval-too-short"}
    assert check_plan(draft.plan(), travel=line, cadence=False).ok


def test_without_cadence_nobody_comes_twice_a_day(draft, line):
    draft.customers["visit_interval_days"] = [math.nan] * 6
    draft.customers["last_visit"] = ["2026-01-04"] * 6
    assert check_plan(draft.plan(), travel=line, cadence=False).ok
    draft.drive(1, "2026-01-05", [0], "14:00")
    draft.sort()
    assert set(check_plan(draft.plan(), travel=line, cadence=False).codes) == {"visit-doubled"}


def test_default_travel_is_the_great_circle(draft):
    found = check_plan(draft.plan())
    assert {"travel-differs", "drive-wrong"} <= set(found.codes)
    assert "great-circle" in found.violations[0].message


def test_travel_is_asked_once_for_each_speed(draft, line):
    class Counting(type(line)):
        asked = 0

        def pairs(self, *places, **options):
            self.asked += 1
            return super().pairs(*places, **options)

    travel = Counting()
    assert check_plan(draft.plan(), travel=travel).ok
    assert travel.asked == 2


def test_unknown_places_are_the_travels_business(draft):
    travel = MatrixTravel([[0, 60], [60, 0]], [[0, 1], [1, 0]], customer_ids=["c1"], rep_ids=["R1"])
    with pytest.raises(InputError, match="not in the matrix"):
        check_plan(draft.plan(), travel=travel)


def again(plan: Plan, frame: Any, **tables: Any) -> Plan:
    return Plan.from_frame(frame, customers=plan.customers, reps=plan.reps, like=plan, **tables)


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_round_trip_through_tables(backend, draft, line):
    draft.reps["timezone"] = ["Europe/London", ""]  # which keep UTC in winter
    plan = draft.plan()
    tables = {"routes": plan.routes_frame(backend), "unassigned": plan.unassigned_frame(backend)}
    assert check_plan(again(plan, plan.to_frame(backend)), travel=line).ok
    assert check_plan(again(plan, plan.to_frame(backend), **tables), travel=line).ok


def test_edits_by_hand_are_found(draft, line):
    plan = draft.plan()
    frame = plan.to_frame()
    late = frame.assign(start=frame["start"] + np.timedelta64(60, "s"), end=frame["end"] + np.timedelta64(60, "s"))
    assert "arrival-too-early" in check_plan(again(plan, late), travel=line).codes
    dropped = frame.drop(index=[7])
    codes = set(check_plan(again(plan, dropped), travel=line).codes)
    assert codes == {"stop-count-wrong", "route-drive-wrong", "route-distance-wrong", "visit-missing"}
    shuffled = frame.sample(frac=1, random_state=1)
    assert check_plan(again(plan, shuffled), travel=line).ok
    other = frame.assign(
        rep_id=["R2" if c == "c3" else r for c, r in zip(frame.customer_id, frame.rep_id, strict=True)]
    )
    assert {"stop-without-route", "drive-wrong"} <= set(check_plan(again(plan, other), travel=line).codes)
