"""Which bearer tokens are ours, and whom do they name?"""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from core.paper import KEY, NOW, OLD_KEY, Manager, Paper, User
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.local import LocalProxy

from quart_login._core import bearer
from quart_login._core.bearer import Bearer, issue, issue_token, read
from quart_login._core.errors import ConfigurationError, UnusableUser
from quart_login._core.reasons import Reason
from quart_login._core.settings import CLOCK_TOLERANCE, COOKIE_LIMIT, LONGEST_LIFE
from quart_login._core.tokens import REMEMBER_SALT, Keys, sign
from quart_login._core.users import MAX_ID_BITS, MAX_ID_BYTES, AnonymousUserMixin, epoch_of, is_id

KEYS = Keys(KEY)
HOUR = 3600


def app_of(config: Any = None) -> Any:
    it = Paper(config=config)
    return it.app


def make(user: Any, lifetime: Any = None, config: Any = None) -> str:
    app = app_of(config)
    return issue(app, app.login_manager, user, lifetime)


def signed(payload: Any, salt: str = bearer.SALT) -> str:
    return bearer.PREFIX + sign(payload, KEYS, salt)


# --- issuing -------------------------------------------------------------------------------------


def test_a_token_says_who_and_since_when_and_until_when() -> None:
    found = read(make(User(7)), KEYS, None, NOW)
    assert found == Bearer(7, int(NOW), NOW + HOUR, None)


@pytest.mark.parametrize("lifetime", [90, 90.0, timedelta(seconds=90)])
def test_its_life_is_what_was_asked_for(lifetime: Any) -> None:
    token = make(User(7), lifetime)
    assert isinstance(read(token, KEYS, None, NOW + 89), Bearer)
    assert read(token, KEYS, None, NOW + 90) is Reason.EXPIRED


def test_its_life_is_the_setting_where_nothing_is_asked_for() -> None:
    token = make(User(7), config={"LOGIN_TOKEN_LIFETIME": timedelta(days=2)})
    assert isinstance(read(token, KEYS, None, NOW + 2 * 86400 - 1), Bearer)
    assert read(token, KEYS, None, NOW + 2 * 86400) is Reason.EXPIRED


@pytest.mark.parametrize(
    "lifetime", [0, -1, -0.5, timedelta(0), timedelta(days=-1), float("nan"), float("inf"), 10**400]
)
def test_a_life_that_never_passes_is_a_value_error(lifetime: Any) -> None:
    with pytest.raises(ValueError, match="lifetime must be a time that passes"):
        make(User(7), lifetime)


@pytest.mark.parametrize("lifetime", ["1", True, [1], b"1"])
def test_a_life_that_is_no_time_is_a_type_error(lifetime: Any) -> None:
    with pytest.raises(TypeError, match=r"lifetime must be a datetime\.timedelta or a number"):
        make(User(7), lifetime)


@pytest.mark.parametrize("setting", [0, -1, "1 hour", None, timedelta(0)])
def test_a_setting_that_is_no_time_is_a_configuration_error(setting: Any) -> None:
    with pytest.raises(ConfigurationError, match="LOGIN_TOKEN_LIFETIME must be"):
        make(User(7), config={"LOGIN_TOKEN_LIFETIME": setting})


@pytest.mark.parametrize(
    "user", [None, AnonymousUserMixin(), User(7, active=False), User(""), User(None), User(7.0)]
)
def test_no_token_is_issued_for_whom_it_would_not_let_in(user: Any) -> None:
    with pytest.raises(UnusableUser):
        make(user)


def test_an_id_that_makes_the_token_too_long_is_refused() -> None:
    with pytest.raises(UnusableUser, match="The token would be"):
        make(User("\x01" * 2000))


def test_without_a_key_there_is_no_token() -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        make(User(7), config={"SECRET_KEY": None})


def test_the_user_behind_a_proxy_gets_the_token() -> None:
    assert read(make(LocalProxy(lambda: User(7))), KEYS, None, NOW) == read(
        make(User(7)), KEYS, None, NOW
    )


def test_it_is_issued_for_the_application_at_hand() -> None:
    app = app_of()
    assert read(issue_token(SimpleNamespace(current_app=app), User(7)), KEYS, None, NOW) == read(
        make(User(7)), KEYS, None, NOW
    )
    app.extensions, app.login_manager = {}, None
    with pytest.raises(RuntimeError, match="no LoginManager"):
        issue_token(SimpleNamespace(current_app=app), User(7))


# --- reading -------------------------------------------------------------------------------------


@given(st.one_of(st.text(max_size=300), st.integers(-(2**1000), 2**1000)).filter(is_id))
def test_p16_every_id_comes_back_equal_and_of_its_type(user_id: Any) -> None:
    found = read(make(User(user_id)), KEYS, None, NOW)
    assert isinstance(found, Bearer)
    assert found.user_id == user_id and type(found.user_id) is type(user_id)


def test_p16_the_longest_ids_come_back() -> None:
    for user_id in ("é" * 1024, "日" * 682, 2**MAX_ID_BITS - 1, -1, 0):
        found = read(make(User(user_id)), KEYS, None, NOW)
        assert isinstance(found, Bearer) and found.user_id == user_id


def test_a_token_of_the_future_is_over() -> None:
    token = make(User(7))
    assert isinstance(read(token, KEYS, None, NOW - CLOCK_TOLERANCE), Bearer)
    assert read(token, KEYS, None, NOW - CLOCK_TOLERANCE - 1) is Reason.EXPIRED


def test_p20_fallback_keys_verify_and_removed_ones_do_not() -> None:
    token = make(User(7), config={"SECRET_KEY": OLD_KEY})
    assert isinstance(read(token, Keys(KEY, (OLD_KEY,)), None, NOW), Bearer)
    assert read(token, KEYS, None, NOW) is Reason.BAD_SIGNATURE
    assert isinstance(read(make(User(7)), Keys(KEY, (OLD_KEY,)), None, NOW), Bearer)


