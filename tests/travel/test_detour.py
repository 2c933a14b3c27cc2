from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from territory.errors import InputError
from territory.geo.sphere import great_circle_m
from territory.model.enums import Area
from territory.model.places import PlaceKind, Places
from territory.travel import (
    EndMetres,
    GreatCircle,
    LegSample,
    RawTravel,
    SnappedPlaces,
    Speeds,
    TravelMatrix,
    area_by_density,
    detour_error,
    detour_sample,
    fit_detour,
)
from territory.travel.detour import _kept_apart
from territory.travel.protocol import UNREACHABLE

ROAD = GreatCircle(
    detour=1.27, speeds_km_h=Speeds(19.0, 31.0, 47.0, 88.0), access_km=3.5, end_m=EndMetres(240.0, 60.0, 15.0)
)


def country(n=600, width=2.0, seed=0, area=True):
    rng = np.random.default_rng(seed)
    town = rng.integers(0, 6, n)
    lon = 8.0 + width * np.array([0.1, 0.4, 0.5, 0.8, 0.9, 0.2])[town] + rng.normal(0, 0.02, n)
    lat = 50.0 + width * np.array([0.1, 0.3, 0.0, 0.2, 0.4, 0.4])[town] + rng.normal(0, 0.015, n)
    return Places.of(PlaceKind.CUSTOMER, [f"c{i}" for i in range(n)], lon, lat, rng.integers(0, 3, n) if area else None)


class Noisy(GreatCircle):
    """Roads that differ from the model leg by leg, some of them wildly."""

    def raw_pairs(self, origins, destinations):
        legs = GreatCircle.raw_pairs(self, origins, destinations)
        key = np.rint(1e6 * (origins.lon + 3 * destinations.lon + 7 * origins.lat)).astype(np.int64)
        rng = [np.random.default_rng(abs(int(k))) for k in key]
        factor = np.exp([r.normal(0, 0.1) for r in rng])
        factor = np.where([r.random() < 0.04 for r in rng], 6.0, factor)
        return RawTravel(legs.seconds * factor, legs.metres * factor)


def test_the_parameters_that_made_the_sample_are_found():
    fit = fit_detour(detour_sample(ROAD, country(), 12_000))
    assert fit.fitted == (
        "detour", "end_m.urban", "end_m.suburban", "end_m.rural", "access_km", "speeds_km_h.urban",
        "speeds_km_h.suburban", "speeds_km_h.rural", "speeds_km_h.through",
    )  # fmt: skip
    found = fit.travel
    assert found.detour == pytest.approx(1.27, rel=0.002)
    assert found.access_km == pytest.approx(3.5, rel=0.01)
    for part in ("urban", "suburban", "rural"):
        assert getattr(found.end_m, part) == pytest.approx(getattr(ROAD.end_m, part), abs=2.0)
        assert getattr(found.speeds_km_h, part) == pytest.approx(getattr(ROAD.speeds_km_h, part), rel=0.01)
    assert found.speeds_km_h.through == pytest.approx(88.0, rel=0.01)
    assert fit.after.seconds.q90 < 0.005
    assert fit.before.seconds.median > 0.05
    assert "| all |" in fit.report()


def test_a_few_wild_legs_do_not_rule():
    wild = Noisy(ROAD.detour, ROAD.speeds_km_h, ROAD.access_km, ROAD.end_m)
    found = fit_detour(detour_sample(wild, country(), 12_000)).travel
    assert found.detour == pytest.approx(1.27, rel=0.06)
    assert found.speeds_km_h.urban == pytest.approx(19.0, rel=0.12)
    assert found.speeds_km_h.through == pytest.approx(88.0, rel=0.12)


