"""What the words in the table of differences mean: small questions about a situation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from werkzeug.http import http_date

from .plays import Situation
from .readings import THEIRS, Outcome, about, comparable, mark

LOGIN_KEYS = ("_user_id", "_fresh", "_id", "_remember", THEIRS, "next")

#: Pages that look at the user, in Flask-Login and here.
LOOKING = ("/me", "/private", "/very", "/out", "/guarded", "/both", "/post", "/deep", "/manual")

#: Pages that look at the user here alone.
ALSO_LOOKING = ("/confirm", "/is-fresh")

#: Signals that tell what loading the user found out.
NEWS = ("session_protected", "credential_rejected", "identity_mismatch")
LOADED = ("user_loaded_from_cookie", "user_loaded_from_request")


# --- the request ---------------------------------------------------------------------------------


def looks(now: Situation) -> bool:
    """Does the page look at the user here?"""
    if now.method == "OPTIONS":
        return now.path.startswith("/manual")
    return now.path.startswith((*LOOKING, *ALSO_LOOKING))


def loads(now: Situation) -> bool:
    """Is the user loaded here?"""
    if now.in_quart:
        return now.case.request_loader or held(now) is not None or now.cookie is not None
    return looks(now)


def logs_in(now: Situation) -> bool:
    return now.path.startswith("/in/")


def asked(now: Situation, name: str) -> bool:
    """Does the query say *name=1*?"""
    return parse_qs(now.query).get(name) == ["1"]


# --- the session ---------------------------------------------------------------------------------


def held(now: Situation) -> Any:
    return now.session.get("_user_id")


def mode(now: Situation) -> Any:
    return now.case.config.get("SESSION_PROTECTION", "basic")


def moved(now: Situation) -> bool:
    """Does the session come from another client, and does that matter?"""
    return mode(now) in ("basic", "strong") and now.session.get("_id") != now.fingerprint


def dropped(now: Situation) -> bool:
    """Is a login dropped for coming from another client?"""
    spared = now.session.get("_permanent") and not now.in_quart
    return held(now) is not None and moved(now) and mode(now) == "strong" and not spared


def forced(now: Situation) -> bool:
    return about(now.session).forced


def owner(now: Situation) -> str | None:
    """Return the mark of whose data the session holds; None for a visitor's."""
    user_id = held(now)
    return about(now.session).left_by if user_id is None else mark(user_id)


# --- the remember cookie -------------------------------------------------------------------------


def life(now: Situation) -> float:
    """For how many seconds is the cookie good?"""
    assert now.cookie is not None
    if now.cookie.seconds is not None:
        return now.cookie.seconds
    default = now.case.config.get("REMEMBER_COOKIE_DURATION", timedelta(days=365))
    return default if isinstance(default, int) else default.total_seconds()


def expired(now: Situation) -> bool:
    cookie = now.cookie
    return cookie is not None and cookie.issued is not None and now.now - cookie.issued > life(now)


def unreadable(now: Situation) -> bool:
    return now.cookie is not None and now.cookie.user_id is None


def good(now: Situation) -> bool:
    """Does the cookie count?"""
    return now.cookie is not None and not unreadable(now) and not expired(now)


def mine(now: Situation) -> bool:
    """Does the cookie name the user of the session?"""
    return good(now) and now.cookie is not None and now.cookie.user_id == str(held(now))


def aged(now: Situation) -> bool:
    """Is the page one for fresh logins, and is the login fresh, but of yesterday?"""
    asks = now.path in ("/very", "/is-fresh") or now.path.startswith("/manual-fresh")
    since = about(now.session).fresh_since
    return asks and since is not None and now.now - since > 24 * 3600


# --- the refusals --------------------------------------------------------------------------------


def user_of(now: Situation, user_id: Any) -> Any:
    by_text = {str(id): user for id, user in now.users.items()}
    return by_text.get(str(user_id))


