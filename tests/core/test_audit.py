"""Is this application's configuration fit to be deployed?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from core.paper import Manager
from core.test_cookies import FRAMEWORK

from quart_login._core import settings
from quart_login._core.audit import _VARIED, audit, audit_all
from quart_login._core.cookies import secure
from quart_login._core.errors import ConfigurationError
from quart_login._core.findings import Finding, State, report
from quart_login._core.quart_auth import described, serializer_class
from quart_login._core.realms import EXTENSION
from quart_login._core.settings import reader
from quart_login.stores.memory import MemoryStore

KEY = "0123456789abcdef0123456789abcdef"

#: A configuration with nothing to mend.
GOOD: dict[str, Any] = {
    **FRAMEWORK,
    "SECRET_KEY": KEY,
    "LOGIN_SECURE_COOKIES": True,
    "PERMANENT_SESSION_LIFETIME": timedelta(days=1),
    "LOGIN_LIFETIME": timedelta(days=30),
    "REMEMBER_COOKIE_DURATION": timedelta(days=30),
    "LOGIN_AUDIENCE": "shop",
    "REMEMBER_COOKIE_LEGACY_UNTIL": "2026-01-01",
    "LOGIN_CLEAR_SITE_DATA": ["cache"],
}


#: What tutorials and answers on the web have for a key.
KNOWN = """
    dev devkey secret secretkey mysecret mysecretkey supersecret supersecretkey topsecret
    changeme changethis pleasechangeme development developmentkey notasecret verysecret
    verysecretkey hardtoguessstring youwillneverguess thisisasecretkey thisshouldbeasecret
    password key test testing random abc123 123456
