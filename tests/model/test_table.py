from __future__ import annotations

import copy
import dataclasses
import decimal
import pickle
from collections import namedtuple

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from territory import Customers, DateRanges, InputError, Reps, TextSets, Visits, WeeklyHours
from territory.model import Area, Stage
from territory.model.table import Table

BASE = {"id": ["a", "b", "c"], "lon": [13.0, 13.5, 14.0], "lat": [52.0, 52.5, 53.0]}
TEXT = np.dtypes.StringDType()
BACKENDS = ("pandas", "polars", "pyarrow")


def full():
    return Customers(
        **BASE,
        name=["A", "", "Ç"],
        visit_interval_days=[7, np.nan, 10.5],
        last_visit=["2026-01-02", None, "2025-12-31"],
        opening_hours=["Mo 09:00-12:00", "", "off"],
        call_blocks=["2026-12-24..2026-12-31", "", ""],
        preferred_weekdays=["Mo,We", "", "Fr"],
        contacts=[["x", "y"], [], ["z"]],
        locked=[True, None, "no"],
        owner=["r", "s", None],
        stage=["SQL", None, Stage.LOST],
        area=[Area.URBAN, Area.RURAL, Area.URBAN],
        measures={"potential": [1, 2, 3]},
    )


def code_of(call):
    with pytest.raises(InputError) as caught:
        call()
    return caught.value.codes


# -- what comes in -----------------------------------------------------------------------------

S = pd.Series
CELLS = [
    ("float", "service_s", S([1.5, 2.0, 3.0]), [1.5, 2.0, 3.0]),
    ("float with NaN", "visit_interval_days", S([1.5, np.nan, 3.0]), [1.5, None, 3.0]),
    ("Float64 with NA", "visit_interval_days", S([1.5, None, 3.0], dtype="Float64"), [1.5, None, 3.0]),
    ("float32", "service_s", S([1.5, 2.0, 3.0], dtype="float32"), [1.5, 2.0, 3.0]),
    ("Int64 with NA", "visit_interval_days", S([1, None, 3], dtype="Int64"), [1.0, None, 3.0]),
    ("int8", "service_s", S([1, 2, 3], dtype="int8"), [1.0, 2.0, 3.0]),
    ("int64[pyarrow] with NA", "visit_interval_days", S([1, None, 3], dtype="int64[pyarrow]"), [1.0, None, 3.0]),
    ("objects", "visit_interval_days", S([1, None, 3.5], dtype=object), [1.0, None, 3.5]),
    ("decimals", "visit_interval_days", S([decimal.Decimal("1.5"), None, decimal.Decimal(2)]), [1.5, None, 2.0]),
    ("decimal NaN", "visit_interval_days", [decimal.Decimal("nan"), 1, 2], [None, 1.0, 2.0]),
    ("pandas NA in a list", "visit_interval_days", [pd.NA, 1, 2], [None, 1.0, 2.0]),
    ("numpy scalars in a list", "service_s", [np.float32(1), np.int64(2), np.uint8(3)], [1.0, 2.0, 3.0]),
    ("masked array", "visit_interval_days", np.ma.MaskedArray([1, 2, 3], mask=[0, 1, 0]), [1.0, None, 3.0]),
    ("blank numbers all", "visit_interval_days", S([None, None, None]), [None, None, None]),
    ("str", "segment", S(["a", None, "NA"]), ["a", "", "NA"]),
    ("string[python]", "segment", S(["a", None, "b"], dtype="string[python]"), ["a", "", "b"]),
    ("object text with None and NaN", "segment", S(["a", None, np.nan], dtype=object), ["a", "", ""]),
    ("category of text", "segment", S(["a", None, "b"], dtype="category"), ["a", "", "b"]),
    ("category of numbers", "visit_interval_days", S([7, None, 7], dtype="category"), [7.0, None, 7.0]),
    ("whole numbers as text", "segment", S([1, 2, 3]), ["1", "2", "3"]),
    ("whole numbers beyond a float, with NA", "owner", S([2**60 + 1, None, 3], dtype="Int64"),
     [str(2**60 + 1), "", "3"]),
    ("blank text all", "owner", S([np.nan] * 3), ["", "", ""]),
    ("StringDType with nulls of its own", "owner",
     np.array(["x", None, "y"], dtype=np.dtypes.StringDType(na_object=None)), ["x", "", "y"]),
    ("numpy U", "owner", np.array(["x", "", "yy"]), ["x", "", "yy"]),
    ("bool", "locked", S([True, False, True]), [True, False, True]),
    ("boolean with NA", "locked", S([True, None, False], dtype="boolean"), [True, False, False]),
    ("words for bool", "locked", S(["yes", "", "F"]), [True, False, False]),
    ("numbers for bool", "locked", S([1.0, 0.0, np.nan]), [True, False, False]),
    ("words in capitals", "stage", S(["Customer", " lost", None]), [3, 4, -1]),
    ("codes", "stage", S([0, 4, -1]), [0, 4, -1]),
    ("weekday masks", "preferred_weekdays", S([1, 127, 64]), [1, 127, 64]),
    ("ns dates", "last_visit", S(pd.to_datetime(["2026-01-02", None, "2026-01-03"]).as_unit("ns")),
     ["2026-01-02", "NaT", "2026-01-03"]),
    ("the day a time lies on", "last_visit",
     S(pd.to_datetime(["2026-01-02 23:59:59.9", None, "1969-12-31 01:00:00.0"])),
     ["2026-01-02", "NaT", "1969-12-31"]),
    ("date32", "last_visit", S(pd.to_datetime(["2026-01-02", None, "2026-01-03"])).astype("date32[pyarrow]"),
     ["2026-01-02", "NaT", "2026-01-03"]),
    ("dates as objects", "last_visit", S([pd.Timestamp("2026-01-02").date(), None, pd.NaT], dtype=object),
     ["2026-01-02", "NaT", "NaT"]),
    ("dates as text", "last_visit", S(["2026-01-02", "", "2026-01-03T10:00"]), ["2026-01-02", "NaT", "2026-01-03"]),
    ("lists of words", "contacts", S([["b", "a"], None, []]), [{"a", "b"}, set(), set()]),
    ("words", "contacts", S(["b;a", None, ""]), [{"a", "b"}, set(), set()]),
]  # fmt: skip


