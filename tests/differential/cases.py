"""The scripts: generated, each with an id that says what is combined in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

from .cases_pages import blueprints, redirects
from .plays import Case

FORMATS = {"old": {"REMEMBER_COOKIE_FORMAT": "flask-login"}, "new": {}}
PROTECTIONS: dict[str, dict[str, Any]] = {
    "none": {"SESSION_PROTECTION": None},
    "basic": {},
    "strong": {"SESSION_PROTECTION": "strong"},
}


def logins() -> Iterator[Case]:
    """Who logs in, and how."""
    remembered = [("forget", "", "old")] + [
        (f"remember{'-hour' * bool(life)}", f"&remember=1{life}", form)
        for life, form in product(("", "&seconds=3600"), FORMATS)
    ]
    for user, (how, query, form), fresh, permanent, force in product(
        ("1", "ann", "zoë", "3"), remembered, (1, 0), (0, 1), (0, 1)
    ):
        if (force and user != "3" and (permanent or not fresh)) or (permanent and not fresh):
            continue
        url = f"/in/{user}?fresh={fresh}{query}{'&permanent=1' * permanent}{'&force=1' * force}"
        yield Case(
            f"login-{user}-{how}-{form}-{'fresh' if fresh else 'stale'}"
            f"{'-permanent' * permanent}{'-forced' * force}",
            (
                *("GET /me", f"GET {url}", "GET /me", "GET /private", "GET /is-fresh", "GET /very"),
                *("GET /is-remembered", "close", "GET /me", "GET /very", "GET /out", "GET /me"),
            ),
            FORMATS[form],
        )


def clients() -> Iterator[Case]:
    """A session that comes from another client."""
    pages = ("/private", "/very", "/public", "/is-fresh", "/put/b/2")
    for mode, permanent, remember, key, page in product(PROTECTIONS, (0, 1), (0, 1), (0, 1), pages):
        if key and page in ("/very", "/is-fresh"):
            continue
        yield Case(
            f"client-{mode}{'-permanent' * permanent}{'-remembered' * remember}{'-key' * key}"
            f"-{page.strip('/').replace('/', '-')}",
            (
                *(f"GET /in/1?remember={remember}{'&permanent=1' * permanent}", "GET /put/cart/7"),
                *("agent other", *(["key 2"] * key), f"GET {page}", "GET /me", "GET /get/cart"),
                *("agent back", f"GET {page}", "GET /confirm", "GET /very", "GET /out", "GET /me"),
            ),
            {**PROTECTIONS[mode], **FORMATS["old"]},
            request_loader=bool(key),
        )
    for mode, address in product(PROTECTIONS, ("9.9.9.9", "127.0.0.1,9.9.9.9")):
        yield Case(
            f"client-{mode}-forwarded-{address}",
            ("GET /in/1", f"forwarded {address}", "GET /private", "GET /very", "GET /out"),
            PROTECTIONS[mode],
        )


def cookies() -> Iterator[Case]:
    """What the browser brings: a session, a remember cookie, a key."""
    sessions = {
        "nothing": (),
        "cart": ("GET /put/cart/7",),
        "login": ("GET /in/1", "GET /put/cart/7"),
        "permanent": ("GET /in/1?permanent=1", "GET /put/cart/7"),
        "left": ("GET /in/2", "GET /put/cart/7", "GET /out"),
    }
    words = ("1", "2", "99", "3", "zoë", "junk", "forged", "bar", "empty", "dotted")
    for session, word, key, mode, form in product(
        sessions, words, (0, 1), ("basic", "strong"), FORMATS
    ):
        junk = word in ("junk", "forged", "bar", "empty", "dotted")
        if (form == "new" and (junk or key)) or (mode == "strong" and (key or form == "new")):
            continue
        if (junk and mode == "strong") or (session == "permanent" and word not in ("1", "2", "3")):
            continue
        yield Case(
            f"cookie-{word}-session-{session}{'-key' * key}-{mode}-{form}",
            (
                *(*sessions[session], f"cookie {word}", *(["key 2"] * key)),
                *("GET /public", "GET /is-remembered", "GET /me", "GET /get/cart", "GET /private"),
                *("GET /me", "GET /confirm", "GET /very", "GET /out", "GET /me"),
            ),
            {**PROTECTIONS[mode], **FORMATS[form]},
            request_loader=bool(key),
        )


def losses() -> Iterator[Case]:
    """The user is deleted or locked while logged in."""
    for event, remember, key, closed, mode, page in product(
        ("vanish", "lock"), (0, 1), (0, 1), (0, 1), PROTECTIONS, ("/private", "/public", "/out")
    ):
        if closed and not remember:
            continue
        yield Case(
            f"{event}{'-remembered' * remember}{'-key' * key}{'-closed' * closed}-{mode}"
            f"-{page.strip('/')}",
            (
                *(f"GET /in/1?remember={remember}", "GET /put/cart/7", f"{event} 1"),
                *(["close"] * closed + ["key 2"] * key),
                *(f"GET {page}", "GET /me", "GET /in/2", "GET /me", "GET /get/cart"),
            ),
            {**PROTECTIONS[mode], **FORMATS["old"]},
            request_loader=bool(key),
        )


def refreshes() -> Iterator[Case]:
    """REMEMBER_COOKIE_REFRESH_EACH_REQUEST."""
    for query, permanent, form, page in product(
        ("", "remember=1", "remember=1&seconds=7200"), (0, 1), FORMATS, ("/me", "/public")
    ):
        yield Case(
            f"refresh-{query or 'forget'}{'-permanent' * permanent}-{form}-{page.strip('/')}",
            (
                *("GET /me", f"GET /in/1?{query}{'&permanent=1' * permanent}", f"GET {page}"),
                *("advance 1", f"GET {page}", "close", f"GET {page}", "GET /me", "advance 1"),
                *("GET /me", "GET /confirm", "GET /out", "GET /me", "GET /in/2", "GET /me"),
            ),
            {**FORMATS[form], "REMEMBER_COOKIE_REFRESH_EACH_REQUEST": True},
        )


def settings() -> Iterator[Case]:
    """The remember cookie's attributes."""
    for domain, path, secure, httponly, samesite, form in product(
        (None, "example.com"), ("/", "/app"), (0, 1), (1, 0), (None, "Lax"), FORMATS
    ):
        if form == "new" and (path == "/app" or domain):
            continue
        yield Case(
            f"settings-{domain}-{path}-{'secure' * secure}-{'httponly' * httponly}-{samesite}"
            f"-{form}",
            (
                *("GET /in/1?remember=1", "close", "GET /me", "GET /very", "GET /confirm"),
                *("GET /very", "GET /out", "GET /me"),
            ),
            {
                **FORMATS[form],
                "REMEMBER_COOKIE_NAME": "rc",
                "REMEMBER_COOKIE_DOMAIN": domain,
                "REMEMBER_COOKIE_PATH": path,
                "REMEMBER_COOKIE_SECURE": bool(secure),
                "REMEMBER_COOKIE_HTTPONLY": bool(httponly),
                "REMEMBER_COOKIE_SAMESITE": samesite,
                "REMEMBER_COOKIE_DURATION": 3600 if secure else timedelta(days=3),
            },
        )


