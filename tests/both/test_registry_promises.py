"""Promises that a registry of login sessions makes possible, and what stands beside a login."""

from __future__ import annotations

import io
import logging
import re
from typing import Any

import pytest
from registry import CountingStore, copy, logged_in, registered
from sites import KEY, Browser, Site
from wire import send_raw

from quart_login._core import proofs
from quart_login._core.tokens import Keys, Token, sign, write_token

BOTH_COOKIES = pytest.mark.parametrize("names", [("session",), ("remember_token",), ()])


@pytest.fixture
def site(make_site: Any) -> Any:
    return registered(make_site)


def proof_of(browser: Browser) -> str:
    return str(browser.session()["_login_session"])


# --- P6: rotation --------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["/in/1", "/in/2", "/in/1?remember=1", "/confirm", "close"])
async def test_p6_each_change_yields_a_new_proof_and_the_old_ones_are_dead(
    site: Any, change: str
) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    dead: list[Browser] = []
    for _ in range(4):
        before, old = proof_of(browser), copy(browser, "session")
        dead.append(old)
        if change == "close":
            browser.close()
            await browser.get("/me")
        else:
            assert (await browser.get(change)).status == 200
        assert proof_of(browser)[23:] != before[23:]
        kept = change in ("/confirm", "close")
        assert (proof_of(browser)[:22] == before[:22]) == kept
        for one in dead:
            assert (await copy(one).get("/private")).status == 401
        assert (await browser.get("/private")).status == 200
    assert len(site.manager.sessions.all()) == 1


# --- P21: at rest --------------------------------------------------------------------------------


def strings_in(*texts: str) -> set[str]:
    """Return what of *texts* could be a credential: each word, and what has a secret's shape."""
    found: set[str] = set()
    for text in texts:
        found.update(re.findall(r"[^\s'\"=,()\[\]{}]+", text))
        for length in (22, 32, 43, 64, 66):
            found.update(
                text[start : start + length]
                for start in range(len(text) - length + 1)
                if re.fullmatch(r"[\w.-]+", text[start : start + length], re.ASCII)
            )
    return found


async def test_p21_no_string_of_the_store_or_the_log_authenticates(
    site: Any, lines: pytest.LogCaptureFixture
) -> None:
    """A dump of both is replayed: each string, as every kind of credential, also in the places of
    what is known to be there (ids); without the key, and with it.
    """
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    logging.getLogger().addHandler(handler)
    try:
        browser = await logged_in(site, "/in/1?remember=1")
        other = await logged_in(site, "/in/2")
        browser.close()
        await browser.get("/private")
        await browser.get("/confirm")
        await site.browser().get("/private")
        thief = site.browser()
        thief.jar = {"remember_token": browser.jar["remember_token"] + "x", "session": "junk"}
        await thief.get("/me")
        site.manager.sessions.before["touch"] = RuntimeError("down")
        site.clock.advance(seconds=61)
        await other.get("/private")
        site.manager.sessions.before["get"] = RuntimeError("down")
        assert (await other.get("/private")).status == 503
        site.manager.sessions.before.clear()
    finally:
        logging.getLogger().removeHandler(handler)
    records = site.manager.sessions.all()
    dump = [
        str(getattr(record, name))
        for record in records
        for name in type(record).__dataclass_fields__
    ]
    held = {proof_of(browser), proof_of(other), *browser.jar.values(), *other.jar.values()}
    held |= {proof[23:] for proof in (proof_of(browser), proof_of(other))}
    whole = "\n".join([*dump, lines.text, out.getvalue(), repr(records), repr(site.manager)])
    for secret in held:
        assert secret not in whole
    ids, kept = [record.id for record in records], dict(site.manager.sessions._sessions)
    ends, template = int(site.clock()) + 10**6, browser.session()
    tried = 0
    for text in strings_in(*dump, lines.text, out.getvalue()):
        forged = [{"session": text}, {"remember_token": text}]
        for id in ids:
            forged += [{"remember_token": f"{id}.{text}"}, {"session": f"{id}.{text}"}]
            # Even where SECRET_KEY leaked with them, the store's digests prove nothing.
            proof = proofs.Proof(id, text)
            forged.append(
                {"remember_token": sign([*proof, ends], Keys(KEY), proofs.series_salt(None))}
            )
            one = site.browser()
            one.set_session(**{**template, "_login_session": f"{id}.{text}"})
            forged.append(one.jar)
        for jar in forged:
            # What was signed with the right key and holds another secret looks like a theft.
            site.manager.sessions._sessions.clear()
            site.manager.sessions._sessions.update(kept)
            header = "; ".join(f"{name}={value}" for name, value in jar.items())
            answer = await send_raw(site, "/me", [(b"Cookie", header.encode("latin1", "replace"))])
            assert answer == (200, "anonymous")
            tried += 1
        answer = await send_raw(site, "/me", [(b"Authorization", b"Bearer " + text.encode())])
        assert answer == (200, "anonymous")
    assert tried > 500
    assert await copy(other).get("/me") == (200, "user 2")


