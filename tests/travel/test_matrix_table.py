from __future__ import annotations

import numpy as np
import pytest

from territory.errors import InputError
from territory.model.places import PlaceKind, Places
from territory.travel import MatrixTravel

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

BACKENDS = [pd.DataFrame, pl.DataFrame, pa.table]


def legs(**columns):
    rows = {
        "origin": ["a", "a", "b", "b", "r", "r"],
        "destination": ["b", "r", "a", "r", "a", "b"],
        "duration_s": [60.0, 70.0, 80.5, 90.0, 100.0, 110.0],
        "distance_m": [600, 700, 800, 900, 1000, 1100],
    }
    rows.update(columns)
    return {name: values for name, values in rows.items() if values is not None}


def codes(frame, **options):
    with pytest.raises(InputError) as error:
        MatrixTravel.from_frame(frame, **options)
    return list(error.value.codes)


def ask(travel):
    day = Places.concat(
        [Places.of(PlaceKind.REP, ["r"], [8], [50]), Places.of(PlaceKind.CUSTOMER, ["b", "a"], [8, 8], [50.1, 50.2])]
    )
    return travel.matrix(day, day)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_long_table_of_any_library(backend):
    found = ask(MatrixTravel.from_frame(backend(legs()), rep_ids=["r"]))
    assert found.durations_s.tolist() == [[0, 110, 100], [90, 0, 81], [70, 60, 0]]
    assert found.distances_m.tolist() == [[0, 1100, 1000], [900, 0, 800], [700, 600, 0]]


@pytest.mark.parametrize("backend", BACKENDS)
def test_distances_may_be_absent_and_columns_have_other_names(backend):
    frame = backend({"von" if name == "origin" else name: values for name, values in legs(distance_m=None).items()})
    travel = MatrixTravel.from_frame(frame, origin="von", rep_ids=["r"], detour=1.0)
    assert ask(travel).distances_m[0, 1] == 11120


@pytest.mark.parametrize("backend", [pl.DataFrame, pa.table])
@pytest.mark.parametrize("nothing", [None, float("inf")])
def test_null_and_infinity_mean_no_way(backend, nothing):
    frame = backend(legs(duration_s=[nothing, 70.0, 80.5, 90.0, 100.0, 110.0]))
    travel = MatrixTravel.from_frame(frame, rep_ids=["r"])
    assert ask(travel).reachable.sum() == 8
    assert travel.diagnostics[0].code == "unreachable"


def test_null_in_pandas():
    seconds = pd.array([None, 70.0, 80.5, 90.0, 100.0, 110.0], dtype="Float64")
    assert ask(MatrixTravel.from_frame(pd.DataFrame(legs(duration_s=seconds)), rep_ids=["r"])).reachable.sum() == 8


@pytest.mark.parametrize("backend", BACKENDS)
def test_nan_is_refused(backend):
    frame = backend(legs(duration_s=[np.nan, 70.0, 80.5, 90.0, 100.0, 110.0]))
    if backend is pa.table:
        # pyarrow reads the NaN of Python as one
        assert frame["duration_s"].null_count == 0
    assert codes(frame) == ["nan"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_integer_ids_become_text_and_leading_zeros_survive(backend):
    frame = backend({"origin": [1, 2], "destination": [2, 1], "duration_s": [5, 6]})
    travel = MatrixTravel.from_frame(frame)
    table = Places.of(PlaceKind.CUSTOMER, ["1", "2"], [8, 8], [50, 50.1])
    assert travel.matrix(table, table).durations_s.tolist() == [[0, 5], [6, 0]]
    frame = backend({"origin": ["007", "NA"], "destination": ["NA", "007"], "duration_s": [5, 6]})
    assert len(MatrixTravel.from_frame(frame)) == 2


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"origin": [1.0] * 6}, ["id-not-text"]),
        ({"origin": ["a", None, "b", "b", "r", "r"]}, ["blank-id"]),
        ({"duration_s": ["60"] * 6}, ["not-numbers"]),
        ({"duration_s": [60.0, 70.0, -80.5, 90.0, 100.0, 110.0]}, ["negative"]),
        ({"duration_s": None}, ["missing-column"]),
        ({"origin": None, "destination": None}, ["missing-column", "missing-column"]),
        (
            {"origin": ["a", "a", "a", "b", "r", "r"], "destination": ["b", "r", "b", "r", "a", "b"]},
            ["duplicate-leg", "missing-leg"],
        ),
        ({"origin": ["a", "a", "a", "b", "r", "r"], "destination": ["b", "r", "a", "r", "a", "b"]}, ["missing-leg"]),
    ],
)
def test_bad_tables_are_refused(backend, columns, expected):
    assert codes(backend(legs(**columns))) == expected


def test_mixed_ids_are_refused():
    frame = pd.DataFrame(legs(origin=pd.Series(["a", 7, "b", "b", "r", "r"], dtype=object)))
    assert codes(frame) == ["id-not-text"]


def test_missing_columns_are_named_beside_those_that_are_there():
    with pytest.raises(InputError, match="'destination', 'duration_s'") as error:
        MatrixTravel.from_frame(pd.DataFrame(legs(origin=None)))
    assert error.value.problems[0].column == "origin"


def test_missing_legs_are_refused_or_have_no_way():
    frame = pl.DataFrame(legs()).head(5)
    with pytest.raises(InputError, match="'r' to 'b'"):
        MatrixTravel.from_frame(frame, rep_ids=["r"])
    found = ask(MatrixTravel.from_frame(frame, rep_ids=["r"], missing="unreachable"))
    assert found.reachable.sum() == 8
    assert codes(frame, missing="zero") == ["missing-option"]
    # a rep that the table does not know
    assert codes(pl.DataFrame(legs()), rep_ids=["s"]) == ["missing-leg"]


def test_ends_of_reps():
    found = MatrixTravel.from_frame(pl.DataFrame(legs()), rep_ids=["a"], rep_end_ids=["r"])
    assert repr(found) == "MatrixTravel(1 customers, 1 reps, 1 rep ends)"
    assert codes(pl.DataFrame(legs()), rep_ids=["a"], rep_end_ids=["a"]) == ["ambiguous-id"]


def test_an_empty_table_is_an_empty_matrix():
    frame = pl.DataFrame(legs()).head(0)
    assert len(MatrixTravel.from_frame(frame)) == 0