def switches() -> Iterator[Case]:
    """One browser, several users."""
    for first, second, out, remember, again, mode in product(
        ("1", "a|b"), ("2", "1"), ("", "GET /out", "GET /out?clear=1"), (0, 1), (0, 1), PROTECTIONS
    ):
        if mode == "none" and (again or first == "a|b"):
            continue
        yield Case(
            f"switch-{first}-{second}-{out[5:] or 'stay'}{'-remember' * remember}"
            f"{'-again' * again}-{mode}",
            (
                *("GET /put/visitor/1", f"GET /in/{first}?remember={remember}", "GET /put/cart/7"),
                *([out] * bool(out)),
                *(f"GET /in/{second}?remember={again}", "GET /get/cart", "GET /get/visitor"),
                *("close", "GET /me", "GET /out", "GET /in/1", "GET /me"),
            ),
            {**PROTECTIONS[mode], **FORMATS["old"]},
        )


def strangers() -> Iterator[Case]:
    """Nobody is logged in."""
    for mode, data, key, out in product(PROTECTIONS, (0, 1), (0, 1), ("/out", "/out?clear=1")):
        yield Case(
            f"nobody-{mode}{'-cart' * data}{'-key' * key}{out[1:].replace('?', '-')}",
            (
                *(["GET /put/cart/7"] * data + ["key 1"] * key),
                *("GET /me", "GET /is-fresh", "GET /is-remembered", "GET /confirm", "GET /very"),
                *("GET /private", f"GET {out}", "GET /get/cart", "GET /me", "GET /in/2"),
                *("GET /me", "GET /get/cart"),
            ),
            PROTECTIONS[mode],
            request_loader=bool(key),
        )


def guests() -> Iterator[Case]:
    """The request loader names a user beside what a logout left."""
    for mode, key, permanent, page in product(
        PROTECTIONS, ("1", "2"), (0, 1), ("/private", "/confirm", "/put/b/2")
    ):
        yield Case(
            f"guest-{mode}-{key}{'-permanent' * permanent}-{page.strip('/').replace('/', '-')}",
            (
                *(f"GET /in/1?x=1{'&permanent=1' * permanent}", "GET /put/cart/7", "GET /out"),
                # Whoever comes next is to go back to this page.
                *("GET /private", f"key {key}", f"GET {page}", "GET /get/cart", "GET /me"),
                *("GET /get/cart", "GET /put/b/2", "GET /me", "GET /get/b", "GET /out", "GET /me"),
            ),
            {**PROTECTIONS[mode], "USE_SESSION_FOR_NEXT": True},
            {"login_view": "/login"},
            request_loader=True,
        )


def times() -> Iterator[Case]:
    """Time goes by."""
    for hours, query, closed, form in product(
        (0.5, 23, 25, 24 * 366), ("", "&remember=1", "&remember=1&seconds=36000"), (0, 1), FORMATS
    ):
        yield Case(
            f"after-{hours}h-{query[1:] or 'forget'}{'-closed' * closed}-{form}",
            (
                *(f"GET /in/1?permanent=0{query}", f"advance {hours}", *(["close"] * closed)),
                *("GET /is-remembered", "GET /is-fresh", "GET /very", "GET /me", "GET /confirm"),
                *("GET /very", "GET /out"),
            ),
            FORMATS[form],
        )


CASES: dict[str, Case] = {}
for family in (
    *(logins, clients, cookies, losses, redirects, blueprints, refreshes, settings),
    *(switches, strangers, guests, times),
):
    for case in family():
        assert case.id not in CASES, case.id
        CASES[case.id] = case
