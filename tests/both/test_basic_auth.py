"""HTTP Basic authentication: for users, and for the one user of the configuration."""

from __future__ import annotations

from base64 import b64encode
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sites import SITES, Answer, Browser, Site
from wire import send_raw

ONE = {"LOGIN_BASIC_USERNAME": "metrics", "LOGIN_BASIC_PASSWORD": "pä:ss"}

USERS = 'Basic realm="login", charset="UTF-8"'


def basic(raw: bytes | str) -> bytes:
    return b"Basic " + b64encode(raw if isinstance(raw, bytes) else raw.encode())


def with_passwords(site: Site, *, plain: bool = False) -> Site:
    """Let every user of *site* have the password 'pä:ss'."""
    site.asked = []  # type: ignore[attr-defined]

    def verify(username: str, password: str) -> Any:
        site.asked.append((username, password))  # type: ignore[attr-defined]
        key = int(username) if username.isdigit() else username
        return site.users.get(key) if password == "pä:ss" else None

    async def verify_soon(username: str, password: str) -> Any:
        return verify(username, password)

    is_plain = plain or site.web.__name__ == "flask"
    site.manager.verify_password(verify if is_plain else verify_soon)
    return site


@pytest.fixture
def site(make_site: Any) -> Site:
    return with_passwords(make_site())


def knowing(site: Site, raw: bytes | str) -> Browser:
    return site.browser(Authorization=basic(raw).decode())


def challenges(answer: Answer) -> list[str]:
    return answer.headers.getlist("WWW-Authenticate")


# --- users ---------------------------------------------------------------------------------------


async def test_a_password_opens_protected_views_and_loads_nobody_by_id(site: Site) -> None:
    client = knowing(site, "1:pä:ss")
    assert await client.get("/private") == (200, "private of user 1")
    assert site.asked == [("1", "pä:ss")] and site.loads == []  # type: ignore[attr-defined]


async def test_what_verifies_may_be_plain(make_site: Any) -> None:
    site = with_passwords(make_site(), plain=True)
    assert await knowing(site, "zoë:pä:ss").get("/private") == (200, "private of user zoë")


@pytest.mark.parametrize("raw", ["1:wrong", "1:", ":", "7:pä:ss", "3:pä:ss", "no colon"])
async def test_who_is_refused_is_asked_again_and_public_pages_are_shown(
    site: Site, raw: str
) -> None:
    site.manager.login_view = "login"
    client = knowing(site, raw)
    assert await client.get("/public") == (200, "public")
    assert await client.get("/me") == (200, "anonymous")
    answer = await client.get("/private")
    assert (answer.status, answer.location, answer.set_cookies) == (401, None, [])
    assert challenges(answer) == [USERS]


async def test_who_sends_nothing_is_told_of_both_ways(site: Site) -> None:
    answer = await site.browser().get("/private")
    assert answer.status == 401 and challenges(answer) == ['Bearer realm="login"', USERS]


async def test_a_password_creates_no_session_and_sets_no_cookie(site: Site) -> None:
    client = knowing(site, "1:pä:ss")
    for path in ("/me", "/private", "/public", "/is-fresh", "/confirm", "/out"):
        answer = await client.get(path)
        assert (answer.status, answer.set_cookies) == (200, []), path


async def test_no_cookie_that_comes_along_counts_or_is_touched(site: Site) -> None:
    browser = site.browser()
    await browser.get("/in/2?remember=1")
    for raw, name in (("1:pä:ss", "user 1"), ("1:wrong", "anonymous")):
        answer = await browser.get("/me", headers={"Authorization": basic(raw).decode()})
        assert answer == (200, name) and answer.set_cookies == []
    assert await browser.get("/me") == (200, "user 2")


async def test_a_password_in_the_header_is_no_fresh_login(site: Site) -> None:
    client = knowing(site, "1:pä:ss")
    assert await client.get("/is-fresh") == (200, "False")
    answer = await client.get("/very")
    assert answer.status == 401
    assert 'error="insufficient_user_authentication"' in challenges(answer)[0]


