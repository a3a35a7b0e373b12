"""Which login session did the browser bring?"""

from __future__ import annotations

from . import proofs
from .asking import ask
from .claim import sent_as
from .errors import ConfigurationError
from .exchange import Exchange
from .proofs import Proof, Series
from .store import LoginSession
from .tokens import keys_of


def proof_of(exchange: Exchange) -> Proof | None:
    """Return what the session holds of a login session, or held as it came, good or not."""
    key, identity = exchange.manager.keys.proof, exchange.identity
    found = exchange.session.get(key) or (identity.hidden and identity.hidden.get(key))
    return proofs.read(found or identity.left)


def series_of(exchange: Exchange) -> Series | None:
    """Return what the remember cookie says of a login session, good or not."""
    name = sent_as(exchange)
    if name is None:
        return None
    try:
        keys = keys_of(exchange.config)
    except ConfigurationError:
        return None  # No key, no credential. Logging in says what is missing.
    text = exchange.request.cookies[name]
    return proofs.read_series(text, keys, exchange.setting("LOGIN_AUDIENCE"))


async def held(exchange: Exchange) -> LoginSession | None:
    """Return the login session that the browser has or had, whoever's it is, to leave or end it."""
    if exchange.identity.login_session is not None:
        return exchange.identity.login_session
    proof, series = proof_of(exchange), series_of(exchange)
    # What is in the session was ours, though a confirmation on its way may have replaced it.
    login = None if proof is None else await _named(exchange, proof)
    if login is not None or series is None:
        return login
    login = await _named(exchange, series.proof)
    return login if login is not None and is_shown(series.proof, login) else None


async def all_held(exchange: Exchange) -> list[LoginSession]:
    """Return the login sessions that the browser has or had: another by its remember cookie than by
    its session, if so it is.
    """
    found, series = await held(exchange), series_of(exchange)
    logins = [] if found is None else [found]
    if series is not None and (found is None or found.id != series.proof.id):
        login = await _named(exchange, series.proof)
        if login is not None and is_shown(series.proof, login):
            logins.append(login)
    return logins


async def drop(exchange: Exchange) -> None:
    """End the login sessions that the browser names, unread."""
    series = series_of(exchange)
    for proof in (proof_of(exchange), None if series is None else series.proof):
        if proof is not None:
            await ask(exchange, "delete", proof.id)


async def _named(exchange: Exchange, proof: Proof) -> LoginSession | None:
    """Return the login session that *proof* names, whether or not it proves that."""
    found: LoginSession | None = await ask(exchange, "get", proof.id)
    return found


def is_shown(proof: Proof, login: LoginSession) -> bool:
    """Is *proof* what the remember cookie of *login* holds, or held before?"""
    return proofs.is_of(proof.secret, login.remember) or proofs.is_of(proof.secret, login.former)
