"""What was a closed door in Flask is never an open one in Quart.

In each of these a view is guarded by a function that reads the form, so that it waits in Quart.  It
is awaited; or told, and then a server error; it never lets anybody in.  The applications are run,
with what `quart_login.upgrade` made of them.
"""

from __future__ import annotations

import gc
import importlib
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from quart_login.upgrade.convert import convert

HEAD = """
from flask import Flask, request, abort, g, current_app, session
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user
from flask_login import logout_user
import flask_login
app = Flask("app")
app.secret_key = "x" * 32
login_manager = LoginManager(app)

class User(UserMixin):
    id = "u"
    def can(self, what):
        return request.form.get("token") == "right"

@login_manager.user_loader
def load(key):
    return User()
"""

VIEW = """
@app.post("/secret")
def secret():
    if not {}:
        abort(403)
    return "SECRET"
"""

CHECK = """
def check():
    return request.form.get("token") == "right"
"""

POLICY = """
class Policy:
    def allowed(self):
        return request.form.get("token") == "right"
    def run(self):
        return request.form.get("token") == "right"
"""

DECORATOR = """
from functools import wraps
def evaluate(p):
    return p()
def requires({}):
    def deco(view):
        @wraps(view)
        def inner(*args, **kwargs):
            {}
            return view(*args, **kwargs)
        return inner
    return deco
@app.post("/secret")
@requires({})
def secret():
    return "SECRET"
"""

OF_FLASK = "from flask import request\n" + CHECK

