"""Which pages may open a websocket?"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quart_login._core import settings
from quart_login._core.errors import ConfigurationError
from quart_login._core.origins import is_allowed, named, parse

HOST = "app.example"


# --- the same origin -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin,scheme,host",
    [
        ("http://app.example", "ws", "app.example"),
        ("http://app.example", "ws", "app.example:80"),
        ("http://app.example:80", "ws", "app.example"),
        ("https://app.example", "wss", "app.example"),
        ("https://app.example", "wss", "app.example:443"),
        ("https://app.example:443", "wss", "app.example"),
        ("http://app.example:8000", "ws", "app.example:8000"),
        ("HTTP://APP.Example", "ws", "app.exAMPLE"),
        ("http://localhost:5000", "ws", "localhost:5000"),
        ("http://127.0.0.1:5000", "ws", "127.0.0.1:5000"),
        ("http://[::1]:5000", "ws", "[::1]:5000"),
        ("http://[2001:DB8:0:0::1]", "ws", "[2001:db8::1]:80"),
        ("https://xn--zo-jka.example", "wss", "XN--ZO-JKA.example"),
        ("http://my_host", "ws", "my_host"),
    ],
)
def test_097_a_page_of_the_same_origin_may(origin: str, scheme: str, host: str) -> None:
    assert is_allowed(origin, scheme, host)


FOREIGN = [
    "https://evil.example",
    "http://evil.example",
    "https://app.example",  # another scheme
    "http://app.example:8000",  # another port
    "http://app.example:443",
    "http://sub.app.example",
    "http://app.example.evil.example",
    "http://evil-app.example",
    "http://app.example.",
    "http://app.example@evil.example",
    "http://evil.example#app.example",
    "http://evil.example?app.example",
    "http://evil.example/app.example",
    "http://evil.example\\app.example",
    "http://app.example/",
    "http://app.example:",
    "http://app.example:80a",
    "http://app.example:99999",
    "http://app.example:0000000000080",
    "http://app.example:٨٠",
    "http://app.example\n",
    " http://app.example",
    "http://app.example http://app.example",
    "http://app.example, http://app.example",
    "http://app.example,http://evil.example",
    "http:app.example",
    "//app.example",
    "app.example",
    "http://",
    "http://:80",
    "null",
    "Null",
    "",
    "*",
    "ws://app.example",
    "file://",
    "http://[::1",
    "http://[:::1]",
    "http://[fe80::1%25eth0]",
    "http://[::ffff:1.2.3.4.5]",
    "http://\u0430pp.example",  # a Cyrillic letter
    "http://app.example\x00",
    "\xff\xfe",
]


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("allowed", [None, [], ["https://partner.example"]])
def test_097_whatever_else_a_browser_says_is_refused(origin: str, allowed: Any) -> None:
    assert not is_allowed(origin, "ws", HOST, allowed)


def test_097_a_secure_socket_is_not_for_a_page_that_was_not_secure() -> None:
    assert not is_allowed("http://app.example", "wss", HOST)
    assert not is_allowed("http://app.example:443", "wss", HOST)


def test_097_what_lower_case_makes_the_same_is_not_the_same() -> None:
    assert not is_allowed("http://\u212a.example", "ws", "k.example")  # the sign of kelvins
    assert not is_allowed("http://\u017fite.example", "ws", "site.example")  # a long s


@pytest.mark.parametrize("host", ["", "evil.example, app.example", "a/b", "[::1", " "])
def test_097_a_host_that_is_none_has_no_pages(host: str) -> None:
    assert not is_allowed(f"http://{host}", "ws", host)
    assert not is_allowed("null", "ws", host)


def test_a_client_that_says_no_origin_is_no_browser() -> None:
    assert is_allowed(None, "ws", HOST)


# --- the list ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_what_is_listed_may_and_so_may_the_same_origin(kind: Any) -> None:
    allowed = kind(["https://Partner.example:443", "capacitor://localhost", "http://[::1]:80"])
    for origin in (
        "https://partner.example",
        "capacitor://localhost",
        "http://[0::1]",
        "http://app.example",
    ):
        assert is_allowed(origin, "ws", HOST, allowed)
    for origin in ("http://partner.example", "capacitor://other", "https://localhost", "null"):
        assert not is_allowed(origin, "ws", HOST, allowed)


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_star_names_every_origin(origin: str) -> None:
    assert is_allowed(origin, "ws", HOST, ["*"])


@pytest.mark.parametrize(
    "wrong",
    [
        "https://app.example",
        "*",
        b"*",
        42,
        True,
        {"https://app.example": 1},
        ["app.example"],
        ["https://app.example/"],
        ["https://app.example/path"],
        ["https://*.example"],
        ["https://zoë.example"],
        ["https://user@app.example"],
        ["https://app.example:http"],
        ["https://app.example:70000"],
        ["null"],
        [""],
        [None],
        ["https://fine.example", b"https://app.example"],
    ],
)
def test_a_list_that_cannot_work_is_an_error_at_set_up(wrong: object) -> None:
    with pytest.raises(ConfigurationError, match=r"LOGIN_WEBSOCKET_ORIGINS.*https://app\.example"):
        settings.check({"LOGIN_WEBSOCKET_ORIGINS": wrong})
    with pytest.raises(ConfigurationError, match="LOGIN_WEBSOCKET_ORIGINS"):
        is_allowed("https://evil.example", "ws", HOST, wrong)


@pytest.mark.parametrize("right", [None, [], (), ["*"], ["https://a.example", "app://b:1"]])
def test_a_list_that_can_work_is_none(right: Any) -> None:
    settings.check({"LOGIN_WEBSOCKET_ORIGINS": right})
    settings.check({})


# --- in general ----------------------------------------------------------------------------------

ANYTHING = st.one_of(
    st.text(),
    st.text("htps:/[]@.app.example:80,*null", max_size=40),
    st.binary(max_size=40).map(lambda sent: sent.decode("latin1")),
    st.sampled_from(FOREIGN),
)
NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]{2,5})?", fullmatch=True)
PORTS = st.one_of(st.none(), st.sampled_from([80, 443]), st.integers(0, 65535))


def written(scheme: str, host: str, port: int | None) -> str:
    return f"{scheme}://{host}" + ("" if port is None else f":{port}")


@given(ANYTHING, st.sampled_from(["ws", "wss"]))
@example("http://app.example\n", "ws")
def test_p23_no_text_but_the_one_origin_opens_a_socket(origin: str, scheme: str) -> None:
    """P23: for every string, only what a browser says of a page of this very origin will do."""
    page, port = {"ws": ("http", "80"), "wss": ("https", "443")}[scheme]
    own = origin.isascii() and origin.lower() in (f"{page}://{HOST}", f"{page}://{HOST}:{port}")
    assert is_allowed(origin, scheme, HOST) is own


@given(ANYTHING, st.text(), ANYTHING)
def test_p23_no_text_raises(origin: str, scheme: str, host: str) -> None:
    assert is_allowed(origin, scheme, host) in (True, False)


@given(NAMES, PORTS, NAMES, PORTS, st.sampled_from(["http", "https"]), st.booleans())
def test_p23_two_origins_are_one_if_scheme_host_and_port_are(
    name: str, port: int | None, other: str, other_port: int | None, page: str, secure: bool
) -> None:
    default = {"http": 80, "https": 443}
    scheme, own = ("wss", "https") if secure else ("ws", "http")
    same = (
        page == own
        and name == other
        and (default[page] if port is None else port)
        == (default[own] if other_port is None else other_port)
    )
    host = written(own, other, other_port).partition("://")[2]
    assert is_allowed(written(page, name.upper(), port), scheme, host) is same


@given(NAMES, PORTS, st.sampled_from(["http", "https", "capacitor"]))
def test_p23_what_is_listed_is_allowed_and_nothing_near_it(
    name: str, port: int | None, scheme: str
) -> None:
    origin = written(scheme, name, port)
    assert named([origin]) == {parse(origin)}
    assert is_allowed(origin, "ws", "another.example", [origin])
    for near in (f"{origin}0", f"{origin}.evil.example", f"x{origin}", f"{origin}/", f"{origin} "):
        assert is_allowed(near, "ws", "another.example", [origin]) is (parse(near) == parse(origin))


def test_the_last_port_is_one_and_the_next_is_none() -> None:
    assert parse("https://a.example:65535") == ("https", "a.example", 65535)
    assert parse("https://a.example:65536") is None
    assert parse("https://a.example:0") == ("https", "a.example", 0)


def test_an_address_is_read_to_its_end() -> None:
    assert parse("http://[::1]") == ("http", "::1", 80)
    assert parse("http://[::12]") == ("http", "::12", 80)


def test_an_address_that_is_none_is_no_origin() -> None:
    assert parse("http://[:::]") is None and parse("http://[1.2.3.4]") is None
