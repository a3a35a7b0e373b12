"""How long may the tests take that could go on for ever?

As short as in the gate, or, with ``QUART_LOGIN_LENGTH=nightly``, for as long as a night.
"""

from __future__ import annotations

import os

NIGHTLY = os.environ.get("QUART_LOGIN_LENGTH") == "nightly"
