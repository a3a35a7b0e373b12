"""Which requests need a login, though no decorator of their view says so?

Rule 1.  A fence stands around an application or a blueprint.  Whatever is in it needs a login:
         every route, every method (OPTIONS and HEAD, too), every websocket; and every request that
         meets no route, so that a stranger cannot find out which there are.
Rule 2.  Open is what says so itself: a view that is marked (see `marks`), the login pages of the
         application's managers, and static files if whoever put up the fence said so.
Rule 3.  Of several fences the innermost counts: that of a blueprint before that of the blueprint it
         is nested in, and before that of the application.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from werkzeug.exceptions import HTTPException

from . import marks
from .errors import ConfigurationError
from .realms import managers_of

if TYPE_CHECKING:
    from .manager import BaseLoginManager

#: What the names of this library's modules begin with.
_OWN: Final = ("quart_login.", "flask_compat.")

#: Where an application keeps its fences.
_EXTENSION: Final = "quart_login.fences"


@dataclass(eq=False, slots=True)
class Fence:
    """What *manager* was told to protect: an application, or a blueprint of it."""

    manager: BaseLoginManager[Any]
    #: The blueprint; None is the whole application.
    blueprint: Any
    exempt_static: bool
    #: What the URLs in a blueprint begin with, for each time that it was registered.
    prefixes: list[re.Pattern[str]] = field(default_factory=list)

    def reach(self, path: str) -> int:
        """Return how much of *path*, which meets no route, is this fence's; -1 for nothing."""
        if self.blueprint is None:
            return 0
        found = (prefix.match(path) for prefix in self.prefixes)
        return max((match.end() for match in found if match), default=-1)


def put_up(manager: BaseLoginManager[Any], scope: Any, exempt_static: bool) -> None:
    """Let *manager* put a fence around *scope*, an application or a blueprint.

    Raises `ConfigurationError` if the blueprint was registered already, and `TypeError` for other
    things.
    """
    if hasattr(scope, "url_map"):
        _add(scope, Fence(manager, None, exempt_static))
    elif hasattr(scope, "record"):
        _around(manager, scope, exempt_static)
    else:
        raise TypeError(f"require_login takes an application or a blueprint, not {scope!r}.")


def _around(manager: BaseLoginManager[Any], blueprint: Any, exempt_static: bool) -> None:
    def registered(state: Any) -> None:
        there = (f for f in fences_of(state.app) if f.manager is manager)
        fence = next((f for f in there if f.blueprint is blueprint), None)
        if fence is None:
            fence = Fence(manager, blueprint, exempt_static)
            _add(state.app, fence)
        if prefix := _pattern(state.url_prefix):
            fence.prefixes.append(prefix)

    try:
        blueprint.record(registered)
    except AssertionError:
        raise ConfigurationError(
            f"The blueprint {blueprint.name!r} was registered before require_login was told to"
            " protect it. Call require_login first, and app.register_blueprint then."
        ) from None


def _pattern(prefix: str | None) -> re.Pattern[str] | None:
    """Return what paths below *prefix* match; None where that is all paths."""
    parts = re.split(r"<[^>]*>", (prefix or "").strip("/"))
    if parts == [""]:
        return None
    # A variable part may have slashes in it: rather too much is protected than too little.
    return re.compile("/" + ".+".join(map(re.escape, parts)) + "(?=/|$)", re.DOTALL)


def _add(app: Any, fence: Fence) -> None:
    if not fences_of(app):
        fence.manager.watch_fences(app)
    app.extensions.setdefault(_EXTENSION, []).append(fence)


def come_first(hooks: list[Any]) -> None:
    """Let the last of *hooks* run before the application's own, but after those that load users."""
    last = hooks.pop()
    place = next((n for n, hook in enumerate(hooks) if not is_own(hook)), len(hooks))
    hooks.insert(place, last)


def is_own(hook: Any) -> bool:
    """Is *hook* this library's?"""
    return str(getattr(hook, "__module__", "")).startswith(_OWN)


def fences_of(app: Any) -> list[Fence]:
    """Return the fences in *app*."""
    return app.extensions.get(_EXTENSION) or []


# --- at a request --------------------------------------------------------------------------------


def asking(app: Any, request: Any) -> list[BaseLoginManager[Any]]:
    """Return the managers that ask whoever makes *request* to be logged in."""
    if request.url_rule is not None:
        fences = _closed(app, request.url_rule, request)
    else:
        fences = _off_the_routes(app, request)
    return [fence.manager for fence in fences]


def _off_the_routes(app: Any, request: Any) -> list[Fence]:
    """Return the innermost fences around *request*, which meets no route."""
    try:
        adapter = app.create_url_adapter(request)
    except HTTPException:
        return []  # A hostile Host header is a bad request, whatever is asked for.
    rule = _nearest_rule(adapter, request.routing_exception)
    if rule is None:
        return _beyond(app, request.path)
    if _is_redirect(request.routing_exception):
        return _closed(app, rule, request)
    return around(app, rule.endpoint)