#: The rest of app.py, or of several files, and what is expected: awaited ("right"), told and an
#: error ("told"), or an error alone ("closed").
DOORS: dict[str, tuple[str | dict[str, str], str]] = {
    # a. what others' objects hold
    "current_user": (
        "@app.before_request\ndef begin():\n    login_user(User())\n"
        + VIEW.format('current_user.can("x")'),
        "right",
    ),
    "the user behind current_user": (
        "@app.before_request\ndef begin():\n    login_user(User())\n"
        + VIEW.format('current_user._get_current_object().can("x")'),
        "right",
    ),
    "g": (
        POLICY
        + "@app.before_request\nasync def put():\n    g.policy = Policy()\n"
        + VIEW.format("g.policy.allowed()"),
        "right",
    ),
    "current_app": (
        POLICY + "app.policy = Policy()\n" + VIEW.format("current_app.policy.allowed()"),
        "right",
    ),
    "extensions": (
        POLICY
        + "app.extensions['p'] = Policy()\n"
        + VIEW.format("current_app.extensions['p'].allowed()"),
        "told",
    ),
    # b. overriding
    "a base class calls what a subclass overrides": (
        "class Base:\n    def ok(self): return self.allowed()\n    def allowed(self): return 0\n"
        "class Strict(Base):\n    def allowed(self): return request.form.get('token') == 'right'\n"
        + VIEW.format("Strict().ok()"),
        "right",
    ),
    "an abstract method": (
        "import abc\nclass Base(abc.ABC):\n"
        "    def ok(self):\n        if not self.allowed(): abort(403)\n        return True\n"
        "    @abc.abstractmethod\n    def allowed(self) -> bool: ...\n"
        "class Strict(Base):\n    def allowed(self): return request.form.get('token') == 'right'\n"
        "policy: Base = Strict()\n" + VIEW.format("policy.ok()"),
        "right",
    ),
    "a mixin beside another": (
        "from flask.views import MethodView\nclass Guard:\n    def dispatch_request(self, **k):\n"
        "        if not self.allowed(): abort(403)\n        return super().dispatch_request(**k)\n"
        "class Token:\n    def allowed(self): return request.form.get('token') == 'right'\n"
        "class Secret(Guard, Token, MethodView):\n    def post(self): return 'SECRET'\n"
        "app.add_url_rule('/secret', view_func=Secret.as_view('secret'))\n",
        "right",
    ),
    # c. what is given a predicate
    "a decorator's predicate": (
        CHECK + DECORATOR.format("pred", "if not pred(): abort(403)", "check"),
        "right",
    ),
    "a decorator's predicate, if any": (
        CHECK + DECORATOR.format("pred=None", "if pred and not pred(): abort(403)", "pred=check"),
        "right",
    ),
    "a decorator's predicates": (
        CHECK + DECORATOR.format("*checks", "if not all(c() for c in checks): abort(403)", "check"),
        "told",
    ),
    "a decorator's predicates by name": (
        CHECK
        + DECORATOR.format("**p", "if not all([c() for c in p.values()]): abort(403)", "a=check"),
        "told",
    ),
    "a predicate's other name": (
        CHECK + DECORATOR.format("pred", "p = pred\n            if not p(): abort(403)", "check"),
        "told",
    ),
    "a predicate handed on": (
        CHECK + DECORATOR.format("pred", "if not evaluate(pred): abort(403)", "check"),
        "told",
    ),
    "a predicate kept on a function": (
        CHECK
        + DECORATOR.format("pred", "if not inner.check(): abort(403)", "check").replace(
            "        return inner\n", "        inner.check = pred\n        return inner\n"
        ),
        "told",
    ),
    "a plain function that calls it": (
        CHECK + "def ensure(p):\n    return p()\n" + VIEW.format("ensure(check)"),
        "told",
    ),
    # d. registering
    "a decorator that registers": (
        "rules = []\ndef rule(f):\n    rules.append(f)\n    return f\n@rule"
        + CHECK
        + VIEW.format("all([r() for r in rules])"),
        "told",
    ),
    "a decorator that registers by a name": (
        "rules = {}\ndef rule(name):\n    def deco(f):\n        rules[name] = f\n        return f\n"
        "    return deco\n@rule('token')" + CHECK + VIEW.format("rules['token']()"),
        "told",
    ),
    "a decorator that is called like one of Quart's": (
        "class Rules(list):\n    def errorhandler(self, f):\n        self.append(f)\n"
        "        return f\ndef made():\n    return globals()['Rules']()\nrules = made()\n"
        "@rules.errorhandler" + CHECK + VIEW.format("all([r() for r in rules])"),
        "closed",
    ),
    # e. factories
    "a factory": (
        "def token_is(value):\n    def check():\n        return request.form.get('t') == value\n"
        "    return check\nis_admin = token_is('right')\n" + VIEW.format("is_admin()"),
        "told",
    ),
    "a factory, called at once": (
        "def token_is(value):\n    def check():\n        return request.form.get('t') == value\n"
        "    return check\n" + VIEW.format("token_is('right')()"),
        "told",
    ),
    # f. defaults
    "a default": (
        CHECK
        + "def guard(check=check):\n    if not check():\n        abort(403)\n    return True\n"
        + VIEW.format("guard()"),
        "told",
    ),
    # g. modules
    "a folder without __init__": (
        {
            "shop/policy.py": OF_FLASK,
            "app.py": "from shop.policy import check\n" + VIEW.format("check()"),
        },
        "right",
    ),
    "two files of one name": (
        {
            "api/util.py": "def check():\n    return False\n",
            "web/util.py": OF_FLASK,
            "app.py": "from web.util import check\n" + VIEW.format("check()"),
        },
        "right",
    ),
    "one import or the other": (
        {
            "a.py": "def check():\n    return False\n",
            "b.py": OF_FLASK,
            "app.py": "try:\n    import nothing_there\n    from a import check\n"
            "except ImportError:\n    from b import check\n" + VIEW.format("check()"),
        },
        "right",
    ),
    "one definition or the other": (
        "import os\nif os.environ:\n    def check():\n        return request.form.get('t') == 'x'\n"
        "else:\n    def check():\n        return False\n" + VIEW.format("check()"),
        "right",
    ),
    "a module by its name": (
        {
            "pol.py": OF_FLASK,
            "app.py": "import importlib\npol = importlib.import_module('pol')\n"
            + VIEW.format("pol.check()"),
        },
        "told",
    ),
    # h. stars
    "a star of a star": (
        {
            "p/__init__.py": "from .a import *\n",
            "p/a.py": "from .pol import *\n",
            "p/pol.py": OF_FLASK,
            "app.py": "from p import check\n" + VIEW.format("check()"),
        },
        "right",
    ),
    "a star in a try": (
        {
            "pol.py": OF_FLASK,
            "app.py": "try:\n    from pol import *\nexcept ImportError:\n    pass\n"
            + VIEW.format("check()"),
        },
        "right",
    ),
    "a star of another name": (
        {
            "p/__init__.py": "from .a import *\n",
            "p/a.py": "from .pol import check as allowed\n",
            "p/pol.py": OF_FLASK,
            "app.py": "from p import allowed\n" + VIEW.format("allowed()"),
        },
        "right",
    ),
    # i. others' containers
    "a copy": (
        POLICY + "import copy\np = copy.copy(Policy())\n" + VIEW.format("p.allowed()"),
        "told",
    ),
    "a proxy": (
        POLICY
        + "from werkzeug.local import LocalProxy\np = LocalProxy(lambda: Policy())\n"
        + VIEW.format("p.allowed()"),
        "told",
    ),
    "a context variable": (
        POLICY
        + "from contextvars import ContextVar\np = ContextVar('p', default=Policy())\n"
        + VIEW.format("p.get().allowed()"),
        "told",
    ),
    # j. common names
    "a name that many have": (
        POLICY + "ps = [Policy()]\n" + VIEW.format("all([p.run() for p in ps])"),
        "told",
    ),
    # Others
    "a text that is put together": (
        "class P:\n    def check_token(self): return request.form.get('token') == 'right'\n"
        "    def allowed(self, name): return getattr(self, 'check_' + name)()\n"
        + VIEW.format("P().allowed('token')"),
        "told",
    ),
    "another name for the request": (
        "r, s = request, session\ndef check():\n    return bool(r.form)\n" + VIEW.format("check()"),
        "right",
    ),
    "one of them in a class": (
        POLICY + "class Rule:\n    def __init__(self, fn): self.fn = fn\n"
        "    def ok(self): return self.fn()\nrule = Rule(Policy().allowed)\n"
        + VIEW.format("rule.ok()"),
        "told",
    ),
}


