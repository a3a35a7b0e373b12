"""Where is the login page, and where does the visitor go from there?

Rule 1.  The page to come back to is a path of this site, made from the request's path and query
         alone: a hostile ``Host`` header or a path that begins with two slashes is not in it.
Rule 2.  It is a page that can be fetched by GET.
Rule 3.  A login page on another host needs the whole URL, and gets it.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qs, quote, quote_plus, urlencode, urlsplit, urlunsplit

#: What Werkzeug leaves as it is in a request's path and query.
_PATH: Final = "!$&'()*+,/:;=@%"
_QUERY: Final = "!$&'()*+,/:;=?@%"


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
    host = web.current_app.config.get("FORCE_HOST_FOR_REDIRECTS")
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
    path = quote(request.root_path.rstrip("/") + "/" + request.path.lstrip("/"), safe=_PATH)
    query = quote(request.query_string, safe=_QUERY)
    return "/" + path.lstrip("/") + (f"?{query}" if query else "")


def next_url(request: Any, base: str) -> str | None:
    """Return where a visitor of *request* comes back to from the login page *base*, or None."""
    back = here(request) if _by_get(request) else _referring_page(request)
    if back is None or not urlsplit(base).netloc:
        return back
    whole = f"{request.scheme}://{request.host}{back}"
    try:
        return make_next_param(base, whole)
    except ValueError:  # a hostile Host header
        return None


def _by_get(request: Any) -> bool:
    """Can the page that *request* asks for be fetched by GET?"""
    rule = request.url_rule
    return request.method in ("GET", "HEAD") or (rule is not None and "GET" in (rule.methods or ()))


def _referring_page(request: Any) -> str | None:
    """Return the path of this site's page that *request* was sent from, or None."""
    try:
        referrer = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return None
    if referrer.scheme not in ("http", "https") or referrer.netloc != request.host:
        return None
    path = "/" + quote(referrer.path.lstrip("/"), safe=_PATH)
    return path + (f"?{quote(referrer.query, safe=_QUERY)}" if referrer.query else "")


def login_view_for(
    views: dict[str | None, str | None], default: str | None, blueprints: list[str]
) -> str | None:
    """Return the login view of the innermost of *blueprints* that has one.

    A nested blueprint is found by its whole name or by its own; the views of None and *default* are
    the application's.
    """
    for name in blueprints:
        view = views.get(name) or views.get(name.rpartition(".")[2])
        if view:
            return view
    return views.get(None) or default


def set_login_view(web: Any, login_view: str, blueprint: Any = None) -> None:
    """Let *login_view*, an endpoint or URL, be the login page of *blueprint*, or of the rest.

    Call it with the application at hand (``app.app_context()``).
    """
    manager = web.current_app.login_manager
    views = manager.blueprint_login_views
    if blueprint is None and not views:
        manager.login_view = login_view
        return
    views[getattr(blueprint, "name", blueprint)] = login_view
    if manager.login_view is not None:
        # As Flask-Login has it: beside blueprints' views, the application's is that of None.
        views.setdefault(None, manager.login_view)
        manager.login_view = None
