"""How does a visitor become a user, and prove to be one?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from quart import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.exc import IntegrityError

from quart_login import (
    anonymous_required,
    confirm_login,
    fresh_login_required,
    login_exempt,
    login_remembered,
    login_user,
    logout_user,
    redirect_next,
    report_login_failure,
    revoke_other_sessions,
)

from .database import User
from .names import LONGEST as LONGEST_NAME
from .names import fold, is_name
from .passwords import LONGEST, SHORTEST, objections
from .services import me, services

blueprint = Blueprint("accounts", __name__)

WRONG = "That name and password do not match."
NOT_YOURS = "That is not your password."
TOO_MANY = "That was tried too often. Please wait for a quarter of an hour."


@blueprint.route("/register", methods=["GET", "POST"])
@anonymous_required("notes.index")
async def register() -> Any:
    if request.method != "POST":
        return await render_template("register.html", shortest=SHORTEST)
    form = await request.form
    name, password = form.get("name", "").strip(), form.get("password", "")
    problem, status, user = _objections(name, password, form.get("again", "")), 422, None
    if not problem and not await services().throttle.allows_address():
        problem, status = {"name": TOO_MANY}, 429
    if not problem and (user := await _new_user(name, password)) is None:
        problem = {"name": "Somebody else has that name."}
    if user is None:
        page = await render_template("register.html", shortest=SHORTEST, name=name, problem=problem)
        return page, status
    await login_user(user)
    await flash("Welcome. This is where your notes will be.")
    return await redirect_next(url_for("notes.index"))


def _objections(name: str, password: str, again: str) -> dict[str, str]:
    """Return what is wrong, by the fields of the form."""
    problem = {}
    if not is_name(name):
        problem["name"] = f"Take a name of up to {LONGEST_NAME} characters."
    return problem | objections(password, again, name)


async def _new_user(name: str, password: str) -> User | None:
    """Return a new user, or None if there is one by that name."""
    password_hash = await services().passwords.hash(password)
    user = User(name=name, folded=fold(name), password_hash=password_hash)
    try:
        async with services().database.session() as session, session.begin():
            session.add(user)
    except IntegrityError:
        return None
    return user


@blueprint.route("/login", methods=["GET", "POST"])
@anonymous_required("notes.index")
async def login() -> Any:
    if request.method != "POST":
        return await render_template("login.html")
    form = await request.form
    name = form.get("name", "").strip()
    user = await services().database.user_named(fold(name)) if is_name(name) else None
    problem, status = await _check(name, user, form.get("password", ""))
    if user is None or problem:
        return await render_template("login.html", name=name, problem=problem), status
    await login_user(user, remember="remember" in form)
    return await redirect_next(url_for("notes.index"))


@blueprint.route("/confirm", methods=["GET", "POST"])
async def confirm() -> Any:
    """Ask for the password again: it is a while since it was typed."""
    if request.method != "POST":
        return await render_template("confirm.html")
    password = (await request.form).get("password", "")
    problem, status = await _check(me().name, me(), password, NOT_YOURS)
    if problem:
        return await render_template("confirm.html", problem=problem), status
    await confirm_login()
    return await redirect_next(url_for("notes.index"))


async def _check(
    name: str, user: User | None, password: str, wrong: str = WRONG
) -> tuple[str | None, int]:
    """Return what is wrong with this name and password, and the status that says so."""
    at_hand = services()
    if not is_name(name) or len(password) > LONGEST:
        # Nobody has such a one, and it is not worth the time to look at it.
        await report_login_failure(reason="impossible", user=user)
        return wrong, 422
    if not await at_hand.throttle.allows(fold(name)):
        await report_login_failure(name, reason="too_many", user=user)
        return TOO_MANY, 429
    known = None if user is None else user.password_hash
    if not await at_hand.passwords.verify(known, password) or user is None:
        await report_login_failure(name, reason="wrong_password", user=user)
        return wrong, 422
    await at_hand.throttle.forget(fold(name))
    if at_hand.passwords.is_outdated(user.password_hash):
        await _change_password(user, password, user.session_epoch)
    return None, 200


async def _change_password(user: User, password: str, epoch: int) -> User | None:
    password_hash = await services().passwords.hash(password)
    return await services().database.change_password(user, password_hash, epoch)


@blueprint.route("/password", methods=["GET", "POST"])
@fresh_login_required(max_age=timedelta(minutes=10))
async def password() -> Any:
    """Change the password, and end every login that was made with the old one."""
    if request.method != "POST":
        return await render_template("password.html", shortest=SHORTEST)
    form = await request.form
    new = form.get("password", "")
    if problem := objections(new, form.get("again", ""), me().name):
        return await render_template("password.html", shortest=SHORTEST, problem=problem), 422
    # With the new epoch all logins are over, whether or not anything below succeeds. This browser
    # gets another one, and the others' are taken off the list of devices.
    user = await _change_password(me(), new, me().session_epoch + 1)
    if user is None:
        problem = {"password": "It was changed by another of your devices just now."}
        return await render_template("password.html", shortest=SHORTEST, problem=problem), 409
    await login_user(user, remember=login_remembered())
    others = await revoke_other_sessions()
    await flash(f"Your password is changed. {_devices(others)}")
    return redirect(url_for("devices.index"), 303)


def _devices(count: int) -> str:
    if not count:
        return "No other device was logged in."
    return "One other device was logged out." if count == 1 else f"{count} others were logged out."


@blueprint.post("/logout")
@login_exempt
async def logout() -> Any:
    await logout_user()
    await flash("You are logged out.")
    return redirect(url_for("welcome"), 303)
