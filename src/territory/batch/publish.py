"""From the answers of all tasks to the published tables: one order of rows, the same bytes whoever did the work."""

from __future__ import annotations

import json
import platform
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import territory
from territory.batch.day_tables import TableWriter
from territory.batch.work import TABLES, tables_of
from territory.io.extras import needed
from territory.io.files import atomic_directory, safe_names
from territory.io.plan_folder import sums_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from territory.batch.parts import PartRef, Parts

__all__ = ["FORMAT", "MANIFEST", "publish"]

FORMAT: Final = "territory-batch"
MANIFEST: Final = "manifest.json"


def publish(
    folder: Path,
    parts: Parts,
    refs: Mapping[str, PartRef],
    *,
    inputs: Mapping[str, str],
    seed: int,
    failures: Mapping[str, tuple[str, str]],
    left: Sequence[str],
) -> dict[str, Any]:
    """Write the tables of all answers, partitioned by day, and a manifest; as a whole or not at all.

    Parameters
    ----------
    folder : Path
        Takes the place of what stood there.
    parts : Parts
    refs : mapping of task key to PartRef
        The answers that there are.
    inputs : mapping of name to digest
    seed : int
    failures : mapping of task key to (status, error)
    left : sequence of task keys
        Not begun in time.

    Returns
    -------
    mapping
        The manifest. It tells nothing of when, where or by how many workers the work was done: the same input gives
        the same bytes.

    Raises
    ------
    OutputError
        The operating system refused; the old tables, if any, are untouched.
    """
    needed("pyarrow.parquet")
    statuses: dict[str, int] = {}
    totals = {"customers": 0, "drive_s": 0, "distance_m": 0}
    with atomic_directory(folder) as new:
        with ExitStack() as stack:
            writers = {name: stack.enter_context(TableWriter(new, name)) for name in TABLES}
            names = _file_names(refs)
            for key in sorted(refs):
                head, tables, files = tables_of(parts.read(refs[key]))
                statuses[head["status"]] = statuses.get(head["status"], 0) + 1
                totals["customers"] += head["customers"]
                totals["drive_s"] += int(tables["routes"]["drive_s"].sum())
                totals["distance_m"] += int(tables["routes"]["distance_m"].sum())
                for name, columns in tables.items():
                    writers[name].add(columns)
                _write_files(new / "reps" / names[key], files)
            counts = {name: writer.finish() for name, writer in writers.items()}
        manifest = {
            "format": FORMAT, "format_version": 1,
            "versions": {
                "territory": territory.__version__, "python": platform.python_version(), "numpy": np.__version__,
                "pyarrow": needed("pyarrow").__version__,
            },
            "inputs": dict(sorted(inputs.items())), "seed": seed,
            "tasks": {"done": len(refs), "failed": len(failures), "left": len(left)},
            "plans": dict(sorted(statuses.items())),
            "failures": {key: {"status": status, "error": error.split("\n", 1)[0]}
                         for key, (status, error) in sorted(failures.items())},
            "left": sorted(left), "rows": counts, **totals, "files": sums_of(new),
        }  # fmt: skip
        (new / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return manifest


def _file_names(refs: Iterable[str]) -> dict[str, str]:
    keys = sorted(refs)
    return dict(zip(keys, safe_names(keys), strict=True))


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
