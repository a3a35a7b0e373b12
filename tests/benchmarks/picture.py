"""What does docs/_static/benchmarks.svg show?

For each request a bar for each library: what it takes, as a part of the same page written by hand
(the line at 1).  A mark on our bars is the goal.  It is as wide as a telephone.
"""

from __future__ import annotations

from html import escape

from benchmarks.contenders import ROWS
from benchmarks.figures import Figures, Line, Section, marks_of
from benchmarks.goals import bound_of

_WIDTH, _EDGE = 420, 14
#: Where the bars begin, and how long one is that takes as long as the floor.
_LEFT, _UNIT = 118, 80
_LONGEST = 2.6
_LINE, _BAR = 19, 12

_NOT_SHOWN = ("floor", "floor, again", "floor, lean cookie", "bare")
_OURS = ("quart_login", "flask_compat")

_STYLE = """
    .paper { fill: #ffffff }
    .ours { fill: #2f7f8f }
    .peer { fill: #c58a3d }
    .floor { stroke: #56707c; stroke-dasharray: 3 3 }
    .goal { stroke: #1d2529; stroke-width: 2 }
    text { font: 13.5px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: #1d2529 }
    .title { font-size: 16px; font-weight: 650 }
    .row { font-size: 14px; font-weight: 650 }
    .missed { font-weight: 650 }"""


class _Canvas:
    """Lines of SVG, from above to below."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.y = _EDGE

    def text(self, x: float, said: str, kind: str = "", size: int = _LINE) -> None:
        """Write on the current line."""
        mark = f' class="{kind}"' if kind else ""
        baseline = self.y + size - 5
        self.lines.append(f'<text{mark} x="{x:g}" y="{baseline:g}">{escape(said)}</text>')

    def bar(self, length: float, kind: str) -> None:
        place = f'x="{_LEFT}" y="{self.y + 3:g}" width="{length:.1f}" height="{_BAR}"'
        self.lines.append(f'<rect class="{kind}" {place} rx="2"/>')

    def upright(self, x: float, top: float, bottom: float, kind: str) -> None:
        place = f'x1="{x:.1f}" y1="{top:g}" x2="{x:.1f}" y2="{bottom:g}"'
        self.lines.append(f'<line class="{kind}" {place}/>')


def draw(figures: Figures) -> str:
    """Return the picture of the newest environment whose requests were measured."""
    measured = [name for name, all_of in figures.environments.items() if "requests" in all_of]
    canvas = _Canvas()
    if measured:
        newest = max(measured)
        _draw_section(canvas, newest, figures.environments[newest]["requests"])
    else:
        canvas.text(_EDGE, "Nothing has been measured yet.")
        canvas.y += _LINE
    return _svg(canvas)


def _draw_section(canvas: _Canvas, environment: str, section: Section) -> None:
    canvas.text(_EDGE, "What a request takes, ÷ the same by hand", "title")
    canvas.y += _LINE + 3
    canvas.text(_EDGE, environment)
    canvas.y += _LINE
    canvas.text(_EDGE, "Dashed: the page by hand, 1. Mark: a goal; bold: missed.")
    canvas.y += _LINE
    canvas.text(_EDGE, "° without Vary: Cookie; ᶜ with a needless cookie.")
    canvas.y += _LINE
    for group in section.groups():
        canvas.y += 12
        canvas.text(_EDGE, group, "title")
        canvas.y += _LINE + 2
        for row in ROWS:
            shown = [line for line in section.of(group) if line.row == row]
            _draw_row(canvas, row, shown)


def _draw_row(canvas: _Canvas, row: str, lines: list[Line]) -> None:
    shown = [line for line in lines if line.contender not in _NOT_SHOWN]
    if not shown:
        return
    [floor] = [line for line in lines if line.contender == "floor"]
    canvas.text(_EDGE, ROWS[row].said, "row")
    canvas.y += _LINE + 1
    top = canvas.y
    for line in shown:
        _draw_line(canvas, line, marks_of(line, floor))
    canvas.upright(_LEFT + _UNIT, top, canvas.y, "floor")
    canvas.y += 7


def _draw_line(canvas: _Canvas, line: Line, marks: str) -> None:
    ratio, goal = float(line.figures["of floor"]), bound_of(line.group, line.row, line.contender)
    ours, _, how = line.contender.partition(", ")
    length = min(ratio, _LONGEST) * _UNIT
    canvas.text(_EDGE, f"\N{EN DASH} {how}" if how else ours)
    canvas.bar(length, "ours" if ours in _OURS else "peer")
    said, kind = f"{ratio:.2f}{marks}", ""
    if goal is not None:
        canvas.upright(_LEFT + goal * _UNIT, canvas.y + 1, canvas.y + _LINE - 3, "goal")
        length = max(length, goal * _UNIT)
        if ratio > goal:
            said, kind = f"{said}, goal {goal:.2f}", "missed"
    canvas.text(_LEFT + max(length, _UNIT) + 6, said, kind)
    canvas.y += _LINE


def _svg(canvas: _Canvas) -> str:
    height = canvas.y + _EDGE
    body = "\n  ".join(canvas.lines)
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">
  <title id="title">What a request takes with a login library, beside the same by hand</title>
  <desc id="desc">For each kind of request a bar for each library, whose length is the ratio of \
its time to that of the same page written by hand with the framework's session; shorter is better. \
The page that shows the picture has all of it in tables.</desc>
  <style>{_STYLE}
  </style>
  <rect class="paper" width="{_WIDTH}" height="{height}" rx="8"/>
  {body}
</svg>
"""
