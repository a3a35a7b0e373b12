"""What is refused before any view, and what does every response tell the browser?

Rule 1.  What changes something is sent by this site's own pages.  Browsers say where a request
         comes from (``Sec-Fetch-Site``; older ones only ``Origin``), and no page can make them lie;
         who says neither is no browser, and carries nobody's cookies.  So forms need no token.
Rule 2.  A request is there as a whole before anybody asks whose it is.  Guards would judge it when
         its headers are there, and its form may come a minute later, when that login has ended.
Rule 3.  A page loads what this site serves, from files: no script or style in the page itself.
Rule 4.  Nothing but static files is kept by the browser, so that the back button shows no page of
         somebody who has logged out.
"""

from __future__ import annotations

from typing import Final

from quart import Quart, Response, abort, current_app, request, request_started

_SAFE: Final = ("GET", "HEAD", "OPTIONS", "TRACE")

_POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


def raise_shield(app: Quart) -> None:
    """Guard each request to *app*, and mark each response."""
    # This signal comes before all hooks. The login manager's is the first of those.
    request_started.connect(await_body, app)
    app.before_request(refuse_other_sites)
    app.after_request(mark)


async def await_body(app: Quart, **_: object) -> None:
    await request.get_data()


async def refuse_other_sites() -> None:
    if request.method not in _SAFE and is_foreign():
        abort(403, "This form was sent by another site.")


def is_foreign() -> bool:
    """Does the request come from a page of another site?"""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.host


async def mark(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = _POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    # The path of a page is nobody else's business. (Not "no-referrer": forms would hide `Origin`.)
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if request.endpoint != "static":
        headers["Cache-Control"] = "no-store"
    if current_app.config["LOGIN_SECURE_COOKIES"]:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
