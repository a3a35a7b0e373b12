"""What do Flask-Login's `encode_cookie` and `decode_cookie` say?"""

from __future__ import annotations

from typing import Any

from . import remember
from .tokens import Keys, Token, decode_legacy, encode_legacy, keys_of


def encode_cookie(web: Any, payload: str, key: str | bytes | None = None) -> str:
    """Return *payload* and its signature, as Flask-Login writes them: ``payload|signature``.

    *key* is ``SECRET_KEY`` unless given.  The value never expires and is good wherever such values
    are read; prefer `itsdangerous` for purposes of your own.
    """
    return encode_legacy(payload, keys_of(web.current_app.config).current if key is None else key)


def decode_cookie(web: Any, cookie: str, key: str | bytes | None = None) -> str | None:
    """Return what `encode_cookie` encoded, or None if it did not.

    Without *key*, ``SECRET_KEY_FALLBACKS`` count, too, and a remember cookie of this library's own
    form gives its user's id, as a `str`, while it lives.
    """
    app = web.current_app
    keys = keys_of(app.config) if key is None else Keys(key)
    found = decode_legacy(cookie, [keys.current, *keys.fallbacks])
    if found is not None:
        return found[0]
    manager = getattr(app, "login_manager", None)
    if key is not None or manager is None or "|" in cookie:
        return None
    token = remember.read(cookie, keys, lambda name: manager.setting(app, name), manager.clock())
    return str(token.user_id) if isinstance(token, Token) else None
