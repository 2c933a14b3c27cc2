"""Proofs that nothing costs less than a value: for published values that the search does not reach, or only reaches.

    python -m benchmarks.proofs cccp Doni2 6080.70
    python -m benchmarks.proofs tdp 2DU60-05-14 5462.95

Centred clustering: clusters may also have their centre anywhere, not only in their centroid, which costs no more.
Lagrangian: each point i has a price, and a cluster is a place with the points that gain most there, within the
capacity; the prices less p times the best gain of any place bound every solution. Prices come from a subgradient
method over sampled places. Then the plane is cut into boxes, and distances to a whole box bound the gain of all its
places; boxes that could gain too much are cut in four, until none is left.

Commercial districts: the integer program of Ríos-Mercado & Fernández (2009), with the value as a limit. HiGHS shows
that it has no solution, even if districts may be torn, but for those that it came up with before.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.instances import districts as instances
from benchmarks.record import DATA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.instances.districts import Clusters, Districts

    Floats = NDArray[np.float64]

__all__ = ["districts_below", "gains", "prices", "proven"]

#: Places that the prices are made for, rounds, and rounds without a better bound before the step is shortened.
_PLACES, _ROUNDS, _PATIENCE, _SHORTER = 700, 300, 15, 0.7
#: What the subgradient method aims at, of the value that is to be passed.
_BEYOND: Final = 1.05
#: Share of the newest subgradient in the direction.
_NEWEST: Final = 0.4
#: Boxes at once; the first ones are so many a side.
_BATCH, _SIDE = 500, 40
#: Of a solution this much better than the value is asked: its last digit is rounded.
_ROUNDED: Final = 0.01
#: What HiGHS says, through SciPy, where there is no solution.
_INFEASIBLE: Final = 2


def gains(far: Floats, price: Floats, clusters: Clusters) -> Floats:
    """Return the least sum of distances less prices that a place can have within the capacity; one may be in part.

    Parameters
    ----------
    far : float array of shape (places, n)
    price : float array of shape (n,)

    Returns
    -------
    float array of shape (places,)
    """
    rest = np.minimum(far - price, 0.0)
    whole = int(clusters.capacity / clusters.demand[0])
    if (clusters.demand == clusters.demand[0]).all() and whole < len(price):
        # so many points, whichever they are: no need to sort them
        return np.asarray(np.partition(rest, whole, axis=1)[:, :whole].sum(axis=1))
    return np.asarray((rest * _shares(rest, clusters)).sum(axis=1))


def _shares(rest: Floats, clusters: Clusters) -> Floats:
    """Return how much of each point belongs to a place: those that gain most for what they take of the capacity."""
    order = np.argsort(rest / clusters.demand, axis=1)
    demand = clusters.demand[order]
    room = clusters.capacity - (np.cumsum(demand, axis=1) - demand)
    share = np.zeros_like(rest)
    np.put_along_axis(share, order, np.clip(room / demand, 0.0, 1.0), axis=1)
    share[rest >= 0.0] = 0.0
    return share


def prices(clusters: Clusters, value: float, *, rounds: int = _ROUNDS, seed: int = 0) -> Floats:
    """Return prices of points whose bound, over some places, is high: those of the subgradient method.

    Parameters
    ----------
    clusters : Clusters
    value : float
        Which the bound is to pass.
    rounds, seed : int
    """
    rng = np.random.default_rng(seed)
    n, p = len(clusters.xy), clusters.p
    places = clusters.xy[rng.choice(n, min(_PLACES, n), replace=False)]
    far = np.hypot(*(clusters.xy[None, :, axis] - places[:, None, axis] for axis in (0, 1)))
    price = far.min(axis=0) + 2.0 * value / n
    best, best_price, step, since, aim = -np.inf, price, 1.0, 0, _BEYOND * value
    direction = np.zeros(n)
    for _ in range(rounds):
        gain = gains(far, price, clusters)
        chosen = np.argsort(gain)[:p]
        bound = float(price.sum() + gain[chosen].sum())
        since += 1
        if bound > best + 1e-6 * value:
            best, best_price, since = bound, price, 0
        elif since == _PATIENCE:
            price, step, since = best_price, step * _SHORTER, 0
            direction = np.zeros(n)
            continue
        now = 1.0 - _shares(np.minimum(far[chosen] - price, 0.0), clusters).sum(axis=0)
        direction = _NEWEST * now + (1.0 - _NEWEST) * direction if direction.any() else now
        price = price + step * (aim - bound) / max(float((direction**2).sum()), 1e-9) * direction
    return best_price


def proven(clusters: Clusters, price: Floats, value: float, *, boxes: int = 1_000_000) -> bool:
    """Return whether prices show that no solution costs less than `value`; at most so many boxes are looked at."""
    most = (value - float(price.sum())) / clusters.p
    low, high = clusters.xy.min(axis=0), clusters.xy.max(axis=0)
    # a centre outside the smallest rectangle would cost less inside
    side = max(float((high - low).max()), 1e-9) / _SIDE
    if most > 0.0:
        return False
    steps = [low[axis] + side * (0.5 + np.arange(int((high - low)[axis] / side) + 1)) for axis in (0, 1)]
    middle = np.stack(np.meshgrid(*steps), axis=-1).reshape(-1, 2)
    while len(middle) and boxes >= 0:
        left = []
        for at in range(0, len(middle), _BATCH):
            some = middle[at : at + _BATCH]
            gap = np.abs(clusters.xy[None, :, :] - some[:, None, :])
            beside = np.maximum(gap - side / 2, 0.0)
            gain = gains(np.hypot(beside[..., 0], beside[..., 1]), price, clusters)
            left.append(some[gain < most])
            if (gains(np.hypot(gap[..., 0], gap[..., 1]), price, clusters) < most).any():
                # one of the places gains too much
                return False
        boxes -= len(middle)
        middle, side = np.concatenate(left), side / 2
        corners = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]]) * side / 2
        middle = (middle[:, None, :] + corners[None]).reshape(-1, 2)
    return not len(middle)


def districts_below(districts: Districts, value: float, *, seconds: float = 100.0) -> bool | None:
    """Return whether there are districts that cost no more than `value`; None where time ran out.

    Parameters
    ----------
    districts : Districts
    value : float
    seconds : float
        For each of the integer programs: districts that are torn are forbidden, and it is solved again.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - slow to load

    n = len(districts.xy)
    cost, limits = _program(districts, value)
    options = {"time_limit": seconds, "mip_rel_gap": 0.0}
    while True:
        found = milp(cost, constraints=limits, integrality=np.ones(n * n), bounds=Bounds(0, 1), options=options)
        if found.x is None:
            # HiGHS says 2 of what it has shown to have no solution
            return False if found.status == _INFEASIBLE else None
        cuts = _cuts(districts, found.x.reshape(n, n).argmax(axis=1))
        if not cuts:
            return True
        limits += [LinearConstraint(row, least, np.inf) for row, least in cuts]


