"""A rep's day: which visits, in what order; proven, and how fast with everything included.

Instances ``day-00``, ``day-01``, ...: 12 possible visits (``--visits N``: 20, 30) of 30 minutes drawn in a square
of 40 km around a home at its middle, a shift of 8 hours, and for 30 % of the visits a window of 2 hours for the
start; driving by the default great-circle travel. Usually not all of them fit, so the visits are to be chosen, too:
as many as possible, then the least driving. ``--size N`` days (default 50).

``objective`` is seconds of driving plus 28,801 (the shift and a second) for every visit that is left out. The
optimum of 12 visits is that of `benchmarks.exact_day`, a program that shares no code with the library. CPU seconds
of the library's engines include building the `RoutingProblem` from arrays, the proof, the library's own check and
the one here; those of the peers their own model and search. Default budget: 1 s (the engines stop when they have
proven the day), OR-Tools alone 0.1 s, PyVRP 0.02 s, VROOM as long as it takes; ``--seconds`` is for all.

``starts`` are seconds since midnight; visits count from 1, the home is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.drive import Case, Key, run_family
from benchmarks.exact_day import Day, best_day, driven
from benchmarks.instances.bestknown import BestKnown
from benchmarks.instances.common import BrokenRouteError
from territory import Customers, GreatCircle
from territory.model.places import Places
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.record import Options

ENGINES = ("auto", "exact", "search", "ortools", "pyvrp", "vroom")
OPTIONS = ("size", "visits")
SECONDS = 1.0
BUDGETS = {"ortools": 0.1, "pyvrp": 0.02, "vroom": None}

VISITS, SERVICE_S, SQUARE_KM = 12, 1800, 40.0
SHIFT = (8 * 3600, 16 * 3600)
WINDOWED, WINDOW_S = 0.3, 2 * 3600
LEFT_OUT = SHIFT[1] - SHIFT[0] + 1
#: The exact program of this folder takes minutes beyond.
MOST_EXACT = 13


def make_day(number: int, seed: int, *, visits: int = VISITS) -> tuple[Day, dict[str, Any]]:
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
    day = Day(durations, np.full(visits, SERVICE_S, np.int64), windows, SHIFT)
    params = {
        "visits": visits, "service_s": SERVICE_S, "shift": list(SHIFT), "lon": lon, "lat": lat,
        "start_windows": [w[0] for w in windows], "durations_s": durations,
    }  # fmt: skip
    return day, params


def to_problem(day: Day) -> RoutingProblem:
    """Return the problem: visit v is place v + 1, worth more than any day's driving."""
    m = day.m
    return RoutingProblem(
        durations_s=day.durations_s,
        visits=VisitArrays(
            place=np.arange(1, m + 1), service_s=day.service_s, windows=day.windows, value=np.full(m, float(LEFT_OUT)),
            required=np.zeros(m, np.bool_),
        ),
        shifts=ShiftArrays(start_place=[0], end_place=[m + 1], begin_s=[day.shift[0]], end_s=[day.shift[1]]),
    )  # fmt: skip


def verify(day: Day, routes: Sequence[Mapping[str, Any]]) -> float:
    """Return the seconds of driving, plus `LEFT_OUT` for each visit that is not made.

    Raises
    ------
    BrokenRouteError
        The day breaks a rule.
    """
    if len(routes) > 1:
        msg = "a rep has one route a day"
        raise BrokenRouteError(msg)
    order = [v - 1 for v in routes[0]["visits"]] if routes else []
    drive = driven(day, order, routes[0]["starts"] if routes else None)
    if drive is None:
        msg = f"the day {order} does not fit"
        raise BrokenRouteError(msg)
    return float(drive + LEFT_OUT * (day.m - len(order)))


def keys(options: Options) -> list[Key]:
    size = 50 if options.size is None else options.size
    names = [f"day-{number:02d}" for number in range(size)]
    params = {"visits": options.visits or VISITS}
    return [Key("repday", name, None, params) for name in names if options.wants(name)]


def load(key: Key, options: Options) -> Case:
    day, params = make_day(int(key.instance[4:]), options.seed, visits=key.params["visits"])
    best, optimum = None, {}
    if day.m <= MOST_EXACT:
        order = best_day(day)
        drive = driven(day, order)
        if drive is None:
            msg = f"{key.instance}: the exact answer does not fit the day"
            raise RuntimeError(msg)
        optimum = {"best_visits": len(order), "best_drive_s": drive}
        best = BestKnown(float(drive + LEFT_OUT * (day.m - len(order))), "benchmarks.exact_day", verified=True)
    return Case(
        problem=to_problem(day), build=lambda: to_problem(day), verify=lambda routes: verify(day, routes), best=best,
        bound=lambda value: value, params=params, group=f"{day.m} visits",
        figures=lambda routes: {**_made(day, routes), **optimum},
    )  # fmt: skip


def _made(day: Day, routes: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    visits = sum(len(route["visits"]) for route in routes)
    return {"visits": visits, "drive_s": round(verify(day, routes)) - LEFT_OUT * (day.m - visits)}


def run(options: Options) -> list[dict[str, Any]]:
    return run_family("repday", options)
