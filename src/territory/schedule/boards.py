"""One board planned: its demand, its horizon, and why what is missing is missing."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.model.arrays import NO_IDX
from territory.model.eligibility import eligibility
from territory.model.enums import Commitment, Reason
from territory.model.places import Places
from territory.routing.assemble import Drafts
from territory.routing.board import Board, Rates
from territory.routing.calls import Calls
from territory.routing.desk import Desk
from territory.routing.reasons import why_missed
from territory.routing.trial import Trial
from territory.schedule.cadence import cadence_of
from territory.schedule.demand import Prices, demand
from territory.schedule.month import plan_horizon
from territory.schedule.nights import Overnight, nights_spent
from territory.schedule.stretch import WIDER, least_stretch, without_room

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from territory.model.arrays import BoolArray, FloatArray, IdxArray, IntArray
    from territory.model.customers import Customers
    from territory.model.nights import Hotels
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings
    from territory.schedule.cadence import Cadence
    from territory.schedule.month import Horizon
    from territory.schedule.rolling import Before
    from territory.schedule.singles import Single
    from territory.travel import Travel

__all__ = ["BoardResult", "BoardTask", "board_places", "plan_board"]

#: From this commitment on, what does not fit is in conflict with other promises.
_PROMISED: Final = Commitment.CONFIRMED_DAY
#: Reasons that do not go by the calendar alone.
_ROOM: Final = (Reason.OVER_CAPACITY, Reason.CONFLICT, Reason.TIME_LIMIT)


@dataclass(frozen=True, slots=True)
class BoardTask:
    """What one process plans at a time: reps who share visits; mostly one rep.

    Attributes
    ----------
    team : tuple of R ints
        The reps, in the whole table.
    rows : int32 array of shape (m,)
        Their customers in the whole table.
    owner : int64 array of shape (m,)
        Which of the team each customer belongs to; -1: somebody else.
    able, on : bool arrays of shape (m, R) and (m, R, D), optional
        See `territory.routing.board.Board`.
    singles : tuple of Single
        In positions of the board.
    worth : float array of shape (m,)
        Of a customer's visits by interval; 1: a usual one.
    rates : tuple of R Rates
    load, capacity : optional
        See `territory.routing.board.Board`.
    iterations, seed : int
    before : mapping of desk and day to visits
        The routes of an earlier plan, in positions of the board.
    change_price_s : float
        What it costs to move one of them, in seconds of driving.
    weekday_price_s, time_price_s : float
        What irregular visits cost, see `territory.schedule.demand.Prices`.
    stretches : bool
        Whether intervals may become longer where not everything fits.
    deadline : float
        Monotonic seconds, for all boards.
    turns : int
        Boards that one process still has to plan, this one included: they share the time that is left.
    hotels : Hotels, optional
        Where the team may spend nights.
    hotel_rows : int32 array, optional
        Their positions in the whole table.
    """

    team: tuple[int, ...]
    rows: IdxArray
    owner: IntArray
    able: BoolArray | None
    on: BoolArray | None
    singles: tuple[Single, ...]
    worth: FloatArray
    rates: tuple[Rates, ...]
    load: IntArray | None
    capacity: tuple[int, ...] | None
    iterations: int
    seed: int
    before: Mapping[tuple[int, int], Sequence[Before]]
    change_price_s: float
    weekday_price_s: float
    time_price_s: float
    stretches: bool
    deadline: float
    turns: int
    hotels: Hotels | None = None
    hotel_rows: IdxArray | None = None


@dataclass(frozen=True, slots=True)
class BoardResult:
    """The rows of the plan's tables, the factor of the intervals, and whether time ran out."""

    drafts: Drafts = field(default_factory=Drafts)
    stretch: float = 1.0
    timed_out: bool = False


def board_places(customers: Customers, reps: Reps, task: BoardTask) -> Places:
    """Return all places that a board's travel is asked about; tables are the whole ones."""
    team = np.array(task.team)
    hotels = [] if task.hotels is None else [task.hotels.places()]
    homes = [reps.places().take(team), reps.end_places().take(team)]
    return Places.concat([*homes, customers.places().take(task.rows), *hotels])


