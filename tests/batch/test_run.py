from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
from batch_requests import START, days, joint_visits, months, tables, whole_columns

from territory import route_day, schedule_visits
from territory.batch import BatchStatus, DayRequest, MonthRequest, Task, plan_tasks, ray_executor, run_batch
from territory.batch.buffers import pack, pack_table, table_of, unpack
from territory.batch.request import travel_bytes
from territory.batch.run import Work
from territory.batch.tasks import task_digest
from territory.errors import BatchError, InputError

if TYPE_CHECKING:
    from pathlib import Path


def threads():
    """Cheap, and enough where no worker dies: the engines are loaded once."""
    return ThreadPoolExecutor(1)


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for file in sorted((folder / "results").rglob("*")):
        if file.is_file():
            found.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return found.hexdigest()


def published(folder: Path, name: str) -> dict[str, list]:
    return pq.read_table(folder / "results" / name, partitioning=None).to_pydict()


def same_as_whole(folder: Path, plan) -> None:
    for name, columns in whole_columns(plan).items():
        # a worker knows no other reps who could help
        wanted = {k: np.asarray(v) for k, v in columns.items() if k != "change"}
        if not len(plan.stops if name == "stops" else wanted["day"]):
            assert not (folder / "results" / name).exists()
            continue
        read = published(folder, name)
        assert set(read) == set(columns)
        again = {k: np.asarray(read[k], v.dtype if v.dtype.kind == "M" else object) for k, v in wanted.items()}
        assert rows_of(again) == rows_of(wanted)


def rows_of(columns) -> list[tuple[str, ...]]:
    return sorted(zip(*(map(str, values.tolist()) for values in columns.values()), strict=True))


def whole(request: MonthRequest, **options):
    return schedule_visits(
        request.customers, request.reps, request.alignment, start=request.start, weeks=request.weeks,
        visits=request.visits, previous=request.previous, rng=request.rng, **request.options, **options,
    )  # fmt: skip


CASES = {
    "plain": {},
    "seed": {"rng": 7},
    "worth": {"worth": "potential"},
    "stretch": {"overload": "stretch"},
    "cover": {"cover": {"R2": ["R4"], "R0": ["R1"]}},
    "shared": {"shared": True, "orphans": 0},
    "joint": {"visits": joint_visits()},
    "sets": {"day_sets": {"c001": [["2026-01-06", "2026-01-13"]], "c009": [["2026-01-05"], ["2026-01-06"]]}},
}


@pytest.mark.parametrize("case", CASES)
def test_rep_by_rep_gives_the_plan_of_one_call_for_all(case, tmp_path):
    request = months(**CASES[case])
    result = run_batch(request, tmp_path, executor=threads)
    assert result.status is BatchStatus.DONE, result.failures
    keys = [task.key for task in plan_tasks(request)]
    assert ("nobody" in keys) == (case != "shared")
    assert any(key.startswith("team") for key in keys) == (case in ("cover", "shared", "joint"))
    same_as_whole(tmp_path, whole(request))


def test_what_yesterday_promised_stays():
    request = months(visits=joint_visits(), orphans=0)
    yesterday = whole(request).committed("confirmed_day", first="2026-01-06", last="2026-01-12")
    moved = replace(request.customers, owner=np.roll(request.customers.owner, 1))
    later = MonthRequest(
        moved, request.reps, type(request.alignment).from_owners(moved, request.reps), start="2026-01-06", weeks=2,
        previous=yesterday, options=request.options,
    )  # fmt: skip
    found = plan_tasks(later)
    assert sum(t.key.startswith("team") for t in found) >= 1


def test_previous_plan_gives_the_plan_of_one_call_for_all(tmp_path):
    request = months(visits=joint_visits())
    yesterday = whole(request).committed("confirmed_day", customers=["c000", "c006", "c013"])
    later = replace(request, start="2026-01-06", previous=yesterday, visits=None)
    result = run_batch(later, tmp_path, executor=threads)
    assert result.status is BatchStatus.DONE, result.failures
    same_as_whole(tmp_path, whole(later))
    assert "v1" in published(tmp_path, "stops")["visit_id"]


def test_days_are_those_of_route_day(tmp_path):
    request = days(2, each=9)
    result = run_batch(request, tmp_path, executor=threads)
    assert result.status is BatchStatus.DONE, result.failures
    stops, routes = published(tmp_path, "stops"), published(tmp_path, "routes")
    for rep in range(5):
        some = request.customers.take(np.arange(rep, 45, 5))
        one = route_day(some, request.reps, day=START, rep=f"R{rep}")
        mine = [i for i, r in enumerate(stops["rep_id"]) if r == f"R{rep}" and str(stops["day"][i]) == START]
        assert len(mine) == len(one.stops)
        at = [i for i, r in enumerate(routes["rep_id"]) if r == f"R{rep}" and str(routes["day"][i]) == START]
        assert [routes["drive_s"][i] for i in at] == one.routes.drive_s.tolist()
        assert one.status.value == "optimal"


def test_a_rerun_does_nothing_again_and_says_what_changed(tmp_path):
    request = days(2)
    first = run_batch(request, tmp_path, executor=threads)
    before = digest(tmp_path)
    assert (first.ran, first.skipped) == (10, 0)
    again = run_batch(request, tmp_path, executor=threads)
    assert (again.ran, again.skipped) == (0, 10)
    assert digest(tmp_path) == before
    with pytest.raises(BatchError, match="an earlier run is there"):
        run_batch(request, tmp_path, executor=threads, resume=False)
    with pytest.raises(BatchError, match=r"changed since the first run: options;"):
        run_batch(replace(request, default_service_s=1200), tmp_path, executor=threads)
    with pytest.raises(BatchError, match=r"changed since the first run: customers, seed;"):
        run_batch(
            replace(request, rng=1, customers=replace(request.customers, service_s=None)), tmp_path, executor=threads
        )
    assert digest(tmp_path) == before
    forced = run_batch(replace(request, default_service_s=1200), tmp_path, executor=threads, force=True)
    assert forced.ran == 10


