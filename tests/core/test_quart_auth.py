"""Quart-Auth's cookie brings its user back, once, and leaves the browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha512
from typing import Any

import pytest
from core.paper import (
    DAY,
    KEY,
    NOW,
    OLD_KEY,
    Browser,
    Manager,
    Paper,
    User,
    cookie_in,
    set_cookies,
)
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from quart_login._core import login, moving, realms
from quart_login._core.errors import ConfigurationError
from quart_login._core.listing import revoke_user
from quart_login._core.quart_auth import QuartAuthCookie, described, serializer_class
from quart_login._core.reasons import Reason
from quart_login._core.remember import DELETE
from quart_login._core.step import step
from quart_login._core.tokens import Keys, Token

YEAR = 365 * DAY
NAME = "QUART_AUTH"


def cookie(auth_id: Any, *, key: str = KEY, age: float = 60, salt: str = "quart auth salt") -> str:
    """Return what Quart-Auth wrote for *auth_id*, *age* seconds ago."""

    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(NOW - age)

    maker = URLSafeTimedSerializer(
        key, salt, signer=Signer, signer_kwargs={"digest_method": sha512}
    )
    return str(maker.dumps(auth_id))


def adopted(config: dict[str, Any] | None = None, **options: Any) -> QuartAuthCookie:
    known = {"until", "remember", "user_id", "serializer_class"}
    given = {f"QUART_AUTH_{k.upper()}": v for k, v in options.items() if k not in known}
    return described(
        config or {},
        given,
        until=options.get("until"),
        remember=options.get("remember", False),
        user_id=options.get("user_id", str),
        serializer_class=options.get("serializer_class", serializer_class),
    )


def paper(auth_id: Any = "1", value: str | None = None, **options: Any) -> Paper:
    """Return a request that brings Quart-Auth's cookie."""
    sent = cookie(auth_id) if value is None else value
    known = {"cookies", "config", "session", "websocket", "users", "headers"}
    extra = {key: options.pop(key) for key in list(options) if key in known}
    users = extra.pop("users", {"1": User("1"), "2": User("2"), "3": User("3", active=False)})
    it = Paper(users=users, **{**extra, "cookies": {NAME: sent, **extra.get("cookies", {})}})
    it.manager.adopted = adopted(it.app.config, **options)
    return it


def removed(it: Paper) -> bool:
    """Does the response remove the cookie?"""
    lines = [line for line in set_cookies(it.answer()) if line.startswith(f"{NAME}=")]
    return bool(lines) and all("Max-Age=0" in line for line in lines)


# --- what the cookie says ------------------------------------------------------------------------

KEYS = Keys(KEY, (OLD_KEY,))


@pytest.mark.parametrize("key", [KEY, OLD_KEY])
@pytest.mark.parametrize("auth_id", ["1", "zoë", "x" * 300, 7, -1])
def test_a_good_cookie_says_whom_and_since_when(key: str, auth_id: Any) -> None:
    said = adopted(user_id=lambda same: same).read(cookie(auth_id, key=key), KEYS, NOW)
    assert said == Token(auth_id, int(NOW) - 60, YEAR, foreign=True)


def test_the_id_is_made_what_the_user_loader_takes() -> None:
    as_text = adopted().read(cookie(7), KEYS, NOW)
    assert isinstance(as_text, Token) and as_text.user_id == "7"
    as_number = adopted(user_id=int).read(cookie("7"), KEYS, NOW)
    assert isinstance(as_number, Token) and as_number.user_id == 7


@pytest.mark.parametrize("auth_id", [None, True, 1.5, [], {"id": 1}, "", 2**2000])
def test_what_is_no_id_names_nobody(auth_id: Any) -> None:
    assert adopted(user_id=lambda same: same).read(cookie(auth_id), KEYS, NOW) is Reason.MALFORMED


@pytest.mark.parametrize("user_id", [int, lambda auth_id: None, lambda auth_id: auth_id + 1])
def test_an_id_that_cannot_be_one_now_names_nobody(user_id: Any) -> None:
    assert adopted(user_id=user_id).read(cookie("ann"), KEYS, NOW) is Reason.MALFORMED


@pytest.mark.parametrize(
    ("age", "good"), [(-60, True), (-61, False), (0, True), (YEAR, True), (YEAR + 1, False)]
)
def test_it_is_good_for_as_long_as_quart_auth_said(age: int, good: bool) -> None:
    said = adopted().read(cookie("1", age=age), KEYS, NOW)
    assert isinstance(said, Token) if good else said is Reason.EXPIRED


