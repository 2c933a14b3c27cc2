"""What a batch is asked for, and how it falls into tasks that know nothing of each other."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import dataclass, field
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

import territory
from territory.batch.buffers import pack, pack_table
from territory.batch.previous import pack_previous, promised_links
from territory.batch.tasks import Task, task_digest, task_seed
from territory.errors import InputError, Problem
from territory.model.arrays import NO_IDX
from territory.schedule.request import read_request
from territory.schedule.teams import teams_of
from territory.travel import default_travel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from territory.model import Alignment, Customers, Hotels, Plan, Reps, Visits
    from territory.model.arrays import IdxArray
    from territory.model.settings import PlanSettings
    from territory.travel import Travel

__all__ = ["MonthRequest"]

#: Options of `schedule_visits` that say how it runs, not what it plans.
_NOT_HERE = ("n_jobs", "on_progress", "time_limit_s")
#: Options that reach `schedule_visits` as they are, and those that the settings have read.
_GIVEN = ("change_price_s", "weekday_price_s", "time_price_s", "overload", "worth", "objective", "iterations")
_READ = (
    "hot_days", "warm_days", "cold_detour_s", "follow_up_days", "remote", "service_by_kind", "cover", "shared", "load",
    "nights", "day_sets", "holidays", "tolerance", "default_shift", "default_service_s",
)  # fmt: skip


#: Key of the task of customers whom nobody serves.
NOBODY = "nobody"


class Digests:
    """Digests of the sections of a request, fed task by task, so that what changed can be named."""

    def __init__(self) -> None:
        self._of: dict[str, Any] = {}

    def add(self, section: str, data: bytes) -> None:
        if section not in self._of:
            self._of[section] = hashlib.blake2b(digest_size=16)
        self._of[section].update(len(data).to_bytes(8, "little") + data)

    def texts(self) -> dict[str, str]:
        return {name: found.hexdigest() for name, found in sorted(self._of.items())}


@dataclass(frozen=True, eq=False)
class MonthRequest:
    """Every rep's visits and routes over some weeks: what `territory.schedule_visits` plans, rep by rep.

    Attributes
    ----------
    customers, reps : Customers, Reps
    alignment : Alignment, optional
        Who serves whom; may be left out where there is only one rep.
    start : day-like
    weeks : int
    travel : Travel, optional
        Has to pickle; every worker gets it.
    visits : Visits, optional
    previous : Plan, optional
        Yesterday's plan: what it has promised stays, and the rest is where planning begins.
    hotels : Hotels, optional
    rng : int
        Seed of the run. `schedule_visits` mixes it with the homes of the reps, so each board has its own, and the
        plan is that of one call for all of them: the same stops, routes and reasons. Only what would let in a visit
        that is not planned is looked for among its own reps.
    options : mapping
        Further options of `schedule_visits`: holidays, tolerance, iterations, objective, nights, ...
    """

    customers: Customers
    reps: Reps
    alignment: Alignment | None = None
    start: object = None
    weeks: int = 4
    travel: Travel | None = None
    visits: Visits | None = None
    previous: Plan | None = None
    hotels: Hotels | None = None
    rng: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    #: Filled by `tasks`.
    _inputs: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    kind = "months"

    def tasks(self) -> list[Task]:
        """Check the request, and split it into one task a rep, or one for the reps who share visits.

        Raises
        ------
        InputError
            Every broken rule at once.
        """
        settings = self._settings()
        rep_of = self._rep_of()
        groups = self._groups(settings, rep_of)
        digests = Digests()
        worth = self.options.get("worth")
        usual = self.options.get("usual_worth")
        if usual is None and worth is not None:
            values = self.customers.measures[worth].tolist()
            usual = fsum(values) / len(values)
        options = self._plain_options(settings, usual)
        for name, value in (("options", options), ("travel", self.source.fingerprint), ("seed", self.rng)):
            digests.add(name, json.dumps(value, sort_keys=True, default=str).encode())
        tasks = [
            self._task(key, reps, rows, visits, options, digests) for key, reps, rows, visits in groups
        ]  # fmt: skip
        self._inputs.clear()
        self._inputs.update(digests.texts(), version=territory.__version__, kind=self.kind)
        return tasks

    @property
    def source(self) -> Travel:
        """Where travel times come from."""
        return default_travel() if self.travel is None else self.travel

    @property
    def inputs(self) -> dict[str, str]:
        """Digests of what was asked, by name; known after `tasks`."""
        return dict(self._inputs)

    def _settings(self) -> PlanSettings:
        wrong = [name for name in _NOT_HERE if name in self.options]
        if wrong:
            listed = ", ".join(wrong)
            raise InputError([Problem("unknown-option", f"options of the batch, not of a plan: {listed}")], "batch")
        settings, _, _ = read_request(
            self.customers, self.reps, self.alignment, start=self.start, weeks=self.weeks, travel=self.travel,
            visits=self.visits, previous=self.previous, hotels=self.hotels, rng=self.rng, **self.options,
        )  # fmt: skip
        return settings

    def _rep_of(self) -> IdxArray:
        if self.alignment is None:
            return np.zeros(len(self.customers), np.int32)
        return self.alignment.customer_rep_idx

    def _groups(self, settings: PlanSettings, rep_of: IdxArray) -> list[tuple[str, IdxArray, IdxArray, IdxArray]]:
        """Return key, reps, customers and single visits of each task."""
        n, r = len(self.customers), len(self.reps)
        links = [(team[0], rep) for team in teams_of(self.reps, settings, []) for rep in team]
        owner = rep_of.astype(np.int64)
        visit_at = np.empty(0, np.int64)
        # customers of nobody are places of their own, until a single visit ties them to a rep
        nobody = np.flatnonzero(owner == NO_IDX)
        place = owner.copy()
        place[nobody] = r + np.arange(len(nobody))
        if settings.shared and len(nobody):
            links += [(0, rep) for rep in range(r)] + [(0, int(p)) for p in place[nobody]]
        if self.visits is not None:
            visit_at = place[self.customers.positions(self.visits.customer_id)]
            for column in (self.visits.rep_id, self.visits.second_rep_id):
                if column is not None:
                    named = np.flatnonzero(column != "")
                    links += list(
                        zip(visit_at[named].tolist(), self.reps.positions(column[named]).tolist(), strict=True)
                    )
        if self.previous is not None:
            links += promised_links(self.previous, self.customers, self.reps, settings, place)
        a, b = np.array(links, np.int64).reshape(-1, 2).T
        size = r + len(nobody)
        graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(size, size))
        _, label = connected_components(graph, directed=False)
        # whoever is tied to no rep is refused, all of them in one task
        adrift = ~np.isin(label, label[:r])
        label[adrift] = -1
        return self._cut(label, place, visit_at, n, r)

    def _cut(
        self, label: Any, place: Any, visit_at: Any, n: int, r: int
    ) -> list[tuple[str, IdxArray, IdxArray, IdxArray]]:
        rows_of = _by_label(label[place], np.arange(n))
        reps_of = _by_label(label[:r], np.arange(r))
        visits_of = _by_label(label[visit_at], np.arange(len(visit_at)))
        none = np.empty(0, np.int32)
        groups = []
        for one, reps in reps_of.items():
            rows = rows_of.get(one, none)
            if len(rows):
                names = sorted(self.reps.id[reps].tolist())
                key = f"rep {names[0]}" if len(names) == 1 else f"team {names[0]} +{len(names) - 1}"
                groups.append((key, reps, rows, visits_of.get(one, none)))
        if -1 in rows_of:
            # a plan has reps, even one without routes
            groups.append((NOBODY, np.zeros(1, np.int32), rows_of[-1], visits_of.get(-1, none)))
        return groups

    def _plain_options(self, settings: PlanSettings, usual: float | None) -> dict[str, Any]:
        kept = settings.to_dict()
        given = {
            name: value for name, value in self.options.items()
            if name in _GIVEN
        }  # fmt: skip
        policies = {name: kept[name] for name in _READ}
        return {
            **policies, **given, "start": str(settings.start), "weeks": int(self.weeks), "rng": int(self.rng or 0),
            "usual_worth": usual,
        }  # fmt: skip

    def _task(
        self, key: str, reps: IdxArray, rows: IdxArray, visits: IdxArray, options: dict[str, Any], digests: Digests
    ) -> Task:
        own = self._own_options(options, reps, rows)
        head: dict[str, Any] = {"kind": self.kind, "options": own, "nobody": key == NOBODY}
        arrays: dict[str, Any] = {}
        sections = [("customers", self.customers, rows), ("reps", self.reps, reps)]
        if self.visits is not None and len(visits):
            sections.append(("visits", self.visits, visits))
        if self.hotels is not None:
            sections.append(("hotels", self.hotels, np.arange(len(self.hotels), dtype=np.int32)))
        parts = [(name, *pack_table(table, some, name)) for name, table, some in sections]
        if self.alignment is not None:
            parts.append(("alignment", *_pack_alignment(self.alignment, reps, rows)))
        if self.previous is not None:
            parts.append(("previous", *pack_previous(self.previous, self.customers.id[rows], self.reps.id[reps])))
        for name, its_head, its_arrays in parts:
            digests.add(name, pack(its_head, its_arrays))
            head[name] = its_head
            arrays |= its_arrays
        payload = pack(head, arrays)
        # two reps with as many customers are not the same work, but near enough for packing chunks
        return Task(key, payload, digest_of(payload, self.source, self.rng), float(len(rows)), task_seed(self.rng, key))

    def _own_options(self, options: dict[str, Any], reps: IdxArray, rows: IdxArray) -> dict[str, Any]:
        """Return the options without what they say of other reps and customers."""
        own = dict(options)
        if own["cover"]:
            mine = set(self.reps.id[reps].tolist())
            named = {rep: [o for o in others if o in mine] for rep, others in own["cover"].items() if rep in mine}
            own["cover"] = {rep: others for rep, others in named.items() if others}
        if own["day_sets"]:
            here = set(self.customers.id[rows].tolist())
            own["day_sets"] = {name: sets for name, sets in own["day_sets"].items() if name in here}
        return own


def digest_of(payload: bytes, source: Travel, seed: int) -> str:
    return task_digest(payload + source.fingerprint.encode(), int(seed))


def _by_label(label: Any, rows: Any) -> dict[int, IdxArray]:
    """Return the rows of each label, in their order."""
    order = np.argsort(label, kind="stable")
    cuts = np.flatnonzero(np.diff(label[order])) + 1
    parts = np.split(rows[order].astype(np.int32), cuts) if len(rows) else []
    return {int(label[part[0]]): part for part in parts}


def _pack_alignment(alignment: Alignment, reps: IdxArray, rows: IdxArray) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what planning asks of an alignment: the territories of some customers, and their reps."""
    territory = alignment.territory_idx[rows]
    used = np.unique(territory[territory != NO_IDX])
    place = np.full(len(alignment.territory_id) + 1, NO_IDX, np.int32)
    place[used] = np.arange(len(used))
    rep_at = np.full(len(alignment.reps or ()) + 1, NO_IDX, np.int32)
    rep_at[reps] = np.arange(len(reps))
    reasons = {
        str(i): alignment.unassigned_reason[int(row)]
        for i, row in enumerate(rows.tolist()) if row in alignment.unassigned_reason
    }  # fmt: skip
    arrays = {
        "alignment.territory_id": alignment.territory_id[used], "alignment.territory_idx": place[territory],
        "alignment.rep_idx": rep_at[alignment.rep_idx[used]], "alignment.center_lon": alignment.center_lon[used],
        "alignment.center_lat": alignment.center_lat[used],
    }  # fmt: skip
    return {"unassigned_reason": reasons}, arrays


def travel_bytes(source: Travel) -> bytes:
    """Return a source of travel as bytes for the workers.

    Raises
    ------
    InputError
        It does not pickle.
    """
    try:
        return pickle.dumps(source)
    except Exception as error:
        message = f"the source of travel times cannot be sent to workers: {error}"
        raise InputError([Problem("not-picklable", message)], "travel") from error
