"""A day's route with OR-Tools' routing solver: registered matrices only, never a callback.

An error in a Python callback is swallowed there and gives a plan of cost 0; a registered matrix
cannot fail. The order that comes back is timed by `time_route`, so that what is returned keeps
every rule however the solver reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.routing.day_timing import Timing, time_route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.routing.day_problem import DayProblem

__all__ = ["DaySolution", "drive_of", "solve", "timed"]

#: Cost of leaving out a visit, in seconds of driving: more than any day can save.
_DROP: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class DaySolution:
    """A timed order of some of the visits.

    Attributes
    ----------
    order : tuple of int
        Visits (0-based) in order; the others are left out.
    timing : Timing
    drive_s : int
    """

    order: tuple[int, ...]
    timing: Timing
    drive_s: int


def drive_of(problem: DayProblem, order: Sequence[int]) -> list[int]:
    """Return the driving time to each visit of an order, and to the end."""
    places = [0, *(i + 1 for i in order), problem.m + 1]
    drive: list[int] = problem.durations_s[places[:-1], places[1:]].tolist()
    return drive


def timed(problem: DayProblem, order: Sequence[int]) -> DaySolution | None:
    """Return an order with its times; None if it does not fit the day."""
    if problem.max_visits is not None and len(order) > problem.max_visits:
        return None
    drive = drive_of(problem, order)
    timing = time_route(
        drive, problem.service_s[list(order)].tolist(), [problem.windows[i] for i in order], problem.shift, problem.rest
    )
    return None if timing is None else DaySolution(tuple(order), timing, sum(drive) if order else 0)


def solve(
    problem: DayProblem,
    *,
    start: Sequence[int] | None = None,
    required: bool = False,
    time_limit_s: float | None = None,
    descent_limit_s: float | None = None,
) -> DaySolution | None:
    """Choose and order the visits of a day.

    Parameters
    ----------
    problem : DayProblem
    start : sequence of int, optional
        An order that fits; the answer is never worse.
    required : bool
        Whether every visit must be made; else as many as fit, then the least driving.
    time_limit_s : float, optional
        With it guided local search goes on until then; without it local search stops by itself,
        and the answer is the same on any machine.
    descent_limit_s : float, optional
        Local search is cut off then even if it could go on; for days of hundreds of candidates.

    Returns
    -------
    DaySolution, or None if nothing was found
    """
    best = None if start is None else timed(problem, start)
    hopeless = [i for i in range(problem.m) if not problem.windows[i]]
    if required and hopeless:
        return best
    order = _order(
        problem, start, required=required, guided=time_limit_s is not None, limit_s=time_limit_s or descent_limit_s
    )
    found = None if order is None else _fitted(problem, order)
    if found is None or (best is not None and _worth(found) <= _worth(best)):
        return best
    return found


def _worth(solution: DaySolution) -> tuple[int, int]:
    """Return what counts: visits first, then little driving."""
    return len(solution.order), -solution.drive_s


def _fitted(problem: DayProblem, order: list[int]) -> DaySolution | None:
    """Time an order; where it does not fit, leave out the last visits until it does."""
    while order:
        found = timed(problem, order)
        if found is not None:
            return found
        order = order[:-1]
    return timed(problem, [])


def _order(
    problem: DayProblem, start: Sequence[int] | None, *, required: bool, guided: bool, limit_s: float | None
) -> list[int] | None:
    """Return the order that OR-Tools finds; None: none."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2  # noqa: PLC0415 - a solver loads when it is used

    m = problem.m
    if m == 0:
        return []
    begin, end = problem.shift
    horizon = end - begin
    # a leg longer than the shift cannot be driven in it; capping keeps sums small
    drive = np.minimum(problem.durations_s, horizon + 1)
    service = np.concatenate([[0], problem.service_s, [0]])
    manager = pywrapcp.RoutingIndexManager(m + 2, 1, [0], [m + 1])
    model = pywrapcp.RoutingModel(manager)
    model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitMatrix(drive.tolist()))
    transit = model.RegisterTransitMatrix((drive + service[:, None]).tolist())
    model.AddDimension(transit, horizon, horizon, False, "time")  # noqa: FBT003 - a foreign signature
    time = model.GetDimensionOrDie("time")
    for i, windows in enumerate(problem.windows):
        index = manager.NodeToIndex(i + 1)
        fitting = [(max(a - begin, 0), min(b - begin, horizon)) for a, b in windows if b >= begin and a <= end]
        if fitting:
            time.CumulVar(index).SetRange(fitting[0][0], fitting[-1][1])
            for (_, closed), (opened, _) in pairwise(fitting):
                if closed + 1 <= opened - 1:
                    time.CumulVar(index).RemoveInterval(closed + 1, opened - 1)
        else:
            model.solver().Add(model.VehicleVar(index) == -1)
        if not (required and fitting):
            model.AddDisjunction([index], _DROP)
    if problem.max_visits is not None:
        ones = model.RegisterTransitMatrix([[1] * (m + 2)] * (m + 2))
        model.AddDimension(ones, 0, problem.max_visits + 1, True, "visits")  # noqa: FBT003 - a foreign signature
    _add_break(problem, model, time, service)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    search = routing_enums_pb2.LocalSearchMetaheuristic
    parameters.local_search_metaheuristic = search.GUIDED_LOCAL_SEARCH if guided else search.GREEDY_DESCENT
    if limit_s is not None:
        parameters.time_limit.FromMilliseconds(max(1, int(limit_s * 1000)))
    model.CloseModelWithParameters(parameters)
    first = None
    if start is not None:
        nodes = [[manager.NodeToIndex(i + 1) for i in start]]
        first = model.ReadAssignmentFromRoutes(nodes, True)  # noqa: FBT003 - a foreign signature
    if first is None:
        answer = model.SolveWithParameters(parameters)
    else:
        answer = model.SolveFromAssignmentWithParameters(first, parameters)
    return None if answer is None else _read(model, manager, answer)


def _add_break(problem: DayProblem, model: Any, time: Any, service: Any) -> None:
    rest = problem.rest
    begin, end = problem.shift
    if rest is None or rest.length_s == 0:
        return
    low, high = max(rest.earliest - begin, 0), min(rest.latest, end) - begin - rest.length_s
    if high < low:
        return
    interval = model.solver().FixedDurationIntervalVar(low, high, rest.length_s, False, "break")  # noqa: FBT003
    time.SetBreakIntervalsOfVehicle([interval], 0, service.astype(int).tolist())


def _read(model: Any, manager: Any, answer: Any) -> list[int]:
    order = []
    index = model.Start(0)
    while not model.IsEnd(index):
        node = manager.IndexToNode(index)
        if node > 0:
            order.append(node - 1)
        index = answer.Value(model.NextVar(index))
    return order
