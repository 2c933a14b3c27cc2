"""The local search as a whole: starts, cycles of annealing, and territories closed and opened between them.

First a race: a few short runs from different starts, of which the best is carried on. Then cycles, in turns: from the
best with a modest temperature, from it after one territory was closed and another opened, and from a new start.
How many there are follows from the number of customers and the budget. A budget in iterations gives the same answer
on every machine; one in seconds is for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.design.anneal import anneal, sample
from territory.design.moves import build, recount
from territory.design.moves_layout import (
    CENTER,
    COUNT,
    LABEL,
    MEMBER,
    N_CONFLICT,
    OBJECTIVE,
    ROUNDING,
    SIZE,
    START,
    VALUE,
    VIOLATION,
)
from territory.design.moves_problem import data_of, state_of
from territory.design.moves_starts import grown_start, regret_start
from territory.design.reseed import reseeded

if TYPE_CHECKING:
    from territory.design.moves_problem import LocalProblem
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["LocalResult", "local_search", "polish"]

#: Temperatures of the cycles, in mean rises of cost by one move: of a new start, of the best again.
_HOT, _WARM = 0.7, 0.25
#: Of an assignment that is good already; hotter and longer ones follow where bands stay broken.
_GENTLE: Final = ((0.02, 1), (0.1, 4), (0.5, 16))
#: The last temperature of a cycle, of the first.
_COOLING: Final = 0.01
#: Share of the territories that may be outside their bands at the first temperature.
_OUTSIDE: Final = 0.1
#: From this fraction of a cycle on none may be outside: one of very many would be enough to spoil all.
_FIRM: Final = 0.8
#: Price of violations: at least and at most this share of, and this many times, what a move gains by one.
_CHEAP, _DEAR = 1e-3, 1e3
#: Steps a customer that a cycle should have, the same where there are many territories, and the most cycles.
_STEPS, _LONG, _CYCLES = 4000, 20_000, 40
#: Share of the budget for the race of starts; so many starts, and fewer where there are many territories.
_RACE, _STARTS, _MANY = 0.15, 8, 200
#: Steps that the kernel makes in one call: fewer could not be timed, more would overrun the time limit.
_FEW, _SLICE_S = 2000, 0.05
#: Share of the budget for closing and opening territories, and steps a customer of the run that follows.
_EXPLORE, _BRIEF = 0.3, 100
#: Share of the time that shows how fast the machine is.
_TRIAL: Final = 0.02
#: Calls of the kernel between two sums of everything anew.
_RECOUNT: Final = 16


@dataclass(frozen=True, eq=False)
class LocalResult:
    """The best assignment of a search.

    Attributes
    ----------
    label : int32 array of shape (n,)
    objective : float
        The price of deviations included.
    violation : float
        Sum of what is outside the bands, as shares of the targets; 0: all hold.
    conflicts : int
        Pairs who share a territory and must be apart.
    centers : int32 array of shape (k,), or float array of shape (k, d)
        The medians' positions (-1: nobody is there); else the means or the given centres.
    iterations : int
        Steps that were made.
    trace : tuple of (iterations, objective, violation and conflicts)
        After each cycle that found a better one.
    """

    label: IdxArray
    objective: float
    violation: float
    conflicts: int
    centers: IdxArray | FloatArray
    iterations: int
    trace: tuple[tuple[int, float, float], ...]


class _Budget:
    """How much of the steps or of the time is used, a fraction."""

    def __init__(self, iterations: int | None, deadline: float | None) -> None:
        self.iterations, self.deadline = iterations, deadline
        self.began, self.steps = monotonic(), 0
        self.size = _FEW  # steps of the next call
        self.spent = 0.0  # seconds in all calls

    def used(self) -> float:
        used = 0.0
        if self.iterations is not None:
            used = self.steps / max(self.iterations, 1)
        if self.deadline is not None:
            used = max(used, (monotonic() - self.began) / max(self.deadline - self.began, 1e-9))
        return min(used, 1.0)

    def expected(self) -> float:
        """Return how many steps the whole budget will have made, about."""
        counted = float(self.iterations) if self.iterations is not None else np.inf
        timed = np.inf
        if self.deadline is not None and self.spent > 0.0:
            timed = self.steps / self.spent * (self.deadline - self.began)
        return min(counted, timed)

    def slice(self, n: int) -> int:
        """Return the steps of the next call."""
        if self.iterations is not None:
            # never by the clock: the same steps in the same calls give the same answer
            return max(min(max(_FEW, n), self.iterations - self.steps), 1)
        return self.size

    def called(self, steps: int, seconds: float) -> None:
        """Count a call; the next one is at most twice as long, as clocks are coarse."""
        self.steps += steps
        self.spent += seconds
        if seconds < 0.5 * _SLICE_S:
            self.size = min(2 * steps, 2 * self.size)
        elif seconds > _SLICE_S:
            self.size = max(_FEW, int(self.size * _SLICE_S / seconds))


class _Search:
    def __init__(self, problem: LocalProblem, seed: int, budget: _Budget) -> None:
        self.problem, self.budget = problem, budget
        self.rng = np.random.default_rng(seed)
        self.data = data_of(problem)
        self.best = np.array([np.inf, np.inf])
        self.best_label = np.zeros(problem.n, dtype=np.int32)
        self.trace: list[tuple[int, float, float]] = []
        self.tables = state_of(problem, self.data, self.best_label, int(self.rng.integers(2**63)))

    def start(self) -> IdxArray:
        if self.problem.site is None:
            return regret_start(self.problem, self.rng)
        return grown_start(self.problem, self.rng)

    def put(self, label: IdxArray) -> None:
        """Make `label` the present assignment."""
        self.tables.arrays[LABEL][:] = label
        build(self.tables.table)
        recount(self.tables.table)

    def result(self, steps: int, trace: tuple[tuple[int, float, float], ...]) -> LocalResult:
        """Return the best assignment, with its medians or means."""
        self.put(self.best_label)
        arrays = self.tables.arrays
        centers = np.array(arrays[CENTER])
        if self.problem.objective == "median":
            # the kernels keep the median first
            centers = np.array(arrays[MEMBER][np.minimum(arrays[START][:-1], len(arrays[MEMBER]) - 1)])
            centers[arrays[SIZE] == 0] = -1
        objective, conflicts = float(self.best[0]), int(arrays[COUNT][N_CONFLICT])
        violation = max(float(self.best[1]) - conflicts, 0.0)
        violation = violation if violation > ROUNDING else 0.0
        return LocalResult(self.best_label, objective, violation, conflicts, centers, steps, trace)

    def cycle(self, label: IdxArray, hot: float, until: float) -> tuple[IdxArray, float, float]:
        """Anneal from an assignment until a fraction of the budget is used; return the best of it."""
        table, budget, n = self.tables.table, self.budget, self.problem.n
        # sums of shares may end a bit above 1, where nobody ever comes
        until = min(until, 1.0)
        self.put(label)
        value = self.tables.arrays[VALUE]
        violation = float(value[VIOLATION]) if value[VIOLATION] > ROUNDING else 0.0
        best, best_label = np.array([value[OBJECTIVE], violation]), np.array(label, dtype=np.int32)
        rise, mend = sample(table, max(_FEW, min(n, 10 * _FEW)))
        rise = rise or float(abs(value[OBJECTIVE])) / n or 1.0
        fair = rise / mend if mend > 0.0 else rise
        price = np.array([fair, _CHEAP * fair, _DEAR * fair])
        hot *= rise
        began = used = budget.used()
        calls, ahead = 0, 0.0
        while used < until:
            steps = budget.slice(n)
            if budget.iterations is not None:
                steps = max(1, min(steps, round((until - used) * budget.iterations)))
                ahead = steps / budget.iterations
            there = (used - began) / max(until - began, 1e-12)
            then = min((used + ahead - began) / max(until - began, 1e-12), 1.0)
            clock = monotonic()
            anneal(
                table, best_label, best, price, steps, hot * _COOLING**there, hot * _COOLING**then,
                _OUTSIDE * _COOLING**there if there < _FIRM else 0.0,
            )  # fmt: skip
            budget.called(steps, monotonic() - clock)
            calls += 1
            if calls % _RECOUNT == 0:
                recount(table)
            before, used = used, budget.used()
            ahead = used - before
        found = (best_label, float(best[0]), float(best[1]))
        if _better(found[1], found[2], self.best):
            # what the kernel summed up by and by is summed anew
            self.put(best_label)
            self.best[:] = value[OBJECTIVE], float(value[VIOLATION]) if value[VIOLATION] > ROUNDING else 0.0
            self.best_label = best_label
            self.trace.append((budget.steps, float(self.best[0]), float(self.best[1])))
        return found

    def explore(self, label: IdxArray) -> None:
        """Close and open territories of the best, each time followed by a short run."""
        budget = self.budget
        until = budget.used() + _EXPLORE
        share = min(_BRIEF * self.problem.n / max(budget.expected(), 1.0), _EXPLORE)
        if not np.isfinite(self.best[0]):
            self.cycle(label, _HOT, budget.used() + share)
        while budget.used() < until:
            self.cycle(reseeded(self.problem, self.best_label, self.rng), _WARM, budget.used() + share)

    def run(self, first: IdxArray | None) -> None:
        n, k, budget = self.problem.n, self.problem.k, self.budget
        starts = 1 if first is not None else int(np.clip(_MANY // k, 1, _STARTS))
        for s in range(starts if starts > 1 else 0):
            self.cycle(self.start(), _HOT, _RACE * (s + 1) / starts)
        label = first if first is not None else self.best_label if starts > 1 else self.start()
        if budget.iterations is None and budget.spent == 0.0:
            # to see how fast it is
            label, _, _ = self.cycle(label, _WARM, budget.used() + _TRIAL)
        if starts > 1 or first is not None:
            self.explore(label)
            label = self.best_label
        # many small territories are settled by one long run rather than by several
        steps = n * (_STEPS if starts > 1 else _LONG)
        cycles = int(np.clip((1.0 - budget.used()) * budget.expected() / steps, 1, _CYCLES))
        since = budget.used()
        for c in range(cycles):
            hot = _WARM
            if c % 3 == 1 and first is None and starts > 1:
                label, hot = self.start(), _HOT
            elif c % 3 == 2:
                label = reseeded(self.problem, self.best_label, self.rng)
            elif c > 0:
                label = self.best_label
            self.cycle(label, hot, since + (1.0 - since) * (c + 1) / cycles)
            if budget.used() >= 1.0:
                break


def _better(objective: float, violation: float, best: FloatArray) -> bool:
    if abs(violation - best[1]) > ROUNDING:
        return bool(violation < best[1])
    return bool(not np.isfinite(best[0]) or objective < best[0] - ROUNDING * abs(best[0]))


def local_search(
    problem: LocalProblem,
    start: IdxArray | None = None,
    *,
    iterations: int | None = None,
    deadline: float | None = None,
    seed: int = 0,
) -> LocalResult:
    """Share out customers so that every band holds and the objective is small.

    Parameters
    ----------
    problem : LocalProblem, n customers in k territories
    start : int array of shape (n,), optional
        An assignment to improve; with sites, its territories stay in as many parts as they are in, or fewer.
        Default: several are made.
    iterations : int, optional
        Steps of the search, about 1 to 3 million a second; with the same number the answer is the same.
    deadline : float, optional
        When to stop, by `time.monotonic`. One of both is needed.
    seed : int

    Returns
    -------
    LocalResult
        The best assignment: the least violation, and the least objective among those without.

    Raises
    ------
    ValueError
        Neither iterations nor a deadline.

    Notes
    -----
    A step costs O(members near the middle of two territories) of medians, else O(1) (O(members) of small ones with
    distances to the mean); one that is accepted O(members) of medians and distances to the mean.
    """
    if iterations is None and deadline is None:
        msg = "Expected iterations or a deadline."
        raise ValueError(msg)
    search = _Search(problem, seed, _Budget(iterations, deadline))
    search.run(None if start is None else np.asarray(start, dtype=np.int32))
    return search.result(search.budget.steps, tuple(search.trace))


def polish(problem: LocalProblem, start: IdxArray, *, iterations: int, deadline: float, seed: int = 0) -> LocalResult:
    """Improve an assignment that is good already, gently; less so while bands are broken.

    Parameters
    ----------
    problem : LocalProblem, n customers in k territories
    start : int array of shape (n,)
        With sites, its territories stay in as many parts as they are in, or fewer.
    iterations : int
        Steps of the first of up to three runs; each is four times as long as the one before.
    deadline : float
        When to stop, by `time.monotonic`.
    seed : int

    Returns
    -------
    LocalResult
        No worse than the start: the least violation, and the least objective among those without.
    """
    label, steps, trace = np.asarray(start, dtype=np.int32), 0, []
    for hot, longer in _GENTLE:
        search = _Search(problem, seed, _Budget(iterations * longer, deadline))
        search.cycle(label, hot, 1.0)
        steps += search.budget.steps
        if not np.isfinite(search.best[0]):
            # out of time before the first step
            search.put(label)
            value = search.tables.arrays[VALUE]
            search.best[:], search.best_label = (value[OBJECTIVE], value[VIOLATION]), label
        label = search.best_label
        trace.append((steps, float(search.best[0]), float(search.best[1])))
        if search.best[1] <= ROUNDING or monotonic() >= deadline:
            break
    return search.result(steps, tuple(trace))
