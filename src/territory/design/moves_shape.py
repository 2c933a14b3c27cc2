"""Two costs that follow the outline of a territory: the length of its borders, and how far its farthest member is."""

from __future__ import annotations

from territory.compiled import inner, leaf
from territory.compiled.tables import f64_1, f64_2, i32_1, i64_1
from territory.design.moves_layout import (
    CENTER,
    COST,
    FIXED_CENTER,
    LABEL,
    LENGTH,
    MASS,
    MEMBER,
    NEAR,
    NEAR_AT,
    PERIMETER,
    POINT,
    RULE,
    SIZE,
    START,
    WEIGHT,
)

__all__ = ["outline_change", "outline_cost"]


@leaf
def _border_with(tab, i, c):
    """Return the length of the borders of customer `i` with others, less that with those of territory `c`."""
    near, label, length, total = i32_1(tab, NEAR), i32_1(tab, LABEL), f64_1(tab, LENGTH), 0.0
    for q in range(i64_1(tab, NEAR_AT)[i], i64_1(tab, NEAR_AT)[i + 1]):
        if label[near[q]] == c:
            total -= length[q]
        else:
            total += length[q]
    return total


@leaf
def _half_perimeter(tab, c):
    """Return half the length of the borders of territory `c`. O(edges of its members)."""
    near, label, length, total = i32_1(tab, NEAR), i32_1(tab, LABEL), f64_1(tab, LENGTH), 0.0
    for r in range(i64_1(tab, START)[c], i64_1(tab, START)[c] + i64_1(tab, SIZE)[c]):
        i = i32_1(tab, MEMBER)[r]
        for q in range(i64_1(tab, NEAR_AT)[i], i64_1(tab, NEAR_AT)[i + 1]):
            if label[near[q]] != c:
                total += length[q]
    return 0.5 * total


@leaf
def _perimeter_change(tab, c, out, enter):
    """Return by how much half the perimeter of territory `c` rises without `out` and with `enter`. O(degree)."""
    total = 0.0
    if out >= 0:
        total -= _border_with(tab, out, c)
    if enter >= 0:
        total += _border_with(tab, enter, c)
        if out >= 0:
            # the border between the two stays one, and was taken away twice
            for q in range(i64_1(tab, NEAR_AT)[out], i64_1(tab, NEAR_AT)[out + 1]):
                if i32_1(tab, NEAR)[q] == enter:
                    total += 2.0 * f64_1(tab, LENGTH)[q]
    return 0.5 * total


@leaf
def _moved(tab, c, out, enter, mass, axis):
    """Return where the centre of `c` is along an axis without `out` and with `enter`: where it was, if it is given."""
    middle, gap = f64_2(tab, CENTER)[c, axis], 0.0
    if i64_1(tab, RULE)[FIXED_CENTER] != 0:
        return middle
    if out >= 0:
        gap -= f64_1(tab, WEIGHT)[out] * (f64_2(tab, POINT)[out, axis] - middle)
    if enter >= 0:
        gap += f64_1(tab, WEIGHT)[enter] * (f64_2(tab, POINT)[enter, axis] - middle)
    return middle + gap / mass


@leaf
def _reach_cost(tab, c, out, enter):
    """Return the weight of territory `c` times the squared distance of its farthest member to its centre. O(size)."""
    point, weight, member = f64_2(tab, POINT), f64_1(tab, WEIGHT), i32_1(tab, MEMBER)
    mass = f64_1(tab, MASS)[c]
    if out >= 0:
        mass -= weight[out]
    if enter >= 0:
        mass += weight[enter]
    first, size, most = i64_1(tab, START)[c], i64_1(tab, SIZE)[c], 0.0
    # nobody is left, though rounding may have left some weight
    if size - (out >= 0) + (enter >= 0) == 0 or mass <= 0.0:
        return 0.0
    x = _moved(tab, c, out, enter, mass, 0)
    y = _moved(tab, c, out, enter, mass, 1) if point.shape[1] > 1 else 0.0
    z = _moved(tab, c, out, enter, mass, 2) if point.shape[1] > 2 else 0.0
    for q in range(first, first + size + 1):
        # the newcomer comes last
        j = member[q] if q < first + size else enter
        if j < 0 or j == out:
            continue
        square = (point[j, 0] - x) ** 2
        if point.shape[1] > 1:
            square += (point[j, 1] - y) ** 2
        if point.shape[1] > 2:
            square += (point[j, 2] - z) ** 2
        most = max(most, square)
    return mass * most


@inner("i8[::1], i8, i8, i8")
def outline_change(tab, c, out, enter):
    """Return by how much the cost of territory `c` by its outline rises without `out` and with `enter`."""
    if i64_1(tab, RULE)[0] == PERIMETER:
        return _perimeter_change(tab, c, out, enter)
    return _reach_cost(tab, c, out, enter) - f64_1(tab, COST)[c]


@inner("i8[::1], i8")
def outline_cost(tab, c):
    """Return the cost of territory `c` by its outline."""
    if i64_1(tab, RULE)[0] == PERIMETER:
        return _half_perimeter(tab, c)
    return _reach_cost(tab, c, -1, -1)
