"""Which routes are open, and which are guarded, by what?"""

from __future__ import annotations

import functools
import inspect
import linecache
from typing import Any

import pytest
from core.applications import App, Blueprint, manager_of
from core.test_marks import class_view, guarded
from werkzeug.routing import Map

from quart_login._core.marks import ANONYMOUS, BASIC, FRESH, REQUIRED, login_exempt
from quart_login._core.routes import (
    UNMARKED,
    Route,
    assert_routes_guarded,
    problems,
    routes,
    where,
)


def one(app: App) -> Route:
    [route] = routes(app)
    return route


def said(app: App) -> list[tuple[str, str, str]]:
    return [(route.rule, route.state, route.by) for route in routes(app)]


def test_a_route_that_nothing_is_said_of_is_open_and_to_be_mended() -> None:
    app = App()
    view = app.add("/page", "page", methods=["POST", "GET"])
    route = one(app)
    assert route == Route(
        "/page", "page", ("GET", "POST"), False, "open", "nothing", where(view), route.problem
    )
    assert problems([route]) == [
        f"{where(view)}: GET, POST /page (page): open to everybody."
        " Guard it, or mark it with @login_exempt."
    ]
    with pytest.raises(AssertionError, match="open to everybody"):
        assert_routes_guarded(app)


@pytest.mark.parametrize("state", [ANONYMOUS, BASIC, REQUIRED, FRESH])
def test_a_guard_is_shown(state: str) -> None:
    app = App()
    app.add("/page", "page", guarded(lambda: None, state))
    assert said(app) == [("/page", state, "decorator")]
    assert_routes_guarded(app)


def test_a_guard_of_a_realm_is_shown_with_it() -> None:
    app = App()
    staff = manager_of(app, "staff")
    app.add("/page", "page", guarded(lambda: None, manager=staff))
    assert one(app).by == "decorator of staff"


def test_what_is_open_on_purpose_is_shown() -> None:
    app = App()
    manager = manager_of(app)
    manager.login_view = "login"
    app.add("/a", "exempt", login_exempt(lambda: None))
    app.add("/b", "login")
    app.add("/c", "static")
    app.add("/d", "old", redirect_to="/new")
    assert said(app) == [
        ("/a", "exempt", "login_exempt"),
        ("/b", "exempt", "login_view"),
        ("/c", "open", "static"),
        ("/d", "open", "redirect"),
    ]
    assert_routes_guarded(app)


def test_fences_are_shown() -> None:
    app = App()
    manager, staff = manager_of(app), manager_of(app, "staff")
    admin = Blueprint("admin")
    staff.require_login(admin)
    admin.register(app, "/admin")
    manager.require_login(app, exempt_static=True)
    app.add("/a", "admin.page")
    app.add("/b", "page")
    app.add("/c", "static")
    app.add("/d", "open", login_exempt(lambda: None))
    app.add("/e", "fresh", guarded(lambda: None, FRESH))
    app.add("/f", "strangers", guarded(lambda: None, ANONYMOUS))
    assert said(app) == [
        ("/a", "required", "require_login(blueprint admin) of staff"),
        ("/b", "required", "require_login(app)"),
        ("/c", "exempt", "static"),
        ("/d", "exempt", "login_exempt"),
        ("/e", "fresh", "decorator"),
        ("/f", "anonymous", "decorator"),
    ]


def test_hooks_are_shown() -> None:
    app = App()
    app.add("/a", "admin.page")
    app.add("/b", "page")
    app.add("/c", "admin.fresh", guarded(lambda: None, FRESH))
    app.add("/d", "admin.socket", websocket=True)
    app.before_request_funcs["admin"] += [lambda: None, guarded(lambda: None)]
    app.before_request_funcs["admin"].append(guarded(lambda: None, ANONYMOUS))
    assert said(app) == [
        ("/a", "required", "before_request(blueprint admin)"),
        ("/b", "open", "nothing"),
        ("/c", "fresh", "decorator"),
        ("/d", "open", "nothing"),
    ]
    app.before_request_funcs[None].append(guarded(lambda: None, FRESH, manager_of(app, "staff")))
    app.before_websocket_funcs[None].append(guarded(lambda: None))
    assert said(app) == [
        ("/a", "fresh", "before_request(app) of staff"),
        ("/b", "fresh", "before_request(app) of staff"),
        ("/c", "fresh", "decorator"),
        ("/d", "required", "before_request(app)"),
    ]


def test_hooks_that_nothing_is_known_of_are_named() -> None:
    app = App()
    app.add("/page", "page")

    def check() -> None: ...

    def ours() -> None: ...

    ours.__module__ = "flask_compat._fence"
    app.before_request_funcs[None] += [ours, check]
    assert one(app).by == f"before_request unknown: {__name__}.{check.__qualname__}"
    assert one(app).problem is not None
    app.before_request_funcs[None][:] = [functools.partial(check)]
    assert "functools.partial" in one(app).by


def test_methods_that_are_guarded_alike_are_one_route() -> None:
    class Page:
        def dispatch_request(self) -> None: ...
        def get(self) -> None: ...

        post = put = guarded(dispatch_request)

    app = App()
    app.add("/page", "page", class_view(Page), methods=["GET", "PUT", "POST"])
    assert [(route.methods, route.state) for route in routes(app)] == [
        (("GET",), "open"),
        (("POST", "PUT"), "required"),
    ]


