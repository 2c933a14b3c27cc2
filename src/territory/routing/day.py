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
from territory.model.holidays import with_rep_holidays
from territory.model.plan import Plan
from territory.model.settings import PlanSettings, as_day
from territory.routing.assemble import Drafts
from territory.routing.board import lone, usual_calls
from territory.routing.desk import Desk
from territory.routing.eligible import canonical_rows, may_serve
from territory.routing.finish import finish
from territory.routing.reasons import why_missed
from territory.routing.solve import load_engines, solve_routing
from territory.routing.trial import LABELS, Trial
from territory.travel import Travel, default_travel, estimate_notes, road_notes
from territory.travel.base import check_travel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from territory.model.arrays import IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.routing.problem import RoutingProblem
    from territory.routing.solution import ShiftRoute

__all__ = ["route_day"]

#: Seconds after the time limit that a bound for the order may take.
_PROOF_S = 0.05


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
    start: Plan | None = None,
    on_progress: Callable[[str, float], None] | None = None,
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
        Seconds; kept within 10 % + 0.2 s. What is proven returns at once. On a new machine the first
        call compiles the engines, which takes about half a minute and does not count.
    start : Plan, optional
        An earlier plan: the search begins with its route of that rep on that day, customers matched by
        id, as far as the rules of today allow; the answer is no worse.
    on_progress : callable, optional
        Called with the step and the share of the time that is gone.

    Returns
    -------
    Plan
        Of one day; ``.unassigned`` holds every candidate that is not visited, with the reason.
        ``.status`` is OPTIMAL where it is proven that no other choice makes more visits, and no choice
        of as many drives less; else FEASIBLE, TIME_LIMIT, or INTERRUPTED: after Ctrl-C it is the best so
        far. It has passed `check_plan`.

    Raises
    ------
    InputError
        Every broken rule at once.

    Examples
    --------
    >>> from territory import Customers, Reps
    >>> customers = Customers(id=["a", "b"], lon=[13.5, 13.3], lat=[52.5, 52.5])
    >>> reps = Reps(id=["R1"], lon=[13.4], lat=[52.5])
    >>> plan = route_day(customers, reps, day="2026-01-05")
    >>> len(plan.stops), plan.status.value
    (2, 'optimal')
    """
    load_engines()
    began = monotonic()
    source = default_travel() if travel is None else travel
    check_travel(travel=source)
    settings = _read(
        customers, reps, rep, day, holidays, time_limit_s, start,
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
    possible, trial = _possible(desk)
    visited: tuple[int, ...] = ()
    status = Status.OPTIMAL
    if trial is not None:
        said = None if on_progress is None else _Share(on_progress, began, time_limit_s)
        before = () if start is None else _before(start, str(reps.id[at]), settings.start, customers, rows, possible)
        route, bound, status = _solved(trial, before, began + time_limit_s, said)
        if route is not None:
            visited = tuple(possible[i] for i in route.visits)
            drafts.add_route(desk, at, rows, 0, usual_calls(lone(desk), possible), route, bound)
    can = set(possible)
    for v in sorted(set(range(len(rows))).difference(visited)):
        reason, detail = why_missed(desk, v, 0, 0, fits_alone=lambda visit, _: visit in can)
        drafts.add_missed(int(rows[v]), at, settings.start, reason, detail)
    stops, routes, unassigned = drafts.tables()
    notes = road_notes(source, customers.places().take(rows), "customers", rows) + estimate_notes(stops.estimated)
    diagnostics = (*customers.diagnostics, *reps.diagnostics, *pair_diagnostics(customers, reps), *notes)
    plan = Plan(customers, reps, settings, stops, routes, unassigned, status=status, diagnostics=diagnostics)
    check_plan(plan, travel=source).raise_if_any("route_day")
    return plan


class _Share:
    """A progress callback that is told the share of the time that is gone."""

    def __init__(self, tell: Callable[[str, float], None], began: float, limit_s: float) -> None:
        self.tell, self.began, self.limit_s = tell, began, limit_s

    def __call__(self, step: str, _objective: float) -> None:
        self.tell(step, min(1.0, (monotonic() - self.began) / self.limit_s))


def _possible(desk: Desk) -> tuple[list[int], Trial | None]:
    """Return the candidates that fit the day if they are the only one, and the problem of them all."""
    some = [v for v in range(len(desk.rows)) if desk.windows(v, 0)]
    if not some:
        return [], None
    trial = Trial(_day_problem(desk, some))
    possible = [v for i, v in enumerate(some) if trial.fits(0, [i])]
    if not possible:
        return [], None
    return possible, trial if len(possible) == len(some) else Trial(_day_problem(desk, possible))


def _day_problem(desk: Desk, visits: Sequence[int]) -> RoutingProblem:
    board = lone(desk)
    return board.problem(usual_calls(board, visits))


def _before(
    start: Plan, rep: str, day: np.datetime64, customers: Customers, rows: IdxArray, possible: Sequence[int]
) -> tuple[int, ...]:
    """Return which of the possible visits an earlier plan makes, in its order."""
    ids = customers.id[rows].tolist()
    number = {ids[v]: i for i, v in enumerate(possible)}
    stops = start.stops
    mine = np.flatnonzero((start.reps.id[stops.rep_idx] == rep) & (stops.day == day))
    mine = mine[np.argsort(stops.position[mine], kind="stable")]
    names = start.customers.id[stops.customer_idx[mine]].tolist()
    return tuple(dict.fromkeys(number[name] for name in names if name in number))


def _solved(
    trial: Trial, before: Sequence[int], deadline: float, on_progress: _Share | None
) -> tuple[ShiftRoute | None, int, Status]:
    """Return the best route of the possible visits, a bound on the driving of those made, and how good it is."""
    problem = trial.problem
    warm = finish(problem, trial.layout, {0: trial.as_fits(0, before)}) if before else None
    found = solve_routing(
        problem, engine="auto", time_limit_s=max(deadline - monotonic(), 0.001), start=warm, on_progress=on_progress
    )
    if not found.routes:
        return None, 0, found.status
    route = found.routes[0]
    if found.status is Status.OPTIMAL:
        return route, route.drive_s, found.status
    order, bound = trial.shortest(0, route.visits, deadline_s=max(deadline, monotonic() + _PROOF_S), max_labels=LABELS)
    return trial.route(0, order) or route, bound, found.status


def _read(
    customers: Customers, reps: Reps, rep: str | None, day: object, holidays: Any, time_limit_s: object, start: object,
    **settings: Any,
) -> PlanSettings:  # fmt: skip
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
    if start is not None and not isinstance(start, Plan):
        problems.append(Problem("wrong-type", f"start: expected Plan, not {type(start).__name__}"))
    try:
        found = with_rep_holidays(PlanSettings(as_day(day, "day"), 1, holidays, cadence=False, **settings), reps)
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
