"""Nights, one after the other: what they plan, keep, log and count."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import numpy as np
import pytest
from nights import digest, stops, threads, write_config, write_tables

from territory import GreatCircle, Reps, Visits, read_customers, read_reps
from territory.batch.config import read_config
from territory.batch.config_travel import travel_of
from territory.batch.events import EventLog
from territory.batch.metrics import read_metrics
from territory.batch.operations import ExitCode, run_night
from territory.batch.preview import preview_night
from territory.batch.rollover import Nights, first_day, last_visits
from territory.errors import InputError
from territory.io import write_table
from territory.model.places import PlaceKind, Places

MONDAY = "2026-01-05"


def night(path, **options):
    return run_night(path, executor=threads, **options)


@pytest.fixture
def folder(tmp_path):
    write_tables(tmp_path)
    return tmp_path


# -- days --------------------------------------------------------------------------------------


def at(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("zones", "zone", "now", "day"),
    [
        (["Europe/Berlin"], None, "2026-01-05T22:30", "2026-01-06"),
        (["Europe/Berlin"], None, "2026-01-05T23:30", "2026-01-07"),
        (["Europe/Berlin"], "UTC", "2026-01-05T23:30", "2026-01-06"),
        (["America/New_York", "Asia/Tokyo", ""], None, "2026-01-05T16:00", "2026-01-07"),
        (["America/New_York"], None, "2026-01-06T03:00", "2026-01-06"),
    ],
)
def test_tomorrow_is_that_of_the_zone_where_it_is_latest(zones, zone, now, day):
    n = len(zones)
    reps = Reps(id=[f"R{i}" for i in range(n)], lon=[9.0] * n, lat=[50.0] * n, timezone=zones)
    assert str(first_day(reps, zone=zone, now=at(now))) == day


def test_date_is_today_and_since_the_first_day(folder):
    config = write_config(folder)
    assert str(preview_night(config, date=MONDAY).night.first) == "2026-01-06"
    assert str(preview_night(config, since=MONDAY).night.first) == MONDAY
    assert str(preview_night(config, since=MONDAY).night.last) == "2026-01-18"
    with pytest.raises(InputError, match="--date"):
        preview_night(config, date="5.1.2026")


# -- a dry run ---------------------------------------------------------------------------------


def test_a_dry_run_tells_what_would_be_done_and_writes_nothing(folder):
    config = write_config(folder)
    before = sorted(folder.rglob("*"))
    found = preview_night(config, since=MONDAY)
    assert (found.tasks, found.skipped, found.refusal) == (2, 0, "")
    assert sorted(folder.rglob("*")) == before
    night(config, since=MONDAY)
    bytes_before = {f: f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    assert preview_night(config, since=MONDAY).skipped == 2
    assert preview_night(config, since=MONDAY, force=True).skipped == 0
    assert preview_night(config, since="2026-01-06").night.previous == folder / "nights" / MONDAY
    changed = preview_night(write_config(folder, "seed = 1"), since=MONDAY)
    assert "changed since the first run: options, seed" in changed.refusal
    write_config(folder)
    assert {f: f.read_bytes() for f in folder.rglob("*") if f.is_file()} == bytes_before


# -- from night to night -----------------------------------------------------------------------


def test_frozen_days_stay_though_the_rest_would_be_planned_otherwise(folder):
    """Tonight customers of Tuesday are worth a fortune to move, but they were told Tuesday."""
    night(write_config(folder), since=MONDAY)
    first = {(s["customer_id"], str(s["day"])) for s in stops(folder / "nights" / MONDAY)}
    days = sorted({day for _, day in first})
    later = days[-1]
    since = str(np.datetime64(later) - 1)
    frozen = write_config(folder, "seed = 3\nchange_price_s = 0\n[previous]\nfreeze_days = 3")
    assert night(frozen, since=since)[0] is ExitCode.DONE
    promised = {(c, d) for c, d in first if since <= d <= str(np.datetime64(since) + 2)}
    found = stops(folder / "nights" / since)
    assert promised
    assert promised <= {(s["customer_id"], str(s["day"])) for s in found}
    levels = {(s["customer_id"], str(s["day"])): s["commitment"] for s in found}
    assert {levels[one] for one in promised} == {"confirmed_day"}


def test_what_earlier_nights_planned_counts_as_made(folder):
    config = write_config(folder)
    for since in (MONDAY, "2026-01-06", "2026-01-13"):
        assert night(config, since=since)[0] is ExitCode.DONE
    customers = read_customers(folder / "customers.csv")
    found = last_visits(customers, Nights(folder / "nights"), np.datetime64("2026-01-14"))
    expected = {}
    for first, until in ((MONDAY, "2026-01-06"), ("2026-01-06", "2026-01-13"), ("2026-01-13", "2026-01-14")):
        for s in stops(folder / "nights" / first):
            if first <= str(s["day"]) < until:
                expected[s["customer_id"]] = max(expected.get(s["customer_id"], ""), str(s["day"]))
    assert expected
    last = [np.datetime64("NaT")] * len(customers) if found.last_visit is None else found.last_visit
    got = {c: str(d) for c, d in zip(customers.id.tolist(), last, strict=True) if not np.isnat(d)}
    assert got == expected


def test_an_appointment_stays_while_the_table_has_it(folder):
    visit = {"id": ["demo"], "customer_id": ["c00"], "earliest": ["2026-01-08"], "latest": ["2026-01-09"]}
    write_table(Visits(**visit, time_s=[36_000.0]), folder / "visits.csv")
    config = write_config(folder)
    night(config, since=MONDAY)
    night(config, since="2026-01-06")
    for since in (MONDAY, "2026-01-06"):
        rows = [s for s in stops(folder / "nights" / since) if s["visit_id"] == "demo"]
        assert [str(s["start"])[11:16] for s in rows] == ["10:00"]
    other = {**visit, "id": ["other"], "customer_id": ["c01"]}
    write_table(Visits(**other), folder / "visits.csv")
    night(config, since="2026-01-07")
    assert {s["visit_id"] for s in stops(folder / "nights" / "2026-01-07")} == {"", "other"}


def test_visits_of_strangers_are_refused_on_every_night(folder):
    write_table(Visits(id=["v"], customer_id=["x"], earliest=[MONDAY], latest=["2026-01-30"]), folder / "visits.csv")
    config = write_config(folder)
    for _ in range(2):
        with pytest.raises(InputError, match="visits"):
            night(config, since="2026-01-07")
        (folder / "visits.csv").rename(folder / "kept.csv")
        night(write_config(folder), since=MONDAY)
        (folder / "kept.csv").rename(folder / "visits.csv")
        config = write_config(folder)


def test_customers_and_reps_who_are_gone_are_left_out(folder):
    night(write_config(folder), since=MONDAY)
    customers = read_customers(folder / "customers.csv")
    write_table(customers.take(customers.owner == "R0"), folder / "customers.csv")
    reps = read_reps(folder / "reps.csv")
    write_table(reps.take(reps.id == "R0"), folder / "reps.csv")
    code, result = night(write_config(folder, "[previous]\nfreeze_days = 7"), since="2026-01-06")
    assert code is ExitCode.DONE
    assert result is not None
    assert {s["rep_id"] for s in stops(result.out)} == {"R0"}


def test_another_plan_is_the_previous_one_where_it_is_named(folder):
    night(write_config(folder), since=MONDAY)
    named = write_config(folder, f"[previous]\nuse = 'nights/{MONDAY}'", name="named.toml")
    found = preview_night(named, since="2026-01-06")
    assert found.night.previous == folder / "nights" / MONDAY
    none = write_config(folder, "[previous]\nuse = 'none'", name="none.toml")
    assert preview_night(none, since="2026-01-06").night.previous is None
    wrong = write_config(folder, "[previous]\nuse = 'nightss'", name="wrong.toml")
    with pytest.raises(InputError, match=r"previous\.use"):
        preview_night(wrong, since="2026-01-06")


def test_all_tables_tell_their_faults_at_once(folder):
    (folder / "customers.csv").write_text("id,lon,lat\na,200,50\n")
    (folder / "reps.csv").write_text("id,lon\nR,9\n")
    with pytest.raises(InputError) as caught:
        preview_night(write_config(folder), since=MONDAY)
    text = str(caught.value)
    assert "customers.csv" in text
    assert "reps.csv" in text


def test_a_folder_of_somebody_else_is_left_alone(folder):
    mine = folder / "nights" / MONDAY / "results"
    mine.mkdir(parents=True)
    (mine / "thesis.txt").write_text("years")
    with pytest.raises(InputError, match="not by this program"):
        night(write_config(folder), since=MONDAY)
    assert (mine / "thesis.txt").read_text() == "years"


# -- travel ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_matrix_is_read_from_a_file(folder, ending):
    legs = {"origin": ["c", "R0", "R0"], "destination": ["R0", "c", "R1"], "duration_s": [60.5, 70.0, 80.0],
            "distance_m": [1000.0, 1100.0, 1200.0]}  # fmt: skip
    write_table(legs, folder / f"legs.{ending}")
    more = f"[travel]\nkind = 'matrix'\nfile = 'legs.{ending}'\nmissing = 'unreachable'"
    reps = read_reps(folder / "reps.csv")
    travel = travel_of(read_config(write_config(folder, more)), reps)
    a = Places.of(PlaceKind.CUSTOMER, ["c"], [9.0], [50.0])
    b = Places.of(PlaceKind.REP, ["R0"], [9.0], [50.0])
    assert travel.matrix(a, b).durations_s.tolist() == [[61]]
    assert travel.matrix(b, a).distances_m.tolist() == [[1100]]


def test_a_matrix_with_words_for_numbers_is_refused(folder):
    (folder / "legs.csv").write_text("origin,destination,duration_s\na,b,far\n")
    with pytest.raises(InputError, match="not-a-number"):
        preview_night(write_config(folder, "[travel]\nkind = 'matrix'\nfile = 'legs.csv'"), since=MONDAY)


def test_parameters_of_the_great_circle_are_those_of_the_file(folder):
    config = read_config(write_config(folder, "[travel]\ndetour = 1.2\nspeed_km_h = 50"))
    travel = travel_of(config, read_reps(folder / "reps.csv"))
    assert isinstance(travel, GreatCircle)
    assert travel.detour == 1.2
    assert travel.speeds_km_h.through == 50


def test_a_server_that_is_down_is_stood_in_for_and_marked(folder):
    pytest.importorskip("httpx2", reason="the extra [road] is not installed")
    more = """[travel]