@pytest.mark.parametrize("duration", [59, 60.5, timedelta(minutes=1)])
def test_the_duration_may_be_another(duration: Any) -> None:
    said = adopted(duration=duration).read(cookie("1", age=60), KEYS, NOW)
    assert (said is Reason.EXPIRED) is (duration == 59)


def test_from_a_day_on_it_is_refused() -> None:
    until = date(2027, 1, 16)  # after NOW, which is 2027-01-15 08:00 UTC
    assert isinstance(adopted(until=until).read(cookie("1"), KEYS, NOW), Token)
    late = NOW + DAY
    assert adopted(until=until).read(cookie("1"), KEYS, late) is Reason.LEGACY_ENDED


@pytest.mark.parametrize(
    "text", ["", "é", "a.b", "a.b.c.d", "a b.c.d", ".", "..", "...", "x" * 5000, "a.b.c\n"]
)
def test_junk_is_told_by_its_shape(text: str) -> None:
    assert adopted().read(text, KEYS, NOW) is Reason.MALFORMED


@pytest.mark.parametrize(
    "value",
    [
        cookie("1", key="another key, of as many characters"),
        cookie("1", salt="another salt"),
        cookie("1")[:-1],
        cookie("1") + "A",
        cookie("1").swapcase(),
        "a.b.c",
        "." + cookie("1"),
    ],
)
def test_what_was_signed_otherwise_is_nobodys(value: str) -> None:
    assert adopted().read(value, KEYS, NOW) is Reason.BAD_SIGNATURE


def test_what_was_signed_and_is_no_json_is_nobodys() -> None:
    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(NOW)

    signer = Signer(KEY, salt="quart auth salt", digest_method=sha512)
    value = signer.sign(b"bm90IGpzb24").decode()
    assert adopted().read(value, KEYS, NOW) is Reason.MALFORMED


def test_a_class_of_ones_own_reads_what_it_wrote_and_may_raise_anything() -> None:
    def other(keys: Any, salt: Any) -> Any:
        return URLSafeTimedSerializer(keys, salt)  # signs with SHA-1

    value = str(other(KEY, "quart auth salt").dumps("1"))
    now = float(other(KEY, "quart auth salt").loads(value, return_timestamp=True)[1].timestamp())
    assert isinstance(adopted(serializer_class=other).read(value, KEYS, now), Token)
    assert adopted().read(value, KEYS, now) is Reason.BAD_SIGNATURE

    def broken(keys: Any, salt: Any) -> Any:
        raise LookupError

    assert adopted(serializer_class=broken).read(value, KEYS, now) is Reason.MALFORMED


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    assert isinstance(adopted().read(text, KEYS, NOW), Reason)


@given(st.data())
def test_no_part_of_a_good_cookie_can_be_changed(data: st.DataObject) -> None:
    good = cookie("1")
    place = data.draw(st.integers(0, len(good) - 1))
    letter = data.draw(st.characters(codec="ascii"))
    changed = good[:place] + letter + good[place + 1 :]
    said = adopted().read(changed, KEYS, NOW)
    # (The last letter of a base64 text may have bits that say nothing.)
    assert changed == good or isinstance(said, Reason) or said == adopted().read(good, KEYS, NOW)


def test_it_tells_no_salt() -> None:
    assert repr(adopted(salt="secret salt")) == "<QuartAuthCookie 'QUART_AUTH'>"


# --- how it is described -------------------------------------------------------------------------


def test_what_is_given_goes_before_the_configuration_and_that_before_the_defaults() -> None:
    config = {"QUART_AUTH_COOKIE_NAME": "auth", "QUART_AUTH_COOKIE_SECURE": False}
    found = adopted(config, cookie_name="mine", cookie_path="/app")
    assert found.name == "mine"
    assert found.attributes == {
        "domain": None,
        "path": "/app",
        "secure": False,
        "httponly": True,
        "samesite": "Lax",
    }


