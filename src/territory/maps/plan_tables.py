"""Small HTML tables of what a plan is like and what has changed; everything that comes from the data is escaped."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any, Final

from territory.maps.words import share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from territory.review import PlanChanges, PlanReport

__all__ = ["plan_changes_html", "plan_report_html"]

#: A notebook shows at most this many rows; the frames have them all.
_MOST_ROWS: Final = 20


def plan_report_html(report: PlanReport) -> str:
    """Return a plan's report as HTML: its totals, intervals by class, and the reps.

    Parameters
    ----------
    report : PlanReport

    Returns
    -------
    str
        HTML without scripts or styles of its own; of classes and of reps at most 20 rows.
    """
    t, s = report.totals, report.summary()
    facts = [
        f"{s['n_days']} days from {s['start']}",
        f"{s['reps']:,d} reps, {s['customers']:,d} customers",
        s["status"],
    ]
    rows = [
        ("visits", f"{t['visits']:,d} at {t['customers']:,d} customers"),
        ("intervals kept", f"{_share(t['within_share'])} of {t['intervals']:,d}"),
        ("customers whose next visit is late at the end", f"{t['late_at_end']:,d}"),
        ("driving", f"{t['drive_h']:,.1f} h, {t['km']:,.0f} km"),
        ("with customers", f"{t['visit_h']:,.1f} h"),
        ("breaks, waiting", f"{t['break_h']:,.1f} h, {t['idle_h']:,.1f} h"),
        ("worked", f"{t['worked_h']:,.1f} h, {_share(t['utilisation'])} of the shifts"),
        ("overtime", f"{t['overtime_h']:,.1f} h"),
        ("days worked", f"{t['days_worked']:,d} of {t['days']:,d}"),
        ("nights away", f"{t['nights']:,d}"),
    ]
    if "cost" in t:
        rows.append(("cost", f"{t['cost']:,.0f}"))
    reasons = report.tables["reason"]
    rows.append(("not planned", f"{t['unplanned']:,d}"))
    rows += [(f"… {reason}", f"{n:,d}") for reason, n in zip(reasons["reason"], reasons["visits"], strict=True)]
    classes, reps = report.tables["class"], report.tables["rep"]
    adherence = {
        "class": _texts(classes["class"]),
        "customers": _counts(classes["customers"]),
        "visits": _counts(classes["visits"]),
        "intervals": _counts(classes["intervals"]),
        "kept": [_share(v) for v in classes["within_share"]],
        "asked, days": _numbers(classes["interval_asked_days"]),
        "done, days": _numbers(classes["interval_days"]),
        "off, days": _numbers(classes["deviation_mean_days"]),
        "not planned": _counts(classes["unplanned"]),
    }
    by_rep = {
        "rep": _texts(reps["rep_id"]),
        "visits": _counts(reps["visits"]),
        "kept": [_share(v) for v in reps["within_share"]],
        "driving, h": _numbers(reps["drive_h"]),
        "km": [f"{v:,.0f}" for v in reps["km"]],
        "worked, h": _numbers(reps["worked_h"]),
        "of the shifts": [_share(v) for v in reps["utilisation"]],
        "nights": _counts(reps["nights"]),
        "not planned": _counts(reps["unplanned"]),
    }
    tables = _columns(adherence, len(classes["class"])) + _columns(by_rep, len(reps["rep_id"]))
    lead = f"<strong>Plan report</strong>: {escape('; '.join(str(f) for f in facts))}"
    return f"<div>{lead}{_rows(rows)}{tables}</div>"


def plan_changes_html(changes: PlanChanges) -> str:
    """Return what has changed in a plan as HTML: the counts, and the first visits that differ.

    Parameters
    ----------
    changes : PlanChanges

    Returns
    -------
    str
        HTML without scripts or styles of its own; at most 20 visits.
    """
    s = changes.summary()
    facts = [
        f"{s['first_day']} to {s['last_day']}",
        f"{s['visits_before']:,d} visits before, {s['visits_after']:,d} after",
    ]
    counts = [(name.replace("_", " "), f"{s[name]:,d}") for name in
              ("kept", "added", "dropped", "other_rep", "other_day", "other_time")]  # fmt: skip
    table = changes.to_dict()
    shown = {
        "customer": _texts(table["customer_id"]),
        "what": _texts(table["what"]),
        "rep before": _texts(table["rep_id_before"]),
        "after": _texts(table["rep_id_after"]),
        "start before": [_clock(v) for v in table["start_before"][:_MOST_ROWS]],
        "start after": [_clock(v) for v in table["start_after"][:_MOST_ROWS]],
        "reason": _texts(table["reason"]),
    }
    if "commitment_before" in table:
        shown["promised"] = _texts(table["commitment_before"])
    lead = f"<strong>Changes</strong>: {escape('; '.join(facts))}"
    return f"<div>{lead}{_rows(counts)}{_columns(shown, len(changes))}</div>"


def _share(value: float) -> str:
    return "" if math.isnan(value) else share(value)


def _clock(value: Any) -> str:
    return "" if str(value) == "NaT" else str(value)[:16].replace("T", " ")


def _texts(values: Any) -> list[str]:
    return [str(v) for v in values[:_MOST_ROWS]]


def _counts(values: Any) -> list[str]:
    return [f"{v:,d}" for v in values[:_MOST_ROWS]]


def _numbers(values: Any) -> list[str]:
    return ["" if math.isnan(v) else f"{v:,.1f}" for v in values[:_MOST_ROWS]]


def _rows(rows: Iterable[Sequence[str]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tbody>{body}</tbody></table>"


def _columns(columns: dict[str, list[str]], n: int) -> str:
    """Write columns as a table; where there are more rows, n in all, it says so."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    rows = list(zip(*(values[:_MOST_ROWS] for values in columns.values()), strict=True))
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    more = f"<div>the first {len(rows)} of {n:,d}</div>" if n > len(rows) else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
