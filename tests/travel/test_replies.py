from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.errors import InputError, TravelError
from territory.model.places import PlaceKind, Places
from territory.travel.replies import (
    PROBES,
    check_coordinates,
    geometry_of,
    osrm_anchors,
    osrm_met,
    osrm_route,
    osrm_table,
    valhalla_locate,
    valhalla_matrix,
    valhalla_route,
)
from territory.travel.reply_values import decode_polyline


def waypoint(lon, lat, distance=3.5):
    return {"location": [lon, lat], "distance": distance, "name": "", "hint": "x"}


TABLE = {
    "code": "Ok",
    "durations": [[0, 61.5, None], [70, 0.0, 12]],
    "distances": [[0, 820.4, None], [901.0, 0, 140.5]],
    "sources": [waypoint(9.5, 47.1), waypoint(9.6, 47.2, 1_500)],
    "destinations": [waypoint(9.5, 47.1), waypoint(9.6, 47.2, 1_500), waypoint(-9.7, -47.3)],
}
STEPS = [
    {"geometry": {"type": "LineString", "coordinates": [[9.5, 47.1], [9.51, 47.1]]}},
    {"geometry": {"type": "LineString", "coordinates": [[9.51, 47.1], [9.52, 47.2]]}},
    {"geometry": {"type": "LineString", "coordinates": [[9.52, 47.2], [9.52, 47.2]]}},
]
ROUTE = {
    "code": "Ok",
    "routes": [{"legs": [{"steps": STEPS}]}],
    "waypoints": [waypoint(9.5, 47.1), waypoint(9.52, 47.2)],
}
MATRIX = {
    "sources_to_targets": {"durations": [[0, 249], [None, 0]], "distances": [[0.0, 3.188], [3.188, 0.0]]},
    "units": "kilometers",
    "algorithm": "costmatrix",
}
LOCATED = [
    {"edges": [{"correlated_lon": 9.5001, "correlated_lat": 47.1}, {"correlated_lon": 9.6, "correlated_lat": 47.1}]},
    {"edges": None},
]
LON, LAT = np.array([9.5, 0.0]), np.array([47.1, 0.0])


def with_(reply, path, value):
    """Return a copy in which one value is another."""
    changed = copy.deepcopy(reply)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


def test_a_table_of_osrm():
    table = osrm_table(TABLE, 2, 3)
    assert table.seconds.tolist() == [[0, 61.5, math.inf], [70, 0, 12]]
    assert table.metres.tolist() == [[0, 820.4, math.inf], [901, 0, 140.5]]
    assert table.destinations.lon.tolist() == [9.5, 9.6, -9.7]
    assert table.origins.moved_m.tolist() == [3.5, 1_500]


def test_places_that_were_moved_too_far_are_cut_off():
    table = osrm_table(TABLE, 2, 3).within(1_000)
    assert table.seconds.tolist() == [[0, math.inf, math.inf], [math.inf] * 3]
    assert np.isinf(table.metres).tolist() == np.isinf(table.seconds).tolist()
    assert table.origins.moved_m.tolist() == [3.5, math.inf]
    assert table.destinations.moved_m.tolist() == [3.5, math.inf, 3.5]
    assert osrm_table(TABLE, 2, 3).within(2_000).seconds[0, 1] == 61.5


