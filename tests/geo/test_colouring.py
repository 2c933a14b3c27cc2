from __future__ import annotations

import numpy as np
import pytest

from territory.geo.adjacency import point_adjacency
from territory.geo.colouring import colour_neighbours


@pytest.mark.parametrize("n", [1, 2, 30, 400])
def test_neighbours_differ_and_maps_take_few_colours(n):
    rng = np.random.default_rng(n)
    edges = point_adjacency(rng.uniform(0, 1, n), rng.uniform(0, 1, n))
    colours = colour_neighbours(edges, n)
    assert colours.shape == (n,)
    assert (colours[edges[:, 0]] != colours[edges[:, 1]]).all()
    assert colours.max() < 6


def test_known_graphs():
    assert colour_neighbours([], 0).tolist() == []
    assert colour_neighbours([], 3).tolist() == [0, 0, 0]
    assert sorted(colour_neighbours([(0, 1), (1, 2), (0, 2), (2, 2), (1, 0)], 3).tolist()) == [0, 1, 2]
    # a wheel of even rim takes three colours, of odd rim four
    rim = [(i, (i + 1) % 6) for i in range(6)]
    assert colour_neighbours(rim + [(i, 6) for i in range(6)], 7).max() == 2
    rim = [(i, (i + 1) % 5) for i in range(5)]
    assert colour_neighbours(rim + [(i, 5) for i in range(5)], 6).max() == 3
