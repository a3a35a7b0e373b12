"""What is not as it should be fails: that, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest
from audit.applications import BOTH, FENCE, Auditing

NOWHERE = "P22 /no-page-for-the-login-audit GET"


class Wrong(NamedTuple):
    """One way in which an application is wrong."""

    #: What it says more.
    code: str
    #: What fails.
    failed: set[str]
    #: What the failure says.
    said: str
    fence: str = ""
    framework: str | None = None
    ini: str = ""
    #: What is asked; all of it, if nothing is said.
    asked: str = ""


def page(path: str, body: str, guard: str = "login_exempt") -> str:
    """Return the source of a view."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    name = "wrong" + path.translate(str.maketrans("/<>:-", "_____"))
    return f'\n@app.get("{path}")\n@{guard}\nASYNC def {name}():\n{lines}\n'


def cookie(options: str, value: str = "'x'", name: str = "flavour") -> str:
    """Return the source of a view that sets a cookie."""
    return page(
        "/wrong",
        f"response = AWAIT make_response('page')\n"
        f"response.set_cookie('{name}', {value}, {options})\n"
        f"return response\n",
    )


def header(line: str) -> str:
    """Return the source of a view whose answers differ by a header that *line* sets."""
    return page("/wrong", f"response = AWAIT make_response('page')\n{line}\nreturn response\n")


def setting(**settings: object) -> str:
    """Return the source of settings that come after the manager."""
    return (
        f"\napp.config.update({', '.join(f'{key}={value!r}' for key, value in settings.items())})\n"
    )


COOKIES = {
    "no Secure": Wrong(
        cookie("httponly=True, samesite='Lax'"), {"P17 /wrong GET"}, "It has no Secure"
    ),
    "no HttpOnly": Wrong(
        cookie("secure=True, samesite='Lax'"), {"P17 /wrong GET"}, "name it in login_audit_scripts"
    ),
    "no SameSite": Wrong(
        cookie("secure=True, httponly=True"), {"P17 /wrong GET"}, "Say set_cookie(..., samesite="
    ),
    "a prefix that is not kept": Wrong(
        cookie("secure=True, httponly=True, samesite='Lax', path='/wrong'", name="__Host-flavour"),
        {"P17 /wrong GET"},
        "by its name it has Path=/ and no Domain",
    ),
    "SameSite=None over plain HTTP": Wrong(
        cookie("httponly=True, samesite='None'"), {"P17 /wrong GET"}, "SameSite=None needs Secure"
    ),
    "too large": Wrong(
        "\napp.response_class.max_cookie_size = 0  # Werkzeug does not warn.\n"
        + cookie("secure=True, httponly=True, samesite='Lax'", value="'x' * 4090"),
        {"P17 /wrong GET"},
        "it takes over 4096 bytes",
    ),
    "an id in it": Wrong(
        page(
            "/wrong",
            "response = AWAIT make_response('page')\n"
            "options = {'secure': True, 'httponly': True, 'samesite': 'Lax'}\n"
            "response.set_cookie('who', current_user.id, **options)\n"
            "return response\n",
            "login_required",
        ),
        {"P17 /wrong GET"},
        "Its value names the user",
    ),
    "an address in it": Wrong(
        page(
            "/wrong",
            "response = AWAIT make_response('page')\n"
            "options = {'secure': True, 'httponly': True, 'samesite': 'Lax'}\n"
            "response.set_cookie('who', f'me:{current_user.email}', **options)\n"
            "return response\n",
            "login_required",
        ),
        {"P17 /wrong GET"},
        "Its value names the user",
    ),
    "deleted elsewhere": Wrong(
        page(
            "/wrong",
            "response = AWAIT make_response('page')\n"
            "response.delete_cookie('theme', path='/wrong', secure=True, samesite='Lax')\n"
            "return response\n",
        ),
        {"P17 /wrong GET"},
        "It is deleted with another path than it is set with",
        asked="theme or wrong",
    ),
    "the session's": Wrong(
        setting(SESSION_COOKIE_NAME="session", SESSION_COOKIE_SECURE=False),
        {"P17 login and logout", "check 3.3.1", "check 3.3.3"},
        "SESSION_COOKIE_SECURE = True",
    ),
    "the form that names its user": Wrong(
        setting(REMEMBER_COOKIE_FORMAT="flask-login") + "\nlogin_manager.sessions = None\n",
        {"P17 login and logout", "check 9.2.1"},
        "REMEMBER_COOKIE_FORMAT = 'quart-login'",
        framework="flask",
    ),
    "a user who cannot be loaded": Wrong(
        "\nlogin_manager.user_loader(lambda user_id: None)\n",
        {"P17 login and logout"},
        "The login does not last to the next request: user_gone",
        asked="login",
    ),
    "a user who cannot log in": Wrong(
        "\nUser.is_active = False\n",
        {"P17 login and logout"},
        "login_user does not let it",
        asked="login",
    ),
}

