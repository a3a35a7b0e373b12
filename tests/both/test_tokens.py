"""Bearer tokens: issued by the application, accepted on every protected view."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sites import KEY, SITES, Answer, Browser, Site, User
from wire import send_raw

from quart_login._core.bearer import SALT
from quart_login._core.tokens import REMEMBER_SALT, Keys, sign

#: What no server lets through.
NO_HEADER_HAS = b"\r\n"

OLD_KEY = "fedcba9876543210fedcba9876543210"


class Versioned(User):
    """A user whose tokens end when the version changes."""

    version = 1

    @property
    def session_epoch(self) -> int:
        return self.version


def add_tokens(site: Site) -> Site:
    @site.route("/token/<user_id>")
    async def give_token(user_id: str) -> str:
        user = site.users[int(user_id) if user_id.isdigit() else user_id]
        return str(site.lib.issue_token(user))

    return site


@pytest.fixture
def site(make_site: Any) -> Site:
    return add_tokens(make_site())


async def token_of(site: Site, user_id: Any = 1) -> str:
    answer = await site.browser().get(f"/token/{user_id}")
    assert answer.status == 200
    return answer.text


def bearing(site: Site, token: str) -> Browser:
    """Return a client that sends *token* with each request."""
    return site.browser(Authorization=f"Bearer {token}")


def challenges(answer: Answer) -> list[str]:
    return answer.headers.getlist("WWW-Authenticate")


# --- who holds one -------------------------------------------------------------------------------


async def test_a_token_opens_protected_views_and_the_user_is_loaded_once(site: Site) -> None:
    client = bearing(site, await token_of(site))
    assert await client.get("/private") == (200, "private of user 1")
    assert site.loads == [1]
    assert await client.get("/me") == (200, "user 1")


@pytest.mark.parametrize("user_id", [1, 2, "zoë"])
async def test_p16_the_loader_gets_the_id_that_get_id_returned(site: Site, user_id: Any) -> None:
    client = bearing(site, await token_of(site, user_id))
    assert (await client.get("/private")).status == 200
    assert site.loads == [user_id] and type(site.loads[0]) is type(user_id)


async def test_a_token_is_issued_outside_of_requests_and_by_the_manager(site: Site) -> None:
    async def issue() -> list[str]:
        tokens = [site.lib.issue_token(site.users[1]), site.manager.issue_token(site.users[1])]
        return [*tokens, site.manager.issue_token(site.users[1], lifetime=60)]

    if site.web.__name__ == "flask":
        with site.app.app_context():
            tokens = await issue()
    else:
        async with site.app.app_context():
            tokens = await issue()
    assert tokens[0] == tokens[1] != tokens[2]
    for token in tokens:
        assert await bearing(site, token).get("/me") == (200, "user 1")


async def test_a_token_creates_no_session_and_sets_no_cookie(site: Site) -> None:
    client = bearing(site, await token_of(site))
    for path in ("/me", "/private", "/public", "/is-fresh", "/confirm", "/out"):
        answer = await client.get(path)
        assert (answer.status, answer.set_cookies) == (200, []), path


async def test_no_cookie_that_comes_along_counts_or_is_touched(site: Site) -> None:
    site.app.config["REMEMBER_COOKIE_REFRESH_EACH_REQUEST"] = True
    browser = site.browser()
    await browser.get("/in/2?remember=1")
    header = {"Authorization": f"Bearer {await token_of(site)}"}
    for _ in range(2):
        for path in ("/me", "/private"):
            answer = await browser.get(path, headers=header)
            assert answer.text.endswith("user 1") and answer.set_cookies == []
        browser.close()
    answer = await browser.get("/me", headers={"Authorization": "Bearer qlt_junk.junk"})
    assert answer == (200, "anonymous") and answer.set_cookies == []
    assert await browser.get("/me") == (200, "user 2")


async def test_p7_another_users_data_are_not_shown_beside_a_token(site: Site) -> None:
    @site.route("/secret", guard="login_required")
    async def secret() -> str:
        return f"{site.lib.current_user.name}: {site.web.session.get('secret')}"

    browser = site.browser()
    await browser.get("/in/2")
    await browser.get("/put/secret/x")
    header = {"Authorization": f"Bearer {await token_of(site)}"}
    assert await browser.get("/secret", headers=header) == (200, "user 1: None")
    assert await browser.get("/secret") == (200, "user 2: x")


async def test_p7_what_is_written_beside_anothers_session_leaves_that_as_it_is(site: Site) -> None:
    @site.route("/write", guard="login_required")
    async def write() -> str:
        site.web.session["x"] = site.lib.current_user.name
        return "written"

    browser = site.browser()
    await browser.get("/in/2")
    await browser.get("/put/secret/x")
    before = dict(browser.session())
    header = {"Authorization": f"Bearer {await token_of(site)}"}
    answer = await browser.get("/write", headers=header)
    assert answer == (200, "written") and answer.set_cookies == []
    assert browser.session() == before
    assert await browser.get("/private") == (200, "private of user 2")


@pytest.mark.parametrize("whose", [1, 2, None])
async def test_a_permanent_session_is_not_renewed_beside_a_token(
    site: Site, whose: int | None
) -> None:
    @site.route("/stay")
    async def stay() -> str:
        site.web.session.permanent = True
        return "stays"

    browser = site.browser()
    if whose is not None:
        await browser.get(f"/in/{whose}")
    await browser.get("/stay")
    header = {"Authorization": f"Bearer {await token_of(site)}"}
    for path in ("/me", "/private"):
        answer = await browser.get(path, headers=header)
        assert (answer.status, answer.set_cookies) == (200, []), path
    assert (await browser.get("/me")).set_cookies != []


@pytest.mark.parametrize("sent", ["Bearer eyJ.x.y", "Bearer", "Bearer a, Bearer b"])
async def test_a_proxy_s_token_keeps_no_browser_from_the_login_page(site: Site, sent: str) -> None:
    site.manager.login_view = "/login"
    browser = site.browser(Authorization=sent, Accept="text/html,*/*;q=0.8")
    assert (await browser.get("/private")).status == 302
    program = site.browser(Authorization=sent)
    answer = await program.get("/private")
    assert answer.status in (400, 401) and "error=" in challenges(answer)[0]


async def test_a_token_is_not_judged_by_session_protection(make_site: Any) -> None:
    site = add_tokens(make_site({"SESSION_PROTECTION": "strong"}))
    browser = site.browser()
    await browser.get("/in/1")
    header = {"Authorization": f"Bearer {await token_of(site)}", "User-Agent": "another"}
    with site.hearing("session_protected") as heard:
        assert await browser.get("/private", headers=header) == (200, "private of user 1")
    assert heard == []
    assert await browser.get("/private") == (200, "private of user 1")


async def test_a_token_is_never_fresh(site: Site) -> None:
    client = bearing(site, await token_of(site))
    assert await client.get("/is-fresh") == (200, "False")
    assert await client.get("/confirm") == (200, "confirmed")
    answer = await client.get("/very")
    assert (answer.status, answer.location) == (401, None)
    assert challenges(answer)[0].startswith(
        'Bearer realm="login", error="insufficient_user_authentication"'
    )


async def test_logging_out_under_a_token_ends_the_browsers_login_and_not_the_token(
    site: Site,
) -> None:
    header = {"Authorization": f"Bearer {await token_of(site)}"}
    browser = site.browser()
    await browser.get("/in/1?remember=1")
    assert await browser.get("/out", headers=header) == (200, "True")
    assert browser.session().get("_user_id") is None and "remember_token" not in browser.jar
    assert await browser.get("/me") == (200, "anonymous")
    assert await browser.get("/me", headers=header) == (200, "user 1")


async def test_a_view_may_give_a_session_for_a_token(site: Site) -> None:
    browser = site.browser()
    header = {"Authorization": f"Bearer {await token_of(site)}"}
    assert await browser.get("/in/1?remember=1", headers=header) == (200, "True")
    assert await browser.get("/private") == (200, "private of user 1")
    browser.close()
    assert await browser.get("/me") == (200, "user 1")


async def test_a_receiver_hears_of_the_user(site: Site) -> None:
    client = bearing(site, await token_of(site))
    with site.hearing("user_loaded_from_request", "user_loaded_from_cookie") as heard:
        await client.get("/private")
    assert [(name, extra["user"].id) for name, extra in heard] == [("user_loaded_from_request", 1)]


# --- until when ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lifetime", [90, timedelta(seconds=90)])
async def test_a_token_ends(make_site: Any, lifetime: Any) -> None:
    site = add_tokens(make_site({"LOGIN_TOKEN_LIFETIME": lifetime}))
    client = bearing(site, await token_of(site))
    site.clock.advance(seconds=89)
    assert (await client.get("/private")).status == 200
    site.clock.advance(seconds=1)
    with site.hearing("credential_rejected") as heard:
        answer = await client.get("/private")
    assert answer.status == 401 and answer.set_cookies == []
    assert challenges(answer) == [
        'Bearer realm="login", error="invalid_token", error_description="The token has expired"'
    ]
    assert [extra["reason"] for _, extra in heard] == ["expired"]


async def test_p12_a_clock_that_jumps_back_gives_no_token_a_longer_life(site: Site) -> None:
    client = bearing(site, await token_of(site))
    site.clock.advance(hours=-2)
    assert await client.get("/me") == (200, "anonymous")


async def test_a_token_ends_with_the_users_epoch(site: Site) -> None:
    user = site.users[1] = Versioned(1)
    client = bearing(site, await token_of(site))
    assert await client.get("/me") == (200, "user 1")
    user.version = 2
    with site.hearing("credential_rejected") as heard:
        assert await client.get("/me") == (200, "anonymous")
    assert [extra["reason"] for _, extra in heard] == ["epoch_changed"]


async def test_a_token_ends_with_its_user(site: Site) -> None:
    client = bearing(site, await token_of(site))
    site.users[1].active = False
    assert await client.get("/me") == (200, "anonymous")
    del site.users[1]
    assert await client.get("/me") == (200, "anonymous")


async def test_p20_fallback_keys_verify_and_removed_ones_do_not(make_site: Any) -> None:
    token = await token_of(add_tokens(make_site({"SECRET_KEY": OLD_KEY})))
    site = make_site({"SECRET_KEY_FALLBACKS": [OLD_KEY]})
    assert await bearing(site, token).get("/me") == (200, "user 1")
    assert await bearing(make_site(), token).get("/me") == (200, "anonymous")


async def test_013_a_token_of_another_audience_is_nobodys(make_site: Any) -> None:
    token = await token_of(add_tokens(make_site({"LOGIN_AUDIENCE": "shop"})))
    for audience, name in (("shop", "user 1"), ("office", "anonymous"), (None, "anonymous")):
        site = make_site({"LOGIN_AUDIENCE": audience})
        assert await bearing(site, token).get("/me") == (200, name)


async def test_013_a_token_of_one_realm_is_nothing_in_another(make_site: Any) -> None:
    site = add_tokens(make_site())
    staff = site.lib.LoginManager(site.app, name="staff")
    staff.clock = site.clock
    staff.user_loader(site.load_user)

    @site.route("/both")
    async def both() -> str:
        names = [
            user.name for user in (site.lib.current_user, staff.current_user) if user.is_active
        ]
        return ", ".join(names) or "nobody"

    @site.route("/staff-token")
    async def staff_token() -> str:
        return str(staff.issue_token(site.users[2]))

    ours, theirs = await token_of(site), (await site.browser().get("/staff-token")).text
    with site.hearing("credential_rejected") as heard:
        assert await bearing(site, ours).get("/both") == (200, "user 1")
        assert await bearing(site, theirs).get("/both") == (200, "user 2")
    assert heard == []


# --- what is none --------------------------------------------------------------------------------


async def test_who_sends_a_bad_token_is_refused_and_public_pages_are_shown(site: Site) -> None:
    site.manager.login_view = "login"
    client = bearing(site, "qlt_junk.junk")
    assert await client.get("/public") == (200, "public")
    assert await client.get("/me") == (200, "anonymous")
    answer = await client.get("/private")
    assert (answer.status, answer.location, answer.set_cookies) == (401, None, [])
    assert challenges(answer) == [
        'Bearer realm="login", error="invalid_token", error_description="The token is not valid"'
    ]
    assert site.loads == []


async def test_who_sends_none_is_told_no_error(site: Site) -> None:
    answer = await site.browser().get("/private")
    assert answer.status == 401 and challenges(answer) == ['Bearer realm="login"']


async def test_the_realm_is_the_applications_to_name(make_site: Any) -> None:
    site = make_site({"LOGIN_REALM": 'the "shop"'})
    answer = await site.browser().get("/private")
    assert challenges(answer) == [r'Bearer realm="the \"shop\""']


@pytest.mark.parametrize("realm", ["", "zoë", "a\r\nb", 7])
def test_a_realm_that_cannot_be_told_is_an_error_at_set_up(make_site: Any, realm: Any) -> None:
    with pytest.raises(RuntimeError, match="LOGIN_REALM"):
        make_site({"LOGIN_REALM": realm})


@pytest.mark.parametrize("lifetime", [0, -1, "1 h"])
def test_a_life_that_cannot_be_is_an_error_at_set_up(make_site: Any, lifetime: Any) -> None:
    with pytest.raises(RuntimeError, match="LOGIN_TOKEN_LIFETIME"):
        make_site({"LOGIN_TOKEN_LIFETIME": lifetime})


@pytest.mark.parametrize("joint", [b", ", b",", b" "])
async def test_two_tokens_are_none(site: Site, joint: bytes) -> None:
    one = b"Bearer " + (await token_of(site)).encode()
    assert await send_raw(site, "/me", [(b"Authorization", one)]) == (200, "user 1")
    for headers in (
        [(b"Authorization", one), (b"Authorization", one)],
        [(b"Authorization", one), (b"authorization", b"Basic abc")],
        [(b"Authorization", b"Basic abc"), (b"authorization", one)],
        [(b"Authorization", one + joint + one)],
    ):
        assert await send_raw(site, "/me", headers) == (200, "anonymous")
        answer = await send_raw(site, "/private", headers)
        assert answer.status == 400
        assert 'error="invalid_request"' in challenges(answer)[0]


async def test_another_kind_of_token_is_the_request_loaders(site: Site) -> None:
    client = bearing(site, "eyJ.a.b")
    with site.hearing("credential_rejected") as heard:
        assert await client.get("/me") == (200, "anonymous")
    assert [extra["reason"] for _, extra in heard] == ["bad_signature"]

    @site.manager.request_loader
    def by_header(request: Any) -> Any:
        return site.users[2] if request.headers["Authorization"] == "Bearer eyJ.a.b" else None

    with site.hearing("credential_rejected") as heard:
        assert await client.get("/private") == (200, "private of user 2")
        assert await bearing(site, "other").get("/me") == (200, "anonymous")
    assert heard == []


async def test_a_loader_that_raises_is_told_and_public_pages_are_shown(site: Site) -> None:
    client = bearing(site, await token_of(site))

    async def broken(user_id: Any) -> Any:
        raise LookupError(user_id)

    site.find = broken  # type: ignore[method-assign]
    assert await client.get("/public") == (200, "public")
    assert await client.get("/me") == (200, "anonymous")
    assert (await client.get("/private")).status == 500


# --- P1 and P2 -----------------------------------------------------------------------------------


async def assert_nobodys(site: Site, value: bytes) -> None:
    """Assert that *value* is the ``Authorization`` header of nobody, and does no harm."""
    headers = [(b"Authorization", value)]
    assert await send_raw(site, "/me", headers) == (200, "anonymous")
    answer = await send_raw(site, "/private", headers)
    assert answer.status in (400, 401) and answer.set_cookies == []


async def credentials_of(site: Site) -> dict[str, str]:
    """Return every kind of credential that *site* issues to user 1."""
    browser = site.browser()
    await browser.get("/in/1?remember=1")
    return {**browser.jar, "token": await token_of(site)}


async def test_017_no_position_of_a_token_can_be_flipped_or_cut(site: Site) -> None:
    token = await token_of(site)
    for position in range(len(token)):
        flipped = chr(ord(token[position]) ^ 1)
        await assert_nobodys(
            site, f"Bearer {token[:position]}{flipped}{token[position + 1 :]}".encode()
        )
        await assert_nobodys(site, f"Bearer {token[:position]}".encode())
    assert site.loads == []


async def test_012_no_credential_counts_in_anothers_place(site: Site) -> None:
    own = await credentials_of(site)
    for name in ("session", "remember_token"):
        await assert_nobodys(site, f"Bearer {own[name]}".encode())
        await assert_nobodys(site, f"Bearer qlt_{own[name]}".encode())
    for name in ("session", "remember_token"):
        for value in (own["token"], own["token"].removeprefix("qlt_")):
            browser = site.browser()
            browser.jar[name] = value
            assert await browser.get("/me") == (200, "anonymous")
    assert site.loads == []


def resigned(key: str, salt: str) -> str:
    return "qlt_" + sign([1, 1_800_000_000, 1_900_000_000, None], Keys(key), salt)


async def test_p1_nothing_that_is_signed_otherwise_counts(site: Site) -> None:
    for salt in (REMEMBER_SALT, "", "cookie-session", f"{SALT}|", f"{SALT}|None"):
        await assert_nobodys(site, f"Bearer {resigned(KEY, salt)}".encode())
    await assert_nobodys(site, f"Bearer {resigned(OLD_KEY, SALT)}".encode())
    assert await bearing(site, resigned(KEY, SALT)).get("/me") == (200, "user 1")


def mutations(one: str, other: str) -> Any:
    """Return a strategy of changes to the token *one*."""
    places = st.integers(0, len(one) - 1)

    def flip(place: int, bit: int) -> bytes:
        raw = bytearray(one.encode())
        raw[place] ^= 1 << bit
        return bytes(raw)

    def join(parts: Iterable[str]) -> bytes:
        return "".join(parts).encode()

    return st.one_of(
        st.builds(flip, places, st.integers(0, 7)),
        st.builds(lambda a, b: join((one[:a], other[b:])), places, places),
        st.builds(lambda a, b: join((one[:a], one[b:])), places, places),
        st.builds(lambda a, text: join((one[:a], text, one[a:])), places, st.text(max_size=5)),
        st.builds(lambda a: join((one[:a].swapcase(), one[a:])), places),
        st.sampled_from([one.upper().encode(), one.lower().encode(), one[::-1].encode()]),
    )


@pytest.mark.parametrize("name", list(SITES))
@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_p1_no_change_of_a_token_authenticates(name: str, data: Any) -> None:
    site = add_tokens(SITES[name]())
    one, other = await token_of(site, 1), await token_of(site, 2)
    changed = data.draw(mutations(one, other)).translate(None, NO_HEADER_HAS)
    if changed not in (one.encode(), other.encode()):
        headers = [(b"Authorization", b"Bearer " + changed)]
        answer = await send_raw(site, "/me", headers)
        assert answer == (200, "anonymous"), changed
        assert (await send_raw(site, "/private", headers)).status in (400, 401)


JUNK = st.binary(max_size=120).map(lambda raw: raw.translate(None, NO_HEADER_HAS))

SCHEMES = st.sampled_from([b"Bearer ", b"bearer", b"Basic ", b"Bearer qlt_", b"Digest ", b"", b","])


@pytest.mark.parametrize("name", list(SITES))
@given(values=st.lists(st.tuples(SCHEMES, JUNK), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
async def test_p2_no_bytes_in_the_header_do_harm(name: str, values: Any) -> None:
    site = SITES[name]()
    site.manager.verify_password(lambda username, password: None)
    headers = [(b"Authorization", scheme + junk) for scheme, junk in values]
    assert await send_raw(site, "/me", headers) == (200, "anonymous")
    answer = await send_raw(site, "/private", headers)
    assert answer.status in (400, 401) and answer.set_cookies == []
    assert site.loads == []


@pytest.mark.parametrize("size", [9_000, 64 * 1024, 1024 * 1024])
async def test_p2_a_huge_header_is_refused_before_anything_is_hashed(
    site: Site, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quart_login._core import tokens

    def signer(*args: Any) -> Any:
        raise AssertionError("hashed")

    monkeypatch.setattr(tokens, "_signer", signer)
    site.manager.verify_password(lambda username, password: signer())
    for scheme in (b"Bearer qlt_", b"Basic ", b"Bearer "):
        await assert_nobodys(site, scheme + b"a" * size)
