"""When a team works."""

from __future__ import annotations

import numpy as np

from territory.model import PlanSettings, Reps
from territory.schedule import work_shifts


def shifts(days=7, start="2026-01-05", holidays=(), **columns):
    reps = Reps(id=["R"], lon=[13.4], lat=[52.5], **columns)
    return work_shifts(reps, PlanSettings(np.datetime64(start), days, holidays=list(holidays)))


def test_weekly_hours_without_holidays_and_leave():
    found = shifts(14, shift=["Mo-We 08:00-12:00; Sa 09:00-10:00"], holidays=["2026-01-06"], leave=["2026-01-12"])
    days = [str(d) for d in found.day]
    assert days == ["2026-01-05", "2026-01-07", "2026-01-10", "2026-01-13", "2026-01-14", "2026-01-17"]
    assert (found.end - found.start).astype(int).tolist() == [14_400, 14_400, 3_600, 14_400, 14_400, 3_600]


def test_a_night_shift_over_the_change_of_clocks_is_as_long_as_it_is():
    night = {"shift": ["Su 00:00-08:00"], "timezone": ["Europe/Berlin"]}
    spring, autumn = shifts(1, "2026-03-29", **night), shifts(1, "2026-10-25", **night)
    assert (spring.end - spring.start).astype(int).tolist() == [7 * 3600]
    assert (autumn.end - autumn.start).astype(int).tolist() == [9 * 3600]


def test_nobody_works():
    assert len(shifts(shift=["off"])) == 0
    assert len(work_shifts(Reps(id=[], lon=[], lat=[]), PlanSettings(np.datetime64("2026-01-05"), 7, holidays=[]))) == 0
