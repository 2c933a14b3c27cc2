"""One night: a request, planned on all cores into a folder.

::

    OUT/results/stops/date=2026-01-05/part-0.parquet   who is visited when, in what order
    OUT/results/routes/date=.../part-0.parquet         the days of reps
    OUT/results/unassigned/date=.../part-0.parquet     what is not planned, and why; by the day it was due
    OUT/results/nights/date=.../part-0.parquet         nights away
    OUT/results/reps/...                               files of single reps, where they were asked for
    OUT/results/manifest.json                          digests, versions, seed, counts
    OUT/.batch/                                        ledger, lock and answers: what a rerun goes on with
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from territory.batch.ledger import Ledger
from territory.batch.lock import FolderLock
from territory.batch.parts import Parts
from territory.batch.publish import publish
from territory.batch.request import travel_bytes
from territory.batch.runner import run_tasks
from territory.batch.tasks import TaskStatus
from territory.batch.work import Work
from territory.errors import InputError, Problem
from territory.io.extras import needed
from territory.io.files import OutputError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Executor

    from territory.batch.days import DayRequest
    from territory.batch.request import MonthRequest
    from territory.batch.tasks import Outcome, Task

__all__ = ["BatchResult", "BatchStatus", "run_batch"]

#: Share of a task's hard limit after which planning itself ends with what it has.
_SOFT: Final = 0.8
RESULTS: Final = "results"
_FORMATS: Final = ("csv", "gpx", "ics")
#: Seconds that a plan of weeks may take where no limit is given.
_PATIENCE_S: Final = 3600.0


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
        Wall clock.
    notes : tuple of str
        What was found of earlier runs: a stale lock, a torn ledger, answers that were lost.
    """

    out: Path
    status: BatchStatus
    counts: dict[str, int]
    ran: int
    skipped: int
    failures: dict[str, tuple[str, str]]
    manifest: dict[str, Any]
    seconds: float
    notes: tuple[str, ...] = ()


