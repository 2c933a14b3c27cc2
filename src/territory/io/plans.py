"""A plan as a directory: for people and other programs, and to read it back as it was.

::

    plan.json              settings, status, totals, warnings, the alignment's numbers; a sum of every file
    customers.parquet      the input, all of it; reps.parquet likewise
    alignment.csv          whose customer is whose
    stops.csv routes.csv   every visit and every day, on the rep's wall clock and in UTC
    unassigned.csv         what is not planned, with its reason
    visits.parquet         single visits that were to be planned, where there are any
    hotels.parquet nights.csv   where nights may be spent, and where they are, where there may be any
    territories.geojson    the territories as polygons
    routes-2026-01-05/     one day for the road: routes.geojson, links.csv (Google Maps), and for each
                           rep a .gpx of the day and an .ics of all visits of the plan
"""

from __future__ import annotations

import datetime as dt
import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import territory
from territory.errors import InputError, Problem
from territory.io.calendar import plan_ics
from territory.io.csv_source import read_csv_cells
from territory.io.extras import needed
from territory.io.files import atomic_directory, safe_names
from territory.io.geojson import alignment_geojson, routes_geojson, write_geojson
from territory.io.gpx import route_gpx
from territory.io.links import MAX_WAYPOINTS, google_maps_links
from territory.io.plan_folder import FORMAT, HEAD, VERSION, check_sums, read_head, refuse_foreign, sums_of
from territory.io.plan_state import (
    alignment_state,
    notes_state,
    problems_state,
    restore_alignment,
    restore_nights,
    restore_notes,
    restore_problems,
    restore_routes,
    restore_stops,
    restore_unassigned,
    routes_columns,
    stops_columns,
)
from territory.io.tables import read_table, write_table
from territory.model import Customers, Hotels, Plan, PlanSettings, Reps, Status, Visits
from territory.model.settings import as_day

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["read_plan", "write_plan"]


def write_plan(
    plan: Plan,
    directory: str | os.PathLike[str],
    *,
    day: object = None,
    previous: str | os.PathLike[str] | None = None,
    now: dt.datetime | None = None,
    max_waypoints: int = MAX_WAYPOINTS,
    extra_files: Mapping[str, bytes | str] | None = None,
) -> Path:
    """Write a plan into a directory, as a whole or not at all.

    Parameters
    ----------
    plan : Plan
    directory : path
        New, empty, or what this function wrote before, which is replaced; nothing else is.
    day : date, optional
        The day whose routes are written for the road; default: the first with visits.
    previous : path, optional
        An earlier plan's directory whose calendars are continued, see `plan_ics`; default:
        `directory` itself, if there is one.
    now : aware datetime, optional
        Goes into the calendars; default: the current time. Give it for the same bytes from the
        same plan.
    max_waypoints : int
        See `google_maps_links`.
    extra_files : mapping of file name to content, optional
        Written along, e.g. ``{"report.html": html}``.

    Returns
    -------
    Path
        Of the directory.

    Raises
    ------
    InputError
        `directory` holds something else, or files that were put in later; they are named.
    OutputError
        The operating system refused; the old directory, if any, is untouched.
    MissingExtraError
        pyarrow, icalendar or gpxpy is not installed; nothing was written.
    """
    for module in ("pyarrow.parquet", "pyarrow.csv", "icalendar", "gpxpy.gpx"):
        needed(module)
    target = Path(directory)
    refuse_foreign(target)
    before = _calendars(target if previous is None else Path(previous), required=previous is not None)
    days = np.unique(plan.routes.day)
    chosen = as_day(day, "day") if day is not None else days[0] if len(days) else None
    with atomic_directory(target, lambda: refuse_foreign(target)) as folder:
        write_table(plan.customers, folder / "customers.parquet")
        write_table(plan.reps, folder / "reps.parquet")
        if plan.visits is not None:
            write_table(plan.visits, folder / "visits.parquet")
        if plan.hotels is not None:
            write_table(plan.hotels, folder / "hotels.parquet")
        if plan.nights is not None:
            write_table(plan.nights_dict(), folder / "nights.csv")
        write_table(stops_columns(plan), folder / "stops.csv")
        write_table(routes_columns(plan), folder / "routes.csv")
        write_table(plan.unassigned_dict(), folder / "unassigned.csv")
        alignment = _write_alignment(plan, folder)
        calendars: dict[str, str] = {}
        if chosen is not None:
            calendars = _write_day(plan, chosen, folder, before, now=now, max_waypoints=max_waypoints)
        for name, content in (extra_files or {}).items():
            _write_extra(folder, name, content)
        head = {
            "format": FORMAT,
            "format_version": VERSION,
            "versions": {
                "territory": territory.__version__,
                "python": platform.python_version(),
                "numpy": np.__version__,
                "pyarrow": needed("pyarrow").__version__,
            },
            "status": str(plan.status),
            "settings": plan.settings.to_dict(),
            "summary": plan.summary(),
            "diagnostics": problems_state(plan.diagnostics),
            "customers": notes_state(plan.customers),
            "reps": notes_state(plan.reps),
            "visits": None if plan.visits is None else notes_state(plan.visits),
            "hotels": None if plan.hotels is None else notes_state(plan.hotels),
            "nights": plan.nights is not None,
            "alignment": alignment,
            "routes_day": None if chosen is None else str(chosen),
            "calendars": calendars,
            "files": sums_of(folder),
        }
        (folder / HEAD).write_text(json.dumps(head, indent=1, default=_plain, allow_nan=False) + "\n", encoding="utf-8")
    return target


