"""A rep's visits as an iCalendar file (RFC 5545) that updates what an earlier one put into a calendar."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from territory.errors import InputError, Problem
from territory.io.extras import needed
from territory.io.files import printable
from territory.io.times import as_datetime
from territory.model.zones import utc_second

if TYPE_CHECKING:
    from territory.model import Plan

__all__ = ["plan_ics"]

_PRODUCT: Final = "-//territory//visits//EN"
_DOMAIN: Final = "@territory"
#: What may differ between two events that say the same.
_STAMPS: Final = ("DTSTAMP", "SEQUENCE", "LAST-MODIFIED", "CREATED")


def plan_ics(plan: Plan, rep_id: str, *, previous: bytes | None = None, now: dt.datetime | None = None) -> bytes:
    """Write a rep's visits as an iCalendar file, one event a visit.

    Parameters
    ----------
    plan : Plan
        All of it: a part, such as ``plan.day(...)``, would cancel the rest of `previous`.
    rep_id : str
    previous : bytes, optional
        The file written before. Visits keep their events (``UID``): each visit takes the event of
        the same customer that is nearest in time, so that a visit that moved is moved in people's
        calendars too. Events that say something new get the next ``SEQUENCE``, others stay as they
        were to the letter; visits of the horizon that are gone become ``STATUS:CANCELLED``. Events
        before and after the horizon stay as they are.
    now : aware datetime, optional
        The ``DTSTAMP`` of what is new or changed; default: the current time. Give it for the same
        bytes from the same plan.

    Returns
    -------
    bytes
        Events by start. Times are in UTC; for a rep without a time zone they are *floating*: the
        wall clock, wherever it hangs. ``LOCATION`` is latitude and longitude, which map apps understand.

    Raises
    ------
    InputError
        Unknown rep; `previous` is no calendar; `now` without a time zone.
    MissingExtraError
        icalendar is not installed.

    Notes
    -----
    Without `previous`, a visit's ``UID`` is that of the customer's k-th visit of the horizon, so that
    planning the same horizon again gives the same ones. It does not depend on rep, day or time.
    Some 0.4 ms a visit, as long again for `previous`.
    """
    ical = needed("icalendar")
    stamp = _stamp(now)
    rep = int(plan.reps.positions([rep_id])[0])
    zone = "" if plan.reps.timezone is None else str(plan.reps.timezone[rep])
    kept, current, cancelled = _sorted_out(plan, zone, _events(ical, previous))
    used = {str(event["UID"]) for event in (*kept, *(e for events in current.values() for e in events))}
    written = list(kept)
    gone: list[Any] = []
    visits = _visits(plan, rep)
    for customer, mine in visits.items():
        key = _key(str(plan.customers.id[customer]))
        events = current.pop(key, [])
        matched = _matched([visit.start for visit in mine], events)
        taken = {id(event) for event in matched}
        gone += [event for event in events if id(event) not in taken]
        for visit, match in zip(mine, matched, strict=True):
            uid = _free_uid(plan, key, visit.ordinal, used) if match is None else str(match["UID"])
            used.add(uid)
            old = cancelled.pop(uid, None) if match is None else match  # one that was cancelled may come back
            written.append(_versioned(_event(ical, plan, visit.row, floating=not zone), uid, old, stamp))
    gone += [event for events in current.values() for event in events]
    for old in gone:
        event = _copy(ical, old)
        event["STATUS"] = ical.vText("CANCELLED")
        written.append(_versioned(event, str(old["UID"]), old, stamp))
    written += cancelled.values()

    calendar = ical.Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", printable(_label(plan.reps.name, rep, rep_id)))
    for event in sorted(written, key=lambda e: (_start(e), str(e["UID"]))):
        calendar.add_component(event)
    return bytes(calendar.to_ical())


# -- events ------------------------------------------------------------------------------------


def _event(ical: Any, plan: Plan, row: int, *, floating: bool) -> Any:
    stops, customers = plan.stops, plan.customers
    i = int(stops.customer_idx[row])
    customer_id = str(customers.id[i])
    lat, lon = round(float(customers.lat[i]), 6), round(float(customers.lon[i]), 6)
    start, end = (as_datetime(values[row]) for values in (stops.start, stops.end))
    lines = [f"Customer: {customer_id}"]
    if customers.contacts is not None and customers.contacts[i]:
        lines.append(f"Contacts: {', '.join(sorted(customers.contacts[i]))}")
    event = ical.Event()
    event.add("summary", printable(_label(customers.name, i, customer_id)))
    event.add("dtstart", start.replace(tzinfo=None) if floating else start)
    event.add("dtend", end.replace(tzinfo=None) if floating else end)
    event.add("geo", (lat, lon))
    event.add("location", f"{lat:.6f}, {lon:.6f}")
    event.add("description", printable("\n".join(lines)))
    event.add("status", "CONFIRMED")
    return event


def _versioned(event: Any, uid: str, old: Any, stamp: dt.datetime) -> Any:
    """Give an event its identity; one that says what the old one says is the old one."""
    if old is not None and _content(event) == _content(old):
        return old
    for name in (*_STAMPS, "UID"):
        event.pop(name, None)
    event.add("uid", uid)
    event.add("sequence", 0 if old is None else _sequence(old) + 1)
    event.add("dtstamp", stamp)
    return event


def _content(event: Any) -> dict[str, bytes]:
    return {str(k).upper(): v.to_ical() for k, v in event.items() if str(k).upper() not in (*_STAMPS, "UID")}


def _copy(ical: Any, event: Any) -> Any:
    copy = ical.Event()
    for name, value in event.items():
        copy[name] = value
    return copy


def _label(names: Any, i: int, fallback: str) -> str:
    return fallback if names is None or not names[i] else str(names[i])


def _stamp(now: dt.datetime | None) -> dt.datetime:
    if now is None:
        return dt.datetime.now(dt.UTC).replace(microsecond=0)
    if now.tzinfo is None:
        raise InputError([Problem("naive-time", "expected a time with a zone", column="now")], "parameters")
    return now.astimezone(dt.UTC).replace(microsecond=0)


# -- identity ----------------------------------------------------------------------------------


def _key(customer_id: str) -> str:
    return hashlib.sha256(customer_id.encode()).hexdigest()[:24]


def _free_uid(plan: Plan, key: str, k: int, used: set[str]) -> str:
    first = f"{key}-{str(plan.settings.start).replace('-', '')}"
    while (uid := f"{first}-{k + 1}{_DOMAIN}") in used:
        k += 1
    return uid


class _Visit(NamedTuple):
    """A stop of the rep: its row, its start in seconds since 1970, which of its customer's visits it is."""

    row: int
    start: int
    ordinal: int


