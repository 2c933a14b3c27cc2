# mypy: disable-error-code="no-untyped-def,untyped-decorator"
# ruff: noqa: C901, PLR0912
"""The optimal balanced assignment at given costs, its prices, its bound, and whole customers.

As for power diagrams (`power_fixed`), prices say who is surely whose, and the flow between territories (`power_flow`)
moves the others. Here costs come as lists that may leave out what is far: a customer to whom a centre that is not in
his list could matter gets his whole row, before anything is concluded. So the answer is that of the linear program
with all arcs, and so is the bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from territory.compiled import kernel
from territory.design.given_metric import widened
from territory.design.power_fixed import _most_apart
from territory.design.power_flow import OUT_OF_ROOM, SOLVED, balance
from territory.design.power_round import _most, _settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.design.given_metric import Lists
    from territory.model.arrays import BoolArray, FloatArray, IdxArray, IntArray
__all__ = ["Costs", "GivenSplit", "excess", "gap_margin", "given_split", "own_costs", "proven", "whole"]

#: Repeats with wider margins; each at least so many times what held the flow back.
_REPEATS, _WIDER, _FURTHER_OUT = 200, 2.5, 1.5
#: Whole customers: sweeps over the borders, customers of a border that are enough, and times that more are looked at.
_SWEEPS, _ENOUGH, _FURTHER = 60, 80, 4
#: Parts of the band that are tried where whole customers do not fit in all of it.
_PARTS = (0.85, 0.6, 0.3)
#: Relative to the largest prices and costs: a smaller difference is rounding.
_NOTHING = 1e-12
#: Relative to the upper limit: less outside the band is rounding.
_DUST = 1e-10


class Costs(NamedTuple):
    """Where costs come from, at given centres.

    Attributes
    ----------
    lists : callable
        Prices -> what customers cost at the centres near them.
    rows : callable
        Customers -> what they cost at all centres, infinite where there is no way or they may not go.
    few : int
        More rows than this cost more than new lists.
    """

    lists: Callable[[FloatArray], Lists]
    rows: Callable[[IdxArray], FloatArray]
    few: int


@dataclass(frozen=True, eq=False)
class GivenSplit:
    """An optimal balanced assignment at given costs, with split customers.

    Attributes
    ----------
    lists : Lists
        With the rows that had to be completed.
    label : int32 array of shape (n,)
        Where most of each customer goes; -1: he reaches no centre.
    price : float array of shape (k,)
    margin : float array of shape (k,)
        For the next call, with centres nearby.
    cost : float
        Weighted cost, with split customers.
    n_split : int
        How many are split.
    feasible : bool
        Whether the band can be kept, by those who reach a centre.
    """

    lists: Lists
    label: IdxArray
    price: FloatArray
    margin: FloatArray
    cost: float
    n_split: int
    feasible: bool


@dataclass(frozen=True, eq=False)
class _Border:
    label: IdxArray
    who: IdxArray
    start: IntArray
    to: IdxArray
    cost: FloatArray
    load: FloatArray


def gap_margin(lists: Lists, k: int) -> FloatArray:
    """Return margins to begin with, shape (k,): a part of what the second best costs more, at most, at each centre."""
    gap = np.zeros(k)
    _gaps(lists.start, lists.to, lists.cost, gap)
    usual = float(gap.mean()) or float(np.abs(lists.cost).mean() if lists.cost.size else 0.0) or 1.0
    return np.asarray(np.maximum(0.2 * gap, 1e-2 * usual))


def given_split(
    lists: Lists,
    costs: Costs,
    weight: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    price: FloatArray,
    margin: FloatArray,
) -> GivenSplit:
    """Return the cheapest balanced assignment, splitting at most k - 1 customers but for ties.

    Parameters
    ----------
    lists : Lists of n customers
    costs : Costs
        For customers whose lists are too short.
    weight : float array of shape (n,)
        At least 0. Nobody's weight is that of customers who reach no centre.
    lower, upper : float arrays of shape (k,)
    price : float array of shape (k,)
        To start from; near ones make it quick.
    margin : float array of shape (k,), positive
        How much prices may rise at first.
    """
    price, began = price.copy(), price
    feasible, border, flow = False, None, np.zeros(0)
    for _ in range(_REPEATS):
        lists, border = _border(lists, costs, weight, price, margin)
        total = weight[border.label >= 0].sum()
        if lower.sum() > total * (1 + 1e-12) or upper.sum() < total * (1 - 1e-12):
            break
        flow = np.zeros(len(border.to))
        before = price.copy()
        reach = np.zeros(len(price), dtype=np.uint8)
        status, _, left, above = balance(
            border.start, border.to, border.cost, weight[border.who], border.load, lower, upper,
            price, margin, flow, reach,
        )  # fmt: skip
        if status == SOLVED:
            feasible = True
            break
        if status == OUT_OF_ROOM:
            inside = reach > 0
            step = _step(lists, weight, price, inside, left)
            if step == np.inf and np.isfinite(lists.rest).any():
                short = np.flatnonzero(np.isfinite(lists.rest)).astype(np.int32)
                lists = widened(lists, short, costs.rows(short))
                step = _step(lists, weight, price, inside, left)
            if step == np.inf:
                break
            # as much dearer as makes what is too much go elsewhere; that may be too dear, so look further, too
            if above:
                price[~inside] -= step
            else:
                price[inside] += step
            margin = _FURTHER_OUT * margin
        else:
            rise = price - before
            margin = np.maximum(1.25 * margin, _WIDER * (rise - rise.min()))
    assert border is not None  # noqa: S101 - the loop has run
    label = border.label
    if not feasible:
        return GivenSplit(lists, label, price, margin, np.inf, 0, feasible=False)
    _most(border.who, border.start, border.to, flow, label)
    inner = np.ones(len(label), dtype=bool)
    inner[border.who] = False
    inner &= label >= 0
    cost = float(flow @ border.cost) + float(weight[inner] @ own_costs(lists, label)[inner])
    carrying = np.add.reduceat(flow > 0.0, border.start[:-1]) if len(border.who) else np.zeros(0)
    rise = price - began
    apart = np.zeros(len(price))
    _most_apart(border.start, border.to, rise, apart)
    margin = np.maximum(1.5 * np.minimum(rise - rise.min(), 3.0 * apart), 0.3 * margin)
    return GivenSplit(lists, label, price, margin, cost, int((carrying > 1).sum()), feasible=True)


def proven(lists: Lists, weight: FloatArray, lower: FloatArray, upper: FloatArray, price: FloatArray) -> float:
    """Return what any balanced assignment to these centres costs at least, whatever the prices are, by duality.

    Customers at their cheapest priced centre, less what the loads bring in; what lists leave out counts as its least.
    Less what rounding of the sums may have added. Of those who reach a centre.
    """
    value, size = _dual(lists.start, lists.to, lists.cost, lists.rest, lists.base, weight, price)
    ends = np.maximum(price * lower, price * upper)
    size += float(np.abs(ends).sum())
    return float(value - ends.sum() - 1e-13 * size)


def whole(
    split: GivenSplit, costs: Costs, weight: FloatArray, lower: FloatArray, upper: FloatArray
) -> tuple[IdxArray, Lists]:
    """Return territories of whole customers, int32 of shape (n,), -1 for who reaches none; and the lists used.

    By moves and exchanges at the borders. Where whole customers cannot keep the band, or the moves do not find how,
    the answer comes close; `excess` says how close.
    """
    best, lists = _rounded(split, costs, weight, lower, upper)
    worst = float(excess(best, weight, lower, upper).sum())
    middle, half = 0.5 * (lower + upper), 0.5 * (upper - lower)
    for part in _PARTS if split.feasible and np.isfinite(half).all() else ():
        if worst <= 0.0:
            break
        band = (middle - part * half, middle + part * half)
        inner = given_split(lists, costs, weight, *band, split.price, split.margin)
        if not inner.feasible:
            break
        label, lists = _rounded(inner, costs, weight, lower, upper)
        left = float(excess(label, weight, lower, upper).sum())
        if left < worst:
            best, worst = label, left
    return best, lists


def excess(label: IdxArray, weight: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Return what each territory holds outside its band, shape (k,); 0 for what is rounding."""
    mine = label >= 0
    load = np.bincount(label[mine], weight[mine], len(lower))
    out = np.maximum(load - upper, 0.0) + np.maximum(lower - load, 0.0)
    return np.asarray(np.where(out > _DUST * np.maximum(upper, 1e-300), out, 0.0))


