"""Alignments that are right, and one fault each in them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from territory.check import ALIGNMENT_CODES, check_alignment
from territory.model import Alignment, AlignmentRules, Customers, Reps, Status
from territory.model.arrays import text_array

SIDE = 6


def grid(**changes: Any) -> Alignment:
    """Cut a grid of 6 x 6 customers into a western and an eastern half; `changes` are columns or fields.

    Fields in `raw` are put into the finished alignment, past the constructor, which may refuse them.
    """
    raw = changes.pop("raw", {})
    x, y = np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij")
    n = SIDE * SIDE
    columns = {"id": [f"c{i}" for i in range(n)], "lon": 10 + x.ravel() / 10, "lat": 50 + y.ravel() / 10}
    columns |= {"workload_s": [3600.0] * n, "measures": {"revenue": np.arange(1.0, n + 1)}}
    columns |= changes.pop("customers", {})
    reps: dict[str, Any] = {"id": ["W", "E"], "lon": [10.1, 10.4], "lat": [50.25, 50.25]}
    reps |= changes.pop("reps", {})
    customers = Customers(**columns)
    west = customers.lon < 10.25
    fields: dict[str, Any] = {
        "customers": customers,
        "reps": Reps(**reps),
        "territory_id": ["T1", "T2"],
        "territory_idx": np.where(west, 0, 1),
        "rep_idx": [0, 1],
        "center_lon": np.array([10.1, 10.4]),
        "center_lat": np.array([50.25, 50.25]),
        "balance": {"workload_s": 0.05},
        "targets": {"workload_s": np.array([18.0, 18.0]) * 3600},
        "contiguous": True,
        "status": Status.OPTIMAL,
    } | {k: v for k, v in changes.items() if k not in ("moved", "objective_off")}
    idx = np.array(fields["territory_idx"])
    for i, t in changes.get("moved", {}).items():
        idx[i] = t
    fields["territory_idx"] = idx
    fields.setdefault("objective", objective(fields) + changes.get("objective_off", 0.0))
    fields.setdefault("bound", fields["objective"] * 0.99)
    made = Alignment(**fields)
    for name, value in raw.items():
        object.__setattr__(made, name, value)
    return made


def objective(fields: dict[str, Any]) -> float:
    """Recompute in plain Python: law of cosines on the sphere, chord from the angle."""
    c = fields["customers"]
    total = weights = 0.0
    for i, t in enumerate(fields["territory_idx"]):
        if t < 0 or not np.isfinite(fields["center_lon"][t]):
            continue
        a, b = math.radians(c.lat[i]), math.radians(fields["center_lat"][t])
        apart = math.radians(c.lon[i] - fields["center_lon"][t])
        half = math.sin((a - b) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(apart / 2) ** 2
        weight = 1.0 if c.workload_s is None else float(c.workload_s[i])
        total += weight * 4 * 6_371_008.8**2 * half
        weights += weight
    return total / weights


def some(name: str, values: dict[int, Any], rest: Any) -> dict[str, Any]:
    return {name: [values.get(i, rest) for i in range(SIDE * SIDE)]}


LOOSE = {"balance": {"workload_s": 0.5}}

RIGHT: dict[str, dict[str, Any]] = {
    "as it is": {},
    "no reps": {"reps": {}, "balance": {}, "targets": {}},
    "balance at its very edge": {"moved": {17: 1}, "balance": {"workload_s": 1 / 18}},
    "default targets": {"targets": {}},
    "targets by capacity": {
        "reps": {"capacity_s": [72_000.0, 144_000.0]},
        "targets": {"workload_s": np.array([12.0, 24.0]) * 3600},
        **LOOSE,
    },
    "no capacity at all": {"reps": {"capacity_s": [0.0, 0.0]}},
    "two measures": {"balance": {"workload_s": 0.0, "count": 0.0}, "targets": {}},
    "measure of customers": {"balance": {"workload_s": 0.05, "revenue": 0.6}, "targets": {}},
    "unassigned with reason": {"moved": {0: -1}, "unassigned_reason": {0: "no rep may"}, **LOOSE},
    "targets of everybody": {
        "moved": {0: -1},
        "unassigned_reason": {0: "no rep may"},
        "targets": {"workload_s": np.array([17.5, 17.5]) * 3600},
    },
    "in parts, and nobody minds": {"moved": {0: 1, 35: 0}, "contiguous": False},
    "parts that are locked": {
        "moved": {0: 1, 35: 0},
        "customers": some("owner", {0: "E", 35: "W"}, "") | some("locked", {0: True, 35: True}, False),
    },
    "objective unknown": {"objective": math.nan, "bound": None},
    "skills and wishes": {
        "customers": some("required_skills", {0: "x-ray"}, "") | some("forbidden_reps", {0: "E"}, ""),
        "reps": {"skills": ["x-ray", ""]},
    },
    "co-located customers": {"customers": {"lon": [10.0] * 18 + [10.5] * 18, "lat": [50.0] * 18 + [50.5] * 18}},
    "workload from visits": {
        "customers": {"workload_s": None, "visit_interval_days": [7.0] * 36, "service_s": [3600.0] * 36}
    },
    "an empty territory": {
        "territory_id": ["T1", "T2", "T3"],
        "rep_idx": [0, 1, 2],
        "reps": {"id": ["W", "E", "N"], "lon": [10.0] * 3, "lat": [50.0] * 3},
        "center_lon": np.array([10.1, 10.4, math.nan]),
        "center_lat": np.array([50.25, 50.25, math.nan]),
        "balance": {},
        "targets": {},
    },
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_alignments_have_no_violations(name):
    report = check_alignment(grid(**RIGHT[name]))
    assert report.ok, str(report)


FAULTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "no way to the centre": (
        {
            "rules": AlignmentRules(metric="travel", center_idx=[36, 37]),
            "travel": csr_array(np.pad(np.ones((37, 37)), (1, 0))),
        },
        {"center-unreachable"},
    ),
    "a limit broken": (
        {"rules": AlignmentRules(limits={"count": [[0, 17], [18, 18]]})},
        {"limit-broken"},
    ),
    "a limit of an unknown measure": (
        {"rules": AlignmentRules(limits={"visits": [[0, 17], [18, 18]]})},
        {"measure-unknown"},
    ),
    "a group in two territories": (
        {"rules": AlignmentRules(together=[0] + [-1] * 34 + [0])},
        {"group-split"},
    ),
    "rivals in one territory": ({"rules": AlignmentRules(apart=[[0, 1]])}, {"not-apart"}),
    "given away, but kept": ({"rules": AlignmentRules(overrides={0: 1})}, {"override-broken"}),
    "far from home": ({"rules": AlignmentRules(reach_m=[20_000, 1e6])}, {"out-of-reach"}),
    "targets against their shares": (
        {"rules": AlignmentRules(share={"workload_s": [0.6, 0.4]})},
        {"target-wrong"},
    ),
    "ids doubled": ({"raw": {"territory_id": text_array(["T1", "T1"])}}, {"territory-id-doubled"}),
    "id blank": ({"raw": {"territory_id": text_array(["T1", " "])}}, {"territory-id-doubled"}),
    "customer lost": ({"moved": {0: -1}, "targets": {}, **LOOSE}, {"reason-missing"}),
    "reason blank": ({"moved": {0: -1}, "targets": {}, "unassigned_reason": {0: " "}, **LOOSE}, {"reason-missing"}),
    "reason for one who is served": ({"unassigned_reason": {3: "no rep may"}}, {"reason-unfounded"}),
    "reason for nobody": ({"unassigned_reason": {99: "no rep may"}}, {"reason-unfounded"}),
    "territory without rep, shares unclear": (
        {"rep_idx": [0, -1], "reps": {"capacity_s": [72_000.0, 144_000.0]}},
        {"territory-without-rep"},
    ),
    "no rep, no share, no targets": (
        {"rep_idx": [0, -1], "reps": {"capacity_s": [72_000.0, 144_000.0]}, "targets": {}},
        {"territory-without-rep"},
    ),
    "two territories of a rep": ({"rep_idx": [0, 0]}, {"rep-doubled"}),
    "territory without rep": ({"rep_idx": [0, -1]}, {"territory-without-rep"}),
    "lock": ({"customers": some("owner", {0: "E"}, "") | some("locked", {0: True}, False)}, {"lock-broken"}),
    "lock to one who is gone": (
        {"customers": some("owner", {0: "N"}, "") | some("locked", {0: True}, False)},
        {"lock-broken"},
    ),
    "locked and in no territory": (
        {
            "customers": some("owner", {0: "W"}, "") | some("locked", {0: True}, False),
            "moved": {0: -1},
            "unassigned_reason": {0: "no rep may"},
            "targets": {},
            **LOOSE,
        },
        {"lock-broken"},
    ),
    "skill": ({"customers": some("required_skills", {0: "x-ray"}, "")}, {"skill-missing"}),
    "forbidden rep": ({"customers": some("forbidden_reps", {0: "W"}, "")}, {"rep-forbidden"}),
    "unbalanced": ({"moved": {17: 1}}, {"unbalanced"}),
    "just unbalanced": ({"moved": {17: 1}, "balance": {"workload_s": 1 / 18 - 1e-6}}, {"unbalanced"}),
    "second measure unbalanced": ({"balance": {"workload_s": 0.05, "revenue": 0.4}, "targets": {}}, {"unbalanced"}),
    "unknown measure": ({"balance": {"workload_s": 0.05, "profit": 0.05}, "targets": {}}, {"measure-unknown"}),
    "target": ({"targets": {"workload_s": np.array([18.5, 17.5]) * 3600}}, {"target-wrong"}),
    "targets of another total": ({"targets": {"workload_s": np.array([19.0, 19.0]) * 3600}, **LOOSE}, {"target-wrong"}),
    "target not known": ({"targets": {"workload_s": np.array([math.nan, 64_800.0])}}, {"target-wrong"}),
    "one target": ({"raw": {"targets": {"workload_s": np.array([129_600.0])}}}, {"target-wrong"}),
    "equal targets for unequal reps": (
        {"reps": {"capacity_s": [72_000.0, 144_000.0]}},
        {"target-wrong"},
    ),
    "target without balance": ({"targets": {"count": np.array([20.0, 16.0])}}, {"target-wrong"}),
    "cut in two": ({"moved": {0: 1, 35: 0}}, {"not-contiguous"}),
    "cut, and only in part locked": (
        {
            "moved": {0: 1, 1: 1, 35: 0, 34: 0},
            "customers": some("owner", {0: "E", 35: "W", 34: "W"}, "")
            | some("locked", {0: True, 35: True, 34: True}, False),
        },
        {"not-contiguous"},
    ),
    "objective": ({"objective_off": 10.0}, {"objective-wrong"}),
    "bound": ({"bound": 1e12}, {"bound-above-objective"}),
    "bound of nothing": ({"objective": math.nan, "bound": 1.0}, {"bound-above-objective"}),
    "centre": ({"center_lon": np.array([math.nan, 10.4])}, {"center-wrong"}),
    "centre off the globe": ({"center_lat": np.array([50.0, 91.0]), "objective": 1.0}, {"center-wrong"}),
    "one centre": ({"raw": {"center_lon": np.array([10.0])}}, {"center-wrong"}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found_by_its_code(name):
    changes, expected = FAULTS[name]
    travel = changes.get("travel")
    report = check_alignment(grid(**{k: v for k, v in changes.items() if k != "travel"}), travel=travel)
    assert set(report.codes) == expected, str(report)
    assert report.subject == "alignment"


def test_every_code_has_a_fault():
    assert set().union(*(codes for _, codes in FAULTS.values())) == set(ALIGNMENT_CODES)


def test_locks_without_reps_keep_owners_together():
    owned = some("owner", {0: "A", 1: "A", 35: "B"}, "") | some("locked", {0: True, 1: True, 35: True}, False)
    free = {"customers": owned, "rep_idx": [-1, -1], "balance": {}, "targets": {}}
    base = grid(customers=owned)
    kept = {f: getattr(base, f) for f in ("territory_id", "territory_idx", "center_lon", "center_lat")}
    assert check_alignment(Alignment(base.customers, None, rep_idx=np.array([-1, -1]), **kept)).ok
    apart = {**kept, "territory_idx": np.where(np.arange(36) == 1, 1, kept["territory_idx"])}
    report = check_alignment(Alignment(base.customers, None, rep_idx=np.array([-1, -1]), **apart))
    assert set(report.codes) == {"lock-broken"}
    assert report.violations[0].customer_id == "c1"
    assert "lock-broken" in check_alignment(grid(**{**free, "rep_idx": [0, 1]})).codes


def test_messages_name_and_measure():
    (found,) = check_alignment(grid(moved={17: 1}, balance={"workload_s": 0.05})).violations[:1]
    assert found.message == (
        "Territory T1 has a workload_s of 61,200, -5.556% off its target of 64,800; 5.000% are allowed."
    )
    assert found.amount == pytest.approx(360.0)
    (cut,) = [v for v in check_alignment(grid(moved={0: 1, 35: 0})) if v.territory_id == "T2"]
    assert cut.message == (
        "Territory T2 lies in 2 parts; 1 of its customers are cut off from the largest part, e.g. c0."
    )


def test_violations_say_who_and_how_far_off():
    (doubled,) = check_alignment(grid(rep_idx=[0, 0]))
    assert (doubled.message, doubled.amount) == ("Rep W has 2 territories: T1, T2.", 1.0)
    (wrong,) = check_alignment(grid(objective_off=10.0))
    assert wrong.amount == pytest.approx(10.0)
    (above,) = check_alignment(grid(objective=math.nan, bound=None, raw={"objective": 2.0, "bound": 5.0})).violations[
        1:
    ]
    assert above.amount == 3.0
    (skill,) = check_alignment(grid(customers=some("required_skills", {0: "x-ray"}, "")))
    assert (skill.customer_id, skill.territory_id, skill.rep_id) == ("c0", "T1", "W")


def test_alignment_read_from_a_table_is_checked():
    base = grid()
    frame = base.to_frame()
    read = Alignment.from_frame(frame, customers=base.customers, reps=base.reps, like=base)
    assert check_alignment(read).ok
    edited = frame.assign(territory_id=["T2", *frame["territory_id"][1:]])
    read = Alignment.from_frame(edited, customers=base.customers, reps=base.reps, like=base)
    assert set(check_alignment(read).codes) == {"unbalanced", "not-contiguous"}
    owners = Customers(id=["a", "b"], lon=[1.0, 2.0], lat=[3.0, 4.0], owner=["W", ""])
    assert check_alignment(Alignment.from_owners(owners, base.reps)).ok


def test_empty_alignment():
    nobody = Customers(id=[], lon=[], lat=[])
    nothing = np.empty(0)
    assert check_alignment(Alignment(nobody, None, [], nothing, nothing, nothing, nothing, contiguous=True)).ok
