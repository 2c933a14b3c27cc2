"""What it costs to drive from customers to centres: by a source of travel times, or over known legs.

A centre is a customer, or the home of a rep: nobody knows times to other places. Seconds are the mean of both
directions, as who drives there drives back; a pair without a way in one of them is never assigned.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.compiled import plain
from territory.design.given_metric import Lists, lists_of
from territory.design.given_ways import nearest_centers, totals, ways

if TYPE_CHECKING:
    from territory.design.given_metric import Anchor
    from territory.model.arrays import BoolArray, FloatArray, IdxArray
    from territory.model.places import Places
    from territory.travel import Travel

__all__ = ["Legs", "SparseLegs", "TravelLegs"]

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
#: Nearest centres of each customer that are looked for over legs.
_NEAREST_BY_LEGS: Final = 8
#: Customers times centres beyond which no more than these are looked at, at the prices of the moment; and the part of
#: the customers whose lists prices may make too short before all are listed anew.
_LARGE: Final = 6_000_000
_PART: Final = 0.1


class Legs(ABC):
    """A metric whose centres are customers, or homes, that stand behind the customers: positions n, n + 1, ...

    Parameters
    ----------
    xyz : float array of shape (n + r, 3), metres
    n : int
        Number of customers; r homes follow them.
    """

    def __init__(self, xyz: FloatArray, n: int) -> None:
        self.xyz, self._all, self.n = xyz[:n], xyz, n

    @abstractmethod
    def between(self, a: IdxArray, b: IdxArray) -> FloatArray:
        """Return the seconds between two lots of places, (len(a), len(b)), the mean of both directions.

        Infinite where there is no way.
        """

    def totals(self, tried: IdxArray, who: IdxArray, mass: FloatArray, drawn: FloatArray) -> FloatArray:
        """Return `drawn` and the weighted seconds to all of `who`, for each that is tried.

        Infinite where there is no way; or where an earlier one costs less.
        """
        return np.asarray(drawn + self.between(tried, who) @ mass)

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
        """Return parts of the map, found from the heaviest customers whose part is not known. O(n) costs a part."""
        part = np.full(self.n, -1, dtype=np.int32)
        everybody = np.arange(self.n, dtype=np.int32)
        heavy = np.argsort(-weight, kind="stable").astype(np.int32)
        for number in range(_PROBES + 2 * k):
            left = heavy[part[heavy] < 0]
            if not left.size:
                break
            joined = np.isfinite(self.between(left[:1], everybody)[0])
            joined[left[0]] = True
            # whoever reaches a part that is known is of it, and joins what was two
            known = np.unique(part[joined & (part >= 0)])
            joined |= np.isin(part, known)
            part[joined] = known[0] if known.size else number
        return part

    def few(self, k: int) -> int:  # noqa: ARG002 - a row costs as much as it would in lists
        """Return how many rows cost as much as lists; see `Metric.few`."""
        return self.n

    def lists(self, center: IdxArray, price: FloatArray, eligible: BoolArray | None) -> Lists:
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
                # what ties with the first that is left out is left out, too
                priced = costs + price
                rest = np.partition(priced, nearest, axis=1)[:, nearest]
                costs[priced >= rest[:, None]] = np.inf
            blocks.append(lists_of(costs, rest, price))
        start = np.cumsum([0, *(b.start[-1] for b in blocks)])
        return Lists(
            np.concatenate([[0], *(b.start[1:] + s for b, s in zip(blocks, start, strict=False))]).astype(np.int64),
            np.concatenate([b.to for b in blocks]),
            np.concatenate([b.cost for b in blocks]),
            np.concatenate([b.rest for b in blocks]),
            price,
        )

    def rows(self, who: IdxArray, center: IdxArray) -> FloatArray:
        """Return what some customers cost at all centres; see `Metric.rows`."""
        return np.ascontiguousarray(self.between(center, who).T)

    def loose(self, k: int) -> bool:  # noqa: ARG002 - all that matters is asked for
        """Return whether lists at the present prices are taken as complete; see `Metric.loose`."""
        return False

    def everywhere(self, center: IdxArray) -> FloatArray:
        """Return what all customers cost at all centres; see `Metric.everywhere`."""
        return self.rows(np.arange(self.n, dtype=np.int32), center)

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

    def fetching(self, strays: IdxArray, label: IdxArray, center: IdxArray, weight: FloatArray) -> IdxArray:
        """Return centres of which one more reaches the heaviest stray, and most of the others; see `Metric.fetching`.

        Somebody who reaches him becomes the centre of the territory that he is in. O(n) costs.
        """
        first = strays[weight[strays].argmax() : weight[strays].argmax() + 1]
        away = self.between(first, np.arange(self.n, dtype=np.int32))[0]
        may = np.flatnonzero(np.isfinite(away) & (label >= 0)).astype(np.int32)
        may = may[np.argsort(away[may], kind="stable")[: _ALL * 2]]
        if not may.size:
            return center
        fetched = np.isfinite(self.between(may, strays)) @ np.maximum(weight[strays], 1e-300)
        best = int(fetched.argmax())
        center = center.copy()
        center[label[may[best]]] = may[best]
        return center

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
            drawn = np.zeros(len(tried))
            if anchor is not None:
                drawn = anchor.weight[j] * self.between(anchor.home[j : j + 1], tried)[0]
                drawn = drawn if np.isfinite(drawn).any() else np.zeros(len(tried))
            # the present centre comes first: who costs more need not be worked out
            tried = np.concatenate([center[j : j + 1], tried])
            drawn = np.concatenate([drawn[tried[1:] == center[j]], drawn])
            # nobody without weight is in the way
            total = self.totals(tried, mine[mass > 0], mass[mass > 0], drawn)
            best = int(total.argmin())
            if total[best] < total[0] - 1e-12 * abs(total[0]) or np.isinf(total[0]):
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
        self._one_way = travel.symmetric

    def between(self, a: IdxArray, b: IdxArray) -> FloatArray:
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
        self._rows_of_legs = (
            plain(graph.indptr, np.int64), plain(graph.indices, np.int32), plain(graph.data, np.float64)
        )  # fmt: skip

    def between(self, a: IdxArray, b: IdxArray) -> FloatArray:
        """Return the seconds between two lots of places; see `Legs.between`. O(legs log n) for each of the fewer."""
        if len(a) > len(b):
            return np.ascontiguousarray(self.between(b, a).T)
        out = np.empty((len(a), len(b)))
        ways(*self._rows_of_legs, plain(a, np.int32), plain(b, np.int32), out)
        return out

    def totals(self, tried: IdxArray, who: IdxArray, mass: FloatArray, drawn: FloatArray) -> FloatArray:
        """Return the weighted seconds to all of `who`, for each that is tried; see `Legs.totals`."""
        out = np.array(drawn, dtype=np.float64)
        totals(*self._rows_of_legs, plain(tried, np.int32), plain(who, np.int32), plain(mass), out)
        return out

    def islands(self, weight: FloatArray, k: int) -> IdxArray:  # noqa: ARG002 - all parts are known
        """Return the connected components, numbered by customers as they come. O(legs)."""
        from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - loads when it is used

        part = connected_components(self.graph, directed=False)[1][: self.n]
        _, first, number = np.unique(part, return_index=True, return_inverse=True)
        return np.asarray(np.argsort(np.argsort(first))[number.reshape(-1)], dtype=np.int32)

    def few(self, k: int) -> int:
        """Return how many rows cost as much as lists; see `Metric.few`: each searches the whole graph."""
        return int(_PART * self.n) if self.loose(k) else min(k, 2 * _NEAREST_BY_LEGS)

    def loose(self, k: int) -> bool:
        """Return whether the design is large; see `Metric.loose`: whole rows of it are searches of the whole map."""
        return self.n * k > _LARGE

    def everywhere(self, center: IdxArray) -> FloatArray:
        """Return what customers cost at all centres, of large designs estimated beyond the nearest.

        Like straight lines, at the usual speed, and no less than the farthest of the nearest; see `Metric.everywhere`.
        O(n k).
        """
        if not self.loose(len(center)):
            return super().everywhere(center)
        from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - loads when it is used

        lists = self.lists(center, np.zeros(len(center)), None)
        points, row = self._all[center], np.repeat(np.arange(self.n), np.diff(lists.start))
        crow = np.sqrt(((self.xyz[row] - points[lists.to]) ** 2).sum(axis=1))
        pace = float(lists.cost.sum() / max(float(crow.sum()), 1e-300))
        part = connected_components(self.graph, directed=False)[1]
        out, step = np.empty((self.n, len(center))), max(1, _BLOCK // len(center))
        for at in range(0, self.n, step):
            block = slice(at, at + step)
            square = np.zeros_like(out[block])
            for axis in range(3):
                square += (self.xyz[block, axis, None] - points[None, :, axis]) ** 2
            far = np.maximum(pace * np.sqrt(square), lists.rest[block, None])
            out[block] = np.where(part[: self.n][block, None] == part[center], far, np.inf)
        out[row, lists.to] = lists.cost
        return out

    def lists(self, center: IdxArray, price: FloatArray, eligible: BoolArray | None) -> Lists:
        """Return the costs of the nearest centres; see `Metric.lists`. O(legs log n) for each of so many centres."""
        k = len(center)
        nearest = min(k, _NEAREST_BY_LEGS)
        found = nearest_centers(*self._rows_of_legs, plain(center, np.int32), plain(price), nearest)
        to, priced, seconds = (a[: self.n * nearest].reshape(self.n, nearest) for a in found)
        rest = np.full(self.n, np.inf) if nearest == k else priced.max(axis=1, initial=-np.inf)
        known = to >= 0
        if eligible is not None:
            known &= eligible[np.arange(self.n)[:, None], to]
        who, at = np.nonzero(known)
        to, seconds = to[who, at], seconds[who, at]
        order = np.lexsort((to, who))
        start = np.concatenate([[0], np.cumsum(np.bincount(who, minlength=self.n))]).astype(np.int64)
        return Lists(start, to[order], seconds[order], rest, price)
