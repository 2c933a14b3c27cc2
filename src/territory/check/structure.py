"""Whether the tables of a plan fit each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.check.report import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts

__all__ = [
    "horizon_kept",
    "positions_count",
    "routes_have_stops",
    "stop_counts_right",
    "stops_have_routes",
    "tables_ordered",
    "times_known",
]


def tables_ordered(f: PlanFacts) -> Iterator[Violation]:
    """``stops-unordered`` and ``routes-unordered``: views of a plan rely on the order of its rows."""
    moved = np.flatnonzero(f.row != np.arange(len(f.row)))
    if len(moved):
        yield Violation(
            "stops-unordered", f"From row {moved[0]} on, the stops are not in the order of rep, day and position."
        )
    routes = f.plan.routes
    order = np.lexsort((routes.day.astype("datetime64[D]").astype(np.int64), routes.rep_idx))
    moved = np.flatnonzero(order != np.arange(len(order)))
    if len(moved):
        yield Violation("routes-unordered", f"From row {moved[0]} on, the routes are not in the order of rep and day.")


def positions_count(f: PlanFacts) -> Iterator[Violation]:
    """``position-wrong``, once a day."""
    position = f.plan.stops.position[f.row]
    wrong = position != np.arange(len(position)) - f.first_stop[f.group]
    for g in np.unique(f.group[wrong]).tolist():
        i, j = f.first_stop[g], f.last_stop[g] + 1
        there = ", ".join(str(p) for p in position[i:j].tolist()[:20])
        message = f"The stops of rep {f.rep_id(f.rep[i])} on {f.day[i]} have positions {there}, not 0 to {j - i - 1}."
        yield Violation("position-wrong", message, rep_id=f.rep_id(f.rep[i]), day=f.day[i])


def stops_have_routes(f: PlanFacts) -> Iterator[Violation]:
    """``stop-without-route``."""
    for i in np.flatnonzero(f.route < 0):
        who, rep = f.customer_id(f.customer[i]), f.rep_id(f.rep[i])
        yield f.at_stop(
            "stop-without-route",
            i,
            f"Customer {who} is visited by rep {rep} on {f.day[i]}, but the rep has no route on that day.",
        )


def routes_have_stops(f: PlanFacts) -> Iterator[Violation]:
    """``route-without-stops`` and ``route-doubled``."""
    routes = f.plan.routes
    for r in np.flatnonzero(f.route_group < 0):
        yield f.at_route(
            "route-without-stops",
            r,
            f"Rep {f.rep_id(routes.rep_idx[r])} has a route on {routes.day[r]}, but no stops.",
        )
    seen: set[tuple[int, int]] = set()
    for row, key in enumerate(zip(routes.rep_idx.tolist(), routes.day.astype(np.int64).tolist(), strict=True)):
        if key in seen:
            rep = f.rep_id(routes.rep_idx[row])
            yield f.at_route("route-doubled", row, f"Rep {rep} has more than one route on {routes.day[row]}.")
        seen.add(key)


def stop_counts_right(f: PlanFacts) -> Iterator[Violation]:
    """``stop-count-wrong``; routes without stops are told elsewhere."""
    routes = f.plan.routes
    for r in np.flatnonzero(f.route_group >= 0):
        count = int(f.count[f.route_group[r]])
        told = int(routes.n_stops[r])
        if told != count:
            rep = f.rep_id(routes.rep_idx[r])
            message = f"The route of rep {rep} on {routes.day[r]} has {count} stops; its n_stops is {told}."
            yield f.at_route("stop-count-wrong", r, message, abs(told - count))


def horizon_kept(f: PlanFacts) -> Iterator[Violation]:
    """``outside-horizon``: days of stops, of routes without stops, and due days."""
    settings, routes, unassigned = f.plan.settings, f.plan.routes, f.plan.unassigned
    until = settings.end - np.timedelta64(1, "D")
    horizon = f"the horizon from {settings.start} to {until}"

    def away(day: np.datetime64) -> float:
        return float(abs((min(max(day, settings.start), until) - day) / np.timedelta64(1, "D")))

    for i in np.flatnonzero((f.day < settings.start) | (f.day > until)):
        message = f"Customer {f.customer_id(f.customer[i])} is visited on {f.day[i]}, outside {horizon}."
        yield f.at_stop("outside-horizon", i, message, away(f.day[i]))
    outside = (routes.day < settings.start) | (routes.day > until)
    for r in np.flatnonzero(outside & (f.route_group < 0)):
        message = f"Rep {f.rep_id(routes.rep_idx[r])} has a route on {routes.day[r]}, outside {horizon}."
        yield f.at_route("outside-horizon", r, message, away(routes.day[r]))
    for u in np.flatnonzero((unassigned.due < settings.start) | (unassigned.due > until)):
        who = f.customer_id(unassigned.customer_idx[u])
        message = f"An unassigned visit of customer {who} was due on {unassigned.due[u]}, outside {horizon}."
        yield Violation(
            "outside-horizon", message, customer_id=who, day=unassigned.due[u], amount=away(unassigned.due[u])
        )


def times_known(f: PlanFacts) -> Iterator[Violation]:
    """``time-missing``: rules about a time that is missing are not checked."""
    for name, column in (("arrival", f.arrival), ("start", f.start), ("end", f.end)):
        for i in np.flatnonzero(np.isnat(column)):
            who = f.customer_id(f.customer[i])
            yield f.at_stop("time-missing", i, f"The visit of customer {who} on {f.day[i]} has no {name}.")
    routes = f.plan.routes
    for name, column in (("leave", routes.leave), ("back", routes.back)):
        for r in np.flatnonzero(np.isnat(column)):
            rep = f.rep_id(routes.rep_idx[r])
            yield f.at_route("time-missing", r, f"The route of rep {rep} on {routes.day[r]} has no {name}.")
