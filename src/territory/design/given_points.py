"""Distance by great circle to centres that may be anywhere: territories with the least weighted distance.

The best place of a territory is its weighted geometric median, by Weiszfeld's steps on the sphere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from territory.design.given_metric import Lists, lists_of
from territory.geo.sphere import EARTH_RADIUS_M

if TYPE_CHECKING:
    from territory.design.given_metric import Anchor
    from territory.model.arrays import BoolArray, FloatArray, IdxArray, IntArray

__all__ = ["PointDistances"]

#: Centres listed for a customer; where there are no more, all.
_NEAREST: Final = 32
#: Steps towards the median at most, and how near the last must be, metres.
_STEPS, _CLOSE_M = 60, 1e-3
#: Nearer than this to a customer a centre is on him, metres.
_ON_M: Final = 1e-6


class PointDistances:
    """A metric of great circles, in metres; centres are points on the sphere, float (k, 3), metres.

    Parameters
    ----------
    xyz : float array of shape (n, 3), metres
        On the sphere of `EARTH_RADIUS_M`.
    """

    def __init__(self, xyz: FloatArray) -> None:
        self.xyz = xyz

    def points(self, center: FloatArray) -> FloatArray:
        """Return where centres are; see `Metric.points`."""
        return center

    def seeded(self, points: FloatArray, who: IdxArray) -> FloatArray:  # noqa: ARG002 - they may be anywhere
        """Return points as centres; see `Metric.seeded`."""
        return _lifted(points, points)

    def joined(self, parts: list[FloatArray], order: list[IdxArray]) -> FloatArray:
        """Return the centres of parts as one; see `Metric.joined`."""
        center = np.empty((sum(len(part) for part in parts), 3))
        for part, at in zip(parts, order, strict=True):
            center[at] = part
        return center

    def islands(self, weight: FloatArray, k: int) -> IdxArray:  # noqa: ARG002 - there is only one
        """Return 0 for everybody: birds cross the sea."""
        return np.zeros(len(weight), dtype=np.int32)

    def few(self, k: int) -> int:  # noqa: ARG002 - rows are as quick as lists
        """Return how many rows cost as much as lists; see `Metric.few`."""
        return len(self.xyz)

    def lists(self, center: FloatArray, price: FloatArray, eligible: BoolArray | None) -> Lists:
        """Return the distances to the nearest centres, whatever their prices; see `Metric.lists`. O(n log k)."""
        from scipy.spatial import KDTree  # noqa: PLC0415 - loads when it is used

        n, k = len(self.xyz), len(center)
        if k <= _NEAREST:
            costs = self.rows(np.arange(n, dtype=np.int32), center)
            if eligible is not None:
                costs[~eligible] = np.inf
            return lists_of(costs, np.full(n, np.inf), price)
        chord, near = KDTree(center).query(self.xyz, k=_NEAREST)
        metres = _arc(chord)
        who, to = np.repeat(np.arange(n), _NEAREST), near.ravel()
        may = np.ones(len(to), dtype=bool) if eligible is None else eligible[who, to]
        who, to, cost = who[may], to[may], metres.ravel()[may]
        order = np.lexsort((to, who))
        start = np.concatenate([[0], np.cumsum(np.bincount(who, minlength=n))]).astype(np.int64)
        rest = metres[:, -1] * (1 - 1e-12)
        return Lists(start, to[order].astype(np.int32), cost[order], rest, np.zeros(k))

    def loose(self, k: int) -> bool:  # noqa: ARG002 - rows cost little
        """Return whether lists are taken as complete; see `Metric.loose`."""
        return False

    def rows(self, who: IdxArray, center: FloatArray) -> FloatArray:
        """Return the distances of some customers to all centres; see `Metric.rows`."""
        x = self.xyz[who]
        square = np.zeros((len(x), len(center)))
        for axis in range(3):
            square += (x[:, axis, None] - center[None, :, axis]) ** 2
        return _arc(np.sqrt(square, out=square))

    def everywhere(self, center: FloatArray) -> FloatArray:
        """Return the distances of all customers to all centres; see `Metric.everywhere`."""
        return self.rows(np.arange(len(self.xyz), dtype=np.int32), center)

    def own(self, label: IdxArray, center: FloatArray) -> FloatArray:
        """Return the distance of each customer to the centre of his territory; see `Metric.own`."""
        away = _arc(np.sqrt(((self.xyz - center[label]) ** 2).sum(axis=1)))
        return np.where(label >= 0, away, 0.0)

    def drawn(self, center: FloatArray, anchor: Anchor) -> float:
        """Return the weighted distance of centres to homes; see `Metric.drawn`."""
        return float(anchor.weight @ _arc(np.linalg.norm(center - anchor.home, axis=1)))

    def fetching(
        self,
        strays: IdxArray,  # noqa: ARG002 - there are none
        label: IdxArray,  # noqa: ARG002
        center: FloatArray,
        weight: FloatArray,  # noqa: ARG002
    ) -> FloatArray:
        """Return the centres; see `Metric.fetching`."""
        return center

    def recentred(
        self,
        label: IdxArray,
        center: FloatArray,
        weight: FloatArray,
        own: FloatArray,  # noqa: ARG002 - distances are computed as the centre moves
        anchor: Anchor | None,
        more: int,  # noqa: ARG002 - the median is the best there is
    ) -> FloatArray:
        """Return the weighted geometric median of each territory; see `Metric.recentred`. O(n) a step.

        Weiszfeld 1937, with the step of Vardi & Zhang 2000 where a centre is on a customer; directions and distances
        are those of great circles, as in Fletcher, Venkatasubramanian & Joshi 2009. A territory whose cost that does
        not lower keeps its centre.
        """
        k = len(center)
        mine = np.flatnonzero((label >= 0) & (weight > 0))
        x, of, w = self.xyz[mine], label[mine].astype(np.int64), weight[mine]
        if anchor is not None:
            x = np.concatenate([x, anchor.home])
            of, w = np.concatenate([of, np.arange(k)]), np.concatenate([w, anchor.weight])
        has = np.bincount(of, minlength=k) > 0
        now, moving = center.copy(), has.copy()
        best, least = center.copy(), np.full(k, np.inf)
        for _ in range(_STEPS):
            if not moving.any():
                break
            some = moving[of]
            step, cost = _step(x[some], of[some], w[some], now)
            better = moving & (cost < least)
            best[better], least[better] = now[better], cost[better]
            length = np.linalg.norm(step, axis=1)
            moving &= (length > _CLOSE_M) & better
            now = np.where(moving[:, None], _walked(now, step), now)
        # steps towards a customer who holds the centre get ever shorter: the heaviest is tried as he is
        at = center.copy()
        at[of[np.argsort(w, kind="stable")]] = x[np.argsort(w, kind="stable")]
        held = np.bincount(of, w * _arc(np.linalg.norm(x - at[of], axis=1)), k)
        nearer = has & (held < least)
        best[nearer], least[nearer] = at[nearer], held[nearer]
        start = np.bincount(of, w * _arc(np.linalg.norm(x - center[of], axis=1)), k)
        return np.where((has & (least < start * (1 - 1e-12)))[:, None], best, center)


def _step(x: FloatArray, of: IntArray, w: FloatArray, center: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the step of each centre towards its median, a tangent in metres, (k, 3), and the costs where it is."""
    k = len(center)
    unit = center / EARTH_RADIUS_M
    away = _arc(np.linalg.norm(x - center[of], axis=1))
    cost: FloatArray = np.bincount(of, w * away, k).astype(np.float64)
    tangent = x - (x * unit[of]).sum(axis=1, keepdims=True) * unit[of]
    length = np.linalg.norm(tangent, axis=1)
    on = (away <= _ON_M) | (length <= 0.0)
    stuck = np.bincount(of, np.where(on, w, 0.0), k)
    toward = np.where(on, 0.0, w / np.where(on, 1.0, length))
    pull = np.stack([np.bincount(of, toward * tangent[:, axis], k) for axis in range(3)], axis=1)
    inverse = np.bincount(of, np.where(on, 0.0, w / np.where(on, 1.0, away)), k)
    force = np.linalg.norm(pull, axis=1)
    # who stands on the centre holds it with his weight
    free = np.maximum(0.0, 1.0 - stuck / np.where(force > 0, force, 1.0)) * (force > 0)
    return pull * (free / np.where(inverse > 0, inverse, 1.0))[:, None], cost


def _walked(center: FloatArray, step: FloatArray) -> FloatArray:
    """Return where great circles end that begin with tangents, shape (k, 3)."""
    length = np.linalg.norm(step, axis=1, keepdims=True)
    angle = length / EARTH_RADIUS_M
    out = center * np.cos(angle) + step / np.where(length > 0, length, 1.0) * EARTH_RADIUS_M * np.sin(angle)
    return _lifted(out, center)


def _lifted(points: FloatArray, instead: FloatArray) -> FloatArray:
    """Return points on the sphere, shape (k, 3); `instead` of those at the middle of the Earth."""
    length = np.linalg.norm(points, axis=1, keepdims=True)
    return np.where(length > 0, points / np.where(length > 0, length, 1.0) * EARTH_RADIUS_M, instead)


def _arc(chord: FloatArray) -> FloatArray:
    """Return the great circles over chords, metres."""
    return np.asarray(2.0 * EARTH_RADIUS_M * np.arcsin(np.minimum(chord / (2.0 * EARTH_RADIUS_M), 1.0)))
