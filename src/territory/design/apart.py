"""Customers who must not share a territory: brought apart before the moves at the borders, which keep them so."""

from __future__ import annotations

from heapq import heappop, heappush
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.design.moves_problem import Graph
from territory.design.repair import Spots, astray, reconnected
from territory.geo.adjacency import components

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.design.problem import DesignProblem
    from territory.geo.contiguity import ContiguityGraph
    from territory.model.arrays import BoolArray, FloatArray, IdxArray

__all__ = ["brought_apart", "conflicts", "corridors"]

#: Corridors cut through each other: as many times they are built anew where that tore them off.
_ROUNDS: Final = 12
#: Rounds without fewer who are cut off, after which no more follow.
_PATIENCE: Final = 4
#: Ways that are tried for one customer where those on them must not come along.
_TRIES: Final = 10
#: Spots that are searched in all, and more for each: past that, who is cut off stays so.
_SEARCHED: Final = (100_000, 10)
#: A way through a spot where everybody must be apart from somebody counts as so much longer.
_DETOUR: Final = 4.0


def conflicts(apart: IdxArray | None, label: IdxArray) -> IdxArray:
    """Return the pairs that share a territory, int32 of shape (c, 2)."""
    if apart is None or not len(apart):
        return np.empty((0, 2), dtype=np.int32)
    return np.asarray(apart[label[apart[:, 0]] == label[apart[:, 1]]])


def brought_apart(problem: DesignProblem, label: IdxArray, center: FloatArray) -> IdxArray:
    """Deal out anew those who share a territory with one they must not, at the least squared distance.

    Of each set of customers tied by such pairs, those who must all be apart of one another are matched with
    territories (Hungarian method). Of others only those in conflict move, the most tied first, to the cheapest
    territory without any of theirs; where that leaves some in conflict, the whole set is dealt out like that. Loads
    are put right later, by moves.

    Notes
    -----
    O(p k) for sets of p customers, O(p^2 k) where they are matched. Pairs may remain where no choice is left.
    """
    if problem.apart is None or not len(conflicts(problem.apart, label)):
        return label
    label = label.copy()
    pairs = problem.apart.astype(np.int64)
    rivals = Graph.of_edges(problem.apart, problem.n)
    part = components(problem.n, pairs)
    bad = np.unique(part[conflicts(problem.apart, label)[:, 0]])
    inside = pairs[np.isin(part[pairs[:, 0]], bad)]
    inside = inside[np.argsort(part[inside[:, 0]], kind="stable")]
    ends = np.flatnonzero(np.diff(part[inside[:, 0]])) + 1
    for mine in np.split(inside, ends):
        rows = np.unique(mine)
        if len(mine) == len(rows) * (len(rows) - 1) // 2 and len(rows) <= problem.k:
            chosen = _matched(np.stack([_cost(problem, i, center) for i in rows.tolist()]))
            label[rows] = np.where(chosen >= 0, chosen, label[rows])
        else:
            _one_by_one(problem, rivals, rows.astype(np.int32), label, center)
    return label


def _cost(problem: DesignProblem, i: int, center: FloatArray) -> FloatArray:
    """Return what a customer costs in each territory, infinity where it must not be; shape (k,)."""
    cost = problem.weight[i] * ((problem.xyz[i] - center) ** 2).sum(axis=1)
    return np.asarray(cost if problem.eligible is None else np.where(problem.eligible[i], cost, np.inf))


