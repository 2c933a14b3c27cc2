"""OR-Tools over the routing problem: its routing solver as an engine, and CP-SAT over a pool of routes.

Modules of OR-Tools itself are imported inside functions: they load when they are used.
"""

from __future__ import annotations

from territory.routing.ortools.engine import solve
from territory.routing.ortools.partition import PoolRoute, Recombination, recombine

__all__ = ["PoolRoute", "Recombination", "recombine", "solve"]
