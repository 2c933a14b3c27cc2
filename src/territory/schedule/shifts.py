"""When a team works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.model.holidays import with_rep_holidays
from territory.model.routes import Shifts
from territory.routing.shifts import rep_day

if TYPE_CHECKING:
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings

__all__ = ["work_shifts"]


def work_shifts(reps: Reps, settings: PlanSettings) -> Shifts:
    """List the shifts of a horizon, as they are paid: weekly hours and their exceptions, without holidays and leave.

    Office days are shifts like others; preparation and work afterwards are part of a shift, overtime is not.

    Parameters
    ----------
    reps : Reps, length r
    settings : PlanSettings

    Returns
    -------
    Shifts
        One row a rep and working day, by rep and day; instants, so that days on which clocks
        change are as long as they are.

    Raises
    ------
    InputError
        A rep's country or region is unknown.
    MissingExtraError
        A rep has a country, and the package ``holidays`` is not installed.

    Notes
    -----
    O(r days).

    Examples
    --------
    >>> from territory import PlanSettings, Reps
    >>> reps = Reps(id=["R1"], lon=[13.4], lat=[52.5], timezone=["Europe/Berlin"], leave=["2026-01-06..2026-01-08"])
    >>> shifts = work_shifts(reps, PlanSettings("2026-01-05", 7, holidays=[]))
    >>> shifts.start.astype(str).tolist()
    ['2026-01-05T07:00:00', '2026-01-09T07:00:00']
    """
    settings = with_rep_holidays(settings, reps)
    rows = []
    for rep in range(len(reps)):
        for day in settings.days:
            found = rep_day(reps, rep, day, settings)
            if found is not None:
                rows.append((rep, int(day.astype(np.int64)), found.begin, found.end))
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return Shifts(
        rep_idx=columns[0],
        day=columns[1].astype("datetime64[D]"),
        start=columns[2].astype("datetime64[s]"),
        end=columns[3].astype("datetime64[s]"),
    )
