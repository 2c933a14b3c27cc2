"""Reps: the people who visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from territory.model.columns import Kind, column
from territory.model.coordinates import check_coordinates
from territory.model.places import PlaceKind, Places
from territory.model.table import Table
from territory.model.zones import check_zones
from territory.units import DAY_S, HOUR_S, duration

if TYPE_CHECKING:
    import numpy.typing as npt

    from territory.model.arrays import FloatArray, IntArray, TextArray
    from territory.model.columns import Findings
    from territory.model.dated import DatedHours
    from territory.model.hours import WeeklyHours
    from territory.model.ragged import DateRanges, TextSets

__all__ = ["Reps"]

#: Column, what no usual value is below, and the units that are then likely meant.
_LEAST: Final = (
    ("capacity_s", HOUR_S, "hours or minutes"),  # a week of 40 hours is 2,400 minutes
    ("break_s", 120, "minutes"),
    ("prep_s", 120, "minutes"),
    ("admin_s", 120, "minutes"),
    ("max_overtime_s", 120, "hours or minutes"),
    ("break_latest_s", HOUR_S, "hours or minutes"),  # noon is 720 minutes
)


@dataclass(frozen=True, eq=False, repr=False)
class Reps(Table):
    """Field sales reps, one a row; every column but the first three is optional.

    Raises
    ------
    InputError
        Everything that is wrong, at once.

    Examples
    --------
    >>> from territory.model.hours import WeeklyHours
    >>> reps = Reps(id=["R1"], lon=[13.4], lat=[52.5], shift=WeeklyHours.from_text(["Mo-Th 08:00-17:00"]))
    >>> reps.shift.on(0, 4)
    ()
    """

    subject: ClassVar[str] = "reps"

    id: TextArray = column(Kind.TEXT, "unique id, text", required=True, unique=True)
    lon: FloatArray = column(Kind.FLOAT, "longitude of home, where days begin", required=True, unit="degrees")
    lat: FloatArray = column(Kind.FLOAT, "latitude of home, where days begin", required=True, unit="degrees")
    name: TextArray | None = column(Kind.TEXT, "name", missing=True)
    end_lon: FloatArray | None = column(
        Kind.FLOAT, "longitude of where days end, if not at home", unit="degrees", missing=True
    )
    end_lat: FloatArray | None = column(
        Kind.FLOAT, "latitude of where days end, if not at home", unit="degrees", missing=True
    )
    shift: WeeklyHours | None = column(Kind.HOURS, "working hours, one interval a weekday")
    shift_exceptions: DatedHours | None = column(
        Kind.EXCEPTIONS, "working hours of single dates, in place of those of the week; also on holidays"
    )
    prep_s: FloatArray | None = column(
        Kind.FLOAT, "preparation between the begin of the shift and leaving", unit="s", low=0, high=DAY_S
    )
    admin_s: FloatArray | None = column(
        Kind.FLOAT, "work after coming back, within the shift and its overtime", unit="s", low=0, high=DAY_S
    )
    office_days: npt.NDArray[np.uint8] | None = column(
        Kind.WEEKDAYS, "weekdays in the office, without visits in the field; blank: none", missing=True
    )
    max_overtime_s: FloatArray | None = column(
        Kind.FLOAT, "how much longer than the shift a day may last", unit="s", low=0, high=DAY_S
    )
    overtime_per_hour: FloatArray | None = column(
        Kind.FLOAT, "cost of an hour of overtime", unit="money", low=0, high=1e6
    )
    break_s: FloatArray | None = column(Kind.FLOAT, "length of the daily break", unit="s", low=0, high=DAY_S)
    break_earliest_s: FloatArray | None = column(
        Kind.FLOAT, "the break starts at this time of day or later", unit="s", low=0, high=DAY_S
    )
    break_latest_s: FloatArray | None = column(
        Kind.FLOAT, "the break ends by this time of day", unit="s", low=0, high=DAY_S
    )
    leave: DateRanges | None = column(Kind.DATES, "days off")
    country: TextArray | None = column(
        Kind.TEXT, "country whose public holidays are kept: code or English name; blank: none", missing=True
    )
    region: TextArray | None = column(
        Kind.TEXT, "part of the country with holidays of its own: code or name; blank: only the country's", missing=True
    )
    skills: TextSets | None = column(Kind.SETS, "what the rep can do")
    speed_factor: FloatArray | None = column(Kind.FLOAT, "travel times are divided by it", low=0.1, high=10)
    capacity_s: FloatArray | None = column(
        Kind.FLOAT, "workload a week that suits the rep", unit="s", low=0, high=7 * DAY_S
    )
    cost_per_hour: FloatArray | None = column(Kind.FLOAT, "cost of an hour worked", unit="money", low=0, high=1e6)
    cost_per_km: FloatArray | None = column(Kind.FLOAT, "cost of a kilometre driven", unit="money", low=0, high=1e6)
    cost_per_day: FloatArray | None = column(Kind.FLOAT, "cost of a day with visits", unit="money", low=0, high=1e6)
    max_visits_per_day: IntArray | None = column(Kind.INT, "most visits a day", low=0, high=1000)
    load_limit: FloatArray | None = column(
        Kind.FLOAT, "most load a day, of the measure that fills the rep up", low=0, high=1e12
    )
    max_nights_per_week: IntArray | None = column(
        Kind.INT, "most nights away in a week from Monday to Sunday", low=0, high=7
    )
    max_nights_in_row: IntArray | None = column(Kind.INT, "most nights away in a row", low=0, high=366)
    night_weekdays: npt.NDArray[np.uint8] | None = column(
        Kind.WEEKDAYS, "weekdays on whose evening the rep may stay away"
    )
    hotel_cost: FloatArray | None = column(
        Kind.FLOAT, "cost of a night away, where the hotel has none of its own", unit="money", low=0, high=1e6
    )
    meal_cost: FloatArray | None = column(
        Kind.FLOAT, "cost of meals, for each night away", unit="money", low=0, high=1e6
    )
    overnight_min_km: FloatArray | None = column(
        Kind.FLOAT, "nights away only this far from home, by road", unit="km", low=0, high=20_100
    )
    timezone: TextArray | None = column(
        Kind.TEXT, "IANA zone of the shift, e.g. Europe/Berlin; blank: UTC", missing=True
    )
    team: TextArray | None = column(Kind.TEXT, "team or region", missing=True)

    @classmethod
    def _check(cls, columns: dict[str, Any], findings: Findings) -> None:
        check_coordinates(columns["lon"], columns["lat"], findings)
        if (columns.get("end_lon") is None) != (columns.get("end_lat") is None):
            findings.table("half-a-place", "end_lon and end_lat come together", column="end_lon, end_lat")
        elif columns.get("end_lon") is not None:
            half = np.isnan(columns["end_lon"]) != np.isnan(columns["end_lat"])
            findings.rows("half-a-place", "only one of end_lon and end_lat", half, column="end_lon, end_lat")
            check_coordinates(columns["end_lon"], columns["end_lat"], findings, lon_name="end_lon", lat_name="end_lat")
        _check_days(columns, findings)
        early, late, length = (columns.get(k) for k in ("break_earliest_s", "break_latest_s", "break_s"))
        if early is not None and late is not None:
            needed = 0.0 if length is None else length
            findings.rows(
                "break-does-not-fit", "the break is longer than its window", early + needed > late, column="break_s"
            )
        check_zones(columns, findings)
        for name, least, unit in _LEAST:
            values = columns.get(name)
            if values is not None and len(values) and 0 < np.median(values) < least:
                message = f"less than {duration(least)}, which is little"
                findings.warn("very-short", message, column=name, hint=f"Maybe {unit} where seconds are meant?")

    def places(self) -> Places:
        """Return the places where days begin."""
        return Places(kind=np.full(len(self), PlaceKind.REP, dtype=np.int8), id=self.id, lon=self.lon, lat=self.lat)

    def end_places(self) -> Places:
        """Return the places where days end: home, where no other is given."""
        if self.end_lon is None or self.end_lat is None:
            return self.places()
        elsewhere = ~np.isnan(self.end_lon)
        kind = np.where(elsewhere, PlaceKind.REP_END, PlaceKind.REP).astype(np.int8)
        return Places(
            kind=kind,
            id=self.id,
            lon=np.where(elsewhere, self.end_lon, self.lon),
            lat=np.where(elsewhere, self.end_lat, self.lat),
        )


def _check_days(columns: dict[str, Any], findings: Findings) -> None:
    """Check shifts, office days, overtime and public holidays."""
    shift, exceptions = columns.get("shift"), columns.get("shift_exceptions")
    hint = "Use one interval, and break_s for the break."
    if shift is not None:
        split = shift.where([any(len(day) > 1 for day in week) for week in shift.weeks])
        findings.rows("split-shift", "several intervals on one day", split, column="shift", hint=hint)
        every = shift.where([all(day == ((0, DAY_S),) for day in week) for week in shift.weeks])
        findings.warn(
            "shift-always",
            "works day and night",
            every,
            column="shift",
            hint="Maybe blank? Write e.g. Mo-Fr 08:00-17:00.",
        )
    if exceptions is not None:
        split = exceptions.where([any(len(hours) > 1 for _, _, hours in cell) for cell in exceptions.cells])
        findings.rows("split-shift", "several intervals on one day", split, column="shift_exceptions", hint=hint)
    _check_field_time(columns, findings)
    price, overtime = columns.get("overtime_per_hour"), columns.get("max_overtime_s")
    if price is not None and (overtime is None or not np.any(overtime > 0)) and np.any(price > 0):
        message = "overtime has a price, but nobody may work any"
        findings.warn("no-overtime", message, column="overtime_per_hour", hint="Maybe max_overtime_s is missing?")
    region, country = columns.get("region"), columns.get("country")
    if region is not None:
        lone = np.asarray(region != "") if country is None else np.asarray((region != "") & (country == ""))
        findings.rows("region-without-country", "a region, but no country", lone, column="region")


def _check_field_time(columns: dict[str, Any], findings: Findings) -> None:
    """Warn of reps who never get out: shorter shifts than preparation and work afterwards, or the office every day."""
    shift, office = columns.get("shift"), columns.get("office_days")
    if shift is None:
        return
    longest = np.array([max((b - a for day in week for a, b in day), default=0) for week in shift.weeks], np.float64)
    works = np.array([sum(1 << d for d, day in enumerate(week) if day) for week in shift.weeks], np.int64)
    before, after = (columns[name] if columns.get(name) is not None else 0.0 for name in ("prep_s", "admin_s"))
    needed = np.broadcast_to(np.asarray(before + after, np.float64), (len(shift),))
    tight = (needed > 0) & (needed >= longest[shift.code]) & (longest[shift.code] > 0)
    findings.warn("no-field-time", "prep_s and admin_s leave nothing of any shift", tight, column="prep_s, admin_s")
    if office is not None:
        worked = works[shift.code]
        always = (worked > 0) & (worked & ~office.astype(np.int64) == 0)
        findings.warn("no-field-day", "every working day is an office day", always, column="office_days")
