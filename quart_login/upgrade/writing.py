"""How are many files changed, or none?

Rule 1  All new forms are written beside the files first, under names that nobody can foresee.
Rule 2  Then each takes the place of its file; if one cannot, the others are put back.
Rule 3  What a link leads to is changed, and the link stays.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path


class NotWritten(Exception):
    """Nothing was written, for a reason; or, where it says so, not everything was put back."""


def write_all(files: Iterable[tuple[Path, bytes, bytes]]) -> None:
    """Write each file's new form, given as (path, before, after); all of them, or none.

    :raises NotWritten: a file cannot be written, or is another one than was read.
    """
    prepared: list[tuple[Path, Path, bytes]] = []
    try:
        for path, before, after in files:
            target = path.resolve()
            if target.read_bytes() != before:
                raise NotWritten(f"{path} has changed since it was read")
            prepared.append((target, _beside(target, after), before))
        _replace(prepared)
    except OSError as error:
        raise NotWritten(str(error)) from error
    finally:
        for _, beside, _ in prepared:
            beside.unlink(missing_ok=True)


def _beside(target: Path, data: bytes) -> Path:
    """Return a new file in the folder of *target*, which looks like it."""
    handle, name = tempfile.mkstemp(prefix=".upgrade-", dir=target.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(target, beside)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return beside


def _replace(prepared: list[tuple[Path, Path, bytes]]) -> None:
    begun: list[tuple[Path, bytes]] = []
    try:
        for target, beside, before in prepared:
            # Noted first: an interruption may come between the two.
            begun.append((target, before))
            os.replace(beside, target)
    except BaseException as error:
        left = [str(target) for target, before in begun if not _put_back(target, before)]
        if left:
            raise NotWritten(f"{error}; these are changed, and the others not: {left}") from error
        raise


def _put_back(target: Path, before: bytes) -> bool:
    try:
        if target.read_bytes() != before:
            os.replace(_beside(target, before), target)
    except OSError:
        return False
    return True
