"""What does docs/benchmarks.md say?

What is between its two marks is written by `write`; the prose around them stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.contenders import ROWS
from benchmarks.figures import Figures, Line, Section, marks_of
from benchmarks.goals import GOALS, Verdict, verdicts

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
#: Beside whom all others are, and who shows what cannot be told apart.
_FLOOR, _AGAIN, _BARE = "floor", "floor, again", "bare"

_PICTURE = (
    "![What each request takes, as a part of the same page written by hand, for each library; in"
    " numbers below](_static/benchmarks.svg)"
)


def figures_in(folder: Path) -> Path:
    return folder / "_static" / "benchmarks.json"


def write(folder: Path, figures: Figures, picture: str) -> None:
    """Write the figures, the page and the picture into *folder*, which is docs."""
    (folder / "_static").mkdir(parents=True, exist_ok=True)
    figures.save(figures_in(folder))
    (folder / "_static" / "benchmarks.svg").write_text(picture, "utf-8")
    page = folder / "benchmarks.md"
    text = page.read_text("utf-8") if page.exists() else f"# Benchmarks\n\n{BEGIN}\n{END}\n"
    page.write_text(between(text, f"{_PICTURE}\n\n{tables(figures)}"), "utf-8")


def between(text: str, said: str) -> str:
    """Return *text* with *said* between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{said.strip()}\n\n{END}{after}"


def tables(figures: Figures) -> str:
    """Return all figures as Markdown, one environment after the other."""
    parts = []
    for environment, sections in sorted(figures.environments.items(), reverse=True):
        parts += [f"### {environment}", *_surroundings(sections), goals_of(sections)]
        parts += [_SECTIONS[name](sections[name]) for name in _SECTIONS if name in sections]
    return "\n\n".join(parts) + "\n"


def _surroundings(sections: dict[str, Section]) -> list[str]:
    """Return on what the sections were measured, and who was not there."""
    said: dict[str, list[str]] = {}
    for name, section in sections.items():
        versions = ", ".join(f"{key} {value}" for key, value in section.versions.items())
        text = f"On {section.machine}, in {section.taken}, with {versions}."
        if section.absent:
            text += f" Left out, because not installed: {', '.join(section.absent)}."
        said.setdefault(text, []).append(name)
    if len(said) == 1:
        return list(said)
    return [f"{', '.join(names).capitalize()}: {text}" for text, names in said.items()]


# --- goals ---------------------------------------------------------------------------------------


def goals_of(sections: dict[str, Section]) -> str:
    """Return which goals are missed, by how much, and which are met."""
    found = verdicts(sections)
    missed, met = [v for v in found if not v.met], [v for v in found if v.met]
    head = ("what", "who", "goal", "measured")
    parts = ["#### Goals", f"**Missed: {len(missed)} of {len(found)}.**"]
    if missed:
        rows = [(*_verdict(one), _number(one.off, one.goal.figure)) for one in missed]
        parts.append(table((*head, "missed by"), rows))
    if met:
        parts += ["Met:", table(head, map(_verdict, met))]
    if len(found) < len(GOALS):
        parts.append(f"Not measured here: {len(GOALS) - len(found)} goals.")
    return "\n\n".join(parts)


def _verdict(one: Verdict) -> tuple[str, ...]:
    goal = one.goal
    row = ROWS[goal.row].said if goal.row in ROWS else goal.row
    where = {"registry": f"{goal.group}, a store: ", "load": f"{goal.group}: "}
    sign = "≤" if goal.at_most else "≥"
    return (
        f"{where.get(goal.section, f'{goal.group}: ')}{row}; {goal.said}",
        goal.contender,
        f"{sign} {_number(goal.bound, goal.figure)}",
        _number(one.measured, goal.figure),
    )


def _number(value: float, figure: str) -> str:
    if figure in ("loads", "varies", "trips"):
        return f"{value:.0f}"
    return f"{value:.0f} bytes" if "tracemalloc" in figure else f"{value:.3f}"


# --- sections ------------------------------------------------------------------------------------


def _requests(section: Section) -> str:
    return _races("Requests", section)


def _registry(section: Section) -> str:
    return _races("Requests with a store", section)


def _races(title: str, section: Section) -> str:
    parts = [f"#### {title}", f"{_capital(section.how)}."]
    for group in section.groups():
        lines = section.of(group)
        parts += [f"##### {title}: {group}", _of_floor(lines), *_marks(lines)]
        if any(line.contender == _BARE for line in lines):
            parts += [f"{group}: as a part of what a bare route takes", _of_bare(lines)]
    return "\n\n".join(parts)


def _of_floor(lines: list[Line]) -> str:
    names = _names(lines, but=(_FLOOR, _BARE))
    at = {(line.row, line.contender): line for line in lines}
    rows = []
    for row in dict.fromkeys(line.row for line in lines if line.contender == _FLOOR):
        floor = at[row, _FLOOR]
        cells = [_cell(at.get((row, name)), floor) for name in names]
        rows.append((ROWS[row].said, f"{floor.figures['us']:.0f}", *cells))
    return table(("÷ floor (µs over it)", "floor, µs", *names), rows)


def _cell(line: Line | None, floor: Line) -> str:
    if line is None:
        return ""
    of, over = line.figures["of floor"], line.figures["over floor"]
    return f"{of:.3f} ({over:+.1f}){marks_of(line, floor)}"


