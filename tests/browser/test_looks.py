"""Can the pages be read, by whom and on whatever?

Of WCAG 2.2, what a machine can tell: contrast (1.4.3), reflow (1.4.10), size of targets (2.5.8),
names of fields and buttons (1.3.1, 4.1.2), language, title, headings and landmarks (2.4.1, 2.4.2).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from browser.chromium import NARROW, WIDE, Browser
from browser.conftest import PASSWORD
from browser.served import Server
from browser.test_notes import register, write

Open = Callable[..., Browser]

#: Every text whose colour is too near that of its ground.
FAINT = """
const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
const light = (colour) => {
  const [r, g, b] = numbers(colour).slice(0, 3).map((part) => {
    part /= 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  for (; element; element = element.parentElement) {
    const colour = getComputedStyle(element).backgroundColor;
    if ((numbers(colour)[3] ?? 1) === 1) return colour;
  }
  return "rgb(255, 255, 255)";
};
const faint = [];
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
  const style = getComputedStyle(element);
  const [a, b] = [light(style.color), light(ground(element))].sort((a, b) => b - a);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) faint.push(`${texts.currentNode.data.trim()}: ${ratio.toFixed(2)}`);
}
return faint;
"""

#: Every target that a finger misses.  (Links in a line of text are as high as that.)
SMALL = """
return [...document.querySelectorAll("a, button, input, textarea")].filter((target) => {
  const { width, height } = target.getBoundingClientRect();
  const inline = getComputedStyle(target).display === "inline";
  const least = target.matches("button, .button") ? 44 : 24;
  return !inline && !target.closest(".skip, .hidden, [hidden]") && (width < 24 || height < least);
}).map((target) => target.outerHTML);
"""


def check(browser: Browser) -> None:
    """Look at the page that *browser* shows, in every way."""
    for size in (WIDE, NARROW, (320, 640)):
        browser.resize(size)
        assert browser.run("return document.documentElement.scrollWidth") <= size[0]
        assert browser.run(SMALL) == []
    for scheme in ("light", "dark"):
        browser.prefer(scheme)
        assert browser.run(FAINT) == [], scheme

    def count(selector: str) -> Any:
        return browser.run("return document.querySelectorAll(arguments[0]).length", selector)

    assert browser.run("return document.documentElement.lang") == "en"
    assert browser.driver.title
    assert [count(landmark) for landmark in ("main", "h1", "body > header")] == [1, 1, 1]
    # No level of heading is left out, no id is there twice.
    headings = browser.driver.find_elements("css selector", "h1, h2, h3, h4")
    levels = [int(heading.tag_name[1]) for heading in headings]
    assert all(one <= before + 1 for before, one in pairwise([0, *levels])), levels
    ids = browser.run("return [...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    for target in browser.driver.find_elements("css selector", "a, button, input, textarea"):
        hidden = browser.run("return arguments[0].closest('[hidden], [aria-hidden]')", target)
        if hidden is None:
            assert target.accessible_name, target.get_attribute("outerHTML")
    # What describes a field is there.
    missing = browser.run(
        """return ["aria-describedby", "aria-labelledby"].flatMap((name) =>
          [...document.querySelectorAll(`[${name}]`)].flatMap((one) =>
            one.getAttribute(name).trim().split(/\\s+/))
        ).filter((id) => !document.getElementById(id));"""
    )
    assert missing == []
    assert browser.complaints() == []  # The policy of the page would be named here.


def test_the_pages_of_the_notes(notes: Server, open_browser: Open, name: str) -> None:
    browser = open_browser(notes)
    for path in ("/", "/login", "/register"):
        browser.open(path)
        check(browser)
    browser.open("/login")
    browser.fill("Name", name)
    browser.fill("Password", "wrong")
    browser.press("Log in")
    check(browser)
    browser.open("/register")
    browser.fill("Name", name)
    browser.fill("New password", "short")
    browser.fill("The same again", "short")
    browser.press("Register")
    check(browser)

    register(browser, name)
    check(browser)
    write(browser, "A title" * 15, "word " * 500 + "w" * 500)
    for path in ("/notes/", "/live/", "/devices/", "/confirm", "/password", "/nowhere"):
        browser.open(path)
        if path == "/live/":
            browser.shows("word word")
        check(browser)
    browser.open("/notes/")
    browser.press("A title" * 15)
    check(browser)


def test_the_live_page_that_was_ended(notes: Server, open_browser: Open, name: str) -> None:
    browser = open_browser(notes)
    register(browser, name)
    browser.open("/live/")
    browser.shows("Connected")
    browser.driver.switch_to.new_window("tab")
    browser.open("/devices/")
    browser.press("Log out everywhere")
    browser.driver.switch_to.window(browser.driver.window_handles[0])
    browser.shows("You are logged out here")
    check(browser)


@pytest.mark.parametrize("half", ["Flask", "Quart"])
def test_the_pages_side_by_side(side_by_side: Server, open_browser: Open, half: str) -> None:
    browser, at = open_browser(side_by_side), "" if half == "Flask" else "/new"
    for path in ("/", "/login"):
        browser.open(at + path)
        browser.wait(lambda: browser.text.count("Nobody is logged in.") == 2)
        check(browser)
    browser.fill("Name", "alice")
    browser.fill("Password", "wrong")
    browser.press(f"Log in by {half}")
    check(browser)
    browser.fill("Password", PASSWORD)
    browser.press(f"Log in by {half}")
    browser.wait(lambda: browser.text.count("You are alice.") == 2)
    check(browser)
