"""Territories in districts, districts in regions."""

from __future__ import annotations

import pickle
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.design.problems import customers_on

from territory import (
    Alignment,
    Balance,
    Customers,
    Hierarchy,
    InfeasibleError,
    InputError,
    Reps,
    check_alignment,
    design_territories,
    group_territories,
)
from territory.design.hierarchy import quotient_graph, territory_units
from territory.geo.contiguity import graph_of_points
from territory.geo.sphere import mean_position
from territory.testing import ascii_map

DRAWN = ascii_map("""
AABBCC
AABBCC
DDEEFF
DDEEFF
""")


def scattered(seed, n, **columns):
    rng = np.random.default_rng(seed)
    return Customers(
        id=[f"c{i}" for i in range(n)], lon=rng.uniform(8, 12, n), lat=rng.uniform(48, 52, n),
        workload_s=rng.integers(600, 7200, n), **columns,
    )  # fmt: skip


def designed(seed=0, n=300, k=18, **columns):
    return design_territories(scattered(seed, n, **columns), n_territories=k, balance={"workload_s": 0.1}, rng=seed)


def customers_graph(customers):
    """Make the graph of customers, with networkx alone from here on."""
    whole = graph_of_points(customers.lon, customers.lat)
    graph = nx.Graph()
    at = {int(s): [] for s in range(whole.n_sites)}
    for i, s in enumerate(whole.site.tolist()):
        at[s].append(i)
    for rows in at.values():
        graph.add_edges_from(pairwise(rows))
        graph.add_nodes_from(rows)
    graph.add_edges_from((at[s][0], at[t][0]) for s, t in whole.edges.tolist())
    return graph


def test_units_are_the_territories():
    made = designed()
    units = territory_units(made)
    c = made.customers
    assert units.id.tolist() == made.territory_id.tolist()
    assert units.workload_s == pytest.approx(made.totals("workload_s"))
    assert units.measures["customers"].tolist() == np.bincount(made.territory_idx).tolist()
    rows = made.territory_idx == 3
    assert (units.lon[3], units.lat[3]) == pytest.approx(mean_position(c.lon[rows], c.lat[rows], c.workload_s[rows]))


def test_neighbours_are_those_whose_customers_are():
    made = DRAWN.alignment(graph=DRAWN.graph("rook"))
    graph = quotient_graph(made, territory_units(made))
    ids = made.territory_id
    assert {"".join(ids[list(e)].tolist()) for e in graph.edges} == {"AB", "BC", "AD", "BE", "CF", "DE", "EF"}


@given(st.integers(0, 40), st.integers(2, 14), st.integers(1, 7))
@settings(max_examples=8, deadline=None)
def test_groups_are_whole_and_connected_by_networkx(seed, k, n_groups):
    made = designed(seed, 80, k)
    n_groups = min(n_groups, k)
    over = group_territories(made, n_groups)
    label = over.labels("district")
    assert sorted(set(label.tolist())) == list(range(n_groups))
    for j in range(k):  # none is split
        assert len(set(label[made.territory_idx == j].tolist())) == 1
    graph = customers_graph(made.customers)
    for g in range(n_groups):
        assert nx.is_connected(graph.subgraph(np.flatnonzero(label == g).tolist()))
    assert over.report_dict("district")["parts"].tolist() == [1] * n_groups


def test_two_levels_agree_with_each_other():
    made = designed(k=20, measures={"potential": np.random.default_rng(9).lognormal(0, 1, 300)})
    over = group_territories(group_territories(made, 6, balance={"workload_s": 0.35}), 2, balance={"workload_s": 0.35})
    assert over.names == ("territory", "district", "region")
    assert len(over) == 3
    columns = over.to_dict()
    assert list(columns) == ["customer_id", "territory_id", "district_id", "region_id"]
    for i in (0, 17, 299):
        assert over.of(f"c{i}") == tuple(columns[f"{name}_id"][i] for name in over.names)
    # everything that is added up on the way is what customers add up to
    regions = over.report_dict("region")
    for measure in ("workload_s", "potential"):
        values = {"workload_s": made.customers.workload_s, **made.customers.measures}[measure]
        expected = [values[columns["region_id"] == name].sum() for name in regions["region_id"]]
        assert regions[measure] == pytest.approx(expected)
        assert over.levels[2].totals(measure) == pytest.approx(expected)
    assert regions["territories"].sum() == 20
    assert regions["drive_h_round"].sum() == pytest.approx(made.report_dict()["drive_h_round"].sum())
    assert np.abs(regions["workload_s_deviation"]).max() <= 0.35 + 1e-9
    districts = over.report_dict("district")
    assert districts["customers"].sum() == 300
    assert set(districts["region_id"]) == set(regions["region_id"])
    lowest = over.report_dict(0)
    assert lowest["territory_id"].tolist() == made.territory_id.tolist()
    assert "territories" not in lowest
    assert check_alignment(over.alignment("region")).ok
    assert over.alignment(0) is made
    assert len(over.to_frame()) == 300
    assert len(over.report("region")) == 2


