"""Browsers that are logged in where logins are registered."""

from __future__ import annotations

from typing import Any

from core.paper import COOKIE, Browser, User

from quart_login._core import login, proofs
from quart_login._core.load import known
from quart_login._core.settings import SessionKeys

KEYS = SessionKeys()
ALICE, BOB, LOCKED = User(7), User("bob"), User(9, active=False)
USERS = {7: ALICE, "bob": BOB, 9: LOCKED}


def browser(**config: Any) -> Browser:
    return Browser(users=USERS, config=config)


def logged_in(user: User = ALICE, remember: bool = False, **config: Any) -> Browser:
    it = browser(**config)
    assert it.log_in(user, remember)
    it.store.asked.clear()
    return it


def proof_in(it: Browser) -> proofs.Proof:
    proof = proofs.read(it.session[KEYS.proof])
    assert proof is not None
    return proof


def series_in(it: Browser) -> proofs.Series:
    series = proofs.read_series(it.jar[COOKIE], keys_of(it), None)
    assert series is not None
    return series


def keys_of(it: Browser) -> Any:
    return login.check_keys(it.it.app, it.it.manager)


async def is_fresh(exchange: Any) -> bool:
    await known(exchange)
    return login.login_fresh(exchange)
