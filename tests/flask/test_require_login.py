"""What does `require_login` do with what Flask alone has: coroutines as views, and hosts?"""

from __future__ import annotations

from typing import Any

from flask import Flask
from sites import FlaskSite

from flask_compat import LoginManager, anonymous_required, login_exempt


def test_coroutines_are_protected_unless_they_are_marked() -> None:
    site = FlaskSite()
    site.manager.require_login(site.app)

    async def view() -> str:
        return "view"

    site.app.add_url_rule("/closed", "closed", view)
    site.app.add_url_rule("/strangers", "strangers", anonymous_required(view))

    @site.app.get("/open")
    @login_exempt
    async def exempt() -> str:
        return "exempt"

    client = site.app.test_client()
    assert client.get("/closed").status_code == 401
    assert client.get("/open").text == "exempt"
    assert client.get("/strangers").text == "view"


def test_a_path_that_is_a_page_on_several_hosts_opens_none_of_them() -> None:
    app = Flask("app", subdomain_matching=True)
    app.config.update(SECRET_KEY="k" * 32, SERVER_NAME="shop.example")
    manager: LoginManager[Any] = LoginManager(app)
    manager.user_loader(lambda user_id: None)
    manager.login_view = "/"
    manager.require_login(app)
    app.add_url_rule("/", "front", lambda: "the form", subdomain="www")
    app.add_url_rule("/", "admin", lambda: "a secret", subdomain="admin")
    client = app.test_client()
    assert client.get("/", base_url="http://admin.shop.example").status_code == 500
    manager.login_view = "front"
    assert client.get("/", base_url="http://admin.shop.example").status_code == 302
    assert client.get("/", base_url="http://www.shop.example").text == "the form"
