"""How far is it?"""

from __future__ import annotations

import sys
import time


class Progress:
    """One line of a terminal that is written over; elsewhere, a line now and then."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._begun = time.monotonic()
        self._next = 0.0
        self._on_terminal = sys.stderr.isatty()

    def tell(self, text: str) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + (0.2 if self._on_terminal else 10.0)
            self._write(text, "" if self._on_terminal else "\n")

    def done(self) -> None:
        self._write("done", "\n")

    def _write(self, text: str, end: str) -> None:
        spent = time.monotonic() - self._begun
        line = f"{self.title}: {text}, {spent:.0f} s"
        print(f"\r{line:78}" if self._on_terminal else line, end=end, file=sys.stderr, flush=True)
