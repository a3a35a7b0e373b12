"""A cache between browsers and a site, that serves everybody: it heeds ``Vary`` and
``Cache-Control`` and keeps whatever they let it keep (RFC 9111, section 3 and 4.1).
"""

from __future__ import annotations

from typing import Any

from sites import Answer, Browser, Site
from werkzeug.http import parse_list_header


class SharedCache:
    """Takes the place of *site* for its browsers."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.app = site.app
        #: What is kept of each path: the request's headers then, and the response.
        self.kept: dict[str, list[tuple[dict[str, str], Answer]]] = {}
        self.hits = 0

    def browser(self, **headers: str) -> Browser:
        return Browser(self, headers)  # type: ignore[arg-type]

    async def send(self, path: str, method: str, headers: dict[str, str]) -> Answer:
        if method != "GET":
            return await self.site.send(path, method, headers)
        for before, answer in self.kept.get(path, []):
            if _matches(before, headers, _list(answer, "Vary")):
                self.hits += 1
                return answer
        answer = await self.site.send(path, method, headers)
        if _may_keep(answer):
            self.kept.setdefault(path, []).append((dict(headers), answer))
        return answer


def _list(answer: Answer, name: str) -> list[str]:
    whole = ", ".join(answer.headers.getlist(name))
    return [word.strip().lower() for word in parse_list_header(whole)]


def _may_keep(answer: Answer) -> bool:
    """May a cache that serves several people keep *answer*?  It sees no reason not to."""
    said = _list(answer, "Cache-Control")
    return not {"private", "no-store", "no-cache"} & set(said) and "*" not in _list(answer, "Vary")


def _matches(before: dict[str, str], now: dict[str, str], vary: list[str]) -> bool:
    def chosen(headers: dict[str, str]) -> dict[str, Any]:
        return {name.lower(): value for name, value in headers.items() if name.lower() in vary}

    return chosen(before) == chosen(now)
