"""Balanced power diagrams: who belongs to which of k centres, so that loads stay in their bands and distances short."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from territory.design.power_fixed import Ground, best_split, bound_at, first_margin
from territory.design.power_round import excess_of, load_of, rounded
from territory.design.power_search import coarser, jumps, loosened, recentred, started
from territory.design.power_seeds import bisect
from territory.design.power_tree import make_tree

if TYPE_CHECKING:
    from territory.design.power_fixed import Split
    from territory.design.power_search import Centers, Place
    from territory.model.arrays import BoolArray, FloatArray, IdxArray

__all__ = ["PowerDesign", "ground_of", "power_bound", "power_design"]

#: Cells of the coarsest level for each territory, and how much finer each level is than the one before.
_CELLS = 20
_FINER = 8
#: Rounds of a level, at most, and the relative gain of two rounds that is worth another.
_ROUNDS, _GAIN = 100, 1e-5
_FINE_GAIN = 3e-4
#: Trial jumps of a start on the coarsest level, where rounds cost least; fewer where there are more than so many
#: territories, as each trial costs more and can gain less.
_JUMPS, _JUMPS_OF = 12, 100
#: Times that whole territories are recentred; times that bands are drawn in where rounding fails, and by what share of
#: their width beside what was left outside, at first; twice as much each time.
_WHOLE_ROUNDS = 4
_ROUNDINGS, _DRAWN = 6, 0.01
#: Passes of the last attempt to round. Points up to which there is one, and up to which every start is finished.
_LAST_PASSES, _PATIENT = 4, 20_000
#: Points that differ by less, relative to their size, are one.
_SAME = 1e-13


@dataclass(frozen=True, eq=False)
class PowerDesign:
    """A balanced assignment and what is proven of it.

    Attributes
    ----------
    label : int32 array of shape (n,)
        Territory of each point.
    center : float array of shape (k, d)
    price : float array of shape (k,)
        What a unit of weight in each territory costs more than elsewhere, in squared distance.
    cost : float
        Weighted squared distance of the points to the centres of their territories.
    bound : float
        No assignment to these centres that keeps the band costs less, split points or not.
    excess : float array of shape (k,)
        What each territory holds outside its band; all 0 if the band is kept.
    feasible : bool
        Whether the band can be kept if points are split. If not, the labels are by price and mean little.
    """

    label: IdxArray
    center: FloatArray
    price: FloatArray
    cost: float
    bound: float
    excess: FloatArray
    feasible: bool


def power_design(
    points: FloatArray,
    weight: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    center: FloatArray | None = None,
    homes: FloatArray | None = None,
    pull: float = 0.0,
    radius: float | None = None,
    eligible: BoolArray | None = None,
    starts: int = 5,
    trials: int = _JUMPS,
    rng: np.random.Generator | int = 0,
    deadline: float = float("inf"),
    n_jobs: int = 1,
) -> PowerDesign:
    """Share points out among k territories, balanced and compact.

    Parameters
    ----------
    points : float array of shape (n, d), n >= 1
        Any unit.
    weight : float array of shape (n,)
        At least 0; what is balanced, and by which distances count.
    lower, upper : float arrays of shape (k,)
        Least and largest weight of each territory.
    center : float array of shape (k, d), optional
        Centres to start from, for one start; by default they are found.
    homes : float array of shape (k, d), optional
        Where reps live.
    pull : float, 0 to 1
        How far centres are drawn from the middle of their territories to `homes`; 1: they stay there.
    radius : float, optional
        Points lie on the sphere of this radius about the origin, and so shall centres.
    eligible : bool array of shape (n, k), optional
        Which territories each point may belong to; at least one.
    starts : int
        The best of so many is taken; the first leaves nothing to chance.
    trials : int
        Jumps of centres that each start tries.
    rng : Generator or int
    deadline : float
        Monotonic seconds; when it has passed, the best so far is finished.
    n_jobs : int
        Threads that starts are shared out to; the answer does not depend on it, unless time runs out.

    Returns
    -------
    PowerDesign

    Notes
    -----
    O(n log n) once, and a round near O(border): large problems are solved on cells of the tree first
    (`power_tree`), then finer. Balanced clustering by power diagrams: Aurenhammer, Hoffmann & Aronov
    1998; Brieden & Gritzmann 2012.
    """
    random = np.random.default_rng(rng)
    n, k = len(points), len(lower)
    origin = points.mean(axis=0)
    weight = np.asarray(weight, dtype=np.float64)
    if not weight.any():
        weight = np.ones(n)
    lower, upper = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    if eligible is None:
        # with preferences even the whole band may be hard to keep
        lower, upper = _attainable(weight, lower, upper)
    away = points - origin
    if np.abs(away).max() <= _SAME * np.abs(points).max():
        # all at one spot: what rounding leaves between them is no distance
        away = np.zeros_like(away)
    ground, inside, rest = ground_of(away, weight, lower, upper, eligible)
    tree = ground.tree
    at_home = None if homes is None else homes - origin
    place = _place(origin, at_home, pull, radius)
    fixed = at_home is not None and pull >= 1.0
    levels = _levels(ground, k)
    mean = np.where(np.isfinite(upper), 0.5 * (lower + upper), np.maximum(lower, weight.sum() / k))
    share = mean / mean.sum()

    def one(seed: tuple[int, np.random.Generator]) -> Centers:
        number, own = seed
        # the first answer takes the time that it takes: prices that are far off would take more in the end
        until = deadline if number else float("inf")
        if fixed or center is not None or at_home is not None:
            begin = at_home if at_home is not None and (fixed or center is None) else center - origin
        else:
            begin = bisect(
                np.concatenate([levels[0].tree.x, ground.x]), np.concatenate([levels[0].tree.w, ground.w]), share,
                rng=None if number == 0 else own,
            )  # fmt: skip
        now = started(place(begin, begin))
        if fixed:
            return now
        if center is None and at_home is None:
            now = loosened(levels[0], now, place, rounds=20, deadline=until)
        now = recentred(levels[0], now, place, rounds=_ROUNDS, gain=_GAIN, deadline=until)
        if center is None and at_home is None and not len(ground.x):
            now = jumps(
                levels[0],
                now,
                place,
                own,
                trials=min(trials, trials * _JUMPS_OF // k),
                gain=_FINE_GAIN,
                deadline=deadline,
            )
        for level in levels[1:-1]:
            now = recentred(
                level, now._replace(cost=float("inf")), place, rounds=_ROUNDS, gain=_FINE_GAIN, deadline=until
            )
        return now

    seeds = list(enumerate(random.spawn(1 if center is not None or at_home is not None else max(1, starts))))
    if n_jobs > 1 and len(seeds) > 1:
        with ThreadPoolExecutor(min(n_jobs, len(seeds))) as pool:
            found = list(pool.map(one, seeds))
    else:
        found = [one(seeds[0])]
        found += [one(seed) for seed in seeds[1:] if monotonic() < deadline]
    ranked = sorted(found, key=lambda c: c.cost)
    best = ranked[0]
    if not fixed:
        gain = _GAIN if len(levels) == 1 else _FINE_GAIN
        # cells are not points: what is best may change
        last = [
            recentred(levels[-1], some._replace(cost=float("inf")), place, rounds=_ROUNDS, gain=gain, deadline=deadline)
            for some in (ranked if len(levels) > 1 and n <= _PATIENT else ranked[:1])
        ]
        best = min(last, key=lambda c: c.cost)
    design = _whole(ground, best, place, fixed=fixed, deadline=deadline)
    label = np.empty(n, dtype=np.int32)
    m = len(tree.w)
    if inside.size:
        label[inside[tree.order]] = design.label[:m]
    label[rest] = design.label[m:]
    return PowerDesign(
        label, design.center + origin, design.price, design.cost, design.bound, design.excess, design.feasible
    )


def power_bound(
    points: FloatArray,
    weight: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    center: FloatArray,
    *,
    eligible: BoolArray | None = None,
) -> float:
    """Return a lower bound on the weighted squared distance of any balanced assignment to given centres.

    The least there is, but for rounding, if points may be split; not capped at what any assignment costs. Whatever
    the prices are that the method ends with, they prove it. 0 where the band cannot be kept.

    Parameters
    ----------
    points, weight, lower, upper, center, eligible
        As for `power_design`.
    """
    origin = points.mean(axis=0)
    ground, _, _ = ground_of(points - origin, np.asarray(weight, dtype=np.float64), lower, upper, eligible)
    at = np.ascontiguousarray(center - origin)
    split = best_split(ground, at, np.zeros(len(at)), first_margin(at))
    return max(0.0, bound_at(ground, at, split.price)) if split.feasible else 0.0


def ground_of(
    points: FloatArray, weight: FloatArray, lower: FloatArray, upper: FloatArray, eligible: BoolArray | None
) -> tuple[Ground, IdxArray, IdxArray]:
    """Return the ground, and which points are in its tree and which may go to some territories only."""
    n, d = points.shape
    k = len(lower)
    free = np.ones(n, dtype=bool) if eligible is None else np.asarray(eligible.all(axis=1))
    inside, rest = (np.flatnonzero(some).astype(np.int32) for some in (free, ~free))
    x = np.ascontiguousarray(points, dtype=np.float64)
    # a tree has a point at least: one without weight, whose label nobody reads
    tree = make_tree(x[inside], weight[inside]) if inside.size else make_tree(np.zeros((1, d)), np.zeros(1))
    allowed = np.zeros((0, k), dtype=bool) if eligible is None else np.ascontiguousarray(eligible[rest])
    band = (np.array(lower, dtype=np.float64), np.array(upper, dtype=np.float64))
    return Ground(tree, *band, x[rest], weight[rest], allowed), inside, rest


def _whole(ground: Ground, now: Centers, place: Place, *, fixed: bool, deadline: float) -> PowerDesign:
    """Return whole territories, recentred while that pays, with the bound for their centres."""
    center = now.center
    split = best_split(ground, center, now.price, now.margin)
    label = _rounded(ground, center, split)
    worst = float(excess_of(ground, label).sum())
    if not fixed:
        for _ in range(_WHOLE_ROUNDS):
            middle = place(_means(ground, label, center), center)
            next_split = best_split(ground, middle, split.price, split.margin)
            if not next_split.feasible:
                break
            center, split = middle, next_split
            again = _rounded(ground, center, split)
            excess = float(excess_of(ground, again).sum())
            before, cost = _cost(ground, center, label), _cost(ground, center, again)
            if excess > worst or (excess == worst and cost >= before):
                break
            label, worst = again, excess
            if before - cost < _FINE_GAIN * before or monotonic() >= deadline:
                break
    cost = _cost(ground, center, label)
    bound = bound_at(ground, center, split.price)
    return PowerDesign(label, center, split.price, cost, bound, excess_of(ground, label), split.feasible)


def _rounded(ground: Ground, center: FloatArray, split: Split) -> IdxArray:
    """Return labels of whole points; bands are drawn in where all of them leave too little room to round."""
    margin = first_margin(center)
    first, best = split, rounded(ground, center, split, margin)
    excess = excess_of(ground, best)
    lower, upper = ground.lower.copy(), ground.upper.copy()
    least = _DRAWN * np.where(np.isfinite(upper), upper - lower, lower)
    label = best
    for _ in range(_ROUNDINGS if split.feasible else 0):
        if not excess.any():
            break
        load = load_of(ground, label)
        over = excess_of(ground, label)
        drawn = np.where(over > 0.0, over + least, 0.0)
        upper -= np.where(load > ground.upper, drawn, 0.0)
        lower += np.where(load < ground.lower, drawn, 0.0)
        if (lower > upper).any() or upper.sum() < load.sum() or lower.sum() > load.sum():
            break
        least = 2.0 * least
        split = best_split(ground._replace(lower=lower, upper=upper), center, split.price, split.margin)
        if not split.feasible:
            break
        label = rounded(ground, center, split, margin)
        again = excess_of(ground, label)
        if again.sum() < excess.sum():
            best, excess = label, again
    if excess.any() and len(best) <= _PATIENT:
        label = rounded(ground, center, first, margin, passes=_LAST_PASSES)
        if excess_of(ground, label).sum() < excess.sum():
            return label
    return best


def _attainable(weight: FloatArray, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the band, drawn in to what whole points can add up to where all weigh the same."""
    each = float(weight[0])
    if (weight != each).any():
        return lower, upper
    inner_lower, inner_upper = np.ceil(lower / each - 1e-9) * each, np.floor(upper / each + 1e-9) * each
    possible = (inner_lower <= inner_upper).all() and inner_lower.sum() <= weight.sum() <= inner_upper.sum() * (
        1 + 1e-12
    )
    return (inner_lower, inner_upper) if possible else (lower, upper)


