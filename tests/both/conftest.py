from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """Return the log of this library, from DEBUG on."""
    with caplog.at_level(logging.DEBUG, "quart_login"):
        yield caplog
