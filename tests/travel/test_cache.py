from __future__ import annotations

import os
import pickle
import sqlite3
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from territory import Customers, Reps, design_territories, schedule_visits
from territory.check import check_plan
from territory.errors import InputError, TravelError
from territory.geo.sphere import great_circle_m
from territory.model.places import PlaceKind, Places
from territory.travel import GreatCircle, MatrixTravel, NearestPlaces, RawTravel, SnappedPlaces, Travel, TravelBase
from territory.travel.cache import CacheCounts, CachedTravel
from territory.travel.cache_pages import BLOCK, pack_page, rectangles, unpack_page
from territory.travel.partial import PartialSource, PartialTravel


class Counting(TravelBase):
    """A source that writes down what it was asked; answers may be replaced."""

    fingerprint = "counting"

    def __init__(self, inner=None, change=lambda found: found):
        self.inner, self.change, self.asked = inner or GreatCircle(), change, []

    def raw_matrix(self, origins, destinations):
        self.asked.append((len(origins), len(destinations)))
        return self.change(self.inner.raw_matrix(origins, destinations))

    def raw_pairs(self, origins, destinations):
        self.asked.append((len(origins),))
        return self.change(self.inner.raw_pairs(origins, destinations))

    def snap(self, places):
        self.asked.append(("snap", len(places)))
        far = np.where(np.arange(len(places)) == 1, np.inf, 12.5)
        return SnappedPlaces(places.lon + 1e-4, places.lat - 1e-4, far)


def town(n, seed=0, kind=PlaceKind.CUSTOMER):
    rng = np.random.default_rng(seed)
    return Places.of(kind, [f"{seed}-{i}" for i in range(n)], rng.uniform(9, 10, n), rng.uniform(47, 48, n))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sub" / "legs.sqlite"


def same(found, truth):
    assert found.seconds.tobytes() == truth.seconds.tobytes()
    assert found.metres.tobytes() == truth.metres.tobytes()


def rounded(places, digits=6):
    return Places(
        places.kind, places.id, np.rint(places.lon * 10**digits) / 10**digits,
        np.rint(places.lat * 10**digits) / 10**digits, places.area,
    )  # fmt: skip


def test_what_was_asked_once_is_not_asked_again(path):
    places, source = town(40), Counting()
    truth = GreatCircle().raw_matrix(rounded(places), rounded(places))
    with CachedTravel(source, path) as travel:
        assert isinstance(travel, Travel)
        same(travel.raw_matrix(places, places), truth)
        assert source.asked == [(40, 40)]
        same(travel.raw_matrix(places, places), truth)
        assert travel.counts == CacheCounts(hits=1600, misses=1600, requests=1)
    with CachedTravel(source, path) as travel:
        same(travel.raw_matrix(places, places), truth)
        whole = travel.matrix(places, places, speed_factor=0.7)
        turn = np.arange(40)[::-1]
        pairs = travel.pairs(places, places.take(turn), speed_factor=0.7)
        assert pairs.durations_s.tolist() == whole.durations_s[np.arange(40), turn].tolist()
        assert pairs.distances_m.tolist() == whole.distances_m[np.arange(40), turn].tolist()
        assert (
            travel.nearest(places, places, 3).idx.tolist()
            == GreatCircle().nearest(rounded(places), places, 3).idx.tolist()
        )
        assert travel.counts.requests == 0
        assert travel.diagnostics == ()
    assert source.asked == [(40, 40)]


def test_only_what_is_missing_is_asked_for(path):
    places, source = town(200), Counting()
    with CachedTravel(source, path) as travel:
        travel.matrix(places.take(np.arange(150)), places.take(np.arange(150)))
        found = travel.raw_matrix(places, places)
        assert sorted(source.asked[1:]) == [(50, 200), (150, 50)]
        same(found, GreatCircle().raw_matrix(rounded(places), rounded(places)))


def test_legs_that_come_later_join_those_that_are_there(path):
    places, source = town(20), Counting()
    with CachedTravel(source, path) as travel:
        for some in (np.arange(7), np.arange(7, 20)):
            travel.matrix(places, places.take(some))
        travel.matrix(places, places)
        assert travel.counts.requests == 2
        travel.pairs(places, places.take(np.arange(20)[::-1]))
        assert travel.counts.requests == 2


