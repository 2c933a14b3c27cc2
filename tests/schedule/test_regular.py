"""Like times of day: against all starts and both orders of tiny routes, and on days that can be followed by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.routing.contract.engines import by_library
from tests.routing.oracle import Oracle
from tests.routing.strategies import problems

from territory import Customers, Reps, schedule_visits
from territory.check import check_routing
from territory.errors import InputError
from territory.model.enums import Status
from territory.routing.finish import with_routes
from territory.routing.layout import layout_of
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.routing.solution import TERMS, RoutingSolution
from territory.routing.trial import Trial
from territory.schedule import month
from territory.schedule.regular import regularity_price, steady_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from territory.routing.solution import ShiftRoute

SLACK = 1e-6
#: Of what the oracle times for any starts; a longest duration ties the ends of a day together, see below.
FEATURES = (
    "windows", "several", "holds", "breaks", "overtime", "lateness", "factor", "locked", "freeze", "duration_cost",
    "other_end", "shift_cost", "metres", "baseline", "profiles", "max_drive",
)  # fmt: skip


class Fixed(Oracle):
    """An oracle whose visits start when it is told."""

    def __init__(self, problem: RoutingProblem) -> None:
        super().__init__(problem)
        self.fixed: dict[int, int] = {}
        self.starts_of = lambda v, s: self._starts_of(v, s) & (1 << self.fixed[v])

    def options(self, s: int, visits: Sequence[int]) -> Iterator[tuple[dict[int, int], float]]:
        """Yield the starts and the cost of every way to make a shift's visits in this order, or turned round."""
        locks = len(self.locked(s))
        for order in {tuple(visits), (*visits[:locks], *reversed(visits[locks:]))}:
            may = [[t for t in range(self.top) if self._starts_of(v, s) >> t & 1] for v in order]
            for starts in product(*may):
                if all(b >= a + self.service(v, s) for a, b, v in zip(starts, starts[1:], order, strict=False)):
                    self.fixed = dict(zip(order, starts, strict=True))
                    timed = self._timed(s, order)
                    if timed is not None:
                        yield dict(self.fixed), timed.cost


def apart(starts: dict[int, int], shift: dict[int, int], midnight: Any, group: Any) -> int:
    """Return how far times of day of consecutive visits are apart in all."""
    total = 0
    for g in set(group.tolist()) - {-1}:
        mine = sorted((midnight[shift[v]], shift[v], t) for v, t in starts.items() if group[v] == g)
        clocks = [t - int(begin) for begin, _, t in mine]
        total += sum(abs(b - a) for a, b in pairwise(clocks))
    return total


def cost_of(problem: RoutingProblem, routes: Sequence[ShiftRoute]) -> float:
    """Return what routes cost, as the checker works it out."""
    made = {v for r in routes for v in r.visits}
    nothing = dict.fromkeys(("cadence", "regularity"), 0.0)
    value = sum(float(problem.visits.value[v]) for v in range(problem.n_visits) if v not in made)
    solution = by_hand(problem, routes, nothing | {"unserved": value})
    report = check_routing(problem, solution)
    assert report.ok, str(report)
    return solution.objective - value


def by_hand(problem: RoutingProblem, routes: Sequence[ShiftRoute], terms: dict[str, float]) -> Any:
    made = {v for r in routes for v in r.visits}
    out = tuple((v, -1) for v in range(problem.n_visits) if v not in made)
    lock = {v for row in problem.shifts.locked or () for v in row or ()}
    missing = sum(bool(problem.visits.required[v]) or v in lock for v, _ in out)
    empty = dict.fromkeys(TERMS, 0.0) | terms
    blank = RoutingSolution((), out, 0.0, empty, -np.inf, Status.FEASIBLE, missing)
    return with_routes(layout_of(problem), blank, sorted(routes, key=lambda r: r.shift))


@st.composite
def days(draw: st.DrawFn, features: tuple[str, ...] = FEATURES) -> tuple[Any, ...]:
    """Draw a problem with routes, midnights, and customers with several visits."""
    problem = draw(problems(most_visits=5, most_shifts=3, features=features, most_features=4, least=2))
    r = draw(st.randoms(use_true_random=False))
    trial = Trial(problem)
    locked = [list(row or ()) for row in problem.shifts.locked or [()] * problem.n_shifts]
    rest = [v for v in range(problem.n_visits) if all(v not in row for row in locked)]
    routes = []
    for s in range(problem.n_shifts):
        order = list(locked[s])
        for v in [v for v in rest if r.random() < 0.6]:
            if len(order) < 2 and trial.fits(s, [*order, v]):
                order.append(v)
                rest.remove(v)
        route = trial.route(s, order) if order else None
        if order and route is None:
            assume(False)
        if route is not None:
            routes.append(route)
    assume(routes)
    r.shuffle(routes)
    midnight = np.array([-r.randint(0, 9) for _ in range(problem.n_shifts)])
    group = np.array([r.choice([-1, 0, 0, 0, 1, 1]) for _ in range(problem.n_visits)])
    # each visit of a day at another customer, most often
    for route in routes:
        for v, customer in zip(route.visits, r.sample([0, 1], len(route.visits[:2])), strict=False):
            group[v] = group[v] if r.random() < 0.2 else customer
    return problem, tuple(routes), midnight, group, r.choice([0.5, 1.0, 3.0, 20.0]) * 3600


