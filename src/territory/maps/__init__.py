"""Pictures and reports: maps of territories and routes, a report of a plan in one file, tables for notebooks.

Everything here is loaded when it is first used. Only the ``plot_...`` functions need matplotlib
(``pip install 'territory[maps]'``); the report and the tables need nothing beyond the core.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from territory.maps.calendar import plot_calendar
    from territory.maps.load import plot_load
    from territory.maps.plan_tables import plan_changes_html, plan_report_html
    from territory.maps.report import report_html, write_report
    from territory.maps.static import plot_alignment, plot_route
    from territory.maps.tables import alignment_html, plan_html

__all__ = [
    "alignment_html",
    "plan_changes_html",
    "plan_html",
    "plan_report_html",
    "plot_alignment",
    "plot_calendar",
    "plot_load",
    "plot_route",
    "report_html",
    "write_report",
]

_PUBLIC = {
    "alignment_html": "tables",
    "plan_changes_html": "plan_tables",
    "plan_html": "tables",
    "plan_report_html": "plan_tables",
    "plot_alignment": "static",
    "plot_calendar": "calendar",
    "plot_load": "load",
    "plot_route": "static",
    "report_html": "report",
    "write_report": "report",
}


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        msg = f"module 'territory.maps' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"territory.maps.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
