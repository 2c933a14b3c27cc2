from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.model.zones import local, to_utc, utc_second

BERLIN = "Europe/Berlin"


def seconds(text):
    return int(np.datetime64(text, "s").astype(np.int64))


@pytest.mark.parametrize(("wall", "zone", "utc"), [
    ("2026-01-05T09:00", "", "2026-01-05T09:00"),
    ("2026-01-05T09:00", BERLIN, "2026-01-05T08:00"),
    ("2026-07-05T09:00", BERLIN, "2026-07-05T07:00"),
    ("2026-03-29T01:59", BERLIN, "2026-03-29T00:59"),
    ("2026-03-29T02:30", BERLIN, "2026-03-29T01:30"),  # skipped: counts as 03:30
    ("2026-03-29T03:30", BERLIN, "2026-03-29T01:30"),
    ("2026-10-25T02:30", BERLIN, "2026-10-25T00:30"),  # repeated: the first
    ("2026-10-25T03:00", BERLIN, "2026-10-25T02:00"),
    ("2026-01-05T09:00", "Asia/Kathmandu", "2026-01-05T03:15"),
    ("2026-01-05T09:00", "Australia/Lord_Howe", "2026-01-04T22:00"),
])  # fmt: skip
def test_wall_to_utc(wall, zone, utc):
    day, second = divmod(seconds(wall), 86_400)
    assert utc_second(day, second, zone) == seconds(utc)
    assert to_utc(np.array([wall], "datetime64[s]"), np.array([zone], np.dtypes.StringDType())).tolist() == [
        np.datetime64(utc, "s").item()
    ]


def test_the_end_of_a_day_is_the_next_midnight():
    day = seconds("2026-01-05") // 86_400
    assert utc_second(day, 86_400, BERLIN) == utc_second(day + 1, 0, BERLIN)


def test_days_of_23_and_25_hours():
    for text, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)):
        day = seconds(text) // 86_400
        assert utc_second(day, 86_400, BERLIN) - utc_second(day, 0, BERLIN) == hours * 3600


zones = st.sampled_from(["", BERLIN, "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"])


@given(st.lists(st.tuples(st.integers(seconds("2000-01-01"), seconds("2037-01-01")), zones), max_size=20))
def test_local_and_back(pairs):
    instants = np.array([s for s, _ in pairs], dtype="datetime64[s]")
    names = np.array([z for _, z in pairs], dtype=np.dtypes.StringDType())
    wall = local(instants, names)
    again = to_utc(wall, names)
    # only a repeated hour is lost: there the first is meant, an hour (or half) earlier
    assert set((instants - again).astype(int).tolist()) <= {0, 1800, 3600}
    assert (local(again, names) == wall).all()


def test_no_time_stays_no_time():
    times = np.array(["NaT", "2026-07-01T12:00"], dtype="datetime64[s]")
    names = np.array([BERLIN, BERLIN], dtype=np.dtypes.StringDType())
    assert local(times, names).astype(str).tolist() == ["NaT", "2026-07-01T14:00:00"]
    assert to_utc(times, names).astype(str).tolist() == ["NaT", "2026-07-01T10:00:00"]
    assert local(times, None) is times
    assert to_utc(times, None) is times
