"""The main job: territories, calendar and routes of a team's four weeks, against nearest-neighbour days.

Instance ``germany-60-reps``: the shipped customers and 60 reps, four weeks. ``territory.plan`` at 1,
1,000, 10,000 (the default) and 100,000 iterations a rep (``--iterations N``: at that number only;
``--seconds S``: the time limit of each, default none that binds), on one core; then the baseline of
`benchmarks.nearest_days` on the same territories, as it is and with its days in the order that drives
least. ``--size N``: the first N reps and the customers that they own.

The plans make different numbers of visits, so they are also compared at equal visits: of the plan
that has more of a rep's visits, visits drawn at random are struck out, the order of the others kept
(mean of 20 draws), until it has as many as the baseline. Nothing is put in order again after that,
which is to the disadvantage of the plan with more visits.

``objective`` is the driving of all routes in seconds, ``bound`` the least for these visits on these
days (`Plan.bound_s`), not for other days. In ``routes`` visits count from 0 in the order of the
shipped customers, ``shift`` is the rep, ``day`` counts from the first day, times are seconds since
1970, UTC. ``assignment`` is the territory of each customer, ``centers`` their lon, lat.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.nearest_days import nearest_plan
from benchmarks.record import Clock, Options, row
from territory import GreatCircle, check_plan
from territory import plan as make_plan
from territory.datasets import REFERENCE_DAY, load_germany

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory import Customers, Plan, Reps

NAME = "germany-{}-reps"
ITERATIONS = (1, 1_000, 10_000, 100_000)
WEEKS = 4
_DRAWS = 20
_ANY_DETOUR_S = 86_400


def run(options: Options) -> list[dict[str, Any]]:
    """Plan the month in every way."""
    options.takes("teammonth", "seconds", "iterations", "size")
    customers, reps = _team(options.size)
    name = NAME.format(len(reps))
    if not options.wants(name):
        return []
    limit = 7200.0 if options.seconds is None else options.seconds
    plans: list[tuple[str, dict[str, Any], Clock, Plan]] = []
    for n in ITERATIONS if options.iterations is None else (options.iterations,):
        with Clock() as clock:
            made = make_plan(
                customers, reps, start=REFERENCE_DAY, weeks=WEEKS, iterations=n, time_limit_s=limit, rng=options.seed,
                # the baseline knows nothing of leads: cold ones are visited like others
                cold_detour_s=_ANY_DETOUR_S,
            )  # fmt: skip
        params = {"iterations": n, "weeks": WEEKS, "time_limit_s": limit, "start": str(REFERENCE_DAY)}
        plans.append((f"territory, {n} iterations", params, clock, made))
    alignment, settings = plans[0][3].alignment, plans[0][3].settings
    if alignment is None:
        msg = "a plan without its alignment"
        raise RuntimeError(msg)
    for reorder, engine in ((False, "nearest neighbour"), (True, "nearest neighbour, days in their best order")):
        with Clock() as clock:
            made = nearest_plan(alignment, settings, reorder=reorder)
        params = {"weeks": WEEKS, "start": str(REFERENCE_DAY), "territories": "those of the first plan, not timed"}
        plans.append((engine, params, clock, made))
    baseline = plans[-2][3]
    return [_result(name, *one, baseline, options.seed) for one in plans]


def _team(size: int | None) -> tuple[Customers, Reps]:
    customers, reps = load_germany(n_reps=60)
    if size is None or customers.owner is None:
        return customers, reps
    reps = reps.take(np.arange(min(size, len(reps))))
    those = set(reps.id.tolist())
    return customers.take(np.array([owner in those for owner in customers.owner.tolist()])), reps


def _result(
    name: str, engine: str, params: dict[str, Any], clock: Clock, made: Plan, baseline: Plan, seed: int
) -> dict[str, Any]:
    found = check_plan(made)
    alignment = made.alignment
    visits = len(made.stops)
    equal = {} if made is baseline else at_equal_visits(made, baseline, seed)
    return row(
        name, engine, seed, params=params, status=str(made.status), clock=clock,
        objective=float(made.drive_s), bound=made.bound_s, gap=made.gap, visits=visits, drive_s=made.drive_s,
        distance_m=made.distance_m, days_with_visits=len(made.routes),
        drive_min_per_visit=made.drive_s / 60 / max(visits, 1), unassigned=len(made.unassigned),
        unassigned_by_reason=dict(Counter(made.unassigned.reason.tolist()).most_common()),
        violations=len(found), violation_codes=dict(found.codes), **equal, trace_wall_s=made.trace,
        routes=routes_of(made), unassigned_visits=unassigned_of(made),
        assignment=None if alignment is None else alignment.territory_idx,
        centers=None if alignment is None else np.stack([alignment.center_lon, alignment.center_lat], axis=1),
    )  # fmt: skip


def routes_of(made: Plan) -> list[dict[str, Any]]:
    """Return a plan's routes as they are written."""
    routes, stops = made.routes, made.stops
    first = int(made.settings.start.astype(np.int64))
    out = []
    at = 0  # stops are ordered like the routes
    for r in range(len(routes)):
        some = slice(at, at + int(routes.n_stops[r]))
        at = some.stop
        pause = routes.break_start[r]
        out.append(
            {
                "day": int(routes.day[r].astype(np.int64)) - first,
                "shift": int(routes.rep_idx[r]),
                "visits": stops.customer_idx[some],
                "starts": stops.start[some].astype(np.int64),
                "arrivals": stops.arrival[some].astype(np.int64),
                "leave": int(routes.leave[r].astype(np.int64)),
                "back": int(routes.back[r].astype(np.int64)),
                "drive_s": int(routes.drive_s[r]),
                "break_start": None if np.isnat(pause) else int(pause.astype(np.int64)),
            }
        )
    return out


