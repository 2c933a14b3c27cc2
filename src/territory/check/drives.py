"""Whether driving times and distances are those of the travel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from territory.check.chains import leads
from territory.check.legs import detours
from territory.check.report import Violation
from territory.model.enums import Temperature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts
    from territory.model.arrays import BoolArray, IntArray

__all__ = [
    "bounds_below_drives",
    "cold_leads_near",
    "estimates_told",
    "legs_reachable",
    "legs_right",
    "routes_right",
    "travel_same",
]


def travel_same(f: PlanFacts) -> Iterator[Violation]:
    """``travel-differs``; the other rules then say what that changes."""
    told = f.plan.settings.travel
    if told != f.travel.fingerprint:
        made = f"was made with {told!r}" if told else "does not say with which travel it was made"
        yield Violation("travel-differs", f"The plan {made}, and is checked with {f.travel.fingerprint!r}.")


def legs_reachable(f: PlanFacts) -> Iterator[Violation]:
    """``leg-unreachable``; rules that need the leg's travel time are not checked then."""
    for i in np.flatnonzero(~f.legs.reachable):
        rep = f.rep_id(f.rep[i])
        before = "home" if f.first[i] else _place(f, i - 1)
        message = f"On {f.day[i]}, rep {rep} cannot get from {before} to {_place(f, i)}."
        yield f.at_stop("leg-unreachable", i, message)
    routes = f.plan.routes
    for r in np.flatnonzero(~f.legs.home_reachable):
        rep, before = f.rep_id(routes.rep_idx[r]), _place(f, f.last_stop[f.route_group[r]])
        message = f"On {routes.day[r]}, rep {rep} cannot get from {before} to the end of the day."
        yield f.at_route("leg-unreachable", r, message)


def _place(f: PlanFacts, i: Any) -> str:
    return "home" if f.remote[i] else f"customer {f.customer_id(f.customer[i])}"


def legs_right(f: PlanFacts) -> Iterator[Violation]:
    """``drive-wrong`` and ``distance-wrong``."""
    stops = f.plan.stops
    for code, name, unit, told, truth in (
        ("drive-wrong", "drive", "s", stops.drive_s[f.row], f.legs.drive_s),
        ("distance-wrong", "distance", "m", stops.distance_m[f.row], f.legs.distance_m),
    ):
        for i in np.flatnonzero((told != truth) & f.legs.reachable):
            message = (
                f"The {name} of rep {f.rep_id(f.rep[i])} to customer {f.customer_id(f.customer[i])} on {f.day[i]} "
                f"is {truth[i]} {unit}, not {told[i]} {unit}."
            )
            yield f.at_stop(code, i, message, float(abs(int(told[i]) - int(truth[i]))))


def estimates_told(f: PlanFacts) -> Iterator[Violation]:
    """``estimate-untold``: drives that a fallback told, the source of travel having failed, say so."""
    stops, routes, legs = f.plan.stops, f.plan.routes, f.legs
    told = np.zeros(len(stops), dtype=bool) if stops.estimated is None else stops.estimated
    for i in np.flatnonzero(told[f.row] != legs.estimated):
        said, found = ("estimated", "known") if told[f.row[i]] else ("known", "estimated")
        message = (
            f"The drive of rep {f.rep_id(f.rep[i])} to customer {f.customer_id(f.customer[i])} on {f.day[i]} "
            f"is {found}, not {said}."
        )
        yield f.at_stop("estimate-untold", i, message)
    told = np.zeros(len(routes), dtype=bool) if routes.estimated is None else routes.estimated
    truth = (_sum(f, legs.estimated.astype(np.int64)) > 0) | legs.home_estimated
    for r in np.flatnonzero((told != truth) & _whole(f)):
        said, found = ("partly estimated", "known") if told[r] else ("known", "partly estimated")
        message = f"The drives of rep {f.rep_id(routes.rep_idx[r])} on {routes.day[r]} are {found}, not {said}."
        yield f.at_route("estimate-untold", r, message)


def routes_right(f: PlanFacts) -> Iterator[Violation]:
    """``route-drive-wrong`` and ``route-distance-wrong``, against the travel, not against what the stops say."""
    routes, legs = f.plan.routes, f.legs
    summed = _whole(f)
    for code, name, unit, told, truth in (
        ("route-drive-wrong", "driving time", "s", routes.drive_s, _sum(f, legs.drive_s) + legs.home_s),
        ("route-distance-wrong", "distance", "m", routes.distance_m, _sum(f, legs.distance_m) + legs.home_m),
    ):
        for r in np.flatnonzero((told != truth) & summed):
            message = (
                f"The {name} of the route of rep {f.rep_id(routes.rep_idx[r])} on {routes.day[r]} "
                f"is {truth[r]} {unit}, not {told[r]} {unit}."
            )
            yield f.at_route(code, r, message, float(abs(int(told[r]) - int(truth[r]))))


def bounds_below_drives(f: PlanFacts) -> Iterator[Violation]:
    """``bound-above-drive``."""
    routes = f.plan.routes
    if routes.bound_s is None:
        return
    truth = _sum(f, f.legs.drive_s) + f.legs.home_s
    for r in np.flatnonzero((routes.bound_s > truth) & _whole(f)):
        message = (
            f"No route of the visits of rep {f.rep_id(routes.rep_idx[r])} on {routes.day[r]} is said to drive "
            f"less than {routes.bound_s[r]} s, but the route drives {truth[r]} s."
        )
        yield f.at_route("bound-above-drive", r, message, float(routes.bound_s[r] - truth[r]))


def cold_leads_near(f: PlanFacts) -> Iterator[Violation]:
    """``cold-lead-far``: of visits by interval, by what each adds to its day, all others staying."""
    customers, most = f.plan.customers, f.plan.settings.cold_detour_s
    if customers.temperature is None or not f.cadence:
        return
    cold = leads(customers) & (customers.temperature == Temperature.COLD)
    rows = np.flatnonzero(cold[f.customer] & (f.single < 0) & ~f.remote & (f.route >= 0))
    if len(rows) == 0:
        return
    detour_s, known = detours(f, rows)
    for j in np.flatnonzero(known & (detour_s > most)):
        i = rows[j]
        message = (
            f"The visit of cold lead {f.customer_id(f.customer[i])} on {f.day[i]} adds {detour_s[j]} s to the driving "
            f"of rep {f.rep_id(f.rep[i])}; the most are {most} s."
        )
        yield f.at_stop("cold-lead-far", i, message, float(detour_s[j] - most))


def _sum(f: PlanFacts, values: IntArray) -> IntArray:
    """Add up values of stops by route; 0 for a route without stops."""
    by_group = np.append(np.add.reduceat(values, f.first_stop) if len(values) else np.empty(0, np.int64), 0)
    return np.asarray(by_group[f.route_group], dtype=np.int64)


def _whole(f: PlanFacts) -> BoolArray:
    """Tell which routes have stops, all of them and the end within reach."""
    cut_off = _sum(f, (~f.legs.reachable).astype(np.int64))
    return np.asarray((f.route_group >= 0) & (cut_off == 0) & f.legs.home_reachable)
