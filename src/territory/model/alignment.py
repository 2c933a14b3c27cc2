"""The alignment: who serves whom."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from territory.errors import InputError, Problem
from territory.geo.sphere import mean_position
from territory.model.arrays import NO_IDX, FloatArray, IdxArray, TextArray, sealed, text_array
from territory.model.columns import Column, Kind
from territory.model.convert import read_columns
from territory.model.enums import Status
from territory.model.frames import frame_columns, to_native
from territory.model.late import late
from territory.model.rules import AlignmentRules
from territory.model.workload import measure_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from territory.geo.contiguity import ContiguityGraph
    from territory.geo.rings import Region
    from territory.model.customers import Customers
    from territory.model.explanation import Explanation
    from territory.model.reps import Reps
    from territory.model.shapes import TerritoryPolygons

__all__ = ["Alignment"]

A = TypeVar("A", bound="Alignment")


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
        Whether every territory was asked to be connected.
    graph : ContiguityGraph, optional
        On which graph of the customers; None: the Delaunay graph of their places.
    status : Status
    objective : float
        Workload-weighted mean of the squared distance to the territory's centre, square metres.
    bound : float, optional
        No alignment with the same centres and balance has a lower objective.
    unassigned_reason : mapping of customer position to str
    diagnostics : tuple of Problem
        Warnings.
    rules : AlignmentRules
        What it must keep besides: limits, groups, overrides, reach.
    free_bound : float, optional
        No alignment with the same balance has a lower objective, wherever its centres are.
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
    graph: ContiguityGraph | None = None
    rules: AlignmentRules = dataclasses.field(default_factory=AlignmentRules)
    free_bound: float | None = None

    def __post_init__(self) -> None:
        territory_id = text_array(self.territory_id)
        n, k = len(self.customers), len(territory_id)
        problems = []
        territory_idx = np.array(self.territory_idx, dtype=np.int32)
        rep_idx = np.array(self.rep_idx, dtype=np.int32)
        if len(set(territory_id.tolist())) < k or (territory_id == "").any():
            problems.append(Problem("duplicate-id", "territory_id: blank, or stands more than once"))
        if territory_idx.shape != (n,):
            problems.append(Problem("wrong-shape", f"territory_idx: expected shape ({n},), not {territory_idx.shape}"))
        elif n and not (territory_idx.min() >= NO_IDX and territory_idx.max() < k):
            problems.append(Problem("unknown-territory", f"territory_idx: expected -1 to {k - 1}"))
        if rep_idx.shape != (k,):
            problems.append(Problem("wrong-shape", f"rep_idx: expected shape ({k},), not {rep_idx.shape}"))
        elif k and (rep_idx.min() < NO_IDX or rep_idx.max() >= (len(self.reps) if self.reps is not None else 0)):
            problems.append(Problem("unknown-rep", "rep_idx: no such rep"))
        floats = {"center_lon": self.center_lon, "center_lat": self.center_lat}
        floats |= {f"targets of {name}": values for name, values in self.targets.items()}
        copies = {name: sealed(np.array(values, dtype=np.float64)) for name, values in floats.items()}
        problems += [
            Problem("wrong-shape", f"{name}: expected shape ({k},), not {values.shape}")
            for name, values in copies.items()
            if values.shape != (k,)
        ]
        if self.graph is not None and len(self.graph) != n:
            problems.append(Problem("wrong-shape", f"graph: of {len(self.graph)} customers, not {n}"))
        problems += self.rules.faults(n, k)
        problems += [
            Problem("bad-balance", f"balance of {name}: expected a fraction of at least 0, not {share}")
            for name, share in self.balance.items()
            if not share >= 0
        ]
        if problems:
            raise InputError(problems, "alignment")
        targets = {name: copies[f"targets of {name}"] for name in self.targets}
        values = {
            "territory_id": sealed(territory_id),
            "territory_idx": sealed(territory_idx),
            "rep_idx": sealed(rep_idx),
            "center_lon": copies["center_lon"],
            "center_lat": copies["center_lat"],
            "balance": MappingProxyType(dict(self.balance)),
            "targets": MappingProxyType(targets),
            "unassigned_reason": MappingProxyType(dict(self.unassigned_reason)),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change; and numpy before 2.3 crashes on copies of text arrays

    def __reduce__(self) -> tuple[Any, ...]:  # pickled arrays come back writeable, and mapping views do not pickle
        values = (getattr(self, f.name) for f in dataclasses.fields(self))
        return type(self), tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values)

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
        frame = {"customer_id": customers.id, "rep_id": customers.owner}
        return _read_alignment(cls, frame, customers, reps, None, blank="it has no owner")

    @classmethod
    def from_frame(
        cls, frame: Any, *, customers: Customers, reps: Reps | None = None, like: Alignment | None = None
    ) -> Self:
        """Read an alignment that was edited by hand.

        Parameters
        ----------
        frame : dataframe or mapping
            ``customer_id``, and ``territory_id`` or ``rep_id``; blank: not served. Where both are
            there, ``territory_id`` says where a customer belongs, and ``rep_id`` who serves the
            territory. ``reason``, if it is there, says why a customer is not served.
        customers : Customers
            Everyone in it appears in the frame at most once.
        reps : Reps, optional
        like : Alignment, optional
            The alignment that was edited. Its balance, targets and wish for contiguity are kept for
            `check_alignment`; its territories keep their order and their reps, so that it is enough
            to edit ``territory_id``.

        Raises
        ------
        InputError
            Unknown or repeated ids, ids that are no text, or a territory with two reps.
        """
        return _read_alignment(cls, frame, customers, reps, like, blank="not served in the table that was read")

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
        weight = measure_values(self.customers, measure)[served]
        return np.bincount(self.territory_idx[served], weight, len(self)).astype(np.float64)

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

    def report(self, backend: str = "pandas", *, polygons: bool | TerritoryPolygons = False) -> Any:
        """Return a table of the territories; its columns: `territory.review.alignment_report`.

        Rep, customers, each measure with target and deviation, distances, parts, an estimate of the driving,
        customers gained and lost against their owners; with ``polygons=True`` area, perimeter and compactness.
        """
        return to_native(self.report_dict(polygons=polygons), backend)

    def report_dict(self, *, polygons: bool | TerritoryPolygons = False) -> dict[str, Any]:
        """Return the columns of `report` as arrays of shape (k,)."""
        return dict(late("review", "alignment_report", self, polygons=polygons))

    def summary(self, *, polygons: bool | TerritoryPolygons = False) -> dict[str, Any]:
        """Return the report of the whole in one row; see `territory.review.alignment_summary`."""
        return dict(late("review", "alignment_summary", self, polygons=polygons))

    def polygons(
        self, *, boundary: Region | None = None, units: Sequence[Region] | None = None, simplify_m: float = 0.0
    ) -> TerritoryPolygons:
        """Return the territories as polygons that share the map without gaps or overlaps.

        Parameters
        ----------
        boundary : Polygon or MultiPolygon, optional
            Longitude and latitude of the ground to share, such as a country. Default: a loose outline of the
            customers, or the basic units.
        units : sequence of Polygon or MultiPolygon, length n, optional
            The basic unit that each customer stands for, such as a postcode; territories are their unions. Default:
            every place belongs to the territory of the nearest customer.
        simplify_m : float
            Metres; corners go whose triangle with their neighbours is smaller than the square of it. Common borders
            stay common, and customers stay in their territories.

        Returns
        -------
        TerritoryPolygons
            ``.geometry``, ``.to_geojson()``, ``.to_frame()``; ``.outside`` names customers that are not in their own
            territory's polygon, as they share a spot with another territory's, or lie outside the boundary.

        Raises
        ------
        InputError
            Units or a boundary that do not fit, or a tolerance that is no length.

        Notes
        -----
        O(n log n): 0.3 s for 10,000 customers, 5 s for 100,000; simplification takes up to twice that.
        """
        drawn: TerritoryPolygons = late(
            "review", "draw_polygons", self, boundary=boundary, units=units, simplify_m=simplify_m
        )
        return drawn

    def explain(self, customer_id: str) -> Explanation:
        """Explain where a customer belongs and why: what other territories would cost, and which limit forbids them.

        Returns
        -------
        Explanation
            ``str()`` says it in words; ``.alternatives``, ``.second_best``, ``.best_allowed``, ``.to_dict()``. One
            customer moves, everybody else and all centres stay.

        Notes
        -----
        O(n); O(n log n) the first time, where the alignment is contiguous.
        """
        explanation: Explanation = late("review", "explain_customer", self, customer_id)
        return explanation

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the territories, homes and customers; see `territory.maps.plot_alignment`."""
        return late("maps", "plot_alignment", self, ax=ax, **options)

    def __repr__(self) -> str:
        gap = "" if self.gap is None else f", gap {self.gap:.1%}"
        return f"<Alignment: {len(self.customers)} customers in {len(self)} territories, {self.status}{gap}>"

    def _repr_html_(self) -> str:
        return str(late("maps", "alignment_html", self))


