from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import json
import pickle

import numpy as np
import pytest

from territory import InputError, PlanSettings


def settings(**options):
    return PlanSettings(
        **{"start": "2026-01-05", "n_days": 7, "holidays": ["2026-01-08", dt.date(2026, 1, 6)], **options}
    )


def test_horizon():
    s = settings()
    assert s.days[0] == s.start == np.datetime64("2026-01-05")
    assert s.end == np.datetime64("2026-01-12")
    assert len(s.days) == 7
    assert s.holidays.astype(str).tolist() == ["2026-01-06", "2026-01-08"]
    assert not s.holidays.flags.writeable


def test_out_and_in_again():
    s = settings(tolerance=0.1, default_shift="Mo 09:00-10:00", travel="abc", default_service_s=60.0)
    for again in (PlanSettings.from_dict(s.to_dict()), pickle.loads(pickle.dumps(s))):  # noqa: S301 - our own bytes
        assert again.to_dict() == s.to_dict()
        assert not again.holidays.flags.writeable
    assert s.to_dict()["default_service_s"] == 60
    with pytest.raises(InputError, match="bad-settings"):
        PlanSettings.from_dict({"start": "2026-01-05", "speed": 1})


def test_all_faults_at_once():
    with pytest.raises(InputError) as caught:
        settings(n_days=0, tolerance=9, default_service_s=-1, default_shift="x")
    assert caught.value.codes == ("empty-horizon", "bad-tolerance", "bad-service", "bad-shift")


POLICIES = {
    "stretch": {"R2": 1.5, "R1": 2},
    "hot_days": 3,
    "warm_days": np.int64(10),
    "cold_detour_s": 600.0,
    "follow_up_days": [30, 14, 14],
    "remote": "after-first",
    "service_by_kind": {"remote": 600, "lead": 2700.0},
    "cover": {"R2": ["R1", "R3", "R1"]},
    "shared": True,
    "load": "crates",
}


def test_policies_out_and_in_again():
    s = settings(**POLICIES)
    told = {
        **POLICIES,
        "stretch": {"R1": 2.0, "R2": 1.5},
        "follow_up_days": [14, 30],
        "service_by_kind": {"lead": 2700, "remote": 600},
        "cover": {"R2": ["R1", "R3"]},
    }
    assert {k: v for k, v in s.to_dict().items() if k in POLICIES} == told
    assert (s.follow_up_days, s.cover["R2"]) == ((14, 30), ("R1", "R3"))
    again = PlanSettings.from_dict(json.loads(json.dumps(s.to_dict())))
    for same in (again, pickle.loads(pickle.dumps(s)), copy.deepcopy(s)):  # noqa: S301 - our own bytes
        assert {name: getattr(same, name) for name in POLICIES} == {name: getattr(s, name) for name in POLICIES}
    assert json.dumps(again.to_dict()) == json.dumps(s.to_dict())


def test_kinds_as_tables_write_them():
    assert settings(service_by_kind={"follow_up": 60}).service_by_kind == {"follow-up": 60}


def test_policies_are_the_defaults_of_older_files():
    old = {k: v for k, v in settings().to_dict().items() if k not in POLICIES}
    assert PlanSettings.from_dict(old).to_dict() == settings().to_dict()
    assert settings().follow_up_days == (14,)


def test_policies_cannot_be_written_to_and_keep_nothing_of_the_callers():
    given = {"R1": 2.0}
    s = settings(stretch=given)
    given["R1"] = 3.0
    assert s.stretch["R1"] == 2.0
    with pytest.raises(TypeError):
        s.stretch["R1"] = 1.0


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"stretch": {"R1": 0.9}}, "bad-stretch"),
        ({"stretch": {"R1": float("nan")}}, "bad-stretch"),
        ({"stretch": {"R1": float("inf")}}, "bad-stretch"),
        ({"stretch": {1: 2.0}}, "bad-stretch"),
        ({"stretch": 1.5}, "bad-stretch"),
        ({"stretch": {"R1": True}}, "bad-stretch"),
        ({"hot_days": 0}, "bad-lead-days"),
        ({"hot_days": "2"}, "bad-lead-days"),
        ({"warm_days": 1.5}, "bad-lead-days"),
        ({"warm_days": float("inf")}, "bad-lead-days"),
        ({"cold_detour_s": -1}, "bad-detour"),
        ({"follow_up_days": 14}, "bad-follow-up"),
        ({"follow_up_days": "14"}, "bad-follow-up"),
        ({"follow_up_days": [-1]}, "bad-follow-up"),
        ({"remote": "always"}, "unknown-option"),
        ({"remote": ["never"]}, "unknown-option"),
        ({"service_by_kind": {"visit": 1}}, "bad-service-by-kind"),
        ({"service_by_kind": {"lead": 90_000}}, "bad-service-by-kind"),
        ({"service_by_kind": {"lead": None}}, "bad-service-by-kind"),
        ({"cover": {"R1": "R2"}}, "bad-cover"),
        ({"cover": {"R1": ["R1"]}}, "bad-cover"),
        ({"cover": {"R1": [""]}}, "bad-cover"),
        ({"cover": {"R1": None}}, "bad-cover"),
        ({"shared": "no"}, "bad-shared"),
        ({"load": " "}, "bad-load"),
        ({"load": 3}, "bad-load"),
    ],
    ids=str,
)
def test_policies_that_make_no_sense(bad, code):
    with pytest.raises(InputError) as caught:
        settings(**bad)
    assert caught.value.codes == (code,)


def test_all_faults_of_policies_at_once_with_the_others():
    with pytest.raises(InputError) as caught:
        settings(n_days=0, stretch={"R1": 0}, hot_days=0, warm_days=0, remote="x", load="")
    assert caught.value.codes == (
        "empty-horizon", "bad-stretch", "bad-lead-days", "bad-lead-days", "unknown-option", "bad-load"
    )  # fmt: skip


def test_holidays_of_single_reps():
    s = settings(rep_holidays={"R2": ["2026-01-06", "2026-01-06", dt.date(2026, 1, 1)], "R1": []})
    assert list(s.rep_holidays) == ["R1", "R2"]
    assert s.rep_holidays["R2"].astype(str).tolist() == ["2026-01-01", "2026-01-06"]
    assert len(s.rep_holidays["R1"]) == 0
    assert not s.rep_holidays["R2"].flags.writeable
    with pytest.raises(TypeError):
        s.rep_holidays["R3"] = []
    for again in (PlanSettings.from_dict(s.to_dict()), pickle.loads(pickle.dumps(s)), dataclasses.replace(s)):  # noqa: S301 - our own bytes
        assert again.to_dict() == s.to_dict()
        assert not again.rep_holidays["R2"].flags.writeable
    # files of before have none
    old = {name: value for name, value in s.to_dict().items() if name != "rep_holidays"}
    assert dict(PlanSettings.from_dict(old).rep_holidays) == {}
    assert json.loads(json.dumps(s.to_dict()))["rep_holidays"] == {"R1": [], "R2": ["2026-01-01", "2026-01-06"]}
    with pytest.raises(InputError, match="rep_holidays of R1: expected a day such as '2026-04-03', not '03/04/2026'"):
        settings(rep_holidays={"R1": ["03/04/2026"]})
    with pytest.raises(InputError, match="rep_holidays of R1: expected days in a list"):
        settings(rep_holidays={"R1": "2026-01-06"})
