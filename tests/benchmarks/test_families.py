"""Every family runs on a tiny size, and what it writes can be verified."""

from __future__ import annotations

import json

import numpy as np
import pytest
from benchmarks.__main__ import FAMILIES, main
from benchmarks.load_child import columns, measure
from benchmarks.record import Options

from benchmarks import load, teammonth, territories
from territory import Customers
from territory.datasets import load_germany

COMMON = {
    "instance",
    "params",
    "engine",
    "seed",
    "status",
    "objective",
    "bound",
    "cpu_s",
    "wall_s",
    "routes",
    "assignment",
    "centers",
}


@pytest.fixture
def nothing(tmp_path):
    return tmp_path / "nothing"


def test_load_reads_the_same_customers_from_every_frame():
    for backend in load.FRAMES:
        found = measure(backend, 300, 1)
        assert found["cpu_s"] > 0
        assert found["columns"] == len(columns(1, 1))


def test_load_measures_imports_in_fresh_processes():
    (found,) = load.run(Options(instances="import", iterations=1))
    assert found.keys() >= COMMON
    assert min(found["numpy_cpu_ms"], found["bare_cpu_ms"], found["tables_cpu_ms"]) > 0


def test_territories_measures_every_engine_with_one_yardstick(nothing, capsys):
    results = territories.run(Options(data=nothing, size=240, seconds=5.0))
    assert "skipped" in capsys.readouterr().out
    assert {r["instance"] for r in results} == {"germany-2-reps-workload", "germany-k2-count", "germany-k2-workload"}
    assert {r["engine"] for r in results} == {"territory", "KMeans", "k-means-constrained"}
    for r in results:
        assert r.keys() >= COMMON
        if r["engine"] == "territory":
            assert r["status"] in {"feasible", "optimal"}
            assert r["deviation"] <= territories.TOLERANCE + 1e-9
            assert r["disconnected"] == 0
            # centres in the middle are the best for a given assignment
            assert r["objective"] <= r["own_objective"] * (1 + 1e-9)
            assert r["bound"] <= r["own_objective"]
        elif r["status"] == "absent":
            assert "not installed" in r["note"]


def test_the_yardstick_sees_imbalance_and_pieces():
    lon = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    customers = Customers(id=list("abcdef"), lon=lon, lat=np.array([50.0, 50.2, 50.0, 50.2, 50.0, 50.2]))
    case = territories.Case("x", customers, None, 2, "count", np.ones(6), np.full(2, 0.5), np.ones(6, dtype=bool))
    whole = territories.measured(case, np.array([0, 0, 0, 1, 1, 1]))
    assert whole["deviation"] == pytest.approx(0.0)
    assert whole["disconnected"] == 0
    broken = territories.measured(case, np.array([0, 1, 1, 1, 1, 0]))
    assert broken["deviation"] == pytest.approx(1 / 3)
    assert broken["objective"] > whole["objective"]


def test_teammonth_checks_every_plan_and_compares_at_equal_visits():
    results = teammonth.run(Options(size=1, iterations=2))
    assert [r["engine"].split(",")[0] for r in results] == ["territory", "nearest neighbour", "nearest neighbour"]
    ours, simple, ordered = results
    for r in results:
        assert r.keys() >= COMMON
        assert r["violations"] == 0, r["violation_codes"]
        assert sum(len(route["visits"]) for route in r["routes"]) == r["visits"]
        assert sum(route["drive_s"] for route in r["routes"]) == r["drive_s"] == r["objective"]
        assert len(r["unassigned_visits"]) == r["unassigned"]
    assert ours["bound"] <= ours["objective"]
    assert ours["equal_visits"] == min(ours["visits"], simple["visits"])
    assert ordered["visits"] == simple["visits"]
    assert ordered["drive_s"] <= simple["drive_s"]


def test_thinning_keeps_a_plan_that_is_thin_enough_and_an_empty_one_drives_nothing():
    customers, reps = load_germany()
    rows = np.array([owner == str(reps.id[0]) for owner in customers.owner.tolist()])
    made = teammonth.make_plan(customers.take(rows), reps.take([0]), start="2026-03-02", weeks=1, iterations=0)
    rng = np.random.default_rng(0)
    everything = np.array([len(made.stops)])
    assert teammonth._thinned_drive_s(made, everything, rng) == made.drive_s
    assert teammonth._thinned_drive_s(made, np.array([0]), rng) == 0
    assert 0 < teammonth._thinned_drive_s(made, everything - 2, rng) <= made.drive_s


def test_a_run_is_written_and_compared(tmp_path, capsys):
    out = tmp_path / "day.json"
    command = ["repday", "--size", "1", "--engine", "search", "--iterations", "200", "--out", str(out)]
    assert main(command) == 0
    run = json.loads(out.read_text())
    assert run.keys() == {"family", "machine", "versions", "seed", "command", "results"}
    assert "cores" in run["machine"]
    assert "numpy" in run["versions"]
    shown = capsys.readouterr().out
    assert main(["compare", str(out)]) == 0
    assert capsys.readouterr().out == shown
    assert "12 visits  search" in shown


def test_options_without_a_meaning_are_refused():
    with pytest.raises(SystemExit, match="no use for --iterations"):
        main(["territories", "--iterations", "3"])
    with pytest.raises(SystemExit, match="no use for --engine"):
        main(["load", "--engine", "search"])
    with pytest.raises(SystemExit, match="no use for --jobs"):
        main(["coldstart", "--jobs", "2"])
    with pytest.raises(SystemExit, match="no engine best"):
        main(["repday", "--engine", "best"])
    with pytest.raises(SystemExit):
        main(["repday", "--iterations", "3", "--seconds", "1"])


def test_compare_says_which_file_is_no_run(tmp_path):
    other = tmp_path / "other.json"
    other.write_text("[]")
    with pytest.raises(SystemExit, match="no run of a benchmark"):
        main(["compare", str(other)])
    with pytest.raises(SystemExit, match="absent"):
        main(["compare", str(tmp_path / "absent.json")])


def test_every_family_explains_itself(capsys):
    for family in FAMILIES:
        with pytest.raises(SystemExit):
            main([family, "--help"])
        assert "Instance" in capsys.readouterr().out
