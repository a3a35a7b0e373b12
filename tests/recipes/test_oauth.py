"""Who logs in at a provider, a small one of the tests' own, is logged in, and nobody else."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

SECRET = "the client's secret"


class Provider:
    """An OpenID provider, where everybody is logged in who asks."""

    def __init__(self) -> None:
        self.keys = [RSAKey.generate_key(2048, {"kid": "1"})]
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, str]] = []
        self.subject = "ann"
        #: What the next ID token says otherwise.
        self.claims: dict[str, Any] = {}
        self.algorithm = "RS256"
        self.down = False
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self, {})

            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                provider.answer(self, one_each(text))

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    def answer(self, handler: Any, form: dict[str, str]) -> None:
        path = urlsplit(handler.path).path
        status, body = 503, {"error": "down"}
        if not self.down:
            status, body = self._at(path, form, handler.headers.get("Authorization", ""))
        text = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def _at(self, path: str, form: dict[str, str], sent: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        if path == "/keys":
            return 200, KeySet(self.keys).as_dict(private=False)
        assert path == "/token"
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest())
        client = "Basic " + base64.b64encode(f"shop:{SECRET}".encode()).decode()
        good = (
            asked is not None
            and asked["code_challenge"] == challenge.decode().rstrip("=")
            and asked["redirect_uri"] == form["redirect_uri"]
            and sent == client
        )
        if not good or asked is None:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.token(asked)}

    def token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": asked["client_id"],
            "sub": self.subject,
            "name": self.subject.title(),
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 60,
            **({"auth_time": now} if "max_age" in asked else {}),
            **self.claims,
        }
        header = {"alg": self.algorithm, "kid": self.keys[-1].kid}
        return jwt.encode(header, claims, self.keys[-1], algorithms=[self.algorithm])

    def authorize(self, url: str, **changes: str) -> str:
        """Return where the browser is sent that was sent to *url*."""
        assert url.startswith(f"{self.issuer}/authorize?")
        asked = one_each(urlsplit(url).query)
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        self.asked.append(asked)
        code = f"code {len(self.asked)}"
        self.codes[code] = asked
        said = {"code": code, "state": asked["state"], "iss": self.issuer, **changes}
        return f"{urlsplit(asked['redirect_uri']).path}?{urlencode(said)}"


def one_each(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    provider = Provider()
    monkeypatch.setenv("OIDC_ISSUER", provider.issuer)
    monkeypatch.setenv("OIDC_CLIENT_ID", "shop")
    monkeypatch.setenv("OIDC_CLIENT_SECRET", SECRET)
    yield provider
    provider.stop()


@pytest.fixture
def page(provider: Provider, cook: Callable[[str], ModuleType]) -> Any:
    return cook("oauth")


async def begin(client: Any, path: str = "/login") -> str:
    """Return where the browser is sent that wants to log in."""
    response = await client.post(path)
    assert response.status_code == 303
    return str(response.location)


async def log_in(client: Any, provider: Provider, path: str = "/login", **changes: str) -> Any:
    return await client.get(provider.authorize(await begin(client, path), **changes))


async def hello(client: Any) -> str:
    response = await client.get("/")
    return "nobody" if response.status_code == 302 else await response.get_data(as_text=True)


async def test_who_logs_in_there_is_logged_in_here(page: Any, provider: Provider) -> None:
    client = page.app.test_client()
    assert (await client.get("/")).location == "/login?next=%2F"
    response = await log_in(client, provider, "/login?next=/payout")
    assert (response.status_code, response.location) == (303, "/payout")
    assert "<p>Hello, Ann!</p>" in await hello(client)
    await client.post("/logout")
    assert await hello(client) == "nobody"


async def test_the_same_subject_is_the_same_user(page: Any, provider: Provider) -> None:
    for _ in range(2):
        await log_in(page.app.test_client(), provider)
    provider.subject = "bob"
    await log_in(page.app.test_client(), provider)
    assert sorted(user.name for user in page.users.values()) == ["Ann", "Bob"]


async def test_no_other_site_is_returned_to(page: Any, provider: Provider) -> None:
    response = await log_in(page.app.test_client(), provider, "/login?next=https://evil.example")
    assert response.location == "/"


async def test_what_was_not_begun_in_this_browser_is_refused(page: Any, provider: Provider) -> None:
    attacker, victim = page.app.test_client(), page.app.test_client()
    link = provider.authorize(await begin(attacker))
    assert (await victim.get(link)).status_code == 400
    await begin(victim)
    assert (await victim.get(link)).status_code == 400
    assert await hello(victim) == "nobody"


async def test_the_way_back_is_taken_once(page: Any, provider: Provider) -> None:
    client = page.app.test_client()
    link = provider.authorize(await begin(client))
    assert (await client.get(link)).status_code == 303
    assert (await client.get(link)).status_code == 400


@pytest.mark.parametrize("state", ["", "é", "x" * 1000, "\udcff".encode("utf-8", "replace")])
async def test_another_state_is_refused(page: Any, provider: Provider, state: Any) -> None:
    assert (await log_in(page.app.test_client(), provider, state=state)).status_code == 400


async def test_the_answer_of_another_provider_is_refused(page: Any, provider: Provider) -> None:
    response = await log_in(page.app.test_client(), provider, iss="https://evil.example")
    assert response.status_code == 400


async def test_a_login_that_took_too_long_is_refused(
    page: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = page.app.test_client()
    link, now = provider.authorize(await begin(client)), time.time()
    monkeypatch.setattr(page, "time", type("Later", (), {"time": staticmethod(lambda: now + 601)}))
    assert (await client.get(link)).status_code == 400


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ["a", "list"]},
        {"aud": "another"},
        {"aud": []},
        {"aud": ["shop", "another"], "azp": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"exp": None},
        {"iat": 9_999_999_999},
        {"sub": None},
        {"sub": 7},
    ],
)
async def test_a_token_for_something_else_is_refused(
    page: Any, provider: Provider, claims: Any
) -> None:
    provider.claims = claims
    client = page.app.test_client()
    assert (await log_in(client, provider)).status_code == 502
    assert await hello(client) == "nobody"


async def test_a_token_by_another_key_is_refused(page: Any, provider: Provider) -> None:
    client = page.app.test_client()
    await log_in(page.app.test_client(), provider)
    honest, provider.keys = provider.keys, [RSAKey.generate_key(2048, {"kid": "1"})]
    link = provider.authorize(await begin(client))
    real = KeySet(honest).as_dict(private=False)
    answer = provider._at

    def keys_of_old(path: str, form: dict[str, str], sent: str) -> tuple[int, Any]:
        return (200, real) if path == "/keys" else answer(path, form, sent)

    provider._at = keys_of_old  # type: ignore[method-assign]
    assert (await client.get(link)).status_code == 502


async def test_a_token_signed_in_another_way_is_refused(page: Any, provider: Provider) -> None:
    provider.algorithm = "RS512"
    assert (await log_in(page.app.test_client(), provider)).status_code == 502


async def test_new_keys_are_fetched(page: Any, provider: Provider) -> None:
    await log_in(page.app.test_client(), provider)
    provider.keys = [RSAKey.generate_key(2048, {"kid": "2"})]
    assert (await log_in(page.app.test_client(), provider)).status_code == 303


async def test_a_code_that_was_caught_is_worth_nothing(page: Any, provider: Provider) -> None:
    thief, victim = page.app.test_client(), page.app.test_client()
    provider.authorize(await begin(victim))
    provider.authorize(await begin(thief))
    state = provider.asked[-1]["state"]
    response = await thief.get(f"/callback?{urlencode({'code': 'code 1', 'state': state})}")
    assert response.status_code == 502


async def test_who_says_no_is_not_logged_in(page: Any, provider: Provider) -> None:
    client = page.app.test_client()
    provider.authorize(await begin(client))
    state = provider.asked[-1]["state"]
    response = await client.get(f"/callback?error=access_denied&state={state}")
    assert response.status_code == 401


async def test_a_provider_that_is_down_breaks_nothing(page: Any, provider: Provider) -> None:
    client, other = page.app.test_client(), page.app.test_client()
    link = provider.authorize(await begin(client))
    provider.down = True
    assert (await client.get(link)).status_code == 502
    page.provider._about.clear()
    assert (await other.post("/login")).status_code == 503


async def test_only_who_typed_the_password_just_now_is_fresh(page: Any, provider: Provider) -> None:
    client = page.app.test_client()
    await log_in(client, provider)
    assert (await client.get("/payout")).location == "/login?next=%2Fpayout"
    response = await log_in(client, provider, "/login?next=/payout")
    assert provider.asked[-1]["max_age"] == "0"
    assert response.location == "/payout"
    assert (await client.get("/payout")).status_code == 200
