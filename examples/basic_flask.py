"""A login form, a protected page and a logout, in Flask.

    pip install '.[example]'
    flask --app examples/basic_flask.py run --port 8000

Then open http://127.0.0.1:8000.
"""

from __future__ import annotations

import os
import secrets
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import Flask, abort, flash, redirect, render_template_string, request, url_for

import flask_compat as flask_login

DEMO = DEMO_NAME, DEMO_PASSWORD = "alice", "follow the white rabbit"

app = Flask(__name__)
app.config.update(
    # Without a key of your own a new one is made, and all logins end with the process.
    SECRET_KEY=os.environ.get("SECRET_KEY") or secrets.token_hex(32),
    # With HTTPS, also: SESSION_COOKIE_SECURE=True, REMEMBER_COOKIE_SECURE=True.
    SESSION_COOKIE_SAMESITE="Lax",
    REMEMBER_COOKIE_SAMESITE="Lax",
)


class User(flask_login.UserMixin):
    def __init__(self, id: str, password_hash: str) -> None:
        self.id = id
        self.password_hash = password_hash


login_manager = flask_login.LoginManager[User](app)
login_manager.login_view = "login"
login_manager.refresh_view = "confirm"

hasher = PasswordHasher()
users = {DEMO_NAME: User(DEMO_NAME, hasher.hash(DEMO_PASSWORD))}
# Checked where there is no such user, so that the answer takes as long.
nobodys_hash = hasher.hash(secrets.token_hex())


@login_manager.user_loader
def load_user(user_id: str) -> User | None:
    return users.get(user_id)


def authenticate(name: str, password: str) -> User | None:
    """Return the user with this name and password, or None."""
    user = users.get(name)
    known_hash = nobodys_hash if user is None else user.password_hash
    try:
        hasher.verify(known_hash, password)
    except VerifyMismatchError:
        return None
    return user


@app.before_request
def refuse_forms_of_other_sites() -> None:
    if request.method == "POST":
        origin = request.headers.get("Origin")  # Old browsers send neither of the two.
        if origin is not None and origin.partition("://")[2] != request.host:
            abort(403)
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            abort(403)


def page(title: str, **context: Any) -> str:
    return render_template_string(PAGE, title=title, **context)


@app.get("/")
@flask_login.login_exempt
def index() -> str:
    return page("Start", demo=DEMO)


@app.route("/login", methods=["GET", "POST"])
def login() -> Any:
    if request.method != "POST":
        return page("Log in", form="login", demo=DEMO)
    name = request.form.get("username", "")
    user = authenticate(name, request.form.get("password", ""))
    if user is None:
        return page("Log in", form="login", demo=DEMO, name=name, wrong=True), 422
    flask_login.login_user(user, remember="remember" in request.form)
    return flask_login.redirect_next(url_for("index"))


@app.get("/protected")
@flask_login.login_required
def protected() -> str:
    return page("Protected page", text="Only users who are logged in see this.")


@app.get("/account")
@flask_login.fresh_login_required
def account() -> str:
    return page("Account", text="Only users who have just typed their password see this.")


@app.route("/confirm", methods=["GET", "POST"])
@flask_login.login_required
def confirm() -> Any:
    """Ask for the password again: the user came back by the remember cookie, or a day has gone."""
    name = login_manager.current_user.id
    if request.method != "POST":
        return page("Confirm", form="confirm", name=name, text="Is it still you?")
    if authenticate(name, request.form.get("password", "")) is None:
        return page("Confirm", form="confirm", name=name, wrong=True), 422
    flask_login.confirm_login()
    return flask_login.redirect_next(url_for("index"))


@app.post("/logout")
@flask_login.login_exempt
def logout() -> Any:
    flask_login.logout_user()
    flash("You are logged out.")
    return redirect(url_for("index"), 303)


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} - Example of quart-login</title>
<style>
  :root { color-scheme: light dark; accent-color: #2a6f97 }
  body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: auto; padding: 1rem }
  nav a { display: inline-block; margin-right: 1rem; padding: .5rem 0 }
  label { display: block; margin: 1rem 0 }
  input, button { font: inherit; padding: .5rem 1rem }
  input:not([type=checkbox]) { box-sizing: border-box; display: block; width: 100% }
  [role] { border-left: .3rem solid #2a6f97; padding: .3rem .8rem }
  [role=alert] { border-color: #d1495b }
</style>
<header>
  <nav aria-label="Pages">
    <a href="{{ url_for('index') }}">Start</a>
    <a href="{{ url_for('protected') }}">Protected page</a>
    <a href="{{ url_for('account') }}">Account</a>
  </nav>
  {% if current_user.is_authenticated %}
  <form method="post" action="{{ url_for('logout') }}">
    You are logged in as <strong>{{ current_user.id }}</strong>. <button>Log out</button>
  </form>
  {% else %}
  <p>Nobody is logged in. <a href="{{ url_for('login') }}">Log in</a></p>
  {% endif %}
</header>
<main>
  <h1>{{ title }}</h1>
  {% for message in get_flashed_messages() %}<p role="status">{{ message }}</p>{% endfor %}
  {% if text %}<p>{{ text }}</p>{% endif %}
  {% if demo %}
  <p>The demo user is <b>{{ demo[0] }}</b>, with the password <b>{{ demo[1] }}</b>.</p>
  {% endif %}
  {% if form %}
  <form method="post">
    {% if wrong %}
    <p role="alert" id="wrong">
      {%- if form == "login" %}That user name and password do not match.
      {%- else %}That is not your password.{% endif -%}
    </p>
    {% endif %}
    <label>User name
      <input name="username" autocomplete="username" autocapitalize="none" required
        value="{{ name }}" {% if form == "confirm" %}readonly{% endif %}></label>
    <label>Password
      <input type="password" name="password" autocomplete="current-password" required
        {% if wrong %}aria-invalid="true" aria-describedby="wrong" autofocus{% endif %}></label>
    {% if form == "login" %}
    <label><input type="checkbox" name="remember"> Remember me on this device</label>
    {% endif %}
    <button>{{ title }}</button>
  </form>
  {% endif %}
</main>
</html>
"""
