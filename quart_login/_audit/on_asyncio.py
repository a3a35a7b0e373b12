"""On which event loop does an audit run, where pytest-asyncio runs the suite's fixtures?

On theirs: what an application has opened there, a pool of connections, say, works on no other.
"""

from __future__ import annotations

import asyncio

import pytest_asyncio


@pytest_asyncio.fixture
async def login_audit_loop() -> asyncio.AbstractEventLoop:
    """Return the loop that coroutine fixtures run on, which stands still between them."""
    return asyncio.get_running_loop()
