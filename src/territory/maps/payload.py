"""What the report shows, as compact columns that a browser can read.

Positions are whole 1e-5 degrees (about a metre), times are seconds from the midnight at which the rep's day begins,
on the rep's wall clock; days are counted from the first day of the report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from territory.maps.aligned import reps_in_plan
from territory.maps.areas import map_areas, map_seam, unrolled
from territory.maps.palette import colours
from territory.maps.singles import single_rows
from territory.maps.words import measure_scale
from territory.model.arrays import NO_IDX
from territory.model.hours import parse_hours
from territory.model.nights import route_ends
from territory.model.workload import default_measure
from territory.model.zones import local
from territory.review.street_lines import streets
from territory.routing.shifts import rep_day
from territory.units import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from territory.geo.rings import Region
    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray, IdxArray, InstantArray, IntArray
    from territory.model.plan import Plan
    from territory.model.routes import Unassigned
    from territory.travel import Travel

__all__ = ["report_data"]

_GRID: Final = 1e5
#: Points of roads that a page still draws smoothly, about 3 MB.
_MOST_ROAD_POINTS: Final = 400_000
_OFF: Final = -1


def report_data(plan: Plan, travel: Travel | None = None) -> dict[str, Any]:
    """Return the report's data as plain lists and numbers.

    Parameters
    ----------
    plan : Plan
    travel : Travel, optional
        Whose lines the routes follow, over its roads if it knows them.

    Returns
    -------
    dict
        Ready for ``json.dumps(..., allow_nan=False)``.

    Notes
    -----
    O(n log n) in customers and stops; a team of 60 with 9,000 customers takes about a second, most of it to draw
    the territories.
    """
    seam = map_seam(np.concatenate([plan.customers.lon, plan.reps.lon]))
    of_customer, rep = _grouping(plan)
    first, n_days = _horizon(plan)
    return {
        "start": str(first),
        "days": n_days,
        "summary": plan.summary(),
        "bound_s": plan.bound_s,
        "customers": _places(plan.customers, seam) | {"area": of_customer.tolist()},
        "reps": _reps(plan, seam, first, n_days),
        "areas": _areas(plan, of_customer, rep),
        "routes": _routes(plan, first, n_days, seam),
        "unassigned": _unassigned(plan, first),
        "singles": single_rows(plan, first),
        "notes": _notes(plan),
        **({} if travel is None else _driven(plan, travel, first, n_days, seam)),
    }


def _horizon(plan: Plan) -> tuple[np.datetime64, int]:
    """Return the first day and the number of days; a plan edited by hand may leave its horizon."""
    days = np.concatenate([plan.settings.days[[0, -1]], plan.stops.day, plan.routes.day])
    first = days.min()
    return first, int((days.max() - first).astype(np.int64)) + 1


def _grouping(plan: Plan) -> tuple[IdxArray, IdxArray]:
    """Return the area of each customer and the rep of each area.

    Areas are territories, or without an alignment reps: a customer belongs to the one whose visit comes first.
    """
    if plan.alignment is not None:
        return plan.alignment.territory_idx, reps_in_plan(plan.alignment, plan)
    of = np.full(len(plan.customers), NO_IDX, dtype=np.int32)
    of[plan.unassigned.customer_idx[::-1]] = plan.unassigned.rep_idx[::-1]
    of[plan.stops.customer_idx[::-1]] = plan.stops.rep_idx[::-1]
    return of, np.arange(len(plan.reps), dtype=np.int32)


def _places(table: Any, seam: float) -> dict[str, Any]:
    return {
        "id": table.id.tolist(),
        "name": None if table.name is None else table.name.tolist(),
        "x": _grid(unrolled(table.lon, seam)),
        "y": _grid(table.lat),
    }


def _grid(degrees: FloatArray) -> list[int]:
    return [int(v) for v in np.rint(np.asarray(degrees) * _GRID)]


# -- reps and their shifts -------------------------------------------------------------------


def _reps(plan: Plan, seam: float, first: np.datetime64, n_days: int) -> dict[str, Any]:
    ends = plan.reps.end_places()
    columns = _places(plan.reps, seam)
    if plan.reps.end_lon is not None:
        columns |= {"end_x": _grid(unrolled(ends.lon, seam)), "end_y": _grid(ends.lat)}
    # many reps share one pattern of shifts
    patterns: dict[tuple[int, ...], int] = {}
    shifts = [tuple(row) for row in _shift_s(plan, first, n_days).tolist()]
    columns["shift"] = [patterns.setdefault(row, len(patterns)) for row in shifts]
    columns["shifts"] = [list(row) for row in patterns]
    return columns


def _shift_s(plan: Plan, first: np.datetime64, n_days: int) -> IntArray:
    """Return the length of each rep's shift on each day; 0: none by the week, -1: leave, holiday, or that day off."""
    reps = plan.reps
    out = np.zeros((len(reps), n_days), dtype=np.int64)
    usual = parse_hours(plan.settings.default_shift)
    for r in range(len(reps)):
        week = usual if reps.shift is None else reps.shift[r]
        for n in range(n_days):
            day = first + np.timedelta64(n, "D")
            found = rep_day(reps, r, day, plan.settings)
            if found is not None:
                out[r, n] = found.end - found.begin
            elif week[int(day.astype(np.int64) + 3) % 7]:  # 1970-01-01 was a Thursday
                out[r, n] = _OFF
    return out


