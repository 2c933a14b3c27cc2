"""Who may serve whom, going by skills, forbidden reps and locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.model.arrays import NO_IDX

if TYPE_CHECKING:
    from territory.model.arrays import BoolArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["eligibility", "owner_idx"]


def eligibility(customers: Customers, reps: Reps | None) -> BoolArray | None:
    """Return who may serve whom, bool of shape (n, number of reps); None where everybody may.

    The rep needs the required skills and must not be forbidden; a locked customer may only stay with
    its owner, so with nobody where that is none of the reps. O(n r).
    """
    if reps is None:
        return None
    c = customers
    if c.locked is None and c.required_skills is None and c.forbidden_reps is None:
        return None
    allowed = np.ones((len(c), len(reps)), dtype=bool)
    if c.required_skills is not None:
        skills = [reps.skills[j] if reps.skills is not None else frozenset() for j in range(len(reps))]
        table = np.array([[cell <= has for has in skills] for cell in c.required_skills.cells], dtype=bool)
        allowed &= table.reshape(-1, len(reps))[c.required_skills.code]
    if c.forbidden_reps is not None:
        ids = reps.id.tolist()
        table = np.array([[i not in cell for i in ids] for cell in c.forbidden_reps.cells], dtype=bool)
        allowed &= table.reshape(-1, len(reps))[c.forbidden_reps.code]
    if c.locked is not None and c.owner is not None:
        rows = np.flatnonzero(c.locked)
        allowed[rows] &= owner_idx(c, reps)[rows, None] == np.arange(len(reps))
    return allowed


def owner_idx(customers: Customers, reps: Reps) -> IdxArray:
    """Return the position of each customer's owner among the reps; -1 where it has none, or one who is no rep."""
    if customers.owner is None:
        return np.full(len(customers), NO_IDX, dtype=np.int32)
    position = {rep: j for j, rep in enumerate(reps.id.tolist())}
    return np.array([position.get(o, NO_IDX) for o in customers.owner.tolist()], dtype=np.int32)