"""


class Stateless:
    """A session interface that keeps the session in the cookie."""

    def get_signing_serializer(self, app: Any) -> None: ...


def findings(
    config: dict[str, Any] | None = None,
    *,
    realm: str | None = None,
    sessions: Any = None,
    **app: Any,
) -> list[Finding]:
    """Return what is said of an application with *config* over a good one."""
    whole = {**GOOD, **(config or {})}
    try:
        secure(whole, reader(whole))
    except ConfigurationError:
        whole["LOGIN_SECURE_COOKIES"] = False
    manager = Manager(realm)
    manager.sessions = sessions
    made = SimpleNamespace(
        **{
            "config": whole,
            "debug": False,
            "testing": False,
            "session_interface": Stateless(),
            **app,
        }
    )
    return audit(made, manager)


def wrong(*args: Any, **kwargs: Any) -> list[tuple[str, str]]:
    """Return what must be mended: the requirement, and what is set."""
    found = findings(*args, **kwargs)
    assert all(finding.advice for finding in found if finding.state is not State.OK)
    return [(one.requirement, one.found) for one in found if one.state is State.WRONG]


def test_a_good_configuration_has_nothing_to_mend() -> None:
    assert wrong() == []


def test_every_requirement_of_cookies_and_sessions_that_settings_decide_is_answered() -> None:
    numbers = {finding.requirement for finding in findings()}
    assert {"3.3.1", "3.3.2", "3.3.3", "3.3.4", "3.3.5"} <= numbers
    assert {"7.1.1", "7.1.2", "7.2.1", "7.2.2", "7.2.4", "7.3.1", "7.3.2"} <= numbers
    assert {f"7.4.{n}" for n in range(1, 6)} <= numbers
    assert {"7.5.1", "7.5.2", "7.5.3", "7.6.2"} <= numbers


def test_findings_come_in_the_order_of_the_standard() -> None:
    numbers = [finding.requirement for finding in findings()]
    assert numbers[0].startswith("3.3.") and numbers[-1] == ""
    parts = [[int(part) for part in number.split(".")] for number in numbers if number]
    assert parts == sorted(parts)


@pytest.mark.parametrize(
    ("config", "number", "found"),
    [
        ({"SESSION_COOKIE_SAMESITE": "None"}, "3.3.2", "SESSION_COOKIE_SAMESITE = 'None'"),
        ({"REMEMBER_COOKIE_NAME": "__Secure-r"}, "3.3.3", "REMEMBER_COOKIE_NAME = '__Secure-r'"),
        ({"LOGIN_DISABLED": True}, "8.3.1", "LOGIN_DISABLED = True"),
        ({"SECRET_KEY": None}, "11.5.1", "SECRET_KEY is missing"),
        ({"SECRET_KEY": ""}, "11.5.1", "SECRET_KEY is missing"),
        ({"SECRET_KEY": "dev"}, "11.5.1", "SECRET_KEY is known to everybody"),
        ({"SECRET_KEY": b"Super Secret-Key!"}, "11.5.1", "SECRET_KEY is known to everybody"),
        ({"SECRET_KEY": "0123456789abcde"}, "11.5.1", "SECRET_KEY can be guessed"),
        ({"SECRET_KEY": "0123456" * 9}, "11.5.1", "SECRET_KEY can be guessed"),
        ({"SECRET_KEY_FALLBACKS": ["old"]}, "11.5.1", "SECRET_KEY_FALLBACKS[0] can be guessed"),
        (
            {"PERMANENT_SESSION_LIFETIME": timedelta(days=31)},
            "7.3.1",
            "PERMANENT_SESSION_LIFETIME = 31 days",
        ),
        (
            {"REMEMBER_COOKIE_DURATION": 10**7},
            "7.3.2",
            "REMEMBER_COOKIE_DURATION = 115 days, 17:46:40",
        ),
        (
            {"REMEMBER_COOKIE_REFRESH_EACH_REQUEST": True},
            "7.3.2",
            "REMEMBER_COOKIE_REFRESH_EACH_REQUEST = True",
        ),
        ({"LOGIN_FRESH_DURATION": None}, "7.5.1", "LOGIN_FRESH_DURATION = without end"),
        ({"LOGIN_FRESH_DURATION": timedelta(days=2)}, "7.5.1", "LOGIN_FRESH_DURATION = 2 days"),
        ({"SESSION_PROTECTION": None}, "", "SESSION_PROTECTION = None"),
        (
            {"REMEMBER_COOKIE_FORMAT": "flask-login", "LOGIN_AUDIENCE": None},
            "9.2.1",
            "REMEMBER_COOKIE_FORMAT = 'flask-login'",
        ),
        ({"LOGIN_CACHE_CONTROL_PRIVATE": False}, "14.2.2", "LOGIN_CACHE_CONTROL_PRIVATE = False"),
        (
            {"LOGIN_CLEAR_SESSION_ON_LOGOUT": False},
            "14.3.1",
            "LOGIN_CLEAR_SESSION_ON_LOGOUT = False",
        ),
        ({"LOGIN_LOAD_USER": "lazy"}, "", "a setting cannot work"),
        ({"SECRET_KEY_FALLBACKS": KEY}, "", "a setting cannot work"),
        ({"LOGIN_ASSURANCE_LEVEL": "aal4"}, "", "a setting cannot work"),
        ({"LOGIN_LIFETIME": None}, "7.3.2", "stateless: a session that is used goes on without"),
        ({"LOGIN_LIFETIME": timedelta(days=31)}, "7.3.2", "logins end after 31 days, used or not"),
        ({"LOGIN_IDLE_TIMEOUT": 31 * 86400}, "7.3.1", "logins end after 31 days unused"),
    ],
)
def test_what_is_wrong_is_found(config: dict[str, Any], number: str, found: str) -> None:
    assert any(number == one and said.startswith(found) for one, said in wrong(config))


def test_the_frameworks_cookies_as_they_come_are_found_wrong() -> None:
    config = {"LOGIN_SECURE_COOKIES": False}
    assert [number for number, _ in wrong(config)] == ["3.3.1"] * 4 + ["3.3.2"] * 2 + ["3.3.3"] * 2
    [row] = [
        one for one in findings(config) if one.requirement == "3.3.3" and "REMEMBER" in one.found
    ]
    assert "REMEMBER_COOKIE_NAME = '__Host-remember_token'" in row.advice


def test_a_cookie_that_scripts_can_read_is_wrong() -> None:
    config = {"LOGIN_SECURE_COOKIES": False, "SESSION_COOKIE_HTTPONLY": False}
    assert ("3.3.4", "SESSION_COOKIE_HTTPONLY = False") in wrong(config)


def test_a_switch_that_is_for_development_is_wrong() -> None:
    assert ("13.4.2", "DEBUG = True") in wrong(debug=True)
    assert ("13.4.2", "TESTING = True") in wrong(testing=True)


def test_methods_that_were_added_to_the_exempt_ones_are_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "EXEMPT_METHODS", {"OPTIONS", "GET"})
    assert ("8.3.1", "EXEMPT_METHODS = ['GET', 'OPTIONS']") in wrong()


def test_secure_cookies_that_came_too_late_are_wrong() -> None:
    app = SimpleNamespace(config=GOOD, debug=False, testing=False, session_interface=Stateless())
    [row] = [one for one in audit(app, Manager()) if one.found.startswith("LOGIN_SECURE_COOKIES")]
    assert row.state is State.WRONG and "before" in row.advice.lower()


@pytest.mark.parametrize(
    ("config", "number", "found"),
    [
        ({"SESSION_COOKIE_DOMAIN": "x.example"}, "3.3.3", "SESSION_COOKIE_DOMAIN = 'x.example'"),
        ({"REMEMBER_COOKIE_PATH": "/app"}, "3.3.3", "REMEMBER_COOKIE_PATH = '/app'"),
        ({"REMEMBER_COOKIE_FORMER_NAME": "old"}, "3.3.3", "REMEMBER_COOKIE_FORMER_NAME = 'old'"),
        ({"SECRET_KEY_FALLBACKS": [KEY]}, "13.3.4", "SECRET_KEY_FALLBACKS has 1"),
        ({"LOGIN_AUDIENCE": None}, "9.2.3", "LOGIN_AUDIENCE = None"),
        ({"REMEMBER_COOKIE_LEGACY_UNTIL": None}, "9.2.1", "REMEMBER_COOKIE_LEGACY_UNTIL = None"),
        ({"LOGIN_CLEAR_SITE_DATA": ()}, "14.3.1", "LOGIN_CLEAR_SITE_DATA is empty"),
        ({}, "7.4.2", "whom the loader does not return"),
        ({}, "7.1.1", "session 1 day, login 30 days, remembered 30 days, fresh 1 day"),
    ],
)
def test_what_cannot_be_seen_is_left_to_the_reader(
    config: dict[str, Any], number: str, found: str
) -> None:
    unseen = [one for one in findings(config) if one.state is State.UNSEEN]
    assert any(number == one.requirement and found in one.found for one in unseen)
    assert wrong(config) == []


@pytest.mark.parametrize(("until", "told"), [(None, [State.UNSEEN]), ("2027-01-01", [])])
def test_another_library_s_cookie_that_is_read_for_ever_is_left_to_the_reader(
    until: str | None, told: list[State]
) -> None:
    manager = Manager()
    manager.adopted = described(
        {}, {}, until=until, remember=False, user_id=str, serializer_class=serializer_class
    )
    app = SimpleNamespace(config=GOOD, debug=False, testing=False, session_interface=Stateless())
    found = [one for one in audit(app, manager) if "QUART_AUTH" in one.found]
    assert [one.state for one in found] == told


def unmet(**app: Any) -> set[str]:
    return {one.requirement for one in findings(**app) if one.state is State.UNMET}


def test_what_needs_sessions_on_a_server_is_said_to_be_not_met_without_them() -> None:
    needing = {"7.1.2", "7.2.2", "7.2.4", "7.4.1", "7.4.3", "7.4.5", "7.5.2"}
    assert unmet() == needing | {"7.5.3"}


def test_where_an_interface_keeps_them_it_is_for_the_reader_to_check() -> None:
    class OnTheServer: ...

    assert unmet(session_interface=OnTheServer()) == {"7.5.3"}
    assert any("OnTheServer" in one.found for one in findings(session_interface=OnTheServer()))


# --- with a store --------------------------------------------------------------------------------

#: The requirements of V7 that depend on where login sessions are kept.
KEPT = ("7.1.2", "7.2.2", "7.2.3", "7.2.4", "7.4.1", "7.4.2", "7.4.3", "7.4.5", "7.5.2")


def kept(**config: Any) -> dict[str, list[Finding]]:
    """Return what is said of an application with a store, by requirement."""
    said: dict[str, list[Finding]] = {}
    for one in findings({"LOGIN_LIFETIME": None, **config}, sessions=MemoryStore()):
        said.setdefault(one.requirement, []).append(one)
    return said


def test_with_a_store_nothing_is_said_to_be_not_met_for_want_of_one() -> None:
    said = kept()
    assert all(len(said[number]) == 1 for number in KEPT)
    unmet = {one.requirement for some in said.values() for one in some if one.state is State.UNMET}
    assert unmet == {"7.5.3"}
    assert not any("stateless" in one.found for some in said.values() for one in some)


@pytest.mark.parametrize(
    ("number", "state"),
    [
        *(("7.1.2", State.UNSEEN), ("7.2.2", State.OK), ("7.2.3", State.OK), ("7.2.4", State.OK)),
        *(("7.4.1", State.OK), ("7.4.2", State.UNSEEN), ("7.4.3", State.UNSEEN)),
        *(("7.4.5", State.OK), ("7.5.2", State.UNSEEN)),
    ],
)
def test_what_a_store_does_is_ok_and_what_is_left_to_do_is_said(number: str, state: State) -> None:
    [one] = kept()[number]
    assert one.state is state and bool(one.advice) is (state is not State.OK)


def test_the_store_may_be_beside_a_session_interface_of_any_kind() -> None:
    said = findings({}, sessions=MemoryStore(), session_interface=object())
    assert [one.state for one in said if one.requirement == "7.4.1"] == [State.OK]


def test_a_realm_without_a_store_is_told_of_it() -> None:
    app = SimpleNamespace(
        config=GOOD, debug=False, testing=False, session_interface=Stateless(), extensions={}
    )
    kept, stateless = Manager(), Manager("staff")
    kept.sessions = MemoryStore()
    app.extensions[EXTENSION] = {None: kept, "staff": stateless}
    said = {(one.realm, one.state) for one in audit_all(app) if one.requirement == "7.4.1"}
    assert said == {(None, State.OK), ("staff", State.UNMET)}


def test_the_number_of_sessions_is_said() -> None:
    [one] = kept(LOGIN_MAX_SESSIONS=5, LOGIN_MAX_SESSIONS_REACHED="refuse")["7.1.2"]
    assert one.state is State.OK
    assert one.found == "LOGIN_MAX_SESSIONS = 5, LOGIN_MAX_SESSIONS_REACHED = 'refuse'"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "login 30 days, idle without end, remembered 30 days, fresh 1 day"),
        ({"LOGIN_ASSURANCE_LEVEL": "aal2"}, "login 1 day, idle 1:00:00, remembered never"),
        ({"LOGIN_ASSURANCE_LEVEL": "aal3"}, "login 12:00:00, idle 0:15:00, remembered never"),
        ({"LOGIN_ASSURANCE_LEVEL": "aal3", "LOGIN_IDLE_TIMEOUT": 60}, "idle 0:01:00"),
        ({"LOGIN_LIFETIME": 86_400 * 10**5}, "login 100000 days"),
    ],
)
def test_the_limits_in_force_are_said_beside_nists(config: dict[str, Any], said: str) -> None:
    [one] = kept(**config)["7.1.1"]
    assert one.state is State.UNSEEN and said in one.found
    assert "30 days (AAL1); 24 hours, and 1 hour idle (AAL2)" in one.advice


@pytest.mark.parametrize(
    ("config", "level"),
    [
        ({}, "AAL1"),
        ({"LOGIN_LIFETIME": 3600, "LOGIN_IDLE_TIMEOUT": 60}, "AAL1"),  # remember-me is on
        ({"LOGIN_ASSURANCE_LEVEL": "aal2"}, "AAL2"),
        ({"LOGIN_ASSURANCE_LEVEL": "aal2", "LOGIN_LIFETIME": timedelta(hours=13)}, "AAL2"),
        ({"LOGIN_ASSURANCE_LEVEL": "aal2", "LOGIN_IDLE_TIMEOUT": timedelta(hours=2)}, "AAL1"),
        ({"LOGIN_ASSURANCE_LEVEL": "aal3"}, "AAL3"),
    ],
)
def test_the_level_that_the_limits_fit_is_said(config: dict[str, Any], level: str) -> None:
    [one] = kept(**config)["7.1.1"]
    assert one.advice.startswith(f"They fit {level}. ")


def test_limits_that_fit_no_level_are_said_to_fit_none() -> None:
    for key in ("LOGIN_LIFETIME", "REMEMBER_COOKIE_DURATION"):
        [one] = kept(**{key: timedelta(days=31)})["7.1.1"]
        assert one.advice.startswith("Write down")


def test_an_idle_limit_is_asked_for() -> None:
    [none] = kept()["7.3.1"]
    assert (none.state, none.found) == (State.WRONG, "LOGIN_IDLE_TIMEOUT = None")
    [set] = kept(LOGIN_IDLE_TIMEOUT=timedelta(days=7))["7.3.1"]
    assert (set.state, set.found) == (State.OK, "logins end after 7 days unused")


def test_a_last_day_is_asked_for_of_logins_and_of_remember_cookies() -> None:
    assert [one.state for one in kept()["7.3.2"]] == [State.OK, State.OK]
    longer = kept(LOGIN_LIFETIME=timedelta(days=60), REMEMBER_COOKIE_DURATION=86_400 * 365)
    assert [one.state for one in longer["7.3.2"]] == [State.WRONG, State.WRONG]
    never = kept(LOGIN_ASSURANCE_LEVEL="aal2", REMEMBER_COOKIE_DURATION=86_400 * 365)
    assert [one.state for one in never["7.3.2"]] == [State.OK, State.OK]


def test_a_cookie_that_would_be_renewed_at_each_request_is_not_where_a_store_is() -> None:
    said = kept(REMEMBER_COOKIE_REFRESH_EACH_REQUEST=True)["7.3.2"]
    assert not any("EACH_REQUEST" in one.found for one in said)


def pieces(text: str) -> Iterator[str]:
    return (text[start : start + 6] for start in range(len(text) - 5))


def test_no_finding_shows_a_part_of_a_key() -> None:
    keys = {"SECRET_KEY": "correct horse battery", "SECRET_KEY_FALLBACKS": ["staple", b"dev"]}
    said = repr(findings(keys))
    assert "SECRET_KEY_FALLBACKS[1]" in said
    for key in ("correct horse battery", "staple"):
        assert not any(piece in said for piece in pieces(key))


def test_a_finding_says_whose_realm_it_is_of_and_can_be_json() -> None:
    rows = [one.as_dict() for one in findings({"LOGIN_DISABLED": True}, realm="staff")]
    assert {row["realm"] for row in rows} == {"staff"}
    assert any("staff_remember_token" in str(row["found"]) for row in rows)
    assert {row["state"] for row in json.loads(json.dumps(rows))} <= {str(one) for one in State}


def test_what_is_set_to_nothing_is_not_set() -> None:
    found = findings({"LOGIN_CLEAR_SITE_DATA": None})
    states = [one.state for one in found if one.requirement == "14.3.1"]
    assert states == [State.OK, State.UNSEEN]
    assert "LOGIN_CLEAR_SITE_DATA = ['cache']" in [one.found for one in findings()]


def test_strict_is_as_good_as_lax() -> None:
    assert wrong({"SESSION_COOKIE_SAMESITE": "Strict"}) == []


def test_a_key_is_measured_in_bytes() -> None:
    for key, size in (("äöüßéèàùçâêîôûñ", 30), ("äöüßéèàùçâêîôûñ".encode("latin1"), 15)):
        said = [one.found for one in findings({"SECRET_KEY": key}) if one.requirement == "11.5.1"]
        assert said == [
            f"SECRET_KEY is {size} bytes long" if size > 16 else "SECRET_KEY can be guessed"
        ]


def test_a_key_of_few_letters_can_be_guessed_and_one_of_some_cannot() -> None:
    few = "".join(chr(97 + number) for number in range(_VARIED - 1)).ljust(40, "a")
    assert wrong({"SECRET_KEY": few}) == [("11.5.1", "SECRET_KEY can be guessed")]
    assert wrong({"SECRET_KEY": few + "z"}) == []


def test_an_end_of_flask_login_s_form_is_seen() -> None:
    unset = "REMEMBER_COOKIE_LEGACY_UNTIL = None"
    assert unset not in [one.found for one in findings()]
    assert unset in [one.found for one in findings({"REMEMBER_COOKIE_LEGACY_UNTIL": None})]


def test_what_is_never_remembered_needs_no_short_cookie() -> None:
    strict = {"LOGIN_ASSURANCE_LEVEL": "aal2", "LOGIN_LIFETIME": None}
    found = findings({**strict, "REMEMBER_COOKIE_DURATION": timedelta(days=365)})
    [limits] = [one for one in found if one.requirement == "7.1.1"]
    assert limits.advice.startswith("They fit AAL2.")


def test_without_a_store_the_advice_is_to_have_one_but_where_there_is_a_better() -> None:
    advice = {one.requirement: one.advice for one in findings() if one.state is State.UNMET}
    assert "session_epoch" in advice["7.4.3"] and "session_epoch" not in advice["7.4.1"]


def test_either_mode_of_protection_is_one_and_an_audience_is_seen() -> None:
    for mode in ("basic", "strong"):
        assert wrong({"SESSION_PROTECTION": mode}) == []
    [audience] = [one for one in findings() if one.requirement == "9.2.3"]
    assert audience.state is State.OK


def test_sixteen_bytes_are_enough() -> None:
    assert wrong({"SECRET_KEY": KEY[:16]}) == []
    assert wrong({"SECRET_KEY": KEY[:15]}) == [("11.5.1", "SECRET_KEY can be guessed")]


def test_the_limits_are_said_that_are_set_without_a_store() -> None:
    def said(**config: Any) -> str:
        found = findings({"LOGIN_LIFETIME": timedelta(hours=1), **config})
        return next(one.found for one in found if one.requirement == "7.1.1")

    assert "idle" not in said() and "idle" in said(LOGIN_IDLE_TIMEOUT=60)


def test_who_is_never_remembered_is_told_by_which_level() -> None:
    found = [one.found for one in findings({"LOGIN_ASSURANCE_LEVEL": "aal2"})]
    assert "nobody is remembered: LOGIN_ASSURANCE_LEVEL = 'aal2'" in found


def test_a_state_is_a_word_in_json() -> None:
    assert Finding("1.1", State.WRONG, "found").as_dict()["state"] == "wrong"


@pytest.mark.parametrize("end", ["", "!"])
@pytest.mark.parametrize("key", KNOWN.split())
def test_a_key_that_is_in_books_is_known_to_everybody(key: str, end: str) -> None:
    assert wrong({"SECRET_KEY": key.upper() + end}) == [
        ("11.5.1", "SECRET_KEY is known to everybody")
    ]


def test_a_report_has_a_line_below_its_head_and_advice_has_an_arrow() -> None:
    long = "a-long-word-with-hyphens " * 6
    finding = Finding("3.3.1", State.WRONG, "found", long.strip())
    head, rule, found, *advice = report([finding], 0).splitlines()
    assert len(rule) == len(head) and found.endswith("found")
    assert head.split()[:2] == ["ASVS", "State"]
    assert [line.strip() for line in advice] == [f"-> {long.strip()}"]
    head, rule, found, *advice = report([finding], 60).splitlines()
    assert len(rule) == 60 and advice[0].strip().startswith("-> a-long")
    assert all(line.split()[-1] == "a-long-word-with-hyphens" for line in advice)
