"""What the limits say of a territory with one customer less, one more, or one for another, and of a move.

Bands are hard, and counted as a violation; a deviation from the target has a price, which is part of the objective;
customers who must be apart are not brought together, however good that would be. Kernels call what few problems need,
and do not hold it: without it they are a tenth faster.
"""

from __future__ import annotations

from territory.compiled import inner, leaf
from territory.compiled.tables import f64_1, f64_2, i32_1, i64_1
from territory.design.moves_layout import (
    APART,
    APART_AT,
    COUNT,
    DEVIATION,
    LABEL,
    LOAD,
    LOWER,
    MEASURE,
    N_CONFLICT,
    OBJECTIVE,
    ROUNDING,
    SCALE,
    SOFT,
    UPPER,
    VALUE,
    VIOLATION,
)

__all__ = ["excess_after", "meet", "price_change", "reprice", "weigh"]


@leaf
def excess_after(tab, c, out, enter):
    """Return the violation of territory `c` without `out` and with `enter` (-1: nobody), as shares of the targets."""
    load, measure, total = f64_2(tab, LOAD), f64_2(tab, MEASURE), 0.0
    for q in range(load.shape[1]):
        value = load[c, q]
        if out >= 0:
            value -= measure[out, q]
        if enter >= 0:
            value += measure[enter, q]
        beyond = max(value - f64_2(tab, UPPER)[c, q], f64_2(tab, LOWER)[c, q] - value) * f64_2(tab, SCALE)[c, q]
        if beyond > ROUNDING:
            total += beyond
    return total


@leaf
def _price_after(tab, c, out, enter):
    """Return the price of the deviations of territory `c` from its targets without `out` and with `enter`."""
    soft, load, measure, total = f64_1(tab, SOFT), f64_2(tab, LOAD), f64_2(tab, MEASURE), 0.0
    for q in range(len(soft)):
        value = load[c, q]
        if out >= 0:
            value -= measure[out, q]
        if enter >= 0:
            value += measure[enter, q]
        total += soft[q] * abs(value * f64_2(tab, SCALE)[c, q] - 1.0)
    return total


@inner("i8[::1], i8, i8, i8")
def price_change(tab, c, out, enter):
    """Return by how much the price of the deviations of territory `c` rises without `out` and with `enter`."""
    return _price_after(tab, c, out, enter) - f64_1(tab, DEVIATION)[c]


@inner("i8[::1], i8")
def reprice(tab, c):
    """Bring the price of the deviations of territory `c` up to date with its loads."""
    price = _price_after(tab, c, -1, -1)
    f64_1(tab, VALUE)[OBJECTIVE] += price - f64_1(tab, DEVIATION)[c]
    f64_1(tab, DEVIATION)[c] = price


@leaf
def _met(tab, i, b, but):
    """Return how many of those whom `i` must not share a territory with are in `b`, other than one."""
    apart, label, count = i32_1(tab, APART), i32_1(tab, LABEL), 0
    for q in range(i64_1(tab, APART_AT)[i], i64_1(tab, APART_AT)[i + 1]):
        if label[apart[q]] == b and apart[q] != but:
            count += 1
    return count


@leaf
def _conflicts_made(tab, move):
    """Return how many pairs a move brings together who must be apart, less those whom it parts. O(degree)."""
    i, o, count = move[0], move[2], 0
    # both leave for other places, or change places: neither meets the other
    for at in range(0, 4, 2):
        if move[at] >= 0:
            left = i32_1(tab, LABEL)[i] if at == 0 else move[1]
            count += _met(tab, move[at], move[at + 1], o if at == 0 else i)
            count -= _met(tab, move[at], left, -1)
    return count


@inner("i8[::1], i8[::1], f8[::1]")
def weigh(tab, move, rise):
    """Add to what a move raises, cost and violation, what deviations and those who must be apart make of it.

    Returns
    -------
    bool
        False if it brings more together who must be apart than it parts.
    """
    if i64_1(tab, APART_AT).shape[0] > 0:
        made = _conflicts_made(tab, move)
        if made > 0:
            return False
        rise[1] += made
    if f64_1(tab, SOFT).shape[0] > 0:
        a, b, c = i32_1(tab, LABEL)[move[0]], move[1], move[3]
        rise[0] += price_change(tab, a, move[0], move[2] if c == a else -1) + price_change(tab, b, move[2], move[0])
        if c >= 0 and c != a:
            rise[0] += price_change(tab, c, -1, move[2])
    return True


@inner("i8[::1], i8, i8, i8")
def meet(tab, i, a, b):
    """Count the pairs who are together and must not be, after customer `i` went from `a` to `b`."""
    label, apart, count = i32_1(tab, LABEL), i32_1(tab, APART), 0
    for q in range(i64_1(tab, APART_AT)[i], i64_1(tab, APART_AT)[i + 1]):
        if label[apart[q]] == a:
            count -= 1
        elif label[apart[q]] == b:
            count += 1
    i64_1(tab, COUNT)[N_CONFLICT] += count
    f64_1(tab, VALUE)[VIOLATION] += count
