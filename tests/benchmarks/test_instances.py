"""Readers and verifiers: what is known of the public instances, and every rule of each family on small ones."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from benchmarks.instances import bestknown, mdvrptw, pvrp, toptw, tsptw, vrptw
from benchmarks.instances.common import BrokenRouteError, Stops, timed, truncated, whole
from hypothesis import given
from hypothesis import strategies as st

from territory.check.routing import check_routing
from territory.routing.finish import finish
from territory.routing.layout import layout_of


def finished(problem, orders):
    """Return the library's own timing of known routes, checked by the library's own check."""
    found = finish(problem, layout_of(problem), orders)
    assert found is not None
    assert check_routing(problem, found).ok
    assert found.required_missing == 0
    return found


@pytest.mark.parametrize("name", ["C204", "R101", "RC206"])
def test_solomons_best_solutions_cost_what_they_say(real_data, name):
    folder = real_data / "vrptw"
    instance = vrptw.read(folder / "solomon" / f"{name}.txt")
    routes, cost = vrptw.read_solution(folder / "bks_routes_solomon" / f"{name}.sol")
    assert vrptw.verify(instance, routes) == pytest.approx(cost, abs=1e-6)
    assert bestknown.vrptw_best(real_data, name).value == cost
    found = finished(vrptw.to_problem(instance), {s: [v - 1 for v in r["visits"]] for s, r in enumerate(routes)})
    assert found.objective == pytest.approx(cost * vrptw.SCALE, abs=1e-6)
    with pytest.raises(BrokenRouteError, match="left out"):
        vrptw.verify(instance, routes[1:])


def test_every_best_known_tour_is_in_time_and_costs_what_it_says(real_data):
    paths = [p for p in sorted((real_data / "tsptw").glob("*/*.txt")) if p.parent.name != "best_known_sol"]
    assert paths
    for path in paths:
        instance = tsptw.read(path)
        cost, tour = bestknown.tsptw_solution(path)
        assert tsptw.verify(instance, [{"visits": list(tour)}]) == pytest.approx(cost, abs=0.006), path


@pytest.mark.parametrize("name", ["SolomonPotvinBengio/rc_201.3", "Dumas/n40w40.002"])
def test_the_problem_of_a_tour_costs_the_same(real_data, name):
    path = real_data / "tsptw" / f"{name}.txt"
    instance = tsptw.read(path)
    cost, tour = bestknown.tsptw_solution(path)
    found = finished(tsptw.to_problem(instance), {0: [v - 1 for v in tour]})
    assert found.objective / instance.scale == pytest.approx(cost, abs=0.006)
    starts = [s / instance.scale for s in found.routes[0].starts]
    assert tsptw.verify(instance, [{"visits": list(tour), "starts": starts}]) == pytest.approx(cost, abs=0.006)


@pytest.mark.parametrize("name", ["old/p08", "old/p16", "new/pr01"])
def test_cordeaus_periodic_solutions_cost_what_they_say(real_data, name):
    path = real_data / "pvrp" / f"{name}.txt"
    instance = pvrp.read(path)
    routes, cost = pvrp.read_solution(path.with_suffix(".res"))
    assert pvrp.verify(instance, routes) == pytest.approx(cost, abs=0.006)
    orders = {r["day"] * instance.m + r["vehicle"]: [v - 1 for v in r["visits"]] for r in routes}
    found = finished(pvrp.to_problem(instance), orders)
    # a leg is off by at most 0.001
    assert found.objective / pvrp.SCALE == pytest.approx(cost, abs=0.001 * 2 * sum(len(r["visits"]) for r in routes))
    with pytest.raises(BrokenRouteError, match="allowed are"):
        pvrp.verify(instance, routes[1:])


def test_orienteering_and_multi_depot_files_are_read_whole(real_data):
    c100 = toptw.read(real_data / "toptw" / "c_r_rc_100_100" / "rc101.txt")
    assert (len(c100.xy), c100.scale, c100.score[1], c100.closes[0]) == (101, 10, 20, 240)
    pr = toptw.read(real_data / "toptw" / "pr" / "pr01.txt")
    assert (len(pr.xy), pr.scale, pr.service[1], pr.opens[1], pr.closes[0]) == (49, 100, 2, 354, 1000)
    problem = toptw.to_problem(pr, 3)
    assert (problem.n_visits, problem.n_shifts) == (48, 3)
    assert not problem.visits.required.any()
    # three shifts of nothing but driving are worth less than one point
    assert 3 * 1000 * 100 * problem.shifts.cost_per_drive_s[0] < 0.5
    depots = mdvrptw.read(real_data / "mdvrptw" / "cordeau2001" / "pr01.txt")
    assert (depots.n_customers, depots.n_depots, depots.m, depots.closes[49]) == (48, 4, 2, 1000)
    assert mdvrptw.to_problem(depots).shifts.start_place.tolist() == [48, 48, 49, 49, 50, 50, 51, 51]
    assert bestknown.toptw_best(real_data, "pr01", 1).verified
    assert not bestknown.toptw_best(real_data, "pr01", 2).verified
    assert bestknown.mdvrptw_best("nothing") is None


def test_classes():
    assert [toptw.class_of(n) for n in ("c101", "rc204", "pr10", "pr11", "x")] == [
        "c100", "rc200", "pr01-10", "pr11-20", "other",
    ]  # fmt: skip
    assert [vrptw.class_of(n) for n in ("R101", "RC206", "r1_2_10")] == ["R1", "RC2", "R1_2"]
    assert [pvrp.class_of(n) for n in ("p01", "pr01")] == ["old", "new"]
    assert [mdvrptw.class_of(n) for n in ("pr02", "pr12", "x1")] == ["pr01-10", "pr11-20", "other"]


@given(st.lists(st.tuples(st.integers(-90_000, 90_000), st.integers(-90_000, 90_000)), min_size=2, max_size=4))
def test_truncation_is_exact(mills):
    xy = np.array(mills) / 1000
    for scale in (10, 100):
        found = truncated(xy, scale)
        for i, (x, y) in enumerate(mills):
            for j, (a, b) in enumerate(mills):
                exact = (Decimal((x - a) ** 2 + (y - b) ** 2)).sqrt() / 1000 * scale
                assert found[i, j] == int(exact)


def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="three decimals"):
        truncated(np.array([[0.0, 0.12345]]), 10)
    with pytest.raises(ValueError, match="windows: more decimals"):
        whole([0.25], 10, "windows")


LINE = np.array([0.0, 10.0, 20.0])
STOPS = Stops(
    travel=abs(LINE[:, None] - LINE[None, :]), service=np.array([0.0, 5.0, 5.0]),
    opens=np.array([0.0, 0.0, 50.0]), closes=np.array([100.0, 40.0, 60.0]),
)  # fmt: skip


def test_a_route_leaves_as_late_as_its_end_allows():
    found = timed(STOPS, 0, [1, 2])
    assert found.starts == [35.0, 50.0]
    assert (found.leave, found.back, found.travel) == (25.0, 75.0, 40.0)
    assert timed(STOPS, 0, [1, 2], [10.0, 55.0]).back == 80.0


@pytest.mark.parametrize(
    ("visits", "starts", "fault"),
    [
        ([2, 1], None, "outside"),
        ([1, 2], [5.0, 50.0], "arrives"),
        ([1, 2], [40.5, 60.0], "outside"),
        ([1, 2], [10.0], "2 visits with 1"),
    ],
)
def test_a_route_out_of_time_is_named(visits, starts, fault):
    with pytest.raises(BrokenRouteError, match=fault):
        timed(STOPS, 0, visits, starts)


def test_a_route_that_is_back_too_late_is_named():
    early = Stops(travel=STOPS.travel, service=STOPS.service, opens=STOPS.opens, closes=np.array([70.0, 40.0, 60.0]))
    with pytest.raises(BrokenRouteError, match="back at 75"):
        timed(early, 0, [1, 2])


def test_toptw_counts_each_score_once(tmp_path):
    path = tmp_path / "c101.txt"
    path.write_text("4 2 2 1\n0 200\n0 0 0 0 0 0 0 0 100\n1 10 0 5 7 1 1 1 0 40\n2 20 0 5 9 1 1 1 50 60\n")
    instance = toptw.read(path)
    assert toptw.verify(instance, [{"visits": [1, 2]}], 1) == 16
    assert toptw.verify(instance, [{"visits": [1]}, {"visits": [2]}], 2) == 16
    for routes, m, fault in (
        ([{"visits": [1]}, {"visits": [2]}], 1, "allowed are 1"),
        ([{"visits": [1]}, {"visits": [1]}], 2, "twice"),
        ([{"visits": [0]}], 1, "no customer"),
    ):
        with pytest.raises(BrokenRouteError, match=fault):
            toptw.verify(instance, routes, m)
    found = finished(toptw.to_problem(instance, 1), {0: [0, 1]})
    assert found.terms["unserved"] == 0
    assert 0 < found.objective < 0.5


VRPTW = """tiny

