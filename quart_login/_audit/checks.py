"""What does an application show, to whom, and is that as it should be?

Each check visits the application and returns what is to be mended, each with what to do.  It raises
`Unsuited` where there is nothing to be seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from typing import Any, Final

from .._core.answers import (
    LOGGED_IN,
    LOOKED,
    Answer,
    NoAnswer,
    brings_login,
    is_refusal,
    sends_away,
    shows_the_same,
    tells_apart,
    unmarked,
)
from .._core.audit import audit_all
from .._core.fences import is_static
from .._core.findings import State
from .._core.routes import UNMARKED, Route, route_at
from .._core.set_cookies import SetCookie, mismatch, objections, parse
from .._core.visits import GUARDED, NOWHERE, Visit, is_harmless, rule_of
from .visiting import Audit, TooSlow, Unsuited

#: The page of another site.
FOREIGN: Final = "https://login-audit.invalid"

#: What a suite may well set otherwise than its application is deployed with.
_OF_TESTS: Final = ("TESTING ", "SECRET_KEY")

#: How often each asks before it is said that answers differ: what is drawn at random, of three
#: say, tells visitors apart that often once in millions.
_ROUNDS: Final = 10

_OF_CACHES: Final = ("Vary", "Cache-Control")

_NO_USER: Final = (
    "Say who can log in: a fixture login_audit_user, in conftest.py, that returns a user."
)


# --- the deployment check ------------------------------------------------------------------------


async def check_settings(audit: Audit, requirement: str) -> list[str]:
    """Does the deployment check find something wrong with *requirement*?"""
    found = [one for one in audit_all(audit.app) if one.requirement == requirement]
    wrong = [one for one in found if one.state is State.WRONG]
    of_tests = [one for one in wrong if audit.app.testing and one.found.startswith(_OF_TESTS)]
    if wrong and wrong == of_tests:
        said = "; ".join(one.found for one in wrong)
        raise Unsuited(f"{said}: of the tests, perhaps. Run `login check` with what is deployed.")
    return [
        f"{one.realm or ''} {one.found}. To mend it: {one.advice}".strip()
        for one in wrong
        if one not in of_tests
    ]


# --- P17: cookies --------------------------------------------------------------------------------


async def check_cookies(audit: Audit, visit: Visit) -> list[str]:
    """Are the cookies as they should be that *visit* sets?"""
    answers = await _round(audit, visit)
    wrong = [line for answer in answers for line in _of_cookies(audit, answer)]
    return _once(wrong) or _unless_failed(audit, answers)


async def check_login_cookies(audit: Audit) -> list[str]:
    """Are the cookies as they should be that a login sets, and its logout deletes?"""
    if audit.user is None:
        raise Unsuited(_NO_USER)
    manager, visit = audit.manager, Visit(f"/{NOWHERE}", None, "GET")
    jar: dict[str, str] = {}
    before = await audit.sessions(audit.user)
    try:
        login = await _step(audit, visit, jar, lambda: manager.login_user(audit.user, True))
        if LOGGED_IN not in login.told:
            return ["login_audit_user cannot log in: login_user does not let it. Is it active?"]
        here = await _step(audit, visit, jar, audit.visitor.load)
        if here.anonymous:
            return [
                f"The login does not last to the next request: {here.anonymous}. Does the"
                " user_loader return login_audit_user for its id, and come its cookies back?"
            ]
        logout = await _step(audit, visit, jar, manager.logout_user)
    finally:
        await audit.end(audit.user, await audit.sessions(audit.user) - before)
    wrong = [line for answer in (login, here, logout) for line in _of_cookies(audit, answer)]
    return _once([*wrong, *_of_marks(audit, login, audit.user)])


async def _step(audit: Audit, visit: Visit, jar: dict[str, str], first: Any = None) -> Answer:
    """Return the answer to a browser that keeps what it is sent in *jar*."""
    shown = "; ".join(f"{name}={value}" for name, value in jar.items())
    sent = audit.sent(visit, **({"Cookie": shown} if shown else {}))
    try:
        answer: Answer = await audit.visitor.send(sent, first)
    except NoAnswer as error:
        raise Unsuited(f"No answer {error}: something waits before each request.") from None
    if answer.error is not None:
        raise answer.error
    for cookie in map(parse, answer.all("Set-Cookie")):
        jar.pop(cookie.name, None)
        if not cookie.is_deletion:
            jar[cookie.name] = cookie.value
    return answer


def _of_cookies(audit: Audit, answer: Answer) -> Iterator[str]:
    """Yield what is wrong with the cookies that *answer* sets, and note them."""
    for cookie in map(parse, answer.all("Set-Cookie")):
        said = objections(cookie, audit.login_cookies, audit.settings.for_scripts, audit.names())
        for objection in (*said, _of_deletion(audit, cookie)):
            if objection:
                yield f"The cookie {cookie.name!r}: {objection}"


def _of_deletion(audit: Audit, cookie: SetCookie) -> str | None:
    """Return why *cookie*, or what deletes it, misses the other, as far as both were seen."""
    seen = audit.seen.setdefault(cookie.name, [])
    there = [other for other in seen if other.is_deletion is not cookie.is_deletion]
    seen.append(cookie)
    pairs = [(other, cookie) if cookie.is_deletion else (cookie, other) for other in there]
    found = [mismatch(*pair) for pair in pairs]
    return found[-1] if found and all(found) else None


# --- P18: caches ---------------------------------------------------------------------------------


async def check_caching(audit: Audit, visit: Visit) -> list[str]:
    """May a cache show somebody's answer to *visit* to another?"""
    rounds = [await _round(audit, visit, number) for number in range(2)]
    wrong = _of_caching(audit, rounds)
    while wrong and len(rounds) < _ROUNDS:
        rounds.append(await _round(audit, visit, len(rounds)))
        wrong = _of_caching(audit, rounds)
    if wrong:
        return wrong
    _unless_failed(audit, rounds[-1])
    return _of_static(audit, visit, rounds[-1][0]) or _alone(audit)


