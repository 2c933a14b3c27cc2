"""Moving a customer: members, loads, borders and costs follow, each in the time that the change takes."""

from __future__ import annotations

from math import sqrt

import numpy as np

from territory.compiled import kernel, leaf
from territory.compiled.tables import f64_1, f64_2, i32_1, i64_1
from territory.design.moves_cost import change, distance, refresh, tally
from territory.design.moves_layout import (
    APART,
    APART_AT,
    BEND,
    BORDER,
    CENTER,
    CENTROID,
    COST,
    COUNT,
    DEVIATION,
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
    N_BORDER,
    N_CONFLICT,
    NEAR,
    NEAR_AT,
    OBJECTIVE,
    OTHER,
    PERIMETER,
    PLACE,
    POINT,
    REACH,
    RULE,
    SIZE,
    SLOPE,
    SQUARED,
    STALE,
    START,
    SUM,
    VALUE,
    VIOLATION,
    WEIGHT,
    WHERE,
)
from territory.design.moves_limits import excess_after, meet, price_change

__all__ = ["build", "pack", "probe", "recount", "transfer"]


@leaf
def _center_moves(tab, c, i, sign):
    """Let the mean of territory `c` follow a customer who comes (1) or goes (-1)."""
    point, w = f64_2(tab, POINT), sign * f64_1(tab, WEIGHT)[i]
    mass = f64_1(tab, MASS)[c] + w
    kind = i64_1(tab, RULE)[0]
    if kind == PERIMETER:
        return
    if kind == FIXED:
        far = 0.0
        if f64_2(tab, GIVEN).shape[0] > 0:
            far = sign * f64_2(tab, GIVEN)[i, c]
        else:
            for axis in range(point.shape[1]):
                far += w * (point[i, axis] - f64_2(tab, CENTER)[c, axis]) ** 2
        f64_1(tab, COST)[c] += far
        f64_1(tab, VALUE)[OBJECTIVE] += far
    elif kind == REACH:
        if i64_1(tab, RULE)[FIXED_CENTER] == 0 and mass > 0.0:
            for axis in range(point.shape[1]):
                f64_2(tab, CENTER)[c, axis] += w / mass * (point[i, axis] - f64_2(tab, CENTER)[c, axis])
    elif i64_1(tab, SIZE)[c] == 0:
        f64_1(tab, VALUE)[OBJECTIVE] -= f64_1(tab, COST)[c]
        f64_1(tab, COST)[c] = 0.0
        mass = 0.0
    else:
        square = 0.0
        for axis in range(point.shape[1]):
            gap = point[i, axis] - f64_2(tab, CENTER)[c, axis]
            square += gap * gap
            if f64_1(tab, MASS)[c] <= 0.0:
                f64_2(tab, CENTER)[c, axis] = point[i, axis]
            else:
                f64_2(tab, CENTER)[c, axis] += w / mass * gap
        if kind == SQUARED:
            far = w * f64_1(tab, MASS)[c] / mass * square
            f64_1(tab, COST)[c] += far
            f64_1(tab, VALUE)[OBJECTIVE] += far
        else:
            _derivatives_move(tab, c, i, w, w / mass)
    f64_1(tab, MASS)[c] = mass


@leaf
def _derivatives_move(tab, c, i, w, share):
    """Let the derivatives follow a mean that has moved, by `share` of the way to customer `i` from where it was."""
    point, center, slope, bend = f64_2(tab, POINT), f64_2(tab, CENTER), f64_2(tab, SLOPE), f64_2(tab, BEND)
    d = point.shape[1]
    i64_1(tab, STALE)[c] += 1
    square = 0.0
    for p in range(d):
        square += (center[c, p] - point[i, p]) ** 2
    # the way that the mean went, from what is left of it
    back = share / (1.0 - share) if share != 1.0 else 0.0
    for p in range(d):
        for q in range(d):
            slope[c, p] += bend[c, p * d + q] * back * (point[i, q] - center[c, q])
    if square <= 0.0:
        return
    far = sqrt(square)
    for p in range(d):
        gap = center[c, p] - point[i, p]
        slope[c, p] += w * gap / far
        bend[c, p * d + p] += w / far
        for q in range(d):
            bend[c, p * d + q] -= w * gap * (center[c, q] - point[i, q]) / (far * square)


@leaf
def transfer(tab, i, b):
    """Move customer `i` to territory `b`; `touch` of both must follow.

    O(members of both) of medians, else O(near).
    """
    label, load, size, member, where = (
        i32_1(tab, LABEL),
        f64_2(tab, LOAD),
        i64_1(tab, SIZE),
        i32_1(tab, MEMBER),
        i64_1(tab, WHERE),
    )
    start, weight, own = i64_1(tab, START), f64_1(tab, WEIGHT), f64_1(tab, SUM)
    a, kind = label[i], i64_1(tab, RULE)[0]
    if start[b] + size[b] == start[b + 1]:
        pack(tab)
    last = start[a] + size[a] - 1
    hole = where[i]
    member[hole] = member[last]
    where[member[hole]] = hole
    size[a] -= 1
    if kind == MEDIAN:
        w = weight[i]
        for q in range(start[a], start[a] + size[a]):
            own[member[q]] -= w * distance(tab, member[q], i)
        total = 0.0
        for q in range(start[b], start[b] + size[b]):
            far = distance(tab, member[q], i)
            own[member[q]] += w * far
            total += weight[member[q]] * far
        own[i] = total
    member[start[b] + size[b]] = i
    where[i] = start[b] + size[b]
    size[b] += 1
    if kind != MEDIAN:
        _center_moves(tab, a, i, -1.0)
        _center_moves(tab, b, i, 1.0)
    for q in range(load.shape[1]):
        load[a, q] -= f64_2(tab, MEASURE)[i, q]
        load[b, q] += f64_2(tab, MEASURE)[i, q]
    label[i] = b
    near, other = i32_1(tab, NEAR), i32_1(tab, OTHER)
    for q in range(i64_1(tab, NEAR_AT)[i], i64_1(tab, NEAR_AT)[i + 1]):
        j = near[q]
        if label[j] == a:
            other[i] += 1
            other[j] += 1
            _border(tab, j)
        elif label[j] == b:
            other[i] -= 1
            other[j] -= 1
            _border(tab, j)
    _border(tab, i)
    if i64_1(tab, APART_AT).shape[0] > 0:
        meet(tab, i, a, b)


