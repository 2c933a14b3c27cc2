"""A plan as a directory, and back."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import json
import os
import pickle
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import gpxpy
import icalendar
import numpy as np
import pytest
from tests.io.same_plan import assert_same_plan, listed

import territory
from territory.errors import InputError, MissingExtraError
from territory.io import OutputError, read_plan, write_plan
from territory.model import Customers, Hotels, Plan, Reps
from territory.model.zones import local

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def test_what_is_written(plan: Plan, tmp_path: Path) -> None:
    folder = write_plan(plan, tmp_path / "out", now=NOW)
    assert listed(folder) == [
        "alignment.csv",
        "customers.parquet",
        "plan.json",
        "reps.parquet",
        "routes-2026-01-05/R1.gpx",
        "routes-2026-01-05/R1.ics",
        "routes-2026-01-05/links.csv",
        f"routes-2026-01-05/{territory.io.safe_name('r/2')}.gpx",
        f"routes-2026-01-05/{territory.io.safe_name('r/2')}.ics",
        "routes-2026-01-05/routes.geojson",
        "routes.csv",
        "stops.csv",
        "territories.geojson",
        "unassigned.csv",
    ]
    head = json.loads((folder / "plan.json").read_text())
    assert head["format"] == "territory-plan"
    assert head["versions"]["territory"] == territory.__version__
    assert head["summary"] == plan.summary()
    assert head["alignment"]["bound"] == 1200.0
    assert head["alignment"]["gap"] == plan.alignment.gap if plan.alignment else None
    day = folder / "routes-2026-01-05"
    assert len(gpxpy.parse((day / "R1.gpx").read_text(encoding="utf-8")).waypoints) == 2
    assert len(icalendar.Calendar.from_ical((day / "R1.ics").read_bytes()).walk("VEVENT")) == 4
    with (day / "links.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["rep_id"], r["day"], r["part"]) for r in rows] == [("R1", "2026-01-05", "1"), ("r/2", "2026-01-05", "1")]
    json.loads((folder / "territories.geojson").read_text(encoding="utf-8"))
    assert listed(tmp_path) == [f"out/{name}" for name in listed(folder)]


def test_everything_comes_back(plan: Plan, tmp_path: Path) -> None:
    again = read_plan(write_plan(plan, tmp_path / "out"))
    assert_same_plan(plan, again)
    assert again.alignment is not None
    assert again.alignment.customers is again.customers
    assert again.to_dict()["start"].tolist() == plan.to_dict()["start"].tolist()


def test_plans_without_alignment_or_visits_come_back(make_plan: Callable[..., Plan], tmp_path: Path) -> None:
    empty = make_plan([])
    for i, plan in enumerate((empty, dataclasses.replace(empty, alignment=None))):
        assert_same_plan(plan, read_plan(write_plan(plan, tmp_path / str(i))))
    assert "alignment.csv" not in listed(tmp_path / "1")


def test_an_alignment_of_other_tables_comes_back(plan: Plan, tmp_path: Path) -> None:
    assert plan.alignment is not None
    customers = dataclasses.replace(plan.customers, name=["x"] * 5)
    for alignment in (
        dataclasses.replace(plan.alignment, customers=customers),
        dataclasses.replace(plan.alignment, reps=None, rep_idx=np.full(3, -1)),
        dataclasses.replace(plan.alignment, reps=plan.reps.take([1, 0])),
        dataclasses.replace(plan.alignment, objective=float("nan"), bound=None, targets={}),
    ):
        changed = dataclasses.replace(plan, alignment=alignment)
        assert_same_plan(changed, read_plan(write_plan(changed, tmp_path / "out")))


def test_warnings_and_rejects_come_back(plan: Plan, tmp_path: Path) -> None:
    frame = {**plan.customers.to_dict(), "id": ["a", "A", "c", "d", "e"], "unknown": [1] * 5}
    frame["lat"] = [52.5, 52.51, 52.49, 52.4, 99.0]
    customers = Customers.from_frame(frame, measures=["potential"], on_error="quarantine")
    assert customers.diagnostics
    stops = plan.stops.take([0, 1])
    small = dataclasses.replace(
        plan, customers=customers, alignment=None, stops=stops, unassigned=plan.unassigned.take([])
    )
    again = read_plan(write_plan(small, tmp_path / "out")).customers
    assert again.diagnostics == customers.diagnostics
    assert again.rejects is not None
    assert customers.rejects is not None
    assert again.rejects.rows.tolist() == customers.rejects.rows.tolist()
    assert again.rejects.problems == customers.rejects.problems


def test_the_repeated_hour_in_autumn_comes_back_exactly(make_plan: Callable[..., Plan], tmp_path: Path) -> None:
    stops = [(0, "2026-10-25", 0, "00:30"), (0, "2026-10-25", 1, "01:30")]  # both half past two in Berlin
    plan = make_plan(stops, start="2026-10-25")
    wall = local(plan.stops.start, plan.reps.timezone[plan.stops.rep_idx] if plan.reps.timezone is not None else None)
    assert wall[0] == wall[1]
    assert_same_plan(plan, read_plan(write_plan(plan, tmp_path / "out")))


def test_the_same_plan_gives_the_same_bytes(plan: Plan, tmp_path: Path) -> None:
    one, two = (write_plan(plan, tmp_path / name, now=NOW) for name in ("1", "2"))
    for name in listed(one):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_the_day_can_be_chosen_even_one_without_visits(plan: Plan, tmp_path: Path) -> None:
    names = listed(write_plan(plan, tmp_path / "out", day="2026-01-07"))
    assert "routes-2026-01-07/R1.gpx" in names
    names = listed(write_plan(plan, tmp_path / "out", day="2026-01-06"))
    assert [n for n in names if n.endswith(".gpx")] == []
    assert "routes-2026-01-06/R1.ics" in names


def test_calendars_continue_those_that_are_replaced(make_plan: Callable[..., Plan], tmp_path: Path) -> None:
    before = make_plan([(0, "2026-01-05", 0, "09:00"), (1, "2026-01-05", 1, "09:00")])
    after = make_plan([(0, "2026-01-07", 0, "09:00")])
    folder = write_plan(before, tmp_path / "out", now=NOW)
    write_plan(after, tmp_path / "other", previous=folder, now=NOW)
    write_plan(after, folder, now=NOW)
    gone = territory.io.safe_name("r/2")
    for out in (folder, tmp_path / "other"):
        text = (out / "routes-2026-01-07" / "R1.ics").read_text(encoding="utf-8")
        assert "SEQUENCE:1" in text
        assert "DTSTART:20260107T090000Z" in text
        assert "STATUS:CANCELLED" in (out / "routes-2026-01-07" / f"{gone}.ics").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="no such directory"):
        write_plan(after, tmp_path / "x", previous=tmp_path / "nothing")


def test_a_directory_that_is_not_ours_is_never_touched(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "plan.json").write_text('{"format": "other"}')
    for name in ("home", "file", "json"):
        with pytest.raises(InputError):
            write_plan(plan, tmp_path / name)
    assert listed(tmp_path) == ["file", "home/thesis.txt", "json/plan.json"]


def test_files_that_were_put_in_later_are_not_lost(plan: Plan, tmp_path: Path) -> None:
    folder = write_plan(plan, tmp_path / "out")
    (folder / ".DS_Store").write_text("litter")
    write_plan(plan, folder)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"would be lost: notes\.txt"):
        write_plan(plan, folder)
    assert (folder / "notes.txt").read_text() == "mine"


def test_an_empty_directory_is_filled(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert_same_plan(plan, read_plan(write_plan(plan, tmp_path / "out")))


def test_extra_files_belong_to_the_plan(plan: Plan, tmp_path: Path) -> None:
    folder = write_plan(plan, tmp_path / "out", extra_files={"report.html": "<html>", "x.bin": b"\xff"})
    assert (folder / "report.html").read_text() == "<html>"
    assert "report.html" not in listed(write_plan(plan, folder))
    for name in ("../x", "plan.json", "stops.csv", "", "..", "a/b"):
        with pytest.raises(InputError, match="file name"):
            write_plan(plan, tmp_path / "other", extra_files={name: "x"})
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_disk_full_and_read_only_leave_the_old_plan_and_no_partial_output(
    plan: Plan, make_plan: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_plan(plan, tmp_path / "out", now=NOW)
    before = {name: (folder / name).read_bytes() for name in listed(tmp_path / "out")}
    sync, count = os.fsync, [0]
    for limit in (0, 3, 9):

        def full(handle: int, limit: int = limit) -> None:
            count[0] += 1
            if count[0] > limit:
                raise OSError(28, "No space left on device")
            sync(handle)

        count[0] = 0
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(OutputError, match=r"cannot write .*out: No space left on device; nothing was written"):
                write_plan(make_plan([]), folder)
    assert {name: (folder / name).read_bytes() for name in listed(folder)} == before
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_ctrl_c_leaves_the_old_plan_readable(
    plan: Plan, make_plan: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_plan(plan, tmp_path / "out")
    monkeypatch.setattr("territory.io.plans.routes_geojson", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_plan(make_plan([(0, "2026-01-05", 0, "09:00")]), folder)
    assert_same_plan(plan, read_plan(folder))
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    "name", ["customers.parquet", "reps.parquet", "stops.csv", "routes.csv", "unassigned.csv", "alignment.csv"]
)
def test_torn_and_missing_files_are_noticed(plan: Plan, tmp_path: Path, name: str) -> None:
    folder = write_plan(plan, tmp_path / "out")
    whole = (folder / name).read_bytes()
    for torn in (whole[: len(whole) // 2], whole[:-1] + b"x", b""):
        (folder / name).write_bytes(torn)
        with pytest.raises(InputError, match=f"{name} is not as it was written") as caught:
            read_plan(folder)
        assert caught.value.codes == ("torn-file",)
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name} is missing"):
        read_plan(folder)


def test_a_torn_or_foreign_plan_json(plan: Plan, tmp_path: Path) -> None:
    folder = write_plan(plan, tmp_path / "out")
    text = (folder / "plan.json").read_text()
    head = json.loads(text)
    cases = {
        text[:-100]: "not readable",
        "": "not readable",
        "[]": "not a plan's",
        json.dumps({**head, "format": "x"}): "not a plan's",
        json.dumps({**head, "format_version": 99}): "format 99",
        json.dumps({k: v for k, v in head.items() if k != "settings"}): "does not go with",
        json.dumps({**head, "status": "great"}): "does not go with",
    }
    for content, message in cases.items():
        (folder / "plan.json").write_text(content)
        with pytest.raises(InputError, match=message):
            read_plan(folder)


def test_no_plan_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such directory"):
        read_plan(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"no plan\.json"):
        read_plan(tmp_path)


def test_stops_can_be_edited_and_read_with_from_frame(plan: Plan, tmp_path: Path) -> None:
    folder = write_plan(plan, tmp_path / "out")
    with (folder / "stops.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    frame: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0]}
    for name in ("position", "drive_s", "distance_m"):
        frame[name] = [int(v) for v in frame[name]]
    again = Plan.from_frame(frame, customers=plan.customers, reps=plan.reps, like=plan)
    assert again.stops.equals(plan.stops)


@pytest.mark.parametrize("package", ["pyarrow", "icalendar", "gpxpy"])
def test_a_missing_package_is_named_before_anything_is_written(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == package]:
        monkeypatch.setitem(sys.modules, name, None)  # type: ignore[arg-type]
    with pytest.raises(MissingExtraError, match=rf"{package} is not installed: pip install 'territory\[io\]'"):
        write_plan(plan, tmp_path / "out")
    assert listed(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is a moment between two renames")
def test_kill_9_at_any_moment_leaves_a_whole_plan(tmp_path: Path, plan: Plan) -> None:
    folder = write_plan(plan, tmp_path / "out")
    code = (
        "import pickle, sys\n"
        "from territory.io import write_plan\n"
        "plan = pickle.load(sys.stdin.buffer)\n"
        "print('ready', flush=True)\n"
        "while True: write_plan(plan, sys.argv[1])\n"
    )
    for wait in (0.01, 0.12, 0.23):
        with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdin=-1, stdout=-1) as writer:
            assert writer.stdin is not None
            assert writer.stdout is not None
            writer.stdin.write(pickle.dumps(plan))
            writer.stdin.close()
            writer.stdout.readline()
            time.sleep(wait)
            writer.kill()
        assert_same_plan(plan, read_plan(folder))
    write_plan(plan, folder)


def test_a_name_that_no_file_system_takes(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="File name too long"):
        write_plan(plan, tmp_path / ("x" * 300))
    with pytest.raises(InputError, match="File name too long"):
        read_plan(tmp_path / ("x" * 300))
    assert listed(tmp_path) == []


def test_nights_come_back_and_days_begin_where_they_were_spent(tmp_path: Path) -> None:
    customers = Customers(id=["a", "b"], lon=[13.0, 13.1], lat=[52.0, 52.0], service_s=[14_400.0] * 2)
    reps = Reps(id=["R1"], lon=[11.0], lat=[52.0], cost_per_km=[1.0], hotel_cost=[90.0])
    hotels = Hotels(id=["H1"], lon=[13.05], lat=[52.0], cost=[40.0])
    plan = territory.schedule_visits(
        customers, reps, start="2026-01-05", weeks=1, objective="cost", nights="allowed", hotels=hotels, iterations=200
    )
    assert plan.nights is not None
    assert plan.nights.hotel_idx.tolist() == [0]
    again = read_plan(write_plan(plan, tmp_path / "plan", now=NOW))
    assert_same_plan(plan, again)
    assert again.nights is not None
    assert again.nights.equals(plan.nights)
    assert again.hotels is not None
    assert again.hotels.equals(hotels)
    assert territory.check_plan(again).ok
    for day, ends in zip(plan.routes.day, ((11.0, 13.05), (13.05, 11.0)), strict=True):
        line = gpxpy.parse(territory.io.route_gpx(plan, "R1", day)).routes[0].points
        assert (line[0].longitude, line[-1].longitude) == ends
        (link,) = territory.io.google_maps_links(plan, "R1", day)
        assert f"origin=52.000000%2C{ends[0]:.6f}&destination=52.000000%2C{ends[1]:.6f}" in link
    lines = territory.io.routes_geojson(plan)["features"]
    ways = [f["geometry"]["coordinates"] for f in lines if f["properties"]["kind"] == "route"]
    assert [(way[0][0], way[-1][0]) for way in ways] == [(11.0, 13.05), (13.05, 11.0)]
