"""Run tasks on any executor: chunks of some seconds, each task's fate its own."""

from __future__ import annotations

import os
from collections import Counter, deque
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from territory.batch.chunks import Chunk, ended_well, kill_workers, refuse
from territory.batch.pool import ProcessExecutor, WorkerLostError
from territory.batch.tasks import Outcome, TaskStatus
from territory.batch.worker import run_chunk
from territory.errors import BatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from territory.batch.tasks import Answer, Task

__all__ = ["Tally", "run_tasks"]

#: Seconds between two looks at the clock while nothing is heard.
_LOOK_S: Final = 0.2
#: Most tasks, and bytes of them, in a chunk, whatever they take.
_MOST: Final = 2000
_BYTES: Final = 64 << 20
#: So many workers a core may end without having begun a task, before the fault is not a task's.
_STILLBORN: Final = 3
#: Seconds that a chunk may take over its tasks' limits on an executor that tells nothing of single tasks.
_SLACK_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Tally:
    """How a run of tasks ended.

    Attributes
    ----------
    counts : mapping of TaskStatus to int
    left : int
        Tasks that were not begun, or not ended, because time was up.
    seconds : float
        Wall clock.
    """

    counts: dict[TaskStatus, int]
    left: int
    seconds: float


def run_tasks(
    function: Callable[[Task], Answer],
    tasks: Sequence[Task],
    *,
    executor: Executor | Callable[[], Executor] | None = None,
    n_jobs: int = -1,
    chunk_s: tuple[float, float] = (1.0, 5.0),
    task_time_limit_s: float | None = None,
    on_error: str = "continue",
    on_done: Callable[[Sequence[Outcome]], None] | None = None,
    on_progress: Callable[[str, float], None] | None = None,
    until: float | None = None,
) -> Tally:
    """Run every task; whatever happens to one, the others are done.

    Parameters
    ----------
    function : callable
        From a task to its answer; at the top level of a module, so that it pickles.
    tasks : sequence of Task
    executor : Executor, or callable that gives one, optional
        Any `concurrent.futures.Executor`; a callable makes a new one where one broke. Default: `ProcessExecutor`.
    n_jobs : int
        Workers of the default executor, and how many chunks are in hand at a time; -1: one a core.
    chunk_s : (float, float)
        Seconds that a chunk should take, at least and at most; sizes are learned from what tasks took. What is done
        is handed over after the lesser time, or when it took the greater one: that much may a killed run lose.
    task_time_limit_s : float, optional
        A task that takes longer is ended, and its worker with it. An executor that cannot end its workers, such as one
        of threads, is left with it, and the task is given up.
    on_error : {"continue", "raise"}
        "raise": stop at the first task that fails, after what was done is handed over.
    on_done : callable, optional
        Called from the calling thread with outcomes as they come in.
    on_progress : callable, optional
        Called with a key and the share of the weight that is done.
    until : float, optional
        Monotonic time after which nothing new begins.

    Returns
    -------
    Tally

    Raises
    ------
    InputError
        A bad parameter, or two tasks of one key.
    BatchError
        ``on_error="raise"`` and a task failed; or an executor broke that cannot be made anew; or workers die before
        they begin.
    KeyboardInterrupt
        After Ctrl-C, when what was done is handed over.

    Notes
    -----
    A task whose worker died is tried once more, alone, when all others are done: only then it is told from one that
    was next to it, or that another process took the memory from.
    """
    refuse(tasks, n_jobs, chunk_s, task_time_limit_s, on_error)
    run = _Run(function, tasks, executor, n_jobs, chunk_s, task_time_limit_s, on_error, on_done, on_progress, until)
    return run.run()


