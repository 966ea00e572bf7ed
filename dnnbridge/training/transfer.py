"""`Transfer`: the weights of a run that another experiment takes over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dnnbridge.base.arrays import Array
from dnnbridge.program.program import Program


@dataclass(frozen=True)
class Transfer:
    """What happened to weights and buffers when a run moved to another experiment, by name.

    Attributes:
        kept: arrays with the same name and shape; they keep the trained values.
        fresh: arrays that the old model lacks; they have initial values.
        reshaped: arrays whose shape changed: the old and the new shape; they have initial values.
        dropped: arrays that the new model lacks.
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
        """Return the kept arrays of a state."""
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
