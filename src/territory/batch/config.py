"""The configuration of the nightly batch: read, and everything that is wrong with it told at once."""

from __future__ import annotations

import datetime as dt
import difflib
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from territory.batch.config_keys import KEYS, SECTIONS, SERVERS, Key
from territory.errors import InputError, Problem

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["NightConfig", "read_config"]


@dataclass(frozen=True, slots=True)
class NightConfig:
    """A configuration that was read.

    Attributes
    ----------
    path : Path
        Of the file.
    values : mapping of key to value
        By full names (``"run.jobs"``), defaults filled in; paths are absolute.
    given : frozenset of str
        The keys that the file has.
    """

    path: Path
    values: Mapping[str, Any]
    given: frozenset[str] = field(default_factory=frozenset)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def section(self, name: str) -> dict[str, Any]:
        """Return the keys of one table that have values, by their names in it."""
        prefix = f"{name}."
        return {
            key.removeprefix(prefix): value for key, value in self.values.items()
            if key.startswith(prefix) and value is not None
        }  # fmt: skip


def read_config(path: str | os.PathLike[str]) -> NightConfig:
    """Read and check a configuration.

    Parameters
    ----------
    path : path
        A file in TOML; see `territory.batch.config_keys` for its keys. Paths in it are relative to it.

    Returns
    -------
    NightConfig

    Raises
    ------
    InputError
        It cannot be read; or every key that is unknown, missing, of a wrong type or out of range, and every file that
        is not there, at once.
    """
    file = Path(path).absolute()
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problem = Problem("no-such-file", f"there is no file {str(path)!r}", hint="territory batch --example-config")
        raise InputError([problem], "configuration") from None
    except (OSError, ValueError) as error:  # no TOML and no UTF-8 are both kinds of ValueError
        raise InputError([Problem("not-toml", f"cannot be read: {error}")], f"configuration {file.name}") from error
    problems: list[Problem] = []
    found = _flat(content, problems)
    values = {}
    for key in KEYS:
        if key.path in found:
            values[key.path] = _read(key, found[key.path], file.parent, problems)
        else:
            values[key.path] = key.default
            if key.required:
                problems.append(Problem("missing-key", "is required", key.path))
    _together(values, frozenset(found), problems)
    if problems:
        raise InputError(problems, f"configuration {file.name}")
    return NightConfig(file, values, frozenset(found))