def read_plan(directory: str | os.PathLike[str]) -> Plan:
    """Read a plan that `write_plan` wrote, as it was.

    Parameters
    ----------
    directory : path

    Returns
    -------
    Plan
        With its alignment; only ``trace`` is empty.

    Raises
    ------
    InputError
        No such directory, or files in it that are missing, torn, or were edited.
    MissingExtraError
        pyarrow is not installed.
    """
    folder = Path(directory)
    head = read_head(folder)
    try:
        check_sums(folder, head)
        customers, reps = _tables(folder, "customers", Customers, head), _tables(folder, "reps", Reps, head)
        # files of before have none
        visits = None if head.get("visits") is None else _tables(folder, "visits", Visits, head)
        hotels = None if head.get("hotels") is None else _tables(folder, "hotels", Hotels, head)
        nights = None
        if head.get("nights"):
            nights = restore_nights(_cells(folder, "nights.csv"), customers, reps, hotels)
        return Plan(
            customers=customers,
            reps=reps,
            settings=PlanSettings.from_dict(head["settings"]),
            stops=restore_stops(_cells(folder, "stops.csv"), customers, reps, visits),
            routes=restore_routes(_cells(folder, "routes.csv"), reps),
            unassigned=restore_unassigned(_cells(folder, "unassigned.csv"), customers, reps, visits),
            alignment=_read_alignment(folder, head["alignment"], customers, reps),
            status=Status(head["status"]),
            diagnostics=restore_problems(head["diagnostics"]),
            visits=visits,
            nights=nights,
            hotels=hotels,
        )
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{HEAD} does not go with the files beside it: {type(error).__name__}: {error}"
        raise InputError([Problem("not-a-plan", message)], str(folder)) from error


# -- writing -----------------------------------------------------------------------------------


def _write_alignment(plan: Plan, folder: Path) -> dict[str, Any] | None:
    alignment = plan.alignment
    if alignment is None:
        return None
    state = alignment_state(alignment)
    # customers and reps are the plan's own, as a rule, and then not written twice
    for kind, mine, theirs in (
        ("customers", plan.customers, alignment.customers),
        ("reps", plan.reps, alignment.reps),
    ):
        same = theirs is mine or mine.equals(theirs)
        state[kind] = None if theirs is None else "plan" if same else notes_state(theirs)
        if theirs is not None and not same:
            write_table(theirs, folder / f"alignment-{kind}.parquet")
    write_table(alignment.to_dict(), folder / "alignment.csv")
    write_geojson(alignment_geojson(alignment), folder / "territories.geojson")
    return state


