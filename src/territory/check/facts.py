"""What the rules of a plan look at: its stops in order, who they belong to, and their travel, recomputed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.check.chains import Cadence, cadence_of
from territory.check.eligibility import aligned_positions
from territory.check.legs import Legs, legs_of
from territory.check.report import Violation
from territory.check.rows import Rows, lengths, rows_of
from territory.check.wall import as_text, local, zone_names
from territory.check.workdays import WorkDays

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.model.arrays import BoolArray, DayArray, IdxArray, InstantArray, IntArray
    from territory.model.plan import Plan
    from territory.travel import Travel

__all__ = ["PlanFacts", "gather", "seconds"]


@dataclass(frozen=True, eq=False)
class PlanFacts:
    """A plan laid out for checking; everything about stops is sorted by rep, day and position.

    Attributes
    ----------
    plan : Plan
    travel : Travel
    complete, cadence : bool
        See `check_plan`.
    row : int64 array of shape (m,)
        Row of each sorted stop in ``plan.stops``.
    rep, customer : int32 arrays of shape (m,)
    day : datetime64[D] array of shape (m,)
    arrival, start, end : datetime64[s] arrays of shape (m,)
    first, last : bool arrays of shape (m,)
        Whether the stop is the first, the last of its rep's day.
    route : int64 array of shape (m,)
        Row of its route; -1: none.
    group : int64 array of shape (m,)
        Number of its rep's day.
    route_group : int64 array of shape (number of routes,)
        Number of the route's rep and day; -1: it has no stops.
    first_stop, last_stop, count : int64 arrays of shape (number of groups,)
    """

    plan: Plan
    travel: Travel
    complete: bool
    cadence: bool
    row: IntArray
    rep: IdxArray
    customer: IdxArray
    day: DayArray
    arrival: InstantArray
    start: InstantArray
    end: InstantArray
    first: BoolArray
    last: BoolArray
    route: IntArray
    group: IntArray
    route_group: IntArray
    first_stop: IntArray
    last_stop: IntArray
    count: IntArray

    # -- names ----------------------------------------------------------------------------

    @cached_property
    def rep_zone(self) -> npt.NDArray[np.object_]:
        """Zone of each rep."""
        return zone_names(self.plan.reps.timezone, len(self.plan.reps))

    @cached_property
    def customer_zone(self) -> npt.NDArray[np.object_]:
        """Zone of each stop's customer: its own, or the rep's where it has none."""
        column = self.plan.customers.timezone
        own = zone_names(None if column is None else column[self.customer], len(self.customer))
        return np.where(own == "", self.rep_zone[self.rep], own)

    def rep_id(self, rep: Any) -> str:
        """Return a rep's id."""
        return str(self.plan.reps.id[int(rep)])

    def customer_id(self, customer: Any) -> str:
        """Return a customer's id."""
        return str(self.plan.customers.id[int(customer)])

    def row_id(self, row: Any) -> str:
        """Return the id of a row of ``plan.visits``."""
        return "?" if self.plan.visits is None else str(self.plan.visits.id[int(row)])

    def clock(self, instant: np.datetime64, rep: Any) -> str:
        """Write an instant on a rep's wall clock."""
        return as_text(instant, str(self.rep_zone[int(rep)]))

    def at_stop(self, code: str, i: Any, message: str, amount: float | None = None) -> Violation:
        """Make a violation at a sorted stop."""
        return Violation(
            code,
            message,
            customer_id=self.customer_id(self.customer[i]),
            rep_id=self.rep_id(self.rep[i]),
            day=self.day[i],
            amount=amount,
        )

    def at_day(self, code: str, i: Any, message: str, amount: float | None = None) -> Violation:
        """Make a violation of the rep's day of a sorted stop."""
        return Violation(code, message, rep_id=self.rep_id(self.rep[i]), day=self.day[i], amount=amount)

    def at_route(self, code: str, r: Any, message: str, amount: float | None = None) -> Violation:
        """Make a violation at a route."""
        routes = self.plan.routes
        return Violation(code, message, rep_id=self.rep_id(routes.rep_idx[r]), day=routes.day[r], amount=amount)

    def at_unassigned(self, code: str, u: Any, message: str) -> Violation:
        """Make a violation at an unassigned visit."""
        rows = self.plan.unassigned
        rep = rows.rep_idx[u]
        return Violation(
            code,
            message,
            customer_id=self.customer_id(rows.customer_idx[u]),
            rep_id=self.rep_id(rep) if rep >= 0 else None,
            day=rows.due[u],
        )

    # -- what the inputs say --------------------------------------------------------------

    @cached_property
    def rows(self) -> Rows:
        """The single visits of the plan."""
        return rows_of(self.plan)

    @cached_property
    def single(self) -> IntArray:
        """Row of ``plan.visits`` of each stop; -1: by the customer's interval."""
        return _singles(self.plan.stops.visit_idx, len(self.row))[self.row]

    @cached_property
    def left_single(self) -> IntArray:
        """Row of ``plan.visits`` of each unassigned visit; -1: by the customer's interval."""
        return _singles(self.plan.unassigned.visit_idx, len(self.plan.unassigned))

    @cached_property
    def aligned(self) -> IntArray | None:
        """Whom the alignment gives each customer of the plan; see `aligned_positions`."""
        return aligned_positions(self.plan)

    def of_row(self, name: str, *, absent: Any = False) -> npt.NDArray[Any]:
        """Return what the row of each stop says, as `Rows` calls it; `absent` for stops without a row."""
        return np.append(getattr(self.rows, name), absent)[self.single]

    @cached_property
    def remote(self) -> BoolArray:
        """Whether each stop is said to be a contact from the rep's home."""
        told = self.plan.stops.remote
        return np.zeros(len(self.row), dtype=bool) if told is None else told[self.row]

    @cached_property
    def event(self) -> BoolArray:
        """Whether each stop is an event, which is none of its customer's visits."""
        return self.of_row("event")

    @cached_property
    def free_days(self) -> BoolArray:
        """Whether each stop outranks call blocks, weekdays and the parity of weeks."""
        return self.of_row("free_days")

    @cached_property
    def free_hours(self) -> BoolArray:
        """Whether each stop outranks opening hours."""
        return self.of_row("free_hours")

    @cached_property
    def service_s(self) -> IntArray:
        """Length of each stop's visit, whole seconds."""
        return lengths(self.plan, self.rows, self.customer, self.single, self.remote)

    @cached_property
    def local_start(self) -> InstantArray:
        """Start of each visit on the customer's wall clock."""
        return local(self.start, self.customer_zone)

    @cached_property
    def local_end(self) -> InstantArray:
        """Last second of each visit on the customer's wall clock (its start, if it takes no time)."""
        return local(np.maximum(self.start, self.end - np.timedelta64(1, "s")), self.customer_zone)

    @cached_property
    def shift(self) -> tuple[InstantArray, InstantArray]:
        """Begin and end of the shift of each route, UTC; NaT where the rep has none that day."""
        routes = self.plan.routes
        begin = np.full(len(routes), np.datetime64("NaT", "s"))
        until = begin.copy()
        days = routes.day.astype("datetime64[D]").astype(np.int64).tolist()
        for r, (rep, day) in enumerate(zip(routes.rep_idx.tolist(), days, strict=True)):
            hours = self.work.shift(rep, day)
            if hours is not None:
                begin[r], until[r] = (np.datetime64(at, "s") for at in hours)
        return begin, until

    @cached_property
    def work(self) -> WorkDays:
        """When the reps work."""
        return WorkDays(self.plan.reps, self.plan.settings)

    def shift_s(self, rep: int, day: int) -> int:
        """Return how long a rep can be in the field on a day (from 1970), seconds; -1: not at all."""
        return self.work.field_s(rep, day)

    def on_leave(self, rep: int, day: int) -> bool:
        """Tell whether a rep is on leave on a day (from 1970)."""
        return self.work.leave(rep, day) is not None

    @cached_property
    def chains(self) -> Cadence:
        """When visits are due; its stops are the sorted ones."""
        return cadence_of(self.plan, self.rows, self.customer, self.day, self.single)

    # -- travel ---------------------------------------------------------------------------

    @cached_property
    def legs(self) -> Legs:
        """The travel of all legs."""
        return legs_of(self)


