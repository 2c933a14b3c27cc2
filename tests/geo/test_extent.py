from __future__ import annotations

import numpy as np
import pytest
import shapely

from territory.geo.extent import area_m2, perimeter_m, polsby_popper
from territory.geo.projection import local_plane
from territory.geo.sphere import EARTH_RADIUS_M

GLOBE_M2 = 4 * np.pi * EARTH_RADIUS_M**2


def disc(lon, lat, degrees, n=720):
    """Draw a circle on the sphere, the plain way: along bearings."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    up, gap = np.radians(lat), np.radians(degrees)
    y = np.arcsin(np.sin(up) * np.cos(gap) + np.cos(up) * np.sin(gap) * np.cos(angle))
    x = np.arctan2(np.sin(angle) * np.sin(gap) * np.cos(up), np.cos(gap) - np.sin(up) * np.sin(y))
    return shapely.Polygon(np.stack([lon + np.degrees(x), np.degrees(y)], axis=1))


@pytest.mark.parametrize("lat", [0.0, 50.0, -75.0])
@pytest.mark.parametrize("degrees", [0.01, 1.0, 5.0])
def test_a_disc(lat, degrees):
    shape = disc(10.0, lat, degrees)
    gap = np.radians(degrees)
    assert area_m2(shape) == pytest.approx(GLOBE_M2 * (1 - np.cos(gap)) / 2, rel=5e-4)
    assert perimeter_m(shape) == pytest.approx(2 * np.pi * EARTH_RADIUS_M * np.sin(gap), rel=5e-4)
    assert polsby_popper(area_m2(shape), perimeter_m(shape)) == pytest.approx(1.0, abs=0.005)


def test_the_area_is_that_of_the_equal_area_plane_and_holes_count():
    shape = shapely.Polygon([(5, 45), (12, 46), (11, 52), (6, 50)], [[(8, 48), (9, 48), (9, 49), (8, 49)]])
    dense = shapely.segmentize(shape, 0.01)
    plane = shapely.transform(dense, lambda xy: local_plane(xy[:, 0], xy[:, 1], (8.0, 48.0))[0])
    assert area_m2(shape) == pytest.approx(plane.area, rel=1e-6)
    assert area_m2(shapely.reverse(shape)) == area_m2(shape)
    assert perimeter_m(shape) == pytest.approx(
        perimeter_m(shapely.Polygon(shape.exterior)) + perimeter_m(shapely.Polygon(shape.interiors[0]))
    )


def test_cuts_of_the_map_are_no_borders():
    whole = shapely.box(2, 10, 6, 20)
    halves = shapely.MultiPolygon([shapely.box(178, 10, 180, 20), shapely.box(-180, 10, -178, 20)])
    assert area_m2(halves) == pytest.approx(area_m2(whole))
    assert perimeter_m(halves) == pytest.approx(perimeter_m(whole))
    # what ends at the antimeridian has a border there
    assert perimeter_m(shapely.box(178, 10, 180, 20)) == pytest.approx(perimeter_m(shapely.box(2, 10, 4, 20)))
    cap = shapely.box(-180, 80, 180, 90)
    assert area_m2(cap) == pytest.approx(GLOBE_M2 * (1 - np.sin(np.radians(80))) / 2)
    assert perimeter_m(cap) == pytest.approx(2 * np.pi * EARTH_RADIUS_M * np.cos(np.radians(80)))


def test_nothing():
    assert area_m2(shapely.Polygon()) == 0.0
    assert perimeter_m(shapely.Polygon()) == 0.0
    assert np.isnan(polsby_popper(0.0, 0.0))
    assert polsby_popper(1.0, 4.0) == pytest.approx(np.pi / 4)
