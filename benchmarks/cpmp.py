"""Capacitated p-median: the least sum of distances to medians, which are points, within the capacity of each.

Instances: files of ``cpmp/group*`` below ``--data`` (or of ``--data`` itself), by the file's name: ``cpmp02``,
``SJC2``. Those of group 1 round distances down. ``centers`` are the medians' numbers. Default budget: 60 CPU s;
``--iterations`` are steps of the search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.districting import Case, beside, found_files, pairs, run_cases
from benchmarks.instances import districts as instances
from benchmarks.instances.bestknown import cpmp_best

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.record import Options


def _cases(options: Options) -> Iterator[Case]:
    from territory.design.moves_problem import LocalProblem  # noqa: PLC0415 - slow to load

    for path in found_files(options, "cpmp/group*/*.txt", "cpmp/group*/*.dat"):
        whole = path.stem.startswith("cpmp")
        found = instances.read_clusters(path, whole=whole)
        roof = np.full((found.p, 1), found.capacity)
        problem = LocalProblem(
            points=found.xy, measures=found.demand[:, None], lower=np.zeros_like(roof), upper=roof, target=roof,
            objective="median", near=beside(found.xy), **pairs(found.xy, whole=whole),
        )  # fmt: skip
        yield Case(
            name=path.stem, group=path.parent.name, problem=problem, best=cpmp_best(options.data, path.stem),
            verify=lambda label, medians, found=found: instances.verify_cpmp(found, label, medians),
        )  # fmt: skip


def run(options: Options) -> list[dict[str, Any]]:
    options.takes("cpmp", "seconds", "iterations")
    return run_cases("cpmp", _cases(options), options)