def test_a_negative_distance_between_two_places_on_one_spot_is_its_size():
    reply = with_(with_(TABLE, ["distances", 1, 2], -0.8), ["durations", 1, 2], 0)
    assert osrm_table(reply, 2, 3).metres[1, 2] == 0.8


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["code"], "InvalidQuery"),
        (["code"], None),
        (["durations"], None),
        (["durations"], []),
        (["durations"], [[0, 1, 2]]),
        (["durations", 0], [0, 1]),
        (["durations", 0], [0, 1, 2, 3]),
        (["durations", 0], "012"),
        (["durations", 0, 1], "61.5"),
        (["durations", 0, 1], True),
        (["durations", 0, 1], [1]),
        (["durations", 0, 1], math.nan),
        (["durations", 0, 1], math.inf),
        (["durations", 0, 1], -1),
        (["durations", 0, 1], 1e12),
        (["durations", 0, 1], 10**400),
        (["durations", 0, 1], None),
        (["distances"], "far"),
        (["distances", 0, 2], 5.0),
        (["distances", 1, 2], -0.8),
        (["distances", 1, 2], -5.1),
        (["sources"], []),
        (["sources", 0], None),
        (["sources", 0, "location"], [9.5]),
        (["sources", 0, "location"], ["9.5", 47.1]),
        (["sources", 0, "location"], [9.5, 91]),
        (["sources", 0, "location"], [math.nan, 47.1]),
        (["sources", 0, "location"], [10**400, 47.1]),
        (["sources", 0, "distance"], -1),
        (["destinations", 2, "distance"], "near"),
    ],
)
def test_what_osrm_cannot_mean_is_refused(path, value):
    with pytest.raises(TravelError) as error:
        osrm_table(with_(TABLE, path, value), 2, 3)
    assert error.value.retryable is False


@pytest.mark.parametrize("reply", [None, [], "<html>", 5, {}, {"code": "Ok"}])
def test_what_is_no_reply_is_refused(reply):
    for read in (
        lambda: osrm_table(reply, 2, 3),
        lambda: osrm_route(reply, 2),
        lambda: osrm_anchors(reply),
        lambda: osrm_met(reply, LON, LAT),
        lambda: valhalla_matrix(reply, 2, 3),
        lambda: valhalla_route(reply, 2),
        lambda: valhalla_locate(reply, LON, LAT),
    ):
        with pytest.raises(TravelError):
            read()


def test_a_long_answer_is_quoted_in_short():
    with pytest.raises(TravelError) as error:
        osrm_table("<html>" * 100_000, 1, 1)
    assert len(str(error.value)) < 400


def test_shapes_of_arrays_are_looked_at_as_well():
    reply = TABLE | {"durations": np.zeros((2, 2)), "distances": np.zeros((2, 3))}
    with pytest.raises(TravelError, match="shape"):
        osrm_table(reply, 2, 3)
    reply = TABLE | {"durations": np.full((2, 3), np.nan), "distances": np.zeros((2, 3))}
    with pytest.raises(TravelError, match="NaN"):
        osrm_table(reply, 2, 3)


def test_anchors_are_the_outermost_points_each_once():
    points = [waypoint(9.5, 47.1) for _ in PROBES]
    points[3], points[7], points[9] = waypoint(9.4, 47.2), waypoint(9.6, 47.15), waypoint(9.55, 47.0)
    assert set(osrm_anchors({"code": "Ok", "destinations": points})) == {(9.4, 47.2), (9.6, 47.15), (9.55, 47.0)}
    assert osrm_anchors({"code": "Ok", "destinations": [waypoint(1, 2) for _ in PROBES]}) == ((1.0, 2.0),)


def test_a_route_of_osrm_leg_by_leg():
    [(lon, lat)] = osrm_route(ROUTE, 2)
    assert lon.tolist() == [9.5, 9.51, 9.52]
    assert lat.tolist() == [47.1, 47.1, 47.2]
    text = with_(ROUTE, ["routes", 0, "legs", 0, "steps"], [{"geometry": "_izlhA~rlgdF_{geC~ywl@"}])
    [(lon, lat)] = osrm_route(text, 2)
    assert lon.tolist() == pytest.approx([-120.2, -120.95])
    assert lat.tolist() == pytest.approx([38.5, 40.7])


def test_a_trip_on_the_spot_is_a_line_of_two_points():
    on_spot = with_(ROUTE, ["routes", 0, "legs", 0, "steps"], [STEPS[2], STEPS[2]])
    [(lon, _)] = osrm_route(on_spot, 2)
    assert lon.tolist() == [9.52, 9.52]


