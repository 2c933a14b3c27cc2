"""The least value of any centre in the plane or in space, by branch and bound over boxes, with proof.

For all centres c of a box, and one threshold p (see `lagrange_kernels`), v(c) is at least p times an end of the band
plus the sum of min(0, q_i(c)), where q_i(c) = w_i |x_i - c|^2 - u_i - p load_i. Points whose q_i is at most 0 all over
the box are summed up to one paraboloid, whose least value in the box is known; the few whose sign changes are taken at
their least in the box. So the error falls with the square of the box's width (limited distances: Drezner, Mehrez &
Wesolowsky 1991; Aloise, Hansen & Liberti 2012 in column generation for sums of squares). The box with the least bound
is halved next, until its bound is near the best value found. Compiled, see `territory.compiled`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from territory.compiled import kernel, leaf
from territory.design.lagrange_kernels import threshold

__all__ = ["least_values"]


@leaf
def _at_point(x: Any, w: Any, load: Any, u: Any, low: Any, high: Any, c: Any, ratio: Any, who: Any) -> Any:
    """Return v(c) and its threshold. Expected O(n)."""
    n, d = x.shape
    k, base = 0, 0.0
    for i in range(n):
        square = 0.0
        for e in range(d):
            square += (x[i, e] - c[e]) * (x[i, e] - c[e])
        net = w[i] * square - u[i]
        if load[i] > 0.0:
            ratio[k], who[k] = net / load[i], i
            k += 1
        elif net < 0.0:
            base += net
    p, _, goal = threshold(ratio, who, load, k, low, high)
    if p == np.inf:
        return np.inf, p
    base += p * goal
    for t in range(k):
        if ratio[t] < p:
            base += load[who[t]] * (ratio[t] - p)
    return base, p


@leaf
def _in_box(x: Any, w: Any, load: Any, u: Any, low: Any, high: Any, p: Any, middle: Any, half: Any, moment: Any) -> Any:
    """Return a lower bound of v over a box, with threshold p. O(n)."""
    n, d = x.shape
    bound = p * (low if p > 0.0 else high) if p != 0.0 else 0.0
    held, constant = 0.0, 0.0
    for e in range(d):
        moment[e] = 0.0
    for i in range(n):
        near, far = 0.0, 0.0
        for e in range(d):
            away = abs(x[i, e] - middle[e])
            far += (away + half[e]) * (away + half[e])
            if away > half[e]:
                near += (away - half[e]) * (away - half[e])
        pay = u[i] + p * load[i]
        if w[i] * far <= pay:
            held += w[i]
            constant -= pay
            for e in range(d):
                z = x[i, e] - middle[e]
                moment[e] += w[i] * z
                constant += w[i] * z * z
        elif w[i] * near < pay:
            bound += w[i] * near - pay
    # least of held |t|^2 - 2 moment . t + constant over |t_e| <= half_e
    bound += constant
    for e in range(d):
        t = half[e] if moment[e] > 0.0 else -half[e]
        if held > 0.0:
            t = max(-half[e], min(half[e], moment[e] / held))
        bound += held * t * t - 2.0 * moment[e] * t
    return bound


@kernel("f8[:,::1], f8[::1], f8[::1], f8[::1], f8, f8, f8[:,::1], f8[:,::1], f8, f8, i8, f8, f8, f8[:,::1]")
def least_values(  # noqa: C901, PLR0912, PLR0915
    x: Any,
    w: Any,
    load: Any,
    u: Any,
    low: Any,
    high: Any,
    middles: Any,
    halves: Any,
    known: Any,
    within: Any,
    boxes: Any,
    spread: Any,
    apart: Any,
    found: Any,
) -> Any:
    """Return a lower bound of v over the union of boxes, the least value met, and how many boxes that took.

    `middles`, `halves` (b, d): the boxes; `known`: values above need not be told apart; `within`: how near the bound
    is to come to the least value; `boxes`: how many may be made. `found` (b', d + 1): gets places whose values, in the
    last column, were within `spread` of the least when they were met, `apart` from each other; inf beyond them.
    O(boxes n).
    """
    n, d = x.shape
    ratio, who = np.empty(n), np.empty(n, dtype=np.int32)
    moment = np.empty(d)
    room = middles.shape[0] + 2 * boxes + 2
    middle, half = np.empty((room, d)), np.empty((room, d))
    bound, start = np.empty(room), np.empty(room)
    heap = np.empty(room, dtype=np.int64)
    free = np.empty(room, dtype=np.int64)
    for b in range(room):
        free[b] = room - 1 - b
    n_free, size, made, best = room, 0, 0, known
    todo = middles.shape[0]
    parent, axis = -1, 0
    done = np.inf
    found[:] = np.inf
    n_found = 0
    while True:
        # new boxes: those given first, then two halves of the one with the least bound
        if todo > 0:
            todo -= 1
            fresh = 1
        else:
            if size == 0 or made >= boxes:
                break
            top = heap[0]
            if bound[top] >= best - within:
                break
            size -= 1
            last = heap[size]
            i = 0
            while True:
                j = 2 * i + 1
                if j >= size:
                    break
                if j + 1 < size and bound[heap[j + 1]] < bound[heap[j]]:
                    j += 1
                if bound[heap[j]] >= bound[last]:
                    break
                heap[i] = heap[j]
                i = j
            heap[i] = last
            parent, axis = top, 0
            for e in range(1, d):
                if half[top, e] > half[top, axis]:
                    axis = e
            fresh = 2
        for side in range(fresh):
            n_free -= 1
            q = free[n_free]
            if fresh == 1:
                for e in range(d):
                    middle[q, e], half[q, e] = middles[todo, e], halves[todo, e]
                value, p = np.inf, 0.0
                above = -np.inf
            else:
                for e in range(d):
                    middle[q, e], half[q, e] = middle[parent, e], half[parent, e]
                # a hair wider, so that rounding leaves nothing between halves
                half[q, axis] = 0.5 * half[parent, axis] * (1.0 + 1e-12)
                middle[q, axis] += half[q, axis] if side == 1 else -half[q, axis]
                p = start[parent]
                above = bound[parent]
            made += 1
            low_q = max(above, _in_box(x, w, load, u, low, high, p, middle[q], half[q], moment))
            if low_q < best - within:
                value, p = _at_point(x, w, load, u, low, high, middle[q], ratio, who)
                if value == np.inf:
                    return np.inf, np.inf, made
                best = min(best, value)
                if value <= best + spread:
                    # beside the nearest that was found, or in its place, or in that of the worst
                    near, at, worst = np.inf, -1, 0
                    for t in range(n_found):
                        square = 0.0
                        for e in range(d):
                            square += (found[t, e] - middle[q, e]) * (found[t, e] - middle[q, e])
                        if square < near:
                            near, at = square, t
                        if found[t, d] > found[worst, d]:
                            worst = t
                    if near > apart * apart:
                        at = worst
                        if n_found < found.shape[0]:
                            at = n_found
                            n_found += 1
                    if at >= 0 and value < found[at, d]:
                        found[at, :d] = middle[q]
                        found[at, d] = value
                low_q = max(low_q, _in_box(x, w, load, u, low, high, p, middle[q], half[q], moment))
            if low_q >= best - within:
                done = min(done, low_q)
                n_free += 1
                continue
            bound[q], start[q] = low_q, p
            j = size
            size += 1
            while j > 0 and bound[heap[(j - 1) >> 1]] > low_q:
                heap[j] = heap[(j - 1) >> 1]
                j = (j - 1) >> 1
            heap[j] = q
        if fresh == 2:
            free[n_free] = parent
            n_free += 1
    least = done
    for t in range(size):
        least = min(least, bound[heap[t]])
    return least, best, made
