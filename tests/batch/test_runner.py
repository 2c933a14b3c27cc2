from __future__ import annotations

import json
import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest
from batch_functions import ends_at_once, task, work

from territory.batch import ProcessExecutor, TaskStatus, run_tasks
from territory.errors import BatchError, InputError


def spawned() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


def outcomes_of(tasks, **options):
    found = {}

    def keep(some):
        for one in some:
            assert one.key not in found
            found[one.key] = one

    tally = run_tasks(work, tasks, on_done=keep, **{"n_jobs": 2, **options})
    return found, tally


EXECUTORS = {"own": None, "pool": spawned, "threads": lambda: ThreadPoolExecutor(2)}


@pytest.mark.parametrize("kind", EXECUTORS)
def test_all_that_is_asked_is_answered_once(kind):
    tasks = [task(f"k{i}", weight=1 + i % 3, times=i) for i in range(60)]
    found, tally = outcomes_of(tasks, executor=EXECUTORS[kind])
    assert {k: one.data for k, one in found.items()} == {t.key: t.key.encode() * i for i, t in enumerate(tasks)}
    assert tally.counts == {TaskStatus.DONE: 60}
    assert tally.left == 0


@pytest.mark.parametrize("kind", ["own", "pool"])
@pytest.mark.parametrize("how", ["exit", "kill"])
def test_one_that_kills_its_worker_is_lost_alone(kind, how):
    tasks = [task(f"k{i}", sleep=0.01) for i in range(40)] + [task("bad", weight=1.5, how=how)]
    found, tally = outcomes_of(tasks, executor=EXECUTORS[kind])
    assert found["bad"].status is TaskStatus.CRASHED
    assert found["bad"].error
    assert found["bad"].attempts >= 2
    assert tally.counts == {TaskStatus.DONE: 40, TaskStatus.CRASHED: 1}


def test_one_whose_worker_was_killed_from_outside_is_tried_again(tmp_path):
    tasks = [task(f"k{i}") for i in range(5)] + [task("once", how="exit once", flag=str(tmp_path / "flag"))]
    found, tally = outcomes_of(tasks)
    assert found["once"].data == b"once"
    assert found["once"].attempts == 2
    assert tally.counts == {TaskStatus.DONE: 6}


@pytest.mark.parametrize("kind", EXECUTORS)
def test_what_a_task_raises_is_its_own(kind):
    tasks = [task(f"k{i}") for i in range(10)] + [task("bad", how="raise"), task("big", how="memory")]
    found, tally = outcomes_of(tasks, executor=EXECUTORS[kind])
    assert found["bad"].status is TaskStatus.FAILED
    assert found["bad"].error.startswith("ValueError: wrong \\ud800")
    assert "batch_functions.py" in found["bad"].error
    assert found["big"].status is TaskStatus.OUT_OF_MEMORY
    assert tally.counts[TaskStatus.DONE] == 10


def test_a_task_that_needs_too_much_memory_is_stopped_by_its_limit():
    tasks = [task("big", how="allocate"), *(task(f"k{i}") for i in range(5))]
    found, _ = outcomes_of(tasks, executor=lambda: ProcessExecutor(1, memory_limit_gb=4.0))
    assert found["big"].status is TaskStatus.OUT_OF_MEMORY
    assert sum(one.status is TaskStatus.DONE for one in found.values()) == 5


@pytest.mark.parametrize("kind", ["own", "pool"])
def test_a_task_that_hangs_is_ended_at_its_limit(kind):
    tasks = [task(f"k{i}", sleep=0.01) for i in range(10)] + [task("slow", weight=9, how="hang")]
    found, tally = outcomes_of(tasks, executor=EXECUTORS[kind], task_time_limit_s=0.8)
    assert found["slow"].status is TaskStatus.TIMED_OUT
    assert found["slow"].error == "took longer than 0.8 s"
    assert tally.counts == {TaskStatus.DONE: 10, TaskStatus.TIMED_OUT: 1}
    assert tally.seconds < 30


def test_the_first_fault_ends_a_strict_run():
    tasks = [task("bad", weight=9, how="raise"), *(task(f"k{i}", sleep=0.2) for i in range(100))]
    with pytest.raises(BatchError, match=r"'bad' failed: ValueError: wrong"):
        outcomes_of(tasks, on_error="raise")


def test_time_that_is_up_leaves_the_rest():
    tasks = [task(f"k{i}", sleep=0.3) for i in range(40)]
    found, tally = outcomes_of(tasks, until=time.monotonic() + 3.0, chunk_s=(0.3, 0.3))
    assert 0 < len(found) < 40
    assert tally.left == 40 - len(found)


def test_workers_that_never_begin_are_no_endless_loop():
    with pytest.raises(BatchError, match="before"):
        run_tasks(
            work, [task(f"k{i}") for i in range(40)], n_jobs=1,
            executor=lambda: ProcessPoolExecutor(1, get_context("spawn"), ends_at_once),
        )  # fmt: skip


def test_a_broken_executor_of_the_caller_is_told():
    with spawned() as pool, pytest.raises(BatchError, match="Pass a function that makes one"):
        run_tasks(work, [task("a", how="exit")], executor=pool)


def test_workers_use_one_thread_and_the_parent_keeps_its_own():
    before = os.environ.get("OMP_NUM_THREADS")
    found, _ = outcomes_of([task("a", how="threads")])
    assert json.loads(found["a"].data) == {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    assert os.environ.get("OMP_NUM_THREADS") == before


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(InputError) as caught:
        run_tasks(work, [task("a"), task("a")], n_jobs=0, chunk_s=(2, 1), task_time_limit_s=0, on_error="x")  # type: ignore[arg-type]
    assert caught.value.codes == ("bad-n-jobs", "bad-chunk", "bad-time-limit", "unknown-option", "duplicate-key")


def test_an_interrupt_hands_over_what_is_done():
    tasks = [task(f"k{i}", sleep=0.2) for i in range(100)]
    found = []
    threading.Timer(4.0, lambda: os.kill(os.getpid(), 2)).start()
    with pytest.raises(KeyboardInterrupt):
        run_tasks(work, tasks, n_jobs=2, on_done=found.extend)
    assert 0 < len(found) < 100


class TestProcessExecutor:
    def test_is_an_executor(self):
        with ProcessExecutor(2) as pool:
            assert sorted(pool.map(abs, range(-5, 0))) == [1, 2, 3, 4, 5]
            with pytest.raises(ZeroDivisionError):
                pool.submit(divmod, 1, 0).result()
            with pytest.raises(Exception, match="pickle"):
                pool.submit(lambda: 1).result()
            assert pool.submit(abs, -3).result() == 3
        with pytest.raises(RuntimeError, match="shut down"):
            pool.submit(abs, 1)

    def test_a_call_that_kills_its_worker_fails_alone(self):
        with ProcessExecutor(1) as pool:
            lost = pool.submit(os._exit, 7)
            well = pool.submit(abs, -3)
            with pytest.raises(Exception, match="exit code 7"):
                lost.result()
            assert well.result() == 3