VEHICLE
NUMBER     CAPACITY
  2         10

CUSTOMER
CUST NO.  XCOORD.  YCOORD.  DEMAND  READY TIME  DUE DATE  SERVICE TIME

0 0 0 0 0 100 0
1 3 3 6 0 90 5
2 6 6 6 0 90 5
"""


def test_vrptw_keeps_loads_and_vehicles(tmp_path):
    path = tmp_path / "tiny.txt"
    path.write_text(VRPTW)
    instance = vrptw.read(path)
    # 4.24 and 8.48, truncated
    assert vrptw.verify(instance, [{"visits": [1]}, {"visits": [2]}]) == pytest.approx(2 * 4.2 + 2 * 8.4)
    with pytest.raises(BrokenRouteError, match="overloaded"):
        vrptw.verify(instance, [{"visits": [1, 2]}])
    with pytest.raises(BrokenRouteError, match="2 vehicles"):
        vrptw.verify(instance, [{"visits": [1]}, {"visits": [2]}, {"visits": []}])
    path.write_text(VRPTW.replace("\n2 6 6", "\n3 6 6"))
    with pytest.raises(ValueError, match="numbered"):
        vrptw.read(path)


MDVRPTW = """6 1 2 2
30 10
60 10
1 3 0 5 6 1 2 1 2 0 50
2 9 0 5 6 1 2 1 2 20 50
3 0 0 0 0 0 0 0 100
4 10 0 0 0 0 0 0 100
"""


def test_mdvrptw_keeps_durations_depots_and_loads(tmp_path):
    path = tmp_path / "pr01.txt"
    path.write_text(MDVRPTW)
    instance = mdvrptw.read(path)
    good = [{"shift": 0, "visits": [1]}, {"shift": 1, "visits": [2]}]
    assert mdvrptw.verify(instance, good) == pytest.approx(8)
    for routes, fault in (
        ([{"shift": 0, "visits": [1]}, {"shift": 0, "visits": [2]}], "two routes"),
        ([{"shift": 0, "visits": [1]}, {"shift": 2, "visits": [2]}], "no depot"),
        ([{"shift": 1, "visits": [1, 2]}], "overloaded"),
        ([{"shift": 0, "visits": [1]}], "left out"),
        ([{"shift": 0, "visits": [1], "starts": [60.0]}, {"shift": 1, "visits": [2]}], "outside"),
    ):
        with pytest.raises(BrokenRouteError, match=fault):
            mdvrptw.verify(instance, routes)
    path.write_text(MDVRPTW.replace("30 10", "10 10"))
    with pytest.raises(BrokenRouteError, match="takes 11, longest 10"):
        mdvrptw.verify(mdvrptw.read(path), good)
    found = finished(mdvrptw.to_problem(instance), {0: [0], 1: [1]})
    assert found.objective == 8 * mdvrptw.SCALE


PVRP = """1 1 2 3
20 10
20 10
20 10
0 0 0 0 0 0 0
1 3 0 1 6 2 1 5
2 4 0 1 6 1 3 4 2 1
"""


def test_pvrp_keeps_patterns_and_reads_days_from_the_left(tmp_path):
    path = tmp_path / "p99.txt"
    path.write_text(PVRP)
    instance = pvrp.read(path)
    # 5 is 101: days 1 and 3; 4, 2 and 1 are each one day
    assert instance.patterns[1:] == (((0, 2),), ((0,), (1,), (2,)))
    good = [{"day": 0, "visits": [1]}, {"day": 1, "visits": [2]}, {"day": 2, "visits": [1]}]
    assert pvrp.verify(instance, good) == 20
    for routes, fault in (
        ([*good, {"day": 1, "visits": []}], "1 vehicles"),
        ([{"day": 0, "visits": [1, 2]}, {"day": 2, "visits": [1]}], "overloaded"),
        ([{"day": 0, "visits": [1]}, {"day": 1, "visits": [2]}], "allowed are"),
        ([*good, {"day": 3, "visits": [2]}], "horizon"),
    ):
        with pytest.raises(BrokenRouteError, match=fault):
            pvrp.verify(instance, routes)
    path.write_text(PVRP.replace("20 10\n20 10\n20 10", "8 10\n8 10\n8 10"))
    with pytest.raises(BrokenRouteError, match="takes 9, longest 8"):
        pvrp.verify(pvrp.read(path), good)
    assert finished(pvrp.to_problem(instance), {0: [0], 1: [1], 2: [0]}).objective == 20 * pvrp.SCALE
    assert bestknown.pvrp_best(path) is None


@pytest.mark.parametrize(("module", "text"), [(mdvrptw, "1 1 1 1\n"), (pvrp, "6 1 1 1\n")])
def test_another_type_of_file_is_refused(tmp_path, module, text):
    path = tmp_path / "x.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match="expected"):
        module.read(path)


def test_tsptw_wants_one_tour_of_all(tmp_path):
    path = tmp_path / "n3.txt"
    path.write_text("3\n0 10 20.5\n10 0 10\n20 10 0\n0 100\n0 100\n0 100\n")
    instance = tsptw.read(path)
    assert instance.scale == 100_000
    assert tsptw.verify(instance, [{"visits": [1, 2]}]) == 40
    assert tsptw.verify(instance, [{"visits": [2, 1]}]) == 40.5
    with pytest.raises(BrokenRouteError, match="every node"):
        tsptw.verify(instance, [{"visits": [1]}])
    path.write_text("3\n0 10\n")
    with pytest.raises(ValueError, match="3 numbers"):
        tsptw.read(path)
