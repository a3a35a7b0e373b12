"""Applications with Flask-Login 0.6.3 and with either shell share one SECRET_KEY, and one login."""

from __future__ import annotations

from datetime import UTC, date, datetime
from hashlib import sha512
from itertools import permutations
from typing import Any

import pytest
from differential.readings import comparable, cookie_of
from differential.stages import ADDRESS, SHELLS, OriginalStage, Stage
from sites import Browser

OLD_FORM = {"REMEMBER_COOKIE_FORMAT": "flask-login"}
STAGES: dict[str, type[Stage]] = {"flask_login": OriginalStage, **SHELLS}
WAYS = list(permutations(STAGES, 2))
USERS = ["1", "ann", "zoë", "a%7Cb"]


def name_of(user: str) -> str:
    return "user " + user.replace("%7C", "|")


def moved(browser: Browser, stage: Stage) -> Browser:
    """Return *browser* as it visits *stage*: the same jar, the same headers."""
    other = stage.browser(**browser.headers)
    other.jar = browser.jar
    return other


@pytest.fixture(params=list(SHELLS))
def shell(request: pytest.FixtureRequest) -> type[Stage]:
    """Return a shell's stage, for each shell in turn."""
    return SHELLS[request.param]


def legacy_browser(stage: Stage, word: str) -> Browser:
    """Return a browser with nothing but Flask-Login's remember cookie of the user *word*."""
    browser = stage.browser()
    browser.jar["remember_token"] = cookie_of(word)
    return browser


# --- one login, two applications -----------------------------------------------------------------


@pytest.mark.parametrize("mode", ["basic", "strong"])
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(("home", "away"), WAYS)
async def test_a_session_made_by_one_is_fresh_in_the_other(
    home: str, away: str, user: str, mode: str
) -> None:
    config = {"SESSION_PROTECTION": mode, **OLD_FORM}
    browser = STAGES[home](config).browser()
    assert await browser.get(f"/in/{user}") == (200, "True")
    guest = moved(browser, STAGES[away](config))
    assert await guest.get("/me") == (200, name_of(user))
    assert await guest.get("/is-fresh") == (200, "True")
    assert await guest.get("/very") == (200, f"very private of {name_of(user)}")


@pytest.mark.parametrize(("home", "away"), WAYS)
async def test_a_session_made_for_one_client_is_stale_for_another(home: str, away: str) -> None:
    browser = STAGES[home](OLD_FORM).browser()
    await browser.get("/in/1")
    browser.headers["User-Agent"] = "another"
    guest = moved(browser, STAGES[away](OLD_FORM))
    assert (await guest.get("/very")).status == 401
    assert await guest.get("/me") == (200, "user 1")
    assert await guest.get("/is-fresh") == (200, "False")


@pytest.mark.parametrize(("home", "away"), WAYS)
async def test_a_session_made_for_one_client_is_dropped_for_another(home: str, away: str) -> None:
    config = {"SESSION_PROTECTION": "strong", **OLD_FORM}
    browser = STAGES[home](config).browser()
    await browser.get("/in/1")
    browser.headers["User-Agent"] = "another"
    guest = moved(browser, STAGES[away](config))
    assert await guest.get("/me") == (200, "anonymous")
    assert "_user_id" not in guest.session()


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(("home", "away"), WAYS)
async def test_a_remember_cookie_made_by_one_brings_the_user_back_in_the_other(
    home: str, away: str, user: str
) -> None:
    browser = STAGES[home](OLD_FORM).browser()
    await browser.get(f"/in/{user}?remember=1")
    browser.close()
    guest = moved(browser, STAGES[away](OLD_FORM))
    assert await guest.get("/me") == (200, name_of(user))
    assert await guest.get("/is-remembered") == (200, "True")
    assert await guest.get("/is-fresh") == (200, "False")
    # Session and cookie, as the guest left them, are good at home.
    host = moved(guest, STAGES[home](OLD_FORM))
    assert await host.get("/private") == (200, f"private of {name_of(user)}")
    assert (await host.get("/very")).status == 401


