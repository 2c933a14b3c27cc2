"""The configuration: all that is wrong with it, and the example that shows every key."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from territory.batch.config import read_config
from territory.batch.config_keys import KEYS, SECTIONS, example_config
from territory.errors import InputError

MINIMAL = 'out = "nights"\n[tables]\ncustomers = "customers.csv"\nreps = "reps.csv"\n'
DOCS = Path(__file__).parents[2] / "docs" / "batch.md"


@pytest.fixture
def folder(tmp_path):
    for name in ("customers.csv", "reps.csv", "visits.csv", "roads.osm.pbf", "legs.csv"):
        (tmp_path / name).write_text("x")
    (tmp_path / "territories").mkdir()
    return tmp_path


def written(folder, text):
    (folder / "nightly.toml").write_text(text, encoding="utf-8")
    return folder / "nightly.toml"


def problems(folder, text):
    with pytest.raises(InputError) as caught:
        read_config(written(folder, text))
    return {p.column: p for p in caught.value.problems}


def test_paths_are_relative_to_the_file_and_defaults_filled_in(folder, monkeypatch):
    monkeypatch.chdir("/")
    config = read_config(written(folder, MINIMAL))
    assert config["out"] == folder / "nights"
    assert config["tables.customers"] == folder / "customers.csv"
    assert config["plan.weeks"] == 4
    assert config["output.formats"] == []
    assert config.given == {"out", "tables.customers", "tables.reps"}


def test_the_example_is_a_configuration(folder):
    config = read_config(written(folder, example_config()))
    assert config.values == read_config(written(folder, MINIMAL)).values


def uncommented():
    lines = [re.sub(r"^# (?=\w+ = )", "", line) for line in example_config().splitlines()]
    return "\n".join(lines)


def test_the_example_shows_every_key_with_a_value_that_is_read():
    found = tomllib.loads(uncommented())
    shown = {name for name in found if name not in SECTIONS}
    shown |= {f"{section}.{name}" for section in SECTIONS if section for name in found[section]}
    assert shown == {key.path for key in KEYS}


def test_every_value_of_the_example_is_allowed(folder):
    # all keys at once disagree, but no value is wrong by itself
    with pytest.raises(InputError) as caught:
        read_config(written(folder, uncommented()))
    assert set(caught.value.codes) == {"keys-disagree"}


def test_every_key_is_documented_as_it_is():
    text = DOCS.read_text(encoding="utf-8")
    for key in KEYS:
        row = next((line for line in text.splitlines() if line.startswith(f"| `{key.path}` |")), "")
        assert key.text.replace("|", "\\|") in row, key.path
        assert all(f"`{choice}`" in row for choice in key.choices), key.path
        if key.default not in (None, [], {}):
            assert f"`{key.default}`" in row, key.path


def test_all_faults_are_told_at_once(folder):
    found = problems(
        folder,
        """
