from __future__ import annotations

import subprocess
import sys
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest

from territory.errors import InputError, MissingExtraError
from territory.geo.sphere import EARTH_RADIUS_M
from territory.model.places import PlaceKind, Places
from territory.travel.roads import RoadGraph

pytest.importorskip("osmium")

#: Degrees of 1 km on the equator.
KM = 1000.0 / (EARTH_RADIUS_M * np.pi / 180.0)


def tags_of(tags):
    return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())


@pytest.fixture
def write(tmp_path):
    """Return a function that writes nodes on a line, a kilometre from each to the next, and ways between them."""

    def written(*ways, nodes=None, name="town.osm", count=9):
        nodes = nodes or {}
        lines = [
            f'<node id="{i + 1}" version="1" lat="0" lon="{i * KM:.7f}">{tags_of(nodes.get(i, {}))}</node>'
            for i in range(count)
        ]
        for number, (refs, tags) in enumerate(ways):
            inside = "".join(f'<nd ref="{i + 1}"/>' for i in refs)
            lines.append(f'<way id="{number + 1}" version="1">{inside}{tags_of(tags)}</way>')
        path = tmp_path / name
        path.write_text(f'<osm version="0.6">{"".join(lines)}</osm>')
        return path

    return written


def km(*where):
    """Return places at kilometres of the line, as precise as nodes are in files."""
    lon = np.round(np.array(where) * KM, 7)
    return Places.of(PlaceKind.CUSTOMER, [str(i) for i in range(len(where))], lon, np.zeros(len(where)))


def seconds(graph, a, b):
    """Return seconds from one kilometre of the line to another; inf: no way."""
    return float(graph.raw_pairs(km(a), km(b)).seconds[0])


ROAD = {"highway": "tertiary"}


def test_speeds_by_class_and_limit(write):
    path = write(([0, 1], ROAD), ([1, 2], {"highway": "primary"}), ([2, 3], {**ROAD, "maxspeed": "100"}))
    graph = RoadGraph.from_osm(path)
    assert seconds(graph, 0, 1) == pytest.approx(3600 / 40, rel=1e-4)
    assert seconds(graph, 1, 2) == pytest.approx(3600 / 65, rel=1e-4)
    assert seconds(graph, 2, 3) == seconds(graph, 3, 2) == pytest.approx(3600 / 80, rel=1e-4)
    assert graph.raw_pairs(km(0), km(3)).metres[0] == pytest.approx(3000, rel=1e-4)
    assert graph.n_edges == 1
    assert graph.attribution == "© OpenStreetMap contributors, ODbL"
    slow = RoadGraph.from_osm(path, speeds={"tertiary": 20, "primary": 0})
    assert seconds(slow, 0, 1) == pytest.approx(3600 / 20, rel=1e-4)
    assert seconds(slow, 2, 3) == pytest.approx(3600 / 80, rel=1e-4)
    assert seconds(slow, 0, 2) == np.inf
    assert slow.fingerprint != graph.fingerprint == RoadGraph.from_osm(path).fingerprint
    with pytest.raises(InputError, match="no-roads"):
        RoadGraph.from_osm(path, speeds={"tertiary": 0, "primary": 0})


@pytest.mark.parametrize(
    ("tags", "there", "back"),
    [
        ({"oneway": "yes"}, True, False),
        ({"oneway": "-1"}, False, True),
        ({"oneway": "no"}, True, True),
        ({"junction": "roundabout"}, True, False),
        ({"highway": "motorway"}, True, False),
        ({"highway": "motorway", "oneway": "no"}, True, True),
    ],
)
def test_one_way_streets(write, tags, there, back):
    graph = RoadGraph.from_osm(write(([0, 1], ROAD), ([1, 2], {**ROAD, **tags}), ([2, 3], ROAD)))
    assert np.isfinite([seconds(graph, 0.2, 2.8), seconds(graph, 2.8, 0.2)]).tolist() == [there, back]


