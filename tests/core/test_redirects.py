"""Where may a visitor be sent, and where not?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from core.paper import Paper
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.exceptions import SecurityError
from werkzeug.urls import iri_to_uri
from whatwg import HERE, origin, path

from quart_login._core.redirects import MAX_LENGTH, host_of, location, safe_next, safe_path

# --- what is a path of this site -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "emitted"),
    [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a?b=1&c=/d?e", "/a?b=1&c=/d?e"),
        ("/a?", "/a"),
        ("/a#part", "/a"),
        ("/a#part?b", "/a"),
        ("/a?b#c", "/a?b"),
        ("/a//b/", "/a//b/"),
        ("/a:b@c;d,e", "/a:b@c;d,e"),
        ("/javascript:alert(1)", "/javascript:alert(1)"),
        ("/a b", "/a%20b"),
        ("/zoë?q=ë", "/zo%C3%AB?q=%C3%AB"),
        ("/zo%C3%AB", "/zo%C3%AB"),
        ("/100%?a=50%", "/100%25?a=50%25"),
        ("/a%2Fb%5Cc", "/a%2Fb%5Cc"),
        ("/a?text=one%0Atwo", "/a?text=one%0Atwo"),
        ("/a?next=//evil.com", "/a?next=//evil.com"),
        ('/<"`{}|^>', "/%3C%22%60%7B%7D%7C%5E%3E"),
        ("/...", "/..."),
        ("/\N{DIVISION SLASH}evil.com", "/%E2%88%95evil.com"),
        ("/\N{FULLWIDTH SOLIDUS}evil.com", "/%EF%BC%8Fevil.com"),
    ],
)
def test_a_path_of_this_site_is_emitted_as_it_may_stand_in_a_location(
    target: str, emitted: str
) -> None:
    assert safe_path(target) == emitted
    assert safe_path(emitted) == emitted


REFUSED = [
    "",
    " ",
    "a",
    "?a",
    "#a",
    ".",
    " /a",
    "//",
    "//evil.com",
    "///evil.com",
    "////evil.com",
    "/\\evil.com",
    "\\/evil.com",
    "\\\\evil.com",
    "/a\\b",
    "/\t/evil.com",
    "/\n/evil.com",
    "/\r\n/evil.com",
    "\t//evil.com",
    " //evil.com",
    "\x19//evil.com",
    "\x00//evil.com",
    "/a\0",
    "/a\x7f",
    "/a\x85b",
    "/a?b=\r\nSet-Cookie: a=b",
    "/%09/evil.com",
    "/%0a/evil.com",
    "/a%00",
    "/a%C2%85",
    "/%2F/evil.com",
    "/%2f%2fevil.com",
    "/%2Fevil.com",
    "/%5Cevil.com",
    "/..//evil.com",
    "/.//evil.com",
    "/a/..//evil.com",
    "/a/../../evil.com",
    "/%2e%2e//evil.com",
    "/%2E//evil.com",
    "/a/.%2e//evil.com",
    "/a%2F..%2F/evil.com",
    "/.",
    "/..",
    "/\ud800",
    "/a?b=\udfff",
    "http:evil.com",
    "http:/evil.com",
    "http:///evil.com",
    "http://evil.com",
    "https:evil.com",
    "//localhost",
    "//user@localhost/",
    "http://",
    "http://[",
    "http://localhost:99999/",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "javascript://localhost/%0aalert(1)",
    "data:text/html,x",
    "vbscript:x",
    "blob:http://localhost/x",
    "mailto:a@b",
    "ftp://localhost/",
    "evil.com",
    "localhost/a",
]


@pytest.mark.parametrize("target", REFUSED)
@pytest.mark.parametrize("host", ["localhost", None])
def test_anything_else_is_none(target: str, host: str | None) -> None:
    assert safe_path(target, host) is None


@pytest.mark.parametrize(
    "target", [None, b"/a", 1, 1.5, ["/a"], {"/a": 1}, object(), str, Ellipsis, memoryview(b"/")]
)
def test_what_is_no_text_is_none(target: object) -> None:
    assert safe_path(target) is None


def test_what_an_object_says_of_itself_is_not_asked() -> None:
    class Hostile:
        def __getattribute__(self, name: str) -> Any:
            raise RuntimeError(name)

    class Lying(str):
        def __str__(self) -> str:
            raise RuntimeError

        def startswith(self, *args: Any) -> bool:
            raise RuntimeError

        def __len__(self) -> int:
            raise RuntimeError

    assert safe_path(Hostile()) is None
    assert safe_path(Lying("/a")) == "/a"
    assert safe_path(Lying("//evil.com")) is None


def test_a_long_target_is_none_as_it_comes_and_as_it_is_emitted() -> None:
    longest = "/" + "a" * (MAX_LENGTH - 1)
    assert MAX_LENGTH == 2048
    assert safe_path(longest) == longest
    assert safe_path(longest + "a") is None
    assert safe_path("/" + "ë" * 340) == "/" + "%C3%AB" * 340
    assert safe_path("/" + "ë" * 342) is None
    assert safe_path("/?" + "ë" * 342) is None
    assert safe_path("/" * 50_000_000) is None
    # What is dropped counts as well.
    assert safe_path("/a#" + "b" * MAX_LENGTH) is None
    assert safe_path("http://localhost" + longest, "localhost") is None


# --- whole URLs of this site ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "emitted"),
    [
        ("http://localhost", "/"),
        ("https://localhost/a?b=1#c", "/a?b=1"),
        ("HTTP://LOCALHOST/a", "/a"),
        ("http://localhost?a=1", "/?a=1"),
        ("http://localhost#a", "/"),
    ],
)
def test_a_url_of_this_site_is_reduced_to_its_path(target: str, emitted: str) -> None:
    assert safe_path(target, "localhost") == emitted
    assert safe_path(target, "LocalHost") == emitted
    assert safe_path(target, None) is None
    assert safe_path(target, "") is None
    assert safe_path(target, "localhost:5000") is None


@pytest.mark.parametrize("host", ["localhost:5000", "[::1]:5000", "[::1]"])
def test_the_port_is_part_of_the_host(host: str) -> None:
    assert safe_path(f"http://{host}/a", host) == "/a"
    assert safe_path(f"http://{host}1/a", host) is None


@pytest.mark.parametrize(
    "target",
    [
        "http://localhost.evil.com/",
        "http://localhost@evil.com/",
        "http://evil.com@localhost/",
        "http://user:password@localhost/",
        "http://localhost:80/",
        "http://localhost//evil.com",
        "http://localhost/\\evil.com",
        "http://localhost\\.evil.com",
        "http://localhost/..//evil.com",
        "http://localhost/%2Fevil.com",
        "http:/localhost/",
        "http:localhost/",
        "http:///localhost/",
        "ws://localhost/",
    ],
)
def test_a_url_that_only_looks_like_one_of_this_site_is_none(target: str) -> None:
    assert safe_path(target, "localhost") is None


@pytest.mark.parametrize("host", ["", "[", "evil.com/", "localhost/", "a b", "é", "%00"])
def test_no_host_makes_a_url_more_than_a_path(host: str) -> None:
    for target in (f"http://{host}/a", f"http://{host}//evil.com", "http:///a", "http:////evil"):
        emitted = safe_path(target, host)
        assert emitted is None or origin(emitted) == HERE


# --- the fallback --------------------------------------------------------------------------------


def test_the_fallback_is_the_developers_and_returned_as_it_is() -> None:
    web = Paper().web
    assert safe_next(web, "//evil.com") == "/"
    assert safe_next(web, None, "https://elsewhere/#x y") == "https://elsewhere/#x y"
    assert safe_next(web, "/a", "/b") == "/a"


def test_a_url_of_the_host_that_was_asked_is_known_in_a_request_alone() -> None:
    web = Paper(host="shop:8000").web
    assert safe_next(web, "http://shop:8000/a") == "/a"
    assert safe_next(web, "http://localhost/a") == "/"
    web.request = None
    assert safe_next(web, "http://shop:8000/a") == "/"
    assert safe_next(web, "/a") == "/a"


def test_a_host_that_is_not_to_be_trusted_is_none() -> None:
    class Request:
        @property
        def host(self) -> str:
            raise SecurityError("This host is not trusted.")

    assert host_of(Request()) is None
    assert host_of(SimpleNamespace(host="")) is None
    assert host_of(SimpleNamespace(host="a")) == "a"


# --- P19 -----------------------------------------------------------------------------------------

#: What hostile targets are made of.
FRAGMENTS = st.sampled_from(
    [
        *("/", "//", "\\", "/\\", "..", ".", "%2e", "%2E%2e", "%2f", "%2F", "%5c", "%", "%25"),
        *("\t", "\n", "\r", "\0", " ", "\x19", "\x7f", "\x85", "\u2028", "\ud800", "\u200b"),
        *("%09", "%0a", "%0d%0a", "%00", "%20", "%C2%85", "%ff"),
        *("http:", "https:", "HTTP:", "javascript:", "data:", "ws:", "http://", "https://"),
        *("localhost", "evil.com", "localhost.evil.com", "user@", ":", "@", ":99999", "[", "]"),
        *("?", "#", "&", "=", ";", "a", "next=", "\N{FULLWIDTH SOLIDUS}", "\N{DIVISION SLASH}"),
        *("\N{FULLWIDTH FULL STOP}", "\N{IDEOGRAPHIC FULL STOP}", "é", "\U0001f600"),
    ]
)
HOSTILE = st.lists(FRAGMENTS, max_size=12).map("".join)


@given(st.text() | HOSTILE | HOSTILE.map("/".__add__), st.sampled_from(["localhost", None, ""]))
@example("/\t/evil.com", "localhost")
@example("http://localhost\\@evil.com", "localhost")
def test_p19_whatever_the_target_it_leads_to_this_site(target: str, host: str | None) -> None:
    emitted = safe_path(target, host)
    if emitted is None:
        return
    assert origin(emitted) == HERE
    assert emitted[0] == "/" and emitted[1:2] not in ("/", "\\")
    assert emitted.isascii() and emitted.isprintable() and " " not in emitted
    assert len(emitted) <= MAX_LENGTH
    # Nor does it if somebody on the way resolves its dots.
    assert path(emitted)[0] or len(path(emitted)) == 1
    assert safe_path(emitted) == emitted


@given(st.from_type(type).flatmap(st.from_type) | st.binary() | st.none())
def test_p19_whatever_the_object_nothing_is_raised(target: Any) -> None:
    emitted = safe_path(target, "localhost")
    assert emitted is None or origin(emitted) == HERE


@pytest.mark.parametrize(
    ("reference", "where"),
    [
        ("/a", HERE),
        ("a", HERE),
        ("?a=//evil.com", HERE),
        ("http:a", HERE),
        ("http://LOCALHOST/a", HERE),
        ("//evil.com/a", ("http", "evil.com")),
        (" \x19//evil.com", ("http", "evil.com")),
        ("/\t/evil.com", ("http", "evil.com")),
        ("/\\evil.com", ("http", "evil.com")),
        ("////evil.com", ("http", "evil.com")),
        ("https:evil.com", ("https", "evil.com")),
        ("http://localhost@evil.com/", ("http", "evil.com")),
        ("java\nscript:alert(1)", ("javascript", "")),
    ],
)
def test_the_model_of_a_browser_goes_where_browsers_go(
    reference: str, where: tuple[str, str]
) -> None:
    assert origin(reference) == where


def test_the_model_of_a_browser_resolves_dots() -> None:
    assert path("/a/./b/%2E%2e/c?d/..") == ["a", "c"]
    assert path("/..//evil.com") == ["", "evil.com"]


@pytest.mark.parametrize("url", ["/", "/login?next=%2Fa%3Fb", "https://x.example:8000/a~b", ""])
def test_a_plain_location_is_sent_as_it_is(url: str) -> None:
    assert location(url) == url == iri_to_uri(url)


@pytest.mark.parametrize("url", ["/ü b", "/a\\b", '/"'])
def test_any_other_location_is_quoted(url: str) -> None:
    assert location(url) == iri_to_uri(url) != url
