"""Promise P17: whatever the configuration, browsers keep every cookie of this library, can be told
to delete it, and show nobody who it is of.
"""

from __future__ import annotations

from typing import Any

import pytest
from both.test_cookies_and_caches import Secure
from hypothesis import event, given, settings
from hypothesis import strategies as st
from sites import SITES, Site, User

from quart_login import ConfigurationError
from quart_login._core.cookies import _CAN_PARTITION

BOTH = pytest.mark.parametrize("framework", list(SITES))

ALICE = "alice@example.org"

NAMES = ["r", "remember_token", "__Secure-r", "__Host-r", "__host-R", "__Http-r", "__Host-Http-r"]


def of(family: str, **choices: Any) -> dict[str, st.SearchStrategy[Any]]:
    return {f"{family}_{word}": strategy for word, strategy in choices.items()}


#: What an application may say of its cookies, sensible or not.
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        **of(
            "REMEMBER_COOKIE",
            NAME=st.sampled_from(NAMES),
            FORMER_NAME=st.sampled_from([None, *NAMES]),
            SECURE=st.booleans(),
            HTTPONLY=st.booleans(),
            SAMESITE=st.sampled_from([None, "Lax", "Strict", "None", "none"]),
            PATH=st.sampled_from(["/", "/app", None]),
            DOMAIN=st.sampled_from([None, "localhost", "x.example"]),
            PARTITIONED=st.booleans() if _CAN_PARTITION else st.just(False),
            REFRESH_EACH_REQUEST=st.booleans(),
            FORMAT=st.sampled_from(["quart-login", "flask-login"]),
        ),
        **of(
            "SESSION_COOKIE",
            NAME=st.sampled_from(["session", "__Host-s", "__Secure-s"]),
            SECURE=st.booleans(),
            SAMESITE=st.sampled_from([None, "Lax", "None"]),
            PATH=st.sampled_from([None, "/", "/app"]),
            DOMAIN=st.sampled_from([None, "x.example"]),
        ),
        "APPLICATION_ROOT": st.sampled_from(["/", "/app"]),
        "LOGIN_SECURE_COOKIES": st.booleans(),
    },
)


def parsed(line: str) -> tuple[str, str, dict[str, str]]:
    """Return name, value and attributes of a Set-Cookie *line*, as a browser reads it."""
    pair, *rest = line.split(";")
    name, _, value = pair.partition("=")
    found = {}
    for part in rest:
        key, _, text = part.strip().partition("=")
        found[key.lower()] = text
    return name, value, found


def assert_a_browser_keeps(name: str, value: str, said: dict[str, str]) -> None:
    """Assert what RFC 6265bis (section 5.7) and the draft after it ask of a cookie."""
    assert len(name) + len(value) <= 4096
    start = name.lower()
    if start.startswith(("__secure-", "__host-", "__http-")):
        assert "secure" in said
    if start.startswith("__host-"):
        assert "domain" not in said and said["path"] == "/"
    if start.startswith(("__http-", "__host-http-")):
        assert "httponly" in said
    if said.get("samesite", "").lower() == "none":
        assert "secure" in said
    if "partitioned" in said:
        assert "secure" in said


def place(said: dict[str, str]) -> dict[str, str]:
    return {key: text for key, text in said.items() if key not in ("expires", "max-age")}


async def lines_of(site: Site) -> list[str]:
    """Return every Set-Cookie line of some logins, visits and logouts."""
    name = site.app.config.get("REMEMBER_COOKIE_NAME", "remember_token")
    former = site.app.config.get("REMEMBER_COOKIE_FORMER_NAME")
    browser, found = Secure(site), []
    for path in ("/in/a?remember=1", "/me", "close", "/me", "/out", "/in/a?remember=1", "junk"):
        if path == "close":
            browser.jar.pop(site.app.config["SESSION_COOKIE_NAME"], None)
        elif path == "junk":
            browser.jar = {former or name: "junk"}
            found += (await browser.get("/me")).set_cookies
        else:
            found += (await browser.get(path)).set_cookies
    return found


@BOTH
@settings(max_examples=400, deadline=None)
@given(config=CONFIGS)
async def test_p17_every_cookie_is_kept_and_can_be_deleted_and_names_nobody(
    framework: str, config: dict[str, Any]
) -> None:
    try:
        site = SITES[framework](config)
    except ConfigurationError as error:
        event("refused at set-up")
        assert str(error)
        return
    site.users["a"] = User(ALICE)
    site.users[ALICE] = site.users["a"]
    set_, deleted = {}, {}
    lines = await lines_of(site)
    for name, value, said in map(parsed, lines):
        assert_a_browser_keeps(name, value, said)
        if name != site.app.config["SESSION_COOKIE_NAME"]:
            (deleted if said.get("max-age") == "0" else set_)[name] = place(said)
            if config.get("REMEMBER_COOKIE_FORMAT") != "flask-login":
                assert ALICE not in value and "alice" not in value
    [(name, where)] = set_.items()
    assert deleted[name] == where
    former = config.get("REMEMBER_COOKIE_FORMER_NAME")
    assert deleted == {name: where} | ({former: where} if former else {})
    if config.get("LOGIN_SECURE_COOKIES"):
        assert_all_is_safe(lines)


def assert_all_is_safe(lines: list[str]) -> None:
    """Assert what ASVS 3.3.1 to 3.3.4 ask."""
    for name, _, said in map(parsed, lines):
        if said.get("max-age") == "0":
            continue
        assert name.lower().startswith(("__host-", "__secure-", "__http-"))
        assert {"secure", "httponly", "samesite"} <= said.keys()
