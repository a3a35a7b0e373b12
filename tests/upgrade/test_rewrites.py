"""One rule of the upgrade after the other: a file before, and after."""

from __future__ import annotations

from textwrap import dedent

import pytest

from .conftest import Upgrade

#: The name of a rule, the file before, and after.  In all of them everything can be decided.
CASES = {
    "names that exist in Quart are imported from there": (
        """
        from flask import (
            Blueprint,  # for the pages
            abort,
        )
        from flask.views import MethodView
        """,
        """
        from quart import (
            Blueprint,  # for the pages
            abort,
        )
        from quart.views import MethodView
        """,
    ),
    "the class has another name, wherever the file says it": (
        """
        from flask import Flask

        class Shop(Flask):
            pass

        def begin(app: Flask, other: "Flask") -> Flask:
            return Flask("a Flask of tea")
        """,
        """
        from quart import Quart

        class Shop(Quart):
            pass

        def begin(app: Quart, other: "Quart") -> Quart:
            return Quart("a Flask of tea")
        """,
    ),
    "a name that means something else already is left to it": (
        """
        from flask import Flask

        Quart = "a quarter of a gallon"
        app = Flask(Quart)
        """,
        """
        from quart import Quart as Flask

        Quart = "a quarter of a gallon"
        app = Flask(Quart)
        """,
    ),
    "modules are imported whole": (
        """
        import flask
        import flask_login as fl, os

        app = flask.Flask(os.name)

        @app.get("/")
        def index():
            flask.flash("hello")
            return fl.login_user(flask.g.user)
        """,
        """
        import quart
        import quart_login as fl, os

        app = quart.Quart(os.name)

        @app.get("/")
        async def index():
            await quart.flash("hello")
            return await fl.login_user(quart.g.user)
        """,
    ),
    "Flask-Login's modules are one": (
        """
        from flask_login.utils import login_url as url_of
        from flask_login.mixins import UserMixin
        from flask_login import FlaskLoginClient
        import flask_compat as flask_login

        client_class = FlaskLoginClient
        loads = flask_login.current_user
        """,
        """
        from quart_login import login_url as url_of
        from quart_login import UserMixin
        from quart_login import QuartLoginClient
        import quart_login as flask_login

        client_class = QuartLoginClient
        loads = flask_login.current_user
        """,
    ),
    "what moved elsewhere has a line of its own": (
        """
        if True:
            from flask import Markup, request, url_for  # here
        """,
        """
        if True:
            from quart import request, url_for  # here
            from markupsafe import Markup
        """,
    ),
    "a view waits for the login, and one that waits for nothing stays plain": (
        """
        from flask import Flask, redirect
        from flask_login import login_required, login_user, logout_user

        app = Flask(__name__)

        @app.route("/login")
        def login():
            login_user(find())  # now
            return redirect("/")

        @app.route("/logout")
        @login_required
        def logout():
            return {"done": logout_user()}

        @app.route("/")
        def index():
            return "hello"

        def find():
            return None
        """,
        """
        from quart import Quart, redirect
        from quart_login import login_required, login_user, logout_user

        app = Quart(__name__)

        @app.route("/login")
        async def login():
            await login_user(find())  # now
            return redirect("/")

        @app.route("/logout")
        @login_required
        async def logout():
            return {"done": await logout_user()}

        @app.route("/")
        def index():
            return "hello"

        def find():
            return None
        """,
    ),
    "the request's body is awaited, with parentheses where they are needed": (
        """
        from flask import Flask, request

        app = Flask(__name__)

        @app.post("/")
        def index():
            a, b = request.form["a"], "b" in request.form
            c = request.get_json()["c"] if request.is_json else not(request.json)
            d = request.values.get("d") or request.args["d"]
            return f"{a} {b} {c} {d} {request.form.get('e')}", len(request.data)
        """,
        """
        from quart import Quart, request

        app = Quart(__name__)

        @app.post("/")
        async def index():
            a, b = (await request.form)["a"], "b" in await request.form
            c = (await request.get_json())["c"] if request.is_json else not(await request.json)
            d = (await request.values).get("d") or request.args["d"]
            return f"{a} {b} {c} {d} {(await request.form).get('e')}", len(await request.data)
        """,
    ),
    "a generator that streams with its request's context is asynchronous": (
        """
        from flask import Response, request, stream_with_context

        def page():
            def rows(count):
                yield request.form["name"] * count
            return Response(stream_with_context(rows(3)))

        def other():
            @stream_with_context
            def rows():
                yield request.path
            return rows()
        """,
        """
        from quart import Response, request, stream_with_context

        def page():
            async def rows(count):
                yield (await request.form)["name"] * count
            return Response(stream_with_context(rows)(3))

        def other():
            @stream_with_context
            async def rows():
                yield request.path
            return rows()
        """,
    ),
    "receivers of signals may wait, and are awaited": (
        """
        from flask import current_app, render_template
        from flask_login import user_logged_in

        @user_logged_in.connect_via(current_app)
        def note(sender, user):
            print(render_template("note.txt"))
        """,
        """
        from quart import current_app, render_template
        from quart_login import user_logged_in

        @user_logged_in.connect_via(current_app)
        async def note(sender, user):
            print(await render_template("note.txt"))
        """,
    ),
    "uploads are saved with await": (
        """
        from flask import request

        def keep(path):
            for upload in request.files.getlist("all"):
                upload.save(path)
            picture = request.files.get("picture")
            picture.save(path)
            return picture.filename
        """,
        """
        from quart import request

        async def keep(path):
            for upload in (await request.files).getlist("all"):
                await upload.save(path)
            picture = (await request.files).get("picture")
            await picture.save(path)
            return picture.filename
        """,
    ),
    "helpers and their callers wait too, however far": (
        """
        from flask import Flask, render_template

        def render(name):
            return render_template(name)

        def page(name):
            return render(name) + "!"

        class Pages:
            def __init__(self, app):
                self.app = app

            def show(self, name):
                return self._show(name)

            def _show(self, name):
                return page(name), 200

        app = Flask(__name__)
        pages = Pages(app)

        @app.get("/")
        def index():
            return pages.show("index.html")
        """,
        """
        from quart import Quart, render_template

        async def render(name):
            return await render_template(name)

        async def page(name):
            return await render(name) + "!"

        class Pages:
            def __init__(self, app):
                self.app = app

            async def show(self, name):
                return await self._show(name)

            async def _show(self, name):
                return await page(name), 200

        app = Quart(__name__)
        pages = Pages(app)

        @app.get("/")
        async def index():
            return await pages.show("index.html")
        """,
    ),
    "a function that calls itself": (
        """
        from flask import flash

        def count(number):
            flash(str(number))
            return number and count(number - 1)
        """,
        """
        from quart import flash

        async def count(number):
            await flash(str(number))
            return number and await count(number - 1)
        """,
    ),
    "loaders, handlers and what is done around a request": (
        """
        from flask import Flask, flash, request
        from flask_login import LoginManager, logout_user, user_logged_in

        app = Flask(__name__)
        manager = LoginManager(app)

        @manager.request_loader
        def load(asked):
            return asked.form.get("key")

        @manager.unauthorized_handler
        def stranger():
            return manager.needs_refresh()

        @app.before_request
        def before():
            if request.form:
                logout_user()

        def greet(sender, user):
            flash(user.name)

        user_logged_in.connect(greet, app)
        """,
        """
        from quart import Quart, flash, request
        from quart_login import LoginManager, logout_user, user_logged_in

        app = Quart(__name__)
        manager = LoginManager(app)

        @manager.request_loader
        async def load(asked):
            return (await asked.form).get("key")

        @manager.unauthorized_handler
        async def stranger():
            return await manager.needs_refresh()

        @app.before_request
        async def before():
            if await request.form:
                await logout_user()

        async def greet(sender, user):
            await flash(user.name)

        user_logged_in.connect(greet, app)
        """,
    ),
    "methods of views": (
        """
        from flask import Flask, render_template
        from flask.views import MethodView

        class Base(MethodView):
            def show(self):
                return render_template("x.html")

        class Page(Base):
            def get(self):
                return self.show()

            def post(self):
                return super().show()

            def delete(self):
                return ""

        app = Flask(__name__)
        app.add_url_rule("/", view_func=Page.as_view("page"))
        """,
        """
        from quart import Quart, render_template
        from quart.views import MethodView

        class Base(MethodView):
            async def show(self):
                return await render_template("x.html")

        class Page(Base):
            async def get(self):
                return await self.show()

            async def post(self):
                return await super().show()

            def delete(self):
                return ""

        app = Quart(__name__)
        app.add_url_rule("/", view_func=Page.as_view("page"))
        """,
    ),
    "the project's own decorators": (
        """
        from functools import update_wrapper

        from flask import Flask, abort, flash
        from flask_login import current_user

        def admin_required(view):
            def inner(*args, **kwargs):
                if not current_user.is_admin:
                    abort(403)
                return view(*args, **kwargs)
            return update_wrapper(inner, view)

        app = Flask(__name__)

        @app.get("/")
        @admin_required
        def index():
            flash("hello")
            return plain()

        @admin_required
        def plain():
            return ""
        """,
        """
        from functools import update_wrapper

        from quart import current_app, Quart, abort, flash
        from quart_login import current_user

        def admin_required(view):
            async def inner(*args, **kwargs):
                if not current_user.is_admin:
                    abort(403)
                return await current_app.ensure_async(view)(*args, **kwargs)
            return update_wrapper(inner, view)

        app = Quart(__name__)

        @app.get("/")
        @admin_required
        async def index():
            await flash("hello")
            return await plain()

        @admin_required
        def plain():
            return ""
        """,
    ),
    "decorators that are called, and those of a class": (
        """
        from flask import Flask, flash
        from flask.views import MethodView

        def loud(view):
            def inner(*args):
                print("loud")
                return view(*args)
            return inner

        def counted(number):
            def decorator(view):
                def inner(*args):
                    return view(*args) * number
                return inner
            return decorator

        class Page(MethodView):
            decorators = [counted(2)]

            def get(self):
                return ""

        def index():
            flash("hello")
            return ""

        app = Flask(__name__)
        app.add_url_rule("/", view_func=loud(index))
        """,
        """
        from quart import current_app, Quart, flash
        from quart.views import MethodView

        def loud(view):
            async def inner(*args):
                print("loud")
                return await current_app.ensure_async(view)(*args)
            return inner

        def counted(number):
            def decorator(view):
                async def inner(*args):
                    return await current_app.ensure_async(view)(*args) * number
                return inner
            return decorator

        class Page(MethodView):
            decorators = [counted(2)]

            def get(self):
                return ""

        async def index():
            await flash("hello")
            return ""

        app = Quart(__name__)
        app.add_url_rule("/", view_func=loud(index))
        """,
    ),
    "ensure_sync is ensure_async": (
        """
        from flask import current_app

        def guarded(view):
            def inner(*args):
                return current_app.ensure_sync(view)(*args)
            return inner
        """,
        """
        from quart import current_app

        def guarded(view):
            async def inner(*args):
                return await current_app.ensure_async(view)(*args)
            return inner
        """,
    ),
    "what is awaited or async already stays as it is": (
        """
        import asyncio

        from flask import Flask, render_template

        app = Flask(__name__)

        @app.get("/")
        async def index():
            await asyncio.gather(render_template("a"), render_template("b"))
            return await render_template("c")
        """,
        """
        import asyncio

        from quart import Quart, render_template

        app = Quart(__name__)

        @app.get("/")
        async def index():
            await asyncio.gather(render_template("a"), render_template("b"))
            return await render_template("c")
        """,
    ),
    "comprehensions wait, and what a generator goes through is waited for before": (
        """
        from flask import request

        def names():
            found = [name for name in request.form if request.files]
            return found, sum(len(name) for name in request.form)
        """,
        """
        from quart import request

        async def names():
            found = [name for name in await request.form if await request.files]
            return found, sum(len(name) for name in await request.form)
        """,
    ),
    "test clients of unittest": (
        """
        import unittest

        from flask import Flask

        class TestPages(unittest.TestCase):
            def setUp(self):
                self.app = Flask("x")
                self.context = self.app.app_context()
                self.context.push()
                self.client = self.app.test_client()

            def tearDown(self):
                self.context.pop()

            def log_in(self):
                form = dict(name="ann")
                return self.client.post("/login", data=form, follow_redirects=True)

            def test_index(self):
                self.assertIn(b"x", self.log_in().data)
                self.assertEqual(self.client.get("/").get_data(), b"x")
                self.assertEqual(self.client.get("/").text, "x")
        """,
        """
        import unittest

        from quart import Quart

        class TestPages(unittest.IsolatedAsyncioTestCase):
            async def asyncSetUp(self):
                self.app = Quart("x")
                self.context = self.app.app_context()
                await self.context.push()
                self.client = self.app.test_client()

            async def asyncTearDown(self):
                await self.context.pop()

            async def log_in(self):
                form = dict(name="ann")
                return await self.client.post("/login", form=form, follow_redirects=True)

            async def test_index(self):
                self.assertIn(b"x", await (await self.log_in()).data)
                self.assertEqual(await (await self.client.get("/")).get_data(), b"x")
                self.assertEqual(await (await self.client.get("/")).get_data(as_text=True), "x")
        """,
    ),
    "contexts and session transactions are blocks that wait": (
        """
        from flask import current_app as app

        def look():
            with app.test_client() as client, client.session_transaction() as session:
                session["a"] = 1
            with app.test_request_context():
                client.post("/", data='{}', content_type="application/json")
        """,
        """
        from quart import current_app as app

        async def look():
            async with app.test_client() as client, client.session_transaction() as session:
                session["a"] = 1
            async with app.test_request_context("/"):
                await client.post("/", data='{}', headers={"Content-Type": "application/json"})
        """,
    ),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES.keys())
