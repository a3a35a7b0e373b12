"""Which remember cookie must the response set or delete, and does the request's count?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from core.paper import COOKIE, DAY, KEY, NOW, OLD_KEY, set_cookies, value_of
from werkzeug.wrappers import Response

from quart_login._core.errors import ConfigurationError, CookieTooLarge
from quart_login._core.reasons import Reason
from quart_login._core.remember import (
    DELETE,
    Change,
    apply,
    issue,
    lifetime,
    outdated,
    read,
)
from quart_login._core.settings import SAFE
from quart_login._core.tokens import Keys, Token, encode_legacy, remember_salt, sign

KEYS = Keys(KEY)
ROTATED = Keys("another key of 32 bytes, or so..", (KEY,))


def settings(**changed: Any) -> Any:
    return {**SAFE, **changed}.__getitem__


DEFAULT = settings()
OLD_FORM = settings(REMEMBER_COOKIE_FORMAT="flask-login")


def written(token: Token, setting: Any = DEFAULT, keys: Keys = KEYS) -> str:
    return value_of(issue(token, keys, setting, NOW))


# --- issuing -------------------------------------------------------------------------------------


def test_a_token_is_issued_now_for_as_long_as_the_settings_say() -> None:
    change = issue(Token(7), KEYS, DEFAULT, NOW + 0.9)
    assert read(value_of(change), KEYS, DEFAULT, NOW) == Token(7, issued=int(NOW))
    assert change.expires == datetime.fromtimestamp(NOW, UTC) + timedelta(days=365)


def test_a_token_may_have_a_life_of_its_own() -> None:
    change = issue(Token(7, seconds=60), KEYS, DEFAULT, NOW)
    assert change.expires == datetime.fromtimestamp(NOW + 60, UTC)
    assert read(value_of(change), KEYS, DEFAULT, NOW) == Token(7, issued=int(NOW), seconds=60)


def test_a_token_that_is_issued_anew_keeps_its_time() -> None:
    token = Token(7, issued=int(NOW) - DAY, seconds=2 * DAY, epoch="abc")
    change = issue(token, KEYS, DEFAULT, NOW)
    assert read(value_of(change), KEYS, DEFAULT, NOW) == token
    assert change.expires == datetime.fromtimestamp(NOW + DAY, UTC)


def test_the_old_form_is_written_where_the_settings_name_it() -> None:
    change = issue(Token(7, seconds=60), KEYS, OLD_FORM, NOW)
    assert change.value == encode_legacy("7", KEY)
    assert change.expires == datetime.fromtimestamp(NOW + 60, UTC)


@pytest.mark.parametrize(
    ("duration", "expires"),
    [
        (10**12, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (timedelta.max, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (-(10**12), datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_the_end_is_a_date_that_can_be_written(duration: Any, expires: datetime) -> None:
    setting = settings(REMEMBER_COOKIE_DURATION=duration)
    assert issue(Token(7), KEYS, setting, NOW).expires == expires


def test_a_token_for_which_browsers_have_no_room_is_refused() -> None:
    with pytest.raises(CookieTooLarge):
        issue(Token("\1" * 2048), KEYS, DEFAULT, NOW)
    short = settings(REMEMBER_COOKIE_NAME="n")
    issue(Token("x" * 2048), KEYS, short, NOW)
    with pytest.raises(CookieTooLarge):
        issue(Token("x" * 2048), KEYS, settings(REMEMBER_COOKIE_NAME="n" * 2000), NOW)


@pytest.mark.parametrize("letter", ["x", "é", "日", "𝄞", "|"])
def test_a_long_id_has_room_in_whatever_language(letter: str) -> None:
    user_id = letter * (2048 // len(letter.encode()))
    token = read(written(Token(user_id)), KEYS, DEFAULT, NOW)
    assert isinstance(token, Token) and token.user_id == user_id


def test_a_duration_that_is_none_is_a_developers_error() -> None:
    setting = settings(REMEMBER_COOKIE_DURATION=1.5)
    with pytest.raises(ConfigurationError, match="REMEMBER_COOKIE_DURATION must be"):
        lifetime(Token(7), setting)
    assert lifetime(Token(7, seconds=0.5), setting) == 0.5


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "found"),
    [
        (0, Token),
        (365 * DAY, Token),
        (365 * DAY + 1, Reason.EXPIRED),
        (-60, Token),
        (-61, Reason.EXPIRED),
    ],
)
def test_the_server_ends_a_token_and_refuses_one_of_the_future(age: int, found: Any) -> None:
    text = written(Token(7, issued=int(NOW) - age))
    assert read(text, KEYS, DEFAULT, NOW) == (
        Token(7, issued=int(NOW) - age) if found is Token else found
    )


def test_a_tokens_own_life_wins_over_the_settings() -> None:
    text = written(Token(7, issued=int(NOW), seconds=60))
    assert isinstance(read(text, KEYS, DEFAULT, NOW + 60), Token)
    assert read(text, KEYS, DEFAULT, NOW + 61) is Reason.EXPIRED


def test_a_shorter_duration_ends_the_tokens_that_are_out_there() -> None:
    text = written(Token(7, issued=int(NOW) - DAY))
    assert read(text, KEYS, settings(REMEMBER_COOKIE_DURATION=60), NOW) is Reason.EXPIRED


@pytest.mark.parametrize(
    "text",
    ["", ".", "|", "1|é", "é", "a.b", "x" * 5000, "7|" + "0" * 127, "x" * 5000 + "." + "y" * 43],
)
def test_junk_is_malformed(text: str) -> None:
    assert read(text, KEYS, DEFAULT, NOW) is Reason.MALFORMED


@pytest.mark.parametrize("text", ["7|" + "0" * 128, "|7|" + "a" * 128, "x." + "y" * 43])
def test_what_has_the_form_of_a_token_has_a_bad_signature(text: str) -> None:
    assert read(text, KEYS, DEFAULT, NOW) is Reason.BAD_SIGNATURE


def test_another_key_has_a_bad_signature_in_both_forms() -> None:
    for setting in (DEFAULT, OLD_FORM):
        text = written(Token(7), setting, Keys(OLD_KEY))
        assert read(text, KEYS, DEFAULT, NOW) is Reason.BAD_SIGNATURE


@pytest.mark.parametrize("issued", [10**400, -(10**400)], ids=["future", "past"])
def test_a_time_that_is_no_time_breaks_nothing(issued: int) -> None:
    # Nobody without the key can write it; the rule is that no cookie is an error.
    text = sign([7, issued, None, None], KEYS, remember_salt(None))
    assert read(text, KEYS, DEFAULT, NOW) in (Reason.BAD_SIGNATURE, Reason.EXPIRED)


@pytest.mark.parametrize("seconds", [float("nan"), float("-inf"), float("inf"), 10**400])
def test_a_life_that_nothing_can_be_reckoned_with_is_none(seconds: float) -> None:
    text = sign([7, int(NOW), seconds, None], KEYS, remember_salt(None))
    assert read(text, KEYS, DEFAULT, NOW) is Reason.BAD_SIGNATURE


def test_flask_logins_form_is_read() -> None:
    assert read(encode_legacy("7", KEY), KEYS, DEFAULT, NOW) == Token("7")


def test_flask_logins_form_is_good_until_the_date_that_ends_it() -> None:
    text = encode_legacy("7", KEY)
    setting = settings(REMEMBER_COOKIE_LEGACY_UNTIL=date(2030, 1, 1))
    ends = datetime(2030, 1, 1, tzinfo=UTC).timestamp()
    assert read(text, KEYS, setting, ends - 1) == Token("7")
    assert read(text, KEYS, setting, ends) is Reason.LEGACY_ENDED
    assert isinstance(read(written(Token(7)), KEYS, setting, NOW), Token)


def test_where_an_audience_is_named_flask_logins_form_is_refused() -> None:
    setting = settings(LOGIN_AUDIENCE="shop")
    assert read(encode_legacy("7", KEY), KEYS, setting, NOW) is Reason.BAD_SIGNATURE


def test_a_token_is_good_for_its_audience_alone() -> None:
    shop, blog = settings(LOGIN_AUDIENCE="shop"), settings(LOGIN_AUDIENCE="blog")
    text = written(Token(7), shop)
    assert isinstance(read(text, KEYS, shop, NOW), Token)
    assert read(text, KEYS, blog, NOW) is Reason.BAD_SIGNATURE
    assert read(text, KEYS, DEFAULT, NOW) is Reason.BAD_SIGNATURE


# --- replacing -----------------------------------------------------------------------------------


def test_a_token_of_the_current_key_and_form_is_not_replaced() -> None:
    token = read(written(Token(7)), KEYS, DEFAULT, NOW)
    assert isinstance(token, Token) and not outdated(token, DEFAULT)


def test_flask_logins_form_is_replaced_unless_it_is_the_one_to_write() -> None:
    assert outdated(Token("7"), DEFAULT)
    assert not outdated(Token("7"), OLD_FORM)


@pytest.mark.parametrize("setting", [DEFAULT, OLD_FORM])
def test_a_token_of_a_fallback_key_is_replaced_in_both_forms(setting: Any) -> None:
    token = read(written(Token(7), setting), ROTATED, setting, NOW)
    assert isinstance(token, Token) and outdated(token, setting)
    again = read(value_of(issue(token, ROTATED, setting, NOW)), ROTATED, setting, NOW)
    assert isinstance(again, Token) and not outdated(again, setting)


def test_replacing_a_token_never_makes_it_live_longer() -> None:
    token = read(written(Token(7, issued=int(NOW) - DAY)), ROTATED, DEFAULT, NOW)
    assert isinstance(token, Token)
    again = issue(token, ROTATED, DEFAULT, NOW)
    assert again.expires == datetime.fromtimestamp(NOW + 364 * DAY, UTC)
    read_again = read(value_of(again), ROTATED, DEFAULT, NOW)
    assert read_again == replace(token, by_fallback=False)


# --- the response --------------------------------------------------------------------------------

ATTRIBUTES = {
    "REMEMBER_COOKIE_NAME": "__Secure-me",
    "REMEMBER_COOKIE_DOMAIN": "example.org",
    "REMEMBER_COOKIE_PATH": "/app",
    "REMEMBER_COOKIE_SECURE": True,
    "REMEMBER_COOKIE_HTTPONLY": True,
    "REMEMBER_COOKIE_SAMESITE": "Strict",
}


def sent(change: Change, setting: Any) -> list[str]:
    """Return the parts of the Set-Cookie header that carries *change*."""
    response = Response()
    apply(change, response, setting)
    [line] = set_cookies(response)
    return line.split("; ")


def test_a_cookie_is_set_with_the_attributes_of_the_settings() -> None:
    change = Change("value", datetime(2030, 1, 1, tzinfo=UTC))
    assert sent(change, DEFAULT) == [
        f"{COOKIE}=value",
        "Expires=Tue, 01 Jan 2030 00:00:00 GMT",
        "HttpOnly",
        "Path=/",
    ]
    assert set(sent(change, settings(**ATTRIBUTES))) == {
        "__Secure-me=value",
        "Expires=Tue, 01 Jan 2030 00:00:00 GMT",
        "Domain=example.org",
        "Path=/app",
        "Secure",
        "HttpOnly",
        "SameSite=Strict",
    }


def test_a_cookie_is_deleted_with_every_attribute_that_it_was_set_with() -> None:
    assert set(sent(DELETE, settings(**ATTRIBUTES))) == {
        "__Secure-me=",
        "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "Max-Age=0",
        "Domain=example.org",
        "Path=/app",
        "Secure",
        "HttpOnly",
        "SameSite=Strict",
    }


@pytest.mark.parametrize("change", [DELETE, Change("value")])
def test_a_change_deletes_the_cookie_of_the_former_name_with_the_same_attributes(
    change: Change,
) -> None:
    response = Response()
    apply(change, response, settings(**ATTRIBUTES, REMEMBER_COOKIE_FORMER_NAME="me"))
    now, former = set_cookies(response)
    assert now.startswith("__Secure-me=") and former.startswith("me=; ")
    assert "Max-Age=0" in former
    assert {"Domain=example.org", "Path=/app", "Secure", "HttpOnly", "SameSite=Strict"} <= set(
        former.split("; ")
    )


class Old:
    """A response of a Werkzeug that knows no partitioned cookies."""

    vary: set[str] = set()  # noqa: RUF012

    def set_cookie(self, name: str, value: str, **attributes: Any) -> None:
        assert "partitioned" not in attributes

    def delete_cookie(self, name: str, **attributes: Any) -> None:
        assert "partitioned" not in attributes


def test_a_cookie_that_is_not_partitioned_needs_no_werkzeug_that_knows_it() -> None:
    for change in (DELETE, Change("value")):
        apply(change, Old(), settings())


def test_a_partitioned_cookie_is_set_and_deleted_so() -> None:
    class New:
        def __init__(self) -> None:
            self.vary: set[str] = set()
            self.said: list[Any] = []

        def set_cookie(self, name: str, *value: str, **attributes: Any) -> None:
            self.said.append(attributes["partitioned"])

        delete_cookie = set_cookie

    response = New()
    for change in (DELETE, Change("value")):
        apply(change, response, settings(REMEMBER_COOKIE_PARTITIONED=True))
    assert response.said == [True, True]


@pytest.mark.parametrize("change", [DELETE, Change("value")])
def test_a_response_that_changes_the_cookie_varies_by_it(change: Change) -> None:
    response = Response(headers={"Vary": "Accept"})
    apply(change, response, DEFAULT)
    assert response.headers["Vary"] == "Accept, Cookie"


def test_a_change_shows_no_secret() -> None:
    assert repr(Change("value")) == "<Change: set>"
    assert repr(DELETE) == "<Change: delete>"