def values_of(table, name):
    column = getattr(table, name)
    if isinstance(column, TextSets):
        return [set(column[i]) for i in range(len(table))]
    if column.dtype.kind == "M":
        return column.astype(str).tolist()
    return [None if isinstance(v, float) and np.isnan(v) else v for v in column.tolist()]


#: Lists and masked arrays only fit a mapping; a series fits every frame.
IN_FRAMES = [
    pytest.param(backend, *cells[1:], id=f"{cells[0]}-{backend}")
    for cells in CELLS
    for backend in (["mapping", *BACKENDS] if isinstance(cells[2], S) else ["mapping"])
]


@pytest.mark.parametrize(("backend", "name", "values", "expected"), IN_FRAMES)
def test_cells_of_every_kind(backend, name, values, expected):
    frame = {**BASE, name: values}
    if backend == "mapping":
        frame[name] = values.to_numpy(dtype=object) if isinstance(values, S) else values
    elif backend == "pandas":
        frame = pd.DataFrame(frame)
    else:
        arrow = pa.table({k: pa.array(v, from_pandas=True) for k, v in frame.items()})
        frame = arrow if backend == "pyarrow" else pl.from_arrow(arrow)
    extra = {"owner": ["r", "r", "r"]} if name == "locked" else {}
    if extra and not isinstance(frame, dict):
        frame = Customers.from_frame(frame, columns={"locked": None}).to_dict() | {"locked": values, **extra}
    table = Customers.from_frame({**frame, **extra} if isinstance(frame, dict) else frame)
    assert values_of(table, name) == expected


