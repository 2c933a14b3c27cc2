"""The command line, as a person or a nightly script meets it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import territory
from territory.cli import main
from territory.datasets import load_germany
from territory.io import write_table

FEW = ["--iterations", "2", "--jobs", "1", "--quiet"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Return a folder with small tables: a corner of Germany and the reps who live there."""
    folder = tmp_path_factory.mktemp("tables")
    customers, reps = load_germany()
    write_table(customers.take((customers.lat < 48.0) & (customers.lon < 8.6)), folder / "customers.csv")
    write_table(reps.take((reps.lat < 48.5) & (reps.lon < 9.5)), folder / "reps.csv")
    return folder


def plan_args(tables, out, *more):
    files = ["--customers", str(tables / "customers.csv"), "--reps", str(tables / "reps.csv")]
    return ["plan", *files, "--start", "2026-03-02", "--weeks", "1", "--out", str(out), *FEW, *more]


@pytest.fixture(scope="module")
def made(tables, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "plan"
    assert main(plan_args(tables, out)) == 0
    return out


def test_plan_writes_a_folder_that_reads_back_and_passes_the_check(made, capsys):
    plan = territory.read_plan(made)
    assert len(plan.stops) > 0
    assert (made / "report.html").stat().st_size > 10_000
    assert territory.check_plan(plan).ok
    assert main(["check", str(made)]) == 0
    assert "0 violations" in capsys.readouterr().out


def test_report_is_written_where_it_is_asked_for(made, tmp_path):
    page = tmp_path / "elsewhere.html"
    assert main(["report", str(made), "--out", str(page)]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_same_command_again_replaces_its_own_output(made, tables):
    assert main(plan_args(tables, made)) == 0


def test_json_is_one_object_a_line(tables, tmp_path, capsys):
    assert main(plan_args(tables, tmp_path / "p", "--json")) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [e["event"] for e in events if e["event"] != "progress"][-1] == "done"
    assert events[-1]["visits"] > 0
    assert {"progress", "read"} <= {e["event"] for e in events}


def test_keep_owners_keeps_todays_territories(tmp_path):
    customers = {"id": ["a", "b"], "lon": [13.4, 13.5], "lat": [52.5, 52.4], "owner": ["R2", "R1"]}
    write_table(territory.Customers(**customers), tmp_path / "customers.csv")
    write_table(territory.Reps(id=["R1", "R2"], lon=[13.4, 13.5], lat=[52.5, 52.4]), tmp_path / "reps.csv")
    assert main(plan_args(tmp_path, tmp_path / "p", "--keep-owners")) == 0
    assert territory.read_plan(tmp_path / "p").alignment.customer_rep_idx.tolist() == [1, 0]


@pytest.fixture
def month(tmp_path):
    """Return a folder with three customers and a rep."""
    customers = {
        "id": ["a", "b", "c"], "lon": [13.4, 13.5, 13.6], "lat": [52.5, 52.4, 52.3], "visit_interval_days": [7, 7, 14],
    }  # fmt: skip
    write_table(territory.Customers(**customers), tmp_path / "customers.csv")
    write_table(territory.Reps(id=["R1"], lon=[13.4], lat=[52.5]), tmp_path / "reps.csv")
    return tmp_path


def test_visits_are_planned_at_their_time(month):
    text = "id,customer_id,earliest,latest,time_s,kind\ndemo,c,2026-03-04,2026-03-04,36000,appointment\n"
    (month / "visits.csv").write_text(text)
    assert main(plan_args(month, month / "p", "--visits", str(month / "visits.csv"))) == 0
    plan = territory.read_plan(month / "p")
    assert plan.visits.id.tolist() == ["demo"]
    row = plan.to_frame().set_index("visit_id").loc["demo"]
    assert str(row["start"]) == "2026-03-04 10:00:00"


def test_visits_outside_the_horizon_are_a_warning(month, capsys):
    (month / "visits.csv").write_text("id,customer_id,earliest,latest\nx,a,2027-03-04,2027-03-04\n")
    assert main(plan_args(month, month / "p", "--visits", str(month / "visits.csv"))) == 0
    assert "not between 2026-03-02 and the end (row 0) Left out." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("x,nobody,2026-03-04,2026-03-04,,appointment", "Expected ids of the table of customers."),
        ("x,a,2026-03-04,2026-03-04,10:00,appointment", "Write seconds: 36000 for 10:00"),
        ("x,a,2026-03-04,2026-03-03,,appointment", "latest-before-earliest"),
        ("x,a,2026-03-04,2026-03-04,,meeting", "regular, lead, follow_up, appointment, event"),
        ("x,a,4.3.2026,2026-03-04,,appointment", "Write 2026-04-03"),
    ],
)
def test_bad_visits_exit_with_3_and_say_what_is_wrong(month, capsys, row, says):
    (month / "visits.csv").write_text(f"id,customer_id,earliest,latest,time_s,kind\n{row}\n")
    assert main(plan_args(month, month / "p", "--visits", str(month / "visits.csv"))) == 3
    said = capsys.readouterr().err
    assert says in said
    assert "row 0" in said


