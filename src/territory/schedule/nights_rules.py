"""Which nights a board's reps may spend away from home, where, and at what price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from territory.travel import UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.model.arrays import FloatArray
    from territory.model.nights import Hotels
    from territory.model.reps import Reps
    from territory.routing.board import Board
    from territory.routing.calls import Calls
    from territory.routing.desk import Desk

__all__ = ["NightRules", "Shift", "night_rules"]

#: A desk and a day of the horizon; a night is named by the shift that it follows.
Shift: TypeAlias = "tuple[int, int]"
#: 1970-01-01 was a Thursday: days from then to the Monday of its week.
_MONDAY = 3


@dataclass(frozen=True, eq=False)
class NightRules:
    """What nights a board's reps may spend away.

    Attributes
    ----------
    evenings : frozenset of shifts
        That may end away: the rep works on the next calendar day, too.
    price : tuple of R float arrays of shape (m + 2 + h,)
        Of a night at each place of the desk, meals included; inf: not there.
    first_day : int
        Of the horizon, days since 1970.
    per_week, in_row : tuples of R ints
        Most nights in a week from Monday to Sunday, and in a row.
    """

    evenings: frozenset[Shift]
    price: tuple[FloatArray, ...]
    first_day: int
    per_week: tuple[int, ...]
    in_row: tuple[int, ...]

    def allow(self, nights: Iterable[Shift]) -> bool:
        """Return whether the reps may be away on all of these evenings."""
        chosen = set(nights)
        if not chosen <= self.evenings:
            return False
        weeks: dict[tuple[int, int], int] = {}
        for r, n in chosen:
            week = (r, (self.first_day + n + _MONDAY) // 7)
            weeks[week] = weeks.get(week, 0) + 1
            length = 1
            while (r, n - length) in chosen:
                length += 1
            if length > self.in_row[r]:
                return False
        return all(count <= self.per_week[r] for (r, _), count in weeks.items())


def night_rules(board: Board, reps: Reps, hotels: Hotels | None, calls: Calls) -> NightRules:
    """Return the rules of a board whose desks are those of `reps`, in their order.

    Reps sleep in hotels, and at the places of those customers on whom they may call in the field.
    """
    desks = board.desks
    first_day = int(desks[0].settings.start.astype(np.int64))
    evenings = set()
    for r, desk in enumerate(desks):
        allowed = 0x7F if reps.night_weekdays is None else int(reps.night_weekdays[r])
        evenings |= {
            (r, n) for n in desk.shifts
            if n + 1 in desk.shifts and allowed >> ((first_day + n + _MONDAY) % 7) & 1
        }  # fmt: skip
    return NightRules(
        frozenset(evenings),
        tuple(_prices(desk, reps, r, hotels, calls) for r, desk in enumerate(desks)),
        first_day,
        tuple(_limit(reps.max_nights_per_week, r, 7) for r in range(len(desks))),
        tuple(_limit(reps.max_nights_in_row, r, desks[0].settings.n_days) for r in range(len(desks))),
    )


def _limit(column: object, r: int, otherwise: int) -> int:
    return otherwise if column is None else int(column[r])  # type: ignore[index]


def _prices(desk: Desk, reps: Reps, r: int, hotels: Hotels | None, calls: Calls) -> FloatArray:
    own = np.inf if reps.hotel_cost is None else float(reps.hotel_cost[r])
    price = np.full(len(desk.durations_s), np.inf)
    price[1 + np.unique(calls.row[~calls.remote])] = own
    if hotels is not None:
        theirs = np.full(len(hotels), np.nan) if hotels.cost is None else hotels.cost
        price[desk.end + 1 :] = np.where(np.isnan(theirs), own, theirs)
    if reps.meal_cost is not None:
        price += float(reps.meal_cost[r])
    least = 0.0 if reps.overnight_min_km is None else 1000.0 * float(reps.overnight_min_km[r])
    near = desk.distances_m[0] < least
    price[near | (desk.durations_s[0] >= UNREACHABLE)] = np.inf
    return price
