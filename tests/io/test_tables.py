"""CSV and Parquet, in and out."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from territory.errors import InputError, MissingExtraError, Problem
from territory.io import OutputError, read_customers, read_reps, read_table, read_visits, write_table
from territory.model import Customers, Reps, Visits, WeeklyHours

if TYPE_CHECKING:
    from pathlib import Path

    from territory.model import Plan

HEAD = "id,lon,lat,name\n"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ids = st.lists(
    texts.filter(lambda t: bool(t.strip()))
    | st.sampled_from(["=1", '"', "a\r\nb", "\0", "NA", "null", "007", "\ufeff"]),
    unique=True,
    max_size=12,
)
lenient = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def listed(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def put(tmp_path: Path, content: str | bytes, name: str = "customers.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def problems(path: Path, **options: Any) -> dict[str, Problem]:
    with pytest.raises(InputError) as caught:
        read_customers(path, **options)
    assert path.name in str(caught.value)
    return {p.code: p for p in caught.value.problems}


# -- round trips -------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@lenient
@given(names=ids, data=st.data())
def test_any_ids_and_numbers_survive_the_round_trip(tmp_path: Path, ending: str, names: list[str], data: Any) -> None:
    n = len(names)
    numbers = st.floats(0, 1e9, allow_nan=False)
    table = Customers(
        id=names,
        lon=data.draw(st.lists(st.floats(1, 2), min_size=n, max_size=n)),
        lat=data.draw(st.lists(st.floats(1, 2), min_size=n, max_size=n)),
        name=data.draw(st.lists(texts, min_size=n, max_size=n)),
        visit_interval_days=data.draw(st.lists(st.none() | st.floats(1, 99), min_size=n, max_size=n)),
        last_visit=data.draw(st.lists(st.none() | st.dates(), min_size=n, max_size=n)),
        deal_value=data.draw(st.lists(numbers, min_size=n, max_size=n)),
    )
    path = write_table(table, tmp_path / f"t.{ending}")
    again = read_customers(path)
    assert again.equals(table)
    assert again.id.tolist() == names


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_every_kind_of_column_survives_the_round_trip(tmp_path: Path, plan: Plan, ending: str) -> None:
    path = write_table(plan.customers, tmp_path / f"c.{ending}")
    again = read_customers(path, measures=["potential"]) if ending == "csv" else read_customers(path)
    assert again.equals(plan.customers)
    assert again.measures["potential"].tolist() == plan.customers.measures["potential"].tolist()
    assert read_reps(write_table(plan.reps, tmp_path / f"r.{ending}")).equals(plan.reps)


def test_what_text_cannot_hold_is_refused(tmp_path: Path) -> None:
    table = Customers(id=["a"], lon=[1.0], lat=[1.0], contacts=[["x"]])
    # nothing in the library makes such a set, but the file must not part its words in silence
    object.__setattr__(table.contacts, "cells", (frozenset({"Doe; Jane"}),))
    for ending in ("csv", "parquet"):
        with pytest.raises(InputError, match="contacts"):
            write_table(table, tmp_path / f"c.{ending}")
    assert listed(tmp_path) == []


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_hours_with_seconds_are_kept(tmp_path: Path, ending: str) -> None:
    hours = WeeklyHours.from_weeks([{0: [(30, 60)]}])
    table = Customers(id=["a"], lon=[1.0], lat=[1.0], opening_hours=hours)
    again = read_customers(write_table(table, tmp_path / f"c.{ending}"))
    assert again.opening_hours is not None
    assert again.opening_hours.on(0, 0) == ((30, 60),)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_empty_container_is_fine(tmp_path: Path, ending: str) -> None:
    table = Customers(id=[], lon=[], lat=[], service_s=[], name=[])
    again = read_customers(write_table(table, tmp_path / f"c.{ending}"))
    assert len(again) == 0
    assert again.column_names == table.column_names


def test_visits(tmp_path: Path) -> None:
    visits = Visits(id=["a#1"], customer_id=["a"], earliest=["2026-01-05"], latest=["2026-01-09"])
    assert read_visits(write_table(visits, tmp_path / "v.csv")).equals(visits)


def test_mappings_are_written_with_times(tmp_path: Path, plan: Plan) -> None:
    lines = write_table(plan.to_dict(), tmp_path / "stops.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "rep_id,day,position,customer_id,arrival,start,end,drive_s,distance_m"
    assert lines[1] == "R1,2026-01-05,0,007,2026-01-05T09:59:00,2026-01-05T10:00:00,2026-01-05T10:30:00,600,5000"
    write_table(plan.to_dict(), tmp_path / "stops.parquet")


def test_a_mapping_of_unequal_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unequal length: a 1, b 2"):
        write_table({"a": [1], "b": [1, 2]}, tmp_path / "x.csv")


# -- FAULTS: tables and ids --------------------------------------------------------------------


def test_ids_are_text_leading_zeros_23_digits_emoji_na_and_null_survive(tmp_path: Path) -> None:
    wanted = ["007", "12345678901234567890123", "😀", "NA", "null", "1e5", "nan", "None", "TRUE", " x "]
    content = HEAD + "".join(f"{v},1{i}.5,50,{v}\n" for i, v in enumerate(wanted))
    table = read_customers(put(tmp_path, content))
    assert table.id.tolist() == wanted
    assert table.name is not None
    assert table.name.tolist() == wanted


def test_bom_crlf_and_quoted_newlines(tmp_path: Path) -> None:
    content = '\ufeffid,lon,lat,name\r\n"a\r\nb",13,52,"x, ""y"""\r\n\r\nc,14,52,\r\n'
    table = read_customers(put(tmp_path, content))
    assert table.id.tolist() == ["a\r\nb", "c"]
    assert table[0].name == 'x, "y"'


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_recognised_from_the_header(tmp_path: Path, delimiter: str, end: str) -> None:
    lines = [["id", "lon", "lat", '"name, full; |\tand more"'], ["a", "13.5", "52.5", '"x,;"']]
    content = (end or "\n").join(delimiter.join(line) for line in lines) + end
    table = read_customers(put(tmp_path, content), columns={"name": "name, full; |\tand more"})
    assert table[0].to_dict() == {"id": "a", "lon": 13.5, "lat": 52.5, "name": "x,;"}


