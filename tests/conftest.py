"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# a shared machine is slow at times: no deadline an example; one seed in CI, so that a run can be repeated
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

#: Public instances and real places stand beside the project, and are no part of it.
DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real places; the test skips where it is not there."""
    if not DATA.is_dir():
        pytest.skip("the shared data folder is not beside the project")
    return DATA
