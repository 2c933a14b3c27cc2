"""VROOM (pyvroom), one thread, its highest exploration: it stops by itself, or when the time is up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.peers.statement import Answer, CannotStateError, Visits, driving_rate, need_plain, start_windows
from territory.routing.problem import UNLIMITED

if TYPE_CHECKING:
    from territory.routing.problem import RoutingProblem

__all__ = ["solve"]

EXPLORATION = 5


def priorities(problem: RoutingProblem) -> list[int]:
    """Return VROOM's priorities, 0 to 100: it maximises their sum first, then the visits made, then saves cost.

    Values that are whole numbers up to 100 are priorities as they are; others are drawn to that
    scale, and a visit that is not worth its drive is made all the same. Where all visits are worth
    the same, or are required, no priority is needed.
    """
    visits = problem.visits
    worth = np.where(visits.required, visits.value.max(initial=0.0), visits.value)
    most = worth.max(initial=0.0)
    if not len(worth) or np.all(worth == worth[0]):
        return [0] * len(worth)
    exact = most <= 100 and bool(np.all(worth == np.rint(worth)))
    scaled = worth if exact else worth * (100.0 / most)
    return [int(x) for x in np.rint(scaled)]


def stated(problem: RoutingProblem) -> Any:
    """Return the problem in VROOM's words."""
    import vroom  # noqa: PLC0415

    need_plain(problem, "VROOM")
    rate = driving_rate(problem, "VROOM")
    visits, shifts = problem.visits, problem.shifts
    if np.any(shifts.max_duration_s < shifts.end_s - shifts.begin_s):
        msg = "VROOM cannot state a longest duration"
        raise CannotStateError(msg)
    loaded = bool(np.any(shifts.capacity < UNLIMITED))
    question = vroom.Input()
    question.set_durations_matrix("car", problem.durations_s[0, 0].astype(np.uint32))
    question.add_vehicle(
        [
            vroom.Vehicle(
                s, start=int(shifts.start_place[s]), end=int(shifts.end_place[s]),
                time_window=(int(shifts.begin_s[s]), int(shifts.end_s[s])),
                capacity=[int(shifts.capacity[s])] if loaded else [],
                costs=vroom.VehicleCosts(fixed=round(float(shifts.cost[s]) / rate)),
            )
            for s in range(problem.n_shifts)
        ]
    )  # fmt: skip
    question.add_job(
        [
            vroom.Job(
                v, location=int(visits.place[v]), default_service=int(visits.service_s[v]),
                delivery=[int(visits.load[v])] if loaded else [], priority=priority,
                time_windows=[vroom.TimeWindow(low, high) for low, high in windows],
            )
            for v, (windows, priority) in enumerate(zip(start_windows(problem), priorities(problem), strict=True))
            if windows
        ]
    )  # fmt: skip
    return question


def solve(problem: RoutingProblem, *, seconds: float | None, iterations: int | None, seed: int) -> Answer:  # noqa: ARG001
    """Solve a problem with VROOM; it draws no random numbers and counts no iterations."""
    limit = None if seconds is None else timedelta(seconds=seconds)
    found = stated(problem).solve(exploration_level=EXPLORATION, nb_threads=1, timeout=limit).to_dict()
    routes = []
    for route in found["routes"]:
        jobs = [step for step in route["steps"] if step["type"] == "job"]
        if jobs:
            starts = tuple(int(step["arrival"] + step["waiting_time"]) for step in jobs)
            routes.append(Visits(int(route["vehicle"]), tuple(int(step["id"]) for step in jobs), starts))
    return Answer(tuple(sorted(routes, key=lambda r: r.shift)), "feasible")
