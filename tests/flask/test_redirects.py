"""What of a redirect is Flask's alone?"""

from __future__ import annotations

from typing import Any

import pytest
from sites import FlaskSite
from wire import send_raw


@pytest.mark.parametrize("query", [b"next=\xff", b"\xff", b"next=/a&\xff"])
async def test_a_query_of_bytes_that_are_no_utf8_names_no_page(query: bytes) -> None:
    """Quart itself cannot route such a request."""
    site = FlaskSite()

    @site.route("/go")
    async def go() -> Any:
        return await site.call(site.lib.redirect_next, "/home")

    answer = await send_raw(site, "/go", [], query=query)
    assert (answer.status, answer.location) == (302, "/home")
