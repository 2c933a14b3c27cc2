"""The calendar of a team: every customer's due visits on days and routes of its rep."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.check import check_plan
from territory.errors import InputError, Problem
from territory.model.arrays import NO_IDX
from territory.model.coordinates import pair_diagnostics
from territory.model.enums import Reason, Status
from territory.model.hours import parse_hours
from territory.model.plan import Plan
from territory.model.settings import MAX_WEEKS, PlanSettings, as_day
from territory.routing.assemble import Drafts
from territory.routing.desk import Desk
from territory.routing.reasons import why_missed
from territory.schedule.cadence import Cadence, cadence_of
from territory.schedule.chains import Rhythm, best_chain
from territory.schedule.month import plan_month
from territory.travel import Travel, default_travel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from territory.model.alignment import Alignment
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["read_settings", "schedule_visits"]

#: Rounds of ruin and recreate a rep: about half a second; twice as many save another 2 to 3 % of driving.
ITERATIONS = 500


def schedule_visits(
    customers: Customers,
    reps: Reps,
    alignment: Alignment | None = None,
    *,
    start: object,
    weeks: int = 4,
    travel: Travel | None = None,
    holidays: Iterable[object] = (),
    tolerance: float = 0.25,
    default_shift: str = "Mo-Fr 08:00-17:00",
    default_service_s: int = 1800,
    time_limit_s: float = 600.0,
    iterations: int = ITERATIONS,
    rng: int | None = 0,
    n_jobs: int = 1,
    on_progress: Callable[[str, float], None] | None = None,
) -> Plan:
    """Plan every rep's visits and routes over some weeks.

    Parameters
    ----------
    customers, reps : Customers, Reps
    alignment : Alignment, optional
        Who serves whom; may be left out where there is only one rep.
    start : day-like
        First day, e.g. ``"2026-01-05"``.
    weeks : int
        1 to 53.
    travel : Travel, optional
        Default: `territory.travel.GreatCircle`.
    holidays : iterable of day-like
        Days without visits.
    tolerance : float
        Share of the interval that visits may come early or late, rounded down to days, where
        customers have no ``early_days`` and ``late_days``.
    default_shift, default_service_s
        Where reps have no shift, and customers no service time (seconds).
    time_limit_s : float
        Seconds; kept within 10 % + 0.2 s. What was not reached by then is unassigned, and says so.
    iterations : int
        Rounds of search a rep.
    rng : int or None
        Seed. The same input, seed and iterations give the same plan with any number of jobs,
        unless time runs out.
    n_jobs : int
        Processes; -1 for one a core. With more than one, call this from under
        ``if __name__ == "__main__":`` in a script.
    on_progress : callable, optional
        Called with the step and the share done.

    Returns
    -------
    Plan
        Every due visit is in ``.stops`` or, with its reason, in ``.unassigned``. It has passed
        `check_plan`.

    Raises
    ------
    InputError
        Every broken rule at once.

    Notes
    -----
    Days and routes are built together, rep by rep: insertion, ruin and recreate (Schrimpf et al.
    2000), OR-Tools for the order of each day. About a second a rep-month of 100 visits.

    Examples
    --------
    >>> from territory import Customers, Reps
    >>> customers = Customers(id=["a", "b"], lon=[13.5, 13.3], lat=[52.5, 52.5], visit_interval_days=[7, 14])
    >>> reps = Reps(id=["R1"], lon=[13.4], lat=[52.5])
    >>> len(schedule_visits(customers, reps, start="2026-01-05", weeks=2).stops)
    3
    """
    deadline = monotonic() + time_limit_s
    source = default_travel() if travel is None else travel
    settings = read_settings(start, weeks, holidays, tolerance, default_shift, default_service_s, source)
    jobs = _check_request(customers, reps, alignment, time_limit_s, iterations, rng, n_jobs)
    rep_of = np.zeros(len(customers), np.int32) if alignment is None else alignment.customer_rep_idx
    cadence = cadence_of(customers, settings)
    drafts = Drafts()
    _refuse_orphans(drafts, settings, cadence, rep_of, alignment)
    tasks = [
        _Task(rep, np.flatnonzero(rep_of == rep).astype(np.int32), iterations, 0 if rng is None else int(rng), deadline)
        for rep in range(len(reps))
    ]
    timed_out = False
    for done, (task, result) in enumerate(_run(customers, reps, settings, source, tasks, jobs)):
        drafts.stops += result.stops
        drafts.routes += result.routes
        drafts.missed += result.missed
        timed_out |= result.timed_out
        if on_progress is not None:
            on_progress(f"rep {reps.id[task.rep]}", (done + 1) / len(tasks))
    stops, routes, unassigned = drafts.tables()
    status = Status.TIME_LIMIT if timed_out else Status.FEASIBLE
    diagnostics = (*customers.diagnostics, *reps.diagnostics, *pair_diagnostics(customers, reps))
    plan = Plan(customers, reps, settings, stops, routes, unassigned, alignment, status=status, diagnostics=diagnostics)
    check_plan(plan, travel=source).raise_if_any("schedule_visits")
    return plan


def read_settings(
    start: object,
    weeks: object,
    holidays: Iterable[object],
    tolerance: float,
    default_shift: str,
    default_service_s: int,
    travel: Travel,
) -> PlanSettings:
    """Check the parameters that become the plan's settings."""
    problems: list[Problem] = []
    if isinstance(weeks, bool) or not isinstance(weeks, (int, np.integer)) or not 1 <= weeks <= MAX_WEEKS:
        problems.append(
            Problem("empty-horizon", f"weeks: expected a whole number from 1 to {MAX_WEEKS}, not {weeks!r}")
        )
    try:
        if any(len(day) > 1 for day in parse_hours(default_shift)):
            problems.append(Problem("split-shift", "default_shift: several intervals on one day"))
    except (ValueError, AttributeError) as error:
        problems.append(Problem("hours-not-understood", f"default_shift: {error}"))
    if problems or not isinstance(weeks, (int, np.integer)):
        raise InputError(problems, "parameters")
    days = np.array([as_day(d, "holidays") for d in holidays], dtype="datetime64[D]")
    return PlanSettings(
        as_day(start), 7 * int(weeks), days, default_shift=default_shift, default_service_s=default_service_s,
        tolerance=tolerance, travel=travel.fingerprint,
    )  # fmt: skip