# --- P24: bounded cost ---------------------------------------------------------------------------


@BOTH_COOKIES
async def test_p24_a_request_costs_one_read_and_a_minute_one_write(
    site: Any, names: tuple[str, ...]
) -> None:
    browser = copy(await logged_in(site, "/in/1?remember=1"), *names)
    await browser.get("/me")
    await browser.get("/me")  # After this its cookie is known to have come.
    store: CountingStore = site.manager.sessions
    for minute in range(5):
        store.asked.clear()
        for _ in range(20):
            for path in ("/private", "/me", "/very", "/put/a/b", "/is-remembered"):
                before = store.reads()
                await browser.get(path)
                assert store.reads() - before <= 1
            site.clock.advance(seconds=2)
        assert store.writes() <= 1, minute
        site.clock.advance(seconds=20)


@pytest.mark.parametrize("name", ["session", "remember_token"])
async def test_p24_dead_and_unknown_credentials_write_nothing(site: Any, name: str) -> None:
    """A cookie that is signed, and whose login has ended, is asked for once and then gone."""
    dead = copy(await logged_in(site, "/in/1?remember=1"), name)
    await copy(dead).get("/out")
    store: CountingStore = site.manager.sessions
    store.asked.clear()
    for _ in range(30):
        assert await copy(dead).get("/me") == (200, "anonymous")
    assert store.asked["get"] == 30
    assert store.writes() == 0
    await dead.get("/me")
    assert dead.jar == {}


# --- beside a login ------------------------------------------------------------------------------


async def bearer(site: Site, user_id: int) -> str:
    if site.web.__name__ == "flask":
        with site.app.app_context():
            return str(site.manager.issue_token(site.users[user_id]))
    async with site.app.app_context():
        return str(site.manager.issue_token(site.users[user_id]))


async def test_a_token_in_the_header_decides_and_asks_no_store(site: Any) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    headers = {"Authorization": f"Bearer {await bearer(site, 2)}"}
    store: CountingStore = site.manager.sessions
    store.asked.clear()
    answer = await browser.get("/private", headers=headers)
    assert answer == (200, "private of user 2") and answer.set_cookies == []
    assert store.asked == {}
    assert await browser.get("/private") == (200, "private of user 1")
    found = await browser.get("/sessions", headers=headers)
    assert found == (200, "")  # The token's user has none, and sees nobody else's.


@pytest.mark.parametrize("path", ["/out", "/in/1", "/in/2"])
@BOTH_COOKIES
async def test_a_logout_or_login_beside_a_token_ends_the_login_that_the_cookies_hold(
    site: Any, path: str, names: tuple[str, ...]
) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    left = [copy(browser), copy(browser, "session"), copy(browser, "remember_token")]
    browser = copy(browser, *names)
    headers = {"Authorization": f"Bearer {await bearer(site, 2)}"}
    assert await browser.get(path, headers=headers) == (200, "True")
    for one in left:
        assert await one.get("/me") == (200, "anonymous")
    expected = {"/out": "anonymous", "/in/1": "user 1", "/in/2": "user 2"}[path]
    assert await browser.get("/me") == (200, expected)
    assert len(site.manager.sessions.all()) == (path != "/out")


