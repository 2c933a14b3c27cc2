"""Centres to begin with: the points halved again and again, by weight.

Seeds drawn one by one (k-means++) vary by many per cent in what they end in; a bisection that gives
each half the weight of its territories starts balanced, and hardly varies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.compiled import kernel, leaf

if TYPE_CHECKING:
    from territory.model.arrays import FloatArray

__all__ = ["bisect"]


def bisect(x: FloatArray, w: FloatArray, share: FloatArray, *, rng: np.random.Generator | None = None) -> FloatArray:
    """Return centres of parts that hold given shares of the weight, shape (k, d).

    Points and territories are halved at right angles to the principal axis of the weighted points
    until each part is one territory.

    Parameters
    ----------
    x : float array of shape (n, d)
    w : float array of shape (n,)
        At least 0, not all 0.
    share : float array of shape (k,)
        Adds up to 1.
    rng : Generator, optional
        Draws other axes and uneven halves of the territories; without it, nothing is left to chance.

    Notes
    -----
    O(n log n log k).
    """
    seed = 0 if rng is None else int(rng.integers(1, 2**62))
    return np.asarray(_bisect(np.ascontiguousarray(x), np.ascontiguousarray(w), np.ascontiguousarray(share), seed))


@leaf
def _uniform(state):
    """Return a random number in [0, 1) (splitmix64, Steele, Lea & Flood 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel("f8[:,::1], f8[::1], f8[::1], i8")
def _bisect(x, w, share, seed):
    n, d = x.shape
    k = len(share)
    center = np.zeros((k, d))
    state = np.full(1, seed, dtype=np.uint64)
    order = np.arange(n)
    stack = np.empty((2 * k + 2, 4), dtype=np.int64)
    stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3] = 0, n, 0, k
    top = 1
    mean, cov, axis, new = np.zeros(d), np.zeros((d, d)), np.zeros(d), np.zeros(d)
    while top > 0:
        top -= 1
        begin, end, j0, j1 = stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3]
        total = 0.0
        mean[:] = 0.0
        for s in range(begin, end):
            total += w[order[s]]
        even = total <= 0.0
        count = 0.0
        for s in range(begin, end):
            weight = 1.0 if even else w[order[s]]
            count += weight
            for a in range(d):
                mean[a] += weight * x[order[s], a]
        for a in range(d):
            mean[a] /= max(count, 1e-300)
        if j1 - j0 == 1:
            center[j0] = mean
            continue
        cov[:] = 0.0
        for s in range(begin, end):
            weight = 1.0 if even else w[order[s]]
            for a in range(d):
                for c in range(a, d):
                    cov[a, c] += weight * (x[order[s], a] - mean[a]) * (x[order[s], c] - mean[c])
        for a in range(d):
            for c in range(a):
                cov[a, c] = cov[c, a]
        # power iteration; by chance, only one step from a random vector: long parts are still cut across
        for a in range(d):
            axis[a] = 1.0 + a if seed == 0 else _uniform(state) + _uniform(state) + _uniform(state) - 1.5
        for _ in range(60 if seed == 0 else 1):
            length = 0.0
            for a in range(d):
                new[a] = 0.0
                for c in range(d):
                    new[a] += cov[a, c] * axis[c]
                length += new[a] * new[a]
            if length <= 0.0:
                break
            for a in range(d):
                axis[a] = new[a] / np.sqrt(length)
        half = (j1 - j0) // 2
        if seed != 0 and j1 - j0 > 3:
            half = int(np.round((j1 - j0) * (0.35 + 0.3 * _uniform(state))))
        middle = j0 + min(max(half, 1), j1 - j0 - 1)
        key = np.empty(end - begin)
        for s in range(begin, end):
            key[s - begin] = 0.0
            for a in range(d):
                key[s - begin] += (x[order[s], a] - mean[a]) * axis[a]
        rank = np.argsort(key, kind="mergesort")
        part = np.empty(end - begin, dtype=np.int64)
        for s in range(end - begin):
            part[s] = order[begin + rank[s]]
        wanted = share[j0:middle].sum() / max(share[j0:j1].sum(), 1e-300) * count
        got, at = 0.0, 0
        while at < end - begin:
            weight = 1.0 if even else w[part[at]]
            if got + 0.5 * weight > wanted:
                break
            got += weight
            at += 1
        # a point for each territory, where there are enough
        if end - begin >= j1 - j0:
            at = min(max(at, middle - j0), end - begin - (j1 - middle))
        for s in range(end - begin):
            order[begin + s] = part[s]
        stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3] = begin, begin + at, j0, middle
        stack[top + 1, 0], stack[top + 1, 1], stack[top + 1, 2], stack[top + 1, 3] = begin + at, end, middle, j1
        top += 2
        if at == 0 or at == end - begin:
            # an empty half: its territories begin where the others are
            low, high = (j0, middle) if at == 0 else (middle, j1)
            for j in range(low, high):
                center[j] = mean
            top -= 1
            if at == 0:
                stack[top - 1, 0], stack[top - 1, 1], stack[top - 1, 2], stack[top - 1, 3] = begin, end, middle, j1
    return center
