"""The alignment: who serves whom."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from territory.errors import InputError, Problem
from territory.geo.sphere import great_circle_m, mean_position
from territory.model.arrays import NO_IDX, FloatArray, IdxArray, TextArray, frozen, text_array
from territory.model.enums import Status
from territory.model.frames import frame_columns, to_native
from territory.model.late import late
from territory.model.workload import measure_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["Alignment"]


@dataclass(frozen=True, eq=False, repr=False)
class Alignment:
    """Which territory every customer belongs to, and which rep serves it.

    Attributes
    ----------
    customers : Customers, length n
    reps : Reps, or None for territories without reps
    territory_id : text array of shape (k,)
    territory_idx : int32 array of shape (n,)
        Territory of each customer; -1: nobody can serve it, and `unassigned_reason` says why.
    rep_idx : int32 array of shape (k,)
        Rep of each territory; -1: none.
    center_lon, center_lat : float arrays of shape (k,), degrees
    balance : mapping of measure to float
        Allowed deviation from the target, as a share of it.
    targets : mapping of measure to float array of shape (k,)
    contiguous : bool
        Whether every territory was asked to be connected on the adjacency of the customers.
    status : Status
    objective : float
        Workload-weighted mean of the squared distance to the territory's centre, square metres.
    bound : float, optional
        No alignment with the same centres and balance has a lower objective.
    unassigned_reason : mapping of customer position to str
    diagnostics : tuple of Problem
        Warnings.
    """

    customers: Customers
    reps: Reps | None
    territory_id: TextArray
    territory_idx: IdxArray
    rep_idx: IdxArray
    center_lon: FloatArray
    center_lat: FloatArray
    balance: Mapping[str, float] = dataclasses.field(default_factory=dict)
    targets: Mapping[str, FloatArray] = dataclasses.field(default_factory=dict)
    contiguous: bool = False
    status: Status = Status.FEASIBLE
    objective: float = float("nan")
    bound: float | None = None
    unassigned_reason: Mapping[int, str] = dataclasses.field(default_factory=dict)
    diagnostics: tuple[Problem, ...] = ()

    def __post_init__(self) -> None:
        n, k = len(self.customers), len(self.territory_id)
        problems = []
        territory_idx = np.array(self.territory_idx, dtype=np.int32)
        rep_idx = np.array(self.rep_idx, dtype=np.int32)
        if territory_idx.shape != (n,):
            problems.append(Problem("wrong-shape", f"territory_idx: expected shape ({n},), not {territory_idx.shape}"))
        elif n and not (territory_idx.min() >= NO_IDX and territory_idx.max() < k):
            problems.append(Problem("unknown-territory", f"territory_idx: expected -1 to {k - 1}"))
        if rep_idx.shape != (k,):
            problems.append(Problem("wrong-shape", f"rep_idx: expected shape ({k},), not {rep_idx.shape}"))
        elif k and (rep_idx.min() < NO_IDX or rep_idx.max() >= (len(self.reps) if self.reps is not None else 0)):
            problems.append(Problem("unknown-rep", "rep_idx: no such rep"))
        if problems:
            raise InputError(problems, "alignment")
        object.__setattr__(self, "territory_id", frozen(text_array(self.territory_id)))
        object.__setattr__(self, "territory_idx", frozen(territory_idx))
        object.__setattr__(self, "rep_idx", frozen(rep_idx))

    @classmethod
    def from_owners(cls, customers: Customers, reps: Reps) -> Self:
        """Return today's alignment: one territory a rep, of the customers that the rep owns.

        Raises
        ------
        InputError
            No ``owner`` column, or owners that are no reps.
        """
        if customers.owner is None:
            raise InputError([Problem("missing-column", "customers have no owners", column="owner")], "customers")
        return cls.from_frame({"customer_id": customers.id, "rep_id": customers.owner}, customers=customers, reps=reps)

    @classmethod
    def from_frame(
        cls, frame: Any, *, customers: Customers, reps: Reps | None = None, like: Alignment | None = None
    ) -> Self:
        """Read an alignment that was edited by hand.

        Parameters
        ----------
        frame : dataframe or mapping
            ``customer_id``, and ``territory_id`` or ``rep_id`` (or both); blank: not served.
        customers : Customers
            Everyone in it appears in the frame at most once.
        reps : Reps, optional
        like : Alignment, optional
            Its balance, targets and wish for contiguity are kept for `check_alignment`; its
            territories keep their order.

        Raises
        ------
        InputError
            Unknown or repeated ids.
        """
        source, problems = frame_columns(frame)
        if "customer_id" not in source or not {"territory_id", "rep_id"} & set(source):
            problems.append(
                Problem(
                    "missing-column", f"expected customer_id and territory_id or rep_id; there are: {', '.join(source)}"
                )
            )
        if problems:
            raise InputError(problems, "alignment")
        column = "territory_id" if "territory_id" in source else "rep_id"
        rows = customers.positions([str(v) for v in source["customer_id"]()])
        if len(np.unique(rows)) < len(rows):
            raise InputError(
                [Problem("duplicate-id", "customers that stand more than once", column="customer_id")], "alignment"
            )
        label = ["" if v is None or v != v else str(v) for v in source[column]()]  # noqa: PLR0124 - NaN
        if like is not None:
            ids, rep_idx = like.territory_id.tolist(), like.rep_idx
        elif column == "rep_id" and reps is not None:
            ids, rep_idx = reps.id.tolist(), np.arange(len(reps), dtype=np.int32)
        else:
            ids = list(dict.fromkeys(v for v in label if v))
            known = {} if reps is None else reps._position
            rep_idx = np.array([known.get(i, NO_IDX) for i in ids], dtype=np.int32)
        position = {t: j for j, t in enumerate(ids)}
        unknown = [v for v in dict.fromkeys(label) if v and v not in position]
        if unknown:
            raise InputError(
                [
                    Problem(
                        "unknown-id", f"unknown {column}: {', '.join(unknown[:5])}", column=column, count=len(unknown)
                    )
                ],
                "alignment",
            )
        territory_idx = np.full(len(customers), NO_IDX, dtype=np.int32)
        territory_idx[rows] = [position.get(v, NO_IDX) for v in label]
        lon, lat = _centers(customers, territory_idx, len(ids))
        kept: dict[str, Any] = (
            {} if like is None else {"balance": like.balance, "targets": like.targets, "contiguous": like.contiguous}
        )
        reasons = {int(i): "not served in the table that was read" for i in np.flatnonzero(territory_idx == NO_IDX)}
        return cls(
            customers, reps, text_array(ids), territory_idx, rep_idx, lon, lat, unassigned_reason=reasons, **kept
        )

    def __len__(self) -> int:
        return len(self.territory_id)

    @property
    def gap(self) -> float | None:
        """How far the objective may be from the best for these centres and this balance, a share of it."""
        if self.bound is None or not self.objective > 0:
            return None
        return max(0.0, (self.objective - self.bound) / self.objective)

    @property
    def customer_rep_idx(self) -> IdxArray:
        """Rep of each customer, int32 of shape (n,); -1: none."""
        served = self.territory_idx >= 0
        out = np.full(len(self.customers), NO_IDX, dtype=np.int32)
        out[served] = self.rep_idx[self.territory_idx[served]]
        return out

    def totals(self, measure: str) -> FloatArray:
        """Return the sum of a measure in each territory, float of shape (k,)."""
        served = self.territory_idx >= 0
        return np.bincount(self.territory_idx[served], measure_values(self.customers, measure)[served], len(self))

    def to_frame(self, backend: str = "pandas") -> Any:
        """Return customer_id, territory_id and rep_id, one row a customer."""
        return to_native(self.to_dict(), backend)

    def to_dict(self) -> dict[str, Any]:
        """Return customer_id, territory_id and rep_id as arrays, and the reason of those not served."""
        territory = np.array([*self.territory_id.tolist(), ""], dtype=object)
        rep = np.array([*([] if self.reps is None else self.reps.id.tolist()), ""], dtype=object)
        columns = {
            "customer_id": self.customers.id.astype(object),
            "territory_id": territory[self.territory_idx],
            "rep_id": rep[self.customer_rep_idx],
        }
        if self.unassigned_reason:
            columns["reason"] = np.array(
                [self.unassigned_reason.get(i, "") for i in range(len(self.customers))], dtype=object
            )
        return columns

    def report(self, backend: str = "pandas") -> Any:
        """Return a table of the territories: rep, customers, each measure with its deviation, reach."""
        return to_native(self.report_dict(), backend)

    def report_dict(self) -> dict[str, Any]:
        """Return the columns of `report`; distances in kilometres from the centre, as the crow flies."""
        rep = np.array([*([] if self.reps is None else self.reps.id.tolist()), ""], dtype=object)
        served = np.flatnonzero(self.territory_idx >= 0)
        of = self.territory_idx[served]
        count = np.bincount(of, minlength=len(self))
        km = (
            great_circle_m(
                self.customers.lon[served], self.customers.lat[served], self.center_lon[of], self.center_lat[of]
            )
            / 1000.0
        )
        reach = np.zeros(len(self))
        np.maximum.at(reach, of, km)
        columns: dict[str, Any] = {
            "territory_id": self.territory_id.astype(object),
            "rep_id": rep[self.rep_idx],
            "customers": count,
        }
        for measure in self.balance or {"count": 0.0}:
            total = self.totals(measure)
            columns[measure] = total
            if measure in self.targets:
                target = self.targets[measure]
                columns[f"{measure}_deviation"] = np.divide(
                    total - target, target, out=np.zeros(len(self)), where=target > 0
                )
        columns["mean_km"] = np.bincount(of, km, len(self)) / np.maximum(count, 1)
        columns["reach_km"] = reach
        return columns

    def explain(self, customer_id: str) -> str:
        """Say in a sentence where a customer belongs and why."""
        i = int(self.customers.positions([customer_id])[0])
        t = int(self.territory_idx[i])
        if t < 0:
            return f"{customer_id} is in no territory: {self.unassigned_reason.get(i, 'no reason was kept')}."
        c = self.customers
        km = great_circle_m(c.lon[i], c.lat[i], self.center_lon, self.center_lat) / 1000.0
        name = f"territory {self.territory_id[t]}"
        if self.reps is not None and self.rep_idx[t] >= 0:
            name += f" (rep {self.reps.id[self.rep_idx[t]]})"
        if c.locked is not None and c.locked[i]:
            return f"{customer_id} is locked to its owner, in {name}, {km[t]:.0f} km from the centre."
        nearer = int(np.sum(km < km[t]))
        why = (
            "its centre is the nearest"
            if nearer == 0
            else f"{nearer} nearer centre(s) could not take it within balance, contiguity and eligibility"
        )
        return f"{customer_id} is in {name}, {km[t]:.0f} km from the centre: {why}."

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the territories, homes and customers; see `territory.maps.plot_alignment`."""
        return late("maps", "plot_alignment", self, ax=ax, **options)

    def __repr__(self) -> str:
        gap = "" if self.gap is None else f", gap {self.gap:.1%}"
        return f"<Alignment: {len(self.customers)} customers in {len(self)} territories, {self.status}{gap}>"

    def _repr_html_(self) -> str:
        return str(late("maps", "alignment_html", self))


def _centers(customers: Customers, territory_idx: IdxArray, k: int) -> tuple[FloatArray, FloatArray]:
    """Return the mean position of each territory's customers; NaN for an empty one."""
    lon, lat = np.full(k, np.nan), np.full(k, np.nan)
    for j in np.unique(territory_idx[territory_idx >= 0]):
        rows = territory_idx == j
        lon[j], lat[j] = mean_position(customers.lon[rows], customers.lat[rows])
    return lon, lat
