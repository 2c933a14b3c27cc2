"""Files of single reps: a calendar, a track for each day, a table."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING

from territory.io.calendar import plan_ics
from territory.io.files import safe_names
from territory.io.gpx import route_gpx
from territory.io.plan_state import stops_columns

if TYPE_CHECKING:
    from collections.abc import Collection

    from territory.model import Plan

__all__ = ["rep_files"]


def rep_files(plan: Plan, formats: Collection[str]) -> dict[str, bytes]:
    """Return the files of every rep of a plan who has visits.

    Parameters
    ----------
    plan : Plan
    formats : some of "ics", "gpx", "csv"

    Returns
    -------
    mapping of file name to content
        ``R1.ics``, ``R1.csv``, ``R1-2026-01-05.gpx``. The calendars bear the first day of the plan as their stamp, not
        the time of writing: the same plan gives the same bytes.
    """
    files: dict[str, bytes] = {}
    ids = plan.reps.id.tolist()
    names = safe_names(ids)
    stamp = dt.datetime.fromisoformat(str(plan.settings.start)).replace(tzinfo=dt.UTC)
    for i in sorted(set(plan.stops.rep_idx.tolist())):
        if "ics" in formats:
            files[f"{names[i]}.ics"] = plan_ics(plan, ids[i], now=stamp)
        if "csv" in formats:
            files[f"{names[i]}.csv"] = _csv(plan.rep(ids[i]))
        if "gpx" in formats:
            for day in plan.routes.day[plan.routes.rep_idx == i]:
                files[f"{names[i]}-{day}.gpx"] = route_gpx(plan, ids[i], day).encode()
    return files


def _csv(plan: Plan) -> bytes:
    columns = {name: values.astype(str).tolist() for name, values in stops_columns(plan).items()}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue().encode("utf-8", "surrogatepass")
