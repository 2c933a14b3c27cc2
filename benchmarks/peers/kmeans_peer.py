"""k-means-constrained, which balances counts by a minimum-cost flow; and scikit-learn's KMeans, which balances nothing.

Both are given their centred places. ``n_init`` is the number of starts: 10 is what k-means-constrained does by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CONSTRAINED", "PLAIN", "constrained", "plain"]

CONSTRAINED, PLAIN = "k_means_constrained", "sklearn"


def constrained(places: NDArray[np.float64], k: int, tolerance: float, seed: int, *, n_init: int) -> NDArray[np.int64]:
    """Return the label of each of the places, shape (n, d); counts within a tolerance of n / k."""
    from k_means_constrained import KMeansConstrained  # noqa: PLC0415

    each = len(places) / k
    low, high = int(np.ceil(each * (1 - tolerance))), int(np.floor(each * (1 + tolerance)))
    model = KMeansConstrained(k, size_min=low, size_max=high, n_init=n_init, random_state=seed)
    return np.asarray(model.fit(places - places.mean(axis=0)).labels_, dtype=np.int64)


def plain(places: NDArray[np.float64], weight: NDArray[np.float64], k: int, seed: int) -> NDArray[np.int64]:
    """Return the label of each of the places, shape (n, d), with weights (n,), unbalanced; one start."""
    from sklearn.cluster import KMeans  # noqa: PLC0415

    model = KMeans(k, n_init=1, random_state=seed).fit(places - places.mean(axis=0), sample_weight=weight)
    return np.asarray(model.labels_, dtype=np.int64)
