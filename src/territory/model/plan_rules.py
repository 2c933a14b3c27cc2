"""Whether the positions in the tables of a plan are those of its reps, customers, visits and hotels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from territory.errors import Problem
from territory.model.routes import Routes

if TYPE_CHECKING:
    from territory.model.plan import Plan

__all__ = ["wrong_positions"]


def wrong_positions(plan: Plan) -> list[Problem]:
    """Return which tables of a plan have positions beyond other tables, one problem a column."""
    problems = []
    n, r = len(plan.customers), len(plan.reps)
    for name, table in (("stops", plan.stops), ("routes", plan.routes), ("unassigned", plan.unassigned)):
        if len(table) and int(table.rep_idx.max()) >= r:
            problems.append(Problem("unknown-rep", f"{name}: rep_idx beyond the {r} reps"))
        if not isinstance(table, Routes) and len(table) and int(table.customer_idx.max()) >= n:
            problems.append(Problem("unknown-customer", f"{name}: customer_idx beyond the {n} customers"))
        single = None if isinstance(table, Routes) else table.visit_idx
        known = 0 if plan.visits is None else len(plan.visits)
        if single is not None and len(single) and int(single.max()) >= known:
            problems.append(Problem("unknown-visit", f"{name}: visit_idx beyond the {known} visits"))
    if plan.nights is not None:
        places = {"rep": r, "customer": n, "hotel": 0 if plan.hotels is None else len(plan.hotels)}
        problems += [
            Problem(f"unknown-{what}", f"nights: {what}_idx beyond the {count} {what}s")
            for what, count in places.items()
            if int(getattr(plan.nights, f"{what}_idx").max(initial=-1)) >= count
        ]
    return problems
