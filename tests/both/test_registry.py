"""What a registry of login sessions gives its users: seen, ended and counted logins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from registry import CountingStore, copy, logged_in, registered
from sites import Browser, Site, User

import flask_compat
import quart_login


@pytest.fixture
def site(make_site: Any) -> Any:
    return registered(make_site)


def id_of(browser: Browser) -> str:
    """Return the id of the login session of *browser*."""
    return str(browser.session()["_login_session"])[:22]


async def outside(site: Site, name: str, *args: Any, **options: Any) -> Any:
    """Call the function *name* where there is an application and no request: in a job, say."""
    if site.web.__name__ == "flask":
        with site.app.app_context():
            return getattr(site.lib, name)(*args, **options)
    async with site.app.app_context():
        return await getattr(site.lib, name)(*args, **options)


async def listed(site: Site, user: Any) -> list[Any]:
    found: list[Any] = await outside(site, "list_sessions", user)
    return found


# --- seen ----------------------------------------------------------------------------------------


async def test_a_user_sees_what_is_known_of_each_login(site: Any) -> None:
    phone = site.browser(**{"User-Agent": "phone\x1b[31m\u202e" * 100})
    await phone.get("/in/1?remember=1")
    site.clock.advance(minutes=5)
    laptop = await logged_in(site, "/in/1?fresh=0")
    site.clock.advance(minutes=5)
    await phone.get("/me")
    first, second = await listed(site, 1)
    assert (first.id, second.id) == (id_of(phone), id_of(laptop))
    assert (first.created, first.seen) == (site.clock() - 600, site.clock())
    assert (first.fresh_since, second.fresh_since) == (site.clock() - 600, None)
    assert (first.method, second.method) == ("password", "")
    assert (first.remembered, second.remembered) == (True, False)
    assert first.agent.startswith("phone") and first.agent.isprintable()
    assert len(first.agent) <= 512
    assert first.address and not first.current
    assert first.expires >= site.clock() + 364 * 86_400
    assert second.expires == second.created + 30 * 86_400


async def test_the_application_says_how_a_login_was_made(site: Any) -> None:
    @site.route("/passkey")
    async def passkey() -> str:
        return str(await site.call(site.manager.login_user, site.users[1], method="passkey"))

    await logged_in(site, "/passkey")
    assert [one.method for one in await listed(site, 1)] == ["passkey"]


async def test_what_is_listed_holds_no_secret(site: Any) -> None:
    browser = await logged_in(site, "/in/1?remember=1")
    [login] = site.manager.sessions.all()
    [shown] = await listed(site, site.users[1])
    for text in (repr(shown), str(vars(shown)) if hasattr(shown, "__dict__") else repr(shown)):
        for secret in (login.digest, login.remember, browser.session()["_login_session"][23:]):
            assert secret not in text
    assert not hasattr(shown, "digest") and not hasattr(shown, "remember")


async def test_logins_that_are_over_are_not_listed(site: Any) -> None:
    await logged_in(site)
    site.clock.advance(days=31)
    await logged_in(site)
    assert len(site.manager.sessions.all()) == 2
    assert len(await listed(site, 1)) == 1
    assert await outside(site, "purge_sessions") == 1
    assert len(site.manager.sessions.all()) == 1


async def test_purging_logs_nobody_out(site: Any) -> None:
    browser, remembered = await logged_in(site), await logged_in(site, "/in/2?remember=1")
    site.clock.advance(days=29)
    assert await outside(site, "purge_sessions") == 0
    site.clock.advance(days=2)
    remembered.close()
    assert await outside(site, "purge_sessions") == 1
    assert await browser.get("/me") == (200, "anonymous")
    assert await remembered.get("/me") == (200, "user 2")


async def test_seen_is_noted_once_a_minute(site: Any) -> None:
    """P24: at most one read for each request, and one write for each minute."""
    browser = await logged_in(site)
    store = site.manager.sessions
    store.asked.clear()
    for second in range(0, 240, 10):
        assert await browser.get("/private") == (200, "private of user 1")
        assert store.asked["get"] == second // 10 + 1
        site.clock.advance(seconds=10)
    assert set(store.asked) == {"get", "touch"}
    assert store.asked["touch"] == 3


async def test_a_public_page_that_asks_for_nobody_costs_nothing_in_flask_and_a_read_in_quart(
    site: Any,
) -> None:
    browser = await logged_in(site)
    site.manager.sessions.asked.clear()
    for _ in range(5):
        assert await browser.get("/public") == (200, "public")
    quart = site.web.__name__ == "quart"
    assert dict(site.manager.sessions.asked) == ({"get": 5} if quart else {})


# --- ended ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["itself", "another", "the user", "a job", "a job for all"])
async def test_p5_a_login_that_was_revoked_is_good_for_nothing_more(site: Any, by: str) -> None:
    browser, other = [await logged_in(site, "/in/1?remember=1") for _ in range(2)]
    copies = [copy(browser, *names) for names in ((), ("session",), ("remember_token",))]
    id = id_of(browser)
    with site.hearing("login_session_ended") as heard:
        if by == "itself":
            assert await browser.get(f"/revoke/{id}") == (200, "True")
            assert browser.jar == {}
        elif by == "another":
            assert await other.get(f"/revoke/{id}") == (200, "True")
        elif by == "the user":
            assert await other.get("/revoke-others") == (200, "1")
        elif by == "a job":
            assert await outside(site, "revoke_session", id, user=1) is True
        else:
            assert await outside(site, "revoke_user", site.users[1]) == 2
    assert [extra["reason"] for _, extra in heard] == ["revoked"] * len(heard)
    assert id in [extra["session_id"] for _, extra in heard]
    for one in copies:
        assert await one.get("/private") != (200, "private of user 1")
        assert await one.get("/me") == (200, "anonymous")
    name = "anonymous" if by == "a job for all" else "user 1"
    assert await other.get("/me") == (200, name)


async def test_who_ends_their_own_login_is_logged_out_at_once(site: Any) -> None:
    @site.route("/end/<way>")
    async def end(way: str) -> str:
        assert site.lib.current_user.is_authenticated
        if way == "session":
            [login] = await site.call(site.lib.list_sessions)
            assert login.current
            assert await site.call(site.lib.revoke_session, login.id)
        else:
            assert await site.call(site.lib.revoke_user, site.lib.current_user) == 1
        return f"{site.lib.current_user.is_authenticated} {site.lib.login_decision().reason}"

    for way in ("session", "user"):
        browser = await logged_in(site, "/in/1?remember=1")
        assert await browser.get(f"/end/{way}") == (200, "False logged_out")
        assert browser.jar == {}


@pytest.mark.parametrize(
    "id",
    [
        *("", "x", "a" * 22, "a" * 21, "a" * 23, "%00" * 22, "\u00e9" * 22, "{}" * 11, "*" * 22),
        *("..%2F" * 8, "%0d%0a" * 11, "!1" + "a" * 20),
    ],
)
async def test_an_id_from_a_form_may_be_anything(site: Any, id: str) -> None:
    """The views take it as it comes: junk is False, asks no store, and is no error."""

    @site.route("/revoke-form", guard="login_required")
    async def revoke_form() -> str:
        return str(await site.call(site.lib.revoke_session, site.args().get("id")))

    browser = await logged_in(site)
    store = site.manager.sessions
    store.asked.clear()
    assert await browser.get(f"/revoke-form?id={quote(id, safe='%')}") == (200, "False")
    assert store.asked["get"] == (2 if id == "a" * 22 else 1)
    assert await browser.get("/revoke-form") == (200, "False")
    assert await browser.get("/me") == (200, "user 1")


async def test_nobody_sees_or_ends_another_s_login(site: Any) -> None:
    mine, others = await logged_in(site, "/in/1"), await logged_in(site, "/in/2")
    assert id_of(others) not in (await mine.get("/sessions")).text
    assert await mine.get(f"/revoke/{id_of(others)}") == (200, "False")
    assert await mine.get("/revoke-others") == (200, "0")
    assert await others.get("/me") == (200, "user 2")
    assert await outside(site, "revoke_session", id_of(others), user=1) is False
    assert await others.get("/me") == (200, "user 2")


@pytest.mark.parametrize("function", ["list_sessions", "revoke_other_sessions"])
async def test_whose_logins_are_meant_must_be_said_where_nobody_is_logged_in(
    site: Any, function: str
) -> None:
    @site.route("/whose")
    async def whose() -> str:
        try:
            await site.call(getattr(site.lib, function))
        except site.lib.OutOfPlace as error:
            return str(error)
        return "nothing"

    assert "user=" in (await site.browser().get("/whose")).text
    with pytest.raises(quart_login.OutOfPlace):
        await outside(site, function)


async def test_without_a_registry_it_says_what_is_missing(make_site: Any) -> None:
    site = make_site()
    for function, args in (("list_sessions", (1,)), ("revoke_user", (1,)), ("purge_sessions", ())):
        with pytest.raises(quart_login.ConfigurationError, match="sessions="):
            await outside(site, function, *args)


@pytest.mark.parametrize("how", ["gone", "inactive", "recreated"])
@pytest.mark.parametrize("names", [("session",), ("remember_token",)])
async def test_a_user_who_may_not_log_in_loses_all_logins_at_first_sight(
    site: Any, how: str, names: tuple[str, ...]
) -> None:
    """ASVS 7.4.2; and they do not come back with the user."""
    user: Any = site.users[1]
    user.session_epoch = "first"
    browsers = [await logged_in(site, "/in/1?remember=1") for _ in range(3)]
    stranger = await logged_in(site, "/in/2")
    if how == "gone":
        del site.users[1]
    elif how == "inactive":
        user.active = False
    else:
        site.users[1] = User(1)
        site.users[1].session_epoch = "second"
    assert await copy(browsers[0], *names).get("/me") == (200, "anonymous")
    site.users[1], user.active = user, True
    left = 0 if how != "recreated" else 2
    assert len(await listed(site, 1)) == left
    expected = ["anonymous"] + ["anonymous" if not left else "user 1"] * 2
    for browser, name in zip(browsers, expected, strict=True):
        assert await browser.get("/me") == (200, name)
    assert await stranger.get("/me") == (200, "user 2")


# --- how many ------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 2, 5])
async def test_at_the_maximum_the_longest_unseen_login_ends(make_site: Any, most: int) -> None:
    site = registered(make_site, {"LOGIN_MAX_SESSIONS": most})
    browsers = []
    stranger = await logged_in(site, "/in/2")
    for _ in range(most + 3):
        site.clock.advance(seconds=61)
        browsers.append(await logged_in(site, "/in/1?remember=1"))
        assert len(await listed(site, 1)) <= most
    alive = [await browser.get("/me") == (200, "user 1") for browser in browsers]
    assert alive == [False] * 3 + [True] * most
    assert await stranger.get("/me") == (200, "user 2")


async def test_at_the_maximum_another_login_is_refused(make_site: Any) -> None:
    site = registered(make_site, {"LOGIN_MAX_SESSIONS": 2, "LOGIN_MAX_SESSIONS_REACHED": "refuse"})
    one, other = await logged_in(site), await logged_in(site)
    third = site.browser()
    with site.hearing("user_logged_in") as heard:
        assert await third.get("/in/1?remember=1") == (200, "False")
    assert heard == [] and third.jar == {}
    assert await third.get("/me") == (200, "anonymous")
    # Who has a login may log in anew, in its place; and who leaves makes room.
    assert await one.get("/in/1") == (200, "True")
    assert len(await listed(site, 1)) == 2
    await other.get("/out")
    assert await third.get("/in/1") == (200, "True")
    site.clock.advance(days=31)  # Nor does what is over count.
    assert await other.get("/in/1") == (200, "True")


async def test_why_a_login_was_refused_can_be_told(make_site: Any) -> None:
    site = registered(make_site, {"LOGIN_MAX_SESSIONS": 1, "LOGIN_MAX_SESSIONS_REACHED": "refuse"})

    @site.route("/try")
    async def try_it() -> str:
        assert not await site.login_user(site.users[1])
        return str(site.lib.login_decision().reason)

    await logged_in(site)
    assert await site.browser().get("/try") == (200, "too_many_sessions")


@pytest.mark.parametrize("reached", ["end_oldest", "refuse"])
async def test_a_browser_that_logs_in_twice_at_once_gets_no_more_than_the_maximum(
    make_site: Any, reached: str
) -> None:
    """Two requests of one browser: each would make the room that its login before leaves."""
    config = {"LOGIN_MAX_SESSIONS": 1, "LOGIN_MAX_SESSIONS_REACHED": reached}
    site = registered(make_site, {**config, "LOGIN_STORE_TIMEOUT": None})
    browser = await logged_in(site)
    second = copy(browser)
    store: CountingStore = site.manager.sessions

    async def meanwhile(when: str, name: str) -> None:
        if (when, name) == ("after", "get"):
            store.meanwhile = None
            site.clock.advance(seconds=1)
            assert await second.get("/in/1") == (200, "True")

    store.meanwhile = meanwhile
    await browser.get("/in/1")
    names = [(await one.get("/me")).text for one in (browser, second)]
    assert names.count("user 1") == len(await listed(site, 1)) == 1


# --- freshness -----------------------------------------------------------------------------------


async def test_a_view_may_ask_for_a_password_of_its_own_age(site: Any) -> None:
    @site.lib.fresh_login_required(max_age=timedelta(minutes=5))
    def transfer() -> str:
        return f"transfer of {site.lib.current_user.name}"

    site.app.add_url_rule("/transfer", "transfer", transfer, methods=["GET", "POST"])
    browser = await logged_in(site)
    site.clock.advance(seconds=300)
    assert await browser.get("/transfer") == (200, "transfer of user 1")
    site.clock.advance(seconds=1)
    for method in ("GET", "POST"):
        assert (await browser.open("/transfer", method=method)).status == 401
    assert await browser.get("/very") == (200, "very private of user 1")
    options = await browser.open("/transfer", method="OPTIONS")
    assert (options.status, options.text) == (200, "")  # the automatic answer, and not the view's
    await browser.get("/confirm")
    assert (await browser.open("/transfer", method="POST")).status == 200
    site.clock.advance(seconds=-400)  # A clock that jumped back makes nothing fresher.
    assert (await browser.get("/transfer")).status in (401, 302)


@pytest.mark.parametrize("max_age", ["5", object(), True, [300]])
async def test_an_age_that_is_none_is_a_mistake_at_set_up(site: Any, max_age: Any) -> None:
    with pytest.raises((quart_login.ConfigurationError, TypeError, ValueError)):
        site.lib.fresh_login_required(max_age=max_age)(lambda: "")


# --- ids -----------------------------------------------------------------------------------------

IDS = [
    *(1, 0, -7, 10**18, 2**63, 10**300, -(10**300)),
    *("1", "01", "#1", "#", "=1", "~a~b", "~", "!1", "!x", "!", "%00", "%"),
    *("\0", "a\0b", "\0" * 10, "a" * 200, "a|b;c,d \"e'", "zoë", "日本", "\n", " ", "None"),
    *("{1}", "*", "'; DROP TABLE x; --", "../../x", "\u202e", "\U0001f600", "a:b"),
]


@pytest.mark.parametrize("realm", [None, "staff"])
async def test_p16_every_id_comes_back_by_every_cookie_and_none_is_another_s(
    make_site: Any, realm: str | None
) -> None:
    site = registered(make_site)
    manager = site.manager
    if realm is not None:
        manager = site.lib.LoginManager(site.app, name=realm, sessions=site.manager.sessions)
        manager.clock = site.clock
    people = {index: User(id) for index, id in enumerate(IDS)}
    for index, user in people.items():
        user.name = f"[{index}]"

    async def find(user_id: Any) -> Any:
        assert any(
            user_id == user.id and type(user_id) is type(user.id) for user in people.values()
        )
        return next(u for u in people.values() if u.id == user_id and type(u.id) is type(user_id))

    site.find = find
    manager.user_loader(site.load_user)

    @site.route("/as/<int:index>")
    async def log_in_as(index: int) -> str:
        return str(await site.call(manager.login_user, people[index], remember=True))

    @site.route("/index")
    async def index() -> str:
        return str(getattr(manager.current_user, "name", "[]"))

    @site.route("/my")
    async def my() -> str:
        return " ".join(one.id for one in await site.call(manager.list_sessions))

    browsers = {index: await logged_in(site, f"/as/{index}") for index in people}
    for index, browser in browsers.items():
        assert await browser.get("/index") == (200, f"[{index}]")
        browser.close()
        assert await browser.get("/index") == (200, f"[{index}]")
        # Of an int and its text each sees the other's logins: they are one user to most loaders.
        alike = sum(str(one) == str(IDS[index]) for one in IDS)
        assert len((await browser.get("/my")).text.split()) == alike
    names = [login.user_id for login in site.manager.sessions.all()]
    assert len(set(names)) == len(IDS)
    assert not any("\0" in name for name in names)
    for index, user in people.items():  # One after the other, and no other one's.
        alike = [one for one in browsers if str(IDS[one]) == str(IDS[index])]
        if site.web.__name__ == "flask":
            with site.app.app_context():
                assert manager.revoke_user(user) == len(alike)
        else:
            async with site.app.app_context():
                assert await manager.revoke_user(user) == len(alike)
        for one in alike:
            assert await browsers.pop(one).get("/index") == (200, "[]")
        if index % 8 == 0:
            for left, browser in browsers.items():
                assert await browser.get("/index") == (200, f"[{left}]")


@pytest.mark.parametrize("user", [1, 2])
@pytest.mark.parametrize("path", ["/me", "/private", "/put/a/b"])
async def test_p15_session_and_remember_cookie_of_two_logins_are_nobody_s(
    site: Any, user: int, path: str
) -> None:
    """Also where both are the same user's: somebody has put them together."""
    one = await logged_in(site, "/in/1?remember=1")
    other = await logged_in(site, f"/in/{user}?remember=1")
    mixed = site.browser()
    mixed.jar = {**copy(one, "session").jar, **copy(other, "remember_token").jar}
    assert await copy(mixed).get("/me") == (200, "anonymous")
    assert (await copy(mixed).get("/private")).status == 401
    await mixed.get(path)
    assert await mixed.get("/me") == (200, "anonymous")
    assert await one.get("/me") == (200, "user 1")  # It ends neither.
    assert await other.get("/me") == (200, f"user {user}")


