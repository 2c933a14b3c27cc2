"""The examples of the README and of the pages that have some do what the text says."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["README.md", "docs/calendar.md", "docs/travel.md"])
def test_the_examples_give_what_they_show(name):
    found = doctest.testfile(str(ROOT / name), module_relative=False, encoding="utf-8")
    assert found.attempted > 0
    assert found.failed == 0
