"""The linear program over routes and plans, grown column by column (GLOP keeps its basis)."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
from ortools.linear_solver import pywraplp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from territory.routing.exact.plans import Plan, Plans
    from territory.routing.exact.pricing import Column, ShiftClass

__all__ = ["Master"]


class Master:
    """Least cost of fractional routes that serve fractional plans.

    Parameters
    ----------
    plans : Plans
    counts : sequence of int
        Shifts of each class.
    days : sequence of int
        Day of each class.
    classes : sequence of ShiftClass
    """

    def __init__(self, plans: Plans, counts: Sequence[int], days: Sequence[int], classes: Sequence[ShiftClass]) -> None:
        self.lp: Any = pywraplp.Solver.CreateSolver("GLOP")
        self.optimal = pywraplp.Solver.OPTIMAL
        self.plans, self.days = plans, days
        infinity = self.lp.infinity()
        # routes of a row less its plans >= 0
        self.link = [self.lp.Constraint(0.0, infinity) for _ in range(plans.n_rows)]
        self.one = [self.lp.Constraint(1.0, 1.0) for _ in range(len(plans.row))]
        # a shift with locked visits is made, any other may stay empty
        self.limit = [
            self.lp.Constraint(float(n) if len(c.model.locks) else 0.0, float(n))
            for n, c in zip(counts, classes, strict=True)
        ]
        self.objective = self.lp.Objective()
        self.objective.SetMinimization()
        self.infinity = infinity
        self.seen: list[set[tuple[int, ...]]] = [set() for _ in counts]
        self.known: set[tuple[int, tuple[int, ...], float]] = set()
        huge = float(np.abs(plans.value).max(initial=0.0)) * 10 + 1.0
        for c, limit in enumerate(self.limit):
            if len(classes[c].model.locks):
                # until there are columns, no route at all, at a price
                none = self.lp.NumVar(0.0, infinity, "")
                limit.SetCoefficient(none, 1.0)
                self.objective.SetCoefficient(none, huge)
        self.add_plans(plans.cheapest(np.full(plans.n_rows, np.inf)), None)
        self.add_plans(plans.cheapest(np.zeros(plans.n_rows)), None)

    def add(self, columns: Sequence[dict[tuple[int, ...], Column]]) -> None:
        """Add the routes that are new."""
        for c, mine in enumerate(columns):
            for key, column in mine.items():
                if key in self.seen[c]:
                    continue
                self.seen[c].add(key)
                x = self.lp.NumVar(0.0, self.infinity, "")
                self.objective.SetCoefficient(x, column.cost)
                self.limit[c].SetCoefficient(x, 1.0)
                rows = self.plans.row[list(key), self.days[c]]
                for row, times in zip(*np.unique(rows[rows >= 0], return_counts=True), strict=True):
                    self.link[int(row)].SetCoefficient(x, float(times))

    def add_plans(self, plans: Sequence[Plan], duals: NDArray[np.float64] | None) -> int:
        """Add the plans that are new and cheaper than those at hand; return how many."""
        added = 0
        # all at once: the program forgets its duals with the first new column
        own = None if duals is None else [row.dual_value() for row in self.one]
        for plan in plans:
            key = (plan.visit, plan.rows, round(plan.cost, 6))
            if key in self.known:
                continue
            if duals is not None and own is not None:
                gain = own[plan.visit] - plan.cost - float(duals[list(plan.rows)].sum())
                if gain <= 1e-6 * max(1.0, abs(plan.cost)):
                    continue
            self.known.add(key)
            y = self.lp.NumVar(0.0, self.infinity, "")
            self.objective.SetCoefficient(y, plan.cost)
            self.one[plan.visit].SetCoefficient(y, 1.0)
            for row in plan.rows:
                self.link[row].SetCoefficient(y, -1.0)
            added += 1
        return added

    def solve(self, deadline: float) -> tuple[NDArray[np.float64] | None, float]:
        """Return duals of the linking rows (not negative) and the value; None: not solved in time."""
        self.lp.SetTimeLimit(int(1000 * min(max(deadline - monotonic(), 0.001), 1e6)))
        if self.lp.Solve() != self.optimal:
            return None, np.inf
        duals = np.array([row.dual_value() for row in self.link])
        return np.maximum(duals, 0.0), float(self.objective.Value())
