"""The nightly batch: rep-days routed, checked and written a second; rep-months, projected from a measured slope.

Instance ``rep-days``: ``--size N`` days (default 2,000) of the 60 reps of `load_germany`, each with 8 to 12 of the 25
town halls nearest to its home, with their opening hours and 20 minutes a visit, drawn by ``--seed``; shifts of
9 hours. Engine ``batch`` is `run_batch` on two workers, from the tables in memory to the Parquet files: its CPU
seconds are those of all processes, with the start of the workers. ``auto``, ``ortools``, ``pyvrp`` and ``vroom`` are
the loop of one worker in this process, from a task's bytes to the bytes of its checked answer, with that solver in
the place of the library's: no start of workers, no files. Budgets a day: OR-Tools 0.1 s, PyVRP 0.02 s, VROOM as long
as it takes. They route every tenth day where there are more than 500. ``objective``: seconds of driving, and 32,401
for each visit that is left out; ``worse_than_batch`` compares it on equal days.

``per_s_two_cores`` is two days (months) over the CPU seconds of one: what two idle cores do in a second.

Instance ``rep-months``: four weeks of ``--size N`` reps (default 500) with their 100 nearest town halls. The slope
between a sixteenth and an eighth of them projects the CPU seconds of all; ``projected_off`` is how far that was from
what all of them took. ``projected_5000_h``: hours of two cores for 5,000 rep-months, by the slope.
"""

from __future__ import annotations

import resource
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow.parquet as pq
from scipy.spatial import cKDTree

from benchmarks.engines import answer_of
from benchmarks.record import Clock, Options, row
from territory import Alignment, Customers, Reps
from territory.batch import DayRequest, MonthRequest, run_batch
from territory.batch.request import travel_bytes
from territory.batch.work import Work, tables_of
from territory.datasets import load_germany
from territory.model.enums import Status
from territory.routing import day as routing_day
from territory.routing.finish import finish
from territory.routing.layout import layout_of

if TYPE_CHECKING:
    from territory.routing.problem import RoutingProblem
    from territory.routing.solution import RoutingSolution

ENGINES = ("batch", "auto", "ortools", "pyvrp", "vroom")
BUDGETS = {"ortools": 0.1, "pyvrp": 0.02, "vroom": None}
SHIFT, SERVICE_S, LEFT_OUT = "Mo-Fr 08:00-17:00", 1200, 9 * 3600 + 1
NEAREST, FEWEST, MOST = 25, 8, 12
#: More days than this: peers route every tenth.
ALL = 500
MONTHS, A_REP, JOBS = 500, 100, 2


