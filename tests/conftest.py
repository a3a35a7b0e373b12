from __future__ import annotations

from typing import Any

import pytest
from sites import SITES, Site


@pytest.fixture(params=list(SITES))
def make_site(request: pytest.FixtureRequest) -> Any:
    """Return the class of a site, in each framework in turn: ``make_site({"KEY": value})``."""
    return SITES[request.param]


@pytest.fixture
def site(make_site: Any) -> Site:
    """Return a site with the default settings, in each framework in turn."""
    return make_site()
