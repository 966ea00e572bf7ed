"""Texts of files and of errors in Markdown, where they must not become markup."""

from __future__ import annotations


def plain(text: str) -> str:
    """Return a text on one line without elements of HTML, links, pictures and code.

    Example:
        >>> plain("a <b> of [c](d) `e`")
        "a &lt;b> of [c] (d) 'e'"
    """
    line = _line(text).replace("&", "&amp;").replace("<", "&lt;").replace("`", "'")
    return line.replace("](", "] (").replace("![", "! [").lstrip("#")


def code(text: str) -> str:
    """Return a text as a span of code.

    Example:
        >>> code("a `b`")
        "`a 'b'`"
    """
    return f"`{_line(text).replace('`', chr(39))}`"


def block(text: str) -> str:
    """Return a text of several lines as a block of code.

    Example:
        >>> print(block("a"))
        ```
        a
        ```
    """
    lines = (_line(line) for line in text.split("\n"))
    return "\n".join(["```", *(line.replace("```", "'''") for line in lines), "```"])


def _line(text: str) -> str:
    """Return a text in which every sign that is no letter to see is a space."""
    return "".join(c if c.isprintable() else " " for c in text)
