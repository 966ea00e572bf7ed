"""A run as a plain Python file of Keras and TensorFlow, with its weights beside it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dnnbridge.base.files import atomic_file, write_atomically
from dnnbridge.formats.findings import Findings
from dnnbridge.formats.keras.source.models import ModelSources
from dnnbridge.formats.keras.source.objects import Objects
from dnnbridge.formats.keras.writing.archive import weights_file
from dnnbridge.formats.keras.writing.run import keras_form
from dnnbridge.formats.source.batches import IMPORTS, batches_source
from dnnbridge.formats.source.expressions import call, docstring, literal, wrapped
from dnnbridge.formats.trained import Trained

RESERVED = (
    *("hashlib", "keras", "layers", "np", "tf", "Path", "annotations"),
    *("SEED", "EPOCHS_DONE", "BATCHES_DONE", "EPOCH_SIZE", "WEIGHTS", "OUTPUTS", "take_rows"),
    *(
        "epoch_order",
        "batches",
        "build_model",
        "compile_model",
        "load_model",
        "train",
        "train_step",
    ),
)
"""Identifiers of the file that no layer may have."""

_HEAD = """\
A model of Keras with its training, as plain source.

    model = load_model()
    losses = train(x, y, batch_size={size}, epochs=5, model=model)
    model.predict(x{of_size})

The weights, what the optimizer has kept and its step are in {weights},
beside this file. `train` goes on from there with the same batches as dnnbridge.{random}{texts}
"""

_RANDOM = """
Dropout and noise are drawn by TensorFlow, so they differ from those of dnnbridge."""

_TEXTS = """
`predict` takes texts as tensors: tf.constant(x)."""

_IMPORTS = """\
{first}
from pathlib import Path

import keras
{others}
import tensorflow as tf
from keras import layers
"""

_COMPILE = '''\
def compile_model(model):
    """Give a model its optimizer, loss and metrics."""
{call}
    model.optimizer.build(model.trainable_variables)
'''

_LOAD = '''\
def load_model():
    """Return the compiled model with the stored weights and the state of its optimizer."""
    model = build_model()
    compile_model(model)
    model.load_weights(WEIGHTS)
    return model
'''

_TRAIN = '''\
def take_rows(arrays, rows):
    """Return some rows of an array, or of each array of a list or dictionary."""
    return keras.tree.map_structure(
        lambda array: None if array is None else np.asarray(array)[rows], arrays
    )


@tf.function
def train_step(model, x, y, sample_weight):
    """Update the weights with one batch, and return its loss."""
    with tf.GradientTape() as tape:
        outputs = model(x, training=True)
        loss = model.compute_loss(x, y, outputs, sample_weight, training=True)
    variables = model.trainable_variables
    gradients = tape.gradient(loss, variables)
    # The gradient of an embedding is sparse. If a word occurs twice in a batch, some
    # optimizers of Keras square its two gradients one by one: they need their sum.
    gradients = [None if g is None else tf.convert_to_tensor(g) for g in gradients]
    model.optimizer.apply(gradients, variables)
    return loss


def train(x, y, batch_size={size}, epochs=1, shuffle=True, sample_weight=None, model=None):
    """Train a model, `load_model()` by default; return the loss of every step.{several}"""
    model = model or load_model()
{by_name}    examples = len(keras.tree.flatten(x)[0])
{whole}    losses = []
    for _, rows in batches(examples, batch_size, epochs, shuffle):
        batch = [take_rows(arrays, rows) for arrays in (x, y, sample_weight)]
        losses.append(float(train_step(model, *batch)))
    return losses
'''


_WHOLE = """\
    if batch_size != {size} or examples % {size}:
        raise ValueError("the model has batches of {size} examples: give a multiple of them")
"""


def save_source(run: Trained, path: Path) -> Path:
    """Write a run as a Python file with its weights beside it, in a `.weights.h5` file.

    Raises:
        ConversionError: Keras lacks a layer, a loss, a metric or the optimizer. The message names
            all of them.
    """
    form, findings = keras_form(run), Findings()
    weights = path.with_suffix(".weights.h5")
    models = ModelSources(RESERVED, findings)
    models.write(form.config, "build_model")
    outputs = run.experiment.model.output_names
    settings = _compile(form.config["compile_config"], outputs, models.objects)
    findings.check(f"{path.name}: model in plain Keras", "written")
    has_noise = bool(run.experiment.program().randoms)
    place = wrapped(f"WEIGHTS = Path(__file__).with_name({literal(weights.name)})")
    fixed = run.experiment.program().batch_size
    of_size = f", batch_size={fixed}" if fixed else ""
    has_texts = any(type.text for type in run.experiment.model.input_types.values())
    notes = {"random": _RANDOM if has_noise else "", "texts": _TEXTS if has_texts else ""}
    text = _HEAD.format(weights=weights.name, size=fixed or 32, of_size=of_size, **notes)
    parts = [
        "\n".join([docstring(text), "", _imports(), place, "", batches_source(run)]),
        *models.functions,
        _COMPILE.format(call=wrapped(settings, 4)),
        _LOAD,
        _train(run),
    ]
    with weights_file(form.arrays) as (content, _), atomic_file(weights) as file:
        shutil.copyfileobj(content, file)
    write_atomically(path, "\n\n\n".join(part.strip("\n") for part in parts).encode() + b"\n")
    return path


def _imports() -> str:
    first = [line for line in IMPORTS if not line.endswith("as np")]
    others = [line for line in IMPORTS if line.endswith("as np")]
    return _IMPORTS.format(first="\n".join(first), others="\n".join(others))


def _compile(config: Mapping[str, Any], outputs: tuple[str, ...], objects: Objects) -> str:
    """Return the call of `model.compile`; with several outputs it has lists in their order."""
    given: dict[str, Any] = {"optimizer": config["optimizer"]}
    for key in ("loss", "loss_weights", "metrics", "weighted_metrics"):
        value = config.get(key)
        if isinstance(value, Mapping) and "class_name" not in value:
            value = [value[name] for name in outputs]
        if value is not None and value != []:
            given[key] = value
    named = {key: _written(value, key, objects) for key, value in given.items()}
    return call("model.compile", named=named)


def _written(value: Any, key: str, objects: Objects) -> Any:
    if isinstance(value, list):
        return [_written(each, key, objects) for each in value]
    if isinstance(value, Mapping):
        return objects.of(value, key)
    return value


def _train(run: Trained) -> str:
    """Return the text of `train`, which takes labels by name if there are several outputs."""
    outputs, fixed = run.experiment.model.output_names, run.experiment.program().batch_size
    sizes = {"size": fixed or 32, "whole": _WHOLE.format(size=fixed) if fixed else ""}
    if len(outputs) == 1:
        return _TRAIN.format(several="", by_name="", **sizes)
    names = ", ".join(outputs)
    several = f"\n\n    y is a list in the order {names}, or a dictionary by these names.\n    "
    line = wrapped(f"y = [y.get(name) for name in {literal(list(outputs))}]", 8)
    by_name = f"    if isinstance(y, dict):\n{line}\n"
    return _TRAIN.format(several=several, by_name=by_name, **sizes)
