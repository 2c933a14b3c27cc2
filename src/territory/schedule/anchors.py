"""Visits by interval around visits whose days are agreed on: anchors cut a customer's rhythm into pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.schedule.cadence import Cadence

__all__ = ["Beat", "Piece", "around"]


class Piece(NamedTuple):
    """A visit by interval that is to be made once: first and last day, and the one that is meant."""

    low: int
    high: int
    due: int


class Beat(NamedTuple):
    """Where a rhythm goes on after all anchors: the days of its first visit, and the one that is meant."""

    low: int
    high: int
    due: int


def around(
    cadence: Cadence, i: int, anchors: Sequence[Piece], n_days: int, *, single: bool = False
) -> tuple[list[Piece], Beat | None]:
    """Return the visits by interval before, between and after the anchors of customer `i`.

    Parameters
    ----------
    cadence : Cadence
    i : int
    anchors : sequence of Piece
        Ordered by day.
    n_days : int
        Length of the horizon.
    single : bool
        Whether the visits after the last anchor are told one by one, too, and not as a rhythm.

    Returns
    -------
    list of Piece
        Such that any choice of days within the pieces of one run keeps the gaps between them.
    Beat or None
        None: nothing is due after the last anchor.
    """
    low, high, due = int(cadence.first_low[i]), int(cadence.first_high[i]), int(cadence.first_due[i])
    gap_low, gap_high, gap = int(cadence.gap_low[i]), int(cadence.gap_high[i]), int(cadence.gap[i])
    found: list[Piece] = []
    for k, anchor in enumerate(anchors):
        # a later anchor may have earlier days, too
        begin = min(one.low for one in anchors[k:])
        run = _run(low, high, due, gap_low, gap_high, gap, begin - gap_low)
        if run:
            # an early visit must not be too long ago when the anchor comes: there is room for the shortest gap more
            near = anchor.low - gap_high - gap_low
            run[-1] = run[-1]._replace(low=min(max(run[-1].low, near), run[-1].due))
        found += [Piece(p.low, min(p.high, begin - 1), p.due) for p in run]
        low, high, due = anchor.due + gap_low, anchor.due + gap_high, anchor.due + gap
    if single:
        found += _run(low, high, due, gap_low, gap_high, gap, n_days - 1)
        return found, None
    # another visit is due after an anchor if the interval ends before the horizon does
    last = anchors[-1].due if anchors else None
    goes_on = due < n_days if last is None else last + float(cadence.interval[i]) < n_days
    return found, Beat(low, high, min(due, n_days - 1)) if goes_on else None


def _run(low: int, high: int, due: int, gap_low: int, gap_high: int, gap: int, last: int) -> list[Piece]:
    """Return visits that are meant for `last` at the latest, each `gap` after the one before."""
    if due > last:
        return []
    # days [a, b] of one visit leave [b + gap_low, a + gap_high] for the next: widths add up to gap_high - gap_low
    half = (gap_high - gap_low) // 2
    a = max(low, due - half // 2)
    b = min(high, a + half)
    pieces = [Piece(a, b, due)]
    while True:
        a, b = b + gap_low, a + gap_high
        due = min(max(due + gap, a), b)
        if due > last:
            break
        pieces.append(Piece(a, b, due))
    return pieces if len(pieces) > 1 else [Piece(low, high, pieces[0].due)]