# -- territories -----------------------------------------------------------------------------


def _areas(plan: Plan, of_customer: IdxArray, rep: IdxArray) -> dict[str, Any]:
    """Return one row a territory, and one a rep who has none; without an alignment one a rep."""
    alignment = plan.alignment
    k = len(rep)
    drawn = map_areas(plan.customers.lon, plan.customers.lat, of_customer, k)
    without = np.setdiff1d(np.arange(len(plan.reps)), rep)
    rep = np.concatenate([rep, without])
    shades = colours(int(drawn.colour_idx.max(initial=-1)) + 1 + len(without))
    colour = [shades[i] for i in drawn.colour_idx] + shades[len(shades) - len(without) :]
    blank = [""] * len(without)
    columns = {
        "id": (blank if alignment is None else alignment.territory_id.tolist() + blank) or [""] * k,
        "rep": rep.tolist(),
        "colour": colour,
        "customers": np.bincount(of_customer[of_customer >= 0], minlength=len(rep)).tolist(),
    }
    if alignment is None:
        # who visits whom on some days is no territory: nothing says whose the ground between is
        return columns | {"id": [""] * k, "rings": None, "label": None, "measure": None}
    label = np.concatenate([drawn.label_lonlat, np.full((len(without), 2), np.nan)])
    return columns | {
        "rings": [_rings(p) for p in drawn.polygons] + [[] for _ in without],
        "label": [None if np.isnan(at).any() else _grid(at) for at in label],
        "measure": _measure(alignment, len(without)),
        "status": str(alignment.status),
        "gap": alignment.gap,
    }


def _rings(polygon: Region) -> list[list[int]]:
    """Return closed rings as first corner and steps, all in whole grid units, without repeated corners."""
    out = []
    for ring in shapely.get_rings(shapely.get_parts(polygon)):
        xy = np.rint(shapely.get_coordinates(ring) * _GRID).astype(np.int64)
        step = np.diff(xy, axis=0)
        step = step[np.any(step != 0, axis=1)]
        if len(step) >= 3:
            out.append(np.concatenate([xy[:1], step[:-1]]).ravel().tolist())
    return out


def _measure(alignment: Alignment, n_without: int) -> dict[str, Any]:
    """Return the first measure that the alignment is balanced by; target null: the mean is compared with."""
    name = next(iter(alignment.balance), None) or default_measure(alignment.customers)
    scale, unit = measure_scale(name)
    target = alignment.targets.get(name)
    blank = [None] * n_without
    return {
        "name": name,
        "unit": unit,
        "balance": alignment.balance.get(name),
        "total": [*_rounded(alignment.totals(name) / scale), *blank],
        "target": None if target is None else [*_rounded(np.asarray(target) / scale), *blank],
    }


def _rounded(values: FloatArray) -> list[float | None]:
    return [round(float(v), 3) if np.isfinite(v) else None for v in values]


# -- routes ----------------------------------------------------------------------------------


