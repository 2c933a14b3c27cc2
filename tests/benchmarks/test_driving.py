"""The benchmark of driving runs on a tiny size, and its figures can be worked out anew."""

from __future__ import annotations

import numpy as np
from benchmarks.compare import tables
from benchmarks.record import Options, document

from benchmarks import driving


def test_driving_measures_every_design_with_one_yardstick(tmp_path, capsys):
    options = Options(data=tmp_path / "nothing", size=500, iterations=20)
    results = driving.run(options)
    assert "skipped" in capsys.readouterr().out
    assert [r["engine"] for r in results] == [
        "visit hours", "visits and driving, fitted", "visits and driving, as published"
    ]  # fmt: skip
    for r in results:
        assert r["instance"] == "germany-4-reps"
        assert len(r["hours"]) == 4
        assert r["spread"] <= r["deviation"]
        assert r["visits"] > 0
        assert set(np.unique(r["assignment"])) <= {-1, 0, 1, 2, 3}
    first = results[0]
    assert first["error_fitted"]["rms"] <= first["error"]["rms"] + 1e-9
    assert first["fitted"]["local"] >= 0
    assert "held out" in tables([document("driving", options, results)])
