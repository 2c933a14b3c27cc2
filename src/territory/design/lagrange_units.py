"""A lower bound on the cost of territories with centres at units: Lagrangian, for any prices of the units.

Costs are what one likes (Hess et al. 1965 take weight times squared distance). For any prices u of the units, k
territories cost no less than the sum of u plus the k least values of candidates (`lagrange_kernels`). Units may be
split there: what that allows is the gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.design.lagrange_ascent import Ascent, Candidates, smoothing
from territory.design.lagrange_kernels import priced

if TYPE_CHECKING:
    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["ROUNDING", "UnitDual", "common_band", "unit_center_bound", "unit_center_dual", "unit_values"]

#: What rounding may have added to a sum, relative to its terms.
ROUNDING: Final = 1e-10
#: How much wider a band is taken, relative to its ends: what checks of limits let pass.
_WIDER: Final = 1e-9
#: Rounds of the ascent, and after how many arcs are chosen anew where not all of them are looked at.
_ROUNDS: Final = 800
_LOOK: Final = 20
#: Units up to which all arcs are looked at; and how many are of more, as multiples of a territory's.
_ALL, _REACH = 400, 3.0


@dataclass(frozen=True, eq=False)
class UnitDual:
    """Prices of points and what they prove of centres at candidates.

    Attributes
    ----------
    bound : float
        No choice of k candidates and shares within the bands costs less.
    price : float array of shape (n,)
    value : float array of shape (q,)
        What each candidate costs less what it is paid, at these prices.
    end : float array of shape (q,)
        Its price of load (see `lagrange_kernels`); -inf where no share is within the band.
    """

    bound: float
    price: FloatArray
    value: FloatArray
    end: FloatArray


def common_band(load: FloatArray, lower: Any, upper: Any, k: int) -> tuple[float, float]:
    """Return one band that holds for every territory: of the widest of all, what the others' limits leave of it."""
    low, high = float(np.min(lower)), float(np.max(upper))
    total = float(load.sum())
    low, high = max(low, total - (k - 1) * high), min(high, total - (k - 1) * low)
    return max(0.0, low - _WIDER * abs(low)), high + _WIDER * abs(high)


def unit_center_bound(
    cost: FloatArray,
    load: FloatArray,
    lower: Any,
    upper: Any,
    *,
    k: int,
    rounds: int = _ROUNDS,
    deadline: float = float("inf"),
) -> float:
    """Return a lower bound on the cost of k territories with centres at units; `unit_center_dual`, the bound alone."""
    return unit_center_dual(cost, load, lower, upper, k=k, rounds=rounds, deadline=deadline).bound


