"""``quart login token`` and ``flask login token``, as they are run: outside of any event loop."""

from __future__ import annotations

from typing import Any

from loops import asyncio
from sites import Site


def run(site: Site, *args: str) -> Any:
    return site.app.test_cli_runner().invoke(args=["login", "token", *args])


def me(site: Site, token: str) -> Any:
    return asyncio.run(site.browser(Authorization=f"Bearer {token}").get("/me"))


def test_a_token_is_printed_for_a_user_of_the_loader(make_site: Any) -> None:
    for typed, name in (("1", "user 1"), ("zoë", "user zoë")):
        site = make_site()
        result = run(site, typed, "--lifetime", "60")
        assert result.exit_code == 0, result.output
        assert me(site, result.output.strip()) == (200, name)
        site.clock.advance(seconds=60)
        assert me(site, result.output.strip()) == (200, "anonymous")


def test_nobody_gets_none(make_site: Any) -> None:
    result = run(make_site(), "nobody")
    assert (result.exit_code, result.output) == (1, "Error: The user_loader knows no such user.\n")


def test_without_a_user_loader_it_says_so(make_site: Any) -> None:
    site = make_site()
    site.manager._user_callback = None
    result = run(site, "1")
    assert result.exit_code == 1 and "There is no user_loader" in result.output


def test_the_loader_has_what_it_has_in_a_request(make_site: Any) -> None:
    site = make_site()
    opened: list[str] = []
    if site.web.__name__ == "quart":

        @site.app.before_serving
        async def connect() -> None:
            opened.append("pool")

        @site.app.after_serving
        async def disconnect() -> None:
            opened.remove("pool")

    else:
        opened.append("pool")

    async def find(user_id: Any) -> Any:
        assert opened == ["pool"] and site.web.current_app.name == "site"
        return site.users[user_id]

    site.find = find
    assert run(site, "2").exit_code == 0


def test_a_plain_loader_will_do(make_site: Any) -> None:
    site = make_site()
    site.manager.user_loader(lambda user_id: site.users[user_id])
    assert run(site, "2").exit_code == 0
