"""How does a core function look to an application?"""

from __future__ import annotations

from functools import partial, wraps
from inspect import signature
from typing import Any

from quart_login._core.public import is_coroutine_function, publish


def core(exchange: Any, user: str, /, remember: bool = False, *, force: int = 1) -> bool:
    """Say so."""
    return True


def bound(*args: Any, **kwargs: Any) -> bool:
    return core(None, *args, **kwargs)


def test_a_published_function_looks_like_the_cores_less_the_exchange() -> None:
    assert publish(core, bound, "shell") is bound
    assert str(signature(bound)) == str(
        signature(core).replace(parameters=list(signature(core).parameters.values())[1:])
    )
    assert list(signature(bound).parameters) == ["user", "remember", "force"]
    assert (bound.__name__, bound.__qualname__, bound.__doc__, bound.__module__) == (
        "core",
        "core",
        "Say so.",
        "shell",
    )
    assert not hasattr(bound, "__wrapped__")


class Loader:
    async def waits(self) -> None: ...

    def calls(self) -> None: ...

    async def __call__(self) -> None: ...


def test_a_coroutine_function_is_one_that_is_written_so() -> None:
    async def waits() -> None: ...

    def calls() -> Any:
        return waits()

    @wraps(waits)
    def wrapped() -> Any:
        return waits()

    assert is_coroutine_function(waits)
    assert is_coroutine_function(Loader().waits)
    # Whether these return an awaitable is seen when they have done so.
    others = (calls, wrapped, Loader().calls, Loader(), partial(waits), len, Loader)
    for fn in others:
        assert is_coroutine_function(fn) is False
