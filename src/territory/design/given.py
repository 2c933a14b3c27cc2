"""Balanced territories at given costs, of travel or of distance: who belongs to which of k centres, and which centres.

For given centres this is the transportation problem with a band for every territory, solved as the linear program is
(`given_split`). Then each centre goes to the best place for its territory, and so on until nothing is gained. Costs,
and what may be a centre, are the business of a `Metric`: travel (`given_legs`) or distance (`given_points`).
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from territory.design.given_metric import Anchor
from territory.design.given_split import Costs, excess, gap_margin, given_split, own_costs, proven, whole
from territory.design.power import power_design
from territory.geo.sphere import EARTH_RADIUS_M

if TYPE_CHECKING:
    from territory.design.given_metric import Centers, Lists, Metric
    from territory.design.given_split import GivenSplit
    from territory.model.arrays import BoolArray, FloatArray, IdxArray

__all__ = ["GivenDesign", "given_bound", "given_cost", "given_design", "given_recentred", "local_costs"]

#: Rounds of a start at most, and the relative gain below which another is not worth it.
_ROUNDS, _GAIN = 40, 2e-4
#: Times that whole territories are recentred, looking so many times as far for their centres.
_WHOLE_ROUNDS, _MORE = 6, 3
#: Distances that are looked at at a time.
_BLOCK: Final = 1_000_000
#: What cannot be reached costs the local search so many times the largest cost; it may not go there anyway.
_FAR: Final = 10.0


@dataclass(frozen=True, eq=False)
class GivenDesign:
    """A balanced assignment and what is proven of it.

    Attributes
    ----------
    label : int32 array of shape (n,)
        Territory of each customer; -1 for those who reach no centre that they may go to.
    center : int32 array of shape (k,), or float array of shape (k, 3)
        In the terms of the metric: positions of customers (or homes, behind them), or points in metres.
    price : float array of shape (k,)
        What a unit of weight in each territory costs more than elsewhere.
    cost : float
        Weighted cost of the customers at their centres; seconds or metres, times weight.
    bound : float
        No assignment of those who reach a centre, to these centres, that keeps the band costs less, split customers
        or not. It says nothing of other centres. 0 where the band cannot be kept.
    excess : float array of shape (k,)
        What each territory holds outside its band; all 0 if the band is kept.
    feasible : bool
        Whether the band can be kept if customers are split. If not, the labels are by price and mean little.
    unreached : int32 array
        Positions of the customers whose label is -1.
    """

    label: IdxArray
    center: Centers
    price: FloatArray
    cost: float
    bound: float
    excess: FloatArray
    feasible: bool
    unreached: IdxArray


class _Task(NamedTuple):
    """What is to be solved."""

    metric: Metric
    weight: FloatArray
    lower: FloatArray
    upper: FloatArray
    eligible: BoolArray | None
    anchor: Anchor | None
    pull: float

    def costs(self, center: Centers) -> Costs:
        """Return where the costs at some centres come from."""

        def rows(who: IdxArray) -> FloatArray:
            costs = self.metric.rows(who, center)
            if self.eligible is not None:
                costs[~self.eligible[who]] = np.inf
            return costs

        def lists(price: FloatArray) -> Lists:
            # a copy: prices change where they are
            return self.metric.lists(center, price.copy(), self.eligible)

        k = len(self.lower)
        return Costs(lists, rows, self.metric.few(k), self.metric.loose(k))

    def solved(self, center: Centers, price: FloatArray, margin: FloatArray | None) -> GivenSplit:
        """Return the optimal assignment to some centres."""
        costs = self.costs(center)
        lists = costs.lists(price)
        margin = gap_margin(lists, len(self.lower)) if margin is None else margin
        return given_split(lists, costs, self.weight, self.lower, self.upper, price, margin)

    def drawn(self, center: Centers) -> float:
        """Return what centres cost for being away from where they are drawn to."""
        return 0.0 if self.anchor is None else self.metric.drawn(center, self.anchor)

    def cost(self, label: IdxArray, center: Centers) -> float:
        """Return the weighted cost of territories, with what draws their centres."""
        return given_cost(self.metric, self.weight, label, center) + self.drawn(center)


class _Found(NamedTuple):
    """Centres, and the optimal assignment to them."""

    center: Centers
    split: GivenSplit
    total: float
    left: float

    def key(self) -> tuple[float, float]:
        """Return what the best has the least of: the weight of those who reach no centre, then the cost."""
        return self.left, self.total


def given_design(
    metric: Metric,
    weight: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    center: Centers | None = None,
    homes: Centers | None = None,
    pull: float = 0.0,
    eligible: BoolArray | None = None,
    starts: int = 3,
    rng: np.random.Generator | int = 0,
    deadline: float = float("inf"),
) -> GivenDesign:
    """Share customers out among k territories, balanced, at little cost.

    Parameters
    ----------
    metric : Metric of n customers, n >= 1
    weight : float array of shape (n,)
        At least 0; what is balanced, and by which costs count.
    lower, upper : float arrays of shape (k,)
        Least and largest weight of each territory.
    center : optional
        Centres to start from, for one start; by default they are found.
    homes : optional
        Where reps live, in the terms of the metric, one a territory.
    pull : float, 0 to 1
        How far centres are drawn to `homes`: a home counts as a customer with pull / (1 - pull) of the territory's
        weight. 1: centres stay at the homes.
    eligible : bool array of shape (n, k), optional
        Which territories each customer may belong to; at least one.
    starts : int
        The best of so many is taken; each begins with the centres of a power diagram (`power_design`), the first with
        one that leaves nothing to chance.
    rng : Generator or int
    deadline : float
        Monotonic seconds; when it has passed, the best so far is finished.

    Returns
    -------
    GivenDesign

    Notes
    -----
    A round asks for the costs of the customers at the centres near them (all, while they are few) and of the members
    of each territory at a dozen of them; by dense travel, O(n k) legs. Customers who may be anywhere are sent to the
    territory of least cost and price. Where parts of the map cannot be reached from one another, territories are
    dealt out among them by weight. Alternating assignment and location: Cooper 1964; of customers as centres,
    Maranzana 1964.
    """
    random = np.random.default_rng(rng)
    weight = np.asarray(weight, dtype=np.float64)
    if not weight.any():
        weight = np.ones(len(weight))
    lower, upper = np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)
    fixed = homes is not None and pull >= 1.0
    anchor = None
    if homes is not None and 0.0 < pull < 1.0:
        anchor = Anchor(homes, pull / (1.0 - pull) * _middle(lower, upper, float(weight.sum())))
    task = _Task(metric, weight, lower, upper, eligible, anchor, pull)
    none = np.zeros(len(lower))
    if fixed:
        best = _Found(homes, task.solved(homes, none, None), 0.0, 0.0)
    elif center is not None:
        best = _rounds(task, center, np.zeros(0, dtype=np.int32), deadline)
    else:
        # where homes draw, nothing is left to chance
        best = _best_start(task, random, max(1, starts) if anchor is None else 1, deadline)
    return _finished(task, best, fixed=fixed, deadline=deadline)


def given_cost(metric: Metric, weight: FloatArray, label: IdxArray, center: Centers) -> float:
    """Return the weighted cost of territories: seconds or metres, times weight; of nobody whose label is -1. O(n)."""
    mine = (label >= 0) & (weight > 0)
    return float(weight[mine] @ metric.own(label, center)[mine])


def given_bound(
    metric: Metric,
    weight: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    center: Centers,
    *,
    eligible: BoolArray | None = None,
) -> float:
    """Return a lower bound on the cost of any balanced assignment to given centres, split customers or not.

    The least there is, but for rounding; of those who reach a centre. 0 where the band cannot be kept, and where lists
    are taken as complete without being so (`Metric.loose`): a bound from pruned arcs would be none.
    """
    if metric.loose(len(lower)):
        return 0.0
    weight = np.asarray(weight, dtype=np.float64)
    task = _Task(metric, weight, np.asarray(lower, float), np.asarray(upper, float), eligible, None, 0.0)
    split = task.solved(center, np.zeros(len(lower)), None)
    return max(0.0, proven(split.lists, weight, lower, upper, split.price)) if split.feasible else 0.0


def given_recentred(
    metric: Metric, weight: FloatArray, label: IdxArray, center: Centers, *, anchor: Anchor | None = None
) -> Centers:
    """Return better centres of given territories, as after a local search; the same if there are none."""
    return metric.recentred(label, center, np.asarray(weight, float), metric.own(label, center), anchor, _MORE)


def local_costs(
    metric: Metric, weight: FloatArray, center: Centers, *, eligible: BoolArray | None = None
) -> tuple[FloatArray, BoolArray | None]:
    """Return what a local search needs: weighted costs at all centres, (n, k), and who may go where.

    Its `given` and `eligible` (None where everybody may go everywhere). O(n k) memory, 8 bytes each.
    """
    costs = metric.everywhere(center)
    may = np.isfinite(costs)
    if eligible is not None:
        may &= eligible
    costs[~np.isfinite(costs)] = _FAR * float(costs[np.isfinite(costs)].max(initial=1.0))
    costs *= weight[:, None]
    return costs, None if may.all() else may


def _middle(lower: FloatArray, upper: FloatArray, total: float) -> FloatArray:
    """Return what each territory holds, about."""
    return np.where(np.isfinite(upper), 0.5 * (lower + upper), np.maximum(lower, total / len(lower)))


def _best_start(task: _Task, random: np.random.Generator, starts: int, deadline: float) -> _Found:
    if task.anchor is None:
        parts = _dealt(task)
    else:
        parts = [(np.arange(len(task.weight), dtype=np.int32), np.arange(len(task.lower), dtype=np.int32))]
    found: list[_Found] = []
    for number, own in enumerate(random.spawn(starts)):
        if found and monotonic() >= deadline:
            break
        seeds = _seeds(task, parts, own if number else None)
        found.append(_rounds(task, seeds, np.concatenate([who for who, _ in parts]), deadline))
    return min(found, key=_Found.key)


def _dealt(task: _Task) -> list[tuple[IdxArray, IdxArray]]:
    """Return the customers of each part of the map that gets territories, and which: the heaviest by turns."""
    island = task.metric.islands(task.weight, len(task.lower))
    mass = np.bincount(island[island >= 0], task.weight[island >= 0])
    middle = _middle(task.lower, task.upper, float(task.weight.sum()))
    turn = np.empty(len(middle), dtype=np.int64)
    left = np.where(mass > 0.0, mass, -np.inf)
    for j in np.argsort(-middle, kind="stable"):
        turn[j] = left.argmax()
        left[turn[j]] -= middle[j]
    return [
        (np.flatnonzero(island == part).astype(np.int32), np.flatnonzero(turn == part).astype(np.int32))
        for part in np.unique(turn)
    ]


def _seeds(task: _Task, parts: list[tuple[IdxArray, IdxArray]], rng: np.random.Generator | None) -> Centers:
    """Return first centres: those of a power diagram, drawn to homes where they are to be."""
    found = []
    for who, mine in parts:
        xyz, weight = task.metric.xyz[who], task.weight[who]
        middle = _middle(task.lower, task.upper, float(task.weight.sum()))[mine]
        scale = float(weight.sum()) / max(float(middle.sum()), 1e-300)
        points = power_design(
            xyz, weight, scale * task.lower[mine], scale * task.upper[mine], radius=EARTH_RADIUS_M, starts=1,
            homes=None if task.anchor is None else task.metric.points(task.anchor.home), pull=task.pull,
            rng=0 if rng is None else rng,
        ).center  # fmt: skip
        found.append(task.metric.seeded(points, who))
    center = task.metric.joined(found, [mine for _, mine in parts])
    if task.eligible is None or task.anchor is not None or len(parts) > 1:
        return center
    return _matched(task, center)


def _matched(task: _Task, center: Centers) -> Centers:
    """Return the centres in the order that brings those who may go to some territories only nearest to theirs."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - only where customers are particular
    from scipy.spatial.distance import cdist  # noqa: PLC0415

    if task.eligible is None:
        return center
    some, points = np.flatnonzero(~task.eligible.all(axis=1)), task.metric.points(center)
    away, step = np.zeros((len(points), len(points))), max(1, _BLOCK // len(points))
    for begin in range(0, len(some), step):
        who = some[begin : begin + step]
        share = task.eligible[who] * (task.weight[who] / np.maximum(task.eligible[who].sum(axis=1), 1))[:, None]
        away += share.T @ cdist(task.metric.xyz[who], points)
    return center[linear_sum_assignment(away)[1]]


def _rounds(task: _Task, center: Centers, wanted: IdxArray, deadline: float) -> _Found:
    """Return the best of rounds of assignment and location, which should reach everybody of `wanted`."""
    price, margin, best = np.zeros(len(task.lower)), None, None
    totals: list[tuple[float, float]] = []
    for _ in range(_ROUNDS):
        split = task.solved(center, price, margin)
        left = float(task.weight[split.label < 0].sum())
        now = _Found(center, split, split.cost + task.drawn(center), left)
        totals.append(now.key())
        if best is None or now.key() < best.key():
            best = now
        stalled = len(totals) > 2 and totals[-3][0] <= left and totals[-3][1] - now.total < _GAIN * now.total
        strays = wanted[split.label[wanted] < 0]
        if stalled or not (split.feasible or strays.size) or monotonic() >= deadline:
            break
        own = own_costs(split.lists, split.label)
        moved = task.metric.recentred(split.label, center, task.weight, own, task.anchor, 1)
        if strays.size:
            moved = task.metric.fetching(strays, split.label, moved, task.weight)
        if np.array_equal(moved, center):
            break
        center, price, margin = moved, split.price, split.margin
    assert best is not None  # noqa: S101 - the loop has run
    return best


def _finished(task: _Task, found: _Found, *, fixed: bool, deadline: float) -> GivenDesign:
    """Return whole territories, recentred while that pays, with the bound for their centres."""
    weight, band = task.weight, (task.lower, task.upper)
    center, split = found.center, found.split
    label, lists = whole(split, task.costs(center), weight, *band)
    cost, off = task.cost(label, center), excess(label, weight, *band)
    for _ in range(0 if fixed or not split.feasible else _WHOLE_ROUNDS):
        if monotonic() >= deadline:
            break
        own = task.metric.own(label, center)
        moved = task.metric.recentred(label, center, weight, own, task.anchor, _MORE)
        if np.array_equal(moved, center):
            break
        next_split = task.solved(moved, split.price, split.margin)
        if not next_split.feasible:
            break
        center, split = moved, next_split
        again, lists = whole(split, task.costs(center), weight, *band)
        before, cost = task.cost(label, center), task.cost(again, center)
        left = excess(again, weight, *band)
        if left.sum() > off.sum() or (left.sum() == off.sum() and cost >= before):
            # the old territories are the better ones at the new centres, too
            cost = before
            break
        label, off = again, left
    bound = max(0.0, proven(lists, weight, *band, split.price)) if split.feasible else 0.0
    return GivenDesign(
        label, center, split.price, cost - task.drawn(center), bound, off, split.feasible,
        np.flatnonzero(label < 0).astype(np.int32),
    )  # fmt: skip
