"""Malformed credentials: section 3.A of the survey of attacks, each test under its row's number.

A malformed credential makes an anonymous visitor: a normal answer, no loader called, and the cookie
removed from the browser.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable
from typing import Any

import pytest
from sites import KEY, Answer, Site
from werkzeug.http import dump_cookie
from wire import same_credential, send_raw

from quart_login._core import tokens

#: A signature of Flask-Login's form for no payload here.
DIGEST = tokens.legacy_digest("somebody else", "another key")


async def assert_junk(site: Site, value: bytes, *, cleared: bool = True) -> None:
    """Assert that *value* is a remember cookie of nobody."""
    cookie = [(b"Cookie", b"remember_token=" + value)]
    answer = await send_raw(site, "/me", cookie)
    assert answer == (200, "anonymous")
    assert is_cleared(answer) or not cleared
    assert await send_raw(site, "/public", cookie) == (200, "public")
    assert (await send_raw(site, "/private", cookie)).status == 401
    assert site.loads == []


def is_cleared(answer: Answer) -> bool:
    line = answer.cookie("remember_token") or ""
    return line.startswith("remember_token=;") and "Max-Age=0" in line


def signed(payload: bytes, key: str = KEY) -> str:
    """Return *payload*, whatever it is, signed as a remember token of our own form."""
    return tokens._signer(key, tokens.remember_salt(None)).sign(payload).decode()


def signed_json(payload: Any) -> str:
    return signed(base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"="))


async def cookies_of(site: Site, path: str = "/in/1?remember=1") -> dict[str, str]:
    """Return the cookies that the login at *path* sets."""
    browser = site.browser()
    assert await browser.get(path) == (200, "True")
    site.loads.clear()
    return browser.jar


# --- the remember cookie -------------------------------------------------------------------------


@pytest.mark.parametrize("value", [b"1|\xe9", "1|é".encode(), rb'"1|\351"', b"1|\xff\xfe"])
async def test_001_a_non_ascii_signature_is_an_anonymous_visitor(site: Site, value: bytes) -> None:
    await assert_junk(site, value)


@pytest.mark.parametrize(
    "value",
    [
        b"junk",
        b"",
        b"|",
        b"|||||||||",
        b"1|",
        b"|1",
        b"1|abcdef",
        f"1|{DIGEST}".encode(),
        f"1|{tokens.legacy_digest('1', KEY).upper()}".encode(),
        f"1|{tokens.legacy_digest('1', KEY)[:-1]}".encode(),
        f"1|{tokens.legacy_digest('1', KEY)}0".encode(),
        f"|{tokens.legacy_digest('', KEY)}".encode(),
        b".",
        b"..",
        b"a.b",
        b".a",
        b"WzEsMV0.",
        b'""',
        b'"junk"',
        b" ",
    ],
)
async def test_002_junk_is_cleared(site: Site, value: bytes) -> None:
    await assert_junk(site, value)


@pytest.mark.parametrize("value", [b'"', b'"\\', b'"\\"', b'"junk'])
async def test_002_a_cookie_that_the_framework_cannot_read_is_no_credential(
    site: Site, value: bytes
) -> None:
    await assert_junk(site, value, cleared=False)


@pytest.mark.parametrize("value", [b"\0", b"1\0|abc", b"1|\0abc", b"a\0.b", b'"\\000|\\000"'])
async def test_003_a_nul_in_payload_or_digest(site: Site, value: bytes) -> None:
    await assert_junk(site, value)


async def test_003_a_nul_in_a_cookie_s_name(site: Site) -> None:
    answer = await send_raw(site, "/me", [(b"Cookie", b"remember\0_token=1|abc; \0=\0")])
    assert answer == (200, "anonymous")


@pytest.mark.parametrize("payload", ["日本", "zoë", "\U0001f600"])
async def test_004_a_non_latin1_payload_under_an_ascii_digest(site: Site, payload: str) -> None:
    await assert_junk(site, f"{payload}|{DIGEST}".encode())


@pytest.mark.parametrize("shape", ["{0}|{1}", "{0}.{1}", "{0}"])
async def test_005_a_megabyte_is_refused_by_its_length_before_any_hashing(
    site: Site, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hash_nothing(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a megabyte was hashed")

    monkeypatch.setattr(tokens, "legacy_digest", hash_nothing)
    monkeypatch.setattr(tokens, "_signer", hash_nothing)
    await assert_junk(site, shape.format("a" * 1_000_000, DIGEST).encode())


async def test_005_ten_thousand_cookies(site: Site) -> None:
    many = "; ".join(f"c{n}=1|{DIGEST}" for n in range(10_000))
    answer = await send_raw(site, "/me", [(b"Cookie", many.encode())])
    assert answer == (200, "anonymous")
    assert answer.set_cookies == []


def bomb() -> bytes:
    """Return a session cookie, unsigned, that would be 50 MB if it were unpacked."""
    packed = zlib.compress(b'{"_user_id": "' + b"1" * 50_000_000 + b'"}')
    return b"." + base64.urlsafe_b64encode(packed).rstrip(b"=") + b".aaaaaa.bbbbbbbb"


@pytest.mark.parametrize(
    "value",
    [b".", b"..", b"...", b"....", b"\xe9.\xe9.\xe9", b"\0.\0.\0", b"e30.e30.e30", b'"', b"", b"-"],
)
async def test_006_a_session_cookie_of_junk(site: Site, value: bytes) -> None:
    cookie = [(b"Cookie", b"session=" + value)]
    assert await send_raw(site, "/me", cookie) == (200, "anonymous")
    assert (await send_raw(site, "/private", cookie)).status == 401
    assert site.loads == []


async def test_006_a_session_cookie_that_unpacks_to_a_bomb_is_not_unpacked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = bomb()

    def unpack_nothing(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("an unsigned session was unpacked")

    monkeypatch.setattr(zlib, "decompress", unpack_nothing)
    assert await send_raw(site, "/me", [(b"Cookie", b"session=" + value)]) == (200, "anonymous")


@pytest.mark.parametrize("apart", [False, True])
async def test_007_of_two_cookies_of_one_name_the_first_counts(site: Site, apart: bool) -> None:
    good = (await cookies_of(site))["remember_token"].encode()

    def sent(*values: bytes) -> Any:
        pairs = [b"remember_token=" + value for value in values]
        # HTTP/2 may split a request's cookies into several headers.
        return [(b"Cookie", pair) for pair in (pairs if apart else [b"; ".join(pairs)])]

    answer = await send_raw(site, "/me", sent(b"bad", good))
    assert answer == (200, "anonymous")
    assert is_cleared(answer)
    assert await send_raw(site, "/me", sent(good, b"bad")) == (200, "user 1")


async def test_010_a_nameless_cookie_is_no_credential(site: Site) -> None:
    good = (await cookies_of(site))["remember_token"]
    for value in (f"=remember_token={good}", f"={good}", f"= remember_token={good}"):
        answer = await send_raw(site, "/me", [(b"Cookie", value.encode())])
        assert answer == (200, "anonymous")
        assert answer.set_cookies == []


#: What a token of ours never holds, though it may be signed.
PAYLOADS: list[Any] = [
    [],
    {},
    {"admin": 1},
    7,
    None,
    True,
    "1",
    ["1"],
    [1, None, None, None],
    [None, 1, None, None],
    [True, 1_800_000_000, None, None],
    [1.0, 1_800_000_000, None, None],
    ["", 1_800_000_000, None, None],
    [[1], 1_800_000_000, None, None],
    [{"admin": 1}, 1_800_000_000, None, None],
    [1, "1800000000", None, None],
    [1, 1_800_000_000, "9", None],
    [1, 1_800_000_000, None, 7],
    [1, 1_800_000_000, None, None, None],
    [1, 1_800_000_000, float("nan"), None],
    [1, float("nan"), None, None],
    [1, float("inf"), None, None],
    [1, 10**400, None, None],
    [1, -(10**400), None, None],
    [1, -(10**400), 10**400, None],
    [10**4200, 1_800_000_000, None, None],
    ["\ud800", 1_800_000_000, None, None],
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: repr(payload)[:40])
async def test_011_a_signed_token_that_is_something_else_is_nobody_s(
    site: Site, payload: Any
) -> None:
    await assert_junk(site, signed_json(payload).encode())


@pytest.mark.parametrize(
    "payload", [b"", b"a", b"aaaaa", b"bnVs", b"gICA", b"WzE" * 900, b"W1tb" * 600, b"MTExMT" * 500]
)
async def test_011_a_signed_token_that_is_not_json_is_nobody_s(site: Site, payload: bytes) -> None:
    await assert_junk(site, signed(payload).encode())


@pytest.mark.parametrize(
    "user_id",
    [[], ["1"], {}, {"admin": 1}, 1.0, float("nan"), True, False, "", b"1", 10**400],
    ids=lambda user_id: repr(user_id)[:20],
)
async def test_011_a_signed_session_whose_user_is_no_id_is_nobody_s(
    site: Site, user_id: Any
) -> None:
    browser = site.browser()
    browser.set_session(_user_id=user_id, _fresh=True)
    assert await browser.get("/me") == (200, "anonymous")
    assert "_user_id" not in browser.session()
    assert (await browser.get("/private")).status == 401
    assert site.loads == []


@pytest.mark.parametrize(
    "record",
    [
        [],
        {},
        7,
        "x",
        "|||||1",
        "x|||||1",
        "||x|||1",
        "||nan|||1",
        "||1e999|||1",
        f"{10**400}|||||1",
        f"-{10**400}|||||1",
        "1" * 5000 + "|||||1",
    ],
    ids=lambda record: repr(record)[:20],
)
async def test_011_a_signed_session_with_a_strange_record_is_no_error(
    site: Site, record: Any
) -> None:
    site.manager.session_protection = None
    browser = site.browser()
    browser.set_session(_user_id=1, _fresh=True, **{site.manager.keys.record: record})
    for path in ("/me", "/private", "/very", "/is-fresh", "/is-remembered", "/confirm", "/out"):
        assert (await browser.get(path)).status in (200, 401)


async def test_012_one_credential_in_the_place_of_another_is_nobody_s(site: Site) -> None:
    jar = await cookies_of(site)
    await assert_junk(site, jar["session"].encode())
    swapped = [(b"Cookie", b"session=" + jar["remember_token"].encode())]
    assert await send_raw(site, "/me", swapped) == (200, "anonymous")


async def test_012_a_token_signed_for_another_purpose_is_nobody_s(site: Site) -> None:
    keys = tokens.Keys(KEY)
    for salt in ("reset-password", "itsdangerous", "cookie-session", ""):
        text = tokens.sign([1, 1_800_000_000, None, None], keys, salt)
        await assert_junk(site, text.encode())


async def test_013_a_token_for_another_application_under_the_same_key_is_nobody_s(
    make_site: Any,
) -> None:
    one, other = (make_site({"LOGIN_AUDIENCE": name}) for name in ("shop", "blog"))
    jar = await cookies_of(one)
    assert await one.send("/me", "GET", {"Cookie": f"session={jar['session']}"}) == (200, "user 1")
    for name, value in jar.items():
        answer = await other.send("/me", "GET", {"Cookie": f"{name}={value}"})
        assert answer == (200, "anonymous")
    assert other.loads == []


async def test_013_a_token_of_an_application_with_an_audience_is_not_good_without_one(
    make_site: Any,
) -> None:
    jar = await cookies_of(make_site({"LOGIN_AUDIENCE": "shop"}))
    without = make_site()
    for name, value in jar.items():
        answer = await without.send("/me", "GET", {"Cookie": f"{name}={value}"})
        assert answer == (200, "anonymous"), name


ELSEWHERE = pytest.mark.parametrize("who", [1, 2])


@ELSEWHERE
async def test_013_a_login_elsewhere_mints_no_remember_token_here(make_site: Any, who: int) -> None:
    """A session of another audience is not ours, whoever the request loader says is here."""
    config = {"REMEMBER_COOKIE_REFRESH_EACH_REQUEST": True}
    jar = await cookies_of(make_site({**config, "LOGIN_AUDIENCE": "shop"}))
    here = make_site({**config, "LOGIN_AUDIENCE": "blog"})
    here.manager.request_loader(lambda request: here.users[who])
    answer = await here.send("/me", "GET", {"Cookie": f"session={jar['session']}"})
    assert answer == (200, f"user {who}")
    assert answer.cookie("remember_token") is None


@ELSEWHERE
async def test_013_a_fresh_login_elsewhere_makes_nobody_fresh_here(
    make_site: Any, who: int
) -> None:
    jar = await cookies_of(make_site({"LOGIN_AUDIENCE": "shop"}))
    here = make_site({"LOGIN_AUDIENCE": "blog"})
    here.manager.request_loader(lambda request: here.users[who])
    answer = await here.send("/is-fresh", "GET", {"Cookie": f"session={jar['session']}"})
    assert answer == (200, "False")


def spoiled(value: str) -> Iterable[str]:
    """Yield *value* cut short at every length, and with one bit flipped at every place."""
    for place, letter in enumerate(value):
        yield value[:place]
        flipped = chr(ord(letter) ^ 1)
        if flipped not in '";, \\':
            yield value[:place] + flipped + value[place + 1 :]


@pytest.mark.parametrize("config", [{}, {"REMEMBER_COOKIE_FORMAT": "flask-login"}])
async def test_017_a_spoiled_credential_is_nobody_s_at_every_position(
    make_site: Any, config: dict[str, Any]
) -> None:
    site = make_site(config)
    for name, good in (await cookies_of(site)).items():
        assert await send_raw(site, "/me", cookie(name, good)) == (200, "user 1")
        site.loads.clear()
        for bad in spoiled(good):
            # Base64 leaves some bits of the last letter unused: that is the same credential.
            if same_credential(good, bad):
                continue
            assert await send_raw(site, "/me", cookie(name, bad)) == (200, "anonymous"), bad
        assert site.loads == []


def cookie(name: str, value: str) -> Any:
    return [(b"Cookie", f"{name}={value}".encode())]


@pytest.mark.parametrize(
    "user_id", ["../../etc/passwd", "1' OR '1'='1", "1\n2", "1\r\nX: y", "%00", "${jndi:x}"]
)
async def test_018_a_hostile_id_reaches_no_loader_unless_it_was_signed(
    site: Site, user_id: str
) -> None:
    # Quoted as cookies are; a server lets no line break pass as it is.
    quoted = dump_cookie("remember_token", f"{user_id}|{DIGEST}", path=None)
    await assert_junk(site, quoted.partition("=")[2].encode())
    forged = base64.urlsafe_b64encode(json.dumps([user_id, 1, None, None]).encode()).decode()
    await assert_junk(site, f"{forged}.{DIGEST}".encode())
