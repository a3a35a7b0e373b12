"""Promises P1, P2, P15, P16 and P20, for whatever Hypothesis thinks of."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from loops import asyncio
from sites import KEY, SITES, Browser, Site, User
from werkzeug.exceptions import BadHost
from werkzeug.http import dump_cookie
from werkzeug.sansio.http import parse_cookie
from wire import RawHeaders, same_credential, send_raw

from quart_login._core.tokens import (
    REMEMBER_SALT,
    Keys,
    Token,
    encode_legacy,
    sign,
    write_token,
)

BOTH = pytest.mark.parametrize("framework", list(SITES))
SESSION, REMEMBER = "session", "remember_token"

Issued = tuple[str, str, str]
SITES_WITH_CREDENTIALS: dict[Any, tuple[Site, list[Issued]]] = {}


def quick(examples: int) -> Any:
    return settings(max_examples=examples, deadline=None)


# --- P1: no forgery ------------------------------------------------------------------------------


async def issued(framework: str) -> tuple[Site, list[Issued]]:
    """Return a site, and every credential it issued: cookie's name, value, and user's name."""
    loop = asyncio.get_running_loop()
    # One site for each test: an application stays in its loop.
    if (framework, loop) not in SITES_WITH_CREDENTIALS:
        SITES_WITH_CREDENTIALS[framework, loop] = await with_credentials(SITES[framework]())
    return SITES_WITH_CREDENTIALS[framework, loop]


async def with_credentials(site: Site) -> tuple[Site, list[Issued]]:
    found = []
    for form in ("quart-login", "flask-login"):
        site.app.config["REMEMBER_COOKIE_FORMAT"] = form
        for user_id in (1, 2):
            browser = site.browser()
            await browser.get(f"/in/{user_id}?remember=1")
            found += [(name, text, f"user {user_id}") for name, text in browser.jar.items()]
    return site, found


@st.composite
def mutations(draw: st.DrawFn, values: list[str]) -> str:
    """Draw a credential that was tampered with, or made up."""
    good, other = draw(st.sampled_from(values)), draw(st.sampled_from(values))
    place = draw(st.integers(0, len(good)))
    rest = draw(st.integers(0, len(other)))
    noise = draw(st.text(st.characters(codec="latin1"), max_size=8))
    mark = "." if "." in good else "|"
    return draw(
        st.sampled_from(
            [
                noise,
                good[:place],
                good[place:],
                good[:place] + noise + good[place:],
                good[:place] + noise + good[place + 1 :],
                good[:place] + other[rest:],
                good.swapcase(),
                good.upper(),
                good.lower(),
                good + good,
                mark.join(reversed(good.split(mark))),
                mark.join([*good.split(mark)[:-1], other.split(mark)[-1]]),
                mark.join([other.split(mark)[0], *good.split(mark)[1:]]),
            ]
        )
    )


async def who(site: Site, *cookies: tuple[str, str]) -> str:
    """Return whom *site* takes the bearer of *cookies* for."""
    text = "; ".join(f"{name}={value}" for name, value in cookies).encode("latin1", "ignore")
    answer = await send_raw(site, "/me", [(b"Cookie", text)])
    assert answer.status == 200
    return answer.text


def entitled(cookies: list[tuple[str, str]], credentials: list[Issued]) -> set[str]:
    """Return whom *cookies*, as a server reads them, may make: those whose credential they are."""
    jar = parse_cookie("; ".join(f"{name}={value}" for name, value in cookies))
    return {"anonymous"} | {
        user
        for name, value, user in credentials
        if name in jar and same_credential(value, jar[name])
    }


@BOTH
@quick(150)
@given(data=st.data())
async def test_p1_nothing_but_an_issued_credential_authenticates(
    framework: str, data: st.DataObject
) -> None:
    site, credentials = await issued(framework)
    values = [value for _, value, _ in credentials]
    sent = [
        (data.draw(st.sampled_from([SESSION, REMEMBER])), data.draw(mutations(values)))
        for _ in range(data.draw(st.integers(1, 2)))
    ]
    assume(not any(letter in value for _, value in sent for letter in "\r\n"))
    assert await who(site, *sent) in entitled(sent, credentials)


@BOTH
@quick(60)
@given(
    key=st.one_of(st.text(min_size=1), st.binary(min_size=1)),
    salt=st.sampled_from(
        ["", REMEMBER_SALT, REMEMBER_SALT + "|x", "cookie-session", "itsdangerous"]
    ),
    user_id=st.sampled_from([1, 2, "1", "zoë"]),
)
async def test_p1_nothing_signed_under_another_key_or_salt_authenticates(
    framework: str, key: str | bytes, salt: str, user_id: Any
) -> None:
    site, _ = await issued(framework)
    assume(key not in (KEY, KEY.encode()))
    now = int(site.clock.now)
    payload = [user_id, now, None, None]
    forged = [
        write_token(Token(user_id, now), Keys(key), None),
        sign(payload, Keys(key), salt),
        encode_legacy(str(user_id), key).encode().decode("latin1"),
    ]
    if salt != REMEMBER_SALT:
        forged.append(sign(payload, Keys(KEY), salt))
    for value in forged:
        for name in (SESSION, REMEMBER):
            assert await who(site, (name, value)) == "anonymous"


# --- P2: no crash --------------------------------------------------------------------------------

#: A server lets no line break pass within a header; every other byte it may.
LETTERS = [bytes([number]) for number in range(256) if number not in b"\r\n"]
HINTS = [
    b"remember_token=",
    b"session=",
    b"; ",
    b"1|",
    b'"',
    b"\\",
    b"\\351",
    b".",
    b"eyJ",
    b"http://",
    b"[",
    b"]",
    b"//",
    b":99999",
    b"@",
    b"Basic ",
    b"Bearer ",
    b"Digest a=",
    b"\xc3\xa9",
    b"\xed\xa0\x80",
    b"%",
    b"\0",
    b"a" * 600,
]
BYTES = st.lists(st.sampled_from(LETTERS + HINTS * 4), max_size=12).map(b"".join)
NAMES = [b"Cookie", b"User-Agent", b"Host", b"X-Forwarded-For", b"Authorization", b"Referer"]


@cache
def fuzzed(framework: str, protection: str, login_view: str) -> Site:
    site = SITES[framework]({"SESSION_PROTECTION": protection})
    site.manager.login_view = login_view

    def load(request: Any) -> None:
        # (Werkzeug's `authorization` raises for Basic credentials that are not ASCII.)
        assert isinstance(request.headers.get("Authorization", ""), str)

    site.manager.request_loader(load)

    @site.route("/form", guard="login_required", methods=["POST"])
    async def form() -> str:
        raise AssertionError("a stranger got in")

    return site


async def live_cookie(site: Site) -> bytes:
    browser = site.browser()
    await browser.get("/in/1?remember=1")
    return "; ".join(f"{name}={value}" for name, value in browser.jar.items()).encode()


@BOTH
@quick(120)
@given(
    headers=st.dictionaries(st.sampled_from(NAMES), BYTES, min_size=1, max_size=4),
    page=st.sampled_from(
        [
            ("/me", "GET"),
            ("/private", "GET"),
            ("/private", "OPTIONS"),
            ("/form", "POST"),
            ("/out", "GET"),
        ]
    ),
    protection=st.sampled_from(["basic", "strong"]),
    login_view=st.sampled_from(["login", "/login", "https://sso.example/login?a=1"]),
    live=st.booleans(),
)
async def test_p2_no_header_makes_a_server_error(
    framework: str,
    headers: dict[bytes, bytes],
    page: tuple[str, str],
    protection: str,
    login_view: str,
    live: bool,
) -> None:
    site = fuzzed(framework, protection, login_view)
    sent: RawHeaders = list(headers.items())
    if live:
        cookie = await live_cookie(site)
        assume(page[0] != "/form")
        sent = [(name, value) for name, value in sent if name != b"Cookie"] + [(b"Cookie", cookie)]
    path, method = page
    try:
        answer = await send_raw(site, path, sent, method)
    except BadHost:  # Quart before 0.23 lets a Host like "." raise before any extension is asked
        return
    assert answer.status < 500, answer
    location = answer.location
    if location is not None:
        assert location.startswith(("/login", "https://sso.example/login?"))


# --- P15: identity agreement ---------------------------------------------------------------------

IDS: list[Any] = [1, 2, "1", "2", "a", "zoë", "a|b"]


@cache
def agreeing(framework: str) -> Site:
    return SITES[framework]()


@BOTH
@quick(120)
@given(
    held=st.sampled_from([None, *IDS]),
    told=st.sampled_from([None, *IDS]),
    found=st.sampled_from([None, *IDS]),
    form=st.sampled_from(["quart-login", "flask-login"]),
    active=st.booleans(),
)
async def test_p15_session_cookie_and_loader_agree_or_nobody_is_logged_in(
    framework: str, held: Any, told: Any, found: Any, form: str, active: bool
) -> None:
    site = agreeing(framework)
    user = None if found is None else User(found, active=active)

    async def find(user_id: Any) -> Any:
        return user

    site.find = find  # type: ignore[method-assign]
    site.loads.clear()
    browser = site.browser()
    if held is not None:
        browser.set_session(_user_id=held, _fresh=True)
    if told is not None:
        token = Token(told, int(site.clock.now))
        # Quoted, as every cookie that is not ASCII is set.
        text = dump_cookie(REMEMBER, encode_legacy(str(told), KEY), path=None).partition("=")[2]
        browser.jar[REMEMBER] = (
            write_token(token, Keys(KEY), None) if form == "quart-login" else text
        )
    sent = dict(browser.jar)
    pairs = "; ".join(f"{name}={value}" for name, value in sent.items()).encode()
    answer = await send_raw(site, "/me", [(b"Cookie", pairs)] if sent else [])

    disagree = held is not None and told is not None and str(held) != str(told)
    claimed = told if held is None else held
    agreed = claimed is not None and not disagree and str(claimed) == str(found) and active
    assert answer == (200, f"user {found}" if agreed else "anonymous")
    assert len(site.loads) == (0 if claimed is None or disagree else 1)
    if sent and not agreed:
        gone = {line.split("=")[0] for line in answer.set_cookies if "Max-Age=0" in line}
        assert gone == sent.keys()


# --- P16: round trip -----------------------------------------------------------------------------


class Text(str):
    """What JSON gives back as a plain str."""

    __slots__ = ()


ANY_ID = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(categories=("Cs", "Ll", "Cc")), max_size=5),
    st.text(st.sampled_from("aé日\U0001f600|\"';\\ "), min_size=100, max_size=3000),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.booleans(),
    st.floats(),
    st.binary(max_size=5),
    st.none(),
    st.text(max_size=5).map(Text),
    st.tuples(st.integers()),
)


def small(user_id: object) -> bool:
    """Is this an id that must be accepted?"""
    if type(user_id) is int:
        return user_id.bit_length() <= 512
    if type(user_id) is not str or not user_id:
        return False
    try:
        return len(user_id.encode()) <= 240
    except UnicodeEncodeError:
        return False


def possible(user_id: object) -> bool:
    return type(user_id) is int or (type(user_id) is str and user_id != "")


@cache
def welcoming(framework: str) -> Any:
    site: Any = SITES[framework]()

    @site.route("/log-in")
    async def log_in() -> str:
        try:
            return str(await site.login_user(site.guest, remember=True))
        except ValueError:
            return "refused"

    @site.route("/is-guest")
    async def is_guest() -> str:
        return str(site.lib.current_user == site.guest)

    async def find(user_id: Any) -> Any:
        return site.guest

    site.find = find
    return site


@BOTH
@quick(200)
@given(user_id=ANY_ID)
async def test_p16_an_id_comes_back_equal_by_every_path_or_is_refused(
    framework: str, user_id: Any
) -> None:
    site = welcoming(framework)
    site.guest = User(user_id)
    site.loads.clear()
    browser: Browser = site.browser()
    answer = await browser.get("/log-in")
    assert answer.status == 200
    if answer.text == "refused":
        assert not small(user_id)
        assert browser.jar == {}
        return
    assert answer.text == "True"
    assert possible(user_id)
    assert all(len(name) + len(value) <= 4096 for name, value in browser.jar.items())
    assert await browser.get("/is-guest") == (200, "True")
    browser.close()
    assert await browser.get("/is-guest") == (200, "True")
    assert site.loads == [user_id, user_id]
    assert [type(loaded) for loaded in site.loads] == [type(user_id)] * 2


# --- P20: keys -----------------------------------------------------------------------------------

#: HMAC pads a key with NUL, so that a key and the same with a NUL behind it are one.
KEYS = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=16),
    st.binary(min_size=16).filter(lambda key: b"\0" not in key),
)


def as_bytes(key: str | bytes) -> bytes:
    return key if isinstance(key, bytes) else key.encode()


@BOTH
@quick(25)
@given(
    keys=st.lists(KEYS, min_size=1, max_size=4, unique_by=as_bytes),
    signer=st.integers(0, 3),
    removed=st.integers(0, 3),
    form=st.sampled_from(["quart-login", "flask-login"]),
)
async def test_p20_what_a_key_signed_is_good_as_long_as_the_key_is_there(
    framework: str, keys: list[str | bytes], signer: int, removed: int, form: str
) -> None:
    make_site, form_of = SITES[framework], {"REMEMBER_COOKIE_FORMAT": form}
    key = keys[signer % len(keys)]
    before = make_site({"SECRET_KEY": key, **form_of}).browser()
    assert await before.get("/in/1?remember=1&seconds=1000") == (200, "True")

    current, *fallbacks = keys
    gone = keys[removed % len(keys)]
    fallbacks = [fallback for fallback in fallbacks if fallback is not gone]
    site = make_site({"SECRET_KEY": current, "SECRET_KEY_FALLBACKS": fallbacks, **form_of})
    site.clock.advance(seconds=900)
    for name, value in before.jar.items():
        browser = site.browser()
        browser.jar[name] = value
        reads_old = name == REMEMBER or site.reads_old_sessions
        there = key == current or (key in fallbacks and reads_old)
        assert await browser.get("/me") == (200, "user 1" if there else "anonymous")
        if there and name == REMEMBER:
            await assert_good_alone(make_site, current, form, browser.jar[REMEMBER], by=key)


async def assert_good_alone(
    make_site: Any, current: str | bytes, form: str, value: str, *, by: str | bytes
) -> None:
    """Assert that *value* is good under *current* alone, and as long as the one before was."""
    site = make_site({"SECRET_KEY": current, "REMEMBER_COOKIE_FORMAT": form})
    for elapsed, expected in ((900, "user 1"), (1001, "anonymous")):
        if expected == "anonymous" and form == "flask-login":
            continue  # That form says no time.
        browser = site.browser()
        browser.jar[REMEMBER] = value
        site.clock.advance(seconds=elapsed)
        assert await browser.get("/me") == (200, expected), by
        site.clock.advance(seconds=-elapsed)
