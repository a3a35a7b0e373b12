"""The story of a visitor to each example: strange, logged in, remembered, logged out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from types import ModuleType
from typing import Any

import pytest
import quart
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from werkzeug.datastructures import Headers

ALICE = {"username": "alice", "password": "follow the white rabbit"}
MISTAKE = "That user name and password do not match."

Load = Callable[[str], ModuleType]


@dataclass
class Page:
    status: int
    text: str
    location: str | None
    set_cookies: list[str]


class Visitor:
    """A browser: keeps cookies, sends them, fills in forms."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.jar: dict[str, str] = {}
        self.received: list[str] = []

    async def get(self, path: str, **headers: str) -> Page:
        return await self.open("GET", path, headers, None)

    async def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> Page:
        return await self.open("POST", path, headers, form or {})

    async def open(
        self, method: str, path: str, headers: dict[str, str], form: dict[str, str] | None
    ) -> Page:
        sent = Headers({name.replace("_", "-"): value for name, value in headers.items()})
        if self.jar and "Cookie" not in sent:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.jar.items())
        page = await self._send(method, path, sent, form)
        self.received += page.set_cookies
        for line in page.set_cookies:
            name, value = line.split(";", 1)[0].split("=", 1)
            if "Max-Age=0" in line:
                self.jar.pop(name, None)
            else:
                self.jar[name] = value
        return page

    async def _send(self, method: str, path: str, headers: Headers, form: Any) -> Page:
        client = self.app.test_client(use_cookies=False)
        if isinstance(self.app, quart.Quart):
            response = await client.open(path, method=method, headers=headers, form=form)
            text = await response.get_data(as_text=True)
        else:
            response = client.open(path, method=method, headers=headers, data=form)
            text = response.text
        cookies = response.headers.getlist("Set-Cookie")
        return Page(response.status_code, text, response.headers.get("Location"), cookies)

    async def log_in(self, *, remember: bool = False) -> Page:
        return await self.post("/login", ALICE | ({"remember": "on"} if remember else {}))

    def close(self) -> None:
        """Close the browser: it forgets its session."""
        del self.jar["session"]

    async def is_alice(self) -> bool:
        """Does the site say that alice is logged in, and let her in?"""
        start, protected = await self.get("/"), await self.get("/protected")
        said = "You are logged in as <strong>alice</strong>" in start.text
        assert said is (protected.status == 200)
        assert said is ("Nobody is logged in" not in start.text)
        return said


@pytest.fixture(scope="module")
def cheap(load_example: Load) -> Load:
    """Return a function that runs an example once for all tests, with hashes soon checked."""

    @cache
    def load_cheap(name: str) -> ModuleType:
        example = load_example(name)
        cheap_hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash
        example.users["alice"].password_hash = cheap_hash(ALICE["password"])
        example.nobodys_hash = cheap_hash("nobody's")
        return example

    return load_cheap


@pytest.fixture
def visitor(cheap: Load, name: str) -> Visitor:
    return Visitor(cheap(name).app)


# --- logging in ----------------------------------------------------------------------------------


async def test_the_start_page_says_that_nobody_is_logged_in_and_names_the_demo_user(
    visitor: Visitor,
) -> None:
    page = await visitor.get("/")
    assert page.status == 200
    assert "Nobody is logged in" in page.text
    assert ALICE["username"] in page.text
    assert ALICE["password"] in page.text
    assert page.set_cookies == []


async def test_who_comes_to_log_in_is_told_of_the_demo_user(visitor: Visitor) -> None:
    for page in (await visitor.get("/login"), await visitor.post("/login", {})):
        assert ALICE["username"] in page.text and ALICE["password"] in page.text
    await visitor.log_in()
    assert ALICE["password"] not in (await visitor.get("/confirm")).text


async def test_a_stranger_is_sent_to_log_in_and_then_back(visitor: Visitor) -> None:
    sent_away = await visitor.get("/protected?a=1&b=%2F")
    assert (sent_away.status, sent_away.location) == (
        302,
        "/login?next=%2Fprotected%3Fa%3D1%26b%3D%252F",
    )
    login = await visitor.get(sent_away.location)
    assert "Please log in to access this page." in login.text
    sent_back = await visitor.post(sent_away.location, ALICE)
    assert (sent_back.status, sent_back.location) == (303, "/protected?a=1&b=%2F")
    assert await visitor.is_alice()