def _of_caching(audit: Audit, rounds: Sequence[Sequence[Answer]]) -> list[str]:
    """Return what is wrong with answers of *rounds* that depend on who asks, or bring a login."""
    depends, wrong = _differs(rounds), list[str]()
    for person, answer in zip(audit.people, rounds[-1], strict=True):
        if depends or brings_login(answer, audit.login_cookies, person is not None):
            wrong += _of_marks(audit, answer, person, depends=depends)
    return wrong


async def _round(audit: Audit, visit: Visit, number: int = 0) -> list[Answer]:
    """Return the answer to each of the people, who ask in another order in another round.

    Raises `Unsuited` if there are no answers that tell something.
    """
    audit.must_be_quick(visit)
    people = audit.people
    answers = {at: await audit.send(visit, people[at]) for at in _order(number, len(people))}
    for at, answer in answers.items():
        _must_be_unlimited(audit, people[at], answer)
    return [answers[at] for at in range(len(people))]


def _order(number: int, size: int) -> tuple[int, ...]:
    """Return in which order people ask in a round: one that keeps step with nothing, so that they
    do not meet the same of what takes turns.
    """
    orders = list(permutations(range(size)))
    return orders[number * (number + 1) // 2 % len(orders)]


def _differs(rounds: Sequence[Sequence[Answer]]) -> bool:
    """Do the answers depend on who asks?"""
    of_people = zip(*rounds, strict=True)
    return any(tells_apart(some, others) for some, others in combinations(of_people, 2))


def _of_marks(audit: Audit, answer: Answer, person: Any, *, depends: bool = False) -> Iterator[str]:
    """Yield which marks for caches *answer* to *person* lacks."""
    # A login that a stranger gets by a link is the worst to keep, whatever the settings say.
    given = person is None and LOGGED_IN in answer.told
    private = given or bool(audit.manager.setting(audit.app, "LOGIN_CACHE_CONTROL_PRIVATE"))
    missing = unmarked(answer, private)
    if missing is None:
        return
    why = "depends on the visitor" if depends else "sets a login cookie"
    said = ((name.title(), value) for name, value in answer.headers)
    have = ", ".join(f"{name}: {value}" for name, value in said if name in _OF_CACHES)
    yield (
        f"The answer ({answer}) to {audit.who(person)} {why}, and says {have or 'nothing'} to"
        f" caches: a cache may show it to others. It needs {missing}. The library says so where"
        " somebody looks at current_user: look for what takes it back (an after_request hook, a"
        " cache in front of the view), or for another way by which the view knows its visitor; or"
        " say it there: response.vary.add('Cookie'), response.cache_control.private = True."
    )


def _of_static(audit: Audit, visit: Visit, answer: Answer) -> list[str]:
    """Return what keeps caches from a static file, which is for everybody."""
    if not is_static(audit.app, visit.endpoint or "") or answer.status != 200:
        return []
    if LOOKED not in answer.told:  # Quart 0.23 marks all that it answers.
        return []
    return [
        "A static file is kept from caches, as what depends on the user is. Does a before_request"
        " hook look at current_user? Let it leave static files out (request.endpoint)."
    ]


def _alone(audit: Audit) -> list[str]:
    """Raise `Unsuited` where there was nobody to compare a stranger with."""
    if audit.user is None:
        raise Unsuited(_NO_USER)
    return []


# --- P22: refusals -------------------------------------------------------------------------------


async def check_refusal(audit: Audit, visit: Visit) -> list[str]:
    """Is a stranger refused at *visit*, which is guarded?"""
    _must_be_enabled(audit)
    by = "require_login"
    if visit.is_route:
        found = _route(audit, visit)
        if found.problem == UNMARKED:
            raise Unsuited(f"{found.view or found.endpoint}: {UNMARKED}")
        if found.problem is not None:
            return [f"{found.view or found.endpoint}: {found.problem}"]
        by = found.by
    if visit.is_websocket:
        return await _of_handshake(audit, visit, by)
    if not is_harmless(visit, audit.settings.methods):
        return []  # Its marks say that it is guarded, and it is not called.
    user, slow = await _of_user(audit, visit)
    answer = await audit.send(visit, None)
    if is_refusal(answer) and not shows_the_same(answer, user):
        return []
    _must_be_unlimited(audit, None, answer)
    if slow is not None and answer.is_redirect:
        raise slow  # Is it also what users get?
    if sends_away(answer, user):
        return []
    return [
        f"A stranger got {answer}, and should be refused: {by}. Does something answer before the"
        " guard does: a hook, a cache or another decorator above it, an error handler?"
    ]


async def _of_user(audit: Audit, visit: Visit) -> tuple[Answer | None, TooSlow | None]:
    """Return the answer to the user, or why there is none; there may be no user.

    It is asked for first, so that a cache that keeps it has it when a stranger comes.
    """
    if audit.user is None:
        return None, None
    try:
        return await audit.send(visit, audit.user), None
    except TooSlow as slow:
        return None, slow


def _route(audit: Audit, visit: Visit) -> Route:
    method = "" if visit.is_websocket else visit.method
    return route_at(audit.app, rule_of(audit.app, visit), method)


async def _of_handshake(audit: Audit, visit: Visit, by: str) -> list[str]:
    async with audit.visitor.socket(audit.sent(visit)) as socket:
        opened = await socket.opens()
    if not opened and socket.is_over and not socket.accepted:
        return []
    return [
        f"A stranger was not refused: {by}. Does a hook, or a decorator above the guard, accept the"
        " websocket?"
    ]


def _must_be_enabled(audit: Audit) -> None:
    if audit.app.config.get("LOGIN_DISABLED"):
        raise Unsuited("LOGIN_DISABLED is on, so nobody is refused. Audit without it.")


# --- P23: websockets -----------------------------------------------------------------------------


async def check_origin(audit: Audit, visit: Visit) -> list[str]:
    """Is a page of another site refused at the websocket?"""
    guarded = _route(audit, visit).state in GUARDED
    if audit.visitor.lets_in(visit.endpoint, FOREIGN):
        if not guarded:
            raise Unsuited("Every page may open it, as the application says.")
        return [
            "Pages of all sites may open it, with the cookies of whoever looks at them, and it is"
            " for users. Name the origins that may, in place of '*' (LOGIN_WEBSOCKET_ORIGINS,"
            " allow_origins)."
        ]
    async with audit.browser(audit.user) as cookies:
        sent = audit.sent(visit, Origin=FOREIGN, **cookies)
        async with audit.visitor.socket(sent) as socket:
            await socket.opens()
    if socket.is_over and not socket.accepted:
        return []
    return [
        f"A page of another site ({FOREIGN}) opened it, with the cookies of whoever looks at that"
        " page. The library refuses that before the application's hooks: look for what takes its"
        " hook away, or serves the websocket past the application."
    ]


async def check_revocation(audit: Audit, visit: Visit) -> list[str]:
    """Does the websocket end when its login does?"""
    if audit.user is None:
        raise Unsuited(_NO_USER)
    _must_be_enabled(audit)
    before = await audit.sessions(audit.user)
    async with audit.browser(audit.user) as cookies:
        mine = await audit.sessions(audit.user) - before
        async with audit.visitor.socket(audit.sent(visit, **cookies)) as socket:
            if not await socket.opens():
                raise Unsuited(_not_opened(socket))
            await audit.end(audit.user, mine)
            if await socket.ends():
                return []
    return [
        "It stays open after its login was ended. The library closes it if the application has its"
        " store when it starts (LoginManager(app, sessions=...)), and if the user came by the"
        " session: look for a view that goes on in a task of its own, or past the application."
    ]


def _not_opened(socket: Any) -> str:
    if socket.status is not None:
        return f"The user was refused, too: status {socket.status}. Who may open it?" + _VALUES
    if socket.is_over:
        return "It ended by itself."
    return "It was not accepted in time: it waits for something."


_VALUES: Final = " Say other values in the fixture login_audit_values, or another login_audit_user."


# --- what checks say -----------------------------------------------------------------------------


def _unless_failed(audit: Audit, answers: Sequence[Answer]) -> list[str]:
    """Raise `Unsuited` if one of the *answers*, to each of the people, tells of a failure."""
    for person, answer in zip(audit.people, answers, strict=True):
        if answer.is_failure:
            raise Unsuited(f"It failed for {audit.who(person)} ({answer}).{_VALUES}")
    return []


def _must_be_unlimited(audit: Audit, person: Any, answer: Answer) -> None:
    """Raise `Unsuited` if *answer*, to *person*, is a rate limiter's, which hides what is there."""
    if answer.is_limited:
        raise Unsuited(
            f"A rate limiter answered {audit.who(person)} (status {answer.status}). Turn it off in"
            " tests, or let it allow more."
        )


def _once(lines: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(lines))