def test_rows_and_ids_have_no_say():
    places = country(150)
    order = np.random.default_rng(5).permutation(150)
    renamed = Places.of(
        PlaceKind.CUSTOMER, [f"x{i}" for i in range(150)], places.lon[order], places.lat[order], places.area[order]
    )
    one, other = (detour_sample(ROAD, p, 1_500, rng=3) for p in (places, renamed))
    np.testing.assert_array_equal(one.seconds, other.seconds)
    np.testing.assert_array_equal(one.origins.lon, other.origins.lon)
    shuffled = other.take(np.random.default_rng(6).permutation(len(other)))
    a, b = (fit_detour(s, rng=1) for s in (one, shuffled))
    assert a.travel.detour == pytest.approx(b.travel.detour, rel=1e-6)
    assert a.after.seconds.n == b.after.seconds.n


def test_what_measures_was_not_fitted_to():
    sample = detour_sample(ROAD, country(80), 1_000)
    a, b = _kept_apart(sample, np.ones(len(sample), dtype=bool), 0.4, np.random.default_rng(0))
    spots = {}
    for places, apart in ((sample.origins, a), (sample.destinations, b)):
        for lon, lat, flag in zip(places.lon.tolist(), places.lat.tolist(), apart.tolist(), strict=True):
            assert spots.setdefault((lon, lat), flag) == flag
    assert sum(spots.values()) == round(0.4 * len(spots))
    fit = fit_detour(sample)
    assert fit.n_fitted == (~a & ~b).sum()
    assert fit.after.seconds.n == (a & b).sum()
    assert fit.n_left_out == (a != b).sum()


def test_the_legs_are_short_and_long_and_within_the_limit():
    places = country()
    sample = detour_sample(ROAD, places, 4_000, most_km=20.0)
    crow = sample.crow_m()
    assert crow.min() >= 50.0
    assert crow.max() <= 20_000.0
    shares = np.histogram(np.log(crow), bins=np.log([200, 800, 3_200, 20_000]))[0] / len(crow)
    assert shares.min() > 0.1
    found = GreatCircle.raw_pairs(ROAD, sample.origins, sample.destinations)
    np.testing.assert_array_equal(found.seconds, sample.seconds)


class Track(GreatCircle):
    """Roads that some places are far from."""

    def snap(self, places):
        return SnappedPlaces(places.lon.copy(), places.lat.copy(), np.where(places.lon > 8.8, 500.0, 3.0))


def test_places_far_from_the_road_are_left_out():
    sample = detour_sample(Track(), country(), 2_000)
    assert sample.origins.lon.max() <= 8.8
    assert sample.destinations.lon.max() <= 8.8
    with pytest.raises(InputError, match="too-few-places"):
        detour_sample(Track(), country().take(np.flatnonzero(country().lon > 8.8)), 100)


def test_what_is_kept_stays_and_short_legs_say_nothing_of_long_trips():
    begin = GreatCircle(access_km=4.0, speeds_km_h=Speeds(rural=51.0, through=77.0))
    sample = detour_sample(ROAD, country(width=0.2), 6_000)
    fit = fit_detour(sample, begin=begin, keep=["access_km", "speeds_km_h.rural"])
    assert (fit.travel.access_km, fit.travel.speeds_km_h.rural, fit.travel.speeds_km_h.through) == (4.0, 51.0, 77.0)
    assert "speeds_km_h.through" not in fit.fitted
    assert fit.travel.detour == pytest.approx(1.27, rel=0.002)
    with pytest.raises(InputError, match="unknown-option"):
        fit_detour(sample, keep=["speed"])


def test_without_areas_all_is_suburban():
    fit = fit_detour(detour_sample(ROAD, country(area=False), 6_000))
    assert [name for name in fit.fitted if "urban" in name] == ["end_m.suburban", "speeds_km_h.suburban"]
    assert fit.travel.speeds_km_h.urban == GreatCircle().speeds_km_h.urban
    assert list(fit.after.by_area) == ["suburban"]


def test_no_end_is_faster_than_the_way_between():
    slow = replace(ROAD, speeds_km_h=Speeds(19.0, 31.0, 47.0, 40.0))
    found = fit_detour(detour_sample(slow, country(), 6_000)).travel.speeds_km_h
    assert max(found.urban, found.suburban, found.rural) <= found.through


