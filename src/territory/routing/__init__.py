"""In what order, at what time: one rep's day."""

from __future__ import annotations

from territory.routing.day import route_day

__all__ = ["route_day"]
