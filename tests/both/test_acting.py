"""A user where nobody made a request: ``acting_as``."""

from __future__ import annotations

from typing import Any

import pytest
from sites import Site, User

from quart_login import AnonymousUserMixin, OutOfPlace, UnusableUser


def acting(site: Site, user: Any, **options: Any) -> Any:
    return site.lib.acting_as(user, **options)


def name_of(site: Site) -> str:
    user = site.lib.current_user
    return user.name if user.is_authenticated else "nobody"


def test_without_any_application_the_user_is_the_one_of_the_block(site: Site) -> None:
    assert name_of(site) == "nobody"
    with acting(site, User(1)) as user:
        assert name_of(site) == user.name == "user 1"
        assert site.lib.current_user == User(1)
    assert name_of(site) == "nobody"


def test_blocks_nest_and_restore(site: Site) -> None:
    with acting(site, User(1)):
        with acting(site, User(2)):
            assert name_of(site) == "user 2"
        with pytest.raises(ZeroDivisionError), acting(site, User(3)):
            raise ZeroDivisionError
        assert name_of(site) == "user 1"
        with acting(site, site.lib.current_user):  # the user behind the proxy
            assert name_of(site) == "user 1"
    assert name_of(site) == "nobody"


def test_a_block_begins_once(site: Site) -> None:
    block = acting(site, User(1))
    with block, pytest.raises(RuntimeError, match="has begun already"):
        block.__enter__()
    with block:  # and may begin again when it has ended
        assert name_of(site) == "user 1"
    assert name_of(site) == "nobody"


@pytest.mark.parametrize("user", [None, "alice", object(), AnonymousUserMixin()])
def test_what_is_no_user_cannot_be_acted_as(site: Site, user: Any) -> None:
    with pytest.raises(UnusableUser):
        acting(site, user)


def test_a_block_shows_nobody(site: Site) -> None:
    assert "user" not in repr(acting(site, User(1))).lower()


async def test_templates_know_the_user(site: Site) -> None:
    async def render() -> str:
        with acting(site, User(2)):
            return await site.render("{{ current_user.name }}, {{ current_user.is_authenticated }}")

    if site.web.__name__ == "flask":
        with site.app.app_context():
            assert await render() == "user 2, True"
    else:
        async with site.app.app_context():
            assert await render() == "user 2, True"


async def test_a_request_made_meanwhile_has_a_user_of_its_own(site: Site) -> None:
    browser = site.browser()
    await browser.get("/in/2")
    with acting(site, User(1)):
        assert (await site.browser().get("/me")).text == "anonymous"
        assert (await site.browser().get("/private")).status == 401
        assert await browser.get("/private") == (200, "private of user 2")
        assert name_of(site) == "user 1"


async def test_in_a_request_it_holds_in_the_block_and_opens_no_view(site: Site) -> None:
    seen: list[str] = []

    @site.route("/act")
    async def act() -> str:
        with acting(site, User(9)):
            seen.append(name_of(site))
            assert not site.lib.login_fresh()
        return name_of(site)

    browser = site.browser()
    await browser.get("/in/2")
    assert await browser.get("/act") == (200, "user 2")
    assert seen == ["user 9"]
    assert await site.browser().get("/act") == (200, "nobody")


@pytest.mark.parametrize("name", ["login_user", "logout_user", "confirm_login"])
async def test_nobody_is_logged_in_or_out_by_it(site: Site, name: str) -> None:
    @site.route("/try")
    async def attempt() -> str:
        arguments = [User(1)] if name == "login_user" else []
        with acting(site, User(9)), pytest.raises(OutOfPlace, match=r"within acting_as\(\)"):
            await site.call(getattr(site.lib, name), *arguments)
        return "refused"

    browser = site.browser()
    await browser.get("/in/2")
    assert await browser.get("/try") == (200, "refused")
    assert await browser.get("/private") == (200, "private of user 2")
    with acting(site, User(9)), pytest.raises(OutOfPlace):
        await site.call(getattr(site.lib, name), *([User(1)] if name == "login_user" else []))


def test_a_realm_acts_for_itself_alone(site: Site) -> None:
    staff = site.lib.LoginManager(name="staff")
    with staff.acting_as(User(1)):
        assert staff.current_user.name == "user 1"
        assert name_of(site) == "nobody"
        with site.manager.acting_as(User(2)):
            assert (staff.current_user.name, name_of(site)) == ("user 1", "user 2")
    assert not staff.current_user.is_authenticated


def test_an_inactive_user_can_be_acted_as_and_counts_as_such(site: Site) -> None:
    with acting(site, User(1, active=False)):
        assert site.lib.current_user.name == "user 1"
        assert not site.lib.current_user.is_authenticated