@pytest.mark.parametrize(
    "raw", [b"1:p\xe4", b"\xff:\xff", b"1:p\0", b"\0:\0", b"1:a\nb", b"1", b"", bytes(range(256))]
)
async def test_015_any_byte_in_a_password_is_a_401(site: Site, raw: bytes) -> None:
    headers = [(b"Authorization", basic(raw))]
    assert await send_raw(site, "/public", headers) == (200, "public")
    answer = await send_raw(site, "/private", headers)
    assert answer.status == 401 and challenges(answer) == [USERS]
    assert site.asked == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", list(SITES))
@given(raw=st.binary(max_size=60), colon=st.booleans())
@settings(max_examples=100, deadline=None)
async def test_015_no_bytes_in_a_password_do_harm(name: str, raw: bytes, colon: bool) -> None:
    site = with_passwords(SITES[name](ONE))

    @site.route("/metrics", guard="basic_auth_required")
    async def metrics() -> str:
        return "metrics"

    headers = [(b"Authorization", basic(b"1:" + raw if colon else raw))]
    assert await send_raw(site, "/me", headers) == (200, "anonymous")
    assert (await send_raw(site, "/private", headers)).status == 401
    assert (await send_raw(site, "/metrics", headers)).status == 401


async def test_what_verifies_may_raise_and_then_nobody_is_logged_in(site: Site) -> None:
    def broken(username: str, password: str) -> Any:
        raise LookupError(username)

    site.manager.verify_password(broken)
    client = knowing(site, "1:pä:ss")
    assert await client.get("/public") == (200, "public")
    assert await client.get("/me") == (200, "anonymous")
    assert (await client.get("/private")).status == 500


async def test_without_a_callback_the_header_is_somebody_elses(make_site: Any) -> None:
    site = make_site()
    browser = knowing(site, "1:pä:ss")
    await browser.get("/in/2")
    with site.hearing("credential_rejected") as heard:
        assert await browser.get("/me") == (200, "user 2")
    assert heard == []


async def test_passwords_need_no_user_loader(make_site: Any) -> None:
    site = with_passwords(make_site())
    site.manager._user_callback = None
    assert await knowing(site, "1:pä:ss").get("/private") == (200, "private of user 1")
    assert await knowing(site, "1:pä:ss").get("/me") == (200, "user 1")
    assert await site.browser().get("/me") == (200, "anonymous")


# --- one user, from the configuration ------------------------------------------------------------


def with_metrics(site: Site, guard: Any = None) -> Site:
    async def metrics() -> str:
        return "metrics"

    decorated = (guard or site.lib.basic_auth_required)(site.colour(metrics))
    site.app.add_url_rule("/metrics", "metrics", decorated, methods=["GET", "POST"])
    return site


async def test_who_knows_the_configured_password_comes_in(make_site: Any) -> None:
    site = with_metrics(make_site(ONE))
    assert await knowing(site, "metrics:pä:ss").get("/metrics") == (200, "metrics")
    for client in (knowing(site, "metrics:x"), knowing(site, "x:pä:ss"), site.browser()):
        answer = await client.get("/metrics")
        assert (answer.status, answer.set_cookies) == (401, [])
        assert challenges(answer) == [USERS]
        assert (await client.post("/metrics")).status == 401
    assert site.loads == []


async def test_its_password_is_no_users_and_nobody_verifies_it(make_site: Any) -> None:
    site = with_passwords(with_metrics(make_site(ONE)))
    user = knowing(site, "metrics:pä:ss")
    with site.hearing("credential_rejected") as heard:
        assert await user.get("/metrics") == (200, "metrics")
        assert (await user.open("/metrics", method="HEAD")).status == 200
    assert heard == [] and site.asked == []  # type: ignore[attr-defined]
    with site.hearing("credential_rejected") as heard:
        assert (await knowing(site, "1:pä:ss").get("/metrics")).status == 401
    assert [extra["reason"] for _, extra in heard] == ["wrong_password"]
    assert site.asked == []  # type: ignore[attr-defined]
    assert await knowing(site, "1:pä:ss").get("/me") == (200, "user 1")


async def test_who_is_logged_in_by_cookies_is_so_in_such_a_view(make_site: Any) -> None:
    site = with_passwords(make_site(ONE))

    @site.route("/mine", guard="basic_auth_required")
    async def mine() -> str:
        return str(site.lib.current_user.name)

    browser = knowing(site, "metrics:pä:ss")
    site.manager._verify_callback, verify = None, site.manager._verify_callback
    await browser.get("/in/2")
    site.manager._verify_callback = verify
    assert await browser.get("/mine") == (200, "user 2")


