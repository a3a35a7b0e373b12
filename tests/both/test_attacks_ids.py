"""User identifiers: section 3.B of the survey of attacks, each test under its row's number."""

from __future__ import annotations

import random
from string import ascii_letters, digits
from typing import Any

import pytest
from sites import Site, User

import quart_login

FORMATS = ["quart-login", "flask-login"]


async def log_in(site: Any, user: Any, **options: Any) -> Any:
    """Log *user* in, in a view of *site*; return the browser, and what was raised, if anything."""
    site.guest, raised = (user, options), []

    async def view() -> str:
        guest, wishes = site.guest
        try:
            return str(await site.login_user(guest, **wishes))
        except ValueError as error:
            site.raised.append(error)
            return "refused"

    if "log-in-guest" not in site.app.view_functions:
        site.route("/log-in-guest")(view)
    site.raised = raised
    browser = site.browser()
    assert (await browser.get("/log-in-guest")).text == ("refused" if raised else "True")
    return browser, raised[0] if raised else None


async def assert_refused(site: Site, user_id: Any, **options: Any) -> str:
    """Assert that a user with *user_id* is refused at login; return the error's text."""
    browser, error = await log_in(site, User(user_id), **options)
    assert isinstance(error, ValueError)
    assert browser.jar == {}
    assert await browser.get("/me") == (200, "anonymous")
    return str(error)


@pytest.mark.parametrize("remember", [False, True])
async def test_019_an_empty_id_is_refused_at_login(site: Site, remember: bool) -> None:
    text = await assert_refused(site, "", remember=remember)
    assert "get_id" in text


@pytest.mark.parametrize("remember", [False, True])
async def test_020_no_id_is_refused_at_login(site: Site, remember: bool) -> None:
    assert "NoneType" in await assert_refused(site, None, remember=remember)


@pytest.mark.parametrize(
    "user_id",
    [True, False, 1.0, float("nan"), b"1", (1,), ["1"], {"id": 1}, object(), 1 + 0j],
    ids=lambda user_id: type(user_id).__name__,
)
async def test_020_an_id_of_another_type_is_refused_at_login(site: Site, user_id: Any) -> None:
    text = await assert_refused(site, user_id)
    assert type(user_id).__name__ in text


async def test_020_a_subclass_of_str_or_int_is_refused_as_it_would_not_come_back(
    site: Site,
) -> None:
    class Text(str):
        __slots__ = ()

    class Number(int):
        pass

    await assert_refused(site, Text("1"))
    await assert_refused(site, Number(1))


async def test_020_a_user_without_an_id_is_refused_at_login(site: Site) -> None:
    class Nobody(quart_login.UserMixin):
        pass

    user = Nobody()

    @site.route("/log-in-nobody")
    async def view() -> str:
        with pytest.raises(NotImplementedError, match="get_id"):
            await site.login_user(user)
        return "refused"

    browser = site.browser()
    assert await browser.get("/log-in-nobody") == (200, "refused")
    assert browser.jar == {}


async def test_021_an_int_is_an_int_by_every_path(site: Site) -> None:
    browser = site.browser()
    await browser.get("/in/1?remember=1")
    await browser.get("/me")
    browser.close()
    await browser.get("/me")
    await browser.get("/me")
    assert site.loads == [1, 1, 1]
    assert [type(user_id) for user_id in site.loads] == [int, int, int]
    assert browser.session()["_user_id"] == 1


async def test_021_a_str_of_digits_is_a_str_by_every_path(site: Site) -> None:
    site.users["7"] = User("7")
    browser, _ = await log_in(site, site.users["7"], remember=True)
    await browser.get("/me")
    browser.close()
    await browser.get("/me")
    assert site.loads == ["7", "7"]


