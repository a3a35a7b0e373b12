"""`LeanCookieSessionInterface` does what the framework's own interface does: the same cookies, the
same verdicts, the same responses.  In each framework it is compared with the framework's own.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache
from inspect import signature
from typing import Any, NamedTuple
from unittest.mock import patch
from uuid import UUID

import flask.sessions
import pytest
import quart.sessions
from hypothesis import given, settings
from hypothesis import strategies as st
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode
from markupsafe import Markup
from sites import KEY, SITES, Answer, Browser, Site
from werkzeug.http import dump_cookie, parse_cookie

import flask_compat.cookie_session
import quart_login.cookie_session
from quart_login._core.cookie_session import COMPRESS_FROM, KeptSerializer

OLD, NEW = "an old key, an old key, an old key", "a new key, a new key, a new key"

BOTH = pytest.mark.parametrize("framework", list(SITES))

THEIRS: dict[str, Any] = {
    "flask": flask.sessions.SecureCookieSessionInterface,
    "quart": quart.sessions.SecureCookieSessionInterface,
}
OURS: dict[str, Any] = {
    "flask": flask_compat.cookie_session.LeanCookieSessionInterface,
    "quart": quart_login.cookie_session.LeanCookieSessionInterface,
}

NOW = 1_800_000_000
MONTH = 31 * 24 * 60 * 60


class Clock:
    """The time that both sign and judge by."""

    now = NOW


@pytest.fixture(autouse=True)
def clock() -> Iterator[type[Clock]]:
    with patch.object(TimestampSigner, "get_timestamp", lambda self: Clock.now):
        yield Clock
    Clock.now = NOW


class Pair(NamedTuple):
    """The same site twice: with the framework's own interface, and with the lean one."""

    theirs: Site
    ours: Site

    @contextmanager
    def in_context(self) -> Iterator[tuple[Any, Any]]:
        """Give both serializers, as a request has them.  (Flask's write with the application's
        JSON.)
        """
        with ExitStack() as stack:
            if self.ours.web is flask:
                stack.enter_context(self.ours.app.app_context())
            yield tuple(s.app.session_interface.get_signing_serializer(s.app) for s in self)


def pair(framework: str, config: dict[str, Any] | None = None, **replaced: Any) -> Pair:
    """Return a pair with *config*, whose interfaces have *replaced* in their classes."""
    made = Pair(SITES[framework](config), SITES[framework](config))
    for site, base in zip(made, (THEIRS[framework], OURS[framework]), strict=True):
        site.app.session_interface = (type("Replaced", (base,), replaced) if replaced else base)()
        add_views(site)
    return made


def verdict(serializer: Any, cookie: str) -> str:
    """Return what *serializer* reads in *cookie*, or how it objects."""
    try:
        return repr(serializer.loads(cookie, max_age=MONTH))
    except Exception as error:  # both must raise the same, whatever it is
        return type(error).__name__


def written(serializer: Any, session: Any) -> str:
    try:
        return serializer.dumps(session)
    except Exception as error:
        return type(error).__name__


# --- values --------------------------------------------------------------------------------------

#: Names, some of which are those of tags.
names = st.sampled_from([" t", " di", " b", " d", "a", "_flashes"]) | st.text(max_size=5)
plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["\\u0020t", '" t"', "\x00"])
)
tagged = (
    st.binary(max_size=8)
    | st.uuids()
    | st.datetimes(timezones=st.just(UTC))
    | st.text(max_size=5).map(Markup)
)
values = st.recursive(
    plain | tagged,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(names, inner, max_size=3)
    ),
    max_leaves=6,
)
sessions = (
    st.dictionaries(names, plain, max_size=5)
    | st.dictionaries(names, values, max_size=5)
    | st.dictionaries(names | st.integers(), values, max_size=3)
    | st.dictionaries(names, st.text(min_size=400, max_size=600), max_size=2)
)


