"""Which views may be guarded, and which login page belongs to a blueprint?"""

from __future__ import annotations

import threading
from typing import Any

import pytest
from quart import Blueprint
from quart.views import MethodView, View
from sites import Browser, Site

import quart_login
from quart_login import current_user, fresh_login_required, login_required, set_login_view


async def logged_in(site: Site, query: str = "") -> Browser:
    browser = site.browser()
    await browser.get(f"/in/1{query}")
    return browser


# --- views ---------------------------------------------------------------------------------------


async def test_a_plain_view_under_login_required_runs_in_a_thread(site: Site) -> None:
    threads: list[threading.Thread] = []

    @site.app.route("/plain/<word>")
    @login_required
    def plain_view(word: str) -> str:
        threads.append(threading.current_thread())
        return f"{word} of {current_user.name}"

    assert (await site.browser().get("/plain/word")).status == 401
    assert threads == []
    browser = await logged_in(site)
    assert await browser.get("/plain/word") == (200, "word of user 1")
    assert threads[0] is not threading.main_thread()
    assert plain_view.__name__ == "plain_view"


async def test_a_plain_view_under_fresh_login_required(site: Site) -> None:
    @site.app.route("/plain")
    @fresh_login_required
    def plain_view() -> str:
        return f"fresh {current_user.name}"

    assert (await site.browser().get("/plain")).status == 401
    assert (await (await logged_in(site, "?fresh=0")).get("/plain")).status == 401
    assert await (await logged_in(site)).get("/plain") == (200, "fresh user 1")


async def test_a_plain_view_without_a_decorator_sees_the_user(site: Site) -> None:
    @site.app.route("/plain")
    def plain_view() -> str:
        return current_user.name

    assert await (await logged_in(site)).get("/plain") == (200, "user 1")


@pytest.mark.parametrize("decorator", ["login_required", "fresh_login_required"])
async def test_class_based_views_take_the_decorators(site: Site, decorator: str) -> None:
    guard = getattr(quart_login, decorator)

    class Page(View):
        decorators = [guard]  # noqa: RUF012

        async def dispatch_request(self, **kwargs: Any) -> str:
            return f"page of {current_user.name}"

    class PlainPage(View):
        decorators = [guard]  # noqa: RUF012
        init_every_request = False

        def dispatch_request(self, **kwargs: Any) -> str:
            return f"plain page of {current_user.name}"

    class Item(MethodView):
        decorators = [guard]  # noqa: RUF012

        async def get(self, number: int) -> str:
            return f"item {number} of {current_user.name}"

        def post(self, number: int) -> str:
            return f"posted {number} by {current_user.name}"

    site.app.add_url_rule("/page", view_func=Page.as_view("page"))
    site.app.add_url_rule("/plain-page", view_func=PlainPage.as_view("plain-page"))
    site.app.add_url_rule("/items/<int:number>", view_func=Item.as_view("item"))
    visitor, browser = site.browser(), await logged_in(site)
    for path in ("/page", "/plain-page", "/items/3"):
        assert (await visitor.get(path)).status == 401
    assert (await visitor.post("/items/3")).status == 401
    assert await browser.get("/page") == (200, "page of user 1")
    assert await browser.get("/plain-page") == (200, "plain page of user 1")
    assert await browser.get("/items/3") == (200, "item 3 of user 1")
    assert await browser.post("/items/3") == (200, "posted 3 by user 1")


async def test_a_method_alone_may_be_decorated(site: Site) -> None:
    class Item(MethodView):
        async def get(self) -> str:
            return "public"

        @login_required
        async def post(self) -> str:
            return f"posted by {current_user.name}"

    site.app.add_url_rule("/item", view_func=Item.as_view("item"))
    assert await site.browser().get("/item") == (200, "public")
    assert (await site.browser().post("/item")).status == 401
    assert await (await logged_in(site)).post("/item") == (200, "posted by user 1")


# --- blueprints ----------------------------------------------------------------------------------


@pytest.fixture
def blueprints(site: Site) -> Site:
    """Return a site with protected pages at /, /shop/, /shop/cart/ and /blog/."""
    parent, child, blog = (Blueprint(name, "site") for name in ("shop", "cart", "blog"))
    for blueprint in (parent, child, blog):

        @blueprint.route("/")
        @login_required
        async def page() -> str:
            return "page"

    parent.register_blueprint(child, url_prefix="/cart")
    site.app.register_blueprint(parent, url_prefix="/shop")
    site.app.register_blueprint(blog, url_prefix="/blog")
    return site


async def login_pages(site: Site) -> list[str | None]:
    paths = ("/private", "/shop/", "/shop/cart/", "/blog/")
    answers = [await site.browser().get(path) for path in paths]
    return [answer.location.split("?")[0] if answer.location else None for answer in answers]


async def test_a_blueprint_s_login_view_is_also_that_of_its_nested_blueprints(
    blueprints: Site,
) -> None:
    blueprints.manager.blueprint_login_views = {"shop": "/log-in-to-shop"}
    blueprints.manager.login_view = "login"
    expected = ["/login", "/log-in-to-shop", "/log-in-to-shop", "/login"]
    assert await login_pages(blueprints) == expected


@pytest.mark.parametrize("name", ["cart", "shop.cart"])
async def test_a_nested_blueprint_has_a_login_view_of_its_own(blueprints: Site, name: str) -> None:
    blueprints.manager.blueprint_login_views = {"shop": "/log-in-to-shop", name: "/log-in-to-cart"}
    expected = [None, "/log-in-to-shop", "/log-in-to-cart", None]
    assert await login_pages(blueprints) == expected


async def test_set_login_view_sets_a_blueprint_s_and_the_application_s_view(
    blueprints: Site,
) -> None:
    async with blueprints.app.app_context():
        set_login_view("login")
        set_login_view("/log-in-to-blog", blueprint=blueprints.app.blueprints["blog"])
    assert await login_pages(blueprints) == ["/login", "/login", "/login", "/log-in-to-blog"]
    async with blueprints.app.app_context():
        set_login_view("/another")
    assert await login_pages(blueprints) == ["/another"] * 3 + ["/log-in-to-blog"]
