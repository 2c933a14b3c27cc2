"""Overload: by how much all intervals have to be longer until what is due fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.schedule.cadence import Cadence
    from territory.schedule.month import Horizon

__all__ = ["WIDER", "least_stretch", "without_room"]

#: Intervals are made no longer than this many times what was asked for.
_MOST: Final = 8.0
#: Factors are told apart to this.
_STEP: Final = 0.02
#: Share of the visits that may be missed for want of room: places far off and narrow hours, which no factor mends.
_MISSED: Final = 0.005
#: By how much intervals grow once more, one after the other, where the plan itself still misses somebody.
WIDER: Final = (0.02, 0.04, 0.08)
#: Share of the rounds of search, and of the time, of one try.
_TRY: Final = 0.3


def least_stretch(
    planned: Callable[[float, int, float], tuple[Horizon, Cadence]], iterations: int, deadline: float
) -> float:
    """Return the least factor of all intervals at which nearly all visits that fit alone are planned.

    Parameters
    ----------
    planned : callable
        Plans with a factor, rounds of search, and a deadline (monotonic seconds).
    iterations : int
        Rounds of search of the plan that is wanted; a try takes fewer.
    deadline : float
        Monotonic seconds.

    Returns
    -------
    float
        At least 1; in steps of 0.02.

    Notes
    -----
    All intervals of a rep grow alike, so that those of its classes keep their ratio. By bisection: some ten plans.
    """
    rounds = max(1, int(_TRY * iterations))

    def missed(steps: int) -> tuple[int, int]:
        """Return how many visits by interval find no room, and how many there are."""
        return without_room(*planned(1.0 + steps * _STEP, rounds, deadline))

    def fits(steps: int) -> bool:
        lost, due = missed(steps)
        return lost <= _MISSED * due

    lost, due = missed(0)
    if lost <= _MISSED * due:
        return 1.0
    most = round((_MOST - 1) / _STEP)
    low, high = 0, max(1, round((due / max(1, due - lost) - 1) / _STEP))
    while high < most and not fits(high):
        low, high = high, min(most, 2 * high)
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle
    return 1.0 + high * _STEP


def without_room(horizon: Horizon, cadence: Cadence) -> tuple[int, int]:
    """Return how many visits by interval find no room though they would fit alone, and how many are due."""
    calls = horizon.calls
    made = sum(calls.visit_idx[k] < 0 for _, route, _ in horizon.routes for k in route.visits)
    lost = [k for k, _ in horizon.missed if calls.visit_idx[k] < 0 and not cadence.cold[calls.row[k]]]
    room = {k: _fits_somewhere(horizon, k) for k in set(lost)}
    return sum(room[k] for k in lost), int(made) + len(lost)


def _fits_somewhere(horizon: Horizon, k: int) -> bool:
    board, calls = horizon.board, horizon.calls
    return any(board.windows(calls, k, shift) and horizon.fits_alone(k, *shift) for shift in board.shifts)
