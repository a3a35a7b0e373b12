"""The written list of intended differences, and what each leads to expect.

A difference is not an excuse to look away.  Each says when it applies, and either *arranges*
what Flask-Login is given (another session, no cookie) so that it does what the shell is to do, or
*amends* what Flask-Login did into what the shell must do.  Shell and expectation are then compared
as strictly as anywhere else.  ``docs/differences.md`` shows this table to users.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from . import amended, arranged
from .plays import Arrangement, Play, Situation
from .readings import Outcome, comparable
from .rules import (
    ALSO_LOOKING,
    aged,
    asked,
    beside_others_data,
    cookie_attributes,
    dropped,
    expired,
    forced,
    good,
    loads,
    logs_in,
    looks,
    mode,
    refusal,
    restored,
    settle,
    unreadable,
)
from .stages import SHELLS

FLASK, QUART = SHELLS


@dataclass(frozen=True)
class Difference:
    """One intended difference from Flask-Login 0.6.3."""

    name: str
    #: What Flask-Login does, and what each shell does (empty: as Flask-Login).
    original: str
    flask: str
    quart: str
    why: str
    when: Callable[[Situation], bool]
    arrange: Callable[[Situation, Arrangement], Any] | None = None
    amend: Callable[[Situation, Outcome], Any] | None = None
    #: The shells in which another row of the table comes first.
    unseen: tuple[str, ...] = ()

    @property
    def shells(self) -> tuple[str, ...]:
        texts = {FLASK: self.flask, QUART: self.quart}
        return tuple(s for s in SHELLS if texts[s] and s not in self.unseen)


def table() -> str:
    """Return the table for ``docs/differences.md``."""
    rows = [
        "| Flask-Login 0.6.3 | `flask_compat` | `quart_login` | Why |",
        "|---|---|---|---|",
    ]
    for d in DIFFERENCES:
        cells = (d.original, d.flask or "As Flask-Login.", d.quart or "As Flask-Login.", d.why)
        rows.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


async def foresee(
    play: Play, line: str, now: Situation, given: Arrangement
) -> tuple[Outcome, list[str]]:
    """Return what the shell must do, and the names of the differences that made it so."""
    due = [d for d in DIFFERENCES if play.shell in d.shells and d.when(now)]
    names = []
    for difference in due:
        if difference.arrange is not None:
            before = deepcopy(given)
            difference.arrange(now, given)
            if given != before:
                names.append(difference.name)
    out = await play.play_theirs(line, given)
    for difference in due:
        if difference.amend is not None:
            seen = deepcopy(out)
            difference.amend(now, out)
            if out != seen:
                names.append(difference.name)
                if out.session != seen.session:
                    settle(now, out)
    if comparable(given.session) != comparable(now.session):
        settle(now, out)
    return out, list(dict.fromkeys(names))


# --- the table -----------------------------------------------------------------------------------

# The order matters: what is arranged later sees what was arranged before.
DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "x-forwarded-for",
        "Takes the client's address from `X-Forwarded-For`.",
        "Never reads it.",
        "Never reads it.",
        "Any client can send the header, and so pass session protection. Behind a proxy, set up"
        " Werkzeug's or Hypercorn's ProxyFix.",
        lambda now: "X-Forwarded-For" in now.headers,
        arrange=arranged.no_x_forwarded_for,
    ),
    Difference(
        "confirm-and-fresh-look",
        "`confirm_login` and `login_fresh` read the session only: a login that session protection"
        " would make stale or drop counts as fresh if nothing asked for the user before.",
        "They load the user first.",
        "They load the user first.",
        "Whether a login is fresh depends on whether it is one.",
        lambda now: now.path in ALSO_LOOKING,
        arrange=arranged.load_first,
    ),
    Difference(
        "strong-drops-permanent",
        "`strong` protection only makes a permanent session stale.",
        "",
        "Drops it like any other (`LOGIN_STRONG_DROPS_PERMANENT`).",
        "A permanent session can be stolen as well. Flask-Login's own tests assert its way, so"
        " `flask_compat` keeps it.",
        lambda now: loads(now) and dropped(now) and bool(now.session.get("_permanent")),
        arrange=arranged.not_permanent,
    ),
    Difference(
        "dropped-session",
        "After `strong` protection dropped a login, sends a deletion of the remember cookie even"
        " if there was none, and does not ask the request loader.",
        "Deletes the cookie if one was sent; asks the request loader; sends `credential_rejected`.",
        "The same, and clears the whole session.",
        "An API key must not fail because of a session cookie next to it.",
        lambda now: loads(now) and dropped(now),
        arrange=arranged.drop,
        amend=amended.dropped,
    ),
    *(
        Difference(
            reason.replace("_", "-"),
            theirs,
            "Nobody is logged in by either. Both are removed from the browser, the request loader"
            f" is asked, {told} sent.",
            "The same, and the whole session is cleared.",
            why,
            lambda now, reason=reason: refusal(now) == reason,
            arrange=arranged.as_if_nothing_was_sent,
            amend=amended.refused,
        )
        for reason, theirs, told, why in (
            (
                "user_gone",
                "If the loader knows no such user, the id stays in the session (a remember cookie"
                " even writes it there) and the request loader is not asked.",
                "`credential_rejected` is",
                "An account made later with the same id would be logged in.",
            ),
            (
                "user_inactive",
                "A user who was locked stays in the session, and stays logged in if the class"
                " defines its own `is_authenticated`.",
                "`credential_rejected` is",
                "Locking an account must end its logins.",
            ),
            (
                "user_mismatch",
                "If session and remember cookie name different users, the session counts, and the"
                " other user comes back when it ends.",
                "`identity_mismatch` and `credential_rejected` are",
                "One of the two was not put there by the user of the browser.",
            ),
        )
    ),
    Difference(
        "junk-cookie",
        "A remember cookie that cannot be verified stays in the browser and keeps the request"
        " loader from being asked; one with a signature beyond ASCII is answered with status 500.",
        "It is removed from the browser, `credential_rejected` is sent, the request loader is"
        " asked.",
        "The same.",
        "No cookie may break a site or block another credential.",
        unreadable,
        arrange=arranged.without_cookie,
        amend=amended.bad_cookie,
    ),
    Difference(
        "expired-cookie",
        "A remember cookie never ends on the server.",
        "It ends with the duration it was issued for (unless `REMEMBER_COOKIE_FORMAT` is"
        ' `"flask-login"`).',
        "The same.",
        "A stolen cookie must not be good for ever.",
        expired,
        arrange=arranged.without_cookie,
        amend=amended.bad_cookie,
    ),
    Difference(
        "request-loader-data",
        "A user whom the request loader names reads what another user left in the session, at"
        " logout or because the login is not valid any more.",
        "Another user's data are removed (not `next`, nor `LOGIN_KEEP_SESSION_KEYS`); an anonymous"
        " visitor's stay.",
        "The same.",
        "An API key need not belong to whoever used the browser before.",
        beside_others_data,
        arrange=arranged.without_others_data,
        unseen=(QUART,),  # where a logout or a refusal clears the session
    ),
    Difference(
        "protect-logins-only",
        "Session protection also strikes an anonymous visitor's session that holds any data (a"
        " cart, a flashed message): `session_protected` is sent, `_fresh` is written, and under"
        " `strong` the request loader is not asked.",
        "Only a login is protected.",
        "Only a login is protected.",
        "There is nothing to protect, and an API key must not fail because of a cart.",
        lambda now: (loads(now) or looks(now)) and mode(now) in ("basic", "strong"),
        arrange=arranged.unprotected,
    ),
    Difference(
        "forced-login",
        "An inactive user who was logged in with `force=True` is refused by `login_required`.",
        "Is logged in.",
        "Is logged in.",
        "That is what `force` says.",
        lambda now: forced(now) and not logs_in(now),
        arrange=arranged.force,
    ),
    Difference(
        "freshness-ages",
        "A fresh login stays fresh as long as its session.",
        "For `LOGIN_FRESH_DURATION`, a day unless set.",
        "The same.",
        "NIST SP 800-63B-4 asks for reauthentication within a day.",
        aged,
        arrange=arranged.stale,
        amend=amended.fresh_still,
    ),
    Difference(
        "restored-session",
        "A session restored by the remember cookie holds the id as text and no `_id`, so session"
        " protection strikes at every later request.",
        "It holds the id as `get_id()` returned it and is bound to its client, like any.",
        "The same.",
        "`strong` protection must work together with the remember cookie.",
        lambda now: restored(now) is not None,
        amend=amended.come_back,
    ),
    Difference(
        "remember-seconds",
        "Leaves `_remember_seconds` in the session, so that the duration of one login shortens the"
        " remember cookie of the next.",
        "Keeps the duration with the login it belongs to.",
        "The same.",
        "Each login has its own duration.",
        lambda now: True,
        arrange=arranged.no_shorter_life,
        amend=amended.no_seconds,
    ),
    Difference(
        "next-user",
        "Whoever logs in reads what the user before left in the session.",
        "Another user's data are removed at login; an anonymous visitor's stay.",
        "The same.",
        "Browsers are shared.",
        logs_in,
        amend=amended.take_over,
    ),
    Difference(
        "login-removes-cookie",
        "A login without `remember` leaves another user's remember cookie in the browser.",
        "Deletes it.",
        "Deletes it.",
        "It would bring the other user back.",
        lambda now: logs_in(now) and not asked(now, "remember"),
        amend=amended.login_removes_cookie,
    ),
    Difference(
        "logout-leaves-next",
        "`logout_user` leaves `next` and all other data in the session.",
        "Removes `next`; other data stay, and are removed when another user logs in.",
        "Clears the session (`LOGIN_CLEAR_SESSION_ON_LOGOUT`; see `LOGIN_KEEP_SESSION_KEYS`).",
        "The data are the user's. Flask-Login's own tests assert that they stay, so"
        " `flask_compat` keeps them.",
        lambda now: now.path == "/out",
        amend=amended.leave,
    ),
    Difference(
        "cookie-out-of-reach",
        "`logout_user` deletes the remember cookie only if the request carried it.",
        "Also if the user asked to be remembered.",
        "The same.",
        "The cookie's path may keep it from the page that logs out, and from no other.",
        lambda now: now.path == "/out" and now.cookie is None,
        amend=amended.forgotten,
    ),
    Difference(
        "clear-after-logout",
        "`session.clear()` after `logout_user()` keeps the remember cookie: the user is back at the"
        " next request.",
        "Logs out.",
        "Logs out.",
        "The view said so.",
        lambda now: now.path == "/out" and asked(now, "clear"),
        amend=amended.cookie_deleted,
    ),
    Difference(
        "confirm-nobody",
        "`confirm_login` writes a fresh session for an anonymous visitor.",
        "Writes nothing.",
        "Writes nothing.",
        "There is no login to confirm.",
        lambda now: now.path == "/confirm",
        amend=amended.confirmed,
    ),
    Difference(
        "login-remembered",
        "`login_remembered` is true if the remember cookie is anybody's.",
        "If it is the current user's.",
        "If it is the current user's.",
        "The question is about this login.",
        lambda now: now.cookie is not None,
        amend=amended.remembered,
        unseen=(QUART,),  # which loads first, and finds two users
    ),
    Difference(
        "refresh-each-request",
        "`REMEMBER_COOKIE_REFRESH_EACH_REQUEST` gives a remember cookie to everybody who is logged"
        " in, and writes every session at every request.",
        "Only to those who asked to be remembered, on pages that ask for the user, for the"
        " duration they asked for; the session is not written.",
        "The same, on every page.",
        "Not to be remembered is the user's choice.",
        lambda now: bool(now.case.config.get("REMEMBER_COOKIE_REFRESH_EACH_REQUEST")),
        amend=amended.refresh,
    ),
    Difference(
        "legacy-cookie-renewed",
        "Its remember cookie is `id|hmac`, without a time.",
        "Still reads that, and replaces it by its own form on first use (unless"
        ' `REMEMBER_COOKIE_FORMAT` is `"flask-login"`).',
        "The same.",
        "Nobody is logged out by the switch, and from then on cookies end.",
        lambda now: (
            good(now) and bool(now.cookie and now.cookie.legacy) and not now.case.same_bytes
        ),
        amend=amended.renew_legacy,
    ),
    Difference(
        "deletion-attributes",
        "Deletes the remember cookie by name, domain and path.",
        "With every attribute it was set with.",
        "With every attribute it was set with.",
        "Browsers ignore the deletion of a `__Host-` or `__Secure-` cookie without them.",
        lambda now: bool(cookie_attributes(now)),
        amend=amended.same_attributes,
    ),
    Difference(
        "next-of-a-post",
        "Sends a visitor who posted to a page that takes no GET back to it after the login:"
        " status 405.",
        "Sends the visitor back to the page with the form (the `Referer`, if it is of this site),"
        " or nowhere in particular.",
        "The same.",
        "The page after the login is fetched by GET.",
        lambda now: now.method == "POST" and now.path == "/post-only",
        amend=amended.next_of_post,
    ),
    Difference(
        "next-spelling",
        "Spells the page to come back to as an IRI: `/zoë`, `?b=/`.",
        "As the browser asked for it: `/zo%C3%AB`, `?b=%2F`.",
        "The same.",
        "It goes into a `Location` header, which holds a URI.",
        lambda now: "%" in now.path + now.query,
        amend=amended.spelled_as_sent,
    ),
    Difference(
        "force-host-scheme",
        "`FORCE_HOST_FOR_REDIRECTS` with a path as the login view redirects to `//host/login`.",
        "",
        "To `http://host/login`, with the request's own scheme (`LOGIN_FORCE_HOST_WITH_SCHEME`).",
        "A URL that begins with `//` looks like a path to many checks. Flask-Login's own tests"
        " assert it, so `flask_compat` keeps it.",
        lambda now: bool(now.case.config.get("FORCE_HOST_FOR_REDIRECTS")),
        amend=amended.own_scheme,
    ),
    Difference(
        "options-body",
        "A protected view that answers OPTIONS itself runs for anybody.",
        "An anonymous OPTIONS request gets the automatic answer.",
        "The same.",
        "The body of a protected view runs for its users only; a CORS preflight is answered still.",
        lambda now: (
            now.method == "OPTIONS"
            and now.path.startswith("/manual")
            and not now.case.config.get("LOGIN_DISABLED")
        ),
        amend=amended.automatic,
    ),
    Difference(
        "blueprint-views",
        "A blueprint whose login view is None answers with status 401, and a nested blueprint"
        " never finds one.",
        "None means the application's login view; a nested blueprint's view is found by its own"
        " name or its parents'.",
        "The same.",
        "That is what Flask-Login documents.",
        lambda now: bool(now.case.manager.get("blueprint_login_views")),
        arrange=arranged.login_views,
    ),
    Difference(
        "eager-loading",
        "Loads the user when `current_user` is first used.",
        "",
        "Loads the user before the view if the request has a credential. So `user_accessed` comes"
        " after what loading found out, and a page that never asks restores and protects a session,"
        " too.",
        "A proxy cannot await. See `LOGIN_LOAD_USER`.",
        lambda now: True,
        arrange=arranged.load_before,
        amend=amended.look_order,
    ),
)
