"""What several views need."""

from __future__ import annotations

import flask
from flask import flash, redirect, request, url_for


def page(name: str, title: str, **context: object) -> str:
    return flask.render_template(name, title=title, **context)


def say(text: str, endpoint: str) -> flask.Response:
    """Flash *text*, and go on to *endpoint*."""
    flash(text)
    return redirect(url_for(endpoint))


def typed(*names: str) -> list[str]:
    """Return what was typed into the fields *names* of a form."""
    return [request.form.get(name, "").strip() for name in names]


def picture() -> bytes:
    upload = request.files.get("picture")
    return upload.read() if upload else b""


def keep(folder: str) -> str:
    """Save the uploaded file, and return its path."""
    path = f"{folder}/kept"
    request.files["picture"].save(path)
    return path
