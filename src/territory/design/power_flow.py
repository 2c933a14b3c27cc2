"""The balanced assignment to fixed centres, exactly: successive shortest paths between territories.

The transportation problem min sum c_ij f_ij, sum_j f_ij = w_i, L_j <= sum_i f_ij <= U_j has many
customers and few territories. So paths are sought on a graph with a node a territory, and one more
that takes what lies between L and U (Ahuja, Magnanti & Orlin 1993, Network Flows, 9.7; the graph of
the few sinks is that of Tokuyama & Nakano 1995). The arc from j to l costs what the cheapest customer
of j adds when he goes to l, by unit of weight; a heap for each pair of territories knows him. Prices
keep all arcs at reduced costs >= 0, so any prices are a start: each customer goes to his cheapest
territory, and what then lies above or below its limits is moved along shortest paths. Customers are
split on the way: moved whole, paths cycle when one of them outweighs the band.
"""

from __future__ import annotations

import numpy as np

from territory.design.compiled import kernel, leaf

__all__ = ["OUT_OF_REACH", "OUT_OF_ROOM", "SOLVED", "balance"]

#: The flow is optimal for the candidates; prices left the margin in which they are complete; what is
#: too much has nowhere to go among the candidates.
SOLVED, OUT_OF_REACH, OUT_OF_ROOM = 0, 1, 2
#: Of a weight: less than this is rounding.
_DUST = 1e-12


@leaf
def _sift_down(heap, key, begin, size, at):
    item = heap[begin + at]
    value = key[item]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and key[heap[begin + child + 1]] < key[heap[begin + child]]:
            child += 1
        if key[heap[begin + child]] >= value:
            break
        heap[begin + at] = heap[begin + child]
        at = child
    heap[begin + at] = item


@leaf
def _sift_up(heap, key, begin, at):
    item = heap[begin + at]
    value = key[item]
    while at > 0:
        parent = (at - 1) >> 1
        if key[heap[begin + parent]] <= value:
            break
        heap[begin + at] = heap[begin + parent]
        at = parent
    heap[begin + at] = item


@leaf
def _push(queue, where, dist, size, node):
    """Put a node into the queue of Dijkstra's algorithm, or up in it; return the queue's size."""
    at = where[node]
    if at < 0:
        at = size
        size += 1
    value = dist[node]
    while at > 0:
        parent = (at - 1) >> 1
        if dist[queue[parent]] <= value:
            break
        queue[at] = queue[parent]
        where[queue[at]] = at
        at = parent
    queue[at] = node
    where[node] = at
    return size


@leaf
def _pop(queue, where, dist, size):
    """Take the nearest node, queue[0], out of the queue; it ends up at queue[size - 1]."""
    first, item = queue[0], queue[size - 1]
    size -= 1
    value, at = dist[item], 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and dist[queue[child + 1]] < dist[queue[child]]:
            child += 1
        if dist[queue[child]] >= value:
            break
        queue[at] = queue[child]
        where[queue[at]] = at
        at = child
    queue[at] = item
    where[item] = at
    where[first] = -1
    return first


