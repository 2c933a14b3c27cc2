"""The nightly batch as a command: planned, run, logged, counted, and ended with an exit code."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from territory.batch.config import read_config
from territory.batch.events import EventLog
from territory.batch.ledger import InputsChangedError
from territory.batch.lock import FolderLockedError
from territory.batch.metrics import read_metrics, write_metrics
from territory.batch.night import prepare
from territory.batch.run import BatchStatus, run_batch
from territory.errors import BatchError, InputError, Problem, TerritoryError
from territory.io.files import OutputError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from concurrent.futures import Executor
    from pathlib import Path

    from territory.batch.config import NightConfig
    from territory.batch.metrics import Sample
    from territory.batch.night import Night
    from territory.batch.run import BatchResult

__all__ = ["ExitCode", "run_night"]


class ExitCode(IntEnum):
    """How a night ended, for whoever started it."""

    DONE = 0
    FAULT = 1
    BAD_INPUT = 3
    PARTLY = 5
    NOT_WRITTEN = 7
    BUDGET = 8
    LOCKED = 9
    INTERRUPTED = 130


_OF_STATUS: Final = {
    BatchStatus.DONE: ExitCode.DONE, BatchStatus.PARTLY: ExitCode.PARTLY, BatchStatus.BUDGET: ExitCode.BUDGET,
}  # fmt: skip
#: What a run is called in the log and in the counters.
_OUTCOMES: Final = {
    ExitCode.DONE: "done", ExitCode.FAULT: "fault", ExitCode.BAD_INPUT: "bad-input", ExitCode.PARTLY: "partly",
    ExitCode.NOT_WRITTEN: "not-written", ExitCode.BUDGET: "budget", ExitCode.LOCKED: "locked",
    ExitCode.INTERRUPTED: "interrupted",
}  # fmt: skip


@dataclass(slots=True)
class _Seen:
    """What a run has told of itself."""

    results: Counter[str] = field(default_factory=Counter)
    failed: bool = False
    tasks: int = 0
    skipped: int = 0
    ran: int = 0


def run_night(
    path: str | os.PathLike[str],
    *,
    date: str | None = None,
    since: str | None = None,
    force: bool = False,
    say: Callable[[str, str, dict[str, Any]], None] | None = None,
    on_progress: Callable[[str, float], None] | None = None,
    executor: Executor | Callable[[], Executor] | None = None,
) -> tuple[ExitCode, BatchResult | None]:
    """Run the night of a configuration, and leave its log and its counters.

    Parameters
    ----------
    path : path
        Of the configuration.
    date, since : str, optional
        What counts as today, and the first day of the plan; see `prepare`.
    force : bool
        Forget an earlier run of the same night.
    say : callable, optional
        Called with the name of an event, a sentence for people (blank: none), and its values.
    on_progress : callable, optional
        See `run_tasks`.
    executor : optional
        In place of what the configuration says.

    Returns
    -------
    ExitCode
    BatchResult or None
        None where another run holds the folder.

    Raises
    ------
    InputError
        Bad configuration or tables; or inputs changed since the first run of the night.
    OutputError
        A full disk, a read-only folder; what was done is kept.
    KeyboardInterrupt
        Ctrl-C, or a request to terminate: what was done is written, and a rerun goes on.
    """
    began = time.monotonic()
    config = read_config(path)
    tell = say or (lambda _event, _text, _values: None)
    with EventLog(config["output.log"]) as log:
        seen = _Seen()

        def event(name: str, text: str = "", /, **values: Any) -> None:
            log.write(name, values)
            tell(name, text, values)

        result = None
        code = ExitCode.FAULT
        try:
            event("begin", config=str(config.path))
            night = prepare(config, date=date, since=since)
            log.common["night"] = str(night.first)
            _describe(night, event)
            result = _run(config, night, began, force=force, seen=seen, event=event, bar=on_progress, given=executor)
            code = _OF_STATUS[result.status]
            event("end", summary(night, result), outcome=_OUTCOMES[code], exit_code=int(code), **_numbers(result))
        except (Exception, KeyboardInterrupt) as error:
            code = _code_of(error, seen)
            event("end", "", outcome=_OUTCOMES[code], exit_code=int(code), error=str(error), ran=seen.ran)
            if code in (ExitCode.LOCKED, ExitCode.PARTLY):
                tell("error", str(error), {})
                return code, None
            if isinstance(error, InputsChangedError):
                problem = Problem("inputs-changed", str(error), hint="--force forgets what was done.")
                raise InputError([problem], "batch") from error
            raise
        finally:
            # of a folder that another run holds, that run tells
            if config["output.metrics"] is not None and code is not ExitCode.LOCKED:
                try:
                    _count(config, code, seen, result, time.monotonic() - began)
                except OSError as error:
                    # the night itself is no worse for it
                    said = f"the counters are not written: {error}"
                    event("note", said, text=said)
        return code, result


def _code_of(error: BaseException, seen: _Seen) -> ExitCode:
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    if isinstance(error, FolderLockedError):
        return ExitCode.LOCKED
    if isinstance(error, InputError | InputsChangedError):
        return ExitCode.BAD_INPUT
    if isinstance(error, OutputError):
        return ExitCode.NOT_WRITTEN
    if isinstance(error, BatchError) and seen.failed:
        # it was asked to stop at the first
        return ExitCode.PARTLY
    return (
        ExitCode.BAD_INPUT if isinstance(error, OSError) and not isinstance(error, TerritoryError) else ExitCode.FAULT
    )


def _describe(night: Night, event: Callable[..., None]) -> None:
    for subject, problem in night.warnings:
        hint = f" {problem.hint}" if problem.hint else ""
        event("warning", f"warning: {subject}: {problem}{hint}", code=problem.code, message=f"{subject}: {problem}")
    r = night.request
    event(
        "read", f"{len(r.customers)} customers, {len(r.reps)} reps, {night.first} to {night.last}",
        customers=len(r.customers), reps=len(r.reps), first=str(night.first), last=str(night.last),
        previous=None if night.previous is None else str(night.previous), out=str(night.folder),
    )  # fmt: skip


def _run(
    config: NightConfig, night: Night, began: float, *, force: bool, seen: _Seen, event: Callable[..., None],
    bar: Callable[[str, float], None] | None, given: Executor | Callable[[], Executor] | None,
) -> BatchResult:  # fmt: skip
    def hear(name: str, values: dict[str, Any]) -> None:
        text = ""
        if name == "planned":
            seen.tasks, seen.skipped = values["tasks"], values["tasks"] - values["todo"]
            text = f"{values['tasks']} tasks, {seen.skipped} of them done by earlier runs"
        elif name == "chunk":
            seen.ran = values["ran"]
            seen.results["done"] += values["tasks"]
            values = {"tasks": values["tasks"], "ran": values["ran"], "task_seconds": round(values["seconds"], 3)}
        elif name == "failed":
            seen.failed = True
            seen.results["done"] -= 1
            seen.results[values["status"]] += 1
            text = f"{values['key']} {values['status']}: {values['error'].splitlines()[0] if values['error'] else ''}"
        elif name == "note":
            text = values["text"]
        event(name, text, **values)

    budget = config["run.time_budget_s"]
    left = None if budget is None else max(1e-6, budget - (time.monotonic() - began))
    return run_batch(
        night.request, night.folder, executor=given or _executor(config), n_jobs=config["run.jobs"],
        task_time_limit_s=config["run.task_time_limit_s"], time_budget_s=left, force=force,
        on_error="raise" if config["run.on_error"] == "stop" else "continue", on_progress=bar, on_event=hear,
        formats=config["output.formats"],
    )  # fmt: skip


def _executor(config: NightConfig) -> Callable[[], Executor] | None:
    if config["run.executor"] == "ray":
        from territory.batch.ray_pool import ray_executor  # noqa: PLC0415 - an extra

        address = config["run.ray_address"]
        return lambda: ray_executor(**({} if address is None else {"address": address}))
    limit = config["run.memory_limit_gb"]
    if limit is None:
        return None
    from territory.batch.pool import ProcessExecutor  # noqa: PLC0415 - only where there is a limit

    return lambda: ProcessExecutor(config["run.jobs"], memory_limit_gb=limit)


# -- what is left behind -----------------------------------------------------------------------


def _numbers(result: BatchResult) -> dict[str, Any]:
    manifest = result.manifest
    return {
        "ran": result.ran, "skipped": result.skipped, "tasks": result.counts, "rows": manifest["rows"],
        "drive_s": manifest["drive_s"], "distance_m": manifest["distance_m"], "out": str(result.out),
    }  # fmt: skip


def _count(config: NightConfig, code: ExitCode, seen: _Seen, result: BatchResult | None, seconds: float) -> None:
    """Add a run to the file of counters."""
    path: Path = config["output.metrics"]
    label = ("config", config["output.name"] or config.path.stem)
    before = read_metrics(path)
    now = time.time()
    found: dict[Sample, float] = {
        key: value for key, value in before.items() if key[0].endswith("_total") and label in key[1]
    }  # fmt: skip

    def put(metric: str, value: float, *labels: tuple[str, str]) -> None:
        found[f"territory_batch_{metric}", (label, *labels)] = value

    def add(metric: str, value: float, *labels: tuple[str, str]) -> None:
        key = f"territory_batch_{metric}", (label, *labels)
        found[key] = found.get(key, 0.0) + value

    for known in _OUTCOMES.values():
        if known != "locked":
            # from the first file on there is a zero to grow from
            add("runs_total", float(known == _OUTCOMES[code]), ("outcome", known))
    for status, n in seen.results.items():
        add("task_results_total", float(n), ("status", status))
    put("last_run_timestamp_seconds", now)
    put("last_exit_code", float(code))
    put("last_run_seconds", round(seconds, 3))
    success = before.get(("territory_batch_last_success_timestamp_seconds", (label,)))
    if code is ExitCode.DONE or success is not None:
        put("last_success_timestamp_seconds", now if code is ExitCode.DONE else success or 0.0)
    if result is not None:
        for status, n in result.counts.items():
            put("tasks", float(n), ("status", status))
        put("tasks_skipped", float(result.skipped))
        for table, n in result.manifest["rows"].items():
            put("rows", float(n), ("table", table))
        put("drive_seconds", float(result.manifest["drive_s"]))
        put("distance_meters", float(result.manifest["distance_m"]))
    write_metrics(path, found)


_SHOWN: Final = 10


def summary(night: Night, result: BatchResult) -> str:
    """Return a table for the terminal: tasks, rows, driving, and what failed."""
    manifest = result.manifest
    rows = [
        ("plan", f"{night.first} to {night.last}"),
        ("status", f"{result.status} in {result.seconds:,.1f} s"),
        ("tasks", ", ".join(f"{n:,} {status}" for status, n in sorted(result.counts.items())) or "none"),
        ("this run", f"{result.ran:,} done anew, {result.skipped:,} by earlier runs"),
        *((name, f"{n:,}") for name, n in manifest["rows"].items()),
        ("driving", f"{manifest['drive_s'] / 3600:,.0f} h, {manifest['distance_m'] / 1000:,.0f} km"),
        ("written to", str(result.out)),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {value}" for name, value in rows]
    for key, (status, error) in list(result.failures.items())[:_SHOWN]:
        lines.append(f"  {status}: {key}: {error.splitlines()[0] if error else ''}")
    if len(result.failures) > _SHOWN:
        lines.append(f"  and {len(result.failures) - _SHOWN} more; see {result.out}/results/manifest.json")
    return "\n".join(lines)
