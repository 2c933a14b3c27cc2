"""Prices of points that make the Lagrangian bound large: smoothed, accelerated ascent.

If every point i pays u_i for being served, and a centre at c is left with v(c) (`lagrange_kernels`), no k territories
cost less than the sum of all u plus the k least v. As a function of u that is concave, with corners wherever another
centre is the least. The least is made smooth (the sum of exponentials of -v / mu: Nesterov 2005, Smooth minimization of
non-smooth functions), climbed with momentum that starts anew where it points down (O'Donoghue & Candes 2015), and mu
falls all the while. What each centre weighs in that sum is its part in a fractional answer: a point that parts of
centres cover more than once pays less next. This only finds good prices; what they prove is worked out by others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.design.lagrange_kernels import covered, priced

if TYPE_CHECKING:
    from territory.model.arrays import FloatArray, IdxArray, IntArray

__all__ = ["FIRST", "LAST", "Ascent", "Candidates", "parts_of", "smoothing"]

#: Smoothing at first and at last, as a part of what a territory costs.
FIRST: Final = 0.2
LAST: Final = 0.002
#: Length of a step, as a part of what the smoothness allows at least.
_STEP: Final = 0.5
#: Rounds after which all candidates are priced, and what those priced in between may cost more than the least, in mu.
_REFRESH: Final = 10
_IDLE: Final = 25.0
#: Parts of a centre below which it counts for nothing in a step.
_NO_PART: Final = 1e-5


@dataclass(frozen=True, eq=False)
class Candidates:
    """Where centres may be.

    Attributes
    ----------
    cost : float array of shape (q, m)
        What it costs to serve some of the points from each candidate.
    item : int32 array of shape (q, m)
        Which points these are.
    at : float array of shape (q, d)
        Places of the candidates; d = 0 if they stay where they are.
    own : int32 array of shape (q,)
        The point that is at each candidate, and is served from it at no cost, or -1.
    """

    cost: FloatArray
    item: IdxArray
    at: FloatArray
    own: IdxArray

    def __len__(self) -> int:
        return len(self.cost)


def smoothing(part: float) -> float:
    """Return the smoothing after a part of all rounds, as a part of what a territory costs."""
    return float(FIRST * (LAST / FIRST) ** min(1.0, part))


def parts_of(value: FloatArray, mu: float, k: int, most: int) -> FloatArray:
    """Return which part of k centres is at each candidate, shape (q,), at most `most` at each, q most >= k.

    y = min(most, exp((theta - v) / mu)), where theta makes their sum k: these are the least of the sum of
    v y + mu y (log y - 1). O(q).
    """
    away = (value - value.min()) / mu
    if most >= k:
        y = np.exp(-away)
        return np.asarray(y * (k / y.sum()))
    low, high = np.log(k / len(away)) - 1.0, float(np.sort(away)[k - 1]) + np.log(k) + 1.0
    for _ in range(60):
        theta = 0.5 * (low + high)
        if np.minimum(most, np.exp(np.minimum(theta - away, 50.0))).sum() < k:
            low = theta
        else:
            high = theta
    return np.asarray(np.minimum(most, np.exp(np.minimum(high - away, 50.0))))


class Ascent:
    """Prices of n points, and the way up.

    Parameters
    ----------
    u : float array of shape (n,)
        Prices to begin with.
    load, weight : float arrays of shape (n,)
        What the band is about; by what distances count.
    low, high : float
        The band.
    k : int
    x : float array of shape (n, d)
        Places; d = 0 if candidates stay where they are.
    most : int
        How many centres may be at one candidate.
    """

    def __init__(
        self,
        u: FloatArray,
        load: FloatArray,
        weight: FloatArray,
        low: float,
        high: float,
        *,
        k: int,
        x: FloatArray,
        most: int,
    ) -> None:
        self.load, self.weight, self.x = load, weight, x
        self.low, self.high, self.k, self.most = low, high, k, most
        scale = load / max(float(load.mean()), 1e-300) + weight / max(float(weight.mean()), 1e-300)
        # where nothing binds, prices are in proportion to weights and loads: so are their steps
        self._scale = np.maximum(0.5 * scale, 1e-9)
        self.u, self._last, self._momentum = u.copy(), u.copy(), 1.0
        self.value = self.lifted = self._end = self._part = np.empty(0)
        self._which: IntArray = np.empty(0, dtype=np.int64)
        self._rounds = 0

    def fresh(self, candidates: Candidates) -> None:
        """Say that there are other candidates from now on."""
        self.value, self.lifted, self._end, self._part = (np.zeros(len(candidates)) for _ in range(4))
        self._rounds = 0

    def price(self, candidates: Candidates, mu: float) -> float:
        """Price candidates at the prices as they are; return the sum of prices and k least values.

        That bounds nothing if other candidates are worth more. O(arcs).
        """
        c, renew = candidates, self._rounds % _REFRESH == 0
        which = np.arange(len(c), dtype=np.int64) if renew else self._which
        priced(
            c.cost, c.item, self.load, self.weight, self.u, self.x, c.at, c.own, self.low, self.high, which,
            self.value, self._end, self._part, self.lifted,
        )  # fmt: skip
        least = np.sort(self.lifted)[: self.k] if self.most < self.k else np.full(self.k, self.lifted.min())
        if renew:
            self._which = np.flatnonzero(self.lifted <= least[-1] + _IDLE * mu)
        self._rounds += 1
        return float(self.u.sum() + least.sum())

    def step(self, candidates: Candidates, mu: float) -> None:
        """Change the prices, after `price`. O(arcs)."""
        c, n = candidates, len(self.u)
        part = np.zeros(len(c))
        part[self._which] = parts_of(self.lifted[self._which], mu, self.k, self.most)
        part[part < _NO_PART] = 0.0
        part *= self.k / part.sum()
        cover = np.zeros(n)
        covered(c.cost, c.item, self.load, self.u, c.own, np.flatnonzero(part), part, self._end, self._part, cover)
        slope = 1.0 - cover
        new = self.u + _STEP * mu * self.k / n * self._scale * slope
        if float((new - self._last) @ slope) < 0.0:
            self._momentum = 1.0
        after = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * self._momentum**2))
        self.u = new + (self._momentum - 1.0) / after * (new - self._last)
        self._last, self._momentum = new, after
