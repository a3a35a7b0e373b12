"""The notices as JSON."""

from __future__ import annotations

import flask
from flask_login import current_user, login_required

from .models import store

api = flask.Blueprint("api", __name__)


def _body() -> dict[str, str]:
    body = flask.request.get_json(silent=True) or {}
    return body if isinstance(body, dict) else {}


@api.get("/notices")
def notices():
    return flask.jsonify([{"id": n.id, "text": n.text} for n in store.notices.values()])


@api.post("/notices")
@login_required
def write():
    text = _body().get("text")
    if text is None:
        flask.abort(400)
    notice = store.add(current_user.name, text)
    return flask.jsonify(id=notice.id, author=notice.author), 201


@api.get("/me")
def me():
    return {"name": current_user.name if current_user.is_authenticated else None}


@api.post("/size")
def size():
    return {"bytes": len(flask.request.data), "again": len(flask.request.get_data())}
