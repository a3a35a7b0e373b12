"""What must a user be, and is this object one?"""

from __future__ import annotations

from typing import Any

import pytest
from core.paper import User
from werkzeug.local import LocalProxy

from quart_login._core import users
from quart_login._core.errors import UnusableUser
from quart_login._core.reasons import Reason
from quart_login._core.users import (
    MAX_ID_BITS,
    MAX_ID_BYTES,
    AnonymousUserMixin,
    UserMixin,
    checked_activity,
    checked_id,
    epoch_of,
    flag,
    id_of,
    is_id,
    objection,
    same_id,
    unwrap,
)


class Member(UserMixin):
    def __init__(self, id: Any) -> None:
        self.id = id


class Text(str):
    pass


class Number(int):
    pass


# --- ids -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["7", "zoë", " ", "x" * MAX_ID_BYTES, 0, -1, 2**MAX_ID_BITS - 1, -(2**MAX_ID_BITS) + 1]
)
def test_a_str_or_int_is_an_id(value: Any) -> None:
    assert is_id(value)
    assert checked_id(User(value), "get_id") is value


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "x" * (MAX_ID_BYTES + 1),
        "é" * (MAX_ID_BYTES // 2 + 1),
        "\udc80",
        2**MAX_ID_BITS,
        True,
        False,
        1.0,
        b"7",
        Text("7"),
        Number(7),
        ["7"],
        object(),
    ],
)
def test_anything_else_is_refused_where_its_developer_sees_it(value: Any) -> None:
    assert not is_id(value)
    with pytest.raises(UnusableUser, match=r"User\.get_id\(\) must return a non-empty str"):
        checked_id(User(value), "get_id")


def test_a_refused_id_is_described_and_not_told() -> None:
    with pytest.raises(ValueError, match=r"not str of length 2049\.") as caught:
        checked_id(User("secret-" + "x" * 2042), "get_id")
    assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match=r"not NoneType\."):
        checked_id(User(None), "get_id")


@pytest.mark.parametrize("name", ["get_id", "name"])
def test_who_has_no_id_is_refused_where_its_developer_sees_it(name: str) -> None:
    class Nameless:
        is_active = is_authenticated = True

    said = rf"^Nameless has no {name}\(\)\. Derive the class from UserMixin\.$"
    with pytest.raises(UnusableUser, match=said):
        checked_id(Nameless(), name)


@pytest.mark.parametrize("value", ["secret", b"secret", 7])
def test_an_id_is_no_user_and_is_not_told(value: Any) -> None:
    with pytest.raises(UnusableUser, match="object that your user_loader returns") as caught:
        checked_activity(value)
    assert f"of type {type(value).__name__}." in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_manager_may_name_another_method_of_the_id() -> None:
    class Other:
        def name(self) -> str:
            return "bob"

    assert id_of(Other(), "name") == "bob"
    assert checked_id(Other(), "name") == "bob"
    with pytest.raises(UnusableUser, match=r"Other\.size\(\)"):
        Other.size = lambda self: None  # type: ignore[attr-defined]
        checked_id(Other(), "size")


@pytest.mark.parametrize(("one", "other"), [(7, 7), ("7", "7"), (7, "7"), ("7", 7), (-1, "-1")])
def test_ids_of_one_text_name_the_same_user(one: Any, other: Any) -> None:
    assert same_id(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [(7, 8), ("7", "8"), (7, "07"), (None, "None"), ("None", None), ("[]", []), ("7.0", 7.0)],
)
def test_other_texts_and_what_is_no_id_name_nobody_else(one: Any, other: Any) -> None:
    assert not same_id(one, other)


# --- flags ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "is_set"), [(True, True), (False, False), (1, True), (0, False), (None, False)]
)
def test_a_flag_is_a_plain_value(value: Any, is_set: bool) -> None:
    assert flag(value) is is_set


def test_a_method_is_no_flag() -> None:
    with pytest.raises(UnusableUser, match="not function: make them properties"):
        flag(lambda: False)


def test_an_awaitable_is_no_flag() -> None:
    async def is_active() -> bool:
        return False

    coroutine = is_active()
    with pytest.raises(UnusableUser, match="not coroutine: make them properties"):
        flag(coroutine)
    coroutine.close()


@pytest.mark.parametrize("active", [True, False])
def test_whether_a_user_is_active_is_asked_of_the_user(active: bool) -> None:
    assert checked_activity(User(7, active=active)) is active


def test_none_is_no_user_to_log_in() -> None:
    with pytest.raises(UnusableUser, match=r"None is no user"):
        checked_activity(None)


