"""What a plan's reader should know about its travel: places far from any road, drives that are estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.errors import MAX_ROWS_LISTED, Problem

if TYPE_CHECKING:
    from territory.model.arrays import BoolArray, IdxArray, IntArray
    from territory.model.places import Places
    from territory.travel.protocol import Travel

__all__ = ["FAR_M", "estimate_notes", "road_notes"]

#: Places moved further than this to a road are told of: a campus or an airfield is less wide, a wrong address is not.
FAR_M: Final = 300.0


def road_notes(travel: Travel, places: Places, subject: str, rows: IdxArray | None = None) -> tuple[Problem, ...]:
    """Tell which places no road comes near, and which lie far from theirs.

    Parameters
    ----------
    travel : Travel
    places : Places, length n
    subject : str
        What they are, e.g. ``"customers"``.
    rows : int32 array of shape (n,), optional
        Their rows in the table that they come from; default: from 0.

    Returns
    -------
    tuple of Problem
        ``off-road``: no road near enough, so that nobody gets there; ``far-from-road``: trips begin and end more than
        `FAR_M` away.

    Raises
    ------
    InputError, TravelError
        As `Travel.snap`.
    """
    if len(places) == 0:
        return ()
    moved = travel.snap(places).moved_m
    lost = np.flatnonzero(~np.isfinite(moved))
    far = np.flatnonzero(np.isfinite(moved) & (moved > FAR_M))
    number = np.arange(len(places)) if rows is None else rows
    notes = []
    if lost.size:
        hint = "Maybe outside the map, or wrong coordinates?"
        notes.append(_note("off-road", f"{subject} that no road comes near: nobody gets there", number[lost], hint))
    if far.size:
        message = f"{subject} more than {FAR_M:.0f} m from their road, up to {moved[far].max():,.0f} m"
        notes.append(_note("far-from-road", message, number[far[np.argsort(-moved[far], kind="stable")]], None))
    return tuple(notes)


def estimate_notes(rows: IntArray | IdxArray | BoolArray | None) -> tuple[Problem, ...]:
    """Tell how many drives a fallback told, the source of travel having failed.

    Parameters
    ----------
    rows : bool array, optional
        ``Stops.estimated``.
    """
    found = np.array([], dtype=np.intp) if rows is None else np.flatnonzero(rows)
    if found.size == 0:
        return ()
    message = "drives that the source of travel did not tell; its fallback estimated them"
    return (_note("travel-estimated", message, found, "Maybe plan again when it is back."),)


def _note(code: str, message: str, rows: IntArray | IdxArray, hint: str | None) -> Problem:
    first = tuple(int(row) for row in rows[:MAX_ROWS_LISTED])
    return Problem(code, message, count=int(rows.size), rows=first, hint=hint)
