"""Germany: real places, and a made sales force that calls on their town halls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from territory.datasets.draws import checked_seed, choose, draw_spread, nearest_owner, uniform
from territory.datasets.files import germany_columns
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
from territory.units import MINUTE_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from territory.model.customers import Customers
    from territory.model.reps import Reps

__all__ = ["CADENCES", "DRIVE_MIN", "load_germany", "made_germany"]

#: Segment A, B, C.
CADENCES: Final = (
    Cadence("A", interval_days=14, tolerance_days=3, service_min=60),
    Cadence("B", interval_days=28, tolerance_days=7, service_min=45),
    Cadence("C", interval_days=56, tolerance_days=14, service_min=30),
)
#: Segment A from the first, B from the second number of inhabitants on.
POPULATION_A, POPULATION_B = 20_000, 5_000
#: Minutes on the road a visit, by area: together what a plan for 60 reps drives with the default travel.
DRIVE_MIN: Final = {Area.URBAN: 21, Area.SUBURBAN: 30, Area.RURAL: 43}
#: GeoNames has no figure for a place: taken as the least that its list asks for.
POPULATION_UNKNOWN: Final = 1_000

_STAGES: Final = {Stage.SUSPECT: 0.03, Stage.MQL: 0.03, Stage.SQL: 0.02, Stage.CUSTOMER: 0.91, Stage.LOST: 0.01}
_HOURS: Final = (
    "Mo-Th 08:00-16:00; Fr 08:00-13:00",
    "Mo-Fr 08:00-12:00,13:00-16:00",
    "Mo-We 08:00-12:00,13:00-16:00; Th 08:00-12:00,13:00-18:00; Fr 08:00-12:00",
    "Mo-Fr 08:30-12:00, Mo-Tu 13:30-16:00, Th 13:30-16:00",
    "Mo-Th 09:00-15:30; Fr 09:00-12:30",
    "Mo-Fr 07:30-15:30",
    "Mo-Fr 08:00-12:00, Th 14:00-18:00",
)
_HOURS_WEIGHTS: Final = ((35, 35, 15, 0, 5, 10, 0), (32, 28, 15, 5, 8, 8, 4), (28, 22, 14, 10, 8, 8, 10))
_SKILLS: Final = {"geodata": 0.4, "utilities": 0.25}
_AREA_M2: Final = 357.6e9


def inhabitants_per_km2(
    lon: NDArray[np.float64], lat: NDArray[np.float64], population: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Estimate density from the places in nine cells of about 5 km x 5 km around each place.

    Parameters
    ----------
    lon, lat : float64 arrays of shape (n,), degrees, in Germany
    population : float64 array of shape (n,)

    Returns
    -------
    float64 array of shape (n,)
    """
    # the cells are fixed on the map (5 km are 0.045 degrees of latitude, 0.07 of longitude at 51 N)
    x = np.floor((lon - 5.0) / 0.07).astype(np.intp) + 1
    y = np.floor((lat - 47.0) / 0.045).astype(np.intp) + 1
    cells = np.zeros((y.max() + 2, x.max() + 2))
    np.add.at(cells, (y, x), population)
    rows = cells[y - 1] + cells[y] + cells[y + 1]
    at = np.arange(len(x))
    density: NDArray[np.float64] = (rows[at, x - 1] + rows[at, x] + rows[at, x + 1]) / 225.0
    return density


def _call_blocks(key: NDArray[np.int64], today: np.datetime64, seed: int) -> list[str]:
    u, when = uniform(key, seed, "call block"), uniform(key, seed, "call block week")
    first = (today + np.floor(when * 28).astype("timedelta64[D]")).astype("datetime64[D]")
    return [
        f"{a}..{b}" if has else "" for a, b, has in zip(first, first + np.timedelta64(4, "D"), u < 0.02, strict=True)
    ]


