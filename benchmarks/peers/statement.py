"""What peers have in common: their answer, and what they can be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from territory.routing.problem import UNLIMITED, RoutingProblem

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Answer", "CannotStateError", "Visits", "driving_rate", "need_plain", "start_windows"]


class CannotStateError(ValueError):
    """A peer has no words for a rule of the problem."""


@dataclass(frozen=True)
class Visits:
    """One shift's visits in order and when each starts, on the problem's clock."""

    shift: int
    visits: tuple[int, ...]
    starts: tuple[int, ...]


@dataclass(frozen=True)
class Answer:
    """What any engine found.

    Attributes
    ----------
    routes : tuple of Visits
        Shifts with visits.
    status : str
    bound : float, optional
        Of the problem's objective.
    iterations : int
    trace : tuple of (str, float, float)
        As in `territory.routing.solution.RoutingSolution`.
    missing : int
        Required visits that are not made, where the engine says so.
    """

    routes: tuple[Visits, ...]
    status: str
    bound: float | None = None
    iterations: int = 0
    trace: tuple[tuple[str, float, float], ...] = field(default=())
    missing: int = 0


def need_plain(problem: RoutingProblem, peer: str) -> None:
    """Refuse what neither PyVRP nor VROOM can state.

    Raises
    ------
    CannotStateError
        A cadence, links between visits, pins, several matrices, ...
    """
    visits, shifts = problem.visits, problem.shifts
    rules: dict[str, Callable[[], bool]] = {
        "cadence": lambda: bool(visits.patterned.any() or visits.rhythmic.any()),
        "joint visits or precedence": lambda: bool(len(problem.joint) or len(problem.precedence)),
        "pins": lambda: bool(np.any(visits.pinned_shift >= 0) or np.any(visits.pinned_start_s >= 0)),
        "lateness": lambda: bool(np.any(visits.late_cost > 0)),
        "a baseline": lambda: problem.baseline is not None,
        "several matrices": lambda: problem.durations_s.shape[:2] != (1, 1),
        "service factors": lambda: bool(np.any(shifts.service_factor != 1)),
        "locked or frozen routes": lambda: problem.freeze_s is not None or shifts.locked is not None,
        "breaks": lambda: shifts.breaks is not None and any(len(b) for b in shifts.breaks),
        "overtime": lambda: bool(np.any(shifts.max_overtime_s > 0)),
        "eligibility": lambda: problem.eligible is not None and not np.all(problem.eligible),
        "a longest drive": lambda: bool(np.any(shifts.max_drive_s < UNLIMITED)),
        "a most of visits": lambda: bool(np.any(shifts.max_visits < UNLIMITED)),
        "rates of duration or distance": lambda: bool(np.any(shifts.cost_per_s != 0) or np.any(shifts.cost_per_m != 0)),
    }
    for rule, broken in rules.items():
        if broken():
            msg = f"{peer} is not asked to state {rule}"
            raise CannotStateError(msg)


def driving_rate(problem: RoutingProblem, peer: str) -> float:
    """Return the cost of a second at the wheel, one for all shifts.

    Raises
    ------
    CannotStateError
        It differs between shifts, or is 0.
    """
    rates = problem.shifts.cost_per_drive_s
    if not len(rates) or rates[0] <= 0 or np.any(rates != rates[0]):
        msg = f"{peer} is not asked to state rates of driving that differ"
        raise CannotStateError(msg)
    return float(rates[0])


def start_windows(problem: RoutingProblem) -> list[list[tuple[int, int]]]:
    """Return the windows for the start of each visit; none: never; clipped to all hours of all shifts."""
    visits, shifts = problem.visits, problem.shifts
    low, high = int(shifts.begin_s.min()), int(shifts.end_s.max())
    found = []
    for v in range(problem.n_visits):
        given = None if visits.windows is None else visits.windows[v]
        service = int(visits.service_s[v]) if visits.window_holds_visit[v] else 0
        windows = [(low, high)] if given is None else [(int(a), int(b) - service) for a, b in given]
        clipped = [(max(a, low), min(b, high)) for a, b in windows]
        found.append([(a, b) for a, b in clipped if a <= b])
    return found
