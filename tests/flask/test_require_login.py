"""Are views that are coroutines open, or protected, as others are?"""

from __future__ import annotations

from sites import FlaskSite

from flask_compat import anonymous_required, login_exempt


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
