"""What does the log say of an event?

One line, under the logger ``quart_login``, before the receivers of the signal hear of it.

Rule 1.  A line holds nothing that authenticates.  Users, and the names that visitors try (which
         may be passwords, typed into the wrong field), are digests under ``SECRET_KEY``: lines of
         one user can be told to belong together, and nobody without the key can try a list of
         names or passwords on them.  The page is its route's rule, ``/reset/<token>``: paths and
         queries hold tokens.  (OWASP Logging Cheat Sheet, "Data to exclude"; ASVS 5.0, 16.2.5.)
Rule 2.  What a visitor sends breaks no line: it is escaped, and cut (ASVS 5.0, 16.4.1).
Rule 3.  Where nobody reads the line, nothing of it is computed.
Rule 4.  No line is an error of the request it tells of.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from blinker import Signal

from . import signals
from .exchange import Exchange
from .reasons import Reason
from .tokens import pseudonym
from .users import MAX_ID_BITS, MAX_ID_BYTES, id_of

logger = logging.getLogger("quart_login")

#: The name of the line that tells of a receiver that failed.
RECEIVER_FAILED: Final = "receiver_failed"

#: The name of the line that tells of a store that could not note when a login was last seen.
STORE_FAILED: Final = "store_failed"

#: How grave an event is.  Routine is INFO, or DEBUG where it may come with each request.
LEVELS: Final[Mapping[Signal, int]] = {
    signals.user_logged_in: logging.INFO,
    signals.user_logged_out: logging.INFO,
    signals.user_login_confirmed: logging.INFO,
    signals.user_login_failed: logging.WARNING,
    signals.user_loaded_from_cookie: logging.INFO,
    signals.user_loaded_from_request: logging.DEBUG,
    signals.user_loaded_from_header: logging.DEBUG,
    signals.user_unauthorized: logging.INFO,
    signals.user_needs_refresh: logging.INFO,
    signals.session_protected: logging.INFO,
    signals.credential_rejected: logging.INFO,
    signals.identity_mismatch: logging.WARNING,
    signals.login_session_ended: logging.INFO,
    signals.remember_theft_detected: logging.WARNING,
}

#: Refusals that an honest browser seldom meets, and one that is the application's own failure.
GRAVER: Final[Mapping[Reason, int]] = {
    Reason.BAD_SIGNATURE: logging.WARNING,
    Reason.PROTECTED: logging.WARNING,
    Reason.USER_MISMATCH: logging.WARNING,
    Reason.NOT_A_USER: logging.WARNING,
    Reason.WRONG_PASSWORD: logging.WARNING,
    Reason.REMEMBER_THEFT: logging.WARNING,
    Reason.LOADER_FAILED: logging.ERROR,
    Reason.STORE_FAILED: logging.ERROR,
}

#: The events under the names that they are exported by.
NAMES: Final[Mapping[Signal, str]] = {
    signal: name for name, signal in vars(signals).items() if isinstance(signal, Signal)
}

#: A visitor's text of more characters is cut.
_SHOWN: Final = 128


def keep(exchange: Exchange, signal: Signal, user_id: Any = None, **extra: Any) -> None:
    """Log *signal* now, and send it when the user is bound; *user_id* is whom the line names."""
    note(exchange, signal, user=extra.get("user"), user_id=user_id, reason=extra.get("reason"))
    exchange.identity.tell(signal, **extra)


def note(
    exchange: Exchange,
    signal: Signal,
    *,
    user: Any = None,
    user_id: Any = None,
    reason: object = None,
    identifier: object = None,
    error: BaseException | None = None,
) -> None:
    """Log that *signal* is sent, in one line."""
    level = LEVELS.get(signal, logging.INFO)
    if isinstance(reason, Reason):
        level = GRAVER.get(reason, level)
    if logger.isEnabledFor(level):
        who = _who(exchange, user) if user_id is None else user_id
        name = NAMES.get(signal, str(signal))
        _log(exchange, level, name, reason, who, identifier, error)


def note_receiver(exchange: Exchange, signal: Signal, error: BaseException | None = None) -> None:
    """Log that a receiver of *signal* raised *error*."""
    if logger.isEnabledFor(logging.ERROR):
        _log(exchange, logging.ERROR, RECEIVER_FAILED, NAMES.get(signal), None, None, error)


def note_store(exchange: Exchange, error: BaseException) -> None:
    """Log that the store of login sessions failed with *error* where the request goes on."""
    if logger.isEnabledFor(logging.WARNING):
        _log(exchange, logging.WARNING, STORE_FAILED, None, None, None, error)


def note_refusal(exchange: Exchange, event: str, reason: str, said: str) -> None:
    """Log in *said* that the handshake of a websocket was refused for *reason*, one word."""
    if logger.isEnabledFor(logging.WARNING):
        _log(exchange, logging.WARNING, event, reason, None, None, None, said)


# --- the line ------------------------------------------------------------------------------------


def _log(
    exchange: Exchange,
    level: int,
    event: str,
    reason: object,
    user_id: object,
    identifier: object,
    error: BaseException | None,
    said: str = "",
) -> None:
    request = exchange.request
    fields = {
        "event": event,
        "reason": _word(reason),
        "realm": exchange.manager.name,
        "user": _user(exchange, user_id),
        "identifier": _digest(exchange, identifier),
        "remote_addr": None if request is None else _shown(exchange.client()[0]),
        "method": _shown(getattr(request, "method", None)),
        "route": getattr(getattr(request, "url_rule", None), "rule", None),
    }
    told = [f"{key}={value}" for key, value in fields.items() if key != "event" and value]
    cause = None if error is None else (type(error), error, error.__traceback__)
    line = logger.makeRecord(
        logger.name, level, __file__, 0, said or " ".join([event, *told]), (), cause, None
    )
    # Not as `extra`, which is an error where the application's own records have such a field.
    line.__dict__.update(fields)
    logger.handle(line)


def _who(exchange: Exchange, user: Any) -> object:
    """Return the id of *user*, or of the request's user, or None if it has none."""
    if user is None and exchange.identity.loaded:
        user = exchange.identity.user
    try:
        return id_of(user, exchange.manager.id_attribute)
    except Exception:  # nobody, or somebody whom nobody logs in
        return None


def _user(exchange: Exchange, user_id: object) -> str | None:
    if exchange.setting("LOGIN_LOG_USER_IDS"):
        return _shown(_text(user_id))
    return _digest(exchange, user_id)


def _digest(exchange: Exchange, value: object) -> str | None:
    """Return what stands for *value* in the log, or None where it is nothing or no name."""
    text, key = _text(value), exchange.config.get("SECRET_KEY")
    if text is None or not key:
        return None
    return pseudonym(text, key, exchange.manager.realm)


def _text(value: object) -> str | None:
    """Return *value* as text, if it is such as can name a user."""
    if isinstance(value, str):
        return value[:MAX_ID_BYTES]
    whole = isinstance(value, int) and value.bit_length() <= MAX_ID_BITS
    return str(value) if whole else None


def _word(reason: object) -> str | None:
    """Return *reason* if it is one word, and no sentence that may quote a visitor."""
    if not isinstance(reason, str) or len(reason) > _SHOWN:
        return None
    text = str(reason)
    return text if text.isascii() and text.isidentifier() else None


def _shown(text: str | None) -> str | None:
    """Return *text* as one short line of ASCII."""
    return None if text is None else text[:_SHOWN].encode("unicode_escape").decode()
