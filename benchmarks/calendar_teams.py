"""Random team-months: small teams whose tables have any mix of what a calendar knows, each drawn from its seed.

A feature is a function that adds columns or options to a team; `FEATURES` says how often each is drawn. To add one,
write it below and name it there; what the others draw stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import numpy as np

from territory import Alignment, Customers, PlanSettings, Reps, work_shifts
from territory.geo.sphere import unit_vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["FEATURES", "Team", "hours_of", "random_team"]

#: First days: an ordinary Monday, weeks around both days on which European clocks change, a leap day, a new year of
#: 53 weeks.
STARTS: Final = ("2026-05-04", "2026-03-16", "2026-10-12", "2028-02-21", "2026-12-14")
ZONES: Final = ("Europe/Berlin", "Europe/Lisbon", "Europe/Helsinki")
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
    """

    rng: np.random.Generator
    customers: dict[str, Any]
    reps: dict[str, Any]
    options: dict[str, Any]
    owner: NDArray[np.int64]
    features: list[str] = field(default_factory=list)

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

    def tables(self) -> tuple[Customers, Reps, Alignment]:
        """Return the tables, and who serves whom."""
        reps = Reps(id=[f"R{j}" for j in range(self.r)], **self.reps)
        ids = [f"c{i:03d}" for i in range(self.n)]
        customers = Customers(id=ids, owner=[f"R{j}" for j in self.owner.tolist()], **self.customers)
        return customers, reps, Alignment.from_owners(customers, reps)


def random_team(seed: int, number: int) -> Team:
    """Draw a team of one to four reps, and a load from 50 to 150 % of their hours."""
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
    for name, (share, feature) in FEATURES.items():
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


# -- features ------------------------------------------------------------------------------


def _last_visits(team: Team) -> None:
    ago = np.floor(np.nan_to_num(team.customers["visit_interval_days"], nan=20.0) * team.rng.uniform(0.0, 1.6, team.n))
    last = (team.start - 1 - ago.astype("timedelta64[D]")).astype("datetime64[D]")
    last[team.rng.random(team.n) < 0.1] = np.datetime64("NaT")
    team.customers["last_visit"] = last


def _tolerances(team: Team) -> None:
    interval = np.nan_to_num(team.customers["visit_interval_days"], nan=1.0)
    for name in ("early_days", "late_days"):
        team.customers[name] = np.floor(interval * team.rng.choice([0.0, 0.15, 0.3, 0.5], team.n))


def _opening_hours(team: Team) -> None:
    hours = ("", "Mo-Fr 09:00-12:00,13:00-17:00", "Tu,Th 10:00-16:00", "Mo-Sa 08:00-13:00", "We-Fr 12:30-18:00")
    team.customers["opening_hours"] = team.some(0.6, hours)


def _hours_bind(team: Team) -> None:
    team.customers["hours_bind"] = team.some(0.5, ("visit", "start"))


def _call_blocks(team: Team) -> None:
    team.customers["call_blocks"] = [team.days(10) if x < 0.15 else "" for x in team.rng.random(team.n)]


def _weekdays(team: Team) -> None:
    team.customers["preferred_weekdays"] = team.some(0.3, ("", "Mo,We", "Tu-Th", "Fr", "Th-Sa"))


def _week_parity(team: Team) -> None:
    team.customers["week_parity"] = team.some(0.2, ("any", "odd", "even"))


def _customer_zones(team: Team) -> None:
    team.customers["timezone"] = team.some(0.7, ("", *ZONES))


def _rep_zones(team: Team) -> None:
    team.reps["timezone"] = team.some(1.0, ("", *ZONES), of=team.r)


def _shifts(team: Team) -> None:
    hours = ("Mo-Fr 08:00-17:00", "Mo-Th 07:30-16:30; Fr 07:30-13:00", "Tu-Sa 09:00-18:00", "Mo,We,Fr 08:00-18:00")
    team.reps["shift"] = team.some(0.7, hours, of=team.r)


def _breaks(team: Team) -> None:
    team.reps["break_s"] = team.some(0.8, (0.0, 1800.0, 2700.0, 3600.0), of=team.r)
    team.reps["break_earliest_s"] = [11.5 * 3600.0] * team.r
    team.reps["break_latest_s"] = team.some(0.5, (14.0 * 3600.0, 13.5 * 3600.0), of=team.r)


def _leave(team: Team) -> None:
    team.reps["leave"] = [team.days(8) if x < 0.6 else "" for x in team.rng.random(team.r)]


def _holidays(team: Team) -> None:
    team.options["holidays"] = sorted({str(team.day()) for _ in range(int(team.rng.integers(1, 4)))})


def _skills(team: Team) -> None:
    team.customers["required_skills"] = team.some(0.2, ("", "fire", "gas", "fire; gas"))
    team.reps["skills"] = team.some(0.8, ("", "fire; gas", "fire"), of=team.r)


def _forbidden(team: Team) -> None:
    team.customers["forbidden_reps"] = team.some(0.05, ("", "R0", "R1; R2"))


def _channels(team: Team) -> None:
    team.customers["channel"] = team.some(0.15, ("field", "inside", "either"))
    team.customers["stage"] = team.some(0.3, ("", "customer", "sql", "lost"))


def _most_visits(team: Team) -> None:
    team.reps["max_visits_per_day"] = team.some(0.7, (20, 8, 5, 12), of=team.r)


def _speeds(team: Team) -> None:
    team.reps["speed_factor"] = team.some(0.7, (1.0, 0.8, 1.3), of=team.r)


def _ends(team: Team) -> None:
    away = team.rng.random(team.r) < 0.6
    for name in ("lon", "lat"):
        team.reps[f"end_{name}"] = np.where(away, team.reps[name] + team.rng.normal(0.0, 0.1, team.r), np.nan)


def _areas(team: Team) -> None:
    team.customers["area"] = team.some(1.0, ("urban", "urban", "suburban", "rural"))


def _odd_lengths(team: Team) -> None:
    """Lengths of visits with tenths of a second."""


#: Feature -> how often it is drawn, and the function that adds it.
FEATURES: Final[dict[str, tuple[float, Callable[[Team], None]]]] = {
    "last visits": (0.85, _last_visits),
    "tolerances": (0.6, _tolerances),
    "opening hours": (0.6, _opening_hours),
    "hours bind the start": (0.25, _hours_bind),
    "call blocks": (0.35, _call_blocks),
    "weekdays": (0.35, _weekdays),
    "week parity": (0.3, _week_parity),
    "zones of customers": (0.3, _customer_zones),
    "zones of reps": (0.4, _rep_zones),
    "shifts": (0.5, _shifts),
    "breaks": (0.5, _breaks),
    "leave": (0.4, _leave),
    "holidays": (0.4, _holidays),
    "skills": (0.25, _skills),
    "forbidden reps": (0.2, _forbidden),
    "channels and stages": (0.25, _channels),
    "most visits a day": (0.25, _most_visits),
    "speeds": (0.25, _speeds),
    "ends elsewhere": (0.25, _ends),
    "areas": (0.3, _areas),
    "odd lengths": (0.3, _odd_lengths),
}