def test_polars_kinds_of_its_own():
    frame = pl.DataFrame({**BASE, "segment": pl.Series(["x", None, "y"], dtype=pl.Categorical),
                          "stage": pl.Series(["sql", None, "lost"], dtype=pl.Enum(["sql", "lost"])),
                          "deal_value": pl.Series(["1.50", None, "2.00"]).cast(pl.Decimal(10, 2)),
                          "owner": pl.Series([None, None, None])})  # fmt: skip
    table = Customers.from_frame(frame)
    assert table.segment.tolist() == ["x", "", "y"]
    assert table.stage.tolist() == [2, -1, 4]
    assert values_of(table, "deal_value") == [1.5, None, 2.0]
    assert table.owner.tolist() == ["", "", ""]


def test_numbers_in_text_files():
    frame = {**BASE, "lat": ["52", " 52.5 ", "5.3e1"], "visit_interval_days": ["7", "", "10.5"]}
    table = Customers.from_frame(frame, text_cells=True)
    assert table.lat.tolist() == [52.0, 52.5, 53.0]
    assert values_of(table, "visit_interval_days") == [7.0, None, 10.5]
    assert code_of(lambda: Customers.from_frame({**frame, "service_s": ["1_000", "1", "1"]}, text_cells=True)) == (
        "not-a-number",
    )


@pytest.mark.parametrize(("name", "values", "code"), [
    ("stage", np.array([256, 0, 0]), "unknown-word"),
    ("stage", [1.5, 2.0, 3.0], "wrong-type"),
    ("preferred_weekdays", np.array([300, 1, 1]), "weekdays-not-understood"),
    ("preferred_weekdays", np.array([0, 1, 1]), "no-weekday"),
    ("contacts", [["a;b"], [], []], "not-words"),
    ("contacts", [[1], [], []], "not-words"),
    ("service_s", [[1], 2, 3], "not-a-number"),
    ("service_s", [1j, 2, 3], "not-a-number"),
    ("service_s", [True, 2, 3], "not-a-number"),
    ("owner", [b"r", "s", "t"], "wrong-type"),
    ("owner", [True, "s", "t"], "wrong-type"),
    ("owner", [["r"], "s", "t"], "wrong-type"),
    ("last_visit", [20260101, None, None], "not-a-date"),
    ("last_visit", np.array([1, 2, 3]), "wrong-type"),
    ("last_visit", [["2026-01-01"], None, None], "not-a-date"),
    ("service_s", np.ones((3, 2)), "not-one-dimensional"),
    ("service_s", 5, "not-a-column"),
    ("service_s", np.float64(5), "not-a-column"),
    ("owner", "abc", "not-a-column"),
    ("service_s", [1.0, 2.0], "unequal-lengths"),
    ("opening_hours", TextSets.from_text([""] * 3), "wrong-type"),
    ("owner", TextSets.from_text([""] * 3), "wrong-type"),
    ("opening_hours", WeeklyHours.from_text([""] * 2), "unequal-lengths"),
    ("opening_hours", [((), ()), "", ""], "hours-not-understood"),
])  # fmt: skip
def test_cells_that_are_refused_and_not_bent_into_shape(name, values, code):
    assert code_of(lambda: Customers(**{**BASE, name: values})) == (code,)
    assert code_of(lambda: Customers.from_frame({**BASE, name: values})) == (code,)


def test_required_columns():
    assert code_of(lambda: Customers(id=["a"], lon=[1.0], lat=None)) == ("missing-column",)
    assert code_of(lambda: Visits(id=["v"], customer_id=[""], earliest=["2026-01-01"], latest=[None])) == (
        "missing-value",
        "missing-value",
    )


# -- which column is which ---------------------------------------------------------------------


