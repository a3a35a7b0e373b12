"""May another password be tried?

Rule 1.  A try is counted before the password is looked at, in one statement: whoever sends many at
         once is counted as often.
Rule 2.  A few are enough for one name from one address.  Many names from one address are somebody
         with a list, and one name from many addresses is somebody with many machines.
Rule 3.  No single address locks a user out at others: what is refused counts for nothing else.
Rule 4.  Names are not kept, as people type passwords into the wrong field; digests are.
"""

from __future__ import annotations

import hmac
import time
from typing import Any, Final

from quart import current_app, request
from sqlalchemy import case, delete
from sqlalchemy.dialects.postgresql import insert as insert_into_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_into_sqlite

from .database import Database, Tries

#: Seconds for which tries are counted, from the first one.
WINDOW: Final = 15 * 60

#: How many there may be in that time.
OF_NAME_AND_ADDRESS: Final = 5
OF_ADDRESS: Final = 50
OF_NAME: Final = 200


class Throttle:
    """Counts the passwords that were tried, in *database*: all processes count together."""

    clock = staticmethod(time.time)

    def __init__(self, database: Database) -> None:
        self._database = database

    async def allows(self, name: str) -> bool:
        """Count a try of this request on the user *name*, and say whether it may be made."""
        address = request.remote_addr or ""
        # In this order: what is refused by one does not count for the next.
        for key, limit in (
            (_key(name, address), OF_NAME_AND_ADDRESS),
            (_key("", address), OF_ADDRESS),
            (_key(name, ""), OF_NAME),
        ):
            if await self._count(key) > limit:
                return False
        return True

    async def allows_address(self) -> bool:
        """Count what this request asks for, and say whether its address may ask for more."""
        return await self._count(_key("", request.remote_addr or "")) <= OF_ADDRESS

    async def forget(self, name: str) -> None:
        """Start anew with *name* at this address: the password was right."""
        await self._remove(Tries.key == _key(name, request.remote_addr or ""))

    async def purge(self) -> None:
        """Remove what does not count any more."""
        await self._remove(Tries.since < self.clock() - WINDOW)

    async def _count(self, key: str) -> int:
        now = self.clock()
        postgresql = self._database.dialect == "postgresql"
        insert: Any = insert_into_postgresql if postgresql else insert_into_sqlite
        over = Tries.since < now - WINDOW
        counted = (
            insert(Tries)
            .values(key=key, since=now, count=1)
            .on_conflict_do_update(
                index_elements=[Tries.key],
                set_={
                    "since": case((over, now), else_=Tries.since),
                    "count": case((over, 1), else_=Tries.count + 1),
                },
            )
            .returning(Tries.count)
        )
        async with self._database.session() as session, session.begin():
            return int((await session.execute(counted)).scalar_one())

    async def _remove(self, which: Any) -> None:
        async with self._database.session() as session, session.begin():
            await session.execute(delete(Tries).where(which))


def _key(name: str, address: str) -> str:
    secret = current_app.config["SECRET_KEY"].encode()
    return hmac.new(secret, f"tries\0{name}\0{address}".encode(), "sha256").hexdigest()
