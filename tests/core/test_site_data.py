"""What must the browser forget of this site when somebody logs out?"""

from __future__ import annotations

from typing import Any

import pytest
from core.paper import Paper, User

from quart_login._core import login, site_data
from quart_login._core.errors import ConfigurationError
from quart_login._core.finish import is_due
from quart_login._core.settings import check
from quart_login._core.site_data import KINDS
from quart_login._core.step import step

ALICE = User(7)


def paper(kinds: Any = ("cache", "storage"), scheme: str = "https") -> Paper:
    it = Paper({"_user_id": 7}, users={7: ALICE}, config={"LOGIN_CLEAR_SITE_DATA": kinds})
    it.request.scheme = scheme
    return it


def cleared(it: Paper) -> str | None:
    """Return what the response of *it* tells the browser to forget."""
    assert is_due(it.identity, it.session, it.manager.keys, it.config) is it.identity.logged_out
    return it.answer().headers.get("Clear-Site-Data")


def test_a_logout_clears_what_the_setting_lists_each_in_quotes() -> None:
    it = paper(["cache", "executionContexts", "*"])
    step(login.logout_user(it))
    assert cleared(it) == '"cache", "executionContexts", "*"'


@pytest.mark.parametrize("kinds", [(), [], None])
def test_by_default_a_logout_clears_nothing(kinds: Any) -> None:
    it = paper(kinds)
    step(login.logout_user(it))
    assert cleared(it) is None


def test_it_is_sent_over_https_alone() -> None:
    it = paper(scheme="http")
    step(login.logout_user(it))
    assert cleared(it) is None


def test_other_requests_clear_nothing() -> None:
    it = paper()
    it.who()
    assert cleared(it) is None


def test_whoever_logs_in_after_a_logout_keeps_the_data() -> None:
    it = paper()
    step(login.logout_user(it))
    step(login.login_user(it, ALICE))
    assert not it.identity.logged_out and it.answer().headers.get("Clear-Site-Data") is None
    step(login.logout_user(it))
    assert cleared(it) == '"cache", "storage"'


def test_a_header_of_the_view_stays() -> None:
    from werkzeug.wrappers import Response

    from quart_login._core.finish import finish

    it = paper()
    step(login.logout_user(it))
    response = Response(headers={"Clear-Site-Data": '"cookies"'})
    step(finish(it, response))
    assert response.headers["Clear-Site-Data"] == '"cookies"'


@pytest.mark.parametrize("wrong", ["cache", b"cache", ["Cache"], ['"cache"'], ["cookie"], 5, True])
def test_what_no_browser_knows_is_refused_at_set_up(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="LOGIN_CLEAR_SITE_DATA must be a list of some"):
        check({"LOGIN_CLEAR_SITE_DATA": wrong})


@pytest.mark.parametrize("kinds", [None, (), [], KINDS, {"cache"}])
def test_what_browsers_know_is_let_pass(kinds: Any) -> None:
    check({"LOGIN_CLEAR_SITE_DATA": kinds})


def test_one_text_is_no_list() -> None:
    with pytest.raises(ConfigurationError):
        site_data.check("*")


def test_what_a_browser_can_be_told_to_forget() -> None:
    """Clear Site Data, section 3.1, and what browsers have beside it."""
    check({"LOGIN_CLEAR_SITE_DATA": ["cache", "cookies", "storage", "executionContexts"]})
    check({"LOGIN_CLEAR_SITE_DATA": ["clientHints", "prefetchCache", "prerenderCache", "*"]})
