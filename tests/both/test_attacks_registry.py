"""The life of a login where it is kept on the server: section 3.D of the survey of attacks, each
test under its row's number.
"""

from __future__ import annotations

from typing import Any

import pytest
from registry import CountingStore, copy, logged_in, registered
from sites import Browser

from quart_login._core.step import step

#: What of a browser is copied.
PARTS = pytest.mark.parametrize("names", [("session",), ("remember_token",), ()])


@pytest.fixture
def site(make_site: Any) -> Any:
    return registered(make_site)


async def is_nobody(*browsers: Browser) -> bool:
    """Is nobody logged in to *browsers*, as every kind of view sees it?"""
    for browser in browsers:
        for path in ("/private", "/very", "/sessions"):
            assert (await copy(browser).get(path)).status == 401
        assert await browser.get("/me") == (200, "anonymous")
    return True


# --- 39 to 42: after the logout ------------------------------------------------------------------


@PARTS
@pytest.mark.parametrize("later", [0, 1, 61, 86_400 * 20])
async def test_039_040_a_copy_is_nobody_s_after_the_logout(
    site: Any, names: tuple[str, ...], later: float
) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    thief = copy(browser, *names)
    assert await copy(thief).get("/me") == (200, "user 1")
    assert await browser.get("/out") == (200, "True")
    site.clock.advance(seconds=later)
    assert await is_nobody(thief)
    assert site.manager.sessions.all() == []


async def test_039_no_former_proof_of_a_login_outlives_the_logout(site: Any) -> None:
    """That of each confirmation, and that of each return by the remember cookie."""
    browser = await logged_in(site, "/in/1?remember=1")
    copies = [copy(browser)]
    for _ in range(3):
        await browser.get("/confirm")
        copies.append(copy(browser))
        browser.close()
        assert await browser.get("/me") == (200, "user 1")
        copies.append(copy(browser))
    assert await browser.get("/out") == (200, "True")
    assert await is_nobody(*copies)


@pytest.mark.parametrize("keep", ["session", "remember_token"])
async def test_040_a_logout_by_either_cookie_ends_both(site: Any, keep: str) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    left = copy(browser)
    assert await copy(browser, keep).get("/out") == (200, "True")
    assert await is_nobody(left)


@PARTS
async def test_041_a_password_change_ends_the_copies(site: Any, names: tuple[str, ...]) -> None:
    user: Any = site.users[1]
    user.session_epoch = "the first password"
    browser = await logged_in(site, "/in/1?remember=1")
    thief = copy(browser, *names)
    user.session_epoch = "the second"
    with site.hearing("login_session_ended") as heard:
        assert await thief.get("/me") == (200, "anonymous")
    assert [extra["reason"] for _, extra in heard] == ["epoch_changed"]
    assert thief.jar == {}
    assert site.manager.sessions.all() == []
    user.session_epoch = "the first password"  # and nothing brings it back
    assert await is_nobody(browser)


async def test_041_without_epochs_the_application_ends_the_others(site: Any) -> None:
    """ASVS 7.4.3: offer to end the others where a password was changed."""
    here, there = await logged_in(site), await logged_in(site, "/in/1?remember=1")
    stranger = await logged_in(site, "/in/2")
    assert await here.get("/revoke-others") == (200, "1")
    assert await is_nobody(there)
    assert await here.get("/me") == (200, "user 1")
    assert await stranger.get("/me") == (200, "user 2")


@pytest.mark.parametrize("order", ["out, clear", "clear, out", "look, out, clear", "out, out"])
@PARTS
async def test_042_logout_and_clear_is_a_logout_on_the_server_too(
    site: Any, order: str, names: tuple[str, ...]
) -> None:
    """A view that clears the session first leaves the logout nothing but what loading found."""

    @site.route("/leave")
    async def leave() -> str:
        for part in order.split(", "):
            if part == "clear":
                site.web.session.clear()
            elif part == "out":
                await site.logout_user()
            else:
                assert site.lib.current_user.is_authenticated
        return str(site.lib.current_user.is_authenticated)

    browser = copy(await logged_in(site, "/in/1?remember=1"), *names)
    before = copy(browser)
    assert await browser.get("/leave") == (200, "False")
    assert browser.jar == {}
    if names == ("session",) and order == "clear, out" and site.web.__name__ == "flask":
        # Flask looks for the user when somebody asks, and what would have told was cleared.
        assert await before.get("/me") == (200, "user 1")
    else:
        assert site.manager.sessions.all() == []
        assert await is_nobody(before)


