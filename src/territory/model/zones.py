"""Between a place's wall clock and UTC.

A place without a zone keeps UTC, so that where nobody speaks of zones the wall clock is all there
is. Wall times that a spring change skips count as that much later; of those that an autumn change
repeats, the first is meant.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.model.arrays import InstantArray, IntArray, TextArray
    from territory.model.columns import Findings

__all__ = ["check_zones", "local", "to_utc", "utc_second"]


def check_zones(columns: dict[str, Any], findings: Findings) -> None:
    """Note rows whose ``timezone`` is no IANA zone; a blank one keeps UTC."""
    zones = columns.get("timezone")
    if zones is None:
        return
    values = zones.tolist()
    unknown = {z for z in set(values) if z and not _exists(z)}
    bad = np.fromiter((z in unknown for z in values), dtype=bool, count=len(values))
    shown = ", ".join(repr(z) for z in sorted(unknown)[:3])
    findings.rows(
        "unknown-zone", f"unknown time zone {shown}", bad, column="timezone", hint="Write e.g. Europe/Berlin."
    )


def _exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return False
    return True


@lru_cache(maxsize=65_536)
def utc_second(day: int, second_of_day: int, zone: str) -> int:
    """Return the UTC second (since 1970) of a wall time.

    Parameters
    ----------
    day : int
        Days since 1970-01-01.
    second_of_day : int
        Wall-clock seconds from local midnight; 86400 is the next day's midnight.
    zone : str
        IANA zone, or "" for UTC.

    Examples
    --------
    >>> utc_second(0, 3600, "")
    3600
    """
    if not zone:
        return day * 86_400 + second_of_day
    wall = dt.datetime(1970, 1, 1) + dt.timedelta(days=day, seconds=second_of_day)  # noqa: DTZ001 - the wall clock
    return int(wall.replace(tzinfo=ZoneInfo(zone), fold=0).timestamp())


def local(instants: InstantArray, zones: TextArray | None) -> InstantArray:
    """Return the wall clock of instants.

    Parameters
    ----------
    instants : datetime64[s] array of shape (n,), UTC
    zones : text array of shape (n,), or None for UTC

    Returns
    -------
    datetime64[s] array of shape (n,), naive local time; NaT stays NaT
    """
    if zones is None:
        return instants
    out = instants.astype("datetime64[s]").copy()
    for zone, rows in _by_zone(zones, out):
        info = ZoneInfo(zone)
        # offsets change on quarter hours, so one look-up serves all instants of a quarter
        quarters, back = np.unique(out[rows].astype(np.int64) // 900, return_inverse=True)
        offsets = [_offset_s(int(q) * 900, info) for q in quarters]
        out[rows] += np.asarray(offsets, dtype="timedelta64[s]")[back]
    return out


def to_utc(wall: InstantArray, zones: TextArray | None) -> InstantArray:
    """Return the instants at which clocks on the wall show given times; the inverse of `local`.

    Parameters
    ----------
    wall : datetime64[s] array of shape (n,), naive local time
    zones : text array of shape (n,), or None for UTC

    Returns
    -------
    datetime64[s] array of shape (n,); NaT stays NaT
    """
    if zones is None:
        return wall
    out = wall.astype("datetime64[s]").copy()
    for zone, rows in _by_zone(zones, out):
        times, back = np.unique(out[rows].astype(np.int64), return_inverse=True)
        seconds = [utc_second(int(t) // 86_400, int(t) % 86_400, zone) for t in times]
        out[rows] = np.asarray(seconds, dtype="datetime64[s]")[back]
    return out


def _by_zone(zones: TextArray, times: InstantArray) -> Iterator[tuple[str, IntArray]]:
    """Hand out each zone with its rows; rows without a zone or a time are left out."""
    known = ~np.isnat(times)
    values = np.asarray(zones.tolist(), dtype=object)
    for zone in sorted(set(values.tolist()) - {""}):
        yield zone, np.flatnonzero((values == zone) & known)


def _offset_s(second: int, info: ZoneInfo) -> int:
    offset = dt.datetime.fromtimestamp(second, info).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())
