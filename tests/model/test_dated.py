"""Hours of single dates: read, written, refused."""

from __future__ import annotations

import copy
import datetime as dt
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory import Customers, InputError, Reps, read_customers, read_reps
from territory.io import write_table
from territory.model.dated import DatedHours, format_exceptions, parse_exceptions

H = 3600
HOLIDAYS = "2026-12-24 09:00-12:00; 2026-12-25..2026-12-26 off; 2026-01-31 10:00-16:00,17:00-19:00"
SORTED = "2026-01-31 10:00-16:00,17:00-19:00; 2026-12-24 09:00-12:00; 2026-12-25..2026-12-26 off"


def day(text):
    return np.datetime64(text, "D")


def one(text, *hours):
    return ((day(text), day(text), tuple((int(a * H), int(b * H)) for a, b in hours)),)


READ = [
    ("", ()),
    (" ; ", ()),
    ("2026-12-24 09:00-12:00", one("2026-12-24", (9, 12))),
    ("2026-12-24  9:00 - 12:00 ", one("2026-12-24", (9, 12))),
    ("2026-12-24\toff;", one("2026-12-24")),
    ("2026-12-24 closed", one("2026-12-24")),
    ("2026-12-24 00:00-24:00", one("2026-12-24", (0, 24))),
    ("2026-12-24 09:00-09:00", one("2026-12-24", (9, 9))),
    ("2026-12-24 13:00-17:00, 09:00-12:00", one("2026-12-24", (9, 12), (13, 17))),
    ("2026-12-24 09:00-12:00,12:00-13:00", one("2026-12-24", (9, 13))),
    ("2026-12-24 09:00:30-12:00", ((day("2026-12-24"), day("2026-12-24"), ((9 * H + 30, 12 * H),)),)),
    ("2026-12-24..2026-12-24 off", one("2026-12-24")),
    ("2026-12-25 .. 2026-12-26 off", ((day("2026-12-25"), day("2026-12-26"), ()),)),
    ("2024-02-29 off", one("2024-02-29")),
    ("2027-01-02 off; 2027-01-01 09:00-10:00", one("2027-01-01", (9, 10)) + one("2027-01-02")),
]


@pytest.mark.parametrize(("text", "expected"), READ, ids=[repr(t) for t, _ in READ])
def test_read(text, expected):
    assert parse_exceptions(text) == expected
    assert parse_exceptions(format_exceptions(expected)) == expected


