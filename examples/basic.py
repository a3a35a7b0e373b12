"""A login form, a protected page and a logout, in Quart.

    pip install '.[example]'
    hypercorn examples/basic.py:app

Then open http://127.0.0.1:8000.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from quart import Quart, abort, flash, redirect, render_template_string, request, url_for

from quart_login import (
    LoginManager,
    UserMixin,
    confirm_login,
    fresh_login_required,
    login_exempt,
    login_required,
    login_user,
    logout_user,
    redirect_next,
)

DEMO = DEMO_NAME, DEMO_PASSWORD = "alice", "follow the white rabbit"

app = Quart(__name__)
app.config.update(
    # Without a key of your own a new one is made, and all logins end with the process.
    SECRET_KEY=os.environ.get("SECRET_KEY") or secrets.token_hex(32),
    # With HTTPS, also: SESSION_COOKIE_SECURE=True, REMEMBER_COOKIE_SECURE=True.
    SESSION_COOKIE_SAMESITE="Lax",
    REMEMBER_COOKIE_SAMESITE="Lax",
)


class User(UserMixin):
    def __init__(self, id: str, password_hash: str) -> None:
        self.id = id
        self.password_hash = password_hash


login_manager = LoginManager[User](app)
login_manager.login_view = "login"
login_manager.refresh_view = "confirm"

hasher = PasswordHasher()
users = {DEMO_NAME: User(DEMO_NAME, hasher.hash(DEMO_PASSWORD))}
# Checked where there is no such user, so that the answer takes as long.
nobodys_hash = hasher.hash(secrets.token_hex())


@login_manager.user_loader
async def load_user(user_id: str) -> User | None:
    return users.get(user_id)


async def authenticate(name: str, password: str) -> User | None:
    """Return the user with this name and password, or None."""
    user = users.get(name)
    known_hash = nobodys_hash if user is None else user.password_hash
    try:
        # Slow by design, so it must not run on the event loop.
        await asyncio.to_thread(hasher.verify, known_hash, password)
    except VerifyMismatchError:
        return None
    return user


@app.before_request
async def refuse_forms_of_other_sites() -> None:
    if request.method == "POST":
        origin = request.headers.get("Origin")  # Old browsers send neither of the two.
        if origin is not None and origin.partition("://")[2] != request.host:
            abort(403)
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            abort(403)


async def page(title: str, **context: Any) -> str:
    return await render_template_string(PAGE, title=title, **context)


@app.get("/")
@login_exempt
async def index() -> str:
    return await page("Start", demo=DEMO)


@app.route("/login", methods=["GET", "POST"])
async def login() -> Any:
    if request.method != "POST":
        return await page("Log in", form="login", demo=DEMO)
    form = await request.form
    name = form.get("username", "")
    user = await authenticate(name, form.get("password", ""))
    if user is None:
        return await page("Log in", form="login", demo=DEMO, name=name, wrong=True), 422
    await login_user(user, remember="remember" in form)
    return await redirect_next(url_for("index"))


@app.get("/protected")
@login_required
async def protected() -> str:
    return await page("Protected page", text="Only users who are logged in see this.")


@app.get("/account")
@fresh_login_required
async def account() -> str:
    return await page("Account", text="Only users who have just typed their password see this.")


@app.route("/confirm", methods=["GET", "POST"])
@login_required
async def confirm() -> Any:
    """Ask for the password again: the user came back by the remember cookie, or a day has gone."""
    name = login_manager.current_user.id
    if request.method != "POST":
        return await page("Confirm", form="confirm", name=name, text="Is it still you?")
    if await authenticate(name, (await request.form).get("password", "")) is None:
        return await page("Confirm", form="confirm", name=name, wrong=True), 422
    await confirm_login()
    return await redirect_next(url_for("index"))


@app.post("/logout")
@login_exempt
async def logout() -> Any:
    await logout_user()
    await flash("You are logged out.")
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
