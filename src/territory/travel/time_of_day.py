"""Travel times that depend on the hour: slower at the rush, and whoever leaves later never arrives earlier.

A speed for each hour, rather than a duration for each hour, keeps first-in-first-out: a leg is driven through the hours
that it lasts, at the speed of each.

References
----------
S. Ichoua, M. Gendreau, J.-Y. Potvin: Vehicle dispatching with time-dependent travel times. European Journal of
Operational Research 144 (2003), 379-396. There speeds belong to a few classes of roads; here one profile serves all.
"""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.errors import InputError, Problem
from territory.model.hours import clock_text
from territory.travel.base import RawTravel, check_divides, raw_of, raw_pairs_of
from territory.travel.protocol import Travel, whole_seconds
from territory.travel.wrapped import WrappedTravel
from territory.units import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

    from territory.model.arrays import FloatArray
    from territory.model.places import Places
    from territory.travel.protocol import TravelMatrix

    Clock = str | float | dt.time

__all__ = ["TimeOfDay"]

_DAY_S: Final = 86_400.0
_SLOWEST, _FASTEST = 0.05, 5.0


class _Timed(WrappedTravel):
    """A source whose driving times are changed by the hour; those of a fast rep after they were divided."""

    @abstractmethod
    def _driven(self, seconds: FloatArray) -> FloatArray:
        """Return how long legs take that take `seconds` at factor 1, of any shape."""

    @property
    def departure_s(self) -> float | None:
        """The time of departure that durations hold for, seconds from local midnight; None: any."""
        return None

    @property
    def divides(self) -> bool:
        """False: a fast rep is through before the rush begins, or the other way round."""
        return False

    def raw_matrix(self, origins: Places, destinations: Places) -> RawTravel:
        """Give the travel at the usual speed, not rounded; see `TravelBase.raw_matrix`."""
        return self._timed(raw_of(self.source, origins, destinations), 1.0)

    def raw_pairs(self, origins: Places, destinations: Places) -> RawTravel:
        """Give the travel at the usual speed, not rounded; see `TravelBase.raw_pairs`."""
        return self._timed(raw_pairs_of(self.source, origins, destinations), 1.0)

    def matrix(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Give the travel from every origin to every destination, shape (m, n); see `Travel.matrix`."""
        return self._timed(raw_of(self.source, origins, destinations), speed_factor).rounded(1.0)

    def pairs(self, origins: Places, destinations: Places, *, speed_factor: float = 1.0) -> TravelMatrix:
        """Give the travel from each origin to the destination in the same row, shape (n,); see `Travel.pairs`."""
        return self._timed(raw_pairs_of(self.source, origins, destinations), speed_factor).rounded(1.0)

    def _timed(self, found: RawTravel, speed_factor: float) -> RawTravel:
        whole_seconds(np.zeros(0), speed_factor)  # refuses bad ones
        if found.departure_s is not None:
            message = f"the source's times are of departure {found.departure_s} already"
            raise InputError([Problem("departure-twice", message, "source")], "time of day")
        driven = self._driven(found.seconds / speed_factor)
        return RawTravel(driven, found.metres, found.estimated, self.departure_s)


class TimeOfDay(_Timed):
    """Travel whose speed depends on the time of day.

    Asked as it is, it gives the **longest** duration over all departures within some hours, so that a plan made with
    it can be kept at any of them; `at` gives the travel of one departure. The clock is the local one, of days of 24
    hours. The way is the same at any hour, and all roads are slowed alike.

    Put it around `CachedTravel`, which then keeps one duration a leg whatever the hours, and inside `ParkingTravel`.

    Parameters
    ----------
    source : Travel
        Its times hold at factor 1. A speed factor must divide them and do nothing else.
    speeds : iterable of (time of day, factor), or mapping
        From when on driving is how much faster, rising: ``[("07:00", 0.6), ("09:00", 1.0)]``. The last factor holds
        past midnight until the first time. Times are ``"HH:MM"`` or ``"HH:MM:SS"``, seconds from midnight or
        `datetime.time`; factors 0.05 to 5.
    within : pair of times of day
        First and last departure, both included; the last may be ``"24:00"``, or lie before the first: past midnight.

    Raises
    ------
    InputError
        Bad parameters, all at once.

    Notes
    -----
    For each leg the longest duration is that of one of few departures: the first and the last, those at a change of
    speed, and those that arrive at one. Between them the duration changes linearly with the departure. O(b) a leg of
    b factors.

    `nearest` asks for all legs.

    Examples
    --------
    >>> from territory.model.places import PlaceKind, Places
    >>> from territory.travel import MatrixTravel
    >>> shops = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [13.40, 13.41], [52.5, 52.5])
    >>> usual = MatrixTravel([[0, 1_800], [1_800, 0]], customer_ids=["a", "b"])
    >>> travel = TimeOfDay(usual, [("07:00", 0.5), ("09:00", 1.0)], within=("06:00", "20:00"))
    >>> travel.matrix(shops, shops).durations_s[0, 1]
    np.int32(3600)
    >>> travel.at("06:45").matrix(shops, shops).durations_s[0, 1]  # 15 minutes before the rush, 30 in it
    np.int32(2700)
    >>> travel.arrival_s([1_800.0], 8.75 * 3_600).tolist()
    [33750.0]
    """

    def __init__(
        self,
        source: Travel,
        speeds: Iterable[tuple[Clock, float]] | Mapping[Clock, float],
        *,
        within: tuple[Clock, Clock] = ("00:00", "24:00"),
    ) -> None:
        problems: list[Problem] = []
        given: object = source
        if isinstance(given, type) or not isinstance(given, Travel):
            problems.append(Problem("source-type", f"expected a source of travel, not {source!r}", "source"))
        begins, factors = _read_speeds(speeds, problems)
        first, last = _read_within(within, problems)
        if problems:
            raise InputError(problems, "time of day")
        check_divides(source, "TimeOfDay")
        self.source = source
        self.within = (first, last if last > first else last + _DAY_S if last < first else last)
        self._given = tuple(zip(begins, factors, strict=True))
        if begins[0] > 0:
            begins, factors = [0.0, *begins], [factors[-1], *factors]
        # changes of speed, and how far one has come by then since midnight, in seconds at factor 1
        self._times: FloatArray = np.array([*begins, _DAY_S])
        self._far: FloatArray = np.concatenate(([0.0], np.cumsum(np.diff(self._times) * factors)))

    @property
    def fingerprint(self) -> str:
        """The source's, the speeds and the hours of departure."""
        speeds = ",".join(f"{begin!r}:{factor!r}" for begin, factor in self._given)
        return f"{self.source.fingerprint} speeds={speeds} within={self.within[0]!r}-{self.within[1]!r}"

    def __repr__(self) -> str:
        return f"TimeOfDay({self.source!r}, {list(self._given)})"

    def arrival_s(self, seconds: ArrayLike, departure_s: ArrayLike) -> FloatArray:
        """Give when legs arrive.

        Parameters
        ----------
        seconds : array_like
            How long legs take at factor 1; infinite where there is no way.
        departure_s : array_like
            Seconds from local midnight, of any day; broadcast with `seconds`.

        Returns
        -------
        float array
            Seconds from the same midnight, piecewise linear in both; later for whoever leaves later.

        Raises
        ------
        InputError
            NaN, negative durations, or departures that are not finite.
        """
        legs, leave = np.asarray(seconds, dtype=np.float64), np.asarray(departure_s, dtype=np.float64)
        problems = []
        if not (legs >= 0).all():
            problems.append(Problem("negative", "expected durations that are not negative", "seconds"))
        if not np.isfinite(leave).all():
            problems.append(Problem("departure", "expected finite times of departure", "departure_s"))
        if problems:
            raise InputError(problems, "time of day")
        there = np.isfinite(legs)
        return np.where(there, self._when(self._come(leave) + np.where(there, legs, 0.0)), np.inf)

    def longest_s(self, seconds: ArrayLike) -> FloatArray:
        """Give how long legs take at the worst departure within the hours.

        Parameters
        ----------
        seconds : array_like
            How long they take at factor 1; infinite where there is no way.

        Returns
        -------
        float array of the same shape
        """
        legs = np.asarray(seconds, dtype=np.float64)
        there = np.isfinite(legs)
        far = np.where(there, legs, 0.0)
        first, last = self.within
        changes = np.concatenate((self._times[:-1], self._times[:-1] + _DAY_S))
        longest = np.zeros(far.shape)
        for leave in (first, last, *changes[(changes > first) & (changes < last)].tolist()):
            np.maximum(longest, self._when(self._come(leave) + far) - leave, out=longest)
        for arrive in self._times[:-1].tolist():
            left = self._when(self._come(arrive) - far)
            inside = first + np.mod(left - first, _DAY_S) <= last
            np.maximum(longest, np.where(inside, arrive - left, 0.0), out=longest)
        # NaN stays NaN, for whoever rounds to complain of
        return np.where(there, longest, legs)

    def at(self, departure_s: Clock) -> Travel:
        """Give the travel of one departure, which its answers state in `departure_s`.

        Parameters
        ----------
        departure_s : time of day
            As in `speeds`; seconds may be of any day.
        """
        problems: list[Problem] = []
        leave = departure_s if is_number(departure_s) and np.isfinite(departure_s) else _second(departure_s)
        if leave is None:
            problems.append(Problem("time", f"expected a time of day, not {departure_s!r}", "departure_s"))
            raise InputError(problems, "time of day")
        return _AtHour(self, float(leave))

    def _driven(self, seconds: FloatArray) -> FloatArray:
        return self.longest_s(seconds)

    def _come(self, times: FloatArray | float) -> FloatArray:
        """Return how far one who drives all day has come since midnight."""
        days, rest = np.divmod(times, _DAY_S)
        return np.asarray(days * self._far[-1] + np.interp(rest, self._times, self._far))

    def _when(self, far: FloatArray) -> FloatArray:
        """Return when one who drives all day has come so far."""
        days, rest = np.divmod(far, self._far[-1])
        return np.asarray(days * _DAY_S + np.interp(rest, self._far, self._times))


