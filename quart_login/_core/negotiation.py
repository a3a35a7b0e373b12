"""Who asks: somebody in front of a browser, a script of htmx, or a program?

Rule 1.  A browser is sent to a page, htmx is told to go there, a program gets a status that it
         understands and a body that it can read.
Rule 2.  Who says nothing (``Accept: */*``, or none) is answered as a browser.  So is htmx where it
         asks for a whole page, to restore what is in the browser's history.
Rule 3.  An answer names in ``Vary`` the headers that it depended on (RFC 9110, section 12.5.5).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Any, Final

from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response

from .withheld import FETCH_SITE

#: The content type of a problem (RFC 9457, section 3).
PROBLEM: Final = "application/problem+json"

#: The headers that tell it, and one for `withheld`: they are read at one look.
ASKED: Final = (
    "Accept",
    "X-Requested-With",
    "HX-Request",
    "HX-History-Restore-Request",
    FETCH_SITE,
)

#: Browsers send some 150 characters.  Longer ones take their time to parse.
MAX_ACCEPT: Final = 2048

_HTML, _JSON = "text/html", "application/json"
_JSON_KIND: Final = re.compile(r"[^*/]+/[^*/]+\+json")


class Client(Enum):
    """Who sent a request."""

    BROWSER = auto()
    HTMX = auto()
    PROGRAM = auto()


def client_of(headers: Mapping[str, str]) -> Client:
    """Return who sent the request with these *headers*."""
    if headers.get("HX-Request") == "true":
        # htmx shows what comes back then, and reads no header of it.
        restores = headers.get("HX-History-Restore-Request") == "true"
        return Client.BROWSER if restores else Client.HTMX
    if headers.get("X-Requested-With", "").lower() == "xmlhttprequest":
        return Client.PROGRAM
    return Client.PROGRAM if prefers_json(headers.get("Accept", "")) else Client.BROWSER


def depends_on(headers: Mapping[str, str]) -> str:
    """Return the headers that the answer to *headers* depended on, as ``Vary`` lists them."""
    always = "Accept, X-Requested-With, HX-Request"
    if headers.get("HX-Request") != "true":
        return always
    return f"{always}, HX-Current-URL, HX-History-Restore-Request"


def prefers_json(accept: str) -> bool:
    """Does a client with this ``Accept`` rather read JSON, in any of its forms, than HTML?

    The higher quality counts; where they are equal, the one that is named more exactly.
    """
    if not accept or len(accept) > MAX_ACCEPT:
        return False
    if accept.startswith("text/html,") and "json" not in accept.lower():
        return False  # as with all browsers: nothing counts more than HTML, or is named like it
    offered = MIMEAccept(list(_ranges(parse_accept_header(accept, MIMEAccept))))
    return offered.best_match((_HTML, _JSON)) == _JSON


def _ranges(accept: MIMEAccept) -> Iterator[tuple[str, float]]:
    """Yield what *accept* names, without parameters, and every kind of JSON as such."""
    for item, quality in accept:
        name = item.partition(";")[0].strip().lower()
        yield _JSON if _JSON_KIND.fullmatch(name) else name, quality


# --- answers -------------------------------------------------------------------------------------


def problem(refusal: HTTPException, code: str, detail: str) -> Response:
    """Return *refusal* as a program reads it (RFC 9457).

    *code* is for the program and *detail* for people; neither says anything of a user.
    """
    # The type "about:blank" says: it is no more than the status, and has its name (section 4.2.1).
    said = {
        "type": "about:blank",
        "title": refusal.name,
        "status": refusal.code,
        "detail": detail,
        "code": code,
    }
    return Response(json.dumps(said), refusal.code, refusal.get_headers(), content_type=PROBLEM)


def by_htmx(redirect: Any, challenges: list[str]) -> Any:
    """Return *redirect*, a response, as htmx obeys it: the whole page goes there.

    htmx looks for ``HX-Redirect`` before it looks at the status, but never sees a 3xx, which the
    browser follows by itself (htmx.org/headers/hx-redirect; ``handleAjaxResponse`` in its source).
    So the status says what it is: 401.
    """
    redirect.status_code = 401
    redirect.headers["HX-Redirect"] = iri_to_uri(redirect.headers.pop("Location"))
    for offered in challenges:
        # A browser that is offered Basic shows a dialogue, in front of the login page.
        if not offered.lower().startswith("basic"):
            redirect.headers.add("WWW-Authenticate", offered)
    return redirect
