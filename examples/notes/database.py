"""What is kept, and where?

Users, their notes, what was tried on their passwords, and the login sessions: these are a table in
the application's own metadata, so that its migrations see it.
"""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import ForeignKey, String, Text, event, select, update
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from quart_login import UserMixin
from quart_login.stores.sqlalchemy import SQLAlchemyStore

from .names import LONGEST, LONGEST_FOLDED

#: The drivers that wait without blocking, for who names a database alone.
_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


class Base(DeclarativeBase):
    pass


class User(UserMixin, Base):
    __tablename__ = "account"
    # An id is never used again: what names a user who is gone must name nobody.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    #: As it was typed, and as it is compared.
    name: Mapped[str] = mapped_column(String(LONGEST))
    folded: Mapped[str] = mapped_column(String(LONGEST_FOLDED), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    #: Changes with the password.  Every login that was made before it did is over.
    session_epoch: Mapped[int] = mapped_column(default=0)


class Note(Base):
    __tablename__ = "note"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)
    #: In seconds since 1970.
    changed: Mapped[float] = mapped_column(default=time.time)


class Tries(Base):
    """How many passwords were tried of late; see `throttle`."""

    __tablename__ = "tries"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    since: Mapped[float]
    count: Mapped[int]


class Database:
    """The database at *url*: ``sqlite:///notes.sqlite3``, or ``postgresql://localhost/notes``."""

    login_sessions: Final = SQLAlchemyStore.table(Base.metadata)

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.dialect = parsed.get_backend_name()
        sqlite = self.dialect == "sqlite"
        self.engine = create_async_engine(
            parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername)),
            # A write does not wait for longer than a request waits for its login session.
            connect_args={"timeout": 0.2} if sqlite else {},
            hide_parameters=True,
        )
        if sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    def session(self) -> AsyncSession:
        """Return a unit of work: ``async with database.session() as session``."""
        return self._sessions()

    async def make_tables(self) -> None:
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)

    async def close(self) -> None:
        await self.engine.dispose()

    # --- users -----------------------------------------------------------------------------------

    async def user(self, user_id: str) -> User | None:
        """Return the user with this id, which is a whole number, written out."""
        async with self.session() as session:
            return await session.get(User, int(user_id))

    async def user_named(self, folded: str) -> User | None:
        async with self.session() as session:
            return await session.scalar(select(User).where(User.folded == folded))

    async def change_password(self, user: User, password_hash: str, epoch: int) -> User | None:
        """Return *user* with a new password; None if it was changed since *user* was loaded."""
        still = (User.id == user.id, User.session_epoch == user.session_epoch)
        values = {"password_hash": password_hash, "session_epoch": epoch}
        async with self.session() as session, session.begin():
            return await session.scalar(update(User).where(*still).values(values).returning(User))

    # --- notes: whoever asks for one says whose --------------------------------------------------

    async def notes(self, user_id: int) -> list[Note]:
        """Return this user's notes, the last changed first."""
        newest = select(Note).where(Note.user_id == user_id).order_by(Note.changed.desc())
        async with self.session() as session:
            return list(await session.scalars(newest))

    async def note(self, user_id: int, note_id: int) -> Note | None:
        """Return the note with this id, if it is this user's."""
        mine = select(Note).where(Note.id == note_id, Note.user_id == user_id)
        async with self.session() as session:
            return await session.scalar(mine)


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
