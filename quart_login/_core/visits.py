"""What is an application to be asked, so that it shows what it would show?

Rule 1.  Every rule of the URL map is visited, by every method of it.  What may change something is
         visited only if the developer allows that method.
Rule 2.  A parameter is what the developer says; else something that its converter takes.
Rule 3.  What is no route is visited where a fence stands around it: nothing is promised elsewhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from werkzeug.exceptions import HTTPException, NotFound

from . import marks
from .fences import around, closes, fences_of, is_static
from .routes import place_of, route_at
from .settings import EXEMPT_METHODS

#: Methods that change nothing (RFC 9110, section 9.2.1).
SAFE: Final = ("GET", "HEAD", "OPTIONS")

WEBSOCKET: Final = "websocket"

#: What frameworks answer themselves, beside the view.
_ANSWERED: Final = ("HEAD", "OPTIONS")

#: The states of a route whose strangers are refused.
GUARDED: Final = (marks.BASIC, marks.REQUIRED, marks.FRESH)

#: Where no application has a page.
NOWHERE: Final = "no-page-for-the-login-audit"

#: A method that changes nothing, and that hardly a view is for (RFC 4918, section 9.1).
UNUSUAL: Final = "PROPFIND"


class NoValue(LookupError):
    """Nobody says which value a parameter of a rule should have."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One thing that an application is asked for."""

    #: The URL rule, after its host if it has one; or a path that meets none.
    place: str
    #: None where there is no route.
    endpoint: str | None
    #: In upper case, or ``"websocket"``.
    method: str
    #: Is there a view for it?
    is_route: bool = True

    def __str__(self) -> str:
        return f"{self.place} {self.method}"

    @property
    def is_websocket(self) -> bool:
        return self.method == WEBSOCKET


def visits(app: Any) -> list[Visit]:
    """Return a visit for each rule of *app* and each of its methods, in the order of the rules."""
    rules = (rule for rule in app.url_map.iter_rules() if not rule.build_only)
    found = {visit: None for rule in rules for visit in _visits_of(rule)}
    return sorted(found, key=lambda visit: (visit.place, visit.endpoint or "", visit.method))


def _visits_of(rule: Any) -> Iterator[Visit]:
    methods = (WEBSOCKET,) if rule.websocket else rule.methods or ("GET",)
    return (Visit(place_of(rule), rule.endpoint, method) for method in methods)


def visits_off_the_routes(app: Any) -> list[Visit]:
    """Return what *app*'s fences are around that is no route: no page, or not by that method."""
    found = [Visit(path, None, "GET", False) for path in _paths_of_nothing(app)]
    rules = [rule for rule in app.url_map.iter_rules() if not (rule.build_only or rule.websocket)]
    taken = {rule.rule for rule in rules if UNUSUAL in (rule.methods or {UNUSUAL})}
    for rule in rules:
        if rule.rule not in taken and around(app, rule.endpoint):
            found.append(Visit(place_of(rule), rule.endpoint, UNUSUAL, False))
            taken.add(rule.rule)
    return sorted(found, key=lambda visit: visit.place)


def _paths_of_nothing(app: Any) -> list[str]:
    """Return a path for each fence of *app* that meets no route within it."""
    paths = {path for rule in app.url_map.iter_rules() for path in _folders(rule.rule)}
    tried = sorted(paths, key=lambda path: (len(path), path))
    found = []
    for fence in fences_of(app):
        least = 0 if fence.blueprint is None else 1
        within = (path for path in tried if fence.reach(path) >= least)
        found += [path for path in within if _meets_nothing(app, path)][:1]
    return sorted(set(found))


def _folders(rule: str) -> Iterator[str]:
    """Yield a path in each folder of *rule*, as far as that has no parameters."""
    plain = rule.partition("<")[0]
    return (f"{plain[: slash.end()]}{NOWHERE}" for slash in re.finditer("/", plain))


