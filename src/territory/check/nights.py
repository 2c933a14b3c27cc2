"""Whether nights away are had where, when and at what price they may be."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from territory.check.legs import slept_at
from territory.check.report import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from territory.check.facts import PlanFacts

__all__ = [
    "nights_allowed",
    "nights_between_routes",
    "nights_far_away",
    "nights_few",
    "nights_on_evenings",
    "nights_priced",
    "nights_single",
    "nights_somewhere",
]

_EPOCH = date(1970, 1, 1)


def _nights(f: PlanFacts) -> list[tuple[int, int, int]]:
    """Return row, rep and evening (days since 1970) of each night."""
    nights = f.plan.nights
    if nights is None:
        return []
    evening = nights.day.astype("datetime64[D]").astype(np.int64).tolist()
    return list(zip(range(len(evening)), nights.rep_idx.tolist(), evening, strict=True))


def _at(f: PlanFacts, code: str, rep: int, evening: int, message: str, amount: float | None = None) -> Violation:
    return Violation(code, message, rep_id=f.rep_id(rep), day=np.datetime64(evening, "D"), amount=amount)


def nights_allowed(f: PlanFacts) -> Iterator[Violation]:
    """``night-not-allowed``."""
    rows = _nights(f)
    if rows and f.plan.settings.nights == "never":
        yield Violation("night-not-allowed", f"The plan has {len(rows)} nights away, and is to have none.")


def nights_single(f: PlanFacts) -> Iterator[Violation]:
    """``nights-unordered`` and ``night-doubled``."""
    keys = [(rep, evening) for _, rep, evening in _nights(f)]
    moved = [i for i, (one, other) in enumerate(zip(keys, sorted(keys), strict=True)) if one != other]
    if moved:
        message = f"From row {moved[0]} on, the nights are not in the order of rep and day."
        yield Violation("nights-unordered", message)
    seen = set()
    for rep, evening in keys:
        if (rep, evening) in seen:
            message = f"Rep {f.rep_id(rep)} spends more than one night away on {_day(evening)}."
            yield _at(f, "night-doubled", rep, evening, message)
        seen.add((rep, evening))


def nights_somewhere(f: PlanFacts) -> Iterator[Violation]:
    """``night-place-wrong``: at a customer's place or in a hotel, and just there."""
    nights, customers, hotels = f.plan.nights, f.plan.customers, f.plan.hotels
    if nights is None:
        return
    for row, rep, evening in _nights(f):
        at, hotel = int(nights.customer_idx[row]), int(nights.hotel_idx[row])
        night = f"The night of rep {f.rep_id(rep)} on {_day(evening)}"
        if (at >= 0) == (hotel >= 0):
            where = "both at a customer's place and in a hotel" if at >= 0 else "nowhere"
            yield _at(f, "night-place-wrong", rep, evening, f"{night} is spent {where}.")
            continue
        if at >= 0:
            name, lon, lat = f"customer {f.customer_id(at)}", customers.lon[at], customers.lat[at]
        elif hotels is not None:
            name, lon, lat = f"hotel {hotels.id[hotel]}", hotels.lon[hotel], hotels.lat[hotel]
        else:  # pragma: no cover - a plan has the hotels of its nights
            continue
        if (nights.lon[row], nights.lat[row]) != (lon, lat):
            message = f"{night} is at {nights.lon[row]}, {nights.lat[row]}, but {name} is at {lon}, {lat}."
            yield _at(f, "night-place-wrong", rep, evening, message)


def nights_between_routes(f: PlanFacts) -> Iterator[Violation]:
    """``night-without-route``: a route ends there, and one begins there on the next calendar day.

    Of a part of a plan one of the two is enough.
    """
    routes = f.plan.routes
    days = routes.day.astype("datetime64[D]").astype(np.int64).tolist()
    driven = set(zip(routes.rep_idx.tolist(), days, strict=True))
    for _, rep, evening in _nights(f):
        there = [(rep, evening + d) in driven for d in (0, 1)]
        if all(there) or (any(there) and not f.complete):
            continue
        lacking = " and ".join(str(_day(evening + d)) for d in (0, 1) if not there[d])
        message = f"Rep {f.rep_id(rep)} spends the night of {_day(evening)} away, but has no route on {lacking}."
        yield _at(f, "night-without-route", rep, evening, message)


