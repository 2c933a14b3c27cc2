"""One night: a request, planned on all cores into a folder."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor
    from pathlib import Path

    from territory.batch.request import DayRequest, MonthRequest

__all__ = ["BatchResult", "BatchStatus", "run_batch"]


class BatchStatus(StrEnum):
    """How a batch ended."""

    DONE = "done"
    #: Some tasks failed; the others are published.
    PARTLY = "partly"
    #: The time budget ended before every task was done; a rerun resumes.
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a run has brought.

    Attributes
    ----------
    out : Path
        The folder; ``results`` in it holds the tables and ``manifest.json``.
    status : BatchStatus
    counts : mapping of status to int
        Of all tasks, earlier runs included.
    ran, skipped : int
        Tasks that this run did, and that earlier runs had done.
    failures : mapping of task key to (status, error)
    manifest : mapping
        The content of ``results/manifest.json``.
    seconds : float
    """

    out: Path
    status: BatchStatus
    counts: dict[str, int]
    ran: int
    skipped: int
    failures: dict[str, tuple[str, str]]
    manifest: dict[str, Any]
    seconds: float


def run_batch(
    request: MonthRequest | DayRequest,
    out: str | os.PathLike[str],
    *,
    executor: Executor | Callable[[], Executor] | None = None,
    n_jobs: int = -1,
    task_time_limit_s: float | None = None,
    time_budget_s: float | None = None,
    on_error: str = "continue",
    resume: bool = True,
    force: bool = False,
    on_progress: Callable[[str, float], None] | None = None,
    on_event: Callable[[str, dict[str, Any]], None] | None = None,
    formats: Iterable[str] = (),
) -> BatchResult:
    """Plan every rep in a worker of its own, check and write it; a rerun goes on where the last one ended.

    Parameters
    ----------
    request : MonthRequest or DayRequest
    out : path
        Folder; made as needed.
    executor, n_jobs, task_time_limit_s, on_error, on_progress
        See `run_tasks`.
    time_budget_s : float, optional
        For the whole night: everybody gets a plan first, what is left makes plans better.
    resume : bool
        Whether an earlier run in the folder is gone on with; False: refused.
    force : bool
        Forget an earlier run, whatever its inputs were.
    on_event : callable, optional
        Called with the name of an event and its values, for a log: "planned", "chunk", "failed", "published".
    formats : iterable of {"ics", "gpx", "csv"}
        Files of every rep, beside the tables.

    Returns
    -------
    BatchResult

    Raises
    ------
    InputError
        The request breaks rules.
    BatchError
        Another run holds the folder; inputs changed since the first run; ``on_error="raise"`` and a task failed.
    OutputError
        The folder cannot be written; what was done is kept.
    """
    raise NotImplementedError
