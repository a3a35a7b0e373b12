"""Remember-me as a series, and cookies from before there was a registry."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from registry import CountingStore, copy, logged_in, registered
from sites import Answer, Browser, Site, User

OLD = pytest.mark.parametrize("form", ["quart-login", "flask-login"])


@pytest.fixture
def site(make_site: Any) -> Any:
    return registered(make_site)


async def closed(site: Site) -> Browser:
    """Return a browser with a remembered login, which was closed."""
    browser = await logged_in(site, "/in/1?remember=1")
    browser.close()
    return browser


async def at_once(
    browser: Browser, requests: int, chance: random.Random, path: str = "/private"
) -> list[Answer]:
    """Let *browser* send so many requests at once; their answers come in a random order, and some
    are lost.  Return the answers.

    Each has the cookies that the browser has now, and is decided while others are under way.
    """
    sent = [copy(browser) for _ in range(requests)]
    answers: list[Answer] = []
    store: CountingStore = browser.site.manager.sessions  # type: ignore[attr-defined]
    waiting = sent[1:]

    async def meanwhile(when: str, name: str) -> None:
        # Another request comes in between, at a point that chance chooses.
        if waiting and chance.random() < 0.6:
            answers.append(await waiting.pop().get(path))

    store.meanwhile = meanwhile
    answers.append(await sent[0].get(path))
    store.meanwhile = None
    while waiting:
        answers.append(await waiting.pop().get(path))
    arrived = [one for one in sent if chance.random() < 0.7]
    chance.shuffle(arrived)
    before = dict(browser.jar)
    for one in arrived:  # What a response did to its own copy, it does to the browser.
        browser.jar.update({k: v for k, v in one.jar.items() if before.get(k) != v})
        for gone in before.keys() - one.jar.keys():
            browser.jar.pop(gone, None)
    return answers


# --- P9: at once ---------------------------------------------------------------------------------


@pytest.mark.parametrize("requests", range(2, 17))
async def test_p9_parallel_requests_with_one_remember_cookie(make_site: Any, requests: int) -> None:
    """All are authenticated, one at most sets the cookie, the browser's last one is good, and no
    theft is seen, whatever the order and whichever answers are lost.
    """
    chance = random.Random(requests)
    site = registered(make_site, {"LOGIN_STORE_TIMEOUT": None})
    browser = await closed(site)
    with site.hearing("remember_theft_detected", "login_session_ended") as heard:
        for _ in range(12):
            answers = await at_once(browser, requests, chance)
            assert all(answer == (200, "private of user 1") for answer in answers)
            setting = [answer for answer in answers if answer.cookie("remember_token")]
            assert len(setting) <= 1
            assert await copy(browser).get("/me") == (200, "user 1")
            browser.close()
            site.clock.advance(seconds=chance.choice([0, 1, 30, 61, 3600, 40_000]))
        assert await browser.get("/private") == (200, "private of user 1")
    assert heard == []
    assert len(site.manager.sessions.all()) == 1


async def test_p9_who_loses_the_race_writes_nothing_in_the_browser(make_site: Any) -> None:
    site = registered(make_site, {"LOGIN_STORE_TIMEOUT": None})
    browser = await closed(site)
    late = copy(browser)
    await browser.get("/me")
    jar = dict(late.jar)
    answer = await late.get("/put/cart/full")
    assert answer.cookie("remember_token") is None
    assert await late.get("/private") == (200, "private of user 1")
    assert late.jar["remember_token"] == jar["remember_token"]
    assert "_user_id" not in late.session() and "_login_session" not in late.session()


async def test_p9_a_response_that_was_lost_is_made_good_for_a_day(site: Any) -> None:
    browser = await closed(site)
    await copy(browser).get("/me")  # It never arrives.
    for hours in (0.01, 1, 22):
        lost = copy(browser)
        site.clock.advance(hours=hours)
        assert await lost.get("/private") == (200, "private of user 1")
        browser = lost if hours == 0.01 else browser
    site.clock.advance(seconds=61)
    assert await browser.get("/me") == (200, "user 1")
    assert browser.jar["remember_token"] and "session" in browser.jar


async def test_p9_after_a_day_it_is_nothing_and_no_theft(site: Any) -> None:
    browser = await closed(site)
    await copy(browser).get("/me")
    site.clock.advance(days=1, seconds=1)
    with site.hearing("remember_theft_detected") as heard:
        assert await browser.get("/me") == (200, "anonymous")
        assert await browser.get("/me") == (200, "anonymous")
    assert heard == [] and len(site.manager.sessions.all()) == 1


async def test_p10_who_keeps_the_new_cookie_back_and_uses_the_session_is_a_thief(site: Any) -> None:
    browser = await closed(site)
    thief = copy(browser)
    await thief.get("/me")
    del thief.jar["remember_token"]
    site.clock.advance(seconds=300)
    assert await thief.get("/me") == (200, "user 1")
    with site.hearing("remember_theft_detected") as heard:
        assert await browser.get("/me") == (200, "anonymous")
    assert len(heard) == 1 and await thief.get("/me") == (200, "anonymous")


# --- P10: theft ----------------------------------------------------------------------------------


@pytest.mark.parametrize("age", [1, 2, 5])
@pytest.mark.parametrize("with_session", [False, True])
async def test_p10_a_superseded_cookie_ends_the_login_and_is_told_once(
    site: Any, age: int, with_session: bool
) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    thief = copy(browser) if with_session else copy(browser, "remember_token")
    for _ in range(age):
        browser.close()
        await browser.get("/me")
        await browser.get("/me")
        site.clock.advance(seconds=61)
    with site.hearing("remember_theft_detected", "login_session_ended") as heard:
        for _ in range(3):
            assert await copy(thief).get("/private") != (200, "private of user 1")
        assert await thief.get("/me") == (200, "anonymous")
    assert [name for name, _ in heard] == ["remember_theft_detected", "login_session_ended"]
    assert heard[1][1]["reason"] == "remember_theft"
    assert thief.jar == {}
    assert await browser.get("/me") == (200, "anonymous")


async def test_p10_within_the_window_it_is_theft_only_if_it_is_older(site: Any) -> None:
    browser = await closed(site)
    oldest = copy(browser)
    for _ in range(2):
        await browser.get("/me")
        browser.close()
    with site.hearing("remember_theft_detected") as heard:
        assert await oldest.get("/me") == (200, "anonymous")
    assert len(heard) == 1


@pytest.mark.parametrize("bad", ["made up", "unknown", "cut", "other key"])
async def test_p10_nobody_ends_a_login_with_a_cookie_that_is_none(site: Any, bad: str) -> None:
    """An id is no secret, so whoever learns it must not be able to end the login with it."""
    from quart_login._core import proofs
    from quart_login._core.tokens import Keys

    browser = await closed(site)
    token = browser.jar["remember_token"]
    [login] = site.manager.sessions.all()
    proof = proofs.Proof(login.id if bad != "unknown" else "A" * 22, "B" * 43)
    series = proofs.Series(proof, int(site.clock()) + 9999)
    forged = {
        "made up": f"{login.id}.{'B' * 43}",
        "unknown": proofs.write_series(series, Keys(site.app.config["SECRET_KEY"]), None),
        "cut": token[:-1],
        "other key": proofs.write_series(series, Keys("another key" * 4), None),
    }[bad]
    attacker = site.browser()
    attacker.jar["remember_token"] = forged
    with site.hearing("remember_theft_detected", "login_session_ended") as heard:
        assert await attacker.get("/me") == (200, "anonymous")
    assert heard == [] and attacker.jar == {}
    assert await browser.get("/me") == (200, "user 1")


@pytest.mark.parametrize("window", [5, 3600])
async def test_the_window_is_the_application_s(make_site: Any, window: int) -> None:
    site = registered(make_site, {"LOGIN_REMEMBER_WINDOW": window})
    browser = await closed(site)
    late = copy(browser)
    await browser.get("/me")
    await browser.get("/me")
    site.clock.advance(seconds=window)
    assert await copy(late).get("/me") == (200, "user 1")
    site.clock.advance(seconds=1)
    assert await late.get("/me") == (200, "anonymous")
    assert await browser.get("/me") == (200, "anonymous")


async def test_a_remember_cookie_is_replaced_only_when_it_begins_a_session(site: Any) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    token = browser.jar["remember_token"]
    for _ in range(5):
        site.clock.advance(hours=1)
        assert (await browser.get("/private")).cookie("remember_token") is None
    assert browser.jar["remember_token"] == token
    browser.close()
    assert (await browser.get("/private")).cookie("remember_token") is not None


# --- cookies from before -------------------------------------------------------------------------


async def stateless(make_site: Any, form: str = "quart-login", user: Any = 1) -> str:
    """Return the remember cookie of a site without a registry."""
    old = make_site({"REMEMBER_COOKIE_FORMAT": form})
    browser = await logged_in(old, f"/in/{user}?remember=1")
    return browser.jar["remember_token"]


async def with_old(make_site: Any, form: str = "quart-login", **config: Any) -> tuple[Any, Any]:
    """Return a site with a registry, and a browser with a remember cookie from before."""
    site = registered(make_site, config)
    browser = site.browser()
    browser.jar["remember_token"] = await stateless(make_site, form)
    return site, browser


@OLD
async def test_an_old_cookie_moves_over_at_its_first_use(make_site: Any, form: str) -> None:
    site, browser = await with_old(make_site, form)
    old = copy(browser)
    assert await browser.get("/private") == (200, "private of user 1")
    assert await browser.get("/is-fresh") == (200, "False")
    assert browser.jar["remember_token"] != old.jar["remember_token"]
    assert len((await browser.get("/sessions")).text.split()) == 1
    for _ in range(3):
        browser.close()
        assert await browser.get("/private") == (200, "private of user 1")
    site.clock.advance(seconds=61)
    assert await old.get("/me") == (200, "anonymous")
    assert old.jar == {}
    assert await browser.get("/me") == (200, "user 1")


@OLD
@pytest.mark.parametrize("requests", [2, 7, 16])
async def test_p9_old_cookies_at_once(make_site: Any, form: str, requests: int) -> None:
    chance = random.Random(requests)
    for _ in range(8):
        site, browser = await with_old(make_site, form, LOGIN_STORE_TIMEOUT=None)
        answers = await at_once(browser, requests, chance)
        assert all(answer == (200, "private of user 1") for answer in answers)
        assert len([one for one in answers if one.cookie("remember_token")]) <= 1
        assert await browser.get("/me") == (200, "user 1")
        logins = [one for one in site.manager.sessions.all() if one.user_id == "#1"]
        assert len(logins) == 1


@OLD
@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("later", [0, 1, 61])
async def test_p5_a_copy_of_an_old_cookie_does_not_outlive_the_logout(
    make_site: Any, form: str, moved: bool, later: float
) -> None:
    site, browser = await with_old(make_site, form)
    thief, left = copy(browser), copy(browser)
    if moved:
        await browser.get("/me")
        assert await copy(thief).get("/me") == (200, "user 1")  # It could be the browser's.
    assert await browser.get("/out") == (200, "True")
    site.clock.advance(seconds=later)
    assert (await thief.get("/private")).status == 401
    assert await left.get("/me") == (200, "anonymous")
    assert left.jar == {}


@OLD
@pytest.mark.parametrize("later", [0, 61])
async def test_p5_nor_does_one_that_came_beside_a_login(
    make_site: Any, form: str, later: float
) -> None:
    """The login was made without it, so it never moved."""
    site, holder = await with_old(make_site, form)
    browser = await logged_in(site)
    browser.jar.update(holder.jar)
    thief = copy(holder)
    assert await browser.get("/private") == (200, "private of user 1")
    assert browser.jar["remember_token"] == holder.jar["remember_token"]
    assert await browser.get("/out") == (200, "True")
    site.clock.advance(seconds=later)
    assert await thief.get("/me") == (200, "anonymous")
    assert thief.jar == {}


@OLD
@pytest.mark.parametrize("days", [100, 399, 401, 800, 4000])
async def test_p5_what_was_revoked_stays_so_for_as_long_as_it_could_live(
    make_site: Any, form: str, days: int
) -> None:
    """Flask-Login's form has no end of its own."""
    site, browser = await with_old(make_site, form)
    await site.browser().get("/revoke-user/1")
    site.clock.advance(days=days)
    await logged_in(site, "/in/2")
    with_app = site.app.app_context()
    if site.web.__name__ == "flask":
        with with_app:
            site.lib.purge_sessions()
    else:
        async with with_app:
            await site.lib.purge_sessions()
    assert await browser.get("/me") == (200, "anonymous")


