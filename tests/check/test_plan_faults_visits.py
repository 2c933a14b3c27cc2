"""One fault of who is visited when, and how often; its codes and no others."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.check.plan_edits import (
    align,
    column,
    extra,
    lone_alignment,
    one,
    put,
    whole_day,
)

from territory.check import check_plan

VISITS: dict[str, tuple[Any, set[str]]] = {
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


@pytest.mark.parametrize("name", VISITS)
def test_fault_is_found_by_its_code(name, draft, line):
    change, expected = VISITS[name]
    change(draft)
    report = check_plan(draft.plan(), travel=line)
    assert set(report.codes) == expected, str(report)
