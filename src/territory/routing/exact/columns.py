"""A lower bound for many shifts: column generation over relaxed routes.

The master problem chooses routes for the shifts and a plan for each visit (made once or left out, a pattern, a
chain of days). For any duals of the rows that link both, the cheapest plans plus the cheapest
route of each shift, net of the duals, cost no more than any solution; the best of these Lagrangian bounds is
returned. So it is valid whenever the time is up. Duals come from subgradient steps first, which need no
columns, then from the linear program over the columns met, smoothed towards the best ones so far
(Wentges 1997; Pessoa et al. 2018). Links between visits are left out, which only lowers the bound.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.routing.exact.master import Master
from territory.routing.exact.passes import Budget
from territory.routing.exact.plans import Plans
from territory.routing.exact.pricing import Column, ShiftClass, price, shift_classes
from territory.routing.exact.worth import dearest
from territory.routing.layout import ONCE, S_DAY, V_KIND, Layout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from territory.routing.problem import RoutingProblem

__all__ = ["ColumnBound", "column_bound"]

#: First guesses of the duals are scaled by this again and again, while the bound grows.
SCALE: Final = 1.5
#: Subgradient steps before the linear program, and the weight of the newest direction in them.
STEPS: Final = 15
NEWEST: Final = 0.4
#: Weight of the best duals so far in the next ones, and how it changes where the bound rises.
LEAST: Final = 0.2
MOST: Final = 0.97
CHANGE: Final = 0.1
#: With fewer new routes a class in a round, bounds are priced sharply.
FEW: Final = 8
#: Every so many rounds are priced sharply in any case.
SHARP: Final = 4
#: With more classes the first rounds price roughly.
MANY: Final = 4
#: The bound is as good as it gets when it is this near to the linear program's value, or to `upper`.
NEAR: Final = 1e-4


@dataclass(frozen=True)
class ColumnBound:
    """A bound on the objective, and what was met on the way.

    Attributes
    ----------
    bound : float
        No answer that makes all required visits costs less.
    routes : tuple of (int, tuple of int)
        Shift and order of good routes, each with every visit once at most; their times may be relaxed.
    rounds : int
        How often all classes of shifts were priced.
    proven : bool
        The bound is that of the relaxation: more time would not help.
    """

    bound: float
    routes: tuple[tuple[int, tuple[int, ...]], ...] = field(default=(), repr=False)
    rounds: int = 0
    proven: bool = False


def column_bound(
    problem: RoutingProblem,
    layout: Layout,
    *,
    upper: float = np.inf,
    time_limit_s: float = 5.0,
    routes: Mapping[int, Sequence[Sequence[int]]] | None = None,
    max_rounds: int = 1000,
) -> ColumnBound:
    """Return a lower bound on the objective of a problem of several shifts.

    Parameters
    ----------
    problem : RoutingProblem
    layout : Layout
        Of the problem.
    upper : float
        Objective of a known solution.
    time_limit_s : float
    routes : mapping of shift to orders, optional
        Known good routes, as first columns.
    max_rounds : int

    Notes
    -----
    A round prices each class of like shifts once: some 0.1 s for 100 visits, 0.5 s for 200.
    """
    deadline = monotonic() + time_limit_s
    del problem
    return _Bound(layout, upper, deadline, routes or {}).run(max_rounds)


class _Bound:
    def __init__(
        self, layout: Layout, upper: float, deadline: float, routes: Mapping[int, Sequence[Sequence[int]]]
    ) -> None:
        self.layout, self.upper, self.deadline = layout, upper, deadline
        values = float(np.abs(layout.visit_f[:, 0]).sum()) * max(1, layout.days)
        self.plans = Plans(layout, 1.0 + values + dearest(layout))
        recurring = bool((layout.visit_i[:, V_KIND] != ONCE).any())
        days = layout.shift_i[:, S_DAY]
        self.classes = shift_classes(layout, by_day=days if recurring else None)
        self.days = [int(days[c.shifts[0]]) for c in self.classes]
        self.columns: list[dict[tuple[int, ...], Column]] = [{} for _ in self.classes]
        # no term of the objective is negative
        self.best = 0.0 if layout.pattern_cost.min(initial=0.0) >= 0.0 else -np.inf
        self.centre = self._first_duals()
        for group, mine in zip(self.classes, self.columns, strict=True):
            for s in group.shifts:
                for order in routes.get(s, ()):
                    cost = _cost(group, order)
                    if cost is not None:
                        mine[tuple(order)] = Column(tuple(order), cost, elementary=True)
        self.master: Master | None = None
        self.goal = upper
        self.filled = bool(routes)

    def _greedy(self) -> None:
        """Fill one shift after the other with what is still to be made: first columns."""
        budget = Budget(1 << 62, self.deadline)
        worth = self.plans.value.copy()
        total = 0.0
        for group, mine in zip(self.classes, self.columns, strict=True):
            for _ in group.shifts:
                if budget.over:
                    return
                found = [c for c in price(group, worth, np.inf, budget, quick=True).columns if c.elementary]
                if not found:
                    break
                best = min(found, key=lambda c: c.cost - worth[list(c.visits)].sum())
                mine[best.visits] = best
                worth[list(best.visits)] = 0.0
                total += best.cost
        self.goal = min(self.goal, total + float(worth.sum()))

    def run(self, max_rounds: int) -> ColumnBound:
        rounds, steps, proven, scaling = 0, 0, False, True
        duals = self.centre
        mean: NDArray[np.float64] | None = None
        quick, smooth = len(self.classes) > MANY, MOST
        while rounds < max_rounds and monotonic() < self.deadline:
            before = sum(len(mine) for mine in self.columns)
            lagrangian, slope = self._price(duals, quick=quick)
            if lagrangian is None:
                break
            rounds += 1
            better = lagrangian > self.best
            if better:
                self.best, self.centre = lagrangian, duals
            if self.best >= self.upper - NEAR * max(1.0, abs(self.upper)):
                break
            if scaling and better:
                duals = np.minimum(duals * SCALE, self.cap)
                continue
            scaling = False
            if not self.filled:
                self.filled = True
                self._greedy()
            if steps < STEPS:
                steps += 1
                mean = slope if mean is None else NEWEST * slope + (1 - NEWEST) * mean
                duals = self._step(self.centre, mean, lagrangian, 1.0 / steps)
                continue
            many = sum(len(mine) for mine in self.columns) - before
            target, linear = self._linear()
            if target is None:
                break
            # a sharp bound is worth its time once there are few new routes to be found
            quick = many > FEW * len(self.classes) and rounds % SHARP != 0
            if self.best >= linear - NEAR * max(1.0, abs(linear)):
                proven = True
                break
            smooth = max(LEAST, smooth - CHANGE) if better else min(MOST, smooth + CHANGE / 2)
            duals = smooth * self.centre + (1 - smooth) * target
        kept = [
            (group.shifts[0], column.visits)
            for group, mine in zip(self.classes, self.columns, strict=True)
            for column in mine.values()
            if column.elementary
        ]
        return ColumnBound(float(self.best), tuple(kept), rounds, proven)

    def _first_duals(self) -> NDArray[np.float64]:
        """Return what reaching each visit from its nearest neighbours costs, about: half of it for each side."""
        duals = np.zeros(self.plans.n_rows)
        weight = np.zeros(self.plans.n_rows)
        for group, day in zip(self.classes, self.days, strict=True):
            n = len(group.model.visits)
            if n == 0:
                continue
            legs = np.where(np.eye(n + 2, dtype=np.bool_), np.inf, group.model.day.arc_f)
            legs[group.model.day.arc_i >= 1 << 40] = np.inf
            near_in, near_out = np.sort(legs[:, :n], axis=0)[:2], np.sort(legs[:n], axis=1)[:, :2]
            about = (near_in.sum(axis=0) + near_out.sum(axis=1)) / 4
            rows = self.plans.row[group.model.visits, day]
            fine = np.isfinite(about) & (rows >= 0)
            duals[rows[fine]] += about[fine]
            weight[rows[fine]] += 1
        duals /= np.maximum(weight, 1)
        cap = np.full(self.plans.n_rows, np.inf)
        for day in range(self.plans.row.shape[1]):
            rows = self.plans.row[:, day]
            cap[rows[rows >= 0]] = self.plans.value[rows >= 0]
        self.cap = cap
        found: NDArray[np.float64] = np.minimum(duals, cap)
        return found

    def _price(self, duals: NDArray[np.float64], *, quick: bool = False) -> tuple[float | None, NDArray[np.float64]]:
        """Return the Lagrangian bound at some duals, and by how much rows are asked for more than served."""
        chosen = self.plans.cheapest(duals)
        slope = np.zeros(len(duals))
        total = 0.0
        for plan in chosen:
            total += plan.cost + float(duals[list(plan.rows)].sum())
            slope[list(plan.rows)] += 1.0
        budget = Budget(1 << 62, self.deadline)
        for group, day, mine in zip(self.classes, self.days, self.columns, strict=True):
            worth = self.plans.worth(duals, day)
            cut = min((c.cost - worth[list(c.visits)].sum() for c in mine.values() if c.elementary), default=np.inf)
            found = price(group, worth, float(cut), budget, quick=quick)
            for column in found.columns:
                mine.setdefault(column.visits, column)
            if found.bound is None or (budget.over and found.bound == -np.inf):
                return None, slope
            total += len(group.shifts) * found.bound
            # like shifts would all take the same route: as many good ones that differ show better what is missing
            good = [c for c in found.columns if c.cost < worth[list(c.visits)].sum()]
            good = sorted(good, key=lambda c, w=worth: c.cost - w[list(c.visits)].sum())[: len(group.shifts)]  # type: ignore[misc]
            for column in good:
                rows = self.plans.row[list(column.visits), day]
                np.subtract.at(slope, rows[rows >= 0], len(group.shifts) / len(good))
        return total, slope

    def _step(
        self, duals: NDArray[np.float64], slope: NDArray[np.float64], lagrangian: float, step: float
    ) -> NDArray[np.float64]:
        """Return the next duals of the subgradient method (Polyak's step towards the known solution)."""
        size = float(slope @ slope)
        if size == 0.0:
            return duals
        goal = self.goal if np.isfinite(self.goal) else lagrangian + 0.1 * max(1.0, abs(lagrangian))
        found: NDArray[np.float64] = np.maximum(0.0, duals + step * (goal - lagrangian) / size * slope)
        return found

    def _linear(self) -> tuple[NDArray[np.float64] | None, float]:
        """Solve the master over all columns met, with the plans that its duals ask for."""
        if self.master is None:
            self.master = Master(self.plans, [len(c.shifts) for c in self.classes], self.days, self.classes)
        self.master.add(self.columns)
        while monotonic() < self.deadline:
            duals, value = self.master.solve(self.deadline)
            if duals is None or not self.master.add_plans(self.plans.cheapest(duals), duals):
                return duals, value
        return None, np.inf


def _cost(group: ShiftClass, order: Sequence[int]) -> float | None:
    """Return what a route of a class costs without values and times; None: it is not of the class."""
    model = group.model
    locks = len(model.locks)
    node = {int(v): i for i, v in enumerate(model.visits)}
    if list(order[:locks]) != model.locks.tolist() or any(v not in node for v in order[locks:]):
        return None
    n = len(model.visits)
    path = [n, *(node[v] for v in order[locks:]), n + 1]
    cost = float(model.day.source_f.min()) + float(model.day.arc_f[path[:-1], path[1:]].sum())
    return cost + float(model.day.node_f[path[1:-1]].sum())