@pytest.mark.parametrize(
    "form",
    [
        ALICE | {"password": "Follow the white rabbit"},
        ALICE | {"password": ""},
        ALICE | {"username": "bob"},
        ALICE | {"username": ""},
        {"username": "alice"},
        {"password": ALICE["password"]},
        {},
    ],
)
async def test_a_wrong_name_or_password_is_told_alike_and_logs_nobody_in(
    visitor: Visitor, form: dict[str, str]
) -> None:
    page = await visitor.post("/login?next=/protected", form)
    assert (page.status, page.location, page.set_cookies) == (422, None, [])
    assert page.text.count('role="alert"') == 1
    assert MISTAKE in page.text
    assert not await visitor.is_alice()


async def test_the_typed_name_comes_back_as_text_and_the_password_does_not(
    visitor: Visitor,
) -> None:
    page = await visitor.post("/login", {"username": '"><script>', "password": "my secret"})
    assert 'value="&#34;&gt;&lt;script&gt;"' in page.text
    assert "<script" not in page.text
    assert "my secret" not in page.text


async def test_an_unknown_name_takes_a_password_check_like_a_known_one(
    example: ModuleType,
) -> None:
    visitor, hasher = Visitor(example.app), CountingHasher()
    example.hasher = hasher
    await visitor.post("/login", ALICE | {"username": "bob"})
    assert hasher.checked == [example.nobodys_hash]
    await visitor.post("/login", ALICE)
    assert hasher.checked == [example.nobodys_hash, example.users["alice"].password_hash]


class CountingHasher:
    """Refuses all passwords, and notes what was asked, and where."""

    def __init__(self) -> None:
        self.checked: list[str] = []
        self.threads: list[int] = []

    def verify(self, known_hash: str, password: str) -> bool:
        self.checked.append(known_hash)
        self.threads.append(threading.get_ident())
        raise VerifyMismatchError


async def test_quart_checks_passwords_off_the_event_loop(load_example: Load) -> None:
    basic = load_example("basic")
    hasher = basic.hasher = CountingHasher()
    visitor = Visitor(basic.app)
    await visitor.post("/login", ALICE)
    assert hasher.threads and threading.get_ident() not in hasher.threads


async def test_passwords_are_kept_as_argon2_hashes_alone(example: ModuleType) -> None:
    kept = vars(example.users["alice"])
    assert kept["password_hash"].startswith("$argon2id$")
    assert ALICE["password"] not in str(kept)


# --- where the login leads -----------------------------------------------------------------------


@pytest.mark.parametrize("target", ["/", "/protected", "/protected?a=1&b=%20", "/a%20b", "/a/..b"])
async def test_the_login_leads_to_a_path_of_this_site(visitor: Visitor, target: str) -> None:
    page = await visitor.post(f"/login?next={quoted(target)}", ALICE)
    assert page.location == target


async def test_a_page_may_have_any_letters_in_its_name(visitor: Visitor) -> None:
    page = await visitor.post(f"/login?next={quoted('/é?ü')}", ALICE)
    assert page.location == "/%C3%A9?%C3%BC"


@pytest.mark.parametrize(
    "target",
    [
        "",
        "protected",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\\b",
        "http:evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        " //evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\nSet-Cookie: a=b",
        "/\0/evil.example",
        "/a/..//evil.example",
        "/a/../b",
    ],
)
async def test_the_login_leads_to_no_other_site(visitor: Visitor, target: str) -> None:
    page = await visitor.post(f"/login?next={quoted(target)}", ALICE)
    assert (page.status, page.location) == (303, "/")


