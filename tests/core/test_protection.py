"""Does this session still belong to the client that it was made for?"""

from __future__ import annotations

from hashlib import sha512
from typing import Any

import pytest

from quart_login._core import protection
from quart_login._core.protection import Verdict, fingerprint, judge, later_fingerprint


def hashed(text: str) -> str:
    return sha512(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("address", "agent", "text"),
    [
        ("1.2.3.4", "Moz", "b'1.2.3.4'|b'Moz'"),
        ("1.2.3.4", None, "b'1.2.3.4'|None"),
        ("1.2.3.4", "", "b'1.2.3.4'|b''"),
        (None, "Moz", "None|b'Moz'"),
        (None, None, "None|None"),
        ("::1", "é'\"", str(b"::1") + "|" + str("é'\"".encode())),
    ],
)
def test_the_fingerprint_is_flask_logins(address: Any, agent: Any, text: str) -> None:
    assert fingerprint(address, agent) == hashed(text)


@pytest.mark.parametrize(
    ("address", "agent", "text"), [("1.2.3.4", "Moz", "1.2.3.4|Moz"), (None, None, "None|")]
)
def test_the_later_fingerprint_is_that_of_flask_logins_main(
    address: Any, agent: Any, text: str
) -> None:
    assert later_fingerprint(address, agent) == hashed(text)


def test_another_address_or_browser_is_another_client() -> None:
    clients = [(a, b) for a in ("1.1.1.1", "2.2.2.2") for b in ("x", "y", None)]
    assert len({fingerprint(*client) for client in clients}) == 6
    assert len({later_fingerprint(*client) for client in clients}) == 6


def test_a_long_browser_name_is_hashed_and_not_kept() -> None:
    protection._kept_fingerprint.cache_clear()
    fingerprint("1.2.3.4", "x" * 512)
    assert protection._kept_fingerprint.cache_info().currsize == 1
    assert fingerprint("1.2.3.4", "x" * 513) == hashed(f"b'1.2.3.4'|b'{'x' * 513}'")
    assert protection._kept_fingerprint.cache_info().currsize == 1


MOVED: dict[str, Any] = {"_user_id": 7, "_id": "another"}
PERMANENT = {**MOVED, "_permanent": True}


@pytest.mark.parametrize(
    ("session", "mode", "drops_permanent", "verdict"),
    [
        (MOVED, None, True, Verdict.KEEP),
        (MOVED, "other", True, Verdict.KEEP),
        (MOVED, True, True, Verdict.KEEP),
        (MOVED, "basic", True, Verdict.STALE),
        (PERMANENT, "basic", True, Verdict.STALE),
        (MOVED, "strong", True, Verdict.DROP),
        (MOVED, "strong", False, Verdict.DROP),
        (PERMANENT, "strong", True, Verdict.DROP),
        (PERMANENT, "strong", False, Verdict.STALE),
        ({**MOVED, "_permanent": False}, "strong", False, Verdict.DROP),
    ],
)
def test_a_moved_login_is_judged_by_the_mode(
    session: dict[str, Any], mode: Any, drops_permanent: bool, verdict: Verdict
) -> None:
    assert judge(session, mode, drops_permanent=drops_permanent) is verdict