@pytest.mark.parametrize(
    ("config", "options", "said"),
    [
        ({"QUART_AUTH_MODE": "bearer"}, {}, "no cookie to adopt"),
        ({}, {"duration": 0}, "QUART_AUTH_DURATION must be positive"),
        ({}, {"duration": "a year"}, "QUART_AUTH_DURATION must be"),
        ({}, {"until": 7}, "until must be a date"),
        ({}, {"cookie_samesite": "lazy"}, "QUART_AUTH_COOKIE_SAMESITE must be"),
        ({}, {"cookie_name": "__Host-a", "cookie_domain": "a.example"}, "__Host-"),
        ({"LOGIN_AUDIENCE": "shop"}, {}, "names no audience but its salt"),
    ],
)
def test_what_cannot_be_is_said(config: Any, options: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        adopted(config, **options)


def test_a_salt_of_ones_own_is_as_good_as_an_audience() -> None:
    assert adopted({"LOGIN_AUDIENCE": "shop"}, salt="shop").salt == "shop"


@pytest.mark.parametrize("key", ["SESSION_COOKIE_NAME", "REMEMBER_COOKIE_NAME"])
def test_no_other_cookie_may_have_its_name(key: str) -> None:
    it = paper()
    it.app.config[key] = NAME
    with pytest.raises(ConfigurationError, match="and so is"):
        realms.check_cookies(it.app)


def test_no_two_managers_may_read_it() -> None:
    it, other = paper(), Manager("staff")
    realms.join(it.app, other, replaces=False)
    other.adopted = adopted(cookie_name="STAFF_AUTH")
    realms.check_cookies(it.app)
    other.adopted = it.manager.adopted
    with pytest.raises(ConfigurationError, match="adopt_quart_auth was told of"):
        realms.check_cookies(it.app)


# --- without a store -----------------------------------------------------------------------------


def test_its_user_is_logged_in_and_the_cookie_removed() -> None:
    it = paper()
    assert it.who().id == "1"
    assert it.session["_user_id"] == "1" and it.session["_fresh"] is False
    assert "loaded-from-cookie" in it.names()
    assert removed(it)


def test_the_cookie_is_removed_with_the_attributes_that_it_was_set_with() -> None:
    it = paper(cookie_domain="a.example", cookie_path="/app", cookie_samesite="Strict")
    it.who()
    [line] = [line for line in set_cookies(it.answer()) if line.startswith(f"{NAME}=")]
    for attribute in ("Domain=a.example", "Path=/app", "Secure", "HttpOnly", "SameSite=Strict"):
        assert attribute in line.split("; ")


def test_the_login_is_never_fresh() -> None:
    it = paper()
    it.who()
    assert not login.login_fresh(it)
    later = it.again({})
    assert later.who().id == "1" and not login.login_fresh(later)


def test_it_does_not_outlive_the_browser_unless_the_application_says_so() -> None:
    it = paper()
    it.who()
    assert it.identity.remember is DELETE
    assert not login.login_remembered(it)


def test_nor_is_it_made_to_with_the_requests_that_follow() -> None:
    it = paper(config={"REMEMBER_COOKIE_REFRESH_EACH_REQUEST": True})
    it.who()
    assert "remember_token=;" in " ".join(set_cookies(it.answer()))
    later = it.again({})
    assert later.who().id == "1"
    assert set_cookies(later.answer()) == []


def test_a_remember_cookie_takes_its_place_for_what_is_left_of_its_time() -> None:
    it = paper(value=cookie("1", age=YEAR - 100), remember=True)
    it.who()
    assert login.login_remembered(it)
    response = it.answer()
    mine = {"remember_token": cookie_in(response)}
    assert any(line.startswith(f"{NAME}=;") for line in set_cookies(response))
    for seconds, user in ((100, "1"), (101, None)):
        later = it.again(mine)
        later.session.clear()
        later.manager.clock = lambda seconds=seconds: NOW + seconds  # type: ignore[misc]
        assert getattr(later.who(), "id", None) == user


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("junk", "malformed"),
        ("a.b.c", "bad_signature"),
        (cookie(None), "malformed"),
        (cookie("1", age=YEAR + 1), "expired"),
        (cookie("nobody"), "user_gone"),
        (cookie("3"), "user_inactive"),
    ],
)
def test_what_logs_nobody_in_is_removed_and_told(value: str, reason: str) -> None:
    it = paper(value=value)
    assert it.who() is None
    assert it.reasons() == [reason]
    assert "_user_id" not in it.session
    assert removed(it)


