"""What Flask-Login did in a step, amended into what a shell must do."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from .plays import Situation
from .readings import THEIRS, Outcome, about, comparable, mark
from .rules import (
    LOADED,
    LOGIN_KEYS,
    NEWS,
    add_news,
    asked,
    deletion,
    expired,
    good,
    held,
    life,
    loads,
    logs_in,
    looks,
    mine,
    moved,
    owner,
    refusal,
    restored,
    setting,
    settle,
    unreadable,
    user_of,
    with_query,
    written,
)


def cookie_deleted(now: Situation, out: Outcome) -> None:
    if now.cookie is None:
        return
    if out.remember_cookie is None:
        out.remember_cookie = deletion(now)
    if now.path == "/out":
        # A logout that finds a cookie notes its end in the session, as Flask-Login's does.
        out.session_cookie = written(out)


def refused(now: Situation, out: Outcome) -> None:
    """The cookie goes, and the reason is told."""
    reason = refusal(now)
    stale = held(now) is not None and moved(now) and reason != "protected"
    if stale:
        add_news(out, "session_protected")
    for cookie_reason in cookie_reasons(now):
        add_news(out, "credential_rejected", reason=cookie_reason)
    if reason == "user_mismatch":
        add_news(out, "identity_mismatch", reason=reason)
    add_news(out, "credential_rejected", reason=reason)
    cookie_deleted(now, out)


def cookie_reasons(now: Situation) -> list[str]:
    if unreadable(now):
        assert now.cookie is not None
        signed = re.search(r"(\|[0-9a-f]{128}|\.[\w-]{43})\"?$", now.cookie.value)
        return ["bad_signature" if signed else "malformed"]
    return ["expired"] if expired(now) else []


def bad_cookie(now: Situation, out: Outcome) -> None:
    if refusal(now) is None and loads(now):
        for reason in cookie_reasons(now):
            add_news(out, "credential_rejected", reason=reason)
        cookie_deleted(now, out)


def dropped(now: Situation, out: Outcome) -> None:
    if now.case.request_loader:
        add_news(out, "session_protected")
    add_news(out, "credential_rejected", reason="protected")
    if now.cookie is None and out.remember_cookie and out.remember_cookie[0] == "deleted":
        out.remember_cookie = None
    cookie_deleted(now, out)


def come_back(now: Situation, out: Outcome) -> None:
    """A user who came back by the cookie has a session like any."""
    user = restored(now)
    if str(out.session.get("_user_id")) == str(user.get_id()) and not logs_in(now):
        remove_strangers_data(now, out, user)
        out.session["_user_id"] = user.get_id()
        out.session["_id"] = now.fingerprint


def remove_strangers_data(now: Situation, out: Outcome, user: Any) -> None:
    if owner(now) in (None, mark(user.get_id())):
        return
    # Only after a logout is the page to go to asked for by whoever comes next.
    kept = {*LOGIN_KEYS, "_permanent"} - ({"next"} if held(now) is not None else set())
    out.session = {k: v for k, v in out.session.items() if k in kept}


def take_over(now: Situation, out: Outcome) -> None:
    if out.text == "True":
        user = user_of(now, out.session["_user_id"])
        remove_strangers_data(now, out, user)


def login_removes_cookie(now: Situation, out: Outcome) -> None:
    if out.text == "True" and now.cookie is not None and out.remember_cookie is None:
        same = good(now) and now.cookie.user_id == str(out.session["_user_id"])
        if not same:
            out.remember_cookie = deletion(now)


def leave(now: Situation, out: Outcome) -> None:
    if now.in_quart:
        out.session = {}
    out.session.pop("next", None)
    out.session.pop(THEIRS, None)


def forgotten(now: Situation, out: Outcome) -> None:
    """The cookie goes although it was not seen."""
    if about(now.session).remembered is not None and refusal(now) is None:
        out.remember_cookie = deletion(now)


def renew_legacy(now: Situation, out: Outcome) -> None:
    if loads(now) and refusal(now) is None and out.remember_cookie is None:
        assert now.cookie is not None and now.cookie.user_id is not None
        out.remember_cookie = setting(now, now.cookie.user_id, life(now))


def same_attributes(now: Situation, out: Outcome) -> None:
    if out.remember_cookie is not None and out.remember_cookie[0] == "deleted":
        out.remember_cookie = deletion(now)


def refresh(now: Situation, out: Outcome) -> None:
    """Only who asked to be remembered is, and the session is let alone."""
    if out.session == comparable(now.session) and not logs_in(now) and now.path != "/confirm":
        settle(now, out)
    elif not out.session and not comparable(now.session) and now.path != "/out":
        out.session_cookie = None
    if out.remember_cookie is None or out.remember_cookie[0] != "set" or asked(now, "remember"):
        return
    user_id = str(out.session.get("_user_id"))
    sent = good(now) and now.cookie is not None and now.cookie.user_id == user_id
    wanted = sent or (
        about(now.session).remembered is not None and user_id == str(held(now)) and not logs_in(now)
    )
    if not (loads(now) or logs_in(now)) or not wanted:
        out.remember_cookie = None
        return
    assert now.cookie is not None
    if sent and now.cookie.seconds is not None:
        out.remember_cookie = setting(now, user_id, now.cookie.seconds)


def confirmed(now: Situation, out: Outcome) -> None:
    """Nobody is logged in, so nothing is confirmed."""
    names = [name for name, _ in out.signals]
    if "user_loaded_from_request" not in names and "_user_id" not in out.session:
        before = now.session.get("_id")
        for key, value in (("_fresh", None), ("_id", before)):
            out.session.pop(key, None)
            if value is not None and held(now) is None:
                out.session[key] = value
        if out.session == comparable(now.session):
            settle(now, out)


def look_order(now: Situation, out: Outcome) -> None:
    """What loading found out is told before anybody looked."""
    rest = [signal for signal in out.signals if signal[0] != "user_accessed"]
    place = 0
    while place < len(rest) and rest[place][0] in (*NEWS, *LOADED):
        place += 1
    accessed = [("user_accessed", {})] if looks(now) else []
    out.signals = [*rest[:place], *accessed, *rest[place:]]


def fresh_still(now: Situation, out: Outcome) -> None:
    """The session itself is not touched."""
    if held(now) is not None and not moved(now) and out.session.get("_fresh") is False:
        out.session["_fresh"] = now.session["_fresh"]
        settle(now, out)


def next_of_post(now: Situation, out: Outcome) -> None:
    if out.status != 302:
        return
    referer = urlsplit(now.headers.get("Referer", ""))
    back = referer.path + (f"?{referer.query}" if referer.query else "")
    back = back if referer.netloc == "localhost" else None
    if now.case.config.get("USE_SESSION_FOR_NEXT"):
        if back is None:
            for key in ("next", "_id"):
                out.session.pop(key, None)
                if key in now.session and key != "next":
                    out.session[key] = now.session[key]
        else:
            out.session["next"] = back
    else:
        assert out.location is not None
        if back is not None and urlsplit(now.case.manager["login_view"]).netloc not in (
            "",
            "localhost",
        ):
            back = f"http://localhost{back}"
        bare = now.case.manager["login_view"]
        if back is None:
            # Without a page to come back to the URL is as it was given, host and all.
            out.location = bare if "/" in bare else f"/{bare}"
        else:
            out.location = with_query(out.location, next=back)


def spelled_as_sent(now: Situation, out: Outcome) -> None:
    sent = now.path + (f"?{now.query}" if now.query else "")
    here = f"http://localhost{sent}"

    def spelled(url: str) -> str:
        return next((own for own in (sent, here) if unquote(own) == unquote(url)), url)

    if "next" in out.session and out.session["next"] != now.session.get("next"):
        out.session["next"] = spelled(out.session["next"])
    if out.location is not None:
        fields = parse_qs(urlsplit(out.location).query)
        if "next" in fields:
            out.location = with_query(out.location, next=spelled(fields["next"][-1]))


def own_scheme(now: Situation, out: Outcome) -> None:
    if out.location is not None and out.location.startswith("//"):
        out.location = f"http:{out.location}"


def automatic(now: Situation, out: Outcome) -> None:
    passes = "_user_id" in out.session and (
        now.path == "/manual" or out.session.get("_fresh") is True
    )
    if not passes:
        out.text = ""


def no_seconds(now: Situation, out: Outcome) -> None:
    out.session.pop(THEIRS, None)


def remembered(now: Situation, out: Outcome) -> None:
    if now.path == "/is-remembered" and held(now) is not None and not mine(now):
        out.text = "False"
