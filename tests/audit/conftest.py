from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from audit.applications import CONFTEST, source

#: Warnings are errors there, too.
INI = """
[pytest]
filterwarnings = error
asyncio_default_fixture_loop_scope = function
"""


@dataclass
class Audited:
    """What came of an audit."""

    text: str
    outcomes: dict[str, str]

    @property
    def failed(self) -> list[str]:
        return self.with_outcome("FAILED")

    @property
    def skipped(self) -> list[str]:
        return self.with_outcome("SKIPPED")

    def with_outcome(self, outcome: str) -> list[str]:
        return [name for name, found in self.outcomes.items() if found == outcome]


#: Makes an application of parts, audits it with options, and tells what came of it.
Auditing = Callable[..., Audited]


@pytest.fixture
def run_audit(pytester: pytest.Pytester) -> Callable[..., Audited]:
    """Return a function that audits what is in the suite's folder."""

    def run(*options: str, ini: str = "", apart: bool = False) -> Audited:
        pytester.makefile(".ini", pytest=INI + ini)
        method = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        loaded = ("-p", "quart_login.pytest_plugin", "-p", "no:dash", "-p", "no:cacheprovider")
        ran = method(*loaded, "--login-audit", "-v", "-rs", *options)
        found = re.findall(r"^login-audit::(.*?) (PASSED|FAILED|SKIPPED|ERROR)", ran.stdout.str(), re.M)
        return Audited(ran.stdout.str() + ran.stderr.str(), dict(found))

    return run


@pytest.fixture
def audit(pytester: pytest.Pytester, run_audit: Callable[..., Audited]) -> Auditing:
    """Return a function that makes an application of *parts* and audits it."""

    def audited(framework: str, *parts: str, options: tuple[str, ...] = (), ini: str = "") -> Audited:
        pytester.makepyfile(shop=source(framework, *parts), conftest=CONFTEST)
        return run_audit(*options, ini=ini)

    return audited
