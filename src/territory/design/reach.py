"""Free centres from which everybody is within reach."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from territory.design.power import power_design
from territory.geo.sphere import EARTH_RADIUS_M

if TYPE_CHECKING:
    from territory.design.problem import DesignProblem
    from territory.model.arrays import BoolArray, FloatArray, IdxArray

__all__ = ["Reached", "chord_m", "fitted_to_reach"]

#: Rounds in which centres and those within reach of them are fitted to each other.
_ROUNDS: Final = 12
#: Steps towards the middle of the smallest circle around a territory (Badoiu & Clarkson 2003).
_STEPS: Final = 200


class Reached(NamedTuple):
    """Territories and centres.

    Attributes
    ----------
    label : int32 array of shape (n,)
    center : float array of shape (k, 3), metres
    eligible : bool array of shape (n, k)
        Who is within reach of these centres; everybody of somebody if `far` is empty.
    far : int32 array
        Who is not within reach of his own centre.
    """

    label: IdxArray
    center: FloatArray
    eligible: BoolArray
    far: IdxArray


def chord_m(reach_m: FloatArray) -> FloatArray:
    """Return the chords of arcs on the Earth, metres."""
    return np.asarray(2.0 * EARTH_RADIUS_M * np.sin(np.minimum(reach_m / (2.0 * EARTH_RADIUS_M), np.pi / 2)))


def fitted_to_reach(
    problem: DesignProblem,
    label: IdxArray,
    center: FloatArray,
    reach_m: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    deadline: float,
    *,
    member: FloatArray,
    atom: IdxArray,
) -> Reached:
    """Move centres, and deal out anew, until everybody is within reach of his own centre.

    In each round, centres that somebody is too far from go to the middle of the smallest circle around their
    territory; then customers are shared out to the centres within reach. Where that does not end well, it begins
    again with centres far from each other (Gonzalez 1985). A heuristic: that it ends with some who are too far
    away proves nothing.

    Parameters
    ----------
    problem : DesignProblem, a atoms in k territories
    label, center
        Where to begin.
    reach_m : float array of shape (k,)
    lower, upper : float arrays of shape (k,)
        Of the first measure.
    deadline : float
        Monotonic seconds.
    member : float array of shape (n, 3), metres
        Places of the customers; all members of a group must be within reach.
    atom : int32 array of shape (n,)
        The atom of each.

    Notes
    -----
    O(n k) a round.
    """
    most = chord_m(reach_m) * (1.0 - 1e-9)
    best = _fitted(problem, label, center, most, lower, upper, deadline, member, atom)
    if len(best.far) and monotonic() < deadline:
        apart = _far_apart(member, problem.k)
        gaps = np.stack([((problem.xyz - at) ** 2).sum(axis=1) for at in apart], axis=1)
        if problem.eligible is not None:
            gaps = np.where(problem.eligible, gaps, np.inf)
        other = _fitted(
            problem, gaps.argmin(axis=1).astype(np.int32), apart, most, lower, upper, deadline, member, atom
        )  # fmt: skip
        best = other if len(other.far) < len(best.far) else best
    return best


def _fitted(
    problem: DesignProblem, label: IdxArray, center: FloatArray, most: FloatArray, lower: FloatArray,
    upper: FloatArray, deadline: float, member: FloatArray, atom: IdxArray,
) -> Reached:  # fmt: skip
    best = Reached(label, center, np.empty((0, 0), dtype=bool), np.arange(problem.n, dtype=np.int32))
    whole = np.ones((1, problem.k), dtype=bool) if problem.eligible is None else problem.eligible
    for _ in range(_ROUNDS):
        own = label[atom]
        away = np.linalg.norm(member - center[own], axis=1)
        for j in np.unique(own[away > most[own]]):
            center = center.copy()
            center[j] = _middle(member[own == j])
        gaps = [np.linalg.norm(member - at, axis=1) for at in center]
        near: BoolArray = np.ones((problem.n, problem.k), dtype=bool)
        np.logical_and.at(near, atom, np.asarray(np.stack(gaps, axis=1) <= most))
        allowed: BoolArray = near if problem.eligible is None else near & problem.eligible
        lost: BoolArray = np.asarray(~allowed.any(axis=1))
        eligible = np.where(lost[:, None], whole, allowed)
        found = power_design(
            problem.xyz, problem.weight, lower, upper, homes=center, pull=1.0, radius=EARTH_RADIUS_M,
            eligible=eligible, starts=1, rng=0, deadline=deadline,
        )  # fmt: skip
        label = found.label
        far = np.flatnonzero(~near[np.arange(problem.n), label]).astype(np.int32)
        if len(far) < len(best.far):
            best = Reached(label, center, eligible, far)
        if not len(far) or monotonic() >= deadline:
            break
    return best


def _far_apart(xyz: FloatArray, k: int) -> FloatArray:
    """Return k of the points, each the farthest from those before, the first the one farthest from the middle."""
    chosen = [int(np.linalg.norm(xyz - xyz.mean(axis=0), axis=1).argmax())]
    gap = np.linalg.norm(xyz - xyz[chosen[0]], axis=1)
    while len(chosen) < k:
        chosen.append(int(gap.argmax()))
        gap = np.minimum(gap, np.linalg.norm(xyz - xyz[chosen[-1]], axis=1))
    return np.asarray(xyz[chosen])


def _middle(xyz: FloatArray) -> FloatArray:
    """Return the middle of the smallest ball around points, lifted to the sphere, shape (3,)."""
    at = xyz.mean(axis=0)
    for step in range(_STEPS):
        at = at + (xyz[np.linalg.norm(xyz - at, axis=1).argmax()] - at) / (step + 2)
    return np.asarray(at / np.linalg.norm(at) * EARTH_RADIUS_M)
