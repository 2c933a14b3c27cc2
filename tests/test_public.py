"""The public surface: what is in it, that it is there, and what it costs to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

import territory

PUBLIC = [
    "Alignment", "BasicUnits", "BatchError", "ContiguityGraph", "Customers", "DateRanges", "DatedHours",
    "DriveConstants", "GreatCircle", "Hierarchy", "Hotels", "InfeasibleError", "InputError", "MatrixTravel",
    "MissingExtraError", "Plan", "PlanSettings", "Problem", "Realignment", "Reps", "RoutingProblem",
    "RoutingSolution", "ShiftArrays", "SolverError", "Status", "TerritoryError", "TextSets", "Travel",
    "TravelError", "VisitArrays", "Visits", "WeeklyHours", "__version__", "apply_change", "check_alignment",
    "check_plan", "check_routing", "compare", "contiguity_graph", "design_territories", "design_with_driving",
    "design_within",
    "due_visits", "fit_drive", "group_territories", "least_territories", "plan", "public_holidays",
    "read_customers", "read_plan", "read_reps", "read_visits", "realign", "route_day", "schedule_visits",
    "solve_routing",
    "territory_curve", "work_shifts", "write_plan",
]  # fmt: skip
HEAVY = ("folium", "geopandas", "holidays", "matplotlib", "narwhals", "networkx", "numba", "ortools", "pandas",
         "polars", "pyarrow", "ray", "scipy", "shapely")  # fmt: skip


def loaded_after(code):
    code += f"\nimport sys\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_surface_is_this():
    assert sorted(territory.__all__) == sorted(PUBLIC)
    assert dir(territory) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_is_there(name):
    assert getattr(territory, name) is not None


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="module 'territory' has no attribute 'nothing'"):
        _ = territory.nothing


@pytest.mark.parametrize("code", [
    "import territory",
    "import territory.errors, territory.units",
    "import territory.model",
    "from territory import Customers, Reps, Plan, Alignment, InputError",
    "from territory import BasicUnits, ContiguityGraph, contiguity_graph",
    "import territory.testing; territory.testing.ascii_map('AB')",
    "from territory import compare",
    "from territory import Customers; Customers(id=['a'], lon=[1.0], lat=[1.0], opening_hours=['Mo 09:00-10:00'])",
    "from territory import Customers; Customers.from_frame({'id': ['a'], 'lon': [1.0], 'lat': [1.0]}).to_dict()",
])  # fmt: skip
def test_importing_loads_nothing_heavy(code):
    assert loaded_after(code) == []
