"""Did a browser keep its cookies of this site back?

A request that another site's page began comes without the cookies that are ``SameSite``, so its
visitor seems to be a stranger with an empty session, and may be neither.  What is then written into
the session comes back as a new cookie in place of the one that was kept back: the user would be
logged out by a page of another site.

Rule 1.  Cookies are kept back from requests that another site began (``Sec-Fetch-Site``; W3C Fetch
         Metadata, section 2.3), if they are ``Strict``, or if the method is not a safe one
         (RFC 6265bis, section 5.2).  A cookie that says nothing is ``Lax``, as in most browsers.
Rule 2.  Who brought a session cookie has nothing to lose: what is written is added to it.
"""

from __future__ import annotations

from collections.abc import Sized
from typing import Final

#: The header that tells who began a request, and what it says of another site.
FETCH_SITE: Final = "Sec-Fetch-Site"
_OTHER: Final = "cross-site"

#: The methods by which a browser goes from a page to the next with its ``Lax`` cookies.
_SAFE: Final = ("GET", "HEAD")


def may_be_withheld(
    fetch_site: str | None, method: str, same_site: str | None, session: Sized
) -> bool:
    """May the browser have a session cookie that it did not send?

    *same_site* is the setting ``SESSION_COOKIE_SAMESITE``, and *session* what the request brought.
    """
    if fetch_site != _OTHER or session:
        return False
    kept_to = (same_site or "lax").lower()
    return kept_to == "strict" or (kept_to != "none" and method not in _SAFE)
