"""Which of a user's open pages are to be told that a note changed?

Those of this process; and those of others, by a channel in Redis, if there is one.  What is told is
the number of the note, and each page looks for it anew: so nothing of a note goes that way.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

_CHANNEL: Final = "notes:changed"

#: Seconds before a connection that was lost is made anew.
_PAUSE: Final = 1.0


class Page:
    """An open page, and what its user changed since it last looked."""

    def __init__(self) -> None:
        self._some = asyncio.Event()
        self._notes: set[int] | None = set()
        self.tell(None)

    def tell(self, note_id: int | None) -> None:
        """Tell that a note changed; None if it is unknown which."""
        if note_id is None:
            self._notes = None
        elif self._notes is not None:
            self._notes.add(note_id)
        self._some.set()

    async def look(self) -> set[int] | None:
        """Wait for changes, and return which notes to look for; None for all, as at first."""
        await self._some.wait()
        self._some.clear()
        notes, self._notes = self._notes, set()
        return notes


class News:
    """Tells the pages that are open in this process."""

    def __init__(self) -> None:
        self._pages: defaultdict[int, set[Page]] = defaultdict(set)

    @contextmanager
    def page(self, user_id: int) -> Iterator[Page]:
        """Hear of this user's notes in a ``with`` block."""
        page = Page()
        self._pages[user_id].add(page)
        try:
            yield page
        finally:
            self._pages[user_id].discard(page)
            if not self._pages[user_id]:
                del self._pages[user_id]

    async def tell(self, user_id: int, note_id: int) -> None:
        """Tell this user's pages that the note was made, changed or deleted."""
        self._pass_on(user_id, note_id)

    async def listen(self) -> None:
        """Hear what other processes tell, until cancelled."""

    def _pass_on(self, user_id: int, note_id: int | None) -> None:
        for page in self._pages.get(user_id, ()):
            page.tell(note_id)


class RedisNews(News):
    """Tells the pages that are open in all processes, by the server of *redis*."""

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self._redis: Any = redis

    async def tell(self, user_id: int, note_id: int) -> None:
        try:
            await self._redis.publish(_CHANNEL, f"{user_id} {note_id}")
        except RedisError:
            # The note is kept. Only pages of other processes do not hear of it.
            logger.warning("Redis could not be told of a note.")
            self._pass_on(user_id, note_id)

    async def listen(self) -> None:
        while True:
            try:
                await self._hear()
            except RedisError:
                await asyncio.sleep(_PAUSE)

    async def _hear(self) -> None:
        async with self._redis.pubsub() as channel:
            await channel.subscribe(_CHANNEL)
            for user_id in list(self._pages):
                self._pass_on(user_id, None)  # Something may have been missed.
            async for message in channel.listen():
                if message["type"] == "message":
                    user_id, note_id = map(int, message["data"].split())
                    self._pass_on(user_id, note_id)
