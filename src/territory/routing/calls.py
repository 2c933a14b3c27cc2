"""What is to be placed in a horizon: visits that come again and again, and visits that are made once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.model.arrays import BoolArray, FloatArray, IntArray

__all__ = ["ANY", "DAYS_WAIVED", "HOURS_WAIVED", "RHYTHM", "Calls"]

#: No rep, time or row of the plan's visits in particular.
ANY: Final = -1
#: An agreed day counts more than the weekdays, weeks and blocks of the customer; an agreed time more than its hours.
DAYS_WAIVED: Final = 1
HOURS_WAIVED: Final = 2
#: Columns of a rhythm, as in `territory.routing.problem.VisitArrays`.
RHYTHM: Final = (
    "first_low_day", "first_high_day", "first_due_day", "gap_low_days", "gap_high_days", "gap_days", "interval_days",
    "off_cost", "weekday_cost", "last_weekday",
)  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Calls:
    """m calls, each a row of a routing problem; columns left out take the default.

    Attributes
    ----------
    row : int64 array of shape (m,)
        Which customer, a position among the rows of the desk.
    service_s : int64 array of shape (m,)
    value : float array of shape (m,)
        What a missed call costs.
    low, high : int64 arrays of shape (m,)
        First and last day of the horizon on which it may take place. Default: any.
    due : int64 array of shape (m,)
        The day that a missed single call stands on. Default: `high`.
    time_s : int64 array of shape (m,)
        Start on the customer's clock, seconds from midnight; `ANY` (default): any.
    waived : int64 array of shape (m,)
        0 (default), `DAYS_WAIVED` or `HOURS_WAIVED`: which of the customer's rules an agreement outranks.
    remote : bool array of shape (m,)
        Made from the rep's home. Default False.
    rep : int64 array of shape (m,)
        The only one who may make it, a position among the desks; `ANY` (default): whoever is eligible.
    visit_idx : int64 array of shape (m,)
        Row of the plan's visits; `ANY` (default): by the customer's interval.
    commitment : int64 array of shape (m,)
        `territory.model.enums.Commitment`. Default PLANNED.
    partner : int64 array of shape (m,)
        The call that starts at the same moment with another rep; `ANY` (default): none.
    detour_s : int64 array of shape (m,)
        The most driving that it may add to a day; `ANY` (default): any.
    patterns : sequence of m (sequence of sequences of int, or None), optional
        Sets of days of the horizon, on all of one of which it is made.
    first_low_day, ..., last_weekday : arrays of shape (m,)
        The rhythm, see `territory.routing.problem.VisitArrays`; ``gap_low_days`` is 0 of single calls (default).
    """

    row: IntArray
    service_s: IntArray
    value: FloatArray
    low: Any = None
    high: Any = None
    due: Any = None
    time_s: Any = None
    waived: Any = None
    remote: Any = None
    rep: Any = None
    visit_idx: Any = None
    commitment: Any = None
    partner: Any = None
    detour_s: Any = None
    first_low_day: Any = None
    first_high_day: Any = None
    first_due_day: Any = None
    gap_low_days: Any = None
    gap_high_days: Any = None
    gap_days: Any = None
    interval_days: Any = None
    off_cost: Any = None
    weekday_cost: Any = None
    last_weekday: Any = None
    patterns: Any = None

    def __post_init__(self) -> None:
        n = len(self.row)
        far = 1 << 20
        defaults: dict[str, tuple[Any, Any]] = {
            "low": (np.int64, 0), "high": (np.int64, far), "time_s": (np.int64, ANY), "waived": (np.int64, 0),
            "remote": (np.bool_, False), "rep": (np.int64, ANY), "visit_idx": (np.int64, ANY),
            "commitment": (np.int64, 1), "partner": (np.int64, ANY), "detour_s": (np.int64, ANY),
            **dict.fromkeys(RHYTHM[:6], (np.int64, 0)), "interval_days": (np.float64, 0.0),
            "off_cost": (np.float64, 0.0), "weekday_cost": (np.float64, 0.0), "last_weekday": (np.int64, ANY),
        }  # fmt: skip
        for name, (kind, default) in defaults.items():
            value = getattr(self, name)
            filled = np.full(n, default, kind) if value is None else np.asarray(value, kind)
            object.__setattr__(self, name, filled)
        patterns = [None] * n if self.patterns is None else list(self.patterns)
        object.__setattr__(self, "patterns", patterns)
        due = self.high if self.due is None else np.asarray(self.due, np.int64)
        object.__setattr__(self, "due", due)

    def __len__(self) -> int:
        return len(self.row)

    @property
    def rhythmic(self) -> BoolArray:
        """Which calls come again and again, shape (m,)."""
        return np.asarray(self.gap_low_days > 0)

    def rhythm_columns(self) -> dict[str, Any]:
        """Return the columns of the rhythm, for a routing problem."""
        return {name: getattr(self, name) for name in RHYTHM}

    @classmethod
    def concat(cls, parts: Sequence[Calls]) -> Calls:
        """Return the calls of all parts, in order; partners are counted within each part."""
        columns: dict[str, Any] = {}
        for f in fields(cls):
            of_parts = [getattr(p, f.name) for p in parts]
            columns[f.name] = (
                [x for part in of_parts for x in part] if f.name == "patterns" else np.concatenate(of_parts)
            )
        first = np.repeat(np.cumsum([0, *(len(p) for p in parts[:-1])]), [len(p) for p in parts])
        columns["partner"] = np.where(columns["partner"] >= 0, columns["partner"] + first, ANY)
        return cls(**columns)
