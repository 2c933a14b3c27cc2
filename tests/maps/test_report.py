from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import fields, replace
from html.parser import HTMLParser

import numpy as np
import pytest

from territory.maps import write_report
from territory.maps.payload import report_data
from territory.model import Customers, Plan, PlanSettings, Reps
from territory.model.ragged import DateRanges
from territory.model.routes import Routes, Stops, Unassigned

EVIL = "</script><script>alert(1)</script><!-- <b>&amp;{{data}}"


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.blocks, self.attributes, self._in = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag in ("script", "style"):
            self.blocks.append([tag, dict(attrs), ""])
            self._in = self.blocks[-1]

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._in = None

    def handle_data(self, data):
        if self._in is not None:
            self._in[2] += data

    @property
    def data(self):
        return json.loads(next(text for tag, attrs, text in self.blocks if attrs.get("id") == "data"))


def written(plan, folder):
    path = write_report(plan, folder / "report.html")
    return path, Page(path.read_text(encoding="utf-8"))


def test_report_is_one_file_that_asks_for_nothing(plan, tmp_path):
    path, page = written(plan, tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"https?:|//[a-z0-9-]+\.[a-z]{2,}|@import|url\(|fetch\(|XMLHttp|WebSocket|\beval\b|innerHTML", text
    )
    asked = [(t, n, v) for t, n, v in page.attributes if n in ("src", "href", "srcset", "action", "data", "poster")]
    assert asked == [("link", "href", "data:,"), ("a", "href", "#panel")]
    assert not {"iframe", "img", "object", "embed", "base", "form"} & set(page.tags)


def test_content_security_policy_knows_the_blocks(plan, tmp_path):
    _, page = written(plan, tmp_path)
    policy = next(v for t, n, v in page.attributes if n == "content" and "default-src" in v)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag, attrs, text in page.blocks:
        if "id" not in attrs:
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not [a for a in page.attributes if a[1] == "style" or a[1].startswith("on")]


def test_scripts_are_strict_and_short(plan, tmp_path):
    _, page = written(plan, tmp_path)
    script = next(text for tag, attrs, text in page.blocks if tag == "script" and not attrs)
    assert script.startswith("'use strict';")


def evil_plan(rng, build):
    make_customers, make_alignment, make_plan = build
    customers = make_customers(40, rng=rng, name=[f"{EVIL} Łódź 😀 \u2028 {i}" for i in range(40)])
    alignment = make_alignment(customers, 3, rng=rng)
    return make_plan(replace(alignment, territory_id=["<b>1", "Zürich & Co", "\u202eRTL"]))


def test_names_cannot_leave_the_data(rng, build, tmp_path):
    plan = evil_plan(rng, build)
    path, page = written(plan, tmp_path)
    assert page.tags.count("script") == 2
    assert "alert(1)</script>" not in path.read_text(encoding="utf-8")
    assert page.data["customers"]["name"] == plan.customers.name.tolist()
    assert page.data["areas"]["id"] == ["<b>1", "Zürich & Co", "\u202eRTL"]


def test_same_plan_same_bytes(plan, tmp_path):
    one = write_report(plan, tmp_path / "1.html").read_bytes()
    assert one == plan.report(str(tmp_path / "2.html")).read_bytes()


def test_times_are_on_the_reps_wall_clock(rng, build):
    make_customers, make_alignment, make_plan = build
    reps = Reps(id=["a"], lon=[10.0], lat=[49.0], timezone=["Europe/Berlin"])
    plan = make_plan(make_alignment(make_customers(10, rng=rng), 1, rng=rng, reps=reps))
    data = report_data(plan)
    assert set(data["routes"]["leave"]) == {9 * 3600}  # 8 in UTC
    assert min(data["routes"]["stops"]["arrival"]) > 9 * 3600


def test_routes_carry_their_stops(plan):
    data = report_data(plan)
    routes, stops = data["routes"], data["routes"]["stops"]
    assert routes["stop"][-1] == len(plan.stops) == len(stops["customer"])
    for i, row in enumerate(zip(routes["rep"], routes["day"], strict=True)):
        view = plan.route(plan.reps.id[row[0]], plan.settings.days[row[1]])
        a, b = routes["stop"][i : i + 2]
        assert stops["customer"][a:b] == view.stops.customer_idx.tolist()
        assert routes["drive"][i] == plan.routes.drive_s[view.row]
        assert (routes["break"][i] is None) == (routes["break_s"][i] == 0)
    assert sum(routes["drive"]) == plan.drive_s


def test_stops_on_a_day_without_a_route_row_are_shown(plan):
    edited = replace(plan, routes=plan.routes.take(np.arange(1, len(plan.routes))))
    before, after = report_data(plan)["routes"], report_data(edited)["routes"]
    assert after["stop"] == before["stop"]
    assert after["leave"] == before["leave"]
    assert after["back"][0] < before["back"][0]  # the way home is not known
    assert after["bound"][0] is None