@BOTH
@settings(max_examples=300, deadline=None)
@given(session=sessions)
def test_any_session_is_written_and_read_alike(framework: str, session: Any) -> None:
    both = pair_at_rest(framework)
    both.ours.app.session_interface.compress_from = COMPRESS_FROM
    with both.in_context() as (theirs, ours):
        expected, found = written(theirs, session), written(ours, session)
        if "." not in expected:
            assert found == expected  # It cannot be written.
            return
        for cookie in (expected, found):
            assert verdict(ours, cookie) == verdict(theirs, cookie) == verdict(theirs, expected)
        assert len(found) <= len(expected) or len(found) < 4 / 3 * COMPRESS_FROM + 40
    both.ours.app.session_interface.compress_from = 0
    with both.in_context() as (_, ours):
        assert written(ours, session) == expected


# --- verdicts ------------------------------------------------------------------------------------


@cache
def pair_at_rest(framework: str) -> Pair:
    """Return a pair that serves no requests, for many tests."""
    return pair(framework)


@cache
def cookies(framework: str) -> list[str]:
    """Return cookies, of which some are good."""
    found = []
    for key in (KEY, OLD, NEW):
        both = pair(framework, {"SECRET_KEY": key})
        with both.in_context() as serializers:
            for serializer in serializers:
                for session in ({}, {"a": 1}, {"a": ("x", b"y")}, {"a": "b" * 600}):
                    found.append(serializer.dumps(session))
    return found


def resigned(key: str, payload: bytes, stamp: bytes) -> str:
    """Return what somebody who has *key* could sign."""
    interface = THEIRS["flask"]
    serializer = URLSafeTimedSerializer(
        key,
        salt=interface.salt,
        serializer=interface.serializer,
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1},
    )
    value = payload + b"." + stamp
    return (value + b"." + serializer.make_signer().get_signature(value)).decode("latin1")


@st.composite
def tampered(draw: st.DrawFn, good: list[str]) -> str:
    """Draw a cookie that was tampered with, or made up."""
    one, other = draw(st.sampled_from(good)), draw(st.sampled_from(good))
    place, noise = draw(st.integers(0, len(one))), draw(st.text(max_size=6))
    return draw(
        st.sampled_from(
            [
                one,
                noise,
                one[:place],
                one[place:],
                one[:place] + noise + one[place:],
                one[:place] + noise + one[place + 1 :],
                one[:-1] + draw(st.sampled_from("ABEFwxyz-_=")),
                one + "=",
                one.swapcase(),
                one + "." + other,
                ".".join([*one.split(".")[:-1], other.split(".")[-1]]),
                ".".join([one.rsplit(".", 2)[0], *other.rsplit(".", 2)[1:]]),
                ".".join(reversed(one.split("."))),
            ]
        )
    )


@st.composite
def signed(draw: st.DrawFn) -> str:
    """Draw what only somebody who has a key can sign, and the frameworks never would."""
    data = draw(st.binary(max_size=30) | st.sampled_from([b"{}", b'{"a":1}', b'{" t":[1]} ']))
    packed = draw(st.sampled_from([base64_encode(data), b"." + base64_encode(zlib.compress(data))]))
    age = draw(st.sampled_from([-1, 0, 1, MONTH, MONTH + 1]))
    stamps = st.binary(max_size=10).map(base64_encode) | st.binary(max_size=8)
    stamp = draw(st.just(base64_encode(int.to_bytes(NOW - age, 4, "big"))) | stamps)
    return resigned(
        draw(st.sampled_from([KEY, OLD, NEW])), draw(st.just(packed) | st.just(data)), stamp
    )


@BOTH
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_a_browser_sends_is_judged_alike(framework: str, data: st.DataObject) -> None:
    fallbacks = data.draw(st.sampled_from([None, [], [OLD], [NEW, OLD]]))
    cookie = data.draw(tampered(cookies(framework)) | signed())
    both = pair_at_rest(framework)
    for site in both:
        site.app.config["SECRET_KEY_FALLBACKS"] = fallbacks
    with both.in_context() as (theirs, ours):
        assert verdict(ours, cookie) == verdict(theirs, cookie)


