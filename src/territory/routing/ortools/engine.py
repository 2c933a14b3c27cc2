"""OR-Tools' routing solver as an engine over the whole routing problem.

What the solver states by itself is in `territory.routing.ortools.model`. Around it: days of visits
that come again on several days are chosen by insertion costs, before each of its runs; its starts
of linked visits are settled anew; times of day are the slowest of the shift; and whatever it
returns is timed by `territory.routing.timing`, without what does not fit.
"""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import SolverError
from territory.model.enums import Status
from territory.routing.finish import finish, free_bounds
from territory.routing.layout import ONCE, V_KIND, V_LINKED, V_REQUIRED, V_VALUE, Layout, layout_of
from territory.routing.ortools.cadence import keep_cadences, place_cadence, recurring
from territory.routing.ortools.links import close_links, place_linked, settle
from territory.routing.ortools.model import Model
from territory.routing.ortools.plan import Plan
from territory.routing.ortools.scale import missing_weight
from territory.routing.ortools.tasks import one_day_cost, tasks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Literal

    from territory.routing.problem import RoutingProblem
    from territory.routing.solution import RoutingSolution

__all__ = ["solve"]

#: Runs of the solver between which the days of visits that come again are chosen anew.
_ROUNDS: Final = 4
#: Share of those visits that are taken out and placed anew between two runs.
_RENEWED: Final = 0.5
#: Branches of the solver's tree for a first solution, and for each move that guided local search accepts.
_BRANCHES: Final = 1000
_BRANCHES_A_MOVE: Final = 8
#: Visits times shifts from which a share of the time is kept for insertion.
_LARGE: Final = 100_000
_LEFT: Final = 0.25
#: The least time for the first run.
_LEAST_S: Final = 0.02
#: Proof against a first solution that never ends, where no time limit is given.
_PATIENCE_S: Final = 3600.0


