"""Whom does each credential that was ever issued authenticate?

What the promises and the documentation say of a registry of login sessions, without the library.
`Model.judge` says what comes of a browser that shows these cookies; it changes nothing.

Rule 1.  A session's cookie is good for its login until that was ended, left or confirmed anew, or
         is past the limits; the remember cookie as a series is, see `Model._cookie`.
Rule 2.  A clock that went back makes no login longer: what is of the future is nobody's now.
Rule 3.  Who is gone or disabled loses all logins at first sight; a new epoch ends the older ones.
Rule 4.  What a login, a logout or a confirmation leaves behind is dead when it returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from math import inf
from typing import Any

#: What servers' clocks may differ by, and how long the remember secret before waits for the next.
TOLERANCE, LONGEST_WAIT, MINUTE = 60, 86_400, 60

#: The limits in seconds, since the login and since the last request, and whether logins outlive
#: the browser: NIST SP 800-63B-4.
LEVELS: Mapping[str, tuple[float, float | None, bool]] = {
    "aal1": (30 * 86_400, None, True),
    "aal2": (86_400, 3600, False),
    "aal3": (12 * 3600, 900, False),
}


@dataclass(eq=False)
class Account:
    """One incarnation of a user."""

    id: Any
    epoch: int
    active: bool = True


@dataclass(eq=False)
class Login:
    """One login of one user; of its secrets, digests (None for one that nobody has)."""

    id: str
    user: Any
    epoch: int
    created: float
    seen: float
    expires: float
    proof: str | None
    remember: str | None = None
    former: str | None = None
    rotated: float | None = None
    confirmed: bool = True
    #: When the browser last got something new that proves it.
    given: float = 0
    alive: bool = True

    @property
    def is_remembered(self) -> bool:
        return self.remember is not None


@dataclass(frozen=True)
class Held:
    """What a session's cookie holds of a login."""

    login: Login
    proof: str
    user: Any
    key: str
    fresh_since: float | None


@dataclass(frozen=True)
class Shown:
    """What a remember cookie shows of a login."""

    login: Login
    secret: str
    ends: float
    key: str


class How(Enum):
    """How a request stands."""

    #: It shows nothing.
    NOBODY = auto()
    #: What it shows is nobody's, and goes.
    REFUSED = auto()
    #: What it shows is nobody's now, and the browser is left alone.
    KEPT_OUT = auto()
    #: The session is good.
    GOOD = auto()
    #: The remember cookie begins a session, with new secrets.
    RENEWS = auto()
    #: The remember cookie was replaced a moment ago: good, and nothing is set.
    BESIDE = auto()


class Cookie(Enum):
    """What a remember cookie is."""

    NONE, CURRENT, FORMER, LATE, STOLEN, DEAD = auto(), auto(), auto(), auto(), auto(), auto()


@dataclass(frozen=True)
class Verdict:
    """What comes of a request that looks at its user."""

    how: How
    login: Login | None = None
    held: Held | None = None
    #: Which logins end by it.
    ends: tuple[Login, ...] = ()
    #: Was the store asked?
    asks: bool = False
    is_theft: bool = False
    #: Is it seen for the first time that the browser has the present remember cookie?
    confirms: bool = False
    #: Is the remember cookie alone refused?
    forgets: bool = False
    #: Is a good remember cookie replaced because another key signed it?
    signs_anew: bool = False
    whose: Account | None = None

    @property
    def is_somebody(self) -> bool:
        return self.how in (How.GOOD, How.RENEWS, How.BESIDE)


