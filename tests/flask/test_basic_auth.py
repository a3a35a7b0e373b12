"""When does Flask notice that a view is protected by a password that nobody set?"""

from __future__ import annotations

from sites import FlaskSite

from flask_compat import basic_auth_required


def protected(**config: str) -> FlaskSite:
    site = FlaskSite(config)

    @site.app.route("/metrics")
    @basic_auth_required
    def metrics() -> str:
        return "metrics"

    return site


async def test_016_the_first_request_of_all_fails_and_those_after_it() -> None:
    site = protected()
    for path in ("/public", "/public", "/metrics", "/no-such-page"):
        assert (await site.browser().get(path)).status == 500


async def test_016_with_the_password_set_the_check_is_made_once() -> None:
    site = protected(LOGIN_BASIC_USERNAME="metrics", LOGIN_BASIC_PASSWORD="geheim")
    before = list(site.app.before_request_funcs[None])
    assert await site.browser().get("/public") == (200, "public")
    assert site.app.before_request_funcs[None] == before[1:]
    assert await site.browser().get("/public") == (200, "public")


async def test_the_hooks_of_the_first_request_all_run() -> None:
    site = FlaskSite()
    run: list[str] = []
    site.app.before_request(lambda: run.append("first"))
    site.app.before_request(lambda: run.append("second"))
    assert await site.browser().get("/public") == (200, "public")
    assert await site.browser().get("/public") == (200, "public")
    assert run == ["first", "second"] * 2