@OLD
async def test_p8_a_logout_beside_the_request_that_moves_the_cookie(
    make_site: Any, form: str
) -> None:
    """It ends what the other one begins, at whichever call it comes."""
    for number in range(12):
        site, browser = await with_old(make_site, form, LOGIN_STORE_TIMEOUT=None)
        leaver, thief = copy(browser), copy(browser)
        store: CountingStore = site.manager.sessions
        calls: list[str] = []

        def meanwhile_at(number: int, leaver: Browser, store: Any, calls: list[str]) -> Any:
            async def meanwhile(when: str, name: str) -> None:
                calls.append(name)
                if len(calls) == number + 1:
                    store.meanwhile = None
                    assert await leaver.get("/out") == (200, "True")

            return meanwhile

        store.meanwhile = meanwhile_at(number, leaver, store, calls)
        await browser.get("/me")
        if store.meanwhile is not None:
            break  # It makes not so many calls.
        for one in (browser, thief):
            assert await one.get("/me") == (200, "anonymous")
        assert [one for one in store.all() if one.user_id == "#1"] == []
    assert 8 < number < 12


@OLD
@pytest.mark.parametrize("by", ["user", "others", "session"])
@pytest.mark.parametrize("moved", [False, True])
async def test_p5_revoking_ends_the_old_cookies_too(
    make_site: Any, form: str, by: str, moved: bool
) -> None:
    site, browser = await with_old(make_site, form)
    thief = copy(browser)
    if moved:
        await browser.get("/me")
    here = await logged_in(site)
    if by == "user":
        await site.browser().get("/revoke-user/1")
    elif by == "others":
        await here.get("/revoke-others")
        assert await here.get("/me") == (200, "user 1")
    elif moved:
        id = browser.session()["_login_session"][:22]
        assert await here.get(f"/revoke/{id}") == (200, "True")
    else:
        return
    for _ in range(2):
        assert await copy(thief).get("/me") == (200, "anonymous")
        assert await copy(browser).get("/me") == (200, "anonymous")
        site.clock.advance(seconds=61)


