"""Counters of the nightly batch in Prometheus' text format, for the textfile collector of its node exporter."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from territory.io.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["METRICS", "Sample", "read_metrics", "write_metrics"]

#: Name of a metric and its labels to its value.
Sample = tuple[str, tuple[tuple[str, str], ...]]
#: Metric to its type and what it means.
METRICS: Final[dict[str, tuple[str, str]]] = {
    "territory_batch_runs_total": ("counter", "Runs, by how they ended."),
    "territory_batch_task_results_total": ("counter", "Tasks that runs have ended, by status."),
    "territory_batch_last_run_timestamp_seconds": ("gauge", "When the last run ended."),
    "territory_batch_last_success_timestamp_seconds": ("gauge", "When a run last ended with every task done."),
    "territory_batch_last_exit_code": ("gauge", "Exit code of the last run."),
    "territory_batch_last_run_seconds": ("gauge", "How long the last run took."),
    "territory_batch_tasks": ("gauge", "Tasks of the last night, by status; left: not done yet."),
    "territory_batch_tasks_skipped": ("gauge", "Tasks that earlier runs of the last night had done."),
    "territory_batch_rows": ("gauge", "Rows of the tables of the last night."),
    "territory_batch_drive_seconds": ("gauge", "Driving of the last night's plan."),
    "territory_batch_distance_meters": ("gauge", "Distance of the last night's plan."),
}
_LINE: Final = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)")
_LABEL: Final = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?')


def write_metrics(path: Path, samples: Mapping[Sample, float]) -> None:
    """Write samples atomically; the collector reads the old file or the new one.

    Parameters
    ----------
    path : Path
        A name in ``.prom``.
    samples : mapping of (metric, labels) to float
        Of the metrics in `METRICS`.

    Raises
    ------
    OutputError
        The operating system refused.

    Notes
    -----
    The format is https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4.
    """
    lines = []
    for metric, (kind, text) in METRICS.items():
        own = sorted((labels, value) for (name, labels), value in samples.items() if name == metric)
        if own:
            lines += [f"# HELP {metric} {_escaped(text)}", f"# TYPE {metric} {kind}"]
        for labels, value in own:
            inner = ",".join(f'{name}="{_quoted(text)}"' for name, text in labels)
            lines.append(f"{metric}{{{inner}}} {_number(value)}" if inner else f"{metric} {_number(value)}")
    atomic_write(path, ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace"))
    # temporary files are private; the exporter runs as another user
    path.chmod(0o644)


def read_metrics(path: Path) -> dict[Sample, float]:
    """Return the samples of a file that `write_metrics` has written; none where it is missing or torn.

    Counters then begin anew, which Prometheus takes for what it is.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return {}
    found: dict[Sample, float] = {}
    for line in text.split("\n"):
        matched = _LINE.fullmatch(line)
        if line.startswith("#") or matched is None or matched[1] not in METRICS:
            continue
        labels = tuple((m[1], _unquoted(m[2])) for m in _LABEL.finditer(matched[2] or ""))
        try:
            value = float(matched[3])
        except ValueError:
            continue
        if math.isfinite(value):
            found[matched[1], labels] = value
    return found


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', r"\"")


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
