"""What one worker gets, and what it gives back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import territory

if TYPE_CHECKING:
    from territory.batch.days import DayRequest
    from territory.batch.request import MonthRequest

__all__ = ["Answer", "Outcome", "Task", "TaskStatus", "plan_tasks", "task_digest", "task_seed"]


class TaskStatus(StrEnum):
    """How a task ended."""

    DONE = "done"
    #: It raised; the text is in `Outcome.error`.
    FAILED = "failed"
    #: Its worker died, twice, the second time with this task alone.
    CRASHED = "crashed"
    #: It was ended at its time limit.
    TIMED_OUT = "timed-out"
    #: It raised `MemoryError`.
    OUT_OF_MEMORY = "out-of-memory"


@dataclass(frozen=True, slots=True)
class Task:
    """One unit of work: small, whole in itself, the same wherever it runs.

    Attributes
    ----------
    key : str
        Names it; unique in a batch.
    payload : bytes
        All that the work needs: the columns of its own rep, or of reps who share visits, and the options.
    digest : str
        Of payload, version and seed: what was done with the same digest is not done again.
    weight : float
        About how much work it is beside others, > 0.
    seed : int
        From the run's seed and the key.
    """

    key: str
    payload: bytes
    digest: str
    weight: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the work on one task returns.

    Attributes
    ----------
    data : bytes
        The same bytes for the same task.
    cost, bound : float, optional
        For the ledger: what was minimised, and how little it could be.
    """

    data: bytes
    cost: float | None = None
    bound: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one task ended.

    Attributes
    ----------
    key, digest : str
        Of the task.
    status : TaskStatus
    data : bytes
        The answer's; empty where there is none.
    seconds : float
        That the last try took.
    cost, bound : float, optional
    error : str
        Why there is no answer; else blank.
    attempts : int
        Tries in this run.
    """

    key: str
    digest: str
    status: TaskStatus
    data: bytes = b""
    seconds: float = 0.0
    cost: float | None = None
    bound: float | None = None
    error: str = ""
    attempts: int = 1


def task_seed(run_seed: int, key: str) -> int:
    """Return a task's own seed, 0 <= seed < 2**31: the same for the same run seed and key.

    >>> task_seed(0, "R1") == task_seed(0, "R1") != task_seed(1, "R1")
    True
    """
    digest = hashlib.blake2b(f"{run_seed}:{key}".encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "little") >> 1


def task_digest(payload: bytes, seed: int, version: str = territory.__version__) -> str:
    """Return the digest of all that decides on a task's answer.

    Parameters
    ----------
    payload : bytes
    seed : int
    version : str
        Of this library: another version may answer otherwise.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    found = hashlib.blake2b(f"{version}:{seed}:".encode(), digest_size=16)
    found.update(payload)
    return found.hexdigest()


def plan_tasks(request: MonthRequest | DayRequest) -> list[Task]:
    """Split a request into tasks: one a rep, or one for all reps who share visits; of days one a rep and day.

    Parameters
    ----------
    request : MonthRequest or DayRequest

    Returns
    -------
    list of Task
        In an order that the rows of the request decide; linear in them.
    """
    return request.tasks()
