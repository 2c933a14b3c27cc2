"""Overnight tours, on cases that can be worked out by hand or by trying everything."""

from __future__ import annotations

from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from territory import Customers, InputError, Reps, Visits, check_plan, schedule_visits
from territory.model import Hotels
from territory.travel import MatrixTravel

MONDAY = "2026-01-05"
#: One place further is ten minutes and ten kilometres.
STEP_S, STEP_KM = 600, 10


def world(x, *, hotels=(), prices=None, home=(0,), service_h=4, customers=None, **rep):
    """Make customers at places of a line, reps, hotels and the travel between them; a visit takes half a day."""
    n, r = len(x), len(home)
    columns = {"service_s": [3600.0 * service_h] * n, **(customers or {})}
    people = Customers(id=[f"c{i}" for i in range(n)], lon=[10 + v / 100 for v in x], lat=[50.0] * n, **columns)
    reps = Reps(
        id=[f"R{i}" for i in range(r)], lon=[10 + v / 100 for v in home], lat=[50.0] * r,
        **{name: [value] * r for name, value in rep.items()},
    )  # fmt: skip
    inns = None
    if len(hotels):
        inns = Hotels(
            id=[f"H{i}" for i in range(len(hotels))], lon=[10 + v / 100 for v in hotels], lat=[50.0] * len(hotels),
            cost=prices,
        )  # fmt: skip
    place = np.array([*x, *home, *hotels], np.float64)
    apart = np.abs(place[:, None] - place[None, :])
    travel = MatrixTravel(
        STEP_S * apart, 1000 * STEP_KM * apart, customer_ids=people.id.tolist(), rep_ids=reps.id.tolist(),
        hotel_ids=[] if inns is None else inns.id.tolist(),
    )  # fmt: skip
    return {"customers": people, "reps": reps, "hotels": inns, "travel": travel}


def planned(made, *, weeks=1, nights="allowed", **options):
    hotels = made["hotels"] if nights == "allowed" else None
    return schedule_visits(
        made["customers"], made["reps"], start=MONDAY, weeks=weeks, travel=made["travel"], hotels=hotels,
        nights=nights, objective="cost", **{"iterations": 300, **options},
    )  # fmt: skip


def money(plan):
    """Return what a plan costs, from its tables."""
    reps, routes = plan.reps, plan.routes

    def of(column):
        values = getattr(reps, column)
        return np.zeros(len(routes)) if values is None else values[routes.rep_idx]

    driven = of("cost_per_hour") * routes.drive_s / 3600 + of("cost_per_km") * routes.distance_m / 1000
    return float((driven + of("cost_per_day")).sum()) + (0.0 if plan.nights is None else float(plan.nights.cost.sum()))


def evenings(plan):
    return plan.nights.day.astype(str).tolist()


# -- when it pays ------------------------------------------------------------------------------

#: Two visits of half a day at 10 and 11: home and back twice is 42 steps, with a night between them 22.
SAVED_H, SAVED_KM = 20 * STEP_S / 3600, 20 * STEP_KM
RATES = {
    "hours and kilometres": ({"cost_per_hour": 30.0, "cost_per_km": 0.5}, 30.0 * SAVED_H + 0.5 * SAVED_KM),
    "hours": ({"cost_per_hour": 42.0}, 42.0 * SAVED_H),
    "kilometres": ({"cost_per_km": 0.7}, 0.7 * SAVED_KM),
    "a price of days, too": ({"cost_per_hour": 42.0, "cost_per_day": 500.0}, 42.0 * SAVED_H),
}


@pytest.mark.parametrize("rates", RATES)
def test_the_night_is_had_below_the_break_even_and_not_above(rates):
    columns, worth = RATES[rates]
    for bed, nights in ((worth - 35.05, 1), (worth - 34.95, 0)):
        plan = planned(world([10, 11], hotel_cost=bed, meal_cost=35.0, **columns))
        assert len(plan.nights) == nights, f"{bed + 35} against {worth}"
        assert len(plan.routes) == 2
        assert plan.drive_s == STEP_S * (22 if nights else 42)
        assert plan.nights.cost.tolist() == [pytest.approx(bed + 35.0)] * nights


