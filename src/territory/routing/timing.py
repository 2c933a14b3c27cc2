"""Times of a route from Python: `territory.routing.clock` and `sweeps` for a layout at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from territory.compiled import plain
from territory.compiled.tables import Tables
from territory.routing import clock, sweeps
from territory.routing.layout import LAYOUT_ARRAYS, Layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["backward", "clock_tables", "evaluate", "forward"]


def clock_tables(layout: Layout, bounds: NDArray[Any]) -> Tables:
    """Return the table that the kernels of `territory.routing.clock` and `sweeps` take.

    Parameters
    ----------
    layout : Layout
    bounds : int64 array of shape (V, 2)
        Earliest and latest start of linked visits.
    """
    return Tables((*layout[:LAYOUT_ARRAYS], bounds))


def _row(route: Any) -> NDArray[np.int32]:
    return plain(route, np.int32)


def evaluate(layout: Layout, bounds: NDArray[Any], *arguments: Any) -> bool:
    """Time and cost one route, see `territory.routing.clock.evaluate`."""
    return bool(clock.evaluate(clock_tables(layout, bounds).table, arguments[0], _row(arguments[1]), *arguments[2:]))


def forward(layout: Layout, bounds: NDArray[Any], *arguments: Any) -> None:
    """Fill in earliest times, see `territory.routing.sweeps.forward`."""
    sweeps.forward(clock_tables(layout, bounds).table, arguments[0], _row(arguments[1]), *arguments[2:])


def backward(layout: Layout, bounds: NDArray[Any], *arguments: Any) -> None:
    """Fill in latest times, see `territory.routing.sweeps.backward`."""
    sweeps.backward(clock_tables(layout, bounds).table, arguments[0], _row(arguments[1]), *arguments[2:])