def test_the_drawn_map_falls_in_two_halves():
    over = group_territories(DRAWN.alignment(graph=DRAWN.graph("rook"), balance={"count": 0.0}), 2)
    halves = {frozenset(DRAWN.letters[j] for j in np.flatnonzero(over.members(1) == g)) for g in range(2)}
    # six squares in two contiguous rows of three, or an L and its mirror image
    assert all(len(half) == 3 for half in halves)
    assert over.levels[1].balance == {"customers": 0.1}


def test_balance_by_the_number_of_territories_and_of_customers():
    made = designed(2, 300, 12)
    over = group_territories(made, 4, balance={"count": 0.0})
    assert np.bincount(over.members(1)).tolist() == [3] * 4
    assert over.report_dict(1)["territories_target"].tolist() == [3.0] * 4
    over = group_territories(made, 3, balance={"customers": Balance(at_most=130)})
    assert over.report_dict(1)["customers"].max() <= 130


def test_leaders_homes_and_names():
    made = designed(3, 200, 10)
    leaders = Reps(id=["Ida", "Max"], lon=[8.5, 11.5], lat=[50, 50])
    over = group_territories(made, 2, reps=leaders)
    assert set(over.to_dict()["district_id"]) == {"Ida", "Max"}
    assert over.alignment("district").reps is leaders
    west = made.customers.lon[over.to_dict()["district_id"] == "Ida"].mean()
    assert west < made.customers.lon[over.to_dict()["district_id"] == "Max"].mean()
    named = group_territories(made, 2, level="Gebiet", names=["West", "Ost"])
    assert named.names == ("territory", "Gebiet")
    lon = [made.customers.lon[named.labels("Gebiet") == g].mean() for g in range(2)]
    assert named.levels[1].territory_id.tolist() == ["West", "Ost"]
    assert lon[0] < lon[1]


def test_one_group_and_one_each():
    made = designed(4, 100, 7)
    assert set(group_territories(made, 1).members(1).tolist()) == {0}
    assert sorted(group_territories(made, 7).members(1).tolist()) == list(range(7))


def test_far_from_balance_the_next_best_says_so():
    customers = Customers(id=list("abcd"), lon=[1, 2, 3, 4], lat=[50] * 4, workload_s=[90_000, 600, 600, 600])
    made = design_territories(customers, n_territories=4)
    over = group_territories(made, 2)
    assert over.levels[1].balance["workload_s"] > 0.5
    assert "balance-loose" in {p.code for p in over.levels[1].diagnostics}
    with pytest.raises(InfeasibleError, match="no grouping into 2 of level district"):
        group_territories(made, 2, balance={"workload_s": 0.1})


def test_islands():
    lon = [*(10.0 + np.arange(6) / 10), *(40.0 + np.arange(6) / 10)]
    customers = Customers(id=[f"c{i}" for i in range(12)], lon=lon, lat=[50.0, 50.1] * 6)
    edges = [(f"c{i}", f"c{i + 1}") for i in range(11) if i != 5]
    made = design_territories(customers, n_territories=6, balance={"count": 0.0}, contiguous=edges)
    with pytest.raises(InfeasibleError):
        group_territories(made, 1)
    for islands in ("parts", "join"):
        assert len(group_territories(made, 1, islands=islands).levels[1]) == 1
    two = group_territories(made, 2)
    assert (two.labels(1)[:6] != two.labels(1)[6:]).all()