def quoted(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


# --- remember me ---------------------------------------------------------------------------------


async def test_without_the_box_a_closed_browser_forgets_the_login(visitor: Visitor) -> None:
    await visitor.log_in()
    assert set(visitor.jar) == {"session"}
    visitor.close()
    assert not await visitor.is_alice()


async def test_with_the_box_the_login_outlives_the_browser(visitor: Visitor) -> None:
    await visitor.log_in(remember=True)
    visitor.close()
    assert await visitor.is_alice()


async def test_the_account_is_open_to_who_has_just_typed_the_password(visitor: Visitor) -> None:
    await visitor.log_in()
    page = await visitor.get("/account")
    assert (page.status, "<h1>Account</h1>" in page.text) == (200, True)


async def test_the_account_asks_who_was_remembered_for_the_password_again(
    visitor: Visitor,
) -> None:
    await visitor.log_in(remember=True)
    visitor.close()
    sent_away = await visitor.get("/account")
    assert (sent_away.status, sent_away.location) == (302, "/confirm?next=%2Faccount")
    asked = await visitor.get(sent_away.location)
    assert "Please reauthenticate to access this page." in asked.text
    wrong = await visitor.post(sent_away.location, {"password": "wrong"})
    assert (wrong.status, "That is not your password." in wrong.text) == (422, True)
    assert MISTAKE not in wrong.text
    assert (await visitor.get("/account")).status == 302
    right = await visitor.post(sent_away.location, {"password": ALICE["password"]})
    assert (right.status, right.location) == (303, "/account")
    assert (await visitor.get("/account")).status == 200


async def test_a_stranger_has_nothing_to_confirm(visitor: Visitor) -> None:
    page = await visitor.post("/confirm", {"password": ALICE["password"]})
    assert (page.status, page.location) == (302, "/login?next=%2Fconfirm")


@pytest.mark.parametrize(
    "cookie",
    ["remember_token=1|\xe9", "remember_token=1|\xc3\xa9", 'remember_token="1|\\351"']
    + [f"remember_token={junk}" for junk in ("", "|", "alice|00", "alice", "a.b", "\xff" * 9)],
)
async def test_a_junk_cookie_is_nobody_and_is_removed(visitor: Visitor, cookie: str) -> None:
    page = await visitor.get("/", Cookie=cookie)
    assert page.status == 200
    assert "Nobody is logged in" in page.text
    assert [line.split("=")[0] for line in page.set_cookies] == ["remember_token"]
    assert "Max-Age=0" in page.set_cookies[0]
    assert (await visitor.get("/protected", Cookie=cookie)).status == 302


# --- logging out ---------------------------------------------------------------------------------


async def test_the_logout_is_a_form_that_forgets_session_and_remember_cookie(
    visitor: Visitor,
) -> None:
    await visitor.log_in(remember=True)
    assert '<form method="post" action="/logout">' in (await visitor.get("/protected")).text
    page = await visitor.post("/logout")
    assert (page.status, page.location) == (303, "/")
    assert "remember_token" not in visitor.jar
    assert "You are logged out." in (await visitor.get("/")).text
    assert not await visitor.is_alice()
    visitor.jar.pop("session", None)
    assert not await visitor.is_alice()


async def test_a_link_does_not_log_out(visitor: Visitor) -> None:
    await visitor.log_in()
    assert (await visitor.get("/logout")).status == 405
    assert await visitor.is_alice()


# --- other sites ---------------------------------------------------------------------------------

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost:8000"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "localhost"},
    {"Origin": "http://["},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Origin": "http://localhost", "Sec_Fetch_Site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_forms_of_other_sites_are_refused(visitor: Visitor, headers: dict[str, str]) -> None:
    assert (await visitor.post("/login", ALICE, **headers)).status == 403
    assert visitor.jar == {}
    await visitor.log_in()
    for path in ("/logout", "/confirm"):
        assert (await visitor.post(path, **headers)).status == 403
    assert await visitor.is_alice()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost"},
        {"Sec_Fetch_Site": "same-origin"},
        {"Origin": "http://localhost", "Sec_Fetch_Site": "same-origin"},
        # TLS may end at a proxy, and the application then knows http alone.
        {"Origin": "https://localhost"},
        {"Host": "a.example:8000", "Origin": "http://a.example:8000"},
    ],
)
async def test_forms_of_this_site_are_taken(visitor: Visitor, headers: dict[str, str]) -> None:
    assert (await visitor.post("/login", ALICE, **headers)).status == 303
    assert (await visitor.post("/logout", **headers)).status == 303