def test_what_is_kept_stays_when_the_source_changes_its_mind(path):
    places, late = town(20), [0.0]
    source = Counting(change=lambda found: RawTravel(found.seconds + late[0], found.metres))
    with CachedTravel(source, path) as travel:
        first = travel.raw_pairs(places, places.take(np.arange(20)[::-1]))
        late[0] = 60.0
        for _ in range(2):
            # all in one question, those that are kept with them
            found = travel.raw_matrix(places, places)
            assert travel.counts.requests == 2
            assert np.diagonal(found.seconds[:, ::-1]).tolist() == first.seconds.tolist()
        assert (np.diagonal(found.seconds) == 60.0).all()


def test_pairs_are_asked_for_once_each_and_serve_matrices(path):
    places, source = town(30), Counting()
    rng = np.random.default_rng(3)
    start, end = rng.integers(0, 30, 500), rng.integers(0, 30, 500)
    truth = GreatCircle().raw_matrix(rounded(places), rounded(places))
    with CachedTravel(source, path) as travel:
        found = travel.raw_pairs(places.take(start), places.take(end))
        assert found.seconds.tobytes() == truth.seconds[start, end].tobytes()
        apart = len(set(zip(start.tolist(), end.tolist(), strict=True)))
        assert source.asked == [(apart,)]
        assert travel.counts.misses == apart
        travel.raw_pairs(places.take(end[:0]), places.take(end[:0]))
        same(travel.raw_matrix(places, places), truth)
        assert travel.counts.misses == 900


def test_empty_questions(path):
    places = town(3)
    with CachedTravel(Counting(), path) as travel:
        assert travel.matrix(places.take([]), places).durations_s.shape == (0, 3)
        assert travel.matrix(places, places.take([])).durations_s.shape == (3, 0)
        assert travel.pairs(places.take([]), places.take([])).durations_s.shape == (0,)
        assert len(travel.snap(places.take([])).lon) == 0
        assert travel.counts == CacheCounts()


def test_coordinates_are_rounded_by_no_more_than_stated():
    places = town(2_000, seed=5)
    for digits, most in ((6, 0.08), (5, 0.79)):
        moved = rounded(places, digits)
        assert great_circle_m(places.lon, places.lat, moved.lon, moved.lat).max() <= most


def test_places_that_are_one_to_the_last_digit_share_legs(path):
    places = Places.of(PlaceKind.CUSTOMER, ["a", "b", "c"], [9.1, 9.10000004, 9.2], [47.0, 47.0, 47.0])
    source = Counting()
    with CachedTravel(source, path) as travel:
        found = travel.matrix(places, places).durations_s
    assert source.asked == [(2, 2)]
    assert found[0, 1] == found[1, 0] == 0
    assert found[0, 2] == found[1, 2] > 0


def test_kind_and_area_tell_places_apart(path):
    class Kinds(Counting):
        def raw_matrix(self, origins, destinations):
            seconds = np.zeros((len(origins), 1)) + 10.0 * destinations.kind
            seconds += 0.0 if destinations.area is None else destinations.area + 1.0
            return RawTravel(seconds, seconds)

    lon, lat = [9.0] * 2, [47.0] * 2
    with CachedTravel(Kinds(), path) as travel:
        for kind in PlaceKind:
            for area in (0, 2, -1):
                ends = Places.of(kind, ["a", "b"], lon, lat, [area] * 2)
                assert (travel.raw_matrix(ends, ends).seconds == 10 * kind + area + 1).all()


def test_a_matrix_by_id_is_kept_by_id(path):
    inner = MatrixTravel([[0, 60, 70], [61, 0, 71], [62, None, 0]], customer_ids=list("abc"))
    places = Places.of(PlaceKind.CUSTOMER, list("abc"), [9.0] * 3, [47.0] * 3)
    for _ in range(2):
        with CachedTravel(inner, path) as travel:
            assert travel.by_id
            assert (
                travel.matrix(places, places).durations_s.tolist() == inner.matrix(places, places).durations_s.tolist()
            )
    assert travel.counts.requests == 0


def test_other_sources_versions_and_digits_have_legs_of_their_own(path):
    places = town(4)
    other = Counting(GreatCircle(detour=2.0))
    other.fingerprint = "other"
    source = Counting()
    seen = set()
    for options in ({}, {"data_version": "2026-01"}, {"data_version": "2026-02"}, {"digits": 5}):
        with CachedTravel(source, path, **options) as travel:
            travel.matrix(places, places)
            assert travel.counts.requests == 1
            seen.add(travel.fingerprint)
    with CachedTravel(other, path) as travel:
        same(travel.raw_matrix(places, places), GreatCircle(detour=2.0).raw_matrix(rounded(places), rounded(places)))
    assert len(seen | {travel.fingerprint}) == 5
    assert len(source.asked) == 4


