"""Work that ends well, and in all the ways in which it does not."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

from territory.batch import Answer, Task
from territory.batch.tasks import task_digest


def task(key: str, weight: float = 1.0, **what: object) -> Task:
    payload = json.dumps(what, sort_keys=True).encode()
    return Task(key, payload, task_digest(payload, 0), weight)


def work(one: Task) -> Answer:
    """Do what the payload says: sleep, raise, die, hang; note in a file that it was begun."""
    what = json.loads(one.payload)
    if "log" in what:
        with Path(what["log"]).open("a") as file:
            file.write(f"{one.key} {os.getpid()}\n")
    time.sleep(what.get("sleep", 0.0))
    how = what.get("how")
    if how == "raise":
        raise ValueError("wrong " + chr(0xD800))
    if how == "memory":
        raise MemoryError
    if how == "allocate":
        return Answer(bytes(int(64e9)))
    if how == "exit":
        os._exit(3)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "exit once" and not Path(what["flag"]).exists():
        Path(what["flag"]).touch()
        os._exit(3)
    if how == "hang":
        time.sleep(600)
    if how == "threads":
        return Answer(json.dumps({k: os.environ.get(k) for k in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")}).encode())
    return Answer(one.key.encode() * what.get("times", 1), cost=float(len(one.key)), bound=0.0)


def ends_at_once(*_: object) -> None:
    os._exit(1)
