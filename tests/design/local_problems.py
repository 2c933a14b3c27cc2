"""Problems of the local search for tests, and plain sums of what an assignment costs."""

from __future__ import annotations

import numpy as np

from territory.design.moves_problem import Graph, LocalProblem
from territory.design.moves_starts import grown_start


def made(objective, *, n, k, m, d, seed, sites=False, band=0.2, eligible=None, soft=None, apart=0):
    """Return a problem of random places and a random assignment, connected where there are sites."""
    rng = np.random.default_rng(seed)
    points = rng.random((n, d))
    measures = rng.uniform(1.0, 3.0, (n, m))
    target = np.tile(measures.sum(axis=0) / k, (k, 1))
    gap = np.linalg.norm(points[:, None] - points[None], axis=2)
    near = np.argsort(gap, axis=1)[:, 1 : min(6, n)]
    edges = [(i, int(j)) for i in range(n) for j in near[i]]
    # a path through all keeps the graph in one piece
    edges += list(zip(range(n - 1), range(1, n), strict=True))
    graph = Graph.of_edges(edges, n)
    extra = {}
    if sites:
        # some at the spot of another, some whom contiguity does not concern
        site = np.arange(n)
        site[n // 2 :: 7] = site[: len(site[n // 2 :: 7])]
        site[3::11] = -1
        _, dense = np.unique(site[site >= 0], return_inverse=True)
        site[site >= 0] = dense
        pairs = np.array([(site[i], site[j]) for i, j in edges if site[i] >= 0 and site[j] >= 0])
        count = int(site.max()) + 1
        chain = np.stack([np.arange(count - 1), np.arange(1, count)], axis=1)
        extra = {"site": site.astype(np.int32), "links": Graph.of_edges(np.concatenate([pairs, chain]), count)}
    if objective == "fixed":
        extra["center"] = rng.random((k, d))
    if objective == "perimeter":
        length = rng.random((n, n))
        rows = np.repeat(np.arange(n), np.diff(graph.indptr))
        extra["length"] = (length + length.T)[rows, graph.indices]
    if apart:
        extra["apart"] = Graph.of_edges(rng.integers(n, size=(apart, 2)), n)
    if soft is not None:
        extra["soft"] = np.asarray(soft)
    problem = LocalProblem(
        points=points, measures=measures, lower=target * (1 - band), upper=target * (1 + band), target=target,
        objective=objective, near=graph, weight=rng.uniform(0.5, 2.0, n), eligible=eligible, **extra,
    )  # fmt: skip
    label = grown_start(problem, rng) if sites else rng.permutation(np.arange(n) % k)
    return problem, label.astype(np.int32)


def objective_of(problem, label, only=None):
    """Return what an assignment, or one territory of it, costs."""
    total = 0.0
    for c in range(problem.k) if only is None else [only]:
        mine = np.flatnonzero(label == c)
        if problem.soft is not None:
            load = problem.measures[mine].sum(axis=0)
            total += float((problem.soft * np.abs(load / problem.target[c] - 1.0)).sum())
        if len(mine) == 0:
            continue
        points, weight = problem.points[mine], problem.weight[mine]
        given = problem.center is not None
        middle = problem.center[c] if given else np.average(points, axis=0, weights=weight)
        if problem.objective == "perimeter":
            rows = np.repeat(np.arange(problem.n), np.diff(problem.near.indptr))
            out = (label[rows] == c) & (label[problem.near.indices] != c)
            length = np.ones(len(rows)) if problem.length is None else problem.length
            total += float(length[out].sum()) / 2
            continue
        if problem.objective == "reach":
            total += float(weight.sum() * (np.linalg.norm(points - middle, axis=1) ** 2).max())
            continue
        if problem.objective == "median":
            gap = np.linalg.norm(points[:, None] - points[None], axis=2)
            total += float((gap * weight[None]).sum(axis=1).min())
        else:
            power = 1 if problem.objective == "centroid" else 2
            total += float((weight * np.linalg.norm(points - middle, axis=1) ** power).sum())
    return total


def violation_of(problem, label, only=None):
    """Return how far an assignment, or one territory of it, is outside its bands."""
    total = 0.0
    for c in range(problem.k) if only is None else [only]:
        load = problem.measures[label == c].sum(axis=0)
        beyond = np.maximum(np.maximum(load - problem.upper[c], problem.lower[c] - load), 0.0)
        total += float((beyond / problem.target[c]).sum())
    return total


def conflicts_of(problem, label):
    """Return how many pairs share a territory and must be apart."""
    rows = np.repeat(np.arange(problem.n), np.diff(problem.apart.indptr))
    return int((label[rows] == label[problem.apart.indices]).sum()) // 2