@settings(max_examples=40)
@given(days())
def test_no_route_alone_can_be_better_and_none_breaks_a_rule(drawn: Any) -> None:
    problem, routes, midnight, group, price = drawn
    more = {"midnight_s": midnight, "price_per_hour": price, "group": group}
    found = steady_times(problem, layout_of(problem), routes, **more)
    assert [(r.shift, set(r.visits)) for r in found] == [(r.shift, set(r.visits)) for r in routes]
    shift = {v: r.shift for r in routes for v in r.visits}
    starts = {v: t for r in found for v, t in zip(r.visits, r.starts, strict=True)}
    regular = regularity_price(problem, found, **more)
    assert regular == pytest.approx(price / 3600 * apart(starts, shift, midnight, group))
    costs = [cost_of(problem, [r]) for r in found]
    before = sum(cost_of(problem, [r]) for r in routes) + regularity_price(problem, routes, **more)
    assert sum(costs) + regular <= before + SLACK
    oracle = Fixed(problem)
    for route, cost in zip(found, costs, strict=True):
        if len({*route.visits} & {v for v in range(len(group)) if group[v] >= 0}) > len(
            {int(group[v]) for v in route.visits if group[v] >= 0}
        ):
            continue  # two visits at one customer on one day are moved one at a time
        for other, its_cost in oracle.options(route.shift, route.visits):
            off = price / 3600 * apart(starts | other, shift, midnight, group)
            assert cost + regular <= its_cost + off + SLACK, (route, other)


@settings(max_examples=40)
@given(days(features=(*FEATURES, "max_duration", "buckets", "eligible", "pins", "unreachable")))
def test_whatever_the_rules_costs_never_rise(drawn: Any) -> None:
    problem, routes, midnight, group, price = drawn
    more = {"midnight_s": midnight, "price_per_hour": price, "group": group}
    for wait in (0.0, 1800.0):
        found = steady_times(problem, layout_of(problem), routes, **more, wait_per_hour=wait)
        now = sum(cost_of(problem, [r]) for r in found) + regularity_price(problem, found, **more)
        assert now <= sum(cost_of(problem, [r]) for r in routes) + regularity_price(problem, routes, **more) + SLACK
        again = steady_times(problem, layout_of(problem), routes[::-1], **more, wait_per_hour=wait)
        assert again == found[::-1]


@settings(max_examples=25)
@given(problems(most_visits=4, most_shifts=3), st.integers(0, 5))
def test_answers_of_engines_stay_right(problem: Any, late: int) -> None:
    try:
        solution = by_library("search", problem)
    except Exception:  # noqa: BLE001 - problems without any answer are tested elsewhere
        assume(False)
    layout = layout_of(problem)
    midnight = -late * np.arange(problem.n_shifts)
    group = np.arange(problem.n_visits) // 2
    found = steady_times(problem, layout, solution.routes, midnight_s=midnight, price_per_hour=7200.0, group=group)
    new = with_routes(layout, solution, found)
    report = check_routing(problem, replace(new, bound=-np.inf, status="feasible"))
    assert report.ok, str(report)


# --- by hand: places on a line, 10 s apart, days of 1000 s

LINE = 10 * abs(np.arange(6)[:, None] - np.arange(6)[None, :])


def week(place: list[int], n_days: int, **columns: Any) -> RoutingProblem:
    visits = {k: x for k, x in columns.items() if k in ("windows", "service_s", "late_cost", "due_s")}
    shifts = {k: x for k, x in columns.items() if k not in visits}
    begin = 1000 * np.arange(n_days)
    return RoutingProblem(
        durations_s=LINE, visits=VisitArrays(place=place, **visits),
        shifts=ShiftArrays(
            start_place=[0] * n_days, begin_s=begin, end_s=begin + 400, day=np.arange(n_days), **shifts,
        ),
    )  # fmt: skip


def steady(problem: RoutingProblem, orders: dict[int, list[int]], group: list[int], price: float = 3600.0,
           **more: Any) -> tuple[ShiftRoute, ...]:  # fmt: skip
    trial = Trial(problem)
    routes = [trial.route(s, order) for s, order in orders.items()]
    more = {"midnight_s": 1000 * np.arange(problem.n_shifts), "price_per_hour": price, "group": np.array(group)} | more
    return steady_times(problem, layout_of(problem), routes, **more)