def test_where_no_login_outlives_the_browser_none_comes_from_there() -> None:
    it = paper(config={"LOGIN_ASSURANCE_LEVEL": "aal2"})
    assert it.who() is None
    assert it.reasons() == ["expired"] and removed(it)


def test_a_loader_that_fails_keeps_the_cookie() -> None:
    def fail(user_id: Any) -> Any:
        raise LookupError

    it = paper(users=fail)
    assert it.who() is None
    assert isinstance(it.identity.error, LookupError)
    assert set_cookies(it.answer()) == []


def test_without_a_key_nobody_is_logged_in() -> None:
    it = paper(config={"SECRET_KEY": None})
    assert it.who() is None


def test_a_login_of_ours_stands_and_the_cookie_is_removed() -> None:
    first = paper()
    first.who()
    it = first.again()  # The response was lost, but for its session.
    assert it.who().id == "1"
    assert removed(it)


def test_a_login_of_ours_stands_beside_junk() -> None:
    first = paper()
    first.who()
    it = first.again({NAME: "junk"})
    assert it.who().id == "1"
    assert removed(it)


def test_two_users_at_once_are_nobody() -> None:
    first = paper()
    first.who()
    it = first.again({NAME: cookie("2")})
    assert it.who() is None
    assert removed(it) and "_user_id" not in it.session


def test_our_own_remember_cookie_goes_before() -> None:
    it = paper("2")
    it.request.cookies.update(it.token("1"))
    assert it.who().id == "1"


def test_a_websocket_does_not_know_it() -> None:
    it = paper(websocket=True)
    assert it.who() is None and it.reasons() == []


def test_whoever_brings_a_header_is_not_asked_for_it() -> None:
    it = paper(headers={"Authorization": "Basic eDp5"})
    it.manager.verify_password(lambda name, password: None)
    assert it.who() is None
    assert set_cookies(it.answer()) == []


@pytest.mark.parametrize("user_id", ["1", "2"])
def test_a_login_before_anybody_looked_removes_it(user_id: str) -> None:
    it = paper()
    assert step(login.login_user(it, User(user_id)))
    assert removed(it)


def test_a_logout_removes_it_also_where_its_path_kept_it_away() -> None:
    first = paper(cookie_path="/app")
    first.who()
    it = first.again({})
    step(login.logout_user(it))
    assert removed(it)


def test_a_refreshed_remember_cookie_removes_it_only_where_it_came() -> None:
    it = paper(config={"REMEMBER_COOKIE_REFRESH_EACH_REQUEST": True}, remember=True)
    it.who()
    response = it.answer()
    mine = {"remember_token": cookie_in(response)}
    assert len(set_cookies(response)) == 2
    again = it.again(mine)
    again.who()
    [line] = set_cookies(again.answer())
    assert line.startswith("remember_token=") and "Max-Age=0" not in line
    both = it.again({**mine, NAME: cookie("1")})
    both.who()
    assert removed(both)


def test_a_response_of_an_application_that_reads_none_removes_none() -> None:
    it = paper()
    it.manager.adopted = None
    assert it.who() is None
    assert set_cookies(it.answer()) == []


# --- with a store --------------------------------------------------------------------------------


@pytest.fixture
def browse() -> Callable[..., Browser]:
    """Return a function that makes a browser with Quart-Auth's cookie, and a store."""

    def make(value: str | None = None, **options: Any) -> Browser:
        browser = Browser(users={"1": User("1"), "2": User("2"), "3": User("3", active=False)})
        browser.it.manager.adopted = adopted(**options)
        browser.jar[NAME] = cookie("1") if value is None else value
        return browser

    return make


def test_it_becomes_a_login_session(browse: Any) -> None:
    browser = browse()
    assert browser.who().id == "1"
    assert browser.jar == {}
    assert browser.store.one().method == "remember_cookie"
    assert browser.store.one().remember is None
    assert browser.who().id == "1"


def test_it_becomes_a_login_session_with_a_remember_cookie(browse: Any) -> None:
    browser = browse(remember=True)
    assert browser.who().id == "1"
    assert list(browser.jar) == ["remember_token"]
    browser.close()
    assert browser.who().id == "1"


def test_requests_at_once_become_one_login_session(browse: Any) -> None:
    browser = browse()
    others = [browser.copy() for _ in range(3)]
    assert [one.who().id for one in (browser, *others)] == ["1"] * 4
    assert len(browser.store.logins()) == 1


