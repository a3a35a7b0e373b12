"""Which requests need a login, though no decorator of their view says so?"""

from __future__ import annotations

from typing import Any

import pytest
from core.applications import App, Blueprint, Watching, manager_of
from core.paper import Manager
from core.test_marks import class_view
from werkzeug.exceptions import HTTPException, SecurityError

from quart_login._core import fences
from quart_login._core.errors import ConfigurationError
from quart_login._core.manager import BaseLoginManager
from quart_login._core.marks import login_exempt


def asked(app: App, path: str, method: str = "GET") -> list[Any]:
    return fences.asking(app, app.request(path, method))


# --- around an application -----------------------------------------------------------------------


def test_an_application_without_fences_asks_for_nothing() -> None:
    app = App()
    app.add("/page", "page")
    assert fences.fences_of(app) == []
    assert fences.around(app, "page") == []


def test_everything_in_an_application_is_asked_for() -> None:
    app = App()
    manager = manager_of(app)
    app.add("/page", "page")
    app.add("/folder/", "folder")
    app.add("/socket", "socket", websocket=True)
    manager.require_login(app)
    for path in ("/page", "/nope", "/folder", "/socket", "//page", "/"):
        assert asked(app, path) == [manager], path
    assert asked(app, "/page", "BREW") == [manager]
    assert app.watched == 1


def test_it_is_watched_once() -> None:
    app = App()
    manager = manager_of(app)
    manager.require_login(app)
    manager.require_login(app)
    assert app.watched == 1
    assert asked(app, "/nope") == [manager, manager]


def test_a_view_that_is_marked_is_open_by_its_methods() -> None:
    app = App()
    manager = manager_of(app)
    manager.require_login(app)
    app.add("/page", "page", login_exempt(lambda: "page"))
    app.add("/folder/", "folder", login_exempt(lambda: "folder"))
    assert asked(app, "/page") == asked(app, "/folder/") == []
    assert asked(app, "/folder") == []  # the way there
    assert asked(app, "/page", "POST") == [manager]


def test_the_way_there_is_found_below_the_root_of_the_application() -> None:
    app = App()
    manager = manager_of(app)
    manager.require_login(app)
    app.add("/földer/", "folder", login_exempt(lambda: "folder"))
    request = app.request("/földer")
    request.root_path = "/base"
    request.routing_exception.new_url = "http://localhost/base/f%C3%B6lder/?a=1"
    assert fences.asking(app, request) == []
    request.routing_exception.new_url = "http://localhost/elsewhere"
    assert fences.asking(app, request) == [manager]


def test_a_hostile_host_is_left_to_the_framework() -> None:
    app = App()
    manager_of(app).require_login(app)
    request = app.request("/nope")

    def refuse(request: Any) -> Any:
        raise SecurityError

    app.create_url_adapter = refuse  # type: ignore[method-assign]
    assert fences.asking(app, request) == []


# --- login pages ---------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["login", "/in", "/in?lang=en"])
def test_a_login_page_is_open(view: str) -> None:
    app = App()
    manager = manager_of(app)
    app.add("/in", "login")
    app.add("/out", "logout")
    manager.require_login(app)
    manager.login_view = view
    assert asked(app, "/in") == []
    assert asked(app, "/out") == [manager]


def test_the_login_pages_of_all_realms_are_open() -> None:
    app = App()
    manager, staff = manager_of(app), manager_of(app, "staff")
    app.add("/in", "login")
    staff.login_view = "login"
    manager.require_login(app)
    assert asked(app, "/in") == []


@pytest.mark.parametrize(
    ("blueprint", "view", "is_open"),
    [
        ("admin", "admin.login", True),
        ("admin", ".login", True),
        ("outer.admin", ".login", False),
        ("min", ".login", False),
        ("other", ".login", False),
        (None, ".login", False),
        ("admin", lambda: "admin.login", False),
        ("admin", None, False),
    ],
)
def test_the_login_page_of_a_blueprint_is_open(
    blueprint: str | None, view: Any, is_open: bool
) -> None:
    app = App()
    manager = manager_of(app)
    app.add("/admin/in", "admin.login")
    manager.require_login(app)
    manager.blueprint_login_views = {blueprint: view}
    assert (asked(app, "/admin/in") == []) is is_open


