"""Reading an alignment from a table, maybe one that was edited by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from territory.errors import MAX_ROWS_LISTED, InputError, Problem
from territory.geo.contiguity import POINT_KINDS, graph_of_points
from territory.geo.sphere import great_circle_m, mean_position
from territory.model.arrays import NO_IDX, FloatArray, IdxArray, TextArray, text_array
from territory.model.columns import Column, Kind
from territory.model.convert import read_columns
from territory.model.frames import frame_columns

if TYPE_CHECKING:
    from territory.geo.contiguity import ContiguityGraph
    from territory.model.alignment import Alignment
    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.model.rules import AlignmentRules

__all__ = ["read_alignment"]

A = TypeVar("A", bound="Alignment")


def read_alignment(
    cls: type[A], frame: Any, customers: Customers, reps: Reps | None, like: Alignment | None, *, blank: str
) -> A:
    """Return the alignment that a table says; see `Alignment.from_frame`.

    Parameters
    ----------
    blank : str
        Why those are not served about whom the table says nothing.

    Raises
    ------
    InputError
    """
    source, problems = frame_columns(frame)
    if not problems and ("customer_id" not in source or not {"territory_id", "rep_id"} & set(source)):
        there = ", ".join(source)
        problems.append(
            Problem("missing-column", f"expected customer_id and territory_id or rep_id; there are: {there}")
        )
    if problems:
        raise InputError(problems, "alignment")
    names = [name for name in ("customer_id", "territory_id", "rep_id", "reason") if name in source]
    cells = read_columns(source, dict.fromkeys(names, Column(Kind.TEXT, missing=True)), "alignment")
    rows = customers.positions(cells["customer_id"])
    twice = np.flatnonzero(np.bincount(rows, minlength=len(customers)) > 1)
    if len(twice):
        shown = ", ".join(repr(v) for v in customers.id[twice[:5]].tolist())
        problem = Problem("duplicate-id", f"stands more than once: {shown}", column="customer_id", count=len(twice))
        raise InputError([problem], "alignment")
    column, kept = "territory_id" if "territory_id" in cells else "rep_id", None
    label = cells[column].tolist()
    if like is not None:
        reps = like.reps if reps is None else reps
        ids, kept = like.territory_id.tolist(), _kept(like, customers, reps)
        rep_idx = kept.rep_idx
    elif column == "rep_id" and reps is not None:
        ids, rep_idx = reps.id.tolist(), np.arange(len(reps), dtype=np.int32)
    else:
        ids = list(dict.fromkeys(v for v in label if v))
        rep_idx = _reps_of(ids, label, cells.get("rep_id"), reps)
    position = {t: j for j, t in enumerate(ids)}
    unknown = [row for row, v in enumerate(label) if v and v not in position]
    if unknown:
        shown = ", ".join(repr(v) for v in list(dict.fromkeys(label[row] for row in unknown))[:5])
        problem = Problem("unknown-id", f"unknown: {shown}", column=column, count=len(unknown), rows=tuple(unknown[:5]))
        raise InputError([problem], "alignment")
    territory_idx = np.full(len(customers), NO_IDX, dtype=np.int32)
    territory_idx[rows] = [position.get(v, NO_IDX) for v in label]
    why = {} if "reason" not in cells else dict(zip(rows.tolist(), cells["reason"].tolist(), strict=True))
    reasons = {int(i): why.get(int(i)) or blank for i in np.flatnonzero(territory_idx == NO_IDX)}
    lon, lat = _centers(customers, territory_idx, len(ids))
    if like is None or kept is None:
        return cls(customers, reps, text_array(ids), territory_idx, rep_idx, lon, lat, unassigned_reason=reasons)
    _keep_centers(like, customers, territory_idx, kept.now, lon, lat)
    return cls(
        customers,
        reps,
        text_array(ids),
        territory_idx,
        rep_idx,
        lon,
        lat,
        balance=like.balance,
        targets=like.targets,
        contiguous=like.contiguous,
        graph=kept.graph,
        # centres are the means of what was read, as a rule
        rules=kept.rules.by_place(),
        unassigned_reason=reasons,
        diagnostics=kept.diagnostics,
    )


class _Kept(NamedTuple):
    """What stays of an alignment that was edited, for other tables of customers and reps.

    Attributes
    ----------
    now : int32 array of shape (n before,)
        Position of each customer in the new table; -1: gone.
    """

    now: IdxArray
    rep_idx: IdxArray
    graph: ContiguityGraph | None
    rules: AlignmentRules
    diagnostics: tuple[Problem, ...]


def _positions(before: TextArray, after: TextArray) -> IdxArray:
    """Return where each id is now; -1: nowhere."""
    at = {name: row for row, name in enumerate(after.tolist())}
    return np.array([at.get(name, NO_IDX) for name in before.tolist()], dtype=np.int32)


def _kept(like: Alignment, customers: Customers, reps: Reps | None) -> _Kept:
    """Return what stays of an alignment, by the ids of customers and reps."""
    now = _positions(like.customers.id, customers.id)
    rules, notes = like.rules.carried(now, len(customers))
    rep_idx = like.rep_idx
    if like.reps is not None and reps is not None:
        place = np.append(_positions(like.reps.id, reps.id), NO_IDX).astype(np.int32)
        rep_idx = place[like.rep_idx]
        gone = np.flatnonzero((like.rep_idx >= 0) & (rep_idx < 0))
        if len(gone):
            shown = ", ".join(repr(v) for v in like.reps.id[like.rep_idx[gone[:5]]].tolist())
            notes.append(Problem("rep-gone", f"reps who are gone; nobody has their territories: {shown}", "rep_id",
                                 len(gone)))  # fmt: skip
    return _Kept(now, rep_idx, _graph_now(like, customers, now), rules, tuple(notes))


def _graph_now(like: Alignment, customers: Customers, now: IdxArray) -> ContiguityGraph | None:
    """Return an alignment's graph for another table: the same customers in another order, fewer, or others."""
    graph, n = like.graph, len(customers)
    if graph is None or (len(now) == n and bool((now == np.arange(n)).all())):
        return graph
    was = np.full(n, NO_IDX, dtype=np.int64)
    was[now[now >= 0]] = np.flatnonzero(now >= 0)
    new = np.flatnonzero(was < 0)
    if (now >= 0).all() and not len(new):
        return graph.take(was)
    if graph.kind in POINT_KINDS:
        bridges = np.empty((0, 2), dtype=np.int32) if graph.bridges is None else now[graph.bridges]
        return graph_of_points(
            customers.lon, customers.lat, kind=graph.kind, barriers=graph.barriers,
            bridges=bridges[(bridges >= 0).all(axis=1)], islands=graph.islands,
        )  # fmt: skip
    if len(new):
        shown = ", ".join(repr(v) for v in customers.id[new[:5]].tolist())
        message = f"customers whose neighbours the graph of like does not know: {shown}"
        hint = "Pass contiguous to design_territories anew, or leave out like."
        rows = tuple(int(i) for i in new[:MAX_ROWS_LISTED])
        raise InputError([Problem("unknown-id", message, "id", len(new), rows, hint)], "alignment")
    # those who are gone pass on whom they touched
    return graph.among(now >= 0, like.customers.lon, like.customers.lat).take(was)


