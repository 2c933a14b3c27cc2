from __future__ import annotations

import numpy as np
import pytest
import shapely

from territory.geo.polygons import polygon_adjacency
from territory.maps.areas import map_areas, map_seam, nice_step, unrolled
from territory.maps.palette import PALETTE, colours


@pytest.mark.parametrize("k", [1, 7, 40])
def test_touching_territories_differ_in_colour(k):
    rng = np.random.default_rng(k)
    lon, lat = rng.uniform(9, 12, 900), rng.uniform(48, 50, 900)
    seeds = rng.choice(900, k, replace=False)
    of = np.argmin((lon[:, None] - lon[seeds]) ** 2 + (lat[:, None] - lat[seeds]) ** 2, axis=1)
    areas = map_areas(lon, lat, of, k)
    assert len(areas.polygons) == len(areas.colour_idx) == k
    shared = [
        (a, b)
        for a, b in polygon_adjacency(areas.polygons)
        if areas.polygons[a].intersection(areas.polygons[b]).length > 0
    ]
    assert len(shared) >= k - 1
    assert all(areas.colour_idx[a] != areas.colour_idx[b] for a, b in shared)
    assert areas.colour_idx.max() < len(PALETTE)
    # every territory is labelled inside itself
    assert all(p.contains(shapely.Point(at)) for p, at in zip(areas.polygons, areas.label_lonlat, strict=True))


def test_simpler_borders_still_fit_together():
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(9, 12, 2000), rng.uniform(48, 50, 2000)
    areas = map_areas(lon, lat, (lon > 10).astype(int) + 2 * (lat > 49), 4)
    whole = shapely.union_all(areas.polygons)
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    assert shapely.area(areas.polygons).sum() == pytest.approx(whole.area)


def test_territories_without_customers_are_empty():
    areas = map_areas([9.0, 9.1, 9.0], [48.0, 48.1, 48.2], [1, 1, -1], 4)
    assert [p.is_empty for p in areas.polygons] == [True, False, True, True]
    assert np.isnan(areas.label_lonlat).all(axis=1).tolist() == [True, False, True, True]
    assert map_areas([], [], [], 0).polygons == []
    assert len(map_areas([], [], [], 2).polygons) == 2


def test_a_map_across_the_antimeridian_is_in_one_piece():
    rng = np.random.default_rng(2)
    lon = (rng.uniform(176, 184, 200) + 180) % 360 - 180
    areas = map_areas(lon, rng.uniform(-19, -16, 200), np.zeros(200, int), 1)
    west, _, east, _ = areas.polygons[0].bounds
    assert areas.polygons[0].geom_type == "Polygon"
    assert 174 < west < 177
    assert 183 < east < 186


@pytest.mark.parametrize(
    ("lon", "seam"), [([], -180.0), ([5.0], -180.0), ([-170, 170], 0.0), ([0, 10, 20], -180.0), ([-80, 0, 120], -180.0)]
)
def test_seam(lon, seam):
    assert map_seam(lon) == pytest.approx(seam)
    run = unrolled(lon, map_seam(lon))
    assert np.ptp(run) <= 200 if len(run) else True


def test_longitudes_that_need_no_unrolling_stay_to_the_last_bit():
    assert unrolled([0.1, -179.9, 180.0], -180.0).tolist() == [0.1, -179.9, 180.0]
    assert unrolled([179.0, -179.0], 0.0).tolist() == [179.0, 181.0]


@pytest.mark.parametrize(("length", "step"), [(1.0, 1.0), (9.9, 5.0), (0.021, 0.02), (2000, 2000.0)])
def test_nice_step(length, step):
    assert nice_step(length) == pytest.approx(step)


def test_colours():
    assert colours(0) == []
    assert colours(3) == list(PALETTE[:3])
    assert len(set(colours(30))) == 30
    assert all(len(c) == 7 and int(c[1:], 16) >= 0 for c in colours(45))


def test_the_first_colours_differ_without_red_or_green():
    # Viénot, Brettel & Mollon (1999): what remains of colours for deuteranopes
    rgb = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in PALETTE[:5]]) ** 2.2
    seen = rgb @ np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]).T
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=2)[np.triu_indices(5, 1)]
    assert apart.min() > 0.08
