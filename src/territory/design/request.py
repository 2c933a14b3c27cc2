"""What was asked of territory design, read and checked before anything is solved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.design.contiguity import is_usual, problem_graph, read_contiguity
from territory.design.problem import canonical_customers, canonical_reps, on_sphere
from territory.errors import InputError, Problem
from territory.geo.sphere import great_circle_m
from territory.model.arrays import NO_IDX
from territory.model.coordinates import pair_diagnostics
from territory.model.eligibility import eligibility, owner_idx
from territory.model.units import BasicUnits
from territory.model.workload import default_measure, measure_values
from territory.units import is_number

if TYPE_CHECKING:
    from territory.geo.contiguity import ContiguityGraph
    from territory.model.arrays import BoolArray, FloatArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["Request", "read_request"]

#: How balanced territories should be where nobody says.
DEFAULT_TOLERANCE: Final = 0.10
#: Columns that tie customers to reps.
_PARTICULAR: Final = ("locked", "required_skills", "forbidden_reps")
#: How far centres are drawn to the reps' homes. On the shipped country, in four-week plans of 100
#: iterations, a third drove 7 % less than free centres; fixed homes saved 1 % more, at 2.5 times the spread.
_PULL: Final = {"near-homes": 1 / 3, "free": 0.0, "homes": 1.0}


@dataclass(frozen=True, eq=False)
class Request:
    """A checked request.

    What is solved has customers and territories in an order of its own (`row`, `place`), in which
    neither the rows of the tables nor the names in them have a say.

    Attributes
    ----------
    row : int32 array of shape (number of customers that somebody may serve,)
        Positions of the problem's customers in the table.
    place : int32 array of shape (k,)
        Positions of the problem's territories in the alignment.
    homes : float array of shape (number of reps, 3), metres, or None
        In the problem's order.
    rep_order : int32 array of shape (number of reps,)
        Positions of the homes' reps in the table.
    eligible : bool array of shape (len(row), k), or None
        In the problem's order; None where everybody may serve everybody.
    k : int
        Number of territories.
    balance : mapping of measure to tolerance
    hard : bool
        Whether the tolerances are limits, or a goal.
    measures : float array of shape (len(row), m)
        In the problem's order.
    share : float array of shape (k,)
        Share of the whole that each territory should hold, in the problem's order; adds up to 1.
    pull : float
        How far centres are drawn from the middle of their customers to the home: 0 not, 1 all the way.
    graph : ContiguityGraph, or None
        In the problem's order, with a site for whom every rep may serve; None where contiguity is not asked for.
    asked : ContiguityGraph, or None
        The graph of all customers, in the order of the table; None also for the usual one.
    part, component : int32 arrays of shape (k,), (len(row),), or None
        The island of each territory and customer, where territories are tied to islands.
    """

    customers: Customers
    reps: Reps | None
    row: IdxArray
    place: IdxArray
    homes: FloatArray | None
    rep_order: IdxArray
    eligible: BoolArray | None
    k: int
    balance: dict[str, float]
    hard: bool
    measures: FloatArray
    share: FloatArray
    pull: float
    graph: ContiguityGraph | None
    asked: ContiguityGraph | None
    rng: np.random.Generator
    diagnostics: tuple[Problem, ...] = ()
    part: IdxArray | None = None
    component: IdxArray | None = None

    @property
    def contiguous(self) -> bool:
        """Whether territories must be contiguous."""
        return self.graph is not None

    @property
    def territory_id(self) -> list[str]:
        """Ids of the territories: of the reps where there is one each, else T1, T2, ..."""
        if self.reps is not None and self.one_each:
            return list(self.reps.id.tolist())
        width = len(str(self.k))
        return [f"T{j + 1:0{width}d}" for j in range(self.k)]

    @property
    def one_each(self) -> bool:
        """Whether every rep gets a territory; territory j of the problem is that of home j then."""
        return self.reps is not None and len(self.reps) == self.k

    @property
    def seeded(self) -> bool:
        """Whether the first centres are the homes, not drawn by chance."""
        return self.homes is not None and self.one_each

    def seeds(self, xyz: FloatArray, weight: FloatArray) -> FloatArray:
        """Return the first centres, float of shape (k, 3): homes, or a spread by k-means++."""
        if self.homes is not None and self.one_each:
            return self.homes
        if self.part is None or self.component is None:
            return spread(xyz, weight, self.k, self.rng)
        center = np.empty((self.k, xyz.shape[1]))
        for island in np.unique(self.part):
            here, mine = self.component == island, self.part == island
            center[mine] = spread(xyz[here], weight[here], int(mine.sum()), self.rng)
        return center

    def match(self, lon: FloatArray, lat: FloatArray) -> IdxArray:
        """Return the rep of each territory with these centres, int32 of shape (k,): homes near by, one each."""
        if self.reps is None:
            return np.full(self.k, NO_IDX, dtype=np.int32)
        if self.one_each:
            return self.rep_order
        from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - only where reps are to be matched

        home = self.rep_order
        away = great_circle_m(lon[:, None], lat[:, None], self.reps.lon[None, home], self.reps.lat[None, home])
        return np.asarray(home[linear_sum_assignment(away)[1]], dtype=np.int32)


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
    customers: Customers | BasicUnits,
    reps: Reps | None,
    n_territories: int | None,
    balance: Mapping[str, float] | None,
    centers: str | None,
    time_limit_s: float,
    rng: int | np.random.Generator | None,
    *,
    contiguous: Any = True,
    barriers: Any = None,
    bridges: Any = (),
    islands: Any = None,
) -> Request:
    """Check everything that was asked, and raise one `InputError` with all that is wrong."""
    problems: list[Problem] = []
    bridges = list(bridges) if isinstance(bridges, Iterable) else bridges
    graph = read_contiguity(customers, contiguous, barriers, bridges, islands, problems)
    if isinstance(customers, BasicUnits):
        customers = customers.to_customers()
    n = len(customers)
    if n == 0:
        problems.append(Problem("no-customers", "there are no customers to share out"))
    if reps is not None and len(reps) == 0:
        problems.append(Problem("no-reps", "the table of reps is empty"))
    k = _count(n_territories, n, None if reps is None else len(reps), problems)
    chosen = _balance(customers, balance, problems)
    one_each = reps is not None and k == len(reps)
    if centers is None:
        centers = "near-homes" if one_each else "free"
    pull = _PULL.get(centers) if isinstance(centers, str) else None
    if pull is None:
        problems.append(Problem("unknown-option", f"centers: expected one of {', '.join(_PULL)}, not {centers!r}"))
    elif pull > 0 and not one_each:
        problems.append(Problem("missing-reps", f"centers={centers!r} needs reps, one a territory"))
    if not (is_number(time_limit_s) and time_limit_s > 0):
        problems.append(Problem("bad-time-limit", f"expected time_limit_s > 0, not {time_limit_s!r}"))
    _check_reps(customers, reps, k, problems)
    if not _is_seed(rng):
        problems.append(Problem("bad-rng", f"rng: expected a whole number >= 0 or a numpy Generator, not {rng!r}"))
    if problems or k is None or pull is None:
        raise InputError(problems, "design_territories")
    measures = np.stack([measure_values(customers, name) for name in chosen], axis=1)
    eligible = eligibility(customers, reps)
    order = np.zeros(0, dtype=np.int32) if reps is None else canonical_reps(reps, eligible)
    if eligible is not None:
        eligible = eligible[:, order]
    row = canonical_customers(customers, measures, eligible)
    served = eligible
    if eligible is not None:
        row = row[eligible[row].any(axis=1)]
        eligible = None if eligible[row].all() else eligible[row]
    share = np.full(k, 1.0 / k)
    if reps is not None and one_each and reps.capacity_s is not None:
        share = reps.capacity_s[order] / reps.capacity_s[order].sum()
    return Request(
        customers=customers,
        reps=reps,
        row=row,
        place=order if one_each else np.arange(k, dtype=np.int32),
        homes=None if reps is None else on_sphere(reps.lon[order], reps.lat[order]),
        rep_order=order,
        eligible=eligible,
        k=k,
        balance=chosen,
        hard=balance is not None,
        measures=measures[row],
        share=share,
        pull=pull,
        graph=None if graph is None else problem_graph(graph, customers, served, row),
        asked=None if graph is None or is_usual(graph) else graph,
        rng=np.random.default_rng(rng),
        diagnostics=(
            *customers.diagnostics,
            *(() if reps is None else (*reps.diagnostics, *pair_diagnostics(customers, reps))),
            *(() if graph is None else graph.diagnostics),
        ),
    )


def _check_reps(customers: Customers, reps: Reps | None, k: int | None, problems: list[Problem]) -> None:
    """Note what does not fit between customers, reps and the number of territories."""
    if reps is None:
        if customers.locked is not None and customers.locked.any():
            hint = "Pass reps, or customers without locks."
            problems.append(Problem("locks-without-reps", "customers are locked to their owners", "locked", hint=hint))
        return
    _locks(customers, reps, problems)
    picky = [x for x in _PARTICULAR if getattr(customers, x) is not None]
    if picky and k is not None and k < len(reps):
        message = f"{k} territories for {len(reps)} reps, but customers are particular about reps ({', '.join(picky)})"
        problems.append(Problem("too-many-reps", message, hint="Pass only the reps that get a territory."))
    if k == len(reps) and reps.capacity_s is not None and not (reps.capacity_s > 0).all():
        zero = np.flatnonzero(reps.capacity_s <= 0)
        message = "reps without capacity get no territory; leave them out"
        rows = tuple(int(j) for j in zero[:5])
        problems.append(Problem("no-capacity", message, "capacity_s", len(zero), rows))


def _is_seed(rng: object) -> bool:
    if isinstance(rng, (int, np.integer)) and not isinstance(rng, bool):
        return int(rng) >= 0
    return rng is None or isinstance(rng, np.random.Generator)


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
        name = default_measure(customers)
        # nothing is asked for, so nothing is wrong with customers who mean no work
        return {name if measure_values(customers, name).any() else "count": DEFAULT_TOLERANCE}
    if not isinstance(balance, Mapping) or not balance:
        problems.append(
            Problem("bad-balance", f"balance: expected a mapping such as {{'workload_s': 0.05}}, not {balance!r}")
        )
        return {}
    for name, tolerance in balance.items():
        try:
            if not measure_values(customers, name).any() and len(customers):
                problems.append(Problem("no-measure", "zero for every customer", column=str(name)))
        except InputError as error:
            problems += error.problems
        if not (is_number(tolerance) and 0 <= tolerance <= 10):
            hint = "Write 0.05 for 5 %."
            problems.append(
                Problem("bad-tolerance", f"expected a share from 0 to 10, not {tolerance!r}", str(name), hint=hint)
            )
    return {str(name): float(t) for name, t in balance.items() if is_number(t)}


def _locks(customers: Customers, reps: Reps, problems: list[Problem]) -> None:
    """Note customers who are locked to somebody who is no rep, or who may not serve them."""
    if customers.locked is None or customers.owner is None:
        return
    owner = owner_idx(customers, reps)
    stray = customers.locked & (owner == NO_IDX)
    unable = np.zeros(len(customers), dtype=bool)
    allowed = eligibility(customers, reps)
    if allowed is not None:
        unable = customers.locked & ~stray & ~allowed.any(axis=1)
    for code, message, found in (
        ("lock-to-unknown-rep", "locked to owners who are no reps", stray),
        ("lock-conflict", "locked to owners who lack a skill or are forbidden", unable),
    ):
        at = np.flatnonzero(found)
        if at.size:
            shown = ", ".join(sorted({repr(customers.owner[i]) for i in at})[:3])
            rows = tuple(int(i) for i in at[:5])
            problems.append(Problem(code, f"{message}: {shown}", "owner", int(at.size), rows))
