"""Time: section 3.F of the survey of attacks, each test under its row's number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from itsdangerous import TimestampSigner
from sites import Browser, Site


async def logged_in(site: Site, path: str = "/in/1?remember=1") -> Browser:
    browser = site.browser()
    assert await browser.get(path) == (200, "True")
    return browser


def only(browser: Browser, name: str, value: str) -> Browser:
    """Return another browser that has one cookie alone, copied from *browser*."""
    other = browser.site.browser()
    other.jar[name] = value
    return other


@pytest.mark.parametrize("form", ["quart-login", "flask-login"])
async def test_070_a_clock_that_jumped_back_gives_no_longer_life(make_site: Any, form: str) -> None:
    site = make_site({"REMEMBER_COOKIE_FORMAT": form, "REMEMBER_COOKIE_DURATION": 3600})
    browser = await logged_in(site)
    assert await browser.get("/is-fresh") == (200, "True")
    site.clock.advance(days=-365)
    assert await browser.get("/is-fresh") == (200, "False")
    browser.close()
    # Flask-Login's form carries no time, so no clock can be asked.
    expected = "anonymous" if form == "quart-login" else "user 1"
    assert await browser.get("/me") == (200, expected)


async def test_070_clocks_of_two_servers_may_differ_by_a_little(site: Site) -> None:
    browser = await logged_in(site)
    site.clock.advance(seconds=-30)
    assert await browser.get("/is-fresh") == (200, "True")
    browser.close()
    assert await browser.get("/me") == (200, "user 1")


async def test_070_a_refresh_under_a_clock_that_jumped_back_is_no_longer_life(
    make_site: Any,
) -> None:
    site = make_site(
        {"REMEMBER_COOKIE_REFRESH_EACH_REQUEST": True, "REMEMBER_COOKIE_DURATION": 3600}
    )
    browser = await logged_in(site)
    before = site.clock.now
    site.clock.advance(days=-365)
    await browser.get("/me")
    refreshed = browser.jar.get("remember_token")
    site.clock.now = before + 3601
    if refreshed is not None:
        assert await only(browser, "remember_token", refreshed).get("/me") == (200, "anonymous")


async def test_071_thirty_days_later_a_login_is_not_fresh(site: Site) -> None:
    browser = await logged_in(site, "/in/1")
    site.clock.advance(days=30)
    assert await browser.get("/me") == (200, "user 1")
    assert await browser.get("/is-fresh") == (200, "False")
    assert (await browser.get("/very")).status == 401


async def test_071_freshness_ends_to_the_second(make_site: Any) -> None:
    site = make_site({"LOGIN_FRESH_DURATION": timedelta(minutes=5)})
    browser = await logged_in(site, "/in/1")
    site.clock.advance(seconds=300)
    assert await browser.get("/is-fresh") == (200, "True")
    site.clock.advance(seconds=1)
    assert await browser.get("/is-fresh") == (200, "False")
    await browser.get("/confirm")
    assert await browser.get("/is-fresh") == (200, "True")


async def test_071_use_does_not_prolong_freshness(make_site: Any) -> None:
    site = make_site({"LOGIN_FRESH_DURATION": 300})
    browser = await logged_in(site, "/in/1")
    for _ in range(4):
        site.clock.advance(seconds=100)
        await browser.get("/me")
        await browser.get("/put/a/b")
    assert await browser.get("/is-fresh") == (200, "False")


@pytest.mark.parametrize("seconds", [1, 3600, 20 * 365 * 86400])
async def test_072_a_remember_cookie_is_nobody_s_past_its_duration(
    site: Site, seconds: int
) -> None:
    browser = await logged_in(site, f"/in/1?remember=1&seconds={seconds}")
    browser.close()
    site.clock.advance(seconds=seconds)
    assert await browser.get("/me") == (200, "user 1")
    browser.close()
    site.clock.advance(seconds=1)
    assert await browser.get("/me") == (200, "anonymous")
    assert browser.jar == {}


@pytest.mark.parametrize("seconds", ["0", "-1", "-86400", "0.000001"])
async def test_072_a_remember_cookie_for_no_time_is_nobody_s(site: Site, seconds: str) -> None:
    browser = site.browser()
    answer = await browser.get(f"/in/1?remember=1&seconds={seconds}")
    value = (answer.cookie("remember_token") or "remember_token=;").split(";")[0].split("=", 1)[1]
    site.clock.advance(seconds=1)
    assert await only(browser, "remember_token", value).get("/me") == (200, "anonymous")


@pytest.mark.parametrize("duration", [timedelta(seconds=1), 1, timedelta(days=1)])
async def test_072_the_duration_of_the_settings_ends_on_the_server(
    make_site: Any, duration: Any
) -> None:
    site = make_site({"REMEMBER_COOKIE_DURATION": duration})
    browser = await logged_in(site)
    browser.close()
    site.clock.advance(days=1, seconds=1)
    assert await browser.get("/me") == (200, "anonymous")


async def test_072_a_shorter_duration_in_the_settings_counts_for_cookies_out_there(
    site: Site,
) -> None:
    browser = await logged_in(site)
    browser.close()
    site.app.config["REMEMBER_COOKIE_DURATION"] = 60
    site.clock.advance(seconds=61)
    assert await browser.get("/me") == (200, "anonymous")


async def test_072_the_longest_duration_is_no_error(site: Site) -> None:
    @site.route("/forever")
    async def forever() -> str:
        return str(await site.login_user(site.users[1], remember=True, duration=timedelta.max))

    browser = site.browser()
    assert await browser.get("/forever") == (200, "True")
    browser.close()
    assert await browser.get("/me") == (200, "user 1")


async def test_073_a_session_cookie_is_nobody_s_after_a_year(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await logged_in(site, "/in/1")
    stamp = TimestampSigner.get_timestamp
    monkeypatch.setattr(
        TimestampSigner, "get_timestamp", lambda signer: stamp(signer) + 364 * 86400
    )
    assert await browser.get("/me") == (200, "anonymous")
    assert (await browser.get("/private")).status == 401


@pytest.mark.parametrize("setting", ["LOGIN_LIFETIME", "LOGIN_IDLE_TIMEOUT"])
async def test_073_a_limit_that_the_class_of_the_configuration_names_holds(
    site: Site, setting: str
) -> None:
    """Flask names defaults as a use of ``config_class``."""

    class Defaults(type(site.app.config)):  # type: ignore[misc]
        def get(self, key: str, default: Any = None) -> Any:
            return super().get(key, 3600 if key == setting else default)

    site.app.config.__class__ = Defaults
    browser = await logged_in(site, "/in/1")
    site.clock.advance(seconds=3500)
    assert await browser.get("/me") == (200, "user 1")
    site.clock.advance(seconds=3700)
    assert await browser.get("/me") == (200, "anonymous")
