"""Tables of runs, aligned for reading."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.calendar_summary import banded
from benchmarks.medians import medians
from benchmarks.summary import ROUTING, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Row = dict[str, Any]
    Cell = Callable[[Row], str]


def read(path: Path) -> dict[str, Any]:
    """Read a run that `benchmarks.record.write` wrote."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{path}: {error}"
        raise SystemExit(msg) from error
    if not isinstance(run, dict) or not {"family", "results"} <= run.keys() or run["family"] not in _COLUMNS:
        msg = f"{path} is no run of a benchmark"
        raise SystemExit(msg)
    return run


def tables(runs: Sequence[dict[str, Any]]) -> str:
    """Return one table a family, rows in the order of the runs; under each, the machines and commands."""
    blocks = []
    for family in dict.fromkeys(run["family"] for run in runs):
        same = [run for run in runs if run["family"] == family]
        rows: list[Row] = [r for run in same for r in run["results"]]
        notes = _notes(rows)
        if family in ROUTING:
            rows = summary(rows)
        if family == "power":
            rows = medians(rows)
        if family == "calendar":
            rows = banded(rows)
        if family == "load":
            imports = [r for r in rows if r["instance"] == "import"]
            rows = [r for r in rows if r["instance"] != "import"]
            if imports:
                blocks.append(_table(_IMPORT, imports))
        if rows:
            blocks.append(_table(_COLUMNS[family], rows))
        notes += [f"  {run['machine']}; seed {run['seed']}; {run.get('command', '')}" for run in same]
        blocks.append("\n".join(notes) + "\n")
    return "\n".join(blocks)


def _notes(rows: Sequence[Row]) -> list[str]:
    """Return what rows have to say, once where many say the same."""
    said: dict[tuple[str, str], list[str]] = {}
    for r in rows:
        if r.get("note"):
            said.setdefault((r["engine"], r["note"]), []).append(r["instance"])
    return [
        f"  {names[0] if len(names) == 1 else f'{len(names)} instances, such as {names[0]}'}, {engine}: {note}"
        for (engine, note), names in said.items()
    ]


def _text(key: str) -> Cell:
    return lambda r: str(r.get(key, ""))


def _number(key: str, digits: int, scale: float = 1.0, unit: str = "") -> Cell:
    def cell(r: Row) -> str:
        value = r.get(key)
        return "-" if value is None else f"{value * scale:,.{digits}f}{unit}"

    return cell


def _share(key: str, digits: int = 1) -> Cell:
    return _number(key, digits, 100, " %")


def _reasons(r: Row) -> str:
    found = r.get("unassigned_by_reason") or {}
    return ", ".join(f"{count} {reason}" for reason, count in found.items()) or "none"