def test_a_given_delimiter(tmp_path: Path) -> None:
    path = put(tmp_path, "id~lon~lat,,,,\na~1~2\n")
    assert len(read_customers(path, delimiter="~", columns={"lat": "lat,,,,"})) == 1
    assert "bad-delimiter" in problems(path, delimiter=";;")


def test_decimal_comma_is_an_error_that_says_so(tmp_path: Path) -> None:
    found = problems(put(tmp_path, "id;lon;lat\na;13,4;52,5\nb;13.4;52.5\n"))
    assert "decimal comma" in str(found["not-a-number"].hint)
    found = problems(put(tmp_path, "id,lon,lat\na,13,4,52,5\n"))
    assert "decimal comma" in str(found["ragged-rows"].hint)


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("latin-1", r"0xFC in line 3; it looks like Latin-1 .* 'ü'"),
        ("cp1252", "line 2; it looks like Windows-1252"),
    ],
)
def test_utf16_and_latin1_are_errors_naming_the_encoding(tmp_path: Path, encoding: str, named: str) -> None:
    name = "5 €" if encoding == "cp1252" else "x"
    path = put(tmp_path, f"{HEAD}a,13,52,{name}\nb,14,52,Müller\n".encode(encoding))
    with pytest.raises(InputError, match=named) as caught:
        read_customers(path)
    assert caught.value.codes == ("wrong-encoding",)


