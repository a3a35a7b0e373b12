"""What can be a name, and which two names are one?

Rule 1.  Short texts alone are looked at: to normalize one of combining marks takes as long as the
         square of its length, and nothing else runs then.
Rule 2.  How a name is written makes no other user: neither case and width, nor spaces and what is
         not seen.  (Letters that look alike in two alphabets do.)
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: In characters: as it is typed, and as it is compared.
LONGEST: Final = 40
LONGEST_FOLDED: Final = 120

#: What counts as printable, and is not seen: Unicode's default ignorable code points, and a blank.
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)


def is_name(text: str) -> bool:
    """Can somebody have *text* as their name?"""
    if len(text) > LONGEST or not text.isprintable():
        return False
    return 1 <= len(fold(text)) <= LONGEST_FOLDED


def fold(name: str) -> str:
    """Return *name*, which `is_name`, as it is compared."""
    seen = unicodedata.normalize("NFKC", _UNSEEN.sub("", name)).casefold()
    return " ".join(unicodedata.normalize("NFKC", seen).split())
