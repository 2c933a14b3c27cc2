"""What every source of travel keeps to; the sources are listed in conftest.py."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from territory.errors import InputError
from territory.geo.sphere import great_circle_m
from territory.model.places import PlaceKind, Places
from territory.travel import UNREACHABLE, RawTravel, Travel, TravelMatrix, whole_metres, whole_seconds

#: A line may begin this far from where `snap` puts the place: coordinates are rounded to a millionth of a degree.
ON_THE_SPOT_M = 1.0


def same(left, right):
    """Whether two matrices, or lots of pairs, are equal to the second and metre."""
    return (
        left.durations_s.tolist() == right.durations_s.tolist()
        and left.distances_m.tolist() == right.distances_m.tolist()
    )


def part(whole, rows, columns):
    """Return the rows and columns of a matrix."""
    at = np.ix_(rows, columns)
    return TravelMatrix(whole.durations_s[at], whole.distances_m[at])


def length_m(lon, lat):
    return float(great_circle_m(lon[:-1], lat[:-1], lon[1:], lat[1:]).sum())


def test_a_matrix_is_whole_numbers_that_nobody_can_change(case):
    few = case.places.take([0, 3, 5])
    whole = case.travel.matrix(few, case.places)
    assert isinstance(case.travel, Travel)
    for array in (whole.durations_s, whole.distances_m):
        assert array.shape == (3, len(case.places))
        assert array.dtype == np.int32
        assert not array.flags.writeable
        assert (array >= 0).all()
    if whole.estimated is not None:
        assert whole.estimated.shape == whole.durations_s.shape
        assert whole.estimated.dtype == np.bool_


def test_what_is_far_takes_long(case):
    whole = case.travel.matrix(case.places, case.places)
    assert whole.reachable.mean() > 0.8
    apart = whole.reachable & (whole.distances_m > 500)
    km_h = 3.6 * whole.distances_m[apart] / whole.durations_s[apart]
    assert apart.sum() > 100
    assert 2 < km_h.min() <= km_h.max() < 140 or case.adapter.by_id


def test_the_way_to_where_one_is_takes_no_time(case):
    whole = case.travel.matrix(case.places, case.places)
    assert (np.diagonal(whole.durations_s) == 0).all()
    assert (np.diagonal(whole.distances_m) == 0).all()
    if not case.adapter.by_id:
        twins = case.places.take([2, len(case.places) - 2 - case.world.far])
        assert twins.lon[0] == twins.lon[1]
        assert twins.id[0] != twins.id[1]
        assert case.travel.matrix(twins, twins).durations_s.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("factor", [1.0, 0.8, 1.37])
def test_pairs_are_the_diagonal_of_the_matrix(case, factor):
    rng = np.random.default_rng(1)
    start, end = rng.integers(0, len(case.places), (2, 60))
    whole = case.travel.matrix(case.places, case.places, speed_factor=factor)
    pairs = case.travel.pairs(case.places.take(start), case.places.take(end), speed_factor=factor)
    assert same(pairs, TravelMatrix(whole.durations_s[start, end], whole.distances_m[start, end]))
    one = case.travel.pairs(case.places.take(start[:1]), case.places.take(end[:1]), speed_factor=factor)
    assert same(one, TravelMatrix(whole.durations_s[start, end][:1], whole.distances_m[start, end][:1]))
    assert pairs.departure_s == whole.departure_s


def test_what_else_is_asked_makes_no_difference(case):
    rng = np.random.default_rng(2)
    whole = case.travel.matrix(case.places, case.places)
    for _ in range(6):
        rows = rng.choice(len(case.places), rng.integers(1, 5), replace=False)
        columns = rng.choice(len(case.places), rng.integers(1, 9), replace=False)
        block = case.travel.matrix(case.places.take(rows), case.places.take(columns))
        assert same(block, part(whole, rows, columns))


def test_the_order_of_rows_makes_no_difference(case):
    order = np.random.default_rng(3).permutation(len(case.places))
    shuffled = case.places.take(order)
    whole = case.travel.matrix(case.places, case.places)
    assert same(case.travel.matrix(shuffled, shuffled), part(whole, order, order))


def test_places_that_are_asked_twice_are_answered_twice(case):
    rows = [4, 4, 2, 4]
    whole = case.travel.matrix(case.places, case.places)
    twice = case.places.take(rows)
    assert same(case.travel.matrix(twice, twice), part(whole, rows, rows))


@pytest.mark.parametrize("k", [1, 4, 1_000])
def test_the_nearest_are_the_smallest_of_the_matrix(case, k):
    few = case.places.take([5, 0, 7, 5])
    found = case.travel.nearest(few, case.places, k, speed_factor=1.2)
    whole = case.travel.matrix(few, case.places, speed_factor=1.2)
    assert found.idx.shape == found.durations_s.shape == found.distances_m.shape == (4, k)
    for row in range(4):
        legs = [
            (int(whole.durations_s[row, j]), j)
            for j in range(len(case.places))
            if whole.reachable[row, j]
            and (case.places.kind[j], case.places.id[j]) != (few.kind[row], few.id[row])
        ]  # fmt: skip
        best = sorted(legs)[:k]
        n = len(best)
        assert found.idx[row, :n].tolist() == [j for _, j in best]
        assert found.durations_s[row, :n].tolist() == [seconds for seconds, _ in best]
        assert found.distances_m[row, :n].tolist() == whole.distances_m[row, found.idx[row, :n]].tolist()
        assert (found.idx[row, n:] == -1).all()
        assert (found.durations_s[row, n:] == UNREACHABLE).all()


def test_the_speed_factor_divides_before_rounding(case):
    plain = case.travel.matrix(case.places, case.places)
    fast = case.travel.matrix(case.places, case.places, speed_factor=1.37)
    assert fast.distances_m.tolist() == plain.distances_m.tolist()
    assert (fast.reachable == plain.reachable).all()
    if not getattr(case.travel, "divides", True):
        assert (fast.durations_s <= plain.durations_s).all()
        assert (fast.durations_s < plain.durations_s).any()
        return
    if hasattr(case.travel, "raw_matrix"):
        raw = case.travel.raw_matrix(case.places, case.places)
        assert isinstance(raw, RawTravel)
        assert whole_seconds(raw.seconds, 1.37).tolist() == fast.durations_s.tolist()
        assert whole_metres(raw.metres).tolist() == fast.distances_m.tolist()
    there = plain.reachable
    assert (np.abs(fast.durations_s[there] - plain.durations_s[there] / 1.37) <= 1.0).all()


def test_what_is_out_of_reach_is_so_in_time_and_distance(case):
    whole = case.travel.matrix(case.places, case.places)
    assert ((whole.durations_s == UNREACHABLE) == (whole.distances_m == UNREACHABLE)).all()
    assert (whole.reachable == (whole.durations_s != UNREACHABLE)).all()


def test_symmetric_says_the_truth(case):
    whole = case.travel.matrix(case.places, case.places)
    even = (whole.durations_s == whole.durations_s.T).all() and (whole.distances_m == whole.distances_m.T).all()
    assert not case.travel.symmetric or even
    assert case.travel.symmetric or not even, "roads have one-way streets, and the sample shows some"


def test_places_are_moved_to_the_road_and_it_is_told_how_far(case):
    snapped = case.travel.snap(case.places)
    assert len(snapped.lon) == len(snapped.lat) == len(snapped.moved_m) == len(case.places)
    moved = great_circle_m(case.places.lon, case.places.lat, snapped.lon, snapped.lat)
    near = snapped.on_road
    assert snapped.moved_m[near] == pytest.approx(moved[near], rel=0.01, abs=1.0)
    assert moved[~near].tolist() == [0.0] * int((~near).sum())
    assert (snapped.moved_m[near] <= 1_000).all()
    if not case.adapter.moves:
        assert (moved == 0).all()
    else:
        assert (moved > 0).any()
        assert np.flatnonzero(~near).tolist() == [len(case.places) - 1]
        whole = case.travel.matrix(case.places, case.places)
        off = np.ix_(~near, near)
        assert not whole.reachable[off].any()
        assert not whole.reachable.T[off].any()


def test_a_line_is_drawn_for_every_leg(case):
    stops = case.places.take(np.random.default_rng(4).permutation(len(case.places)))
    before = np.arange(len(stops) - 1)
    legs = case.travel.pairs(stops.take(before), stops.take(before + 1))
    snapped = case.travel.snap(stops)
    line = case.travel.route_geometry(stops)
    assert len(line) == len(stops) - 1
    assert line.offsets[0] == 0
    assert line.offsets[-1] == len(line.lon) == len(line.lat)
    for i in before:
        lon, lat = line.leg(i)
        if not legs.reachable[i]:
            assert len(lon) == 0
            continue
        assert len(lon) >= 2
        ends = great_circle_m(lon[[0, -1]], lat[[0, -1]], snapped.lon[[i, i + 1]], snapped.lat[[i, i + 1]])
        assert ends.max() <= ON_THE_SPOT_M
        if case.adapter.way == "roads":
            assert length_m(lon, lat) == pytest.approx(legs.distances_m[i], rel=0.03, abs=30)
        elif case.adapter.way == "lines" and not case.adapter.by_id:
            assert length_m(lon, lat) <= legs.distances_m[i] + 1


def test_the_fingerprint_stays_and_tells_parameters_apart(case):
    assert case.travel.fingerprint == case.travel.fingerprint == case.make().fingerprint
    others = [make(case.world).fingerprint for make in case.adapter.others]
    assert len({case.travel.fingerprint, *others}) == 1 + len(others)


def test_nothing_asked_is_nothing_answered(case):
    none = case.places.take([])
    assert case.travel.matrix(none, case.places).durations_s.shape == (0, len(case.places))
    assert case.travel.matrix(case.places, none).distances_m.shape == (len(case.places), 0)
    assert case.travel.matrix(none, none).durations_s.shape == (0, 0)
    assert case.travel.pairs(none, none).durations_s.shape == (0,)
    assert case.travel.nearest(none, case.places, 2).idx.shape == (0, 2)
    assert (case.travel.nearest(case.places, none, 2).idx == -1).all()
    assert len(case.travel.route_geometry(none)) == 0
    assert len(case.travel.snap(none).moved_m) == 0


def test_one_place(case):
    one = case.places.take([3])
    assert case.travel.matrix(one, one).durations_s.tolist() == [[0]]
    assert case.travel.pairs(one, one).distances_m.tolist() == [0]
    assert case.travel.nearest(one, one, 1).idx.tolist() == [[-1]]
    assert len(case.travel.route_geometry(one)) == 0
    assert len(case.travel.snap(one).lon) == 1


def test_it_pickles_or_says_why_not(case):
    if not case.adapter.pickles:
        with pytest.raises(TypeError, match=r"pickle"):
            pickle.dumps(case.travel)
        return
    again = pickle.loads(pickle.dumps(case.travel))  # noqa: S301 - its own
    assert again.fingerprint == case.travel.fingerprint
    assert again.symmetric == case.travel.symmetric
    assert same(again.matrix(case.places, case.places), case.travel.matrix(case.places, case.places))


def test_the_same_question_has_the_same_answer(case):
    first = case.travel.matrix(case.places, case.places)
    assert same(case.travel.matrix(case.places, case.places), first)
    assert same(case.make().matrix(case.places, case.places), first)


@pytest.mark.parametrize(("lon", "lat"), [(np.nan, 47.1), (9.5, np.nan), (np.inf, 47.1), (9.5, 91.0), (181.0, 47.1)])
def test_places_that_are_nowhere_are_refused(case, lon, lat):
    if case.adapter.by_id:
        pytest.skip("known by id")
    if not (np.isnan([lon, lat]).any() or case.adapter.moves):
        pytest.skip("a straight line can be drawn between any two numbers")
    here = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [9.52, lon], [47.14, lat])
    for ask in (
        lambda: case.travel.matrix(here, here),
        lambda: case.travel.pairs(here, here),
        lambda: case.travel.nearest(here, here, 1),
    ):
        with pytest.raises(InputError):
            ask()


def test_places_that_are_not_known_are_refused(case):
    if not case.adapter.by_id:
        pytest.skip("known by coordinates")
    stranger = Places.of(PlaceKind.CUSTOMER, ["nobody"], [9.52], [47.14])
    with pytest.raises(InputError, match="nobody"):
        case.travel.matrix(stranger, case.places)
    with pytest.raises(InputError, match="nobody"):
        case.travel.pairs(stranger, stranger)


def test_bad_questions_are_refused(case):
    with pytest.raises(InputError) as error:
        case.travel.pairs(case.places, case.places.take([0]))
    assert error.value.codes == ("pairs-length",)
    for factor in (0.0, -1.0, np.nan, np.inf):
        for ask in (case.travel.matrix, case.travel.pairs):
            with pytest.raises(InputError) as error:
                ask(case.places, case.places, speed_factor=factor)
            assert error.value.codes == ("speed-factor",)
    for k in (0, -1, 1.5, True):
        with pytest.raises(InputError) as error:
            case.travel.nearest(case.places, case.places, k)
        assert error.value.codes == ("k-out-of-range",)


def test_sources_of_openstreetmap_say_so(case):
    if case.adapter.way != "roads":
        pytest.skip("no roads")
    assert "OpenStreetMap" in case.travel.attribution


def test_other_extracts_keep_the_contract(abroad):
    places, travel = abroad.places, abroad.travel
    whole = travel.matrix(places, places)
    snapped = travel.snap(places)
    spot = np.equal.outer(places.lon, places.lon) & np.equal.outer(places.lat, places.lat)
    # all that is on the road can be reached; peaks and huts of Andorra are not
    assert (whole.reachable == (np.outer(snapped.on_road, snapped.on_road) | spot)).all()
    assert snapped.on_road.mean() > 0.8
    assert (np.diagonal(whole.durations_s) == 0).all()
    order = np.random.default_rng(5).permutation(len(places))
    start, end = order[:-1], order[1:]
    legs = travel.pairs(places.take(start), places.take(end))
    assert same(legs, TravelMatrix(whole.durations_s[start, end], whole.distances_m[start, end]))
    straight = great_circle_m(snapped.lon[:, None], snapped.lat[:, None], snapped.lon, snapped.lat)
    # Valhalla's edges are whole metres long, and short ones in Munich add up
    assert (whole.distances_m[~spot] >= (0.98 * straight - 3)[~spot]).all()
    assert (travel.nearest(places, places, 3).durations_s <= np.sort(whole.durations_s, axis=1)[:, 3:4]).all()
    line = travel.route_geometry(places.take(order))
    off = [
        abs(length_m(*line.leg(i)) - legs.distances_m[i]) > 30 + 0.03 * legs.distances_m[i]
        for i in range(len(line))
        if legs.reachable[i]
    ]
    # Valhalla searches routes in another way than tables, and takes another one of them in a hundred
    assert sum(off) <= (1 if abroad.name == "Valhalla" else 0)
