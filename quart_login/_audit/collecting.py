"""How does an audit become items of a run of pytest?

Rule 1.  Items use the suite's own fixtures: they are put where these are seen.
Rule 2.  The application is made once more while tests are collected, and taken down again, to see
         which rules it has; each item then has one of its own, as the fixture's scope has it.
Rule 3.  What is wrong with the audit itself, no application, say, is an error of the collection.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from inspect import iscoroutine
from types import ModuleType
from typing import Any, Final

import pytest
from _pytest.runner import runtestprotocol

from .named import checked, load
from .plan import Check, plan
from .visiting import Audit, Settings, Unsuited

#: What the items are under.
NAME: Final = "login-audit"

#: What a suite may say, in fixtures.
_FIXTURES: Final = (
    "app",
    "login_audit_app",
    "login_audit_user",
    "login_audit_other_user",
    "login_audit_values",
)

#: What the items of one process share: the named application, the cookies seen, and what was slow.
_shared: Final = pytest.StashKey[dict[str, Any]]()


# --- what a suite may replace --------------------------------------------------------------------


@pytest.fixture
def login_audit_app(request: pytest.FixtureRequest) -> Any:
    """Return the application: what ``--login-app`` names, or the fixture `app`."""
    named = _named(request.config)
    if named is None:
        return request.getfixturevalue("app")
    shared = request.config.stash[_shared]
    if "app" not in shared:
        _look_here_first(request.config)
        shared["app"] = load(named)
    return shared["app"]


@pytest.fixture
def login_audit_user() -> Any:
    """Return a user who can log in; None if there is none."""
    return None


@pytest.fixture
def login_audit_other_user() -> Any:
    """Return another user, to whom pages may look otherwise; None if there is none."""
    return None


@pytest.fixture
def login_audit_values() -> Mapping[str, Any]:
    """Return values of URL parameters, by their names, or by a rule and then by names."""
    return {}


# --- what the items use --------------------------------------------------------------------------


@pytest.fixture
def login_audit(
    request: pytest.FixtureRequest,
    login_audit_app: Any,
    login_audit_user: Any,
    login_audit_other_user: Any,
    login_audit_values: Mapping[str, Any],
) -> Audit:
    """Return the application, and those who visit it."""
    shared = request.config.stash[_shared]
    audit = Audit(
        checked(login_audit_app, "What the fixture returns"),
        login_audit_user,
        login_audit_other_user,
        login_audit_values,
        _settings(request.config),
        shared.setdefault("seen", {}),
        shared.setdefault("slow", {}),
        shared.setdefault("endless", set()),
    )
    if audit.visitor.runs_on_asyncio:
        if _named(request.config) is not None:
            audit.visitor.loop = _serving(audit.visitor, shared)
        elif request.config.pluginmanager.hasplugin("asyncio"):
            loop = request.getfixturevalue("login_audit_loop")
            if iscoroutine(loop):  # as an old pytest-asyncio leaves it, in a suite without tests
                loop.close()
            else:
                audit.visitor.loop = loop
    return audit


def _serving(visitor: Any, shared: dict[str, Any]) -> Any:
    """Return the event loop of the named application, which is started up once: what an application
    does while serving can be begun but once.
    """
    if "loop" not in shared:
        from asyncio import new_event_loop

        loop, serving = new_event_loop(), visitor.served()
        try:
            loop.run_until_complete(serving.__aenter__())
        except BaseException:
            loop.close()
            raise
        shared.update(loop=loop, serving=serving)
    return shared["loop"]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Take the named application down again."""
    shared = session.config.stash.get(_shared, {})
    if (loop := shared.get("loop")) is None:
        return
    with suppress(Exception):  # It does not end as it should, which is not what was asked.
        loop.run_until_complete(shared["serving"].__aexit__(None, None, None))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


class LoginAudit(pytest.Module):
    """All that is asked, under one name."""

    def _getobj(self) -> ModuleType:
        return ModuleType(NAME)

    def collect(self) -> Iterator[pytest.Item]:
        for name, check in self._planned().items():
            yield Asked.from_parent(self, name=name, callobj=_asking(check))

    def _planned(self) -> dict[str, Check]:
        """Return what is to be asked, of an application as the fixtures make it."""
        found: dict[str, Check] = {}
        config = self.config

        def planning(login_audit_app: Any) -> None:
            app = checked(login_audit_app, "What the fixture returns")
            found.update(plan(app, _settings(config), config.getini("login_audit_skip")))

        item = Asked.from_parent(self, name="planning", callobj=planning)
        for report in runtestprotocol(item, log=False):
            if isinstance(report.longrepr, tuple):  # A fixture skips whoever asks for it.
                pytest.skip(report.longrepr[2], allow_module_level=True)
            if not report.passed:
                raise self.CollectError(f"{_HOW}\n\n{report.longreprtext}")
        return found


_HOW: Final = (
    "The login audit has no application. It takes a fixture `app` of conftest.py, or what"
    " --login-app names: module:app, module:create_app()."
)


class Asked(pytest.Function):
    """One thing that is asked."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_marker(pytest.mark.login_audit)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        # With "::" in the place of the space, pytest would take the dots of the name for such.
        return self.path, 0, f"{NAME} {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, ToMend):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class ToMend(AssertionError):
    """What is wrong with the application, and what to do."""


def _asking(check: Check) -> Callable[..., None]:
    def ask(login_audit: Audit, request: pytest.FixtureRequest) -> None:
        try:
            wrong = login_audit.visitor.run(check, login_audit)
        except Unsuited as unsuited:
            pytest.skip(f"{request.node.name}: {unsuited}")
        if wrong:
            raise ToMend("\n".join(wrong))

    return ask


# --- where the items are -------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the audit to the run, before others choose from it."""
    config.stash[_shared] = {}
    home = _home(session, items)
    audit = LoginAudit.from_parent(home, path=config.rootpath / NAME)
    items.extend(session.genitems(audit))


def _home(session: pytest.Session, items: list[pytest.Item]) -> Any:
    """Return the folder where most of the suite's fixtures are seen, the outermost of such."""
    folders: dict[Any, int] = {session: _seen(session)}
    for item in items:
        for node in item.listchain():
            if isinstance(node, pytest.Directory) and node not in folders:
                folders[node] = _seen(node)
    return max(folders, key=folders.__getitem__)


def _seen(node: Any) -> int:
    """Return how many of the fixtures *node* sees that are the suite's own."""
    find = node.session._fixturemanager.getfixturedefs
    found = ([one.func for one in find(name, node) or ()] for name in _FIXTURES)
    return sum(any(func.__module__ != __name__ for func in funcs) for funcs in found)


# --- what is said on the command line ------------------------------------------------------------


def _named(config: pytest.Config) -> str | None:
    return config.getoption("--login-app") or config.getini("login_app") or None


def _settings(config: pytest.Config) -> Settings:
    said = config.getoption("--login-audit-methods")
    methods = config.getini("login_audit_methods") if said is None else said.split(",")
    return Settings(
        frozenset(method.strip().upper() for method in methods),
        frozenset(config.getini("login_audit_scripts")),
    )


def _look_here_first(config: pytest.Config) -> None:
    """Let modules be found in the suite's folder, as the frameworks' commands find them."""
    here = str(config.rootpath)
    if here not in sys.path:
        sys.path.insert(0, here)
