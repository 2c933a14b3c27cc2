"""From straight pieces of road to edges between junctions, so that paths are searched on junctions only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from territory.travel.roads.network import QUANTUM, Network, Segments, whole_quanta

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["compress"]


def compress(given: Segments, *, junction_s: float = 0.0) -> Network:
    """Join segments at nodes where two of them meet and nothing else changes.

    A node stays where one, three or more segments end, where passing it costs something, where a one-way street
    begins or two meet head on, and at the end of a ferry or motorway. Of a ring without such a node one node stays.

    Parameters
    ----------
    given : Segments
        Those that lead nowhere, or are allowed in neither direction, are left out.
    junction_s : float
        What it costs to pass a node where three or more segments end.

    Returns
    -------
    Network
        O(n log n): positions along an edge are found for all edges at once, by doubling strides.
    """
    chosen = (given.tail != given.head) & (np.isfinite(given.forward_s) | np.isfinite(given.backward_s))
    tail, head = given.tail[chosen], given.head[chosen]
    count = len(tail)
    # half h < count leaves the tail of segment h, half h + count its head
    start = np.concatenate((tail, head))
    allowed = np.isfinite(np.concatenate((given.forward_s[chosen], given.backward_s[chosen])))
    midway = given.midway[chosen]
    degree = np.bincount(start, minlength=len(given.node_lon))
    one, two = _passages(start, allowed, midway, degree, given.wait_s)
    following = _followed(one, two, start, count)
    chain, place, first = _chains(following, allowed, count)

    turned = chain[count:] >= 0
    edge = np.where(turned, chain[count:], chain[:count])
    at = np.where(turned, place[count:], place[:count])
    n_edges = len(first)
    order = np.lexsort((at, edge))
    edge, turned = edge[order], turned[order]
    half = np.where(turned, order + count, order)
    lengths = np.bincount(edge, minlength=n_edges)
    first_point = np.concatenate(([0], np.cumsum(lengths + 1)))
    ends = first_point[1:] - 1
    final = half[np.cumsum(lengths) - 1] if count else half
    point = np.arange(count) + edge
    nodes = np.empty(count + n_edges, dtype=np.int64)
    nodes[point] = start[half]
    nodes[ends] = start[(final + count) % max(2 * count, 1)]

    there, back = given.forward_s[chosen][order], given.backward_s[chosen][order]
    metres = _along(given.metres[chosen][order], point, first_point)
    forward_s = _along(np.where(turned, back, there), point, first_point)
    backward_s = _along(np.where(turned, there, back), point, first_point)

    used, ends_of = np.unique(np.concatenate((nodes[first_point[:-1]], nodes[ends])), return_inverse=True)
    wait = given.wait_s[used] + np.where(degree[used] >= 3, junction_s, 0.0)
    return Network(
        node_lon=given.node_lon[used],
        node_lat=given.node_lat[used],
        half_wait_s=whole_quanta(wait / 2.0),
        tail=ends_of[:n_edges].astype(np.int32),
        head=ends_of[n_edges:].astype(np.int32),
        forward=allowed[first],
        backward=allowed[(first + count) % max(2 * count, 1)],
        midway=midway[first % max(count, 1)],
        first_point=first_point.astype(np.int64),
        lon=given.node_lon[nodes],
        lat=given.node_lat[nodes],
        metres=metres,
        forward_s=forward_s,
        backward_s=backward_s,
    )


def _passages(
    start: NDArray[np.int64],
    allowed: NDArray[np.bool_],
    midway: NDArray[np.bool_],
    degree: NDArray[np.int64],
    wait: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the two halves that leave each node that need not stay."""
    order = np.argsort(start, kind="stable")
    first = np.concatenate(([0], np.cumsum(degree)))[:-1]
    free = np.flatnonzero((degree == 2) & (wait <= 0))
    one, two = order[first[free]], order[first[free] + 1]
    count = len(start) // 2
    back_one, back_two = (one + count) % (2 * count or 1), (two + count) % (2 * count or 1)
    alike = (allowed[back_one] == allowed[two]) & (allowed[back_two] == allowed[one])
    alike &= midway[one % max(count, 1)] == midway[two % max(count, 1)]
    return one[alike], two[alike]


def _followed(
    one: NDArray[np.int64], two: NDArray[np.int64], start: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """Return the half that follows on each half, itself where the edge ends; rings are cut at their lowest node."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - loaded when roads are
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    following = np.arange(2 * count)
    if not count:
        return following
    links = coo_array((np.ones(len(one), dtype=np.int8), (one % count, two % count)), shape=(count, count))
    n_parts, part = connected_components(links, directed=False)
    joined = np.bincount(part[one % count], minlength=n_parts)
    ring = joined == np.bincount(part, minlength=n_parts)
    if ring.any():
        lowest = np.full(n_parts, len(start) + int(start.max()), dtype=np.int64)
        np.minimum.at(lowest, part, start[:count])
        np.minimum.at(lowest, part, start[count:])
        mine = part[one % count]
        cut = ring[mine] & (start[one] == lowest[mine])
        one, two = one[~cut], two[~cut]
    following[(one + count) % (2 * count)] = two
    following[(two + count) % (2 * count)] = one
    return following


def _chains(following: NDArray[np.int64], allowed: NDArray[np.bool_], count: int) -> tuple[NDArray[np.int64], ...]:
    """Return edge and place along it of each half, -1 for those of the direction not chosen; first half of each edge.

    Of the two directions of an edge one that is allowed is chosen, else the one that comes first.
    """
    last = following.copy()
    left = (following != np.arange(2 * count)).astype(np.int64)
    while True:
        left, beyond = left + left[last], last[last]
        if np.array_equal(beyond, last):
            break
        last = beyond
    begins = np.ones(2 * count, dtype=bool)
    begins[following[following != np.arange(2 * count)]] = False
    first = np.flatnonzero(begins)
    opposite = (last[first] + count) % max(2 * count, 1)
    only = allowed[first] & ~allowed[opposite]
    never = allowed[opposite] & ~allowed[first]
    first = first[only | (~never & (first < opposite))]
    name = np.full(2 * count, -1, dtype=np.int64)
    name[last[first]] = np.arange(len(first))
    chain = name[last]
    length = left[first]
    place = np.where(chain >= 0, length[chain] - left if len(first) else 0, -1)
    return chain, place, first


def _along(values: Any, point: Any, first_point: Any) -> NDArray[np.float64]:
    """Add up along edges, exactly: 0 at the first point; nothing where a direction is not allowed."""
    quanta = np.rint(np.where(np.isfinite(values), values, 0.0) * QUANTUM).astype(np.int64)
    total = np.zeros(len(values) + len(first_point) - 1, dtype=np.int64)
    total[point + 1] = quanta
    np.cumsum(total, out=total)
    before = total[first_point[:-1]]
    sizes = np.diff(first_point)
    along: NDArray[np.float64] = (total - np.repeat(before, sizes)) / QUANTUM
    return along