def clocks(routes: Sequence[ShiftRoute]) -> list[list[int]]:
    return [[t % 1000 for t in r.starts] for r in routes]


def test_a_day_waits_for_the_time_its_customer_is_used_to() -> None:
    problem = week([1, 1, 1], 3, windows=[None, [(1200, 1210)], None])
    assert clocks(steady(problem, {0: [0], 1: [1], 2: [2]}, [0, 0, 0])) == [[200], [200], [200]]


def test_a_day_turns_round_where_the_way_back_is_no_dearer() -> None:
    # both orders drive 100 s; on the second day the visits have the first day's places, in the other order
    problem = week([1, 5, 5, 1], 2, service_s=[60] * 4)
    found = steady(problem, {0: [0, 1], 1: [2, 3]}, [0, 1, 1, 0])
    assert [r.visits for r in found] in ([(1, 0), (2, 3)], [(0, 1), (3, 2)])
    assert clocks(found) in ([[50, 150]] * 2, [[10, 110]] * 2)
    # and is as given where nothing is gained by it
    assert [r.visits for r in steady(problem, {0: [0, 1], 1: [2, 3]}, [0, 1, 2, 3])] == [(0, 1), (2, 3)]


@pytest.mark.parametrize(("price", "second"), [(460.0, (2, 3)), (480.0, (3, 2))])
def test_a_dearer_order_must_gain_what_it_costs(price: float, second: tuple[int, ...]) -> None:
    # from 1 to 5 the way is 30 s longer than back; turned round, the second day saves 230 s of difference
    drive = LINE.copy()
    drive[1, 5] += 30
    windows = [[(10, 10)], [(140, 140)], None, None]
    problem = replace(week([1, 5, 5, 1], 2, service_s=[60] * 4, windows=windows), durations_s=drive)
    found = steady(problem, {0: [0, 1], 1: [2, 3]}, [0, 1, 1, 0], price)
    assert (found[1].visits, found[1].drive_s) == (second, 100 if second == (2, 3) else 130)


def test_half_of_the_days_move_together() -> None:
    # one day alone gains nothing: two stand at 50, two at 150
    windows = [[(50, 150)], [(1050, 1150)], [(2150, 2350)], [(3150, 3350)]]
    problem = week([1] * 4, 4, windows=windows)
    assert clocks(steady(problem, {s: [s] for s in range(4)}, [0] * 4)) == [[150]] * 4


def test_a_break_moves_with_the_visits() -> None:
    problem = week([1, 2, 1, 2], 2, windows=[[(10, 10)], [(200, 210)], None, None],
                   breaks=[None, [(50, 1080, 1180)]])  # fmt: skip
    found = steady(problem, {0: [0, 1], 1: [2, 3]}, [0, 1, 0, 1])
    assert clocks(found) == [[10, 200], [10, 200]]
    assert check_break(found[1])


def check_break(route: ShiftRoute) -> bool:
    (rest,) = route.break_starts
    return 1080 <= rest <= 1130


def test_the_day_grows_no_longer_than_it_may_and_waiting_has_its_price() -> None:
    windows = [[(20, 20)], [(300, 300)], None, None]
    orders, group = {0: [0, 1], 1: [2, 3]}, [0, 1, 0, 1]
    free = steady(week([1, 2, 1, 2], 2, windows=windows), orders, group)
    assert clocks(free) == [[20, 300], [20, 300]]
    short = steady(week([1, 2, 1, 2], 2, windows=windows, max_duration_s=[400, 100]), orders, group)
    assert short[1].back - short[1].leave <= 100
    # as near to both as a day of 100 s can be
    assert abs(clocks(short)[1][0] - 20) + abs(clocks(short)[1][1] - 300) == 210
    # an hour of waiting costs twice what an hour of difference costs
    dear = steady(week([1, 2, 1, 2], 2, windows=windows), orders, group, wait_per_hour=7200.0)
    assert dear[1].back - dear[1].leave == 40


def test_visits_without_a_customer_or_with_one_visit_are_left_alone() -> None:
    problem = week([1, 1], 2, windows=[[(200, 210)], None])
    for group in ([-1, -1], [0, 1], [-1, 0]):
        assert clocks(steady(problem, {0: [0], 1: [1]}, group)) == [[200], [10]]
    assert clocks(steady(problem, {0: [0], 1: [1]}, [0, 0], price=0.0)) == [[200], [10]]


