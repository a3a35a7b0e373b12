"""What the notes answer, to browsers and to others; no browser is needed here."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
import unicodedata
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest
from argon2 import PasswordHasher
from browser.served import STORE_TIMEOUT, Server
from quart import Quart, Response
from quart.testing.connections import WebsocketResponseError

from examples.notes import throttle
from examples.notes.app import create_app
from examples.notes.passwords import LONGEST, Passwords
from examples.notes.services import EXTENSION
from quart_login.testing import assert_routes_guarded

PASSWORD = "follow the white rabbit"


def settings(directory: Path) -> dict[str, object]:
    return {
        "SECRET_KEY": "0123456789abcdef0123456789abcdef",
        "DATABASE": f"sqlite:///{directory / 'notes.sqlite3'}",
        "LOGIN_STORE_TIMEOUT": STORE_TIMEOUT,
    }


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Quart]:
    """Return the application, with hashes soon made, and serve it."""
    app = create_app(settings(tmp_path))
    at_hand = app.extensions[EXTENSION]
    await at_hand.database.make_tables()
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    app.extensions[EXTENSION] = replace(at_hand, passwords=cheap)
    async with app.test_app():
        yield app


class Visitor:
    def __init__(self, app: Quart, address: str = "192.0.2.1") -> None:
        self.client = app.test_client()
        self.scope = {"client": (address, 1)}

    async def get(self, path: str, **headers: str) -> Response:
        response: Any = await self.client.get(path, headers=headers, scope_base=self.scope)
        return response  # type: ignore[no-any-return]

    async def post(self, path: str, headers: Any = None, **form: str) -> Response:
        response: Any = await self.client.post(
            path, form=form, headers=headers, scope_base=self.scope
        )
        return response  # type: ignore[no-any-return]

    async def register(self, name: str) -> Response:
        return await self.post("/register", name=name, password=PASSWORD, again=PASSWORD)

    async def log_in(self, name: str, password: str = PASSWORD) -> int:
        return (await self.post("/login", name=name, password=password)).status_code

    async def text(self, path: str) -> str:
        return str(await (await self.get(path)).get_data(as_text=True))

    async def is_logged_in(self) -> bool:
        return (await self.get("/notes/")).status_code == 200


@pytest.fixture
async def alice(app: Quart) -> Visitor:
    visitor = Visitor(app)
    assert (await visitor.register("Alice")).status_code == 303
    return visitor


@pytest.fixture
async def bob(app: Quart) -> Visitor:
    visitor = Visitor(app, "192.0.2.2")
    assert (await visitor.register("Bob")).status_code == 303
    return visitor


# --- who gets in ---------------------------------------------------------------------------------


async def test_every_page_is_for_users_but_those_that_say_they_are_not(app: Quart) -> None:
    assert_routes_guarded(app)
    stranger, open_to_all = Visitor(app), {"/", "/login", "/register"}
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static" or rule.websocket or "GET" not in (rule.methods or ()):
            continue
        path = re.sub("<.*?>", "1", rule.rule)
        response = await stranger.get(path)
        if path in open_to_all:
            assert response.status_code == 200
        else:
            assert response.location.startswith("/login?next=")
    assert (await stranger.get("/no-such-page")).location == "/login?next=%2Fno-such-page"
    assert (await stranger.get("/static/style.css")).status_code == 200


@pytest.mark.parametrize(
    ("name", "password", "again", "said"),
    [
        ("", PASSWORD, PASSWORD, "Take a name"),
        ("x" * 41, PASSWORD, PASSWORD, "Take a name"),
        ("tab\tulator", PASSWORD, PASSWORD, "Take a name"),
        ("nul\0", PASSWORD, PASSWORD, "Take a name"),
        ("\u3164\u2800", PASSWORD, PASSWORD, "Take a name"),  # nothing that is seen
        ("\ufdfa" * 40, PASSWORD, PASSWORD, "Take a name"),  # 720 characters, written out
        ("carol", "fourteen chars", "fourteen chars", "That is too short"),
        ("carol", "x" * 257, "x" * 257, "or fewer"),
        ("carol", PASSWORD, PASSWORD + "!", "not the same"),
        ("a very long name of carol's", "A VERY LONG NAME of carol's", "same", "than your name"),
        ("ALICE", PASSWORD, PASSWORD, "Somebody else has that name."),
        (" alice ", PASSWORD, PASSWORD, "Somebody else has that name."),
        ("\N{FULLWIDTH LATIN SMALL LETTER A}lice", PASSWORD, PASSWORD, "Somebody else"),
        ("al\ufe0fice", PASSWORD, PASSWORD, "Somebody else"),
        ("alice\u034f", PASSWORD, PASSWORD, "Somebody else"),
        ("\u3164alice", PASSWORD, PASSWORD, "Somebody else"),
    ],
)
async def test_what_is_wrong_with_a_registration_is_said(
    app: Quart, alice: Visitor, name: str, password: str, again: str, said: str
) -> None:
    visitor = Visitor(app)
    if again == "same":
        again = password
    page = await visitor.post("/register", name=name, password=password, again=again)
    text = await page.get_data(as_text=True)
    assert page.status_code == 422
    assert said.replace("'", "&#39;") in text
    assert text.count('role="alert"') == 1
    assert password not in text.replace(name, "") or not password
    assert not await visitor.is_logged_in()


@pytest.mark.parametrize(
    ("password", "again", "wrong"),
    [("short", "other", 1), (PASSWORD, "follow the white rabbits", 2), ("x" * 300, "x" * 300, 1)],
)
async def test_a_field_is_marked_only_where_it_is_wrong(
    alice: Visitor, app: Quart, password: str, again: str, wrong: int
) -> None:
    forms = [
        await Visitor(app).post("/register", name="carol", password=password, again=again),
        await alice.post("/password", password=password, again=again),
    ]
    for form in forms:
        page = await form.get_data(as_text=True)
        assert (form.status_code, page.count('aria-invalid="true"')) == (422, wrong)


async def test_who_confirms_is_told_of_the_password_alone(alice: Visitor) -> None:
    page = await (await alice.post("/confirm", password="wrong")).get_data(as_text=True)
    assert "That is not your password." in page and "name and password" not in page


async def test_a_name_is_the_same_however_it_is_written(app: Quart, alice: Visitor) -> None:
    assert await Visitor(app).log_in("  aLiCe") == 303
    other = Visitor(app, "192.0.2.4")
    assert (await other.register("Zo\N{COMBINING DIAERESIS}e  Doe")).status_code == 303
    assert await Visitor(app).log_in("zo\N{COMBINING DIAERESIS}e doe") == 303


async def test_nothing_long_is_looked_at(
    app: Quart, alice: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To normalize a text of marks takes the square of its length, and nothing else runs."""
    longest, normalize = 0, unicodedata.normalize

    def watched(form: Any, text: str) -> str:
        nonlocal longest
        longest = max(longest, len(text))
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", watched)
    stranger, marks = Visitor(app, "192.0.2.4"), "\u0315\u0327" * 2000
    assert await stranger.log_in(marks, "x") == 422
    assert await stranger.log_in("alice", marks) == 422
    assert await stranger.log_in("alice\0") == 422
    assert (await stranger.post("/register", name=marks, password=marks)).status_code == 422
    assert (await alice.post("/confirm", password=marks)).status_code == 422
    assert (await alice.post("/password", password=marks, again=marks)).status_code == 422
    assert longest <= LONGEST
    assert await stranger.log_in("alice") == 303


