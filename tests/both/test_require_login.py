"""Does `require_login` protect all of an application, or of a blueprint, but what is exempt?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from estates import add, blueprint, estate, opaque, through, views_of
from hypothesis import given, settings
from hypothesis import strategies as st
from sites import SITES, Answer, Site
from sockets import hear, refusal
from werkzeug.exceptions import BadHost
from wire import send_raw

import quart_login
from quart_login import ConfigurationError

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]

BOTH = pytest.mark.parametrize("framework", list(SITES))


def ran(site: Site) -> list[str]:
    return [what for what in site.loads if str(what).startswith("ran ")]


def is_refused(answer: Answer) -> bool:
    return answer.status == 302 and (answer.location or "").startswith("/login")


@pytest.fixture
def site(make_site: Any) -> Site:
    """Return a site with a login page that protects nothing yet."""
    site = make_site()
    site.manager.login_view = "login"
    return site


async def user_of(site: Site) -> Any:
    """Return a browser that somebody logged in with before anything was protected."""
    browser = site.browser()
    browser.set_session(_user_id=1, _fresh=True)
    assert await browser.get("/me") == (200, "user 1")
    site.loads.clear()
    return browser


# --- P22 -----------------------------------------------------------------------------------------

LISTED = {
    ("/login", "GET"),
    ("/login", "HEAD"),
    ("/login", "OPTIONS"),
    ("/about", "GET"),
    ("/about", "HEAD"),
    ("/about", "POST"),
    ("/about", "OPTIONS"),
    ("/outer/inner/news", "GET"),
    ("/outer/inner/news", "HEAD"),
    ("/outer/inner/news", "OPTIONS"),
    ("/things", "GET"),
    ("/things", "HEAD"),
    ("/welcome", "GET"),
    ("/welcome", "HEAD"),
    ("/welcome", "OPTIONS"),
}

NO_ROUTES = ["/", "/nope", "/outer", "/outer/nope", "/outer/inner/", "/static/nope", "//private"]


def paths_of(site: Site) -> list[str]:
    """Return a path to each of the routes of *site*."""
    return [re.sub("<[^>]*filename>", "page.css", rule.rule) for rule in rules_of(site)]


def rules_of(site: Site) -> list[Any]:
    return list(site.app.url_map.iter_rules())


@pytest.fixture
def everything(make_site: Any, tmp_path: Path) -> Site:
    return estate(make_site, tmp_path)


async def test_p22_nothing_but_what_is_listed_answers_a_stranger(everything: Site) -> None:
    site = everything
    paths = [*paths_of(site), *NO_ROUTES, "/folder"]
    assert {"/static/page.css", "/outer/static/page.css", "/outer/inner/page"} < set(paths)
    answered = set()
    for path in paths:
        for method in METHODS:
            answer = await site.browser().open(path, method=method)
            if not is_refused(answer):
                assert answer.status == 200, (path, method, answer)
                answered.add((path, method))
    assert answered == LISTED
    assert set(ran(site)) == {"ran about", "ran news", "ran welcome"}


async def test_p22_no_socket_but_what_is_listed_answers_a_stranger(everything: Site) -> None:
    site = everything
    if site.lib is not quart_login:
        return  # Flask has none.
    for path in [*paths_of(site), *NO_ROUTES]:
        if path == "/open-socket":
            assert await hear(site.browser(), path) == "open"
        else:
            assert await refusal(site.browser(), path) == 401, path
    assert await hear(await user_of(site), "/socket") == "user 1"
    assert await refusal(await user_of(site), "/nope") == 404


async def test_p22_a_user_gets_what_was_there_before(everything: Site) -> None:
    browser = await user_of(everything)
    assert await browser.get("/public") == (200, "public")
    assert await browser.get("/static/page.css") == (200, "colour")
    assert await browser.get("/nope") == (404, "my 404")
    assert await browser.post("/public") == (405, "my 405")
    assert (await browser.open("/public", method="OPTIONS")).headers["Allow"]
    assert (await browser.get("/folder")).status == 308
    assert await browser.open("/own", method="OPTIONS") == (200, "own")


@BOTH
@settings(max_examples=150, deadline=None)
@given(data=st.data())
async def test_p22_whatever_is_asked_for_a_stranger_gets_the_same_answer(
    framework: str, data: st.DataObject
) -> None:
    site = SITES[framework]()
    site.manager.require_login(site.app)
    known = [rule.rule.replace("<", "").replace(">", "") for rule in rules_of(site)]
    path = "/" + data.draw(st.sampled_from(known) | st.text("abc/.%;:é ", max_size=12)).lstrip("/")
    method = data.draw(st.sampled_from(METHODS) | st.text("ABC", min_size=1, max_size=6))
    answer = await site.browser().open(path.replace("%", "%25"), method=method)
    assert answer.status == 401
    assert ran(site) == []


async def test_p22_adding_a_route_later_protects_it(site: Site) -> None:
    site.manager.require_login(site.app)
    add(site, site.app, "/later", "later")
    assert is_refused(await site.browser().get("/later"))


async def test_a_stranger_cannot_tell_which_urls_there_are(site: Site) -> None:
    site.manager.require_login(site.app)
    for method in METHODS:
        answers = [await site.browser().open(p, method=method) for p in ("/private", "/nowhere")]
        shapes = [(a.status, (a.location or "").replace("nowhere", "private")) for a in answers]
        assert shapes[0] == shapes[1], method


# --- which methods -------------------------------------------------------------------------------


async def test_102_a_guard_in_the_wrong_place_leaves_nothing_open(site: Site) -> None:
    site.manager.require_login(site.app)

    async def view() -> str:
        return "secret"

    function = site.colour(view)
    site.lib.login_required(site.app.route("/secret")(function))
    assert is_refused(await site.browser().get("/secret"))


async def test_103_the_body_of_a_view_never_runs_for_a_stranger_who_asks_for_options(
    site: Site,
) -> None:
    site.manager.require_login(site.app)
    options = {"methods": ["OPTIONS"], "provide_automatic_options": False}
    add(site, site.app, "/own", "own", **options)
    add(site, site.app, "/guarded", "guarded", site.lib.login_required, **options)
    for path in ("/own", "/guarded", "/private"):
        assert is_refused(await site.browser().open(path, method="OPTIONS"))
    assert ran(site) == []


async def test_a_preflight_request_is_answered_where_the_view_has_a_guard_of_its_own(
    site: Site,
) -> None:
    site.manager.require_login(site.app)
    add(site, site.app, "/api", "api", site.lib.login_required, site.lib.login_exempt)
    answer = await site.browser().open("/api", method="OPTIONS")
    assert answer.status == 200 and "GET" in answer.headers["Allow"]
    assert is_refused(await site.browser().get("/api"))
    assert ran(site) == []


async def test_a_method_that_the_application_exempted_is_answered(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quart_login._core import guard

    monkeypatch.setattr(guard, "EXEMPT_METHODS", {"OPTIONS", "TRACE"})
    site.manager.require_login(site.app)
    add(site, site.app, "/echo", "echo", methods=["TRACE"])
    assert await site.browser().open("/echo", method="TRACE") == (200, "echo")
    assert is_refused(await site.browser().open("/echo", method="OPTIONS"))


# --- blueprints ----------------------------------------------------------------------------------


async def test_a_blueprint_is_protected_and_nothing_else(site: Site) -> None:
    admin = blueprint(site, "admin", url_prefix="/admin")
    site.manager.require_login(admin)
    add(site, admin, "/page", "page")
    add(site, site.app, "/admin/of-the-app", "of-the-app")
    site.app.register_blueprint(admin)
    browser = site.browser()
    for path in ("/admin/page", "/admin/nope", "/admin", "/admin/", "/admin//page"):
        assert is_refused(await browser.get(path)), path
    for path in ("//admin/page", "//admin/nope", "/admin///nope"):
        assert is_refused(await send_raw(site, path, [(b"Host", b"localhost")])), path
    for method in METHODS:
        assert is_refused(await browser.open("/admin/page", method=method))
    assert await browser.get("/public") == (200, "public")
    assert await browser.get("/admin/of-the-app") == (200, "of-the-app")
    assert (await browser.get("/administration")).status == 404
    assert (await browser.get("/nope")).status == 404
    assert (await browser.post("/public")).status == 405
    assert await (await user_of(site)).get("/admin/page") == (200, "page")


async def test_blueprints_in_a_protected_one_are_protected(site: Site) -> None:
    outer, inner = blueprint(site, "outer", url_prefix="/outer"), blueprint(site, "inner")
    site.manager.require_login(outer)
    add(site, inner, "/page", "page")
    inner_with_prefix = blueprint(site, "more", url_prefix="/more")
    add(site, inner_with_prefix, "/page", "page")
    outer.register_blueprint(inner)
    outer.register_blueprint(inner_with_prefix)
    site.app.register_blueprint(outer)
    for path in ("/outer/page", "/outer/more/page", "/outer/more/nope"):
        assert is_refused(await site.browser().get(path)), path


async def test_a_nested_blueprint_is_protected_alone(site: Site) -> None:
    outer = blueprint(site, "outer", url_prefix="/outer")
    inner = blueprint(site, "inner", url_prefix="/inner")
    add(site, outer, "/page", "page")
    add(site, inner, "/page", "page")
    site.manager.require_login(inner)
    outer.register_blueprint(inner)
    site.app.register_blueprint(outer)
    assert await site.browser().get("/outer/page") == (200, "page")
    assert is_refused(await site.browser().get("/outer/inner/page"))
    assert is_refused(await site.browser().get("/outer/inner/nope"))
    assert (await site.browser().get("/outer/nope")).status == 404


async def test_a_blueprint_is_protected_wherever_it_is_registered(site: Site) -> None:
    admin = blueprint(site, "admin", url_prefix="/admin")
    site.manager.require_login(admin)
    add(site, admin, "/page", "page")
    site.app.register_blueprint(admin)
    site.app.register_blueprint(admin, name="other", url_prefix="/other")
    site.app.register_blueprint(admin, name="tenant", url_prefix="/<tenant>/<int:n>/admin")
    outer = blueprint(site, "outer", url_prefix="/outer")
    outer.register_blueprint(admin)
    site.app.register_blueprint(outer)
    for prefix in ("/admin", "/other", "/a/1/admin", "/outer/admin"):
        for path in (f"{prefix}/page", f"{prefix}/nope"):
            assert is_refused(await site.browser().get(path)), path
        assert is_refused(await site.browser().post(f"{prefix}/page"))
    assert (await site.browser().get("/a/1/other")).status == 404


@pytest.mark.parametrize("prefix", [None, "", "/"])
async def test_a_blueprint_without_a_prefix_protects_its_own_routes(
    site: Site, prefix: str | None
) -> None:
    bare = blueprint(site, "bare", url_prefix=prefix)
    site.manager.require_login(bare)
    add(site, bare, "/page", "page")
    add(site, bare, "/folder/", "folder")
    site.app.register_blueprint(bare)
    assert is_refused(await site.browser().get("/page"))
    assert is_refused(await site.browser().post("/page"))
    assert is_refused(await site.browser().get("/folder"))
    assert (await site.browser().get("/nope")).status == 404
    assert await site.browser().get("/public") == (200, "public")


async def test_a_route_that_only_looks_like_the_blueprints_is_not(site: Site) -> None:
    admin = blueprint(site, "admin", url_prefix="/admin.x")
    site.manager.require_login(admin)
    site.app.register_blueprint(admin)
    assert is_refused(await site.browser().get("/admin.x/nope"))
    assert (await site.browser().get("/adminix/nope")).status == 404


async def test_a_blueprint_s_sockets_are_protected(site: Site) -> None:
    if site.lib is not quart_login:
        return  # Flask has none.
    live = blueprint(site, "live", url_prefix="/live")
    site.manager.require_login(live)

    @live.websocket("/socket")
    async def socket() -> None:
        await site.web.websocket.send("live")

    site.app.register_blueprint(live)
    for path in ("/live/socket", "/live/nope"):
        assert await refusal(site.browser(), path) == 401
    assert is_refused(await site.browser().get("/live/socket"))  # not by a websocket
    assert await refusal(site.browser(), "/public") == 400
    assert await refusal(site.browser(), "/nope") == 404
    assert await hear(await user_of(site), "/live/socket") == "live"


# --- when, and of what ---------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
async def test_it_does_not_matter_whether_the_application_is_known_yet(
    make_site: Any, when: str
) -> None:
    site = make_site()
    manager = site.lib.LoginManager(name="staff")
    manager.user_loader(site.load_user)
    admin = blueprint(site, "admin", url_prefix="/admin")
    add(site, admin, "/page", "page")
    if when == "after":
        manager.init_app(site.app)
    manager.require_login(admin)
    manager.require_login(site.app)
    site.app.register_blueprint(admin)
    if when == "before":
        manager.init_app(site.app)
    with_doors(site, manager)
    browser = site.browser()
    for path in ("/admin/page", "/public", "/nope"):
        assert (await browser.get(path)).status == 401
    assert (await (await logged_in_to(site, manager)).get("/public")).status == 200


async def test_a_blueprint_that_is_registered_already_is_an_error_that_says_what_to_do(
    site: Site,
) -> None:
    late = blueprint(site, "late", url_prefix="/late")
    site.app.register_blueprint(late)
    with pytest.raises(ConfigurationError, match="'late' was registered before"):
        site.manager.require_login(late)


@pytest.mark.parametrize("scope", ["admin", None, 7, lambda: "view"])
def test_anything_else_is_a_type_error(site: Site, scope: Any) -> None:
    with pytest.raises(TypeError, match="an application or a blueprint"):
        site.manager.require_login(scope)


async def test_it_may_be_asked_for_twice(site: Site) -> None:
    admin = blueprint(site, "admin", url_prefix="/admin")
    for scope in (admin, admin, site.app, site.app):
        site.manager.require_login(scope)
    site.app.register_blueprint(admin)
    browser = site.browser()
    with site.hearing("user_unauthorized") as heard:
        assert is_refused(await browser.get("/admin/nope"))
        assert is_refused(await browser.get("/nope"))
    assert len(heard) == 2
    assert (await (await user_of(site)).get("/public")).status == 200


async def test_strangers_are_stopped_before_the_applications_own_hooks(site: Site) -> None:
    seen: list[bool] = []

    async def hook() -> None:
        seen.append(site.lib.current_user.is_authenticated)

    site.app.before_request(site.colour(hook))
    site.manager.require_login(site.app)
    assert is_refused(await site.browser().get("/public"))
    assert seen == []
    await user_of(site)
    assert seen == [True]


# --- login pages ---------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["login", "/login", "/login?lang=en"])
async def test_the_login_page_is_open(site: Site, view: str) -> None:
    site.manager.login_view = view
    site.manager.require_login(site.app)
    assert await site.browser().get("/login") == (200, "login page")
    assert is_refused(await site.browser().get("/public")) or "?lang" in view


async def test_the_login_pages_of_blueprints_are_open(site: Site) -> None:
    admin = blueprint(site, "admin", url_prefix="/admin")
    add(site, admin, "/in", "in")
    add(site, admin, "/enter", "enter")
    add(site, admin, "/page", "page")
    site.manager.require_login(site.app)
    site.app.register_blueprint(admin)
    site.manager.blueprint_login_views = {"admin": "admin.in", "other": ".enter"}
    assert await site.browser().get("/admin/in") == (200, "in")
    assert (await site.browser().get("/admin/page")).location.startswith("/admin/in")
    assert (await site.browser().get("/admin/enter")).status == 302
    site.manager.blueprint_login_views = {"admin": ".enter"}
    assert await site.browser().get("/admin/enter") == (200, "enter")
    assert (await site.browser().get("/admin/in")).status == 302


async def test_the_refresh_page_is_for_users(site: Site) -> None:
    site.manager.refresh_view = "refresh"
    site.manager.require_login(site.app)
    assert is_refused(await site.browser().get("/refresh"))
    assert await (await user_of(site)).get("/refresh") == (200, "refresh page")


async def test_a_login_page_that_a_function_names_says_itself_that_it_is_open(site: Site) -> None:
    site.manager.require_login(site.app)
    site.manager.login_view = lambda: "login"
    assert (await site.browser().get("/login")).status == 302
    site.lib.login_exempt(site.app.view_functions["login"])
    assert await site.browser().get("/login") == (200, "login page")


# --- what is open on purpose ---------------------------------------------------------------------


async def test_views_that_are_marked_are_open(site: Site) -> None:
    exempt = site.lib.login_exempt
    site.manager.require_login(site.app)
    add(site, site.app, "/plain", "plain", exempt)
    add(site, site.app, "/below", "below", exempt, through, through)
    add(site, site.app, "/above", "above", opaque, exempt)
    add(site, site.app, "/hidden", "hidden", exempt, opaque)

    @exempt
    @site.app.get("/above-the-route")
    def above_the_route() -> str:
        return "above the route"

    @site.app.get("/sync")
    @exempt
    def sync() -> str:
        return "sync"

    browser = site.browser()
    for path in ("/plain", "/below", "/above", "/above-the-route", "/sync"):
        assert (await browser.get(path)).status == 200, path
    assert is_refused(await browser.get("/hidden"))


async def test_class_based_views_are_marked_whole_or_by_method(site: Site) -> None:
    exempt, views = site.lib.login_exempt, views_of(site)
    site.manager.require_login(site.app)

    class Base(views.MethodView):
        def get(self) -> str:
            return f"get of {type(self).__name__}"

        def post(self) -> str:
            return f"post of {type(self).__name__}"

    @exempt
    class Whole(Base): ...

    class Heir(Whole): ...

    class Part(Base):
        init_every_request = False

        @exempt
        def get(self) -> str:
            return "open"

    class Listed(Base):
        decorators = [exempt]  # noqa: RUF012

    class Page(views.View):
        @exempt
        def dispatch_request(self) -> str:
            return "page"

    for view in (Base, Whole, Heir, Part, Listed, Page):
        name = view.__name__.lower()
        site.app.add_url_rule(f"/{name}", view_func=view.as_view(name))
    opened = set()
    for name in ("base", "whole", "heir", "part", "listed", "page"):
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            if (await site.browser().open(f"/{name}", method=method)).status == 200:
                opened.add((name, method))
    four = ("GET", "HEAD", "POST", "OPTIONS")
    assert opened == {
        *(("whole", method) for method in four),
        *(("listed", method) for method in four),
        ("part", "GET"),
        ("part", "HEAD"),
        ("page", "GET"),
        ("page", "HEAD"),
        ("page", "OPTIONS"),
    }


async def test_what_counts_is_the_function_that_is_registered(site: Site) -> None:
    site.manager.require_login(site.app)
    add(site, site.app, "/page", "page", site.lib.login_exempt)
    assert (await site.browser().get("/page")).status == 200
    site.app.view_functions["page"] = lambda: "another"
    assert is_refused(await site.browser().get("/page"))


def test_what_cannot_be_marked_is_a_type_error(site: Site) -> None:
    with pytest.raises(TypeError, match="Put it on the function or the class itself"):
        site.lib.login_exempt(site.browser)
    with pytest.raises(TypeError, match="login_exempt cannot mark"):
        site.lib.login_exempt(object())


async def test_the_way_to_an_open_page_is_open(site: Site) -> None:
    site.manager.require_login(site.app)
    add(site, site.app, "/news/", "news", site.lib.login_exempt)
    add(site, site.app, "/secrets/", "secrets")
    answer = await site.browser().get("/news?a=1")
    assert answer.status == 308 and "/news/?a=1" in answer.location
    assert is_refused(await site.browser().get("/secrets"))


async def test_static_files_are_open_by_choice_alone(make_site: Any, tmp_path: Path) -> None:
    for choice, status in ((False, 302), (True, 200)):
        site = estate(make_site, tmp_path)
        site.app.extensions["quart_login.fences"].clear()
        site.manager.require_login(site.app, exempt_static=choice)
        add(site, site.app, "/static", "static-looking")
        for path in ("/static/page.css", "/outer/static/page.css"):
            assert (await site.browser().get(path)).status == status, (choice, path)
        assert (await site.browser().get("/static")).status == 302
        assert (await site.browser().post("/static/page.css")).status == 302


async def test_a_view_that_is_only_called_static_is_none(site: Site) -> None:
    admin = blueprint(site, "admin", url_prefix="/admin")
    add(site, admin, "/static", "static")
    add(site, site.app, "/static", "static")
    site.manager.require_login(site.app, exempt_static=True)
    site.app.register_blueprint(admin)
    assert is_refused(await site.browser().get("/admin/static"))
    assert is_refused(await site.browser().get("/static"))


# --- beside other guards -------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/private", "/very", "/public"])
async def test_a_stranger_is_told_once(site: Site, path: str) -> None:
    site.manager.require_login(site.app)
    browser = site.browser()
    with site.hearing("user_unauthorized") as heard:
        assert is_refused(await browser.get(path))
    assert len(heard) == 1
    assert len(browser.session()["_flashes"]) == 1


@pytest.mark.parametrize("path", ["/private", "/very", "/public"])
async def test_a_user_is_loaded_once(site: Site, path: str) -> None:
    site.manager.require_login(site.app)
    browser = site.browser()
    browser.set_session(_user_id=1, _fresh=True, _id="another client's")
    site.app.config["SESSION_PROTECTION"] = None
    with site.hearing("user_accessed") as heard:
        await browser.get(path)
    assert site.loads == [1]
    assert len(heard) == 1


async def test_a_fresh_login_is_asked_where_the_view_asks_for_it(site: Site) -> None:
    site.manager.require_login(site.app)
    site.manager.refresh_view = "refresh"
    browser = site.browser()
    browser.set_session(_user_id=1, _fresh=False)
    assert (await browser.get("/public")).status == 200
    assert (await browser.get("/very")).location.startswith("/refresh")


async def test_an_unauthorized_handler_answers(site: Site) -> None:
    site.manager.require_login(site.app)
    site.manager.unauthorized_handler(lambda: ("who are you?", 418))
    assert await site.browser().get("/nope") == (418, "who are you?")


async def test_with_login_disabled_everything_is_open(site: Site) -> None:
    site.app.config["LOGIN_DISABLED"] = True
    site.manager.require_login(site.app)
    assert (await site.browser().get("/public")).status == 200
    assert (await site.browser().get("/nope")).status == 404


async def test_a_loader_that_raises_opens_nothing_and_closes_no_open_page(site: Site) -> None:
    site.manager.require_login(site.app)
    browser = await user_of(site)

    async def broken(user_id: Any) -> Any:
        raise LookupError(user_id)

    site.find = broken  # type: ignore[method-assign]
    assert (await browser.get("/public")).status == 500
    assert (await browser.get("/nope")).status == 500
    assert await browser.get("/login") == (200, "login page")


async def test_a_hostile_host_is_refused_or_a_bad_request(site: Site) -> None:
    site.manager.require_login(site.app)
    admin = blueprint(site, "admin", url_prefix="/admin")
    site.manager.require_login(admin)
    site.app.register_blueprint(admin)
    for host in (b"[", b"a b", b"\xff", b"evil.example", b"a/b", b"", b"a:b:c", b"x" * 300):
        for path in ("/public", "/admin/nope"):
            try:
                answer = await send_raw(site, path, [(b"Host", host)])
            except BadHost:  # Quart's own, before any hook; servers answer it with 400.
                continue
            assert is_refused(answer) or answer.status == 400, (host, path)


# --- realms --------------------------------------------------------------------------------------


def with_doors(site: Site, *managers: Any) -> Site:
    """Add a page where one gets a login to those of *managers* whose names are in its path."""

    async def log_in(names: str) -> str:
        for manager in managers:
            if str(manager.name) in names:
                await site.call(manager.login_user, site.users[1])
        return "in"

    site.app.add_url_rule("/in-to/<names>", "in-to", site.lib.login_exempt(site.colour(log_in)))
    return site


async def logged_in_to(site: Site, *managers: Any) -> Any:
    browser = site.browser()
    names = "+".join(str(manager.name) for manager in managers)
    assert await browser.get(f"/in-to/{names}") == (200, "in")
    return browser


async def test_the_innermost_fence_says_whose_users_may_enter(site: Site) -> None:
    staff = site.lib.LoginManager(site.app, name="staff")
    staff.user_loader(site.load_user)
    staff.login_view = "office.door"
    with_doors(site, site.manager, staff)
    office = blueprint(site, "office", url_prefix="/office")
    add(site, office, "/door", "door")
    add(site, office, "/desk", "desk")
    staff.require_login(office)
    site.manager.require_login(site.app)
    site.app.register_blueprint(office)
    stranger = site.browser()
    customer, clerk = await logged_in_to(site, site.manager), await logged_in_to(site, staff)
    assert (await stranger.get("/office/desk")).location.startswith("/office/door")
    assert (await customer.get("/office/desk")).location.startswith("/office/door")
    assert (await clerk.get("/office/desk")).status == 200
    assert (await clerk.get("/office/nope")).status == 404
    assert (await customer.get("/public")).status == 200
    assert is_refused(await clerk.get("/public"))
    assert (await stranger.get("/office/door")).status == 200


async def test_two_managers_that_protect_the_same_both_ask(site: Site) -> None:
    staff = site.lib.LoginManager(site.app, name="staff")
    staff.user_loader(site.load_user)
    site.manager.require_login(site.app)
    staff.require_login(site.app)
    with_doors(site, site.manager, staff)
    assert (await (await logged_in_to(site, staff)).get("/public")).status == 302
    assert (await (await logged_in_to(site, site.manager)).get("/public")).status == 401
    both = await logged_in_to(site, staff, site.manager)
    assert await both.get("/public") == (200, "public")


async def test_p22_what_else_is_at_the_path_of_the_login_page_is_protected(site: Site) -> None:
    site.manager.login_view = "/sign-in"
    site.manager.require_login(site.app)

    async def page() -> str:
        return "the form"

    async def other() -> str:
        return "secret"

    for name, method, view in (
        ("form", "GET", page),
        ("post", "POST", page),
        ("put", "PUT", other),
        ("delete", "DELETE", other),
    ):
        site.app.add_url_rule("/sign-in", name, site.colour(view), methods=[method])
    browser = site.browser()
    assert await browser.get("/sign-in") == (200, "the form")
    assert (await browser.post("/sign-in")).text == "the form"
    for method in ("PUT", "DELETE"):
        assert "secret" not in (await browser.open("/sign-in", method=method)).text


# --- a handler that returns nothing ---------------------------------------------------------------


@pytest.mark.parametrize("fenced", [False, True])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unauthorized_handler_that_returns_nothing_lets_nobody_in(
    site: Site, fenced: bool, method: str
) -> None:
    """A forgotten ``return``: Flask-Login answers 500, too."""
    ran: list[str] = []

    @site.route("/mine", guard=None if fenced else "login_required", methods=[method])
    async def mine() -> str:
        ran.append("mine")
        return "a secret"

    if fenced:
        site.manager.require_login(site.app)
    site.manager.unauthorized_handler(lambda: None)
    answer = await site.browser().open("/mine", method=method)
    assert answer.status == 500
    assert "secret" not in answer.text
    assert ran == []


async def test_a_refresh_handler_that_returns_nothing_lets_nobody_in(site: Site) -> None:
    site.manager.needs_refresh_handler(lambda: None)
    browser = site.browser()
    browser.set_session(_user_id=1, _fresh=False)
    assert await browser.get("/me") == (200, "user 1")
    assert (await browser.get("/very")).status == 500


@pytest.mark.parametrize("name", ["unauthorized", "needs_refresh"])
async def test_a_method_of_the_manager_that_returns_nothing_lets_nobody_in(
    site: Site, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def refuse(self: Any) -> None:
        """Say nothing."""

    monkeypatch.setattr(type(site.manager), name, refuse)
    browser = site.browser()
    if name == "needs_refresh":
        browser.set_session(_user_id=1, _fresh=False)
    assert (await browser.get("/very")).status == 500
