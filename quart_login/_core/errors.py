"""What can a developer have done wrong?

A visitor's bad input is never one of these: it is an anonymous visitor.

    LoginError
    +-- ConfigurationError      correct the application's settings      (also a RuntimeError)
    |   +-- MissingLoader       register a user_loader or request_loader
    +-- UserNotLoaded           await load_user() first                 (also a RuntimeError)
    +-- OutOfPlace              log in or out in a request, in time     (also a RuntimeError)
    +-- UnusableUser            correct the user class                  (also a ValueError)
    +-- CookieTooLarge          keep less in the session                (also a ValueError)
    +-- StoreUnavailable        see to the store of login sessions      (also a 503)
"""

from __future__ import annotations

from werkzeug.exceptions import ServiceUnavailable


class LoginError(Exception):
    """The root of this library's exceptions."""


class ConfigurationError(LoginError, RuntimeError):
    """A setting is missing or cannot work."""


class MissingLoader(ConfigurationError):
    """Neither a user loader nor a request loader is registered."""


class UserNotLoaded(LoginError, RuntimeError):
    """`current_user` was read where ``LOGIN_LOAD_USER = "on_demand"`` and nothing had loaded it."""


class OutOfPlace(LoginError, RuntimeError):
    """A login or logout was asked for where no response can carry it."""


class UnusableUser(LoginError, ValueError):
    """This object cannot be logged in."""


class CookieTooLarge(LoginError, ValueError):
    """The login would need a cookie that browsers ignore (RFC 6265bis: over 4096 bytes)."""


class StoreUnavailable(LoginError, ServiceUnavailable):
    """The store of login sessions failed, or did not answer in time (``LOGIN_STORE_TIMEOUT``).

    Whoever does not catch it sends status 503.  After `logout_user` it says that the browser is
    logged out, and that the session's record may live: a copy of the cookie may yet be good.
    """

    description = "The sign-in service cannot be reached right now. Please try again in a moment."
