"""A rep's month on real places: which day each visit is made, and the route of each day.

Instances ``albany``, ``atlanta``, ``augusta``, ``macon``, ``savannah``: a home in the middle of the city's stores
and customers drawn from the 250 stores around it (``real/snap_georgia_us.csv`` below ``--data``), with a visit
every week (15 %), fortnight (35 %) or four weeks (50 %), give or take 2, 4 or 7 days: about 200 visits (``--size
N``) of 20 to 40 minutes in 20 shifts of 8 hours, three in ten of them in the morning or the afternoon only.

``objective``: seconds of driving, four hours for each visit that is missed, half a minute for each day off the
interval. ``days-first`` chooses the days first and routes each with PyVRP, as no peer states a rhythm. Default
budget: 10 s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.drive import Case, Key, run_family
from benchmarks.months import REGIONS, make_month, to_problem, verify

if TYPE_CHECKING:
    from benchmarks.record import Options

ENGINES = ("auto", "search", "ortools", "days-first")
OPTIONS = ("size",)
SECONDS = 10.0


def keys(options: Options) -> list[Key]:
    names = [city.lower() for city in REGIONS]
    return [Key("repmonth", name, None, {"size": options.size or 200}) for name in names if options.wants(name)]


def load(key: Key, options: Options) -> Case:
    month = make_month(options.data, key.instance.capitalize(), options.seed, visits=key.params["size"])
    fields = ("lon", "lat", "durations_s", "service_s", "interval", "tolerance", "due", "opens", "closes")
    return Case(
        problem=to_problem(month), verify=lambda routes: verify(month, routes)[0], bound=lambda value: value,
        group=f"{key.params['size']} visits", figures=lambda routes: verify(month, routes)[1],
        params={name: getattr(month, name) for name in fields},
    )  # fmt: skip


def run(options: Options) -> list[dict[str, Any]]:
    return run_family("repmonth", options)
