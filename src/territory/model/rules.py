"""What an alignment must keep beyond balance and contiguity: limits, groups, overrides, reach."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from territory.errors import InputError, Problem
from territory.model.arrays import sealed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.model.arrays import FloatArray, IdxArray

__all__ = ["AlignmentRules"]


@dataclass(frozen=True, eq=False)
class AlignmentRules:
    """Rules of an alignment of n customers in k territories; by default there are none.

    Attributes
    ----------
    limits : mapping of measure to float array of shape (k, 2)
        What each territory must and may hold, 0 and infinity for no limit.
    share : mapping of measure to float array of shape (k,)
        Each territory's share of the targets' sum, where it is not that of the reps' capacity; adds up to 1.
    weight : mapping of measure to float
        What deviations from the target cost; see `Balance`.
    weigh_by : str, optional
        The measure that weighs distances; None: the first of the alignment's balance.
    together : int32 array of shape (n,), optional
        Group of each customer, -1: none. Customers of one group are in one territory.
    apart : int32 array of shape (p, 2)
        Pairs of customers who are not in the same territory.
    overrides : mapping of customer position to territory position
        Customers who were given away by name, outside the geography.
    reach_m : float array of shape (k,), optional
        How far customers may be from the rep's home, or from the centre of a territory without a rep, in metres as
        the crow flies. Who was given by name, or is locked, may be farther away, and so may their groups.
    metric : {"squared", "distance", "travel"}
        Whether the objective is a mean of squared distances to the centres (square metres), of distances (metres), or
        of travel times, there and back halved (seconds).
    travel : str
        What tells the source of travel times from others.
    center_idx : int32 array of shape (k,), optional
        Of travel: the customer (position) that is the centre, or n + the position of the rep whose home is.

    Raises
    ------
    InputError
        Arrays that are no such thing, or an unknown metric.
    """

    limits: Mapping[str, FloatArray] = dataclasses.field(default_factory=dict)
    share: Mapping[str, FloatArray] = dataclasses.field(default_factory=dict)
    weight: Mapping[str, float] = dataclasses.field(default_factory=dict)
    weigh_by: str | None = None
    together: IdxArray | None = None
    apart: IdxArray = dataclasses.field(default_factory=lambda: np.empty((0, 2), dtype=np.int32))
    overrides: Mapping[int, int] = dataclasses.field(default_factory=dict)
    reach_m: FloatArray | None = None
    metric: str = "squared"
    travel: str = ""
    center_idx: IdxArray | None = None

    def __post_init__(self) -> None:
        limits = {name: sealed(np.array(v, dtype=np.float64)) for name, v in self.limits.items()}
        share = {name: sealed(np.array(v, dtype=np.float64)) for name, v in self.share.items()}
        problems = [
            Problem("wrong-shape", f"limits of {name}: expected shape (k, 2), not {v.shape}")
            for name, v in limits.items()
            if v.ndim != 2 or v.shape[1] != 2
        ]
        together, reach = self.together, self.reach_m
        if together is not None:
            together = sealed(np.array(together, dtype=np.int32))
            if together.ndim != 1:
                problems.append(Problem("wrong-shape", f"together: expected one dimension, not {together.ndim}"))
        apart = sealed(np.array(self.apart, dtype=np.int32))
        if apart.ndim != 2 or apart.shape[1] != 2:
            problems.append(Problem("wrong-shape", f"apart: expected shape (p, 2), not {apart.shape}"))
        if reach is not None:
            reach = sealed(np.array(reach, dtype=np.float64))
            if reach.ndim != 1 or not (reach >= 0).all():
                problems.append(Problem("bad-reach", "reach_m: expected distances of at least 0"))
        if self.metric not in ("squared", "distance", "travel"):
            problems.append(
                Problem("unknown-option", f"metric: expected squared, distance or travel, not {self.metric!r}")
            )
        center = None if self.center_idx is None else sealed(np.array(self.center_idx, dtype=np.int32))
        if problems:
            raise InputError(problems, "alignment rules")
        values = {
            "limits": MappingProxyType(limits),
            "share": MappingProxyType(share),
            "weight": MappingProxyType({name: float(v) for name, v in self.weight.items()}),
            "together": together,
            "apart": apart,
            "overrides": MappingProxyType({int(i): int(j) for i, j in self.overrides.items()}),
            "reach_m": reach,
            "center_idx": center,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nothing in it can change

    def __reduce__(self) -> tuple[Any, ...]:  # pickled arrays come back writeable, and mapping views do not pickle
        values = (getattr(self, f.name) for f in dataclasses.fields(self))
        return type(self), tuple(dict(v) if isinstance(v, MappingProxyType) else v for v in values)

    def by_place(self) -> Self:
        """Return the same rules for squared distances to centres anywhere."""
        return dataclasses.replace(self, metric="squared", travel="", center_idx=None)

    def faults(self, n: int, k: int) -> list[Problem]:
        """Return what does not fit an alignment of n customers in k territories."""
        shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {}
        shapes |= {f"limits of {name}": (v.shape, (k, 2)) for name, v in self.limits.items()}
        shapes |= {f"share of {name}": (v.shape, (k,)) for name, v in self.share.items()}
        if self.together is not None:
            shapes["together"] = (self.together.shape, (n,))
        if self.reach_m is not None:
            shapes["reach_m"] = (self.reach_m.shape, (k,))
        if self.center_idx is not None:
            shapes["center_idx"] = (self.center_idx.shape, (k,))
        found = [
            Problem("wrong-shape", f"{name}: expected shape {want}, not {got}")
            for name, (got, want) in shapes.items()
            if got != want
        ]
        if len(self.apart) and not (self.apart.min() >= 0 and self.apart.max() < n):
            found.append(Problem("unknown-id", f"apart: expected positions 0 to {n - 1}"))
        if any(not (0 <= i < n and 0 <= j < k) for i, j in self.overrides.items()):
            found.append(Problem("unknown-id", f"overrides: expected positions to {n - 1} and {k - 1}"))
        return found