def _check_request(
    customers: Customers,
    reps: Reps,
    alignment: Alignment | None,
    time_limit_s: float,
    iterations: object,
    rng: object,
    n_jobs: object,
) -> int:
    problems = []
    if len(customers) == 0:
        problems.append(Problem("no-customers", "there are no customers to visit"))
    if len(reps) == 0:
        problems.append(Problem("no-reps", "the table of reps is empty"))
    if alignment is None and len(reps) > 1:
        problems.append(
            Problem("missing-alignment", "several reps need an alignment", hint="Call design_territories, or plan.")
        )
    if alignment is not None and not (alignment.customers is customers or alignment.customers.equals(customers)):
        problems.append(Problem("other-customers", "the alignment is of other customers"))
    if (
        alignment is not None
        and alignment.reps is not reps
        and not (alignment.reps is not None and alignment.reps.equals(reps))
    ):
        problems.append(Problem("other-reps", "the alignment is of other reps, or of none"))
    if not time_limit_s > 0:
        problems.append(Problem("bad-time-limit", f"expected time_limit_s > 0, not {time_limit_s}"))
    if isinstance(iterations, bool) or not isinstance(iterations, (int, np.integer)) or iterations < 0:
        problems.append(Problem("bad-iterations", f"expected a whole number >= 0, not {iterations!r}"))
    if rng is not None and (isinstance(rng, bool) or not isinstance(rng, (int, np.integer)) or rng < 0):
        problems.append(Problem("bad-rng", f"rng: expected a whole number >= 0, not {rng!r}"))
    jobs = n_jobs
    if isinstance(jobs, bool) or not isinstance(jobs, (int, np.integer)) or (jobs < 1 and jobs != -1):
        problems.append(Problem("bad-n-jobs", f"expected n_jobs >= 1, or -1 for one a core, not {n_jobs!r}"))
    if problems or not isinstance(jobs, (int, np.integer)):
        raise InputError(problems, "schedule_visits")
    return min(len(reps), (os.cpu_count() or 1) if jobs == -1 else int(jobs))


