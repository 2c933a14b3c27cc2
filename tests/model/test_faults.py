"""Every line of what users expect of bad input that a table can meet; the test ids quote the line."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from territory import Customers, InputError, Reps
from territory.model.settings import PlanSettings, as_day

BASE = {"id": ["a", "b", "c"], "lon": [13.0, 13.5, 14.0], "lat": [52.0, 52.5, 53.0]}


def many(n=300, **columns):
    i = np.arange(n)
    return {"id": [f"c{k}" for k in i], "lon": 10 + i % 20 * 0.1, "lat": 50 + i // 20 * 0.1, **columns}


def with_first(n, name, value):
    frame = many(n)
    frame[name] = np.array(frame[name], dtype=float)
    frame[name][0] = value
    return frame


def refused(frame, cls=Customers, **options):
    with pytest.raises(InputError) as caught:
        cls.from_frame(frame, **options)
    return caught.value.problems


# line, frame, options, code, column, count, part of the hint
ERRORS = [
    ("missing column E, listing what is there and the nearest name", {"id": ["a"], "lon": [1.0], "latitude": [1.0]}, {},
     "missing-column", "lat", 1, '{"lat": "latitude"}'),
    ("duplicate column", pd.DataFrame([["a", 1.0, 2.0, 3.0]], columns=["id", "lon", "lat", "lat"]), {},
     "duplicate-column", None, 1, None),
    ("duplicate id E with rows", {**BASE, "id": ["a", "b", "a"]}, {}, "duplicate-id", "id", 2, None),
    ("blank id E with rows", {**BASE, "id": ["a", " ", None]}, {}, "blank-id", "id", 2, None),
    ('`7` beside `"7"` E', {**BASE, "id": [7, "7", "8"]}, {}, "mixed-types", "id", 1, "same id"),
    ("`1001.0` from a float column E with hint", {**BASE, "id": [1001.0, 1002.0, 1003.0]}, {},
     "wrong-type", "id", 3, "Read the column as text"),
    ("wrong dtype E, said so: bool", {**BASE, "service_s": np.array([True, False, True])}, {},
     "wrong-type", "service_s", 3, None),
    ("wrong dtype E, said so: durations", {**BASE, "service_s": np.array([1, 2, 3], "m8[h]")}, {},
     "wrong-type", "service_s", 3, "total_seconds"),
    ("numeric text E", {**BASE, "service_s": ["1800", "1800", "1800"]}, {}, "numeric-text", "service_s", 3, "Convert"),
    ("decimal comma (`52,5`) E, said so", {**BASE, "lat": ["52,5", "52,6", "52,7"]}, {},
     "numeric-text", "lat", 3, "decimal comma"),
    ("decimal comma (`52,5`) E, said so: in a text file", {**BASE, "lat": ["52,5", "52.6", "52.7"]},
     {"text_cells": True}, "not-a-number", "lat", 1, "decimal comma"),
    ("NaN E", with_first(300, "lat", np.nan), {}, "missing-value", "lat", 1, None),
    ("inf E", with_first(300, "lon", np.inf), {}, "not-finite", "lon", 1, None),
    ("|lat| > 90 E", with_first(300, "lat", 91.0), {}, "lat-out-of-range", "lat", 1, "swapped"),
    ("swapped columns E with hint when out of range", {**BASE, "lon": [52.0, 40.0, 41.0], "lat": [113.0, 116.0, 121.0]},
     {}, "lat-out-of-range", "lat", 3, "swapped"),
    ("(0, 0) E above 1 % of rows", {**many(), "lon": np.r_[np.zeros(4), many()["lon"][4:]],
                                    "lat": np.r_[np.zeros(4), many()["lat"][4:]]}, {},
     "null-island", "lon, lat", 4, "geocoder"),
    ("longitudes 180-360 E with hint", {**BASE, "lon": [190.0, 200.0, 359.0]}, {},
     "lon-out-of-range", "lon", 3, "0 to 360"),
    ('projected metres E "looks projected"', {**BASE, "lon": [391_000.0] * 3, "lat": [5_820_000.0] * 3}, {},
     "looks-projected", "lon, lat", 3, "WGS84"),
    ("all zero E", {**BASE, "workload_s": [0, 0, 0]}, {}, "no-workload", "workload_s", 1, None),
    ("all zero E: a measure", {**BASE, "potential": [0, 0, 0]}, {"measures": ["potential"]},
     "no-measure", "potential", 1, None),
    ("negative E", {**BASE, "workload_s": [1, -1, 0]}, {}, "workload-s-out-of-range", "workload_s", 1, None),
    ("negative E: a measure", {**BASE, "potential": [1, -1, 0]}, {"measures": ["potential"]},
     "measure-out-of-range", "potential", 1, None),
    ("NaN E: workload", {**BASE, "workload_s": [1, np.nan, 0]}, {}, "missing-value", "workload_s", 1, None),
    ("overflow E", {**BASE, "workload_s": [1e200, 1, 1]}, {}, "workload-s-out-of-range", "workload_s", 1, None),
    ("overflow E: beyond a float", {**BASE, "workload_s": [10**400, 1, 1]}, {}, "not-finite", "workload_s", 1, None),
    ("conflicting locks: no owner", {**BASE, "locked": [True, False, False], "owner": ["", "r", "r"]}, {},
     "locked-without-owner", "locked", 1, None),
    ("conflicting locks: a forbidden owner", {**BASE, "locked": [True, True, False], "owner": ["r", "s", "r"],
                                              "forbidden_reps": ["r", "r", "r"]}, {},
     "locked-to-forbidden-rep", "locked", 1, None),
    ("open > close E: no such time", {**BASE, "opening_hours": ["Mo 09:00-61:00", "", ""]}, {},
     "hours-not-understood", "opening_hours", 1, "Write e.g."),
    ("naive beside aware times E", {**BASE, "last_visit": [pd.Timestamp("2026-01-01"), None,
                                                           dt.datetime(2026, 1, 1, tzinfo=dt.UTC)]}, {},
     "aware-times", "last_visit", 1, "drop the zone"),
    ("naive beside aware times E: text", {**BASE, "last_visit": ["2026-01-01", "", "2026-01-01T09:00:00+02:00"]}, {},
     "aware-times", "last_visit", 1, "drop the zone"),
    ("unknown zone E", {**BASE, "timezone": ["Europe/Berlin", "Europe/Brlin", "../etc/passwd"]}, {},
     "unknown-zone", "timezone", 2, "Europe/Berlin"),
    ("`03/04/2026` E unless a format is given", {**BASE, "last_visit": ["03/04/2026", "", ""]}, {},
     "not-a-date", "last_visit", 1, "date_format"),
    ("dates that do not exist E", {**BASE, "last_visit": ["2026-02-30", "", ""]}, {},
     "not-a-date", "last_visit", 1, "date_format"),
    ("a range that ends before it begins E", {**BASE, "call_blocks": ["2026-12-31..2026-12-24", "", ""]}, {},
     "dates-not-understood", "call_blocks", 1, "Write e.g."),
    ("words that are not in the list E", {**BASE, "stage": ["customer", "prospect", ""]}, {},
     "unknown-word", "stage", 1, None),
    ("weekdays that are none E", {**BASE, "preferred_weekdays": ["Mo", "Xx", ""]}, {},
     "weekdays-not-understood", "preferred_weekdays", 1, None),
    ("truth that is neither E", {**BASE, "locked": ["maybe", "no", ""]}, {}, "not-true-or-false", "locked", 1, None),
    ("half a surrogate pair E", {**BASE, "name": ["x", "\ud800", "y"]}, {}, "not-unicode", "name", 1, "encoding"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "options", "code", "column", "count", "hint"),
                         [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS])  # fmt: skip
def test_refused(frame, options, code, column, count, hint):
    problems = refused(frame, **options)
    found = [p for p in problems if p.code == code]
    assert len(found) == 1, problems
    assert len(problems) == 1, problems
    assert (found[0].column, found[0].count) == (column, count)
    if hint:
        assert hint in found[0].hint
    elif hint is None and code != "weekdays-not-understood":
        assert found[0].hint is None


WARNINGS = [
    ("twins that differ by case, space or Unicode form W", {**BASE, "id": ["Ä1", "A\u03081", "b"]}, "twin-ids", 2),
    ("twins that differ by case, space or Unicode form W: ASCII", {**BASE, "id": ["x", "X ", "b"]}, "twin-ids", 2),
    ("(0, 0) W", {**many(), "lon": np.r_[0.0, many()["lon"][1:]], "lat": np.r_[0.0, many()["lat"][1:]]},
     "null-island", 1),
    ("one point 5,000 km away W", with_first(300, "lon", 80.0), "far-away", 1),
    ("minutes where hours are meant W", {**BASE, "service_s": [30, 45, 60]}, "service-very-short", 1),
    ("minutes where hours are meant W: workload", {**BASE, "workload_s": [1.5, 2, 8]}, "workload-very-small", 1),
    ("columns that are not known W, with the nearest name", {**BASE, "servce_s": [1, 2, 3]}, "columns-ignored", 1),
    ("preferred rep that is forbidden W", {**BASE, "preferred_rep": ["r", "", "s"], "forbidden_reps": ["r", "r", "r"]},
     "preferred-is-forbidden", 1),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "code", "count"), [w[1:] for w in WARNINGS], ids=[w[0] for w in WARNINGS])
def test_warned(frame, code, count):
    found = Customers.from_frame(frame).diagnostics
    assert [(p.code, p.count) for p in found] == [(code, count)]


FINE = [
    ("an empty container is OK", {"id": [], "lon": [], "lat": []}),
    ("ids are text: leading zeros, 23 digits, emoji, NA/null survive",
     {**many(6), "id": ["007", "12345678901234567890123", "🏠", "NA", "null", "None"]}),
    ("ids with `/`, `..`, NUL, `CON`, 300 characters OK as data",
     {**many(6), "id": ["a/b", "..", "a\0b", "CON", "x" * 300, "nan"]}),
    ("names with HTML or script OK", {**BASE, "name": ["<b>&", "<script>alert(1)</script>", '"']}),
    ("cells beginning with `= + - @` OK", {**BASE, "name": ["=1+1", "+1", "@x"]}),
    ("antimeridian OK", {**BASE, "lon": [179.9, -179.9, 180.0], "lat": [1.0, 1.0, 1.0]}),
    ("poles OK", {**BASE, "lat": [90.0, 89.9, 90.0]}),
    ("all coincident OK", {**BASE, "lon": [13.0] * 3, "lat": [52.0] * 3}),
    ("all collinear OK", {**BASE, "lat": [52.0] * 3}),
    ("some zero OK", {**BASE, "workload_s": [0, 3600, 0]}),
    ("interval above horizon OK", {**BASE, "visit_interval_days": [365, 700.5, np.nan]}),
    ("zero-length window OK", {**BASE, "opening_hours": ["Mo 09:00-09:00", "", ""]}),
    ("overnight window split", {**BASE, "opening_hours": ["Mo 22:00-02:00", "", ""]}),
    ("different zones OK", {**BASE, "timezone": ["Europe/Berlin", "America/New_York", ""]}),
]  # fmt: skip


@pytest.mark.parametrize("frame", [f[1] for f in FINE], ids=[f[0] for f in FINE])
def test_accepted(frame):
    table = Customers.from_frame(frame)
    assert table.diagnostics == ()
    assert table.id.tolist() == list(frame["id"])
    assert len(table) == len(frame["id"])


def test_all_problems_of_one_input_are_reported_together():
    frame = {
        "id": ["a", "a", "c", ""],
        "lon": [13.0, 500.0, 13.0, 13.0],
        "lat": [52.0, 52.0, np.nan, 52.0],
        "service_s": ["x", 1, 2, -3],
        "stage": ["lost", "won", "lost", "lost"],
    }
    assert {p.code for p in refused(frame)} == {
        "duplicate-id", "blank-id", "lon-out-of-range", "missing-value", "numeric-text", "service-s-out-of-range",
        "unknown-word",
    }  # fmt: skip


def test_duplicate_ids_are_all_named_though_one_of_their_rows_is_bad_otherwise():
    found = [p for p in refused({**BASE, "id": ["a", "a", "c"], "lat": [np.nan, 1.0, 2.0]}) if p.code == "duplicate-id"]
    assert found[0].rows == (0, 1)


def test_one_bad_row_in_a_million_quarantine_returns_the_rest_and_the_rejects():
    frame = {**many(), "service_s": np.r_[np.full(299, 1800.0), np.nan], "stage": ["x", *["lost"] * 299]}
    assert {p.code for p in refused(frame)} == {"missing-value", "unknown-word"}
    table = Customers.from_frame(frame, on_error="quarantine")
    assert len(table) == 298
    assert table.rejects.rows.tolist() == [0, 299]
    assert {p.code for p in table.rejects.problems} == {"missing-value", "unknown-word"}
    assert not np.isnan(table.service_s).any()
    assert Customers.from_frame(many(), on_error="quarantine").rejects is None


def test_quarantine_does_not_forgive_what_is_wrong_with_the_whole():
    assert refused({"id": ["a"], "lon": [1.0]}, on_error="quarantine")[0].code == "missing-column"
    only = {**BASE, "workload_s": [-1, 0, 0]}  # the one row with work is bad
    assert "no-workload" in {p.code for p in refused(only, on_error="quarantine")}


def test_a_date_format_can_be_given():
    frame = {**BASE, "last_visit": ["03/04/2026", "", None]}
    table = Customers.from_frame(frame, date_format="%d/%m/%Y")
    assert table.last_visit.astype(str).tolist() == ["2026-04-03", "NaT", "NaT"]
    assert refused(frame, date_format="%Y")[0].code == "not-a-date"


@pytest.mark.parametrize("value", ["03/04/2026", "2026", "2026-03", "today", "now", "2026-02-30", "", "NaT", None,
                                   20260105, np.int64(20260105), 1.5, "2026-01-05 and more"])  # fmt: skip
def test_what_is_no_day(value):
    with pytest.raises(InputError, match="not-a-date"):
        as_day(value)


@pytest.mark.parametrize("value", ["2026-01-05", "2026-01-05T10:00:00", dt.date(2026, 1, 5), pd.Timestamp("2026-01-05"),
                                   dt.datetime(2026, 1, 5, 23, tzinfo=dt.UTC),
                                   np.datetime64("2026-01-05T23", "h")])  # fmt: skip
def test_what_is_a_day(value):
    assert as_day(value) == np.datetime64("2026-01-05")


@pytest.mark.parametrize("bad", [{"n_days": 0}, {"n_days": -3}, {"n_days": 7.5}, {"n_days": True}, {"n_days": "7"},
                                 {"n_days": float("nan")}, {"n_days": 10_000}, {"tolerance": -0.1}, {"tolerance": 2},
                                 {"tolerance": float("nan")}, {"default_service_s": -1}, {"default_service_s": 1.5},
                                 {"default_shift": "9 to 5"}, {"default_shift": "Mo 09:00-12:00,13:00-17:00"},
                                 {"default_shift": None}, {"start": "soon"}, {"holidays": "2026-01-06"},
                                 {"holidays": ["06.01.2026"]}], ids=str)  # fmt: skip
def test_empty_or_reversed_horizon_and_other_parameters_e(bad):
    with pytest.raises(InputError, match=r"^parameters: "):
        PlanSettings(**{"start": "2026-01-05", "n_days": 7, "holidays": [], **bad})


REPS = {"id": ["r", "s"], "lon": [13.0, 13.1], "lat": [52.0, 52.1]}
REP_ERRORS = [
    ({"shift": ["Mo-Fr 08:00-12:00,13:00-17:00", ""]}, "split-shift"),
    ({"shift": ["Mo-Fr 22:00-06:00", "Mo 08:00-17:00"]}, "split-shift"),
    ({"end_lon": [1.0, 2.0]}, "half-a-place"),
    ({"end_lon": [1.0, np.nan], "end_lat": [1.0, 2.0]}, "half-a-place"),
    ({"end_lon": [1.0, 2.0], "end_lat": [1.0, 95.0]}, "end_lat-out-of-range"),
    ({"break_s": [3600, 1800], "break_earliest_s": [43200, 43200], "break_latest_s": [46800, 43201]},
     "break-does-not-fit"),
    ({"speed_factor": [0, 1]}, "speed-factor-out-of-range"),
    ({"max_visits_per_day": [1.5, 2]}, "not-whole"),
    ({"max_visits_per_day": [np.nan, 2]}, "missing-value"),
    ({"max_nights_per_week": [8, 2]}, "max-nights-per-week-out-of-range"),
    ({"leave": ["2026-1-1", ""]}, "dates-not-understood"),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "code"), REP_ERRORS, ids=[f"{c}: {next(iter(k))}" for k, c in REP_ERRORS])
def test_reps_refused(columns, code):
    assert [p.code for p in refused({**REPS, **columns}, cls=Reps)] == [code]


@pytest.mark.parametrize(("columns", "code"), [({"shift": ["", "Mo 08:00-17:00"]}, "shift-always"),
                                               ({"capacity_s": [40, 40]}, "very-short"),
                                               ({"capacity_s": [2400, 2400]}, "very-short"),
                                               ({"break_s": [30, 45]}, "very-short"),
                                               ({"break_latest_s": [14, 14]}, "very-short")], ids=str)  # fmt: skip
def test_reps_warned(columns, code):
    assert [p.code for p in Reps.from_frame({**REPS, **columns}).diagnostics] == [code]
