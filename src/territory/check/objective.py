"""The objective of an alignment, worked out anew: mean squared chord, mean distance, or mean travel time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.check.measures import first_measure, values_of
from territory.check.report import Violation
from territory.geo.sphere import EARTH_RADIUS_M, great_circle_m
from territory.model.places import Places
from territory.travel.protocol import whole_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray, IntArray

__all__ = ["objective_right"]

#: Sums of a million floats in another order differ by less than this share of them.
_ROUNDING: Final = 1e-9
_UNIT: Final = {"squared": "square metres", "distance": "metres", "travel": "seconds"}


def _chords(lon: FloatArray, lat: FloatArray) -> FloatArray:
    x, y = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)], axis=1) * EARTH_RADIUS_M


def objective_right(a: Alignment, travel: Any = None) -> Iterator[Violation]:
    """Yield centres off the globe, centres that are not where they are said to be, ways that do not exist, a wrong sum.

    Parameters
    ----------
    a : Alignment
    travel : Travel or sparse matrix of seconds, optional
        Without it, travel times are not checked.
    """
    k = len(a)
    lon, lat = np.asarray(a.center_lon, np.float64), np.asarray(a.center_lat, np.float64)
    served = np.flatnonzero(a.territory_idx >= 0)
    if lon.shape != (k,) or lat.shape != (k,):
        yield Violation("center-wrong", f"The centres have shapes {lon.shape} and {lat.shape}, not ({k},).")
        return
    held = np.bincount(a.territory_idx[served], minlength=k) > 0
    away = ~((np.abs(lon) <= 360.0) & (np.abs(lat) <= 90.0)) & held
    for j in np.flatnonzero(away):
        message = f"The centre of territory {a.territory_id[j]} is at longitude {lon[j]}, latitude {lat[j]}."
        yield Violation("center-wrong", message, territory_id=str(a.territory_id[j]))
    weight = values_of(a.customers, first_measure(a))
    if away.any() or weight is None or np.isnan(a.objective):
        return
    metric = a.rules.metric
    if metric == "travel":
        strange = list(_centers_elsewhere(a))
        yield from strange
        if strange or travel is None:
            return
    cost = _costs(a, served, travel)
    for i in served[~np.isfinite(cost)]:
        name = str(a.territory_id[a.territory_idx[i]])
        message = f"There is no way between customer {a.customers.id[i]} and the centre of {name}."
        yield Violation("center-unreachable", message, str(a.customers.id[i]), territory_id=name)
    if not np.isfinite(cost).all():
        return
    total = float(weight[served].sum())
    truth = float(weight[served] @ cost) / total if total > 0 else 0.0
    # a chord is the difference of vectors as long as the Earth's radius: nanometres are lost
    if not abs(a.objective - truth) <= _ROUNDING * truth + (1e-6 if metric == "squared" else 1e-3):
        message = f"The objective is {truth:,.9g} {_UNIT[metric]}, not {a.objective:,.9g}."
        yield Violation("objective-wrong", message, amount=abs(a.objective - truth))


def _costs(a: Alignment, served: IntArray, travel: Any) -> FloatArray:
    """Return what each customer in a territory costs at its centre."""
    of, c = a.territory_idx[served], a.customers
    if a.rules.metric == "travel":
        return _seconds(a, travel)[served]
    if a.rules.metric == "distance":
        return great_circle_m(c.lon[served], c.lat[served], a.center_lon[of], a.center_lat[of])
    chord = _chords(c.lon[served], c.lat[served]) - _chords(a.center_lon, a.center_lat)[of]
    return np.asarray((chord**2).sum(axis=1))


def _centers_elsewhere(a: Alignment) -> Iterator[Violation]:
    """Yield centres that are not where the customer or home is that they are said to be."""
    n, n_reps = len(a.customers), 0 if a.reps is None else len(a.reps)
    at = a.rules.center_idx
    if at is None or not ((at >= 0) & (at < n + n_reps)).all():
        yield Violation("center-wrong", "The centres of travel are no customers or homes of reps.")
        return
    lon, lat = a.customers.lon, a.customers.lat
    if a.reps is not None:
        lon, lat = np.concatenate([lon, a.reps.lon]), np.concatenate([lat, a.reps.lat])
    for j in np.flatnonzero(great_circle_m(lon[at], lat[at], a.center_lon, a.center_lat) > 1e-2):
        message = f"The centre of territory {a.territory_id[j]} is not where customer or home number {at[j]} is."
        yield Violation("center-wrong", message, territory_id=str(a.territory_id[j]))


def _seconds(a: Alignment, travel: Any) -> FloatArray:
    """Return the mean of there and back between each customer and its centre, (n,); infinite where there is no way."""
    n, out = len(a.customers), np.zeros(len(a.customers))
    at = np.zeros(0, dtype=np.int32) if a.rules.center_idx is None else a.rules.center_idx
    places = a.customers.places()
    if a.reps is not None:
        places = Places.concat([places, a.reps.places()])
    graph = _ways(a, travel, n) if hasattr(travel, "tocoo") else None
    for j in range(len(a)):
        mine = np.flatnonzero(a.territory_idx == j)
        if not len(mine):
            continue
        if graph is not None:
            from scipy.sparse.csgraph import dijkstra  # noqa: PLC0415 - only for sparse ways

            out[mine] = dijkstra(graph, indices=int(at[j]))[mine]
            continue
        center, there = places.take(at[j : j + 1]), places.take(mine)
        go, back = travel.matrix(center, there), travel.matrix(there, center)
        mean = 0.5 * (go.durations_s[0] + back.durations_s[:, 0].astype(np.float64))
        out[mine] = np.where(go.reachable[0] & back.reachable[:, 0], mean, np.inf)
    return out


def _ways(a: Alignment, travel: Any, n: int) -> Any:
    """Return the graph of the ways between customers in territories, and homes if they are known."""
    from scipy.sparse import csr_array  # noqa: PLC0415 - only for sparse ways

    matrix = csr_array(travel)
    size = matrix.shape[0]
    known = np.zeros(size, dtype=bool)
    known[:n] = a.territory_idx >= 0
    known[n:] = True
    legs: dict[tuple[int, int], list[int]] = {}
    matrix.sum_duplicates()
    coo = matrix.tocoo()
    for i, j, s in zip(coo.row.tolist(), coo.col.tolist(), coo.data.tolist(), strict=True):
        if i != j and known[i] and known[j] and np.isfinite(s):
            legs.setdefault((min(i, j), max(i, j)), []).append(int(whole_seconds(np.array([float(s)]))[0]))
    ends = np.array(list(legs), dtype=np.int64).reshape(-1, 2)
    mean = np.array([np.mean(v) for v in legs.values()])
    both = (np.r_[ends[:, 0], ends[:, 1]], np.r_[ends[:, 1], ends[:, 0]])
    return csr_array((np.r_[mean, mean], both), shape=(size, size))
