"""Vehicle routing with time windows, DIMACS convention: the least distance, truncated to one decimal.

Instances: files of ``vrptw/solomon`` and ``vrptw/homberger_200`` below ``--data`` (or of ``--data`` itself), by the
file's name: ``R101``, ``r1_2_2``. At most the vehicles of the file. Default budget: 30 s for Solomon's, 60 s for
the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.drive import Case, Key, files, run_family
from benchmarks.instances import vrptw as instances
from benchmarks.instances.bestknown import vrptw_best

if TYPE_CHECKING:
    from benchmarks.record import Options

ENGINES = ("auto", "search", "ortools", "pyvrp", "vroom")
SECONDS = 30.0


def keys(options: Options) -> list[Key]:
    return [Key("vrptw", path.stem, path) for path in files(options, "vrptw/solomon", "vrptw/homberger_200")]


def load(key: Key, options: Options) -> Case:
    assert key.path is not None  # noqa: S101 - for the type checker: this family's keys have files
    instance = instances.read(key.path)
    return Case(
        problem=instances.to_problem(instance), scale=instances.SCALE, best=vrptw_best(options.data, key.instance),
        group=instances.class_of(key.instance), verify=lambda routes: instances.verify(instance, routes),
        bound=lambda value: value / instances.SCALE, seconds=60.0 if len(instance.xy) > 101 else SECONDS,
    )  # fmt: skip


def run(options: Options) -> list[dict[str, Any]]:
    return run_family("vrptw", options)
