"""Overnight tours: where it pays a rep stays away for the night, and begins the next day there."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.geo.sphere import great_circle_m
from territory.model.arrays import NO_IDX
from territory.model.nights import Nights
from territory.routing.finish import finish, free_bounds
from territory.routing.layout import V_LINKED
from territory.routing.trial import Trial
from territory.schedule.month import Horizon
from territory.schedule.nights_moves import HOME, moves_of
from territory.schedule.nights_rules import night_rules
from territory.schedule.nights_try import Away, costed, solved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.model.arrays import IdxArray
    from territory.model.customers import Customers
    from territory.model.nights import Hotels
    from territory.model.reps import Reps
    from territory.routing.board import Board
    from territory.routing.calls import Calls
    from territory.schedule.boards import BoardTask
    from territory.schedule.nights_moves import Move
    from territory.schedule.nights_rules import NightRules, Shift

__all__ = ["near_hotels", "nights_spent", "nights_table", "with_nights"]

#: Tries of a board with one rep, each with this share of the rounds of search; and how many in a row may fail.
_TRIES: Final = 30
_ROUNDS: Final = 0.2
_PATIENCE: Final = 8
#: Of more hotels than this, a board looks at so many of the nearest of each customer.
_MANY: Final = 60
_NEAREST: Final = 3


def with_nights(
    horizon: Horizon, reps: Reps, hotels: Hotels | None, deadline: float, *, iterations: int, seed: int
) -> Horizon:
    """Return a board's plan with the nights away that pay.

    Parameters
    ----------
    horizon : Horizon
        Planned without.
    reps : Reps
        Those of the board's desks, in their order.
    hotels : Hotels, optional
        Those that the desks know.
    deadline : float
        Monotonic seconds.
    iterations : int
        Rounds of search of the whole board; each try takes a fifth.
    seed : int

    Returns
    -------
    Horizon
        Its board has the nights. It costs no more than the one without.

    Raises
    ------
    KeyboardInterrupt

    Notes
    -----
    A local search. Changes (a night between two days, with whole days exchanged so that far visits come together;
    a night where a visit is missed; another place; a night at home) are ranked by what they save with the visits as
    they are, to the letter but for hours and rhythms. The best that do not touch each other are tried together, and
    by halves where that does not pay: the routing problem in which the days end and begin there is searched again from
    the routes that there are. What costs less, nights included, stays.
    """
    board, calls = horizon.board, horizon.calls
    if horizon.trial is None or horizon.timed_out:
        return horizon
    rules = night_rules(board, reps, hotels, calls)
    if not rules.evenings or not any(np.isfinite(p).any() for p in rules.price):
        return horizon
    now = _begin(horizon, rules)
    if now is None:
        return horizon
    rounds = max(1, int(_ROUNDS * iterations))
    failed: set[tuple[object, ...]] = set()
    tries = _TRIES * len(board.desks)
    patience = _PATIENCE
    while tries > 0 and patience > 0 and monotonic() < deadline:
        batch = _batch(now, calls, rules, failed)
        better = None
        while batch and better is None and tries > 0 and patience > 0 and monotonic() < deadline:
            better = _tried(now, calls, rules, batch, iterations=rounds, seed=seed, deadline=deadline)
            tries -= 1
            if better is None and len(batch) == 1:
                failed.add(batch[0].key)
                patience -= 1
                batch = []
            elif better is None:
                batch = batch[: (len(batch) + 1) // 2]
        if better is not None:
            now, patience = better, _PATIENCE
        elif not batch and not _batch(now, calls, rules, failed):
            break
    return _horizon(now, horizon, timed_out=monotonic() >= deadline)


def _begin(horizon: Horizon, rules: NightRules) -> Away | None:
    """Return the plan without nights, with what it costs."""
    trial = horizon.trial
    if trial is None:
        return None
    # visits that wait for each other keep their starts
    bounds = free_bounds(trial.layout)
    linked = trial.layout.visit_i[:, V_LINKED] != 0
    for _, route, _ in horizon.routes:
        for v, t in zip(route.visits, route.starts, strict=True):
            if linked[v]:
                bounds[v] = t - trial.layout.origin
    orders = {r.shift: r.visits for _, r, _ in horizon.routes}
    found = finish(trial.problem, trial.layout, orders, bounds=bounds)
    return None if found is None else costed(horizon.board, trial.problem, found, rules)


def _batch(now: Away, calls: Calls, rules: NightRules, failed: set[tuple[object, ...]]) -> list[Move]:
    """Return the most promising changes that do not touch each other; where none saves, the best one alone."""
    missed = [k for k, _ in now.found.unserved]
    moves = [m for m in moves_of(now, calls, rules, missed) if m.key not in failed and np.isfinite(m.saving)]
    chosen: list[Move] = []
    touched: set[Shift] = set()
    for move in moves:
        if chosen and move.saving <= 0:
            break
        if touched & move.touched or not rules.allow(_nights(now.board, [*chosen, move])):
            continue
        chosen.append(move)
        touched |= move.touched
        if move.saving <= 0:
            break
    return chosen


def _nights(board: Board, moves: Sequence[Move]) -> dict[Shift, int]:
    nights = dict(board.nights)
    for move in moves:
        for shift, place in move.nights:
            if place == HOME:
                nights.pop(shift, None)
            else:
                nights[shift] = place
    return dict(sorted(nights.items()))


def _tried(
    now: Away, calls: Calls, rules: NightRules, moves: Sequence[Move], *, iterations: int, seed: int, deadline: float
) -> Away | None:
    """Return the plan with some changes, if it costs less."""
    board = replace(now.board, nights=_nights(now.board, moves))
    orders = now.orders
    for move in moves:
        orders |= dict(move.orders)
    found = solved(board, calls, rules, orders, iterations=iterations, seed=seed, deadline=deadline)
    return found if found is not None and found.beats(now) else None


def _horizon(away: Away, before: Horizon, *, timed_out: bool) -> Horizon:
    if not away.board.nights:
        return before
    trial = Trial(away.problem)
    shifts = away.board.shifts
    routes = tuple((shifts[r.shift], r, trial.shortest(r.shift, r.visits)[1]) for r in away.found.routes)
    last = away.board.desks[0].settings.n_days - 1
    missed = tuple((k, n if n >= 0 else min(int(before.calls.due[k]), last)) for k, n in away.found.unserved)
    return Horizon(away.board, before.calls, routes, missed, before.timed_out or timed_out, trial)


def nights_spent(
    horizon: Horizon, reps: Reps, task: BoardTask
) -> list[tuple[int, int, int, int, float]]:
    """Return the nights of a board as rows of `nights_table`."""
    board = horizon.board
    if not board.nights:
        return []
    rules = night_rules(board, reps, task.hotels, horizon.calls)
    found = []
    for (r, n), p in board.nights.items():
        end = board.desks[r].end
        customer = int(task.rows[p - 1]) if p < end else NO_IDX
        hotel = NO_IDX if p < end or task.hotel_rows is None else int(task.hotel_rows[p - end - 1])
        found.append((task.team[r], rules.first_day + n, customer, hotel, float(rules.price[r][p])))
    return found


def near_hotels(hotels: Hotels | None, customers: Customers) -> IdxArray | None:
    """Return the rows of the hotels that a board looks at: all, or of many the nearest few of each customer."""
    if hotels is None:
        return None
    if len(hotels) <= _MANY:
        return np.arange(len(hotels), dtype=np.int32)
    found = set()
    for lon, lat in zip(customers.lon.tolist(), customers.lat.tolist(), strict=True):
        apart = great_circle_m(lon, lat, hotels.lon, hotels.lat)
        found |= set(np.argsort(apart, kind="stable")[:_NEAREST].tolist())
    return np.array(sorted(found), dtype=np.int32)


def nights_table(
    rows: Sequence[tuple[int, int, int, int, float]], customers: Customers, hotels: Hotels | None
) -> Nights:
    """Return nights as a table, ordered by rep and day.

    Parameters
    ----------
    rows : sequence of (rep, day since 1970, customer, hotel, cost)
        Positions in the whole tables; -1: none.
    customers : Customers
    hotels : Hotels, optional
    """
    ordered = sorted(rows)
    rep, day, customer, hotel = np.array([row[:4] for row in ordered], np.int64).reshape(-1, 4).T
    lon, lat = np.zeros(len(ordered)), np.zeros(len(ordered))
    for at, table in ((customer, customers), (hotel, hotels)):
        if table is not None:
            lon[at >= 0], lat[at >= 0] = table.lon[at[at >= 0]], table.lat[at[at >= 0]]
    return Nights(
        rep_idx=rep, day=day.astype("datetime64[D]"), customer_idx=customer, hotel_idx=hotel, lon=lon, lat=lat,
        cost=np.array([row[4] for row in ordered], np.float64),
    )  # fmt: skip
