"""Which goals are there, and are they met?

Ratios are to the floor of the same round, or to a peer's; what rounds cannot tell apart (0.015) is
inside the goals.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.figures import Section

#: What rounds cannot tell apart.
NOISE = 0.015


@dataclass(frozen=True)
class Goal:
    section: str
    group: str
    row: str
    contender: str
    figure: str
    bound: float
    said: str
    at_most: bool = True


@dataclass(frozen=True)
class Verdict:
    goal: Goal
    measured: float

    @property
    def off(self) -> float:
        """By how much it is missed; not positive where it is met."""
        off = self.measured - self.goal.bound
        return off if self.goal.at_most else -off

    @property
    def met(self) -> bool:
        return self.off <= 0


def _requests(group: str, who: str, row: str, bound: float, section: str = "requests") -> Goal:
    return Goal(section, group, row, who, "of floor", bound, "÷ floor")


def _never(group: str, who: str, row: str, figure: str, section: str = "requests") -> Goal:
    said = {"loads": "calls of the loader", "varies": "`Vary` of ours", "trips": "round trips"}
    return Goal(section, group, row, who, figure, 0, said[figure])


def _once(group: str) -> Goal:
    return Goal("registry", group, "protected", "Redis", "trips", 1, "round trips")


def _driver(who: str, figure: str, bound: float, said: str) -> Goal:
    return Goal("stores", "SQLite", "look-up", who, figure, bound, said)


_DEMAND = "quart_login, on demand"

GOALS = (
    _requests("Quart", "quart_login", "protected", 1.04),
    _requests("Quart", "quart_login", "public", 1.02),
    _never("Quart", "quart_login", "public", "loads"),
    _requests("Quart", "quart_login", "public_in", 1.05),
    _requests("Quart", _DEMAND, "public_in", 1.02),
    _never("Quart", _DEMAND, "public_in", "loads"),
    _requests("Quart", "quart_login", "remember", 1.03),
    _requests("Quart", "quart_login", "anonymous", 1.10),
    _requests("Quart", "quart_login", "anonymous_flash", 1.55),
    _requests("Quart", "quart_login", "login", 1.04),
    _requests("Quart", "quart_login, lean cookie", "protected", 0.87),
    _requests("Flask", "flask_compat", "protected", 1.07),
    Goal(
        *("requests", "Flask", "protected", "flask_compat", "of Flask-Login", 0.88),
        said="÷ Flask-Login",
    ),
    _requests("Flask", "flask_compat", "public", 1.02),
    _never("Flask", "flask_compat", "public", "loads"),
    _never("Flask", "flask_compat", "public", "varies"),
    _requests("Flask", "flask_compat", "public_in", 1.02),
    _never("Flask", "flask_compat", "public_in", "loads"),
    _never("Flask", "flask_compat", "public_in", "varies"),
    _requests("Flask", "flask_compat", "remember", 1.03),
    _requests("Flask", "flask_compat", "anonymous", 1.10),
    _requests("Flask", "flask_compat", "anonymous_flash", 1.80),
    _requests("Flask", "flask_compat", "login", 1.04),
    _requests("Flask", "flask_compat, lean cookie", "protected", 0.81),
    _requests("Quart", "Redis", "protected", 1.6, "registry"),
    _once("Quart"),
    _requests("Quart", "Redis, on demand", "public_in", 1 + NOISE, "registry"),
    _never("Quart", "Redis, on demand", "public_in", "trips", "registry"),
    _requests("Flask", "Redis", "protected", 2.1, "registry"),
    _once("Flask"),
    _requests("Flask", "Redis", "public_in", 1 + NOISE, "registry"),
    _never("Flask", "Redis", "public_in", "trips", "registry"),
    _driver("SQLiteStore, Quart", "few of aiosqlite", 0.5, "÷ aiosqlite, few"),
    _driver("SQLiteStore, Quart", "many of aiosqlite", 0.5, "÷ aiosqlite, many"),
    _driver("SQLiteStore, Quart", "growth", 1.3, "many ÷ few"),
    _driver("SQLiteStore, Flask", "few of sqlite3", 1.15, "÷ sqlite3, few"),
    _driver("SQLiteStore, Flask", "many of sqlite3", 1.15, "÷ sqlite3, many"),
    Goal(
        *("load", "hypercorn, 2 processes", "protected", "quart_login"),
        *("throughput of Quart-Auth", 0.95, "throughput ÷ Quart-Auth"),
        at_most=False,
    ),
    Goal(
        *("load", "gunicorn, 2 processes of 64 threads", "protected", "flask_compat"),
        *("throughput of Flask-Login", 0.98, "throughput ÷ Flask-Login"),
        at_most=False,
    ),
    Goal(
        *("sockets", "Quart", "an open websocket", "quart_login"),
        *("tracemalloc over floor", 300, "bytes over the floor"),
    ),
    Goal("imports", "Quart", "import", "quart_login", "of framework", 1.05, "÷ import of Quart"),
    Goal("imports", "Flask", "import", "flask_compat", "of framework", 1.05, "÷ import of Flask"),
)


def verdicts(sections: dict[str, Section]) -> list[Verdict]:
    """Return those of the goals that *sections* say something about."""
    found = []
    for goal in GOALS:
        section = sections.get(goal.section)
        figures = section and section.find(goal.group, goal.row, goal.contender)
        if figures and goal.figure in figures:
            found.append(Verdict(goal, float(figures[goal.figure])))
    return found


def bound_of(group: str, row: str, contender: str) -> float | None:
    """Return the goal for a ratio to the floor, where there is one."""
    for goal in GOALS:
        found = (goal.section, goal.group, goal.row, goal.contender, goal.figure)
        if found == ("requests", group, row, contender, "of floor"):
            return goal.bound
    return None