# --- 43, 44, 48: ids -----------------------------------------------------------------------------


async def test_043_what_an_attacker_plants_is_nothing_after_the_login(site: Any) -> None:
    """His own login, put into the victim's browser: it ends, and the victim gets another."""
    attacker = await logged_in(site, "/in/2?remember=1")
    victim = copy(attacker)
    assert await victim.get("/in/1") == (200, "True")
    assert await victim.get("/me") == (200, "user 1")
    assert await is_nobody(attacker)
    assert "remember_token" not in victim.jar
    victim.close()
    assert await victim.get("/me") == (200, "anonymous")


@pytest.mark.parametrize(
    "proof",
    [
        "A" * 22 + "." + "B" * 43,
        "",
        ".",
        "x",
        "a" * 66,
        "é" * 22 + "." + "B" * 43,
        "../" * 22,
        "\0" * 22 + "." + "\0" * 43,
        {"id": 1},
        ["A" * 22, "B" * 43],
        66,
        None,
        True,
    ],
)
async def test_044_an_id_that_the_client_chose_is_never_taken_over(site: Any, proof: Any) -> None:
    browser = await logged_in(site)
    [login] = site.manager.sessions.all()
    fixed = site.browser()
    # As though the key that signs sessions were known: still nobody.
    fixed.set_session(**{**browser.session(), "_login_session": proof})
    asked = site.manager.sessions.reads()
    assert await copy(fixed).get("/me") == (200, "anonymous")
    formed = isinstance(proof, str) and proof.isascii() and proof.startswith("A")
    assert site.manager.sessions.reads() - asked == formed  # Junk is refused by its shape.
    assert await fixed.get("/in/1") == (200, "True")
    assert fixed.session()["_login_session"] != proof
    assert len(site.manager.sessions.all()) == 2
    assert login in site.manager.sessions.all()


async def test_044_the_id_alone_proves_nothing(site: Any) -> None:
    browser = await logged_in(site)
    [login] = site.manager.sessions.all()
    for secret in (login.digest[:43], "A" * 43, login.digest):
        forged = site.browser()
        forged.set_session(**{**browser.session(), "_login_session": f"{login.id}.{secret}"})
        assert await forged.get("/me") == (200, "anonymous")
    assert await browser.get("/me") == (200, "user 1")


async def test_044_a_login_of_one_user_is_not_another_s(site: Any) -> None:
    """Spliced: one user's id, with another's proof."""
    one, other = await logged_in(site, "/in/1"), await logged_in(site, "/in/2")
    spliced = site.browser()
    spliced.set_session(**{**one.session(), "_login_session": other.session()["_login_session"]})
    assert await spliced.get("/me") == (200, "anonymous")
    for browser, name in ((one, "user 1"), (other, "user 2")):
        assert await browser.get("/me") == (200, name)


@pytest.mark.parametrize("remembered", [0, 1])
async def test_048_the_same_user_logs_in_again_and_the_old_cookies_are_dead(
    site: Any, remembered: int
) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    old = [copy(browser), copy(browser, "session"), copy(browser, "remember_token")]
    [before] = site.manager.sessions.all()
    assert await browser.get(f"/in/1?remember={remembered}") == (200, "True")
    [after] = site.manager.sessions.all()
    assert after.id != before.id and after.digest != before.digest
    assert await is_nobody(*old)
    assert await browser.get("/me") == (200, "user 1")
    browser.close()  # Who was remembered still is.
    assert await browser.get("/me") == (200, "user 1")


