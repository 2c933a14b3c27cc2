"""The routing families: every answer is verified before it is written, and every engine is measured alike."""

from __future__ import annotations

import json

import numpy as np
import pytest
from benchmarks.__main__ import main
from benchmarks.drive import Key, measure, measure_all, run_family
from benchmarks.instances.common import BrokenRouteError
from benchmarks.months import MISSED_S, OFF_S, REGIONS, cadence_cost, make_month, verify
from benchmarks.record import Options

from benchmarks import drive, mdvrptw, pvrp, repday, repmonth, scale, toptw, tsptw, vrptw
from territory.routing.problem import RoutingProblem

FEW = {"engine": "search", "iterations": 300}


@pytest.fixture
def stores(tmp_path):
    """Return a data folder with stores around every city, made up."""
    rng = np.random.default_rng(3)
    lines = ["Store_Name,Longitude,Latitude,City"]
    for k, city in enumerate(REGIONS):
        xy = np.array([-84 + k, 32.0]) + rng.normal(0, 0.05, (120, 2))
        lines += [f"x,{lon:.6f},{lat:.6f},{city}" for lon, lat in xy.tolist()]
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "snap_georgia_us.csv").write_text("\n".join(lines))
    return tmp_path


def test_a_day_is_solved_verified_and_compared_with_the_optimum():
    rows = repday.run(Options(size=2, **FEW))
    assert [r["instance"] for r in rows] == ["day-00", "day-01"]
    for r in rows:
        assert r["objective"] >= r["best_known"]
        assert r["objective"] == r["drive_s"] + repday.LEFT_OUT * (12 - r["visits"])
        day, params = repday.make_day(int(r["instance"][4:]), 0)
        assert repday.verify(day, r["routes"]) == r["objective"]
        assert np.array_equal(params["durations_s"], r["params"]["durations_s"])
        with pytest.raises(BrokenRouteError, match="does not fit"):
            repday.verify(day, [{"visits": r["routes"][0]["visits"], "starts": [0] * r["visits"]}])
    assert repday.verify(day, []) == 12 * repday.LEFT_OUT


def test_days_of_other_sizes_have_no_known_optimum():
    (r,) = repday.run(Options(size=1, visits=20, **FEW))
    assert r["group"] == "20 visits"
    assert r["best_known"] is None


def test_a_month_keeps_every_interval(stores):
    (r,) = repmonth.run(Options(data=stores, instances="macon", size=30, **FEW))
    assert r["note"] == ""
    assert r["objective"] == r["drive_s"] + MISSED_S * r["missed"] + OFF_S * r["days_off"]
    month = make_month(stores, "Macon", 0, visits=30)
    assert verify(month, r["routes"])[0] == r["objective"]
    meant = sum(1 + (month.n_days - 1 - d) // i for i, d in zip(month.interval[1:], month.due[1:], strict=True))
    assert 30 <= meant < 34
    route = r["routes"][0]
    for broken, fault in (
        ({**route, "day": route["day"] + 5}, "not on day"),
        ({**route, "starts": [s - 4 * 3600 for s in route["starts"]]}, "cannot start"),
        ({**route, "starts": [s + 9 * 3600 for s in route["starts"]]}, "cannot start|back at"),
    ):
        with pytest.raises(BrokenRouteError, match=fault):
            verify(month, [broken, *r["routes"][1:]])


def test_a_rhythm_is_missed_or_off_its_days_at_a_price(stores):
    month = make_month(stores, "Macon", 0, visits=60)
    weekly = 1 + int(np.argmax(month.interval[1:] == 7))
    due = int(month.due[weekly])
    meant = list(range(due, month.n_days, 7))
    assert cadence_cost(month, weekly, meant) == (0, 0)
    assert cadence_cost(month, weekly, []) == (len(meant), 0)
    assert cadence_cost(month, weekly, meant[1:]) == (1, 0)
    assert cadence_cost(month, weekly, [meant[0] + 1, *(d + 1 for d in meant[1:])])[1] <= 1
    assert cadence_cost(month, weekly, [meant[0], meant[0] + 2]) is None
    assert cadence_cost(month, weekly, [*meant, meant[-1] + 1]) is None


def test_teams_of_every_size_are_stated(stores):
    team = scale.make_team(stores, 100, 0)
    problem = scale.to_problem(team)
    assert isinstance(problem, RoutingProblem)
    assert (problem.n_visits, problem.n_shifts) == (100, 20)
    assert scale.verify(team, []) == 100 * scale.MISSED_S
    with pytest.raises(BrokenRouteError, match="one route a rep"):
        scale.verify(team, [{"shift": 0, "visits": [1]}, {"shift": 0, "visits": [2]}])
    assert [k.params["n"] for k in scale.keys(Options(instances="visits-?000"))] == [1000, 2000]


FILES = {
    "toptw": (toptw, "toptw/pr", "pr01.txt", "4 2 1 1\n0 0\n0 0 0 0 0 0 0 0 100\n1 10 0 5 7 1 1 1 0 40\n"),
    "tsptw": (tsptw, "tsptw/Dumas", "n3.txt", "3\n0 10 20\n10 0 10\n20 10 0\n0 100\n0 100\n0 100\n"),
    "vrptw": (
        vrptw, "vrptw/solomon", "R101.txt",
        "R101\n\nVEHICLE\nNUMBER CAPACITY\n 2 10\n\nCUSTOMER\nCUST\n0 0 0 0 0 99 0\n1 3 3 6 0 90 5\n2 6 6 6 0 90 5\n",
    ),
    "mdvrptw": (
        mdvrptw, "mdvrptw/cordeau2001", "pr01.txt",
        "6 1 1 2\n30 10\n60 10\n1 3 0 5 6 1 2 1 2 0 50\n2 0 0 0 0 0 0 0 100\n3 9 0 0 0 0 0 0 100\n",
    ),
    "pvrp": (pvrp, "pvrp/old", "p99.txt", "1 1 1 2\n20 10\n20 10\n0 0 0 0 0 0 0\n1 3 0 1 6 1 2 1 2\n"),
}  # fmt: skip
OBJECTIVES = {"toptw": 7, "tsptw": 40, "vrptw": 2 * 4.2 + 2 * 8.4, "mdvrptw": 6, "pvrp": 6}


@pytest.mark.parametrize("family", FILES)
def test_files_of_every_family_are_found_solved_and_written(tmp_path, family):
    module, folder, name, text = FILES[family]
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / name).write_text(text)
    instances = "*-m1" if family == "toptw" else "*"
    # as a folder of families, and as a folder of instances
    for data in (tmp_path, tmp_path / folder):
        (r,) = module.run(Options(data=data, instances=instances, **FEW))
        assert (r["note"], r["objective"]) == ("", pytest.approx(OBJECTIVES[family]))
        assert r["bound"] is None or r["maximise"] == (r["bound"] > r["objective"] - 1e-6)
        assert {"day", "shift", "visits", "starts"} <= r["routes"][0].keys()
    with pytest.raises(SystemExit, match="no instance matches"):
        module.run(Options(data=tmp_path, instances="nothing", **FEW))


