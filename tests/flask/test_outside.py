"""Who is `current_user` where there is no request, or one inside another?  What is missing then?"""

from __future__ import annotations

from typing import Any

import flask
import pytest
from sites import KEY, Browser, Site

from flask_compat import (
    AnonymousUserMixin,
    LoginManager,
    current_user,
    login_required,
    login_user,
)


async def logged_in(site: Site, query: str = "") -> Browser:
    browser = site.browser()
    await browser.get(f"/in/1{query}")
    site.loads.clear()
    return browser


# --- where there is no request -------------------------------------------------------------------


def test_outside_everything_the_user_is_anonymous() -> None:
    assert not current_user.is_authenticated and current_user.is_anonymous
    assert current_user.get_id() is None


def test_under_a_bare_application_context_the_user_is_the_manager_s_anonymous(site: Site) -> None:
    class Guest(AnonymousUserMixin):
        name = "guest"

    site.manager.anonymous_user = Guest
    with site.app.app_context():
        assert current_user.name == "guest"


async def test_under_an_outer_application_context_the_next_client_is_anonymous(
    site: Site,
) -> None:
    with site.app.app_context():
        first, second = site.browser(), site.browser()
        await first.get("/in/1")
        assert await first.get("/me") == (200, "user 1")
        assert await second.get("/me") == (200, "anonymous")
        assert (await second.get("/private")).status == 401
        assert await first.get("/me") == (200, "user 1")
        assert not current_user.is_authenticated


async def test_a_request_context_inside_a_view_has_a_user_of_its_own(site: Site) -> None:
    @site.route("/nested")
    async def nested() -> str:
        seen = [current_user.get_id()]
        with site.app.test_request_context("/"):
            seen.append(current_user.get_id())
            login_user(site.users[2])
            seen.append(current_user.get_id())
        seen.append(current_user.get_id())
        return str(seen)

    browser = await logged_in(site)
    assert await browser.get("/nested") == (200, "[1, None, 2, 1]")


async def test_a_request_context_of_a_test_knows_the_user_of_its_cookies(site: Site) -> None:
    browser = await logged_in(site)
    headers = {**browser.headers, "Cookie": f"session={browser.jar['session']}"}
    with site.app.test_request_context("/", headers=headers):
        assert site.loads == []
        assert current_user.name == "user 1"


# --- what is missing -----------------------------------------------------------------------------


def bare_app() -> flask.Flask:
    app = flask.Flask("site", static_folder=None)
    app.secret_key = KEY

    @app.route("/look")
    def look() -> str:
        return str(current_user.is_authenticated)

    @app.route("/public")
    def public() -> str:
        return "public"

    @app.route("/guarded")
    @login_required
    def guarded() -> str:
        return "secret"

    @app.errorhandler(500)
    def tell(error: Any) -> tuple[str, int]:
        return f"{type(error.original_exception).__name__}: {error.original_exception}", 500

    return app


@pytest.mark.parametrize("path", ["/look", "/guarded"])
def test_without_a_loader_the_error_says_how_to_register_one(path: str) -> None:
    app = bare_app()
    LoginManager(app)
    assert app.test_client().get("/public").text == "public"
    response = app.test_client().get(path)
    assert response.status_code == 500
    assert response.text.startswith("MissingLoader: Missing user_loader or request_loader.")


def test_without_a_manager_the_error_says_so() -> None:
    response = bare_app().test_client().get("/guarded")
    assert response.status_code == 500
    assert response.text.startswith("RuntimeError: This application has no LoginManager.")


async def test_a_loader_that_raises_breaks_no_public_page_and_no_error_page(site: Site) -> None:
    @site.app.errorhandler(500)
    def sorry(error: Any) -> tuple[str, int]:
        name = type(error.original_exception).__name__
        return flask.render_template_string("{{ current_user.is_authenticated }}: " + name), 500

    browser = await logged_in(site)
    cookies = dict(browser.jar)

    @site.manager.user_loader
    def broken(user_id: Any) -> Any:
        raise LookupError(user_id)

    assert await browser.get("/public") == (200, "public")
    assert await browser.get("/me") == (200, "anonymous")
    assert await browser.get("/private") == (500, "False: LookupError")
    assert browser.jar == cookies