@BOTH
@settings(max_examples=40, deadline=None)
@given(data=st.data())
async def test_whatever_a_browser_sends_is_answered_alike(
    framework: str, data: st.DataObject
) -> None:
    both = pair(framework, {"SECRET_KEY_FALLBACKS": [OLD]})
    good = cookies(framework)
    sent = data.draw(
        st.lists(tampered(good), min_size=1, max_size=3).map(
            lambda drawn: "; ".join(f"session={cookie}" for cookie in drawn)
        )
        | st.text(st.characters(min_codepoint=32, max_codepoint=255)),
        label="Cookie",
    )
    sent = "".join(letter for letter in sent if " " <= letter <= "ÿ")  # what a header can hold
    for path in ("/read", "/public", "/private", "/cookies"):
        theirs, ours = [await site.send(path, "GET", {"Cookie": sent}) for site in both]
        assert seen(both.ours, ours) == seen(both.theirs, theirs)
        assert ours.status < 500


# --- responses -----------------------------------------------------------------------------------


def add_views(site: Site) -> None:
    session = site.web.session

    @site.route("/read")
    async def read() -> str:
        return repr(sorted(session.items()))

    @site.route("/cookies")
    async def cookies_of() -> str:
        return repr(list(site.web.request.cookies.items(multi=True)))

    @site.route("/clear")
    async def clear() -> str:
        session.clear()
        return "clear"

    @site.route("/permanent")
    async def permanent() -> str:
        session.permanent = True
        return "permanent"

    @site.route("/fleeting")
    async def fleeting() -> str:
        session.permanent = False
        return "fleeting"

    @site.route("/flash")
    async def flash() -> str:
        await site.call(site.web.flash, "look")
        return "flash"

    @site.route("/fill")
    async def fill() -> str:
        session["all"] = [b"x", ("y",), UUID(int=1), datetime(2026, 1, 2, tzinfo=UTC), Markup("<")]
        return "fill"

    @site.route("/long")
    async def long() -> str:
        session["long"] = "ab" * 400
        return "long"


def seen(site: Site, answer: Answer) -> Any:
    """Return what a browser sees, with what the session cookie says in place of how it says it."""
    name = site.app.session_interface.get_cookie_name(site.app)
    lines = [
        said(site, line) if line.startswith(f"{name}=") else line for line in answer.set_cookies
    ]
    return answer.status, answer.text, answer.headers.get("Vary"), lines


def said(site: Site, line: str) -> Any:
    """Return what the Set-Cookie header *line* says: the session, and the cookie's attributes."""
    value, _, rest = line.partition(";")
    text = parse_cookie(value).get(value.split("=", 1)[0])
    attributes = [part.strip() for part in rest.split(";")]
    # The frameworks ask the system's clock for it.
    fixed = [part for part in attributes if not part.startswith("Expires=") or "1970" in part]
    serializer = THEIRS["flask"].get_signing_serializer(site.app.session_interface, site.app)
    return text and verdict(serializer, text), fixed, len(attributes)


STEPS = [
    "/public",
    "/read",
    "/private",
    "/me",
    "/put/a/1",
    "/put/b/2",
    "/in/1",
    "/in/2?remember=1",
    "/out",
    "/clear",
    "/permanent",
    "/fleeting",
    "/flash",
    "/fill",
    "/long",
]

CONFIGS: list[dict[str, Any]] = [
    {},
    {"SESSION_REFRESH_EACH_REQUEST": False},
    {"SESSION_COOKIE_NAME": "s"},
    {"SESSION_COOKIE_DOMAIN": "example.org"},
    {"SESSION_COOKIE_PATH": "/account"},
    {"APPLICATION_ROOT": "/app"},
    {"SESSION_COOKIE_HTTPONLY": False},
    {"SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_SAMESITE": "None"},
    {"SESSION_COOKIE_SAMESITE": "Strict"},
    {"PERMANENT_SESSION_LIFETIME": 60},
    {"SECRET_KEY_FALLBACKS": [OLD]},
]
if "partitioned" in signature(dump_cookie).parameters:  # from Werkzeug 3.1 on
    CONFIGS.append({"SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_PARTITIONED": True})


async def walk(both: Pair, steps: list[str]) -> None:
    """Take *steps* in both, each with a browser of its own, and compare what comes back."""
    browsers = [Browser(site) for site in both]
    for step in steps:
        theirs, ours = [await browser.get(step) for browser in browsers]
        assert seen(both.ours, ours) == seen(both.theirs, theirs), step
        assert sorted(browsers[0].jar) == sorted(browsers[1].jar)


