"""(Team) orienteering with time windows: the best score that m routes collect, m = 1 to 4.

Instances: files of ``toptw/c_r_rc_100_100``, ``c_r_rc_200_100`` and ``pr`` below ``--data`` (or of ``--data``
itself), each with every m; ``--instances`` matches ``pr05`` (every m) as well as ``pr05-m2``, so ``*-m1`` is all of
them with one route. Objective: score, ``bound`` the most that is possible. Default budget: 10 s.
"""

from __future__ import annotations

from dataclasses import replace
from math import floor
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.drive import Case, Key, files, run_family
from benchmarks.instances import toptw as instances
from benchmarks.instances.bestknown import toptw_best

if TYPE_CHECKING:
    from benchmarks.record import Options

ENGINES = ("auto", "search", "ortools", "pyvrp", "vroom")
SECONDS = 10.0
FOLDERS = ("toptw/c_r_rc_100_100", "toptw/c_r_rc_200_100", "toptw/pr")


def keys(options: Options) -> list[Key]:
    paths = [path for path in files(replace(options, instances="*"), *FOLDERS) if path.stem != "TOPTW_format"]
    found = [
        Key("toptw", path.stem, path, {"m": m})
        for m in (1, 2, 3, 4)
        for path in paths
        if options.wants(path.stem) or options.wants(f"{path.stem}-m{m}")
    ]
    if not found:
        msg = f"no instance matches {options.instances} below {options.data}"
        raise SystemExit(msg)
    return found


def load(key: Key, options: Options) -> Case:
    assert key.path is not None  # noqa: S101 - for the type checker: this family's keys have files
    instance, m = instances.read(key.path), int(key.params["m"])
    problem = instances.to_problem(instance, m)
    total = float(instance.score.sum())
    return Case(
        problem=problem, scale=instance.scale, maximise=True, best=toptw_best(options.data, key.instance, m),
        group=f"{instances.class_of(key.instance)}, m = {m}",
        verify=lambda routes: instances.verify(instance, routes, m),
        # driving is part of the problem's bound, at most TIE_BREAK of it; what is beyond is score that must be lost
        bound=lambda value: _most(total - value + instances.TIE_BREAK, instance),
        # PyVRP's penalties are made for costs of one scale: driving that weighs 25 points a full plan serves it best
        for_peer={"pyvrp": instances.to_problem(instance, m, tie_break=25.0)},
    )  # fmt: skip


def _most(score: float, instance: instances.Instance) -> float:
    """Return an upper bound of a score, rounded down where scores are whole."""
    return float(floor(score + 1e-6)) if np.all(instance.score == np.rint(instance.score)) else score


def run(options: Options) -> list[dict[str, Any]]:
    return run_family("toptw", options)
