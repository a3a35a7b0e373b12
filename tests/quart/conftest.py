from __future__ import annotations

from typing import Any

import pytest
from sites import QuartSite


@pytest.fixture
def make_site() -> Any:
    """Return the class of a site: these tests are about Quart alone."""
    return QuartSite
