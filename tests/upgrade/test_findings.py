"""What cannot be decided is left as it is, and told with its line."""

from __future__ import annotations

import pytest

from .conftest import Upgrade

#: A file in which one thing cannot be decided, what is left of it, and what is told.
CASES = {
    "a lambda": (
        "from quart import flash\nsay = lambda text: flash(text)\n",
        "app.py:2: `flash` is awaited in Quart, but a lambda cannot await",
    ),
    "code outside of functions": (
        "from quart import current_app\nwith current_app.app_context():\n    pass\n",
        "app.py:2: `current_app.app_context()` is begun by `async with`, but code outside",
    ),
    "the application's factory": (
        "from quart import Quart, flash\ndef create():\n    app = Quart('x')\n    flash('x')\n"
        "    return app\n",
        "app.py:4: `flash` is awaited in Quart, but `create` makes the application",
    ),
    "a property": (
        "from quart import request\nclass Form:\n    @property\n    def name(self):\n"
        "        return request.form['name']\n",
        "app.py:5: `request.form` is awaited in Quart, but `name` is a property",
    ),
    "a constructor": (
        "from quart import request\nclass Form:\n    def __init__(self):\n"
        "        self.name = request.form['name']\n",
        "app.py:4: `request.form` is awaited in Quart, but `__init__` is called by Python",
    ),
    "a generator": (
        "from quart import request\ndef names():\n    yield request.form['name']\n",
        "app.py:3: `request.form` is awaited in Quart, but `names` is a generator",
    ),
    "a generator expression": (
        "from quart import flash\ndef say(texts):\n    return list(flash(t) for t in texts)\n",
        "app.py:3: `flash` is awaited in Quart, but a generator expression cannot await",
    ),
    "a command": (
        "from quart import current_app as app, render_template\n@app.cli.command()\n"
        "def tell():\n    print(render_template('x'))\n",
        "app.py:4: `render_template` is awaited in Quart, but `tell` is a command",
    ),
    "a method that others call": (
        "from elsewhere import Form\nfrom quart import flash\nclass Login(Form):\n"
        "    def validate(self):\n        flash('x')\n",
        "app.py:5: `flash` is awaited in Quart, but `validate` is called by `elsewhere.Form`",
    ),
    "blocks of two kinds in one": (
        "from quart import current_app\ndef f():\n    with current_app.app_context(), open('x'):\n"
        "        pass\n",
        "app.py:3: `current_app.app_context()` is begun by `async with`, the others by `with`",
    ),
    "a name that is gone": (
        "from flask import _request_ctx_stack\n",
        "app.py:1: `_request_ctx_stack` of `flask` is left: keep what it holds on `g`",
    ),
    "all names": ("from flask import *\n", "app.py:1: name what you import from `flask`"),
    "a module under another name that lacks one of its names": (
        "import flask as f\nf._request_ctx_stack, f.g\n",
        "app.py:1: import `flask` by its names",
    ),
    "an extension of Flask": (
        "from flask_wtf import FlaskForm\n",
        "app.py:1: `flask_wtf` is an extension of Flask: use Quart-WTForms",
    ),
    "a name in a string": (
        "patch = 'flask_login.utils._get_user'\n",
        "app.py:1: 'flask_login.utils._get_user' names what is elsewhere now",
    ),
    "the body of a response that may be Werkzeug's": (
        "from quart import Response, current_app\n@current_app.after_request\n"
        "def after(response: Response):\n    response.data\n    return response\n",
        "app.py:4: await `response.data` where that is a `quart.Response`",
    ),
    "what applications and requests have no more": (
        "from quart import request\ndef f():\n    return request.environ\n",
        "app.py:3: Quart has no `request.environ`: it is `request.scope` now",
    ),
    "a form that may have files": (
        "from quart import current_app\nasync def f(form):\n"
        "    await current_app.test_client().post('/', data=form)\n",
        "app.py:3: Quart's test client wants a form as `form=`, uploads as `files=`",
    ),
    "an argument of Flask's test client": (
        "from quart import current_app\nasync def f():\n"
        "    await current_app.test_client().get('/', base_url='http://x')\n",
        "app.py:3: Quart's test client has no `base_url`",
    ),
    "a decorated generator that cannot be asynchronous": (
        "from quart import stream_with_context\n@stream_with_context\ndef rows(table):\n"
        "    yield from table\n",
        "app.py:2: Quart's `stream_with_context` takes an asynchronous generator function",
    ),
    "a stream of an unknown generator": (
        "from quart import stream_with_context\ndef page(rows):\n"
        "    return stream_with_context(row for row in rows)\n",
        "app.py:3: Quart's `stream_with_context` takes an asynchronous generator function",
    ),
    "a copied context, in a thread": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from quart import copy_current_request_context as copied\n"
        "def page(work):\n    ThreadPoolExecutor().submit(copied(work))\n",
        "app.py:4: `copied(work)` is a coroutine function in Quart: await it, or give it to",
    ),
    "not Python 3": ("print 'x'\n", "app.py:1: left as it is, as this is not Python 3"),
}