def _keep_centers(
    like: Alignment, customers: Customers, territory_idx: IdxArray, now: IdxArray, lon: FloatArray, lat: FloatArray
) -> None:
    """Put the centres that an alignment had in place of the means, where nobody came or went.

    Reach is measured from centres, and means need not be within it of everybody where the centre was. So a territory
    that changed keeps its centre, too, where somebody is out of reach of the mean, and it is nearer to all.
    """
    k = len(lon)
    before = np.full(len(customers), NO_IDX, dtype=np.int32)
    stayed = np.flatnonzero(now >= 0)
    before[now[stayed]] = like.territory_idx[stayed]
    moved = before != territory_idx
    gone = like.territory_idx[now < 0]
    changed = np.zeros(k + 1, dtype=bool)
    changed[[*before[moved].tolist(), *territory_idx[moved].tolist(), *gone.tolist()]] = True
    same = ~changed[:k] & np.isfinite(like.center_lon)
    if like.rules.reach_m is not None:
        served = np.flatnonzero(territory_idx >= 0)
        of = territory_idx[served]
        far = np.zeros((2, k))
        for row, (x, y) in enumerate(((lon, lat), (like.center_lon, like.center_lat))):
            np.maximum.at(far[row], of, great_circle_m(customers.lon[served], customers.lat[served], x[of], y[of]))
        same |= (far[0] > like.rules.reach_m) & (far[1] < far[0])
    lon[same], lat[same] = like.center_lon[same], like.center_lat[same]


def _reps_of(ids: list[str], label: list[str], rep_cells: TextArray | None, reps: Reps | None) -> IdxArray:
    """Return the rep of each territory: what the table says, or else the rep of the same id."""
    if reps is None:
        return np.full(len(ids), NO_IDX, dtype=np.int32)
    if rep_cells is None:
        own = set(reps.id.tolist())
        return np.array([reps.positions([i])[0] if i in own else NO_IDX for i in ids], dtype=np.int32)
    rep_of: dict[str, str] = {}
    two: list[str] = []
    for territory, rep in zip(label, rep_cells.tolist(), strict=True):
        if territory and rep_of.setdefault(territory, rep) != rep:
            two.append(territory)
    if two:
        shown = ", ".join(repr(t) for t in list(dict.fromkeys(two))[:5])
        problem = Problem(
            "two-reps",
            f"territories with different reps in different rows: {shown}",
            column="rep_id",
            count=len(set(two)),
            hint="Maybe only territory_id was edited? Pass like=, the alignment that was edited.",
        )
        raise InputError([problem], "alignment")
    known = [rep_of[i] for i in ids]
    found = iter(reps.positions([rep for rep in known if rep]).tolist())
    return np.array([next(found) if rep else NO_IDX for rep in known], dtype=np.int32)


def _centers(customers: Customers, territory_idx: IdxArray, k: int) -> tuple[FloatArray, FloatArray]:
    """Return the mean position of each territory's customers; NaN for an empty one. O(n log n)."""
    lon, lat = np.full(k, np.nan), np.full(k, np.nan)
    order = np.argsort(territory_idx, kind="stable")
    ends = np.searchsorted(territory_idx[order], np.arange(k + 1))
    for j in range(k):
        rows = order[ends[j] : ends[j + 1]]
        if len(rows):
            lon[j], lat[j] = mean_position(customers.lon[rows], customers.lat[rows])
    return lon, lat
