"""What is left of a coroutine that nobody awaits?"""

from __future__ import annotations

import copy
import functools
import gc
import inspect
import pickle
import subprocess
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from loops import asyncio
from quart import Quart, abort

from quart_login._core.public import is_coroutine_function
from quart_login.must_await import must_await


@pytest.fixture(autouse=True)
def thrown_away() -> Iterator[None]:
    """What is refused was not awaited either, and Python warns of that, too."""
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        yield
        gc.collect()


@must_await
async def allowed(number: int = 1, *, deep: bool = False) -> int:
    """Return *number*."""
    return number


class Policy(ABC):
    @must_await
    async def ok(self) -> str:
        return type(self).__name__

    @staticmethod
    @must_await
    async def inside(number: int) -> int:
        return number

    @must_await
    @staticmethod
    async def outside(number: int) -> int:
        return number

    @classmethod
    @must_await
    async def of(cls) -> str:
        return cls.__name__

    @must_await
    @abstractmethod
    async def above(self) -> str: ...


class Strict(Policy):
    @must_await
    async def above(self) -> str:
        return await super().ok()


#: What gates, and what follows them, do with a result.
USES: dict[str, Callable[[Any], Any]] = {
    "bool": bool,
    "not": lambda it: not it,
    "and": lambda it: it and 1,
    "or": lambda it: it or 1,
    "if": lambda it: 1 if it else 2,
    "all": lambda it: all([it]),
    "any": lambda it: any([it]),
    "filter": lambda it: list(filter(None, [it])),
    "==": lambda it: it == 1,
    "== from the left": lambda it: it == "guest",
    "!=": lambda it: it != 1,
    "<": lambda it: it < 1,
    ">= from the left": lambda it: it <= 1,
    "in a tuple": lambda it: it in ("none", "guest"),
    "in a set": lambda it: it in {"none", "guest"},
    "in a dictionary": lambda it: {"guest": 1}.get(it),
    "in it": lambda it: "admin" in it,
    "len": len,
    "list": list,
    "unpacking": lambda it: [*it],
    "a loop": lambda it: [one for one in it],
    "an item": lambda it: it[0],
    "an attribute": lambda it: it.name,
    "getattr with a default": lambda it: getattr(it, "is_banned", False),
    "hasattr": lambda it: hasattr(it, "is_banned"),
    "set an attribute": lambda it: setattr(it, "name", 1),
    "call": lambda it: it(),
    "str": str,
    "an f-string": lambda it: f"{it}",
    "an f-string with a form": lambda it: f"{it:>3}",
    "%": lambda it: f"{'%s'}" % it,
    "int": int,
    "a copy": copy.copy,
    "vars": vars,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_it_is_an_error_to_use_it(use: Callable[[Any], Any]) -> None:
    with pytest.raises(RuntimeError, match=r"this was not awaited: write `await allowed\(...\)`"):
        use(allowed())


def test_the_error_says_where_the_call_is() -> None:
    line = sys._getframe().f_lineno + 1
    result = allowed()
    with pytest.raises(RuntimeError, match=rf" at .*test_must_await\.py:{line}$"):
        bool(result)
    assert f"test_must_await.py:{line}" in repr(result)


async def test_it_is_awaited_as_a_coroutine_is() -> None:
    assert await allowed(2) == 2
    assert await asyncio.gather(allowed(1), allowed(2)) == [1, 2]
    assert await asyncio.wait_for(allowed(3), 5) == 3
    assert await asyncio.create_task(allowed(4)) == 4
    task = asyncio.ensure_future(allowed(5))
    assert "allowed" in repr(task)
    assert await task == 5
    waiting = allowed(6)
    assert inspect.isawaitable(waiting)
    assert await waiting == 6
    with pytest.raises(RuntimeError, match="already awaited"):
        await waiting


async def test_methods() -> None:
    policy = Strict()
    assert await policy.ok() == "Strict"
    assert await Policy.ok(policy) == "Strict"
    assert await policy.inside(1) == await Strict.inside(1) == 1
    assert await policy.outside(2) == await Strict.outside(2) == 2
    assert await policy.of() == await Strict.of() == "Strict"
    assert await policy.above() == "Strict"
    for result in (policy.ok(), policy.inside(1), policy.outside(1), policy.of(), policy.above()):
        with pytest.raises(RuntimeError, match="not awaited"):
            bool(result)
    with pytest.raises(TypeError, match="abstract"):
        Policy()  # type: ignore[abstract]


def test_it_is_a_coroutine_function_to_all_who_ask() -> None:
    for one in (allowed, Strict().ok, Strict.of, functools.partial(allowed, 1)):
        assert inspect.iscoroutinefunction(one)
        assert asyncio.iscoroutinefunction(one) if sys.version_info < (3, 12) else True
    assert is_coroutine_function(allowed) and is_coroutine_function(Strict().ok)


def test_it_looks_like_the_function() -> None:
    assert str(inspect.signature(allowed)).startswith("(number: 'int' = 1, *, deep")
    assert (allowed.__name__, allowed.__doc__) == ("allowed", "Return *number*.")
    assert allowed.__module__ == __name__ and "allowed" in repr(allowed)
    assert must_await(allowed) is allowed
    assert pickle.loads(pickle.dumps(functools.partial)) and allowed.__reduce__() == "allowed"
    assert copy.deepcopy(allowed) is allowed


async def test_a_decorator_that_keeps_the_name_keeps_the_functions_apart() -> None:
    @functools.wraps(allowed)
    @must_await
    async def outer() -> int:
        return 10 + await allowed()

    @must_await
    @functools.wraps(allowed)
    async def outermost() -> int:
        return 100 + await outer()

    assert (await outermost(), await outer(), await allowed()) == (111, 11, 1)
    assert outer.__name__ == outermost.__name__ == "allowed"
    assert inspect.unwrap(outermost) is inspect.unwrap(allowed)


def test_it_is_for_coroutine_functions() -> None:
    with pytest.raises(TypeError, match=r"`.*plain` is none"):

        @must_await  # type: ignore[arg-type]
        def plain() -> int:
            return 1


def test_what_is_thrown_away_is_warned_of_as_coroutines_are() -> None:
    with pytest.warns(RuntimeWarning, match="coroutine 'allowed' was never awaited"):
        allowed()


async def test_a_forgotten_gate_is_a_server_error_and_a_view_is_awaited(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Quart(__name__)
    caplog.set_level("CRITICAL", app.logger.name)  # It would keep the coroutine.

    @app.get("/gate")
    def gate() -> str:
        if not allowed(0):
            abort(403)
        return "secret"

    @app.get("/view")
    @must_await
    async def view() -> str:
        return "a page" if await allowed() else "none"

    @app.get("/dropped")
    def dropped() -> Any:
        return allowed()

    client = app.test_client()
    assert (await client.get("/gate")).status_code == 500
    assert await (await client.get("/view")).get_data() == b"a page"
    assert (await client.get("/dropped")).status_code == 500


async def test_templates_await_it() -> None:
    app = Quart(__name__)
    app.jinja_env.globals["allowed"] = allowed
    async with app.app_context():
        template = app.jinja_env.from_string("{% if allowed(0) %}in{% else %}out{% endif %}")
        assert await template.render_async() == "out"


def test_it_is_cheap_to_import() -> None:
    script = (
        "import sys, quart_login.must_await as it; assert it.must_await;"
        "print([name for name in ('quart', 'flask', 'asyncio', 'libcst') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