def test_shifts_leave_and_holidays(rng, build):
    make_customers, make_alignment, make_plan = build
    reps = Reps(
        id=["a", "b"], lon=[10.0, 11.0], lat=[49.0, 49.0], leave=DateRanges.from_text(["2026-01-08..2026-01-20", ""])
    )
    plan = make_plan(make_alignment(make_customers(10, rng=rng), 2, rng=rng, reps=reps))
    data = report_data(plan)["reps"]
    day = 9 * 3600
    assert [data["shifts"][i] for i in data["shift"]] == [[day, -1, day, -1, -1, 0, 0], [day, -1, day, day, day, 0, 0]]


def test_single_dates_and_holidays_of_single_reps(rng, build):
    make_customers, make_alignment, make_plan = build
    exceptions = ["2026-01-06 off; 2026-01-10 10:00-12:00", "2026-01-07 10:00-12:00"]
    reps = Reps(id=["a", "b"], lon=[10.0, 11.0], lat=[49.0, 49.0], shift_exceptions=exceptions, office_days=["Mo", ""])
    plan = make_plan(make_alignment(make_customers(10, rng=rng), 2, rng=rng, reps=reps))
    plan = replace(plan, settings=replace(plan.settings, holidays=[], rep_holidays={"b": ["2026-01-07", "2026-01-08"]}))
    data = report_data(plan)["reps"]
    day, short = 9 * 3600, 2 * 3600
    assert [data["shifts"][i] for i in data["shift"]] == [
        [day, -1, day, day, day, short, 0], [day, day, short, -1, day, 0, 0],
    ]  # fmt: skip


def test_deviation_is_from_the_target_of_the_first_measure(plan):
    measure = report_data(plan)["areas"]["measure"]
    assert (measure["name"], measure["unit"], measure["balance"]) == ("workload_s", "h/week", 0.1)
    assert measure["total"] == pytest.approx(plan.alignment.totals("workload_s") / 3600, abs=1e-3)
    assert len(measure["target"]) == 8


def test_a_territory_in_several_parts_is_drawn_whole(plan):
    moved = plan.alignment.territory_idx.copy()
    far = int(np.argmax(plan.customers.lon + 10 * (moved == moved[0])))
    moved[np.argmin(plan.customers.lon)] = moved[far]
    rings = report_data(replace(plan, alignment=replace(plan.alignment, territory_idx=moved)))["areas"]["rings"]
    assert all(len(each) > 0 for each in rings)
    assert len(rings[moved[far]]) > 1


def test_reps_without_a_territory_have_their_row(plan):
    alignment = replace(plan.alignment, rep_idx=np.array([0, 1, 2, -1, 4, 5, 6, -1], dtype=np.int32))
    areas = report_data(replace(plan, alignment=alignment))["areas"]
    assert areas["rep"] == [0, 1, 2, -1, 4, 5, 6, -1, 3, 7]
    assert {len(areas[name]) for name in ("id", "colour", "customers", "rings", "label")} == {10}


def test_a_plan_of_some_reps_keeps_their_territories(plan):
    part = replace(
        plan,
        reps=plan.reps.take([5, 3]),
        stops=plan.stops.take([]),
        routes=plan.routes.take([]),
        unassigned=plan.unassigned.take([]),
    )
    assert report_data(part)["areas"]["rep"] == [-1, -1, -1, 1, -1, 0, -1, -1]


def bare_plan(n=0, k=1):
    customers = Customers(id=[str(i) for i in range(n)], lon=[10.0] * n, lat=[50.0] * n)
    reps = Reps(id=[f"r{i}" for i in range(k)], lon=[10.0] * k, lat=[50.0] * k)
    settings = PlanSettings(start=np.datetime64("2026-01-05"), n_days=1, holidays=np.empty(0, "datetime64[D]"))
    stops, routes, unassigned = (
        table(**{f.name: [] for f in fields(table) if f.name not in ("bound_s", "diagnostics", "rejects")})
        for table in (Stops, Routes, Unassigned)
    )
    return Plan(customers, reps, settings, stops, routes, unassigned)


@pytest.mark.parametrize(("n", "k"), [(0, 1), (1, 1), (3, 2), (0, 0)])
def test_plans_of_nothing(n, k, tmp_path):
    _, page = written(bare_plan(n, k), tmp_path)
    assert page.data["routes"]["stop"] == [0]
    assert len(page.data["areas"]["rep"]) == k
    assert page.data["areas"]["rings"] is None


def test_plan_without_alignment_groups_by_rep(plan):
    data = report_data(replace(plan, alignment=None))
    of = np.array(data["customers"]["area"])
    assert (of[plan.stops.customer_idx] == plan.stops.rep_idx).all()
    assert data["areas"]["measure"] is None


def test_a_failed_write_leaves_what_was_there(plan, tmp_path, monkeypatch):
    target = tmp_path / "r.html"
    target.write_text("before")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_report(plan, target)
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(FileNotFoundError):
        write_report(plan, tmp_path / "no" / "folder.html")


def test_a_large_plan_stays_small(rng, build, tmp_path):
    make_customers, make_alignment, make_plan = build
    plan = make_plan(make_alignment(make_customers(6000, rng=rng), 40, rng=rng), weeks=4, per_day=8, n_unassigned=300)
    path, _ = written(plan, tmp_path)
    assert path.stat().st_size < 1_500_000
