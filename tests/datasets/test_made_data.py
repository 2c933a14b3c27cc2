"""What the seeded recipe adds to the real places."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from territory import datasets
from territory.datasets import germany, helsinki
from territory.errors import InputError
from territory.geo.sphere import great_circle_m
from territory.model.enums import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from territory.model.customers import Customers
    from territory.model.reps import Reps

LOADERS = {"germany": datasets.load_germany, "helsinki": datasets.load_helsinki}
COLUMNS = {"germany": datasets.germany_columns, "helsinki": datasets.helsinki_columns}
RECIPES = {"germany": germany.made_germany, "helsinki": helsinki.made_helsinki}
both = pytest.mark.parametrize("name", ["germany", "helsinki"])
HOUR_S = 3600.0


def columns_of(table: Any) -> dict[str, list[Any]]:
    return {name: list(column) for name, column in table.to_dict().items()}


def same(a: Mapping[str, list[Any]], b: Mapping[str, list[Any]]) -> bool:
    return repr(dict(a)) == repr(dict(b))


@both
def test_two_loads_are_the_same(name: str) -> None:
    for one, two in zip(LOADERS[name](seed=7), LOADERS[name](seed=7), strict=True):
        assert same(columns_of(one), columns_of(two))


@both
def test_seeds_differ_in_the_made_columns_only(name: str) -> None:
    one, two = (columns_of(LOADERS[name](seed=seed)[0]) for seed in (0, 1))
    real = {column.removeprefix("measures.") for column in datasets.REAL_COLUMNS[name]}
    made = {column.removeprefix("measures.") for column in datasets.MADE_COLUMNS[name]}
    assert real | made == set(one)
    for column in real - made:
        assert one[column] == two[column], column
    for column in ("last_visit", "opening_hours", "owner", "stage"):
        assert repr(one[column]) != repr(two[column]), column


@both
def test_real_columns_are_the_source_s(name: str) -> None:
    customers, _ = LOADERS[name](seed=3)
    source = COLUMNS[name]()
    assert np.array_equal(customers.lon, source["lon"])
    assert np.array_equal(customers.lat, source["lat"])
    assert customers.name is not None
    assert customers.name.tolist() == source["name"].tolist()
    if name == "germany":
        assert customers.id.tolist() == [str(i) for i in source["geonameid"]]
        assert np.array_equal(customers.measures["population"], source["population"])
    else:
        assert customers.id.tolist() == source["osm_id"].tolist()


@both
def test_the_order_of_rows_plays_no_part(name: str) -> None:
    source = COLUMNS[name]()
    shuffled = np.random.default_rng(0).permutation(len(source["lon"]))
    customers, reps = RECIPES[name](source, seed=2)
    customers_2, reps_2 = RECIPES[name]({c: v[shuffled] for c, v in source.items()}, seed=2)
    for column, values in customers.items():
        if column != "measures":
            np.testing.assert_array_equal(values[shuffled], customers_2[column], err_msg=column)
    for measure, values in customers["measures"].items():
        np.testing.assert_array_equal(values[shuffled], customers_2["measures"][measure])
    for column, values in reps.items():
        np.testing.assert_array_equal(values, reps_2[column], err_msg=column)


@both
@pytest.mark.parametrize("seed", range(4))
def test_tables_are_sound(name: str, seed: int) -> None:
    customers, reps = LOADERS[name](seed=seed)
    assert customers.diagnostics == ()
    assert reps.diagnostics == ()
    assert np.all(reps.positions(customers.owner) >= 0)
    lead = (customers.stage >= 0) & (customers.stage < Stage.CUSTOMER)
    assert np.array_equal(np.isnan(customers.visit_interval_days), customers.stage != Stage.CUSTOMER)
    for column in (customers.p_close, customers.deal_value):
        assert np.array_equal(np.isnan(column), ~lead)
    assert np.array_equal(customers.temperature < 0, ~lead)
    assert customers.deal_value[lead].min() >= 100
    assert np.all(customers.workload_s > 0)
    assert set(customers.service_s.tolist()) <= {60.0 * minutes for minutes in (25, 30, 35, 45, 60)}
    assert np.all(customers.early_days < np.nan_to_num(customers.visit_interval_days, nan=99))


@both
@pytest.mark.parametrize("seed", range(4))
def test_owners_have_the_skills(name: str, seed: int) -> None:
    customers, reps = LOADERS[name](seed=seed)
    owner = reps.positions(customers.owner)
    needed = [(i, customers.required_skills[i]) for i in range(len(customers)) if customers.required_skills[i]]
    assert 5 < len(needed) < 0.05 * len(customers)
    assert all(skills <= reps.skills[owner[i]] for i, skills in needed)


@both
@pytest.mark.parametrize("today", ["2026-03-02", "2026-01-05", "2027-01-01"])
def test_last_visits_lie_before_today_on_working_days(name: str, today: str) -> None:
    customers, _ = LOADERS[name](today=today)
    day = np.datetime64(today)
    visited = ~np.isnat(customers.last_visit)
    last = customers.last_visit[visited]
    assert last.max() < day
    assert np.all(np.is_busday(last))
    assert not np.any(np.isin(last, np.array(["2025-12-25", "2025-12-26", "2026-01-01", "2026-05-01"], dtype="M8[D]")))
    customer = customers.stage == Stage.CUSTOMER
    assert 0 < (~visited & customer).sum() < 0.03 * customer.sum()
    age = (day - customers.last_visit)[visited & customer].astype(float)
    limit = (customers.visit_interval_days + customers.late_days)[visited & customer]
    assert 0.02 < (age > limit).mean() < 0.12, "a few are overdue"


@both
def test_customers_fall_due_evenly(name: str) -> None:
    customers, _ = LOADERS[name]()
    for segment in "ABC":
        rows = (customers.segment == segment) & (customers.stage == Stage.CUSTOMER) & ~np.isnat(customers.last_visit)
        interval = int(customers.visit_interval_days[rows][0])
        due = customers.last_visit[rows] + np.timedelta64(interval, "D")
        ahead = (due - datasets.REFERENCE_DAY).astype(int)
        assert ahead.max() < interval
        # no plan starts with a hill: each working day of the interval brings its share
        by_day = np.bincount(ahead[ahead >= 0], minlength=interval)[: interval - 2].reshape(-1)
        working = by_day[np.arange(len(by_day)) % 7 < 5]
        assert by_day.sum() == working.sum()
        expected = working.mean()
        assert ((working - expected) ** 2 / expected).sum() < len(working) + 4 * (2 * len(working)) ** 0.5


@both
@pytest.mark.parametrize("n_reps", [1, 2, 3, 9, 40])
def test_any_number_of_reps(name: str, n_reps: int) -> None:
    customers, reps = LOADERS[name](n_reps=n_reps)
    assert len(reps) == n_reps
    assert reps.id[0] == "R01"
    assert len(set(reps.name.tolist())) == n_reps
    assert set(customers.owner.tolist()) <= set(reps.id.tolist())
    assert int((reps.capacity_s < 40 * HOUR_S).sum()) == (2 if n_reps >= 10 else 0)
    assert sum(text != "" for text in reps.leave.to_text()) == (2 if n_reps >= 4 else 0)


@both
@pytest.mark.parametrize(
    "options",
    [
        {"n_reps": 0},
        {"n_reps": 10**6},
        {"n_reps": 2.5},
        {"seed": -1},
        {"today": "soon"},
        {"today": 5},
        {"today": "NaT"},
    ],
)
def test_bad_arguments(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        LOADERS[name](**options)


def test_reps_of_germany_live_in_real_places_apart_from_each_other() -> None:
    customers, reps = datasets.load_germany()
    home = {(lon, lat) for lon, lat in zip(customers.lon.tolist(), customers.lat.tolist(), strict=True)}
    assert all(place in home for place in zip(reps.lon.tolist(), reps.lat.tolist(), strict=True))
    metres = great_circle_m(reps.lon[:, None], reps.lat[:, None], reps.lon, reps.lat)
    assert metres[np.triu_indices(60, 1)].min() > 30_000


def test_reps_of_helsinki_start_on_streets_that_cars_can_use() -> None:
    _, reps = datasets.load_helsinki()
    network = datasets.load_helsinki_network()
    corners = set(zip(network.lon.tolist(), network.lat.tolist(), strict=True))
    assert all(place in corners for place in zip(reps.lon.tolist(), reps.lat.tolist(), strict=True))


def test_todays_alignment_of_germany_is_unbalanced_but_no_absurdity() -> None:
    customers, reps = datasets.load_germany()
    load = np.bincount(reps.positions(customers.owner), weights=customers.workload_s, minlength=60) / HOUR_S
    assert load.min() > 5
    assert 1.5 < load.max() / load.mean() < 2.5
    assert (np.abs(load / load.mean() - 1) > 0.05).sum() > 30


def test_segments_follow_population() -> None:
    customers, _ = datasets.load_germany()
    population = customers.measures["population"]
    assert customers.segment[population >= 20_000].tolist() == ["A"] * 840
    assert customers.segment[(population < 20_000) & (population >= 5_000)].tolist() == ["B"] * 2238
    assert customers.segment[population < 5_000].tolist() == ["C"] * 4548


def _work(customers: Customers, days: int) -> tuple[float, float]:
    """Return visits in `days`, and hours at customers."""
    visits = np.nan_to_num(days / customers.visit_interval_days)
    return float(visits.sum()), float((visits * customers.service_s).sum() / HOUR_S)


def test_60_reps_are_enough_for_germany() -> None:
    customers, reps = datasets.load_germany()
    visits, service_h = _work(customers, 28)
    assert 5_500 < visits < 5_700
    # on the road: home and back on 20 days, and between the day's visits as of random points
    # (Beardwood, Halton & Hammersley 1959: 0.7124 sqrt(n A)), great circles x 1.4 at 55 km/h
    owner = reps.positions(customers.owner)
    weight = np.nan_to_num(28 / customers.visit_interval_days)
    metres = great_circle_m(customers.lon, customers.lat, reps.lon[owner], reps.lat[owner])
    home_km = np.average(metres, weights=weight) / 1000
    road_h = (60 * 20 * 2 * home_km + 60 * 0.7124 * np.sqrt(visits / 60 * 357_600 / 60)) * 1.4 / 55
    capacity_h = 4 * reps.capacity_s.sum() / HOUR_S
    assert 0.75 < (service_h + road_h) / capacity_h < 0.88
    # the recipe's minutes by area, which workload_s is made of, come to about the same
    minutes = np.array([germany.DRIVE_MIN[a] for a in sorted(germany.DRIVE_MIN)])[customers.area]
    assert (weight * minutes).sum() / 60 == pytest.approx(road_h, rel=0.15)
    assert 0.75 < customers.workload_s.sum() / reps.capacity_s.sum() < 0.88


def test_6_reps_are_enough_for_helsinki() -> None:
    customers, reps = datasets.load_helsinki()
    visits, service_h = _work(customers, 28)
    assert 1_300 < visits < 1_400
    walking_h = visits * helsinki.WALK_MIN / 60
    assert 0.75 < (service_h + walking_h) / (4 * reps.capacity_s.sum() / HOUR_S) < 0.88
    assert 0.75 < customers.workload_s.sum() / reps.capacity_s.sum() < 0.88


def test_every_town_hall_opens_long_enough() -> None:
    customers, reps = datasets.load_germany()
    shift = reps.shift[0]
    fits = np.zeros(len(customers.opening_hours.weeks))
    for i, week in enumerate(customers.opening_hours.weeks):
        fits[i] = sum(
            any(min(b, shift[d][0][1]) - max(a, shift[d][0][0]) >= 75 * 60 for a, b in week[d]) for d in range(5)
        )
    assert fits.min() == 5


def test_real_hours_of_helsinki_come_through() -> None:
    customers, _ = datasets.load_helsinki()
    source = datasets.helsinki_columns()
    real = datasets.hours_are_real(source["opening_hours"])
    where = {name: i for i, name in enumerate(source["name"].tolist())}
    texts = customers.opening_hours.to_text()
    assert texts[where["Maya Bar & Grill"]] == "Mo-Th 11:00-23:00; Fr 11:00-24:00; Sa 12:00-24:00; Su 13:00-23:00"
    round_the_clock = [
        i for i in np.flatnonzero(real) if any(day == ((0, 86_400),) for day in customers.opening_hours[i])
    ]
    assert {str(source["opening_hours"][i]) for i in round_the_clock} == {"24/7"}


def test_three_places_of_helsinki_cannot_be_visited_at_all() -> None:
    customers, reps = datasets.load_helsinki()
    weeks = [reps.shift[i] for i in range(len(reps))]

    def open_for_a_visit(i: int) -> bool:
        hours, needed = customers.opening_hours[i], customers.service_s[i]
        return any(
            min(b, d) - max(a, c) >= needed
            for week in weeks
            for day in range(7)
            for a, b in hours[day]
            for c, d in week[day]
        )

    never = [str(customers.name[i]) for i in range(len(customers)) if not open_for_a_visit(i)]
    assert never == ["Spun Coffee & Goods", "Red shoe", "Stockmann Roof"]


@pytest.mark.parametrize("load", [*LOADERS.values(), datasets.load_helsinki_network])
def test_loading_is_quick(load: Callable[[], tuple[Customers, Reps]]) -> None:
    times = []
    for _ in range(5):
        start = time.process_time()
        load()
        times.append(time.process_time() - start)
    assert min(times) < 0.3
