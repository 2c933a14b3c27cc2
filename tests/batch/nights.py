"""A small country with its tables in files, for nights that are run whole."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

from territory import Customers, Reps
from territory.io import write_table

if TYPE_CHECKING:
    from pathlib import Path


def write_tables(folder: Path, n_reps: int = 2, each: int = 6, **columns) -> None:
    rng = np.random.default_rng(5)
    n = n_reps * each
    own = np.arange(n) % n_reps
    lon0, lat0 = rng.uniform(8, 13, n_reps), rng.uniform(48, 53, n_reps)
    names = [f"R{i}" for i in range(n_reps)]
    customers = Customers(
        id=[f"c{i:02}" for i in range(n)], lon=lon0[own] + rng.normal(0, 0.15, n),
        lat=lat0[own] + rng.normal(0, 0.1, n), visit_interval_days=rng.choice([7.0, 14.0], n),
        owner=[names[i] for i in own], **columns,
    )  # fmt: skip
    write_table(customers, folder / "customers.csv")
    write_table(Reps(id=names, lon=lon0, lat=lat0), folder / "reps.csv")


def write_config(folder: Path, more: str = "", name: str = "nightly.toml", iterations: int = 60) -> Path:
    text = f"""
out = "nights"
[tables]
customers = "customers.csv"
reps = "reps.csv"
{"visits = 'visits.csv'" if (folder / "visits.csv").exists() else ""}
[plan]
weeks = 2
iterations = {iterations}
{more}
"""
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def threads() -> ThreadPoolExecutor:
    """Cheap, and enough where no worker dies."""
    return ThreadPoolExecutor(1)


def digest(night: Path) -> str:
    found = hashlib.sha256()
    for file in sorted((night / "results").rglob("*")):
        if file.is_file():
            found.update(str(file.relative_to(night)).encode() + file.read_bytes())
    return found.hexdigest()


def stops(night: Path) -> list[dict]:
    return pq.read_table(night / "results" / "stops", partitioning=None).to_pylist()