# --- 45: in flight -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/me", "/put/a/b", "/confirm", "/in/1", "/sessions"])
@pytest.mark.parametrize("call", range(6))
@pytest.mark.parametrize("when", ["before", "after"])
@PARTS
async def test_045_no_request_in_flight_brings_a_login_back(
    make_site: Any, path: str, call: int, when: str, names: tuple[str, ...]
) -> None:
    """P8: the logout happens at each call of the store, and the late response comes last."""
    site = registered(make_site, {"LOGIN_STORE_TIMEOUT": None})
    browser = copy(await logged_in(site, "/in/1?remember=1"), *names)
    leaver, late = copy(browser), copy(browser)
    calls: list[str] = []

    async def meanwhile(now: str, name: str) -> None:
        if now == when:
            calls.append(name)
            if len(calls) == call + 1:
                store.meanwhile = None
                assert await leaver.get("/out") == (200, "True")

    store: CountingStore = site.manager.sessions
    store.meanwhile = meanwhile
    await late.get(path)
    if store.meanwhile is not None:
        return  # The request makes not so many calls.
    by_itself = path == "/in/1" and await late.get("/me") == (200, "user 1")
    if not by_itself:  # (A login of its own is no login that came back.)
        leaver.jar.update(late.jar)
        assert await is_nobody(leaver, browser, late)
        assert store.all() == []
    else:
        assert len(store.all()) == 1
        assert await is_nobody(browser)


@pytest.mark.parametrize("call", range(6))
async def test_045_the_other_way_round(make_site: Any, call: int) -> None:
    """Requests come while a logout is under way; when it has returned, none of them counts."""
    site = registered(make_site, {"LOGIN_STORE_TIMEOUT": None})
    browser = await logged_in(site, "/in/1?remember=1")
    others = [copy(browser), copy(browser, "session"), copy(browser, "remember_token")]
    calls: list[str] = []

    async def meanwhile(now: str, name: str) -> None:
        calls.append(name)
        if len(calls) == call + 1:
            store.meanwhile = None
            for other in others:
                await other.get("/put/a/b")

    store: CountingStore = site.manager.sessions
    store.meanwhile = meanwhile
    assert await browser.get("/out") == (200, "True")
    assert await is_nobody(*others)
    assert store.all() == []


# --- 46 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["out", "revoked", "expired", "gone", "epoch", "switch", "theft"])
@pytest.mark.parametrize("keep", [(), ("remember_token",)])
async def test_046_alice_s_data_are_never_bob_s(
    make_site: Any, end: str, keep: tuple[str, ...]
) -> None:
    """P7, for each way in which a registered login ends."""
    site = registered(make_site, {"LOGIN_IDLE_TIMEOUT": 3600})
    alice: Any = site.users[1]
    alice.session_epoch = 1
    browser = await logged_in(site, "/in/1?remember=1")
    if keep:
        old = copy(browser, "remember_token")
        browser.close()
        await browser.get("/me")
        site.clock.advance(seconds=61)
        await browser.get("/me")
    await browser.get("/put/secret/alice")
    if end == "out":
        await browser.get("/out")
    elif end == "revoked":
        await site.browser().get("/revoke-user/1")
    elif end == "expired":
        site.clock.advance(days=366)
    elif end == "gone":
        del site.users[1]
    elif end == "epoch":
        alice.session_epoch = 2
    elif end == "theft" and keep:
        await old.get("/me")
    elif end == "theft":
        site.manager.sessions._sessions.clear()
    if end in ("expired", "gone", "epoch"):
        assert await copy(browser).get("/get/secret") in ((200, "None"), (200, "alice"))
    assert await browser.get("/in/2") == (200, "True")
    assert await browser.get("/get/secret") == (200, "None")
    assert "alice" not in str(browser.session())


