"""What is in cookies, sessions and signals, read without the shells."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

import flask_login
from sites import KEY
from werkzeug.http import dump_cookie, parse_cookie

from quart_login._core.tokens import Keys, read_token

#: What Flask-Login does not keep, and what `quart_login` does not.
OURS, THEIRS = "_login_record", "_remember_seconds"


@dataclass(frozen=True)
class Cookie:
    """A remember cookie as the test reads it."""

    value: str
    #: The user's id as text, or None for junk.
    user_id: str | None = None
    #: Is it in Flask-Login's form?
    legacy: bool = False
    #: When a cookie of our form was issued, and for how many seconds (None: as settings say).
    issued: int | None = None
    seconds: float | None = None

    @classmethod
    def read(cls, value: str | None) -> Cookie | None:
        if value is None:
            return None
        if value.isascii() and "|" in (text := _unquoted(value)):
            user_id = flask_login.decode_cookie(text, KEY)
            return cls(value, user_id, legacy=user_id is not None)
        token = read_token(value, Keys(KEY), None)
        if token is None:
            return cls(value)
        return cls(value, str(token.user_id), False, token.issued, token.seconds)


def _unquoted(value: str) -> str:
    return parse_cookie(f"c={value}").get("c", "")


@dataclass
class Outcome:
    """What one step did, as far as the outside can tell."""

    status: int
    text: str | None
    location: str | None
    #: What the session holds afterwards.
    session: dict[str, Any]
    #: ``None``, ``("set", attributes)`` or ``("deleted", attributes)``.
    session_cookie: Any
    #: ``None``, ``("set", value or user id, attributes)`` or ``("deleted", attributes)``.
    remember_cookie: Any
    signals: list[tuple[str, dict[str, Any]]]


def cookie_of(word: str) -> str:
    """Return the remember cookie that *word* names: a user's id, or a kind of junk."""
    if word in JUNK:
        return JUNK[word]
    value = flask_login.encode_cookie(word, KEY)
    # As it stands in a header.
    return str(dump_cookie("c", value, path=None)).partition("=")[2]


JUNK = {
    "junk": "junk",
    "bar": "|",
    "empty": "",
    "forged": "1|" + "0" * 128,
    "latin": "1|é",
    "dotted": "WzEsMTgwMDAwMDAwMCxudWxsLG51bGxd.Zm9yZ2Vk",
}


def comparable(session: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in session.items() if k not in (OURS, THEIRS)}


def shown(extra: dict[str, Any]) -> dict[str, Any]:
    """Return a signal's extras with the user as its id, and a reason as its text."""
    if "user" in extra:
        user = extra["user"]
        return {**extra, "user": "anonymous" if user.is_anonymous else user.get_id()}
    return {k: str(v) for k, v in extra.items()}


def parse_set_cookie(line: str | None) -> Any:
    """Return what a Set-Cookie header says.

    That is ``("set", value, attributes)``, ``("deleted", attributes)`` or None.
    """
    if line is None:
        return None
    pair, *rest = line.split("; ")
    parts = (part.partition("=") for part in rest)
    attributes = {name.lower(): text for name, _, text in parts}
    if attributes.get("max-age") == "0":
        return ("deleted", attributes)
    return ("set", pair.partition("=")[2], attributes)


class About(NamedTuple):
    """What the shells' own key in the session says of its login, read by hand."""

    user_id: str | None = None
    fresh_since: int | None = None
    forced: bool = False
    #: Negative: as long as the settings say.
    remembered: float | None = None
    #: Whose data a logout left.
    left_by: str | None = None


def about(session: dict[str, Any]) -> About:
    """Read the shells' own key in *session*; nothing if it speaks of another user."""
    text = session.get(OURS, "")
    if text.startswith("was|"):
        return About(left_by=text.removeprefix("was|"))
    if text.count("|") < 5:
        return About()
    since, remembered, forced, _epoch, _audience, user_id = text.split("|", 5)
    if user_id != str(session.get("_user_id")):
        return About()
    return About(
        user_id,
        int(since) if since else None,
        forced == "f",
        float(remembered) if remembered else None,
    )


def mark(user_id: Any) -> str:
    """Return what a logout leaves in place of *user_id*."""
    return sha256(f"quart-login.owner|{user_id}".encode()).hexdigest()[:32]


def check_record(session: dict[str, Any]) -> None:
    """What only the shells keep speaks of the session's own user."""
    if "_user_id" in session:
        assert about(session).user_id == str(session["_user_id"])