# --- realms --------------------------------------------------------------------------------------


def with_staff(make_site: Any, config: dict[str, Any] | None = None) -> tuple[Any, Any]:
    """Return a site, and the manager of another realm of it, with the same store and ids."""
    site = registered(make_site, config)
    staff = site.lib.LoginManager(site.app, name="staff", sessions=site.manager.sessions)
    staff.clock = site.clock
    people = {1: User(1), 2: User(2)}
    for user in people.values():
        user.name = f"staff {user.id}"

    async def find(user_id: Any) -> Any:
        return people.get(user_id)

    if site.web.__name__ == "flask":
        staff.user_loader(people.get)
    else:
        staff.user_loader(find)

    @site.route("/staff/in/<int:id>")
    async def log_in_staff(id: int) -> str:
        return str(await site.call(staff.login_user, people[id], remember=True))

    @site.route("/staff/out")
    async def log_out_staff() -> str:
        return str(await site.call(staff.logout_user))

    @site.route("/staff/me")
    async def staff_me() -> str:
        user = staff.current_user
        return str(user.name) if user.is_authenticated else "anonymous"

    @site.route("/staff/sessions")
    async def staff_sessions() -> str:
        return " ".join(one.id for one in await site.call(staff.list_sessions))

    @site.route("/staff/revoke/<id>")
    async def staff_revoke(id: str) -> str:
        return str(await site.call(staff.revoke_session, id))

    @site.route("/staff/revoke-others")
    async def staff_revoke_others() -> str:
        return str(await site.call(staff.revoke_other_sessions))

    return site, staff


