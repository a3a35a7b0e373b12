"""What is an application to be asked, so that it shows what it would show?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from core.applications import App, Blueprint, manager_of
from core.test_marks import class_view, guarded
from werkzeug.routing import BaseConverter, Map, ValidationError

from quart_login._core import visits as visits_module
from quart_login._core.fences import closes
from quart_login._core.marks import FRESH, REQUIRED, login_exempt
from quart_login._core.routes import route_at
from quart_login._core.visits import (
    NOWHERE,
    UNUSUAL,
    NoValue,
    Visit,
    address,
    is_harmless,
    is_refused,
    rule_of,
    visits,
    visits_off_the_routes,
)


def path_of(app: App, values: dict[str, Any] | None = None) -> str:
    """Return the path of the one route of *app*."""
    [visit] = visits(app)
    return address(app, visit, values or {})[1]


def fenced(**options: Any) -> App:
    app = App()
    manager_of(app).require_login(app, **options)
    return app


# --- which ---------------------------------------------------------------------------------------


def test_each_method_of_each_rule_is_visited_in_order() -> None:
    app = App()
    app.add("/notes", "notes", methods=["POST", "GET"])
    app.add("/a", "a", methods=["PUT"])
    app.add("/socket", "socket", websocket=True)
    app.add("/built", "built", build_only=True)
    assert list(map(str, visits(app))) == [
        "/a PUT",
        "/notes GET",
        "/notes HEAD",
        "/notes POST",
        "/socket websocket",
    ]


def test_a_rule_that_takes_any_method_is_visited_by_get() -> None:
    app = App()
    app.add("/any", "any", methods=None)
    assert visits(app) == [Visit("/any", "any", "GET")]


@pytest.mark.parametrize(
    ("method", "harmless"),
    [
        ("GET", True),
        ("HEAD", True),
        ("OPTIONS", True),
        (UNUSUAL, True),
        ("websocket", True),
        ("POST", False),
        ("PUT", True),
    ],
)
def test_what_may_change_something_is_visited_if_that_is_allowed(
    method: str, harmless: bool
) -> None:
    assert is_harmless(Visit("/", "index", method), {"PUT"}) is harmless


def test_without_a_fence_nothing_off_the_routes_is_visited() -> None:
    app = App()
    app.add("/", "index")
    assert visits_off_the_routes(app) == []


def test_around_a_fence_what_is_no_route_is_visited() -> None:
    app = fenced()
    app.add("/notes/<int:id>", "note")
    app.add("/notes/<int:id>", "change", methods=["PUT"])
    app.add("/files", "files", methods=[UNUSUAL])
    app.add("/socket", "socket", websocket=True)
    assert visits_off_the_routes(app) == [
        Visit(f"/{NOWHERE}", None, "GET", False),
        Visit("/notes/<int:id>", "note", UNUSUAL, False),
    ]


def test_a_fence_around_a_blueprint_has_a_page_of_its_own_that_is_none() -> None:
    app, admin, bare = App(), Blueprint("admin"), Blueprint("bare")
    manager = manager_of(app)
    manager.require_login(admin)
    manager.require_login(bare)
    admin.register(app, "/admin")
    bare.register(app)
    app.add("/", "index")
    app.add("/admin/users/<id>", "admin.user")
    assert visits_off_the_routes(app) == [
        Visit(f"/admin/{NOWHERE}", None, "GET", False),
        Visit("/admin/users/<id>", "admin.user", UNUSUAL, False),
    ]


def test_where_everything_is_a_route_there_is_no_page_that_is_none() -> None:
    app = fenced()
    app.add("/<path:rest>", "all")
    assert [visit.method for visit in visits_off_the_routes(app)] == [UNUSUAL]


def test_a_page_by_another_method_is_no_page_that_is_none() -> None:
    app = fenced()
    app.add(f"/{NOWHERE}", "odd", methods=["POST"])
    assert [visit.method for visit in visits_off_the_routes(app)] == [UNUSUAL]


# --- where ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/plain", "/plain"),
        ("/<name>", "/1"),
        ("/<string(length=4):name>", "/0001"),
        ("/<string(minlength=2, maxlength=2):name>", "/01"),
        ("/<int:id>", "/1"),
        ("/<int(min=7):id>", "/7"),
        ("/<int(fixed_digits=4):id>", "/0001"),
        ("/<float:size>", "/1.0"),
        ("/<path:rest>", "/1"),
        ("/<any(de, en):language>", "/de"),
        ("/<uuid:key>", "/00000000-0000-4000-8000-000000000001"),
    ],
)
def test_a_parameter_gets_something_that_its_converter_takes(rule: str, path: str) -> None:
    app = App()
    app.add(rule, "page", methods=["PUT"])
    assert path_of(app) == path


def test_what_the_developer_says_goes_first() -> None:
    app = App()
    app.add("/<owner>/<int:id>", "page", methods=["PUT"])
    assert path_of(app, {"id": 12}) == "/1/12"
    here = {"/<owner>/<int:id>": {"id": 7, "owner": "a b"}, "id": 12}
    assert path_of(app, here) == "/a%20b/7"


class Sku(BaseConverter):
    regex = "[A-Z]{3}"


class Letter(BaseConverter):
    regex = "a+"

    def to_python(self, value: str) -> str:
        if value == "aa":
            return value
        raise (ValidationError if value == "a" else KeyError)

    def to_url(self, value: str) -> str:
        if value == "refused":
            raise ValidationError
        return value


def with_converters() -> App:
    app = App()
    app.url_map = Map(converters={"sku": Sku, "letter": Letter})
    return app


def test_a_converter_of_the_applications_own_is_tried() -> None:
    app = with_converters()
    app.add("/<letter:it>", "page", methods=["PUT"])
    assert path_of(app) == "/aa"


def test_a_value_that_nobody_knows_is_told() -> None:
    app = with_converters()
    app.add("/<sku:it>", "page", methods=["PUT"])
    with pytest.raises(NoValue, match="nobody knows a value for 'it' in /<sku:it>"):
        path_of(app)


def test_a_value_that_is_refused_is_told() -> None:
    app = with_converters()
    app.add("/<letter:it>", "page", methods=["PUT"])
    with pytest.raises(NoValue, match="takes no"):
        path_of(app, {"it": "refused"})


def test_a_path_that_meets_no_route_is_its_own_address() -> None:
    assert address(App(), Visit("/nowhere", None, "GET"), {}) == (None, "/nowhere")


@pytest.mark.parametrize(
    ("options", "host"),
    [({}, None), ({"subdomain": "api"}, "api.shop.example"), ({"host": "a.example"}, "a.example")],
)
def test_a_rule_may_be_of_another_host(options: dict[str, str], host: str | None) -> None:
    app = App()
    app.url_map = Map(host_matching="host" in options)
    app.config["SERVER_NAME"] = "shop.example"
    app.add("/", "page", methods=["PUT"], **options)
    [visit] = visits(app)
    assert address(app, visit, {})[0] == host


def test_a_rule_that_is_gone_is_told() -> None:
    with pytest.raises(LookupError, match="has no rule /gone"):
        rule_of(App(), Visit("/gone", "gone", "GET"))


def test_a_page_and_a_socket_of_one_rule_are_two() -> None:
    app = App()
    app.add("/live", "live")
    app.add("/live", "live", websocket=True)
    assert rule_of(app, Visit("/live", "live", "GET")).websocket is False
    assert rule_of(app, Visit("/live", "live", "websocket")).websocket is True


def test_a_static_file_is_one_that_there_is(tmp_path: Path) -> None:
    app, admin = App(), Blueprint("admin")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "style.css").touch()
    app.static_folder = None
    admin.has_static_folder, admin.static_folder = True, str(tmp_path)
    admin.register(app)
    app.add("/static/<path:filename>", "static", methods=["PUT"])
    app.add("/theirs/<path:filename>", "admin.static", methods=["PUT"])
    ours, theirs = visits(app)
    assert address(app, ours, {})[1] == "/static/1"
    assert address(app, theirs, {})[1] == "/theirs/b/style.css"


# --- whom it should refuse -----------------------------------------------------------------------


def test_what_is_guarded_is_refused_but_for_methods_that_a_decorator_lets_pass() -> None:
    app = App()
    app.add("/page", "page", guarded(lambda: None, FRESH), methods=["GET", "OPTIONS"])
    app.add("/live", "live", guarded(lambda: None), websocket=True)
    refused = {str(visit): is_refused(app, visit) for visit in visits(app)}
    assert refused == {
        "/live websocket": True,
        "/page GET": True,
        "/page HEAD": True,
        "/page OPTIONS": False,
    }


def test_in_a_fence_a_preflight_request_is_refused_too() -> None:
    app = fenced()
    app.add("/page", "page", guarded(lambda: None, REQUIRED), methods=["GET", "OPTIONS"])
    app.add("/open", "open", login_exempt(lambda: None), methods=["GET", "OPTIONS"])
    refused = {str(visit) for visit in visits(app) if is_refused(app, visit)}
    assert refused == {"/page GET", "/page HEAD", "/page OPTIONS"}
    assert all(is_refused(app, visit) for visit in visits_off_the_routes(app))
    assert closes(app, "page", "OPTIONS") and not closes(app, "open", "OPTIONS")


def test_what_is_to_be_mended_is_asked_for_by_its_own_methods() -> None:
    app = App()
    app.add("/page", "page", methods=["GET", "OPTIONS"])
    assert [str(visit) for visit in visits(app) if is_refused(app, visit)] == ["/page GET"]
    route = route_at(app, rule_of(app, visits(app)[0]), "GET")
    assert (route.state, route.methods, route.problem is None) == ("open", ("GET",), False)


def test_a_method_that_was_exempted_is_let_pass_in_a_fence_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = fenced()
    app.add("/page", "page")
    monkeypatch.setattr(visits_module, "EXEMPT_METHODS", {"OPTIONS", "HEAD"})
    assert {visit.method: is_refused(app, visit) for visit in visits(app)} == {
        "GET": True,
        "HEAD": False,
    }


def test_a_domain_is_below_localhost_where_no_server_is_named() -> None:
    app = App()
    app.url_map = Map(subdomain_matching=True) if hasattr(Map, "subdomain_matching") else Map()
    app.add("/x", "x", subdomain="api")
    [visit] = [visit for visit in visits(app) if visit.method == "GET"]
    assert address(app, visit, {})[0] == "api.localhost"


def test_two_routes_at_one_place_are_visited_by_their_names() -> None:
    app = App()
    app.add("/", "later", methods=["POST"])
    app.add("/", "first", methods=["PUT"])
    assert [visit.endpoint for visit in visits(app)] == ["first", "later"]


def test_off_the_routes_no_socket_is_visited_nor_what_takes_any_method_or_is_only_built() -> None:
    app = fenced()
    app.add("/<path:rest>", "any", methods=None)
    app.add("/live", "live", websocket=True, methods=["GET"])
    app.add("/built", "built", build_only=True)
    assert visits_off_the_routes(app) == []


def test_a_page_at_the_path_of_a_socket_is_visited_by_another_method() -> None:
    app = fenced()
    app.add("/<path:rest>", "any", methods=None)
    app.add("/live", "live", websocket=True)
    app.add("/live", "page")
    assert visits_off_the_routes(app) == [Visit("/live", "page", UNUSUAL, False)]


def test_a_page_that_is_none_is_in_no_folder_whose_name_nobody_knows() -> None:
    app, shop = App(), Blueprint("shop")
    manager_of(app).require_login(shop)
    shop.register(app, "/shop")
    app.add("/shop/<name>", "shop.one", methods=None)
    app.add("/shop/<name>/edit", "shop.edit", methods=None)
    assert visits_off_the_routes(app) == []


def test_the_usual_host_is_asked_where_hosts_are_told_apart() -> None:
    app = fenced()
    app.url_map = Map(host_matching=True)
    app.add("/<path:rest>", "all", methods=None, host="localhost")
    assert visits_off_the_routes(app) == []


class OneLetter(BaseConverter):
    regex = "[a-z]"


def test_a_parameter_of_one_letter_gets_one() -> None:
    app = App()
    app.url_map = Map(converters={"one": OneLetter})
    app.add("/<one:it>", "page", methods=["PUT"])
    assert path_of(app) == "/a"


def test_the_static_file_is_each_time_the_same(tmp_path: Path) -> None:
    """However the file system orders the folders."""
    app = App()
    for name in "mnopqrstuvwxyzabcdefghijkl":
        (tmp_path / name).mkdir()
        (tmp_path / name / "style.css").touch()
    app.static_folder = str(tmp_path)
    app.add("/static/<path:filename>", "static", methods=["PUT"])
    assert path_of(app) == "/static/a/style.css"


def test_a_method_that_is_marked_open_is_not_refused_and_the_others_are() -> None:
    class Form:
        def dispatch_request(self) -> None: ...

        @login_exempt
        def get(self) -> None: ...

        def post(self) -> None: ...

    app = fenced()
    app.add("/form", "form", class_view(Form), methods=["GET", "POST"])
    refused = {visit.method: is_refused(app, visit) for visit in visits(app)}
    assert refused["GET"] is False and refused["POST"] is True


def test_in_a_fence_around_a_blueprint_a_preflight_request_is_refused_too() -> None:
    app, admin = App(), Blueprint("admin")
    manager_of(app).require_login(admin)
    admin.register(app, "/admin")
    app.add("/admin/", "admin.index", methods=["OPTIONS"])
    [visit] = visits(app)
    assert is_refused(app, visit)
