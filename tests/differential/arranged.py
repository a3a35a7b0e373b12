"""What Flask-Login is given, before it plays a step, so that it does what a shell must do."""

from __future__ import annotations

from .plays import Arrangement, Situation
from .readings import THEIRS
from .rules import LOGIN_KEYS, held, loads, logs_in


def session_without_login(now: Situation, given: Arrangement) -> None:
    """As if the session had held no login; in Quart, nothing at all."""
    for key in list(given.session):
        if now.in_quart or key in LOGIN_KEYS:
            del given.session[key]


def as_if_nothing_was_sent(now: Situation, given: Arrangement) -> None:
    given.cookie = None
    if held(now) is not None or now.in_quart or "next" in now.session:
        session_without_login(now, given)


def without_cookie(now: Situation, given: Arrangement) -> None:
    given.cookie = None


def drop(now: Situation, given: Arrangement) -> None:
    """Flask-Login drops the login itself, but asks no request loader afterwards."""
    if now.case.request_loader:
        as_if_nothing_was_sent(now, given)
    elif now.in_quart:
        given.session = {k: v for k, v in given.session.items() if k in LOGIN_KEYS}


def load_first(now: Situation, given: Arrangement) -> None:
    given.eager = True


def load_before(now: Situation, given: Arrangement) -> None:
    given.eager = given.eager or loads(now)


def unprotected(now: Situation, given: Arrangement) -> None:
    made_for = given.session.get("_id")
    if given.session and "_user_id" not in given.session and made_for != now.fingerprint:
        given.config["SESSION_PROTECTION"] = None


def not_permanent(now: Situation, given: Arrangement) -> None:
    given.session.pop("_permanent", None)


def force(now: Situation, given: Arrangement) -> None:
    given.active.add(held(now))


def stale(now: Situation, given: Arrangement) -> None:
    given.session["_fresh"] = False


def without_others_data(now: Situation, given: Arrangement) -> None:
    """What is left of a session when its data turn out to be another user's."""
    given.session = {k: v for k, v in given.session.items() if k in ("_permanent", "next")}


def no_x_forwarded_for(now: Situation, given: Arrangement) -> None:
    given.headers.pop("X-Forwarded-For", None)


def no_shorter_life(now: Situation, given: Arrangement) -> None:
    if logs_in(now):
        given.session.pop(THEIRS, None)


def login_views(now: Situation, given: Arrangement) -> None:
    """Give Flask-Login the view that the shell finds."""
    views = now.case.manager["blueprint_login_views"]
    default = views.get(None) or now.case.manager.get("login_view")
    inner = views.get("outer.inner") or views.get("inner") or views.get("outer") or default
    given.blueprint_login_views = {
        None: default,
        "outer": views.get("outer") or default,
        "outer.inner": inner,
    }
