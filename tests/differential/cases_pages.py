"""Scripts about where strangers and stale logins are sent."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from .plays import Case

VIEWS = {
    "none": None,
    "endpoint": "login",
    "path": "/login?x=1&x=2&next=old",
    "elsewhere": "https://sso.example/in?app=a%20b",
    "same-host": "http://localhost/login",
}


#: Which pages are asked for under settings other than the default.
OTHERWISE = {
    "session": ("get", "query", "deep", "post", "post-only", "manual"),
    "host": ("get", "query"),
    "disabled": ("get", "head", "manual"),
}


def redirects() -> Iterator[Case]:
    """A stranger, or a stale login, at a guarded page."""
    pages = {
        "get": "GET /private",
        "query": "GET /guarded?a=1&b=%2F%26&c=%20+x",
        "deep": "GET /deep/zo%C3%AB/a%20b%3F/c",
        "head": "HEAD /guarded",
        "options": "OPTIONS /guarded",
        "manual": "OPTIONS /manual",
        "post": "POST /both?a=1",
        "post-only": "POST /post-only?a=1",
    }
    options: dict[str, dict[str, Any]] = {
        "url": {},
        "session": {"USE_SESSION_FOR_NEXT": True},
        "host": {"FORCE_HOST_FOR_REDIRECTS": "good.example"},
        "disabled": {"LOGIN_DISABLED": True},
    }
    for (view, login_view), (page, line), (option, config) in product(
        VIEWS.items(), pages.items(), options.items()
    ):
        if option != "url" and page not in OTHERWISE[option]:
            continue
        yield Case(
            f"stranger-{view}-{page}-{option}",
            (line, line, "GET /in/1", line, "GET /out", line),
            config,
            {"login_view": login_view},
        )
    for (view, refresh_view), (option, config) in product(VIEWS.items(), options.items()):
        yield Case(
            f"stale-{view}-{option}",
            (
                *("GET /in/1?fresh=0", "GET /very?a=1", "OPTIONS /manual-fresh", "GET /private"),
                *("GET /confirm", "GET /very", "OPTIONS /manual-fresh", "GET /is-fresh"),
            ),
            config,
            {"refresh_view": refresh_view},
        )
    for option, page in product(("url", "session"), ("http://localhost/form?x=1", "http://evil/")):
        yield Case(
            f"stranger-referer-{option}-{page.split('/')[2]}",
            (f"referer {page}", "POST /post-only"),
            options[option],
            {"login_view": "login"},
        )
    for name, manager in {
        "no-message": {"login_message": None},
        "category": {"login_message_category": "warning"},
        "localized": {"localize_callback": str.upper},
        "handler": {"unauthorized_callback": lambda: ("go away", 403)},
        "refresh-handler": {"needs_refresh_callback": lambda: ("once more", 418)},
    }.items():
        yield Case(
            f"stranger-{name}",
            ("GET /private", "GET /in/1?fresh=0", "GET /very", "GET /private"),
            {},
            {"login_view": "login", "refresh_view": "refresh", **manager},
        )


def blueprints() -> Iterator[Case]:
    """Login pages by blueprint."""
    maps: dict[str, dict[Any, Any]] = {
        "outer": {"outer": "/outer-login"},
        "inner": {"inner": "/inner-login"},
        "whole-name": {"outer.inner": "/inner-login", "outer": "/outer-login"},
        "none-in-outer": {"outer": None},
        "both": {"outer": "/outer-login", "inner": "/inner-login", None: "/login"},
    }
    for (name, views), page in product(maps.items(), ("/outer/page", "/outer/inner/page")):
        yield Case(
            f"blueprint-{name}{page.replace('/', '-')}",
            (f"GET {page}?a=1", "GET /guarded", "GET /in/1", f"GET {page}"),
            {},
            {"login_view": "/login", "blueprint_login_views": dict(views)},
        )
