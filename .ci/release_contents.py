"""What must be in the wheel and the source archive, and what must not?

python release_contents.py WHEEL SDIST
"""

from __future__ import annotations

import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("quart_login", "flask_compat")

#: What users of the source archive need to test and to document it.
ALSO = ("tests", "examples", "docs")
TOP = {"README.md", "CHANGES.md", "LICENSE", "pyproject.toml"}

#: Nothing of these is anybody else's business.
NEVER = {"__pycache__", "notes-data", "side-by-side-data"}
NEVER_ENDS = (".pyc", ".sqlite", ".sqlite3", ".db", ".log", ".png")


def files(folder: str) -> set[str]:
    """Return the files of *folder* that belong to a release, by their paths in the tree."""
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*")}
    return {name for name in found if (ROOT / name).is_file() and not unwanted(name)}


def unwanted(name: str) -> bool:
    parts = name.split("/")
    hidden = any(part.startswith(".") and part != ".gitignore" for part in parts)
    return hidden or bool(NEVER & set(parts)) or name.endswith(NEVER_ENDS)


def look(what: str, found: set[str], expected: set[str]) -> list[str]:
    """Return what is wrong with the files *found* in *what*."""
    missing = [f"{what} lacks {name}" for name in sorted(expected - found)]
    return missing + [f"{what} has {name}" for name in sorted(found) if unwanted(name)]


def look_into_wheel(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
        text = Parser().parsestr(wheel.read(metadata).decode("utf-8"))
    expected = {name for package in PACKAGES for name in files(package)}
    others = {name.partition("/")[0] for name in names} - {*PACKAGES, metadata.partition("/")[0]}
    faults = look("the wheel", names, expected)
    faults += [f"the wheel has {name} at its top" for name in sorted(others)]
    faults += [f"the wheel lacks {p}/py.typed" for p in PACKAGES if f"{p}/py.typed" not in names]
    if not any(name.endswith("/LICENSE") for name in names):
        faults.append("the wheel lacks the licence")
    extras = set(text.get_all("Provides-Extra", []))
    faults += [f"the wheel lacks the extra {one}" for one in {"redis", "upgrade"} - extras]
    return faults


def look_into_sdist(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        names = {
            member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()
        }
    expected = TOP | {name for folder in (*PACKAGES, *ALSO) for name in files(folder)}
    return look("the source archive", names, expected)


def main() -> int:
    wheel, sdist = map(Path, sys.argv[1:])
    faults = look_into_wheel(wheel) + look_into_sdist(sdist)
    print("\n".join(faults) or "all that belongs there, and no more")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