async def test_046_what_is_written_beside_a_login_is_its_user_s(site: Any) -> None:
    """Of two requests with one remember cookie, one gets the session, and the other writes one."""

    @site.route("/write", guard="login_required")
    async def write() -> str:
        site.web.session["secret"] = "alice"
        return "written"

    browser = await logged_in(site, "/in/1?remember=1")
    browser.close()
    late = copy(browser)
    await browser.get("/me")
    assert await late.get("/write") == (200, "written")
    assert "remember_token" in late.jar
    browser.jar["session"] = late.jar["session"]  # It came last.
    alice, bob = copy(browser), copy(browser)
    assert await bob.get("/in/2") == (200, "True")
    assert await bob.get("/get/secret") == (200, "None")
    browser.jar["remember_token"] = "gone"
    assert await browser.get("/in/2") == (200, "True")
    assert await browser.get("/get/secret") == (200, "None")
    assert alice.jar


async def test_046_what_such_a_late_answer_brings_after_a_logout_is_no_stranger_s(
    make_site: Any,
) -> None:
    site = registered(make_site, {"LOGIN_CLEAR_SESSION_ON_LOGOUT": True})

    @site.route("/write", guard="login_required")
    async def write() -> str:
        site.web.session["secret"] = "alice"
        return "written"

    @site.route("/read")
    async def read() -> str:
        who = site.lib.current_user.is_authenticated
        return f"{who} {site.web.session.get('secret')}"

    browser = await logged_in(site, "/in/1?remember=1")
    browser.close()
    late = copy(browser)
    await browser.get("/me")
    await late.get("/write")
    await browser.get("/out")
    browser.jar["session"] = late.jar["session"]  # It came last.
    assert await browser.get("/read") == (200, "False None")


async def test_046_what_is_written_beside_a_login_is_not_that_of_who_logs_in_there(
    site: Any,
) -> None:
    @site.route("/write-and-log-in")
    async def write() -> str:
        site.web.session["secret"] = site.lib.current_user.name
        await site.call(site.lib.login_user, site.users[2])
        return str(site.web.session.get("secret"))

    browser = await logged_in(site, "/in/1?remember=1")
    browser.close()
    late = copy(browser)
    await browser.get("/me")
    assert await late.get("/write-and-log-in") == (200, "None")
    assert await late.get("/me") == (200, "user 2")
    assert await late.get("/get/secret") == (200, "None")


async def test_046_what_was_written_by_who_has_no_session_is_no_stranger_s_though_it_was_confirmed(
    make_site: Any,
) -> None:
    site = registered(make_site, {"LOGIN_CLEAR_SESSION_ON_LOGOUT": True})

    @site.manager.request_loader
    def load(request: Any) -> Any:
        return site.users.get(int(request.headers.get("X-Key", 0)))

    @site.route("/write-and-confirm")
    async def write() -> str:
        site.web.session["secret"] = site.lib.current_user.name
        await site.call(site.lib.confirm_login)
        return "confirmed"

    @site.route("/look-and-read")
    async def read() -> str:
        who = site.lib.current_user.is_authenticated
        return f"{who} {site.web.session.get('secret')}"

    browser = site.browser()
    assert await browser.get("/write-and-confirm", headers={"X-Key": "1"}) == (200, "confirmed")
    assert await browser.get("/look-and-read") == (200, "False None")


# --- 51, 53, 55, 56, 58 --------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["raises", "aborts", "receiver"])
async def test_051_a_logout_stands_though_what_follows_fails(site: Any, way: str) -> None:
    @site.route("/leave")
    async def leave() -> str:
        await site.logout_user()
        if way == "aborts":
            site.web.abort(403)
        raise RuntimeError("after the logout")

    def receiver(sender: Any, **extra: Any) -> None:
        raise RuntimeError("in a receiver")

    if way == "receiver":
        site.lib.user_logged_out.connect(receiver, sender=site.app)
        site.lib.login_session_ended.connect(receiver, sender=site.app)
    browser = await logged_in(site, "/in/1?remember=1")
    before = copy(browser)
    assert (await browser.get("/leave")).status == (403 if way == "aborts" else 500)
    assert browser.jar == {}
    assert site.manager.sessions.all() == []
    assert await is_nobody(before)


