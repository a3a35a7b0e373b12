"""Who was logged in by Quart-Auth stays logged in.

The real Quart-Auth writes the cookies, in an application of its own with the same ``SECRET_KEY``,
and says which of them it would take.
"""

from __future__ import annotations

import string
import time
import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loops import Quart, asyncio, run
from quart import abort, send_from_directory
from quart_auth import Action, AuthUser, QuartAuth
from quart_auth import renew_login as renew_before
from sites import KEY, Browser, QuartSite, Site, User
from sockets import add_sockets, refusal
from werkzeug.http import parse_cookie

from quart_login import (
    ConfigurationError,
    LoginManager,
    Reason,
    list_sessions,
    load_user,
    login_exempt,
    revoke_user,
)
from quart_login._core.tokens import Keys, Token
from quart_login.quart_auth import adopt_quart_auth
from quart_login.stores.memory import MemoryStore

OLD_KEY = "fedcba9876543210fedcba9876543210"
MODES = ["eager", "on_demand"]

Set = Callable[..., str]


def before(**settings: Any) -> tuple[Quart, QuartAuth]:
    """Return an application as it was, and its extension."""
    app = Quart("before", static_folder=None)
    app.secret_key = KEY
    auth = QuartAuth(app, **settings)

    @app.get("/in/<kind>/<name>")
    async def enter(kind: str, name: str) -> str:
        auth_id: Any = int(name) if kind == "int" else name
        auth.login_user(AuthUser(auth_id, Action.WRITE))
        return "in"

    @app.get("/renewed")
    async def renewed() -> str:
        renew_before()
        return "renewed"

    return app, auth


async def set_cookie(path: str, **settings: Any) -> str:
    """Return the ``Set-Cookie`` with which Quart-Auth answers."""
    app, _ = before(**settings)
    response = await app.test_client().get(path, scheme="https")
    [line] = response.headers.getlist("Set-Cookie")
    return line


async def old_cookie(user_id: Any = 1, **settings: Any) -> dict[str, str]:
    """Return the cookie that Quart-Auth gives *user_id*."""
    kind = "int" if isinstance(user_id, int) else "str"
    line = await set_cookie(f"/in/{kind}/{quote(str(user_id))}", **settings)
    return dict(parse_cookie(line.split(";", 1)[0]))


@pytest.fixture(params=MODES)
def make(request: pytest.FixtureRequest, make_site: Any) -> Callable[..., Site]:
    """Return a function that makes the application as it is now, in each mode of loading."""

    def make(config: dict[str, Any] | None = None, store: Any = None, **options: Any) -> Site:
        site: Site = make_site({"LOGIN_LOAD_USER": request.param, **(config or {})}, sessions=store)
        site.clock.now = time.time()
        adopt_quart_auth(site.app, **options)

        @site.route("/who")
        async def who() -> str:
            user = await load_user()
            return user.name if user.is_authenticated else "anonymous"

        return site

    return make


async def visit(site: Site, cookies: dict[str, str]) -> Browser:
    browser = site.browser()
    browser.jar.update(cookies)
    return browser


# --- who comes back ------------------------------------------------------------------------------


@pytest.mark.parametrize("user_id", [1, "1", "zoë"])
async def test_a_user_is_logged_in_and_the_cookie_replaced(make: Any, user_id: Any) -> None:
    site = make()
    browser = await visit(site, await old_cookie(user_id))
    answer = await browser.get("/private")
    assert answer == (200, f"private of user {user_id}")
    assert set(browser.jar) == {"session"}
    assert site.loads == [str(user_id)]
    assert await browser.get("/private") == (200, f"private of user {user_id}")


