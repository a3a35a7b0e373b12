"""Is that the password?"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

T = TypeVar("T")

#: NIST SP 800-63B-4, 3.1.1.2, of a password that is the only proof.
SHORTEST: Final = 15
LONGEST: Final = 256


class Passwords:
    """Hashes passwords, slowly and with much memory: in threads, off the event loop."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        # A hash takes 64 MiB: not as many at once as anybody cares to send.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="argon2")
        # Checked where there is no such user, so that the answer takes as long.
        self._nobodys = self._hasher.hash(secrets.token_hex())

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._hasher.hash(_normal(password)))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Is *password* what *password_hash* was made of?  Not if that is None."""
        known = password_hash or self._nobodys
        return await self._run(lambda: self._verify(known, password)) and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Would it be hashed with other parameters today?"""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, _normal(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _normal(password: str) -> str:
    """Return *password* as every keyboard spells it."""
    return unicodedata.normalize("NFKC", password)


def objections(password: str, again: str, name: str) -> dict[str, str]:
    """Return what is wrong with a new *password*, which was typed twice, by the fields of the form:
    both where they differ.
    """
    if problem := _objection(password, name):
        return {"password": problem}
    if password != again:
        return dict.fromkeys(("password", "again"), "The two passwords are not the same.")
    return {}


def _objection(password: str, name: str) -> str | None:
    if len(password) < SHORTEST:
        return f"That is too short: it has {len(password)} of {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"Take {LONGEST} characters or fewer."
    if name and password.casefold() == name.casefold():
        return "Take another one than your name."
    return None
