"""Whatever comes in: a table that keeps its promises, or one `InputError` that names the rule."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from territory import Customers, InputError
from territory.model import Area, Channel, PlaceKind, Places, Stage

MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

numbers = st.floats(0, 1e6) | st.integers(0, 10**6)
clean_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
days = st.dates(dt.date(1980, 1, 1), dt.date(2100, 1, 1))
words = clean_text.map(lambda w: w.replace(";", "").strip()).filter(bool)
hours = st.sampled_from(["", "24/7", "off", "Mo-Fr 09:00-17:00", "Sa 22:00-02:00", "Mo 09:00-09:00"])
ranges = st.sampled_from(["", "2026-12-24", "2026-12-24..2026-12-31; 2027-01-06"])

GOOD = {
    "name": clean_text,
    "workload_s": st.integers(1, 10**6),
    "visit_interval_days": st.none() | st.floats(1, 3000),
    "last_visit": st.none() | days,
    "service_s": st.floats(0, 80_000),
    "opening_hours": hours,
    "call_blocks": ranges,
    "preferred_weekdays": st.sampled_from(["", "Mo", "Tu,Th", "Fr-Mo"]),
    "week_parity": st.sampled_from(["any", "odd", "even"]),
    "required_skills": st.lists(words, max_size=3),
    "owner": st.none() | clean_text,
    "stage": st.none() | st.sampled_from([s.name.lower() for s in Stage]),
    "p_close": st.none() | st.floats(0, 1),
    "margin": st.none() | st.floats(-1, 1),
    "channel": st.sampled_from([c.name for c in Channel]),
    "area": st.sampled_from([int(a) for a in Area]),
    "timezone": st.sampled_from(["", "Europe/Berlin", "UTC"]),
}
junk = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3)
    | st.dates() | st.lists(st.integers(), max_size=2) | st.complex_numbers() | st.decimals() | st.times()
)  # fmt: skip


@st.composite
def frames(draw, min_size=1):
    n = draw(st.integers(min_size, 5))
    frame = {
        "id": draw(st.lists(clean_text.filter(str.strip), min_size=n, max_size=n, unique=True)),
        "lon": draw(st.lists(st.floats(0.1, 180), min_size=n, max_size=n)),
        "lat": draw(st.lists(st.floats(-90, 90), min_size=n, max_size=n)),
        "potential": draw(st.lists(st.integers(1, 100), min_size=n, max_size=n)),
    }
    for name in draw(st.sets(st.sampled_from(sorted(GOOD)))):
        frame[name] = draw(st.lists(GOOD[name], min_size=n, max_size=n))
    return frame


def read(frame):
    return Customers.from_frame(frame, measures=["potential"])


@MANY
@given(frames(), st.data())
def test_good_tables_are_accepted_and_permuting_rows_permutes(frame, data):
    table = read(frame)
    assert table.id.tolist() == frame["id"]
    assert table.column_names[-1] == "potential"
    order = data.draw(st.permutations(range(len(table))))
    permuted = read({name: [values[i] for i in order] for name, values in frame.items()})
    assert permuted.equals(table.take(order))
    assert permuted.take(np.argsort(order)).equals(table)
    assert [p.code for p in permuted.diagnostics] == [p.code for p in table.diagnostics]


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frame=frames())
def test_out_and_in_again_is_the_same(backend, frame):
    table = read(frame)
    assert read(table.to_frame(backend)).equals(table)


@MANY
@given(frames(), st.data())
def test_any_junk_is_read_or_refused_by_name_and_quarantine_keeps_the_rest(frame, data):
    n = len(frame["id"])
    for name in data.draw(st.sets(st.sampled_from(["id", "lon", "lat", "potential", *GOOD]), min_size=1, max_size=4)):
        column = list(frame.get(name, [None] * n))
        column[data.draw(st.integers(0, n - 1))] = data.draw(junk)
        frame[name] = column
    try:
        table = read(frame)
    except InputError as error:
        problems, text = error.problems, str(error)
    else:
        problems, text = (), "customers: "
        check_invariants(table)
    assert text.startswith("customers: ")
    assert all(p.code and p.message and p.count >= 1 for p in problems)
    bad = {row for p in problems for row in p.rows}  # a problem lists its first five rows: here, all
    try:
        rest = Customers.from_frame(frame, measures=["potential"], on_error="quarantine")
    except InputError:
        return
    check_invariants(rest)
    rejected = set() if rest.rejects is None else set(rest.rejects.rows.tolist())
    assert rejected == bad
    assert len(rest) == n - len(rejected)


def check_invariants(table):
    ids = table.id.tolist()
    assert len(set(ids)) == len(ids)
    assert all(v.strip() for v in ids)
    assert (np.abs(table.lat) <= 90).all()
    assert (np.abs(table.lon) <= 180).all()
    assert np.isfinite(table.measures["potential"]).all()
    assert (table.measures["potential"] >= 0).all()
    assert table.positions(ids).tolist() == list(range(len(table)))
    if table.visit_interval_days is not None:
        assert not (table.visit_interval_days < 1).any()
    assert read(table.to_dict()).equals(table)


@MANY
@given(st.lists(st.integers(0, 9), max_size=20), st.lists(st.integers(0, 9), max_size=20))
def test_places_taken_and_put_together(a, b):
    ids = [f"c{i}" for i in range(10)]
    places = Places.of(PlaceKind.CUSTOMER, ids, range(10), range(10), area=[0] * 10)
    joined = Places.concat([places.take(a), places.take(b)])
    assert joined.id.tolist() == [ids[i] for i in a + b]
    assert joined.lon.tolist() == [float(i) for i in a + b]
    assert not joined.lon.flags.writeable