async def test_the_cookie_is_removed_as_it_was_set(make: Any) -> None:
    said = {"cookie_domain": "localhost", "cookie_path": "/private", "cookie_samesite": "Strict"}
    line = await set_cookie("/in/str/1", **said)
    browser = await visit(make(**said), dict(parse_cookie(line.split(";", 1)[0])))
    gone = (await browser.get("/private")).cookie("QUART_AUTH")

    def attributes(line: str) -> set[str]:
        return {
            part for part in line.split("; ")[1:] if not part.startswith(("Expires", "Max-Age"))
        }

    assert gone is not None and attributes(gone) == attributes(line)


async def test_the_configuration_is_read_where_it_is_left(make: Any) -> None:
    said = {"cookie_name": "auth", "salt": "mine", "cookie_path": "/p", "cookie_secure": False}
    config = {f"QUART_AUTH_{key.upper()}": value for key, value in said.items()}
    browser = await visit(make(config), await old_cookie(**said))
    answer = await browser.get("/private")
    assert answer.status == 200
    assert "Path=/p" in str(answer.cookie("auth")) and "Secure" not in str(answer.cookie("auth"))


async def test_the_login_is_not_fresh(make: Any) -> None:
    browser = await visit(make(), await old_cookie())
    assert (await browser.get("/very")).status == 401
    assert await browser.get("/who") == (200, "user 1")
    await browser.get("/confirm")
    assert (await browser.get("/very")).status == 200


async def test_the_login_ends_with_the_browser_unless_the_application_remembers(make: Any) -> None:
    forgets = await visit(make(), await old_cookie())
    remembers = await visit(make(remember=True), await old_cookie())
    for browser, name in ((forgets, "anonymous"), (remembers, "user 1")):
        await browser.get("/private")
        browser.close()
        assert await browser.get("/who") == (200, name)


async def test_a_remembered_login_has_no_more_time_than_it_had(make: Any) -> None:
    site = make(remember=True, duration=1000)
    browser = await visit(site, await old_cookie(duration=1000))
    site.clock.advance(seconds=900)
    await browser.get("/private")
    for seconds, name in ((90, "user 1"), (20, "anonymous")):
        site.clock.advance(seconds=seconds)
        browser.close()
        assert await browser.get("/who") == (200, name)


async def test_an_older_key_is_read(make: Any) -> None:
    site = make({"SECRET_KEY": OLD_KEY, "SECRET_KEY_FALLBACKS": [KEY]})
    browser = await visit(site, await old_cookie())
    assert (await browser.get("/private")).status == 200


async def test_ids_may_be_numbers_now(make: Any) -> None:
    site = make(user_id=int)
    assert (await (await visit(site, await old_cookie("2"))).get("/private")).status == 200
    assert site.loads == [2]
    browser = await visit(site, await old_cookie("zoë"))
    assert (await browser.get("/private")).status == 401
    assert browser.jar == {}


async def test_another_realm_may_have_been_another_instance(make_site: Any) -> None:
    site = make_site()
    staff = LoginManager(site.app, name="staff")
    staff.user_loader(site.load_user)
    adopt_quart_auth(site.app, staff, cookie_name="STAFF", salt="staff")

    @site.route("/staff")
    async def who() -> str:
        user = staff.current_user
        return user.name if user.is_authenticated else "anonymous"

    old = await old_cookie(2, cookie_name="STAFF", salt="staff", singleton=False)
    browser = await visit(site, old)
    assert await browser.get("/me") == (200, "anonymous")
    assert await browser.get("/staff") == (200, "user 2")


# --- who does not --------------------------------------------------------------------------------


async def test_who_is_gone_or_locked_is_anonymous_and_the_cookie_removed(make: Any) -> None:
    for user_id in (3, 4):
        browser = await visit(make(), await old_cookie(user_id))
        assert (await browser.get("/private")).status == 401
        assert browser.jar == {}


async def test_the_cookie_that_strangers_were_given_is_removed(make: Any) -> None:
    line = await set_cookie("/renewed")
    browser = await visit(make(), dict(parse_cookie(line.split(";", 1)[0])))
    assert (await browser.get("/private")).status == 401
    assert browser.jar == {}