def test_the_hotel_beats_the_town_from_its_own_break_even_on():
    # visits at 10 and 13, a hotel at 8: two steps further on both days, four in all, are 4 * 600 s * 36 / h = 24
    for price, where in ((55.9, "H0"), (56.1, "")):
        plan = planned(world([10, 13], hotels=[8], prices=[price], hotel_cost=80.0, cost_per_hour=36.0))
        assert plan.nights_dict()["hotel_id"].tolist() == [where]
        assert bool(plan.nights_dict()["customer_id"][0]) is (where == "")


def test_a_hotel_without_a_price_costs_what_the_rep_pays():
    made = world([10, 13], hotels=[11, 12], prices=[np.nan, 70.0], hotel_cost=60.0, overnight_min_km=101.0,
                 cost_per_hour=60.0, customers={"opening_hours": ["Mo-Fr 08:00-17:00"] * 2})  # fmt: skip
    plan = planned(made)
    assert plan.nights.cost.tolist() == [60.0]
    assert planned(world([10, 13], hotels=[11], prices=[40.0], cost_per_hour=60.0)).nights.hotel_idx.tolist() == [0]


def test_with_more_far_visits_the_tour_gets_longer():
    # each night saves 2 * 20 steps = 400 minutes = 6.67 h
    for price, nights in ((66.0, 3), (67.0, 0)):
        plan = planned(world([20] * 4, service_h=2, cost_per_hour=10.0, hotel_cost=price, max_visits_per_day=1))
        assert len(plan.stops) == 4
        assert len(plan.nights) == nights
        assert plan.drive_s == STEP_S * 40 * (4 - nights)


def test_far_visits_come_together_though_they_were_days_apart():
    # near ones are open on Tuesday and Thursday only, and fill these days; far ones stood on the days between
    hours = ["Tu 08:00-17:00", "Th 08:00-17:00", "Mo-Fr 08:00-17:00", "Mo-Fr 08:00-17:00"]
    made = world([1, 1, 12, 13], service_h=4, customers={"opening_hours": hours}, cost_per_hour=60.0, hotel_cost=50.0,
                 max_visits_per_day=1)  # fmt: skip
    plan = planned(made)
    assert len(plan.stops) == 4
    assert evenings(plan) == []
    hours[0] = "Mo,Tu 08:00-17:00"
    made = world([1, 1, 12, 13], service_h=4, customers={"opening_hours": hours}, cost_per_hour=60.0, hotel_cost=50.0,
                 max_visits_per_day=1)  # fmt: skip
    assert evenings(planned(made)) == ["2026-01-06"]


def test_a_night_lets_in_who_is_out_of_reach():
    made = world([30, 31], service_h=2, cost_per_hour=60.0, hotel_cost=1000.0)
    alone = planned(made, nights="never")
    assert alone.unassigned.reason.tolist() == ["out-of-reach"] * 2
    plan = planned(made)
    assert len(plan.stops) == 2
    assert len(plan.nights) == 1


def test_without_a_visit_on_the_other_side_there_is_no_night():
    plan = planned(world([30], service_h=2, cost_per_hour=60.0, hotel_cost=1.0))
    assert len(plan.stops) == len(plan.nights) == 0
    assert plan.unassigned.reason.tolist() == ["out-of-reach"]


# -- limits ------------------------------------------------------------------------------------

FAR = {"cost_per_hour": 60.0, "hotel_cost": 1.0, "max_visits_per_day": 1, "service_h": 2}


