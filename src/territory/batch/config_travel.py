"""The source of travel times that a configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from territory.errors import MAX_ROWS_LISTED, InputError, Problem
from territory.io.csv_source import read_csv_cells
from territory.io.extras import needed
from territory.travel import GreatCircle, MatrixTravel, Speeds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from territory.batch.config import NightConfig
    from territory.model import Reps
    from territory.travel import Travel

__all__ = ["travel_of"]

_PARQUET: Final = b"PAR1"


def travel_of(config: NightConfig, reps: Reps) -> Travel:
    """Return the source of travel times that a configuration names.

    Parameters
    ----------
    config : NightConfig
    reps : Reps
        Whose ids a matrix has beside those of customers.

    Raises
    ------
    InputError
        A file cannot be read, or is not what it should be.
    MissingExtraError
        A package that it needs is not installed.
    """
    values = config.section("travel")
    source = _KINDS[values["kind"]](values, reps)
    if "cache" in values:
        from territory.travel.cache import CachedTravel  # noqa: PLC0415 - loads what only a cache needs

        # a server has its own in its fingerprint
        version = values.get("data_version") if values["kind"] == "osm" else None
        source = CachedTravel(source, values["cache"], data_version=version)
    if "fallback" in values:
        from territory.travel.fallback import FallbackTravel  # noqa: PLC0415 - loads what only a server needs

        # around the cache: what it has is still answered when the server is down
        source = FallbackTravel(source, GreatCircle())
    return source


def _great_circle(values: dict[str, Any], _reps: Reps) -> Travel:
    speed = values.get("speed_km_h")
    return GreatCircle(values["detour"], Speeds() if speed is None else Speeds.constant(speed))


def _matrix(values: dict[str, Any], reps: Reps) -> Travel:
    return MatrixTravel.from_frame(_legs(values["file"]), rep_ids=reps.id.tolist(), missing=values["missing"])


def _legs(file: Path) -> Any:
    """Return the table of legs; of CSV, numbers instead of text, null where a cell is blank."""
    try:
        data = file.read_bytes()
        if data.startswith(_PARQUET):
            return needed("pyarrow.parquet").read_table(file)
    except (OSError, ValueError) as error:
        raise InputError([Problem("unreadable-file", f"cannot be read: {error}")], file.name) from error
    pa, table, problems = needed("pyarrow"), read_csv_cells(data, file.name), []
    for name in {"duration_s", "distance_m"} & set(table.column_names):
        numbers, wrong = [], []
        for row, cell in enumerate(table.column(name).to_pylist()):
            number = _number(cell)
            numbers.append(number)
            if number is None and cell.strip():
                wrong.append(row)
        if wrong:
            problems.append(
                Problem("not-a-number", "expected numbers", name, len(wrong), tuple(wrong[:MAX_ROWS_LISTED]))
            )
        table = table.set_column(table.column_names.index(name), name, pa.array(numbers, pa.float64()))
    if problems:
        raise InputError(sorted(problems, key=str), file.name)
    return table


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _osm(values: dict[str, Any], _reps: Reps) -> Travel:
    from territory.travel.roads import RoadGraph  # noqa: PLC0415 - an extra

    return RoadGraph.from_osm(values["file"], mode=values["mode"], most_moved_m=values["most_moved_m"])


def _server(values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the address of a server, and the options that all have."""
    from territory.travel.servers import HttpLimits  # noqa: PLC0415 - an extra

    names = ("mode", "most_moved_m", "max_table", "data_version", "departure")
    limits = HttpLimits(**{name: values[name] for name in ("attempts", "total_s", "concurrency")})
    options = {name: values[name] for name in names if name in values}
    return values["url"], {**options, "limits": limits, "headers": values["headers"] or None}


def _osrm(values: dict[str, Any], _reps: Reps) -> Travel:
    from territory.travel.servers import OsrmServer  # noqa: PLC0415 - an extra

    url, options = _server(values)
    return OsrmServer(url, **options)


def _valhalla(values: dict[str, Any], _reps: Reps) -> Travel:
    from territory.travel.servers import ValhallaServer  # noqa: PLC0415 - an extra

    url, options = _server(values)
    return ValhallaServer(url, **options)


_KINDS: dict[str, Callable[[dict[str, Any], Reps], Travel]] = {
    "great-circle": _great_circle, "matrix": _matrix, "osm": _osm, "osrm-server": _osrm,
    "valhalla-server": _valhalla,
}  # fmt: skip
