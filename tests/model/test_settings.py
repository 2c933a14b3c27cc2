from __future__ import annotations

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
