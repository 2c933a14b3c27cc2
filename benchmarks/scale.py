"""One solve of many reps: how fast and how good the search stays as the problem grows.

Instances ``visits-100``, ``-200``, ``-500``, ``-1000``, ``-2000``: as many visits of 30 minutes, and 20 to 200 reps
at home among them, one shift of 8 hours each, on the stores around Atlanta (``real/snap_georgia_us.csv`` below
``--data``); three in ten visits start within a window of 2 hours. ``objective``: seconds of driving, and four hours
for each visit that is left out. Default budget: 10 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.drive import Case, Key, run_family
from benchmarks.instances.common import BrokenRouteError, Stops, timed, visits_once
from benchmarks.months import places_of, stores_near
from territory import GreatCircle
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.record import Options

ENGINES = ("auto", "search", "ortools", "pyvrp", "vroom")
SECONDS = 10.0

SIZES = (100, 200, 500, 1000, 2000)
HOURS, SERVICE_S, WINDOW_S, WINDOWED = (8 * 3600, 16 * 3600), 1800, 2 * 3600, 0.3
MISSED_S = 4 * 3600


@dataclass(frozen=True, eq=False)
class Team:
    """Visits 1 to n and reps at home at nodes n + 1, ...; node 0 is nothing."""

    n: int
    stops: Stops

    @property
    def reps(self) -> int:
        """Number of reps."""
        return len(self.stops.service) - 1 - self.n


def make_team(data: Path, n: int, seed: int) -> Team:
    """Generate n visits and their reps."""
    rng = np.random.default_rng([seed, n])
    reps = max(20, n // 10)
    around = stores_near(data, "Atlanta", (n + reps) * 6 // 5)[1:]
    xy = around[rng.permutation(len(around))[: n + reps]]
    places = places_of(xy[:, 0], xy[:, 1])
    travel = np.zeros((1 + n + reps, 1 + n + reps))
    travel[1:, 1:] = GreatCircle().matrix(places, places).durations_s
    opens, closes = np.full(1 + n + reps, HOURS[0]), np.full(1 + n + reps, HOURS[1])
    narrow = 1 + np.flatnonzero(rng.random(n) < WINDOWED)
    opens[narrow] = rng.integers(HOURS[0], HOURS[1] - WINDOW_S - SERVICE_S, len(narrow))
    closes[narrow] = opens[narrow] + WINDOW_S
    service = np.where((np.arange(1 + n + reps) >= 1) & (np.arange(1 + n + reps) <= n), SERVICE_S, 0)
    stops = Stops(travel=travel, service=service.astype(float), opens=opens.astype(float), closes=closes.astype(float))
    return Team(n, stops)


def to_problem(team: Team) -> RoutingProblem:
    """Return the problem: visit v is node v + 1, shift s the rep of node n + 1 + s."""
    n, reps, stops = team.n, team.reps, team.stops
    own = slice(1, n + 1)
    return RoutingProblem(
        durations_s=stops.travel[1:, 1:].astype(np.int64),
        visits=VisitArrays(
            place=np.arange(n),
            service_s=stops.service[own].astype(np.int64),
            windows=[[(int(a), int(b))] for a, b in zip(stops.opens[own], stops.closes[own], strict=True)],
            value=np.full(n, float(MISSED_S)),
            required=np.zeros(n, np.bool_),
        ),
        shifts=ShiftArrays(
            start_place=np.arange(n, n + reps), begin_s=np.full(reps, HOURS[0]), end_s=np.full(reps, HOURS[1])
        ),
    )


def verify(team: Team, routes: Sequence[Mapping[str, Any]]) -> float:
    """Return seconds of driving, and `MISSED_S` for each visit that is left out.

    Raises
    ------
    BrokenRouteError
        They break a rule.
    """
    if len({route["shift"] for route in routes}) < len(routes) or any(not 0 <= r["shift"] < team.reps for r in routes):
        msg = "one route a rep"
        raise BrokenRouteError(msg)
    seen = visits_once(routes, range(1, team.n + 1))
    homes = team.n + 1
    drive = sum(timed(team.stops, homes + r["shift"], r["visits"], r.get("starts")).travel for r in routes)
    return drive + MISSED_S * (team.n - len(seen))


def keys(options: Options) -> list[Key]:
    found = [Key("scale", f"visits-{n}", None, {"n": n}) for n in SIZES if options.wants(f"visits-{n}")]
    if not found:
        msg = f"no instance matches {options.instances}"
        raise SystemExit(msg)
    return found


def load(key: Key, options: Options) -> Case:
    team = make_team(options.data, key.params["n"], options.seed)
    return Case(
        problem=to_problem(team), verify=lambda routes: verify(team, routes), bound=lambda value: value,
        group=f"{team.n} visits, {team.reps} reps",
        figures=lambda routes: {"visits": sum(len(r["visits"]) for r in routes)},
    )  # fmt: skip


def run(options: Options) -> list[dict[str, Any]]:
    return run_family("scale", options)
