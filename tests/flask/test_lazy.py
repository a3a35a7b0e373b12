"""Is a user loaded only where somebody looks, and once?  Does the answer vary only there?"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import flask
import pytest
from sites import Browser, Site

from flask_compat import (
    AnonymousUserMixin,
    current_user,
    login_fresh,
    login_required,
    login_user,
)


async def logged_in(site: Site, query: str = "") -> Browser:
    browser = site.browser()
    await browser.get(f"/in/1{query}")
    site.loads.clear()
    return browser


# --- where nobody looks --------------------------------------------------------------------------


@pytest.fixture
def quiet(site: Site) -> Site:
    """Return a site with pages that do not ask who is there."""

    @site.route("/template")
    async def template() -> str:
        return flask.render_template_string("hello {{ 1 + 1 }}")

    @site.route("/stream")
    async def stream() -> Any:
        return flask.Response(flask.stream_with_context(iter(["a", "b"])))

    @site.app.errorhandler(404)
    def not_found(error: Any) -> tuple[str, int]:
        return flask.render_template_string("not here"), 404

    return site


QUIET = {"/public": "public", "/template": "hello 2", "/stream": "ab", "/nowhere": "not here"}


@pytest.mark.parametrize("path", list(QUIET))
@pytest.mark.parametrize("closed", [False, True])
async def test_a_page_that_does_not_ask_loads_nobody(quiet: Site, path: str, closed: bool) -> None:
    browser = await logged_in(quiet, "?remember=1")
    if closed:
        browser.close()
    with quiet.hearing() as heard:
        answer = await browser.get(path)
    assert answer.text == QUIET[path]
    assert quiet.loads == [] and heard == []
    assert answer.set_cookies == []
    # The headers of a stream go before anybody knows whether it will ask.
    assert ("Vary" in answer.headers) is (path == "/stream")


async def test_junk_in_the_cookies_loads_nobody(site: Site) -> None:
    browser = site.browser()
    browser.jar.update(session="forged", remember_token="1|forged")
    assert await browser.get("/public") == (200, "public")
    assert await browser.get("/me") == (200, "anonymous")
    assert site.loads == []


async def test_static_files_load_nobody(tmp_path: Any, make_site: Any) -> None:
    (tmp_path / "style.css").write_text("style")

    class StaticSite(make_site):  # type: ignore[misc]
        def make_app(self) -> Any:
            return flask.Flask("site", static_folder=str(tmp_path), static_url_path="/static")

    site = StaticSite()
    browser = await logged_in(site, "?remember=1")
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.jar.items())}
    with site.app.test_client(use_cookies=False) as client:
        response = client.get("/static/style.css", headers=headers)
        assert response.text == "style" and site.loads == []
        assert "Set-Cookie" not in response.headers and "Vary" not in response.headers
        response.close()


async def test_a_login_loads_nobody(site: Site) -> None:
    browser = await logged_in(site)
    await browser.get("/in/2")
    assert site.loads == []


# --- where somebody looks ------------------------------------------------------------------------


LOOKS: dict[str, Callable[[], Any]] = {
    "bool": lambda: bool(current_user),
    "not": lambda: not current_user,
    "attribute": lambda: current_user.is_active,
    "is_authenticated": lambda: current_user.is_authenticated,
    "missing attribute": lambda: getattr(current_user, "missing", None),
    "setting an attribute": lambda: setattr(current_user, "mood", "good"),
    "equal": lambda: current_user == "somebody",
    "unequal": lambda: current_user != "somebody",
    "repr": lambda: repr(current_user),
    "str": lambda: str(current_user),
    "hash": lambda: hash(current_user),
    "dir": lambda: dir(current_user),
    "isinstance": lambda: isinstance(current_user, AnonymousUserMixin),
    "copy": lambda: copy.copy(current_user),
    "method": lambda: current_user.get_id(),
    "object": lambda: current_user._get_current_object(),
    "login_fresh": login_fresh,
    "template": lambda: flask.render_template_string("{{ current_user.is_authenticated }}"),
    "if in a template": lambda: flask.render_template_string("{% if current_user %}x{% endif %}"),
}


@pytest.mark.parametrize("look", list(LOOKS))
@pytest.mark.parametrize("anonymous", [False, True])
async def test_an_answer_varies_where_somebody_looked(
    site: Site, look: str, anonymous: bool
) -> None:
    @site.route("/look")
    async def page() -> str:
        LOOKS[look]()
        return "looked"

    browser = site.browser() if anonymous else await logged_in(site)
    with site.hearing() as heard:
        answer = await browser.get("/look")
    assert answer == (200, "looked")
    assert answer.headers["Vary"] == "Cookie"
    assert heard == [("user_accessed", {})]
    assert site.loads == ([] if anonymous else [1])


async def test_an_answer_varies_where_a_guard_looked(site: Site) -> None:
    refused = await site.browser().get("/private")
    assert "Cookie" in {part.strip() for part in refused.headers["Vary"].split(",")}
    browser = await logged_in(site)
    assert (await browser.get("/private")).headers["Vary"] == "Cookie"


async def test_an_answer_keeps_what_the_application_said_it_varies_by(site: Site) -> None:
    @site.route("/look")
    async def page() -> Any:
        return str(current_user.is_authenticated), 200, {"Vary": "Accept-Language"}

    vary = (await (await logged_in(site)).get("/look")).headers["Vary"]
    assert {part.strip() for part in vary.split(",")} == {"Accept-Language", "Cookie"}


@pytest.mark.parametrize("closed", [False, True])
async def test_a_request_loads_its_user_once(site: Site, closed: bool) -> None:
    @login_required
    def guarded() -> str:
        return current_user.name

    @site.route("/busy", guard="login_required")
    async def busy() -> str:
        template = flask.render_template_string("{{ current_user.name }}")
        return str({current_user.name, guarded(), template, *(guarded() for _ in range(5))})

    @site.app.after_request
    def look(response: Any) -> Any:
        response.headers["X-User"] = str(current_user.get_id())
        return response

    browser = await logged_in(site, "?remember=1")
    if closed:
        browser.close()
    answer = await browser.get("/busy")
    assert answer == (200, "{'user 1'}") and answer.headers["X-User"] == "1"
    assert site.loads == [1]


async def test_a_streamed_body_knows_the_user_of_its_request(site: Site) -> None:
    @site.route("/stream")
    async def stream() -> Any:
        def body() -> Any:
            yield current_user.name
            yield f", {current_user.name}"

        return flask.Response(flask.stream_with_context(body()))

    assert await (await logged_in(site)).get("/stream") == (200, "user 1, user 1")


async def test_a_copied_request_context_knows_the_user(site: Site) -> None:
    @site.route("/copy")
    async def copied() -> str:
        @flask.copy_current_request_context
        def name() -> str:
            return current_user.name

        before = name()
        login_user(site.users[2])
        return f"{before}, {name()}"

    assert await (await logged_in(site)).get("/copy") == (200, "user 1, user 2")
    assert site.loads == [1]


async def test_a_loader_that_looks_at_the_user_sees_nobody_yet(site: Site) -> None:
    # A filter that puts the user into each record of a log does so, too.
    seen: list[Any] = []

    @site.manager.user_loader
    def load(user_id: Any) -> Any:
        seen.append(current_user.get_id())
        return site.users[user_id]

    assert await (await logged_in(site)).get("/private") == (200, "private of user 1")
    assert seen == [None]