async def test_p5_a_user_whose_name_looks_like_that_of_notes_has_none(make_site: Any) -> None:
    """Ending this one's logins must not let another's old cookies live again."""
    site, browser = await with_old(make_site)
    user: Any = User("!1")
    site.users["odd"] = user

    async def find(user_id: Any) -> Any:
        return next((one for one in site.users.values() if one.id == user_id), None)

    site.find = find
    await site.browser().get("/revoke-user/1")
    odd = await logged_in(site, "/in/odd")
    assert len((await odd.get("/sessions")).text.split()) == 1
    assert await odd.get("/revoke-others") == (200, "0")
    assert await browser.get("/me") == (200, "anonymous")


@OLD
async def test_an_old_cookie_lives_no_longer_for_having_moved(make_site: Any, form: str) -> None:
    site, browser = await with_old(make_site, form, REMEMBER_COOKIE_DURATION=timedelta(days=10))
    dated = form == "quart-login"
    site.clock.advance(days=6)
    assert await browser.get("/me") == (200, "user 1")
    browser.close()
    site.clock.advance(days=5 if dated else 10, seconds=1)
    assert await browser.get("/me") == (200, "anonymous")


@OLD
async def test_the_application_may_end_the_move(make_site: Any, form: str) -> None:
    site, browser = await with_old(make_site, form, LOGIN_ADOPT_REMEMBER_COOKIES=False)
    assert await browser.get("/why") == (200, "not_registered")
    assert browser.jar == {}
    assert site.manager.sessions.asked == {}


