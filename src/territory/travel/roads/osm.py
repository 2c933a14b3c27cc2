"""Roads from extracts of OpenStreetMap, by the package osmium.

What is read: ways by mode, access, one-way rules, limits, surfaces, ferries, barriers and signals; see
`territory.travel.roads.tags`. What is not: restrictions of turns (relations), limits by hour or weather, heights,
widths and weights, waiting for a ferry.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.errors import InputError, MissingExtraError, Problem
from territory.geo.sphere import great_circle_m
from territory.travel.roads.network import Segments
from territory.travel.roads.speeds import JUNCTION_S, MODES
from territory.travel.roads.tags import Rules

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

__all__ = ["ATTRIBUTION", "read_osm"]

#: To be told wherever data or results are shown; openstreetmap.org/copyright.
ATTRIBUTION: Final = "© OpenStreetMap contributors, ODbL"
#: Raised with each change of what is read from the same file.
_READER: Final = 1
#: The coordinate of a node that is not in the file, as ways at the border of an extract have them.
_NOWHERE: Final = 2**31 - 1
_FASTEST_KM_H: Final = 300.0


def read_osm(
    path: str | PathLike[str],
    *,
    mode: str,
    speeds: Mapping[str, float] | None,
    junction_s: float | None,
    signal_s: float,
) -> tuple[Segments, str, float]:
    """Read the segments of the roads of an extract.

    Returns
    -------
    segments : Segments
    fingerprint : str
        Digest of the file, the version of this reader, and all parameters.
    junction_s : float

    Raises
    ------
    InputError
        A file that is none of OpenStreetMap, torn or without roads; or parameters out of range.
    MissingExtraError
        The package osmium is missing.
    """
    wanted = _checked(mode, speeds, junction_s, signal_s)
    junction = JUNCTION_S[mode] if junction_s is None else float(junction_s)
    file = Path(path)
    digest = _digest(file)
    read = _Read(Rules(mode, wanted, float(signal_s)))
    read.file(file)
    segments = read.segments()
    # a way from a node to itself leads nowhere
    if not (segments.tail != segments.head).any():
        hint = "Maybe an extract without ways, one whose ways come before its nodes, or another mode?"
        message = f"{file.name} has no roads for {mode}"
        raise InputError([Problem("no-roads", message, hint=hint)], "road graph")
    told = json.dumps(sorted(read.rules.speeds.items()))
    fingerprint = (
        f"road graph osm sha256={digest} reader={_READER} mode={mode} "
        f"speeds={hashlib.sha256(told.encode()).hexdigest()[:16]} junction_s={junction!r} signal_s={float(signal_s)!r}"
    )
    return segments, fingerprint, junction


def _checked(
    mode: str, speeds: Mapping[str, float] | None, junction_s: float | None, signal_s: float
) -> dict[str, float]:
    """Return speeds as floats; refuse parameters that are out of range, all of them at once."""
    problems = []
    if mode not in MODES:
        problems.append(Problem("unknown-mode", f"expected one of {', '.join(MODES)}, not {mode!r}", "mode"))
    found: dict[str, float] = {}
    given: object = {} if speeds is None else speeds
    if not isinstance(given, Mapping):
        hint = 'Maybe {"residential": 25.0}?'
        problems.append(Problem("speeds-type", f"expected a mapping, not {speeds!r:.60}", "speeds", hint=hint))
        given = {}
    for name, speed in given.items():
        number = _number(speed)
        if not 0.0 <= number <= _FASTEST_KM_H or (0 < number < 1):
            message = f"expected 0 or 1 to {_FASTEST_KM_H:g} km/h for {name!r}, not {speed!r}"
            problems.append(Problem("speed-out-of-range", message, "speeds"))
        found[str(name)] = number
    for name, value in (("junction_s", 0.0 if junction_s is None else junction_s), ("signal_s", signal_s)):
        if not 0.0 <= _number(value) <= 600.0:
            problems.append(Problem("wait-out-of-range", f"expected 0 to 600 seconds, not {value!r}", name))
    if problems:
        raise InputError(problems, "road graph")
    return found


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        return float("nan")
    return float(value)


def _digest(file: Path) -> str:
    """Return the SHA-256 of a file.

    Raises
    ------
    InputError
        No such file, or an empty one.
    """
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = file.stat().st_size
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror or error}"
        raise InputError([Problem("no-such-file", message, "path")], "road graph") from None
    if not size:
        raise InputError([Problem("empty-file", f"{file} is empty", "path")], "road graph")
    return digest


class _Read:
    """What has been read of a file: for each way used, its nodes and how it may be used."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.closed: set[int] = set()
        self.waits: dict[int, float] = {}
        self.refs, self.x, self.y = array("q"), array("i"), array("i")
        self.length = array("q")
        self.use: list[tuple[float, float, float, bool]] = []

    def file(self, file: Path) -> None:
        """Read all of a file.

        Raises
        ------
        InputError
            libosmium cannot make sense of it.
        """
        try:
            import osmium  # noqa: PLC0415 - only for extracts
        except ImportError:
            raise MissingExtraError("osmium", "road") from None
        kinds = osmium.osm.NODE | osmium.osm.WAY
        try:
            found = osmium.FileProcessor(str(file), kinds).with_locations()
            each: Any
            for each in found.with_filter(osmium.filter.KeyFilter("highway", "barrier", "route")):
                if each.is_node():
                    self._node(each)
                else:
                    self._way(each)
        except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
            message = f"{file.name} is no sound file of OpenStreetMap: {error}"
            hint = "Maybe a download that broke off? Expected .osm.pbf, .osm, .osm.bz2 or .osm.gz."
            raise InputError([Problem("osm-unreadable", message, "path", hint=hint)], "road graph") from None

    def _node(self, node: Any) -> None:
        closed, wait = self.rules.node({tag.k: tag.v for tag in node.tags})
        if closed:
            self.closed.add(node.id)
        if wait:
            self.waits[node.id] = wait

    def _way(self, way: Any) -> None:
        use = self.rules.way({tag.k: tag.v for tag in way.tags})
        if use is None:
            return
        before = len(self.refs)
        for node in way.nodes:
            self.refs.append(node.ref)
            self.x.append(node.x)
            self.y.append(node.y)
        self.length.append(len(self.refs) - before)
        self.use.append((use.forward_km_h, use.backward_km_h, use.duration_s, use.midway))

    def segments(self) -> Segments:
        """Return all pieces between two nodes of a way that are both in the file; closed nodes are cut through."""
        refs = np.frombuffer(self.refs, dtype=np.int64) if len(self.refs) else np.zeros(0, dtype=np.int64)
        x, y = (
            np.frombuffer(column, dtype=np.int32) if len(column) else np.zeros(0, np.int32)
            for column in (self.x, self.y)
        )
        way = np.repeat(np.arange(len(self.length)), np.array(self.length, dtype=np.int64))
        ids, row, node = np.unique(refs, return_index=True, return_inverse=True)
        lon, lat = x[row] / 1e7, y[row] / 1e7
        wait = np.array([self.waits.get(ref, 0.0) for ref in ids.tolist()]) if self.waits else np.zeros(len(ids))
        there = (x != _NOWHERE) & (y != _NOWHERE) & (np.abs(y) <= 900_000_000) & (np.abs(x) <= 1_800_000_000)
        joined = np.flatnonzero((way[1:] == way[:-1]) & there[1:] & there[:-1]) if len(way) else np.arange(0)
        tail, head = node[joined], node[joined + 1]
        of = way[joined]
        tail, head, lon, lat, wait = self._cut(ids, tail, head, lon, lat, wait)

        use = np.array(self.use, dtype=np.float64).reshape(-1, 4)
        metres = great_circle_m(lon[tail], lat[tail], lon[head], lat[head])
        whole = np.bincount(of, weights=metres, minlength=len(use))
        # a duration holds for a way that is whole
        torn = np.bincount(way, weights=~there, minlength=len(use)) > 0
        told = (use[:, 2] > 0) & ~torn & (whole > 0)
        pace = np.where(told, use[:, 2] / np.where(whole > 0, whole, 1.0), 0.0)
        seconds = []
        for direction in (0, 1):
            km_h = use[:, direction]
            per_m = np.where(told, pace, 3.6 / np.where(km_h > 0, km_h, 1.0))
            seconds.append(np.where(km_h[of] > 0, metres * per_m[of], np.inf))
        return Segments(lon, lat, wait, tail, head, metres, seconds[0], seconds[1], use[of, 3] == 1)

    def _cut(self, ids: NDArray[np.int64], tail: Any, head: Any, lon: Any, lat: Any, wait: Any) -> tuple[Any, ...]:
        """Give each end of a segment at a closed node a node of its own, at the same place."""
        if not self.closed:
            return tail, head, lon, lat, wait
        shut = np.isin(ids, np.fromiter(self.closed, dtype=np.int64, count=len(self.closed)))
        ends = np.concatenate((tail, head))
        mine = np.flatnonzero(shut[ends])
        copied = ends[mine]
        ends[mine] = len(ids) + np.arange(len(mine))
        return (
            ends[: len(tail)],
            ends[len(tail) :],
            np.concatenate((lon, lon[copied])),
            np.concatenate((lat, lat[copied])),
            np.concatenate((wait, np.zeros(len(copied)))),
        )
