"""Periodic vehicle routing (Cordeau): the days of each customer, and the routes, for the least distance.

Instances: files of ``pvrp/old`` and ``pvrp/new`` below ``--data`` (or of ``--data`` itself), by the file's name:
``p08``, ``pr10``. ``shift`` is the day times m plus the vehicle. No peer states sets of days: ``days-first``
chooses them first and routes each day with PyVRP. ``calendar`` is `schedule_visits` with the instance as tables of
customers and reps. Default budget: 10 s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.drive import Case, Key, files, run_family
from benchmarks.instances import pvrp as instances
from benchmarks.instances.bestknown import pvrp_best

if TYPE_CHECKING:
    from benchmarks.record import Options

ENGINES = ("auto", "search", "ortools", "days-first", "calendar")
SECONDS = 10.0


def keys(options: Options) -> list[Key]:
    return [Key("pvrp", path.stem, path) for path in files(options, "pvrp/old", "pvrp/new")]


def load(key: Key, options: Options) -> Case:  # noqa: ARG001 - one signature for all families
    assert key.path is not None  # noqa: S101 - for the type checker: this family's keys have files
    instance = instances.read(key.path)
    free = not np.isfinite(instance.longest).any()
    legs = sum(max(map(len, days), default=0) for days in instance.patterns) + instance.m * instance.n_days
    return Case(
        problem=instances.to_problem(instance), scale=instances.SCALE, best=pvrp_best(key.path),
        group=instances.class_of(key.instance), verify=lambda routes: instances.verify(instance, routes),
        # legs are rounded to the nearest 0.001; where routes have a longest duration they are rounded up, which is
        # stricter than the instance, and proves nothing about it
        bound=lambda value: (value - 0.5 * legs) / instances.SCALE if free else None,
    )  # fmt: skip


def run(options: Options) -> list[dict[str, Any]]:
    return run_family("pvrp", options)