@pytest.mark.parametrize(
    ("limits", "nights"),
    [
        ({}, 4),
        ({"max_nights_per_week": 0}, 0),
        ({"max_nights_per_week": 3}, 3),
        ({"max_nights_in_row": 2}, 3),
        ({"max_nights_in_row": 1}, 2),
        ({"max_nights_in_row": 0}, 0),
        ({"max_nights_in_row": 2, "max_nights_per_week": 1}, 1),
        ({"night_weekdays": "Tu,We"}, 2),
        ({"night_weekdays": "Fr-Su"}, 0),
        ({"overnight_min_km": 200.0}, 4),
        ({"overnight_min_km": 200.1}, 0),
        ({"shift": "Mo,We,Fr 08:00-17:00"}, 0),
        ({"office_days": "We"}, 2),
        ({"leave": "2026-01-06"}, 2),
    ],
)
def test_limits_hold(limits, nights):
    plan = planned(world([20] * 5, **{**FAR, **limits}))
    assert len(plan.nights) == nights
    if "night_weekdays" in limits and nights:
        assert evenings(plan) == ["2026-01-06", "2026-01-07"]


def test_a_weekend_is_spent_at_home():
    made = world([20] * 4, **FAR, shift="Fr-Su,Mo 08:00-17:00")
    plan = planned(made, weeks=1)
    assert len(plan.nights) == 2, "from Friday to Sunday; Monday comes before"
    made = world([20] * 4, **FAR, shift="Th,Fr,Mo,Tu 08:00-17:00")
    assert len(planned(made, weeks=2).nights) <= 3


def test_the_week_of_the_evening_counts():
    # five nights in a row from Friday on: Friday to Sunday are one week, Monday and Tuesday the next
    made = world([20] * 10, **FAR, max_nights_per_week=3, shift="Mo-Su 08:00-17:00")
    plan = planned(made, weeks=2, iterations=500)
    weeks = [d.isocalendar()[:2] for d in plan.nights.day.astype(object)]
    assert max(weeks.count(w) for w in weeks) <= 3
    assert len(weeks) >= 5


# -- what has to be given ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "options", "code"),
    [
        ({}, {"objective": "driving"}, "nights-without-cost"),
        ({"hotel_cost": None}, {}, "no-night-price"),
        ({}, {"nights": "sometimes"}, "unknown-option"),
        ({}, {"hotels": "H"}, "wrong-type"),
        ({}, {"nights": "never", "hotels": Hotels(id=["H"], lon=[1.0], lat=[1.0])}, "hotels-unused"),
    ],
)
def test_what_is_missing_is_told(change, options, code):
    columns = {name: value for name, value in {**FAR, **change}.items() if value is not None}
    made = world([20, 20], **columns)
    asked = {"objective": "cost", "nights": "allowed", **options}
    with pytest.raises(InputError) as error:
        schedule_visits(made["customers"], made["reps"], start=MONDAY, travel=made["travel"], **asked)
    assert [p.code for p in error.value.problems] == [code]


def test_hotels_without_any_price_are_refused():
    made = world([20, 20], hotels=[20, 21], prices=[80.0, np.nan], cost_per_km=1.0)
    with pytest.raises(InputError, match="some hotels have no cost"):
        planned(made)


# -- against everything that could be done -----------------------------------------------------


def cheapest(x, price, most_in_row, days=5):
    """Return the least cost of one visit a day on a line, a step costing 1, by trying everything."""
    best = np.inf
    for chosen in combinations(range(days), len(x)):
        for order in permutations(x):
            at = dict(zip(chosen, order, strict=True))
            slots = [d for d in chosen if d + 1 in at]
            for away in product((False, True), repeat=len(slots)):
                nights = {d for d, yes in zip(slots, away, strict=True) if yes}
                if any(all(d + i in nights for i in range(most_in_row + 1)) for d in nights):
                    continue
                # a night at either of the two is as near as any place
                cost = sum(price + abs(at[d] - at[d + 1]) for d in nights)
                cost += sum(abs(at[d]) for d in at if d not in nights)
                cost += sum(abs(at[d]) for d in at if d - 1 not in nights)
                best = min(best, cost)
    return best


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(x=st.lists(st.integers(-9, 9), min_size=2, max_size=5), price=st.integers(0, 18), in_row=st.integers(1, 3))
def test_small_tours_are_the_cheapest(x, price, in_row):
    made = world(x, service_h=6, cost_per_hour=6.0, hotel_cost=price + 0.01, max_nights_in_row=in_row,
                 shift="Mo-Fr 06:00-20:00", max_visits_per_day=1)  # fmt: skip
    plan = planned(made, iterations=200)
    assert len(plan.stops) == len(x)
    assert money(plan) == pytest.approx(cheapest(x, price + 0.01, in_row))


