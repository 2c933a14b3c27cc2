"""Whether one more visit of a customer keeps its interval, and what another tolerance would allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.schedule.cadence import Cadence

__all__ = ["Rhythm", "fewest_missed"]


class Rhythm(NamedTuple):
    """When a customer's visits are due; days of the horizon, see `territory.schedule.cadence.Cadence`."""

    interval: float
    first_low: int
    first_high: int
    first_due: int
    gap_low: int
    gap_high: int
    gap: int

    @classmethod
    def of(cls, cadence: Cadence, i: int) -> Rhythm:
        """Return the rhythm of customer `i`."""
        return cls(
            float(cadence.interval[i]), int(cadence.first_low[i]), int(cadence.first_high[i]),
            int(cadence.first_due[i]), int(cadence.gap_low[i]), int(cadence.gap_high[i]), int(cadence.gap[i]),
        )  # fmt: skip


def fewest_missed(rhythm: Rhythm, made: Sequence[int], n_days: int) -> int | None:
    """Return how many visits are missed where exactly these are made; None: they do not keep the interval.

    Parameters
    ----------
    rhythm : Rhythm
    made : sequence of int
        Days, rising.
    n_days : int
        Length of the horizon.

    Notes
    -----
    While a visit is due before the end of the horizon, the next one is made on an allowed day, or missed on
    the day that is meant, and the interval goes on from there. O(length of the chain) in all but odd cases.

    Examples
    --------
    >>> weekly = Rhythm(7.0, 0, 6, 0, 6, 8, 7)
    >>> fewest_missed(weekly, [0, 14], 21), fewest_missed(weekly, [0, 6, 14], 21), fewest_missed(weekly, [0, 3], 21)
    (1, 0, None)
    """
    if rhythm.first_due >= n_days:
        return None if made else 0
    found: dict[tuple[int, int], int | None] = {}

    def least(before: int, done: int) -> int | None:
        """Return the least from the event on day `before` (-1: none yet) on, with `done` visits made."""
        if before >= 0 and before + rhythm.interval >= n_days:
            return 0 if done == len(made) else None
        key = (before, done)
        if key not in found:
            found[key] = None
            if before < 0:
                low, high, due = rhythm.first_low, rhythm.first_high, rhythm.first_due
            else:
                low, high, due = before + rhythm.gap_low, before + rhythm.gap_high, before + rhythm.gap
            due = min(due, n_days - 1)
            best = None
            if done < len(made) and low <= made[done] <= high:
                best = least(made[done], done + 1)
            if due > before and (done == len(made) or due < made[done]):
                rest = least(due, done)
                if rest is not None and (best is None or rest + 1 < best):
                    best = rest + 1
            found[key] = best
        return found[key]

    return least(-1, 0)
