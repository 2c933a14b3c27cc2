"""From visit intervals to a calendar and its routes."""

from __future__ import annotations

from territory.schedule.cadence import due_visits
from territory.schedule.calendar import schedule_visits
from territory.schedule.changes_apply import apply_change
from territory.schedule.shifts import work_shifts
from territory.schedule.whole import plan

__all__ = ["apply_change", "due_visits", "plan", "schedule_visits", "work_shifts"]