async def test_it_may_be_called_and_read_other_settings(make_site: Any) -> None:
    for site in (make_site(ONE), make_site(ONE), make_site({"A": "metrics", "B": "pä:ss"})):
        make = site.lib.basic_auth_required
        keys = {} if "A" not in site.app.config else {"username_key": "A", "password_key": "B"}
        with_metrics(site, make(**keys))
        assert await knowing(site, "metrics:pä:ss").get("/metrics") == (200, "metrics")
        assert (await knowing(site, "metrics:x").get("/metrics")).status == 401


async def test_a_realm_has_a_user_of_its_own(make_site: Any) -> None:
    own = {f"STAFF_{key}": value.upper() for key, value in ONE.items()}
    site = make_site({**ONE, **own})
    staff = site.lib.LoginManager(site.app, name="staff")
    with_metrics(site, staff.basic_auth_required)
    answer = await knowing(site, "metrics:pä:ss").get("/metrics")
    assert answer.status == 401 and challenges(answer) == ['Basic realm="staff", charset="UTF-8"']
    assert await knowing(site, "METRICS:PÄ:SS").get("/metrics") == (200, "metrics")


async def test_what_is_protected_may_be_plain_or_a_coroutine(make_site: Any) -> None:
    site = make_site(ONE)

    @site.lib.basic_auth_required
    def plain() -> str:
        return "plain"

    @site.lib.basic_auth_required
    async def coroutine() -> str:
        return "coroutine"

    site.app.add_url_rule("/plain", "plain", plain)
    site.app.add_url_rule("/coroutine", "coroutine", coroutine)
    client = knowing(site, "metrics:pä:ss")
    assert await client.get("/plain") == (200, "plain")
    assert (await site.browser().get("/plain")).status == 401
    assert (await site.browser().get("/coroutine")).status == 401
    if site.web.__name__ == "quart":  # Flask bridges a coroutine to a loop of its own.
        assert await client.get("/coroutine") == (200, "coroutine")


async def test_class_based_views_and_their_methods_are_protected(make_site: Any) -> None:
    site = make_site(ONE)
    guard, base = site.lib.basic_auth_required, import_module(f"{site.web.__name__}.views")

    class Whole(base.MethodView):  # type: ignore[name-defined]
        decorators = [guard]  # noqa: RUF012

        def get(self) -> str:
            return "whole"

    class Part(base.MethodView):  # type: ignore[name-defined]
        @guard
        def get(self) -> str:
            return "part"

        def post(self) -> str:
            return "open"

    site.app.add_url_rule("/whole", view_func=Whole.as_view("whole"))
    site.app.add_url_rule("/part", view_func=Part.as_view("part"))
    for path in ("/whole", "/part"):
        assert (await site.browser().get(path)).status == 401
        assert (await knowing(site, "metrics:pä:ss").get(path)).status == 200
    assert await site.browser().post("/part") == (200, "open")


async def test_a_preflight_request_gets_the_automatic_answer(make_site: Any) -> None:
    site = with_metrics(make_site(ONE))
    answer = await site.browser().open("/metrics", method="OPTIONS")
    assert answer.status == 200 and "POST" in answer.headers["Allow"]


async def test_a_wrong_password_is_told(make_site: Any) -> None:
    site = with_metrics(make_site(ONE))
    with site.hearing("credential_rejected") as heard:
        await knowing(site, "metrics:x").get("/metrics")
        await site.browser().get("/metrics")
    assert [extra["reason"] for _, extra in heard] == ["wrong_password"]


@pytest.mark.parametrize("missing", ["LOGIN_BASIC_USERNAME", "LOGIN_BASIC_PASSWORD"])
@pytest.mark.parametrize("value", [None, ""])
async def test_016_a_view_that_protects_nothing_lets_nobody_in(
    make_site: Any, missing: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    site = with_metrics(make_site({**ONE, missing: value}))
    for raw in (":", "metrics:pä:ss", "metrics:", ":pä:ss"):
        assert (await knowing(site, raw).get("/metrics")).status == 500
    assert f"app.config['{missing}']" in caplog.text
