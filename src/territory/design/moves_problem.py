"""A problem of the local search, and the arrays that its kernels take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.compiled.tables import Tables
from territory.design.moves import build, recount
from territory.design.moves_layout import CENTROID, FIXED, MEDIAN, PERIMETER, REACH, SQUARED

if TYPE_CHECKING:
    from territory.model.arrays import BoolArray, FloatArray, IdxArray

__all__ = ["OBJECTIVES", "Graph", "LocalProblem", "data_of", "state_of"]

OBJECTIVES = {
    "fixed": FIXED, "squared": SQUARED, "centroid": CENTROID, "median": MEDIAN, "perimeter": PERIMETER, "reach": REACH,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Graph:
    """A symmetric graph as rows of neighbours (CSR), without loops.

    Attributes
    ----------
    indptr : int64 array of shape (nodes + 1,)
    indices : int32 array
    """

    indptr: np.ndarray[Any, np.dtype[np.int64]]
    indices: IdxArray

    @classmethod
    def of_edges(cls, edges: Any, n: int) -> Graph:
        """Return the graph of `n` nodes with given edges, any array of pairs; loops and doubles are dropped."""
        pairs = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        both = np.unique(np.concatenate([pairs[:, 0] * n + pairs[:, 1], pairs[:, 1] * n + pairs[:, 0]]))
        indptr = np.zeros(n + 1, dtype=np.int64)
        np.cumsum(np.bincount(both // n, minlength=n), out=indptr[1:])
        return cls(indptr, (both % n).astype(np.int32))


@dataclass(frozen=True, eq=False, kw_only=True)
class LocalProblem:
    """Customers to be shared out among k territories, as arrays; what the limits are, and what is kept small.

    Attributes
    ----------
    points : float array of shape (n, d)
        Any length unit.
    measures : float array of shape (n, m)
    lower, upper : float arrays of shape (k, m)
        Bands of the totals, hard.
    target : float array of shape (k, m)
        Violations are counted as shares of it; > 0.
    objective : str
        ``"fixed"``: the sum of `given`, or of weight times squared distance to `center`; ``"squared"``: of weight
        times squared distance to the territory's own weighted mean; ``"centroid"``: of weight times distance to
        it; ``"median"``: of weight times distance to the member for which that is least; ``"perimeter"``: the total
        length of the borders between territories; ``"reach"``: the sum over territories of total weight times the
        squared distance of the farthest member to `center`, or to the weighted mean where there is none (d <= 3).
    near : Graph
        Of customers: moves are between those beside each other.
    weight : float array of shape (n,), optional
        > 0; default 1.
    pair : float array of shape (n, n), optional
        Symmetric distances of customers, for ``"median"``; default: those of the points.
    slack : float
        By how much `pair` may break the triangle inequality, as where it is rounded.
    given : float array of shape (n, k), optional
    center : float array of shape (k, d), optional
        For ``"fixed"`` and ``"reach"``.
    eligible : bool array of shape (n, k), optional
    site : int32 array of shape (n,), optional
        Territories must be connected: site of each customer, or -1 where that does not concern him.
    links : Graph, optional
        Of sites.
    apart : Graph, optional
        Of customers who must not share a territory. No move brings more of them together than it parts.
    soft : float array of shape (m,), optional
        Price of a deviation, in units of the objective: the sum over measures of soft times |load / target - 1| is
        part of what each territory costs.
    length : float array, one for each of ``near.indices``, optional
        For ``"perimeter"``: length of the border between two customers, the same both ways; default 1.
    """

    points: FloatArray
    measures: FloatArray
    lower: FloatArray
    upper: FloatArray
    target: FloatArray
    objective: str
    near: Graph
    weight: FloatArray | None = None
    pair: FloatArray | None = None
    slack: float = 0.0
    given: FloatArray | None = None
    center: FloatArray | None = None
    eligible: BoolArray | None = None
    site: IdxArray | None = None
    links: Graph | None = None
    apart: Graph | None = None
    soft: FloatArray | None = None
    length: FloatArray | None = None

    @property
    def n(self) -> int:
        """Number of customers."""
        return len(self.points)

    @property
    def k(self) -> int:
        """Number of territories."""
        return len(self.lower)


def _float(values: Any) -> FloatArray:
    # a copy that may be written: kernels take no other
    return np.array(values, dtype=np.float64, order="C")


def _length(p: LocalProblem) -> FloatArray:
    if p.objective != "perimeter":
        return np.zeros(0)
    return np.ones(len(p.near.indices)) if p.length is None else _float(p.length)


def data_of(problem: LocalProblem) -> tuple[Any, ...]:
    """Return the arrays of a problem, in the order of `moves_layout`. O(size of its arrays)."""
    p = problem
    weight = np.ones(p.n) if p.weight is None else _float(p.weight)
    site = np.empty(0, dtype=np.int32) if p.site is None else np.array(p.site, dtype=np.int32)
    n_sites = int(site.max(initial=-1)) + 1
    placed = np.flatnonzero(site >= 0)
    there = placed[np.argsort(site[placed], kind="stable")].astype(np.int32)
    there_at = np.concatenate([[0], np.cumsum(np.bincount(site[placed], minlength=n_sites))]).astype(np.int64)
    links = Graph(np.zeros(n_sites + 1, dtype=np.int64), np.empty(0, dtype=np.int32)) if p.links is None else p.links
    none = np.empty((0, 0))
    return (
        _float(p.points), none if p.pair is None else _float(p.pair), none if p.given is None else _float(p.given),
        weight, _float(p.measures), _float(p.lower), _float(p.upper), 1.0 / np.maximum(_float(p.target), 1e-300),
        np.empty((0, 0), dtype=np.bool_) if p.eligible is None else np.array(p.eligible, dtype=np.bool_, order="C"),
        np.array(p.near.indptr, dtype=np.int64), np.array(p.near.indices, dtype=np.int32),
        site, there_at, there, np.array(links.indptr, dtype=np.int64), np.array(links.indices, dtype=np.int32),
        np.array([OBJECTIVES[p.objective], p.center is not None and p.objective in {"fixed", "reach"}], dtype=np.int64),
        np.array([p.slack, weight.max(initial=0.0)]),
        np.array(() if p.apart is None else p.apart.indptr, dtype=np.int64),
        np.array(() if p.apart is None else p.apart.indices, dtype=np.int32),
        _float(() if p.soft is None else p.soft), _length(p),
    )  # fmt: skip


def state_of(problem: LocalProblem, data: tuple[Any, ...], label: IdxArray, seed: int) -> Tables:
    """Return the table of a problem and of the state of an assignment.

    O(size of its arrays); of medians O(sum of squared sizes).
    """
    n, k, d = problem.n, problem.k, problem.points.shape[1]
    n_sites = len(data[12]) - 1
    center = np.zeros((k, d)) if problem.center is None else _float(problem.center)
    tables = Tables((
        *data,
        np.array(label, dtype=np.int32), np.zeros(problem.lower.shape), np.zeros(k + 1, dtype=np.int64),
        np.zeros(k, dtype=np.int64), np.zeros(2 * n + 8 * k, dtype=np.int32), np.zeros(n, dtype=np.int64), center,
        np.zeros(k), np.zeros(k), np.zeros(k), np.zeros(n), np.zeros(k, dtype=np.int64), np.zeros((k, d)),
        np.zeros((k, d * d)), np.zeros(n, dtype=np.int32), np.zeros(n, dtype=np.int32),
        np.full(n, -1, dtype=np.int32), np.zeros(n_sites, dtype=np.int64), np.zeros(n_sites, dtype=np.int32),
        np.zeros(3, dtype=np.int64), np.zeros(2), np.array([seed], dtype=np.uint64),
        np.zeros(k, dtype=np.int64), np.zeros(k),
    ))  # fmt: skip
    build(tables.table)
    recount(tables.table)
    return tables