def plan_board(
    customers: Customers, reps: Reps, settings: PlanSettings, travel: Travel, task: BoardTask
) -> BoardResult:
    """Plan one board; the tables are those of its customers and reps only.

    The same for the same input, unless time runs out.
    """
    now = monotonic()
    deadline = now + (task.deadline - now) / task.turns
    rows = np.arange(len(customers), dtype=np.int32)
    desks = tuple(Desk(customers, reps, r, rows, settings, travel, task.hotels) for r in range(len(reps)))
    # whoever is named for a visit needs its skills, too, and must not be forbidden
    named = eligibility(replace(customers, locked=None), reps) if task.singles else None
    board = Board(desks, task.rates, task.able, task.on, task.load, task.capacity, named=named)
    prices = Prices(
        task.worth,
        task.rates[0].drive_s,
        task.weekday_price_s,
        task.time_price_s,
        task.change_price_s if task.before else 0.0,
    )
    # by the reps' homes, not their rows or names: permuting or renaming reps changes no plan, nor do other reps
    homes = np.stack([reps.lon, reps.lat], axis=1).reshape(-1).view(np.uint64).tolist()
    seed = int(np.random.SeedSequence([task.seed, *homes]).generate_state(1)[0])

    overnight = Overnight(reps, task.hotels) if settings.nights == "allowed" else None

    def planned(stretch: float, iterations: int, until: float, *, last: bool = False) -> tuple[Horizon, Cadence]:
        cadence = cadence_of(customers, settings, stretch=stretch)
        calls = demand(board, customers, settings, cadence, task.singles, prices, task.owner)
        found = plan_horizon(
            board, calls, until, iterations=iterations, seed=seed, before=task.before,
            change_price=task.change_price_s * prices.drive_s, time_price=prices.time_s * prices.drive_s,
            overnight=overnight if last else None,
        )  # fmt: skip
        return found, cadence

    stretch = 1.0
    if task.stretches and customers.visit_interval_days is not None:
        stretch = least_stretch(planned, task.iterations, deadline)
    horizon, cadence = planned(stretch, task.iterations, deadline, last=True)
    if stretch > 1:
        # who waits longer for all must not wait in vain
        for more in WIDER:
            if without_room(horizon, cadence)[0] == 0 or horizon.timed_out:
                break
            stretch = round(stretch + more, 2)
            horizon, cadence = planned(stretch, task.iterations, deadline, last=True)
    drafts = Drafts()
    for (r, n), route, bound in horizon.routes:
        between = horizon.board.between((r, n))
        drafts.add_route(desks[r], task.team[r], task.rows, n, horizon.calls, route, bound, between)
    drafts.nights += nights_spent(horizon, reps, task)
    expired = now >= task.deadline or (horizon.timed_out and horizon.trial is None)
    _tell_missed(drafts, task, horizon, cadence, expired=expired)
    return BoardResult(drafts, stretch, horizon.timed_out)


def _tell_missed(drafts: Drafts, task: BoardTask, horizon: Horizon, cadence: Cadence, *, expired: bool) -> None:
    """Note what is due and not planned, each with its reason."""
    calls, board = horizon.calls, horizon.board
    days = board.desks[0].settings.days
    events: dict[int, list[int]] = {}
    for (_, n), route, _ in horizon.routes:
        for k in route.visits:
            events.setdefault(k, []).append(n)
    for k, day in horizon.missed:
        events.setdefault(k, []).append(day)
    told: set[tuple[int, int]] = set()
    singles = {one.number: one for one in task.singles}
    for k, day in horizon.missed:
        row, number = int(calls.row[k]), int(calls.visit_idx[k])
        one = singles.get(number)
        if one is not None:
            # a joint visit is told once, whoever could not come
            if (number, day) in told:
                continue
            told.add((number, day))
        rep = int(calls.rep[k])
        if rep < 0:
            # of a single visit its customer's rep, even where that may not make it
            rep = int(task.owner[row]) if one is None else one.rep
        rep = max(rep, 0)
        low, high = int(calls.low[k]), min(int(calls.high[k]), len(days) - 1)
        every = None
        if calls.gap_low_days[k]:
            low, high = int(calls.first_low_day[k]), int(calls.first_high_day[k])
            every = int(cadence.gap_high[row])
            before = max((d for d in events[k] if d < day), default=None)
            if before is not None:
                low, high = before + int(cadence.gap_low[row]), before + every
        if expired:
            reason: Reason = Reason.TIME_LIMIT
            detail = f"the time limit ended planning before the turn of {board.desks[rep].reps.id[rep]}."
        else:
            allowed = min(low, day), max(high, day)
            reason, detail = _told(horizon, k, rep, allowed, every, one, cold=bool(cadence.cold[row]))
        # other visits may have taken the day that its row asks for
        on = day if one is None or not one.anchor else one.asked[2]
        drafts.add_missed(int(task.rows[row]), task.team[rep], days[on], reason, detail, number)


