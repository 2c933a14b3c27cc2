"""Ruin and recreate over a rep's horizon: neighbours are taken out of all days and placed anew.

After Schrimpf et al. (2000) and Christiaens & Vanden Berghe (2020), here with whole customers, so
that a customer's days change together with its routes. A slightly worse plan is accepted, ever less
so, that the search leaves bad basins.
"""

from __future__ import annotations

import math
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from territory.schedule.chains import Chain, Rhythm
    from territory.schedule.month import Month

__all__ = ["ruin_and_recreate"]

#: Customers taken out at a time.
_FEWEST: Final = 2
_MOST: Final = 10
#: Temperature at the first and the last iteration, in seconds of driving.
_HOT: Final = 600.0
_COLD: Final = 10.0


def ruin_and_recreate(
    month: Month,
    rhythms: list[Rhythm | None],
    chains: dict[int, Chain],
    iterations: int,
    rng: np.random.Generator,
    deadline: float,
) -> bool:
    """Improve a rep's routes and chains in place.

    Parameters
    ----------
    month : Month
    rhythms : list of Rhythm or None
    chains : dict of customer to Chain
        Every customer with due visits; kept in step with the routes.
    iterations : int
    rng : Generator
    deadline : float
        Monotonic seconds.

    Returns
    -------
    bool
        False when time ran out.
    """
    customers = np.array(sorted(chains), dtype=np.int64)
    if len(customers) < _FEWEST:
        return True
    near = _nearest(month, customers)
    length = {n: month.length(n) for n in month.routes}
    now = float(sum(length.values())) + sum(c.penalty for c in chains.values())
    best, best_routes, best_chains = now, dict(month.routes), dict(chains)
    in_time = True
    for step in range(iterations):
        if monotonic() >= deadline:
            in_time = False
            break
        temperature = _HOT * (_COLD / _HOT) ** (step / max(1, iterations - 1))
        out = _choose(customers, near, chains, rng)
        kept_routes = dict(month.routes)
        kept_chains = {v: chains[v] for v in out}
        for v in out:
            month.remove(v, chains[v])
        for v in _order(out, month, rhythms, rng):
            rhythm = rhythms[v]
            if rhythm is not None:
                chains[v], position = month.place(v, rhythm)
                month.put(v, chains[v], position)
        changed = [n for n, visits in month.routes.items() if visits != kept_routes[n]]
        new_length = {n: month.length(n) for n in changed}
        value = now + sum(new_length[n] - length[n] for n in changed)
        value += sum(chains[v].penalty - kept_chains[v].penalty for v in out)
        if value < now - temperature * math.log(max(rng.random(), 1e-12)):
            now = value
            length.update(new_length)
            if now < best - 1e-6:
                best, best_routes, best_chains = now, dict(month.routes), dict(chains)
        else:
            month.restore(kept_routes)
            chains.update(kept_chains)
    month.restore(best_routes)
    chains.update(best_chains)
    return in_time


def _nearest(month: Month, customers: np.ndarray) -> dict[int, list[int]]:
    """Return each customer's neighbours by driving time, itself first."""
    drive = month.desk.durations_s[1:-1, 1:-1][np.ix_(customers, customers)]
    order = np.argsort(drive + drive.T, axis=1, kind="stable")[:, : 3 * _MOST]
    return {int(v): customers[row].tolist() for v, row in zip(customers, order, strict=True)}


def _choose(
    customers: np.ndarray, near: dict[int, list[int]], chains: dict[int, Chain], rng: np.random.Generator
) -> list[int]:
    """Choose customers to take out: some near a random one; one with a missed visit every other time."""
    missed = [v for v in near if chains[v].missed]
    pool = missed if missed and rng.random() < 0.5 else customers
    seed = int(pool[int(rng.integers(len(pool)))])
    count = int(rng.integers(_FEWEST, _MOST + 1))
    picked = [v for v in near[seed] if v == seed or rng.random() < 0.7][:count]
    return picked or [seed]


def _order(out: list[int], month: Month, rhythms: list[Rhythm | None], rng: np.random.Generator) -> list[int]:
    """Order the customers for insertion: at random, the far first, the near first, or the bound first."""
    way = rng.random()
    if way < 0.4:
        return [out[i] for i in rng.permutation(len(out))]
    if way < 0.7:
        return sorted(out, key=lambda v: (-month.drive[0][v + 1], v))
    if way < 0.8:
        return sorted(out, key=lambda v: (month.drive[0][v + 1], v))

    def freedom(v: int) -> tuple[int, int]:
        rhythm = rhythms[v]
        return (0 if rhythm is None else rhythm.first_high - rhythm.first_low, v)

    return sorted(out, key=freedom)
