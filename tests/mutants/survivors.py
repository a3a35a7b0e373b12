"""Which generated mistakes change nothing that a test could see, and why?

They are in ``survivors.toml``, each under its name, with the reason::

    [[harmless]]
    why = "..."
    names = ["tokens: unsign: ...", "..."]
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).parent / "survivors.toml"


def explained() -> dict[str, str]:
    """Return why each of them is harmless, by name."""
    found = tomllib.loads(FILE.read_text("utf-8"))["harmless"]
    return {name: group["why"] for group in found for name in group["names"]}