def test_a_copy_is_nothing_after_the_logout(browse: Any) -> None:
    browser = browse()
    thief = browser.copy()
    browser.who()
    browser.do(login.logout_user)
    assert thief.who() is None
    assert thief.jar == {}


def test_a_copy_is_nothing_after_a_logout_that_brought_it(browse: Any) -> None:
    browser = browse()
    thief = browser.copy()
    browser.do(login.logout_user)
    assert browser.jar == {} and thief.who() is None


def test_a_copy_is_nothing_a_while_after_it_was_used(browse: Any) -> None:
    browser = browse()
    thief = browser.copy()
    browser.who()
    browser.clock.advance(minutes=2)
    assert thief.who() is None


def test_who_revokes_a_user_ends_the_cookies_that_nobody_has_seen(browse: Any) -> None:
    browser = browse()
    browser.another().do(revoke_user, "1")
    assert browser.who() is None


@pytest.mark.parametrize("user_id", ["1", "2"])
def test_a_login_before_anybody_looked_removes_it_here_too(browse: Any, user_id: str) -> None:
    browser = browse()
    browser.do(login.login_user, User(user_id))
    assert browser.jar == {}


def test_a_store_that_fails_keeps_it(browse: Any) -> None:
    browser = browse()
    browser.store.fail_at(0)
    assert browser.who() is None
    assert list(browser.jar) == [NAME]
    browser.store.fail_at(None)
    assert browser.who().id == "1"


def test_where_nothing_from_before_the_store_counts_it_does_not(browse: Any) -> None:
    browser = browse()
    browser.config["LOGIN_ADOPT_REMEMBER_COOKIES"] = False
    assert browser.who() is None
    assert browser.jar == {}


def test_what_takes_its_place_is_ours_alone() -> None:
    it = paper(remember=True)
    it.who()
    assert it.identity.remember is not None
    assert replace(it.identity.remember, value=None, expires=None).user_id == "1"


def test_what_is_too_long_is_not_unsigned() -> None:
    def never(*args: Any) -> Any:
        raise AssertionError("It was too long.")

    it = adopted(serializer_class=never)
    assert it.read(f"{'a' * 4096}.b.c", Keys(KEY), NOW) is Reason.MALFORMED


def test_until_is_the_first_moment_of_none() -> None:
    it = adopted(until=date(2027, 1, 15))
    start = it.until
    assert start is not None
    sent = cookie("1", age=NOW - start + 60)
    assert isinstance(it.read(sent, Keys(KEY), start - 1), Token)
    assert it.read(sent, Keys(KEY), start) is Reason.LEGACY_ENDED


@pytest.mark.parametrize("seconds", [0, -1, 10**12])
def test_a_duration_is_one_that_passes(seconds: float) -> None:
    with pytest.raises(ConfigurationError, match="must be positive"):
        adopted(duration=seconds)
    assert adopted(duration=0.5).duration == 0.5


def test_what_is_too_long_is_shown_to_nobody() -> None:
    shown: list[Any] = []

    def note(*args: Any) -> Any:
        shown.append(args)
        return serializer_class(*args)

    it = adopted(serializer_class=note)
    for size, count in ((4096 - 4, 1), (4096, 1)):
        it.read(f"{'a' * size}.b.c", Keys(KEY), NOW)
        assert len(shown) == count


def test_a_logout_that_the_session_wishes_for_removes_it_too() -> None:
    it = Paper({"_remember": "clear"})
    it.manager.adopted = adopted(it.app.config)
    lines = set_cookies(it.answer())
    assert {line.partition("=")[0] for line in lines} == {"remember_token", NAME}


def test_a_login_that_is_remembered_removes_it_also_where_its_path_kept_it_away() -> None:
    it = paper().again({})
    it.manager.adopted = adopted(it.app.config)
    assert step(login.login_user(it, User("1"), remember=True))
    assert removed(it)


def test_what_stands_for_it_is_what_is_signed_and_for_ours_the_whole() -> None:
    one, two = paper("1"), paper("2")
    assert moving._digest(one) != moving._digest(two)
    sent = one.request.cookies[NAME]
    spelt = sent[:-1] + ("A" if sent[-1] != "A" else "B")
    assert moving._digest(paper(value=spelt)) == moving._digest(one)
    ours = [paper(cookies={"remember_token": f"a.b.{end}"}) for end in "cd"]
    assert moving._digest(ours[0]) != moving._digest(ours[1])
