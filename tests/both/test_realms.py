"""Several managers in one application: customers (the default realm) and staff."""

from __future__ import annotations

from typing import Any

import pytest
from sites import Browser, Site, User

from quart_login import ConfigurationError

#: Staff have other objects under the same ids.
STAFF = {number: User(number) for number in (1, 2)}
for member in STAFF.values():
    member.name = f"staff {member.id}"


class Realms:
    """A site with a second manager."""

    def __init__(self, site: Site, **options: Any) -> None:
        self.site = site
        self.loads: list[Any] = []
        self.users = dict(STAFF)
        self.staff = site.lib.LoginManager(site.app, name="staff", **options)
        self.staff.clock = site.clock
        self.staff.login_view = "staff-login"
        self.staff.user_loader(self._load)
        self._add_views()

    def _load(self, user_id: Any) -> Any:
        self.loads.append(user_id)
        return self.users.get(int(user_id))

    def _add_views(self) -> None:
        site, staff = self.site, self.staff

        @site.route("/staff/in/<int:number>")
        async def staff_in(number: int) -> str:
            wants = "remember" in site.web.request.args
            return str(await site.call(staff.login_user, self.users[number], remember=wants))

        @site.route("/staff/out")
        async def staff_out() -> str:
            return str(await site.call(staff.logout_user))

        @site.route("/staff/confirm")
        async def staff_confirm() -> str:
            return str(await site.call(staff.confirm_login))

        @site.route("/staff/me")
        async def staff_me() -> str:
            return staff.current_user.name if staff.current_user.is_authenticated else "nobody"

        @site.route("/staff/fresh")
        async def staff_fresh() -> str:
            return f"{staff.login_fresh()} {staff.login_remembered()}"

        @site.route("/staff/login")
        async def staff_login() -> str:
            return "staff login"

        @site.route("/staff/template")
        async def template() -> str:
            return await site.render("{{ current_user.name }}, {{ current_staff.name }}")

        self._guard("private", staff.login_required)
        self._guard("very", staff.fresh_login_required)

    def _guard(self, name: str, guard: Any) -> None:
        async def view() -> str:
            return f"{name} of {self.staff.current_user.name}"

        view.__name__ = f"staff_{name}"
        self.site.app.add_url_rule(
            f"/staff/{name}", view_func=guard(self.site.colour(view)), methods=["GET"]
        )


@pytest.fixture
def realms(site: Site) -> Realms:
    return Realms(site)


async def who(browser: Browser) -> tuple[str, str]:
    return (await browser.get("/me")).text, (await browser.get("/staff/me")).text


async def test_each_realm_has_a_user_of_its_own(realms: Realms) -> None:
    browser = realms.site.browser()
    assert await browser.get("/staff/in/2") == (200, "True")
    assert (await who(browser))[1] == "staff 2"
    assert await browser.get("/staff/private") == (200, "private of staff 2")
    assert await browser.get("/staff/very") == (200, "very of staff 2")
    assert (await browser.get("/private")).status == 401
    await browser.get("/in/1")
    assert await who(browser) == ("user 1", "staff 2")
    assert await browser.get("/private") == (200, "private of user 1")
    assert await browser.get("/staff/template") == (200, "user 1, staff 2")


async def test_a_login_of_one_realm_is_nothing_in_another(realms: Realms) -> None:
    customer = realms.site.browser()
    await customer.get("/in/1?remember=1")
    realms.loads.clear()
    assert (await customer.get("/staff/private")).location == "/staff/login?next=%2Fstaff%2Fprivate"
    assert (await customer.get("/staff/me")).text == "nobody"
    assert realms.loads == []


async def test_a_remember_token_of_one_realm_is_forged_in_another(realms: Realms) -> None:
    mine, theirs = "remember_token", "staff_remember_token"
    browser = realms.site.browser()
    await browser.get("/in/1?remember=1")
    await browser.get("/staff/in/1?remember=1")
    for name, copied, page in ((theirs, mine, "/staff/me"), (mine, theirs, "/me")):
        thief = realms.site.browser()
        thief.jar[name] = browser.jar[copied]
        with realms.site.hearing("credential_rejected") as heard:
            assert (await thief.get(page)).text in ("nobody", "anonymous")
        assert [str(extra["reason"]) for _, extra in heard] == ["bad_signature"]
        assert name not in thief.jar


