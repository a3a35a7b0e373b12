"""Do Flask-Login's private names, which large dependants call, do what they do there?"""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import flask
import flask_login.utils as original
import pytest
from sites import KEY, Browser, Site, User

from flask_compat import (
    LoginManager,
    current_user,
    login_fresh,
    login_user,
    logout_user,
    user_loaded_from_cookie,
)
from flask_compat.utils import (
    _cookie_digest,
    _create_identifier,
    _get_user,
    _secret_key,
    _user_context_processor,
)


async def logged_in(site: Site, query: str = "") -> Browser:
    browser = site.browser()
    await browser.get(f"/in/1{query}")
    site.loads.clear()
    return browser


# --- LoginManager._update_request_context_with_user ----------------------------------------------


async def test_a_dependant_may_say_who_makes_the_request(site: Site) -> None:
    # Flask-Security does so for a user who came by a token.
    @site.route("/become")
    async def become() -> str:
        site.manager._update_request_context_with_user(site.users[2])
        return f"{current_user.name}, {_get_user().name}"

    browser = await logged_in(site)
    assert await browser.get("/become") == (200, "user 2, user 2")
    assert await browser.get("/me") == (200, "user 1")
    assert site.loads == [1]


async def test_a_dependant_may_say_so_before_the_guard(site: Site) -> None:
    @site.app.before_request
    def become() -> None:
        site.manager._update_request_context_with_user(site.users[2])

    assert await site.browser().get("/private") == (200, "private of user 2")
    assert site.loads == []


@pytest.mark.parametrize("nobody", [(), (None,)])
async def test_a_dependant_may_say_that_nobody_makes_the_request(
    site: Site, nobody: tuple[Any, ...]
) -> None:
    @site.app.before_request
    def become_nobody() -> None:
        if flask.request.path == "/private":
            site.manager._update_request_context_with_user(*nobody)
            assert current_user.is_anonymous

    browser = await logged_in(site)
    assert (await browser.get("/private")).status == 401
    assert site.loads == []


# --- LoginManager._load_user ---------------------------------------------------------------------


async def test_a_dependant_may_load_the_user_again(site: Site) -> None:
    @site.route("/again")
    async def again() -> str:
        before = current_user.name
        site.users[1] = renamed = User(1)
        renamed.name = "renamed"
        site.manager._load_user()
        return f"{before}, {current_user.name}"

    assert await (await logged_in(site)).get("/again") == (200, "user 1, renamed")
    assert site.loads == [1, 1]


async def test_loading_again_undoes_what_a_dependant_said(site: Site) -> None:
    @site.route("/again")
    async def again() -> str:
        site.manager._update_request_context_with_user(site.users[2])
        site.manager._load_user()
        return str(current_user.get_id())

    assert await (await logged_in(site)).get("/again") == (200, "1")
    assert await site.browser().get("/again") == (200, "None")


async def test_loading_tells_the_receivers_once_the_user_is_bound(site: Site) -> None:
    seen: list[str] = []

    def loaded(sender: Any, user: Any) -> None:
        seen.append(f"{user.name}, {current_user.name}")

    @site.route("/load")
    async def load() -> str:
        site.manager._load_user()
        return current_user.name

    browser = await logged_in(site, "?remember=1")
    browser.close()
    with user_loaded_from_cookie.connected_to(loaded, sender=site.app):
        assert await browser.get("/load") == (200, "user 1")
    assert seen == ["user 1, user 1"]


# --- utils._get_user and g._login_user -----------------------------------------------------------


def test_outside_a_request_get_user_is_none(site: Site) -> None:
    assert _get_user() is None
    with site.app.app_context():
        assert _get_user() is None


async def test_get_user_is_the_user_and_no_proxy(site: Site) -> None:
    @site.route("/get-user")
    async def get_user() -> str:
        return type(_get_user()).__name__

    assert await site.browser().get("/get-user") == (200, "AnonymousUserMixin")
    assert await (await logged_in(site)).get("/get-user") == (200, "User")


