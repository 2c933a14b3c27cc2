"""A batch in a process of its own, with work that is quick, so that it can be killed at any moment of it."""

from __future__ import annotations

import os
import sys


def request(n: int = 120):
    # a worker loads this file, too, and needs nothing of it
    import numpy as np

    from territory import Customers, Reps
    from territory.batch import DayRequest

    customers = Customers(id=[f"c{i}" for i in range(n)], lon=np.linspace(8, 9, n), lat=np.linspace(50, 51, n))
    reps = Reps(id=["R1", "R2"], lon=[8.0, 9.0], lat=[50.0, 51.0])
    rows = np.arange(n)
    days = np.datetime64("2026-01-05") + (rows // 2)
    return DayRequest(customers, reps, rows % 2, days, rows)


def main() -> None:
    import quick_work

    import territory.batch.run as run_module

    run_module.Work = quick_work.QuickWork
    print(f"pid {os.getpid()}", flush=True)
    result = run_module.run_batch(
        request(), sys.argv[1], n_jobs=2, chunk_s=(0.1, 0.2),
        on_event=lambda event, values: print(event, values, flush=True),
    )  # fmt: skip
    print("ended", result.status, result.ran, flush=True)


if __name__ == "__main__":
    main()