@pytest.mark.parametrize(("text", "told"), CASES.values(), ids=CASES.keys())
def test_it_is_left_and_told(upgrade: Upgrade, text: str, told: str) -> None:
    upgraded = upgrade(text)
    assert upgraded.text == text
    [line] = upgraded.told
    assert line.startswith(told)


def test_a_coroutine_function_that_is_given_away_is_told(upgrade: Upgrade) -> None:
    upgraded = upgrade(
        """
        from threading import Thread
        from flask import render_template

        def letter():
            return render_template("letter.txt")

        Thread(target=letter).start()
        """
    )
    assert "async def letter()" in upgraded.text
    assert upgraded.told == [
        "app.py:7: `letter` is a coroutine function now: await what calls it here"
    ]


@pytest.mark.parametrize(
    "use",
    [
        "functools.partial(allowed)",
        "functools.partial(allowed)()",
        "functools.lru_cache(allowed)",
        "[allowed]",
        "{'allowed': allowed}",
        "globals()['allowed']()",
        "globals().get('allowed')()",
        "vars()['allowed']()",
        "getattr(Policy(), 'ok')()",
        "getattr(make(), 'ok', None)",
        "operator.methodcaller('ok')(make())",
        "operator.attrgetter('policy.ok')(make())()",
        "vars(Policy)['ok'](None)",
        "Policy.__dict__['ok'](None)",
    ],
)
def test_a_coroutine_function_by_another_name_is_told(upgrade: Upgrade, use: str) -> None:
    """A coroutine is true: an application that awaits none lets everybody in."""
    upgraded = upgrade(
        f"""
        import functools
        import operator

        from flask import request

        def allowed():
            return request.form.get("key") == "right"

        class Policy:
            def ok(self):
                return request.form.get("key") == "right"

        def check(make):
            return {use}
        """
    )
    assert "async def allowed():" in upgraded.text and "async def ok(self):" in upgraded.text
    [told] = upgraded.told
    assert told.startswith("app.py:14: `") and "is a coroutine function now" in told


@pytest.mark.parametrize(
    "use",
    [
        "app.add_url_rule('/', view_func=functools.partial(allowed, 1))",
        "getattr(request, 'ok')",
        "getattr(Other(), 'ok')",
        "operator.attrgetter('other')",
        "globals()['other']",
        "print('allowed', {}.get('allowed'), {'allowed': 1}['allowed'])",
    ],
)
def test_what_is_awaited_or_means_something_else_is_not_told(upgrade: Upgrade, use: str) -> None:
    upgraded = upgrade(
        f"""
        import functools
        import operator

        from flask import Flask, request

        app = Flask(__name__)

        def allowed(number):
            return request.form.get("key") == number

        class Policy:
            def ok(self):
                return request.form.get("key") == "right"

        class Other:
            def ok(self):
                return True

        def check():
            return {use}
        """
    )
    assert upgraded.told == []


