"""The data: customers, reps, visits, alignment, plan. No algorithms here."""

from __future__ import annotations

from territory.geo.contiguity import ContiguityGraph
from territory.model.alignment import Alignment
from territory.model.balance import Balance
from territory.model.contiguity import contiguity_graph
from territory.model.customers import Customers
from territory.model.dated import DatedHours
from territory.model.enums import (
    Area,
    Channel,
    Commitment,
    HoursBind,
    Parity,
    Reason,
    Stage,
    Status,
    Temperature,
    VisitKind,
)
from territory.model.explanation import Alternative, Explanation, Limit
from territory.model.hierarchy import Hierarchy
from territory.model.holidays import public_holidays
from territory.model.hours import WeeklyHours
from territory.model.nights import Hotels, Nights
from territory.model.places import PlaceKind, Places
from territory.model.plan import Plan, Route
from territory.model.ragged import DateRanges, TextSets
from territory.model.realignment import Realignment
from territory.model.reps import Reps
from territory.model.routes import Routes, Shifts, Stops, Unassigned
from territory.model.rules import AlignmentRules
from territory.model.settings import PlanSettings
from territory.model.shapes import TerritoryPolygons
from territory.model.units import BasicUnits
from territory.model.visits import Visits
from territory.model.workload import default_measure, measure_values

__all__ = [
    "Alignment",
    "AlignmentRules",
    "Alternative",
    "Area",
    "Balance",
    "BasicUnits",
    "Channel",
    "Commitment",
    "ContiguityGraph",
    "Customers",
    "DateRanges",
    "DatedHours",
    "Explanation",
    "Hierarchy",
    "Hotels",
    "HoursBind",
    "Limit",
    "Nights",
    "Parity",
    "PlaceKind",
    "Places",
    "Plan",
    "PlanSettings",
    "Realignment",
    "Reason",
    "Reps",
    "Route",
    "Routes",
    "Shifts",
    "Stage",
    "Status",
    "Stops",
    "Temperature",
    "TerritoryPolygons",
    "TextSets",
    "Unassigned",
    "VisitKind",
    "Visits",
    "WeeklyHours",
    "contiguity_graph",
    "default_measure",
    "measure_values",
    "public_holidays",
]