@pytest.mark.parametrize("user", USERS)
async def test_the_old_form_of_the_remember_cookie_is_the_same_to_the_byte(user: str) -> None:
    values = set()
    for stage in STAGES.values():
        answer = await stage(OLD_FORM).browser().get(f"/in/{user}?remember=1")
        line = answer.cookie("remember_token")
        assert line is not None
        values.add(line.split(";")[0])
    assert len(values) == 1


async def test_all_write_the_same_session_for_the_same_login() -> None:
    sessions = []
    for stage in STAGES.values():
        browser = stage(OLD_FORM).browser()
        await browser.get("/in/1")
        sessions.append(comparable(browser.session()))
    assert sessions[0] == sessions[1] == sessions[2] != {}


@pytest.mark.parametrize(("home", "away"), WAYS)
async def test_a_logout_in_one_is_a_logout_in_all(home: str, away: str) -> None:
    stages = {name: stage(OLD_FORM) for name, stage in STAGES.items()}
    browser = stages[home].browser()
    await browser.get("/in/1?remember=1")
    await moved(browser, stages[away]).get("/me")
    assert await moved(browser, stages[away]).get("/out") == (200, "True")
    for stage in stages.values():
        assert await moved(browser, stage).get("/me") == (200, "anonymous")
    assert "remember_token" not in browser.jar


@pytest.mark.parametrize(("home", "away"), WAYS)
async def test_a_login_confirmed_in_one_is_fresh_in_all(home: str, away: str) -> None:
    stages = {name: stage(OLD_FORM) for name, stage in STAGES.items()}
    browser = stages[home].browser()
    await browser.get("/in/1?fresh=0")
    assert await moved(browser, stages[away]).get("/is-fresh") == (200, "False")
    await moved(browser, stages[away]).get("/confirm")
    for stage in stages.values():
        assert await moved(browser, stage).get("/is-fresh") == (200, "True")


async def test_what_we_keep_of_a_login_does_not_speak_of_the_next_one(shell: type[Stage]) -> None:
    """Flask-Login leaves our record in the session that it logs another user in to."""
    ours, theirs = shell(OLD_FORM), OriginalStage(OLD_FORM)
    browser = ours.browser()
    await browser.get("/in/3?force=1")
    assert await browser.get("/me") == (200, "user 3")
    await moved(browser, theirs).get("/in/1")
    ours.clock.advance(days=2)
    assert await browser.get("/is-fresh") == (200, "True")
    ours.users[1].active = False
    assert await browser.get("/me") == (200, "anonymous")


@pytest.mark.parametrize("key", ["another key of 32 bytes, at least", "0123456789"])
@pytest.mark.parametrize(("home", "away"), WAYS)
async def test_without_the_same_key_nothing_is_accepted(home: str, away: str, key: str) -> None:
    browser = STAGES[home](OLD_FORM).browser()
    await browser.get("/in/1?remember=1")
    guest = moved(browser, STAGES[away]({"SECRET_KEY": key, "TESTING": True, **OLD_FORM}))
    assert await guest.get("/me") == (200, "anonymous")


# --- what a session is bound to ------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["basic", "strong"])
@pytest.mark.parametrize("agent", ["test browser", "a|b (c; d)", ""])
async def test_the_later_form_of_the_fingerprint_is_the_same_client(
    shell: type[Stage], agent: str, mode: str
) -> None:
    """Flask-Login's unreleased main hashes another text."""
    browser = shell({"SESSION_PROTECTION": mode}).browser()
    browser.headers["User-Agent"] = agent
    later = sha512(f"{ADDRESS}|{agent}".encode()).hexdigest()
    browser.set_session(_user_id="ann", _fresh=True, _id=later)
    assert await browser.get("/very") == (200, "very private of user ann")
    browser.headers["User-Agent"] = "another"
    assert (await browser.get("/very")).status == 401


# --- the way from the old form to the new one ----------------------------------------------------


