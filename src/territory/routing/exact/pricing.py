"""Routes that duals make attractive: the pricing problem of each class of like shifts.

Shifts are alike if, seen from the beginning of their days, they have the same visits, windows, drives, breaks and
limits; they are priced once. The cheapest ng-route (short memories) is cheaper than any real route, so
it gives a bound; routes met on the way become columns.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from territory.routing.exact import completions as co
from territory.routing.exact.model import ShiftModel, shift_model
from territory.routing.exact.passes import Budget, Pass, memories, no_completions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.routing.layout import Layout

__all__ = ["Column", "Price", "ShiftClass", "price", "shift_classes"]

#: Memories of the passes; the last one decides how sharp the bound is.
SIZES: Final = (2, 5, 10)
#: Memory where routes are wanted soon and the bound may be weak.
QUICK: Final = 1
#: Labels a slice of time that the beam follows.
BEAM: Final = 20
#: Columns taken from one pass.
COLUMNS: Final = 80
#: Of the columns of a pass, how many may have the same visit, unless they have another that needs one.
SHARED: Final = 4


class ShiftClass(NamedTuple):
    """Like shifts: their numbers, and one of them as a model in which visits are worth nothing."""

    shifts: tuple[int, ...]
    model: ShiftModel
    #: Memories of the passes.
    near: tuple[NDArray[np.int64], ...]
    quick: NDArray[np.int64]


class Column(NamedTuple):
    """A route of a class: its visits in order (an ng-route may repeat some), and its cost without values."""

    visits: tuple[int, ...]
    cost: float
    elementary: bool


class Price(NamedTuple):
    """No route of the class costs less than `bound`, net of the duals; None: not known in time."""

    bound: float | None
    columns: list[Column]


def shift_classes(layout: Layout, *, by_day: NDArray[np.int64] | None = None) -> list[ShiftClass]:
    """Return the shifts in classes; those that cannot be made at all are left out.

    Parameters
    ----------
    layout : Layout
    by_day : int64 array of shape (S,), optional
        Day of each shift, where duals differ by day.
    """
    found: dict[bytes, tuple[ShiftModel, list[int]]] = {}
    zero = np.zeros(len(layout.visit_i))
    for s in range(len(layout.shift_i)):
        model = shift_model(layout, s, zero)
        if model is None:
            continue
        parts = [model.visits, model.locks, *model.day, np.array([model.horizon, -1 if by_day is None else by_day[s]])]
        key = b"|".join(np.ascontiguousarray(p).tobytes() for p in parts)
        found.setdefault(key, (model, []))[1].append(s)
    classes = []
    for model, shifts in found.values():
        sides = (model.day, model.mirror, model.day)
        near = tuple(memories(side, size) for side, size in zip(sides, SIZES, strict=True))
        classes.append(ShiftClass(tuple(shifts), model, near, memories(model.day, QUICK)))
    return classes


def price(group: ShiftClass, duals: NDArray[np.float64], cut: float, budget: Budget, *, quick: bool = False) -> Price:
    """Find routes of least cost net of duals, and a bound on it.

    Parameters
    ----------
    group : ShiftClass
    duals : float64 array of shape (V,)
        What each visit is worth.
    cut : float
        Net cost of the best route known.
    budget : Budget
    quick : bool
        Look for routes only: the bound is weak.
    """
    base = group.model
    free = len(base.locks) == 0
    node_f = base.day.node_f - duals[base.visits]
    fixed = float(duals[base.locks].sum())
    day = base.day._replace(node_f=node_f, source_f=base.day.source_f - fixed)
    sink_f = base.mirror.sink_f.copy()
    sink_f[:, 0] -= fixed
    mirror = base.mirror._replace(node_f=node_f, sink_f=sink_f)
    model = replace(base, day=day, mirror=mirror, step=0.0)
    cut = min(cut, 0.0) if free else cut
    guide = no_completions(day)
    columns: list[Column] = []
    bound: float | None = None
    for step, near in enumerate((group.quick,) if quick else group.near):
        back = step % 2 == 1
        search = Pass(model, mirror if back else day, near, cut, guide, rounded=model.timed and back)
        done = search.run(budget)
        if not done and step == 0:
            return Price(None, columns)
        # routes with cycles that longer memories forbid would hold the linear program down
        last = not quick and step == len(group.near) - 1
        columns += [c for c in _columns(search, duals) if c.elementary or last]
        bound = search.bound if bound is None else max(bound, search.bound)
        cut = min(cut, search.cut)
        if not done or bound >= cut - 1e-7:
            break
        guide = search.completions()
        if step == 0:
            # all routes that gain are wanted, not the best alone
            gain = 0.0 if free else np.inf
            full = memories(day, len(base.visits))
            beam = Pass(model, mirror, full, gain, guide, beam=BEAM, rounded=True)
            beam.run(budget)
            met = [c for c in _columns(beam, duals) if c.elementary]
            if not model.timed:
                cut = min([cut, *(c.cost - float(duals[list(c.visits)].sum()) for c in met)])
            columns += met
    return Price(bound, columns)


def _columns(search: Pass, duals: NDArray[np.float64]) -> list[Column]:
    """Return the cheapest routes of a pass."""
    side, model = search.side, search.model
    lab, money = search.lab[: search.count], search.money[: search.count]
    n = len(side.node_f)
    node = lab[:, co.L_NODE]
    at = lab[:, co.L_TIME] + side.arc_i[node, n + 1]
    total = np.full(len(lab), np.inf)
    for (needed, until, *used), (cost, rate, since) in zip(side.sink_i.tolist(), side.sink_f.tolist(), strict=True):
        fits = (lab[:, co.L_REST] >= needed) & (at <= until) & (node < n)
        for r, more in enumerate(used):
            fits &= lab[:, co.L_USED + r] + side.used_arc[r, node, n + 1] + more <= side.used_limit[r]
        ends = money[:, co.M_COST] + side.arc_f[node, n + 1] + cost + rate * np.maximum(0.0, at - since)
        total = np.where(fits, np.minimum(total, ends), total)
    best = np.flatnonzero(total < -1e-7)
    if len(best) > 20 * COLUMNS:
        best = best[np.argpartition(total[best], 20 * COLUMNS)[: 20 * COLUMNS]]
    found: list[Column] = []
    counts: Counter[int] = Counter()
    seen: set[tuple[int, ...]] = set()
    best = best[np.argsort(total[best])]
    for x, order_of in zip(best.tolist(), search.routes(best), strict=True):
        visits = tuple(order_of)
        key = tuple(sorted(visits))
        if key in seen or (found and all(counts[v] >= SHARED for v in key)):
            continue
        seen.add(key)
        counts.update(set(key))
        order = (*model.locks.tolist(), *visits)
        worth = float(duals[list(order)].sum())
        found.append(Column(order, float(total[x]) + worth, len(set(key)) == len(key)))
        if len(found) >= COLUMNS:
            break
    return found
