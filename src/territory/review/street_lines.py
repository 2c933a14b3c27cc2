"""Where routes run on the map: along the lines that the source of travel tells, not straight from stop to stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from territory.check.legs import slept_at
from territory.model.places import Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.model.arrays import FloatArray, IntArray
    from territory.model.plan import Plan
    from territory.travel import Travel

__all__ = ["Streets", "streets"]


@dataclass(frozen=True, slots=True, eq=False)
class Streets:
    """Lines of routes.

    Attributes
    ----------
    lonlat : float array of shape (p, 2), degrees
    offsets : int64 array of shape (n + 1,)
        Route i is the points from ``offsets[i]`` up to ``offsets[i + 1]``; it begins and ends at the places themselves,
        and stops are points of it.
    """

    lonlat: FloatArray
    offsets: NDArray[np.int64]

    def route(self, i: int) -> FloatArray:
        """Return the points of route i, shape (points, 2)."""
        return self.lonlat[self.offsets[i] : self.offsets[i + 1]]


def streets(plan: Plan, travel: Travel, rows: IntArray | None = None) -> Streets:
    """Ask where the routes of a plan run.

    Parameters
    ----------
    plan : Plan
    travel : Travel
    rows : int array of shape (n,), optional
        Rows of ``plan.routes``; default: all.

    Returns
    -------
    Streets of n routes
        A leg without a way runs straight.

    Raises
    ------
    InputError
        The travel does not know the places of the plan.
    TravelError
        The travel failed.

    Notes
    -----
    One call of ``travel.route_geometry`` a route.
    """
    wanted = np.arange(len(plan.routes)) if rows is None else np.asarray(rows)
    ways = [_way(plan, int(row)) for row in wanted]
    lines = [_line(travel, way) for way in ways]
    offsets = np.concatenate(([0], np.cumsum([len(line) for line in lines]))).astype(np.int64)
    return Streets(np.concatenate([np.empty((0, 2)), *lines]), offsets)


def _way(plan: Plan, row: int) -> Places:
    """Return the places of a day in the order of driving; who is only called is on nobody's way."""
    rep, day = int(plan.routes.rep_idx[row]), plan.routes.day[row]
    mine = np.flatnonzero((plan.stops.rep_idx == rep) & (plan.stops.day == day))
    mine = mine[np.argsort(plan.stops.position[mine], kind="stable")]
    if plan.stops.remote is not None:
        mine = mine[~plan.stops.remote[mine]]
    slept, evening = slept_at(plan), int(day.astype("datetime64[D]").astype(np.int64))
    begin = slept.get((rep, evening - 1), plan.reps.places().take([rep]))
    end = slept.get((rep, evening), plan.reps.end_places().take([rep]))
    return Places.concat([begin, plan.customers.places().take(plan.stops.customer_idx[mine]), end])


def _line(travel: Travel, way: Places) -> FloatArray:
    legs = travel.route_geometry(way)
    here = np.column_stack((way.lon, way.lat))
    parts = [here[:1]]
    for i in range(len(way) - 1):
        parts += [np.column_stack(legs.leg(i)), here[i + 1 : i + 2]]
    line = np.concatenate(parts)
    # places on the road, and where one leg ends and the next begins, are there twice
    moved = np.concatenate(([True], (np.diff(line, axis=0) != 0).any(axis=1)))
    moved[-1] |= int(moved.sum()) == 1
    return line[moved]
