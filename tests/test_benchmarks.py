"""Does the benchmark ask everybody for the same, and tell what it found?

(It is no part of the tests: ``python tests/benchmarks``.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from benchmarks import client, field, flask_apps, goals, page, picture, quart_apps, served, sockets
from benchmarks.contenders import ROWS, Contender
from benchmarks.figures import Figures, Line, Section, load
from benchmarks.progress import Progress
from benchmarks.rounds import interleave, middle, over, ratio
from benchmarks.sections import NAMES, Options, module_of

ENVIRONMENT = "Quart 0.22, Flask 3.1, Python 3.11"


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


# --- contenders ----------------------------------------------------------------------------------

#: Peers that are not installed contend nowhere: `field.absent` names them in the page.
FRAMEWORKS = field.frameworks()


# Flask-Login calls datetime.utcnow, which Python 3.12 deprecates.
@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_each_contender_answers_as_it_should(framework: str, loop: Any) -> None:
    apps = FRAMEWORKS[framework]
    contenders = field.contenders(apps, loop, ROWS)  # examines status, user and cookies
    assert [*apps.OWN, "bare"] == [name for name in contenders if name not in apps.PEERS]
    for name, one in contenders.items():
        for row in one.requests:
            one.examine_again(row)
        if name != "bare":
            assert one.ask(*one.requests["protected"]).body == "user 7"
            assert one.ask("/private").status == 302
            assert one.ask("/in").cookies


def test_a_time_is_that_of_one_request_in_microseconds() -> None:
    contender = flask_apps.contend(flask_apps.floor(), None).prepare()
    assert contender.time("public", 4, iter((1.0, 3.0)).__next__) == 0.5e6


def test_the_calls_of_the_loader_are_counted(loop: Any) -> None:
    eager = quart_apps.contend(quart_apps.ours(), loop).prepare()
    assert {name: facts.loads for name, facts in eager.facts.items()} == {
        **dict.fromkeys(ROWS, 0),
        **dict.fromkeys(("protected", "public_in", "remember"), 1),
    }
    demand = quart_apps.contend(quart_apps.ours(LOGIN_LOAD_USER="on_demand"), loop).prepare()
    assert (demand.facts["protected"].loads, demand.facts["public_in"].loads) == (1, 0)


def test_who_lets_strangers_in_does_not_contend() -> None:
    app = flask_apps.floor()
    app.view_functions["private"] = lambda: "user 7"
    with pytest.raises(AssertionError, match="anonymous"):
        flask_apps.contend(app, None).prepare()


def test_who_serves_somebody_else_does_not_contend() -> None:
    app = flask_apps.floor()
    private = app.view_functions["private"]
    app.view_functions["private"] = lambda: (
        "user 8" if (answer := private()) == "user 7" else answer
    )
    with pytest.raises(AssertionError, match="user 8"):
        flask_apps.contend(app, None).prepare()


def test_who_sets_needless_cookies_does_not_contend_unless_it_is_said() -> None:
    app = flask_apps.floor()

    @app.after_request
    def add(response: Any) -> Any:
        response.set_cookie("seen", "yes")
        return response

    with pytest.raises(AssertionError, match="seen"):
        flask_apps.contend(app, None).prepare()
    said = flask_apps.contend(app, None, may_set=tuple(ROWS)).prepare()
    assert said.facts["public"].sets


def test_what_goes_wrong_while_it_is_measured_is_seen() -> None:
    app = flask_apps.floor()
    contender: Contender = flask_apps.contend(app, None).prepare()
    contender.examine_again("protected")
    app.secret_key = "another"
    with pytest.raises(AssertionError, match="protected"):
        contender.examine_again("protected")


@pytest.mark.parametrize("name", [name for name in sockets.APPS if field.is_there(name)])
def test_each_socket_hears_who_it_belongs_to(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "FIRST", 1)
    sockets.bytes_each(sockets.APPS[name], "RSS", 1)  # It asserts what they hear.


@pytest.mark.parametrize("name", [name for name in served.APPS if field.is_there(name)])
def test_each_served_application_serves_the_user(
    name: str, loop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "_WAIT", 0)
    app = served.APPS[name]()
    apps = quart_apps if hasattr(app, "websocket") else flask_apps
    contender = apps.contend(app, loop, rows=["protected"]).prepare()  # type: ignore[attr-defined]
    assert contender.facts["protected"].sets is False


# --- rounds --------------------------------------------------------------------------------------


def test_all_are_measured_in_each_round(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []
    found = interleave("abc", 4, lambda cell: seen.append(cell) or len(seen), Progress("it"), 1)
    rounds = [seen[start : start + 3] for start in range(0, 15, 3)]
    assert all(sorted(one) == ["a", "b", "c"] for one in rounds)
    assert len({tuple(one) for one in rounds}) > 1
    assert sorted(number for numbers in found.values() for number in numbers) == [*range(4, 16)]
    assert "it: 0/4 rounds" in capsys.readouterr().err


def test_what_is_compared_is_of_one_round() -> None:
    mine, others = [10.0, 200.0, 30.0], [5.0, 100.0, 10.0]
    assert ratio(mine, others) == 2
    assert over(mine, others) == 20
    assert middle(mine, "us") == {"us": 30, "us low": 10, "us high": 200}


def test_what_wrk_says_is_read() -> None:
    text = """
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    52.35ms    8.93ms 103.93ms   78.10%
  Latency Distribution
     50%   51.31ms
     99%    1.03s\N{SPACE}
  14649 requests in 3.01s, 6.37MB read