def solve(
    problem: RoutingProblem,
    *,
    time_limit_s: float | None = None,
    iterations: int | None = None,
    rng: int = 0,
    start: RoutingSolution | None = None,
    on_progress: Callable[[str, float], None] | None = None,
    n_jobs: int = 1,
    mode: Literal["gls", "descent", "ils"] = "gls",
    layout: Layout | None = None,
) -> RoutingSolution:
    """Solve a routing problem with OR-Tools' routing solver.

    Parameters
    ----------
    problem : RoutingProblem
    time_limit_s : float, optional
        For all of it. "gls" and "ils" go on until then.
    iterations : int, optional
        Moves that "gls" may accept, about, in all; the answer is then the same on any machine, unless
        the time limit comes first.
    rng : int
        Seed for which recurring visits are renewed between two runs; the solver itself takes none.
    start : RoutingSolution, optional
        The answer is never worse.
    on_progress : callable, optional
        Called with a step and the best objective after it.
    n_jobs : int
        Not used: the solver holds the interpreter's lock, so threads would gain nothing.
    mode : {"gls", "descent", "ils"}
        "descent": first solution and local search until nothing improves, about 3 ms for a day of 12
        visits. "gls": guided local search. "ils": slack-induced string removals, iterated, which takes no
        warm start. Without any limit all are "descent".
    layout : Layout, optional
        Of the problem, where it is known.

    Returns
    -------
    RoutingSolution
        Keeps every rule, but those of locked visits that no answer can keep. Without bound.
    """
    del n_jobs
    began = monotonic()
    packed = layout_of(problem) if layout is None else layout
    run = _Run(problem, packed, began, time_limit_s, on_progress)
    if time_limit_s is None and (iterations is None or mode == "ils"):
        mode = "descent"
    if start is not None:
        _load(run.plan, {r.shift: r.visits for r in start.routes})
        run.keep("start")
    # those with a choice of one day are the solver's own
    several = [v for v in recurring(run.plan) if one_day_cost(packed, v) is None]
    _fill(run.plan, several)
    if start is not None or several:
        run.keep("insertion")
    rounds = 1 if not several else (2 if mode == "descent" else _ROUNDS)
    for k in range(rounds):
        if k > 0:
            _load(run.plan, run.orders)
            _renew(run.plan, np.random.default_rng([rng, k]).permutation(several).tolist())
        left = None if time_limit_s is None else (time_limit_s - (monotonic() - began)) / (rounds - k)
        share = None if iterations is None else max(1, iterations // rounds)
        if k == 0 and left is not None:
            left = max(left, _LEAST_S)  # a first answer is worth being late
        if not run.route(mode, left, share):
            break
    return run.best(Status.FEASIBLE if mode == "descent" or time_limit_s is None else Status.TIME_LIMIT)


class _Run:
    """The best answer so far, and the plan that is worked on."""

    def __init__(
        self, problem: RoutingProblem, layout: Layout, began: float, time_limit_s: float | None,
        on_progress: Callable[[str, float], None] | None,
    ) -> None:  # fmt: skip
        self.problem, self.layout, self.began, self.limit = problem, layout, began, time_limit_s
        self.plan = Plan(problem, layout)
        self.on_progress = on_progress
        self.trace: list[tuple[str, float, float]] = []
        self.found: RoutingSolution | None = None
        self.orders: dict[int, list[int]] = {}
        self._runs = 0

    def keep(self, step: str) -> None:
        """Compare the plan with the best so far."""
        orders = {s: list(route) for s, route in enumerate(self.plan.routes) if route}
        answer = finish(self.problem, self.layout, orders, bounds=self.plan.bounds)
        if answer is None:  # pragma: no cover - a plan's routes fit
            return
        best = self.found
        if best is None or (answer.required_missing, answer.objective) < (best.required_missing, best.objective):
            self.found, self.orders = answer, orders
        if self.found is not None:
            self.trace.append((step, self.found.objective, monotonic() - self.began))
            if self.on_progress is not None:
                self.on_progress(step, self.found.objective)

    def best(self, status: Status) -> RoutingSolution:
        """Return the best answer."""
        if self.found is None:
            self.keep("nothing to do")
        if self.found is None:  # pragma: no cover - a plan's routes fit
            msg = "the routes of a plan do not fit"
            raise SolverError(msg)
        return replace(self.found, status=status, trace=tuple(self.trace), iterations=self._runs)

    def route(self, mode: str, limit_s: float | None, moves: int | None) -> bool:
        """Let the solver route the tasks of the plan; say whether there is time for more."""
        if limit_s is not None and limit_s <= 0:
            return False
        until = None if limit_s is None else monotonic() + limit_s
        days = {v: self.plan.days_of(v) for v in recurring(self.plan)}
        tasks = tasks_of(self.layout, self.plan.usable, days)
        if not len(tasks.visit):
            self.keep("nothing to route")
            return False
        mode = "descent" if len(tasks.visit) == 1 else mode
        weight = missing_weight(self.layout, tasks) if mode == "gls" else 0.0
        if weight > 0 and not self.trace:
            # what guided local search then minimises is not quite the problem's cost: have an answer that does
            self.route("descent", limit_s, None)
        linked = bool(self.layout.visit_i[tasks.visit, V_LINKED].any()) or bool(tasks.groups)
        warm = {s: route for s, route in enumerate(self.plan.routes) if route} if self.found is not None else {}
        orders = None
        for strict in (True, False) if linked else (True,):
            model = Model(self.problem, self.layout, tasks, all_or_nothing=strict, weight=weight)
            # a first solution of thousands of visits may be cut off: leave time to put in what it lacks
            spare = _LEFT * limit_s if limit_s is not None and tasks.may.size > _LARGE else 0.0
            orders = _search(model, warm, mode, None if until is None else until - spare, moves)
            if orders is not None:
                break
        self._runs += 1
        if orders is not None:
            _load(self.plan, orders)
        several = [v for v in recurring(self.plan) if one_day_cost(self.layout, v) is None]
        _fill(self.plan, several)
        _fill_rest(self.plan, None if self.limit is None else self.began + self.limit)
        self.keep(f"OR-Tools {mode}")
        return self.limit is None or monotonic() - self.began < self.limit


def _search(
    model: Model, warm: Mapping[int, Sequence[int]], mode: str, until: float | None, moves: int | None
) -> dict[int, list[int]] | None:
    """Run the solver; None: it found nothing."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2  # noqa: PLC0415 - a solver loads when it is used

    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    search = routing_enums_pb2.LocalSearchMetaheuristic
    parameters.local_search_metaheuristic = search.GUIDED_LOCAL_SEARCH if mode == "gls" else search.GREEDY_DESCENT
    # an LP or CP-SAT would time every neighbour: measured, up to 50 times as slow with breaks, and nothing gained
    parameters.disable_scheduling_beware_this_may_degrade_performance = True
    if mode == "ils":
        _set_removals(parameters)
    parameters.time_limit.FromSeconds(int(_PATIENCE_S))  # without one closing warns
    model.routing.CloseModelWithParameters(parameters)
    # closing takes seconds where there are thousands of visits
    seconds = _PATIENCE_S if until is None else max(until - monotonic(), _LEAST_S)
    parameters.time_limit.FromMilliseconds(int(seconds * 1000))
    if mode == "gls" and moves is not None:
        # a limit on solutions would never be met where there is none to move to
        model.routing.AddSearchMonitor(model.routing.solver().BranchesLimit(_BRANCHES + _BRANCHES_A_MOVE * moves))
    if mode == "ils":
        answer = model.routing.SolveWithIteratedLocalSearch(parameters)
        return None if answer is None else model.read(answer)
    first = None
    if warm:
        first = model.routing.ReadAssignmentFromRoutes(model.write(warm), True)  # noqa: FBT003 - a foreign signature
    if first is None:
        answer = model.routing.SolveWithParameters(parameters)
    else:
        answer = model.routing.SolveFromAssignmentWithParameters(first, parameters)
    return None if answer is None else model.read(answer)


def _set_removals(parameters: Any) -> None:
    """Set up slack-induced string removals (Christiaens & Vanden Berghe 2020), with the paper's sizes."""
    parameters.use_iterated_local_search = True
    iterated = parameters.iterated_local_search_parameters
    ruin = iterated.ruin_recreate_parameters
    del ruin.ruin_strategies[:]
    sisr = ruin.ruin_strategies.add().sisr
    sisr.max_removed_sequence_size, sisr.avg_num_removed_visits, sisr.bypass_factor = 10, 10, 0.5
    iterated.improve_perturbed_solution = False
    annealing = iterated.reference_solution_acceptance_strategy.simulated_annealing
    annealing.automatic_temperatures = True


def _load(plan: Plan, orders: Mapping[int, Sequence[int]]) -> None:
    """Take over routes as far as they keep the rules."""
    layout = plan.layout
    plan.bounds[:] = free_bounds(layout)
    for s in range(len(plan.routes)):
        plan.adopt(s, orders.get(s, ()))
    made = plan.made()
    for v, shifts in made.items():
        if layout.visit_i[v, V_KIND] == ONCE:
            for s in shifts[1:]:
                plan.remove(v, s)
    keep_cadences(plan)
    settle(plan)
    close_links(plan)


def _fill(plan: Plan, several: Sequence[int]) -> None:
    """Insert linked visits and those of several days that are not made: the solver cannot choose for them."""
    place_linked(plan)
    made = plan.made()
    for v in several:
        if v not in made:
            place_cadence(plan, v)


def _fill_rest(plan: Plan, until: float | None) -> None:
    """Insert what the solver left out and still fits at less than its value, dearest first."""
    layout = plan.layout
    made = plan.made()
    worth = np.where(layout.visit_i[:, V_REQUIRED] > 0, np.inf, layout.visit_f[:, V_VALUE])
    open_ = [v for v in np.argsort(-worth, kind="stable").tolist() if v not in made]
    for v in open_:
        if layout.visit_i[v, V_LINKED]:
            continue
        if until is not None and np.isfinite(worth[v]) and monotonic() > until:
            break
        if layout.visit_i[v, V_KIND] != ONCE:
            place_cadence(plan, v)
            continue
        delta, position = plan.places_for(v)
        s = int(delta.argmin())
        if np.isfinite(delta[s]) and delta[s] < worth[v]:
            plan.insert(s, int(position[s]), v)


def _renew(plan: Plan, visits: Sequence[int]) -> None:
    """Take some recurring visits out, one at a time, and place them on the days that are best now."""
    for v in visits[: max(1, int(len(visits) * _RENEWED))]:
        plan.remove(v)
        if not plan.days_of(v):
            place_cadence(plan, v)
