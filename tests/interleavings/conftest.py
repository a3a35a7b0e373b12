from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from quart_login._core.signals import user_accessed


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Let nothing be logged: so much happens."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def listener() -> Iterator[None]:
    """Let there be a receiver of `user_accessed`, which is not sent where there is none.

    (Another test's may be there, too, until it is collected: a world would not be the same again.)
    """

    def hear(sender: Any, **extra: Any) -> None: ...

    with user_accessed.connected_to(hear, sender="nobody here"):
        yield
