"""Every key of the nightly batch's configuration: what it is, what it may be, what it means."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["KEYS", "SECTIONS", "TRAVEL_KINDS", "Key", "example_config"]


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes
    ----------
    section : str
        The table of the file that it stands in; blank: before all tables.
    name : str
    kind : str
        What its value is: "text", "input" (a file that is there), "place" (a file or folder that is there), "path",
        "whole", "number", "flag", "texts", "days", "wholes", "zone", or a table: "words", "lists", "lengths".
    text : str
        What it means, as one sentence or two.
    default : object
        None: none.
    choices : tuple of str
        All that it may be.
    low, high : float, optional
        The least and the most.
    above : bool
        Whether `low` itself is too little.
    required : bool
    example : object
        What the example shows, where that is not the default.
    travel : tuple of str
        The kinds of travel that have the key; empty: all of them.
    """

    section: str
    name: str
    kind: str
    text: str
    default: Any = None
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    above: bool = False
    required: bool = False
    example: Any = None
    travel: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Its full name: ``run.jobs``."""
        return f"{self.section}.{self.name}" if self.section else self.name


#: Table of the file to what it is about.
SECTIONS: Final = {
    "": "Where nights go, and when a day begins.",
    "tables": "What is read: CSV or Parquet.",
    "territories": "Who serves whom.",
    "previous": "Yesterday's plan.",
    "plan": "What is planned; see the page on the calendar.",
    "travel": "Where travel times come from.",
    "run": "How the night is run.",
    "output": "What is written beside the tables.",
}
TRAVEL_KINDS: Final = ("great-circle", "matrix", "osm", "osrm-server", "valhalla-server")
SERVERS: Final = ("osrm-server", "valhalla-server")
_ROADS: Final = ("osm", *SERVERS)
_DAY_S: Final = 86_400

#: In the order of the example.
KEYS: Final[tuple[Key, ...]] = (
    Key("", "out", "path", "Folder of all nights; each has a folder in it, named by its first day.", required=True,
        example="nights"),
    Key("", "timezone", "zone", "Whose midnight begins a day, where no day is named. Default: the reps' zones; without "
        "them, this machine's.", example="Europe/Berlin"),
    Key("tables", "customers", "input", "Customers.", required=True, example="customers.csv"),
    Key("tables", "reps", "input", "Reps.", required=True, example="reps.csv"),
    Key("tables", "visits", "input", "Appointments, events and whatever else is to be made once: all that still hold.",
        example="visits.csv"),
    Key("tables", "preset", "text", "The column names of the customers are those of that program's export.",
        choices=("salesforce", "hubspot", "dynamics"), example="salesforce"),
    Key("tables", "columns", "words", "By column of customers, its name in the file.",
        example={"id": "Account No"}),
    Key("tables", "measures", "texts", "Further numeric columns of customers.", default=[], example=["revenue"]),
    Key("territories", "from", "text", "owner: the customers' column of that name. plan: the territories of a plan. "
        "shared: everybody may serve everybody of the same team.", default="owner",
        choices=("owner", "plan", "shared")),
    Key("territories", "plan", "place", "Folder that territory plan has written. For customers and reps who came or "
        "went since, its territories are realigned with the least change.", example="territories"),
    Key("previous", "use", "text", "auto: the last night before this one. none: nothing is kept. Or a folder: of a "
        "night, or one that territory plan has written.", default="auto"),
    Key("previous", "freeze_days", "whole", "Visits that the previous plan has on so many first days are promised: "
        "they stay on their day.", default=0, low=0, high=371),
    Key("plan", "weeks", "whole", "Length of the horizon.", default=4, low=1, high=53),
    Key("plan", "seed", "whole", "Seed of the search.", default=0, low=0, high=2**31 - 1),
    Key("plan", "iterations", "whole", "Search rounds a rep. Default: by the number of visits.", low=1, high=10**9,
        example=10_000),
    Key("plan", "holidays", "days", "Days without visits, for everybody.", default=[], example=["2026-12-25"]),
    Key("plan", "tolerance", "number", "Share of an interval that visits may come early or late.", default=0.25, low=0,
        high=1),
    Key("plan", "default_shift", "text", "Working hours of reps who have none.", default="Mo-Fr 08:00-17:00"),
    Key("plan", "default_service_s", "whole", "Seconds of a visit where customers have none.", default=1800, low=0,
        high=_DAY_S),
    Key("plan", "overload", "text", "Where more is due than fits: value: what is worth most comes first. stretch: all "
        "intervals of a rep become longer.", default="value", choices=("value", "stretch")),
    Key("plan", "worth", "text", "The measure of customers that says what a visit is worth.", example="revenue"),
    Key("plan", "objective", "text", "What is least at equal visits: time at the wheel, or what the reps' hours, "
        "kilometres and days cost.", default="driving", choices=("driving", "cost")),
    Key("plan", "change_price_s", "number", "Seconds of driving that it has to save to move a visit that was planned "
        "before to another day.", default=900, low=0),
    Key("plan", "weekday_price_s", "number", "Seconds of driving that a visit on another weekday than the one before "
        "may save at most.", default=120, low=0),
    Key("plan", "time_price_s", "number", "The same, an hour earlier or later in the day.", default=60, low=0),
    Key("plan", "hot_days", "whole", "Days within which a hot lead is visited.", default=2, low=1, high=3660),
    Key("plan", "warm_days", "whole", "Interval of hot and warm leads that have none, days.", default=14, low=1,
        high=3660),
    Key("plan", "cold_detour_s", "whole", "Cold leads are visited where that costs less driving, seconds.", default=900,
        low=0, high=_DAY_S),
    Key("plan", "follow_up_days", "wholes", "Days after a deal on which a follow-up is due.", default=[14], low=0,
        high=3660),
    Key("plan", "remote", "text", "after-first: customers of either channel are visited once, and contacted from the "
        "rep's home from then on.", default="never", choices=("never", "after-first")),
    Key("plan", "service_by_kind", "lengths", "Seconds of a lead, follow-up, appointment, event or remote contact.",
        default={}, low=0, high=_DAY_S, example={"lead": 2700}),
    Key("plan", "cover", "lists", "By rep, the reps who may serve the rep's customers during leave.", default={},
        example={"ann": ["bob"]}),
    Key("plan", "load", "text", "The measure of customers that the reps' load_limit limits a day.", example="pallets"),
    Key("plan", "nights", "text", "Whether reps may spend nights away.", default="never", choices=("never", "allowed")),
    Key("travel", "kind", "text", "great-circle: from coordinates alone. matrix: a table of yours. osm: the roads of "
        "an extract of OpenStreetMap. osrm-server, valhalla-server: a server of yours.", default="great-circle",
        choices=TRAVEL_KINDS),
    Key("travel", "detour", "number", "Road over straight line.", default=1.4, low=1, high=5, travel=("great-circle",)),
    Key("travel", "speed_km_h", "number", "One speed everywhere. Default: by the area of both ends.", low=1, high=200,
        example=60.0, travel=("great-circle",)),
    Key("travel", "file", "input", "matrix: a table of origin, destination, duration_s and maybe distance_m, CSV or "
        "Parquet. osm: an extract (.osm.pbf).", example="roads.osm.pbf", travel=("matrix", "osm")),
    Key("travel", "url", "text", "Address of the server, without the path of a service.",
        example="http://localhost:5000", travel=SERVERS),
    Key("travel", "mode", "text", "What is driven.", default="car", choices=("car", "bicycle", "foot"),
        travel=_ROADS),
    Key("travel", "departure", "text", "Local time at which every trip begins. Default: any time.",
        example="2026-01-06T08:00", travel=("valhalla-server",)),
    Key("travel", "missing", "text", "What legs mean that are not in the table.", default="error",
        choices=("error", "unreachable"), travel=("matrix",)),
    Key("travel", "most_moved_m", "number", "Places further from a road cannot be reached, metres.", default=1000,
        low=0, high=100_000, travel=_ROADS),
    Key("travel", "max_table", "whole", "The server's own limit. osrm-server: places of a table on a side (100). "
        "valhalla-server: legs of a table (2500).", low=2, high=10**8, example=100, travel=SERVERS),
    Key("travel", "headers", "words", "Sent along with every request, such as a key; never shown.", default={},
        example={"X-Api-Key": "..."}, travel=SERVERS),
    Key("travel", "attempts", "whole", "Requests for one answer at most.", default=4, low=1, high=100, travel=SERVERS),
    Key("travel", "total_s", "number", "Seconds for one answer, all attempts together.", default=300, low=0, above=True,
        high=86_400, travel=SERVERS),
    Key("travel", "concurrency", "whole", "Requests under way at once, of each worker.", default=4, low=1, high=1000,
        travel=SERVERS),
    Key("travel", "cache", "path", "File that remembers what was asked once, for later nights.",
        example="travel.sqlite", travel=_ROADS),
    Key("travel", "data_version", "text", "Names the roads: with another name what a cache remembers is asked anew. Of "
        "a server, default: what the server says of them.", example="2026-11", travel=_ROADS),
    Key("travel", "fallback", "text", "What answers where the server fails; each such drive is marked as estimated. "
        "Default: the task fails.", choices=("great-circle",), example="great-circle", travel=SERVERS),
    Key("run", "jobs", "whole", "Worker processes; -1: one a core.", default=-1, low=-1, high=4096),
    Key("run", "executor", "text", "processes: of this machine. ray: a cluster (extra ray).", default="processes",
        choices=("processes", "ray")),
    Key("run", "ray_address", "text", "Address of a cluster of Ray. Default: one is started here.", example="auto"),
    Key("run", "memory_limit_gb", "number", "Address space of a worker process; a task that needs more fails alone.",
        low=0, above=True, example=4.0),
    Key("run", "task_time_limit_s", "number", "A task that takes longer is ended and counts as timed out.", low=0,
        above=True, example=300.0),
    Key("run", "time_budget_s", "number", "For the whole night, reading included: after it nothing new begins, and a "
        "rerun goes on.", low=0, above=True, example=14_400.0),
    Key("run", "on_error", "text", "continue: the other tasks are done. stop: at the first task that fails.",
        default="continue", choices=("continue", "stop")),
    Key("output", "formats", "texts", "Files for every rep: ics, gpx, csv.", default=[], choices=("ics", "gpx", "csv"),
        example=["ics"]),
    Key("output", "log", "path", "File that a JSON object a line is appended to for every event.",
        example="nightly.jsonl"),
    Key("output", "metrics", "path", "File of counters for Prometheus' node exporter (textfile collector): a name in "
        ".prom.", example="/var/lib/node_exporter/textfile/territory.prom"),
    Key("output", "name", "text", "Value of the label config in that file. Default: the name of this file without its "
        "ending.", example="germany"),
)  # fmt: skip


def example_config() -> str:
    """Return a configuration that shows every key; what may be left out is commented out."""
    lines = [
        "# The nightly batch: territory batch --config nightly.toml",
        "# Paths are relative to this file. What is commented out shows the default; where there is none, an example.",
    ]
    for section, about in SECTIONS.items():
        lines += ["", f"# {about}"] + ([f"[{section}]"] if section else [])
        for key in KEYS:
            if key.section == section:
                lines += [f"# {key.text}", *_allowed(key)]
                shown = key.example if key.default is None or key.default in ([], {}) else key.default
                lines.append(f"{'' if key.required else '# '}{key.name} = {_toml(shown)}")
    return "\n".join(lines) + "\n"


def _allowed(key: Key) -> list[str]:
    parts = []
    if key.choices:
        parts.append(" | ".join(key.choices))
    if key.travel:
        parts.append(f"only with kind = {' or '.join(key.travel)}")
    if key.default is None and not key.required:
        parts.append("no default")
    return [f"#   {'; '.join(parts)}"] if parts else []


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    # booleans, numbers, lists and texts without control characters are written as in JSON
    return json.dumps(value, ensure_ascii=False)
