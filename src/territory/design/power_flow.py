"""The balanced assignment to fixed centres, exactly: successive shortest paths between territories.

The transportation problem min sum c_ij f_ij, sum_j f_ij = w_i, L_j <= sum_i f_ij <= U_j has many
customers and few territories. So paths are sought on a graph with a node a territory, and one more
that takes what lies between L and U (Ahuja, Magnanti & Orlin 1993, Network Flows, 9.7; the graph of
the few sinks is that of Tokuyama & Nakano 1995). The arc from j to l costs what the cheapest customer
of j adds when he goes to l, by unit of weight. Prices
keep all arcs at reduced costs >= 0, so any prices are a start: each customer goes to his cheapest
territory, and what then lies above or below its limits is moved along shortest paths. Customers are
split on the way: moved whole, paths cycle when one of them outweighs the band.
"""

from __future__ import annotations

import numpy as np

from territory.compiled import kernel, leaf

__all__ = ["OUT_OF_REACH", "OUT_OF_ROOM", "SOLVED", "balance", "placed"]

#: The flow is optimal for the candidates; prices left the margin in which they are complete; what is
#: too much has nowhere to go among the candidates.
SOLVED, OUT_OF_REACH, OUT_OF_ROOM = 0, 1, 2
#: Of a weight: less than this is rounding.
_DUST = 1e-12
#: Of priced distances: what differs by less is equal.
_TIE = 1e-12
#: Territories with too much, for each with too little that is looked for at once.
_TOGETHER = 4
#: Of the whole weight: less than this without a place is rounding.
_LEFT = 1e-11


@leaf
def _enter(u, j, first, standing, here, place):
    """Note that arc `u` to territory `j` carries flow."""
    place[u] = first[j] + standing[j]
    here[place[u]] = u
    standing[j] += 1


@leaf
def _leave(u, j, first, standing, here, place):
    """Note that arc `u` to territory `j` carries none any more."""
    standing[j] -= 1
    last = here[first[j] + standing[j]]
    here[place[u]] = last
    place[last] = place[u]


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


@kernel("i4[::1], i8[::1], i4[::1], f8[::1], i4[::1], i8[::1], i4[::1], f8[::1], f8[::1], f8[::1], f8[::1]")
def placed(old_who, old_start, old_to, old_flow, who, start, to, cost, weight, price, flow):
    """Fill in a flow to begin with: what an earlier one says, as far as that is still cheapest, else the cheapest.

    Parameters
    ----------
    old_who, old_start, old_to, old_flow : int32 (c,), int64 (c + 1,), int32 (arcs,), float (arcs,)
        Customers of an earlier call, in rising order, their candidates, and the flow that was reached.
    who, start, to, cost : int32 (b,), int64 (b + 1,), int32 (arcs,), float (arcs,)
        Those of the next.
    weight : float array of shape (b,)
    price : float array of shape (k,)
    flow : float array of shape (arcs,)
    """
    o = 0
    for i in range(len(who)):
        best, least = start[i], np.inf
        for u in range(start[i], start[i + 1]):
            flow[u] = 0.0
            v = cost[u] + price[to[u]]
            if v < least:
                best, least = u, v
        left = weight[i]
        while o < len(old_who) and old_who[o] < who[i]:
            o += 1
        if o < len(old_who) and old_who[o] == who[i]:
            for u in range(start[i], start[i + 1]):
                if cost[u] + price[to[u]] <= least + _TIE * (cost[u] + 2.0 * abs(price[to[u]])):
                    for v in range(old_start[o], old_start[o + 1]):
                        if old_to[v] == to[u] and u != best:
                            flow[u] = old_flow[v]
                            left -= old_flow[v]
        flow[best] = max(left, 0.0)


