"""The engines that every rule is tried on, and an answer from the oracle to hold them against.

The oracle runs as an engine, too: a contract that it does not keep is a wrong contract.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from tests.routing.oracle import Oracle

from territory.model.enums import Status
from territory.routing.finish import finish, free_bounds
from territory.routing.layout import layout_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.routing.problem import RoutingProblem
    from territory.routing.solution import RoutingSolution

__all__ = ["MAKERS", "by_oracle"]

#: Budgets: far more than tiny problems need, in iterations where an engine counts them.
_BUDGETS: Final[dict[str, dict[str, Any]]] = {
    "search": {"iterations": 2000},
    "exact": {"time_limit_s": 20.0},
    "ortools": {"time_limit_s": 0.2},
    "auto": {"iterations": 2000, "time_limit_s": 20.0},
}


def by_oracle(problem: RoutingProblem) -> RoutingSolution:
    """Return the best answer, by trying everything."""
    best = Oracle(problem).optimum()
    layout = layout_of(problem)
    bounds = free_bounds(layout)
    for v, start in best.starts.items():
        bounds[v] = start - layout.origin
    solution = finish(problem, layout, dict(enumerate(best.orders)), bounds=bounds)
    assert solution is not None
    status = Status.INFEASIBLE if best.missing else Status.OPTIMAL
    return replace(solution, bound=best.objective, status=status, required_missing=best.missing)


def by_library(name: str, problem: RoutingProblem) -> RoutingSolution:
    """Return the answer of one of the library's engines."""
    solve = import_module("territory.routing.solve").solve_routing
    answer: RoutingSolution = solve(problem, engine=name, rng=0, **_BUDGETS[name])
    return answer


MAKERS: Final[dict[str, Callable[[Any], Any]]] = {
    "oracle": by_oracle,
    **{name: partial(by_library, name) for name in _BUDGETS if find_spec("territory.routing.solve")},
}
