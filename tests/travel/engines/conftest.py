"""Two towns on islands, as an extract of OpenStreetMap: no bridge, no ferry.

Streets are a grid, which OSRM makes ready for MLD at once, but for CH not within minutes.
"""

from __future__ import annotations

import pytest

#: Streets a side: a part of a network with fewer than 1,000 junctions is none for OSRM.
SIDE = 36
#: Degrees between streets, some 100 m.
STEP = 0.001
#: South-western corners of the towns, (lon, lat).
CORNERS = ((9.5, 47.0), (9.8, 47.0))


@pytest.fixture(scope="session")
def islands(tmp_path_factory):
    """Return the path of the extract: streets run east and north, and the southernmost is one-way, to the east."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="a test">']
    ways = []
    for town, (lon, lat) in enumerate(CORNERS):
        first = 1 + town * SIDE * SIDE
        for row in range(SIDE):
            for column in range(SIDE):
                at = f'lat="{lat + row * STEP:.6f}" lon="{lon + column * STEP:.6f}"'
                lines.append(f'<node id="{first + row * SIDE + column}" version="1" {at}/>')
        for i in range(SIDE):
            ways.append(([first + i * SIDE + column for column in range(SIDE)], i == 0))
            ways.append(([first + row * SIDE + i for row in range(SIDE)], False))
    for number, (nodes, one_way) in enumerate(ways, 1):
        lines.append(f'<way id="{number}" version="1">')
        lines += [f'<nd ref="{node}"/>' for node in nodes]
        lines.append('<tag k="highway" v="residential"/>')
        if one_way:
            lines.append('<tag k="oneway" v="yes"/>')
        lines.append("</way>")
    lines.append("</osm>")
    path = tmp_path_factory.mktemp("extract") / "islands.osm"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def graphs(tmp_path_factory):
    """Return a folder for graphs."""
    return tmp_path_factory.mktemp("graphs")