def test_columns_can_be_named_and_left_out():
    frame = {"key": ["a"], "x": [1.0], "y": [2.0], "margin": [12_000.0], "name": ["n"]}
    table = Customers.from_frame(frame, columns={"id": "key", "lon": "x", "lat": "y", "margin": None})
    assert table.column_names == ("id", "lon", "lat", "name")
    assert "margin" in table.diagnostics[0].message
    assert code_of(lambda: Customers.from_frame(frame, columns={"id": "kee", "longitud": "x"})) == (
        "missing-column", "unknown-column", "missing-column", "missing-column",
    )  # fmt: skip


def test_duplicate_columns_in_every_form():
    doubled = pd.DataFrame([["a", 1.0, 2.0, 3.0]], columns=["id", "lon", "lat", "lat"])
    assert code_of(lambda: Customers.from_frame(doubled)) == ("duplicate-column",)
    arrow = pa.Table.from_arrays([pa.array(["a"]), pa.array([1.0]), pa.array([1.0]), pa.array([1.0])],
                                 names=["id", "lon", "lat", "lat"])  # fmt: skip
    assert code_of(lambda: Customers.from_frame(arrow)) == ("duplicate-column",)
    assert code_of(lambda: Customers.from_frame({**BASE, 1: [1, 2, 3], "1": [1, 2, 3]})) == ("duplicate-column",)


def test_frames_with_odd_column_names():
    frame = pd.DataFrame({**BASE, 7: [1, 2, 3], "column_names": [1, 2, 3]})
    table = Customers.from_frame(frame, measures={"seven": "7"})
    assert table.measures["seven"].tolist() == [1, 2, 3]
    assert list(frame.columns) == ["id", "lon", "lat", 7, "column_names"]


@pytest.mark.parametrize(
    "frame", [None, 5, "customers.csv", [1, 2], pl.DataFrame(BASE).lazy()], ids=lambda frame: type(frame).__name__
)
def test_what_is_no_frame(frame):
    assert code_of(lambda: Customers.from_frame(frame)) == ("not-a-frame",)


@pytest.mark.parametrize(("options", "code"), [
    ({"on_error": "ignore"}, "unknown-option"), ({"preset": "sap"}, "unknown-preset"),
    ({"measures": "potential"}, "unknown-option"), ({"measures": ["lon"]}, "bad-measure"),
    ({"measures": {"count": "lon"}}, "bad-measure"), ({"measures": {"": "lon"}}, "bad-measure"),
    ({"measures": ["nothing"]}, "missing-column"),
])  # fmt: skip
def test_options_that_are_refused(options, code):
    assert code_of(lambda: Customers.from_frame(BASE, **options)) == (code,)


def test_measures():
    table = Customers.from_frame({**BASE, "umsatz": [1, 2, 3]}, measures={"revenue": "umsatz"})
    assert table.measures["revenue"].tolist() == [1.0, 2.0, 3.0]
    assert table[1].revenue == 2.0
    with pytest.raises(TypeError):
        table.measures["x"] = np.zeros(3)
    assert code_of(lambda: Customers(**BASE, measures={"lat": [1, 2, 3]})) == ("bad-measure",)
    assert code_of(lambda: Reps.from_frame(BASE, measures=["lon"])) == ("unknown-option",)


# -- records and rows --------------------------------------------------------------------------


def test_records_of_every_kind():
    @dataclasses.dataclass
    class Place:
        id: str
        lon: float
        lat: float
        name: str | None = None

    class Slotted:
        __slots__ = ("id", "lat", "lon")

        def __init__(self):
            self.id, self.lon, self.lat = "d", 2.0, 2.0

    plain = type("Plain", (), {})()
    plain.__dict__.update(id="c", lon=2.0, lat=2.0)
    named = namedtuple("named", "id lon lat")("e", 3.0, 3.0)  # noqa: PYI024 - the untyped kind is the test
    records = [Place("a", 1.0, 1.0), {"id": "b", "lon": 1.5, "lat": 1.0, "name": "B"}, plain, Slotted(), named]
    table = Customers.from_records(records)
    assert table.id.tolist() == ["a", "b", "c", "d", "e"]
    assert table.name.tolist() == ["", "B", "", "", ""]
    assert Customers.from_records(Place(str(i), 1.0, 1.0) for i in range(2)).name is None
    assert len(Customers.from_records([])) == 0
    assert code_of(lambda: Customers.from_records([5])) == ("not-a-record",)
    assert code_of(lambda: Customers.from_records([{"id": "a", "lon": 1.0}])) == ("missing-column",)
    assert code_of(lambda: Customers.from_records([{"id": "a", "lon": 1.0, "lat": None}])) == ("missing-value",)


