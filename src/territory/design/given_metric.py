"""What the engine of given costs has to know of customers, centres and the ways between them.

The engine (`given`) asks a `Metric` for the costs of all customers to some centres, as lists that may leave out what
is far; for whole rows of them, where a list was too short; for better centres of given territories; and for first
centres, near given places. A cost is that of one unit of weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from territory.model.arrays import BoolArray, FloatArray, IdxArray, IntArray

    #: Positions of customers and homes, (k,), or points, (k, 3).
    Centers: TypeAlias = Any

__all__ = ["Anchor", "Lists", "Metric", "lists_of", "widened"]


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
        What is not in a row costs at least so much, with `base`; infinite where all is there that can be reached.
    base : float array of shape (k,)
        Prices of the centres at which the nearest are listed.
    """

    start: IntArray
    to: IdxArray
    cost: FloatArray
    rest: FloatArray
    base: FloatArray


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
        """Return which part of the map each customer is on, shape (n,), a number >= 0; -1: not looked at."""
        ...

    def lists(self, center: Centers, price: FloatArray, eligible: BoolArray | None) -> Lists:
        """Return what customers cost at the centres that are near at these prices."""
        ...

    def few(self, k: int) -> int:
        """Return how many rows cost as much as lists of all customers."""
        ...

    def loose(self, k: int) -> bool:
        """Return whether lists at the present prices are taken as complete, though what matters may not be in them."""
        ...

    def rows(self, who: IdxArray, center: Centers) -> FloatArray:
        """Return what some customers cost at all centres, (len(who), k); infinite where there is no way."""
        ...

    def everywhere(self, center: Centers) -> FloatArray:
        """Return what all customers cost at all centres, (n, k); what is far may be estimated if lists are loose."""
        ...

    def own(self, label: IdxArray, center: Centers) -> FloatArray:
        """Return what each customer costs at the centre of his territory, (n,); 0 where `label` is -1."""
        ...

    def drawn(self, center: Centers, anchor: Anchor) -> float:
        """Return the weighted cost of centres being away from what draws them; 0 for those that cannot get there."""
        ...

    def fetching(self, strays: IdxArray, label: IdxArray, center: Centers, weight: FloatArray) -> Centers:
        """Return centres of which one more reaches somebody of those whom none reaches, if that can be."""
        ...

    def recentred(
        self, label: IdxArray, center: Centers, weight: FloatArray, own: FloatArray, anchor: Anchor | None, more: int
    ) -> Centers:
        """Return centres that cost no more for given territories.

        `own` is what each customer costs at present, (n,); -1 in `label` is nobody's. Look `more` times as far.
        """
        ...


def lists_of(costs: FloatArray, rest: FloatArray, base: FloatArray) -> Lists:
    """Return lists of all finite costs of an array of shape (n, k)."""
    row, to = np.nonzero(np.isfinite(costs))
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(costs)))]).astype(np.int64)
    return Lists(start, to.astype(np.int32), costs[row, to], np.ascontiguousarray(rest), base)


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
        lists.base,
    )