outt = "x"
timezone = "Europe/Berlyn"
[tables]
customers = "customer.csv"
preset = "salesfore"
[plan]
week = 3
tolerance = "0.2"
iterations = 2.5
hot_days = 0
holidays = ["24.12.2026"]
cover = ["ann"]
jobs = 2
[runs]
x = 1
[run]
jobs = true
time_budget_s = 0
[output]
formats = "ics"
metrics = "a.txt"
""",
    )
    assert {name: p.code for name, p in found.items()} == {
        "out": "missing-key", "tables.reps": "missing-key", "outt": "unknown-key", "timezone": "unknown-timezone",
        "tables.customers": "no-such-file", "tables.preset": "unknown-option", "plan.week": "unknown-key",
        "plan.tolerance": "wrong-type", "plan.iterations": "wrong-type", "plan.hot_days": "out-of-range",
        "plan.holidays": "not-a-date", "plan.cover": "wrong-type", "plan.jobs": "unknown-key",
        "[runs]": "unknown-table", "run.jobs": "wrong-type", "run.time_budget_s": "out-of-range",
        "output.formats": "wrong-type", "output.metrics": "unknown-format",
    }  # fmt: skip
    hints = {name: p.hint for name, p in found.items() if p.hint}
    assert hints["outt"] == "Maybe out?"
    assert hints["timezone"] == "Maybe Europe/Berlin?"
    assert hints["tables.customers"] == "Maybe 'customers.csv'?"
    assert hints["tables.preset"] == "Maybe 'salesforce'?"
    assert hints["plan.week"] == "Maybe plan.weeks?"
    assert hints["plan.jobs"] == "Maybe run.jobs?"
    assert hints["[runs]"] == "Maybe [run]?"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('[travel]\nkind = "great-circle"\nfile = "legs.csv"', "travel.file"),
        ('[travel]\nkind = "osm"', "travel.file"),
        ('[travel]\nkind = "matrix"\nfile = "legs.csv"\ndetour = 1.2', "travel.detour"),
        ('[travel]\nkind = "matrix"\nfile = "legs.csv"\ncache = "c"', "travel.cache"),
        ('[travel]\nkind = "osm"\nfile = "legs.csv"\ndata_version = "c"', "travel.data_version"),
        ('[travel]\nkind = "osrm-server"', "travel.url"),
        ('[travel]\nkind = "osrm-server"\nurl = "http://h"\ndeparture = "2026-01-06T08:00"', "travel.departure"),
        ('[travel]\nkind = "osm"\nfile = "legs.csv"\nfallback = "great-circle"', "travel.fallback"),
        ('[territories]\nfrom = "plan"', "territories.plan"),
        ('[territories]\nplan = "territories"', "territories.plan"),
        ('[previous]\nuse = "none"\nfreeze_days = 2', "previous.freeze_days"),
        ('[run]\nray_address = "auto"', "run.ray_address"),
        ('[run]\nexecutor = "ray"\njobs = 2', "run.jobs"),
        ('[run]\nexecutor = "ray"\nmemory_limit_gb = 2.0', "run.memory_limit_gb"),
        ('[output]\nname = "a"', "output.name"),
        ("[run]\njobs = 0", "run.jobs"),
        ("plan = 3", "plan"),
    ],
)
def test_a_key_that_would_do_nothing_or_lacks_another_is_refused(folder, text, wrong):
    body = MINIMAL.replace("[tables]", f"{text}\n[tables]") if text.startswith("plan") else f"{MINIMAL}{text}\n"
    assert set(problems(folder, body)) == {wrong}


@pytest.mark.parametrize("text", ["out = ", "\0", "out = 1\nout = 2"])
def test_no_toml_is_said_so(folder, text):
    with pytest.raises(InputError) as caught:
        read_config(written(folder, text))
    assert caught.value.codes == ("not-toml",)


def test_a_missing_configuration_points_to_the_example(tmp_path):
    with pytest.raises(InputError, match="--example-config"):
        read_config(tmp_path / "none.toml")


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.path)
def test_every_key_refuses_a_value_of_another_type(folder, key):
    other = "{ a = { b = 1 } }" if key.kind != "text" else "[[1]]"
    section, _, name = key.path.rpartition(".")
    lines = tomllib.loads(MINIMAL)
    body = {"": [f'out = "{lines["out"]}"'], "tables": [f'{n} = "{v}"' for n, v in lines["tables"].items()]}
    body[section] = [one for one in body.get(section, []) if not one.startswith(f"{name} =")] + [f"{name} = {other}"]
    text = "\n".join(body.pop("")) + "\n" + "\n".join(f"[{s}]\n" + "\n".join(ls) for s, ls in body.items())
    with pytest.raises(InputError) as caught:
        read_config(written(folder, text))
    assert (key.path, "wrong-type") in {(p.column, p.code) for p in caught.value.problems}


def test_bounds_are_those_of_the_keys(folder):
    for key in KEYS:
        if key.low is None or key.kind not in ("whole", "number"):
            continue
        step = 0 if key.above else 1
        own = 'url = "http://h"' if key.travel and key.travel[-1].endswith("server") else 'file = "legs.csv"'
        travel = f'kind = "{key.travel[-1]}"\n{own}\n' if key.travel else ""
        for value in (key.low - step, *([] if key.high is None else [key.high + 1])):
            shown = int(value) if value == int(value) else value
            found = problems(folder, f"{MINIMAL}[{key.section}]\n{travel}{key.name} = {shown}\n")
            assert found[key.path].code == "out-of-range", key.path


def test_keys_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        KEYS[0].name = "x"