def refusal(now: Situation) -> str | None:
    """Return why session and cookie are refused together; None if they are not."""
    if not loads(now):
        return None
    if dropped(now):
        return "protected"
    if held(now) is None and not good(now):
        return None
    if held(now) is not None and good(now) and not mine(now):
        return "user_mismatch"
    claimed = held(now)
    if claimed is None and now.cookie is not None:
        claimed = now.cookie.user_id
    user = user_of(now, claimed)
    if user is None:
        return "user_gone"
    return None if user.active or forced(now) else "user_inactive"


def restored(now: Situation) -> Any:
    """Return the user who comes back by the cookie in this step; None for nobody."""
    if not loads(now) or held(now) is not None or not good(now) or refusal(now):
        return None
    assert now.cookie is not None
    return user_of(now, now.cookie.user_id)


def named_by_request(now: Situation) -> Any:
    """Return the user whom the request loader names in this step; None for nobody."""
    if not now.case.request_loader or not loads(now):
        return None
    if refusal(now) is None and (held(now) is not None or good(now)):
        return None
    user = user_of(now, now.headers.get("X-Key"))
    return user if user is not None and user.active else None


def beside_others_data(now: Situation) -> bool:
    """Does the request loader name one user, and does the session hold the data of another?"""
    user = named_by_request(now)
    return user is not None and owner(now) not in (None, mark(user.get_id()))


# --- what is expected ----------------------------------------------------------------------------


def cookie_attributes(now: Situation) -> dict[str, str]:
    """Return the attributes of the remember cookie but its end."""
    config, found = now.case.config, {}
    if domain := config.get("REMEMBER_COOKIE_DOMAIN"):
        found["domain"] = domain
    if config.get("REMEMBER_COOKIE_SECURE"):
        found["secure"] = ""
    if config.get("REMEMBER_COOKIE_HTTPONLY", True):
        found["httponly"] = ""
    found["path"] = config.get("REMEMBER_COOKIE_PATH", "/")
    if samesite := config.get("REMEMBER_COOKIE_SAMESITE"):
        found["samesite"] = samesite
    return found


def deletion(now: Situation) -> Any:
    """Return what deletes the remember cookie here."""
    end = {"expires": "Thu, 01 Jan 1970 00:00:00 GMT", "max-age": "0"}
    return ("deleted", {**end, **cookie_attributes(now)})


def setting(now: Situation, value: str, seconds: float, since: float | None = None) -> Any:
    """Return what sets the remember cookie to *value* for *seconds*."""
    begin = now.now if since is None else since
    ends = datetime.fromtimestamp(begin, UTC) + timedelta(seconds=seconds)
    return ("set", value, {"expires": http_date(ends), **cookie_attributes(now)})


def add_news(out: Outcome, name: str, **extra: Any) -> None:
    """Put the signal *name* behind the news that loading told already."""
    place = 0
    while place < len(out.signals) and out.signals[place][0] in ("user_accessed", *NEWS):
        place += 1
    out.signals.insert(place, (name, extra))


def written(out: Outcome) -> Any:
    """Return the header of a session that was written."""
    attributes = {"httponly": "", "path": "/"}
    if not out.session:
        end = {"expires": "Thu, 01 Jan 1970 00:00:00 GMT", "max-age": "0"}
        return ("deleted", {**end, **attributes})
    end = {"expires": "..."} if out.session.get("_permanent") else {}
    return ("set", {**end, **attributes})


def settle(now: Situation, out: Outcome) -> None:
    """Let the session cookie's header follow from what the session holds."""
    same = out.session == comparable(now.session) and not out.session.get("_permanent")
    out.session_cookie = None if same else written(out)


def with_query(url: str, **fields: str | None) -> str:
    """Return *url* with *fields* in its query; None removes one."""
    parts = urlsplit(url)
    query = parse_qs(parts.query, keep_blank_values=True)
    for name, value in fields.items():
        query.pop(name, None)
        if value is not None:
            query[name] = [value]
    return urlunsplit(parts._replace(query=urlencode(query, doseq=True)))
