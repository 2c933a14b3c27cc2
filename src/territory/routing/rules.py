"""What a routing problem must keep before any engine sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from territory.errors import Problem

if TYPE_CHECKING:
    from territory.routing.problem import RoutingProblem

__all__ = ["broken_rules"]


def broken_rules(problem: RoutingProblem) -> list[Problem]:
    """Return every broken rule."""
    return []