def _flat(content: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Return the values of the known keys by their full names."""
    found = {}
    for name, value in content.items():
        if name in SECTIONS and isinstance(value, dict):
            found.update({f"{name}.{inner}": one for inner, one in value.items()})
        elif name in SECTIONS:
            problems.append(Problem("wrong-type", f"expected a table, [{name}], not {value!r}", name))
        elif isinstance(value, dict) and name not in {key.path for key in KEYS}:
            near = difflib.get_close_matches(name, [s for s in SECTIONS if s], 1)
            hint = f"Maybe [{near[0]}]?" if near else f"There are {', '.join(s for s in SECTIONS if s)}."
            problems.append(Problem("unknown-table", "there is no such table", f"[{name}]", hint=hint))
        else:
            found[name] = value
    known = {key.path: key for key in KEYS}
    for name in [name for name in found if name not in known]:
        problems.append(Problem("unknown-key", "there is no such key", name, hint=_meant(name)))
        del found[name]
    return found


def _meant(name: str) -> str | None:
    """Return what an unknown key may mean: one of its own table, or one of its name in another."""
    section, _, last = name.rpartition(".")
    elsewhere = [key.path for key in KEYS if key.name == last]
    own = [key.name for key in KEYS if key.section == section]
    near = [f"{section}.{one}" if section else one for one in difflib.get_close_matches(last, own, 1)]
    near = near or elsewhere or difflib.get_close_matches(name, [key.path for key in KEYS], 1)
    return f"Maybe {near[0]}?" if near else None


# -- values ------------------------------------------------------------------------------------


class _WrongError(Exception):
    """What is wrong with a value: a code, a sentence, perhaps a hint."""


def _read(key: Key, value: Any, folder: Path, problems: list[Problem]) -> Any:
    try:
        return _READERS[key.kind](key, value, folder)
    except _WrongError as error:
        code, message, *hint = error.args
        problems.append(Problem(code, message, key.path, hint=hint[0] if hint else None))
        return key.default


def _text(key: Key, value: Any, _folder: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _WrongError("wrong-type", f"expected text, not {value!r}")
    if key.choices and value not in key.choices:
        near = difflib.get_close_matches(value, key.choices, 1)
        hint = (f"Maybe {near[0]!r}?",) if near else ()
        raise _WrongError("unknown-option", f"expected {' or '.join(key.choices)}, not {value!r}", *hint)
    return value


def _path(key: Key, value: Any, folder: Path) -> Path:
    text = _text(key, value, folder)
    if "\0" in text:
        raise _WrongError("wrong-type", f"expected a path, not {value!r}")
    return folder / Path(text).expanduser()


def _input(key: Key, value: Any, folder: Path) -> Path:
    path = _path(key, value, folder)
    if not path.is_file():
        raise _WrongError("no-such-file", f"there is no file {str(path)!r}", *_neighbour(path))
    return path


def _place(key: Key, value: Any, folder: Path) -> Path:
    path = _path(key, value, folder)
    if not path.is_dir():
        raise _WrongError("no-such-folder", f"there is no folder {str(path)!r}", *_neighbour(path))
    return path


def _neighbour(path: Path) -> tuple[str, ...]:
    there = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, there, 1)
    return (f"Maybe {near[0]!r}?",) if near else ()


def _number(key: Key, value: Any, _folder: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        hint = ("Maybe without quotes?",) if isinstance(value, str) else ()
        raise _WrongError("wrong-type", f"expected a number, not {value!r}", *hint)
    low = key.low is not None and (value < key.low or (key.above and value == key.low))
    if low or (key.high is not None and value > key.high):
        least = "" if key.low is None else f"{'more than' if key.above else 'at least'} {key.low:g}"
        most = "" if key.high is None else f"at most {key.high:,.15g}"
        raise _WrongError("out-of-range", f"expected {' and '.join(filter(None, (least, most)))}, not {value!r}")
    return value


def _whole(key: Key, value: Any, folder: Path) -> int:
    number = _number(key, value, folder)
    if number != int(number):
        raise _WrongError("wrong-type", f"expected a whole number, not {value!r}")
    return int(number)


def _list(value: Any, of_what: str) -> list[Any]:
    if not isinstance(value, list):
        raise _WrongError("wrong-type", f"expected a list of {of_what}, not {value!r}", "Write it in [ ].")
    return value


def _texts(key: Key, value: Any, folder: Path) -> list[str]:
    return [_text(key, one, folder) for one in _list(value, "texts")]


def _wholes(key: Key, value: Any, folder: Path) -> list[int]:
    return [_whole(key, one, folder) for one in _list(value, "whole numbers")]


def _days(_key: Key, value: Any, _folder: Path) -> list[str]:
    days = []
    for one in _list(value, "days"):
        # TOML has dates of its own
        text = one.isoformat() if isinstance(one, dt.date) and not isinstance(one, dt.datetime) else one
        try:
            days.append(dt.date.fromisoformat(text).isoformat())
        except (TypeError, ValueError):
            raise _WrongError("not-a-date", f"expected days such as 2026-04-03, not {one!r}") from None
    return days


def _zone(key: Key, value: Any, folder: Path) -> str:
    name = _text(key, value, folder)
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        from zoneinfo import available_timezones  # noqa: PLC0415 - reads hundreds of files

        near = difflib.get_close_matches(name, available_timezones(), 1)
        hint = (f"Maybe {near[0]}?",) if near else ()
        raise _WrongError("unknown-timezone", f"there is no time zone {name!r}", *hint) from None
    return name


def _table(value: Any, of_what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _WrongError("wrong-type", f"expected a table of {of_what}, not {value!r}", 'Write { "name" = ... }.')
    return value


def _words(key: Key, value: Any, folder: Path) -> dict[str, str]:
    return {name: _text(key, one, folder) for name, one in _table(value, "texts").items()}


def _lists(key: Key, value: Any, folder: Path) -> dict[str, list[str]]:
    return {name: _texts(key, one, folder) for name, one in _table(value, "lists of texts").items()}


def _lengths(key: Key, value: Any, folder: Path) -> dict[str, int]:
    return {name: _whole(key, one, folder) for name, one in _table(value, "whole numbers").items()}


_READERS: Any = {
    "text": _text, "path": _path, "input": _input, "place": _place, "number": _number, "whole": _whole,
    "texts": _texts, "wholes": _wholes, "days": _days, "zone": _zone, "words": _words, "lists": _lists,
    "lengths": _lengths,
}  # fmt: skip


# -- what keys mean together -------------------------------------------------------------------


def _together(values: dict[str, Any], given: frozenset[str], problems: list[Problem]) -> None:
    """Note what is wrong with keys beside each other: those that would do nothing, and those that others need."""

    def wrong(name: str, message: str) -> None:
        problems.append(Problem("keys-disagree", message, name))

    kind = values["travel.kind"]
    for key in KEYS:
        if key.travel and key.path in given and kind not in key.travel:
            wrong(key.path, f"means nothing with travel.kind = {kind!r}, only with {' or '.join(key.travel)}")
    needed = {"matrix": "travel.file", "osm": "travel.file", **dict.fromkeys(SERVERS, "travel.url")}.get(kind, "out")
    if needed not in given and needed != "out":
        problems.append(Problem("missing-key", f"is required with travel.kind = {kind!r}", needed))
    if ("territories.plan" in given) != (values["territories.from"] == "plan"):
        wrong("territories.plan", "goes with territories.from = 'plan', and that with it")
    if "previous.freeze_days" in given and values["previous.use"] == "none":
        wrong("previous.freeze_days", "means nothing without a previous plan")
    if "output.name" in given and "output.metrics" not in given:
        wrong("output.name", "means nothing without output.metrics")
    if kind == "osm" and "travel.data_version" in given and "travel.cache" not in given:
        wrong("travel.data_version", "means nothing without travel.cache")
    if "run.ray_address" in given and values["run.executor"] != "ray":
        wrong("run.ray_address", "means nothing without run.executor = 'ray'")
    if values["run.executor"] == "ray":
        for name in ("run.memory_limit_gb", "run.jobs"):
            if name in given:
                wrong(name, "means nothing with run.executor = 'ray'")
    _out_of_range(values, problems)


def _out_of_range(values: dict[str, Any], problems: list[Problem]) -> None:
    if values["run.jobs"] == 0:
        problems.append(Problem("out-of-range", "expected -1, or at least 1, not 0", "run.jobs"))
    metrics = values["output.metrics"]
    if metrics is not None and metrics.suffix != ".prom":
        # the collector reads nothing else
        problems.append(Problem("unknown-format", f"expected a name in .prom, not {metrics.name!r}", "output.metrics"))
