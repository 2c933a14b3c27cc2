"""The calendar (`schedule_visits`): a team's four weeks, random team-months, and loads from 50 to 150 %.

Instances:

``georgia-60-reps``: the 9,313 food retailers of ``real/snap_georgia_us.csv`` below ``--data``, about 18,000 visits in
four weeks, 60 reps whose hours they fill to about 85 % (`benchmarks.calendar_georgia`); territories are those of
`design_with_driving`. ``schedule_visits`` with one process and with two; then, on the same territories, the baselines:
overdue first, then the nearest neighbour (`benchmarks.nearest_days`), as it is and with its days in the order that
drives least; and days first, then PyVRP (`benchmarks.calendar_days_first`; ``--seconds S``: CPU seconds a rep for it,
default 2). ``less_driving`` is what the plan of one process drives less than the baseline where each rep makes as many
visits in both: visits drawn at random are struck out of the fuller plan (mean of 20 draws).
``georgia-rep-month``: the reps with the fewest, a median and the most visits, one call each.
``georgia-load-L``: every fifth rep at a load of 50, 70, 85, 100, 120 and 150 %.
``teams-100``: a hundred random teams of one to four reps, 2 to 5 weeks, with any mix of what a calendar knows
(`benchmarks.calendar_teams`), 1,000 rounds of search each.

``--size N``: N reps instead of 60 (and every one of them in the loads), N random teams. ``--iterations N``: rounds of
search a rep.

``within`` is the share of visits that keep their interval (`benchmarks.calendar_adherence`): of those that are planned
or missed, without those that the tables rule out. ``violations`` are those of `check_plan`; a plan that
`schedule_visits` itself refuses for them is ``invalid``. ``load`` is what visits and driving take of the hours, missed
visits counted in. ``objective`` is the driving in seconds. CPU seconds count all processes. In ``routes`` visits count
from 0 in the order of the customers, ``shift`` is the rep, ``day`` counts from the first day, times are seconds since
1970, UTC.
"""

from __future__ import annotations

import resource
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from benchmarks.calendar_adherence import adherence, load_of
from benchmarks.calendar_days_first import days_first_plan
from benchmarks.calendar_georgia import WEEKS, Georgia, at_load, load_georgia, month_s, places_of_georgia
from benchmarks.calendar_teams import hours_of, random_team
from benchmarks.nearest_days import nearest_plan
from benchmarks.peers.statement import CannotStateError
from benchmarks.record import Clock, Options, row
from benchmarks.teammonth import at_equal_visits, routes_of, unassigned_of
from territory import SolverError, check_plan, schedule_visits
from territory.datasets import REFERENCE_DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from territory import Plan

LOADS = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5)
LOAD = 0.85
#: Processes.
JOBS = (1, 2)
TEAMS, TEAM_ITERATIONS = 100, 1_000
#: CPU seconds that days first with PyVRP has a rep.
DAYS_FIRST_S = 2.0
_LIMIT_S = 7200.0
_EVERY = 5


def run(options: Options) -> list[dict[str, Any]]:
    """Plan and measure."""
    options.takes("calendar", "seconds", "iterations", "size")
    results: list[dict[str, Any]] = []
    n_reps = options.size or 60
    names = [f"georgia-{n_reps}-reps", "georgia-rep-month", *(f"georgia-load-{round(100 * x)}" for x in LOADS)]
    if any(options.wants(name) for name in names):
        places = places_of_georgia(options.data)
        if places is not None:
            results += _georgia(load_georgia(places, options.seed, n_reps=n_reps, load=LOAD), names, options)
    if options.wants(f"teams-{options.size or TEAMS}"):
        results += teams(options.size or TEAMS, options)
    return results


class AllClock(Clock):
    """CPU seconds of this process and of those it has waited for."""

    def __enter__(self) -> Self:
        self._children = _children_s()
        super().__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.cpu_s += _children_s() - self._children


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# -- georgia -------------------------------------------------------------------------------


