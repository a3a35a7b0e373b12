"""Promise P18: a cache that serves several people shows nobody what is another's."""

from __future__ import annotations

from typing import Any

import pytest
from caches import SharedCache
from hypothesis import given, settings
from hypothesis import strategies as st
from sites import SITES, Answer, Browser, Site

BOTH = pytest.mark.parametrize("framework", list(SITES))

PRIVATE = {"LOGIN_CACHE_CONTROL_PRIVATE": True}

#: What the views say of caching themselves.
SAID = ["", "public", "public, max-age=600", "s-maxage=600", "max-age=600", "no-store"]

VISITORS = [1, 2, None]

#: Pages whose text is the visitor's id.
PAGES = ["/whoami", "/whoami-guarded", "/whoami-streamed", "/whoami-hidden", "/whoami-missing"]


class Visitor:
    """Somebody with a browser, who is one user or nobody."""

    def __init__(self, cache: SharedCache, user_id: int | None) -> None:
        self.user_id = user_id
        self.browser: Browser = cache.browser(**{"X-Who": str(user_id or "")})
        self.logged_in = False

    @property
    def name(self) -> str:
        return str(self.user_id) if self.logged_in else "nobody"


def site_of(framework: str, config: dict[str, Any], said: str) -> Site:
    site = SITES[framework](config)
    web, lib = site.web, site.lib
    headers = {"Cache-Control": said} if said else {}

    def who() -> str:
        return str(lib.current_user.get_id() or "nobody")

    @site.route("/enter", methods=["GET", "POST"])
    async def enter() -> Any:
        asked = web.request.args.get("how", "")
        if "permanent" in asked:
            web.session.permanent = True
        user = site.users[int(web.request.headers["X-Who"])]
        await site.login_user(user, remember="remember" in asked)
        return "in", 200, headers

    @site.route("/leave", methods=["POST"])
    async def leave() -> Any:
        await site.logout_user()
        return "out", 200, headers

    @site.route("/whoami")
    async def whoami() -> Any:
        return who(), 200, headers

    @site.route("/whoami-guarded", guard="login_required")
    async def guarded() -> Any:
        return who(), 200, headers

    @site.route("/whoami-hidden")
    async def hidden() -> Any:
        await site.render("{{ current_user.get_id() }}")
        return who(), 200, headers

    @site.route("/whoami-streamed")
    async def streamed() -> Any:
        if web.__name__ == "flask":
            return web.Response(
                iter(lambda seen=[]: None if seen else seen.append(1) or who(), None)
            )

        async def body() -> Any:
            yield who()

        return body(), 200

    @site.route("/for-all")
    async def for_all() -> Any:
        return "for all", 200, {"Cache-Control": "public, max-age=600"}

    def missing(error: Any) -> Any:
        return who(), 404, headers

    site.app.register_error_handler(404, missing)
    return site


async def ask(visitor: Visitor, page: str) -> None:
    answer: Answer = await visitor.browser.get(page)
    if page == "/whoami-guarded" and not visitor.logged_in:
        assert answer.status == 401
    else:
        # Of a stream, the headers go first: one that asks for the user later may be kept as the
        # one for nobody.
        late = {"nobody"} if page == "/whoami-streamed" else set()
        assert answer.text in {visitor.name} | late, (page, answer.headers)


async def act(visitor: Visitor, action: str, by: str) -> None:
    """Let *visitor* do *action*, and see nothing that is another's."""
    if action.startswith("/enter"):
        if visitor.user_id is not None:
            await visitor.browser.open(action, method=by)
            visitor.logged_in = True
            await ask(visitor, "/whoami")
    elif action == "/leave":
        await visitor.browser.post(action)
        visitor.logged_in = False
    elif action == "close":
        visitor.browser.close()
        visitor.logged_in = "remember_token" in visitor.browser.jar
    elif action == "/for-all":
        assert await visitor.browser.get(action) == (200, "for all")
    else:
        await ask(visitor, action)


STEPS = st.lists(
    st.tuples(
        st.integers(0, len(VISITORS) - 1),
        st.sampled_from(
            [
                "/enter",
                "/enter?how=remember",
                "/enter?how=permanent",
                "/leave",
                "close",
                "/for-all",
                "/nowhere",
                *PAGES,
            ]
        ),
    ),
    min_size=2,
    max_size=14,
)


async def visit(site: Site, steps: list[tuple[int, str]], by: str) -> SharedCache:
    cache = SharedCache(site)
    visitors = [Visitor(cache, user_id) for user_id in VISITORS]
    for number, action in steps:
        await act(visitors[number], action, by)
    for visitor in visitors:
        for page in PAGES:
            await ask(visitor, page)
    return cache


@BOTH
@settings(max_examples=150, deadline=None)
@given(steps=STEPS, said=st.sampled_from(SAID), debug=st.booleans())
async def test_p18_no_visitor_sees_through_a_cache_what_is_anothers(
    framework: str, steps: list[tuple[int, str]], said: str, debug: bool
) -> None:
    site = site_of(framework, PRIVATE, said)
    site.app.debug = debug
    await visit(site, steps, "GET")


@BOTH
@settings(max_examples=100, deadline=None)
@given(steps=STEPS, said=st.sampled_from(SAID))
async def test_p18_where_logins_are_posts_vary_alone_shows_nobody_anothers_page(
    framework: str, steps: list[tuple[int, str]], said: str
) -> None:
    """As in `flask_compat`, where ``Cache-Control`` is the application's own."""
    site = site_of(framework, {"LOGIN_CACHE_CONTROL_PRIVATE": False}, said)
    await visit(site, steps, "POST")


@BOTH
async def test_p18_what_is_for_all_is_served_to_all_by_the_cache(framework: str) -> None:
    cache = SharedCache(site_of(framework, PRIVATE, ""))
    for _ in range(3):
        assert await cache.browser().get("/for-all") == (200, "for all")
    assert cache.hits == 2