# -- properties --------------------------------------------------------------------------------


@st.composite
def worlds(draw):
    n = draw(st.integers(2, 8))
    home = draw(st.lists(st.integers(-5, 5), min_size=1, max_size=2))
    hotels = draw(st.lists(st.integers(-25, 25), max_size=3))
    limits = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "max_nights_per_week": st.integers(0, 4), "max_nights_in_row": st.integers(0, 3),
                "night_weekdays": st.sampled_from(["Mo", "Tu,Th", "Mo-Th"]),
                "overnight_min_km": st.sampled_from([0.0, 60.0, 150.0]), "meal_cost": st.just(12.5),
                "break_s": st.just(1800.0), "max_overtime_s": st.just(3600.0), "speed_factor": st.just(1.3),
            },
        )
    )  # fmt: skip
    return world(
        draw(st.lists(st.integers(-25, 25), min_size=n, max_size=n)), hotels=hotels, home=tuple(home),
        prices=[draw(st.floats(0, 150)) for _ in hotels] or None, service_h=draw(st.sampled_from([1, 3])),
        customers={"visit_interval_days": draw(st.lists(st.sampled_from([3.0, 7.0, 14.0]), min_size=n, max_size=n))},
        hotel_cost=draw(st.floats(0, 200)), cost_per_hour=draw(st.sampled_from([20.0, 60.0])),
        cost_per_km=draw(st.sampled_from([0.1, 0.4])), **limits,
    )  # fmt: skip


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(made=worlds(), shared=st.booleans())
def test_plans_with_nights_are_right_and_cost_no_more(made, shared):
    options = (
        {"iterations": 60, "weeks": 2, "shared": True} if len(made["reps"]) > 1 else {"iterations": 60, "weeks": 2}
    )
    plan, without = planned(made, **options), planned(made, nights="never", **options)
    report = check_plan(plan, travel=made["travel"])
    assert report.ok, str(report)
    if len(plan.unassigned) == len(without.unassigned):
        assert money(plan) <= money(without) + 1e-6
    assert len(plan.unassigned) <= len(without.unassigned)


def test_neither_the_order_of_rows_nor_names_nor_jobs_matter():
    rng = np.random.default_rng(3)
    x = [float(v) for v in rng.choice(np.arange(-30, 30), 14, replace=False)]
    made = world(x, service_h=2, cost_per_hour=40.0, hotel_cost=45.0)
    plan = planned(made, weeks=2)
    assert len(plan.nights) > 0
    order = rng.permutation(len(x))
    other = world([x[i] for i in order], service_h=2, cost_per_hour=40.0, hotel_cost=45.0)
    again = planned(other, weeks=2)
    assert again.nights.day.tolist() == plan.nights.day.tolist()
    assert again.nights.lon.tolist() == plan.nights.lon.tolist()
    assert again.drive_s == plan.drive_s


def test_joint_visits_and_nights_go_together():
    made = world([20, 20, 21, 21], home=(0, 0), **{**FAR, "max_visits_per_day": 2})
    visits = Visits(id=["v"], customer_id=["c0"], earliest=["2026-01-07"], latest=["2026-01-07"], rep_id=["R0"],
                    second_rep_id=["R1"])  # fmt: skip
    plan = planned(made, visits=visits, shared=True)
    assert (plan.stops.visit_idx >= 0).sum() == 2
    assert len(plan.nights) > 0
