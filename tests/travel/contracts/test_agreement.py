"""OSRM, Valhalla and RoadGraph on the same legs of Liechtenstein: how far they agree, and why not further.

Measured on the legs over 1 km among 100 points of interest, relative to the smaller of the two; the limits leave room
for other versions of the engines.

==================================  ==========================  ==========================
pair                                distance: median, 95 %      duration: median, 95 %
==================================  ==========================  ==========================
car: OSRM and RoadGraph             0.1 %, 3 %                  5 %, 9 %
car: OSRM and Valhalla              0.1 %, 17 %                 22 %, 35 %
car: RoadGraph and Valhalla         0.1 %, 17 %                 29 %, 40 %
foot: OSRM and RoadGraph            0.1 %, 7 %                  0.1 %, 7 %
foot: OSRM and Valhalla             0.1 %, 3 %                  2 %, 5 %
foot: RoadGraph and Valhalla        0.3 %, 9 %                  2 %, 7 %
==================================  ==========================  ==========================

Distances agree: one map, and mostly the same way. Where they do not, another way was taken, as Valhalla weighs more
than time. Durations by car differ by speed, Valhalla being the fastest: each has its own speeds by class of road and
its own price of turns and junctions, for which the map gives no measure. On foot, where there is one speed of about
5 km/h, durations agree to 2 %. Which of them is right for a fleet its own records tell; a
rep's speed factor takes up such differences.
"""

from __future__ import annotations

import csv
from functools import partial
from itertools import combinations

import numpy as np
import pytest

from territory.errors import MissingExtraError
from territory.geo.sphere import great_circle_m
from territory.model.places import PlaceKind, Places

#: Highest median and 95 % quantile of relative differences, by mode and pair: distance, then duration.
LIMITS = {
    ("car", "OSRM", "RoadGraph"): (0.01, 0.06, 0.10, 0.15),
    ("car", "OSRM", "Valhalla"): (0.01, 0.25, 0.28, 0.42),
    ("car", "RoadGraph", "Valhalla"): (0.01, 0.25, 0.35, 0.48),
    ("foot", "OSRM", "RoadGraph"): (0.01, 0.15, 0.02, 0.15),
    ("foot", "OSRM", "Valhalla"): (0.01, 0.10, 0.04, 0.10),
    ("foot", "RoadGraph", "Valhalla"): (0.01, 0.15, 0.04, 0.15),
}


@pytest.fixture(scope="module", params=["car", "foot"])
def told(request, real_data, tmp_path_factory):
    """Return what the engines tell about the same places: (mode, {name: matrix}, {name: snapped})."""
    pytest.importorskip("osmium", reason="osmium reads extracts")
    from territory.travel.engines import Osrm, Valhalla  # noqa: PLC0415 - an extra
    from territory.travel.roads import RoadGraph  # noqa: PLC0415 - an extra

    extract = real_data / "osm" / "liechtenstein.osm.pbf"
    if not extract.is_file():
        pytest.skip(f"no extract {extract}")
    table = real_data / "real" / "osm_pois_liechtenstein_porto_munich.csv"
    with table.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if "liechtenstein" in row["extract"]]
    some = np.random.default_rng(0).permutation(len(rows))[:100].tolist()
    lon, lat = ([float(rows[i][axis]) for i in some] for axis in ("lon", "lat"))
    places = Places.of(PlaceKind.CUSTOMER, [str(i) for i in some], lon, lat)
    folder = tmp_path_factory.mktemp("graphs")
    make = {
        "OSRM": partial(Osrm.from_osm, folder=folder, algorithm="MLD"),
        "RoadGraph": RoadGraph.from_osm,
        "Valhalla": partial(Valhalla.from_osm, folder=folder),
    }
    try:
        travel = {name: each(extract, mode=request.param) for name, each in make.items()}
    except MissingExtraError as error:
        pytest.skip(str(error))
    return (
        request.param,
        {name: each.matrix(places, places) for name, each in travel.items()},
        {name: each.snap(places) for name, each in travel.items()},
    )


def differences(one, other, what):
    """Return relative differences of legs over 1 km that both can drive, shape (p,)."""
    both = one.reachable & other.reachable & (one.distances_m > 1_000)
    assert both.sum() > 5_000
    left, right = (getattr(each, what)[both].astype(float) for each in (one, other))
    # by the smaller one, so that the order of the two does not matter
    return np.abs(left - right) / np.minimum(left, right).clip(1.0)


def test_engines_agree_on_liechtenstein(told):
    mode, matrices, _ = told
    wrong = []
    for one, other in combinations(sorted(matrices), 2):
        limits = LIMITS[mode, one, other]
        found = [
            float(np.quantile(differences(matrices[one], matrices[other], what), q))
            for what in ("distances_m", "durations_s")
            for q in (0.5, 0.95)
        ]
        if not (np.array(found) <= limits).all():
            wrong.append((one, other, [round(each, 3) for each in found], limits))
    assert wrong == []


def test_engines_differ_in_speed_more_than_in_the_way(told):
    mode, matrices, _ = told
    for one, other in combinations(sorted(matrices), 2):
        both = matrices[one].reachable & matrices[other].reachable & (matrices[one].distances_m > 1_000)
        ratio = matrices[one].durations_s[both] / matrices[other].durations_s[both]
        # once the one speed is taken out that they differ by, nine legs in ten agree to 15 %
        rest = np.abs(ratio / np.median(ratio) - 1)
        assert np.quantile(rest, 0.9) <= 0.15, (mode, one, other)


def test_engines_begin_at_the_same_road(told):
    _, _, snapped = told
    for one, other in combinations(sorted(snapped), 2):
        a, b = snapped[one], snapped[other]
        both = a.on_road & b.on_road
        assert both.mean() > 0.9
        apart = great_circle_m(a.lon, a.lat, b.lon, b.lat)[both]
        # most at the same point; some at another road, where one lets cars on what the other does not
        assert np.median(apart) <= 1.0
        assert np.quantile(apart, 0.9) <= 60.0