async def test_a_user_of_the_request_loader_has_no_login_session_and_writes_none(site: Any) -> None:
    """It is a proxy that says who is here, say."""

    def from_request(request: Any) -> Any:
        name = request.headers.get("X-User")
        return None if name is None else site.users[int(name)]

    site.manager.request_loader(from_request)
    proxy = site.browser(**{"X-User": "2"})
    assert await proxy.get("/private") == (200, "private of user 2")
    assert site.manager.sessions.asked == {}
    assert await proxy.get("/sessions") == (200, "")
    assert await proxy.get("/confirm") == (200, "confirmed")
    assert await proxy.get("/very") == (200, "very private of user 2")
    assert site.manager.sessions.all() == []
    here = await logged_in(site)
    here.headers["X-User"] = "2"  # A login comes first.
    assert await here.get("/me") == (200, "user 1")
    await site.browser().get("/revoke-user/1")
    assert await here.get("/me") == (200, "user 2")


@BOTH_COOKIES
async def test_a_login_session_is_found_on_demand(make_site: Any, names: tuple[str, ...]) -> None:
    if make_site.web.__name__ == "flask":
        site = registered(make_site)  # which always does so
    else:
        site = registered(make_site, {"LOGIN_LOAD_USER": "on_demand"})
    browser = await logged_in(site, "/in/1?remember=1")
    browser = copy(browser, *names)
    site.manager.sessions.asked.clear()
    assert await browser.get("/public") == (200, "public")
    assert site.manager.sessions.asked == {}
    assert await browser.get("/private") == (200, "private of user 1")
    assert (await browser.get("/sessions")).text.endswith("*")
    assert await browser.get("/out") == (200, "True")
    assert site.manager.sessions.all() == []


@pytest.mark.parametrize("start", ["stranger", "logged in", "remembered"])
@pytest.mark.parametrize("second", [1, 2])
@pytest.mark.parametrize("remember", [(0, 0), (1, 0), (0, 1), (1, 1)])
async def test_of_two_logins_in_one_request_the_last_one_stands(
    site: Any, start: str, second: int, remember: tuple[int, int]
) -> None:
    """Also where the remember cookie has just begun a session."""

    @site.route("/twice", guard=None if start == "stranger" else "login_required")
    async def twice() -> str:
        await site.login_user(site.users[1], remember=bool(remember[0]))
        await site.login_user(site.users[second], remember=bool(remember[1]))
        return str(site.lib.current_user.name)

    browser = site.browser()
    if start != "stranger":
        browser = await logged_in(site, "/in/1?remember=1")
    if start == "remembered":
        browser.close()
    old = copy(browser)
    assert await browser.get("/twice") == (200, f"user {second}")
    assert len(site.manager.sessions.all()) == 1
    assert await browser.get("/me") == (200, f"user {second}")
    assert await browser.get("/is-fresh") == (200, "True")
    assert await old.get("/me") == (200, "anonymous")
    browser.close()
    stays = remember[1] or (second == 1 and (remember[0] or start != "stranger"))
    assert await browser.get("/me") == (200, f"user {second}" if stays else "anonymous")


async def test_login_and_logout_in_one_request_leave_nothing(site: Any) -> None:
    @site.route("/in-and-out")
    async def in_and_out() -> str:
        await site.login_user(site.users[1], remember=True)
        await site.logout_user()
        return str(site.lib.current_user.is_authenticated)

    browser = site.browser()
    assert await browser.get("/in-and-out") == (200, "False")
    assert browser.jar == {}
    assert site.manager.sessions.all() == []


async def test_a_login_that_a_receiver_refuses_leaves_nothing_and_the_one_before(site: Any) -> None:
    browser = await logged_in(site, "/in/1?remember=1")

    def receiver(sender: Any, **extra: Any) -> None:
        raise RuntimeError("no")

    site.lib.user_logged_in.connect(receiver, sender=site.app)
    before = site.manager.sessions.all()
    with site.hearing("login_session_ended") as heard:
        assert (await browser.get("/in/2?remember=1")).status == 500
    site.lib.user_logged_in.disconnect(receiver, sender=site.app)
    assert heard == []
    assert site.manager.sessions.all() == before
    assert await browser.get("/me") == (200, "user 1")


async def test_a_view_that_clears_the_session_after_a_login_takes_it_back(site: Any) -> None:
    """In the browser: what was kept in the store proves nothing to anybody."""

    @site.route("/in-and-clear")
    async def in_and_clear() -> str:
        await site.login_user(site.users[1], remember=True)
        site.web.session.clear()
        return "cleared"

    browser = site.browser()
    assert await browser.get("/in-and-clear") == (200, "cleared")
    assert "remember_token" not in browser.jar
    assert await browser.get("/me") == (200, "anonymous")