def unassigned_of(made: Plan) -> list[list[Any]]:
    """Return customer, due day of the horizon and reason of every visit that is not planned."""
    due = (made.unassigned.due - made.settings.start).astype(np.int64)
    rows = zip(made.unassigned.customer_idx.tolist(), due.tolist(), made.unassigned.reason.tolist(), strict=True)
    return [list(one) for one in rows]


# -- at equal visits -----------------------------------------------------------------------


def at_equal_visits(made: Plan, baseline: Plan, seed: int) -> dict[str, Any]:
    """Compare driving a visit where each rep makes as many visits in both plans."""
    n = len(made.reps)
    ours, theirs = (np.bincount(p.stops.rep_idx, minlength=n) for p in (made, baseline))
    both = np.minimum(ours, theirs)
    rng = np.random.default_rng(seed)
    mine, other = (float(np.mean([_thinned_drive_s(p, both, rng) for _ in range(_DRAWS)])) for p in (made, baseline))
    visits = max(int(both.sum()), 1)
    return {
        "equal_visits": int(both.sum()),
        "equal_min_per_visit": mine / 60 / visits,
        "equal_baseline_min_per_visit": other / 60 / visits,
    }


def _thinned_drive_s(made: Plan, keep: NDArray[np.int64], rng: np.random.Generator) -> int:
    """Return the driving once `keep[r]` visits of each rep, drawn at random, are left in their order."""
    stops = made.stops
    total = 0
    travel = GreatCircle()
    homes, ends, places = made.reps.places(), made.reps.end_places(), made.customers.places()
    for rep in range(len(made.reps)):
        own = np.flatnonzero(stops.rep_idx == rep)
        if len(own) == keep[rep]:
            total += int(made.routes.drive_s[made.routes.rep_idx == rep].sum())
            continue
        kept = np.sort(rng.choice(own, int(keep[rep]), replace=False))
        if not len(kept):
            continue
        factor = 1.0 if made.reps.speed_factor is None else float(made.reps.speed_factor[rep])
        day = stops.day[kept].astype(np.int64)
        at = places.take(stops.customer_idx[kept])
        here = np.full(len(kept), rep)
        first = np.append(True, day[1:] != day[:-1])
        last = np.append(first[1:], True)
        out = travel.pairs(homes.take(here[first]), at.take(np.flatnonzero(first)), speed_factor=factor)
        back = travel.pairs(at.take(np.flatnonzero(last)), ends.take(here[last]), speed_factor=factor)
        onward = travel.pairs(at.take(np.flatnonzero(~last)), at.take(np.flatnonzero(~first)), speed_factor=factor)
        total += sum(int(leg.durations_s.sum()) for leg in (out, back, onward))
    return total
