"""Visits that are due: what a calendar has to place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from territory.model.columns import Kind, column, columns_of
from territory.model.enums import Commitment, VisitKind
from territory.model.table import Table
from territory.units import DAY_S

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.model.arrays import BoolArray, DayArray, FloatArray, TextArray
    from territory.model.columns import Findings

__all__ = ["Visits"]


@dataclass(frozen=True, eq=False, repr=False)
class Visits(Table):
    """Visits to be made once each, one a row: appointments, events, leads, follow-ups, or what is due by interval.

    A visit that counts, an appointment say, is one of its customer's visits where there is an interval; an event
    (a trade show at the place of a customer) is none. An event takes place on each day from `earliest` to `latest`.

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
    earliest: DayArray = column(Kind.DAY, "first day", required=True, clock="time_s")
    latest: DayArray = column(Kind.DAY, "last day", required=True, clock="time_s")
    due: DayArray | None = column(
        Kind.DAY, "the day that the interval asks for; blank: any of them", missing=True, clock="time_s"
    )
    service_s: FloatArray | None = column(
        Kind.FLOAT, "length; blank: that of its kind, or the customer's", unit="s", low=0, high=1e9, missing=True
    )
    rep_id: TextArray | None = column(Kind.TEXT, "who has to make it; blank: whoever serves the customer", missing=True)
    second_rep_id: TextArray | None = column(Kind.TEXT, "who comes along, from the same moment on", missing=True)
    kind: npt.NDArray[np.int8] | None = column(
        Kind.ENUM, "why it takes place; blank: an appointment", words=VisitKind, missing=True,
        default=VisitKind.APPOINTMENT,
    )  # fmt: skip
    time_s: FloatArray | None = column(
        Kind.FLOAT,
        "start on the customer's clock; blank: any",
        unit="s",
        low=0,
        high=DAY_S,
        missing=True,
    )
    remote: BoolArray | None = column(Kind.BOOL, "whether it is a contact from the rep's home", missing=True)
    worth: FloatArray | None = column(
        Kind.FLOAT, "what it is worth, 1: a usual visit; blank: by its kind", low=0, high=1e6, missing=True
    )
    commitment: npt.NDArray[np.int8] | None = column(
        Kind.ENUM, "how firmly it is promised; blank: by its kind, time and days", words=Commitment, missing=True
    )

    def joined(self, others: Visits) -> Visits:
        """Return the rows of both tables; columns that only one has are filled up with what blank means."""
        blank: dict[str, Any] = {
            "due": np.datetime64("NaT", "D"), "service_s": np.nan, "rep_id": "", "second_rep_id": "",
            "kind": VisitKind.APPOINTMENT, "time_s": np.nan, "remote": False, "worth": np.nan,
        }  # fmt: skip
        columns: dict[str, Any] = {}
        for name in columns_of(Visits):
            parts = [getattr(t, name) for t in (self, others)]
            if all(p is None for p in parts):
                continue
            if name == "commitment":
                parts = [t.commitment_of() for t in (self, others)]
            given = next(p for p in parts if p is not None)
            filled = [
                np.full(len(t), blank[name], given.dtype) if p is None else p
                for p, t in zip(parts, (self, others), strict=True)
            ]
            columns[name] = np.concatenate(filled)
        return Visits(**columns)

    def commitment_of(self) -> npt.NDArray[np.int8]:
        """Return how firmly each visit is promised: as it says, else by its kind, time and days; shape (n,)."""
        said = self.commitment
        if said is not None and (said >= 0).all():
            return said
        one_day = self.earliest == self.latest
        if self.kind is not None:
            one_day = one_day | (self.kind == VisitKind.EVENT)
        level = np.where(one_day, Commitment.CONFIRMED_DAY, Commitment.PLANNED)
        if self.time_s is not None:
            level = np.where(np.isnan(self.time_s), level, Commitment.FIXED)
        return (level if said is None else np.where(said < 0, level, said)).astype(np.int8)

    @classmethod
    def _check(cls, columns: dict[str, Any], findings: Findings) -> None:
        findings.rows(
            "latest-before-earliest",
            "the last day is before the first",
            columns["latest"] < columns["earliest"],
            column="latest",
        )
        first, second = columns.get("rep_id"), columns.get("second_rep_id")
        if first is not None and second is not None:
            alone = np.asarray((first == second) & (first != ""))
            findings.rows("joint-with-oneself", "both reps are the same", alone, column="second_rep_id")
