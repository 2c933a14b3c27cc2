"""Small design problems, made by hand or by a seed."""

from __future__ import annotations

import numpy as np

from territory import Customers
from territory.design.problem import DesignProblem, on_sphere


def problem_of(lon, lat, weight, k, tolerance, *, eligible=None, share=None):
    """Make a problem with one measure; places are degrees."""
    weight = np.asarray(weight, dtype=float)
    share = np.full(k, 1 / k) if share is None else np.asarray(share, dtype=float)
    target = share[:, None] * weight.sum()
    return DesignProblem(
        xyz=on_sphere(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)),
        weight=weight,
        measures=weight[:, None],
        lower=target * max(1 - tolerance, 0),
        upper=target * (1 + tolerance),
        target=target,
        eligible=eligible,
    )


def chord2(xyz, centers):
    """Return the squared chords between points (n, 3) and centres (k, 3), square metres, shape (n, k)."""
    return ((xyz[:, None, :] - centers[None, :, :]) ** 2).sum(axis=2)


def random_problem(seed, n, k, tolerance, *, picky=False):
    rng = np.random.default_rng(seed)
    eligible = None
    if picky:
        eligible = rng.random((n, k)) < 0.6
        eligible[np.arange(n), rng.integers(k, size=n)] = True
    return problem_of(
        rng.uniform(8, 12, n), rng.uniform(48, 52, n), rng.integers(1, 20, n), k, tolerance, eligible=eligible
    )


def random_centers(seed, k):
    rng = np.random.default_rng(seed)
    return on_sphere(rng.uniform(8, 12, k), rng.uniform(48, 52, k))


def customers_on(picture, **columns):
    """Read customers from a map in text: each letter is one, a tenth of a degree from the next; rows run south."""
    spots = [
        (x, y) for y, line in enumerate(picture.strip("\n").splitlines()) for x, c in enumerate(line) if c.isalnum()
    ]
    n = len(spots)
    # a degree of longitude is shorter than one of latitude: on the equator the map is square
    return Customers(
        id=[f"c{i:03d}" for i in range(n)],
        lon=[10 + x / 10 for x, _ in spots],
        lat=[-y / 10 for _, y in spots],
        **columns,
    )
