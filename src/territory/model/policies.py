"""Reading of those settings of a plan that say what to do where there are several ways."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from territory.errors import Problem
from territory.model.days import to_day
from territory.units import DAY_S

__all__ = ["NIGHTS", "POLICIES", "REMOTE", "SERVICE_KINDS", "plain_policies", "read_policies"]

#: When a contact is made from the rep's home.
REMOTE: Final = ("never", "after-first")
#: Whether reps may spend nights away.
NIGHTS: Final = ("never", "allowed")
#: What may have a length of its own.
SERVICE_KINDS: Final = ("lead", "follow-up", "appointment", "event", "remote")
#: No interval, no delay and no stretch is longer, in days or as a factor.
_MOST: Final = 3660


class _WrongError(Exception):
    """What is wrong with a setting: a code and a sentence."""


def _number(value: object) -> float:
    """Return a number, or NaN for what is none; truth values and text are none."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        return math.nan
    return float(value)


def _whole(name: str, value: object, low: int, high: int, code: str, unit: str) -> int:
    number = _number(value)
    if not low <= number <= high or number != int(number):
        raise _WrongError(code, f"{name}: expected whole {unit} from {low} to {high}, not {value!r}")
    return int(number)


def _mapping(name: str, value: object, code: str) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) and key for key in value):
        raise _WrongError(code, f"{name}: expected a mapping by text, not {value!r}")
    return {str(key): value[key] for key in sorted(value)}


def _stretch(value: object) -> Mapping[str, float]:
    found = {rep: _number(factor) for rep, factor in _mapping("stretch", value, "bad-stretch").items()}
    wrong = [rep for rep, factor in found.items() if not 1 <= factor <= _MOST]
    if wrong:
        raise _WrongError("bad-stretch", f"stretch: expected factors from 1 to {_MOST}, not for {', '.join(wrong[:5])}")
    return MappingProxyType(found)


def _service(value: object) -> Mapping[str, int]:
    named = _mapping("service_by_kind", value, "bad-service-by-kind")
    # tables write the kind of a follow-up as all their words, with a line below
    given = {kind.replace("_", "-"): length for kind, length in named.items()}
    unknown = [kind for kind in given if kind not in SERVICE_KINDS]
    if unknown:
        message = f"service_by_kind: expected {', '.join(SERVICE_KINDS)}, not {', '.join(unknown[:5])}"
        raise _WrongError("bad-service-by-kind", message)
    whole = {
        k: _whole(f"service_by_kind[{k!r}]", v, 0, DAY_S, "bad-service-by-kind", "seconds") for k, v in given.items()
    }
    return MappingProxyType(whole)


def _cover(value: object) -> Mapping[str, tuple[str, ...]]:
    found = {}
    for rep, given in _mapping("cover", value, "bad-cover").items():
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise _WrongError("bad-cover", f"cover: expected a list of reps for {rep!r}, not {given!r}")
        others = list(given)
        if not all(isinstance(other, str) and other for other in others) or rep in others:
            raise _WrongError("bad-cover", f"cover: expected other reps for {rep!r}, not {others!r}")
        found[rep] = tuple(str(other) for other in dict.fromkeys(others))
    return MappingProxyType(found)


def _follow_ups(value: object) -> tuple[int, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise _WrongError("bad-follow-up", f"follow_up_days: expected days in a list, not {value!r}")
    return tuple(sorted({_whole("follow_up_days", each, 0, _MOST, "bad-follow-up", "days") for each in value}))


def _remote(value: object) -> str:
    if not isinstance(value, str) or value not in REMOTE:
        raise _WrongError("unknown-option", f"remote: expected {' or '.join(REMOTE)}, not {value!r}")
    return str(value)


def _nights(value: object) -> str:
    if not isinstance(value, str) or value not in NIGHTS:
        raise _WrongError("unknown-option", f"nights: expected {' or '.join(NIGHTS)}, not {value!r}")
    return str(value)


def _shared(value: object) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise _WrongError("bad-shared", f"shared: expected True or False, not {value!r}")
    return bool(value)


def _load(value: object) -> str | None:
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise _WrongError("bad-load", f"load: expected the name of a measure, not {value!r}")
    return None if value is None else str(value)


def _day_sets(value: object) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    found = {}
    for customer, given in _mapping("day_sets", value, "bad-day-sets").items():
        try:
            sets = [tuple(sorted({str(np.datetime64(to_day(day), "D")) for day in days})) for days in given]
        except (TypeError, ValueError) as error:
            message = f"day_sets: expected sets of days such as [['2026-01-05', '2026-01-08']] for {customer!r}"
            raise _WrongError("bad-day-sets", message) from error
        if not sets or not all(sets):
            raise _WrongError("bad-day-sets", f"day_sets: no set, or one without days, for {customer!r}")
        found[customer] = tuple(dict.fromkeys(sets))
    return MappingProxyType(found)


#: Setting to how it is read; the order in which faults are told.
POLICIES: Final[dict[str, Any]] = {
    "stretch": _stretch,
    "hot_days": lambda value: _whole("hot_days", value, 1, _MOST, "bad-lead-days", "days"),
    "warm_days": lambda value: _whole("warm_days", value, 1, _MOST, "bad-lead-days", "days"),
    "cold_detour_s": lambda value: _whole("cold_detour_s", value, 0, DAY_S, "bad-detour", "seconds"),
    "follow_up_days": _follow_ups,
    "remote": _remote,
    "service_by_kind": _service,
    "cover": _cover,
    "shared": _shared,
    "load": _load,
    "nights": _nights,
    "day_sets": _day_sets,
}


def read_policies(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Read the settings named in `POLICIES`: what can be kept of them, and everything that is wrong.

    Parameters
    ----------
    values : mapping of setting to what was given
        Of any of them.

    Returns
    -------
    read : dict
        Of the settings that are right: whole numbers, sorted tuples, mappings that cannot be written to.
    problems : list of Problem
    """
    read, problems = {}, []
    for name, reader in POLICIES.items():
        if name not in values:
            continue
        try:
            read[name] = reader(values[name])
        except _WrongError as wrong:
            problems.append(Problem(*wrong.args))
    return read, problems


def plain_policies(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as values of a JSON file: mappings as dictionaries, tuples as lists."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: plain(cell) for key, cell in value.items()}
        return [plain(cell) for cell in value] if isinstance(value, tuple) else value

    return {name: plain(value) for name, value in values.items()}
