"""An audit fits into a suite, however that is made."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType

import pytest
from audit.applications import BOTH, CONFTEST, FENCE, INI, Audited, Auditing, source

import flask_compat
import quart_login

RunAudit = Callable[..., Audited]

ASYNC_FIXTURES = """
import pytest
import pytest_asyncio

import shop


@pytest_asyncio.fixture
async def app():
    async with shop.app.test_app() as served:
        yield served


@pytest_asyncio.fixture
async def login_audit_user():
    return shop.users["alice"]
"""

#: What an application opens on one loop works on no other.
BOUND_TO_A_LOOP = """
import asyncio


@app.before_serving
async def connect():
    app.extensions["loop"] = asyncio.get_running_loop()


@app.before_request
async def use():
    assert app.extensions["loop"] is asyncio.get_running_loop()
"""

STRICT = "asyncio_mode = strict\n"
AUTO = "asyncio_mode = auto\n"


@pytest.mark.parametrize("mode", [STRICT, AUTO], ids=["strict", "auto"])
@pytest.mark.parametrize("scope", ["function", "session"])
def test_coroutine_fixtures_and_visits_share_a_loop(
    pytester: pytest.Pytester, run_audit: RunAudit, mode: str, scope: str
) -> None:
    pytester.makepyfile(shop=source("quart", FENCE, BOUND_TO_A_LOOP), conftest=ASYNC_FIXTURES)
    pytester.makepyfile("async def test_own(app): pass" if mode == AUTO else "")
    ini = mode.replace("\n", f"\nasyncio_default_test_loop_scope = {scope}\n")
    found = run_audit("-o", f"asyncio_default_fixture_loop_scope={scope}", ini=ini)
    assert set(found.outcomes.values()) == {"PASSED"}, found.text
    assert "P23 /live websocket revoked" in found.outcomes


def without_plugins(pytester: pytest.Pytester) -> tuple[str, ...]:
    """Return the options of a suite that has no plugin for coroutines."""
    path = pytester.makefile(".ini", none="[pytest]\nfilterwarnings = error\n")
    return "-p", "no:asyncio", "-p", "no:anyio", "-c", str(path)


@BOTH
def test_no_plugin_for_coroutines_is_needed(
    pytester: pytest.Pytester, run_audit: RunAudit, framework: str
) -> None:
    pytester.makepyfile(shop=source(framework, FENCE), conftest=CONFTEST)
    found = run_audit(*without_plugins(pytester), apart=True)
    assert set(found.outcomes.values()) == {"PASSED"}, found.text


@BOTH
@pytest.mark.skipif(find_spec("xdist") is None, reason="pytest-xdist is not installed")
def test_processes_share_an_audit(
    pytester: pytest.Pytester, run_audit: RunAudit, framework: str
) -> None:
    pytester.makepyfile(shop=source(framework, FENCE), conftest=CONFTEST)
    alone = run_audit()
    found = run_audit("-n", "2", apart=True)
    assert set(found.outcomes.values()) == {"PASSED"}, found.text
    assert set(found.outcomes) == set(alone.outcomes)


# --- which application ---------------------------------------------------------------------------

USERS = """
import pytest


@pytest.fixture
def login_audit_user(login_audit_app):
    return login_audit_app.extensions["users"]["alice"]
"""

FACTORY = """
app.extensions["users"] = users
made, app = app, None


def create_app(name="shop"):
    assert name == "shop"
    return made
"""


@BOTH
@pytest.mark.parametrize(
    "named",
    ["shop", "shop:made", "shop:create_app", "shop:create_app()", 'shop:create_app("shop")'],
)
def test_an_application_may_be_named(
    pytester: pytest.Pytester, run_audit: RunAudit, framework: str, named: str
) -> None:
    del_app = "" if named != "shop" else "\ndel app\n"
    pytester.makepyfile(shop=source(framework, FACTORY, del_app), conftest=USERS)
    found = run_audit("--login-app", named, "-k", "P17 or P23")
    assert set(found.outcomes.values()) == {"PASSED"}, found.text
    found = run_audit("-k", "P17 or P23", ini=f"login_app = {named}\n")
    assert set(found.outcomes.values()) == {"PASSED"}, found.text


#: What can be started up but once.
ONCE = """
@app.while_serving
async def serve():
    yield
    print("once: 1")