def test_no_way_is_no_fault():
    assert osrm_route({"code": "NoRoute", "message": "Impossible route between points"}, 2) is None
    assert valhalla_route({"error_code": 442, "error": "No path could be found for input"}, 2) is None
    nowhere = valhalla_matrix({"error_code": 170, "error": "Locations are in unconnected regions"}, 1, 2)
    assert nowhere.seconds.tolist() == nowhere.metres.tolist() == [[math.inf, math.inf]]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["routes"], []),
        (["routes", 0], None),
        (["routes", 0, "legs"], []),
        (["routes", 0, "legs", 0], []),
        (["routes", 0, "legs", 0, "steps"], []),
        (["routes", 0, "legs", 0, "steps", 0, "geometry"], None),
        (["routes", 0, "legs", 0, "steps", 0, "geometry"], "_p~"),
        (["routes", 0, "legs", 0, "steps", 0, "geometry", "coordinates", 0], [9.5, 147.1]),
    ],
)
def test_bad_lines_are_refused(path, value):
    with pytest.raises(TravelError):
        osrm_route(with_(ROUTE, path, value), 2)


def test_stops_that_a_route_met_elsewhere_are_found():
    assert osrm_met(ROUTE, np.array([9.5, 9.53]), np.array([47.100001, 47.2])).tolist() == [True, False]


def test_a_table_of_valhalla_in_short_and_at_length():
    times, kilometres = MATRIX["sources_to_targets"]["durations"], MATRIX["sources_to_targets"]["distances"]
    cells = [
        [{"from_index": i, "to_index": j, "time": times[i][j], "distance": kilometres[i][j]} for j in range(2)]
        for i in range(2)
    ]
    for reply in (MATRIX, MATRIX | {"sources_to_targets": cells}):
        table = valhalla_matrix(reply, 2, 2)
        assert table.seconds.tolist() == [[0, 249], [math.inf, 0]]
        assert table.metres.tolist() == [[0, 3188], [math.inf, 0]]
    cells[0].reverse()
    with pytest.raises(TravelError, match="order"):
        valhalla_matrix(MATRIX | {"sources_to_targets": cells}, 2, 2)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["units"], "miles"),
        (["error_code"], 154),
        (["sources_to_targets"], None),
        (["sources_to_targets", "durations"], None),
        (["sources_to_targets", "durations", 0], [0]),
        (["sources_to_targets", "durations", 0, 1], -1),
        (["sources_to_targets", "distances", 0, 1], None),
        (["sources_to_targets", "distances", 0, 1], "3.188"),
        (["sources_to_targets", "distances", 0, 1], 1e7),
    ],
)
def test_what_valhalla_cannot_mean_is_refused(path, value):
    with pytest.raises(TravelError):
        valhalla_matrix(with_(MATRIX, path, value), 2, 2)


def test_places_are_located_at_the_nearest_edge():
    found = valhalla_locate(LOCATED, LON, LAT)
    assert found.lon.tolist() == [9.5001, 0.0]
    assert found.moved_m[0] == pytest.approx(7.57, abs=0.01)
    assert found.moved_m[1] == math.inf


def test_edges_that_are_cut_off_are_no_network():
    edges = [
        {"correlated_lon": 9.5001, "correlated_lat": 47.1, "outbound_reach": 4, "inbound_reach": 50},
        {"correlated_lon": 9.5002, "correlated_lat": 47.1, "outbound_reach": 50, "inbound_reach": 50},
    ]
    assert valhalla_locate([{"edges": edges}], LON[:1], LAT[:1]).lon.tolist() == [9.5002]
    assert valhalla_locate([{"edges": edges[:1]}], LON[:1], LAT[:1]).moved_m.tolist() == [math.inf]
    with pytest.raises(TravelError, match="reach"):
        valhalla_locate([{"edges": [edges[0] | {"inbound_reach": "far"}]}], LON[:1], LAT[:1])


