"""Session logins for Quart, asynchronous first.

The names are resolved at their first use: importing the core, as ``flask_compat`` does, runs this
file too, and must not import Quart.

(PYTEST_DONT_REWRITE: who imports this before pytest starts is not to be warned of that.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._api import *  # noqa: F403
else:
    from importlib import import_module

    def __getattr__(name):
        # Not ``from . import _api``: that would ask this very function, and recurse.
        if name.startswith("__") and name not in ("__all__", "__version__"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        api = import_module("._api", __name__)
        if name == "__all__" or name in api.__all__:
            return getattr(api, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *import_module("._api", __name__).__all__})
