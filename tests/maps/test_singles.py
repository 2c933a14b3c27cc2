"""Appointments, other single visits and promises, as the report lists them."""

from __future__ import annotations

from dataclasses import replace

from tests.maps.conftest import EVIL

from territory.maps import write_report
from territory.maps.payload import report_data
from territory.maps.singles import single_rows


def test_each_is_one_line_by_day(promised):
    rows = single_rows(promised, promised.settings.start)
    lines = list(zip(*(rows[name] for name in ("customer", "kind", "promise", "reps", "reason")), strict=True))
    assert rows["day"] == sorted(rows["day"])
    at = {(c, kind): (day, promise, reps) for day, (c, kind, promise, reps, _) in zip(rows["day"], lines, strict=True)}
    assert at[2, "appointment"] == (1, "fixed", (0, 1))
    assert at[7, "by interval"][1:] == ("confirmed week", (1,))
    assert at[4, "appointment"] == (4, "planned", (0,))
    assert [(day, c) for day, c, kind in zip(rows["day"], rows["customer"], rows["kind"], strict=True)
            if kind == "event"] == [(2, 5), (3, 5)]  # fmt: skip
    assert len(lines) == 1 + 1 + 2 + 2
    # ten in the morning by the rep's clock, and none for what is not planned
    time = dict(zip(rows["customer"], rows["time"], strict=True))
    assert time[2] == 36_000
    assert time[4] is time[0] is None


def test_what_is_not_planned_says_why_and_what_would_help(promised):
    rows = single_rows(promised, promised.settings.start)
    told = {
        c: (r, d, x) for c, r, d, x in zip(*(rows[k] for k in ("customer", "reason", "detail", "change")), strict=True)
    }
    assert told[0][0] == "blocked"
    assert "call block" in told[0][1]
    assert told[0][2].startswith("no call block") or "earlier" in told[0][2]
    assert told[4][0] == "service-too-long"
    assert told[2] == ("", "", "")


def test_a_plan_without_any_lists_nothing(promised, plan):
    assert report_data(plan)["singles"] is None
    s = replace(promised.stops, visit_idx=None)
    u = replace(promised.unassigned, visit_idx=None)
    rows = report_data(replace(promised, visits=None, stops=s, unassigned=u))["singles"]
    assert set(rows["kind"]) == {"by interval"}, "but promises"


def test_the_list_cannot_leave_the_data(promised, tmp_path):
    evil = replace(promised.unassigned, detail=[EVIL] * len(promised.unassigned))
    text = write_report(replace(promised, unassigned=evil), tmp_path / "r.html").read_text(encoding="utf-8")
    assert text.count("<script") == 2
    assert "alert(1)</script>" not in text
