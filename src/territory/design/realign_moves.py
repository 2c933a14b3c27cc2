"""Moves that count what they change: customers who are not where they were today cost a fee.

Annealing as in `anneal`, of compactness plus a price times the fees, within caps on what is handed over. A low price
buys compactness with changes, a high one undoes changes that are not needed.
"""

from __future__ import annotations

from math import log

import numpy as np

from territory.compiled import kernel, leaf
from territory.compiled.tables import boo_2, f64_1, f64_2, i32_1, i64_1
from territory.design.anneal import beside, rand
from territory.design.contiguous import can_enter, can_leave
from territory.design.moves import transfer
from territory.design.moves_cost import change, touch
from territory.design.moves_layout import (
    APART,
    APART_AT,
    BORDER,
    COUNT,
    ELIGIBLE,
    LABEL,
    MEASURE,
    N_BORDER,
    OBJECTIVE,
    ROUNDING,
    SIZE,
    VALUE,
    VIOLATION,
)
from territory.design.moves_limits import excess_after
from territory.design.realign_layout import CAP, FEE, FEES, HOME, NUMBER, SPENT, STUCK, WORK

__all__ = ["fee_rise", "hand_over", "may_move", "settle", "spend", "within_caps"]

#: Moves of one customer, as a share; the rest push another one onwards.
_SINGLE = 0.5
#: Steps of the price of violations, up and down.
_UP, _DOWN = 1.04, 0.98


@leaf
def _rival_in(tab, i, b):
    """Return whether somebody is in territory `b` from whom customer `i` must be apart."""
    apart, apart_at, label = i32_1(tab, APART), i64_1(tab, APART_AT), i32_1(tab, LABEL)
    if len(apart_at) == 0:
        return False
    for q in range(apart_at[i], apart_at[i + 1]):  # noqa: SIM110 - kernels have no any()
        if label[apart[q]] == b:
            return True
    return False


@leaf
def may_move(tab, own, i, b):
    """Return whether customer `i` may go to territory `b`, whatever that costs, with those who are there now."""
    if i32_1(own, STUCK)[i] != 0 or _rival_in(tab, i, b):
        return False
    return boo_2(tab, ELIGIBLE).shape[0] == 0 or boo_2(tab, ELIGIBLE)[i, b]


@leaf
def fee_rise(tab, own, i, b):
    """Return 1 if customer `i` leaves home by going to `b`, -1 if he comes home, else 0."""
    home = i32_1(own, HOME)[i]
    if home < 0:
        return 0
    return (1 if b != home else 0) - (1 if i32_1(tab, LABEL)[i] != home else 0)


@leaf
def spend(tab, own, i, sign):
    """Count that customer `i` left home (1) or came back (-1)."""
    spent = f64_1(own, SPENT)
    spent[FEES] += sign * f64_1(own, FEE)[i]
    spent[WORK] += sign * f64_2(tab, MEASURE)[i, 0]
    spent[NUMBER] += sign


@leaf
def within_caps(tab, own, i, first, o, second):
    """Return whether caps hold after `i` and `o` (-1: nobody) left home or came back, or are broken by no more."""
    spent, cap, fee, measure = f64_1(own, SPENT), f64_1(own, CAP), f64_1(own, FEE), f64_2(tab, MEASURE)
    fees, work, number = first * fee[i], first * measure[i, 0], float(first)
    if o >= 0:
        fees += second * fee[o]
        work += second * measure[o, 0]
        number += second
    for at in range(3):
        rise = fees if at == FEES else (work if at == WORK else number)
        if rise > 0.0 and spent[at] + rise > cap[at]:
            return False
    return True


@leaf
def hand_over(tab, own, i, b):
    """Move customer `i` to territory `b`, and count it; `touch` of both must follow."""
    spend(tab, own, i, fee_rise(tab, own, i, b))
    transfer(tab, i, b)


@leaf
def _pick(tab, own, move):
    """Pick a move: customer i to territory b, and, or -1, customer o of it to c. False if there is none."""
    label = i32_1(tab, LABEL)
    n = i64_1(tab, COUNT)[N_BORDER]
    if n == 0:
        return False
    i = np.int64(i32_1(tab, BORDER)[np.int64(rand(tab) * n)])
    a = label[i]
    if i32_1(own, STUCK)[i] != 0:
        return False
    j = beside(tab, i, a, False)
    if j < 0:
        return False
    b = np.int64(label[j])
    if not may_move(tab, own, i, b):
        return False
    move[0], move[1], move[2], move[3] = i, b, -1, -1
    if rand(tab) < _SINGLE:
        return i64_1(tab, SIZE)[a] > 1
    # somebody of b next to j or j himself, who has others beside him
    o = j
    if rand(tab) < 0.5:
        o = beside(tab, j, b, True)
    if o < 0 or o == i:
        return False
    c = np.int64(a)
    if rand(tab) < 0.5:
        p = beside(tab, o, b, False)
        if p < 0:
            return False
        c = np.int64(label[p])
    if (c != a and i64_1(tab, SIZE)[a] == 1) or not may_move(tab, own, o, c):
        return False
    move[2], move[3] = o, c
    return True