def test_a_rhythm_is_its_own_customer() -> None:
    problem = RoutingProblem(
        durations_s=LINE, shifts=ShiftArrays(start_place=[0, 1], begin_s=[0, 1000], end_s=[400, 1400], day=[0, 1]),
        visits=VisitArrays(place=[2], gap_low_days=[1], gap_high_days=[1], gap_days=[1], interval_days=[1.0]),
    )  # fmt: skip
    solution = by_library("search", problem)
    midnight = np.array([0, 1000])
    assert regularity_price(problem, solution.routes, midnight_s=midnight, price_per_hour=3600.0) == 10.0
    found = steady_times(problem, layout_of(problem), solution.routes, midnight_s=midnight, price_per_hour=3600.0)
    assert clocks(found) == [[20], [20]]


def test_joint_visits_keep_their_start() -> None:
    problem = RoutingProblem(
        durations_s=LINE, joint=[[0, 1]],
        visits=VisitArrays(place=[1, 1, 1], windows=[None, [(100, 300)], [(350, 360)]]),
        shifts=ShiftArrays(start_place=[0] * 3, begin_s=[0, 0, 0], end_s=[400] * 3, day=[0, 0, 0]),
        eligible=np.eye(3, dtype=bool),
    )  # fmt: skip
    solution = by_library("search", problem)
    found = steady_times(problem, layout_of(problem), solution.routes, midnight_s=np.zeros(3, int),
                         price_per_hour=60.0, group=np.array([0, 1, 0]))  # fmt: skip
    assert found[0].starts == found[1].starts == solution.routes[0].starts


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"midnight_s": [0]}, "wrong-shape"),
        ({"midnight_s": [0.5, 1.0]}, "wrong-shape"),
        ({"group": [0, 1, 2]}, "wrong-shape"),
        ({"price_per_hour": -1.0}, "negative"),
        ({"price_per_hour": float("nan")}, "not-finite"),
        ({"price_per_hour": float("inf")}, "not-finite"),
        ({"wait_per_hour": -1.0}, "negative"),
        ({"wait_per_hour": float("nan")}, "not-finite"),
    ],
)
def test_wrong_prices_and_columns_are_named(columns: dict[str, Any], code: str) -> None:
    problem = week([1, 1], 2)
    with pytest.raises(InputError) as caught:
        steady_times(problem, layout_of(problem), [], **{"midnight_s": [0, 0], "price_per_hour": 1.0, **columns})
    assert caught.value.codes == (code,)
    assert [p.column for p in caught.value.problems] == list(columns)


def test_no_routes_stay_none() -> None:
    problem = week([1], 1)
    assert steady_times(problem, layout_of(problem), [], midnight_s=np.zeros(1, int), price_per_hour=5.0) == ()


def test_a_layout_is_not_written_to() -> None:
    problem = week([1, 1], 2, windows=[[(200, 210)], None])
    layout = layout_of(problem)
    before = [np.array(x) for x in layout]
    trial = Trial(problem)
    routes = [trial.route(0, [0]), trial.route(1, [1])]
    more = {"midnight_s": np.array([0, 1000]), "price_per_hour": 3600.0, "group": np.array([0, 0])}
    assert steady_times(problem, layout, routes, **more) != tuple(routes)
    assert all(np.array_equal(a, b) for a, b in zip(before, layout, strict=True))


def test_a_deadline_that_is_over_leaves_all_as_it_is():
    customers, reps = a_quarter()
    asked = {"start": "2026-01-05", "weeks": 13, "iterations": 1}
    plan = schedule_visits(customers, reps, time_price_s=0.0, **asked)
    assert stops_of(plan) != stops_of(schedule_visits(customers, reps, **asked)), "like times are worth something"
    seen = []

    def steady(*args, **options):
        found = steady_times(*args, **{**options, "deadline": 0.0})
        seen.append(found == tuple(args[2]))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(month, "steady_times", steady)
        assert stops_of(schedule_visits(customers, reps, **asked)) == stops_of(plan)
    assert seen == [True]


def test_like_times_keep_to_the_time_limit():
    customers, reps = a_quarter()
    asked = {"start": "2026-01-05", "weeks": 13, "iterations": 10**6}
    schedule_visits(customers, reps, **asked, time_limit_s=0.1)
    began = process_time()
    plan = schedule_visits(customers, reps, **asked, time_limit_s=0.5)
    assert process_time() - began <= 0.5 * 1.1 + 0.2
    assert plan.status is Status.TIME_LIMIT


def a_quarter():
    rng = np.random.default_rng(0)
    n = 100
    customers = Customers(
        id=[f"c{i}" for i in range(n)], lon=9 + rng.normal(0, 0.5, n), lat=50 + rng.normal(0, 0.4, n),
        visit_interval_days=rng.choice([7.0, 14.0, 28.0], n),
    )  # fmt: skip
    return customers, Reps(id=["R1"], lon=[9.0], lat=[50.0])


def stops_of(plan):
    return list(zip(plan.stops.customer_idx.tolist(), plan.stops.start.tolist(), strict=True))
