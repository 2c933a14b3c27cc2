"""The order of a rep's day, against the exact optimum.

Instances ``day-00``, ``day-01``, ...: 12 possible visits of 30 minutes drawn in a square of 40 km around
a home at its middle, a shift of 8 hours, and for 30 % of the visits a window of 2 hours for the
start; driving by the default great-circle travel. Usually not all 12 fit, so the visits are to be
chosen, too: as many as possible, then the least driving. ``--size N`` days (default 50).

The optimum is that of `benchmarks.exact_day`, a program that shares no code with the engine. The
engine runs without a time limit, as the calendar calls it (local search stops by itself), and with
guided local search for ``--seconds S`` (default 0.1 and 1.0), as `route_day` calls it.

``objective`` is seconds of driving plus 100,000 for every visit that is left out; ``bound`` is the
optimum. ``starts`` are seconds since midnight; visits count from 1, the home is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.exact_day import best_day
from benchmarks.record import Clock, Options, row
from territory import Customers, GreatCircle
from territory.model.places import Places
from territory.routing.engine import DaySolution, solve, timed
from territory.routing.day_problem import DayProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

VISITS, SERVICE_S, SQUARE_KM = 12, 1800, 40.0
SHIFT = (8 * 3600, 16 * 3600)
WINDOWED, WINDOW_S = 0.3, 2 * 3600
LEFT_OUT = 100_000


def make_day(number: int, seed: int, *, visits: int = VISITS) -> tuple[DayProblem, dict[str, Any]]:
    """Generate a rep-day, and the parameters from which anybody can rebuild it."""
    rng = np.random.default_rng([seed, number])
    middle_lon, middle_lat = 10.0, 51.0
    degree_km = 111.195
    xy = rng.uniform(-SQUARE_KM / 2, SQUARE_KM / 2, (visits, 2))
    lon = np.append(middle_lon, middle_lon + xy[:, 0] / (degree_km * np.cos(np.radians(middle_lat))))
    lat = np.append(middle_lat, middle_lat + xy[:, 1] / degree_km)
    home_and_visits = Customers(id=np.arange(visits + 1).astype(str).astype(object), lon=lon, lat=lat).places()
    places = Places.concat([home_and_visits, home_and_visits.take(np.array([0]))])
    durations = GreatCircle().matrix(places, places).durations_s.astype(np.int64)
    opens = rng.integers(SHIFT[0], SHIFT[1] - WINDOW_S - SERVICE_S, visits)
    narrow = rng.random(visits) < WINDOWED
    low = np.where(narrow, opens, SHIFT[0])
    high = np.where(narrow, opens + WINDOW_S, SHIFT[1] - SERVICE_S)
    windows = tuple(((int(a), int(b)),) for a, b in zip(low, high, strict=True))
    problem = DayProblem(durations, np.full(visits, SERVICE_S, np.int64), windows, SHIFT)
    params = {
        "visits": visits, "service_s": SERVICE_S, "shift": list(SHIFT), "lon": lon, "lat": lat,
        "start_windows": [w[0] for w in windows], "durations_s": durations,
    }  # fmt: skip
    return problem, params


def run(options: Options) -> list[dict[str, Any]]:
    """Measure the engine on every day."""
    options.takes("repday", "seconds", "size")
    limits: Sequence[float | None] = (None, 0.1, 1.0) if options.seconds is None else (None, options.seconds)
    results = []
    solve(make_day(0, options.seed)[0])  # loading the solver is no part of a day
    best_day(make_day(0, options.seed)[0])
    for number in range(50 if options.size is None else options.size):
        name = f"day-{number:02d}"
        if not options.wants(name):
            continue
        problem, params = make_day(number, options.seed)
        with Clock() as clock:
            order = best_day(problem)
        best = timed(problem, order)
        if best is None:
            msg = f"{name}: the exact answer does not fit the day"
            raise RuntimeError(msg)
        results.append(_result(name, "exact", options.seed, problem, best, best, clock, params))
        for limit in limits:
            with Clock() as clock:
                found = solve(problem, time_limit_s=limit)
            engine = "ortools, local search" if limit is None else f"ortools, guided {limit:g} s"
            if found is None:
                msg = f"{name}: {engine} found no day, not even an empty one"
                raise RuntimeError(msg)
            budget = {**params, "time_limit_s": limit}
            results.append(_result(name, engine, options.seed, problem, found, best, clock, budget))
    return results


def _result(
    name: str,
    engine: str,
    seed: int,
    problem: DayProblem,
    found: DaySolution,
    best: DaySolution,
    clock: Clock,
    params: dict[str, Any],
) -> dict[str, Any]:
    def objective(day: DaySolution) -> float:
        return day.drive_s + LEFT_OUT * (problem.m - len(day.order))

    optimal = objective(found) == objective(best)
    equal = len(found.order) == len(best.order)
    route = {
        "day": 0, "shift": 0, "visits": [i + 1 for i in found.order], "starts": list(found.timing.start),
        "leave": found.timing.leave, "back": found.timing.back,
    }  # fmt: skip
    return row(
        name, engine, seed, params=params, status="optimal" if engine == "exact" else "feasible", clock=clock,
        objective=objective(found), bound=objective(best), routes=[route], visits=len(found.order),
        best_visits=len(best.order), drive_s=found.drive_s, best_drive_s=best.drive_s, optimal=optimal,
        gap=found.drive_s / best.drive_s - 1 if equal and best.drive_s else None,
    )  # fmt: skip
