"""Flask and Quart on one site: in by either, out by either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from browser.chromium import NARROW, WIDE, Browser
from browser.conftest import PASSWORD
from browser.served import Server

Open = Callable[..., Browser]

#: Where each half begins, and its page for users.
HALVES = {"Flask": ("", "/orders"), "Quart": ("/new", "/new/reports")}


def log_in(browser: Browser, half: str, *, remember: bool = False) -> None:
    if "/login" not in browser.path:
        browser.open(f"{HALVES[half][0]}/login")
    browser.fill("Name", "alice")
    browser.fill("Password", PASSWORD)
    if remember:
        browser.tick("Remember me")
    browser.press(f"Log in by {half}")


def says(browser: Browser, text: str) -> None:
    """Wait until both halves say *text*, on the start page of each."""
    for start, _ in HALVES.values():
        browser.open(f"{start}/")
        browser.wait(lambda: browser.text.count(text) == 2, f"{text!r}, twice")


def is_let_in(browser: Browser) -> list[bool]:
    """Is the visitor let into the private page of each half?"""
    let_in = []
    for start, private in HALVES.values():
        browser.open(private)
        assert browser.path.startswith((private, f"{start}/login?next="))
        let_in.append(browser.path == private)
    return let_in


@pytest.mark.parametrize("out_by", HALVES)
@pytest.mark.parametrize("in_by", HALVES)
def test_in_by_one_half_and_out_by_another(
    side_by_side: Server, open_browser: Open, in_by: str, out_by: str
) -> None:
    browser = open_browser(side_by_side)
    says(browser, "Nobody is logged in.")
    assert is_let_in(browser) == [False, False]

    browser.open(HALVES[in_by][1])
    log_in(browser, in_by)
    assert browser.path == HALVES[in_by][1]
    says(browser, "You are alice.")
    assert is_let_in(browser) == [True, True]

    browser.press(f"Log out by {out_by}", "aside")
    browser.shows(f"{out_by} has logged you out.")
    says(browser, "Nobody is logged in.")
    assert is_let_in(browser) == [False, False]
    assert browser.complaints() == []


@pytest.mark.parametrize("half", HALVES)
def test_whom_one_half_remembers_the_other_knows(
    side_by_side: Server, open_browser: Open, tmp_path: Path, half: str
) -> None:
    browser = Browser(side_by_side.url, tmp_path)
    log_in(browser, half, remember=True)
    browser.quit()

    browser = open_browser(side_by_side, tmp_path)
    other = "Quart" if half == "Flask" else "Flask"
    browser.open(HALVES[other][1])
    assert browser.path == HALVES[other][1]
    assert is_let_in(browser) == [True, True]
    says(browser, "You are alice.")


def test_the_files_of_the_flask_half_are_not_sent_twice(
    side_by_side: Server, open_browser: Open
) -> None:
    """A status 304, which has no body, gets through."""
    browser = open_browser(side_by_side)
    browser.open("/")
    status = browser.driver.execute_async_script(
        """const done = arguments[0];
        (async () => {
          const { headers } = await fetch("/static/style.css", { cache: "no-store" });
          const again = { "If-None-Match": headers.get("ETag") };
          return (await fetch("/static/style.css", { cache: "no-store", headers: again })).status;
        })().then(done);"""
    )
    assert status == 304


def test_a_button_is_there_for_whom_it_is(side_by_side: Server, open_browser: Open) -> None:
    """Nobody logs out who is not logged in, nor the reverse: by either half."""
    browser = open_browser(side_by_side)

    def offered() -> list[str]:
        things = browser.driver.find_elements("css selector", "aside :is(button, a)")
        return [thing.text for thing in things if thing.text.startswith("Log")]

    for start, _ in HALVES.values():
        browser.open(f"{start}/")
        browser.wait(lambda: browser.text.count("Nobody is logged in.") == 2)
        assert offered() == ["Log in", "Log in"]
    log_in(browser, "Flask")
    for start, _ in HALVES.values():
        browser.open(f"{start}/")
        browser.wait(lambda: browser.text.count("You are alice.") == 2)
        assert offered() == ["Log out by Flask", "Log out by Quart"]


def test_what_is_marked_stays_within_its_card(side_by_side: Server, open_browser: Open) -> None:
    browser = open_browser(side_by_side)
    for size in (WIDE, NARROW, (320, 640)):
        browser.resize(size)
        browser.open("/")
        within = browser.run(
            """return [...document.querySelectorAll(".half nav a")].every((link) => {
              const room = link.closest(".half").querySelector("h2").getBoundingClientRect();
              return link.getBoundingClientRect().left >= room.left - 1;
            });"""
        )
        assert within