async def test_flask_logins_cookie_is_none_of_a_named_realm(realms: Realms) -> None:
    site = realms.site
    site.app.config["REMEMBER_COOKIE_FORMAT"] = "flask-login"
    browser = site.browser()
    await browser.get("/in/1?remember=1")
    assert browser.jar["remember_token"].startswith("1|")
    thief = site.browser()
    thief.jar["staff_remember_token"] = browser.jar["remember_token"]
    assert (await thief.get("/staff/me")).text == "nobody"
    await browser.get("/staff/in/1?remember=1")
    assert "|" not in browser.jar["staff_remember_token"]


async def test_a_realm_s_remember_cookie_brings_back_its_user_alone(realms: Realms) -> None:
    browser = realms.site.browser()
    await browser.get("/staff/in/2?remember=1")
    assert set(browser.jar) == {"session", "staff_remember_token"}
    del browser.jar["session"]
    assert await browser.get("/staff/private") == (200, "private of staff 2")
    assert await browser.get("/staff/fresh") == (200, "False True")
    assert (await browser.get("/staff/very")).status == 401
    await browser.get("/staff/confirm")
    assert await browser.get("/staff/very") == (200, "very of staff 2")
    assert (await browser.get("/private")).status == 401


@pytest.mark.parametrize("first", ["customers", "staff"])
async def test_a_logout_ends_the_login_of_its_realm_alone(realms: Realms, first: str) -> None:
    browser = realms.site.browser()
    await browser.get("/in/1?remember=1")
    await browser.get("/staff/in/2?remember=1")
    if first == "customers":
        await browser.get("/out")
        assert (await browser.get("/private")).status == 401
        assert (await browser.get("/staff/me")).text == "staff 2"
        assert set(browser.jar) == {"session", "staff_remember_token"}
    else:
        await browser.get("/staff/out")
        assert (await browser.get("/staff/me")).text == "nobody"
        assert (await browser.get("/me")).text == "user 1"
        assert set(browser.jar) == {"session", "remember_token"}


async def test_a_switch_of_users_leaves_the_other_realm_s_login(realms: Realms) -> None:
    browser = realms.site.browser()
    await browser.get("/staff/in/2")
    await browser.get("/in/1")
    await browser.get("/put/secret/of-1")
    await browser.get("/in/2")
    assert (await browser.get("/get/secret")).text == "None"
    assert await who(browser) == ("user 2", "staff 2")
    await browser.get("/staff/in/1")
    assert await who(browser) == ("user 2", "staff 1")


async def test_a_user_who_is_gone_takes_no_other_realm_s_login_along(realms: Realms) -> None:
    browser = realms.site.browser()
    await browser.get("/staff/in/2")
    await browser.get("/in/1")
    del realms.site.users[1]
    assert (await browser.get("/private")).status == 401
    assert (await browser.get("/staff/me")).text == "staff 2"


async def test_each_realm_is_loaded_once_and_only_by_its_own_loader(realms: Realms) -> None:
    browser = realms.site.browser()
    await browser.get("/in/1")
    await browser.get("/staff/in/2")
    realms.loads.clear()
    realms.site.loads.clear()
    await browser.get("/staff/private")
    assert realms.loads == ["2"] or realms.loads == [2]
    assert len(realms.site.loads) <= 1


async def test_receivers_are_told_which_realm_it_was(realms: Realms) -> None:
    browser = realms.site.browser()
    with realms.site.hearing("user_logged_in", "user_logged_out") as heard:
        await browser.get("/in/1")
        await browser.get("/staff/in/2")
        await browser.get("/staff/out")
    assert [(name, extra.get("realm")) for name, extra in heard] == [
        ("user_logged_in", None),
        ("user_logged_in", "staff"),
        ("user_logged_out", "staff"),
    ]


async def test_a_realm_has_settings_of_its_own_and_the_application_s(make_site: Any) -> None:
    site = make_site(
        {
            "REMEMBER_COOKIE_DURATION": 1000,
            "REMEMBER_COOKIE_NAME": "customer_token",
            "STAFF_REMEMBER_COOKIE_DURATION": 100,
            "STAFF_REMEMBER_COOKIE_PATH": "/staff",
        }
    )
    Realms(site)
    browser = site.browser()
    customer = (await browser.get("/in/1?remember=1")).cookie("customer_token")
    staff = (await browser.get("/staff/in/1?remember=1")).cookie("staff_remember_token")
    assert customer is not None and "Path=/;" in customer + ";"
    assert staff is not None and "Path=/staff" in staff
    token = browser.jar["staff_remember_token"]
    for seconds, expected in ((100, "staff 1"), (1, "nobody")):
        site.clock.advance(seconds=seconds)
        late = site.browser()
        late.jar["staff_remember_token"] = token
        assert (await late.get("/staff/me")).text == expected


