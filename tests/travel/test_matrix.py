from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from territory.errors import InputError
from territory.geo.sphere import great_circle_m
from territory.model.places import PlaceKind, Places
from territory.travel import UNREACHABLE, GreatCircle, MatrixTravel

THREE = [[0.0, 10.2, 20.0], [11.0, 0.0, 12.0], [22.0, 13.0, 0.0]]


def places(kind, ids):
    spots = {"a": (8.0, 50.0), "b": (8.1, 50.0), "c": (8.2, 50.1), "r": (8.3, 50.0), "s": (8.0, 50.2)}
    lon, lat = np.array([spots.get(i, (9.0, 51.0)) for i in ids]).reshape(-1, 2).T
    return Places.of(kind, ids, lon, lat)


def customers(*ids):
    return places(PlaceKind.CUSTOMER, ids)


def codes(*args, **options):
    with pytest.raises(InputError) as error:
        MatrixTravel(*args, **options)
    return list(error.value.codes)


def test_look_up_by_id_in_any_order():
    travel = MatrixTravel(THREE, 100 * np.array(THREE), customer_ids=["a", "b", "c"])
    found = travel.matrix(customers("c", "a"), customers("b", "c", "a"))
    assert found.durations_s.tolist() == [[13, 0, 22], [11, 20, 0]]
    assert found.distances_m.tolist() == [[1300, 0, 2200], [1020, 2000, 0]]
    pairs = travel.pairs(customers("c", "a", "a"), customers("b", "b", "a"), speed_factor=2.0)
    assert pairs.durations_s.tolist() == [7, 6, 0]
    assert len(travel) == 3
    assert repr(travel) == "MatrixTravel(3 customers, 0 reps, 0 rep ends)"


@given(hnp.arrays(float, (4, 4), elements=st.floats(0, 1e5)), st.permutations(range(4)), st.floats(0.5, 2))
def test_permuting_the_matrix_with_its_ids_changes_nothing(seconds, order, factor):
    np.fill_diagonal(seconds, 0.0)
    ids = ["a", "b", "c", "d"]
    one = MatrixTravel(seconds, customer_ids=ids)
    other = MatrixTravel(seconds[np.ix_(order, order)], customer_ids=[ids[i] for i in order])
    table = customers(*ids)
    first, second = (t.matrix(table, table, speed_factor=factor) for t in (one, other))
    assert first.durations_s.tolist() == second.durations_s.tolist()
    assert first.distances_m.tolist() == second.distances_m.tolist()


def test_customers_reps_and_ends_may_share_an_id():
    seconds = np.arange(16.0).reshape(4, 4) * (1 - np.eye(4))
    travel = MatrixTravel(seconds, customer_ids=["r", "a"], rep_ids=["r"], rep_end_ids=["r"])
    day = Places.concat([places(kind, ["r"]) for kind in (PlaceKind.CUSTOMER, PlaceKind.REP, PlaceKind.REP_END)])
    assert travel.matrix(day, day).durations_s.tolist() == [[0, 2, 3], [8, 0, 11], [12, 14, 0]]


def test_a_rep_without_an_end_ends_at_home():
    seconds = [[0, 5, 7], [5, 0, 9], [7, 9, 0]]
    travel = MatrixTravel(seconds, rep_ids=["r", "s"], rep_end_ids=["s"])
    homes, ends = places(PlaceKind.REP, ["r", "s"]), places(PlaceKind.REP_END, ["r", "s"])
    assert travel.matrix(homes, ends).durations_s.tolist() == [[0, 7], [5, 9]]
    assert travel.matrix(homes, ends).distances_m[0, 0] == 0


@pytest.mark.parametrize(
    "seconds",
    [
        [[0, None], [5, 0]],
        [[0, np.inf], [5, 0]],
        np.ma.masked_array([[0, 3], [5, 0]], [[False, True], [False, False]]),
        np.ma.masked_array([[0.0, np.nan], [5.0, 0.0]], [[False, True], [False, False]]),
    ],
)
@pytest.mark.parametrize("metres", [None, [[0, None], [900, 0]], [[0, 800], [900, 0]]])
def test_null_and_infinity_mean_no_way(seconds, metres):
    travel = MatrixTravel(seconds, metres, customer_ids=["a", "b"])
    found = travel.matrix(customers("a", "b"), customers("a", "b"))
    assert found.reachable.tolist() == [[True, False], [True, True]]
    assert found.durations_s[0, 1] == found.distances_m[0, 1] == UNREACHABLE
    assert travel.diagnostics[0].code == "unreachable"
    assert travel.diagnostics[0].rows == (0,)
    assert "'a'" in travel.diagnostics[0].message


