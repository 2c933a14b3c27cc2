"""Customers who are in no territory yet, or cut off from theirs, go where they hang on: from the rim inwards."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.design.moves_problem import LocalProblem
    from territory.geo.contiguity import ContiguityGraph
    from territory.model.arrays import BoolArray, FloatArray, IdxArray

__all__ = ["astray", "grown", "means", "seeded"]

#: Customers that are tried as the first of a new territory, the nearest to its place.
_SEEDS = 50


def means(local: LocalProblem, label: IdxArray, instead: FloatArray | None = None) -> FloatArray:
    """Return the weighted middle of each territory, shape (k, d); of an empty one `instead`, or NaN."""
    weight = np.ones(local.n) if local.weight is None else local.weight
    in_one = label >= 0
    load = np.bincount(label[in_one], weight[in_one], local.k)
    columns = [np.bincount(label[in_one], (weight * x)[in_one], local.k) for x in local.points.T]
    middle = np.stack(columns, axis=1) / np.where(load > 0, load, np.nan)[:, None]
    return middle if instead is None else np.where(np.isnan(middle), instead, middle)


def astray(graph: ContiguityGraph, weight: FloatArray, label: IdxArray) -> IdxArray:
    """Return the customers of all but the heaviest piece of each territory; one a territory and island, where asked.

    Parameters
    ----------
    graph : ContiguityGraph of n customers
    weight : float array of shape (n,)
    label : int32 array of shape (n,)
        -1: in no territory.
    """
    piece = graph.torn(label)
    rows = np.flatnonzero(piece >= 0)
    if not rows.size:
        return rows.astype(np.int32)
    _, first = np.unique(piece[rows], return_index=True)
    home = label[rows[first]].astype(np.int64)
    if len(np.unique(home)) == len(home):
        return np.empty(0, dtype=np.int32)
    if graph.islands == "parts":
        island = graph.component[rows[first]].astype(np.int64)
        home = home * (int(island.max()) + 1) + island
    heavy, count = np.bincount(piece[rows], weight[rows]), np.bincount(piece[rows])
    order = np.lexsort((np.arange(len(home)), -count, -heavy, home))
    kept = np.ones(len(home), dtype=bool)
    kept[order[1:]] = home[order[1:]] != home[order[:-1]]
    return rows[~kept[piece[rows]]].astype(np.int32)


def grown(
    local: LocalProblem, label: IdxArray, loose: IdxArray, center: FloatArray, group: IdxArray | None = None
) -> IdxArray:
    """Deal out loose customers to territories that they are beside, the nearest to a centre first.

    Nobody goes where somebody is from whom he must be apart.

    Parameters
    ----------
    local : LocalProblem, n customers in k territories
    label : int32 array of shape (n,)
        Of the others.
    loose : int32 array
    center : float array of shape (k, d)
    group : int32 array of shape (n,), optional
        Loose customers of one group, who may belong to the same territories, go to one; -1: none.

    Returns
    -------
    int32 array of shape (n,)
        Who is beside nobody goes to the nearest centre of those that may serve him; -1: there is none.

    Notes
    -----
    O(m log m) for the m neighbours of the loose, like the algorithm of Prim (1957).
    """
    return _Growth(local, label, loose, center, group).out


class _Growth:
    """Labels while customers are dealt out."""

    def __init__(
        self, local: LocalProblem, label: IdxArray, loose: IdxArray, center: FloatArray, group: IdxArray | None
    ) -> None:
        self.local, self.center, self.group = local, center, group
        self.out, self.beside = label.copy(), _beside(local)
        self.out[loose] = -1
        self.queue: list[tuple[float, int, int]] = []
        self.members: dict[int, list[int]] = {}
        if group is not None:
            for i in loose[group[loose] >= 0].tolist():
                self.members.setdefault(int(group[i]), []).append(i)
        for i in loose.tolist():
            for j in np.unique(self.out[self.beside(i)]).tolist():
                if j >= 0:
                    self.offer(i, j)
        while self.queue:
            _, i, j = heappop(self.queue)
            if self.out[i] < 0 and self.fits(i, j):
                self.put(i, j)
        for i in loose.tolist():
            if self.out[i] < 0:
                self.put_anywhere(i)

    def those_with(self, i: int) -> list[int]:
        """Return the customer, or all of his group."""
        return [i] if self.group is None or self.group[i] < 0 else self.members[int(self.group[i])]

    def fits(self, i: int, j: int) -> bool:
        """Return whether nobody is in territory `j` from whom the customer must be apart."""
        apart = self.local.apart
        if apart is None:
            return True
        rivals = np.concatenate([apart.indices[apart.indptr[p] : apart.indptr[p + 1]] for p in self.those_with(i)])
        return not bool((self.out[rivals] == j).any())

    def offer(self, i: int, j: int) -> None:
        eligible = self.local.eligible
        if eligible is None or eligible[i, j]:
            heappush(self.queue, (float(((self.local.points[i] - self.center[j]) ** 2).sum()), i, j))

    def put(self, i: int, j: int) -> None:
        """Put a customer, and his group, into a territory, which is offered to those beside them."""
        mine = self.those_with(i)
        self.out[mine] = j
        for p in mine:
            for q in self.beside(p).tolist():
                if self.out[q] < 0:
                    self.offer(q, j)

    def put_anywhere(self, i: int) -> None:
        """Put a customer, and his group, into the nearest territory that they may be in."""
        square = ((self.center - self.local.points[i]) ** 2).sum(axis=1)
        if self.local.eligible is not None:
            square = np.where(self.local.eligible[i], square, np.inf)
        for j in np.argsort(square, kind="stable").tolist():
            if np.isfinite(square[j]) and self.fits(i, j):
                self.out[self.those_with(i)] = j
                return


def _beside(local: LocalProblem) -> Callable[[int], IdxArray]:
    """Return a function of who is beside a customer: on the graph of the sites where he has one."""
    at, near = local.near.indptr, local.near.indices
    if local.site is None or local.links is None:
        return lambda i: near[at[i] : at[i + 1]]
    site, links = local.site, local.links
    placed = np.flatnonzero(site >= 0)
    there = placed[np.argsort(site[placed], kind="stable")].astype(np.int32)
    begin = np.concatenate([[0], np.cumsum(np.bincount(site[placed], minlength=len(links.indptr) - 1))])

    def beside(i: int) -> IdxArray:
        s = site[i]
        if s < 0:
            return near[at[i] : at[i + 1]]
        around = [s, *links.indices[links.indptr[s] : links.indptr[s + 1]].tolist()]
        return np.concatenate([there[begin[t] : begin[t + 1]] for t in around])

    return beside


def seeded(
    local: LocalProblem, graph: ContiguityGraph | None, label: IdxArray, stuck: BoolArray, empty: int, place: FloatArray
) -> IdxArray:
    """Return labels with a first customer in an empty territory: the nearest to a place whom his own can spare."""
    weight = np.ones(local.n) if local.weight is None else local.weight
    size = np.bincount(label, minlength=local.k)
    able = ~stuck & (size[label] > 1) & (weight > 0)
    if local.eligible is not None:
        able &= local.eligible[:, empty]
    if graph is not None:
        able &= graph.site >= 0
    rows = np.flatnonzero(able)
    square = ((local.points[rows] - place) ** 2).sum(axis=1)
    torn = 0 if graph is None else int(graph.torn(label).max(initial=-1))
    for i in rows[np.argsort(square, kind="stable")][:_SEEDS].tolist():
        out = label.copy()
        out[i] = empty
        # one piece more, that of the new territory
        if graph is None or int(graph.torn(out).max(initial=-1)) <= torn + 1:
            return out
    return label
