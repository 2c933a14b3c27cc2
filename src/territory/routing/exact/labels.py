"""Partial days and what they may still become: the label-setting kernels of the exact engine.

A label is a partial route: the visit it ends with, when the rep is ready to drive on, breaks behind it,
cost so far (driving minus the values of the visits made), and a memory of visits. In the elementary
problem the memory is every visit made; with ng-memories (Baldacci, Mingozzi & Roberti 2011) a
visit is forgotten where the route leaves its neighbourhood, so that few labels stand for many
routes and their least cost is a bound. Of two labels with one end and one memory the one that is later
and dearer is dropped.

The same kernel works on the day and on its mirror image, where time runs backwards from the end place.
Labels of one direction tell the other what completing a partial route costs at least: those of a
mirrored label whose memory shares no visit, and that still meets it in time. A label that cannot become
cheaper than the best known route (the cut) is dropped at birth.

Arrays of one direction (`Side` in `model.py`): nodes 0 .. n - 1 are visits, n the place where it
begins, n + 1 the one where it ends.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from territory.compiled import kernel, leaf
from territory.routing.exact.completions import (
    FAR,
    INFINITE,
    L_ALIVE,
    L_NEXT,
    L_NODE,
    L_PARENT,
    L_REST,
    L_SAME,
    L_TIME,
    L_USED,
    M_COST,
    M_LEAST,
    M_PENALTY,
    completion,
)

__all__ = ["open_least", "relist", "search"]

# what a search remembers between two calls
W_COUNT: Final = 0
W_BUCKET: Final = 1
#: Last label of the cheapest elementary route found that beat the cut, and how often there was a new one.
W_BEST: Final = 2
W_HITS: Final = 3
#: Last label of the cheapest route, elementary or not.
W_LEAST: Final = 4
W_EXPANDED: Final = 5
#: 1: costs are rounded down, so that no route found lowers the cut.
W_ROUNDED: Final = 6
W_COLUMNS: Final = 7
# and in money
C_CUT: Final = 0
C_LEAST: Final = 1
#: A route counts as cheaper from this much on.
C_STEP: Final = 2
#: All penalties together.
C_PENALTY: Final = 3
C_COLUMNS: Final = 4
# what `search` returns
DONE: Final = 0
BUDGET: Final = 1
FULL: Final = 2


@leaf
def elementary(lab, x, n, seen):  # type: ignore[no-untyped-def]
    """Return whether the route of label x makes no visit twice; `seen` has room for n numbers."""
    for i in range(n):
        seen[i] = 0
    while x >= 0:
        i = lab[x, L_NODE]
        if i < n:
            if seen[i]:
                return False
            seen[i] = 1
        x = lab[x, L_PARENT]
    return True


@leaf
def close_route(lab, money, used_arc, used_limit, arc_i, arc_f, sink_i, sink_f, work, cut, x, seen):  # type: ignore[no-untyped-def]
    """End the route of label x at its end place, and keep it if it is the cheapest."""
    n = arc_i.shape[0] - 2
    i = lab[x, L_NODE]
    at = lab[x, L_TIME] + arc_i[i, n + 1]
    cost = money[x, M_COST] + arc_f[i, n + 1]
    if at >= FAR:
        return
    for r in range(used_limit.shape[0]):
        if lab[x, L_USED + r] + used_arc[r, i, n + 1] > used_limit[r]:
            return
    best = INFINITE
    for e in range(sink_i.shape[0]):
        if lab[x, L_REST] >= sink_i[e, 0] and at <= sink_i[e, 1]:
            fits = True
            for r in range(used_limit.shape[0]):
                if lab[x, L_USED + r] + used_arc[r, i, n + 1] + sink_i[e, 2 + r] > used_limit[r]:
                    fits = False
            if fits:
                best = min(best, cost + sink_f[e, 0] + sink_f[e, 1] * max(0.0, at - sink_f[e, 2]))
    if best < cut[C_LEAST]:
        cut[C_LEAST] = best
        work[W_LEAST] = x
    # a route without repetition pays no penalties; all of them are taken off at its beginning
    real = best - money[x, M_PENALTY] + cut[C_PENALTY]
    if work[W_ROUNDED] == 0 and real < cut[C_CUT] - cut[C_STEP] and elementary(lab, x, n, seen):
        cut[C_CUT] = real
        work[W_BEST] = x
        work[W_HITS] += 1


@leaf
def hash_of(mask, j, size):  # type: ignore[no-untyped-def]
    """Return where labels with this memory and end are listed; `size` is a power of two."""
    h = np.int64(j + 1) * 0x1E3779B97F4A7C15
    for w in range(mask.shape[0]):
        h = (h ^ mask[w]) * 0x2545F4914F6CDD1D
        h ^= (h >> 29) & 0x7FFFFFFFF
    return (h ^ ((h >> 32) & 0xFFFFFFFF)) & (size - 1)


@leaf
def insert(lab, money, masks, heads, queue, width, work, mask, new, cost, least, fine):  # type: ignore[no-untyped-def]
    """Add a label unless another is as good in all; drop those that it beats.

    `new` holds the columns of the label from its node on, `mask` its memory.
    """
    h = hash_of(mask, new[L_NODE], heads.shape[0])
    before = -1
    y = heads[h]
    columns = new.shape[0]
    while y >= 0:
        after = lab[y, L_SAME]
        same = lab[y, L_NODE] == new[L_NODE]
        for w in range(mask.shape[0]):
            same = same and masks[y, w] == mask[w]
        if same:
            up = lab[y, L_TIME] <= new[L_TIME] and money[y, M_COST] <= cost and lab[y, L_REST] >= new[L_REST]
            down = lab[y, L_TIME] >= new[L_TIME] and money[y, M_COST] >= cost and lab[y, L_REST] <= new[L_REST]
            for r in range(L_USED, columns):
                up = up and lab[y, r] <= new[r]
                down = down and lab[y, r] >= new[r]
            if up:
                return
            if down:
                lab[y, L_ALIVE] = 0
                if before < 0:
                    heads[h] = after
                else:
                    lab[before, L_SAME] = after
            else:
                before = y
        else:
            before = y
        y = after
    x = work[W_COUNT]
    work[W_COUNT] += 1
    for r in range(columns):
        lab[x, r] = new[r]
    for w in range(mask.shape[0]):
        masks[x, w] = mask[w]
    money[x, M_COST], money[x, M_LEAST], money[x, M_PENALTY] = cost, least, fine
    lab[x, L_ALIVE] = 1
    lab[x, L_SAME] = heads[h]
    heads[h] = x
    b = new[L_TIME] // width
    lab[x, L_NEXT] = queue[b]
    queue[b] = x


@leaf
def visit(  # type: ignore[no-untyped-def]
    lab, money, masks, heads, queue, width, work, rest, piece_i, piece_f, node_i, mask, new, cost, least, j, at, k,
    ready, horizon, fine,
):  # fmt: skip
    """Add the labels of a visit to j reached at time `at` with k breaks behind; `ready` is scratch."""
    n_rest = rest.shape[0]
    ready[k] = at
    for q in range(k, n_rest):
        done = max(ready[q], rest[q, 1]) + rest[q, 0]
        if done > rest[q, 2]:
            n_rest = q
            break
        ready[q + 1] = done
    for q in range(k, n_rest + 1):
        for p in range(node_i[j, 1], node_i[j, 2]):
            if piece_i[p, 1] < ready[q]:
                continue
            start = max(ready[q], piece_i[p, 0])
            spent = cost + piece_f[p, 0] + piece_f[p, 1] * max(0.0, start - piece_f[p, 2])
            t = start + node_i[j, 0]
            new[L_NODE], new[L_TIME], new[L_REST] = j, t, q
            insert(lab, money, masks, heads, queue, width, work, mask, new, spent, least, fine)
            for z in range(q, rest.shape[0]):
                t = max(t, rest[z, 1]) + rest[z, 0]
                if t > rest[z, 2] or t > horizon:
                    break
                new[L_TIME], new[L_REST] = t, z + 1
                insert(lab, money, masks, heads, queue, width, work, mask, new, spent, least, fine)
            if piece_i[p, 2] == 0:
                break


@leaf
def expand(  # type: ignore[no-untyped-def]
    arc_i, arc_f, node_i, node_f, piece_i, piece_f, rest, used_arc, used_node, used_limit, near, horizon,
    cells, floor, other_i, other_f, other_mask, lab, money, masks, heads, queue, width, work, cut, x, mask, new, left,
    ready, penalty,
):  # fmt: skip
    """Let every visit follow label x."""
    n, words = near.shape
    i, t, k = lab[x, L_NODE], lab[x, L_TIME], lab[x, L_REST]
    guided = floor.shape[0] > 0
    new[L_PARENT] = x
    for j in range(n):
        if masks[x, j >> 6] >> (j & 63) & 1:
            continue
        at = t + arc_i[i, j]
        if at > node_i[j, 3]:
            continue
        cost = money[x, M_COST] + arc_f[i, j]
        fits = True
        for r in range(used_limit.shape[0]):
            arrived = lab[x, L_USED + r] + used_arc[r, i, j]
            left[r] = used_limit[r] - arrived
            new[L_USED + r] = arrived + used_node[r, j]
            fits = fits and new[L_USED + r] <= used_limit[r]
        if not fits:
            continue
        least = -INFINITE
        if guided:
            need = cut[C_CUT] - cut[C_STEP] - cost
            rest_of = completion(
                cells, floor, other_i, other_f, other_mask, left, masks[x], horizon, rest.shape[0], j, at, k, need
            )
            if rest_of >= need:
                continue
            least = cost + rest_of
        for w in range(words):
            mask[w] = masks[x, w] & near[j, w]
        mask[j >> 6] |= np.int64(1) << (j & 63)
        visit(
            lab, money, masks, heads, queue, width, work, rest, piece_i, piece_f, node_i, mask, new,
            cost + node_f[j], least, j, at, k, ready, horizon, money[x, M_PENALTY] + penalty[j],
        )  # fmt: skip


@leaf
def keep_best(lab, money, queue, b, beam, picked):  # type: ignore[no-untyped-def]
    """Leave the `beam` labels of bucket b in the queue whose completion promises most."""
    count = 0
    y = queue[b]
    while y >= 0:
        # insertion into the sorted list of those kept
        if lab[y, L_ALIVE] and (count < beam or money[y, M_LEAST] < money[picked[count - 1], M_LEAST]):
            at = min(count, beam - 1)
            while at > 0 and money[picked[at - 1], M_LEAST] > money[y, M_LEAST]:
                picked[at] = picked[at - 1]
                at -= 1
            picked[at] = y
            count = min(count + 1, beam)
        y = lab[y, L_NEXT]
    queue[b] = -1
    for a in range(count - 1, -1, -1):
        lab[picked[a], L_NEXT] = queue[b]
        queue[b] = picked[a]


@kernel(
    "i8[:, ::1], f8[:, ::1], i8[:, ::1], f8[::1], i8[:, ::1], f8[:, ::1], i8[:, ::1], i8[:, ::1], f8[::1], "
    "i8[:, ::1], f8[:, ::1], i8[:, :, ::1], i8[:, ::1], i8[::1], i8[:, ::1], i8, b1, i8[::1], f8[:, ::1], i8[:, ::1], "
    "f8[::1], i8[:, ::1], i8[:, ::1], f8[:, ::1], i8[:, ::1], i8[::1], i8[::1], i8[::1], f8[::1], f8[::1], i8, i8"
)
def search(  # type: ignore[no-untyped-def]
    arc_i, arc_f, node_i, node_f, piece_i, piece_f, rest, source_i, source_f, sink_i, sink_f, used_arc, used_node,
    used_limit, near, horizon, may_close, cells, floor, other_i, other_f, other_mask, lab, money, masks, heads, queue,
    work, cut, penalty, budget, beam,
):  # fmt: skip
    """Grow labels in order of time until none is left, or the budget is.

    Parameters
    ----------
    arc_i, ..., used_limit
        One direction of the day, see `model.Side`.
    near : int64 array of shape (n, words)
        Memories: which visits are still known at each.
    horizon : int
        All times lie in 0 .. horizon.
    may_close : bool
        Whether the beginning alone is a route.
    cells, floor, other_i, other_f, other_mask
        Labels of the mirrored day, from `completions.index`; of length 0: none.
    lab, money, masks : int64, float64, int64 arrays of shape (room, columns), (room, 2), (room, words)
        The labels.
    heads, queue : int64 arrays
        Lists of labels by hash and by time; -1 in a new search.
    work, cut : int64, float64 arrays
        What is remembered between calls; `work` of a new search is 0, but -1 for labels.
    penalty : float64 array of shape (n,)
        What is in `node_f` and, all together, taken off `source_f` to keep routes from repeating visits.
    budget : int
        How many labels are expanded at most.
    beam : int
        0, or how many of each bucket of time are expanded: no proof, but good routes soon.

    Returns
    -------
    int
        DONE, BUDGET, or FULL: there is no room for more labels.
    """
    n, words = near.shape
    n_used = used_limit.shape[0]
    mask = np.zeros(words, np.int64)
    new = np.zeros(L_USED + n_used, np.int64)
    left = np.zeros(n_used, np.int64)
    ready = np.zeros(rest.shape[0] + 1, np.int64)
    seen = np.zeros(n, np.int64)
    picked = np.zeros(max(beam, 1), np.int64)
    width = horizon // (queue.shape[0] - 1) + 1
    n_rest = rest.shape[0] + 1
    room = piece_i.shape[0] * n_rest * n_rest + source_i.shape[0] + 1
    if work[W_COUNT] == 0:
        if lab.shape[0] < room:
            return FULL
        for e in range(source_i.shape[0]):
            new[L_NODE], new[L_TIME], new[L_REST], new[L_PARENT] = n, source_i[e, 1], source_i[e, 0], -1
            for r in range(n_used):
                new[L_USED + r] = source_i[e, 2 + r]
            insert(lab, money, masks, heads, queue, width, work, mask, new, source_f[e], -INFINITE, 0.0)
    spent = 0
    while work[W_BUCKET] < queue.shape[0]:
        b = work[W_BUCKET]
        if beam > 0 and queue[b] >= 0:
            keep_best(lab, money, queue, b, beam, picked)
        while queue[b] >= 0:
            x = queue[b]
            if not lab[x, L_ALIVE]:
                queue[b] = lab[x, L_NEXT]
                continue
            if spent >= budget:
                return BUDGET
            if work[W_COUNT] + room > lab.shape[0]:
                return FULL
            queue[b] = lab[x, L_NEXT]
            if money[x, M_LEAST] >= cut[C_CUT] - cut[C_STEP]:
                continue
            spent += 1
            work[W_EXPANDED] += 1
            if lab[x, L_NODE] < n or may_close:
                close_route(lab, money, used_arc, used_limit, arc_i, arc_f, sink_i, sink_f, work, cut, x, seen)
            expand(
                arc_i, arc_f, node_i, node_f, piece_i, piece_f, rest, used_arc, used_node, used_limit, near, horizon,
                cells, floor, other_i, other_f, other_mask, lab, money, masks, heads, queue, width, work, cut, x, mask,
                new, left, ready, penalty,
            )  # fmt: skip
        work[W_BUCKET] += 1
    return DONE


@kernel("i8[:, ::1], i8[:, ::1], i8[::1], i8")
def relist(lab, masks, heads, count):  # type: ignore[no-untyped-def]
    """List the labels by hash anew, in a table of another size."""
    heads[:] = -1
    for x in range(count):
        if lab[x, L_ALIVE]:
            h = hash_of(masks[x], lab[x, L_NODE], heads.shape[0])
            lab[x, L_SAME] = heads[h]
            heads[h] = x


@kernel("i8[:, ::1], f8[:, ::1], i8[::1], i8")
def open_least(lab, money, queue, first):  # type: ignore[no-untyped-def]
    """Return the least that any label still in the queue may become."""
    least = INFINITE
    for b in range(first, queue.shape[0]):
        y = queue[b]
        while y >= 0:
            if lab[y, L_ALIVE]:
                least = min(least, money[y, M_LEAST])
            y = lab[y, L_NEXT]
    return least
