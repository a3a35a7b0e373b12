"""Where is what the application keeps, where nobody says so?

In a directory: the database, and the key that signs all logins.  So the command line
(``quart --app examples.notes.app login sessions 1``) looks at what the server keeps there.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

#: Below where the application is started.
DIRECTORY: Final = "notes-data"


def home(named: str | None = None) -> Path:
    """Return the directory, which is made, for its owner alone."""
    directory = Path(named or DIRECTORY).resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def database_in(directory: Path) -> str:
    """Return the URL of the database in *directory*, whose file is made, for its owner alone."""
    path = directory / "notes.sqlite3"
    path.touch(mode=0o600)  # SQLite gives its other files the same mode.
    return f"sqlite:///{path}"


def key_in(directory: Path) -> str:
    """Return the secret key in *directory*, which is made, for its owner alone."""
    path = directory / "secret_key"
    if not path.exists():
        # Written beside it first: nobody reads half a key, and two starts at once have the same.
        with NamedTemporaryFile("w", dir=directory) as file, suppress(FileExistsError):
            file.write(secrets.token_hex(32))
            file.flush()
            os.link(file.name, path)
    return path.read_text().strip()
