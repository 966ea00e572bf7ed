"""A drawing for notebooks and files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dnnbridge.base.files import write_atomically


@dataclass(frozen=True)
class Drawing:
    """A picture of a model or a schedule; a notebook shows it.

    Attributes:
        svg: the text of an SVG file.
    """

    svg: str

    def save(self, path: str | Path) -> None:
        """Write the SVG to a file."""
        write_atomically(Path(path), self.svg.encode())

    def _repr_svg_(self) -> str:
        return self.svg
