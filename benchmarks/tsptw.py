"""Travelling salesman with time windows: the least travel cost of a tour in time.

Instances: files of ``tsptw/*`` below ``--data`` (or of ``--data`` itself); ``--instances`` matches the file's name
without its ending. Objective: travel cost; waiting costs nothing; ``starts`` in the file's units. Default budget: 5
s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.drive import Case, Key, files, run_family
from benchmarks.instances import tsptw as instances
from benchmarks.instances.bestknown import tsptw_best

if TYPE_CHECKING:
    from benchmarks.record import Options

ENGINES = ("auto", "search", "ortools", "pyvrp", "vroom")
SECONDS = 5.0
FOLDERS = ("Dumas", "GendreauDumasExtended", "OhlmannThomas", "SolomonPotvinBengio")


def keys(options: Options) -> list[Key]:
    return [Key("tsptw", path.stem, path) for path in files(options, *(f"tsptw/{folder}" for folder in FOLDERS))]


def load(key: Key, options: Options) -> Case:  # noqa: ARG001 - one signature for all families
    assert key.path is not None  # noqa: S101 - for the type checker: this family's keys have files
    instance = instances.read(key.path)
    return Case(
        problem=instances.to_problem(instance), scale=instance.scale, best=tsptw_best(key.path),
        group=key.path.parent.name, verify=lambda routes: instances.verify(instance, routes),
        bound=lambda value: value / instance.scale,
    )  # fmt: skip


def run(options: Options) -> list[dict[str, Any]]:
    return run_family("tsptw", options)
