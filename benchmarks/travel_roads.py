"""The instances ``roads-...`` of the family `travel`: a week by road and by straight lines, both driven by road."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.record import Clock, Options, row
from benchmarks.travel_detour import BEGIN, KEEP
from benchmarks.travel_real import CITIES, extract, places_at, pois, sources
from territory import Customers, Reps, check_plan, design_territories, schedule_visits
from territory.datasets import REFERENCE_DAY
from territory.model.enums import Area
from territory.travel import GreatCircle, Travel, detour_sample, fit_detour

if TYPE_CHECKING:
    from territory import Plan

#: Extract -> reps; each has as many customers.
TEAMS = {"porto": 4, "munchen": 4, "liechtenstein": 2}
PER_REP, SERVICE_S, ITERATIONS = 100, 1_080, 10_000
#: A shift, and when customers are open: three in ten in the morning only, or in the afternoon only.
SHIFT, OPEN, HALVES = "Mo-Fr 08:00-16:00", "Mo-Fr 07:00-18:00", ("Mo-Fr 08:00-12:00", "Mo-Fr 12:00-16:00")
HALF_SHARE, END_S, NOON_S, DAY_S = 0.3, 16 * 3600, 12 * 3600, 86_400
#: Places that are farther from the road are left out, metres.
MOVED_M = 100.0


@dataclass(frozen=True, eq=False)
class Team:
    """Customers and reps; `half` is 0 or 1 for the half of the day in which a customer is open, -1: all day."""

    customers: Customers
    reps: Reps
    half: Any


def run(options: Options) -> list[dict[str, Any]]:
    """Plan each week by every source, and drive it by the first, which is the truth here."""
    results = []
    for name, n_reps in TEAMS.items():
        if not options.wants(f"roads-{name}"):
            continue
        known = sources(extract(options.data, name))
        truth = next(iter(known.values()))
        team = _team(options, name, n_reps, truth)
        legs = detour_sample(truth, team.customers.places(), 5_000, rng=options.seed)
        fitted = fit_detour(legs, begin=BEGIN, keep=KEEP, rng=options.seed).travel
        ways: dict[str, Travel] = {**known, "straight lines": GreatCircle(), "straight lines, fitted here": fitted}
        results += [_planned(options, name, team, engine, travel, truth) for engine, travel in ways.items()]
    return results


def _team(options: Options, name: str, n_reps: int, truth: Travel) -> Team:
    rng = np.random.default_rng(options.seed)
    xy = pois(options.data, name)
    at = places_at(xy)
    xy = xy[truth.snap(at).moved_m <= MOVED_M]
    at = places_at(xy)
    # whom nobody gets to, or who gets nowhere, is no customer
    some = at.take(np.arange(0, len(at), max(1, len(at) // 50)))
    joined = np.median(truth.matrix(at, some).reachable, axis=1) + np.median(truth.matrix(some, at).reachable, axis=0)
    xy = xy[joined == 2]
    xy = xy[rng.permutation(len(xy))]
    n = min((options.size or PER_REP) * n_reps, len(xy) - n_reps)
    homes, xy = xy[:n_reps], xy[n_reps : n_reps + n]
    half = np.where(rng.random(n) < HALF_SHARE, rng.integers(0, 2, n), -1)
    area = np.full(n, Area.URBAN if name in CITIES else Area.SUBURBAN, dtype=np.int8)
    # due on one of the five days, and four days early or late will do
    ago = rng.integers(3, 8, n).astype("timedelta64[D]")
    customers = Customers(
        id=[f"c{i}" for i in range(n)], lon=xy[:, 0], lat=xy[:, 1], area=area, service_s=np.full(n, SERVICE_S),
        visit_interval_days=np.full(n, 7.0), early_days=np.full(n, 4.0), late_days=np.full(n, 4.0),
        last_visit=REFERENCE_DAY - ago, opening_hours=[OPEN if h < 0 else HALVES[h] for h in half.tolist()],
    )  # fmt: skip
    reps = Reps(
        id=[f"r{j}" for j in range(n_reps)], lon=homes[:, 0], lat=homes[:, 1], shift=[SHIFT] * n_reps
    )  # fmt: skip
    return Team(customers, reps, half)


def _planned(options: Options, name: str, team: Team, engine: str, travel: Travel, truth: Travel) -> dict[str, Any]:
    with Clock() as clock:
        alignment = design_territories(
            team.customers, team.reps, balance={"count": 0.05}, travel=travel, rng=options.seed, contiguous=False
        )
        plan = schedule_visits(
            team.customers, team.reps, alignment, start=REFERENCE_DAY, weeks=1, travel=travel,
            iterations=options.iterations or ITERATIONS, time_limit_s=3600.0, rng=options.seed,
        )  # fmt: skip
    broken = check_plan(plan, travel=travel)
    driven = drive(plan, team, truth)
    params = {"customers": len(team.customers), "reps": len(team.reps), "weeks": 1, "travel": travel.fingerprint}
    more = driven["drive_s"] / max(plan.drive_s, 1) - 1
    return row(
        f"roads-{name}", engine, options.seed, params=params, status="invalid" if len(broken) else "measured",
        clock=clock, objective=driven["drive_s"], planned_drive_s=plan.drive_s, visits=len(plan.stops),
        violations=len(broken), **driven,
        figure=f"{len(plan.stops)} visits, {plan.drive_s / 60:,.0f} min driving planned, {driven['drive_s'] / 60:,.0f} "
        f"by road ({more:+.0%}); of {driven['days']} days {driven['overrun'] / driven['days']:.0%} end late "
        f"(by {driven['late_min']:.0f} min), {driven['missed'] / driven['days']:.0%} miss a window; "
        f"{len(broken)} violations",
    )  # fmt: skip


def drive(plan: Plan, team: Team, truth: Travel) -> dict[str, Any]:
    """Drive the routes of a plan by another travel, leaving when the plan says, waiting where nobody opens yet.

    Visits are made in the order of the plan whenever one gets there. A day misses a window if a visit would not be
    finished before it closes, and ends late if it ends after the shift.

    Returns
    -------
    dict
        Seconds of driving, days, those that end late and those that miss a window, and by how many minutes late ones
        end late on average.
    """
    routes, stops = plan.routes, plan.stops
    customers, homes, ends = plan.customers.places(), plan.reps.places(), plan.reps.end_places()
    total, late, missed, over = 0, 0, 0, []
    at = 0  # stops are ordered like the routes
    for r in range(len(routes)):
        who = stops.customer_idx[at : at + int(routes.n_stops[r])]
        at += len(who)
        rep = int(routes.rep_idx[r])
        here = customers.take(who)
        first = truth.pairs(homes.take([rep]), here.take([0])).durations_s
        between = truth.pairs(here.take(np.arange(len(who) - 1)), here.take(np.arange(1, len(who)))).durations_s
        back = truth.pairs(here.take([len(who) - 1]), ends.take([rep])).durations_s
        legs = np.concatenate([first, between, back]).astype(np.int64)
        total += int(legs.sum())
        now = int(routes.leave[r].astype(np.int64)) % DAY_S
        miss = False
        for i, customer in enumerate(who.tolist()):
            now += int(legs[i])
            half = int(team.half[customer])
            now = max(now, NOON_S) if half == 1 else now
            now += SERVICE_S
            miss |= now > (NOON_S if half == 0 else END_S if half == 1 else DAY_S)
        now += int(legs[-1])
        missed += miss
        if now > END_S:
            late += 1
            over.append((now - END_S) / 60)
    return {
        "drive_s": total, "days": len(routes), "overrun": late, "missed": missed,
        "late_min": float(np.mean(over)) if over else 0.0,
    }  # fmt: skip
