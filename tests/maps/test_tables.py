from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

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


def test_tables_need_no_matplotlib():
    code = (
        "import sys; import territory.maps as m; m.alignment_html, m.plan_html, m.write_report;"
        "print('matplotlib' in sys.modules, 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_public_surface():
    assert dir(territory.maps) == [
        "alignment_html",
        "plan_html",
        "plot_alignment",
        "plot_route",
        "report_html",
        "write_report",
    ]
    assert all(callable(getattr(territory.maps, name)) for name in dir(territory.maps))
    with pytest.raises(AttributeError, match="no attribute 'plot'"):
        territory.maps.plot  # noqa: B018
