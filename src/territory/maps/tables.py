"""Small HTML tables, for notebooks; everything that comes from the data is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from territory.maps.words import measure_scale, share, signed_share
from territory.review import basic_report

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from territory.model.alignment import Alignment
    from territory.model.plan import Plan

__all__ = ["alignment_html", "plan_html"]

#: A notebook shows at most this many rows; the frames have them all.
_MOST_ROWS: Final = 20


def alignment_html(alignment: Alignment) -> str:
    """Return an alignment as a small HTML table: territories with rep, customers, measures and reach.

    Parameters
    ----------
    alignment : Alignment

    Returns
    -------
    str
        HTML without scripts or styles of its own, at most 20 territories.
    """
    columns = basic_report(alignment)
    heads, cells = ["territory", "rep", "customers"], []
    shown = min(len(alignment), _MOST_ROWS)
    cells.append([str(v) for v in columns["territory_id"][:shown]])
    cells.append([str(v) for v in columns["rep_id"][:shown]])
    cells.append([f"{v:,d}" for v in columns["customers"][:shown]])
    for measure in [m for m in alignment.balance if m != "count"]:
        scale, unit = measure_scale(measure)
        heads.append(f"{unit}" if measure == "workload_s" else measure)
        cells.append([f"{v / scale:,.1f}" for v in columns[measure][:shown]])
    for measure in alignment.balance:
        if f"{measure}_deviation" in columns:
            heads.append("off target" if len(alignment.balance) == 1 else f"{measure}, off target")
            cells.append([signed_share(v) for v in columns[f"{measure}_deviation"][:shown]])
    heads += ["mean km", "reach km"]
    cells += [[f"{v:,.1f}" for v in columns[name][:shown]] for name in ("mean_km", "reach_km")]
    unserved = int((alignment.territory_idx < 0).sum())
    facts = [f"{len(alignment.customers):,d} customers in {len(alignment):,d} territories", str(alignment.status)]
    if alignment.gap is not None:
        facts.append(f"at most {share(alignment.gap)} from the best for these centres")
    if unserved:
        facts.append(f"{unserved:,d} in no territory")
    if len(alignment) > shown:
        facts.append(f"the first {shown} territories:")
    return _table("Alignment", facts, heads, zip(*cells, strict=True))


def plan_html(plan: Plan) -> str:
    """Return a plan as a small HTML table of its totals.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    str
        HTML without scripts or styles of its own.
    """
    s: dict[str, Any] = plan.summary()
    facts = [f"{s['days']} days from {s['start']}", f"{s['reps']:,d} reps, {s['customers']:,d} customers", s["status"]]
    rows = [
        ("visits", f"{s['visits']:,d}"),
        ("days with visits", f"{s['routes']:,d}"),
        ("driving", f"{s['drive_h']:,.1f} h, {s['drive_min_per_visit']} min a visit"),
        ("distance", f"{s['distance_km']:,d} km"),
        ("worked", f"{s['worked_h']:,.1f} h"),
    ]
    if s["gap"] is not None:
        rows.append(("driving that another order of stops could save", f"at most {share(s['gap'])}"))
    rows.append(("not planned", f"{s['unassigned']:,d}"))
    rows += [(f"… {reason}", f"{count:,d}") for reason, count in s["unassigned_by_reason"].items()]
    return _table("Plan", facts, (), rows)


def _table(title: str, facts: Iterable[str], heads: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    lead = f"<strong>{escape(title)}</strong>: {escape('; '.join(facts))}"
    return f"<div>{lead}<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{body}</tbody></table></div>"
