"""The calendar of a team: every customer's due visits on days and routes of its rep."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.check import check_plan
from territory.errors import MAX_ROWS_LISTED, Problem, SolverError
from territory.model.coordinates import pair_diagnostics
from territory.model.enums import Reason, Status
from territory.model.plan import Plan
from territory.routing.assemble import Drafts
from territory.routing.solve import load_engines
from territory.schedule.apart import days_apart
from territory.schedule.boards import BoardResult, board_places, plan_board
from territory.schedule.changes_plan import with_changes
from territory.schedule.nights import nights_table
from territory.schedule.request import free_drivers, read_request
from territory.schedule.rolling import earlier_routes, promised_visits
from territory.schedule.singles import read_singles, single_visits
from territory.schedule.tasks import board_tasks, refuse_orphans
from territory.travel import GreatCircle, KnownTravel, estimate_notes, road_notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from territory.model.alignment import Alignment
    from territory.model.customers import Customers
    from territory.model.nights import Hotels
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings
    from territory.model.visits import Visits
    from territory.schedule.boards import BoardTask
    from territory.travel import Travel

__all__ = ["schedule_visits"]


def schedule_visits(
    customers: Customers,
    reps: Reps,
    alignment: Alignment | None = None,
    *,
    start: object,
    weeks: int = 4,
    travel: Travel | None = None,
    visits: Visits | None = None,
    previous: Plan | None = None,
    change_price_s: float = 900.0,
    weekday_price_s: float = 120.0,
    time_price_s: float = 60.0,
    overload: str = "value",
    worth: str | None = None,
    usual_worth: float | None = None,
    objective: str = "driving",
    holidays: Iterable[object] = (),
    tolerance: float = 0.25,
    default_shift: str = "Mo-Fr 08:00-17:00",
    default_service_s: int = 1800,
    time_limit_s: float = 600.0,
    iterations: int | None = None,
    rng: int | None = 0,
    n_jobs: int = 1,
    on_progress: Callable[[str, float], None] | None = None,
    hot_days: int = 2,
    warm_days: int = 14,
    cold_detour_s: int = 900,
    follow_up_days: Iterable[int] = (14,),
    remote: str = "never",
    service_by_kind: Mapping[str, int] | None = None,
    cover: Mapping[str, Iterable[str]] | None = None,
    shared: bool = False,
    load: str | None = None,
    nights: str = "never",
    hotels: Hotels | None = None,
    day_sets: Mapping[str, Iterable[Iterable[object]]] | None = None,
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
    visits : Visits, optional
        Appointments, events and whatever else is to be made once, beside what intervals ask for. They count
        as visits of their customers' intervals, but for events.
    previous : Plan, optional
        An earlier plan: what it has promised is kept (`Plan.committed`), appointments that are still to come too
        where no `visits` are given, and the rest changes only where that pays. Leave visits that took place in
        the customers' ``last_visit``, see `Plan.as_made`.
    change_price_s : float
        What it has to save in driving (seconds) to move a visit that was planned before to another day.
    weekday_price_s, time_price_s : float
        Regularity: what a visit on another weekday than the customer's visit before may save in driving at most
        (seconds), and one an hour earlier or later in the day.
    overload : {"value", "stretch"}
        Where more is due than fits. "value": what is worth most comes first. "stretch": all intervals of a rep
        become longer by one factor, the least with which everything fits (`PlanSettings.stretch`).
    worth : str, optional
        The measure of customers that says what a visit is worth; default: every visit is worth the same, and as
        many as fit are made.
    usual_worth : float, optional
        What a usual visit is worth in that measure; default: the mean of the customers. With it, parts of a table of
        customers are planned as the whole is.
    objective : {"driving", "cost"}
        What is least at equal visits: time at the wheel; or what the reps' hours at the wheel, kilometres, days
        and overtime cost (``cost_per_hour``, ``cost_per_km``, ``cost_per_day``, ``overtime_per_hour``).
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
    iterations : int, optional
        Rounds of search a rep; 0 counts as 1. Default: 100 for each visit that is due, but at least 10,000: about a
        second for 300 visits; three times as many save another 2 % of driving.
    rng : int or None
        Seed. The same input, seed and iterations give the same plan with any number of jobs,
        unless time runs out. Neither the order of rows nor names matter, but between customers who
        agree in everything else.
    n_jobs : int
        Processes; -1 for one a core. With more than one, call this from under
        ``if __name__ == "__main__":`` in a script.
    on_progress : callable, optional
        Called with the step and the share done.
    hot_days, warm_days, cold_detour_s, follow_up_days
        Leads: hot ones are visited within `hot_days`, warm ones without an interval of their own every
        `warm_days`, cold ones only where that costs less driving than `cold_detour_s`. A deal that was won
        (``won_on``) is followed up so many days later.
    remote : {"never", "after-first"}
        "after-first": customers whose channel is "either" are visited once, and then called from the rep's home.
    service_by_kind : mapping of str to int, optional
        Seconds of a "lead", "follow-up", "appointment", "event" or "remote" contact.
    cover : mapping of rep id to rep ids, optional
        Who may serve a rep's customers while the rep is on leave. They are planned together.
    shared : bool
        Whether every rep may serve every customer of its team; they are planned together.
    load : str, optional
        The measure of customers that ``Reps.load_limit`` limits a day.
    nights : {"never", "allowed"}
        "allowed": a rep's day may end away from home, where that costs less, and its next calendar day begin
        there; at a customer's place or in one of `hotels`. Reps say what a night costs (``hotel_cost``,
        ``meal_cost``), and which they take (``night_weekdays``, ``max_nights_per_week``, ``max_nights_in_row``,
        ``overnight_min_km``). Needs ``objective="cost"``.
    hotels : Hotels, optional
        Where nights may be spent, beside at customers' places.
    day_sets : mapping of customer id to sets of days, optional
        Customers who are visited on all days of one of these sets, e.g. ``{"a": [["2026-01-05", "2026-01-08"],
        ["2026-01-06", "2026-01-09"]]}``, instead of at an interval.

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
    policies: dict[str, Any] = {
        "hot_days": hot_days, "warm_days": warm_days, "cold_detour_s": cold_detour_s, "remote": remote,
        "follow_up_days": follow_up_days, "service_by_kind": service_by_kind or {}, "cover": cover or {},
        "shared": shared, "load": load, "day_sets": day_sets or {}, "nights": nights,
    }  # fmt: skip
    settings, source, jobs = read_request(
        customers, reps, alignment, start=start, weeks=weeks, travel=travel, holidays=holidays, tolerance=tolerance,
        default_shift=default_shift, default_service_s=default_service_s, time_limit_s=time_limit_s,
        iterations=iterations, rng=rng, n_jobs=n_jobs, visits=visits, overload=overload, worth=worth,
        usual_worth=usual_worth, previous=previous, change_price_s=change_price_s, weekday_price_s=weekday_price_s,
        time_price_s=time_price_s, objective=objective, hotels=hotels, **policies,
    )  # fmt: skip
    rep_of = np.zeros(len(customers), np.int32) if alignment is None else alignment.customer_rep_idx
    asked = promised_visits(previous, visits, customers, reps, settings, rep_of)
    all_visits, found = single_visits(asked, customers, reps, settings, rep_of)
    singles = read_singles(all_visits, customers, reps, settings, rep_of)
    singles, crowded = days_apart(singles, customers, reps, settings)
    drafts = Drafts()
    for one in crowded:
        detail = "other single visits of the customer take the days, and there is at most one a day."
        drafts.add_missed(one.customer, one.rep, settings.days[one.due], Reason.CONFLICT, detail, one.number)
    tasks = board_tasks(
        customers, reps, settings, rep_of, singles, worth=worth, usual_worth=usual_worth, objective=objective,
        iterations=iterations, seed=int(rng or 0), stretches=overload == "stretch", deadline=began + time_limit_s,
        jobs=jobs, hotels=hotels,
        before=earlier_routes(previous, all_visits, customers, reps, settings), change_price_s=change_price_s,
        weekday_price_s=weekday_price_s, time_price_s=time_price_s,
    )  # fmt: skip
    timed_out = False
    stretch: dict[str, float] = {}
    for done, (task, result) in enumerate(_run(customers, reps, settings, source, tasks, jobs)):
        drafts.stops += result.drafts.stops
        drafts.routes += result.drafts.routes
        drafts.missed += result.drafts.missed
        drafts.nights += result.drafts.nights
        timed_out |= result.timed_out
        if result.stretch > 1:
            stretch |= {str(reps.id[rep]): result.stretch for rep in task.team}
        if on_progress is not None:
            on_progress("rep " + ", ".join(str(reps.id[rep]) for rep in task.team), (done + 1) / len(tasks))
    refuse_orphans(drafts, customers, reps, settings, rep_of, alignment, tasks, singles, stretch)
    promises = all_visits is not None or previous is not None
    stops, routes, unassigned = drafts.tables(singles=all_visits is not None, promises=promises)
    status = Status.TIME_LIMIT if timed_out else Status.FEASIBLE
    found = [
        *pair_diagnostics(customers, reps),
        *road_notes(source, customers.places(), "customers"),
        *road_notes(source, reps.places(), "homes"),
        *estimate_notes(stops.estimated),
        *_future_visits(customers, settings),
        *free_drivers(reps, objective),
        *found,
    ]
    diagnostics = (*customers.diagnostics, *reps.diagnostics, *found)
    plan = Plan(
        customers, reps, replace(settings, stretch=stretch), stops, routes, unassigned, alignment, status=status,
        diagnostics=diagnostics, visits=all_visits, hotels=hotels,
        nights=nights_table(drafts.nights, customers, hotels) if settings.nights == "allowed" else None,
    )  # fmt: skip
    plan = with_changes(plan, source, until=began + 1.05 * time_limit_s)
    check_plan(plan, travel=source).raise_if_any("schedule_visits")
    return plan


def _run(
    customers: Customers, reps: Reps, settings: PlanSettings, travel: Travel, tasks: Sequence[BoardTask], jobs: int
) -> Iterator[tuple[BoardTask, BoardResult]]:
    """Plan every board, in processes where there are several jobs; results come in the order of the tasks."""
    if jobs == 1:
        for task in tasks:
            yield task, plan_board(customers.take(task.rows), reps.take(task.team), settings, travel, task)
        return
    parcels = (
        (customers.take(t.rows), reps.take(t.team), settings, _travel_of(t, customers, reps, travel), t) for t in tasks
    )
    # spawned, not forked: a fork of a process with threads may hang
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_serve, initargs=(os.getpid(),))
    try:
        yield from zip(tasks, pool.map(_plan, parcels), strict=True)
    except BrokenProcessPool as error:
        message = (
            "a worker process ended by itself: out of memory, or in a script the call with n_jobs > 1 "
            'does not stand under `if __name__ == "__main__":`'
        )
        raise SolverError(message) from error
    finally:
        # after an interrupt only the reps in hand are waited for
        pool.shutdown(cancel_futures=True)


def _travel_of(task: BoardTask, customers: Customers, reps: Reps, travel: Travel) -> Travel:
    """Return what a worker needs of the travel: itself, if it is nothing but numbers, else the legs of its places."""
    if isinstance(travel, GreatCircle):
        return travel
    factors = {1.0} if reps.speed_factor is None else {float(reps.speed_factor[rep]) for rep in task.team}
    return KnownTravel(travel, board_places(customers, reps, task), sorted(factors))


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


def _plan(parcel: tuple[Customers, Reps, PlanSettings, Travel, BoardTask]) -> BoardResult:
    return plan_board(*parcel)
