"""The instance ``detour`` of the family `travel`: `GreatCircle` fitted to roads, and its error."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.record import Clock, Options, row
from benchmarks.travel_real import CITIES, EXTRACTS, extract, places_at, pois, roads_of, sources
from territory.model.enums import Area
from territory.travel import GreatCircle, area_by_density, detour_sample, fit_detour
from territory.travel.great_circle import EndMetres, Speeds

if TYPE_CHECKING:
    from territory.travel import LegSample

#: Junctions on a square kilometre from which surroundings are urban, and suburban.
URBAN, SUBURBAN = 40.0, 10.0
#: Places and legs of an extract: as many of each, so that none rules.
PLACES, LEGS = 1_500, 5_000
#: What extracts of 30 km at most tell nothing of, and what few places in the mountains tell little of.
KEEP = ("access_km", "speeds_km_h.rural", "end_m.rural")
#: Where the fit begins, which is what is kept; fixed, so that the fit does not depend on what it led to.
BEGIN = GreatCircle(
    detour=1.4, speeds_km_h=Speeds(28.0, 38.0, 55.0, 80.0), access_km=5.0, end_m=EndMetres(0.0, 0.0, 0.0)
)


def samples(options: Options) -> dict[str, list[LegSample]]:
    """Return the legs of each source on all extracts: between points of interest, up to half of the extract's width."""
    found: dict[str, list[LegSample]] = {}
    for name in EXTRACTS:
        path = extract(options.data, name)
        nodes, junctions = roads_of(path)
        xy = pois(options.data, name)
        xy = xy[np.random.default_rng(options.seed).permutation(len(xy))[: options.size or PLACES]]
        if name in CITIES:
            area = np.full(len(xy), Area.URBAN, dtype=np.int8)
        else:
            area = area_by_density(*xy.T, *junctions.T, urban=URBAN, suburban=SUBURBAN)
        scale = 111.2 * np.array([np.cos(np.radians(nodes[0, 1])), 1.0])
        most_km = 0.5 * float((np.ptp(nodes, axis=0) * scale).min())
        for engine, travel in sources(path).items():
            legs = detour_sample(travel, places_at(xy, area), LEGS, rng=options.seed, most_km=most_km)
            found.setdefault(engine, []).append(legs)
    return found


def run(options: Options) -> list[dict[str, Any]]:
    """Fit, and tell what the fit is worth on places that it has not seen."""
    results = []
    for engine, legs in samples(options).items():
        with Clock() as clock:
            fit = fit_detour(legs, begin=BEGIN, keep=KEEP, rng=options.seed)
        print(f"{engine}\n{fit.report()}\n")
        results.append(
            row(
                "detour", engine, options.seed, params={"keep": KEEP, "legs": LEGS}, status="measured", clock=clock,
                objective=fit.after.seconds.median, travel=fit.travel.fingerprint, fitted=fit.fitted,
                n_fitted=fit.n_fitted,
                figure=f"time {fit.after.seconds.median:.0%} (90 %: {fit.after.seconds.q90:.0%}), bias "
                f"{fit.after.seconds.bias:+.0%}; before {fit.before.seconds.median:.0%}, "
                f"{fit.before.seconds.q90:.0%}, {fit.before.seconds.bias:+.0%}",
                after=_plain(fit.after), before=_plain(fit.before),
            )
        )  # fmt: skip
    return results


def _plain(error: Any) -> dict[str, Any]:
    pairs = {"all": (error.seconds, error.metres), **error.by_area, **error.by_distance}
    return {name: {"seconds": asdict(s), "metres": asdict(m)} for name, (s, m) in pairs.items()}
