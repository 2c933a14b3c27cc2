"""Visits that are due: what a calendar has to place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from territory.model.columns import Kind, column
from territory.model.table import Table

if TYPE_CHECKING:
    from territory.model.arrays import DayArray, FloatArray, TextArray
    from territory.model.columns import Findings

__all__ = ["Visits"]


@dataclass(frozen=True, eq=False, repr=False)
class Visits(Table):
    """Visits that are due, one a row.

    Raises
    ------
    InputError
        Everything that is wrong, at once.

    Examples
    --------
    >>> Visits(id=["a#1"], customer_id=["a"], earliest=["2026-01-05"], latest=["2026-01-09"])[0].latest
    np.datetime64('2026-01-09')
    """

    subject: ClassVar[str] = "visits"

    id: TextArray = column(Kind.TEXT, "unique id", required=True, unique=True)
    customer_id: TextArray = column(Kind.TEXT, "whom to visit", required=True)
    earliest: DayArray = column(Kind.DAY, "first day", required=True)
    latest: DayArray = column(Kind.DAY, "last day", required=True)
    due: DayArray | None = column(Kind.DAY, "the day that the interval asks for; blank: any of them", missing=True)
    service_s: FloatArray | None = column(Kind.FLOAT, "length of the visit", unit="s", low=0, high=1e9)
    rep_id: TextArray | None = column(Kind.TEXT, "who has to make it; blank: whoever serves the customer", missing=True)

    @classmethod
    def _check(cls, columns: dict[str, Any], findings: Findings) -> None:
        findings.rows(
            "latest-before-earliest",
            "the last day is before the first",
            columns["latest"] < columns["earliest"],
            column="latest",
        )
