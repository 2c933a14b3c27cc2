"""The families of districts and clusters: read, solved, verified by what knows nothing of the search, compared."""

from __future__ import annotations

import json

import numpy as np
import pytest
from benchmarks.__main__ import main
from benchmarks.instances import districts
from benchmarks.instances.bestknown import cpmp_best, tdp_best
from benchmarks.instances.common import BrokenRouteError
from benchmarks.record import Options

from benchmarks import cccp, cpmp, tdp


@pytest.fixture
def data(tmp_path):
    """Return a data folder with one made-up instance of each family."""
    rng = np.random.default_rng(1)
    xy = np.stack(np.meshgrid(np.arange(6.0), np.arange(4.0)), axis=-1).reshape(-1, 2) + rng.random((24, 2)) / 4
    edges = [(i, i + 1) for i in range(23) if i % 6 < 5] + [(i, i + 6) for i in range(18)]
    rows = [f"{i} {x} {y} {rng.integers(9, 12)} 10 10 0" for i, (x, y) in enumerate(xy.tolist())]
    lines = ["24", *rows, str(len(edges)), *(f"{a} {b}" for a, b in edges), "4 4 0.2 0.2 0.2 0.2"]
    folder = tmp_path / "tdp" / "instances"
    folder.mkdir(parents=True)
    (folder / "small-edited.dat").write_text("\n".join(lines))
    (tmp_path / "tdp" / "reported_values.txt").write_text("Reported:\nsmall\t = (0,0,99.5)\n")
    points = "\n".join(f"{x} {y} 40 {rng.integers(1, 9)}" for x, y in xy.tolist())
    for name in ("cccp/TA1.dat", "cpmp/group1/cpmp01.txt", "cpmp/group2/made.dat"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"24 4\r\n{points}\n")
    (tmp_path / "cpmp" / "verified_solutions.csv").write_text(
        "name,cost_recomputed_float,fo_in_file,capacity_ok\nmade,20.5,20.5,True\nover,3.5,3.5,False\nroad,3,9,True\n"
    )
    return tmp_path


def test_every_family_gives_what_its_verifier_says(data):
    for family in (tdp, cccp, cpmp):
        for r in family.run(Options(data=data, iterations=20_000)):
            assert r["status"] == "feasible"
            assert r["violation"] == 0.0
            assert len(r["assignment"]) == 24
            assert len(r["centers"]) == 4
            assert r["iterations"] == 20_000


def test_known_values_stand_beside_the_results(data, capsys):
    out = data / "run.json"
    assert main(["tdp", "--data", str(data), "--instances", "small", "--iterations", "5000", "--out", str(out)]) == 0
    (r,) = json.loads(out.read_text())["results"]
    assert (r["best_known"], r["best_known_source"]) == (99.5, "reported, ALNS")
    assert main(["compare", str(out)]) == 0
    assert "better than known" in capsys.readouterr().out
    assert tdp_best(data, "absent") is None
    assert cpmp_best(data, "cpmp01").value == 713.0
    assert cpmp_best(data, "made").value == 20.5
    assert cpmp_best(data, "over") is None
    assert cpmp_best(data, "road") is None


def test_district_faults_are_found(data):
    (r,) = tdp.run(Options(data=data, iterations=5000))
    found = districts.read_districts(data / "tdp" / "instances" / "small-edited.dat")
    label, medians = r["assignment"], r["centers"]
    assert districts.verify_tdp(found, label, medians) == pytest.approx(r["objective"])
    with pytest.raises(BrokenRouteError, match="23 of 24"):
        districts.verify_tdp(found, label[1:], medians)
    with pytest.raises(BrokenRouteError, match="in cluster 4 of 4"):
        districts.verify_tdp(found, [4, *label[1:]], medians)
    with pytest.raises(BrokenRouteError, match="median is not in it"):
        districts.verify_tdp(found, label, medians[::-1])
    with pytest.raises(BrokenRouteError, match="out of balance"):
        districts.verify_tdp(found, [label[i] if i in medians else 0 for i in range(24)], medians)
    # far corners in exchange: as many in each, but in parts
    torn = list(label)
    a, b = (next(i for i in range(24) if label[i] == c and i not in medians) for c in (label[0], label[23]))
    torn[a], torn[b] = torn[b], torn[a]
    with pytest.raises(BrokenRouteError, match=r"parts|balance"):
        districts.verify_tdp(found, torn, medians)


def test_cluster_faults_are_found(data):
    (r,) = cccp.run(Options(data=data, iterations=5000))
    found = districts.read_clusters(data / "cccp" / "TA1.dat")
    assert districts.verify_cccp(found, r["assignment"], r["centers"]) == pytest.approx(r["objective"])
    with pytest.raises(BrokenRouteError, match="above its capacity"):
        districts.verify_cccp(found, [0] * 24, r["centers"])
    with pytest.raises(BrokenRouteError, match="not its centroid"):
        districts.verify_cccp(found, r["assignment"], r["centers"][::-1])
    (r,) = cpmp.run(Options(data=data, instances="made", iterations=5000))
    assert districts.verify_cpmp(found, r["assignment"], r["centers"]) == pytest.approx(r["objective"])
    with pytest.raises(BrokenRouteError, match="median of cluster 0"):
        districts.verify_cpmp(found, r["assignment"], r["centers"][::-1])


def test_distances_of_the_first_group_are_whole(data):
    (r,) = cpmp.run(Options(data=data, instances="cpmp01", iterations=5000))
    assert r["objective"] == int(r["objective"])
