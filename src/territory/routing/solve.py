"""Solve a routing problem: OR-Tools first, then the search, the proof, and CP-SAT over all routes met."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.check.routing import check_routing
from territory.errors import InputError, Problem
from territory.model.enums import Status
from territory.routing.parameters import Engine, check_parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.routing.layout import Layout
    from territory.routing.problem import RoutingProblem
    from territory.routing.solution import RoutingSolution

__all__ = ["Engine", "load_engines", "solve_routing"]

_MODULES: Final = (
    "territory.routing.layout", "territory.routing.search.engine", "territory.routing.exact.engine",
    "territory.routing.exact.columns", "territory.routing.ortools.engine", "territory.routing.ortools.partition",
    "territory.routing.finish", "ortools.constraint_solver.pywrapcp", "ortools.constraint_solver.routing_enums_pb2",
)  # fmt: skip
#: Steps of the search for each visit before the first try at a proof.
_STEPS_A_VISIT: Final = 40
#: Share of the time that OR-Tools may take at the beginning, and CP-SAT at the end.
_FIRST: Final = 0.1
_LAST: Final = 0.07
#: Visits times shifts up to which a bound is worked out without a time limit, and within what is left of one.
_SMALL: Final = 60
_LARGE: Final = 20_000
#: Seconds below which column generation does not get anywhere, and above which it stops by itself.
_WORTH_S: Final = 0.2
_PATIENCE_S: Final = 10.0
#: Routes of the search that column generation begins with.
_COLUMNS: Final = 500
#: Visits times shifts for which OR-Tools, which does not stop while it builds its model, takes a tenth of a second.
_PAIRS_A_SECOND: Final = 5000
#: Visits beyond which OR-Tools' first solution costs more than it gives.
_MANY: Final = 400
#: Share of the time for the first try at a proof: most of it where the proof is likely, on a day of few visits.
_PROOF_FEW: Final = (40, 0.6)
_PROOF_MANY: Final = 0.15
#: Visits of a single shift up to which a proof is tried before anything else, and the partial routes that it may take:
#: a day of 22 visits is proven in 8 ms, a third of what OR-Tools and the search take for a good answer.
_PROOF_FIRST: Final = (24, 20_000)
#: CP-SAT's own count of work, about seconds, where there is no time limit.
_WORK: Final = 2.0


def solve_routing(
    problem: RoutingProblem,
    *,
    engine: Engine = "auto",
    time_limit_s: float | None = None,
    iterations: int | None = None,
    rng: int = 0,
    n_jobs: int = 1,
    start: RoutingSolution | None = None,
    on_progress: Callable[[str, float], None] | None = None,
) -> RoutingSolution:
    """Place visits in shifts and sequence each shift, at least cost.

    Parameters
    ----------
    problem : RoutingProblem
    engine : {"auto", "exact", "search", "ortools"}
        "auto": a short try at a proof where there is one shift of few visits; else OR-Tools' first solution and
        local search, then ruin and recreate; one shift is then proven, several are recombined by CP-SAT from all
        routes met. "exact": one shift, proven. "search": ruin and recreate alone. "ortools": OR-Tools' routing
        solver alone.
    time_limit_s : float, optional
        Seconds; kept within 10 % + 0.2 s. What is proven returns at once.
    iterations : int, optional
        Steps of the search. Without a time limit the answer depends on the problem, the seed and
        the number of jobs only. Default without either limit: 20,000.
    rng : int
        Seed.
    n_jobs : int
        Restarts of the search, one a thread; -1: one a core.
    start : RoutingSolution, optional
        The answer is no worse.
    on_progress : callable, optional
        Called with the step and the best objective so far, from the thread that called.

    Returns
    -------
    RoutingSolution
        It has passed `territory.check.check_routing`. After Ctrl-C the best so far, with status INTERRUPTED.

    Raises
    ------
    InputError
        A bad parameter, or a `start` that breaks rules.
    InfeasibleError
        ``locked-misfit``: locked visits that do not fit, or for whose joint partner, or whose forerunner, no
        place was found.
    SolverError
        An engine's answer failed the check.

    Examples
    --------
    >>> import numpy as np
    >>> from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
    >>> line = np.array([0, 600, 1500])
    >>> problem = RoutingProblem(
    ...     durations_s=abs(line[:, None] - line[None, :]),
    ...     visits=VisitArrays(place=[1, 2], service_s=[1800, 1800]),
    ...     shifts=ShiftArrays(start_place=[0], begin_s=[0], end_s=[3600 * 8]),
    ... )
    >>> solution = solve_routing(problem)
    >>> solution.objective, solution.status.value
    (3000.0, 'optimal')
    """
    check_parameters(problem, start, on_progress, engine, time_limit_s, iterations, rng, n_jobs)
    if start is not None:
        report = check_routing(problem, start)
        if not report.ok:
            raise InputError([Problem("bad-start", f"start breaks rules: {report.violations[0]}")], "solve_routing")
    linked = len(problem.joint) > 0 or len(problem.precedence) > 0
    load_engines(linked=linked, recombine=engine == "auto" and problem.n_shifts > 1)
    run = _Run(problem, time_limit_s, iterations, int(rng), int(n_jobs), on_progress)
    if start is not None:
        # it may come from another problem: what was proven there, and how it ended, says nothing here
        run.offer("start", replace(start, bound=-np.inf, status=Status.FEASIBLE, iterations=0))
    try:
        getattr(run, engine)()
    except KeyboardInterrupt:
        run.interrupted = True
    found = run.answer()
    check_routing(problem, found).raise_if_any("solve_routing")
    return found


def load_engines(*, linked: bool = False, recombine: bool = False) -> None:
    """Load all engines; on a new machine that compiles them once. It is no part of any time limit.

    Parameters
    ----------
    linked : bool
        Also the kernels for linked visits.
    recombine : bool
        Also CP-SAT.
    """
    for name in _MODULES:
        import_module(name)
    if linked:
        import_module("territory.routing.search.linked")
    if recombine:
        import_module("territory.routing.ortools.sat").load()


class _Run:
    """One call of `solve_routing`: what is known so far, and the steps that may improve it."""

    def __init__(
        self, problem: RoutingProblem, limit_s: float | None, iterations: int | None, rng: int, n_jobs: int,
        on_progress: Callable[[str, float], None] | None,
    ) -> None:  # fmt: skip
        self.began = monotonic()
        self.problem, self.limit_s, self.iterations = problem, limit_s, iterations
        self.rng, self.n_jobs, self.on_progress = rng, n_jobs, on_progress
        self.layout: Layout = import_module("territory.routing.layout").layout_of(problem)
        locks = import_module("territory.routing.locks")
        locks.locked_starts(self.layout)
        self.misfit, self.awaited = locks.misfit, frozenset(np.flatnonzero(locks.awaited(self.layout)).tolist())
        self.best: RoutingSolution | None = None
        self.bound = -np.inf
        self.trace: list[tuple[str, float, float]] = []
        self.steps = 0
        self.interrupted = self.late = self.infeasible = False

    def left(self, share: float = 1.0) -> float | None:
        """Return the seconds that are left, or that share of the whole limit if it is less."""
        if self.limit_s is None:
            return None
        return max(0.001, min(share * self.limit_s, self.limit_s - (monotonic() - self.began)))

    def over(self) -> bool:
        """Whether the time is up."""
        return self.limit_s is not None and monotonic() - self.began >= self.limit_s

    def offer(self, step: str, found: RoutingSolution | None) -> None:
        """Take an answer where it is better than the best so far."""
        if found is None:
            return
        self.bound = max(self.bound, found.bound)
        self.steps += found.iterations
        self.interrupted |= found.status is Status.INTERRUPTED
        self.late |= found.status is Status.TIME_LIMIT
        self.infeasible |= found.status is Status.INFEASIBLE
        if self.best is None or self._rank(found) < self._rank(self.best):
            self.best = found
        self.trace.append((step, self.best.objective, monotonic() - self.began))
        if self.on_progress is not None:
            self.on_progress(step, self.best.objective)

    def _alone(self, found: RoutingSolution) -> frozenset[int]:
        """Return the visits that are not made though a locked one cannot do without them."""
        return self.awaited.difference(*(r.visits for r in found.routes)) if self.awaited else self.awaited

    def _rank(self, found: RoutingSolution) -> tuple[int, int, float]:
        return len(self._alone(found)), found.required_missing, found.objective

    @property
    def proven(self) -> bool:
        """Whether the best answer is known to be optimal."""
        return self.best is not None and self.best.required_missing == 0 and _meets(self.best.objective, self.bound)

    def ortools(self) -> None:
        """OR-Tools alone."""
        from territory.routing.ortools.engine import solve  # noqa: PLC0415 - loads when it is used

        self.offer(
            "ortools",
            solve(
                self.problem, layout=self.layout, time_limit_s=self.left(), iterations=self.iterations, rng=self.rng,
                start=self.best,
            ),
        )  # fmt: skip

    def search(self, share: float = 1.0, iterations: int | None = None, pool: list[Any] | None = None) -> None:
        """Ruin and recreate."""
        from territory.routing.search.engine import solve  # noqa: PLC0415 - loads when it is used

        steps = self.iterations if iterations is None else iterations
        self.offer(
            "search",
            solve(
                self.problem, layout=self.layout, time_limit_s=self.left(share), iterations=steps, rng=self.rng,
                start=self.best, on_progress=self.on_progress, n_jobs=self.n_jobs, pool=pool,
            ),
        )  # fmt: skip

    def exact(self, most: int | None = None) -> None:
        """One shift, proven; with `most` partial routes at the most."""
        if self.best is None and self._relaxed:
            self.search(0.2, _STEPS_A_VISIT * self.problem.n_visits + 200)
        from territory.routing.exact.engine import solve  # noqa: PLC0415 - loads when it is used

        steps = self.iterations if most is None else min(most, self.iterations or most)
        self.offer(
            "exact",
            solve(
                self.problem, layout=self.layout, time_limit_s=self.left(), iterations=steps, rng=self.rng,
                start=self.best,
            ),
        )  # fmt: skip

    def auto(self) -> None:
        """All of them, each for what it is best at."""
        n, shifts = self.problem.n_visits, self.problem.n_shifts
        if shifts == 1 and n <= _PROOF_FIRST[0] and not self._relaxed:
            self.exact(_PROOF_FIRST[1])
            if self.proven or self.interrupted:
                return
            self.late = False
        if (
            n <= _MANY
            and not self._recurring
            and (self.limit_s is None or n * shifts <= _PAIRS_A_SECOND * self.limit_s)
        ):
            from territory.routing.ortools.engine import solve  # noqa: PLC0415 - loads when it is used

            first = solve(
                self.problem, layout=self.layout, time_limit_s=self.left(_FIRST), rng=self.rng, start=self.best,
                mode="descent",
            )  # fmt: skip
            self.offer("ortools", replace(first, status=Status.FEASIBLE))
        if shifts == 1:
            self._one_shift(n)
            return
        pool: list[Any] = []
        gone = 0.0 if self.limit_s is None else (monotonic() - self.began) / self.limit_s
        self.search(1.0 - min(gone, _FIRST) - 2 * _LAST, pool=pool)
        if not self.interrupted:
            self._recombine(pool)
        if not self.interrupted:
            self._bound(pool)

    def _bound(self, pool: list[Any]) -> None:
        """Work out a bound by column generation, where there is time for it, or the problem is small."""
        size = self.problem.n_visits * self.problem.n_shifts
        left = self.left()
        if self.best is None or size > (_SMALL if left is None else _LARGE) or (left is not None and left < _WORTH_S):
            return
        from territory.routing.exact.columns import column_bound  # noqa: PLC0415 - loads when it is used

        seconds = _PATIENCE_S if left is None else left
        columns: dict[int, list[tuple[int, ...]]] = {r.shift: [r.visits] for r in self.best.routes}
        for route in pool[-_COLUMNS:]:
            columns.setdefault(route.shift, []).append(route.visits)
        found = column_bound(
            self.problem, self.layout, upper=self.best.objective, time_limit_s=seconds, routes=columns
        )  # fmt: skip
        if self.best.required_missing == 0:
            self.bound = max(self.bound, found.bound)
        self.trace.append(("columns", self.best.objective, monotonic() - self.began))

    @property
    def _relaxed(self) -> bool:
        """Whether the proof leaves out rules, so that its own routes may not keep them: then others must be at hand."""
        from territory.routing.layout import S_TIMED  # noqa: PLC0415 - loads when it is used

        timed = self.layout.shift_i[:, S_TIMED] != 0
        return bool(timed.any() or len(self.layout.before) or len(self.problem.joint))

    @property
    def _recurring(self) -> bool:
        """Whether visits have days to choose: for OR-Tools these are many visits and a search of its own."""
        visits = self.problem.visits
        return bool(visits.rhythmic.any() or visits.patterned.any())

    def _one_shift(self, n: int) -> None:
        """Search a little, prove; where that fails search on."""
        few = _STEPS_A_VISIT * n + 200
        steps = self.iterations
        self.search(0.2, min(few, steps or few))
        if self.interrupted or self.proven or self.over():
            return
        self.late = False
        share = _PROOF_FEW[1] if n <= _PROOF_FEW[0] else _PROOF_MANY
        whole = self.limit_s
        if whole is not None:
            self.limit_s = min(whole, monotonic() - self.began + share * whole)
        try:
            if not self.over():
                self.exact()
        finally:
            self.limit_s = whole
        if self.proven or self.interrupted or (whole is None and steps is None):
            return
        if self.over():
            # setting up for thousands of visits takes its time
            self.late = True
            return
        rest = None if steps is None else max(1, steps - self.steps)
        self.search(1.0, rest)

    def _recombine(self, pool: list[Any]) -> None:
        from territory.routing.finish import finish  # noqa: PLC0415 - loads when it is used
        from territory.routing.layout import V_LINKED  # noqa: PLC0415
        from territory.routing.ortools.partition import recombine  # noqa: PLC0415
        from territory.routing.ortools.pool import pool_of  # noqa: PLC0415

        if self.best is None or self.layout.visit_i[:, V_LINKED].any():
            return
        known = pool_of(self.layout, self.best)
        found = recombine(
            self.problem, self.layout, pool, incumbent=known, time_limit_s=self.left(_LAST),
            work_limit=_WORK if self.limit_s is None else None, rng=self.rng,
        )  # fmt: skip
        if found is not None:
            self.offer("cp-sat", finish(self.problem, self.layout, found.orders, bounds=found.bounds))

    def answer(self) -> RoutingSolution:
        """Return the best answer with all that is known about it."""
        found = self.best
        if found is None:
            from territory.routing.finish import finish  # noqa: PLC0415 - loads when it is used

            found = finish(self.problem, self.layout, {})
            if found is None:  # pragma: no cover - no visits, no misfit
                raise KeyboardInterrupt
        alone = self._alone(found)
        if alone:
            why = f"cannot do without visit {min(alone)}, for which no place was found"
            raise self.misfit(why)
        if self.proven:
            status = Status.OPTIMAL
        elif self.infeasible and found.required_missing:
            status = Status.INFEASIBLE
        elif self.interrupted:
            status = Status.INTERRUPTED
        else:
            status = Status.TIME_LIMIT if self.late else Status.FEASIBLE
        bound = min(self.bound, found.objective) if self.proven else self.bound
        return replace(found, bound=bound, status=status, trace=tuple(self.trace), iterations=self.steps)


def _meets(objective: float, bound: float) -> bool:
    # a bound above the objective by more than rounding proves nothing but a fault: the check then says so
    return abs(objective - bound) <= 1e-6 * max(1.0, abs(objective))
