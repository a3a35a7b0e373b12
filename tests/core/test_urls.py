"""Where is the login page, and where does the visitor go from there?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import pytest
from core.paper import Paper, Web, make_request
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.exceptions import SecurityError

from quart_login._core import urls
from quart_login._core.settings import FLASK_LOGIN
from quart_login._core.urls import (
    endpoint_in,
    expand_login_view,
    here,
    login_views,
    make_next_param,
    next_url,
    set_login_view,
)


def web(**config: Any) -> Web:
    return Paper(config=config, scheme="https").web


def login_url(*args: Any, **config: Any) -> str:
    return urls.login_url(web(**config), *args)


# --- the page to come back to, shortened ---------------------------------------------------------


@pytest.mark.parametrize(
    ("login", "current", "back"),
    [
        ("http://localhost/login", "http://localhost/profile?a=1", "/profile?a=1"),
        ("/login", "http://localhost/profile", "/profile"),
        ("//localhost/login", "http://localhost/profile", "/profile"),
        ("https://localhost/login", "http://localhost/profile", "http://localhost/profile"),
        ("http://accounts/login", "http://localhost/profile", "http://localhost/profile"),
        ("/login", "/profile#part", "/profile"),
    ],
)
def test_a_page_of_the_login_pages_site_is_shortened(login: str, current: str, back: str) -> None:
    assert make_next_param(login, current) == back


# --- the login page ------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["https://x/login", "http://x/login", "/login", "//x/login"])
def test_a_url_is_a_login_page_as_it_stands(url: str) -> None:
    assert expand_login_view(web(), url) == url


@pytest.mark.parametrize("endpoint", ["login", "auth.login", "http", "ftp://x"])
def test_anything_else_is_an_endpoint(endpoint: str) -> None:
    assert expand_login_view(web(), endpoint) == f"/url/for/{endpoint}"


CHARACTERS = st.sampled_from("/a?b=&#;%\\\n\té :@.")


@example("log in", "page?")
@example("log in", "/evil.example/a b")
@given(st.text(CHARACTERS, max_size=8), st.text(CHARACTERS, max_size=8))
def test_a_plain_login_url_is_made_as_any(base: str, back: str) -> None:
    with mock.patch.object(urls, "_is_path", return_value=False):
        try:
            as_any = login_url("/" + base, "/" + back)
        except ValueError:
            return
    assert login_url("/" + base, "/" + back) == as_any


def test_a_login_url_has_the_page_to_come_back_to_in_its_query() -> None:
    assert login_url("login") == "/url/for/login"
    assert login_url("/login", "http://localhost/a?b=1&c") == "/login?next=%2Fa%3Fb%3D1%26c"
    assert login_url("/login", "/a", "back") == "/login?back=%2Fa"
    assert login_url("http://x/login", "http://y/a") == "http://x/login?next=http%3A%2F%2Fy%2Fa"


def test_the_query_of_the_login_page_is_kept_but_for_the_field() -> None:
    url = login_url("/login?a=1&a=2&empty=&next=/old#part", "/new")
    assert url.endswith("#part")
    assert parse_qs(urlsplit(url).query, keep_blank_values=True) == {
        "a": ["1", "2"],
        "empty": [""],
        "next": ["/new"],
    }


def test_the_host_may_be_forced_with_the_scheme_of_the_request() -> None:
    forced = {"FORCE_HOST_FOR_REDIRECTS": "proxy"}
    assert login_url("/login", "/a", **forced) == "https://proxy/login?next=%2Fa"
    assert login_url("http://x/login", "/a", **forced) == "http://proxy/login?next=%2Fa"
    assert login_url("/login", **forced) == "/login"
    assert login_url("/login", "/a", FORCE_HOST_FOR_REDIRECTS=None) == "/login?next=%2Fa"


def test_in_flask_logins_way_the_forced_host_leaves_the_scheme_to_the_browser() -> None:
    forced = web(FORCE_HOST_FOR_REDIRECTS="proxy")
    forced.current_app.login_manager.defaults = FLASK_LOGIN
    assert urls.login_url(forced, "/login", "/a") == "//proxy/login?next=%2Fa"
    assert urls.login_url(forced, "http://x/login", "/a") == "http://proxy/login?next=%2Fa"


# --- the page that was asked for -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"path": "/a", "query_string": b""}, "/a"),
        ({"path": "/a", "query_string": b"b=1&c=%20&d=/?"}, "/a?b=1&c=%20&d=/?"),
        ({"path": "/zoë x", "query_string": "q=ë".encode()}, "/zo%C3%AB%20x?q=%C3%AB"),
        ({"path": "/a?b#c"}, "/a%3Fb%23c"),
        ({"path": "/a", "root_path": "/app"}, "/app/a"),
        ({"path": "/a", "root_path": "/app/"}, "/app/a"),
        ({"path": "", "root_path": ""}, "/"),
    ],
)
def test_a_request_is_for_its_path_and_query(fields: dict[str, Any], path: str) -> None:
    assert here(make_request(**fields)) == path


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "//evil.com"},
        {"path": "////evil.com"},
        {"path": "/\\evil.com"},
        {"path": "\\\\evil.com"},
        {"path": "/\t/evil.com"},
        {"path": "/\n/evil.com"},
        {"path": " //evil.com"},
        {"path": "evil.com"},
        {"path": "http://evil.com"},
        {"root_path": "//evil.com", "path": "/"},
        {"root_path": "//", "path": "//evil.com"},
        {"path": "/a", "host": "evil.com"},
        {"path": "/a", "query_string": b"\r\nLocation: //evil.com"},
    ],
)
def test_no_request_leads_off_the_site(fields: dict[str, Any]) -> None:
    path = here(make_request(**fields))
    assert path.startswith("/") and not path.startswith("//")
    assert path.isascii() and path.isprintable() and not set(path) & set(' \\"<>')
    assert urlsplit(path).netloc == urlsplit(path).scheme == ""
    assert next_url(make_request(**fields), "/login") == path


# --- whether it can be fetched by GET ------------------------------------------------------------


def rule(*methods: str) -> Any:
    return SimpleNamespace(methods=set(methods))


@pytest.mark.parametrize(
    "fields",
    [
        {"method": "GET"},
        {"method": "HEAD"},
        {"method": "POST", "url_rule": rule("GET", "POST")},
        {"method": "OPTIONS", "url_rule": rule("GET")},
    ],
)
def test_a_page_that_can_be_fetched_by_get_is_the_one_to_come_back_to(
    fields: dict[str, Any],
) -> None:
    assert next_url(make_request(path="/a", **fields), "/login") == "/a"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("query", [b"q=", b"q={"])
def test_a_page_whose_url_is_too_long_is_none_to_come_back_to(method: str, query: bytes) -> None:
    """Nobody could be sent there, and to quote it takes long."""
    fields = {"path": "/list", "method": method, "url_rule": rule("GET", "POST")}
    longest = query + b"{" * (2048 - len("/list") - len(query))
    page = make_request(query_string=longest, **fields)
    assert next_url(page, "/login") == "/list?" + longest.decode().replace("{", "%7B")
    page.query_string += b"{"
    assert next_url(page, "/login") is None


def sent_from(referrer: str | None, **fields: Any) -> Any:
    """Return a request by POST of a page that has no GET, sent from the page *referrer*."""
    headers = {} if referrer is None else {"Referer": referrer}
    return make_request(
        method="POST", path="/delete", headers=headers, **{"url_rule": rule("POST"), **fields}
    )


@pytest.mark.parametrize("root_path", ["/app", "/app/"])
def test_a_page_that_is_served_and_not_by_get_is_none_below_a_root_either(root_path: str) -> None:
    asked: list[str] = []

    def methods_at(path: str) -> list[str]:
        asked.append(path)
        return ["POST"]

    request = sent_from("http://localhost/app/list", root_path=root_path)
    assert next_url(request, "/login", methods_at=methods_at) is None
    assert asked[-1] == "/list"


@pytest.mark.parametrize("url_rule", [rule("POST"), None, SimpleNamespace(methods=None)])
def test_else_it_is_the_page_that_the_request_was_sent_from(url_rule: Any) -> None:
    request = sent_from("http://localhost/list?p=2#part", url_rule=url_rule)
    assert next_url(request, "/login") == "/list?p=2"


@pytest.mark.parametrize(
    ("referrer", "path"),
    [
        ("http://localhost", "/"),
        ("https://localhost/list", "/list"),
        ("http://localhost/zoë\\x", "/zo%C3%AB%5Cx"),
        ("http://localhost/list?q=ë x", "/list?q=%C3%AB%20x"),
        ("http://localhost//evil.com/x", "/evil.com/x"),
        ("http://localhost/\\evil.com", "/%5Cevil.com"),
    ],
)
def test_the_referring_page_is_a_path_of_this_site(referrer: str, path: str) -> None:
    assert next_url(sent_from(referrer), "/login") == path


@pytest.mark.parametrize(
    "referrer",
    [
        None,
        "",
        "/list",
        "//localhost/list",
        "http://evil.com/list",
        "http://localhost.evil.com/list",
        "http://localhost@evil.com/",
        "http://evil.com@localhost/",
        "http://localhost:8000/list",
        "javascript://localhost/%0aalert(1)",
        "ftp://localhost/list",
        "http://[",
        "android-app://com.example/",
    ],
)
def test_a_page_that_is_not_of_this_site_is_none_to_come_back_to(referrer: str | None) -> None:
    assert next_url(sent_from(referrer), "/login") is None
    assert next_url(sent_from(referrer), "http://accounts/login") is None


MAP = {
    "/delete": {"POST", "OPTIONS"},
    "/list": {"GET", "HEAD"},
    "/zoë": {"PUT"},
}


def methods_at(path: str) -> Any:
    return MAP.get(path, ())


def back_from(request: Any, **options: Any) -> str | None:
    return next_url(request, "/login", methods_at=methods_at, **options)


def test_a_page_that_another_rule_serves_by_get_is_the_one_to_come_back_to() -> None:
    request = make_request(method="POST", path="/list", url_rule=rule("POST"))
    assert back_from(request) == "/list"
    assert next_url(request, "/login") is None


@pytest.mark.parametrize(
    ("page", "back"),
    [
        ("/list?p=2", "/list?p=2"),
        ("/delete", None),
        ("/delete?a=/list", None),
        ("/del%65te", None),
        ("/zo%C3%AB", None),
        ("/elsewhere", "/elsewhere"),
    ],
)
def test_a_page_that_is_not_served_by_get_is_none_to_come_back_to(
    page: str, back: str | None
) -> None:
    assert back_from(sent_from(f"http://localhost{page}")) == back
    mounted = sent_from(f"http://localhost/app{page}", root_path="/app")
    assert back_from(mounted) == (back and f"/app{back}")


def test_the_page_of_another_application_of_this_host_may_be_come_back_to() -> None:
    assert back_from(sent_from("http://localhost/delete", root_path="/app")) == "/delete"
    assert back_from(sent_from("http://localhost/application", root_path="/app")) == "/application"


def test_the_application_says_by_which_methods_it_serves_a_page() -> None:
    it = Paper()
    it.pages["/a"] = ["POST"]
    ask = urls.methods_at(it.app, it.request)
    assert (list(ask("/a")), list(ask("/b"))) == (["POST"], [])

    def refuse(request: Any) -> Any:
        raise SecurityError("This host is not trusted.")

    it.app.create_url_adapter = refuse
    assert list(ask("/a")) == []


# --- the page of whom htmx asks for --------------------------------------------------------------


def by_htmx(current: str | None, **fields: Any) -> str | None:
    headers = {} if current is None else {"HX-Current-URL": current}
    headers |= {"Referer": fields.pop("referrer")} if "referrer" in fields else {}
    return back_from(make_request(path="/part", headers=headers, **fields), by_htmx=True)


def test_htmx_says_which_page_its_visitor_is_on() -> None:
    assert by_htmx("http://localhost/list?p=2#part") == "/list?p=2"
    assert by_htmx("https://localhost/list") == "/list"
    assert by_htmx("http://localhost/list", method="DELETE") == "/list"


@pytest.mark.parametrize(
    "current",
    [
        None,
        "",
        "http://evil.com/",
        "//evil.com/",
        "javascript:alert(1)",
        "http://localhost//evil.com",
        "http://localhost@evil.com/",
        "http://localhost/\\evil.com",
        "http://localhost/delete",
    ],
)
def test_a_part_of_a_page_is_none_to_come_back_to(current: str | None) -> None:
    assert by_htmx(current) is None


def test_where_htmx_does_not_say_it_is_the_referring_page() -> None:
    assert by_htmx(None, referrer="http://localhost/list") == "/list"
    assert by_htmx("http://evil.com/", referrer="http://localhost/list") == "/list"
    assert by_htmx("http://localhost/list", referrer="http://localhost/other") == "/list"


def test_a_login_page_on_another_host_gets_the_whole_url_of_that_page() -> None:
    request = make_request(path="/part", headers={"HX-Current-URL": "http://localhost/list"})
    assert next_url(request, "http://x/login", by_htmx=True) == "http://localhost/list"


# --- a login page elsewhere ----------------------------------------------------------------------


def test_a_login_page_on_another_host_gets_the_whole_url() -> None:
    request = make_request(path="/a", query_string=b"b=1", host="shop:8000", scheme="https")
    assert next_url(request, "http://accounts/login") == "https://shop:8000/a?b=1"
    assert next_url(sent_from("http://localhost/list"), "//accounts/login") == (
        "http://localhost/list"
    )


def test_a_login_page_that_is_named_by_this_sites_own_host_gets_the_path() -> None:
    request = make_request(path="/a", query_string=b"b=1")
    assert next_url(request, "http://localhost/login") == "/a?b=1"
    assert next_url(request, "https://localhost/login") == "http://localhost/a?b=1"


def test_a_host_that_is_none_gives_no_url() -> None:
    assert next_url(make_request(path="/a", host="["), "http://accounts/login") is None
    assert next_url(make_request(path="/a", host="["), "/login") == "/a"


# --- login pages of blueprints -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("views", "default", "blueprints", "view"),
    [
        ({}, None, [], None),
        ({}, "login", [], "login"),
        ({}, "login", ["shop"], "login"),
        ({"shop": "shop.login"}, "login", ["shop"], "shop.login"),
        ({"shop": "shop.login"}, "login", ["blog"], "login"),
        ({"shop": "shop.login"}, "login", [], "login"),
        ({"shop": None}, "login", ["shop"], "login"),
        ({None: "all", "shop": "shop.login"}, None, ["blog"], "all"),
        ({None: "all"}, "login", [], "all"),
        ({"admin": "inner"}, "login", ["shop.admin", "shop"], "inner"),
        ({"shop.admin": "inner", "admin": "outer"}, "login", ["shop.admin", "shop"], "inner"),
        ({"shop": "outer"}, "login", ["shop.admin", "shop"], "outer"),
        ({"shop": "outer", "admin": "inner"}, "login", ["shop.admin", "shop"], "inner"),
    ],
)
def test_the_innermost_blueprint_with_a_login_page_has_its_way(
    views: Any, default: str | None, blueprints: list[str], view: str | None
) -> None:
    found = (v for v, _ in login_views(views, default, blueprints) if v)
    assert next(found, None) == view


def test_the_nearest_login_page_comes_first_with_whose_it_is() -> None:
    views: Any = {"shop": "outer", "admin": "inner", None: "all"}
    assert list(login_views(views, "login", ["shop.admin", "shop"])) == [
        ("inner", "shop.admin"),
        ("outer", "shop"),
        ("all", ""),
        ("login", ""),
    ]


def test_a_nested_blueprint_is_not_taken_for_another_that_is_registered_by_its_own_name() -> None:
    views: Any = {"admin": "of the other", "shop": "outer"}
    found = list(login_views(views, None, ["shop.admin", "shop"], {"admin", "shop", "shop.admin"}))
    assert found[0] == ("outer", "shop")
    found = list(login_views(views, None, ["admin"], {"admin", "shop", "shop.admin"}))
    assert found[0] == ("of the other", "admin")


def test_an_endpoint_that_begins_with_a_dot_is_in_the_blueprint_whose_login_page_it_is() -> None:
    assert endpoint_in("shop", ".login") == "shop.login"
    assert endpoint_in("", ".login") == ".login"
    assert endpoint_in("shop", "login") == "login"
    assert endpoint_in("shop", "/login") == "/login"


SHOP = SimpleNamespace(name="shop")


def test_a_nested_blueprint_has_its_login_page_by_the_names_it_is_registered_by() -> None:
    at = web()
    admin, other = SimpleNamespace(name="admin"), SimpleNamespace(name="admin")
    at.current_app.blueprints = {"shop.admin": admin, "blog.admin": other, "again.admin": admin}
    set_login_view(at, "one", admin)
    set_login_view(at, "two", other)
    assert at.current_app.login_manager.blueprint_login_views == {
        "shop.admin": "one",
        "again.admin": "one",
        "blog.admin": "two",
    }


def test_a_blueprint_that_is_not_registered_yet_has_its_login_page_by_its_own_name() -> None:
    at = web()
    set_login_view(at, "one", SimpleNamespace(name="admin"))
    assert at.current_app.login_manager.blueprint_login_views == {"admin": "one"}


def test_a_login_page_is_set_for_the_application() -> None:
    at = web()
    manager = at.current_app.login_manager
    set_login_view(at, "login")
    assert (manager.login_view, manager.blueprint_login_views) == ("login", {})


def test_beside_a_blueprints_login_page_the_applications_is_that_of_none() -> None:
    at = web()
    manager = at.current_app.login_manager
    set_login_view(at, "login")
    set_login_view(at, "shop.login", SHOP)
    assert manager.login_view is None
    assert manager.blueprint_login_views == {"shop": "shop.login", None: "login"}


def test_a_blueprint_may_be_named() -> None:
    at = web()
    set_login_view(at, "shop.login", "shop")
    assert at.current_app.login_manager.blueprint_login_views == {"shop": "shop.login"}


def test_a_blueprints_login_page_may_come_first() -> None:
    at = web()
    manager = at.current_app.login_manager
    set_login_view(at, "shop.login", SHOP)
    assert (manager.login_view, manager.blueprint_login_views) == (None, {"shop": "shop.login"})
    set_login_view(at, "login")
    assert manager.login_view is None
    assert manager.blueprint_login_views == {"shop": "shop.login", None: "login"}
    set_login_view(at, "other")
    assert manager.blueprint_login_views == {"shop": "shop.login", None: "other"}


def test_a_login_page_of_none_is_not_overwritten_by_an_older_one() -> None:
    at = web()
    manager = at.current_app.login_manager
    manager.login_view = "old"
    manager.blueprint_login_views = {"shop": "shop.login"}
    set_login_view(at, "new")
    assert manager.login_view is None
    assert manager.blueprint_login_views == {"shop": "shop.login", None: "new"}


def test_two_slashes_begin_no_page_to_come_back_to() -> None:
    assert make_next_param("/login", "http://localhost//evil.com/x?y") == "/evil.com/x?y"
    assert make_next_param("/login", "http://localhost///evil.com") == "/evil.com"


def test_a_page_to_come_back_to_is_on_this_site_though_it_begins_with_two_slashes() -> None:
    assert login_url("/login", "//evil.example/a b") == "/login?next=%2Fa+b"
