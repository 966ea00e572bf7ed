"""A drawing for notebooks and files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dnnbridge.base.files import as_path, write_atomically

VIEW_BOX = re.compile(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) [\d.]+"')

LARGEST = 1.25
"""Largest size of a drawing in a page, as a multiple of its own."""


@dataclass(frozen=True)
class Drawing:
    """A picture of a model, a schedule or a training; a notebook shows it.

    Attributes:
        svg: the text of an SVG file.
        inline: whether the SVG has the colours of the page that holds it. A notebook then shows it
            as a part of the page, so that it is readable in a light and in a dark one.
    """

    svg: str
    inline: bool = False

    def save(self, path: str | Path) -> None:
        """Write the SVG to a file."""
        write_atomically(as_path(path, "path"), self.svg.encode())

    def __repr__(self) -> str:
        return f"<Drawing: SVG of {len(self.svg):,} characters; .save(path) writes it>"

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str | None:
        return self.html if self.inline else None

    @property
    def html(self) -> str:
        """The SVG in a box of its own size, which is narrower on a narrow page."""
        found = VIEW_BOX.search(self.svg)
        width = f"max-width: {LARGEST * float(found[1]):.0f}pt" if found else ""
        return f'<div style="{width}">{self.svg}</div>'