kind = "osrm-server"
url = "http://127.0.0.1:9"
attempts = 1
total_s = 2
data_version = "roads of January"
cache = "travel.sqlite"
"""
    code, result = night(write_config(folder, more), since=MONDAY)
    assert code is ExitCode.PARTLY
    assert result is not None
    assert len(result.failures) == 2
    code, _ = night(write_config(folder, more + 'fallback = "great-circle"'), since="2026-01-06")
    assert code is ExitCode.DONE
    found = stops(folder / "nights" / "2026-01-06")
    assert found
    assert all(s["estimated"] for s in found)
    assert (folder / "travel.sqlite").exists()


def test_parameters_of_a_server_are_those_of_the_file(folder):
    pytest.importorskip("httpx2", reason="the extra [road] is not installed")
    more = """[travel]
kind = "valhalla-server"
url = "http://127.0.0.1:9"
mode = "bicycle"
departure = "2026-01-06T08:00"
most_moved_m = 200
data_version = "roads of January"
headers = { "X-Api-Key" = "secret" }
"""
    travel = travel_of(read_config(write_config(folder, more)), read_reps(folder / "reps.csv"))
    for part in ("valhalla", "127.0.0.1:9", "bicycle", "2026-01-06T08:00", "200", "roads of January"):
        assert part in travel.fingerprint
    assert "secret" not in travel.fingerprint + repr(travel)


OSM = """<?xml version="1.0"?><osm version="0.6">
<node id="1" lat="50.00" lon="9.00"/><node id="2" lat="50.00" lon="9.01"/><node id="3" lat="50.01" lon="9.01"/>
<way id="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="residential"/></way>
</osm>"""


def test_roads_are_read_from_an_extract_and_remembered(folder):
    pytest.importorskip("osmium", reason="the extra [road] is not installed")
    (folder / "roads.osm").write_text(OSM)
    more = "[travel]\nkind = 'osm'\nfile = 'roads.osm'\ncache = 'legs.sqlite'\ndata_version = 'x'"
    travel = travel_of(read_config(write_config(folder, more)), read_reps(folder / "reps.csv"))
    ends = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [9.00, 9.01], [50.00, 50.01])
    metres = travel.matrix(ends, ends).distances_m
    # two sides of a square, not its diagonal
    assert 1800 < metres[0, 1] < 1900
    assert (folder / "legs.sqlite").exists()
    assert "data='x'" in travel.fingerprint


# -- log and counters --------------------------------------------------------------------------


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def documented():
    text = (Path(__file__).parents[2] / "docs" / "batch.md").read_text(encoding="utf-8")
    table = text[text.index("## The log") : text.index("## The counters")]
    rows = re.findall(r"^\| `([\w-]+)` \| (.*) \|$", table, re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", values)) for name, values in rows}


def test_every_event_of_the_log_is_documented_with_its_values(folder):
    config = write_config(folder, "[output]\nlog = 'log.jsonl'")
    night(config, since=MONDAY)
    found = lines(folder / "log.jsonl")
    assert [e["event"] for e in found] == ["begin", "read", "planned", "chunk", "published", "end"]
    common = {"time", "seconds", "pid", "event", "night"}
    known = documented()
    for event in found:
        more = (
            set(event)
            - common
            - ({"stops", "routes", "unassigned", "nights"} if event["event"] == "published" else set())
        )
        assert more <= known[event["event"]], event
    assert found[-1]["exit_code"] == 0
    assert found[-1]["tasks"] == {"done": 2}
    assert {e.get("night") for e in found[1:]} == {MONDAY}


def test_the_log_goes_on_behind_half_a_line(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"event": "begin"}\n{"event": "ch')
    with EventLog(path) as log:
        log.write("end", {"key": "half a pair: " + chr(0xD800)})
        assert path.read_text().splitlines()[2].startswith('{"time"')
        assert json.loads(path.read_text().splitlines()[2])["event"] == "end"


def test_counters_go_on_and_gauges_tell_of_the_last_run(folder):
    config = write_config(folder, "[output]\nmetrics = 'm.prom'\nname = 'a \"quoted\" \\ name'")
    label = ("config", 'a "quoted" \\ name')
    night(config, since=MONDAY)
    night(config, since=MONDAY)
    found = read_metrics(folder / "m.prom")
    assert found["territory_batch_runs_total", (label, ("outcome", "done"))] == 2
    assert found["territory_batch_task_results_total", (label, ("status", "done"))] == 2
    assert found["territory_batch_tasks_skipped", (label,)] == 2
    success = found["territory_batch_last_success_timestamp_seconds", (label,)]
    with pytest.raises(InputError):
        night(write_config(folder, "seed = 9\n" + config.read_text().partition("iterations = 60\n")[2]), since=MONDAY)
    found = read_metrics(folder / "m.prom")
    assert found["territory_batch_runs_total", (label, ("outcome", "done"))] == 2
    assert found["territory_batch_runs_total", (label, ("outcome", "bad-input"))] == 1
    assert found["territory_batch_last_exit_code", (label,)] == 3
    assert found["territory_batch_last_success_timestamp_seconds", (label,)] == success


def test_counters_that_cannot_be_written_cost_a_note_not_the_night(folder):
    (folder / "here").write_text("a file")
    config = write_config(folder, "[output]\nlog = 'log.jsonl'\nmetrics = 'here/m.prom'")
    assert night(config, since=MONDAY)[0] is ExitCode.DONE
    assert "counters are not written" in lines(folder / "log.jsonl")[-1]["text"]


# -- how it ends -------------------------------------------------------------------------------


def test_a_rerun_does_nothing_again_and_gives_the_same_bytes(folder):
    config = write_config(folder)
    night(config, since=MONDAY)
    before = digest(folder / "nights" / MONDAY)
    code, result = night(config, since=MONDAY)
    assert code is ExitCode.DONE
    assert result is not None
    assert (result.ran, result.skipped) == (0, 2)
    assert digest(folder / "nights" / MONDAY) == before
    _, again = night(config, since=MONDAY, force=True)
    assert again is not None
    assert again.ran == 2
    assert digest(folder / "nights" / MONDAY) == before