@dataclass
class Shop:
    """The application that was upgraded, and what was told."""

    app: Any
    told: list[str]

    async def status(self) -> int:
        return int((await self.app.test_client().post("/secret")).status_code)


@pytest.fixture
def imported() -> Iterator[None]:
    before, path = set(sys.modules), list(sys.path)
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        yield
        sys.path[:] = path
        for name in set(sys.modules) - before:
            if not name.startswith(("quart", "werkzeug")):
                del sys.modules[name]
        gc.collect()


def upgraded(folder: Path, given: str | dict[str, str]) -> Shop:
    files = {"app.py": given} if isinstance(given, str) else given
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(dedent(HEAD + text if name == "app.py" else text))
    outcome = convert([folder])
    for change in outcome.changes:
        change.path.write_bytes(change.after)
    return Shop(loaded(folder), [one.what for one in outcome.findings])


def loaded(folder: Path) -> Any:
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    app: Any = importlib.import_module("app").app
    app.logger.disabled = True  # What is logged keeps coroutines.
    return app


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize(("given", "expected"), DOORS.values(), ids=DOORS)
async def test_a_guard_is_awaited_or_told_and_an_error(
    tmp_path: Path, given: str | dict[str, str], expected: str
) -> None:
    shop = upgraded(tmp_path, given)
    status = await shop.status()
    assert (status, bool(shop.told)) == {
        "right": (403, False),
        "told": (500, True),
        "closed": (500, False),
    }[expected], shop.told


#: What is awaited in Quart and quart_login: another way to it is told.
TOLD = {
    "a dictionary": "rs = {'r': request}\n" + VIEW.format("rs['r'].get_json(silent=True)"),
    "an object": "class Ctx:\n    def __init__(self, **k): self.__dict__.update(k)\n"
    + VIEW.format("Ctx(req=request).req.get_data()"),
    "a manager": "app.extensions['lm'] = login_manager\n@app.post('/secret')\ndef secret():\n"
    "    current_app.extensions['lm'].unauthorized()\n    return 'SECRET'\n",
    "a manager, by a method": "def page():\n    call(login_manager.unauthorized)\n"
    "def call(it):\n    it()\n",
    **{
        f"a logout by {use}": f"from functools import partial\ndef call(f): return f()\n{use}\n"
        for use in (
            "bye = logout_user",
            "bye = partial(logout_user)",
            "byes = {'out': logout_user}",
            "def page(): call(logout_user)",
            "def bye(f=logout_user): f()",
            "def page(): (logout_user if app else session.clear)()",
            "def page(): getattr(flask_login, 'logout_user')()",
            "def page(): return [f() for f in (logout_user, session.clear)]",
        )
    },
}


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("given", TOLD.values(), ids=TOLD)
def test_what_quart_has_awaited_is_told_where_it_goes_another_way(
    tmp_path: Path, given: str
) -> None:
    assert upgraded(tmp_path, given).told


@pytest.mark.usefixtures("imported")
async def test_a_second_run_mends_what_a_first_one_left(tmp_path: Path) -> None:
    """A file was written, and the others not; or a person wrote ``async def`` where it was told."""
    policy = (
        "from quart import request\nasync def check():\n    return (await request.form).get('t')\n"
    )
    shop = upgraded(
        tmp_path,
        {"policy.py": policy, "app.py": "from policy import check\n" + VIEW.format("check()")},
    )
    assert (await shop.status(), shop.told) == (403, [])


@pytest.mark.usefixtures("imported")
async def test_one_file_after_the_other_is_told_and_no_open_door(tmp_path: Path) -> None:
    (tmp_path / "policy.py").write_text(OF_FLASK)
    (tmp_path / "app.py").write_text(HEAD + "from policy import check\n" + VIEW.format("check()"))
    for name in ("policy.py", "app.py"):
        outcome = convert([tmp_path / name])
        for change in outcome.changes:
            change.path.write_bytes(change.after)
    [told] = outcome.findings
    assert told.what.startswith("`policy.py` of ") and "give all at once" in told.what
    assert await Shop(loaded(tmp_path), []).status() == 500


def test_coroutines_that_are_kept_on_purpose_are_left(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    text = dedent("""
        import asyncio

        async def fetch(n):
            return n

        async def page(group):
            later = fetch(1)
            group.create_task(fetch(2))
            await asyncio.gather(*[fetch(n) for n in range(3)])
            return await later, await (fetch(1) if group else fetch(2))
    """)
    path.write_text(text)
    outcome = convert([path])
    assert outcome.changes == []
    assert [one.line for one in outcome.findings] == [8]