@kernel("i8[::1], i4[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1]")
def balance(start, to, cost, weight, load, lower, upper, price, margin, flow):
    """Find the cheapest balanced flow among the candidates.

    Parameters
    ----------
    start, to, cost : int64 (b + 1,), int32 (arcs,), float (arcs,)
        Candidates of each customer, and their cost by unit of weight.
    weight : float array of shape (b,)
    load : float array of shape (k,)
        What territories hold beside these customers.
    lower, upper : float arrays of shape (k,)
    price : float array of shape (k,)
        Any prices to start from; the optimal ones afterwards, or the last reached.
    margin : float array of shape (k,)
        Stop when a price has risen by more, against the one that has risen least.
    flow : float array of shape (arcs,)
        Gets the weight of each candidate arc.

    Returns
    -------
    (int, int)
        SOLVED, OUT_OF_REACH or OUT_OF_ROOM; the number of paths.

    Notes
    -----
    O(paths (territories near + log)), after O(arcs times candidates) to set up.
    """
    k, b, arcs = len(price), len(weight), len(to)
    pool = k
    scale = load.sum() + weight.sum()
    dust = _DUST * scale / k
    # each customer to his cheapest candidate
    excess = np.empty(k + 1)
    for j in range(k):
        excess[j] = load[j]
    owner = np.empty(arcs, dtype=np.int32)
    for i in range(b):
        best, least = -1, np.inf
        for u in range(start[i], start[i + 1]):
            owner[u], flow[u] = i, 0.0
            v = cost[u] + price[to[u]]
            if v < least:
                best, least = u, v
        flow[best] = weight[i]
        excess[to[best]] += weight[i]
    # the pool takes what the prices say: a dear territory is full, a cheap one at its least
    taken = np.empty(k)
    excess[pool] = -scale
    for j in range(k):
        if price[j] > 0.0:
            taken[j] = upper[j]
        elif price[j] < 0.0:
            taken[j] = lower[j]
        else:
            taken[j] = min(max(excess[j], lower[j]), upper[j])
        excess[j] -= taken[j]
        excess[pool] += taken[j]

    # arcs by territory, then moves (from arc, to arc) by pair of territories
    first = np.zeros(k + 1, dtype=np.int64)
    moves = 0
    for i in range(b):
        m = start[i + 1] - start[i]
        moves += m * (m - 1)
    for u in range(arcs):
        first[to[u] + 1] += 1
    for j in range(k):
        first[j + 1] += first[j]
    fill = first[:-1].copy()
    by_territory = np.empty(arcs, dtype=np.int32)
    for u in range(arcs):
        by_territory[fill[to[u]]] = u
        fill[to[u]] += 1
    # pairs are numbered by their first territory
    pairs_of = np.zeros(k + 1, dtype=np.int64)
    stamp, number = np.full(k, -1, dtype=np.int64), np.zeros(k, dtype=np.int64)
    room = max(1, min(moves, k * (k - 1)))
    pair_to, heap_begin = np.empty(room, dtype=np.int32), np.zeros(room + 1, dtype=np.int64)
    pairs = 0
    for j in range(k):
        pairs_of[j] = pairs
        for s in range(first[j], first[j + 1]):
            u = by_territory[s]
            i = owner[u]
            for v in range(start[i], start[i + 1]):
                if v != u:
                    other = to[v]
                    if stamp[other] != j:
                        stamp[other], number[other] = j, pairs
                        pair_to[pairs] = other
                        pairs += 1
                    heap_begin[number[other] + 1] += 1
    pairs_of[k] = pairs
    for q in range(pairs):
        heap_begin[q + 1] += heap_begin[q]
    # moves stand in the order of their pair
    move_from, move_to = np.empty(moves, dtype=np.int32), np.empty(moves, dtype=np.int32)
    move_key, pair_of = np.empty(moves), np.empty(moves, dtype=np.int32)
    move_at, at_begin = np.empty(moves, dtype=np.int32), np.empty(arcs + 1, dtype=np.int64)
    at_begin[0] = 0
    for u in range(arcs):
        at_begin[u + 1] = at_begin[u] + start[owner[u] + 1] - start[owner[u]] - 1
    fill_pair = heap_begin[: pairs + 1].copy()
    stamp[:] = -1
    for j in range(k):
        for q in range(pairs_of[j], pairs_of[j + 1]):
            number[pair_to[q]] = q
        for s in range(first[j], first[j + 1]):
            u = by_territory[s]
            i = owner[u]
            at = at_begin[u]
            for v in range(start[i], start[i + 1]):
                if v != u:
                    q = number[to[v]]
                    e = fill_pair[q]
                    fill_pair[q] += 1
                    move_from[e], move_to[e], move_key[e], pair_of[e] = u, v, cost[v] - cost[u], q
                    move_at[at] = e
                    at += 1
    # each pair's heap: the moves of customers who are there, the cheapest first
    heap, size = np.empty(moves, dtype=np.int32), np.zeros(room, dtype=np.int64)
    inside = np.zeros(moves, dtype=np.uint8)
    for q in range(pairs):
        begin = heap_begin[q]
        for e in range(begin, heap_begin[q + 1]):
            if flow[move_from[e]] > 0.0:
                heap[begin + size[q]] = e
                size[q] += 1
                inside[e] = 1
        for at in range(size[q] // 2 - 1, -1, -1):
            _sift_down(heap, move_key, begin, size[q], at)

    dist = np.full(k + 1, np.inf)
    by_move, before = np.full(k + 1, -1, dtype=np.int64), np.full(k + 1, -1, dtype=np.int64)
    queue, where = np.empty(k + 1, dtype=np.int64), np.full(k + 1, -1, dtype=np.int64)
    settled, reached = np.empty(k + 1, dtype=np.int64), np.empty(k + 1, dtype=np.int64)
    done = np.zeros(k + 1, dtype=np.uint8)
    began = np.empty(k + 1)
    for j in range(k):
        began[j] = price[j]
    began[pool] = 0.0
    potential = began.copy()
    paths, status = 0, SOLVED
    for source in range(k + 1):
        while status == SOLVED and excess[source] > dust:
            n_settled, n_reached, queued, target, beyond = 0, 1, 0, -1, False
            dist[source], before[source] = 0.0, -1
            reached[0] = source
            queued = _push(queue, where, dist, queued, source)
            while queued > 0:
                j = _pop(queue, where, dist, queued)
                queued -= 1
                done[j] = 1
                settled[n_settled] = j
                n_settled += 1
                if excess[j] < -dust:
                    target = j
                    break
                here = dist[j]
                if j == pool:
                    for l in range(k):
                        if done[l] == 0 and taken[l] > lower[l] + dust:
                            new = here + max(0.0, potential[l] - potential[pool])
                            if new < dist[l]:
                                if dist[l] == np.inf:
                                    reached[n_reached] = l
                                    n_reached += 1
                                dist[l], before[l], by_move[l] = new, j, -1
                                queued = _push(queue, where, dist, queued, l)
                    continue
                if done[pool] == 0 and taken[j] < upper[j] - dust:
                    new = here + max(0.0, potential[pool] - potential[j])
                    if new < dist[pool]:
                        if dist[pool] == np.inf:
                            reached[n_reached] = pool
                            n_reached += 1
                        dist[pool], before[pool], by_move[pool] = new, j, -1
                        queued = _push(queue, where, dist, queued, pool)
                for q in range(pairs_of[j], pairs_of[j + 1]):
                    l = pair_to[q]
                    if done[l] == 1:
                        continue
                    begin = heap_begin[q]
                    while size[q] > 0 and flow[move_from[heap[begin]]] <= 0.0:
                        inside[heap[begin]] = 0
                        size[q] -= 1
                        heap[begin] = heap[begin + size[q]]
                        if size[q] > 0:
                            _sift_down(heap, move_key, begin, size[q], 0)
                    if size[q] == 0:
                        continue
                    e = heap[begin]
                    new = here + max(0.0, move_key[e] + potential[l] - potential[j])
                    if new < dist[l]:
                        if dist[l] == np.inf:
                            reached[n_reached] = l
                            n_reached += 1
                        dist[l], before[l], by_move[l] = new, j, e
                        queued = _push(queue, where, dist, queued, l)
            if target < 0:
                status = OUT_OF_ROOM
            else:
                far = dist[target]
                for s in range(n_settled):
                    j = settled[s]
                    if dist[j] < far:
                        potential[j] += far - dist[j]
                        if j != pool and potential[j] - began[j] > margin[j]:
                            beyond = True
                amount = min(excess[source], -excess[target])
                l = target
                while l != source:
                    j = before[l]
                    if by_move[l] >= 0:
                        amount = min(amount, flow[move_from[by_move[l]]])
                    elif l == pool:
                        amount = min(amount, upper[j] - taken[j])
                    else:
                        amount = min(amount, taken[l] - lower[l])
                    l = j
                l = target
                while l != source:
                    j = before[l]
                    if by_move[l] >= 0:
                        e = by_move[l]
                        u, v = move_from[e], move_to[e]
                        flow[u] -= amount
                        more = amount
                        if flow[u] <= _DUST * weight[owner[u]]:
                            more += flow[u]
                            flow[u] = 0.0
                        if flow[v] <= 0.0:
                            for at in range(at_begin[v], at_begin[v + 1]):
                                e = move_at[at]
                                if inside[e] == 0:
                                    q = pair_of[e]
                                    inside[e] = 1
                                    heap[heap_begin[q] + size[q]] = e
                                    size[q] += 1
                                    _sift_up(heap, move_key, heap_begin[q], size[q] - 1)
                        flow[v] += more
                    elif l == pool:
                        taken[j] += amount
                    else:
                        taken[l] -= amount
                    l = j
                excess[source] -= amount
                excess[target] += amount
                paths += 1
            for s in range(n_reached):
                j = reached[s]
                dist[j], where[j], done[j] = np.inf, -1, 0
            if status == SOLVED and beyond:
                least = np.inf
                for j in range(k):
                    least = min(least, potential[j] - began[j])
                for j in range(k):
                    if potential[j] - began[j] - least > margin[j]:
                        status = OUT_OF_REACH
        if status != SOLVED:
            break
    if status == OUT_OF_ROOM:
        # what the source can reach is full: dearer by the widest margin, so that more candidates show
        step = 0.0
        for s in range(n_settled):
            if settled[s] != pool:
                step = max(step, margin[settled[s]])
        for s in range(n_settled):
            potential[settled[s]] += step if step < np.inf else 0.0
    for j in range(k):
        price[j] = potential[j] - potential[pool]
    return status, paths
