"""Single visits as people have them in tables: times beside days, and cells left blank."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from territory import InputError, Visits, read_visits
from territory.io import write_table
from territory.model.enums import Commitment, VisitKind

TWO = {"id": ["a", "b"], "customer_id": ["x", "y"], "earliest": ["2026-01-05"] * 2, "latest": ["2026-01-09"] * 2}
TIMED = "2026-01-06T10:00"


def refused(frame, **options):
    with pytest.raises(InputError) as caught:
        Visits.from_frame(frame, **options)
    return {p.column: p for p in caught.value.problems}


@pytest.mark.parametrize("name", ["earliest", "latest", "due"])
@pytest.mark.parametrize(
    "cells",
    [
        ["2026-01-06", TIMED],
        [dt.date(2026, 1, 6), dt.datetime.fromisoformat(TIMED)],
        ["2026-01-06", pd.Timestamp(TIMED)],
        ["2026-01-06", np.datetime64(TIMED)],
        np.array(["2026-01-06", TIMED], "M8[ns]"),
        pd.Series(pd.to_datetime(["2026-01-06 00:00", "2026-01-06 00:00:00.000001"], format="ISO8601")),
    ],
    ids=["text", "datetime", "pandas", "numpy", "an array", "a series"],
)
def test_a_time_beside_a_day_is_not_lost_in_silence(name, cells):
    found = refused({**TWO, name: cells})[name]
    assert (found.code, found.count, found.rows) == ("time-lost", 1, (1,))
    assert "time_s" in found.hint


def test_times_in_a_form_of_ones_own_are_found_too():
    days = {name: ["05/01/2026 00:00", "06/01/2026 10:30"] for name in ("earliest", "latest")}
    found = refused({**TWO, **days}, date_format="%d/%m/%Y %H:%M")
    assert {name: p.code for name, p in found.items()} == {"earliest": "time-lost", "latest": "time-lost"}


@pytest.mark.parametrize(
    "cells",
    [
        ["2026-01-06", "2026-01-06T00:00"],
        pd.to_datetime(["2026-01-06", "2026-01-06"]),
        np.array(["2026-01-06"] * 2, "M8[ns]"),
        [dt.date(2026, 1, 6), dt.datetime.fromisoformat("2026-01-06")],
        [pd.Timestamp("2026-01-06"), np.datetime64("2026-01-06T00:00:00")],
    ],
    ids=["text", "pandas", "numpy", "Python", "objects"],
)
def test_midnight_is_a_day(cells):
    found = Visits.from_frame(pd.DataFrame({**TWO, "earliest": cells}))
    assert found.earliest.tolist() == [dt.date(2026, 1, 6)] * 2


def test_blank_cells_of_a_file_mean_what_an_absent_column_means(tmp_path):
    file = tmp_path / "visits.csv"
    file.write_text(
        "id,customer_id,earliest,latest,due,kind,time_s,remote,commitment\n"
        "a,x,2026-01-05,2026-01-09,,,,,\n"
        "b,x,2026-01-06,2026-01-06,,,,,\n"
        "c,x,2026-01-05,2026-01-09,,,36000,,\n"
        "d,x,2026-01-05,2026-01-09,,event,,true,\n"
        "e,x,2026-01-05,2026-01-09,,follow-up,,false,confirmed_week\n"
    )
    visits = read_visits(file)
    appointment = VisitKind.APPOINTMENT
    assert visits.kind.tolist() == [appointment] * 3 + [VisitKind.EVENT, VisitKind.FOLLOW_UP]
    assert visits.remote.tolist() == [False, False, False, True, False]
    c = Commitment
    said = [c.PLANNED, c.CONFIRMED_DAY, c.FIXED, c.CONFIRMED_DAY, c.CONFIRMED_WEEK]
    assert visits.commitment_of().tolist() == said


def test_what_is_no_word_is_still_refused():
    found = refused({**TWO, "kind": ["", "party"], "commitment": ["", "sworn"]})
    assert {name: (p.code, p.rows) for name, p in found.items()} == {
        "kind": ("unknown-word", (1,)), "commitment": ("unknown-word", (1,)),
    }  # fmt: skip
    assert refused({**TWO, "kind": np.array([3, -1])})["kind"].rows == (1,)


def test_blank_firmness_survives_joining_and_files(tmp_path):
    mine = Visits(**TWO, commitment=["", "fixed"])
    again = read_visits(write_table(mine, tmp_path / "v.csv"))
    assert again.commitment.tolist() == mine.commitment.tolist() == [-1, Commitment.FIXED]
    other = Visits(id=["c"], customer_id=["x"], earliest=["2026-01-06"], latest=["2026-01-06"])
    assert mine.joined(other).commitment_of().tolist() == [Commitment.PLANNED, Commitment.FIXED, 3]
