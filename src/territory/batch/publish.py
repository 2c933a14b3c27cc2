"""From the answers of all tasks to the published tables: one order of rows, the same bytes whoever did the work."""

from __future__ import annotations

import json
import platform
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import territory
from territory.batch.work import TABLES, tables_of
from territory.io.extras import needed
from territory.io.files import atomic_directory, safe_names
from territory.io.plan_folder import sums_of
from territory.model.arrays import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from territory.batch.parts import PartRef, Parts

__all__ = ["FORMAT", "MANIFEST", "publish"]

FORMAT: Final = "territory-batch"
MANIFEST: Final = "manifest.json"
#: By what the rows of each table are ordered, after their day.
_ORDER: Final = {
    "stops": ("rep_id", "position"), "routes": ("rep_id",), "nights": ("rep_id",),
    "unassigned": ("rep_id", "customer_id", "visit_id", "reason"),
}  # fmt: skip
#: Rows of a Parquet file's row group.
_GROUP: Final = 1 << 17


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
    pa, pq = needed("pyarrow"), needed("pyarrow.parquet")
    statuses: dict[str, int] = {}
    totals = {"customers": 0, "drive_s": 0, "distance_m": 0}
    with atomic_directory(folder) as new:
        gathered: dict[str, list[Any]] = {name: [] for name in TABLES}
        names = _file_names(refs)
        for key in sorted(refs):
            head, tables, files = tables_of(parts.read(refs[key]))
            statuses[head["status"]] = statuses.get(head["status"], 0) + 1
            totals["customers"] += head["customers"]
            totals["drive_s"] += int(tables["routes"]["drive_s"].sum())
            totals["distance_m"] += int(tables["routes"]["distance_m"].sum())
            for name, columns in tables.items():
                if len(columns["day"]):
                    gathered[name].append(columns)
            _write_files(new / "reps" / names[key], files)
        counts = {}
        for name, chunks in gathered.items():
            counts[name] = _write_table(new / name, name, chunks, pa, pq)
            chunks.clear()
        manifest = {
            "format": FORMAT, "format_version": 1,
            "versions": {
                "territory": territory.__version__, "python": platform.python_version(), "numpy": np.__version__,
                "pyarrow": pa.__version__,
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


def _write_table(folder: Path, name: str, chunks: list[Any], pa: Any, pq: Any) -> int:
    """Write one table, a file a day; return its number of rows."""
    if not chunks:
        return 0
    columns = {
        column: _arrow([chunk[column] for chunk in chunks], pa) for column in TABLES[name]
    }  # fmt: skip
    table = pa.table(columns)
    table = table.take(pa.compute.sort_indices(table, [(c, "ascending") for c in ("day", *_ORDER[name])]))
    days = table.column("day").to_numpy()
    cuts = [0, *(np.flatnonzero(np.diff(days.astype(np.int64))) + 1).tolist(), len(days)]
    for begin, end in pairwise(cuts):
        at = folder / f"date={days[begin]}"
        at.mkdir(parents=True)
        pq.write_table(
            table.slice(begin, end - begin), at / "part-0.parquet", compression="zstd", row_group_size=_GROUP
        )
    return len(days)


def _arrow(values: list[Any], pa: Any) -> Any:
    whole = np.concatenate(values)
    if whole.dtype == TEXT:
        return pa.array(whole.tolist(), type=pa.large_string())
    return pa.array(whole)