def _closed(app: Any, rule: Any, request: Any) -> list[Fence]:
    """Return the innermost fences around *rule*, but for those that are open there."""
    method = getattr(request, "method", None)
    fences = around(app, rule.endpoint)
    return [fence for fence in fences if open_by(app, fence, rule.endpoint, method) is None]


def closes(app: Any, endpoint: str, method: str | None) -> bool:
    """Does a fence of *app* stand between strangers and the route to *endpoint*?"""
    fences = around(app, endpoint)
    return any(open_by(app, fence, endpoint, method) is None for fence in fences)


def around(app: Any, endpoint: str) -> list[Fence]:
    """Return the innermost fences around the route to *endpoint*."""
    fences = fences_of(app)
    for name in blueprints_of(endpoint):
        blueprint = app.blueprints.get(name)
        if inner := [f for f in fences if f.blueprint is not None and f.blueprint is blueprint]:
            return inner
    return [fence for fence in fences if fence.blueprint is None]


def _beyond(app: Any, path: str) -> list[Fence]:
    """Return the innermost fences around *path*, which meets no route."""
    # As routing does: two slashes are one.
    path = re.sub("/{2,}", "/", path)
    reaches = [(fence.reach(path), fence) for fence in fences_of(app)]
    farthest = max(reach for reach, _ in reaches)
    return [fence for reach, fence in reaches if reach == farthest >= 0]


def blueprints_of(endpoint: str) -> Iterator[str]:
    """Yield the names of the blueprints that *endpoint* is in, the innermost first."""
    while (cut := endpoint.rfind(".")) >= 0:
        endpoint = endpoint[:cut]
        yield endpoint


def open_by(app: Any, fence: Fence, endpoint: str, method: str | None) -> str | None:
    """Return what makes the route to *endpoint* open in spite of *fence*, or None."""
    if marks.is_exempt(app.view_functions.get(endpoint), method):
        return "login_exempt"
    if is_login_page(app, endpoint):
        return "login_view"
    if fence.exempt_static and is_static(app, endpoint):
        return "static"
    return None


def is_login_page(app: Any, endpoint: str) -> bool:
    """Does a manager of *app* send strangers to *endpoint*?

    Only the function itself knows which pages a login view that is one names.
    """
    return any(
        isinstance(view, str) and _names(app, view, endpoint, blueprint)
        for manager in managers_of(app).values()
        for blueprint, view in _login_views(manager)
    )


def _login_views(manager: BaseLoginManager[Any]) -> Iterator[tuple[str | None, Any]]:
    yield None, manager.login_view
    yield from manager.blueprint_login_views.items()


def _names(app: Any, view: str, endpoint: str, blueprint: str | None) -> bool:
    """Is *view*, an endpoint or a path, the route to *endpoint*?"""
    if view.startswith("/"):
        return endpoint in _endpoints_at(app, view.partition("?")[0])
    if view.startswith(".") and blueprint is not None:
        # A nested blueprint may be named by its own name alone.
        return f".{endpoint}".endswith(f".{blueprint}{view}")
    return view == endpoint


def _endpoints_at(app: Any, path: str) -> set[str]:
    """Return the endpoints of the page at *path*, and of its form.

    Raises `ConfigurationError` if there are several such pages, on hosts of their own.
    """
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule == path and _is_form(rule)]
    found = {rule.endpoint for rule in rules}
    if len(found) > 1 and len({(rule.host, rule.subdomain) for rule in rules}) > 1:
        raise ConfigurationError(
            f"The login view {path!r} is a page on several hosts, and all of them would be open:"
            f" {', '.join(sorted(found))}. Name the endpoint of the login page."
        )
    return found


def _is_form(rule: Any) -> bool:
    """Is *rule* that of a page, or of its form?  (Something else may be at the same path.)"""
    return not rule.websocket and not {"GET", "POST"}.isdisjoint(rule.methods or {"GET"})


def is_static(app: Any, endpoint: str) -> bool:
    """Is *endpoint* that of the static files of *app*, or of one of its blueprints?"""
    if not endpoint.endswith("static"):  # as almost all
        return False
    scope, _, name = endpoint.rpartition(".")
    owner = app.blueprints.get(scope) if scope else app
    return name == "static" and owner is not None and owner.has_static_folder


# --- where no route was met ----------------------------------------------------------------------


def _is_redirect(error: Any) -> bool:
    """Does *error* lead to a route, as where a slash is missing?"""
    return hasattr(error, "new_url")


def _nearest_rule(adapter: Any, error: Any) -> Any:
    """Return the rule that would be met with another method, slash or protocol, or None."""
    path = _path_of(error.new_url, adapter) if _is_redirect(error) else None
    method = next(iter(getattr(error, "valid_methods", None) or ()), None)
    for websocket in (None, False, True):
        with suppress(HTTPException):
            return adapter.match(path, method, return_rule=True, websocket=websocket)[0]
    return None


def _path_of(url: str, adapter: Any) -> str:
    """Return the path in *url* below the root of the application."""
    path = unquote(urlsplit(url).path)
    return "/" + path.removeprefix(adapter.script_name.rstrip("/")).lstrip("/")
