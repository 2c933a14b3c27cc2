"""What the search measures costs by: a leg, and rates of its own that real costs do not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from territory.routing.layout import (
    S_COST_PER_DRIVE_S,
    S_COST_PER_M,
    S_COST_PER_S,
    S_END,
    S_PROFILE,
    S_START,
    S_TIMED,
    TIMED,
    V_LINKED,
    V_LOAD,
    V_VALUE,
)

if TYPE_CHECKING:
    from territory.routing.layout import Layout
    from territory.routing.search.state import State

__all__ = ["leg_cost", "lure_rate", "missing_share", "nights_away", "over_rate"]


def lure_rate(layout: Layout, state: State, share: float) -> float:
    """Return the extra cost of a second at the wheel that makes a mean drive cost a share of a mean value."""
    worth = layout.visit_f[:, V_VALUE]
    made = state.at.max(axis=1) >= 0
    drive = float(state.drive.sum())
    stops = int(state.n.sum())
    if stops == 0 or drive <= 0 or not (worth > 0).any():
        return 0.0
    leg = drive / stops
    wanted = share * float(worth[made].mean()) / leg
    return max(0.0, wanted - float(layout.shift_f[:, S_COST_PER_DRIVE_S].mean()))


def missing_share(layout: Layout, state: State) -> float:
    """Return which share of what visits are worth is not made now, 0 to 1; of a rhythm each visit counts.

    Required visits that are worth nothing else do not count. Days off the meant ones are in `State.lost`, too, but
    never as much as a visit.
    """
    weight = np.maximum(state.weight, 1e-9)
    valued = np.where(layout.visit_f[:, V_VALUE] > 0, weight, 0.0)
    # sums of a rhythm are rounded
    missed = valued * np.floor(state.lost / weight + 1e-6)
    whole = valued * np.floor(state.unmade / weight + 1e-6)
    total = float(whole.sum())
    return min(1.0, float(missed.sum()) / total) if total > 0.0 else 0.0


def nights_away(layout: Layout) -> bool:
    """Return whether shifts that begin at one place end at several, or the other way round: somebody sleeps away."""
    ends = np.unique(layout.shift_i[:, [S_START, S_END]], axis=0)
    return any(len(np.unique(ends[:, side])) < len(ends) for side in (0, 1))


def leg_cost(layout: Layout, state: State) -> float:
    """Return what driving costs from one stop to the next."""
    rates = layout.shift_f[:, S_COST_PER_DRIVE_S] + layout.shift_f[:, S_COST_PER_S]
    cost = float((rates * state.drive).sum())
    if layout.metres.size:
        for shift, n in enumerate(state.n.tolist()):
            way = state.place[shift, : n + 2] if n else state.place[shift, :0]
            metres = layout.metres[layout.shift_i[shift, S_PROFILE], way[:-1], way[1:]]
            cost += float(layout.shift_f[shift, S_COST_PER_M] * metres.sum())
    return cost / max(1, int(state.n.sum()))


def over_rate(layout: Layout, leg: float, legs: float) -> float:
    """Return what a unit of load too many costs, if a mean load too many costs so many legs; 0: none is allowed."""
    load = layout.visit_i[:, V_LOAD]
    # their costs and insertions know no overload
    strict = bool((layout.shift_i[:, S_TIMED] == TIMED).any() or layout.visit_i[:, V_LINKED].any())
    if strict or not (load > 0).any():
        return 0.0
    return legs * leg / float(load[load > 0].mean())