async def test_from_a_day_on_it_is_removed(make: Any) -> None:
    browser = await visit(make(until="2020-01-01"), await old_cookie())
    assert (await browser.get("/private")).status == 401
    assert browser.jar == {}


HOSTILE = [
    "",
    "junk",
    "a.b.c",
    ".a.b.c",
    "é.é.é",
    "1|" + 128 * "0",
    "\\342\\202\\254",
    "." * 4000,
    "A" * 8000,
    "eJwDAAAAAAE.AAAAAA." + 86 * "A",
    "IjEi.AAAAAA." + 86 * "A",
    "IjEi.____________________________." + 86 * "A",
    "IjEi..",
]


@pytest.mark.parametrize("value", HOSTILE)
async def test_junk_is_anonymous_and_removed(make: Any, value: str) -> None:
    browser = await visit(make(), {"QUART_AUTH": value})
    assert await browser.get("/who") == (200, "anonymous")
    assert browser.jar == {}
    assert (await browser.get("/private")).status == 401


# --- a loader that fails -------------------------------------------------------------------------


@pytest.mark.parametrize(("error", "status"), [(LookupError(), 500), (TimeoutError(), 503)])
async def test_a_loader_that_fails_logs_nobody_out(
    make: Any, error: Exception, status: int
) -> None:
    site = make()
    site.app.config["PROPAGATE_EXCEPTIONS"] = False
    old = await old_cookie()
    browser = await visit(site, old)

    @site.manager.user_loader
    async def broken(user_id: Any) -> Any:
        raise error

    assert (await browser.get("/private")).status == status
    assert await browser.get("/public") == (200, "public")
    assert browser.jar == old
    site.manager.user_loader(site.load_user)
    assert (await browser.get("/private")).status == 200


async def test_a_loader_may_say_503(make: Any) -> None:
    site = make()
    old = await old_cookie()
    browser = await visit(site, old)

    @site.manager.user_loader
    async def unavailable(user_id: Any) -> Any:
        abort(503)

    assert (await browser.get("/private")).status == 503
    assert browser.jar == old


# --- where it stands among the rest --------------------------------------------------------------


@pytest.mark.parametrize("first", [True, False])
async def test_it_comes_before_the_fence(make_site: Any, first: bool) -> None:
    site = make_site()
    site.manager.login_view = "login"
    if first:
        site.manager.require_login(site.app)
    adopt_quart_auth(site.app)
    if not first:
        site.manager.require_login(site.app)
    site.clock.now = time.time()
    browser = await visit(site, await old_cookie())
    assert await browser.get("/public") == (200, "public")
    assert await browser.get("/nowhere") == (404, (await browser.get("/nowhere")).text)
    assert (await site.browser().get("/public")).status == 302


async def test_the_applications_own_hooks_see_the_user(make_site: Any) -> None:
    site, seen = make_site(), []

    @site.app.before_request
    async def look() -> None:
        seen.append(site.lib.current_user.is_authenticated)

    adopt_quart_auth(site.app)
    site.clock.now = time.time()
    await (await visit(site, await old_cookie())).get("/public")
    assert seen == [True]


async def test_where_nobody_asks_on_demand_nothing_is_done(make_site: Any) -> None:
    site = make_site({"LOGIN_LOAD_USER": "on_demand"})
    adopt_quart_auth(site.app)
    old = await old_cookie()
    browser = await visit(site, old)
    assert await browser.get("/public") == (200, "public")
    assert (browser.jar, site.loads) == (old, [])


async def test_static_files_ask_nobody(make: Any, tmp_path: Any) -> None:
    site = make()
    (tmp_path / "a.txt").write_text("a")
    site.app.static_folder = str(tmp_path)

    @login_exempt
    async def static(filename: str) -> Any:
        return await send_from_directory(tmp_path, filename)

    site.app.add_url_rule("/static/<path:filename>", "static", static)
    old = await old_cookie()
    browser = await visit(site, old)
    assert (await browser.get("/static/a.txt")).status == 200
    assert (browser.jar, site.loads) == (old, [])


