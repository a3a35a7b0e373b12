"""The three stages on which one script is played: Flask-Login itself, and the two shells."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import flask_login
import flask_login.login_manager
from sites import Answer, FlaskSite, QuartSite, Site, User

ADDRESS = "127.0.0.1"

#: Who is who: an int, a str, one beyond ASCII, one with the separator in it, and an inactive one.
USERS: dict[Any, bool] = {1: True, 2: True, 3: False, "ann": True, "zoë": True, "a|b": True}


class OriginalUser(flask_login.UserMixin):
    def __init__(self, id: Any, active: bool) -> None:
        self.id = id
        self.name = f"user {id}"
        self.active = active

    @property
    def is_active(self) -> bool:
        return self.active

    def get_id(self) -> Any:
        return self.id


class Stage(Site):
    """A site with a few pages more, and a request loader if the case asks for it."""

    def __init__(self, config: dict[str, Any], case: Any = None) -> None:
        super().__init__(config)
        self.users = {id: self.make_user(id, active) for id, active in USERS.items()}
        self.add_guarded_views()
        if case is not None:
            for name, value in case.manager.items():
                setattr(self.manager, name, value)
            if case.request_loader:
                self.manager.request_loader(self.load_by_key)

    def make_user(self, id: Any, active: bool) -> Any:
        return User(id, active)

    def load_by_key(self, request: Any) -> Any:
        key = request.headers.get("X-Key", "")
        return self.users.get(int(key)) if key else None

    def add_guarded_views(self) -> None:
        async def whoever(**kwargs: Any) -> str:
            return f"for {getattr(self.lib.current_user, 'name', 'anybody')}"

        def add(path: str, guard: str = "login_required", **options: Any) -> None:
            self.route(path, guard=guard, **options)(whoever)

        add("/guarded")
        add("/both", methods=["GET", "POST"])
        add("/post-only", methods=["POST"])
        add("/deep/<path:name>", endpoint="deep")
        add("/manual", methods=["GET", "OPTIONS"], provide_automatic_options=False)
        add(
            "/manual-fresh",
            "fresh_login_required",
            methods=["GET", "OPTIONS"],
            provide_automatic_options=False,
        )
        outer = self.web.Blueprint("outer", "outer", url_prefix="/outer")
        inner = self.web.Blueprint("inner", "inner", url_prefix="/inner")
        for blueprint in (outer, inner):
            guarded = self.lib.login_required(self.colour(whoever))
            blueprint.add_url_rule("/page", "page", guarded)
        outer.register_blueprint(inner)
        self.app.register_blueprint(outer)


class FlaskStage(Stage, FlaskSite):
    """`flask_compat`."""


class QuartStage(Stage, QuartSite):
    """`quart_login`, from the address that Flask's test client has."""

    async def send(self, path: str, method: str, headers: Any) -> Answer:
        client = self.app.test_client(use_cookies=False)
        response = await client.open(
            path, method=method, headers=dict(headers), scope_base={"client": (ADDRESS, 1)}
        )
        return Answer(
            response.status_code,
            await response.get_data(as_text=True),
            response.headers,
            response.headers.getlist("Set-Cookie"),
        )


class OriginalStage(Stage, FlaskSite):
    """Flask-Login 0.6.3, with the clock of the test."""

    lib = flask_login

    def __init__(self, config: dict[str, Any], case: Any = None) -> None:
        #: Load the user before the view?
        self.eager = False
        super().__init__(config, case)
        self.app.before_request(self.load_first)

    def make_user(self, id: Any, active: bool) -> Any:
        return OriginalUser(id, active)

    def load_first(self) -> None:
        if self.eager:
            flask_login.utils._get_user()

    async def send(self, path: str, method: str, headers: Any) -> Answer:
        # `datetime.utcnow` is deprecated, and is not the clock that the test moves.
        now = datetime.fromtimestamp(self.clock.now, UTC).replace(tzinfo=None)
        with patch.object(
            flask_login.login_manager, "datetime", SimpleNamespace(utcnow=lambda: now)
        ):
            return await super().send(path, method, headers)

    @contextmanager
    def hearing(self, *names: str) -> Any:
        with patch("sites.SIGNALS", ORIGINAL_SIGNALS), super().hearing(*names) as heard:
            yield heard


ORIGINAL_SIGNALS = {
    name: signal
    for name, signal in vars(flask_login.signals).items()
    if hasattr(signal, "receivers") and not name.startswith("_")
}

SHELLS: dict[str, type[Stage]] = {"flask_compat": FlaskStage, "quart_login": QuartStage}
