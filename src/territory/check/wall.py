"""Wall clocks, straight from the zone rules.

A wall time that a spring change skips counts as that much later; of those that an autumn change
repeats, the first is meant. A blank zone keeps UTC. Times of day are turned into instants and
compared there, so that days of 23 and 25 hours are exact.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from territory.model.arrays import InstantArray, TextArray

__all__ = ["as_text", "local", "to_utc", "zone_names"]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@lru_cache(maxsize=262_144)
def to_utc(day: int, second: int, zone: str) -> int:
    """Turn a wall time into seconds since 1970 UTC.

    Parameters
    ----------
    day : int
        Days since 1970-01-01.
    second : int
        From local midnight by the wall clock; 86400 is the midnight after.
    zone : str

    Examples
    --------
    >>> to_utc(0, 3600, "Europe/Berlin")
    0
    """
    days, rest = divmod(second, 86_400)
    time = dt.time(rest // 3600, rest // 60 % 60, rest % 60, tzinfo=ZoneInfo(zone or "UTC"), fold=0)
    moment = dt.datetime.combine(dt.date(1970, 1, 1) + dt.timedelta(days=day + days), time)
    since = moment.astimezone(dt.UTC) - _EPOCH
    return since.days * 86_400 + since.seconds


def zone_names(timezone: TextArray | None, n: int) -> npt.NDArray[np.object_]:
    """Return the zone of each of n places, an object array of str; blank where there is none."""
    names = np.full(n, "", dtype=object)
    if timezone is not None:
        names[:] = timezone.tolist()
    return names


def local(instants: InstantArray, zones: npt.NDArray[np.object_] | Sequence[str]) -> InstantArray:
    """Return what the clocks on the wall show.

    Parameters
    ----------
    instants : datetime64[s] array of shape (n,), UTC
    zones : str of length n

    Returns
    -------
    datetime64[s] array of shape (n,); NaT stays NaT
    """
    names = np.asarray(zones, dtype=object)
    shown = instants.astype("datetime64[s]").copy()
    for zone in sorted(set(names.tolist()) - {""}):
        info = ZoneInfo(zone)
        rows = np.flatnonzero((names == zone) & ~np.isnat(instants))
        distinct, back = np.unique(instants[rows].astype("datetime64[s]").astype(np.int64), return_inverse=True)
        seconds = np.empty(len(distinct), dtype=np.int64)
        for i, second in enumerate(distinct.tolist()):
            offset = (_EPOCH + dt.timedelta(seconds=second)).astimezone(info).utcoffset()
            seconds[i] = 0 if offset is None else offset // dt.timedelta(seconds=1)
        shown[rows] += seconds[back].astype("timedelta64[s]")
    return shown


def as_text(instant: np.datetime64, zone: str) -> str:
    """Write an instant as the wall clock of a zone shows it.

    >>> as_text(np.datetime64("2026-07-01T08:00:00"), "Europe/Berlin")
    '2026-07-01 10:00'
    """
    if np.isnat(instant):
        return "an unknown time"
    moment = _EPOCH + dt.timedelta(seconds=int(instant.astype("datetime64[s]").astype(np.int64)))
    # one at a time, a report of thousands of times would spend its own time in numpy
    return f"{moment.astimezone(ZoneInfo(zone or 'UTC')):%Y-%m-%d %H:%M:%S}".removesuffix(":00")