async def test_a_streamed_body_sees_the_login_that_its_request_had(site: Any) -> None:
    """And one that was revoked before it began sees nobody."""
    lib = site.lib

    def body() -> Any:
        for _ in range(3):
            yield f"{getattr(lib.current_user, 'name', 'anonymous')} "

    async def body_in_quart() -> Any:
        for part in body():
            yield part

    @site.route("/stream", guard="login_required")
    async def stream() -> Any:
        if site.web.__name__ == "flask":
            return site.app.response_class(body())
        return site.app.response_class(body_in_quart())

    browser = copy(await logged_in(site, "/in/1?remember=1"), "remember_token")
    for _ in range(2):
        assert await browser.get("/stream") == (200, "user 1 user 1 user 1 ")
    await site.browser().get("/revoke-user/1")
    assert (await browser.get("/stream")).status == 401


# --- raw bytes -----------------------------------------------------------------------------------

JUNK = [
    b"",
    b"\x00",
    b"\xff" * 66,
    b"." * 500,
    b"A" * 22 + b"." + b"B" * 43,
    b"a" * 5000,
    b'"\\351"',
    b"WyJh",
    b"=.=",
    b"null.null",
    "\u00e9.\u00e9".encode(),
]


@pytest.mark.parametrize("name", [b"session", b"remember_token", b"_login_session"])
@pytest.mark.parametrize("junk", JUNK)
async def test_p2_no_bytes_in_a_cookie_are_an_error_or_ask_the_store(
    site: Any, name: bytes, junk: bytes
) -> None:
    good = await logged_in(site, "/in/1?remember=1")
    store: CountingStore = site.manager.sessions
    store.asked.clear()
    for path in ("/me", "/private", "/out", "/is-remembered", "/in/2", "/confirm"):
        answer = await send_raw(site, path, [(b"Cookie", name + b"=" + junk)])
        assert answer.status in (200, 401)
        assert "user 1" not in answer.text
    assert store.reads() == 0
    assert await good.get("/me") == (200, "user 1")


@pytest.mark.parametrize(
    "payload",
    [
        *(None, 1, "x", [], {}, [1], ["a", "b"], ["A" * 22, "B" * 43], ["A" * 22, "B" * 43, "1"]),
        *(["A" * 22, "B" * 43, 1e999], ["A" * 22, "B" * 43, None], [["A" * 22], "B" * 43, 1]),
        *(["A" * 22, "B" * 43, 10**400], ["A" * 21 + "\n", "B" * 43, 1], ["A" * 22, "B" * 44, 1]),
        *([1, 2, 3], ["A" * 22, "B" * 43, 1, 1], ["A" * 22, "B" * 43, True], ["\0" * 22, "", 0]),
    ],
)
async def test_p2_a_signed_cookie_of_another_kind_is_nobody_s(site: Any, payload: Any) -> None:
    """Signed with the right key, for the same purpose, by an older or newer release, say."""
    browser = site.browser()
    browser.jar["remember_token"] = sign(payload, Keys(KEY), proofs.series_salt(None))
    for path in ("/me", "/is-remembered", "/out", "/in/1"):
        answer = await copy(browser).get(path)
        assert answer.status == 200 and "user 1" not in answer.text
    assert await browser.get("/me") == (200, "anonymous")
    assert browser.jar == {}


async def test_p1_a_token_for_one_purpose_is_nothing_for_another(site: Any) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    series, keys = browser.jar["remember_token"], Keys(KEY)
    header = {"Authorization": f"Bearer {series}"}
    assert await site.browser().get("/me", headers=header) == (200, "anonymous")
    thief = site.browser()
    thief.jar["session"] = series
    assert await thief.get("/me") == (200, "anonymous")
    thief.jar = {"remember_token": await bearer(site, 1)}
    assert await thief.get("/me") == (200, "anonymous")
    thief.jar = {"remember_token": sign([proof_of(browser)[:22]], keys, "quart-login.series.2")}
    assert await thief.get("/me") == (200, "anonymous")
    # The old kind is good, where cookies move over, for whom it names; and once.
    old = write_token(Token(1, int(site.clock())), keys, None)
    thief.jar = {"remember_token": old}
    assert await thief.get("/me") == (200, "user 1")