def test_a_nested_blueprint_is_named_by_its_own_name_too() -> None:
    app = App()
    manager = manager_of(app)
    app.add("/admin/in", "outer.admin.login")
    manager.require_login(app)
    for name in ("admin", "outer.admin"):
        manager.blueprint_login_views = {name: ".login"}
        assert asked(app, "/admin/in") == []


# --- static files --------------------------------------------------------------------------------


def test_static_files_are_open_by_choice_alone() -> None:
    for choice in (False, True):
        app = App()
        manager = manager_of(app)
        manager.require_login(app, exempt_static=choice)
        files = Blueprint("files")
        files.has_static_folder = True
        files.register(app)
        app.add("/static/<path:name>", "static")
        app.add("/files/<path:name>", "files.static")
        app.add("/nowhere", "nowhere.static")
        expected = [] if choice else [manager]
        assert asked(app, "/static/page.css") == asked(app, "/files/page.css") == expected
        assert asked(app, "/nowhere") == [manager]
        app.has_static_folder = False
        assert asked(app, "/static/page.css") == [manager]


# --- around a blueprint --------------------------------------------------------------------------


def admin(app: App, manager: Watching, prefix: str | None = "/admin") -> Blueprint:
    blueprint = Blueprint("admin")
    manager.require_login(blueprint)
    app.add("/admin/page", "admin.page")
    app.add("/admin/inner/page", "admin.inner.page")
    app.add("/admin/of-the-app", "page")
    blueprint.register(app, prefix)
    return blueprint


def test_a_blueprint_s_routes_and_whatever_begins_with_its_prefix_are_asked_for() -> None:
    app = App()
    manager = manager_of(app)
    admin(app, manager)
    for path in ("/admin/page", "/admin/inner/page", "/admin", "/admin/nope", "//admin///nope"):
        assert asked(app, path) == [manager], path
    for path in ("/nope", "/administration", "/admin/of-the-app", "/x/admin"):
        assert asked(app, path) == [], path
    assert asked(app, "/admin/page", "POST") == [manager]
    assert asked(app, "/admin/of-the-app", "POST") == []


@pytest.mark.parametrize("prefix", [None, "", "/", "//"])
def test_without_a_prefix_it_is_its_routes_alone(prefix: str | None) -> None:
    app = App()
    manager = manager_of(app)
    admin(app, manager, prefix)
    assert asked(app, "/admin/page") == asked(app, "/admin/page", "POST") == [manager]
    assert asked(app, "/admin/nope") == []


@pytest.mark.parametrize(
    ("prefix", "path", "is_asked"),
    [
        ("/<tenant>/admin", "/acme/admin/nope", True),
        ("/<tenant>/admin", "/acme/admin", True),
        ("/<tenant>/admin", "/admin", False),
        ("/<tenant>/admin", "/acme/administration", False),
        ("/<path:where>", "/a/b/c", True),
        ("/a.b", "/a.b/c", True),
        ("/a.b", "/axb/c", False),
        ("/a/", "/a/c", True),
        ("a", "/a\nb", False),
        ("/<x>/a", "/\n/a/b", True),
    ],
)
def test_a_prefix_may_have_variable_parts(prefix: str, path: str, is_asked: bool) -> None:
    app = App()
    manager = manager_of(app)
    blueprint = Blueprint("admin")
    manager.require_login(blueprint)
    blueprint.register(app, prefix)
    assert (asked(app, path) == [manager]) is is_asked


