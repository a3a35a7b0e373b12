"""Will a browser keep the cookie that this login needs?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from quart_login._core.errors import CookieTooLarge
from quart_login._core.limits import check_remember_cookie, check_session_cookie


def app_with(**interface: Any) -> Any:
    return SimpleNamespace(
        config={"SESSION_COOKIE_NAME": "session"}, session_interface=SimpleNamespace(**interface)
    )


def signing(size: int) -> Any:
    """Return an app whose session cookie's value has *size* bytes."""
    serializer = SimpleNamespace(dumps=lambda session: "x" * size)
    return app_with(get_signing_serializer=lambda app: serializer)


LARGE = {"cart": "x" * 1500}


@pytest.mark.parametrize("size", [1, 4096 - len("name")])
def test_a_remember_cookie_of_4096_bytes_is_kept(size: int) -> None:
    check_remember_cookie("name", "x" * size)


def test_a_larger_remember_cookie_is_refused_with_its_size_and_cure() -> None:
    with pytest.raises(
        CookieTooLarge, match=r"of 4097 bytes.*more than 4096.*get_id\(\) return a shorter"
    ):
        check_remember_cookie("name", "x" * (4097 - len("name")))


def test_a_remember_cookie_is_measured_as_it_is_written() -> None:
    check_remember_cookie("name", "x" * 1100)
    with pytest.raises(CookieTooLarge):
        check_remember_cookie("name", "é" * 1100)  # Each takes eight bytes, quoted.


def test_a_session_cookie_of_4096_bytes_is_kept() -> None:
    check_session_cookie(signing(4096 - len("session")), LARGE)


def test_a_larger_session_cookie_is_refused_with_its_size_and_cure() -> None:
    with pytest.raises(CookieTooLarge, match=r"of 4097 bytes.*the session hold less"):
        check_session_cookie(signing(4097 - len("session")), LARGE)


def test_a_small_session_is_not_measured() -> None:
    def no_serializer(app: Any) -> Any:
        raise AssertionError("measured")

    check_session_cookie(app_with(get_signing_serializer=no_serializer), {"cart": "x" * 1400})
    with pytest.raises(AssertionError, match="measured"):
        check_session_cookie(app_with(get_signing_serializer=no_serializer), LARGE)


def test_a_small_session_is_one_that_is_small_when_written_in_ascii() -> None:
    with pytest.raises(CookieTooLarge):
        check_session_cookie(signing(5000), {"cart": "é" * 400})


def test_a_session_that_is_kept_on_the_server_may_be_large() -> None:
    check_session_cookie(app_with(), {"cart": "x" * 10_000})


def test_an_app_without_a_key_has_no_serializer_and_no_cookie() -> None:
    check_session_cookie(app_with(get_signing_serializer=None), {"cart": "x" * 10_000})
