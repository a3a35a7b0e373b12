"""Which routes are open, and which are guarded, by what?

Rule 1.  A route is open unless something that this library knows of guards it: a decorator, a hook
         that such a decorator guards, or a fence.
Rule 2.  A route that is open without a mark that says so is a mistake, and so is a guard that
         stands above ``@route``.  Static files and redirects can bear no mark and are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from inspect import getsourcefile, getsourcelines
from typing import Any, Final

from . import marks
from .fences import Fence, around, blueprints_of, is_login_page, is_own, is_static, open_by

OPEN: Final = "open"
EXEMPT: Final = "exempt"

#: What is open because it cannot say so, and hides nothing.
_HARMLESS: Final = ("static", "redirect")

_MISPLACED: Final = (
    "a guard stands above the route, so the view that is registered is not the guarded one."
    " Put @login_required below @app.route."
)

#: What is said of a route that is open without a mark.
UNMARKED: Final = "open to everybody. Guard it, or mark it with @login_exempt."


@dataclass(frozen=True, slots=True)
class Route:
    """One rule of an application, for methods that are guarded alike."""

    #: The URL rule, after its host or subdomain if it has one.
    rule: str
    endpoint: str
    #: Its methods in order, but for HEAD and OPTIONS that the framework answers.
    methods: tuple[str, ...]
    websocket: bool
    #: ``"open"``, ``"exempt"`` (open on purpose), ``"anonymous"`` (for strangers alone),
    #: ``"basic"`` (for who knows one password), ``"required"`` or ``"fresh"``.
    state: str
    #: What makes it so.
    by: str
    #: Where the view is: file and line.
    view: str | None
    #: What the developer should mend, if anything.
    problem: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return what there is to say, for JSON."""
        return asdict(self)


def routes(app: Any) -> list[Route]:
    """Return the routes of *app*, in the order of their rules."""
    registered = _registered(app)
    rules = (rule for rule in app.url_map.iter_rules() if not rule.build_only)
    found = [route for rule in rules for route in _routes_of(app, rule, registered)]
    return sorted(found, key=lambda route: (route.rule, route.websocket, route.methods))


def route_at(app: Any, rule: Any, method: str) -> Route:
    """Return what holds for *rule* of *app* and *method* alone, whoever answers that; it is empty
    for a websocket.
    """
    view = app.view_functions.get(rule.endpoint)
    return _route(rule, view, _state(app, rule, view, method), [method], _registered(app))


def _registered(app: Any) -> set[int]:
    """Return which functions *app*'s views are, or are made of."""
    return {id(part) for view in app.view_functions.values() for part in marks.chain(view)}


def problems(routes: Iterable[Route]) -> list[str]:
    """Return what is to be mended in *routes*, one line for each."""
    return [
        f"{route.view or route.endpoint}: {_shown(route)}: {route.problem}"
        for route in routes
        if route.problem is not None
    ]


def _shown(route: Route) -> str:
    return f"{', '.join(route.methods)} {route.rule} ({route.endpoint})".lstrip()


def _routes_of(app: Any, rule: Any, registered: set[int]) -> Iterator[Route]:
    """Yield a route for each way in which the methods of *rule* are guarded."""
    view = app.view_functions.get(rule.endpoint)
    groups: dict[tuple[str, str], list[str]] = {}
    for method in _methods(rule, view) or ("",):
        groups.setdefault(_state(app, rule, view, method), []).append(method)
    for found, methods in groups.items():
        yield _route(rule, view, found, methods, registered)


def _route(
    rule: Any,
    view: Any,
    found: tuple[str, str],
    methods: Iterable[str],
    registered: set[int],
) -> Route:
    state, by = found
    return Route(
        rule=place_of(rule),
        endpoint=rule.endpoint,
        methods=tuple(filter(None, methods)),
        websocket=bool(rule.websocket),
        state=state,
        by=by,
        view=where(view),
        problem=_problem(view, state, by, registered),
    )


def _methods(rule: Any, view: Any) -> list[str]:
    methods = set(rule.methods or ())
    # Mostly it is `get` that answers HEAD.
    own_head = hasattr(getattr(view, "view_class", None), "head")
    if ("GET" in methods and not own_head) or rule.websocket:
        methods.discard("HEAD")
    if getattr(rule, "provide_automatic_options", False) or rule.websocket:
        methods.discard("OPTIONS")
    return sorted(methods - {"GET"} if rule.websocket else methods)


