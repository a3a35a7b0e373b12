"""Does the audit of an application's routes say what is open, what is guarded, and by what?"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import flask
import pytest
import quart
from estates import add, blueprint, estate, opaque, through, views_of
from sites import Site

import quart_login
from quart_login._core.routes import Route, assert_routes_guarded, routes

HERE = Path(__file__)


@pytest.fixture
def site(make_site: Any) -> Site:
    """Return a site without views, in each framework in turn."""
    return type("Bare", (make_site,), {"add_views": lambda self: None})()


def states(site: Site) -> dict[str, tuple[str, str]]:
    """Return what holds for the routes of *site*, by rule, and methods where they differ."""
    found = routes(site.app)
    rules = [route.rule for route in found]
    return {
        route.rule if rules.count(route.rule) == 1 else _named(route): (route.state, route.by)
        for route in found
    }


def _named(route: Route) -> str:
    return " ".join([*route.methods, route.rule])


def run(site: Site, *args: str) -> Any:
    return site.app.test_cli_runner().invoke(args=["login", "routes", *args])


# --- the table -----------------------------------------------------------------------------------


async def test_the_table_of_an_application_with_everything_is_exactly_this(
    make_site: Any, tmp_path: Path
) -> None:
    site = estate(make_site, tmp_path)
    fence = ("required", "require_login(app)")
    expected = {
        "/about": ("exempt", "login_exempt"),
        "/class": fence,
        "/confirm": fence,
        "/folder/": fence,
        "/get/<key>": fence,
        "/in/<user_id>": fence,
        "/is-fresh": fence,
        "/is-remembered": fence,
        "/login": ("exempt", "login_view"),
        "/me": fence,
        "/out": fence,
        "/outer/inner/news": ("exempt", "login_exempt"),
        "/outer/inner/page": fence,
        "/outer/page": fence,
        "/outer/static/<path:filename>": fence,
        "/own": fence,
        "/private": ("required", "decorator"),
        "/public": fence,
        "/put/<key>/<value>": fence,
        "/refresh": fence,
        "/static/<path:filename>": fence,
        "GET /things": ("exempt", "login_exempt"),
        "POST /things": fence,
        "/very": ("fresh", "decorator"),
        "/welcome": ("anonymous", "decorator"),
    }
    if site.lib is quart_login:
        expected |= {"/socket": fence, "/open-socket": ("exempt", "login_exempt")}
    assert states(site) == expected
    assert_routes_guarded(site.app)


async def test_what_the_table_says_is_what_happens(make_site: Any, tmp_path: Path) -> None:
    site = estate(make_site, tmp_path)
    for route in routes(site.app):
        if not route.websocket and "<" not in route.rule:
            for method in route.methods:
                answer = await site.browser().open(route.rule, method=method)
                is_open = route.state in ("open", "exempt", "anonymous")
                assert (answer.status == 200) is is_open, route


async def test_without_a_fence_what_has_no_guard_is_open(site: Site, tmp_path: Path) -> None:
    lib = site.lib
    (tmp_path / "static").mkdir()
    files = blueprint(site, "files", static_folder=str(tmp_path / "static"))
    site.app.register_blueprint(files, url_prefix="/files")
    site.manager.login_view = "door"
    add(site, site.app, "/open", "open")
    add(site, site.app, "/door", "door")
    add(site, site.app, "/required", "required", lib.login_required)
    add(site, site.app, "/fresh", "fresh", lib.fresh_login_required)
    add(site, site.app, "/both", "both", lib.fresh_login_required, lib.login_required)
    add(site, site.app, "/exempt", "exempt", lib.login_exempt)
    add(site, site.app, "/anonymous", "anonymous", lib.anonymous_required)
    add(site, site.app, "/basic", "basic", lib.basic_auth_required)
    add(site, site.app, "/said-twice", "said-twice", lib.login_required, lib.login_exempt)
    add(site, site.app, "/contrary", "contrary", lib.login_required, lib.anonymous_required)
    add(site, site.app, "/through", "through", lib.login_required, through, through)
    add(site, site.app, "/hidden", "hidden", lib.login_required, opaque)
    assert states(site) == {
        "/files/static/<path:filename>": ("open", "static"),
        "/open": ("open", "nothing"),
        "/door": ("exempt", "login_view"),
        "/required": ("required", "decorator"),
        "/fresh": ("fresh", "decorator"),
        "/both": ("fresh", "decorator"),
        "/exempt": ("exempt", "login_exempt"),
        "/anonymous": ("anonymous", "decorator"),
        "/basic": ("basic", "decorator"),
        "/said-twice": ("required", "decorator"),
        "/contrary": ("required", "decorator"),
        "/through": ("required", "decorator"),
        "/hidden": ("open", "nothing"),
    }
    assert [r.rule for r in routes(site.app) if r.problem] == ["/hidden", "/open"]


async def test_a_decorator_of_the_applications_own_that_asks_for_a_login_is_seen(
    site: Site,
) -> None:
    lib = site.lib

    def admin_required(view: Any) -> Any:
        return lib.login_required(through(view))

    def other_required(view: Any) -> Any:
        @functools.wraps(view)
        @lib.login_required
        def inner(**kwargs: Any) -> Any:
            return view(**kwargs)

        return inner

    add(site, site.app, "/admin", "admin", admin_required)
    add(site, site.app, "/other", "other", other_required)
    assert set(states(site).values()) == {("required", "decorator")}


async def test_class_based_views_are_seen_by_method(site: Site) -> None:
    lib, views = site.lib, views_of(site)

    class Whole(views.MethodView):
        decorators = [lib.login_required]  # noqa: RUF012

        def get(self) -> str:
            return "get"

        @lib.fresh_login_required
        def post(self) -> str:
            return "post"

    class Part(views.MethodView):
        init_every_request = False

        @lib.login_required
        def get(self) -> str:
            return "get"

        def post(self) -> str:
            return "post"

        @lib.login_exempt
        def put(self) -> str:
            return "put"

    class Page(views.View):
        methods = ["GET", "POST"]  # noqa: RUF012

        @lib.login_required
        def dispatch_request(self) -> str:
            return "page"

    @lib.login_exempt
    class Open(views.View):
        def dispatch_request(self) -> str:
            return "open"

    class Heir(Open): ...

    for view in (Whole, Part, Page, Open, Heir):
        name = view.__name__.lower()
        site.app.add_url_rule(f"/{name}", view_func=view.as_view(name))
    assert states(site) == {
        "GET /whole": ("required", "decorator"),
        "POST /whole": ("fresh", "decorator"),
        "GET /part": ("required", "decorator"),
        "POST /part": ("open", "nothing"),
        "PUT /part": ("exempt", "login_exempt"),
        "/page": ("required", "decorator"),
        "/open": ("exempt", "login_exempt"),
        "/heir": ("open", "nothing"),
    }
    line = inspect.getsourcelines(Part)[1]
    [part] = [route for route in routes(site.app) if _named(route) == "POST /part"]
    assert part.view == f"{HERE}:{line}"


async def test_hooks_that_are_guarded_guard_their_routes(site: Site) -> None:
    admin = blueprint(site, "admin", url_prefix="/admin")
    inner = blueprint(site, "inner", url_prefix="/inner")
    add(site, admin, "/page", "page")
    add(site, inner, "/page", "page")
    add(site, inner, "/fresh", "fresh", site.lib.fresh_login_required)
    add(site, site.app, "/page", "page")

    @admin.before_request
    @site.lib.login_required
    def guard() -> None: ...

    admin.register_blueprint(inner)
    site.app.register_blueprint(admin)
    assert states(site) == {
        "/admin/page": ("required", "before_request(blueprint admin)"),
        "/admin/inner/page": ("required", "before_request(blueprint admin)"),
        "/admin/inner/fresh": ("fresh", "decorator"),
        "/page": ("open", "nothing"),
    }
    site.app.before_request(site.lib.fresh_login_required(guard))
    assert states(site)["/page"] == ("fresh", "before_request(app)")
    assert states(site)["/admin/page"] == ("fresh", "before_request(app)")


async def test_hooks_that_nothing_is_known_of_are_named(site: Site) -> None:
    def check_key() -> None: ...

    site.app.before_request(check_key)
    site.app.before_request(functools.partial(check_key))
    add(site, site.app, "/page", "page")
    state, by = states(site)["/page"]
    assert state == "open"
    assert by.startswith("before_request unknown: ") and "check_key" in by
    with pytest.raises(AssertionError):
        assert_routes_guarded(site.app)


async def test_fences_around_blueprints_are_named(site: Site) -> None:
    staff = site.lib.LoginManager(site.app, name="staff")
    admin, inner = (blueprint(site, name, url_prefix=f"/{name}") for name in ("admin", "inner"))
    for scope in (admin, inner, site.app):
        add(site, scope, "/page", "page")
    add(site, site.app, "/by-staff", "by-staff", staff.login_required)
    staff.require_login(inner)
    site.manager.require_login(admin)
    admin.register_blueprint(inner)
    site.app.register_blueprint(admin)
    assert states(site) == {
        "/admin/page": ("required", "require_login(blueprint admin)"),
        "/admin/inner/page": ("required", "require_login(blueprint inner) of staff"),
        "/by-staff": ("required", "decorator of staff"),
        "/page": ("open", "nothing"),
    }


async def test_static_files_in_a_fence_are_open_by_choice(make_site: Any, tmp_path: Path) -> None:
    site = estate(make_site, tmp_path)
    site.app.extensions["quart_login.fences"].clear()
    site.manager.require_login(site.app, exempt_static=True)
    assert states(site)["/static/<path:filename>"] == ("exempt", "static")


async def test_odd_rules_are_no_mistakes(site: Site) -> None:
    rule = site.app.url_rule_class
    expected = {"/without": ("open", "nothing"), "//admin/page": ("open", "nothing")}
    site.app.url_map.add(rule("/without", endpoint="without", methods=["GET"]))
    add(site, site.app, "/page", "page", subdomain="admin")
    if site.web is flask:  # Quart's rules know neither.
        site.app.url_map.add(rule("/old", redirect_to="/new", endpoint="old", methods=["GET"]))
        site.app.url_map.add(rule("/built", endpoint="built", build_only=True))
        expected["/old"] = ("open", "redirect")
    assert states(site) == expected
    assert [r.rule for r in routes(site.app) if r.problem] == ["//admin/page", "/without"]


# --- a guard above the route ---------------------------------------------------------------------


@pytest.mark.parametrize("guard", ["login_required", "fresh_login_required", "anonymous_required"])
async def test_102_a_guard_above_the_route_is_found(site: Site, guard: str) -> None:
    decorator = getattr(site.lib, guard)

    @decorator
    @site.app.route("/secret")
    def secret() -> str:
        return "secret"

    line = inspect.getsourcelines(inspect.unwrap(secret))[1]
    [route] = routes(site.app)
    assert (route.state, route.by, route.view) == ("open", "nothing", f"{HERE}:{line}")
    assert "above the route" in str(route.problem)
    result = run(site, "--strict")
    assert result.exit_code == 1
    assert f"problem: {HERE}:{line}: GET /secret (secret): a guard stands above" in result.output


async def test_102_it_is_found_where_only_the_factory_knew_the_guarded_view(site: Site) -> None:
    def factory() -> None:
        @site.lib.login_required
        @through
        @site.app.route("/secret")
        @through
        def secret() -> str:
            return "secret"

    factory()
    [route] = routes(site.app)
    assert "above the route" in str(route.problem)


async def test_102_it_is_found_in_a_fence_and_where_the_view_is_exempt(site: Site) -> None:
    site.manager.require_login(site.app)

    @site.lib.fresh_login_required
    @site.app.route("/secret")
    def secret() -> str:
        return "secret"

    @site.lib.login_required
    @site.app.route("/exempt")
    @site.lib.login_exempt
    def exempt() -> str:
        return "exempt"

    assert states(site)["/secret"] == ("required", "require_login(app)")
    assert all("above the route" in str(route.problem) for route in routes(site.app))


async def test_a_view_that_is_registered_with_and_without_a_guard_is_not_misplaced(
    site: Site,
) -> None:
    def view() -> str:
        return "view"

    site.app.add_url_rule("/open", "open", view)
    site.app.add_url_rule("/closed", "closed", through(site.lib.login_required(view)))
    [closed, opened] = routes(site.app)
    assert closed.problem is None
    assert "open to everybody" in str(opened.problem)


async def test_views_that_cannot_be_tracked_are_only_open(site: Site) -> None:
    class View(list[str]):  # not hashable
        def __call__(self) -> str:
            return "view"

    view: Any = View()
    site.app.add_url_rule("/open", "open", view)
    site.lib.login_required(functools.update_wrapper(lambda: "", view, ()))
    [route] = routes(site.app)
    assert (route.state, route.view) == ("open", None)
    assert "open to everybody" in str(route.problem)


# --- on the command line -------------------------------------------------------------------------


async def test_the_command_prints_a_table(site: Site) -> None:
    add(site, site.app, "/page", "page", methods=["GET", "POST"])
    add(site, site.app, "/account", "account", site.lib.login_required)
    if site.lib is quart_login:
        site.app.add_websocket("/socket", "socket", site.lib.login_required(lambda: None))
    result = run(site)
    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert lines[0].split() == ["Rule", "Methods", "Endpoint", "State", "By"]
    assert lines[2].split() == ["/account", "GET", "account", "required", "decorator"]
    assert lines[3].split() == ["/page", "GET,", "POST", "page", "open", "nothing"]
    if site.lib is quart_login:
        assert lines[4].split() == ["/socket", "websocket", "socket", "required", "decorator"]
    assert "problem: " in result.output and "/page (page): open to everybody" in result.output


async def test_strict_is_for_machines(site: Site) -> None:
    add(site, site.app, "/account", "account", site.lib.login_required)
    assert run(site, "--strict").exit_code == 0
    add(site, site.app, "/page", "page")
    assert run(site).exit_code == 0
    assert run(site, "--strict").exit_code == 1
    site.lib.login_exempt(site.app.view_functions["page"])
    assert run(site, "--strict").exit_code == 0


async def test_json_is_for_machines(site: Site) -> None:
    add(site, site.app, "/page", "page")
    result = run(site, "--json", "--strict")
    assert result.exit_code == 1
    [route] = json.loads(result.stdout)
    assert route.pop("view").startswith(str(HERE.parent.parent))
    assert route.pop("problem").startswith("open to everybody")
    assert route == {
        "rule": "/page",
        "endpoint": "page",
        "methods": ["GET"],
        "websocket": False,
        "state": "open",
        "by": "nothing",
    }


async def test_an_application_without_routes_has_a_table_too(site: Site) -> None:
    assert run(site, "--strict").exit_code == 0


async def test_several_managers_add_the_commands_once(site: Site) -> None:
    group = site.app.cli.commands["login"]
    site.lib.LoginManager(site.app, name="staff")
    assert site.app.cli.commands["login"] is group


async def test_a_command_of_the_applications_own_stays(make_site: Any) -> None:
    app = make_site().make_app()

    @app.cli.command("login")
    def login() -> None: ...

    make_site.lib.LoginManager(app)
    assert app.cli.commands["login"] is login


def _execute(folder: Path, *command: str) -> Any:
    return subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, cwd=folder, timeout=120
    )


SOURCE = """
from {web} import {kind}
from {lib} import LoginManager, login_exempt, login_required

