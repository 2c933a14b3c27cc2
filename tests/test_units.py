from __future__ import annotations

import pytest

from territory import units


@pytest.mark.parametrize(("second", "text"), [(0, "00:00"), (59, "00:00"), (60, "00:01"), (32_400.9, "09:00"),
                                              (86_399, "23:59"), (86_400, "24:00"), (93_600, "26:00")])  # fmt: skip
def test_clock(second, text):
    assert units.clock(second) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 min"), (29, "0 min"), (31, "1 min"), (3_540, "59 min"),
                                               (3_599, "1 h 00 min"), (3_600, "1 h 00 min"), (5_400, "1 h 30 min"),
                                               (90_000, "25 h 00 min")])  # fmt: skip
def test_duration(seconds, text):
    assert units.duration(seconds) == text


def test_constants():
    assert units.MINUTE_S * 60 == units.HOUR_S
    assert units.HOUR_S * 24 == units.DAY_S
    assert units.DAY_S * 7 == units.WEEK_S
    assert (units.KM_M, units.MILE_M) == (1000.0, 1609.344)
