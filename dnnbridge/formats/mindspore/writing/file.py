"""The text of the file: imports, classes, the order of batches, training and prediction."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field

from dnnbridge import __version__
from dnnbridge.formats.mindspore.writing.helpers import helpers_source
from dnnbridge.formats.mindspore.writing.native_optimizers import REASON, NativeOptimizer
from dnnbridge.formats.mindspore.writing.network import Network
from dnnbridge.formats.mindspore.writing.objective import Objective
from dnnbridge.formats.mindspore.writing.schedules import ScheduleWriter
from dnnbridge.formats.mindspore.writing.training import training_source
from dnnbridge.formats.mindspore.writing.updates import Updates, trained_weights
from dnnbridge.formats.source.batches import batches_source
from dnnbridge.formats.source.expressions import docstring, wrapped
from dnnbridge.formats.trained import Trained
from dnnbridge.program.program import Program


@dataclass
class File:
    """The parts of the file.

    Attributes:
        run: what is written.
        checkpoint: the name of the checkpoint file.
        program: its program.
        network: the class `Net`.
        results: the expressions that its forward pass returns.
        objective: the class `Loss`.
        native: the native optimizer.
        updates: the class `Optimizer` if there is no sound native one.
        scalars: the expression of each number that the optimizer takes at every step.
        layer_schedules: the same for the numbers that layers take.
        schedules: the classes of the schedules.
        helpers: the names of the helper functions that are used.
    """

    run: Trained
    checkpoint: str
    program: Program
    network: Network
    results: list[str]
    objective: Objective
    native: NativeOptimizer | None = None
    updates: Updates | None = None
    scalars: dict[str, str] = field(default_factory=dict)
    layer_schedules: dict[str, str] = field(default_factory=dict)
    schedules: ScheduleWriter = field(default_factory=ScheduleWriter)
    helpers: set[str] = field(default_factory=set)


def file_source(file: File) -> str:
    """Return the text of the file."""
    parts = [
        _head(file),
        f"CHECKPOINT = Path(__file__).with_name({file.checkpoint!r})\n",
        batches_source(file.run),
        _WEIGHT,
        helpers_source(file.helpers),
        *file.network.classes.values(),
        _net(file),
        _loss(file),
        *file.schedules.classes.values(),
        *_optimizer(file),
        training_source(file),
    ]
    return "\n\n".join(part for part in parts if part)


_WEIGHT = '''\
def weight(shape, trained=True, dtype=np.float32, name=None):
    """A parameter of zeros; the checkpoint has its numbers."""
    start = ms.Tensor(np.zeros(shape, dtype))
    return ms.Parameter(start, name=name, requires_grad=trained)
'''


def _head(file: File) -> str:
    modules = {"hashlib", *(m for m in file.schedules.modules if ":" not in m)}
    if any("math." in text for text in file.scalars.values()):
        modules.add("math")
    lines = [f"import {name}" for name in sorted(modules)]
    names = sorted(m for m in file.schedules.modules if ":" in m)
    lines += [f"from {m.partition(':')[0]} import {m.partition(':')[2]}" for m in names]
    lines += ["from pathlib import Path", "", "import mindspore as ms", "import numpy as np"]
    lines.append("from mindspore import nn, ops")
    text = (
        f"A model in plain MindSpore, with its loss, its optimizer and its training; written by\n"
        f"dnnbridge {__version__}. Its weights are in {file.checkpoint!r} beside this file.\n\n"
        "    net, optimizer = load()\n"
        "    losses = train(net, optimizer, ...)  # one number for every batch\n"
        "    predictions = predict(net, ...)"
    )
    return docstring(f"{text}\n") + "\n\n" + "\n".join(lines) + "\n"


def _method(head: str, lines: list[str]) -> str:
    body = "\n".join(f"    {line}".rstrip() for line in lines)
    return textwrap.indent(f"{head}\n{body}\n", "    ")


def _net(file: File) -> str:
    network, outputs = file.network, len(file.program.outputs)
    cells = ["super().__init__()", *(line for c in network.cells for line in c.split("\n"))]
    cells += [f"self.{name}.requires_grad = False" for name in _frozen(file)]
    inputs = [a for n, a in network.arguments.items() if n.startswith("input:")]
    feeds = [f"{a}=None" for n, a in network.arguments.items() if not n.startswith("input:")]
    given = ", ".join(["self", *inputs, *feeds])
    text = 'class Net(nn.Cell):\n    """The model."""\n\n'
    text += _method("def __init__(self):", cells) + "\n"
    results = f"return {', '.join(file.results)}"
    if len(file.results) == outputs:
        return text + _method(f"def construct({given}):", [*network.lines, results])
    comment = '"""Return the predictions, and what else the loss reads."""'
    forward = _method(f"def forward({given}):", [comment, *network.lines, results])
    taken = "[0]" if outputs == 1 else f"[:{outputs}]"
    call = ", ".join([*inputs, *(f.partition("=")[0] for f in feeds)])
    last = _method(f"def construct({given}):", [f"return self.forward({call}){taken}"])
    return f"{text}{forward}\n{last}"


def _frozen(file: File) -> list[str]:
    """Return the weights that are not trained although their layer would train them."""
    trained = {*trained_weights(file.program)}
    state = file.program.state
    places = file.network.placements.items()
    return [p.name for n, p in places if n not in trained and state[n].trainable]


def _loss(file: File) -> str:
    made = file.objective
    setup = ["super().__init__(auto_prefix=False)", "self.net = net"]
    for name, op in made.constants.items():
        kind = {"float32": "np.float32", "int32": "np.int32", "bool": "np.bool_"}[op.dtype]
        values = f"np.array({op.array.tolist()!r}, {kind})"
        setup += wrapped(f"self.{name} = ms.Tensor({values})").split("\n")
    given = ", ".join(["self", *file.network.arguments.values(), *made.labels.values()])
    text = 'class Loss(nn.Cell):\n    """The loss of a batch."""\n\n'
    text += _method("def __init__(self, net):", setup) + "\n"
    return text + _method(f"def construct({given}):", [*made.lines, f"return {made.result}"])


def _optimizer(file: File) -> list[str]:
    """Return the functions and the class of an optimizer that is written out."""
    if file.updates is None:
        return []
    made, kind = file.updates, type(file.run.optimizer).__name__
    weights = [f"net.{file.network.placements[n].name}" for n in trained_weights(file.program)]
    listed = wrapped(f"weights = [{', '.join(weights)}]").split("\n")
    setup = ["super().__init__(auto_prefix=False)", *listed]
    setup += ["self.parameters = ms.ParameterTuple(weights)"]
    setup += ['self.global_step = weight((1,), False, np.int32, "global_step")']
    setup += [line for each in made.setup for line in each.split("\n")]
    why = f"; {REASON[kind]}" if kind in REASON else ""
    text = f'class Optimizer(nn.Cell):\n    """{kind}, written out{why}."""\n\n'
    text += _method("def __init__(self, net):", setup) + "\n"
    given = ", ".join(["self", "gradients", *made.scalars.values()])
    lines = [*made.lines, "ops.assign_add(self.global_step, 1)"]
    text += _method(f"def construct({given}):", lines)
    return [*made.functions.values(), text]