def test_a_previous_plan_is_where_the_next_one_goes_on(month):
    assert main([*plan_args(month, month / "p"), "--weeks", "2"]) == 0
    before = territory.read_plan(month / "p")
    day = str(before.stops.day[before.stops.day < before.settings.start + 7].max())
    territory.write_plan(before.committed("confirmed_day", first=day, last=day), month / "p")
    tomorrow = str(before.stops.day.min() + 1)
    more = ["--weeks", "2", "--start", tomorrow, "--previous", str(month / "p")]
    assert main([*plan_args(month, month / "q"), *more]) == 0
    after = territory.read_plan(month / "q")
    assert after.alignment.customer_rep_idx.tolist() == before.alignment.customer_rep_idx.tolist()
    last = before.as_made(tomorrow).last_visit
    assert (after.customers.last_visit.astype(str) == last.astype(str)).all()
    if day >= tomorrow:
        promised = before.customers.id[before.stops.customer_idx[before.stops.day == np.datetime64(day)]]
        kept = after.customers.id[after.stops.customer_idx[after.stops.day == np.datetime64(day)]]
        assert set(promised.tolist()) <= set(kept.tolist())


def test_customers_who_are_new_since_the_previous_plan_get_a_rep(month):
    assert main(plan_args(month, month / "p")) == 0
    text = (month / "customers.csv").read_text() + "d,13.45,52.45,7\n"
    (month / "customers.csv").write_text(text)
    assert main(plan_args(month, month / "q", "--previous", str(month / "p"))) == 0
    after = territory.read_plan(month / "q")
    assert after.alignment.customer_rep_idx.tolist() == [0, 0, 0, 0]


def test_overload_is_stretched_where_that_is_asked_for(month):
    (month / "reps.csv").write_text("id,lon,lat,shift,max_visits_per_day\nR1,13.4,52.5,Mo 08:00-17:00,1\n")
    args = [*plan_args(month, month / "p"), "--weeks", "6"]
    assert main([*args, "--overload", "stretch"]) == 0
    assert territory.read_plan(month / "p").settings.stretch["R1"] > 1
    assert main(args) == 0
    assert territory.read_plan(month / "p").settings.stretch == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,lon,lat\na,200,50\n", "lon-out-of-range"),
        ("id,lon\na,1\n", "missing-column"),
        ("id;lon;lat\na;13,4;52,5\n", "decimal comma"),
        ("id,lon,lat\na,1,2\na,1,2\n", "duplicate-id"),
        ("", "empty"),
    ],
)
def test_a_bad_table_exits_with_3_and_says_what_is_wrong(tables, tmp_path, capsys, text, says):
    bad = tmp_path / "bad.csv"
    bad.write_text(text)
    args = plan_args(tables, tmp_path / "p")
    args[args.index("--customers") + 1] = str(bad)
    assert main(args) == 3
    assert says in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    "change",
    [
        ["--start", "03/04/2026"],
        ["--weeks", "0"],
        ["--jobs", "0"],
        ["--time-limit", "nan"],
        ["--holiday", "tomorrow"],
        ["--balance", "workload_s"],
        ["--balance", "workload_s=much"],
        ["--balance", "beauty=0.1"],
        ["--column", "id"],
        ["--measure", "no such column"],
    ],
)
def test_a_bad_option_exits_with_3(tables, tmp_path, capsys, change):
    assert main([*plan_args(tables, tmp_path / "p"), *change]) == 3
    assert capsys.readouterr().err