def test_estimates_are_handed_on_and_never_kept(path):
    places, down = town(6), [True]

    def guess(found):
        flags = np.zeros(found.seconds.shape, dtype=bool)
        flags[..., 0] = down[0]
        return RawTravel(found.seconds + flags, found.metres, flags if down[0] else None)

    source = Counting(change=guess)
    truth = GreatCircle().raw_matrix(rounded(places), rounded(places))
    with CachedTravel(source, path) as travel:
        for requests in (1, 2):
            found = travel.raw_matrix(places, places)
            assert found.estimated.sum() == 6
            assert found.estimated[:, 0].all()
            assert travel.counts.requests == requests
        assert source.asked == [(6, 6), (6, 1)]
        down[0] = False
        found = travel.raw_matrix(places, places)
        assert found.estimated is None
        same(found, truth)
        travel.raw_matrix(places, places)
        assert travel.counts.requests == 3


@pytest.mark.parametrize("wrong", [np.nan, -1.0, "shape"])
@pytest.mark.parametrize("column", ["seconds", "metres"])
def test_what_cannot_be_is_refused_and_not_kept(path, wrong, column):
    places, faulty = town(4), [True]

    def change(found):
        parts = {"seconds": found.seconds.copy(), "metres": found.metres.copy()}
        if faulty[0] and wrong == "shape":
            parts[column] = parts[column][..., 1:]
        elif faulty[0]:
            parts[column].flat[1] = wrong
        return RawTravel(**parts)

    with CachedTravel(Counting(change=change), path) as travel:
        for ask in (travel.raw_matrix, travel.raw_pairs):
            with pytest.raises(TravelError, match="Counting gave travel"):
                ask(places, places)
        faulty[0] = False
        same(travel.raw_matrix(places, places), GreatCircle().raw_matrix(rounded(places), rounded(places)))
        assert travel.counts.hits == 0


def test_what_came_before_a_failure_is_kept(path):
    places = town(400)
    fails = [False]

    def change(found):
        if fails[0] and len(found.seconds) == 400 - 150:
            raise TravelError("down", retryable=True)
        return found

    source = Counting(change=change)
    with CachedTravel(source, path) as travel:
        travel.raw_matrix(places.take(np.arange(150)), places.take(np.arange(150)))
        fails[0] = True
        with pytest.raises(TravelError, match="down"):
            travel.raw_matrix(places, places)
        fails[0] = False
        before = travel.counts.requests
        same(travel.raw_matrix(places, places), GreatCircle().raw_matrix(rounded(places), rounded(places)))
        assert travel.counts.requests - before <= 2


@pytest.mark.parametrize("partly", [False, True])
def test_what_is_kept_is_answered_when_the_source_is_down(path, partly):
    places, down = town(8), [False]

    def change(found):
        if down[0]:
            raise TravelError("down", retryable=True)
        return found

    class Partly(Counting):
        """Answers the first two rows and fails at others."""

        def partial_matrix(self, origins, destinations):
            found = GreatCircle().raw_matrix(origins, destinations)
            failed = np.zeros(found.seconds.shape, dtype=bool)
            failed[2:] = True
            seconds = np.where(failed, np.nan, found.seconds)
            return PartialTravel(RawTravel(seconds, found.metres), failed, TravelError("down"))

        def partial_pairs(self, origins, destinations):
            found = self.partial_matrix(origins, destinations)
            raw = RawTravel(np.diagonal(found.found.seconds), np.diagonal(found.found.metres))
            return PartialTravel(raw, np.diagonal(found.failed), found.error)

    truth = GreatCircle().raw_matrix(rounded(places), rounded(places))
    with CachedTravel(Counting(change=change), path) as travel:
        travel.matrix(places.take([0, 1, 2]), places.take([0, 1, 2]))
    down[0] = True
    with CachedTravel((Partly if partly else Counting)(change=change), path) as travel:
        assert isinstance(travel, PartialSource)
        found = travel.partial_matrix(places, places)
        told = np.zeros((8, 8), dtype=bool)
        told[:3, :3] = True
        told[:2] |= partly
        assert found.failed.tolist() == (~told).tolist()
        assert str(found.error) == "down"
        assert found.found.seconds[told].tolist() == truth.seconds[told].tolist()
        pairs = travel.partial_pairs(places, places)
        assert pairs.failed.tolist() == [False] * 3 + ([False] * 2 if partly else [True] * 2) + [True] * 3
        for ask in (travel.raw_matrix, travel.raw_pairs, travel.matrix):
            with pytest.raises(TravelError, match="down"):
                ask(places, places)
        whole = travel.partial_matrix(places.take([0, 1]), places.take([0, 1, 2]))
        assert whole.error is None
        assert not whole.failed.any()


