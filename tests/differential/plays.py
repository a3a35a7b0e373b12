"""Playing a script on Flask-Login and on a shell, step by step, from the same state.

A script is a list of lines.  A line is a request (``GET /me``) or something that happens before the
next one: ``close`` (the browser), ``agent NAME``, ``cookie KIND``, ``key USER``, ``advance HOURS``,
``vanish USER``, ``lock USER``, ``forwarded ADDRESS``, ``referer URL``.

Flask-Login and the shell each go on with their own cookies as long as both hold the same; after an
intended difference Flask-Login goes on from the shell's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha512
from typing import Any

from sites import Browser

from .readings import (
    OURS,
    THEIRS,
    Cookie,
    Outcome,
    about,
    check_record,
    comparable,
    cookie_of,
    parse_set_cookie,
    shown,
)
from .stages import ADDRESS, SHELLS, OriginalStage, Stage


@dataclass(frozen=True)
class Case:
    """One script, and the application that it is played on."""

    id: str
    script: tuple[str, ...]
    config: dict[str, Any] = field(default_factory=dict)
    manager: dict[str, Any] = field(default_factory=dict)
    request_loader: bool = False

    @property
    def same_bytes(self) -> bool:
        """Is the remember cookie the same to the byte?"""
        return self.config.get("REMEMBER_COOKIE_FORMAT") == "flask-login"

    @property
    def cookie_name(self) -> str:
        return self.config.get("REMEMBER_COOKIE_NAME", "remember_token")


@dataclass
class Situation:
    """What is the case when a step begins."""

    shell: str
    case: Case
    method: str
    path: str
    query: str
    headers: dict[str, str]
    session: dict[str, Any]
    cookie: Cookie | None
    now: float
    users: dict[Any, Any]

    @property
    def in_quart(self) -> bool:
        return self.shell == "quart_login"

    @property
    def fingerprint(self) -> str:
        """What Flask-Login 0.6.3 binds the session to, computed by hand."""
        agent = self.headers["User-Agent"]
        return sha512(f"{ADDRESS.encode()}|{agent.encode()}".encode()).hexdigest()


@dataclass
class Arrangement:
    """What Flask-Login is given so that it does what the shell does."""

    session: dict[str, Any]
    cookie: str | None
    config: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    eager: bool = False
    active: set[Any] = field(default_factory=set)
    blueprint_login_views: dict[Any, Any] | None = None


class Play:
    """One case, on Flask-Login and on one shell."""

    def __init__(self, case: Case, shell: str) -> None:
        self.case, self.shell = case, shell
        self.ours: Stage = SHELLS[shell](dict(case.config), case)
        self.theirs = OriginalStage(dict(case.config), case)
        self.stages = (self.ours, self.theirs)
        self.our_browser, self.their_browser = self.ours.browser(), self.theirs.browser()
        self.browsers = (self.our_browser, self.their_browser)

    # --- what happens between requests -----------------------------------------------------------

    def happen(self, verb: str, word: str) -> None:
        getattr(self, f"_{verb}")(word)

    def _close(self, word: str) -> None:
        for browser in self.browsers:
            browser.close()

    def _agent(self, word: str) -> None:
        self._send("User-Agent", word)

    def _key(self, word: str) -> None:
        self._send("X-Key", word)

    def _forwarded(self, word: str) -> None:
        self._send("X-Forwarded-For", word)

    def _referer(self, word: str) -> None:
        self._send("Referer", word)

    def _send(self, name: str, value: str) -> None:
        for browser in self.browsers:
            browser.headers[name] = value

    def _advance(self, word: str) -> None:
        for stage in self.stages:
            stage.clock.advance(hours=float(word))

    def _vanish(self, word: str) -> None:
        for stage in self.stages:
            stage.users.pop(_id(word))

    def _lock(self, word: str) -> None:
        for stage in self.stages:
            stage.users[_id(word)].active = False

    def _cookie(self, word: str) -> None:
        for browser in self.browsers:
            browser.jar[self.case.cookie_name] = cookie_of(word)

    # --- requests --------------------------------------------------------------------------------

    def situation(self, line: str) -> Situation:
        method, url = line.split(" ")
        path, _, query = url.partition("?")
        return Situation(
            self.shell,
            self.case,
            method,
            path,
            query,
            dict(self.our_browser.headers),
            self.our_browser.session(),
            Cookie.read(self.our_browser.jar.get(self.case.cookie_name)),
            self.ours.clock.now,
            self.ours.users,
        )

    def arrangement(self, now: Situation) -> Arrangement:
        """Return Flask-Login's own state, or the shell's where they have parted."""
        session = self.their_browser.session()
        if comparable(session) != comparable(now.session):
            session = {k: v for k, v in now.session.items() if k != OURS}
            life = about(now.session).remembered
            if life is not None and life > 0:
                session[THEIRS] = life
        mine = Cookie.read(self.their_browser.jar.get(self.case.cookie_name))
        if now.cookie is None or mine is None or mine.user_id != now.cookie.user_id:
            mine = now.cookie
        value = None if mine is None else mine.value
        if mine is not None and mine.user_id is not None and not mine.legacy:
            value = cookie_of(mine.user_id)
        return Arrangement(session, value, headers=dict(self.their_browser.headers))

    async def play_theirs(self, line: str, given: Arrangement) -> Outcome:
        browser, stage = self.their_browser, self.theirs
        if browser.session() != given.session:
            browser.jar.pop("session", None)
            if given.session:
                browser.set_session(**given.session)
        browser.jar.pop(self.case.cookie_name, None)
        if given.cookie is not None:
            browser.jar[self.case.cookie_name] = given.cookie
        config, headers = dict(stage.app.config), dict(browser.headers)
        views, users = stage.manager.blueprint_login_views, dict(stage.users)
        stage.app.config.update(given.config)
        browser.headers, stage.eager = dict(given.headers), given.eager
        if given.blueprint_login_views is not None:
            stage.manager.blueprint_login_views = given.blueprint_login_views
        stage.users.update({id: stage.make_user(id, True) for id in given.active})
        try:
            return await self._play(stage, browser, line)
        finally:
            stage.app.config.clear()
            stage.app.config.update(config)
            browser.headers, stage.users = headers, users
            stage.manager.blueprint_login_views = views

    async def play_ours(self, line: str) -> Outcome:
        return await self._play(self.ours, self.our_browser, line)

    async def _play(self, stage: Stage, browser: Browser, line: str) -> Outcome:
        method, url = line.split(" ")
        with stage.hearing() as heard:
            answer = await browser.open(url, method=method)
        remember = parse_set_cookie(answer.cookie(self.case.cookie_name))
        if remember is not None and remember[0] == "set" and not self.case.same_bytes:
            cookie = Cookie.read(remember[1])
            assert cookie is not None and cookie.legacy == (stage is self.theirs)
            remember = ("set", cookie.user_id, remember[2])
        session_cookie = parse_set_cookie(answer.cookie("session"))
        if session_cookie is not None and session_cookie[0] == "set":
            # Its value is signed with the time, and its Expires follows the system's clock.
            attributes = {k: v if k != "expires" else "..." for k, v in session_cookie[2].items()}
            session_cookie = ("set", attributes)
        return Outcome(
            answer.status,
            # Quart's test client shows the body of an answer to HEAD, which no server sends.
            answer.text if answer.status == 200 and method != "HEAD" else None,
            answer.location,
            browser.session(),
            session_cookie,
            remember,
            [(name, shown(extra)) for name, extra in heard],
        )


@dataclass
class Line:
    """One step of a play: what Flask-Login leads to expect, and what the shell did."""

    number: int
    text: str
    expected: Outcome
    found: Outcome
    differences: list[str]


async def perform(case: Case, shell: str) -> list[Line]:
    """Play *case* on Flask-Login and *shell*."""
    from .differences import foresee

    play, lines = Play(case, shell), []
    for number, text in enumerate(case.script, 1):
        verb, _, word = text.partition(" ")
        if verb.islower():
            play.happen(verb, word)
            continue
        now = play.situation(text)
        given = play.arrangement(now)
        expected, names = await foresee(play, text, now, given)
        found = await play.play_ours(text)
        visible = {k: v for k, v in found.session.items() if k != OURS}
        check_record(found.session)
        lines.append(Line(number, text, expected, replace(found, session=visible), names))
    return lines


def _id(word: str) -> Any:
    return int(word) if word.isdigit() else word
