"""From solved days to the tables of a plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from territory.model.arrays import text_array
from territory.model.routes import Routes, Stops, Unassigned

if TYPE_CHECKING:
    from territory.model.enums import Reason
    from territory.routing.calls import Calls
    from territory.routing.desk import Desk
    from territory.routing.solution import ShiftRoute

__all__ = ["Drafts"]


@dataclass
class Drafts:
    """Rows of a plan's tables as they come in, in plain lists; positions are those of the whole tables."""

    stops: list[tuple[int, ...]] = field(default_factory=list)
    routes: list[tuple[int, ...]] = field(default_factory=list)
    missed: list[tuple[int, int, int, int, str, str]] = field(default_factory=list)
    #: Rep, day since 1970, customer, hotel (-1: none), cost.
    nights: list[tuple[int, int, int, int, float]] = field(default_factory=list)

    def add_route(
        self, desk: Desk, rep: int, rows: np.ndarray, n: int, calls: Calls, route: ShiftRoute, bound_s: int,
        between: tuple[int, int] | None = None,
    ) -> None:  # fmt: skip
        """Add one day.

        Parameters
        ----------
        desk : Desk
        rep : int
            Position of the rep in the whole table.
        rows : int array
            Positions of the desk's customers in the whole table.
        n : int
            Day of the horizon.
        calls : Calls
            That the numbers of the route's visits speak of.
        route : ShiftRoute
            Its times, counted from the desk's origin.
        bound_s : int
        between : (int, int), optional
            Places of the desk where the day begins and ends. Default: the rep's own.
        """
        day = int(desk.settings.days[n].astype(np.int64))
        visits = list(route.visits)
        at = [int(calls.row[k]) for k in visits]
        away = [bool(calls.remote[k]) for k in visits]
        begin, end = (0, desk.end) if between is None else between
        places = [begin, *(0 if home else v + 1 for v, home in zip(at, away, strict=True)), end]
        drive = desk.durations_s[places[:-1], places[1:]].tolist()
        metres = desk.distances_m[places[:-1], places[1:]].tolist()
        guessed = [0] * len(drive)
        if desk.estimated is not None:
            guessed = desk.estimated[places[:-1], places[1:]].astype(int).tolist()
        leave, back = route.leave + desk.origin, route.back + desk.origin
        pause, length = -1, 0
        if any(t >= 0 for t in route.break_starts) and desk.reps.break_s is not None:
            pause, length = route.break_starts[0] + desk.origin, int(np.ceil(desk.reps.break_s[desk.rep]))
        clock = leave
        for k, call in enumerate(visits):
            start = route.starts[k] + desk.origin
            arrival = clock + drive[k]
            if clock <= pause < arrival:
                # the break comes before the drive
                arrival = pause + length + drive[k]
            clock = start + int(calls.service_s[call])
            self.stops.append(
                (
                    rep, day, k, int(rows[at[k]]), arrival, start, clock, drive[k], metres[k],
                    int(calls.visit_idx[call]), int(away[k]), int(calls.commitment[call]),
                    guessed[k],
                )
            )  # fmt: skip
        self.routes.append(
            (rep, day, len(visits), leave, back, sum(drive), sum(metres), pause, length, bound_s, max(guessed))
        )

    def add_missed(
        self, customer: int, rep: int, day: np.datetime64, reason: Reason, detail: str, visit_idx: int = -1
    ) -> None:
        """Add a due visit that is not planned; `rep` is -1 where nobody is responsible."""
        self.missed.append((customer, rep, int(day.astype(np.int64)), visit_idx, str(reason), detail))

    def tables(self, *, singles: bool = False, promises: bool = False) -> tuple[Stops, Routes, Unassigned]:
        """Return the tables, ordered by rep, day and position; the missed by customer and day.

        Parameters
        ----------
        singles, promises : bool
            Whether they tell the single visits, and how firmly visits are promised.
        """
        s = np.array(sorted(self.stops), dtype=np.int64).reshape(-1, 13).T
        r = np.array(sorted(self.routes), dtype=np.int64).reshape(-1, 11).T
        missed = sorted(self.missed)
        m = np.array([row[:4] for row in missed], dtype=np.int64).reshape(-1, 4).T
        stops = Stops(
            rep_idx=s[0], day=_days(s[1]), position=s[2], customer_idx=s[3], drive_s=s[7], distance_m=s[8],
            arrival=_instants(s[4]), start=_instants(s[5]), end=_instants(s[6]),
            visit_idx=s[9] if singles else None, remote=s[10].astype(bool) if s[10].any() else None,
            commitment=s[11].astype(np.int8) if promises else None,
            estimated=s[12].astype(bool) if r[10].any() else None,
        )  # fmt: skip
        pause = _instants(r[7])
        pause[r[7] < 0] = np.datetime64("NaT", "s")
        routes = Routes(
            rep_idx=r[0], day=_days(r[1]), n_stops=r[2], leave=_instants(r[3]), back=_instants(r[4]), drive_s=r[5],
            distance_m=r[6], break_start=pause, break_s=r[8], bound_s=r[9],
            estimated=r[10].astype(bool) if r[10].any() else None,
        )  # fmt: skip
        unassigned = Unassigned(
            customer_idx=m[0], rep_idx=m[1], due=_days(m[2]),
            reason=text_array([row[4] for row in missed]), detail=text_array([row[5] for row in missed]),
            visit_idx=m[3] if singles else None,
        )  # fmt: skip
        return stops, routes, unassigned


def _days(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype("datetime64[D]")


def _instants(seconds: np.ndarray) -> np.ndarray:
    return seconds.astype("datetime64[s]")
