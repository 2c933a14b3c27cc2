"""What the tables of random team-months may hold, a function a feature.

Each adds columns, options or single visits to a team (`benchmarks.calendar_teams.Team`), drawing from ``team.rng``,
which is its own: a feature that is added leaves what the others draw as it is. `FEATURES` says how often each is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.calendar_teams import Team

__all__ = ["FEATURES"]

ZONES: Final = ("Europe/Berlin", "Europe/Lisbon", "Europe/Helsinki")
HOUR_S: Final = 3600.0


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


# -- days of reps --------------------------------------------------------------------------


def _hours_exceptions(team: Team) -> None:
    def cell() -> str:
        days = sorted({str(team.day()) for _ in range(int(team.rng.integers(1, 4)))})
        return "; ".join(f"{day} {team.rng.choice(['off', '10:00-12:00', '07:00-09:00,15:00-19:00'])}" for day in days)

    team.customers["hours_exceptions"] = [cell() if x < 0.2 else "" for x in team.rng.random(team.n)]


def _shift_exceptions(team: Team) -> None:
    days = [sorted({str(team.day()) for _ in range(3)}) for _ in range(team.r)]
    kinds = ("off", "09:00-13:00", "07:00-19:00")
    team.reps["shift_exceptions"] = ["; ".join(f"{day} {team.rng.choice(kinds)}" for day in own) for own in days]


def _preparation(team: Team) -> None:
    team.reps["prep_s"] = team.some(0.8, (0.0, 900.0, 1800.5), of=team.r)
    team.reps["admin_s"] = team.some(0.8, (0.0, 1200.0, 2700.0), of=team.r)


def _office_days(team: Team) -> None:
    team.reps["office_days"] = team.some(0.7, ("", "Mo", "Fr", "We"), of=team.r)


def _overtime(team: Team) -> None:
    team.reps["max_overtime_s"] = team.some(0.8, (0.0, 1800.0, 3600.0), of=team.r)
    team.reps["overtime_per_hour"] = [60.0] * team.r


def _costs(team: Team) -> None:
    team.reps["cost_per_hour"] = team.some(0.5, (40.0, 55.0), of=team.r)
    team.reps["cost_per_km"] = team.some(0.5, (0.3, 0.5, 0.0), of=team.r)
    team.reps["cost_per_day"] = team.some(0.5, (0.0, 80.0), of=team.r)
    team.options["objective"] = "cost"


def _public_holidays(team: Team) -> None:
    team.reps["country"] = team.some(0.8, ("", "DE", "PT"), of=team.r)
    team.reps["region"] = ["BY" if country == "DE" else "" for country in team.reps["country"]]


# -- single visits, leads ------------------------------------------------------------------


def _leads(team: Team) -> None:
    team.customers["temperature"] = team.some(0.3, ("", "hot", "warm", "cold"))
    team.options["cold_detour_s"] = int(team.rng.choice([300, 900, 2400]))


def _deadlines(team: Team) -> None:
    team.customers["deadline"] = [team.day() if x < 0.1 else np.datetime64("NaT") for x in team.rng.random(team.n)]


def _won_deals(team: Team) -> None:
    days = [team.day() - np.timedelta64(14, "D") for _ in range(team.n)]
    chance = team.rng.random(team.n)
    team.customers["won_on"] = [d if x < 0.1 else np.datetime64("NaT") for d, x in zip(days, chance, strict=True)]


def _appointments(team: Team) -> None:
    for who in team.rng.choice(team.n, max(1, team.n // 12), replace=False).tolist():
        first = team.day()
        late = int(team.rng.choice([0, 0, 3]))
        team.add_visit(
            who, "appointment", first, late, time_s=team.rng.choice([np.nan, 10 * HOUR_S, 14.5 * HOUR_S]),
            service_s=team.rng.choice([np.nan, 1800.0, 5400.0]), remote=bool(team.rng.random() < 0.15),
        )  # fmt: skip


def _events(team: Team) -> None:
    for _ in range(int(team.rng.integers(1, 3))):
        team.add_visit(
            int(team.rng.integers(team.n)), "event", team.day(), int(team.rng.integers(0, 2)),
            time_s=team.rng.choice([np.nan, 9 * HOUR_S]), service_s=4 * HOUR_S, rep=int(team.rng.integers(team.r)),
        )  # fmt: skip


def _joint_visits(team: Team) -> None:
    if team.r < 2:
        return
    for _ in range(2):
        first, second = team.rng.choice(team.r, 2, replace=False).tolist()
        team.add_visit(
            int(team.rng.integers(team.n)), "appointment", team.day(), 5, rep=first, second_rep=second,
            service_s=1800.0,
        )  # fmt: skip


def _promises(team: Team) -> None:
    for who in team.rng.choice(team.n, max(1, team.n // 15), replace=False).tolist():
        team.add_visit(
            who, "regular", team.day(), 4,
            commitment=str(team.rng.choice(["suggested", "planned", "confirmed_week", "confirmed_day"])),
        )  # fmt: skip


def _lengths_by_kind(team: Team) -> None:
    team.options["service_by_kind"] = {"lead": 1500, "follow-up": 900, "event": 7200, "remote": 600}


# -- policies ------------------------------------------------------------------------------


def _remote(team: Team) -> None:
    team.customers["channel"] = team.some(0.5, ("field", "either"))
    team.options["remote"] = "after-first"


def _stretch(team: Team) -> None:
    team.options["overload"] = "stretch"


def _worth(team: Team) -> None:
    team.measures["worth"] = team.rng.lognormal(0.0, 1.0, team.n)
    team.options["worth"] = "worth"


def _loads(team: Team) -> None:
    team.measures["boxes"] = team.rng.integers(0, 8, team.n).astype(np.float64)
    team.options["load"] = "boxes"
    team.reps["load_limit"] = team.some(0.7, (60.0, 25.0), of=team.r)


def _cover(team: Team) -> None:
    if team.r > 1:
        team.options["cover"] = {f"R{j}": [f"R{(j + 1) % team.r}"] for j in range(team.r)}


def _shared(team: Team) -> None:
    team.options["shared"] = True


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
    "hours exceptions": (0.3, _hours_exceptions),
    "shift exceptions": (0.25, _shift_exceptions),
    "preparation": (0.25, _preparation),
    "office days": (0.2, _office_days),
    "overtime": (0.2, _overtime),
    "costs": (0.15, _costs),
    "public holidays": (0.25, _public_holidays),
    "leads": (0.3, _leads),
    "deadlines": (0.2, _deadlines),
    "won deals": (0.2, _won_deals),
    "appointments": (0.4, _appointments),
    "events": (0.25, _events),
    "joint visits": (0.15, _joint_visits),
    "promises": (0.2, _promises),
    "lengths by kind": (0.2, _lengths_by_kind),
    "remote contacts": (0.2, _remote),
    "stretch": (0.2, _stretch),
    "worth": (0.2, _worth),
    "loads": (0.15, _loads),
    "cover": (0.15, _cover),
    "shared": (0.1, _shared),
}
