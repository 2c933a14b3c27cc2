"""Numbers about an alignment that several of its reviews need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.check.contiguity import kept_graph
from territory.check.measures import first_measure, shares, values_of
from territory.geo.sphere import great_circle_m
from territory.model.arrays import NO_IDX

if TYPE_CHECKING:
    from territory.model.alignment import Alignment
    from territory.model.arrays import BoolArray, FloatArray, IdxArray, TextArray

__all__ = [
    "changed_hands",
    "deviations",
    "distances_m",
    "measures_of",
    "n_parts",
    "rep_of_territory",
    "sums",
    "target_of",
    "weights",
]


def measures_of(a: Alignment) -> list[str]:
    """Name what territories are measured by: what they are balanced by first, then all that customers have."""
    names = [*a.balance, *a.targets, first_measure(a), *a.customers.measures]
    return [name for name in dict.fromkeys(names) if values_of(a.customers, name) is not None]


def weights(a: Alignment) -> FloatArray:
    """Return the weight of each customer in the objective, shape (n,)."""
    values = values_of(a.customers, first_measure(a))
    return np.ones(len(a.customers)) if values is None else values


def sums(a: Alignment, values: FloatArray) -> FloatArray:
    """Add up values of customers, (n,), by territory, (k,)."""
    served = a.territory_idx >= 0
    return np.bincount(a.territory_idx[served], values[served], len(a)).astype(np.float64)


def target_of(a: Alignment, measure: str) -> FloatArray | None:
    """Return the target of each territory, shape (k,): that of the alignment, else its share of what is served."""
    if measure in a.targets:
        return a.targets[measure]
    share, values = a.rules.share.get(measure, shares(a)), values_of(a.customers, measure)
    if measure not in a.balance or share is None or values is None:
        return None
    return np.asarray(sums(a, values).sum() * share)


def deviations(total: FloatArray, target: FloatArray) -> FloatArray:
    """Return deviations as shares of the targets; infinite where something stands against a target of zero."""
    out = np.where(total > 0, np.inf, 0.0)
    return np.divide(total - target, target, out=out, where=target > 0)


def distances_m(a: Alignment) -> FloatArray:
    """Return how far each customer is from its centre, as the crow flies, shape (n,); NaN where it has none."""
    out = np.full(len(a.customers), np.nan)
    served = np.flatnonzero(a.territory_idx >= 0)
    of, c = a.territory_idx[served], a.customers
    out[served] = great_circle_m(c.lon[served], c.lat[served], a.center_lon[of], a.center_lat[of])
    return out


def n_parts(a: Alignment) -> IdxArray:
    """Count the parts of each territory, int32 of shape (k,): of the customers that contiguity concerns."""
    piece = kept_graph(a).torn(a.territory_idx)
    rows = np.flatnonzero(piece >= 0)
    _, first = np.unique(piece[rows], return_index=True)
    return np.bincount(a.territory_idx[rows[first]], minlength=len(a)).astype(np.int32)


def rep_of_territory(a: Alignment) -> TextArray:
    """Return the rep's id of each territory, objects of shape (k,); blank: none."""
    rep = np.array([*([] if a.reps is None else a.reps.id.tolist()), ""], dtype=object)
    return np.asarray(rep[a.rep_idx])


def changed_hands(a: Alignment) -> tuple[BoolArray, IdxArray] | None:
    """Tell whose owner is another than the rep who serves it, or is served by nobody now.

    Returns
    -------
    changed : bool array of shape (n,)
        False for customers without an owner.
    home : int32 array of shape (n,)
        The territory of each customer's owner; -1: none.

    None where owners or reps are not known.
    """
    owner = a.customers.owner
    if owner is None or a.reps is None:
        return None
    held = {rep: j for j, rep in enumerate(rep_of_territory(a).tolist()) if rep}
    home = np.array([held.get(name, NO_IDX) for name in owner.tolist()], dtype=np.int32)
    known = np.asarray(owner != "")
    return known & ((home == NO_IDX) | (home != a.territory_idx)), home
