"""What can a user do with notes?  With their own, that is: another's is as if it were not."""

from __future__ import annotations

import time
from typing import Any

from quart import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import delete

from .database import Note
from .services import me, services

blueprint = Blueprint("notes", __name__, url_prefix="/notes")

LONGEST_TITLE, LONGEST_TEXT = 120, 10_000


@blueprint.get("/")
async def index() -> Any:
    notes = await services().database.notes(me().id)
    return await render_template("notes.html", notes=notes, note=None)


@blueprint.post("/")
async def create() -> Any:
    note = Note(user_id=me().id)
    if problem := await _fill(note):
        notes = await services().database.notes(me().id)
        return await render_template("notes.html", notes=notes, note=note, problem=problem), 422
    await _keep(note)
    await flash("Your note is kept.")
    return redirect(url_for("notes.index"), 303)


@blueprint.route("/<int:id>", methods=["GET", "POST"])
async def edit(id: int) -> Any:
    note = await _mine(id)
    if request.method != "POST":
        return await render_template("note.html", note=note)
    if problem := await _fill(note):
        return await render_template("note.html", note=note, problem=problem), 422
    await _keep(note)
    await flash("Your note is changed.")
    return redirect(url_for("notes.index"), 303)


@blueprint.post("/<int:id>/delete")
async def remove(id: int) -> Any:
    note = await _mine(id)
    async with services().database.session() as session, session.begin():
        await session.execute(delete(Note).where(Note.id == note.id))
    await services().news.tell(note.user_id, note.id)
    await flash("Your note is deleted.")
    return redirect(url_for("notes.index"), 303)


async def _mine(id: int) -> Note:
    note = await services().database.note(me().id, id) if id < 2**31 else None
    if note is None:
        abort(404)
    return note


async def _fill(note: Note) -> str | None:
    """Write what the form says into *note*; return what is wrong with it, or None."""
    form = await request.form
    note.title = form.get("title", "").replace("\0", "").strip()
    note.text = form.get("text", "").replace("\0", "").strip()
    if not note.title:
        return "A note needs a title."
    if len(note.title) > LONGEST_TITLE or len(note.text) > LONGEST_TEXT:
        return f"A title has {LONGEST_TITLE} characters at most, a note {LONGEST_TEXT:,}."
    return None


async def _keep(note: Note) -> None:
    note.changed = time.time()
    async with services().database.session() as session, session.begin():
        note = await session.merge(note)
    await services().news.tell(note.user_id, note.id)
