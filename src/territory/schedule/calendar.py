"""The calendar of a team: every customer's due visits on days and routes of its rep."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.check import check_plan
from territory.errors import MAX_ROWS_LISTED, Problem, SolverError
from territory.model.arrays import NO_IDX
from territory.model.coordinates import pair_diagnostics
from territory.model.enums import Reason, Status
from territory.model.plan import Plan
from territory.routing.assemble import Drafts
from territory.routing.desk import Desk
from territory.routing.eligible import canonical_rows, may_serve
from territory.routing.reasons import why_missed
from territory.routing.solve import load_engines
from territory.schedule.cadence import Cadence, cadence_of
from territory.schedule.month import plan_month
from territory.schedule.request import read_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from territory.model.alignment import Alignment
    from territory.model.arrays import IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings
    from territory.travel import Travel

__all__ = ["ITERATIONS", "schedule_visits"]

#: Rounds of search a rep: about a third of a second for 100 visits; twice as many save another 1 % of driving.
ITERATIONS = 10_000


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
        Seconds; kept within 10 % + 0.2 s, and shared out among the reps. What was not reached by then
        is unassigned, and says so.
    iterations : int
        Rounds of search a rep; 0 counts as 1.
    rng : int or None
        Seed. The same input, seed and iterations give the same plan with any number of jobs,
        unless time runs out. Neither the order of rows nor names matter, but between customers who
        agree in everything else.
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
    Days and routes are searched together, rep by rep, as one routing problem: ruin and recreate
    (Christiaens & Vanden Berghe 2020); then the order of each day is proven to drive least, where that
    takes some hundredths of a second. About half a second a rep-month of 100 visits.

    Examples
    --------
    >>> from territory import Customers, Reps
    >>> customers = Customers(id=["a", "b"], lon=[13.5, 13.3], lat=[52.5, 52.5], visit_interval_days=[7, 14])
    >>> reps = Reps(id=["R1"], lon=[13.4], lat=[52.5])
    >>> len(schedule_visits(customers, reps, start="2026-01-05", weeks=2).stops)
    3
    """
    load_engines()
    began = monotonic()
    settings, source, jobs = read_request(
        customers, reps, alignment, start=start, weeks=weeks, travel=travel, holidays=holidays, tolerance=tolerance,
        default_shift=default_shift, default_service_s=default_service_s, time_limit_s=time_limit_s,
        iterations=iterations, rng=rng, n_jobs=n_jobs,
    )  # fmt: skip
    rep_of = np.zeros(len(customers), np.int32) if alignment is None else alignment.customer_rep_idx
    cadence = cadence_of(customers, settings)
    drafts = Drafts()
    _refuse_orphans(drafts, settings, cadence, rep_of, alignment)
    tasks = []
    for rep in range(len(reps)):
        mine = rep_of == rep
        able = may_serve(customers, reps, rep)
        detail = f"{reps.id[rep]} lacks a skill, is forbidden, or is not the owner to whom the customer is locked"
        _refuse(drafts, settings, cadence, np.flatnonzero(mine & ~able), rep, detail)
        rows = canonical_rows(customers, np.flatnonzero(mine & able).astype(np.int32))
        turns = -(-(len(reps) - rep) // jobs)
        tasks.append(_Task(rep, rows, iterations, int(rng or 0), began + time_limit_s, turns))
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
    found = (*pair_diagnostics(customers, reps), *_future_visits(customers, settings))
    diagnostics = (*customers.diagnostics, *reps.diagnostics, *found)
    plan = Plan(customers, reps, settings, stops, routes, unassigned, alignment, status=status, diagnostics=diagnostics)
    check_plan(plan, travel=source).raise_if_any("schedule_visits")
    return plan


def _refuse_orphans(
    drafts: Drafts, settings: PlanSettings, cadence: Cadence, rep_of: IdxArray, alignment: Alignment | None
) -> None:
    """Note the due visits of customers that no rep serves."""
    for i in np.flatnonzero(cadence.due & (rep_of == NO_IDX)):
        territory = NO_IDX if alignment is None else int(alignment.territory_idx[i])
        if alignment is not None and territory == NO_IDX:
            detail = alignment.unassigned_reason.get(int(i), "the customer is in no territory")
        else:
            name = "" if alignment is None else alignment.territory_id[territory]
            detail = f"territory {name} has no rep"
        _refuse(drafts, settings, cadence, [i], NO_IDX, detail)


def _refuse(
    drafts: Drafts, settings: PlanSettings, cadence: Cadence, rows: Iterable[Any], rep: int, detail: str
) -> None:
    """Note the due visits of customers that their rep, or nobody, may serve."""
    for i in rows:
        if cadence.due[i]:
            for n in cadence.missed_days(int(i), settings.n_days):
                drafts.add_missed(int(i), rep, settings.days[n], Reason.NO_ELIGIBLE_REP, f"{detail}.")


@dataclass(frozen=True, slots=True)
class _Task:
    """One rep's share of the work.

    Attributes
    ----------
    rep : int
        Position in the whole table.
    rows : int32 array of shape (m,)
        Its customers in the whole table.
    iterations, seed : int
    deadline : float
        Monotonic seconds, for all reps.
    turns : int
        Reps that one process still has to plan, this one included: they share the time that is left.
    """

    rep: int
    rows: IdxArray
    iterations: int
    seed: int
    deadline: float
    turns: int


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
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_serve, initargs=(os.getpid(),))
    try:
        yield from zip(tasks, pool.map(_plan_rep, parcels), strict=True)
    except BrokenProcessPool as error:
        message = (
            "a worker process ended by itself: out of memory, or in a script the call with n_jobs > 1 "
            'does not stand under `if __name__ == "__main__":`'
        )
        raise SolverError(message) from error
    finally:
        # after an interrupt only the reps in hand are waited for
        pool.shutdown(cancel_futures=True)


