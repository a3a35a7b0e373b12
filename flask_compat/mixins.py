"""Flask-Login's `flask_login.mixins`."""

from quart_login._core.users import AnonymousUserMixin, UserMixin

__all__ = ["AnonymousUserMixin", "UserMixin"]
