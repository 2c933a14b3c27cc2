"""Central Helsinki: real cafes, restaurants and shops, and made reps who call on them on foot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.datasets.draws import checked_seed, choose, draw_spread, nearest_owner, uniform
from territory.datasets.files import helsinki_columns, load_helsinki_network
from territory.datasets.recipe import (
    REFERENCE_DAY,
    Cadence,
    cadence_columns,
    checked_day,
    lead_columns,
    rep_columns,
    skills_of,
    stages,
)
from territory.datasets.tables import make_tables
from territory.model.arrays import text_array
from territory.model.enums import Area, Channel, Stage
from territory.model.hours import parse_hours
from territory.units import HOUR_S, MINUTE_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from territory.datasets.files import StreetNetwork
    from territory.model.arrays import BoolArray, TextArray
    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["CADENCES", "WALK_MIN", "hours_are_real", "load_helsinki", "made_helsinki"]

#: Segment A, B, C.
CADENCES: Final = (
    Cadence("A", interval_days=7, tolerance_days=1, service_min=35),
    Cadence("B", interval_days=14, tolerance_days=2, service_min=30),
    Cadence("C", interval_days=28, tolerance_days=5, service_min=25),
)
#: Minutes on the way a visit, from door to door on foot.
WALK_MIN: Final = 4
LATE_SHIFT: Final = "Mo-Fr 13:00-21:30"

_AREA_M2: Final = 1.7e6
_STAGES: Final = {Stage.SUSPECT: 0.05, Stage.MQL: 0.04, Stage.SQL: 0.03, Stage.CUSTOMER: 0.87, Stage.LOST: 0.01}
_LATE: Final = frozenset({"amenity=bar", "amenity=pub"})
_FOOD_SHOPS: Final = frozenset(
    f"shop={kind}"
    for kind in (
        "alcohol", "bakery", "beverages", "butcher", "cheese", "chocolate", "coffee", "confectionery", "convenience",
        "deli", "department_store", "health_food", "ice_cream", "kiosk", "mall", "pastry", "seafood", "supermarket",
        "tea", "variety_store", "wine",
    )
)  # fmt: skip
#: By group of places (bars and pubs, other gastronomy, food shops, other shops): weights of A, B, C.
_SEGMENT_WEIGHTS: Final = ((15, 45, 40), (25, 45, 30), (30, 45, 25), (0, 15, 85))
#: By group: the hours of places that have none on the map, or none that can be read.
_HOURS: Final = (
    ("Mo-Th 14:00-24:00; Fr-Sa 14:00-02:00", "Mo-Su 12:00-24:00", "Mo-Th 16:00-24:00; Fr-Sa 15:00-02:00"),
    ("Mo-Fr 11:00-22:00; Sa 12:00-22:00", "Mo-Fr 08:00-19:00; Sa-Su 10:00-18:00", "Mo-Fr 10:30-21:00; Sa 12:00-21:00"),
    ("Mo-Fr 08:00-21:00; Sa 09:00-19:00; Su 11:00-18:00", "Mo-Fr 09:00-18:00; Sa 10:00-16:00", "Mo-Su 07:00-23:00"),
    ("Mo-Fr 10:00-18:00; Sa 10:00-15:00", "Mo-Fr 10:00-20:00; Sa 10:00-18:00", "Mo-Fr 11:00-18:00; Sa 11:00-16:00"),
)
_SKILLS: Final = {"espresso machines": 0.4}


def _readable(text: str) -> bool:
    try:
        parse_hours(text)
    except ValueError:
        return False
    return text != ""


def hours_are_real(opening_hours: TextArray) -> BoolArray:
    """Tell which opening hours are taken as mapped: those that `territory.model.hours` can read.

    Parameters
    ----------
    opening_hours : text array of shape (n,)
        The column of `helsinki_columns`.

    Returns
    -------
    bool array of shape (n,)
        Where it is false, `load_helsinki` makes hours up.
    """
    known = {text: _readable(text) for text in set(opening_hours.tolist())}
    return np.array([known[text] for text in opening_hours.tolist()], dtype=bool)


def _group(kind: str) -> int:
    if kind.startswith("amenity="):
        return 0 if kind in _LATE else 1
    return 2 if kind in _FOOD_SHOPS else 3


def _numbers(osm_id: TextArray) -> NDArray[np.int64]:
    # nodes, ways and relations are numbered apart
    return np.array([int(text[1:]) * 4 + "nwr".index(text[0]) for text in osm_id.tolist()], dtype=np.int64)


def _reached(start: int, step: dict[int, list[int]]) -> set[int]:
    seen, todo = {start}, [start]
    while todo:
        for place in step.get(todo.pop(), ()):
            if place not in seen:
                seen.add(place)
                todo.append(place)
    return seen


def _street_corners(network: StreetNetwork) -> NDArray[np.intp]:
    """Return the nodes on foot and by car, that a car can both leave for and reach from the others."""
    there: dict[int, list[int]] = {}
    back: dict[int, list[int]] = {}
    columns = (network.edge_from, network.edge_to, network.oneway, network.car)
    for a, b, oneway, car in zip(*(column.tolist() for column in columns), strict=True):
        if car:
            for x, y in ((a, b),) if oneway else ((a, b), (b, a)):
                there.setdefault(x, []).append(y)
                back.setdefault(y, []).append(x)
    middle = max(there, key=lambda node: (len(_reached(node, there)) if len(there[node]) > 3 else 0, -node))
    both = network.car & network.foot
    walkable = np.union1d(network.edge_from[both], network.edge_to[both])
    corners = _reached(middle, there) & _reached(middle, back) & set(walkable.tolist())
    return np.array(sorted(corners), dtype=np.intp)


def made_helsinki(
    places: Mapping[str, Any], *, seed: int = 0, n_reps: int = 6, today: np.datetime64 = REFERENCE_DAY
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make the columns of customers and reps from the real columns, in any order of rows.

    Parameters
    ----------
    places : mapping of column to array of shape (n,)
        As `helsinki_columns` gives them.
    seed : int
    n_reps : int
    today : datetime64[D]

    Returns
    -------
    customers, reps : dict of columns
        Ragged columns as text; ``measures`` a dict of arrays.
    """
    key, lon, lat = _numbers(places["osm_id"]), places["lon"], places["lat"]
    n = len(key)
    group = np.array([_group(kind) for kind in places["kind"].tolist()], dtype=np.intp)
    segment_u, hours_u = uniform(key, seed, "segment"), uniform(key, seed, "opening hours")
    segment = np.empty(n, dtype=np.intp)
    for g, weights in enumerate(_SEGMENT_WEIGHTS):
        segment[group == g] = choose(segment_u[group == g], weights)
    real = hours_are_real(places["opening_hours"]).tolist()
    made = [_HOURS[g][i] for g, i in zip(group.tolist(), choose(hours_u, (1, 1, 1)).tolist(), strict=True)]
    hours = [a if ok else b for a, b, ok in zip(places["opening_hours"].tolist(), made, real, strict=True)]

    stage = stages(key, seed, _STAGES)
    cadence = cadence_columns(key, segment, stage, CADENCES, today=today, seed=seed)
    yearly = np.array([9_000.0, 4_000.0, 1_500.0])[segment]
    potential = np.round(yearly * (0.6 + 0.8 * uniform(key, seed, "potential")))
    machine = (group == 1) & (uniform(key, seed, "required skill") < 0.06)

    network = load_helsinki_network()
    corner = _street_corners(network)
    homes = corner[
        draw_spread(
            network.node_id[corner], network.lon[corner], network.lat[corner], np.ones(len(corner)),
            n=n_reps, area_m2=_AREA_M2, seed=seed, what="home",
        )
    ]  # fmt: skip
    home_key, home_lon, home_lat = network.node_id[homes], network.lon[homes], network.lat[homes]
    skills = skills_of(home_key, seed, _SKILLS)
    reps = rep_columns(
        home_key, home_lon, home_lat, skills=skills, today=today, seed=seed, shift="Mo-Fr 09:00-17:30",
        part_time_shift="Mo-We 09:00-17:30", part_time_share=0.6, timezone="Europe/Helsinki",
    )  # fmt: skip
    _add_late_shift(reps)

    interval = np.where(stage == Stage.CUSTOMER, cadence["visit_interval_days"], 28.0)
    workload_s = np.round((cadence["service_s"] + WALK_MIN * MINUTE_S) * 7 / interval)
    having = np.column_stack([np.ones(n_reps, dtype=bool), skills["espresso machines"]])
    owner = nearest_owner(
        lon, lat, home_lon, home_lat,
        load=workload_s,
        drift=1.5 * uniform(home_key, seed, "drift") - 0.75,
        second=uniform(key, seed, "second choice") < 0.04,
        able=having.T[machine.astype(np.intp)],
    )  # fmt: skip
    either = (segment == 2) & (uniform(key, seed, "channel") < 0.4)
    customers = {
        "id": places["osm_id"],
        "lon": lon,
        "lat": lat,
        "name": places["name"],
        "workload_s": workload_s,
        **cadence,
        "opening_hours": text_array(hours),
        "required_skills": text_array(["espresso machines" if m else "" for m in machine.tolist()]),
        "owner": reps["id"][owner],
        "locked": uniform(key, seed, "locked") < 0.01,
        "stage": stage,
        **lead_columns(key, stage, potential, seed),
        "channel": np.where(either, Channel.EITHER, Channel.FIELD).astype(np.int8),
        "area": np.full(n, Area.URBAN, dtype=np.int8),
        "timezone": text_array(["Europe/Helsinki"] * n),
        "measures": {"potential": potential},
    }
    return customers, reps


