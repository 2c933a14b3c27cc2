"""Random team-months: small teams whose tables have any mix of what a calendar knows, each drawn from its seed.

What they may hold is in `benchmarks.calendar_features`; each feature is drawn or not by a share of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import numpy as np

from benchmarks.calendar_features import FEATURES
from territory import Alignment, Customers, PlanSettings, Reps, Visits, work_shifts
from territory.geo.sphere import unit_vectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["Team", "hours_of", "random_team"]

#: First days: an ordinary Monday, weeks around both days on which European clocks change, a leap day, a new year of
#: 53 weeks.
STARTS: Final = ("2026-05-04", "2026-03-16", "2026-10-12", "2028-02-21", "2026-12-14")
LOADS: Final = (0.5, 1.5)
#: Customers a rep.
CUSTOMERS: Final = (15, 55)
#: How far customers lie from a home (standard deviation), degrees; and what a visit then costs at the wheel, seconds,
#: as the load is drawn before anything is planned.
SPREADS: Final = ((0.04, 400.0), (0.12, 900.0), (0.3, 1800.0))


@dataclass(eq=False)
class Team:
    """Tables and options of a team, as they are drawn.

    Attributes
    ----------
    rng : Generator
        Of the feature at hand.
    customers, reps : dict of str to column
        With lon, lat and what the features drawn so far have added.
    options : dict
        Of `schedule_visits`: start, weeks, ...
    owner : int array of shape (n,)
        The rep of each customer.
    features : list of str
    measures : dict of str to column
        Further measures of the customers.
    visits : list of dict
        Single visits, a row each.
    """

    rng: np.random.Generator
    customers: dict[str, Any]
    reps: dict[str, Any]
    options: dict[str, Any]
    owner: NDArray[np.int64]
    features: list[str] = field(default_factory=list)
    measures: dict[str, Any] = field(default_factory=dict)
    visits: list[dict[str, Any]] = field(default_factory=list)

    @property
    def n(self) -> int:
        """Number of customers."""
        return len(self.customers["lon"])

    @property
    def r(self) -> int:
        """Number of reps."""
        return len(self.reps["lon"])

    @property
    def start(self) -> np.datetime64:
        """First day."""
        return np.datetime64(self.options["start"], "D")

    def some(self, share: float, values: Sequence[Any], *, of: int | None = None) -> list[Any]:
        """Return a value for a share of the customers (or of so many rows), drawn; the others get the first."""
        n = self.n if of is None else of
        drawn = self.rng.integers(1, len(values), n)
        return [values[int(j) if x < share else 0] for j, x in zip(drawn, self.rng.random(n), strict=True)]

    def day(self) -> np.datetime64:
        """Return a day of the horizon."""
        return self.start + np.timedelta64(int(self.rng.integers(0, 7 * self.options["weeks"])), "D")

    def days(self, longest: int) -> str:
        """Return some days in a row, as text."""
        first = self.day()
        return f"{first}..{first + np.timedelta64(int(self.rng.integers(0, longest)), 'D')}"

    def add_visit(
        self, customer: int, kind: str, first: np.datetime64, later: int = 0, *, rep: int = -1, second_rep: int = -1,
        time_s: float = np.nan, service_s: float = np.nan, remote: bool = False, commitment: str = "",
    ) -> None:  # fmt: skip
        """Add a single visit, on a day or one of some later."""
        promised = commitment or ("fixed" if np.isfinite(time_s) else "confirmed_day")
        self.visits.append(
            {
                "id": f"v{len(self.visits)}", "customer_id": f"c{customer:03d}", "kind": kind, "earliest": first,
                "latest": first + np.timedelta64(later, "D"), "rep_id": "" if rep < 0 else f"R{rep}",
                "second_rep_id": "" if second_rep < 0 else f"R{second_rep}", "time_s": time_s, "service_s": service_s,
                "remote": remote, "commitment": promised,
            }
        )  # fmt: skip

    def tables(self) -> tuple[Customers, Reps, Alignment]:
        """Return the tables, and who serves whom."""
        reps = Reps(id=[f"R{j}" for j in range(self.r)], **self.reps)
        ids = [f"c{i:03d}" for i in range(self.n)]
        owner = [f"R{j}" for j in self.owner.tolist()]
        customers = Customers(id=ids, owner=owner, measures=self.measures, **self.customers)
        return customers, reps, Alignment.from_owners(customers, reps)

    def singles(self) -> Visits | None:
        """Return the single visits."""
        if not self.visits:
            return None
        return Visits(**{name: [one[name] for one in self.visits] for name in self.visits[0]})


def random_team(seed: int, number: int, features: Iterable[str] = tuple(FEATURES)) -> Team:
    """Draw a team of one to four reps, and a load from 50 to 150 % of their hours.

    Parameters
    ----------
    seed, number : int
    features : iterable of str
        What the tables may hold: to find out which of them a fault needs.
    """
    rng = np.random.default_rng([seed, number])
    r = int(rng.integers(1, 5))
    n = int(r * rng.integers(*CUSTOMERS))
    spread, drive_s = SPREADS[rng.integers(0, len(SPREADS))]
    homes = np.stack([9.0 + rng.normal(0.0, spread, r), 50.0 + rng.normal(0.0, spread, r)], axis=1)
    owner = rng.integers(0, r, n)
    places = homes[owner] + rng.normal(0.0, spread, (n, 2))
    # a few share a place
    places[: n // 20] = places[n // 20 : 2 * (n // 20)]
    owner = np.argmax(unit_vectors(*places.T) @ unit_vectors(*homes.T).T, axis=1)
    team = Team(
        rng, {"lon": places[:, 0], "lat": places[:, 1]}, {"lon": homes[:, 0], "lat": homes[:, 1]},
        {"start": str(rng.choice(STARTS)), "weeks": int(rng.choice([2, 4, 4, 5]))}, owner,
    )  # fmt: skip
    _intervals(team)
    load = float(rng.uniform(*LOADS))
    for name in features:
        share, feature = FEATURES[name]
        # each draws by itself, so that a new one leaves the others as they are
        team.rng = np.random.default_rng([seed, number, crc32(name.encode())])
        if team.rng.random() < share:
            feature(team)
            team.features.append(name)
    _lengths(team, load, drive_s)
    return team


def hours_of(reps: Reps, settings: PlanSettings) -> float:
    """Return the seconds that a team works in the horizon, without breaks."""
    shifts = work_shifts(reps, settings)
    whole = (shifts.end - shifts.start).astype(np.float64)
    if reps.break_s is not None:
        whole = np.maximum(whole - reps.break_s[shifts.rep_idx], 0.0)
    return float(whole.sum())


def _intervals(team: Team) -> None:
    intervals = np.array([3.5, 7.0, 10.0, 14.0, 21.0, 28.0, 45.0, np.nan])
    shares = [0.05, 0.15, 0.1, 0.25, 0.1, 0.25, 0.07, 0.03]
    team.customers["visit_interval_days"] = team.rng.choice(intervals, team.n, p=shares)


def _lengths(team: Team, load: float, drive_s: float) -> None:
    """Set how long visits take, so that they and their driving make about the load."""
    _, reps, _ = team.tables()
    settings = PlanSettings(team.start, 7 * team.options["weeks"], team.options.get("holidays", ()))
    visits = np.nan_to_num(settings.n_days / team.customers["visit_interval_days"]).sum()
    mean = float(np.clip(load * hours_of(reps, settings) / max(visits, 1.0) - drive_s, 300.0, 3 * 3600.0))
    drawn = mean * team.rng.lognormal(0.0, 0.4, team.n)
    team.customers["service_s"] = np.round(drawn, 1) if "odd lengths" in team.features else np.rint(drawn)
