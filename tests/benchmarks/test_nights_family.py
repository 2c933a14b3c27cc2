"""The family of overnight tours, on made-up places."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from benchmarks.compare import tables
from benchmarks.record import Options, document

from benchmarks import nights


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "real").mkdir()
    with (tmp_path / "real" / "snap_georgia_us.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["Longitude", "Latitude", "City"])
        for city, lon, lat in (("Atlanta", -84.4, 33.7), ("Macon", -83.6, 32.8)):
            for x, y in rng.normal(0, 0.1, (60, 2)):
                lines.writerow([lon + x, lat + y, city])
    return tmp_path


def test_nights_are_fewer_where_they_are_dearer_and_never_cost_more_than_none(data):
    options = Options(data=data, instances="macon-from-atlanta", iterations=400, visits=40)
    results = nights.run(options)
    assert [r["engine"] for r in results] == ["never", *(f"hotel {p:g}" for p in nights.PRICES)]
    assert {r["status"] for r in results} == {"feasible"}
    never, *away = results
    assert never["nights"] == 0 < away[0]["nights"]
    assert away[-1]["nights"] == 0
    assert all(r["objective"] <= never["objective"] + 1e-6 for r in away if r["visits"] == never["visits"])
    assert "hotel 640" in tables([document("nights", options, results)])
    assert len(nights.run(Options(data=data, instances="macon*", iterations=50, visits=5, size=1))) == 2


def test_unused_options_are_refused():
    with pytest.raises(SystemExit, match="engine"):
        nights.run(Options(engine="search"))