#: Columns of words stand to the left, figures to the right.
_WORDS = {"class", "instance", "engine", "status", "promise", "unassigned", "figures"}
_IMPORT: dict[str, Cell] = {
    "instance": _text("instance"),
    "cpu ms: numpy": _number("numpy_cpu_ms", 1),
    "bare import": _number("bare_cpu_ms", 1),
    "tables after numpy": _number("tables_cpu_ms", 1),
    "wall ms": _number("tables_wall_ms", 1),
    "promised": _number("promised_ms", 0),
    "promise": _text("promise"),
}
_ROUTING: dict[str, Cell] = {
    "class": _text("group"),
    "engine": _text("engine"),
    "solved": lambda r: f"{r['solved']}/{r['instances']}",
    "mean gap": _share("gap", 2),
    "median": _share("median_gap", 2),
    "worst": _share("worst_gap", 2),
    "at best": _share("at_best", 0),
    "better than known": _number("better", 0),
    "proven": _share("proven", 0),
    "own gap": _share("own_gap", 2),
    "worst own": _share("worst_own_gap", 1),
    "cpu s": _number("cpu_s", 3),
    "solves/cpu s": _number("per_cpu_s", 1),
    "iterations/s": _number("iterations_per_s", 0),
}
_DRIVING: dict[str, Cell] = {
    "visits": _number("visits", 0),
    "with fewer": _number("fewer", 0),
    "more driving": _share("driving", 2),
}
_COLUMNS: dict[str, dict[str, Cell]] = {
    "batch": {
        "instance": _text("instance"),
        "engine": _text("engine"),
        "days": _number("days", 0),
        "cpu s": _number("cpu_s", 1),
        "wall s": _number("wall_s", 1),
        "ms a day": _number("ms_a_day", 1),
        "a second, two cores": _number("per_s_two_cores", 1),
        "objective": _number("objective", 0),
        "worse than batch": _share("worse_than_batch", 2),
        "projected off": _share("projected_off"),
        "5,000 h": _number("projected_5000_h", 2),
    },
    "load": {
        "instance": _text("instance"),
        "customers": lambda r: f"{r['params']['customers']:,}",
        "cpu s": _number("cpu_s", 2),
        "wall s": _number("wall_s", 2),
        "frame MB": _number("frame_mb", 0),
        "peak MB": _number("peak_mb", 0),
        "kept MB": _number("kept_mb", 0),
        "promise": _text("promise"),
    },
    "bounds": {
        "instance": _text("instance"),
        "engine": _text("engine"),
        "status": _text("status"),
        "cpu s": _number("cpu_s", 1),
        "wall s": _number("wall_s", 1),
        "gap": _share("gap", 3),
    },
    "territories": {
        "instance": _text("instance"),
        "engine": _text("engine"),
        "cpu s": _number("cpu_s", 2),
        "deviation": _share("deviation"),
        "objective km2": _number("objective", 1),
        "own centres": _number("own_objective", 1),
        "bound": _number("bound", 1),
        "gap": _share("gap"),
        "disconnected": _number("disconnected", 0),
        "status": _text("status"),
    },
    "realign": {
        "instance": _text("instance"),
        "engine": _text("engine"),
        "cpu s": _number("cpu_s", 2),
        "customers moved": _number("moved", 0),
        "workload moved": _share("moved_share", 2),
        "least flow": _share("least_flow", 2),
        "of others": _share("others_moved", 2),
        "deviation": _share("deviation", 2),
        "from free": _share("compactness_gap", 2),
        "0 is input": _text("zero_is_input"),
        "monotone": _text("monotone"),
        "locked stay": _text("locked_stay"),
        "status": _text("status"),
    },
    "power": {
        "instance": _text("instance"),
        "engine": _text("engine"),
        "runs": _number("runs", 0),
        "cpu s": _number("cpu_s", 2),
        "wall s": _number("wall_s", 2),
        "worst deviation": _share("deviation", 2),
        "objective km2": _number("objective", 0, 1e-6),
        "worst gap": _share("gap", 3),
        "peak MB": _number("peak_mb", 0),
        "status": _text("status"),
    },
    "driving": {
        "instance": _text("instance"),
        "engine": _text("engine"),
        "cpu s": _number("cpu_s", 1),
        "deviation": _share("deviation"),
        "spread": _share("spread"),
        "visits": _number("visits", 0),
        "unassigned": _number("unassigned", 0),
        "drive h": _number("drive_h", 0),
        "km^2": _number("objective", 0),
        "error": _share("error_mean"),
        "fitted": _share("error_fitted_mean"),
        "held out": _share("error_held_out_mean"),
    },
    "travel": {
        "instance": _text("instance"),
        "engine": _text("engine"),
        "cpu s": _number("cpu_s", 2),
        "promise": _text("promise"),
        "figures": _text("figure"),
    },
    "teammonth": {
        "instance": _text("instance"),
        "engine": _text("engine"),
        "cpu s": _number("cpu_s", 1),
        "wall s": _number("wall_s", 1),
        "visits": _number("visits", 0),
        "drive h": _number("drive_s", 0, 1 / 3600),
        "min/visit": _number("drive_min_per_visit", 2),
        "order gap": _share("gap"),
        "violations": _number("violations", 0),
        "equal visits": _number("equal_visits", 0),
        "min/visit there": _number("equal_min_per_visit", 2),
        "baseline there": _number("equal_baseline_min_per_visit", 2),
        "unassigned": _reasons,
    },
    "calendar": {
        "instance": _text("instance"),
        "engine": _text("engine"),
        "cpu s": _number("cpu_s", 1),
        "wall s": _number("wall_s", 1),
        "load": _share("load"),
        "visits": _number("visits", 0),
        "missed": _number("missed", 0),
        "within": _share("within", 2),
        "drive h": _number("drive_s", 1, 1 / 3600),
        "min/visit": _number("drive_min_per_visit", 2),
        "equal visits": _number("equal_visits", 0),
        "less driving": _share("less_driving"),
        "violations": _number("violations", 0),
        "status": _text("status"),
        "unassigned": _reasons,
    },
    "coldstart": {
        "instance": _text("instance"),
        "import s": _number("import_s", 2),
        "first day s": _number("day_s", 2),
        "first week s": _number("week_s", 2),
        "wall s": _number("wall_s", 2),
        "cpu s": _number("cpu_s", 2),
        "promised s": _number("promised_s", 0),
        "promise": _text("promise"),
    },
    **dict.fromkeys(ROUTING, _ROUTING),
    "repday": {**_ROUTING, **_DRIVING},
    "repmonth": {**_ROUTING, **_DRIVING},
    "nights": {
        "instance": _text("instance"),
        "engine": _text("engine"),
        "cpu s": _number("cpu_s", 1),
        "visits": _number("visits", 0),
        "unassigned": _number("unassigned", 0),
        "days": _number("days_with_visits", 0),
        "nights": _number("nights", 0),
        "drive h": _number("drive_s", 1, 1 / 3600),
        "km": _number("distance_m", 0, 1 / 1000),
        "cost": _number("objective", 0),
        "violations": _number("violations", 0),
    },
}


def _table(columns: dict[str, Cell], rows: Sequence[Row]) -> str:
    told = {name: cell for name, cell in columns.items() if any(cell(r) != "-" for r in rows)}
    columns = told or columns
    cells = [list(columns), *([cell(r) for cell in columns.values()] for r in rows)]
    width = [max(len(line[j]) for line in cells) for j in range(len(columns))]
    lines = []
    for line in cells:
        padded = (
            text.ljust(w) if name in _WORDS else text.rjust(w)
            for text, w, name in zip(line, width, columns, strict=True)
        )
        lines.append("  ".join(padded).rstrip())
    lines.insert(1, "  ".join("-" * w for w in width))
    return "\n".join(lines)