def _singles(column: IdxArray | None, n: int) -> IntArray:
    return np.full(n, -1, dtype=np.int64) if column is None else column.astype(np.int64)


def seconds(amount: npt.ArrayLike) -> npt.NDArray[Any]:
    """Turn numbers into durations."""
    return np.asarray(amount).astype("timedelta64[s]")


def _key(rep: IdxArray, day: DayArray) -> IntArray:
    """Give each rep's day a number of its own; days since 1970 are far fewer than 2**31."""
    return rep.astype(np.int64) * 2**32 + day.astype("datetime64[D]").astype(np.int64) + 2**31


def gather(plan: Plan, travel: Travel, *, complete: bool, cadence: bool) -> PlanFacts:
    """Sort the stops and find out which route each belongs to; O(m log m)."""
    stops, routes = plan.stops, plan.routes
    row = np.lexsort((stops.position, stops.day.astype("datetime64[D]").astype(np.int64), stops.rep_idx))
    key = _key(stops.rep_idx[row], stops.day[row])
    changes = key[1:] != key[:-1]
    edge = np.ones(min(1, len(key)), dtype=bool)
    first, last = np.concatenate([edge, changes]), np.concatenate([changes, edge])
    first_stop, last_stop = np.flatnonzero(first), np.flatnonzero(last)
    route_key = _key(routes.rep_idx, routes.day)
    by_key = np.argsort(route_key, kind="stable")
    return PlanFacts(
        plan=plan,
        travel=travel,
        complete=complete,
        cadence=cadence,
        row=row.astype(np.int64),
        rep=stops.rep_idx[row],
        customer=stops.customer_idx[row],
        day=stops.day[row].astype("datetime64[D]"),
        arrival=stops.arrival[row].astype("datetime64[s]"),
        start=stops.start[row].astype("datetime64[s]"),
        end=stops.end[row].astype("datetime64[s]"),
        first=first,
        last=last,
        route=_find(key, route_key[by_key], by_key),
        group=np.cumsum(first) - 1,
        route_group=_find(route_key, key[first_stop], np.arange(len(first_stop))),
        first_stop=first_stop,
        last_stop=last_stop,
        count=last_stop - first_stop + 1,
    )


def _find(wanted: IntArray, ordered: IntArray, number: IntArray) -> IntArray:
    """Return the number of each wanted key's first place in ordered keys, or -1."""
    if len(ordered) == 0:
        return np.full(len(wanted), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    return np.where(ordered[at] == wanted, number[at], -1).astype(np.int64)
