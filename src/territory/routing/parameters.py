"""What `territory.solve_routing` takes beside the problem, checked whole before anything runs."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Final, Literal, get_args

from territory.errors import InputError, Problem
from territory.routing.problem import RoutingProblem
from territory.routing.solution import RoutingSolution
from territory.units import is_number

__all__ = ["Engine", "check_parameters"]

Engine = Literal["auto", "exact", "search", "ortools"]

#: Longest time limit, a year: OR-Tools counts in whole milliseconds.
_LONGEST_S: Final = 366 * 86_400
_MOST_STEPS: Final = 1 << 62


def check_parameters(
    problem: Any, start: Any, on_progress: Any, engine: Any, time_limit_s: Any, iterations: Any, rng: Any, n_jobs: Any
) -> None:
    """Raise one `InputError` with all that is wrong.

    Raises
    ------
    InputError
        ``bad-problem``, ``bad-start``, ``bad-on-progress``, ``bad-engine``, ``bad-time-limit``, ``bad-iterations``,
        ``bad-rng``, ``bad-n-jobs``.
    """
    problems = []
    if not isinstance(problem, RoutingProblem):
        problems.append(Problem("bad-problem", f"expected a RoutingProblem, not {type(problem).__name__}"))
    if start is not None and not isinstance(start, RoutingSolution):
        problems.append(Problem("bad-start", f"expected a RoutingSolution, not {type(start).__name__}"))
    if on_progress is not None and not callable(on_progress):
        problems.append(Problem("bad-on-progress", f"expected a function, not {on_progress!r}"))
    if engine not in get_args(Engine):
        problems.append(Problem("bad-engine", f"expected one of {', '.join(get_args(Engine))}, not {engine!r}"))
    if time_limit_s is not None and not (is_number(time_limit_s) and 0 < time_limit_s <= _LONGEST_S):
        problems.append(Problem("bad-time-limit", f"expected 0 < time_limit_s <= a year, not {_short(time_limit_s)}"))
    if iterations is not None and not (_is_whole(iterations) and 1 <= iterations < _MOST_STEPS):
        problems.append(Problem("bad-iterations", f"expected iterations >= 1, not {_short(iterations)}"))
    if not _is_whole(rng) or rng < 0:
        problems.append(Problem("bad-rng", f"expected a whole number >= 0, not {_short(rng)}"))
    if not _is_whole(n_jobs) or (n_jobs < 1 and n_jobs != -1):
        problems.append(Problem("bad-n-jobs", f"expected n_jobs >= 1, or -1 for one a core, not {_short(n_jobs)}"))
    if problems:
        raise InputError(problems, "solve_routing")


def _is_whole(x: Any) -> bool:
    return isinstance(x, Integral) and not isinstance(x, bool)


def _short(x: Any) -> str:
    return repr(x) if not _is_whole(x) or abs(x) < _MOST_STEPS else "a number too large"
