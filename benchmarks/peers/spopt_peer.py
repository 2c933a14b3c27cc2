"""spopt: region k-means (connected regions of like places, unbalanced) and max-p (as many regions above a threshold).

Neither shares out a given weight among a given number of territories: region k-means is given the number, max-p the
least weight, and finds the number. Max-p is for small n: its local search moves one area at a time.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PACKAGE", "max_p", "region_kmeans"]

PACKAGE = "spopt"


def region_kmeans(places: NDArray[np.float64], k: int, seed: int) -> NDArray[np.int64]:
    """Return the label of each of the places, shape (n, 2), in k connected regions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from spopt.region import RegionKMeansHeuristic  # noqa: PLC0415

        model = RegionKMeansHeuristic(places, k, _neighbours(places), seed=seed)
        model.solve()
    return np.asarray(model.labels_, dtype=np.int64)


def max_p(
    places: NDArray[np.float64], weight: NDArray[np.float64], k: int, tolerance: float, seed: int
) -> NDArray[np.int64]:
    """Return the label of each of the places in connected regions that hold the least weight of a territory."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import geopandas  # noqa: PLC0415
        from spopt.region import MaxPHeuristic  # noqa: PLC0415

        frame = geopandas.GeoDataFrame(
            {"x": places[:, 0], "y": places[:, 1], "weight": weight},
            geometry=geopandas.points_from_xy(places[:, 0], places[:, 1]),
        )
        # it draws from the global generators
        np.random.seed(seed)  # noqa: NPY002
        least = float(weight.sum() / k * (1 - tolerance))
        model = MaxPHeuristic(frame, _neighbours(places), ["x", "y"], "weight", least, top_n=2)
        model.solve()
    return np.unique(np.asarray(model.labels_), return_inverse=True)[1].astype(np.int64)


def _neighbours(places: NDArray[np.float64]) -> Any:
    from libpysal.weights import W  # noqa: PLC0415
    from scipy.spatial import Delaunay  # noqa: PLC0415

    begin, beside = Delaunay(places).vertex_neighbor_vertices
    return W({i: beside[begin[i] : begin[i + 1]].tolist() for i in range(len(places))}, silence_warnings=True)
