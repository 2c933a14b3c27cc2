"""The family of realignment runs on a small size, and its rows say what is promised."""

from __future__ import annotations

import numpy as np
from benchmarks.record import Options

from benchmarks import realign


def test_realign_measures_drifts_and_reps_who_leave():
    rng = np.random.default_rng(0)
    places = np.stack([rng.uniform(-85, -82, 372), rng.uniform(31, 34, 372)], axis=1)
    results = realign.measured(places, Options(instances="*-[2cmu0]*"))
    assert {"drift-20km", "drift-customer", "drift-metro", "leave-0"} <= {r["instance"] for r in results}
    for r in results:
        assert r["status"] in {"feasible", "not balanced"}
        assert r["zero_is_input"]
        assert r["monotone"]
        assert r.get("locked_stay", True)
        assert len(r["assignment"]) == 372
    at = [r for r in results if r["engine"] == "at-6.5%"]
    assert all(r["moved_share"] <= realign.SHARE for r in at)


def test_without_the_places_it_says_so(tmp_path, capsys):
    assert realign.run(Options(data=tmp_path)) == []
    assert "skipped" in capsys.readouterr().out
