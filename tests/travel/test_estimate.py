from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from territory.errors import InputError
from territory.model.places import PlaceKind, Places
from territory.travel import GreatCircle, Speeds
from territory.travel.estimate import DriveConstants, drive_estimate

DEGREE_M = 111_195.0
#: 60 km/h as the crow flies: metres are seconds times 16.67.
PLAIN = GreatCircle(detour=1.0, speeds_km_h=Speeds.constant(60.0))


def estimate(xy, home=(0.0, 0.0), *, service_s=1800.0, day_s=8 * 3600.0, of=None, **options):
    """Estimate for places in metres around (10, 0)."""
    xy = np.asarray(xy, dtype=float)
    of = np.zeros(len(xy), dtype=np.int32) if of is None else np.asarray(of, dtype=np.int32)
    k = int(of.max(initial=0)) + 1
    return drive_estimate(
        10 + xy[:, 0] / DEGREE_M, xy[:, 1] / DEGREE_M, of, np.full(k, 10 + home[0] / DEGREE_M),
        np.full(k, home[1] / DEGREE_M), service_s=np.full(len(xy), service_s), day_s=np.full(k, day_s), **options,
    )  # fmt: skip


def sweep_tours(xy, m):
    """Drive by hand: sectors of m places around home, in each the nearest next, then crossings undone (2-opt)."""
    order = np.argsort(np.arctan2(xy[:, 1], xy[:, 0]))
    total = 0.0
    for start in range(0, len(xy), m):
        tour = np.concatenate([[[0.0, 0.0]], xy[order[start : start + m]]])
        gap = np.hypot(*(tour[:, None] - tour[None]).transpose(2, 0, 1))
        way, left = [0], set(range(1, len(tour)))
        while left:
            way.append(min(left, key=lambda j: gap[way[-1], j]))
            left.remove(way[-1])
        way.append(0)
        better = True
        while better:
            better = False
            for i in range(1, len(way) - 2):
                for j in range(i + 1, len(way) - 1):
                    a, b, c, d = way[i - 1], way[i], way[j], way[j + 1]
                    if gap[a, c] + gap[b, d] < gap[a, b] + gap[c, d] - 1e-9:
                        way[i : j + 1] = way[i : j + 1][::-1]
                        better = True
        total += sum(gap[a, b] for a, b in pairwise(way))
    return total


@pytest.mark.parametrize(("n", "m"), [(150, 10), (300, 15), (60, 12)])
def test_it_is_near_real_tours(n, m):
    rng = np.random.default_rng(n)
    xy = rng.uniform(-50_000, 50_000, (n, 2))
    # a day in which m places fit
    probe = estimate(xy, constants=DriveConstants(travel=PLAIN), day_s=1e9)
    out_s = 2 * np.hypot(*xy.T).mean() / (1000 / 60)
    day_s = out_s + m * (1800 + probe.local_m[0] / n / (1000 / 60))
    found = estimate(xy, constants=DriveConstants(travel=PLAIN), day_s=day_s)
    assert found.visits_per_day[0] == pytest.approx(m, rel=0.01)
    driven = found.haul_m[0] + found.local_m[0]
    assert found.round_s[0] * 1000 / 60 == pytest.approx(driven, rel=1e-3)
    assert driven == pytest.approx(sweep_tours(xy, m), rel=0.2)


def test_the_local_part_is_the_square_root_law():
    rng = np.random.default_rng(4)
    xy = rng.uniform(0, 100_000, (4_000, 2))
    local = estimate(xy, constants=DriveConstants(travel=PLAIN)).local_m[0]
    assert local == pytest.approx(0.57 * np.sqrt(4_000 * 1e10), rel=0.04)
    # twice as dense in the same place: the square root of two longer
    twice = estimate(rng.uniform(0, 100_000, (8_000, 2)), constants=DriveConstants(travel=PLAIN)).local_m[0]
    assert twice / local == pytest.approx(np.sqrt(2), rel=0.03)


def test_what_makes_driving_longer():
    rng = np.random.default_rng(5)
    xy = rng.uniform(-20_000, 20_000, (80, 2))
    base = estimate(xy).round_s[0]
    assert estimate(xy, home=(60_000.0, 0.0)).round_s[0] > 1.5 * base
    assert estimate(xy, day_s=4 * 3600.0).round_s[0] > base
    assert estimate(xy, service_s=3600.0).round_s[0] > base
    assert estimate(2 * xy).round_s[0] > base
    assert estimate(xy, constants=DriveConstants(travel=GreatCircle(detour=1.6))).round_s[0] > base


def test_weeks_spots_lone_and_missing_customers():
    xy = [[0, 0], [0, 0], [0, 0], [30_000, 0], [99, 99]]
    found = estimate(xy, of=[0, 0, 0, 2, -1], visits_per_week=np.array([1, 1, 1, 0.5, 9]))
    assert found.round_s[:2].tolist() == [0.0, 0.0]  # all at home, and nobody
    assert found.week_s[2] == pytest.approx(found.round_s[2] / 2)
    assert found.visits_per_day.tolist() == [3.0, 0.0, 1.0]
    assert found.local_m.tolist() == [0.0] * 3
    assert found.haul_m[2] == pytest.approx(2 * 1.4 * 30_000, rel=1e-3)
    assert estimate(xy).week_s is None


def test_a_leg_takes_as_long_as_in_the_matrix():
    travel = GreatCircle()
    ends = Places.of(PlaceKind.CUSTOMER, ["a", "b"], [10.0, 10.3], [50.0, 50.0], np.array([0, 0], dtype=np.int8))
    legs = travel.matrix(ends, ends)
    crow = np.array([legs.distances_m[0, 1] / travel.detour])
    assert travel.leg_s(crow, np.array([0], dtype=np.int8))[0] == pytest.approx(legs.durations_s[0, 1], abs=1.5)


def test_constants_that_are_none():
    with pytest.raises(InputError) as caught:
        DriveConstants(local=-1.0, haul=float("nan"))
    assert len(caught.value.problems) == 2
