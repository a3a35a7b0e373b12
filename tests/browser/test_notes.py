"""The notes, as visitors with real browsers meet them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic

import pytest
from browser.chromium import Browser, Keys
from browser.conftest import PASSWORD
from browser.served import Server

Open = Callable[..., Browser]

NEW_PASSWORD = "down the rabbit hole"


def register(browser: Browser, name: str) -> None:
    browser.open("/register")
    browser.fill("Name", name)
    browser.fill("New password", PASSWORD)
    browser.fill("The same again", PASSWORD)
    browser.press("Register")
    browser.shows("This is where your notes will be.")


def log_in(
    browser: Browser, name: str, password: str = PASSWORD, *, remember: bool = False
) -> None:
    """Fill in the login form, on which *browser* is or to which it goes."""
    if not browser.path.startswith("/login"):
        browser.open("/login")
    browser.fill("Name", name)
    browser.fill("Password", password)
    if remember:
        browser.tick("Remember me")
    browser.press("Log in")


def write(browser: Browser, title: str, text: str = "") -> None:
    browser.open("/notes/")
    browser.fill("Title", title)
    browser.fill("Text", text)
    browser.press("Keep it")
    browser.shows("Your note is kept.")


def is_logged_in(browser: Browser) -> bool:
    browser.open("/notes/")
    return browser.path == "/notes/"


# --- in and out ----------------------------------------------------------------------------------


def test_a_stranger_is_sent_to_log_in_and_then_to_where_they_were_going(
    notes: Server, open_browser: Open, name: str
) -> None:
    browser = open_browser(notes)
    register(browser, name)
    browser.press("Log out", "header")
    browser.shows("You are logged out.")

    browser.open("/devices/?from=mail")
    assert browser.path == "/login?next=%2Fdevices%2F%3Ffrom%3Dmail"
    browser.shows("Please log in first.")
    log_in(browser, name, "not my password")
    browser.shows("That name and password do not match.")
    log_in(browser, name)
    assert browser.path == "/devices/?from=mail"
    assert browser.heading == "Your devices"
    assert browser.complaints() == []


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_a_link_of_somebody_elses_leads_to_no_other_site(
    notes: Server, open_browser: Open, name: str, target: str
) -> None:
    browser = open_browser(notes)
    register(browser, name)
    browser.press("Log out", "header")
    browser.open(f"/login?next={target}")
    log_in(browser, name)
    assert browser.driver.current_url == f"{notes.url}/notes/"


def test_the_login_form_by_the_keyboard_alone(notes: Server, open_browser: Open, name: str) -> None:
    browser = open_browser(notes)
    register(browser, name)
    browser.press("Log out", "header")
    browser.open("/login")
    assert browser.focused() == "Name"
    browser.send_keys(name, Keys.TAB)
    assert browser.focused() == "Password"
    browser.send_keys("wrong", Keys.ENTER)
    browser.shows("That name and password do not match.")

    assert browser.focused() == "Password"
    browser.send_keys(PASSWORD, Keys.TAB)
    assert browser.focused() == "Remember me on this device"
    browser.send_keys(Keys.SPACE, Keys.TAB)
    assert browser.focused() == "Log in"
    browser.send_keys(Keys.ENTER)
    browser.wait(lambda: browser.heading == "Your notes", "page of notes")

    # From the top of the page, past what each page has.
    browser.open("/devices/")
    order = []
    while "Log out everywhere" not in order:
        browser.send_keys(Keys.TAB)
        order.append(browser.focused())
        assert browser.run("return document.activeElement.matches(':focus-visible')")
    assert order == [
        "Skip to the content",
        "Notes",
        "Notes",
        "Live",
        "Devices",
        "Password",
        "Log out",
        "change your password",
        "Log out Chrome on Linux This device",
        "Log out everywhere",
    ]
    browser.open("/devices/")
    browser.send_keys(Keys.TAB, Keys.ENTER, Keys.TAB)
    assert browser.focused() == "change your password"
    browser.shows("Remembered\nyes")


@pytest.mark.parametrize("remember", [True, False])
def test_who_is_remembered_comes_back_after_the_browser_was_closed(
    notes: Server, open_browser: Open, name: str, tmp_path: Path, remember: bool
) -> None:
    browser = Browser(notes.url, tmp_path)
    register(browser, name)
    browser.press("Log out", "header")
    log_in(browser, name, remember=remember)
    assert is_logged_in(browser)
    browser.quit()

    browser = open_browser(notes, tmp_path)
    assert is_logged_in(browser) is remember
    if remember:
        # But is it still they?
        browser.press("Password", "header")
        assert browser.heading == "Is it still you?"
        browser.fill("Password", "not my password")
        browser.press("Go on")
        browser.shows("That is not your password.")
        browser.fill("Password", PASSWORD)
        browser.press("Go on")
        assert browser.path == "/password"
        assert browser.heading == "Change your password"


@pytest.mark.parametrize("script", [True, False])
def test_the_back_button_shows_no_private_page_after_a_logout(
    notes: Server, open_browser: Open, name: str, script: bool
) -> None:
    """Not for a moment: so it may not be the script alone that asks for the page anew."""
    browser = open_browser(notes)
    if not script:
        browser.block("/static/back.js")
    register(browser, name)
    write(browser, "The plan", "to be read by nobody else")
    browser.press("The plan")
    browser.shows("to be read by nobody else")
    browser.open("/notes/")
    browser.press("Log out", "header")
    browser.shows("You are logged out.")
    for _ in range(3):
        browser.back()
        browser.wait(lambda: browser.path.startswith("/login"), "login page")
        assert "The plan" not in browser.driver.page_source
        assert "to be read" not in browser.driver.page_source


# --- other devices -------------------------------------------------------------------------------


def test_one_browser_logs_the_other_out(notes: Server, open_browser: Open, name: str) -> None:
    laptop, phone = open_browser(notes), open_browser(notes)
    register(laptop, name)
    log_in(phone, name, remember=True)
    laptop.open("/devices/")
    assert laptop.text.count("Chrome on Linux") == 2
    assert laptop.text.count("This device") == 1
    assert is_logged_in(phone)

    laptop.press("Log out", ".device:not(.current)")
    laptop.shows("That device is logged out.")
    assert laptop.text.count("Chrome on Linux") == 1
    assert not is_logged_in(phone)
    assert is_logged_in(laptop)


def test_a_new_password_logs_the_other_browser_out(
    notes: Server, open_browser: Open, name: str
) -> None:
    laptop, phone = open_browser(notes), open_browser(notes)
    register(laptop, name)
    log_in(phone, name, remember=True)
    laptop.open("/password")
    laptop.fill("New password", NEW_PASSWORD)
    laptop.fill("The same again", PASSWORD)
    laptop.press("Change it")
    laptop.shows("The two passwords are not the same.")
    assert is_logged_in(phone)

    laptop.open("/password")
    laptop.fill("New password", NEW_PASSWORD)
    laptop.fill("The same again", NEW_PASSWORD)
    laptop.press("Change it")
    laptop.shows("One other device was logged out.")
    assert laptop.text.count("Chrome on Linux") == 1
    assert not is_logged_in(phone)
    assert is_logged_in(laptop)
    log_in(phone, name, PASSWORD)
    phone.shows("do not match")
    log_in(phone, name, NEW_PASSWORD)
    assert is_logged_in(phone)


def test_all_are_logged_out_by_one_button(notes: Server, open_browser: Open, name: str) -> None:
    laptop, phone = open_browser(notes), open_browser(notes)
    register(laptop, name)
    log_in(phone, name, remember=True)
    phone.open("/devices/")
    phone.press("Log out everywhere")
    phone.shows("You are logged out everywhere.")
    assert not is_logged_in(phone)
    assert not is_logged_in(laptop)


# --- the live page -------------------------------------------------------------------------------


@pytest.fixture(params=["notes", "notes_of_two"])
def any_notes(request: pytest.FixtureRequest) -> Server:
    """Serve the notes by one process, and by two."""
    server: Server = request.getfixturevalue(request.param)
    return server


def test_the_live_page_shows_new_notes_and_says_that_its_login_was_ended(
    any_notes: Server, open_browser: Open, name: str
) -> None:
    desk, phone = open_browser(any_notes), open_browser(any_notes)
    register(desk, name)
    log_in(phone, name)
    write(phone, "Yesterday", "a note from before")
    # A second tab: it is another connection, so of another process perhaps.
    desk.open("/live/")
    first = desk.driver.current_window_handle
    desk.driver.switch_to.new_window("tab")
    desk.open("/live/")
    tabs = desk.driver.window_handles
    for tab in tabs:
        desk.driver.switch_to.window(tab)
        desk.shows("Connected")
        desk.shows("a note from before")

    write(phone, "Today", "<b>not</b> markup")
    for tab in tabs:
        desk.driver.switch_to.window(tab)
        desk.shows("<b>not</b> markup")
        assert desk.text.index("Today") < desk.text.index("Yesterday")

    phone.press("Yesterday")
    phone.press("Delete it")
    phone.shows("Your note is deleted.")
    for tab in tabs:
        desk.driver.switch_to.window(tab)
        desk.wait(lambda: "a note from before" not in desk.text)

    desk.driver.switch_to.window(first)
    phone.open("/devices/")
    phone.press("Log out all others")
    phone.shows("All other devices are logged out.")
    said = monotonic()
    for tab in tabs:
        desk.driver.switch_to.window(tab)
        desk.shows("You are logged out here")
        assert "Today" not in desk.driver.page_source
        header = desk.driver.find_element("css selector", "header").text
        assert name not in header and header.split("\n") == ["Notes", "Log in"]
    assert monotonic() - said < 2

    desk.press("Log in again")
    assert desk.path == "/login?next=%2Flive%2F"
    log_in(desk, name)
    desk.shows("Connected")
    assert desk.complaints() == []


def test_the_live_page_of_another_user_hears_nothing(
    notes: Server, open_browser: Open, name: str
) -> None:
    desk, other = open_browser(notes), open_browser(notes)
    register(desk, name)
    register(other, f"{name} too")
    desk.open("/live/")
    desk.shows("Connected")
    write(other, "Of the other")
    desk.driver.switch_to.new_window("tab")
    write(desk, "Of mine")
    desk.driver.switch_to.window(desk.driver.window_handles[0])
    desk.shows("Of mine")
    assert "Of the other" not in desk.driver.page_source


# --- other sites ---------------------------------------------------------------------------------


@pytest.fixture
def other_site(notes: Server) -> Iterator[str]:
    """Serve a page of another site, with a form that is sent to the notes."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            form = f"<form method=post action='{notes.url}{self.path}'><button>Win</button>"
            self.wfile.write(f"<!doctype html><main>{form}</form></main>".encode())

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_form_of_another_site_changes_nothing(
    notes: Server, open_browser: Open, name: str, other_site: str
) -> None:
    browser = open_browser(notes)
    register(browser, name)
    for path, heading in (
        # It brings no cookies: a stranger is sent to the login page, and a user on from there.
        (f"{other_site}/devices/end-all", "Your notes"),
        (f"{other_site}/login", "Refused"),
        # The same site by another port: it brings them all.
        (f"{other_site.replace('localhost', '127.0.0.1')}/devices/end-all", "Refused"),
    ):
        browser.driver.get(path)
        browser.press("Win")
        assert browser.heading == heading
        assert is_logged_in(browser)
