"""The report of an alignment: a row a territory, and a summary of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.check.measures import first_measure, values_of
from territory.review.facts import (
    changed_hands,
    deviations,
    distances_m,
    measures_of,
    n_parts,
    rep_of_territory,
    sums,
    target_of,
    weights,
)
from territory.review.polygons import draw_polygons
from territory.travel.estimate import DriveEstimate, drive_estimate

if TYPE_CHECKING:
    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray
    from territory.model.shapes import TerritoryPolygons

__all__ = ["alignment_report", "alignment_summary", "basic_report", "drive_of"]

#: Length of a visit where nobody says, seconds; and of a working day.
_SERVICE_S: Final = 1800.0
_DAY_S: Final = 8 * 3600.0


def basic_report(alignment: Alignment) -> dict[str, Any]:
    """Return the columns of `alignment_report` that cost O(n): what maps and GeoJSON show.

    Parameters
    ----------
    alignment : Alignment, n customers in k territories

    Returns
    -------
    dict of str to array of shape (k,)
    """
    a = alignment
    count = sums(a, np.ones(len(a.customers)))
    columns: dict[str, Any] = {
        "territory_id": a.territory_id.astype(object),
        "rep_id": rep_of_territory(a),
        "customers": count.astype(np.int64),
    }
    for measure in measures_of(a):
        total = a.totals(measure)
        columns[measure] = total
        target = target_of(a, measure)
        if target is not None:
            columns[f"{measure}_target"] = target
            columns[f"{measure}_deviation"] = deviations(total, target)
    served = np.flatnonzero(a.territory_idx >= 0)
    of, km, weight = a.territory_idx[served], distances_m(a)[served] / 1000.0, weights(a)[served]
    reach = np.zeros(len(a))
    np.maximum.at(reach, of, km)
    columns["mean_km"] = np.bincount(of, km, len(a)) / np.maximum(count, 1)
    columns["weighted_km"] = _mean(of, km, weight, len(a))
    columns["weighted_km2"] = _mean(of, km**2, weight, len(a))
    columns["reach_km"] = reach
    return columns


def alignment_report(alignment: Alignment, *, polygons: bool | TerritoryPolygons = False) -> dict[str, Any]:
    """Return the columns of the report, one row a territory.

    Parameters
    ----------
    alignment : Alignment, n customers in k territories
    polygons : bool or TerritoryPolygons
        Whether to measure the territories' polygons, too, and which.

    Returns
    -------
    dict of str to array of shape (k,)
        ``territory_id``, ``rep_id``, ``customers``; each measure, its ``_target`` and its ``_deviation`` as a share
        of that; ``mean_km``, and weighted by the first measure ``weighted_km`` and ``weighted_km2`` (of squares),
        and ``reach_km``, the farthest: from the centre, as the crow flies; ``parts`` on the Delaunay graph of the
        customers that every rep may serve; ``drive_h_round``, a rough estimate of the hours it takes to drive to
        every customer once, and ``drive_h_week`` at their visit intervals, where known (see
        `territory.travel.estimate`); where owners are known, ``gained`` customers of other owners and ``lost`` ones,
        also by the first measure; with `polygons`, ``area_km2``, ``perimeter_km`` and ``polsby_popper``.

    Notes
    -----
    O(n log n): about a second for 100,000 customers, and several with polygons.
    """
    a = alignment
    columns = basic_report(a)
    columns["parts"] = n_parts(a)
    drive = drive_of(a)
    columns["drive_h_round"] = drive.round_s / 3600.0
    if drive.week_s is not None:
        columns["drive_h_week"] = drive.week_s / 3600.0
    columns |= _disruption(a)
    if polygons is not False:
        shapes = draw_polygons(a) if polygons is True else polygons
        columns |= shapes.measures()
    return columns


def _objective(a: Alignment) -> dict[str, float]:
    """Return the objective in the unit that people use."""
    name, unit = {
        "squared": ("objective_km2", 1e6), "distance": ("objective_km", 1e3), "travel": ("objective_min", 60.0)
    }[a.rules.metric]  # fmt: skip
    return {name: a.objective / unit}


def alignment_summary(alignment: Alignment, *, polygons: bool | TerritoryPolygons = False) -> dict[str, Any]:
    """Return the report of the whole alignment in one row; see `alignment_report`.

    Parameters
    ----------
    alignment : Alignment
    polygons : bool or TerritoryPolygons
        Whether to measure the territories' polygons, too, and which.

    Returns
    -------
    dict of str to int, float, str or None
        Means are over customers, or weighted by the first measure; deviations are shares of the targets;
        ``torn`` counts territories in more than one part; ``changed_customers`` those whose owner is not the rep
        who serves them now, and ``changed_share`` their share of all with an owner.
    """
    a = alignment
    columns = alignment_report(a, polygons=polygons)
    served = a.territory_idx >= 0
    km, weight = distances_m(a)[served] / 1000.0, weights(a)[served]
    one = np.zeros(len(km), dtype=np.int64)
    out: dict[str, Any] = {
        "customers": len(a.customers),
        "unassigned": int((~served).sum()),
        "territories": len(a),
        "empty_territories": int((columns["customers"] == 0).sum()),
        "status": str(a.status),
        **_objective(a),
        "gap": a.gap,
    }
    for measure in measures_of(a):
        out[measure] = float(columns[measure].sum())
        if f"{measure}_deviation" in columns and len(a):
            off = np.abs(columns[f"{measure}_deviation"])
            out[f"{measure}_max_deviation"] = float(off.max())
            out[f"{measure}_mean_deviation"] = float(off.mean())
        if measure in a.balance:
            out[f"{measure}_allowed"] = float(a.balance[measure])
    out["mean_km"] = float(km.mean()) if len(km) else 0.0
    out["weighted_km"] = float(_mean(one, km, weight, 1)[0])
    out["weighted_km2"] = float(_mean(one, km**2, weight, 1)[0])
    out["reach_km"] = float(columns["reach_km"].max(initial=0.0))
    out["torn"] = int((columns["parts"] > 1).sum())
    out |= {name: float(columns[name].sum()) for name in ("drive_h_round", "drive_h_week") if name in columns}
    changed = changed_hands(a)
    if changed is not None and a.customers.owner is not None:
        owned = np.asarray(a.customers.owner != "")
        out["changed_customers"] = int(changed[0].sum())
        out["changed_share"] = float(changed[0].sum() / max(1, owned.sum()))
        value = weights(a)
        total = float(value[owned].sum())
        out[f"changed_{first_measure(a)}"] = float(value[changed[0]].sum())
        out[f"changed_{first_measure(a)}_share"] = float(value[changed[0]].sum() / total) if total > 0 else 0.0
    if polygons is not False:
        out["area_km2"] = float(columns["area_km2"].sum())
        there = columns["area_km2"] > 0
        out["perimeter_km"] = float(columns["perimeter_km"].sum())
        out["polsby_popper"] = float(columns["polsby_popper"][there].mean()) if there.any() else float("nan")
    return out


def drive_of(alignment: Alignment) -> DriveEstimate:
    """Estimate the driving of an alignment's territories: from the reps' homes, or from the centres where none is.

    Visits last ``service_s`` (half an hour where unknown); days are as long as the reps' shifts without the break
    (eight hours where unknown).
    """
    a = alignment
    c, reps = a.customers, a.reps
    lon, lat, day_s = a.center_lon.copy(), a.center_lat.copy(), np.full(len(a), _DAY_S)
    held = np.flatnonzero(a.rep_idx >= 0)
    if reps is not None:
        rep = a.rep_idx[held]
        lon[held], lat[held] = reps.lon[rep], reps.lat[rep]
        if reps.shift is not None:
            length = np.array([_day_length(week) for week in reps.shift.weeks])[reps.shift.code]
            pause = np.zeros(len(reps)) if reps.break_s is None else reps.break_s
            day_s[held] = np.maximum(length - pause, 0.0)[rep]
    interval = c.visit_interval_days
    return drive_estimate(
        c.lon,
        c.lat,
        a.territory_idx,
        lon,
        lat,
        service_s=np.full(len(c), _SERVICE_S) if c.service_s is None else c.service_s,
        day_s=day_s,
        visits_per_week=None if interval is None else np.nan_to_num(7.0 / interval, nan=0.0),
        area=c.area,
    )


def _day_length(week: Any) -> float:
    """Return the mean length of the days that are worked, seconds."""
    days = [sum(end - begin for begin, end in day) for day in week if day]
    return float(np.mean(days)) if days else _DAY_S


def _mean(of: Any, values: FloatArray, weight: FloatArray, k: int) -> FloatArray:
    """Return weighted means by group; plain ones where a group weighs nothing, 0 where it is empty."""
    total = np.bincount(of, weight, k)
    weight = np.where(total[of] > 0, weight, 1.0)
    total = np.bincount(of, weight, k)
    return np.divide(np.bincount(of, weight * values, k), total, out=np.zeros(k), where=total > 0)


def _disruption(a: Alignment) -> dict[str, FloatArray]:
    found = changed_hands(a)
    if found is None:
        return {}
    changed, home = found
    columns: dict[str, Any] = {}
    measure = first_measure(a)
    values = {"": np.ones(len(a.customers), dtype=np.float64)}
    known = values_of(a.customers, measure)
    if measure != "count" and known is not None:
        values[f"_{measure}"] = known
    for suffix, value in values.items():
        gained = changed & (a.territory_idx >= 0)
        lost = changed & (home >= 0)
        columns[f"gained{suffix}"] = np.bincount(a.territory_idx[gained], value[gained], len(a))
        columns[f"lost{suffix}"] = np.bincount(home[lost], value[lost], len(a))
    return {name: v.astype(np.int64) if name in ("gained", "lost") else v for name, v in columns.items()}
