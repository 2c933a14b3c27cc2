"""One search over the labels of a shift: its memories, its budget, and what it tells the next."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.routing.exact import completions as co
from territory.routing.exact import labels as lb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.routing.exact.model import ShiftModel, Side

__all__ = ["Budget", "Pass", "memories", "no_completions", "tolerance"]

#: Slices of time by which completions are sorted, and by which labels wait for their turn.
CELLS: Final = 64
QUEUE: Final = 128
#: Slices of the queue of a beam.
BEAM_QUEUE: Final = 16
#: Extensions between two looks at the clock: some milliseconds.
SLICE: Final = 100_000
#: Labels at once, at most: about 100 bytes each.
MOST_LABELS: Final = 4_000_000

Completions = tuple[
    "NDArray[np.int64]", "NDArray[np.float64]", "NDArray[np.int64]", "NDArray[np.float64]", "NDArray[np.int64]"
]


def tolerance(cost: float) -> float:
    """Return by how much costs of this size may differ and still be the same."""
    return 1e-7 + (1e-14 * abs(cost) if abs(cost) < co.INFINITE else 0.0)


class Budget:
    """How many labels and how many seconds are left."""

    def __init__(self, labels: int, deadline_s: float | None) -> None:
        self.labels = labels
        self.deadline_s = deadline_s
        self.spent = 0

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        late = self.deadline_s is not None and monotonic() >= self.deadline_s
        return late or self.spent >= self.labels


class Pass:
    """One search over labels, in slices."""

    def __init__(
        self, model: ShiftModel, side: Side, near: NDArray[np.int64], cut: float, other: Completions, *,
        beam: int = 0, rounded: bool = False,
    ) -> None:  # fmt: skip
        n, words = near.shape
        room = max(1 << 12, n * 64)
        self.model, self.side, self.near, self.other = model, side, near, other
        self.beam, self.rounded = beam, rounded
        self.lab = np.empty((room, co.L_USED + len(side.used_limit)), np.int64)
        self.money = np.empty((room, 3))
        self.masks = np.empty((room, words), np.int64)
        self.heads = np.full(1 << 11 if n < 16 else 1 << 13, -1, np.int64)
        self.queue = np.full(BEAM_QUEUE if beam else QUEUE, -1, np.int64)
        self.work = np.zeros(lb.W_COLUMNS, np.int64)
        self.work[[lb.W_BEST, lb.W_LEAST]] = -1
        self.work[lb.W_ROUNDED] = rounded
        step = 1 - 1e-3 if model.step else tolerance(cut)
        self.money_out = np.array([min(cut, co.INFINITE), co.INFINITE, step, float(model.penalty.sum())])
        self.done = False

    def run(self, budget: Budget, most: int = 1 << 62) -> bool:
        """Search until the end, or until the budget or `most` labels are over; return whether it came to the end."""
        slice_ = max(1, SLICE // max(1, len(self.near)))
        while not self.done:
            before = int(self.work[lb.W_EXPANDED])
            state = lb.search(
                *self.side, self.near, self.model.horizon, len(self.model.locks) > 0, *self.other, self.lab,
                self.money, self.masks, self.heads, self.queue, self.work, self.money_out,
                self.model.penalty,
                min(slice_, max(1, budget.labels - budget.spent), max(1, most - before)), self.beam,
            )  # fmt: skip
            budget.spent += int(self.work[lb.W_EXPANDED]) - before
            if state == lb.DONE:
                self.done = True
            elif budget.over or self.count >= MOST_LABELS or self.work[lb.W_EXPANDED] >= most:
                return False
            elif state == lb.FULL:
                self._grow()
        return True

    def _grow(self) -> None:
        count = self.count
        for name in ("lab", "money", "masks"):
            old = getattr(self, name)
            new = np.empty((2 * len(old) + self.near.shape[0] * 64, old.shape[1]), old.dtype)
            new[:count] = old[:count]
            setattr(self, name, new)
        if count > 2 * len(self.heads):
            self.heads = np.empty(4 * len(self.heads), np.int64)
            lb.relist(self.lab, self.masks, self.heads, count)

    @property
    def count(self) -> int:
        """Labels so far."""
        return int(self.work[lb.W_COUNT])

    @property
    def cut(self) -> float:
        """Cost of the best known route."""
        return float(self.money_out[lb.C_CUT])

    @property
    def bound(self) -> float:
        """No route costs less than this, or the cut."""
        least = float(self.money_out[lb.C_LEAST])
        if not self.done:
            least = min(least, float(lb.open_least(self.lab, self.money, self.queue, int(self.work[lb.W_BUCKET]))))
        return min(least, self.cut)

    def completions(self) -> Completions:
        """Return the labels as bounds for the other direction."""
        n = len(self.side.node_f)
        lab, money = self.lab[: self.count], self.money[: self.count]
        limit = self.cut - float(self.money_out[lb.C_STEP])
        kept = np.flatnonzero((lab[:, co.L_ALIVE] == 1) & (lab[:, co.L_NODE] < n) & (money[:, co.M_LEAST] < limit))
        order = kept[np.argsort(money[kept, co.M_COST])]
        found: Completions = co.index(self.lab, self.money, self.masks, order, n, CELLS, self.model.horizon)
        return found

    def route(self, label: int) -> list[int]:
        """Return the visits of a label's route, in the order of the day."""
        return self.routes(np.array([label]))[0]

    def routes(self, labels: NDArray[np.int64]) -> list[list[int]]:
        """Return the visits of some labels' routes, each in the order of the day."""
        # neither the beginning nor the end is a visit
        visit_of = np.append(self.model.visits, [-1, -1])
        steps = []
        while (labels >= 0).any():
            # routes that are over stay at -1, which reads the last label, but is no visit and leads to no other
            node, parent = self.lab[labels, co.L_NODE], self.lab[labels, co.L_PARENT]
            steps.append(visit_of[np.where(labels >= 0, node, -1)])
            labels = np.where(labels >= 0, parent, -1)
        if self.side is not self.model.mirror:
            steps.reverse()
        return [[v for v in row if v >= 0] for row in np.transpose(steps).tolist()]

    @property
    def best(self) -> list[int] | None:
        """Visits of the best elementary route, if one beat the cut."""
        return self.route(int(self.work[lb.W_BEST])) if self.work[lb.W_HITS] else None


