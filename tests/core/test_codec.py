"""What do Flask-Login's `encode_cookie` and `decode_cookie` say?"""

from __future__ import annotations

import hmac
from typing import Any

import pytest
from core.paper import DAY, KEY, NOW, OLD_KEY, Paper

from quart_login._core.codec import decode_cookie, encode_cookie
from quart_login._core.errors import ConfigurationError


def signed(payload: str, key: str) -> str:
    return f"{payload}|{hmac.new(key.encode(), payload.encode(), 'sha512').hexdigest()}"


def test_a_payload_is_encoded_as_flask_login_encodes_it() -> None:
    web = Paper().web
    assert encode_cookie(web, "zoë") == signed("zoë", KEY)
    assert encode_cookie(web, "zoë", "a key") == signed("zoë", "a key")
    assert encode_cookie(web, "zoë", b"a key") == signed("zoë", "a key")


def test_what_was_encoded_is_decoded() -> None:
    web = Paper().web
    assert decode_cookie(web, encode_cookie(web, "a|b")) == "a|b"
    assert decode_cookie(web, encode_cookie(web, "a|b", "a key"), "a key") == "a|b"


@pytest.mark.parametrize("cookie", ["", "|", "x", "1|é", "1|" + "0" * 128, "a.b", "x" * 5000])
def test_junk_is_none(cookie: str) -> None:
    assert decode_cookie(Paper().web, cookie) is None
    assert decode_cookie(Paper().web, cookie, "a key") is None


def test_another_key_decodes_nothing() -> None:
    web = Paper().web
    assert decode_cookie(web, encode_cookie(web, "7", "a key")) is None
    assert decode_cookie(web, encode_cookie(web, "7"), "a key") is None


def test_fallback_keys_count_unless_a_key_is_named() -> None:
    web = Paper(config={"SECRET_KEY_FALLBACKS": [OLD_KEY]}).web
    assert decode_cookie(web, signed("7", OLD_KEY)) == "7"
    assert decode_cookie(web, signed("7", OLD_KEY), KEY) is None
    assert encode_cookie(web, "7") == signed("7", KEY)


def test_without_any_key_it_is_an_error_that_says_what_to_do() -> None:
    web = Paper(config={"SECRET_KEY": None}).web
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        encode_cookie(web, "7")
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        decode_cookie(web, "7|x")
    assert decode_cookie(web, encode_cookie(web, "7", "a key"), "a key") == "7"


@pytest.mark.parametrize("user_id", [7, "7"])
def test_a_remember_cookie_of_our_own_form_gives_its_users_id(user_id: Any) -> None:
    paper = Paper()
    [cookie] = paper.token(user_id).values()
    assert decode_cookie(paper.web, cookie) == "7"


def test_it_gives_nothing_after_its_end_or_under_a_named_key() -> None:
    paper = Paper()
    [cookie] = paper.token(7, seconds=DAY).values()
    assert decode_cookie(paper.web, cookie, KEY) is None
    paper.manager.clock = lambda: NOW + DAY
    assert decode_cookie(paper.web, cookie) is None


def test_without_a_manager_flask_logins_form_is_all_there_is() -> None:
    paper = Paper()
    [cookie] = paper.token(7).values()
    del paper.app.login_manager
    assert decode_cookie(paper.web, cookie) is None
    assert decode_cookie(paper.web, signed("7", KEY)) == "7"
