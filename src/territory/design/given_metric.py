"""What the way from a customer to a centre costs: by a source of travel times, along known legs, or by great circle.

The engine (`given`) asks a `Metric` for four things: the costs of all customers to some centres, as lists that may
leave out what is far; whole rows of them, where a list was too short; better centres for given territories; and first
centres, near given places. Where travel is measured, a centre is a customer, or the home of a rep: nobody knows
times to other places.

A cost is that of one unit of weight. Seconds are the mean of both directions, as who drives there drives back; a pair
without a way in one of them is never assigned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias

import numpy as np

from territory.travel import GreatCircle

if TYPE_CHECKING:
    from territory.model.arrays import BoolArray, FloatArray, IdxArray, IntArray
    from territory.model.places import Places
    from territory.travel import Travel

    #: Positions of customers and homes, (k,), or points, (k, 3).
    Centers: TypeAlias = Any

__all__ = ["Anchor", "Legs", "Lists", "Metric", "SparseLegs", "TravelLegs", "lists_of", "widened"]

#: Costs that are listed at most; beyond, every customer's nearest centres, and not fewer than so many.
_MOST: Final = 6_000_000
_NEAREST: Final = 32
#: Costs that are asked for at a time.
_BLOCK: Final = 1_000_000
#: Who may become a centre: so many nearest to the middle by place, as many nearest to the present centre by travel; all
#: members of a small territory.
_NEAR: Final = 6
_ALL: Final = 24
#: Customers from whom the parts that nothing joins are looked for: so many, and two a territory.
_PROBES: Final = 64
#: Legs are followed so far at first, in times of how far nine customers of ten are from their nearest centre.
_REACH: Final = 3.0
_USUAL: Final = 0.9


@dataclass(frozen=True, eq=False)
class Lists:
    """What customers cost at the centres that are near, by unit of weight, in compressed rows.

    Attributes
    ----------
    start : int64 array of shape (n + 1,)
    to : int32 array of shape (arcs,)
        Centres, in rising order in each row.
    cost : float array of shape (arcs,)
    rest : float array of shape (n,)
        What is not in a row costs at least so much; infinite where all is there that can be reached.
    """

    start: IntArray
    to: IdxArray
    cost: FloatArray
    rest: FloatArray


class Anchor(NamedTuple):
    """What draws each centre to a place: homes, in the terms of the metric, and with what weight, shape (k,)."""

    home: Centers
    weight: FloatArray


class Metric(Protocol):
    """What the engine has to know of customers, centres and the ways between them."""

    @property
    def xyz(self) -> FloatArray:
        """Places of the n customers, shape (n, 3), metres."""
        ...

    def points(self, center: Centers) -> FloatArray:
        """Return where centres are, shape (k, 3), metres."""
        ...

    def seeded(self, points: FloatArray, who: IdxArray) -> Centers:
        """Return centres near k points, shape (k, 3); among the customers `who`, if centres are customers."""
        ...

    def joined(self, parts: list[Centers], order: list[IdxArray]) -> Centers:
        """Return the centres of parts as one, `order` telling the positions of each."""
        ...

    def islands(self, weight: FloatArray, k: int) -> IdxArray:
        """Return the part of the map that each customer is on, shape (n,), numbered from 0; -1: not looked at."""
        ...

    def lists(self, center: Centers, eligible: BoolArray | None) -> Lists:
        """Return what customers cost at the centres near them."""
        ...

    def rows(self, who: IdxArray, center: Centers) -> FloatArray:
        """Return what some customers cost at all centres, (len(who), k); infinite where there is no way."""
        ...

    def own(self, label: IdxArray, center: Centers) -> FloatArray:
        """Return what each customer costs at the centre of his territory, (n,); 0 where `label` is -1."""
        ...

    def drawn(self, center: Centers, anchor: Anchor) -> float:
        """Return the weighted cost of centres being away from what draws them; 0 for those that cannot get there."""
        ...

    def recentred(
        self, label: IdxArray, center: Centers, weight: FloatArray, own: FloatArray, anchor: Anchor | None, more: int
    ) -> Centers:
        """Return centres that cost no more for given territories.

        `own` is what each customer costs at present, (n,); -1 in `label` is nobody's. Look `more` times as far.
        """
        ...


def lists_of(costs: FloatArray, rest: FloatArray) -> Lists:
    """Return lists of all finite costs of an array of shape (n, k)."""
    row, to = np.nonzero(np.isfinite(costs))
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(costs)))]).astype(np.int64)
    return Lists(start, to.astype(np.int32), costs[row, to], rest)


def widened(lists: Lists, who: IdxArray, costs: FloatArray) -> Lists:
    """Return lists in which some customers, in rising order, have all their finite costs, shape (len(who), k)."""
    n = len(lists.rest)
    short = np.zeros(n, dtype=bool)
    short[who] = True
    row = np.repeat(np.arange(n), np.diff(lists.start))
    kept = ~short[row]
    at, to = np.nonzero(np.isfinite(costs))
    row = np.concatenate([row[kept], who[at]])
    order = np.argsort(row, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))]).astype(np.int64)
    rest = lists.rest.copy()
    rest[who] = np.inf
    return Lists(
        start,
        np.concatenate([lists.to[kept], to.astype(np.int32)])[order],
        np.concatenate([lists.cost[kept], costs[at, to]])[order],
        rest,
    )


class Legs:
    """A metric whose centres are customers, or homes, that stand behind the customers: positions n, n + 1, ...

    Parameters
    ----------
    xyz : float array of shape (n + r, 3), metres
    n : int
        Number of customers; r homes follow them.
    """

    def __init__(self, xyz: FloatArray, n: int) -> None:
        self.xyz, self._all, self.n = xyz[:n], xyz, n

    def between(self, a: IdxArray, b: IdxArray, limit: float = np.inf) -> FloatArray:
        """Return the seconds between two lots of places, (len(a), len(b)), the mean of both directions.

        Infinite where there is no way; what is beyond the limit may be, too.
        """
        raise NotImplementedError

    def points(self, center: IdxArray) -> FloatArray:
        """Return where centres are; see `Metric.points`."""
        return self._all[center]

    def joined(self, parts: list[IdxArray], order: list[IdxArray]) -> IdxArray:
        """Return the centres of parts as one; see `Metric.joined`."""
        center = np.empty(sum(len(part) for part in parts), dtype=np.int32)
        for part, at in zip(parts, order, strict=True):
            center[at] = part
        return center

    def seeded(self, points: FloatArray, who: IdxArray) -> IdxArray:
        """Return the customers nearest to points, each for one of them while there are enough. O((n + k) log n)."""
        from scipy.spatial import KDTree  # noqa: PLC0415 - loads when it is used

        k = len(points)
        tree = KDTree(self.xyz[who])
        center = np.full(k, -1, dtype=np.int64)
        taken = np.zeros(len(who), dtype=bool)
        near = min(8, len(who))
        while (center < 0).any():
            left = np.flatnonzero(center < 0)
            away, found = (a.reshape(len(left), near) for a in tree.query(points[left], k=near))
            # the closest pairs first
            for at in np.argsort(away.ravel(), kind="stable").tolist():
                j, i = left[at // near], found[at // near, at % near]
                if center[j] < 0 and not taken[i]:
                    center[j], taken[i] = i, True
            if near == len(who):
                # more centres than customers: some share one
                center[left] = np.where(center[left] < 0, found[:, 0], center[left])
            near = min(4 * near, len(who))
        return who[center].astype(np.int32)

    def islands(self, weight: FloatArray, k: int) -> IdxArray:
        """Return parts of the map, found from the heaviest customers whose part is not known. O(n) a part."""
        part = np.full(self.n, -1, dtype=np.int32)
        heavy = np.argsort(-weight, kind="stable")
        at = 0
        for number in range(_PROBES + 2 * k):
            while at < self.n and part[heavy[at]] >= 0:
                at += 1
            if at == self.n:
                break
            left = np.flatnonzero(part < 0).astype(np.int32)
            joined = np.isfinite(self.between(heavy[at : at + 1].astype(np.int32), left)[0])
            part[left[joined]] = number
            part[heavy[at]] = number
        return part

    def lists(self, center: IdxArray, eligible: BoolArray | None) -> Lists:
        """Return all costs, or those of the nearest centres where they were too many; see `Metric.lists`. O(n k)."""
        k = len(center)
        nearest = max(_NEAREST, _MOST // max(self.n, 1))
        step = max(1, _BLOCK // k)
        blocks = []
        for begin in range(0, max(self.n, 1), step):
            who = np.arange(begin, min(begin + step, self.n), dtype=np.int32)
            costs = self.rows(who, center)
            if eligible is not None:
                costs[~eligible[who]] = np.inf
            rest = np.full(len(who), np.inf)
            if nearest < k:
                far = np.partition(costs, nearest, axis=1)[:, nearest]
                # what ties with the first that is left out is left out, too
                rest = far
                costs[costs >= far[:, None]] = np.inf
            blocks.append(lists_of(costs, rest))
        start = np.cumsum([0, *(b.start[-1] for b in blocks)])
        return Lists(
            np.concatenate([[0], *(b.start[1:] + s for b, s in zip(blocks, start, strict=False))]).astype(np.int64),
            np.concatenate([b.to for b in blocks]),
            np.concatenate([b.cost for b in blocks]),
            np.concatenate([b.rest for b in blocks]),
        )

    def rows(self, who: IdxArray, center: IdxArray) -> FloatArray:
        """Return what some customers cost at all centres; see `Metric.rows`."""
        return np.ascontiguousarray(self.between(center, who).T)

    def own(self, label: IdxArray, center: IdxArray) -> FloatArray:
        """Return what each customer costs at the centre of his territory; see `Metric.own`. O(n) costs, k calls."""
        out = np.zeros(self.n)
        order = np.argsort(label, kind="stable").astype(np.int32)
        begin = np.searchsorted(label[order], np.arange(len(center) + 1))
        for j in np.flatnonzero(np.diff(begin)).tolist():
            mine = order[begin[j] : begin[j + 1]]
            out[mine] = self.between(center[j : j + 1], mine)[0]
        return out

    def drawn(self, center: IdxArray, anchor: Anchor) -> float:
        """Return the weighted cost of centres away from homes; see `Metric.drawn`. O(k) costs, k calls."""
        away = np.array([self.between(anchor.home[j : j + 1], center[j : j + 1])[0, 0] for j in range(len(center))])
        return float(anchor.weight @ np.where(np.isfinite(away), away, 0.0))

    def recentred(
        self, label: IdxArray, center: IdxArray, weight: FloatArray, own: FloatArray, anchor: Anchor | None, more: int
    ) -> IdxArray:
        """Return the best customer of each territory as its centre, among those near its middle and near its centre.

        By place and by travel; see `Metric.recentred`. O(n) costs, and k calls.
        """
        center = center.copy()
        order = np.argsort(label, kind="stable").astype(np.int32)
        begin = np.searchsorted(label[order], np.arange(len(center) + 1))
        for j in range(len(center)):
            mine = order[begin[j] : begin[j + 1]]
            mass = weight[mine]
            if not mass.any():
                continue
            tried = np.union1d(_likely(self.xyz[mine], mass, own[mine], mine, more), center[j]).astype(np.int32)
            # as far as from any of them over the present centre to anybody
            limit = 2.0 * float(own[mine].max()) * (1 + 1e-9) + 1e-9
            away = self.between(tried, mine, limit)
            # nobody without weight is in the way
            total = away[:, mass > 0] @ mass[mass > 0]
            if anchor is not None:
                drawn = anchor.weight[j] * self.between(anchor.home[j : j + 1], tried)[0]
                total = total + np.where(np.isfinite(drawn).any(), drawn, 0.0)
            now = total[np.searchsorted(tried, center[j])]
            best = int(total.argmin())
            if total[best] < now - 1e-12 * abs(now) or (np.isinf(now) and np.isfinite(total[best])):
                center[j] = tried[best]
        return center


def _likely(xyz: FloatArray, mass: FloatArray, own: FloatArray, who: IdxArray, more: int) -> IdxArray:
    """Return who of a territory may be its middle."""
    if len(who) <= _ALL * more:
        return who
    near = _NEAR * more
    away = ((xyz - mass @ xyz / mass.sum()) ** 2).sum(axis=1)
    return np.union1d(who[np.argpartition(away, near)[:near]], who[np.argpartition(own, near)[:near]]).astype(np.int32)


class TravelLegs(Legs):
    """Legs as a source of travel times tells them.

    Parameters
    ----------
    travel : Travel
    places : Places, length n + r
        Customers, then homes.
    xyz : float array of shape (n + r, 3), metres
    n : int
    """

    def __init__(self, travel: Travel, places: Places, xyz: FloatArray, n: int) -> None:
        super().__init__(xyz, n)
        self.travel, self.places = travel, places
        # its times are the same both ways, to the last bit
        self._one_way = type(travel) is GreatCircle

    def between(self, a: IdxArray, b: IdxArray, limit: float = np.inf) -> FloatArray:  # noqa: ARG002 - all are known
        """Return the seconds between two lots of places; see `Legs.between`."""
        start, end = self.places.take(a), self.places.take(b)
        there = self.travel.matrix(start, end)
        seconds = there.durations_s.astype(np.float64)
        reachable = there.reachable
        if not self._one_way:
            back = self.travel.matrix(end, start)
            seconds = 0.5 * (seconds + back.durations_s.T)
            reachable = reachable & back.reachable.T
        if not reachable.all():
            seconds[~reachable] = np.inf
        return seconds


class SparseLegs(Legs):
    """Legs that are known between some, the way to others being the shortest over them.

    Parameters
    ----------
    graph : scipy.sparse.csr_array of shape (n + r, n + r)
        Seconds, symmetric; what is stored is known, zero seconds too.
    xyz : float array of shape (n + r, 3), metres
    n : int
    """

    def __init__(self, graph: Any, xyz: FloatArray, n: int) -> None:
        super().__init__(xyz, n)
        self.graph = graph

    def between(self, a: IdxArray, b: IdxArray, limit: float = np.inf) -> FloatArray:
        """Return the seconds between two lots of places; see `Legs.between`. O(legs log n) for each of the fewer."""
        if len(a) > len(b):
            return np.ascontiguousarray(self.between(b, a, limit).T)
        out = np.empty((len(a), len(b)))
        for rows, seconds in self._from(a, limit):
            out[rows] = seconds[:, b]
        return out

    def islands(self, weight: FloatArray, k: int) -> IdxArray:  # noqa: ARG002 - all parts are known
        """Return the connected components, numbered by customers as they come. O(legs)."""
        from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - loads when it is used

        part = connected_components(self.graph, directed=False)[1][: self.n]
        _, first, number = np.unique(part, return_index=True, return_inverse=True)
        return np.asarray(np.argsort(np.argsort(first))[number.reshape(-1)], dtype=np.int32)

    def lists(self, center: IdxArray, eligible: BoolArray | None) -> Lists:
        """Return the costs of all within some reach; see `Metric.lists`. O(legs log n) by as many centres as reach."""
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415 - loads when it is used

        nearest = dijkstra(self.graph, indices=center, min_only=True)[: self.n]
        known = nearest[np.isfinite(nearest)]
        limit = _REACH * float(np.quantile(known, _USUAL)) if known.size else 0.0
        limit = limit if limit > 0.0 else np.inf
        found = []
        for rows, seconds in self._from(center, limit):
            j, i = np.nonzero(np.isfinite(seconds[:, : self.n]))
            found.append((i, rows.start + j, seconds[j, i]))
        who, to, cost = (np.concatenate(column) for column in zip(*found, strict=True))
        if eligible is not None:
            may = eligible[who, to]
            who, to, cost = who[may], to[may], cost[may]
        order = np.lexsort((to, who))
        start = np.concatenate([[0], np.cumsum(np.bincount(who, minlength=self.n))]).astype(np.int64)
        # nobody is further than the furthest of those who reach nothing
        return Lists(start, to[order].astype(np.int32), cost[order], np.full(self.n, limit))

    def _from(self, sources: IdxArray, limit: float) -> Any:
        """Yield slices of the sources, and the seconds from them to all places."""
        from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415 - loads when it is used

        step = max(1, 4 * _BLOCK // self.graph.shape[0])
        for begin in range(0, len(sources), step):
            rows = slice(begin, min(begin + step, len(sources)))
            yield rows, dijkstra(self.graph, indices=sources[rows], limit=limit)
