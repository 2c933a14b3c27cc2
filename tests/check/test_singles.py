"""Single visits: right plans, and one fault each with its codes and no others.

The plan of `conftest` with one row more: c6, 40 minutes from R1, on Thursday at 15:10.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from territory.check import check_plan
from territory.check.codes import SINGLE_CODES
from territory.model import Commitment

ROW = {"id": "v", "customer_id": "c6", "earliest": "2026-01-07", "latest": "2026-01-09"}
LEFT = {"customer_idx": 5, "rep_idx": 0, "reason": "over-capacity", "detail": "No room."}


def day(n: int) -> np.datetime64:
    return np.datetime64("2026-01-05") + np.timedelta64(n, "D")


def column(d: Any, name: str, values: Any, table: str = "customers") -> None:
    getattr(d, table)[name] = values


def one(d: Any, name: str, value: Any, rest: Any) -> None:
    """Set a column of customers: a value for c6, something else for the rest."""
    d.customers[name] = [*[rest] * 5, value]


def left(d: Any, due: str, **row: Any) -> None:
    d.unassigned.append({**LEFT, "due": np.datetime64(due), **row})


def drive(d: Any, rep: int, n: int, leave: str, row: int | None = 0, **options: Any) -> None:
    d.drive(rep, str(day(n)), [5], leave, **({} if row is None else {"rows": {0: row}}), **options)
    d.sort()


def single(d: Any, *, n: int = 3, rep: int = 0, driven: Any = None, **row: Any) -> None:
    d.unassigned.clear()
    d.visits.append({**ROW, **row})
    drive(d, rep, n, "14:30", **(driven or {}))


def joint(d: Any, **row: Any) -> None:
    """Let R2 come along, who drives 30 minutes."""
    single(d, **{"second_rep_id": "R2", **row})
    drive(d, 1, 3, "14:40")


def event(d: Any, *days: int, **row: Any) -> None:
    """Let R1 be at c6 on days of a trade show from Wednesday to Friday; its visit by interval stays unassigned."""
    d.visits.append({**ROW, "kind": "event", **row})
    for n in days:
        drive(d, 0, n, "14:30")


def align(d: Any, *territories: int) -> None:
    d.alignment = {"territory_idx": list(territories)}


def promised(d: Any, said: Commitment, **row: Any) -> None:
    single(d, **row)
    for stop in d.stops:
        stop["commitment"] = said if stop.get("visit_idx", -1) >= 0 else Commitment.PLANNED


def stop(d: Any, **values: Any) -> None:
    """Change the first stop of c6."""
    next(s for s in d.stops if s["customer_idx"] == 5).update(values)


RIGHT: dict[str, Any] = {
    "an appointment": single,
    "a time": lambda d: single(d, time_s=54_600.0),
    "a time on the customer's clock": lambda d: (one(d, "timezone", "Europe/Berlin", ""), single(d, time_s=58_200.0)),
    "a length of its own": lambda d: (
        d.settings.update(service_by_kind={"appointment": 60}),
        one(d, "service_s", 300.0, 1800.0),
        single(d, service_s=1200.0, driven={"service_s": 1200}),
    ),
    "a length by kind": lambda d: (
        d.settings.update(service_by_kind={"lead": 1200, "appointment": 60, "remote": 60}),
        one(d, "service_s", 300.0, 1800.0),
        single(d, kind="lead", driven={"service_s": 1200}),
    ),
    "the customer's length": lambda d: (
        d.settings.update(service_by_kind={"appointment": 60}),
        one(d, "service_s", 1200.0, 1800.0),
        single(d, kind="lead", driven={"service_s": 1200}),
    ),
    "from home": lambda d: single(d, remote=True, driven={"remote": (0,)}),
    "from home, shorter": lambda d: (
        d.settings.update(service_by_kind={"remote": 600, "appointment": 60}),
        single(d, remote=True, driven={"remote": (0,), "service_s": 600}),
    ),
    "from home to where nobody can drive": lambda d: (
        d.customers["lon"].__setitem__(5, 20.0),
        single(d, remote=True, driven={"remote": (0,)}),
    ),
    "by another rep": lambda d: (
        align(d, 0, 0, 0, 1, 1, 0),
        one(d, "owner", "R1", ""),
        one(d, "locked", True, False),
        single(d, rep=1, rep_id="R2"),
    ),
    "joint": joint,
    "joint, aligned": lambda d: (align(d, 0, 0, 0, 1, 1, 0), joint(d)),
    "joint by two who are named": lambda d: (
        d.__setattr__("alignment", {"territory_idx": [0, 0, 0, 1, 1, -1], "unassigned_reason": {5: "no"}}),
        joint(d, rep_id="R1"),
    ),
    "an event": lambda d: event(d, 2, 3, 4),
    "an event and a visit": lambda d: (d.unassigned.clear(), event(d, 2, 3, 4), drive(d, 1, 3, "08:00", None)),
    "two events": lambda d: (
        event(d, 2, 3, 4),
        d.visits.append({**d.visits[0], "id": "w", "earliest": "2026-01-08", "latest": "2026-01-08"}),
        drive(d, 1, 3, "08:00", 1),
    ),
    "an event with a day missed": lambda d: (event(d, 2, 4), left(d, "2026-01-08", visit_idx=0)),
    "an event of two reps": lambda d: (
        event(d, 2, second_rep_id="R2", latest="2026-01-07"),
        drive(d, 1, 2, "14:40"),
    ),
    "an event that is over after the horizon": lambda d: (
        event(d, 10, 11, 12, 13, earliest="2026-01-15", latest="2026-02-01")
        or column(d, "shift", ["24/7", "24/7"], "reps")
    ),
    "outside the horizon": lambda d: d.visits.append({**ROW, "earliest": "2026-03-02", "latest": "2026-03-03"}),
    "at a customer without an interval": lambda d: (
        single(d),
        one(d, "visit_interval_days", float("nan"), 14.0),
        column(d, "early_days", [9.0] * 6),
    ),
    "an appointment outranks days": lambda d: (
        one(d, "call_blocks", "2026-01-08", ""),
        one(d, "preferred_weekdays", "Mo", "Mo-Su"),
        one(d, "week_parity", "odd", "any"),
        single(d),
    ),
    "a confirmed day outranks days": lambda d: (
        one(d, "call_blocks", "2026-01-08", ""),
        single(d, kind="lead", commitment="confirmed_day"),
    ),
    "a lead on one day outranks days": lambda d: (
        one(d, "call_blocks", "2026-01-08", ""),
        single(d, kind="lead", earliest="2026-01-08", latest="2026-01-08"),
    ),
    "a time outranks hours": lambda d: (one(d, "opening_hours", "off", ""), single(d, kind="lead", time_s=54_600.0)),
    "an event outranks hours and days": lambda d: (
        one(d, "opening_hours", "off", ""),
        one(d, "call_blocks", "2026-01-08", ""),
        event(d, 2, 3, 4),
    ),
    "planned": lambda d: promised(d, Commitment.PLANNED),
    "as the row says": lambda d: promised(d, Commitment.SUGGESTED, commitment="suggested"),
    "a single day is confirmed": lambda d: promised(
        d, Commitment.CONFIRMED_DAY, earliest="2026-01-08", latest="2026-01-08"
    ),
    "a time is fixed": lambda d: promised(d, Commitment.FIXED, time_s=54_600.0),
    "an event is confirmed": lambda d: (
        promised(d, Commitment.CONFIRMED_DAY, kind="event", latest="2026-01-08", earliest="2026-01-08"),
        left(d, "2026-01-08"),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_plans_have_no_violations(name, draft, line):
    RIGHT[name](draft)
    report = check_plan(draft.plan(), travel=line)
    assert report.ok, str(report)


FAULTS: dict[str, tuple[Any, set[str]]] = {
    "forgotten": (lambda d: d.visits.append({**ROW}), {"single-missing"}),
    "a day of an event forgotten": (lambda d: event(d, 2, 3), {"single-missing"}),
    "made twice": (lambda d: (single(d), drive(d, 0, 4, "14:30")), {"single-doubled"}),
    "made by two": (lambda d: (single(d), drive(d, 1, 3, "14:40")), {"single-doubled", "visit-doubled"}),
    "an event twice a day": (lambda d: (event(d, 2, 3, 4), drive(d, 1, 3, "08:00")), {"single-doubled"}),
    "made and unassigned": (lambda d: (single(d), left(d, "2026-01-09", visit_idx=0)), {"planned-and-unassigned"}),
    "an event's day made and missed": (
        lambda d: (event(d, 2, 3, 4), left(d, "2026-01-08", visit_idx=0)),
        {"planned-and-unassigned"},
    ),
    "beside one by interval": (lambda d: (single(d), drive(d, 1, 3, "08:00", None)), {"visit-doubled"}),
    "two on a day": (
        lambda d: (single(d), d.visits.append({**ROW, "id": "w"}), drive(d, 1, 3, "08:00", 1)),
        {"visit-doubled"},
    ),
    "a joint one beside one by interval": (
        lambda d: (
            d.unassigned.clear(),
            d.visits.append({**ROW, "second_rep_id": "R2"}),
            d.drive(0, "2026-01-08", [5, 5], "14:30", rows={0: 0}),
            drive(d, 1, 3, "14:40"),
        ),
        {"visit-doubled"},
    ),
    "at another customer": (lambda d: single(d, customer_id="c5"), {"single-customer-wrong"}),
    "at a customer who is not known": (lambda d: single(d, customer_id="c9"), {"single-customer-wrong"}),
    "too early a day": (lambda d: single(d, earliest="2026-01-09"), {"single-day-wrong"}),
    "too late a day": (lambda d: single(d, n=8), {"single-day-wrong"}),
    "an event on another day": (lambda d: event(d, 2, 3, 4, 8), {"single-day-wrong"}),
    "another time": (lambda d: single(d, time_s=54_601.0), {"single-time-wrong"}),
    "the rep's time": (
        lambda d: (one(d, "timezone", "Europe/Berlin", ""), single(d, time_s=54_600.0)),
        {"single-time-wrong"},
    ),
    "an event at another time": (lambda d: event(d, 2, 3, 4, time_s=54_000.0), {"single-time-wrong"}),
    "another rep": (lambda d: single(d, rep_id="R2"), {"single-rep-wrong"}),
    "a rep who is gone": (lambda d: single(d, rep_id="R9"), {"single-rep-wrong"}),
    "a rep of another territory": (
        lambda d: (align(d, 0, 0, 0, 1, 1, 0), single(d, rep=1)),
        {"wrong-rep"},
    ),
    "joint, but with another": (lambda d: joint(d, rep_id="R2", second_rep_id="R3"), {"single-rep-wrong"}),
    "joint, but alone": (lambda d: single(d, second_rep_id="R2"), {"joint-incomplete"}),
    "joint, but apart": (lambda d: (joint(d), d.stops.pop(), d.routes.pop(), drive(d, 1, 3, "14:41")), {"joint-apart"}),
    "less firm": (lambda d: promised(d, Commitment.PLANNED, commitment="confirmed_week"), {"commitment-wrong"}),
    "less firm than a time": (lambda d: promised(d, Commitment.CONFIRMED_DAY, time_s=54_600.0), {"commitment-wrong"}),
    "firmer": (lambda d: promised(d, Commitment.FIXED), {"commitment-wrong"}),
    "by interval, but fixed": (
        lambda d: (promised(d, Commitment.PLANNED), d.stops[0].update(commitment=Commitment.FIXED)),
        {"commitment-wrong"},
    ),
    "of another length": (lambda d: single(d, service_s=1700.0), {"end-wrong"}),
    "as long as another kind": (
        lambda d: (d.settings.update(service_by_kind={"lead": 1200}), single(d, kind="lead")),
        {"end-wrong"},
    ),
    "as long as in the field": (
        lambda d: (
            d.settings.update(service_by_kind={"remote": 1200}),
            single(d, remote=True, driven={"remote": (0,)}),
        ),
        {"end-wrong"},
    ),
    "in the field": (lambda d: single(d, remote=True), {"remote-wrong"}),
    "from home": (lambda d: single(d, driven={"remote": (0,)}), {"remote-wrong"}),
    "from home, but with a drive": (
        lambda d: (single(d, remote=True), stop(d, remote=True)),
        {"drive-wrong", "distance-wrong", "route-drive-wrong", "route-distance-wrong"},
    ),
    "from home outside the hours": (
        lambda d: (one(d, "opening_hours", "15:00-18:00", ""), single(d, remote=True, driven={"remote": (0,)})),
        {"outside-opening-hours"},
    ),
    "an appointment outside the hours": (
        lambda d: (one(d, "opening_hours", "Th 08:00-12:00", ""), single(d)),
        {"outside-opening-hours"},
    ),
    "a lead on a blocked day": (
        lambda d: (one(d, "call_blocks", "2026-01-08", ""), single(d, kind="lead", commitment="confirmed_week")),
        {"call-block"},
    ),
    "a lead on the wrong weekday": (
        lambda d: (one(d, "preferred_weekdays", "Mo", "Mo-Su"), single(d, kind="lead")),
        {"weekday-not-allowed"},
    ),
    "a lead in an odd week": (
        lambda d: (one(d, "week_parity", "odd", "any"), single(d, kind="lead")),
        {"week-parity"},
    ),
    "an event on leave": (
        lambda d: (column(d, "leave", ["2026-01-08", ""], "reps"), event(d, 2, 3, 4)),
        {"on-leave"},
    ),
    "an event on a holiday": (
        lambda d: (d.settings.update(holidays=["2026-01-08"]), event(d, 2, 3, 4)),
        {"on-holiday"},
    ),
    "a fixed one without the skill": (
        lambda d: (one(d, "required_skills", "x-ray", ""), single(d, rep_id="R1", time_s=54_600.0)),
        {"skill-missing"},
    ),
    "joint, one forbidden": (lambda d: (one(d, "forbidden_reps", "R2", ""), joint(d)), {"rep-forbidden"}),
    "locked to another, and nobody named": (
        lambda d: (one(d, "owner", "R2", ""), one(d, "locked", True, False), single(d)),
        {"lock-broken"},
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found_by_its_code(name, draft, line):
    change, expected = FAULTS[name]
    change(draft)
    report = check_plan(draft.plan(), travel=line)
    assert set(report.codes) == expected, str(report)


def test_every_code_has_a_fault():
    planted = set().union(*(codes for _, codes in FAULTS.values()))
    assert set(SINGLE_CODES) - {"single-due-wrong"} <= planted


def test_parts_lack_visits_and_the_other_half_of_joint_ones(draft, line):
    joint(draft)
    draft.visits.append({**ROW, "id": "w", "customer_id": "c1"})
    plan = draft.plan()
    for part in (plan.rep("R1"), plan.rep("R2"), plan.day("2026-01-08"), plan.day("2026-01-05")):
        assert check_plan(part, travel=line, complete=False).ok
    assert set(check_plan(plan, travel=line).codes) == {"single-missing"}


MESSAGES = {
    "forgotten": "Visit v between 2026-01-07 and 2026-01-09 is neither planned nor unassigned.",
    "a day of an event forgotten": "Visit v on 2026-01-09 is neither planned nor unassigned.",
    "too late a day": "Visit v of customer c6 is made on 2026-01-13, not between 2026-01-07 and 2026-01-09.",
    "another time": "Visit v of customer c6 starts at 2026-01-08 15:10, not at 15:10:01.",
    "joint, but apart": "Rep R2 starts visit v at 2026-01-08 15:11, but rep R1 at 2026-01-08 15:10.",
    "less firm": "The visit of customer c6 on 2026-01-08 is said to be planned, but is confirmed week.",
    "in the field": "The visit of customer c6 on 2026-01-08 is in the field, not from home.",
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_are_sentences(name, draft, line):
    FAULTS[name][0](draft)
    assert check_plan(draft.plan(), travel=line).violations[0].message == MESSAGES[name]