def _georgia(team: Georgia, names: list[str], options: Options) -> Iterator[dict[str, Any]]:
    # compiled and loaded before the clocks run
    _planned(at_load(team, LOAD, np.array([0])), options)
    whole, alone = names[:2]
    if options.wants(whole):
        yield from _whole(whole, team, options)
    if options.wants(alone):
        count = np.bincount(team.alignment.customer_rep_idx, minlength=len(team.reps))
        order = np.argsort(count, kind="stable")
        for what, rep in (("fewest", order[0]), ("median", order[len(order) // 2]), ("most", order[-1])):
            month = at_load(team, LOAD, np.array([rep]))
            with AllClock() as clock:
                plan = _planned(month, options)
            yield result(f"{alone}-{what}", "territory", plan, clock, options, month.params, month_s())
    for load, name in zip(LOADS, names[2:], strict=True):
        if options.wants(name):
            every = 1 if options.size is not None else _EVERY
            some = at_load(team, load, np.arange(0, len(team.reps), every))
            with AllClock() as clock:
                plan = _planned(some, options)
            yield result(name, "territory", plan, clock, options, some.params, len(some.reps) * month_s())


def _planned(team: Georgia, options: Options, n_jobs: int = 1) -> Plan:
    effort = {} if options.iterations is None else {"iterations": options.iterations}
    return schedule_visits(
        team.customers, team.reps, team.alignment, start=REFERENCE_DAY, weeks=WEEKS, time_limit_s=_LIMIT_S,
        rng=options.seed, n_jobs=n_jobs, **effort,
    )  # fmt: skip


def _whole(name: str, team: Georgia, options: Options) -> Iterator[dict[str, Any]]:
    hours_s = len(team.reps) * month_s()
    plans = []
    for jobs in JOBS:
        with AllClock() as clock:
            plan = _planned(team, options, jobs)
        plans.append(plan)
        same = plan.stops.equals(plans[0].stops) and plan.unassigned.equals(plans[0].unassigned)
        yield result(
            name, f"territory, {jobs} job{'s' * (jobs > 1)}", plan, clock, options, team.params, hours_s,
            same_as_one_job=same,
        )  # fmt: skip
    ours, settings = plans[0], plans[0].settings
    seconds = DAYS_FIRST_S if options.seconds is None else options.seconds
    ways: dict[str, Callable[[], Plan]] = {
        "overdue first, nearest neighbour": lambda: nearest_plan(team.alignment, settings),
        "the same, days in best order": lambda: nearest_plan(team.alignment, settings, reorder=True),
        "days first, PyVRP": lambda: days_first_plan(team.alignment, settings, seconds=seconds, seed=options.seed),
    }
    for engine, way in ways.items():
        clock = AllClock()
        try:
            with clock:
                plan = way()
        except (ImportError, CannotStateError) as reason:
            note = f"not installed: {reason}" if isinstance(reason, ImportError) else str(reason)
            status = "absent" if isinstance(reason, ImportError) else "cannot state"
            yield row(name, engine, options.seed, params=team.params, status=status, clock=clock, note=note)
            continue
        equal = at_equal_visits(ours, plan, options.seed)
        less = 1.0 - equal["equal_min_per_visit"] / equal["equal_baseline_min_per_visit"]
        params = {**team.params, "seconds_a_rep": seconds} if "PyVRP" in engine else team.params
        yield result(name, engine, plan, clock, options, params, hours_s, less_driving=less, **equal)


# -- random teams --------------------------------------------------------------------------


def teams(count: int, options: Options) -> Iterator[dict[str, Any]]:
    """Plan random team-months; a row each."""
    iterations = TEAM_ITERATIONS if options.iterations is None else options.iterations
    for number in range(count):
        team = random_team(options.seed, number)
        params = {**team.options, "reps": team.r, "customers": team.n, "features": team.features}
        name, clock = f"team-{number:03d}", AllClock()
        try:
            customers, reps, alignment = team.tables()
            with clock:
                plan = schedule_visits(
                    customers, reps, alignment, time_limit_s=_LIMIT_S, iterations=iterations, rng=options.seed,
                    visits=team.singles(), **team.options,
                )  # fmt: skip
            yield result(name, "territory", plan, clock, options, params, hours_of(reps, plan.settings))
        except SolverError as error:
            yield _failed(name, "invalid", clock, options, params, str(error), violations=1)
        except Exception as error:  # noqa: BLE001 - one team that fails must not end the others
            yield _failed(name, "failed", clock, options, params, f"{type(error).__name__}: {error}")


def _failed(
    name: str, status: str, clock: Clock, options: Options, params: dict[str, Any], note: str, **figures: Any
) -> dict[str, Any]:
    return row(name, "territory", options.seed, params=params, status=status, clock=clock, note=note, **figures)


# -- rows ----------------------------------------------------------------------------------


def result(
    name: str, engine: str, plan: Plan, clock: Clock, options: Options, params: dict[str, Any], hours_s: float,
    **figures: Any,
) -> dict[str, Any]:  # fmt: skip
    """Return the row of a plan, checked."""
    found, kept = check_plan(plan), adherence(plan)
    visits = len(plan.stops)
    params = {**params, "iterations": options.iterations}
    return row(
        name, engine, options.seed, params=params, status=str(plan.status) if found.ok else "invalid", clock=clock,
        objective=float(plan.drive_s), bound=None, visits=visits, within=kept.share, outside=kept.outside,
        missed=kept.missed, impossible=kept.impossible, load=load_of(plan, hours_s), drive_s=plan.drive_s,
        drive_min_per_visit=plan.drive_s / 60 / max(visits, 1), days_with_visits=len(plan.routes),
        unassigned=len(plan.unassigned),
        unassigned_by_reason=dict(Counter(plan.unassigned.reason.tolist()).most_common()),
        violations=len(found), violation_codes=dict(found.codes), **figures,
        routes=routes_of(plan), unassigned_visits=unassigned_of(plan),
        assignment=None if plan.alignment is None else plan.alignment.territory_idx,
    )  # fmt: skip