@pytest.mark.parametrize("tags", [{"highway": "motorway_link"}, {"motorroad": "yes"}, {"tunnel": "yes"}])
def test_nobody_stops_on_motorways_and_in_tunnels(write, tags):
    graph = RoadGraph.from_osm(write(([0, 1], ROAD), ([1, 3], {**ROAD, **tags}), ([3, 4], ROAD)))
    assert graph.snap(km(0.5, 1.4, 2.5)).moved_m.round(-1).tolist() == [0, 400, 500]
    assert np.isfinite(seconds(graph, 0.5, 3.5))


def test_bicycles_go_against_traffic_where_they_may_and_walkers_anywhere(write):
    closed = write(([0, 1], {**ROAD, "oneway": "yes"}), name="closed.osm")
    told = write(([0, 1], {**ROAD, "oneway": "yes", "oneway:bicycle": "no"}), name="told.osm")
    assert seconds(RoadGraph.from_osm(closed, mode="bicycle"), 0.8, 0.2) == np.inf
    assert seconds(RoadGraph.from_osm(told, mode="bicycle"), 0.8, 0.2) == pytest.approx(600 * 3.6 / 15, rel=1e-4)
    assert seconds(RoadGraph.from_osm(closed, mode="foot"), 0.8, 0.2) == pytest.approx(600 * 3.6 / 5, rel=1e-4)


def test_signals_and_junctions_cost_time_when_they_are_passed(write):
    nodes = {1: {"highway": "traffic_signals"}}
    path = write(([0, 1, 2, 3], ROAD), ([2, 8], ROAD), nodes=nodes)
    free = RoadGraph.from_osm(path, junction_s=0, signal_s=0)
    graph = RoadGraph.from_osm(path, junction_s=5, signal_s=20)
    assert seconds(graph, 0.5, 1.5) == pytest.approx(seconds(free, 0.5, 1.5) + 20)
    assert seconds(graph, 1.5, 2.5) == pytest.approx(seconds(free, 1.5, 2.5) + 5)
    assert seconds(graph, 0.5, 2.5) == pytest.approx(seconds(free, 0.5, 2.5) + 25)
    assert seconds(graph, 2.5, 0.5) == seconds(graph, 0.5, 2.5)
    # who starts or stops at it has half of it
    assert seconds(graph, 0.5, 1) == pytest.approx(seconds(free, 0.5, 1) + 10)
    assert seconds(graph, 1.2, 1.8) == seconds(free, 1.2, 1.8)


def test_barriers_stop_and_gates_delay(write):
    path = write(([0, 1, 2, 3], ROAD), nodes={1: {"barrier": "bollard"}, 2: {"barrier": "gate"}})
    car = RoadGraph.from_osm(path, junction_s=0)
    assert seconds(car, 0.5, 1.5) == np.inf
    assert seconds(car, 1.5, 2.5) == pytest.approx(3600 / 40 + 60, rel=1e-4)
    assert seconds(RoadGraph.from_osm(path, mode="foot"), 0.5, 2.5) == pytest.approx(2 * 3600 / 5, rel=1e-4)
    open_ = write(([0, 1, 2], ROAD), nodes={1: {"barrier": "bollard", "motor_vehicle": "yes"}}, name="open.osm")
    assert np.isfinite(seconds(RoadGraph.from_osm(open_), 0.5, 1.5))


def test_ferries_are_boarded_at_their_ends(write):
    path = write(([0, 1], ROAD), ([1, 2, 5], {"route": "ferry", "duration": "00:30"}), ([5, 6], ROAD))
    graph = RoadGraph.from_osm(path, junction_s=0)
    crossing = 1800 + 2 * 500 * 3.6 / 40
    assert seconds(graph, 0.5, 5.5) == seconds(graph, 5.5, 0.5) == pytest.approx(crossing, rel=1e-4)
    # nobody gets on midway: the nearer harbour it is, if it is near enough
    assert graph.snap(km(1.9, 4.5)).moved_m.tolist() == [pytest.approx(900, rel=1e-4), pytest.approx(500, rel=1e-4)]
    untold = RoadGraph.from_osm(write(([0, 1], ROAD), ([1, 2], {"route": "ferry"}), ([2, 3], ROAD)))
    assert seconds(untold, 0.5, 2.5) == pytest.approx(3600 / 5 + 1000 * 3.6 / 40, rel=1e-4)
    foot_only = write(([0, 1], ROAD), ([1, 2], {"route": "ferry", "motor_vehicle": "no"}), ([2, 3], ROAD))
    assert seconds(RoadGraph.from_osm(foot_only), 0.5, 2.5) == np.inf