def test_the_proof_of_a_score_bounds_the_score(tmp_path):
    module, folder, name, text = FILES["toptw"]
    (tmp_path / folder).mkdir(parents=True)
    # the second cannot be reached: 7 points of 16 are all there is
    (tmp_path / folder / name).write_text(text + "2 60 0 5 9 1 1 1 0 40\n")
    (r,) = module.run(Options(data=tmp_path, instances="*-m1", engine="exact"))
    assert (r["status"], r["objective"], r["bound"]) == ("optimal", 7, 7)


def test_an_answer_that_breaks_a_rule_is_no_result(monkeypatch, tmp_path):
    module, folder, name, text = FILES["tsptw"]
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / name).write_text(text)
    key = module.keys(Options(data=tmp_path))[0]
    monkeypatch.setattr(drive, "json_routes", lambda *_: [{"visits": [1]}])
    r = measure(key, "search", Options(data=tmp_path, iterations=10))
    assert (r["status"], r["objective"]) == ("invalid", None)
    monkeypatch.setattr(drive, "answer_of", lambda *_, **__: 1 / 0)
    monkeypatch.setattr(drive, "warm_up", lambda *_: None)
    r = measure(key, "search", Options(data=tmp_path, iterations=10))
    assert (r["status"], r["note"]) == ("failed", "ZeroDivisionError: division by zero")
    assert main(["tsptw", "--data", str(tmp_path), "--iterations", "9", "--engine", "search"]) == 1


def test_peers_get_the_cpu_time_that_the_first_engine_had(monkeypatch):
    asked = {}

    def answer(engine, _problem, *, seconds, **_):
        asked[engine] = seconds
        raise NotImplementedError

    monkeypatch.setattr(drive, "answer_of", answer)
    monkeypatch.setattr(drive, "warm_up", lambda *_: None)
    real = drive.measure

    def busy(key, engine, options, cpu_s=None):
        return {**real(key, engine, options, cpu_s), "wall_s": 1.0, "cpu_s": 0.4}

    monkeypatch.setattr(drive, "measure", busy)
    engines = ("auto", "ortools", "pyvrp", "vroom")
    measure_all(Key("repday", "day-00", None, {"visits": 5}), engines, Options(seconds=1.0))
    assert asked == {"auto": 1.0, "ortools": 1.0, "pyvrp": 0.4, "vroom": 1.0}


def test_two_processes_write_the_same_rows(tmp_path, capsys):
    pytest.importorskip("pyvrp")  # quick to load in a fresh process
    out = tmp_path / "day.json"
    command = ["repday", "--size", "2", "--visits", "14", "--engine", "pyvrp", "--iterations", "99", "--out", str(out)]
    assert main(command) == 0
    alone = json.loads(out.read_text())["results"]
    assert main([*command, "--jobs", "2"]) == 0
    both = json.loads(out.read_text())["results"]
    assert [(r["instance"], r["objective"], r["routes"]) for r in both] == [
        (r["instance"], r["objective"], r["routes"]) for r in alone
    ]
    assert "2/2 repday day-01" in capsys.readouterr().err


def test_an_unknown_engine_is_refused():
    with pytest.raises(SystemExit, match="no engine best; there are all, auto"):
        run_family("repday", Options(engine="best"))
