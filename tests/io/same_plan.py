"""Whether two plans are the same, to the last column."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.io.rules_state import rules_state

if TYPE_CHECKING:
    from pathlib import Path

    from territory.model import Plan


def listed(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=one.dtype.kind in "fM")
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124 - NaN


def assert_same_plan(one: Plan, other: Plan) -> None:
    assert (one.visits is None) == (other.visits is None)
    for name in ("customers", "reps", "stops", "routes", "unassigned", *(["visits"] if one.visits is not None else [])):
        mine, theirs = getattr(one, name), getattr(other, name)
        assert mine.equals(theirs), name
        assert mine.diagnostics == theirs.diagnostics
    assert one.settings.to_dict() == other.settings.to_dict()
    assert (one.status, one.diagnostics) == (other.status, other.diagnostics)
    assert one.summary() == other.summary()
    assert (one.alignment is None) == (other.alignment is None)
    if one.alignment is not None and other.alignment is not None:
        for field in dataclasses.fields(one.alignment):
            mine, theirs = getattr(one.alignment, field.name), getattr(other.alignment, field.name)
            if field.name in ("customers", "reps"):
                assert mine is theirs or mine.equals(theirs)
            elif field.name == "rules":
                assert rules_state(mine) == rules_state(theirs)
            elif field.name == "targets":
                assert list(mine) == list(theirs)
                assert all(same(mine[k], theirs[k]) for k in mine)
            else:
                assert same(mine, theirs), field.name
