"""Who writes, and what is written; kept in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from flask import render_template
from flask_login import UserMixin
from werkzeug.security import check_password_hash, generate_password_hash

_METHOD = "pbkdf2:sha256:1"


class User(UserMixin):
    def __init__(self, id: int, name: str, password: str, role: str = "writer") -> None:
        self.id = id
        self.name = name
        self.role = role
        self.key = f"key-of-{name}"
        self.locked = False
        self._hash = generate_password_hash(password, _METHOD)

    @property
    def is_active(self) -> bool:
        return not self.locked

    def knows(self, password: str) -> bool:
        return check_password_hash(self._hash, password)

    def lock(self, reason: str) -> str:
        """Lock the account, and return the letter that tells so."""
        self.locked = True
        return self.letter(reason)

    def letter(self, reason: str) -> str:
        return render_template("goodbye.txt", name=self.name, reason=reason)


@dataclass
class Notice:
    id: int
    author: str
    text: str
    picture: bytes = b""


@dataclass
class Store:
    users: list[User] = field(default_factory=list)
    notices: dict[int, Notice] = field(default_factory=dict)
    _ids: count = field(default_factory=lambda: count(1))

    def reset(self) -> None:
        self.notices.clear()
        self.users[:] = [
            User(1, "ann", "the password of ann", "moderator"),
            User(2, "bob", "the password of bob"),
        ]

    def by_id(self, user_id: int) -> User | None:
        return next((user for user in self.users if user.id == user_id), None)

    def by_name(self, name: str) -> User | None:
        return next((user for user in self.users if user.name == name), None)

    def by_key(self, key: str) -> User | None:
        return next((user for user in self.users if user.key == key), None)

    def add(self, author: str, text: str, picture: bytes = b"") -> Notice:
        notice = Notice(next(self._ids), author, text, picture)
        self.notices[notice.id] = notice
        return notice


store = Store()
store.reset()