def _add_late_shift(reps: dict[str, Any]) -> None:
    # bars open when the others go home: of three reps or more, the last full-timer works late
    full_time = np.flatnonzero(reps["shift"] == "Mo-Fr 09:00-17:30")
    if len(full_time) >= 3:
        i = full_time[-1]
        reps["shift"][i] = LATE_SHIFT
        reps["break_earliest_s"][i] = 16.5 * HOUR_S
        reps["break_latest_s"][i] = 18.5 * HOUR_S


def load_helsinki(
    *, seed: int = 0, n_reps: int = 6, today: np.datetime64 | str = REFERENCE_DAY
) -> tuple[Customers, Reps]:
    """Return cafes, restaurants and shops of central Helsinki as customers, and reps who walk.

    Places, names and half of the opening hours are real (OpenStreetMap, ODbL); everything else is
    made by a seeded recipe, see `MADE_COLUMNS`. `hours_are_real` tells whose hours are real. The same
    arguments give the same tables, on any machine. Days of reps begin at real street corners that are
    nodes of `load_helsinki_network`.

    Parameters
    ----------
    seed : int                    >= 0; of the made columns only
    n_reps : int                  1 <= n_reps <= 1,650
    today : datetime64[D] or ISO date
        The day that last visits lie before, and leave after.

    Returns
    -------
    Customers, length 940
    Reps, length `n_reps`

    Raises
    ------
    InputError
        An argument out of its range.

    Examples
    --------
    >>> customers, reps = load_helsinki()
    >>> len(customers), len(reps), str(customers.name[1])
    (940, 6, 'Maya Bar & Grill')
    """
    made = made_helsinki(helsinki_columns(), seed=checked_seed(seed), n_reps=n_reps, today=checked_day(today))
    return make_tables(*made)