Requests/sec:   4866.76
"""
    assert client.read_wrk(text) == client.Heard(4866.76, 51.31, 1030)
    with pytest.raises(AssertionError):
        client.read_wrk(f"{text}\n  Non-2xx or 3xx responses: 3\n")


def test_without_wrk_a_client_of_our_own_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client.shutil, "which", lambda name: None)
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    async def press() -> client.Heard:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await client._by_hand(port, "/private", "a=b", 2, 0.05)

    heard = asyncio.run(press())
    assert client.name() == "a client in Python"
    assert heard.throughput > 0 and 0 < heard.p50 <= heard.p99
    assert asked[0].startswith(b"GET /private HTTP/1.1\r\n") and b"Cookie: a=b\r\n" in asked[0]


# --- what is told --------------------------------------------------------------------------------


def raced(group: str, row: str, contender: str, of_floor: float, **figures: Any) -> Line:
    facts = {"loads": 0, "varies": True, "sets": False, "of bare": 2 * of_floor}
    made = {"us": 100 * of_floor, "of floor": of_floor, "over floor": 100 * of_floor - 100}
    return Line(group, row, contender, {**made, **facts, **figures})


def kept(*lines: Line, **fields: Any) -> Section:
    machine = "A machine, 2 cores"
    given = Section("3 rounds", "May 2026", 1, machine, {"Python": "3.11.7"}, [], list(lines))
    return replace(given, **fields)


def spread(**middles: float) -> dict[str, float]:
    """Return *middles*, each with what is below and above it."""
    return {
        f"{name}{end}": value + off
        for name, value in middles.items()
        for end, off in (("", 0), (" low", -1), (" high", 1))
    }


LOOK_UP = {**spread(few=50, many=60), "growth": 1.2, "beside": "aiosqlite"}
SECTIONS = {
    "requests": kept(
        raced("Quart", "protected", "floor", 1.0),
        raced("Quart", "protected", "floor, again", 1.004),
        raced("Quart", "protected", "quart_login", 1.1, loads=1),
        raced("Quart", "protected", "Quart-Auth", 1.2, varies=False),
        raced("Quart", "protected", "bare", 0.5, varies=False),
        raced("Flask", "public", "floor", 1.0, varies=False),
        raced("Flask", "public", "flask_compat", 1.01, varies=False),
        raced("Flask", "public", "Flask-Login", 2.7, sets=True),
        absent=["quart-security"],
    ),
    "registry": kept(
        raced("Quart", "protected", "floor", 1.0),
        raced("Quart", "protected", "Redis", 1.5, trips=1),
    ),
    "stores": kept(
        Line("SQLite", "look-up", "aiosqlite", {**LOOK_UP, "beside": ""}),
        Line("SQLite", "look-up", "SQLiteStore, Quart", {**LOOK_UP, "few of aiosqlite": 0.6}),
        Line("SQLite", "bytes", "the file", {"few": 360.0}),
        Line("SQLite", "version", "3.40.1", {}),
    ),
    "load": kept(
        Line(
            *("hypercorn, 2 processes", "protected", "quart_login"),
            {**spread(throughput=4000, p50=50, p99=90), "throughput of Quart-Auth": 0.9},
        )
    ),
    "sockets": kept(
        Line(
            *("Quart", "an open websocket", "quart_login"),
            {"tracemalloc": 9300, "RSS": 9400}
            | {"tracemalloc over floor": 300, "RSS over floor": 9},
        )
    ),
    "imports": kept(
        Line("Quart", "import", "Quart", {"ms": 200, "of framework": 1}),
        Line(
            *("Quart", "import", "quart_login"),
            {"ms": 207.6, "over framework": 7.6, "of framework": 1.04, "of process": 1.03},
        ),
    ),
}


@pytest.fixture
def figures() -> Figures:
    return Figures({ENVIRONMENT: dict(SECTIONS)})


def test_figures_come_back_as_they_were(figures: Figures, tmp_path: Path) -> None:
    assert load(tmp_path / "figures.json") == Figures()
    figures.save(tmp_path / "figures.json")
    assert load(tmp_path / "figures.json") == figures


def test_every_section_can_be_measured_and_told() -> None:
    assert set(SECTIONS) == set(NAMES) == set(page._SECTIONS) >= {g.section for g in goals.GOALS}
    for name in NAMES:
        module = module_of(name)
        assert f"{module.ROUNDS}" in module.how(Options(module.ROUNDS))
        assert callable(module.measure)


def test_the_goals_name_what_there_is() -> None:
    for goal in goals.GOALS:
        if goal.section == "requests":
            apps = FRAMEWORKS[goal.group]
            assert goal.contender in apps.OWN and goal.row in ROWS


def test_missed_goals_are_said_first_and_by_how_much(figures: Figures) -> None:
    text = page.tables(figures)
    missed, _, met = text.partition("Met:")
    assert "**Missed: 3 of 11.**" in missed
    said = "Quart: protected, session cookie; ÷ floor | quart_login | ≤ 1.040 | 1.100 | 0.060 |"
    assert said in missed and said not in met
    assert "÷ aiosqlite, few | SQLiteStore, Quart | ≤ 0.500 | 0.600 | 0.100 |" in missed
    assert "throughput ÷ Quart-Auth | quart_login | ≥ 0.950 | 0.900 | 0.050 |" in missed
    assert "bytes over the floor | quart_login | ≤ 300 bytes | 300 bytes |" in met
    assert "÷ import of Quart | quart_login | ≤ 1.050 | 1.040 |" in met
    assert "calls of the loader | flask_compat | ≤ 0 | 0 |" in met
    assert "round trips | Redis | ≤ 1 | 1 |" in met
    assert f"Not measured here: {len(goals.GOALS) - 11} goals." in met


def test_what_is_not_like_with_like_is_marked(figures: Figures) -> None:
    text = page.tables(figures)
    assert "| 100 | 1.100 (+10.0) | 1.200 (+20.0)° | 1.004 (+0.4) |" in text
    assert "2.700 (+170.0)ᶜ" in text
    assert "° without the `Vary: Cookie`" in text and "ᶜ with a cookie" in text
    assert "The floor beside itself is 1.004 to 1.004" in text
    assert "of the rounds. SQLite 3.40.1.\n" in text
    assert "Left out, because not installed: quart-security." in text


def test_each_table_has_the_cells_of_its_head(figures: Figures) -> None:
    for block in page.tables(figures).split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1, block


def test_the_prose_around_the_figures_stays(figures: Figures, tmp_path: Path) -> None:
    text = f"# Ours\n\nBefore.\n\n{page.BEGIN}\nold\n{page.END}\n\nAfter.\n"
    (tmp_path / "benchmarks.md").write_text(text, "utf-8")
    for _ in range(2):
        page.write(tmp_path, figures, picture.draw(figures))
    written = (tmp_path / "benchmarks.md").read_text("utf-8")
    assert written.startswith(f"# Ours\n\nBefore.\n\n{page.BEGIN}\n\n![")
    assert written.endswith(f"|\n\n{page.END}\n\nAfter.\n") and "old" not in written
    assert written.count(ENVIRONMENT) == 1
    assert load(page.figures_in(tmp_path)) == figures
    assert (tmp_path / "_static" / "benchmarks.svg").exists()


def test_the_page_of_the_manual_has_a_place_for_them() -> None:
    text = (Path(__file__).parents[1] / "docs" / "benchmarks.md").read_text("utf-8")
    assert text.count(page.BEGIN) == text.count(page.END) == 1


def test_the_picture_shows_the_newest_environment(figures: Figures) -> None:
    newer = kept(
        raced("Quart", "public", "floor", 1.0), raced("Quart", "public", "quart_login", 1.01)
    )
    figures.add("Quart 0.23, Flask 3.1, Python 3.13", "requests", newer)
    figures.add("Quart 0.24, Flask 3.1, Python 3.14", "imports", SECTIONS["imports"])
    texts = texts_of(picture.draw(figures))
    assert "Quart 0.23, Flask 3.1, Python 3.13" in texts
    assert "1.01" in texts and "1.20°" not in texts


def test_the_picture_has_a_bar_for_each_ratio_and_a_text_for_who_cannot_see(
    figures: Figures,
) -> None:
    drawn = picture.draw(figures)
    root = ElementTree.fromstring(drawn)
    name = "{http://www.w3.org/2000/svg}"
    bars = [one for one in root.iter(f"{name}rect") if one.get("class") in ("ours", "peer")]
    lengths = [float(one.get("width", 0)) / picture._UNIT for one in bars]
    assert lengths == pytest.approx([1.1, 1.2, 1.01, picture._LONGEST], abs=0.01)
    assert root.get("role") == "img" and root.get("aria-labelledby") == "title desc"
    assert {"quart_login", "Quart-Auth", "1.10, goal 1.04", "1.20°", "2.70ᶜ"} <= texts_of(drawn)


def test_there_is_a_picture_of_nothing() -> None:
    assert "Nothing has been measured yet." in texts_of(picture.draw(Figures()))


def texts_of(drawn: str) -> set[str]:
    return {one.text or "" for one in ElementTree.fromstring(drawn).iter() if one.text}
