"""What the rules of a plan look at: its stops in order, who they belong to, and their travel, recomputed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.check.chains import Cadence, cadence_of
from territory.check.report import Violation
from territory.check.wall import as_text, local, zone_names
from territory.check.workdays import WorkDays
from territory.model.places import PlaceKind, Places

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.model.arrays import BoolArray, DayArray, IdxArray, InstantArray, IntArray
    from territory.model.plan import Plan
    from territory.travel import Travel

__all__ = ["Legs", "PlanFacts", "gather", "seconds"]


@dataclass(frozen=True, eq=False)
class Legs:
    """Travel to each stop and from the last stop of each route, by the travel of the check.

    Attributes
    ----------
    drive_s, distance_m : int64 arrays of shape (number of stops,)
        From the place before; 0 where there is no way.
    reachable : bool array of shape (number of stops,)
    home_s, home_m : int64 arrays of shape (number of routes,)
        From the last stop; 0 where there is no way, or there are no stops.
    home_reachable : bool array of shape (number of routes,)
    """

    drive_s: IntArray
    distance_m: IntArray
    reachable: BoolArray
    home_s: IntArray
    home_m: IntArray
    home_reachable: BoolArray


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
    def service_s(self) -> IntArray:
        """Length of each stop's visit, whole seconds."""
        column = self.plan.customers.service_s
        if column is None:
            return np.full(len(self.customer), self.plan.settings.default_service_s, dtype=np.int64)
        return np.ceil(column[self.customer]).astype(np.int64)

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

    @cached_property
    def chains(self) -> Cadence:
        """When visits are due; its stops are the sorted ones."""
        return cadence_of(self.plan, self.customer, self.day)

    # -- travel ---------------------------------------------------------------------------

    @cached_property
    def legs(self) -> Legs:
        """The travel of all legs, one call for each speed factor."""
        plan, routes = self.plan, self.plan.routes
        used, place = np.unique(self.customer, return_inverse=True)
        places, homes, ends = _places(plan, used)
        m = len(place)
        origin = np.where(self.first, homes + self.rep, np.roll(place, 1))
        driven = np.flatnonzero(self.route_group >= 0)
        last = place[self.last_stop[self.route_group[driven]]]
        origins = np.concatenate([origin, last]).astype(np.int64)
        destinations = np.concatenate([place, ends + routes.rep_idx[driven]]).astype(np.int64)
        driver = np.concatenate([self.rep, routes.rep_idx[driven]])
        factor = np.ones(len(plan.reps)) if plan.reps.speed_factor is None else plan.reps.speed_factor
        duration = np.zeros(len(origins), dtype=np.int64)
        distance = np.zeros(len(origins), dtype=np.int64)
        reachable = np.ones(len(origins), dtype=bool)
        for speed in np.unique(factor[driver]):
            rows = np.flatnonzero(factor[driver] == speed)
            found = self.travel.pairs(
                places.take(origins[rows]), places.take(destinations[rows]), speed_factor=float(speed)
            )
            reachable[rows] = found.reachable
            duration[rows] = np.where(found.reachable, found.durations_s, 0)
            distance[rows] = np.where(found.reachable, found.distances_m, 0)
        home_s, home_m = np.zeros((2, len(routes)), dtype=np.int64)
        home_reachable = np.ones(len(routes), dtype=bool)
        home_s[driven], home_m[driven], home_reachable[driven] = duration[m:], distance[m:], reachable[m:]
        return Legs(duration[:m], distance[:m], reachable[:m], home_s, home_m, home_reachable)

    def both_ways(self, customer: IdxArray, rep: IdxArray) -> BoolArray:
        """Tell in which pairs the rep can drive from home to the customer and on to where its days end.

        One call of the travel for each speed factor among them.
        """
        used, place = np.unique(customer, return_inverse=True)
        places, homes, ends = _places(self.plan, used)
        speeds = self.plan.reps.speed_factor
        factor = np.ones(len(rep)) if speeds is None else speeds[rep]
        out = np.zeros(len(rep), dtype=bool)
        for speed in np.unique(factor):
            at = np.flatnonzero(factor == speed)
            origins = np.concatenate([homes + rep[at], place[at]]).astype(np.int64)
            destinations = np.concatenate([place[at], ends + rep[at]]).astype(np.int64)
            found = self.travel.pairs(places.take(origins), places.take(destinations), speed_factor=float(speed))
            out[at] = found.reachable.reshape(2, -1).all(axis=0)
        return out


def _places(plan: Plan, used: IdxArray) -> tuple[Places, int, int]:
    """Return the used customers, the reps' homes and their ends as one table, and where the two latter begin."""
    customers, reps = plan.customers, plan.reps
    area = None if customers.area is None else customers.area[used]
    visited = Places.of(PlaceKind.CUSTOMER, customers.id[used], customers.lon[used], customers.lat[used], area)
    homes = Places.of(PlaceKind.REP, reps.id, reps.lon, reps.lat)
    if reps.end_lon is None or reps.end_lat is None:
        ends = homes
    else:
        at_home = np.isnan(reps.end_lon)
        ends = Places(
            kind=np.where(at_home, PlaceKind.REP, PlaceKind.REP_END).astype(np.int8),
            id=reps.id,
            lon=np.where(at_home, reps.lon, reps.end_lon),
            lat=np.where(at_home, reps.lat, reps.end_lat),
        )
    return Places.concat([visited, homes, ends]), len(visited), len(visited) + len(homes)


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
