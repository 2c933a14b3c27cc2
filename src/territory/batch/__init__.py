"""The nightly batch: every rep planned in a process of its own, checked, written, and never lost.

::

    from territory.batch import MonthRequest, run_batch
    request = MonthRequest(customers, reps, alignment, start="2026-01-05", weeks=4)
    run_batch(request, "tonight", n_jobs=-1)

Everything here is loaded when it is first used: a worker begins without what only the parent needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_PUBLIC = {
    "Answer": "tasks",
    "BatchResult": "run",
    "BatchStatus": "run",
    "DayRequest": "days",
    "FolderLock": "lock",
    "Ledger": "ledger",
    "MonthRequest": "request",
    "Outcome": "tasks",
    "Parts": "parts",
    "ProcessExecutor": "pool",
    "Tally": "runner",
    "Task": "tasks",
    "TaskStatus": "tasks",
    "plan_tasks": "tasks",
    "ray_executor": "ray_pool",
    "run_batch": "run",
    "run_tasks": "runner",
}

if TYPE_CHECKING:
    from territory.batch.days import DayRequest
    from territory.batch.ledger import Ledger
    from territory.batch.lock import FolderLock
    from territory.batch.parts import Parts
    from territory.batch.pool import ProcessExecutor
    from territory.batch.ray_pool import ray_executor
    from territory.batch.request import MonthRequest
    from territory.batch.run import BatchResult, BatchStatus, run_batch
    from territory.batch.runner import Tally, run_tasks
    from territory.batch.tasks import Answer, Outcome, Task, TaskStatus, plan_tasks

__all__ = [
    "Answer",
    "BatchResult",
    "BatchStatus",
    "DayRequest",
    "FolderLock",
    "Ledger",
    "MonthRequest",
    "Outcome",
    "Parts",
    "ProcessExecutor",
    "Tally",
    "Task",
    "TaskStatus",
    "plan_tasks",
    "ray_executor",
    "run_batch",
    "run_tasks",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        msg = f"module 'territory.batch' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"territory.batch.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
