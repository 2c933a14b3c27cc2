"""Customers whose days are given as sets: visited on all days of one of them, or unassigned."""

from __future__ import annotations

from typing import Any

import pytest

from territory.check import check_plan

SETS = {"c6": [["2026-01-08"], ["2026-01-06", "2026-01-13"]]}

CASES: dict[str, tuple[list[str], bool, set[str]]] = {
    "unassigned": ([], True, set()),
    "one day": (["2026-01-08"], False, set()),
    "two days": (["2026-01-06", "2026-01-13"], False, set()),
    "half a set": (["2026-01-06"], False, {"day-set-broken"}),
    "two sets": (["2026-01-06", "2026-01-08", "2026-01-13"], False, {"day-set-broken"}),
    "another day": (["2026-01-09"], False, {"day-set-broken"}),
    "forgotten": ([], False, {"day-set-missing"}),
    "planned and unassigned": (["2026-01-08"], True, {"day-set-missing"}),
}


@pytest.mark.parametrize("name", CASES)
def test_days_are_those_of_a_set(name, draft: Any, line):
    days, unassigned, expected = CASES[name]
    draft.settings["day_sets"] = SETS
    if unassigned:
        draft.unassigned[0]["due"] += 1  # on none of the days
    else:
        draft.unassigned.clear()
    for day in days:
        draft.drive(0, day, [5], "14:30")
    draft.sort()
    report = check_plan(draft.plan(), travel=line)
    assert set(report.codes) == expected, str(report)