app = {kind}(__name__)
app.secret_key = "0123456789abcdef0123456789abcdef"
LoginManager(app)


@app.get("/account")
@login_required
def account():
    return "account"


@login_required
@app.get("/secret")
def secret():
    return "secret"
"""


@pytest.mark.parametrize("web", [flask, quart], ids=lambda web: web.__name__)
def test_the_frameworks_own_command_runs_it(web: Any, tmp_path: Path) -> None:
    path = _write_app(web, tmp_path)
    command = (web.__name__, "--app", "served_app:app", "login", "routes")
    shown = _execute(tmp_path, *command)
    assert shown.returncode == 0, shown.stderr
    assert "/account" in shown.stdout and "required" in shown.stdout
    strict = _execute(tmp_path, *command, "--strict")
    assert strict.returncode == 1
    line = SOURCE.splitlines().index('@app.get("/secret")')
    assert f"{path}:{line}: GET /secret (secret): a guard stands above the route" in strict.stderr
    assert strict.stderr.count("problem:") == 1


def _write_app(web: Any, folder: Path) -> Path:
    name, lib = web.__name__, "flask_compat" if web is flask else "quart_login"
    path = folder / "served_app.py"
    path.write_text(SOURCE.format(web=name, kind=name.capitalize(), lib=lib))
    return path


# --- in a suite ----------------------------------------------------------------------------------

CONFTEST = """
import pytest