async def test_realms_with_one_store_and_the_same_ids_never_mix(make_site: Any) -> None:
    site, _ = with_staff(make_site)
    browser = await logged_in(site, "/in/1?remember=1")
    assert await browser.get("/staff/me") == (200, "anonymous")
    assert await browser.get("/staff/in/1") == (200, "True")
    assert await browser.get("/me") == (200, "user 1")
    assert await browser.get("/staff/me") == (200, "staff 1")
    mine = (await browser.get("/sessions")).text.strip("*")
    theirs = (await browser.get("/staff/sessions")).text
    assert mine != theirs and " " not in mine + theirs
    assert await browser.get(f"/staff/revoke/{mine}") == (200, "False")
    assert await browser.get(f"/revoke/{theirs}") == (200, "False")
    assert await browser.get("/staff/revoke-others") == (200, "0")
    assert await browser.get("/revoke-others") == (200, "0")
    await site.browser().get("/revoke-user/1")
    assert await browser.get("/me") == (200, "anonymous")
    assert await browser.get("/staff/me") == (200, "staff 1")
    assert await browser.get("/staff/out") == (200, "True")
    assert await browser.get("/staff/me") == (200, "anonymous")


@pytest.mark.parametrize("audience", [None, "app"])
async def test_a_credential_of_one_realm_is_nothing_in_another(
    make_site: Any, audience: str | None
) -> None:
    """Spliced in every way, with the key that signs sessions known."""
    site, _ = with_staff(make_site, {} if audience is None else {"LOGIN_AUDIENCE": audience})
    customer, worker = (
        await logged_in(site, "/in/1?remember=1"),
        await logged_in(site, "/staff/in/1"),
    )
    mine, theirs = customer.session(), worker.session()
    for cookie, source in (("remember_token", worker), ("staff_remember_token", customer)):
        name = "staff_remember_token" if cookie == "remember_token" else "remember_token"
        spliced = site.browser()
        spliced.jar[cookie] = source.jar[name]
        assert await copy(spliced).get("/me") == (200, "anonymous")
        assert await copy(spliced).get("/staff/me") == (200, "anonymous")
    moved = {f"staff:{key}": value for key, value in mine.items() if key.startswith("_")}
    back = {key.removeprefix("staff:"): value for key, value in theirs.items()}
    proof = {"_login_session": theirs["staff:_login_session"]}
    for values in (moved, back, {**mine, **proof}, {**moved, "staff:_login_session": proof}):
        spliced = site.browser()
        spliced.set_session(**values)
        assert await copy(spliced).get("/me") == (200, "anonymous")
        assert await copy(spliced).get("/staff/me") == (200, "anonymous")
    assert await customer.get("/me") == (200, "user 1")
    assert await worker.get("/staff/me") == (200, "staff 1")


