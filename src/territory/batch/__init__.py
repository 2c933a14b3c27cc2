"""The nightly batch: every rep planned in a process of its own, checked, written, and never lost.

::

    from territory.batch import MonthRequest, run_batch
    request = MonthRequest(customers, reps, alignment, start="2026-01-05", weeks=4)
    run_batch(request, "tonight", n_jobs=-1)
"""

from territory.batch.ledger import Ledger
from territory.batch.lock import FolderLock
from territory.batch.parts import Parts
from territory.batch.pool import ProcessExecutor, ray_executor
from territory.batch.request import DayRequest, MonthRequest
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
