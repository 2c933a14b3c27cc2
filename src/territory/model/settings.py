"""What a plan was asked to keep, apart from the tables: part of the plan, so that it can be checked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from territory.errors import InputError, Problem
from territory.model.arrays import DayArray, frozen

__all__ = ["PlanSettings", "as_day"]

#: The longest horizon, in weeks.
MAX_WEEKS = 53


def as_day(value: object, name: str = "start") -> np.datetime64:
    """Read a calendar day from an ISO text, a date or a datetime64; raises `InputError`."""
    try:
        text = str(value) if not isinstance(value, np.datetime64) else str(value.astype("datetime64[D]"))
        day = np.datetime64(text[:10] if len(text) > 10 and text[10] in "T " else text, "D")
    except (ValueError, TypeError):
        day = np.datetime64("NaT", "D")
    if np.isnat(day) or isinstance(value, (int, float)):
        raise InputError(
            [Problem("not-a-date", f"{name}: expected a day such as '2026-04-03', not {value!r}")], "parameters"
        )
    return day


@dataclass(frozen=True, eq=False)
class PlanSettings:
    """The rules of a plan.

    Attributes
    ----------
    start : datetime64[D]
        First day of the horizon.
    n_days : int
        Its length in days.
    holidays : datetime64[D] array
        Days without visits, for everybody.
    default_shift : str
        Shift of reps who have none.
    default_service_s : int
        Length of visits where customers have none, seconds.
    tolerance : float
        Share of the interval that a visit may come early or late, rounded down to days, where
        customers have no ``early_days`` or ``late_days``.
    travel : str
        Fingerprint of the source of travel times.
    """

    start: np.datetime64
    n_days: int
    holidays: DayArray
    default_shift: str = "Mo-Fr 08:00-17:00"
    default_service_s: int = 1800
    tolerance: float = 0.25
    travel: str = ""

    def __post_init__(self) -> None:
        problems = []
        object.__setattr__(self, "start", as_day(self.start))
        days = np.unique(np.array([as_day(d, "holidays") for d in self.holidays], dtype="datetime64[D]"))
        object.__setattr__(self, "holidays", frozen(days))
        if not 1 <= self.n_days <= 7 * MAX_WEEKS:
            problems.append(Problem("empty-horizon", f"expected 1 to {7 * MAX_WEEKS} days, not {self.n_days}"))
        if not 0 <= self.tolerance <= 1:
            problems.append(Problem("bad-tolerance", f"expected 0 <= tolerance <= 1, not {self.tolerance}"))
        if not 0 <= self.default_service_s <= 86_400:
            problems.append(
                Problem("bad-service", f"expected 0 <= default_service_s <= 86400, not {self.default_service_s}")
            )
        if problems:
            raise InputError(problems, "parameters")

    @property
    def days(self) -> DayArray:
        """All days of the horizon."""
        return self.start + np.arange(self.n_days)

    @property
    def end(self) -> np.datetime64:
        """The day after the last."""
        return self.start + np.timedelta64(self.n_days, "D")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, for a file."""
        return {**asdict(self), "start": str(self.start), "holidays": [str(d) for d in self.holidays]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PlanSettings:
        """Read what `to_dict` gave."""
        return cls(
            **{
                **values,
                "start": as_day(values["start"]),
                "holidays": np.array(values["holidays"], dtype="datetime64[D]"),
            }
        )
