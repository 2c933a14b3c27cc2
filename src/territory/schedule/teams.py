"""Which reps are planned together: those who may serve the same visits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from territory.model.arrays import NO_IDX
from territory.model.columns import columns_of
from territory.model.eligibility import eligibility
from territory.model.reps import Reps
from territory.routing.shifts import zone_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from territory.model.arrays import BoolArray, IdxArray
    from territory.model.customers import Customers
    from territory.model.settings import PlanSettings
    from territory.schedule.singles import Single

__all__ = ["may_make", "on_days", "teams_of"]


def teams_of(reps: Reps, settings: PlanSettings, singles: Sequence[Single]) -> list[tuple[int, ...]]:
    """Return the reps who are planned together, by their rows: joint visits, cover in a leave, and all that is shared.

    Parameters
    ----------
    reps : Reps, length r
    settings : PlanSettings
    singles : sequence of Single

    Returns
    -------
    list of tuples of int
        Every rep is in one of them; a team's order is by its homes, not by rows.
    """
    links: list[tuple[int, int]] = [(one.rep, one.second_rep) for one in singles if one.rep >= 0 <= one.second_rep]
    number = {rep: i for i, rep in enumerate(reps.id.tolist())}
    for rep, others in settings.cover.items():
        if rep in number and _leave_days(reps, number[rep], settings).any():
            links += [(number[rep], number[other]) for other in others if other in number]
    if settings.shared:
        teams = [""] * len(reps) if reps.team is None else reps.team.tolist()
        first: dict[str, int] = {}
        links += [(first.setdefault(team, i), i) for i, team in enumerate(teams)]
    r = len(reps)
    a, b = np.array(links, np.int64).reshape(-1, 2).T
    _, label = connected_components(coo_array((np.ones(len(a), np.int8), (a, b)), shape=(r, r)), directed=False)
    order = np.argsort(label, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(label[order])) + 1)
    return [_canonical(reps, part.tolist()) for part in sorted(parts, key=lambda part: int(part[0]))]


def _canonical(reps: Reps, team: Sequence[int]) -> tuple[int, ...]:
    """Return a team in an order by homes, then by all that is known of reps; ids decide last.

    Permuted rows give the permuted plan then, and other names the same plan.
    """
    if len(team) == 1:
        return tuple(team)
    names = [name for name in columns_of(Reps) if name not in ("id", "name") and getattr(reps, name) is not None]

    def key(i: int) -> tuple[object, ...]:
        row = reps[i]
        return (row.lon, row.lat, *(repr(getattr(row, name)) for name in names), row.id)

    return tuple(sorted(team, key=key))


def may_make(
    customers: Customers, reps: Reps, team: Sequence[int], rep_of: IdxArray, settings: PlanSettings
) -> BoolArray:
    """Return whom each of a team may ever visit by interval, bool of shape (n, R).

    Skills, forbidden reps and locks count; of customers of other reps those that are covered or shared.
    """
    some = reps.take(np.array(team))
    allowed = eligibility(customers, some)
    able = np.ones((len(customers), len(team)), np.bool_) if allowed is None else allowed.copy()
    mine = rep_of[:, None] == np.array(team)[None, :]
    told = np.zeros(len(customers), bool) if customers.timezone is None else customers.timezone != ""
    for r, rep in enumerate(team):
        named = settings.cover.get(str(reps.id[rep]), ())
        covers = [other for other in team if str(reps.id[other]) in named or _share(reps, rep, other, settings)]
        # whose clock a customer without a zone keeps must not depend on who comes
        for k, other in enumerate(team):
            if other in covers:
                mine[:, k] |= (rep_of == rep) & (told | (zone_of(reps, rep) == zone_of(reps, other)))
        if settings.shared:
            mine[:, r] |= (rep_of == NO_IDX) & told
    return np.asarray(able & mine)


def on_days(reps: Reps, team: Sequence[int], rep_of: IdxArray, settings: PlanSettings) -> BoolArray | None:
    """Return on which days each of a team may serve whom, bool of shape (n, R, D); None: on all.

    Those who cover somebody do so while he is on leave.
    """
    if len(team) == 1 or not settings.cover:
        return None
    found = np.ones((len(rep_of), len(team), settings.n_days), np.bool_)
    for rep in team:
        away = _leave_days(reps, rep, settings)
        theirs = np.flatnonzero(rep_of == rep)
        for k, other in enumerate(team):
            if other != rep and not _share(reps, rep, other, settings):
                found[theirs, k] = away
    return found


def _share(reps: Reps, one: int, other: int, settings: PlanSettings) -> bool:
    """Return whether two reps share all customers: those of one team do, and all where nobody has a team."""
    return settings.shared and (reps.team is None or str(reps.team[one]) == str(reps.team[other]))


def _leave_days(reps: Reps, rep: int, settings: PlanSettings) -> BoolArray:
    """Return on which days of the horizon a rep is on leave, shape (D,)."""
    if reps.leave is None:
        return np.zeros(settings.n_days, np.bool_)
    return np.array([reps.leave.covers(rep, day) for day in settings.days], np.bool_)
