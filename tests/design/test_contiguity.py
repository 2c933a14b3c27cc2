"""Territories in one piece on any graph: maps drawn as text."""

from __future__ import annotations

import pickle

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from territory import (
    Customers,
    InfeasibleError,
    InputError,
    Reps,
    check_alignment,
    contiguity_graph,
    design_territories,
)
from territory.model import Alignment
from territory.testing import ascii_map, assert_drawn

LAKE = ascii_map("""
    AAAA#BBBB
    AAAA#BBBB
    AAAA#BBBB
    AAA###BBB
""")
PIER = ascii_map("""
    AAAAAAA#B
    AAAAAAA##
    AAAAAAAAA
""")


@pytest.mark.parametrize("islands", [None, "refuse", "parts", "join"])
def test_a_barrier_is_a_border(islands):
    found = design_territories(
        LAKE.customers, n_territories=2, balance={"count": 0.3}, barriers=LAKE.barriers, islands=islands
    )
    assert_drawn(found, LAKE)
    assert found.graph.islands == (islands or "refuse")


def test_islands_get_whole_territories():
    four = ascii_map("AABB#CCDD/AABB#CCDD")
    assert_drawn(design_territories(four.customers, n_territories=4, barriers=four.barriers), four)
    three = ascii_map("AABB#CC/AABB#CC")
    found = design_territories(three.customers, n_territories=3, barriers=three.barriers, balance={"count": 0.01})
    assert_drawn(found, three)
    [note] = [d for d in found.diagnostics if d.code == "islands"]
    assert note.message.endswith("{r0c5, r0c6, r1c5, r1c6}")


def test_without_a_hard_balance_islands_are_as_balanced_as_can_be():
    found = design_territories(LAKE.customers, n_territories=3, barriers=LAKE.barriers)
    assert found.balance["count"] == pytest.approx(0.5)
    assert "balance-loose" in {d.code for d in found.diagnostics}


@pytest.mark.parametrize(("picture", "k", "code", "named"), [
    (LAKE, 1, "too-many-components", "r0c0"),
    (LAKE, 3, "component-unbalanced", "r0c5"),
    (PIER, 3, "component-below-minimum", "{r0c8}"),
])  # fmt: skip
def test_islands_that_cannot_be_are_named(picture, k, code, named):
    with pytest.raises(InfeasibleError) as caught:
        design_territories(picture.customers, n_territories=k, barriers=picture.barriers, balance={"count": 0.2})
    reason = caught.value.reasons[0]
    assert reason.code == code
    assert named in reason.message
    assert all(str(picture.customers.id[i]) in reason.message for i in reason.rows)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own bytes


@pytest.mark.parametrize("options", [
    {"islands": "parts"}, {"islands": "join"}, {"bridges": [("r0c8", "r2c8")]}, {"bridges": [["r0c8", "r0c6"]]},
])  # fmt: skip
def test_what_helps_against_islands(options):
    found = design_territories(
        PIER.customers, n_territories=3, balance={"count": 0.3}, barriers=PIER.barriers, **options
    )
    assert check_alignment(found).ok
    assert np.bincount(found.territory_idx).min() >= 6


def test_reps_get_the_island_of_their_home():
    reps = Reps(id=["E", "W"], lon=[10.7, 10.1], lat=[0, 0])
    found = design_territories(LAKE.customers, reps, barriers=LAKE.barriers)
    assert_drawn(found, LAKE)
    assert found.territory_id[found.territory_idx[0]] == "W"


def test_part_timers_on_islands():
    # four customers, and one who does a quarter of the work of the other
    picture = ascii_map("AAAAAAAA#BB")
    reps = Reps(id=["E", "W"], lon=[10.5, 10.5], lat=[0, 0], capacity_s=[100, 400])
    found = design_territories(picture.customers, reps, barriers=picture.barriers, balance={"count": 0.01})
    assert_drawn(found, picture)
    assert found.territory_id[found.territory_idx[-1]] == "E"