def test_ragged_rows_are_an_error_with_their_lines(tmp_path: Path) -> None:
    content = HEAD + 'a,13,52,x\nb,13,52,x,y\n"c\n\n",13,52,x\nd,13\n' + "e,1,2,3,4\n" * 5
    found = problems(put(tmp_path, content))["ragged-rows"]
    assert found.count == 7
    assert "expected 4 cells a row" in found.message
    assert "line 3 has 5, line 7 has 2, line 8 has 5" in found.message
    assert "ragged-rows" in problems(put(tmp_path, content), on_error="quarantine")


def test_duplicate_column_is_an_error(tmp_path: Path) -> None:
    assert "'lon'" in problems(put(tmp_path, "id,lon,lat,lon\n"))["duplicate-column"].message


def test_missing_column_lists_what_is_there_and_the_nearest_name(tmp_path: Path) -> None:
    found = problems(put(tmp_path, "id,longitude,lat\na,1,2\n"))["missing-column"]
    assert "id, longitude, lat" in found.message
    assert "longitude" in str(found.hint)


def test_duplicate_and_blank_ids_are_errors_with_rows(tmp_path: Path) -> None:
    found = problems(put(tmp_path, HEAD + "a,1,2,\na,1,2,\n,1,2,\n"))
    assert found["duplicate-id"].rows == (0, 1)
    assert found["blank-id"].rows == (2,)


def test_one_bad_row_is_an_error_or_set_aside(tmp_path: Path) -> None:
    path = put(tmp_path, HEAD + "".join(f"c{i},13,{52 if i != 70 else 'x'},\n" for i in range(100)))
    assert problems(path)["not-a-number"].rows == (70,)
    table = read_customers(path, on_error="quarantine")
    assert len(table) == 99
    assert table.rejects is not None
    assert table.rejects.rows.tolist() == [70]


def test_ambiguous_dates_are_an_error_unless_a_format_is_given(tmp_path: Path) -> None:
    path = put(tmp_path, "id,lon,lat,last_visit\na,1,2,03/04/2026\n")
    assert "not-a-date" in problems(path)
    assert read_customers(path, date_format="%d/%m/%Y")[0].last_visit == np.datetime64("2026-04-03")


def test_columns_presets_and_measures(tmp_path: Path) -> None:
    path = put(tmp_path, "Id,BillingLongitude,BillingLatitude,Umsatz,lon2\nx,13,52,7.5,1\n")
    table = read_customers(path, preset="salesforce", measures={"revenue": "Umsatz"})
    assert table.measures["revenue"].tolist() == [7.5]
    assert [p.code for p in table.diagnostics] == ["columns-ignored"]
    assert read_customers(path, preset="salesforce").measures == {}