def test_the_null_of_pandas_means_no_way():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [0, 5], "b": [pd.NA, 0]}, dtype="Int64")
    travel = MatrixTravel(frame, customer_ids=["a", "b"])
    assert not travel.matrix(customers("a"), customers("b")).reachable.any()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([[0, 1, 2], [1, 0, 2]], ["matrix-shape"]),
        ([0, 1], ["matrix-shape"]),
        ([[0]], ["matrix-shape"]),
        ([[0, 1], [1]], ["matrix-ragged"]),
        ([[0, np.nan], [1, 0]], ["nan"]),
        ([[0, -1], [1, 0]], ["negative"]),
        ([[0, -np.inf], [1, 0]], ["negative"]),
        ([[3, 1], [1, 0]], ["diagonal"]),
        ([[0, 1], [1, None]], ["diagonal"]),
        ([[0, 1e10], [1, 0]], ["overflow"]),
        ([[0, 2**70], [1, 0]], ["overflow"]),
        ([[0, 10**400], [1, 0]], ["overflow"]),
        ([["0", "1,5"], ["1", "0"]], ["not-numbers"]),
        ([[0, "1"], [None, 0]], ["not-numbers"]),
        ([[False, True], [True, False]], ["not-numbers"]),
        ([[0, 1j], [1, 0]], ["not-numbers"]),
        ([[4, np.nan], [-1, 1e12]], ["nan", "negative", "overflow", "diagonal"]),
    ],
)
def test_bad_matrices_are_refused(seconds, expected):
    assert codes(seconds, customer_ids=["a", "b"]) == expected
    good = [[0, 1], [1, 0]]
    assert codes(good, seconds, customer_ids=["a", "b"])[: len(expected)] == expected


def test_everything_wrong_is_said_at_once():
    found = codes(
        [[0, np.nan], [1, 0]], [[1, 5], [5, 0]], customer_ids=["a", "a"], rep_ids=[], rep_end_ids=[" ", 7], detour=0.5
    )
    assert found == ["duplicate-id", "id-not-text", "blank-id", "matrix-shape", "matrix-shape", "detour-out-of-range"]
    assert codes([[0, 5], [5, 0]], [[0, np.inf], [5, 0]], customer_ids=["a", "b"]) == ["distance-missing"]
    assert codes([], customer_ids="abc") == ["ids-type"]


def test_problems_name_the_rows():
    with pytest.raises(InputError) as error:
        MatrixTravel([[0, 1, 2], [-1, 0, -1], [1, -1, 0]], customer_ids=["a", "b", "c"])
    (problem,) = error.value.problems
    assert (problem.count, problem.rows, problem.column) == (3, (1, 2), "durations_s")


def test_unknown_ids_are_all_listed():
    travel = MatrixTravel(THREE, customer_ids=["a", "b", "c"])
    day = Places.concat([places(PlaceKind.REP, ["r"]), customers("a", "x", "y")])
    with pytest.raises(InputError) as error:
        travel.matrix(day, customers("b", "x", "z"))
    by_kind = {problem.column: problem for problem in error.value.problems}
    assert by_kind["customer"].count == 3
    assert by_kind["customer"].rows == (2, 3, 2)
    assert "'x', 'y', 'z'" in by_kind["customer"].message
    assert by_kind["rep"].count == 1
    many = customers(*(f"u{i}" for i in range(9)))
    with pytest.raises(InputError, match="and 4 more"):
        travel.pairs(many, many)


def test_without_distances_they_are_great_circles_with_a_detour():
    travel = MatrixTravel(THREE, customer_ids=["a", "b", "c"], detour=1.25)
    table = customers("a", "b", "c")
    found = travel.matrix(table, table).distances_m
    assert found[0, 1] == round(1.25 * float(great_circle_m(8.0, 50.0, 8.1, 50.0)))
    assert travel.pairs(table, table).distances_m.tolist() == [0, 0, 0]


def test_an_asymmetric_matrix_is_all_right():
    travel = MatrixTravel([[0, 60], [90, 0]], [[0, 900], [1200, 0]], customer_ids=["a", "b"])
    assert travel.diagnostics == ()


