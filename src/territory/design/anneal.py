"""Simulated annealing over moves at the borders: a customer goes next door, or pushes another one onwards.

A move takes a customer i at a border to the territory b of one beside him; every other one also takes a customer o of
b, close by, to a territory c beside him: where c is the one that i left, this is an exchange, else a chain through
three territories. A territory of one customer may also begin anew elsewhere. Costs and violations are weighed by a
price that follows how many territories are outside their bands: it rises while these are too many and falls while
they are few, so that the search stays near the limits and crosses them. The best assignment with the least violation
is kept.

The weighing of violations by a price that adapts is that of strategic oscillation (Glover 1977) as in Ríos-Mercado &
Fernández (2009) for territories, who adapt it in a tabu search; here the acceptance is that of annealing
(Kirkpatrick, Gelatt & Vecchi 1983).
"""

from __future__ import annotations

from math import log

import numpy as np

from territory.compiled import kernel, leaf
from territory.compiled.tables import boo_2, f64_1, i32_1, i64_1, u64_1
from territory.design.contiguous import can_enter, can_leave
from territory.design.moves import transfer
from territory.design.moves_cost import change, touch
from territory.design.moves_layout import (
    APART_AT,
    BORDER,
    COUNT,
    ELIGIBLE,
    EXCESS,
    LABEL,
    N_BORDER,
    NEAR,
    NEAR_AT,
    OBJECTIVE,
    RNG,
    ROUNDING,
    SIZE,
    SOFT,
    VALUE,
    VIOLATION,
)
from territory.design.moves_limits import excess_after, weigh

__all__ = ["anneal", "beside", "connected", "rand", "sample"]

#: Moves of one customer, as a share; the rest push another one onwards.
_SINGLE = 0.5
#: Of moves of somebody who is alone, the share that take his territory to another place.
_ELSEWHERE = 0.5
#: Steps of the price, up and down: it rises fast, as violations are cheap to remove but hard to price.
_UP, _DOWN = 1.04, 0.98


