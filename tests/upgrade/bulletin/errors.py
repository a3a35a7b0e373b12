"""What is done around each request, and when one fails."""

from __future__ import annotations

from flask import Flask, Response, g, request
from flask_login import current_user, logout_user

from .helpers import page


def init_app(app: Flask) -> None:
    @app.errorhandler(404)
    def not_found(error):
        return page("error.html", "Not found", code=error.code), 404

    app.register_error_handler(403, refused)
    app.before_request(log_out_the_locked)

    @app.after_request
    def sign(response: Response) -> Response:
        response.headers["X-Type"] = response.mimetype
        response.headers["X-Who"] = g.who
        return response


def refused(error):
    return page("error.html", "Refused", code=403), 403


def log_out_the_locked():
    g.who = current_user.name if current_user.is_authenticated else "nobody"
    if request.form.get("leave"):
        logout_user()
