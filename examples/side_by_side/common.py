"""What do the halves share, so that a login of one is a login of the other?

Rule 1.  One ``SECRET_KEY``, and the same names and paths of cookies: what one half wrote, the other
         reads.
Rule 2.  One store of login sessions: what ended in one half has ended in the other.
Rule 3.  One way to load a user, by the same ids.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from quart_login.stores import Store
from quart_login.stores.sqlite import SQLiteStore

#: Where login sessions and the key are kept, below where the application is started.
DIRECTORY: Final = "side-by-side-data"

#: Where both halves have their pages and static files.
HERE: Final = Path(__file__).parent

#: Where the Quart half begins.  All else is the Flask half's.
NEW: Final = "/new"

NAME: Final = "alice"
PASSWORD: Final = "follow the white rabbit"


class User:
    """A user; each half derives its own from this, with its package's `UserMixin`."""

    def __init__(self, id: str) -> None:
        self.id = id


def settings() -> dict[str, Any]:
    """Return what both halves set."""
    return {
        "SECRET_KEY": os.environ.get("SECRET_KEY") or key_in(_home()),
        "SESSION_COOKIE_PATH": "/",
        "SESSION_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        # Where the two packages differ, this is what quart_login does: both do, then.
        "LOGIN_CLEAR_SESSION_ON_LOGOUT": True,
        "LOGIN_CACHE_CONTROL_PRIVATE": True,
        "LOGIN_STRONG_DROPS_PERMANENT": True,
    }


def open_store() -> Store:
    return SQLiteStore(_home() / "sessions.sqlite3")


def _home() -> Path:
    """Return the directory of what is kept, which is made, for its owner alone."""
    directory = Path(os.environ.get("SIDE_BY_SIDE_DATA", DIRECTORY)).resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def key_in(directory: Path) -> str:
    """Return the secret key, which is made at the first start: a new one ends all logins."""
    path = directory / "secret_key"
    if not path.exists():
        # Written beside it first: nobody reads half a key, and two starts at once have the same.
        with NamedTemporaryFile("w", dir=directory) as file, suppress(FileExistsError):
            file.write(secrets.token_hex(32))
            file.flush()
            os.link(file.name, path)
    return path.read_text().strip()


_hasher = PasswordHasher()
_hash = _hasher.hash(PASSWORD)
# Checked where there is no such user, so that the answer takes as long.
_nobodys_hash = _hasher.hash(secrets.token_hex())


def knows(name: str, password: str) -> bool:
    """Is that the name and password of a user?  (Slow by design: keep it off the event loop.)"""
    try:
        return _hasher.verify(_hash if name == NAME else _nobodys_hash, password) and name == NAME
    except VerifyMismatchError:
        return False


def is_foreign(request: Any) -> bool:
    """Was *request*, of either half, sent by a page of another site?"""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return False
    site = request.headers.get("Sec-Fetch-Site")  # Old browsers send `Origin` alone.
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.host


#: What every response tells the browser.
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
