"""A real browser, and what a visitor does with it: read, fill in by label, press by name."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import pytest
from selenium.common.exceptions import (
    StaleElementReferenceException,
    TimeoutException,
    WebDriverException,
)
from selenium.webdriver import Chrome, ChromeOptions, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

T = TypeVar("T")

#: Seconds for which a page is waited for.
PATIENCE: Final = 20

#: Wide and narrow, in pixels.
WIDE, NARROW = (1280, 800), (390, 844)

_SWITCHES: Final = (
    "--headless=new",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    # What moves is not seen until it rests, which a tab behind another never does.
    "--force-prefers-reduced-motion",
    "--password-store=basic",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--window-size=1280,800",
)


def find() -> tuple[str, str]:
    """Return the paths of Chromium and its driver.  Without them tests are skipped, but in CI."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser and driver:
        return browser, driver
    why = "no browser: apt-get install chromium chromium-driver"
    if os.environ.get("CI"):
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


class Browser:
    """A browser that looks at the site at *url*; what it keeps is in *profile*, if one is given."""

    def __init__(self, url: str, profile: Path | None = None) -> None:
        self.url = url
        self._own = None if profile else tempfile.TemporaryDirectory(prefix="chromium-")
        browser, driver = find()
        options = ChromeOptions()
        options.binary_location = browser
        for switch in _SWITCHES:
            options.add_argument(switch)
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        options.add_argument(f"--user-data-dir={profile or self._own.name}")  # type: ignore[union-attr]
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = Chrome(options=options, service=Service(driver))
        self.driver.set_page_load_timeout(PATIENCE)

    def quit(self) -> None:
        """Close the browser, as its user does: what is for the session alone is forgotten."""
        self.driver.quit()
        if self._own is not None:
            self._own.cleanup()

    # --- to look ---------------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """Path and query of the page."""
        parts = urlsplit(self.driver.current_url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    @property
    def heading(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "h1").text

    def shows(self, text: str) -> None:
        """Wait until the page shows *text*."""
        self.wait(lambda: text in self.text, f"{text!r} on the page")

    def wait(self, so: Callable[[], T | None], what: str = "it") -> T:
        """Wait until *so* says something true, and return that."""
        waiting = WebDriverWait(
            self.driver, PATIENCE, 0.02, ignored_exceptions=[WebDriverException]
        )
        try:
            return waiting.until(lambda _: so())
        except TimeoutException:
            raise AssertionError(f"no {what} at {self.path}, but: {self.text[:1000]}") from None

    def complaints(self) -> list[str]:
        """Return what the console says since it was asked last, but that a status was refused."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        said = [entry["message"] for entry in entries]
        return [line for line in said if "Failed to load resource" not in line]

    # --- to do -----------------------------------------------------------------------------------

    def open(self, path: str) -> None:
        self.driver.get(self.url + path)

    def back(self) -> None:
        self.driver.back()

    def field(self, label: str) -> WebElement:
        """Return the field that *label* is the name of, to a screen reader, too."""

        def named() -> WebElement | None:
            fields = self.driver.find_elements(By.CSS_SELECTOR, "input, textarea")
            return next((one for one in fields if one.accessible_name.startswith(label)), None)

        return self.wait(named, f"field {label!r}")

    def fill(self, label: str, text: str) -> None:
        field = self.field(label)
        field.clear()
        field.send_keys(text)

    def tick(self, label: str) -> None:
        self.field(label).click()

    def press(self, name: str, within: str = "main") -> None:
        """Press the button or link *name*, and wait for the page that follows."""
        page = self.driver.find_element(By.TAG_NAME, "html")
        self.wait(lambda: self._named(name, within), f"button or link {name!r}").click()
        self.wait(lambda: _is_gone(page), f"page behind {name!r}")

    def _named(self, name: str, within: str) -> WebElement | None:
        things = self.driver.find_elements(By.CSS_SELECTOR, f"{within} :is(button, a)")
        return next((thing for thing in things if thing.text == name), None)

    def send_keys(self, *keys: str) -> None:
        """Press keys, whatever has the focus."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def focused(self) -> str:
        """Return the name of what has the focus, as a screen reader says it."""
        return self.driver.switch_to.active_element.accessible_name

    # --- how it looks ----------------------------------------------------------------------------

    def resize(self, size: tuple[int, int]) -> None:
        width, height = size
        self._command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def prefer(self, scheme: str) -> None:
        """Let the user prefer ``"light"`` or ``"dark"``."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self._command("Emulation.setEmulatedMedia", features=[feature])

    def block(self, *files: str) -> None:
        """Load none of *files* from now on."""
        self._command("Network.enable")
        self._command("Network.setBlockedURLs", urls=[f"{self.url}{file}" for file in files])

    def _command(self, name: str, **parameters: Any) -> Any:
        return self.driver.execute_cdp_cmd(name, parameters)

    def run(self, script: str, *args: Any) -> Any:
        return self.driver.execute_script(script, *args)


def _is_gone(element: WebElement) -> bool:
    try:
        element.is_enabled()
    except (StaleElementReferenceException, WebDriverException):
        return True
    return False


__all__ = ["NARROW", "WIDE", "Browser", "Keys", "find"]
