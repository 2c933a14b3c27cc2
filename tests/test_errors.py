from __future__ import annotations

import pickle

import pytest

from territory import errors
from territory.errors import (
    BatchError,
    InfeasibleError,
    InputError,
    MissingExtraError,
    Problem,
    SolverError,
    TerritoryError,
    TravelError,
)

SWAPPED = Problem("lat-out-of-range", "outside [-90, 90]", "lat", 2, (0, 3), "Maybe lon and lat are swapped?")
BLANK = Problem("blank-id", "blank", "id", 1, (4,))
WHOLE = Problem("no-workload", "zero in every row", "workload_s")

EVERY = [
    InputError([SWAPPED, BLANK], "customers"),
    InfeasibleError([WHOLE], "no alignment within 5 %"),
    TravelError("timed out", retryable=True),
    SolverError("the answer is wrong", [WHOLE]),
    SolverError("crashed"),
    BatchError("the ledger is locked"),
    MissingExtraError("matplotlib", "maps"),
    MissingExtraError("osrm-bindings", "road", (3, 12)),
    TerritoryError("anything"),
]


@pytest.mark.parametrize("error", EVERY, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_survives_pickling(error, protocol):
    again = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - our own bytes
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__


def test_every_error_is_here():
    named = {getattr(errors, name) for name in errors.__all__} - {Problem}
    assert named == {type(e) for e in EVERY}
    assert all(issubclass(cls, TerritoryError) for cls in named)
    assert issubclass(InputError, ValueError)
    assert issubclass(MissingExtraError, ImportError)


def test_the_text_of_an_input_error():
    duplicate = Problem("duplicate-id", "stands more than once", "id", 3, (7, 8, 9, 10, 11, 12))
    assert str(InputError([SWAPPED, BLANK, WHOLE, duplicate], "customers")) == (
        "customers: 7 bad values against 4 rules\n"
        "  lat-out-of-range   lat: outside [-90, 90] (2 rows, first rows 0, 3)\n"
        "                     Maybe lon and lat are swapped?\n"
        "  blank-id           id: blank (row 4)\n"
        "  no-workload        workload_s: zero in every row\n"
        "  duplicate-id       id: stands more than once (3 rows, first rows 7, 8, 9, 10, 11)"
    )
    assert str(InputError([BLANK])) == "input: 1 bad value against 1 rule\n  blank-id   id: blank (row 4)"


def test_the_text_of_the_others():
    assert str(InfeasibleError([WHOLE])) == "no feasible answer\n  no-workload   workload_s: zero in every row"
    assert str(TravelError("timed out")) == "timed out"
    assert not TravelError("timed out").retryable
    assert str(SolverError("crashed")) == "crashed"
    assert str(SolverError("wrong", [BLANK])) == "wrong\n  blank-id   id: blank (row 4)"
    assert str(MissingExtraError("folium", "maps")) == "folium is not installed: pip install 'territory[maps]'"
    assert str(MissingExtraError("osrm", "road", (3, 9))) == "osrm is not installed: pip install 'territory[road]'"
    late = "osrm is not installed: it needs Python 9.1 or newer, and territory[road]"
    assert str(MissingExtraError("osrm", "road", (9, 1))) == late
    assert InputError([SWAPPED, BLANK]).codes == ("lat-out-of-range", "blank-id")
