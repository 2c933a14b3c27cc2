"""One rep's day of a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.model.late import late
from territory.units import duration

if TYPE_CHECKING:
    from territory.model.plan import Plan

__all__ = ["Route"]


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