def _refuse_orphans(
    drafts: Drafts,
    settings: PlanSettings,
    cadence: Cadence,
    rep_of: Any,
    alignment: Alignment | None,
) -> None:
    """Note the due visits of customers that no rep serves."""
    for i in np.flatnonzero(cadence.due & (rep_of == NO_IDX)):
        territory = NO_IDX if alignment is None else int(alignment.territory_idx[i])
        if alignment is not None and territory == NO_IDX:
            detail = alignment.unassigned_reason.get(int(i), "the customer is in no territory")
        else:
            name = "" if alignment is None else alignment.territory_id[territory]
            detail = f"territory {name} has no rep"
        for n in best_chain(_rhythm(cadence, int(i), settings.n_days), lambda _n: None).missed:
            drafts.add_missed(int(i), NO_IDX, settings.days[n], Reason.NO_ELIGIBLE_REP, f"{detail}.")


def _rhythm(cadence: Cadence, i: int, days: int) -> Rhythm:
    return Rhythm(
        days, float(cadence.interval[i]), int(cadence.first_low[i]), int(cadence.first_high[i]), int(cadence.first_due[i]),
        int(cadence.gap_low[i]), int(cadence.gap_high[i]),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Task:
    """One rep's share of the work; positions in the whole tables."""

    rep: int
    rows: Any
    iterations: int
    seed: int
    deadline: float


@dataclass(frozen=True, slots=True)
class _Result:
    stops: list[tuple[int, ...]]
    routes: list[tuple[int, ...]]
    missed: list[tuple[int, int, int, str, str]]
    timed_out: bool


def _run(
    customers: Customers, reps: Reps, settings: PlanSettings, travel: Travel, tasks: list[_Task], jobs: int
) -> Iterator[tuple[_Task, _Result]]:
    """Plan every rep, in processes where there are several jobs; results come in the order of the tasks."""
    parcels = ((customers.take(t.rows), reps.take([t.rep]), settings, travel, t) for t in tasks)
    if jobs == 1:
        for task, parcel in zip(tasks, parcels, strict=True):
            yield task, _plan_rep(parcel)
        return
    # spawned, not forked: a fork of a process with threads may hang
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from zip(tasks, pool.map(_plan_rep, parcels), strict=True)


def _plan_rep(parcel: tuple[Customers, Reps, PlanSettings, Travel, _Task]) -> _Result:
    customers, reps, settings, travel, task = parcel
    drafts = Drafts()
    n = len(customers)
    desk = Desk(customers, reps, 0, np.arange(n, dtype=np.int32), settings, travel)
    cadence = cadence_of(customers, settings)
    rhythms = [_rhythm(cadence, i, settings.n_days) if cadence.due[i] else None for i in range(n)]
    # by the rep's id, not its row: permuting the table of reps permutes the plan
    seed = [task.seed, *str(reps.id[0]).encode()]
    month = plan_month(desk, rhythms, task.deadline, iterations=task.iterations, rng=np.random.default_rng(seed))
    for day, visits, solution, bound in month.routes:
        drafts.add_route(desk, task.rep, task.rows, day, visits, solution, bound)
    events: dict[int, list[int]] = {}
    for day, visits, _, _ in month.routes:
        for v in visits:
            events.setdefault(v, []).append(day)
    for v, day in month.missed:
        rhythm = rhythms[v]
        if rhythm is None:  # pragma: no cover - only due visits are missed
            continue
        before = [d for d in [*events.get(v, []), *(d for u, d in month.missed if u == v)] if d < day]
        low, high = rhythm.first_low, rhythm.first_high
        if before:
            low, high = max(before) + rhythm.gap_low, max(before) + rhythm.gap_high
        reason, detail = why_missed(desk, v, min(low, day), max(high, day), timed_out=month.timed_out)
        drafts.add_missed(int(task.rows[v]), task.rep, settings.days[day], reason, detail)
    return _Result(drafts.stops, drafts.routes, drafts.missed, month.timed_out)