def place_of(rule: Any) -> str:
    """Return the URL rule of *rule*, after its host or subdomain if it has one."""
    host = rule.host or rule.subdomain
    return f"//{host}{rule.rule}" if host else str(rule.rule)


def _problem(view: Any, state: str, by: str, registered: set[int]) -> str | None:
    if marks.is_misplaced(view, registered):
        return _MISPLACED
    if state == OPEN and by not in _HARMLESS:
        return UNMARKED
    return None


# --- what holds for a route ----------------------------------------------------------------------


def _state(app: Any, rule: Any, view: Any, method: str) -> tuple[str, str]:
    """Return the state of *rule* for *method*, and what makes it so."""
    hooks = list(_hooks(app, rule))
    fences = around(app, rule.endpoint)
    guard = marks.strictest(view, method)
    by_hooks = filter(None, (_by_hook(*hook) for hook in hooks))
    hook = max(by_hooks, key=lambda found: found[0] == marks.FRESH, default=None)
    fence = _by_fences(app, fences, rule.endpoint, method)
    return (
        _by_guard(guard, (marks.FRESH,))
        or hook
        or _by_guard(guard, (marks.REQUIRED, marks.BASIC))
        or fence
        or _by_guard(guard, (marks.ANONYMOUS,))
        or _left_open(app, rule, view, method, hooks, bool(fences))
    )


def _by_guard(guard: marks.Guard | None, states: tuple[str, ...]) -> tuple[str, str] | None:
    if guard is None or guard.state not in states:
        return None
    return guard.state, "decorator" + _of(guard.realm)


def _by_hook(scope: str, hook: Any) -> tuple[str, str] | None:
    guard = marks.guard_of(hook)
    if guard is None or guard.state == marks.ANONYMOUS:
        return None
    return guard.state, f"before_request({scope}){_of(guard.realm)}"


def _by_fences(app: Any, fences: list[Fence], endpoint: str, method: str) -> tuple[str, str] | None:
    for fence in fences:
        if open_by(app, fence, endpoint, method) is None:
            scope = "app" if fence.blueprint is None else f"blueprint {fence.blueprint.name}"
            return marks.REQUIRED, f"require_login({scope})" + _of(fence.manager.name)
    return None


def _of(realm: str | None) -> str:
    return "" if realm is None else f" of {realm}"


def _left_open(
    app: Any,
    rule: Any,
    view: Any,
    method: str,
    hooks: list[tuple[str, Any]],
    in_fence: bool,
) -> tuple[str, str]:
    if marks.is_exempt(view, method):
        return EXEMPT, "login_exempt"
    if is_login_page(app, rule.endpoint):
        return EXEMPT, "login_view"
    if is_static(app, rule.endpoint):
        return EXEMPT if in_fence else OPEN, "static"
    if rule.redirect_to is not None:
        return OPEN, "redirect"
    unknown = [_name(hook) for _, hook in hooks if not is_own(hook)]
    return OPEN, f"before_request unknown: {', '.join(unknown)}" if unknown else "nothing"


def _hooks(app: Any, rule: Any) -> Iterator[tuple[str, Any]]:
    """Yield the hooks that run before the view of *rule*, each with whose it is."""
    kind = "before_websocket_funcs" if rule.websocket else "before_request_funcs"
    for name in (None, *blueprints_of(rule.endpoint)):
        scope = "app" if name is None else f"blueprint {name}"
        for hook in getattr(app, kind).get(name) or ():
            yield scope, hook


def _name(hook: Any) -> str:
    return f"{getattr(hook, '__module__', '')}.{getattr(hook, '__qualname__', repr(hook))}"


def where(view: Any) -> str | None:
    """Return the file and line of the function, or of the class, that *view* is at heart."""
    cls = getattr(view, "view_class", None)
    *_, heart = (cls,) if cls is not None else (None, *marks.chain(view))
    try:
        return _line_of(heart)
    except (OSError, TypeError):  # made by a program, or no function
        return None


def _line_of(heart: Any) -> str | None:
    file = getsourcefile(heart) or "<nowhere>"
    # Python 3.13 has the source of ``python -c``, which is no file.
    return None if file.startswith("<") else f"{file}:{getsourcelines(heart)[1]}"


def assert_routes_guarded(app: Any) -> None:
    """Raise `AssertionError`, with a line for each, if routes of *app* are open without a mark.

    It is what ``quart login routes --strict`` checks (``flask login routes`` in Flask), for tests.
    """
    found = problems(routes(app))
    if found:  # No `assert`: pytest would add to it what is in the list, once more.
        raise AssertionError("\n".join(["these routes are to be mended:", *found]))