def test_the_time_of_departure_is_kept_with_the_legs(path):
    places, hour = town(5), [28_800.0]
    source = Counting(change=lambda found: RawTravel(found.seconds, found.metres, None, hour[0]))
    for requests in (1, 0):
        with CachedTravel(source, path) as travel:
            assert travel.matrix(places, places).departure_s == 28_800.0
            assert travel.pairs(places, places).departure_s == 28_800.0
            assert travel.counts.requests == requests
    hour[0] = 3_600.0
    with CachedTravel(source, path) as travel, pytest.raises(TravelError, match="departure"):
        travel.matrix(Places.concat([places, town(1, seed=3)]), places)


def test_places_on_the_road_are_kept(path):
    places, source = town(7), Counting()
    truth = source.snap(rounded(places))
    for _ in range(2):
        with CachedTravel(source, path) as travel:
            found = travel.snap(places.take([2, 1, 1, 6, 0, 3, 4, 5]))
            again = [2, 1, 1, 6, 0, 3, 4, 5]
            assert np.allclose(found.lon, truth.lon[again], rtol=0, atol=1e-12)
            assert found.moved_m.tolist().count(np.inf) == 1 or found.moved_m.tolist().count(np.inf) == 2
    assert source.asked[1:] == [("snap", 7)]
    assert travel.counts == CacheCounts(hits=7)
    source.snap = lambda some: SnappedPlaces(some.lon * np.nan, some.lat, some.lat)
    with CachedTravel(source, path) as travel, pytest.raises(TravelError, match="nowhere"):
        travel.snap(town(3, seed=9))


class Finding(Counting):
    """A source with neighbours of its own."""

    may_guess = False

    @property
    def estimates(self):
        return self.may_guess

    def nearest(self, origins, destinations, k, *, speed_factor=1.0):
        self.asked.append(("nearest", len(origins), len(destinations), k))
        return GreatCircle().nearest(origins, destinations, k, speed_factor=speed_factor)


def test_neighbours_of_a_source_that_finds_them_are_kept_whole(path):
    places, source = town(12), Finding()
    truth = GreatCircle().nearest(rounded(places), rounded(places), 15, speed_factor=1.5)
    for _ in range(2):
        with CachedTravel(source, path) as travel:
            found = travel.nearest(places, places, 15, speed_factor=1.5)
            for name in ("idx", "durations_s", "distances_m"):
                assert getattr(found, name).tolist() == getattr(truth, name).tolist()
                assert getattr(found, name).dtype == np.int32
            assert found.n_destinations == 12
    assert len(source.asked) == 1
    with CachedTravel(source, path) as travel:
        travel.nearest(places, places, 15)
        travel.nearest(places, places, 3, speed_factor=1.5)
        travel.nearest(places, places.take(np.arange(11)), 15, speed_factor=1.5)
    assert len(source.asked) == 4


def test_neighbours_that_may_be_estimated_are_not_kept(path):
    places, source = town(5), Finding()
    source.may_guess = True
    with CachedTravel(source, path) as travel:
        assert travel.estimates
        travel.nearest(places, places, 2)
        travel.nearest(places, places, 2)
        travel.snap(places)
        travel.snap(places)
        assert travel.counts.requests == 4
        source.nearest = lambda *_, **__: NearestPlaces(*(np.zeros((5, 1), dtype=np.int32),) * 3, 5)
        with pytest.raises(TravelError, match="neighbours of a wrong shape"):
            travel.nearest(places, places, 2)
        with pytest.raises(InputError):
            travel.nearest(places, places, 0)


def test_lines_on_the_map_are_passed_on(path):
    places = town(4)
    with CachedTravel(Counting(), path) as travel:
        line = travel.route_geometry(places)
        assert len(line) == 3
        assert line.leg(0)[0].tolist() == rounded(places).lon[:2].tolist()


