"""Limits, groups, accounts given away by name, and reach of an alignment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.check.measures import values_of
from territory.check.report import Violation
from territory.geo.sphere import great_circle_m

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from territory.model.alignment import Alignment

__all__ = ["LIMITS"]

#: Sums of a million floats in another order differ by less than this share of them.
_ROUNDING: Final = 1e-9
#: Metres that a sphere of floats may be off.
_METRE: Final = 1e-2


def _name(a: Alignment, j: Any) -> str:
    return str(a.territory_id[int(j)]) if j >= 0 else "none"


def _limits_kept(a: Alignment) -> Iterator[Violation]:
    served = np.flatnonzero(a.territory_idx >= 0)
    for measure, band in a.rules.limits.items():
        values = values_of(a.customers, measure)
        if values is None:
            yield Violation("measure-unknown", f"The customers have no measure {measure}.")
            continue
        total = np.bincount(a.territory_idx[served], values[served], len(a))
        slack = _ROUNDING * max(float(values.sum()), 1.0)
        for j in range(len(a)):
            low, high = band[j]
            # NaN fails both comparisons
            if low - slack <= total[j] <= high + slack:
                continue
            message = f"Territory {_name(a, j)} has a {measure} of {total[j]:,.6g}, outside {low:,.6g} to {high:,.6g}."
            off = float(max(low - total[j], total[j] - high))
            yield Violation("limit-broken", message, territory_id=_name(a, j), amount=off)


def _together(a: Alignment) -> Iterator[Violation]:
    group = a.rules.together
    if group is None:
        return
    members: dict[int, list[int]] = {}
    for i, g in enumerate(group.tolist()):
        if g >= 0:
            members.setdefault(g, []).append(i)
    for rows in members.values():
        homes = {int(a.territory_idx[i]) for i in rows}
        if len(homes) > 1:
            other = next(i for i in rows if a.territory_idx[i] != a.territory_idx[rows[0]])
            message = (
                f"Customers {a.customers.id[rows[0]]} and {a.customers.id[other]} must be together, but are in "
                f"{_name(a, a.territory_idx[rows[0]])} and {_name(a, a.territory_idx[other])}."
            )
            yield Violation("group-split", message, customer_id=str(a.customers.id[other]), amount=len(homes) - 1.0)


def _apart(a: Alignment) -> Iterator[Violation]:
    for i, o in a.rules.apart.tolist():
        j = int(a.territory_idx[i])
        if j >= 0 and j == int(a.territory_idx[o]):
            message = (
                f"Customers {a.customers.id[i]} and {a.customers.id[o]} must be apart, but both are in {_name(a, j)}."
            )
            yield Violation("not-apart", message, customer_id=str(a.customers.id[i]), territory_id=_name(a, j))


def _overrides_kept(a: Alignment) -> Iterator[Violation]:
    for i, j in a.rules.overrides.items():
        if int(a.territory_idx[i]) != j:
            message = (
                f"Customer {a.customers.id[i]} was given to {_name(a, j)} by name, but is in "
                f"{_name(a, a.territory_idx[i])}."
            )
            yield Violation("override-broken", message, customer_id=str(a.customers.id[i]), territory_id=_name(a, j))


def _within_reach(a: Alignment) -> Iterator[Violation]:
    reach, c = a.rules.reach_m, a.customers
    if reach is None:
        return
    served = np.flatnonzero(a.territory_idx >= 0)
    lon, lat = a.center_lon.copy(), a.center_lat.copy()
    if a.reps is not None and (a.rep_idx >= 0).all() and len(a.reps) == len(a):
        lon, lat = a.reps.lon[a.rep_idx], a.reps.lat[a.rep_idx]
    home = a.territory_idx[served]
    away = great_circle_m(c.lon[served], c.lat[served], lon[home], lat[home])
    far = ~(away <= reach[home] * (1.0 + _ROUNDING) + _METRE)
    exempt = np.zeros(len(c), dtype=bool) if c.locked is None else c.locked.copy()
    exempt[[*a.rules.overrides]] = True
    if a.rules.together is not None:
        # whoever must be with one of them goes where he goes
        exempt |= (a.rules.together >= 0) & np.isin(a.rules.together, a.rules.together[exempt])
    far &= ~exempt[served]
    for at in np.flatnonzero(far):
        i, j = int(served[at]), int(home[at])
        message = (
            f"Customer {c.id[i]} is {away[at] / 1000.0:,.1f} km away, beyond the reach of {_name(a, j)}, "
            f"{reach[j] / 1000.0:,.1f} km."
        )
        over = float(away[at] - reach[j])
        yield Violation("out-of-reach", message, customer_id=str(c.id[i]), territory_id=_name(a, j), amount=over)


LIMITS: Final[tuple[Callable[[Alignment], Iterator[Violation]], ...]] = (
    _limits_kept,
    _together,
    _apart,
    _overrides_kept,
    _within_reach,
)