@pytest.mark.parametrize("audience", ["STAFF_LOGIN_AUDIENCE", "LOGIN_AUDIENCE"])
async def test_a_realm_s_logins_are_bound_to_its_audience(realms: Realms, audience: str) -> None:
    browser = realms.site.browser()
    await browser.get("/staff/in/1?remember=1")
    realms.site.app.config[audience] = "elsewhere"
    assert (await browser.get("/staff/me")).text == "nobody"


async def test_data_of_a_realm_s_user_are_not_the_next_one_s_of_another(realms: Realms) -> None:
    site = realms.site
    browser = site.browser()
    await browser.get("/staff/in/1")
    await browser.get("/put/secret/of-staff-1")
    await browser.get("/staff/out")
    await browser.get("/in/2")
    assert await browser.get("/get/secret") == (200, "None")
    await browser.get("/put/secret/of-2")
    await browser.get("/out")
    await browser.get("/staff/in/2")
    assert await browser.get("/get/secret") == (200, "None")


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "Staff", "a b", "1st", "a:b", "a" * 33, "é", 7, b"staff"])
def test_a_name_that_cannot_tell_realms_apart_is_refused(site: Site, name: Any) -> None:
    with pytest.raises(ConfigurationError, match="name must be lower-case"):
        site.lib.LoginManager(name=name)


def test_two_realms_of_one_name_are_refused(realms: Realms) -> None:
    with pytest.raises(ConfigurationError, match="named 'staff' already"):
        realms.site.lib.LoginManager(realms.site.app, name="staff")
    realms.staff.init_app(realms.site.app)  # the same one again is fine


@pytest.mark.parametrize("name", ["remember_token", "session"])
def test_two_cookies_of_one_name_are_refused(make_site: Any, name: str) -> None:
    site = make_site({"STAFF_REMEMBER_COOKIE_NAME": name})
    with pytest.raises(ConfigurationError, match=f"Two cookies are named '{name}'"):
        site.lib.LoginManager(site.app, name="staff")
    site.app.config["STAFF_REMEMBER_COOKIE_NAME"] = "other"
    site.lib.LoginManager(site.app, name="staff")


@pytest.mark.parametrize("make_site", ["quart"], indirect=True)  # Flask-Login's takes the place
def test_two_managers_without_a_name_are_refused(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="LoginManager\\(app, name='staff'\\)"):
        site.lib.LoginManager(site.app)


async def test_no_realm_s_session_keys_are_another_s(site: Site) -> None:
    managers = [site.lib.LoginManager(name=name) for name in (None, "a", "a_user", "users", "next")]
    keys = [key for manager in managers for key in manager.keys.values()]
    assert len(set(keys)) == len(keys)


async def test_where_every_realm_has_a_name_the_module_s_functions_say_so(site: Site) -> None:
    site.app = site.make_app()
    site.lib.LoginManager(site.app, name="staff")

    @site.route("/module")
    async def module() -> str:
        with pytest.raises(RuntimeError, match=r"has a name \(staff\)"):
            await site.login_user(User(1))
        return "said"

    assert await site.browser().get("/module") == (200, "said")


async def test_a_default_realm_that_gets_a_name_keeps_its_logins(make_site: Any) -> None:
    old, new = make_site(), make_site()
    browser = old.browser()
    await browser.get("/in/1?remember=1")
    del new.app.login_manager
    new.app.extensions["quart_login"].clear()
    customers = new.lib.LoginManager(new.app, name="customers", default_names=True)
    customers.clock = new.clock
    customers.user_loader(new.load_user)
    Realms(new)
    moved = new.browser()
    moved.jar.update(browser.jar)
    assert await moved.get("/private") == (200, "private of user 1")
    assert (await moved.get("/staff/private")).status == 302
    del moved.jar["session"]
    assert await moved.get("/private") == (200, "private of user 1")
    with new.hearing("user_logged_in") as heard:
        await moved.get("/in/2")
    assert heard[0][1]["realm"] == "customers"


async def test_a_second_realm_keeps_the_first_one_s_logins(make_site: Any) -> None:
    before, after = make_site(), make_site()
    Realms(after)
    old = before.browser()
    await old.get("/in/1?remember=1")
    browser = after.browser()
    browser.jar.update(old.jar)
    assert await browser.get("/private") == (200, "private of user 1")
    del browser.jar["session"]
    assert await browser.get("/private") == (200, "private of user 1")
