"""Loads passed along chains of territories: the cheapest way for what is too much to where there is room.

Successive shortest paths (Ahuja, Magnanti & Orlin 1993, ch. 9) on the graph of territories, with whole customers: an
arc to a neighbour is as long as the cheapest customer at the border costs a unit of load, and each territory of the
path hands one customer on. Who was handed over before goes on without a further fee, or home, which undoes it; so
that what is handed over stays near the least flow. Which of the few cheapest customers of each arc fit together is
found by dynamic programming along the path.
"""

from __future__ import annotations

import numpy as np

from territory.compiled import kernel, leaf
from territory.compiled.tables import f64_1, f64_2, i32_1, i64_1
from territory.design.contiguous import can_enter, can_leave
from territory.design.moves_cost import change, touch
from territory.design.moves_layout import (
    LABEL,
    LOAD,
    LOWER,
    MEASURE,
    MEMBER,
    NEAR,
    NEAR_AT,
    OTHER,
    ROUNDING,
    SCALE,
    SIZE,
    START,
    UPPER,
    VALUE,
    VIOLATION,
)
from territory.design.moves_limits import excess_after
from territory.design.realign_layout import (
    ARCS,
    BACK,
    CAP,
    CLOSED,
    COST_OF,
    DEPTH,
    FAR,
    FEE,
    IN_LINE,
    LENGTH,
    LINE,
    SPENT,
    STALE_ARCS,
    TO,
    WHO,
    WIDTH,
)
from territory.design.realign_moves import fee_rise, hand_over, may_move

__all__ = ["relieve"]

#: Less than this share of a target is no room worth a path.
_ROOM = 1e-6
#: What a unit of violation is worth, in lengths of the path: more than one, so that larger customers that mend more
#: are worth their price; not much more, so that none is handed over for the last crumb.
_WORTH = 3.0


@leaf
def _length(tab, own, i, b, dear):
    """Return what it costs to hand customer `i` over to `b`."""
    a = np.int64(i32_1(tab, LABEL)[i])
    cost = dear * fee_rise(tab, own, i, b) * f64_1(own, FEE)[i]
    # one call in a loop is compiled once
    for at in range(2):
        cost += change(tab, a if at == 0 else b, i if at == 0 else -1, -1 if at == 0 else i)
    return cost


@leaf
def _find_arcs(tab, own, a, q, dear, least, longest):
    """Find the arcs of territory `a` anew. O(members, and walks of those at the border)."""
    to, length, who, cost_of = i32_1(own, TO), f64_1(own, LENGTH), i32_1(own, WHO), f64_1(own, COST_OF)
    label, near, near_at, measure = i32_1(tab, LABEL), i32_1(tab, NEAR), i64_1(tab, NEAR_AT), f64_2(tab, MEASURE)
    count = 0
    first = i64_1(tab, START)[a]
    size = i64_1(tab, SIZE)[a]
    for p in range(first, first + size if size > 1 else first):
        i = np.int64(i32_1(tab, MEMBER)[p])
        load = measure[i, q]
        if i32_1(tab, OTHER)[i] == 0 or load <= 0.0:
            continue
        able = -1
        for e in range(near_at[i], near_at[i + 1]):
            b = np.int64(label[near[e]])
            if b == a or not may_move(tab, own, i, b):
                continue
            new = True
            for f in range(near_at[i], e):
                if label[near[f]] == b:
                    new = False
            if not new:
                continue
            if able < 0:
                able = 1 if can_leave(tab, i) else 0
            if able == 0:
                break
            if not can_enter(tab, i, b):
                continue
            cost = _length(tab, own, i, b, dear)
            each = cost / load
            if each > longest:
                continue
            slot = a * WIDTH
            while slot < a * WIDTH + count and to[slot] != b:
                slot += 1
            if slot == a * WIDTH + count:
                if count == WIDTH:
                    continue
                count += 1
                to[slot] = b
                length[slot] = np.inf
                for d in range(DEPTH):
                    who[slot * DEPTH + d] = -1
            # into the list of the cheapest a unit, kept in order
            d = DEPTH - 1
            at = slot * DEPTH
            last = who[at + d]
            if last >= 0 and cost_of[at + d] / measure[last, q] <= each:
                continue
            while d > 0 and (who[at + d - 1] < 0 or cost_of[at + d - 1] / measure[who[at + d - 1], q] > each):
                who[at + d] = who[at + d - 1]
                cost_of[at + d] = cost_of[at + d - 1]
                d -= 1
            who[at + d] = i
            cost_of[at + d] = cost
            length[slot] = max(cost_of[at] / measure[who[at], q], least)
    i64_1(own, ARCS)[a] = count


@leaf
def _outside(tab, a, q, over):
    """Return whether territory `a` has too much (or, if not `over`, too little) of measure `q`."""
    load = f64_2(tab, LOAD)[a, q]
    gap = load - f64_2(tab, UPPER)[a, q] if over else f64_2(tab, LOWER)[a, q] - load
    return gap * f64_2(tab, SCALE)[a, q] > ROUNDING