def test_a_blueprint_may_be_registered_often_and_asked_for_twice() -> None:
    app = App()
    manager = manager_of(app)
    blueprint = Blueprint("admin")
    manager.require_login(blueprint)
    manager.require_login(blueprint)
    blueprint.register(app, "/one", "one")
    blueprint.register(app, "/two", "two")
    assert len(fences.fences_of(app)) == 1 and app.watched == 1
    for path in ("/one/nope", "/two/nope"):
        assert asked(app, path) == [manager]
    other = App()
    manager_of(other)
    blueprint.register(other, "/three")
    assert asked(other, "/one/nope") == []
    assert asked(other, "/three/nope") == [manager]


def test_the_innermost_fence_counts() -> None:
    app = App()
    manager, staff = manager_of(app), manager_of(app, "staff")
    manager.require_login(app)
    admin(app, staff)
    assert asked(app, "/admin/page") == asked(app, "/admin/nope") == [staff]
    assert asked(app, "/admin/of-the-app") == asked(app, "/nope") == [manager]


def test_of_prefixes_the_longest_counts() -> None:
    app = App()
    manager, staff = manager_of(app), manager_of(app, "staff")
    for whose, prefix in ((manager, "/a/b"), (staff, "/a")):
        blueprint = Blueprint(prefix.strip("/").replace("/", "-"))
        whose.require_login(blueprint)
        blueprint.register(app, prefix)
    assert asked(app, "/a/b/c") == [manager]
    assert asked(app, "/a/c") == [staff]


def test_a_blueprint_that_is_registered_is_an_error() -> None:
    app, blueprint = App(), Blueprint("late")
    blueprint.register(app)
    with pytest.raises(ConfigurationError, match="Call require_login first"):
        manager_of(app).require_login(blueprint)


def test_anything_else_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="an application or a blueprint, not 7"):
        Manager().require_login(7)


def test_the_base_class_sees_no_requests() -> None:
    with pytest.raises(TypeError, match="use a shell's LoginManager"):
        BaseLoginManager().require_login(App())


# --- hooks ---------------------------------------------------------------------------------------


def theirs() -> None: ...


def ours() -> None: ...


ours.__module__ = "quart_login._manager"


def new() -> None: ...


@pytest.mark.parametrize(
    ("hooks", "expected"),
    [
        ([], [new]),
        ([theirs], [new, theirs]),
        ([ours, theirs, ours], [ours, new, theirs, ours]),
        ([ours, ours], [ours, ours, new]),
        ([42], [new, 42]),
    ],
)
def test_the_hook_comes_before_the_applications_and_after_ours(
    hooks: list[Any], expected: list[Any]
) -> None:
    hooks = [*hooks, new]
    fences.come_first(hooks)
    assert hooks == expected


# --- what only looks alike -----------------------------------------------------------------------


def test_the_method_decides_which_marks_count() -> None:
    app = App()
    manager = manager_of(app)
    manager.require_login(app)

    class Form:
        def dispatch_request(self) -> None: ...
        def get(self) -> None: ...
        def post(self) -> None: ...

    login_exempt(Form.get)
    app.add("/form", "form", class_view(Form), methods=["GET", "POST"])
    assert asked(app, "/form") == [] and asked(app, "/form", "POST") == [manager]


def test_the_path_of_a_login_page_opens_pages_and_forms_alone() -> None:
    app = App()
    manager = manager_of(app)
    manager.require_login(app)
    manager.login_view = "/login"
    app.add("/login", "form", methods=["POST"])
    app.add("/login", "other", methods=["PUT"])
    app.add("/login", "socket", websocket=True)
    assert fences.is_login_page(app, "form")
    assert not fences.is_login_page(app, "other") and not fences.is_login_page(app, "socket")


def test_a_path_that_is_a_page_on_several_hosts_is_no_login_page() -> None:
    app = App()
    manager = manager_of(app)
    manager.require_login(app)
    manager.login_view = "/"
    app.add("/", "form", subdomain="www")
    app.add("/", "submit", methods=["PUT"], subdomain="admin")
    assert fences.is_login_page(app, "form")
    app.add("/", "admin", subdomain="admin")
    for endpoint in ("form", "admin"):
        with pytest.raises(ConfigurationError, match=r"admin, form. Name the endpoint"):
            fences.is_login_page(app, endpoint)
    manager.login_view = "form"
    assert fences.is_login_page(app, "form") and not fences.is_login_page(app, "admin")


