"""Keys and cookie configuration: section 3.E of the survey of attacks, each under its row's number.

Rows 66 and 68 belong to the check of a deployment.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from itsdangerous import URLSafeTimedSerializer
from sites import KEY, Browser, Site

import quart_login
from quart_login._core import tokens

OLD = "an old key, an old key, an old key"

NO_KEY = pytest.mark.parametrize("key", [None, "", b""])


@contextmanager
def raising(site: Site, error: Any, match: str) -> Iterator[None]:
    """Let the view of *site* at ``/log-in`` expect *error* of `login_user`."""

    @site.route("/log-in")
    async def view() -> str:
        with pytest.raises(error, match=match):
            await site.login_user(site.users[1], remember=True)
        return "refused"

    yield


async def assert_login_is_refused(site: Site, error: Any, match: str) -> None:
    with raising(site, error, match):
        browser = site.browser()
        assert await browser.get("/log-in") == (200, "refused")
        assert browser.jar == {}


async def start(site: Site) -> None:
    """Start the application, as a server does.  (Flask has nothing that happens then.)"""
    if site.web.__name__ == "quart":
        await site.app.startup()


def forged_session(key: str | bytes, **values: Any) -> str:
    """Return a session cookie signed as the frameworks sign it, with *key*."""
    from flask.sessions import SecureCookieSessionInterface as Interface

    serializer = URLSafeTimedSerializer(
        key,
        salt=Interface.salt,
        serializer=Interface.serializer,
        signer_kwargs={
            "key_derivation": Interface.key_derivation,
            "digest_method": Interface.digest_method,
        },
    )
    text = serializer.dumps(values)
    return text if isinstance(text, str) else text.decode()


def forgeries(site: Site, key: str | bytes) -> list[Browser]:
    """Return browsers with credentials of user 1 that are signed with *key*."""
    found = []
    for name, value in (
        ("session", forged_session(key, _user_id=1, _fresh=True)),
        ("remember_token", tokens.encode_legacy("1", key)),
        (
            "remember_token",
            tokens.write_token(tokens.Token(1, int(site.clock.now)), tokens.Keys(key), None),
        ),
    ):
        browser = site.browser()
        browser.jar[name] = value
        found.append(browser)
    return found


async def test_059_the_forgeries_of_these_tests_are_good_under_the_right_key(site: Site) -> None:
    for browser in forgeries(site, KEY):
        assert await browser.get("/me") == (200, "user 1")


@NO_KEY
async def test_059_a_login_without_a_key_says_what_to_do(make_site: Any, key: Any) -> None:
    site = make_site({"SECRET_KEY": key})
    await assert_login_is_refused(site, quart_login.ConfigurationError, "token_hex")


@NO_KEY
async def test_059_an_application_without_a_key_serves_visitors_whatever_they_send(
    make_site: Any, key: Any
) -> None:
    site = make_site({"SECRET_KEY": key})
    for junk in (None, "junk", "1|é", "a.b"):
        browser = site.browser()
        if junk is not None:
            browser.jar = {"remember_token": junk, "session": junk}
        assert await browser.get("/public") == (200, "public")
        assert await browser.get("/me") == (200, "anonymous")
        assert (await browser.get("/private")).status == 401


@pytest.mark.parametrize("key", [None, ""])
async def test_059_quart_does_not_start_without_a_key(make_site: Any, key: Any) -> None:
    site = make_site({"SECRET_KEY": key})
    if site.web.__name__ == "quart":
        with pytest.raises(Exception, match="SECRET_KEY, and it is not set"):
            await start(site)


async def test_059_the_key_may_be_set_after_the_manager(make_site: Any) -> None:
    site = make_site({"SECRET_KEY": None})
    site.app.secret_key = KEY
    await start(site)
    browser = site.browser()
    assert await browser.get("/in/1") == (200, "True")
    assert await browser.get("/me") == (200, "user 1")


@NO_KEY
async def test_060_a_forgery_under_the_empty_key_is_nobody_s(make_site: Any, key: Any) -> None:
    site = make_site({"SECRET_KEY": key})
    for browser in forgeries(site, b""):
        assert await browser.get("/me") == (200, "anonymous")
        assert (await browser.get("/private")).status == 401
    assert site.loads == []


@pytest.mark.parametrize("key", ["dev", "changeme", "x" * 15, b"x" * 15])
async def test_061_a_key_that_can_be_guessed_is_warned_of_once(
    make_site: Any, key: Any, caplog: pytest.LogCaptureFixture
) -> None:
    site = make_site({"SECRET_KEY": key})
    for _ in range(2):
        assert await site.browser().get("/in/1") == (200, "True")
    told = [r for r in caplog.records if r.name == "quart_login" and r.levelno >= logging.WARNING]
    assert len(told) == 1
    assert "SECRET_KEY" in told[0].getMessage()
    assert "token_hex" in told[0].getMessage()


@pytest.mark.parametrize(
    "config",
    [{"SECRET_KEY": "x" * 16}, {"SECRET_KEY": "dev", "DEBUG": True}, {"TESTING": True}],
)
async def test_061_nobody_is_warned_of_a_good_key_or_in_debug_and_testing(
    make_site: Any, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    site = make_site({"SECRET_KEY": "dev", **config})
    assert await site.browser().get("/in/1") == (200, "True")
    assert [r for r in caplog.records if r.name == "quart_login"] == []


@pytest.mark.parametrize("form", ["quart-login", "flask-login"])
@pytest.mark.parametrize("key", ["schlüssel " * 3, "clé secrète " * 2, "ключ " * 5, "鍵" * 20])
async def test_062_a_key_of_any_letters_works(make_site: Any, key: str, form: str) -> None:
    site = make_site({"SECRET_KEY": key, "REMEMBER_COOKIE_FORMAT": form})
    browser = site.browser()
    assert await browser.get("/in/1?remember=1") == (200, "True")
    browser.close()
    assert await browser.get("/me") == (200, "user 1")
    junk = site.browser()
    junk.jar["remember_token"] = "1|junk"
    assert await junk.get("/me") == (200, "anonymous")


async def old_jar(make_site: Any, **config: Any) -> dict[str, str]:
    """Return the cookies of a login under the old key."""
    browser = make_site({"SECRET_KEY": OLD, **config}).browser()
    await browser.get("/in/1?remember=1&seconds=1000")
    return browser.jar


FORMS = pytest.mark.parametrize("form", ["quart-login", "flask-login"])


@FORMS
async def test_063_a_login_under_a_fallback_key_is_good_and_signed_anew(
    make_site: Any, form: str
) -> None:
    jar = await old_jar(make_site, REMEMBER_COOKIE_FORMAT=form)
    config = {"SECRET_KEY_FALLBACKS": ["some other key", OLD], "REMEMBER_COOKIE_FORMAT": form}
    site = make_site(config)
    for name, value in jar.items():
        browser = site.browser()
        browser.jar[name] = value
        is_good = name == "remember_token" or site.reads_old_sessions
        assert await browser.get("/me") == (200, "user 1" if is_good else "anonymous")
    # The last one is the remember cookie or brought one along; without the fallback it is good.
    browser = site.browser()
    browser.jar["remember_token"] = jar["remember_token"]
    await browser.get("/me")
    renewed = make_site({"REMEMBER_COOKIE_FORMAT": form}).browser()
    renewed.jar["remember_token"] = browser.jar["remember_token"]
    assert await renewed.get("/me") == (200, "user 1")


async def test_063_a_token_that_is_signed_anew_lives_no_longer(make_site: Any) -> None:
    jar = await old_jar(make_site)
    site = make_site({"SECRET_KEY_FALLBACKS": [OLD]})
    site.clock.advance(seconds=999)
    browser = site.browser()
    browser.jar["remember_token"] = jar["remember_token"]
    answer = await browser.get("/me")
    assert answer == (200, "user 1")
    line = answer.cookie("remember_token")
    assert line is not None
    assert "Expires=Fri, 15 Jan 2027 08:16:40 GMT" in line
    browser.close()
    site.clock.advance(seconds=2)
    assert await browser.get("/me") == (200, "anonymous")


async def test_063_a_login_under_the_current_key_is_not_sent_again(make_site: Any) -> None:
    site = make_site({"SECRET_KEY_FALLBACKS": [OLD]})
    browser = site.browser()
    await browser.get("/in/1?remember=1")
    assert (await browser.get("/me")).set_cookies == []


@pytest.mark.parametrize("fallbacks", [OLD, OLD.encode(), [""], [None], [b""], [7]])
async def test_064_fallback_keys_that_are_none_are_refused_at_set_up(
    make_site: Any, fallbacks: Any
) -> None:
    with pytest.raises(TypeError, match="SECRET_KEY_FALLBACKS"):
        make_site({"SECRET_KEY_FALLBACKS": fallbacks})


async def test_064_set_later_they_are_refused_at_the_login(site: Site) -> None:
    site.app.config["SECRET_KEY_FALLBACKS"] = OLD
    await assert_login_is_refused(site, TypeError, "letters")
    if site.web.__name__ == "quart":
        with pytest.raises(Exception, match="each of its letters"):
            await start(site)


async def test_064_set_later_their_letters_still_sign_nobody_in(site: Site) -> None:
    site.app.config["SECRET_KEY_FALLBACKS"] = OLD
    for letter in set(OLD):
        for browser in forgeries(site, letter):
            assert (await browser.get("/private")).status in (401, 500)
            assert (await browser.get("/me")).text != "user 1"
    assert site.loads == []


async def test_065_a_key_that_was_removed_verifies_nothing(make_site: Any) -> None:
    for form in ("quart-login", "flask-login"):
        jar = await old_jar(make_site, REMEMBER_COOKIE_FORMAT=form)
        site = make_site({"SECRET_KEY_FALLBACKS": [OLD]})
        site.app.config["SECRET_KEY_FALLBACKS"] = []
        for name, value in jar.items():
            browser = site.browser()
            browser.jar[name] = value
            assert await browser.get("/me") == (200, "anonymous")
        assert site.loads == []


ATTRIBUTES: dict[str, Any] = {
    "REMEMBER_COOKIE_NAME": "stay",
    "REMEMBER_COOKIE_DOMAIN": "example.org",
    "REMEMBER_COOKIE_PATH": "/account",
    "REMEMBER_COOKIE_SECURE": True,
    "REMEMBER_COOKIE_HTTPONLY": True,
    "REMEMBER_COOKIE_SAMESITE": "Strict",
}


def attributes(line: str) -> set[str]:
    """Return the attributes of a Set-Cookie header, but for its value and its time."""
    parts = [part.strip() for part in line.split(";")[1:]]
    return {part for part in parts if not part.startswith(("Expires", "Max-Age"))}


@pytest.mark.parametrize(
    "config",
    [
        {},
        ATTRIBUTES,
        {"REMEMBER_COOKIE_HTTPONLY": False},
        {"REMEMBER_COOKIE_NAME": "__Host-stay", "REMEMBER_COOKIE_SECURE": True},
        {"REMEMBER_COOKIE_SAMESITE": "None", "REMEMBER_COOKIE_SECURE": True},
    ],
)
@pytest.mark.parametrize("reason", ["logout", "junk", "gone"])
async def test_067_the_deletion_has_the_attributes_of_what_it_deletes(
    make_site: Any, config: dict[str, Any], reason: str
) -> None:
    site = make_site(config)
    name = config.get("REMEMBER_COOKIE_NAME", "remember_token")
    browser = site.browser()
    born = (await browser.get("/in/1?remember=1")).cookie(name)
    if reason == "junk":
        browser.jar[name] = "junk"
    elif reason == "gone":
        del site.users[1]
    died = (await browser.get("/out" if reason == "logout" else "/me")).cookie(name)
    assert born is not None
    assert died is not None
    assert died.startswith(f"{name}=;")
    assert "Max-Age=0" in died
    assert attributes(died) == attributes(born)
    if config is ATTRIBUTES:
        assert attributes(born) == {
            "Domain=example.org",
            "Path=/account",
            "Secure",
            "HttpOnly",
            "SameSite=Strict",
        }
