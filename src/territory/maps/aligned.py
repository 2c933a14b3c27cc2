"""A plan's alignment, in the positions of the plan's own tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.model.arrays import NO_IDX

if TYPE_CHECKING:
    from territory.model.alignment import Alignment
    from territory.model.arrays import IdxArray
    from territory.model.plan import Plan

__all__ = ["reps_in_plan"]


def reps_in_plan(alignment: Alignment, plan: Plan) -> IdxArray:
    """Return the rep of each territory as a position among a plan's reps, who may be some of the alignment's only.

    Parameters
    ----------
    alignment : Alignment
        Of k territories.
    plan : Plan

    Returns
    -------
    int32 array of shape (k,)
        -1: no rep, or none of the plan's.
    """
    if alignment.reps is None or alignment.reps is plan.reps:
        return alignment.rep_idx
    position = {text: i for i, text in enumerate(plan.reps.id.tolist())}
    found = [position.get(text, NO_IDX) for text in alignment.reps.id.tolist()]
    return np.array([*found, NO_IDX], dtype=np.int32)[alignment.rep_idx]
