from __future__ import annotations

import datetime as dt
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