async def test_g_login_user_is_written_wherever_flask_login_writes_it(site: Site) -> None:
    def noted() -> str:
        user = getattr(flask.g, "_login_user", None)
        return "nothing" if user is None else str(user.get_id())

    @site.route("/lazy")
    async def lazy() -> str:
        story = [noted()]
        assert current_user.is_active in (True, False)
        story.append(noted())
        login_user(site.users[2])
        story.append(noted())
        logout_user()
        story.append(noted())
        return ", ".join(story)

    @site.route("/guarded", guard="login_required")
    async def guarded() -> str:
        return noted()

    browser = await logged_in(site)
    assert await browser.get("/guarded") == (200, "1")
    assert await browser.get("/lazy") == (200, "nothing, 1, 2, None")
    assert await site.browser().get("/lazy") == (200, "nothing, None, 2, None")


@pytest.mark.parametrize("looked", [False, True])
async def test_g_login_user_is_never_read(site: Site, looked: bool) -> None:
    @site.route("/forge")
    async def forge() -> str:
        if looked:
            assert current_user.is_active in (True, False)
        flask.g._login_user = site.users[2]
        return f"{current_user.get_id()}, {_get_user().get_id()}, {login_fresh()}"

    @site.app.before_request
    def forge_first() -> None:
        flask.g._login_user = site.users[2]

    assert await site.browser().get("/forge") == (200, "None, None, False")
    assert (await site.browser().get("/private")).status == 401
    assert await (await logged_in(site)).get("/forge") == (200, "1, 1, True")


# --- LoginManager._session_identifier_generator --------------------------------------------------


async def test_a_dependant_may_bind_sessions_to_something_else(site: Site) -> None:
    site.app.config["SESSION_PROTECTION"] = "strong"
    site.manager._session_identifier_generator = lambda: flask.request.headers.get("X-Device", "")
    browser = site.browser(**{"X-Device": "phone"})
    await browser.get("/in/1")
    assert browser.session()["_id"] == "phone"
    assert await browser.get("/me", headers={"User-Agent": "another browser"}) == (200, "user 1")
    assert await browser.get("/me", headers={"X-Device": "thief"}) == (200, "anonymous")


async def test_the_identifier_is_the_one_that_flask_login_writes(site: Site) -> None:
    assert site.manager._session_identifier_generator is _create_identifier
    browser = await logged_in(site)
    environ = {"REMOTE_ADDR": "127.0.0.1"}
    with site.app.test_request_context("/", headers=browser.headers, environ_overrides=environ):
        assert browser.session()["_id"] == _create_identifier() == original._create_identifier()


@pytest.mark.parametrize("headers", [{}, {"User-Agent": ""}, {"User-Agent": "zoë's"}])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", None])
def test_identifiers_are_those_of_flask_login(
    site: Site, headers: dict[str, str], address: str | None
) -> None:
    environ = {} if address is None else {"REMOTE_ADDR": address}
    context = site.app.test_request_context("/", headers=headers, environ_overrides=environ)
    with context:
        assert _create_identifier() == original._create_identifier()


# --- the other functions of utils ----------------------------------------------------------------


@pytest.mark.parametrize("payload", ["1", "", "a|b", "zoë", "日本"])
@pytest.mark.parametrize("key", [None, "another key", b"bytes", "ключ"])
def test_digests_are_those_of_flask_login(site: Site, payload: str, key: Any) -> None:
    with site.app.app_context():
        if key == "ключ":
            # Flask-Login fails for a key that is not Latin-1.
            assert _secret_key(key) == key.encode()
            assert len(_cookie_digest(payload, key=key)) == 128
            return
        assert _cookie_digest(payload, key=key) == original._cookie_digest(payload, key=key)
        assert _secret_key(key) == original._secret_key(key)


def test_the_secret_key_is_the_application_s(site: Site) -> None:
    with site.app.app_context():
        assert _secret_key() == KEY.encode()