# -- the size limit


def test_what_was_not_used_for_longest_is_forgotten_first(path):
    source = Counting()
    teams = [town(150, seed=s) for s in range(12)]
    for turn, team in enumerate(teams):
        with CachedTravel(source, path, max_bytes=2_000_000) as travel:
            travel.matrix(team, team)
            before = travel.counts.requests
            travel.matrix(teams[0], teams[0])  # used every night
            assert travel.counts.requests == before or not turn
            assert travel.diagnostics == ()
        assert path.stat().st_size <= 2_600_000, turn
    with CachedTravel(source, path, max_bytes=2_000_000) as travel:
        for team in (teams[0], teams[-1]):
            same(travel.raw_matrix(team, team), GreatCircle().raw_matrix(rounded(team), rounded(team)))
        assert travel.counts.requests == 0
        travel.matrix(teams[1], teams[1])
        assert travel.counts.requests == 1


def test_one_run_that_outgrows_the_limit_forgets_its_own_first_questions(path):
    teams = [town(150, seed=s) for s in range(12)]
    with CachedTravel(Counting(), path, max_bytes=2_000_000) as travel:
        for team in teams:
            travel.matrix(team, team)
        before = travel.counts.requests
        travel.matrix(teams[-1], teams[-1])
        assert travel.counts.requests == before
        assert travel.diagnostics == ()
    assert path.stat().st_size <= 2_600_000


def test_a_question_beyond_the_limit_is_answered_and_not_kept(path):
    places = town(400)
    with CachedTravel(Counting(), path, max_bytes=1_000_000) as travel:
        for _ in range(2):
            same(travel.raw_matrix(places, places), GreatCircle().raw_matrix(rounded(places), rounded(places)))
        assert [each.code for each in travel.diagnostics] == ["cache-too-small"]
        assert travel.counts.requests == 2


def test_neighbours_and_places_on_the_road_are_forgotten_as_well(path):
    source = Finding()
    for seed in range(40):
        with CachedTravel(source, path, max_bytes=1_000_000) as travel:
            places = town(300, seed=seed)
            travel.nearest(places, places, 20)
            travel.snap(places)
            assert travel.diagnostics == ()
        assert path.stat().st_size < 1_600_000
    with CachedTravel(source, path, max_bytes=1_000_000) as travel:
        travel.nearest(places, places, 20)
        travel.snap(places)
        assert travel.counts.requests == 0


# -- processes


def _drive(travel, seed):
    places = town(30, seed=seed)
    return travel.matrix(places, places).durations_s.sum(), travel.counts.requests, os.getpid()


@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_it_goes_along_to_other_processes(path, how):
    if how == "fork" and not hasattr(os, "fork"):
        pytest.skip("no fork here")
    if how == "fork" and sys.version_info >= (3, 12):
        pytest.skip("3.12 warns of forks in a process with threads")
    source = GreatCircle()
    truth = [
        int(source.matrix(rounded(town(30, seed=s)), rounded(town(30, seed=s))).durations_s.sum()) for s in range(3)
    ]
    with CachedTravel(source, path) as travel:
        _drive(travel, 0)
        with ProcessPoolExecutor(1, mp_context=get_context(how)) as pool:
            first = pool.submit(_drive, travel, 0).result()
            second = pool.submit(_drive, travel, 1).result()
        assert first[:2] == (truth[0], 0)
        assert second[:2] == (truth[1], 1)
        assert first[2] != os.getpid()
        _drive(travel, 1)
        assert travel.counts.requests == 1


def test_a_copy_shares_the_file(path):
    with CachedTravel(GreatCircle(), path, digits=5, data_version="x", max_bytes=5_000_000) as travel:
        travel.matrix(town(5), town(5))
        with pickle.loads(pickle.dumps(travel)) as copy:  # noqa: S301 - our own
            assert copy.fingerprint == travel.fingerprint
            assert (copy.max_bytes, copy.counts) == (5_000_000, CacheCounts())
            copy.matrix(town(5), town(5))
            assert copy.counts.requests == 0


