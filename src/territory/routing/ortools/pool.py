"""A pool of routes, and which of them are worth recombining."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from territory.routing.clock import E_COLUMNS, E_COST, NEVER
from territory.routing.layout import (
    ONCE,
    S_CLASS,
    S_LOCK0,
    S_LOCK1,
    V_KIND,
    V_LINKED,
    V_PARTNER,
    V_REQUIRED,
    V_VALUE,
    Layout,
)
from territory.routing.timing import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from territory.routing.solution import RoutingSolution

__all__ = ["PoolRoute", "clean", "pool_of"]


class PoolRoute(NamedTuple):
    """A route that fits.

    Attributes
    ----------
    shift : int
        Or any other shift of its class (`territory.routing.layout.S_CLASS`).
    visits : tuple of int
        In order, at least one.
    cost : float
        Of the shift with these visits, without cadence.
    starts : tuple of int
        Of the visits, on the layout's clock; needed where visits are linked.
    """

    shift: int
    visits: tuple[int, ...]
    cost: float
    starts: tuple[int, ...] = ()


def pool_of(layout: Layout, solution: RoutingSolution) -> list[PoolRoute]:
    """Return the routes of a solution, as it times them."""
    found = []
    for route in solution.routes:
        m = len(route.visits)
        bounds = np.tile(np.array([-NEVER, NEVER], np.int64), (len(layout.visit_i), 1))
        starts = np.array(route.starts, np.int64) - layout.origin
        order = np.array(route.visits, np.int64)
        bounds[order] = starts[:, None]
        free = np.empty((m + 1, len(layout.rest) + 1), np.int64)
        out = np.empty(E_COLUMNS)
        rests = np.empty(len(layout.rest), np.int64)
        evaluate(layout, bounds, route.shift, order, m, free, free.copy(), np.empty(m, np.int64), rests, out)
        found.append(PoolRoute(route.shift, route.visits, float(out[E_COST]), tuple(starts.tolist())))
    return found


def _key(layout: Layout, linked: set[int], route: PoolRoute) -> tuple[int, frozenset[int], tuple[int, ...]]:
    """Return what a route is to the others: routes with one key differ in nothing but their cost."""
    times = sorted((v, t) for v, t in zip(route.visits, route.starts, strict=False) if v in linked)
    return int(layout.shift_i[route.shift, S_CLASS]), frozenset(route.visits), tuple(t for _, t in times)


def clean(layout: Layout, pool: Iterable[PoolRoute], keep: Sequence[PoolRoute], most: int) -> list[PoolRoute]:
    """Return the routes worth recombining: the cheapest of each kind, without those that no best answer needs.

    Parameters
    ----------
    layout : Layout
    pool : iterable of PoolRoute
    keep : sequence of PoolRoute
        Kept whatever they cost; first in what is returned.
    most : int
        Routes in all. Beyond that those go first that cost most above what their visits cost in
        the best routes they are in.
    """
    linked = set(np.flatnonzero(layout.visit_i[:, V_LINKED]).tolist())
    partner = layout.visit_i[:, V_PARTNER].tolist()
    cheapest: dict[tuple[int, frozenset[int], tuple[int, ...]], PoolRoute] = {}
    for route in pool:
        row = layout.shift_i[route.shift]
        locked = tuple(layout.locked[row[S_LOCK0] : row[S_LOCK1]].tolist())
        visits = set(route.visits)
        if not visits or len(visits) < len(route.visits) or route.visits[: len(locked)] != locked:
            continue
        if linked and not visits.isdisjoint(linked):
            together = any(partner[v] in visits for v in visits if partner[v] >= 0)
            if together or len(route.starts) != len(route.visits):
                continue
        key = _key(layout, linked, route)
        if key not in cheapest or route.cost < cheapest[key].cost:
            cheapest[key] = route
    spare = (layout.visit_i[:, V_KIND] == ONCE) & (layout.visit_i[:, V_REQUIRED] == 0)
    spare &= layout.visit_i[:, V_LINKED] == 0
    value = np.where(spare, layout.visit_f[:, V_VALUE], np.inf).tolist()
    kept = {_key(layout, linked, r) for r in keep}
    found = [r for key, r in cheapest.items() if key not in kept and not _dominated(key, r, cheapest, value)]
    room = max(0, most - len(keep))
    if len(found) > room:
        excess = _excess(found, len(layout.visit_i))
        found = [found[i] for i in np.sort(np.argsort(excess, kind="stable")[:room]).tolist()]
    return [*keep, *found]


def _dominated(
    key: tuple[int, frozenset[int], tuple[int, ...]],
    route: PoolRoute,
    cheapest: dict[tuple[int, frozenset[int], tuple[int, ...]], PoolRoute],
    value: list[float],
) -> bool:
    """Whether leaving out one visit at its value costs no more than the route."""
    shift_class, visits, times = key
    if len(visits) == 1:
        (v,) = visits
        return value[v] <= route.cost
    for v in visits:
        if value[v] <= route.cost:
            without = cheapest.get((shift_class, visits - {v}, times))
            if without is not None and without.cost + value[v] <= route.cost:
                return True
    return False


def _excess(pool: Sequence[PoolRoute], n_visits: int) -> NDArray[np.float64]:
    """Return what each route costs above the least shares of its visits in any route of the pool."""
    length = np.array([len(r.visits) for r in pool])
    cost = np.array([r.cost for r in pool])
    visits = np.concatenate([np.array(r.visits, np.int64) for r in pool])
    least = np.full(n_visits, np.inf)
    np.minimum.at(least, visits, np.repeat(cost / length, length))
    ends = np.cumsum(length)
    return np.asarray((cost - np.add.reduceat(least[visits], ends - length)) / length)