async def test_a_header_decides_alone(make: Any) -> None:
    site = make()

    @site.manager.verify_password
    async def verify(name: str, password: str) -> User | None:
        return site.users[2] if password == "right" else None

    old = await old_cookie()
    browser = await visit(site, old)
    for pair, status in (("eDpyaWdodA==", 200), ("eDp3cm9uZw==", 401)):
        answer = await browser.get("/private", headers={"Authorization": f"Basic {pair}"})
        assert answer.status == status
        assert browser.jar == old


async def test_a_websocket_waits_for_the_page(make: Any) -> None:
    site = add_sockets(make())
    browser = await visit(site, await old_cookie())
    assert await refusal(browser, "/private-socket") == 401
    await browser.get("/private")
    assert set(browser.jar) == {"session"}


async def test_a_logout_removes_it(make: Any) -> None:
    site = make(cookie_path="/private")
    browser = await visit(site, await old_cookie())
    await browser.get("/private")
    assert "QUART_AUTH=;" in str((await browser.get("/out")).cookie("QUART_AUTH"))
    fresh = await visit(site, await old_cookie())
    await fresh.get("/out")
    assert fresh.jar == {}


async def test_without_a_store_a_copy_stays_good_as_is_said(make: Any) -> None:
    site, old = make(), await old_cookie()
    browser, thief = await visit(site, old), await visit(site, old)
    await browser.get("/private")
    await browser.get("/out")
    assert (await thief.get("/private")).status == 200


async def test_a_login_takes_its_place(make: Any) -> None:
    browser = await visit(make(), await old_cookie(1))
    await browser.get("/in/2")
    assert set(browser.jar) == {"session"}
    assert await browser.get("/who") == (200, "user 2")


# --- with a store --------------------------------------------------------------------------------


async def test_with_a_store_it_is_one_login_however_many_requests_bring_it(make: Any) -> None:
    site = make(store=MemoryStore(), config={"LOGIN_STORE_TIMEOUT": None})
    site.route("/devices", guard="login_required")(_count)
    old = await old_cookie()
    browsers = [await visit(site, old) for _ in range(4)]
    answers = await asyncio.gather(*(browser.get("/private") for browser in browsers))
    assert [answer.status for answer in answers] == [200] * 4
    [winner] = [browser for browser in browsers if set(browser.jar) == {"session"}]
    assert await winner.get("/devices") == (200, "1")


async def _count() -> str:
    return str(len(await list_sessions()))


async def test_with_a_store_a_copy_ends_with_the_logout(make: Any) -> None:
    site, old = make(store=MemoryStore()), await old_cookie()
    browser, thief = await visit(site, old), await visit(site, old)
    await browser.get("/private")
    await browser.get("/out")
    assert (await thief.get("/private")).status == 401
    assert thief.jar == {}


async def test_with_a_store_it_is_one_cookie_however_its_signature_is_spelt(make: Any) -> None:
    """The last letter of a signature of 64 bytes stands for two bits: 16 letters are that one."""
    site, [(name, old)] = make(store=MemoryStore()), (await old_cookie()).items()
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    begins = letters.index(old[-1]) & ~15
    browser = await visit(site, {name: old})
    await browser.get("/private")
    await browser.get("/out")
    for letter in letters[begins : begins + 16]:
        thief = await visit(site, {name: old[:-1] + letter})
        assert (await thief.get("/private")).status == 401


async def test_with_a_store_who_is_revoked_does_not_come_back(make: Any) -> None:
    site = make(store=MemoryStore())
    browser = await visit(site, await old_cookie())
    site.clock.advance(seconds=5)
    async with site.app.app_context():
        await revoke_user(1)
    assert (await browser.get("/private")).status == 401


# --- as Quart-Auth itself would judge ------------------------------------------------------------