pytest_plugins = ["quart_login.pytest_plugin"]


@pytest.fixture
def app():
    from served_app import app

    return app
"""

SUITE = """
import sys


def test_every_route_is_guarded(guarded_routes):
    assert "/account" in [route.rule for route in guarded_routes]
    assert ("quart" in sys.modules) is (__import__("served_app").app.__class__.__name__ == "Quart")
"""


@pytest.mark.parametrize("web", [flask, quart], ids=lambda web: web.__name__)
def test_a_suite_fails_while_a_route_is_open(web: Any, tmp_path: Path) -> None:
    path = _write_app(web, tmp_path)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_suite.py").write_text(SUITE)
    command = ("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:dash")
    before = _execute(tmp_path, *command)
    assert before.returncode == 1, before.stdout
    assert "these routes are to be mended" in before.stdout
    assert "GET /secret (secret): a guard stands above the route" in before.stdout
    whole = path.read_text()
    path.write_text(whole[: whole.index('@login_required\n@app.get("/secret")')])
    after = _execute(tmp_path, *command)
    assert after.returncode == 0, after.stdout


async def test_a_test_may_ask_too(site: Site) -> None:
    kit = importlib.import_module(
        "quart_login.testing" if site.lib is quart_login else "flask_compat.test_client"
    )
    add(site, site.app, "/account", "account", site.lib.login_required)
    kit.assert_routes_guarded(site.app)
    add(site, site.app, "/page", "page")
    with pytest.raises(AssertionError, match="open to everybody"):
        kit.assert_routes_guarded(site.app)


def test_a_class_that_answers_head_itself_is_asked_what_guards_that(site: Site) -> None:
    class Page(site.web.views.MethodView):  # type: ignore[misc,name-defined]
        @site.lib.login_required  # type: ignore[misc]
        def get(self) -> str:
            return "guarded"

        def head(self) -> str:
            return ""

    site.app.add_url_rule("/page", view_func=Page.as_view("page"))
    assert states(site)["HEAD /page"][0] == "open"
    with pytest.raises(AssertionError, match="HEAD /page"):
        assert_routes_guarded(site.app)