def test_units_hang_together_by_border():
    picture = ascii_map("AABB/AABB/AABB")
    found = design_territories(picture.units(), n_territories=2, balance={"count": 0})
    assert found.graph.kind == "rook"
    assert isinstance(found.customers, Customers)
    assert_drawn(found, picture)
    cross = ascii_map("A#/#A")
    with pytest.raises(InfeasibleError):
        design_territories(cross.units(), n_territories=1)
    assert len(design_territories(cross.units(), n_territories=1, contiguous="queen")) == 1


FORMS = {
    "networkx": lambda g, _: g,
    "sparse": lambda g, ids: nx.to_scipy_sparse_array(g, nodelist=ids),
    "pairs": lambda g, _: list(g.edges),
    "csc": lambda g, ids: sp.csc_matrix(nx.to_scipy_sparse_array(g, nodelist=ids)),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_graph_that_has_nothing_to_do_with_the_map(form):
    """A snake through a grid: territories are pieces of the snake."""
    picture = ascii_map("......../......../......../........")
    ids = picture.customers.id.tolist()
    grid = np.array(ids).reshape(4, 8)
    grid[1::2] = grid[1::2, ::-1]
    graph = nx.path_graph(grid.reshape(-1).tolist())
    found = design_territories(
        picture.customers, n_territories=4, contiguous=FORMS[form](graph, ids), balance={"count": 0.3}
    )
    for j in range(4):
        assert nx.is_connected(graph.subgraph(np.array(ids)[found.territory_idx == j].tolist()))


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_on_random_graphs_territories_are_connected_says_networkx(seed, k):
    rng = np.random.default_rng(seed)
    n = 24
    ids = [f"c{i}" for i in range(n)]
    customers = Customers(id=ids, lon=rng.uniform(10, 11, n), lat=rng.uniform(0.1, 1, n))
    tree = nx.Graph([(ids[i], ids[int(rng.integers(i))]) for i in range(1, n)])
    tree.add_edges_from((ids[a], ids[b]) for a, b in rng.integers(n, size=(8, 2)) if a != b)
    found = design_territories(customers, n_territories=k, contiguous=tree, rng=0)
    for j in range(k):
        mine = np.array(ids)[found.territory_idx == j].tolist()
        assert mine
        assert nx.is_connected(tree.subgraph(mine))


def test_rows_in_another_order_get_the_same_territories():
    found = design_territories(
        PIER.customers, n_territories=3, barriers=PIER.barriers, islands="parts", balance={"count": 0.3}
    )
    order = np.random.default_rng(0).permutation(len(PIER.customers))
    again = design_territories(
        PIER.customers.take(order), n_territories=3, barriers=PIER.barriers, islands="parts", balance={"count": 0.3}
    )
    assert PIER.draw(again.territory_idx[np.argsort(order)]) == PIER.draw(found)


def test_a_locked_customer_does_not_cut_a_chain():
    """On a chain of nine the middle is locked to the rep in the east; who lives west of it still hangs together."""
    chain = Customers(
        id=[f"c{i}" for i in range(9)], lon=10 + np.arange(9) / 10, lat=np.zeros(9),
        owner=["", "", "E", *[""] * 6], locked=[False, False, True, *[False] * 6],
    )  # fmt: skip
    reps = Reps(id=["E", "W"], lon=[10.8, 10.0], lat=[0, 0])
    graph = nx.path_graph(chain.id.tolist())
    found = design_territories(chain, reps, contiguous=graph, balance={"count": 0.12})
    west = np.flatnonzero(found.territory_idx == 1).tolist()
    assert west in ([0, 1, 3, 4], [0, 1, 3, 4, 5])
    assert check_alignment(found).ok


def test_a_graph_that_is_made_once_is_used_often():
    graph = contiguity_graph(LAKE.customers, "gabriel", barriers=LAKE.barriers)
    found = design_territories(LAKE.customers, n_territories=2, contiguous=graph)
    assert found.graph is graph
    parts = design_territories(LAKE.customers, n_territories=3, contiguous=graph, islands="parts")
    assert parts.graph.islands == "parts"
    assert max(abs(parts.totals("count") - 10)) <= 1


def test_the_usual_graph_is_not_kept():
    assert design_territories(LAKE.customers, n_territories=2).graph is None
    assert design_territories(LAKE.customers, n_territories=2, contiguous="delaunay").graph is None
    assert design_territories(LAKE.customers, n_territories=2, contiguous="gabriel").graph.kind == "gabriel"
    apart = design_territories(LAKE.customers, n_territories=2, contiguous=False)
    assert (apart.contiguous, apart.graph) == (False, None)


@pytest.mark.parametrize(("options", "code"), [
    ({"contiguous": False, "barriers": LAKE.barriers}, "unknown-option"),
    ({"contiguous": False, "islands": "parts"}, "unknown-option"),
    ({"contiguous": "hexagons"}, "unknown-option"),
    ({"contiguous": "rook"}, "no-geometry"),
    ({"islands": "sink"}, "unknown-option"),
    ({"bridges": [("r0c0", "x")]}, "unknown-id"),
    ({"bridges": 7}, "not-pairs"),
    ({"barriers": "river"}, "not-a-geometry"),
    ({"contiguous": ascii_map("AB").graph()}, "wrong-shape"),
    ({"contiguous": LAKE.graph("delaunay"), "barriers": LAKE.barriers}, "unknown-option"),
    ({"contiguous": LAKE.graph("delaunay"), "islands": "join"}, "unknown-option"),
    ({"contiguous": LAKE.graph("delaunay"), "islands": "sink"}, "unknown-option"),
    ({"contiguous": nx.path_graph(LAKE.customers.id.tolist()), "barriers": LAKE.barriers}, "barriers-without-points"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(options, code):
    with pytest.raises(InputError) as caught:
        design_territories(LAKE.customers, n_territories=2, **options)
    assert caught.value.codes == (code,)


# -- the check -----------------------------------------------------------------------------------


def torn(alignment):
    return [(v.code, v.territory_id, v.amount) for v in check_alignment(alignment).violations]


def test_the_check_follows_barriers():
    over = ascii_map("AA#AB/AA#BB")
    assert torn(over.alignment(graph=over.graph("delaunay"))) == [("not-contiguous", "A", 1.0)]
    assert torn(over.alignment()) == []
    assert torn(over.alignment(graph=over.graph("delaunay", islands="parts"))) == []


def test_the_check_of_parts_looks_at_each_island():
    two = ascii_map("ABA#A/BBB#B")
    parts = two.graph("rook", islands="parts")
    assert torn(two.alignment(graph=parts)) == [("not-contiguous", "A", 1.0)]


def test_the_check_makes_graphs_of_places_anew():
    picture = ascii_map("ABA/BBB")
    doctored = contiguity_graph(
        picture.customers, [(a, b) for a in picture.customers.id for b in picture.customers.id if a < b]
    )
    # it says that it is Gabriel's, and joins everybody
    forged = type(doctored)(doctored.indptr, doctored.indices, doctored.site, "gabriel")
    assert torn(picture.alignment(graph=doctored)) == []
    spread = picture.graph("gabriel")
    label = picture.expected
    assert (len(np.unique(spread.torn(label)[label == 0])) > 1) == bool(torn(picture.alignment(graph=spread)))
    assert torn(picture.alignment(graph=forged)) == torn(picture.alignment(graph=spread))


def test_graphs_survive_pickles_and_edits():
    found = design_territories(LAKE.customers, n_territories=2, barriers=LAKE.barriers)
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own bytes
    assert torn(again) == []
    edited = found.to_dict()
    edited["territory_id"][0] = edited["territory_id"][-1]
    read = Alignment.from_frame(edited, customers=LAKE.customers, like=found)
    assert ("not-contiguous", str(edited["territory_id"][-1]), 1.0) in torn(read)
    with pytest.raises(InputError, match="graph"):
        LAKE.alignment(graph=ascii_map("AB").graph())
