"""Will a browser keep this cookie, guard it, and give it up when it is told to?

Rule 1.  What a name promises by its prefix, the attributes keep; ``SameSite=None`` is ``Secure``;
         name and value take 4096 bytes at most (RFC 6265bis, section 5.7).  A browser ignores other
         cookies.
Rule 2.  A cookie is ``Secure``, ``HttpOnly`` unless it is for scripts, and has a ``SameSite``
         (ASVS 3.3.1, 3.3.2, 3.3.4).
Rule 3.  It is deleted as it was set, or the browser does not find it.
Rule 4.  It names nobody who can be read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from .cookies import REMEMBER, SESSION, promises
from .settings import COOKIE_LIMIT

#: Attributes that a deletion need not have as the cookie has them.
_OF_ITS_OWN: Final = ("expires", "max-age", "httponly")

#: A shorter text is in many a value by chance.
_TELLING: Final = 4

#: What may name a user, beside the id.
_NAMES: Final = ("email", "mail", "username", "user_name", "login", "name")


@dataclass(frozen=True, slots=True)
class SetCookie:
    """One ``Set-Cookie`` header."""

    name: str
    value: str
    #: In lower case, with their values.
    attributes: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        return f"<SetCookie {self.name}>"

    def __contains__(self, attribute: str) -> bool:
        return attribute in dict(self.attributes)

    @property
    def samesite(self) -> str:
        return dict(self.attributes).get("samesite", "").lower()

    @property
    def is_deletion(self) -> bool:
        """Does it take the cookie from the browser, as frameworks do that?"""
        said = dict(self.attributes)
        return said.get("max-age", "").strip() == "0" or " 1970 " in said.get("expires", "")

    @property
    def place(self) -> dict[str, str]:
        """What a deletion must repeat."""
        kept = {key: text for key, text in self.attributes if key not in _OF_ITS_OWN}
        return {key: text.lower() if key == "samesite" else text for key, text in kept.items()}


def parse(line: str) -> SetCookie:
    """Return what the ``Set-Cookie`` header *line* says, as a browser reads it."""
    pair, *rest = line.split(";")
    name, _, value = pair.partition("=")
    said = {}
    for part in rest:
        key, _, text = part.strip().partition("=")
        said[key.lower()] = text
    return SetCookie(name.strip(), value.strip(), tuple(said.items()))


def objections(
    cookie: SetCookie, families: dict[str, str], for_scripts: Collection[str], names: Iterable[str]
) -> Iterator[str]:
    """Yield what is wrong with *cookie*, and what to do.

    *families* are the login cookies' names, each with how its settings begin; *for_scripts* are the
    names of those that scripts read on purpose; *names* are texts that name the user.
    """
    family = families.get(cookie.name)
    yield from _lost(cookie, family)
    if cookie.is_deletion:
        return
    if "secure" not in cookie:
        yield f"It has no Secure, so it is sent without HTTPS. {_say(family, 'SECURE', True)}"
    if "httponly" not in cookie and cookie.name not in for_scripts:
        ending = "" if family else " If scripts read it on purpose, name it in login_audit_scripts."
        yield f"It has no HttpOnly, so scripts read it. {_say(family, 'HTTPONLY', True)}{ending}"
    if not cookie.samesite:
        yield (
            "It has no SameSite, so other sites' requests bring it along."
            f" {_say(family, 'SAMESITE', 'Lax')}"
        )
    if any(_stands_in(name, unquote(cookie.value)) for name in names):
        yield (
            "Its value names the user, for whoever sees it. Keep an opaque value there, and the"
            f" name on the server.{_form(family)}"
        )


def _lost(cookie: SetCookie, family: str | None) -> Iterator[str]:
    """Yield why a browser ignores *cookie*."""
    promised = promises(cookie.name)
    for word in ("Secure", "HttpOnly"):
        if word.upper() in promised and word.lower() not in cookie:
            yield (
                f"Browsers ignore it: by its name it is {word}, and it is not."
                f" {_say(family, word.upper(), True)}"
            )
    if "HOST" in promised and ("domain" in cookie or dict(cookie.attributes).get("path") != "/"):
        yield "Browsers ignore it: by its name it has Path=/ and no Domain. Say so, or rename it."
    if cookie.samesite == "none" and "secure" not in cookie:
        yield f"Browsers ignore it: SameSite=None needs Secure. {_say(family, 'SECURE', True)}"
    if "partitioned" in cookie and "secure" not in cookie:
        yield f"Browsers ignore it: Partitioned needs Secure. {_say(family, 'SECURE', True)}"
    if len(cookie.name.encode()) + len(cookie.value.encode()) > COOKIE_LIMIT:
        yield f"Browsers ignore it: it takes over {COOKIE_LIMIT} bytes. Keep less in it."


def _stands_in(name: str, value: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", value) is not None


def _say(family: str | None, word: str, value: object) -> str:
    if family is None:
        return f"Say set_cookie(..., {word.lower()}={value!r})."
    own = f"{family}_{word} = {value!r}."
    # It is on unless an application turns it off, which contradicts LOGIN_SECURE_COOKIES.
    return f"Set {own}" if word == "HTTPONLY" else f"Set LOGIN_SECURE_COOKIES = True, or {own}"


def _form(family: str | None) -> str:
    own = family is not None and family.endswith(REMEMBER)
    return " Set REMEMBER_COOKIE_FORMAT = 'quart-login'." if own else ""


def mismatch(set_: SetCookie, deleted: SetCookie) -> str | None:
    """Return why *deleted* does not delete what *set_* set; None if it does."""
    there, said = set_.place, deleted.place
    if there == said:
        return None
    wrong = sorted(key for key in {*there, *said} if there.get(key) != said.get(key))
    return (
        f"It is deleted with another {', '.join(wrong)} than it is set with, so browsers may keep"
        " it. Delete it with what it was set with: delete_cookie(name, path=..., domain=...,"
        " secure=..., samesite=...)."
    )


def families_of(app: Any, managers: Iterable[Any]) -> dict[str, str]:
    """Return the names of *app*'s login cookies, each with how its settings begin."""
    found = {str(app.config.get(f"{SESSION}_NAME") or "session"): SESSION}
    for manager in managers:
        own = "" if manager.realm is None else f"{manager.realm.upper()}_"
        found[manager.setting(app, f"{REMEMBER}_NAME")] = f"{own}{REMEMBER}"
    return found


def names_of(user: Any, user_id: object) -> list[str]:
    """Return the texts that name *user*, whose id is *user_id*, if they are long enough to tell."""
    texts = [user_id, *(getattr(user, name, None) for name in _NAMES)]
    return sorted({text for text in texts if isinstance(text, str) and len(text) >= _TELLING})
