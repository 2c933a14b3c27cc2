"""Contiguity graphs as plain values."""

from __future__ import annotations

import json

import numpy as np
import pytest
from shapely import LineString

from territory import InputError, contiguity_graph
from territory.io.graph_state import graph_state, restore_graph
from territory.io.plan_state import alignment_state, restore_alignment
from territory.testing import ascii_map

MAP = ascii_map("AAB/A#B")


def through_json(graph):
    return restore_graph(json.loads(json.dumps(graph_state(graph), allow_nan=False)))


@pytest.mark.parametrize("graph", [
    None,
    MAP.graph("delaunay", islands="parts"),
    MAP.graph("rook", bridges=[("r0c0", "r1c2")]),
    contiguity_graph(MAP.customers, barriers=LineString([(10.1 / 3, 0.1), (11, 1 / 3)])),
    contiguity_graph(MAP.customers, [("r0c0", "r0c0")]),
], ids=repr)  # fmt: skip
def test_what_is_written_is_read(graph):
    again = through_json(graph)
    if graph is None:
        assert again is None
        return
    for name in ("indptr", "indices", "site", "bridges", "border_m"):
        assert np.array_equal(getattr(again, name), getattr(graph, name))
    assert (again.kind, again.islands, again.barriers, again.diagnostics) == (
        graph.kind, graph.islands, graph.barriers, graph.diagnostics
    )  # fmt: skip


def test_what_was_edited_into_nonsense_is_refused():
    values = graph_state(MAP.graph())
    values["indices"][0] = 4
    with pytest.raises(InputError):
        restore_graph(values)


def test_alignments_keep_their_graph():
    alignment = MAP.alignment(graph=MAP.graph("delaunay"))
    values = json.loads(json.dumps(alignment_state(alignment)))
    cells = {name: list(values) for name, values in alignment.to_dict().items()}
    again = restore_alignment(values, cells, MAP.customers, None)
    assert again.graph.barriers == alignment.graph.barriers
    del values["graph"]
    assert restore_alignment(values, cells, MAP.customers, None).graph is None
