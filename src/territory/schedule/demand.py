"""What a horizon has to place: the rhythms of customers, and the single visits between them, as calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.model.enums import Channel, Commitment, Stage, VisitKind
from territory.routing.calls import ANY, DAYS_WAIVED, HOURS_WAIVED, Calls
from territory.routing.desk import service_times
from territory.schedule.anchors import Piece, around
from territory.schedule.leads import leads_of
from territory.schedule.singles import narrowed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from territory.model.arrays import BoolArray, FloatArray, IntArray
    from territory.model.customers import Customers
    from territory.model.settings import PlanSettings
    from territory.routing.board import Board
    from territory.schedule.cadence import Cadence
    from territory.schedule.singles import Single

__all__ = ["PER_DAY_OFF", "Prices", "day_sets_of", "demand"]

#: Cost of a day off the interval, in seconds of driving: a tie-break that saves visits no driving.
PER_DAY_OFF: Final = 30.0
#: How many usual visits a promise is worth, by commitment; hot leads are worth ten.
_PROMISE: Final = {
    Commitment.SUGGESTED: 1.0, Commitment.PLANNED: 2.0, Commitment.CONFIRMED_WEEK: 20.0,
    Commitment.CONFIRMED_DAY: 50.0, Commitment.FIXED: 100.0,
}  # fmt: skip
_HOT: Final = 10.0


@dataclass(frozen=True, eq=False)
class Prices:
    """What visits are worth to the search.

    Attributes
    ----------
    worth : float array of shape (n,)
        Of a visit by interval of each of n customers; 1: a usual one.
    drive_s : float
        Of a second at the wheel.
    weekday_s, time_s : float
        Of a visit on another weekday than the customer's visit before, and of one an hour earlier or later in
        the day, in seconds at the wheel.
    change_s : float
        Of a visit in another shift than in an earlier plan, in seconds at the wheel.
    """

    worth: FloatArray
    drive_s: float
    weekday_s: float = 0.0
    time_s: float = 0.0
    change_s: float = 0.0


@dataclass
class _Rows:
    """Columns of calls as they come in."""

    rows: list[tuple[float, ...]]

    def add(
        self, row: int, service_s: int, value: float, low: int, high: int, due: int, *, time_s: int = ANY,
        waived: int = 0, remote: bool = False, rep: int = ANY, visit_idx: int = ANY,
        commitment: int = Commitment.PLANNED, partner: int = ANY, detour_s: int = ANY,
    ) -> None:  # fmt: skip
        """Add a single call."""
        self.rows.append(
            (
                row, service_s, value, low, high, due, time_s, waived, remote, rep, visit_idx, commitment, partner,
                detour_s,
            )
        )  # fmt: skip

    def calls(self) -> Calls:
        names = (
            "row", "service_s", "value", "low", "high", "due", "time_s", "waived", "remote", "rep", "visit_idx",
            "commitment", "partner", "detour_s",
        )  # fmt: skip
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(names)
        kinds = {"value": np.float64, "remote": np.bool_}
        arrays: dict[str, Any] = {n: np.array(c, kinds.get(n, np.int64)) for n, c in zip(names, columns, strict=True)}
        return Calls(**arrays)


def demand(
    board: Board, customers: Customers, settings: PlanSettings, cadence: Cadence, singles: Sequence[Single],
    prices: Prices, owner: IntArray,
) -> Calls:  # fmt: skip
    """Return the calls of a board.

    Parameters
    ----------
    board : Board
    customers : Customers, length n
        Those of the board, in its order.
    settings : PlanSettings
    cadence : Cadence
        Of these customers.
    singles : sequence of Single
        Their single visits, ordered by day; also those that a rep of another board makes.
    prices : Prices
    owner : int array of shape (n,)
        The desk that each customer belongs to; -1: none of these.

    Returns
    -------
    Calls
        First the rhythms, by customer; then the single calls.
    """
    # days off the meant ones, other weekdays and moved visits together never cost more than a visit
    days = settings.n_days
    aside = PER_DAY_OFF * days + prices.weekday_s * (1 + days // 7) + 2.0 * prices.change_s
    usual = board.usual + 2.0 * prices.drive_s * aside
    service = service_times(customers, settings)
    away = settings.service_by_kind.get("remote")
    remote_service = service if away is None else np.full(len(customers), away, np.int64)
    leads = leads_of(customers)
    value = usual * prices.worth * np.where(leads.hot, _HOT, 1.0)
    value = np.where(cadence.cold, settings.cold_detour_s * prices.drive_s, value)
    near = np.where(cadence.cold, settings.cold_detour_s, ANY)
    first_field, remote = _contacts(customers, settings)
    by_customer: dict[int, list[Single]] = {}
    for one in singles:
        by_customer.setdefault(one.customer, []).append(one)
    rhythm: list[int] = []
    beats: dict[str, list[int]] = {"first_low_day": [], "first_high_day": [], "first_due_day": []}
    rows = _Rows([])
    sets = day_sets_of(customers, settings, owner)
    taken = {i: {n for each in of for n in each} for i, of in sets.items()}
    busy: dict[int, list[Single]] = {}
    for i in range(len(customers)):
        mine = narrowed(by_customer.get(i, []), int(cadence.gap_low[i]) if cadence.wanted[i] else 0, taken.get(i, ()))
        anchors = [Piece(one.low, one.high, one.due) for one in mine if one.anchor and not one.refused]
        if cadence.wanted[i] and owner[i] >= 0 and (anchors or cadence.due[i]):
            pieces, beat = around(cadence, i, anchors, settings.n_days, single=bool(first_field[i]))
            for k, piece in enumerate(pieces):
                first = k == 0 and not (anchors and anchors[0].low < piece.low)
                afar = bool(remote[i]) or (bool(first_field[i]) and not first)
                length = remote_service if afar else service
                rep = int(owner[i]) if afar else ANY
                rows.add(i, int(length[i]), float(value[i]), *piece, remote=afar, rep=rep, detour_s=int(near[i]))
            if beat is not None:
                rhythm.append(i)
                for name, day in zip(beats, beat, strict=True):
                    beats[name].append(day)
        if i in sets:
            busy[i] = [one for one in mine if one.anchor]
        for one in mine:
            _add_single(rows, one, usual)
    at = np.array(rhythm, np.int64)
    steady = Calls(
        row=at, service_s=np.where(remote[at], remote_service[at], service[at]), value=value[at], remote=remote[at],
        rep=np.where(remote[at], owner[at], ANY), gap_low_days=cadence.gap_low[at], gap_high_days=cadence.gap_high[at],
        gap_days=cadence.gap[at], interval_days=cadence.interval[at],
        off_cost=np.full(len(at), PER_DAY_OFF * prices.drive_s),
        # where no week fits between two visits, no weekday can be kept
        weekday_cost=np.where(
            cadence.gap_high[at] // 7 * 7 >= cadence.gap_low[at], prices.weekday_s * prices.drive_s, 0.0
        ),
        detour_s=near[at], last_weekday=_last_weekday(customers, settings)[at],
        **{name: np.array(days, np.int64) for name, days in beats.items()},
    )  # fmt: skip
    return Calls.concat([steady, rows.calls(), _by_sets(sets, service, value, busy)])


def day_sets_of(customers: Customers, settings: PlanSettings, owner: IntArray) -> dict[int, list[list[int]]]:
    """Return the sets of days of the customers who have any; those that do not lie in the horizon are none."""
    found = {}
    visited = _visited(customers)
    for i, name in enumerate(customers.id.tolist() if settings.day_sets else []):
        if name in settings.day_sets and owner[i] >= 0 and visited[i]:
            days = [
                sorted(int((np.datetime64(d) - settings.start).astype(np.int64)) for d in each)
                for each in settings.day_sets[name]
            ]
            within = [each for each in days if each[0] >= 0 and each[-1] < settings.n_days]
            if within:
                found[i] = within
    return found


def _by_sets(
    sets: Mapping[int, list[list[int]]], service: IntArray, value: FloatArray, busy: Mapping[int, Sequence[Single]]
) -> Calls:
    """Return the calls of customers with sets of days, without the days on which they may be visited anyway."""
    at = np.array(list(sets), np.int64)
    patterns, refused = [], np.zeros(len(sets), np.bool_)
    for k, (i, of) in enumerate(sets.items()):
        left = [each for each in of if not any(one.low <= n <= one.high for one in busy.get(i, ()) for n in each)]
        refused[k] = not left
        patterns.append(left or of)
    first = np.array([min(each[0] for each in p) for p in patterns], np.int64)
    low, high = np.where(refused, 1, 0), np.where(refused, 0, 1 << 20)
    return Calls(row=at, service_s=service[at], value=value[at], low=low, high=high, due=first, patterns=patterns)


def _contacts(customers: Customers, settings: PlanSettings) -> tuple[BoolArray, BoolArray]:
    """Return whose first visit ever is in the field, further ones remote; and who is only called. Shapes (n,)."""
    n = len(customers)
    if settings.remote != "after-first" or customers.channel is None:
        return np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    either = customers.channel == Channel.EITHER
    seen = np.zeros(n, np.bool_) if customers.last_visit is None else ~np.isnat(customers.last_visit)
    return either & ~seen, either & seen


def _visited(customers: Customers) -> BoolArray:
    """Return who is visited at all, shape (n,): neither lost nor served from inside."""
    found = np.ones(len(customers), np.bool_)
    if customers.channel is not None:
        found &= customers.channel != Channel.INSIDE
    if customers.stage is not None:
        found &= customers.stage != Stage.LOST
    return found


def _last_weekday(customers: Customers, settings: PlanSettings) -> IntArray:
    """Return the weekday of the last visits, counted from that of the first day; -1: never visited. Shape (n,)."""
    if customers.last_visit is None:
        return np.full(len(customers), ANY, np.int64)
    days = (customers.last_visit - settings.start).astype(np.int64) % 7
    return np.where(np.isnat(customers.last_visit), ANY, days)


def _add_single(rows: _Rows, one: Single, usual: float) -> None:
    """Add the calls of a single visit: of an event one a day, of a joint visit one a rep."""
    worth = one.worth if one.worth is not None else _PROMISE[one.commitment]
    waived = HOURS_WAIVED if one.kind is VisitKind.EVENT or one.time_s != ANY else 0
    if one.kind in (VisitKind.APPOINTMENT, VisitKind.EVENT) or one.commitment >= Commitment.CONFIRMED_DAY:
        waived = max(waived, DAYS_WAIVED)
    if one.rep < 0:
        return
    joint = one.second_rep >= 0
    rep = one.rep if one.bound or one.remote or joint else ANY
    days = range(one.low, one.high + 1) if one.kind is VisitKind.EVENT else [None]
    for day in days:
        low, high, due = (one.low, one.high, one.due) if day is None else (day, day, day)
        number = len(rows.rows)
        rows.add(
            one.customer, one.service_s, usual * worth, low, high, due, time_s=one.time_s, waived=waived,
            remote=one.remote, rep=rep, visit_idx=one.number, commitment=int(one.commitment),
            partner=number + 1 if joint else ANY,
        )  # fmt: skip
        if joint:
            rows.add(
                one.customer, one.service_s, usual * worth, low, high, due, time_s=one.time_s, waived=waived,
                remote=one.remote, rep=one.second_rep, visit_idx=one.number, commitment=int(one.commitment),
                partner=number,
            )  # fmt: skip