@pytest.mark.parametrize("how", ["gone", "inactive"])
async def test_an_old_cookie_of_who_may_not_log_in_is_dead_for_good(
    make_site: Any, how: str
) -> None:
    site, browser = await with_old(make_site)
    left, user = copy(browser), site.users[1]
    if how == "gone":
        del site.users[1]
    else:
        user.active = False
    assert await browser.get("/me") == (200, "anonymous")
    site.users[1], user.active = user, True
    assert await left.get("/me") == (200, "anonymous")


async def test_an_old_cookie_of_another_epoch_is_dead(make_site: Any) -> None:
    old = make_site()
    old.users[1].session_epoch = 1
    token = (await logged_in(old, "/in/1?remember=1")).jar["remember_token"]
    site = registered(make_site)
    site.users[1].session_epoch = 2
    browser = site.browser()
    browser.jar["remember_token"] = token
    assert await browser.get("/why") == (200, "epoch_changed")
    assert browser.jar == {}


async def test_a_full_user_s_old_cookie_waits_for_room(make_site: Any) -> None:
    config = {"LOGIN_MAX_SESSIONS": 1, "LOGIN_MAX_SESSIONS_REACHED": "refuse"}
    site, browser = await with_old(make_site, **config)
    here = await logged_in(site)
    for _ in range(2):
        assert await browser.get("/why") == (200, "too_many_sessions")
        assert (await browser.get("/private")).status == 401
    await here.get("/out")
    assert await browser.get("/private") == (200, "private of user 1")


