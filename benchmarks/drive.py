"""One routing family: every instance by every engine, each answer verified before it is written."""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from benchmarks.engines import BY_CPU, ENGINES, LIBRARY, answer_of, warm_up
from benchmarks.instances.common import BrokenRouteError
from benchmarks.peers.statement import CannotStateError
from benchmarks.record import Clock, row
from benchmarks.summary import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from benchmarks.instances.bestknown import BestKnown
    from benchmarks.peers.statement import Answer
    from benchmarks.record import Options
    from territory.routing.problem import RoutingProblem

    Routes = list[dict[str, Any]]

__all__ = ["Case", "Key", "files", "json_routes", "measure", "measure_all", "run_family", "say"]


@dataclass(frozen=True)
class Key:
    """What a process needs to load an instance by itself."""

    family: str
    instance: str
    path: Path | None = None
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class Case:
    """An instance, ready to be solved.

    Attributes
    ----------
    problem : RoutingProblem
        Visit v is node v + 1 of the instance.
    verify : callable
        Routes as they are written -> objective in the instance's own units; raises `BrokenRouteError`.
    group : str
        Class of instances in the table.
    scale : int
        How many seconds of the problem make one unit of the instance.
    bound : callable
        Bound of the problem's objective -> bound of the instance's, or None where rounding breaks it.
    best : BestKnown, optional
    maximise : bool
    figures : callable
        Routes -> figures of the family for the row.
    for_peer : dict of str to RoutingProblem
        The problem as it suits an engine better, where weights that mean the same do not serve it the same.
    seconds : float, optional
        Default budget; default: the family's.
    build : callable, optional
        Builds the problem anew: then the library's time includes that, and the verification.
    params : dict
        What the row says of the instance beside the key's.
    """

    problem: RoutingProblem
    verify: Callable[[Routes], float]
    group: str = ""
    scale: int = 1
    bound: Callable[[float], float | None] = lambda _: None
    best: BestKnown | None = None
    maximise: bool = False
    figures: Callable[[Routes], dict[str, Any]] = lambda _: {}
    for_peer: dict[str, RoutingProblem] = field(default_factory=dict)
    seconds: float | None = None
    build: Callable[[], RoutingProblem] | None = None
    params: dict[str, Any] = field(default_factory=dict)


def files(options: Options, *folders: str) -> list[Path]:
    """Return the instance files below ``--data``: in its known folders, or, of any other folder, its own files.

    Raises
    ------
    SystemExit
        There are none.
    """
    roots = [options.data / folder for folder in folders]
    found = [path for root in roots if root.is_dir() for path in sorted(root.glob("*.txt"))]
    if not found and options.data.is_dir():
        found = sorted(options.data.glob("*.txt"))
    wanted = [path for path in found if options.wants(path.stem)]
    if not wanted:
        msg = f"no instance matches {options.instances} below {options.data}"
        raise SystemExit(msg)
    return wanted


def json_routes(case: Case, answer: Answer) -> Routes:
    """Return an answer as it is written: node numbers, and starts in the instance's unit."""
    whole = case.scale == 1
    return [
        {
            "day": int(case.problem.shifts.day[route.shift]),
            "shift": int(route.shift),
            "visits": [int(v) + 1 for v in route.visits],
            "starts": [int(s) if whole else int(s) / case.scale for s in route.starts],
        }
        for route in answer.routes
    ]


