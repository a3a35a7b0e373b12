"""Where is what the application keeps, where nobody says so?

In a directory: the database, and the key that signs all logins.  So the command line
(``quart --app examples.notes.app login sessions 1``) looks at what the server keeps there.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

#: Below where the application is started.
DIRECTORY: Final = "notes-data"


def home(named: str | None = None) -> Path:
    """Return the directory, which is made, for its owner alone."""
    directory = Path(named or DIRECTORY).resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def database_in(directory: Path) -> str:
    """Return the URL of the database in *directory*."""
    return f"sqlite:///{directory / 'notes.sqlite3'}"


def key_in(directory: Path) -> str:
    """Return the secret key in *directory*, which is made, for its owner alone."""
    path = directory / "secret_key"
    try:
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text().strip()