def _meets_nothing(app: Any, path: str) -> bool:
    try:
        app.url_map.bind("localhost").match(path)
    except NotFound:
        return True
    except HTTPException:
        return False
    return False


# --- where it is ---------------------------------------------------------------------------------


def rule_of(app: Any, visit: Visit) -> Any:
    """Return *app*'s rule that *visit* is to; another application of the same code has one, too.

    Raises `LookupError` if it has none.
    """
    for rule in app.url_map.iter_rules():
        here = (place_of(rule), rule.endpoint, bool(rule.websocket))
        if here == (visit.place, visit.endpoint, visit.is_websocket):
            return rule
    raise LookupError(f"This application has no rule {visit.place} ({visit.endpoint}) now.")


def address(app: Any, visit: Visit, values: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return the host, None for the usual one, and the path of *visit*.

    *values* has the values of parameters, by their names; or by a rule, with a mapping of those.
    Raises `NoValue` for a parameter that nobody can tell.
    """
    if visit.endpoint is None:
        return None, visit.place
    rule = rule_of(app, visit)
    here = {**values, **_files(app, rule), **(values.get(visit.place) or {})}
    chosen = {
        name: here[name] if name in here else _sample(visit, name, converter)
        for name, converter in rule._converters.items()
    }
    built = rule.build(chosen, append_unknown=False)
    if built is None:
        raise NoValue(f"{visit.place} takes no {chosen!r}")
    return _host(app, rule, built[0]), built[1]


def _host(app: Any, rule: Any, domain: str) -> str | None:
    server = app.config.get("SERVER_NAME") or "localhost"
    if rule.host:
        return domain
    return f"{domain}.{server}" if domain else None


def _files(app: Any, rule: Any) -> dict[str, str]:
    """Return the name of a file that there is, if *rule* is for static files."""
    if not is_static(app, rule.endpoint):
        return {}
    scope = rule.endpoint.rpartition(".")[0]
    folder = (app.blueprints[scope] if scope else app).static_folder
    for root, folders, files in os.walk(folder or ""):
        folders.sort()
        for name in sorted(files):
            path = os.path.relpath(os.path.join(root, name), folder)
            return {"filename": path.replace(os.sep, "/")}
    return {}


def _sample(visit: Visit, name: str, converter: Any) -> Any:
    """Return a value that *converter* takes."""
    for text in _texts(converter):
        if re.fullmatch(converter.regex, text) is None:
            continue
        try:
            return converter.to_python(text)
        except Exception:  # Not that one, or not without a request.
            continue
    raise NoValue(f"nobody knows a value for {name!r} in {visit.place}")


def _texts(converter: Any) -> Iterator[str]:
    """Return what a parameter may look like."""
    yield from sorted(getattr(converter, "items", ()))
    least = getattr(converter, "min", None)
    if least is not None:
        yield str(least)
    yield from ("1", "1.0", "00000000-0000-4000-8000-000000000001")
    for size in range(1, 65):
        yield "1".zfill(size)
        yield "a" * size


# --- which visits --------------------------------------------------------------------------------


def is_harmless(visit: Visit, allowed: Container[str]) -> bool:
    """May *visit* be made, where the methods *allowed* are, too?"""
    return visit.is_websocket or visit.method in (*SAFE, UNUSUAL) or visit.method in allowed


def is_refused(app: Any, visit: Visit) -> bool:
    """Does *app* say that strangers are refused at *visit*, or is there something to mend?

    A decorator lets some methods pass that a fence does not; see `guard`.
    """
    if not visit.is_route:
        return True
    method = "" if visit.is_websocket else visit.method
    found = route_at(app, rule_of(app, visit), method)
    if found.problem is not None:
        return visit.method not in _ANSWERED
    if found.state not in GUARDED:
        return False
    fenced = closes(app, visit.endpoint or "", method)
    return visit.method not in EXEMPT_METHODS or (fenced and visit.method == "OPTIONS")
