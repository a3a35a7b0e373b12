"""Time, where logins are kept on the server: section 3.F of the survey of attacks, each test under
its row's number, and what P11 and P12 promise.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from registry import copy, logged_in, registered

DAY = 86_400
YEAR = 365 * DAY

#: As LOGIN_ASSURANCE_LEVEL has them (NIST SP 800-63B-4): the absolute limit, and the idle one.
LEVELS = [(None, 30 * DAY, None), ("aal1", 30 * DAY, None), ("aal2", DAY, 3600)]
LEVELS += [("aal3", 12 * 3600, 900)]


@pytest.fixture
def site(make_site: Any) -> Any:
    return registered(make_site)


# --- 70: clocks that jump ------------------------------------------------------------------------


@pytest.mark.parametrize("back", [61, 3600, YEAR])
async def test_070_a_clock_that_jumped_back_logs_nobody_in(site: Any, back: float) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    site.clock.advance(seconds=-back)
    for names in ((), ("session",), ("remember_token",)):
        assert await copy(browser, *names).get("/me") == (200, "anonymous")
    assert (await browser.get("/private")).status == 401
    # It ends nothing: when the clock is right again, the login is as good as it was.
    site.clock.advance(seconds=back)
    assert await browser.get("/me") == (200, "user 1")


@pytest.mark.parametrize("back", [1, 30, 60])
async def test_070_clocks_of_two_servers_may_differ_by_a_little(site: Any, back: float) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    site.clock.advance(seconds=-back)
    assert await browser.get("/very") == (200, "very private of user 1")
    browser.close()
    assert await browser.get("/me") == (200, "user 1")


@pytest.mark.parametrize("level, lifetime, idle", LEVELS)
@pytest.mark.parametrize("with_registry", [True, False])
async def test_070_073_no_walk_of_the_clock_lengthens_a_login(
    make_site: Any, level: str | None, lifetime: float, idle: float | None, with_registry: bool
) -> None:
    """P11 and P12: whatever the clocks of the servers say, one that is right ends it in time."""
    if level is None and not with_registry:
        return  # As Flask-Login: nothing ends it.
    chance = random.Random(f"{level}{with_registry}")
    config = {} if level is None else {"LOGIN_ASSURANCE_LEVEL": level}
    for _ in range(12):
        site = registered(make_site, config) if with_registry else make_site(config)
        browser = await logged_in(site)
        begun = site.clock.now
        moment, last = begun, begun
        while moment - begun <= lifetime * 1.2:
            moment += chance.choice([30, 300, (idle or DAY) * 0.4, lifetime * 0.2])
            # Some other server's clock is wrong, and what it saw is noted.
            wrong = chance.choice([0, 0, -40, 40, -7200, 7200, -YEAR])
            site.clock.now = moment + wrong
            seen = await browser.get("/me") == (200, "user 1")
            if wrong <= 0 and not seen and not browser.jar:
                break
            if seen and wrong == 0:
                assert moment - begun <= lifetime
                assert idle is None or moment - last <= idle + 7200 + 60
            last = moment if seen else last
        site.clock.now = begun + lifetime + 7200 + 61
        assert await browser.get("/me") == (200, "anonymous")


async def test_070_skew_within_the_tolerance_logs_nobody_out(make_site: Any) -> None:
    """P12, its other half: two servers, a minute apart at most."""
    site = registered(make_site, {"LOGIN_ASSURANCE_LEVEL": "aal3"})
    chance = random.Random(12)
    moment = site.clock.now
    browser = await logged_in(site)
    for _ in range(300):
        moment += 60
        site.clock.now = moment + chance.uniform(-30, 30)
        assert await browser.get("/me") == (200, "user 1")


# --- 71: freshness -------------------------------------------------------------------------------


async def test_071_thirty_days_later_nothing_is_fresh(make_site: Any) -> None:
    site = registered(make_site, {"LOGIN_LIFETIME": timedelta(days=60)})
    browser = await logged_in(site)
    for _ in range(30):
        site.clock.advance(days=1)
        assert await browser.get("/me") == (200, "user 1")
    assert (await browser.get("/very")).status == 401
    assert await browser.get("/confirm") == (200, "confirmed")
    assert await browser.get("/very") == (200, "very private of user 1")


# --- 72: remember --------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [1, 3600, 20 * YEAR])
@pytest.mark.parametrize("used", [False, True])
async def test_072_a_remember_cookie_is_nobody_s_past_its_duration(
    site: Any, seconds: int, used: bool
) -> None:
    """Nor is any that took its place: use does not lengthen it."""
    browser = await logged_in(site, f"/in/1?remember=1&seconds={seconds}")
    browser.close()
    end = site.clock.now + seconds
    if used:
        site.clock.advance(seconds=seconds / 2)
        assert await browser.get("/me") == (200, "user 1")
        browser.close()
    site.clock.now = end
    assert await copy(browser).get("/me") == (200, "user 1")
    site.clock.now = end + 1
    assert await browser.get("/me") == (200, "anonymous")
    assert browser.jar == {}


@pytest.mark.parametrize("seconds", ["0", "-1", "-86400", "0.000001"])
async def test_072_a_remember_cookie_for_no_time_is_nobody_s(site: Any, seconds: str) -> None:
    browser = site.browser()
    answer = await browser.get(f"/in/1?remember=1&seconds={seconds}")
    value = (answer.cookie("remember_token") or "=;").split(";")[0].split("=", 1)[1]
    site.clock.advance(seconds=1)
    late = site.browser()
    late.jar["remember_token"] = value
    assert await late.get("/me") == (200, "anonymous")


async def test_072_the_longest_duration_is_no_error(site: Any) -> None:
    @site.route("/forever")
    async def forever() -> str:
        return str(await site.login_user(site.users[1], remember=True, duration=timedelta.max))

    browser = await logged_in(site, "/forever")
    browser.close()
    assert await browser.get("/me") == (200, "user 1")


# --- 73: sessions --------------------------------------------------------------------------------


@pytest.mark.parametrize("level, lifetime, idle", LEVELS)
@pytest.mark.parametrize("with_registry", [True, False])
async def test_073_a_session_ends_at_its_absolute_limit_however_busy(
    make_site: Any, level: str | None, lifetime: float, idle: float | None, with_registry: bool
) -> None:
    if level is None and not with_registry:
        return
    config = {} if level is None else {"LOGIN_ASSURANCE_LEVEL": level}
    site = registered(make_site, config) if with_registry else make_site(config)
    browser = await logged_in(site)
    end = site.clock.now + lifetime
    step = (idle or lifetime) / 2
    while site.clock.now + step < end:
        site.clock.advance(seconds=step)
        assert await browser.get("/me") == (200, "user 1")
    site.clock.now = end
    assert await browser.get("/me") == (200, "user 1")
    left = copy(browser)
    site.clock.now = end + 1
    assert await browser.get("/me") == (200, "anonymous")
    assert browser.jar == {}
    assert await left.get("/me") == (200, "anonymous")


@pytest.mark.parametrize("level, lifetime, idle", [one for one in LEVELS if one[2]])
@pytest.mark.parametrize("with_registry", [True, False])
async def test_073_a_session_ends_when_nobody_uses_it(
    make_site: Any, level: str, lifetime: float, idle: float, with_registry: bool
) -> None:
    config = {"LOGIN_ASSURANCE_LEVEL": level}
    site = registered(make_site, config) if with_registry else make_site(config)
    browser = await logged_in(site)
    for _ in range(3):
        site.clock.advance(seconds=idle)
        assert await browser.get("/me") == (200, "user 1")
    copied = copy(browser)
    site.clock.advance(seconds=idle + 1)
    assert await browser.get("/me") == (200, "anonymous")
    assert browser.jar == {}
    site.clock.advance(seconds=-idle)  # Where it is over in the store, nothing brings it back.
    assert await copied.get("/me") == (200, "anonymous" if with_registry else "user 1")


@pytest.mark.parametrize("with_registry", [True, False])
async def test_073_an_idle_limit_shorter_than_a_minute_is_kept_too(
    make_site: Any, with_registry: bool
) -> None:
    config = {"LOGIN_IDLE_TIMEOUT": 10}
    site = registered(make_site, config) if with_registry else make_site(config)
    browser = await logged_in(site)
    for _ in range(30):
        site.clock.advance(seconds=5)
        assert await browser.get("/me") == (200, "user 1")
    site.clock.advance(seconds=11)
    assert await browser.get("/me") == (200, "anonymous")


@pytest.mark.parametrize("setting", ["LOGIN_LIFETIME", "LOGIN_IDLE_TIMEOUT"])
async def test_073_a_limit_that_was_tightened_counts_for_logins_out_there(
    site: Any, setting: str
) -> None:
    browser = await logged_in(site)
    site.clock.advance(seconds=600)
    assert await browser.get("/me") == (200, "user 1")
    site.app.config[setting] = timedelta(minutes=5)
    site.clock.advance(seconds=301)
    assert await browser.get("/me") == (200, "anonymous")


@pytest.mark.parametrize("level", ["aal2", "aal3"])
@pytest.mark.parametrize("with_registry", [True, False])
async def test_073_where_nist_forbids_it_nobody_is_remembered(
    make_site: Any, level: str, with_registry: bool
) -> None:
    """ "Remember my browser" cookies shall not replace authentication (NIST SP 800-63B-4)."""
    site = registered(make_site) if with_registry else make_site()
    browser = await logged_in(site, "/in/1?remember=1")
    site.app.config["LOGIN_ASSURANCE_LEVEL"] = level
    browser.close()
    assert await browser.get("/me") == (200, "anonymous")  # nor who was, before
    assert browser.jar == {}
    answer = await browser.get("/in/1?remember=1")
    assert answer.cookie("remember_token") is None
    browser.close()
    assert await browser.get("/me") == (200, "anonymous")


@pytest.mark.parametrize("way", ["session", "remember", "logout"])
async def test_073_a_login_that_is_remembered_outlives_its_session_by_its_cookie_alone(
    make_site: Any, way: str
) -> None:
    site = registered(make_site, {"LOGIN_IDLE_TIMEOUT": 3600, "LOGIN_LIFETIME": DAY})
    browser = await logged_in(site, "/in/1?remember=1")
    site.clock.advance(seconds=3601)
    if way == "session":
        assert await copy(browser, "session").get("/me") == (200, "anonymous")
    assert await browser.get("/me") == (200, "user 1")
    assert await browser.get("/is-fresh") == (200, "False")
    if way == "logout":
        before = copy(browser)
        await browser.get("/out")
        assert await before.get("/me") == (200, "anonymous")
