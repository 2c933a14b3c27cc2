"""Territories that are balanced by work and driving together.

How long a visit takes is known; how long the way to it, only once there are territories. The way between neighbours
is much the same whoever goes it, so that it is part of what customers weigh from the start. The way from home is not:
it goes by the territory. So territories are designed, the driving of each is estimated, and who has far to go gets a
smaller share of the next design, until all are in balance by the estimate of their own driving.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.check import check_alignment
from territory.design.contiguity import read_contiguity
from territory.design.ladder import DEFAULT_TOLERANCE, as_balanced
from territory.design.power import power_bound
from territory.design.problem import on_sphere
from territory.design.territories import design_territories
from territory.design.work import WORK_AND_DRIVING, visit_work, work_and_driving
from territory.errors import InfeasibleError, InputError, Problem
from territory.geo.sphere import mean_position
from territory.model.balance import Balance
from territory.model.eligibility import eligibility
from territory.model.enums import Status
from territory.model.reps import Reps
from territory.model.units import BasicUnits
from territory.travel.estimate import local_s
from territory.units import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray
    from territory.model.customers import Customers
    from territory.travel.estimate import DriveConstants

__all__ = ["design_with_driving"]

_SUBJECT = "design_with_driving"
#: Part of the tolerance that a design may use; what a change of shares does to the driving needs the rest.
_SHARE: Final = 0.5
#: The same in rounds after the fifth: what is left then is the change of driving that a design brings with it.
_LATE_SHARE: Final = (5, 0.3)
#: Part of a change in the ratio of driving to weight that a round takes over: far territories swing to and fro else.
_DAMPED: Final = 0.7
#: Weights add up to this, and the largest capacity is a full week, where they stand in columns that have bounds.
_WHOLE: Final = 1e8
_WEEK_S: Final = 40 * 3600.0
#: What a design gets where no time is left, seconds: its first answer takes what it takes.
_LEAST_S: Final = 1e-3
#: Rounds after which centres stay, where reps have homes: nobody changes places any more.
_FREE_ROUNDS: Final = 3


def design_with_driving(
    customers: Customers | BasicUnits,
    reps: Reps | None = None,
    *,
    n_territories: int | None = None,
    balance: float | Mapping[str, Any] | None = None,
    constants: DriveConstants | None = None,
    rounds: int = 12,
    contiguous: Any = True,
    barriers: Any = None,
    bridges: Iterable[tuple[str, str]] = (),
    islands: Any = None,
    time_limit_s: float = 60.0,
    rng: int | np.random.Generator | None = 0,
    **options: Any,
) -> Alignment:
    """Partition customers into territories that are balanced by visits and the driving between them.

    Parameters
    ----------
    customers : Customers or BasicUnits, length n
        With ``visit_interval_days`` (and ``service_s``), or else ``workload_s``.
    reps : Reps, optional
        Driving begins at their homes; without reps, in the middle of the territories. ``capacity_s`` shares out
        work and driving.
    n_territories : int, optional
    balance : float, or mapping of measure to limit, optional
        Of work and driving, 0.05 for +-5 %; or a mapping as of `design_territories` that may name
        ``"work_and_driving_s"`` (a number) and other measures; without that name it is 10 %. Hard limits. Default:
        within 10 %, as far as possible.
    constants : DriveConstants, optional
        Of the estimate. Those of the papers are for crow-fly tours without opening hours and intervals;
        `territory.fit_drive` fits them to routes.
    rounds : int
        1 to 50: how often territories are designed at most.
    contiguous, barriers, bridges, islands, rng, **options
        As of `design_territories`.
    time_limit_s : float
        Seconds for all rounds.

    Returns
    -------
    Alignment
        ``.customers.measures["work_and_driving_s"]`` is what each customer takes in this very alignment, as it is
        estimated (`work_and_driving`), seconds a week; ``.balance`` and ``.targets`` are of that. It has passed
        `check_alignment`.

    Raises
    ------
    InputError
        Every broken rule at once; neither intervals nor workload.
    InfeasibleError
        As of `design_territories`; or no round ended within the limits.

    Notes
    -----
    Driving: the way from the visit before, by the density of customers around, and a share of the way from home and
    back (Daganzo 1984; see `territory.travel.estimate`). Two to twelve designs, five to six as a rule.

    Examples
    --------
    >>> import numpy as np
    >>> from territory import Customers
    >>> rng = np.random.default_rng(0)
    >>> lon = np.concatenate([rng.uniform(10.0, 10.2, 60), rng.uniform(10.2, 12.0, 60)])
    >>> customers = Customers(id=[f"c{i}" for i in range(120)], lon=lon, lat=rng.uniform(50.0, 50.3, 120),
    ...                       visit_interval_days=[7.0] * 120, service_s=[1800.0] * 120)
    >>> made = design_with_driving(customers, n_territories=2, balance=0.05)
    >>> town, country = np.bincount(made.territory_idx)
    >>> bool(town > country)  # there is more driving in the country, so fewer customers
    True
    """
    end = monotonic() + time_limit_s if is_number(time_limit_s) else 0.0
    problems: list[Problem] = []
    if isinstance(rounds, bool) or not isinstance(rounds, (int, np.integer)) or not 1 <= rounds <= 50:
        problems.append(Problem("bad-count", f"rounds: expected a whole number from 1 to 50, not {rounds!r}"))
    if not (is_number(time_limit_s) and time_limit_s > 0):
        problems.append(Problem("bad-time-limit", f"expected time_limit_s > 0, not {time_limit_s!r}"))
    tolerance, others = _limits(balance, problems)
    table = customers.to_customers() if isinstance(customers, BasicUnits) else customers
    work = visits = np.zeros(len(table))
    try:
        work, visits = visit_work(table)
        if len(table) and not work.any() and not visits.any():
            problems.append(Problem("no-workload", "no visits are due, so that there is no work to balance"))
    except InputError as error:
        problems += error.problems
    graph = read_contiguity(customers, contiguous, barriers, bridges, islands, problems)
    if problems:
        raise InputError(problems, _SUBJECT)
    seed = int(rng.integers(2**62)) if isinstance(rng, np.random.Generator) else rng
    options |= {"contiguous": False if graph is None else graph, "rng": seed}
    job = _Job(table, reps, n_territories, tolerance, others, options, constants)
    best = _searched(job, work, visits, int(rounds), end)
    return _answer(job, best, timed_out=monotonic() >= end)


@dataclass(frozen=True, slots=True)
class _Job:
    """What was asked; `tolerance` is None where 10 % is a goal, not a limit."""

    customers: Customers
    reps: Reps | None
    n_territories: int | None
    tolerance: float | None
    others: Mapping[str, Any]
    options: Mapping[str, Any]
    constants: DriveConstants | None

    @property
    def goal(self) -> float:
        return DEFAULT_TOLERANCE if self.tolerance is None else self.tolerance

    @property
    def one_each(self) -> bool:
        return self.reps is not None and self.n_territories in (None, len(self.reps))


@dataclass(frozen=True, slots=True)
class _Round:
    """An alignment as it came, as it is, what customers take in it (n,), targets (k,), and the largest deviation."""

    came: Alignment
    alignment: Alignment
    measure: FloatArray
    target: FloatArray
    off: float


def _searched(job: _Job, work: FloatArray, visits: FloatArray, rounds: int, end: float) -> _Round:
    """Return the best round."""
    c = job.customers
    weight = work + visits * local_s(c.lon, c.lat, area=c.area, constants=job.constants)
    first = best = now = _judged(
        job, _designed(job, job.reps, weight, None, _seconds(end - monotonic(), rounds), _SHARE), None
    )
    ratio = np.ones(len(first.alignment))
    for done in range(1, rounds):
        left = end - monotonic()
        if best.off <= job.goal or left <= 0:
            break
        if done == 1:
            # on the whole the way from home is part of a visit, too: many short ones take longer than few long ones
            haul = float((now.measure - weight).sum() / max(float(visits.sum()), 1e-300))
            weight = weight + visits * max(haul, 0.0)
        found = _per_territory(now, now.measure) / np.maximum(_per_territory(now, weight), 1e-300)
        found = np.where(found > 0, found, 1.0)
        ratio = found if done == 1 else ratio * (found / ratio) ** _DAMPED
        bases, extra = _bases(job, now, first, weight, done)
        part = _SHARE if done < _LATE_SHARE[0] else _LATE_SHARE[1]
        try:
            made = _designed(job, bases, weight, ratio, _seconds(left, rounds - done), part, **extra)
        except InfeasibleError:
            # what was found before is judged as it is
            break
        now = _judged(job, made, first)
        best = min(best, now, key=lambda one: one.off)
    return best


def _seconds(left: float, rounds: int) -> float:
    """Return the time of a round: half of what is left, as most end long before."""
    return left if rounds == 1 else left / 2.0


def _designed(
    job: _Job,
    reps: Reps | None,
    weight: FloatArray,
    ratio: FloatArray | None,
    seconds: float,
    part: float,
    **extra: Any,
) -> Alignment:
    """Return territories balanced by weights; who drives more than his weights say gets less of them.

    The tolerance is a part of that which was asked for, or the whole where nothing keeps it.
    """
    customers = replace(job.customers, measures={**job.customers.measures, WORK_AND_DRIVING: weight})
    share = None
    if ratio is not None and reps is not None:
        share = dict(zip(reps.id.tolist(), (ratio.min() / ratio).tolist(), strict=True))
    options = {"n_territories": None if extra else job.n_territories, **job.options, **extra}
    end = monotonic() + seconds

    def design(tolerance: float) -> Alignment:
        left = max(end - monotonic(), _LEAST_S)
        balance = {WORK_AND_DRIVING: Balance(tolerance=tolerance, share=share), **job.others}
        return design_territories(customers, reps, balance=balance, time_limit_s=left, **options)

    narrow = part * job.goal
    if job.tolerance is not None:
        return as_balanced(design, (narrow, job.goal))
    try:
        return design(narrow)
    except InfeasibleError:
        # a goal is one of the workload, whose place the weights take, and goes by capacity
        posing = replace(job.customers, workload_s=weight * (_WHOLE / float(weight.sum())), measures={})
        if share is not None and reps is not None:
            own = np.ones(len(reps)) if reps.capacity_s is None else reps.capacity_s
            own = own * np.array(list(share.values()))
            reps = replace(reps, capacity_s=own * (_WEEK_S / own.max()))
        left = max(end - monotonic(), _LEAST_S)
        made = design_territories(posing, reps, time_limit_s=left, **options)
        return replace(made, customers=customers, balance={}, targets={})


def _bases(job: _Job, now: _Round, first: _Round, weight: FloatArray, done: int) -> tuple[Reps, dict[str, Any]]:
    """Return the reps of the next design, and options that keep each territory where it was.

    Reps with homes may change places for some rounds; a limit of reach is measured from their homes, so that they
    keep them. Territories without a rep each get one, in the middle.
    """
    if job.one_each and job.reps is not None:
        if done < _FREE_ROUNDS or job.options.get("reach_km") is not None:
            return job.reps, {}
        return replace(job.reps, lon=now.came.center_lon, lat=now.came.center_lat), {"centers": "homes"}
    lon, lat = now.came.center_lon.copy(), now.came.center_lat.copy()
    c = job.customers
    for j in range(len(lon)):
        rows = np.flatnonzero(now.came.territory_idx == j)
        if weight[rows].any():
            lon[j], lat[j] = mean_position(c.lon[rows], c.lat[rows], weight[rows])
    return Reps(id=first.alignment.territory_id, lon=lon, lat=lat), {"centers": "homes"}


def _judged(job: _Job, made: Alignment, first: _Round | None) -> _Round:
    """Return what driving an alignment leads to."""
    if job.one_each:
        true = replace(made, reps=job.reps, customers=job.customers)
    else:
        known = made if first is None else first.alignment
        true = replace(
            made, reps=job.reps, customers=job.customers, rep_idx=known.rep_idx, territory_id=known.territory_id
        )
    measure = work_and_driving(true, job.constants)
    total = np.bincount(made.territory_idx[made.territory_idx >= 0], measure[made.territory_idx >= 0], len(made))
    share = np.full(len(made), 1.0 / len(made))
    if job.one_each and job.reps is not None and job.reps.capacity_s is not None:
        share = job.reps.capacity_s[made.rep_idx] / job.reps.capacity_s.sum()
    target = share * total.sum()
    return _Round(made, true, measure, target, float((np.abs(total - target) / np.maximum(target, 1e-300)).max()))


def _per_territory(now: _Round, values: FloatArray) -> FloatArray:
    served = now.came.territory_idx >= 0
    return np.bincount(now.came.territory_idx[served], values[served], len(now.came)).astype(np.float64)


def _answer(job: _Job, best: _Round, *, timed_out: bool) -> Alignment:
    """Return the alignment of a round, balanced and measured by work and driving as they are in it."""
    if job.tolerance is not None and best.off > job.tolerance + 1e-9:
        message = (
            f"{WORK_AND_DRIVING}: the best alignment found leaves a territory {best.off:.2%} from its target, "
            f"more than {job.tolerance:.2%}"
        )
        hint = "Widen the balance, or give more rounds and time."
        reason = Problem("balance-not-reached", message, column=WORK_AND_DRIVING, hint=hint)
        raise InfeasibleError([reason], "no alignment was found within the hard limits")
    a, c = best.alignment, job.customers
    reached = max(job.goal, best.off * (1.0 + 1e-12))
    said = [p for p in a.diagnostics if not (p.code == "balance-loose" and p.column == WORK_AND_DRIVING)]
    if reached > job.goal:
        message = f"balanced within {reached:.1%}, not {job.goal:.0%}"
        said.append(Problem("balance-loose", message, column=WORK_AND_DRIVING))
    rows = np.flatnonzero(a.territory_idx >= 0)
    xyz, center = on_sphere(c.lon[rows], c.lat[rows]), on_sphere(a.center_lon, a.center_lat)
    weight, own = best.measure[rows], a.territory_idx[rows]
    total = max(float(weight.sum()), 1e-300)
    allowed = None if job.reps is None or not job.one_each else eligibility(c, job.reps)
    bound = power_bound(
        xyz, weight, best.target * max(1.0 - reached, 0.0), best.target * (1.0 + reached), center,
        eligible=None if allowed is None or allowed[rows].all() else allowed[rows][:, a.rep_idx],
    ) if len(rows) else 0.0  # fmt: skip
    made = replace(
        a,
        customers=replace(c, measures={**c.measures, WORK_AND_DRIVING: best.measure}),
        balance={WORK_AND_DRIVING: reached, **{n: t for n, t in a.balance.items() if n != WORK_AND_DRIVING}},
        targets={WORK_AND_DRIVING: best.target, **{n: t for n, t in a.targets.items() if n != WORK_AND_DRIVING}},
        rules=replace(a.rules, share={n: s for n, s in a.rules.share.items() if n != WORK_AND_DRIVING}),
        diagnostics=tuple(said),
        status=Status.TIME_LIMIT if timed_out else Status.FEASIBLE,
        objective=float(weight @ ((xyz - center[own]) ** 2).sum(axis=1)) / total,
        bound=bound / total,
    )
    check_alignment(made).raise_if_any(_SUBJECT)
    return made


def _limits(balance: object, problems: list[Problem]) -> tuple[float | None, dict[str, Any]]:
    """Return the tolerance of work and driving, None for a goal, and the limits of other measures."""
    if balance is None:
        return None, {}
    if is_number(balance):
        balance = {WORK_AND_DRIVING: balance}
    if not isinstance(balance, Mapping):
        message = f"balance: expected a share such as 0.05, or a mapping of measures, not {balance!r}"
        problems.append(Problem("bad-balance", message))
        return None, {}
    tolerance = balance.get(WORK_AND_DRIVING, DEFAULT_TOLERANCE)
    if not (is_number(tolerance) and 0 < tolerance <= 10):
        hint = "Write 0.05 for 5 %; the estimate changes with every customer, so that 0 cannot be kept."
        message = f"expected a share above 0 and up to 10, not {tolerance!r}"
        problems.append(Problem("bad-tolerance", message, WORK_AND_DRIVING, hint=hint))
        return None, {}
    return float(tolerance), {name: limit for name, limit in balance.items() if name != WORK_AND_DRIVING}
