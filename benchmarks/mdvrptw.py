"""Vehicle routing with several depots and time windows (Cordeau): the least unrounded distance.

Instances: files of ``mdvrptw/cordeau2001`` below ``--data`` (or of ``--data`` itself), by the file's name: ``pr01``.
``shift`` is the depot times m plus the vehicle. Whole numbers make the problem a trace stricter than it is, so that
bounds and proofs, which are the whole-number problem's, are not reported. Default budget: 60 s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.drive import Case, Key, files, run_family
from benchmarks.instances import mdvrptw as instances
from benchmarks.instances.bestknown import mdvrptw_best

if TYPE_CHECKING:
    from benchmarks.record import Options

ENGINES = ("auto", "search", "ortools", "pyvrp", "vroom")
SECONDS = 60.0


def keys(options: Options) -> list[Key]:
    return [Key("mdvrptw", path.stem, path) for path in files(options, "mdvrptw/cordeau2001")]


def load(key: Key, options: Options) -> Case:  # noqa: ARG001 - one signature for all families
    assert key.path is not None  # noqa: S101 - for the type checker: this family's keys have files
    instance = instances.read(key.path)
    return Case(
        problem=instances.to_problem(instance), scale=instances.SCALE, best=mdvrptw_best(key.instance),
        group=instances.class_of(key.instance),
        verify=lambda routes: instances.verify(instance, routes),
    )  # fmt: skip


def run(options: Options) -> list[dict[str, Any]]:
    return run_family("mdvrptw", options)
