"""The words that some columns are limited to, and those that results speak in."""

from __future__ import annotations

from enum import IntEnum, StrEnum

__all__ = [
    "Area",
    "Channel",
    "Commitment",
    "HoursBind",
    "Parity",
    "Reason",
    "Stage",
    "Status",
    "Temperature",
    "VisitKind",
]


class Stage(IntEnum):
    """Where a lead or customer stands in the sales funnel."""

    SUSPECT = 0
    MQL = 1
    SQL = 2
    CUSTOMER = 3
    LOST = 4


class Temperature(IntEnum):
    """How near a lead is to buying."""

    COLD = 0
    WARM = 1
    HOT = 2


class Channel(IntEnum):
    """How a customer is served."""

    FIELD = 0
    INSIDE = 1
    EITHER = 2


class Area(IntEnum):
    """How dense the surroundings of a place are (Eurostat's degree of urbanisation in three steps)."""

    URBAN = 0
    SUBURBAN = 1
    RURAL = 2


class Parity(IntEnum):
    """In which ISO weeks a customer may be visited."""

    ANY = 0
    ODD = 1
    EVEN = 2


class HoursBind(IntEnum):
    """What must lie inside the opening hours."""

    VISIT = 0
    START = 1


class VisitKind(IntEnum):
    """Why a visit takes place."""

    REGULAR = 0
    LEAD = 1
    FOLLOW_UP = 2
    APPOINTMENT = 3
    EVENT = 4


class Commitment(IntEnum):
    """How firmly a visit has been promised; what is promised more firmly outranks what is less."""

    SUGGESTED = 0
    PLANNED = 1
    CONFIRMED_WEEK = 2
    CONFIRMED_DAY = 3
    FIXED = 4


class Status(StrEnum):
    """How an answer ended."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    TIME_LIMIT = "time_limit"
    INTERRUPTED = "interrupted"
    INFEASIBLE = "infeasible"


class Reason(StrEnum):
    """Why a due visit is not in the plan."""

    NO_ELIGIBLE_REP = "no-eligible-rep"
    UNREACHABLE = "unreachable"
    OUT_OF_REACH = "out-of-reach"
    SERVICE_TOO_LONG = "service-too-long"
    NO_COMMON_WINDOW = "no-common-window"
    BLOCKED = "blocked"
    NO_SHIFT = "no-shift"
    OVER_CAPACITY = "over-capacity"
    LOWER_VALUE = "lower-value"
    CONFLICT = "conflict"
    TOO_OFTEN = "too-often"
    TIME_LIMIT = "time-limit"