def _told(
    horizon: Horizon, k: int, rep: int, allowed: tuple[int, int], every: int | None, one: Single | None, *, cold: bool
) -> tuple[Reason, str]:
    """Return the reason for a missed call; of a single one by the days of its row, not those that others leave it."""
    calls, board = horizon.calls, horizon.board
    if one is not None and not _may_come(board, horizon, k, rep):
        lacks = "lacks a skill, is forbidden, or is not the owner to whom the customer is locked"
        return Reason.NO_ELIGIBLE_REP, f"{board.desks[rep].reps.id[rep]} {lacks}."
    if calls.low[k] > calls.high[k]:
        return Reason.CONFLICT, "the customer has another visit on its days, and is visited once a day."
    found = _why(horizon, k, rep, *allowed, every, cold=cold)
    if one is None or not one.anchor or (calls.low[k], calls.high[k]) == one.asked[:2] or found[0] in _ROOM:
        return found
    by_itself = {f.name: getattr(calls, f.name)[k : k + 1] for f in fields(calls)}
    alone = Calls(**by_itself | {"low": [one.asked[0]], "high": [one.asked[1]], "partner": None})
    there = replace(horizon, calls=alone, trial=Trial(board.problem(alone)))
    ever = _why(there, 0, rep, *one.asked[:2], None, cold=False)
    if ever[0] not in _ROOM:
        return ever
    return Reason.CONFLICT, "other visits of the customer take the days on which it fits, and there is one a day."


def _may_come(board: Board, horizon: Horizon, k: int, rep: int) -> bool:
    """Return whether the reps of a single call may serve its customer."""
    calls, row = horizon.calls, int(horizon.calls.row[k])
    if calls.rep[k] < 0:
        return board.able is None or bool(board.able[row].any())
    comes = [rep, *(int(calls.rep[p]) for p in calls.partner[[k]] if p >= 0)]
    return board.named is None or bool(board.named[row, comes].all())


def _why(
    horizon: Horizon, k: int, rep: int, low: int, high: int, every: int | None, *, cold: bool
) -> tuple[Reason, str]:
    """Return the reason for a missed call, going by the rep to whom it belongs."""
    calls, board = horizon.calls, horizon.board
    reason, detail = why_missed(
        board.desks[rep], int(calls.row[k]), low, high, fits_alone=lambda _, n: horizon.fits_alone(k, rep, n),
        open_on=lambda n: board.windows(calls, k, (rep, n)), service_s=int(calls.service_s[k]),
        remote=bool(calls.remote[k]), every_days=every, timed_out=horizon.timed_out,
    )  # fmt: skip
    if reason is not Reason.OVER_CAPACITY:
        return reason, detail
    if cold and calls.visit_idx[k] == NO_IDX:
        limit = board.desks[rep].settings.cold_detour_s // 60
        return Reason.LOWER_VALUE, f"a cold lead, visited only where it costs less than {limit} min of driving."
    if calls.commitment[k] >= _PROMISED:
        return Reason.CONFLICT, "it would fit alone, but other promises, or the way from them, stand against it."
    return reason, detail