def _future_visits(customers: Customers, settings: PlanSettings) -> tuple[Problem, ...]:
    """Warn of customers whose last visit lies in the horizon or after it: it counts, so less is due."""
    if customers.last_visit is None or not settings.cadence:
        return ()
    rows = np.flatnonzero(customers.last_visit >= settings.start)  # NaT is never
    if rows.size == 0:
        return ()
    message = f"last visits on or after the first day, {settings.start}"
    first = tuple(int(i) for i in rows[:MAX_ROWS_LISTED])
    return (Problem("last-visit-after-start", message, "last_visit", int(rows.size), first, "Maybe an earlier start?"),)


def _serve(parent: int) -> None:
    """Prepare a worker: Ctrl-C is left to the parent, which ends its workers; without a parent it ends itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        # a parent that was killed cannot end anybody; its orphans get another parent
        while os.getppid() == parent:
            sleep(1.0)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _plan_rep(parcel: tuple[Customers, Reps, PlanSettings, Travel, _Task]) -> _Result:
    customers, reps, settings, travel, task = parcel
    now = monotonic()
    deadline = now + (task.deadline - now) / task.turns
    drafts = Drafts()
    n = len(customers)
    cadence = cadence_of(customers, settings)
    if now >= task.deadline:
        detail = f"the time limit ended planning before the turn of {reps.id[0]}."
        for v in np.flatnonzero(cadence.due).tolist():
            for day in cadence.missed_days(v, settings.n_days):
                drafts.add_missed(int(task.rows[v]), task.rep, settings.days[day], Reason.TIME_LIMIT, detail)
        return _Result([], [], drafts.missed, timed_out=True)
    desk = Desk(customers, reps, 0, np.arange(n, dtype=np.int32), settings, travel)
    # by the rep's home, not its row or name: permuting or renaming reps changes no plan, nor do other reps
    home = np.array([reps.lon[0], reps.lat[0]]).view(np.uint64).tolist()
    seed = int(np.random.SeedSequence([task.seed, *home]).generate_state(1)[0])
    month = plan_month(desk, cadence, deadline, iterations=task.iterations, seed=seed)
    events: dict[int, list[int]] = {}
    for day, visits, route, bound in month.routes:
        drafts.add_route(desk, task.rep, task.rows, day, visits, route, bound)
        for v in visits:
            events.setdefault(v, []).append(day)
    for v, day in month.missed:
        events.setdefault(v, []).append(day)
    for v, day in month.missed:
        low, high = int(cadence.first_low[v]), int(cadence.first_high[v])
        gap_low, gap_high = int(cadence.gap_low[v]), int(cadence.gap_high[v])
        before = max((d for d in events[v] if d < day), default=None)
        if before is not None:
            low, high = before + gap_low, before + gap_high
        reason, detail = why_missed(
            desk, v, min(low, day), max(high, day), fits_alone=month.fits_alone, every_days=gap_high,
            timed_out=month.timed_out,
        )  # fmt: skip
        drafts.add_missed(int(task.rows[v]), task.rep, settings.days[day], reason, detail)
    return _Result(drafts.stops, drafts.routes, drafts.missed, month.timed_out)