def test_rows_are_views_and_make_the_table_again():
    table = full()
    row = table[-1]
    assert (row.id, row.stage, row.contacts, row.potential) == ("c", Stage.LOST, {"z"}, 3.0)
    assert row.last_visit == np.datetime64("2025-12-31")
    assert table[0].service_s is None
    assert Customers.from_records(table, measures=["potential"]).equals(table)
    assert [r.id for r in table] == ["a", "b", "c"]
    assert "id='c'" in repr(row)
    with pytest.raises(AttributeError, match="read-only"):
        row.id = "x"
    with pytest.raises(AttributeError, match="a row of customers has no 'nothing'"):
        _ = row.nothing
    with pytest.raises(IndexError, match="row 3 of 3 customers"):
        table[3]
    with pytest.raises(TypeError, match="take"):
        table[0:2]
    for again in (pickle.loads(pickle.dumps(row)), copy.copy(row), copy.deepcopy(row)):  # noqa: S301 - our own bytes
        assert again.to_dict() == row.to_dict()


# -- the table itself --------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("rows", [[0, 1, 2], [2, 0], []], ids=str)
def test_out_and_in_again_is_the_same(backend, rows):
    table = full().take(rows)
    assert Customers.from_frame(table.to_frame(backend), measures=["potential"]).equals(table)


def test_unknown_backend():
    assert code_of(lambda: full().to_frame("excel")) == ("unknown-backend",)


def test_pickles_and_copies_stay_read_only():
    table = full()
    assert table.positions(["b"]).tolist() == [1]
    for again in (pickle.loads(pickle.dumps(table)), copy.copy(table), copy.deepcopy(table)):  # noqa: S301 - our own
        assert again.equals(table)
        for array in (again.id, again.lon, again.last_visit, again.measures["potential"], again.opening_hours.code):
            assert not array.flags.writeable


def test_equals():
    table = full()
    assert table.equals(full())
    assert not table.equals(full().take([0, 1]))
    assert not table.equals(dataclasses.replace(table, name=None))
    assert not table.equals(dataclasses.replace(table, visit_interval_days=[7, 8, 10.5]))
    assert not table.equals("table")
    assert not Reps(**BASE).equals(Customers(**BASE))


def test_replace_checks_again_and_repeats_no_warning():
    table = Customers(**BASE, service_s=[30, 30, 30])
    assert [p.code for p in dataclasses.replace(table, name=["x", "y", "z"]).diagnostics] == ["service-very-short"]
    assert code_of(lambda: dataclasses.replace(table, lat=[99, 1, 1])) == ("lat-out-of-range",)


def test_nothing_outside_can_change_a_table():
    ids = np.array(["a", "a rather long identifier", "c"], dtype=TEXT)
    lon, lat = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])
    locked, stage = np.array([False, True, False]), np.array([0, 1, 2], dtype=np.int8)
    days = np.array(["2026-01-01"] * 3, dtype="datetime64[D]")
    view = ids.view()
    view.flags.writeable = False  # read-only itself, but its owner is not
    table = Customers(id=view, lon=lon, lat=lat, locked=locked, owner=ids, stage=stage, last_visit=days,
                      measures={"m": lon})  # fmt: skip
    before = {k: v.copy() for k, v in table.to_dict().items()}
    ids[:], lon[:], lat[:], locked[:], stage[:], days[:] = "x", 9, 9, True, 4, np.datetime64("1999-01-01")
    assert all((before[k] == v).all() for k, v in table.to_dict().items())


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_frame_that_is_changed_afterwards_changes_no_table(backend):
    source = full().to_frame(backend)
    table = Customers.from_frame(source, measures=["potential"])
    out = table.to_frame("pandas")
    out.loc[0, ["lon", "potential"]] = 99.0
    out.loc[0, "id"] = "changed"
    if backend == "pandas":
        source.loc[0, ["lon", "potential"]] = 99.0
        source.loc[0, "last_visit"] = pd.Timestamp("1999-01-01")
    assert table.equals(full())


