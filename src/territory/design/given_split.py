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

from territory.design.given_metric import widened
from territory.design.given_scan import dual, gap_between, gaps, scan
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
    loose : bool
        Whether lists at the present prices will do, so that no rows are asked for. Then the answer is the optimum of
        what is listed, which is near that of all, and the bound is still one of all.
    """

    lists: Callable[[FloatArray], Lists]
    rows: Callable[[IdxArray], FloatArray]
    few: int
    loose: bool = False


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
    gaps(lists.start, lists.to, lists.cost, gap)
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
        flow = _at_cheapest(border, weight, price)
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
            if step == np.inf and costs.loose and not np.array_equal(lists.base, price):
                lists = costs.lists(price)
                step = _step(lists, weight, price, inside, left)
            if step == np.inf and not costs.loose and np.isfinite(lists.rest).any():
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
    value, size = dual(lists.start, lists.to, lists.cost, lists.rest, lists.base, weight, price)
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


def _at_cheapest(border: _Border, weight: FloatArray, price: FloatArray) -> FloatArray:
    """Return the flow in which everybody at the border goes where it is cheapest, the first of several such."""
    flow = np.zeros(len(border.to))
    if len(border.who):
        priced = border.cost + price[border.to]
        row = np.repeat(np.arange(len(border.who)), np.diff(border.start))
        cheapest = np.flatnonzero(priced == np.minimum.reduceat(priced, border.start[:-1])[row])
        flow[cheapest[np.unique(row[cheapest], return_index=True)[1]]] = weight[border.who]
    return flow


def _border(
    lists: Lists, costs: Costs, weight: FloatArray, price: FloatArray, margin: FloatArray
) -> tuple[Lists, _Border]:
    """Return who could go where if prices rose within the margins; of lists that are complete as far as that goes."""
    rest = lists.rest
    while True:
        label, who, start, to, cost, load, short = scan(
            lists.start, lists.to, lists.cost, rest, lists.base, weight, price, margin
        )
        if not len(short):
            return lists, _Border(label, who, start, to, cost, load)
        now = np.array_equal(lists.base, price)
        if len(short) > costs.few and not now:
            lists = costs.lists(price)
            rest = lists.rest
            continue
        if costs.loose:
            # whoever has a list has one to go by
            rest = rest.copy()
            rest[short] = np.inf
            short = short[np.diff(lists.start)[short] == 0]
        if len(short):
            lists = widened(lists, short, costs.rows(short))
            rest = np.where(np.isinf(rest), rest, lists.rest)


def _step(lists: Lists, weight: FloatArray, price: FloatArray, inside: BoolArray, amount: float) -> float:
    """Return by how much some territories must get dearer to lose an amount of weight; inf where none can leave."""
    gap = np.empty(len(weight))
    gap_between(lists.start, lists.to, lists.cost, price, inside.astype(np.uint8), gap)
    # who could leave for nothing has left
    nothing = _NOTHING * (float(np.abs(price).max()) + float(lists.cost.max(initial=0.0)))
    may = (gap > nothing) & np.isfinite(gap) & (weight > 0)
    if not may.any():
        return float("inf")
    order = gap[may].argsort(kind="stable")
    total = weight[may][order].cumsum()
    return float(gap[may][order[min(int(np.searchsorted(total, amount)), len(order) - 1)]]) * (1 + 1e-12)
