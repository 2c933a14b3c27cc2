"""Points of the curve of a realignment: what each is like, which are kept, and the alignment that it stands for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.check import check_alignment
from territory.design.moves_layout import ROUNDING
from territory.design.problem import on_sphere
from territory.design.realign_pieces import astray
from territory.errors import Problem, SolverError
from territory.geo.sphere import EARTH_RADIUS_M, from_unit_vectors, great_circle_m
from territory.model.alignment import Alignment
from territory.model.arrays import NO_IDX
from territory.model.enums import Reason
from territory.model.workload import measure_values

if TYPE_CHECKING:
    from territory.check.report import Violation
    from territory.design.realign_core import Task, Trace
    from territory.model.arrays import FloatArray, IdxArray
    from territory.model.realignment import Realignment

__all__ = ["alignment_at", "curve_of", "totals"]

#: What may have been wrong before, and is not put right by handing customers over.
_INHERITED: Final = frozenset({
    "territory-without-rep", "rep-doubled", "lock-broken", "skill-missing", "rep-forbidden",
})  # fmt: skip


def curve_of(task: Task, trace: Trace, tolerance: FloatArray) -> tuple[list[IdxArray], dict[str, Any]]:
    """Return the labels that are worth their change, and what they are like.

    Parameters
    ----------
    task : Task, n customers in k territories with m measures
    trace : Trace
    tolerance : float array of shape (m,)

    Returns
    -------
    labels : list
        By fees; from each to the next the violation falls, or stays, and once there is none, territories get more
        compact.
    columns : dict of lists
        ``moved``, ``work`` (the first measure of those), ``fees``, ``violation``, ``deviation`` (m each),
        ``objective`` and ``torn``.
    """
    labels = trace.labels
    rows = [_measured(task, label, whole=w) for label, w in zip(labels, trace.whole, strict=True)]
    # from the best backwards: what is worse has to be cheaper in every way
    order = sorted(range(1, len(rows)), key=lambda i: (*_worth(rows[i]), rows[i]["fees"], i))
    kept: list[int] = []
    for i in order:
        row = rows[i]
        if (
            (np.array([row["fees"], row["work"], row["moved"]]) > task.cap).any()
            or not _worth(row) < _worth(rows[0])
            or not _no_wider(rows[0], row, tolerance)
        ):
            continue
        if kept:
            after = rows[kept[-1]]
            if not _worth(after) < _worth(row) or not _no_wider(row, after, tolerance):
                continue
            if row["fees"] >= after["fees"]:
                continue
        kept.append(i)
    kept = [0, *reversed(kept)]
    columns = {name: [rows[i][name] for i in kept] for name in rows[0]}
    return [labels[i] for i in kept], columns


def _no_wider(row: dict[str, Any], after: dict[str, Any], tolerance: FloatArray) -> bool:
    """Return whether no measure is further from its targets at the later of two points, or within the tolerance."""
    wide = np.maximum(row["deviation"], tolerance) * (1.0 + 1e-9) + 1e-12
    return bool((after["deviation"] <= wide).all() and after["torn"] <= row["torn"])


def _worth(row: dict[str, Any]) -> tuple[float, int, float]:
    """Return what is least of the better of two points: the violation, then torn territories, then the objective."""
    violation = row["violation"]
    # while the balance is broken, compactness is no reason for a change
    return (violation, row["torn"], row["objective"] if violation <= 0.0 else 0.0)


def _measured(task: Task, label: IdxArray, *, whole: bool) -> dict[str, Any]:
    local, k = task.local, task.local.k
    away = (task.home >= 0) & (label != task.home)
    load = np.stack([np.bincount(label, column, k) for column in local.measures.T], axis=1)
    target = np.maximum(local.target, 1e-300)
    beyond = np.maximum(load - local.upper, local.lower - load) / target
    off = np.where(local.target > 1e-300, np.abs(load - local.target) / target, 0.0)
    weight = local.measures[:, 0]
    mass = np.bincount(label, weight, k)
    sums = np.stack([np.bincount(label, weight * x, k) for x in local.points.T], axis=1)
    middle = sums / np.where(mass > 0, mass, 1.0)[:, None]
    square = ((local.points - middle[label]) ** 2).sum(axis=1)
    torn = 0
    if task.graph is not None and not whole:
        loose = astray(task.graph, weight, label)
        torn = len(np.unique(label[loose]))
    return {
        "moved": int(away.sum()),
        "work": float(weight[away].sum()),
        "fees": float(task.fee[away].sum()),
        "violation": float(beyond[beyond > ROUNDING].sum()),
        "deviation": off.max(axis=0),
        "objective": float(weight @ square / max(float(weight.sum()), 1e-300)),
        "torn": torn,
    }


def totals(r: Realignment, point: int) -> dict[str, FloatArray]:
    """Return the total of each measure in each territory at a point, arrays of shape (k,)."""
    label, k = r.labels[point], len(r.territory_id)
    served = np.flatnonzero(label >= 0)
    return {
        name: np.bincount(label[served], measure_values(r.customers, name)[served], k).astype(np.float64)
        for name in r.balance
    }


def alignment_at(r: Realignment, point: int) -> Alignment:
    """Return the alignment of a point, checked. O(n log n) where contiguity is to be checked.

    Raises
    ------
    SolverError
        The check found what was not wrong before.
    """
    c, label, k = r.customers, r.labels[point], len(r.territory_id)
    served = np.flatnonzero(label >= 0)
    of, xyz = label[served], on_sphere(c.lon[served], c.lat[served])
    weight = measure_values(c, next(iter(r.balance)))[served]
    loads = np.bincount(of, weight, k)
    # where nobody weighs anything, everybody counts the same
    even = np.where(loads[of] > 0, weight, 1.0)
    middle = np.stack([np.bincount(of, even * x, k) for x in xyz.T], axis=1)
    length = np.linalg.norm(middle, axis=1, keepdims=True)
    center = middle / np.where(length > 0, length, 1.0) * EARTH_RADIUS_M
    lon, lat = from_unit_vectors(center)
    empty = length[:, 0] <= 0
    lon, lat = np.where(empty, np.nan, lon), np.where(empty, np.nan, lat)
    if r.anchor is not None and r.rules.reach_m is not None:
        away = great_circle_m(c.lon[served], c.lat[served], lon[of], lat[of])
        # somebody is too far from the middle: the centre is where he is within reach of
        far = np.unique(of[away > r.rules.reach_m[of]])
        lon[far], lat[far] = r.anchor[far].T
        center = on_sphere(np.where(empty, 0.0, lon), np.where(empty, 0.0, lat))
    cost = float(weight @ ((xyz - center[of]) ** 2).sum(axis=1)) / max(float(weight.sum()), 1e-300)
    balance, notes = _reached(r, totals(r, point))
    torn = int(r.curve["torn"][point])
    if torn:
        notes.append(Problem("not-contiguous", "territories in more than one part", count=torn))
    reason = f"{Reason.NO_ELIGIBLE_REP}: no rep has the skills, or all that have are forbidden"
    if r.rules.reach_m is not None:
        reason = f"{Reason.NO_ELIGIBLE_REP}: none who may serve it is within reach"
    told = {} if r.customers is not r.before.customers else r.before.unassigned_reason
    alignment = Alignment(
        c, r.reps, r.territory_id, label, r.rep_idx, lon, lat, balance=balance, targets=r.targets,
        contiguous=r.contiguous and not torn, graph=r.graph, status=r.status, objective=cost, rules=r.rules,
        unassigned_reason={int(i): told.get(int(i)) or reason for i in np.flatnonzero(label == NO_IDX)},
        diagnostics=(*r.diagnostics, *notes),
    )  # fmt: skip
    unmet = r.curve["violation"][point] > 0.0
    found = [v for v in check_alignment(alignment).violations if v.code not in _INHERITED]
    left = [v for v in found if _stayed(r, v, label)]
    wrong = [v for v in found if v not in left and not (v.code == "limit-broken" and unmet)]
    if wrong:
        message = f"realign: {wrong[0].message}"
        raise SolverError(message)
    if left:
        shown = ", ".join(str(v.customer_id) for v in left[:5])
        note = Problem("out-of-reach", f"out of reach today, and not handed over: {shown}", "id", len(left))
        alignment = replace(alignment, diagnostics=(*alignment.diagnostics, note))
    return alignment


def _stayed(r: Realignment, found: Violation, label: IdxArray) -> bool:
    """Return whether somebody is out of reach who was so before, and has not moved."""
    if found.code != "out-of-reach" or found.customer_id is None:
        return False
    i = int(r.customers.positions([found.customer_id])[0])
    old = int(r.before_idx[i])
    return old >= 0 and str(r.before.territory_id[old]) == str(r.territory_id[label[i]])


def _reached(r: Realignment, held: dict[str, FloatArray]) -> tuple[dict[str, float], list[Problem]]:
    """Return the balance that totals keep, and what they do not keep of what was asked."""
    balance, notes = {}, []
    for name, wanted in r.balance.items():
        target = r.targets[name]
        if np.isfinite(wanted):
            off = np.where(target > 0, np.abs(held[name] - target) / np.where(target > 0, target, 1.0), 0.0)
            balance[name] = max(wanted, float(off.max(initial=0.0)) * (1 + 1e-12))
            outside = np.flatnonzero(off > wanted + ROUNDING)
            worst = outside[np.argsort(-off[outside], kind="stable")]
            if worst.size:
                shown = ", ".join(f"{r.territory_id[j]} {held[name][j] / target[j] - 1:+.1%}" for j in worst[:5])
                message = f"outside {wanted:.1%} of the target: {shown}" + (", ..." if worst.size > 5 else "")
                notes.append(Problem("balance-not-reached", message, column=name, count=int(worst.size)))
        band = r.rules.limits.get(name)
        if band is not None:
            scale = np.maximum(target, 1e-300)
            beyond = np.maximum(held[name] - band[:, 1], band[:, 0] - held[name]) / scale
            worst = np.flatnonzero(beyond > ROUNDING)
            if worst.size:
                shown = ", ".join(
                    f"{r.territory_id[j]} {held[name][j]:,.6g} ({band[j, 0]:,.6g} to {band[j, 1]:,.6g})"
                    for j in worst[:5]
                )
                message = f"outside the limits: {shown}" + (", ..." if worst.size > 5 else "")
                notes.append(Problem("limit-not-reached", message, column=name, count=int(worst.size)))
    return balance, notes