async def test_realms_count_their_logins_for_themselves(make_site: Any) -> None:
    site, _ = with_staff(make_site, {"LOGIN_MAX_SESSIONS": 1, "STAFF_LOGIN_MAX_SESSIONS": 2})
    customers = [await logged_in(site) for _ in range(2)]
    staff = [await logged_in(site, "/staff/in/1") for _ in range(2)]
    assert [(await one.get("/me")).text for one in customers].count("user 1") == 1
    assert [(await one.get("/staff/me")).text for one in staff].count("staff 1") == 2


# --- keys and audience ---------------------------------------------------------------------------


@pytest.mark.parametrize("names", [(), ("remember_token",)])
async def test_p20_keys_may_be_rotated_and_removed(site: Any, names: tuple[str, ...]) -> None:
    browser = copy(await logged_in(site, "/in/1?remember=1"), *names)
    old = copy(browser, "remember_token")
    key = site.app.config["SECRET_KEY"]
    site.app.config.update(SECRET_KEY="n" * 32, SECRET_KEY_FALLBACKS=[key])
    assert await browser.get("/me") == (200, "user 1")
    assert browser.jar["remember_token"] != old.jar["remember_token"]  # It is signed anew.
    site.app.config["SECRET_KEY_FALLBACKS"] = []
    with site.hearing("remember_theft_detected", "login_session_ended") as heard:
        assert await old.get("/me") == (200, "anonymous")
    assert old.jar == {} and heard == []
    for _ in range(2):
        browser.close()
        assert await browser.get("/me") == (200, "user 1")
    assert len(site.manager.sessions.all()) == 1