async def test_053_an_inactive_user_gets_no_login_and_nothing_is_kept(site: Any) -> None:
    browser = site.browser()
    assert await browser.get("/in/3?remember=1") == (200, "False")
    assert browser.jar == {}
    assert site.manager.sessions.asked == {}
    here = await logged_in(site, "/in/1?remember=1")
    assert await here.get("/in/3") == (200, "False")
    assert await here.get("/me") == (200, "user 1")


async def test_055_of_a_stolen_remember_cookie_that_device_alone_is_revoked(site: Any) -> None:
    stolen, other = [await logged_in(site, "/in/1?remember=1") for _ in range(2)]
    thief = copy(stolen, "remember_token")
    id = stolen.session()["_login_session"][:22]
    assert await other.get(f"/revoke/{id}") == (200, "True")
    assert await is_nobody(thief, stolen)
    other.close()
    assert await other.get("/me") == (200, "user 1")


@pytest.mark.parametrize("user_wide", [False, True])
async def test_055_theft_ends_that_login_alone(site: Any, user_wide: bool) -> None:
    stolen, other = [await logged_in(site, "/in/1?remember=1") for _ in range(2)]
    thief = copy(stolen, "remember_token")
    stolen.close()
    await stolen.get("/me")
    await stolen.get("/me")  # The successor was seen.
    site.clock.advance(seconds=61)
    with site.hearing("remember_theft_detected") as heard:
        if user_wide:  # by the application, as docs say

            async def end_all(sender: Any, user_id: Any, **extra: Any) -> None:
                await site.call(site.lib.revoke_user, user_id)

            def in_flask(sender: Any, **extra: Any) -> None:
                step(end_all(sender, **extra))

            receiver: Any = in_flask if site.web.__name__ == "flask" else end_all
            site.lib.remember_theft_detected.connect(receiver, sender=site.app)
        assert await thief.get("/me") == (200, "anonymous")
    assert [extra["user_id"] for _, extra in heard] == [1]
    assert await is_nobody(stolen, thief)
    assert await other.get("/me") == (200, "anonymous" if user_wide else "user 1")


@pytest.mark.parametrize("protection", ["basic", "strong", None])
async def test_056_who_came_by_the_remember_cookie_is_never_fresh(
    make_site: Any, protection: str | None
) -> None:
    site = registered(make_site, {"SESSION_PROTECTION": protection})
    browser = await logged_in(site, "/in/1?remember=1")
    late = copy(browser, "remember_token")
    browser.close()
    for one in (browser, late, browser):  # Also who lost the race.
        assert await one.get("/private") == (200, "private of user 1")
        assert (await one.get("/very")).status == 401
        assert await one.get("/is-fresh") == (200, "False")
    [login] = site.manager.sessions.all()
    assert login.fresh_since is None
    assert await browser.get("/confirm") == (200, "confirmed")
    assert await browser.get("/very") == (200, "very private of user 1")
    [login] = site.manager.sessions.all()
    assert login.fresh_since == site.clock()


async def test_058_junk_and_visitors_and_their_logouts_keep_no_row(site: Any) -> None:
    """P24: nothing is written, and nothing is even asked."""
    store = site.manager.sessions
    signed = (await logged_in(site)).jar["session"]
    [login] = store.all()
    store.asked.clear()
    for number in range(50):
        for junk in (
            {},
            {"session": f"junk{number}"},
            {"session": signed[:-number] if number else signed[::-1]},
            {"remember_token": f"{number}|{'0' * 128}"},
            {"remember_token": "WyJhIl0.c2ln" + "A" * 39},
            {"remember_token": f"{login.id}.{'A' * 43}"},
        ):
            browser = site.browser()
            browser.jar = junk
            for path in ("/me", "/private", "/out", "/confirm"):
                assert (await browser.get(path)).status in (200, 401)
    assert store.asked == {}
    assert store.all() == [login]