def run_batch(
    request: MonthRequest | DayRequest,
    out: str | os.PathLike[str],
    *,
    executor: Executor | Callable[[], Executor] | None = None,
    n_jobs: int = -1,
    chunk_s: tuple[float, float] = (1.0, 5.0),
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
    executor, n_jobs, chunk_s, on_error, on_progress
        See `run_tasks`.
    task_time_limit_s : float, optional
        A task is ended after so many seconds; after 80 % of them its planning ends with what it has, where it can.
    time_budget_s : float, optional
        For the whole night: after it nothing new begins.
    resume : bool
        Whether an earlier run in the folder is gone on with; False: refused.
    force : bool
        Forget an earlier run, whatever its inputs were.
    on_event : callable, optional
        Called with the name of an event and its values, for a log: "planned", "chunk", "failed", "published", and
        "note" for what was found of earlier runs.
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
    MissingExtraError
        pyarrow is not installed; nothing was begun.
    """
    needed("pyarrow.parquet")
    began = monotonic()
    wanted = _wanted(formats, time_budget_s)
    until = None if time_budget_s is None else began + time_budget_s
    folder = Path(out).absolute()
    say = on_event or (lambda _event, _values: None)
    with ExitStack() as stack:
        parts, ledger, notes = _opened(folder, stack, force=force)
        tasks = request.tasks()
        inputs = {**request.inputs, "formats": ",".join(wanted)}
        number = ledger.begin(inputs, resume=resume, force=force)
        lost = ledger.verify()
        if lost:
            notes.append(f"{len(lost)} answers of an earlier run were lost or torn and are made anew")
        for note in notes:
            say("note", {"text": note})
        todo = ledger.pending(tasks)
        say("planned", {"tasks": len(tasks), "todo": len(todo), "run": number})
        soft = _PATIENCE_S if task_time_limit_s is None else _SOFT * task_time_limit_s
        work = Work(travel_bytes(request.source), soft, wanted)
        ran = 0

        def keep(outcomes: Sequence[Outcome]) -> None:
            nonlocal ran
            ledger.record(outcomes, parts.write(outcomes))
            ran += len(outcomes)
            say("chunk", {"tasks": len(outcomes), "seconds": sum(one.seconds for one in outcomes), "ran": ran})
            for one in outcomes:
                if one.status is not TaskStatus.DONE:
                    say("failed", {"key": one.key, "status": str(one.status), "error": one.error})

        try:
            run_tasks(
                work, todo, executor=executor, n_jobs=n_jobs, chunk_s=chunk_s, task_time_limit_s=task_time_limit_s,
                on_error=on_error, on_done=keep, on_progress=on_progress, until=until,
            )  # fmt: skip
            result = _published(folder, tasks, parts, ledger, request, inputs)
        except KeyboardInterrupt:
            ledger.end(number, "interrupted")
            raise
        except OutputError:
            raise
        except Exception as error:
            ledger.end(number, f"{type(error).__name__}")
            raise
        status, counts, failures, manifest = result
        ledger.end(number, str(status))
        say("published", {"status": str(status), "ran": ran, **manifest["rows"]})
        return BatchResult(
            folder, status, counts, ran, len(tasks) - len(todo), failures, manifest, monotonic() - began, tuple(notes)
        )


def _wanted(formats: Iterable[str], budget_s: Any) -> tuple[str, ...]:
    chosen = tuple(sorted(set(formats)))
    problems = [
        Problem("unknown-option", f"formats: expected some of {', '.join(_FORMATS)}, not {name!r}")
        for name in chosen if name not in _FORMATS
    ]  # fmt: skip
    if budget_s is not None and not budget_s > 0:
        problems.append(Problem("bad-time-limit", f"expected time_budget_s > 0, not {budget_s!r}"))
    if problems:
        raise InputError(problems, "run_batch")
    return chosen


def _opened(folder: Path, stack: ExitStack, *, force: bool) -> tuple[Parts, Ledger, list[str]]:
    """Take the folder: its lock, its parts, its ledger."""
    state = folder / ".batch"
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError.of(error, state) from error
    notes = []
    lock = stack.enter_context(FolderLock(state / "lock", force=force))
    if lock.was_stale:
        notes.append("the lock of a run that was killed was taken over")
    parts = Parts(state / "parts")
    # of a run that was killed while it wrote
    parts.sweep()
    for left in folder.glob(f".{RESULTS}.*.tmp"):
        shutil.rmtree(left, ignore_errors=True)
    ledger = stack.enter_context(Ledger(state, parts))
    if ledger.quarantined is not None:
        notes.append(f"the ledger was torn; it was put aside as {ledger.quarantined.name} and made anew from the parts")
    if ledger.adopted:
        notes.append(f"{ledger.adopted} answers that a killed run had written were taken in")
    return parts, ledger, notes


def _published(
    folder: Path, tasks: Sequence[Task], parts: Parts, ledger: Ledger, request: Any, inputs: dict[str, str]
) -> tuple[BatchStatus, dict[str, int], dict[str, tuple[str, str]], dict[str, Any]]:
    """Write the results of all that is done."""
    rows = {row["key"]: row for row in ledger.rows()}
    digests = {task.key: task.digest for task in tasks}
    current = {key: row for key, row in rows.items() if digests.get(key) == row["digest"]}
    done = {key for key, row in current.items() if row["status"] == str(TaskStatus.DONE)}
    failures = {key: (row["status"], row["error"]) for key, row in sorted(current.items()) if key not in done}
    left = [task.key for task in tasks if task.key not in current]
    refs = {key: ref for key, ref in ledger.refs().items() if key in done}
    manifest = publish(
        folder / RESULTS, parts, refs, inputs=inputs, seed=int(request.rng or 0), failures=failures, left=left
    )
    counts: dict[str, int] = {}
    for row in current.values():
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    if left:
        counts["left"] = len(left)
    status = BatchStatus.BUDGET if left else BatchStatus.PARTLY if failures else BatchStatus.DONE
    return status, counts, failures, manifest
