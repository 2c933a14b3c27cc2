"""The plan: who is visited when, by whom, in what order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np

from territory.errors import InputError, Problem
from territory.model.enums import Commitment, Status
from territory.model.frames import to_native
from territory.model.going_on import as_made, committed
from territory.model.late import late
from territory.model.nights import nights_columns, some_nights
from territory.model.plan_frames import (
    empty_unassigned,
    read_routes,
    read_stops,
    read_unassigned,
    routes_dict,
    stops_dict,
    unassigned_dict,
)
from territory.model.plan_rules import wrong_positions
from territory.model.route import Route
from territory.model.settings import as_day
from territory.model.zones import local
from territory.units import clock

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

    from territory.model.alignment import Alignment
    from territory.model.arrays import IdxArray, TextArray
    from territory.model.customers import Customers
    from territory.model.nights import Hotels, Nights
    from territory.model.reps import Reps
    from territory.model.routes import Routes, Stops, Unassigned
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
        problems = wrong_positions(self)
        n = len(self.customers)
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
        """Return the stops as arrays of ids and of times on the rep's wall clock.

        Where stops have them: the id of the single visit (blank: by interval), whether it is remote, how firmly it
        is promised.
        """
        return stops_dict(self)

    def routes_dict(self) -> dict[str, Any]:
        """Return the routes as arrays of ids and of times on the rep's wall clock."""
        return routes_dict(self)

    def unassigned_dict(self) -> dict[str, Any]:
        """Return the visits that are not planned as arrays of ids, with reasons; where known, with what would help."""
        return unassigned_dict(self)

    def nights_dict(self) -> dict[str, Any]:
        """Return the nights away as arrays of ids, places and costs."""
        return nights_columns(self)

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
        visits: Visits | None = None,
        like: Plan | None = None,
    ) -> Self:
        """Read a plan that was edited by hand, as it is; `check_plan` tells what is wrong with it.

        Parameters
        ----------
        frame : dataframe or mapping
            What `to_frame` gives: rep_id, day, position, customer_id, arrival, start, end,
            drive_s, distance_m, maybe visit_id, remote, commitment; times on the rep's wall clock.
        customers, reps : Customers, Reps
        settings : PlanSettings, optional
            Default: those of `like`.
        routes, unassigned : dataframe or mapping, optional
            What `routes_frame` and `unassigned_frame` give; default: those of `like`.
        alignment : Alignment, optional
        visits : Visits, optional
            Default: those of `like`.
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
        single = visits if visits is not None or like is None else like.visits
        if unassigned is not None:
            kept_unassigned = read_unassigned(unassigned, customers, reps, single)
        else:
            kept_unassigned = like.unassigned if like is not None else empty_unassigned()
        kept = alignment if alignment is not None or like is None else like.alignment
        stops = read_stops(frame, customers, reps, single)
        return cls(
            customers, reps, chosen, stops, kept_routes, kept_unassigned, kept, visits=single,
            nights=None if like is None else like.nights, hotels=None if like is None else like.hotels,
        )  # fmt: skip

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

    @overload
    def report(self) -> Any: ...
    @overload
    def report(self, path: str | os.PathLike[str], *, travel: Any = None) -> Path: ...
    def report(self, path: str | os.PathLike[str] | None = None, *, travel: Any = None) -> Any:
        """Report what the plan is like; with a path, write the self-contained HTML report there.

        Returns
        -------
        PlanReport or Path
            Tables by rep, week, class and reason: visits, intervals kept, driving, hours, utilisation, nights, cost,
            what is not planned; see `territory.review.PlanReport`. With a path, see `territory.maps.write_report`.
        """
        if path is None:
            return late("review", "plan_report", self)
        return late("maps", "write_report", self, path, travel=travel)

    def changes(self, before: Plan, *, within_s: int = 0) -> Any:
        """Tell what has changed since an earlier plan, on the days that both have.

        Parameters
        ----------
        before : Plan
        within_s : int
            Visits whose start moves by no more seconds than this, on their day and by their rep, count as kept.

        Returns
        -------
        PlanChanges
            ``.to_frame()``: a row a visit that was added, dropped, moved, or went to another rep;
            ``.to_frame(by="rep")``, ``by="day"``: counts; ``.summary()``.

        Raises
        ------
        InputError
            No day in common, or a bad `within_s`.
        """
        return late("review", "plan_changes", before, self, within_s=within_s)

    def retimed(self, travel: Any) -> Any:
        """Return the plan as it would come out on other ways, to be checked; see `territory.review.retimed`."""
        return late("review", "retimed", self, travel)

    def plot_calendar(self, ax: Any = None, **options: Any) -> Any:
        """Draw visits or hours of reps or customers by day, as a heat map; see `territory.maps.plot_calendar`."""
        return late("maps", "plot_calendar", self, ax=ax, **options)

    def plot_load(self, ax: Any = None, **options: Any) -> Any:
        """Draw driving, visits, breaks and waiting against the shifts; see `territory.maps.plot_load`."""
        return late("maps", "plot_load", self, ax=ax, **options)

    def __repr__(self) -> str:
        s = self.summary()
        return (
            f"<Plan: {s['visits']} visits of {s['customers']} customers by {s['reps']} reps "
            f"in {s['days']} days from {s['start']}, {s['drive_h']} h driving, "
            f"{s['unassigned']} not planned, {s['status']}>"
        )

    def _repr_html_(self) -> str:
        return str(late("maps", "plan_html", self))