class _Run:
    """One call of `run_tasks`."""

    def __init__(
        self, function: Any, tasks: Sequence[Task], executor: Any, n_jobs: int, chunk_s: tuple[float, float],
        limit_s: float | None, on_error: str, on_done: Any, on_progress: Any, until: float | None,
    ) -> None:  # fmt: skip
        self.function, self.chunk_s, self.limit_s = function, chunk_s, limit_s
        self.on_error, self.on_done, self.on_progress, self.until = on_error, on_done, on_progress, until
        # what takes longest first, so that the last ones are short
        self.pending = deque(sorted(tasks, key=lambda task: (-task.weight, task.key)))
        self.left_weight = self.whole_weight = sum(task.weight for task in tasks) or 1.0
        cores = n_jobs if n_jobs > 0 else os.cpu_count() or 1
        self.own = executor is None
        self.make: Callable[[], Executor] | None = None
        if executor is None:
            self.make = lambda: ProcessExecutor(cores)
        elif not isinstance(executor, Executor):
            self.make = executor
        self.executor: Any = executor if self.make is None else self.make()
        given = getattr(self.executor, "n_jobs", None) or getattr(self.executor, "_max_workers", None)
        self.jobs = cores if n_jobs > 0 or not given else int(given)
        self.events: SimpleQueue[tuple[Chunk, str, Any]] = SimpleQueue()
        self.flight: list[Chunk] = []
        self.suspects: deque[tuple[Task, ...]] = deque()
        self.tries: Counter[str] = Counter()
        self.buffer: list[Outcome] = []
        self.buffered_s, self.flushed = 0.0, monotonic()
        self.counts: Counter[TaskStatus] = Counter()
        self.spent_s, self.spent_weight = 0.0, 0.0
        self.stillborn = 0
        self.failed: Outcome | None = None

    # -- the loop --------------------------------------------------------------------------

    def run(self) -> Tally:
        began = monotonic()
        well = False
        try:
            self._loop()
            well = True
        finally:
            try:
                if self.make is not None:
                    self._shut(kill=not well)
                self._drain()
            finally:
                self._flush()
        if self.failed is not None:
            msg = f"task {self.failed.key!r} {self.failed.status}: {self.failed.error}"
            raise BatchError(msg)
        left = len(self.pending) + sum(len(tasks) for tasks in self.suspects)
        return Tally(dict(self.counts), left, monotonic() - began)

    def _loop(self) -> None:
        while True:
            over = self.until is not None and monotonic() >= self.until
            if not over and self.failed is None:
                self._fill()
            if not self.flight:
                if over or self.failed is not None or not (self.pending or self.suspects):
                    return
                continue
            self._hear()
            self._look()
            if self.buffered_s >= self.chunk_s[1] or monotonic() - self.flushed >= self.chunk_s[0]:
                self._flush()
            if self.failed is not None:
                # what runs is ended with the executor; on one that is not ours it is waited for
                if self.make is not None:
                    return
                self.pending.clear()

    def _fill(self) -> None:
        """Keep every worker busy, and one chunk a worker waiting; suspects run when nothing else does."""
        while self.pending and len(self.flight) < 2 * self.jobs and not (self.flight and self.flight[0].alone):
            self._submit(Chunk(self._next()))
        if not self.pending and not self.flight and self.suspects:
            self._submit(Chunk(self.suspects.popleft(), alone=True))

    def _next(self) -> tuple[Task, ...]:
        """Take the tasks of the next chunk: as many as should take some seconds, fewer towards the end."""
        low, high = self.chunk_s
        rate = self.spent_s / self.spent_weight if self.spent_weight else None
        chosen, weight, size = [self.pending.popleft()], 0.0, 0
        weight, size = chosen[0].weight, len(chosen[0].payload)
        if rate is not None:
            target = min(high, max(low, self.left_weight * rate / (3 * self.jobs)))
            while self.pending and len(chosen) < _MOST:
                task = self.pending[0]
                weight += task.weight
                size += len(task.payload)
                if weight * rate > target or size > _BYTES:
                    break
                chosen.append(self.pending.popleft())
        return tuple(chosen)

    def _submit(self, chunk: Chunk) -> None:
        self.flight.append(chunk)
        chunk.executor = self.executor
        events = self.events
        try:
            if hasattr(self.executor, "submit_chunk"):
                chunk.future = self.executor.submit_chunk(
                    self.function, chunk.tasks, limit_s=self.limit_s,
                    on_tell=lambda what, value: events.put((chunk, what, value)),
                )  # fmt: skip
            else:
                chunk.future = self.executor.submit(run_chunk, self.function, chunk.tasks)
                for task in chunk.tasks:
                    self.tries[task.key] += 1
        except (BrokenExecutor, RuntimeError) as error:
            # it broke before anybody noticed: the chunk itself is beyond suspicion
            self.flight.remove(chunk)
            self.pending.extendleft(reversed(chunk.tasks))
            self._rebuild(error)
            return
        chunk.future.add_done_callback(lambda _: events.put((chunk, "end", None)))

    def _hear(self) -> None:
        try:
            event = self.events.get(timeout=_LOOK_S)
            while True:
                self._take(*event)
                event = self.events.get_nowait()
        except Empty:
            return

    def _drain(self) -> None:
        """Take what had been told when the loop ended; what was lost then stays to be done."""
        while True:
            try:
                chunk, what, value = self.events.get_nowait()
            except Empty:
                return
            if what == "done":
                self._note(chunk, value)
            elif ended_well(chunk.future):
                for one in chunk.future.result() if chunk.future is not None else ():
                    self._note(chunk, one)

    def _take(self, chunk: Chunk, what: str, value: Any) -> None:
        if chunk.late and chunk not in self.flight:
            return  # it was given up
        if what == "begin":
            self.tries[value] += 1
        elif what == "done":
            self._note(chunk, value)
        else:
            self._ended(chunk)

    def _note(self, chunk: Chunk, outcome: Outcome) -> None:
        """Keep the outcome of a task."""
        if outcome.key in chunk.told:
            return
        chunk.told.add(outcome.key)
        task = next(t for t in chunk.tasks if t.key == outcome.key)
        if outcome.status is not TaskStatus.CRASHED:
            self.stillborn = 0
        self.spent_s += outcome.seconds
        self.spent_weight += task.weight
        self.left_weight -= task.weight
        self.buffered_s += outcome.seconds
        tries = max(1, self.tries.pop(outcome.key, 1))
        self.buffer.append(outcome if tries == 1 else replace(outcome, attempts=tries))
        self.counts[outcome.status] += 1
        if outcome.status is not TaskStatus.DONE and self.on_error == "raise" and self.failed is None:
            self.failed = outcome
        if self.on_progress is not None:
            self.on_progress(outcome.key, min(1.0, 1.0 - self.left_weight / self.whole_weight))

    def _flush(self) -> None:
        self.flushed = monotonic()
        if self.buffer:
            outcomes, self.buffer, self.buffered_s = self.buffer, [], 0.0
            if self.on_done is not None:
                self.on_done(outcomes)

    # -- what goes wrong -------------------------------------------------------------------

    def _ended(self, chunk: Chunk) -> None:
        if chunk not in self.flight:
            return
        self.flight.remove(chunk)
        future = chunk.future
        gone = future is None or future.cancelled()
        error = BrokenExecutor("the call was cancelled") if future is None or gone else future.exception()
        if error is None:
            for one in future.result() if future is not None else ():
                self._note(chunk, one)
            self.pending.extendleft(reversed(chunk.left))
            return
        if isinstance(error, WorkerLostError):
            self._lost(chunk, error)
            return
        # one that broke is told of by each of its chunks
        if isinstance(error, BrokenExecutor) and chunk.executor is self.executor:
            # whoever breaks it alone is known, and no sign that it always breaks
            self._rebuild(error, count=not chunk.alone)
        self._suspect(chunk, error)

    def _lost(self, chunk: Chunk, error: WorkerLostError) -> None:
        """Blame the task that the worker was at; the rest of the chunk has nothing to do with it."""
        rest = [task for task in chunk.left if task.key != error.key]
        self.pending.extendleft(reversed(rest))
        culprit = next((task for task in chunk.left if task.key == error.key), None)
        if culprit is None:
            self.stillborn += 1
            if self.stillborn > _STILLBORN * self.jobs:
                msg = (
                    f"workers end before they begin a task ({error}): in a script, does the call stand under "
                    '`if __name__ == "__main__":`? Or is there too little memory?'
                )
                raise BatchError(msg) from error
        elif error.timed_out:
            self._note(chunk, self._without(culprit, TaskStatus.TIMED_OUT, self._late_text()))
        elif chunk.alone:
            self._note(chunk, self._without(culprit, TaskStatus.CRASHED, str(error)))
        else:
            self.suspects.append((culprit,))

    def _suspect(self, chunk: Chunk, error: BaseException) -> None:
        """Try the tasks of a lost chunk alone, on an executor that does not say at which the worker was."""
        left = chunk.left
        if len(left) == 1 and (chunk.alone or chunk.late):
            late = chunk.late
            status = TaskStatus.TIMED_OUT if late else TaskStatus.CRASHED
            text = self._late_text() if late else f"{type(error).__name__}: {error}"
            self._note(chunk, self._without(left[0], status, text))
        elif chunk.alone or chunk.late:
            self.suspects.extend((task,) for task in left)
        elif left:
            self.suspects.append(left)

    def _late_text(self) -> str:
        return f"took longer than {self.limit_s:g} s"

    def _without(self, task: Task, status: TaskStatus, error: str) -> Outcome:
        seconds = float(self.limit_s or 0.0) if status is TaskStatus.TIMED_OUT else 0.0
        return Outcome(task.key, task.digest, status, seconds=seconds, error=error)

    def _look(self) -> None:
        """Give up chunks that take too long, where the executor itself does not watch its tasks."""
        if self.limit_s is None or hasattr(self.executor, "submit_chunk"):
            return
        now = monotonic()
        for chunk in tuple(self.flight):
            if chunk not in self.flight or chunk.future is None:
                continue
            if chunk.began is None and chunk.future.running():
                chunk.began = now
            slack = _SLACK_S if len(chunk.tasks) > 1 else 0.0
            # a queued chunk may be told to run while another is before it in the same worker
            ahead = 0.0 if chunk.alone else _SLACK_S
            if chunk.began is None or now - chunk.began < self.limit_s * len(chunk.tasks) + slack + ahead:
                continue
            chunk.late = True
            self._give_up(chunk)

    def _give_up(self, chunk: Chunk) -> None:
        """End a chunk's worker where that can be done, and go on without it."""
        kill = getattr(self.executor, "kill", None)
        if kill is not None:
            kill(chunk.future)
            return
        self.flight.remove(chunk)
        if kill_workers(self.executor):
            # the others in the pool were ended by this hand: they are beyond suspicion
            others, self.flight = self.flight, []
            for other in others:
                other.late = True
                self.pending.extendleft(reversed(other.left))
            self._rebuild(BrokenExecutor("its workers were ended at a time limit"))
        elif self.make is not None:
            self._rebuild(BrokenExecutor("a worker hangs"))
        self._suspect(chunk, TimeoutError())

    def _rebuild(self, error: BaseException, *, count: bool = True) -> None:
        if self.make is None:
            msg = f"the executor is broken ({error}); what was done is kept. Pass a function that makes one instead."
            raise BatchError(msg) from error
        self.stillborn += count
        if self.stillborn > _STILLBORN * self.jobs:
            msg = f"the executor breaks again and again before a task is done: {error}"
            raise BatchError(msg) from error
        self._shut(kill=True, wait=False)
        self.executor = self.make()

    def _shut(self, *, kill: bool, wait: bool = True) -> None:
        if isinstance(self.executor, ProcessExecutor):
            self.executor.shutdown(kill=kill)
            return
        if kill:
            kill_workers(self.executor)
        self.executor.shutdown(wait=wait and not kill, cancel_futures=kill)
