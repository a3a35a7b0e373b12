"""An application on paper: routes, blueprints and hooks, and no framework."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from core.paper import Manager
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule


class App:
    """What the core uses of an application."""

    def __init__(self) -> None:
        self.url_map = Map()
        self.view_functions: dict[str, Any] = {}
        self.blueprints: dict[str, Any] = {}
        self.extensions: dict[str, Any] = {}
        self.config: dict[str, Any] = {}
        self.before_request_funcs: Any = defaultdict(list)
        self.before_websocket_funcs: Any = defaultdict(list)
        self.cli = SimpleNamespace(commands={})
        self.cli.add_command = lambda command: self.cli.commands.update({command.name: command})
        self.has_static_folder = True
        self.watched = 0

    def add(self, path: str, endpoint: str, view: Any = None, **options: Any) -> Any:
        """Add a route; without a *view* one that nothing is said of."""
        options.setdefault("methods", ["GET"] if "websocket" not in options else None)
        rule: Any = Rule(path, endpoint=endpoint, **options)
        rule.provide_automatic_options = False
        self.url_map.add(rule)
        self.view_functions[endpoint] = view or (lambda **kwargs: endpoint)
        return self.view_functions[endpoint]

    def create_url_adapter(self, request: Any) -> Any:
        return self.url_map.bind("localhost", request.root_path, path_info=request.path)

    def request(self, path: str, method: str = "GET", **fields: Any) -> Any:
        """Return a request for *path* that was routed."""
        made = SimpleNamespace(
            path=path, method=method, root_path="/", url_rule=None, routing_exception=None, **fields
        )
        adapter = self.create_url_adapter(made)
        try:
            made.url_rule = adapter.match(method=method, return_rule=True)[0]
        except HTTPException as error:
            made.routing_exception = error
        return made


class Blueprint:
    """What the core uses of a blueprint."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.has_static_folder = False
        self.recorded: list[Callable[[Any], None]] = []
        self.done = False

    def record(self, callback: Callable[[Any], None]) -> None:
        assert not self.done
        self.recorded.append(callback)

    def register(self, app: App, url_prefix: str | None = None, name: str | None = None) -> None:
        self.done = True
        app.blueprints[name or self.name] = self
        for callback in self.recorded:
            callback(SimpleNamespace(app=app, url_prefix=url_prefix))


class Watching(Manager):
    """A manager that notes which applications it looks at."""

    def watch_fences(self, app: Any) -> None:
        app.watched += 1


def manager_of(app: App, name: str | None = None) -> Watching:
    manager = Watching(name)
    app.extensions.setdefault("quart_login", {})[manager.realm] = manager
    return manager
