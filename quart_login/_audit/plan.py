"""What is an application asked, and what is each question called?

Rule 1.  What is asked follows from the application's rules and settings alone, in one order: every
         process of a run plans the same.
Rule 2.  A name is the promise, the rule and the method: ``P18 /notes GET``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, TypeAlias

from .._core.audit import audit_all
from .._core.findings import State
from .._core.visits import Visit, is_harmless, is_refused, visits, visits_off_the_routes
from . import checks
from .visiting import Audit, Settings, manager_of

Check: TypeAlias = Callable[[Audit], Coroutine[Any, Any, list[str]]]


def plan(app: Any, settings: Settings, skipped: Sequence[str] = ()) -> dict[str, Check]:
    """Return what *app* is asked, by name, but for names that a pattern in *skipped* matches.

    Raises `Unsuited` for an application without logins.
    """
    manager_of(app)
    found: dict[str, Check] = {}
    for name, check in (*_of_settings(app), *_of_visits(app, settings)):
        if not any(fnmatchcase(name, pattern) for pattern in skipped):
            found[name] = check
    return found


def _of_settings(app: Any) -> Iterator[tuple[str, Check]]:
    # What settings do not tell, or do not mend, is not asked.
    told = (finding for finding in audit_all(app) if finding.state in (State.OK, State.WRONG))
    requirements = {finding.requirement: None for finding in told}
    for requirement in requirements:
        check = partial(checks.check_settings, requirement=requirement)
        yield f"check {requirement or 'settings'}", check
    yield "P17 login and logout", checks.check_login_cookies


def _of_visits(app: Any, settings: Settings) -> Iterator[tuple[str, Check]]:
    routes = visits(app)
    names = _names([*routes, *visits_off_the_routes(app)])
    pages = [visit for visit in routes if _is_page(visit, settings)]
    for visit in pages:
        yield f"P17 {names[visit]}", partial(checks.check_cookies, visit=visit)
    for visit in pages:
        yield f"P18 {names[visit]}", partial(checks.check_caching, visit=visit)
    for visit in names:
        if is_refused(app, visit):
            yield f"P22 {names[visit]}", partial(checks.check_refusal, visit=visit)
    for visit in filter(lambda visit: visit.is_websocket, routes):
        yield f"P23 {names[visit]} origin", partial(checks.check_origin, visit=visit)
        if manager_of(app).sessions is not None:
            yield f"P23 {names[visit]} revoked", partial(checks.check_revocation, visit=visit)


def _is_page(visit: Visit, settings: Settings) -> bool:
    """May somebody be shown something there?"""
    if visit.is_websocket or visit.method in ("HEAD", "OPTIONS"):
        return False
    return is_harmless(visit, settings.methods)


def _names(found: Sequence[Visit]) -> dict[Visit, str]:
    """Return a name for each visit; two of one rule and method are told by their endpoints."""
    texts = [str(visit) for visit in found]
    return {
        visit: f"{visit} ({visit.endpoint})" if texts.count(str(visit)) > 1 else str(visit)
        for visit in found
    }
