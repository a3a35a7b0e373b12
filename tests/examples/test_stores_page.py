"""Does the store of docs/stores.md keep the contract?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "stores.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)

names: dict[str, Any] = {"__name__": "stores_page"}
for block in BLOCKS:
    if "DictStore" in block:
        exec(compile(block, "stores.md", "exec"), names)


class TestTheStoreOfThePage(names["TestDictStore"]):  # type: ignore[misc]
    """All of the contract."""
