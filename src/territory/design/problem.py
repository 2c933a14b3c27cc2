"""Territory design as arrays: what the steps of the method hand to one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.geo.sphere import EARTH_RADIUS_M, unit_vectors

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.model.arrays import BoolArray, FloatArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = [
    "DesignProblem",
    "canonical_customers",
    "canonical_reps",
    "free_customers",
    "on_sphere",
]


@dataclass(frozen=True, eq=False)
class DesignProblem:
    """Customers to be shared out among k territories; every customer can be served by somebody.

    Attributes
    ----------
    xyz : float array of shape (n, 3), metres
        Places on the sphere; squared chords between them are the distances that are kept small.
    weight : float array of shape (n,)
        The first balance measure, by which distances are weighted.
    measures : float array of shape (n, m)
        All balance measures; the first column is `weight`.
    share : float array of shape (k,)
        Share of the whole that each territory should hold; adds up to 1.
    tolerance : float array of shape (m,)
        Allowed deviation, a share of the target.
    eligible : bool array of shape (n, k), or None where everybody may serve everybody
        Locks, skills and forbidden reps; and islands, where every territory lies on one of them.
    free : bool array of shape (n,), optional
        Whom contiguity concerns. Default: those whom everybody may serve.
    """

    xyz: FloatArray
    weight: FloatArray
    measures: FloatArray
    share: FloatArray
    tolerance: FloatArray
    eligible: BoolArray | None
    free: BoolArray | None = None

    @property
    def n(self) -> int:
        """Number of customers."""
        return len(self.xyz)

    @property
    def k(self) -> int:
        """Number of territories."""
        return len(self.share)

    @property
    def targets(self) -> FloatArray:
        """What each territory should hold of each measure, shape (k, m)."""
        return np.asarray(self.share[:, None] * self.measures.sum(axis=0)[None, :])


def free_customers(problem: DesignProblem) -> BoolArray:
    """Return which customers every rep may serve, bool of shape (n,): those that contiguity concerns."""
    if problem.free is not None:
        return problem.free
    if problem.eligible is None:
        return np.ones(problem.n, dtype=bool)
    return np.asarray(problem.eligible.all(axis=1), dtype=bool)


def on_sphere(lon: FloatArray, lat: FloatArray) -> FloatArray:
    """Return places as points of the sphere in metres, shape (n, 3)."""
    return unit_vectors(lon, lat) * EARTH_RADIUS_M


def canonical_customers(customers: Customers, measures: FloatArray, eligible: BoolArray | None) -> IdxArray:
    """Return the customers in an order that neither rows nor, as far as it goes, ids decide.

    They are ordered by place, measures and eligible reps; ids decide between those who agree in all
    of it, so that permuted rows give the permuted answer, and other names give the same one. O(n log n).
    """
    keys: list[npt.NDArray[Any]] = [customers.id.argsort(kind="stable").argsort(kind="stable")]
    if eligible is not None:
        _, pattern = np.unique(eligible, axis=0, return_inverse=True)
        keys.append(pattern.reshape(-1))
    keys += [measures[:, m] for m in reversed(range(measures.shape[1]))]
    return np.lexsort([*keys, customers.lat, customers.lon]).astype(np.int32)


def canonical_reps(reps: Reps, eligible: BoolArray | None) -> IdxArray:
    """Return the reps in an order by home, capacity and how many they may serve; ids decide last. O(r log r)."""
    keys: list[npt.NDArray[Any]] = [reps.id.argsort(kind="stable").argsort(kind="stable")]
    if eligible is not None:
        keys.append(eligible.sum(axis=0))
    if reps.capacity_s is not None:
        keys.append(reps.capacity_s)
    return np.lexsort([*keys, reps.lat, reps.lon]).astype(np.int32)
