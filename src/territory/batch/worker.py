"""What a worker process does: tasks, one after the other, each one's fate told as soon as it is known."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, Final

from territory.batch.tasks import Answer, Outcome, Task, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection

__all__ = ["THREADS", "run_chunk", "serve"]

#: One thread a worker for every library that would start its own: the cores are taken by the other workers.
THREADS: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
     "NUMBA_NUM_THREADS"), "1",
)  # fmt: skip
#: How often a worker looks whether its parent is still there, seconds.
_LOOK_S: Final = 0.5
#: The last lines of a traceback go into the ledger, no more.
_LONGEST: Final = 4000


def run_chunk(
    function: Callable[[Task], Answer], tasks: Sequence[Task], tell: Callable[[str, Any], None] | None = None
) -> list[Outcome]:
    """Do some tasks; what one raises is its own outcome.

    Parameters
    ----------
    function : callable
        From a task to its answer. If it has a method ``prepare``, that is called first.
    tasks : sequence of Task
    tell : callable, optional
        Called with ``"begin"`` and a task's key, and with ``"done"`` and its outcome. Then nothing is returned.

    Returns
    -------
    list of Outcome
        In the order of the tasks.
    """
    outcomes = []
    prepare = getattr(function, "prepare", None)
    if prepare is not None:
        # what is loaded or compiled once a process is no part of any task's time
        prepare()
    for task in tasks:
        if tell is not None:
            tell("begin", task.key)
        outcome = _outcome(function, task)
        if tell is not None:
            tell("done", outcome)
        else:
            outcomes.append(outcome)
    return outcomes


def _outcome(function: Callable[[Task], Answer], task: Task) -> Outcome:
    began = time.perf_counter()
    try:
        answer = function(task)
    except MemoryError as error:
        text = str(error) or "out of memory"
        return _without(task, TaskStatus.OUT_OF_MEMORY, f"MemoryError: {text}", began)
    except Exception as error:  # noqa: BLE001 - whatever a task raises is that task's fate alone
        head = f"{type(error).__name__}: {error}"
        where = "".join(traceback.format_tb(error.__traceback__)[-3:])
        return _without(task, TaskStatus.FAILED, f"{head}\n{where}"[:_LONGEST], began)
    seconds = time.perf_counter() - began
    return Outcome(task.key, task.digest, TaskStatus.DONE, answer.data, seconds, answer.cost, answer.bound)


def _without(task: Task, status: TaskStatus, error: str, began: float) -> Outcome:
    # what UTF-8 cannot hold would not reach the ledger
    text = error.encode("utf-8", "backslashreplace").decode("utf-8")
    return Outcome(task.key, task.digest, status, seconds=time.perf_counter() - began, error=text)


def serve(pipe: Connection, parent: int, memory_limit: int | None) -> None:
    """Be a worker: take calls from a pipe, until it closes.

    Parameters
    ----------
    pipe : Connection
        Brings ``(function, args, kwargs)``, with ``tell`` filled in for `run_chunk`; takes ``("begin", key)``,
        ``("done", outcome)``, and ``("result", value)`` or ``("error", exception)``.
    parent : int
        Process id: without it this process ends itself, within a second.
    memory_limit : int, optional
        Bytes of address space, beyond which a task gets a `MemoryError`.
    """
    # Ctrl-C reaches the whole group of processes: the parent decides what becomes of its workers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _watch(parent)
    if memory_limit is not None:
        import resource  # noqa: PLC0415 - not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (memory_limit, memory_limit))

    def tell(what: str, value: Any) -> None:
        pipe.send((what, value))

    while True:
        try:
            call = pipe.recv()
        except (EOFError, OSError):
            return
        except Exception as error:  # noqa: BLE001 - a call that does not unpickle is that call's fault
            tell("error", error)
            continue
        if call is None:
            return
        function, args, kwargs = call
        try:
            if function is run_chunk:
                kwargs = {**kwargs, "tell": tell}
            value = function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - goes to the future
            _tell_error(tell, error)
        else:
            tell("result", value)


def _tell_error(tell: Callable[[str, Any], None], error: Exception) -> None:
    try:
        tell("error", error)
    except Exception:  # noqa: BLE001 - an exception that does not pickle
        tell("error", RuntimeError(f"{type(error).__name__}: {error}"))


def _watch(parent: int) -> None:
    """End this process when its parent is gone, even by ``kill -9``, and even in the middle of a long kernel."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415

        # PR_SET_PDEATHSIG (prctl(2)): the kernel itself ends it, with the thread that started it
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_S)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()
