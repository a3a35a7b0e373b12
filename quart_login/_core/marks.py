"""What do decorators say of a view?

Rule 1.  A mark is an attribute of the view function, so `functools.wraps` carries it through other
         decorators.  What counts is the function that is registered.
Rule 2.  That a view is open on purpose is said by itself: a class does not inherit it.
Rule 3.  Guards remember which functions they guard.  Where such a function is registered, and none
         of its guarded ones is, the guard stands above ``@route`` and protects nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar
from weakref import WeakKeyDictionary, WeakSet

V = TypeVar("V", bound=Callable[..., Any])

ANONYMOUS: Final = "anonymous"
BASIC: Final = "basic"
REQUIRED: Final = "required"
FRESH: Final = "fresh"

#: Each of them lets fewer in than the one before it.
_STRICTER: Final = (ANONYMOUS, BASIC, REQUIRED, FRESH)

_GUARD: Final = "_login_guard"
_EXEMPT: Final = "_login_exempt"


class Guard(NamedTuple):
    """Whom a decorator lets in: strangers, who knows the one password, users, or fresh ones."""

    state: str
    #: The name of the manager whose users these are; None is the default one's.
    realm: str | None = None


#: The functions that were given to a guard, each with what came of it.
_guarded: WeakKeyDictionary[Any, WeakSet[Any]] = WeakKeyDictionary()


def login_exempt(view: V) -> V:
    """Leave *view* open where `LoginManager.require_login` protects what is around it.

    *view* is a function, plain or ``async def``, a class-based view or a method of one.  It is
    marked and returned, so it does not matter whether this stands above or below ``@app.route``; of
    other decorators, those below it may be any, and those above it must use `functools.wraps`.  A
    class that inherits from *view* is not exempt.  A `login_required` of its own goes on to protect
    the view.  Raises `TypeError` for an object that takes no attributes, as a bound method.
    """
    try:
        setattr(view, _EXEMPT, True)
    except AttributeError:
        raise TypeError(
            f"login_exempt cannot mark {view!r}. Put it on the function or the class itself."
        ) from None
    return view


def mark(view: Any, func: Any, state: str, manager: Any = None) -> None:
    """Note that *view* lets only the users of *manager* that *state* names into *func*."""
    guard, inner = Guard(state, None if manager is None else manager.name), guard_of(func)
    if inner is not None and _STRICTER.index(inner.state) > _STRICTER.index(guard.state):
        guard = inner
    setattr(view, _GUARD, guard)
    for part in chain(func):
        with suppress(TypeError):  # An object that cannot be kept track of: then nobody warns.
            _guarded.setdefault(part, WeakSet()).add(view)


def guard_of(view: Any) -> Guard | None:
    """Return what guards the function *view*, if a decorator does."""
    found = getattr(view, _GUARD, None)
    return found if isinstance(found, Guard) else None


def is_exempt(view: Any, method: str | None = None) -> bool:
    """Was it said that *view* is open to strangers, for *method* at least?"""
    cls = getattr(view, "view_class", None)
    if cls is not None and vars(cls).get(_EXEMPT) is True:
        return True
    parts = list(handlers(view, method))
    if (
        cls is not None
        and "decorators" not in vars(cls)
        and login_exempt in getattr(cls, "decorators", ())
    ):
        del parts[0]  # The view has its mark from the decorators of the class above.
    return any(_is_open(part) for part in parts)


def _is_open(part: Any) -> bool:
    guard = guard_of(part)
    return getattr(part, _EXEMPT, None) is True or (guard is not None and guard.state == ANONYMOUS)


def handlers(view: Any, method: str | None) -> Iterator[Any]:
    """Yield the functions that run, one in the other, when *view* answers *method*."""
    yield view
    cls = getattr(view, "view_class", None)
    if cls is None:
        return
    yield cls.dispatch_request
    name = (method or "").lower()
    handler = getattr(cls, name, None) if name else None
    if handler is None and name == "head":
        handler = getattr(cls, "get", None)
    if handler is not None:
        yield handler


def strictest(view: Any, method: str | None) -> Guard | None:
    """Return the strictest of the guards that a request for *method* of *view* meets."""
    guards = filter(None, map(guard_of, handlers(view, method)))
    return max(guards, key=lambda guard: _STRICTER.index(guard.state), default=None)


def is_misplaced(view: Any, registered: set[int]) -> bool:
    """Was *view* guarded, and the guarded one not *registered*?

    *registered* has the ids of the registered functions and of all that these wrap.
    """
    try:
        wrappers = _guarded.get(view)
    except TypeError:
        return False
    return wrappers is not None and not any(id(wrapper) in registered for wrapper in wrappers)


def chain(view: Any) -> Iterator[Any]:
    """Yield *view*, the function that it wraps, the one that this wraps, and so on."""
    seen: set[int] = set()
    while view is not None and id(view) not in seen:
        seen.add(id(view))
        yield view
        view = getattr(view, "__wrapped__", None)