def own_costs(lists: Lists, label: IdxArray) -> FloatArray:
    """Return what each customer costs where he is, shape (n,), by unit of weight; infinite where that is not listed."""
    row = np.repeat(np.arange(len(label)), np.diff(lists.start))
    mine = lists.to == label[row]
    out = np.full(len(label), np.inf)
    out[row[mine]] = lists.cost[mine]
    return out


def _rounded(
    split: GivenSplit, costs: Costs, weight: FloatArray, lower: FloatArray, upper: FloatArray
) -> tuple[IdxArray, Lists]:
    k, lists = len(lower), split.lists
    label = split.label.copy()
    margin = gap_margin(lists, k)
    width = margin * min(1.0, _ENOUGH * k / max(1, len(label)))
    for _ in range(_FURTHER):
        lists, border = _border(lists, costs, weight, split.price, width)
        if len(border.who):
            # territories of the others, who stay where prices put them
            _settle(
                border.start, border.to, border.cost, weight[border.who], border.load, lower, upper,
                split.price, border.who, label, float(margin.mean()), _SWEEPS,
            )  # fmt: skip
        if excess(label, weight, lower, upper).max(initial=0.0) <= 0.0:
            break
        width = width * 4.0
    return label, lists


def _border(
    lists: Lists, costs: Costs, weight: FloatArray, price: FloatArray, margin: FloatArray
) -> tuple[Lists, _Border]:
    """Return who could go where if prices rose within the margins; of lists that are complete as far as that goes."""
    while True:
        label, who, start, to, cost, load, short = _scan(
            lists.start, lists.to, lists.cost, lists.rest, lists.base, weight, price, margin
        )
        if not len(short):
            return lists, _Border(label, who, start, to, cost, load)
        if len(short) > costs.few and not np.array_equal(lists.base, price):
            lists = costs.lists(price)
        else:
            lists = widened(lists, short, costs.rows(short))


