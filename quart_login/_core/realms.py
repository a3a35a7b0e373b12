"""Which managers share an application, and what keeps their logins apart?

Rule 1.  A realm is a manager with a name: customers and staff, say.  The one without a name is the
         default realm, and has Flask-Login's names for its cookie and session keys.
Rule 2.  A credential of one realm is nothing in another: each has session keys, a remember cookie
         and salts of its own.  (A realm's name is part of its audience, so whatever is bound to an
         audience is bound to the realm.)
Rule 3.  A setting of a realm is ``STAFF_...``; where there is none, the application's holds.  What
         names a cookie, or is a credential, is never shared.
Rule 4.  No two realms of an application share a name; that is an error at set-up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from .errors import ConfigurationError
from .settings import COOKIE_NAME, SessionKeys

if TYPE_CHECKING:
    from .manager import BaseLoginManager

#: Where an application keeps its managers, by realm (None is the default one).
EXTENSION: Final = "quart_login"

#: Settings that a realm never takes from the application, and what holds instead.
_OWN: Final[Mapping[str, Any]] = {
    "REMEMBER_COOKIE_FORMAT": "quart-login",
    "REMEMBER_COOKIE_FORMER_NAME": None,
    "LOGIN_BASIC_USERNAME": None,
    "LOGIN_BASIC_PASSWORD": None,
}

#: Settings that are the application's alone: the realms share its session.
_SHARED: Final = ("SECRET_KEY", "SECRET_KEY_FALLBACKS")

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")


class RealmConfig(Mapping[str, Any]):
    """The configuration of an application, as the realm *name* sees it."""

    def __init__(self, config: Mapping[str, Any], name: str) -> None:
        self._config = config
        self._name = name
        self._own = {**_OWN, "REMEMBER_COOKIE_NAME": f"{name}_{COOKIE_NAME}"}

    def __repr__(self) -> str:
        return f"<RealmConfig of {self._name}>"

    def __getitem__(self, key: str) -> Any:
        if key == "LOGIN_AUDIENCE":
            return f"{self._name}\0{self._find(key, None) or ''}"
        return self._find(key, ...)

    def _find(self, key: str, default: Any) -> Any:
        own = f"{self._name.upper()}_{key}"
        if own in self._config and key not in _SHARED:
            return self._config[own]
        if key in self._own:
            return self._own[key]
        return self._config[key] if default is ... else self._config.get(key, default)

    def __iter__(self) -> Iterator[str]:
        return iter({*self._config, *self._own, "LOGIN_AUDIENCE"})

    def __len__(self) -> int:
        return len(set(self))


def checked_name(name: object) -> str | None:
    """Return *name*, which a realm can have.  Raises `ConfigurationError`."""
    if name == "user":
        raise ConfigurationError(
            "A LoginManager cannot be named 'user': templates would have two `current_user`."
        )
    if name is None or (isinstance(name, str) and _NAME.fullmatch(name)):
        return name
    raise ConfigurationError(
        "A LoginManager's name must be lower-case letters, digits and underscores, a letter first,"
        f" at most 32 characters: name='staff'. It is {name!r}."
    )


def session_keys(realm: str | None) -> SessionKeys:
    """Return where in the session *realm* keeps what it knows."""
    if realm is None:
        return SessionKeys()
    return SessionKeys(*(f"{realm}:{key}" for key in SessionKeys().values()))


def managers_of(app: Any) -> dict[str | None, BaseLoginManager[Any]]:
    """Return the managers of *app*, by realm."""
    return app.extensions.setdefault(EXTENSION, {})  # type: ignore[no-any-return]


def manager_named(app: Any, name: str | None) -> BaseLoginManager[Any]:
    """Return *app*'s manager of that *name*; None is the default one, or the only one there is.

    Raises `ConfigurationError` if there is none.
    """
    managers = list(managers_of(app).values())
    found = [manager for manager in managers if name in (manager.name, manager.realm)]
    if not found and name is None and len(managers) == 1:
        found = managers
    if not found:
        said = sorted(manager.name or "the one without a name" for manager in managers)
        names = ", ".join(said) or "none"
        raise ConfigurationError(f"There is no such LoginManager here; there are: {names}.")
    return found[0]


def join(app: Any, manager: BaseLoginManager[Any], *, replaces: bool) -> bool:
    """Let *manager* be one of *app*'s; return False if it is one already.

    *replaces* says whether a later default manager takes the place of the first, as Flask-Login's
    does.  Raises `ConfigurationError` if two managers would share a name.
    """
    managers = managers_of(app)
    there = managers.get(manager.realm)
    if there is manager:
        return False
    if there is not None and not (replaces and manager.realm is None):
        raise ConfigurationError(_told_apart(manager.realm))
    if manager.name in {other.name for other in managers.values() if other is not there} - {None}:
        raise ConfigurationError(_told_apart(manager.name))
    managers[manager.realm] = manager
    try:
        check_cookies(app)
    except ConfigurationError:
        del managers[manager.realm]
        raise
    return True


def _told_apart(realm: str | None) -> str:
    if realm is None:
        return (
            "This application has a LoginManager without a name already, and both would use the"
            " same cookies. Use that one, or give this one a name: LoginManager(app, name='staff')."
        )
    return f"This application has a LoginManager named {realm!r} already. Give this one another."


def check_cookies(app: Any) -> None:
    """Raise `ConfigurationError` if two of *app*'s cookies would have the same name."""
    taken = {str(app.config.get("SESSION_COOKIE_NAME", "session")): "the session's"}
    for realm, manager in managers_of(app).items():
        whose = "the default realm's" if realm is None else f"that of realm {realm!r}"
        for key in ("REMEMBER_COOKIE_NAME", "REMEMBER_COOKIE_FORMER_NAME"):
            name = manager.setting(app, key)
            if name in taken:
                raise ConfigurationError(
                    f"Two cookies are named {name!r}: {taken[name]} and {whose}, so that one would"
                    f" overwrite the other. Set another {key}, which for a realm 'staff' is"
                    f" STAFF_{key}."
                )
            if name is not None:
                taken[name] = whose
    _check_adopted(app, taken)


def _check_adopted(app: Any, taken: dict[str, str]) -> None:
    """Raise `ConfigurationError` if Quart-Auth's cookie has a name that is *taken*."""
    for manager in managers_of(app).values():
        name = None if manager.adopted is None else manager.adopted.name
        if name in taken:
            raise ConfigurationError(
                f"Quart-Auth's cookie is named {name!r}, and so is {taken[name]}: a new one would"
                " overwrite it, or be taken for it. Give the new one another name."
            )
        if name is not None:
            taken[name] = "another that adopt_quart_auth was told of"


def missing_manager(app: Any) -> str:
    """Return what to do where *app* has no default manager."""
    names = [name for name in managers_of(app) if name is not None]
    if not names:
        return "This application has no LoginManager. Create one: LoginManager(app)."
    return (
        f"Every LoginManager of this application has a name ({', '.join(names)}), and the functions"
        " of the module serve the one without. Use the manager's own: staff.login_user(...)."
    )


def keys_of_others(app: Any, manager: BaseLoginManager[Any]) -> list[SessionKeys]:
    """Return the session keys of *app*'s other realms, whose logins *manager* never touches."""
    return [other.keys for other in managers_of(app).values() if other is not manager]
