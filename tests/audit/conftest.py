from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from audit.applications import CONFTEST, INI, Audited, Auditing, source

import quart_login

#: What audits import.  A suite that runs within this one forgets what it was the first to import,
#: and there must not be two of each.
for name in (
    "concurrent.futures.thread",
    "encodings.idna",
    "flask.testing",
    "flask.views",
    "quart.views",
    "flask_compat._visitor",
    "quart_login._visitor",
    "quart_login._audit.collecting",
    "quart_login._audit.on_asyncio",
    "quart_login.stores.memory",
):
    import_module(name)


#: Seconds after which a process of its own is said to hang.
TOO_LONG = 120


@pytest.fixture
def run_audit(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Audited]:
    """Return a function that audits what is in the suite's folder."""
    # For processes of their own: the library as it is here.
    monkeypatch.setenv("PYTHONPATH", str(Path(quart_login.__file__).parents[1]))

    def run(*options: str, ini: str = "", apart: bool = False) -> Audited:
        pytester.makefile(".ini", pytest=INI + ini)
        loaded = ("-p", "quart_login.pytest_plugin", "-p", "no:dash", "-p", "no:cacheprovider")
        said = (*loaded, "--login-audit", "-v", "-rs", *options)
        if apart:
            ran = pytester.runpytest_subprocess(*said, timeout=TOO_LONG)
        else:
            ran = pytester.runpytest_inprocess(*said)
        return Audited(ran.stdout.str() + ran.stderr.str(), outcomes_in(ran.stdout.str()))

    return run


@pytest.fixture
def audit(pytester: pytest.Pytester, run_audit: Callable[..., Audited]) -> Auditing:
    """Return a function that makes an application of *parts* and audits it."""

    def audited(
        framework: str, *parts: str, options: tuple[str, ...] = (), ini: str = ""
    ) -> Audited:
        pytester.makepyfile(shop=source(framework, *parts), conftest=CONFTEST)
        return run_audit(*options, ini=ini)

    return audited


def outcomes_in(text: str) -> dict[str, str]:
    """Return what is said of each question; with several processes, the outcome is said first."""
    word = "(PASSED|FAILED|SKIPPED|ERROR)"
    found = dict(re.findall(rf"^login-audit::(.*?) {word}", text, re.MULTILINE))
    for outcome, name in re.findall(
        rf"^\[gw.*?\] {word} login-audit::(.*?) *$", text, re.MULTILINE
    ):
        found[name] = outcome
    return found