async def test_an_application_with_another_audience_takes_no_login_over(make_site: Any) -> None:
    """Two applications with one key and one store."""
    store = CountingStore()
    sites = [
        registered(make_site, {"LOGIN_AUDIENCE": audience}, sessions=store)
        for audience in ("shop", "wiki", None)
    ]
    for source in sites:
        browser = await logged_in(source, "/in/1?remember=1")
        for target in sites:
            for names in (("session",), ("remember_token",), ()):
                other = target.browser()
                other.jar = copy(browser, *names).jar
                expected = "user 1" if target is source else "anonymous"
                assert (await other.get("/me")).text == expected
                if names == ("remember_token",) and target is source:
                    browser.jar["remember_token"] = other.jar["remember_token"]
                    browser.jar["session"] = other.jar["session"]


def test_both_shells_offer_the_same_functions() -> None:
    for name in ("list_sessions", "revoke_session", "revoke_other_sessions", "revoke_user"):
        assert hasattr(flask_compat, name) and hasattr(quart_login, name)


@pytest.mark.parametrize("id", ["a" * 2048, "~" + "a" * 2046, "\0" * 700])
async def test_p16_an_id_too_long_for_a_store_is_refused_at_login(site: Any, id: str) -> None:
    """Not when a database finds it too long."""
    site.users["long"] = User(id)

    @site.route("/try")
    async def try_it() -> str:
        try:
            return str(await site.login_user(site.users["long"]))
        except site.lib.UnusableUser as error:
            return str(error)

    assert "too long" in (await site.browser().get("/try")).text
    assert site.manager.sessions.asked == {}


