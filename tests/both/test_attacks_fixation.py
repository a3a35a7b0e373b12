"""Sessions kept on the server: rows 43 and 58 of section 3.D of the survey of attacks."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from flask.sessions import SecureCookieSession
from sites import Site


class ServerSession(SecureCookieSession):
    sid = ""


class Sessions:
    """Sessions kept on the server, by an id that any client may choose: the weakest there are."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.saves = 0

    def open(self, app: Any, request: Any) -> ServerSession:
        sid = request.cookies.get("session") or secrets.token_hex(8)
        session = ServerSession(self.rows.get(sid, {}))
        session.sid = sid
        return session

    def save(self, app: Any, session: ServerSession, response: Any) -> None:
        if session.modified:
            self.saves += 1
            self.rows[session.sid] = dict(session)
            response.set_cookie("session", session.sid)

    def regenerate(self, session: ServerSession) -> None:
        self.rows.pop(session.sid, None)
        session.sid = secrets.token_hex(8)
        session.modified = True


def keep_sessions(site: Site) -> Sessions:
    """Let *site* keep its sessions on the server."""
    sessions = Sessions()
    base: Any = type(site.app.session_interface).__mro__[1]

    class FlaskInterface(base):
        regenerate = staticmethod(sessions.regenerate)

        def open_session(self, app: Any, request: Any) -> Any:
            return sessions.open(app, request)

        def save_session(self, app: Any, session: Any, response: Any) -> None:
            sessions.save(app, session, response)

    class QuartInterface(base):
        async def regenerate(self, session: Any) -> None:
            sessions.regenerate(session)

        async def open_session(self, app: Any, request: Any) -> Any:
            return sessions.open(app, request)

        async def save_session(self, app: Any, session: Any, response: Any) -> None:
            sessions.save(app, session, response)

    in_flask = site.web.__name__ == "flask"
    site.app.session_interface = FlaskInterface() if in_flask else QuartInterface()
    return sessions


@pytest.mark.parametrize("before", [{}, {"cart": "7"}])
async def test_043_a_session_id_that_the_attacker_knows_is_dead_after_the_login(
    site: Site, before: dict[str, Any]
) -> None:
    sessions = keep_sessions(site)
    if before:
        sessions.rows["known"] = before
    browser = site.browser()
    browser.jar["session"] = "known"
    await browser.get("/in/1")
    assert browser.jar["session"] != "known"
    assert await browser.get("/me") == (200, "user 1")
    assert await browser.get("/get/cart") == (200, before.get("cart", "None"))
    attacker = site.browser()
    attacker.jar["session"] = "known"
    assert await attacker.get("/me") == (200, "anonymous")


@pytest.mark.parametrize("path", ["/confirm", "/out", "/in/2"])
async def test_043_every_change_of_privilege_changes_the_id(site: Site, path: str) -> None:
    sessions = keep_sessions(site)
    browser, copy = site.browser(), site.browser()
    assert await browser.get("/in/1") == (200, "True")
    await browser.get("/put/cart/7")
    old = copy.jar["session"] = browser.jar["session"]
    await browser.get(path)
    assert await copy.get("/me") == (200, "anonymous")
    assert old not in sessions.rows or not sessions.rows[old]


async def test_058_junk_and_visitors_and_their_logouts_keep_nothing_on_the_server(
    site: Site,
) -> None:
    sessions = keep_sessions(site)
    for number in range(20):
        browser = site.browser()
        browser.jar["remember_token"] = f"{number}|junk"
        for path in ("/me", "/private", "/public", "/out", "/is-fresh", "/is-remembered"):
            await browser.get(path)
    assert [row for row in sessions.rows.values() if row] == []


async def test_058_junk_and_visitors_and_their_logouts_get_no_session_cookie(site: Site) -> None:
    for value in (None, "junk", "1|é", ""):
        browser = site.browser()
        if value is not None:
            browser.jar["remember_token"] = value
        for path in ("/me", "/private", "/public", "/out", "/is-fresh", "/confirm"):
            answer = await browser.get(path)
            assert [line for line in answer.set_cookies if "Max-Age=0" not in line] == []
