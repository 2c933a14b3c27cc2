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
    from territory.model.arrays import InstantArray, TextArray
    from territory.model.columns import Findings

__all__ = ["check_zones", "local", "utc_second"]


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
    values = np.asarray(zones.tolist(), dtype=object)
    for zone in set(values.tolist()) - {""}:
        info = ZoneInfo(zone)
        at = (values == zone) & ~np.isnat(out)
        seconds, back = np.unique(
            out[at].astype(np.int64) // 900, return_inverse=True
        )  # offsets change on quarter hours
        offsets = [int(dt.datetime.fromtimestamp(int(q) * 900, info).utcoffset().total_seconds()) for q in seconds]  # type: ignore[union-attr]
        out[at] += np.asarray(offsets, dtype="timedelta64[s]")[back]
    return out
