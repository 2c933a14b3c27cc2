"""METIS (pymetis): the Delaunay graph cut into parts of equal weight, the best of its settings.

Territories are compact where few edges between near neighbours are cut, so edges weigh nothing, their closeness, or
its square. k-way partitioning bounds the largest part; recursive bisection does so at each of its levels. Neither
knows a least weight, so tolerances below the one asked for are tried too, and the most compact answer that keeps the
band counts; where none keeps it, the one that comes nearest.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import Delaunay

from benchmarks.record import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["PACKAGE", "answers"]

PACKAGE = "pymetis"
#: METIS takes whole numbers: weights are drawn to a mean of so much, closeness to a median of so much.
_MEAN, _MEDIAN, _MOST = 1000, 100, 100_000
_POWERS = (0, 1, 2)
_WAYS = ("k-way", "recursive")
#: Tolerances in thousandths, as shares of what was asked for.
_SHARES = (1.0, 0.6, 0.3, 0.1)


def answers(
    places: NDArray[np.float64], weight: NDArray[np.float64], k: int, tolerance: float, seed: int
) -> Iterator[tuple[NDArray[np.int64], dict[str, Any], Clock]]:
    """Yield a label of each place, settings, and the time of that one run with its graph, for each of the settings.

    Parameters
    ----------
    places : float array of shape (n, 2)
        In the plane.
    weight : float array of shape (n,)
    """
    import pymetis  # noqa: PLC0415

    for way, power, share in product(_WAYS, _POWERS, _SHARES):
        with Clock() as clock:
            begin, beside, close = _graph(places, power)
            chosen = pymetis.Options(seed=seed, ufactor=max(1, round(1000 * tolerance * share)))
            _, part = pymetis.part_graph(
                k,
                pymetis.CSRAdjacency(begin, beside),
                vweights=np.maximum(1, np.rint(weight * (_MEAN / weight.mean()))).astype(np.int64),
                eweights=close,
                recursive=way == "recursive",
                options=chosen,
            )
        yield np.asarray(part, dtype=np.int64), {"way": way, "closeness": power, "ufactor_share": share}, clock


def _graph(places: NDArray[np.float64], power: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the Delaunay graph in compressed rows: begin (n + 1,), neighbours and weights (edges,)."""
    triangles = Delaunay(places).simplices
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    pairs = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    length = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)
    usual = float(np.median(length))
    close = _MEDIAN * (usual / np.maximum(length, 1e-3 * usual)) ** power
    begin = np.concatenate([[0], np.cumsum(np.bincount(pairs[:, 0], minlength=len(places)))])
    return begin.astype(np.int64), pairs[:, 1].astype(np.int64), np.clip(np.rint(close), 1, _MOST).astype(np.int64)
