from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.model.hours import WeeklyHours, format_hours, parse_days, parse_hours

H = 3600
DAY = 24 * H
NONE = ()
ALWAYS = ((0, DAY),)


def week(**days):
    return tuple(days.get(d, NONE) for d in ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"))


def at(*hours):
    return tuple((int(a * H), int(b * H)) for a, b in hours)


READ = [
    ("", (ALWAYS,) * 7),
    ("  24/7 ", (ALWAYS,) * 7),
    ("off", (NONE,) * 7),
    ("closed", (NONE,) * 7),
    ("Mo", week(Mo=ALWAYS)),
    ("Mo 09:00-12:00", week(Mo=at((9, 12)))),
    ("Mo 9:00-12:00", week(Mo=at((9, 12)))),
    ("Mo 09:00 - 12:00", week(Mo=at((9, 12)))),
    ("Mo09:00-12:00", week(Mo=at((9, 12)))),
    ("09:00-12:00; Tu-Su off", week(Mo=at((9, 12)))),
    ("Mo,We 09:00-12:00", week(Mo=at((9, 12)), We=at((9, 12)))),
    ("Mo, We 09:00-12:00", week(Mo=at((9, 12)), We=at((9, 12)))),
    ("Mo 09:00-12:00,13:00-17:00", week(Mo=at((9, 12), (13, 17)))),
    ("Mo 09:00-12:00, 13:00-17:00", week(Mo=at((9, 12), (13, 17)))),
    ("Mo 13:00-17:00,09:00-12:00", week(Mo=at((9, 12), (13, 17)))),
    ("Mo 09:00-12:00,12:00-17:00", week(Mo=at((9, 17)))),
    ("Mo 09:00-13:00,12:00-17:00", week(Mo=at((9, 17)))),
    ("Sa-Mo 10:00-11:00", week(Sa=at((10, 11)), Su=at((10, 11)), Mo=at((10, 11)))),
    ("24/7; Mo-Sa off", week(Su=ALWAYS)),
    # ";" replaces
    ("Mo-Tu 09:00-17:00; Tu 10:00-12:00", week(Mo=at((9, 17)), Tu=at((10, 12)))),
    ("Mo-Tu 09:00-17:00; Tu off", week(Mo=at((9, 17)))),
    ("Mo 09:00-17:00; off", (NONE,) * 7),
    ("Mo 09:00-10:00;; Tu 09:00-10:00;", week(Mo=at((9, 10)), Tu=at((9, 10)))),
    # "," adds
    ("Mo-Tu 08:00-12:00, Tu 14:00-18:00", week(Mo=at((8, 12)), Tu=at((8, 12), (14, 18)))),
    ("Mo 08:00-12:00; Tu 09:00-10:00, Mo 14:00-18:00", week(Mo=at((8, 12), (14, 18)), Tu=at((9, 10)))),
    ("Mo 08:00-09:00, Tu-We,Sa 10:00-11:00", week(Mo=at((8, 9)), Tu=at((10, 11)), We=at((10, 11)), Sa=at((10, 11)))),
    # over midnight
    ("Mo 22:00-02:00", week(Mo=at((22, 24)), Tu=at((0, 2)))),
    ("Su 22:00-02:00", week(Su=at((22, 24)), Mo=at((0, 2)))),
    ("Mo 22:00-26:00", week(Mo=at((22, 24)), Tu=at((0, 2)))),
    ("Mo 24:00-26:00", week(Tu=at((0, 2)))),
    ("Mo 22:00-24:00", week(Mo=at((22, 24)))),
    ("Mo 22:00-00:00", week(Mo=at((22, 24)))),
    ("Mo-Tu 20:00-04:00; Tu off", week(Mo=at((20, 24)), Tu=at((0, 4)))),
    # no length
    ("Mo 09:00-09:00", week(Mo=at((9, 9)))),
    ("Mo 09:00-09:00,09:00-10:00", week(Mo=at((9, 10)))),
    # beyond OSM
    ("Mo 09:00:30-10:00", week(Mo=((9 * H + 30, 10 * H),))),
    # holidays
    ("PH off", (ALWAYS,) * 7),
    ("Mo 09:00-10:00; PH off", week(Mo=at((9, 10)))),
    ("Mo,PH 09:00-10:00", week(Mo=at((9, 10)))),
    ("Mo 09:00-10:00; SH,PH off", week(Mo=at((9, 10)))),
]


@pytest.mark.parametrize(("text", "expected"), READ, ids=[repr(t) for t, _ in READ])
def test_read(text, expected):
    assert parse_hours(text) == expected
    assert parse_hours(format_hours(expected)) == expected


@pytest.mark.parametrize("text", ["9 to 5", "Mo 9-17", "Mo 09:00", "Mo 09:00+", "Mo 09:00-12:00 foo", "mo 09:00-12:00",
                                  "Mo 25:00-26:00", "Mo 24:30-25:00", "Mo 09:60-10:00", "Mo 09:00-49:00",
                                  "Mon 09:00-10:00",
                                  "Mo-Xx 09:00-10:00", "Apr-Oct Mo 09:00-10:00", "Mo sunrise-sunset", "PH 10:00-12:00",
                                  "Mo 09:00-12:00 || Tu off", 'Mo 09:00-10:00 "by appointment"', "Mo 09:00\u201317:00",
                                  "week 1-10 Mo 09:00-10:00", "Mo[1] 09:00-10:00", "Mo 09:00-10:00:99",
                                  "Mo ٠٩:00-10:00"])  # fmt: skip
def test_refused(text):
    with pytest.raises(ValueError, match=r"not understood|no such time|not a time|not supported"):
        parse_hours(text)


def test_weekdays():
    assert parse_days("Su-Tu") == [6, 0, 1]
    assert parse_days("Mo-Mo") == [0]
    assert parse_days("PH,SH") is None


moments = st.integers(0, DAY) | st.integers(0, 24 * 4).map(lambda q: q * 900)
intervals = st.lists(st.tuples(moments, moments).map(lambda t: tuple(sorted(t))), max_size=4)
weeks = st.lists(intervals, min_size=7, max_size=7)


@given(weeks)
def test_written_and_read_again_it_is_the_same(days):
    hours = WeeklyHours.from_weeks([dict(enumerate(days))])
    for day in hours[0]:
        assert all(0 <= a <= b <= DAY for a, b in day)
        assert all(b < c for (_, b), (c, _) in pairwise(day))
    assert parse_hours(format_hours(hours[0])) == hours[0]


@given(st.text(alphabet="MoTuWeThFrSaSuPHoff0123456789:-,; /+", max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        found = parse_hours(text)
    except ValueError:
        return
    assert len(found) == 7
    assert parse_hours(format_hours(found)) == found


def test_rows_share_weeks_and_survive():
    hours = WeeklyHours.from_text(["Mo 09:00-10:00", "", "Mo 9:00-10:00", "off"])
    assert hours.code.tolist() == [0, 1, 0, 2]
    assert hours.to_text() == ["Mo 09:00-10:00", "24/7", "Mo 09:00-10:00", "off"]
    assert hours.on(0, 0) == at((9, 10))
    assert hours.take([3, 0]).to_text() == ["off", "Mo 09:00-10:00"]
    assert hours.take(np.array([False, False, False, True])).to_text() == ["off"]
    assert hours.where([True, False, False]).tolist() == [True, False, True, False]
    again = pickle.loads(pickle.dumps(hours))  # noqa: S301 - our own bytes
    assert again.to_text() == hours.to_text()
    assert not again.code.flags.writeable
    assert len(WeeklyHours.from_text([])) == 0


def test_faults_say_where():
    hours, errors = WeeklyHours.parse(["x", "", "x"])
    assert errors == {0: "not understood: 'x'", 2: "not understood: 'x'"}
    assert hours.to_text() == ["24/7"] * 3
    with pytest.raises(ValueError, match="row 1: not understood"):
        WeeklyHours.from_text(["", "x"])
    with pytest.raises(IndexError, match="position 5 of 3 rows"):
        hours.take([5])
    with pytest.raises(ValueError, match="codes from 0 to 0"):
        WeeklyHours(np.array([1]), hours.weeks)


@pytest.mark.parametrize("days", [{0: [(10, 5)]}, {0: [(-1, 5)]}, {0: [(0, DAY + 1)]}, {7: []}, {0: [(0.5, 5)]}])
def test_intervals_that_are_none(days):
    with pytest.raises(ValueError, match="row 0"):
        WeeklyHours.from_weeks([days])


def test_the_source_of_codes_may_change_afterwards():
    code = np.zeros(2, dtype=np.int32)
    hours = WeeklyHours(code, (parse_hours(""), parse_hours("off"))[:2])
    code[:] = 1
    assert hours.to_text() == ["24/7", "24/7"]
    with pytest.raises(ValueError, match="read-only"):
        hours.code[0] = 1