def test_the_rule(upgrade: Upgrade, before: str, after: str) -> None:
    upgraded = upgrade(before)
    assert upgraded.text == dedent(after).lstrip("\n")
    assert upgraded.told == []


def test_what_helpers_of_other_files_wait_for(upgrade: Upgrade) -> None:
    """By each way of importing, through a package that hands on what its modules have."""
    upgraded = upgrade(
        {
            "shop/__init__.py": "from .pages import *\nfrom .texts import say as tell\n",
            "shop/texts.py": "from flask import flash\ndef say(text):\n    flash(text)\n",
            "shop/pages.py": "from .texts import say\ndef page():\n    say('x')\n",
            "shop/views.py": """
            from flask import Blueprint
            import shop.texts
            from . import tell, texts
            from shop import page

            views = Blueprint("views", __name__)

            @views.get("/")
            def index():
                page()
                tell("a")
                texts.say("b")
                shop.texts.say("c")
        """,
        }
    )
    assert upgraded.files["shop/pages.py"].splitlines()[-2:] == [
        "async def page():",
        "    await say('x')",
    ]
    lines = [line.strip() for line in upgraded.files["shop/views.py"].splitlines()]
    assert lines[-5:] == [
        "async def index():",
        "await page()",
        'await tell("a")',
        'await texts.say("b")',
        'await shop.texts.say("c")',
    ]
    assert upgraded.told == []


def test_fixtures_give_clients_to_tests_and_their_helpers(upgrade: Upgrade) -> None:
    upgraded = upgrade(
        {
            "tests/conftest.py": """
            import pytest
            from flask import Flask

            @pytest.fixture
            def app():
                with (app := Flask("x")).app_context():
                    yield app

            @pytest.fixture()
            def client(app):
                return app.test_client()
        """,
            "tests/helpers.py": "def ask(by, path):\n    return by.get(path).json\n",
            "tests/test_it.py": """
            from helpers import ask

            def test_it(client):
                assert ask(client, "/") == client.get("/").get_json()
        """,
            "tests/other.py": "def look(client):\n    return client.get('x')\n",
        }
    )
    assert "async def app():\n    async with (app :=" in upgraded.files["tests/conftest.py"]
    assert upgraded.files["tests/helpers.py"].lstrip() == (
        "async def ask(by, path):\n    return await (await by.get(path)).json\n"
    )
    assert upgraded.files["tests/test_it.py"].endswith(
        'async def test_it(client):\n    assert await ask(client, "/") == '
        'await (await client.get("/")).get_json()\n'
    )
    assert "await" not in upgraded.files["tests/other.py"]
    assert [line for line in upgraded.told if "pytest-asyncio" in line]
