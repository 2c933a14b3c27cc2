"""Where everybody begins: today's territories, and those whose territory is gone, split or new dealt out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from territory.design.moves_problem import Graph, LocalProblem
from territory.design.power import power_design
from territory.design.problem import on_sphere
from territory.design.realign_core import Task
from territory.design.realign_pieces import grown, means
from territory.design.realign_rules import within
from territory.design.repair import beside
from territory.errors import MAX_ROWS_LISTED, InfeasibleError, Problem
from territory.geo.sphere import from_unit_vectors
from territory.model.arrays import NO_IDX

if TYPE_CHECKING:
    from territory.design.realign_request import RealignRequest
    from territory.model.arrays import BoolArray, FloatArray, IdxArray

__all__ = ["first_labels", "task_of"]


def task_of(r: RealignRequest) -> Task:
    """Return the problem in the order of `RealignRequest.row`."""
    lon, lat = r.customers.lon[r.row], r.customers.lat[r.row]
    xyz = on_sphere(lon, lat)
    middle = xyz.mean(axis=0)
    measures = r.measures[r.row]
    # customers without weight belong to the nearer centre too
    weight = np.maximum(measures[:, 0], 1e-9 * max(float(measures[:, 0].max(initial=0.0)), 1e-300))
    local = LocalProblem(
        points=xyz - middle,
        measures=measures,
        lower=r.lower,
        upper=r.upper,
        target=np.maximum(r.target, 1e-300),
        objective="squared",
        near=beside(r.graph, lon, lat),
        weight=weight,
        eligible=None if r.eligible is None else r.eligible[r.row],
        site=None if r.graph is None else r.graph.site,
        links=None if r.graph is None else Graph(r.graph.indptr.astype(np.int64), r.graph.indices),
        apart=_apart(r),
    )
    start, moved_on = first_labels(r, local)
    load = np.stack([np.bincount(start, column, r.k) for column in measures.T], axis=1)
    # a new territory whose place nobody named begins where there is most too much
    crowd = means(local, start, np.zeros((r.k, 3)))
    over = (load / np.maximum(r.target, 1e-300)).max(axis=1)
    where = np.where(np.isnan(r.shape.lon), 0.0, r.shape.lon), np.where(np.isnan(r.shape.lat), 0.0, r.shape.lat)
    place = on_sphere(*where) - middle
    unnamed = np.flatnonzero(np.isnan(r.shape.lon)).astype(np.int32)
    for j in unnamed.tolist():
        place[j] = crowd[int(over.argmax())]
        if load[j].sum() == 0:
            # the next one goes elsewhere
            over[int(over.argmax())] = 0.0
    local, anchor = _anchored(r, local, place + middle, unnamed)
    home = start.copy()
    before = r.before_idx[r.row]
    settled = (before >= 0) & (np.append(r.shape.became, NO_IDX)[before] >= 0)
    home[~settled | moved_on] = NO_IDX
    return Task(local, start, home, r.fee[r.row], r.stuck[r.row], r.cap, place, r.graph, anchor)


def _apart(r: RealignRequest) -> Graph | None:
    """Return the graph of those who must be apart, in the order of the problem."""
    at = np.full(len(r.customers), NO_IDX, dtype=np.int64)
    at[r.row] = np.arange(len(r.row))
    pairs = at[r.kept.apart]
    pairs = pairs[(pairs >= 0).all(axis=1)]
    return Graph.of_edges(pairs, len(r.row)) if len(pairs) else None


def _anchored(
    r: RealignRequest, local: LocalProblem, place: FloatArray, unnamed: IdxArray
) -> tuple[LocalProblem, FloatArray | None]:
    """Return the problem with new territories open to those within reach of their places, and these."""
    kept = r.kept
    if kept.anchor is None or local.eligible is None:
        return local, kept.anchor
    anchor, eligible = kept.anchor.copy(), local.eligible.copy()
    lon, lat = from_unit_vectors(place)
    for j in unnamed[np.isnan(anchor[unnamed, 0])].tolist():
        if r.shape.origin[j] < 0 and j >= len(r.shape.kept):
            anchor[j] = lon[j], lat[j]
            eligible[:, j] = within(r.customers, replace(kept, anchor=anchor), j)[r.row]
    return replace(local, eligible=eligible), anchor


def first_labels(r: RealignRequest, local: LocalProblem) -> tuple[IdxArray, BoolArray]:
    """Return where the problem's customers begin, int32 of shape (len(row),), and who was dealt out.

    Nobody is who may stay, or whose territory was merged into one that he may belong to. Groups are together.

    Raises
    ------
    InfeasibleError
        No territory is left for somebody that is without those from whom he must be apart.
    """
    before = r.before_idx[r.row]
    label = np.append(r.shape.became, NO_IDX)[before].astype(np.int32)
    for j in np.flatnonzero(r.shape.origin >= 0).tolist():
        label = _split(r, local, label, int(r.shape.origin[j]), j)
    if local.eligible is not None:
        # out of reach of the territory that theirs was merged into
        there = np.flatnonzero(label >= 0)
        label[there[~local.eligible[there, label[there]]]] = NO_IDX
    dealt: BoolArray = np.asarray(label < 0)
    loose = np.flatnonzero(dealt).astype(np.int32)
    if not loose.size:
        return label, dealt
    group = None if r.kept.together is None else r.kept.together[r.row]
    label = grown(local, label, loose, means(local, label, _places(r, local)), group)
    lost = np.flatnonzero(label < 0)
    if lost.size:
        rows = np.sort(r.row[lost])
        shown = ", ".join(r.customers.id[rows[:5]].tolist())
        message = f"must be apart from others in every territory that they could go to: {shown}"
        listed = tuple(int(i) for i in rows[:MAX_ROWS_LISTED])
        raise InfeasibleError([Problem("not-apart", message, "id", int(lost.size), listed)], "no realignment")
    return label, dealt


def _places(r: RealignRequest, local: LocalProblem) -> FloatArray:
    """Return where territories with nobody are: at their places, else in the middle of all."""
    middle = on_sphere(r.customers.lon[r.row], r.customers.lat[r.row]).mean(axis=0)
    named = ~np.isnan(r.shape.lon)
    out = np.zeros((r.k, local.points.shape[1]))
    out[named] = on_sphere(r.shape.lon[named], r.shape.lat[named]) - middle
    return out


def _split(r: RealignRequest, local: LocalProblem, label: IdxArray, old: int, new: int) -> IdxArray:
    """Return labels with the customers of a territory shared out between it and a new one, by their targets."""
    mine = np.flatnonzero(label == old).astype(np.int32)
    stuck = r.stuck[r.row][mine]
    if len(mine) < 2 or stuck.all():
        return label
    weight = local.measures[mine, 0] if local.measures[mine, 0].any() else np.ones(len(mine))
    part = r.target[[old, new], 0]
    part = weight.sum() * part / part.sum() if part.sum() > 0 else np.full(2, weight.sum() / 2)
    spread = min(max(float(next(iter(r.balance.values()))), 0.02), 1.0)
    allowed = np.ones((len(mine), 2), dtype=bool)
    allowed[stuck, 1] = False
    if local.eligible is not None:
        allowed[:, 1] &= local.eligible[mine, new]
    found = power_design(
        local.points[mine], weight, part * max(1 - spread, 0.0), part * (1 + spread),
        eligible=None if allowed.all() else allowed, rng=0,
    )  # fmt: skip
    second = (found.label == 1) & allowed[:, 1]
    if allowed.all() and _nearer(r, local, mine, found.label, old, new):
        second = ~second
    out = label.copy()
    out[mine[second]] = new
    return out


def _nearer(r: RealignRequest, local: LocalProblem, mine: IdxArray, half: IdxArray, old: int, new: int) -> bool:
    """Return whether the reps drive less with the halves the other way round."""
    reps, rep = r.reps, r.shape.rep_idx[[old, new]]
    if reps is None or (rep < 0).any():
        return False
    middle = on_sphere(r.customers.lon[r.row], r.customers.lat[r.row]).mean(axis=0)
    home = on_sphere(reps.lon[rep], reps.lat[rep]) - middle
    far = [[float(((local.points[mine[half == s]] - home[t]) ** 2).sum()) for t in range(2)] for s in range(2)]
    return far[0][1] + far[1][0] < far[0][0] + far[1][1]
