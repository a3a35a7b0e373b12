from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Let nothing be logged: so much happens."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
