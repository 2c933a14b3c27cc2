"""The tables that a plan is made of: stops, routes, visits that are not planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from territory.model.columns import Kind, column
from territory.model.enums import Commitment
from territory.model.table import Table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from territory.model.arrays import BoolArray, DayArray, IdxArray, InstantArray, IntArray, TextArray

__all__ = ["Routes", "Shifts", "Stops", "Unassigned"]


@dataclass(frozen=True, eq=False, repr=False)
class Shifts(Table):
    """When reps work, one row a rep and day, ordered by both."""

    subject: ClassVar[str] = "shifts"

    rep_idx: IdxArray = column(Kind.IDX, "position of the rep", required=True, low=0)
    day: DayArray = column(Kind.DAY, "the rep's calendar day", required=True)
    start: InstantArray = column(Kind.INSTANT, "begin of work, UTC", required=True)
    end: InstantArray = column(Kind.INSTANT, "end of work, UTC", required=True)


@dataclass(frozen=True, eq=False, repr=False)
class Stops(Table):
    """Visits that are planned, one a row, ordered by rep, day and position.

    The way to a stop is driven just before `arrival`; between the previous visit's `end` and that
    drive, and between `arrival` and `start`, the rep is free (breaks lie there).
    """

    subject: ClassVar[str] = "stops"

    rep_idx: IdxArray = column(Kind.IDX, "position of the rep", required=True, low=0)
    day: DayArray = column(Kind.DAY, "the rep's calendar day", required=True)
    position: IdxArray = column(Kind.IDX, "place in the day's order, from 0", required=True, low=0)
    customer_idx: IdxArray = column(Kind.IDX, "position of the customer", required=True, low=0)
    arrival: InstantArray = column(Kind.INSTANT, "arrival, UTC", required=True)
    start: InstantArray = column(Kind.INSTANT, "start of the visit, UTC", required=True)
    end: InstantArray = column(Kind.INSTANT, "end of the visit, UTC", required=True)
    drive_s: IntArray = column(Kind.INT, "driving time from the previous place", required=True, unit="s", low=0)
    distance_m: IntArray = column(Kind.INT, "distance from the previous place", required=True, unit="m", low=0)
    visit_idx: IdxArray | None = column(Kind.IDX, "row of the plan's visits; -1: by the customer's interval", low=-1)
    remote: BoolArray | None = column(Kind.BOOL, "whether it is a contact from the rep's home")
    commitment: npt.NDArray[np.int8] | None = column(Kind.ENUM, "how firmly it is promised", words=Commitment)
    estimated: BoolArray | None = column(Kind.BOOL, "whether the drive is an estimate of a fallback")


@dataclass(frozen=True, eq=False, repr=False)
class Routes(Table):
    """Days with visits, one row a rep and day, ordered by both."""

    subject: ClassVar[str] = "routes"

    rep_idx: IdxArray = column(Kind.IDX, "position of the rep", required=True, low=0)
    day: DayArray = column(Kind.DAY, "the rep's calendar day", required=True)
    n_stops: IntArray = column(Kind.INT, "visits of the day", required=True, low=0)
    leave: InstantArray = column(Kind.INSTANT, "leaves the start, UTC", required=True)
    back: InstantArray = column(Kind.INSTANT, "reaches the end, UTC", required=True)
    drive_s: IntArray = column(Kind.INT, "driving time of the whole day", required=True, unit="s", low=0)
    distance_m: IntArray = column(Kind.INT, "distance of the whole day", required=True, unit="m", low=0)
    break_start: InstantArray = column(Kind.INSTANT, "start of the break, UTC; NaT: none", required=True, missing=True)
    break_s: IntArray = column(Kind.INT, "length of the break", required=True, unit="s", low=0)
    bound_s: IntArray | None = column(Kind.INT, "no route of these visits drives less", unit="s", low=0)
    estimated: BoolArray | None = column(Kind.BOOL, "whether any drive is, the way back among them")


@dataclass(frozen=True, eq=False, repr=False)
class Unassigned(Table):
    """Visits that are due and not planned, one a row, each with its reason."""

    subject: ClassVar[str] = "unassigned"

    customer_idx: IdxArray = column(Kind.IDX, "position of the customer", required=True, low=0)
    rep_idx: IdxArray = column(Kind.IDX, "position of the rep; -1: none", required=True, low=-1)
    due: DayArray = column(Kind.DAY, "the day on which it was due", required=True)
    reason: TextArray = column(Kind.TEXT, "code of `Reason`", required=True, missing=True)
    detail: TextArray = column(Kind.TEXT, "the reason as a sentence", required=True, missing=True)
    visit_idx: IdxArray | None = column(Kind.IDX, "row of the plan's visits; -1: by the customer's interval", low=-1)
    change: TextArray | None = column(Kind.TEXT, "the smallest change that lets it in, as a sentence", missing=True)
    change_code: TextArray | None = column(Kind.TEXT, "code of that change", missing=True)
    change_amount: IntArray | None = column(Kind.INT, "how much of it: seconds, days or a number", low=0)
    change_day: DayArray | None = column(Kind.DAY, "the day that it concerns", missing=True)