async def test_021_after_flask_login_s_form_of_the_cookie_the_session_holds_the_int(
    make_site: Any,
) -> None:
    site = make_site({"REMEMBER_COOKIE_FORMAT": "flask-login"})
    browser = site.browser()
    await browser.get("/in/1?remember=1")
    browser.close()
    assert await browser.get("/me") == (200, "user 1")
    assert type(browser.session()["_user_id"]) is int


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "user_id",
    [
        "a|b",
        "|",
        "a;b",
        'a"b',
        "a,b",
        "a\\b",
        "a=b",
        "a%20b",
        "a\nb",
        "a\r\nb",
        "a\0b",
        "日本",
        "zoë",
        "\U0001f600",
        " ",
        " a b ",
        "\t",
        "None",
        "\u202e",
        "a" * 256,
        "é" * 256,
        "../../x",
        "-1",
        "0",
        "was|",
    ],
    ids=repr,
)
async def test_023_every_letter_makes_the_round_trip(
    make_site: Any, form: str, user_id: str
) -> None:
    site = make_site({"REMEMBER_COOKIE_FORMAT": form})
    site.users[user_id] = User(user_id)
    browser, error = await log_in(site, site.users[user_id], remember=True)
    assert error is None
    assert await browser.get("/me") == (200, f"user {user_id}")
    browser.close()
    assert await browser.get("/me") == (200, f"user {user_id}")
    assert site.loads == [user_id, user_id]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("remember", [False, True])
@pytest.mark.parametrize("letter", ["a", "é", "日"])
async def test_025_an_id_that_no_cookie_can_hold_is_refused(
    make_site: Any, form: str, remember: bool, letter: str
) -> None:
    site = make_site({"REMEMBER_COOKIE_FORMAT": form})
    await assert_refused(site, letter * 5000, remember=remember)


async def test_025_a_session_that_no_cookie_can_hold_is_refused_and_left_as_it_was(
    site: Site,
) -> None:
    browser = site.browser()
    # What hardly becomes shorter when it is packed.
    noise = "".join(random.Random(1).choices(ascii_letters + digits, k=3000))
    browser.set_session(cart=noise)

    @site.route("/log-in-with-a-cart")
    async def view() -> str:
        with pytest.raises(quart_login.CookieTooLarge, match="4096"):
            await site.login_user(User(noise[:1000][::-1]), remember=True)
        return str(sorted(site.web.session))

    answer = await browser.get("/log-in-with-a-cart")
    assert answer == (200, "['cart']")
    assert answer.set_cookies == []
    assert await browser.get("/me") == (200, "anonymous")


async def test_025_no_login_ever_sets_a_cookie_that_browsers_ignore(site: Site) -> None:
    for length in range(1, 2600, 97):
        for letter in "aé":
            user = User("".join(random.Random(length).choices(ascii_letters + letter, k=length)))
            browser, _ = await log_in(site, user, remember=True)
            for name, value in browser.jar.items():
                assert len(name) + len(value) <= 4096


class Account(User):
    """An account with the time of its creation for its epoch."""

    def __init__(self, id: Any, created: str) -> None:
        super().__init__(id)
        self.session_epoch = created


@pytest.mark.parametrize("keep", ["session", "remember_token"])
async def test_026_an_account_that_was_created_anew_does_not_inherit_the_logins(
    site: Site, keep: str
) -> None:
    site.users["mallory"] = Account("mallory", "2026-01-01")
    browser, _ = await log_in(site, site.users["mallory"], remember=True)
    browser.jar = {keep: browser.jar[keep]}
    assert await browser.get("/me") == (200, "user mallory")
    site.users["mallory"] = Account("mallory", "2026-06-01")
    assert await browser.get("/me") == (200, "anonymous")
    assert browser.jar == {}


@pytest.mark.parametrize("keep", ["session", "remember_token"])
async def test_026_an_epoch_that_is_gone_ends_the_logins_that_had_one(
    site: Site, keep: str
) -> None:
    site.users["mallory"] = Account("mallory", "2026-01-01")
    browser, _ = await log_in(site, site.users["mallory"], remember=True)
    browser.jar = {keep: browser.jar[keep]}
    site.users["mallory"] = User("mallory")
    assert await browser.get("/me") == (200, "anonymous")
