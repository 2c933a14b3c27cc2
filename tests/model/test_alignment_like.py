"""Reading an alignment that was edited, for tables in another order, or of others."""

from __future__ import annotations

import numpy as np
import pytest

from territory import Alignment, Balance, Customers, InputError, Reps, check_alignment, design_territories
from territory.geo.sphere import great_circle_m, mean_position
from territory.io.rules_state import rules_state


def customers_of(n, seed=0, **columns):
    rng = np.random.default_rng(seed)
    return Customers(
        id=[f"c{i}" for i in range(n)], lon=rng.uniform(8, 12, n), lat=rng.uniform(48, 52, n), **columns
    )  # fmt: skip


REPS = Reps(id=["R0", "R1", "R2"], lon=[8.5, 10.0, 11.5], lat=[50.0, 50.0, 50.0])


@pytest.fixture(scope="module")
def made():
    return design_territories(
        customers_of(90), REPS, balance={"count": Balance(tolerance=0.4, at_most=50)}, together=[["c0", "c1"]],
        apart=[["c2", "c3"]], overrides={"c4": "R2"}, reach_km=1000, barriers={"type": "LineString",
        "coordinates": [[9.0, 48.0], [9.0, 49.0]]}, bridges=[("c5", "c6")],
    )  # fmt: skip


def rules_by_name(a):
    """Return what rules say, in ids."""
    ids, group = a.customers.id, a.rules.together
    return (
        sorted(sorted(ids[np.flatnonzero(group == g)].tolist()) for g in np.unique(group[group >= 0])),
        sorted(sorted(pair) for pair in ids[a.rules.apart].tolist()),
        {str(ids[i]): str(a.territory_id[j]) for i, j in a.rules.overrides.items()},
    )


def edges_by_name(a):
    first = {int(s): i for i, s in reversed(list(enumerate(a.graph.site.tolist())))}
    return {
        frozenset((str(a.customers.id[first[s]]), str(a.customers.id[first[t]]))) for s, t in a.graph.edges.tolist()
    }


def test_tables_in_another_order_mean_the_same(made):
    rng = np.random.default_rng(5)
    customers, reps = made.customers.take(rng.permutation(90)), REPS.take([2, 0, 1])
    again = Alignment.from_frame(made.to_frame(), customers=customers, reps=reps, like=made)
    assert rules_by_name(again) == rules_by_name(made) == ([["c0", "c1"]], [["c2", "c3"]], {"c4": "R2"})
    assert edges_by_name(again) == edges_by_name(made)
    assert reps.id[again.rep_idx].tolist() == again.territory_id.tolist() == ["R0", "R1", "R2"]
    assert again.center_lon.tolist() == made.center_lon.tolist()
    assert again.diagnostics == ()
    assert check_alignment(again).ok


def test_an_untouched_table_is_the_same_alignment(made):
    again = Alignment.from_frame(made.to_frame(), customers=made.customers, reps=REPS, like=made)
    assert rules_state(again.rules) == rules_state(made.rules)
    assert again.graph is made.graph
    assert Alignment.from_frame(made.to_frame(), customers=made.customers, like=made).rep_idx.tolist() == [0, 1, 2]


def test_what_concerns_those_who_are_gone_is_dropped_and_said(made):
    left = [i for i in range(90) if i not in (0, 2, 4, 5)]
    customers = made.customers.take(left)
    frame = made.to_frame().iloc[left]
    again = Alignment.from_frame(frame, customers=customers, reps=REPS.take([2, 1]), like=made)
    assert again.rep_idx.tolist() == [-1, 1, 0]
    assert rules_by_name(again) == ([["c1"]], [], {})
    assert {p.code: p.count for p in again.diagnostics if p.code == "rep-gone"} == {"rep-gone": 1}
    assert sorted(p.message.split(",")[0] for p in again.diagnostics if p.code == "rules-dropped") == [
        "members of groups", "overrides", "pairs who are apart",
    ]  # fmt: skip
    assert len(again.graph) == 86
    assert len(again.graph.bridges) == 0
    assert again.graph.barriers == made.graph.barriers


def test_new_customers_get_neighbours_only_where_places_make_them():
    old = customers_of(20)
    links = [(f"c{i}", f"c{i + 1}") for i in range(19)]
    given = design_territories(old, n_territories=2, contiguous=links, balance={"count": 0.2})
    more = customers_of(21)
    frame = {"customer_id": old.id, "territory_id": given.to_dict()["territory_id"]}
    with pytest.raises(InputError, match="c20") as caught:
        Alignment.from_frame(frame, customers=more, like=given)
    assert caught.value.codes == ("unknown-id",)
    # whoever is gone does not cut the others in two
    left = [i for i in range(19, -1, -1) if i != 7]
    fewer = Alignment.from_frame(
        {name: values[left] for name, values in frame.items()}, customers=old.take(left), like=given
    )
    assert fewer.graph.n_components == 1
    assert "not-contiguous" not in {v.code for v in check_alignment(fewer)}
    usual = design_territories(old, n_territories=2, balance={"count": 0.2}, barriers={"type": "LineString",
        "coordinates": [[8.0, 40.0], [8.0, 41.0]]})  # fmt: skip
    frame = {"customer_id": old.id, "territory_id": usual.to_dict()["territory_id"]}
    assert len(Alignment.from_frame(frame, customers=more, like=usual).graph) == 21


def test_centres_stay_where_nobody_came_or_went():
    customers = customers_of(120, measures={"revenue": np.random.default_rng(1).lognormal(3, 2, 120)})
    made = design_territories(customers, n_territories=5, balance={"revenue": 1.5}, reach_km=160)
    same = Alignment.from_frame(made.to_frame(), customers=customers, like=made)
    assert same.center_lon.tolist() == made.center_lon.tolist()
    assert check_alignment(same).ok
    frame = made.to_frame()
    i = 7
    a, b = int(made.territory_idx[i]), (int(made.territory_idx[i]) + 1) % 5
    frame.loc[i, "territory_id"] = made.territory_id[b]
    edited = Alignment.from_frame(frame, customers=customers, like=made)
    for j in set(range(5)) - {a, b}:
        assert edited.center_lon[j] == made.center_lon[j]
    # of those that changed, the centre is the mean, or else the old one that is nearer to all
    for j in (a, b):
        mine = np.flatnonzero(edited.territory_idx == j)
        lon, lat = customers.lon[mine], customers.lat[mine]
        mean = mean_position(lon, lat)
        far = great_circle_m(lon, lat, *mean).max()
        before = great_circle_m(lon, lat, made.center_lon[j], made.center_lat[j]).max()
        if far > 160_000 and before < far:
            assert edited.center_lon[j] == made.center_lon[j]
        else:
            assert (edited.center_lon[j], edited.center_lat[j]) == mean


def test_a_customer_who_is_gone_changes_the_centre():
    customers = customers_of(12)
    made = design_territories(customers, n_territories=2, balance={"count": 0.5})
    left = list(range(1, 12))
    fewer = Alignment.from_frame(made.to_frame().iloc[left], customers=customers.take(left), like=made)
    j = int(made.territory_idx[0])
    mine = [i for i in left if made.territory_idx[i] == j]
    assert fewer.center_lon[j] == pytest.approx(customers.lon[mine].mean(), abs=0.02)
    assert fewer.center_lon[1 - j] == made.center_lon[1 - j]
