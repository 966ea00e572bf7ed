"""`load_weights`: set the weights of a run from a file, by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dnnbridge.base.arrays import Array
from dnnbridge.base.calling import explained
from dnnbridge.base.messages import columns
from dnnbridge.convert.run_argument import check_run
from dnnbridge.emit.declarations import StateArray
from dnnbridge.errors import ConversionError
from dnnbridge.formats.weight_files import read_weights
from dnnbridge.formats.weight_names import Source, plain, sources
from dnnbridge.layers import AbstractLayer
from dnnbridge.models.tracing import layers_of, trace
from dnnbridge.training.run import Run


@dataclass(frozen=True)
class WeightsReport:
    """Which arrays of a file became which weights; `print` it.

    Attributes:
        source: the file.
        matched: the names in the file of each weight that was set.
        transposed: the matched weights that have another layout in the file.
        missing: the weights that the file lacks, each with the arrays of the file that have its
            sizes and were not used.
        unexpected: the arrays of the file that were not used.
    """

    source: str
    matched: Mapping[str, tuple[str, ...]]
    transposed: tuple[str, ...]
    missing: Mapping[str, tuple[str, ...]]
    unexpected: tuple[str, ...]

    def __str__(self) -> str:
        rows = [
            (name, ", ".join(found), "transposed" if name in self.transposed else "")
            for name, found in self.matched.items()
        ]
        lines = columns([("weight", "in the file", "layout"), *rows], words=3)
        for name, others in self.missing.items():
            maybe = f"; it may be {' or '.join(others)}" if others else ""
            lines.append(f"missing: {name}{maybe}")
        lines += [f"not used: {name}" for name in self.unexpected]
        return "\n".join([*lines, f"{len(self.matched)} weights from {self.source}"])


@explained()
def load_weights(
    run: Run,
    path: str | Path,
    *,
    names: Mapping[str, str] | None = None,
    strict: bool = True,
) -> WeightsReport:
    """Set the weights of a run from a file, by their names, and say which was found where.

    A weight `conv1/kernel` is found as `conv1.weight` in a file of MindSpore or PyTorch and as
    `conv1/kernel` in others; "/", "." and "_" between words are equal. The layout is converted as
    the layer needs it: transposed kernels, gates in another order, two biases, and running
    statistics. The optimizer keeps its arrays.

    Args:
        run: the run.
        path: a file that `read_weights` reads.
        names: the name in the file of a layer or a weight, where it differs.
        strict: whether a missing weight is an error. Otherwise it stays as it is.

    Raises:
        ConversionError: a weight is missing or has another shape; nothing has been set.

    Example:
        >>> import os, tempfile
        >>> import numpy as np
        >>> from dnnbridge import Dense, Experiment, Input, Sequential, compile
        >>> model = Sequential([Input((3,)), Dense(2, name="fc")])
        >>> run = compile(Experiment(model, "mse", "sgd"), "reference")
        >>> path = os.path.join(tempfile.mkdtemp(), "state.npz")
        >>> np.savez(path, **{"fc.weight": np.ones((2, 3)), "fc.bias": np.zeros(2)})
        >>> load_weights(run, path).matched["fc/kernel"]
        ('fc.weight',)
    """
    check_run(run, "load_weights")
    stored = read_weights(path)
    graph, declarations = trace(run.experiment.model)
    found = _matched(dict(layers_of(graph)), declarations.arrays, stored, names or {})
    report = _report(str(path), found, declarations.arrays, stored)
    if strict and report.missing:
        raise ConversionError(
            f"weights were not found:\n{report}\n",
            where=str(path),
            hint="Give names={'name here': 'name in the file'}, or strict=False.",
        )
    state = run.state()
    given = {name: array for name, (_, array) in found.items()}
    run.set_state({n: given.get(n, a) for n, a in state.items()}, run.position)
    return report


Found = dict[str, tuple[Source, Array]]
"""Where each weight was found, with the names in the file, and the weight."""


def _matched(
    known: Mapping[str, AbstractLayer],
    declared: Mapping[str, StateArray],
    stored: Mapping[str, Array],
    names: Mapping[str, str],
) -> Found:
    by_name = {plain(name): name for name in stored}
    found: Found = {}
    for name, array in declared.items():
        for source in _places(known, name, names):
            given = [by_name.get(each) for each in source.names]
            if None in given:
                continue
            real = tuple(each for each in given if each is not None)
            made = _converted(source, [stored[each] for each in real], array.shape)
            if made is not None:
                found[name] = (Source(real, source.layout), made)
                break
    return found


def _places(
    known: Mapping[str, AbstractLayer], name: str, names: Mapping[str, str]
) -> Iterator[Source]:
    """Yield where a weight may be, as its own name or that of any layer around it says."""
    parts = name.split("/")
    tables = []
    for end in range(len(parts) - 1, 0, -1):
        path, rest = "/".join(parts[:end]), "/".join(parts[end:])
        if path in known:
            tables.append((known[path], names.get(path, path), rest))
    if name in names:  # with the layout that a table has for a name of this kind
        for layer, _, rest in tables:
            for source in sources(layer, "", rest):
                ends = names[name].replace(".", "_").endswith(source.names[0])
                if len(source.names) == 1 and ends:
                    yield Source((plain(names[name]),), source.layout)
        yield Source((plain(names[name]),))
        return
    for layer, path, rest in tables:
        yield from sources(layer, path, rest)


def _converted(source: Source, arrays: list[Array], shape: tuple[int, ...]) -> Array | None:
    """Return the weight; None if the arrays do not fit."""
    try:
        made = source.layout.read(*arrays)
    except (ValueError, IndexError, TypeError):
        return None
    return np.array(made, np.float32, order="C") if made.shape == tuple(shape) else None


def _report(
    path: str, found: Found, declared: Mapping[str, StateArray], stored: Mapping[str, Array]
) -> WeightsReport:
    used = {name for source, _ in found.values() for name in source.names}
    unused = tuple(name for name in stored if name not in used)
    missing = {
        name: tuple(n for n in unused if sorted(stored[n].shape) == sorted(array.shape))
        for name, array in declared.items()
        if name not in found
    }
    changed = tuple(
        name
        for name, (source, array) in found.items()
        if len(source.names) == 1 and not np.array_equal(stored[source.names[0]], array)
    )
    matched = {name: source.names for name, (source, _) in found.items()}
    return WeightsReport(path, matched, changed, missing, unused)
