"""What an engine returns: timed routes, what they cost term by term, and how good they are at least."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.model.enums import Status

__all__ = ["TERMS", "RoutingSolution", "ShiftRoute"]

#: What a solution costs, in this order.
TERMS: Final = (
    "shifts",  # cost of each shift with visits
    "duration",  # cost_per_s from leaving to being back
    "drive",  # cost_per_drive_s at the wheel
    "distance",  # cost_per_m
    "overtime",  # overtime_cost a second after the end of the shift
    "lateness",  # late_cost a second after due_s
    "change",  # change_cost of each shift with a visit that is not its baseline
    "cadence",  # pattern_cost, and off_cost a day off the meant one
    "regularity",  # weekday_cost of each visit on another weekday than the one before it
    "unserved",  # value of each visit that is not made
)


@dataclass(frozen=True, slots=True)
class ShiftRoute:
    """One shift's visits in order, with times on the problem's clock, in seconds.

    Attributes
    ----------
    shift : int
    visits : tuple of int
    starts : tuple of int
        When each visit starts.
    leave, back : int
        Leaves the start place, reaches the end place.
    break_starts : tuple of int
        For each of the shift's breaks; -1 where it is not needed.
    drive_s, distance_m : int
        ``distance_m`` is 0 where the problem has no distances that cost.
    """

    shift: int
    visits: tuple[int, ...]
    starts: tuple[int, ...]
    leave: int
    back: int
    break_starts: tuple[int, ...]
    drive_s: int
    distance_m: int


@dataclass(frozen=True)
class RoutingSolution:
    """An engine's answer to a `RoutingProblem`.

    Attributes
    ----------
    routes : tuple of ShiftRoute
        Shifts with visits only, in the order of the shifts.
    unserved : tuple of (int, int)
        Visits that are not made, and the day that was meant (-1 but for rhythms).
    objective : float
        Sum of `terms`.
    terms : mapping of str to float
        See `TERMS`.
    bound : float
        No answer that makes all required visits costs less; -inf: not known.
    status : Status
        OPTIMAL: proven; INFEASIBLE: required visits are missing, and it is proven that no answer
        has all of them; FEASIBLE; TIME_LIMIT, INTERRUPTED: the search was cut off.
    required_missing : int
        Required visits among `unserved`.
    trace : tuple of (str, float, float)
        Step, objective after it, seconds since the beginning.
    iterations : int
        Of the search.
    """

    routes: tuple[ShiftRoute, ...]
    unserved: tuple[tuple[int, int], ...]
    objective: float
    terms: Mapping[str, float]
    bound: float
    status: Status
    required_missing: int = 0
    trace: tuple[tuple[str, float, float], ...] = field(default=())
    iterations: int = 0

    @property
    def gap(self) -> float:
        """How far above the bound the objective is at most, a fraction of the objective; inf: not known."""
        excess = self.objective - self.bound
        if excess <= 0.0:
            return 0.0
        return float("inf") if self.objective <= 0 else excess / self.objective

    @property
    def visits(self) -> dict[int, list[tuple[int, int]]]:
        """Shift and start of each visit that is made."""
        found: dict[int, list[tuple[int, int]]] = {}
        for route in self.routes:
            for visit, start in zip(route.visits, route.starts, strict=True):
                found.setdefault(visit, []).append((route.shift, start))
        return found
