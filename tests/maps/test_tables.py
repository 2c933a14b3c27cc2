from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from tests.review.plans import random_plan

import territory.maps
from territory.model import Alignment

EVIL = '<script>alert("x")</script>&'


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.open = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):  # noqa: ARG002 - the parser's own signature
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_alignment_table(alignment):
    page = Tags(alignment._repr_html_())
    assert page.tags.count("tr") == 1 + len(alignment)
    assert {"T00", "R07", "h/week", "off target", "reach km"} <= set(page.text)
    assert any("240 customers in 8 territories; feasible; at most 3.0 % from the best" in t for t in page.text)
    assert not page.open


def test_alignment_table_is_short_and_says_so(rng, build):
    make_customers, make_alignment, _ = build
    page = Tags(make_alignment(make_customers(300, rng=rng), 33, rng=rng)._repr_html_())
    assert page.tags.count("tr") == 1 + 20
    assert any("the first 20 territories" in t for t in page.text)


def test_plan_table(plan):
    page = Tags(plan._repr_html_())
    assert {"visits", "driving", "distance", "not planned", "… over-capacity"} <= set(page.text)
    assert any("7 days from 2026-01-05" in t for t in page.text)


def test_names_are_escaped(alignment, plan):
    evil = replace(alignment, territory_id=[EVIL + str(i) for i in range(len(alignment))])
    html = evil._repr_html_()
    assert "<script" not in html
    assert EVIL + "0" in Tags(html).text
    nowhere = np.empty(0)
    empty = Alignment(alignment.customers, None, [], np.full(240, -1, np.int32), [], nowhere, nowhere)
    assert "240 in no territory" in empty._repr_html_()
    assert "script" not in Tags(plan._repr_html_()).tags


def test_reports_and_changes_are_escaped_and_short():
    plan = random_plan(3, n=60, r=30, weeks=4)
    customers = replace(plan.customers, id=[f"{EVIL}{i}" for i in range(60)], segment=[EVIL] * 60)
    reps = replace(plan.reps, id=[f"{EVIL}R{j:02d}" for j in range(30)])
    evil = replace(plan, customers=customers, reps=reps)
    moved = replace(evil, stops=replace(evil.stops, day=evil.stops.day + 1))
    for shown, there in ((evil.report(), EVIL + "R07"), (moved.changes(evil), "other-day")):
        html = shown._repr_html_()
        page = Tags(html)
        assert "<script" not in html
        assert not page.open
        assert there in page.text
        assert any(text.startswith("the first 20 of ") for text in page.text)
    text = Tags(evil.report()._repr_html_()).text
    total = evil.report().totals
    assert f"{total['visits']:,d} at {total['customers']:,d} customers" in text
    assert f"{total['unplanned']:,d}" == text[text.index("not planned") + 1]
    assert EVIL in text  # the class


def test_tables_need_no_matplotlib():
    code = (
        "import sys; import territory.maps as m; m.alignment_html, m.plan_html, m.write_report;"
        "m.plan_report_html, m.plan_changes_html;"
        "print('matplotlib' in sys.modules, 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_public_surface():
    assert dir(territory.maps) == [
        "alignment_html",
        "plan_changes_html",
        "plan_html",
        "plan_report_html",
        "plot_alignment",
        "plot_calendar",
        "plot_load",
        "plot_route",
        "report_html",
        "write_report",
    ]
    assert all(callable(getattr(territory.maps, name)) for name in dir(territory.maps))
    with pytest.raises(AttributeError, match="no attribute 'plot'"):
        territory.maps.plot  # noqa: B018
