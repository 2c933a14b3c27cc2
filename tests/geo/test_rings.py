from __future__ import annotations

import numpy as np
import pytest
import shapely

from territory.geo.rings import cut_antimeridian, oriented, polygonal


def bounds_are_on_the_map(geom):
    x0, y0, x1, y1 = geom.bounds
    return x0 >= -180 and x1 <= 180 and y0 >= -90 and y1 <= 90


def test_a_polygon_that_stays_on_the_map_is_returned_as_it_is():
    box = shapely.box(5, 45, 15, 55)
    assert cut_antimeridian(box) is box
    assert cut_antimeridian(shapely.Polygon()).is_empty


@pytest.mark.parametrize("jump", [0.0, 360.0, -360.0])
def test_a_box_across_the_antimeridian_becomes_two(jump):
    """However it was written: with a jump from 179 to -179, or running on to 181 or from -181."""
    east = -179.0 if jump == 0 else 181.0
    box = shapely.Polygon([(179, 10), (east, 10), (east, 20), (179, 20)])
    if jump < 0:
        box = shapely.transform(box, lambda xy: xy - np.array([360.0, 0.0]))
    cut = cut_antimeridian(box)
    assert cut.equals(shapely.MultiPolygon([shapely.box(179, 10, 180, 20), shapely.box(-180, 10, -179, 20)]))


def test_a_hole_across_the_antimeridian_stays_a_hole():
    ring = [(170, 0), (-170, 0), (-170, 20), (170, 20)]
    hole = [(-178, 5), (-178, 15), (178, 15), (178, 5)]
    cut = cut_antimeridian(shapely.Polygon(ring, [hole]))
    assert cut.is_valid
    assert cut.area == pytest.approx(20 * 20 - 4 * 10)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_ring_around_a_pole_takes_the_pole_in(sign):
    lon = np.array([0.0, 60, 120, 180, -120, -60])
    cap = cut_antimeridian(shapely.Polygon(np.stack([lon, np.full(6, 80.0 * sign)], axis=1)))
    assert cap.is_valid
    assert bounds_are_on_the_map(cap)
    assert cap.area == pytest.approx(360 * 10)
    assert cap.covers(shapely.Point(33, 85 * sign))


def test_a_band_around_a_pole():
    lon = np.array([10.0, 70, 130, -170, -110, -50])
    outer, hole = np.stack([lon, np.full(6, 70.0)], axis=1), np.stack([lon + 20, np.full(6, 80.0)], axis=1)
    band = cut_antimeridian(shapely.Polygon(outer, [hole]))
    assert band.is_valid
    assert band.area == pytest.approx(360 * 10)


def test_orientation_for_geojson():
    clockwise = shapely.Polygon([(0, 0), (0, 9), (9, 9), (9, 0)], [[(1, 1), (2, 1), (2, 2), (1, 2)]])
    for part in shapely.get_parts(oriented(shapely.MultiPolygon([clockwise]))):
        assert part.exterior.is_ccw
        assert not part.interiors[0].is_ccw
    assert oriented(clockwise).exterior.is_ccw
    assert oriented(shapely.Polygon()).is_empty


def test_polygonal_keeps_ground_only():
    mixed = shapely.GeometryCollection(
        [shapely.Point(0, 0), shapely.box(0, 0, 1, 1), shapely.LineString([(2, 2), (3, 3)])]
    )
    assert polygonal(mixed).equals(shapely.box(0, 0, 1, 1))
    assert polygonal(shapely.Point(0, 0)).is_empty
    bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    assert polygonal(bow_tie).is_valid
    assert polygonal(bow_tie).area == pytest.approx(0.5)


def test_corners_at_a_pole_become_edges_of_the_map():
    """Three sectors that meet at the pole, and one of 240 degrees, whose corner is seen from the far side."""
    thirds = [
        shapely.Polygon([(-120, 60), (0, 60), (77, 90)]),
        shapely.Polygon([(0, 60), (120, 60), (-5, 90)]),
        shapely.Polygon([(120, 60), (-120, 60), (120, 90)]),
    ]
    cut = [cut_antimeridian(each) for each in thirds]
    assert [each.area for each in cut] == pytest.approx([120 * 30.0] * 3)
    assert shapely.union_all(cut).area == pytest.approx(360 * 30)
    two_thirds = cut_antimeridian(shapely.Polygon([(9, 90), (-120, 60), (-60, 60), (0, 60), (60, 60), (120, 60)]))
    assert two_thirds.area == pytest.approx(240 * 30)
    south = cut_antimeridian(shapely.Polygon([(-20, -90), (-20, -60), (20, -60), (20, -90)]))
    assert south.equals(shapely.box(-20, -90, 20, -60))
    # written from a corner on the pole on, or with several of them
    around = [(-20, 90), (0, 90), (20, 90), (20, 60), (-20, 60)]
    for turn in range(5):
        assert cut_antimeridian(shapely.Polygon(around[turn:] + around[:turn])).equals(shapely.box(-20, 60, 20, 90))
