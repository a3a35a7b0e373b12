"""Whatever browsers, thieves, operators and clocks do, each credential is whose it was given to.

Promises P4 to P14, and P24 (see ``registry_machine``).  ``MACHINE_STEPS=100000`` makes it so many
steps for each application and store.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from registry import copy, logged_in, registered
from registry_machine import Place, run

from quart_login.stores.memory import MemoryStore
from quart_login.stores.sqlite import SQLiteStore

STEPS = int(os.environ.get("MACHINE_STEPS", "2000"))


def test_whoever_does_what_in_memory(make_site: Any) -> None:
    world = run(make_site, Place(MemoryStore), STEPS)
    assert world.steps >= STEPS


def test_whoever_does_what_in_sqlite(make_site: Any, tmp_path: Path) -> None:
    numbers = iter(range(10**9))

    def open_store() -> Any:
        return SQLiteStore(tmp_path / f"{next(numbers)}.sqlite")

    world = run(make_site, Place(open_store, close=lambda store: store.close()), STEPS)
    assert world.steps >= STEPS


# --- what it found -------------------------------------------------------------------------------


@pytest.fixture
def site(make_site: Any) -> Any:
    site = registered(make_site)

    @site.route("/data/<key>")
    async def data(key: str) -> str:
        assert site.lib.current_user.is_authenticated in (True, False)  # Flask looks only now.
        return str(site.web.session.get(key))

    return site


async def test_p7_nobody_reads_a_login_s_data_while_the_store_cannot_say_whose_they_are(
    site: Any,
) -> None:
    browser = await logged_in(site)
    assert await browser.get("/put/secret/alice") == (200, "put")
    kept = dict(browser.jar)
    site.manager.sessions.before["get"] = OSError()
    assert await browser.get("/me") == (200, "anonymous")
    assert await browser.get("/data/secret") == (200, "None")
    assert browser.jar == kept
    site.manager.sessions.before.clear()
    assert await browser.get("/data/secret") == (200, "alice")


async def test_p6_a_login_ends_that_of_the_remember_cookie_beside_a_session_that_has_ended(
    site: Any,
) -> None:
    ended, browser = await logged_in(site), await logged_in(site, "/in/1?remember=1")
    old = copy(browser)
    browser.jar["session"] = ended.jar["session"]  # Its response came late.
    assert await ended.get("/out") == (200, "True")
    assert await browser.get("/in/2") == (200, "True")
    assert await old.get("/me") == (200, "anonymous")
    assert len(site.manager.sessions.all()) == 1


async def test_a_disabled_user_loses_all_logins_also_by_one_of_an_older_epoch(site: Any) -> None:
    user = site.users[1]
    user.session_epoch = 1
    old = await logged_in(site)
    user.session_epoch = 2
    await logged_in(site)
    user.active = False
    assert await old.get("/me") == (200, "anonymous")
    # (What is left is a note for cookies from before there was a registry.)
    assert {login.method for login in site.manager.sessions.all()} <= {"revoked"}


async def test_p5_a_logout_ends_a_login_that_the_request_was_refused_for(site: Any) -> None:
    browser, other = await logged_in(site), await logged_in(site, "/in/2?remember=1")
    old = copy(browser)
    browser.jar["remember_token"] = other.jar["remember_token"]  # Two that do not agree.
    assert await browser.get("/out") == (200, "True")
    assert browser.jar == {}
    assert await old.get("/me") == (200, "anonymous")
