"""Do the names that Flask-Login 0.6.3 deprecates still work, with its warnings?"""

from __future__ import annotations

from typing import Any

import flask
import pytest
from sites import KEY, Site, User

import flask_compat
from flask_compat import LoginManager, current_user, login_required


def use_header_loader(site: Site) -> None:
    with pytest.warns(DeprecationWarning, match=r"'header_loader' is deprecated.*'request_loader'"):

        @site.manager.header_loader
        def load(header: str) -> Any:
            site.loads.append(header)
            return site.users.get(int(header)) if header.isdigit() else None


async def test_a_header_loader_finds_the_user_and_tells(site: Site) -> None:
    use_header_loader(site)
    with pytest.warns(DeprecationWarning, match="'user_loaded_from_header' is deprecated"):
        signal = flask_compat.user_loaded_from_header
    seen: list[str] = []

    def loaded(sender: Any, user: Any) -> None:
        seen.append(f"{user.name}, {current_user.name}")

    with signal.connected_to(loaded, sender=site.app):
        answer = await site.browser().get("/private", headers={"Authorization": "2"})
    assert answer == (200, "private of user 2")
    assert seen == ["user 2, user 2"]
    assert answer.set_cookies == []


@pytest.mark.parametrize("headers", [{}, {"Authorization": "nobody"}, {"Authorization": "7"}])
async def test_a_header_loader_may_know_nobody(site: Site, headers: dict[str, str]) -> None:
    use_header_loader(site)
    assert (await site.browser().get("/private", headers=headers)).status == 401
    assert site.loads == list(headers.values())


async def test_the_header_s_name_is_a_setting(make_site: Any) -> None:
    site = make_site({"AUTH_HEADER_NAME": "X-Key"})
    use_header_loader(site)
    assert await site.browser().get("/me", headers={"X-Key": "2"}) == (200, "user 2")
    assert await site.browser().get("/me", headers={"Authorization": "2"}) == (200, "anonymous")
    assert flask_compat.AUTH_HEADER_NAME == "Authorization"


async def test_a_session_and_a_request_loader_come_before_the_header_loader(site: Site) -> None:
    use_header_loader(site)
    browser = site.browser()
    await browser.get("/in/1")
    assert await browser.get("/me", headers={"Authorization": "2"}) == (200, "user 1")
    site.manager.request_loader(lambda request: None)
    assert (await site.browser().get("/private", headers={"Authorization": "2"})).status == 401


def test_a_header_loader_is_returned_by_the_decorator(site: Site) -> None:
    def load(header: str) -> None: ...

    with pytest.warns(DeprecationWarning, match="header_loader"):
        assert site.manager.header_loader(load) is load


def test_the_header_s_signal_is_in_its_module_too() -> None:
    with pytest.warns(DeprecationWarning, match="'user_loaded_from_request'"):
        found = flask_compat.signals.user_loaded_from_header
    with pytest.warns(DeprecationWarning, match="'user_loaded_from_request'"):
        assert flask_compat.user_loaded_from_header is found
    assert found.name == "loaded-from-header"


@pytest.mark.parametrize("module", [flask_compat, flask_compat.signals])
def test_other_names_are_still_missing(module: Any) -> None:
    with pytest.raises(AttributeError, match="user_loaded_from_nowhere"):
        _ = module.user_loaded_from_nowhere


def test_setup_app_is_init_app() -> None:
    app = flask.Flask("site", static_folder=None)
    app.secret_key = KEY
    manager: LoginManager[User] = LoginManager()
    with pytest.warns(DeprecationWarning, match=r"'setup_app' is deprecated.*'init_app'"):
        manager.setup_app(app)
    manager.user_loader(lambda user_id: None)
    app.add_url_rule("/", "index", login_required(lambda: "secret"))
    assert app.login_manager is manager  # type: ignore[attr-defined]
    assert app.test_client().get("/").status_code == 401


async def test_with_login_disabled_everybody_may_enter(site: Site) -> None:
    @site.route("/open", guard="login_required")
    async def opened() -> str:
        return "open"

    @site.route("/fresh", guard="fresh_login_required")
    async def fresh() -> str:
        return "fresh"

    site.app.config["LOGIN_DISABLED"] = True
    assert await site.browser().get("/open") == (200, "open")
    assert await site.browser().get("/fresh") == (200, "fresh")
    assert site.loads == []
    site.app.config["LOGIN_DISABLED"] = False
    assert (await site.browser().get("/open")).status == 401


def test_the_manager_s_login_disabled_is_the_setting(site: Site) -> None:
    message = "'_login_disabled' is deprecated.*'LOGIN_DISABLED' in 'app.config'"
    with site.app.app_context():
        with pytest.warns(DeprecationWarning, match=message):
            assert site.manager._login_disabled is False
        with pytest.warns(DeprecationWarning, match=message):
            site.manager._login_disabled = True
        assert site.app.config["LOGIN_DISABLED"] is True
        with pytest.warns(DeprecationWarning, match=message):
            assert site.manager._login_disabled is True
    with pytest.warns(DeprecationWarning, match=message):
        assert site.manager._login_disabled is False


def test_the_warnings_name_the_caller_s_line(site: Site) -> None:
    def each() -> Any:
        yield lambda: site.manager.header_loader(lambda header: None)
        yield lambda: site.manager._login_disabled
        yield lambda: site.manager.setup_app(flask.Flask("other", static_folder=None))
        yield lambda: flask_compat.signals.user_loaded_from_header

    for deed in each():
        with pytest.warns(DeprecationWarning) as caught:
            deed()
        assert [warning.filename for warning in caught] == [__file__]
