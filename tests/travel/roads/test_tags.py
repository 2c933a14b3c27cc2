from __future__ import annotations

import pytest

from territory.travel.roads.tags import Pass, Rules, duration_s, limit_km_h


def used(mode, **tags):
    """Return km/h forward and backward; None: not used. A double underscore stands for a colon."""
    found = Rules(mode, {}, 2.0).way({key.replace("__", ":"): value for key, value in tags.items()})
    return None if found is None else (found.forward_km_h, found.backward_km_h)


@pytest.mark.parametrize(
    ("told", "km_h"),
    [
        ("50", 50), (" 30 ", 30), ("30 mph", 48.28), ("30mph", 48.28), ("50 km/h", 50), ("10 knots", 18.52),
        ("80;60", 60), ("80|100", 80), ("walk", 5), ("none", 140), ("DE:urban", 50), ("CH:rural", 80),
        ("RO:motorway", 130), ("DE:zone30", 30), ("DE:zone:30", 0), ("signals", 0), ("variable", 0), ("", 0),
        ("fast", 0), ("0", 0), ("-50", 0), ("5e3", 0),
    ],
)  # fmt: skip
def test_limits(told, km_h):
    assert limit_km_h(told) == pytest.approx(km_h, abs=0.01)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("20", 1200), ("0:20", 1200), ("1:05:30", 3930), ("PT20M", 1200), ("PT1H", 3600), ("P1DT1S", 86401),
        ("", 0), ("ca. 20", 0), ("20 min", 0), ("-5", 0),
    ],
)  # fmt: skip
def test_durations(told, seconds):
    assert duration_s(told) == seconds


@pytest.mark.parametrize(
    ("mode", "tags", "km_h"),
    [
        ("car", {"highway": "residential"}, (25, 25)),
        ("car", {"highway": "residential", "maxspeed": "50"}, (40, 40)),
        ("car", {"highway": "primary", "maxspeed": "100", "maxspeed__backward": "50"}, (80, 40)),
        ("car", {"highway": "primary", "maxspeed": "signals", "maxspeed__type": "AT:rural"}, (80, 80)),
        ("car", {"highway": "primary", "surface": "gravel"}, (40, 40)),
        ("car", {"highway": "track"}, None),
        ("car", {"highway": "track", "motor_vehicle": "yes"}, (10, 10)),
        ("car", {"highway": "track", "motor_vehicle": "agricultural"}, None),
        ("car", {"highway": "residential", "access": "no", "motorcar": "yes"}, (25, 25)),
        ("car", {"highway": "residential", "access": "destination"}, (25, 25)),
        ("car", {"highway": "service", "service": "emergency_access"}, None),
        ("car", {"highway": "service", "smoothness": "impassable"}, None),
        ("car", {"highway": "footway"}, None),
        ("car", {"highway": "construction"}, None),
        ("car", {"highway": "primary", "oneway": "reversible"}, None),
        ("car", {"highway": "pedestrian", "area": "yes", "motor_vehicle": "yes"}, None),
        ("car", {"route": "hiking"}, None),
        ("car", {"building": "yes"}, None),
        ("car", {"route": "shuttle_train"}, (10, 10)),
        ("bicycle", {"highway": "cycleway", "maxspeed": "5"}, (15, 15)),
        ("bicycle", {"highway": "motorway"}, None),
        ("bicycle", {"highway": "trunk"}, None),
        ("bicycle", {"highway": "footway"}, (4, 4)),
        ("bicycle", {"highway": "footway", "bicycle": "yes"}, (15, 15)),
        ("bicycle", {"highway": "cycleway", "bicycle": "dismount"}, (4, 4)),
        ("bicycle", {"highway": "primary", "bicycle": "use_sidepath"}, None),
        ("bicycle", {"highway": "track", "surface": "dirt"}, (8, 8)),
        ("bicycle", {"highway": "residential", "oneway": "yes", "cycleway": "opposite_lane"}, (15, 15)),
        ("bicycle", {"highway": "residential", "oneway": "yes", "cycleway__left__oneway": "-1"}, (15, 15)),
        ("bicycle", {"highway": "residential", "oneway": "-1"}, (0, 15)),
        ("bicycle", {"highway": "cycleway", "oneway": "no", "oneway__bicycle": "yes"}, (15, 0)),
        ("foot", {"highway": "residential", "oneway": "yes"}, (5, 5)),
        ("foot", {"highway": "footway", "oneway__foot": "yes"}, (5, 0)),
        ("foot", {"highway": "path", "surface": "sand"}, (2.5, 2.5)),
        ("foot", {"highway": "motorway"}, None),
        ("foot", {"highway": "primary", "motorroad": "yes"}, None),
        ("foot", {"highway": "primary", "foot": "no"}, None),
        ("foot", {"highway": "residential", "vehicle": "no"}, (5, 5)),
    ],
)
def test_ways(mode, tags, km_h):
    assert used(mode, **tags) == km_h


def test_ferries():
    rules = Rules("car", {}, 2.0)
    assert rules.way({"route": "ferry", "duration": "0:10"}) == Pass(5.0, 5.0, 600.0, midway=False)
    assert rules.way({"route": "ferry", "oneway": "yes"}) == Pass(5.0, 0.0, 0.0, midway=False)
    assert rules.way({"route": "ferry", "vehicle": "no"}) is None
    assert rules.way({"highway": "motorway"}) == Pass(90.0, 0.0, midway=False)
    assert rules.way({"highway": "service", "tunnel": "building_passage"}) == Pass(15.0, 15.0)


@pytest.mark.parametrize(
    ("mode", "tags", "closed", "wait"),
    [
        ("car", {"highway": "traffic_signals"}, False, 2.0),
        ("car", {"barrier": "bollard"}, True, 0.0),
        ("car", {"barrier": "bollard", "bollard": "rising"}, False, 0.0),
        ("car", {"barrier": "cattle_grid"}, False, 0.0),
        ("car", {"barrier": "lift_gate"}, False, 60.0),
        ("car", {"barrier": "gate", "locked": "yes"}, True, 60.0),
        ("car", {"barrier": "gate", "access": "private"}, True, 0.0),
        ("car", {"barrier": "block", "motor_vehicle": "yes"}, False, 0.0),
        ("bicycle", {"barrier": "bollard"}, False, 0.0),
        ("foot", {"barrier": "wall"}, True, 0.0),
        ("foot", {"barrier": "wall", "foot": "yes"}, False, 0.0),
        ("foot", {"highway": "crossing"}, False, 0.0),
    ],
)
def test_nodes(mode, tags, closed, wait):
    assert Rules(mode, {}, 2.0).node(tags) == (closed, wait)
