"""From today's territories to better ones, change by change: the labels along the way."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.compiled.tables import Tables
from territory.design.anneal import sample
from territory.design.moves import build, recount
from territory.design.moves_layout import COUNT, LABEL, N_BORDER, OBJECTIVE, ROUNDING, VALUE, VIOLATION
from territory.design.moves_problem import data_of, state_of
from territory.design.power import power_design
from territory.design.realign_chains import relieve
from territory.design.realign_layout import CAP, DEPTH, FEES, NUMBER, SPENT, WIDTH, WORK
from territory.design.realign_moves import settle
from territory.design.realign_pieces import astray, grown, means, seeded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.design.moves_problem import LocalProblem
    from territory.geo.contiguity import ContiguityGraph
    from territory.model.arrays import BoolArray, FloatArray, IdxArray

__all__ = ["Task", "Trace", "traced"]

#: Price of a fee along the way to balance, in mean squared distances to the centre. Measured on real places with
#: regional drifts: at 4 no less was handed over, and borders were longer.
_DEAR: Final = 4.0
#: No arc of a path is shorter than this share of what a fee costs: each hop is a hand-over that somebody explains.
_LEAST: Final = 0.02
#: Who costs more than so many times a fee and a mean squared distance a unit of load is handed over at last only.
_LONG: Final = 10.0
#: Prices of a fee: down from balance with the least fees, and up from compactness; each with the changes that it pays.
_DOWN: Final = (8.0, 1.0, 0.125)
_UP: Final = (0.03, 0.25, 0.7, 1.5, 3.0, 8.0)
#: Rounds of recentring before compactness: each goes further from today.
_ROUNDS: Final = 3
#: Part of the bands that is used there: what is then torn, and joined up, needs the rest.
_INSIDE: Final = 0.9
#: Labels that are kept of the way to balance.
_KEPT: Final = 12
#: Steps of each price, a customer at a border, and at least.
_STEPS, _LEAST_STEPS = 25, 20_000
#: Temperatures, in mean rises of cost by one move: where bands hold, and where paths could not mend them.
_GENTLE, _HOTTER = 0.02, (0.05, 0.2, 0.5)
_COOLING: Final = 0.01
_CHEAP, _DEARER = 1e-3, 1e3
_OUTSIDE: Final = 0.1


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
    place : float array of shape (k, d)
        Where a territory is that has nobody yet.
    graph : ContiguityGraph, optional
        Of the customers, where territories should be connected.
    anchor : float array of shape (k, 2), optional
        Longitude and latitude from which reach is measured, if it matters.
    """

    local: LocalProblem
    start: IdxArray
    home: IdxArray
    fee: FloatArray
    stuck: BoolArray
    cap: FloatArray
    place: FloatArray
    graph: ContiguityGraph | None = None
    anchor: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Trace:
    """Labels along the way, in the order in which they were found; the first are the start.

    Attributes
    ----------
    labels : list of int32 arrays of shape (n,)
    whole : list of bool
        Whether all territories of each are known to be in one piece; no move tears any.
    late : bool
        Whether time ran out.
    """

    labels: list[IdxArray]
    whole: list[bool]
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
            np.zeros(k, dtype=np.int32), np.zeros(k, dtype=np.int32),
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

    def over(self, cap: FloatArray) -> bool:
        return bool((self.own.arrays[SPENT] > cap).any())

    def set_cap(self, cap: FloatArray) -> None:
        """Set other caps."""
        self.own.arrays[CAP][:] = cap

    def mend(self, price_of_fee: float, steps: int) -> None:
        """Bring broken bands in order, at temperatures that rise until they are."""
        for hot in (_GENTLE, *_HOTTER):
            if self.violation <= 0.0 or self.late():
                break
            self.settle(price_of_fee, hot, steps if hot == _GENTLE else 2 * steps)

    def steps(self) -> int:
        """Return the steps of a price: they grow with the borders."""
        return max(_STEPS * int(self.tables.arrays[COUNT][N_BORDER]), _LEAST_STEPS)

    def late(self) -> bool:
        return monotonic() >= self.deadline

    def relieve(self, long: float) -> list[IdxArray]:
        """Pass on load until the bands hold, or no path of arcs below `long` helps; return labels on the way."""
        task = self.task
        found: list[IdxArray] = []
        most = len(self.log[0])
        log_end, log_violation = np.zeros(most, dtype=np.int64), np.zeros(most)
        dear, load = _DEAR * self.unit, task.local.measures.sum(axis=0)
        while self.violation > 0.0 and not self.late():
            before = self.violation
            for q in range(task.local.measures.shape[1]):
                # in fees a unit of load
                each = dear * float(task.fee.sum()) / max(float(load[q]), 1e-300)
                longest = long * (1.0 + 1.0 / _DEAR) * each
                for over in (True, False):
                    label = self.label.copy()
                    paths = relieve(
                        self.tables.table, self.own.table, q, over, dear, _LEAST * each, longest, most, *self.log,
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
    walk, local = _Walk(task, seed, deadline), task.local
    begin, whole = _joined(task, task.start)
    labels, known = [task.start.copy()], [whole and begin is task.start]

    def keep(found: list[IdxArray] | None = None) -> None:
        labels.extend([walk.label.copy()] if found is None else found)
        known.extend([whole] * (len(labels) - len(known)))

    for j in np.flatnonzero(np.bincount(begin, minlength=local.k) == 0).tolist():
        begin = seeded(local, task.graph, begin, task.stuck, j, task.place[j])
    if begin is not task.start:
        walk.put(begin)
        if walk.over(task.cap):
            walk.put(task.start)
            whole = known[0]
        keep()
    steps = walk.steps()
    keep(walk.relieve(_LONG))
    walk.mend(_DOWN[0], steps)
    keep()
    near, balanced, joined = walk.label.copy(), walk.violation <= 0.0, whole
    if balanced:
        for price in _DOWN:
            if not walk.late():
                walk.settle(price, _GENTLE, 2 * steps if price == _DOWN[0] else steps)
                keep()
    # from the other end: compact first, then what is not worth its fee is undone
    far = _compact(task, begin)
    if far is not None and not walk.late():
        walk.set_cap(np.full(3, np.inf))
        far, whole = _joined(task, far)
        walk.put(far)
        walk.mend(_UP[0], steps)
        balanced |= walk.violation <= 0.0 and not walk.over(task.cap)
        for price in _UP if walk.violation <= 0.0 else ():
            if not walk.late():
                walk.settle(price, _GENTLE, steps)
                keep()
                balanced |= not walk.over(task.cap)
    if not balanced and not walk.late():
        # whatever it takes: customers far from where they go
        walk.set_cap(task.cap)
        whole = joined
        walk.put(near)
        keep(walk.relieve(np.inf))
        walk.mend(_DOWN[0], steps)
        keep()
    return Trace(labels, known, walk.late())


def _joined(task: Task, label: IdxArray) -> tuple[IdxArray, bool]:
    """Return labels with the pieces of torn territories handed to others, and whether none is left."""
    if task.graph is None:
        return label, True
    for _ in range(_ROUNDS):
        loose = astray(task.graph, task.local.measures[:, 0], label)
        if not loose.size:
            return label, True
        loose = loose[~task.stuck[loose]]
        if not loose.size:
            return label, False
        found = grown(task.local, label, loose, means(task.local, label, task.place))
        if (found < 0).any():
            # somebody has to be apart from others wherever he hangs on
            return label, False
        label = found
    return label, False


def _compact(task: Task, label: IdxArray) -> IdxArray | None:
    """Return labels of a balanced power diagram near today's centres; None where there is none."""
    local = task.local
    least, most = np.minimum(local.lower[:, 0], local.upper[:, 0]), local.upper[:, 0]
    center, band = means(local, label, task.place), np.clip(local.target[:, 0], least, most)
    lower = np.maximum(band - _INSIDE * (band - least), 0.0)
    upper = band + _INSIDE * (most - band)
    # who must be apart is so where he is; diagrams do not know of that
    stays = task.stuck.copy()
    if local.apart is not None:
        stays |= np.diff(local.apart.indptr) > 0
    out = None
    for _ in range(_ROUNDS):
        # the measure itself, which may be zero, not the weight
        found = power_design(
            local.points, local.measures[:, 0], lower, upper, homes=center, pull=1.0, eligible=local.eligible, rng=0
        )
        if not found.feasible:
            break
        out = np.where(stays, label, found.label).astype(np.int32)
        center = means(local, out, center)
    return out