class _AtHour(_Timed):
    """Travel of one departure; see `TimeOfDay.at`."""

    def __init__(self, hours: TimeOfDay, departure_s: float) -> None:
        self.source, self.hours, self._departure_s = hours.source, hours, departure_s

    @property
    def fingerprint(self) -> str:
        """That of all hours, and the departure."""
        return f"{self.hours.fingerprint} departure_s={self._departure_s!r}"

    @property
    def departure_s(self) -> float:
        return self._departure_s

    def _driven(self, seconds: FloatArray) -> FloatArray:
        # what is lost in the sum must not become a negative time
        return np.maximum(self.hours.arrival_s(seconds, self._departure_s) - self._departure_s, 0.0)

    def __repr__(self) -> str:
        return f"{self.hours!r}.at({self._departure_s!r})"


def _second(value: object) -> float | None:
    """Read a time of day as seconds from midnight, 0 to 86,400; None if it is none."""
    if isinstance(value, dt.time) and value.tzinfo is None:
        return value.hour * 3_600.0 + value.minute * 60.0 + value.second + value.microsecond / 1e6
    if isinstance(value, str):
        parts = value.strip().split(":")
        if not (2 <= len(parts) <= 3 and all(len(each) == 2 and each.isascii() and each.isdigit() for each in parts)):
            return None
        hours, minutes, seconds = (int(each) for each in (*parts, "0")[:3])
        value = hours * 3_600.0 + minutes * 60.0 + seconds if max(minutes, seconds) < 60 else None
    return float(value) if is_number(value) and 0 <= value <= _DAY_S else None


