"""Customers: the places that are visited."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from territory.model.columns import Kind, column
from territory.model.coordinates import check_coordinates
from territory.model.enums import Area, Channel, HoursBind, Parity, Stage, Temperature
from territory.model.places import PlaceKind, Places
from territory.model.table import Table
from territory.model.zones import check_zones

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from territory.model.arrays import BoolArray, DayArray, FloatArray, TextArray
    from territory.model.columns import Findings
    from territory.model.dated import DatedHours
    from territory.model.hours import WeeklyHours
    from territory.model.ragged import DateRanges, TextSets

__all__ = ["Customers"]

_LONG = 1e9  # no duration or money column reaches this; sums of a million stay exact in a float


@dataclass(frozen=True, eq=False, repr=False)
class Customers(Table):
    """Customers and leads, one a row; every column but the first three is optional.

    Columns that are absent are ``None``. See each field's ``metadata["column"]`` for its rules, or
    the table in the documentation.

    Raises
    ------
    InputError
        Everything that is wrong, at once.

    Examples
    --------
    >>> customers = Customers(id=["a", "b"], lon=[13.4, 9.99], lat=[52.5, 53.55], service_s=[1800, 2700])
    >>> customers[1].service_s
    2700.0
    >>> customers.name is None
    True
    """

    subject: ClassVar[str] = "customers"

    id: TextArray = column(Kind.TEXT, "unique id, text", required=True, unique=True)
    lon: FloatArray = column(Kind.FLOAT, "longitude, WGS84", required=True, unit="degrees")
    lat: FloatArray = column(Kind.FLOAT, "latitude, WGS84", required=True, unit="degrees")
    name: TextArray | None = column(Kind.TEXT, "what people call the customer", missing=True)
    workload_s: FloatArray | None = column(
        Kind.FLOAT, "work a week, driving included or not as you like", unit="s", low=0, high=_LONG
    )
    visit_interval_days: FloatArray | None = column(
        Kind.FLOAT,
        "days between visits; blank: none are due",
        unit="days",
        low=1,
        high=3660,
        missing=True,
    )
    early_days: FloatArray | None = column(
        Kind.FLOAT, "how many days before its interval a visit may come", unit="days", low=0, high=3660
    )
    late_days: FloatArray | None = column(
        Kind.FLOAT, "how many days after its interval a visit may come", unit="days", low=0, high=3660
    )
    last_visit: DayArray | None = column(Kind.DAY, "day of the last visit; blank: never visited", missing=True)
    service_s: FloatArray | None = column(Kind.FLOAT, "length of a visit", unit="s", low=0, high=_LONG)
    opening_hours: WeeklyHours | None = column(Kind.HOURS, "when visits are welcome; blank: always")
    hours_exceptions: DatedHours | None = column(
        Kind.EXCEPTIONS, "hours of single dates, in place of all opening hours of that day"
    )
    hours_bind: npt.NDArray[np.int8] | None = column(
        Kind.ENUM, "whether the whole visit or only its start lies in the opening hours", words=HoursBind
    )
    call_blocks: DateRanges | None = column(Kind.DATES, "days on which not to call")
    preferred_weekdays: npt.NDArray[np.uint8] | None = column(
        Kind.WEEKDAYS, "the weekdays to visit on, e.g. Tu,Th; blank: any"
    )
    week_parity: npt.NDArray[np.int8] | None = column(Kind.ENUM, "odd or even ISO weeks only", words=Parity)
    required_skills: TextSets | None = column(Kind.SETS, "skills that the rep must have")
    preferred_rep: TextArray | None = column(Kind.TEXT, "rep id", missing=True)
    forbidden_reps: TextSets | None = column(Kind.SETS, "rep ids that must not serve the customer")
    owner: TextArray | None = column(Kind.TEXT, "rep id of today's owner", missing=True)
    locked: BoolArray | None = column(Kind.BOOL, "whether the owner stays the owner", missing=True)
    segment: TextArray | None = column(Kind.TEXT, "class of the customer, e.g. A, B, C", missing=True)
    stage: npt.NDArray[np.int8] | None = column(Kind.ENUM, "place in the sales funnel", words=Stage, missing=True)
    temperature: npt.NDArray[np.int8] | None = column(Kind.ENUM, "nearness to buying", words=Temperature, missing=True)
    p_close: FloatArray | None = column(Kind.FLOAT, "probability that the deal is won", low=0, high=1, missing=True)
    deal_value: FloatArray | None = column(
        Kind.FLOAT, "value of the open deal", unit="money", low=0, high=1e12, missing=True
    )
    margin: FloatArray | None = column(Kind.FLOAT, "profit as a share of value", low=-1, high=1, missing=True)
    channel: npt.NDArray[np.int8] | None = column(
        Kind.ENUM, "served in the field, from inside, or either", words=Channel
    )
    won_on: DayArray | None = column(Kind.DAY, "day on which the deal was won; blank: not lately", missing=True)
    deadline: DayArray | None = column(Kind.DAY, "last day for the next visit; blank: none", missing=True)
    contacts: TextSets | None = column(Kind.SETS, "people at the customer")
    area: npt.NDArray[np.int8] | None = column(Kind.ENUM, "density of the surroundings, for driving speeds", words=Area)
    timezone: TextArray | None = column(
        Kind.TEXT, "IANA zone of the opening hours, e.g. Europe/Berlin; blank: the rep's", missing=True
    )
    measures: Mapping[str, FloatArray] = dataclasses.field(default_factory=dict)

    @classmethod
    def _check(cls, columns: dict[str, Any], findings: Findings) -> None:
        check_coordinates(columns["lon"], columns["lat"], findings)
        n = len(columns["lon"])
        workload = columns.get("workload_s")
        if workload is not None and n > 0 and not np.any(workload > 0):
            findings.table("no-workload", "zero in every row", column="workload_s")
        for name, values in columns["measures"].items():
            if n > 0 and not np.any(values > 0):
                findings.table("no-measure", "zero in every row", column=name)
        service = columns.get("service_s")
        if service is not None and n > 0 and service.max() > 86_400:
            findings.warn(
                "service-over-a-day",
                "longer than a day",
                service > 86_400,
                column="service_s",
                hint="Maybe milliseconds?",
            )
        elif service is not None and n > 0 and 0 < np.median(service) <= 240:
            findings.warn(
                "service-very-short",
                "visits of a few minutes",
                column="service_s",
                hint="Maybe minutes where seconds are meant?",
            )
        # an hour a quarter is 277 s a week; a visit of two hours every week, in minutes, is 120
        if workload is not None and n > 0 and 0 < np.median(workload) <= 120:
            findings.warn(
                "workload-very-small",
                "two minutes a week or less",
                column="workload_s",
                hint="Maybe hours or minutes where seconds are meant?",
            )
        _check_reps(columns, findings)
        if columns.get("preferred_weekdays") is not None:
            findings.rows(
                "no-weekday", "no weekday is allowed", columns["preferred_weekdays"] == 0, column="preferred_weekdays"
            )
        check_zones(columns, findings)

    def places(self) -> Places:
        """Return the customers' places, for a source of travel times."""
        kind = np.full(len(self), PlaceKind.CUSTOMER, dtype=np.int8)
        return Places(kind=kind, id=self.id, lon=self.lon, lat=self.lat, area=self.area)


def _check_reps(columns: dict[str, Any], findings: Findings) -> None:
    """Check owner, lock, preferred and forbidden reps against each other."""
    locked, owner, forbidden = (columns.get(k) for k in ("locked", "owner", "forbidden_reps"))
    if locked is not None:
        nobody = locked if owner is None else locked & (owner == "")
        findings.rows("locked-without-owner", "locked, but has no owner", np.asarray(nobody), column="locked")
    if forbidden is None or not any(forbidden.cells):
        return
    if locked is not None and owner is not None:
        clash = locked & _among(owner, forbidden)
        findings.rows("locked-to-forbidden-rep", "locked to an owner that is forbidden", clash, column="locked")
    preferred = columns.get("preferred_rep")
    if preferred is not None:
        clash = _among(preferred, forbidden)
        findings.warn("preferred-is-forbidden", "the preferred rep is forbidden", clash, column="preferred_rep")


def _among(reps: TextArray, sets: TextSets) -> BoolArray:
    """Return where a rep is one of the row's set, bool of shape (n,)."""
    return np.fromiter(
        (rep in cell for rep, cell in zip(reps.tolist(), map(sets.cells.__getitem__, sets.code.tolist()), strict=True)),
        dtype=bool,
        count=len(reps),
    )
