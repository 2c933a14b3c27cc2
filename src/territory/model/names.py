"""Which column of a dataframe each column of a table is read from."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from territory.errors import Problem
from territory.model.columns import columns_of
from territory.model.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MEASURE", "check_measure", "has_measures", "near_names", "required_columns", "resolve"]

#: Begins the internal names of balance measures, which share a name space with nothing.
MEASURE: Final = "measures."
#: Names that balance has a meaning for already.
_RESERVED: Final = ("count",)
_REQUIRED: Final[dict[type, tuple[str, ...]]] = {}
_SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "lon": ("longitude", "lng", "long", "x"),
    "lat": ("latitude", "y"),
    "id": ("customer_id", "rep_id", "account"),
}


def has_measures(cls: type) -> bool:
    """Return whether a table class has balance measures."""
    return "measures" in {f.name for f in dataclasses.fields(cls)}


def required_columns(cls: type) -> tuple[str, ...]:
    """Return the columns that a table cannot be without; looked up once."""
    if cls not in _REQUIRED:
        declared = [f for f in dataclasses.fields(cls) if "column" in f.metadata]
        _REQUIRED[cls] = tuple(f.name for f in declared if f.default is dataclasses.MISSING)
    return _REQUIRED[cls]


def check_measure(name: object, cls: type) -> Problem | None:
    """Return what is wrong with the name of a measure, if anything."""
    if not isinstance(name, str) or not name.strip():
        return Problem("bad-measure", f"the name of a measure is text, not {name!r}")
    if name in columns_of(cls) or name in _RESERVED:
        hint = "It needs no declaration: balance by it as it is." if name in ("workload_s", "deal_value") else None
        return Problem(
            "bad-measure",
            f"{name!r} is a column already, or a word of its own, and no name for a measure",
            column=name,
            hint=hint or "Choose another name: measures={'other name': 'column'}.",
        )
    return None


def resolve(
    cls: type,
    subject: str,
    there: list[str],
    *,
    columns: Mapping[str, str | None] | None,
    preset: str | None,
    measures: Iterable[str] | Mapping[str, str],
    problems: list[Problem],
) -> dict[str, str]:
    """Return which column of the frame each of ours is read from; what is wrong goes to `problems`."""
    specs = columns_of(cls)
    names: dict[str, str] = {name: name for name in specs if name in there}
    if preset is not None:
        if preset not in PRESETS:
            problems.append(Problem("unknown-preset", f"{preset!r} is none of {', '.join(PRESETS)}"))
        for name, candidates in PRESETS.get(preset, {}).items():
            found = next((c for c in candidates if c in there), None)
            if name in specs and found is not None:
                names.setdefault(name, found)
    if isinstance(measures, str):
        problems.append(Problem("unknown-option", f"measures: expected names in a list, not {measures!r}"))
        measures = ()
    pairs = dict(measures) if isinstance(measures, Mapping) else {m: m for m in measures}
    if pairs and not has_measures(cls):
        problems.append(Problem("unknown-option", f"{subject} have no measures"))
        pairs = {}
    problems += [p for p in (check_measure(name, cls) for name in pairs) if p is not None]
    for name, at in {**(columns or {}), **{f"{MEASURE}{name}": at for name, at in pairs.items()}}.items():
        if name not in specs and not name.startswith(MEASURE):
            near = difflib.get_close_matches(name, specs, 1)
            problems.append(
                Problem(
                    "unknown-column", f"{subject} have no column {name!r}", hint=f"Maybe {near[0]}?" if near else None
                )
            )
        elif at is None:
            names.pop(name, None)
        elif at not in there:
            problems.append(_missing(at, there, name.removeprefix(MEASURE)))
        else:
            names[name] = at
    named = {p.column for p in problems}
    problems += [
        _missing(name, there, name) for name in required_columns(cls) if name not in names and name not in named
    ]
    return names


def _missing(at: str, there: Sequence[str], name: str) -> Problem:
    folded = {t.casefold(): t for t in there}
    near = [folded[s] for s in (at.casefold(), *_SYNONYMS.get(name, ())) if s in folded]
    near = near or [folded[m] for m in difflib.get_close_matches(at.casefold(), folded, 1)]
    hint = f'Maybe columns={{"{name}": "{near[0]}"}}?' if near else f'Name it: columns={{"{name}": "..."}}.'
    listed = ", ".join(there[:20]) + (", ..." if len(there) > 20 else "")
    return Problem("missing-column", f"no column {at!r}; there are: {listed or 'none'}", column=name, hint=hint)


def near_names(cls: type, ignored: Iterable[str]) -> str:
    """Return which of a table's columns the ignored ones may have been meant for, as text to append."""
    known = list(columns_of(cls))
    near = {name: difflib.get_close_matches(name.lower(), known, 1, 0.8) for name in ignored}
    found = [f"{name} (maybe {match[0]}?)" for name, match in near.items() if match]
    return "; " + ", ".join(found) if found else ""
