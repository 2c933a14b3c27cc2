"""From columns to tables: ragged columns out of their text form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from territory.model.customers import Customers
from territory.model.dated import DatedHours
from territory.model.hours import WeeklyHours
from territory.model.ragged import DateRanges, TextSets
from territory.model.reps import Reps

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["make_tables"]


def make_tables(customers: Mapping[str, Any], reps: Mapping[str, Any]) -> tuple[Customers, Reps]:
    """Build both tables from columns whose hours, dates and sets are text."""
    ragged = {
        "opening_hours": WeeklyHours.from_text,
        "hours_exceptions": DatedHours.from_text,
        "call_blocks": DateRanges.from_text,
        "required_skills": TextSets.from_text,
        "shift": WeeklyHours.from_text,
        "shift_exceptions": DatedHours.from_text,
        "leave": DateRanges.from_text,
        "skills": TextSets.from_text,
    }

    def read(columns: Mapping[str, Any]) -> dict[str, Any]:
        return {name: ragged[name](values) if name in ragged else values for name, values in columns.items()}

    return Customers(**read(customers)), Reps(**read(reps))