def made_germany(
    places: Mapping[str, Any], *, seed: int = 0, n_reps: int = 60, today: np.datetime64 = REFERENCE_DAY
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make the columns of customers and reps from the real columns, in any order of rows.

    Parameters
    ----------
    places : mapping of column to array of shape (n,)
        As `germany_columns` gives them.
    seed : int
    n_reps : int
    today : datetime64[D]

    Returns
    -------
    customers, reps : dict of columns
        Ragged columns as text; ``measures`` a dict of arrays.
    """
    key, lon, lat = places["geonameid"], places["lon"], places["lat"]
    real = places["population"].astype(np.float64)
    population = np.where(real > 0, real, POPULATION_UNKNOWN)
    segment = np.where(population >= POPULATION_A, 0, np.where(population >= POPULATION_B, 1, 2))
    density = inhabitants_per_km2(lon, lat, population)
    area = np.where(density >= 1000, Area.URBAN, np.where(density >= 250, Area.SUBURBAN, Area.RURAL)).astype(np.int8)
    stage = stages(key, seed, _STAGES)
    cadence = cadence_columns(key, segment, stage, CADENCES, today=today, seed=seed)
    potential = np.round(4 * population**0.8 * (0.7 + 0.6 * uniform(key, seed, "potential")))

    skill = np.where(uniform(key, seed, "required skill") < 0.005, 2, 0)
    skill[(uniform(key, seed, "required skill") >= 0.98) & (segment < 2)] = 1
    hours_u = uniform(key, seed, "opening hours")
    hours = np.empty(len(key), dtype=np.intp)
    for s, weights in enumerate(_HOURS_WEIGHTS):
        hours[segment == s] = choose(hours_u[segment == s], weights)

    homes = draw_spread(key, lon, lat, real, n=n_reps, area_m2=_AREA_M2, seed=seed, what="home")
    home_key = key[homes]
    skills = skills_of(home_key, seed, _SKILLS)
    reps = rep_columns(
        home_key, lon[homes], lat[homes], skills=skills, today=today, seed=seed, shift="Mo-Fr 08:00-16:30",
        part_time_shift="Mo-We 08:00-16:30", part_time_share=0.6, timezone="Europe/Berlin",
    )  # fmt: skip
    having = np.column_stack([np.ones(n_reps, dtype=bool), skills["geodata"], skills["utilities"]])
    drive_s = np.array([DRIVE_MIN[a] * MINUTE_S for a in Area], dtype=np.float64)[area]
    interval = np.where(stage == Stage.CUSTOMER, cadence["visit_interval_days"], 56.0)
    workload_s = np.round((cadence["service_s"] + drive_s) * 7 / interval)
    owner = nearest_owner(
        lon, lat, lon[homes], lat[homes],
        load=workload_s,
        drift=1.5 * uniform(home_key, seed, "drift") - 0.75,
        second=uniform(key, seed, "second choice") < 0.04,
        able=having.T[skill],
    )  # fmt: skip
    either = (segment == 2) & (uniform(key, seed, "channel") < 0.4)
    customers = {
        "id": text_array([str(k) for k in key.tolist()]),
        "lon": lon,
        "lat": lat,
        "name": places["name"],
        "workload_s": workload_s,
        **cadence,
        "opening_hours": text_array([_HOURS[i] for i in hours.tolist()]),
        "call_blocks": text_array(_call_blocks(key, today, seed)),
        "required_skills": text_array([("", "geodata", "utilities")[i] for i in skill.tolist()]),
        "owner": reps["id"][owner],
        "locked": uniform(key, seed, "locked") < 0.01,
        "stage": stage,
        **lead_columns(key, stage, potential, seed),
        "channel": np.where(either, Channel.EITHER, Channel.FIELD).astype(np.int8),
        "area": area,
        "timezone": places["timezone"],
        "measures": {"population": real, "potential": potential},
    }
    return customers, reps


def load_germany(
    *, seed: int = 0, n_reps: int = 60, today: np.datetime64 | str = REFERENCE_DAY
) -> tuple[Customers, Reps]:
    """Return Germany's populated places as customers, and reps who call on their town halls.

    Places, names, population and time zones are real (GeoNames, CC BY 4.0); everything else is made
    by a seeded recipe, see `MADE_COLUMNS`. The same arguments give the same tables, on any machine.

    Parameters
    ----------
    seed : int                    >= 0; of the made columns only
    n_reps : int                  1 <= n_reps <= 7,625
    today : datetime64[D] or ISO date
        The day that last visits lie before, and leave and call blocks after.

    Returns
    -------
    Customers, length 7,626
    Reps, length `n_reps`

    Raises
    ------
    InputError
        An argument out of its range.

    Examples
    --------
    >>> customers, reps = load_germany()
    >>> len(customers), len(reps), str(customers.name[0]), str(reps.id[0])
    (7626, 60, 'Zwötzen', 'R01')
    """
    made = made_germany(germany_columns(), seed=checked_seed(seed), n_reps=n_reps, today=checked_day(today))
    return make_tables(*made)
