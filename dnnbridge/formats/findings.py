"""What a source has and dnnbridge does not, collected so that one error names all of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from dnnbridge.errors import ConversionError


@dataclass(frozen=True)
class Finding:
    """One thing that cannot be read.

    Attributes:
        path: names of the surrounding layers and the layer, joined with "/".
        what: the class or argument, and its value.
    """

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" if self.path else self.what


@dataclass
class Findings:
    """Everything in a source that cannot be read.

    Attributes:
        found: what was found.
        masked: whether the source makes masks of time steps, which operations take off there.
        policies: the policy of dtypes of each layer, by path.
    """

    found: list[Finding] = field(default_factory=list)
    masked: bool = False
    policies: dict[str, str] = field(default_factory=dict)

    def add(self, path: str, what: str) -> None:
        finding = Finding(path, what)
        if finding not in self.found:
            self.found.append(finding)

    def check(self, source: str, done: str = "read") -> None:
        """Raise if anything was found.

        Args:
            source: what was read or written.
            done: "read" or "written".

        Raises:
            ConversionError: it lists all findings, one a line.
        """
        if self.found:
            lines = "".join(f"\n  {finding}" for finding in self.found)
            count = "1 part" if len(self.found) == 1 else f"{len(self.found)} parts"
            raise ConversionError(
                f"{count} of the model cannot be {done}:{lines}",
                where=source,
                hint="docs/guide/models-that-move.md has more. Replace these parts, "
                "or leave them out.",
            )
