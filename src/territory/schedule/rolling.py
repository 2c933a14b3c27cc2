"""Planning again: what an earlier plan has promised, and what it would cost to change the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.model.arrays import text_array
from territory.model.enums import Commitment, VisitKind
from territory.model.visits import Visits
from territory.model.zones import local
from territory.schedule.leads import generated
from territory.schedule.singles import with_oneself
from territory.units import DAY_S

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from territory.model.arrays import BoolArray, IdxArray, TextArray
    from territory.model.customers import Customers
    from territory.model.plan import Plan
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings
    from territory.routing.board import Board
    from territory.routing.calls import Calls

__all__ = ["Before", "as_before", "earlier_routes", "promised_visits"]


@dataclass(frozen=True, slots=True)
class Before:
    """A visit of an earlier plan: its customer and its row of the plan's visits (-1: by interval), in new positions.

    `firm` tells that it has been promised, and costs more to change.
    """

    customer: int
    number: int
    firm: bool


def promised_visits(
    previous: Plan | None, visits: Visits | None, customers: Customers, reps: Reps, settings: PlanSettings,
    owner: IdxArray,
) -> Visits | None:  # fmt: skip
    """Return the single visits to plan: those that are given, or else those of before, and what has been promised.

    A stop by interval that was confirmed for its week or day, or with its time, becomes a single visit within that
    week, on that day, at that time. Stops outside the horizon, and of customers or reps who are gone, are left out.
    A visit of two reps, the second of whom has taken over the customer, stays one of both, or is made by that one.

    Parameters
    ----------
    previous : Plan, optional
    visits : Visits, optional
        None: the visits of the earlier plan that are still to come.
    customers, reps : Customers, Reps
    settings : PlanSettings
    owner : int32 array of shape (n,)
        Each customer's rep; -1: none.
    """
    if previous is None:
        return visits
    here, there = set(customers.id.tolist()), set(reps.id.tolist())
    earlier = _still_to_come(previous, here, there, settings)
    if earlier is not None:
        earlier = _both(previous, earlier, with_oneself(earlier, customers, reps, owner), there)
    own = _with_earlier(visits, earlier)
    s = previous.stops
    if s.commitment is None:
        return own
    wall = local(s.start, _zones(previous))
    rows = []
    taken = set() if own is None else set(own.id.tolist())
    names, rep_names = previous.customers.id.tolist(), previous.reps.id.tolist()
    for i in np.flatnonzero(s.commitment >= Commitment.CONFIRMED_WEEK).tolist():
        single = s.visit_idx is not None and int(s.visit_idx[i]) >= 0
        name, rep, day = names[int(s.customer_idx[i])], rep_names[int(s.rep_idx[i])], s.day[i]
        if single or name not in here or rep not in there or not settings.start <= day < settings.end:
            continue
        level = int(s.commitment[i])
        first, last = _promised_days(day, level, settings)
        time_s = float(int(wall[i].astype(np.int64)) % DAY_S) if level == Commitment.FIXED else np.nan
        remote = s.remote is not None and bool(s.remote[i])
        length = float((s.end[i] - s.start[i]).astype(np.int64))
        rows.append((_promise_id(name, day, taken), name, first, last, day, rep, level, time_s, remote, length))
    if not rows:
        return own
    ids, who, first_days, last_days, due, by, levels, times, remotes, lengths = zip(*rows, strict=True)
    kept = Visits(
        id=text_array(list(ids)), customer_id=text_array(list(who)), earliest=np.array(first_days, "M8[D]"),
        latest=np.array(last_days, "M8[D]"), due=np.array(due, "M8[D]"), rep_id=text_array(list(by)),
        kind=np.full(len(rows), VisitKind.REGULAR), commitment=np.array(levels, np.int8), time_s=np.array(times),
        remote=np.array(remotes, np.bool_), service_s=np.array(lengths),
    )  # fmt: skip
    return kept if own is None else own.joined(kept)


def _promise_id(name: str, day: np.datetime64, taken: Collection[str]) -> str:
    """Return the id of a visit by interval that has been promised for a day: one that is not taken."""
    found = f"{name}@{day}"
    while found in taken:
        found += "'"
    return found


def _zones(plan: Plan) -> TextArray:
    """Return the zone of each stop's customer: its own, or the rep's."""
    s, n = plan.stops, len(plan.stops)
    own: Any = np.full(n, "", object)
    if plan.reps.timezone is not None:
        own = plan.reps.timezone[s.rep_idx].astype(object)
    if plan.customers.timezone is not None:
        named = plan.customers.timezone[s.customer_idx].astype(object)
        own = np.where(named == "", own, named)
    return text_array(own.tolist())


def _still_to_come(previous: Plan, here: set[str], there: set[str], settings: PlanSettings) -> Visits | None:
    """Return the single visits of an earlier plan that are not past, but for those that planning adds itself."""
    v = previous.visits
    if v is None:
        return None
    past = np.zeros(len(v), np.bool_)
    s = previous.stops
    if s.visit_idx is not None:
        made = s.visit_idx[(s.visit_idx >= 0) & (s.day < settings.start)]
        past[made] = True
    if v.kind is not None:
        past &= v.kind != VisitKind.EVENT
    past |= v.latest < settings.start
    past |= ~np.isin(v.customer_id.tolist(), list(here))
    for column in (v.rep_id, v.second_rep_id):
        if column is not None:
            past |= ~np.isin(column.tolist(), [*there, ""])
    left = np.flatnonzero(~past)
    if not len(left):
        return None
    kept = _narrowed(previous, v, settings).take(left)
    # follow-ups that planning adds itself are worked out anew, but for those that have been promised
    anew = generated(kept) & (kept.commitment_of() < Commitment.CONFIRMED_WEEK)
    return kept.take(np.flatnonzero(~anew)) if not anew.all() else None


def _both(previous: Plan, visits: Visits, alone: BoolArray, there: Collection[str]) -> Visits:
    """Return visits of which those in `alone` name who made them before; whoever is gone leaves them to the second."""
    if visits.second_rep_id is None or not alone.any():
        return visits
    plan_rep = np.zeros(len(previous.customers), np.int32)
    by = plan_rep if previous.alignment is None else previous.alignment.customer_rep_idx
    before = dict(zip(previous.customers.id.tolist(), np.append(previous.reps.id, "")[by].tolist(), strict=True))
    first = [""] * len(visits) if visits.rep_id is None else visits.rep_id.tolist()
    second = visits.second_rep_id.tolist()
    for v in np.flatnonzero(alone).tolist():
        name = before[str(visits.customer_id[v])]
        first[v], second[v] = (name, second[v]) if name in there and name != second[v] else (second[v], "")
    return replace(visits, rep_id=text_array(first), second_rep_id=text_array(second))


def _with_earlier(visits: Visits | None, earlier: Visits | None) -> Visits | None:
    """Return the visits that are given and, of those of before, what only the earlier plan knows: its promises."""
    if visits is None or earlier is None:
        return earlier if visits is None else visits
    if earlier.kind is None:
        return visits
    known = np.isin(earlier.id.tolist(), visits.id.tolist())
    promises = np.flatnonzero(((earlier.kind == VisitKind.REGULAR) | generated(earlier)) & ~known)
    return visits.joined(earlier.take(promises)) if len(promises) else visits


def _narrowed(previous: Plan, visits: Visits, settings: PlanSettings) -> Visits:
    """Return the single visits of an earlier plan within what was promised since: their week, day or time."""
    s = previous.stops
    if s.visit_idx is None or s.commitment is None:
        return visits
    level = visits.commitment_of().copy()
    earliest, latest = visits.earliest.copy(), visits.latest.copy()
    time_s = np.full(len(visits), np.nan) if visits.time_s is None else visits.time_s.copy()
    wall = local(s.start, _zones(previous))
    for i in np.flatnonzero((s.visit_idx >= 0) & (s.day >= settings.start) & (s.day < settings.end)).tolist():
        v, said = int(s.visit_idx[i]), int(s.commitment[i])
        if said <= level[v] or (visits.kind is not None and visits.kind[v] == VisitKind.EVENT):
            continue
        level[v] = said
        first, last = _promised_days(s.day[i], said, settings)
        earliest[v], latest[v] = max(first, earliest[v]), min(last, latest[v])
        if said == Commitment.FIXED:
            time_s[v] = float(int(wall[i].astype(np.int64)) % DAY_S)
    timed = None if np.isnan(time_s).all() else time_s
    due = None if visits.due is None else np.clip(visits.due, earliest, latest)
    return replace(visits, earliest=earliest, latest=latest, due=due, time_s=timed, commitment=level)


def _promised_days(day: np.datetime64, level: int, settings: PlanSettings) -> tuple[np.datetime64, np.datetime64]:
    """Return the days within which a promise is kept: its week, as far as it lies in the horizon, or its day."""
    if level != Commitment.CONFIRMED_WEEK:
        return day, day
    monday = day - np.timedelta64((int(day.astype(np.int64)) + 3) % 7, "D")
    return max(monday, settings.start), min(monday + np.timedelta64(6, "D"), settings.end - np.timedelta64(1, "D"))


def earlier_routes(
    previous: Plan | None, visits: Visits | None, customers: Customers, reps: Reps, settings: PlanSettings
) -> dict[tuple[int, int], list[Before]]:
    """Return the routes of an earlier plan by rep and day of the horizon, in new positions, in their order."""
    if previous is None:
        return {}
    row_of = {name: i for i, name in enumerate(customers.id.tolist())}
    rep_of = {name: i for i, name in enumerate(reps.id.tolist())}
    number_of = {} if visits is None else {name: i for i, name in enumerate(visits.id.tolist())}
    old_ids = [] if previous.visits is None else previous.visits.id.tolist()
    s, found = previous.stops, dict[tuple[int, int], list[Before]]()
    names, rep_names = previous.customers.id.tolist(), previous.reps.id.tolist()
    for i in range(len(s)):
        n = int((s.day[i] - settings.start).astype(np.int64))
        name, rep = names[int(s.customer_idx[i])], rep_of.get(rep_names[int(s.rep_idx[i])])
        if rep is None or name not in row_of or not 0 <= n < settings.n_days:
            continue
        old = -1 if s.visit_idx is None else int(s.visit_idx[i])
        label = old_ids[old] if old >= 0 else f"{name}@{s.day[i]}"
        level = Commitment.PLANNED if s.commitment is None else Commitment(int(s.commitment[i]))
        if level is Commitment.SUGGESTED:
            continue
        number = number_of.get(label, -1)
        found.setdefault((rep, n), []).append(Before(row_of[name], number, level >= Commitment.CONFIRMED_WEEK))
    return found


def as_before(
    board: Board, calls: Calls, routes: Mapping[tuple[int, int], Sequence[Before]]
) -> tuple[BoolArray, BoolArray, dict[tuple[int, int], list[int]]]:
    """Return where calls stood in earlier routes.

    Parameters
    ----------
    board : Board
    calls : Calls
    routes : mapping of desk and day to visits
        In positions of the board.

    Returns
    -------
    baseline : bool array of shape (m, number of shifts)
    firm : bool array of shape (m,)
        Calls that have been promised.
    start : dict of desk and day to calls in order
    """
    baseline = np.zeros((len(calls), len(board.shifts)), np.bool_)
    firm = np.zeros(len(calls), np.bool_)
    by_number: dict[int, list[int]] = {}
    by_row: dict[int, list[int]] = {}
    for k in range(len(calls)):
        number = int(calls.visit_idx[k])
        (by_number if number >= 0 else by_row).setdefault(number if number >= 0 else int(calls.row[k]), []).append(k)
    start: dict[tuple[int, int], list[int]] = {}
    # what is made once stood in one place
    often = calls.rhythmic | np.array([p is not None for p in calls.patterns], np.bool_)
    taken: set[int] = set()
    for s, (r, n) in enumerate(board.shifts):
        for one in routes.get((r, n), ()):
            among = by_number.get(one.number, []) if one.number >= 0 else by_row.get(one.customer, [])
            # a joint visit has a call for each rep, a rhythm in pieces one for each piece
            fits = [
                k
                for k in among
                if calls.low[k] <= n <= calls.high[k] and calls.rep[k] in (-1, r) and (often[k] or k not in taken)
            ]
            if fits:
                taken.add(fits[0])
                baseline[fits[0], s] = True
                firm[fits[0]] |= one.firm
                start.setdefault((r, n), []).append(fits[0])
    return baseline, firm, start
