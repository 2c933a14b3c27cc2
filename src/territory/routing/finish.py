"""From orders of visits to a timed and costed solution."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from territory.compiled import plain
from territory.compiled.tables import Tables
from territory.model.enums import Status
from territory.routing.clock import (
    E_BACK,
    E_COLUMNS,
    E_DRIVE,
    E_EXTRA,
    E_LATE_COST,
    E_LEAVE,
    E_METRES,
    E_OVERTIME,
    NEVER,
    evaluate,
)
from territory.routing.layout import (
    LAYOUT_ARRAYS,
    RHYTHM,
    S_BREAK0,
    S_BREAK1,
    S_COST,
    S_COST_PER_DRIVE_S,
    S_COST_PER_M,
    S_COST_PER_S,
    S_DAY,
    S_OVERTIME_COST,
    S_REGULAR,
    V_DUE,
    V_KIND,
    V_LATE_COST,
    V_LOCKED,
    V_VALUE,
    Layout,
)
from territory.routing.rhythm import chain_of
from territory.routing.solution import TERMS, RoutingSolution, ShiftRoute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from territory.routing.problem import RoutingProblem

__all__ = ["finish", "free_bounds", "route_terms", "with_routes"]


def free_bounds(layout: Layout) -> NDArray[np.int64]:
    """Return bounds for the starts of linked visits that bind nothing."""
    return np.tile(np.array([-NEVER, NEVER], np.int64), (len(layout.visit_i), 1))


def finish(
    problem: RoutingProblem,
    layout: Layout,
    orders: Mapping[int, Sequence[int]],
    *,
    bounds: NDArray[np.int64] | None = None,
    bound: float = -np.inf,
    status: Status = Status.FEASIBLE,
    trace: tuple[tuple[str, float, float], ...] = (),
    iterations: int = 0,
) -> RoutingSolution | None:
    """Time and cost the routes of a solution.

    Parameters
    ----------
    problem, layout : RoutingProblem, Layout
    orders : mapping of shift to its visits in order
    bounds : int64 array of shape (V, 2), optional
        Earliest and latest start of linked visits, on the layout's clock: such that any starts within
        them keep joint visits and precedences.
    bound, status, trace, iterations
        As in `RoutingSolution`.

    Returns
    -------
    RoutingSolution or None
        None: a route does not fit.
    """
    limits = free_bounds(layout) if bounds is None else bounds
    most = max((len(o) for o in orders.values()), default=0) + 1
    breaks = int((layout.shift_i[:, S_BREAK1] - layout.shift_i[:, S_BREAK0]).max(initial=0))
    free = np.empty((most, breaks + 1), np.int64)
    last = np.empty((most, breaks + 1), np.int64)
    starts, rests, out = np.empty(most, np.int64), np.empty(breaks, np.int64), np.empty(E_COLUMNS)
    terms = dict.fromkeys(TERMS, 0.0)
    routes = []
    made: dict[int, list[int]] = {}
    origin = layout.origin
    table = Tables((*layout[:LAYOUT_ARRAYS], limits))
    for s in sorted(orders):
        order = plain(orders[s], np.int32)
        m = len(order)
        if m == 0:
            continue
        if not evaluate(table.table, s, order, m, free, last, starts, rests, out):
            return None
        n = int(layout.shift_i[s, S_BREAK1] - layout.shift_i[s, S_BREAK0])
        leave, back, drive = int(out[E_LEAVE]), int(out[E_BACK]), int(out[E_DRIVE])
        routes.append(
            ShiftRoute(
                s, tuple(order.tolist()), tuple((starts[:m] + origin).tolist()), leave + origin, back + origin,
                tuple(int(r) + origin if r >= 0 else -1 for r in rests[:n]), drive, int(out[E_METRES]),
            )
        )  # fmt: skip
        rates = layout.shift_f[s]
        terms["shifts"] += float(rates[S_COST])
        terms["duration"] += float(rates[S_COST_PER_S]) * (back - leave)
        terms["drive"] += float(rates[S_COST_PER_DRIVE_S]) * drive
        terms["distance"] += float(rates[S_COST_PER_M]) * float(out[E_METRES])
        terms["overtime"] += float(rates[S_OVERTIME_COST]) * float(out[E_OVERTIME])
        terms["lateness"] += float(out[E_LATE_COST])
        terms["change"] += float(out[E_EXTRA])
        for v in order.tolist():
            made.setdefault(v, []).append(int(layout.shift_i[s, S_DAY]))
    unserved: list[tuple[int, int]] = []
    missing = 0
    kinds, values = layout.visit_i[:, V_KIND].tolist(), layout.visit_f[:, V_VALUE].tolist()
    required, locked = problem.visits.required.tolist(), layout.visit_i[:, V_LOCKED].tolist()
    for v in range(problem.n_visits):
        days = made.get(v, [])
        if kinds[v] == RHYTHM:
            missed, off, weekdays = chain_of(layout, v, sorted(days))
            terms["cadence"] += off
            terms["regularity"] += weekdays
        else:
            missed = () if days else (-1,)
            if days and problem.visits.patterns is not None:
                terms["cadence"] += _pattern_cost(problem, v, days)
        unserved += [(v, d) for d in missed]
        terms["unserved"] += values[v] * len(missed)
        missing += len(missed) if required[v] or locked[v] >= 0 else 0
    return RoutingSolution(
        tuple(routes), tuple(unserved), sum(terms.values()), terms, bound, status, missing, trace, iterations
    )


def route_terms(layout: Layout, route: ShiftRoute) -> dict[str, float]:
    """Return what a route costs, term by term, whatever its times; visits that come again and those not made aside.

    Parameters
    ----------
    layout : Layout
    route : ShiftRoute
        With visits, and times that keep the rules.

    Notes
    -----
    O(m) for m visits. Nothing is timed anew, as `finish` does.
    """
    s = route.shift
    rates, close = layout.shift_f[s].tolist(), int(layout.shift_i[s, S_REGULAR]) + layout.origin
    rows = list(route.visits)
    late = np.array(route.starts) - layout.origin - layout.visit_i[rows, V_DUE]
    return {
        "shifts": rates[S_COST],
        "duration": rates[S_COST_PER_S] * (route.back - route.leave),
        "drive": rates[S_COST_PER_DRIVE_S] * route.drive_s,
        "distance": rates[S_COST_PER_M] * route.distance_m,
        "overtime": rates[S_OVERTIME_COST] * max(0, route.back - close),
        "lateness": float((layout.visit_f[rows, V_LATE_COST] * np.maximum(late, 0)).sum()),
        "change": float(layout.extra[rows, s].sum()) if layout.extra.size else 0.0,
    }


def with_routes(layout: Layout, solution: RoutingSolution, routes: Sequence[ShiftRoute]) -> RoutingSolution:
    """Return a solution with other times or orders of the same visits in the same shifts, costed anew.

    Parameters
    ----------
    layout : Layout
    solution : RoutingSolution
    routes : sequence of ShiftRoute
        In the order of the shifts, with the visits that the solution has there.

    Returns
    -------
    RoutingSolution
        With the bound, status and trace of the given one: whoever makes it dearer says that it is not OPTIMAL.
    """
    terms = dict(solution.terms)
    for k, route in enumerate(routes):
        for name, cost in route_terms(layout, route).items():
            terms[name] = cost + (terms[name] if k else 0.0)
    return replace(solution, routes=tuple(routes), terms=terms, objective=sum(terms.values()))


def _pattern_cost(problem: RoutingProblem, v: int, days: list[int]) -> float:
    """Return the cost of the cheapest pattern of visit v with these days."""
    patterns, costs = problem.visits.patterns[v], problem.visits.pattern_cost
    if patterns is None or costs is None or costs[v] is None:
        return 0.0
    wanted = set(days)
    return min((float(c) for p, c in zip(patterns, costs[v], strict=True) if set(p) == wanted), default=0.0)
