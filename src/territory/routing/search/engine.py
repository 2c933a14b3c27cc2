"""The search engine: ruin and recreate on one problem, with independent restarts."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.compiled.tables import Tables
from territory.model.enums import Status
from territory.routing.finish import finish
from territory.routing.layout import (
    LAYOUT_ARRAYS,
    ONCE,
    RHYTHM,
    S_DAY,
    S_LOCK0,
    S_LOCK1,
    V_KIND,
    V_LINKED,
    Layout,
    layout_of,
)
from territory.routing.locks import misfit
from territory.routing.ortools.pool import PoolRoute
from territory.routing.rhythm import best_chain, chain_rates, sure_gain
from territory.routing.search.anneal import anneal, fill, remember_all, restart
from territory.routing.search.effort import CHOOSING, FEW_MISSING, MANY_LEFT, MANY_MISSING, Effort
from territory.routing.search.rates import leg_cost, lure_rate, missing_share, nights_away, over_rate
from territory.routing.search.state import C_POOL, F_BEST, F_EXTRA_RATE, F_OVER_RATE, State, new_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from territory.routing.problem import RoutingProblem
    from territory.routing.solution import RoutingSolution

__all__ = ["Effort", "solve"]


#: Chances of the orders in which visits are put back: load, far, near, width, opening, closing, value, worth; random.
_CHANCES: Final = (4.0, 2.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 4.0)
#: How many times the rounds that there is time for are too many to cool by.
_HOPELESS: Final = 4.0
#: Seconds that a kernel runs before the clock, Ctrl-C and the progress callback have their turn.
_SLICE_S: Final = 0.05
_ITERATIONS_WITHOUT_LIMIT: Final = 20_000
#: Steps that measure by how much a step changes the cost.
_TUNING: Final = 200
#: How often the lure is lowered, and sums are taken anew, in a search of so many steps.
_STRIDES: Final = 50
#: Share of the lure that is left at the end.
_LURE_END: Final = 0.05
#: Routes that a search remembers.
_POOL: Final = 4000


@dataclass(slots=True)
class _Run:
    """One search: its state, and what is known after it."""

    layout: Layout
    state: State
    tables: Tables
    key_sum: NDArray[np.float64]
    effort: Effort
    given: bool
    steps: int = 0
    interrupted: bool = False


def _key_sum(state: State) -> NDArray[np.float64]:
    """Return cumulated chances of the orders; an order in which all are alike has none."""
    chances = [c if np.ptp(k) > 0 else 0.0 for c, k in zip(_CHANCES, state.keys, strict=False)]
    return np.cumsum([*chances, _CHANCES[-1]])


def begin(
    problem: RoutingProblem,
    layout: Layout,
    seed: int,
    start: RoutingSolution | None,
    effort: Effort | None = None,
    pool: int = 0,
) -> _Run:
    """Return a search with first routes.

    Parameters
    ----------
    problem, layout : RoutingProblem, Layout
    seed : int
    start : RoutingSolution, optional
    effort : Effort
    pool : int
        Routes to remember.
    """
    state = new_state(problem, layout, seed, pool=pool)
    tables = Tables((*layout[:LAYOUT_ARRAYS], *state))
    run = _Run(layout, state, tables, _key_sum(state), effort or Effort(), effort is not None)
    state.lost[:] = state.unmade
    routes = {
        s: layout.locked[layout.shift_i[s, S_LOCK0] : layout.shift_i[s, S_LOCK1]].tolist() for s in range(len(state.n))
    }
    if start is not None:
        routes.update({r.shift: list(r.visits) for r in start.routes})
        for r in start.routes:
            for v, t in zip(r.visits, r.starts, strict=True):
                if layout.visit_i[v, V_LINKED]:
                    state.bounds[v] = t - layout.origin
    load_routes(run, routes)
    state.value[F_BEST] = np.inf
    fill(run.tables.table, run.key_sum)
    remember_all(run.tables.table)
    left = np.count_nonzero((state.at.max(axis=1) < 0) & (problem.visits.value > 0))
    if not run.given and not _recurs(layout) and left >= MANY_LEFT * len(state.lost):
        run.effort = CHOOSING
    return run


def _recurs(layout: Layout) -> bool:
    """Return whether visits have cadences."""
    return bool((layout.visit_i[:, V_KIND] != ONCE).any())


def load_routes(run: _Run, routes: dict[int, list[int]]) -> None:
    """Set the routes of a state, and what its visits cost apart from them."""
    state, layout = run.state, run.layout
    state.at[:] = -1
    for s, visits in routes.items():
        state.n[s] = len(visits)
        state.row[s, : len(visits)] = visits
        for v in visits:
            column = int(layout.shift_i[s, S_DAY]) if layout.visit_i[v, V_KIND] != ONCE else 0
            state.at[v, column] = s
    restart(run.tables.table)
    set_lost(state, layout)


def set_lost(state: State, layout: Layout) -> None:
    """Set what each visit costs apart from routes."""
    for v in range(len(state.lost)):
        days = np.flatnonzero(state.at[v] >= 0)
        kind = layout.visit_i[v, V_KIND]
        if kind == RHYTHM:
            cost = np.full(layout.days, np.inf)
            sure = sure_gain(layout, v, float(state.weight[v]))
            cost[days] = -sure
            total = best_chain(
                layout.visit_i[v], *chain_rates(layout, v), layout.days, cost, state.weight[v], state.reach,
                state.before, state.chain,
            )[1]  # fmt: skip
            state.lost[v] = total + sure * len(days)
        elif len(days) == 0:
            state.lost[v] = state.unmade[v]
        elif kind == ONCE:
            state.lost[v] = 0.0
        else:
            made = np.zeros(layout.days, np.bool_)
            made[days] = True
            rows = slice(int(layout.visit_i[v, 6]), int(layout.visit_i[v, 7]))
            same = (layout.pattern[rows] == made).all(axis=1)
            state.lost[v] = float(layout.pattern_cost[rows][same].min()) if same.any() else state.unmade[v]


def work(
    run: _Run,
    *,
    deadline: float | None,
    began: float,
    iterations: int | None,
    on_slice: Callable[[float, float], bool] | None = None,
) -> None:
    """Run a search to its limit.

    Parameters
    ----------
    run : _Run
    deadline, began : float
        Monotonic seconds.
    iterations : int, optional
    on_slice : callable, optional
        Called with the share done and the best cost; returns whether to go on.
    """
    e, layout, state = run.effort, run.layout, run.state
    if len(state.lost) == 0 or len(state.n) == 0:
        return
    limit = iterations if iterations is not None else (None if deadline is not None else _ITERATIONS_WITHOUT_LIMIT)
    cadences = _recurs(layout)
    started = monotonic()

    def steps(count: int, base: float, share: float, hot: float, cold: float, spread: float, tails: float) -> float:
        change = anneal(
            run.tables.table, run.steps, count, base, share, cycles, hot, cold, e.average, e.longest, spread, tails,
            e.around if cadences else 0.0, e.pool, e.blink, run.key_sum, e.one_day if cadences else 0.0,
        )  # fmt: skip
        run.steps += count
        return float(change)

    cycles = 1.0
    change = steps(_TUNING if limit is None else min(_TUNING, limit), 0.0, 0.0, 1e-9, 1e-9, 1.0, 0.0)
    if cadences and not run.given and missing_share(layout, state) >= MANY_MISSING:
        e = run.effort = CHOOSING
    leg = leg_cost(layout, state)
    hot, cold = _heat(e, leg, change)
    lure = lure_rate(layout, state, e.lure)
    speed = _TUNING / max(monotonic() - started, 1e-6)
    if limit is not None and deadline is not None and limit > _HOPELESS * speed * max(deadline - monotonic(), 0.0):
        # time will be up long before: a search that cools by rounds would end hot
        limit = None
    whole = limit if limit is not None else speed * max((deadline or 0.0) - monotonic(), 0.0)
    cycles = float(max(1, min(e.most_cycles, whole // (e.cycle * len(state.lost)))))
    span_s = 1.0 if deadline is None else max(deadline - began, 1e-9)
    # the lure changes at fixed steps: clocks may cut the work into slices, but not change it
    stride = max(1, (_ITERATIONS_WITHOUT_LIMIT if limit is None else limit) // int(_STRIDES * cycles))
    over = over_rate(layout, leg, e.over) if cadences else 0.0

    def settle(done: float) -> None:
        """Fit the search to what is missing, set its own costs of driving and of overload, and sum up all anew."""
        nonlocal e, hot, cold
        if cadences and not run.given and e is CHOOSING and missing_share(layout, state) <= FEW_MISSING:
            # of cadences most of what has no place at first has one soon; back again would be a hot restart
            e = run.effort = Effort()
        hot, cold = _heat(e, leg, change)
        state.value[F_EXTRA_RATE] = _lure(run, lure, done)
        state.value[F_OVER_RATE] = over * (e.over_growth ** (done * cycles % 1.0)) if e.by_legs else 0.0
        restart(run.tables.table)

    count, turn = 100, 0
    while deadline is None or monotonic() < deadline:
        now = monotonic()
        if limit is None:
            done = (now - began) / span_s
            share = max(done, 1e-6) / run.steps
            base = done - share * run.steps
        else:
            done, base, share = run.steps / limit, 0.0, 1.0 / limit
            if run.steps >= limit:
                break
            if run.steps >= turn:
                turn = run.steps + stride
                settle(done)
            count = min(count, turn - run.steps, limit - run.steps)
        if limit is None:
            settle(done)
        steps(count, base, share, hot, cold, e.spread, e.tails)
        took = monotonic() - now
        count = int(max(20, min(100_000, count * min(2.0, _SLICE_S / max(took, 1e-6)))))
        if on_slice is not None and not on_slice(done, float(state.value[F_BEST])):
            break


def _heat(effort: Effort, leg: float, change: float) -> tuple[float, float]:
    """Return the temperatures, from what a leg costs or from the mean change of cost by a step."""
    unit = leg if effort.by_legs and leg > 0.0 else change
    return max(effort.hot * unit, 1e-9), max(effort.cold * unit, 1e-9)


def _lure(run: _Run, rate: float, done: float) -> float:
    """Return the lure at a share of the search: it falls, and with cadences it is only there while visits are missing.

    Beside visits that are worth a hundred legs it drowns the temperatures, which are shares of a leg. Where days begin
    where others end it stays: a night away pays only after its days were drawn together.
    """
    much = float(rate * _LURE_END**done)
    if much == 0.0 or not _recurs(run.layout) or nights_away(run.layout):
        return much
    part = (missing_share(run.layout, run.state) - FEW_MISSING) / (MANY_MISSING - FEW_MISSING)
    return much * min(1.0, max(0.0, part))


def orders_of(run: _Run) -> dict[int, list[int]]:
    """Return the best routes of a search."""
    state = run.state
    return {s: state.best_row[s, : state.best_n[s]].tolist() for s in np.flatnonzero(state.best_n).tolist()}


def pool_of(run: _Run) -> list[PoolRoute]:
    """Return the routes that a search remembers."""
    state = run.state
    n = min(int(state.counts[C_POOL]), len(state.pool))
    return [
        PoolRoute(s, tuple(row[:m]), cost)
        for (s, m, *row), cost in zip(state.pool[:n].tolist(), state.pool_cost[:n].tolist(), strict=True)
    ]


def solve(
    problem: RoutingProblem,
    *,
    layout: Layout | None = None,
    time_limit_s: float | None = None,
    iterations: int | None = None,
    rng: int = 0,
    start: RoutingSolution | None = None,
    on_progress: Callable[[str, float], None] | None = None,
    n_jobs: int = 1,
    effort: Effort | None = None,
    pool: list[PoolRoute] | None = None,
) -> RoutingSolution:
    """Search for good routes.

    Parameters
    ----------
    problem : RoutingProblem
    layout : Layout, optional
        Of the problem, where it is at hand.
    time_limit_s : float, optional
        Seconds.
    iterations : int, optional
        Steps of each restart; the answer then depends on nothing but problem, seed and jobs, unless the
        time limit comes first. Default without a time limit: 20,000.
    rng : int
        Seed.
    start : RoutingSolution, optional
        Routes to begin with; the answer is no worse.
    on_progress : callable, optional
        Called with "search" and the best cost so far.
    n_jobs : int
        Restarts, one a thread; -1: one a core. The best counts.
    effort : Effort, optional
    pool : list, optional
        Out: routes that the search met.

    Returns
    -------
    RoutingSolution
        Without bound.
    """
    began = monotonic()
    deadline = None if time_limit_s is None else began + time_limit_s
    arrays = layout_of(problem) if layout is None else layout
    if problem.n_visits == 0 or problem.n_shifts == 0:
        nothing = finish(problem, arrays, {})
        if nothing is not None:
            return nothing
    jobs = (os.cpu_count() or 1) if n_jobs == -1 else n_jobs
    seeds = [rng] if jobs == 1 else [int(x) for x in np.random.SeedSequence(rng).generate_state(jobs)]
    size = 0 if pool is None else _POOL
    runs = [begin(problem, arrays, seed, start, effort, size) for seed in seeds]
    ended = Event()

    def on_slice(_share: float, best: float) -> bool:
        # callbacks come from the caller's own thread only
        if on_progress is not None and jobs == 1:
            on_progress("search", best)
        return not ended.is_set()

    def go(run: _Run) -> None:
        work(run, deadline=deadline, began=began, iterations=iterations, on_slice=on_slice)

    interrupted = False
    try:
        if jobs == 1:
            go(runs[0])
        else:
            _together(go, runs, ended, on_progress)
    except KeyboardInterrupt:
        interrupted = True
    best = min(runs, key=lambda r: float(r.state.value[F_BEST]))
    if pool is not None:
        for run in runs:
            pool += pool_of(run)
    late = deadline is not None and monotonic() >= deadline
    status = Status.INTERRUPTED if interrupted else Status.TIME_LIMIT if late else Status.FEASIBLE
    found = finish(
        problem, arrays, orders_of(best), bounds=best.state.best_bounds, iterations=sum(r.steps for r in runs),
        status=status,
    )  # fmt: skip
    if found is None:
        msg = "do not fit their shift, in their order, after the freeze"
        raise misfit(msg)
    return found


def _together(
    go: Callable[[_Run], None], runs: Sequence[_Run], ended: Event, on_progress: Callable[[str, float], None] | None
) -> None:
    """Run searches in threads; kernels hold no lock, so they do not wait for each other."""
    with ThreadPoolExecutor(len(runs)) as pool:
        futures = [pool.submit(go, run) for run in runs]
        try:
            while wait(futures, timeout=0.1).not_done:
                if on_progress is not None:
                    on_progress("search", min(float(r.state.value[F_BEST]) for r in runs))
            for future in futures:
                future.result()
        finally:
            ended.set()