@kernel("i8[::1], i4[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], u1[::1]")
def balance(start, to, cost, weight, load, lower, upper, price, margin, flow, reach):
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
        Where the weight of each customer is at first, at candidates that are cheapest at these prices (see `placed`);
        afterwards, where it goes.
    reach : uint8 array of shape (k,)
        Gets 1 for the territories among which OUT_OF_ROOM found too much.

    Returns
    -------
    (int, int, float, bool)
        SOLVED, OUT_OF_REACH or OUT_OF_ROOM; the number of paths; how much is too much among the territories
        of `reach`, and whether what lies between the limits of the others is to be had from there.

    Notes
    -----
    O(arcs + paths (territories near, and arcs at those that changed)).
    """
    k, b, arcs = len(price), len(weight), len(to)
    pool = k
    scale = load.sum() + weight.sum()
    dust = _DUST * scale / k
    excess = np.empty(k + 1)
    for j in range(k):
        excess[j] = load[j]
    owner = np.empty(arcs, dtype=np.int32)
    for i in range(b):
        for u in range(start[i], start[i + 1]):
            owner[u] = i
            excess[to[u]] += flow[u]
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

    # who is where: the arcs of each territory that carry flow stand together, `standing[j]` of them
    first = np.zeros(k + 1, dtype=np.int64)
    for u in range(arcs):
        first[to[u] + 1] += 1
    for j in range(k):
        first[j + 1] += first[j]
    standing = np.zeros(k, dtype=np.int64)
    here, place = np.empty(arcs, dtype=np.int32), np.empty(arcs, dtype=np.int32)
    # the cheapest move to each other territory; found when it is asked for, forgotten when somebody comes or goes
    room = np.zeros(k + 1, dtype=np.int64)
    for u in range(arcs):
        room[to[u] + 1] += start[owner[u] + 1] - start[owner[u]] - 1
        if flow[u] > 0.0:
            _enter(u, to[u], first, standing, here, place)
    for j in range(k):
        room[j + 1] = room[j] + min(room[j + 1], k - 1)
    moves = np.full(k, -1, dtype=np.int64)
    move_to, move_key = np.empty(room[k], dtype=np.int32), np.empty(room[k])
    move_from_arc, move_to_arc = np.empty(room[k], dtype=np.int32), np.empty(room[k], dtype=np.int32)
    slot = np.full(k, -1, dtype=np.int64)

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
    alone = False
    n_settled = 0
    while True:
        # from all that is too much at once; where nothing is in reach, from one, to say which cannot get rid of it
        n_settled, n_reached, queued, sources = 0, 0, 0, 0
        for j in range(k + 1):
            if excess[j] > dust and (sources == 0 or not alone):
                sources += 1
                dist[j], before[j] = 0.0, -1
                reached[n_reached] = j
                n_reached += 1
                queued = _push(queue, where, dist, queued, j)
        if sources == 0:
            break
        wanted, found = max(1, sources // _TOGETHER), 0
        far = 0.0
        while queued > 0:
            j = _pop(queue, where, dist, queued)
            queued -= 1
            done[j] = 1
            settled[n_settled] = j
            n_settled += 1
            if excess[j] < -dust:
                found += 1
                far = dist[j]
                if found >= wanted:
                    break
            far_here = dist[j]
            if j == pool:
                for o in range(k):
                    if done[o] == 0 and taken[o] > lower[o] + dust:
                        new = far_here + max(0.0, potential[o] - potential[pool])
                        if new < dist[o]:
                            if dist[o] == np.inf:
                                reached[n_reached] = o
                                n_reached += 1
                            dist[o], before[o], by_move[o] = new, j, -1
                            queued = _push(queue, where, dist, queued, o)
                continue
            if done[pool] == 0 and taken[j] < upper[j] - dust:
                new = far_here + max(0.0, potential[pool] - potential[j])
                if new < dist[pool]:
                    if dist[pool] == np.inf:
                        reached[n_reached] = pool
                        n_reached += 1
                    dist[pool], before[pool], by_move[pool] = new, j, -1
                    queued = _push(queue, where, dist, queued, pool)
            base = room[j]
            if moves[j] < 0:
                # the cheapest customer for each territory around
                seen = 0
                for s in range(first[j], first[j] + standing[j]):
                    u = here[s]
                    i = owner[u]
                    for v in range(start[i], start[i + 1]):
                        if v != u:
                            e = slot[to[v]]
                            key = cost[v] - cost[u]
                            if e < 0:
                                e = base + seen
                                slot[to[v]] = e
                                seen += 1
                                move_to[e] = to[v]
                            elif key >= move_key[e]:
                                continue
                            move_key[e], move_from_arc[e], move_to_arc[e] = key, u, v
                moves[j] = seen
                for e in range(base, base + seen):
                    slot[move_to[e]] = -1
            for e in range(base, base + moves[j]):
                o = move_to[e]
                if done[o] == 1:
                    continue
                new = far_here + max(0.0, move_key[e] + potential[o] - potential[j])
                if new < dist[o]:
                    if dist[o] == np.inf:
                        reached[n_reached] = o
                        n_reached += 1
                    dist[o], before[o], by_move[o] = new, j, e
                    queued = _push(queue, where, dist, queued, o)
        most = far
        if found > 0:
            # prices rise no further than margins allow
            for s in range(n_settled):
                j = settled[s]
                if j != pool:
                    most = min(most, dist[j] + max(0.0, margin[j] + began[j] - potential[j]))
            if most < far:
                least = np.inf
                for j in range(k):
                    least = min(least, potential[j] - began[j])
                most = far
                for s in range(n_settled):
                    j = settled[s]
                    if j != pool:
                        most = min(most, dist[j] + max(0.0, margin[j] + began[j] + least - potential[j]))
            for s in range(n_settled):
                j = settled[s]
                if dist[j] < most:
                    potential[j] += most - dist[j]
            # what is on the paths found is at equal costs now, so all of them may be used, while there is something
            for s in range(n_settled):
                target = settled[s]
                if excess[target] >= -dust or dist[target] > most:
                    continue
                amount = -excess[target]
                o = target
                while before[o] >= 0:
                    j = before[o]
                    if by_move[o] >= 0:
                        amount = min(amount, flow[move_from_arc[by_move[o]]])
                    elif o == pool:
                        amount = min(amount, upper[j] - taken[j])
                    else:
                        amount = min(amount, taken[o] - lower[o])
                    o = j
                source = o
                amount = min(amount, excess[source])
                if amount <= 0.0:
                    continue
                o = target
                while o != source:
                    j = before[o]
                    if by_move[o] >= 0:
                        e = by_move[o]
                        u, v = move_from_arc[e], move_to_arc[e]
                        flow[u] -= amount
                        more = amount
                        if flow[u] <= _DUST * weight[owner[u]]:
                            more += flow[u]
                            flow[u] = 0.0
                            _leave(u, j, first, standing, here, place)
                            moves[j] = -1
                        if flow[v] <= 0.0:
                            _enter(v, o, first, standing, here, place)
                            moves[o] = -1
                        flow[v] += more
                    elif o == pool:
                        taken[j] += amount
                    else:
                        taken[o] -= amount
                    o = j
                excess[source] -= amount
                excess[target] += amount
                paths += 1
            if most < far:
                status = OUT_OF_REACH
        elif not alone and sources > 1:
            alone = True
        else:
            alone = False
            worst = 0.0
            for s in range(n_settled):
                worst = max(worst, excess[settled[s]])
            if worst > _LEFT * scale:
                status = OUT_OF_ROOM
            else:
                # what rounding left, where the limits add up to the whole
                for s in range(n_settled):
                    excess[settled[s]] = min(excess[settled[s]], 0.0)
        for s in range(n_reached):
            j = reached[s]
            dist[j], where[j], done[j] = np.inf, -1, 0
        if status != SOLVED:
            break
    left, above = 0.0, False
    if status == OUT_OF_ROOM:
        for s in range(n_settled):
            left = max(left, excess[settled[s]])
            if settled[s] == pool:
                above = True
            else:
                reach[settled[s]] = 1
    for j in range(k):
        price[j] = potential[j] - potential[pool]
    return status, paths, left, above
