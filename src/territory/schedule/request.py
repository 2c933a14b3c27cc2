"""What was asked of a plan, read and checked before anything is solved."""

from __future__ import annotations

import os
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from territory.errors import MAX_ROWS_LISTED, InputError, Problem
from territory.model.alignment import Alignment
from territory.model.customers import Customers
from territory.model.holidays import with_rep_holidays
from territory.model.nights import Hotels
from territory.model.plan import Plan
from territory.model.policies import POLICIES, read_policies
from territory.model.reps import Reps
from territory.model.settings import MAX_WEEKS, PlanSettings, as_day
from territory.model.visits import Visits
from territory.travel import Travel, default_travel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.model.arrays import BoolArray

__all__ = ["free_drivers", "read_request"]

_DEAREST = 1e9
_YEAR_S = 366 * 86_400


def read_request(
    customers: Customers,
    reps: Reps,
    alignment: Alignment | None,
    *,
    start: object,
    weeks: object = 4,
    travel: Travel | None = None,
    holidays: Any = (),
    tolerance: Any = 0.25,
    default_shift: Any = "Mo-Fr 08:00-17:00",
    default_service_s: Any = 1800,
    time_limit_s: object = 600.0,
    iterations: object = None,
    rng: object = 0,
    n_jobs: object = 1,
    visits: object = None,
    previous: object = None,
    change_price_s: object = 0.0,
    weekday_price_s: object = 0.0,
    time_price_s: object = 0.0,
    overload: object = "value",
    worth: object = None,
    usual_worth: object = None,
    objective: object = "driving",
    hotels: object = None,
    designs: bool = False,
    **policies: Any,
) -> tuple[PlanSettings, Travel, int]:
    """Check everything that was asked, and raise one `InputError` with all that is wrong.

    Parameters
    ----------
    customers, reps, alignment, ...
        As for `territory.schedule_visits`.
    designs : bool
        Whether territories will be designed where there is no alignment.

    Returns
    -------
    PlanSettings, Travel
    int
        Number of processes.
    """
    problems = wrong_types(customers, reps, alignment, travel, visits, previous, hotels)
    if problems:
        raise InputError(problems, "schedule_visits")
    if len(customers) == 0:
        problems.append(Problem("no-customers", "there are no customers to visit"))
    if len(reps) == 0:
        problems.append(Problem("no-reps", "the table of reps is empty"))
    unknown = sorted(set(policies) - set(POLICIES) | {"stretch"} & set(policies))
    if unknown:
        msg = f"schedule_visits() got an unexpected keyword argument {unknown[0]!r}"
        raise TypeError(msg)
    problems += _options(customers, reps, overload, worth, objective)
    if usual_worth is not None and (not isinstance(usual_worth, Real) or not 0 < float(usual_worth) < np.inf):
        problems.append(Problem("bad-worth", f"expected usual_worth > 0, not {usual_worth!r}"))
    problems += _wrong_nights(reps, hotels, policies.get("nights", "never"), objective)
    problems += _strangers(customers, reps, read_policies(policies)[0])
    problems += _prices(change_price_s=change_price_s, weekday_price_s=weekday_price_s, time_price_s=time_price_s)
    if alignment is None and len(reps) > 1 and not designs and not policies.get("shared"):
        problems.append(
            Problem("missing-alignment", "several reps need an alignment", hint="Call design_territories, or plan.")
        )
    if alignment is not None and not (alignment.customers is customers or alignment.customers.equals(customers)):
        problems.append(Problem("other-customers", "the alignment is of other customers"))
    if alignment is not None and (alignment.reps is None or not alignment.reps.equals(reps)):
        problems.append(Problem("other-reps", "the alignment is of other reps, or of none"))
    problems += _effort(time_limit_s, iterations, rng, n_jobs)
    n_weeks = 1
    if _is_whole(weeks) and 1 <= weeks <= MAX_WEEKS:
        n_weeks = int(weeks)
    else:
        message = f"weeks: expected a whole number from 1 to {MAX_WEEKS}, not {weeks!r}"
        problems.append(Problem("empty-horizon", message))
    source = default_travel() if travel is None else travel
    first = np.datetime64("2001-01-01")
    try:
        first = as_day(start)
    except InputError as error:
        problems += error.problems
    try:
        settings = PlanSettings(
            first, 7 * n_weeks, holidays, default_shift=default_shift, default_service_s=default_service_s,
            tolerance=tolerance, travel=source.fingerprint, **policies,
        )  # fmt: skip
        settings = with_rep_holidays(settings, reps)
    except InputError as error:
        problems += error.problems
    if problems:
        raise InputError(problems, "schedule_visits")
    jobs = int(n_jobs) if _is_whole(n_jobs) and n_jobs > 0 else os.cpu_count() or 1
    return settings, source, min(len(reps), jobs)


def _options(customers: Customers, reps: Reps, overload: object, worth: object, objective: object) -> list[Problem]:
    """Return what is wrong with the choices of words and measures."""
    problems = []
    for name, value, words in (
        ("overload", overload, ("value", "stretch")), ("objective", objective, ("driving", "cost")),
    ):  # fmt: skip
        if value not in words:
            problems.append(Problem("unknown-option", f"{name}: expected {' or '.join(words)}, not {value!r}"))
    problems += _no_measure(customers, "worth", worth)
    if objective == "cost" and len(reps) and drives_free(reps).all():
        hint = "Give reps a cost_per_hour or a cost_per_km."
        problems.append(Problem("no-rates", "objective='cost', but driving costs nothing", hint=hint))
    return problems


