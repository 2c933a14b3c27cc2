"""The smallest change for every visit of a plan that found no place: within its rep's days, else by who serves whom."""

from __future__ import annotations

import math
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.geo.sphere import great_circle_m
from territory.model.arrays import NO_IDX, text_array
from territory.model.eligibility import eligibility
from territory.model.enums import Commitment, Reason, VisitKind
from territory.routing.desk import Desk, service_times
from territory.routing.eligible import may_serve
from territory.schedule.cadence import cadence_of
from territory.schedule.changes import Change, sentence
from territory.schedule.changes_bench import Stop
from territory.schedule.changes_days import Missed
from territory.schedule.changes_edit import allow_rep, alone, set_number, teach
from territory.schedule.changes_find import Finder
from territory.schedule.leads import follow_ups
from territory.schedule.singles import read_singles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.model.plan import Plan
    from territory.travel import Travel

__all__ = ["with_changes"]

#: Reps who are asked whether they could, the nearest ones.
_NEAREST: Final = 5
#: Time for a look at least, seconds.
_LEAST_S: Final = 0.1
_NONE: Final = "no single change of days, hours or reps lets it in"


def with_changes(plan: Plan, travel: Travel, *, until: float = math.inf) -> Plan:
    """Return a plan that says for each visit without a place which smallest change would let it in.

    Parameters
    ----------
    plan : Plan
    travel : Travel
        That the plan was made with.
    until : float
        Monotonic seconds; what was not looked into by then is left blank, after a tenth of a second at least.

    Returns
    -------
    Plan
        With ``unassigned.change`` (a sentence), ``change_code``, ``change_amount`` and ``change_day``; see
        `territory.schedule.changes` for codes, amounts, and which change is the smaller. Code and day are blank
        where no single change helps.

    Notes
    -----
    One travel matrix a rep with missed visits; some milliseconds a missed visit at most.
    """
    n = len(plan.unassigned)
    search = _Search(plan, travel, max(until, monotonic() + _LEAST_S))
    found = search.own_days()
    found |= search.by_others([u for u in range(n) if u not in found])
    days = plan.settings.days
    none = "" if search.late else _NONE
    columns: dict[str, Any] = {
        "change": text_array([sentence(*found[u]) if u in found else none for u in range(n)]),
        "change_code": text_array([found[u][0].code if u in found else "" for u in range(n)]),
        "change_amount": np.array([found[u][0].amount if u in found else 0 for u in range(n)], np.int64),
        "change_day": np.array(
            [days[found[u][0].day] if u in found else np.datetime64("NaT", "D") for u in range(n)], "datetime64[D]"
        ),
    }
    return replace(plan, unassigned=replace(plan.unassigned, **columns))


