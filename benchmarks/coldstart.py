"""The first call on a fresh machine, which compiles, and the first call of every later process.

Instances ``empty cache`` and ``filled cache``: a fresh interpreter solves one rep-day and one rep-week with an
interval, the first with an empty compilation cache, the second with the cache that the first left behind. Wall
seconds are what a user waits for: the import, then each first call.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.record import Clock, row

if TYPE_CHECKING:
    from benchmarks.record import Options

#: What may be waited for, seconds of wall time over import and both calls.
PROMISED_S = {"empty cache": 30.0, "filled cache": 1.0}
CHILD = """
import json, time
began, cpu = time.perf_counter(), time.process_time()
import numpy as np
from territory.routing.problem import RoutingProblem, ShiftArrays, VisitArrays
from territory.routing.solve import solve_routing
rng = np.random.default_rng(0)
xy = rng.uniform(0, 2400, (9, 2))
durations = np.rint(np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))).astype(np.int64)
imported = time.perf_counter()
day = RoutingProblem(
    durations_s=durations,
    visits=VisitArrays(place=np.arange(1, 9), service_s=np.full(8, 1800), value=np.full(8, 28801.0)),
    shifts=ShiftArrays(start_place=[0], begin_s=[28800], end_s=[57600]),
)
solve_routing(day, engine="auto", time_limit_s=None, iterations=200, rng=0, n_jobs=1)
first = time.perf_counter()
week = RoutingProblem(
    durations_s=durations,
    visits=VisitArrays(
        place=np.arange(1, 9), service_s=np.full(8, 1800), value=np.full(8, 28801.0),
        first_high_day=np.full(8, 4), gap_low_days=np.full(8, 5), gap_high_days=np.full(8, 9), gap_days=np.full(8, 7),
        interval_days=np.full(8, 7.0), off_cost=np.full(8, 30.0),
    ),
    shifts=ShiftArrays(
        start_place=np.zeros(5, int), begin_s=28800 + 86400 * np.arange(5), end_s=57600 + 86400 * np.arange(5),
        day=np.arange(5),
    ),
)
solve_routing(week, engine="auto", time_limit_s=None, iterations=200, rng=0, n_jobs=1)
done = time.perf_counter()
print(json.dumps({
    "import_s": imported - began, "day_s": first - imported, "week_s": done - first,
    "total_s": done - began, "total_cpu_s": time.process_time() - cpu,
}))
"""


def run(options: Options) -> list[dict[str, Any]]:
    options.takes("coldstart")
    results = []
    with tempfile.TemporaryDirectory() as cache:
        for name, promised in PROMISED_S.items():
            # an empty cache must have been seen before a filled one can be; the pattern only chooses what is told
            with Clock() as clock:
                found = _child(Path(cache))
            clock.cpu_s, clock.wall_s = found.pop("total_cpu_s"), found["total_s"]
            if options.wants(name):
                results.append(
                    row(
                        name, "auto", options.seed, params={}, status="measured", clock=clock,
                        objective=found["total_s"], promised_s=promised,
                        promise="kept" if found["total_s"] <= promised else "broken", **found,
                    )
                )  # fmt: skip
    return results


def _child(cache: Path) -> dict[str, float]:
    """Run the two calls in a fresh interpreter with its own compilation cache."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    # an installed package has its bytecode at hand
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", CHILD]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        msg = f"the fresh process failed:\n{done.stderr}"
        raise SystemExit(msg)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
