"""Optimal shares to given centres again and again, until hardly anything is torn off: contiguity at the least cost.

Cells of a power diagram are convex, so that few customers lie apart from the rest of their territory: where a cell is
narrow, or customers are in towns. Each of these pieces joins the territory beside it that costs least at the prices,
and stays there; then all others are shared out anew, optimally, to the bands that are left. So what a piece takes away
or brings along is paid for over the whole map, where that costs least, and not next door. A few rounds of this.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from territory.design.power import ground_of
from territory.design.power_fixed import best_split, first_margin
from territory.design.power_round import largest_shares
from territory.design.repair import Spots, astray

if TYPE_CHECKING:
    from territory.design.problem import DesignProblem
    from territory.geo.contiguity import ContiguityGraph
    from territory.model.arrays import BoolArray, FloatArray, IdxArray

__all__ = ["Joined", "joined_up"]

#: Rounds, at most.
_ROUNDS: Final = 8


class Joined(NamedTuple):
    """Territories in one piece each, as far as that goes, and what a unit of weight costs more in each of them.

    Attributes
    ----------
    label : int32 array of shape (n,)
    price : float array of shape (k,), squared metres
    """

    label: IdxArray
    price: FloatArray


def joined_up(
    problem: DesignProblem,
    graph: ContiguityGraph,
    center: FloatArray,
    price: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    deadline: float = np.inf,
) -> Joined | None:
    """Return territories around given centres, optimal but for what is torn off, with every customer whole.

    Parameters
    ----------
    problem : DesignProblem, n customers in k territories
    graph : ContiguityGraph of the n customers
    center : float array of shape (k, 3), metres
    price : float array of shape (k,)
        To start from.
    lower, upper : float arrays of shape (k,)
        Bands of the first measure.
    deadline : float
        Monotonic seconds.

    Returns
    -------
    Joined, or None
        Bands hold but for the rounding of up to k - 1 customers, as long as they can; None where they cannot be kept.

    Notes
    -----
    A round is a linear program by `best_split` from the prices of the last.
    """
    origin = problem.xyz.mean(axis=0)
    at = np.ascontiguousarray(center - origin)
    points, margin = problem.xyz - origin, first_margin(at)
    pinned = np.full(problem.n, -1, dtype=np.int32)
    found: Joined | None = None
    for _ in range(_ROUNDS):
        held = pinned >= 0
        taken = np.bincount(pinned[held], problem.weight[held], problem.k)
        rows = np.flatnonzero(~held)
        low, high = np.maximum(lower - taken, 0.0), upper - taken
        if not rows.size or (high < 0.0).any():
            break
        eligible = None if problem.eligible is None else problem.eligible[rows]
        ground, inside, rest = ground_of(points[rows], problem.weight[rows], low, high, eligible)
        split = best_split(ground, at, price, margin)
        if not split.feasible:
            break
        price, margin = split.price, split.margin
        share = largest_shares(ground, split)
        label = pinned.copy()
        if inside.size:
            label[rows[inside[ground.tree.order]]] = share[: len(inside)]
        label[rows[rest]] = share[len(share) - len(rest) :]
        loose = astray(problem, graph, label)
        label, joined = _beside(problem, graph, label, loose, center, price)
        found = Joined(label, price)
        pinned[loose] = -1
        pinned[joined] = label[joined]
        if not joined.size or monotonic() >= deadline:
            break
    return found


def _beside(
    problem: DesignProblem,
    graph: ContiguityGraph,
    label: IdxArray,
    loose: IdxArray,
    center: FloatArray,
    price: FloatArray,
) -> tuple[IdxArray, IdxArray]:
    """Let those torn off join the cheapest territory beside them, from the rim; return labels, and who did."""
    label = label.copy()
    apart: BoolArray = np.zeros(problem.n, dtype=bool)
    apart[loose] = True
    waiting, queue, spots = apart.copy(), deque(loose.tolist()), Spots(graph)
    joined = []
    while queue:
        i = queue.popleft()
        waiting[i] = False
        s = int(graph.site[i])
        there = np.concatenate([spots.at(t) for t in (s, *graph.indices[graph.indptr[s] : graph.indptr[s + 1]])])
        # the larger parts lose nobody, so that whoever joins them is never cut off again
        choices = np.unique(label[there[~apart[there]]])
        if problem.eligible is not None:
            choices = choices[problem.eligible[i, choices]]
        if not choices.size:
            continue
        label[i] = choices[(((problem.xyz[i] - center[choices]) ** 2).sum(axis=1) + price[choices]).argmin()]
        apart[i] = False
        joined.append(i)
        again = there[apart[there] & ~waiting[there]]
        waiting[again] = True
        queue.extend(again.tolist())
    return label, np.array(sorted(joined), dtype=np.int32)
