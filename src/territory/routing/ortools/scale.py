"""Costs as the solvers take them: whole numbers that no sum of them overflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.routing.layout import (
    S_BEGIN,
    S_CLOSE,
    S_COST,
    S_COST_PER_DRIVE_S,
    S_COST_PER_M,
    S_COST_PER_S,
    S_OVERTIME_COST,
    S_REGULAR,
    V_LATE_COST,
    V_PLACE,
    Layout,
)

if TYPE_CHECKING:
    from territory.routing.ortools.tasks import Tasks

__all__ = ["missing_weight", "most_it_costs", "scale_of"]

#: Sums of costs stay below: a double, in which local search adds them up, is exact to 2**53.
_ROOM: Final = 2.0**52
#: The least rate is resolved to a thousandth.
_FINE: Final = 1000.0
#: For guided local search a leg to a near visit costs this share of a visit's value at least, where legs cost
#: less than a tenth of that: on orienteering problems 0.1 found more than 0.03 and 0.3.
_SHARE: Final = 0.1
_NOTHING: Final = 0.1
#: How many neighbours are near, and one.
_FEW: Final = 6


def missing_weight(layout: Layout, tasks: Tasks) -> float:
    """Return what a second at the wheel should cost more, for guided local search to have arcs to penalise.

    0 but where legs cost next to nothing beside what visits are worth.
    """
    optional = tasks.value[~tasks.required]
    rates = layout.shift_f
    if len(optional) < _FEW or (rates[:, [S_COST_PER_M, S_COST_PER_S]] > 0).any():
        return 0.0
    places = layout.visit_i[tasks.visit, V_PLACE]
    near = float(np.sort(layout.drive[0][np.ix_(places, places)], axis=1)[:, 1:_FEW].mean())
    wanted = _SHARE * float(optional.mean()) / max(near, 1.0)
    return wanted if float(rates[:, S_COST_PER_DRIVE_S].max()) < wanted * _NOTHING else 0.0


def most_it_costs(layout: Layout, tasks: Tasks, weight: float = 0.0) -> float:
    """Return more than the tasks can cost in any way, required ones that are left out apart."""
    shift, rates = layout.shift_i, layout.shift_f
    span = (shift[:, S_CLOSE] - shift[:, S_BEGIN]).astype(np.float64)
    over = (shift[:, S_CLOSE] - shift[:, S_REGULAR]).astype(np.float64)
    per_shift = rates[:, S_COST] + (rates[:, S_COST_PER_S] + rates[:, S_COST_PER_DRIVE_S] + weight) * span
    total = float((per_shift + rates[:, S_OVERTIME_COST] * over).sum()) + float(tasks.value.sum())
    late = layout.visit_f[tasks.visit, V_LATE_COST]
    total += float(late.sum()) * float(shift[:, S_CLOSE].max(initial=0))
    total += float(tasks.extra.max(axis=1).sum()) if tasks.extra.size else 0.0
    if layout.metres.size:
        # what cannot be driven in a shift is not driven, however far
        far = float(np.where(layout.drive[:: len(layout.bucket)] < span.max(initial=0) + 1, layout.metres, 0).max())
        total += far * float(rates[:, S_COST_PER_M].max(initial=0)) * (len(tasks.visit) + len(shift))
    return total + 1.0


def scale_of(layout: Layout, tasks: Tasks, weight: float = 0.0) -> tuple[float, int]:
    """Return by what costs are multiplied, and what leaving out a required task costs after that.

    Parameters
    ----------
    layout : Layout
    tasks : Tasks
    weight : float
        What a second at the wheel costs beside what it costs.

    Returns
    -------
    scale : float
        1 where all rates and values are whole.
    required : int
        More than anything that leaving it out could save.
    """
    rates = np.concatenate([layout.shift_f.ravel(), layout.visit_f[tasks.visit, V_LATE_COST]])
    rest = np.concatenate([tasks.value, tasks.extra.ravel()])
    whole = weight == 0 and bool((rates == np.rint(rates)).all() and (rest == np.rint(rest)).all())
    least = float(rates[rates > 0].min(initial=np.inf))
    most = most_it_costs(layout, tasks, weight)
    room = _ROOM / (most * (1.0 + float(tasks.required.sum())))
    wanted = 1.0 if whole else max(1.0, _FINE / least if np.isfinite(least) else _FINE)
    # a power of two, so that whole costs stay whole
    scale = float(2.0 ** np.floor(np.log2(min(wanted, room)))) if not whole or room < 1.0 else 1.0
    return scale, int(np.ceil(most * scale)) + 1
