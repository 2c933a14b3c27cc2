"""Random numbers that belong to a row, not to its place in a table.

Every draw is a hash of the row's own number (its GeoNames or OpenStreetMap id), the seed, and what it
is drawn for. So the same row gets the same values in any order of rows and in any part of the
table, a new column disturbs no other, and the values are the same on every machine.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import InputError, Problem
from territory.geo.sphere import great_circle_m

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["checked_seed", "choose", "draw_spread", "nearest_owner", "uniform"]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_BALANCING_STEPS: Final = (1.0,) * 8 + (0.5,) * 8 + (0.25,) * 4


def checked_seed(seed: int) -> int:
    """Return `seed`; raise `InputError` unless it is a whole number >= 0."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError([Problem("bad-seed", f"expected a whole number >= 0, got {seed!r}", "seed")], "dataset")
    return int(seed)


def _mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    # SplitMix64's finaliser. Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators",
    # OOPSLA; constants of Stafford's variant 13. Unsigned arrays wrap around in silence, as it wants.
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


def uniform(key: NDArray[np.int64], seed: int, what: str) -> NDArray[np.float64]:
    """Draw a number for each row, uniform in [0, 1).

    Parameters
    ----------
    key : int64 array of shape (n,)
        The rows' own numbers.
    seed : int
    what : str
        The name of the draw; draws of different names are independent.

    Returns
    -------
    float64 array of shape (n,)
        Multiples of 2**-53.
    """
    digest = hashlib.blake2b(f"{seed}/{what}".encode(), digest_size=8).digest()
    start = np.uint64(int.from_bytes(digest, "little"))
    bits = _mixed(_mixed(key.astype(np.uint64) * _GOLDEN + start) + _GOLDEN)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def choose(u: NDArray[np.float64], weights: Sequence[float]) -> NDArray[np.intp]:
    """Turn uniform numbers into choices: i with probability ``weights[i] / sum(weights)``."""
    bounds = np.cumsum(np.asarray(weights, dtype=np.float64))
    return np.searchsorted(bounds[:-1] / bounds[-1], u, side="right")


def draw_spread(
    key: NDArray[np.int64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    n: int,
    area_m2: float,
    seed: int,
    what: str,
) -> NDArray[np.intp]:
    """Draw n places with probability by weight, none too near to another.

    They keep 0.45 of the side of the square that each would have of the whole area.

    A draw without replacement by exponential races (Efraimidis & Spirakis 2006, "Weighted random
    sampling with a reservoir", Information Processing Letters 97), so that the order of rows plays
    no part; places too near to an earlier one are passed over. When the places run out, the spacing
    is halved. Cost: O(n) great circles of all places, and again for each halving.

    Parameters
    ----------
    key : int64 array of shape (m,)
    lon, lat : float64 arrays of shape (m,), degrees
    weight : float64 array of shape (m,), >= 0
    n : int                    1 <= n <= number of places with a weight
    area_m2 : float            square metres
    seed : int
    what : str                 as in `uniform`

    Returns
    -------
    intp array of shape (n,)   positions, in the order drawn
    """
    able = np.flatnonzero(weight > 0)
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not 1 <= n <= len(able):
        message = f"expected a whole number from 1 to {len(able)}, got {n!r}"
        raise InputError([Problem("bad-n-reps", message, "n_reps")], "dataset")
    spacing_m = 0.45 * (area_m2 / n) ** 0.5
    race = -np.log(1.0 - uniform(key[able], seed, what)) / weight[able]
    order = able[np.lexsort((key[able], race))]
    drawn: list[int] = []
    while len(drawn) < n:
        far = np.ones(len(lon), dtype=bool)
        for i in drawn:
            far &= great_circle_m(lon[i], lat[i], lon, lat) >= spacing_m
        far[drawn] = False
        for i in order.tolist():
            if len(drawn) == n:
                break
            if far[i]:
                drawn.append(i)
                far &= great_circle_m(lon[i], lat[i], lon, lat) >= spacing_m
                far[i] = False
        spacing_m = spacing_m / 2 if spacing_m > 1.0 else 0.0
    return np.asarray(drawn, dtype=np.intp)


def nearest_owner(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    rep_lon: NDArray[np.float64],
    rep_lat: NDArray[np.float64],
    *,
    load: NDArray[np.float64],
    drift: NDArray[np.float64],
    second: NDArray[np.bool_],
    able: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """Make an alignment as companies have it: once fair, drifted since.

    Customers go to the rep with the least squared distance plus a price (a power diagram). A few
    rounds of raising the prices of the busy and lowering those of the idle come near to balance; then
    each price drifts.

    Parameters
    ----------
    lon, lat : float64 arrays of shape (n,), degrees
    rep_lon, rep_lat : float64 arrays of shape (k,), degrees
    load : float64 array of shape (n,)
        Whole numbers, so that their sums don't depend on the order of rows.
    drift : float64 array of shape (k,)
        Added to the prices, in units of the median squared distance to the nearest rep: below 0 a
        territory grows, above it shrinks.
    second : bool array of shape (n,)
        Customers that went to the second nearest for some reason of the past.
    able : bool array of shape (n, k)
        Which reps may serve a customer; at least one each.

    Returns
    -------
    intp array of shape (n,)
    """
    squared = great_circle_m(lon[:, None], lat[:, None], rep_lon, rep_lat) ** 2
    squared[~able] = np.inf
    n_reps = len(rep_lon)
    unit = float(np.median(squared.min(axis=1)))
    price = np.zeros(n_reps)
    fair = load.sum() / n_reps
    for step in _BALANCING_STEPS:
        loads = np.bincount((squared + price).argmin(axis=1), weights=load, minlength=n_reps)
        price += step * unit * np.clip(loads / fair - 1.0, -1.0, 1.0)
    cost = squared + (price + unit * drift)
    owner = cost.argmin(axis=1)
    rows = np.arange(len(lon))
    first = squared[rows, owner]
    cost[rows, owner] = np.inf
    other = cost.argmin(axis=1)
    # a second choice more than twice as far away would be no history but a mistake
    near = squared[rows, other] <= 4.0 * first
    chosen: NDArray[Any] = np.where(second & near, other, owner)
    return chosen
