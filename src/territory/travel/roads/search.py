"""Kernel: quickest ways from places to places, by Dijkstra's algorithm on the arcs between junctions.

Dijkstra (1959), "A note on two problems in connexion with graphs", Numerische Mathematik 1, 269-271, with two
departures: of equally quick ways the shortest is found, as keys are pairs of seconds and metres; and searches end
when no destination can come nearer. These are entered from the nodes at both ends of their edge, and from origins on
the same edge directly. Where the nearest are looked for, they are nodes of their own, met in order.
"""

from __future__ import annotations

import numpy as np

from territory.compiled import kernel, leaf

__all__ = ["search"]

#: As in `territory.travel.protocol`: excess over a whole second that is noise.
_NOISE_S = 1e-6


@leaf
def _push(seconds, metres, what, size, s, m, v):  # type: ignore[no-untyped-def]
    """Put a key and a node into the heap; return its new size."""
    i = size
    while i > 0:
        up = (i - 1) >> 2
        if seconds[up] < s or (seconds[up] == s and metres[up] <= m):
            break
        seconds[i], metres[i], what[i] = seconds[up], metres[up], what[up]
        i = up
    seconds[i], metres[i], what[i] = s, m, v
    return size + 1


@leaf
def _pop(seconds, metres, what, size):  # type: ignore[no-untyped-def]
    """Take the first from the heap, which the caller has read at position 0; return its new size."""
    size -= 1
    s, m, v = seconds[size], metres[size], what[size]
    i = 0
    while True:
        low = 4 * i + 1
        if low >= size:
            break
        for j in range(low + 1, min(low + 4, size)):
            if seconds[j] < seconds[low] or (seconds[j] == seconds[low] and metres[j] < metres[low]):
                low = j
        if s < seconds[low] or (s == seconds[low] and m <= metres[low]):
            break
        seconds[i], metres[i], what[i] = seconds[low], metres[low], what[low]
        i = low
    seconds[i], metres[i], what[i] = s, m, v
    return size


