from __future__ import annotations

import sys

import numpy as np
import pytest
import shapely

from territory.errors import MissingExtraError
from territory.maps import plot_alignment, plot_route
from territory.model import Alignment, Customers, Reps

matplotlib = pytest.importorskip("matplotlib", reason="the extra 'maps' is not installed")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def words(ax):
    ax.figure.canvas.draw()
    return [t.get_text() for t in ax.texts]


def test_alignment_shows_every_territory(alignment):
    ax = plot_alignment(alignment)
    assert set(alignment.territory_id.tolist()) <= set(words(ax))
    assert any(text.endswith(" km") for text in words(ax))
    filled = {tuple(p.get_facecolor())[:3]: p for p in ax.patches if p.get_fill()}
    assert len([p for p in ax.patches if p.get_fill()]) == len(alignment)
    assert 3 <= len(filled) <= 5
    assert ax.get_aspect() == pytest.approx(1 / np.cos(np.radians(49)), rel=0.01)


def test_alignment_draws_on_given_axes_what_is_asked_for(alignment):
    _, ax = plt.subplots()
    country = shapely.box(9.5, 48.5, 11.5, 49.5)
    assert alignment.plot(ax=ax, customers=False, labels=False, boundary=country) is ax
    assert not {"T00", "T01"} & set(words(ax))
    drawn = shapely.union_all([shapely.Polygon(p.get_path().vertices[:-1]) for p in ax.patches if p.get_fill()])
    assert drawn.bounds == pytest.approx(country.bounds, abs=0.02)


def test_alignment_without_reps_with_customers_in_no_territory_and_an_empty_one(rng, build):
    make_customers, _, _ = build
    of = np.array([0] * 20 + [-1] * 5, dtype=np.int32)
    alignment = Alignment(
        make_customers(25, rng=rng), None, ["$x_1$", "empty"], of, [-1, -1], [10.0, np.nan], [49.0, np.nan]
    )
    assert "$x_1$" in words(plot_alignment(alignment))  # a name is a name, not a formula


@pytest.mark.parametrize("n", [0, 1, 2])
def test_alignment_of_hardly_anybody(n):
    customers = Customers(id=[f"c{i}" for i in range(n)], lon=[10.0] * n, lat=[50.0] * n)
    reps = Reps(id=["r"], lon=[10.0], lat=[50.0])
    ax = plot_alignment(Alignment(customers, reps, ["t"], np.zeros(n, np.int32), [0], [10.0], [50.0]))
    assert words(ax)


def test_route_numbers_its_stops(plan):
    route = plan.route("R02", "2026-01-07")
    ax = plot_route(route)
    assert [str(i + 1) for i in range(len(route.stops))] == [t for t in words(ax) if t.isdigit()]
    assert ax.get_title(loc="left") == "Rep 2 · Wed 07 Jan 2026"
    assert any("visits" in t and "driving" in t and "km" in t for t in words(ax))
    named = words(route.plot(names=True, others=False))
    assert set(plan.customers.name[route.stops.customer_idx].tolist()) <= set(named)


def test_route_that_ends_elsewhere_and_stops_on_one_spot(rng, build):
    make_customers, make_alignment, make_plan = build
    customers = make_customers(6, rng=rng, box=(10.0, 50.0, 10.0, 50.0))
    reps = Reps(id=["r"], lon=[10.1], lat=[50.0], end_lon=[10.2], end_lat=[50.1])
    plan = make_plan(make_alignment(customers, 1, rng=rng, reps=reps), n_unassigned=0)
    route = plan.route("r", plan.routes.day[0])
    numbers = ",".join(str(i + 1) for i in range(len(route.stops)))
    assert numbers in words(plot_route(route))


def test_missing_matplotlib_is_named(alignment, plan, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in (alignment.plot, plan.route("R02", "2026-01-07").plot):
        with pytest.raises(MissingExtraError, match=r"territory\[maps\]"):
            draw()
