"""A bulletin board of Flask and Flask-Login, for the tests of ``quart_login.upgrade``."""

from __future__ import annotations

from flask import Flask
from jinja2 import DictLoader

from . import api, auth, board, errors, staff
from .extensions import login_manager
from .pages import PAGES


def create_app(**settings: object) -> Flask:
    app = Flask(__name__)
    app.config.update(SECRET_KEY="of the bulletin board", LOGIN_ATTEMPTS=3)
    app.config.update(settings)
    app.jinja_loader = DictLoader(PAGES)
    login_manager.init_app(app)
    app.register_blueprint(auth.auth)
    app.register_blueprint(board.board)
    app.register_blueprint(staff.staff, url_prefix="/staff")
    app.register_blueprint(api.api, url_prefix="/api")
    errors.init_app(app)
    return app