async def test_an_old_remember_cookie_is_replaced_on_first_use(shell: type[Stage]) -> None:
    stage = shell({})
    browser = legacy_browser(stage, "1")
    answer = await browser.get("/me")
    assert answer == (200, "user 1")
    assert answer.cookie("remember_token") is not None
    assert "|" not in browser.jar["remember_token"]
    # It is good by itself from now on, and is not replaced again.
    browser.close()
    answer = await browser.get("/me")
    assert answer == (200, "user 1")
    assert answer.cookie("remember_token") is None


async def test_an_old_remember_cookie_is_replaced_next_to_a_session(shell: type[Stage]) -> None:
    stage = shell({})
    browser = legacy_browser(stage, "ann")
    await moved(browser, OriginalStage({})).get("/in/ann")
    assert "|" in browser.jar["remember_token"]
    assert await browser.get("/me") == (200, "user ann")
    assert "|" not in browser.jar["remember_token"]
    assert await browser.get("/very") == (200, "very private of user ann")


async def test_an_old_remember_cookie_ends_once_it_was_replaced(shell: type[Stage]) -> None:
    stage = shell({"REMEMBER_COOKIE_DURATION": 3600})
    browser = legacy_browser(stage, "1")
    await browser.get("/me")
    browser.close()
    stage.clock.advance(hours=2)
    assert await browser.get("/me") == (200, "anonymous")
    assert "remember_token" not in browser.jar


async def test_an_old_remember_cookie_is_kept_in_old_form(shell: type[Stage]) -> None:
    stage = shell(OLD_FORM)
    browser = legacy_browser(stage, "1")
    value = browser.jar["remember_token"]
    answer = await browser.get("/me")
    assert answer == (200, "user 1")
    assert answer.cookie("remember_token") is None
    browser.close()
    assert await browser.get("/me") == (200, "user 1")
    assert browser.jar["remember_token"] == value


async def test_a_new_remember_cookie_is_read_in_old_form(shell: type[Stage]) -> None:
    """Whoever turns back to the old form logs nobody out of the shells."""
    browser = shell({}).browser()
    await browser.get("/in/1?remember=1")
    browser.close()
    assert await moved(browser, shell(OLD_FORM)).get("/me") == (200, "user 1")


async def test_flask_login_takes_a_new_remember_cookie_for_junk(shell: type[Stage]) -> None:
    browser = shell({}).browser()
    await browser.get("/in/1?remember=1")
    browser.close()
    assert await moved(browser, OriginalStage({})).get("/me") == (200, "anonymous")


@pytest.mark.parametrize("form", [{}, OLD_FORM])
@pytest.mark.parametrize(
    "until", [date(2027, 1, 15), datetime(2027, 1, 15, 8, tzinfo=UTC), "2027-01-15T08:00:00"]
)
async def test_an_old_remember_cookie_is_refused_and_cleared_after_its_day(
    shell: type[Stage], until: Any, form: dict[str, str]
) -> None:
    stage = shell({"REMEMBER_COOKIE_LEGACY_UNTIL": until, **form})
    browser = legacy_browser(stage, "1")  # the clock says 2027-01-15, 08:00
    with stage.hearing("credential_rejected") as heard:
        answer = await browser.get("/me")
    assert answer == (200, "anonymous")
    assert heard == [("credential_rejected", {"reason": "legacy_ended"})]
    assert browser.jar == {}


async def test_an_old_remember_cookie_is_accepted_until_its_day(shell: type[Stage]) -> None:
    stage = shell({"REMEMBER_COOKIE_LEGACY_UNTIL": datetime(2027, 1, 15, 8, 0, 1, tzinfo=UTC)})
    assert await legacy_browser(stage, "1").get("/me") == (200, "user 1")


async def test_an_id_comes_back_with_its_type_from_an_old_cookie(shell: type[Stage]) -> None:
    stage = shell(OLD_FORM)
    browser = legacy_browser(stage, "1")
    await browser.get("/me")
    assert browser.session()["_user_id"] == 1
    assert await browser.get("/me") == (200, "user 1")
    assert stage.loads == ["1", 1]
