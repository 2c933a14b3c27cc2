"""Leads, stretched intervals, follow-ups, contacts from home, who stands in, loads: right plans and planted faults."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from territory.check import check_plan
from territory.check.codes import POLICY_CODES

NONE = np.datetime64("NaT", "D")
CRATES = {"crates": [1, 2, 3, 4, 5, 6]}
LEFT = {"customer_idx": 5, "rep_idx": 0, "reason": "over-capacity", "detail": "No room."}
FOLLOW_UP = {
    "id": "c6#follow-up-14",
    "customer_id": "c6",
    "kind": "follow_up",
    "earliest": "2026-01-05",
    "due": "2026-01-08",
    "latest": "2026-01-11",
}


def day(n: int) -> np.datetime64:
    return np.datetime64("2026-01-05") + np.timedelta64(n, "D")


def column(d: Any, name: str, values: Any, table: str = "customers") -> None:
    getattr(d, table)[name] = values


def one(d: Any, name: str, value: Any, rest: Any) -> None:
    """Set a column of customers: a value for c6, something else for the rest."""
    d.customers[name] = [*[rest] * 5, value]


def left(d: Any, *due: int) -> None:
    """Let the visits of c6 be unassigned on some days, in place of the one that was."""
    d.unassigned[:] = [{**LEFT, "due": day(n)} for n in due]


def visit(d: Any, n: int, *, rep: int = 0, leave: str = "14:30", **options: Any) -> None:
    d.drive(rep, str(day(n)), [5], leave, **options)
    d.sort()


def without(d: Any, n: int) -> None:
    d.stops, d.routes = [s for s in d.stops if s["day"] != day(n)], [r for r in d.routes if r["day"] != day(n)]


def lead(d: Any, temperature: str, *due: int, stage: str = "", interval: float = math.nan) -> None:
    """Make c6 a lead whose visits stay unassigned, and all others customers."""
    one(d, "temperature", temperature, "")
    column(d, "visit_interval_days", [7.0, 7.0, 7.0, 14.0, 14.0, interval])
    left(d, *due)
    if stage:
        one(d, "stage", stage, "customer")


def last(d: Any, on: str) -> None:
    one(d, "last_visit", np.datetime64(on), NONE)


def deadline(d: Any, on: str, *due: int) -> None:
    one(d, "deadline", np.datetime64(on), NONE)
    left(d, *due)


def align(d: Any, *territories: int) -> None:
    d.alignment = {"territory_idx": list(territories)}


def covered(d: Any, *, away: str = "2026-01-08", **settings: Any) -> None:
    """R2 makes the visit of c6 by interval, on the day on which R1 is away."""
    d.unassigned.clear()
    align(d, 0, 0, 0, 1, 1, 0)
    d.settings.update({"cover": {"R1": ["R2"]}, **settings})
    column(d, "leave", [away, ""], "reps")
    visit(d, 3, rep=1, leave="10:00")


def shared(d: Any, *teams: str) -> None:
    covered(d, away="", cover={}, shared=True)
    if teams:
        column(d, "team", list(teams), "reps")


def zones(d: Any, first: str, second: str, customers: str = "") -> None:
    column(d, "timezone", [first, second], "reps")
    column(d, "timezone", [customers] * 6)


def won(d: Any, on: str, **row: Any) -> None:
    """c6 was won, and its follow-up is made on Thursday."""
    d.unassigned.clear()
    one(d, "won_on", np.datetime64(on), NONE)
    d.visits.append({**FOLLOW_UP, **row})
    visit(d, 3, rows={0: 0})


def at_home(d: Any, *mondays: int, last_visit: Any = "2025-12-29", channel: str = "either") -> None:
    """Let R1 call on c1, c2 and c3 from home on some Mondays."""
    d.settings["remote"] = "after-first"
    column(d, "channel", [channel] * 3 + ["field"] * 3)
    column(d, "last_visit", [last_visit] * 3 + [NONE] * 3)
    for n in mondays:
        without(d, n)
        d.drive(0, str(day(n)), [0, 1, 2], "10:00", break_after=2, remote=(0, 1, 2))
    d.sort()


def cold(d: Any, most: int) -> None:
    """Visit c6 alone, 40 minutes from home."""
    lead(d, "cold")
    visit(d, 3)
    d.settings["cold_detour_s"] = most


def cold_between(d: Any, most: int) -> None:
    """Visit cold c2 between c1 and c3, which lies on the way."""
    column(d, "temperature", ["", "cold", "", "", "", ""])
    d.settings["cold_detour_s"] = most


def loads(d: Any, *limits: float) -> None:
    d.settings["load"] = "crates"
    column(d, "measures", CRATES)
    column(d, "load_limit", list(limits), "reps")


RIGHT: dict[str, Any] = {
    "a warm lead": lambda d: lead(d, "warm", 13),
    "a warm lead, more often": lambda d: (d.settings.update(warm_days=4), lead(d, "warm", 3, 7, 11)),
    "a warm lead with an interval": lambda d: (d.settings.update(warm_days=4), lead(d, "warm", 13, interval=14.0)),
    "a cold lead": lambda d: lead(d, "cold", 13),
    "a hot lead": lambda d: lead(d, "hot", 1),
    "a hot lead of any stage": lambda d: lead(d, "hot", 1, stage="sql"),
    "a hot lead, visited lately": lambda d: (lead(d, "hot", 11), last(d, "2026-01-03")),
    "a hot lead with an interval": lambda d: (lead(d, "hot", 0, interval=60.0), last(d, "2026-01-02")),
    "a hot lead, visited": lambda d: (lead(d, "hot", interval=60.0), last(d, "2026-01-02"), visit(d, 1)),
    "a hot lead where there are no intervals": lambda d: (
        without(d, 7),
        lead(d, "hot", 1),
        d.customers.pop("visit_interval_days"),
    ),
    "no lead any more": lambda d: lead(d, "hot", stage="customer"),
    "a lost lead": lambda d: lead(d, "hot", stage="lost"),
    "a deadline": lambda d: deadline(d, "2026-01-08", 3),
    "a deadline on the first day": lambda d: deadline(d, "2026-01-05", 0),
    "a deadline before the interval begins": lambda d: (deadline(d, "2026-01-08"), last(d, "2026-01-04"), visit(d, 3)),
    "a deadline that is over": lambda d: deadline(d, "2026-01-04", 13),
    "stretched": lambda d: (
        d.settings.update(stretch={"R1": 2.0, "R2": 9.0}),
        align(d, 0, 0, 0, 1, 1, 0),
        column(d, "visit_interval_days", [3.5, 4.0, 3.5, 1.6, 1.6, 14.0]),
    ),
    "stretched, and the tolerance": lambda d: (
        d.settings.update(stretch={"R1": 1.5}, tolerance=0.5),
        align(d, 0, 0, 0, 1, 1, 0),
        column(d, "visit_interval_days", [8.0, 8.0, 3.34, 14.0, 14.0, 14.0]),
    ),
    "leads are not stretched": lambda d: (
        d.settings.update(stretch={"R1": 9.0}, warm_days=4),
        align(d, 0, 0, 0, 1, 1, 0),
        lead(d, "warm", 3, 7, 11),
        column(d, "late_days", [60.0] * 5 + [1.0]),
        column(d, "early_days", [60.0] * 5 + [1.0]),
    ),
    "cover": covered,
    "cover with a clock of the customers'": lambda d: (covered(d), zones(d, "UTC", "Europe/Lisbon", "Europe/Lisbon")),
    "cover in one zone": lambda d: (covered(d), zones(d, "UTC", "")),
    "an unassigned visit of who stands in": lambda d: (
        align(d, 0, 0, 0, 1, 1, 0),
        d.settings.update(cover={"R1": ["R2"]}),
        d.unassigned[0].update(rep_idx=1),
    ),
    "shared": shared,
    "shared in a team": lambda d: shared(d, "north", "north"),
    "from home after the first visit": lambda d: at_home(d, 7, last_visit=NONE),
    "from home": lambda d: at_home(d, 0, 7),
    "from home, where it is a long way": lambda d: (at_home(d, 0, 7), d.customers["lon"].__setitem__(2, 20.0)),
    "either, after a visit that was missed": lambda d: (
        d.settings.update(remote="after-first"),
        one(d, "channel", "either", "field"),
        left(d, 0),
        visit(d, 11, remote=(0,)),
    ),
    "either, after an event": lambda d: (
        d.settings.update(remote="after-first"),
        one(d, "channel", "either", "field"),
        left(d),
        d.visits.append(
            {"id": "e", "customer_id": "c6", "kind": "event", "earliest": str(day(2)), "latest": str(day(2))}
        ),
        visit(d, 2, rows={0: 0}),
        visit(d, 3, remote=(0,)),
    ),
    "a follow-up": lambda d: won(d, "2025-12-25"),
    "a follow-up, cut off by the horizon": lambda d: won(d, "2025-12-23", due="2026-01-06", latest="2026-01-09"),
    "a follow-up, not cut off": lambda d: won(
        d, "2025-12-23", due="2026-01-06", latest="2026-01-09", earliest="2026-01-03"
    ),
    "a follow-up with an exact length": lambda d: (
        d.settings.update(service_by_kind={"follow-up": 600}),
        won(d, "2025-12-25", service_s=600.0),
        [s.update(end=s["start"] + np.timedelta64(600, "s")) for s in d.stops if s["customer_idx"] == 5],
    ),
    "a follow-up that was promised": lambda d: won(
        d, "2025-12-25", earliest="2026-01-08", latest="2026-01-08", commitment="confirmed_day"
    ),
    "a follow-up of one's own": lambda d: won(d, "2025-12-01", id="after the fair"),
    "follow-ups due at other times": lambda d: column(
        d, "won_on", [np.datetime64(x) for x in ("2025-12-21", "2026-01-05", "2025-01-05")] + [NONE] * 3
    ),
    "two follow-ups": lambda d: (
        d.settings.update(follow_up_days=(14, 17)),
        won(d, "2025-12-25"),
        d.visits.append(
            {**FOLLOW_UP, "id": "c6#follow-up-17", "earliest": str(day(2)), "due": str(day(6)), "latest": str(day(10))}
        ),
        visit(d, 8, rows={0: 1}),
    ),
    "no follow-up of one who is lost": lambda d: (
        left(d),
        one(d, "won_on", np.datetime64("2025-12-25"), NONE),
        one(d, "stage", "lost", "customer"),
    ),
    "no follow-up from inside": lambda d: (
        left(d),
        one(d, "won_on", np.datetime64("2025-12-25"), NONE),
        one(d, "channel", "inside", "field"),
    ),
    "no follow-ups asked for": lambda d: (
        d.settings.update(follow_up_days=()),
        one(d, "won_on", np.datetime64("2025-12-25"), NONE),
    ),
    "a cold lead, near enough": lambda d: cold(d, 4800),
    "a cold lead on the way": lambda d: cold_between(d, 0),
    "a cold lead who wants to be seen": lambda d: (
        lead(d, "cold"),
        d.visits.append({"id": "v", "customer_id": "c6", "earliest": str(day(3)), "latest": str(day(3))}),
        visit(d, 3, rows={0: 0}),
    ),
    "loads": lambda d: loads(d, 6.0, 9.0),
    "loads from home": lambda d: (at_home(d, 0, 7), loads(d, 0.0, 9.0)),
    "loads without limits": lambda d: (loads(d, 0.0, 0.0), d.reps.pop("load_limit")),
    "limits that do not count": lambda d: (loads(d, 0.0, 0.0), d.settings.pop("load")),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_plans_have_no_violations(name, draft, line):
    RIGHT[name](draft)
    report = check_plan(draft.plan(), travel=line)
    assert report.ok, str(report)


FAULTS: dict[str, tuple[Any, set[str]]] = {
    "a warm lead forgotten": (lambda d: lead(d, "warm"), {"visit-missing"}),
    "a cold lead forgotten": (lambda d: lead(d, "cold"), {"visit-missing"}),
    "a warm lead, seldom": (
        lambda d: (d.settings.update(warm_days=4), lead(d, "warm", 3, 9)),
        {"interval-too-long"},
    ),
    "a warm lead, too often": (lambda d: (lead(d, "warm"), visit(d, 3), visit(d, 8)), {"interval-too-short"}),
    "a cold lead as often as a warm one": (
        lambda d: (d.settings.update(warm_days=4, cold_detour_s=9000), lead(d, "cold"), visit(d, 3), visit(d, 8)),
        {"interval-too-short"},
    ),
    "a hot lead, late": (lambda d: lead(d, "hot", 2), {"first-visit-late"}),
    "a hot lead, late by the settings": (
        lambda d: (d.settings.update(hot_days=3), lead(d, "hot", 3)),
        {"first-visit-late"},
    ),
    "a hot lead, visited long ago": (lambda d: (lead(d, "hot", 13), last(d, "2026-01-02")), {"first-visit-late"}),
    "a hot lead where there are no intervals": (
        lambda d: (without(d, 7), lead(d, "hot", 2), d.customers.pop("visit_interval_days")),
        {"first-visit-late"},
    ),
    "a lead who is a customer": (lambda d: lead(d, "hot", 1, stage="customer"), {"unassigned-not-due"}),
    "a lost lead, visited": (lambda d: (lead(d, "hot", stage="lost"), visit(d, 1)), {"lost-customer"}),
    "a deadline missed": (lambda d: deadline(d, "2026-01-08", 4), {"first-visit-late"}),
    "a deadline on the first day missed": (lambda d: deadline(d, "2026-01-05", 1), {"first-visit-late"}),
    "before a deadline, but too early": (
        lambda d: (deadline(d, "2026-01-08"), last(d, "2026-01-04"), visit(d, 2)),
        {"first-visit-early"},
    ),
    "not stretched": (
        lambda d: (
            d.settings.update(stretch={"R2": 2.0}),
            align(d, 0, 0, 0, 1, 1, 0),
            column(d, "visit_interval_days", [7.0, 3.5, 7.0, 14.0, 14.0, 14.0]),
        ),
        {"interval-too-long", "visit-missing"},
    ),
    "stretched, but as often as ever": (
        lambda d: (d.settings.update(stretch={"R1": 2.0}), align(d, 0, 0, 0, 1, 1, 0)),
        {"interval-too-short"},
    ),
    "cover while nobody is away": (lambda d: covered(d, away=""), {"wrong-rep"}),
    "cover on another day": (lambda d: covered(d, away="2026-01-07"), {"wrong-rep"}),
    "cover by another": (lambda d: covered(d, cover={"R1": ["R3"]}), {"wrong-rep"}),
    "cover the wrong way round": (lambda d: covered(d, cover={"R2": ["R1"]}), {"wrong-rep"}),
    "cover in another zone": (lambda d: (covered(d), zones(d, "UTC", "Europe/Lisbon")), {"wrong-rep"}),
    "cover of who is locked": (
        lambda d: (covered(d), one(d, "owner", "R1", ""), one(d, "locked", True, False)),
        {"lock-broken"},
    ),
    "shared with another team": (lambda d: shared(d, "north", "south"), {"wrong-rep"}),
    "shared in another zone": (lambda d: (shared(d), zones(d, "UTC", "Europe/Lisbon")), {"wrong-rep"}),
    "an unassigned visit of another rep": (
        lambda d: (align(d, 0, 0, 0, 1, 1, 0), d.unassigned[0].update(rep_idx=1)),
        {"wrong-rep"},
    ),
    "the first visit from home": (lambda d: at_home(d, 0, 7, last_visit=NONE), {"first-visit-remote"}),
    "in the field again": (lambda d: at_home(d, 7), {"remote-wrong"}),
    "in the field after a first visit in the plan": (lambda d: at_home(d, last_visit=NONE), {"remote-wrong"}),
    "from home, but of the field": (lambda d: at_home(d, 7, last_visit=NONE, channel="field"), {"remote-wrong"}),
    "from home, where nobody asked for it": (
        lambda d: (at_home(d, 0, 7), d.settings.update(remote="never")),
        {"remote-wrong"},
    ),
    "from inside": (lambda d: at_home(d, 0, 7, channel="inside"), {"inside-channel", "remote-wrong"}),
    "no follow-up": (lambda d: one(d, "won_on", np.datetime64("2025-12-25"), NONE), {"follow-up-missing"}),
    "a follow-up too many": (lambda d: (won(d, "2025-12-01")), {"follow-up-wrong"}),
    "a follow-up of who is not won": (lambda d: (won(d, "2025-12-25"), d.customers.pop("won_on")), {"follow-up-wrong"}),
    "another follow-up": (
        lambda d: (d.settings.update(follow_up_days=(15,)), won(d, "2025-12-25")),
        {"follow-up-missing", "follow-up-wrong"},
    ),
    "a follow-up due later": (lambda d: won(d, "2025-12-25", due="2026-01-09"), {"follow-up-wrong"}),
    "a follow-up with fewer days": (lambda d: won(d, "2025-12-25", latest="2026-01-10"), {"follow-up-wrong"}),
    "a follow-up with more days": (
        lambda d: (d.settings.update(tolerance=0.2), won(d, "2025-12-25")),
        {"follow-up-wrong"},
    ),
    "a follow-up that is an appointment": (lambda d: won(d, "2025-12-25", kind="appointment"), {"follow-up-wrong"}),
    "a follow-up of another": (
        lambda d: won(d, "2025-12-25", customer_id="c5"),
        {"follow-up-wrong", "single-customer-wrong"},
    ),
    "a follow-up of another length": (
        lambda d: (d.settings.update(service_by_kind={"follow-up": 600}), won(d, "2025-12-25", service_s=1800.0)),
        {"follow-up-wrong"},
    ),
    "a cold lead, too far": (lambda d: cold(d, 4799), {"cold-lead-far"}),
    "loads": (lambda d: loads(d, 5.9, 9.0), {"load-too-high"}),
    "loads of nothing": (lambda d: (loads(d, 6.0, 9.0), d.settings.update(load="boxes")), {"load-unknown"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found_by_its_code(name, draft, line):
    change, expected = FAULTS[name]
    change(draft)
    report = check_plan(draft.plan(), travel=line)
    assert set(report.codes) == expected, str(report)


def test_every_code_has_a_fault():
    planted = set().union(*(codes for _, codes in FAULTS.values()))
    assert {code for code in POLICY_CODES if not code.startswith("day-set-")} <= planted


def test_parts_of_a_plan_are_judged_by_what_they_hold(draft, line):
    at_home(draft, 7, last_visit=NONE)
    plan = draft.plan()
    assert check_plan(plan.day("2026-01-12"), travel=line, complete=False).ok


MESSAGES = {
    "the first visit from home": (
        "The first visit ever of customer c1, on 2026-01-05, is a contact from home, not in the field."
    ),
    "in the field again": "The visit of customer c1 on 2026-01-05 is in the field, not from home.",
    "no follow-up": "Customer c6 is due for a follow-up on 2026-01-08, which is not among the visits.",
    "a follow-up with fewer days": (
        "Follow-up c6#follow-up-14 of customer c6, due on 2026-01-08, has another last day."
    ),
    "a cold lead, too far": (
        "The visit of cold lead c6 on 2026-01-08 adds 4800 s to the driving of rep R1; the most are 4799 s."
    ),
    "loads": "The visits of rep R1 on 2026-01-05 have 6 of crates; the most a day are 5.9.",
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_are_sentences(name, draft, line):
    FAULTS[name][0](draft)
    assert check_plan(draft.plan(), travel=line).violations[0].message == MESSAGES[name]
