"""PyVRP: iterated local search; prizes, windows, several depots, longest durations, capacities."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.peers.statement import Answer, CannotStateError, Visits, driving_rate, need_plain, start_windows
from territory.routing.problem import UNLIMITED

if TYPE_CHECKING:
    from pyvrp import ProblemData

    from territory.routing.problem import RoutingProblem

__all__ = ["solve", "stated"]


class CpuTime:
    """Stop after so many CPU seconds of this process, counted from the first call on."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.until: float | None = None

    def __call__(self, best_cost: float) -> bool:  # noqa: ARG002 - PyVRP's protocol
        now = time.process_time()
        if self.until is None:
            self.until = now + self.seconds
        return now > self.until


def stated(problem: RoutingProblem) -> tuple[ProblemData, list[list[int]], list[int]]:
    """Return the problem in PyVRP's words.

    Returns
    -------
    data : ProblemData
        Costs in seconds at the wheel.
    shifts : list of list of int
        The shifts of each vehicle type.
    visits : list of int
        The visit of each client: one client a window, in a group where there are several.
    """
    from pyvrp import Client, ClientGroup, Depot, Location, ProblemData, VehicleType  # noqa: PLC0415

    need_plain(problem, "PyVRP")
    rate = driving_rate(problem, "PyVRP")
    visits, shifts = problem.visits, problem.shifts
    loaded = bool(np.any(shifts.capacity < UNLIMITED))
    clients, owners, groups = [], [], []
    for v, windows in enumerate(start_windows(problem)):
        required = bool(visits.required[v])
        if not windows and required:
            msg = "PyVRP is not asked to state a required visit that is never possible"
            raise CannotStateError(msg)
        several = len(windows) > 1
        group = len(groups) if several else None
        first = len(clients)
        for low, high in windows:
            clients.append(
                Client(
                    int(visits.place[v]), delivery=[int(visits.load[v])] if loaded else [],
                    service_duration=int(visits.service_s[v]), tw_early=low, tw_late=high,
                    prize=0 if required else round(float(visits.value[v]) / rate),
                    required=required and not several, group=group,
                )
            )  # fmt: skip
            owners.append(v)
        if several:
            groups.append(ClientGroup(list(range(first, len(clients))), required=required))
    places = sorted({*shifts.start_place.tolist(), *shifts.end_place.tolist()})
    depot = {place: at for at, place in enumerate(places)}
    kinds: dict[tuple[int, ...], list[int]] = {}
    for s in range(problem.n_shifts):
        begin, end = int(shifts.begin_s[s]), int(shifts.end_s[s])
        longest = min(int(shifts.max_duration_s[s]), end - begin)
        kind = (
            depot[int(shifts.start_place[s])], depot[int(shifts.end_place[s])], begin, end, longest,
            int(shifts.capacity[s]), round(float(shifts.cost[s]) / rate),
        )  # fmt: skip
        kinds.setdefault(kind, []).append(s)
    types = [
        VehicleType(
            len(same), [capacity] if loaded else [], start, end, fixed_cost=fixed, tw_early=begin, tw_late=late,
            shift_duration=longest,
        )
        for (start, end, begin, late, longest, capacity, fixed), same in kinds.items()
    ]  # fmt: skip
    matrix = problem.durations_s[0, 0].astype(np.int64)
    data = ProblemData(
        [Location(0, 0) for _ in range(problem.n_places)], clients, [Depot(place) for place in places], types,
        [matrix], [matrix], groups,
    )  # fmt: skip
    return data, list(kinds.values()), owners


def solve(problem: RoutingProblem, *, seconds: float | None, iterations: int | None, seed: int) -> Answer:
    """Solve a problem with PyVRP, for so many CPU seconds or iterations."""
    import pyvrp  # noqa: PLC0415
    from pyvrp.exceptions import PenaltyBoundWarning  # noqa: PLC0415
    from pyvrp.stop import MaxIterations  # noqa: PLC0415

    began = time.process_time()
    data, shifts, owners = stated(problem)
    if not owners:
        return Answer((), "feasible")
    # what the statement took is part of the budget
    left = (seconds or 0.0) - (time.process_time() - began)
    stop = CpuTime(max(left, 0.0)) if iterations is None else MaxIterations(iterations)
    with warnings.catch_warnings():
        # it says so where it finds no feasible answer; that is seen below
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        result = pyvrp.solve(data, stop, seed=seed, collect_stats=False, display=False)
    if not result.is_feasible():
        return Answer((), "no answer", iterations=result.num_iterations)
    free = [list(reversed(same)) for same in shifts]
    routes = []
    for route in result.best.routes():
        stops = [a for a in route.schedule() if a.is_client()]
        if stops:
            routes.append(
                Visits(
                    free[route.vehicle_type()].pop(), tuple(owners[a.idx] for a in stops),
                    tuple(int(a.start_time) for a in stops),
                )
            )  # fmt: skip
    return Answer(tuple(sorted(routes, key=lambda r: r.shift)), "feasible", iterations=result.num_iterations)