CACHES = {
    "a user known by the session": Wrong(
        page("/wrong", "return f\"hello {session.get('_user_id')}\""),
        {"P18 /wrong GET"},
        # Quart's session does not note that somebody read it, so Vary is missing there, too.
        "Cache-Control: private. The library says so",
    ),
    "a user known by the cookie": Wrong(
        page("/wrong", "return 'in' if '__Host-session' in request.cookies else 'out'"),
        {"P18 /wrong GET"},
        "Cache-Control: private. The library says so",
    ),
    "two users": Wrong(
        # A stranger and the one user get the same.
        page(
            "/wrong",
            "return 'for bob' if getattr(current_user, 'id', None) == 'bob' else 'for all'",
        )
        + """
class Late(KIND):
    ASYNC def process_response(self, *args):
        response = AWAIT super().process_response(*args)
        if request.path == "/wrong":
            response.headers["Cache-Control"] = "max-age=60"
            del response.headers["Vary"]
        return response


app.__class__ = Late
""",
        {"P18 /wrong GET"},
        "to another user depends on the visitor, and says Cache-Control: max-age=60",
    ),
    "a header that names the user": Wrong(
        header("response.headers['X-User'] = str(session.get('_user_id'))"),
        {"P18 /wrong GET"},
        "Cache-Control: private. The library says so",
    ),
    "a file's name that names the user": Wrong(
        header(
            "response.headers['Content-Disposition'] ="
            " f\"attachment; filename={session.get('_user_id')}\""
        ),
        {"P18 /wrong GET"},
        "Cache-Control: private. The library says so",
    ),
    "a tag of the user's": Wrong(
        header("response.set_etag(f\"of {session.get('_user_id')}\")"),
        {"P18 /wrong GET"},
        "Cache-Control: private. The library says so",
    ),
    "a login by a link": Wrong(
        page("/wrong", "AWAIT login_user(users['alice'])\nreturn 'welcome'")
        + setting(LOGIN_CACHE_CONTROL_PRIVATE=False),
        {"P18 /wrong GET", "check 14.2.2"},
        "to a stranger sets a login cookie",
    ),
    "static files": Wrong(
        """
@app.before_request
ASYNC def look():
    current_user.is_authenticated
""",
        {"P18 /static/<path:filename> GET"},
        "A static file is kept from caches",
    ),
}

