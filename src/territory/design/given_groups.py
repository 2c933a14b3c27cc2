"""Customers who must be together, as one: what a group costs by unit of weight is the mean of its members.

Centres stay those of the metric of customers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.design.given_metric import widened

if TYPE_CHECKING:
    from territory.design.given_metric import Anchor, Centers, Lists, Metric
    from territory.model.arrays import BoolArray, FloatArray, IdxArray, IntArray

__all__ = ["Grouped"]


class Grouped:
    """A metric of groups.

    Parameters
    ----------
    metric : Metric of n customers
    group : int32 array of shape (n,)
        Of each customer, from 0 to g - 1; nobody's is empty.
    weight : float array of shape (n,)
        Of the customers, by which their costs count; in a group without any, all count alike.
    xyz : float array of shape (g, 3), metres
        Where groups are, for first centres.
    """

    def __init__(self, metric: Metric, group: IdxArray, weight: FloatArray, xyz: FloatArray) -> None:
        self.metric, self.group, self.xyz = metric, group, xyz
        g = len(xyz)
        mass = np.bincount(group, weight, g)
        self._weight = np.asarray(weight, dtype=np.float64)
        self._share = np.where(mass[group] > 0, weight / np.where(mass > 0, mass, 1.0)[group], 1.0)
        self._share /= np.bincount(group, self._share, g)[group]
        # members one after the other
        self._member = np.argsort(group, kind="stable").astype(np.int32)
        self._begin = np.searchsorted(group[self._member], np.arange(g + 1))

    def points(self, center: Centers) -> FloatArray:
        """Return where centres are; see `Metric.points`."""
        return self.metric.points(center)

    def seeded(self, points: FloatArray, who: IdxArray) -> Centers:
        """Return centres near points, among members of `who`; see `Metric.seeded`."""
        return self.metric.seeded(points, self._member[np.isin(self.group[self._member], who)])

    def joined(self, parts: list[Centers], order: list[IdxArray]) -> Centers:
        """Return the centres of parts as one; see `Metric.joined`."""
        return self.metric.joined(parts, order)

    def islands(self, weight: FloatArray, k: int) -> IdxArray:  # noqa: ARG002 - that of the members counts
        """Return the part of the map of each group: that of its first member; see `Metric.islands`."""
        return self.metric.islands(self._weight, k)[self._member[self._begin[:-1]]]

    def few(self, k: int) -> int:
        """Return how many rows cost as much as lists; see `Metric.few`."""
        return self.metric.few(k)

    def lists(self, center: Centers, price: FloatArray, eligible: BoolArray | None) -> Lists:
        """Return lists of groups, whole rows of those of several; see `Metric.lists`."""
        own = self.metric.lists(center, price, None if eligible is None else eligible[self.group])
        first = self._member[self._begin[:-1]]
        length = np.diff(own.start)[first]
        arc = np.repeat(own.start[first] - np.concatenate([[0], np.cumsum(length)[:-1]]), length) + np.arange(
            length.sum()
        )
        start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
        lists = type(own)(start, own.to[arc], own.cost[arc], own.rest[first], own.base)
        several = np.flatnonzero(np.diff(self._begin) > 1).astype(np.int32)
        if not several.size:
            return lists
        costs = self.rows(several, center)
        if eligible is not None:
            costs[~eligible[several]] = np.inf
        return widened(lists, several, costs)

    def loose(self, k: int) -> bool:
        """Return whether lists are taken as complete; see `Metric.loose`."""
        return self.metric.loose(k)

    def rows(self, who: IdxArray, center: Centers) -> FloatArray:
        """Return the mean costs of groups at all centres, infinite where a member gets nowhere; see `Metric.rows`."""
        length = np.diff(self._begin)[who]
        begin = np.concatenate([[0], np.cumsum(length)[:-1]]).astype(np.int64)
        # the members of one group after those of the other
        member = self._member[np.repeat(self._begin[who] - begin, length) + np.arange(length.sum())]
        return self._mean(self.metric.rows(member, center), member, begin)

    def everywhere(self, center: Centers) -> FloatArray:
        """Return the mean costs of all groups at all centres; see `Metric.everywhere`."""
        return self._mean(self.metric.everywhere(center)[self._member], self._member, self._begin[:-1])

    def _mean(self, costs: FloatArray, member: IdxArray, begin: IntArray) -> FloatArray:
        # nothing of infinity is nothing, but the way is needed all the same
        endless = np.isinf(costs)
        costs[endless] = 0.0
        out = np.add.reduceat(costs * self._share[member][:, None], begin, axis=0)
        out[np.logical_or.reduceat(endless, begin, axis=0)] = np.inf
        return out

    def own(self, label: IdxArray, center: Centers) -> FloatArray:
        """Return the mean cost of each group at the centre of its territory; see `Metric.own`."""
        each = self.metric.own(label[self.group], center)
        return np.bincount(self.group, self._share * each, len(self.xyz)).astype(np.float64)

    def drawn(self, center: Centers, anchor: Anchor) -> float:
        """Return the weighted cost of centres away from homes; see `Metric.drawn`."""
        return self.metric.drawn(center, anchor)

    def fetching(self, strays: IdxArray, label: IdxArray, center: Centers, weight: FloatArray) -> Centers:  # noqa: ARG002
        """Return centres of which one more reaches members of strays; see `Metric.fetching`."""
        members = np.flatnonzero(np.isin(self.group, strays)).astype(np.int32)
        return self.metric.fetching(members, label[self.group], center, self._weight)

    def recentred(
        self,
        label: IdxArray,
        center: Centers,
        weight: FloatArray,  # noqa: ARG002 - that of the members counts
        own: FloatArray,
        anchor: Anchor | None,
        more: int,
    ) -> Centers:
        """Return better centres for the members; see `Metric.recentred`."""
        return self.metric.recentred(label[self.group], center, self._weight, own[self.group], anchor, more)