def nights_on_evenings(f: PlanFacts) -> Iterator[Violation]:
    """``night-weekday``."""
    column = f.plan.reps.night_weekdays
    if column is None:
        return
    for _, rep, evening in _nights(f):
        day = _day(evening)
        if not int(column[rep]) & (1 << day.weekday()):
            message = f"Rep {f.rep_id(rep)} spends the night of {day}, a {day:%A}, away: not one of its weekdays."
            yield _at(f, "night-weekday", rep, evening, message)


def nights_few(f: PlanFacts) -> Iterator[Violation]:
    """``too-many-nights-in-week`` and ``too-many-nights-in-row``, each once a week, or a row."""
    reps = f.plan.reps
    spent: dict[int, set[int]] = {}
    for _, rep, evening in _nights(f):
        spent.setdefault(rep, set()).add(evening)
    for rep, evenings in sorted(spent.items()):
        weeks: dict[tuple[int, int], list[int]] = {}
        for evening in sorted(evenings):
            weeks.setdefault(_day(evening).isocalendar()[:2], []).append(evening)
        most = None if reps.max_nights_per_week is None else int(reps.max_nights_per_week[rep])
        for (year, week), there in sorted(weeks.items()):
            if most is not None and len(there) > most:
                message = f"Rep {f.rep_id(rep)} spends {len(there)} nights of week {week} of {year} away, not {most}."
                yield _at(f, "too-many-nights-in-week", rep, there[0], message, float(len(there) - most))
        longest = None if reps.max_nights_in_row is None else int(reps.max_nights_in_row[rep])
        for first in sorted(e for e in evenings if e - 1 not in evenings):
            length = next(n for n in range(1, len(evenings) + 1) if first + n not in evenings)
            if longest is not None and length > longest:
                message = f"Rep {f.rep_id(rep)} spends {length} nights in a row away from {_day(first)}, not {longest}."
                yield _at(f, "too-many-nights-in-row", rep, first, message, float(length - longest))


def nights_far_away(f: PlanFacts) -> Iterator[Violation]:
    """``night-too-near``: by the distance of the travel from home; where there is no way nothing is told."""
    reps, column = f.plan.reps, f.plan.reps.overnight_min_km
    slept = slept_at(f.plan)
    if column is None or not slept:
        return
    speeds = reps.speed_factor
    for (rep, evening), place in sorted(slept.items()):
        factor = 1.0 if speeds is None else float(speeds[rep])
        found = f.travel.pairs(reps.places().take([rep]), place, speed_factor=factor)
        least = 1000.0 * float(column[rep])
        metres = int(found.distances_m[0])
        if bool(found.reachable[0]) and metres < least:
            message = (
                f"Rep {f.rep_id(rep)} spends the night of {_day(evening)} away {metres / 1000:.1f} km from home, "
                f"nearer than {float(column[rep]):g} km."
            )
            yield _at(f, "night-too-near", rep, evening, message, least - metres)


def nights_priced(f: PlanFacts) -> Iterator[Violation]:
    """``night-cost-wrong``: what the hotel asks, else the rep's ``hotel_cost``; and ``meal_cost``."""
    nights, reps, hotels = f.plan.nights, f.plan.reps, f.plan.hotels
    if nights is None:
        return
    for row, rep, evening in _nights(f):
        hotel = int(nights.hotel_idx[row])
        bed = np.nan
        if hotel >= 0 and hotels is not None and hotels.cost is not None:
            bed = float(hotels.cost[hotel])
        if np.isnan(bed) and reps.hotel_cost is not None:
            bed = float(reps.hotel_cost[rep])
        truth = bed + (0.0 if reps.meal_cost is None else float(reps.meal_cost[rep]))
        told = float(nights.cost[row])
        if not abs(told - truth) <= 1e-9 * max(1.0, abs(truth)):
            what = "is not known" if np.isnan(truth) else f"is {truth:g}"
            message = f"What the night of rep {f.rep_id(rep)} on {_day(evening)} costs {what}; the plan says {told:g}."
            yield _at(f, "night-cost-wrong", rep, evening, message)


def _day(number: int) -> date:
    return _EPOCH + timedelta(days=number)