def made_days(n: int, seed: int) -> DayRequest:
    """Return the request to route n rep-days of real places."""
    customers, reps = load_germany(n_reps=60)
    rng = np.random.default_rng([seed, n])
    own = Customers(id=customers.id, lon=customers.lon, lat=customers.lat, opening_hours=customers.opening_hours)
    homes = Reps(id=reps.id, lon=reps.lon, lat=reps.lat)
    near = _nearest(own, homes, NEAREST)
    weekdays = np.arange(np.datetime64("2026-01-05"), np.datetime64("2029-01-05"))
    weekdays = weekdays[np.is_busday(weekdays)]
    rep, day, who = [], [], []
    for k in range(n):
        r = k % len(homes)
        some = rng.choice(near[r], rng.integers(FEWEST, MOST + 1), replace=False)
        rep += [r] * len(some)
        day += [weekdays[k // len(homes)]] * len(some)
        who += some.tolist()
    return DayRequest(own, homes, rep, day, who, default_shift=SHIFT, default_service_s=SERVICE_S)


def _nearest(customers: Customers, reps: Reps, k: int) -> np.ndarray:
    scale = np.array([np.cos(np.radians(51.0)), 1.0])
    tree = cKDTree(np.stack([customers.lon, customers.lat], 1) * scale)
    return tree.query(np.stack([reps.lon, reps.lat], 1) * scale, k=k)[1]


class _Spent(Clock):
    """CPU seconds of this process and of those that it started and that have ended."""

    def __enter__(self) -> Self:
        self._children = _children_s()
        super().__enter__()
        return self

    def __exit__(self, *args: object) -> None:
        super().__exit__(*args)
        self.cpu_s += _children_s() - self._children


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _batch(request: Any, spent: Clock) -> tuple[dict[str, Any], Any, Any]:
    """Run a batch; return the figures of its memory, its stops and its unassigned visits."""
    folder = Path(tempfile.mkdtemp())
    try:
        with spent:
            result = run_batch(request, folder / "out", n_jobs=JOBS)
        if result.failures:
            msg = f"tasks failed: {result.failures}"
            raise RuntimeError(msg)
        tables = [
            pq.read_table(folder / "out" / "results" / name) if result.manifest["rows"][name] else None
            for name in ("routes", "unassigned")
        ]  # fmt: skip
    finally:
        shutil.rmtree(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"parent_peak_mb": peak, **result.manifest["rows"]}, *tables


def _costs(routes: Any, unassigned: Any) -> dict[tuple[str, str], float]:
    """Return the objective of each rep-day of a batch."""
    found: dict[tuple[str, str], float] = {}
    for rep, day, drive in zip(*(routes.column(c).to_pylist() for c in ("rep_id", "day", "drive_s")), strict=True):
        found[rep, str(day)] = float(drive)
    if unassigned is not None:
        for rep, day in zip(*(unassigned.column(c).to_pylist() for c in ("rep_id", "day")), strict=True):
            found[rep, str(day)] = found.get((rep, str(day)), 0.0) + LEFT_OUT
    return found


def _solver(engine: str, budget: float | None, seed: int) -> Any:
    """Return a stand-in for `solve_routing` that asks another solver."""

    def solve(problem: RoutingProblem, **_: Any) -> RoutingSolution:
        answer = answer_of(engine, problem, seconds=budget, iterations=None, seed=seed)
        found = finish(problem, layout_of(problem), {route.shift: route.visits for route in answer.routes})
        if found is None:
            msg = f"{engine}: a day that does not fit"
            raise RuntimeError(msg)
        # said to be proven, so that the library does not go on to improve its order
        return replace(found, status=Status.OPTIMAL)

    return solve


def _days(options: Options) -> list[dict[str, Any]]:
    n = options.size or 2000
    request = made_days(n, options.seed)
    params = {"days": n, "candidates": len(request.rep_idx), "jobs": JOBS}
    spent = _Spent()
    figures, routes, unassigned = _batch(request, spent)
    costs = _costs(routes, unassigned)
    results = [
        row("rep-days", "batch", options.seed, params=params, status="done", clock=spent, objective=sum(costs.values()),
            days=n, ms_a_day=1000 * spent.cpu_s / n, per_s_two_cores=JOBS * n / spent.cpu_s,
            per_s_wall=n / spent.wall_s, **figures)
    ]  # fmt: skip
    every = 10 if n > ALL else 1
    tasks = sorted(request.tasks(), key=lambda task: task.key)[::every]
    work = Work(travel_bytes(request.source))
    engines = [e for e in ENGINES[1:] if options.engine in (None, "all", e)]
    return results + [_loop(engine, work, tasks, costs, params, options) for engine in engines]


def _loop(engine: str, work: Work, tasks: Any, costs: Any, params: Any, options: Options) -> dict[str, Any]:
    """Do tasks one by one in this process, as a worker does, with another solver in the place of the library's."""
    budget = options.seconds if options.seconds is not None else BUDGETS.get(engine)
    work.prepare()
    own = routing_day.solve_routing
    if engine != "auto":
        routing_day.solve_routing = _solver(engine, budget, options.seed)  # type: ignore[assignment]
    try:
        work(tasks[0])
        clock = Clock()
        with clock:
            answers = [work(task) for task in tasks]
    finally:
        routing_day.solve_routing = own
    total = 0.0
    for answer in answers:
        total += (answer.cost or 0.0) + LEFT_OUT * len(tables_of(answer.data)[1]["unassigned"]["day"])
    same = sum(costs[tuple(task.key.removeprefix("rep ").split())] for task in tasks)
    return row(
        "rep-days", engine, options.seed, params={**params, "budget_s": budget}, status="feasible", clock=clock,
        objective=total, same_days=same, worse_than_batch=total / same - 1, days=len(tasks),
        ms_a_day=1000 * clock.cpu_s / len(tasks), per_s_two_cores=JOBS * len(tasks) / clock.cpu_s,
    )  # fmt: skip


def made_months(n: int, seed: int) -> MonthRequest:
    """Return the request to plan four weeks of n reps, each with its own 100 town halls.

    Beyond the 60 homes of the dataset reps live at town halls; who is near several reps is a customer of each.
    """
    customers, _ = load_germany(n_reps=60)
    rng = np.random.default_rng([seed, n])
    homes = rng.choice(len(customers), n, replace=False)
    reps = Reps(id=[f"R{k:04}" for k in range(n)], lon=customers.lon[homes], lat=customers.lat[homes])
    near = _nearest(customers, reps, A_REP + 1)[:, 1:].ravel()
    who = np.repeat(np.arange(n), A_REP)
    own = Customers(
        id=[f"{k:04}-{i}" for k, i in zip(who.tolist(), near.tolist(), strict=True)], lon=customers.lon[near],
        lat=customers.lat[near], visit_interval_days=rng.choice([14.0, 28.0], len(near)), owner=reps.id[who],
        service_s=np.full(len(near), float(SERVICE_S)),
    )  # fmt: skip
    return MonthRequest(own, reps, Alignment.from_owners(own, reps), start="2026-01-05", weeks=4, rng=seed)


def _months(options: Options) -> list[dict[str, Any]]:
    n = options.size or MONTHS
    spent = {}
    results = []
    for some in (max(1, n // 16), max(2, n // 8), n):
        clock = _Spent()
        began = time.perf_counter()
        figures, _, _ = _batch(made_months(some, options.seed), clock)
        spent[some] = clock.cpu_s
        results.append(
            row("rep-months", "batch", options.seed, params={"reps": some, "customers": A_REP, "jobs": JOBS},
                status="done", clock=clock, s_a_month=clock.cpu_s / some, per_s_two_cores=JOBS * some / clock.cpu_s,
                whole_s=time.perf_counter() - began, **figures)
        )  # fmt: skip
    (a, cpu_a), (b, cpu_b), (c, cpu_c) = spent.items()
    slope = (cpu_b - cpu_a) / (b - a)
    projected = cpu_b + slope * (c - b)
    results[-1] |= {
        "slope_s": slope, "projected_cpu_s": projected, "projected_off": projected / cpu_c - 1,
        "projected_5000_h": (cpu_b + slope * (5000 - b)) / JOBS / 3600,
    }  # fmt: skip
    return results


def run(options: Options) -> list[dict[str, Any]]:
    """Measure the batch."""
    options.takes("batch", "size", "seconds", "engine")
    found = _days(options) if options.wants("rep-days") else []
    return found + (_months(options) if options.wants("rep-months") else [])
