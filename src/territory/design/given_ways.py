# mypy: disable-error-code="no-untyped-def,untyped-decorator"
"""Shortest ways over known legs, by Dijkstra's algorithm, no further than the question asks.

Libraries search the whole graph from each source, and begin with arrays of its size; most questions here end in a
neighbourhood.
"""

from __future__ import annotations

import numpy as np

from territory.compiled import kernel
from territory.design.power_flow import _pop, _push

__all__ = ["nearest_centers", "totals", "ways"]


@kernel("i8[::1], i4[::1], f8[::1], i4[::1], i4[::1], f8[:,::1]")
def ways(start, to, seconds, source, target, out):
    """Fill in the seconds from sources to targets, infinite where there is no way.

    Parameters
    ----------
    start, to, seconds : int64 (nodes + 1,), int32 (legs,), float (legs,)
        Rows of legs.
    source, target : int32 arrays
    out : float array of shape (len(source), len(target))

    Notes
    -----
    O(legs log nodes) a source, of the legs among places no further than the furthest target.
    """
    nodes = len(start) - 1
    dist, where = np.full(nodes, np.inf), np.full(nodes, -1, dtype=np.int64)
    queue, seen = np.empty(nodes, dtype=np.int64), np.empty(nodes, dtype=np.int64)
    done, wanted = np.zeros(nodes, dtype=np.uint8), np.zeros(nodes, dtype=np.uint8)
    n_wanted = 0
    for t in range(len(target)):
        if wanted[target[t]] == 0:
            wanted[target[t]] = 1
            n_wanted += 1
    for s in range(len(source)):
        left = n_wanted
        dist[source[s]], seen[0], n_seen = 0.0, source[s], 1
        queued = _push(queue, where, dist, 0, source[s])
        while queued > 0:
            v = _pop(queue, where, dist, queued)
            queued -= 1
            done[v] = 1
            if wanted[v] == 1:
                left -= 1
                if left == 0:
                    break
            for e in range(start[v], start[v + 1]):
                o = to[e]
                new = dist[v] + seconds[e]
                if done[o] == 0 and new < dist[o]:
                    if dist[o] == np.inf:
                        seen[n_seen] = o
                        n_seen += 1
                    dist[o] = new
                    queued = _push(queue, where, dist, queued, o)
        for t in range(len(target)):
            out[s, t] = dist[target[t]]
        for a in range(n_seen):
            dist[seen[a]], where[seen[a]], done[seen[a]] = np.inf, -1, 0


@kernel("i8[::1], i4[::1], f8[::1], i4[::1], i4[::1], f8[::1], f8[::1]")
def totals(start, to, seconds, source, target, mass, out):
    """Add the weighted seconds from each source to all targets to `out`; infinite where an earlier source has less.

    Parameters
    ----------
    start, to, seconds : int64 (nodes + 1,), int32 (legs,), float (legs,)
        Rows of legs.
    source, target : int32 arrays
        Targets differ from each other.
    mass : float array of shape (len(target),)
    out : float array of shape (len(source),)
        What sources cost already.
    """
    nodes = len(start) - 1
    dist, where = np.full(nodes, np.inf), np.full(nodes, -1, dtype=np.int64)
    queue, seen = np.empty(nodes, dtype=np.int64), np.empty(nodes, dtype=np.int64)
    done, heavy = np.zeros(nodes, dtype=np.uint8), np.zeros(nodes)
    whole, n_wanted = 0.0, 0
    for t in range(len(target)):
        heavy[target[t]] = mass[t]
        whole += mass[t]
        if mass[t] > 0.0:
            n_wanted += 1
    least = np.inf
    for s in range(len(source)):
        total, rest, left = out[s], whole, n_wanted
        dist[source[s]], seen[0], n_seen = 0.0, source[s], 1
        queued = _push(queue, where, dist, 0, source[s])
        while queued > 0 and left > 0:
            v = _pop(queue, where, dist, queued)
            queued -= 1
            done[v] = 1
            # the others are as far at least; a little over, so that ties are not decided by rounding
            if total + rest * dist[v] > least * (1.0 + 1e-9) + 1e-9:
                break
            if heavy[v] > 0.0:
                total += heavy[v] * dist[v]
                rest -= heavy[v]
                left -= 1
            for e in range(start[v], start[v + 1]):
                o = to[e]
                new = dist[v] + seconds[e]
                if done[o] == 0 and new < dist[o]:
                    if dist[o] == np.inf:
                        seen[n_seen] = o
                        n_seen += 1
                    dist[o] = new
                    queued = _push(queue, where, dist, queued, o)
        out[s] = np.inf if left > 0 else total
        least = min(least, out[s])
        for a in range(n_seen):
            dist[seen[a]], where[seen[a]], done[seen[a]] = np.inf, -1, 0


@kernel("i8[::1], i4[::1], f8[::1], i4[::1], f8[::1], i8")
def nearest_centers(start, to, seconds, center, price, q):
    """Return the `q` best priced centres of every node, -1 where there are fewer; what they cost, and without price.

    One search from all centres at once, in which a node is passed on by its best `q` centres only: who is not
    among them there is not among them behind it (Erwig 2000, for the best one). O(q legs log(q nodes)).

    Parameters
    ----------
    start, to, seconds : int64 (nodes + 1,), int32 (legs,), float (legs,)
        Rows of legs.
    center : int32 array of shape (k,)
    price : float array of shape (k,)
    q : int, at most k

    Returns
    -------
    int32, float and float array of shape (nodes * q,)
    """
    nodes = len(start) - 1
    dist, owner = np.full(nodes * q, np.inf), np.full(nodes * q, -1, dtype=np.int32)
    length = np.full(nodes * q, np.inf)
    where, queue = np.full(nodes * q, -1, dtype=np.int64), np.empty(nodes * q, dtype=np.int64)
    queued = 0
    for j in np.argsort(price, kind="mergesort"):
        # several may stand on one node
        for a in range(center[j] * q, center[j] * q + q):
            if owner[a] < 0:
                owner[a], dist[a], length[a] = j, price[j], 0.0
                queued = _push(queue, where, dist, queued, a)
                break
    while queued > 0:
        a = _pop(queue, where, dist, queued)
        queued -= 1
        j, v = owner[a], a // q
        for e in range(start[v], start[v + 1]):
            new = dist[a] + seconds[e]
            first = to[e] * q
            # his own slot, or else a free one, or else that of the worst
            slot = first
            for b in range(first, first + q):
                if owner[b] == j or owner[b] < 0:
                    slot = b
                    break
                if dist[b] > dist[slot]:
                    slot = b
            if new < dist[slot]:
                owner[slot], dist[slot], length[slot] = j, new, length[a] + seconds[e]
                queued = _push(queue, where, dist, queued, slot)
    return owner, dist, length
