"""A contiguity graph as plain values for a JSON file, and back."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from territory.errors import Problem
from territory.geo.contiguity import ContiguityGraph

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["graph_state", "restore_graph"]


def graph_state(graph: ContiguityGraph | None) -> dict[str, Any] | None:
    """Return a graph as plain values; barriers as well-known binary, which keeps every digit."""
    if graph is None:
        return None
    arrays = {name: getattr(graph, name) for name in ("indptr", "indices", "site", "bridges", "border_m")}
    return {
        **{name: None if values is None else values.tolist() for name, values in arrays.items()},
        "kind": graph.kind,
        "islands": graph.islands,
        "barriers": [barrier.wkb_hex for barrier in graph.barriers],
        "diagnostics": [{**dataclasses.asdict(p), "rows": list(p.rows)} for p in graph.diagnostics],
    }


def restore_graph(values: Mapping[str, Any] | None) -> ContiguityGraph | None:
    """Return what `graph_state` was made of.

    Raises
    ------
    InputError
        Values that were edited, and are no symmetric graph any more.
    """
    if values is None:
        return None
    barriers: tuple[Any, ...] = ()
    if values["barriers"]:
        import shapely  # noqa: PLC0415 - only where there are barriers

        barriers = tuple(shapely.from_wkb(values["barriers"]))
    return ContiguityGraph(
        indptr=np.array(values["indptr"], dtype=np.int32),
        indices=np.array(values["indices"], dtype=np.int32),
        site=np.array(values["site"], dtype=np.int32),
        kind=values["kind"],
        border_m=None if values["border_m"] is None else np.array(values["border_m"], dtype=np.float64),
        islands=values["islands"],
        barriers=barriers,
        bridges=np.array(values["bridges"], dtype=np.int32).reshape(-1, 2),
        diagnostics=tuple(Problem(**{**p, "rows": tuple(p["rows"])}) for p in values["diagnostics"]),
    )
