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
# # First territories
#
# From two tables to territories, a calendar and tomorrow's routes. The tables here are Bavaria's share of the
# data that comes with the package: real places, and a made sales force that calls on their town halls.

# %%
import tempfile
from pathlib import Path

import territory
from territory.datasets import ATTRIBUTION, load_germany
from territory.io import write_table

folder = Path(tempfile.mkdtemp())
towns, people = load_germany()
south = towns.take((towns.lat < 48.9) & (towns.lon > 10.6))
write_table(south, folder / "customers.csv")
homes = people.take((people.lat < 48.9) & (people.lon > 10.6))
write_table(homes, folder / "reps.csv")
print(f"{len(south)} customers, {len(homes)} reps. {ATTRIBUTION['germany']}")

# %% [markdown]
# ## Read
#
# Any CSV will do that has `id`, `lon` and `lat`; more columns make the plan better. What is wrong with a table is
# said all at once. `measures` are further numbers to balance by.

# %%
customers = territory.read_customers(folder / "customers.csv", measures=["potential", "population"])
reps = territory.read_reps(folder / "reps.csv")
customers.to_frame()[["id", "name", "segment", "visit_interval_days", "service_s", "opening_hours", "owner"]].head()

# %% [markdown]
# ## New territories
#
# Balanced within 5 % of the workload, connected, and drawn to the reps' homes.

# %%
alignment = territory.design_territories(customers, reps, balance={"workload_s": 0.05})
alignment.report().round(2)

# %%
alignment.plot()
# %% [markdown]
# ## Four weeks of visits, and every day's route
#
# Every customer at its interval, within its opening hours and the rep's shift. The search is short here.

# %%
plan = territory.schedule_visits(customers, reps, alignment, start="2026-03-02", weeks=4, iterations=1000)
plan

# %% [markdown]
# ## Tomorrow
#
# Times are those of the clock on the wall.

# %%
tomorrow = plan.day("2026-03-02")
tomorrow.to_frame().head(8)

# %%
route = plan.route(tomorrow.routes_frame()["rep_id"].iloc[0], "2026-03-02")
route.plot()
# %% [markdown]
# ## What is not planned, and why
#
# Nothing is dropped in silence.

# %%
plan.unassigned_frame().head()

# %% [markdown]
# ## Changed by hand, and checked
#
# Move a visit by three hours and ask the checker, which knows nothing of how the plan was made.

# %%
import pandas as pd

edited = plan.to_frame()
edited.loc[0, ["arrival", "start", "end"]] += pd.Timedelta(hours=3)
changed = territory.Plan.from_frame(edited, customers=customers, reps=reps, like=plan)
print(territory.check_plan(plan))
print(territory.check_plan(changed))

# %% [markdown]
# ## To take along
#
# One offline file with maps, calendars and route sheets; and a folder with CSV, GeoJSON, iCalendar and GPX.

# %%
plan.report(folder / "report.html")
territory.write_plan(plan, folder / "plan")
sorted(path.name for path in (folder / "plan").iterdir())
