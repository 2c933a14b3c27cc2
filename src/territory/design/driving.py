"""Territories that are balanced by work and driving together.

How long a visit takes is known; how long the way to it, only once there are territories. So they are designed,
their driving is estimated customer by customer, that becomes part of what each customer weighs, and they are designed
again, until the weights settle.
"""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.check import check_alignment
from territory.design.contiguity import read_contiguity
from territory.design.goal import design_by
from territory.errors import InputError, Problem
from territory.model.units import BasicUnits
from territory.model.workload import DEFAULT_SERVICE_S
from territory.travel.estimate import DAY_S, DriveConstants, drive_estimate, working_day_s
from territory.units import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["WORK_AND_DRIVING", "design_with_driving", "visit_work", "work_and_driving"]

#: The measure that says how long customers take, driving included: seconds a week.
WORK_AND_DRIVING: Final = "work_and_driving_s"
_SUBJECT = "design_with_driving"
#: Part of the change in weights that a round takes over, after the first: borders would swing to and fro otherwise.
_DAMPED: Final = 0.6
#: Weights have settled where no territory's sum is farther than this from the estimate of its own driving.
_SETTLED: Final = 0.01


def visit_work(customers: Customers) -> tuple[FloatArray, FloatArray]:
    """Return how long customers take without driving, and how often they are visited.

    Returns
    -------
    work_s : float array of shape (n,), seconds a week
        Visits times their length (half an hour where unknown) where intervals are known; else ``workload_s``.
    visits_per_week : float array of shape (n,)
        7 over the interval; else ``workload_s`` over the length of a visit.

    Raises
    ------
    InputError
        Neither intervals nor workload.
    """
    n = len(customers)
    service = np.full(n, DEFAULT_SERVICE_S) if customers.service_s is None else customers.service_s
    if customers.visit_interval_days is not None:
        visits = np.nan_to_num(7.0 / customers.visit_interval_days, nan=0.0)
        return visits * service, visits
    if customers.workload_s is not None:
        each = np.where(service > 0, service, DEFAULT_SERVICE_S)
        return customers.workload_s, customers.workload_s / each
    problem = Problem(
        "missing-column", "how often customers are visited, or how much work they are, is not known",
        column="visit_interval_days", hint="Add visit_interval_days and service_s, or workload_s.",
    )  # fmt: skip
    raise InputError([problem], _SUBJECT)


def work_and_driving(alignment: Alignment, constants: DriveConstants | None = None) -> FloatArray:
    """Estimate how long each customer takes in an alignment, visits and the driving that they add.

    Parameters
    ----------
    alignment : Alignment, n customers in k territories
        Reps drive from their homes, or from the centre of a territory that has no rep; days are as long as their
        shifts without the break (eight hours where unknown).
    constants : DriveConstants, optional
        From `territory.travel.calibration.fit_drive`, say.

    Returns
    -------
    float array of shape (n,), seconds a week
        Work alone for who is in no territory.

    Raises
    ------
    InputError
        Neither intervals nor workload.
    """
    a = alignment
    c, reps = a.customers, a.reps
    work, visits = visit_work(c)
    lon, lat = a.center_lon.copy(), a.center_lat.copy()
    day_s, speed = np.full(len(a), DAY_S), np.ones(len(a))
    held = np.flatnonzero(a.rep_idx >= 0)
    if reps is not None:
        rep = a.rep_idx[held]
        lon[held], lat[held], day_s[held] = reps.lon[rep], reps.lat[rep], working_day_s(reps)[rep]
        if reps.speed_factor is not None:
            speed[held] = reps.speed_factor[rep]
    service = np.full(len(c), DEFAULT_SERVICE_S) if c.service_s is None else c.service_s
    found = drive_estimate(
        c.lon, c.lat, a.territory_idx, lon, lat, service_s=service, day_s=day_s, area=c.area, constants=constants
    )
    return np.asarray(work + visits * found.each_s / np.append(speed, 1.0)[a.territory_idx])


