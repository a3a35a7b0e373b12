"""Which files are read, and which are left?

Rule 1  Folders of others' code are passed over, and named.
Rule 2  What is no regular file is left: a link to nowhere or out of what was given, a pipe.
Rule 3  So is what Python cannot read, or LibCST: it reads by recursion, and ends the process where
        something is nested too deeply.
"""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import libcst as cst

from .findings import Findings
from .sources import Source

#: Folders that hold nothing of the project's own.
_OTHERS = {"node_modules", "site-packages", "venv", "env", "build", "dist"}

#: How deeply a file may be nested.  LibCST goes down by some four calls a level.
DEEPEST = 150

_NOT_PYTHON = "left as it is, as this is not Python 3"


@dataclass
class Files:
    """The Python files of some files and folders."""

    given: list[Path]
    findings: Findings
    #: The folders that were passed over, though they hold Python files.
    skipped: list[Path] = field(default_factory=list)

    def read(self) -> Iterator[Source]:
        """Yield each file once, and tell of those that are left."""
        roots = [path.resolve() for path in self.given]
        seen = set()
        for path in (file for one in self.given for file in self._below(one)):
            target = path.resolve()
            if target not in seen:
                seen.add(target)
                why = _refusal(path, target, roots)
                source = self._source(path) if why is None else None
                if why is not None:
                    self._leave(path, 1, why)
                elif source is not None:
                    yield source

    def _below(self, path: Path) -> Iterator[Path]:
        if not path.is_dir():
            yield path
            return
        for folder, folders, names in os.walk(path, onerror=self._tell_of_error):
            for one in sorted(folders):
                self._pass_over(Path(folder, one))
            folders[:] = sorted(one for one in folders if not _is_others(one))
            yield from (Path(folder, name) for name in sorted(names) if name.endswith(".py"))

    def _pass_over(self, folder: Path) -> None:
        passed = _is_others(folder.name) or folder.is_symlink()
        if passed and folder.name != "__pycache__" and _has_python(folder):
            self.skipped.append(folder)

    def _tell_of_error(self, error: OSError) -> None:
        self._leave(Path(error.filename), 1, f"left as it is: {error.strerror}")

    def _source(self, path: Path) -> Source | None:
        try:
            data = path.read_bytes()
            _parse(data, path)
            return Source(path, data)
        except RecursionError:
            self._leave(path, 1, "left as it is, as it is nested too deeply")
        except OSError as error:
            self._leave(path, 1, f"left as it is: {error.strerror}")
        except (
            cst.ParserSyntaxError,
            UnicodeDecodeError,
            SyntaxError,
            ValueError,
            MemoryError,
        ) as error:
            line = getattr(error, "raw_line", None) or getattr(error, "lineno", None) or 1
            deep = isinstance(error, MemoryError) or "too many" in str(error)
            self._leave(
                path, line, "left as it is, as it is nested too deeply" if deep else _NOT_PYTHON
            )
        return None

    def _leave(self, path: Path, line: int, why: str) -> None:
        self.findings.add(path, line, why)


def _refusal(path: Path, target: Path, roots: Iterable[Path]) -> str | None:
    if not path.exists():
        return "left as it is: a link to nowhere"
    if not path.is_file():
        return "left as it is: no regular file"
    if not any(target.is_relative_to(root) for root in roots):
        return f"left as it is: a link to {target}, which is not in what was given"
    return None


def _parse(data: bytes, path: Path) -> None:
    """Let Python read *data*, which knows its limits, and measure how deeply it is nested."""
    with warnings.catch_warnings(action="ignore"):
        tree = compile(data, str(path), "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise RecursionError


def _is_others(folder: str) -> bool:
    return (
        folder in _OTHERS or folder.startswith((".", "__pycache__")) or folder.endswith(".egg-info")
    )


def _has_python(folder: Path) -> bool:
    return any(name.endswith(".py") for _, _, names in os.walk(folder) for name in names)
