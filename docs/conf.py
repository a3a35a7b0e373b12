"""How is the manual built?  From the top of the tree:

    python -m sphinx -W --keep-going -n docs build/docs

Nothing is fetched from the network.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from sphinx.pycode import ModuleAnalyzer
from sphinx.util.logging import getLogger

logger = getLogger(__name__)

# The checkout's packages, however the environment came by them.
sys.path.insert(0, str(Path(__file__).parents[1]))

project = "quart-login"
author = "The quart-login developers"
copyright = author
release = version = installed("quart-login")

extensions = ["myst_parser", "sphinx.ext.autodoc", "pallets_sphinx_themes"]

# --- pages ---------------------------------------------------------------------------------------

#: Links to the headings of a page, `page.md#a-heading`, as repository pages have them.
myst_heading_anchors = 3

#: What a page shows as text is a terminal's, and has no language.
highlight_language = "text"

#: The theme brings domains that no page uses.
suppress_warnings = ["myst.domains"]


def add_contents(app: Any, docname: str, source: list[str]) -> None:
    """Let the lists of links in an index be the order of the pages.

    So an index reads well in a repository, too, and no page is named twice.
    """
    if docname == "index":
        lists = source[0].partition("\n## Contents\n")[2]
        for section in re.split(r"^### ", lists, flags=re.MULTILINE)[1:]:
            caption, _, links = section.partition("\n")
            source[0] += contents(links, f":caption: {caption}\n")
    elif docname.endswith("/index") and "{toctree}" not in source[0]:
        source[0] += contents(source[0])


def contents(text: str, option: str = "") -> str:
    """Return the table of contents, which is not shown, of the pages that *text* links to."""
    links = re.findall(r"\[([^]]+)\]\((?!\.\.|https?:)([\w/-]+)\.md\)", text)
    pages = {page: f"{title} <{page}>" for title, page in reversed(links)}
    entries = "\n".join(reversed(pages.values()))
    return f"\n\n```{{toctree}}\n:hidden:\n{option}\n{entries}\n```\n"


# --- the reference -------------------------------------------------------------------------------

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
toc_object_entries = False

#: What docstrings quote is a link: each must be found.
default_role = "py:obj"

#: But for what is not this library's, or has no page: others' packages, type variables.
nitpick_ignore_regex = [
    ("py:.*", r"(collections|datetime|functools|typing|_?pytest|types)\b.*"),
    ("py:.*", r"(flask|quart|werkzeug|blinker|sqlalchemy|redis)\..*"),
    ("py:.*", r"(.*\.)?([A-Z]|UserT|UserT_co(ntra)?)"),
    ("py:.*", r"(timedelta|date|Response|SansIOResponse|Table|(Async)?Engine|os\.PathLike|app)"),
    (
        "py:.*",
        r"(itsdangerous|sqlite3|Exchange|View|Visitor|Route|quart_login\._core\.(step|routes\.Route))",
    ),
]


def find_short_names(app: Any, env: Any, node: Any, shown: Any) -> Any:
    """Find what a docstring calls by its last name, as code that imports it does."""
    if node.get("refdomain") != "py":
        return None
    domain, name = env.domains.python_domain, node["reftarget"].rpartition(".")[2]
    for module in dict.fromkeys([node.get("py:module"), *MODULES]):
        if (target := f"{module}.{name}") in domain.objects:
            place = node.get("refdoc"), app.builder
            return domain.resolve_xref(env, *place, "obj", target, node, shown)
    return None


#: Where short names are looked for.
MODULES = (
    "quart_login",
    "quart_login.LoginManager",
    "quart_login.stores",
    "quart_login.stores.Store",
    "quart_login.stores.LoginSession",
)


def document(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Let a constant or signal have the comment above it, rules be a list, and what is indented
    be code.
    """
    if what == "data":
        lines[:] = comment_above(name.rpartition(".")[2])
    if not any(lines):
        logger.warning("%s has no docstring, or comment above it", name)
    text = re.sub("^Rule ([0-9]+)[.]  ", r"\1. ", "\n".join(lines), flags=re.MULTILINE)
    text = re.sub("^ {9}(?=[^ ])", "   ", text, flags=re.MULTILINE)
    text = re.sub(r"(?<!::)\n\n(?= {4}\S)", "\n\n.. code-block:: python\n\n", text)
    lines[:] = text.split("\n")


def comment_above(name: str) -> list[str]:
    for module in ("_core.signals", "_core.settings", "_core.store", "_current"):
        comments = ModuleAnalyzer.for_module(f"quart_login.{module}").find_attr_docs()
        if ("", name) in comments:
            return comments["", name]
    return []


# --- how it looks --------------------------------------------------------------------------------

html_theme = "flask"
html_title = f"quart-login {release}"
html_static_path = ["_static"]
templates_path = ["_templates"]
html_css_files = ["manual.css"]
html_sidebars = {
    "index": ["searchbox.html", "contents.html"],
    "**": ["searchbox.html", "localtoc.html", "contents.html"],
}
html_show_sourcelink = False
html_copy_source = False
html_domain_indices = False
#: The banner of old versions would ask PyPI.
version_banner = False


def let_names_break(app: Any, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Let a long name go on in the next line, in a narrow column of a table."""
    if "body" in context:
        context["body"] = re.sub(
            '(?<=<span class="pre">)[^<]*',
            lambda found: re.sub(
                r"(?<=\w)([._])(?=\w)",
                lambda mark: '.<wbr class="dot">' if mark[0] == "." else "_<wbr>",
                found[0],
            ),
            context["body"],
        )


#: So many letters are in a line of a table on a phone.
PHONE = 30


def label_cells(app: Any, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Let each cell of a table that has no room on a phone say the head of its column."""
    if "body" in context:
        tables = r'<table class="docutils.*?</table>'
        context["body"] = re.sub(tables, labelled, context["body"], flags=re.DOTALL)


def labelled(table: re.Match[str]) -> str:
    heads = [words_of(head) for head in cells_of("th", table[0])]
    if len(heads) < 3 and width(heads, table[0]) < PHONE:
        return table[0]

    def row(found: re.Match[str]) -> str:
        columns = iter(heads)
        return re.sub(r"<td\b", lambda cell: f'<td data-head="{next(columns, "")}"', found[0])

    cards = table[0].replace('<table class="', '<table class="cards ', 1)
    return re.sub(r"<tr\b.*?</tr>", row, cards, flags=re.DOTALL)


def cells_of(kind: str, part: str) -> list[str]:
    return re.findall(rf"<{kind}\b[^>]*>(.*?)</{kind}>", part, re.DOTALL)


def words_of(part: str) -> str:
    return re.sub("<[^>]*>", "", part.replace("<wbr", " <wbr")).strip()


def width(heads: list[str], table: str) -> int:
    """Return how many letters the columns of *table* have at least: their longest words."""
    cells = [words_of(cell).split() for cell in cells_of("td", table)]
    columns = [cells[number :: len(heads)] for number in range(len(heads))]
    return sum(max(map(len, [word for cell in column for word in cell])) for column in columns)


def setup(app: Any) -> None:
    app.connect("html-page-context", label_cells)  # with whole names: before they may break
    app.connect("html-page-context", let_names_break)
    app.connect("source-read", add_contents)
    app.connect("autodoc-process-docstring", document)
    app.connect("missing-reference", find_short_names)