"""


def test_a_named_application_is_started_up(pytester: pytest.Pytester, run_audit: RunAudit) -> None:
    users = '\napp.extensions["users"] = users\n' + ONCE
    pytester.makepyfile(shop=source("quart", BOUND_TO_A_LOOP, users), conftest=USERS)
    found = run_audit("--login-app", "shop:app", "-s")
    assert "once: 1" in found.text
    assert set(found.outcomes.values()) == {"PASSED"}, found.text


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("shep:app", "There is no module 'shep'"),
        ("shop:application", "shop has no application: say --login-app module:app"),
        ("shop:users", "shop:users is no application of Flask or Quart, but dict"),
        ("shop:app[0]", "'app[0]' is neither a name nor a call with plain arguments"),
        ("shop:User(", "'User(' is neither a name nor a call"),
        ("broken:app", "ZeroDivisionError"),
        ("bare:app", "This application has no LoginManager: create one"),
    ],
)
def test_what_is_no_application_is_an_error(
    pytester: pytest.Pytester, run_audit: RunAudit, named: str, said: str
) -> None:
    pytester.makepyfile(
        shop=source("flask"),
        broken="1 / 0",
        bare="from flask import Flask\napp = Flask(__name__)\n",
        test_other="def test_other(): pass",
    )
    found = run_audit("--login-app", named)
    assert found.outcomes == {}
    assert "ERROR collecting login-audit" in found.text
    assert said in found.text, found.text


def test_a_suite_without_an_application_is_told_what_to_do(
    pytester: pytest.Pytester, run_audit: RunAudit
) -> None:
    pytester.makepyfile(test_other="def test_other(): pass")
    found = run_audit()
    assert "It takes a fixture `app` of conftest.py, or what --login-app names" in found.text
    assert "fixture 'app' not found" in found.text


# --- where it is ---------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("scope", ["function", "module", "package", "session"])
def test_fixtures_of_a_folder_of_tests_are_seen(
    pytester: pytest.Pytester, run_audit: RunAudit, framework: str, scope: str
) -> None:
    pytester.makepyfile(shop=source(framework, FENCE))
    suite = pytester.mkpydir("suite")
    own = CONFTEST.replace("fixture\ndef app", f"fixture(scope={scope!r})\ndef app")
    (suite / "conftest.py").write_text(own)
    (suite / "test_own.py").write_text("def test_own(app):\n    assert app.url_map\n")
    found = run_audit("-o", "pythonpath=.", ini="testpaths = suite\n")
    assert set(found.outcomes.values()) == {"PASSED"}, found.text
    assert "test_own.py::test_own PASSED" in found.text
    assert found.skipped == []  # Its user was seen, too.


@BOTH
def test_a_suite_that_asks_for_none_is_left_alone(
    pytester: pytest.Pytester, run_audit: RunAudit, framework: str
) -> None:
    pytester.makepyfile(
        shop=source(framework),
        conftest=CONFTEST,
        test_own="def test_own():\n"
        "    import sys\n"
        "    assert 'quart_login._audit' not in sys.modules\n",
    )
    pytester.makefile(".ini", pytest="[pytest]\naddopts = --strict-config --strict-markers\n")
    ran = pytester.runpytest_subprocess("-p", "quart_login.pytest_plugin", "-p", "no:dash")
    ran.assert_outcomes(passed=1)


def test_an_ini_setting_asks_for_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(shop=source("flask"), conftest=CONFTEST)
    pytester.makefile(".ini", pytest=f"{INI}login_audit = true\n")
    ran = pytester.runpytest_inprocess("-p", "quart_login.pytest_plugin", "-p", "no:dash", "-v")
    assert ran.ret == 0
    ran.stdout.fnmatch_lines(["login-audit::P22 /me GET PASSED *"])


def test_the_module_that_every_suite_loads_imports_nothing_else() -> None:
    script = (
        "import pytest, sys; before = set(sys.modules); import quart_login.pytest_plugin;"
        "print(sorted(set(sys.modules) - before))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip() == "['quart_login', 'quart_login.pytest_plugin']"


@pytest.mark.parametrize("package", [quart_login, flask_compat])
def test_an_application_may_start_pytest_itself(package: ModuleType) -> None:
    """pytest would rewrite the packages of its plugins, and warn where it is too late for that."""
    assert "PYTEST_DONT_REWRITE" in str(package.__doc__)


def test_an_audit_of_flask_does_without_quart(
    pytester: pytest.Pytester, run_audit: RunAudit
) -> None:
    done = "def pytest_sessionfinish():\n    print('quart' in sys.modules)\n"
    pytester.makepyfile(shop=source("flask"), conftest=f"import sys\n{CONFTEST}\n\n{done}")
    found = run_audit("-s", *without_plugins(pytester), apart=True)
    assert set(found.outcomes.values()) == {"PASSED"}
    assert "False" in found.text and "True" not in found.text


# --- who visits ----------------------------------------------------------------------------------

CONFTEST_WITHOUT_USER = CONFTEST[: CONFTEST.index("@pytest.fixture\ndef login_audit_user")]


@BOTH
def test_without_a_user_what_can_be_seen_is_seen(
    pytester: pytest.Pytester, run_audit: RunAudit, framework: str
) -> None:
    pytester.makepyfile(shop=source(framework, FENCE), conftest=CONFTEST_WITHOUT_USER)
    found = run_audit()
    assert found.failed == []
    assert {name.partition(" ")[0] for name in found.skipped} == {"P17", "P18"} | (
        {"P23"} if framework == "quart" else set()
    )
    assert "P22 /me GET" in found.with_outcome("PASSED")
    assert "a fixture login_audit_user, in conftest.py, that returns a user" in found.text


PARAMETERS = """
from werkzeug.routing import BaseConverter, ValidationError


class Sku(BaseConverter):
    regex = "[A-Z]{3}-[0-9]{2}"

    def to_python(self, value):
        if value != "ABC-12":
            raise ValidationError
        return value


app.url_map.converters["sku"] = Sku


@app.get("/<any(de, en):language>/<uuid:key>/<string(length=2):two>/<float:size>/<path:rest>")
@login_exempt
ASYNC def many(language, key, two, size, rest):
    return "many"


@app.get("/products/<sku:sku>")
@login_exempt
ASYNC def product(sku):
    return "product"
"""

VALUES = """

@pytest.fixture
def login_audit_values():
    return {"/products/<sku:sku>": {"sku": "ABC-12"}, "id": 12}
"""


@BOTH
def test_parameters_get_values(
    audit: Auditing, pytester: pytest.Pytester, run_audit: RunAudit, framework: str
) -> None:
    found = audit(framework, PARAMETERS)
    assert found.skipped == ["P17 /products/<sku:sku> GET", "P18 /products/<sku:sku> GET"]
    assert found.failed == []
    assert "nobody knows a value for 'sku' in /products/<sku:sku>" in found.text
    seen = "\n\ndef pytest_sessionfinish():\n    print('seen', {id for _, id in shop.calls})\n"
    pytester.makepyfile(conftest=CONFTEST + VALUES + seen)
    found = run_audit("-s")
    assert (found.failed, found.skipped) == ([], [])
    assert "seen {12}" in found.text