def test_a_missing_file_exits_with_3(tables, tmp_path, capsys):
    assert main([*plan_args(tables, tmp_path / "p"), "--customers", str(tmp_path / "none.csv")]) == 3
    assert "none.csv" in capsys.readouterr().err


def test_an_impossible_balance_exits_with_4_and_the_least_deviation(tmp_path, capsys):
    customers = territory.Customers(id=["a", "b", "c"], lon=[13.4, 13.5, 13.6], lat=[52.5, 52.4, 52.3])
    write_table(customers, tmp_path / "customers.csv")
    write_table(territory.Reps(id=["R1", "R2"], lon=[13.4, 13.5], lat=[52.5, 52.4]), tmp_path / "reps.csv")
    assert main(plan_args(tmp_path, tmp_path / "p", "--balance", "count=0.01")) == 4
    assert "count" in capsys.readouterr().err


def test_a_plan_that_ran_out_of_time_is_written_and_exits_with_5(tables, tmp_path):
    assert main([*plan_args(tables, tmp_path / "p"), "--iterations", "10000000", "--time-limit", "1.5"]) == 5
    assert territory.read_plan(tmp_path / "p").status is territory.Status.TIME_LIMIT


def test_check_finds_an_edited_plan(made, tmp_path):
    plan = territory.read_plan(made)
    edited = plan.to_frame()
    edited["start"] -= edited["start"] - edited["start"].min()
    broken = territory.Plan.from_frame(edited, customers=plan.customers, reps=plan.reps, like=plan)
    territory.write_plan(broken, tmp_path / "broken")
    assert main(["check", str(tmp_path / "broken")]) == 6


def test_a_foreign_folder_is_left_alone(tables, tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert main(plan_args(tables, tmp_path / "mine")) == 3
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    assert "mine" in capsys.readouterr().err


def test_an_interrupt_exits_with_130(tables, tmp_path, monkeypatch, capsys):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(territory, "plan", interrupted)
    assert main(plan_args(tables, tmp_path / "p")) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("args", [[], ["fly"], ["plan"]])
def test_a_command_that_is_not_understood_exits_with_2(args):
    done = subprocess.run([sys.executable, "-m", "territory.cli", *args], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage: territory" in done.stderr


def test_a_target_that_cannot_be_written_is_noticed_before_the_work(tables, monkeypatch, capsys):
    def never(*_args, **_options):
        pytest.fail("work was done")

    monkeypatch.setattr(territory, "plan", never)
    assert main(plan_args(tables, "/proc/nowhere/plan")) == 7
    assert "/proc/nowhere/plan" in capsys.readouterr().err


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_the_command(tmp_path, how):
    command = [sys.executable, "-m", "territory.cli", "demo", "--jobs", "2", "--quiet", "--out", str(tmp_path / "demo")]
    started = subprocess.Popen([*command, "--iterations", "100000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    workers = []
    while not workers and started.poll() is None:
        time.sleep(0.2)
        workers = [p for p in children(started.pid) if b"spawn_main" in command_of(p)]
    time.sleep(2.0)  # until they are at work
    workers = [p for p in children(started.pid) if b"spawn_main" in command_of(p)]
    assert len(workers) == 2
    started.send_signal(how)
    started.communicate(timeout=120)
    deadline = time.monotonic() + 60
    while any(b"spawn_main" in command_of(p) for p in workers):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert not (tmp_path / "demo").exists()


def children(pid):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def command_of(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
