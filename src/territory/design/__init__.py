"""Who serves whom: balanced, compact, contiguous territories."""

from __future__ import annotations

from territory.design.graph import territory_graph
from territory.design.realign import realign
from territory.design.territories import design_territories

__all__ = ["design_territories", "realign", "territory_graph"]