def test_a_function_of_another_file_is_told_by_its_name_here(upgrade: Upgrade) -> None:
    upgraded = upgrade(
        {
            "perm.py": "from flask import request\ndef allowed():\n    return request.form\n",
            "app.py": "import perm\nfrom perm import allowed as ok\ndef check():\n"
            "    return globals()['ok']()\ndef again():\n    return getattr(perm, 'allowed')()\n",
        }
    )
    assert [told.partition(" is ")[0] for told in upgraded.told] == [
        "app.py:4: `ok`",
        "app.py:6: `allowed`",
    ]


def test_a_function_with_a_copied_context_is_told_where_a_thread_runs_it(upgrade: Upgrade) -> None:
    upgraded = upgrade(
        """
        from threading import Thread

        from flask import copy_current_request_context, request

        def page():
            @copy_current_request_context
            def work():
                print(request.path)
            Thread(target=work).start()
            work()
        """
    )
    assert "    def work():" in upgraded.text and "    await work()" in upgraded.text
    [told] = upgraded.told
    assert told.startswith("app.py:9: `work` is a coroutine function now, by `copy_current_request")


def test_a_loop_over_what_is_streamed_elsewhere_is_told(upgrade: Upgrade) -> None:
    upgraded = upgrade(
        """
        from flask import stream_with_context

        def rows():
            yield "a"

        def page():
            return stream_with_context(rows())

        def text():
            return "".join(rows())

        def lines():
            return [row for row in rows()]
        """
    )
    told = "`rows()` is an asynchronous generator now: go through it by `async for`"
    assert upgraded.told == [f"app.py:10: {told}", f"app.py:13: {told}"]


JSON = """
from flask import request

def page():
    return {use}
"""


@pytest.mark.parametrize(
    "use", ["request.get_json()", "request.json", "request.get_json(cache=False)"]
)
def test_a_body_that_is_said_to_be_no_json_is_told(upgrade: Upgrade, use: str) -> None:
    [told] = upgrade(JSON.format(use=use)).told
    assert told.startswith("app.py:4: `request.") and "415" in told


@pytest.mark.parametrize(
    "use",
    ["request.get_json(True)", "request.get_json(silent=True)", "request.is_json and request.json"],
)
def test_nothing_is_told_where_such_a_body_is_thought_of(upgrade: Upgrade, use: str) -> None:
    assert upgrade(JSON.format(use=use)).told == []


def test_a_decorator_of_others_around_a_coroutine_function_is_told(upgrade: Upgrade) -> None:
    upgraded = upgrade(
        """
        from elsewhere import cached
        from quart import Blueprint, render_template
        pages = Blueprint("pages", __name__)
        @pages.get("/")
        @cached(60)
        def index():
            return render_template("index.html")
        """
    )
    assert "async def index()" in upgraded.text
    assert upgraded.told == [
        "app.py:6: `index` is a coroutine function now: does `@cached` await it?"
    ]


def test_a_call_of_an_unknown_object_is_told(upgrade: Upgrade) -> None:
    upgraded = upgrade(
        """
        import elsewhere
        from quart import render_template
        class Letter:
            def write(self):
                return ""
            def compose(self):
                return render_template("letter.txt")
        def send(letter):
            letter.compose()
            elsewhere.make().compose()
        """
    )
    assert upgraded.told == ["app.py:9: if `letter.compose` is the project's own, await it"]


def test_one_fault_does_not_keep_other_files_from_the_change(upgrade: Upgrade) -> None:
    upgraded = upgrade({"bad.py": "print 'x'\n", "good.py": "from flask import g\n"})
    assert upgraded.files["good.py"] == "from quart import g\n"
