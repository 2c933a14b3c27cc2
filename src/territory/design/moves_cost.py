"""What a territory costs, and would cost with one customer less, one more, or one for another.

One seam, `change`, for all objectives. Of given centres and of squared distances to the mean it is closed form, O(d).
Of distances to a mean, the members' terms are summed where they are few; where they are many, the mean moves so
little that the second-order expansion decides (and `refresh` sums exactly what was accepted). Of medians, only
members near the middle can become the median by one exchange: O(those), by the triangle inequality, see `_core`.
Costs by the outline of a territory are in `moves_shape`.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from territory.compiled import leaf
from territory.compiled.tables import f64_1, f64_2, i32_1, i64_1
from territory.design.moves_layout import (
    BEND,
    CENTER,
    CENTROID,
    CORE,
    COST,
    EXCESS,
    FIXED,
    FIXED_CENTER,
    GIVEN,
    LABEL,
    LOAD,
    MASS,
    MEASURE,
    MEDIAN,
    MEMBER,
    PAIR,
    PERIMETER,
    POINT,
    RULE,
    SIZE,
    SLACK,
    SLOPE,
    SOFT,
    SQUARED,
    STALE,
    START,
    SUM,
    VALUE,
    WEIGHT,
    WHERE,
)
from territory.design.moves_limits import excess_after, reprice
from territory.design.moves_shape import outline_change, outline_cost

__all__ = ["change", "distance", "given_cost", "refresh", "tally", "touch"]

#: Territories of more members are judged by expansion, not by summing the distances to a mean that moves.
_FEW = 24
#: Larger ones may wait for the sum until one in so many customers came or went.
_LARGE, _TRUST = 100, 20
#: Of larger territories a newcomer is not tried as their median.
_SMALL = 48


@leaf
def distance(tab, i, j):
    """Return the distance between two customers."""
    if f64_2(tab, PAIR).shape[0] > 0:
        return f64_2(tab, PAIR)[i, j]
    point, square = f64_2(tab, POINT), 0.0
    for axis in range(point.shape[1]):
        gap = point[i, axis] - point[j, axis]
        square += gap * gap
    return sqrt(square)


@leaf
def _square_to(tab, i, center, c):
    """Return the squared distance of a customer to a centre."""
    point, square = f64_2(tab, POINT), 0.0
    for axis in range(point.shape[1]):
        gap = point[i, axis] - center[c, axis]
        square += gap * gap
    return square


@leaf
def given_cost(tab, c, i):
    """Return what customer `i` costs at the given centre of territory `c`."""
    if f64_2(tab, GIVEN).shape[0] > 0:
        return f64_2(tab, GIVEN)[i, c]
    return f64_1(tab, WEIGHT)[i] * _square_to(tab, i, f64_2(tab, CENTER), c)


@leaf
def change(tab, c, out, enter):
    """Return by how much the cost of territory `c` rises without `out` and with `enter` (-1: nobody)."""
    kind = i64_1(tab, RULE)[0]
    if kind == MEDIAN:
        return _median_change(tab, c, out, enter)
    if kind == CENTROID:
        return _centroid_change(tab, c, out, enter)
    total = 0.0
    if kind == FIXED:
        if out >= 0:
            total -= given_cost(tab, c, out)
        if enter >= 0:
            total += given_cost(tab, c, enter)
        return total
    if kind == SQUARED:
        return _squared_change(tab, c, out, enter)
    return outline_change(tab, c, out, enter)


@leaf
def _squared_change(tab, c, out, enter):
    center, mass, weight, point = f64_2(tab, CENTER), f64_1(tab, MASS)[c], f64_1(tab, WEIGHT), f64_2(tab, POINT)
    total = 0.0
    if out < 0:
        w = weight[enter]
        return w * mass / (mass + w) * _square_to(tab, enter, center, c)
    w = weight[out]
    left = mass - w
    if left > 0.0:
        total -= w * mass / left * _square_to(tab, out, center, c)
    if enter >= 0:
        square = 0.0
        for axis in range(point.shape[1]):
            middle = center[c, axis]
            if left > 0.0:
                middle -= w * (point[out, axis] - middle) / left
            square += (point[enter, axis] - middle) ** 2
        v = weight[enter]
        total += v * left / (left + v) * square
    return total


@leaf
def _centroid_change(tab, c, out, enter):
    center, weight, point, size = f64_2(tab, CENTER), f64_1(tab, WEIGHT), f64_2(tab, POINT), i64_1(tab, SIZE)[c]
    d = point.shape[1]
    mass = f64_1(tab, MASS)[c]
    if out >= 0:
        mass -= weight[out]
    if enter >= 0:
        mass += weight[enter]
    if mass <= 0.0:
        return -f64_1(tab, COST)[c]
    if d == 2:
        x, y = center[c, 0], center[c, 1]
        dx = dy = 0.0
        if out >= 0:
            dx -= weight[out] * (point[out, 0] - x)
            dy -= weight[out] * (point[out, 1] - y)
        if enter >= 0:
            dx += weight[enter] * (point[enter, 0] - x)
            dy += weight[enter] * (point[enter, 1] - y)
        dx /= mass
        dy /= mass
        x += dx
        y += dy
        if size <= _FEW:
            member, first = i32_1(tab, MEMBER), i64_1(tab, START)[c]
            total = -f64_1(tab, COST)[c]
            for q in range(first, first + size):
                j = member[q]
                total += weight[j] * sqrt((point[j, 0] - x) ** 2 + (point[j, 1] - y) ** 2)
        else:
            slope, bend = f64_2(tab, SLOPE), f64_2(tab, BEND)
            total = slope[c, 0] * dx + slope[c, 1] * dy
            total += 0.5 * (bend[c, 0] * dx * dx + bend[c, 3] * dy * dy) + bend[c, 1] * dx * dy
        if out >= 0:
            total -= weight[out] * sqrt((point[out, 0] - x) ** 2 + (point[out, 1] - y) ** 2)
        if enter >= 0:
            total += weight[enter] * sqrt((point[enter, 0] - x) ** 2 + (point[enter, 1] - y) ** 2)
        return total
    return _centroid_change_any(tab, c, out, enter, mass)


@leaf
def _gap(tab, c, out, enter, mass, axis):
    """Return by how much the mean of `c` moves along an axis."""
    point, weight, middle, gap = f64_2(tab, POINT), f64_1(tab, WEIGHT), f64_2(tab, CENTER)[c, axis], 0.0
    if out >= 0:
        gap -= weight[out] * (point[out, axis] - middle)
    if enter >= 0:
        gap += weight[enter] * (point[enter, axis] - middle)
    return gap / mass


@leaf
def _to_moved(tab, c, out, enter, mass, j):
    """Return the weighted distance of customer `j` to the moved mean of `c`."""
    point, square = f64_2(tab, POINT), 0.0
    for axis in range(point.shape[1]):
        gap = point[j, axis] - f64_2(tab, CENTER)[c, axis] - _gap(tab, c, out, enter, mass, axis)
        square += gap * gap
    return f64_1(tab, WEIGHT)[j] * sqrt(square)


@leaf
def _centroid_change_any(tab, c, out, enter, mass):
    d, size = f64_2(tab, POINT).shape[1], i64_1(tab, SIZE)[c]
    total = 0.0
    if size <= _FEW:
        total -= f64_1(tab, COST)[c]
        for q in range(i64_1(tab, START)[c], i64_1(tab, START)[c] + size):
            total += _to_moved(tab, c, out, enter, mass, i32_1(tab, MEMBER)[q])
    else:
        for p in range(d):
            gap = _gap(tab, c, out, enter, mass, p)
            total += f64_2(tab, SLOPE)[c, p] * gap
            for q in range(d):
                total += 0.5 * f64_2(tab, BEND)[c, p * d + q] * gap * _gap(tab, c, out, enter, mass, q)
    if out >= 0:
        total -= _to_moved(tab, c, out, enter, mass, out)
    if enter >= 0:
        total += _to_moved(tab, c, out, enter, mass, enter)
    return total


@leaf
def _median_change(tab, c, out, enter):
    member, own, weight = i32_1(tab, MEMBER), f64_1(tab, SUM), f64_1(tab, WEIGHT)
    first, size = i64_1(tab, START)[c], i64_1(tab, SIZE)[c]
    # the median comes first; without it any other member may follow
    core = size if out >= 0 and member[first] == out else i64_1(tab, CORE)[c]
    best = np.inf
    v = weight[enter] if enter >= 0 else 0.0
    w = weight[out] if out >= 0 else 0.0
    for q in range(first, first + core):
        j = member[q]
        if j != out:
            value = own[j]
            if w > 0.0:
                value -= w * distance(tab, j, out)
            if v > 0.0:
                value += v * distance(tab, j, enter)
            best = min(best, value)
    if enter >= 0 and (size <= _SMALL or best == np.inf):
        value = 0.0
        for q in range(first, first + size):
            j = member[q]
            if j != out:
                value += weight[j] * distance(tab, j, enter)
                if value >= best:
                    break
        best = min(best, value)
    if best == np.inf:
        best = 0.0
    return best - f64_1(tab, COST)[c]


@leaf
def refresh(tab, c):
    """Bring cost, violation, and what `change` reads of territory `c` up to date with its members. O(size)."""
    kind = i64_1(tab, RULE)[0]
    old_cost = f64_1(tab, COST)[c]
    if kind == MEDIAN:
        _core(tab, c)
    elif kind == CENTROID:
        _expand(tab, c)
    f64_1(tab, VALUE)[0] += f64_1(tab, COST)[c] - old_cost
    _weigh(tab, c)


@leaf
def _weigh(tab, c):
    """Bring the violation of territory `c`, and the price of its deviations, up to date with its loads."""
    excess = excess_after(tab, c, -1, -1)
    f64_1(tab, VALUE)[1] += excess - f64_1(tab, EXCESS)[c]
    f64_1(tab, EXCESS)[c] = excess
    if f64_1(tab, SOFT).shape[0] > 0:
        reprice(tab, c)


@leaf
def touch(tab, c, rise):
    """Bring territory `c` up to date after moves that `change` said to raise its cost by `rise`.

    That is exact for costs by the outline. Of large territories with distances to the mean the second-order
    expansion is believed for some moves: its error falls with the cube of the size. Else `refresh`.
    """
    kind, stale, size = i64_1(tab, RULE)[0], i64_1(tab, STALE)[c], i64_1(tab, SIZE)[c]
    if kind >= PERIMETER or (kind == CENTROID and size > _LARGE and stale * _TRUST < size):
        f64_1(tab, COST)[c] += rise
        f64_1(tab, VALUE)[0] += rise
        _weigh(tab, c)
    else:
        refresh(tab, c)


@leaf
def _core(tab, c):
    """Put the median first, behind it all that may follow it after one exchange.

    With w the largest weight, a member j beats median m after customers came and went only if
    sum(j) - sum(m) < w (|d(i,m) - d(i,j)| + |d(o,m) - d(o,j)|) <= 2 w d(j, m).
    """
    member, where, own = i32_1(tab, MEMBER), i64_1(tab, WHERE), f64_1(tab, SUM)
    first, size = i64_1(tab, START)[c], i64_1(tab, SIZE)[c]
    if size == 0:
        f64_1(tab, COST)[c], i64_1(tab, CORE)[c] = 0.0, 0
        return
    best = first
    for q in range(first + 1, first + size):
        if own[member[q]] < own[member[best]]:
            best = q
    _exchange(member, where, first, best)
    m = member[first]
    f64_1(tab, COST)[c] = own[m]
    slack, most = f64_1(tab, SLACK)[0], f64_1(tab, SLACK)[1]
    head = first + 1
    for q in range(first + 1, first + size):
        j = member[q]
        if own[j] - own[m] < 2.0 * most * (distance(tab, j, m) + slack):
            _exchange(member, where, head, q)
            head += 1
    i64_1(tab, CORE)[c] = head - first


@leaf
def _exchange(member, where, p, q):
    i, j = member[p], member[q]
    member[p], member[q] = j, i
    where[j], where[i] = p, q


@leaf
def _expand(tab, c):
    """Sum the distances to the mean, and their first and second derivatives by it."""
    point, weight, center, member = f64_2(tab, POINT), f64_1(tab, WEIGHT), f64_2(tab, CENTER), i32_1(tab, MEMBER)
    slope, bend, d = f64_2(tab, SLOPE), f64_2(tab, BEND), f64_2(tab, POINT).shape[1]
    first, size = i64_1(tab, START)[c], i64_1(tab, SIZE)[c]
    i64_1(tab, STALE)[c] = 0
    # where the terms are summed anew each time, nobody reads the derivatives
    with_slope = size > _FEW - 4
    total = 0.0
    for p in range(d):
        slope[c, p] = 0.0
        for q in range(d):
            bend[c, p * d + q] = 0.0
    for r in range(first, first + size):
        j = member[r]
        far = sqrt(_square_to(tab, j, center, c))
        total += weight[j] * far
        if with_slope and far > 0.0:
            each = weight[j] / far
            for p in range(d):
                gap = center[c, p] - point[j, p]
                slope[c, p] += each * gap
                bend[c, p * d + p] += each
                for q in range(d):
                    bend[c, p * d + q] -= each * gap * (center[c, q] - point[j, q]) / (far * far)
    f64_1(tab, COST)[c] = total


@leaf
def tally(tab, c):
    """Sum everything of territory `c` anew from its members, so that rounding does not add up. O(size^2) of medians."""
    kind, point, weight, center = i64_1(tab, RULE)[0], f64_2(tab, POINT), f64_1(tab, WEIGHT), f64_2(tab, CENTER)
    member, first, size = i32_1(tab, MEMBER), i64_1(tab, START)[c], i64_1(tab, SIZE)[c]
    load, measure, d = f64_2(tab, LOAD), f64_2(tab, MEASURE), point.shape[1]
    moves = i64_1(tab, RULE)[FIXED_CENTER] == 0 and kind not in (FIXED, MEDIAN)
    for p in range(load.shape[1]):
        load[c, p] = 0.0
    f64_1(tab, MASS)[c] = 0.0
    if moves:
        for p in range(d):
            center[c, p] = 0.0
    for q in range(first, first + size):
        j = member[q]
        i32_1(tab, LABEL)[j] = c
        f64_1(tab, MASS)[c] += weight[j]
        for p in range(load.shape[1]):
            load[c, p] += measure[j, p]
        if moves:
            for p in range(d):
                center[c, p] += weight[j] * point[j, p]
    if moves and size > 0:
        for p in range(d):
            center[c, p] /= f64_1(tab, MASS)[c]
    total = 0.0
    for q in range(first, first + size):
        j = member[q]
        if kind == FIXED:
            total += given_cost(tab, c, j)
        elif kind == SQUARED:
            total += weight[j] * _square_to(tab, j, center, c)
        elif kind == MEDIAN:
            value = 0.0
            for r in range(first, first + size):
                value += weight[member[r]] * distance(tab, j, member[r])
            f64_1(tab, SUM)[j] = value
    if kind >= PERIMETER:
        total = outline_cost(tab, c)
    f64_1(tab, COST)[c] = total
