"""Tonight: a configuration, its tables and what earlier nights have left behind become a request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import territory
from territory.batch.config_travel import travel_of
from territory.batch.request import MonthRequest
from territory.batch.rollover import Nights, alignment_as_before, first_day, is_night, last_visits, plan_of_night
from territory.batch.run import RESULTS
from territory.errors import InputError, Problem
from territory.io.plans import read_plan
from territory.io.tables import read_customers, read_reps, read_visits
from territory.model.enums import VisitKind
from territory.model.settings import as_day

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.batch.config import NightConfig
    from territory.model import Alignment, Customers, Plan, Reps, Visits

__all__ = ["Night", "prepare"]

#: Keys of the table of the plan that are parameters of the request itself.
_OWN: Final = ("weeks", "seed")


@dataclass(frozen=True, slots=True)
class Night:
    """What is to be planned tonight.

    Attributes
    ----------
    first, last : datetime64[D]
        Horizon.
    folder : Path
        Of this night.
    previous : Path or None
        Where the previous plan lies.
    request : MonthRequest
    warnings : tuple of (subject, Problem)
    """

    first: np.datetime64
    last: np.datetime64
    folder: Path
    previous: Path | None
    request: MonthRequest
    warnings: tuple[tuple[str, Problem], ...]


def prepare(config: NightConfig, *, date: str | None = None, since: str | None = None) -> Night:
    """Read all that a night needs.

    Parameters
    ----------
    config : NightConfig
    date : str, optional
        What counts as today: the plan begins on the day after.
    since : str, optional
        First day of the plan. Default: tomorrow.

    Raises
    ------
    InputError
        Tables that cannot be read or break rules: of all of them, at once.
    """
    customers, reps, visits = _tables(config)
    problems: list[Problem] = []
    day = _attempt(problems, "--date", lambda: None if date is None else as_day(date, "--date"))
    start = _attempt(problems, "--since", lambda: None if since is None else as_day(since, "--since"))
    if problems:
        raise InputError(problems, "command line")
    first = first_day(reps, zone=config["timezone"], date=day) if start is None else start
    last = first + np.timedelta64(7 * config["plan.weeks"] - 1, "D")
    nights = Nights(config["out"])
    folder = nights.of(first)
    _refuse_foreign(folder)
    source = _source_of(config, nights, first)
    freeze = config["previous.freeze_days"]
    days = (first, first + np.timedelta64(freeze - 1, "D")) if freeze else None
    previous = None if source is None else plan_of_night(source, customers, reps, visits, freeze=days)
    if previous is not None and customers.last_visit is None:
        customers = _visited(customers, previous, source, nights, first, visits)
    alignment = _attempt(problems, "territories", lambda: _territories(config, customers, reps))
    travel = _attempt(problems, "travel", lambda: travel_of(config, reps))
    if problems:
        raise InputError(problems, f"configuration {config.path.name}")
    options = {name: value for name, value in config.section("plan").items() if name not in _OWN}
    request = MonthRequest(
        customers, reps, alignment, start=first, weeks=config["plan.weeks"], travel=travel,
        # of an earlier night, the plan has today's table: what it has promised of it holds
        visits=visits if previous is None or not is_night(source or nights.folder) else None,
        previous=previous, rng=config["plan.seed"],
        options={**options, "shared": config["territories.from"] == "shared"},
    )  # fmt: skip
    tables = (customers, reps) if visits is None else (customers, reps, visits)
    warnings = tuple((table.subject, problem) for table in tables for problem in table.diagnostics)
    return Night(first, last, folder, source, request, warnings)


def _attempt(problems: list[Problem], subject: str, read: Callable[[], Any]) -> Any:
    """Return what a function reads; of an `InputError`, keep what it found, with where."""
    try:
        return read()
    except InputError as error:
        where = error.subject if subject in error.subject else f"{subject}: {error.subject}"
        problems += [replace(p, message=f"{where}: {p}", column=None, rows=(), count=p.count) for p in error.problems]
        return None


def _tables(config: NightConfig) -> tuple[Customers, Reps, Visits | None]:
    problems: list[Problem] = []
    options = {name: config[f"tables.{name}"] for name in ("preset", "columns", "measures")}
    customers = _attempt(problems, "customers", lambda: read_customers(config["tables.customers"], **options))
    reps = _attempt(problems, "reps", lambda: read_reps(config["tables.reps"]))
    file = config["tables.visits"]
    visits = None if file is None else _attempt(problems, "visits", lambda: read_visits(file))
    if visits is not None and customers is not None and reps is not None:
        _attempt(problems, "visits", lambda: customers.positions(visits.customer_id))
        by = [column for column in (visits.rep_id, visits.second_rep_id) if column is not None]
        _attempt(problems, "visits", lambda: [reps.positions(column[column != ""]) for column in by])
    if problems:
        raise InputError(problems, f"tables of {config.path.name}")
    return customers, reps, visits


def _refuse_foreign(folder: Path) -> None:
    if (folder / RESULTS).exists() and not is_night(folder):
        message = f"{folder / RESULTS} is there, and not by this program"
        raise InputError([Problem("foreign-folder", message, hint="Choose another folder as out.")], "configuration")


def _source_of(config: NightConfig, nights: Nights, first: np.datetime64) -> Path | None:
    """Return where the previous plan lies."""
    use = config["previous.use"]
    if use == "none":
        return None
    if use == "auto":
        before = nights.before(first)
        return nights.of(before[-1]) if before else None
    path: Path = config.path.parent / Path(use).expanduser()
    if not path.is_dir():
        message = f"expected auto, none, or a folder that is there, not {use!r}"
        raise InputError([Problem("no-such-folder", message, "previous.use")], f"configuration {config.path.name}")
    return path


def _visited(
    customers: Customers, previous: Plan, source: Path | None, nights: Nights, first: np.datetime64,
    visits: Visits | None,
) -> Customers:  # fmt: skip
    """Return customers with their last visits: those that earlier plans had before tonight's first day."""
    if source is not None and source.parent == nights.folder and is_night(source):
        events: set[str] = set()
        if visits is not None and visits.kind is not None:
            events = set(visits.id[visits.kind == VisitKind.EVENT].tolist())
        return last_visits(customers, nights, first, events)
    made = previous.as_made(first)
    if made.last_visit is None:
        return customers
    last = dict(zip(made.id.tolist(), made.last_visit, strict=True))
    days = np.array([last.get(name, np.datetime64("NaT", "D")) for name in customers.id.tolist()], "M8[D]")
    return replace(customers, last_visit=days)


def _territories(config: NightConfig, customers: Customers, reps: Reps) -> Alignment | None:
    source = config["territories.from"]
    if source == "plan":
        before = read_plan(config["territories.plan"]).alignment
        if before is None:
            raise InputError([Problem("no-territories", "the plan has no territories")], "territories.plan")
        return alignment_as_before(before, customers, reps)
    if source == "shared" or (len(reps) == 1 and customers.owner is None):
        return None
    return territory.Alignment.from_owners(customers, reps)