def drives_free(reps: Reps) -> BoolArray:
    """Return whose driving costs nothing, neither by the hour nor by the kilometre; shape (r,)."""
    rates = [rate for rate in (reps.cost_per_hour, reps.cost_per_km) if rate is not None]
    return np.all([rate == 0 for rate in rates], axis=0) if rates else np.ones(len(reps), np.bool_)


def free_drivers(reps: Reps, objective: str) -> list[Problem]:
    """Warn of reps whose driving costs nothing: any route is as good as another for them."""
    rows = np.flatnonzero(drives_free(reps)) if objective == "cost" else np.zeros(0, np.int64)
    if rows.size == 0:
        return []
    first = tuple(int(i) for i in rows[:MAX_ROWS_LISTED])
    message = "objective='cost', and driving costs nothing: routes may be any"
    hint = "Maybe a cost_per_hour or a cost_per_km was forgotten?"
    return [Problem("free-driving", message, "cost_per_hour, cost_per_km", int(rows.size), first, hint)]


def _wrong_nights(reps: Reps, hotels: Any, nights: object, objective: object) -> list[Problem]:
    """Return what nights away lack: what they save and what they cost has to be known."""
    problems = []
    if nights == "allowed" and objective != "cost":
        hint = "Pass objective='cost', and give reps a cost_per_hour or a cost_per_km."
        problems.append(Problem("nights-without-cost", "nights='allowed' weighs nights against driving", hint=hint))
    if nights == "allowed" and reps.hotel_cost is None:
        lacking = hotels is None or len(hotels) == 0 or hotels.cost is None
        unknown = np.zeros(0, bool) if lacking else np.isnan(hotels.cost)
        if lacking or unknown.any():
            message = "what a night costs is not known" if lacking else "some hotels have no cost"
            hint = "Give reps a hotel_cost, or hotels a cost."
            problems.append(Problem("no-night-price", message, "hotel_cost", max(1, int(unknown.sum())), hint=hint))
    if nights == "never" and hotels is not None:
        problems.append(Problem("hotels-unused", "hotels, but no nights away", hint="Pass nights='allowed'."))
    return problems


def _strangers(customers: Customers, reps: Reps, policies: Mapping[str, Any]) -> list[Problem]:
    """Return the names in policies that nobody and nothing has, of those policies whose form is right."""
    cover, sets = policies.get("cover", {}), policies.get("day_sets", {})
    problems = _no_measure(customers, "load", policies.get("load"))
    covering = {rep for names in cover.values() for rep in names}
    problems += _unknown("unknown-rep", "cover: no such rep", {*cover, *covering} - set(reps.id.tolist()))
    problems += _unknown("unknown-customer", "day_sets: no such customer", set(sets) - set(customers.id.tolist()))
    return problems


def _no_measure(customers: Customers, name: str, value: object) -> list[Problem]:
    if value is None or (isinstance(value, str) and value in customers.measures):
        return []
    there = ", ".join(customers.measures) or "none"
    return [Problem("unknown-measure", f"{name}: customers have no measure {value!r}; there is {there}")]


def _unknown(code: str, message: str, names: set[str]) -> list[Problem]:
    listed = ", ".join(repr(name) for name in sorted(names)[:5])
    return [Problem(code, f"{message}: {listed}", count=len(names))] if names else []


def _prices(**prices: object) -> list[Problem]:
    return [
        Problem("bad-price", f"{name}: expected seconds of driving, 0 <= {name} < {_DEAREST:g}, not {value!r}")
        for name, value in prices.items()
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) < _DEAREST
    ]


def wrong_types(
    customers: object, reps: object, alignment: object, travel: object, visits: object = None, previous: object = None,
    hotels: object = None,
) -> list[Problem]:  # fmt: skip
    """Return a problem for each argument that is no such thing."""
    wanted: tuple[tuple[str, object, type, bool], ...] = (
        ("customers", customers, Customers, False),
        ("reps", reps, Reps, False),
        ("alignment", alignment, Alignment, True),
        ("travel", travel, Travel, True),
        ("visits", visits, Visits, True),
        ("previous", previous, Plan, True),
        ("hotels", hotels, Hotels, True),
    )
    return [
        Problem("wrong-type", f"{name}: expected {kind.__name__}, not {type(value).__name__}")
        for name, value, kind, optional in wanted
        if not (isinstance(value, kind) or (optional and value is None))
    ]


def _effort(time_limit_s: object, iterations: object, rng: object, n_jobs: object) -> list[Problem]:
    problems = []
    if not isinstance(time_limit_s, Real) or not 0 < float(time_limit_s) <= _YEAR_S:
        problems.append(Problem("bad-time-limit", f"expected 0 < time_limit_s <= a year, not {time_limit_s!r}"))
    if iterations is not None and (not _is_whole(iterations) or iterations < 0):
        problems.append(Problem("bad-iterations", f"expected a whole number >= 0, not {iterations!r}"))
    if rng is not None and (not _is_whole(rng) or rng < 0):
        problems.append(Problem("bad-rng", f"rng: expected a whole number >= 0, not {rng!r}"))
    if not _is_whole(n_jobs) or (n_jobs < 1 and n_jobs != -1):
        problems.append(Problem("bad-n-jobs", f"expected n_jobs >= 1, or -1 for one a core, not {n_jobs!r}"))
    return problems


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