def _read_alignment(
    cls: type[A], frame: Any, customers: Customers, reps: Reps | None, like: Alignment | None, *, blank: str
) -> A:
    source, problems = frame_columns(frame)
    if not problems and ("customer_id" not in source or not {"territory_id", "rep_id"} & set(source)):
        there = ", ".join(source)
        problems.append(
            Problem("missing-column", f"expected customer_id and territory_id or rep_id; there are: {there}")
        )
    if problems:
        raise InputError(problems, "alignment")
    names = [name for name in ("customer_id", "territory_id", "rep_id", "reason") if name in source]
    cells = read_columns(source, dict.fromkeys(names, Column(Kind.TEXT, missing=True)), "alignment")
    rows = customers.positions(cells["customer_id"])
    twice = np.flatnonzero(np.bincount(rows, minlength=len(customers)) > 1)
    if len(twice):
        shown = ", ".join(repr(v) for v in customers.id[twice[:5]].tolist())
        problem = Problem("duplicate-id", f"stands more than once: {shown}", column="customer_id", count=len(twice))
        raise InputError([problem], "alignment")
    column = "territory_id" if "territory_id" in cells else "rep_id"
    label = cells[column].tolist()
    if like is not None:
        ids, rep_idx = like.territory_id.tolist(), like.rep_idx
    elif column == "rep_id" and reps is not None:
        ids, rep_idx = reps.id.tolist(), np.arange(len(reps), dtype=np.int32)
    else:
        ids = list(dict.fromkeys(v for v in label if v))
        rep_idx = _reps_of(ids, label, cells.get("rep_id"), reps)
    position = {t: j for j, t in enumerate(ids)}
    unknown = [row for row, v in enumerate(label) if v and v not in position]
    if unknown:
        shown = ", ".join(repr(v) for v in list(dict.fromkeys(label[row] for row in unknown))[:5])
        problem = Problem("unknown-id", f"unknown: {shown}", column=column, count=len(unknown), rows=tuple(unknown[:5]))
        raise InputError([problem], "alignment")
    territory_idx = np.full(len(customers), NO_IDX, dtype=np.int32)
    territory_idx[rows] = [position.get(v, NO_IDX) for v in label]
    why = {} if "reason" not in cells else dict(zip(rows.tolist(), cells["reason"].tolist(), strict=True))
    reasons = {int(i): why.get(int(i)) or blank for i in np.flatnonzero(territory_idx == NO_IDX)}
    lon, lat = _centers(customers, territory_idx, len(ids))
    return cls(
        customers,
        reps,
        text_array(ids),
        territory_idx,
        rep_idx,
        lon,
        lat,
        balance={} if like is None else like.balance,
        targets={} if like is None else like.targets,
        contiguous=False if like is None else like.contiguous,
        graph=None if like is None else like.graph,
        # centres are the means of what was read
        rules=AlignmentRules() if like is None else like.rules.by_place(),
        unassigned_reason=reasons,
    )