@leaf
def _border(tab, i):
    """Enter customer `i` into the list of those at a border, or take him out."""
    border, place, count = i32_1(tab, BORDER), i32_1(tab, PLACE), i64_1(tab, COUNT)
    if i32_1(tab, OTHER)[i] > 0:
        if place[i] < 0:
            place[i] = count[N_BORDER]
            border[count[N_BORDER]] = i
            count[N_BORDER] += 1
    elif place[i] >= 0:
        count[N_BORDER] -= 1
        last = border[count[N_BORDER]]
        border[place[i]] = last
        place[last] = place[i]
        place[i] = -1


@leaf
def pack(tab):
    """Share out the room between territories anew. O(n); territories that grow by n / k customers call for it once."""
    start, size, member, where = i64_1(tab, START), i64_1(tab, SIZE), i32_1(tab, MEMBER), i64_1(tab, WHERE)
    n, k = len(where), len(size)
    ordered = np.empty(n, dtype=np.int32)
    at = 0
    for c in range(k):
        for q in range(start[c], start[c] + size[c]):
            ordered[at] = member[q]
            at += 1
    spare = (len(member) - n) // k
    at = to = 0
    for c in range(k):
        start[c] = to
        for q in range(size[c]):
            member[to + q] = ordered[at + q]
            where[ordered[at + q]] = to + q
        at += size[c]
        to += size[c] + spare
    start[k] = to


@kernel("i8[::1]")
def recount(tab):
    """Sum all of the state anew from the lists of members. O(n d + k), of medians O(sum of squared sizes)."""
    f64_1(tab, VALUE)[OBJECTIVE] = 0.0
    f64_1(tab, VALUE)[VIOLATION] = 0.0
    for c in range(len(i64_1(tab, SIZE))):
        tally(tab, c)
        if i64_1(tab, RULE)[0] in (MEDIAN, CENTROID):
            f64_1(tab, COST)[c] = 0.0
        else:
            f64_1(tab, VALUE)[OBJECTIVE] += f64_1(tab, COST)[c]
        f64_1(tab, EXCESS)[c] = 0.0
        f64_1(tab, DEVIATION)[c] = 0.0
        refresh(tab, c)
    count, label, apart = 0, i32_1(tab, LABEL), i32_1(tab, APART)
    for i in range(len(i64_1(tab, APART_AT)) - 1):
        for q in range(i64_1(tab, APART_AT)[i], i64_1(tab, APART_AT)[i + 1]):
            # each pair is there twice
            if apart[q] > i and label[apart[q]] == label[i]:
                count += 1
    i64_1(tab, COUNT)[N_CONFLICT] = count
    f64_1(tab, VALUE)[VIOLATION] += count


@kernel("i8[::1]")
def build(tab):
    """Make lists of members and borders from the labels; `recount` must follow.

    Cost: O(n + k + edges).
    """
    label, start, size, member, where = (
        i32_1(tab, LABEL),
        i64_1(tab, START),
        i64_1(tab, SIZE),
        i32_1(tab, MEMBER),
        i64_1(tab, WHERE),
    )
    n, k = len(label), len(size)
    for c in range(k):
        size[c] = 0
    for i in range(n):
        size[label[i]] += 1
    spare = (len(member) - n) // k
    start[0] = 0
    for c in range(k):
        start[c + 1] = start[c] + size[c] + spare
    for c in range(k):
        size[c] = 0
    for i in range(n):
        c = label[i]
        where[i] = start[c] + size[c]
        member[where[i]] = i
        size[c] += 1
    i64_1(tab, COUNT)[N_BORDER] = 0
    for i in range(n):
        i32_1(tab, PLACE)[i] = -1
        i32_1(tab, OTHER)[i] = 0
        for q in range(i64_1(tab, NEAR_AT)[i], i64_1(tab, NEAR_AT)[i + 1]):
            if label[i32_1(tab, NEAR)[q]] != label[i]:
                i32_1(tab, OTHER)[i] += 1
        _border(tab, i)


@kernel("i8[::1], i8, i8, i8")
def probe(tab, c, out, enter):
    """Return by how much cost and violation of territory `c` rise without `out` and with `enter` (-1: nobody)."""
    rise = change(tab, c, out, enter) + price_change(tab, c, out, enter)
    return rise, excess_after(tab, c, out, enter) - f64_1(tab, EXCESS)[c]