def test_a_page_of_one_name_on_several_hosts_is_the_login_page_of_all() -> None:
    app = App()
    manager = manager_of(app)
    manager.login_view = "/"
    app.add("/", "form", subdomain="www")
    app.add("/", "form", subdomain="shop")
    assert fences.is_login_page(app, "form")


def test_a_form_of_its_own_at_the_path_of_a_login_page_is_open_with_it() -> None:
    app = App()
    manager = manager_of(app)
    manager.require_login(app)
    manager.login_view = "/login"
    app.add("/login", "form")
    app.add("/login", "submit", methods=["POST"])
    assert fences.is_login_page(app, "form") and fences.is_login_page(app, "submit")


def test_a_blueprint_is_told_from_another_by_what_it_is() -> None:
    app, one, two = App(), Blueprint("one"), Blueprint("two")
    manager, staff = manager_of(app), manager_of(app, "staff")
    manager.require_login(one)
    staff.require_login(two)
    one.register(app, "/one")
    two.register(app, "/two")
    app.add("/one/page", "one.page")
    app.add("/two/page", "two.page")
    assert asked(app, "/one/page") == [manager] and asked(app, "/two/page") == [staff]


def test_a_file_is_static_if_the_endpoint_is_called_so() -> None:
    app = App()
    assert fences.is_static(app, "static")
    assert not fences.is_static(app, "ecstatic") and not fences.is_static(app, "page")


def test_it_is_said_what_opens_a_route() -> None:
    app = App()
    manager = manager_of(app)
    manager.require_login(app, exempt_static=True)
    manager.login_view = "login"
    [fence] = fences.fences_of(app)
    app.add("/a", "exempt", login_exempt(lambda: None))
    app.add("/b", "login")
    app.add("/c", "page")
    found = [
        fences.open_by(app, fence, name, "GET") for name in ("exempt", "login", "static", "page")
    ]
    assert found == ["login_exempt", "login_view", "static", None]


def test_what_is_below_the_root_of_an_application_is_found_where_a_slash_is_missing() -> None:
    app = App()
    manager = manager_of(app)
    manager.require_login(app)
    app.add("/folder/", "folder", login_exempt(lambda: None))
    request = app.request("/folder")
    for root in ("/", "/app", "/app/"):
        request.root_path = root
        request.routing_exception = None
        try:
            app.create_url_adapter(request).match(return_rule=True)
        except HTTPException as error:
            request.routing_exception = error
        assert fences.asking(app, request) == [], root


def test_a_socket_at_the_path_protects_what_is_asked_for_as_a_page() -> None:
    app, blueprint = App(), Blueprint("live")
    manager = manager_of(app)
    manager.require_login(blueprint)
    blueprint.register(app)  # without a prefix, so the endpoint alone tells whose it is
    app.add("/socket", "live.socket", websocket=True)
    app.add("/form", "live.form", methods=["POST"])
    assert asked(app, "/socket") == asked(app, "/form") == [manager]
    assert asked(app, "/elsewhere") == []


def test_a_route_that_names_no_methods_is_a_page() -> None:
    app = App()
    manager_of(app).login_view = "/login"
    app.add("/login", "login", methods=None)
    assert fences.is_login_page(app, "login")


def test_a_handshake_at_the_path_of_a_page_meets_the_page_s_fence() -> None:
    app, blueprint = App(), Blueprint("live")
    manager = manager_of(app)
    manager.require_login(blueprint)
    blueprint.register(app)
    app.add("/page", "live.page")
    request = app.request("/nothing")
    request.path = "/page"
    app.create_url_adapter = lambda request: app.url_map.bind(  # type: ignore[method-assign]
        "localhost", "/", url_scheme="ws", path_info=request.path
    )
    assert fences.asking(app, request) == [manager]
