"""The timing of an order against the oracle, which walks through every second."""

from __future__ import annotations

from math import isclose
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.routing.oracle import Oracle, definite
from tests.routing.strategies import FEATURES, problems

from territory.check import check_routing
from territory.model.enums import Status
from territory.routing import clock
from territory.routing.finish import finish, free_bounds
from territory.routing.layout import V_PLACE, layout_of
from territory.routing.timing import backward, evaluate, forward

if TYPE_CHECKING:
    from territory.routing.layout import Layout
    from territory.routing.problem import RoutingProblem

#: What the timing of one order knows nothing of.
SUMS = {"joint", "precedence", "patterns", "rhythm", "required", "shift_cost", "load", "max_visits"}
TIMED = tuple(sorted(set(FEATURES) - SUMS))


@st.composite
def orders(draw: st.DrawFn, **options: Any) -> tuple[RoutingProblem, int, tuple[int, ...]]:
    """Draw a problem, a shift, and an order of some visits that begins with the locked ones."""
    problem = draw(problems(features=TIMED, **options))
    s = draw(st.integers(0, problem.n_shifts - 1))
    locked = Oracle(problem).locked(s)
    others = [v for v in range(problem.n_visits) if v not in locked]
    rest = draw(st.permutations(others))
    order = (*locked, *rest[: draw(st.integers(0, len(rest)))])
    assume(order)
    return problem, s, order


def timed(problem: RoutingProblem, s: int, order: tuple[int, ...]) -> tuple[bool, Any, Any, Any]:
    """Return whether the kernel can time an order; what it says, and starts and breaks on the problem's clock."""
    layout = layout_of(problem)
    free, last = np.empty((9, 9), np.int64), np.empty((9, 9), np.int64)
    starts, rests, out = np.empty(9, np.int64), np.empty(9, np.int64), np.empty(clock.E_COLUMNS)
    visits = np.array(order, np.int64)
    fits = evaluate(layout, free_bounds(layout), s, visits, len(order), free, last, starts, rests, out)
    n = len(Oracle(problem).rests(s))
    return fits, out, starts[: len(order)] + layout.origin, rests[:n]


@settings(max_examples=400)
@given(orders())
def test_an_order_fits_where_the_oracle_says_so(case: Any) -> None:
    problem, s, order = case
    wanted = Oracle(problem).timed(s, order)
    fits, out, _, _ = timed(problem, s, order)
    if len(problem.bucket_starts_s) > 1 and (problem.shifts.max_drive_s[s] < 1000):
        return  # by time of day, the driving time is that of one of several timings
    assert fits == (wanted is not None)
    if wanted is not None:
        assert out[clock.E_BACK] + problem.shifts.begin_s.min() == wanted.back


@settings(max_examples=400)
@given(orders())
def test_an_order_costs_what_the_oracle_says(case: Any) -> None:
    problem, s, order = case
    assume(definite(problem))
    wanted = Oracle(problem).timed(s, order)
    fits, out, starts, _ = timed(problem, s, order)
    assert fits == (wanted is not None)
    if wanted is not None:
        assert out[clock.E_DRIVE] == wanted.drive
        assert isclose(out[clock.E_COST], wanted.cost, abs_tol=1e-9)
        if not any(problem.shifts.breaks or ()):
            assert tuple(starts) == wanted.starts


@settings(max_examples=400)
@given(orders())
def test_timed_orders_pass_the_check(case: Any) -> None:
    problem, s, order = case
    layout = layout_of(problem)
    capacity = problem.shifts.capacity[s]
    assume(sum(problem.visits.load[list(order)]) <= capacity)
    solution = finish(problem, layout, {s: order})
    if solution is None:
        return
    report = check_routing(problem, solution)
    other = [v for v in report if v.code != "required-missing-wrong"]
    assert not other, str(report)
    assert solution.status == Status.FEASIBLE


def insertion_fits(layout: Layout, s: int, order: tuple[int, ...], u: int, i: int) -> bool:
    """Ask the rows of `forward` and `backward` whether visit u can come after i visits."""
    shift = layout.shift_i[s]
    n = int(shift[clock.S_BREAK1] - shift[clock.S_BREAK0])
    m, bounds = len(order), free_bounds(layout)
    free, last = np.empty((m + 1, n + 1), np.int64), np.empty((m + 1, n + 1), np.int64)
    visits = np.array(order, np.int64)
    forward(layout, bounds, s, visits, m, free, 0)
    backward(layout, bounds, s, visits, m, last, int(shift[clock.S_CLOSE]), np.empty(n + 1, np.int64))
    # the route up to the visit, and the visit
    longer = np.array([*order[:i], u], np.int64)
    after = np.empty((i + 2, n + 1), np.int64)
    after[: i + 1] = free[: i + 1]
    forward(layout, bounds, s, longer, i + 1, after, i + 1)
    place = layout.visit_i[u, V_PLACE]
    to = layout.visit_i[order[i], V_PLACE] if i < m else shift[clock.S_END]
    base = int(shift[clock.S_PROFILE]) * len(layout.bucket)
    for k in range(n + 1):
        if after[i + 1, k] < clock.NEVER:
            t, _ = clock.arrival.py_func(layout.drive, layout.bucket, base, place, to, after[i + 1, k])
            if t <= last[i, k]:
                return True
    return False


@settings(max_examples=400)
@given(orders(), st.data())
def test_an_insertion_fits_where_free_and_last_say_so(case: Any, data: st.DataObject) -> None:
    problem, s, order = case
    oracle = Oracle(problem)
    out = [v for v in range(problem.n_visits) if v not in order]
    assume(out)
    assume(oracle.ends(s, order))
    u = data.draw(st.sampled_from(out))
    i = data.draw(st.integers(len(oracle.locked(s)), len(order)))
    longer = (*order[:i], u, *order[i:])
    assert insertion_fits(layout_of(problem), s, order, u, i) == bool(oracle.ends(s, longer))