def _read_speeds(speeds: object, problems: list[Problem]) -> tuple[list[float], list[float]]:
    pairs = list(speeds.items()) if isinstance(speeds, Mapping) else None
    if pairs is None:
        try:
            pairs = [(begin, factor) for begin, factor in speeds]  # type: ignore[attr-defined]
        except (TypeError, ValueError):
            hint = 'Maybe [("07:00", 0.6), ("09:00", 1.0)]?'
            problems.append(Problem("speeds-type", f"expected pairs, not {speeds!r}", "speeds", hint=hint))
            return [], []
    if not pairs:
        problems.append(Problem("speeds-empty", "expected at least one time and factor", "speeds"))
    begins: list[float] = []
    factors: list[float] = []
    for begin, factor in pairs:
        second = _second(begin)
        if second is None or second == _DAY_S:
            problems.append(Problem("time", f"expected a time of day, not {begin!r}", "speeds"))
        elif begins and second <= begins[-1]:
            message = f"{clock_text(int(second))} after {clock_text(int(begins[-1]))}: times must rise"
            problems.append(Problem("times-order", message, "speeds"))
        else:
            begins.append(second)
        if is_number(factor) and _SLOWEST <= factor <= _FASTEST:
            factors.append(float(factor))
        else:
            message = f"expected {_SLOWEST} to {_FASTEST:g}, not {factor!r}"
            hint = "Maybe a percentage, or a speed, where a factor is meant?"
            problems.append(Problem("factor-out-of-range", message, "speeds", hint=hint))
    return begins, factors


def _read_within(within: object, problems: list[Problem]) -> tuple[float, float]:
    try:
        first, last = (_second(each) for each in within)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        first = last = None
    if first is None or last is None or first == _DAY_S:
        problems.append(Problem("within", f"expected two times of day, not {within!r}", "within"))
        return 0.0, _DAY_S
    return first, last
