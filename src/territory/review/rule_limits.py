"""What forbids moving one customer: absolute limits, groups, accounts given away by name, reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.check.measures import values_of
from territory.geo.sphere import great_circle_m
from territory.model.explanation import Limit
from territory.review.facts import sums

if TYPE_CHECKING:
    from territory.model.alignment import Alignment

__all__ = ["rule_limits"]

_ROUNDING: Final = 1e-9


def rule_limits(a: Alignment, i: int, t: int, j: int, ids: list[str]) -> list[Limit]:
    """Return what `AlignmentRules` break if customer `i` alone moves from territory `t` to `j`; O(n).

    Parameters
    ----------
    a : Alignment
    i, t, j : int
    ids : list of str
        What the territories are called.
    """
    return [*_totals(a, i, t, j, ids), *_groups(a, i, j, ids), *_override(a, i, j, ids), *_reach(a, i, j, ids)]


def _totals(a: Alignment, i: int, t: int, j: int, ids: list[str]) -> list[Limit]:
    found = []
    for name, band in a.rules.limits.items():
        values = values_of(a.customers, name)
        if values is None:
            continue
        total, slack = sums(a, values), _ROUNDING * max(float(values.sum()), 1.0)
        above, below = total[j] + values[i], total[t] - values[i]
        # what is outside already, and comes no further, is not forbidden by it
        if values[i] > 0 and above > band[j, 1] + slack:
            text = f"territory {ids[j]} would have {above:,.6g} of {name}, where at most {band[j, 1]:,.6g} is allowed"
            found.append(Limit("limit", ids[j], text, name))
        if values[i] > 0 and below < band[t, 0] - slack:
            text = f"territory {ids[t]} would have {below:,.6g} of {name}, where at least {band[t, 0]:,.6g} is asked"
            found.append(Limit("limit", ids[t], text, name))
    return found


def _groups(a: Alignment, i: int, j: int, ids: list[str]) -> list[Limit]:
    found, group, names = [], a.rules.together, a.customers.id
    if group is not None and group[i] >= 0:
        others = np.flatnonzero((group == group[i]) & (a.territory_idx != j))
        others = others[others != i]
        if len(others):
            text = f"{names[i]} must be together with {names[others[0]]}"
            found.append(Limit("together", ids[j], text))
    pairs = a.rules.apart
    rivals = np.concatenate([pairs[pairs[:, 0] == i, 1], pairs[pairs[:, 1] == i, 0]])
    rivals = rivals[a.territory_idx[rivals] == j]
    if len(rivals):
        found.append(Limit("apart", ids[j], f"{names[i]} must be apart from {names[rivals[0]]}"))
    return found


def _override(a: Alignment, i: int, j: int, ids: list[str]) -> list[Limit]:
    given = a.rules.overrides.get(i, j)
    return (
        [] if given == j else [Limit("override", ids[given], f"{a.customers.id[i]} was given to {ids[given]} by name")]
    )


def _exempt(a: Alignment, i: int) -> bool:
    """Tell whether a customer, or one of its group, is locked or was given away by name."""
    group = a.rules.together
    with_it = [i] if group is None or group[i] < 0 else np.flatnonzero(group == group[i]).tolist()
    locked = a.customers.locked
    return any(o in a.rules.overrides or (locked is not None and bool(locked[o])) for o in with_it)


def _reach(a: Alignment, i: int, j: int, ids: list[str]) -> list[Limit]:
    reach, c = a.rules.reach_m, a.customers
    if reach is None or _exempt(a, i):
        return []
    lon, lat = float(a.center_lon[j]), float(a.center_lat[j])
    if a.reps is not None and (a.rep_idx >= 0).all() and len(a.reps) == len(a):
        lon, lat = float(a.reps.lon[a.rep_idx[j]]), float(a.reps.lat[a.rep_idx[j]])
    away = float(great_circle_m(c.lon[i], c.lat[i], lon, lat))
    if away <= reach[j] * (1.0 + _ROUNDING) + 1e-2:
        return []
    text = f"{c.id[i]} is {away / 1000:.1f} km away, and {ids[j]} reaches {reach[j] / 1000:.1f} km"
    return [Limit("reach", ids[j], text)]