def warnings(*args, n):
    ids = [str(i) for i in range(n)]
    return {problem.code: problem for problem in MatrixTravel(*args, customer_ids=ids).diagnostics}


def test_a_shorter_way_over_a_third_place_is_warned_of():
    found = warnings([[0, 100, 10], [100, 0, 10], [10, 10, 0]], n=3)
    assert found["triangle-violated"].count == 2
    assert found["triangle-violated"].rows == (0, 1)
    # what whole seconds can do to a metric is not worth a warning
    assert not warnings([[0, 13, 5], [13, 0, 5], [5, 5, 0]], n=3)
    # no way, although there is one over a third place
    assert "triangle-violated" in warnings([[0, None, 10], [100, 0, 10], [10, 10, 0]], n=3)


def test_triangles_of_large_matrices_are_sampled():
    rng = np.random.default_rng(0)
    n = 400
    lon, lat = rng.uniform(5, 6, n), rng.uniform(50, 51, n)
    metres = great_circle_m(lon[:, None], lat[:, None], lon, lat)
    assert not warnings(np.ceil(metres / 10), metres, n=n)
    noise = rng.uniform(1, 20, (n, n)) * (1 - np.eye(n))
    assert "sample" in warnings(np.ceil(metres / 10) * noise, n=n)["triangle-violated"].message


@pytest.mark.parametrize(
    ("scale", "code", "hint"),
    [(1 / 60, "speed-too-high", "minutes where seconds"), (1_000, "speed-too-low", "milliseconds")],
)
def test_speeds_that_nobody_drives_are_warned_of(scale, code, hint):
    table = customers("a", "b", "c", "r", "s")
    real = GreatCircle().matrix(table, table)
    ids = table.id.tolist()
    travel = MatrixTravel(real.durations_s * scale, real.distances_m, customer_ids=ids)
    (problem,) = travel.diagnostics
    assert problem.code == code
    assert hint in problem.hint
    assert problem.count == 20
    # without distances, coordinates tell
    bare = MatrixTravel(real.durations_s * scale, customer_ids=ids)
    assert bare.diagnostics == ()
    assert [found.code for found in bare.check_speeds(table)] == [code]
    assert MatrixTravel(real.durations_s, customer_ids=ids).check_speeds(table) == ()
    assert bare.check_speeds(table.take([])) == ()


def test_short_legs_and_kilometres():
    # 50 m in two minutes is a walk through a car park
    assert not warnings([[0, 120], [120, 0]], [[0, 50], [50, 0]], n=2)
    assert "speed-too-low" in warnings([[0, 2400], [2400, 0]], [[0, 40], [40, 0]], n=2)
    assert "speed-too-high" in warnings([[0, 0], [0, 0]], [[0, 4000], [4000, 0]], n=2)


def test_the_matrix_is_a_copy():
    seconds = np.array(THREE)
    travel = MatrixTravel(seconds, customer_ids=["a", "b", "c"])
    seconds[0, 1] = 99.0
    assert travel.matrix(customers("a"), customers("b")).durations_s.tolist() == [[11]]


def test_the_fingerprint_depends_on_ids_times_and_distances():
    ids = ["a", "b", "c"]
    other = np.array(THREE)
    other[0, 1] += 0.001
    variants = [
        MatrixTravel(THREE, customer_ids=ids),
        MatrixTravel(other, customer_ids=ids),
        MatrixTravel(THREE, THREE, customer_ids=ids),
        MatrixTravel(THREE, customer_ids=ids, detour=1.1),
        MatrixTravel(THREE, customer_ids=["b", "a", "c"]),
        MatrixTravel(THREE, customer_ids=["a", "b"], rep_ids=["c"]),
    ]
    prints = [each.fingerprint for each in variants]
    assert len(set(prints)) == len(prints)
    assert prints[0].startswith("matrix n=3 sha256=")
    assert MatrixTravel(np.array(THREE), customer_ids=ids).fingerprint == prints[0]
    again = pickle.loads(pickle.dumps(variants[2]))  # noqa: S301 - our own bytes
    assert again.fingerprint == prints[2]


def test_an_empty_matrix_is_all_right():
    travel = MatrixTravel(np.empty((0, 0)))
    assert travel.matrix(customers(), customers()).durations_s.shape == (0, 0)
