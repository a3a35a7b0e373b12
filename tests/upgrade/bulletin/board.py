"""The notices."""

from __future__ import annotations

from flask import Blueprint, abort, make_response, redirect, request, url_for
from flask.views import MethodView
from flask_login import current_user, login_required

from .guards import at_most
from .helpers import keep, page, picture, say, typed
from .models import Notice, store

board = Blueprint("board", __name__)


def find(notice_id: int) -> Notice:
    return store.notices.get(notice_id) or abort(404)


@board.get("/")
def index():
    notices = [notice for notice in store.notices.values() if notice.text]
    return page("board.html", "Notices", notices=notices)


@board.post("/notices")
@login_required
def write():
    [text] = typed("text")
    if not text:
        return say("Write something.", "board.index")
    notice = store.add(current_user.name, text, picture())
    return redirect(url_for("board.notice", notice_id=notice.id))


@board.post("/pictures")
@login_required
def hang():
    return keep(request.args["folder"])


@board.get("/often")
@at_most(1)
def often():
    return "once"


class NoticeView(MethodView):
    decorators = (login_required,)

    def get(self, notice_id: int):
        return self._page(find(notice_id))

    def post(self, notice_id: int):
        notice = find(notice_id)
        self._refuse_others(notice)
        notice.text = request.form["text"]
        return self._page(notice)

    def delete(self, notice_id: int):
        notice = find(notice_id)
        self._refuse_others(notice)
        del store.notices[notice.id]
        return "", 204

    def _page(self, notice: Notice):
        # Nobody else keeps it.
        response = make_response(page("notice.html", "Notice", notice=notice))
        response.headers["Cache-Control"] = "private"
        return response

    def _refuse_others(self, notice: Notice) -> None:
        if notice.author != current_user.name:
            abort(403)


board.add_url_rule("/notices/<int:notice_id>", view_func=NoticeView.as_view("notice"))


@board.get("/notices/<int:notice_id>/picture")
def picture_of(notice_id: int):
    return find(notice_id).picture