def _matched(cost: FloatArray) -> IdxArray:
    """Return the cheapest territories, no two alike; -1 for all where there are none."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - only where somebody must be apart

    try:
        return np.asarray(linear_sum_assignment(cost)[1], dtype=np.int32)
    except ValueError:
        return np.full(len(cost), -1, dtype=np.int32)


def _one_by_one(problem: DesignProblem, rivals: Graph, rows: IdxArray, label: IdxArray, center: FloatArray) -> None:
    """Move those of one set who are in conflict, or else all, to the cheapest territory without a rival, in place."""

    def near(i: int) -> IdxArray:
        return rivals.indices[rivals.indptr[i] : rivals.indptr[i + 1]]

    def clashes(i: int) -> int:
        return int((label[near(i)] == label[i]).sum())

    def moved(i: int) -> bool:
        free = _cost(problem, i, center)
        taken = label[near(i)]
        free[taken[taken >= 0]] = np.inf
        j = int(free.argmin())
        if np.isfinite(free[j]):
            label[i] = j
        return bool(np.isfinite(free[j]))

    before = label[rows]
    crowd = [(-clashes(i), i) for i in rows.tolist()]
    if all([moved(i) for many, i in sorted(crowd) if many and clashes(i)]):  # noqa: C419 - all of them are to move
        return
    kept = label[rows].copy()
    label[rows] = -1
    tied = np.argsort(-np.diff(rivals.indptr)[rows], kind="stable")
    left = [i for i in rows[tied].tolist() if not moved(i)]
    if left:
        # no choice was left either way: whoever could not move stays with a rival
        label[rows] = np.where(np.isin(rows, left), before, label[rows])
        if sum(map(clashes, rows.tolist())) > _clashes_of(rivals, rows, label, kept):
            label[rows] = kept


def _clashes_of(rivals: Graph, rows: IdxArray, label: IdxArray, kept: IdxArray) -> int:
    """Count pairs that would share a territory, each twice, if one set were dealt out otherwise."""
    other = label.copy()
    other[rows] = kept
    own = np.repeat(np.arange(len(label)), np.diff(rivals.indptr))
    inside = np.isin(own, rows)
    return int((other[own[inside]] == other[rivals.indices[inside]]).sum())


def corridors(problem: DesignProblem, graph: ContiguityGraph, label: IdxArray, *, deadline: float = np.inf) -> IdxArray:
    """Join those who were dealt out far from their new territories to the nearest that may have them.

    That is the territory without anybody from whom they must be apart to whose larger part the way is shortest;
    everybody on it comes along. Ways go around those who must be apart from somebody where they can, and around each
    other. Whom this cuts off is handed to neighbours, and who is cut off then is joined again, a few times.

    Parameters
    ----------
    problem : DesignProblem, n customers in k territories
    graph : ContiguityGraph of the n customers
    label : int32 array of shape (n,)
    deadline : float
        Monotonic seconds, after which things are left as they are.

    Returns
    -------
    int32 array of shape (n,)
        With the fewest customers who are cut off.

    Notes
    -----
    For each customer who is cut off a search (Dijkstra) as far as the nearest border; O(n) a round besides.
    """
    if problem.apart is None:
        return label
    ways = _Ways(problem, graph, label.copy())
    best, least, idle = label, np.inf, 0
    for _ in range(_ROUNDS):
        loose = astray(problem, graph, ways.label)
        here = float(problem.weight[loose].sum()) + len(loose)
        idle += 1
        if here < least:
            best, least, idle = ways.label.copy(), here, 0
        far = loose[np.isin(loose, ways.bound)]
        if not far.size or idle >= _PATIENCE or ways.left <= 0 or monotonic() >= deadline:
            break
        ways.loose[:] = ways.held[:] = False
        ways.loose[loose] = True
        for i in far.tolist():
            if ways.left <= 0 or monotonic() >= deadline:
                break
            ways.join(i)
        ways.label = reconnected(problem, graph, ways.label, _middles(problem, ways.label), deadline=deadline)
    return best


def _middles(problem: DesignProblem, label: IdxArray) -> FloatArray:
    """Return the weighted means of territories' customers, shape (k, 3); the mean of all for empty ones."""
    weight = np.maximum(problem.weight, 1e-9 * max(float(problem.weight.max(initial=0.0)), 1e-300))
    mass = np.bincount(label, weight, problem.k)[:, None]
    total = np.stack([np.bincount(label, weight * column, problem.k) for column in problem.xyz.T], axis=1)
    return np.where(mass > 0, total / np.where(mass > 0, mass, 1.0), problem.xyz.mean(axis=0))