def test_013_a_token_of_another_audience_is_none() -> None:
    token = make(User(7), config={"LOGIN_AUDIENCE": "shop"})
    assert isinstance(read(token, KEYS, "shop", NOW), Bearer)
    assert read(token, KEYS, "office", NOW) is Reason.BAD_SIGNATURE
    assert read(token, KEYS, None, NOW) is Reason.BAD_SIGNATURE
    assert read(make(User(7)), KEYS, "shop", NOW) is Reason.BAD_SIGNATURE


def test_012_a_text_that_was_signed_for_another_purpose_is_no_token() -> None:
    payload = [7, int(NOW), NOW + HOUR, None]
    assert isinstance(read(signed(payload), KEYS, None, NOW), Bearer)
    assert read(signed(payload, REMEMBER_SALT), KEYS, None, NOW) is Reason.BAD_SIGNATURE


@pytest.mark.parametrize(
    "payload",
    [
        {"admin": 1},
        [],
        7,
        None,
        "7",
        [7, int(NOW), NOW + HOUR],
        [7, int(NOW), NOW + HOUR, None, None],
        [[7], int(NOW), NOW + HOUR, None],
        [{"admin": 1}, int(NOW), NOW + HOUR, None],
        [None, int(NOW), NOW + HOUR, None],
        ["", int(NOW), NOW + HOUR, None],
        [7.0, int(NOW), NOW + HOUR, None],
        [True, int(NOW), NOW + HOUR, None],
        [2**5000 // 3, int(NOW), NOW + HOUR, None],
        [7, None, NOW + HOUR, None],
        [7, NOW + 0.5, NOW + HOUR, None],
        [7, int(NOW), None, None],
        [7, int(NOW), "later", None],
        [7, int(NOW), NOW + HOUR, 7],
        [7, int(NOW), float("nan"), None],
    ],
)
def test_011_what_was_signed_and_has_another_form_is_no_token(payload: Any) -> None:
    try:
        text = signed(payload)
    except ValueError:  # more digits than Python prints
        return
    assert not isinstance(read(text, KEYS, None, NOW), Bearer)


@pytest.mark.parametrize(
    "text",
    ["", "qlt_", "qlt_.", "qlt_a.b", "abc", "qlt_é.é", "qlt_" + "a" * 9000 + ".b", "QLT_a.b"],
)
def test_junk_is_no_token(text: str) -> None:
    assert read(text, KEYS, None, NOW) is Reason.BAD_SIGNATURE


def test_017_no_position_of_a_token_can_be_changed() -> None:
    token = make(User("zoë"))
    for position, letter in enumerate(token):
        for other in {"A", "b", "_", ".", letter.swapcase(), ""} - {letter}:
            changed = token[:position] + other + token[position + 1 :]
            assert read(changed, KEYS, None, NOW) is Reason.BAD_SIGNATURE, position
        assert read(token[:position], KEYS, None, NOW) is Reason.BAD_SIGNATURE


def test_two_tokens_cannot_be_spliced() -> None:
    one, other = make(User(7)), make(User(8), 60)
    for head in range(len(one)):
        spliced = one[:head] + other[-(len(other) - head) :]
        if spliced not in (one, other):
            assert read(spliced, KEYS, None, NOW) is Reason.BAD_SIGNATURE


def test_a_token_of_another_epoch_is_superseded() -> None:
    token = read(make(User(7, session_epoch="1")), KEYS, None, NOW)
    assert isinstance(token, Bearer) and token.epoch == epoch_of(User(7, session_epoch="1"))
    assert not bearer.superseded(token, User(7, session_epoch="1"))
    assert bearer.superseded(token, User(7, session_epoch="2"))
    assert bearer.superseded(token, User(7))
    without = Bearer(7, int(NOW), NOW + HOUR)
    assert not bearer.superseded(without, User(7, session_epoch="2"))


def test_a_manager_knows_what_it_issued_whenever_that_was() -> None:
    app, staff = app_of(), Manager("staff")
    token = make(User(7), 1)
    assert bearer.is_issued_by(app.login_manager, app, token)
    assert not bearer.is_issued_by(staff, app, token)
    app.config["SECRET_KEY"] = ""
    assert not bearer.is_issued_by(app.login_manager, app, token)


def test_the_anonymous_user_gets_no_token() -> None:
    with pytest.raises(UnusableUser, match="anonymous user gets no token"):
        make(User(7, is_anonymous=True))


def test_a_token_is_not_shown() -> None:
    assert repr(Bearer("secret", 1, 2, "secret")) == "<Bearer>"


def test_a_life_is_shorter_than_the_longest() -> None:
    with pytest.raises(ValueError, match="a time that passes"):
        make(User(7), float(LONGEST_LIFE))


def test_a_user_who_does_not_say_whether_anonymous_is_not() -> None:
    user = SimpleNamespace(is_active=True, is_authenticated=True, get_id=lambda: 7)
    found = read(make(user), KEYS, None, NOW)
    assert isinstance(found, Bearer) and found.user_id == 7


def test_a_token_may_be_as_long_as_servers_surely_take() -> None:
    sizes = set[int | None]()
    for quotes in range(900, 960):
        token = Bearer('"' * quotes + "x" * (MAX_ID_BYTES - quotes), int(NOW), NOW + 1)
        try:
            sizes.add(len(bearer.write(token, KEYS, None)) - len(bearer.PREFIX))
        except UnusableUser:
            sizes.add(None)
    assert COOKIE_LIMIT in sizes and None in sizes