@dataclass
class Model:
    """What was issued, and what became of it."""

    config: Mapping[str, Any]
    now: float
    accounts: dict[Any, Account] = field(default_factory=dict)
    logins: dict[str, Login] = field(default_factory=dict)
    #: Every value that a cookie ever had; None for a session without a login.
    sessions: dict[str, Held | None] = field(default_factory=dict)
    cookies: dict[str, Shown] = field(default_factory=dict)
    #: The key that signs, and those that were before and are still accepted.
    keys: list[str] = field(default_factory=list)
    #: Do the framework's sessions know former keys?
    falls_back: bool = True

    def __post_init__(self) -> None:
        level = LEVELS[self.config.get("LOGIN_ASSURANCE_LEVEL", "aal1")]
        self.lifetime: float = self.config.get("LOGIN_LIFETIME", level[0])
        self.idle: float | None = self.config.get("LOGIN_IDLE_TIMEOUT", level[1])
        self.remembers = level[2]
        self.window: float = self.config.get("LOGIN_REMEMBER_WINDOW", 60)
        self.most: int | None = self.config.get("LOGIN_MAX_SESSIONS")
        self.refuses = self.config.get("LOGIN_MAX_SESSIONS_REACHED") == "refuse"

    # --- what a browser shows ------------------------------------------------------------------

    def held(self, jar: Mapping[str, str]) -> Held | None:
        held = self.sessions.get(jar.get("session", ""))
        good = self.keys if self.falls_back else self.keys[:1]
        return held if held is not None and held.key in good else None

    def shown(self, jar: Mapping[str, str]) -> Shown | None:
        shown = self.cookies.get(jar.get("remember_token", ""))
        return shown if shown is not None and shown.key in self.keys else None

    def is_spliced(self, jar: Mapping[str, str]) -> bool:
        """Are these the cookies of two logins, which somebody put together?"""
        held, shown = self.held(jar), self.shown(jar)
        return held is not None and shown is not None and held.login is not shown.login

    def proves(self, jar: Mapping[str, str]) -> set[Login]:
        """Return which logins the browser has or had: to leave it, or log out, ends them."""
        held, shown = self.held(jar), self.shown(jar)
        found = set()
        if held is not None:
            found.add(held.login)
        if shown is not None and shown.secret in (shown.login.remember, shown.login.former):
            found.add(shown.login)
        return {login for login in found if login.alive}

    # --- what comes of it ----------------------------------------------------------------------

    def judge(self, jar: Mapping[str, str]) -> Verdict:
        """Say what comes of a request with the cookies of *jar*."""
        held, shown = self.held(jar), self.shown(jar)
        forgets = "remember_token" in jar and (
            shown is None or self.now > shown.ends or not self.remembers
        )
        if forgets:
            shown = None
        if held is None and shown is None:
            return Verdict(How.NOBODY, forgets=forgets)
        if held is not None and shown is not None and held.login is not shown.login:
            return Verdict(How.REFUSED)
        login = (held or shown).login  # type: ignore[union-attr]
        verdict = replace(self._of_login(login, held, shown), forgets=forgets)
        if verdict.is_somebody:
            verdict = self._of_user(login, verdict)
        if verdict.how is not How.GOOD:
            return verdict
        seen = shown is not None and shown.secret == login.remember
        anew = seen and shown is not None and shown.key != self.keys[0]
        # The session came with the present remember cookie: who shows it has that.
        confirms = login.former is not None and not login.confirmed
        return replace(verdict, confirms=confirms, signs_anew=anew)

    def _of_login(self, login: Login, held: Held | None, shown: Shown | None) -> Verdict:
        if not login.alive:
            return Verdict(How.REFUSED, asks=True)
        times = (login.created, login.seen, login.rotated or -inf)
        if any(time > self.now + TOLERANCE for time in times):
            return Verdict(How.KEPT_OUT, asks=True)
        if self.now > login.expires:
            return Verdict(How.REFUSED, ends=(login,), asks=True)
        cookie, past = self._cookie(login, shown), self.is_past(login)
        if cookie is Cookie.STOLEN:
            return Verdict(How.REFUSED, ends=(login,), asks=True, is_theft=True)
        if held is not None and held.proof == login.proof and not past:
            return Verdict(How.GOOD, login, held, asks=True)
        if cookie in (Cookie.CURRENT, Cookie.LATE):
            return Verdict(How.RENEWS, login, asks=True)
        if cookie is Cookie.FORMER:
            return Verdict(How.BESIDE, login, held, asks=True)
        if past and not login.is_remembered:
            return Verdict(How.REFUSED, ends=(login,), asks=True)
        # What is good now may be on its way, in the response to another request.
        is_recent = self.now - login.given <= self.window
        return Verdict(How.KEPT_OUT if is_recent else How.REFUSED, asks=True)

    def _of_user(self, login: Login, verdict: Verdict) -> Verdict:
        account = self.accounts.get(login.user)
        if account is None or not account.active:
            return Verdict(How.REFUSED, ends=tuple(self.of(login.user)), asks=True)
        if account.epoch != login.epoch:
            return Verdict(How.REFUSED, ends=(login,), asks=True)
        return replace(verdict, whose=account)

    def _cookie(self, login: Login, shown: Shown | None) -> Cookie:
        """Say what the remember cookie is to the series of *login*.

        The present secret is good.  The one before is for a window after it was replaced, and
        for a day as long as nobody has shown its successor, nor the session that came with that;
        then it is replaced once more.  Later it is nothing.
        Whatever else was this login's was copied.
        """
        if shown is None:
            return Cookie.NONE
        if shown.secret == login.remember:
            return Cookie.CURRENT
        if shown.secret != login.former or login.rotated is None:
            return Cookie.STOLEN
        age = self.now - login.rotated
        if age <= self.window:
            return Cookie.FORMER
        if login.confirmed:
            return Cookie.STOLEN
        return Cookie.LATE if age <= LONGEST_WAIT else Cookie.DEAD

    def is_past(self, login: Login) -> bool:
        """Is the session of *login* past the limits, since it began and since it was seen?"""
        begun = login.created if login.rotated is None else login.rotated
        idle = self.idle is not None and self.now - login.seen > self.idle
        return self.now - begun > self.lifetime or idle

    def is_over(self, login: Login) -> bool:
        """Is *login* over for good, so that it counts no more and may be removed?"""
        idle = not login.is_remembered and self.idle is not None
        return self.now > (min(login.expires, login.seen + self.idle) if idle else login.expires)  # type: ignore[operator]

    def is_due(self, login: Login) -> bool:
        """Is it time to note that *login* was seen?  (At most once a minute.)"""
        after = MINUTE if self.idle is None else min(MINUTE, self.idle / 2)
        return self.now - login.seen >= after

    def is_fresh(self, held: Held | None) -> bool:
        """Was the password typed in the session, less than LOGIN_FRESH_DURATION ago?"""
        if held is None or held.fresh_since is None:
            return False
        return -TOLERANCE <= self.now - held.fresh_since <= self.config["LOGIN_FRESH_DURATION"]

    # --- what becomes of logins ----------------------------------------------------------------

    def of(self, user: Any) -> list[Login]:
        """Return the logins of *user* that were not ended."""
        return [login for login in self.logins.values() if login.alive and login.user == user]

    def end(self, logins: Iterable[Login]) -> None:
        for login in logins:
            login.alive = False

    def apply(self, verdict: Verdict) -> None:
        """Let happen what *verdict* says, but for new secrets."""
        self.end(verdict.ends)
        login = verdict.login
        if login is None or verdict.how is not How.GOOD:
            return
        if verdict.confirms:
            login.confirmed, login.seen = True, max(login.seen, self.now)
        elif self.is_due(login):
            login.seen = max(login.seen, self.now)

    def renew(self, login: Login, by: Shown, proof: str, remember: str) -> None:
        """Let the remember cookie *by* begin a session of *login*, with new secrets."""
        login.proof, login.remember, login.former = proof, remember, by.secret
        login.rotated = login.given = self.now
        login.confirmed = False
        login.seen = max(login.seen, self.now)

    def confirm(self, login: Login, proof: str) -> None:
        login.proof, login.given = proof, max(self.now, login.rotated or self.now)
        login.seen = max(login.seen, self.now)


__all__ = [
    "Account",
    "Cookie",
    "Held",
    "How",
    "Login",
    "Model",
    "Shown",
    "Verdict",
]