@BOTH
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: ", ".join(config) or "default")
async def test_every_response_is_the_same_in_every_configuration(
    framework: str, config: dict[str, Any]
) -> None:
    await walk(pair(framework, config), [*STEPS, "/permanent", *STEPS, "/clear", "/public"])


@BOTH
@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(st.sampled_from(STEPS), max_size=12),
    config=st.sampled_from(CONFIGS),
)
async def test_every_response_of_any_walk_is_the_same(
    framework: str, steps: list[str], config: dict[str, Any]
) -> None:
    await walk(pair(framework, config), steps)


@BOTH
async def test_a_browser_goes_to_and_fro_between_both(framework: str) -> None:
    """The interface can be turned on, and off again, in an application that is in use."""
    both = pair(framework)
    browser = Browser(both.theirs)
    for number, step in enumerate(["/in/1", "/put/a/1", "/flash", "/fill", "/long", "/permanent"]):
        browser.site = both[number % 2]
        await browser.get(step)
        here = await browser.get("/read")
        browser.site = both[1 - number % 2]
        assert await browser.get("/read") == (here.status, here.text)
        assert await browser.get("/me") == (200, "user 1")


@BOTH
@pytest.mark.parametrize("sent", [None, "", "a=1", "a=1; b=2; a=3", 'a="\\351\\"x"; =; ;;b', "ä=ö"])
async def test_a_view_finds_the_same_cookies(framework: str, sent: str | None) -> None:
    headers = {} if sent is None else {"Cookie": sent}
    theirs, ours = [await site.send("/cookies", "GET", headers) for site in pair(framework)]
    assert ours == (200, theirs.text)


@BOTH
async def test_the_session_is_not_accessed_by_its_opening(framework: str) -> None:
    both = pair(framework)
    browser = Browser(both.ours)
    await browser.get("/put/a/1")
    assert "Vary" not in (await Browser(both.ours).get("/public")).headers or framework == "quart"
    for site in both:
        cookie = f"session={browser.jar['session']}"
        assert (await opened(site, cookie)).accessed is False
        assert (await opened(site, cookie)).modified is False


async def opened(site: Site, cookie: str) -> Any:
    """Return the session that the interface of *site* opens for a request with *cookie*."""
    interface = site.app.session_interface
    if site.web is flask:
        request = flask.Request({"HTTP_COOKIE": cookie, "wsgi.url_scheme": "http"})
        return interface.open_session(site.app, request)
    async with site.app.test_request_context("/", headers={"Cookie": cookie}):
        return await interface.open_session(site.app, quart.request)


@BOTH
async def test_the_framework_is_spared_a_look_for_its_own_vary(framework: str) -> None:
    """As with its own interface.  (Quart 0.23 marks the session as it looks, and so adds none.)"""
    spared = []
    for site in pair(framework):
        held: list[Any] = []

        @site.route("/hold", guard="login_required")
        async def hold(held: list[Any] = held, site: Site = site) -> str:
            held.append(site.web.session._get_current_object())  # type: ignore[attr-defined]
            return "held"

        browser = Browser(site)
        await browser.get("/in/1")
        answer = await browser.get("/hold")
        assert answer.headers.getlist("Vary") == ["Cookie"]
        spared.append(not held[0].accessed)
    assert spared[0] == spared[1]


# --- without a key, and with another -------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("key", [None, "", b""])
async def test_without_a_key_there_is_no_session(framework: str, key: Any) -> None:
    both = pair(framework, {"SECRET_KEY": key})
    await walk(both, ["/public", "/read", "/me", "/put/a/1"])
    for site in both:
        assert await opened(site, "session=a.b.c") is None


