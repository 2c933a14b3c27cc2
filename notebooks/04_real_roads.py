# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Real roads
#
# Six reps call on the cafes, restaurants and shops of central Helsinki, on foot. Harbour basins, a railway station and
# blocks without passages lie in between. What will be decided: **whether straight lines are good enough to plan by, or
# whether the streets have to be in the plan.**

# %%
import tempfile
from pathlib import Path

import numpy as np

import territory
from territory.datasets import ATTRIBUTION, load_helsinki, load_helsinki_roads

folder = Path(tempfile.mkdtemp())
customers, reps = load_helsinki()
walk = load_helsinki_roads("foot")
print(f"{len(customers)} customers, {len(reps)} reps, {walk}")
print(ATTRIBUTION["helsinki"])

# %% [markdown]
# ## How far are the places from their streets?
#
# A trip begins and ends on the street, at the point nearest to the door. Who lies far from any street would be told in
# the plan's diagnostics, and nobody would be sent there without a way.

# %%
moved = walk.snap(customers.places()).moved_m
print(f"median {np.median(moved):.0f} m, 95 % below {np.quantile(moved, 0.95):.0f} m, furthest {moved.max():.0f} m")

# %% [markdown]
# ## Straight lines, made as good as they get
#
# Without a map, travel is a great circle times a detour factor, at a walking pace. Both are fitted to the streets, so
# that only the shape of the town is missing.

# %%
legs = walk.matrix(customers.places(), customers.places())
straight = territory.travel.GreatCircle(detour=1.0, speeds_km_h=territory.travel.Speeds.constant(5.0), access_km=0.0)
crow = straight.matrix(customers.places(), customers.places())
apart = crow.distances_m > 200
detour = float(legs.distances_m[apart].sum() / crow.distances_m[apart].sum())
straight = territory.travel.GreatCircle(detour=detour, speeds_km_h=territory.travel.Speeds.constant(5.0), access_km=0.0)
off = straight.matrix(customers.places(), customers.places()).durations_s[apart] / legs.durations_s[apart] - 1
print(f"streets are {detour:.2f} times the straight line; a leg is off by {np.median(np.abs(off)):.0%} in the median,")
print(f"and one in ten by more than {np.quantile(np.abs(off), 0.9):.0%}")

# %% [markdown]
# ## Territories by minutes on foot
#
# The same limits twice: once by straight lines, once by minutes along the streets.

# %%
by_line = territory.design_territories(customers, reps, balance={"workload_s": 0.05}, travel=straight)
by_street = territory.design_territories(customers, reps, balance={"workload_s": 0.05}, travel=walk)
moved_to_another = float(np.mean(by_line.customer_rep_idx != by_street.customer_rep_idx))
print(f"{moved_to_another:.0%} of the customers change hands")
by_street.report().round(2)

# %%
by_street.plot()
# %% [markdown]
# ## Two weeks, planned both ways

# %%
calls = {"start": "2026-03-02", "weeks": 2, "iterations": 1500}
plan_line = territory.schedule_visits(customers, reps, by_line, travel=straight, **calls)
plan_street = territory.schedule_visits(customers, reps, by_street, travel=walk, **calls)
plan_street

# %% [markdown]
# ## What happens when the straight-line plan meets the streets
#
# `retimed` walks the same routes along the streets, visit by visit: whoever comes too late begins late. The checker,
# given the streets, then says what breaks.

# %%
walked = plan_line.retimed(walk)
report = territory.check_plan(walked, travel=walk)
promised, really, planned = (p.routes.drive_s.sum() / 3600 for p in (plan_line, walked, plan_street))
late = int((walked.stops.start > plan_line.stops.start).sum())
print(f"straight-line plan: {len(plan_line.stops)} visits, {promised:.1f} h on foot promised, {really:.1f} h really")
print(f"  {late} visits begin late; rules broken: {sorted({v.code for v in report.violations}) or 'none'}")
print(f"street plan: {len(plan_street.stops)} visits, {planned:.1f} h on foot, as promised")

# %% [markdown]
# ## A day along the streets
#
# The map needs no network: the streets come with the data.

# %%
busiest = plan_street.routes_frame().sort_values("n_stops").iloc[-1]
plan_street.route(busiest["rep_id"], busiest["day"]).plot(travel=walk)

# %% [markdown]
# The whole plan as one offline page, routes along streets:

# %%
page = plan_street.report(folder / "report.html", travel=walk)
print(f"{page.name}: {page.stat().st_size / 1e6:.1f} MB")

# %% [markdown]
# ## Your own map
#
# An extract of OpenStreetMap of your region (a file that ends in `.osm.pbf`) takes the place of Helsinki:
#
# ```python
# from territory.travel import RoadGraph
#
# roads = RoadGraph.from_osm("region.osm.pbf", mode="car")   # pip install 'territory[road]'
# plan = territory.schedule_visits(customers, reps, alignment, start="2026-03-02", travel=roads)
# ```
#
# `Osrm.from_osm` and `Valhalla.from_osm` read the same file and are quicker on large maps, or know time of day;
# `OsrmServer` and `ValhallaServer` ask a server of yours. `docs/travel.md` says which to take.

# %% [markdown]
# ## Decided
#
# The plan by straight lines promises hours on foot that the streets do not allow: most of its visits begin late, breaks
# and closing times slip, and it walks about a quarter more than a plan that knows the streets. **Plan on foot in town
# by the streets**: they cost a few seconds of computing.
