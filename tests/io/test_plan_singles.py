"""Single visits and columns that a plan may lack, in files."""

from __future__ import annotations

import csv
import dataclasses
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.io.same_plan import assert_same_plan, listed

from territory.errors import InputError
from territory.io import read_plan, write_plan
from territory.model import Plan, Visits

if TYPE_CHECKING:
    from pathlib import Path


def with_single_visits(plan: Plan) -> Plan:
    """The same plan with everything that its tables may hold besides."""
    visits = Visits(
        id=["=1+1", "fair\n2026"],
        customer_id=[plan.customers.id[1], plan.customers.id[4]],
        earliest=["2026-01-05", "2026-01-05"],
        latest=["2026-01-09", "2026-01-06"],
        due=["2026-01-05", ""],
        service_s=[1800.0, 0.1 + 0.2],
        rep_id=["R1", ""],
        second_rep_id=["r/2", ""],
        kind=["appointment", "event"],
        time_s=[36_000.5, np.nan],
        remote=[True, False],
        worth=[2.5, np.nan],
        commitment=["fixed", "suggested"],
    )
    m = len(plan.stops)
    stops = dataclasses.replace(
        plan.stops,
        visit_idx=[1 if c == 4 else 0 if c == 1 else -1 for c in plan.stops.customer_idx.tolist()],
        remote=np.arange(m) % 3 == 0,
        commitment=(np.arange(m) % 5).astype(np.int8),
    )
    u = plan.unassigned.take([0, 0])
    unassigned = dataclasses.replace(
        u,
        visit_idx=[-1, 1],
        change=['Half an hour more on Tuesday, "R1"', ""],
        change_code=["shift", ""],
        change_amount=[1800, 0],
        change_day=["2026-01-06", None],
    )
    return dataclasses.replace(plan, visits=visits, stops=stops, unassigned=unassigned)


def test_single_visits_and_all_that_is_optional_come_back(plan: Plan, tmp_path: Path) -> None:
    full = with_single_visits(plan)
    again = read_plan(write_plan(full, tmp_path / "out"))
    assert_same_plan(full, again)
    assert again.stops.visit_idx is not None
    assert again.stops.commitment is not None
    assert again.stops.commitment.dtype == np.int8
    with (tmp_path / "out" / "stops.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [r["visit_id"] for r in rows][:2] == ["", "=1+1"]
    assert rows[1]["commitment"] == "planned"
    assert_same_plan(full.rep("R1"), read_plan(write_plan(full.rep("R1"), tmp_path / "part")))


def test_each_optional_column_comes_back_alone(plan: Plan, tmp_path: Path) -> None:
    full = with_single_visits(plan)
    for table, needed in (("stops", plan.stops), ("unassigned", plan.unassigned.take([0, 0]))):
        for name in set(getattr(full, table).column_names) - set(needed.column_names):
            base = dataclasses.replace(plan, unassigned=plan.unassigned.take([0, 0]), visits=full.visits)
            column = getattr(getattr(full, table), name)
            one = dataclasses.replace(base, **{table: dataclasses.replace(getattr(base, table), **{name: column})})
            assert_same_plan(one, read_plan(write_plan(one, tmp_path / name)))


def test_files_of_before_single_visits_are_read(plan: Plan, tmp_path: Path) -> None:
    folder = write_plan(plan, tmp_path / "out")
    head = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    assert head.pop("visits") is None
    assert "visits.parquet" not in listed(folder)
    (folder / "plan.json").write_text(json.dumps(head), encoding="utf-8")
    assert_same_plan(plan, read_plan(folder))


def test_ids_of_single_visits_without_their_table_are_refused(plan: Plan, tmp_path: Path) -> None:
    folder = write_plan(with_single_visits(plan), tmp_path / "out")
    head = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    head["visits"] = None
    (folder / "plan.json").write_text(json.dumps(head), encoding="utf-8")
    with pytest.raises(InputError, match="does not go with the files beside it"):
        read_plan(folder)
