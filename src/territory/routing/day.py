"""One rep's day, routed."""

from __future__ import annotations

from numbers import Real
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.check import check_plan
from territory.errors import InputError, Problem
from territory.model.coordinates import pair_diagnostics
from territory.model.enums import Channel, Reason, Stage, Status
from territory.model.plan import Plan
from territory.model.settings import PlanSettings, as_day
from territory.routing.assemble import Drafts
from territory.routing.bound import least_drive_s
from territory.routing.desk import Desk
from territory.routing.eligible import canonical_rows, may_serve
from territory.routing.engine import solve
from territory.routing.reasons import fits_alone, why_missed
from territory.travel import Travel, default_travel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.model.arrays import IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.routing.day_problem import DayProblem
    from territory.routing.engine import DaySolution

__all__ = ["route_day"]


def route_day(
    customers: Customers,
    reps: Reps,
    *,
    day: object,
    rep: str | None = None,
    travel: Travel | None = None,
    holidays: Iterable[object] = (),
    default_shift: str = "Mo-Fr 08:00-17:00",
    default_service_s: int = 1800,
    time_limit_s: float = 1.0,
) -> Plan:
    """Route one rep's day: as many of the customers as fit, in the order that drives least.

    Parameters
    ----------
    customers : Customers
        The candidates; each is visited at most once, whatever its visit interval.
    reps : Reps
    day : day-like
        E.g. ``"2026-01-05"``.
    rep : str, optional
        Id of the rep; may be left out where there is only one.
    travel : Travel, optional
        Default: `territory.travel.GreatCircle`.
    holidays : iterable of day-like
    default_shift : str
        Where reps have none.
    default_service_s : int
        Where customers have none.
    time_limit_s : float
        Seconds; kept within 10 % + 0.2 s.

    Returns
    -------
    Plan
        Of one day; ``.unassigned`` holds every candidate that is not visited, with the reason.
        ``.status`` is OPTIMAL where all are visited and the driving equals its bound. It has
        passed `check_plan`.

    Raises
    ------
    InputError
        Every broken rule at once.

    Examples
    --------
    >>> from territory import Customers, Reps
    >>> customers = Customers(id=["a", "b"], lon=[13.5, 13.3], lat=[52.5, 52.5])
    >>> reps = Reps(id=["R1"], lon=[13.4], lat=[52.5])
    >>> route_day(customers, reps, day="2026-01-05").to_frame("pyarrow").column("customer_id").to_pylist()
    ['a', 'b']
    """
    began = monotonic()
    source = default_travel() if travel is None else travel
    settings = _read(
        customers, reps, rep, day, holidays, time_limit_s,
        default_shift=default_shift, default_service_s=default_service_s, travel=source.fingerprint,
    )  # fmt: skip
    at = 0 if rep is None else int(reps.positions([rep])[0])
    drafts = Drafts()
    rows, refused = _candidates(customers, reps, at)
    for i in refused:
        drafts.add_missed(
            int(i), at, settings.start, Reason.NO_ELIGIBLE_REP, f"{reps.id[at]} may not serve this customer."
        )
    desk = Desk(customers, reps, at, rows, settings, source)
    optimal = True
    visited: tuple[int, ...] = ()
    if 0 in desk.shifts:
        possible = [v for v in range(len(rows)) if desk.windows(v, 0) and fits_alone(desk, v, 0)]
        problem = desk.problem(0, possible)
        found = solve(problem, descent_limit_s=max(time_limit_s - (monotonic() - began), 0.001))
        left = time_limit_s - (monotonic() - began)
        if found is not None and left > 0 and not _proven(problem, found):
            found = solve(problem, start=found.order, time_limit_s=left)
        if found is not None and found.order:
            visited = tuple(possible[i] for i in found.order)
            bound = least_drive_s(problem.take(list(found.order)).durations_s)
            drafts.add_route(desk, at, rows, 0, visited, found, bound)
            optimal = bound == found.drive_s
    for v in sorted(set(range(len(rows))).difference(visited)):
        reason, detail = why_missed(desk, v, 0, 0)
        optimal = optimal and reason is not Reason.OVER_CAPACITY
        drafts.add_missed(int(rows[v]), at, settings.start, reason, detail)
    stops, routes, unassigned = drafts.tables()
    status = Status.OPTIMAL if optimal else Status.FEASIBLE
    diagnostics = (*customers.diagnostics, *reps.diagnostics, *pair_diagnostics(customers, reps))
    plan = Plan(customers, reps, settings, stops, routes, unassigned, status=status, diagnostics=diagnostics)
    check_plan(plan, travel=source).raise_if_any("route_day")
    return plan


def _read(
    customers: Customers, reps: Reps, rep: str | None, day: object, holidays: Any, time_limit_s: object, **settings: Any
) -> PlanSettings:
    """Check everything that was asked, and raise one `InputError` with all that is wrong."""
    problems = []
    if len(customers) == 0:
        problems.append(Problem("no-customers", "there are no customers to visit"))
    if len(reps) == 0:
        problems.append(Problem("no-reps", "the table of reps is empty"))
    elif rep is None and len(reps) > 1:
        problems.append(Problem("missing-parameter", f"say which of the {len(reps)} reps: rep=..."))
    if not isinstance(time_limit_s, Real) or not float(time_limit_s) > 0:
        problems.append(Problem("bad-time-limit", f"expected time_limit_s > 0, not {time_limit_s!r}"))
    try:
        found = PlanSettings(as_day(day, "day"), 1, holidays, cadence=False, **settings)
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems, "route_day")
    return found


def _candidates(customers: Customers, reps: Reps, rep: int) -> tuple[IdxArray, IdxArray]:
    """Return which customers the rep may visit, and which not."""
    c = customers
    allowed = may_serve(c, reps, rep)
    if c.channel is not None:
        allowed &= c.channel != Channel.INSIDE
    if c.stage is not None:
        allowed &= c.stage != Stage.LOST
    return canonical_rows(c, np.flatnonzero(allowed).astype(np.int32)), np.flatnonzero(~allowed).astype(np.int32)


def _proven(problem: DayProblem, found: DaySolution) -> bool:
    """Return whether every visit is made and no order drives less."""
    return len(found.order) == problem.m and least_drive_s(problem.durations_s) == found.drive_s
