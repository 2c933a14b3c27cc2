"""What an alignment is like: its report, its polygons, how it compares with another, why somebody is where he is.

And what a plan is like: its report, and what has changed against an earlier one.

Nothing is searched here, and nothing is judged right or wrong: that is for `territory.check`.
"""

from __future__ import annotations

from territory.review.compare import Comparison, compare
from territory.review.explain import explain_customer
from territory.review.plan_changes import PlanChanges, plan_changes
from territory.review.plan_report import PlanReport, plan_report
from territory.review.polygons import draw_polygons
from territory.review.report import alignment_report, alignment_summary, basic_report
from territory.review.retiming import retimed
from territory.review.street_lines import Streets, streets

__all__ = [
    "Comparison",
    "PlanChanges",
    "PlanReport",
    "Streets",
    "alignment_report",
    "alignment_summary",
    "basic_report",
    "compare",
    "draw_polygons",
    "explain_customer",
    "plan_changes",
    "plan_report",
    "retimed",
    "streets",
]
