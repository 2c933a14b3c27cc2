"""Instants in the forms that files want."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from territory.model.zones import local

if TYPE_CHECKING:
    from territory.model import Plan
    from territory.model.arrays import IdxArray, InstantArray

__all__ = ["as_datetime", "iso_times"]


def as_datetime(instant: np.datetime64) -> dt.datetime:
    """Return an instant as an aware datetime in UTC."""
    return dt.datetime.fromtimestamp(int(instant.astype("datetime64[s]").astype(np.int64)), dt.UTC)


def iso_times(plan: Plan, instants: InstantArray, rep_idx: IdxArray) -> list[str | None]:
    """Write instants as ISO 8601 on the wall clocks of reps, with the offset from UTC.

    Where a rep has no time zone, the wall clock is all that is known, and no offset is written.

    Parameters
    ----------
    plan : Plan
    instants : datetime64[s] array of shape (n,), UTC
    rep_idx : int array of shape (n,)

    Returns
    -------
    list of str, length n
        E.g. ``2026-01-05T09:00:00+01:00``; None for NaT.
    """
    zones = None if plan.reps.timezone is None else plan.reps.timezone[rep_idx]
    wall = local(instants, zones)
    known = [bool(z) for z in ([""] * len(wall) if zones is None else zones.tolist())]
    minutes = ((wall - instants) / np.timedelta64(60, "s")).astype(object)
    texts: list[str | None] = []
    for time, zoned, offset in zip(np.datetime_as_string(wall).tolist(), known, minutes, strict=True):
        if time == "NaT":
            texts.append(None)
        elif not zoned:
            texts.append(time)
        else:
            hours, rest = divmod(abs(round(offset)), 60)
            texts.append(f"{time}{'-' if offset < 0 else '+'}{hours:02d}:{rest:02d}")
    return texts
