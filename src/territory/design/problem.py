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
    lower, upper : float arrays of shape (k, m)
        What each territory must and may hold of each measure; 0 and infinity where there is no limit.
    target : float array of shape (k, m)
        What it should hold; columns add up to those of `measures`.
    eligible : bool array of shape (n, k), or None where everybody may serve everybody
        Locks, skills, forbidden reps and reach; and islands, where every territory lies on one of them.
    free : bool array of shape (n,), optional
        Whom contiguity concerns. Default: those whom everybody may serve.
    soft : float array of shape (m,), optional
        What deviations from the targets cost; see `territory.Balance`.
    apart : int32 array of shape (p, 2), optional
        Customers who must not share a territory.
    """

    xyz: FloatArray
    weight: FloatArray
    measures: FloatArray
    lower: FloatArray
    upper: FloatArray
    target: FloatArray
    eligible: BoolArray | None
    free: BoolArray | None = None
    soft: FloatArray | None = None
    apart: IdxArray | None = None

    @property
    def n(self) -> int:
        """Number of customers."""
        return len(self.xyz)

    @property
    def k(self) -> int:
        """Number of territories."""
        return len(self.target)

    @property
    def tolerance(self) -> FloatArray:
        """How far limits are from the targets, at most, as a share of them, shape (m,); 10 where there are none."""
        scale = np.maximum(self.target, 1e-300)
        widest = np.maximum(self.upper - self.target, self.target - self.lower) / scale
        return np.asarray(np.minimum(np.nan_to_num(widest, nan=10.0, posinf=10.0).max(axis=0, initial=0.0), 10.0))

    def loads(self, label: IdxArray) -> FloatArray:
        """Return what territories hold of each measure, shape (k, m)."""
        columns = [np.bincount(label, column, self.k) for column in self.measures.T]
        return np.stack(columns, axis=1).astype(np.float64)


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