def test_an_object_without_the_flags_is_no_user() -> None:
    class HalfAUser:
        is_authenticated = True

    for thing in (object(), HalfAUser()):
        with pytest.raises(UnusableUser, match=r"no attribute .* Derive the class from UserMixin"):
            checked_activity(thing)


@pytest.mark.parametrize("part", ["is_active", "is_authenticated"])
def test_a_user_whose_flag_is_a_method_is_none(part: str) -> None:
    class Careless(UserMixin):
        pass

    setattr(Careless, part, lambda self: False)
    with pytest.raises(UnusableUser, match="make them properties"):
        checked_activity(Careless())


# --- the mixins ----------------------------------------------------------------------------------


def test_a_member_is_active_and_named_by_its_id_as_text() -> None:
    member = Member(7)
    assert member.is_active is True
    assert member.is_authenticated is True
    assert member.is_anonymous is False
    assert member.get_id() == "7"
    assert isinstance(member, users.User)


def test_an_inactive_member_is_not_authenticated() -> None:
    class Locked(Member):
        is_active = False

    assert Locked(7).is_authenticated is False


def test_a_member_without_an_id_says_what_to_do() -> None:
    with pytest.raises(NotImplementedError, match="override `get_id`"):
        UserMixin().get_id()


def test_members_are_equal_if_their_ids_are() -> None:
    for other, equal in ((Member("7"), True), (Member(8), False)):
        assert (Member(7) == other) is equal
        assert (Member(7) != other) is not equal


def test_a_member_equals_nothing_but_members() -> None:
    assert Member(7) != "7"
    assert Member(7).__eq__("7") is NotImplemented
    assert Member(7).__ne__("7") is NotImplemented


def test_members_can_be_kept_in_a_set() -> None:
    one, twin = Member(7), Member(7)
    assert len({one, twin, one}) == 2


def test_the_anonymous_user_is_nobody() -> None:
    nobody = AnonymousUserMixin()
    assert nobody.is_authenticated is False
    assert nobody.is_active is False
    assert nobody.is_anonymous is True
    assert nobody.get_id() is None
    assert isinstance(nobody, users.User)


# --- proxies and epochs --------------------------------------------------------------------------


def test_a_proxy_is_taken_for_the_user_behind_it() -> None:
    user = User(7)
    assert unwrap(LocalProxy(lambda: user)) is user
    assert unwrap(user) is user


def with_epoch(epoch: Any) -> Any:
    user: Any = User(7)
    user.session_epoch = epoch
    return user


def test_an_epoch_leaves_as_a_digest_only() -> None:
    digest = epoch_of(with_epoch("$argon2$the-password-hash"))
    assert digest is not None
    assert len(digest) == 32 and "argon2" not in digest and int(digest, 16)


@pytest.mark.parametrize("pair", [("1", "2"), (1, 2), (0, 1), ("\udc80", "\udc81"), ("", "a")])
def test_another_epoch_is_another_digest(pair: tuple[Any, Any]) -> None:
    one, other = (epoch_of(with_epoch(epoch)) for epoch in pair)
    assert one is not None and other is not None and one != other
    assert epoch_of(with_epoch(pair[0])) == one


def test_a_user_whose_class_offers_no_epoch_has_none() -> None:
    assert epoch_of(object()) is None


def test_none_is_an_epoch_like_any() -> None:
    """Of a password that was never changed, say: the first change ends older logins."""
    assert epoch_of(with_epoch(None)) not in (None, epoch_of(with_epoch(1)))


@pytest.mark.parametrize(
    ("one", "other"), [("77", "7"), (77, "7"), ("7", 77), ("a7", "7"), ("7", "7 ")]
)
def test_an_id_is_not_another_s_though_one_is_in_the_other(one: Any, other: Any) -> None:
    assert not same_id(one, other)


class Flags(Member):
    """A user whose flags say different things."""

    is_active: Any = True
    is_authenticated: Any = True

    def __init__(self, active: Any, authenticated: Any) -> None:
        super().__init__("7")
        self.is_active, self.is_authenticated = active, authenticated


def test_who_is_not_active_may_not_be_logged_in_though_the_other_flag_says_yes() -> None:
    assert checked_activity(Flags(False, True)) is False
    assert objection(Flags(False, True), "get_id", "7") is Reason.USER_INACTIVE


@pytest.mark.parametrize("flags", [(lambda: False, True), (True, lambda: False)])
def test_a_flag_that_is_a_method_lets_nobody_in_whatever_the_other_says(flags: Any) -> None:
    assert objection(Flags(*flags), "get_id", "7") is Reason.NOT_A_USER
    with pytest.raises(UnusableUser, match="make them properties"):
        checked_activity(Flags(*flags))