_IDS = st.one_of(st.text(max_size=30), st.integers(-(10**30), 10**30), st.none(), st.booleans())


def _changed(text: str, place: int, how: str, letter: str) -> str:
    at = place % (len(text) + 1)
    rest = {"insert": text[at:], "replace": text[at + 1 :], "delete": text[at + 1 :], "cut": ""}
    return text[:at] + (letter if how in ("insert", "replace") else "") + rest[how]


@given(
    auth_id=_IDS,
    salt=st.sampled_from(["quart auth salt", "mine"]),
    key=st.sampled_from([KEY, OLD_KEY, "some other key that is long"]),
    changes=st.lists(
        st.tuples(
            st.integers(0, 300),
            st.sampled_from(["insert", "replace", "delete", "cut"]),
            st.characters(codec="utf-8"),
        ),
        max_size=2,
    ),
)
def test_what_quart_auth_refuses_is_refused_and_what_it_takes_names_the_same(
    auth_id: Any, salt: str, key: str, changes: Any
) -> None:
    app, auth = before()
    app.config["SECRET_KEY_FALLBACKS"] = [OLD_KEY]
    writer, writing = before(salt=salt)
    writer.secret_key = key
    text = writing.dump_token(auth_id, writer)
    for change in changes:
        text = _changed(text, *change)
    ours = QuartSite()
    adopt_quart_auth(ours.app, user_id=lambda same: same)
    now = time.time()
    said = ours.manager.adopted.read(text, Keys(KEY, (OLD_KEY,)), now)
    try:
        theirs = auth.load_token(text, app)
    except Exception:  # It lets some junk be status 500.
        theirs = None
    if isinstance(said, Token):
        assert (said.user_id, type(said.user_id)) == (theirs, type(theirs))
    else:
        named = type(theirs) in (int, str) and theirs != ""
        assert not named or not text.isascii() or len(text) > 4096


@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=200))
def test_no_header_is_an_error(value: str) -> None:
    async def ask() -> None:
        site = QuartSite()
        adopt_quart_auth(site.app)
        sent = {"Cookie": f"QUART_AUTH={value}", "User-Agent": "x"}
        assert (await site.send("/me", "GET", sent)) == (200, "anonymous")

    run(ask())


# --- set-up --------------------------------------------------------------------------------------


def test_it_wants_a_manager() -> None:
    app = Quart("bare")
    with pytest.raises(ConfigurationError, match="has no LoginManager"):
        adopt_quart_auth(app)
    with pytest.raises(ConfigurationError, match="init_app"):
        adopt_quart_auth(app, LoginManager())
    LoginManager(app, name="staff")
    with pytest.raises(ConfigurationError, match="has a name"):
        adopt_quart_auth(app)


def test_it_wants_quart_auth_to_be_gone() -> None:
    app, _ = before()
    LoginManager(app)
    with pytest.raises(ConfigurationError, match="is still there"):
        adopt_quart_auth(app)
    adopt_quart_auth(app, cookie_name="FORMER")


def test_it_wants_a_name_of_its_own_and_is_not_half_there() -> None:
    app = Quart("names")
    app.config["REMEMBER_COOKIE_NAME"] = "QUART_AUTH"
    manager = LoginManager(app)
    with pytest.raises(ConfigurationError, match="and so is"):
        adopt_quart_auth(app)
    assert manager.adopted is None


def test_it_wants_cookies_from_before_the_store_to_count() -> None:
    app = Quart("store")
    app.config["LOGIN_ADOPT_REMEMBER_COOKIES"] = False
    LoginManager(app, sessions=MemoryStore())
    with pytest.raises(ConfigurationError, match="LOGIN_ADOPT_REMEMBER_COOKIES"):
        adopt_quart_auth(app)


def test_it_says_nothing_else(make: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        site = make()
    assert repr(site.manager.adopted) == "<QuartAuthCookie 'QUART_AUTH'>"
    assert Reason.LEGACY_ENDED == "legacy_ended"