REFUSED = {
    "03/04/2026 off": "not a date of the form 2026-12-31: '03/04/2026'",
    "24.12.2026 off": "not a date of the form 2026-12-31: '24.12.2026'",
    "2026-12-24": "a day without hours: '2026-12-24'",
    "2026-12-24..2026-12-26": "a day without hours",
    "2026-12-26..2026-12-24 off": "ends before it begins",
    "2026-12-24..2026-12-26 off; 2026-12-26 09:00-12:00": "2026-12-26 stands twice",
    "2026-12-26 off; 2026-12-26 off": "2026-12-26 stands twice",
    "2026-12-24 17:00-09:00": "opens after it closes: '2026-12-24 17:00-09:00'; write hours after midnight with the",
    "2026-12-24 22:00-26:00": "runs over midnight",
    "2026-12-24 9-12": "not a time interval: '9-12'",
    "2026-12-24 09:00-12:60": "no such time of day",
    "2026-12-24 24/7": "not a time interval",
    "2026-12-24 Mo 09:00-12:00": "not a time interval",
    "2026-12-24, 2026-12-26 off": "not a date of the form",
    "2026-02-30 off": "out of range",
    "2026-02-29 off": "out of range",
    "Mo-Fr 09:00-12:00": "not a date of the form",
    "off": "not a date of the form",
    "2026-12-24..": "not a date of the form",
    "2026-12-24.. off": "not a date of the form",
    "..2026-12-24 off": "not a date of the form",
    "2026-12-24 ..off": "not a date of the form",
    "2026-12-24T10:00 off": "not a date of the form",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_understood_is_quoted(text):
    with pytest.raises(ValueError, match=r"^row 1: ") as caught:
        DatedHours.from_text(["", text])
    assert REFUSED[text] in str(caught.value)
    hours, errors = DatedHours.parse(["2026-01-01 off", text])
    assert list(errors) == [1]
    assert hours.to_text() == ["2026-01-01 off", ""]


days = st.dates(dt.date(1971, 1, 1), dt.date(2100, 1, 1)).map(lambda d: np.datetime64(d, "D"))
moments = st.integers(0, 24 * H) | st.integers(0, 96).map(lambda q: q * 900)


@st.composite
def cells(draw):
    """Draw disjoint ranges of days with hours that are sorted and apart."""
    at = draw(days)
    found = []
    for _ in range(draw(st.integers(0, 4))):
        first = at + np.timedelta64(draw(st.integers(0, 400)), "D")
        last = first + np.timedelta64(draw(st.integers(0, 20)), "D")
        times = sorted(draw(st.sets(moments, max_size=6)))
        found.append((first, last, tuple(zip(times[::2], times[1::2], strict=False))))
        at = last + np.timedelta64(1, "D")
    return tuple(found)


@given(cells())
def test_written_and_read_again_it_is_the_same(cell):
    assert parse_exceptions(format_exceptions(cell)) == cell


@given(st.text(alphabet="2026-.0134 off:;,closed/7", max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        found = parse_exceptions(text)
    except ValueError:
        return
    assert parse_exceptions(format_exceptions(found)) == found
    for first, last, hours in found:
        assert first <= last
        assert all(0 <= a <= b <= 24 * H for a, b in hours)


@given(cells(), days)
def test_a_day_has_the_hours_of_its_part(cell, other):
    hours = DatedHours(np.array([0]), (cell,))
    for wanted in {other, *(d for first, last, _ in cell for d in (first - 1, first, last, last + 1))}:
        parts = [times for first, last, times in cell if wanted in np.arange(first, last + 1)]
        assert hours.on(0, wanted) == (parts[0] if parts else None)
        number = int(wanted.astype(int))
        around = hours.within(0, range(number - 1, number + 2))
        assert dict(around).get(number) == (parts[0] if parts else None)
        assert [d for d, _ in around] == sorted({d for d, _ in around})


def test_rows_point_at_few_cells():
    hours = DatedHours.from_text([HOLIDAYS, "", SORTED])
    assert hours.code.tolist() == [0, 1, 0]
    assert hours.to_text() == [SORTED, "", SORTED]
    assert hours.take([1, 2]).to_text() == ["", SORTED]
    assert hours.where([True, False]).tolist() == [True, False, True]
    for again in (pickle.loads(pickle.dumps(hours)), copy.deepcopy(hours)):  # noqa: S301 - our own bytes
        assert again.to_text() == hours.to_text()
    again = pickle.loads(pickle.dumps(hours))  # noqa: S301
    with pytest.raises(ValueError, match="read-only"):
        again.code[0] = 1
    with pytest.raises(ValueError, match="codes from 0"):
        DatedHours(np.array([0]), ())


# -- in tables ---------------------------------------------------------------------------------


def customers(n=2, **columns):
    return Customers(id=[f"c{i}" for i in range(n)], lon=[13.4] * n, lat=[52.5] * n, **columns)


def reps(n=2, **columns):
    return Reps(id=[f"R{i}" for i in range(n)], lon=[13.4] * n, lat=[52.5] * n, **columns)


DAYS = {
    "shift": ["Mo-Fr 08:00-17:00", "off"],
    "shift_exceptions": ["2026-12-24 08:00-12:00; 2026-12-28..2026-12-31 off", ""],
    "prep_s": [1800.0, 0.0],
    "admin_s": [900.0, 600.5],
    "office_days": ["Fr", ""],
    "max_overtime_s": [3600.0, 0.0],
    "overtime_per_hour": [45.5, 0.0],
    "country": ["DE", ""],
    "region": ["BY", ""],
}


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_out_and_in_again_is_the_same(backend):
    who = customers(hours_exceptions=[HOLIDAYS, ""])
    team = reps(**DAYS)
    assert team.office_days.tolist() == [16, 0]
    assert Customers.from_frame(who.to_frame(backend)).equals(who)
    assert Reps.from_frame(team.to_frame(backend)).equals(team)
    assert Customers.from_records(list(who)).equals(who)
    assert Reps.from_records(list(team)).equals(team)
    assert Reps.from_records(list(team))[0].shift_exceptions == team[0].shift_exceptions


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_from_and_to_files(tmp_path, ending):
    who, team = customers(hours_exceptions=[HOLIDAYS, ""]), reps(**DAYS)
    assert read_customers(write_table(who, tmp_path / f"c.{ending}")).equals(who)
    assert read_reps(write_table(team, tmp_path / f"r.{ending}")).equals(team)


def test_files_name_what_is_wrong(tmp_path):
    file = tmp_path / "r.csv"
    file.write_text("id,lon,lat,shift_exceptions\na,13,52,2026-12-24 off\nb,13,52,03/04/2026 off\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"exceptions-not-understood.*'03/04/2026'.*\(row 1\)"):
        read_reps(file)
    rest = read_reps(file, on_error="quarantine")
    assert rest.id.tolist() == ["a"]
    assert rest.rejects.rows.tolist() == [1]


def test_junk_cells_are_shown():
    bad = [("2026-12-24",), [("2026-12-24", "2026-12-24", [(0.5, 7)])], 7, "2026-12-24 off"]
    with pytest.raises(InputError) as caught:
        customers(4, hours_exceptions=bad)
    assert set(caught.value.codes) == {"exceptions-not-understood", "mixed-types"}
    assert caught.value.problems[-1].rows == (0, 1, 2)
    with pytest.raises(InputError, match="wrong-type"):
        customers(1, hours_exceptions=[3.5])
    with pytest.raises(InputError, match="expected hours by date, not DateRanges"):
        customers(2, hours_exceptions=customers(2, call_blocks=["", ""]).call_blocks)


def test_office_days_may_be_blank_or_masks():
    assert reps(3, office_days=["Mo,We", "", None]).office_days.tolist() == [5, 0, 0]
    assert reps(2, office_days=np.array([127, 0])).office_days.tolist() == [127, 0]
    assert reps(2, office_days=[0, 127]).office_days.tolist() == [0, 127]
    assert Reps.from_frame(reps(2, office_days=["", "Fr"]).to_dict()).office_days.tolist() == [0, 16]
    with pytest.raises(InputError, match="weekdays-not-understood"):
        reps(1, office_days=["Freitag"])
    # elsewhere a blank is any day, as before
    assert customers(1, preferred_weekdays=[""]).preferred_weekdays.tolist() == [127]


def test_rules_of_reps():
    with pytest.raises(InputError) as caught:
        reps(shift_exceptions=["2026-01-31 10:00-16:00,17:00-19:00", ""], region=["BY", ""], prep_s=[-1, 90_000])
    assert set(caught.value.codes) == {"split-shift", "region-without-country", "prep-s-out-of-range"}
    with pytest.raises(InputError, match="region-without-country"):
        reps(country=["DE", ""], region=["BY", "BY"])


WARNED = {
    "no-overtime": {"overtime_per_hour": [30.0, 0.0]},
    "no-field-time": {"shift": ["Mo 08:00-09:00", "Mo 08:00-17:00"], "prep_s": [1800, 1800], "admin_s": [1800, 1800]},
    "no-field-day": {"shift": ["Mo,Tu 08:00-12:00", "Mo 08:00-12:00"], "office_days": ["Mo,Tu", "Tu"]},
    "very-short": {"prep_s": [30, 45]},
}


@pytest.mark.parametrize("code", WARNED)
def test_what_is_likely_a_mistake_is_told(code):
    found = {p.code: p for p in reps(**WARNED[code]).diagnostics}
    assert code in found
    if code.startswith("no-field"):
        assert found[code].rows == (0,)
