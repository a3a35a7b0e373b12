"""What is told of an event, and to whom?"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from blinker import Signal
from core.paper import KEY, Paper, User, make_request

from quart_login._core import events, signals
from quart_login._core.reasons import Reason
from quart_login._core.report import report_login_failure
from quart_login._core.step import step
from quart_login._core.tokens import encode_legacy, key_bytes, pseudonym

FIELDS = ("event", "reason", "realm", "user", "identifier", "remote_addr", "method", "route")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """Return the log of this library, from DEBUG on."""
    with caplog.at_level(logging.DEBUG, "quart_login"):
        yield caplog


def fail(exchange: Paper, *args: Any, **kwargs: Any) -> None:
    step(report_login_failure(exchange, *args, **kwargs))


# --- the line ------------------------------------------------------------------------------------


def test_a_line_has_its_fields_and_says_them() -> None:
    [line] = written(Paper(), signals.user_logged_in, user=User(7))
    stands = pseudonym("7", KEY, None)
    assert {field: getattr(line, field) for field in FIELDS} == {
        "event": "user_logged_in",
        "reason": None,
        "realm": None,
        "user": stands,
        "identifier": None,
        "remote_addr": "127.0.0.1",
        "method": "GET",
        "route": None,
    }
    assert line.getMessage() == f"user_logged_in user={stands} remote_addr=127.0.0.1 method=GET"
    assert line.levelno == logging.INFO and line.name == "quart_login"


def written(exchange: Paper, signal: Signal, **what: Any) -> list[logging.LogRecord]:
    """Return what is logged of *signal*."""
    found: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = found.append  # type: ignore[method-assign]
    before = events.logger.level
    events.logger.addHandler(handler)
    events.logger.setLevel(logging.DEBUG)
    try:
        events.note(exchange, signal, **what)
    finally:
        events.logger.removeHandler(handler)
        events.logger.setLevel(before)
    return found


def test_a_line_of_a_realm_names_it_and_has_digests_of_its_own() -> None:
    it = Paper()
    it.manager.name = it.manager.realm = "staff"
    [line] = written(it, signals.user_logged_in, user=User(7))
    assert line.realm == "staff"  # type: ignore[attr-defined]
    assert line.user == pseudonym("7", KEY, "staff") != pseudonym("7", KEY, None)  # type: ignore[attr-defined]


def test_every_signal_has_a_level_but_that_of_a_look() -> None:
    there = {signal for signal in vars(signals).values() if isinstance(signal, Signal)}
    assert events.LEVELS.keys() == there - {signals.user_accessed}


def test_a_signal_that_is_not_ours_is_logged_too() -> None:
    [line] = written(Paper(), Signal(), user=User(7))
    assert line.levelno == logging.INFO


@pytest.mark.parametrize("reason", events.GRAVER)
def test_a_grave_refusal_is_graver(reason: Reason) -> None:
    [line] = written(Paper(), signals.credential_rejected, reason=reason)
    assert line.levelno == events.GRAVER[reason] > logging.INFO
    assert line.getMessage().startswith(f"credential_rejected reason={reason.value} ")


def test_a_line_is_of_the_request_s_user_where_no_other_is_named() -> None:
    it = Paper()
    it.bind(User(7))
    [line] = written(it, signals.user_unauthorized)
    assert line.user == pseudonym("7", KEY, None)  # type: ignore[attr-defined]
    it.identity.loaded = False
    [line] = written(it, signals.user_unauthorized)
    assert line.user is None  # type: ignore[attr-defined]


def test_a_user_without_an_id_is_nobody() -> None:
    for user in (object(), User(None), User(["a list"]), User(1 << 5000)):
        [line] = written(Paper(), signals.user_logged_in, user=user)
        assert line.user is None  # type: ignore[attr-defined]


def test_nothing_is_computed_where_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: Any) -> Any:
        raise AssertionError("computed")

    monkeypatch.setattr(events, "_log", never)
    monkeypatch.setattr(events, "_who", never)
    monkeypatch.setattr(events.logger, "isEnabledFor", lambda level: False)
    for signal in events.LEVELS:
        events.note(Paper(), signal, user=User(7), error=ValueError())
    events.note_receiver(Paper(), signals.user_logged_in, ValueError())
    events.note_store(Paper(), ValueError())


def test_the_application_s_own_fields_in_a_line_are_no_error(lines: Any) -> None:
    made = logging.getLogRecordFactory()

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = made(*args, **kwargs)
        record.remote_addr = record.route = record.event = "the application's"
        return record

    logging.setLogRecordFactory(factory)
    try:
        events.note(Paper(), signals.user_logged_in, user=User(7))
    finally:
        logging.setLogRecordFactory(made)
    assert lines.records[0].event == "user_logged_in"


# --- what is not in it ---------------------------------------------------------------------------


def test_a_line_tells_the_route_and_not_the_path() -> None:
    it = Paper(path="/reset/the-token", query_string=b"next=/&token=the-token")
    it.request.url_rule = make_request(rule="/reset/<token>")
    [line] = written(it, signals.user_logged_in, user=User(7))
    assert line.route == "/reset/<token>"  # type: ignore[attr-defined]
    assert "the-token" not in repr(vars(line))


def test_the_id_is_shown_by_a_setting_and_what_was_typed_never() -> None:
    it = Paper(config={"LOGIN_LOG_USER_IDS": True})
    user = User("zoë\n@example.org")
    [line] = written(it, signals.user_login_failed, user=user, identifier="hunter2")
    assert line.user == "zo\\xeb\\n@example.org"  # type: ignore[attr-defined]
    assert line.identifier == pseudonym("hunter2", KEY, None)  # type: ignore[attr-defined]
    assert "hunter2" not in repr(vars(line))


def test_without_a_key_nobody_is_named() -> None:
    it = Paper(config={"SECRET_KEY": None})
    [line] = written(it, signals.user_login_failed, user=User(7), identifier="alice")
    assert line.user is line.identifier is None  # type: ignore[attr-defined]


def test_a_digest_depends_on_the_key_and_is_no_signature() -> None:
    assert pseudonym("7", KEY, None) == pseudonym("7", KEY, None) != pseudonym("7", KEY + "x", None)
    assert pseudonym("7", KEY, None) not in encode_legacy("7", KEY)
    assert key_bytes(KEY) == KEY.encode()
    assert len(pseudonym("\ud800", KEY, None)) == 16


@pytest.mark.parametrize("address", ["1.2.3.4\nWARNING forged", "\r\n", "\x1b[31m", "\u2028", "é"])
def test_a_visitor_s_text_breaks_no_line(address: str) -> None:
    [line] = written(Paper(remote_addr=address, method=address), signals.user_login_failed)
    message = line.getMessage()
    assert message.isascii() and message.isprintable()


def test_a_visitor_s_text_is_cut() -> None:
    [line] = written(Paper(remote_addr="x" * 9999), signals.user_login_failed)
    assert len(line.getMessage()) < 400


@pytest.mark.parametrize("reason", ["no user\nbob", "no such user: bob", "é", "", "x" * 200, 7])
def test_a_reason_that_is_no_word_is_not_shown(reason: Any) -> None:
    [line] = written(Paper(), signals.user_login_failed, reason=reason)
    assert line.reason is None  # type: ignore[attr-defined]


# --- a failed login ------------------------------------------------------------------------------


def test_a_failed_login_is_told_with_all_that_is_known(lines: Any) -> None:
    it = Paper()
    user = User(7)
    fail(it, "alice", reason="wrong_password", user=user, attempt=3)
    assert it.told == [
        (
            "login-failed",
            {
                "identifier": "alice",
                "reason": "wrong_password",
                "user": user,
                "remote_addr": "127.0.0.1",
                "attempt": 3,
            },
        )
    ]
    [line] = lines.records
    assert line.levelno == logging.WARNING and line.reason == "wrong_password"
    assert line.user == pseudonym("7", KEY, None)
    assert line.identifier == pseudonym("alice", KEY, None)
    assert not hasattr(line, "attempt") and "alice" not in lines.text


def test_the_application_may_know_the_client_s_address_better() -> None:
    it = Paper()
    fail(it, "alice", remote_addr="10.0.0.1")
    assert it.told[0][1]["remote_addr"] == "10.0.0.1"


@pytest.mark.parametrize(
    "identifier",
    [None, "", "\ud800", "\0", "x" * 10**6, 7, 10**400, ["a"], {"a": 1}, b"a", True, 1.5],
    ids=repr,
)
def test_no_identifier_is_an_error(identifier: Any, lines: Any) -> None:
    fail(Paper(), identifier)
    assert len(lines.records) == 1 and len(lines.records[0].getMessage()) < 400


def test_only_the_beginning_of_an_endless_name_is_hashed(lines: Any) -> None:
    for end in ("a", "b"):
        fail(Paper(), "x" * 2048 + end)
    assert lines.records[0].identifier == lines.records[1].identifier is not None


def test_a_failed_login_of_an_anonymous_visitor_is_nobody_s(lines: Any) -> None:
    it = Paper()
    it.bind(None)
    fail(it)
    assert lines.records[0].user is lines.records[0].identifier is None


def test_what_a_receiver_of_a_failed_login_raises_is_raised(lines: Any) -> None:
    it = Paper()

    def too_many(name: str) -> None:
        raise RuntimeError("too many")

    it.hear = too_many
    with pytest.raises(RuntimeError, match="too many"):
        fail(it, "alice")
    assert [line.event for line in lines.records] == ["user_login_failed", "receiver_failed"]
    assert lines.records[1].reason == "user_login_failed" and not lines.records[1].exc_info


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR])
def test_a_refused_handshake_is_a_line_like_any(
    caplog: pytest.LogCaptureFixture, level: int
) -> None:
    caplog.set_level(level, "quart_login")
    events.note_refusal(Paper(), "websocket_refused", "foreign_origin", "refused: 100%")
    lines = [vars(line) for line in caplog.records]
    if level == logging.ERROR:
        assert lines == []
        return
    [line] = lines
    assert (line["event"], line["reason"]) == ("websocket_refused", "foreign_origin")
    assert (line["remote_addr"], line["user"]) == ("127.0.0.1", None)
    assert caplog.messages == ["refused: 100%"]


def test_a_store_that_failed_is_told_in_a_line(lines: Any) -> None:
    events.note_store(Paper(), OSError("the address of the store"))
    [line] = lines.records
    assert (line.event, line.levelname, line.reason) == ("store_failed", "WARNING", None)
    assert isinstance(line.exc_info[1], OSError)


def test_login_sessions_are_told_of_by_their_users_and_reasons(lines: Any) -> None:
    it = Paper()
    for reason in (Reason.REVOKED, Reason.REMEMBER_THEFT):
        events.note(it, signals.login_session_ended, user_id=7, reason=reason)
    events.note(it, signals.remember_theft_detected, user_id=7)
    assert [(line.event, line.levelname) for line in lines.records] == [
        ("login_session_ended", "INFO"),
        ("login_session_ended", "WARNING"),
        ("remember_theft_detected", "WARNING"),
    ]
    assert len({line.user for line in lines.records}) == 1


@pytest.mark.parametrize(
    ("reason", "level"), [("store_failed", "ERROR"), ("remember_theft", "WARNING")]
)
def test_graver_reasons_are_graver(lines: Any, reason: str, level: str) -> None:
    events.note(Paper(), signals.credential_rejected, reason=Reason(reason))
    assert lines.records[0].levelname == level


def test_the_line_names_the_user_whom_it_is_of(caplog: pytest.LogCaptureFixture) -> None:
    it = Paper(config={"LOGIN_LOG_USER_IDS": True})
    it.bind(User("bob"))
    events.keep(it, signals.user_loaded_from_cookie, user=User("alice"))
    events.note(it, signals.user_loaded_from_cookie, user=User("carol"))
    events.note(it, signals.user_loaded_from_cookie)
    caplog.set_level(logging.INFO, "quart_login")
    events.keep(it, signals.user_loaded_from_cookie, user=User("alice"))
    events.note(it, signals.user_loaded_from_cookie, user=User("carol"))
    events.note(it, signals.user_loaded_from_cookie)
    assert [line.user for line in caplog.records] == ["alice", "carol", "bob"]  # type: ignore[attr-defined]


def test_a_word_has_a_length() -> None:
    assert events._word("a" * 128) == "a" * 128 and events._word("a" * 129) is None


def test_a_number_that_can_be_an_id_is_a_text() -> None:
    for bits, is_text in ((1024, True), (1025, False)):
        number = 2 ** (bits - 1)
        assert events._text(number) == (str(number) if is_text else None)