async def test_links_from_other_sites_are_followed(visitor: Visitor) -> None:
    await visitor.log_in()
    page = await visitor.get("/protected", Sec_Fetch_Site="cross-site")
    assert page.status == 200


async def test_every_cookie_is_lax_and_kept_from_scripts(visitor: Visitor) -> None:
    await visitor.get("/protected")
    await visitor.log_in(remember=True)
    await visitor.post("/logout")
    assert {line.split("=")[0] for line in visitor.received} == {"session", "remember_token"}
    for line in visitor.received:
        assert "SameSite=Lax" in line
        assert "HttpOnly" in line


# --- the key -------------------------------------------------------------------------------------


def test_the_key_comes_from_the_environment(
    load_example: Load, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "a key of sixteen bytes or more")
    assert load_example(name).app.secret_key == "a key of sixteen bytes or more"


@pytest.mark.parametrize("absent", [None, ""])
def test_without_a_key_a_new_one_is_made_at_each_start(
    load_example: Load, name: str, monkeypatch: pytest.MonkeyPatch, absent: str | None
) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    if absent is not None:
        monkeypatch.setenv("SECRET_KEY", absent)
    one, other = load_example(name).app.secret_key, load_example(name).app.secret_key
    assert one != other
    assert len(bytes.fromhex(one)) == 32


# --- what the pages are --------------------------------------------------------------------------


class Elements(HTMLParser):
    """The elements of a page, with the names of those that each is in."""

    VOID = ("meta", "input", "link", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(text)
        self.close()
        assert self.inside == [], "an element was not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), list(self.inside)))
        if tag not in self.VOID:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes, _ in self.found if found == tag]


@pytest.mark.parametrize("path", ["/", "/login", "/protected", "/account", "/confirm"])
async def test_each_page_is_a_page_for_everybody(visitor: Visitor, path: str) -> None:
    await visitor.log_in()
    page = await visitor.get(path)
    assert page.status == 200
    elements = Elements(page.text)
    assert page.text.startswith("<!doctype html>")
    assert elements.all("html") == [{"lang": "en"}]
    assert len(elements.all("title")) == len(elements.all("h1")) == len(elements.all("main")) == 1
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in elements.all(
        "meta"
    )
    assert "color-scheme: light dark" in page.text
    assert "<script" not in page.text
    assert "http://" not in page.text and "https://" not in page.text
    for tag, attributes, inside in elements.found:
        assert tag != "input" or ("label" in inside and attributes["name"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "/login",
            [("username", "username"), ("password", "current-password"), ("remember", None)],
        ),
        ("/confirm", [("username", "username"), ("password", "current-password")]),
    ],
)
async def test_the_fields_are_named_for_password_managers(
    visitor: Visitor, path: str, expected: list[tuple[str, str | None]]
) -> None:
    await visitor.log_in()
    inputs = Elements((await visitor.get(path)).text).all("input")
    assert [(field["name"], field.get("autocomplete")) for field in inputs] == expected


async def test_the_mistake_is_bound_to_its_field(visitor: Visitor) -> None:
    page = await visitor.post("/login", {})
    (field,) = (f for f in Elements(page.text).all("input") if f["name"] == "password")
    assert (field["aria-invalid"], field["aria-describedby"]) == ("true", "wrong")
    assert [p["role"] for p in Elements(page.text).all("p") if p.get("id") == "wrong"] == ["alert"]


@pytest.mark.parametrize("path", ["/", "/login", "/confirm"])
async def test_a_head_request_is_not_taken_for_a_form(visitor: Visitor, path: str) -> None:
    await visitor.log_in()
    page = await visitor.open("HEAD", path, {}, None)
    assert (page.status, page.set_cookies) == (200, [])


def test_each_passes_the_librarys_own_check_of_routes(example: ModuleType) -> None:
    result = example.app.test_cli_runner().invoke(args=["login", "routes", "--strict"])
    assert (result.exit_code, "problem" in result.output) == (0, False)


def test_both_examples_show_the_same_pages(load_example: Load) -> None:
    assert load_example("basic").PAGE == load_example("basic_flask").PAGE
