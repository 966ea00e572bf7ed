"""Which weights of a run go on in another experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dnnbridge.base.arrays import Array
from dnnbridge.program.program import Program


@dataclass(frozen=True)
class Transfer:
    """What became of weights and buffers when a run took up another experiment, by name.

    Attributes:
        kept: those with the same name and shape; they have the trained numbers.
        fresh: those that the old model lacks; they start anew.
        reshaped: those whose shape has changed, with the old and the new one; they start anew.
        dropped: those that the new model lacks.
    """

    kept: tuple[str, ...]
    fresh: tuple[str, ...]
    reshaped: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
    dropped: tuple[str, ...]

    @classmethod
    def between(cls, old: Program, new: Program) -> Transfer:
        """Compare the weights and buffers of two programs."""
        before, after = ({a.name: a.shape for a in p.layer_arrays} for p in (old, new))
        shared = before.keys() & after.keys()
        return cls(
            tuple(name for name in after if name in shared and before[name] == after[name]),
            tuple(name for name in after if name not in shared),
            {n: (before[n], after[n]) for n in after if n in shared and before[n] != after[n]},
            tuple(name for name in before if name not in shared),
        )

    def carried(self, state: Mapping[str, Array]) -> dict[str, Array]:
        """Return the arrays that are kept."""
        return {name: state[name] for name in self.kept}

    def __str__(self) -> str:
        parts = [f"kept {', '.join(self.kept) or 'nothing'}"]
        parts += [f"new {', '.join(self.fresh)}"] if self.fresh else []
        parts += [
            f"new {name}, whose shape was {before} and is {after}"
            for name, (before, after) in self.reshaped.items()
        ]
        parts += [f"left out {', '.join(self.dropped)}"] if self.dropped else []
        return "; ".join(parts)
