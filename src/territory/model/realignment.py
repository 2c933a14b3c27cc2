"""The realignment: what balance costs in changes, point by point, and each change with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from territory.errors import InputError, Problem
from territory.model.arrays import sealed
from territory.model.enums import Status
from territory.model.frames import to_native
from territory.model.late import late
from territory.model.rules import AlignmentRules
from territory.units import is_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from territory.geo.contiguity import ContiguityGraph
    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray, IdxArray, TextArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["Realignment"]


@dataclass(frozen=True, eq=False, repr=False)
class Realignment:
    """The least change that brings an alignment back to balance, and all that more or less change would give.

    The points of the curve go from no change at all to as much as pays, by change cost (customers whose territory is
    dissolved have none): further on, no measure is further outside its limits, and once all are within, territories
    are more compact.

    Attributes
    ----------
    before : Alignment
        What was realigned.
    alignment : Alignment
        The answer: the first point of the curve that keeps the balance, or else the last.
    chosen : int
        Its point.
    curve : mapping of str to array of shape (number of points,)
        ``point``; ``moved``, customers handed over from territories that stay; ``moved_share`` of the first measure;
        ``change_cost``; ``violation``, the sum of what territories have outside their limits, as shares of their
        targets; ``x_deviation``, the largest distance of measure x from its target, a share of it; ``balanced``;
        ``objective``, as of `Alignment`; ``compactness``, the objective of point 0 over that of the point; ``torn``,
        territories in more than one part, where contiguity was asked for.
    customers : Customers, length n
    reps : Reps, or None
    territory_id : text array of shape (k,)
        Territories that stay keep id, rep, and order; new ones come last.
    rep_idx : int32 array of shape (k,)
    before_idx : int32 array of shape (n,)
        Territory of each customer in `before`; -1: none.
    start_idx : int32 array of shape (n,)
        Territory at point 0; other than before for customers whose territory is gone, split or merged, and new ones.
    home_idx : int32 array of shape (n,)
        Where being is no change: the territory at point 0, or -1 for customers without one that stays.
    labels : int32 array of shape (number of points, n)
        Territory of each customer at each point; -1: nobody can serve it.
    change_cost : float array of shape (n,)
        What handing each customer over costs.
    balance : mapping of measure to float
        The deviation that was to be kept, a share of the target; infinity where there are limits only.
    targets : mapping of measure to float array of shape (k,)
    contiguous : bool
    graph : ContiguityGraph, optional
    status : Status
    diagnostics : tuple of Problem
        Customers who came and went, and what the answer does not keep, and by how much.
    rules : AlignmentRules
        What was kept besides: those of `before`, of the customers and territories that there are now.
    anchor : float array of shape (k, 2), optional
        Longitude and latitude of places from which all are within reach, where centres are free and reach matters.
    """

    before: Alignment
    alignment: Alignment
    chosen: int
    curve: Mapping[str, NDArray[Any]]
    customers: Customers
    reps: Reps | None
    territory_id: TextArray
    rep_idx: IdxArray
    before_idx: IdxArray
    start_idx: IdxArray
    home_idx: IdxArray
    labels: IdxArray
    change_cost: FloatArray
    balance: Mapping[str, float]
    targets: Mapping[str, FloatArray]
    contiguous: bool
    graph: ContiguityGraph | None = None
    status: Status = Status.FEASIBLE
    diagnostics: tuple[Problem, ...] = ()
    rules: AlignmentRules = field(default_factory=AlignmentRules)
    anchor: FloatArray | None = None

    def __post_init__(self) -> None:
        for name in ("territory_id", "rep_idx", "before_idx", "start_idx", "home_idx", "labels", "change_cost"):
            object.__setattr__(self, name, sealed(np.array(getattr(self, name))))
        for name in ("curve", "targets"):
            copies = {key: sealed(np.array(values)) for key, values in getattr(self, name).items()}
            object.__setattr__(self, name, MappingProxyType(copies))
        object.__setattr__(self, "balance", MappingProxyType(dict(self.balance)))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    def __reduce__(self) -> tuple[Any, ...]:  # pickled arrays come back writeable, and mapping views do not pickle
        values = (getattr(self, name) for name in self.__dataclass_fields__)
        return type(self), tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values)

    def __len__(self) -> int:
        return len(self.labels)

    def point(self, point: int | None = None, *, moved_share: float | None = None, balance: float | None = None) -> int:
        """Return the number of a point of the curve; see `at`."""
        given = [x for x in (point, moved_share, balance) if x is not None]
        if len(given) > 1:
            raise InputError([Problem("unknown-option", "a point, moved_share or balance: one of them")], "realignment")
        if point is not None:
            whole = isinstance(point, (int, np.integer)) and not isinstance(point, bool)
            if not whole or not -len(self) <= point < len(self):
                raise InputError([Problem("unknown-point", f"expected 0 to {len(self) - 1}, not {point!r}")], "curve")
            return int(point) % len(self)
        if given and not (is_number(given[0]) and given[0] >= 0):
            raise InputError([Problem("bad-share", f"expected a share of at least 0, not {given[0]!r}")], "curve")
        if moved_share is not None:
            return int(np.flatnonzero(self.curve["moved_share"] <= moved_share * (1 + 1e-9))[-1])
        if balance is not None:
            names = [name for name, wanted in self.balance.items() if np.isfinite(wanted)] or list(self.balance)
            worst = np.max([self.curve[f"{name}_deviation"] for name in names], axis=0)
            enough = np.flatnonzero(worst <= balance * (1 + 1e-9) + 1e-12)
            if not enough.size:
                message = f"no point is balanced within {balance:.1%}; the nearest is at {worst.min():.1%}"
                raise InputError([Problem("balance-not-reached", message, hint="Realign with balance=.")], "curve")
            return int(enough[0])
        return self.chosen

    def at(
        self, point: int | None = None, *, moved_share: float | None = None, balance: float | None = None
    ) -> Alignment:
        """Return the alignment of a point of the curve.

        Parameters
        ----------
        point : int, optional
            Its number; default: the answer.
        moved_share : float, optional
            Instead: the last point at which no more than this share of the first measure is handed over.
        balance : float, optional
            Instead: the first point at which every measure is this close to its targets.

        Returns
        -------
        Alignment
            Checked; its ``balance`` is what was reached, where that is more than what was to be kept.

        Raises
        ------
        InputError
            No such point.
        """
        i = self.point(point, moved_share=moved_share, balance=balance)
        if i == self.chosen:
            return self.alignment
        found: Alignment = late("design.realign_answer", "alignment_at", self, i)
        return found

    def moves(self, point: int | None = None, backend: str = "pandas") -> Any:
        """Return every change from `before` to a point, one a row; see `moves_dict`."""
        return to_native(self.moves_dict(point), backend)

    def moves_dict(self, point: int | None = None) -> dict[str, Any]:
        """Return every change from `before` to a point (default: the answer) as arrays.

        ``customer_id``; ``from_territory``, blank for a new customer; ``to_territory``; ``weight`` by the first
        measure; ``change_cost``; ``code`` and ``reason``: why, in a word and in words.
        """
        found: dict[str, Any] = late("design.realign_reasons", "moves_of", self, self.point(point))
        return found

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return the curve, one row a point."""
        return to_native(dict(self.curve), backend)

    def report(self, backend: str = "pandas") -> Any:
        """Return a table of the territories at point 0 and in the answer; see `report_dict`."""
        return to_native(self.report_dict(), backend)

    def report_dict(self) -> dict[str, Any]:
        """Return what becomes of each territory, as arrays of shape (k,).

        ``territory_id``, ``rep_id``; ``customers_before`` (at point 0), ``customers``, ``gained``, ``lost``; of each
        measure x ``x_before``, ``x``, ``x_target``, and the deviations from it as shares.
        """
        k, label = len(self.territory_id), self.labels[self.chosen]
        reps = ["" if r < 0 or self.reps is None else str(self.reps.id[r]) for r in self.rep_idx]
        out: dict[str, Any] = {
            "territory_id": self.territory_id.astype(object),
            "rep_id": np.array(reps, dtype=object),
        }

        def count(of: NDArray[Any]) -> NDArray[Any]:
            return np.bincount(of[of >= 0], minlength=k)

        out["customers_before"], out["customers"] = count(self.start_idx), count(label)
        changed = label != self.start_idx
        out["gained"], out["lost"] = count(label[changed]), count(self.start_idx[changed])
        for name in self.balance:
            target = self.targets[name]
            safe = np.where(target > 0, target, np.nan)
            was, now = (late("design.realign_answer", "totals", self, i)[name] for i in (0, self.chosen))
            out |= {f"{name}_before": was, name: now, f"{name}_target": target}
            out |= {f"{name}_deviation_before": was / safe - 1.0, f"{name}_deviation": now / safe - 1.0}
        return out

    def __repr__(self) -> str:
        i, curve = self.chosen, self.curve
        state = "balanced" if curve["balanced"][i] else "not balanced"
        return (
            f"<Realignment: {curve['moved'][i]:,d} of {len(self.customers):,d} customers handed over "
            f"({curve['moved_share'][i]:.1%}), {state}, {len(self)} points>"
        )

    def _repr_html_(self) -> str:
        return str(late("maps.realigned", "realignment_html", self))
