"""Where is the user logged in, and how do they end that?"""

from __future__ import annotations

from typing import Any, Final

from quart import Blueprint, flash, redirect, render_template, url_for

from quart_login import list_sessions, revoke_other_sessions, revoke_session, revoke_user

from .services import me

blueprint = Blueprint("devices", __name__, url_prefix="/devices")

#: What browsers and systems put into their names; the first that is found counts.
_BROWSERS: Final = {
    "Edg": "Edge",
    "OPR": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "Chrome": "Chrome",
    "CriOS": "Chrome",
    "Safari": "Safari",
    "curl": "curl",
}
_SYSTEMS: Final = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


@blueprint.get("/")
async def index() -> Any:
    logins = sorted(await list_sessions(), key=lambda login: not login.current)
    return await render_template("devices.html", logins=logins)


@blueprint.post("/<id>/end")
async def end(id: str) -> Any:
    """End one login; only the user's own are looked for."""
    ended = await revoke_session(id)
    await flash("That device is logged out." if ended else "That device was logged out already.")
    return redirect(url_for("devices.index"), 303)


@blueprint.post("/end-others")
async def end_others() -> Any:
    count = await revoke_other_sessions()
    await flash("All other devices are logged out." if count else "There was no other device.")
    return redirect(url_for("devices.index"), 303)


@blueprint.post("/end-all")
async def end_all() -> Any:
    await revoke_user(me())
    await flash("You are logged out everywhere.")
    return redirect(url_for("welcome"), 303)


def describe(agent: str) -> str:
    """Return what the browser that calls itself *agent* is, as far as one can tell."""
    browser = next((name for mark, name in _BROWSERS.items() if mark in agent), "A browser")
    system = next((name for mark, name in _SYSTEMS.items() if mark in agent), None)
    return f"{browser} on {system}" if system else browser
