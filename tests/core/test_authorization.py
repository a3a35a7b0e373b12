"""What does a request's ``Authorization`` header say?"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_login._core import authorization
from quart_login._core.authorization import LIMIT, parse


@pytest.mark.parametrize(
    ("sent", "scheme", "token"),
    [
        ("Bearer abc", "bearer", "abc"),
        ("bearer abc", "bearer", "abc"),
        ("BEARER   abc==", "bearer", "abc=="),
        (" Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\t", "basic", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("X-Own azAZ09-._~+/", "x-own", "azAZ09-._~+/"),
    ],
)
def test_one_scheme_and_one_token_are_read(sent: str, scheme: str, token: str) -> None:
    assert parse(sent) == (scheme, token)


@pytest.mark.parametrize(
    "sent",
    [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "abc",
        "Bearer abc def",
        "Bearer abc,",
        "Bearer abc,Bearer abc",
        "Bearer abc, Bearer def",
        ",Bearer abc",
        "Bearer a=b",
        "Bearer =",
        "Bearer\tabc",
        "Bearer abc\n",
        "Bearer abc\0",
        "Bearer \xe9",
        "B\xe9arer abc",
        "Bearer: abc",
        'Digest username="a", realm="b"',
        'Bearer "abc"',
    ],
)
def test_whatever_else_stands_there_is_malformed(sent: str) -> None:
    assert parse(sent) is None


def test_what_is_too_long_is_malformed() -> None:
    longest = "Bearer " + "a" * (LIMIT - len("Bearer "))
    assert parse(longest) is not None
    assert parse(longest + "a") is None


def test_what_was_read_is_not_shown() -> None:
    assert "secret" not in repr(parse("Bearer secret"))


@pytest.mark.parametrize(
    ("sent", "is_token"),
    [
        ("Bearer qlt_abc", True),
        ("bEARER\tqlt_", True),
        ("Basic abc,Bearer qlt_abc", True),
        ("Bearer abc, \tbearer  qlt_abc", True),
        ("Bearer abc", False),
        ("Bearer QLT_abc", False),
        ("Bearer xqlt_abc", False),
        ("Token qlt_abc", False),
        ("X-Bearer qlt_abc", False),
        ("qlt_abc", False),
    ],
)
def test_a_token_of_ours_is_known_by_sight(sent: str, is_token: bool) -> None:
    assert authorization.is_token(sent) is is_token


@pytest.mark.parametrize(
    ("sent", "is_bearer", "is_basic"),
    [
        ("Bearer", True, False),
        ("Bearer \xff", True, False),
        ("bearer,", True, False),
        ("Basic", False, True),
        ("basic abc", False, True),
        ("Digest a, BASIC b", False, True),
        ("Bearer a,Basic b", True, True),
        ("Bearers a", False, False),
        ("Basically", False, False),
        ("", False, False),
    ],
)
def test_the_scheme_that_is_meant_is_seen(sent: str, is_bearer: bool, is_basic: bool) -> None:
    assert authorization.is_bearer(sent) is is_bearer
    assert authorization.is_basic(sent) is is_basic


@given(st.binary(max_size=300))
def test_no_bytes_are_too_much(raw: bytes) -> None:
    sent = raw.decode("latin1")
    found = parse(sent)
    if found is not None:
        assert found.scheme == found.scheme.lower() and "," not in "".join(found)
        assert authorization.is_bearer(sent) is (found.scheme == "bearer")
        assert authorization.is_basic(sent) is (found.scheme == "basic")
    authorization.is_token(sent)


@pytest.mark.parametrize("part", ["bearer", "bearer ", ", ", "qlt_", " \t", "Bearer qlt_,", "\xff"])
def test_a_long_header_is_read_in_no_time(part: str) -> None:
    sent = part * (64 * 1024 // len(part))
    start = time.process_time()
    for read in (parse, authorization.is_token, authorization.is_bearer, authorization.is_basic):
        read(sent)
    assert time.process_time() - start < 0.05


def test_credentials_are_not_shown() -> None:
    assert repr(parse("Bearer secret")) == "<Credentials>"
