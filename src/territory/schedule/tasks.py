"""Who is planned with whom, by what rates, and who is planned by nobody."""

from __future__ import annotations

from dataclasses import replace
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.model.arrays import NO_IDX
from territory.model.enums import Reason
from territory.routing.board import Rates
from territory.routing.eligible import canonical_rows
from territory.schedule.boards import BoardTask
from territory.schedule.cadence import cadence_of
from territory.schedule.demand import day_sets_of
from territory.schedule.nights import near_hotels
from territory.schedule.teams import may_make, on_days, teams_of
from territory.units import HOUR_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from territory.model.alignment import Alignment
    from territory.model.arrays import FloatArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.nights import Hotels
    from territory.model.reps import Reps
    from territory.model.settings import PlanSettings
    from territory.routing.assemble import Drafts
    from territory.schedule.rolling import Before
    from territory.schedule.singles import Single

__all__ = ["board_tasks", "refuse_orphans"]

#: The least that a visit is worth beside a usual one: it still outweighs all driving.
_LEAST = 0.01
#: Rounds of search for each visit, and at the least: more of them save ever less.
_ROUNDS, _LEAST_ROUNDS = 100, 10_000


def board_tasks(
    customers: Customers, reps: Reps, settings: PlanSettings, rep_of: IdxArray, singles: Sequence[Single], *,
    worth: str | None, objective: str, iterations: int | None, seed: int, stretches: bool, deadline: float, jobs: int,
    hotels: Hotels | None = None, usual_worth: float | None = None,
    before: Mapping[tuple[int, int], Sequence[Before]], change_price_s: float,
    weekday_price_s: float, time_price_s: float,
) -> list[BoardTask]:  # fmt: skip
    """Return what is planned at a time, by the rows of the reps; every rep is in one of the tasks."""
    teams = teams_of(reps, settings, singles)
    values = _worth(customers, worth, usual_worth)
    load = None
    if settings.load is not None and reps.load_limit is not None:
        load = np.ceil(customers.measures[settings.load] - 1e-9).astype(np.int64)
    due = _due(customers, settings)
    tasks = []
    for done, team in enumerate(teams):
        able = may_make(customers, reps, team, rep_of, settings)
        own = np.asarray(able.any(axis=1))
        asked = [one for one in singles if one.rep in team or one.second_rep in team]
        rows = np.union1d(np.flatnonzero(own), [one.customer for one in asked]).astype(np.int32)
        rows = canonical_rows(customers, rows)
        row_of, desk_of = {int(i): k for k, i in enumerate(rows)}, {rep: r for r, rep in enumerate(team)}
        # visits that others make at these customers count for their rhythm
        here = tuple(one.on_board(row_of, desk_of) for one in singles if one.customer in row_of)
        earlier = {
            (desk_of[rep], n): tuple(replace(b, customer=row_of[b.customer]) for b in stops if b.customer in row_of)
            for (rep, n), stops in before.items() if rep in desk_of
        }  # fmt: skip
        owner = np.array([desk_of.get(int(rep), 0 if settings.shared else NO_IDX) for rep in rep_of[rows]], np.int64)
        owner[~own[rows]] = NO_IDX
        near = near_hotels(hotels, customers.take(rows))
        many = len(team) > 1
        rounds = _rounds(due[rows].sum()) if iterations is None else iterations * len(team)
        tasks.append(
            BoardTask(
                team=team, rows=rows, owner=owner, able=able[rows],
                on=on_days(reps, team, rep_of[rows], settings) if many else None, singles=here, worth=values[rows],
                rates=tuple(_rates(reps, rep, objective) for rep in team),
                load=None if load is None else load[rows], capacity=None if load is None else _limits(reps, team),
                hotels=None if hotels is None or near is None else hotels.take(near), hotel_rows=near,
                iterations=rounds, seed=seed, stretches=stretches, deadline=deadline,
                before=earlier, change_price_s=change_price_s, weekday_price_s=weekday_price_s,
                time_price_s=time_price_s, turns=-(-(len(teams) - done) // jobs),
            )
        )  # fmt: skip
    return tasks


def _due(customers: Customers, settings: PlanSettings) -> FloatArray:
    """Return about how many visits by interval each customer is due in the horizon, shape (n,)."""
    cadence = cadence_of(customers, settings)
    gap = np.maximum(cadence.gap, 1)
    return np.where(cadence.due, 1 + np.maximum(settings.n_days - 1 - cadence.first_due, 0) // gap, 0.0)


def _rounds(visits: float) -> int:
    return max(_LEAST_ROUNDS, round(_ROUNDS * visits))


def _worth(customers: Customers, measure: str | None, usual: float | None) -> FloatArray:
    """Return what a visit of each customer is worth beside the usual one, shape (n,)."""
    if measure is None:
        return np.ones(len(customers))
    values = customers.measures[measure]
    # summed exactly, so that the order of the rows does not decide between visits that are worth nearly the same
    mean = fsum(values.tolist()) / len(values) if usual is None else usual
    return np.asarray(np.maximum(values / mean, _LEAST))


def _rates(reps: Reps, rep: int, objective: str) -> Rates:
    def of(column: Any) -> float:
        return 0.0 if column is None or np.isnan(column[rep]) else float(column[rep])

    if objective == "driving":
        # an hour of overtime counts like one at the wheel
        return Rates(overtime_s=1.0)
    return Rates(
        of(reps.cost_per_day), of(reps.cost_per_hour) / HOUR_S, of(reps.cost_per_km) / 1000,
        of(reps.overtime_per_hour) / HOUR_S,
    )  # fmt: skip


def _limits(reps: Reps, team: Sequence[int]) -> tuple[int, ...]:
    limits = reps.load_limit
    return () if limits is None else tuple(int(np.floor(limits[rep] + 1e-9)) for rep in team)


def refuse_orphans(
    drafts: Drafts, customers: Customers, reps: Reps, settings: PlanSettings, rep_of: IdxArray,
    alignment: Alignment | None, tasks: Sequence[BoardTask], singles: Sequence[Single], stretch: Mapping[str, float],
) -> None:  # fmt: skip
    """Note the due visits of customers whom no rep serves, or whose reps may not serve them.

    `stretch` tells by how much the intervals of some reps' customers have become longer.
    """
    factor = np.array([*(stretch.get(rep, 1.0) for rep in reps.id.tolist()), 1.0])
    cadence = cadence_of(customers, settings, stretch=factor[rep_of])
    planned = np.zeros(len(customers), np.bool_)
    for task in tasks:
        planned[task.rows[task.owner >= 0]] = True

    def refuse(rows: Iterable[Any], rep: int, detail: str) -> None:
        for i in rows:
            for n in cadence.missed_days(int(i), settings.n_days):
                drafts.add_missed(int(i), rep, settings.days[n], Reason.NO_ELIGIBLE_REP, f"{detail}.")

    left = np.flatnonzero(cadence.due & ~planned)
    for i in left.tolist():
        rep = int(rep_of[i])
        if rep != NO_IDX:
            lacks = "lacks a skill, is forbidden, or is not the owner to whom the customer is locked"
            refuse([i], rep, f"{reps.id[rep]} {lacks}")
            continue
        territory = NO_IDX if alignment is None else int(alignment.territory_idx[i])
        if alignment is not None and territory == NO_IDX:
            refuse([i], NO_IDX, alignment.unassigned_reason.get(i, "the customer is in no territory"))
        else:
            name = "" if alignment is None else alignment.territory_id[territory]
            refuse([i], NO_IDX, f"territory {name} has no rep")
    nobody = np.where(planned, NO_IDX, 0)
    for i, sets in day_sets_of(customers, settings, nobody).items():
        day = settings.days[min(each[0] for each in sets)]
        drafts.add_missed(i, int(rep_of[i]), day, Reason.NO_ELIGIBLE_REP, "nobody may serve it.")
    for one in singles:
        if one.rep == NO_IDX:
            # an event is missed on each of its days
            for n in [one.due] if one.anchor else range(one.low, one.high + 1):
                day = settings.days[n]
                drafts.add_missed(one.customer, NO_IDX, day, Reason.NO_ELIGIBLE_REP, "nobody serves it.", one.number)
