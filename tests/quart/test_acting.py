"""``acting_as`` in tasks and event loops."""

from __future__ import annotations

from loops import Quart, asyncio
from quart import render_template_string
from sites import KEY, User

from quart_login import LoginManager, acting_as, current_user


def test_in_a_bare_event_loop_tasks_of_the_block_have_its_user() -> None:
    async def name() -> str:
        await asyncio.sleep(0)
        return str(current_user.name) if current_user.is_authenticated else "nobody"

    async def act(number: int) -> tuple[str, str]:
        async with acting_as(User(number)) as user:
            assert user.id == number
            inner = asyncio.create_task(name())
            await asyncio.sleep(0)
            return await name(), await inner

    async def main() -> None:
        found = await asyncio.gather(*(act(number) for number in range(50)))
        assert found == [(f"user {number}", f"user {number}") for number in range(50)]
        assert await name() == "nobody"

    asyncio.run(main())


async def test_in_a_background_task_and_its_templates() -> None:
    app = Quart(__name__, static_folder=None)
    app.secret_key = KEY
    manager: LoginManager[User] = LoginManager(app)
    manager.user_loader(lambda user_id: None)
    said: list[str] = []
    done = asyncio.Event()

    async def job() -> None:
        async with manager.acting_as(User(7)):
            said.append(await render_template_string("{{ current_user.name }}"))
        said.append(str(current_user.is_authenticated))
        done.set()

    @app.get("/")
    async def start() -> str:
        app.add_background_task(job)
        return "started"

    async with app.test_app() as running:
        await running.test_client().get("/")
        await asyncio.wait_for(done.wait(), 5)
    assert said == ["user 7", "False"]
