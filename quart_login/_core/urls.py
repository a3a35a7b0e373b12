"""Where is the login page, and where does the visitor go from there?

Rule 1.  The page to come back to is a path of this site, made from the request's path and query
         alone: a hostile ``Host`` header or a path that begins with two slashes is not in it.
Rule 2.  It is a page that can be fetched by GET.
Rule 3.  A login page on another host needs the whole URL, and gets it.
Rule 4.  A page whose URL is longer than `redirects` lets anybody be sent to is not named at all: to
         quote it would cost more than all else that is done for the request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qs, quote, quote_plus, unquote, urlencode, urlsplit, urlunsplit

from werkzeug.exceptions import HTTPException

from .redirects import MAX_LENGTH, PATH, QUERY, host_of, safe_path

#: A login page: an endpoint, a URL, or what is called to find out which, of either colour.
View: TypeAlias = str | Callable[[], Any] | None

#: Says by which methods a path (unquoted, below the application's root) can be asked for.
MethodsAt: TypeAlias = Callable[[str], Collection[str]]

#: The setting that names the host of a login page that is given a page to come back to.
HOST: Final = "FORCE_HOST_FOR_REDIRECTS"

#: A path in which nothing is to be quoted, but for its slashes in a query.
_PLAIN_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_.~-]+)+/?")


def make_next_param(login_url: str, current_url: str) -> str:
    """Return *current_url* without scheme and host if *login_url* is on the same site."""
    login, current = urlsplit(login_url), urlsplit(current_url)
    if login.scheme in ("", current.scheme) and login.netloc in ("", current.netloc):
        # Two slashes would begin another host's name.
        path = "/" + current.path.lstrip("/") if current.path.startswith("//") else current.path
        return urlunsplit(("", "", path, current.query, ""))
    return current_url


def expand_login_view(web: Any, login_view: str) -> str:
    """Return the URL of *login_view*, an endpoint or already a URL."""
    if login_view.startswith(("https://", "http://", "/")):
        return login_view
    return web.url_for(login_view)  # type: ignore[no-any-return]


def login_url(
    web: Any, login_view: str, next_url: str | None = None, next_field: str = "next"
) -> str:
    """Return the URL of the login page, with the page to come back to in its query.

    *login_view* is an endpoint or a URL.  *next_url*, if given, is put into the query as
    *next_field*, shortened by `make_next_param`.  ``FORCE_HOST_FOR_REDIRECTS`` names the host of a
    URL that has a *next_url*.
    """
    base = expand_login_view(web, login_view)
    if next_url is None:
        return base
    return with_next(web, base, next_url, next_field, web.current_app.config.get(HOST))


def with_next(
    web: Any, base: str, next_url: str, next_field: str = "next", host: str | None = None
) -> str:
    """Return the URL *base*, at *host* if that is forced, with *next_url* in its query."""
    if not host and _PLAIN_PATH.fullmatch(base) and _PLAIN_PATH.fullmatch(next_url):
        return f"{base}?{next_field}={next_url.replace('/', '%2F')}"
    if not host and _is_plain(base) and _is_path(next_url):
        return f"{base}?{next_field}={quote_plus(next_url)}"
    scheme, netloc, path, query, fragment = urlsplit(base)
    fields: dict[str, Any] = parse_qs(query, keep_blank_values=True)
    fields[next_field] = make_next_param(base, next_url)
    query = urlencode(fields, doseq=True)
    if host:
        scheme, netloc = scheme or _own_scheme(web), host
    return urlunsplit((scheme, netloc, path, query, fragment))


def _is_plain(base: str) -> bool:
    """Is *base* a path and nothing else, as nearly all login pages are?"""
    return _is_path(base) and not ("?" in base or "#" in base or ";" in base)


def _is_path(url: str) -> bool:
    """Does *url* begin with a path on this host, and end before a fragment?"""
    return (
        url[:1] == "/"
        and url[1:2] not in ("/", "\\")
        and "#" not in url
        and url[-1] != "?"
        and url.isprintable()
    )


def _own_scheme(web: Any) -> str:
    """Return the scheme of this site's URLs, or "" to leave it to the browser."""
    manager = web.current_app.login_manager
    if not manager.setting(web.current_app, "LOGIN_FORCE_HOST_WITH_SCHEME"):
        return ""
    return web.request.scheme  # type: ignore[no-any-return]


def here(request: Any) -> str:
    """Return the path and query of *request*, quoted as in its URL."""
    path = request.root_path.rstrip("/") + "/" + request.path.lstrip("/")
    if not request.query_string and _PLAIN_PATH.fullmatch(path):
        return str(path)
    path, query = quote(path, safe=PATH), quote(request.query_string, safe=QUERY)
    return "/" + path.lstrip("/") + (f"?{query}" if query else "")


def methods_at(app: Any, request: Any) -> MethodsAt:
    """Return what knows by which methods *app* serves a path: none, if it serves no such path."""

    def methods(path: str) -> Collection[str]:
        try:
            return app.create_url_adapter(request).allowed_methods(path)  # type: ignore[no-any-return]
        except HTTPException:  # a hostile Host header
            return ()

    return methods


