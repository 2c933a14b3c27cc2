"""Overnight tours: where it pays a rep stays away for the night, and begins the next day there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.geo.sphere import great_circle_m
from territory.model.arrays import NO_IDX
from territory.model.nights import Nights
from territory.schedule.nights_days import HOME
from territory.schedule.nights_moves import moves_of
from territory.schedule.nights_rules import night_rules
from territory.schedule.nights_try import costed, solved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from territory.model.arrays import IdxArray
    from territory.model.customers import Customers
    from territory.model.nights import Hotels
    from territory.model.reps import Reps
    from territory.routing.board import Board
    from territory.routing.calls import Calls
    from territory.routing.problem import RoutingProblem
    from territory.routing.solution import RoutingSolution
    from territory.schedule.boards import BoardTask
    from territory.schedule.month import Horizon
    from territory.schedule.nights_days import Move
    from territory.schedule.nights_rules import NightRules, Shift
    from territory.schedule.nights_try import Away

__all__ = ["Overnight", "near_hotels", "nights_spent", "nights_table"]

#: Tries of a board with one rep, each with this share of the rounds of search; and how many in a row may fail.
_TRIES: Final = 60
_ROUNDS: Final = 0.2
_PATIENCE: Final = 12
#: Of more hotels than this, a board looks at so many of the nearest of each customer.
_MANY: Final = 60
_NEAREST: Final = 3


@dataclass(frozen=True, eq=False)
class Overnight:
    """Overnight tours of a board.

    Attributes
    ----------
    reps : Reps
        Those of the board's desks, in their order.
    hotels : Hotels, optional
        Those that the desks know.
    """

    reps: Reps
    hotels: Hotels | None

    def tours(
        self, board: Board, calls: Calls, problem: RoutingProblem, found: RoutingSolution,
        problem_of: Callable[[Board], RoutingProblem], *, iterations: int, seed: int, deadline: float,
    ) -> tuple[Board, RoutingProblem, RoutingSolution]:  # fmt: skip
        """Return a board's plan with the nights away that pay.

        Parameters
        ----------
        board, calls, problem, found : Board, Calls, RoutingProblem, RoutingSolution
            Planned without.
        problem_of : callable
            Makes the routing problem of the board with nights.
        iterations : int
            Rounds of search of the whole board; each try takes a fifth.
        seed : int
        deadline : float
            Monotonic seconds.

        Returns
        -------
        Board, RoutingProblem, RoutingSolution
            With its nights. It costs no more than the one without.

        Raises
        ------
        KeyboardInterrupt

        Notes
        -----
        A local search. Changes (a night between two days, with whole days exchanged so that far visits come
        together; a night where a visit is missed; another place; a night at home) are ranked by what they save with
        the visits as they are, to the letter but for hours. The best that do not touch each other are tried
        together, and by halves where that does not pay: the routing problem in which the days end and begin there is
        searched again, from the routes that there are. What costs less, nights included, stays.
        """
        rules = night_rules(board, self.reps, self.hotels, calls)
        if not rules.evenings or not any(np.isfinite(p).any() for p in rules.price):
            return board, problem, found
        now = costed(board, problem, found, rules)
        search = _Search(calls, rules, problem_of, max(1, int(_ROUNDS * iterations)), seed, deadline)
        now = search.best(now, _TRIES * len(board.desks))
        return now.board, now.problem, now.found


class _Search:
    """The local search over nights."""

    def __init__(
        self, calls: Calls, rules: NightRules, problem_of: Callable[[Board], RoutingProblem], iterations: int,
        seed: int, deadline: float,
    ) -> None:  # fmt: skip
        self.calls, self.rules, self.problem_of = calls, rules, problem_of
        self.iterations, self.seed, self.deadline = iterations, seed, deadline
        self.failed: set[tuple[object, ...]] = set()

    def best(self, now: Away, tries: int) -> Away:
        """Return the plan after the changes that paid."""
        patience, batch = _PATIENCE, self.batch(now)
        while batch and tries > 0 and patience > 0 and monotonic() < self.deadline:
            better = self.tried(now, batch)
            tries -= 1
            if better is not None:
                now, patience, batch = better, _PATIENCE, self.batch(better)
            elif len(batch) > 1:
                batch = batch[: (len(batch) + 1) // 2]
            else:
                patience -= 1
                self.failed.add(batch[0].key)
                batch = self.batch(now)
        return now

    def batch(self, now: Away) -> list[Move]:
        """Return the most promising changes that do not touch each other; where none saves, the best one alone."""
        missed = [k for k, _ in now.found.unserved]
        moves = moves_of(now, self.calls, self.rules, missed)
        chosen: list[Move] = []
        touched: set[Shift] = set()
        for move in moves:
            if move.key in self.failed or not np.isfinite(move.saving):
                continue
            if chosen and move.saving <= 0:
                break
            if touched & move.touched or not self.rules.allow(_nights(now.board, [*chosen, move])):
                continue
            chosen.append(move)
            touched |= move.touched
            if move.saving <= 0:
                break
        return chosen

    def tried(self, now: Away, moves: Sequence[Move]) -> Away | None:
        """Return the plan with some changes, if it costs less."""
        board = replace(now.board, nights=_nights(now.board, moves))
        orders = now.orders
        for move in moves:
            orders |= dict(move.orders)
        found = solved(
            board, self.problem_of(board), self.rules, orders, iterations=self.iterations, seed=self.seed,
            deadline=self.deadline,
        )  # fmt: skip
        return found if found is not None and found.beats(now) else None


def _nights(board: Board, moves: Sequence[Move]) -> dict[Shift, int]:
    nights = dict(board.nights)
    for move in moves:
        for shift, place in move.nights:
            if place == HOME:
                nights.pop(shift, None)
            else:
                nights[shift] = place
    return dict(sorted(nights.items()))


def nights_spent(horizon: Horizon, reps: Reps, task: BoardTask) -> list[tuple[int, int, int, int, float]]:
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
    rep, day, customer, hotel = np.array([row[:4] for row in ordered], np.int32).reshape(-1, 4).T
    lon, lat = np.zeros(len(ordered)), np.zeros(len(ordered))
    for at, table in ((customer, customers), (hotel, hotels)):
        if table is not None:
            lon[at >= 0], lat[at >= 0] = table.lon[at[at >= 0]], table.lat[at[at >= 0]]
    return Nights(
        rep_idx=rep, day=day.astype("datetime64[D]"), customer_idx=customer, hotel_idx=hotel, lon=lon, lat=lat,
        cost=np.array([row[4] for row in ordered], np.float64),
    )  # fmt: skip