def test_methods_that_the_framework_answers_are_not_shown() -> None:
    app = App()
    app.add("/a", "a", methods=["GET", "OPTIONS", "HEAD"])
    app.add("/b", "b", methods=["HEAD", "OPTIONS"])
    app.add("/c", "c", websocket=True)
    [own, *_] = app.url_map.iter_rules("b")
    own.provide_automatic_options = True  # type: ignore[attr-defined]
    assert [route.methods for route in routes(app)] == [("GET", "OPTIONS"), ("HEAD",), ()]
    assert [route.websocket for route in routes(app)] == [False, False, True]


def test_rules_of_other_hosts_are_told_apart_and_build_only_ones_left_out() -> None:
    app = App()
    app.add("/page", "page", subdomain="admin")
    app.add("/built", "built", build_only=True)
    assert one(app).rule == "//admin/page"


def test_a_rule_without_a_view_is_open() -> None:
    app = App()
    app.add("/page", "page")
    app.view_functions.clear()
    route = one(app)
    assert (route.state, route.view) == ("open", None)
    assert problems([route])[0].startswith("page: GET /page")


def test_a_guard_above_the_route_is_a_problem_whatever_else_holds() -> None:
    app = App()
    manager_of(app).require_login(app)

    def secret() -> None: ...

    guarded(secret)
    app.add("/page", "page", secret)
    assert one(app).state == "required"
    assert "above the route" in str(one(app).problem)


def test_a_route_can_be_written_as_json() -> None:
    app = App()
    app.add("/page", "page", guarded(lambda: None))
    assert one(app).as_dict() == {
        "rule": "/page",
        "endpoint": "page",
        "methods": ("GET",),
        "websocket": False,
        "state": "required",
        "by": "decorator",
        "view": one(app).view,
        "problem": None,
    }


# --- where ---------------------------------------------------------------------------------------


def test_a_view_is_where_its_function_or_class_is() -> None:
    class Page: ...

    def view() -> None: ...

    wrapper = functools.wraps(view)(lambda: None)
    for thing, heart in ((view, view), (wrapper, view), (class_view(Page), Page)):
        assert where(thing) == f"{__file__}:{inspect.getsourcelines(heart)[1]}"


@pytest.mark.parametrize("thing", [None, 7, print, eval("lambda: None")])
def test_what_has_no_source_is_nowhere(thing: Any) -> None:
    assert where(thing) is None


def test_what_was_given_to_python_itself_is_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "view = lambda: None"
    monkeypatch.setitem(linecache.cache, "<string>", (len(source), None, [source], "<string>"))
    assert where(eval("lambda: None")) is None


def test_a_class_that_answers_head_by_itself_says_so() -> None:
    class Page:
        def dispatch_request(self) -> None: ...
        def get(self) -> None: ...

    class Own(Page):
        def head(self) -> None: ...

    app = App()
    for path, cls in (("/own", Own), ("/page", Page)):
        app.add(path, path[1:], guarded_class(cls), methods=["GET", "HEAD", "OPTIONS"])
    found = {route.rule: route.methods for route in routes(app)}
    assert found == {"/own": ("GET", "HEAD", "OPTIONS"), "/page": ("GET", "OPTIONS")}


def guarded_class(cls: type) -> Any:
    view = class_view(cls)
    return guarded(view)


def test_a_socket_has_no_methods() -> None:
    app = App()
    app.add(
        "/socket",
        "socket",
        guarded(lambda: None),
        websocket=True,
        methods=["GET", "HEAD", "OPTIONS"],
    )
    assert one(app).methods == ()


def test_a_hook_for_strangers_guards_nothing() -> None:
    app = App()
    app.add("/page", "page")
    app.before_request_funcs[None].append(guarded(lambda: None, ANONYMOUS))
    assert one(app).state == "open"


def test_each_problem_has_a_line() -> None:
    app = App()
    app.add("/a", "a")
    app.add("/b", "b")
    with pytest.raises(AssertionError) as failure:
        assert_routes_guarded(app)
    head, *lines = str(failure.value).split("\n")
    assert head == "these routes are to be mended:" and len(lines) == 2


def test_a_hook_that_asks_for_more_counts_before_the_guard() -> None:
    app = App()
    app.add("/page", "page", guarded(lambda: None))
    app.before_request_funcs[None] += [guarded(lambda: None), guarded(lambda: None, FRESH)]
    assert (one(app).state, one(app).by) == (FRESH, "before_request(app)")


def test_a_guard_for_strangers_counts_after_the_fence() -> None:
    app = App()
    manager = manager_of(app)
    manager.require_login(app)
    app.add("/page", "page", guarded(lambda: None, BASIC))
    assert one(app).state == BASIC


def test_rules_of_other_hosts_are_named_with_them() -> None:
    app = App()
    app.url_map = Map(host_matching=True)
    app.add("/page", "page", guarded(lambda: None), host="a.example")
    assert one(app).rule == "//a.example/page"


def test_a_guarded_view_that_is_registered_elsewhere_stands_above_no_route() -> None:
    def view() -> None: ...

    app, above = App(), guarded(view)
    app.add("/open", "open", view)
    assert "above the route" in str(one(app).problem)
    app.add("/guarded", "guarded", above)
    assert [route.problem for route in routes(app)] == [None, UNMARKED]
