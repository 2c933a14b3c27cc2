"""The plan: who is visited when, by whom, in what order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from territory.errors import InputError, Problem
from territory.model.enums import Commitment, Status
from territory.model.frames import to_native
from territory.model.going_on import as_made, committed
from territory.model.late import late
from territory.model.nights import nights_columns, some_nights, wrong_nights
from territory.model.plan_frames import empty_unassigned, read_routes, read_stops, read_unassigned
from territory.model.routes import Routes
from territory.model.settings import as_day
from territory.model.zones import local
from territory.units import clock, duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.model.alignment import Alignment
    from territory.model.arrays import IdxArray, TextArray
    from territory.model.customers import Customers
    from territory.model.nights import Hotels, Nights
    from territory.model.reps import Reps
    from territory.model.routes import Stops, Unassigned
    from territory.model.settings import PlanSettings
    from territory.model.visits import Visits

__all__ = ["Plan", "Route"]


@dataclass(frozen=True, eq=False, repr=False)
class Plan:
    """Visits in shifts, each shift in order and timed; what is not planned, with its reason.

    Attributes
    ----------
    customers, reps : Customers, Reps
    settings : PlanSettings
    stops : Stops
    routes : Routes
    unassigned : Unassigned
    alignment : Alignment, optional
        Who serves whom, where the plan had to keep to one.
    visits : Visits, optional
        Single visits that were to be planned: appointments, events, leads, follow-ups.
    nights : Nights, optional
        Nights away: None where there could be none.
    hotels : Hotels, optional
        Where they may be spent, beside at customers' places.
    status : Status
    diagnostics : tuple of Problem
        Warnings.
    trace : mapping
        Seconds spent in each step, for people; it is no part of the answer.
    """

    customers: Customers
    reps: Reps
    settings: PlanSettings
    stops: Stops
    routes: Routes
    unassigned: Unassigned
    alignment: Alignment | None = None
    status: Status = Status.FEASIBLE
    diagnostics: tuple[Problem, ...] = ()
    trace: dict[str, float] = field(default_factory=dict)
    visits: Visits | None = None
    nights: Nights | None = None
    hotels: Hotels | None = None

    def __post_init__(self) -> None:
        problems = []
        n, r = len(self.customers), len(self.reps)
        tables = (("stops", self.stops), ("routes", self.routes), ("unassigned", self.unassigned))
        for name, table in tables:
            if len(table) and int(table.rep_idx.max()) >= r:
                problems.append(Problem("unknown-rep", f"{name}: rep_idx beyond the {r} reps"))
            if not isinstance(table, Routes) and len(table) and int(table.customer_idx.max()) >= n:
                problems.append(Problem("unknown-customer", f"{name}: customer_idx beyond the {n} customers"))
            single = None if isinstance(table, Routes) else table.visit_idx
            known = 0 if self.visits is None else len(self.visits)
            if single is not None and len(single) and int(single.max()) >= known:
                problems.append(Problem("unknown-visit", f"{name}: visit_idx beyond the {known} visits"))
        problems += wrong_nights(self)
        own = self.alignment
        if own is not None and own.customers is not self.customers:
            theirs = own.customers.id
            if len(theirs) != n or not bool((theirs == self.customers.id).all()):
                problems.append(Problem("alignment-differs", "the alignment is one of other customers"))
        if problems:
            raise InputError(problems, "plan")

    def __len__(self) -> int:
        return len(self.stops)

    # -- totals ----------------------------------------------------------------------------

    @property
    def drive_s(self) -> int:
        """Driving time of all routes, seconds."""
        return int(self.routes.drive_s.sum())

    @property
    def distance_m(self) -> int:
        """Distance of all routes, metres."""
        return int(self.routes.distance_m.sum())

    @property
    def bound_s(self) -> int | None:
        """Least driving time of these visits on these days, seconds; None where a route has no bound."""
        return None if self.routes.bound_s is None else int(self.routes.bound_s.sum())

    @property
    def gap(self) -> float | None:
        """How far the driving time may be from the least for these days, as a share of it."""
        bound = self.bound_s
        return None if bound is None or self.drive_s == 0 else max(0.0, (self.drive_s - bound) / self.drive_s)

    # -- parts -----------------------------------------------------------------------------

    def day(self, day: object) -> Plan:
        """Return the part of the plan on one day, e.g. tomorrow's routes; nothing is unassigned in it."""
        at = as_day(day, "day")
        return replace(
            self,
            stops=self.stops.take(self.stops.day == at),
            routes=self.routes.take(self.routes.day == at),
            unassigned=self.unassigned.take([]),
            # where it ends, and where it begins
            nights=some_nights(self.nights, lambda n: (n.day == at) | (n.day + 1 == at)),
        )

    def rep(self, rep_id: str) -> Plan:
        """Return the part of the plan of one rep."""
        i = self.reps.positions([rep_id])[0]
        return replace(
            self,
            stops=self.stops.take(self.stops.rep_idx == i),
            routes=self.routes.take(self.routes.rep_idx == i),
            unassigned=self.unassigned.take(self.unassigned.rep_idx == i),
            nights=some_nights(self.nights, lambda n: n.rep_idx == i),
        )

    def route(self, rep_id: str, day: object) -> Route:
        """Return one rep's day.

        Raises
        ------
        InputError
            The rep has no visits on that day.
        """
        i = int(self.reps.positions([rep_id])[0])
        at = as_day(day, "day")
        found = np.flatnonzero((self.routes.rep_idx == i) & (self.routes.day == at))
        if found.size == 0:
            raise InputError([Problem("no-route", f"rep {rep_id!r} has no visits on {at}")], "plan")
        return Route(self, int(found[0]))

    # -- going on --------------------------------------------------------------------------

    def committed(
        self,
        level: Commitment | str,
        *,
        customers: Iterable[str] | None = None,
        first: object = None,
        last: object = None,
    ) -> Plan:
        """Return the plan with some of its visits promised; planning again with ``previous=`` keeps them.

        Parameters
        ----------
        level : Commitment or str
            "suggested" (free to change), "planned" (changed where that pays), "confirmed_week", "confirmed_day",
            "fixed" (with its time).
        customers : iterable of str, optional
            Ids; default: all.
        first, last : day-like, optional
            Only visits from then, until then.

        Raises
        ------
        InputError
            Unknown levels, customers or days.
        """
        return committed(self, level, customers, first, last)

    def as_made(self, until: object) -> Customers:
        """Return the customers as if all that is planned before a day had taken place: last visits are filled in.

        Parameters
        ----------
        until : day-like
            The day after the last one that counts, where the next plan starts.
        """
        return as_made(self, as_day(until, "until"))

    # -- border ----------------------------------------------------------------------------

    def _zones(self, rep_idx: IdxArray) -> TextArray | None:
        return None if self.reps.timezone is None else self.reps.timezone[rep_idx]

    def to_dict(self) -> dict[str, Any]:
        """Return the stops as arrays of ids and of times on the rep's wall clock."""
        s = self.stops
        zones = self._zones(s.rep_idx)
        return {
            "rep_id": self.reps.id[s.rep_idx].astype(object),
            "day": s.day,
            "position": s.position,
            "customer_id": self.customers.id[s.customer_idx].astype(object),
            "arrival": local(s.arrival, zones),
            "start": local(s.start, zones),
            "end": local(s.end, zones),
            "drive_s": s.drive_s,
            "distance_m": s.distance_m,
        }

    def routes_dict(self) -> dict[str, Any]:
        """Return the routes as arrays of ids and of times on the rep's wall clock."""
        t = self.routes
        zones = self._zones(t.rep_idx)
        columns = {
            "rep_id": self.reps.id[t.rep_idx].astype(object),
            "day": t.day,
            "n_stops": t.n_stops,
            "leave": local(t.leave, zones),
            "back": local(t.back, zones),
            "drive_s": t.drive_s,
            "distance_m": t.distance_m,
            "break_start": local(t.break_start, zones),
            "break_s": t.break_s,
        }
        return columns if t.bound_s is None else {**columns, "bound_s": t.bound_s}

    def unassigned_dict(self) -> dict[str, Any]:
        """Return the visits that are not planned as arrays of ids, with reasons."""
        u = self.unassigned
        rep = np.array([*self.reps.id.tolist(), ""], dtype=object)
        return {
            "customer_id": self.customers.id[u.customer_idx].astype(object),
            "rep_id": rep[u.rep_idx],
            "due": u.due,
            "reason": u.reason.astype(object),
            "detail": u.detail.astype(object),
        }

    def nights_dict(self) -> dict[str, Any]:
        """Return the nights away as arrays of ids, places and costs."""
        return nights_columns(self)

    def nights_frame(self, backend: str = "pandas") -> Any:
        """Return the nights away as a dataframe."""
        return to_native(self.nights_dict(), backend)

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return the stops as a dataframe, times on the rep's wall clock."""
        return to_native(self.to_dict(), backend)

    def routes_frame(self, backend: str = "pandas") -> Any:
        """Return the routes as a dataframe, times on the rep's wall clock."""
        return to_native(self.routes_dict(), backend)

    def unassigned_frame(self, backend: str = "pandas") -> Any:
        """Return the visits that are not planned as a dataframe."""
        return to_native(self.unassigned_dict(), backend)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        customers: Customers,
        reps: Reps,
        settings: PlanSettings | None = None,
        routes: Any = None,
        unassigned: Any = None,
        alignment: Alignment | None = None,
        like: Plan | None = None,
    ) -> Self:
        """Read a plan that was edited by hand, as it is; `check_plan` tells what is wrong with it.

        Parameters
        ----------
        frame : dataframe or mapping
            What `to_frame` gives: rep_id, day, position, customer_id, arrival, start, end,
            drive_s, distance_m; times on the rep's wall clock.
        customers, reps : Customers, Reps
        settings : PlanSettings, optional
            Default: those of `like`.
        routes, unassigned : dataframe or mapping, optional
            What `routes_frame` and `unassigned_frame` give; default: those of `like`.
        alignment : Alignment, optional
            Default: that of `like`.
        like : Plan, optional
            The plan that was edited.

        Raises
        ------
        InputError
            Missing columns, unknown ids, unreadable times; or neither settings nor `like`.

        Notes
        -----
        Of wall-clock times that an autumn change repeats, the first is meant.
        """
        chosen = settings if settings is not None else like.settings if like is not None else None
        kept_routes = read_routes(routes, reps) if routes is not None else like.routes if like is not None else None
        if chosen is None or kept_routes is None:
            raise InputError([Problem("missing-parameter", "pass like=, or settings= and routes=")], "plan")
        if unassigned is not None:
            kept_unassigned = read_unassigned(unassigned, customers, reps)
        else:
            kept_unassigned = like.unassigned if like is not None else empty_unassigned()
        kept = alignment if alignment is not None or like is None else like.alignment
        stops = read_stops(frame, customers, reps)
        nights, hotels = (None, None) if like is None else (like.nights, like.hotels)
        return cls(
            customers, reps, chosen, stops, kept_routes, kept_unassigned, alignment=kept, nights=nights, hotels=hotels
        )

    # -- people ----------------------------------------------------------------------------

    def summary(self) -> dict[str, Any]:
        """Return the totals: visits, days, driving, kilometres, hours worked, what is not planned."""
        worked = (self.routes.back - self.routes.leave).astype(np.int64).sum()
        reasons = Counter(self.unassigned.reason.tolist())
        return {
            "customers": len(self.customers),
            "reps": len(self.reps),
            "start": str(self.settings.start),
            "days": self.settings.n_days,
            "visits": len(self.stops),
            "routes": len(self.routes),
            "unassigned": len(self.unassigned),
            "unassigned_by_reason": dict(sorted(reasons.items())),
            "drive_h": round(self.drive_s / 3600, 1),
            "drive_min_per_visit": round(self.drive_s / 60 / max(1, len(self.stops)), 1),
            "distance_km": round(self.distance_m / 1000),
            "worked_h": round(float(worked) / 3600, 1),
            "gap": self.gap,
            "status": str(self.status),
        }

    def explain(self, customer_id: str) -> str:
        """Say in sentences when a customer is visited, or why not."""
        i = int(self.customers.positions([customer_id])[0])
        lines = []
        rows = np.flatnonzero(self.stops.customer_idx == i)
        rows = rows[np.argsort(self.stops.start[rows], kind="stable")]
        starts = local(self.stops.start[rows], self._zones(self.stops.rep_idx[rows]))
        for row, start in zip(rows.tolist(), starts, strict=True):
            rep = self.reps.id[self.stops.rep_idx[row]]
            at = clock(int((start - start.astype("datetime64[D]")).astype(np.int64)))
            lines.append(f"{customer_id} is visited on {self.stops.day[row]} at {at} by {rep}.")
        u = self.unassigned
        lines += [
            f"A visit due on {u.due[row]} is not planned ({u.reason[row]}): {u.detail[row]}"
            for row in np.flatnonzero(u.customer_idx == i)
        ]
        last = self.settings.end - np.timedelta64(1, "D")
        return "\n".join(lines) or f"{customer_id} has no visit due between {self.settings.start} and {last}."

    def report(self, path: Any) -> Any:
        """Write the self-contained HTML report; see `territory.maps.write_report`."""
        return late("maps", "write_report", self, path)

    def __repr__(self) -> str:
        s = self.summary()
        return (
            f"<Plan: {s['visits']} visits of {s['customers']} customers by {s['reps']} reps "
            f"in {s['days']} days from {s['start']}, {s['drive_h']} h driving, "
            f"{s['unassigned']} not planned, {s['status']}>"
        )

    def _repr_html_(self) -> str:
        return str(late("maps", "plan_html", self))


class Route:
    """One rep's day: a view of a plan.

    Attributes
    ----------
    plan : Plan
    rep_idx : int
    day : datetime64[D]
    stops : Stops
        In order.
    """

    def __init__(self, plan: Plan, row: int) -> None:
        self.plan = plan
        self.row = row
        self.rep_idx = int(plan.routes.rep_idx[row])
        self.day = plan.routes.day[row]
        stops = plan.stops.take((plan.stops.rep_idx == self.rep_idx) & (plan.stops.day == self.day))
        self.stops = stops.take(np.argsort(stops.position, kind="stable"))

    @property
    def rep_id(self) -> str:
        """Id of the rep."""
        return str(self.plan.reps.id[self.rep_idx])

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return the stops in order."""
        return replace(self.plan, stops=self.stops).to_frame(backend)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the route with its stop numbers; see `territory.maps.plot_route`."""
        return late("maps", "plot_route", self, ax=ax, **options)

    def __repr__(self) -> str:
        routes = self.plan.routes
        km = routes.distance_m[self.row] / 1000
        driving = duration(routes.drive_s[self.row])
        return f"<Route of {self.rep_id} on {self.day}: {len(self.stops)} visits, {driving} driving, {km:.0f} km>"
