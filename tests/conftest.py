from __future__ import annotations

import os
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

import pytest
from hypothesis import settings
from loops import TRIO, run
from sites import SITES, Site

# Before anything imports it: the suite for stores says what it compared.
pytest.register_assert_rewrite("quart_login.stores.contract")

#: Runs suites within the suite: those of applications that are audited.
pytest_plugins = ["pytester"]

# A gate that fails must fail again: CI tries the same examples each time.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")


def pytest_configure(config: pytest.Config) -> None:
    if TRIO:
        config.option.asyncio_mode = "strict"  # Hands off: pytest_pyfunc_call runs them.


#: What cannot apply on trio, and why.  Named at the beginning of a run there.
NOT_ON_TRIO = {
    "test_095_a_client_that_is_gone_leaves_no_half_of_a_login": (
        "Quart-Trio's test client cannot be cancelled: it opens its nursery by hand"
    ),
}


def pytest_report_header() -> list[str]:
    return [f"not on trio: {name}: {why}" for name, why in NOT_ON_TRIO.items() if TRIO]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if TRIO:
        gone = [item for item in items if getattr(item, "originalname", "") in NOT_ON_TRIO]
        items[:] = [item for item in items if item not in gone]
        config.hook.pytest_deselected(items=gone)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """With ``QUART_LOGIN_LOOP=trio``, run coroutine functions, Hypothesis's too, on trio."""
    test: Any = pyfuncitem.obj
    if not TRIO:
        return
    if hasattr(test, "hypothesis"):
        test.hypothesis.inner_test = _on_trio(test.hypothesis.inner_test)
    else:
        pyfuncitem.obj = _on_trio(test)


def _on_trio(test: Any) -> Any:
    if not iscoroutinefunction(test):
        return test

    @wraps(test)
    def on_trio(*args: Any, **kwargs: Any) -> None:
        run(test(*args, **kwargs))

    del on_trio.__wrapped__
    return on_trio


#: On trio there is no Flask: its tests would be the same once more.
FRAMEWORKS = ["quart"] if TRIO else list(SITES)


@pytest.fixture(params=FRAMEWORKS)
def make_site(request: pytest.FixtureRequest) -> Any:
    """Return the class of a site, in each framework in turn: ``make_site({"KEY": value})``."""
    return SITES[request.param]


@pytest.fixture
def site(make_site: Any) -> Site:
    """Return a site with the default settings, in each framework in turn."""
    return make_site()
