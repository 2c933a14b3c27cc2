"""Who serves whom: balanced, compact, contiguous territories."""

from __future__ import annotations

from territory.design.curve import TerritoryCurve, territory_curve
from territory.design.driving import design_with_driving
from territory.design.graph import territory_graph
from territory.design.hierarchy import group_territories
from territory.design.number import LeastTerritories, least_territories
from territory.design.realign import realign
from territory.design.territories import design_territories
from territory.design.within import design_within
from territory.design.work import work_and_driving

__all__ = [
    "LeastTerritories",
    "TerritoryCurve",
    "design_territories",
    "design_with_driving",
    "design_within",
    "group_territories",
    "least_territories",
    "realign",
    "territory_curve",
    "territory_graph",
    "work_and_driving",
]
