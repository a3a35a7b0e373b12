"""How is the application started?

python -m examples.notes                                  SQLite, one process
python -m examples.notes --redis redis://localhost        login sessions in Redis, two processes
python -m examples.notes --database postgresql://localhost/notes
python -m examples.notes --https --proxies 1              behind one proxy, which serves it by HTTPS
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import Any, Final

from hypercorn.config import Config
from hypercorn.run import run
from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError

from .database import Database
from .home import DIRECTORY, database_in, home, key_in

#: What is said where a proxy is not told of.
_ALL_ONE: Final = (
    "Without --proxies all visitors have the proxy's address: one of them locks out all, by wrong"
    " passwords. And no live page opens. Say how many proxies there are, as in --proxies 1."
)


def main() -> int:
    options = _options()
    directory = home(options.data)
    # The workers, which are processes of their own, read it there.
    os.environ.setdefault("SECRET_KEY", key_in(directory))
    os.environ["NOTES_DATABASE"] = options.database or database_in(directory)
    os.environ["NOTES_REDIS"] = options.redis or ""
    os.environ["NOTES_LOGIN_SECURE_COOKIES"] = "true" if options.https else "false"
    os.environ["NOTES_PROXIES"] = str(options.proxies)
    if options.https and not options.proxies:
        print(_ALL_ONE, file=sys.stderr)
    try:
        asyncio.run(_make_tables(os.environ["NOTES_DATABASE"]))
    except (OSError, SQLAlchemyError) as error:
        sys.exit(f"The database cannot be used: {error}")
    try:
        if options.redis:
            Redis.from_url(options.redis).ping()
    except (RedisError, ValueError) as error:
        sys.exit(f"Redis cannot be used: {error}")

    config = Config()
    config.application_path = "examples.notes.app:create_app()"
    config.bind = [options.bind]
    config.workers = 2 if options.redis else 1
    config.include_server_header = False
    config.websocket_max_message_size = 1024  # The live page says nothing.
    return run(config)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.notes", description="Keep notes.")
    parser.add_argument("--bind", default="127.0.0.1:8000", help="default: %(default)s")
    parser.add_argument("--data", default=DIRECTORY, help="directory; default: %(default)s")
    parser.add_argument("--database", metavar="URL", help="default: SQLite, in the directory")
    parser.add_argument("--redis", metavar="URL", help="keep login sessions there, and be two")
    parser.add_argument("--https", action="store_true", help="a proxy serves it by HTTPS alone")
    proxies: dict[str, Any] = {"type": int, "choices": range(10), "default": 0, "metavar": "N"}
    parser.add_argument("--proxies", **proxies, help="believe what so many of them say of visitors")
    return parser.parse_args()


async def _make_tables(url: str) -> None:
    """Make the tables that are missing.  (Here an application of yours runs its migrations.)"""
    database = Database(url)
    try:
        await database.make_tables()
    finally:
        await database.close()


if __name__ == "__main__":
    sys.exit(main())