REFUSALS = {
    "a guard above the route": Wrong(
        """
@login_required
@app.get("/wrong")
ASYNC def wrong():
    return "secret"
""",
        {"P22 /wrong GET"},
        "a guard stands above the route",
    ),
    "a cache above the guard": Wrong(
        """
kept = {}


def cached(view):
    @wraps(view)
    ASYNC def answer():
        found = kept.get(request.path) or AWAIT make_response(AWAIT view())
        if found.status_code == 200:
            kept[request.path] = found
        return found

    return answer


@app.get("/wrong")
@cached
@login_required
ASYNC def wrong():
    return "secret"
""",
        {"P22 /wrong GET", "P22 /wrong HEAD"},
        "A stranger got status 200, and should be refused: decorator",
        asked="P22",
    ),
    "a hook that answers after the guard has refused": Wrong(
        """
@app.after_request
ASYNC def answer(response):
    if request.path == "/me" and request.method == "GET":
        response.headers.pop("Location", None)
        response.status_code = 200
        response.set_data(b"hello")
    return response
""",
        {"P22 /me GET"},
        "A stranger got status 200, and should be refused: decorator",
        asked="P22",
    ),
    "a hook that answers before the fence": Wrong(
        """
@app.before_request
ASYNC def answer():
    if request.path == "/me":
        return "hello"


app.before_request_funcs[None].insert(0, app.before_request_funcs[None].pop())
""",
        {"P22 /me GET", "P22 /me HEAD", "P22 /me OPTIONS", "P22 /me PROPFIND"},
        "A stranger got status 200, and should be refused: require_login",
        fence=FENCE,
        asked="P22",
    ),
    "a hook that tells which pages there are": Wrong(
        """
@app.before_request
ASYNC def answer():
    if request.url_rule is None:
        abort(404)


app.before_request_funcs[None].insert(0, app.before_request_funcs[None].pop())
""",
        {
            NOWHERE,
            *(
                f"P22 {path} PROPFIND"
                for path in ("/about", "/light", "/me", "/notes/<int:id>", "/theme")
            ),
            "P22 /static/<path:filename> PROPFIND",
        },
        "A stranger got status 404",
        fence=FENCE,
    ),
    "a hook that answers OPTIONS": Wrong(
        """
@app.before_request
ASYNC def preflight():
    if request.method == "OPTIONS":
        return "", 204


app.before_request_funcs[None].insert(0, app.before_request_funcs[None].pop())
""",
        {"P22 /me OPTIONS", "P22 /notes/<int:id> OPTIONS"},
        "A stranger got status 204",
        fence=FENCE,
    ),
    "a redirect that users get, too": Wrong(
        """
@app.before_request
ASYNC def lead():
    if request.path == "/me":
        return redirect("/secret")


app.before_request_funcs[None].insert(0, app.before_request_funcs[None].pop())
""",
        {"P22 /me GET", "P22 /me HEAD"},
        "A stranger got status 302 to /secret",
        asked="P22 and me",
    ),
    "a form that is not called unless that is allowed": Wrong(
        """
@app.before_request
ASYNC def answer():
    if request.method == "POST":
        return "kept"


app.before_request_funcs[None].insert(0, app.before_request_funcs[None].pop())
""",
        {"P22 /notes/<int:id> POST"},
        "A stranger got status 200",
        fence=FENCE,
        ini="login_audit_methods = POST",
        asked="P22",
    ),
    "a websocket that is accepted first": Wrong(
        """
@app.before_websocket
async def accept():
    if websocket.path == "/live":
        await websocket.accept()


app.before_websocket_funcs[None].insert(0, app.before_websocket_funcs[None].pop())
""",
        {"P22 /live websocket", "P23 /live websocket origin"},
        "A stranger was not refused",
        framework="quart",
    ),
    "an open method of a guarded page": Wrong(
        """
from FRAMEWORK.views import MethodView


class Page(MethodView):
    @login_required
    ASYNC def get(self):
        return "guarded"

    ASYNC def delete(self):
        return "deleted"


app.add_url_rule("/wrong", view_func=Page.as_view("wrong"))
""",
        set(),
        "P22 /wrong DELETE",  # It is skipped: nobody said that it should be guarded.
    ),
}

