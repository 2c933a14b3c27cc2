"""Independent checkers: whether an alignment, a plan or a route is what it says it is.

They recompute everything from the inputs and share no code with whatever made the answer. Each
finding is a `Violation` with a stable code; `CODES` says which rule each code stands for.
"""

from __future__ import annotations

from territory.check.alignment import check_alignment
from territory.check.codes import ALIGNMENT_CODES, CODES, PLAN_CODES, ROUTING_CODES
from territory.check.plan import check_plan
from territory.check.report import CheckReport, Violation
from territory.check.routing import check_routing

__all__ = [
    "ALIGNMENT_CODES",
    "CODES",
    "PLAN_CODES",
    "ROUTING_CODES",
    "CheckReport",
    "Violation",
    "check_alignment",
    "check_plan",
    "check_routing",
]
