"""What the shipped files hold, and that it is what the sources say."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from territory import datasets
from territory.geo.sphere import great_circle_m

FILES = {"germany.csv.gz": 400_000, "helsinki_places.csv.gz": 100_000, "helsinki_network.npz": 400_000}


@pytest.mark.parametrize(("name", "limit"), FILES.items())
def test_files_are_small(name: str, limit: int) -> None:
    assert 0 < len(resources.files("territory.datasets").joinpath(name).read_bytes()) < limit


@pytest.mark.parametrize("name", ["germany.csv.gz", "helsinki_places.csv.gz"])
def test_gzip_carries_no_time_and_no_system(name: str) -> None:
    head = resources.files("territory.datasets").joinpath(name).read_bytes()[:10]
    assert head[3] == 0, "a file name in the header"
    assert head[4:8] == bytes(4), "a time in the header"
    assert head[9] == 255, "a system in the header"


def test_import_reads_no_file() -> None:
    code = (
        "import sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: event == 'open' and opened.append(str(args[0])))\n"
        "import territory.datasets\n"
        "assert not [p for p in opened if p.endswith(('.gz', '.npz'))], opened\n"
        "assert not {'scipy', 'pandas', 'shapely', 'ortools', 'matplotlib'} & set(sys.modules), 'a heavy import'\n"
        "territory.datasets.germany_columns()\n"
        "assert [p for p in opened if p.endswith('germany.csv.gz')]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_germany_is_all_there() -> None:
    places = datasets.germany_columns()
    assert {len(column) for column in places.values()} == {7626}
    assert len(np.unique(places["geonameid"])) == 7626
    assert np.all(np.diff(places["geonameid"]) > 0)
    assert int(places["population"].sum()) == 90_123_567
    unknown = places["population"] == 0
    assert places["name"][unknown].tolist() == ["Osterode am Harz"]
    assert places["population"][~unknown].min() == 1001
    assert sorted(set(places["admin1code"].tolist())) == [f"{i:02d}" for i in range(1, 17)]
    assert places["name"][places["timezone"] != "Europe/Berlin"].tolist() == ["Büsingen"]


def test_germany_lies_in_germany() -> None:
    places = datasets.germany_columns()
    assert places["lon"].min() > 5.86
    assert places["lon"].max() < 15.05
    assert places["lat"].min() > 47.27
    assert places["lat"].max() < 55.06
    where = {name: i for i, name in enumerate(places["name"].tolist())}
    for name, lon, lat in (("Berlin", 13.41, 52.52), ("Köln", 6.96, 50.94), ("Passau", 13.46, 48.57)):
        i = where[name]
        assert great_circle_m(places["lon"][i], places["lat"][i], lon, lat) < 3_000


def test_helsinki_is_all_there() -> None:
    places = datasets.helsinki_columns()
    assert {len(column) for column in places.values()} == {940}
    assert len(set(places["osm_id"].tolist())) == 940
    kinds = places["kind"].tolist()
    assert all(kind.startswith(("amenity=", "shop=")) for kind in kinds)
    assert kinds.count("amenity=restaurant") == 214
    assert kinds.count("amenity=cafe") == 89
    assert int((places["opening_hours"] != "").sum()) == 465
    assert int(datasets.hours_are_real(places["opening_hours"]).sum()) == 447
    for axis, low, high in (("lon", 24.9351, 24.9535), ("lat", 60.1641, 60.1792)):
        assert places[axis].min() >= low
        assert places[axis].max() <= high


def test_columns_are_read_only() -> None:
    for columns in (datasets.germany_columns(), datasets.helsinki_columns()):
        for column in columns.values():
            assert not column.flags.writeable


def test_network_is_a_sound_graph() -> None:
    network = datasets.load_helsinki_network()
    n, m = len(network.node_id), len(network.length_m)
    assert (n, m) == (6746, 8114)
    per_edge = ("edge_from", "edge_to", "highway", "oneway", "maxspeed_kmh", "car", "foot", "way_id", "name")
    assert {len(getattr(network, column)) for column in per_edge} == {m}
    ends = np.union1d(network.edge_from, network.edge_to)
    assert ends.tolist() == list(range(n)), "a node without an edge, or an edge without its node"
    assert np.all(network.edge_from != network.edge_to)
    measured = great_circle_m(
        network.lon[network.edge_from], network.lat[network.edge_from],
        network.lon[network.edge_to], network.lat[network.edge_to],
    )  # fmt: skip
    np.testing.assert_allclose(network.length_m, measured, atol=0.006)
    limits = network.maxspeed_kmh[~np.isnan(network.maxspeed_kmh)]
    assert set(limits.tolist()) == {5.0, 10.0, 20.0, 30.0, 40.0, 50.0}
    assert "Mannerheimintie" in set(network.name.tolist())
    assert not np.any(network.car & np.isin(network.highway, ["footway", "steps", "cycleway", "pedestrian"]))
    assert 0 < network.oneway.mean() < 0.5


def test_network_hangs_together_and_reaches_the_places() -> None:
    network = datasets.load_helsinki_network()
    places = datasets.helsinki_columns()
    group = np.arange(len(network.node_id))
    for _ in range(len(group)):  # the least number of each component spreads along the edges
        least = np.minimum(group[network.edge_from], group[network.edge_to])
        before = group.copy()
        np.minimum.at(group, network.edge_from, least)
        np.minimum.at(group, network.edge_to, least)
        group = group[group]
        if np.array_equal(group, before):
            break
    main = group == np.bincount(group).argmax()
    assert main.mean() > 0.97
    for lon, lat in zip(places["lon"], places["lat"], strict=True):
        assert great_circle_m(lon, lat, network.lon[main], network.lat[main]).min() < 150


def test_attribution_is_everywhere() -> None:
    notice = (Path(__file__).parents[2] / "NOTICE").read_text(encoding="utf-8")
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    assert "CC BY 4.0" in datasets.ATTRIBUTION["germany"]
    assert "OpenStreetMap contributors" in datasets.ATTRIBUTION["helsinki"]
    for text in (notice, page):
        for words in ("GeoNames", "creativecommons.org/licenses/by/4.0", "© OpenStreetMap contributors", "odbl/1-0"):
            assert words in text
        for name in FILES:
            assert name in text
