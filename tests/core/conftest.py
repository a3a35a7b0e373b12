from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from quart_login._core.signals import user_accessed


@pytest.fixture(autouse=True)
def somebody_listens() -> Iterator[None]:
    """Let there be a receiver of `user_accessed`: it is not sent where nobody listens."""

    def receiver(sender: Any, **extra: Any) -> None: ...

    with user_accessed.connected_to(receiver):
        yield