@pytest.mark.parametrize(
    ("path", "value"),
    [([0], None), ([0, "edges"], "none"), ([0, "edges", 0], 1), ([0, "edges", 0, "correlated_lat"], None)],
)
def test_bad_places_are_refused(path, value):
    with pytest.raises(TravelError):
        valhalla_locate(with_(LOCATED, path, value), LON, LAT)
    with pytest.raises(TravelError):
        valhalla_locate(LOCATED[:1], LON, LAT)


def encode(values, digits):
    """Write a line as text, the other way round than `decode_polyline`: one number at a time."""
    text, before = "", [0, 0]
    for lon, lat in values:
        for axis, value in enumerate((lat, lon)):
            whole = round(value * 10**digits)
            step, before[axis] = whole - before[axis], whole
            bits = ~(step << 1) if step < 0 else step << 1
            while bits >= 32:
                text += chr((32 | (bits & 31)) + 63)
                bits >>= 5
            text += chr(bits + 63)
    return text


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=1, max_size=30), st.sampled_from([5, 6]))
def test_lines_come_back_from_text(points, digits):
    lon, lat = decode_polyline(encode(points, digits), digits)
    assert np.column_stack((lon, lat)) == pytest.approx(np.array(points), abs=0.51 / 10**digits)


@given(st.text(st.characters(min_codepoint=20, max_codepoint=300), max_size=20))
def test_any_text_is_a_line_or_refused(text):
    try:
        lon, lat = decode_polyline(text, 6)
    except TravelError:
        return
    assert len(lon) == len(lat) > 0
    assert (np.abs(lon) <= 180).all()
    assert (np.abs(lat) <= 90).all()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["code", "location", "x"]), inner),
    max_leaves=8,
)


def _paths(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _paths(value[key], (*path, key))


@given(st.data())
def test_whatever_one_value_is_the_answer_is_sound_or_refused(data):
    name = data.draw(st.sampled_from(["table", "route", "matrix", "located"]))
    good = {"table": TABLE, "route": ROUTE, "matrix": MATRIX, "located": LOCATED}[name]
    path = data.draw(st.sampled_from([each for each in _paths(good) if each]))
    reply = with_(good, list(path), data.draw(ANYTHING))
    try:
        if name == "route":
            for lon, lat in osrm_route(reply, 2) or []:
                assert np.isfinite(lon).all()
                assert len(lon) == len(lat) >= 1
        elif name == "located":
            found = valhalla_locate(reply, LON, LAT)
            assert (found.moved_m >= 0).all()
        else:
            table = osrm_table(reply, 2, 3) if name == "table" else valhalla_matrix(reply, 2, 2)
            assert (table.seconds >= 0).all()
            assert (np.isinf(table.seconds) == np.isinf(table.metres)).all()
    except TravelError:
        pass


def test_replies_survive_json():
    assert osrm_table(json.loads(json.dumps(TABLE)), 2, 3).seconds.shape == (2, 3)


def test_lines_of_legs_are_put_together():
    line = geometry_of([(np.array([1.0, 2.0]), np.array([3.0, 4.0])), None, (np.array([5.0]), np.array([6.0]))])
    assert line.offsets.tolist() == [0, 2, 2, 3]
    assert line.lon.tolist() == [1, 2, 5]
    assert len(geometry_of([])) == 0


def test_all_bad_coordinates_are_told_at_once():
    bad = Places.of(PlaceKind.CUSTOMER, list("abcd"), [np.nan, 9.5, 190.0, 9.5], [47.0, np.inf, 47.0, -91.0])
    with pytest.raises(InputError) as error:
        check_coordinates(origins=bad)
    assert error.value.codes == ("nan", "lon-out-of-range", "nan", "lat-out-of-range")
    assert [problem.rows for problem in error.value.problems] == [(0,), (2,), (1,), (3,)]
    check_coordinates(origins=bad.take([]), destinations=Places.of(PlaceKind.CUSTOMER, ["x"], [-180.0], [90.0]))
