from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from audit.applications import CONFTEST, INI, Audited, Auditing, source

import quart_login


@pytest.fixture
def run_audit(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Audited]:
    """Return a function that audits what is in the suite's folder."""
    # For processes of their own: the library as it is here.
    monkeypatch.setenv("PYTHONPATH", str(Path(quart_login.__file__).parents[1]))

    def run(*options: str, ini: str = "", apart: bool = False) -> Audited:
        pytester.makefile(".ini", pytest=INI + ini)
        method = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        loaded = ("-p", "quart_login.pytest_plugin", "-p", "no:dash", "-p", "no:cacheprovider")
        ran = method(*loaded, "--login-audit", "-v", "-rs", *options)
        line = r"^(?:\[gw.*?\] .*? )?login-audit::(.*?) (PASSED|FAILED|SKIPPED|ERROR)"
        found = re.findall(line, ran.stdout.str(), re.MULTILINE)
        return Audited(ran.stdout.str() + ran.stderr.str(), dict(found))

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
