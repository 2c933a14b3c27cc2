"""What completing a partial route costs at least, from the labels of the other direction."""

from __future__ import annotations

from typing import Final

import numpy as np

from territory.compiled import kernel, leaf

__all__ = ["FAR", "INFINITE", "completion", "index"]

#: Later than any time: no way.
FAR: Final = 1 << 40
#: Dearer than any route.
INFINITE: Final = 1e300

# columns of a label
L_NODE: Final = 0
L_TIME: Final = 1
L_REST: Final = 2
L_PARENT: Final = 3
#: Next in the queue of its time.
L_NEXT: Final = 4
#: Next with the same hash.
L_SAME: Final = 5
L_ALIVE: Final = 6
#: Consumption of resource 0, 1, ...
L_USED: Final = 7
# columns of a label's money
M_COST: Final = 0
#: Cost of the cheapest completion, at least, and its own.
M_LEAST: Final = 1
#: Penalties in its cost, see `Pass`.
M_PENALTY: Final = 2


@leaf
def completion(cells, floor, other_i, other_f, other_mask, own, mask, horizon, rests, j, at, k, need):  # type: ignore[no-untyped-def]
    """Return the least cost of what can follow the arrival at node j at time `at`, or `need` if that is less."""
    limit = horizon - at
    if limit < 0:
        return need
    best = need
    n_cells = floor.shape[1]
    width = horizon // n_cells + 1
    words = mask.shape[0]
    for b in range(limit // width, -1, -1):
        if floor[j, b] >= best:
            break
        for y in range(cells[j * n_cells + b], cells[j * n_cells + b + 1]):
            if other_f[y] >= best:
                break
            if other_i[y, 0] > limit or other_i[y, 1] + k < rests:
                continue
            clash = False
            for w in range(words):
                if other_mask[y, w] & mask[w]:
                    clash = True
                    break
            if clash:
                continue
            for r in range(own.shape[0]):
                if other_i[y, 2 + r] > own[r]:
                    clash = True
                    break
            if not clash:
                best = other_f[y]
                break
    return best


@kernel("i8[:, ::1], f8[:, ::1], i8[:, ::1], i8[::1], i8, i8, i8")
def index(lab, money, masks, order, n, n_cells, horizon):  # type: ignore[no-untyped-def]
    """Sort labels by visit and time, for `completion`.

    Parameters
    ----------
    lab, money, masks
        The labels of a finished search.
    order : int64 array
        Those that matter, cheapest first.
    n, n_cells, horizon : int
        Visits, slices of time, last time.

    Returns
    -------
    cells : int64 array of shape (n * n_cells + 1,)
        Labels of visit j in slice b are ``cells[j * n_cells + b]`` to the next, cheapest first.
    floor : float64 array of shape (n, n_cells)
        The cheapest of the visit in this and earlier slices.
    other_i, other_f, other_mask : int64, float64, int64 arrays
        Time, breaks, consumption; cost; memory.
    """
    width = horizon // n_cells + 1
    columns = lab.shape[1] - L_USED + 2
    cells = np.zeros(n * n_cells + 1, np.int64)
    floor = np.full((n, n_cells), INFINITE)
    total = order.shape[0]
    for a in range(total):
        x = order[a]
        cells[lab[x, L_NODE] * n_cells + lab[x, L_TIME] // width + 1] += 1
    for c in range(n * n_cells):
        cells[c + 1] += cells[c]
    at = cells[:-1].copy()
    other_i = np.empty((total, columns), np.int64)
    other_f = np.empty(total)
    other_mask = np.empty((total, masks.shape[1]), np.int64)
    for a in range(total):
        x = order[a]
        j, b = lab[x, L_NODE], lab[x, L_TIME] // width
        y = at[j * n_cells + b]
        at[j * n_cells + b] += 1
        other_i[y, 0], other_i[y, 1] = lab[x, L_TIME], lab[x, L_REST]
        for r in range(2, columns):
            other_i[y, r] = lab[x, L_USED - 2 + r]
        other_f[y] = money[x, M_COST]
        for w in range(masks.shape[1]):
            other_mask[y, w] = masks[x, w]
        floor[j, b] = min(floor[j, b], other_f[y])
    for j in range(n):
        for b in range(1, n_cells):
            floor[j, b] = min(floor[j, b], floor[j, b - 1])
    return cells, floor, other_i, other_f, other_mask
