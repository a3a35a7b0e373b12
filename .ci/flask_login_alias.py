"""A pytest plugin: `flask_login` is `flask_compat`.

Used to run Flask-Login's own test suite:  pytest -p flask_login_alias tests/test_login.py

One test (`test_remember_me_refresh_each_request`) patches the name `datetime` of Flask-Login's
module `login_manager` to move its clock.  Our clock is an argument, so the plugin connects the two:
it offers that name and a clock that reads it.  The test's steps and assertions are its own.
"""

from __future__ import annotations

import datetime
import importlib
import sys
import time
from unittest.mock import Mock

import flask_compat
from flask_compat import login_manager

MODULES = ("__about__", "config", "login_manager", "mixins", "signals", "test_client", "utils")


def _clock() -> float:
    patched = login_manager.datetime
    if isinstance(patched, Mock):
        return patched.utcnow().replace(tzinfo=datetime.UTC).timestamp()
    return time.time()


class LoginManager(flask_compat.LoginManager):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.clock = _clock


login_manager.datetime = datetime.datetime
flask_compat.LoginManager = login_manager.LoginManager = LoginManager
sys.modules["flask_login"] = flask_compat
for name in MODULES:
    sys.modules[f"flask_login.{name}"] = importlib.import_module(f"flask_compat.{name}")
