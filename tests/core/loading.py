"""Users, sessions and tokens of those whom `load` loads."""

from __future__ import annotations

from typing import Any

from core.paper import COOKIE, Paper, User, about, value_of

from quart_login._core.protection import fingerprint
from quart_login._core.remember import read
from quart_login._core.tokens import Token, keys_of

ALICE, BOB, LOCKED = User(7), User(8), User(9, active=False)

USERS = {user.id: user for user in (ALICE, BOB, LOCKED)} | {"7": ALICE}

JUNK = {COOKIE: "1|é"}


def session_of(user: Any, **more: Any) -> dict[str, Any]:
    """Return the session of a login of *user* by the browser of `Paper`."""
    here = fingerprint(*Paper().client())
    return {
        "_user_id": user.id,
        "_fresh": True,
        "_id": here,
        "_login_record": about(user.id),
        **more,
    }


def paper(session: Any = None, **options: Any) -> Paper:
    return Paper(session, users=options.pop("users", USERS), **options)


def token_in(it: Paper) -> Token:
    """Return the remember token that the response gives."""
    keys = keys_of(it.app.config)
    token = read(value_of(it.identity.remember), keys, it.setting, it.manager.clock())
    assert isinstance(token, Token)
    return token


def raises(error: Exception) -> Any:
    def loader(key: Any) -> Any:
        raise error

    return loader


def asked_by_request(it: Paper, user: Any) -> list[Any]:
    """Let the request loader find *user*, and return the list of requests it was asked for."""
    asked: list[Any] = []

    def load_from_request(request: Any) -> Any:
        asked.append(request)
        return user

    it.manager.request_loader(load_from_request)
    return asked