# -- files that are no tables ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "c.csv", "empty-file"),
        (b"\xef\xbb\xbf\r\n\r\n", "c.csv", "empty-file"),
        (b"PK\x03\x04rest", "c.xlsx", "not-a-table"),
        (b"PK\x03\x04rest", "c.csv", "not-a-table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "c.xls", "not-a-table"),
        (b"\x1f\x8b\x08", "c.csv.gz", "not-a-table"),
        (b"id,lon,lat\n", "c.parquet", "not-a-table"),
        (b"PAR1 and then nothing", "c.parquet", "not-parquet"),
        (b'id,lon,lat\na,1,"2\nb,1,2\n', "c.csv", "open-quote"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, content: bytes, name: str, code: str) -> None:
    assert code in problems(put(tmp_path, content, name))


def test_missing_file_and_directory(tmp_path: Path) -> None:
    assert "no-such-file" in problems(tmp_path / "nothing.csv")
    assert "not-a-file" in problems(tmp_path)
    assert "unreadable-file" in problems(tmp_path / ("x" * 300))
    assert "unreadable-file" in problems(tmp_path / "\0")


def test_a_torn_parquet_file(tmp_path: Path, plan: Plan) -> None:
    whole = write_table(plan.reps, tmp_path / "r.parquet").read_bytes()
    for size in (5, len(whole) // 2, len(whole) - 1):
        assert "not-parquet" in problems(put(tmp_path, whole[:size], "r.parquet"))


def test_a_lone_quote_inside_a_cell_is_no_fault(tmp_path: Path) -> None:
    assert read_customers(put(tmp_path, HEAD + 'a,1,2,5" pipe\n'))[0].name == '5" pipe'


def test_a_cell_larger_than_the_csv_modules_limit(tmp_path: Path) -> None:
    big = "x" * 200_000
    assert read_customers(put(tmp_path, HEAD + f'a,1,2,"{big}"\n'))[0].name == big


@lenient
@given(st.binary(max_size=200) | st.text(alphabet='id,lonat;\r\n"1.\t', max_size=60).map(str.encode))
def test_whatever_the_bytes_the_error_is_ours(tmp_path: Path, content: bytes) -> None:
    with contextlib.suppress(InputError):
        read_table(put(tmp_path, content), Reps)


@lenient
@given(st.binary(max_size=60))
def test_bytes_behind_a_good_header_give_a_table_or_our_error(tmp_path: Path, content: bytes) -> None:
    with contextlib.suppress(InputError):
        read_customers(put(tmp_path, HEAD.encode() + b"a,1,2,x\n" + content))


# -- writing -----------------------------------------------------------------------------------


def test_cells_beginning_with_a_formula_sign_are_defused_in_spreadsheet_exports_only(tmp_path: Path) -> None:
    risky = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "ok", "'x"]
    table = {"id": np.array(risky, dtype=object), "value": np.array([-1.0, -2.5, 3, 4, 5, 6, 7, -8])}
    exact = write_table(table, tmp_path / "x.csv").read_bytes().decode()
    assert exact.splitlines()[1] == "=1+1,-1.0"
    safe = write_table(table, tmp_path / "s.csv", spreadsheet=True).read_bytes().decode("utf-8")
    assert safe.startswith("\ufeffid,value\r\n'=1+1,-1.0\r\n'+1,-2.5\r\n'-1,3.0\r\n'@x,4.0\r\n")
    assert '"\'\rx"' in safe
    assert "\r\nok,7.0\r\n'x,-8.0\r\n" in safe


def test_other_endings_are_refused(tmp_path: Path, plan: Plan) -> None:
    for name, spreadsheet in (("x.xlsx", False), ("x", False), ("x.parquet", True)):
        with pytest.raises(InputError, match=r"expected a name in \.csv"):
            write_table(plan.reps, tmp_path / name, spreadsheet=spreadsheet)
    assert listed(tmp_path) == []


def test_half_a_surrogate_pair_is_refused(tmp_path: Path) -> None:
    for ending in ("csv", "parquet"):
        with pytest.raises(InputError, match="surrogate"):
            write_table({"a": ["\ud800"]}, tmp_path / f"x.{ending}")
    assert listed(tmp_path) == []


def test_disk_full_leaves_the_old_table(tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for ending in ("csv", "parquet"):
        path = write_table(plan.reps, tmp_path / f"r.{ending}")
        before = path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(OutputError):
                write_table(plan.reps.take([0]), path)
        assert path.read_bytes() == before
    assert listed(tmp_path) == ["r.csv", "r.parquet"]


def test_the_same_table_gives_the_same_bytes(tmp_path: Path, plan: Plan) -> None:
    for ending in ("csv", "parquet"):
        one = write_table(plan.customers.take([0, 1]), tmp_path / f"1.{ending}").read_bytes()
        assert one == write_table(plan.customers.take([0, 1]), tmp_path / f"2.{ending}").read_bytes()


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_table(plan.reps, tmp_path / "r.csv")
    for name in [n for n in sys.modules if n.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    found = importlib.import_module

    def missing(name: str, package: str | None = None) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return found(name, package)

    monkeypatch.setattr(importlib, "import_module", missing)
    for action in (lambda: read_reps(path), lambda: write_table(plan.reps, tmp_path / "r.parquet")):
        with pytest.raises(MissingExtraError, match=r"pip install 'territory\[io\]'"):
            action()
    assert listed(tmp_path) == ["r.csv"]
