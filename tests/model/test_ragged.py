from __future__ import annotations

import datetime as dt
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.model.ragged import DateRanges, TextSets, format_ranges, parse_ranges, parse_words


def test_ranges_of_days():
    ranges = DateRanges.from_text(["2026-12-24..2026-12-31; 2027-01-06", "", "2027-01-06"])
    assert ranges.covers(0, np.datetime64("2026-12-24"))
    assert ranges.covers(0, np.datetime64("2026-12-31"))
    assert not ranges.covers(0, np.datetime64("2027-01-01"))
    assert ranges.covers(2, np.datetime64("2027-01-06"))
    assert not ranges.covers(1, np.datetime64("2027-01-06"))
    assert ranges.take([2, 0]).to_text() == ["2027-01-06", "2026-12-24..2026-12-31; 2027-01-06"]
    assert pickle.loads(pickle.dumps(ranges)).to_text() == ranges.to_text()  # noqa: S301 - our own bytes


@pytest.mark.parametrize("text", ["2026-1-1", "24.12.2026", "2026-02-30", "2026-12-31..2026-12-24", "2026-12-24...x",
                                  "2026-12-24..", "soon", "2026-12-24T10:00", "today", "..2026-12-24"])  # fmt: skip
def test_what_is_no_range(text):
    with pytest.raises(ValueError, match="row 1"):
        DateRanges.from_text(["", text])
    ranges, errors = DateRanges.parse(["2026-01-01", text])
    assert list(errors) == [1]
    assert ranges.to_text() == ["2026-01-01", ""]


days = st.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1)).map(lambda d: np.datetime64(d, "D"))


@given(st.lists(st.tuples(days, st.integers(0, 400)), max_size=5))
def test_ranges_written_and_read_again_are_the_same(pairs):
    ranges = tuple(sorted((a, a + np.timedelta64(n, "D")) for a, n in pairs))
    assert parse_ranges(format_ranges(ranges)) == ranges


def test_sets_of_words():
    sets = TextSets.from_text(["b; a", "a;b;;", "", "c"])
    assert sets[0] == {"a", "b"}
    assert sets.code.tolist() == [0, 0, 1, 2]
    assert sets.to_text() == ["a; b", "a; b", "", "c"]
    assert sets.take(np.array([3])).to_text() == ["c"]
    assert pickle.loads(pickle.dumps(sets)).to_text() == sets.to_text()  # noqa: S301 - our own bytes
    assert TextSets.from_sets([["x "], {"y", ""}]).to_text() == ["x", "y"]


def test_sets_that_could_not_be_written_are_refused():
    with pytest.raises(ValueError, match="row 1: a word with a semicolon"):
        TextSets.from_sets([["a"], ["b;c"]])
    with pytest.raises(ValueError, match="row 0: expected words, not one text"):
        TextSets.from_sets(["abc"])


@given(st.frozensets(st.text(max_size=5).map(lambda w: w.replace(";", "").strip()).filter(bool), max_size=4))
def test_sets_written_and_read_again_are_the_same(words):
    assert parse_words(TextSets.from_sets([words]).to_text()[0]) == words


@pytest.mark.parametrize("cls", [DateRanges, TextSets])
def test_codes_point_at_cells_and_cannot_be_written_to(cls):
    with pytest.raises(ValueError, match="codes from 0"):
        cls(np.array([0]), ())
    ragged = cls.from_text(["", ""])
    with pytest.raises(ValueError, match="read-only"):
        ragged.code[0] = 1
    with pytest.raises(IndexError, match="position -1 of 2 rows"):
        ragged.take([-1])