@BOTH
async def test_a_key_that_is_changed_while_the_application_runs_counts_at_once(
    framework: str,
) -> None:
    both = pair(framework)
    browsers = [Browser(site) for site in both]
    rotations: list[dict[str, Any]] = [
        {"SECRET_KEY": NEW},
        {"SECRET_KEY_FALLBACKS": [KEY]},
        {"SECRET_KEY_FALLBACKS": [KEY, OLD]},
        {"SECRET_KEY": OLD, "SECRET_KEY_FALLBACKS": None},
        {"SECRET_KEY": None},
        {"SECRET_KEY": KEY},
    ]
    for browser in browsers:
        await browser.get("/put/a/1")
    for rotation in rotations:
        for site in both:
            site.app.config.update(rotation)
        theirs, ours = [await browser.get("/read") for browser in browsers]
        assert seen(both.ours, ours) == seen(both.theirs, theirs), rotation
        if site.app.secret_key:
            theirs, ours = [await browser.get("/put/b/2") for browser in browsers]
            assert seen(both.ours, ours) == seen(both.theirs, theirs), rotation


@BOTH
async def test_a_fallback_that_joins_the_list_counts_at_once(framework: str) -> None:
    fallbacks: list[str] = [NEW]
    both = pair(framework, {"SECRET_KEY_FALLBACKS": fallbacks})
    cookie = Browser(SITES[framework]({"SECRET_KEY": OLD}))
    await cookie.get("/put/a/1")
    for _ in range(2):
        theirs, ours = [await site.send("/read", "GET", cookie_of(cookie)) for site in both]
        assert ours == (theirs.status, theirs.text)
        fallbacks.append(OLD)


def cookie_of(browser: Browser) -> dict[str, str]:
    return {"Cookie": f"session={browser.jar['session']}"}


@BOTH
def test_the_signer_is_made_once_for_as_long_as_nothing_changes(framework: str) -> None:
    both = pair(framework)
    with both.in_context() as (_, first), both.in_context() as (_, second):
        assert type(first) is KeptSerializer
        assert first is second
    both.ours.app.secret_key = NEW
    with both.in_context() as (_, third):
        assert third is not first


# --- what an application replaces ----------------------------------------------------------------


class OwnJSON:
    """A serializer that is not the framework's."""

    def dumps(self, value: Any) -> str:
        import json

        return json.dumps(value, indent=1, default=str)

    def loads(self, value: str) -> Any:
        import json

        return {**json.loads(value), "own": True}


class OwnSession(flask.sessions.SecureCookieSession):
    pass


def own_signing(self: Any, app: Any) -> Any:
    return URLSafeTimedSerializer("another key altogether", salt="mine")


@BOTH
@pytest.mark.parametrize(
    "replaced",
    [
        {"salt": "mine"},
        {"digest_method": staticmethod(hashlib.sha256)},
        {"key_derivation": "django-concat"},
        {"serializer": OwnJSON()},
        {"session_class": OwnSession},
        {"get_signing_serializer": own_signing},
        {"get_cookie_name": lambda self, app: "other"},
        {"get_cookie_domain": lambda self, app: "example.org"},
        {"get_cookie_path": lambda self, app: "/other"},
        {"get_cookie_samesite": lambda self, app: "Strict"},
        {"get_cookie_httponly": lambda self, app: False},
        {"get_cookie_secure": lambda self, app: True},
        {"get_expiration_time": lambda self, app, session: datetime(2030, 1, 1, tzinfo=UTC)},
        {"should_set_cookie": lambda self, app, session: True},
        {"is_null_session": lambda self, session: True},
    ],
    ids=lambda replaced: next(iter(replaced)),
)
async def test_what_a_subclass_replaces_is_heeded(framework: str, replaced: Any) -> None:
    both = pair(framework, **replaced)
    steps = ["/put/a/1", "/read", "/public", "/permanent", "/in/1", "/me", "/out", "/clear"]
    await walk(both, steps)
    # On an object, too.
    plainly = pair(framework)
    for site in plainly:
        for name, value in replaced.items():
            if name in ("salt", "key_derivation", "serializer", "session_class"):
                setattr(site.app.session_interface, name, value)
    await walk(plainly, steps)