@leaf
def _spare(tab, own, a, q, over):
    """Return whether territory `a` could take some of measure `q` (or, if not `over`, give some)."""
    if i32_1(own, CLOSED)[a] != 0:
        return False
    load = f64_2(tab, LOAD)[a, q]
    room = f64_2(tab, UPPER)[a, q] - load if over else load - f64_2(tab, LOWER)[a, q]
    return room * f64_2(tab, SCALE)[a, q] > _ROOM


@leaf
def _shortest(tab, own, q, over):
    """Return the end of the shortest path from where there is too much to where there is room; -1: there is none.

    If not `over`, from where there is something to spare to where there is too little. Bellman-Ford with a queue.
    """
    far, back, line, in_line = f64_1(own, FAR), i64_1(own, BACK), i32_1(own, LINE), i32_1(own, IN_LINE)
    to, length, arcs = i32_1(own, TO), f64_1(own, LENGTH), i64_1(own, ARCS)
    k = len(far)
    head, waiting = 0, 0
    for a in range(k):
        far[a] = np.inf
        back[a] = -1
        in_line[a] = 0
        if (over and _outside(tab, a, q, True)) or (not over and _spare(tab, own, a, q, False)):
            far[a] = 0.0
            line[waiting] = a
            in_line[a] = 1
            waiting += 1
    while waiting > 0:
        a = line[head]
        head = head + 1 if head + 1 < k else 0
        waiting -= 1
        in_line[a] = 0
        for e in range(a * WIDTH, a * WIDTH + arcs[a]):
            b = to[e]
            if far[a] + length[e] < far[b]:
                far[b] = far[a] + length[e]
                back[b] = e
                if in_line[b] == 0:
                    tail = head + waiting
                    line[tail if tail < k else tail - k] = b
                    waiting += 1
                    in_line[b] = 1
    end = -1
    for b in range(k):
        there = _spare(tab, own, b, q, True) if over else _outside(tab, b, q, False)
        if there and back[b] >= 0 and (end < 0 or far[b] < far[end]):
            end = b
    return end


@leaf
def _chosen(tab, own, path, hops, worth, value, pick, chosen):
    """Choose a customer of each arc of a path; return by how much violation rises.

    ``path[t]`` is the arc of hop t. The excess of each territory on the way depends on who comes and who goes, so
    this is a shortest path over the customers of one arc after the other.
    """
    to, who, cost_of = i32_1(own, TO), i32_1(own, WHO), f64_1(own, COST_OF)
    for t in range(hops):
        a = path[t] // WIDTH
        for d in range(DEPTH):
            i = np.int64(who[path[t] * DEPTH + d])
            value[t, d] = np.inf
            if i < 0:
                break
            if t == 0:
                value[t, d] = cost_of[path[t] * DEPTH + d] + worth * (
                    excess_after(tab, a, i, -1) - excess_after(tab, a, -1, -1)
                )
                continue
            for e in range(DEPTH):
                j = np.int64(who[path[t - 1] * DEPTH + e])
                if j < 0:
                    break
                cost = value[t - 1, e] + cost_of[path[t] * DEPTH + d]
                cost += worth * (excess_after(tab, a, i, j) - excess_after(tab, a, -1, -1))
                if cost < value[t, d]:
                    value[t, d] = cost
                    pick[t, d] = e
    last, best, at = path[hops - 1], np.inf, -1
    b = to[last]
    for d in range(DEPTH):
        i = np.int64(who[last * DEPTH + d])
        if i < 0:
            break
        cost = value[hops - 1, d] + worth * (excess_after(tab, b, -1, i) - excess_after(tab, b, -1, -1))
        if cost < best:
            best, at = cost, d
    for t in range(hops - 1, -1, -1):
        chosen[t] = who[path[t] * DEPTH + at]
        at = pick[t, at] if t > 0 else at
    mended = 0.0
    for t in range(hops + 1):
        a = path[t] // WIDTH if t < hops else b
        out = chosen[t] if t < hops else -1
        enter = chosen[t - 1] if t > 0 else -1
        mended += excess_after(tab, a, out, enter) - excess_after(tab, a, -1, -1)
    return mended


@leaf
def _drop(own, e, i):
    """Take customer `i` off arc `e`, until its arcs are found anew."""
    who, cost_of = i32_1(own, WHO), f64_1(own, COST_OF)
    at = 0
    while at < DEPTH and who[e * DEPTH + at] != i:
        at += 1
    while at < DEPTH:
        last = at == DEPTH - 1
        who[e * DEPTH + at] = -1 if last else who[e * DEPTH + at + 1]
        cost_of[e * DEPTH + at] = 0.0 if last else cost_of[e * DEPTH + at + 1]
        at += 1
    if who[e * DEPTH] < 0:
        # nobody is left to go along it
        f64_1(own, LENGTH)[e] = np.inf


