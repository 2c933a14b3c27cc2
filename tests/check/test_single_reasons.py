"""Single visits that are not planned: when they are due, of whom, and whether their reasons hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from territory.check import check_plan

ROW = {"id": "v", "customer_id": "c6", "earliest": "2026-01-07", "latest": "2026-01-09"}
LEFT = {"customer_idx": 5, "rep_idx": 0, "reason": "over-capacity", "detail": "No room."}


def column(d: Any, name: str, values: Any, table: str = "customers") -> None:
    getattr(d, table)[name] = values


def one(d: Any, name: str, value: Any, rest: Any) -> None:
    """Set a column of customers: a value for c6, something else for the rest."""
    d.customers[name] = [*[rest] * 5, value]


def left(d: Any, due: str, **row: Any) -> None:
    d.unassigned.append({**LEFT, "due": np.datetime64(due), **row})


def missed(d: Any, on: str = "2026-01-09", **row: Any) -> None:
    """Leave out a visit of c6, from Wednesday to Friday, in place of the one by interval."""
    d.unassigned.clear()
    d.visits.append({**ROW, **row})
    left(d, on, visit_idx=0)


def single(d: Any) -> None:
    d.unassigned.clear()
    d.visits.append(ROW)
    d.drive(0, "2026-01-08", [5], "14:30", rows={0: 0})
    d.sort()


def event(d: Any, *days: str, **row: Any) -> None:
    d.visits.append({**ROW, "kind": "event", **row})
    for day in days:
        d.drive(0, day, [5], "14:30", rows={0: 0})
    d.sort()


def align(d: Any, *territories: int) -> None:
    d.alignment = {"territory_idx": list(territories)}


def told(d: Any, **values: Any) -> None:
    d.unassigned[0].update(values)


UNFOUNDED = {"reason-unfounded"}

RIGHT: dict[str, Any] = {
    "missed": missed,
    "missed, with a due day": lambda d: missed(d, "2026-01-07", due="2026-01-07"),
    "missed, due after the horizon": lambda d: missed(d, "2026-01-18", latest="2026-02-01", due="2026-01-25"),
    "missed beside one by interval": lambda d: (missed(d), left(d, "2026-01-09")),
    "missed beside another": lambda d: (
        missed(d),
        d.visits.append({**ROW, "id": "w"}),
        left(d, "2026-01-09", visit_idx=1),
    ),
    "missed beside one that is planned": lambda d: (
        single(d),
        d.visits.append({**ROW, "id": "w", "latest": "2026-01-08"}),
        left(d, "2026-01-08", visit_idx=1),
    ),
    "missed by a rep whom it names": lambda d: (
        d.__setattr__("alignment", {"territory_idx": [0, 0, 0, 1, 1, -1], "unassigned_reason": {5: "no"}}),
        missed(d, rep_id="R2"),
        told(d, rep_idx=1),
    ),
    "missed, as one of two is forbidden": lambda d: (
        one(d, "forbidden_reps", "R2", ""),
        missed(d, second_rep_id="R2"),
        told(d, reason="no-eligible-rep"),
    ),
    "missed, as the rep is not known": lambda d: (
        align(d, 0, 0, 0, 1, 1, 0),
        missed(d, rep_id="R9"),
        told(d, reason="no-eligible-rep", rep_idx=-1),
    ),
    "missed, as the other rep is away": lambda d: (
        column(d, "leave", ["", "2026-01-09"], "reps"),
        missed(d, second_rep_id="R2"),
        told(d, reason="no-shift"),
    ),
    "missed, as it is too long for its days": lambda d: (
        column(d, "shift", ["We-Fr 08:00-10:00; Mo 08:00-17:00", "Tu 08:00-17:00"], "reps"),
        missed(d, service_s=10_000.0),
        told(d, reason="service-too-long"),
    ),
    "an event, on a day on which its rep is away": lambda d: (
        event(d, "2026-01-07", "2026-01-09"),
        left(d, "2026-01-08", visit_idx=0, reason="no-shift"),
        column(d, "leave", ["2026-01-08", ""], "reps"),
    ),
    "an event that is too long for one of its days": lambda d: (
        column(d, "shift", ["Mo,We,Fr 08:00-17:00; Th 14:00-14:20", "Tu 08:00-17:00"], "reps"),
        event(d, "2026-01-07", "2026-01-09"),
        d.unassigned.clear(),
        left(d, "2026-01-08", visit_idx=0, reason="service-too-long"),
        one(d, "visit_interval_days", float("nan"), 14.0),
        column(d, "early_days", [9.0] * 6),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_plans_have_no_violations(name, draft, line):
    RIGHT[name](draft)
    report = check_plan(draft.plan(), travel=line)
    assert report.ok, str(report)


FAULTS: dict[str, tuple[Any, set[str]]] = {
    "unassigned twice": (lambda d: (missed(d), left(d, "2026-01-09", visit_idx=0)), {"unassigned-doubled"}),
    "unassigned on two days": (
        lambda d: (missed(d), left(d, "2026-01-08", visit_idx=0)),
        {"unassigned-doubled", "single-due-wrong"},
    ),
    "unassigned at another customer": (lambda d: missed(d, customer_id="c5"), {"single-customer-wrong"}),
    "due when it is not": (lambda d: missed(d, "2026-01-08"), {"single-due-wrong"}),
    "due on its last day": (lambda d: missed(d, "2026-01-09", due="2026-01-08"), {"single-due-wrong"}),
    "an event's day that it has not": (
        lambda d: (event(d, "2026-01-07", "2026-01-08", "2026-01-09"), left(d, "2026-01-12", visit_idx=0)),
        {"single-due-wrong"},
    ),
    "unassigned outside the horizon": (
        lambda d: (missed(d, "2026-01-18", earliest="2026-03-02", latest="2026-03-03"),),
        {"unassigned-not-due"},
    ),
    "no shift, but both work": (
        lambda d: (missed(d, second_rep_id="R2"), told(d, reason="no-shift")),
        UNFOUNDED,
    ),
    "too long, but not on one of its days": (
        lambda d: (
            column(d, "shift", ["Mo,We 08:00-17:00; Fr 08:00-10:00", "Tu 08:00-17:00"], "reps"),
            missed(d, service_s=10_000.0),
            told(d, reason="service-too-long"),
        ),
        UNFOUNDED,
    ),
    "too long, but shorter by its kind": (
        lambda d: (
            d.settings.update(service_by_kind={"appointment": 600}),
            one(d, "service_s", 40_000.0, 1800.0),
            missed(d),
            told(d, reason="service-too-long"),
        ),
        UNFOUNDED,
    ),
    "out of reach, but from home": (
        lambda d: (
            d.customers["lon"].__setitem__(5, 20.0),
            missed(d, remote=True),
            told(d, reason="unreachable"),
        ),
        UNFOUNDED,
    ),
    "nobody eligible, though named": (
        lambda d: (
            one(d, "owner", "R2", ""),
            one(d, "locked", True, False),
            missed(d, rep_id="R1"),
            told(d, reason="no-eligible-rep"),
        ),
        UNFOUNDED,
    ),
    "put down to another rep": (
        lambda d: (align(d, 0, 0, 0, 1, 1, 0), missed(d, rep_id="R2")),
        {"wrong-rep"},
    ),
    "an event, on a day on which its rep works": (
        lambda d: (event(d, "2026-01-07", "2026-01-09"), left(d, "2026-01-08", visit_idx=0, reason="no-shift")),
        UNFOUNDED,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found_by_its_code(name, draft, line):
    change, expected = FAULTS[name]
    change(draft)
    report = check_plan(draft.plan(), travel=line)
    assert set(report.codes) == expected, str(report)
