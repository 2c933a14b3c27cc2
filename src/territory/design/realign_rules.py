"""The rules of an alignment, for the customers and territories that there are now: what of them holds, what cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import MAX_ROWS_LISTED, Problem
from territory.geo.sphere import great_circle_m
from territory.model.arrays import NO_IDX

if TYPE_CHECKING:
    from territory.design.realign_shape import Shape
    from territory.model.alignment import Alignment
    from territory.model.arrays import BoolArray, FloatArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["Kept", "kept_rules", "within"]

#: Farther than any two customers are.
_ANYWHERE_M = 20_100_000.0


@dataclass(frozen=True, eq=False)
class Kept:
    """Rules of n customers in k territories that are to hold after realignment as well.

    Attributes
    ----------
    together : int32 array of shape (n,), or None
    apart : int32 array of shape (p, 2)
    overrides : dict of customer position to territory position
    reach_m : float array of shape (k,), or None
    anchor : float array of shape (k, 2), or None
        Longitude and latitude from which reach is measured; NaN: a new territory of which nobody said where.
    homes : bool
        Whether these are the homes of the reps, which nothing else may stand for.
    exempt : bool array of shape (n,)
        Whom reach does not concern.
    """

    together: IdxArray | None
    apart: IdxArray
    overrides: dict[int, int]
    reach_m: FloatArray | None
    anchor: FloatArray | None
    homes: bool
    exempt: BoolArray

    @property
    def given(self) -> BoolArray:
        """Who was given away by name, bool of shape (n,)."""
        out = np.zeros(len(self.exempt), dtype=bool)
        out[[*self.overrides]] = True
        return out

    @property
    def stays(self) -> BoolArray:
        """Who does not move: those given away by name, and members of groups; bool of shape (n,)."""
        return self.given if self.together is None else self.given | (self.together >= 0)


def kept_rules(
    alignment: Alignment, new: Customers, old: IdxArray, reps: Reps | None, shape: Shape,
    problems: list[Problem], notes: list[Problem],
) -> Kept:  # fmt: skip
    """Carry the rules over to the customers and territories of now.

    Parameters
    ----------
    alignment : Alignment
    new : Customers, length n
    old : int32 array of shape (n,)
        Their positions in the alignment; -1: new.
    reps : Reps, or None
        Of now.
    shape : Shape, of k territories
    problems, notes : lists
        What cannot be asked, and what is given up: accounts given to a territory that is gone, and what the
        alignment itself does not keep.

    Notes
    -----
    O(n k) where reach matters, else O(n).
    """
    rules = alignment.rules
    _metric(rules.metric, problems, notes)
    if rules.weight:
        message = "deviations from the targets have no price in a realignment, only limits: " + ", ".join(rules.weight)
        notes.append(Problem("weight-ignored", message))
    now = np.full(len(alignment.customers), NO_IDX, dtype=np.int32)
    now[old[old >= 0]] = np.flatnonzero(old >= 0)
    overrides = _overrides(alignment, new, now, shape, notes)
    together = _together(alignment, new, old, notes)
    apart = _apart(alignment, new, now, shape, problems, notes)
    exempt = np.zeros(len(new), dtype=bool) if new.locked is None else new.locked.copy()
    exempt[[*overrides]] = True
    if together is not None:
        # whoever must be with one of them goes where he goes
        exempt |= (together >= 0) & np.isin(together, together[exempt])
    reach, anchor, homes = None, None, False
    if rules.reach_m is not None:
        reach, anchor, homes = _reach(alignment, rules.reach_m, reps, shape)
    return Kept(together, apart, overrides, reach, anchor, homes, exempt)


def within(customers: Customers, kept: Kept, j: int) -> BoolArray:
    """Return who may belong to territory `j` as far as reach goes, bool of shape (n,)."""
    if kept.reach_m is None or kept.anchor is None:
        return np.ones(len(customers), dtype=bool)
    away = great_circle_m(customers.lon, customers.lat, kept.anchor[j, 0], kept.anchor[j, 1])
    near: BoolArray = np.asarray(away <= kept.reach_m[j] * (1.0 + 1e-12))
    return near | kept.exempt


def _metric(metric: str, problems: list[Problem], notes: list[Problem]) -> None:
    if metric == "travel":
        message = "the alignment is compact by travel times, but realign works with squared distances"
        hint = "Pass dataclasses.replace(alignment, rules=alignment.rules.by_place())."
        problems.append(Problem("unknown-option", message, hint=hint))
    elif metric != "squared":
        message = "the alignment is compact by distances; realign keeps squared distances small"
        notes.append(Problem("metric-changed", message))


def _names(customers: Customers, rows: Any) -> str:
    shown = ", ".join(str(customers.id[i]) for i in rows[:5])
    return shown + (", ..." if len(rows) > 5 else "")


def _note(notes: list[Problem], code: str, message: str, customers: Customers, rows: list[int]) -> None:
    if rows:
        listed = tuple(rows[:MAX_ROWS_LISTED])
        notes.append(Problem(code, f"{message}: {_names(customers, rows)}", "id", len(rows), listed))


def _overrides(
    alignment: Alignment, new: Customers, now: IdxArray, shape: Shape, notes: list[Problem]
) -> dict[int, int]:
    found: dict[int, int] = {}
    gone, elsewhere = [], []
    for i, j in alignment.rules.overrides.items():
        row = int(now[i])
        if row < 0:
            continue
        if alignment.territory_idx[i] != j:
            elsewhere.append(row)
        elif shape.became[j] < 0:
            gone.append(row)
        else:
            found[row] = int(shape.became[j])
    _note(notes, "override-dropped", "given by name to a territory that is dissolved", new, gone)
    _note(notes, "override-dropped", "given by name to a territory that they are not in", new, elsewhere)
    return dict(sorted(found.items()))


def _together(alignment: Alignment, new: Customers, old: IdxArray, notes: list[Problem]) -> IdxArray | None:
    group = alignment.rules.together
    if group is None:
        return None
    now = np.where(old >= 0, group[old], NO_IDX)
    out, number, split = np.full(len(new), NO_IDX, dtype=np.int32), 0, []
    members: dict[int, list[int]] = {}
    for i in np.flatnonzero(now >= 0).tolist():
        members.setdefault(int(now[i]), []).append(i)
    for rows in members.values():
        if len(np.unique(alignment.territory_idx[old[rows]])) > 1:
            split += rows
        elif len(rows) > 1:
            out[rows] = number
            number += 1
    _note(notes, "group-dropped", "must be together, but are not in one territory", new, split)
    return out if number else None


def _apart(
    alignment: Alignment, new: Customers, now: IdxArray, shape: Shape,
    problems: list[Problem], notes: list[Problem],
) -> IdxArray:  # fmt: skip
    pairs = alignment.rules.apart
    pairs = pairs[(now[pairs] >= 0).all(axis=1)]
    at = alignment.territory_idx[pairs]
    met = (at[:, 0] == at[:, 1]) & (at[:, 0] >= 0)
    _note(notes, "apart-dropped", "must be apart, but share a territory", new, now[pairs[met, 0]].tolist())
    pairs, at = pairs[~met], at[~met]
    then = np.where(at >= 0, shape.became[at], NO_IDX)
    merged = (then[:, 0] == then[:, 1]) & (then[:, 0] >= 0)
    if merged.any():
        rows = now[pairs[merged, 0]].tolist()
        message = f"merge: brings together who must be apart: {_names(new, rows)}"
        problems.append(Problem("conflicting-changes", message, "id", len(rows), tuple(rows[:MAX_ROWS_LISTED])))
    return np.unique(np.sort(now[pairs], axis=1), axis=0).astype(np.int32).reshape(-1, 2)


def _reach(
    alignment: Alignment, reach_m: FloatArray, reps: Reps | None, shape: Shape
) -> tuple[FloatArray, FloatArray, bool]:
    """Return how far customers may be, from where, and whether that is from the homes of the reps."""
    k = len(shape.territory_id)
    same = bool(len(reach_m)) and bool((reach_m == reach_m[0]).all())
    reach = np.full(k, reach_m[0] if same else _ANYWHERE_M)
    reach[: len(shape.kept)] = reach_m[shape.kept]
    if reps is not None and (shape.rep_idx >= 0).all() and len(reps) == k:
        return reach, np.stack([reps.lon[shape.rep_idx], reps.lat[shape.rep_idx]], axis=1), True
    before, lon, lat = alignment.reps, alignment.center_lon, alignment.center_lat
    if before is not None and (alignment.rep_idx >= 0).all() and len(before) == len(alignment):
        lon, lat = before.lon[alignment.rep_idx], before.lat[alignment.rep_idx]
    anchor = np.stack([shape.lon, shape.lat], axis=1)
    anchor[: len(shape.kept)] = np.stack([lon, lat], axis=1)[shape.kept]
    parted = np.flatnonzero(shape.origin >= 0)
    # whoever is within reach of the whole's centre is so in either part
    anchor[parted] = anchor[shape.origin[parted]]
    return reach, anchor, False
