from __future__ import annotations

import time

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from territory.errors import InputError
from territory.geo.colouring import colour_neighbours
from territory.geo.polygons import outline, polygon_adjacency, territory_polygons


def check_partition(polygons, ground):
    """Valid, oriented, on the map, without overlaps, and together the ground."""
    for polygon in polygons:
        assert polygon.is_valid
        assert polygon.is_empty or (polygon.bounds[0] >= -180 and polygon.bounds[2] <= 180)
        assert all(part.exterior.is_ccw for part in shapely.get_parts(polygon) if not part.is_empty)
    union = shapely.union_all(polygons)
    assert sum(p.area for p in polygons) == pytest.approx(union.area, rel=1e-7)
    # the ground's own straight edges bend a little between the two planes
    assert union.symmetric_difference(ground).area < 1e-3 * ground.area


def owner(polygons, lon, lat):
    hits = [i for i, p in enumerate(polygons) if p.covers(shapely.Point(lon, lat))]
    return hits[0] if len(hits) == 1 else hits


@pytest.mark.parametrize("centre", [(10.0, 50.0), (180.0, -17.0), (-179.9, 66.0), (0.0, 0.0)])
def test_a_partition_with_every_point_in_its_own_territory(centre):
    rng = np.random.default_rng(7)
    lon, lat = centre[0] + rng.normal(0, 1.5, 300), centre[1] + rng.normal(0, 1, 300)
    labels = (np.arctan2(lat - centre[1], lon - centre[0]) * 1.27 + 4).astype(int)
    polygons = territory_polygons(lon, lat, labels)
    assert len(polygons) == labels.max() + 1
    check_partition(polygons, outline(lon, lat))
    wrapped = (lon + 180) % 360 - 180
    assert [owner(polygons, *place) for place in zip(wrapped, lat, strict=True)] == labels.tolist()


def test_the_nearest_point_decides():
    rng = np.random.default_rng(2)
    lon, lat, labels = rng.uniform(9, 10, 40), rng.uniform(50, 51, 40), rng.integers(0, 5, 40)
    polygons = territory_polygons(lon, lat, labels, boundary=shapely.box(9, 50, 10, 51))
    probes = rng.uniform([9, 50], [10, 51], (300, 2))
    stretch = np.cos(np.radians(50.5))
    for x, y in probes:
        gap = np.hypot((lon - x) * stretch, lat - y)
        first, second = np.sort(gap)[:2]
        if second > 1.02 * first:
            assert owner(polygons, x, y) == labels[gap.argmin()]


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        ([10.0], [50.0]),
        ([10.0, 10.1], [50.0, 50.0]),
        ([10.0] * 5, [50.0, 50.1, 50.2, 50.3, 50.4]),
        ([10.0, 10.1, 10.2], [0.0, 0.0, 0.0]),
        ([10.0, 10.0, 10.0], [50.0, 50.0, 50.0]),
        ([179.95, -179.95], [0.0, 0.0]),
        ([0.0, 120.0, -120.0], [89.9, 89.9, 89.9]),
    ],
)
def test_few_collinear_and_coincident_points(lon, lat):
    polygons = territory_polygons(lon, lat, range(len(lon)))
    check_partition(polygons, outline(lon, lat))
    assert not polygons[0].is_empty


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(-1, 3)), max_size=25))
def test_any_points_on_a_grid(rows):
    lon, lat, labels = np.array(rows, dtype=float).reshape(-1, 3).T
    polygons = territory_polygons(lon, lat, labels.astype(int))
    assert len(polygons) == int(max(labels, default=-1)) + 1
    served = labels >= 0
    if served.any():
        check_partition(polygons, outline(lon[served], lat[served]))


def test_the_first_on_a_spot_wins_it():
    polygons = territory_polygons([10.0, 10.0, 11.0], [50.0, 50.0, 50.0], [1, 0, 2])
    assert polygons[0].is_empty
    assert owner(polygons, 10.0, 50.0) == 1


def test_points_without_a_territory_take_no_part():
    polygons = territory_polygons([10.0, 10.1, 10.2], [50.0] * 3, [0, -1, 0])
    assert len(polygons) == 1
    assert polygons[0].covers(shapely.Point(10.1, 50.0))
    assert territory_polygons([10.0], [50.0], [-1]) == []
    assert territory_polygons([], [], []) == []


def test_a_label_that_nobody_has_is_empty():
    polygons = territory_polygons([10.0, 11.0], [50.0, 50.0], [0, 2])
    assert [p.is_empty for p in polygons] == [False, True, False]


def test_a_boundary_of_islands_with_a_hole():
    land = shapely.MultiPolygon(
        [
            shapely.Polygon(shapely.box(5, 45, 10, 50).exterior, [shapely.box(6, 46, 7, 47).exterior]),
            shapely.box(11, 45, 12, 46),
        ]
    )
    lon, lat = np.array([6.0, 9.0, 11.5, 40.0]), np.array([49.0, 46.0, 45.5, 45.0])
    polygons = territory_polygons(lon, lat, [0, 1, 2, 3], boundary=land)
    check_partition(polygons, land)
    assert polygons[3].is_empty


def test_a_boundary_across_the_antimeridian():
    fiji = shapely.MultiPolygon([shapely.box(177, -19, 180, -16), shapely.box(-180, -19, -178, -16)])
    polygons = territory_polygons([178.0, -179.0], [-17.5, -17.5], [0, 1], boundary=fiji)
    check_partition(polygons, fiji)
    assert owner(polygons, 179.9, -17.0) in (0, 1)


def test_the_outline_holds_all_points_with_a_margin():
    rng = np.random.default_rng(4)
    lon, lat = rng.normal(10, 1, 500), rng.normal(50, 1, 500)
    ground = outline(lon, lat)
    assert ground.geom_type == "Polygon"
    assert all(ground.contains(shapely.Point(*place)) for place in zip(lon, lat, strict=True))
    with pytest.raises(InputError, match="no-positions"):
        outline([], [])
    lone = outline([10.0], [0.0])
    assert lone.area == pytest.approx(np.pi * (1_000 / 111_195) ** 2, rel=0.04)


def test_neighbours_get_different_colours():
    rng = np.random.default_rng(6)
    lon, lat = rng.uniform(5, 10, 400), rng.uniform(45, 50, 400)
    labels = (lon - 5).astype(int) * 5 + (lat - 45).astype(int)
    polygons = territory_polygons(lon, lat, labels)
    edges = polygon_adjacency(polygons)
    assert {(0, 1), (0, 5)} <= set(map(tuple, edges.tolist()))
    assert (0, 24) not in set(map(tuple, edges.tolist()))
    colours = colour_neighbours(edges, 25)
    assert (colours[edges[:, 0]] != colours[edges[:, 1]]).all()
    assert polygon_adjacency([]).shape == (0, 2)


def test_ten_thousand_points_take_less_than_two_seconds():
    rng = np.random.default_rng(8)
    lon, lat = rng.uniform(5, 15, 10_000), rng.uniform(47, 55, 10_000)
    labels = (lon - 5).astype(int) * 6 + np.minimum((lat - 47) / 1.34, 5).astype(int)
    start = time.process_time()
    polygons = territory_polygons(lon, lat, labels)
    assert time.process_time() - start < 2.0
    check_partition(polygons, outline(lon, lat))