@kernel(
    "i8[::1], i4[::1], f8[::1], f8[::1],"
    "i4[:, ::1], f8[:, :, ::1], i8[::1], f8[:, ::1], i8[::1],"
    "i8[::1], i4[::1], f8[:, ::1], i8[::1], i4[::1], f8[:, ::1], i8[::1],"
    "i8[:, ::1], i4[::1], i8, f8, b1,"
    "f8[::1], f8[::1], i4[::1], i4[::1]"
)
def search(  # type: ignore[no-untyped-def] # noqa: C901, PLR0912, PLR0915
    first,
    head,
    arc_s,
    arc_m,
    seed,
    seed_cost,
    edge_row,
    spot,
    code,
    at_first,
    at_place,
    at_cost,
    on_first,
    on_place,
    goal_spot,
    goal_code,
    wanted_at,
    wanted,
    k,
    factor,
    back,
    out_s,
    out_m,
    out_idx,
    came,
):
    """Search from each origin.

    Parameters
    ----------
    first, head, arc_s, arc_m
        `Arcs`.
    seed, seed_cost
        Of each origin the nodes at which its ways begin, -1: none, and what it costs to get there; shapes (m, 2) and
        (m, 2, 2): seconds, metres.
    edge_row, spot, code
        Of each origin the row in `on_first` of those on its edge, -1: none; where on the edge it is, shape (m, 4):
        position, seconds from the tail, seconds to the tail (infinite where not allowed), metres from the tail; and
        who it is.
    at_first, at_place, at_cost
        Destinations entered from each node, as compressed rows, and what that costs: shape (.., 2).
    on_first, on_place
        Destinations on each edge that `edge_row` names, as compressed rows.
    goal_spot, goal_code
        Of destinations, as of origins.
    wanted_at, wanted
        Of each origin where the list of its destinations begins and ends, and where their results go, shape (m, 3).
        Not used with k.
    k, factor
        Number of destinations that are soonest reached, by whole seconds at a speed factor, then by position;
        0: all that are wanted.
    back
        Whether arcs are turned around: origins and destinations have changed places.
    out_s, out_m, out_idx
        Results; not touched where there is no way.
    came
        By which arc each node, and by which row of `at_place` each destination, was reached last; below 0: a seed,
        or directly. Empty: not of interest.
    """
    n_nodes, n_goals = len(first) - 1, len(goal_code)
    label_s, label_m = np.empty(n_nodes + n_goals), np.empty(n_nodes + n_goals)
    stamp = np.full(n_nodes + n_goals, -1, np.int32)
    room = len(head) + len(at_place) + len(on_place) + 4
    heap_s, heap_m, heap_v = np.empty(room), np.empty(room), np.empty(room, np.int32)
    here = np.zeros(n_goals, np.bool_)
    found_w = np.empty(max(k, 1))
    trace = len(came) > 0
    for i in range(len(seed)):
        size = 0
        found = 0
        pending = 0
        limit = np.inf
        if k == 0:
            if i > 0:
                for w in range(wanted_at[i - 1, 0], wanted_at[i - 1, 1]):
                    here[wanted[w]] = False
            for w in range(wanted_at[i, 0], wanted_at[i, 1]):
                here[wanted[w]] = True
                pending += 1
            if pending == 0:
                continue
        for j in range(2):
            v = seed[i, j]
            if v >= 0:
                s, m = seed_cost[i, j, 0], seed_cost[i, j, 1]
                if stamp[v] != i or s < label_s[v] or (s == label_s[v] and m < label_m[v]):
                    stamp[v], label_s[v], label_m[v] = i, s, m
                    if trace:
                        came[v] = -1 - j
                    size = _push(heap_s, heap_m, heap_v, size, s, m, v)
        row = edge_row[i]
        if row >= 0:
            for t in range(on_first[row], on_first[row + 1]):
                d = on_place[t]
                if k == 0 and not here[d]:
                    continue
                gap = spot[i, 0] - goal_spot[d, 0] if back else goal_spot[d, 0] - spot[i, 0]
                if gap == 0.0:
                    s = 0.0
                elif gap > 0.0:
                    s = abs(goal_spot[d, 1] - spot[i, 1])
                else:
                    s = abs(goal_spot[d, 2] - spot[i, 2])
                # infinite less infinite is not a number, and is not finite either
                if np.isfinite(s):
                    m = abs(goal_spot[d, 3] - spot[i, 3])
                    v = n_nodes + d
                    stamp[v], label_s[v], label_m[v] = i, s, m
                    if trace:
                        came[v] = -1
                    if k > 0:
                        size = _push(heap_s, heap_m, heap_v, size, s, m, v)
                    else:
                        pending -= 1
        while size > 0:
            if k == 0 and pending == 0 and limit == np.inf:
                # all have been met: who is still to come nearer, comes before the last of them
                limit = 0.0
                for w in range(wanted_at[i, 0], wanted_at[i, 1]):
                    limit = max(limit, label_s[n_nodes + wanted[w]])
            s, m, v = heap_s[0], heap_m[0], heap_v[0]
            size = _pop(heap_s, heap_m, heap_v, size)
            if s != label_s[v] or m != label_m[v]:
                continue
            if s > limit:
                break
            if 0 < k <= found and np.ceil(s / factor - _NOISE_S) > found_w[k - 1]:
                break
            if v >= n_nodes:
                d = v - n_nodes
                if goal_code[d] == code[i]:
                    continue
                whole = np.ceil(s / factor - _NOISE_S)
                at = min(found, k)
                while at > 0 and (
                    whole < found_w[at - 1] or (whole == found_w[at - 1] and d < out_idx[i * k + at - 1])
                ):
                    at -= 1
                if at < k:
                    for j in range(min(found, k - 1), at, -1):
                        found_w[j] = found_w[j - 1]
                        out_s[i * k + j], out_m[i * k + j] = out_s[i * k + j - 1], out_m[i * k + j - 1]
                        out_idx[i * k + j] = out_idx[i * k + j - 1]
                    found_w[at] = whole
                    out_s[i * k + at], out_m[i * k + at], out_idx[i * k + at] = s, m, d
                    found += 1
                continue
            for a in range(first[v], first[v + 1]):
                u = head[a]
                us, um = s + arc_s[a], m + arc_m[a]
                if stamp[u] != i or us < label_s[u] or (us == label_s[u] and um < label_m[u]):
                    stamp[u], label_s[u], label_m[u] = i, us, um
                    if trace:
                        came[u] = a
                    size = _push(heap_s, heap_m, heap_v, size, us, um, u)
            for t in range(at_first[v], at_first[v + 1]):
                d = at_place[t]
                if k == 0 and not here[d]:
                    continue
                u = n_nodes + d
                us, um = s + at_cost[t, 0], m + at_cost[t, 1]
                if stamp[u] != i or us < label_s[u] or (us == label_s[u] and um < label_m[u]):
                    if k == 0 and stamp[u] != i:
                        pending -= 1
                    stamp[u], label_s[u], label_m[u] = i, us, um
                    if trace:
                        came[u] = t
                    if k > 0:
                        size = _push(heap_s, heap_m, heap_v, size, us, um, u)
        if k == 0:
            to = wanted_at[i, 2]
            for w in range(wanted_at[i, 0], wanted_at[i, 1]):
                u = n_nodes + wanted[w]
                if stamp[u] == i:
                    out_s[to], out_m[to] = label_s[u], label_m[u]
                to += 1
