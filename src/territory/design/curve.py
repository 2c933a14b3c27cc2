"""What several numbers of territories would mean, to choose from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.design.territories import design_territories
from territory.design.work import visit_work, work_and_driving
from territory.errors import InfeasibleError, InputError, Problem
from territory.model.frames import to_native
from territory.review.facts import deviations
from territory.review.report import drive_of

if TYPE_CHECKING:
    from territory.model.alignment import Alignment
    from territory.model.customers import Customers
    from territory.model.reps import Reps
    from territory.model.units import BasicUnits
    from territory.travel.estimate import DriveConstants

__all__ = ["TerritoryCurve", "territory_curve"]


@dataclass(frozen=True, eq=False, repr=False)
class TerritoryCurve:
    """What several numbers of territories would mean.

    Attributes
    ----------
    n_territories : tuple of int
    alignments : tuple of Alignment or None
        None where there is none.
    reasons : tuple of str
        Why there is none; else blank.
    constants : DriveConstants, optional
        Of the estimate of driving.
    """

    n_territories: tuple[int, ...]
    alignments: tuple[Alignment | None, ...]
    reasons: tuple[str, ...]
    constants: DriveConstants | None = None

    def __len__(self) -> int:
        return len(self.n_territories)

    def __repr__(self) -> str:
        found = sum(a is not None for a in self.alignments)
        return f"<TerritoryCurve: {found} of {len(self)} numbers of territories have an alignment>"

    def alignment(self, n_territories: int) -> Alignment:
        """Return the alignment with so many territories.

        Raises
        ------
        InputError
            The number was not asked for.
        InfeasibleError
            There is none, and why.
        """
        if n_territories not in self.n_territories:
            there = ", ".join(map(str, self.n_territories))
            raise InputError([Problem("bad-count", f"{n_territories!r} is none of {there}")], "territory curve")
        at = self.n_territories.index(n_territories)
        made = self.alignments[at]
        if made is None:
            raise InfeasibleError([Problem("not-found", self.reasons[at])], f"no {n_territories} territories")
        return made

    def to_dict(self) -> dict[str, Any]:
        """Return the columns of `to_frame` as arrays."""
        rows = [
            _curve_row(k, made, why, self.constants)
            for k, made, why in zip(self.n_territories, self.alignments, self.reasons, strict=True)
        ]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return a table, one row a number of territories.

        ``n_territories``, ``status`` ("infeasible" where there is none, and NaN in what follows), ``objective_km2``
        and its ``bound_km2`` and ``gap``, ``max_deviation`` of all measures, ``drive_h_round`` to visit every
        customer once, ``drive_h_week`` at their intervals, the ``hours_mean`` and ``hours_most`` a week of a territory
        with driving (NaN where how often customers are visited is not known), and ``reason``.
        """
        return to_native(self.to_dict(), backend)


def _curve_row(k: int, made: Alignment | None, why: str, constants: DriveConstants | None) -> dict[str, Any]:
    numbers = (
        "objective_km2", "bound_km2", "gap", "max_deviation",
        "drive_h_round", "drive_h_week", "hours_mean", "hours_most",
    )  # fmt: skip
    row: dict[str, Any] = {"n_territories": k, "status": "infeasible"} | dict.fromkeys(numbers, float("nan"))
    if made is not None:
        off = [np.abs(deviations(made.totals(name), target)).max() for name, target in made.targets.items()]
        row |= {
            "status": str(made.status),
            "objective_km2": made.objective / 1e6,
            "bound_km2": float("nan") if made.bound is None else made.bound / 1e6,
            "gap": float("nan") if made.gap is None else made.gap,
            "max_deviation": float(max(off, default=0.0)),
            "drive_h_round": float(drive_of(made).round_s.sum()) / 3600.0,
        }
        c = made.customers
        if c.visit_interval_days is not None or c.workload_s is not None:
            served = made.territory_idx >= 0
            hours = work_and_driving(made, constants)[served] / 3600.0
            each = np.bincount(made.territory_idx[served], hours, k)
            row |= {
                "drive_h_week": float(hours.sum() - visit_work(c)[0][served].sum() / 3600.0),
                "hours_mean": float(each.mean()),
                "hours_most": float(each.max()),
            }
    return {**row, "reason": why}


def territory_curve(
    customers: Customers | BasicUnits,
    reps: Reps | None = None,
    *,
    n_territories: Iterable[int],
    constants: DriveConstants | None = None,
    **options: Any,
) -> TerritoryCurve:
    """Design territories for several numbers of them, to choose from.

    Parameters
    ----------
    customers : Customers or BasicUnits, length n
    reps : Reps, optional
        At least as many as the largest number.
    n_territories : iterable of int
        Such as ``range(8, 15)``; in the order that the table is to have.
    constants : DriveConstants, optional
        Of the estimate of driving, from `territory.fit_drive`, say.
    **options
        As of `design_territories`, for each number.

    Returns
    -------
    TerritoryCurve
        ``.to_frame()``, ``.alignment(k)``. Numbers for which there are no territories within the limits say why.

    Raises
    ------
    InputError
        Every broken rule at once; numbers that are none, or more than customers or reps.

    Notes
    -----
    One design a number.

    Examples
    --------
    >>> from territory import Customers
    >>> customers = Customers(id=list("abcdef"), lon=[1, 2, 3, 7, 8, 9], lat=[50] * 6)
    >>> curve = territory_curve(customers, n_territories=[2, 4], balance={"count": 0.1})
    >>> curve.to_dict()["status"].tolist()
    ['feasible', 'infeasible']
    """
    numbers = list(n_territories) if isinstance(n_territories, Iterable) else [n_territories]
    n, most = len(customers), None if reps is None else len(reps)
    problems = []
    if not numbers:
        problems.append(Problem("bad-count", "n_territories: there are no numbers"))
    bad = [k for k in numbers if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1]
    if bad:
        message = f"n_territories: expected whole numbers of at least 1, not {bad[0]!r}"
        problems.append(Problem("bad-count", message, count=len(bad)))
    else:
        if len(set(numbers)) < len(numbers):
            problems.append(Problem("bad-count", "n_territories: a number stands more than once"))
        if numbers and max(numbers) > n > 0:
            problems.append(Problem("too-many-territories", f"{max(numbers)} territories for {n} customers"))
        if numbers and most is not None and max(numbers) > most:
            problems.append(Problem("too-few-reps", f"{max(numbers)} territories for {most} reps"))
    if problems:
        raise InputError(problems, "territory_curve")
    found: list[Alignment | None] = []
    reasons = []
    for k in numbers:
        try:
            found.append(design_territories(customers, reps, n_territories=int(k), **options))
            reasons.append("")
        except InfeasibleError as error:
            found.append(None)
            reasons.append("; ".join(str(p) for p in error.reasons))
    return TerritoryCurve(tuple(int(k) for k in numbers), tuple(found), tuple(reasons), constants)