def _routes(plan: Plan, first: np.datetime64, n_days: int, seam: float) -> dict[str, Any]:
    """Return routes with their stops behind one another: those of route i are ``stop[i]`` to ``stop[i + 1]``.

    A plan edited by hand may have stops on a day without a row of its own: that day begins with the first drive and
    ends with the last visit.
    """
    stops, routes = plan.stops, plan.routes
    day = (stops.day - first).astype(np.int64)
    key = stops.rep_idx.astype(np.int64) * n_days + day
    order = np.lexsort((stops.position, key))
    s, key, day = stops.take(order), key[order], day[order]
    midnight = s.day.astype("datetime64[s]")
    zones = plan.reps.timezone
    zone = None if zones is None else zones[s.rep_idx]
    arrival, start, end = (_seconds(local(t, zone), midnight) for t in (s.arrival, s.start, s.end))

    route_key = routes.rep_idx.astype(np.int64) * n_days + (routes.day - first).astype(np.int64)
    keys = np.unique(np.concatenate([key, route_key]))
    begin = np.searchsorted(key, keys)
    until = np.searchsorted(key, keys, side="right")
    row = {int(k): i for i, k in enumerate(route_key)}
    midnight = routes.day.astype("datetime64[s]")
    zone = None if zones is None else zones[routes.rep_idx]
    leave, back, rest = (_seconds(local(t, zone), midnight) for t in (routes.leave, routes.back, routes.break_start))

    columns: dict[str, list[Any]] = {
        name: [] for name in ("rep", "day", "leave", "back", "drive", "distance", "break", "break_s", "bound")
    }
    for k, a, b in zip(keys.tolist(), begin.tolist(), until.tolist(), strict=True):
        i = row.get(k)
        columns["rep"].append(k // n_days)
        columns["day"].append(k % n_days)
        if i is None:
            values = [arrival[a] - s.drive_s[a], end[b - 1], s.drive_s[a:b].sum(), s.distance_m[a:b].sum(), None, 0]
        else:
            pause = None if np.isnat(routes.break_start[i]) else rest[i]
            values = [leave[i], back[i], routes.drive_s[i], routes.distance_m[i], pause, routes.break_s[i]]
        bound = None if i is None or routes.bound_s is None else routes.bound_s[i]
        for name, value in zip(list(columns)[2:], [*values, bound], strict=True):
            columns[name].append(None if value is None else int(value))
    return _away(plan, columns, row, keys, seam) | {
        "stop": [*begin.tolist(), len(s)],
        "stops": {
            "customer": s.customer_idx.tolist(),
            "arrival": arrival.tolist(),
            "wait": (start - arrival).tolist(),
            "visit": (end - start).tolist(),
            "drive": s.drive_s.tolist(),
            "distance": s.distance_m.tolist(),
            **({} if s.remote is None else {"remote": s.remote.astype(int).tolist()}),
        },
    }


def _away(
    plan: Plan, columns: dict[str, list[Any]], row: dict[int, int], keys: IntArray, seam: float
) -> dict[str, list[Any]]:
    """Add where each route begins and ends, if somebody sleeps away from home."""
    if plan.nights is None or len(plan.nights) == 0:
        return columns
    home, end = plan.reps.places(), plan.reps.end_places()
    rep = np.array(columns["rep"], np.int64)
    at = np.array([row.get(int(k), -1) for k in keys], np.int64)
    more: dict[str, list[Any]] = {}
    for name, usual, found in zip(("from", "to"), (home, end), route_ends(plan), strict=True):
        lon, lat = usual.lon[rep], usual.lat[rep]
        lon[at >= 0], lat[at >= 0] = found[at[at >= 0]].T
        more |= {f"{name}_x": _grid(unrolled(lon, seam)), f"{name}_y": _grid(lat)}
    return columns | more


def _driven(plan: Plan, travel: Travel, first: np.datetime64, n_days: int, seam: float) -> dict[str, Any]:
    """Return the roads, each route's line by rep and day, ``rep * days + day``, as steps on the grid, and whose."""
    found = streets(plan, travel)
    keys = plan.routes.rep_idx.astype(np.int64) * n_days + (plan.routes.day - first).astype(np.int64)
    lines = {str(key): _steps(found.route(i), seam) for i, key in enumerate(keys.tolist())}
    return {"streets": lines, "roads": _roads(travel, seam), "attribution": getattr(travel, "attribution", None)}


def _roads(travel: Travel, seam: float) -> list[list[int]]:
    """Return the lines of roads as steps on the grid; none where they are not known, or too many for a page."""
    known = getattr(travel, "lines", None)
    if known is None:
        return []
    found = known()
    if len(found.lon) > _MOST_ROAD_POINTS:
        return []
    lonlat = np.column_stack((found.lon, found.lat))
    return [_steps(line, seam) for line in np.split(lonlat, found.offsets[1:-1]) if len(line) > 1]


def _steps(lonlat: FloatArray, seam: float) -> list[int]:
    """Return points on the grid, the first as it is and the others as steps from the one before."""
    at = np.rint(np.column_stack((unrolled(lonlat[:, 0], seam), lonlat[:, 1])) * _GRID).astype(np.int64)
    return [int(v) for v in np.diff(at, axis=0, prepend=0).ravel()]


def _seconds(instants: InstantArray, midnight: InstantArray) -> IntArray:
    since: NDArray[np.timedelta64] = instants - midnight
    return np.where(np.isnat(since), -DAY_S, since.astype(np.int64))


# -- what is not planned, and notes ----------------------------------------------------------


def _unassigned(plan: Plan, first: np.datetime64) -> dict[str, Any]:
    u = plan.unassigned
    details: dict[str, int] = {}
    reasons: dict[str, int] = {}
    return {
        "customer": u.customer_idx.tolist(),
        "rep": u.rep_idx.tolist(),
        "due": (u.due - first).astype(np.int64).tolist(),
        "reason": [reasons.setdefault(r, len(reasons)) for r in u.reason.tolist()],
        "detail": [details.setdefault(d, len(details)) for d in _told(u)],
        "reasons": list(reasons),
        "details": list(details),
    }


def _told(u: Unassigned) -> list[str]:
    """Return the reasons in sentences and, where it is known, what would let the visit in."""
    change = [""] * len(u) if u.change is None else u.change.tolist()
    return [f"{why} {what}".strip() for why, what in zip(u.detail.tolist(), change, strict=True)]


def _notes(plan: Plan) -> list[dict[str, Any]]:
    sources = [("plan", plan), ("customers", plan.customers), ("reps", plan.reps)]
    if plan.alignment is not None:
        sources.insert(1, ("territories", plan.alignment))
    return [
        {"of": name, "code": p.code, "text": str(p), "hint": p.hint}
        for name, source in sources
        for p in dict.fromkeys(source.diagnostics)  # type: ignore[attr-defined]
    ]
