"""Whole customers, in territories that hang together, within their bands: moves and exchanges at given prices.

A descent over the customers at the borders, as in `power_round`, but nobody may leave who would tear his territory.
At the prices of the linear program a customer at a border costs about as much on either side of it, so that what one
territory holds too much passes on from neighbour to neighbour at hardly any cost, over the whole map if need be. A
territory whose price is not 0 is at a limit of its band in the optimum, and every bit that it is off there costs that
price; so it is drawn to the limit from both sides, by the square, harder and harder, and its price follows. When all
are within their bands nothing may leave them any more, and moves and exchanges only make territories cheaper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.compiled import kernel, leaf
from territory.compiled.tables import boo_2, f64_1, f64_2, i32_1, i64_1
from territory.design.anneal import connected
from territory.design.moves import transfer
from territory.design.moves_cost import given_cost, touch
from territory.design.moves_layout import (
    APART_AT,
    ELIGIBLE,
    EXCESS,
    LABEL,
    LOAD,
    MEASURE,
    MEMBER,
    NEAR,
    NEAR_AT,
    OTHER,
    ROUNDING,
    SCALE,
    SIZE,
    START,
    VALUE,
    VIOLATION,
    WEIGHT,
)
from territory.design.moves_limits import excess_after, weigh
from territory.design.moves_problem import data_of, state_of

if TYPE_CHECKING:
    from territory.design.moves_problem import LocalProblem
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["settled"]

#: Sweeps over the borders, at most; by how much what is off gets dearer with each, and what part of that prices follow:
#: of 0.25 to 1 and 1.3 to 2, these ended lowest on uniform, clustered and real places.
_SWEEPS: Final = 60
_DEARER: Final = 1.3
_FOLLOW: Final = 0.5
#: One per cent off costs, by unit of weight, as much as this share of the scale at first.
_FIRST: Final = 0.5
#: How far from the limits of bands territories are drawn to, as a share of the target: the first that is enough.
_DRAWN: Final = (5e-4, 2e-3, 5e-3)
#: Exchanges are not tried with larger territories, where moves of one are fine enough.
_LARGE: Final = 500
#: Of a band at most this share of its width.
_NARROW: Final = 0.1


def settled(
    problem: LocalProblem, start: IdxArray, price: FloatArray, scale: float, *, sweeps: int = _SWEEPS
) -> tuple[IdxArray, float]:
    """Bring an assignment to given centres into its bands, at the least cost at given prices.

    Parameters
    ----------
    problem : LocalProblem with the objective ``"fixed"``, of n customers in k territories
    start : int array of shape (n,)
        With sites, its territories stay in as many parts as they are in, or fewer.
    price : float array of shape (k,)
        Of a unit of weight in each territory, which is the first measure.
    scale : float
        What a unit of weight costs less at its own centre than at the next, about.
    sweeps : int
        At most.

    Returns
    -------
    int32 array of shape (n,)
    float
        What is outside the bands, as shares of the targets.

    Notes
    -----
    A sweep is O(border times what is at the borders of a territory). Deterministic.
    """
    label = np.array(start, dtype=np.int32)
    tables = state_of(problem, data_of(problem), label, 0)
    for drawn in _DRAWN:
        low, high = _aims(problem, price, drawn)
        _settle(tables.table, np.array(price), low, high, scale, float(problem.target[:, 0].mean()), sweeps)
        label = tables.arrays[LABEL]
        violation = float(tables.arrays[VALUE][VIOLATION])
        if violation <= ROUNDING:
            break
    return label.copy(), violation


def _aims(problem: LocalProblem, price: FloatArray, drawn: float) -> tuple[FloatArray, FloatArray]:
    """Return what territories are drawn to: the limit that their price says, or the band; shapes (k, m)."""
    low, high = np.array(problem.lower, dtype=np.float64), np.array(problem.upper, dtype=np.float64)
    width = np.maximum(high[:, 0] - low[:, 0], 0.0)
    inner = np.minimum(drawn * problem.target[:, 0], _NARROW * width)
    low[:, 0] += inner
    high[:, 0] -= inner
    dear, cheap = price > 0.0, price < 0.0
    low[dear, 0] = high[dear, 0]
    high[cheap, 0] = low[cheap, 0]
    return low, high


@leaf
def _fine(tab, c, out, enter, low, high, rate):
    """Return what it costs that territory `c` without `out` and with `enter` (-1: nobody) is off its aims."""
    load, measure, total = f64_2(tab, LOAD), f64_2(tab, MEASURE), 0.0
    for q in range(load.shape[1]):
        value = load[c, q]
        if out >= 0:
            value -= measure[out, q]
        if enter >= 0:
            value += measure[enter, q]
        off = max(value - high[c, q], low[c, q] - value) * f64_2(tab, SCALE)[c, q]
        if off > ROUNDING:
            total += rate * off * off
    return total


@leaf
def _may(tab, i, b):
    return boo_2(tab, ELIGIBLE).shape[0] == 0 or boo_2(tab, ELIGIBLE)[i, b]


@kernel("i8[::1], f8[::1], f8[:,::1], f8[:,::1], f8, f8, i8")
def _settle(tab, price, low, high, scale, mass, sweeps):
    """Move and exchange customers at the borders until every territory is in its band and no move helps."""
    label, weight, other, size = i32_1(tab, LABEL), f64_1(tab, WEIGHT), i32_1(tab, OTHER), i64_1(tab, SIZE)
    near_at, near, start, member = i64_1(tab, NEAR_AT), i32_1(tab, NEAR), i64_1(tab, START), i32_1(tab, MEMBER)
    excess = f64_1(tab, EXCESS)
    n, k = len(label), len(size)
    move, best, rise = np.empty(4, dtype=np.int64), np.empty(4, dtype=np.int64), np.zeros(5)
    mark, stamp = np.full(k, -1, dtype=np.int64), 0
    changed, fine, least = np.zeros(k, dtype=np.int64), np.zeros(k), np.zeros(k)
    apart = len(i64_1(tab, APART_AT)) > 0
    hard = False
    rate = 0.5 * _FIRST * scale * mass / 0.01
    for sweep in range(1, sweeps + 1):
        was_hard = hard
        hard = f64_1(tab, VALUE)[VIOLATION] <= ROUNDING
        if hard and not was_hard:
            # the prices have done what they are for; now only what territories cost counts
            price[:] = 0.0
            changed[:] = sweep
        if sweep > 1:
            rate *= _DEARER
        if sweep > 1 and not hard:
            # prices follow what is off (method of multipliers: Hestenes, Powell 1969), or else a slope would remain
            # along which what is too much passes on
            for c in range(k):
                scaled = f64_2(tab, SCALE)[c, 0]
                over = (f64_2(tab, LOAD)[c, 0] - high[c, 0]) * scaled
                under = (low[c, 0] - f64_2(tab, LOAD)[c, 0]) * scaled
                if over > 0.0:
                    price[c] += 2.0 * _FOLLOW * rate * over * scaled
                elif under > 0.0:
                    price[c] -= 2.0 * _FOLLOW * rate * under * scaled
        for c in range(k):
            fine[c] = 0.0 if hard else _fine(tab, c, -1, -1, low, high, rate)
            least[c] = 0.0
        # what the best customer of each territory saves, or costs, who goes next door
        for i in range(n):
            if other[i] == 0:
                continue
            a = np.int64(label[i])
            own = given_cost(tab, a, i) + weight[i] * price[a]
            for q in range(near_at[i], near_at[i + 1]):
                b = np.int64(label[near[q]])
                if b != a:
                    least[a] = min(least[a], given_cost(tab, b, i) + weight[i] * price[b] - own)
        moved = 0
        for i in range(n):
            if other[i] == 0:
                continue
            a, w = np.int64(label[i]), weight[i]
            gain, found, saved = -1e-12 * w * scale, False, 0.0
            stamp += 1
            for q in range(near_at[i], near_at[i + 1]):
                b = np.int64(label[near[q]])
                if b == a or mark[b] == stamp:
                    continue
                mark[b] = stamp
                if not _may(tab, i, b) or (hard and was_hard and max(changed[a], changed[b]) < sweep - 1):
                    continue
                longer = given_cost(tab, b, i) - given_cost(tab, a, i) + w * (price[b] - price[a])
                paid = fine[a] + fine[b]
                move[0], move[1] = i, b
                # first the customer alone, then in exchange for each one at the borders of the other territory
                # exchanges where somebody is outside, or where all are in their bands, and where one could help
                last = start[b]
                if (hard or excess[a] + excess[b] > 0.0) and size[b] <= _LARGE and longer + least[b] - paid < gain:
                    last += size[b]
                for s in range(start[b] - 1, last):
                    h, cost = -1, longer
                    if s >= start[b]:
                        h = np.int64(member[s])
                        if other[h] == 0 or not _may(tab, h, a):
                            continue
                        cost += given_cost(tab, a, h) - given_cost(tab, b, h) + weight[h] * (price[a] - price[b])
                    elif size[a] == 1:
                        continue
                    if cost - paid >= gain:
                        continue
                    if hard:
                        if excess_after(tab, a, i, h) > excess[a] or excess_after(tab, b, h, i) > excess[b]:
                            continue
                    else:
                        cost += _fine(tab, a, i, h, low, high, rate) + _fine(tab, b, h, i, low, high, rate) - paid
                        if cost >= gain:
                            continue
                    move[2], move[3] = h, a if h >= 0 else -1
                    if (apart and not weigh(tab, move, rise)) or not connected(tab, move):
                        continue
                    gain, found, saved = cost, True, longer
                    for r in range(4):
                        best[r] = move[r]
            if not found:
                continue
            moved += 1
            for r in range(0, 4, 2):
                if best[r] >= 0:
                    transfer(tab, best[r], best[r + 1])
            least[best[1]] = min(least[best[1]], -saved)
            for r in range(2):
                c = a if r == 0 else best[1]
                touch(tab, c, 0.0)
                changed[c] = sweep
                if not hard:
                    fine[c] = _fine(tab, c, -1, -1, low, high, rate)
        if moved == 0 and hard:
            break
