"""Every engine behind one call: the library's own, and the peers that can state the problem."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from math import isfinite
from typing import TYPE_CHECKING, Any

from benchmarks import calendar_engine
from benchmarks.peers import days_first, pyvrp_peer, vroom_peer
from benchmarks.peers.statement import Answer, Visits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from territory.routing.problem import RoutingProblem

__all__ = ["BY_CPU", "ENGINES", "LIBRARY", "PEERS", "answer_of", "cpu_clock", "warm_up"]

#: The library's engines; ``ortools`` is OR-Tools alone (guided local search).
LIBRARY = ("auto", "search", "exact", "ortools")
PEERS: dict[str, Callable[..., Answer]] = {
    "pyvrp": pyvrp_peer.solve,
    "vroom": vroom_peer.solve,
    "days-first": days_first.solve,
    # the library's own, but by another door
    "calendar": calendar_engine.solve,
}
ENGINES = (*LIBRARY, *PEERS)
#: Peers that stop after so many CPU seconds.
BY_CPU = ("pyvrp", "days-first")

#: Seconds of the call that loads an engine (and compiles what no cache holds) before the clock runs.
_WARM_UP_S = 0.05
_warm: set[str] = set()


def answer_of(
    engine: str, problem: RoutingProblem, *, seconds: float | None, iterations: int | None, seed: int
) -> Answer:
    """Solve a problem on one thread.

    Parameters
    ----------
    engine : str
        One of `ENGINES`.
    problem : RoutingProblem
    seconds, iterations : float, int, optional
        The budget. All hold the seconds against CPU time but VROOM and OR-Tools' own solvers, which have
        no other than the wall clock.
    seed : int

    Raises
    ------
    CannotStateError
        A peer has no words for the problem.
    """
    if engine == "calendar":
        with cpu_clock():
            return calendar_engine.solve(problem, seconds=seconds, iterations=iterations, seed=seed)
    if engine in PEERS:
        return PEERS[engine](problem, seconds=seconds, iterations=iterations, seed=seed)
    from territory.routing.solve import load_engines, solve_routing  # noqa: PLC0415 - slow to load, and peers need none

    load_engines(linked=True, recombine=True)
    with cpu_clock():
        found: Any = solve_routing(
            problem, engine=engine, time_limit_s=seconds, iterations=iterations, rng=seed, n_jobs=1
        )
    return Answer(
        tuple(Visits(r.shift, r.visits, r.starts) for r in found.routes),
        str(found.status),
        float(found.bound) if isfinite(found.bound) else None,
        int(found.iterations),
        tuple(found.trace),
        int(found.required_missing),
    )


@contextmanager
def cpu_clock() -> Iterator[None]:
    """Let the library's time limits count CPU seconds: other work on the machine takes none of them."""
    modules = [
        module for name, module in list(sys.modules.items())
        if name.startswith("territory.") and getattr(module, "monotonic", None) is time.monotonic
    ]  # fmt: skip
    for module in modules:
        module.monotonic = time.process_time  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module in modules:
            module.monotonic = time.monotonic  # type: ignore[attr-defined]


def warm_up(engine: str, problem: RoutingProblem) -> None:
    """Load an engine once a process, on a problem of the kind that follows."""
    if engine not in _warm:
        _warm.add(engine)
        limited = engine not in PEERS
        answer_of(
            engine, problem, seconds=_WARM_UP_S if limited or engine == "vroom" else None,
            iterations=None if limited or engine == "vroom" else 1, seed=0,
        )  # fmt: skip
