"""A lower bound on the cost of territories wherever their centres are: Lagrangian, for any prices of the points.

The objective is the weighted squared distance to each territory's own weighted middle, and the bound holds for every
alignment that keeps the bands: for any prices u, none costs less than the sum of u plus k times the least value of a
centre (`lagrange_kernels`), which boxes prove (`lagrange_boxes`). Points may be split there and territories overlap, as
long as the parts of a point add up to one: what that allows is the gap. It is small where territories may lie in many
ways, and large where work comes in a few heaps that are no multiples of a territory.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.design.lagrange_ascent import Ascent, Candidates, smoothing
from territory.design.lagrange_boxes import least_values
from territory.design.lagrange_units import ROUNDING, common_band
from territory.design.power import power_design
from territory.design.power_tree import cells, make_tree

if TYPE_CHECKING:
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["FreeDual", "free_center_bound", "free_center_dual"]

#: Rounds of the ascent, and after how many the least of all centres is looked for.
_ROUNDS: Final = 800
_LOOK: Final = 20
#: Boxes of such a look, at first and in the last rounds, when many centres are nearly as good as the least; the part of
#: the rounds before those.
_BOXES, _MANY, _EARLY = 2_000, 20_000, 0.6
#: Places that a look may add, how near to each other (in radii of a territory), and candidates at most.
_NEW, _APART, _MOST = 60, 0.05, 1_500
#: Candidates at first, beside the middles of cells; points that each can serve, as multiples of a territory's.
_FIRST, _REACH = 500, 3.0
#: Boxes of the proof, few first, and how near it is to come, as a part of what a territory costs.
_PROOF: Final = (10_000, 60_000, 300_000)
_WITHIN: Final = 1e-4


@dataclass(frozen=True, eq=False)
class FreeDual:
    """Prices of points and what they prove of centres anywhere.

    Attributes
    ----------
    bound : float
        No alignment within the bands has a weighted squared distance to its own middles below this.
    price : float array of shape (n,)
    within : float
        How much more these prices might prove, if more boxes were made.
    """

    bound: float
    price: FloatArray
    within: float


def free_center_bound(
    points: FloatArray,
    weight: FloatArray,
    lower: Any,
    upper: Any,
    *,
    k: int,
    load: FloatArray | None = None,
    label: IdxArray | None = None,
    rounds: int = _ROUNDS,
    deadline: float = float("inf"),
) -> float:
    """Return a lower bound on the weighted squared distance of points to the middles of their territories.

    As `free_center_dual`; the bound alone.
    """
    return free_center_dual(
        points, weight, lower, upper, k=k, load=load, label=label, rounds=rounds, deadline=deadline
    ).bound  # fmt: skip


def free_center_dual(
    points: FloatArray,
    weight: FloatArray,
    lower: Any,
    upper: Any,
    *,
    k: int,
    load: FloatArray | None = None,
    label: IdxArray | None = None,
    rounds: int = _ROUNDS,
    deadline: float = float("inf"),
) -> FreeDual:
    """Return prices of the points, and the bound on any alignment within the bands that they prove.

    Whatever else is asked of an alignment (other measures, contiguity, eligibility, homes, centres on the sphere)
    only makes it cost more, so the bound holds for it as well.

    Parameters
    ----------
    points : float array of shape (n, d), n >= 1
        Any unit.
    weight : float array of shape (n,)
        At least 0; by which squared distances count.
    lower, upper : float, or float arrays of shape (k,)
        Least and largest load of each territory; where they differ, the widest counts.
    k : int
        Number of territories; some may be empty if `lower` is 0.
    load : float array of shape (n,), optional
        What the bands are about, at least 0; default `weight`.
    label : int array of shape (n,), optional
        A good alignment to begin with; default: one is made. It decides how good the bound is, not whether it holds.
    rounds : int
        Of the ascent.
    deadline : float
        Monotonic seconds; when it has passed, what is proven by then is returned.

    Returns
    -------
    FreeDual

    Notes
    -----
    O(n) memory times 1,500 candidates; at n = 2,000 and k = 20 about 30 CPU-s.
    """
    w, a = np.array(weight, dtype=np.float64), np.array(weight if load is None else load, dtype=np.float64)
    x = np.array(points, dtype=np.float64)
    low, high = common_band(a, lower, upper, k)
    start = _started(x, w, a, low, high, k, label)
    x -= start.mean(axis=0)
    middle = start - start.mean(axis=0)
    squares = ((x[:, None] - middle[None]) ** 2).sum(axis=2)
    size = float(w @ squares.min(axis=1)) / k
    if size <= ROUNDING * float(w @ (x**2).sum(axis=1)):
        return FreeDual(0.0, np.zeros(len(x)), 0.0)
    # axes along which places spread, so that boxes are thin where a sphere is nearly flat
    turn = np.linalg.eigh(x.T @ x)[1]
    x, middle = np.ascontiguousarray(x @ turn), middle @ turn
    # so that what a territory costs, weights and loads are about 1
    unit = np.sqrt(size / max(w.mean(), 1e-300))
    per_w, per_a = float(w.mean()), max(float(a.mean()), 1e-300)
    search = _Free(x / unit, w / per_w, a / per_a, low / per_a, high / per_a, k)
    price, least = search.climbed(middle / unit, squares.min(axis=1) * w / (per_w * unit**2), rounds, deadline)
    value, best = search.proven(price, least, deadline)
    scale = per_w * unit**2
    bound = float(price.sum()) + k * value
    if not np.isfinite(bound):
        return FreeDual(bound, price * scale, 0.0)
    bound -= ROUNDING * (float(np.abs(price).sum()) + k * abs(value))
    return FreeDual(max(0.0, bound * scale), price * scale, k * (best - value) * scale)


def _started(
    x: FloatArray, w: FloatArray, a: FloatArray, low: float, high: float, k: int, label: IdxArray | None
) -> FloatArray:
    """Return the middles of the territories to begin with, (k', d)."""
    if label is None:
        total = max(float(a.sum()), 1e-300)
        mean = total / k
        label = power_design(
            x, a, np.full(k, min(low, mean)), np.full(k, max(min(high, total), mean)), starts=1
        ).label  # fmt: skip
    label = np.asarray(label)
    held = np.bincount(label, w, k)
    middle = np.stack([np.bincount(label, w * axis, k) for axis in x.T], axis=1)[held > 0] / held[held > 0, None]
    return middle if len(middle) else x[:1].copy()


class _Free:
    """The ascent for centres anywhere, candidates added where the least of all are found."""

    def __init__(self, x: FloatArray, w: FloatArray, a: FloatArray, low: float, high: float, k: int) -> None:
        self.x, self.w, self.a, self.low, self.high, self.k = x, w, a, low, high, k
        self.middle = 0.5 * (x.min(axis=0) + x.max(axis=0))[None]
        self.half = 0.5 * (x.max(axis=0) - x.min(axis=0))[None] * (1.0 + 1e-9)
        # a disc with the second moment 1 and the weight of n / k
        self.radius = float(np.sqrt(2.0 * k / len(x)))
        self.reach = min(len(x), int(np.ceil(_REACH * len(x) / k)))

    def candidates(self, at: FloatArray, u: FloatArray) -> Candidates:
        """Return candidates, each with those points that it would rather serve. O(q n)."""
        q, n, m = len(at), len(self.x), self.reach
        square = np.zeros((q, n))
        for axis in range(self.x.shape[1]):
            square += (at[:, axis, None] - self.x[None, :, axis]) ** 2
        cost = square * self.w
        if m < n:
            ratio = np.where(self.a > 0, cost - u, 0.0) / np.where(self.a > 0, self.a, 1.0)
            item = np.sort(np.argpartition(ratio, m - 1, axis=1)[:, :m], axis=1).astype(np.int32)
        else:
            item = np.tile(np.arange(n, dtype=np.int32), (q, 1))
        cost = np.ascontiguousarray(np.take_along_axis(cost, item.astype(np.int64), axis=1))
        return Candidates(cost, item, np.ascontiguousarray(at), np.full(q, -1, dtype=np.int32))

    def climbed(self, middle: FloatArray, u: FloatArray, rounds: int, deadline: float) -> tuple[FloatArray, float]:
        """Return the best prices of an ascent, and the least value of a centre that is known for them."""
        n, k = len(self.x), self.k
        tree = make_tree(self.x, self.w)
        at = np.concatenate([middle, cells(tree, tree.levels)[0], tree.x[:: max(1, n // _FIRST)]])
        ascent = Ascent(u, self.a, self.w, self.low, self.high, k=k, x=self.x, most=k)
        now = self.candidates(at, u)
        ascent.fresh(now)
        best, best_u, best_least = -np.inf, u, np.inf
        for i in range(rounds):
            mu = smoothing(i / rounds)
            ascent.price(now, mu)
            if not np.isfinite(ascent.lifted).any():
                break
            ascent_ends = i == rounds - 1 or monotonic() >= deadline
            if (i + 1) % _LOOK and not ascent_ends:
                ascent.step(now, mu)
                continue
            known = float(ascent.lifted.min())
            boxes = _BOXES if i < _EARLY * rounds else _MANY
            found = self.look(ascent.u, known, max(0.3 * mu, _WITHIN), boxes, spread=3.0 * mu)
            value = float(ascent.u.sum()) + k * found[1]
            if value > best:
                best, best_u, best_least = value, ascent.u.copy(), found[1]
            if ascent_ends:
                break
            ascent.step(now, mu)
            new = found[2]
            kept = np.argsort(ascent.lifted, kind="stable")[: _MOST - len(new)]
            at = np.concatenate([at[np.sort(kept)], new])
            now = self.candidates(at, ascent.u)
            ascent.fresh(now)
        return best_u, best_least

    def look(
        self, u: FloatArray, known: float, within: float, boxes: int, spread: float = 0.0
    ) -> tuple[float, float, FloatArray]:
        """Return a lower bound of the value of any centre, the least met, and places with values near it."""
        found = np.empty((_NEW, self.x.shape[1] + 1))
        bound, least, _ = least_values(
            self.x, self.w, self.a, np.ascontiguousarray(u), self.low, self.high, self.middle, self.half, known,
            within, boxes, spread, _APART * self.radius, found,
        )  # fmt: skip
        return float(bound), float(least), found[np.isfinite(found[:, -1]), :-1]

    def proven(self, u: FloatArray, known: float, deadline: float) -> tuple[float, float]:
        """Return a lower bound of the value of any centre, and the least value met."""
        bound, best = -np.inf, known
        for boxes in _PROOF:
            value, best, _ = self.look(u, best, _WITHIN, boxes)
            bound = max(bound, value)
            if best - bound <= 1.01 * _WITHIN or monotonic() >= deadline:
                break
        return bound, best