def test_columns_are_read_only():
    table = full()
    for array in (*(v for v in vars(table).values() if isinstance(v, np.ndarray)), *table.measures.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
    for array in table.to_dict().values():
        if array.dtype != object:
            assert not array.flags.writeable
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.lon = None


def test_take():
    table = full()
    assert table.take([2, 0]).id.tolist() == ["c", "a"]
    assert table.take(np.array([True, False, True])).id.tolist() == ["a", "c"]
    assert len(table.take([])) == 0
    assert table.take([1]).measures["potential"].tolist() == [2.0]
    for bad, message in (([3], "position 3 of 3 customers"), ([-1], "position -1 of 3 customers"),
                         ([True, False], "a mask of length 2 over 3 customers"), ([0.0], "whole numbers or a mask"),
                         (1, r"table\[i\] gives one row"), (["a"], "whole numbers or a mask")):  # fmt: skip
        with pytest.raises(IndexError, match=message):
            table.take(bad)
    assert code_of(lambda: table.take([0, 0])) == ("duplicate-id",)


def test_positions():
    table = Customers.from_frame({**BASE, "id": [7, 8, 9]})
    assert table.positions(["9", "7"]).tolist() == [2, 0]
    assert table.positions([9, 7]).tolist() == [2, 0]
    assert table.positions(np.array(["8"], dtype=TEXT)).dtype == np.int32
    with pytest.raises(InputError, match=r"unknown customers: '1', '2' \(3 rows, first rows 0, 2, 3\)"):
        table.positions(["1", "7", "2", "1"])
    assert code_of(lambda: table.positions([7.0])) == ("wrong-type",)


def test_empty_tables_can_be_used():
    table = Customers.from_frame({"id": [], "lon": [], "lat": []})
    assert len(table) == len(table.places()) == len(table.positions([])) == 0
    assert list(table) == []
    assert repr(table) == "<Customers: 0 rows, id, lon, lat>"
    reps = Reps.from_frame({"id": [], "lon": [], "lat": [], "shift": [], "capacity_s": []})
    assert len(reps.end_places()) == 0


def test_ragged_columns_of_the_right_kind_are_kept():
    hours = WeeklyHours.from_text(["", "off", ""])
    table = Customers(**BASE, opening_hours=hours, call_blocks=DateRanges.from_text(["", "", "2026-01-01"]))
    assert table.opening_hours is hours
    assert isinstance(table, Table)


def test_end_places():
    reps = Reps(**BASE, end_lon=[1.0, np.nan, 2.0], end_lat=[1.0, np.nan, 2.0])
    assert reps.end_places().kind.tolist() == [2, 1, 2]
    assert reps.end_places().lon.tolist() == [1.0, 13.5, 2.0]
    assert reps.places().lon.tolist() == [13.0, 13.5, 14.0]


def test_warnings_after_quarantine_speak_of_the_rows_that_are_left():
    n = 50
    frame = {"id": [f"c{i}" for i in range(n)], "lon": [13.4] * n, "lat": [52.5] * n}
    frame["lon"][33], frame["lat"][33] = np.nan, np.nan
    table = Customers.from_frame(frame, on_error="quarantine")
    assert len(table) == n - 1
    assert not [w for w in table.diagnostics if w.code == "far-away"]
