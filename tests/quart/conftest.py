from __future__ import annotations

from typing import Any

import pytest
from sites import QuartSite

from quart_login import _websocket as sockets


@pytest.fixture
def make_site() -> Any:
    """Return the class of a site: these tests are about Quart alone."""
    return QuartSite


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nobody for long who does not take a close code."""
    monkeypatch.setattr(sockets, "PATIENCE", 0.01)
