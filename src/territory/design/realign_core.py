"""From today's territories to better ones, change by change: the labels along the way."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.compiled.tables import Tables
from territory.design.anneal import sample
from territory.design.moves import build, recount
from territory.design.moves_layout import LABEL, OBJECTIVE, ROUNDING, VALUE, VIOLATION
from territory.design.moves_problem import data_of, state_of
from territory.design.realign_chains import relieve
from territory.design.realign_layout import DEPTH, FEES, NUMBER, SPENT, WIDTH, WORK
from territory.design.realign_moves import settle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.design.moves_problem import LocalProblem
    from territory.model.arrays import BoolArray, FloatArray, IdxArray

__all__ = ["Task", "Trace", "traced"]

#: Price of a fee along the way to balance, in mean squared distances to the centre: fees count most, and of those
#: who cost the same the one goes who is nearest to his new centre.
_DEAR: Final = 8.0
#: No arc of a path is shorter than this share of what a fee costs: each hop is a hand-over that somebody explains.
_LEAST: Final = 0.02
#: Prices of a fee from balance on to compactness, each this part of the one before.
_LADDER: Final = tuple(4.0 * 0.5**s for s in range(9)) + (0.0,)
#: Labels that are kept of the way to balance.
_KEPT: Final = 12
#: Steps of each price, a customer, and at least.
_STEPS, _LEAST_STEPS = 12, 20_000
#: Temperatures, in mean rises of cost by one move: where bands hold, and where paths could not mend them.
_GENTLE, _HOTTER = 0.02, (0.05, 0.2, 0.5)
_COOLING: Final = 0.01
_CHEAP, _DEARER = 1e-3, 1e3
_OUTSIDE: Final = 0.1
#: Paths in a row that may come to nothing, for each territory.
_PATIENCE: Final = 2


@dataclass(frozen=True, eq=False)
class Task:
    """What is realigned.

    Attributes
    ----------
    local : LocalProblem, n customers in k territories
        With the objective "squared".
    start : int32 array of shape (n,)
        Where the customers are.
    home : int32 array of shape (n,)
        Where it costs nothing to be; -1: anywhere.
    fee : float array of shape (n,)
        What it costs not to be at home.
    stuck : bool array of shape (n,)
        Who never moves.
    cap : float array of shape (3,)
        The most fees, work (the first measure), and number of customers away from home.
    """

    local: LocalProblem
    start: IdxArray
    home: IdxArray
    fee: FloatArray
    stuck: BoolArray
    cap: FloatArray


@dataclass(frozen=True, eq=False)
class Trace:
    """Labels along the way, in the order in which they were found; the first are the start.

    Attributes
    ----------
    labels : list of int32 arrays of shape (n,)
    late : bool
        Whether time ran out.
    """

    labels: list[IdxArray]
    late: bool


class _Walk:
    """The state of the search, as the kernels know it."""

    def __init__(self, task: Task, seed: int, deadline: float) -> None:
        self.task, self.deadline = task, deadline
        local, n, k = task.local, task.local.n, task.local.k
        self.tables = state_of(local, data_of(local), task.start, seed)
        self.own = Tables((
            task.home.astype(np.int32), _float(task.fee), task.stuck.astype(np.int32), np.zeros(3), _float(task.cap),
            np.zeros(k, dtype=np.int64), np.zeros(k * WIDTH, dtype=np.int32), np.zeros(k * WIDTH),
            np.full(k * WIDTH * DEPTH, -1, dtype=np.int32), np.zeros(k * WIDTH * DEPTH), np.zeros(k),
            np.zeros(k, dtype=np.int64), np.zeros(k, dtype=np.int32), np.zeros(k, dtype=np.int32),
            np.zeros(k, dtype=np.int32),
        ))  # fmt: skip
        self.count()
        self.unit = self.squares() / max(float(task.fee.sum()), 1e-300)
        self.log = (np.zeros(4 * n + 4 * k, dtype=np.int32), np.zeros(4 * n + 4 * k, dtype=np.int32))

    @property
    def label(self) -> IdxArray:
        found: IdxArray = self.tables.arrays[LABEL]
        return found

    @property
    def value(self) -> NDArray[Any]:
        found: NDArray[Any] = self.tables.arrays[VALUE]
        return found

    @property
    def violation(self) -> float:
        return float(self.value[VIOLATION]) if self.value[VIOLATION] > ROUNDING else 0.0

    def squares(self) -> float:
        """Return the objective, or where it is nothing, that of everybody in one territory."""
        if self.value[OBJECTIVE] > 0.0:
            return float(self.value[OBJECTIVE])
        points, weight = self.task.local.points, self.task.local.weight
        middle = np.average(points, axis=0, weights=weight)
        spread = ((points - middle) ** 2).sum(axis=1)
        return float(spread.sum() if weight is None else weight @ spread) or 1.0

    def count(self) -> None:
        """Sum anew what customers away from home cost."""
        task = self.task
        away = (task.home >= 0) & (self.label != task.home)
        spent = self.own.arrays[SPENT]
        spent[FEES], spent[NUMBER] = float(task.fee[away].sum()), float(away.sum())
        spent[WORK] = float(task.local.measures[away, 0].sum())

    def put(self, label: IdxArray) -> None:
        self.label[:] = label
        build(self.tables.table)
        recount(self.tables.table)
        self.count()

    def late(self) -> bool:
        return monotonic() >= self.deadline

    def relieve(self) -> list[IdxArray]:
        """Pass on load until the bands hold, or no path helps; return some labels on the way."""
        task, k = self.task, self.task.local.k
        found: list[IdxArray] = []
        most = len(self.log[0])
        log_end, log_violation = np.zeros(most, dtype=np.int64), np.zeros(most)
        dear = _DEAR * self.unit
        # a unit of load costs the mean fee about
        load = task.local.measures.sum(axis=0)
        while self.violation > 0.0 and not self.late():
            before = self.violation
            for q in range(task.local.measures.shape[1]):
                least = _LEAST * dear * float(task.fee.sum()) / max(float(load[q]), 1e-300)
                for over in (True, False):
                    label = self.label.copy()
                    paths = relieve(
                        self.tables.table, self.own.table, q, over, dear, least, most, _PATIENCE * k + 10, *self.log,
                        log_end, log_violation,
                    )  # fmt: skip
                    found += self.prefixes(label, paths, log_end, log_violation)
            if self.violation > 0.9 * before:
                break
        return found

    def prefixes(
        self, label: IdxArray, paths: int, log_end: NDArray[np.int64], log_violation: FloatArray
    ) -> list[IdxArray]:
        """Return labels after some of the paths, evenly spread by the violation that is left, the last included."""
        if not paths:
            return []
        left = log_violation[:paths]
        wanted = np.linspace(left[0], left[-1], _KEPT)
        at = np.unique(np.searchsorted(-left, -wanted, side="left").clip(0, paths - 1))
        found, done = [], 0
        now = label.copy()
        for p in at.tolist():
            # one after the other: a customer may go on more than once
            for e in range(done, int(log_end[p])):
                now[self.log[0][e]] = self.log[1][e]
            done = int(log_end[p])
            found.append(now.copy())
        return found

    def settle(self, price_of_fee: float, hot: float, steps: int) -> None:
        """Improve at a price of fees, from here; the best is what is left."""
        table, n = self.tables.table, self.task.local.n
        dear = price_of_fee * self.unit
        rise, mend = sample(table, max(2000, min(n, 20_000)))
        rise = rise or float(abs(self.value[OBJECTIVE])) / n or 1.0
        fair = (rise + dear * float(self.task.fee.mean())) / mend if mend > 0.0 else rise
        price = np.array([fair, _CHEAP * fair, _DEARER * fair])
        best_label = self.label.copy()
        best = np.array([self.value[OBJECTIVE] + dear * self.own.arrays[SPENT][FEES], self.violation])
        broken = self.violation > 0.0
        hot *= rise
        settle(
            table, self.own.table, best_label, best, price, dear, steps, hot, hot * _COOLING,
            _OUTSIDE if broken else 0.0,
        )  # fmt: skip
        self.put(best_label)


def _float(values: Any) -> FloatArray:
    return np.array(values, dtype=np.float64)


def traced(task: Task, *, seed: int = 0, deadline: float = float("inf")) -> Trace:
    """Walk from the start to balance with the least fees, then on to compactness.

    Parameters
    ----------
    task : Task, n customers in k territories
    seed : int
    deadline : float
        Monotonic seconds; when it has passed, the labels so far are returned.

    Returns
    -------
    Trace
        Labels whose territories lie in no more parts than at the start. Whether each is better than the one before
        is for the caller to see.
    """
    walk = _Walk(task, seed, deadline)
    labels = [task.start.copy()]
    labels += walk.relieve()
    steps = max(_STEPS * task.local.n, _LEAST_STEPS)
    for hot in _HOTTER:
        if walk.violation <= 0.0 or walk.late():
            break
        walk.settle(_LADDER[0], hot, 4 * steps)
        labels.append(walk.label.copy())
    for price in _LADDER:
        if walk.late():
            break
        walk.settle(price, _GENTLE, steps)
        labels.append(walk.label.copy())
    return Trace(labels, walk.late())