def _visits(plan: Plan, rep: int) -> dict[int, list[_Visit]]:
    """Return the rep's visits of each customer, by start; those that others make count for the ordinal."""
    stops = plan.stops
    rows = np.flatnonzero(np.isin(stops.customer_idx, stops.customer_idx[stops.rep_idx == rep]))
    starts = stops.start[rows].astype(np.int64)
    seen: Counter[int] = Counter()
    found: dict[int, list[_Visit]] = {}
    for at in np.argsort(starts, kind="stable"):
        row, customer = int(rows[at]), int(stops.customer_idx[rows[at]])
        if stops.rep_idx[row] == rep:
            found.setdefault(customer, []).append(_Visit(row, int(starts[at]), seen[customer]))
        seen[customer] += 1
    return found


def _matched(starts: list[int], events: list[Any]) -> list[Any]:
    """Return for each visit the event that it takes over, nearest in time first; None: a new one."""
    pairs = sorted(
        (abs(start - _start(event)), i, j) for i, start in enumerate(starts) for j, event in enumerate(events)
    )
    taken: list[Any] = [None] * len(starts)
    free = set(range(len(events)))
    for _, i, j in pairs:
        if taken[i] is None and j in free:
            taken[i] = events[j]
            free.remove(j)
    return taken


# -- the file before ---------------------------------------------------------------------------


def _events(ical: Any, previous: bytes | None) -> list[Any]:
    if previous is None:
        return []
    try:
        events = [event for event in ical.Calendar.from_ical(previous).walk("VEVENT") if "UID" in event]
        for event in events:
            _start(event), _sequence(event)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"not a calendar that can be continued: {error}"
        raise InputError([Problem("not-a-calendar", message, hint="Maybe the file is torn?")], "previous") from None
    return events


def _sorted_out(plan: Plan, zone: str, events: list[Any]) -> tuple[list[Any], dict[str, list[Any]], dict[str, Any]]:
    """Return the events outside the horizon, those in it by customer, and the cancelled ones by UID."""
    first, after = (utc_second(int(d.astype(np.int64)), 0, zone) for d in (plan.settings.start, plan.settings.end))
    kept: list[Any] = []
    current: dict[str, list[Any]] = {}
    cancelled: dict[str, Any] = {}
    for event in events:
        uid = str(event["UID"])
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            if _start(event) >= first:  # the cancelled past is of no use to anybody
                cancelled[uid] = event
        elif not first <= _start(event) < after or not uid.endswith(_DOMAIN):
            kept.append(event)
        else:
            current.setdefault(uid.partition("-")[0], []).append(event)
    return kept, current, cancelled


def _start(event: Any) -> int:
    """Return the second at which an event starts, since 1970; floating times as if in UTC."""
    start = event["DTSTART"].dt
    if not isinstance(start, dt.datetime):
        start = dt.datetime(start.year, start.month, start.day)  # noqa: DTZ001 - a day, made aware below
    return int((start if start.tzinfo else start.replace(tzinfo=dt.UTC)).timestamp())


def _sequence(event: Any) -> int:
    return int(event.get("SEQUENCE", 0))