def unit_center_dual(
    cost: FloatArray,
    load: FloatArray,
    lower: Any,
    upper: Any,
    *,
    k: int,
    own: bool = True,
    price: FloatArray | None = None,
    size: float | None = None,
    rounds: int = _ROUNDS,
    deadline: float = float("inf"),
) -> UnitDual:
    """Return prices of the units, and the bound on k territories with centres at candidates that they prove.

    Parameters
    ----------
    cost : float array of shape (n, q)
        What it costs that i is in the territory of candidate j; inf: it must not be.
    load : float array of shape (n,)
    lower, upper : float, or float arrays of shape (k,)
        As for `free_center_dual`.
    k : int, k <= q
    own : bool
        Candidates are the units themselves (q = n), and each belongs to its own territory, if it is a centre.
    price : float array of shape (n,), optional
        To begin with.
    size : float, optional
        What a territory costs, roughly.
    rounds : int
    deadline : float
        Monotonic seconds.

    Returns
    -------
    UnitDual

    Notes
    -----
    O(n q) memory; a round O(k-th part of that), some of them all of it.
    """
    a = np.array(load, dtype=np.float64)
    low, high = common_band(a, lower, upper, k)
    n, q = cost.shape
    across = np.ascontiguousarray(np.asarray(cost, dtype=np.float64).T)
    finite = np.isfinite(across)
    near = np.where(finite, across, np.inf)
    if size is None:
        size = _rough_size(near, k)
    # a price that nobody can pay stands for inf; sums with it stay exact enough
    never = 1e3 * max(size * k, float(near[finite].max(initial=0.0)), 1e-300)
    across = np.where(finite, across, never)
    self_of = np.arange(q, dtype=np.int32) if own else np.full(q, -1, dtype=np.int32)
    order = np.sort(near, axis=0)
    u = order[min(q - 1, max(1, q // (2 * k)))].copy() if price is None else np.array(price, dtype=np.float64)
    u = np.where(np.isfinite(u), u, size)
    m = n if n <= _ALL else min(n, int(np.ceil(_REACH * n / k)))
    none = np.empty((n, 0)), np.empty((q, 0))
    ascent = Ascent(u, a, np.ones(n), low, high, k=k, x=none[0], most=1)

    def arcs(u: FloatArray) -> Candidates:
        if m == n:
            item = np.tile(np.arange(n, dtype=np.int32), (q, 1))
        else:
            ratio = np.where(a > 0, across - u, 0.0) / np.where(a > 0, a, 1.0)
            item = np.sort(np.argpartition(ratio, m - 1, axis=1)[:, :m], axis=1).astype(np.int32)
        held = across if m == n else np.take_along_axis(across, item.astype(np.int64), axis=1)
        return Candidates(np.ascontiguousarray(held), item, none[1], self_of)

    best = unit_values(across, a, u, low, high, k, self_of)
    now = arcs(u)
    ascent.fresh(now)
    for i in range(rounds):
        mu = size * smoothing(i / rounds)
        guess = ascent.price(now, mu)
        if np.isfinite(ascent.lifted).sum() < k:
            break
        if m == n and guess > best.bound:
            best = unit_values(across, a, ascent.u, low, high, k, self_of, least=best)
        ascent.step(now, mu)
        if m < n and (i + 1) % _LOOK == 0:
            best = unit_values(across, a, ascent.u, low, high, k, self_of, least=best)
            now = arcs(ascent.u)
            ascent.fresh(now)
        if monotonic() >= deadline:
            break
    return best


def unit_values(
    across: FloatArray,
    load: FloatArray,
    u: FloatArray,
    low: float,
    high: float,
    k: int,
    self_of: IdxArray,
    *,
    least: UnitDual | None = None,
) -> UnitDual:
    """Return what prices prove, all candidates priced with all points; or `least`, if that proves more. O(n q)."""
    q, n = across.shape
    value, end, part, lifted = (np.empty(q) for _ in range(4))
    priced(
        np.ascontiguousarray(across), np.tile(np.arange(n, dtype=np.int32), (q, 1)), load, np.ones(n),
        np.ascontiguousarray(u), np.empty((n, 0)), np.empty((q, 0)), self_of, low, high, np.arange(q, dtype=np.int64),
        value, end, part, lifted,
    )  # fmt: skip
    chosen = np.sort(value)[:k]
    bound = float(u.sum() + chosen.sum())
    if np.isfinite(bound):
        bound -= ROUNDING * (float(np.abs(u).sum()) + float(np.abs(chosen).sum()))
    return least if least is not None and least.bound >= bound else UnitDual(bound, u.copy(), value, end)


def _rough_size(near: FloatArray, k: int) -> float:
    """Return what a territory costs, roughly: with the candidates that a greedy choice takes."""
    best = np.full(near.shape[1], np.inf)
    for _ in range(k):
        total = np.minimum(near, best[None]).sum(axis=1)
        if not np.isfinite(total).any():
            total = np.where(np.isfinite(near), 0.0, 1.0).sum(axis=1)
        best = np.minimum(best, near[int(np.argmin(total))])
    return max(float(best[np.isfinite(best)].sum()) / k, 1e-300)