SOCKETS = {
    "every origin": Wrong(
        setting(LOGIN_WEBSOCKET_ORIGINS=["*"]),
        {"P23 /live websocket origin", "P23 /greeting websocket origin"},
        "Name the origins that may",
    ),
    "every origin of one": Wrong(
        """
from quart_login import allow_origins


@app.websocket("/wrong")
@allow_origins("*")
@login_required
async def wrong():
    await websocket.receive()
""",
        {"P23 /wrong websocket origin"},
        "Name the origins that may",
    ),
    "no hook": Wrong(
        "\napp.before_websocket_funcs[None].clear()\n",
        {
            "P23 /live websocket origin",
            "P23 /live websocket revoked",
            "P23 /greeting websocket origin",
            "P23 /greeting websocket revoked",
        },
        "opened it, with the cookies of whoever looks at that page",
    ),
    "nobody who watches": Wrong(
        "\napp.extensions['quart_login.watch'].clear()\n",
        {"P23 /live websocket revoked", "P23 /greeting websocket revoked"},
        "It stays open after its login was ended",
    ),
}

SETTINGS = {
    "a key that everybody knows": Wrong(
        setting(SECRET_KEY="secret"), {"check 11.5.1"}, "SECRET_KEY is known to everybody"
    ),
    "a login without a last day": Wrong(
        setting(LOGIN_IDLE_TIMEOUT=None), {"check 7.3.1"}, "To mend it: LOGIN_IDLE_TIMEOUT"
    ),
    "no logins at all": Wrong(
        setting(LOGIN_DISABLED=True), {"check 8.3.1"}, "To mend it: LOGIN_DISABLED = False"
    ),
}


def cases(wrongs: Mapping[str, Wrong], *frameworks: str) -> pytest.MarkDecorator:
    """Return the parameters of a test of *wrongs*, in each of the *frameworks*."""
    return pytest.mark.parametrize(
        ("framework", "wrong"),
        [
            pytest.param(framework, wrong, id=f"{name}-{framework}")
            for name, wrong in wrongs.items()
            for framework in frameworks
            if wrong.framework in (None, framework)
        ],
    )


@pytest.fixture(autouse=True)
def a_static_file(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("static")
    (folder / "style.css").write_text("body {}")


@cases(COOKIES | CACHES | REFUSALS | SETTINGS, "flask", "quart")
def test_what_is_wrong_fails(audit: Auditing, framework: str, wrong: Wrong) -> None:
    options = ("-k", wrong.asked) if wrong.asked else ()
    found = audit(framework, wrong.fence, wrong.code, options=options, ini=wrong.ini)
    assert set(found.failed) == wrong.failed, found.text
    assert wrong.said in found.text


@cases(SOCKETS, "quart")
def test_what_is_wrong_with_a_socket_fails(audit: Auditing, framework: str, wrong: Wrong) -> None:
    test_what_is_wrong_fails(audit, framework, wrong._replace(asked="P23"))


@BOTH
def test_a_cookie_for_scripts_may_be_named(audit: Auditing, framework: str) -> None:
    code = COOKIES["no HttpOnly"].code
    assert audit(framework, code, ini="login_audit_scripts = flavour").failed == []


@BOTH
def test_a_page_that_is_open_without_a_mark_is_told(audit: Auditing, framework: str) -> None:
    code = '\n@app.get("/open")\nASYNC def open_page():\n    return "open"\n'
    found = audit(framework, code)
    assert (found.failed, found.skipped) == ([], ["P22 /open GET"])
    assert "open to everybody. Guard it, or mark it with @login_exempt." in found.text


@BOTH
def test_a_key_of_tests_is_no_finding(audit: Auditing, framework: str) -> None:
    found = audit(framework, setting(SECRET_KEY="secret", TESTING=True))
    assert (found.failed, found.skipped) == ([], ["check 11.5.1", "check 13.4.2"])
    assert "Run `login check` with what is deployed" in found.text


def test_a_socket_for_every_page_is_none_of_the_audits(audit: Auditing) -> None:
    code = """
from quart_login import allow_origins


@app.websocket("/prices")
@allow_origins("*")
async def prices():
    await websocket.send("42")
"""
    found = audit("quart", code, options=("-k", "prices"))
    assert found.failed == []
    assert "Every page may open it, as the application says" in found.text
