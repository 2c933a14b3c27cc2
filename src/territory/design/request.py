"""What was asked of territory design, read and checked before anything is solved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from territory.design.contiguity import is_usual, problem_graph, read_contiguity
from territory.design.problem import canonical_customers, canonical_reps, on_sphere
from territory.design.request_balance import bands_of, read_balance
from territory.design.request_rules import (
    Particulars,
    group_problems,
    in_common,
    overridden,
    override_problems,
    reached,
    read_particulars,
)
from territory.errors import InputError, Problem
from territory.geo.sphere import great_circle_m
from territory.model.arrays import NO_IDX
from territory.model.coordinates import pair_diagnostics
from territory.model.eligibility import eligibility, owner_idx
from territory.model.units import BasicUnits
from territory.model.workload import measure_values
from territory.units import is_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.design.request_balance import Bands
    from territory.design.yardstick import Yardstick
    from territory.geo.contiguity import ContiguityGraph
    from territory.model.arrays import BoolArray, FloatArray, IdxArray
    from territory.model.balance import Balance
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["Request", "read_request"]

Compactness = Literal["squared", "distance", "reach", "perimeter"]
#: Customers that a bound for centres anywhere is for.
_FREE_BOUND: Final = 2000
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
    balance : mapping of measure to Balance
    hard : bool
        Whether the tolerances are limits, or a goal.
    measures : float array of shape (len(row), m)
        In the problem's order.
    bands : Bands
        What each territory must, may and should hold, in the problem's order.
    group : int32 array of shape (len(row),), or None
        Customers of one group are together; -1: none.
    apart : int32 array of shape (p, 2)
        Pairs who are not together, in the problem's order.
    reach_m : float array of shape (k,), or None
        In the problem's order.
    particulars : Particulars
        What was asked of single customers, in the order of the tables.
    pull : float
        How far centres are drawn from the middle of their customers to the home: 0 not, 1 all the way.
    graph : ContiguityGraph, or None
        In the problem's order, with a site for whom every rep may serve; None where contiguity is not asked for.
    asked : ContiguityGraph, or None
        The graph of all customers, in the order of the table; None also for the usual one.
    yardstick : Yardstick, or None for squared distances
    stranded : int32 array
        Positions in the table of those who are left out, as no way leads to a territory that could be.
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
    balance: dict[str, Balance]
    hard: bool
    measures: FloatArray
    bands: Bands
    group: IdxArray | None
    apart: IdxArray
    reach_m: FloatArray | None
    particulars: Particulars
    pull: float
    graph: ContiguityGraph | None
    asked: ContiguityGraph | None
    yardstick: Yardstick | None
    stranded: IdxArray
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


def read_request(
    customers: Customers | BasicUnits,
    reps: Reps | None,
    n_territories: int | None,
    balance: Mapping[str, float | Balance] | None,
    centers: str | None,
    time_limit_s: float,
    rng: int | np.random.Generator | None,
    *,
    contiguous: Any = True,
    barriers: Any = None,
    bridges: Any = (),
    islands: Any = None,
    together: Any = None,
    apart: Any = None,
    overrides: Any = None,
    reach_km: Any = None,
    compactness: Any = "squared",
    travel: Any = None,
    method: Any = "auto",
    bounds: Any = "centers",
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
    one_each = reps is not None and k == len(reps)
    chosen = read_balance(customers, balance, reps.id.tolist() if reps is not None and one_each else None, problems)
    if centers is None:
        centers = "near-homes" if one_each else "free"
    pull = _PULL.get(centers) if isinstance(centers, str) else None
    if pull is None:
        problems.append(Problem("unknown-option", f"centers: expected one of {', '.join(_PULL)}, not {centers!r}"))
    elif pull > 0 and not one_each:
        problems.append(Problem("missing-reps", f"centers={centers!r} needs reps, one a territory"))
    _check_ways(compactness, travel, method, bounds, reach_km, n, problems, one_each=one_each)
    if not (is_number(time_limit_s) and time_limit_s > 0):
        problems.append(Problem("bad-time-limit", f"expected time_limit_s > 0, not {time_limit_s!r}"))
    _check_reps(customers, reps, k, problems)
    if not _is_seed(rng):
        problems.append(Problem("bad-rng", f"rng: expected a whole number >= 0 or a numpy Generator, not {rng!r}"))
    special = read_particulars(customers, reps, together, apart, overrides, reach_km, problems, one_each=one_each)
    allowed = eligibility(customers, reps) if reps is not None and len(reps) else None
    if reps is not None:
        problems += override_problems(customers, reps, allowed, special.overrides)
    allowed = overridden(allowed, special.overrides, None if reps is None else len(reps))
    problems += group_problems(customers, allowed, special.together)
    if problems or k is None or pull is None:
        raise InputError(problems, "design_territories")
    return _request(
        customers, reps, k, chosen, special, allowed, graph, pull, np.random.default_rng(rng), hard=balance is not None,
        compactness=compactness, travel=travel,
    )  # fmt: skip


def _check_ways(
    compactness: Any,
    travel: Any,
    method: Any,
    bounds: Any,
    reach_km: Any,
    n: int,
    problems: list[Problem],
    *,
    one_each: bool,
) -> None:
    """Note what is no way to keep territories compact, or to prove it, or what does not go together."""
    if not (isinstance(compactness, str) and compactness in get_args(Compactness)):
        expected = ", ".join(get_args(Compactness))
        problems.append(Problem("unknown-option", f"compactness: expected one of {expected}, not {compactness!r}"))
    elif travel is not None and compactness != "squared":
        problems.append(Problem("unknown-option", "travel is kept small in seconds; leave out compactness"))
    if travel is not None and reach_km is not None and not one_each:
        problems.append(Problem("unknown-option", "reach_km of centres is not for travel; of homes it is"))
    for name, value, words in (("method", method, ("auto", "exact")), ("bounds", bounds, ("centers", "free"))):
        if not (isinstance(value, str) and value in words):
            problems.append(Problem("unknown-option", f"{name}: expected one of {', '.join(words)}, not {value!r}"))
    if bounds == "free" and (n > _FREE_BOUND or travel is not None or compactness != "squared"):
        message = f"bounds for centres anywhere are for squared distances of up to {_FREE_BOUND:,} customers"
        problems.append(Problem("unknown-option", message))


def _request(
    customers: Customers,
    reps: Reps | None,
    k: int,
    chosen: dict[str, Balance],
    special: Particulars,
    allowed: BoolArray | None,
    graph: ContiguityGraph | None,
    pull: float,
    rng: np.random.Generator,
    *,
    hard: bool,
    compactness: Compactness,
    travel: Any,
) -> Request:
    """Return the request in the problem's own order."""
    one_each = reps is not None and k == len(reps)
    measures = np.stack([measure_values(customers, name) for name in chosen], axis=1)
    order = np.zeros(0, dtype=np.int32) if reps is None else canonical_reps(reps, allowed)
    if allowed is not None:
        allowed = allowed[:, order]
    row = canonical_customers(customers, measures, allowed)
    served, reach_m = allowed, None
    if special.reach_m is not None:
        reach_m = special.reach_m[order] if one_each else np.repeat(special.reach_m, k)
        if reps is not None and one_each:
            served = reached(customers, reps, order, allowed, special)
    if served is not None:
        served = in_common(served, special.together)
        row = row[served[row].any(axis=1)]
    share = np.full(k, 1.0 / k)
    if reps is not None and one_each and reps.capacity_s is not None:
        share = reps.capacity_s[order] / reps.capacity_s[order].sum()
    ids = reps.id[order].tolist() if reps is not None and one_each else [""] * k
    bands = bands_of(chosen, measures[row].sum(axis=0), share, ids)
    yardstick, left = None, np.zeros(0, dtype=np.int32)
    if travel is not None or compactness == "distance":
        # kernels that few calls need
        from territory.design.yardstick import by_distance, by_travel  # noqa: PLC0415
    if travel is not None:
        yardstick, left = by_travel(
            travel, customers, reps, row, order, at_homes=pull > 0.0, least=float(bands.lower[:, 0].min()),
            weight=measures[row, 0], k=k,
        )  # fmt: skip
        left, row = row[left], np.delete(row, left)
        bands = bands_of(chosen, measures[row].sum(axis=0), share, ids)
    elif compactness == "distance":
        yardstick = by_distance(on_sphere(customers.lon[row], customers.lat[row]))
    position = np.full(len(customers), NO_IDX, dtype=np.int32)
    position[row] = np.arange(len(row))
    apart = position[special.apart]
    asked = None if graph is None or is_usual(graph) else graph
    eligible = None if served is None or served[row].all() else served[row]
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
        hard=hard,
        measures=measures[row],
        bands=bands,
        group=None if special.together is None else special.together[row],
        apart=apart[(apart >= 0).all(axis=1)],
        reach_m=reach_m,
        particulars=special,
        pull=pull,
        graph=None
        if graph is None
        else problem_graph(graph, customers, allowed, row, special.together, special.overrides),
        asked=asked,
        yardstick=yardstick,
        stranded=left,
        rng=rng,
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
