"""A folder of pages to look at, one for each card, that needs no network and no server."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

import orjson

from bot.rehearsal.gallery import Gallery, Hung

_HERE = Path(__file__).parent
_NODE_MODULES = Path(__file__).parents[2] / "node_modules"
RENDERER = _NODE_MODULES / "adaptivecards/dist/adaptivecards.min.js"
HOSTS = _NODE_MODULES / "adaptivecards-designer/lib/hostConfigs"
_HOST = HOSTS / "microsoft-teams-light.json"
_COLUMNS = ("When", "Card", "Who sees it", "What led to it", "Seen")
_ABOUT = (
    "<p>Made-up people, made-up answers, dates of no real snapshot. A card that many people saw"
    " is shown once, as the first of them saw it.</p>"
)
_OURS = ("card.css", "card.js", "page.css", "page.js")


def write_pages(gallery: Gallery, out: Path, files: Mapping[str, bytes] | None = None) -> None:
    """`index.html` lists them in the order of the story. What an earlier run left is replaced.

    `files` are put beside the pages, by their names.

    Drawn by Microsoft's renderer where it is installed; otherwise they show the words alone.
    """
    pages = out / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir()
    for name in _OURS:
        shutil.copyfile(_HERE / name, pages / name)
    _copy_renderer(pages)
    hung = list(gallery)
    for number, each in enumerate(hung):
        (pages / _name(number)).write_text(_page(hung, number, each), encoding="utf-8")
    _write_files(out / "report", files or {})
    (out / "index.html").write_text(_index(hung, files or {}), encoding="utf-8")


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)


def _copy_renderer(pages: Path) -> None:
    if not (RENDERER.exists() and _HOST.exists()):
        return
    shutil.copyfile(RENDERER, pages / RENDERER.name)
    host = orjson.dumps(orjson.loads(_HOST.read_bytes())).decode()
    (pages / "host.js").write_text(f"const HOST = {host};\n", encoding="utf-8")


def _name(number: int) -> str:
    return f"{number + 1:03}.html"


def _page(hung: Sequence[Hung], number: int, each: Hung) -> str:
    ways = ['<a href="../index.html">All cards</a>']
    if number:
        ways.append(f'<a href="{_name(number - 1)}">The one before</a>')
    if number + 1 < len(hung):
        ways.append(f'<a href="{_name(number + 1)}">The next one</a>')
    scripts = (RENDERER.name, "host.js", "card.js", "page.js")
    return _document(
        f"{number + 1}. {each.title}",
        "",
        f"<nav>{''.join(ways)}</nav>",
        f"<h1>{escape(each.title)}</h1>",
        "<dl>",
        f"<dt>In the story</dt><dd>{escape(each.act)}</dd>",
        f"<dt>Who sees it</dt><dd>{escape(each.viewer)}</dd>",
        f"<dt>What led to it</dt><dd>{escape(each.cause)}</dd>",
        f"<dt>First seen</dt><dd>{each.at:%A} {each.at.day} {each.at:%B %Y, %H:%M}</dd>",
        f"<dt>Seen</dt><dd>{_times(each)}</dd>",
        "</dl>",
        f'<div id="card" lang="{escape(str(each.card.get("lang", "en")))}"></div>',
        f'<script id="data" type="application/json">{_as_data(each)}</script>',
        *(f'<script src="{name}"></script>' for name in scripts),
    )


def _as_data(each: Hung) -> str:
    """Whatever somebody typed stays data: nothing in it can end the element that it stands in."""
    return orjson.dumps(each.card).decode().replace("<", "\\u003c")


def _times(each: Hung) -> str:
    return "once" if each.times == 1 else f"{each.times} times"


def _index(hung: Sequence[Hung], files: Iterable[str]) -> str:
    numbered = list(enumerate(hung))
    parts = ["<h1>A rehearsal: every card and post, in the order of the story</h1>", _ABOUT]
    links = [f'<a href="report/{quote(name)}">{escape(name)}</a>' for name in files]
    if links:
        parts.append(f"<p>The report: {', '.join(links)}</p>")
    for act, some in groupby(numbered, key=lambda found: found[1].act):
        parts += [
            f"<h2>{escape(act)}</h2>",
            f"<table><tr>{''.join(f'<th>{name}</th>' for name in _COLUMNS)}</tr>",
            *(_row(number, each) for number, each in some),
            "</table>",
        ]
    return _document("A rehearsal", "pages/", *parts)


def _row(number: int, each: Hung) -> str:
    return (
        f'<tr><td class="when">{each.at:%a} {each.at.day} {each.at:%b, %H:%M}</td>'
        f'<td><a href="pages/{_name(number)}">{escape(each.title)}</a></td>'
        f"<td>{escape(each.viewer)}</td><td>{escape(each.cause)}</td>"
        f'<td class="when">{_times(each)}</td></tr>'
    )


def _document(title: str, folder: str, *body: str) -> str:
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{escape(title)}</title>",
        *(f'<link rel="stylesheet" href="{folder}{name}">' for name in ("card.css", "page.css")),
        *body,
        "</html>",
    ]
    return "\n".join(lines) + "\n"
