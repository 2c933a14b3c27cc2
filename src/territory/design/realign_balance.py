"""What realignment keeps of measures: those asked for, and the alignment's own limits and shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.design.request_balance import DEFAULT_TOLERANCE, bands_of, read_balance
from territory.errors import InputError, Problem
from territory.model.balance import Balance
from territory.model.workload import default_measure, measure_values

if TYPE_CHECKING:
    from territory.design.realign_shape import Shape
    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["Measures", "read_measures"]


@dataclass(frozen=True, eq=False)
class Measures:
    """What k territories must, may and should hold.

    Attributes
    ----------
    asked : dict of measure to Balance
        Of what was asked now; the others only have limits from before. The first weights distances.
    tolerance : dict of measure to float
        Infinity where there are limits only.
    limits : dict of measure to float array of shape (k, 2)
    share : float array of shape (k, m)
        Of the whole of each measure; columns add up to 1.
    usual : float array of shape (k,)
        What the share is where nobody says.
    hard : bool
        Whether it is an error not to keep them.
    """

    asked: dict[str, Balance]
    tolerance: dict[str, float]
    limits: dict[str, FloatArray]
    share: FloatArray
    usual: FloatArray
    hard: bool

    def bands(self, total: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return what each territory must, may and should hold of these totals, three arrays of shape (k, m)."""
        target = self.share * total
        # no territory holds more than everything
        lower, upper = np.zeros(target.shape), np.tile(total, (len(target), 1)).astype(np.float64)
        for m, (name, tolerance) in enumerate(self.tolerance.items()):
            if np.isfinite(tolerance):
                lower[:, m] = target[:, m] * max(1.0 - tolerance, 0.0)
                upper[:, m] = target[:, m] * (1.0 + tolerance)
            if name in self.limits:
                lower[:, m] = np.maximum(lower[:, m], self.limits[name][:, 0])
                upper[:, m] = np.minimum(upper[:, m], self.limits[name][:, 1])
        return lower, upper, target

    def shares(self) -> dict[str, FloatArray]:
        """Return the shares that are not the usual ones."""
        return {
            name: self.share[:, m]
            for m, name in enumerate(self.tolerance)
            if not np.allclose(self.share[:, m], self.usual, rtol=1e-12, atol=0.0)
        }


def read_measures(
    alignment: Alignment, customers: Customers, reps: Reps | None, shape: Shape, balance: Any, problems: list[Problem]
) -> Measures:
    """Return what was asked, else what the alignment keeps; what is wrong goes to `problems`."""
    k = len(shape.territory_id)
    ids = ["" if r < 0 or reps is None else str(reps.id[r]) for r in shape.rep_idx]
    asked: dict[str, Balance] = {}
    if balance is not None:
        asked = read_balance(customers, balance, ids if all(ids) else None, problems)
        # an empty mapping asks for nothing, which `read_balance` says
        for name, one in asked.items():
            if one.weight > 0:
                message = "weight: realign keeps limits, and has no price for deviations"
                problems.append(Problem("bad-balance", message, name, hint="Use tolerance, at_least or at_most."))
    tolerance = {name: np.inf if one.tolerance is None else float(one.tolerance) for name, one in asked.items()}
    if balance is None:
        tolerance = _before(alignment, customers)
    own = {name: _carried(band, shape) for name, band in alignment.rules.limits.items()}
    limits = {}
    if not problems:
        bands = bands_of(
            {name: Balance(at_least=b.at_least, at_most=b.at_most, share=b.share) for name, b in asked.items()},
            np.ones(len(asked)), np.full(k, 1.0 / max(k, 1)), ids,
        )  # fmt: skip
        for m, (name, one) in enumerate(asked.items()):
            if one.at_least is not None or one.at_most is not None:
                limits[name] = np.stack([bands.lower[:, m], bands.upper[:, m]], axis=1)
    for name, band in own.items():
        # a Balance says all that there is to say of a measure, a number only the tolerance
        if not (isinstance(balance, Mapping) and isinstance(balance.get(name), Balance)):
            limits[name] = band
            tolerance.setdefault(name, np.inf)
    for name in tolerance if balance is None else set(tolerance) - set(asked):
        try:
            if not measure_values(customers, name).any() and len(customers):
                problems.append(Problem("no-measure", "zero for every customer", column=name))
        except InputError as error:
            problems += error.problems
    usual = np.full(k, 1.0 / max(k, 1))
    by_capacity = reps is not None and reps.capacity_s is not None and bool((shape.rep_idx >= 0).all())
    if by_capacity and reps is not None and reps.capacity_s is not None and reps.capacity_s[shape.rep_idx].sum() > 0:
        usual = reps.capacity_s[shape.rep_idx] / reps.capacity_s[shape.rep_idx].sum()
    else:
        by_capacity = False
    share = np.stack(
        [_share(alignment, shape, name, usual, by_capacity, asked.get(name), ids) for name in tolerance], axis=1
    ) if tolerance else np.zeros((k, 0))  # fmt: skip
    return Measures(asked, tolerance, limits, share, usual, balance is not None)


def _before(alignment: Alignment, customers: Customers) -> dict[str, float]:
    """Return the tolerances of the alignment, that of the measure that weights distances first."""
    rules = alignment.rules
    found = {name: float(t) for name, t in alignment.balance.items()}
    found |= {name: np.inf for name in rules.limits if name not in found}
    if not found:
        name = default_measure(customers) if rules.weigh_by is None else rules.weigh_by
        return {name if measure_values(customers, name).any() else "count": DEFAULT_TOLERANCE}
    if rules.weigh_by is not None:
        found = {rules.weigh_by: found.pop(rules.weigh_by, np.inf), **found}
    return found


def _carried(band: FloatArray, shape: Shape) -> FloatArray:
    """Return limits of the territories of now; new ones have those that all had, or none."""
    k, kept = len(shape.territory_id), len(shape.kept)
    same = len(band) > 0 and bool((band == band[0]).all())
    out = np.tile(band[0] if same else np.array([0.0, np.inf]), (k, 1)).astype(np.float64)
    out[:kept] = band[shape.kept]
    return out


def _share(
    alignment: Alignment, shape: Shape, name: str, usual: FloatArray, by_capacity: bool,  # noqa: FBT001 - one caller
    asked: Balance | None, ids: list[str],
) -> FloatArray:  # fmt: skip
    """Return each territory's share of a measure: as told, by capacity, else as before, else equal."""
    out = usual
    told = alignment.rules.share.get(name)
    if told is None and not by_capacity:
        told = alignment.targets.get(name)
    if told is not None and np.isfinite(told).all() and told.sum() > 0:
        own = told[shape.kept]
        # a new one gets the mean of the others
        each = np.append(own, np.full(len(usual) - len(own), own.mean() if len(own) else 1.0))
        out = each / each.sum() if each.sum() > 0 else out
    if asked is not None and asked.share is not None:
        part = usual * asked.values("share", ids, 1.0)
        part = part if part.sum() > 0 else asked.values("share", ids, 1.0)
        out = part / part.sum() if part.sum() > 0 else out
    return out
