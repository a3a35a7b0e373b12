"""What moderators do."""

from __future__ import annotations

from flask import Blueprint, request

from .guards import moderator_required
from .models import store

staff = Blueprint("staff", __name__)


@staff.get("/")
@moderator_required
def index():
    return ", ".join(user.name for user in store.users)


@staff.post("/lock")
@moderator_required
def lock():
    user = store.by_name(request.form["name"])
    # Locks a user who is there, and returns the letter.
    return user.lock(request.form.get("reason") or "no reason") if user else ("", 404)