def _program(d: Districts, value: float) -> tuple[Floats, list[Any]]:
    """Return cost and constraints of districts within a value; variable i n + j: unit i is in the district of j."""
    from scipy.optimize import LinearConstraint  # noqa: PLC0415 - slow to load
    from scipy.sparse import coo_array  # noqa: PLC0415

    n = len(d.xy)
    cost = np.hypot(*(d.xy[:, None, axis] - d.xy[None, :, axis] for axis in (0, 1))).ravel()
    unit, median = np.repeat(np.arange(n), n), np.tile(np.arange(n), n)
    every, own = np.arange(n * n), np.arange(n) * (n + 1)

    def rows(which: Any, columns: Any, values: Any, count: int) -> Any:
        return coo_array((values, (which, columns)), shape=(count, n * n)).tocsr()

    to = rows(every, every, np.ones(n * n), n * n) - rows(every, own[median], np.ones(n * n), n * n)
    limits = [
        LinearConstraint(rows(unit, every, np.ones(n * n), n), 1, 1),
        LinearConstraint(to[np.flatnonzero(unit != median)], -np.inf, 0),
        LinearConstraint(rows(np.zeros(n, dtype=int), own, np.ones(n), 1), d.p, d.p),
        LinearConstraint(rows(np.zeros(n * n, dtype=int), every, cost, 1), -np.inf, value),
    ]
    for q, measure in enumerate(d.measures.T):
        load = rows(median, every, measure[unit], n)
        mean = rows(np.arange(n), own, np.full(n, measure.sum() / d.p), n)
        limits.append(LinearConstraint(load - (1 + d.tolerance[q]) * mean, -np.inf, 1e-6))
        limits.append(LinearConstraint(load - (1 - d.tolerance[q]) * mean, -1e-6, np.inf))
    return cost, limits


def _cuts(d: Districts, median: NDArray[np.int64]) -> list[tuple[Any, float]]:
    """Return a constraint for each part of a district without its median: one of those beside the part comes too."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - slow to load
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    n = len(d.xy)
    links = d.edges[median[d.edges[:, 0]] == median[d.edges[:, 1]]]
    _, part = connected_components(coo_array((np.ones(len(links)), tuple(links.T)), shape=(n, n)), directed=False)
    out = []
    for c in np.unique(part[part != part[median]]):
        inside = part == c
        ends = d.edges[inside[d.edges].sum(axis=1) == 1]
        beside = np.unique(ends[~inside[ends]])
        j, mine = median[inside][0], np.flatnonzero(inside)
        row = np.zeros((1, n * n))
        row[0, beside * n + j], row[0, mine * n + j] = 1.0, -1.0
        out.append((coo_array(row).tocsr(), 1.0 - len(mine)))
    return out


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 0: proven."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proofs", description=__doc__)
    parser.add_argument("family", choices=("cccp", "tdp"))
    parser.add_argument("instance")
    parser.add_argument("value", type=float)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seconds", type=float, default=100.0, help="time limit of an integer program")
    args = parser.parse_args(argv)
    began = time.process_time()
    if args.family == "cccp":
        clusters = instances.read_clusters(args.data / "cccp" / f"{args.instance}.dat")
        price = prices(clusters, args.value)
        fine = proven(clusters, price, args.value)
    else:
        path = args.data / "tdp" / "instances" / f"{args.instance}-edited.dat"
        fine = districts_below(instances.read_districts(path), args.value - _ROUNDED, seconds=args.seconds) is False
    said = "nothing costs less" if fine else "not proven"
    print(f"{args.instance} {args.value:g}: {said} ({time.process_time() - began:.0f} CPU s)")
    return 0 if fine else 1


if __name__ == "__main__":
    raise SystemExit(main())
