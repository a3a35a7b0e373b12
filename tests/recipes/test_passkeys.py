"""Who has the passkey is logged in, and nobody else: by an authenticator in software, and by a real
browser with a virtual one.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import cbor2
import pytest
import uvicorn
from browser.chromium import Browser, find
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loops import asyncio
from recipes.conftest import blocks
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions
from servers import free_port
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

ORIGIN = "http://localhost:8000"

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


class Authenticator:
    """A passkey, in software."""

    def __init__(
        self, origin: str = ORIGIN, rp_id: str = "localhost", verifies: bool = True
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.handle = b""
        self.count = 0
        self.origin, self.rp_id = origin, rp_id
        self.flags = PRESENT | (VERIFIED if verifies else 0)

    def _data(self, extra: int = 0) -> bytes:
        hashed = sha256(self.rp_id.encode()).digest()
        return hashed + bytes([self.flags | extra]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, options: Any) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps(said).encode()

    def _answer(self, **response: bytes) -> dict[str, Any]:
        name = bytes_to_base64url(self.id)
        told = {key: bytes_to_base64url(value) for key, value in response.items()}
        return {"id": name, "rawId": name, "type": "public-key", "response": told}

    def make(self, options: Any) -> dict[str, Any]:
        self.handle = base64url_to_bytes(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public
        kept = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + attested}
        client = self._client("webauthn.create", options)
        return self._answer(clientDataJSON=client, attestationObject=cbor2.dumps(kept))

    def sign(self, options: Any) -> dict[str, Any]:
        self.count += 1
        data, client = self._data(), self._client("webauthn.get", options)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            clientDataJSON=client,
            authenticatorData=data,
            signature=signature,
            userHandle=self.handle,
        )


@pytest.fixture
def page(cook: Callable[[str], ModuleType]) -> Any:
    return cook("passkeys")


async def register(client: Any, key: Authenticator, name: str = "Ann") -> Any:
    response = await client.post("/register/options", json={"name": name})
    return await client.post("/register", json=key.make(await response.get_json()))


async def log_in(client: Any, key: Authenticator, next: str = "/") -> Any:
    options = await (await client.post("/login/options", json={})).get_json()
    return await client.post(f"/login/passkey?next={next}", json=key.sign(options))


async def hello(client: Any) -> str:
    response = await client.get("/")
    if response.status_code == 302:
        return "nobody"
    return (await response.get_data(as_text=True)).partition("Hello, ")[2].partition("!")[0]


async def test_who_registers_is_logged_in_and_comes_back(page: Any) -> None:
    async with page.app.test_app():
        client, key = page.app.test_client(), Authenticator()
        assert await (await register(client, key)).get_json() == {"next": "/"}
        assert await hello(client) == "Ann"
        await client.post("/logout")
        assert await hello(client) == "nobody"
        assert await (await log_in(client, key, "/x")).get_json() == {"next": "/x"}
        assert await hello(client) == "Ann"
        assert await (await log_in(client, key, "//evil.example")).get_json() == {"next": "/"}


async def test_names_may_be_the_same_and_say_what_they_like(page: Any) -> None:
    async with page.app.test_app():
        for name in ("Ann", "Ann", "<b>"):
            client = page.app.test_client()
            assert (await register(client, Authenticator(), name)).status_code == 200
            assert await hello(client) == name.replace("<", "&lt;").replace(">", "&gt;")


@pytest.mark.parametrize(
    "wrong", [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"verifies": False}]
)
async def test_a_passkey_of_another_site_or_without_its_user_is_none(page: Any, wrong: Any) -> None:
    async with page.app.test_app():
        client = page.app.test_client()
        assert (await register(client, Authenticator(**wrong))).status_code == 422
        good, bad = Authenticator(), Authenticator(**wrong)
        await register(client, good)
        await client.post("/logout")
        bad.id, bad.key, bad.handle = good.id, good.key, good.handle
        assert (await log_in(client, bad)).status_code == 422
        assert await hello(client) == "nobody"


async def test_another_key_or_another_handle_opens_nothing(page: Any) -> None:
    async with page.app.test_app():
        client, thief = page.app.test_client(), page.app.test_client()
        ann, bob = Authenticator(), Authenticator()
        await register(client, ann)
        await register(thief, bob, "Bob")
        await thief.post("/logout")
        forged = Authenticator()
        forged.id, forged.handle = ann.id, ann.handle
        assert (await log_in(thief, forged)).status_code == 422
        bob.handle = ann.handle
        assert (await log_in(thief, bob)).status_code == 422
        assert (await log_in(thief, Authenticator())).status_code == 422


async def test_a_signature_is_good_once(page: Any) -> None:
    async with page.app.test_app():
        client, key = page.app.test_client(), Authenticator()
        await register(client, key)
        await client.post("/logout")
        options = await (await client.post("/login/options", json={})).get_json()
        signed = key.sign(options)
        assert (await client.post("/login/passkey", json=signed)).status_code == 200
        assert (await client.post("/login/passkey", json=signed)).status_code == 400
        await client.post("/login/options", json={})
        assert (await client.post("/login/passkey", json=signed)).status_code == 422


@pytest.mark.parametrize("counts", [True, False])
async def test_a_copy_of_the_cookie_makes_no_signature_good_again(page: Any, counts: bool) -> None:
    """Passkeys that are on several devices do not count."""
    async with page.app.test_app():
        client, key = page.app.test_client(), Authenticator()
        await register(client, key)
        await client.post("/logout")
        asked = await client.post("/login/options", json={})
        cookie = {"Cookie": asked.headers["Set-Cookie"].partition(";")[0]}
        key.count -= not counts
        signed, statuses = key.sign(await asked.get_json()), []
        for _ in range(3):
            copy = page.app.test_client(use_cookies=False)
            response = await copy.post("/login/passkey", json=signed, headers=cookie)
            statuses.append(response.status_code)
        assert statuses == [200, 422, 422]
        assert (await log_in(client, key)).status_code == 200


async def test_what_was_spent_is_kept_for_as_long_as_it_counts(
    page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def spent() -> int:
        async with page.open_session() as db:
            return len(list(await db.scalars(page.select(page.Spent))))

    async with page.app.test_app():
        client, key, now = page.app.test_client(), Authenticator(), page.time.time()
        await register(client, key)
        for later, kept in ((0, 1), (page.PATIENCE, 2), (2 * page.PATIENCE + 1, 2)):
            monkeypatch.setattr(page.time, "time", lambda later=later: now + later)
            assert (await log_in(client, key)).status_code == 200
            assert await spent() == kept


async def test_a_copy_of_the_key_is_noticed(page: Any) -> None:
    async with page.app.test_app():
        client, key = page.app.test_client(), Authenticator()
        await register(client, key)
        await log_in(client, key)
        await client.post("/logout")
        key.count -= 1
        assert (await log_in(client, key)).status_code == 422


async def test_another_passkey_is_added_by_a_fresh_login_alone(page: Any) -> None:
    async with page.app.test_app():
        client, key, other = page.app.test_client(), Authenticator(), Authenticator()
        headers = {"Accept": "application/json"}
        stranger = await client.post("/passkeys/options", json={}, headers=headers)
        assert stranger.status_code == 401
        await register(client, key)
        options = await (await client.post("/passkeys/options", json={})).get_json()
        assert [one["id"] for one in options["excludeCredentials"]] == [bytes_to_base64url(key.id)]
        assert (await client.post("/passkeys", json=other.make(options))).status_code == 200
        await client.post("/logout")
        assert (await log_in(client, other)).status_code == 200
        assert await hello(client) == "Ann"
        options = await (await client.post("/passkeys/options", json={})).get_json()
        assert (await client.post("/passkeys", json=other.make(options))).status_code == 422


async def test_only_json_is_taken(page: Any) -> None:
    async with page.app.test_app():
        client = page.app.test_client()
        for path in ("/login/options", "/login/passkey", "/register/options", "/register"):
            await client.post("/login/options", json={})
            response = await client.post(path, form={"name": "x"})
            assert response.status_code in (200, 400, 415), path
            assert (await client.post(path, json=["x"])).status_code in (200, 400), path
        assert await hello(client) == "nobody"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
@given(field=st.text(max_size=10), value=_JSON, keys=st.data())
def test_no_answer_is_an_error(page: Any, field: str, value: Any, keys: st.DataObject) -> None:
    async def ask() -> None:
        async with page.app.test_app():
            client, key = page.app.test_client(), Authenticator()
            for options, path in (("register/options", "register"), ("login/options", None)):
                sent = await client.post(f"/{options}", json={"name": "Ann"})
                asked = await sent.get_json()
                answer = key.make(asked) if path else key.sign(asked)
                place = keys.draw(st.sampled_from([answer, answer["response"]]))
                place[keys.draw(st.sampled_from([*place, field]))] = value
                response = await client.post(f"/{path or 'login/passkey'}", json=answer)
                assert response.status_code < 500

    asyncio.run(ask())


# --- in a browser --------------------------------------------------------------------------------


@pytest.fixture
def site(
    cook: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Serve the recipe, with its script, and return its URL."""
    find()
    port = free_port()
    url = f"http://localhost:{port}"
    monkeypatch.setenv("ORIGIN", url)
    app = cook("passkeys").app
    (tmp_path / "static").mkdir()
    [script] = blocks("passkeys", "js")
    (tmp_path / "static" / "passkeys.js").write_text(script)
    app.static_folder = str(tmp_path / "static")
    config = uvicorn.Config(app, "127.0.0.1", port, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield url
    server.should_exit = True
    thread.join()


def test_a_browser_makes_a_passkey_and_logs_in_with_it(site: str) -> None:
    browser = Browser(site)
    try:
        options = VirtualAuthenticatorOptions(
            transport=VirtualAuthenticatorOptions.Transport.INTERNAL,
            has_resident_key=True,
            has_user_verification=True,
            is_user_verified=True,
        )
        browser.driver.add_virtual_authenticator(options)
        browser.open("/")
        browser.shows("Log in with a passkey")
        browser.fill("Name", "Ann")
        browser.press("Register", "body")
        browser.shows("Hello, Ann!")
        browser.press("Log out", "body")
        browser.shows("Log in with a passkey")
        browser.press("Log in with a passkey", "body")
        browser.shows("Hello, Ann!")
        browser.driver.remove_all_credentials()
        browser.press("Log out", "body")
        browser.shows("Log in with a passkey")
        browser.run("document.querySelector('[data-login]').click()")
        browser.wait(
            lambda: browser.run("return document.querySelector('[role=alert]').textContent")
        )
        assert browser.path == "/login"
    finally:
        browser.quit()
