"""Logging in and out."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, request, session, url_for
from flask_login import (
    confirm_login,
    current_user,
    fresh_login_required,
    login_required,
    login_user,
    logout_user,
)

from .extensions import login_manager
from .helpers import page, say, typed
from .models import User, store

auth = Blueprint("auth", __name__)


@login_manager.user_loader
def load_user(user_id: str) -> User | None:
    return store.by_id(int(user_id))


@login_manager.request_loader
def load_by_key(request) -> User | None:
    return store.by_key(request.headers.get("X-Key", ""))


@login_manager.needs_refresh_handler
def needs_refresh():
    return say("Please type your password again.", "auth.confirm")


def authenticate() -> User | None:
    """Return who is named in the form, if the password is right."""
    name, password = typed("name", "password")
    user = store.by_name(name)
    return user if user is not None and user.knows(password) else None


def _too_often() -> bool:
    session["attempts"] = session.get("attempts", 0) + 1
    return session["attempts"] > current_app.config["LOGIN_ATTEMPTS"]


@auth.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "GET":
        return page("login.html", "Log in")
    user = authenticate()
    if user is None:
        if _too_often():
            return (page("error.html", "Stop", code=429), 429)
        return page("login.html", "Log in again"), 422
    if not login_user(user, remember="remember" in request.form):
        return say("Your account is locked.", "board.index")
    session.pop("attempts", None)
    return redirect(request.args.get("next") or url_for("board.index"))


@auth.route("/logout", methods=["POST"])
@login_required
def logout():
    name = current_user.name
    logout_user()
    return say(f"Goodbye, {name}.", "board.index")


@auth.route("/confirm", methods=["GET", "POST"])
@login_required
def confirm():
    if request.method == "POST" and current_user.knows(request.form["password"]):
        confirm_login()
        return redirect(url_for("auth.secret"))
    return page("login.html", "Confirm")


@auth.route("/secret")
@fresh_login_required
def secret():
    return f"The secret of {current_user.name}."
