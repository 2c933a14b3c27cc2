"""Field sales in one model: balanced territories, a visit calendar, and timed daily routes.

The main job in three lines::

    import territory
    plan = territory.plan(customers, reps, start="2026-01-05", weeks=4)
    plan.day("2026-01-05").to_frame()

Everything here is loaded when it is first used; ``import territory`` itself costs little more than
numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "Alignment": "model",
    "AlignmentRules": "model",
    "Balance": "model",
    "BasicUnits": "model",
    "ContiguityGraph": "model",
    "Customers": "model",
    "DateRanges": "model",
    "DatedHours": "model",
    "Hierarchy": "model",
    "Hotels": "model",
    "Plan": "model",
    "PlanSettings": "model",
    "Realignment": "model",
    "Reps": "model",
    "Status": "model",
    "TextSets": "model",
    "Visits": "model",
    "WeeklyHours": "model",
    "contiguity_graph": "model",
    "public_holidays": "model",
    "DriveConstants": "travel",
    "GreatCircle": "travel",
    "MatrixTravel": "travel",
    "Travel": "travel",
    "fit_drive": "travel",
    "check_alignment": "check",
    "check_plan": "check",
    "check_routing": "check",
    "compare": "review",
    "design_territories": "design",
    "design_with_driving": "design",
    "design_within": "design",
    "group_territories": "design",
    "least_territories": "design",
    "territory_curve": "design",
    "realign": "design",
    "RoutingProblem": "routing",
    "RoutingSolution": "routing",
    "ShiftArrays": "routing",
    "VisitArrays": "routing",
    "route_day": "routing",
    "solve_routing": "routing",
    "due_visits": "schedule",
    "plan": "schedule",
    "apply_change": "schedule",
    "schedule_visits": "schedule",
    "work_shifts": "schedule",
    "read_customers": "io",
    "read_plan": "io",
    "read_reps": "io",
    "read_visits": "io",
    "write_plan": "io",
    "BatchError": "errors",
    "InfeasibleError": "errors",
    "InputError": "errors",
    "MissingExtraError": "errors",
    "Problem": "errors",
    "SolverError": "errors",
    "TerritoryError": "errors",
    "TravelError": "errors",
}

if TYPE_CHECKING:
    from territory.check import check_alignment, check_plan, check_routing
    from territory.design import (
        design_territories,
        design_with_driving,
        design_within,
        group_territories,
        least_territories,
        realign,
        territory_curve,
    )
    from territory.errors import (
        BatchError,
        InfeasibleError,
        InputError,
        MissingExtraError,
        Problem,
        SolverError,
        TerritoryError,
        TravelError,
    )
    from territory.io import read_customers, read_plan, read_reps, read_visits, write_plan
    from territory.model import (
        Alignment,
        BasicUnits,
        ContiguityGraph,
        Customers,
        DatedHours,
        DateRanges,
        Hierarchy,
        Hotels,
        Plan,
        PlanSettings,
        Realignment,
        Reps,
        Status,
        TextSets,
        Visits,
        WeeklyHours,
        contiguity_graph,
        public_holidays,
    )
    from territory.review import compare
    from territory.routing import (
        RoutingProblem,
        RoutingSolution,
        ShiftArrays,
        VisitArrays,
        route_day,
        solve_routing,
    )
    from territory.schedule import apply_change, due_visits, plan, schedule_visits, work_shifts
    from territory.travel import DriveConstants, GreatCircle, MatrixTravel, Travel, fit_drive

__all__ = [
    "Alignment",
    "BasicUnits",
    "BatchError",
    "ContiguityGraph",
    "Customers",
    "DateRanges",
    "DatedHours",
    "DriveConstants",
    "GreatCircle",
    "Hierarchy",
    "Hotels",
    "InfeasibleError",
    "InputError",
    "MatrixTravel",
    "MissingExtraError",
    "Plan",
    "PlanSettings",
    "Problem",
    "Realignment",
    "Reps",
    "RoutingProblem",
    "RoutingSolution",
    "ShiftArrays",
    "SolverError",
    "Status",
    "TerritoryError",
    "TextSets",
    "Travel",
    "TravelError",
    "VisitArrays",
    "Visits",
    "WeeklyHours",
    "__version__",
    "apply_change",
    "check_alignment",
    "check_plan",
    "check_routing",
    "compare",
    "contiguity_graph",
    "design_territories",
    "design_with_driving",
    "design_within",
    "due_visits",
    "fit_drive",
    "group_territories",
    "least_territories",
    "plan",
    "public_holidays",
    "read_customers",
    "read_plan",
    "read_reps",
    "read_visits",
    "realign",
    "route_day",
    "schedule_visits",
    "solve_routing",
    "territory_curve",
    "work_shifts",
    "write_plan",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        msg = f"module 'territory' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"territory.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
