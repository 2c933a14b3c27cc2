"""What was asked of territory design, read and checked before anything is solved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from territory.design.problem import on_sphere, owner_idx
from territory.errors import InputError, Problem
from territory.geo.sphere import great_circle_m
from territory.model.arrays import NO_IDX
from territory.model.coordinates import pair_diagnostics
from territory.model.workload import default_measure, measure_values

if TYPE_CHECKING:
    from territory.model.arrays import FloatArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["Request", "read_request"]

#: How balanced territories should be where nobody says.
DEFAULT_TOLERANCE: Final = 0.10
#: How far centres are drawn to the reps' homes. A third saved most driving on the shipped country:
#: 6 % against free centres, as much as fixed homes, at less than half their spread.
_PULL: Final = {"near-homes": 1 / 3, "free": 0.0, "homes": 1.0}


@dataclass(frozen=True, eq=False)
class Request:
    """A checked request.

    Attributes
    ----------
    k : int
        Number of territories.
    balance : mapping of measure to tolerance
    hard : bool
        Whether the tolerances are limits, or a goal.
    measures : float array of shape (n, m)
    share : float array of shape (k,)
        Share of the whole that each territory should hold; adds up to 1.
    tied : bool
        Whether territory j must be the one of rep j (capacities, skills, locks, homes).
    pull : float
        How far centres are drawn from the middle of their customers to the home: 0 not, 1 all the way.
    """

    customers: Customers
    reps: Reps | None
    k: int
    balance: dict[str, float]
    hard: bool
    measures: FloatArray
    share: FloatArray
    tied: bool
    pull: float
    contiguous: bool
    rng: np.random.Generator
    diagnostics: tuple[Problem, ...] = ()

    @property
    def territory_id(self) -> list[str]:
        """Ids of the territories: of the reps where there is one each, else T1, T2, ..."""
        if self.reps is not None and len(self.reps) == self.k:
            return list(self.reps.id.tolist())
        width = len(str(self.k))
        return [f"T{j + 1:0{width}d}" for j in range(self.k)]

    def seeds(self, xyz: FloatArray, weight: FloatArray) -> FloatArray:
        """Return the first centres, float of shape (k, 3): homes, or a spread by k-means++."""
        if self.reps is not None and (self.tied or len(self.reps) == self.k):
            return on_sphere(self.reps.lon, self.reps.lat)[: self.k]
        return spread(xyz, weight, self.k, self.rng)

    def match(self, lon: FloatArray, lat: FloatArray) -> IdxArray:
        """Return the rep of each territory, int32 of shape (k,): the nearest homes, unless they are tied."""
        if self.reps is None:
            return np.full(self.k, NO_IDX, dtype=np.int32)
        if self.tied or len(self.reps) == self.k:
            return np.arange(self.k, dtype=np.int32)
        from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - only where reps are to be matched

        away = great_circle_m(lon[:, None], lat[:, None], self.reps.lon[None, :], self.reps.lat[None, :])
        rows, columns = linear_sum_assignment(away)
        out = np.full(self.k, NO_IDX, dtype=np.int32)
        out[rows] = columns
        return out


def spread(xyz: FloatArray, weight: FloatArray, k: int, rng: np.random.Generator) -> FloatArray:
    """Choose k of the points, far from each other and where the weight is (k-means++, Arthur & Vassilvitskii 2007)."""
    mass = weight if weight.any() else np.ones(len(xyz))
    chosen = [int(rng.choice(len(xyz), p=mass / mass.sum()))]
    nearest = ((xyz - xyz[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < k:
        pull = mass * nearest
        if not pull.any():
            # fewer spots than territories: any points will do
            rest = np.setdiff1d(np.arange(len(xyz)), chosen)
            chosen.append(int(rest[0]))
        else:
            chosen.append(int(rng.choice(len(xyz), p=pull / pull.sum())))
        nearest = np.minimum(nearest, ((xyz - xyz[chosen[-1]]) ** 2).sum(axis=1))
    return xyz[chosen]


def read_request(
    customers: Customers,
    reps: Reps | None,
    n_territories: int | None,
    balance: Mapping[str, float] | None,
    centers: str | None,
    time_limit_s: float,
    rng: int | np.random.Generator | None,
    *,
    contiguous: bool = True,
) -> Request:
    """Check everything that was asked, and raise one `InputError` with all that is wrong."""
    problems: list[Problem] = []
    n = len(customers)
    if n == 0:
        problems.append(Problem("no-customers", "there are no customers to share out"))
    if reps is not None and len(reps) == 0:
        problems.append(Problem("no-reps", "the table of reps is empty"))
    k = _count(n_territories, n, None if reps is None else len(reps), problems)
    chosen = _balance(customers, balance, problems)
    one_each = reps is not None and k == len(reps)
    pull = _PULL.get(("near-homes" if one_each else "free") if centers is None else centers)
    if pull is None:
        problems.append(Problem("unknown-option", f"centers: expected one of {', '.join(_PULL)}, not {centers!r}"))
    elif pull > 0 and not one_each:
        problems.append(Problem("missing-reps", f"centers={centers!r} needs reps, one a territory"))
    if not time_limit_s > 0:
        problems.append(Problem("bad-time-limit", f"expected time_limit_s > 0, not {time_limit_s}"))
    if reps is None and customers.locked is not None and customers.locked.any():
        hint = "Pass reps, or customers without locks."
        problems.append(Problem("locks-without-reps", "customers are locked to their owners", "locked", hint=hint))
    if reps is not None:
        _owners(customers, reps, problems)
        picky = [x for x in ("locked", "required_skills", "forbidden_reps") if getattr(customers, x) is not None]
        if picky and k is not None and k < len(reps):
            message = (
                f"{k} territories for {len(reps)} reps, but customers are particular about reps ({', '.join(picky)})"
            )
            problems.append(Problem("too-many-reps", message, hint="Pass only the reps that get a territory."))
    if rng is not None and not isinstance(rng, (int, np.integer, np.random.Generator)):
        problems.append(Problem("bad-rng", f"rng: expected a whole number or a numpy Generator, not {rng!r}"))
    if problems or k is None or pull is None:
        raise InputError(problems, "design_territories")
    measures = np.stack([measure_values(customers, name) for name in chosen], axis=1)
    for m, name in enumerate(chosen):
        if not measures[:, m].any():
            raise InputError([Problem("no-measure", "zero for every customer", column=name)], "design_territories")
    capacity = None if reps is None or len(reps) != k else reps.capacity_s
    share = np.full(k, 1.0 / k)
    if capacity is not None:
        if not (capacity > 0).all():
            zero = np.flatnonzero(capacity <= 0)
            rows = tuple(int(i) for i in zero[:5])
            found = Problem(
                "no-capacity", "reps without capacity get no territory; leave them out", "capacity_s", len(zero), rows
            )
            raise InputError([found], "reps")
        share = capacity / capacity.sum()
    c = customers
    tied = (
        capacity is not None
        or centers == "homes"
        or any(x is not None for x in (c.locked, c.required_skills, c.forbidden_reps))
    )
    return Request(
        customers=customers,
        reps=reps,
        k=k,
        balance=chosen,
        hard=balance is not None,
        measures=measures,
        share=share,
        tied=tied and reps is not None,
        pull=pull,
        contiguous=contiguous,
        rng=np.random.default_rng(rng),
        diagnostics=customers.diagnostics if reps is None else _warnings(customers, reps),
    )


def _warnings(customers: Customers, reps: Reps) -> tuple[Problem, ...]:
    return (*customers.diagnostics, *reps.diagnostics, *pair_diagnostics(customers, reps))


def _count(n_territories: object, n: int, n_reps: int | None, problems: list[Problem]) -> int | None:
    if n_territories is None:
        if n_reps is None:
            problems.append(Problem("missing-parameter", "pass reps or n_territories"))
            return None
        k = n_reps
    elif isinstance(n_territories, (bool, float)) or not isinstance(n_territories, (int, np.integer)):
        problems.append(Problem("bad-count", f"n_territories: expected a whole number, not {n_territories!r}"))
        return None
    else:
        k = int(n_territories)
    if k < 1 and n_territories is not None:
        problems.append(Problem("bad-count", f"expected n_territories >= 1, not {k}"))
    elif k > n > 0:
        problems.append(Problem("too-many-territories", f"{k} territories for {n} customers"))
    elif n_reps is not None and k > n_reps:
        problems.append(Problem("too-few-reps", f"{k} territories for {n_reps} reps"))
    return k


def _balance(customers: Customers, balance: object, problems: list[Problem]) -> dict[str, float]:
    if balance is None:
        return {default_measure(customers): DEFAULT_TOLERANCE}
    if not isinstance(balance, Mapping) or not balance:
        problems.append(
            Problem("bad-balance", f"balance: expected a mapping such as {{'workload_s': 0.05}}, not {balance!r}")
        )
        return {}
    for name, tolerance in balance.items():
        try:
            measure_values(customers, name)
        except InputError as error:
            problems += error.problems
        if not isinstance(tolerance, (int, float)) or isinstance(tolerance, bool) or not 0 <= tolerance <= 10:
            hint = "Write 0.05 for 5 %."
            problems.append(
                Problem("bad-tolerance", f"expected a share from 0 to 10, not {tolerance!r}", str(name), hint=hint)
            )
    return {str(name): float(t) for name, t in balance.items() if isinstance(t, (int, float))}


def _owners(customers: Customers, reps: Reps, problems: list[Problem]) -> None:
    if customers.locked is None or customers.owner is None:
        return
    stray = np.flatnonzero(customers.locked & (owner_idx(customers, reps) == NO_IDX))
    if stray.size:
        shown = ", ".join(sorted({repr(customers.owner[i]) for i in stray})[:3])
        rows = tuple(int(i) for i in stray[:5])
        problems.append(
            Problem("lock-to-unknown-rep", f"locked to owners who are no reps: {shown}", "owner", int(stray.size), rows)
        )
