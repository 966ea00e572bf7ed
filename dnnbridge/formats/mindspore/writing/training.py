"""The functions of the file that load, train and predict."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dnnbridge.base.randomness import Bernoulli, Normal, Uniform
from dnnbridge.emit.scope import RandomInput
from dnnbridge.formats.mindspore.writing.reserved import FUNCTION_NAMES
from dnnbridge.formats.source.expressions import wrapped
from dnnbridge.formats.source.names import Names
from dnnbridge.graph import TensorType

if TYPE_CHECKING:
    from dnnbridge.formats.mindspore.writing.file import File


def training_source(file: File) -> str:
    """Return the text of `load`, `train` and `predict`."""
    parts = [_rate(file), _load(file), _draw(file), _host_values(file), _train(file)]
    return "\n\n".join(part for part in [*parts, _predict(file)] if part)


def _rate(file: File) -> str:
    """Return the function of the learning rate, which a native optimizer takes."""
    if file.native is None:
        return ""
    text = file.scalars["learning_rate"]
    doc = '    """Return the learning rate of an update, counted from 0."""\n'
    return f"def learning_rate(step):\n{doc}{wrapped(f'return {text}', 4)}\n"


def _load(file: File) -> str:
    made = file.native.source if file.native else "Optimizer(net)"
    return _LOAD.format(made=wrapped(f"optimizer = {made}", 4).strip())


_LOAD = '''\
def load(checkpoint=CHECKPOINT):
    """Return the model and the optimizer, with the arrays of a checkpoint."""
    net = Net()
    {made}
    arrays = ms.load_checkpoint(str(checkpoint))
    for cell in (net, optimizer):
        missing, _ = ms.load_param_into_net(cell, arrays, strict_load=True)
        if missing:
            raise ValueError(f"{{checkpoint}} has no {{', '.join(missing)}}")
    return net, optimizer
'''

_DRAWS = {
    Bernoulli: "(generator.random(shape, dtype=np.float32) < {0!r}).astype(np.float32)",
    Uniform: "generator.random(shape, dtype=np.float32)",
    Normal: "generator.standard_normal(shape, dtype=np.float32)",
}


def _draw(file: File) -> str:
    """Return the function that draws the random arrays of a step."""
    randoms = _randoms(file)
    if not randoms:
        return ""
    lines = []
    for random in randoms:
        kind = type(random.distribution)
        text = _DRAWS[kind].format(getattr(random.distribution, "probability", 0))
        sizes = ", ".join("batch_size" if n is None else str(n) for n in random.type.shape)
        lines.append(f"generator = random_generator({random.name!r}, step)")
        lines.append(f"shape = ({sizes},)")
        lines.append(f"drawn = {text}")
        if None in random.type.shape:
            lines.append("drawn = drawn[:examples]")
        if f"random:{random.name}" in file.network.turned:
            lines.append("drawn = np.moveaxis(drawn, -1, 1)")
        lines.append("made.append(ms.Tensor(np.ascontiguousarray(drawn)))")
    return _DRAW.format(lines="\n".join(wrapped(line, 4) for line in lines))


_DRAW = '''\
def random_generator(name, step):
    """Return the generator of a random array at a step."""
    key = hashlib.blake2b(f"{{SEED}}\\x1frandom\\x1f{{name}}\\x1f{{step}}".encode(), digest_size=16)
    return np.random.Generator(np.random.Philox(key=np.frombuffer(key.digest(), np.uint64)))


def draw(step, batch_size, examples):
    """Return the random arrays of a step: the masks of dropout, and noise."""
    made = []
{lines}
    return made
'''


def _randoms(file: File) -> list[RandomInput]:
    """Return the random arrays in the order of the arguments of the network."""
    by_name = {f"random:{random.name}": random for random in file.program.randoms}
    return [by_name[name] for name in file.network.arguments if name in by_name]


def _host_values(file: File) -> str:
    """Return the function of the numbers that a step takes."""
    layers = [file.layer_schedules[n] for n in file.network.arguments if n in file.layer_schedules]
    values = [*layers, *([] if file.native else file.scalars.values())]
    lines = "".join(wrapped(f"{value},", 8) + "\n" for value in values)
    inside = f"[\n{lines}    ]" if values else "[]"
    return _HOST.format(values=inside) if values else ""


_HOST = '''\
def host_values(step):
    """Return the numbers that depend on the update, counted from 0."""
    values = {values}
    return [ms.Tensor(value, ms.float32) for value in values]
'''

_KINDS = {"float32": "np.float32", "int32": "np.int32", "bool": "np.bool_"}


def _train(file: File) -> str:
    """Return the function that trains."""
    types = _data(file)
    count = len(file.run.experiment.model.input_types)
    feeds = [n for n in file.network.arguments if not n.startswith("input:")]
    schedules = [n for n in feeds if n.startswith("schedule:")]
    whole = len(types) + len(feeds)
    given = [f"*batch[:{count}]"]
    if len(feeds) > len(schedules):
        given.append("*draw(number, size, len(rows))")
    if schedules:
        given.append(f"*values[:{len(schedules)}]")
    given.append(f"*batch[{count}:]")
    scalars = "" if file.native or not file.scalars else f", *given[{whole}:]"
    if scalars:
        given.append(f"*values[{len(schedules)}:]" if schedules else "*values")
    return _TRAIN.format(
        names=", ".join(types),
        shapes="\n".join(f"        {name}: {_described(t)}" for name, t in types.items()),
        data=_arrays(types),
        whole=whole,
        scalars=scalars,
        before="".join(f"        {line}\n" for line in _before(file)),
        given=", ".join(given),
    )


def _data(file: File) -> dict[str, TensorType]:
    """Return the types of inputs and labels by the identifiers of their arguments."""
    objectives = file.program.objectives.values()
    found = list(file.run.experiment.model.input_types.items())
    found += [(objective.key, objective.target.type) for objective in objectives]
    names = Names([*FUNCTION_NAMES, *_LOCALS])
    return {names.of(name): type for name, type in found}


_LOCALS = (
    *("array", "batch", "batch_size", "data", "epochs", "given", "gradient", "gradients", "loss"),
    *("losses", "made", "net", "number", "optimizer", "outputs", "rows", "shuffle", "size"),
    *("start", "step", "values", "draw", "host_values", "learning_rate", "batches", "Loss"),
)
"""Names that the functions use themselves."""

_KINDS = {"float32": "np.float32", "int32": "np.int32", "bool": "np.bool_"}


def _arrays(types: dict[str, TensorType]) -> str:
    """Return the lines of arrays of examples with the dtypes and shapes that the model takes."""
    made = ""
    for name, type in types.items():
        sizes = ", ".join(["-1", *map(str, type.shape[1:])])
        made += f"        np.asarray({name}, {_KINDS[type.dtype]}).reshape({sizes}),\n"
    return made


def _described(type: TensorType) -> str:
    sizes = ", ".join(["examples", *map(str, type.shape[1:])])
    return f"{type.dtype} of shape ({sizes}{',' if type.rank == 1 else ''})."


def _before(file: File) -> list[str]:
    """Return the lines before a step: the numbers that depend on it."""
    lines = []
    if _host_values(file):
        lines.append("values = host_values(number)")
    if file.native and not _is_number(file.scalars["learning_rate"]):
        rate = "ms.Tensor(learning_rate(number), ms.float32)"
        lines.append(f"ops.assign(optimizer.learning_rate, {rate})")
    return lines


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


_TRAIN = '''\
def train(net, optimizer, {names}, *, epochs=1, batch_size=32, shuffle=True):
    """Train as the run goes on; return the loss of every batch.

    Call it once: a second call has the same orders of examples, with new masks and rates.

    Args:
        net, optimizer: what `load` returns.
{shapes}
        epochs: how often all examples are used.
        batch_size: examples in a step.
        shuffle: whether the examples are in another order in every epoch.
    """
    data = [
{data}    ]
    net.set_train()
    gradient = ms.value_and_grad(Loss(net), None, optimizer.parameters)

    @ms.jit
    def step(*given):
        loss, gradients = gradient(*given[:{whole}])
        optimizer(gradients{scalars})
        return loss

    losses, number = [], int(optimizer.global_step.asnumpy()[0])
    size = min(batch_size, len(data[0]))
    for _, rows in batches(len(data[0]), batch_size, epochs, shuffle):
        batch = [ms.Tensor(array[rows]) for array in data]
{before}        loss = step({given})
        losses.append(float(loss.asnumpy()))
        number += 1
    return losses
'''


def _predict(file: File) -> str:
    """Return the function that predicts."""
    types = dict(list(_data(file).items())[: len(file.run.experiment.model.input_types)])
    several = len(file.program.outputs) > 1
    return _PREDICT.format(
        names=", ".join(types),
        what="a list of arrays, one for each output" if several else "an array",
        data=_arrays(types),
        append="outputs" if several else "[outputs]",
        result="made" if several else "made[0]",
    )


_PREDICT = '''\
def predict(net, {names}, *, batch_size=32):
    """Return the predictions: {what}."""
    data = [
{data}    ]
    net.set_train(False)
    made = []
    for start in range(0, len(data[0]), batch_size):
        outputs = net(*[ms.Tensor(array[start : start + batch_size]) for array in data])
        made.append([array.asnumpy() for array in {append}])
    made = [np.concatenate(arrays) for arrays in zip(*made)]
    return {result}
'''
