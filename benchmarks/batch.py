"""The nightly batch: rep-days routed, checked and written a second; rep-months, projected from a measured slope.

Instance ``rep-days``: ``--size N`` days (default 2,000) of the 60 reps of `load_germany`, each with 8 to 12 of the 25
town halls nearest to its home, with their opening hours and 20 minutes a visit, drawn by ``--seed``; shifts of
9 hours. Engine ``batch`` is `run_batch` on two workers, from the tables in memory to the Parquet files: its CPU
seconds are those of all processes, with the start of the workers. ``ortools``, ``pyvrp`` and ``vroom`` are a plain loop
over those solvers in one process, from the same problems, ready made: no tables, no check, no file. Budgets a day:
OR-Tools 0.1 s, PyVRP 0.02 s, VROOM as long as it takes. They route every tenth day where there are more than 500;
``objective`` and ``same_days`` compare equal days: seconds of driving, and 32,401 for each visit that is left out.

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
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow.parquet as pq
from scipy.spatial import cKDTree

from benchmarks.engines import PEERS, answer_of, warm_up
from benchmarks.record import Clock, Options, row
from territory import Alignment, Customers, GreatCircle, PlanSettings, Reps
from territory.batch import DayRequest, MonthRequest, run_batch
from territory.datasets import load_germany
from territory.routing.board import lone, usual_calls
from territory.routing.desk import Desk

if TYPE_CHECKING:
    from territory.routing.problem import RoutingProblem

ENGINES = ("batch", "ortools", "pyvrp", "vroom")
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


def problems_of(request: DayRequest, every: int) -> dict[tuple[str, str], tuple[RoutingProblem, int]]:
    """Return the routing problem of every so many rep-days, and how many candidates cannot be visited at all."""
    rep, who = np.asarray(request.rep_idx), np.asarray(request.customer_idx)
    day = np.asarray(request.day, "M8[D]")
    found = {}
    for number, (r, d) in enumerate(sorted(set(zip(rep.tolist(), day.tolist(), strict=True)), key=lambda x: x[::-1])):
        if number % every:
            continue
        rows = who[(rep == r) & (day == np.datetime64(d))].astype(np.int32)
        settings = PlanSettings(
            np.datetime64(d), 1, np.array([], "M8[D]"), default_shift=SHIFT, default_service_s=SERVICE_S, cadence=False
        )
        desk = Desk(request.customers, request.reps, r, np.sort(rows), settings, GreatCircle())
        board = lone(desk)
        can = [v for v in range(len(rows)) if desk.windows(v, 0)]
        if can:
            found[str(request.reps.id[r]), str(d)] = board.problem(usual_calls(board, can)), len(rows) - len(can)
    return found


def _verified(problem: RoutingProblem, routes: Any, closed: int) -> float:
    """Return the objective of a day, gone through with a clock; raises `RuntimeError` where it does not fit."""
    visits, shifts = problem.visits, problem.shifts
    made = [v for route in routes for v in route.visits]
    drive = 0
    for route in routes:
        at, now = int(shifts.start_place[0]), int(shifts.begin_s[0])
        for v, start in zip(route.visits, route.starts, strict=True):
            way = int(problem.durations_s[0, 0][at, visits.place[v]])
            if start < now + way or not any(low <= start <= high for low, high in visits.windows[v]):
                msg = f"visit {v} cannot start at {start}"
                raise RuntimeError(msg)
            drive, at, now = drive + way, int(visits.place[v]), start + int(visits.service_s[v])
        back = int(problem.durations_s[0, 0][at, shifts.end_place[0]])
        drive += back
        if now + back > int(shifts.end_s[0]) or len(set(made)) < len(made):
            msg = "the day does not end in time, or visits somebody twice"
            raise RuntimeError(msg)
    return float(drive + LEFT_OUT * (problem.n_visits - len(made) + closed))


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
    engines = [e for e in ENGINES[1:] if options.engine in (None, "all", e)]
    problems = problems_of(request, 10 if n > ALL else 1) if engines else {}
    return results + [_loop(engine, problems, costs, params, options) for engine in engines]


def _loop(engine: str, problems: Any, costs: Any, params: Any, options: Options) -> dict[str, Any]:
    budget = options.seconds if options.seconds is not None else BUDGETS[engine]
    warm_up(engine, next(iter(problems.values()))[0])
    clock, total, answers = Clock(), 0.0, []
    with clock:
        for problem, _ in problems.values():
            answers.append(answer_of(engine, problem, seconds=budget, iterations=None, seed=options.seed))
    for answer, (problem, closed) in zip(answers, problems.values(), strict=True):
        total += _verified(problem, answer.routes, closed)
    days = len(problems)
    same = sum(costs[key] for key in problems)
    return row(
        "rep-days", engine, options.seed, params={**params, "budget_s": budget}, status="feasible", clock=clock,
        objective=total, same_days=same, worse_than_batch=total / same - 1, days=days,
        ms_a_day=1000 * clock.cpu_s / days, per_s_two_cores=JOBS * days / clock.cpu_s, peer=engine in PEERS,
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