def test_ways_that_leave_the_extract_end_at_its_border(write):
    path = write(([0, 1, 20, 2, 3], ROAD))
    graph = RoadGraph.from_osm(path)
    assert graph.n_edges == 2
    assert seconds(graph, 0, 1) == pytest.approx(90, rel=1e-4)
    assert seconds(graph, 1, 2) == np.inf


def test_what_is_closed_is_not_used(write):
    ways = ([0, 1], {**ROAD, "access": "private"}), ([1, 2], {**ROAD, "motor_vehicle": "no"}), ([2, 3], ROAD)
    graph = RoadGraph.from_osm(write(*ways))
    assert (graph.n_edges, graph.n_junctions) == (1, 2)
    assert RoadGraph.from_osm(write(*ways), mode="foot").raw_pairs(km(1), km(3)).metres[0] == pytest.approx(
        2000, rel=1e-4
    )


PILLAR = b"""<osm version="0.6"><node id="1" lat="47" lon="9"/>
<way id="1"><nd ref="1"/><nd ref="1"/><tag k="highway" v="residential"/></way></osm>"""


@pytest.mark.parametrize("speeds", ["50", [50], 50, [("residential", 50)]])
def test_speeds_are_a_mapping(tmp_path, speeds):
    with pytest.raises(InputError, match="speeds-type"):
        RoadGraph.from_osm(tmp_path / "none.osm", speeds=speeds)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.osm.pbf", b"", "empty-file"),
        ("text.osm.pbf", b"hello world" * 40, "osm-unreadable"),
        ("page.osm", b"<html><body>404</body></html>", "osm-unreadable"),
        ("torn.osm", b'<osm version="0.6"><node id="1" lat="1"', "osm-unreadable"),
        ("notes.txt", b"some text", "osm-unreadable"),
        ("sea.osm", b'<osm version="0.6"></osm>', "no-roads"),
        ("pillar.osm", PILLAR, "no-roads"),
        ("odd.osm", b'<osm version="0.6"><node id="1" lat="x" lon="y"/></osm>', "osm-unreadable"),
    ],
)
def test_files_that_are_no_sound_extract_are_refused(tmp_path, name, content, code):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        RoadGraph.from_osm(path)
    assert error.value.codes == (code,)
    assert name in str(error.value)


def test_torn_extracts_and_missing_files_are_refused(real_data, tmp_path):
    whole = (real_data / "osm" / "andorra.osm.pbf").read_bytes()
    for size in (10, 1000, len(whole) // 2, len(whole) - 1):
        path = tmp_path / "torn.osm.pbf"
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match="osm-unreadable"):
            RoadGraph.from_osm(path)
    for path in (tmp_path / "none.osm.pbf", tmp_path):
        with pytest.raises(InputError, match="no-such-file"):
            RoadGraph.from_osm(path)


def test_all_parameters_that_are_wrong_are_told_at_once(write):
    path = write(([0, 1], ROAD))
    with pytest.raises(InputError) as error:
        RoadGraph.from_osm(path, mode="boat", junction_s=-1, signal_s=float("nan"), speeds={"primary": 1000, "x": "5"})
    assert sorted(error.value.codes) == [
        "speed-out-of-range", "speed-out-of-range", "unknown-mode", "wait-out-of-range", "wait-out-of-range",
    ]  # fmt: skip
    with pytest.raises(InputError, match="most-moved-out-of-range"):
        RoadGraph.from_osm(path, most_moved_m=-1)


def test_the_missing_package_is_named(write, monkeypatch):
    path = write(([0, 1], ROAD))
    monkeypatch.setitem(sys.modules, "osmium", None)
    with pytest.raises(MissingExtraError, match=r"territory\[road\]"):
        RoadGraph.from_osm(path)


def test_nothing_of_it_is_imported_before_it_is_used():
    code = (
        "import sys, territory.travel.roads; "
        "print([x for x in ('osmium', 'shapely', 'networkx', 'numba', 'scipy', 'pandas') if x in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
