"""Single days of reps: what is asked, and the tasks it falls into."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

import territory
from territory.batch.buffers import pack, pack_table
from territory.batch.request import Digests, digest_of
from territory.batch.tasks import Task, task_seed
from territory.errors import InputError, Problem
from territory.model.settings import PlanSettings, as_day
from territory.travel import default_travel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from territory.model import Customers, Plan, Reps
    from territory.model.arrays import DayArray, IdxArray
    from territory.travel import Travel

__all__ = ["DayRequest"]


@dataclass(frozen=True, eq=False)
class DayRequest:
    """Single days of reps, each routed by itself: what `territory.route_day` does, thousands of times.

    Attributes
    ----------
    customers, reps : Customers, Reps
    rep_idx, customer_idx : int arrays of shape (c,)
        Candidates: who is to be visited by whom, as far as that fits the day.
    day : datetime64[D] array of shape (c,)
        And when.
    travel : Travel, optional
    holidays, default_shift, default_service_s
        See `route_day`.
    rng : int
        Seed of the run.
    """

    customers: Customers
    reps: Reps
    rep_idx: Sequence[int] | IdxArray
    day: Sequence[object] | DayArray
    customer_idx: Sequence[int] | IdxArray
    travel: Travel | None = None
    holidays: Iterable[object] = ()
    default_shift: str = "Mo-Fr 08:00-17:00"
    default_service_s: int = 1800
    rng: int = 0
    _inputs: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    kind = "days"

    @classmethod
    def from_plan(cls, plan: Plan, *, first: object = None, last: object = None, **options: Any) -> DayRequest:
        """Return the request to route the days of a plan anew, each with its own visits.

        Parameters
        ----------
        plan : Plan
        first, last : day-like, optional
            Only days from then, until then.
        **options
            Of the request.
        """
        s = plan.stops
        some = np.ones(len(s), np.bool_) if s.remote is None else ~s.remote
        if first is not None:
            some &= s.day >= as_day(first, "first")
        if last is not None:
            some &= s.day <= as_day(last, "last")
        own = {"default_shift": plan.settings.default_shift, "default_service_s": plan.settings.default_service_s,
               "holidays": plan.settings.holidays}  # fmt: skip
        return cls(
            plan.customers, plan.reps, s.rep_idx[some], s.day[some], s.customer_idx[some], **{**own, **options}
        )  # fmt: skip

    @property
    def source(self) -> Travel:
        """Where travel times come from."""
        return default_travel() if self.travel is None else self.travel

    @property
    def inputs(self) -> dict[str, str]:
        """Digests of what was asked, by name; known after `tasks`."""
        return dict(self._inputs)

    def tasks(self) -> list[Task]:
        """Check the request, and split it into one task a rep and day.

        Raises
        ------
        InputError
            Every broken rule at once.
        """
        rep, customer = np.asarray(self.rep_idx), np.asarray(self.customer_idx)
        day = np.asarray(self.day, "datetime64[D]")
        self._refuse(rep, customer, day)
        settings = PlanSettings(
            np.datetime64("2001-01-01"), 1, np.array(list(self.holidays), "M8[D]"), default_shift=self.default_shift,
            default_service_s=self.default_service_s,
        )  # fmt: skip
        options = {
            "holidays": [str(d) for d in settings.holidays], "default_shift": settings.default_shift,
            "default_service_s": settings.default_service_s,
        }  # fmt: skip
        digests = Digests()
        for name, value in (("options", options), ("travel", self.source.fingerprint), ("seed", self.rng)):
            digests.add(name, json.dumps(value, sort_keys=True).encode())
        tasks = []
        if len(rep):
            order = np.lexsort((customer, rep, day))
            cuts = np.flatnonzero(np.diff(rep[order]) | (np.diff(day[order].astype(np.int64)) != 0)) + 1
            for part in np.split(order, cuts):
                rows = np.unique(customer[part])
                tasks.append(self._task(int(rep[part[0]]), day[part[0]], rows, options, digests))
        self._inputs.clear()
        self._inputs.update(digests.texts(), version=territory.__version__, kind=self.kind)
        return tasks

    def _refuse(self, rep: Any, customer: Any, day: Any) -> None:
        problems = []
        if not len(rep) == len(customer) == len(day):
            lengths = f"rep_idx {len(rep)}, customer_idx {len(customer)}, day {len(day)}"
            problems.append(Problem("unequal-lengths", f"columns of unequal length: {lengths}"))
        for name, values, table in (("rep_idx", rep, self.reps), ("customer_idx", customer, self.customers)):
            if len(values) and (values.dtype.kind not in "iu" or values.min() < 0 or values.max() >= len(table)):
                problems.append(Problem("unknown-row", f"{name}: expected positions from 0 to {len(table) - 1}"))
        if np.isnat(day).any():
            problems.append(Problem("missing-value", "day: missing", count=int(np.isnat(day).sum())))
        if problems:
            raise InputError(problems, "days")

    def _task(self, rep: int, day: np.datetime64, rows: IdxArray, options: dict[str, Any], digests: Digests) -> Task:
        head: dict[str, Any] = {"kind": self.kind, "options": options, "day": str(day)}
        arrays: dict[str, Any] = {}
        key = f"rep {self.reps.id[rep]} {day}"
        for name, table, some in (("customers", self.customers, rows), ("reps", self.reps, np.array([rep]))):
            its_head, its_arrays = pack_table(table, some, name)
            digests.add(name, pack(its_head, its_arrays))
            head[name] = its_head
            arrays |= its_arrays
        digests.add("days", key.encode("utf-8", "surrogatepass"))
        payload = pack(head, arrays)
        return Task(key, payload, digest_of(payload, self.source, self.rng), float(len(rows)), task_seed(self.rng, key))
