"""Is this application's configuration fit to be deployed?

`audit` compares it with OWASP ASVS 5.0: V3.3 (cookies), V7 (sessions), and what of the other
chapters a login's settings decide.  Every finding carries its requirement's number, what is set,
and what to set.

Rule 1.  A requirement that needs sessions kept on a server is said to be not met where they are
         not; no setting mends that.
Rule 2.  What cannot be seen in the configuration is said to be for the reader to check.
Rule 3.  No finding shows a secret, nor a part of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from . import cookies, settings
from .audit_logins import login_findings
from .cookies import REMEMBER, SESSION, Cookie, Setting
from .errors import ConfigurationError
from .findings import Finding, State, either
from .quart_auth import QuartAuthCookie
from .realms import managers_of
from .tokens import MIN_KEY_BYTES

#: A key of fewer different characters than this was not drawn at random.
_VARIED: Final = 8

#: Keys that tutorials and generators print, in lower case and without separators.
_KNOWN_KEYS: Final = frozenset(
    {
        "dev",
        "devkey",
        "secret",
        "secretkey",
        "mysecret",
        "mysecretkey",
        "supersecret",
        "supersecretkey",
        "topsecret",
        "changeme",
        "changethis",
        "pleasechangeme",
        "development",
        "developmentkey",
        "notasecret",
        "verysecret",
        "verysecretkey",
        "hardtoguessstring",
        "youwillneverguess",
        "thisisasecretkey",
        "thisshouldbeasecret",
        "password",
        "key",
        "test",
        "testing",
        "random",
        "abc123",
        "123456",
    }
)


def audit(app: Any, manager: Any) -> list[Finding]:
    """Return what is to be said of *app* as *manager* sees it, sorted by requirement."""
    config = manager.config_of(app)

    def setting(key: str) -> Any:
        return config.get(key, manager.defaults.get(key))

    found = [
        *_settings_findings(config),
        *_cookie_findings(cookies.cookie(SESSION, setting)),
        *_cookie_findings(cookies.cookie(REMEMBER, setting)),
        *_switch_findings(app, setting),
        *_key_findings(setting),
        *_protection_findings(manager.protection_mode(app)),
        *_token_findings(setting),
        *_adopted_findings(manager.adopted),
        *_cache_findings(setting),
        *login_findings(app, manager, setting),
    ]
    return sorted((replace(one, realm=manager.realm) for one in found), key=_order)


def audit_all(app: Any) -> list[Finding]:
    """Return what is to be said of *app*: of a realm, what was not said of another before."""
    said: dict[Finding, Finding] = {}
    for manager in managers_of(app).values():
        for finding in audit(app, manager):
            said.setdefault(replace(finding, realm=None), finding)
    return sorted(said.values(), key=_order)


def _order(finding: Finding) -> list[int]:
    return [int(part) for part in finding.requirement.split(".") if part] or [99]


def _settings_findings(config: Mapping[str, Any]) -> Iterator[Finding]:
    """Return what an application would be refused for that said it before `init_app`."""
    try:
        settings.check(config)
    except (ConfigurationError, TypeError) as error:
        yield Finding("", State.WRONG, "a setting cannot work", str(error))


# --- cookies -------------------------------------------------------------------------------------


def _cookie_findings(it: Cookie) -> Iterator[Finding]:
    name, family = f"{it.family}_NAME = {it.name!r}", it.family
    yield either(
        "3.3.1",
        it.secure,
        f"{family}_SECURE = {it.secure}",
        f"LOGIN_SECURE_COOKIES = True, or {family}_SECURE = True",
    )
    yield either(
        "3.3.1",
        it.prefix,
        name,
        f"LOGIN_SECURE_COOKIES = True, or {family}_NAME = {cookies.secure_name(it)!r}",
    )
    yield either(
        "3.3.2",
        it.samesite in ("Lax", "Strict"),
        f"{family}_SAMESITE = {it.samesite!r}",
        f"LOGIN_SECURE_COOKIES = True, or {family}_SAMESITE = 'Lax'",
    )
    yield _host_finding(it)
    yield either(
        "3.3.4",
        it.httponly,
        f"{family}_HTTPONLY = {it.httponly}",
        f"{family}_HTTPONLY = True",
    )
    if family == REMEMBER:
        yield Finding("3.3.5", State.OK, "a login whose cookie takes over 4096 bytes is refused")


def _host_finding(it: Cookie) -> Finding:
    if it.prefix.startswith("__host-"):
        return Finding("3.3.3", State.OK, f"{it.family}_NAME = {it.name!r}")
    if it.of_one_host:
        bare = replace(it, name=it.name[len(it.prefix) :])
        advice = f"LOGIN_SECURE_COOKIES = True, or {it.family}_NAME = {cookies.secure_name(bare)!r}"
        return Finding("3.3.3", State.WRONG, f"{it.family}_NAME = {it.name!r}", advice)
    found = f"{it.family}_DOMAIN = {it.domain!r}, {it.family}_PATH = {it.path!r}"
    advice = "Is the cookie meant for other hosts, or for a part of this one? If not, unset them."
    return Finding("3.3.3", State.UNSEEN, found, advice)


# --- switches ------------------------------------------------------------------------------------


def _switch_findings(app: Any, setting: Setting) -> Iterator[Finding]:
    yield either("13.4.2", not app.debug, f"DEBUG = {bool(app.debug)}", "DEBUG = False")
    yield either("13.4.2", not app.testing, f"TESTING = {bool(app.testing)}", "TESTING = False")
    off = bool(setting("LOGIN_DISABLED"))
    yield either("8.3.1", not off, f"LOGIN_DISABLED = {off}", "LOGIN_DISABLED = False")
    exempt = sorted(settings.EXEMPT_METHODS)
    yield either(
        "8.3.1",
        exempt == ["OPTIONS"],
        f"EXEMPT_METHODS = {exempt}",
        "Leave it {'OPTIONS'}: the decorators let everybody's requests of the others pass.",
    )
    if setting("LOGIN_SECURE_COOKIES") and cookies.is_late(setting):
        advice = "Set it before LoginManager(app) or init_app(app)."
        found = "LOGIN_SECURE_COOKIES was set after the LoginManager"
        yield Finding("3.3.1", State.WRONG, found, advice)


# --- keys ----------------------------------------------------------------------------------------

_MAKE_ONE: Final = 'Make one: python -c "import secrets; print(secrets.token_hex(32))"'


def _key_findings(setting: Setting) -> Iterator[Finding]:
    yield _key_finding("SECRET_KEY", setting("SECRET_KEY"))
    fallbacks = list(setting("SECRET_KEY_FALLBACKS") or ())
    for number, key in enumerate(fallbacks):
        finding = _key_finding(f"SECRET_KEY_FALLBACKS[{number}]", key)
        if finding.state is State.WRONG:
            yield replace(finding, advice="Remove it: whoever knows it can log in as anybody.")
    if fallbacks:
        yield Finding(
            "13.3.4",
            State.UNSEEN,
            f"SECRET_KEY_FALLBACKS has {len(fallbacks)} of them",
            "Remove each when the logins that it signed have expired.",
        )


def _key_finding(name: str, key: Any) -> Finding:
    if not key:
        return Finding("11.5.1", State.WRONG, f"{name} is missing", _MAKE_ONE)
    text = key.decode("latin1") if isinstance(key, bytes) else str(key)
    if "".join(filter(str.isalnum, text)).lower() in _KNOWN_KEYS:
        return Finding("11.5.1", State.WRONG, f"{name} is known to everybody", _MAKE_ONE)
    size = len(key if isinstance(key, bytes) else text.encode())
    if size < MIN_KEY_BYTES or len(set(text)) < _VARIED:
        return Finding("11.5.1", State.WRONG, f"{name} can be guessed", _MAKE_ONE)
    return Finding("11.5.1", State.OK, f"{name} is {size} bytes long")


# --- what else settings decide -------------------------------------------------------------------


def _protection_findings(mode: Any) -> Iterator[Finding]:
    yield either(
        "",
        mode in ("basic", "strong"),
        f"SESSION_PROTECTION = {mode!r}",
        "SESSION_PROTECTION = 'strong', or 'basic': sessions are bound to their client (OWASP"
        " Session Management Cheat Sheet).",
    )


def _token_findings(setting: Setting) -> Iterator[Finding]:
    form, until = setting("REMEMBER_COOKIE_FORMAT"), setting("REMEMBER_COOKIE_LEGACY_UNTIL")
    yield either(
        "9.2.1",
        form != "flask-login",
        f"REMEMBER_COOKIE_FORMAT = {form!r}",
        "REMEMBER_COOKIE_FORMAT = 'quart-login': Flask-Login's form never expires.",
    )
    if until is None:
        advice = "Set a date from which Flask-Login's form, which never expires, is refused."
        yield Finding("9.2.1", State.UNSEEN, "REMEMBER_COOKIE_LEGACY_UNTIL = None", advice)
    if setting("LOGIN_AUDIENCE") is None:
        advice = "If another application shares SECRET_KEY, name each in its LOGIN_AUDIENCE."
        yield Finding("9.2.3", State.UNSEEN, "LOGIN_AUDIENCE = None", advice)
    else:
        yield Finding("9.2.3", State.OK, "LOGIN_AUDIENCE is set")
    if (former := setting("REMEMBER_COOKIE_FORMER_NAME")) is not None:
        advice = "Unset it when the cookies of that name have expired: others can plant one."
        yield Finding("3.3.3", State.UNSEEN, f"REMEMBER_COOKIE_FORMER_NAME = {former!r}", advice)


def _adopted_findings(adopted: QuartAuthCookie | None) -> Iterator[Finding]:
    if adopted is not None and adopted.until is None:
        advice = "adopt_quart_auth(app, until=...): refuse Quart-Auth's cookie from a day on."
        yield Finding("9.2.1", State.UNSEEN, f"{adopted.name} is read without an end", advice)


def _cache_findings(setting: Setting) -> Iterator[Finding]:
    private = bool(setting("LOGIN_CACHE_CONTROL_PRIVATE"))
    yield either(
        "14.2.2",
        private,
        f"LOGIN_CACHE_CONTROL_PRIVATE = {private}",
        "LOGIN_CACHE_CONTROL_PRIVATE = True",
    )
    advice = "Send Cache-Control: no-store with pages that the browser must not keep, either."
    yield Finding("14.3.2", State.UNSEEN, "browsers may keep private pages", advice)
    clears = bool(setting("LOGIN_CLEAR_SESSION_ON_LOGOUT"))
    yield either(
        "14.3.1",
        clears,
        f"LOGIN_CLEAR_SESSION_ON_LOGOUT = {clears}",
        "LOGIN_CLEAR_SESSION_ON_LOGOUT = True",
    )
    kinds = list(setting("LOGIN_CLEAR_SITE_DATA") or ())
    if kinds:
        yield Finding("14.3.1", State.OK, f"LOGIN_CLEAR_SITE_DATA = {kinds}")
    else:
        advice = "If pages keep data in the browser: LOGIN_CLEAR_SITE_DATA = ['cache', 'storage']"
        yield Finding("14.3.1", State.UNSEEN, "LOGIN_CLEAR_SITE_DATA is empty", advice)
