from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from territory.check import ALIGNMENT_CODES, CODES, PLAN_CODES, ROUTING_CODES, CheckReport, Violation
from territory.errors import SolverError

DAY = np.datetime64("2026-01-05")
SOME = CheckReport(
    (
        Violation("on-leave", "Rep R1 is away.", rep_id="R1", day=DAY),
        *(
            Violation("end-wrong", f"Visit {i} ends late.", customer_id=f"c{i}", rep_id="R1", day=DAY, amount=i)
            for i in range(7)
        ),
    )
)


def test_empty_report_is_ok():
    report = CheckReport()
    assert report.ok
    assert len(report) == 0
    assert list(report) == []
    assert str(report) == "plan: no violations"
    assert repr(report) == "<CheckReport of the plan: no violations>"
    report.raise_if_any("plan")
    assert len(report.to_frame()) == 0


def test_report_has_no_truth_value():
    for report in (SOME, CheckReport()):
        with pytest.raises(TypeError, match=r"report\.ok"):
            bool(report)


def test_report_counts_and_iterates():
    assert not SOME.ok
    assert len(SOME) == 8
    assert SOME.codes == {"on-leave": 1, "end-wrong": 7}
    assert [v.code for v in SOME][:2] == ["on-leave", "end-wrong"]
    assert str(SOME.violations[0]) == "Rep R1 is away."


def test_report_prints_a_few_of_each_code():
    lines = str(SOME).splitlines()
    assert lines[0] == "plan: 8 violations of 2 rules"
    assert lines[1:3] == ["  end-wrong (7)", "    Visit 0 ends late."]
    assert "    ... and 2 more" in lines
    assert repr(SOME) == "<CheckReport of the plan: end-wrong 7, on-leave 1>"


@pytest.mark.parametrize("backend", ["pandas", "polars", "pyarrow"])
def test_to_frame(backend):
    frame = SOME.to_frame(backend)
    assert frame.shape == (8, 7)
    if backend == "pandas":
        assert frame["customer_id"].tolist() == ["", *(f"c{i}" for i in range(7))]
        assert frame["amount"].isna().tolist() == [True] + [False] * 7
        assert frame["day"].dt.strftime("%Y-%m-%d").unique().tolist() == ["2026-01-05"]


def test_raise_if_any_names_each_rule_once():
    with pytest.raises(SolverError) as caught:
        SOME.raise_if_any("schedule_visits")
    error = copy.deepcopy(caught.value)
    assert [(p.code, p.count) for p in error.problems] == [("end-wrong", 7), ("on-leave", 1)]
    assert str(error).startswith("schedule_visits: the independent check found 8 violations in the plan\n")
    assert "7 violations, the first: Visit 0 ends late." in str(error)


def test_reports_and_violations_are_frozen():
    with pytest.raises(FrozenInstanceError):
        SOME.subject = "x"
    with pytest.raises(FrozenInstanceError):
        SOME.violations[0].code = "x"
    assert len(copy.deepcopy(SOME)) == 8


def test_codes_are_hyphenated_and_explained_in_sentences():
    assert {*PLAN_CODES, *ALIGNMENT_CODES, *ROUTING_CODES} == set(CODES)
    for code, rule in CODES.items():
        assert code == code.lower().strip("-")
        assert "_" not in code
        assert rule[0].isupper()
        assert rule.endswith(".")
