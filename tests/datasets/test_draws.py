"""Random numbers that belong to a row."""

from __future__ import annotations

import numpy as np
import pytest

from territory.datasets.draws import checked_seed, choose, draw_spread, nearest_owner, uniform
from territory.errors import InputError
from territory.geo.sphere import great_circle_m

KEY = np.arange(20_000, dtype=np.int64)


def test_uniform_is_uniform() -> None:
    u = uniform(KEY, 0, "x")
    assert u.min() >= 0.0
    assert u.max() < 1.0
    counts, _ = np.histogram(u, bins=20, range=(0, 1))
    # chi-square with 19 degrees of freedom: 43.8 is passed once in a thousand, and the seed is fixed
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8


@pytest.mark.parametrize(("other_seed", "other_what"), [(1, "x"), (0, "y"), (10, "x")])
def test_draws_are_independent(other_seed: int, other_what: str) -> None:
    correlation = np.corrcoef(uniform(KEY, 0, "x"), uniform(KEY, other_seed, other_what))[0, 1]
    assert abs(correlation) < 0.03


def test_neighbours_in_number_are_independent() -> None:
    u = uniform(KEY, 0, "x")
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.03


def test_a_row_keeps_its_number() -> None:
    u = uniform(KEY, 3, "x")
    back = uniform(KEY[::-1], 3, "x")[::-1]
    assert np.array_equal(u, back)
    assert np.array_equal(u[100:200], uniform(KEY[100:200], 3, "x"))


def test_the_numbers_are_the_same_on_every_machine() -> None:
    u = uniform(np.array([2803470, 0, 2**40], dtype=np.int64), 0, "segment")
    assert (u * 2**53).astype(np.int64).tolist() == [
        8_524_523_936_753_033,
        6_508_786_933_742_531,
        2_340_835_595_818_851,
    ]


def test_choose_keeps_the_weights() -> None:
    share = np.bincount(choose(uniform(KEY, 0, "x"), (1, 3, 0, 4)), minlength=4) / len(KEY)
    np.testing.assert_allclose(share, [0.125, 0.375, 0.0, 0.5], atol=0.02)


@pytest.mark.parametrize("seed", [-1, 1.5, True, None, "0"])
def test_bad_seed(seed: object) -> None:
    with pytest.raises(InputError, match="bad-seed"):
        checked_seed(seed)  # type: ignore[arg-type]


def test_places_are_spread() -> None:
    lon, lat = 10 + uniform(KEY, 0, "lon"), 50 + uniform(KEY, 0, "lat")
    drawn = draw_spread(KEY, lon, lat, np.ones(len(KEY)), n=10, area_m2=71_000.0 * 111_000.0, seed=0, what="home")
    metres = great_circle_m(lon[drawn][:, None], lat[drawn][:, None], lon[drawn], lat[drawn])
    assert metres[np.triu_indices(10, 1)].min() > 0.45 * (71_000 * 111_000 / 10) ** 0.5


def test_spacing_gives_way_when_places_run_out() -> None:
    lon, lat = np.full(5, 10.0), np.full(5, 50.0)
    drawn = draw_spread(KEY[:5], lon, lat, np.ones(5), n=5, area_m2=1e9, seed=0, what="home")
    assert sorted(drawn.tolist()) == [0, 1, 2, 3, 4]


def test_places_without_weight_are_not_drawn() -> None:
    weight = np.array([0.0, 1.0, 0.0, 1.0])
    args = (KEY[:4], np.arange(4.0), np.arange(4.0), weight)
    assert sorted(draw_spread(*args, n=2, area_m2=1e9, seed=0, what="home").tolist()) == [1, 3]
    with pytest.raises(InputError, match="from 1 to 2, got 3"):
        draw_spread(*args, n=3, area_m2=1e9, seed=0, what="home")


def test_heavy_places_are_drawn_more_often() -> None:
    weight = np.array([1.0, 9.0])
    args = (KEY[:2], np.arange(2.0), np.arange(2.0), weight)
    heavy = sum(int(draw_spread(*args, n=1, area_m2=1e9, seed=s, what="home")[0]) for s in range(300))
    assert 250 < heavy < 288


def test_owner_can_serve() -> None:
    lon, lat = 10 + uniform(KEY[:200], 0, "lon"), 50 + uniform(KEY[:200], 0, "lat")
    able = np.ones((200, 3), dtype=bool)
    able[:50, :2] = False
    owner = nearest_owner(
        lon, lat, np.array([10.1, 10.5, 10.9]), np.array([50.5, 50.5, 50.5]),
        load=np.ones(200), drift=np.zeros(3), second=np.ones(200, dtype=bool), able=able,
    )  # fmt: skip
    assert set(owner[:50].tolist()) == {2}
    assert set(owner[50:].tolist()) == {0, 1, 2}
