"""Each sense of compactness is better kept by who asks for it than by who asks for squared distances."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from territory import BasicUnits, Customers, InputError, check_alignment, design_territories
from territory.design.repair import beside
from territory.geo.sphere import great_circle_m

N, K = 600, 6


def towns(seed):
    """Place half of the customers in a few towns, and half anywhere."""
    rng = np.random.default_rng(seed)
    town = rng.uniform([8, 48], [12, 52], (5, 2))
    near = town[rng.integers(5, size=N // 2)] + rng.normal(0, 0.15, (N // 2, 2))
    at = np.concatenate([near, rng.uniform([8, 48], [12, 52], (N - N // 2, 2))])
    return Customers(
        id=[f"c{i}" for i in range(N)], lon=at[:, 0], lat=at[:, 1], workload_s=rng.lognormal(8, 0.5, N)
    )  # fmt: skip


def distance(made):
    """Return the weighted distance to the weighted means of the territories, kilometres."""
    c, w, j = made.customers, made.customers.workload_s, made.territory_idx
    return w @ great_circle_m(c.lon, c.lat, made.center_lon[j], made.center_lat[j]) / w.sum() / 1000


def reach(made):
    c, w, j = made.customers, made.customers.workload_s, made.territory_idx
    away = great_circle_m(c.lon, c.lat, made.center_lon[j], made.center_lat[j]) / 1000
    return sum(w[j == t].sum() * away[j == t].max() ** 2 for t in range(len(made)))


def perimeter(made):
    near = beside(None, made.customers.lon, made.customers.lat)
    start = np.repeat(np.arange(len(made.customers)), np.diff(near.indptr))
    return int((made.territory_idx[start] != made.territory_idx[near.indices]).sum())


@pytest.mark.parametrize(
    ("name", "measured", "gain"),
    [("distance", distance, 0.9999), ("reach", reach, 0.995), ("perimeter", perimeter, 0.9)],
)
def test_what_is_asked_for_is_smaller(name, measured, gain):
    plain, asked = [], []
    for seed in range(4):
        customers = towns(seed)
        # what a busy machine leaves undone says nothing
        asked_for = {"n_territories": K, "balance": {"workload_s": 0.05}, "time_limit_s": 300}
        usual = design_territories(customers, **asked_for)
        other = design_territories(customers, **asked_for, compactness=name)
        assert check_alignment(other).ok
        plain.append(measured(usual))
        asked.append(measured(other))
    assert np.mean(asked) < gain * np.mean(plain)
    assert name == "distance" or usual.objective <= other.objective * 1.001


def test_borders_of_units_count_by_their_length():
    # a strip two units high: the short way across is cheap, the long border between the rows dear
    width, cells = [0.1, 1.0, 0.1, 1.0, 0.1, 1.0], []
    x = 10.0
    for w in width:
        cells += [shapely.box(x, 0, x + w, 0.05), shapely.box(x, 0.05, x + w, 0.1)]
        x += w
    units = BasicUnits.from_frame({"id": [f"u{i:02d}" for i in range(12)], "geometry": cells})
    made = design_territories(units, n_territories=2, balance={"count": 0.01}, compactness="perimeter")
    assert len(set(made.territory_idx[[0, 1]].tolist())) == 1
    assert made.territory_idx.reshape(-1, 2).tolist() in ([[0, 0]] * 3 + [[1, 1]] * 3, [[1, 1]] * 3 + [[0, 0]] * 3)


def test_another_word_is_refused():
    with pytest.raises(InputError, match="compactness: expected one of squared, distance"):
        design_territories(towns(0), n_territories=2, compactness="round")