def _write_day(
    plan: Plan,
    day: np.datetime64,
    folder: Path,
    before: Mapping[str, bytes],
    *,
    now: dt.datetime | None,
    max_waypoints: int,
) -> dict[str, str]:
    """Write one day for the road; return the calendar file of each rep."""
    at = folder / f"routes-{day}"
    at.mkdir()
    part = plan.day(day)
    stamp = now if now is not None else dt.datetime.now(dt.UTC)
    ids = plan.reps.id.tolist()
    names = safe_names(ids)
    links: list[tuple[str, int, str]] = []
    for i in part.routes.rep_idx.tolist():
        (at / f"{names[i]}.gpx").write_text(route_gpx(part, ids[i], day), encoding="utf-8", newline="\n")
        urls = google_maps_links(part, ids[i], day, max_waypoints=max_waypoints)
        links += [(ids[i], number, url) for number, url in enumerate(urls, 1)]
    columns = {
        "rep_id": np.array([rep_id for rep_id, _, _ in links], dtype=object),
        "day": np.full(len(links), day),
        "part": np.array([number for _, number, _ in links], dtype=np.int64),
        "url": np.array([url for _, _, url in links], dtype=object),
    }
    write_table(columns, at / "links.csv")
    write_geojson(routes_geojson(part), at / "routes.geojson")
    calendars = {}
    visiting = set(plan.stops.rep_idx.tolist())
    for i, rep_id in enumerate(ids):
        if i in visiting or rep_id in before:  # whose visits are all gone must hear of it
            calendars[rep_id] = f"{at.name}/{names[i]}.ics"
            (folder / calendars[rep_id]).write_bytes(plan_ics(plan, rep_id, previous=before.get(rep_id), now=stamp))
    return calendars


def _write_extra(folder: Path, name: str, content: bytes | str) -> None:
    target = folder / name
    if target.parent != folder or name in ("", ".", "..") or target.exists() or name == HEAD:
        raise InputError([Problem("bad-name", f"expected a new file name, not {name!r}")], "extra_files")
    target.write_bytes(content.encode() if isinstance(content, str) else content)


def _plain(value: object) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    msg = f"no JSON for {type(value).__name__}"
    raise TypeError(msg)


# -- reading -----------------------------------------------------------------------------------


def _tables(folder: Path, kind: str, cls: Any, head: Mapping[str, Any]) -> Any:
    table = read_table(folder / f"{kind}.parquet", cls)
    restore_notes(table, head[kind.removeprefix("alignment-")])
    return table


def _read_alignment(folder: Path, values: Mapping[str, Any] | None, customers: Customers, reps: Reps) -> Any:
    if values is None:
        return None
    own: dict[str, Any] = {"customers": customers, "reps": reps}
    for kind, cls in (("customers", Customers), ("reps", Reps)):
        if values[kind] is None:
            own[kind] = None
        elif values[kind] != "plan":
            own[kind] = _tables(folder, f"alignment-{kind}", cls, values)
    return restore_alignment(values, _cells(folder, "alignment.csv"), own["customers"], own["reps"])


def _cells(folder: Path, name: str) -> dict[str, list[str]]:
    table = read_csv_cells((folder / name).read_bytes(), name, delimiter=",")
    return {str(column): values for column, values in table.to_pydict().items()}


def _calendars(folder: Path, *, required: bool) -> dict[str, bytes]:
    """Return the calendar of each rep in an earlier plan's directory."""
    if not required and not (folder / HEAD).exists():
        return {}
    found = {}
    for rep_id, name in read_head(folder).get("calendars", {}).items():
        try:
            found[rep_id] = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            message = f"{name} is not readable: {error}"
            raise InputError([Problem("unreadable-file", message)], str(folder)) from None
    return found