async def test_an_old_session_is_not_taken_over_and_says_why(make_site: Any) -> None:
    old = await logged_in(make_site(), "/in/1?remember=1")
    site = registered(make_site)
    browser = site.browser()
    browser.jar = copy(old, "session").jar
    assert await browser.get("/why") == (200, "not_registered")
    assert (await browser.get("/private")).status == 401
    assert browser.jar == {}
    browser.jar = dict(old.jar)  # The remember cookie beside it is.
    assert await browser.get("/private") == (200, "private of user 1")


async def test_a_login_keeps_the_user_s_old_cookie_and_ends_another_s(make_site: Any) -> None:
    _, browser = await with_old(make_site)
    mine, other = copy(browser), copy(browser)
    assert await mine.get("/in/1") == (200, "True")
    mine.close()
    assert await mine.get("/private") == (200, "private of user 1")
    assert await other.get("/in/2") == (200, "True")
    other.close()
    assert await other.get("/me") == (200, "anonymous")


@pytest.mark.parametrize("names", [("session",), ()])
async def test_an_old_cookie_of_another_user_beside_a_login_counts_for_nothing(
    make_site: Any, names: tuple[str, ...]
) -> None:
    site = registered(make_site)
    browser = copy(await logged_in(site, "/in/1"), *names)
    browser.jar["remember_token"] = await stateless(make_site, user=2)
    assert await browser.get("/me") == (200, "anonymous")
    assert browser.jar == {}
