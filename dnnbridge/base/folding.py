"""Lines for a terminal, folded between words but never between a name and its number."""

from __future__ import annotations

import shutil
import textwrap
from typing import TextIO


def width_of(stream: TextIO) -> int | None:
    """Return the columns of a terminal; None for a file or a pipe, whose lines stay whole."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def folded(text: str, width: int | None, indent: str = "  ") -> str:
    """Fold a line to the width; text between two double spaces is kept together.

    Args:
        text: one line. Double spaces separate pairs, such as "loss 0.1  accuracy 0.9".
        width: number of columns; None for no limit.
        indent: put before every line after the first.

    Example:
        >>> print(folded("epoch 1/2  loss 0.1234  accuracy 0.9", 24))
        epoch 1/2  loss 0.1234
          accuracy 0.9
    """
    if width is None or len(text) <= width:
        return text
    kept = text if "  " not in text.strip() else _tied(text)
    lines = textwrap.wrap(
        kept,
        max(width, 20),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
    return "\n".join(lines).replace("\0", " ")


def _tied(text: str) -> str:
    """Join the words of each part, so that a line breaks only between parts."""
    return "  ".join(part.replace(" ", "\0") for part in text.split("  "))