def test_territories_without_customers_and_customers_without_territories():
    customers = Customers(
        id=list("abcd"), lon=[10, 10.1, 11, 11.1], lat=[50, 50.1, 50, 50.1], owner=["R1", "R1", "R2", ""]
    )
    reps = Reps(id=["R1", "R2", "R3"], lon=[10, 11, 10.5], lat=[50, 50, 50])
    over = group_territories(Alignment.from_owners(customers, reps), 2, balance={"customers": 1.0})
    assert over.of("d") == ()
    assert over.to_dict()["district_id"][3] == ""
    assert over.labels(1)[3] == -1
    nowhere = Alignment(customers, None, ["T1", "T2"], [0, 0, 0, 0], [-1, -1], [10, np.nan], [50, np.nan])
    with pytest.raises(InputError, match="empty-territory"):
        group_territories(nowhere, 2)


def test_rows_permuted_give_the_same_groups():
    made = designed(5, 200, 12)
    order = np.random.default_rng(0).permutation(200)
    other = design_territories(made.customers.take(order), n_territories=12, balance={"workload_s": 0.1}, rng=5)
    one, two = (group_territories(a, 4).labels(1) for a in (made, other))
    assert (one[order] == two).all()


@pytest.mark.parametrize(
    ("n_groups", "options", "code"),
    [
        (0, {}, "bad-count"),
        (-1, {}, "bad-count"),
        (2.0, {}, "bad-count"),
        (True, {}, "bad-count"),
        (9, {}, "too-many-groups"),
        (2, {"names": ["a"]}, "wrong-shape"),
        (2, {"names": ["a", "a"]}, "duplicate-id"),
        (2, {"names": ["a", " "]}, "duplicate-id"),
        (2, {"names": "ab"}, "bad-name"),
        (2, {"level": "territory"}, "bad-name"),
        (2, {"level": ""}, "bad-name"),
        (2, {"islands": "swim"}, "unknown-option"),
        (2, {"balance": {"potential": 0.1}}, "unknown-measure"),
        (2, {"balance": {"workload_s": -1}}, "bad-tolerance"),
    ],
)
def test_faults(n_groups, options, code):
    with pytest.raises(InputError) as caught:
        group_territories(designed(6, 60, 8), n_groups, **options)
    assert code in caught.value.codes


def test_all_faults_at_once():
    with pytest.raises(InputError) as caught:
        group_territories(designed(6, 60, 8), 9, level="territory", names=["a"], islands="swim")
    assert set(caught.value.codes) == {"too-many-groups", "bad-name", "wrong-shape", "unknown-option"}


def test_hierarchies_that_are_none():
    made, other = designed(6, 60, 8), designed(7, 60, 8)
    over = group_territories(made, 2)
    for levels, names, code in (
        ((), (), "no-levels"),
        ((made,), ("a", "b"), "wrong-shape"),
        ((made, over.levels[1]), ("a", "a"), "bad-name"),
        ((group_territories(other, 3).levels[1], over.levels[1]), ("a", "b"), "levels-differ"),
    ):
        with pytest.raises(InputError) as caught:
            Hierarchy(levels, names)
        assert code in caught.value.codes
    for level in ("region", 2, -1, True):
        with pytest.raises(InputError, match="unknown-level"):
            over.labels(level)
    with pytest.raises(InputError, match="unknown-id"):
        over.of("nobody")


def test_it_survives_pickling():
    over = group_territories(designed(6, 60, 8), 2)
    again = pickle.loads(pickle.dumps(over))  # noqa: S301 - our own
    assert again.names == over.names
    assert (again.labels(1) == over.labels(1)).all()
    assert "8 of level territory, 2 of level district" in repr(again)


def test_a_grid_of_districts_is_compact():
    made = design_territories(customers_on("\n".join(["x" * 12] * 12)), n_territories=36, balance={"count": 0.05})
    over = group_territories(made, 4, balance={"customers": 0.12})
    c, label = made.customers, over.labels(1)
    reach = [np.ptp(c.lon[label == g]) + np.ptp(c.lat[label == g]) for g in range(4)]
    # quadrants of the grid measure 1.1 degrees across both ways; stripes would measure 1.4
    assert max(reach) <= 1.4