def _step(lists: Lists, weight: FloatArray, price: FloatArray, inside: BoolArray, amount: float) -> float:
    """Return by how much some territories must get dearer to lose an amount of weight; inf where none can leave."""
    gap = np.empty(len(weight))
    _gap_between(lists.start, lists.to, lists.cost, price, inside.astype(np.uint8), gap)
    # who could leave for nothing has left
    nothing = _NOTHING * (float(np.abs(price).max()) + float(lists.cost.max(initial=0.0)))
    may = (gap > nothing) & np.isfinite(gap) & (weight > 0)
    if not may.any():
        return float("inf")
    order = gap[may].argsort(kind="stable")
    total = weight[may][order].cumsum()
    return float(gap[may][order[min(int(np.searchsorted(total, amount)), len(order) - 1)]]) * (1 + 1e-12)


@kernel("i8[::1], i4[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1]")
def _scan(start, to, cost, rest, base, weight, price, margin):
    """Return labels by price; who has several candidates, and which; the loads of the others; whose lists are short."""
    n, k = len(rest), len(price)
    label = np.full(n, -1, dtype=np.int32)
    load = np.zeros(k)
    # how much less than `rest` what is not listed may cost
    sunk, unpriced = np.inf, np.inf
    for j in range(k):
        sunk = min(sunk, price[j] - base[j] - 1e-13 * (abs(price[j]) + abs(base[j])))
        unpriced = min(unpriced, -base[j])
    keep, count = np.empty(n), np.zeros(n, dtype=np.int64)
    n_short, n_who, n_arcs = 0, 0, 0
    for i in range(n):
        nearest, most = np.inf, np.inf
        for u in range(start[i], start[i + 1]):
            j = to[u]
            # those without weight go where it is cheapest, whatever the prices
            v = cost[u] if weight[i] <= 0.0 else cost[u] + price[j]
            if v < nearest:
                nearest, label[i] = v, j
            if weight[i] > 0.0:
                most = min(most, v + margin[j] + 1e-13 * (cost[u] + 2.0 * abs(price[j])))
        if weight[i] <= 0.0:
            keep[i] = -np.inf
            if rest[i] + unpriced < nearest:
                count[i] = -1
        else:
            keep[i] = most
            if rest[i] + sunk < most or (most == np.inf and rest[i] < np.inf):
                count[i] = -1
            else:
                for u in range(start[i], start[i + 1]):
                    if cost[u] + price[to[u]] <= most:
                        count[i] += 1
        if count[i] < 0:
            n_short += 1
        elif count[i] > 1:
            n_who += 1
            n_arcs += count[i]
        elif label[i] >= 0:
            load[label[i]] += weight[i]
    short = np.empty(n_short, dtype=np.int32)
    who, begin = np.empty(n_who, dtype=np.int32), np.zeros(n_who + 1, dtype=np.int64)
    target, length = np.empty(n_arcs, dtype=np.int32), np.empty(n_arcs)
    n_short, n_who, n_arcs = 0, 0, 0
    for i in range(n):
        if count[i] < 0:
            short[n_short] = i
            n_short += 1
        elif count[i] > 1:
            who[n_who] = i
            n_who += 1
            for u in range(start[i], start[i + 1]):
                if cost[u] + price[to[u]] <= keep[i]:
                    target[n_arcs], length[n_arcs] = to[u], cost[u]
                    n_arcs += 1
            begin[n_who] = n_arcs
    return label, who, begin, target, length, load, short