@pytest.mark.parametrize("later", [0, 60, 61, 3600])
async def test_a_browser_that_missed_its_new_proof_can_log_in_again(
    site: Any, later: float
) -> None:
    """A moment later the response may be on its way, and nothing is touched; then it is lost, and a
    browser that could keep no session would never get past the login form's own token.
    """

    @site.route("/write")
    async def write() -> str:
        site.web.session["seen"] = site.lib.current_user.is_authenticated
        return "written"

    browser = await logged_in(site)
    late = copy(browser)
    await browser.get("/confirm")
    site.clock.advance(seconds=later)
    answer = await late.get("/me")
    assert answer == (200, "anonymous")
    if later <= 60:
        assert answer.set_cookies == []
        assert (await late.get("/write")).set_cookies == []
    else:
        assert late.jar == {}
        await late.get("/put/csrf/token")
        assert await late.get("/get/csrf") == (200, "token")
    assert await browser.get("/me") == (200, "user 1")
    assert await late.get("/in/1") == (200, "True")
    assert await late.get("/me") == (200, "user 1")


# --- several realms in one session ---------------------------------------------------------------


@pytest.mark.parametrize("trigger", ["store down", "confirmed elsewhere", "token"])
@pytest.mark.parametrize("act", ["login", "logout"])
async def test_what_one_realm_does_is_kept_while_another_s_session_is_hidden(
    make_site: Any, trigger: str, act: str
) -> None:
    site = registered(make_site)
    staff = site.lib.LoginManager(site.app, name="staff")
    staff.user_loader(site.load_user)

    @site.route("/staff/in")
    async def staff_in() -> str:
        assert site.lib.current_user is not None
        return str(await site.call(staff.login_user, site.users[2]))

    @site.route("/staff/out")
    async def staff_out() -> str:
        assert site.lib.current_user.is_authenticated in (True, False)  # Flask looks only now.
        return str(await site.call(staff.logout_user))

    @site.route("/issued")
    async def issued() -> str:
        return str(site.lib.issue_token(site.users[2]))

    @site.route("/staff/me")
    async def staff_me() -> str:
        user = staff.current_user
        return user.name if user.is_authenticated else "anonymous"

    browser = await logged_in(site)
    if act == "logout":
        await browser.get("/staff/in")
    headers = {}
    if trigger == "store down":
        site.manager.sessions.before["get"] = OSError()
    elif trigger == "confirmed elsewhere":
        await copy(browser).get("/confirm")
    else:
        answer = await site.browser().get("/issued")
        assert answer.status == 200, answer.text
        headers["Authorization"] = f"Bearer {answer.text}"
    path = "/staff/in" if act == "login" else "/staff/out"
    assert await browser.get(path, headers=headers) == (200, "True")
    site.manager.sessions.before.clear()
    expected = "user 2" if act == "login" else "anonymous"
    assert await browser.get("/staff/me") == (200, expected)