def test_the_error_by_hand():
    places = Places.of(PlaceKind.CUSTOMER, list("abcd"), [8.0, 8.02, 8.1, 8.4], [50.0] * 4, [0, 0, 2, 1])
    a, b = places.take([0, 0, 0, 1]), places.take([1, 2, 3, 2])
    found = GreatCircle().raw_pairs(a, b)
    factor = np.array([1.0, 0.5, 2.0, 1.25])
    sample = LegSample(a, b, found.seconds * factor, found.metres / factor)
    error = detour_error(GreatCircle(), sample)
    off = np.abs(1.0 / factor - 1.0)
    assert error.seconds.median == pytest.approx(np.median(off))
    assert error.seconds.q90 == pytest.approx(np.quantile(off, 0.9))
    assert error.seconds.bias == pytest.approx(found.seconds.sum() / (found.seconds * factor).sum() - 1)
    assert error.metres.median == pytest.approx(np.median(np.abs(factor - 1)))
    assert {name: pair[0].n for name, pair in error.by_area.items()} == {"urban": 1, "mixed": 3}
    assert {name: pair[0].n for name, pair in error.by_distance.items()} == {"1-2 km": 1, "5-10 km": 2, "20-50 km": 1}
    assert error.by_area["urban"][0].bias == pytest.approx(0.0)


def test_legs_of_a_matrix_without_ways_and_estimates():
    places = country(3, area=False)
    seconds = np.array([[0, 60, UNREACHABLE], [70, 0, 90]], dtype=np.int32)
    metres = np.array([[0, 600, UNREACHABLE], [700, 0, 900]], dtype=np.int32)
    guessed = np.zeros((2, 3), dtype=bool)
    guessed[1, 2] = True
    sample = LegSample.of(places.take([0, 1]), places, TravelMatrix(seconds, metres, guessed))
    assert sample.seconds.tolist() == [0.0, 60.0, np.inf, 70.0, 0.0]
    assert sample.destinations.id.tolist() == ["c0", "c1", "c2", "c0", "c1"]
    with pytest.raises(InputError, match="wrong-shape"):
        LegSample.of(places, places, TravelMatrix(seconds, metres))


@pytest.mark.parametrize(
    ("seconds", "code"), [([1.0, np.nan], "nan"), ([1.0, -1.0], "negative"), ([1.0], "wrong-shape")]
)
def test_bad_samples_are_refused(seconds, code):
    places = country(2)
    with pytest.raises(InputError, match=code):
        LegSample(places, places, seconds, [1.0, 1.0])


def test_too_few_legs_and_bad_options():
    sample = detour_sample(ROAD, country(12), 60)
    with pytest.raises(InputError, match="too-few-legs"):
        fit_detour(sample)
    with pytest.raises(InputError, match="bad-share"):
        fit_detour(sample, held_out=1.0)
    with pytest.raises(InputError, match="too-few-legs"):
        fit_detour([])
    with pytest.raises(InputError, match="too-few-legs"):
        detour_sample(ROAD, country(12), 0)


def test_density_against_brute_force():
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(9.0, 9.1, 40), rng.uniform(47.0, 47.1, 40)
    around, weight = rng.uniform([9.0, 47.0], [9.1, 47.1], (200, 2)), rng.uniform(0, 3, 200)
    found = area_by_density(lon, lat, around[:, 0], around[:, 1], urban=4.5, suburban=3.0, weight=weight, radius_km=1.5)
    near = great_circle_m(lon[:, None], lat[:, None], around[:, 0], around[:, 1]) <= 1500
    density = near @ weight / (np.pi * 1.5**2)
    expected = [Area.URBAN if d >= 4.5 else Area.SUBURBAN if d >= 3 else Area.RURAL for d in density]
    assert found.tolist() == expected
    assert len(set(expected)) == 3
    with pytest.raises(InputError, match="bad-density"):
        area_by_density(lon, lat, lon, lat, urban=1.0, suburban=2.0)