def test_one_two_and_threaded_workers_give_the_same_bytes(tmp_path):
    request = days(4)
    formats = ("csv", "gpx", "ics")
    run_batch(request, tmp_path / "one", n_jobs=1, formats=formats)
    run_batch(request, tmp_path / "two", n_jobs=2, chunk_s=(0.01, 0.02), formats=formats)
    run_batch(request, tmp_path / "threads", executor=threads, formats=formats)
    assert digest(tmp_path / "one") == digest(tmp_path / "two") == digest(tmp_path / "threads")
    names = {f.suffix for f in (tmp_path / "one" / "results" / "reps").rglob("*") if f.is_file()}
    assert names == {".csv", ".gpx", ".ics"}


def test_ray_gives_the_same_bytes(tmp_path):
    pytest.importorskip("ray", reason="the extra [ray] is not installed")
    request = days(2)
    run_batch(request, tmp_path / "ray", executor=lambda: ray_executor(num_cpus=2))
    run_batch(request, tmp_path / "own", executor=threads)
    assert digest(tmp_path / "ray") == digest(tmp_path / "own")


def test_one_corrupt_rep_fails_alone(tmp_path, monkeypatch):
    request = months()
    made = MonthRequest.tasks

    def torn(self) -> list[Task]:
        tasks = made(self)
        bad = tasks[1].payload[:-9] + b"x"
        return [tasks[0], replace(tasks[1], payload=bad, digest=task_digest(bad, 0)), *tasks[2:]]

    with monkeypatch.context() as patched:
        patched.setattr(MonthRequest, "tasks", torn)
        result = run_batch(request, tmp_path, executor=threads)
    assert result.status is BatchStatus.PARTLY
    assert list(result.failures) == ["rep R1"]
    assert result.failures["rep R1"][0] == "failed"
    assert "torn or foreign bytes" in result.failures["rep R1"][1]
    manifest = json.loads((tmp_path / "results" / "manifest.json").read_text())
    assert manifest["tasks"] == {"done": len(plan_tasks(request)) - 1, "failed": 1, "left": 0}
    assert "R1" not in published(tmp_path, "stops")["rep_id"]
    # what failed is tried again, and the rest is kept
    mended = run_batch(request, tmp_path, executor=threads)
    assert (mended.status, mended.ran) == (BatchStatus.DONE, 1)
    same_as_whole(tmp_path, whole(request))


def test_a_budget_that_ends_leaves_a_batch_that_resumes(tmp_path, monkeypatch):
    request = days(4)
    began = run_batch(request, tmp_path, executor=threads, time_budget_s=1e-6)
    assert began.status is BatchStatus.BUDGET
    assert began.counts == {"left": 20}
    ended = run_batch(request, tmp_path, executor=threads)
    assert ended.status is BatchStatus.DONE


def test_all_that_is_wrong_is_told_before_anything_is_done(tmp_path):
    with pytest.raises(InputError) as caught:
        run_batch(days(1), tmp_path, formats=("pdf",), time_budget_s=0)
    assert caught.value.codes == ("unknown-option", "bad-time-limit")
    customers, reps = tables()
    with pytest.raises(InputError) as caught:
        run_batch(MonthRequest(customers, reps, start="x", weeks=0), tmp_path)
    assert set(caught.value.codes) == {"missing-alignment", "empty-horizon", "not-a-date"}
    with pytest.raises(InputError, match="n_jobs"):
        run_batch(months(n_jobs=2), tmp_path)
    with pytest.raises(InputError) as caught:
        DayRequest(customers, reps, [0, 9], ["2026-01-05", "NaT"], [0, -1]).tasks()
    assert caught.value.codes == ("unknown-row", "unknown-row", "missing-value")


def test_tables_survive_their_journey():
    customers, reps = tables()
    rows = np.array([3, 0, 21, 35])
    for table in (customers, reps):
        some = rows if table is customers else np.array([4, 2])
        head, arrays = pack_table(table, some, "t")
        back = table_of(type(table), unpack(pack({"t": head}, arrays)), "t")
        assert back is not None
        assert back.equals(table.take(some))
        with pytest.raises(ValueError, match="read-only"):
            back.lon[0] = 1.0


def test_a_task_holds_its_own_rep_only():
    request = months(orphans=0)
    for task in plan_tasks(request):
        found = unpack(task.payload)
        rep = task.key.removeprefix("rep ")
        assert found.arrays["reps.id"].tolist() == [rep]
        assert set(found.arrays["customers.owner"].tolist()) == {rep}


def test_the_same_task_gives_the_same_bytes():
    task = plan_tasks(days(1))[0]
    work = Work(travel_bytes(days(1).source))
    assert work(task).data == work(task).data


def test_rows_that_were_put_aside_make_the_same_files(tmp_path, monkeypatch):
    request = days(4)
    run_batch(request, tmp_path / "held", executor=threads)
    monkeypatch.setattr("territory.batch.day_tables._HELD", 7)
    run_batch(request, tmp_path / "aside", executor=threads)
    assert digest(tmp_path / "held") == digest(tmp_path / "aside")
    assert not list((tmp_path / "aside" / "results").glob(".*"))