@leaf
def rand(tab):
    """Return a number of [0, 1) (splitmix64, Steele, Lea & Flood 2014)."""
    rng = u64_1(tab, RNG)
    rng[0] += np.uint64(0x9E3779B97F4A7C15)
    z = rng[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@leaf
def beside(tab, i, a, inside):
    """Return a customer beside `i` who is, or is not, in territory `a`; -1 if there is none."""
    near_at, near, label = i64_1(tab, NEAR_AT), i32_1(tab, NEAR), i32_1(tab, LABEL)
    first = near_at[i]
    degree = near_at[i + 1] - first
    if degree == 0:
        return -1
    at = np.int64(rand(tab) * degree)
    for _ in range(degree):
        j = near[first + at]
        if (label[j] == a) == inside:
            return np.int64(j)
        at += 1
        if at == degree:
            at = 0
    return -1


@leaf
def _may(tab, i, b):
    return boo_2(tab, ELIGIBLE).shape[0] == 0 or boo_2(tab, ELIGIBLE)[i, b]


@leaf
def _pick(tab, move):
    """Pick a move: customer i to territory b, and, or -1, customer o of it to c. False if there is none."""
    label = i32_1(tab, LABEL)
    n = i64_1(tab, COUNT)[N_BORDER]
    if n == 0:
        return False
    i = np.int64(i32_1(tab, BORDER)[np.int64(rand(tab) * n)])
    a = label[i]
    j = beside(tab, i, a, False)
    if j < 0:
        return False
    b = np.int64(label[j])
    if not _may(tab, i, b):
        return False
    if i64_1(tab, SIZE)[a] == 1 and rand(tab) < _ELSEWHERE:
        return _pick_elsewhere(tab, move, i, b)
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
    if (c != a and i64_1(tab, SIZE)[a] == 1) or not _may(tab, o, c):
        return False
    move[2], move[3] = o, c
    return True


@leaf
def _pick_elsewhere(tab, move, i, b):
    """Let the last customer `i` of a territory go to `b`, and the territory begin anew with anybody at a border."""
    j = np.int64(i32_1(tab, BORDER)[np.int64(rand(tab) * i64_1(tab, COUNT)[N_BORDER])])
    a, c = np.int64(i32_1(tab, LABEL)[i]), i32_1(tab, LABEL)[j]
    if j == i or i64_1(tab, SIZE)[c] == 1 or not _may(tab, j, a):
        return False
    move[0], move[1], move[2], move[3] = j, a, i, b
    return True


@leaf
def _worth(tab, move, rise):
    """Set by how much a move raises cost and violation, and the cost of each of its territories."""
    a, c = i32_1(tab, LABEL)[move[0]], move[3]
    rise[0] = rise[1] = 0.0
    # one call in a loop is compiled once
    for at in range(3):
        if at == 0:
            # out of the first territory, and perhaps somebody else into it
            r, out, enter = np.int64(a), move[0], move[2] if c == a else -1
        elif at == 1:
            r, out, enter = move[1], move[2], move[0]
        elif c >= 0 and c != a:
            r, out, enter = c, -1, move[2]
        else:
            break
        rise[2 + at] = change(tab, r, out, enter)
        rise[0] += rise[2 + at]
        rise[1] += excess_after(tab, r, out, enter) - f64_1(tab, EXCESS)[r]


@leaf
def connected(tab, move):
    """Return whether a move keeps territories in one piece."""
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
def _do(tab, move, rise):
    a = np.int64(i32_1(tab, LABEL)[move[0]])
    for at in range(0, 4, 2):
        if move[at] >= 0:
            transfer(tab, move[at], move[at + 1])
    for at in range(3):
        r = a if at == 0 else (move[1] if at == 1 else move[3])
        if r >= 0 and not (at == 2 and r == a):
            touch(tab, r, rise[2 + at])


@leaf
def _is_better(tab, best):
    """Return whether the assignment is better than the best so far: less violation, or as much at less cost."""
    value = f64_1(tab, VALUE)
    violation = value[VIOLATION] if value[VIOLATION] > ROUNDING else 0.0
    if violation != best[1]:
        return violation < best[1] - ROUNDING or (violation == 0.0 and best[1] > 0.0)
    return value[OBJECTIVE] < best[0] - 1e-9 * abs(best[0])


@leaf
def _copy(source, target):
    for i in range(len(source)):
        target[i] = source[i]


@kernel("i8[::1], i8")
def sample(tab, n):
    """Return the mean rise in cost of `n` moves that raise it, and what violation the mean move makes or mends."""
    move, rise = np.empty(4, dtype=np.int64), np.empty(5)
    more = len(f64_1(tab, SOFT)) + len(i64_1(tab, APART_AT)) > 0
    cost = violation = 0.0
    costly = broken = 0
    for _ in range(n):
        if _pick(tab, move):
            _worth(tab, move, rise)
            if more and not weigh(tab, move, rise):
                continue
            if rise[0] > 0.0:
                cost += rise[0]
                costly += 1
            if abs(rise[1]) > ROUNDING:
                violation += abs(rise[1])
                broken += 1
    return cost / max(costly, 1), violation / max(broken, 1)


@kernel("i8[::1], i4[::1], f8[::1], f8[::1], i8, f8, f8, f8")
def anneal(tab, best_label, best, price, n, hot, cold, allowed):
    """Make `n` steps of annealing, from one temperature to another.

    Parameters
    ----------
    tab : tuples of arrays
    best_label : int32 array of shape (n,), best : float array of (cost, violation)
        The best so far; replaced.
    price : float array of shape (3,)
        Cost of a violation of 1, which follows the search; the least and the most that it may be.
    n : int
    hot, cold : float
        Temperatures, in units of cost, at the first step and the last.
    allowed : float
        Share of the territories that may be outside their bands in the mean at `hot`; falls with the temperature.

    Returns
    -------
    int
        Accepted moves.
    """
    move, rise = np.empty(4, dtype=np.int64), np.empty(5)
    value, label, k = f64_1(tab, VALUE), i32_1(tab, LABEL), len(i64_1(tab, SIZE))
    pending, accepted = False, 0
    more = len(f64_1(tab, SOFT)) + len(i64_1(tab, APART_AT)) > 0
    # the price is set after so many steps: long enough to see what it does, short against the cooling
    block = max(100, min(n // 50, 2 * k))
    ratio = (cold / hot) ** (block / max(n, 1))
    t, outside, seen = hot, 0.0, 0
    for step in range(n):
        if step % block == block - 1:
            t *= ratio
            if value[VIOLATION] > ROUNDING:
                # how many are outside, if the violation is shared out in typical bits, is not counted but bounded
                for c in range(k):
                    if f64_1(tab, EXCESS)[c] > ROUNDING:
                        outside += 1.0
            seen += 1
            if outside > allowed * (t / hot) * k * seen:
                price[0] = min(price[0] * _UP, price[2])
            else:
                price[0] = max(price[0] * _DOWN, price[1])
            outside, seen = 0.0, 0
        if not _pick(tab, move):
            continue
        _worth(tab, move, rise)
        if more and not weigh(tab, move, rise):
            continue
        gain = rise[0] + price[0] * rise[1]
        if gain > 0.0 and gain > -t * log(1.0 - rand(tab)):
            continue
        if not connected(tab, move):
            continue
        if pending and (rise[0] > 0.0 or rise[1] > 0.0):
            # written only when it is about to be left
            _copy(label, best_label)
            pending = False
        _do(tab, move, rise)
        accepted += 1
        if (rise[0] < 0.0 or rise[1] < 0.0) and _is_better(tab, best):
            best[0], best[1] = value[OBJECTIVE], value[VIOLATION] if value[VIOLATION] > ROUNDING else 0.0
            pending = True
    if pending:
        _copy(label, best_label)
    return accepted
