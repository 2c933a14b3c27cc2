"""Nights away from home: where reps may sleep, and where and when they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from territory.model.columns import Kind, column
from territory.model.coordinates import check_coordinates
from territory.model.places import PlaceKind, Places
from territory.model.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.model.arrays import BoolArray, DayArray, FloatArray, IdxArray, TextArray
    from territory.model.columns import Findings
    from territory.model.plan import Plan

__all__ = ["Hotels", "Nights", "empty_nights", "nights_columns", "route_ends", "some_nights"]


@dataclass(frozen=True, eq=False, repr=False)
class Hotels(Table):
    """Places where reps may spend a night, one a row.

    Raises
    ------
    InputError
        Everything that is wrong, at once.

    Examples
    --------
    >>> Hotels(id=["H1"], lon=[13.4], lat=[52.5], cost=[95.0])[0].cost
    95.0
    """

    subject: ClassVar[str] = "hotels"

    id: TextArray = column(Kind.TEXT, "unique id, text", required=True, unique=True)
    lon: FloatArray = column(Kind.FLOAT, "longitude, WGS84", required=True, unit="degrees")
    lat: FloatArray = column(Kind.FLOAT, "latitude, WGS84", required=True, unit="degrees")
    name: TextArray | None = column(Kind.TEXT, "name", missing=True)
    cost: FloatArray | None = column(
        Kind.FLOAT, "cost of a night; blank: the rep's hotel_cost", unit="money", low=0, high=1e6, missing=True
    )

    @classmethod
    def _check(cls, columns: dict[str, Any], findings: Findings) -> None:
        check_coordinates(columns["lon"], columns["lat"], findings)

    def places(self) -> Places:
        """Return the places of the hotels."""
        return Places(kind=np.full(len(self), PlaceKind.HOTEL, dtype=np.int8), id=self.id, lon=self.lon, lat=self.lat)


@dataclass(frozen=True, eq=False, repr=False)
class Nights(Table):
    """Nights away, one row a rep and evening, ordered by both.

    The rep's route of that day ends there, and its route of the next calendar day begins there. The place is
    that of a customer or that of a hotel.
    """

    subject: ClassVar[str] = "nights"

    rep_idx: IdxArray = column(Kind.IDX, "position of the rep", required=True, low=0)
    day: DayArray = column(Kind.DAY, "day of the evening", required=True)
    customer_idx: IdxArray = column(Kind.IDX, "at whose place; -1: in a hotel", required=True, low=-1)
    hotel_idx: IdxArray = column(Kind.IDX, "in which hotel; -1: at a customer's place", required=True, low=-1)
    lon: FloatArray = column(Kind.FLOAT, "longitude of the place", required=True, unit="degrees")
    lat: FloatArray = column(Kind.FLOAT, "latitude of the place", required=True, unit="degrees")
    cost: FloatArray = column(Kind.FLOAT, "cost of the night, meals included", required=True, unit="money", low=0)


def empty_nights() -> Nights:
    """Return no nights."""
    idx, degrees = np.zeros(0, np.int32), np.zeros(0)
    day = np.array([], dtype="datetime64[D]")
    return Nights(rep_idx=idx, day=day, customer_idx=idx, hotel_idx=idx, lon=degrees, lat=degrees, cost=degrees)


def some_nights(nights: Nights | None, chosen: Callable[[Nights], BoolArray]) -> Nights | None:
    """Return the nights of a part of a plan; None where there are none at all."""
    return None if nights is None else nights.take(chosen(nights))


def route_ends(plan: Plan) -> tuple[FloatArray, FloatArray]:
    """Return longitude and latitude of where each route begins, and of where it ends, two arrays of shape (n, 2)."""
    routes, reps = plan.routes, plan.reps
    ends = reps.end_places()
    begin = np.stack([reps.lon, reps.lat], axis=1)[routes.rep_idx]
    end = np.stack([ends.lon, ends.lat], axis=1)[routes.rep_idx]
    if plan.nights is not None and len(plan.nights):
        at = np.stack([plan.nights.lon, plan.nights.lat], axis=1)
        night = {key: row for row, key in enumerate(zip(*_keys(plan.nights.rep_idx, plan.nights.day), strict=True))}
        for row, (rep, day) in enumerate(zip(*_keys(routes.rep_idx, routes.day), strict=True)):
            if (rep, day - 1) in night:
                begin[row] = at[night[rep, day - 1]]
            if (rep, day) in night:
                end[row] = at[night[rep, day]]
    return begin, end


def _keys(rep_idx: IdxArray, day: DayArray) -> tuple[list[int], list[int]]:
    return rep_idx.tolist(), day.astype("datetime64[D]").astype(np.int64).tolist()


def nights_columns(plan: Plan) -> dict[str, Any]:
    """Return a plan's nights as arrays of ids, for people and files; whatever a place is none of is blank."""
    nights = empty_nights() if plan.nights is None else plan.nights
    known = [] if plan.hotels is None else plan.hotels.id.tolist()
    return {
        "rep_id": plan.reps.id[nights.rep_idx].astype(object),
        "day": nights.day,
        "customer_id": np.array([*plan.customers.id.tolist(), ""], dtype=object)[nights.customer_idx],
        "hotel_id": np.array([*known, ""], dtype=object)[nights.hotel_idx],
        "lon": nights.lon,
        "lat": nights.lat,
        "cost": nights.cost,
    }