class _Ways:
    """Shortest ways from customers to territories that may have them, and what they change.

    Attributes
    ----------
    label : int32 array of shape (n,)
    loose : bool array of shape (n,)
        Who is cut off from his territory.
    held : bool array of shape (n,)
        Who is on a way that was found: others do not cut it.
    bound : int array
        Who must be apart from somebody.
    used : float array of shape (n_sites,)
        How often each spot was on a way. Those who cut each other off look for other ways, as connections on a chip do
        (negotiated congestion: McMurchie & Ebeling 1995).
    left : int
        How many spots may be searched yet.
    """

    def __init__(self, problem: DesignProblem, graph: ContiguityGraph, label: IdxArray) -> None:
        self.problem, self.graph, self.label = problem, graph, label
        self.loose: BoolArray = np.zeros(problem.n, dtype=bool)
        self.held: BoolArray = np.zeros(problem.n, dtype=bool)
        self.rivals = Graph.of_edges(problem.apart, problem.n)
        self.bound = np.flatnonzero(np.diff(self.rivals.indptr) > 0)
        self.is_bound = np.zeros(problem.n, dtype=bool)
        self.is_bound[self.bound] = True
        self.left = _SEARCHED[0] + _SEARCHED[1] * graph.n_sites
        self.used = np.zeros(graph.n_sites)
        self.spots = Spots(graph)
        placed = np.flatnonzero(graph.site >= 0)
        self.where = np.zeros((graph.n_sites, problem.xyz.shape[1]))
        self.where[graph.site[placed[::-1]]] = problem.xyz[placed[::-1]]
        self.open = np.zeros(graph.n_sites, dtype=bool)
        self.open[graph.site[placed[~self.is_bound[placed]]]] = True

    def _rivals(self, i: int) -> IdxArray:
        return self.rivals.indices[self.rivals.indptr[i] : self.rivals.indptr[i + 1]]

    def _may(self, i: int, j: int) -> bool:
        eligible = self.problem.eligible
        return (eligible is None or bool(eligible[i, j])) and not (self.label[self._rivals(i)] == j).any()

    def join(self, i: int) -> bool:
        """Join a customer to the nearest territory that may have it; tell whether there is one."""
        if not self.loose[i]:
            return True
        taken = set(self.label[self._rivals(i)].tolist())
        tries = 0
        for spot, before in self._search(i):
            for o in self.spots.at(spot).tolist():
                j = int(self.label[o])
                if o == i or self.loose[o] or j in taken or not self._may(i, j):
                    continue
                path, t = [], before[spot]
                while before[t] != t:
                    path.append(t)
                    t = before[t]
                along = self._along(i, j, path)
                if along is not None:
                    self.label[along] = j
                    self.loose[along] = False
                    self.held[along] = True
                    self.used[path] += 1.0
                    return True
                tries += 1
            if tries >= _TRIES:
                break
        return False

    def _search(self, i: int) -> Iterator[tuple[int, dict[int, int]]]:
        """Yield spots by the length of the way to them, and where one comes from on the ways; where it begins, itself.

        Ways do not lead through spots of those from whom the customer must be apart.
        """
        graph, start = self.graph, int(self.graph.site[i])
        shut = {int(graph.site[o]) for o in self._rivals(i).tolist() if graph.site[o] >= 0}
        far, before, heap = {start: 0.0}, {start: start}, [(0.0, start)]
        done: set[int] = set()
        while heap and self.left > 0:
            length, s = heappop(heap)
            if s in done:
                continue
            done.add(s)
            self.left -= 1
            yield s, before
            if s != start and ((not self.open[s] and s in shut) or self.held[self.spots.at(s)].all()):
                continue
            near = graph.indices[graph.indptr[s] : graph.indptr[s + 1]]
            step = np.sqrt(((self.where[near] - self.where[s]) ** 2).sum(axis=1)) + 1e-3
            # what counts is whether a spot has to be passed, not whether it is the end
            step *= 1.0 if s == start else (1.0 if self.open[s] else _DETOUR) + self.used[s]
            for t, more in zip(near.tolist(), step.tolist(), strict=True):
                if t not in done and length + more < far.get(t, np.inf):
                    far[t], before[t] = length + more, s
                    heappush(heap, (length + more, t))

    def _along(self, i: int, j: int, path: list[int]) -> list[int] | None:
        """Return who comes along to a territory; None where somebody must not."""
        out, eligible = [i], self.problem.eligible
        for s in path:
            here = [o for o in self.spots.at(s).tolist() if not self.held[o] and (eligible is None or eligible[o, j])]
            free = [o for o in here if not self.is_bound[o]]
            if not free:
                free = [o for o in here if self._may(o, j) and not {*out} & {*self._rivals(o).tolist()}][:1]
            if not free:
                return None
            out += free
        return out
