"""Did a browser keep its cookies of this site back?"""

from __future__ import annotations

import pytest

from quart_login._core.withheld import may_be_withheld


@pytest.mark.parametrize(
    "method,same_site,expected",
    [
        ("POST", None, True),
        ("POST", "Lax", True),
        ("POST", "Strict", True),
        ("POST", "None", False),
        ("PUT", "lax", True),
        ("DELETE", "STRICT", True),
        ("GET", None, False),
        ("GET", "Lax", False),
        ("HEAD", "Lax", False),
        ("GET", "Strict", True),
        ("GET", "None", False),
    ],
)
def test_cookies_are_kept_back_as_samesite_says(
    method: str, same_site: str | None, expected: bool
) -> None:
    assert may_be_withheld("cross-site", method, same_site, {}) is expected


@pytest.mark.parametrize("site", [None, "", "none", "same-origin", "same-site", "Cross-Site"])
def test_none_are_kept_back_from_this_site_s_own_requests(site: str | None) -> None:
    assert not may_be_withheld(site, "POST", "Strict", {})


def test_who_brought_a_session_kept_none_back() -> None:
    assert not may_be_withheld("cross-site", "POST", "Lax", {"cart": [1]})
