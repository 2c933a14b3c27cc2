"""Centres of a balanced power diagram: rounds of balancing and recentring, and jumps out of bad basins.

A round finds the optimal balanced assignment to the centres, from the prices of the last, and moves
each centre to the middle of its territory, or past it: half as far again saves rounds, and ends
lower. Balance holds centres in place, so the first rounds are made with a loose band, which becomes
tight step by step. Then centres jump: one is taken away, another territory is given two.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from territory.design.power_fixed import Ground, best_split, first_margin
from territory.design.power_tree import cells, make_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from territory.design.power_fixed import Split
    from territory.model.arrays import FloatArray

    #: (mean of each territory, its centre so far) -> its centre, all of shape (k, d).
    Place = Callable[[FloatArray, FloatArray], FloatArray]

__all__ = ["Centers", "coarser", "jumps", "loosened", "recentred", "started"]

#: A cost of this share of the second moment is nothing but rounding.
_NOTHING = 1e-12
#: How far past the middle a centre goes: 1.5 ended lowest on uniform, clustered and real places.
_PAST = 1.5
#: Bands of the first rounds: deviations that are allowed at least, as shares of the target.
_LOOSE = (0.5, 0.25, 0.12)
#: A trial jump is given up where three more gains like the last would not make it pay.
_HOPE = 3.0


class Centers(NamedTuple):
    """Centres, and what the last round knew of them.

    Attributes
    ----------
    center : float array of shape (k, d)
    price, margin : float arrays of shape (k,)
        To start the next round from.
    cost : float
        Weighted squared distance to the middles of the last round's territories, with split points.
    split : Split, or None before the first round
    """

    center: FloatArray
    price: FloatArray
    margin: FloatArray
    cost: float
    split: Split | None


def started(center: FloatArray) -> Centers:
    """Return centres before their first round."""
    return Centers(center, np.zeros(len(center)), first_margin(center), float("inf"), None)


def coarser(ground: Ground, level: int) -> Ground:
    """Return the ground with the cells of a level of the tree for points."""
    return ground._replace(tree=make_tree(*cells(ground.tree, level)))


def recentred(
    ground: Ground,
    now: Centers,
    place: Place,
    *,
    rounds: int,
    gain: float,
    deadline: float = float("inf"),
    goal: float = float("inf"),
) -> Centers:
    """Return the centres after some rounds.

    Parameters
    ----------
    ground : Ground
    now : Centers
    place : function of means and centres
        Where centres go.
    rounds : int
        At most.
    gain : float
        Stop when two rounds gained less, relative to the cost.
    deadline : float
        Monotonic seconds.
    goal : float
        Stop when this cost is out of hope.
    """
    constant = _second_moment(ground)
    center, price, margin = now.center, now.price, now.margin
    split, costs = now.split, [now.cost]
    for _ in range(rounds):
        split = best_split(ground, center, price, margin)
        price, margin = split.price, split.margin
        has = split.load > 0
        mean = np.where(has[:, None], split.moment / np.where(has, split.load, 1.0)[:, None], center)
        costs.append(constant - float(split.load @ (mean**2).sum(axis=1)))
        past = _PAST if costs[-1] < costs[-2] else 1.0
        center = place(center + past * (mean - center), center)
        if not split.feasible or monotonic() >= deadline or costs[-1] <= _NOTHING * constant:
            break
        if len(costs) > 3 and costs[-3] - costs[-1] < gain * costs[-1]:
            break
        if len(costs) > 3 and costs[-1] - _HOPE * (costs[-2] - costs[-1]) > goal:
            break
    return Centers(center, price, margin, costs[-1], split)


def loosened(ground: Ground, now: Centers, place: Place, *, rounds: int, deadline: float = float("inf")) -> Centers:
    """Return the centres after rounds with bands that become tight step by step."""
    middle = 0.5 * (ground.lower + ground.upper)
    for tolerance in _LOOSE:
        lower = np.minimum(ground.lower, middle * (1 - tolerance))
        upper = np.maximum(ground.upper, middle * (1 + tolerance))
        if (lower < ground.lower).any() or (upper > ground.upper).any():
            loose = ground._replace(lower=lower, upper=upper)
            now = recentred(loose, now._replace(cost=float("inf")), place, rounds=rounds, gain=1e-3, deadline=deadline)
    return now._replace(cost=float("inf"))


def jumps(
    ground: Ground,
    now: Centers,
    place: Place,
    rng: np.random.Generator,
    *,
    trials: int,
    gain: float,
    deadline: float = float("inf"),
) -> Centers:
    """Return the centres after trials to take one away and to give another territory two.

    Dear territories, and those that are wide, are the likelier to be given two; cheap ones, with a
    neighbour at hand, to be taken away.

    Parameters
    ----------
    ground : Ground without points that may go to some territories only: their centres belong to somebody
    now : Centers after a round
    trials : int
    """
    k = len(now.center)
    nothing = _NOTHING * _second_moment(ground)
    for _ in range(trials if k > 2 and now.cost > nothing else 0):
        split = now.split
        if split is None or not split.feasible or monotonic() >= deadline:
            break
        spread, offset = _axes(ground, split, now.center)
        want = _rank(now.price) + _rank(spread)
        near = first_margin(now.center)
        spare = _rank(-now.price) + _rank(-near)
        two = int(rng.choice(k, p=want**3 / (want**3).sum()))
        spare[two] = 0.0
        gone = int(rng.choice(k, p=spare**3 / (spare**3).sum()))
        center, price = now.center.copy(), now.price.copy()
        center[gone], center[two] = center[two] + offset[two], center[two] - offset[two]
        price[gone] = price[two]
        # far from the jump, prices change little
        wide = first_margin(center)
        margin = np.maximum(now.margin, 0.1 * wide)
        margin[[gone, two]] = wide[[gone, two]]
        trial = Centers(place(center, center), price, margin, float("inf"), None)
        trial = recentred(ground, trial, place, rounds=30, gain=gain, deadline=deadline, goal=now.cost)
        if trial.split is not None and trial.split.feasible and trial.cost < now.cost * (1 - 1e-6):
            now = trial
    return now


def _rank(value: FloatArray) -> FloatArray:
    """Return the rank of each value, from 0 to 1 without the ends."""
    return np.asarray((value.argsort(kind="stable").argsort(kind="stable") + 0.5) / len(value))


def _axes(ground: Ground, split: Split, center: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return each territory's weighted spread along its main axis, (k,), and that axis as a step, (k, d)."""
    tree, label = ground.tree, split.border.label
    k, d = center.shape
    away = tree.x - center[label]
    load = np.maximum(np.bincount(label, tree.w, k), 1e-300)
    second = np.empty((k, d, d))
    for a in range(d):
        for b in range(a, d):
            second[:, a, b] = second[:, b, a] = np.bincount(label, tree.w * away[:, a] * away[:, b], k) / load
    value, vector = np.linalg.eigh(second)
    most = np.maximum(value[:, -1], 0.0)
    return load * most, vector[:, :, -1] * (0.8 * np.sqrt(most))[:, None]


def _second_moment(ground: Ground) -> float:
    """Return the weighted sum of squared lengths."""
    total = float(ground.tree.w @ (ground.tree.x**2).sum(axis=1))
    return total + float(ground.w @ (ground.x**2).sum(axis=1))
