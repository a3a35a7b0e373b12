"""The test kit: being somebody, moving the time, closing the browser, seeing why not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sites import Site

from flask_compat import FlaskLoginClient
from flask_compat import test_client as flask_kit
from quart_login import ConfigurationError, QuartLoginClient, Reason
from quart_login import testing as quart_kit
from quart_login.testing import ManualClock, assert_anonymous

PROTECTIONS = [None, "basic", "strong"]


class Client:
    """A login client of either framework, asked as Quart's."""

    def __init__(self, site: Site, **options: Any) -> None:
        self.site = site
        self.kind = FlaskLoginClient if site.web.__name__ == "flask" else QuartLoginClient
        self.client = self.kind(site.app, site.app.response_class) if self.flask else None
        if self.client is None:
            site.app.test_client_class = QuartLoginClient
            self.client = site.app.test_client(**options)

    @property
    def flask(self) -> bool:
        return self.kind is FlaskLoginClient

    async def get(self, path: str) -> Any:
        response = self.client.get(path)
        return response if self.flask else await response

    async def text(self, path: str) -> str:
        response = await self.get(path)
        return str(response.text if self.flask else await response.get_data(as_text=True))

    async def login_as(self, user: Any, **options: Any) -> None:
        done = self.client.login_as(user, **options)
        if not self.flask:
            await done

    def close(self) -> None:
        self.client.close_browser()

    @asynccontextmanager
    async def being(self, user: Any, **options: Any) -> AsyncIterator[None]:
        if self.flask:
            with flask_kit.authenticated_client(self.client, user, **options):
                yield
        else:
            async with quart_kit.authenticated_client(self.client, user, **options):
                yield


@pytest.fixture(params=PROTECTIONS)
def site(request: pytest.FixtureRequest, make_site: Any) -> Site:
    return make_site({"SESSION_PROTECTION": request.param})


@pytest.fixture
def client(site: Site) -> Client:
    return Client(site)


async def test_a_client_can_be_anybody(site: Site, client: Client) -> None:
    await client.login_as(site.users[1], remembered=True)
    assert await client.text("/very") == "very private of user 1"
    await client.text("/put/secret/of-1")
    await client.login_as(site.users[2])
    assert await client.text("/private") == "private of user 2"
    assert await client.text("/is-remembered") == "False"
    assert await client.text("/get/secret") == "None"


async def test_a_stale_login_is_stale(site: Site, client: Client) -> None:
    await client.login_as(site.users[1], fresh=False)
    assert await client.text("/private") == "private of user 1"
    assert (await client.get("/very")).status_code == 401


@pytest.mark.parametrize("age", [timedelta(hours=25), 25 * 3600, 25 * 3600.0])
async def test_an_old_login_is_as_old_as_it_is_said_to_be(
    site: Site, client: Client, age: Any
) -> None:
    await client.login_as(site.users[1], age=age)
    assert await client.text("/is-fresh") == "False"
    await client.login_as(site.users[1], age=timedelta(hours=23))
    assert await client.text("/is-fresh") == "True"


async def test_a_remembered_user_comes_back_when_the_browser_was_closed(
    site: Site, client: Client
) -> None:
    await client.login_as(site.users[1], remembered=True)
    client.close()
    assert await client.text("/is-remembered") == "True"
    assert await client.text("/private") == "private of user 1"
    assert await client.text("/is-fresh") == "False"


async def test_a_site_with_a_name_remembers_too(make_site: Any) -> None:
    site = make_site({"SERVER_NAME": "shop.example"})
    client = Client(site)
    await client.login_as(site.users[1], remembered=True)
    client.close()
    if client.flask:  # (Quart's test client sends its own Host.)
        assert await client.text("/private") == "private of user 1"


async def test_one_who_is_not_remembered_does_not(site: Site, client: Client) -> None:
    await client.login_as(site.users[1])
    client.close()
    response = await client.get("/private")
    assert response.status_code == 401
    assert_anonymous(response, Reason.NO_CREDENTIAL)


async def test_a_life_is_lived_without_a_wait(site: Site, client: Client) -> None:
    clock = site.manager.clock = ManualClock(1_800_000_000)
    await client.login_as(site.users[1], remembered=True)
    clock.advance(hours=25)
    assert await client.text("/is-fresh") == "False"
    client.close()
    clock.advance(days=300)
    assert await client.text("/private") == "private of user 1"
    client.close()
    clock.advance(days=70)
    response = await client.get("/private")
    assert_anonymous(response, reason="expired")
    assert "1835" in repr(clock) or "1832" in repr(clock)


async def test_a_clock_begins_at_the_real_time_and_is_no_other_s() -> None:
    one, other = ManualClock(), ManualClock()
    one.advance(minutes=1)
    assert one() > 1_700_000_000 and 50 < one() - other() < 70


async def test_a_reason_is_told_apart(site: Site, client: Client) -> None:
    await client.login_as(site.users[1])
    del site.users[1]
    response = await client.get("/private")
    assert_anonymous(response)
    assert_anonymous(response, Reason.USER_GONE)
    with pytest.raises(AssertionError, match="not for expired but for user_gone"):
        assert_anonymous(response, "expired")


async def test_somebody_is_not_anonymous(site: Site, client: Client) -> None:
    await client.login_as(site.users[1])
    with pytest.raises(AssertionError, match="logged in, by session"):
        assert_anonymous(await client.get("/me"))


async def test_another_client_s_response_says_nothing(site: Site) -> None:
    with pytest.raises(TypeError, match="login client"):
        assert_anonymous(object())


async def test_any_client_may_be_somebody_for_a_while(site: Site, client: Client) -> None:
    async with client.being(site.users[2]):
        assert await client.text("/very") == "very private of user 2"
    assert (await client.get("/private")).status_code == 401


async def test_a_client_is_somebody_in_one_realm(site: Site, client: Client) -> None:
    staff = site.lib.LoginManager(site.app, name="staff")
    staff.user_loader(site.manager.user_callback)

    @site.route("/staff")
    async def page() -> str:
        return f"{staff.current_user.is_authenticated} {site.lib.current_user.is_authenticated}"

    await client.login_as(site.users[1], realm="staff")
    assert await client.text("/staff") == "True False"
    client.close()
    async with client.being(site.users[1], realm="staff"):
        assert await client.text("/staff") == "True False"
    with pytest.raises(ConfigurationError, match="no such LoginManager here"):
        await client.login_as(site.users[1], realm="nobody")


async def test_the_kit_shows_no_secret(site: Site) -> None:
    from quart_login._core.kit import Opened

    assert "secret" not in repr(Opened({"_user_id": "secret"}, "secret"))
