"""Districts and clusters: readers and verifiers of ``tdp``, ``cccp`` and ``cpmp`` files.

The verifiers know nothing of how an answer was found: they recompute limits and objective from the file.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.instances.common import TOLERANCE, BrokenRouteError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Clusters", "Districts", "read_clusters", "read_districts", "verify_cccp", "verify_cpmp", "verify_tdp"]


@dataclass(frozen=True, eq=False)
class Districts:
    """A commercial territory design: p connected districts, each total of each measure within a share of the mean.

    Attributes
    ----------
    xy : float array of shape (n, 2)
    measures : float array of shape (n, 3)
    edges : int array of shape (m, 2)
    p : int
    tolerance : float array of shape (3,)
    """

    xy: NDArray[np.float64]
    measures: NDArray[np.float64]
    edges: NDArray[np.int64]
    p: int
    tolerance: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Clusters:
    """Capacitated clusters: at most p of them, each with a total demand within the capacity.

    Attributes
    ----------
    xy : float array of shape (n, 2)
    demand : float array of shape (n,)
    capacity : float
    p : int
    whole : bool
        Distances are rounded down.
    """

    xy: NDArray[np.float64]
    demand: NDArray[np.float64]
    capacity: float
    p: int
    whole: bool


def _numbers(path: Path) -> NDArray[np.float64]:
    return np.array(path.read_text(encoding="utf-8").split(), dtype=np.float64)


def read_districts(path: Path) -> Districts:
    """Read a file of the ``tdp`` family."""
    numbers = _numbers(path)
    n = int(numbers[0])
    rows = numbers[1 : 1 + 7 * n].reshape(n, 7)
    at = 1 + 7 * n
    m = int(numbers[at])
    edges = numbers[at + 1 : at + 1 + 2 * m].reshape(m, 2).astype(np.int64)
    at += 1 + 2 * m
    if not np.array_equal(rows[:, 0], np.arange(n)) or edges.min() < 0 or edges.max() >= n:
        msg = f"{path.name}: units or edges are not numbered 0 to {n - 1}"
        raise ValueError(msg)
    return Districts(rows[:, 1:3].copy(), rows[:, 3:6].copy(), edges, int(numbers[at]), numbers[at + 2 : at + 5])


def read_clusters(path: Path, *, p: int | None = None, whole: bool = False) -> Clusters:
    """Read a file of the ``cccp`` or ``cpmp`` family; `p` replaces the file's."""
    numbers = _numbers(path)
    n = int(numbers[0])
    rows = numbers[2 : 2 + 4 * n].reshape(n, 4)
    if not (rows[:, 2] == rows[0, 2]).all():
        msg = f"{path.name}: capacities differ"
        raise ValueError(msg)
    return Clusters(rows[:, :2].copy(), rows[:, 3].copy(), float(rows[0, 2]), p or int(numbers[1]), whole)


def _groups(assignment: Any, n: int, p: int) -> list[list[int]]:
    if len(assignment) != n:
        msg = f"{len(assignment)} of {n} points are assigned"
        raise BrokenRouteError(msg)
    groups: list[list[int]] = [[] for _ in range(p)]
    for i, c in enumerate(assignment):
        if not 0 <= c < p:
            msg = f"point {i} is in cluster {c} of {p}"
            raise BrokenRouteError(msg)
        groups[c].append(i)
    return groups


def _distances(xy: NDArray[np.float64], i: int, members: list[int]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.hypot(xy[members, 0] - xy[i, 0], xy[members, 1] - xy[i, 1])
    return found


def verify_tdp(districts: Districts, assignment: Any, centers: Any) -> float:
    """Return the sum of distances to the districts' medians.

    Raises
    ------
    BrokenRouteError
        A unit in no district, a district that is empty, out of balance or in parts, or a median of another district.
    """
    d = districts
    groups = _groups(assignment, len(d.xy), d.p)
    near: list[list[int]] = [[] for _ in range(len(d.xy))]
    for a, b in d.edges.tolist():
        near[a].append(b)
        near[b].append(a)
    mean = d.measures.sum(axis=0) / d.p
    total = 0.0
    for c, members in enumerate(groups):
        if not members or assignment[centers[c]] != c:
            msg = f"district {c} is empty, or its median is not in it"
            raise BrokenRouteError(msg)
        off = np.abs(d.measures[members].sum(axis=0) - mean) - d.tolerance * mean
        if (off > TOLERANCE).any():
            msg = f"district {c} is out of balance in measure {int(off.argmax())}, by {off.max():g}"
            raise BrokenRouteError(msg)
        seen, queue = {members[0]}, deque([members[0]])
        while queue:
            for j in near[queue.popleft()]:
                if assignment[j] == c and j not in seen:
                    seen.add(j)
                    queue.append(j)
        if len(seen) < len(members):
            msg = f"district {c} is in parts"
            raise BrokenRouteError(msg)
        total += float(_distances(d.xy, centers[c], members).sum())
    return total


def _within_capacity(clusters: Clusters, groups: list[list[int]]) -> None:
    for c, members in enumerate(groups):
        over = float(clusters.demand[members].sum()) - clusters.capacity
        if over > TOLERANCE:
            msg = f"cluster {c} is above its capacity by {over:g}"
            raise BrokenRouteError(msg)


def verify_cccp(clusters: Clusters, assignment: Any, centers: Any) -> float:
    """Return the sum of distances to the clusters' own centroids.

    Raises
    ------
    BrokenRouteError
        A point in no cluster, a cluster above its capacity, or a centre that is not its centroid.
    """
    groups = _groups(assignment, len(clusters.xy), clusters.p)
    _within_capacity(clusters, groups)
    total = 0.0
    for c, members in enumerate(groups):
        if members:
            middle = clusters.xy[members].mean(axis=0)
            if not np.allclose(middle, centers[c], rtol=1e-6, atol=TOLERANCE):
                msg = f"the centre of cluster {c} is not its centroid"
                raise BrokenRouteError(msg)
            gap = clusters.xy[members] - middle
            total += float(np.hypot(gap[:, 0], gap[:, 1]).sum())
    return total


def verify_cpmp(clusters: Clusters, assignment: Any, centers: Any) -> float:
    """Return the sum of distances to the clusters' medians.

    Raises
    ------
    BrokenRouteError
        A point in no cluster, a cluster above its capacity, or a median that is no member.
    """
    groups = _groups(assignment, len(clusters.xy), clusters.p)
    _within_capacity(clusters, groups)
    total = 0.0
    for c, members in enumerate(groups):
        if members:
            if assignment[centers[c]] != c:
                msg = f"the median of cluster {c} is not in it"
                raise BrokenRouteError(msg)
            far = _distances(clusters.xy, centers[c], members)
            total += float((np.floor(far + 1e-9) if clusters.whole else far).sum())
    return total