def _reps_of(ids: list[str], label: list[str], rep_cells: TextArray | None, reps: Reps | None) -> IdxArray:
    """Return the rep of each territory: what the table says, or else the rep of the same id."""
    if reps is None:
        return np.full(len(ids), NO_IDX, dtype=np.int32)
    if rep_cells is None:
        own = set(reps.id.tolist())
        return np.array([reps.positions([i])[0] if i in own else NO_IDX for i in ids], dtype=np.int32)
    rep_of: dict[str, str] = {}
    two: list[str] = []
    for territory, rep in zip(label, rep_cells.tolist(), strict=True):
        if territory and rep_of.setdefault(territory, rep) != rep:
            two.append(territory)
    if two:
        shown = ", ".join(repr(t) for t in list(dict.fromkeys(two))[:5])
        problem = Problem(
            "two-reps",
            f"territories with different reps in different rows: {shown}",
            column="rep_id",
            count=len(set(two)),
            hint="Maybe only territory_id was edited? Pass like=, the alignment that was edited.",
        )
        raise InputError([problem], "alignment")
    known = [rep_of[i] for i in ids]
    found = iter(reps.positions([rep for rep in known if rep]).tolist())
    return np.array([next(found) if rep else NO_IDX for rep in known], dtype=np.int32)


def _centers(customers: Customers, territory_idx: IdxArray, k: int) -> tuple[FloatArray, FloatArray]:
    """Return the mean position of each territory's customers; NaN for an empty one. O(n log n)."""
    lon, lat = np.full(k, np.nan), np.full(k, np.nan)
    order = np.argsort(territory_idx, kind="stable")
    ends = np.searchsorted(territory_idx[order], np.arange(k + 1))
    for j in range(k):
        rows = order[ends[j] : ends[j + 1]]
        if len(rows):
            lon[j], lat[j] = mean_position(customers.lon[rows], customers.lat[rows])
    return lon, lat
