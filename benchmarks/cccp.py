"""Capacitated centred clustering (Negreiros & Palhano 2006): the least sum of distances to the clusters' centroids.

Instances: files of ``cccp`` below ``--data`` (or of ``--data`` itself), by the file's name: ``SJC1``; at most the
file's number of clusters (TA25: 5). ``centers`` are the centroids. Default budget: 60 CPU s; ``--iterations`` are
steps of the search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.districting import Case, beside, found_files, run_cases
from benchmarks.instances import districts as instances
from benchmarks.instances.bestknown import cccp_best

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.record import Options

#: The literature solves it with another number of clusters than the file says.
CLUSTERS = {"TA25": 5}


def _cases(options: Options) -> Iterator[Case]:
    from territory.design.moves_problem import LocalProblem  # noqa: PLC0415 - slow to load

    for path in found_files(options, "cccp/*.dat"):
        found = instances.read_clusters(path, p=CLUSTERS.get(path.stem))
        roof = np.full((found.p, 1), found.capacity)
        problem = LocalProblem(
            points=found.xy, measures=found.demand[:, None], lower=np.zeros_like(roof), upper=roof, target=roof,
            objective="centroid", near=beside(found.xy),
        )  # fmt: skip
        yield Case(
            name=path.stem, group=path.stem.rstrip("0123456789ab").partition("_")[0].rstrip("0123456789-kn"),
            problem=problem, best=cccp_best(path.stem),
            verify=lambda label, centers, found=found: instances.verify_cccp(found, label, centers),
        )  # fmt: skip


def run(options: Options) -> list[dict[str, Any]]:
    options.takes("cccp", "seconds", "iterations")
    return run_cases("cccp", _cases(options), options)
