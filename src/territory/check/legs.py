"""The travel of every leg of a plan, asked for anew.

A remote contact is made from the rep's home: for the legs to it and from it that is its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from territory.model.places import PlaceKind, Places

if TYPE_CHECKING:
    from territory.check.facts import PlanFacts
    from territory.model.arrays import BoolArray, FloatArray, IdxArray, IntArray
    from territory.model.plan import Plan

__all__ = ["Legs", "both_ways", "detours", "legs_of", "slept_at"]


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
    estimated, home_estimated : bool arrays of shapes (number of stops,), (number of routes,)
        Whether a fallback told the travel; False where there is no way.
    """

    drive_s: IntArray
    distance_m: IntArray
    reachable: BoolArray
    home_s: IntArray
    home_m: IntArray
    home_reachable: BoolArray
    estimated: BoolArray
    home_estimated: BoolArray


def legs_of(f: PlanFacts) -> Legs:
    """Ask for the travel of all legs, one call for each speed factor."""
    plan, routes = f.plan, f.plan.routes
    places, place, begin, until = _stops(f)
    m = len(place)
    origin = np.where(f.first, begin, np.roll(place, 1))
    driven = np.flatnonzero(f.route_group >= 0)
    last = place[f.last_stop[f.route_group[driven]]]
    origins = np.concatenate([origin, last]).astype(np.int64)
    destinations = np.concatenate([place, until[f.last_stop[f.route_group[driven]]]]).astype(np.int64)
    driver = np.concatenate([f.rep, routes.rep_idx[driven]])
    duration, distance, reachable, estimated = _travel(f, places, origins, destinations, _factor(plan, driver))
    home_s, home_m = np.zeros((2, len(routes)), dtype=np.int64)
    home_reachable = np.ones(len(routes), dtype=bool)
    home_estimated = np.zeros(len(routes), dtype=bool)
    home_estimated[driven] = estimated[m:]
    home_s[driven], home_m[driven], home_reachable[driven] = duration[m:], distance[m:], reachable[m:]
    return Legs(
        duration[:m], distance[:m], reachable[:m], home_s, home_m, home_reachable, estimated[:m], home_estimated
    )


def detours(f: PlanFacts, rows: IntArray) -> tuple[IntArray, BoolArray]:
    """Return how much driving each of some sorted stops adds to its day, the others staying.

    Parameters
    ----------
    f : PlanFacts
    rows : int64 array of shape (k,)
        Sorted stops whose day has a route.

    Returns
    -------
    detour_s : int64 array of shape (k,)
        May be below 0 where ways over a third place are shorter.
    known : bool array of shape (k,)
        Whether there is a way for all three legs.
    """
    places, place, begin, until = _stops(f)
    at_end = f.last[rows]
    before = np.where(f.first[rows], begin[rows], place[rows - 1])
    after = np.where(at_end, until[rows], place[np.minimum(rows + 1, len(place) - 1)])
    straight, _, known, _ = _travel(
        f, places, before.astype(np.int64), after.astype(np.int64), _factor(f.plan, f.rep[rows])
    )
    legs, route = f.legs, f.route[rows]
    onward = np.minimum(rows + 1, len(place) - 1)
    leave_s = np.where(at_end, legs.home_s[route], legs.drive_s[onward])
    leaves = np.where(at_end, legs.home_reachable[route], legs.reachable[onward])
    return legs.drive_s[rows] + leave_s - straight, known & leaves & legs.reachable[rows]


def both_ways(f: PlanFacts, customer: IdxArray, rep: IntArray, remote: BoolArray) -> BoolArray:
    """Tell in which pairs the rep can drive from home to the customer and on to where its days end.

    Of remote contacts, whether it can drive from home to there. One call of the travel for each
    speed factor among them.
    """
    used, place = np.unique(customer, return_inverse=True)
    places, homes, ends = _places(f.plan, used)
    visited = np.where(remote, homes + rep, place)
    origins = np.concatenate([homes + rep, visited]).astype(np.int64)
    destinations = np.concatenate([visited, ends + rep]).astype(np.int64)
    _, _, reachable, _ = _travel(f, places, origins, destinations, np.tile(_factor(f.plan, rep), 2))
    return np.asarray(reachable.reshape(2, -1).all(axis=0))


def _stops(f: PlanFacts) -> tuple[Places, IntArray, IntArray, IntArray]:
    """Return all places, and of each sorted stop its place and where its rep's day begins and ends."""
    used, place = np.unique(f.customer, return_inverse=True)
    places, homes, ends = _places(f.plan, used)
    begin, until = (homes + f.rep).astype(np.int64), (ends + f.rep).astype(np.int64)
    slept = slept_at(f.plan)
    if slept:
        first = len(places)
        places = Places.concat([places, *slept.values()])
        number = {night: first + i for i, night in enumerate(slept)}
        days = f.day.astype(np.int64).tolist()
        for i, (rep, day) in enumerate(zip(f.rep.tolist(), days, strict=True)):
            begin[i] = number.get((rep, day - 1), begin[i])
            until[i] = number.get((rep, day), until[i])
    return places, np.where(f.remote, homes + f.rep, place).astype(np.int64), begin, until


def slept_at(plan: Plan) -> dict[tuple[int, int], Places]:
    """Return the place of each night by rep and evening (days since 1970); of several one, and none that is nowhere."""
    nights, customers, hotels = plan.nights, plan.customers, plan.hotels
    if nights is None:
        return {}
    found = {}
    evening = nights.day.astype("datetime64[D]").astype(np.int64).tolist()
    for row, (rep, day) in enumerate(zip(nights.rep_idx.tolist(), evening, strict=True)):
        at, hotel = nights.customer_idx[row], nights.hotel_idx[row]
        if at >= 0:
            found[rep, day] = customers.places().take([at])
        elif hotel >= 0 and hotels is not None:
            found[rep, day] = hotels.places().take([hotel])
    return found


def _factor(plan: Plan, rep: IdxArray | IntArray) -> FloatArray:
    speeds = plan.reps.speed_factor
    return np.ones(len(rep)) if speeds is None else speeds[rep]


def _travel(
    f: PlanFacts,
    places: Places,
    origins: IntArray,
    destinations: IntArray,
    factor: FloatArray,
) -> tuple[IntArray, IntArray, BoolArray, BoolArray]:
    """Return seconds, metres (0 where there is no way), whether there is a way, and whether a fallback told it."""
    duration = np.zeros(len(origins), dtype=np.int64)
    distance = np.zeros(len(origins), dtype=np.int64)
    reachable = np.ones(len(origins), dtype=bool)
    estimated = np.zeros(len(origins), dtype=bool)
    for speed in np.unique(factor):
        rows = np.flatnonzero(factor == speed)
        found = f.travel.pairs(places.take(origins[rows]), places.take(destinations[rows]), speed_factor=float(speed))
        reachable[rows] = found.reachable
        duration[rows] = np.where(found.reachable, found.durations_s, 0)
        distance[rows] = np.where(found.reachable, found.distances_m, 0)
        if found.estimated is not None:
            estimated[rows] = found.estimated & found.reachable
    return duration, distance, reachable, estimated


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
