"""Commercial territory design (Ríos-Mercado & Fernández 2009): three measures within 5 %, connected, compact.

Instances: files of ``tdp/instances`` below ``--data`` (or of ``--data`` itself), by name: ``DU150-05-1``. Objective:
the sum of distances to each district's own median; ``centers`` are the medians' numbers. The values beside it are
those that an ALNS reported. Default budget: 60 CPU s; ``--iterations`` are steps of the search.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.districting import Case, found_files, pairs, run_cases
from benchmarks.instances import districts as instances
from benchmarks.instances.bestknown import tdp_best

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.record import Options


def _cases(options: Options) -> Iterator[Case]:
    from territory.design.moves_problem import Graph, LocalProblem  # noqa: PLC0415 - slow to load

    paths = found_files(replace(options, instances="*"), "tdp/instances/*.dat")
    named = {path.stem.removesuffix("-edited"): path for path in paths}
    for name, path in named.items():
        if not options.wants(name):
            continue
        found = instances.read_districts(path)
        target = np.tile(found.measures.sum(axis=0) / found.p, (found.p, 1))
        graph = Graph.of_edges(found.edges, len(found.xy))
        problem = LocalProblem(
            points=found.xy, measures=found.measures, lower=target * (1 - found.tolerance),
            upper=target * (1 + found.tolerance), target=target, objective="median", near=graph,
            site=np.arange(len(found.xy), dtype=np.int32), links=graph, **pairs(found.xy),
        )  # fmt: skip
        yield Case(
            name=name, group=f"{len(found.xy)} units", problem=problem, best=tdp_best(options.data, name),
            verify=lambda label, medians, found=found: instances.verify_tdp(found, label, medians),
        )  # fmt: skip


def run(options: Options) -> list[dict[str, Any]]:
    options.takes("tdp", "seconds", "iterations")
    return run_cases("tdp", _cases(options), options)