def _marks(lines: list[Line]) -> list[str]:
    """Return what the marks say that are there, and how well the floor knows itself."""
    floors = {line.row: line for line in lines if line.contender == _FLOOR}
    others = [line for line in lines if line.contender != _BARE]
    seen = "".join(marks_of(line, floors[line.row]) for line in others)
    said = []
    if "°" in seen:
        said.append(
            "° without the `Vary: Cookie` that the floor sends: cheaper by that, and not like with"
            " like."
        )
    if "ᶜ" in seen:
        said.append("ᶜ with a cookie that the floor has no need to set.")
    again = [float(line.figures["of floor"]) for line in lines if line.contender == _AGAIN]
    if again:
        low, high = min(again), max(again)
        said.append(f"The floor beside itself is {low:.3f} to {high:.3f}: so much is noise.")
    return ["  \n".join(said)] if said else []


def _of_bare(lines: list[Line]) -> str:
    names = _names(lines, but=(_BARE, _AGAIN))
    at = {(line.row, line.contender): line.figures for line in lines}
    rows = []
    for row in dict.fromkeys(line.row for line in lines if line.contender == _BARE):
        bare = at[row, _BARE]
        cells = [f"{at[row, name]['of bare']:.2f}" if (row, name) in at else "" for name in names]
        rows.append((ROWS[row].said, f"{bare['us']:.0f}", *cells))
    return table(("÷ bare", "bare, µs", *names), rows)


def _stores(section: Section) -> str:
    rows = []
    for line in section.lines:
        figures = line.figures
        if line.row != "look-up":
            continue
        beside = figures["beside"]
        ratios = [figures.get(f"{size} of {beside}") for size in ("few", "many")]
        rows.append(
            (
                line.contender,
                *(_between(figures, size) for size in ("few", "many")),
                f"{figures['growth']:.2f}",
                *("" if one is None else f"{one:.2f}" for one in ratios),
                str(beside),
            )
        )
    head = ("one look-up, µs", "few", "many", "many ÷ few", "few ÷", "many ÷", "÷ this bare call")
    bytes_of = [
        (line.group, line.contender, *(_whole(line.figures.get(k)) for k in ("few", "many")))
        for line in section.lines
        if line.row == "bytes"
    ]
    servers = [f"{line.group} {line.contender}" for line in section.lines if line.row == "version"]
    return "\n\n".join(
        [
            "#### Look-ups in the stores",
            f"{_capital(section.how)}. Medians, and 5 to 95 % of the rounds. {', '.join(servers)}.",
            table(head, rows),
            table(("bytes a session", "counted is", "few", "many"), bytes_of),
        ]
    )


def _load(section: Section) -> str:
    rows = []
    for line in section.lines:
        figures = line.figures
        others = [
            f"{value:.2f} of {key.removeprefix('throughput of ')}"
            for key, value in figures.items()
            if key.startswith("throughput of ")
        ]
        measured = (_between(figures, key) for key in ("throughput", "p50", "p99"))
        rows.append((line.group, line.contender, *measured, ", ".join(others)))
    return "\n\n".join(
        [
            "#### Load",
            f"{_capital(section.how)}. Medians, and 5 to 95 % of the rounds.",
            table(("server", "who", "requests/s", "p50, ms", "p99, ms", "requests/s"), rows),
        ]
    )


def _sockets(section: Section) -> str:
    rows = [
        (
            line.contender,
            *(
                f"{line.figures[by]:.0f} ({line.figures[f'{by} over floor']:+.0f})"
                for by in ("tracemalloc", "RSS")
            ),
        )
        for line in section.lines
    ]
    head = ("bytes of an open websocket (over the floor)", "tracemalloc", "RSS")
    return "\n\n".join(["#### Sockets", f"{_capital(section.how)}.", table(head, rows)])


def _imports(section: Section) -> str:
    rows = []
    for line in section.lines:
        figures, name = line.figures, line.contender
        mine = f"{figures['ms']:.0f}"
        if not line.group or name == line.group:
            rows.append((name, mine, "", "", ""))
            continue
        ratios = (f"{figures[key]:.3f}" for key in ("of framework", "of process"))
        over = f"{figures['over framework']:+.0f}"
        rows.append((f"{name}, after {line.group}", mine, over, *ratios))
    head = ("import", "ms", "over the framework", "÷ the framework's own", "÷ its whole process")
    return "\n\n".join(["#### Imports", f"{_capital(section.how)}.", table(head, rows)])


_SECTIONS: dict[str, Callable[[Section], str]] = {
    "requests": _requests,
    "registry": _registry,
    "stores": _stores,
    "load": _load,
    "sockets": _sockets,
    "imports": _imports,
}


# --- tables --------------------------------------------------------------------------------------


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _names(lines: list[Line], but: tuple[str, ...]) -> list[str]:
    """Return who is there, the floor's second time last."""
    names = dict.fromkeys(line.contender for line in lines if line.contender not in but)
    return sorted(names, key=lambda name: name == _AGAIN)


def _between(figures: dict, key: str) -> str:
    middle, low, high = (figures[name] for name in (key, f"{key} low", f"{key} high"))
    digits = 0 if middle >= 100 else 1
    return f"{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
