"""No form of another site is taken by a recipe, whichever way its browser says where it is from."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

RECIPES = ["api-tokens", "dash", "oauth", "passkeys", "sqlalchemy"]


@pytest.mark.parametrize("name", RECIPES)
async def test_only_forms_of_this_site_are_taken(
    cook: Callable[[str], ModuleType], name: str
) -> None:
    client = cook(name).app.test_client()
    for headers, status in (
        ({}, 303),
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "https://localhost"}, 303),  # TLS may end at a proxy.
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, 403),
        ({"Sec-Fetch-Site": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
    ):
        response = await client.post("/logout", headers=headers)
        assert response.status_code == status, headers