def _levels(ground: Ground, k: int) -> list[Ground]:
    """Return the grounds to be solved one after the other, the points themselves last."""
    n, finest = len(ground.tree.w), ground.tree.levels
    depth = int(np.ceil(np.log2(_CELLS * k)))
    found = []
    while depth <= finest and 3 * (1 << depth) <= n:
        found.append(coarser(ground, depth))
        # the last step is no longer than the others
        depth += max(min(int(np.log2(_FINER)), finest - depth), 1)
    return [*found, ground]


def _place(origin: FloatArray, homes: FloatArray | None, pull: float, radius: float | None) -> Place:
    """Return where centres go: to the middle, drawn to homes, and to the surface of the sphere."""

    def lifted(at: FloatArray, instead: FloatArray) -> FloatArray:
        if radius is None:
            return at
        out = at + origin
        length = np.linalg.norm(out, axis=1, keepdims=True)
        safe = np.where(length > 0, length, 1.0)
        return np.asarray(np.where(length > 0, out / safe * radius - origin, instead))

    def place(mean: FloatArray, center: FloatArray) -> FloatArray:
        if homes is None or pull <= 0.0:
            return lifted(mean, center)
        if pull >= 1.0:
            return homes
        return lifted((1.0 - pull) * lifted(mean, center) + pull * homes, center)

    return place


def _means(ground: Ground, label: IdxArray, center: FloatArray) -> FloatArray:
    """Return the weighted middle of each territory; its centre where it has no weight."""
    k = len(center)
    weight = np.concatenate([ground.tree.w, ground.w])
    load = np.bincount(label, weight, k)
    columns = [np.concatenate([a, b]) for a, b in zip(ground.tree.x.T, ground.x.T, strict=True)]
    moment = np.stack([np.bincount(label, weight * column, k) for column in columns], axis=1)
    return np.where(load[:, None] > 0, moment / np.where(load > 0, load, 1.0)[:, None], center)


def _cost(ground: Ground, center: FloatArray, label: IdxArray) -> float:
    """Return the weighted squared distance to the own centres."""
    m = len(ground.tree.w)
    total = float(ground.tree.w @ ((ground.tree.x - center[label[:m]]) ** 2).sum(axis=1))
    return total + float(ground.w @ ((ground.x - center[label[m:]]) ** 2).sum(axis=1))
