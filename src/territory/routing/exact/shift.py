"""One shift to proven optimality: bounds from both ends, sharper each time, until nothing cheaper is left.

Labels with short memories, grown from the end of the day, bound what a partial route can become. They guide a
beam that finds a good route, and the labels with longer memories that are grown from the beginning; those
guide the next ones from the end, and so on, until memories are complete or no label can beat the best route.
(Righini & Salani 2009 grow memories where a route has a cycle; here neighbourhoods double, as with
ng-routes, since a pass between good bounds costs little.) Where routes with cycles are much cheaper than real ones,
because nearly all visits fit, penalties on repeated visits are found first. After every pass the least cost of any
route is a bound on the optimum; it stays valid where the budget ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.routing.clock import E_COLUMNS, E_COST, NEVER
from territory.routing.exact import labels as lb
from territory.routing.exact.completions import FAR, INFINITE
from territory.routing.exact.model import ShiftModel, shift_model
from territory.routing.exact.passes import Budget, Completions, Pass, memories, no_completions, tolerance
from territory.routing.layout import S_BREAK0, S_BREAK1, S_LOCK0, S_LOCK1
from territory.routing.timing import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from territory.routing.layout import Layout

__all__ = ["ShiftAnswer", "solve_shift"]

#: Memories of the first pass, and by how much they grow.
FIRST: Final = 3
GROWTH: Final = 2
#: Labels a slice of time that the beam follows.
BEAM: Final = 8
#: The same once penalties are known, when the bounds are worth following widely.
WIDE: Final = 500
#: Labels of a pass from which on it is worth while to look for penalties, how long, and how often.
MANY: Final = 20_000
STEPS: Final = 40
ROUNDS: Final = 3
#: And how far off the bound is then, in values of the dearest visit.
MUCH: Final = 3.0
#: Costs that no route has.
_FAR: Final = 1e15
#: First penalties: shares of the values.
SHARES: Final = (0.0, 0.5, 0.9, 0.97, 0.99, 1.0)


@dataclass(frozen=True)
class ShiftAnswer:
    """What is known about the best route of one shift.

    Attributes
    ----------
    order : tuple of int, or None
        The cheapest route found, locked visits first; None: none beats the given upper bound.
    net : float
        Its cost minus the values of its visits; of no route, the upper bound.
    bound : float
        No route of the shift costs less, net.
    optimal : bool
        `net` is proven to be least.
    labels : int
        Partial routes that were extended.
    interrupted : bool
        By Ctrl-C.
    """

    order: tuple[int, ...] | None
    net: float
    bound: float
    optimal: bool
    labels: int
    interrupted: bool = False


def solve_shift(
    layout: Layout,
    s: int,
    *,
    values: NDArray[np.float64],
    upper: float = np.inf,
    candidates: NDArray[np.int64] | None = None,
    max_labels: int = 2_000_000,
    deadline_s: float | None = None,
    on_route: Callable[[tuple[int, ...], float], None] | None = None,
) -> ShiftAnswer:
    """Find the route of one shift that costs least net of the values of its visits, and prove it.

    Parameters
    ----------
    layout : Layout
    s : int
    values : float64 array of shape (V,)
        What making a visit is worth.
    upper : float
        Net cost of a known route: only cheaper ones are looked for.
    candidates : int64 array, optional
        The visits that may be made, beside the locked ones.
    max_labels : int
        Most partial routes that are extended.
    deadline_s : float, optional
        Moment of `time.monotonic` at which to stop.
    on_route : callable, optional
        Told the order and net cost of each better route.

    Returns
    -------
    ShiftAnswer
        Links between visits are not looked at.
    """
    free = layout.shift_i[s, S_LOCK1] == layout.shift_i[s, S_LOCK0]
    known = min(upper, 0.0) if free else upper
    # beside a bound far above all costs these would drown
    known = known if known < _FAR else np.inf
    model = shift_model(layout, s, values, candidates)
    if model is None:
        return ShiftAnswer(None, known, known, optimal=True, labels=0)
    solver = _Solver(layout, model, values, known, on_route)
    budget = Budget(max_labels, deadline_s)
    interrupted = False
    try:
        solver.solve(budget)
    except KeyboardInterrupt:
        interrupted = True
    return replace(solver.answer(budget.spent), interrupted=interrupted)


class _Solver:
    def __init__(
        self, layout: Layout, model: ShiftModel, values: NDArray[np.float64], known: float,
        on_route: Callable[[tuple[int, ...], float], None] | None,
    ) -> None:  # fmt: skip
        self.layout, self.model, self.values, self.on_route = layout, model, values, on_route
        self.net = known
        self.round = 0
        self.dearest = float(-model.day.node_f.min(initial=0.0))
        self.order: tuple[int, ...] | None = None
        self.cut = known if not model.step else float(np.ceil(known - 1e-6))
        self.lower = float(model.day.source_f.min() + np.minimum(model.day.node_f, 0.0).sum())

    def solve(self, budget: Budget) -> None:
        """Grow memories from both ends; where that takes many labels, first find penalties for visits."""
        guide = self._first(budget)
        if guide is None or self._grow(budget, guide, MANY):
            return
        while self._penalise(budget):
            self.round += 1
            guide = self._first(budget)
            if guide is None or self._grow(budget, guide, MANY << 3 * self.round if self.round < ROUNDS else 1 << 62):
                return

    def _first(self, budget: Budget) -> Completions | None:
        """Run the pass that nothing guides, and the beam that it guides; None: the end."""
        model = self.model
        n = len(model.visits)
        mirror = model.mirror
        near = memories(mirror, FIRST)
        backward = Pass(model, mirror, near, self.cut, no_completions(mirror), rounded=model.timed)
        if not self._finish(backward, budget):
            return None
        guide = backward.completions()
        if n > FIRST:
            beam = Pass(
                model, model.day, memories(model.day, n), self.cut, guide, beam=BEAM if self.round == 0 else WIDE
            )
            beam.run(budget)
            self._take(beam)
        return guide

    def _grow(self, budget: Budget, guide: Completions, most: int) -> bool:
        """Run passes with longer and longer memories; False: one takes more than `most` labels."""
        model = self.model
        n = len(model.visits)
        size, forward = FIRST, True
        while not self.closed:
            size = min(n, size * GROWTH)
            side = model.day if forward else model.mirror
            rounded = model.timed and not forward
            grown = Pass(model, side, memories(side, size), self.cut, guide, rounded=rounded)
            if not self._finish(grown, budget, most):
                if budget.over or self.cut - grown.bound > MUCH * self.dearest:
                    return budget.over
                # the bound is not far off, so more labels are the shorter way
                most = 1 << 62
                if not self._finish(grown, budget):
                    return True
            if size >= n and not rounded:
                # no route repeats a visit here, and each was compared without penalties
                self.lower = max(self.lower, self.cut)
                return True
            guide = grown.completions()
            forward = not forward
        return True

    def _penalise(self, budget: Budget) -> bool:
        """Raise the cost of visits that cheap routes repeat (Christofides, Mingozzi & Toth 1981); False: the end."""
        best, penalty = -np.inf, self.model.penalty
        at, start, scale = penalty, best, 1.0
        near = memories(self.model.mirror, FIRST)
        worth = np.maximum(0.0, penalty - self.model.day.node_f)
        # the best known route may be far off: driving as usual is the measure then
        usual = len(at) * float(np.median(self.model.day.arc_f[self.model.day.arc_i < FAR]))
        for step in range(len(SHARES) + STEPS):
            if step < len(SHARES):
                # prizes that leave little of a visit's value, where nearly all can be had
                at = SHARES[step] * worth if self.round == 0 else self.model.penalty
            elif step == len(SHARES):
                at = penalty
            model = self.model.penalised(at)
            search = Pass(model, model.mirror, near, self.cut, no_completions(model.mirror), rounded=True)
            if not search.run(budget):
                return False
            bound = search.bound
            self.lower = max(self.lower, bound)
            if bound > best:
                best, penalty = bound, at
            elif step >= len(SHARES):
                scale *= 0.8
            label = int(search.work[lb.W_LEAST])
            if label < 0 or self.closed:
                break
            visits, times = np.unique(search.route(label), return_counts=True)
            slope = np.full(len(at), -1.0)
            slope[np.searchsorted(self.model.visits, visits)] += times
            slope[(slope < 0) & (at <= 0)] = 0.0
            size = float(slope @ slope)
            if size == 0.0:
                break
            if step == 0:
                start = bound
            if step < len(SHARES):
                continue
            gap = min(self.cut - bound, usual) if best > start else self.cut - bound
            at = np.maximum(0.0, at + scale * max(min(gap, 1e12), 1.0) / size * slope)
        self.model = self.model.penalised(penalty)
        return not self.closed

    def _finish(self, search: Pass, budget: Budget, most: int = 1 << 62) -> bool:
        """Run a pass and learn from it; return whether it came to its end."""
        done = search.run(budget, most)
        self._take(search)
        self.lower = max(self.lower, search.bound)
        return done

    def _take(self, search: Pass) -> None:
        """Time the best route of a pass, and keep it where it is better."""
        found = search.best
        self.cut = min(self.cut, search.cut)
        if found is None:
            return
        order = np.array([*self.model.locks.tolist(), *found], np.int32)
        m = len(order)
        shift = self.layout.shift_i[self.model.shift]
        if self.model.exact and not self.model.timed:
            # the label's cost is the real one
            self._keep(order, search.cut)
            return
        rests = int(shift[S_BREAK1] - shift[S_BREAK0])
        free, last = np.empty((m + 1, rests + 1), np.int64), np.empty((m + 1, rests + 1), np.int64)
        starts, taken, out = np.empty(m, np.int64), np.empty(rests, np.int64), np.empty(E_COLUMNS)
        wide = np.tile(np.array([-NEVER, NEVER], np.int64), (len(self.values), 1))
        if not evaluate(self.layout, wide, self.model.shift, order, m, free, last, starts, taken, out):
            return
        self._keep(order, float(out[E_COST] - self.values[order].sum()))

    def _keep(self, order: NDArray[np.int32], net: float) -> None:
        if net < self.net:
            self.net, self.order = net, tuple(order.tolist())
            if self.on_route is not None:
                self.on_route(self.order, net)

    @property
    def closed(self) -> bool:
        """Whether nothing can be cheaper than the cut."""
        return self.lower >= self.cut - tolerance(self.cut)

    def answer(self, spent: int) -> ShiftAnswer:
        """Return what is known."""
        slack = 2 * tolerance(self.net)
        lower = self.lower if self.lower < INFINITE else np.inf
        optimal = lower >= self.net - slack
        return ShiftAnswer(self.order, self.net, self.net - slack if optimal else lower, optimal, spent)
