"""How does an open page show new notes at once?

By a websocket, which is guarded as any view is.  When its login ends, wherever that was done, the
library closes it with status 1008, and the page says so.
"""

from __future__ import annotations

import asyncio
from typing import Any

from quart import Blueprint, render_template, url_for, websocket

from .database import Note
from .news import Page
from .services import me, services

blueprint = Blueprint("live", __name__, url_prefix="/live")


@blueprint.get("/")
async def index() -> Any:
    return await render_template("live.html")


@blueprint.websocket("/socket")
async def socket() -> None:
    with services().news.page(me().id) as page:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_tell(me().id, page))
            while True:
                await websocket.receive()  # Nothing is to be said: let it not pile up.


async def _tell(user_id: int, page: Page) -> None:
    database = services().database
    while True:
        changed = await page.look()
        if changed is None:
            notes = await database.notes(user_id)
            await websocket.send_json({"notes": [_shown(note) for note in notes]})
            continue
        for note_id in sorted(changed):
            note = await database.note(user_id, note_id)
            await websocket.send_json({"gone": note_id} if note is None else {"note": _shown(note)})


def _shown(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "title": note.title,
        "text": note.text,
        "changed": note.changed,
        "url": url_for("notes.edit", id=note.id),
    }