@BOTH
async def test_what_another_interface_signs_with_is_not_kept(framework: str) -> None:
    """It may have a key for each tenant, say."""
    keys = ["a" * 32]

    def sign(self: Any, app: Any) -> Any:
        return URLSafeTimedSerializer(keys[-1], salt="mine")

    other = type("Other", (THEIRS[framework],), {"get_signing_serializer": sign})
    interface = type("Both", (OURS[framework], other), {})()
    [site, _] = pair(framework)
    for key in ("a" * 32, "b" * 32):
        keys.append(key)
        assert interface.get_signing_serializer(site.app).secret_keys == [key.encode()]


@BOTH
async def test_what_is_replaced_while_the_application_runs_is_heeded(framework: str) -> None:
    both = pair(framework)
    browsers = [Browser(site) for site in both]
    for name, value in (
        ("salt", "mine"),
        ("key_derivation", "concat"),
        ("digest_method", hashlib.sha256),
        ("serializer", OwnJSON()),
        ("salt", "cookie-session"),
    ):
        for site in both:
            setattr(site.app.session_interface, name, value)
        for step in ("/read", "/put/a/1", "/read"):
            theirs, ours = [await browser.get(step) for browser in browsers]
            assert ours == (theirs.status, theirs.text), (name, step)
            assert ours.headers.get("Vary") == theirs.headers.get("Vary")


# --- Flask alone ---------------------------------------------------------------------------------


class Shouting(flask.json.provider.DefaultJSONProvider):
    """JSON of the application's own."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return super().dumps(obj, **kwargs).replace("1", "11")


class WithDefault(flask.json.provider.DefaultJSONProvider):
    default = staticmethod(str)
    sort_keys = False
    ensure_ascii = False


def test_an_application_s_own_json_writes_its_sessions() -> None:
    both = pair("flask")
    for site in both:
        site.app.json = Shouting(site.app)
    with both.in_context() as (theirs, ours):
        assert type(ours) is URLSafeTimedSerializer
        assert ours.dumps({"a": 1}) == theirs.dumps({"a": 1})
        assert ours.loads(ours.dumps({"a": 1})) == {"a": 11}


@pytest.mark.parametrize("name", ["dumps", "loads"])
def test_an_application_s_own_json_may_be_set_on_the_object(name: str) -> None:
    both = pair("flask")
    setattr(both.ours.app.json, name, getattr(both.ours.app.json, name))
    with both.in_context() as (_, ours):
        assert type(ours) is URLSafeTimedSerializer


@settings(max_examples=50, deadline=None)
@given(session=sessions)
def test_json_with_other_settings_is_written_alike(session: Any) -> None:
    both = pair("flask")
    for site in both:
        site.app.json = WithDefault(site.app)
    both.ours.app.session_interface.compress_from = 0
    with both.in_context() as (theirs, ours):
        assert type(ours) is KeptSerializer
        assert written(ours, session) == written(theirs, session)


class OwnRequest(flask.Request):
    @property
    def cookies(self) -> Any:
        return {"session": "a.b.c", "mine": "1"}


def test_a_request_class_may_have_cookies_of_its_own() -> None:
    both = pair("flask")
    for site in both:
        request = OwnRequest({"HTTP_COOKIE": "session=x", "wsgi.url_scheme": "http"})
        assert not site.app.session_interface.open_session(site.app, request)
        assert request.cookies == {"session": "a.b.c", "mine": "1"}
        assert "cookies" not in vars(request)


# --- Quart alone ---------------------------------------------------------------------------------


async def test_a_session_that_a_websocket_changes_is_reported_alike(
    caplog: pytest.LogCaptureFixture,
) -> None:
    both = pair("quart")
    for site in both:

        @site.app.websocket("/socket")
        async def socket() -> None:
            quart.session["a"] = 1
            await quart.websocket.accept()

        caplog.clear()
        async with site.app.test_client().websocket("/socket"):
            pass
        assert "modified during websocket handling" in caplog.text


async def test_the_pages_of_a_websocket_share_the_session() -> None:
    both = pair("quart")

    @both.ours.app.websocket("/socket")
    async def socket() -> None:
        await quart.websocket.send(quart.session["a"])

    browser = Browser(both.theirs)
    await browser.get("/put/a/1")
    client = both.ours.app.test_client()
    async with client.websocket("/socket", headers=cookie_of(browser)) as connection:
        assert await connection.receive() == "1"
