from __future__ import annotations

import pickle

import numpy as np
import pytest

from territory.errors import InputError
from territory.model.enums import Area
from territory.model.places import UNKNOWN_AREA, PlaceKind, Places


def customers(n, **columns):
    return Places.of(PlaceKind.CUSTOMER, [f"c{i}" for i in range(n)], np.arange(n), np.arange(n), **columns)


def test_a_day_is_home_customers_and_end():
    home = Places.of(PlaceKind.REP, ["r"], [8.0], [50.0])
    end = Places.of(PlaceKind.REP_END, ["r"], [9.0], [50.0])
    day = Places.concat([home, customers(2, area=[Area.URBAN, Area.RURAL]), end])
    assert len(day) == 4
    assert day.id.tolist() == ["r", "c0", "c1", "r"]
    assert day.kind.tolist() == [PlaceKind.REP, PlaceKind.CUSTOMER, PlaceKind.CUSTOMER, PlaceKind.REP_END]
    assert day.area.tolist() == [UNKNOWN_AREA, Area.URBAN, Area.RURAL, UNKNOWN_AREA]
    assert day.lon.tolist() == [8.0, 0.0, 1.0, 9.0]


def test_take_and_concat_are_inverse():
    whole = customers(5, area=[0, 1, 2, 0, 1])
    parts = Places.concat([whole.take([0, 1]), whole.take([2, 3, 4])])
    for name in ("kind", "id", "lon", "lat", "area"):
        assert getattr(parts, name).tolist() == getattr(whole, name).tolist()
    assert whole.take([4, 0]).id.tolist() == ["c4", "c0"]
    assert customers(2).take([1]).area is None


def test_no_places():
    assert len(Places.concat([])) == 0
    assert Places.concat([customers(0), customers(0)]).area is None


def test_columns_cannot_be_written_to_and_survive_pickling():
    places = customers(3)
    with pytest.raises(ValueError, match="read-only"):
        places.lon[0] = 1.0
    again = pickle.loads(pickle.dumps(places))  # noqa: S301 - our own bytes
    assert again.id.tolist() == places.id.tolist()


def test_columns_of_different_lengths_are_all_named():
    with pytest.raises(InputError) as error:
        Places.of(PlaceKind.CUSTOMER, ["a", "b"], [1.0], [1.0, 2.0, 3.0], [0])
    assert [problem.column for problem in error.value.problems] == ["lon", "lat", "area"]
