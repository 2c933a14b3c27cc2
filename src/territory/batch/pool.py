"""The default executor: spawned processes, each with a pipe of its own, so that the death of one is its own.

`concurrent.futures.ProcessPoolExecutor` loses every pending task when one worker dies, and its workers outlive a
killed parent. Here a worker that dies takes only the call in its hands with it, what it had told before is kept,
another one takes its place, and nobody outlives the parent.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Final

from territory.batch.worker import THREADS, run_chunk, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from territory.batch.tasks import Answer, Task

__all__ = ["ProcessExecutor", "WorkerLostError"]

#: Seconds for idle workers to end by themselves, before they are killed.
_PATIENCE_S: Final = 2.0
_environment = threading.Lock()


class WorkerLostError(BrokenProcessPool):
    """A worker died, or was killed at a time limit, with a call in its hands.

    Attributes
    ----------
    key : str
        Of the task that it was at; blank where it was at none.
    timed_out : bool
    """

    def __init__(self, message: str, key: str = "", timed_out: bool = False) -> None:  # noqa: FBT001, FBT002 - pickles
        super().__init__(message, key, timed_out)
        self.key, self.timed_out = key, timed_out

    def __str__(self) -> str:
        return str(self.args[0])


class _Call:
    """A call, its future, and whom to tell of each task."""

    __slots__ = ("args", "function", "future", "kwargs", "limit_s", "on_tell")

    def __init__(self, function: Any, args: Any, kwargs: Any) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.future: Future[Any] = Future()
        self.limit_s: float | None = None
        self.on_tell: Callable[[str, Any], None] | None = None


class _Worker:
    """One process, its pipe, and what it is at."""

    __slots__ = ("began", "call", "key", "pipe", "process", "timed_out")

    def __init__(self, process: Any, pipe: Connection) -> None:
        self.process, self.pipe = process, pipe
        self.call: _Call | None = None
        self.key = ""
        self.began = 0.0
        self.timed_out = False


class ProcessExecutor(Executor):
    """Processes that are started when they are needed, with the `spawn` method and one thread for mathematics.

    In a script create it under ``if __name__ == "__main__":``.

    Parameters
    ----------
    n_jobs : int
        -1: one a core.
    memory_limit_gb : float, optional
        Address space of a worker; a task that needs more gets a `MemoryError`. Not on Windows.
    """

    def __init__(self, n_jobs: int = -1, *, memory_limit_gb: float | None = None) -> None:
        self.n_jobs = n_jobs if n_jobs > 0 else os.cpu_count() or 1
        self._limit = None if memory_limit_gb is None else int(memory_limit_gb * 1e9)
        self._context = get_context("spawn")
        self._wake_reads, self._wake = self._context.Pipe(duplex=False)
        self._lock = threading.Lock()
        self._queue: deque[_Call] = deque()
        self._workers: list[_Worker] = []
        self._closing = self._killing = False
        self._thread: threading.Thread | None = None

    # -- the executor's interface ----------------------------------------------------------

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function in a worker; see `concurrent.futures.Executor`."""
        return self._put(_Call(fn, args, kwargs))

    def submit_chunk(
        self,
        function: Callable[[Task], Answer],
        tasks: Sequence[Task],
        *,
        on_tell: Callable[[str, Any], None],
        limit_s: float | None = None,
    ) -> Future[Any]:
        """Run tasks in a worker.

        Parameters
        ----------
        function : callable
        tasks : sequence of Task
        on_tell : callable
            Called from another thread with "begin" and a key, and "done" and an outcome.
        limit_s : float, optional
            A task that takes longer is ended with its worker.

        Returns
        -------
        Future
            Its result says nothing; it raises `WorkerLostError` where the worker was lost.
        """
        call = _Call(run_chunk, (function, list(tasks)), {})
        call.on_tell, call.limit_s = on_tell, limit_s
        return self._put(call)

    def _put(self, call: _Call) -> Future[Any]:
        with self._lock:
            if self._closing:
                msg = "the executor is shut down"
                raise RuntimeError(msg)
            self._queue.append(call)
            if self._thread is None:
                self._thread = threading.Thread(target=self._dispatch, name="territory-batch", daemon=True)
                self._thread.start()
        self._nudge()
        return call.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False, kill: bool = False) -> None:  # noqa: FBT001, FBT002
        """End the workers when what was submitted is done.

        Parameters
        ----------
        wait, cancel_futures : bool
            See `concurrent.futures.Executor.shutdown`.
        kill : bool
            End them at once, whatever they are at.
        """
        with self._lock:
            self._closing = True
            self._killing |= kill
            if cancel_futures or kill:
                for call in self._queue:
                    call.future.cancel()
                    call.future.set_running_or_notify_cancel()
                self._queue.clear()
            thread = self._thread
        self._nudge()
        if thread is not None and wait:
            thread.join()

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the workers that there are now."""
        return tuple(w.process.pid for w in tuple(self._workers) if w.process.pid is not None)

    def _nudge(self) -> None:
        # it may have ended
        with suppress(OSError):
            self._wake.send_bytes(b"")

    # -- the thread that serves the workers ------------------------------------------------

    def _dispatch(self) -> None:
        try:
            while self._turn():
                pass
        finally:
            self._end()

    def _turn(self) -> bool:
        """Hand out calls, listen to the workers; return whether there is more to do."""
        with self._lock:
            if self._killing:
                return False
            busy = [w for w in self._workers if w.call is not None]
            if self._closing and not self._queue and not busy:
                return False
            ready: list[tuple[_Worker | None, _Call]] = []
            idle = deque(w for w in self._workers if w.call is None)
            room = self.n_jobs - len(self._workers)
            while self._queue and (idle or room > 0):
                call = self._queue.popleft()
                if not call.future.set_running_or_notify_cancel():
                    continue
                if not idle:
                    room -= 1
                ready.append((idle.popleft() if idle else None, call))
        # a worker loads for a second before it takes its first call: all of them at the same time
        for worker, call in [(worker or self._start(), call) for worker, call in ready]:
            self._hand(worker, call)
        self._listen()
        return True

    def _listen(self) -> None:
        now = time.monotonic()
        ends = [w.began + w.call.limit_s for w in self._workers if w.call and w.key and w.call.limit_s is not None]
        timeout = None if not ends else max(0.0, min(ends) - now) + 0.01
        pipes: dict[Any, _Worker] = {w.pipe: w for w in self._workers}
        for source in wait([self._wake_reads, *pipes], timeout):
            if source is self._wake_reads:
                self._wake_reads.recv_bytes()
            else:
                self._hear(pipes[source])
        now = time.monotonic()
        for worker in tuple(self._workers):
            call = worker.call
            if call and worker.key and call.limit_s is not None and now >= worker.began + call.limit_s:
                worker.timed_out = True
                worker.process.kill()
                self._lost(worker)

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=serve, args=(theirs, os.getpid(), self._limit), name="territory-batch-worker", daemon=True
        )
        with _environment:
            # libraries read these when they are loaded, which is before any line of the worker runs
            before = {name: os.environ.get(name) for name in THREADS}
            os.environ.update(THREADS)
            try:
                process.start()
            finally:
                for name, value in before.items():
                    if value is None:
                        del os.environ[name]
                    else:
                        os.environ[name] = value
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _hand(self, worker: _Worker, call: _Call) -> None:
        worker.call, worker.key, worker.began = call, "", time.monotonic()
        try:
            worker.pipe.send((call.function, call.args, call.kwargs))
        except OSError:
            self._lost(worker)
        except Exception as error:  # noqa: BLE001 - what does not pickle is the caller's fault, not the worker's
            worker.call = None
            call.future.set_exception(error)

    def _hear(self, worker: _Worker) -> None:
        try:
            what, value = worker.pipe.recv()
        except (EOFError, OSError):
            self._lost(worker)
            return
        except Exception as error:  # noqa: BLE001 - an answer that does not unpickle here
            what, value = "error", error
        call = worker.call
        if call is None:  # pragma: no cover - workers speak when they are spoken to
            return
        if what in ("begin", "done"):
            worker.key = value if what == "begin" else ""
            worker.began = time.monotonic()
            if call.on_tell is not None:
                call.on_tell(what, value)
            return
        worker.call, worker.key = None, ""
        if what == "result":
            call.future.set_result(value)
        else:
            call.future.set_exception(value)

    def _lost(self, worker: _Worker) -> None:
        """Take a dead worker out, and tell whoever waits for it."""
        # what it had told before it died is heard first
        while worker.call is not None and self._more(worker):
            pass
        self._workers.remove(worker)
        worker.process.join(_PATIENCE_S)
        if worker.process.is_alive():  # the pipe broke, the process did not
            worker.process.kill()
            worker.process.join()
        worker.pipe.close()
        call, code = worker.call, worker.process.exitcode
        worker.process.close()
        if call is not None:
            how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
            text = "killed at its time limit" if worker.timed_out else f"the worker ended {how}"
            call.future.set_exception(WorkerLostError(text, worker.key, worker.timed_out))

    def _more(self, worker: _Worker) -> bool:
        """Hear one more message of a worker that is gone; return whether there was one."""
        call = worker.call
        try:
            if call is None or not worker.pipe.poll():
                return False
            what, value = worker.pipe.recv()
        except Exception:  # noqa: BLE001 - a message that was cut off
            return False
        if what in ("begin", "done"):
            worker.key = value if what == "begin" else ""
            if call.on_tell is not None:
                call.on_tell(what, value)
        elif what == "result":
            worker.call = None
            call.future.set_result(value)
        return True

    def _end(self) -> None:
        with self._lock:
            self._closing = True
            left = list(self._queue)
            self._queue.clear()
        for worker in self._workers:
            if not self._killing:
                with suppress(OSError):
                    worker.pipe.send(None)
            else:
                worker.process.kill()
        ends = time.monotonic() + _PATIENCE_S
        for worker in self._workers:
            worker.process.join(max(0.0, ends - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            if worker.call is not None:
                while self._more(worker):
                    pass
            if worker.call is not None:
                worker.call.future.set_exception(WorkerLostError("the executor was shut down", worker.key))
            worker.pipe.close()
            worker.process.close()
        self._workers.clear()
        for call in left:
            call.future.cancel()
            call.future.set_running_or_notify_cancel()
