"""The table of the routing families: gaps to the best that is known or was seen."""

from __future__ import annotations

import pytest
from benchmarks.summary import summary


def line(instance, engine, objective, **more):
    return {
        "instance": instance, "engine": engine, "objective": objective, "params": {}, "seed": 0, "group": "a",
        "maximise": False, "budget": {"seconds": 1.0, "iterations": None}, "best_known": None, "routes": [],
        "best_known_source": None, "bound": None, "status": "feasible", "cpu_s": 0.5, "iterations": 100, **more,
    }  # fmt: skip


def test_gaps_are_to_the_best_known_or_seen():
    first, second = summary(
        [
            line("x", "auto", 110.0, best_known=100.0, bound=99.0),
            line("y", "auto", 50.0, status="optimal", bound=50.0),
            line("y", "pyvrp", 60.0),
            line("x", "pyvrp", 95.0, best_known=100.0),
        ]
    )
    assert (first["engine"], second["engine"]) == ("auto", "pyvrp")
    # 95 was seen, though 100 is what is known
    assert first["gap"] == pytest.approx((110 / 95 - 1 + 0) / 2)
    assert second["gap"] == pytest.approx((0 + 60 / 50 - 1) / 2)
    assert (first["at_best"], first["proven"], second["better"]) == (0.5, 0.5, 1)
    assert first["worst_own_gap"] == pytest.approx(0.1)
    assert (first["cpu_s"], first["per_cpu_s"], first["iterations_per_s"]) == (0.5, 2.0, 200.0)


def test_scores_are_better_when_they_are_higher():
    (r,) = summary([line("x", "auto", 99.0, maximise=True, best_known=100.0, bound=110.0)])
    assert r["gap"] == pytest.approx(0.01)
    assert r["own_gap"] == pytest.approx(11 / 99)
    assert (r["at_best"], r["better"]) == (0.0, 0)


def test_whole_numbers_must_be_equal_and_rounded_ones_nearly():
    (r,) = summary([line("x", "auto", 100_001.0, best_known=100_000.0)])
    assert r["at_best"] == 0
    (r,) = summary([line("x", "auto", 524.611, best_known=524.61)])
    assert (r["at_best"], r["better"]) == (1.0, 0)


def test_classes_budgets_and_instances_are_told_apart():
    rows = summary(
        [
            line("x", "auto", 10.0, group="b", params={"m": 1}),
            line("x", "auto", 20.0, params={"m": 2}),
            line("x", "auto", 20.0, params={"m": 2}, budget={"seconds": None, "iterations": 5000}),
            line("x", "vroom", None, params={"m": 2}, budget={"seconds": None, "iterations": None}, routes=None),
        ]
    )
    assert [(r["group"], r["engine"]) for r in rows] == [
        ("a", "auto, 1 s"), ("a", "auto, 5,000 it"), ("a", "vroom, until it stops"), ("b", "auto, 1 s"),
        ("all", "auto, 1 s"), ("all", "auto, 5,000 it"), ("all", "vroom, until it stops"),
    ]  # fmt: skip
    assert rows[4]["gap"] == 0.0
    assert (rows[2]["solved"], rows[2]["gap"], rows[2]["cpu_s"]) == (0, None, None)


def test_driving_is_compared_at_equal_visits():
    first, second = summary(
        [
            line("x", "auto", 1.0, visits=9, drive_s=100.0),
            line("x", "pyvrp", 2.0, visits=8, drive_s=70.0),
            line("y", "auto", 1.0, visits=9, drive_s=120.0, best_visits=9, best_drive_s=100.0),
            line("y", "pyvrp", 1.0, visits=9, drive_s=130.0),
        ]
    )
    assert (first["visits"], first["fewer"], first["driving"]) == (18, 0, pytest.approx(0.1))
    assert (second["visits"], second["fewer"], second["driving"]) == (17, 1, pytest.approx(0.3))