# --- throttling ----------------------------------------------------------------------------------


@pytest.fixture
def clock(app: Quart, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time of the throttle, in a list, to be set."""
    now = [1_000_000_000.0]
    monkeypatch.setattr(throttle.Throttle, "clock", staticmethod(lambda: now[0]))
    return now


async def test_a_few_wrong_passwords_are_enough_for_a_while(
    app: Quart, alice: Visitor, clock: list[float]
) -> None:
    thief, owner = Visitor(app, "198.51.100.1"), Visitor(app, "192.0.2.9")
    tries = [await thief.log_in("alice", f"guess {number}") for number in range(7)]
    assert tries == [422] * 5 + [429] * 2
    assert await thief.log_in("alice") == 429  # though it is the right one
    assert await owner.log_in("alice") == 303
    clock[0] += throttle.WINDOW + 1
    assert await thief.log_in("alice", "another guess") == 422


async def test_no_single_address_locks_a_user_out_at_others(
    app: Quart, alice: Visitor, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "OF_NAME", 8)
    thief = Visitor(app, "198.51.100.1")
    for number in range(12):
        await thief.log_in("alice", f"guess {number}")
    assert await Visitor(app, "192.0.2.9").log_in("alice") == 303
    # Many machines are another matter.
    for number in range(4):
        await Visitor(app, f"203.0.113.{number}").log_in("alice", "a guess")
    assert await Visitor(app, "192.0.2.10").log_in("alice") == 429


async def test_a_list_of_names_is_throttled_by_its_address(
    app: Quart, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "OF_ADDRESS", 6)
    thief = Visitor(app, "198.51.100.1")
    tries = [await thief.log_in(f"user {number}", PASSWORD) for number in range(8)]
    assert tries == [422] * 6 + [429] * 2
    assert (await thief.register("eve")).status_code == 429


async def test_the_right_password_starts_the_count_anew(
    app: Quart, alice: Visitor, clock: list[float]
) -> None:
    for _ in range(3):
        visitor = Visitor(app)
        assert [await visitor.log_in("alice", "wrong") for _ in range(4)] == [422] * 4
        assert await visitor.log_in("alice") == 303


async def test_who_confirms_is_throttled_too(
    app: Quart, alice: Visitor, clock: list[float]
) -> None:
    tries = [(await alice.post("/confirm", password="wrong")).status_code for _ in range(6)]
    assert tries == [422] * 5 + [429]


# --- whose notes ---------------------------------------------------------------------------------


async def test_nobody_gets_at_the_note_of_another(alice: Visitor, bob: Visitor) -> None:
    await alice.post("/notes/", title="Mine", text="only mine")
    [path] = re.findall(r"/notes/\d+", await alice.text("/notes/"))
    assert "only mine" in await alice.text(path)
    for response in (
        await bob.get(path),
        await bob.post(path, title="Yours", text="not any more"),
        await bob.post(f"{path}/delete"),
    ):
        assert response.status_code == 404
        assert "mine" not in await response.get_data(as_text=True)
    assert "only mine" not in await bob.text("/notes/")
    assert "only mine" in await alice.text("/notes/")
    assert (await alice.post(f"{path}/delete")).status_code == 303
    assert "only mine" not in await alice.text("/notes/")


@pytest.mark.parametrize("path", ["/notes/999", "/notes/99999999999999999999999", "/notes/-1"])
async def test_a_note_that_is_not_there_is_not_found(alice: Visitor, path: str) -> None:
    assert (await alice.get(path)).status_code == 404


async def test_what_is_written_is_text(alice: Visitor) -> None:
    await alice.post("/notes/", title="<script>", text='"><img src=x>\0')
    text = await alice.text("/notes/")
    assert "&lt;script&gt;" in text
    assert "<img src=x>" not in text


@pytest.mark.parametrize(
    "form",
    [{}, {"title": " "}, {"title": "x" * 121}, {"title": "x", "text": "x" * 10_001}],
)
async def test_a_note_that_will_not_do_is_not_kept(alice: Visitor, form: dict[str, str]) -> None:
    page = await alice.post("/notes/", **form)
    assert page.status_code == 422
    assert 'role="alert"' in await page.get_data(as_text=True)
    assert "Nothing yet." in await alice.text("/notes/")


async def test_too_long_a_form_is_refused(alice: Visitor) -> None:
    page = await alice.post("/notes/", title="x", text="x" * 100_000)
    assert page.status_code == 413
    assert "That is more than a note can be." in await page.get_data(as_text=True)


# --- whose devices -------------------------------------------------------------------------------


async def test_nobody_ends_the_login_of_another(alice: Visitor, bob: Visitor) -> None:
    other = Visitor(alice.client.app, "192.0.2.3")
    await other.log_in("alice")
    [path] = re.findall(r'action="(/devices/[\w-]{22}/end)"', await alice.text("/devices/"))
    assert (await bob.post(path)).status_code == 303
    assert await other.is_logged_in()
    assert (await alice.post(path)).status_code == 303
    assert not await other.is_logged_in()
    assert await alice.is_logged_in()


async def test_a_stale_login_changes_no_password(alice: Visitor) -> None:
    app: Any = alice.client.app
    app.login_manager.clock = lambda: time.time() + 11 * 60
    sent_away = await alice.post("/password", password="x" * 20, again="x" * 20)
    assert sent_away.location.startswith("/confirm?next=")
    assert await Visitor(app, "192.0.2.4").log_in("alice") == 303


async def test_of_two_new_passwords_at_once_one_is_taken(app: Quart, alice: Visitor) -> None:
    other, both = Visitor(app, "192.0.2.3"), asyncio.Barrier(2)
    assert await other.log_in("alice") == 303
    at_hand = app.extensions[EXTENSION]

    class Meeting(Passwords):
        async def hash(self, password: str) -> str:
            await both.wait()
            return await at_hand.passwords.hash(password)

    app.extensions[EXTENSION] = replace(at_hand, passwords=Meeting())
    words = ["the first new password", "the other new password"]
    answers = await asyncio.gather(
        *(
            visitor.post("/password", password=new, again=new)
            for visitor, new in zip((alice, other), words, strict=True)
        )
    )
    app.extensions[EXTENSION] = at_hand
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [303, 409]
    assert [await visitor.is_logged_in() for visitor in (alice, other)] == [
        status == 303 for status in statuses
    ]
    for new, status in zip(words, statuses, strict=True):
        known = await Visitor(app, "192.0.2.4").log_in("alice", new) == 303
        assert known is (status == 303)


# --- what browsers are told ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Origin": "http://localhost"}, 303),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
    ],
)
async def test_what_another_site_sends_is_refused(
    alice: Visitor, headers: dict[str, str], status: int
) -> None:
    response = await alice.post("/notes/", headers=headers, title="A note")
    assert response.status_code == status
    assert ("A note" in await alice.text("/notes/")) is (status == 303)
    # Nor does another site log a visitor in, as somebody else.
    stranger = Visitor(alice.client.app)
    response = await stranger.post("/login", headers=headers, name="alice", password=PASSWORD)
    assert response.status_code == status
    assert await stranger.is_logged_in() is (status == 303)


async def test_every_page_is_strict_and_is_not_kept(alice: Visitor) -> None:
    for path in ("/", "/notes/", "/live/", "/devices/", "/password", "/no-such-page"):
        response = await alice.get(path)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["Cache-Control"].split(", ")[0] == "no-store"
        text = await response.get_data(as_text=True)
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", text)
        assert not re.search(r"(?:src|href|action)=\"?(?:https?:)?//", text)
    assert "no-store" not in str((await alice.get("/static/style.css")).headers)


async def test_by_https_the_cookies_are_the_hosts_alone(tmp_path: Path) -> None:
    app = create_app(settings(tmp_path) | {"LOGIN_SECURE_COOKIES": True})
    await app.extensions[EXTENSION].database.make_tables()
    async with app.test_app():
        visitor = Visitor(app)
        response: Any = await visitor.client.post(
            "/register", form={"name": "a", "password": PASSWORD, "again": PASSWORD}, scheme="https"
        )
    [cookie] = response.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "max-age" in response.headers["Strict-Transport-Security"]


FORWARDED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "notes.example",
    "Origin": "https://notes.example",
}


def behind(directory: Path, proxies: int) -> Quart:
    return create_app(settings(directory) | {"LOGIN_SECURE_COOKIES": True, "PROXIES": proxies})


async def test_behind_a_proxy_everybody_has_an_address(tmp_path: Path) -> None:
    app = behind(tmp_path, 1)
    await app.extensions[EXTENSION].database.make_tables()
    async with app.test_app():

        async def send(path: str, address: str, password: str) -> int:
            headers = FORWARDED | {"X-Forwarded-For": f"203.0.113.99, {address}"}
            form = {"name": "alice", "password": password, "again": password}
            proxy = Visitor(app, "127.0.0.1")
            return (await proxy.post(path, headers=headers, **form)).status_code

        assert await send("/register", "192.0.2.1", PASSWORD) == 303
        tries = [await send("/login", "198.51.100.1", f"guess {number}") for number in range(6)]
        assert tries == [422] * 5 + [429]
        assert await send("/login", "198.51.100.1", PASSWORD) == 429
        assert await send("/login", "192.0.2.1", PASSWORD) == 303


@pytest.mark.parametrize(("proxies", "status"), [(1, 101), (0, 403)])
async def test_the_live_page_is_open_behind_a_proxy_that_is_told_of(
    tmp_path: Path, proxies: int, status: int
) -> None:
    app = behind(tmp_path, proxies)
    await app.extensions[EXTENSION].database.make_tables()
    headers = FORWARDED | {"Host": "notes.example"}
    form = {"name": "alice", "password": PASSWORD, "again": PASSWORD}
    async with app.test_app():
        client = app.test_client()
        answer = await client.post("/register", form=form, headers=headers)
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        headers["Cookie"] = cookie
        async with app.test_client().websocket("/live/socket", headers=headers) as connection:
            if status == 101:
                assert await connection.receive_json() == {"notes": []}
            else:
                with pytest.raises(WebsocketResponseError) as refused:
                    await connection.receive()
                assert refused.value.response.status_code == status


async def test_who_claims_an_address_is_not_believed(tmp_path: Path) -> None:
    app = behind(tmp_path, 0)
    await app.extensions[EXTENSION].database.make_tables()
    async with app.test_app():
        thief, tries = Visitor(app), []
        for number in range(6):
            claim = {"X-Forwarded-For": f"192.0.2.{number}"}
            form = {"name": "alice", "password": "a guess"}
            tries.append((await thief.post("/login", headers=claim, **form)).status_code)
        assert tries == [422] * 5 + [429]


async def test_a_stranger_opens_no_live_page(app: Quart, alice: Visitor) -> None:
    for headers, status in (({}, 401), ({"Origin": "https://evil.example"}, 403)):
        async with app.test_client().websocket("/live/socket", headers=headers) as connection:
            with pytest.raises(WebsocketResponseError) as refused:
                await connection.receive()
        assert refused.value.response.status_code == status


async def test_a_database_that_does_not_answer_is_no_mistake(
    app: Quart, alice: Visitor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = Visitor(app, "192.0.2.4")
    with closing(sqlite3.connect(tmp_path / "notes.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        answers = [
            await stranger.post("/login", name="alice", password=PASSWORD),
            await stranger.register("carol"),
        ]
        other.execute("ROLLBACK")
    for answer in answers:
        assert answer.status_code == 503
        assert "Please try again soon." in await answer.get_data(as_text=True)
    assert "database is locked" in caplog.text
    assert "alice" not in caplog.text and PASSWORD not in caplog.text
    assert (await stranger.register("carol")).status_code == 303


# --- PostgreSQL, and the command -----------------------------------------------------------------


def test_what_is_logged_says_when(serve: Callable[..., Server]) -> None:
    server = serve("notes")
    form = urlencode({"name": "nobody", "password": "wrong"}).encode()
    with pytest.raises(HTTPError, match="422"):
        build_opener().open(f"{server.url}/login", form)
    [line] = [line for line in server.said().splitlines() if "user_login_failed" in line]
    assert re.match(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[WARNING\] ", line)


def test_the_notes_on_postgresql(serve: Callable[..., Server], postgres_url: str) -> None:
    server = serve("notes", "--database", postgres_url)
    laptop, phone = (build_opener(HTTPCookieProcessor(CookieJar())) for _ in "ab")

    def ask(visitor: Any, path: str, **form: str) -> tuple[int, str]:
        data = urlencode(form).encode() if form else None
        try:
            response = visitor.open(server.url + path, data, timeout=60)
        except HTTPError as error:
            response = error
        with response:
            return response.status, response.read().decode()

    ask(laptop, "/register", name="Zoë", password=PASSWORD, again=PASSWORD)
    assert ask(phone, "/login", name="zoë", password="wrong")[0] == 422
    assert ask(phone, "/login", name="zoë\0", password="wrong\0")[0] == 422
    assert ask(phone, "/register", name="\ufdfa" * 40, password=PASSWORD, again=PASSWORD)[0] == 422
    assert "Nothing yet." in ask(phone, "/login", name="zoë", password=PASSWORD)[1]
    assert "Your note is kept." in ask(laptop, "/notes/", title="On PostgreSQL", text="é")[1]
    assert "On PostgreSQL" in ask(phone, "/notes/")[1]
    changed = ask(laptop, "/password", password=PASSWORD[::-1], again=PASSWORD[::-1])[1]
    assert "One other device was logged out." in changed
    assert "Please log in first." in ask(phone, "/notes/")[1]
    assert "On PostgreSQL" in ask(laptop, "/notes/")[1]


def test_who_forgets_the_proxy_is_told(serve: Callable[..., Server]) -> None:
    assert "--proxies" in serve("notes", "--https").said()
    server = serve("notes", "--https", "--proxies", "1")
    assert "--proxies" not in server.said()
    asked = Request(f"{server.url}/register", urlencode({"name": "x"}).encode(), dict(FORWARDED))
    with pytest.raises(HTTPError, match="422"):
        build_opener().open(asked)


@pytest.mark.parametrize(
    ("option", "url", "said"),
    [
        ("--database", "postgresql://nobody@127.0.0.1:1/nowhere", "The database cannot be used"),
        ("--redis", "redis://127.0.0.1:1", "Redis cannot be used"),
        ("--redis", "localhost", "Redis cannot be used"),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, option: str, url: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said) as caught:
        Server("notes", tmp_path, option, url)
    assert "Traceback" not in str(caught.value)