@leaf
def _connected(tab, move):
    """Return whether a move keeps territories in no more parts."""
    label, a = i32_1(tab, LABEL), i32_1(tab, LABEL)[move[0]]
    fine = True
    # the second one moves after the first: who came first must not hang on him who leaves
    for at in range(0, 4, 2):
        i = move[at]
        fine = fine and (i < 0 or (can_leave(tab, i) and can_enter(tab, i, move[at + 1])))
        label[move[0]] = move[1]
    label[move[0]] = a
    return fine


@leaf
def _copied(source, target):
    for i in range(len(source)):
        target[i] = source[i]


@kernel("i8[::1], i8[::1], i4[::1], f8[::1], f8[::1], f8, i8, f8, f8, f8")
def settle(tab, own, best_label, best, price, dear, n, hot, cold, allowed):
    """Make `n` steps of annealing, from one temperature to another.

    Parameters
    ----------
    tab, own : tables of arrays, of `moves_layout` and `realign_layout`
    best_label : int32 array of shape (n,), best : float array of (cost with fees, violation)
        The best so far; replaced.
    price : float array of shape (3,)
        Cost of a violation of 1, which follows the search; the least and the most that it may be.
    dear : float
        Cost of a fee of 1.
    n : int
    hot, cold : float
        Temperatures, in units of cost, at the first step and the last; 0: only what is no worse is done.
    allowed : float
        Share of the territories that may be outside their bands in the mean at `hot`; falls with the temperature.

    Returns
    -------
    int
        Accepted moves.
    """
    move, rise = np.empty(4, dtype=np.int64), np.empty(3)
    value, label, k, fee = f64_1(tab, VALUE), i32_1(tab, LABEL), len(i64_1(tab, SIZE)), f64_1(own, FEE)
    pending, accepted = False, 0
    block = max(100, min(n // 50, 2 * k))
    ratio = (cold / hot) ** (block / max(n, 1)) if hot > 0.0 else 1.0
    t, outside, seen = hot, 0.0, 0
    for step in range(n):
        if step % block == block - 1:
            t *= ratio
            if value[VIOLATION] > ROUNDING:
                for c in range(k):
                    if excess_after(tab, c, -1, -1) > ROUNDING:
                        outside += 1.0
            seen += 1
            if outside > allowed * (t / hot if hot > 0.0 else 0.0) * k * seen:
                price[0] = min(price[0] * _UP, price[2])
            else:
                price[0] = max(price[0] * _DOWN, price[1])
            outside, seen = 0.0, 0
        if not _pick(tab, own, move):
            continue
        i, b, o, c = move[0], move[1], move[2], move[3]
        a = np.int64(label[i])
        first, second = fee_rise(tab, own, i, b), 0
        changed = first * fee[i]
        if o >= 0:
            second = fee_rise(tab, own, o, c)
            changed += second * fee[o]
        if not within_caps(tab, own, i, first, o, second):
            continue
        worse, broken = dear * changed, 0.0
        for at in range(3):
            if at == 0:
                r, out, enter = a, i, o if c == a else -1
            elif at == 1:
                r, out, enter = b, o, i
            elif c >= 0 and c != a:
                r, out, enter = c, -1, o
            else:
                break
            rise[at] = change(tab, r, out, enter)
            worse += rise[at]
            broken += excess_after(tab, r, out, enter) - excess_after(tab, r, -1, -1)
        gain = worse + price[0] * broken
        if gain > 0.0 and gain > -t * log(1.0 - rand(tab)):
            continue
        if not _connected(tab, move):
            continue
        if pending and (worse > 0.0 or broken > 0.0):
            _copied(label, best_label)
            pending = False
        hand_over(tab, own, i, b)
        if o >= 0:
            hand_over(tab, own, o, c)
        for at in range(3):
            r = a if at == 0 else (b if at == 1 else c)
            if r >= 0 and not (at == 2 and r == a):
                touch(tab, r, rise[at])
        accepted += 1
        if worse < 0.0 or broken < 0.0:
            violation = value[VIOLATION] if value[VIOLATION] > ROUNDING else 0.0
            cost = value[OBJECTIVE] + dear * f64_1(own, SPENT)[FEES]
            if (
                violation < best[1] - ROUNDING
                or (violation == 0.0 and best[1] > 0.0)
                or (violation == best[1] and cost < best[0] - 1e-12 * abs(best[0]))
            ):
                best[0], best[1] = cost, violation
                pending = True
    if pending:
        _copied(label, best_label)
    return accepted
