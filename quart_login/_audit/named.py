"""Which application does ``--login-app`` name?

``module``, ``module:name``, ``module:factory`` or ``module:factory("argument")``, as ``--app`` of
the frameworks' own commands.
"""

from __future__ import annotations

import ast
from importlib import import_module
from types import ModuleType
from typing import Any, Final

#: What applications, and what makes them, are called where nothing is said.
_USUAL: Final = ("app", "application", "create_app", "make_app")


class NoApplication(Exception):
    """What was named is no application; the message says what to do."""


def load(name: str) -> Any:
    """Return the application called *name*.  Raises `NoApplication`, and what its module raises."""
    module_name, _, said = name.partition(":")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise NoApplication(
            f"There is no module {error.name!r}: say --login-app module:app, from the folder that"
            " has it."
        ) from None
    return checked(_find(module, said), name)


def checked(app: Any, name: str) -> Any:
    """Return *app*, which *name* names; or what it wraps, if it is a test app of Quart's."""
    for found in (app, getattr(app, "app", None)):
        if hasattr(found, "url_map") and hasattr(found, "extensions"):
            return found
    raise NoApplication(f"{name} is no application of Flask or Quart, but {type(app).__name__}.")


def _find(module: ModuleType, said: str) -> Any:
    attribute, args, kwargs = _parsed(said)
    names = (attribute,) if attribute else _USUAL
    found = next((getattr(module, name) for name in names if hasattr(module, name)), None)
    if found is None:
        raise NoApplication(
            f"{module.__name__} has no {' or '.join(names)}: say --login-app module:app, or"
            " module:create_app()."
        )
    return found if hasattr(found, "url_map") or not callable(found) else found(*args, **kwargs)


def _parsed(said: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Return the name that *said* has, and the arguments if it calls it."""
    if not said:
        return "", [], {}
    try:
        node = ast.parse(said.strip(), mode="eval").body
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            args = [ast.literal_eval(arg) for arg in node.args]
            options = {str(word.arg): ast.literal_eval(word.value) for word in node.keywords}
            return node.func.id, args, options
        if isinstance(node, ast.Name):
            return node.id, [], {}
    except (SyntaxError, ValueError):
        pass
    raise NoApplication(f"{said!r} is neither a name nor a call with plain arguments.")