def design_with_driving(
    customers: Customers | BasicUnits,
    reps: Reps | None = None,
    *,
    n_territories: int | None = None,
    balance: float | Mapping[str, Any] | None = None,
    constants: DriveConstants | None = None,
    rounds: int = 5,
    contiguous: Any = True,
    barriers: Any = None,
    bridges: Iterable[tuple[str, str]] = (),
    islands: Any = None,
    time_limit_s: float = 30.0,
    rng: int | np.random.Generator | None = 0,
    **options: Any,
) -> Alignment:
    """Partition customers into territories that are balanced by visits and the driving between them.

    Parameters
    ----------
    customers : Customers or BasicUnits, length n
        With ``visit_interval_days`` (and ``service_s``), or else ``workload_s``.
    reps : Reps, optional
        One territory each. Driving begins at their homes; without reps, in the middle of the territories.
    n_territories : int, optional
    balance : float, or mapping of measure to limit, optional
        Of work and driving, 0.05 for +-5 %; or a mapping as of `design_territories` that may name
        ``"work_and_driving_s"`` and other measures; without that name it comes first, within 10 %. Default: within
        10 %, as far as possible.
    constants : DriveConstants, optional
        Of the estimate. Those of the papers are too low by a quarter or so where visits have intervals and opening
        hours; `territory.travel.calibration.fit_drive` fits them to routes.
    rounds : int
        1 to 20: how often territories are designed at most.
    contiguous, barriers, bridges, islands, rng, **options
        As of `design_territories`.
    time_limit_s : float
        Seconds for all rounds.

    Returns
    -------
    Alignment
        ``.customers.measures["work_and_driving_s"]`` is what it was balanced by, seconds a week. Where the weights
        did not settle, ``.diagnostics`` says how far a territory is from the estimate of its own driving.

    Raises
    ------
    InputError
        Every broken rule at once; neither intervals nor workload.
    InfeasibleError
        As of `design_territories`.

    Notes
    -----
    Marginal driving of a visit: the way from the one before it, by the density of customers around, and its share of
    the way from home and back (Daganzo 1984; see `territory.travel.estimate`). Two to five designs.

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
    began = monotonic()
    problems: list[Problem] = []
    if isinstance(rounds, bool) or not isinstance(rounds, (int, np.integer)) or not 1 <= rounds <= 20:
        problems.append(Problem("bad-count", f"rounds: expected a whole number from 1 to 20, not {rounds!r}"))
    if not (is_number(time_limit_s) and time_limit_s > 0):
        problems.append(Problem("bad-time-limit", f"expected time_limit_s > 0, not {time_limit_s!r}"))
    limits = _limits(balance)
    table = customers.to_customers() if isinstance(customers, BasicUnits) else customers
    try:
        weight, _ = visit_work(table)
        if len(table) and not weight.any():
            problems.append(Problem("no-workload", "no visits are due, so that there is no work to balance"))
    except InputError as error:
        problems += error.problems
    graph = read_contiguity(customers, contiguous, barriers, bridges, islands, problems)
    if problems:
        raise InputError(problems, _SUBJECT)
    seed = int(rng.integers(2**62)) if isinstance(rng, np.random.Generator) else rng
    best: tuple[float, Alignment] | None = None
    for done in range(rounds):
        left = time_limit_s - (monotonic() - began)
        if best is not None and left <= 0:
            break
        made = design_by(
            table, reps, WORK_AND_DRIVING, weight, limits, n_territories=n_territories,
            contiguous=False if graph is None else graph, rng=seed, **options,
            # the first design balances no driving yet, and need not be a good one
            time_limit_s=max(left, 1e-3) / (rounds - done) if left < time_limit_s or rounds > 1 else left,
        )  # fmt: skip
        found = work_and_driving(made, constants)
        off = _unsettled(made, weight, found)
        # without driving in its weights, the first is an answer only where nothing is driven
        if best is None or off < best[0] or done == 1:
            best = off, made
        if off <= _SETTLED:
            break
        weight = found if done == 0 else weight + _DAMPED * (found - weight)
    assert best is not None  # noqa: S101 - at least one round
    return _answer(*best)


def _limits(balance: float | Mapping[str, Any] | None) -> Any:
    """Return limits in which work and driving have a say, whatever was left out."""
    if balance is None:
        return None
    if is_number(balance):
        return {WORK_AND_DRIVING: balance}
    if hasattr(balance, "items") and WORK_AND_DRIVING not in balance:
        return {WORK_AND_DRIVING: 0.10, **balance}
    return balance


def _unsettled(made: Alignment, used: FloatArray, found: FloatArray) -> float:
    """Return how far weights are from the estimate in the territories that they led to: the largest share of a sum."""
    served = made.territory_idx >= 0
    of = made.territory_idx[served]
    before, after = (np.bincount(of, values[served], len(made)) for values in (used, found))
    # what all weights have too much or too little of moves no border
    after = after * (before.sum() / max(after.sum(), 1e-300))
    share = np.divide(np.abs(after - before), before, out=np.zeros(len(made)), where=before > 0)
    return float(share.max(initial=0.0))


def _answer(off: float, made: Alignment) -> Alignment:
    if off <= _SETTLED:
        return made
    message = f"a territory is {off:.1%} from the estimate of its own driving when the last round ended"
    loose = Problem("driving-not-settled", message, WORK_AND_DRIVING, hint="More rounds, or more time, may help.")
    return replace(made, diagnostics=(*made.diagnostics, loose))
