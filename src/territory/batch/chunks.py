"""Chunks of tasks in the hands of workers, and what can be said of them from outside."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from territory.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from territory.batch.tasks import Task

__all__ = ["Chunk", "ended_well", "kill_workers", "refuse"]


@dataclass(slots=True, eq=False)
class Chunk:
    """Tasks that one worker has in hand."""

    tasks: tuple[Task, ...]
    #: Nothing else runs meanwhile.
    alone: bool = False
    future: Future[Any] | None = None
    #: That it was given to.
    executor: Any = None
    began: float | None = None
    told: set[str] = field(default_factory=set)
    #: Given up at its time limit.
    late: bool = False

    @property
    def left(self) -> tuple[Task, ...]:
        """The tasks that have no outcome yet."""
        return tuple(task for task in self.tasks if task.key not in self.told)


def refuse(tasks: Sequence[Task], n_jobs: Any, chunk_s: Any, limit_s: Any, on_error: Any) -> None:
    """Raise one `InputError` with all that is wrong with the parameters of `run_tasks`."""
    problems = []
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or (n_jobs < 1 and n_jobs != -1):
        problems.append(Problem("bad-n-jobs", f"expected n_jobs >= 1, or -1 for one a core, not {n_jobs!r}"))
    if not (len(chunk_s) == 2 and 0 < chunk_s[0] <= chunk_s[1]):
        problems.append(Problem("bad-chunk", f"chunk_s: expected two numbers of seconds, not {chunk_s!r}"))
    if limit_s is not None and not limit_s > 0:
        problems.append(Problem("bad-time-limit", f"expected task_time_limit_s > 0, not {limit_s!r}"))
    if on_error not in ("continue", "raise"):
        problems.append(Problem("unknown-option", f"on_error: expected continue or raise, not {on_error!r}"))
    twice = [key for key, n in Counter(task.key for task in tasks).items() if n > 1]
    if twice:
        listed = ", ".join(repr(key) for key in twice[:5])
        problems.append(Problem("duplicate-key", f"tasks of one key: {listed}", count=len(twice)))
    if problems:
        raise InputError(problems, "run_tasks")


def ended_well(future: Future[Any] | None) -> bool:
    """Return whether a future has a result."""
    return future is not None and future.done() and not future.cancelled() and future.exception() is None


def kill_workers(executor: Any) -> bool:
    """End the workers of a pool of processes; return whether there were any."""
    # public only since Python 3.14 (kill_workers)
    workers = dict(getattr(executor, "_processes", None) or {})
    for process in workers.values():
        process.kill()
    return bool(workers)
