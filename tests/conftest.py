from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import settings
from sites import SITES, Site

# A gate that fails must fail again: CI tries the same examples each time.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(params=list(SITES))
def make_site(request: pytest.FixtureRequest) -> Any:
    """Return the class of a site, in each framework in turn: ``make_site({"KEY": value})``."""
    return SITES[request.param]


@pytest.fixture
def site(make_site: Any) -> Site:
    """Return a site with the default settings, in each framework in turn."""
    return make_site()
