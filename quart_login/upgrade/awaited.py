"""What is awaited in Quart and in quart_login?

The installed Quart is asked, so that nothing here grows old.  Classes are named as in their
documentation; those below are the ones that `kinds` knows values of.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from inspect import getattr_static, iscoroutinefunction
from typing import Any

APP = "quart.Quart"
BLUEPRINT = "quart.Blueprint"
REQUEST = "quart.Request"
RESPONSE = "quart.Response"
CLIENT = "quart.testing.QuartClient"
CONTEXT = "quart.ctx.AppContext"
UPLOAD = "quart.datastructures.FileStorage"
MANAGER = "quart_login.LoginManager"
#: Not classes of Quart's own: many uploads, and a block that changes a session.
UPLOADS = "uploads"
#: A response of Quart's, or of Werkzeug's, whose methods are plain: a redirect, an error.
EITHER = "either response"
TRANSACTION = "transaction"

#: Those that the project's own derive from, and call by ``super()``.
PARENTS = ("quart.views.View", "quart.views.MethodView", APP, BLUEPRINT, MANAGER, CLIENT)

CLASSES = (APP, BLUEPRINT, REQUEST, RESPONSE, CLIENT, CONTEXT, UPLOAD, MANAGER, *PARENTS)

#: Blocks that are begun with ``async with``.
BLOCKS = {CLIENT, CONTEXT, TRANSACTION}

_MODULES = ("quart", "quart.helpers", "quart.templating", "quart_login")


@cache
def functions() -> frozenset[str]:
    """Return the names of the functions that are awaited."""
    found = set()
    for module in _MODULES:
        there = import_module(module)
        for name in getattr(there, "__all__", None) or vars(there):
            # A proxy such as `current_user` must not be asked anything outside of a request.
            value = getattr(there, name)
            if not _is_proxy(value) and iscoroutinefunction(value):
                found.add(f"{module}.{name}")
    return frozenset(found)


@cache
def methods(kind: str) -> frozenset[str]:
    """Return the names of the methods of the class *kind* that are awaited."""
    cls = _class(kind)
    return frozenset(
        name for name in dir(cls) if cls and iscoroutinefunction(getattr_static(cls, name))
    )


@cache
def properties(kind: str) -> frozenset[str]:
    """Return the names of the attributes of the class *kind* that are awaited."""
    cls = _class(kind)
    found = {
        name
        for name in dir(cls)
        if isinstance(value := getattr_static(cls, name, None), property)
        and iscoroutinefunction(value.fget)
    }
    # A response of Flask's test client has its text as an attribute; see `clients`.
    return frozenset(found | ({"text"} if kind == RESPONSE else set()))


def _class(kind: str) -> Any:
    if kind not in CLASSES:
        return None
    module, _, name = kind.rpartition(".")
    return getattr(import_module(module), name)


def _is_proxy(value: Any) -> bool:
    return hasattr(type(value), "_get_current_object") or type(value).__name__ == "LocalProxy"