class _Search:
    """A plan's days by rep, and what is missing in them."""

    def __init__(self, plan: Plan, travel: Travel, until: float) -> None:
        self.plan, self.travel, self.until = plan, travel, until
        self.late = False
        self.first = int(plan.settings.start.astype(np.int64))
        u = plan.unassigned
        self.who, self.rep = u.customer_idx.tolist(), u.rep_idx.tolist()
        self.due = (u.due.astype("datetime64[D]").astype(np.int64) - self.first).tolist()
        self.single = [-1] * len(u) if u.visit_idx is None else u.visit_idx.tolist()
        self.reason = u.reason.tolist()
        self.refused = [reason == str(Reason.NO_ELIGIBLE_REP) for reason in self.reason]
        self.service = service_times(plan.customers, plan.settings)
        owner = np.zeros(len(plan.customers), np.int32)
        if plan.alignment is not None:
            owner = plan.alignment.customer_rep_idx
        singles = read_singles(plan.visits, plan.customers, plan.reps, plan.settings, owner)
        self.singles = {one.number: one for one in singles}
        added = follow_ups(plan.customers, plan.settings)
        given = set() if added is None else set(added.id.tolist())
        # what the planner adds itself has the days that it has
        self.added = set() if plan.visits is None else {v for v, i in enumerate(plan.visits.id.tolist()) if i in given}
        self.events: dict[int, list[int]] = {}
        stop_day = (plan.stops.day.astype(np.int64) - self.first).tolist()
        for c, n in zip(plan.stops.customer_idx.tolist(), stop_day, strict=True):
            self.events.setdefault(c, []).append(n)
        for c, n in zip(self.who, self.due, strict=True):
            self.events.setdefault(c, []).append(n)

    def own_days(self) -> dict[int, tuple[Change, Any, str]]:
        """Return changes within the days of the reps to whom the missed visits belong."""
        mine: dict[int, list[int]] = {}
        for u, rep in enumerate(self.rep):
            if rep != NO_IDX and not self.refused[u]:
                mine.setdefault(rep, []).append(u)
        found: dict[int, tuple[Change, Any, str]] = {}
        for rep, rows in mine.items():
            finder, at = self.finder(rep, (self.who[u] for u in rows))
            for u in rows:
                if self.out_of_time():
                    return found
                one = self.missed(finder, at[self.who[u]], u)
                change = None
                if one is not None:
                    cold = self.reason[u] == str(Reason.LOWER_VALUE)
                    change = finder.find_detour(one) if cold else finder.find(one)
                if change is not None:
                    found[u] = (change, self.plan.settings.days, str(self.plan.reps.id[rep]))
        return found

    def by_others(self, rows: list[int]) -> dict[int, tuple[Change, Any, str]]:
        """Return changes in who serves whom."""
        plan = self.plan
        may = self.able(rows)
        placed = set() if plan.alignment is None else set(plan.alignment.rep_idx.tolist())
        asked: dict[int, list[tuple[int, str, int]]] = {}
        for u in rows:
            c, own = self.who[u], self.rep[u]
            if own != NO_IDX and self.refused[u]:
                for code, amount in self.obstacle(c, own):
                    asked.setdefault(own, []).append((u, code, amount))
            single = self.singles.get(self.single[u])
            if plan.alignment is None or len(plan.reps) == 1 or (single is not None and single.bound):
                continue
            far = great_circle_m(plan.customers.lon[c], plan.customers.lat[c], plan.reps.lon, plan.reps.lat)
            near = [r for r in np.argsort(far, kind="stable").tolist() if r != own and r in placed and may[u][r]]
            for r in near[:_NEAREST]:
                asked.setdefault(r, []).append((u, "rep", r))
        best: dict[int, tuple[Change, Any, str]] = {}
        for rep, wanted in sorted(asked.items()):
            finder, at = self.finder(rep, (self.who[u] for u, _, _ in wanted))
            for u, code, amount in wanted:
                if self.out_of_time():
                    return best
                one = self.missed(finder, at[self.who[u]], u)
                day = None if one is None else finder.as_it_is(one)
                if day is None:
                    continue
                change = Change(code, amount, day)
                if u not in best or change.key < best[u][0].key:
                    best[u] = (change, plan.settings.days, str(plan.reps.id[rep]))
        return best

    def out_of_time(self) -> bool:
        """Return whether the time is up, and remember it."""
        self.late = self.late or monotonic() > self.until
        return self.late

    def able(self, rows: list[int]) -> dict[int, Any]:
        """Return which reps may serve the customer of each missed visit, bool arrays of shape (r,)."""
        plan = self.plan
        who = [self.who[u] for u in rows]
        # a customer may be missed more than once
        distinct, at = np.unique(np.array(who, np.int64), return_inverse=True)
        allowed = eligibility(plan.customers.take(distinct), plan.reps)
        if allowed is None:
            allowed = np.ones((len(distinct), len(plan.reps)), np.bool_)
        return {u: allowed[at[k]] for k, u in enumerate(rows)}

    def obstacle(self, c: int, rep: int) -> list[tuple[str, int]]:
        """Return the one change that makes a rep eligible, as code and amount; nothing: there is none."""
        customers, reps = self.plan.customers, self.plan.reps
        needs = frozenset() if customers.required_skills is None else customers.required_skills[c]
        lacks = sorted(needs - (frozenset() if reps.skills is None else reps.skills[rep]))
        one, pair = alone(customers, c), reps.take([rep])
        tries: list[tuple[str, int, Any, Any]] = []
        if lacks:
            tries.append(("skill", len(lacks), one, teach(pair, 0, lacks)))
        if customers.forbidden_reps is not None and str(reps.id[rep]) in customers.forbidden_reps[c]:
            tries.append(("allow-rep", 1, allow_rep(one, 0, str(reps.id[rep])), pair))
        if customers.locked is not None and customers.locked[c]:
            tries.append(("unlock", 1, set_number(one, "locked", 0, False, False), pair))  # noqa: FBT003
        return [(code, amount) for code, amount, a, b in tries if may_serve(a, b, 0)[0]]

    def finder(self, rep: int, who: Iterable[int]) -> tuple[Finder, dict[int, int]]:
        """Return a rep's days with some more customers, and where on its desk each customer is."""
        plan, stops = self.plan, self.plan.stops
        mine = np.flatnonzero(stops.rep_idx == rep)
        evenings, hosts, inns = self.nights(rep)
        rows = np.unique(np.concatenate([stops.customer_idx[mine], np.fromiter(who, np.int32), hosts[hosts >= 0]]))
        rows = rows.astype(np.int32)
        at = {c: v for v, c in enumerate(rows.tolist())}
        # the desk's tables are small ones, so that every look at a row is cheap
        customers = plan.customers.take(rows)
        own = np.arange(len(rows), dtype=np.int32)
        used = np.unique(inns[inns >= 0])
        hotels = None if plan.hotels is None else plan.hotels.take(used)
        desk = Desk(customers, plan.reps, rep, own, plan.settings, self.travel, hotels)
        slept = {
            n: at[c] + 1 if c >= 0 else desk.end + 1 + int(np.searchsorted(used, h))
            for n, c, h in zip(evenings.tolist(), hosts.tolist(), inns.tolist(), strict=True)
        }
        ends = {n: (slept.get(n - 1, 0), slept.get(n, desk.end)) for m in slept for n in (m, m + 1)}
        routes: dict[int, list[Stop]] = {}
        day = (stops.day[mine].astype(np.int64) - self.first).tolist()
        start = stops.start[mine].astype("datetime64[s]").astype(np.int64)
        length = (stops.end[mine].astype("datetime64[s]").astype(np.int64) - start).tolist()
        for k in np.lexsort((stops.position[mine], day)).tolist():
            s = mine[k]
            fixed = stops.visit_idx is not None and int(stops.visit_idx[s]) >= 0
            remote = stops.remote is not None and bool(stops.remote[s])
            routes.setdefault(day[k], []).append(
                Stop(at[int(stops.customer_idx[s])], length[k], int(start[k]), fixed, remote)
            )
        stretch = plan.settings.stretch.get(str(plan.reps.id[rep]), 1.0)
        return Finder(desk, routes, cadence_of(customers, plan.settings, stretch=stretch), ends), at

    def nights(self, rep: int) -> tuple[Any, Any, Any]:
        """Return the evenings that a rep is away, days of the horizon, the customers and the hotels; -1: none."""
        nights = self.plan.nights
        if nights is None:
            return (np.zeros(0, np.int32),) * 3
        mine = np.flatnonzero(nights.rep_idx == rep)
        return nights.day[mine].astype(np.int64) - self.first, nights.customer_idx[mine], nights.hotel_idx[mine]

    def missed(self, finder: Finder, row: int, u: int) -> Missed | None:
        """Return a row of the plan's missed visits as the finder knows it.

        None: it does not stand for itself, but for a visit of two reps together, or for a set of days.
        """
        c, day, cadence = self.who[u], self.due[u], finder.cadence
        if str(self.plan.customers.id[c]) in self.plan.settings.day_sets:
            return None
        single = self.singles.get(self.single[u])
        if single is not None:
            if single.second_rep >= 0:
                return None
            event = single.kind is VisitKind.EVENT
            low, high = (day, day) if event else (single.low, single.high)
            agreed = event or single.kind is VisitKind.APPOINTMENT or single.commitment >= Commitment.CONFIRMED_DAY
            return Missed(
                row, day, low, high, single.service_s, single=True, remote=single.remote, time_s=single.time_s,
                any_day=agreed, any_hour=event or single.time_s >= 0,
                any_date=not event and single.number not in self.added,
            )  # fmt: skip
        low, high = int(cadence.first_low[row]), int(cadence.first_high[row])
        before = max((n for n in self.events[c] if n < day), default=None)
        if before is not None:
            low, high = before + int(cadence.gap_low[row]), before + int(cadence.gap_high[row])
        return Missed(row, day, min(low, day), max(high, day), int(self.service[c]))
