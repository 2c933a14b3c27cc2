"""In what order, at what time: routing problems, the engines that solve them, and one rep's day."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from territory.routing.day import route_day
    from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
    from territory.routing.solution import RoutingSolution
    from territory.routing.solve import solve_routing

__all__ = ["RoutingProblem", "RoutingSolution", "ShiftArrays", "VisitArrays", "route_day", "solve_routing"]

_HOME = {
    "RoutingProblem": "problem", "RoutingSolution": "solution", "ShiftArrays": "problem", "VisitArrays": "problem",
    "route_day": "day", "solve_routing": "solve",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    # a problem can be stated without loading the engines
    if name in _HOME:
        return getattr(import_module(f"territory.routing.{_HOME[name]}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