def no_completions(side: Side) -> Completions:
    """Return what guides the first pass: nothing."""
    words = max(1, (len(side.node_f) + 63) // 64)
    return (
        np.zeros(1, np.int64), np.zeros((0, CELLS)), np.zeros((0, 2 + len(side.used_limit)), np.int64), np.zeros(0),
        np.zeros((0, words), np.int64),
    )  # fmt: skip


def memories(side: Side, size: int) -> NDArray[np.int64]:
    """Return which visits are remembered at each: itself and the nearest, all of those that cost no time.

    Parameters
    ----------
    side : Side
    size : int
        How many.

    Returns
    -------
    int64 array of shape (n, words)
        Bits.
    """
    n = len(side.node_f)
    words = max(1, (n + 63) // 64)
    ids = np.arange(n)
    bits = np.left_shift(np.int64(1), ids % 64)
    if size >= n:
        member = np.ones((n, n), np.bool_)
    else:
        away = (side.arc_i[:n, :n] + side.arc_i[:n, :n].T).astype(np.float64)
        away += side.node_i[:, 0][:, None] + side.node_i[:, 0][None, :]
        member = away == 0
        away[ids, ids] = -1.0
        member[ids[:, None], np.argpartition(away, min(size, n - 1), axis=1)[:, :size]] = True
        member[ids, ids] = True
    near = np.zeros((n, words), np.int64)
    for w in range(words):
        part = slice(64 * w, 64 * w + 64)
        near[:, w] = np.bitwise_or.reduce(np.where(member[:, part], bits[part], 0), axis=1)
    return near