def _unknown(path: str) -> Collection[str]:
    return ()


def next_url(
    request: Any, base: str, *, by_htmx: bool = False, methods_at: MethodsAt | None = _unknown
) -> str | None:
    """Return where a visitor of *request* comes back to from the login page *base*, or None.

    A script of htmx asks for a part of a page; its visitor comes back to the page.  Where
    *methods_at* is None, what is returned does not depend on which routes there are.
    """
    back = _page_seen(request, methods_at) if by_htmx else _page_of(request, methods_at)
    if back is None or not urlsplit(base).netloc:
        return back
    whole = f"{request.scheme}://{request.host}{back}"
    try:
        return make_next_param(base, whole)
    except ValueError:  # a hostile Host header
        return None


def _page_of(request: Any, methods_at: MethodsAt | None) -> str | None:
    """Return the page that *request* asks for, or the one that it was sent from."""
    if request.method in ("GET", "HEAD"):
        return _short(request)
    if methods_at is not None and (_by_get(request) or "GET" in methods_at(request.path)):
        return _short(request)
    return _by_get_alone(_referring_page(request), request, methods_at)


def _short(request: Any) -> str | None:
    """Return the page that *request* asks for; None if its URL is too long."""
    if len(request.path) + len(request.query_string) > MAX_LENGTH:
        return None
    return here(request)


def _page_seen(request: Any, methods_at: MethodsAt | None) -> str | None:
    """Return the page in the browser of whom htmx sent *request* for."""
    page = safe_path(request.headers.get("HX-Current-URL"), host_of(request))
    return _by_get_alone(page or _referring_page(request), request, methods_at)


def _by_get(request: Any) -> bool:
    """Can the page that *request* asks for be fetched by GET, too?"""
    rule = request.url_rule
    return rule is not None and "GET" in (rule.methods or ())


def _by_get_alone(page: str | None, request: Any, methods_at: MethodsAt | None) -> str | None:
    """Return *page* unless this application serves it, and not by GET."""
    if page is None or methods_at is None:
        return page
    root = request.root_path.rstrip("/")
    path = unquote(page.partition("?")[0])
    if not path.startswith(f"{root}/"):
        return page  # Another application of this host serves it.
    methods = methods_at(path[len(root) :])
    return page if not methods or "GET" in methods else None


def _referring_page(request: Any) -> str | None:
    """Return the path of this site's page that *request* was sent from, or None."""
    try:
        sent = request.headers.get("Referer", "")
        referrer = urlsplit(sent if len(sent) <= MAX_LENGTH else "")
    except ValueError:
        return None
    if referrer.scheme not in ("http", "https") or referrer.netloc != request.host:
        return None
    path = "/" + quote(referrer.path.lstrip("/"), safe=PATH)
    return path + (f"?{quote(referrer.query, safe=QUERY)}" if referrer.query else "")


def login_views(
    views: Mapping[str | None, View],
    default: View,
    blueprints: list[str],
    registered: Collection[str] = (),
) -> Iterator[tuple[View, str]]:
    """Yield the login views that hold in the innermost of *blueprints*, the nearest first.

    Each comes with the name of the blueprint whose it is, "" for the application.  A nested
    blueprint is found by its whole name, or by its own unless another is *registered* by that; then
    come those around it.  The views of None and *default* are the application's.
    """
    for name in blueprints:
        own = name.rpartition(".")[2]
        view = views.get(name) or (None if own in registered else views.get(own))
        if view:
            yield view, name
    yield views.get(None), ""
    yield default, ""


def endpoint_in(blueprint: str, view: str) -> str:
    """Return *view* as it is meant in *blueprint*: ``.login`` is a view of its own.

    Without a blueprint ``url_for`` takes it for that of the request's.
    """
    return f"{blueprint}{view}" if view.startswith(".") else view


def set_login_view(web: Any, login_view: View, blueprint: Any = None) -> None:
    """Let *login_view*, an endpoint or URL, be the login page of *blueprint*, or of the rest.

    *login_view* may also be a function, plain or ``async def``, that takes nothing and returns one.
    *blueprint* is one, or a name; blueprints in it share the page unless they have their own.  Call
    it with the application at hand (``app.app_context()``).
    """
    manager = web.current_app.login_manager
    views = manager.blueprint_login_views
    if blueprint is None and not views:
        manager.login_view = login_view
        return
    for name in _names_of(web.current_app, blueprint):
        views[name] = login_view
    if manager.login_view is not None:
        # As Flask-Login has it: beside blueprints' views, the application's is that of None.
        views.setdefault(None, manager.login_view)
        manager.login_view = None


def _names_of(app: Any, blueprint: Any) -> list[str | None]:
    """Return the names that *blueprint* is registered by (dotted, where it is nested), or else its
    own."""
    if blueprint is None or isinstance(blueprint, str):
        return [blueprint]
    names = [name for name, registered in app.blueprints.items() if registered is blueprint]
    return names or [blueprint.name]