def test_a_plan_that_ran_once_asks_nothing_the_second_time(path):
    rng = np.random.default_rng(2)
    n = 24
    customers = Customers(
        id=[f"c{i}" for i in range(n)],
        lon=rng.uniform(9.4, 9.6, n),
        lat=rng.uniform(47.0, 47.2, n),
        visit_interval_days=[7] * n,
    )
    reps = Reps(id=["R1", "R2"], lon=[9.45, 9.55], lat=[47.05, 47.15], speed_factor=[1.0, 1.2])
    alignment = design_territories(customers, reps, time_limit_s=1.0)
    source = Counting()
    plans = []
    for requests in (True, False):
        source.asked.clear()
        with CachedTravel(source, path) as travel:
            plan = schedule_visits(
                customers, reps, alignment, start="2026-01-05", weeks=1, travel=travel, iterations=200, time_limit_s=20
            )
            assert check_plan(plan, travel=travel).ok
            assert bool(travel.counts.requests) == bool(source.asked) == requests
            travel.snap(customers.places())
        plans.append(plan)
    assert plans[0].stops.arrival.tolist() == plans[1].stops.arrival.tolist()
    assert len(plans[0].stops) >= n


# -- parameters


def test_bad_parameters_are_told_at_once(path):
    with pytest.raises(InputError) as error:
        CachedTravel("osrm", path, data_version=7, max_bytes=10, digits=0)
    assert error.value.codes == (
        "source-type", "data-version-type", "max-bytes-out-of-range", "digits-out-of-range"
    )  # fmt: skip
    assert not path.parent.exists()


def test_a_source_that_speed_factors_do_not_divide_is_refused(path):
    class Added(Counting):
        divides = False

    with pytest.raises(InputError) as error:
        CachedTravel(Added(), path)
    assert error.value.codes == ("wrapped-wrong",)
    assert "Added(CachedTravel" in str(error.value)


def test_places_without_coordinates_are_refused(path):
    places = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [np.nan, 9.0], [47.0, np.inf])
    with CachedTravel(GreatCircle(), path) as travel, pytest.raises(InputError) as error:
        travel.matrix(places, places)
    assert error.value.problems[0].rows == (0, 1)


# -- pages


numbers = st.one_of(
    st.just(np.inf), st.just(0.0), st.floats(0, 1e300), st.integers(0, 2**31 - 1).map(lambda x: x / 10.0)
)
pages = st.builds(
    lambda values, known: np.where(known, values, np.nan),
    hnp.arrays(np.float64, (2, BLOCK), elements=numbers, fill=st.just(12.3)),
    hnp.arrays(np.bool_, BLOCK),
)


@given(pages, st.integers(0, 2**62))
@settings(max_examples=150)
def test_pages_keep_every_bit(page, key):
    data = pack_page(b"salt", key, page)
    assert unpack_page(b"salt", key, data).tobytes() == page.tobytes() or np.array_equal(
        unpack_page(b"salt", key, data), page, equal_nan=True
    )
    assert unpack_page(b"salt", key + 1, data) is None
    assert unpack_page(b"pepper", key, data) is None


@given(pages, st.data())
@settings(max_examples=60)
def test_a_page_with_a_wrong_bit_is_noticed(page, data):
    whole = bytearray(pack_page(b"salt", 1, page))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    assert unpack_page(b"salt", 1, bytes(whole)) is None
    assert unpack_page(b"salt", 1, bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])) is None
    assert unpack_page(b"salt", 1, "text") is None


@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=80)))
def test_rectangles_cover_what_is_missing(missing):
    asked = np.zeros(missing.shape, dtype=int)
    for rows, columns in rectangles(missing):
        assert missing[np.ix_(rows, columns)].any()
        asked[np.ix_(rows, columns)] += 1
    assert (asked[missing] >= 1).all()
    assert asked.max(initial=0) <= 1


def test_rectangles_of_teams_put_together():
    order = np.random.default_rng(0).permutation(600)
    team = np.arange(600) % 3
    missing = (team[:, None] != team)[np.ix_(order, order)]
    asked = list(rectangles(missing))
    assert len(asked) == 3
    assert sum(len(rows) * len(columns) for rows, columns in asked) == missing.sum()
    # a few that are missing here and there are not worth a question each
    scattered = np.zeros((40, 40), dtype=bool)
    scattered[::7, ::9] = True
    assert len(list(rectangles(scattered))) == 1


def test_values_in_the_file_are_those_of_the_source(path):
    source = Counting(change=lambda f: RawTravel(np.where(f.metres > 60_000, np.inf, f.seconds), f.metres))
    places = town(50)
    with CachedTravel(source, path) as travel:
        first = travel.raw_matrix(places, places)
        assert np.isinf(first.seconds).any()
        same(travel.raw_matrix(places, places), first)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