def measure(key: Key, engine: str, options: Options, cpu_s: float | None = None) -> dict[str, Any]:
    """Solve one instance by one engine, verify the answer, and return the row.

    `cpu_s` is what an engine before it really had of the same budget.
    """
    module = import_module(f"benchmarks.{key.family}")
    case: Case = module.load(key, options)
    problem = case.for_peer.get(engine, case.problem)
    default = getattr(module, "BUDGETS", {}).get(engine, case.seconds or module.SECONDS)
    seconds = None if options.iterations else options.seconds or default
    allowed = min(cpu_s, seconds) if cpu_s is not None and seconds is not None and engine in BY_CPU else seconds
    common = {
        "group": case.group, "maximise": case.maximise,
        "budget": {"seconds": seconds, "iterations": options.iterations},
        "best_known": None if case.best is None else case.best.value,
        "best_known_source": None if case.best is None else case.best.source,
        "visits_possible": case.problem.n_visits,
    }  # fmt: skip
    clock, note, status = Clock(), "", ""
    answer, routes, objective = None, None, None
    try:
        warm_up(engine, problem)
        with clock:
            if case.build is not None and engine in LIBRARY:
                problem = case.build()
            answer = answer_of(engine, problem, seconds=allowed, iterations=options.iterations, seed=options.seed)
            routes, status = json_routes(case, answer), answer.status
            missing = answer.missing
            if case.build is not None and not missing:
                objective = case.verify(routes)
        if status == "no answer":
            note = "it found none"
        elif missing:
            note = f"{missing} required visits are missing"
        else:
            objective = case.verify(routes)
    except ImportError as absent:
        status, note = "absent", f"not installed: {absent}"
    except CannotStateError as reason:
        status, note = "cannot state", str(reason)
    except BrokenRouteError as fault:
        status, note = "invalid", str(fault)
    except Exception as error:  # noqa: BLE001 - one instance that fails must not end a run of hours
        status, note = "failed", f"{type(error).__name__}: {error}"
    bound = None if answer is None or answer.bound is None else case.bound(answer.bound)
    return row(
        key.instance, engine, options.seed, params={**key.params, **case.params}, status=status, clock=clock,
        objective=objective, bound=bound, routes=routes, note=note, iterations=answer.iterations if answer else 0,
        trace=[list(step) for step in answer.trace] if answer else [],
        **common, **(case.figures(routes) if routes is not None and objective is not None else {}),
    )  # fmt: skip


def run_family(family: str, options: Options) -> list[dict[str, Any]]:
    """Measure every instance of a family by the engines that were asked for (default: auto), and say so on the way."""
    module = import_module(f"benchmarks.{family}")
    options.takes(family, "seconds", "iterations", "engine", "jobs", *getattr(module, "OPTIONS", ()))
    asked = module.ENGINES if options.engine == "all" else [options.engine or "auto"]
    unknown = [engine for engine in asked if engine not in ENGINES]
    if unknown:
        msg = f"no engine {unknown[0]}; there are all, {', '.join(ENGINES)}"
        raise SystemExit(msg)
    tasks = [(key, asked, options) for key in module.keys(options)]
    results: list[dict[str, Any]] = []
    for rows in _measured(tasks, options.jobs):
        for found in rows:
            results.append(found)
            say(family, found, len(results), len(tasks) * len(asked))
    return results


def measure_all(key: Key, engines: Sequence[str], options: Options) -> list[dict[str, Any]]:
    """Solve one instance by one engine after the other.

    On a busy machine solvers that watch the wall clock get less CPU time than their budget says. Engines
    that can be held to CPU time are then held to what the first engine had, so that they had the same.
    """
    rows = []
    had: float | None = None
    for engine in engines:
        found = measure(key, engine, options, had)
        rows.append(found)
        seconds = found["budget"]["seconds"]
        if had is None and engine in LIBRARY and seconds and found["wall_s"] >= 0.9 * seconds:
            had = found["cpu_s"]
    return rows


def _measured(tasks: list[tuple[Key, Sequence[str], Options]], jobs: int) -> Iterator[list[dict[str, Any]]]:
    if jobs == 1:
        yield from (measure_all(*task) for task in tasks)
        return
    # fresh interpreters: a fork would share the state of compiled code and of thread pools
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(measure_all, *zip(*tasks, strict=True))


def say(family: str, found: dict[str, Any], done: int, of: int | None = None) -> None:
    """Print one line about a result to standard error."""
    params = "".join(f" {name}={found['params'][name]}" for name in SETTINGS if name in found["params"])
    best, objective = found["best_known"], found["objective"]
    gap = ""
    if objective is not None and best:
        worse = (best - objective if found["maximise"] else objective - best) / best
        gap = f", {100 * worse:+.2f} % from {best:g}"
    value = found["note"] if objective is None else f"{objective:.10g}{gap}"
    count = done if of is None else f"{done}/{of}"
    line = f"{count} {family} {found['instance']}{params} {found['engine']}: {found['status']}, {value}"
    print(f"{line}; {found['cpu_s']:.2f} CPU s", file=sys.stderr, flush=True)