@leaf
def _passed(tab, own, path, hops, chosen):
    """Hand over the customers of a path, one after the other; False, and nothing done, where that tears a territory."""
    done = 0
    to, label, size = i32_1(own, TO), i32_1(tab, LABEL), i64_1(tab, SIZE)
    for t in range(hops):
        i, b = chosen[t], np.int64(to[path[t]])
        a = np.int64(path[t] // WIDTH)
        # somebody who must be apart from him may have come since the arc was found
        fits = label[i] == a and size[a] > 1 and may_move(tab, own, i, b)
        if not fits or not can_leave(tab, i) or not can_enter(tab, i, b):
            _drop(own, path[t], i)
            break
        hand_over(tab, own, i, b)
        done += 1
    for at in range(3):
        if f64_1(own, SPENT)[at] > f64_1(own, CAP)[at] and done == hops:
            # a path that costs less may be there
            _drop(own, path[0], chosen[0])
            done = -hops
    kept = done == hops
    for t in range(abs(done) - 1 if not kept else -1, -1, -1):
        hand_over(tab, own, chosen[t], np.int64(path[t] // WIDTH))
    for t in range(hops + 1):
        # costs and excesses of all on the way, also where a change was taken back
        touch(tab, np.int64(path[t] // WIDTH) if t < hops else np.int64(to[path[hops - 1]]), 0.0)
    return kept


@leaf
def _soil(tab, own, i):
    """Note that the arcs of territories have to be found anew that customer `i`, who has moved, is in or beside.

    Elsewhere the middle of a territory that i left or joined has moved a little; that is put right now and then.
    """
    stale, label, near, near_at = i32_1(own, STALE_ARCS), i32_1(tab, LABEL), i32_1(tab, NEAR), i64_1(tab, NEAR_AT)
    stale[label[i]] = 1
    for e in range(near_at[i], near_at[i + 1]):
        stale[label[near[e]]] = 1


@kernel("i8[::1], i8[::1], i8, b1, f8, f8, f8, i8, i4[::1], i4[::1], i8[::1], f8[::1]")
def relieve(tab, own, q, over, dear, least, longest, most, log_who, log_to, log_end, log_violation):
    """Pass on load along shortest paths until none mends anything any more.

    Parameters
    ----------
    tab, own : tables of arrays, of `moves_layout` and `realign_layout`
    q : int
        Measure whose bands are mended; the violation of all of them falls with each path.
    over : bool
        Whether to take from where there is too much, or to bring to where there is too little.
    dear : float
        Cost of a fee of 1.
    least : float
        No arc is shorter, per unit of load.
    longest : float
        Who costs more a unit of load is not handed over.
    most : int
        Paths, at most; of `log_end` and `log_violation` the length.
    log_who, log_to : int32 arrays
        The customers handed over, and to which territory.
    log_end : int64 array, log_violation : float array
        Where the entries of each path end, and the violation after it.

    Returns
    -------
    int
        Number of paths.

    Notes
    -----
    A path costs O(arcs) and, of the territories on it and their neighbours, O(members).
    """
    k = len(i64_1(tab, SIZE))
    value, pick = np.empty((k, DEPTH)), np.empty((k, DEPTH), dtype=np.int64)
    path, chosen = np.empty(k, dtype=np.int64), np.empty(k, dtype=np.int64)
    stale, far, back = i32_1(own, STALE_ARCS), f64_1(own, FAR), i64_1(own, BACK)
    closed = i32_1(own, CLOSED)
    for a in range(k):
        stale[a] = 1
        closed[a] = 0
    paths, entries, since = 0, 0, 0
    while paths < most and f64_1(tab, VALUE)[VIOLATION] > ROUNDING:
        for a in range(k):
            if stale[a] != 0:
                _find_arcs(tab, own, a, q, dear, least, longest)
                stale[a] = 0
        end = _shortest(tab, own, q, over)
        if end < 0:
            # what was closed may have opened since
            if since == 0:
                break
            since = 0
            for a in range(k):
                stale[a] = 1
                closed[a] = 0
            continue
        hops = 0
        a = np.int64(end)
        while back[a] >= 0:
            hops += 1
            a = back[a] // WIDTH
        if entries + hops > len(log_who):
            break
        b = np.int64(end)
        for t in range(hops - 1, -1, -1):
            path[t] = back[b]
            b = path[t] // WIDTH
        begin = a if over else np.int64(end)
        worth = _WORTH * far[end] / max(f64_2(tab, SCALE)[begin, q], 1e-300)
        mended = _chosen(tab, own, path, hops, worth, value, pick, chosen)
        if not mended < -ROUNDING:
            closed[end if over else a] = 1
        elif _passed(tab, own, path, hops, chosen):
            since += 1
            for t in range(hops):
                log_who[entries] = chosen[t]
                log_to[entries] = i32_1(own, TO)[path[t]]
                entries += 1
            log_end[paths] = entries
            log_violation[paths] = f64_1(tab, VALUE)[VIOLATION]
            paths += 1
            closed[end] = 0
            for t in range(hops):
                stale[path[t] // WIDTH] = 1
                closed[path[t] // WIDTH] = 0
                _soil(tab, own, chosen[t])
            if paths % (k + 1) == k:
                for c in range(k):
                    stale[c] = 1
    return paths