async def test_the_context_processor_gives_templates_the_current_user(site: Site) -> None:
    @site.route("/processor")
    async def processor() -> str:
        given = _user_context_processor()
        assert list(given) == ["current_user"]
        return str(given["current_user"].get_id())

    assert await (await logged_in(site)).get("/processor") == (200, "1")
    assert _user_context_processor in site.app.template_context_processors[None]


async def test_a_manager_without_a_context_processor_gives_templates_nothing(
    make_site: Any,
) -> None:
    site = make_site(add_context_processor=False)

    @site.route("/template")
    async def template() -> str:
        return flask.render_template_string("{{ current_user is defined }}")

    assert await (await logged_in(site)).get("/template") == (200, "False")


async def test_a_test_may_put_a_user_into_the_place_of_get_user(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The most common way to be somebody in the tests of Flask-Login's users."""
    monkeypatch.setattr("flask_compat.utils._get_user", lambda: site.users[1])
    assert await site.browser().get("/me") == (200, "user 1")
    assert await site.browser().get("/private") == (200, "private of user 1")
    assert (await site.browser().get("/very")).status == 401


@pytest.mark.parametrize(
    ("name", "path"), [("unauthorized", "/private"), ("needs_refresh", "/very")]
)
async def test_a_handler_that_returns_nothing_lets_nobody_in_whoever_get_user_returns(
    site: Site, monkeypatch: pytest.MonkeyPatch, name: str, path: str
) -> None:
    user = site.users[1] if name == "needs_refresh" else site.lib.AnonymousUserMixin()
    monkeypatch.setattr("flask_compat.utils._get_user", lambda: user)
    getattr(site.manager, f"{name}_handler")(lambda: None)
    assert (await site.browser().get(path)).status == 500


async def test_a_user_whom_a_dependant_binds_is_the_user_though_the_loader_failed(
    site: Site,
) -> None:
    site.manager.login_view = None

    @site.app.before_request
    def bind() -> None:
        if flask.request.path == "/private":
            assert not current_user.is_authenticated
            site.manager._update_request_context_with_user(site.users[2])

    browser = site.browser()
    await browser.get("/in/1")

    @site.manager.user_loader
    def fail(user_id: Any) -> Any:
        raise OSError("the database is down")

    assert await browser.get("/private") == (200, "private of user 2")


# --- what was there before the manager -----------------------------------------------------------


def application() -> flask.Flask:
    app = flask.Flask(__name__)
    app.config.update(SECRET_KEY=KEY, TESTING=True)
    app.add_url_rule("/", view_func=lambda: f"{current_user.is_authenticated}")
    return app


def test_a_hook_from_before_the_manager_may_log_in_after_the_view() -> None:
    app = application()

    @app.after_request
    def log_in(response: flask.Response) -> flask.Response:
        login_user(User(1), remember=True)
        return response

    manager = LoginManager(app)
    manager.user_loader(lambda key: User(1))
    lines = app.test_client().get("/").headers.getlist("Set-Cookie")
    assert {line.partition("=")[0] for line in lines} == {"remember_token", "session"}


def test_a_class_of_a_dependant_may_load_the_user_in_its_own_way() -> None:
    class Own(LoginManager[User]):
        def _load_user(self) -> None:
            self._update_request_context_with_user(User(2))

    app = application()
    Own(app).user_loader(lambda key: None)
    assert app.test_client().get("/").text == "True"


def test_a_test_may_replace_the_loading_of_the_class_itself() -> None:
    app = application()
    LoginManager(app).user_loader(lambda key: None)

    def load(self: Any) -> None:
        self._update_request_context_with_user(User(2))

    with patch.object(LoginManager, "_load_user", load):
        assert app.test_client().get("/").text == "True"
    assert app.test_client().get("/").text == "False"


def test_a_class_of_a_dependant_may_bind_the_user_in_its_own_way() -> None:
    bound: list[Any] = []

    class Own(LoginManager[User]):
        def _update_request_context_with_user(self, user: Any = None) -> None:
            bound.append(user)
            super()._update_request_context_with_user(user)

    app = application()
    Own(app).user_loader(lambda key: None)
    assert app.test_client().get("/").text == "False" and bound == [None]
