"""Real places to try things on, shipped with the package: a country and a city.

Places, names and networks are real and come with the licence of their source (`ATTRIBUTION`); what a
sales force adds to them is made by a seeded recipe (`REAL_COLUMNS`, `MADE_COLUMNS`). Files are read
when a function asks for them, not on import.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from territory.datasets.files import StreetNetwork, germany_columns, helsinki_columns, load_helsinki_network
from territory.datasets.germany import load_germany
from territory.datasets.helsinki import hours_are_real, load_helsinki
from territory.datasets.helsinki_roads import load_helsinki_roads
from territory.datasets.recipe import REFERENCE_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ATTRIBUTION",
    "MADE_COLUMNS",
    "REAL_COLUMNS",
    "REFERENCE_DAY",
    "StreetNetwork",
    "germany_columns",
    "helsinki_columns",
    "hours_are_real",
    "load_germany",
    "load_helsinki",
    "load_helsinki_network",
    "load_helsinki_roads",
]

#: What to print beside anything made from a data set.
ATTRIBUTION: Final[Mapping[str, str]] = MappingProxyType(
    {
        "germany": "Places: GeoNames (https://www.geonames.org), CC BY 4.0",
        "helsinki": "© OpenStreetMap contributors (https://www.openstreetmap.org/copyright), ODbL 1.0",
    }
)

#: By data set: the columns of its customers that are real, and what they are in the source.
REAL_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "germany": MappingProxyType(
            {
                "id": "GeoNames id, as text",
                "lon": "longitude",
                "lat": "latitude",
                "name": "name",
                "timezone": "time zone",
                "measures.population": "number of inhabitants; 0 where the source has none",
            }
        ),
        "helsinki": MappingProxyType(
            {
                "id": "n, w or r (node, way, relation) and OpenStreetMap's number",
                "lon": "longitude; of ways and relations: of the mean of their corners",
                "lat": "latitude; likewise",
                "name": "name; blank where there is none",
                "opening_hours": "where `hours_are_real` says so; the others are made",
            }
        ),
    }
)

_MADE_OF_BOTH: Final = {
    "workload_s": "(visit + minutes on the way by area) a week; leads count one visit in the longest interval",
    "segment": "A, B or C",
    "visit_interval_days": "by segment; blank for leads and lost customers",
    "early_days": "by segment",
    "late_days": "by segment",
    "service_s": "by segment",
    "last_visit": "on the working days of the interval before `today`; 3.5 % overdue, 1.5 % never; leads mostly never",
    "required_skills": "a few",
    "owner": "a rep: a fair power diagram whose prices have drifted; 4 % at the second choice",
    "locked": "1 %",
    "stage": "leads, customers, a few lost",
    "temperature": "of leads, by stage",
    "p_close": "of leads, by temperature",
    "deal_value": "of leads: 0.5 to 2 yearly potentials",
    "margin": "0.15 to 0.40",
    "channel": "field; of segment C 40 % either",
    "area": "urban, suburban, rural",
    "measures.potential": "money a year",
}

#: By data set: the columns of its customers that are made, and how. Of the reps, everything is made
#: but the places of their homes.
MADE_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "germany": MappingProxyType(
            _MADE_OF_BOTH
            | {
                "segment": "A from 20,000 inhabitants on, B from 5,000 on, else C",
                "area": "by the inhabitants of nine cells of about 5 km x 5 km around: 1000 and 250 a km²",
                "measures.potential": "4 x population ** 0.8, x 0.7 to 1.3: money a year",
                "opening_hours": "one of seven weeks of a town hall, by segment",
                "call_blocks": "2 %: five days that begin within the four weeks from `today` on",
            }
        ),
        "helsinki": MappingProxyType(
            _MADE_OF_BOTH
            | {
                "segment": "drawn, by the kind of place",
                "area": "urban",
                "measures.potential": "by segment, x 0.6 to 1.4: money a year",
                "opening_hours": "by the kind of place, where `hours_are_real` says no; the others are real",
                "timezone": "Europe/Helsinki",
            }
        ),
    }
)