@kernel("i8[::1], i4[::1], f8[::1], f8[::1]")
def _gaps(start, to, cost, gap):
    """Fill in the most that the second best costs more than the best, of those whose best each centre is."""
    for i in range(len(start) - 1):
        best, first, second = -1, np.inf, np.inf
        for u in range(start[i], start[i + 1]):
            if cost[u] < first:
                second, first, best = first, cost[u], to[u]
            elif cost[u] < second:
                second = cost[u]
        if second < np.inf:
            gap[best] = max(gap[best], second - first)


@kernel("i8[::1], i4[::1], f8[::1], f8[::1], u1[::1], f8[::1]")
def _gap_between(start, to, cost, price, inside, gap):
    """Fill in what the cheapest centre outside costs more than the cheapest inside, prices included."""
    for i in range(len(start) - 1):
        here, there = np.inf, np.inf
        for u in range(start[i], start[i + 1]):
            v = cost[u] + price[to[u]]
            if inside[to[u]] > 0:
                here = min(here, v)
            else:
                there = min(there, v)
        gap[i] = there - here if here < np.inf else np.inf


@kernel("i8[::1], i4[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1]")
def _dual(start, to, cost, rest, base, weight, price):
    """Return the weighted sum of least priced costs, and how large its parts are, for a bound on their rounding.

    A sum of n terms, one after the other, is off by n roundings of 1e-16 at most: by 1e-13 (1 + n / 1000) of it.
    """
    total, size, sunk = 0.0, 0.0, np.inf
    for j in range(len(price)):
        sunk = min(sunk, price[j] - base[j])
    for i in range(len(rest)):
        if weight[i] <= 0.0:
            # the price is of weight; the cost, of none, is nothing
            continue
        least, big = rest[i] + sunk, abs(rest[i]) + 2.0 * abs(sunk)
        for u in range(start[i], start[i + 1]):
            if cost[u] + price[to[u]] < least:
                least, big = cost[u] + price[to[u]], cost[u] + 2.0 * abs(price[to[u]])
        if least < np.inf:
            total += weight[i] * least
            size += weight[i] * big * (1.0 + 1e-3 * i)
    return total, size
