"""Parts of what a notebook shows of an object: facts, tables, charts. All text is escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

from dnnbridge.drawing.drawing import Drawing
from dnnbridge.errors import PackageNotInstalledError

STYLE = """<style>
.dnnbridge { line-height: 1.45; }
.dnnbridge b.title { display: block; margin-bottom: .35em; }
.dnnbridge table { border-collapse: collapse; margin: .3em 0 .5em; background: none; \
font-variant-numeric: tabular-nums; }
.dnnbridge table th, .dnnbridge table td { padding: .18em .8em; text-align: right; border: 0; \
background: none; color: inherit; border-bottom: 1px solid #88888855; vertical-align: top; }
.dnnbridge table th { opacity: .75; font-weight: 600; }
.dnnbridge table .word { text-align: left; overflow-wrap: anywhere; }
.dnnbridge table.facts td:first-child { opacity: .75; white-space: nowrap; }
.dnnbridge img.strip { display: inline-block; height: 12px; margin: 0; image-rendering: pixelated; }
.dnnbridge .scroll { overflow-x: auto; }
.dnnbridge .note { opacity: .75; }
.dnnbridge summary { cursor: pointer; }
</style>"""


def block(title: str, *parts: str) -> str:
    """Return what a notebook shows of an object.

    Args:
        title: its heading, plain text.
        parts: HTML, as the functions below return it; empty parts are left out.

    Example:
        >>> block("a < b", note("c & d")).splitlines()[-1]
        '<b class="title">a &lt; b</b><div class="note">c &amp; d</div></div>'
    """
    begin = f'<div class="dnnbridge">{STYLE}\n<b class="title">{escape(title)}</b>'
    return begin + "".join(parts) + "</div>"


def facts(pairs: Mapping[str, str]) -> str:
    """Return a table of names and texts."""
    rows = "".join(
        f'<tr><td class="word">{escape(name)}</td><td class="word">{escape(text)}</td></tr>'
        for name, text in pairs.items()
    )
    return f'<table class="facts"><tbody>{rows}</tbody></table>' if rows else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int) -> str:
    """Return a table: the first columns are words, the others numbers."""

    def line(cells: Sequence[str], tag: str) -> str:
        kinds = [' class="word"' if i < words else "" for i in range(len(cells))]
        made = (
            f"<{tag}{kind}>{escape(cell)}</{tag}>" for kind, cell in zip(kinds, cells, strict=True)
        )
        return f"<tr>{''.join(made)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    head_line = line(head, "th")
    return (
        f'<div class="scroll"><table><thead>{head_line}</thead><tbody>{body}</tbody></table></div>'
    )


def strips(pictures: Mapping[str, str], columns: int) -> str:
    """Return a table of names and pictures of one row of pixels each.

    Args:
        pictures: addresses of images, as `heat.picture` returns them, by name.
        columns: pixels of a row.
    """
    look = f"width: {min(14 * columns, 560)}px; max-width: 100%"
    rows = "".join(
        f'<tr><td class="word">{escape(name)}</td>'
        f'<td class="word"><img class="strip" style="{look}" src="{address}" alt=""></td></tr>'
        for name, address in pictures.items()
    )
    return f'<table class="facts"><tbody>{rows}</tbody></table>' if rows else ""


def note(text: str) -> str:
    """Return a sentence in a softer colour."""
    return f'<div class="note">{escape(text)}</div>'


def folded(title: str, part: str) -> str:
    """Return a part that opens with a click on its title."""
    return f"<details><summary>{escape(title)}</summary>{part}</details>" if part else ""


def chart(make: Callable[[], Drawing | None]) -> str:
    """Return the chart that a function makes; nothing if the packages for charts are missing."""
    try:
        made = make()
    except PackageNotInstalledError:
        return ""
    return made.html if made is not None else ""
